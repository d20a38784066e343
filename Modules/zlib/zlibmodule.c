/* The zlib module: compressing and expanding at one go, checksums. */
#include "zlib_internal.h"

PyObject *zlib_error;

PyObject *zlib_fail(const z_stream *stream, int result, const char *what)
{
    const char *text = result == Z_VERSION_ERROR ? "library version mismatch" : stream->msg;
    if (text == NULL)
        text = result == Z_BUF_ERROR      ? "incomplete or truncated stream"
               : result == Z_STREAM_ERROR ? "inconsistent stream state"
               : result == Z_DATA_ERROR   ? "invalid input data"
                                          : NULL;
    if (text == NULL)
        PyErr_Format(zlib_error, "Error %d %s", result, what);
    else
        PyErr_Format(zlib_error, "Error %d %s: %.200s", result, what, text);
    return NULL;
}

static voidpf allocate(voidpf unused, uInt items, uInt size)
{
    return compression_allocate(items, size);
}

static void release(voidpf unused, voidpf memory)
{
    PyMem_RawFree(memory);
}

void zlib_prepare(z_stream *stream)
{
    memset(stream, 0, sizeof(*stream));
    stream->zalloc = allocate;
    stream->zfree = release;
}

/* ---- At one go ---- */

typedef int (*step_t)(z_stream *stream, int flush);

/* Runs the library over all input. Returns its last result, or -100 with MemoryError. */
static int run(z_stream *stream, step_t step, Py_buffer *data, output_t *out)
{
    Py_ssize_t remaining = data->len;
    int result = Z_OK, flush;
    stream->next_in = data->buf;
    do {
        zlib_feed(stream, &remaining);
        flush = remaining == 0 ? Z_FINISH : Z_NO_FLUSH;
        do {
            if (output_grow(out) < 0)
                return -100;
            stream->next_out = (Bytef *)output_at(out);
            uInt room = stream->avail_out = zlib_room(out);
            Py_BEGIN_ALLOW_THREADS
            result = step(stream, flush);
            Py_END_ALLOW_THREADS
            out->used += room - stream->avail_out;
            if (result != Z_OK && result != Z_BUF_ERROR)
                return result;
        } while (stream->avail_out == 0);
    } while (flush != Z_FINISH);
    return result;
}

static PyObject *zlib_compress(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"", "level", "wbits", NULL};
    Py_buffer data;
    int level = Z_DEFAULT_COMPRESSION, wbits = MAX_WBITS;
    z_stream stream;
    output_t out;
    PyObject *result = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "y*|ii:compress", keywords, &data, &level, &wbits))
        return NULL;
    zlib_prepare(&stream);
    switch (deflateInit2(&stream, level, DEFLATED, wbits, DEF_MEM_LEVEL, Z_DEFAULT_STRATEGY)) {
    case Z_OK:
        break;
    case Z_MEM_ERROR:
        PyErr_SetString(PyExc_MemoryError, "Out of memory while compressing data");
        goto done;
    case Z_STREAM_ERROR:
        PyErr_SetString(zlib_error, "Bad compression level");
        goto done;
    default:
        deflateEnd(&stream);
        zlib_fail(&stream, Z_VERSION_ERROR, "while compressing data");
        goto done;
    }
    if (output_init(&out, DEF_BUF_SIZE, -1) == 0) {
        int status = run(&stream, deflate, &data, &out);
        if (status == Z_STREAM_END)
            result = output_finish(&out);
        else {
            if (status != -100)
                zlib_fail(&stream, status, "while compressing data");
            output_drop(&out);
        }
    }
    deflateEnd(&stream);
done:
    PyBuffer_Release(&data);
    return result;
}

static PyObject *zlib_decompress(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"", "wbits", "bufsize", NULL};
    Py_buffer data;
    int wbits = MAX_WBITS;
    Py_ssize_t size = DEF_BUF_SIZE;
    z_stream stream;
    output_t out;
    PyObject *result = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "y*|in:decompress", keywords, &data, &wbits, &size))
        return NULL;
    if (size < 0) {
        PyErr_SetString(PyExc_ValueError, "bufsize must be non-negative");
        goto done;
    }
    zlib_prepare(&stream);
    int status = inflateInit2(&stream, wbits);
    if (status != Z_OK) {
        if (status == Z_MEM_ERROR)
            PyErr_SetString(PyExc_MemoryError, "Out of memory while decompressing data");
        else
            zlib_fail(&stream, status, "while preparing to decompress data");
        inflateEnd(&stream);
        goto done;
    }
    if (output_init(&out, size == 0 ? 1 : size, -1) == 0) {
        status = run(&stream, inflate, &data, &out);
        if (status == Z_STREAM_END)
            result = output_finish(&out);
        else {
            if (status == Z_MEM_ERROR)
                PyErr_SetString(PyExc_MemoryError, "Out of memory while decompressing data");
            else if (status != -100)
                zlib_fail(&stream, status == Z_OK ? Z_BUF_ERROR : status, "while decompressing data");
            output_drop(&out);
        }
    }
    inflateEnd(&stream);
done:
    PyBuffer_Release(&data);
    return result;
}

/* ---- Checksums ---- */

typedef uLong (*checksum_t)(uLong value, const Bytef *data, z_size_t n);

static PyObject *checksum(PyObject *args, const char *format, checksum_t function, unsigned int value)
{
    Py_buffer data;
    if (!PyArg_ParseTuple(args, format, &data, &value))
        return NULL;
    uLong result = value;
    if (data.len > 5 * 1024) {
        Py_BEGIN_ALLOW_THREADS
        result = function(result, data.buf, (z_size_t)data.len);
        Py_END_ALLOW_THREADS
    }
    else
        result = function(result, data.buf, (z_size_t)data.len);
    PyBuffer_Release(&data);
    return PyLong_FromUnsignedLong(result & 0xffffffffU);
}

static PyObject *zlib_adler32(PyObject *module, PyObject *args)
{
    return checksum(args, "y*|I:adler32", adler32_z, 1);
}

static PyObject *zlib_crc32(PyObject *module, PyObject *args)
{
    return checksum(args, "y*|I:crc32", crc32_z, 0);
}

/* ---- The module ---- */

static PyMethodDef zlib_methods[] = {
    {"adler32", zlib_adler32, METH_VARARGS,
     "adler32($module, data, value=1, /)\n--\n\nThe Adler-32 checksum of data, going on from that of earlier data."},
    {"crc32", zlib_crc32, METH_VARARGS,
     "crc32($module, data, value=0, /)\n--\n\nThe CRC-32 checksum of data, going on from that of earlier data."},
    MODULE_METHOD("compress", zlib_compress, METH_VARARGS | METH_KEYWORDS,
                  "compress($module, data, /, level=Z_DEFAULT_COMPRESSION, wbits=MAX_WBITS)\n--\n\nThe compressed data."),
    MODULE_METHOD("compressobj", zlib_compressobj, METH_VARARGS | METH_KEYWORDS,
                  "compressobj($module, /, level=Z_DEFAULT_COMPRESSION, method=DEFLATED,\n            wbits=MAX_WBITS, "
                  "memLevel=DEF_MEM_LEVEL,\n            strategy=Z_DEFAULT_STRATEGY, zdict=None)\n--\n\n"
                  "An object that compresses data piece by piece."),
    MODULE_METHOD("decompress", zlib_decompress, METH_VARARGS | METH_KEYWORDS,
                  "decompress($module, data, /, wbits=MAX_WBITS, bufsize=DEF_BUF_SIZE)\n--\n\nThe expanded data."),
    MODULE_METHOD("decompressobj", zlib_decompressobj, METH_VARARGS | METH_KEYWORDS,
                  "decompressobj($module, /, wbits=MAX_WBITS, zdict=b'')\n--\n\nAn object that expands data piece by piece."),
    {NULL, NULL, 0, NULL},
};

static const struct { const char *name; long value; } constants[] = {
    {"MAX_WBITS", MAX_WBITS}, {"DEFLATED", DEFLATED}, {"DEF_MEM_LEVEL", DEF_MEM_LEVEL}, {"DEF_BUF_SIZE", DEF_BUF_SIZE},
    {"Z_NO_COMPRESSION", Z_NO_COMPRESSION}, {"Z_BEST_SPEED", Z_BEST_SPEED}, {"Z_BEST_COMPRESSION", Z_BEST_COMPRESSION},
    {"Z_DEFAULT_COMPRESSION", Z_DEFAULT_COMPRESSION}, {"Z_FILTERED", Z_FILTERED}, {"Z_HUFFMAN_ONLY", Z_HUFFMAN_ONLY},
    {"Z_RLE", Z_RLE}, {"Z_FIXED", Z_FIXED}, {"Z_DEFAULT_STRATEGY", Z_DEFAULT_STRATEGY}, {"Z_NO_FLUSH", Z_NO_FLUSH},
    {"Z_PARTIAL_FLUSH", Z_PARTIAL_FLUSH}, {"Z_SYNC_FLUSH", Z_SYNC_FLUSH}, {"Z_FULL_FLUSH", Z_FULL_FLUSH},
    {"Z_FINISH", Z_FINISH}, {"Z_BLOCK", Z_BLOCK}, {"Z_TREES", Z_TREES},
};

static int zlib_exec(PyObject *module)
{
    if (PyType_Ready(&compress_type) < 0 || PyType_Ready(&decompress_type) < 0)
        return -1;
    if (zlib_error == NULL && (zlib_error = PyErr_NewException("zlib.error", NULL, NULL)) == NULL)
        return -1;
    for (size_t i = 0; i < sizeof(constants) / sizeof(constants[0]); i++)
        if (PyModule_AddIntConstant(module, constants[i].name, constants[i].value) < 0)
            return -1;
    return PyModule_AddObjectRef(module, "error", zlib_error) < 0
                   || PyModule_AddStringConstant(module, "ZLIB_VERSION", ZLIB_VERSION) < 0
                   || PyModule_AddStringConstant(module, "ZLIB_RUNTIME_VERSION", zlibVersion()) < 0
                   || PyModule_AddStringConstant(module, "__version__", "1.0") < 0
               ? -1
               : 0;
}

static PyModuleDef_Slot zlib_slots[] = {
    {Py_mod_exec, (void *)zlib_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef zlib_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "zlib",
    .m_doc = "Compression in the formats of zlib and gzip, and their checksums.\n\n"
             "wbits is the logarithm of the window: 9 to 15 for the zlib format, negative for none, 16 more for that of gzip.",
    .m_methods = zlib_methods,
    .m_slots = zlib_slots,
};

PyMODINIT_FUNC PyInit_zlib(void)
{
    return PyModuleDef_Init(&zlib_module);
}
