/* The cycle collector's driver: when to collect, the pauses, finalisers, and clearing. collector.h has the plan. */
#include "memory.h"
#include "collector.h"
#include "interpreter.h"
#include "stop_world.h"
#include "type_slots.h"
#include "weakref.h"
#include <time.h>

struct collector_state collector = {.enabled = 1, .thresholds = {700, 10, 10}, .due_at = 14000};

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ---- When ---- */

/* A collection is due when the heap has grown by this share of what was alive, and by this many times threshold 0. */
#ifdef BRAID_STRESS
#define GROWTH_SHARE(live) ((live) / 32)
#define LEAST_THRESHOLDS 1
#else
#define GROWTH_SHARE(live) ((live) / 4 * 3)
#define LEAST_THRESHOLDS 20
#endif

static int64_t minimum_growth(void)
{
    return LEAST_THRESHOLDS * (int64_t)__atomic_load_n(&collector.thresholds[0], __ATOMIC_RELAXED);
}

static int is_due(void)
{
    return __atomic_load_n(&collector.enabled, __ATOMIC_RELAXED)
           && __atomic_load_n(&collector.thresholds[0], __ATOMIC_RELAXED) > 0
           && __atomic_load_n(&collector.growth, __ATOMIC_RELAXED) >= __atomic_load_n(&collector.due_at, __ATOMIC_RELAXED);
}

void collector_note_growth(int64_t delta)
{
    __atomic_fetch_add(&collector.growth, delta, __ATOMIC_RELAXED);
    if (delta > 0 && is_due() && !__atomic_load_n(&collector.busy, __ATOMIC_RELAXED) && memory_heap->slot != 0)
        slot_set_breaker(memory_heap->slot, BREAKER_COLLECT);
}

static Py_ssize_t run(int generation, int rounds);

void collector_run_pending(struct _ts *ts)
{
    if (is_due())
        run(2, 1);
}

/* ---- Pauses ---- */

struct collection {
    struct _ts *ts;
    uint64_t pause_start;
    struct dead_list dead;              /* found dead by serving the merge queues; buried after the pause */
    struct trial trial;
    struct object_vector callbacks;     /* weak references whose callback is due; counted */
    size_t finalisers;                  /* garbage whose finaliser is due: scratch is 1 */
    size_t uncollectable;
    size_t kept;                        /* cleared, but not freed yet: DEFERRED objects */
};

static void begin_pause(struct collection *c)
{
    c->pause_start = now_ns();
    stop_world_begin(c->ts);
    merge_serve_all_stopped(&c->dead);
    qsbr_reclaim_all_stopped();
    object_pages_collect_remote_stopped();
}

/* Figures that other threads may be reading. */
#define COUNT(figure, n) __atomic_fetch_add(&(figure), (n), __ATOMIC_RELAXED)

static void end_pause(struct collection *c)
{
    stop_world_end(c->ts);
    uint64_t ns = now_ns() - c->pause_start, us = ns / 1000;
    COUNT(collector.pauses, 1);
    COUNT(collector.pause_total_ns, ns);
    if (ns > __atomic_load_n(&collector.pause_longest_ns, __ATOMIC_RELAXED))
        __atomic_store_n(&collector.pause_longest_ns, ns, __ATOMIC_RELAXED);
    COUNT(collector.pause_histogram[us ? 64 - __builtin_clzll(us) : 0], 1);
    if (c->dead.count != 0)
        merge_bury_dead(&c->dead);
}

static int callback_due(PyObject *ref, void *arg)
{
    struct collection *c = arg;
    return object_vector_push(&c->callbacks, ref);
}

/* Makes the garbage the collector's: ownerless, with one more reference, invisible. */
static void claim_garbage_stopped(struct collection *c)
{
    struct object_vector *garbage = &c->trial.garbage;
    for (size_t i = 0; i < garbage->count; i++) {
        PyObject *op = garbage->items[i];
        object_state_set(op, object_state_get(op) | SLOT_GARBAGE);
        object_merge_stopped(op, 1);
    }
    for (size_t i = 0; i < garbage->count; i++) {
        PyObject *op = garbage->items[i];
        weakref_clear_target_stopped(op, callback_due, c);
        if (PyWeakref_Check(op))
            weakref_disarm_stopped(op);     /* its target may be garbage that no traversal has found */
        int due = type_finalizer(heap_type(op)) != NULL && !(op->hdr_flags & OBJECT_FINALIZED);
        if (due) {
            op->hdr_flags |= OBJECT_FINALIZED;
            c->finalisers++;
        }
        *object_scratch(op) = due;
    }
}

/* ---- Running user code on the garbage ---- */

static void run_callbacks(struct collection *c)
{
    for (size_t i = 0; i < c->callbacks.count; i++) {
        weakref_call_callback(c->callbacks.items[i]);
        Py_DECREF(c->callbacks.items[i]);
    }
    object_vector_free(&c->callbacks);
}

static int finaliser_is_python(destructor finalize)
{
    return finalize == slot_tp_finalize || finalize == _PyGen_Finalize;
}

/* Python code first: a __del__ or the finally of a generator may still use the files and sockets that the other finalisers
 * close. */
static void run_finalisers(struct collection *c)
{
    for (int python = 1; python >= 0; python--)
        for (size_t i = 0; i < c->trial.garbage.count; i++) {
            PyObject *op = c->trial.garbage.items[i];
            destructor finalize = type_finalizer(heap_type(op));
            if (*object_scratch(op) != 1 || (python && !finaliser_is_python(finalize)))
                continue;
            *object_scratch(op) = 0;
            if (finalize != NULL)       /* a finaliser that ran before may have taken it away */
                finalize(op);
        }
}

/* What user code has brought back to life leaves the garbage. Returns -1 if that could not be found out: then all is. */
static int recheck(struct collection *c)
{
    struct trial again = {.recheck = 1};
    struct object_vector *garbage = &c->trial.garbage;
    begin_pause(c);
    collector_run_trial_stopped(&again);
    if (again.failed)
        again.garbage.count = 0;
    for (size_t i = 0; i < garbage->count; i++)
        *object_scratch(garbage->items[i]) = 0;
    for (size_t i = 0; i < again.garbage.count; i++) {
        *object_scratch(again.garbage.items[i]) = 2;
        weakref_clear_target_stopped(again.garbage.items[i], callback_due, c);      /* those made meanwhile */
    }
    /* What stays garbage first. */
    size_t keep = 0;
    for (size_t i = 0; i < garbage->count; i++) {
        PyObject *op = garbage->items[i];
        if (*object_scratch(op) == 2) {
            garbage->items[i] = garbage->items[keep];
            garbage->items[keep++] = op;
        }
        else
            object_state_set(op, object_state_get(op) & (uint8_t)~SLOT_GARBAGE);
    }
    end_pause(c);
    for (size_t i = keep; i < garbage->count; i++)
        Py_DECREF(garbage->items[i]);
    garbage->count = keep;
    object_vector_free(&again.garbage);
    object_vector_free(&again.legacy);
    object_vector_free(&again.released);
    return again.failed ? -1 : 0;
}

/* ---- Clearing ---- */

/* gc.garbage; there is none before gc is imported. */
static void add_to_garbage_list(PyObject *op)
{
    PyObject *list = interpreter_get(&collector.garbage);
    if (list != NULL && PyList_Append(list, op) < 0)
        PyErr_Clear();
    Py_XDECREF(list);
}

static void save_all(struct collection *c)
{
    for (size_t i = 0; i < c->trial.garbage.count; i++) {
        PyObject *op = c->trial.garbage.items[i];
        object_state_set(op, object_state_get(op) & (uint8_t)~SLOT_GARBAGE);
        add_to_garbage_list(op);
        Py_DECREF(op);
    }
}

static void clear_one(PyObject *op)
{
    inquiry clear = heap_type(op)->tp_clear;
    if (clear != NULL) {
        (void)clear(op);
        if (PyErr_Occurred())
            PyErr_WriteUnraisable((PyObject *)heap_type(op));
    }
}

/* Instances first: their deallocation still looks at their types. */
static void delete_garbage(struct collection *c)
{
    struct object_vector *garbage = &c->trial.garbage;
    for (int deferred = 0; deferred < 2; deferred++) {
        for (size_t i = 0; i < garbage->count; i++) {
            PyObject *op = garbage->items[i];
            if (op == NULL || object_is_deferred(op) != deferred)
                continue;
            clear_one(op);
            if (deferred) {
                /* Stays with the collector's reference, hidden, until a trial finds that nothing names it. */
                object_untrack(op);
                c->kept++;
            }
        }
        for (size_t i = 0; i < garbage->count && !deferred; i++) {
            PyObject *op = garbage->items[i];
            if (object_is_deferred(op))
                continue;
            garbage->items[i] = NULL;
            object_state_set(op, object_state_get(op) & (uint8_t)~SLOT_GARBAGE);
            Py_DECREF(op);
        }
    }
}

/* May op be ended while the others of the batch are still there? The type pointers of objects are uncounted edges: instances come
 * before their classes, classes before their metaclasses. */
static int may_end(struct object_vector *released, PyObject *op, int phase)
{
    if (!PyType_Check(op))
        return phase == 0;
    if (!PyType_IsSubtype((PyTypeObject *)op, &PyType_Type))
        return phase == 1;
    if (phase < 2)
        return 0;
    for (size_t i = 0; i < released->count; i++)
        if (released->items[i] != NULL && heap_type(released->items[i]) == (PyTypeObject *)op)
            return 0;
    return 1;
}

/* Ends cleared DEFERRED objects that only the collector refers to any more. */
static void release_dead(struct object_vector *released)
{
    if (released->count == 0)
        return;
    refcount_set_direct(1);     /* exact counts, and nothing noted about what is freed */
    for (int phase = 0; phase < 3; phase++) {
        int progress = 0;
        for (size_t i = 0; i < released->count; i++) {
            PyObject *op = released->items[i];
            if (op == NULL || object_count_stopped(op) != 1 || !may_end(released, op, phase))
                continue;
            released->items[i] = NULL;
            __atomic_store_n(&op->hdr_shared, SHARED_DEAD, __ATOMIC_RELEASE);
            _Py_Dealloc(op);
            progress = 1;
        }
        if (progress)
            phase = -1;         /* what this has freed may have held others */
    }
    refcount_set_direct(0);
}

/* ---- Reports ---- */

static void report(const char *phase, int generation, size_t collected, size_t uncollectable)
{
    PyObject *callbacks = interpreter_get(&collector.callbacks), *info = NULL;
    if (callbacks == NULL || PyList_GET_SIZE(callbacks) == 0)
        goto done;
    info = Py_BuildValue("{sisnsn}", "generation", generation, "collected", (Py_ssize_t)collected,
                                   "uncollectable", (Py_ssize_t)uncollectable);
    if (info == NULL) {
        PyErr_WriteUnraisable(NULL);
        goto done;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(callbacks); i++) {
        PyObject *callback = PyList_GetItemRef(callbacks, i), *result;
        if (callback == NULL) {
            PyErr_Clear();      /* the list has shrunk */
            break;
        }
        result = PyObject_CallFunction(callback, "sO", phase, info);
        if (result == NULL)
            PyErr_WriteUnraisable(callback);
        Py_XDECREF(result);
        Py_DECREF(callback);
    }
done:
    Py_XDECREF(info);
    Py_XDECREF(callbacks);
}

static void show(const char *kind, struct object_vector *v)
{
    for (size_t i = 0; i < v->count; i++)
        PySys_WriteStderr("gc: %s <%.100s %p>\n", kind, heap_type(v->items[i])->tp_name, v->items[i]);
}

/* Objects with tp_del: they stay, and the program can look at them in gc.garbage. */
static void keep_legacy(struct collection *c, int debug)
{
    for (size_t i = 0; i < c->trial.legacy.count; i++) {
        PyObject *op = c->trial.legacy.items[i];
        c->uncollectable++;
        if (debug & GC_DEBUG_UNCOLLECTABLE)
            PySys_WriteStderr("gc: uncollectable <%.100s %p>\n", heap_type(op)->tp_name, op);
        add_to_garbage_list(op);
        Py_DECREF(op);
    }
}

/* The garbage is still to be freed, which will count as negative growth. */
static void set_next(size_t live, size_t garbage)
{
    int64_t grown = GROWTH_SHARE((int64_t)live), least = minimum_growth();
    __atomic_store_n(&collector.live, (int64_t)live, __ATOMIC_RELAXED);
    __atomic_store_n(&collector.growth, (int64_t)garbage, __ATOMIC_RELAXED);
    __atomic_store_n(&collector.due_at, grown > least ? grown : least, __ATOMIC_RELAXED);
    memory_heap->growth = 0;
}

/* ---- One collection ---- */

static size_t collect(struct collection *c, int debug)
{
    begin_pause(c);
    collector_run_trial_stopped(&c->trial);
    if (c->trial.failed)
        c->trial.garbage.count = c->trial.legacy.count = c->trial.released.count = 0;
    claim_garbage_stopped(c);
    for (size_t i = 0; i < c->trial.legacy.count; i++)
        object_incref_stopped(c->trial.legacy.items[i]);
    set_next(c->trial.candidates - c->trial.garbage.count, c->trial.garbage.count);
    end_pause(c);

    if (debug & GC_DEBUG_COLLECTABLE)
        show("collectable", &c->trial.garbage);
    size_t found = c->trial.garbage.count;
    int code_ran = c->callbacks.count != 0 || c->finalisers != 0;
    run_callbacks(c);
    if (c->finalisers != 0)
        run_finalisers(c);
    if (code_ran) {
        recheck(c);
        run_callbacks(c);
        found = c->trial.garbage.count;
    }
    if (debug & GC_DEBUG_SAVEALL)
        save_all(c);
    else
        delete_garbage(c);
    release_dead(&c->trial.released);
    keep_legacy(c, debug);
    return found;
}

/* At most so many collections, until one leaves no DEFERRED object that a further one could free. */
static Py_ssize_t run(int generation, int rounds)
{
    if (__atomic_exchange_n(&collector.busy, 1, __ATOMIC_ACQUIRE))
        return 0;
    PyThreadState *ts = thread_current();
    collector.busy_slot = ts->slot;
    int debug = __atomic_load_n(&collector.debug, __ATOMIC_RELAXED);
    uint64_t start = now_ns();
    size_t found = 0, uncollectable = 0, kept;
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    if (debug & GC_DEBUG_STATS)
        PySys_WriteStderr("gc: collecting generation %d...\ngc: objects in each generation: %lld %lld 0\n", generation,
                          (long long)__atomic_load_n(&collector.growth, __ATOMIC_RELAXED), (long long)__atomic_load_n(&collector.live, __ATOMIC_RELAXED));
    report("start", generation, 0, 0);
    do {
        struct collection c = {.ts = ts};
        found += collect(&c, debug);
        uncollectable += c.uncollectable;
        kept = c.kept;
        object_vector_free(&c.trial.garbage);
        object_vector_free(&c.trial.legacy);
        object_vector_free(&c.trial.released);
    } while (kept != 0 && --rounds > 0);
    if (debug & GC_DEBUG_STATS)
        PySys_WriteStderr("gc: done, %zd unreachable, %zd uncollectable, %.4fs elapsed\n",
                          (Py_ssize_t)(found + uncollectable), (Py_ssize_t)uncollectable,
                          (double)(now_ns() - start) * 1e-9);
    COUNT(collector.generations[generation].collections, 1);
    COUNT(collector.generations[generation].collected, found);
    COUNT(collector.generations[generation].uncollectable, uncollectable);
    report("stop", generation, found, uncollectable);
    __atomic_store_n(&collector.busy, 0, __ATOMIC_RELEASE);
    PyErr_Restore(type, value, traceback);
    return (Py_ssize_t)(found + uncollectable);
}

/* The program asks: dead classes and functions are to be gone afterwards, with what they hold. */
Py_ssize_t collector_collect(int generation)
{
    return run(generation, 4);
}

/* What classes and functions hold is dropped by clearing them; their own memory need not come free any more. */
void collector_finalize(void) { run(2, 1); }

/* A collection that another thread had begun never ends: what it held leaks. */
void collector_after_fork(struct _ts *ts)
{
    if (collector.busy && collector.busy_slot != ts->slot)
        __atomic_store_n(&collector.busy, 0, __ATOMIC_RELAXED);
}

void collector_print_stats(void)
{
    fprintf(stderr, "gc: %llu pauses, %.3f ms in all, longest %.3f ms, %lld objects live after the last collection\n",
            (unsigned long long)collector.pauses, (double)collector.pause_total_ns * 1e-6,
            (double)collector.pause_longest_ns * 1e-6, (long long)collector.live);
    for (int i = 0; i < 40; i++)
        if (collector.pause_histogram[i] != 0)
            fprintf(stderr, "gc:   %s %8llu us  %u\n", "below", 1ull << i, collector.pause_histogram[i]);
}

/* ---- C API ---- */

Py_ssize_t PyGC_Collect(void)
{
    return __atomic_load_n(&collector.enabled, __ATOMIC_RELAXED) ? collector_collect(2) : 0;
}

int PyGC_Enable(void) { return __atomic_exchange_n(&collector.enabled, 1, __ATOMIC_RELAXED); }
int PyGC_Disable(void) { return __atomic_exchange_n(&collector.enabled, 0, __ATOMIC_RELAXED); }
int PyGC_IsEnabled(void) { return __atomic_load_n(&collector.enabled, __ATOMIC_RELAXED); }

struct visit_all {
    gcvisitobjects_t callback;
    void *arg;
};

static int visit_object(PyObject *op, uint8_t state, void *arg)
{
    struct visit_all *all = arg;
    return collector_is_visible_stopped(op, state) && !all->callback(op, all->arg);
}

void PyUnstable_GC_VisitObjects(gcvisitobjects_t callback, void *arg)
{
    struct visit_all all = {callback, arg};
    struct _ts *ts = thread_current();
    stop_world_begin(ts);
    object_pages_walk_stopped(visit_object, &all);
    stop_world_end(ts);
}
