/* The `gc` module. */
#include "memory.h"
#include "collector.h"
#include "interpreter.h"
#include "stop_world.h"

static PyObject *gc_enable(PyObject *module, PyObject *unused)
{
    PyGC_Enable();
    Py_RETURN_NONE;
}

static PyObject *gc_disable(PyObject *module, PyObject *unused)
{
    PyGC_Disable();
    Py_RETURN_NONE;
}

static PyObject *gc_isenabled(PyObject *module, PyObject *unused) { return PyBool_FromLong(PyGC_IsEnabled()); }

static PyObject *gc_collect(PyObject *module, PyObject *args, PyObject *kwds)
{
    static char *names[] = {"generation", NULL};
    int generation = 2;
    if (!PyArg_ParseTupleAndKeywords(args, kwds, "|i:collect", names, &generation))
        return NULL;
    if (generation < 0 || generation > 2) {
        PyErr_SetString(PyExc_ValueError, "invalid generation");
        return NULL;
    }
    return PyLong_FromSsize_t(collector_collect(generation));
}

static PyObject *gc_set_debug(PyObject *module, PyObject *arg)
{
    int flags = (int)PyLong_AsLong(arg);
    if (flags == -1 && PyErr_Occurred())
        return NULL;
    __atomic_store_n(&collector.debug, flags, __ATOMIC_RELAXED);
    Py_RETURN_NONE;
}

static PyObject *gc_get_debug(PyObject *module, PyObject *unused)
{
    return PyLong_FromLong(__atomic_load_n(&collector.debug, __ATOMIC_RELAXED));
}

/* Other threads may be writing it. */
#define FIGURE(name) __atomic_load_n(&collector.name, __ATOMIC_RELAXED)

static PyObject *gc_set_threshold(PyObject *module, PyObject *args)
{
    int t[3];
    for (int i = 0; i < 3; i++)
        t[i] = FIGURE(thresholds[i]);
    if (!PyArg_ParseTuple(args, "i|ii:set_threshold", &t[0], &t[1], &t[2]))
        return NULL;
    for (int i = 0; i < 3; i++)
        __atomic_store_n(&collector.thresholds[i], t[i], __ATOMIC_RELAXED);
    int64_t least = 20 * (int64_t)t[0], grown = FIGURE(live) / 4 * 3;
    __atomic_store_n(&collector.due_at, t[0] == 700 && grown > least ? grown : least, __ATOMIC_RELAXED);
    Py_RETURN_NONE;
}

static PyObject *gc_get_threshold(PyObject *module, PyObject *unused)
{
    return Py_BuildValue("(iii)", FIGURE(thresholds[0]), FIGURE(thresholds[1]), FIGURE(thresholds[2]));
}

static PyObject *gc_get_count(PyObject *module, PyObject *unused)
{
    int64_t growth = __atomic_load_n(&collector.growth, __ATOMIC_RELAXED) + memory_heap->growth;
    return Py_BuildValue("(Lii)", (long long)(growth > 0 ? growth : 0), 0, 0);
}

static PyObject *gc_get_stats(PyObject *module, PyObject *unused)
{
    PyObject *result = PyList_New(3);
    for (int i = 0; result != NULL && i < 3; i++) {
        PyObject *one = Py_BuildValue("{sKsKsK}", "collections",
                                      (unsigned long long)FIGURE(generations[i].collections), "collected",
                                      (unsigned long long)FIGURE(generations[i].collected), "uncollectable",
                                      (unsigned long long)FIGURE(generations[i].uncollectable));
        if (one == NULL)
            Py_CLEAR(result);
        else
            PyList_SET_ITEM(result, i, one);
    }
    return result;
}

/* {upper bound in seconds: pauses shorter than that, and not than half of it} */
static PyObject *pause_histogram(void)
{
    PyObject *result = PyDict_New();
    for (size_t i = 0; result != NULL && i < Py_ARRAY_LENGTH(collector.pause_histogram); i++) {
        uint32_t count = __atomic_load_n(&collector.pause_histogram[i], __ATOMIC_RELAXED);
        if (count == 0)
            continue;
        PyObject *bound = PyFloat_FromDouble((double)(1ull << i) * 1e-6), *number = PyLong_FromUnsignedLong(count);
        if (bound == NULL || number == NULL || PyDict_SetItem(result, bound, number) < 0)
            Py_CLEAR(result);
        Py_XDECREF(bound);
        Py_XDECREF(number);
    }
    return result;
}

static PyObject *gc_get_pause_stats(PyObject *module, PyObject *unused)
{
    struct qsbr_stats q;
    qsbr_get_stats(&q);
    PyObject *histogram = pause_histogram();
    if (histogram == NULL)
        return NULL;
    return Py_BuildValue("{sKsdsdsNsnsnsKsK}", "pauses", (unsigned long long)FIGURE(pauses), "total_seconds",
                         (double)FIGURE(pause_total_ns) * 1e-9, "longest_seconds", (double)FIGURE(pause_longest_ns) * 1e-9,
                         "histogram", histogram, "page_bytes", (Py_ssize_t)object_pages_bytes(), "delayed_bytes",
                         (Py_ssize_t)q.waiting_bytes, "retired", (unsigned long long)q.retired, "reclaimed",
                         (unsigned long long)q.reclaimed);
}

/* ---- Looking at objects ---- */

/* Collects, in a pause, what a walk finds; each with a reference of its own. */
struct search {
    struct object_vector found;
    PyObject **targets;             /* get_referrers: what is looked for */
    Py_ssize_t target_count;
    PyObject *ignore;
    int failed;
};

static int take(struct search *s, PyObject *op)
{
    if (object_vector_push(&s->found, op) < 0) {
        s->failed = 1;
        return -1;
    }
    if (value_is_heap(op))
        object_incref_stopped(op);
    return 0;
}

static PyObject *search_result(struct search *s)
{
    PyObject *list = s->failed ? PyErr_NoMemory() : PyList_New((Py_ssize_t)s->found.count);
    for (size_t i = 0; i < s->found.count; i++) {
        if (list != NULL) {
            object_publish(s->found.items[i]);
            PyList_SET_ITEM(list, (Py_ssize_t)i, s->found.items[i]);
        }
        else
            Py_DECREF(s->found.items[i]);
    }
    object_vector_free(&s->found);
    return list;
}

static int is_target(PyObject *op, void *arg)
{
    struct search *s = arg;
    for (Py_ssize_t i = 0; i < s->target_count; i++)
        if (s->targets[i] == op)
            return 1;
    return 0;
}

/* A tuple that has an empty place is being filled: nobody but its maker has it, and no code is ready for it. */
static int is_unfinished(PyObject *op)
{
    if (!PyTuple_Check(op))
        return 0;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(op); i++)
        if (PyTuple_GET_ITEM(op, i) == NULL)
            return 1;
    return 0;
}

static int visit_referrer(PyObject *op, uint8_t state, void *arg)
{
    struct search *s = arg;
    traverseproc traverse = heap_type(op)->tp_traverse;
    if (op == s->ignore || !collector_is_visible_stopped(op, state) || traverse == NULL)
        return 0;
    return traverse(op, is_target, s) && !is_unfinished(op) ? take(s, op) : 0;
}

static int visit_any(PyObject *op, uint8_t state, void *arg)
{
    return collector_is_visible_stopped(op, state) && !is_unfinished(op) ? take(arg, op) : 0;
}

static int visit_referent(PyObject *op, void *arg)
{
    return value_is_heap(op) ? take(arg, op) : 0;
}

/* The collector has no business with what is no object in memory, so that no tp_traverse visits it: the numbers in the usual
 * containers. */
static void take_numbers(struct search *s, PyObject *op)
{
    PyObject *key, *value;
    Py_ssize_t at = 0;
    if (PyDict_Check(op)) {
        while (!s->failed && PyDict_Next(op, &at, &key, &value)) {
            if (!value_is_heap(key))
                take(s, key);
            if (!s->failed && !value_is_heap(value))
                take(s, value);
        }
        return;
    }
    if (!PyList_Check(op) && !PyTuple_Check(op))
        return;
    for (; at < PySequence_Fast_GET_SIZE(op) && !s->failed; at++) {
        PyObject *item = PySequence_Fast_GET_ITEM(op, at);
        if (item != NULL && !value_is_heap(item))
            take(s, item);
    }
}

static PyObject *gc_get_referrers(PyObject *module, PyObject *args)
{
    if (PySys_Audit("gc.get_referrers", "(O)", args) < 0)
        return NULL;
    struct search s = {.target_count = PyTuple_GET_SIZE(args), .ignore = args};
    PyThreadState *ts = thread_current();
    s.targets = PyMem_New(PyObject *, s.target_count + 1);
    if (s.targets == NULL)
        return PyErr_NoMemory();
    for (Py_ssize_t i = 0; i < s.target_count; i++)
        s.targets[i] = PyTuple_GET_ITEM(args, i);
    stop_world_begin(ts);
    object_pages_walk_stopped(visit_referrer, &s);
    stop_world_end(ts);
    PyMem_Free(s.targets);
    return search_result(&s);
}

static PyObject *gc_get_referents(PyObject *module, PyObject *args)
{
    if (PySys_Audit("gc.get_referents", "(O)", args) < 0)
        return NULL;
    struct search s = {0};
    PyThreadState *ts = thread_current();
    stop_world_begin(ts);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args) && !s.failed; i++) {
        PyObject *op = PyTuple_GET_ITEM(args, i);
        if (!value_is_heap(op) || !PyType_IS_GC(heap_type(op)) || heap_type(op)->tp_traverse == NULL)
            continue;
        heap_type(op)->tp_traverse(op, visit_referent, &s);
        take_numbers(&s, op);
        PyObject *type = (PyObject *)heap_type(op);
        int named = 0;
        for (size_t k = 0; k < s.found.count; k++)
            named |= s.found.items[k] == type;
        if (PyType_HasFeature(heap_type(op), Py_TPFLAGS_HEAPTYPE) && !named && !s.failed)
            take(&s, type);
    }
    stop_world_end(ts);
    return search_result(&s);
}

static PyObject *gc_get_objects(PyObject *module, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    /* No tuple or dict of arguments: they would be among the objects. */
    static const char *const names[] = {"generation", NULL};
    static _PyArg_Parser parser = {.keywords = names, .fname = "get_objects"};
    PyObject *buffer[1];
    args = _PyArg_UnpackKeywords(args, nargs, NULL, kwnames, &parser, 0, 1, 0, buffer);
    if (args == NULL)
        return NULL;
    PyObject *generation = (nargs > 0 || kwnames != NULL) && args[0] != NULL ? args[0] : Py_None;
    int all = 1;
    if (generation != Py_None) {
        if (!PyLong_Check(generation) && !PyIndex_Check(generation)) {
            PyErr_Format(PyExc_TypeError, "argument should be integer or None, not %.200s", Py_TYPE(generation)->tp_name);
            return NULL;
        }
        Py_ssize_t n = PyNumber_AsSsize_t(generation, PyExc_OverflowError);
        if (n == -1 && PyErr_Occurred())
            return NULL;
        if (n < 0 || n > 2) {
            PyErr_Format(PyExc_ValueError, n < 0 ? "generation parameter cannot be negative"
                                                 : "generation parameter must be less than the number of available "
                                                   "generations (3)");
            return NULL;
        }
        all = n == 2;       /* there is one generation; it is reported as the oldest */
    }
    if (PySys_Audit("gc.get_objects", "O", generation) < 0)
        return NULL;
    struct search s = {0};
    PyThreadState *ts = thread_current();
    if (all) {
        stop_world_begin(ts);
        object_pages_walk_stopped(visit_any, &s);
        stop_world_end(ts);
    }
    return search_result(&s);
}

static PyObject *gc_is_tracked(PyObject *module, PyObject *op) { return PyBool_FromLong(PyObject_GC_IsTracked(op)); }
static PyObject *gc_is_finalized(PyObject *module, PyObject *op) { return PyBool_FromLong(_PyGC_FINALIZED(op)); }

/* ---- freeze ---- */

static int visit_freeze(PyObject *op, uint8_t state, void *arg)
{
    if (collector_is_visible_stopped(op, state))
        object_state_set(op, state | SLOT_FROZEN);
    return 0;
}

static int visit_unfreeze(PyObject *op, uint8_t state, void *arg)
{
    object_state_set(op, state & (uint8_t)~SLOT_FROZEN);
    return 0;
}

static int visit_count_frozen(PyObject *op, uint8_t state, void *arg)
{
    *(Py_ssize_t *)arg += (state & SLOT_FROZEN) != 0;
    return 0;
}

static void walk(int (*visit)(PyObject *, uint8_t, void *), void *arg)
{
    PyThreadState *ts = thread_current();
    stop_world_begin(ts);
    object_pages_walk_stopped(visit, arg);
    stop_world_end(ts);
}

static PyObject *gc_freeze(PyObject *module, PyObject *unused)
{
    walk(visit_freeze, NULL);
    Py_RETURN_NONE;
}

static PyObject *gc_unfreeze(PyObject *module, PyObject *unused)
{
    walk(visit_unfreeze, NULL);
    Py_RETURN_NONE;
}

static PyObject *gc_get_freeze_count(PyObject *module, PyObject *unused)
{
    Py_ssize_t n = 0;
    walk(visit_count_frozen, &n);
    return PyLong_FromSsize_t(n);
}

/* ---- The module ---- */

static PyMethodDef gc_methods[] = {
    {"enable", gc_enable, METH_NOARGS, "Turn automatic collection on."},
    {"disable", gc_disable, METH_NOARGS, "Turn automatic collection off."},
    {"isenabled", gc_isenabled, METH_NOARGS, "Is automatic collection on?"},
    {"collect", (PyCFunction)(void (*)(void))gc_collect, METH_VARARGS | METH_KEYWORDS,
     "collect(generation=2) -> number of unreachable objects found."},
    {"get_count", gc_get_count, METH_NOARGS, "(objects gained since the last collection, 0, 0)."},
    {"set_debug", gc_set_debug, METH_O, "Set the DEBUG_* flags."},
    {"get_debug", gc_get_debug, METH_NOARGS, "The DEBUG_* flags in force."},
    {"set_threshold", gc_set_threshold, METH_VARARGS,
     "set_threshold(threshold0[, threshold1[, threshold2]]): 0 turns automatic collection off."},
    {"get_threshold", gc_get_threshold, METH_NOARGS, "The thresholds as a tuple."},
    {"get_objects", (PyCFunction)(void (*)(void))gc_get_objects, METH_FASTCALL | METH_KEYWORDS,
     "get_objects(generation=None) -> list of the objects that the collector tracks."},
    {"get_stats", gc_get_stats, METH_NOARGS, "List of three dicts with counts of collections."},
    {"get_pause_stats", gc_get_pause_stats, METH_NOARGS, "Dict with the pauses and the memory of the collector."},
    {"is_tracked", gc_is_tracked, METH_O, "Does the collector track the object?"},
    {"is_finalized", gc_is_finalized, METH_O, "Has the object been finalized?"},
    {"get_referrers", gc_get_referrers, METH_VARARGS, "List of tracked objects that refer to one of the arguments."},
    {"get_referents", gc_get_referents, METH_VARARGS, "List of objects that the arguments refer to."},
    {"freeze", gc_freeze, METH_NOARGS, "Let all collections ignore the objects that exist now."},
    {"unfreeze", gc_unfreeze, METH_NOARGS, "Undo freeze."},
    {"get_freeze_count", gc_get_freeze_count, METH_NOARGS, "Number of frozen objects."},
    {NULL},
};

static PyObject *new_list(void) { return PyList_New(0); }

static int add_list(PyObject *module, const char *name, PyObject **place)
{
    PyObject *list = interpreter_get_or_make(place, new_list);      /* a collection may look at it at any time */
    int result = list != NULL ? PyModule_AddObjectRef(module, name, list) : -1;
    Py_XDECREF(list);
    return result;
}

static int gc_exec(PyObject *module)
{
    if (add_list(module, "garbage", &collector.garbage) < 0 || add_list(module, "callbacks", &collector.callbacks) < 0
        || PyModule_AddIntConstant(module, "DEBUG_STATS", GC_DEBUG_STATS) < 0
        || PyModule_AddIntConstant(module, "DEBUG_COLLECTABLE", GC_DEBUG_COLLECTABLE) < 0
        || PyModule_AddIntConstant(module, "DEBUG_UNCOLLECTABLE", GC_DEBUG_UNCOLLECTABLE) < 0
        || PyModule_AddIntConstant(module, "DEBUG_SAVEALL", GC_DEBUG_SAVEALL) < 0
        || PyModule_AddIntConstant(module, "DEBUG_LEAK", GC_DEBUG_LEAK) < 0)
        return -1;
    return 0;
}

static PyModuleDef_Slot gc_slots[] = {
    {Py_mod_exec, gc_exec},
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef gc_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "gc",
    .m_doc = "The cycle collector: control and inspection.",
    .m_methods = gc_methods,
    .m_slots = gc_slots,
};

PyMODINIT_FUNC PyInit_gc(void) { return PyModuleDef_Init(&gc_module); }
