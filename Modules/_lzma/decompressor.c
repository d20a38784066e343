/* Decompressors. The mutex guards the stream. */
#include "lzma_internal.h"

typedef struct {
    PyObject_HEAD
    lzma_stream stream;         /* [mutex] */
    pending_t pending;          /* [mutex] */
    int check;                  /* [atomic] the integrity check, or CHECK_UNKNOWN */
    char eof, needs_input;      /* [atomic] */
    PyObject *unused_data;      /* [lock; replaced under the mutex] bytes */
    PyMutex mutex;
} decompressor_t;

/* Expands *n bytes at *data as far as the limit of the output allows; they are the rest afterwards. */
static int expand(decompressor_t *self, const char **data, Py_ssize_t *n, output_t *out)
{
    lzma_stream *stream = &self->stream;
    int more = 1;
    stream->next_in = (const uint8_t *)*data;
    stream->avail_in = (size_t)*n;
    while (!self->eof && (more = output_grow(out)) > 0) {
        lzma_ret result;
        stream->next_out = (uint8_t *)output_at(out);
        size_t room = stream->avail_out = (size_t)output_room(out);
        Py_BEGIN_ALLOW_THREADS
        result = lzma_code(stream, LZMA_RUN);
        Py_END_ALLOW_THREADS
        out->used += (Py_ssize_t)(room - stream->avail_out);
        if (result == LZMA_BUF_ERROR && stream->avail_in == 0 && stream->avail_out > 0)
            result = LZMA_OK;       /* more input is needed */
        if (lzma_check_result(result) < 0)
            return -1;
        if (result == LZMA_GET_CHECK || result == LZMA_NO_CHECK)
            __atomic_store_n(&self->check, (int)lzma_get_check(stream), __ATOMIC_RELAXED);
        if (result == LZMA_STREAM_END)
            __atomic_store_n(&self->eof, 1, __ATOMIC_RELAXED);
        else if (stream->avail_in == 0 && stream->avail_out > 0)
            break;
    }
    *data = (const char *)stream->next_in;
    *n = (Py_ssize_t)stream->avail_in;
    return more < 0 ? -1 : 0;
}

static int decompress_locked(decompressor_t *self, Py_buffer *view, output_t *out)
{
    const char *data = view->buf;
    Py_ssize_t n = view->len;
    if (self->eof) {
        PyErr_SetString(PyExc_EOFError, "Already at end of stream");
        return -1;
    }
    if (self->pending.length > 0) {
        if (pending_add(&self->pending, data, (size_t)n) < 0)
            return -1;
        data = self->pending.data + self->pending.start;
        n = (Py_ssize_t)self->pending.length;
    }
    if (expand(self, &data, &n, out) < 0) {
        self->pending.start = self->pending.length = 0;
        return -1;
    }
    int wants_more = !self->eof && n == 0 && output_room(out) > 0;
    __atomic_store_n(&self->needs_input, (char)wants_more, __ATOMIC_RELAXED);
    if (!self->eof)
        return pending_keep(&self->pending, data, (size_t)n);
    if (n > 0) {
        PyObject *rest = PyBytes_FromStringAndSize(data, n);
        if (rest == NULL)
            return -1;
        set_bytes_attribute((PyObject *)self, &self->unused_data, rest);
    }
    pending_free(&self->pending);
    return 0;
}

static PyObject *decompressor_decompress(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"data", "max_length", NULL};
    decompressor_t *self = (decompressor_t *)op;
    Py_buffer data;
    Py_ssize_t limit = -1;
    output_t out;
    PyObject *result = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "y*|n:decompress", keywords, &data, &limit))
        return NULL;
    if (output_init(&out, FIRST_SIZE, limit) == 0) {
        PyMutex_Lock(&self->mutex);
        int failed = decompress_locked(self, &data, &out);
        PyMutex_Unlock(&self->mutex);
        if (failed)
            output_drop(&out);
        else
            result = output_finish(&out);
    }
    PyBuffer_Release(&data);
    return result;
}

/* ---- Making ---- */

static int init_raw(lzma_stream *stream, PyObject *filters)
{
    lzma_filter chain[LZMA_FILTERS_MAX + 1];
    int failed = lzma_parse_filters(chain, filters) < 0 || lzma_check_result(lzma_raw_decoder(stream, chain)) < 0;
    lzma_free_filters(chain);
    return failed ? -1 : 0;
}

static int init_stream(decompressor_t *self, int format, PyObject *memlimit, PyObject *filters)
{
    const uint32_t flags = LZMA_TELL_ANY_CHECK | LZMA_TELL_NO_CHECK;
    uint64_t limit = UINT64_MAX;
    if (memlimit != Py_None) {
        if (format == FORMAT_RAW) {
            PyErr_SetString(PyExc_ValueError, "Cannot specify memory limit with FORMAT_RAW");
            return -1;
        }
        limit = PyLong_AsUnsignedLongLong(memlimit);
        if (PyErr_Occurred())
            return -1;
    }
    if (format == FORMAT_RAW && filters == Py_None) {
        PyErr_SetString(PyExc_ValueError, "Must specify filters for FORMAT_RAW");
        return -1;
    }
    if (format != FORMAT_RAW && filters != Py_None) {
        PyErr_SetString(PyExc_ValueError, "Cannot specify filters except with FORMAT_RAW");
        return -1;
    }
    switch (format) {
    case FORMAT_AUTO:
        return lzma_check_result(lzma_auto_decoder(&self->stream, limit, flags));
    case FORMAT_XZ:
        return lzma_check_result(lzma_stream_decoder(&self->stream, limit, flags));
    case FORMAT_ALONE:
        self->check = LZMA_CHECK_NONE;
        return lzma_check_result(lzma_alone_decoder(&self->stream, limit));
    case FORMAT_RAW:
        self->check = LZMA_CHECK_NONE;
        return init_raw(&self->stream, filters);
    default:
        PyErr_Format(PyExc_ValueError, "Invalid container format: %d", format);
        return -1;
    }
}

static PyObject *decompressor_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"format", "memlimit", "filters", NULL};
    int format = FORMAT_AUTO;
    PyObject *memlimit = Py_None, *filters = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|iOO:LZMADecompressor", keywords, &format, &memlimit, &filters))
        return NULL;
    decompressor_t *self = (decompressor_t *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    self->check = CHECK_UNKNOWN;
    self->needs_input = 1;
    self->stream.allocator = &lzma_raw_allocator;
    self->unused_data = PyBytes_FromStringAndSize(NULL, 0);
    if (self->unused_data == NULL || init_stream(self, format, memlimit, filters) < 0)
        Py_CLEAR(self);
    return (PyObject *)self;
}

static void decompressor_dealloc(PyObject *op)
{
    decompressor_t *self = (decompressor_t *)op;
    lzma_end(&self->stream);
    pending_free(&self->pending);
    Py_XDECREF(self->unused_data);
    Py_TYPE(op)->tp_free(op);
}

static PyMemberDef decompressor_members[] = {
    {"check", T_INT, offsetof(decompressor_t, check), READONLY, "The integrity check of the stream: one of the CHECK_ constants."},
    {"eof", T_BOOL, offsetof(decompressor_t, eof), READONLY, "Has the end of the stream been reached?"},
    {"needs_input", T_BOOL, offsetof(decompressor_t, needs_input), READONLY, "Is more input needed for more output?"},
    {"unused_data", T_OBJECT, offsetof(decompressor_t, unused_data), READONLY, "What came behind the end of the stream."},
    {NULL, 0, 0, 0, NULL},
};

static PyMethodDef decompressor_methods[] = {
    MODULE_METHOD("decompress", decompressor_decompress, METH_VARARGS | METH_KEYWORDS,
                  "decompress($self, /, data, max_length=-1)\n--\n\n"
                  "Takes data and returns expanded data, max_length bytes at most if that is not negative; input that is left\n"
                  "over is used at the next call."),
    {NULL, NULL, 0, NULL},
};

PyTypeObject decompressor_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_lzma.LZMADecompressor",
    .tp_basicsize = sizeof(decompressor_t),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "LZMADecompressor(format=FORMAT_AUTO, memlimit=None, filters=None)\n--\n\n"
              "Expands data piece by piece. memlimit: bytes of memory that it may use. filters: for FORMAT_RAW only.",
    .tp_methods = decompressor_methods,
    .tp_members = decompressor_members,
    .tp_new = decompressor_new,
    .tp_dealloc = decompressor_dealloc,
};
