/* The attributes of parsers: handlers, flags, positions. */
#include "pyexpat_internal.h"

static int refuse_deletion(void)
{
    PyErr_SetString(PyExc_RuntimeError, "Cannot delete attribute");
    return -1;
}

/* ---- Handlers; the closure is the index ---- */

static PyObject *get_handler(PyObject *op, void *closure)
{
    parser_t *p = (parser_t *)op;
    PyObject *handler, *result;
    BEGIN_PARSER(p);
    handler = p->handlers[(intptr_t)closure];
    result = Py_NewRef(handler == NULL ? Py_None : handler);
    END_PARSER();
    return result;
}

static int set_handler(PyObject *op, PyObject *value, void *closure)
{
    parser_t *p = (parser_t *)op;
    int index = (int)(intptr_t)closure, failed = 0;
    if (value == NULL)
        return refuse_deletion();
    BEGIN_PARSER(p);
    /* what has been buffered is for the old handler */
    if (index == H_CHARACTER_DATA)
        failed = parser_flush(p);
    if (!failed)
        parser_set_handler(p, index, value == Py_None ? NULL : value);
    END_PARSER();
    return failed;
}

/* ---- Positions; the closure tells which ---- */

enum { ERROR_CODE, ERROR_LINE, ERROR_COLUMN, ERROR_INDEX, CURRENT_LINE, CURRENT_COLUMN, CURRENT_INDEX };

static PyObject *get_position(PyObject *op, void *closure)
{
    parser_t *p = (parser_t *)op;
    long long n;
    BEGIN_PARSER(p);
    switch ((intptr_t)closure) {
    case ERROR_CODE: n = XML_GetErrorCode(p->parser); break;
    case ERROR_LINE: case CURRENT_LINE: n = (long long)XML_GetCurrentLineNumber(p->parser); break;
    case ERROR_COLUMN: case CURRENT_COLUMN: n = (long long)XML_GetCurrentColumnNumber(p->parser); break;
    default: n = XML_GetCurrentByteIndex(p->parser);
    }
    END_PARSER();
    return PyLong_FromLongLong(n);
}

/* ---- Flags; the closure is the offset of an int ---- */

static PyObject *get_flag(PyObject *op, void *closure)
{
    return PyBool_FromLong(__atomic_load_n((int *)((char *)op + (intptr_t)closure), __ATOMIC_RELAXED));
}

static int set_flag(PyObject *op, PyObject *value, void *closure)
{
    parser_t *p = (parser_t *)op;
    int truth;
    if (value == NULL)
        return refuse_deletion();
    truth = PyObject_IsTrue(value);
    if (truth < 0)
        return -1;
    BEGIN_PARSER(p);
    __atomic_store_n((int *)((char *)op + (intptr_t)closure), truth, __ATOMIC_RELAXED);
    if ((intptr_t)closure == offsetof(parser_t, namespace_prefixes))
        XML_SetReturnNSTriplet(p->parser, truth);
    END_PARSER();
    return 0;
}

/* ---- The buffer of character data ---- */

static PyObject *get_buffer_text(PyObject *op, void *unused)
{
    parser_t *p = (parser_t *)op;
    int on;
    BEGIN_PARSER(p);
    on = p->buffer != NULL;
    END_PARSER();
    return PyBool_FromLong(on);
}

/* Hands the content over and takes another buffer; size 0: none. */
static int replace_buffer(parser_t *p, int size)
{
    if (parser_flush(p) < 0)
        return -1;
    char *buffer = size == 0 ? NULL : PyMem_Malloc((size_t)size);
    if (buffer == NULL && size > 0) {
        PyErr_NoMemory();
        return -1;
    }
    PyMem_Free(p->buffer);
    p->buffer = buffer;
    SET_INT(p->buffer_used, 0);
    if (size > 0)
        SET_INT(p->buffer_size, size);
    return 0;
}

static int set_buffer_text(PyObject *op, PyObject *value, void *unused)
{
    parser_t *p = (parser_t *)op;
    int failed = 0, truth;
    if (value == NULL)
        return refuse_deletion();
    truth = PyObject_IsTrue(value);
    if (truth < 0)
        return -1;
    BEGIN_PARSER(p);
    if (truth != (p->buffer != NULL))
        failed = replace_buffer(p, truth ? p->buffer_size : 0);
    END_PARSER();
    return failed;
}

static PyObject *get_buffer_size(PyObject *op, void *unused)
{
    return PyLong_FromLong(__atomic_load_n(&((parser_t *)op)->buffer_size, __ATOMIC_RELAXED));
}

static int set_buffer_size(PyObject *op, PyObject *value, void *unused)
{
    parser_t *p = (parser_t *)op;
    int failed = 0;
    if (value == NULL)
        return refuse_deletion();
    if (!PyLong_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "buffer_size must be an integer");
        return -1;
    }
    long size = PyLong_AsLong(value);
    if (size == -1 && PyErr_Occurred())
        return -1;
    if (size <= 0) {
        PyErr_SetString(PyExc_ValueError, "buffer_size must be greater than zero");
        return -1;
    }
    if (size > INT_MAX) {
        PyErr_Format(PyExc_ValueError, "buffer_size must not be greater than %i", INT_MAX);
        return -1;
    }
    BEGIN_PARSER(p);
    if (p->buffer != NULL)
        failed = replace_buffer(p, (int)size);
    else
        SET_INT(p->buffer_size, (int)size);
    END_PARSER();
    return failed;
}

static PyObject *get_buffer_used(PyObject *op, void *unused)
{
    return PyLong_FromLong(__atomic_load_n(&((parser_t *)op)->buffer_used, __ATOMIC_RELAXED));
}

PyGetSetDef parser_getset[] = {
#define HANDLER(identifier, attribute) {#attribute, get_handler, set_handler, NULL, (void *)H_##identifier},
    HANDLERS(HANDLER)
#undef HANDLER
    {"ErrorCode", get_position, NULL, NULL, (void *)ERROR_CODE},
    {"ErrorLineNumber", get_position, NULL, NULL, (void *)ERROR_LINE},
    {"ErrorColumnNumber", get_position, NULL, NULL, (void *)ERROR_COLUMN},
    {"ErrorByteIndex", get_position, NULL, NULL, (void *)ERROR_INDEX},
    {"CurrentLineNumber", get_position, NULL, NULL, (void *)CURRENT_LINE},
    {"CurrentColumnNumber", get_position, NULL, NULL, (void *)CURRENT_COLUMN},
    {"CurrentByteIndex", get_position, NULL, NULL, (void *)CURRENT_INDEX},
    {"buffer_size", get_buffer_size, set_buffer_size, NULL, NULL},
    {"buffer_text", get_buffer_text, set_buffer_text, NULL, NULL},
    {"buffer_used", get_buffer_used, NULL, NULL, NULL},
    {"namespace_prefixes", get_flag, set_flag, NULL, (void *)offsetof(parser_t, namespace_prefixes)},
    {"ordered_attributes", get_flag, set_flag, NULL, (void *)offsetof(parser_t, ordered_attributes)},
    {"specified_attributes", get_flag, set_flag, NULL, (void *)offsetof(parser_t, specified_attributes)},
    {NULL, NULL, NULL, NULL, NULL},
};
