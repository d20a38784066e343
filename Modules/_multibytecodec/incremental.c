/* Incremental encoders and decoders. What is pending is read and changed inside critical sections; conversions, which may
 * call error handlers, work on copies. */
#include "multibyte.h"

enum { MAX_PENDING = 8 };       /* bytes, of UTF-8 in encoders */

/* ---- Encoders ---- */

typedef struct {
    PyObject_HEAD
    charset_t *charset;         /* [const] */
    PyObject *errors;           /* [lock] str */
    PyObject *pending;          /* [lock] str that needs what follows, or NULL */
    multibyte_state_t state;    /* [lock] */
} encoder_t;

static PyObject *take(PyObject *self, PyObject **field)
{
    PyObject *value;
    Py_BEGIN_CRITICAL_SECTION(self);
    value = *field;
    *field = NULL;
    Py_END_CRITICAL_SECTION();
    return value;
}

/* Steals value. */
static void store(PyObject *self, PyObject **field, PyObject *value)
{
    PyObject *old;
    Py_BEGIN_CRITICAL_SECTION(self);
    old = *field;
    *field = value;
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(old);
}

static multibyte_state_t get_state(PyObject *self, multibyte_state_t *field)
{
    multibyte_state_t state;
    Py_BEGIN_CRITICAL_SECTION(self);
    state = *field;
    Py_END_CRITICAL_SECTION();
    return state;
}

static void set_state(PyObject *self, multibyte_state_t *field, multibyte_state_t state)
{
    Py_BEGIN_CRITICAL_SECTION(self);
    *field = state;
    Py_END_CRITICAL_SECTION();
}

static PyObject *get_ref(PyObject *self, PyObject **field)
{
    PyObject *value;
    Py_BEGIN_CRITICAL_SECTION(self);
    value = Py_XNewRef(*field);
    Py_END_CRITICAL_SECTION();
    return value;
}

/* Encodes pending text and input; keeps what is incomplete. */
static PyObject *encode_more(encoder_t *encoder, PyObject *input, int final)
{
    PyObject *self = (PyObject *)encoder, **pending_field = &encoder->pending;
    multibyte_state_t state = get_state(self, &encoder->state);
    PyObject *pending = take(self, pending_field), *text, *errors = get_ref(self, &encoder->errors), *result = NULL, *rest;
    Py_ssize_t consumed = 0;
    if (!PyUnicode_Check(input)) {
        PyErr_SetString(PyExc_TypeError, "couldn't convert the object to str.");
        Py_XDECREF(errors);
        store(self, pending_field, pending);
        return NULL;
    }
    text = pending == NULL ? Py_NewRef(input) : PyUnicode_Concat(pending, input);
    const char *errors_name = errors == NULL ? "strict" : PyUnicode_AsUTF8(errors);
    if (text != NULL && errors_name != NULL)
        result = multibyte_encode(encoder->charset, &state, text, errors_name, final, &consumed);
    if (result == NULL)
        store(self, pending_field, pending);
    else {
        Py_XDECREF(pending);
        set_state(self, &encoder->state, state);
        if (consumed < PyUnicode_GET_LENGTH(text)) {
            rest = PyUnicode_Substring(text, consumed, PyUnicode_GET_LENGTH(text));
            if (rest == NULL)
                Py_CLEAR(result);
            store(self, pending_field, rest);
        }
    }
    Py_XDECREF(text);
    Py_XDECREF(errors);
    return result;
}

static PyObject *encoder_encode(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"input", "final", NULL};
    PyObject *input;
    int final = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|p:encode", keywords, &input, &final))
        return NULL;
    return encode_more((encoder_t *)op, input, final);
}

static PyObject *encoder_reset(PyObject *op, PyObject *unused)
{
    store(op, &((encoder_t *)op)->pending, NULL);
    set_state(op, &((encoder_t *)op)->state, (multibyte_state_t){0});
    Py_RETURN_NONE;
}

/* An int: the number of bytes of the pending text in UTF-8, these bytes, and eight bytes for the state. */
static PyObject *encoder_getstate(PyObject *op, PyObject *unused)
{
    unsigned char state[MAX_PENDING + 1 + 8] = {0};
    PyObject *pending = get_ref(op, &((encoder_t *)op)->pending);
    Py_ssize_t n = 0;
    const char *text = pending == NULL ? "" : PyUnicode_AsUTF8AndSize(pending, &n);
    if (text == NULL || n > MAX_PENDING) {
        if (text != NULL)
            PyErr_SetString(PyExc_UnicodeError, "pending buffer too large");
        Py_DECREF(pending);
        return NULL;
    }
    state[0] = (unsigned char)n;
    memcpy(state + 1, text, (size_t)n);
    multibyte_state_t shift = get_state(op, &((encoder_t *)op)->state);
    stateful_export(((encoder_t *)op)->charset, &shift, state + 1 + n);
    Py_XDECREF(pending);
    return _PyLong_FromByteArray(state, 1 + (size_t)n + 8, 1, 0);
}

static PyObject *encoder_setstate(PyObject *op, PyObject *arg)
{
    unsigned char state[MAX_PENDING + 1 + 8] = {0};
    PyObject *pending = NULL;
    if (!PyLong_Check(arg)) {
        PyErr_Format(PyExc_TypeError, "setstate() argument must be int, not %.200s", Py_TYPE(arg)->tp_name);
        return NULL;
    }
    if (PyLong_CheckExact(arg) ? value_is_int(arg) : 0) {
        long n = PyLong_AsLong(arg);
        if (n < 0) {
            PyErr_SetString(PyExc_OverflowError, "can't convert negative int to unsigned");
            return NULL;
        }
        memcpy(state, &n, sizeof(n));
    }
    else if (_PyLong_AsByteArray((PyLongObject *)arg, state, sizeof(state), 1, 0) < 0)
        return NULL;
    if (state[0] > MAX_PENDING) {
        PyErr_SetString(PyExc_UnicodeError, "pending buffer too large");
        return NULL;
    }
    if (state[0] > 0 && (pending = PyUnicode_DecodeUTF8((char *)state + 1, state[0], "strict")) == NULL)
        return NULL;
    multibyte_state_t shift;
    stateful_import(((encoder_t *)op)->charset, &shift, state + 1 + state[0]);
    set_state(op, &((encoder_t *)op)->state, shift);
    store(op, &((encoder_t *)op)->pending, pending);
    Py_RETURN_NONE;
}

/* The argument errors and the charset of the class. */
static int init_fields(PyTypeObject *type, PyObject *args, PyObject *kwargs, const char *format, charset_t **charset, PyObject **errors)
{
    static char *keywords[] = {"errors", NULL};
    const char *name = "strict";
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, format, keywords, &name) || (*charset = codec_of_class(type)) == NULL)
        return -1;
    *errors = PyUnicode_FromString(name);
    return *errors == NULL ? -1 : 0;
}

static PyObject *encoder_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    encoder_t *self = (encoder_t *)type->tp_alloc(type, 0);
    if (self != NULL && init_fields(type, args, kwargs, "|s:IncrementalEncoder", &self->charset, &self->errors) < 0)
        Py_CLEAR(self);
    return (PyObject *)self;
}

/* The base classes of codecs have an __init__, which is not to be called. */
static int do_nothing_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    return 0;
}

static void encoder_dealloc(PyObject *op)
{
    Py_XDECREF(((encoder_t *)op)->errors);
    Py_XDECREF(((encoder_t *)op)->pending);
    Py_TYPE(op)->tp_free(op);
}

static PyObject *encoder_get_errors(PyObject *op, void *unused)
{
    return get_ref(op, &((encoder_t *)op)->errors);
}

static int encoder_set_errors(PyObject *op, PyObject *value, void *unused)
{
    return set_errors_attribute(op, &((encoder_t *)op)->errors, value);
}

static PyGetSetDef encoder_getset[] = {
    {"errors", encoder_get_errors, encoder_set_errors, "how to treat errors", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMethodDef encoder_methods[] = {
    MODULE_METHOD("encode", encoder_encode, METH_VARARGS | METH_KEYWORDS, "encode($self, /, input, final=False)\n--\n\n"),
    {"getstate", encoder_getstate, METH_NOARGS, "getstate($self, /)\n--\n\n"},
    {"setstate", encoder_setstate, METH_O, "setstate($self, state, /)\n--\n\n"},
    {"reset", encoder_reset, METH_NOARGS, "reset($self, /)\n--\n\n"},
    {NULL, NULL, 0, NULL},
};

PyTypeObject incremental_encoder_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_multibytecodec.MultibyteIncrementalEncoder",
    .tp_basicsize = sizeof(encoder_t),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_methods = encoder_methods,
    .tp_getset = encoder_getset,
    .tp_init = do_nothing_init,
    .tp_new = encoder_new,
    .tp_dealloc = encoder_dealloc,
};

/* ---- Decoders ---- */

typedef struct {
    PyObject_HEAD
    charset_t *charset;         /* [const] */
    PyObject *errors;           /* [lock] str */
    PyObject *pending;          /* [lock] bytes of an incomplete sequence, or NULL */
    multibyte_state_t state;    /* [lock] */
} decoder_t;

static PyObject *decoder_decode(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"input", "final", NULL};
    decoder_t *self = (decoder_t *)op;
    Py_buffer input;
    int final = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "y*|p:decode", keywords, &input, &final))
        return NULL;
    PyObject *pending = take(op, &self->pending), *errors = get_ref(op, &self->errors), *result = NULL, *rest = NULL;
    Py_ssize_t before = pending == NULL ? 0 : PyBytes_GET_SIZE(pending), consumed = 0;
    PyObject *all = PyBytes_FromStringAndSize(NULL, before + input.len);
    const char *errors_name = errors == NULL ? "strict" : PyUnicode_AsUTF8(errors);
    multibyte_state_t state = get_state(op, &self->state);
    if (all != NULL && errors_name != NULL) {
        if (before > 0)
            memcpy(PyBytes_AS_STRING(all), PyBytes_AS_STRING(pending), (size_t)before);
        if (input.len > 0)
            memcpy(PyBytes_AS_STRING(all) + before, input.buf, (size_t)input.len);
        result = multibyte_decode(self->charset, &state, PyBytes_AS_STRING(all), before + input.len, errors_name, final, &consumed);
    }
    PyBuffer_Release(&input);
    if (result == NULL)
        store(op, &self->pending, pending);
    else {
        Py_XDECREF(pending);
        set_state(op, &self->state, state);
        if (consumed < PyBytes_GET_SIZE(all)) {
            rest = PyBytes_FromStringAndSize(PyBytes_AS_STRING(all) + consumed, PyBytes_GET_SIZE(all) - consumed);
            if (rest == NULL)
                Py_CLEAR(result);
            store(op, &self->pending, rest);
        }
    }
    Py_XDECREF(all);
    Py_XDECREF(errors);
    return result;
}

static PyObject *decoder_reset(PyObject *op, PyObject *unused)
{
    store(op, &((decoder_t *)op)->pending, NULL);
    set_state(op, &((decoder_t *)op)->state, (multibyte_state_t){0});
    Py_RETURN_NONE;
}

static PyObject *decoder_getstate(PyObject *op, PyObject *unused)
{
    decoder_t *self = (decoder_t *)op;
    PyObject *pending = get_ref(op, &self->pending);
    multibyte_state_t state = get_state(op, &self->state);
    uint64_t number = 0;
    stateful_export(self->charset, &state, (unsigned char *)&number);
    if (pending == NULL)
        pending = PyBytes_FromStringAndSize(NULL, 0);
    return Py_BuildValue("(NN)", pending, PyLong_FromUnsignedLong(number));
}

static PyObject *decoder_setstate(PyObject *op, PyObject *arg)
{
    PyObject *pending, *state;
    multibyte_state_t shift;
    if (!PyTuple_Check(arg)) {
        PyErr_Format(PyExc_TypeError, "setstate() argument must be tuple, not %.200s", Py_TYPE(arg)->tp_name);
        return NULL;
    }
    if (!PyArg_ParseTuple(arg, "SO!;setstate(): illegal state argument", &pending, &PyLong_Type, &state))
        return NULL;
    if (PyBytes_GET_SIZE(pending) > MAX_PENDING) {
        PyErr_SetString(PyExc_UnicodeError, "pending buffer too large");
        return NULL;
    }
    uint64_t number = PyLong_AsUnsignedLongLongMask(state);
    stateful_import(((decoder_t *)op)->charset, &shift, (unsigned char *)&number);
    store(op, &((decoder_t *)op)->pending, PyBytes_GET_SIZE(pending) == 0 ? NULL : Py_NewRef(pending));
    set_state(op, &((decoder_t *)op)->state, shift);
    Py_RETURN_NONE;
}

static PyObject *decoder_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    decoder_t *self = (decoder_t *)type->tp_alloc(type, 0);
    if (self != NULL && init_fields(type, args, kwargs, "|s:IncrementalDecoder", &self->charset, &self->errors) < 0)
        Py_CLEAR(self);
    return (PyObject *)self;
}

static void decoder_dealloc(PyObject *op)
{
    Py_XDECREF(((decoder_t *)op)->errors);
    Py_XDECREF(((decoder_t *)op)->pending);
    Py_TYPE(op)->tp_free(op);
}

static PyObject *decoder_get_errors(PyObject *op, void *unused)
{
    return get_ref(op, &((decoder_t *)op)->errors);
}

static int decoder_set_errors(PyObject *op, PyObject *value, void *unused)
{
    return set_errors_attribute(op, &((decoder_t *)op)->errors, value);
}

static PyGetSetDef decoder_getset[] = {
    {"errors", decoder_get_errors, decoder_set_errors, "how to treat errors", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMethodDef decoder_methods[] = {
    MODULE_METHOD("decode", decoder_decode, METH_VARARGS | METH_KEYWORDS, "decode($self, /, input, final=False)\n--\n\n"),
    {"getstate", decoder_getstate, METH_NOARGS, "getstate($self, /)\n--\n\n"},
    {"setstate", decoder_setstate, METH_O, "setstate($self, state, /)\n--\n\n"},
    {"reset", decoder_reset, METH_NOARGS, "reset($self, /)\n--\n\n"},
    {NULL, NULL, 0, NULL},
};

PyTypeObject incremental_decoder_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_multibytecodec.MultibyteIncrementalDecoder",
    .tp_basicsize = sizeof(decoder_t),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_methods = decoder_methods,
    .tp_getset = decoder_getset,
    .tp_init = do_nothing_init,
    .tp_new = decoder_new,
    .tp_dealloc = decoder_dealloc,
};
