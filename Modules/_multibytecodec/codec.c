/* MultibyteCodec: conversions without a state between calls. */
#include "multibyte.h"
#include "internal/stable_buffer.h"

PyObject *codec_new(const char *name, const char *const *allowed)
{
    charset_t *charset = charset_find(name, allowed);
    if (charset == NULL)
        return NULL;
    codec_t *self = (codec_t *)codec_type.tp_alloc(&codec_type, 0);
    if (self != NULL)
        self->charset = charset;
    return (PyObject *)self;
}

charset_t *codec_of_class(PyTypeObject *type)
{
    PyObject *codec = PyObject_GetAttrString((PyObject *)type, "codec");
    if (codec == NULL)
        return NULL;
    charset_t *charset = NULL;
    if (Py_TYPE(codec) == &codec_type)
        charset = ((codec_t *)codec)->charset;
    else
        PyErr_SetString(PyExc_TypeError, "codec is unexpected type");
    Py_DECREF(codec);
    return charset;
}

int set_errors_attribute(PyObject *self, PyObject **field, PyObject *value)
{
    PyObject *old;
    if (value == NULL) {
        PyErr_SetString(PyExc_AttributeError, "cannot delete attribute");
        return -1;
    }
    if (!PyUnicode_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "errors must be a string");
        return -1;
    }
    Py_INCREF(value);
    Py_BEGIN_CRITICAL_SECTION(self);
    old = *field;
    *field = value;
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(old);
    return 0;
}

static PyObject *codec_encode(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"input", "errors", NULL};
    const char *errors = NULL;
    PyObject *input, *text, *bytes;
    multibyte_state_t state = {0};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|z:encode", keywords, &input, &errors))
        return NULL;
    text = PyUnicode_Check(input) ? Py_NewRef(input) : PyObject_Str(input);
    if (text == NULL)
        return NULL;
    if (!PyUnicode_Check(input)) {
        PyErr_SetString(PyExc_TypeError, "couldn't convert the object to unicode.");
        Py_DECREF(text);
        return NULL;
    }
    bytes = multibyte_encode(((codec_t *)self)->charset, &state, text, errors == NULL ? "strict" : errors, 1, NULL);
    PyObject *result = bytes == NULL ? NULL : Py_BuildValue("(Nn)", bytes, PyUnicode_GET_LENGTH(text));
    Py_DECREF(text);
    return result;
}

static PyObject *codec_decode(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"input", "errors", NULL};
    const char *errors = NULL;
    Py_buffer data;
    multibyte_state_t state = {0};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "y*|z:decode", keywords, &data, &errors) || stable_buffer_own(&data) < 0)
        return NULL;
    PyObject *text = multibyte_decode(((codec_t *)self)->charset, &state, data.buf, data.len, errors == NULL ? "strict" : errors, 1, NULL);
    PyObject *result = text == NULL ? NULL : Py_BuildValue("(Nn)", text, data.len);
    PyBuffer_Release(&data);
    return result;
}

static PyMethodDef codec_methods[] = {
    MODULE_METHOD("encode", codec_encode, METH_VARARGS | METH_KEYWORDS,
                  "encode($self, /, input, errors=None)\n--\n\nThe encoded form of a str, and its length."),
    MODULE_METHOD("decode", codec_decode, METH_VARARGS | METH_KEYWORDS,
                  "decode($self, /, input, errors=None)\n--\n\nThe str that bytes stand for, and their number."),
    {NULL, NULL, 0, NULL},
};

PyTypeObject codec_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_multibytecodec.MultibyteCodec",
    .tp_basicsize = sizeof(codec_t),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_methods = codec_methods,
};
