/* The _bz2 module: compressors and decompressors of the bzip2 format. compression_buffers.h says how they are locked. */
#include "compression_buffers.h"

#include <bzlib.h>

enum { FIRST_SIZE = 32 * 1024 };

/* ---- The library ---- */

/* 0 if the result is none of the library's errors, or -1 with an exception. */
static int check_result(int result)
{
    switch (result) {
    case BZ_OK: case BZ_RUN_OK: case BZ_FLUSH_OK: case BZ_FINISH_OK: case BZ_STREAM_END:
        return 0;
    case BZ_MEM_ERROR:
        PyErr_NoMemory();
        return -1;
    case BZ_PARAM_ERROR:
        PyErr_SetString(PyExc_ValueError, "Internal error - invalid parameters passed to libbzip2");
        return -1;
    case BZ_DATA_ERROR: case BZ_DATA_ERROR_MAGIC:
        PyErr_SetString(PyExc_OSError, "Invalid data stream");
        return -1;
    case BZ_IO_ERROR:
        PyErr_SetString(PyExc_OSError, "Unknown I/O error");
        return -1;
    case BZ_UNEXPECTED_EOF:
        PyErr_SetString(PyExc_EOFError, "Compressed file ended before the logical end-of-stream was detected");
        return -1;
    case BZ_SEQUENCE_ERROR:
        PyErr_SetString(PyExc_RuntimeError, "Internal error - Invalid sequence of commands sent to libbzip2");
        return -1;
    default:
        PyErr_Format(PyExc_OSError, "Unrecognized error from libbzip2: %d", result);
        return -1;
    }
}

static void *allocate(void *unused, int items, int size)
{
    return items < 0 || size < 0 ? NULL : compression_allocate((size_t)items, (size_t)size);
}

static void release(void *unused, void *memory)
{
    PyMem_RawFree(memory);
}

static unsigned clip(Py_ssize_t n)
{
    return n > (Py_ssize_t)UINT_MAX ? UINT_MAX : (unsigned)n;
}

/* ---- Compressors ---- */

typedef struct {
    PyObject_HEAD
    bz_stream stream;           /* [mutex] */
    int flushed;                /* [mutex] */
    PyMutex mutex;
} compressor_t;

/* Compresses n bytes; action: BZ_RUN or BZ_FINISH. */
static int compress_locked(compressor_t *self, const char *data, Py_ssize_t n, int action, output_t *out)
{
    bz_stream *stream = &self->stream;
    stream->next_in = (char *)data;
    stream->avail_in = 0;
    for (;;) {
        if (stream->avail_in == 0 && n > 0) {
            stream->avail_in = clip(n);
            n -= stream->avail_in;
        }
        if (action == BZ_RUN && stream->avail_in == 0)
            return 0;
        if (output_grow(out) < 0)
            return -1;
        stream->next_out = output_at(out);
        unsigned room = stream->avail_out = clip(output_room(out));
        int result;
        Py_BEGIN_ALLOW_THREADS
        result = BZ2_bzCompress(stream, action);
        Py_END_ALLOW_THREADS
        out->used += room - stream->avail_out;
        if (check_result(result) < 0)
            return -1;
        if (action == BZ_FINISH && result == BZ_STREAM_END)
            return 0;
    }
}

static PyObject *run_compressor(compressor_t *self, const char *data, Py_ssize_t n, int action)
{
    output_t out;
    int failed = -1;
    if (output_init(&out, FIRST_SIZE, -1) < 0)
        return NULL;
    PyMutex_Lock(&self->mutex);
    if (self->flushed)
        PyErr_SetString(PyExc_ValueError, action == BZ_FINISH ? "Repeated call to flush()" : "Compressor has been flushed");
    else {
        self->flushed = action == BZ_FINISH;
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
    PyObject *result = run_compressor((compressor_t *)op, data.buf, data.len, BZ_RUN);
    PyBuffer_Release(&data);
    return result;
}

static PyObject *compressor_flush(PyObject *op, PyObject *unused)
{
    return run_compressor((compressor_t *)op, NULL, 0, BZ_FINISH);
}

static PyObject *compressor_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    int level = 9;
    if (!_PyArg_NoKeywords("BZ2Compressor", kwargs) || !PyArg_ParseTuple(args, "|i:BZ2Compressor", &level))
        return NULL;
    if (level < 1 || level > 9) {
        PyErr_SetString(PyExc_ValueError, "compresslevel must be between 1 and 9");
        return NULL;
    }
    compressor_t *self = (compressor_t *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    self->stream.bzalloc = allocate;
    self->stream.bzfree = release;
    if (check_result(BZ2_bzCompressInit(&self->stream, level, 0, 0)) < 0)
        Py_CLEAR(self);
    return (PyObject *)self;
}

static void compressor_dealloc(PyObject *op)
{
    BZ2_bzCompressEnd(&((compressor_t *)op)->stream);
    Py_TYPE(op)->tp_free(op);
}

static PyMethodDef compressor_methods[] = {
    {"compress", compressor_compress, METH_O,
     "compress($self, data, /)\n--\n\nTakes data and returns compressed data, some of which may come later."},
    {"flush", compressor_flush, METH_NOARGS,
     "flush($self, /)\n--\n\nThe rest of the compressed data; the compressor is of no use afterwards."},
    {NULL, NULL, 0, NULL},
};

static PyTypeObject compressor_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_bz2.BZ2Compressor",
    .tp_basicsize = sizeof(compressor_t),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "BZ2Compressor(compresslevel=9, /)\n--\n\nCompresses data piece by piece. compresslevel: 1 to 9.",
    .tp_methods = compressor_methods,
    .tp_new = compressor_new,
    .tp_dealloc = compressor_dealloc,
};

/* ---- Decompressors ---- */

typedef struct {
    PyObject_HEAD
    bz_stream stream;           /* [mutex] */
    pending_t pending;          /* [mutex] */
    char eof, needs_input;      /* [atomic] */
    char failed;                /* [mutex] the library's state is not to be trusted any more */
    PyObject *unused_data;      /* [lock; replaced under the mutex] bytes */
    PyMutex mutex;
} decompressor_t;

/* Expands *n bytes at *data as far as the limit of the output allows; they are the rest afterwards. */
static int expand(decompressor_t *self, const char **data, Py_ssize_t *n, output_t *out)
{
    bz_stream *stream = &self->stream;
    int more = 1;
    while (!self->eof && (more = output_grow(out)) > 0) {
        stream->next_in = (char *)*data;
        unsigned given = stream->avail_in = clip(*n);
        stream->next_out = output_at(out);
        unsigned room = stream->avail_out = clip(output_room(out));
        int result;
        Py_BEGIN_ALLOW_THREADS
        result = BZ2_bzDecompress(stream);
        Py_END_ALLOW_THREADS
        out->used += room - stream->avail_out;
        *data += given - stream->avail_in;
        *n -= given - stream->avail_in;
        if (check_result(result) < 0)
            return -1;
        if (result == BZ_STREAM_END)
            __atomic_store_n(&self->eof, 1, __ATOMIC_RELAXED);
        else if (*n == 0 && stream->avail_out > 0)
            break;
    }
    return more < 0 ? -1 : 0;
}

static int decompress_locked(decompressor_t *self, Py_buffer *view, output_t *out)
{
    const char *data = view->buf;
    Py_ssize_t n = view->len;
    if (self->eof) {
        PyErr_SetString(PyExc_EOFError, "End of stream already reached");
        return -1;
    }
    if (self->failed) {
        PyErr_SetString(PyExc_ValueError, "Decompressor is unusable after a previous error");
        return -1;
    }
    if (self->pending.length > 0) {
        if (pending_add(&self->pending, data, (size_t)n) < 0)
            return -1;
        data = self->pending.data + self->pending.start;
        n = (Py_ssize_t)self->pending.length;
    }
    if (expand(self, &data, &n, out) < 0) {
        self->failed = 1;
        __atomic_store_n(&self->needs_input, 0, __ATOMIC_RELAXED);
        pending_free(&self->pending);
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

static PyObject *decompressor_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if (!_PyArg_NoPositional("BZ2Decompressor", args) || !_PyArg_NoKeywords("BZ2Decompressor", kwargs))
        return NULL;
    decompressor_t *self = (decompressor_t *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    self->needs_input = 1;
    self->unused_data = PyBytes_FromStringAndSize(NULL, 0);
    self->stream.bzalloc = allocate;
    self->stream.bzfree = release;
    if (self->unused_data == NULL || check_result(BZ2_bzDecompressInit(&self->stream, 0, 0)) < 0)
        Py_CLEAR(self);
    return (PyObject *)self;
}

static void decompressor_dealloc(PyObject *op)
{
    decompressor_t *self = (decompressor_t *)op;
    BZ2_bzDecompressEnd(&self->stream);
    pending_free(&self->pending);
    Py_XDECREF(self->unused_data);
    Py_TYPE(op)->tp_free(op);
}

static PyMemberDef decompressor_members[] = {
    {"eof", T_BOOL, offsetof(decompressor_t, eof), READONLY, "Has the end of the stream been reached?"},
    {"unused_data", T_OBJECT, offsetof(decompressor_t, unused_data), READONLY, "What came behind the end of the stream."},
    {"needs_input", T_BOOL, offsetof(decompressor_t, needs_input), READONLY, "Is more input needed for more output?"},
    {NULL, 0, 0, 0, NULL},
};

static PyMethodDef decompressor_methods[] = {
    MODULE_METHOD("decompress", decompressor_decompress, METH_VARARGS | METH_KEYWORDS,
                  "decompress($self, /, data, max_length=-1)\n--\n\n"
                  "Takes data and returns expanded data, max_length bytes at most if that is not negative; input that is left\n"
                  "over is used at the next call."),
    {NULL, NULL, 0, NULL},
};

static PyTypeObject decompressor_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_bz2.BZ2Decompressor",
    .tp_basicsize = sizeof(decompressor_t),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "BZ2Decompressor()\n--\n\nExpands data piece by piece.",
    .tp_methods = decompressor_methods,
    .tp_members = decompressor_members,
    .tp_new = decompressor_new,
    .tp_dealloc = decompressor_dealloc,
};

/* ---- The module ---- */

static int bz2_exec(PyObject *module)
{
    return PyModule_AddType(module, &compressor_type) < 0 ? -1 : PyModule_AddType(module, &decompressor_type);
}

static PyModuleDef_Slot bz2_slots[] = {
    {Py_mod_exec, (void *)bz2_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef bz2_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_bz2",
    .m_doc = "Compressors and decompressors: see the module bz2.",
    .m_slots = bz2_slots,
};

PyMODINIT_FUNC PyInit__bz2(void)
{
    return PyModuleDef_Init(&bz2_module);
}
