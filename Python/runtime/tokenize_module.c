/* The _tokenize module: TokenizerIter, the parser's own tokens of a source.
 *
 * The stream belongs to whoever has set `busy`, under the iterator's object lock; another thread that comes meanwhile gets a ValueError. */
#include "Python.h"

#include "parser.h"
#include "token.h"

typedef struct {
    PyObject_HEAD
    PyObject *source, *filename;        /* [const] */
    token_stream_t *stream;             /* [const] */
    int busy;                           /* [lock] */
} iterator_t;

static PyObject *iterator_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"source", NULL};
    PyObject *source;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "U:tokenizeriter", keywords, &source))
        return NULL;
    Py_ssize_t size;
    const char *text = PyUnicode_AsUTF8AndSize(source, &size);
    if (text == NULL)
        return NULL;
    if (strlen(text) != (size_t)size) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        return NULL;
    }
    iterator_t *self = (iterator_t *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    self->source = Py_NewRef(source);
    self->filename = PyUnicode_FromString("<string>");
    if (self->filename != NULL)
        self->stream = token_stream_new(text, size, self->filename);
    if (self->stream == NULL)
        Py_CLEAR(self);
    return (PyObject *)self;
}

static void iterator_dealloc(PyObject *op)
{
    iterator_t *self = (iterator_t *)op;
    if (self->stream != NULL)
        token_stream_free(self->stream);
    Py_XDECREF(self->source);
    Py_XDECREF(self->filename);
    Py_TYPE(op)->tp_free(op);
}

static int set_busy(iterator_t *self)
{
    int busy;
    Py_BEGIN_CRITICAL_SECTION((PyObject *)self);
    busy = self->busy;
    self->busy = 1;
    Py_END_CRITICAL_SECTION();
    if (busy)
        PyErr_SetString(PyExc_ValueError, "the tokenizer is in use by another thread");
    return busy ? -1 : 0;
}

static void set_idle(iterator_t *self)
{
    Py_BEGIN_CRITICAL_SECTION((PyObject *)self);
    self->busy = 0;
    Py_END_CRITICAL_SECTION();
}

/* (text, type, line, end line, column, end column, lines) */
static PyObject *iterator_next(PyObject *op)
{
    iterator_t *self = (iterator_t *)op;
    token_view_t t;
    PyObject *result = NULL, *text, *line;
    if (set_busy(self) < 0)
        return NULL;
    if (token_stream_next(self->stream, &t) > 0) {
        text = PyUnicode_DecodeUTF8(t.text, t.text_size, "replace");
        line = PyUnicode_DecodeUTF8(t.line, t.line_size, "replace");
        if (text != NULL && line != NULL)
            result = Py_BuildValue("(OiiiiiO)", text, t.type, t.lineno, t.end_lineno, t.col, t.end_col, line);
        Py_XDECREF(text);
        Py_XDECREF(line);
    }
    set_idle(self);
    return result;
}

static PyTypeObject iterator_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "_tokenize.TokenizerIter",
    .tp_basicsize = sizeof(iterator_t),
    .tp_dealloc = iterator_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "TokenizerIter(source)\n--\n\nIterates over the tokens of a source.",
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = iterator_next,
    .tp_new = iterator_new,
};

static int module_exec(PyObject *module)
{
    return PyModule_AddType(module, &iterator_type);
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, (void *)module_exec},
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_tokenize",
    .m_doc = "The parser's tokens, for the module tokenize.",
    .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit__tokenize(void) { return PyModuleDef_Init(&module_def); }
