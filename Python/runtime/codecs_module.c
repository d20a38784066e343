/* The _codecs module: the built-in codecs and the registry for the `codecs` module and the `encodings` package. */
#include <Python.h>
#include "stable_buffer.h"
#include "unicode.h"

/* (object, length): what every codec function returns. Steals object. */
static PyObject *result_pair(PyObject *object, Py_ssize_t length)
{
    return object == NULL ? NULL : Py_BuildValue("(Nn)", object, length);
}

/* ---- Registry ---- */

static PyObject *codecs_register(PyObject *Py_UNUSED(module), PyObject *function)
{
    if (PyCodec_Register(function) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *codecs_unregister(PyObject *Py_UNUSED(module), PyObject *function)
{
    if (PyCodec_Unregister(function) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *codecs_lookup(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    const char *encoding;
    if (!_PyArg_ParseStack(args, nargs, "s:lookup", &encoding))
        return NULL;
    return _PyCodec_Lookup(encoding);
}

static PyObject *forget_codec(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    const char *encoding;
    if (!_PyArg_ParseStack(args, nargs, "s:_forget_codec", &encoding) || _PyCodec_Forget(encoding) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *register_error(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    const char *name;
    PyObject *handler;
    if (!_PyArg_ParseStack(args, nargs, "sO:register_error", &name, &handler)
        || PyCodec_RegisterError(name, handler) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *lookup_error(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    const char *name;
    if (!_PyArg_ParseStack(args, nargs, "s:lookup_error", &name))
        return NULL;
    return PyCodec_LookupError(name);
}

static PyObject *codecs_encode(PyObject *Py_UNUSED(module), PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"obj", "encoding", "errors", NULL};
    PyObject *obj;
    const char *encoding = "utf-8", *errors = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|ss:encode", keywords, &obj, &encoding, &errors))
        return NULL;
    return PyCodec_Encode(obj, encoding, errors);
}

static PyObject *codecs_decode(PyObject *Py_UNUSED(module), PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"obj", "encoding", "errors", NULL};
    PyObject *obj;
    const char *encoding = "utf-8", *errors = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|ss:decode", keywords, &obj, &encoding, &errors))
        return NULL;
    return PyCodec_Decode(obj, encoding, errors);
}

/* ---- Decoders: (data, errors=None, final=False) ---- */

typedef PyObject *(*decoder_t)(const char *s, Py_ssize_t size, const char *errors, Py_ssize_t *consumed);

/* format: what _PyArg_ParseStack gets. final: the default; NULL consumed is passed when it is true. */
static PyObject *decode(PyObject *const *args, Py_ssize_t nargs, const char *format, int final, decoder_t decoder)
{
    Py_buffer data;
    const char *errors = NULL;
    if (!_PyArg_ParseStack(args, nargs, format, &data, &errors, &final) || stable_buffer_own(&data) < 0)
        return NULL;
    Py_ssize_t consumed = data.len;
    PyObject *str = decoder(data.buf, data.len, errors, final ? NULL : &consumed);
    PyBuffer_Release(&data);
    return result_pair(str, consumed);
}

/* ---- Byte order variants ---- */

#define ORDERED(name, decode_function, fixed_order) \
    static PyObject *name(const char *s, Py_ssize_t size, const char *errors, Py_ssize_t *consumed) \
    { \
        int order = (fixed_order); \
        return decode_function(s, size, errors, &order, consumed); \
    }
ORDERED(decode_utf_16, PyUnicode_DecodeUTF16Stateful, 0)
ORDERED(decode_utf_16_le, PyUnicode_DecodeUTF16Stateful, -1)
ORDERED(decode_utf_16_be, PyUnicode_DecodeUTF16Stateful, 1)
ORDERED(decode_utf_32, PyUnicode_DecodeUTF32Stateful, 0)
ORDERED(decode_utf_32_le, PyUnicode_DecodeUTF32Stateful, -1)
ORDERED(decode_utf_32_be, PyUnicode_DecodeUTF32Stateful, 1)

static PyObject *decode_latin_1(const char *s, Py_ssize_t size, const char *errors, Py_ssize_t *Py_UNUSED(consumed))
{
    return PyUnicode_DecodeLatin1(s, size, errors);
}

static PyObject *decode_ascii(const char *s, Py_ssize_t size, const char *errors, Py_ssize_t *Py_UNUSED(consumed))
{
    return PyUnicode_DecodeASCII(s, size, errors);
}

#define DECODER(name, format, final, decoder) \
    static PyObject *name##_decode(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs) \
    { \
        return decode(args, nargs, format ":" #name "_decode", final, decoder); \
    }
DECODER(utf_7, "y*|zp", 0, PyUnicode_DecodeUTF7Stateful)
DECODER(utf_8, "y*|zp", 0, PyUnicode_DecodeUTF8Stateful)
DECODER(utf_16, "y*|zp", 0, decode_utf_16)
DECODER(utf_16_le, "y*|zp", 0, decode_utf_16_le)
DECODER(utf_16_be, "y*|zp", 0, decode_utf_16_be)
DECODER(utf_32, "y*|zp", 0, decode_utf_32)
DECODER(utf_32_le, "y*|zp", 0, decode_utf_32_le)
DECODER(utf_32_be, "y*|zp", 0, decode_utf_32_be)
DECODER(unicode_escape, "s*|zp", 1, _PyUnicode_DecodeUnicodeEscapeStateful)
DECODER(raw_unicode_escape, "s*|zp", 1, _PyUnicode_DecodeRawUnicodeEscapeStateful)
DECODER(latin_1, "y*|z", 1, decode_latin_1)
DECODER(ascii, "y*|z", 1, decode_ascii)

typedef PyObject *(*ordered_decoder_t)(const char *, Py_ssize_t, const char *, int *, Py_ssize_t *);

/* (data, errors, byteorder, final) -> (str, length, byteorder) */
static PyObject *ex_decode(PyObject *const *args, Py_ssize_t nargs, const char *format, ordered_decoder_t decoder)
{
    Py_buffer data;
    const char *errors = NULL;
    int order = 0, final = 0;
    if (!_PyArg_ParseStack(args, nargs, format, &data, &errors, &order, &final) || stable_buffer_own(&data) < 0)
        return NULL;
    Py_ssize_t consumed = data.len;
    PyObject *str = decoder(data.buf, data.len, errors, &order, final ? NULL : &consumed);
    PyBuffer_Release(&data);
    return str == NULL ? NULL : Py_BuildValue("(Nni)", str, consumed, order);
}

static PyObject *utf_16_ex_decode(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    return ex_decode(args, nargs, "y*|zip:utf_16_ex_decode", PyUnicode_DecodeUTF16Stateful);
}

static PyObject *utf_32_ex_decode(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    return ex_decode(args, nargs, "y*|zip:utf_32_ex_decode", PyUnicode_DecodeUTF32Stateful);
}

static PyObject *charmap_decode(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    Py_buffer data;
    const char *errors = NULL;
    PyObject *mapping = Py_None;
    if (!_PyArg_ParseStack(args, nargs, "y*|zO:charmap_decode", &data, &errors, &mapping)
        || stable_buffer_own(&data) < 0)
        return NULL;
    PyObject *str = PyUnicode_DecodeCharmap(data.buf, data.len, mapping == Py_None ? NULL : mapping, errors);
    Py_ssize_t length = data.len;
    PyBuffer_Release(&data);
    return result_pair(str, length);
}

static PyObject *escape_decode(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    Py_buffer data;
    const char *errors = NULL;
    if (!_PyArg_ParseStack(args, nargs, "s*|z:escape_decode", &data, &errors) || stable_buffer_own(&data) < 0)
        return NULL;
    PyObject *bytes = PyBytes_DecodeEscape(data.buf, data.len, errors, 0, NULL);
    Py_ssize_t length = data.len;
    PyBuffer_Release(&data);
    return result_pair(bytes, length);
}

/* ---- Encoders: (str, errors=None) ---- */

typedef PyObject *(*encoder_t)(PyObject *str, const char *errors);

static PyObject *encode(PyObject *const *args, Py_ssize_t nargs, const char *format, encoder_t encoder)
{
    PyObject *str;
    const char *errors = NULL;
    if (!_PyArg_ParseStack(args, nargs, format, &str, &errors))
        return NULL;
    return result_pair(encoder(str, errors), PyUnicode_GET_LENGTH(str));
}

static PyObject *encode_utf_7(PyObject *str, const char *errors) { return _PyUnicode_EncodeUTF7(str, 0, 0, errors); }
static PyObject *encode_utf_16_le(PyObject *str, const char *errors) { return _PyUnicode_EncodeUTF16(str, errors, -1); }
static PyObject *encode_utf_16_be(PyObject *str, const char *errors) { return _PyUnicode_EncodeUTF16(str, errors, 1); }
static PyObject *encode_utf_32_le(PyObject *str, const char *errors) { return _PyUnicode_EncodeUTF32(str, errors, -1); }
static PyObject *encode_utf_32_be(PyObject *str, const char *errors) { return _PyUnicode_EncodeUTF32(str, errors, 1); }
static PyObject *encode_escape(PyObject *str, const char *Py_UNUSED(errors))
{
    return PyUnicode_AsUnicodeEscapeString(str);
}
static PyObject *encode_raw_escape(PyObject *str, const char *Py_UNUSED(errors))
{
    return PyUnicode_AsRawUnicodeEscapeString(str);
}

#define ENCODER(name, encoder) \
    static PyObject *name##_encode(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs) \
    { \
        return encode(args, nargs, "U|z:" #name "_encode", encoder); \
    }
ENCODER(utf_7, encode_utf_7)
ENCODER(utf_8, _PyUnicode_AsUTF8String)
ENCODER(utf_16_le, encode_utf_16_le)
ENCODER(utf_16_be, encode_utf_16_be)
ENCODER(utf_32_le, encode_utf_32_le)
ENCODER(utf_32_be, encode_utf_32_be)
ENCODER(unicode_escape, encode_escape)
ENCODER(raw_unicode_escape, encode_raw_escape)
ENCODER(latin_1, _PyUnicode_AsLatin1String)
ENCODER(ascii, _PyUnicode_AsASCIIString)

static PyObject *utf_16_encode(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *str;
    const char *errors = NULL;
    int order = 0;
    if (!_PyArg_ParseStack(args, nargs, "U|zi:utf_16_encode", &str, &errors, &order))
        return NULL;
    return result_pair(_PyUnicode_EncodeUTF16(str, errors, order), PyUnicode_GET_LENGTH(str));
}

static PyObject *utf_32_encode(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *str;
    const char *errors = NULL;
    int order = 0;
    if (!_PyArg_ParseStack(args, nargs, "U|zi:utf_32_encode", &str, &errors, &order))
        return NULL;
    return result_pair(_PyUnicode_EncodeUTF32(str, errors, order), PyUnicode_GET_LENGTH(str));
}

static PyObject *charmap_encode(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *str, *mapping = Py_None;
    const char *errors = NULL;
    if (!_PyArg_ParseStack(args, nargs, "U|zO:charmap_encode", &str, &errors, &mapping))
        return NULL;
    return result_pair(_PyUnicode_EncodeCharmap(str, mapping == Py_None ? NULL : mapping, errors),
                       PyUnicode_GET_LENGTH(str));
}

static PyObject *charmap_build(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *map;
    if (!_PyArg_ParseStack(args, nargs, "U:charmap_build", &map))
        return NULL;
    return PyUnicode_BuildEncodingMap(map);
}

static PyObject *readbuffer_encode(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    Py_buffer data;
    const char *errors = NULL;
    if (!_PyArg_ParseStack(args, nargs, "s*|z:readbuffer_encode", &data, &errors))
        return NULL;
    PyObject *bytes = stable_buffer_copy(&data);
    Py_ssize_t length = data.len;
    PyBuffer_Release(&data);
    return result_pair(bytes, length);
}

static PyObject *escape_encode(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *data;
    const char *errors = NULL;
    if (!_PyArg_ParseStack(args, nargs, "O!|z:escape_encode", &PyBytes_Type, &data, &errors))
        return NULL;
    Py_ssize_t n = PyBytes_GET_SIZE(data);
    if (n > PY_SSIZE_T_MAX / 4) {
        PyErr_SetString(PyExc_OverflowError, "string is too large to encode");
        return NULL;
    }
    PyObject *result = PyBytes_FromStringAndSize(NULL, 4 * n);
    if (result == NULL)
        return NULL;
    char *out = PyBytes_AS_STRING(result);
    for (Py_ssize_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)PyBytes_AS_STRING(data)[i];
        char simple = c == '\'' || c == '\\' ? (char)c : c == '\t' ? 't' : c == '\n' ? 'n' : c == '\r' ? 'r' : 0;
        if (simple != 0) {
            *out++ = '\\';
            *out++ = simple;
        }
        else if (c < ' ' || c >= 0x7f) {
            *out++ = '\\';
            *out++ = 'x';
            *out++ = Py_hexdigits[c >> 4];
            *out++ = Py_hexdigits[c & 15];
        }
        else
            *out++ = (char)c;
    }
    if (_PyBytes_Resize(&result, out - PyBytes_AS_STRING(result)) < 0)
        return NULL;
    return result_pair(result, n);
}

/* ---- The module ---- */

#define FAST(name, function, doc) {name, _PyCFunction_CAST(function), METH_FASTCALL, doc}
#define CODEC(name) \
    FAST(#name "_encode", name##_encode, "Encode a str: (bytes, number of characters)."), \
    FAST(#name "_decode", name##_decode, "Decode a bytes-like object: (str, number of bytes).")

static PyMethodDef functions[] = {
    {"register", codecs_register, METH_O, "Add a function that finds codecs by their normalised names."},
    {"unregister", codecs_unregister, METH_O, "Remove a search function and forget all codecs found."},
    FAST("lookup", codecs_lookup, "The CodecInfo of an encoding."),
    FAST("_forget_codec", forget_codec, "Remove an encoding from the cache of found codecs."),
    {"encode", _PyCFunction_CAST(codecs_encode), METH_VARARGS | METH_KEYWORDS,
     "encode($module, /, obj, encoding='utf-8', errors='strict')\n--\n\nEncode obj by a registered codec."},
    {"decode", _PyCFunction_CAST(codecs_decode), METH_VARARGS | METH_KEYWORDS,
     "decode($module, /, obj, encoding='utf-8', errors='strict')\n--\n\nDecode obj by a registered codec."},
    FAST("register_error", register_error, "Register an error handler by a name."),
    FAST("lookup_error", lookup_error, "The error handler of that name."),
    CODEC(utf_7), CODEC(utf_8), CODEC(utf_16), CODEC(utf_16_le), CODEC(utf_16_be), CODEC(utf_32), CODEC(utf_32_le),
    CODEC(utf_32_be), CODEC(unicode_escape), CODEC(raw_unicode_escape), CODEC(latin_1), CODEC(ascii), CODEC(charmap),
    CODEC(escape),
    FAST("utf_16_ex_decode", utf_16_ex_decode, "Decode UTF-16 and tell the byte order."),
    FAST("utf_32_ex_decode", utf_32_ex_decode, "Decode UTF-32 and tell the byte order."),
    FAST("charmap_build", charmap_build, "A fast mapping for charmap_encode, from a decoding table."),
    FAST("readbuffer_encode", readbuffer_encode, "The bytes of a bytes-like object or of the UTF-8 of a str."),
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_codecs",
    .m_doc = "Built-in codecs and the codec registry.",
    .m_methods = functions,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__codecs(void)
{
    return PyModuleDef_Init(&definition);
}
