/* The _lsprof module: Profiler, on which cProfile stands.
 *
 * A profiler keeps an entry for each function that it has seen called (a code object, or the method table entry of a C
 * function), and for each entry those it called.  The calls in progress are a stack of contexts.
 * All of it is under the profiler's critical section: a profiler may be enabled in several threads, whose calls then
 * share the one stack.  No Python code runs inside: timers are called, names made and references dropped outside. */
#define PY_SSIZE_T_CLEAN
#include "module.h"
#include "type.h"
#include <stddef.h>
#include <time.h>

/* ---- What is counted ---- */

typedef struct {
    long long total, own;       /* ticks in calls, with and without what they called */
    long calls, recursive_calls;
    long depth;                 /* calls in progress */
} counts_t;

struct entry;

typedef struct sub_entry {      /* calls of `callee` by the entry that has it */
    struct sub_entry *next;
    struct entry *callee;
    counts_t counts;
} sub_entry_t;

typedef struct entry {
    const void *key;
    PyObject *function;         /* counted: the code object, or the name of a C function */
    sub_entry_t *callees;
    counts_t counts;
} entry_t;

typedef struct context {        /* a call in progress */
    struct context *previous;
    entry_t *entry;
    sub_entry_t *sub_entry;     /* or NULL */
    long long start, in_callees;
} context_t;

typedef struct {
    PyObject_HEAD
    entry_t **table;            /* [section] open addressing by key; NULL while empty */
    size_t used, room;          /* [section] room: 0 or a power of two */
    context_t *current;         /* [section] innermost */
    context_t *free_contexts;   /* [section] */
    PyObject *timer;            /* counted, [const after __init__ unless that is called again], or NULL */
    double unit;                /* seconds per tick of the timer; 0: it returns seconds */
    int subcalls, builtins;     /* [section] */
    int enabled;                /* [section] */
    int out_of_memory;          /* [section] something could not be recorded */
} profiler_t;

static PyTypeObject *entry_type, *sub_entry_type;

/* ---- Time ---- */

static long long monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* The present time in ticks. What goes wrong in a timer is reported and counts as 0.  Escapes */
static long long ticks(profiler_t *self)
{
    if (self->timer == NULL)
        return monotonic_ns();
    PyObject *timer = Py_NewRef(self->timer), *result = PyObject_CallNoArgs(timer);
    long long value = 0;
    if (result != NULL) {
        if (self->unit > 0.0)
            value = PyLong_AsLongLong(result);
        else
            value = (long long)(PyFloat_AsDouble(result) * 1e9);
        Py_DECREF(result);
    }
    if (PyErr_Occurred()) {
        PyErr_WriteUnraisable(timer);
        value = 0;
    }
    Py_DECREF(timer);
    return value;
}

/* ---- Entries; in the section ---- */

static size_t hash_key(const void *key)
{
    uintptr_t n = (uintptr_t)key;
    return (size_t)((n >> 4) * 0x9e3779b97f4a7c15u >> 16);
}

static entry_t *find_entry(profiler_t *self, const void *key)
{
    if (self->room == 0)
        return NULL;
    size_t i = hash_key(key) & (self->room - 1);
    while (self->table[i] != NULL && self->table[i]->key != key)
        i = (i + 1) & (self->room - 1);
    return self->table[i];
}

static void insert(entry_t **table, size_t room, entry_t *entry)
{
    size_t i = hash_key(entry->key) & (room - 1);
    while (table[i] != NULL)
        i = (i + 1) & (room - 1);
    table[i] = entry;
}

/* A new entry for a key that has none; NULL when out of memory, without an exception. */
static entry_t *add_entry(profiler_t *self, const void *key, PyObject *function)
{
    if (2 * (self->used + 1) > self->room) {
        size_t room = self->room == 0 ? 64 : 2 * self->room;
        entry_t **table = PyMem_Calloc(room, sizeof(entry_t *));
        if (table == NULL)
            return NULL;
        for (size_t i = 0; i < self->room; i++)
            if (self->table[i] != NULL)
                insert(table, room, self->table[i]);
        PyMem_Free(self->table);
        self->table = table;
        self->room = room;
    }
    entry_t *entry = PyMem_Calloc(1, sizeof(entry_t));
    if (entry == NULL)
        return NULL;
    entry->key = key;
    entry->function = Py_NewRef(function);
    insert(self->table, self->room, entry);
    self->used++;
    return entry;
}

static sub_entry_t *get_sub_entry(entry_t *caller, entry_t *callee)
{
    sub_entry_t **link = &caller->callees, *sub;
    while ((sub = *link) != NULL && sub->callee != callee)
        link = &sub->next;
    if (sub == NULL) {
        sub = PyMem_Calloc(1, sizeof(sub_entry_t));
        if (sub == NULL)
            return NULL;
        sub->callee = callee;
    } else {
        *link = sub->next;      /* to the front: it is likely to be called again */
    }
    sub->next = caller->callees;
    caller->callees = sub;
    return sub;
}

static void count_call(counts_t *counts, long long total, long long own)
{
    counts->own += own;
    counts->calls++;
    if (--counts->depth == 0)
        counts->total += total;
    else
        counts->recursive_calls++;
}

static void start_call(profiler_t *self, entry_t *entry)
{
    context_t *context = self->free_contexts;
    if (context != NULL)
        self->free_contexts = context->previous;
    else if ((context = PyMem_Malloc(sizeof(context_t))) == NULL) {
        self->out_of_memory = 1;
        return;
    }
    context->entry = entry;
    context->in_callees = 0;
    context->sub_entry = NULL;
    context->previous = self->current;
    if (self->subcalls && self->current != NULL)
        context->sub_entry = get_sub_entry(self->current->entry, entry);
    if (context->sub_entry != NULL)
        context->sub_entry->counts.depth++;
    entry->counts.depth++;
    self->current = context;
}

/* The innermost call ends now. */
static void stop_call(profiler_t *self, long long now)
{
    context_t *context = self->current;
    long long total = now - context->start, own = total - context->in_callees;
    self->current = context->previous;
    if (self->current != NULL)
        self->current->in_callees += total;
    count_call(&context->entry->counts, total, own);
    if (context->sub_entry != NULL)
        count_call(&context->sub_entry->counts, total, own);
    context->previous = self->free_contexts;
    self->free_contexts = context;
}

/* ---- Names of C functions ---- */

static PyObject *name_of_c_function(PyObject *op)
{
    PyCFunctionObject *function = (PyCFunctionObject *)op;
    const char *name = function->m_ml->ml_name;
    PyObject *self = function->m_self, *result = NULL;
    if (self == NULL || PyModule_Check(self)) {
        PyObject *module = function->m_module;
        if (module != NULL && PyModule_Check(module))
            module = PyModule_GetNameObject(module);
        else
            Py_XINCREF(module);
        if (module == NULL)
            PyErr_Clear();
        result = module != NULL && PyUnicode_Check(module) ? PyUnicode_FromFormat("<built-in method %U.%s>", module, name)
                                                          : PyUnicode_FromFormat("<built-in method %s>", name);
        Py_XDECREF(module);
        return result;
    }
    PyObject *attribute = PyUnicode_FromString(name);
    if (attribute != NULL) {
        PyObject *method;
        if (type_lookup_ref(Py_TYPE(self), attribute, &method, NULL) > 0) {
            result = PyObject_Repr(method);
            Py_DECREF(method);
        }
        Py_DECREF(attribute);
    }
    if (result != NULL)
        return result;
    PyErr_Clear();
    return PyUnicode_FromFormat("<built-in method %s>", name);
}

/* ---- The profile function ---- */

static void enter(profiler_t *self, const void *key, PyObject *function, int is_c)
{
    PyObject *name = NULL;
    int known;
    Py_BEGIN_CRITICAL_SECTION(self);
    known = find_entry(self, key) != NULL;
    Py_END_CRITICAL_SECTION();
    if (!known && is_c) {
        name = name_of_c_function(function);
        if (name == NULL)
            PyErr_Clear();
        function = name;
    }
    Py_BEGIN_CRITICAL_SECTION(self);
    entry_t *entry = find_entry(self, key);
    if (entry == NULL && function != NULL)
        entry = add_entry(self, key, function);
    if (entry != NULL)
        start_call(self, entry);
    else
        self->out_of_memory = 1;
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(name);
    long long now = ticks(self);        /* last: what is done here is not part of the call */
    Py_BEGIN_CRITICAL_SECTION(self);
    if (self->current != NULL && self->current->entry->key == key)
        self->current->start = now;
    Py_END_CRITICAL_SECTION();
}

/* Calls that began before the profiler was enabled end too: those are not known. */
static void leave(profiler_t *self, const void *key)
{
    long long now = ticks(self);
    Py_BEGIN_CRITICAL_SECTION(self);
    if (self->current != NULL && self->current->entry->key == key)
        stop_call(self, now);
    Py_END_CRITICAL_SECTION();
}

static int profile(PyObject *op, PyFrameObject *frame, int what, PyObject *arg)
{
    profiler_t *self = (profiler_t *)op;
    int is_c = what == PyTrace_C_CALL || what == PyTrace_C_RETURN || what == PyTrace_C_EXCEPTION;
    if (is_c && (!self->builtins || !PyCFunction_Check(arg)))
        return 0;
    if (is_c) {
        const void *key = ((PyCFunctionObject *)arg)->m_ml;
        if (what == PyTrace_C_CALL)
            enter(self, key, arg, 1);
        else
            leave(self, key);
    } else if (what == PyTrace_CALL || what == PyTrace_RETURN) {
        PyCodeObject *code = PyFrame_GetCode(frame);
        if (what == PyTrace_CALL)
            enter(self, code, (PyObject *)code, 0);
        else
            leave(self, code);
        Py_DECREF(code);
    }
    return 0;
}

/* ---- Methods ---- */

static PyObject *profiler_enable(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"subcalls", "builtins", NULL};
    profiler_t *self = (profiler_t *)op;
    int subcalls = -1, builtins = -1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|ii:enable", keywords, &subcalls, &builtins))
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(self);
    if (subcalls >= 0)
        self->subcalls = subcalls;
    if (builtins >= 0)
        self->builtins = builtins;
    self->enabled = 1;
    Py_END_CRITICAL_SECTION();
    PyEval_SetProfile(profile, op);
    Py_RETURN_NONE;
}

static void end_calls(profiler_t *self)
{
    long long now = ticks(self);
    Py_BEGIN_CRITICAL_SECTION(self);
    while (self->current != NULL)
        stop_call(self, now);
    self->enabled = 0;
    Py_END_CRITICAL_SECTION();
}

static PyObject *profiler_disable(PyObject *op, PyObject *unused)
{
    profiler_t *self = (profiler_t *)op;
    PyEval_SetProfile(NULL, NULL);
    end_calls(self);
    int out_of_memory;
    Py_BEGIN_CRITICAL_SECTION(self);
    out_of_memory = self->out_of_memory;
    self->out_of_memory = 0;
    Py_END_CRITICAL_SECTION();
    if (out_of_memory) {
        PyErr_SetString(PyExc_MemoryError, "memory was exhausted while profiling");
        return NULL;
    }
    Py_RETURN_NONE;
}

static void free_entries(entry_t **table, size_t room)
{
    for (size_t i = 0; i < room; i++) {
        entry_t *entry = table[i];
        if (entry == NULL)
            continue;
        for (sub_entry_t *sub = entry->callees, *next; sub != NULL; sub = next) {
            next = sub->next;
            PyMem_Free(sub);
        }
        Py_DECREF(entry->function);
        PyMem_Free(entry);
    }
    PyMem_Free(table);
}

static void free_contexts(context_t *context)
{
    while (context != NULL) {
        context_t *previous = context->previous;
        PyMem_Free(context);
        context = previous;
    }
}

/* Forgets everything, the calls in progress too. */
static void forget(profiler_t *self)
{
    entry_t **table;
    size_t room;
    context_t *current, *spare;
    Py_BEGIN_CRITICAL_SECTION(self);
    table = self->table;
    room = self->room;
    current = self->current;
    spare = self->free_contexts;
    self->table = NULL;
    self->used = self->room = 0;
    self->current = self->free_contexts = NULL;
    Py_END_CRITICAL_SECTION();
    free_entries(table, room);
    free_contexts(current);
    free_contexts(spare);
}

static PyObject *profiler_clear(PyObject *op, PyObject *unused)
{
    forget((profiler_t *)op);
    Py_RETURN_NONE;
}

/* One struct sequence. calls: the last item (taken over), or NULL where the type has none. */
static PyObject *statistics(PyTypeObject *type, PyObject *function, const counts_t *counts, double factor, PyObject *calls)
{
    PyObject *result = PyStructSequence_New(type);
    if (result == NULL) {
        Py_XDECREF(calls);
        return NULL;
    }
    PyObject *items[] = {Py_NewRef(function), PyLong_FromLong(counts->calls), PyLong_FromLong(counts->recursive_calls),
                         PyFloat_FromDouble((double)counts->total * factor), PyFloat_FromDouble((double)counts->own * factor),
                         calls};
    for (int i = 0; i < (calls != NULL ? 6 : 5); i++)
        PyStructSequence_SetItem(result, i, items[i]);
    if (PyErr_Occurred())
        Py_CLEAR(result);
    return result;
}

static PyObject *callees_of(const entry_t *entry, double factor)
{
    if (entry->callees == NULL)
        return Py_NewRef(Py_None);
    PyObject *list = PyList_New(0);
    for (sub_entry_t *sub = entry->callees; sub != NULL && list != NULL; sub = sub->next) {
        if (sub->counts.calls == 0)
            continue;
        PyObject *item = statistics(sub_entry_type, sub->callee->function, &sub->counts, factor, NULL);
        if (item == NULL || PyList_Append(list, item) < 0)
            Py_CLEAR(list);
        Py_XDECREF(item);
    }
    return list;
}

/* In the section; allocates only. */
static PyObject *all_statistics(profiler_t *self)
{
    double factor = self->timer != NULL && self->unit > 0.0 ? self->unit : 1e-9;
    PyObject *list = PyList_New(0);
    for (size_t i = 0; i < self->room && list != NULL; i++) {
        entry_t *entry = self->table[i];
        if (entry == NULL || entry->counts.calls == 0)
            continue;
        PyObject *calls = callees_of(entry, factor);
        PyObject *item = calls != NULL ? statistics(entry_type, entry->function, &entry->counts, factor, calls) : NULL;
        if (item == NULL || PyList_Append(list, item) < 0)
            Py_CLEAR(list);
        Py_XDECREF(item);
    }
    return list;
}

static PyObject *profiler_getstats(PyObject *op, PyObject *unused)
{
    PyObject *list;
    Py_BEGIN_CRITICAL_SECTION(op);
    list = all_statistics((profiler_t *)op);
    Py_END_CRITICAL_SECTION();
    return list;
}

static int profiler_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"timer", "timeunit", "subcalls", "builtins", NULL};
    profiler_t *self = (profiler_t *)op;
    PyObject *timer = NULL, *old;
    double unit = 0.0;
    int subcalls = 1, builtins = 1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|Odpp:Profiler", keywords, &timer, &unit, &subcalls, &builtins))
        return -1;
    if (timer == Py_None)
        timer = NULL;
    Py_BEGIN_CRITICAL_SECTION(self);
    old = self->timer;
    self->timer = Py_XNewRef(timer);
    self->unit = unit;
    self->subcalls = subcalls;
    self->builtins = builtins;
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(old);
    return 0;
}

static int profiler_traverse(PyObject *op, visitproc visit, void *arg)
{
    profiler_t *self = (profiler_t *)op;
    Py_VISIT(self->timer);
    for (size_t i = 0; i < self->room; i++)
        if (self->table[i] != NULL)
            Py_VISIT(self->table[i]->function);
    return 0;
}

static int profiler_tp_clear(PyObject *op)
{
    Py_CLEAR(((profiler_t *)op)->timer);
    return 0;
}

static void profiler_dealloc(PyObject *op)
{
    profiler_t *self = (profiler_t *)op;
    PyObject_GC_UnTrack(op);
    forget(self);
    Py_CLEAR(self->timer);
    Py_TYPE(op)->tp_free(op);
}

static PyMethodDef profiler_methods[] = {
    MODULE_METHOD("enable", profiler_enable, METH_VARARGS | METH_KEYWORDS,
                  "enable(subcalls=True, builtins=True)\n\nStarts to count the calls of this thread.\n\n"
                  "subcalls: also by caller; builtins: also those of functions written in C."),
    {"disable", profiler_disable, METH_NOARGS, "disable()\n\nStops to count; calls in progress end now."},
    {"clear", profiler_clear, METH_NOARGS, "clear()\n\nForgets what has been counted."},
    {"getstats", profiler_getstats, METH_NOARGS,
     "getstats() -> list of profiler_entry\n\nWhat has been counted: an entry for each function, with entries for those it called."},
    {NULL},
};

static PyTypeObject profiler_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_lsprof.Profiler",
    .tp_basicsize = sizeof(profiler_t),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "Profiler(timer=None, timeunit=None, subcalls=True, builtins=True)\n\n"
              "Counts calls and measures their time. timer: a function that returns the time in seconds, or as a number\n"
              "of units of timeunit seconds.",
    .tp_methods = profiler_methods,
    .tp_init = profiler_init,
    .tp_new = PyType_GenericNew,
    .tp_traverse = profiler_traverse,
    .tp_clear = profiler_tp_clear,
    .tp_dealloc = profiler_dealloc,
};

/* ---- The module ---- */

static PyStructSequence_Field entry_fields[] = {
    {"code", "code object, or the name of a function written in C"},
    {"callcount", "how many times it was called"},
    {"reccallcount", "how many of those were recursive"},
    {"totaltime", "seconds in it, with what it called"},
    {"inlinetime", "seconds in it alone"},
    {"calls", "what it called: None, or a list of profiler_subentry"},
    {NULL, NULL},
};

static PyStructSequence_Field sub_entry_fields[] = {
    {"code", "code object, or the name of a function written in C"},
    {"callcount", "how many times it was called from there"},
    {"reccallcount", "how many of those were recursive"},
    {"totaltime", "seconds in it, with what it called"},
    {"inlinetime", "seconds in it alone"},
    {NULL, NULL},
};

static PyStructSequence_Desc entry_desc = {"_lsprof.profiler_entry", NULL, entry_fields, 6};
static PyStructSequence_Desc sub_entry_desc = {"_lsprof.profiler_subentry", NULL, sub_entry_fields, 5};

static int lsprof_exec(PyObject *module)
{
    if (entry_type == NULL && (entry_type = PyStructSequence_NewType(&entry_desc)) == NULL)
        return -1;
    if (sub_entry_type == NULL && (sub_entry_type = PyStructSequence_NewType(&sub_entry_desc)) == NULL)
        return -1;
    if (PyModule_AddType(module, entry_type) < 0 || PyModule_AddType(module, sub_entry_type) < 0)
        return -1;
    return PyModule_AddType(module, &profiler_type);
}

static PyModuleDef_Slot lsprof_slots[] = {
    {Py_mod_exec, (void *)lsprof_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef lsprof_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_lsprof",
    .m_doc = "Profiler: counts the calls of functions, for cProfile.",
    .m_slots = lsprof_slots,
};

PyMODINIT_FUNC PyInit__lsprof(void)
{
    return PyModuleDef_Init(&lsprof_module);
}
