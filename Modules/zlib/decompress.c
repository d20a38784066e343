/* Decompress objects. The mutex guards the stream. */
#include "zlib_internal.h"

typedef struct {
    PyObject_HEAD
    z_stream stream;            /* [mutex] */
    int open;                   /* [mutex] the stream has been initialised, and not ended */
    int raw;                    /* [const] the format has no header that asks for the dictionary */
    PyObject *dictionary;       /* [const] what supports the buffer protocol, or NULL */
    PyObject *unused_data;      /* [lock; replaced under the mutex] bytes */
    PyObject *unconsumed_tail;  /* [lock; replaced under the mutex] bytes */
    char eof;                   /* [atomic] */
    PyMutex mutex;
} decompress_t;

static decompress_t *new_object(void)
{
    decompress_t *self = (decompress_t *)decompress_type.tp_alloc(&decompress_type, 0);
    if (self == NULL)
        return NULL;
    zlib_prepare(&self->stream);
    self->unused_data = PyBytes_FromStringAndSize(NULL, 0);
    self->unconsumed_tail = PyBytes_FromStringAndSize(NULL, 0);
    if (self->unused_data == NULL || self->unconsumed_tail == NULL)
        Py_CLEAR(self);
    return self;
}

/* Gives the library the dictionary. 0, or -1 with an exception. */
static int set_dictionary(decompress_t *self)
{
    Py_buffer view;
    if (PyObject_GetBuffer(self->dictionary, &view, PyBUF_SIMPLE) < 0)
        return -1;
    int result = Z_DATA_ERROR;
    if (view.len > (Py_ssize_t)UINT_MAX)
        PyErr_SetString(PyExc_OverflowError, "zdict length does not fit in an unsigned int");
    else {
        result = inflateSetDictionary(&self->stream, view.buf, (uInt)view.len);
        if (result != Z_OK)
            zlib_fail(&self->stream, result, "while setting zdict");
    }
    PyBuffer_Release(&view);
    return result == Z_OK ? 0 : -1;
}

PyObject *zlib_decompressobj(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"wbits", "zdict", NULL};
    int wbits = MAX_WBITS;
    PyObject *dictionary = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|iO:decompressobj", keywords, &wbits, &dictionary))
        return NULL;
    if (dictionary != NULL && !PyObject_CheckBuffer(dictionary)) {
        PyErr_SetString(PyExc_TypeError, "zdict argument must support the buffer protocol");
        return NULL;
    }
    decompress_t *self = new_object();
    if (self == NULL)
        return NULL;
    self->dictionary = Py_XNewRef(dictionary);
    self->raw = wbits < 0;
    switch (inflateInit2(&self->stream, wbits)) {
    case Z_OK:
        self->open = 1;
        if (dictionary != NULL && self->raw && set_dictionary(self) < 0)
            Py_CLEAR(self);
        break;
    case Z_STREAM_ERROR:
        PyErr_SetString(PyExc_ValueError, "Invalid initialization option");
        Py_CLEAR(self);
        break;
    case Z_MEM_ERROR:
        PyErr_SetString(PyExc_MemoryError, "Can't allocate memory for decompression object");
        Py_CLEAR(self);
        break;
    default:
        zlib_fail(&self->stream, Z_VERSION_ERROR, "while creating decompression object");
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

/* Keeps the input that has not been used: behind the end of the stream as unused_data, else as unconsumed_tail. */
static int keep_rest(decompress_t *self, Py_buffer *data, int result)
{
    Py_ssize_t left = (Byte *)data->buf + data->len - self->stream.next_in;
    if (result == Z_STREAM_END) {
        if (left > 0) {
            Py_ssize_t n = PyBytes_GET_SIZE(self->unused_data);
            PyObject *joined = left > PY_SSIZE_T_MAX - n ? PyErr_NoMemory() : PyBytes_FromStringAndSize(NULL, n + left);
            if (joined == NULL)
                return -1;
            memcpy(PyBytes_AS_STRING(joined), PyBytes_AS_STRING(self->unused_data), (size_t)n);
            memcpy(PyBytes_AS_STRING(joined) + n, self->stream.next_in, (size_t)left);
            set_bytes_attribute((PyObject *)self, &self->unused_data, joined);
        }
        left = 0;
    }
    if (left > 0 || PyBytes_GET_SIZE(self->unconsumed_tail) > 0) {
        PyObject *tail = PyBytes_FromStringAndSize((char *)self->stream.next_in, left);
        if (tail == NULL)
            return -1;
        set_bytes_attribute((PyObject *)self, &self->unconsumed_tail, tail);
    }
    return 0;
}

/* Expands the input as far as the output's limit allows. The library's result; -100: with an exception. */
static int expand(decompress_t *self, Py_buffer *data, output_t *out, int finish)
{
    z_stream *stream = &self->stream;
    Py_ssize_t remaining = data->len;
    int result = Z_OK, more = 1;
    stream->next_in = data->buf;
    do {
        zlib_feed(stream, &remaining);
        int flush = finish && remaining == 0 ? Z_FINISH : Z_SYNC_FLUSH;
        do {
            more = output_grow(out);
            if (more < 0)
                return -100;
            if (more == 0)
                return result;
            stream->next_out = (Bytef *)output_at(out);
            uInt room = stream->avail_out = zlib_room(out);
            Py_BEGIN_ALLOW_THREADS
            result = inflate(stream, flush);
            Py_END_ALLOW_THREADS
            out->used += room - stream->avail_out;
            if (result == Z_NEED_DICT && self->dictionary != NULL) {
                if (set_dictionary(self) < 0)
                    return -100;
            }
            else if (result != Z_OK && result != Z_BUF_ERROR)
                return result;
        } while (stream->avail_out == 0 || result == Z_NEED_DICT);
    } while (remaining != 0);
    return result;
}

static int decompress_locked(decompress_t *self, Py_buffer *data, output_t *out)
{
    int result = expand(self, data, out, 0);
    if (result == -100 || keep_rest(self, data, result) < 0)
        return -1;
    if (result == Z_STREAM_END)
        __atomic_store_n(&self->eof, 1, __ATOMIC_RELAXED);
    else if (result != Z_OK && result != Z_BUF_ERROR) {
        zlib_fail(&self->stream, result, "while decompressing data");
        return -1;
    }
    return 0;
}

static PyObject *decompress_decompress(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"", "max_length", NULL};
    decompress_t *self = (decompress_t *)op;
    Py_buffer data;
    Py_ssize_t limit = 0;
    output_t out;
    PyObject *result = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "y*|n:decompress", keywords, &data, &limit))
        return NULL;
    if (limit < 0)
        PyErr_SetString(PyExc_ValueError, "max_length must be non-negative");
    else if (output_init(&out, DEF_BUF_SIZE, limit == 0 ? -1 : limit) == 0) {
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

static int flush_locked(decompress_t *self, output_t *out)
{
    PyObject *tail = Py_NewRef(self->unconsumed_tail);
    Py_buffer data = {.buf = PyBytes_AS_STRING(tail), .len = PyBytes_GET_SIZE(tail)};
    int result = expand(self, &data, out, 1);
    int failed = result == -100 || keep_rest(self, &data, result) < 0;
    if (!failed && result == Z_STREAM_END) {
        __atomic_store_n(&self->eof, 1, __ATOMIC_RELAXED);
        result = inflateEnd(&self->stream);
        self->open = 0;
        failed = result != Z_OK;
        if (failed)
            zlib_fail(&self->stream, result, "while finishing decompression");
    }
    Py_DECREF(tail);
    return failed ? -1 : 0;
}

static PyObject *decompress_flush(PyObject *op, PyObject *args)
{
    decompress_t *self = (decompress_t *)op;
    Py_ssize_t size = DEF_BUF_SIZE;
    output_t out;
    if (!PyArg_ParseTuple(args, "|n:flush", &size))
        return NULL;
    if (size <= 0) {
        PyErr_SetString(PyExc_ValueError, "length must be greater than zero");
        return NULL;
    }
    if (output_init(&out, size, -1) < 0)
        return NULL;
    PyMutex_Lock(&self->mutex);
    int failed = flush_locked(self, &out);
    PyMutex_Unlock(&self->mutex);
    if (failed) {
        output_drop(&out);
        return NULL;
    }
    return output_finish(&out);
}

static int copy_locked(decompress_t *self, decompress_t *copy)
{
    int result = inflateCopy(&copy->stream, &self->stream);
    copy->open = result == Z_OK;
    copy->raw = self->raw;
    copy->eof = self->eof;
    copy->dictionary = Py_XNewRef(self->dictionary);
    Py_SETREF(copy->unused_data, Py_NewRef(self->unused_data));
    Py_SETREF(copy->unconsumed_tail, Py_NewRef(self->unconsumed_tail));
    return result;
}

static PyObject *decompress_copy(PyObject *op, PyObject *unused)
{
    decompress_t *self = (decompress_t *)op, *copy = new_object();
    if (copy == NULL)
        return NULL;
    PyMutex_Lock(&self->mutex);
    int result = copy_locked(self, copy);
    PyMutex_Unlock(&self->mutex);
    if (result == Z_OK)
        return (PyObject *)copy;
    if (result == Z_STREAM_ERROR)
        PyErr_SetString(PyExc_ValueError, "Inconsistent stream state");
    else if (result == Z_MEM_ERROR)
        PyErr_SetString(PyExc_MemoryError, "Can't allocate memory for decompression object");
    else
        zlib_fail(&self->stream, result, "while copying decompression object");
    Py_DECREF(copy);
    return NULL;
}

static void decompress_dealloc(PyObject *op)
{
    decompress_t *self = (decompress_t *)op;
    if (self->open)
        inflateEnd(&self->stream);
    Py_XDECREF(self->dictionary);
    Py_XDECREF(self->unused_data);
    Py_XDECREF(self->unconsumed_tail);
    Py_TYPE(op)->tp_free(op);
}

static PyMemberDef decompress_members[] = {
    {"unused_data", T_OBJECT, offsetof(decompress_t, unused_data), READONLY, "What came behind the compressed data."},
    {"unconsumed_tail", T_OBJECT, offsetof(decompress_t, unconsumed_tail), READONLY, "What max_length left over."},
    {"eof", T_BOOL, offsetof(decompress_t, eof), READONLY, "Has the end of the compressed data been seen?"},
    {NULL, 0, 0, 0, NULL},
};

static PyMethodDef decompress_methods[] = {
    MODULE_METHOD("decompress", decompress_decompress, METH_VARARGS | METH_KEYWORDS,
                  "decompress($self, data, /, max_length=0)\n--\n\n"
                  "Takes data and returns expanded data, max_length bytes at most if that is not 0: what was not needed for\n"
                  "them is to be found in unconsumed_tail."),
    {"flush", decompress_flush, METH_VARARGS, "flush($self, length=zlib.DEF_BUF_SIZE, /)\n--\n\nThe rest of the expanded data."},
    {"copy", decompress_copy, METH_NOARGS, "copy($self, /)\n--\n\nAn object in the same state."},
    {"__copy__", decompress_copy, METH_NOARGS, "__copy__($self, /)\n--\n\nAn object in the same state."},
    {"__deepcopy__", decompress_copy, METH_O, "__deepcopy__($self, memo, /)\n--\n\nAn object in the same state."},
    {NULL, NULL, 0, NULL},
};

PyTypeObject decompress_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "zlib.Decompress",
    .tp_basicsize = sizeof(decompress_t),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_methods = decompress_methods,
    .tp_members = decompress_members,
    .tp_dealloc = decompress_dealloc,
};
