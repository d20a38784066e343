/* Encoding and decoding by the name of the encoding: built-in codecs directly, others through the registry. */
#include <Python.h>
#include "stable_buffer.h"
#include "unicode.h"
#include "unicode_codec.h"

int unicode_normalize_encoding(const char *encoding, char *lower, size_t lower_len)
{
    char *out = lower, *end = lower + lower_len - 1;
    int separator = 0;
    for (const char *p = encoding; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        if (!(c < 128 && (isalnum(c) || c == '.'))) {
            separator = 1;
            continue;
        }
        if (separator && out != lower) {
            if (out == end)
                return 0;
            *out++ = '_';
        }
        separator = 0;
        if (out == end)
            return 0;
        *out++ = (char)tolower(c);
    }
    *out = '\0';
    return 1;
}

enum builtin_codec { CODEC_NONE, CODEC_UTF8, CODEC_UTF16, CODEC_UTF32, CODEC_ASCII, CODEC_LATIN1 };

static enum builtin_codec builtin_codec_of(const char *encoding)
{
    static const struct { const char *name; enum builtin_codec codec; } table[] = {
        {"utf_8", CODEC_UTF8}, {"utf8", CODEC_UTF8}, {"utf_16", CODEC_UTF16}, {"utf16", CODEC_UTF16},
        {"utf_32", CODEC_UTF32}, {"utf32", CODEC_UTF32}, {"ascii", CODEC_ASCII}, {"us_ascii", CODEC_ASCII},
        {"latin1", CODEC_LATIN1}, {"latin_1", CODEC_LATIN1}, {"iso_8859_1", CODEC_LATIN1},
        {"iso8859_1", CODEC_LATIN1},
    };
    char lower[16];
    if (encoding == NULL || strcmp(encoding, "utf-8") == 0)
        return CODEC_UTF8;
    if (!unicode_normalize_encoding(encoding, lower, sizeof(lower)))
        return CODEC_NONE;
    for (size_t i = 0; i < Py_ARRAY_LENGTH(table); i++)
        if (strcmp(lower, table[i].name) == 0)
            return table[i].codec;
    return CODEC_NONE;
}

const char *PyUnicode_GetDefaultEncoding(void)
{
    return "utf-8";
}

int unicode_checks_codec_names;

int unicode_check_codec_names(const char *encoding, const char *errors)
{
    if (Py_LIKELY(!unicode_checks_codec_names))
        return 0;
    if (encoding != NULL && builtin_codec_of(encoding) == CODEC_NONE) {
        PyObject *codec = _PyCodec_Lookup(encoding);
        if (codec == NULL)
            return -1;
        Py_DECREF(codec);
    }
    if (errors != NULL) {
        PyObject *handler = PyCodec_LookupError(errors);
        if (handler == NULL)
            return -1;
        Py_DECREF(handler);
    }
    return 0;
}

/* ---- Decoding ---- */

static PyObject *decode_registered(const char *s, Py_ssize_t size, const char *encoding, const char *errors)
{
    /* the codec may keep the view for longer than s lasts */
    PyObject *copy = PyBytes_FromStringAndSize(s, size), *buffer = copy != NULL ? PyMemoryView_FromObject(copy) : NULL;
    Py_XDECREF(copy);
    if (buffer == NULL)
        return NULL;
    PyObject *str = _PyCodec_DecodeText(buffer, encoding, errors);
    Py_DECREF(buffer);
    if (str != NULL && !PyUnicode_Check(str)) {
        PyErr_Format(PyExc_TypeError,
                     "'%.400s' decoder returned '%.400s' instead of 'str'; use codecs.decode() to decode to arbitrary "
                     "types", encoding, Py_TYPE(str)->tp_name);
        Py_CLEAR(str);
    }
    return str;
}

PyObject *PyUnicode_Decode(const char *s, Py_ssize_t size, const char *encoding, const char *errors)
{
    if (unicode_check_codec_names(encoding, errors) < 0)
        return NULL;
    switch (builtin_codec_of(encoding)) {
    case CODEC_UTF8: return PyUnicode_DecodeUTF8Stateful(s, size, errors, NULL);
    case CODEC_UTF16: return PyUnicode_DecodeUTF16(s, size, errors, NULL);
    case CODEC_UTF32: return PyUnicode_DecodeUTF32(s, size, errors, NULL);
    case CODEC_ASCII: return PyUnicode_DecodeASCII(s, size, errors);
    case CODEC_LATIN1: return PyUnicode_DecodeLatin1(s, size, errors);
    default: return decode_registered(s, size, encoding, errors);
    }
}

PyObject *PyUnicode_FromEncodedObject(PyObject *obj, const char *encoding, const char *errors)
{
    if (obj == NULL) {
        PyErr_BadInternalCall();
        return NULL;
    }
    if (PyBytes_Check(obj)) {
        if (PyBytes_GET_SIZE(obj) == 0)
            return unicode_check_codec_names(encoding, errors) < 0 ? NULL : unicode_empty();
        return PyUnicode_Decode(PyBytes_AS_STRING(obj), PyBytes_GET_SIZE(obj), encoding, errors);
    }
    if (PyUnicode_Check(obj)) {
        PyErr_SetString(PyExc_TypeError, "decoding str is not supported");
        return NULL;
    }
    Py_buffer buffer;
    if (PyObject_GetBuffer(obj, &buffer, PyBUF_SIMPLE) < 0) {
        PyErr_Format(PyExc_TypeError, "decoding to str: need a bytes-like object, %.80s found",
                     Py_TYPE(obj)->tp_name);
        return NULL;
    }
    if (stable_buffer_own(&buffer) < 0)
        return NULL;
    PyObject *str = buffer.len == 0 && !unicode_checks_codec_names
                        ? unicode_empty() : PyUnicode_Decode(buffer.buf, buffer.len, encoding, errors);
    PyBuffer_Release(&buffer);
    return str;
}

/* ---- Encoding ---- */

PyObject *PyUnicode_AsEncodedString(PyObject *str, const char *encoding, const char *errors)
{
    if (!PyUnicode_Check(str)) {
        PyErr_BadArgument();
        return NULL;
    }
    if (unicode_check_codec_names(encoding, errors) < 0)
        return NULL;
    switch (builtin_codec_of(encoding)) {
    case CODEC_UTF8: return _PyUnicode_AsUTF8String(str, errors);
    case CODEC_UTF16: return _PyUnicode_EncodeUTF16(str, errors, 0);
    case CODEC_UTF32: return _PyUnicode_EncodeUTF32(str, errors, 0);
    case CODEC_ASCII: return _PyUnicode_AsASCIIString(str, errors);
    case CODEC_LATIN1: return _PyUnicode_AsLatin1String(str, errors);
    default: break;
    }
    PyObject *result = _PyCodec_EncodeText(str, encoding, errors);
    if (result == NULL || PyBytes_Check(result))
        return result;
    if (PyObject_TypeCheck(result, &PyByteArray_Type)) {
        PyObject *bytes = NULL;
        if (PyErr_WarnFormat(PyExc_RuntimeWarning, 1,
                             "encoder %s returned bytearray instead of bytes; use codecs.encode() to encode to "
                             "arbitrary types", encoding) == 0)
            bytes = PyBytes_FromObject(result);
        Py_DECREF(result);
        return bytes;
    }
    PyErr_Format(PyExc_TypeError,
                 "'%.400s' encoder returned '%.400s' instead of 'bytes'; use codecs.encode() to encode to arbitrary "
                 "types", encoding, Py_TYPE(result)->tp_name);
    Py_DECREF(result);
    return NULL;
}

static int check_str(PyObject *str)
{
    if (PyUnicode_Check(str))
        return 0;
    PyErr_BadArgument();
    return -1;
}

PyObject *PyUnicode_AsEncodedObject(PyObject *str, const char *encoding, const char *errors)
{
    return check_str(str) < 0 ? NULL : PyCodec_Encode(str, encoding == NULL ? "utf-8" : encoding, errors);
}

PyObject *PyUnicode_AsDecodedObject(PyObject *str, const char *encoding, const char *errors)
{
    return check_str(str) < 0 ? NULL : PyCodec_Decode(str, encoding == NULL ? "utf-8" : encoding, errors);
}

static PyObject *expect_str(PyObject *result, const char *what, const char *how, const char *encoding)
{
    if (result != NULL && !PyUnicode_Check(result)) {
        PyErr_Format(PyExc_TypeError,
                     "'%.400s' %s returned '%.400s' instead of 'str'; use codecs.%s() to %s to arbitrary types",
                     encoding, what, Py_TYPE(result)->tp_name, how, how);
        Py_CLEAR(result);
    }
    return result;
}

PyObject *PyUnicode_AsEncodedUnicode(PyObject *str, const char *encoding, const char *errors)
{
    return expect_str(PyUnicode_AsEncodedObject(str, encoding, errors), "encoder", "encode", encoding);
}

PyObject *PyUnicode_AsDecodedUnicode(PyObject *str, const char *encoding, const char *errors)
{
    return expect_str(PyUnicode_AsDecodedObject(str, encoding, errors), "decoder", "decode", encoding);
}

/* ---- File names and the locale: UTF-8, undecodable bytes as lone surrogates ---- */

PyObject *PyUnicode_DecodeFSDefaultAndSize(const char *s, Py_ssize_t size)
{
    return PyUnicode_DecodeUTF8Stateful(s, size, "surrogateescape", NULL);
}

PyObject *PyUnicode_DecodeFSDefault(const char *s)
{
    return PyUnicode_DecodeFSDefaultAndSize(s, (Py_ssize_t)strlen(s));
}

PyObject *PyUnicode_EncodeFSDefault(PyObject *str)
{
    return _PyUnicode_AsUTF8String(str, "surrogateescape");
}

PyObject *PyUnicode_DecodeLocaleAndSize(const char *s, Py_ssize_t size, const char *errors)
{
    if (size < 0 || s[size] != '\0' || (size_t)size != strlen(s)) {
        PyErr_SetString(PyExc_ValueError, "embedded null byte");
        return NULL;
    }
    return PyUnicode_DecodeUTF8Stateful(s, size, errors, NULL);
}

PyObject *PyUnicode_DecodeLocale(const char *s, const char *errors)
{
    return PyUnicode_DecodeLocaleAndSize(s, (Py_ssize_t)strlen(s), errors);
}

PyObject *PyUnicode_EncodeLocale(PyObject *str, const char *errors)
{
    if (unicode_find_char(PyUnicode_KIND(str), PyUnicode_DATA(str), PyUnicode_GET_LENGTH(str), 0) >= 0) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        return NULL;
    }
    return _PyUnicode_AsUTF8String(str, errors);
}

/* An "O&" converter: a path as bytes in *(PyObject **)addr. */
int PyUnicode_FSConverter(PyObject *arg, void *addr)
{
    PyObject **result = addr;
    if (arg == NULL) {
        Py_CLEAR(*result);
        return 1;
    }
    PyObject *path = PyOS_FSPath(arg);
    if (path == NULL)
        return 0;
    PyObject *bytes = path;
    if (!PyBytes_Check(path)) {
        bytes = PyUnicode_EncodeFSDefault(path);
        Py_DECREF(path);
        if (bytes == NULL)
            return 0;
    }
    if (memchr(PyBytes_AS_STRING(bytes), 0, (size_t)PyBytes_GET_SIZE(bytes)) != NULL) {
        PyErr_SetString(PyExc_ValueError, "embedded null byte");
        Py_DECREF(bytes);
        return 0;
    }
    *result = bytes;
    return Py_CLEANUP_SUPPORTED;
}

/* The same, as str. */
int PyUnicode_FSDecoder(PyObject *arg, void *addr)
{
    PyObject **result = addr;
    if (arg == NULL) {
        Py_CLEAR(*result);
        return 1;
    }
    PyObject *path;
    if (PyUnicode_Check(arg) || PyBytes_Check(arg) || !PyObject_CheckBuffer(arg))
        path = PyOS_FSPath(arg);
    else if (PyErr_WarnFormat(PyExc_DeprecationWarning, 1, "path should be string, bytes, or os.PathLike, not %.200s",
                              Py_TYPE(arg)->tp_name) < 0)
        return 0;
    else
        path = PyBytes_FromObject(arg);
    if (path == NULL)
        return 0;
    PyObject *str = path;
    if (PyBytes_Check(path)) {
        str = PyUnicode_DecodeFSDefaultAndSize(PyBytes_AS_STRING(path), PyBytes_GET_SIZE(path));
        Py_DECREF(path);
        if (str == NULL)
            return 0;
    }
    if (unicode_find_char(PyUnicode_KIND(str), PyUnicode_DATA(str), PyUnicode_GET_LENGTH(str), 0) >= 0) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        Py_DECREF(str);
        return 0;
    }
    *result = str;
    return Py_CLEANUP_SUPPORTED;
}

/* ---- Without objects: usable before there is an interpreter ---- */

/* One UTF-8 sequence at s; an undecodable byte gives a lone surrogate. Returns its length. */
static size_t decode_one(const unsigned char *s, size_t have, wchar_t *out)
{
    unsigned b = s[0];
    size_t n = b < 0x80 ? 1 : b >= 0xC2 && b < 0xE0 ? 2 : b >= 0xE0 && b < 0xF0 ? 3 : b >= 0xF0 && b < 0xF5 ? 4 : 0;
    Py_UCS4 ch = n == 1 ? b : n == 2 ? b & 0x1F : n == 3 ? b & 0x0F : b & 0x07;
    int good = n > 0 && n <= have;
    for (size_t i = 1; good && i < n; i++) {
        good = (s[i] & 0xC0) == 0x80;
        ch = (ch << 6) | (s[i] & 0x3F);
    }
    if (good && n > 2)
        good = n == 3 ? ch >= 0x800 && !Py_UNICODE_IS_SURROGATE(ch) : ch >= 0x10000 && ch <= 0x10ffff;
    *out = good ? (wchar_t)ch : (wchar_t)(0xDC00 + b);
    return good ? n : 1;
}

wchar_t *Py_DecodeLocale(const char *arg, size_t *size)
{
    size_t n = strlen(arg), length = 0;
    wchar_t *w = n >= PY_SSIZE_T_MAX / sizeof(wchar_t) ? NULL : PyMem_RawMalloc((n + 1) * sizeof(wchar_t));
    if (w == NULL) {
        if (size != NULL)
            *size = (size_t)-1;
        return NULL;
    }
    for (size_t i = 0; i < n;)
        i += decode_one((const unsigned char *)arg + i, n - i, &w[length++]);
    w[length] = 0;
    if (size != NULL)
        *size = length;
    return w;
}

char *Py_EncodeLocale(const wchar_t *text, size_t *error_pos)
{
    size_t n = wcslen(text), length = 0;
    char *s = n >= PY_SSIZE_T_MAX / 4 - 1 ? NULL : PyMem_Malloc(4 * n + 1);
    if (error_pos != NULL)
        *error_pos = (size_t)-1;
    if (s == NULL)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        Py_UCS4 ch = (Py_UCS4)text[i];
        if (ch >= 0xDC80 && ch <= 0xDCFF)
            s[length++] = (char)(ch & 0xff);
        else if (Py_UNICODE_IS_SURROGATE(ch) || ch > 0x10ffff) {
            PyMem_Free(s);
            if (error_pos != NULL)
                *error_pos = i;
            return NULL;
        }
        else {
            int more = ch < 0x80 ? 0 : ch < 0x800 ? 1 : ch < 0x10000 ? 2 : 3;
            static const unsigned char lead[] = {0, 0xC0, 0xE0, 0xF0};
            s[length++] = (char)(lead[more] | (ch >> (6 * more)));
            while (more-- > 0)
                s[length++] = (char)(0x80 | ((ch >> (6 * more)) & 0x3F));
        }
    }
    s[length] = '\0';
    return s;
}
