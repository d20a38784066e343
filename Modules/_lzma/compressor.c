/* Compressors. The mutex guards the stream. */
#include "lzma_internal.h"

typedef struct {
    PyObject_HEAD
    lzma_stream stream;         /* [mutex] */
    int flushed;                /* [mutex] */
    PyMutex mutex;
} compressor_t;

static int compress_locked(compressor_t *self, const char *data, Py_ssize_t n, lzma_action action, output_t *out)
{
    lzma_stream *stream = &self->stream;
    stream->next_in = (const uint8_t *)data;
    stream->avail_in = (size_t)n;
    for (;;) {
        lzma_ret result;
        if (output_grow(out) < 0)
            return -1;
        stream->next_out = (uint8_t *)output_at(out);
        size_t room = stream->avail_out = (size_t)output_room(out);
        Py_BEGIN_ALLOW_THREADS
        result = lzma_code(stream, action);
        Py_END_ALLOW_THREADS
        out->used += (Py_ssize_t)(room - stream->avail_out);
        if (result == LZMA_BUF_ERROR && n == 0 && stream->avail_out > 0)
            result = LZMA_OK;       /* nothing to do */
        if (lzma_check_result(result) < 0)
            return -1;
        if ((action == LZMA_RUN && stream->avail_in == 0) || (action == LZMA_FINISH && result == LZMA_STREAM_END))
            return 0;
    }
}

static PyObject *run(compressor_t *self, const char *data, Py_ssize_t n, lzma_action action)
{
    output_t out;
    int failed = -1;
    if (output_init(&out, FIRST_SIZE, -1) < 0)
        return NULL;
    PyMutex_Lock(&self->mutex);
    if (self->flushed)
        PyErr_SetString(PyExc_ValueError, action == LZMA_FINISH ? "Repeated call to flush()" : "Compressor has been flushed");
    else {
        self->flushed = action == LZMA_FINISH;
        failed = compress_locked(self, data, n, action, &out);
    }
    PyMutex_Unlock(&self->mutex);
    if (failed) {
        output_drop(&out);
        return NULL;
    }
    return output_finish(&out);
}

static PyObject *compressor_compress(PyObject *op, PyObject *arg)
{
    Py_buffer data;
    if (PyObject_GetBuffer(arg, &data, PyBUF_SIMPLE) < 0)
        return NULL;
    PyObject *result = run((compressor_t *)op, data.buf, data.len, LZMA_RUN);
    PyBuffer_Release(&data);
    return result;
}

static PyObject *compressor_flush(PyObject *op, PyObject *unused)
{
    return run((compressor_t *)op, NULL, 0, LZMA_FINISH);
}

/* ---- Making ---- */

static int init_xz(lzma_stream *stream, int check, uint32_t preset, PyObject *filters)
{
    lzma_filter chain[LZMA_FILTERS_MAX + 1];
    if (filters == Py_None)
        return lzma_check_result(lzma_easy_encoder(stream, preset, (lzma_check)check));
    int failed = lzma_parse_filters(chain, filters) < 0
                 || lzma_check_result(lzma_stream_encoder(stream, chain, (lzma_check)check)) < 0;
    lzma_free_filters(chain);
    return failed ? -1 : 0;
}

static int init_alone(lzma_stream *stream, uint32_t preset, PyObject *filters)
{
    lzma_filter chain[LZMA_FILTERS_MAX + 1];
    lzma_options_lzma options;
    if (filters == Py_None) {
        if (!lzma_lzma_preset(&options, preset))
            return lzma_check_result(lzma_alone_encoder(stream, &options));
        PyErr_Format(lzma_exception, "Invalid compression preset: %u", preset);
        return -1;
    }
    int failed = lzma_parse_filters(chain, filters) < 0;
    if (!failed) {
        if (chain[0].id == LZMA_FILTER_LZMA1 && chain[1].id == LZMA_VLI_UNKNOWN)
            failed = lzma_check_result(lzma_alone_encoder(stream, chain[0].options)) < 0;
        else {
            PyErr_SetString(PyExc_ValueError, "Invalid filter chain for FORMAT_ALONE - must be a single LZMA1 filter");
            failed = 1;
        }
    }
    lzma_free_filters(chain);
    return failed ? -1 : 0;
}

static int init_raw(lzma_stream *stream, PyObject *filters)
{
    lzma_filter chain[LZMA_FILTERS_MAX + 1];
    if (filters == Py_None) {
        PyErr_SetString(PyExc_ValueError, "Must specify filters for FORMAT_RAW");
        return -1;
    }
    int failed = lzma_parse_filters(chain, filters) < 0 || lzma_check_result(lzma_raw_encoder(stream, chain)) < 0;
    lzma_free_filters(chain);
    return failed ? -1 : 0;
}

static int init_stream(lzma_stream *stream, int format, int check, PyObject *preset_object, PyObject *filters)
{
    uint32_t preset = LZMA_PRESET_DEFAULT;
    if (preset_object != Py_None && filters != Py_None) {
        PyErr_SetString(PyExc_ValueError, "Cannot specify both preset and filter chain");
        return -1;
    }
    if (format != FORMAT_XZ && check != -1 && check != LZMA_CHECK_NONE) {
        PyErr_SetString(PyExc_ValueError, "Integrity checks are only supported by FORMAT_XZ");
        return -1;
    }
    if (preset_object != Py_None) {
        unsigned long n = PyLong_AsUnsignedLong(preset_object);
        if (n == (unsigned long)-1 && PyErr_Occurred())
            return -1;
        if (n > UINT32_MAX) {
            PyErr_SetString(PyExc_OverflowError, "Value too large for uint32_t type");
            return -1;
        }
        preset = (uint32_t)n;
    }
    switch (format) {
    case FORMAT_XZ:
        return init_xz(stream, check == -1 ? LZMA_CHECK_CRC64 : check, preset, filters);
    case FORMAT_ALONE:
        return init_alone(stream, preset, filters);
    case FORMAT_RAW:
        return init_raw(stream, filters);
    default:
        PyErr_Format(PyExc_ValueError, "Invalid container format: %d", format);
        return -1;
    }
}

static PyObject *compressor_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"format", "check", "preset", "filters", NULL};
    int format = FORMAT_XZ, check = -1;
    PyObject *preset = Py_None, *filters = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|iiOO:LZMACompressor", keywords, &format, &check, &preset, &filters))
        return NULL;
    compressor_t *self = (compressor_t *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    self->stream.allocator = &lzma_raw_allocator;
    if (init_stream(&self->stream, format, check, preset, filters) < 0)
        Py_CLEAR(self);
    return (PyObject *)self;
}

static void compressor_dealloc(PyObject *op)
{
    lzma_end(&((compressor_t *)op)->stream);
    Py_TYPE(op)->tp_free(op);
}

static PyMethodDef compressor_methods[] = {
    {"compress", compressor_compress, METH_O,
     "compress($self, data, /)\n--\n\nTakes data and returns compressed data, some of which may come later."},
    {"flush", compressor_flush, METH_NOARGS,
     "flush($self, /)\n--\n\nThe rest of the compressed data; the compressor is of no use afterwards."},
    {NULL, NULL, 0, NULL},
};

PyTypeObject compressor_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_lzma.LZMACompressor",
    .tp_basicsize = sizeof(compressor_t),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "LZMACompressor(format=FORMAT_XZ, check=-1, preset=None, filters=None)\n\n"
              "Compresses data piece by piece. format: FORMAT_XZ, FORMAT_ALONE or FORMAT_RAW, which needs filters. check: the\n"
              "integrity check of FORMAT_XZ. preset: 0 to 9, perhaps with PRESET_EXTREME. filters: a sequence of dicts instead.",
    .tp_methods = compressor_methods,
    .tp_new = compressor_new,
    .tp_dealloc = compressor_dealloc,
};
