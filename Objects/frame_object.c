/* Frame objects: what Python code sees of an activation.
 *
 * Threads: an activation belongs to the thread that runs it, and a generator's to whoever claims that. Who looks at one that may be another
 * thread's stops the world (frame_hold): f_frame then points to memory that is there. What a frame object has of its own, the values of an
 * ended activation among it, is read and replaced in critical sections on the object; PyFrame_LocalsToFast is for the thread that runs
 * the activation. */
#include "Python.h"

#include "calls.h"
#include "generator_frames.h"
#include "memory.h"
#include "positions.h"
#include "stop_world.h"
#include "structmember.h"
#include "thread_state.h"
#include "trace.h"
#include "well_known_strings.h"

/* ---- Records and their objects ---- */

frame_t *frame_first_complete(frame_t *f)
{
    while (f != NULL && (f->flags & FRAME_INCOMPLETE))
        f = f->previous;
    return f;
}

int frame_line_number(frame_t *f)
{
    if (f->pc <= f->code->co_instructions)
        return f->code->co_firstlineno;
    return positions_find(f->code, frame_word(f)).line;
}

PyFrameObject *frame_get_object(frame_t *f)
{
    if (f->frame_object != NULL)
        return f->frame_object;
    /* made without disturbing an exception that is on its way */
    PyObject *exception = PyErr_GetRaisedException();
    PyFrameObject *object = PyObject_GC_New(PyFrameObject, &PyFrame_Type);
    if (object == NULL) {
        Py_XDECREF(exception);
        return NULL;
    }
    object->f_frame = f;
    object->f_back = NULL;
    object->f_trace = NULL;
    object->f_lineno = 0;
    object->f_trace_lines = 1;
    object->f_trace_opcodes = 0;
    object->f_locals_dict = NULL;
    object->f_keep_alive = NULL;
    memset(&object->f_own, 0, sizeof(object->f_own));
    f->frame_object = object;
    PyObject_GC_Track(object);
    PyErr_SetRaisedException(exception);
    return object;
}

PyFrameObject *frame_current_object(PyThreadState *ts)
{
    frame_t *f = frame_first_complete(ts->frame);
    if (f == NULL)
        return NULL;
    return (PyFrameObject *)Py_XNewRef((PyObject *)frame_get_object(f));
}

/* The activation f ends.  If only f itself holds its frame object, that goes too; else it takes over the values. */
void frame_take_over(PyThreadState *ts, frame_t *f)
{
    PyFrameObject *object = f->frame_object;
    f->frame_object = NULL;
    /* Who once saw it in a published place (a list, an attribute) may be about to take a reference: finding 12 of Doc/concurrency.md. */
    if (object_is_unique((PyObject *)object)) {
        object->f_frame = NULL;
        Py_DECREF((PyObject *)object);
        return;
    }
    (void)ts;
    frame_t *own = &object->f_own;
    *own = *f;
    own->frame_object = NULL;
    own->next = NULL;
    own->flags = f->flags & ~(FRAME_ENTRY | FRAME_GENERATOR);
    int n = f->code->co_temp_base;
    own->slots = PyMem_Calloc((size_t)n + 1, sizeof(PyObject *));
    if (own->slots == NULL)
        own->flags |= FRAME_CLEARED;        /* the locals are lost, nothing worse */
    else
        for (int i = 0; i < n; i++) {
            own->slots[i] = f->slots[i] != NULL ? slot_to_owned(f->slots[i]) : NULL;
            f->slots[i] = NULL;
        }
    own->func = (PyFunctionObject *)Py_NewRef((PyObject *)f->func);
    Py_INCREF((PyObject *)own->code);
    own->locals = Py_XNewRef(f->locals);
    frame_t *back = frame_first_complete(f->previous);
    if (back != NULL)
        object->f_back = (PyFrameObject *)Py_XNewRef((PyObject *)frame_get_object(back));
    if (object->f_back == NULL && back != NULL)
        PyErr_Clear();
    own->previous = NULL;
    __atomic_store_n(&object->f_frame, own, __ATOMIC_RELEASE);      /* the last: pairs with has_ended */
    Py_DECREF((PyObject *)object);
}

static int has_ended(PyFrameObject *object) { return __atomic_load_n(&object->f_frame, __ATOMIC_ACQUIRE) == &object->f_own; }

/* Stops the world if the activation may be another thread's. 1: it has been stopped, the caller is to start it again. Escapes */
static int frame_hold(PyFrameObject *object)
{
    if (!runtime_is_multi() || has_ended(object))
        return 0;
    PyThreadState *ts = thread_current();
    for (frame_t *f = ts->frame; f != NULL; f = f->previous)
        if (f->frame_object == object)
            return 0;
    stop_world_begin(ts);
    return 1;
}

static void frame_let_go(int held)
{
    if (held)
        stop_world_end(thread_current());
}

/* A finished frame's values are released (frame.clear(), dealloc, the collector). */
static void release_own(PyFrameObject *object)
{
    frame_t *own = &object->f_own;
    PyObject **slots = NULL;
    if (!has_ended(object))
        return;
    Py_BEGIN_CRITICAL_SECTION(object);
    if (!(own->flags & FRAME_CLEARED)) {
        own->flags |= FRAME_CLEARED;
        slots = own->slots;
        own->slots = NULL;
    }
    Py_END_CRITICAL_SECTION();
    if (slots == NULL)
        return;
    for (int i = 0; i < own->code->co_temp_base; i++)
        Py_XDECREF(slots[i]);
    PyMem_Free(slots);
}

static void frame_dealloc(PyObject *op)
{
    PyFrameObject *object = (PyFrameObject *)op;
    PyObject_GC_UnTrack(op);
    frame_t *own = &object->f_own;
    if (object->f_frame == own) {
        release_own(object);
        PyMem_Free(own->slots);
        Py_XDECREF((PyObject *)own->func);
        Py_XDECREF((PyObject *)own->code);
        Py_XDECREF(own->locals);
    }
    Py_CLEAR(object->f_back);
    Py_CLEAR(object->f_trace);
    Py_CLEAR(object->f_locals_dict);
    Py_CLEAR(object->f_keep_alive);
    PyObject_GC_Del(op);
}

static int frame_traverse(PyObject *op, visitproc visit, void *arg)
{
    PyFrameObject *object = (PyFrameObject *)op;
    frame_t *own = &object->f_own;
    Py_VISIT((PyObject *)object->f_back);
    Py_VISIT(object->f_trace);
    Py_VISIT(object->f_locals_dict);
    Py_VISIT(object->f_keep_alive);
    if (object->f_frame == own) {
        Py_VISIT((PyObject *)own->func);
        Py_VISIT((PyObject *)own->code);
        Py_VISIT(own->locals);
        if (!(own->flags & FRAME_CLEARED))
            for (int i = 0; i < own->code->co_temp_base; i++)
                Py_VISIT(own->slots[i]);
    }
    return 0;
}

static int frame_tp_clear(PyObject *op)
{
    PyFrameObject *object = (PyFrameObject *)op;
    PyObject *trace, *locals, *kept;
    release_own(object);
    Py_BEGIN_CRITICAL_SECTION(object);
    trace = object->f_trace;
    locals = object->f_locals_dict;
    kept = object->f_keep_alive;
    object->f_trace = object->f_locals_dict = object->f_keep_alive = NULL;
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(trace);
    Py_XDECREF(locals);
    Py_XDECREF(kept);
    return 0;
}

/* ---- Locals ---- */

static PyObject *slot_value(frame_t *f, int slot, int is_cell)
{
    PyObject *value = f->slots[slot];
    if (value == NULL)
        return NULL;
    if (is_cell)
        return PyCell_Check(value) ? cell_get_ref((PyCellObject *)value) : NULL;
    return Py_NewRef(value);
}

/* name = value in the snapshot, or removed if NULL (steals value). */
static int update_snapshot(PyObject *mapping, PyObject *name, PyObject *value)
{
    int status;
    if (value != NULL) {
        status = PyObject_SetItem(mapping, name, value);
        Py_DECREF(value);
        return status;
    }
    status = PyObject_DelItem(mapping, name);
    if (status < 0 && PyErr_ExceptionMatches(PyExc_KeyError)) {
        PyErr_Clear();
        status = 0;
    }
    return status;
}

/* What a frame's variables hold at one moment. */
typedef struct {
    PyCodeObject *code;         /* counted */
    PyObject *locals;           /* counted; NULL: the frame has no mapping of its own */
    PyObject **values;          /* counted, by slot, of code->co_temp_base; NULL: the frame has been cleared */
} variables_t;

static void variables_drop(variables_t *v)
{
    for (int i = 0; v->values != NULL && i < v->code->co_temp_base; i++)
        Py_XDECREF(v->values[i]);
    PyMem_Free(v->values);
    Py_XDECREF(v->locals);
    Py_DECREF((PyObject *)v->code);
}

/* Caller holds what makes f stay. 0, or -1 with nothing to drop and no exception: out of memory */
static int variables_read(variables_t *v, frame_t *f)
{
    int n = f->code->co_temp_base;
    *v = (variables_t){NULL, NULL, NULL};
    if (!(f->flags & FRAME_CLEARED)) {
        v->values = PyMem_Calloc((size_t)n + 1, sizeof(PyObject *));
        if (v->values == NULL)
            return -1;
        for (int i = 0; i < n; i++)
            v->values[i] = slot_value(f, i, i >= f->code->co_nlocals);
    }
    v->code = (PyCodeObject *)Py_NewRef((PyObject *)f->code);
    v->locals = Py_XNewRef(f->locals);
    return 0;
}

/* 0, or -1 with MemoryError. */
static int variables_of(PyFrameObject *object, variables_t *v)
{
    int held = frame_hold(object), status = -1;
    Py_BEGIN_CRITICAL_SECTION(object);
    status = variables_read(v, object->f_frame);
    Py_END_CRITICAL_SECTION();
    frame_let_go(held);
    if (status < 0)
        PyErr_NoMemory();
    return status;
}

/* Brings the mapping up to date. */
static int snapshot_locals(variables_t *v, PyObject *mapping)
{
    PyCodeObject *code = v->code;
    if (v->values == NULL)
        return 0;
    for (int i = 0; i < code->co_nlocals; i++) {
        PyObject *name = PyTuple_GET_ITEM(code->co_varnames, i);
        if (v->values[i] == NULL && PySequence_Contains(code->co_cellvars, name) > 0)
            continue;           /* a captured parameter lives in its cell */
        if (update_snapshot(mapping, name, Py_XNewRef(v->values[i])) < 0)
            return -1;
    }
    int optimized = (code->co_flags & CO_OPTIMIZED) != 0;
    for (int i = 0; i < code->co_ncellvars + code->co_nfreevars; i++) {
        int is_free = i >= code->co_ncellvars;
        if (is_free && !optimized)
            break;
        PyObject *name = is_free ? PyTuple_GET_ITEM(code->co_freevars, i - code->co_ncellvars)
                                 : PyTuple_GET_ITEM(code->co_cellvars, i);
        if (update_snapshot(mapping, name, Py_XNewRef(v->values[code->co_nlocals + i])) < 0)
            return -1;
    }
    return 0;
}

/* The dict that shows the variables of a function: a new reference. */
static PyObject *locals_dict(PyFrameObject *object)
{
    PyObject *fresh = PyDict_New(), *dict;
    if (fresh == NULL)
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(object);
    if (object->f_locals_dict == NULL)
        __atomic_store_n(&object->f_locals_dict, Py_NewRef(fresh), __ATOMIC_RELEASE);     /* pairs with call_trampoline */
    dict = Py_NewRef(object->f_locals_dict);
    Py_END_CRITICAL_SECTION();
    Py_DECREF(fresh);
    return dict;
}

static PyObject *frame_locals(PyFrameObject *object)
{
    variables_t v = {NULL, NULL, NULL};
    if (__atomic_load_n(&object->f_frame, __ATOMIC_RELAXED) == NULL)
        return PyDict_New();
    if (variables_of(object, &v) < 0)
        return NULL;
    PyObject *mapping = v.locals != NULL ? Py_NewRef(v.locals) : locals_dict(object);
    if (mapping != NULL && snapshot_locals(&v, mapping) < 0)
        Py_CLEAR(mapping);
    variables_drop(&v);
    return mapping;
}

int PyFrame_FastToLocalsWithError(PyFrameObject *object)
{
    PyObject *locals = frame_locals(object);
    Py_XDECREF(locals);
    return locals != NULL ? 0 : -1;
}

void PyFrame_FastToLocals(PyFrameObject *object)
{
    PyObject *exception = PyErr_GetRaisedException();
    if (PyFrame_FastToLocalsWithError(object) < 0)
        PyErr_Clear();
    PyErr_SetRaisedException(exception);
}

/* An old value that a debugger has overwritten lives on with the frame: a running instruction may still borrow it. */
static void keep_alive(PyFrameObject *object, PyObject *old)
{
    if (object->f_keep_alive == NULL)
        object->f_keep_alive = PyList_New(0);
    if (object->f_keep_alive == NULL || PyList_Append(object->f_keep_alive, old) < 0)
        PyErr_Clear();
    else
        Py_DECREF(old);
}

static void write_slot(PyFrameObject *object, int slot, int is_cell, PyObject *value)
{
    frame_t *f = object->f_frame;
    PyObject *current = f->slots[slot];
    if (is_cell) {
        if (current != NULL && PyCell_Check(current))
            PyCell_Set(current, value);
        return;
    }
    if (current == value)
        return;
    int own = f == &object->f_own;
    f->slots[slot] = value == NULL ? NULL : own ? Py_NewRef(value) : slot_copy(value);
    if (current != NULL)
        keep_alive(object, own ? current : slot_to_owned(current));
}

void PyFrame_LocalsToFast(PyFrameObject *object, int clear)
{
    frame_t *f = object->f_frame;
    if (f == NULL || object->f_locals_dict == NULL || (f->flags & FRAME_CLEARED))
        return;
    PyObject *exception = PyErr_GetRaisedException();
    PyCodeObject *code = f->code;
    for (int i = 0; i < code->co_temp_base; i++) {
        int is_cell = i >= code->co_nlocals;
        int cell = i - code->co_nlocals;
        PyObject *name = !is_cell                    ? PyTuple_GET_ITEM(code->co_varnames, i)
                         : cell < code->co_ncellvars ? PyTuple_GET_ITEM(code->co_cellvars, cell)
                                                     : PyTuple_GET_ITEM(code->co_freevars, cell - code->co_ncellvars);
        PyObject *value = NULL;
        if (PyDict_GetItemRef(object->f_locals_dict, name, &value) < 0)
            PyErr_Clear();
        if (value != NULL || clear)
            write_slot(object, i, is_cell, value);
        Py_XDECREF(value);
    }
    PyErr_SetRaisedException(exception);
}

/* ---- C API ---- */

PyFrameObject *PyFrame_New(PyThreadState *ts, PyCodeObject *code, PyObject *globals, PyObject *locals)
{
    PyObject *builtins = eval_builtins_of_globals(ts, globals);
    PyObject *func = builtins != NULL ? function_new(code, globals, builtins, NULL, 0) : NULL;
    Py_XDECREF(builtins);       /* func has it */
    if (func == NULL)
        return NULL;
    frame_t record;
    memset(&record, 0, sizeof(record));
    PyFrameObject *object = frame_get_object(&record);
    if (object == NULL) {
        Py_DECREF(func);
        return NULL;
    }
    frame_t *own = &object->f_own;
    own->code = (PyCodeObject *)Py_NewRef((PyObject *)code);
    own->func = (PyFunctionObject *)func;
    own->globals = globals;
    own->builtins = builtins;
    own->locals = Py_XNewRef(locals);
    own->pc = code->co_instructions;
    own->slots = PyMem_Calloc((size_t)code->co_temp_base + 1, sizeof(PyObject *));
    object->f_frame = own;
    if (own->slots == NULL) {
        own->flags |= FRAME_CLEARED;
        Py_DECREF((PyObject *)object);
        PyErr_NoMemory();
        return NULL;
    }
    return object;
}

PyFrameObject *PyFrame_GetBack(PyFrameObject *object)
{
    int held = frame_hold(object);
    PyFrameObject *result = NULL;
    if (has_ended(object))
        result = object->f_back;
    else if (object->f_frame != NULL) {
        frame_t *back = frame_first_complete(object->f_frame->previous);
        result = back != NULL ? frame_get_object(back) : NULL;
    }
    Py_XINCREF((PyObject *)result);
    frame_let_go(held);
    return result;
}

PyCodeObject *PyFrame_GetCode(PyFrameObject *object)
{
    int held = frame_hold(object);
    PyObject *code = Py_NewRef((PyObject *)object->f_frame->code);
    frame_let_go(held);
    return (PyCodeObject *)code;
}

PyObject *PyFrame_GetLocals(PyFrameObject *object) { return frame_locals(object); }

PyObject *PyFrame_GetGlobals(PyFrameObject *object)
{
    int held = frame_hold(object);
    PyObject *globals = Py_NewRef(object->f_frame->globals);
    frame_let_go(held);
    return globals;
}

PyObject *PyFrame_GetBuiltins(PyFrameObject *object)
{
    int held = frame_hold(object);
    PyObject *builtins = Py_NewRef(object->f_frame->builtins);
    frame_let_go(held);
    return builtins;
}

int PyFrame_GetLasti(PyFrameObject *object)
{
    int held = frame_hold(object);
    frame_t *f = object->f_frame;
    int last = f->pc > f->code->co_instructions ? (int)frame_word(f) * CODE_UNIT : -1;
    frame_let_go(held);
    return last;
}

int PyFrame_GetLineNumber(PyFrameObject *object)
{
    int known = __atomic_load_n(&object->f_lineno, __ATOMIC_RELAXED);
    if (known != 0)
        return known;
    int held = frame_hold(object), line = frame_line_number(object->f_frame);
    frame_let_go(held);
    return line;
}

/* The generator whose activation this is, unless it is being freed: a new reference. *executing: it, or a function, is at work. */
static PyObject *frame_get_generator(PyFrameObject *object, int *executing)
{
    PyObject *generator = NULL;
    int held = frame_hold(object);
    frame_t *f = object->f_frame;
    *executing = 0;
    if (f == NULL || f == &object->f_own)
        ;       /* it has ended */
    else if (f->flags & FRAME_GENERATOR) {
        PyGenObject *gen = (PyGenObject *)((char *)f - offsetof(PyGenObject, gi_frame));
        *executing = __atomic_load_n(&gen->gi_state, __ATOMIC_ACQUIRE) == GEN_RUNNING;
        if (object_try_incref((PyObject *)gen))
            generator = (PyObject *)gen;
    }
    else {
        *executing = 1;
    }
    frame_let_go(held);
    return generator;
}

PyObject *PyFrame_GetGenerator(PyFrameObject *object)
{
    int executing;
    return frame_get_generator(object, &executing);
}

/* ---- Attributes ---- */

#define FRAME(op) ((PyFrameObject *)(op))

static PyObject *get_back(PyObject *op, void *Py_UNUSED(c))
{
    PyObject *back = (PyObject *)PyFrame_GetBack(FRAME(op));
    return back != NULL ? back : Py_None;
}

static PyObject *get_locals(PyObject *op, void *Py_UNUSED(c)) { return frame_locals(FRAME(op)); }
static PyObject *get_globals(PyObject *op, void *Py_UNUSED(c)) { return PyFrame_GetGlobals(FRAME(op)); }
static PyObject *get_builtins(PyObject *op, void *Py_UNUSED(c)) { return PyFrame_GetBuiltins(FRAME(op)); }
static PyObject *get_code(PyObject *op, void *Py_UNUSED(c))
{
    if (PySys_Audit("object.__getattr__", "Os", op, "f_code") < 0)
        return NULL;
    return (PyObject *)PyFrame_GetCode(FRAME(op));
}

static PyObject *get_lasti(PyObject *op, void *Py_UNUSED(c)) { return PyLong_FromLong(PyFrame_GetLasti(FRAME(op))); }

static PyObject *get_lineno(PyObject *op, void *Py_UNUSED(c))
{
    int line = PyFrame_GetLineNumber(FRAME(op));
    if (line < 0)
        Py_RETURN_NONE;
    return PyLong_FromLong(line);
}

static int set_lineno(PyObject *op, PyObject *value, void *Py_UNUSED(c)) { return trace_jump(FRAME(op), value); }

static PyObject *get_trace(PyObject *op, void *Py_UNUSED(c))
{
    PyObject *trace;
    Py_BEGIN_CRITICAL_SECTION(op);
    trace = Py_XNewRef(FRAME(op)->f_trace);
    Py_END_CRITICAL_SECTION();
    return trace != NULL ? trace : Py_NewRef(Py_None);
}

static int set_trace(PyObject *op, PyObject *value, void *Py_UNUSED(c))
{
    PyObject *old;
    if (value == Py_None)
        value = NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    old = FRAME(op)->f_trace;
    __atomic_store_n(&FRAME(op)->f_trace, Py_XNewRef(value), __ATOMIC_RELAXED);
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(old);
    return 0;
}

static PyObject *get_trace_opcodes(PyObject *op, void *Py_UNUSED(c))
{
    return PyBool_FromLong(__atomic_load_n(&FRAME(op)->f_trace_opcodes, __ATOMIC_RELAXED));
}

static int set_trace_opcodes(PyObject *op, PyObject *value, void *Py_UNUSED(c))
{
    if (value == NULL || !PyBool_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "attribute value type must be bool");
        return -1;
    }
    __atomic_store_n(&FRAME(op)->f_trace_opcodes, value == Py_True, __ATOMIC_RELAXED);
    return 0;
}

static PyGetSetDef frame_getset[] = {
    {"f_back", get_back, NULL, NULL, NULL},
    {"f_locals", get_locals, NULL, NULL, NULL},
    {"f_globals", get_globals, NULL, NULL, NULL},
    {"f_builtins", get_builtins, NULL, NULL, NULL},
    {"f_code", get_code, NULL, NULL, NULL},
    {"f_lasti", get_lasti, NULL, NULL, NULL},
    {"f_lineno", get_lineno, set_lineno, NULL, NULL},
    {"f_trace", get_trace, set_trace, NULL, NULL},
    {"f_trace_opcodes", get_trace_opcodes, set_trace_opcodes, NULL, NULL},
    {NULL},
};

static PyMemberDef frame_members[] = {
    {"f_trace_lines", T_BOOL, offsetof(PyFrameObject, f_trace_lines), 0, NULL},
    {NULL},
};

static PyObject *frame_clear_method(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    int executing;
    PyObject *generator = frame_get_generator(FRAME(op), &executing);
    if (executing)
        PyErr_SetString(PyExc_RuntimeError, "cannot clear an executing frame");
    else if (generator != NULL)
        _PyGen_Finalize(generator);
    Py_XDECREF(generator);
    if (executing)
        return NULL;
    frame_tp_clear(op);
    Py_RETURN_NONE;
}

static PyObject *frame_sizeof(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    PyCodeObject *code = PyFrame_GetCode(FRAME(op));
    size_t slots = (size_t)code->co_nslots;
    Py_DECREF((PyObject *)code);
    return PyLong_FromSize_t(sizeof(PyFrameObject) + slots * sizeof(PyObject *));
}

static PyMethodDef frame_methods[] = {
    {"clear", frame_clear_method, METH_NOARGS, "clear()\n--\n\nRelease all references that the frame holds."},
    {"__sizeof__", frame_sizeof, METH_NOARGS, "Size of the frame in bytes."},
    {NULL},
};

static PyObject *frame_repr(PyObject *op)
{
    PyCodeObject *code = PyFrame_GetCode(FRAME(op));
    PyObject *text = PyUnicode_FromFormat("<frame at %p, file %R, line %d, code %S>", op, code->co_filename,
                                          PyFrame_GetLineNumber(FRAME(op)), code->co_name);
    Py_DECREF((PyObject *)code);
    return text;
}

PyTypeObject PyFrame_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "frame",
    .tp_basicsize = sizeof(PyFrameObject),
    .tp_dealloc = frame_dealloc,
    .tp_repr = frame_repr,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_setattro = PyObject_GenericSetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = frame_traverse,
    .tp_clear = frame_tp_clear,
    .tp_methods = frame_methods,
    .tp_members = frame_members,
    .tp_getset = frame_getset,
};

/* ---- The running frame ---- */

int frame_super_arguments(PyThreadState *ts, PyTypeObject **type, PyObject **obj)
{
    frame_t *f = frame_first_complete(ts->frame);
    if (f == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "super(): no current frame");
        return -1;
    }
    PyCodeObject *code = f->code;
    if (code->co_argcount == 0) {
        PyErr_SetString(PyExc_RuntimeError, "super(): no arguments");
        return -1;
    }
    PyObject *first = f->slots[0] != NULL ? Py_NewRef(f->slots[0]) : NULL;
    for (int i = 0; first == NULL && i < code->co_ncellvars; i++)
        if (PyTuple_GET_ITEM(code->co_cellvars, i) == PyTuple_GET_ITEM(code->co_varnames, 0)) {
            PyObject *cell = f->slots[code->co_nlocals + i];
            first = cell != NULL ? cell_get_ref((PyCellObject *)cell) : NULL;
        }
    if (first == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "super(): arg[0] deleted");
        return -1;
    }
    for (int i = 0; i < code->co_nfreevars; i++) {
        if (PyTuple_GET_ITEM(code->co_freevars, i) != STR(__class__))
            continue;
        PyObject *cell = f->slots[code->co_nlocals + code->co_ncellvars + i];
        PyObject *class_ = cell != NULL && PyCell_Check(cell) ? cell_get_ref((PyCellObject *)cell) : NULL;
        if (class_ == NULL)
            PyErr_SetString(PyExc_RuntimeError, "super(): empty __class__ cell");
        else if (!PyType_Check(class_)) {
            PyErr_Format(PyExc_RuntimeError, "super(): __class__ is not a type (%s)", Py_TYPE(class_)->tp_name);
            Py_CLEAR(class_);
        }
        if (class_ == NULL) {
            Py_DECREF(first);
            return -1;
        }
        *type = (PyTypeObject *)class_;
        *obj = first;
        return 0;
    }
    Py_DECREF(first);
    PyErr_SetString(PyExc_RuntimeError, "super(): __class__ cell not found");
    return -1;
}
