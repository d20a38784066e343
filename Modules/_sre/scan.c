/* The scanner: one match after the other. finditer() is a scanner's search() called until it says None. */
#include "sre.h"

typedef struct {
    PyObject_HEAD
    PatternObject *pattern;     /* [const] */
    int finished;               /* [lock] nothing more can match */
    int busy;                   /* [lock] a match is under way; the lock may be suspended inside it */
    int open;                   /* [const after creation] */
    sre_state state;            /* [lock] */
} ScannerObject;

PyObject *sre_scanner_new(PatternObject *pattern, PyObject *string, Py_ssize_t pos, Py_ssize_t end)
{
    ScannerObject *self = PyObject_GC_New(ScannerObject, &sre_scanner_type);
    if (!self)
        return NULL;
    self->pattern = (PatternObject *)Py_NewRef((PyObject *)pattern);
    self->finished = self->busy = self->open = 0;
    if (sre_state_init(&self->state, pattern, string, pos, end) < 0) {
        Py_DECREF((PyObject *)pattern);
        PyObject_GC_Del(self);
        return NULL;
    }
    self->open = 1;
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

static int scanner_traverse(ScannerObject *self, visitproc visit, void *arg)
{
    Py_VISIT((PyObject *)self->pattern);
    Py_VISIT(self->state.string);
    if (self->state.buffer.obj)
        Py_VISIT(self->state.buffer.obj);
    return 0;
}

static void scanner_dealloc(ScannerObject *self)
{
    PyObject_GC_UnTrack(self);
    if (self->open)
        sre_state_fini(&self->state);
    Py_DECREF((PyObject *)self->pattern);
    PyObject_GC_Del(self);
}

static PyObject *next_locked(ScannerObject *self, int (*find)(sre_state *))
{
    if (self->busy) {
        PyErr_SetString(PyExc_ValueError, "regular expression scanner already executing");
        return NULL;
    }
    if (self->finished)
        Py_RETURN_NONE;
    self->busy = 1;
    int status = find(&self->state);
    PyObject *match = sre_match_new(self->pattern, &self->state, status);
    if (status > 0)
        sre_state_advance(&self->state);
    else
        self->finished = 1;
    self->busy = 0;
    return match;
}

static PyObject *next(ScannerObject *self, int (*find)(sre_state *))
{
    PyObject *match;
    Py_BEGIN_CRITICAL_SECTION((PyObject *)self);
    match = next_locked(self, find);
    Py_END_CRITICAL_SECTION();
    return match;
}

static PyObject *scanner_match(ScannerObject *self, PyObject *Py_UNUSED(ignored)) { return next(self, sre_match); }
static PyObject *scanner_search(ScannerObject *self, PyObject *Py_UNUSED(ignored)) { return next(self, sre_search); }

static PyObject *get_pattern(ScannerObject *self, void *Py_UNUSED(c)) { return Py_NewRef((PyObject *)self->pattern); }

static PyMethodDef scanner_methods[] = {
    MODULE_METHOD("match", scanner_match, METH_NOARGS, "match($self, /)\n--\n\nMatches where the last match ended."),
    MODULE_METHOD("search", scanner_search, METH_NOARGS, "search($self, /)\n--\n\nFinds the next match."),
    {NULL},
};

static PyGetSetDef scanner_getset[] = {
    {"pattern", (getter)get_pattern, NULL, "The pattern.", NULL},
    {NULL},
};

PyTypeObject sre_scanner_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_sre.SRE_Scanner",
    .tp_basicsize = sizeof(ScannerObject),
    .tp_dealloc = (destructor)scanner_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_traverse = (traverseproc)scanner_traverse,
    .tp_methods = scanner_methods,
    .tp_getset = scanner_getset,
};
