/* Help for the tests of locks and threads: racing threads, attached or plain. */
#ifndef SYNC_TEST_H
#define SYNC_TEST_H

#include "Python.h"

#include <pthread.h>
#include <setjmp.h>
#include <cmocka.h>
#include <unistd.h>

#include "atomics.h"
#include "gil.h"
#include "interpreter.h"
#include "lock.h"
#include "memory.h"
#include "stop_world.h"

#define RACERS 4

/* cmocka's asserts leave by longjmp, which only the main thread may do. */
#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            abort(); \
        } \
    } while (0)

struct racer {
    int index;
    void (*body)(int);
    int attached;
};

static void *race_thread(void *arg)
{
    struct racer *r = arg;
    PyThreadState *ts = NULL;
    if (r->attached) {
        ts = PyThreadState_New(&runtime_interp);
        CHECK(ts != NULL);
        thread_attach(ts);
    }
    r->body(r->index);
    if (r->attached)
        PyThreadState_DeleteCurrent();
    return NULL;
}

/* Runs body(0) ... body(RACERS - 1) in threads; the caller is detached meanwhile if attached is set. */
static inline void race(void (*body)(int), int attached)
{
    pthread_t threads[RACERS];
    struct racer racers[RACERS];
    for (int i = 0; i < RACERS; i++) {
        racers[i] = (struct racer){i, body, attached};
        CHECK(pthread_create(&threads[i], NULL, race_thread, &racers[i]) == 0);
    }
    PyThreadState *ts = thread_current();
    if (ts != NULL)
        thread_detach(ts);
    for (int i = 0; i < RACERS; i++)
        pthread_join(threads[i], NULL);
    if (ts != NULL)
        thread_attach(ts);
}

/* Group set-up: a main thread state. */
static inline int start_runtime(void **state)
{
    (void)state;
    return thread_init_main() != NULL ? 0 : -1;
}

#endif
