/* Compress objects. The mutex guards the stream. */
#include "zlib_internal.h"

typedef struct {
    PyObject_HEAD
    z_stream stream;            /* [mutex] */
    int open;                   /* [mutex] the stream has been initialised, and not ended */
    PyMutex mutex;
} compress_t;

static compress_t *new_object(void)
{
    compress_t *self = (compress_t *)compress_type.tp_alloc(&compress_type, 0);
    if (self != NULL)
        zlib_prepare(&self->stream);
    return self;
}

/* 0, or -1 with an exception. */
static int set_dictionary(compress_t *self, Py_buffer *dictionary)
{
    if (dictionary->len > (Py_ssize_t)UINT_MAX) {
        PyErr_SetString(PyExc_OverflowError, "zdict length does not fit in an unsigned int");
        return -1;
    }
    switch (deflateSetDictionary(&self->stream, dictionary->buf, (uInt)dictionary->len)) {
    case Z_OK:
        return 0;
    case Z_STREAM_ERROR:
        PyErr_SetString(PyExc_ValueError, "Invalid dictionary");
        return -1;
    default:
        PyErr_SetString(PyExc_ValueError, "deflateSetDictionary()");
        return -1;
    }
}

PyObject *zlib_compressobj(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"level", "method", "wbits", "memLevel", "strategy", "zdict", NULL};
    int level = Z_DEFAULT_COMPRESSION, method = DEFLATED, wbits = MAX_WBITS, mem_level = DEF_MEM_LEVEL,
        strategy = Z_DEFAULT_STRATEGY;
    Py_buffer dictionary = {.buf = NULL, .obj = NULL};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|iiiiiy*:compressobj", keywords, &level, &method, &wbits, &mem_level, &strategy,
                                     &dictionary))
        return NULL;
    compress_t *self = new_object();
    if (self == NULL)
        goto done;
    switch (deflateInit2(&self->stream, level, method, wbits, mem_level, strategy)) {
    case Z_OK:
        self->open = 1;
        if (dictionary.obj != NULL && set_dictionary(self, &dictionary) < 0)
            Py_CLEAR(self);
        break;
    case Z_MEM_ERROR:
        PyErr_SetString(PyExc_MemoryError, "Can't allocate memory for compression object");
        Py_CLEAR(self);
        break;
    case Z_STREAM_ERROR:
        PyErr_SetString(PyExc_ValueError, "Invalid initialization option");
        Py_CLEAR(self);
        break;
    default:
        zlib_fail(&self->stream, Z_VERSION_ERROR, "while creating compression object");
        Py_CLEAR(self);
    }
done:
    if (dictionary.obj != NULL)
        PyBuffer_Release(&dictionary);
    return (PyObject *)self;
}

/* Compresses what is in the stream's input, all output to `out`. The library's result, or -100 with MemoryError. */
static int drain(compress_t *self, output_t *out, int flush)
{
    z_stream *stream = &self->stream;
    int result;
    do {
        if (output_grow(out) < 0)
            return -100;
        stream->next_out = (Bytef *)output_at(out);
        uInt room = stream->avail_out = zlib_room(out);
        Py_BEGIN_ALLOW_THREADS
        result = deflate(stream, flush);
        Py_END_ALLOW_THREADS
        out->used += room - stream->avail_out;
        if (result == Z_STREAM_ERROR)
            return result;
    } while (stream->avail_out == 0);
    return result;
}

static int compress_locked(compress_t *self, Py_buffer *data, output_t *out)
{
    Py_ssize_t remaining = data->len;
    int result;
    self->stream.next_in = data->buf;
    do {
        zlib_feed(&self->stream, &remaining);
        result = drain(self, out, Z_NO_FLUSH);
    } while (remaining != 0 && result != Z_STREAM_ERROR && result != -100);
    if (result == Z_STREAM_ERROR)
        zlib_fail(&self->stream, result, "while compressing data");
    return result == Z_STREAM_ERROR || result == -100 ? -1 : 0;
}

static PyObject *compress_compress(PyObject *op, PyObject *arg)
{
    compress_t *self = (compress_t *)op;
    Py_buffer data;
    output_t out;
    PyObject *result = NULL;
    if (PyObject_GetBuffer(arg, &data, PyBUF_SIMPLE) < 0)
        return NULL;
    if (output_init(&out, DEF_BUF_SIZE, -1) == 0) {
        PyMutex_Lock(&self->mutex);
        int failed = compress_locked(self, &data, &out);
        PyMutex_Unlock(&self->mutex);
        if (failed)
            output_drop(&out);
        else
            result = output_finish(&out);
    }
    PyBuffer_Release(&data);
    return result;
}

static int flush_locked(compress_t *self, int mode, output_t *out)
{
    self->stream.avail_in = 0;
    int result = drain(self, out, mode);
    if (result == -100)
        return -1;
    if (result == Z_STREAM_END && mode == Z_FINISH) {
        result = deflateEnd(&self->stream);
        if (result != Z_OK) {
            zlib_fail(&self->stream, result, "while finishing compression");
            return -1;
        }
        self->open = 0;
        return 0;
    }
    if (result != Z_OK && result != Z_BUF_ERROR) {
        zlib_fail(&self->stream, result, "while flushing");
        return -1;
    }
    return 0;
}

static PyObject *compress_flush(PyObject *op, PyObject *args)
{
    compress_t *self = (compress_t *)op;
    int mode = Z_FINISH;
    output_t out;
    if (!PyArg_ParseTuple(args, "|i:flush", &mode))
        return NULL;
    if (mode == Z_NO_FLUSH)
        return PyBytes_FromStringAndSize(NULL, 0);
    if (output_init(&out, DEF_BUF_SIZE, -1) < 0)
        return NULL;
    PyMutex_Lock(&self->mutex);
    int failed = flush_locked(self, mode, &out);
    PyMutex_Unlock(&self->mutex);
    if (failed) {
        output_drop(&out);
        return NULL;
    }
    return output_finish(&out);
}

static PyObject *compress_copy(PyObject *op, PyObject *unused)
{
    compress_t *self = (compress_t *)op, *copy = new_object();
    if (copy == NULL)
        return NULL;
    PyMutex_Lock(&self->mutex);
    int result = deflateCopy(&copy->stream, &self->stream);
    copy->open = result == Z_OK;
    PyMutex_Unlock(&self->mutex);
    if (result == Z_OK)
        return (PyObject *)copy;
    if (result == Z_STREAM_ERROR)
        PyErr_SetString(PyExc_ValueError, "Inconsistent stream state");
    else if (result == Z_MEM_ERROR)
        PyErr_SetString(PyExc_MemoryError, "Can't allocate memory for compression object");
    else
        zlib_fail(&self->stream, result, "while copying compression object");
    Py_DECREF(copy);
    return NULL;
}

static void compress_dealloc(PyObject *op)
{
    if (((compress_t *)op)->open)
        deflateEnd(&((compress_t *)op)->stream);
    Py_TYPE(op)->tp_free(op);
}

static PyMethodDef compress_methods[] = {
    {"compress", compress_compress, METH_O,
     "compress($self, data, /)\n--\n\nTakes data and returns compressed data, some of which may come later."},
    {"flush", compress_flush, METH_VARARGS,
     "flush($self, mode=zlib.Z_FINISH, /)\n--\n\nThe rest of the compressed data; after Z_FINISH the object is of no use."},
    {"copy", compress_copy, METH_NOARGS, "copy($self, /)\n--\n\nAn object in the same state."},
    {"__copy__", compress_copy, METH_NOARGS, "__copy__($self, /)\n--\n\nAn object in the same state."},
    {"__deepcopy__", compress_copy, METH_O, "__deepcopy__($self, memo, /)\n--\n\nAn object in the same state."},
    {NULL, NULL, 0, NULL},
};

PyTypeObject compress_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "zlib.Compress",
    .tp_basicsize = sizeof(compress_t),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_methods = compress_methods,
    .tp_dealloc = compress_dealloc,
};
