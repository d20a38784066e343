/* Newline translation, and IncrementalNewlineDecoder, which puts it behind a decoder. */
#include "io_internal.h"
#include "text_search.h"

/* ---- the translation of one chunk ---- */

/* Records which line ends occur in data[0, len). */
static unsigned line_ends_in(int kind, const void *data, Py_ssize_t len)
{
    unsigned seen = 0;
    for (Py_ssize_t i = 0; i < len; i++) {
        Py_UCS4 c = PyUnicode_READ(kind, data, i);
        if (c == '\n')
            seen |= NL_SEEN_LF;
        else if (c == '\r') {
            if (i + 1 < len && PyUnicode_READ(kind, data, i + 1) == '\n') {
                seen |= NL_SEEN_CRLF;
                i++;
            }
            else
                seen |= NL_SEEN_CR;
        }
        if (seen == (NL_SEEN_LF | NL_SEEN_CR | NL_SEEN_CRLF))
            break;
    }
    return seen;
}

/* A new str with every line end made '\n'; records what they were. */
static PyObject *with_line_feeds(int kind, const void *data, Py_ssize_t len, unsigned *seen)
{
    void *out = PyMem_Malloc((size_t)(len > 0 ? len : 1) * (size_t)kind);
    if (out == NULL)
        return PyErr_NoMemory();
    Py_ssize_t used = 0, i = 0;
    while (i < len) {
        Py_ssize_t cr = text_find_char(kind, data, i, len, '\r');
        Py_ssize_t stop = cr < 0 ? len : cr;
        if (!(*seen & NL_SEEN_LF) && text_find_char(kind, data, i, stop, '\n') >= 0)
            *seen |= NL_SEEN_LF;
        memcpy((char *)out + used * kind, (const char *)data + i * kind, (size_t)(stop - i) * (size_t)kind);
        used += stop - i;
        i = stop;
        if (cr < 0)
            break;
        i++;
        if (i < len && PyUnicode_READ(kind, data, i) == '\n') {
            *seen |= NL_SEEN_CRLF;
            i++;
        }
        else
            *seen |= NL_SEEN_CR;
        PyUnicode_WRITE(kind, out, used, '\n');
        used++;
    }
    PyObject *result = PyUnicode_FromKindAndData(kind, out, used);
    PyMem_Free(out);
    return result;
}

/* text with a '\r' in front. Steals text. */
static PyObject *with_cr_in_front_steal(PyObject *text)
{
    PyObject *cr = PyUnicode_FromStringAndSize("\r", 1);
    PyObject *result = cr == NULL ? NULL : PyUnicode_Concat(cr, text);
    Py_XDECREF(cr);
    Py_DECREF(text);
    return result;
}

PyObject *newline_translate_steal(newline_state *state, PyObject *text, bool final)
{
    newline_state next = *state;
    if (next.pending_cr && (final || PyUnicode_GET_LENGTH(text) > 0)) {
        text = with_cr_in_front_steal(text);
        if (text == NULL)
            return NULL;
        next.pending_cr = 0;
    }
    Py_ssize_t len = PyUnicode_GET_LENGTH(text);
    int kind = PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);

    /* A '\r' at the end may be half of a line end. */
    bool held = !final && len > 0 && PyUnicode_READ(kind, data, len - 1) == '\r';
    if (held) {
        len--;
        next.pending_cr = 1;
    }
    PyObject *result;
    if (text_find_char(kind, data, 0, len, '\r') < 0) {
        if (!(next.seen & NL_SEEN_LF) && text_find_char(kind, data, 0, len, '\n') >= 0)
            next.seen |= NL_SEEN_LF;
        result = held ? PyUnicode_Substring(text, 0, len) : Py_NewRef(text);
    }
    else {
        unsigned seen = next.seen;
        if (next.translate)
            result = with_line_feeds(kind, data, len, &seen);
        else {
            if (seen != (NL_SEEN_LF | NL_SEEN_CR | NL_SEEN_CRLF))
                seen |= line_ends_in(kind, data, len);
            result = held ? PyUnicode_Substring(text, 0, len) : Py_NewRef(text);
        }
        next.seen = (unsigned char)seen;
    }
    Py_DECREF(text);
    if (result != NULL)
        *state = next;
    return result;
}

PyObject *newline_seen_value(unsigned seen)
{
    switch (seen) {
    case 0:
        Py_RETURN_NONE;
    case NL_SEEN_LF:
        return PyUnicode_FromString("\n");
    case NL_SEEN_CR:
        return PyUnicode_FromString("\r");
    case NL_SEEN_CRLF:
        return PyUnicode_FromString("\r\n");
    case NL_SEEN_CR | NL_SEEN_LF:
        return Py_BuildValue("ss", "\r", "\n");
    case NL_SEEN_CR | NL_SEEN_CRLF:
        return Py_BuildValue("ss", "\r", "\r\n");
    case NL_SEEN_LF | NL_SEEN_CRLF:
        return Py_BuildValue("ss", "\n", "\r\n");
    default:
        return Py_BuildValue("sss", "\r", "\n", "\r\n");
    }
}

/* ---- IncrementalNewlineDecoder ---- */

typedef struct {
    PyObject_HEAD
    PyObject *decoder;        /* [lock] None: text comes in already; NULL: no __init__ */
    PyObject *errors;         /* [lock] */
    newline_state state;      /* [lock] */
} io_newline_decoder;

static int decoder_init(PyObject *op, PyObject *args, PyObject *kwds)
{
    static char *keywords[] = { "decoder", "translate", "errors", NULL };
    io_newline_decoder *self = (io_newline_decoder *)op;
    PyObject *decoder, *errors = NULL;
    int translate;
    if (!PyArg_ParseTupleAndKeywords(args, kwds, "Op|O:IncrementalNewlineDecoder", keywords, &decoder, &translate,
                                     &errors))
        return -1;
    if (errors == NULL)
        errors = io_str.strict;
    PyObject *old_decoder, *old_errors;
    Py_BEGIN_CRITICAL_SECTION(op);
    old_decoder = self->decoder;
    old_errors = self->errors;
    self->decoder = Py_NewRef(decoder);
    self->errors = Py_NewRef(errors);
    memset(&self->state, 0, sizeof(self->state));
    self->state.translate = (char)translate;
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(old_decoder);
    Py_XDECREF(old_errors);
    return 0;
}

/* A new reference to the inner decoder, or NULL with ValueError set. */
static PyObject *inner_decoder(PyObject *op)
{
    PyObject *decoder;
    Py_BEGIN_CRITICAL_SECTION(op);
    decoder = Py_XNewRef(((io_newline_decoder *)op)->decoder);
    Py_END_CRITICAL_SECTION();
    if (decoder == NULL)
        PyErr_SetString(PyExc_ValueError, "IncrementalNewlineDecoder.__init__() not called");
    return decoder;
}

static PyObject *decoder_decode(PyObject *op, PyObject *args, PyObject *kwds)
{
    static char *keywords[] = { "input", "final", NULL };
    PyObject *input, *text, *result;
    int final = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwds, "O|p:decode", keywords, &input, &final))
        return NULL;
    PyObject *decoder = inner_decoder(op);
    if (decoder == NULL)
        return NULL;
    if (decoder == Py_None)
        text = Py_NewRef(input);
    else
        text = PyObject_CallMethodObjArgs(decoder, io_str.decode, input, final ? Py_True : Py_False, NULL);
    Py_DECREF(decoder);
    if (text == NULL)
        return NULL;
    if (!PyUnicode_Check(text)) {
        PyErr_Format(PyExc_TypeError, "decoder should return a string result, not '%.200s'", Py_TYPE(text)->tp_name);
        Py_DECREF(text);
        return NULL;
    }
    Py_BEGIN_CRITICAL_SECTION(op);
    result = newline_translate_steal(&((io_newline_decoder *)op)->state, text, final);
    Py_END_CRITICAL_SECTION();
    return result;
}

static newline_state state_of(PyObject *op)
{
    newline_state state;
    Py_BEGIN_CRITICAL_SECTION(op);
    state = ((io_newline_decoder *)op)->state;
    Py_END_CRITICAL_SECTION();
    return state;
}

static PyObject *decoder_getstate(PyObject *op, PyObject *unused)
{
    PyObject *decoder = inner_decoder(op), *state = NULL, *result = NULL;
    if (decoder == NULL)
        return NULL;
    PyObject *held = io_str.empty_bytes;
    unsigned long long flags = 0;
    if (decoder != Py_None) {
        state = PyObject_CallMethodNoArgs(decoder, io_str.getstate);
        if (state == NULL)
            goto done;
        if (!PyTuple_Check(state)) {
            PyErr_SetString(PyExc_TypeError, "illegal decoder state");
            goto done;
        }
        if (!PyArg_ParseTuple(state, "OK;illegal decoder state", &held, &flags))
            goto done;
    }
    flags = flags << 1 | (unsigned long long)(state_of(op).pending_cr != 0);
    result = Py_BuildValue("OK", held, flags);
done:
    Py_XDECREF(state);
    Py_DECREF(decoder);
    return result;
}

static PyObject *decoder_setstate(PyObject *op, PyObject *state)
{
    PyObject *held, *result;
    unsigned long long flags;
    PyObject *decoder = inner_decoder(op);
    if (decoder == NULL)
        return NULL;
    if (!PyTuple_Check(state)) {
        PyErr_SetString(PyExc_TypeError, "state argument must be a tuple");
        Py_DECREF(decoder);
        return NULL;
    }
    if (!PyArg_ParseTuple(state, "OK;setstate(): illegal state argument", &held, &flags)) {
        Py_DECREF(decoder);
        return NULL;
    }
    Py_BEGIN_CRITICAL_SECTION(op);
    ((io_newline_decoder *)op)->state.pending_cr = flags & 1;
    Py_END_CRITICAL_SECTION();
    if (decoder != Py_None)
        result = PyObject_CallMethod(decoder, "setstate", "((OK))", held, flags >> 1);
    else
        result = Py_NewRef(Py_None);
    Py_DECREF(decoder);
    return result;
}

static PyObject *decoder_reset(PyObject *op, PyObject *unused)
{
    PyObject *decoder = inner_decoder(op), *result;
    if (decoder == NULL)
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    ((io_newline_decoder *)op)->state.seen = 0;
    ((io_newline_decoder *)op)->state.pending_cr = 0;
    Py_END_CRITICAL_SECTION();
    result = decoder == Py_None ? Py_NewRef(Py_None) : PyObject_CallMethodNoArgs(decoder, io_str.reset);
    Py_DECREF(decoder);
    return result;
}

static PyObject *newlines_get(PyObject *op, void *unused)
{
    PyObject *decoder = inner_decoder(op);
    if (decoder == NULL)
        return NULL;
    Py_DECREF(decoder);
    return newline_seen_value(state_of(op).seen);
}

static void decoder_dealloc(PyObject *op)
{
    io_newline_decoder *self = (io_newline_decoder *)op;
    Py_CLEAR(self->decoder);
    Py_CLEAR(self->errors);
    Py_TYPE(op)->tp_free(op);
}

static PyMethodDef decoder_methods[] = {
    { "decode", IO_METHOD(decoder_decode), METH_VARARGS | METH_KEYWORDS,
      PyDoc_STR("decode($self, /, input, final=False)\n--\n\n") },
    { "getstate", decoder_getstate, METH_NOARGS, PyDoc_STR("getstate($self, /)\n--\n\n") },
    { "setstate", decoder_setstate, METH_O, PyDoc_STR("setstate($self, state, /)\n--\n\n") },
    { "reset", decoder_reset, METH_NOARGS, PyDoc_STR("reset($self, /)\n--\n\n") },
    { NULL, NULL, 0, NULL },
};

static PyGetSetDef decoder_getset[] = {
    { "newlines", newlines_get, NULL, NULL, NULL },
    { NULL, NULL, NULL, NULL, NULL },
};

PyTypeObject io_NewlineDecoder_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_io.IncrementalNewlineDecoder",
    .tp_basicsize = sizeof(io_newline_decoder),
    .tp_dealloc = decoder_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = PyDoc_STR("IncrementalNewlineDecoder(decoder, translate, errors='strict')\n--\n\n"
                        "Decodes with another decoder, or takes text if that is None, and watches the line ends.\n\n"
                        "With translate they all become '\\n'; else they are only recorded in `newlines`, and a\n"
                        "'\\r\\n' is never split between two results."),
    .tp_methods = decoder_methods,
    .tp_getset = decoder_getset,
    .tp_init = decoder_init,
    .tp_new = PyType_GenericNew,
};
