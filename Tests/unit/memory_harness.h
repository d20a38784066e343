/* What the memory layer needs from above and below, in the small, for its unit tests: slots, pauses, and one type of
 * object.  Included by one C file per test program. */
#ifndef BRAID_MEMORY_HARNESS_H
#define BRAID_MEMORY_HARNESS_H

#include "Python.h"
#include "memory.h"
#include "collector.h"
#include "stop_world.h"
#include "thread_end.h"
#include "weakref.h"
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <cmocka.h>

#define SLOTS 64

/* In any thread; cmocka's asserts only work in the main one. */
#define check(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            abort(); \
        } \
    } while (0)

BRAID_TLS uint16_t _Py_current_tid;
BRAID_TLS PyThreadState *_Py_tstate;
int runtime_multi;

/* ---- Slots ---- */

static uint8_t slot_states[SLOTS];
static uint32_t slot_breakers[SLOTS];
static int stop_requested;

static int change_state(uint16_t slot, uint8_t from, uint8_t to)
{
    return __atomic_compare_exchange_n(&slot_states[slot], &from, to, 0, __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE);
}

int slot_borrow(uint16_t slot, slot_state_t *previous)
{
    for (int i = 0; i < 2; i++) {
        *previous = i ? SLOT_VACANT : SLOT_DETACHED;
        if (change_state(slot, (uint8_t)*previous, SLOT_BORROWED))
            return 1;
    }
    return 0;
}

uint32_t slots_limit(void) { return SLOTS; }

void slot_return(uint16_t slot, slot_state_t previous)
{
    __atomic_store_n(&slot_states[slot], (uint8_t)previous, __ATOMIC_RELEASE);
}

int slot_is_leaving(uint16_t slot)
{
    (void)slot;
    return 0;       /* leave() looks for requests again instead */
}

void slot_set_breaker(uint16_t slot, uint32_t bits) { __atomic_fetch_or(&slot_breakers[slot], bits, __ATOMIC_SEQ_CST); }

/* Nobody else reads or replaces gc.callbacks and gc.garbage here. */
PyObject *interpreter_get(PyObject **field) { return Py_XNewRef(*field); }

static void attach(PyThreadState *ts)
{
    for (;;) {
        while (__atomic_load_n(&stop_requested, __ATOMIC_ACQUIRE))
            sched_yield();
        if (change_state(ts->slot, SLOT_DETACHED, SLOT_ATTACHED) || change_state(ts->slot, SLOT_VACANT, SLOT_ATTACHED)) {
            if (!__atomic_load_n(&stop_requested, __ATOMIC_SEQ_CST))
                break;
            __atomic_store_n(&slot_states[ts->slot], SLOT_DETACHED, __ATOMIC_SEQ_CST);
        }
        sched_yield();
    }
    check(memory_thread_attach(ts) == 0);
    _Py_current_tid = ts->slot;
    _Py_tstate = ts;
}

static void leave(PyThreadState *ts, uint8_t state)
{
    for (;;) {
        memory_serve_merge_requests(ts);
        memory_thread_detach(ts);
        _Py_current_tid = 0;
        __atomic_store_n(&slot_states[ts->slot], state, __ATOMIC_SEQ_CST);
        if (!merge_pending(ts->slot))
            break;
        attach(ts);
    }
    _Py_tstate = NULL;
}

static void detach(PyThreadState *ts) { leave(ts, SLOT_DETACHED); }

static void safe_point(PyThreadState *ts)
{
    uint32_t bits = __atomic_exchange_n(&slot_breakers[ts->slot], 0, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&stop_requested, __ATOMIC_ACQUIRE)) {
        detach(ts);
        attach(ts);
    }
    if (bits & BREAKER_MERGE)
        memory_serve_merge_requests(ts);
    if (bits & BREAKER_COLLECT)
        collector_run_pending(ts);
    memory_report_quiescent();
}

static PyThreadState *thread_begin(uint16_t slot)
{
    PyThreadState *ts = calloc(1, sizeof(*ts));
    ts->slot = ts->tid = slot;
    attach(ts);
    return ts;
}

static void thread_end(PyThreadState *ts)
{
    memory_thread_exit(ts);
    memory_thread_leave(ts);
    leave(ts, SLOT_VACANT);
    free(ts);
}

/* ---- Pauses ---- */

static int stop_depth;

void stop_world_begin(PyThreadState *ts)
{
    if (stop_depth++ > 0)
        return;
    int expected = 0;
    while (!__atomic_compare_exchange_n(&stop_requested, &expected, 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
        expected = 0;
        detach(ts);
        attach(ts);
    }
    for (uint16_t i = 1; i < SLOTS; i++)
        while (i != ts->slot) {
            uint8_t state = __atomic_load_n(&slot_states[i], __ATOMIC_SEQ_CST);
            if (state != SLOT_ATTACHED && state != SLOT_BORROWED)
                break;
            sched_yield();
        }
}

void stop_world_end(PyThreadState *ts)
{
    if (--stop_depth == 0)
        __atomic_store_n(&stop_requested, 0, __ATOMIC_SEQ_CST);
}

/* ---- Objects ---- */

typedef struct {
    PyObject_HEAD
    PyObject *link[2];          /* counted */
    PyObject *weaklist;
    PyObject *slot_link;        /* as a generator's slot: uncounted if DEFERRED */
    uint64_t canary;
} Node;

#define CANARY 0x5eed5eed5eed5eedull
static long nodes_made, nodes_freed, finaliser_calls, callback_calls;
static PyObject *resurrect_into;        /* a finaliser stores its object here once, if it is set to Py_None */
static PyObject *callback_function = NULL;

extern PyTypeObject Node_Type, Finalising_Type;

static int node_clear(PyObject *op)
{
    Node *self = (Node *)op;
    Py_CLEAR(self->link[0]);
    Py_CLEAR(self->link[1]);
    PyObject *old = self->slot_link;
    self->slot_link = NULL;
    if (old != NULL && !object_is_deferred(old))
        Py_DECREF(old);
    return 0;
}

static int node_traverse(PyObject *op, visitproc visit, void *arg)
{
    Node *self = (Node *)op;
    Py_VISIT(self->link[0]);
    Py_VISIT(self->link[1]);
    Py_VISIT_SLOT(self->slot_link);
    return 0;
}

static void node_finalise(PyObject *op)
{
    __atomic_fetch_add(&finaliser_calls, 1, __ATOMIC_RELAXED);
    if (resurrect_into == Py_None)
        resurrect_into = Py_NewRef(op);
}

static void node_dealloc(PyObject *op)
{
    Node *self = (Node *)op;
    check(self->canary == CANARY);
    if (PyObject_CallFinalizerFromDealloc(op) < 0)
        return;
    PyObject_GC_UnTrack(op);
    PyObject_ClearWeakRefs(op);
    node_clear(op);
    self->canary = 0;
    __atomic_fetch_add(&nodes_freed, 1, __ATOMIC_RELAXED);
    heap_type(op)->tp_free(op);
}

#define NODE_SLOTS(name) \
    PyVarObject_HEAD_INIT(&PyType_Type, 0) \
    .tp_name = name, .tp_basicsize = sizeof(Node), .tp_dealloc = node_dealloc, \
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, .tp_traverse = node_traverse, .tp_clear = node_clear, \
    .tp_weaklistoffset = offsetof(Node, weaklist), .tp_free = PyObject_GC_Del

PyTypeObject Node_Type = {NODE_SLOTS("node")};
PyTypeObject Finalising_Type = {NODE_SLOTS("finalising"), .tp_finalize = node_finalise};

static PyObject *node_of_type(PyTypeObject *type)
{
    Node *self = (Node *)object_new_gc(type, sizeof(Node));
    check(self != NULL);
    self->link[0] = self->link[1] = self->weaklist = self->slot_link = NULL;
    self->canary = CANARY;
    PyObject_GC_Track(self);
    __atomic_fetch_add(&nodes_made, 1, __ATOMIC_RELAXED);
    return (PyObject *)self;
}
static PyObject *node(void) { return node_of_type(&Node_Type); }
static void node_link(PyObject *from, int i, PyObject *to)
{
    object_publish(to);
    ((Node *)from)->link[i] = Py_NewRef(to);
}
static void reset_counts(void) { nodes_made = nodes_freed = finaliser_calls = callback_calls = 0; }

/* ---- A place that is read without a lock ---- */

typedef struct {
    struct leaf_lock lock;
    PyObject *value;
} place_t;

static PyObject *place_read(place_t *place)
{
    PyObject *op = __atomic_load_n(&place->value, __ATOMIC_ACQUIRE);
    if (op == NULL || object_try_incref(op))
        return op;
    leaf_lock_acquire(&place->lock);
    op = Py_XNewRef(place->value);
    leaf_lock_release(&place->lock);
    return op;
}

/* Steals op (or NULL); drops what was there. */
static void place_store(place_t *place, PyObject *op)
{
    if (op != NULL)
        object_publish(op);
    leaf_lock_acquire(&place->lock);
    PyObject *old = place->value;
    __atomic_store_n(&place->value, op, __ATOMIC_RELEASE);
    leaf_lock_release(&place->lock);
    Py_XDECREF(old);
}

/* ---- What the tested files call in the layers above ---- */

PyTypeObject _PyNone_Type = {PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "NoneType"};
PyObject _Py_NoneStruct = {0, OBJECT_PUBLISHED | OBJECT_IMMORTAL, {0}, 0, SHARED_PINNED | SHARED_MERGED, 0, &_PyNone_Type};
PyTypeObject PyType_Type = {PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "type"};
PyTypeObject PyLong_Type = {PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "int"};
PyTypeObject PyFloat_Type = {PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "float"};
PyTypeObject _PyWeakref_ProxyType, _PyWeakref_CallableProxyType;
PyObject *PyExc_TypeError;
static int errors_set;
PyObject *PyErr_NoMemory(void) { errors_set++; return NULL; }
void PyErr_SetString(PyObject *type, const char *text) { errors_set++; }
PyObject *PyErr_Format(PyObject *type, const char *text, ...) { errors_set++; return NULL; }
PyObject *PyErr_Occurred(void) { return NULL; }
void PyErr_Fetch(PyObject **a, PyObject **b, PyObject **c) { *a = *b = *c = NULL; }
void PyErr_Restore(PyObject *a, PyObject *b, PyObject *c) {}
void PyErr_WriteUnraisable(PyObject *op) {}
void PyErr_BadInternalCall_(void) {}
void _PyErr_BadInternalCall(const char *file, int line) {}
int PyType_IsSubtype(PyTypeObject *a, PyTypeObject *b) { return a == b; }
PyObject *PyType_GenericAlloc(PyTypeObject *type, Py_ssize_t n)
{
    PyObject *op = object_new_gc(type, (size_t)type->tp_basicsize);
    memset((char *)op + sizeof(PyObject), 0, (size_t)type->tp_basicsize - sizeof(PyObject));
    return op;
}
/* A callback is any node; calling it counts. */
PyObject *PyObject_CallOneArg(PyObject *callable, PyObject *arg)
{
    __atomic_fetch_add(&callback_calls, 1, __ATOMIC_RELAXED);
    return Py_NewRef(Py_None);
}

#endif /* BRAID_MEMORY_HARNESS_H */
