/* Traceback objects. */
#include "Python.h"

#include "fork_mutex.h"
#include "frame.h"
#include "memory.h"
#include "structmember.h"
#include "thread_state.h"

#define TB(op) ((PyTracebackObject *)(op))

/* Guards tb_next of all tracebacks, once they are made: who holds it may walk the chain, and no loop can come about. A leaf lock. */
static PyMutex next_lock;
FORK_MUTEX(next_lock)

static PyObject *traceback_new(PyObject *next, PyFrameObject *frame, int lasti, int lineno)
{
    PyTracebackObject *self = PyObject_GC_New(PyTracebackObject, &PyTraceBack_Type);
    if (self == NULL)
        return NULL;
    self->tb_next = (PyTracebackObject *)Py_XNewRef(next);
    self->tb_frame = (PyFrameObject *)Py_NewRef((PyObject *)frame);
    self->tb_lasti = lasti;
    self->tb_lineno = lineno;
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

int PyTraceBack_Here(PyFrameObject *frame)
{
    PyThreadState *ts = thread_current();
    if (frame == NULL)
        return -1;
    PyObject *type = ts->curexc_type, *value = ts->curexc_value, *traceback = ts->curexc_traceback;
    ts->curexc_type = ts->curexc_value = ts->curexc_traceback = NULL;
    int lasti = PyFrame_GetLasti(frame), known_line = __atomic_load_n(&frame->f_lineno, __ATOMIC_RELAXED);
    /* the line is computed when somebody asks (-1): most exceptions are caught and dropped */
    PyObject *entry = traceback_new(traceback, frame, lasti, known_line != 0 ? known_line : -1);
    if (entry == NULL) {
        PyErr_Restore(type, value, traceback);
        return -1;
    }
    ts->curexc_type = type;
    ts->curexc_value = value;
    ts->curexc_traceback = entry;
    Py_XDECREF(traceback);
    return 0;
}

/* Adds a line for a function written in C to the traceback of the exception that is set. What goes wrong on the way is
 * forgotten. */
void _PyTraceback_Add(const char *function, const char *filename, int line)
{
    PyObject *exc = PyErr_GetRaisedException(), *globals = PyDict_New();
    PyCodeObject *code = globals == NULL ? NULL : PyCode_NewEmpty(filename, function, line);
    PyFrameObject *frame = code == NULL ? NULL : PyFrame_New(thread_current(), code, globals, NULL);
    Py_XDECREF(globals);
    Py_XDECREF(code);
    PyErr_SetRaisedException(exc);
    if (frame != NULL) {
        PyTraceBack_Here(frame);
        Py_DECREF(frame);
    }
}

static PyObject *tb_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"tb_next", "tb_frame", "tb_lasti", "tb_lineno", NULL};
    PyObject *next, *frame;
    int lasti, lineno;
    (void)type;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO!ii:TracebackType", keywords, &next, &PyFrame_Type, &frame, &lasti, &lineno))
        return NULL;
    if (next == Py_None)
        next = NULL;
    else if (!PyTraceBack_Check(next)) {
        PyErr_Format(PyExc_TypeError, "expected traceback object or None, got '%s'", Py_TYPE(next)->tp_name);
        return NULL;
    }
    return traceback_new(next, (PyFrameObject *)frame, lasti, lineno);
}

static void tb_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Py_CLEAR(TB(op)->tb_next);
    Py_CLEAR(TB(op)->tb_frame);
    PyObject_GC_Del(op);
}

static int tb_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT((PyObject *)TB(op)->tb_next);
    Py_VISIT((PyObject *)TB(op)->tb_frame);
    return 0;
}

static int tb_clear(PyObject *op)
{
    Py_CLEAR(TB(op)->tb_next);
    Py_CLEAR(TB(op)->tb_frame);
    return 0;
}

PyObject *_PyTraceback_GetNext(PyObject *op)
{
    PyMutex_Lock(&next_lock);
    PyObject *next = Py_XNewRef((PyObject *)TB(op)->tb_next);
    PyMutex_Unlock(&next_lock);
    return next;
}

int _PyTraceback_SetNext(PyObject *op, PyObject *value)
{
    if (value != NULL)
        object_publish(value);
    PyMutex_Lock(&next_lock);
    PyTracebackObject *old = TB(op)->tb_next, *tb = TB(value);
    while (tb != NULL && tb != TB(op))
        tb = tb->tb_next;
    if (tb == NULL)
        TB(op)->tb_next = TB(Py_XNewRef(value));
    PyMutex_Unlock(&next_lock);
    if (tb == NULL)
        Py_XDECREF((PyObject *)old);
    return tb != NULL;
}

static PyObject *get_next(PyObject *op, void *Py_UNUSED(c))
{
    PyObject *next = _PyTraceback_GetNext(op);
    return next != NULL ? next : Py_NewRef(Py_None);
}

static int set_next(PyObject *op, PyObject *value, void *Py_UNUSED(c))
{
    if (value == NULL) {
        PyErr_SetString(PyExc_TypeError, "can't delete tb_next attribute");
        return -1;
    }
    if (value == Py_None)
        value = NULL;
    else if (!PyTraceBack_Check(value)) {
        PyErr_Format(PyExc_TypeError, "expected traceback object, got '%s'", Py_TYPE(value)->tp_name);
        return -1;
    }
    if (_PyTraceback_SetNext(op, value)) {
        PyErr_SetString(PyExc_ValueError, "traceback loop detected");
        return -1;
    }
    return 0;
}

static PyObject *get_lineno(PyObject *op, void *Py_UNUSED(c))
{
    int line = TB(op)->tb_lineno;
    if (line == -1 && TB(op)->tb_frame != NULL) {
        PyCodeObject *code = PyFrame_GetCode(TB(op)->tb_frame);
        line = PyCode_Addr2Line(code, TB(op)->tb_lasti);
        Py_DECREF((PyObject *)code);
    }
    if (line == -1)
        Py_RETURN_NONE;
    return PyLong_FromLong(line);
}

static PyGetSetDef tb_getset[] = {
    {"tb_next", get_next, set_next, NULL, NULL},
    {"tb_lineno", get_lineno, NULL, NULL, NULL},
    {NULL},
};
static PyMemberDef tb_members[] = {
    {"tb_frame", T_OBJECT, offsetof(PyTracebackObject, tb_frame), READONLY | _Py_MEMBER_LOCK_FREE, NULL},
    {"tb_lasti", T_INT, offsetof(PyTracebackObject, tb_lasti), READONLY, NULL},
    {NULL},
};

static PyObject *tb_dir(PyObject *Py_UNUSED(op), PyObject *Py_UNUSED(ignored))
{
    return Py_BuildValue("[ssss]", "tb_frame", "tb_next", "tb_lasti", "tb_lineno");
}

static PyMethodDef tb_methods[] = {{"__dir__", tb_dir, METH_NOARGS, NULL}, {NULL}};

PyTypeObject PyTraceBack_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "traceback",
    .tp_basicsize = sizeof(PyTracebackObject),
    .tp_dealloc = tb_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "traceback(tb_next, tb_frame, tb_lasti, tb_lineno)\n--\n\nCreate a traceback entry.",
    .tp_traverse = tb_traverse,
    .tp_clear = tb_clear,
    .tp_members = tb_members,
    .tp_getset = tb_getset,
    .tp_methods = tb_methods,
    .tp_new = tb_new,
};
