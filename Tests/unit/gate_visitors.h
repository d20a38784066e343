/* A race for containers that are born closed (list.h, dict.h): the owner makes one after another and works on it, while visitors get
 * references without the container being published, and open it at any moment.
 *
 * A header of static functions: each test program that includes it has visitors of its own. */
#ifndef BRAID_TESTS_GATE_VISITORS_H
#define BRAID_TESTS_GATE_VISITORS_H

#include <pthread.h>
#include "thread_state.h"

enum { VISITORS = 4 };

/* One operation on the container, chosen by the number; called by the owner and by all visitors. */
typedef void (*gate_step)(PyObject *container, unsigned random);

static struct {
    gate_step step;
    PyObject *mail[VISITORS];            /* [atomic] a container with a reference for visitor i */
    int no_more_mail;                   /* [atomic] */
} visitors;

static void step_at_random(PyObject *container, unsigned *seed)
{
    *seed = *seed * 1103515245u + 12345u;
    visitors.step(container, *seed >> 16);
    thread_safe_point(thread_current());
}

static void *visit_containers(void *arg)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    uintptr_t me = (uintptr_t)arg;
    unsigned seed = (unsigned)me * 7919u + 3;
    while (!__atomic_load_n(&visitors.no_more_mail, __ATOMIC_RELAXED)) {
        PyObject *container = __atomic_exchange_n(&visitors.mail[me], NULL, __ATOMIC_ACQ_REL);
        for (int i = 0; container != NULL && i < 6; i++)
            step_at_random(container, &seed);
        Py_XDECREF(container);
        thread_safe_point(thread_current());
    }
    PyGILState_Release(gil);
    return NULL;
}

static void race_through_gate(int containers, PyObject *(*make)(void), gate_step step)
{
    pthread_t threads[VISITORS];
    unsigned seed = 11;
    visitors.step = step;
    PyThreadState *ts = PyEval_SaveThread();
    for (uintptr_t i = 0; i < VISITORS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, visit_containers, (void *)i), 0);
    PyEval_RestoreThread(ts);
    for (int i = 0; i < containers; i++) {
        PyObject *container = make();
        for (int j = 0; j < 30; j++) {
            if (j == 6 + i % 10)
                for (int k = 0; k < VISITORS; k++)
                    Py_XDECREF(__atomic_exchange_n(&visitors.mail[k], Py_NewRef(container), __ATOMIC_ACQ_REL));
            step_at_random(container, &seed);
        }
        Py_DECREF(container);
    }
    __atomic_store_n(&visitors.no_more_mail, 1, __ATOMIC_RELAXED);
    ts = PyEval_SaveThread();
    for (int i = 0; i < VISITORS; i++)
        pthread_join(threads[i], NULL);
    PyEval_RestoreThread(ts);
    for (int k = 0; k < VISITORS; k++)
        Py_CLEAR(visitors.mail[k]);
}

#endif /* BRAID_TESTS_GATE_VISITORS_H */
