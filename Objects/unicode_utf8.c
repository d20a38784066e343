/* UTF-8: decoding, encoding, and the UTF-8 form that a string caches. */
#include <Python.h>
#include "unicode.h"
#include "unicode_codec.h"

#define IS_CONTINUATION(b) (((b) & 0xC0) == 0x80)

/* One step of the decoder over a byte >= 0x80.
 * Returns  the length of the sequence (2..4, *ch set), 0 if s ends within a sequence that is right so far, or minus the
 *          number of bytes that make the error */
static int decode_step(const unsigned char *s, const unsigned char *end, Py_UCS4 *ch)
{
    Py_ssize_t have = end - s;
    unsigned b = s[0];
    if (b < 0xC2 || b > 0xF4)
        return -1;
    if (have < 2)
        return 0;
    unsigned b1 = s[1];
    if (!IS_CONTINUATION(b1))
        return -1;
    if (b < 0xE0) {
        *ch = ((b & 0x1F) << 6) | (b1 & 0x3F);
        return 2;
    }
    if (b < 0xF0) {
        if (b1 < 0xA0 ? b == 0xE0 : b == 0xED)
            return -1;
        if (have < 3)
            return 0;
        if (!IS_CONTINUATION(s[2]))
            return -2;
        *ch = ((b & 0x0F) << 12) | ((b1 & 0x3F) << 6) | (s[2] & 0x3Fu);
        return 3;
    }
    if (b1 < 0x90 ? b == 0xF0 : b == 0xF4)
        return -1;
    if (have < 3)
        return 0;
    if (!IS_CONTINUATION(s[2]))
        return -2;
    if (have < 4)
        return 0;
    if (!IS_CONTINUATION(s[3]))
        return -3;
    *ch = ((b & 0x07) << 18) | ((b1 & 0x3F) << 12) | ((s[2] & 0x3Fu) << 6) | (s[3] & 0x3Fu);
    return 4;
}

static const char *error_reason(const unsigned char *s, int step)
{
    if (step == 0)
        return "unexpected end of data";
    return s[0] < 0xC2 || s[0] > 0xF4 ? "invalid start byte" : "invalid continuation byte";
}

/* Validates and measures. Returns the number of bytes that are right, sets the number of code points and the maximum. */
static Py_ssize_t measure(const unsigned char *s, Py_ssize_t size, Py_ssize_t *length, Py_UCS4 *maxchar)
{
    const unsigned char *p = s, *end = s + size;
    Py_ssize_t n = 0;
    Py_UCS4 max = 0;
    while (p < end) {
        if (*p < 128) {
            Py_ssize_t run = unicode_ascii_prefix(p, end - p);
            p += run;
            n += run;
            continue;
        }
        Py_UCS4 ch;
        int step = decode_step(p, end, &ch);
        if (step <= 0)
            break;
        p += step;
        n++;
        max |= ch;
    }
    *length = n;
    *maxchar = max < 128 ? 127 : max < 256 ? 255 : max < 65536 ? 65535 : 0x10ffff;
    return p - s;
}

/* Decodes valid UTF-8 into an array that is wide enough. */
static void decode_valid_1(const unsigned char *p, const unsigned char *end, Py_UCS1 *out)
{
    while (p < end) {
        if (*p < 128)
            *out++ = *p++;
        else {
            *out++ = (Py_UCS1)(((p[0] & 0x1F) << 6) | (p[1] & 0x3F));
            p += 2;
        }
    }
}

#define DECODE_VALID(name, type) \
    static void name(const unsigned char *p, const unsigned char *end, type *out) \
    { \
        while (p < end) { \
            unsigned b = *p; \
            if (b < 128) { \
                *out++ = (type)b; \
                p++; \
            } \
            else if (b < 0xE0) { \
                *out++ = (type)(((b & 0x1F) << 6) | (p[1] & 0x3Fu)); \
                p += 2; \
            } \
            else if (b < 0xF0) { \
                *out++ = (type)(((b & 0x0F) << 12) | ((p[1] & 0x3Fu) << 6) | (p[2] & 0x3Fu)); \
                p += 3; \
            } \
            else { \
                *out++ = (type)(((b & 0x07) << 18) | ((p[1] & 0x3Fu) << 12) | ((p[2] & 0x3Fu) << 6) \
                                | (p[3] & 0x3Fu)); \
                p += 4; \
            } \
        } \
    }
DECODE_VALID(decode_valid_2, Py_UCS2)
DECODE_VALID(decode_valid_4, Py_UCS4)

static void decode_valid(int kind, const unsigned char *s, Py_ssize_t size, void *out)
{
    if (kind == 1)
        decode_valid_1(s, s + size, out);
    else if (kind == 2)
        decode_valid_2(s, s + size, out);
    else
        decode_valid_4(s, s + size, out);
}

/* The input has errors, or ends early. */
static PyObject *decode_with_errors(const char *s, Py_ssize_t size, const char *errors, Py_ssize_t *consumed)
{
    unicode_decoder_t d;
    unicode_writer_t w;
    unicode_decoder_init(&d, "utf-8", errors, s, size);
    unicode_writer_init_sized(&w, size);
    PyObject *result = NULL;
    Py_ssize_t pos = 0;
    for (;;) {
        const unsigned char *p = (const unsigned char *)d.start + pos, *end = (const unsigned char *)d.end;
        Py_ssize_t length;
        Py_UCS4 maxchar, ch;
        Py_ssize_t good = measure(p, end - p, &length, &maxchar);
        if (length > 0) {
            if (unicode_writer_prepare(&w, length, maxchar) < 0)
                goto done;
            decode_valid(w.kind, p, good, (char *)w.data + w.pos * w.kind);
            w.pos += length;
        }
        p += good;
        pos += good;
        if (p >= end)
            break;
        int step = decode_step(p, end, &ch);
        /* The first two bytes of a surrogate wait for the third too, for the sake of "surrogatepass". */
        int half_surrogate = end - p == 2 && p[0] == 0xED && IS_CONTINUATION(p[1]);
        if ((step == 0 || half_surrogate) && consumed != NULL)
            break;
        Py_ssize_t to = step == 0 ? end - (const unsigned char *)d.start : pos - step;
        pos = unicode_decoder_error(&d, &w, pos, to, error_reason(p, step));
        if (pos < 0)
            goto done;
    }
    if (consumed != NULL)
        *consumed = pos;
    result = unicode_writer_finish(&w);
done:
    unicode_writer_dealloc(&w);
    unicode_decoder_fini(&d);
    return result;
}

PyObject *PyUnicode_DecodeUTF8Stateful(const char *s, Py_ssize_t size, const char *errors, Py_ssize_t *consumed)
{
    const unsigned char *p = (const unsigned char *)s;
    Py_ssize_t prefix = unicode_ascii_prefix(p, size);
    if (prefix == size) {
        if (consumed != NULL)
            *consumed = size;
        return _PyUnicode_FromASCII(s, size);
    }
    Py_ssize_t length;
    Py_UCS4 maxchar;
    Py_ssize_t good = measure(p + prefix, size - prefix, &length, &maxchar);
    if (prefix + good < size)
        return decode_with_errors(s, size, errors, consumed);
    if (consumed != NULL)
        *consumed = size;
    if (prefix + length == 1) {
        Py_UCS4 ch = 0;
        decode_step(p, p + size, &ch);
        return unicode_from_char(ch);
    }
    PyObject *str = unicode_alloc(prefix + length, maxchar);
    if (str == NULL)
        return NULL;
    int kind = PyUnicode_KIND(str);
    char *data = PyUnicode_DATA(str);
    unicode_convert(kind, data, 1, s, prefix);
    decode_valid(kind, p + prefix, good, data + prefix * kind);
    return str;
}

PyObject *PyUnicode_DecodeUTF8(const char *s, Py_ssize_t size, const char *errors)
{
    return PyUnicode_DecodeUTF8Stateful(s, size, errors, NULL);
}

/* ---- Encoding ---- */

static char *encode_char(char *out, Py_UCS4 ch)
{
    if (ch < 0x80)
        *out++ = (char)ch;
    else if (ch < 0x800) {
        *out++ = (char)(0xC0 | (ch >> 6));
        *out++ = (char)(0x80 | (ch & 0x3F));
    }
    else if (ch < 0x10000) {
        *out++ = (char)(0xE0 | (ch >> 12));
        *out++ = (char)(0x80 | ((ch >> 6) & 0x3F));
        *out++ = (char)(0x80 | (ch & 0x3F));
    }
    else {
        *out++ = (char)(0xF0 | (ch >> 18));
        *out++ = (char)(0x80 | ((ch >> 12) & 0x3F));
        *out++ = (char)(0x80 | ((ch >> 6) & 0x3F));
        *out++ = (char)(0x80 | (ch & 0x3F));
    }
    return out;
}

/* Bytes that the string takes in UTF-8, or -1 if it holds a surrogate (no exception), -2 if it is too long. */
static Py_ssize_t encoded_size(PyObject *str)
{
    int kind = PyUnicode_KIND(str);
    const void *data = PyUnicode_DATA(str);
    Py_ssize_t n = PyUnicode_GET_LENGTH(str), size = n;
    if (n > PY_SSIZE_T_MAX / 4)
        return -2;
    if (kind == 1) {
        const Py_UCS1 *p = data;
        for (Py_ssize_t i = 0; i < n; i++)
            size += p[i] >> 7;
        return size;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 ch = PyUnicode_READ(kind, data, i);
        if (Py_UNICODE_IS_SURROGATE(ch))
            return -1;
        size += (ch >= 0x80) + (ch >= 0x800) + (ch >= 0x10000);
    }
    return size;
}

static void encode_all(PyObject *str, char *out)
{
    int kind = PyUnicode_KIND(str);
    const void *data = PyUnicode_DATA(str);
    Py_ssize_t n = PyUnicode_GET_LENGTH(str);
    for (Py_ssize_t i = 0; i < n; i++)
        out = encode_char(out, PyUnicode_READ(kind, data, i));
}

static Py_ssize_t surrogate_run(int kind, const void *data, Py_ssize_t i, Py_ssize_t n)
{
    while (i < n && Py_UNICODE_IS_SURROGATE(PyUnicode_READ(kind, data, i)))
        i++;
    return i;
}

static int write_replacement(byte_writer_t *w, unicode_encoder_t *e, PyObject *replacement, Py_ssize_t from, Py_ssize_t to)
{
    if (PyBytes_Check(replacement))
        return byte_writer_write(w, PyBytes_AS_STRING(replacement), PyBytes_GET_SIZE(replacement));
    if (!PyUnicode_IS_ASCII(replacement)) {
        unicode_encoder_raise(e, from, to, "surrogates not allowed");
        return -1;
    }
    return byte_writer_write(w, PyUnicode_DATA(replacement), PyUnicode_GET_LENGTH(replacement));
}

static PyObject *encode_with_errors(PyObject *str, const char *errors)
{
    unicode_encoder_t e;
    byte_writer_t w;
    unicode_encoder_init(&e, "utf-8", errors, str);
    byte_writer_init(&w);
    PyObject *result = NULL;
    int kind = PyUnicode_KIND(str);
    const void *data = PyUnicode_DATA(str);
    Py_ssize_t n = PyUnicode_GET_LENGTH(str);
    for (Py_ssize_t i = 0; i < n;) {
        Py_UCS4 ch = PyUnicode_READ(kind, data, i);
        if (byte_writer_prepare(&w, 4) < 0)
            goto done;
        if (!Py_UNICODE_IS_SURROGATE(ch)) {
            w.length = encode_char(w.data + w.length, ch) - w.data;
            i++;
            continue;
        }
        Py_ssize_t end = surrogate_run(kind, data, i + 1, n);
        if (e.handler == UNICODE_ERROR_UNKNOWN)
            e.handler = unicode_error_handler_of(errors);
        if (e.handler == UNICODE_ERROR_IGNORE) {
            i = end;
            continue;
        }
        if (e.handler == UNICODE_ERROR_REPLACE) {
            for (; i < end; i++)
                if (byte_writer_write_byte(&w, '?') < 0)
                    goto done;
            continue;
        }
        if (e.handler == UNICODE_ERROR_SURROGATEPASS) {
            w.length = encode_char(w.data + w.length, ch) - w.data;
            i++;
            continue;
        }
        if (e.handler == UNICODE_ERROR_SURROGATEESCAPE && ch >= 0xDC80 && ch <= 0xDCFF) {
            w.data[w.length++] = (char)(ch & 0xff);
            i++;
            continue;
        }
        PyObject *replacement = unicode_encoder_error(&e, i, end, "surrogates not allowed", &end);
        if (replacement == NULL)
            goto done;
        int rc = write_replacement(&w, &e, replacement, i, surrogate_run(kind, data, i + 1, n));
        Py_DECREF(replacement);
        if (rc < 0)
            goto done;
        i = end;
    }
    result = byte_writer_finish(&w);
done:
    byte_writer_dealloc(&w);
    unicode_encoder_fini(&e);
    return result;
}

PyObject *_PyUnicode_AsUTF8String(PyObject *str, const char *errors)
{
    if (!PyUnicode_Check(str)) {
        PyErr_BadArgument();
        return NULL;
    }
    if (PyUnicode_IS_ASCII(str))
        return PyBytes_FromStringAndSize(PyUnicode_DATA(str), PyUnicode_GET_LENGTH(str));
    PyCompactUnicodeObject *compact = (PyCompactUnicodeObject *)str;
    const char *cached = __atomic_load_n(&compact->utf8, __ATOMIC_ACQUIRE);
    if (cached != NULL)
        return PyBytes_FromStringAndSize(cached, __atomic_load_n(&compact->utf8_length, __ATOMIC_RELAXED));
    Py_ssize_t size = encoded_size(str);
    if (size == -2)
        return PyErr_NoMemory();
    if (size < 0)
        return encode_with_errors(str, errors);
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, size);
    if (bytes != NULL)
        encode_all(str, PyBytes_AS_STRING(bytes));
    return bytes;
}

PyObject *PyUnicode_AsUTF8String(PyObject *str)
{
    return _PyUnicode_AsUTF8String(str, NULL);
}

/* Fills the cache. The form is the same whoever makes it: the first pointer stays, a loser frees its own. */
static char *fill_cache(PyObject *str)
{
    PyCompactUnicodeObject *compact = (PyCompactUnicodeObject *)str;
    Py_ssize_t size = encoded_size(str);
    if (size == -1) {
        PyObject *never = encode_with_errors(str, "strict");
        Py_XDECREF(never);
        return NULL;
    }
    char *utf8 = size < 0 ? NULL : PyMem_Malloc((size_t)size + 1);
    if (utf8 == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    encode_all(str, utf8);
    utf8[size] = '\0';
    __atomic_store_n(&compact->utf8_length, size, __ATOMIC_RELAXED);
    char *expected = NULL;
    /* release: pairs with the loads of utf8 */
    if (__atomic_compare_exchange_n(&compact->utf8, &expected, utf8, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return utf8;
    PyMem_Free(utf8);
    return expected;
}

const char *PyUnicode_AsUTF8AndSize(PyObject *str, Py_ssize_t *size)
{
    if (!PyUnicode_Check(str)) {
        PyErr_BadArgument();
        return NULL;
    }
    if (PyUnicode_IS_ASCII(str)) {
        if (size != NULL)
            *size = PyUnicode_GET_LENGTH(str);
        return PyUnicode_DATA(str);
    }
    PyCompactUnicodeObject *compact = (PyCompactUnicodeObject *)str;
    char *utf8 = __atomic_load_n(&compact->utf8, __ATOMIC_ACQUIRE);
    if (utf8 == NULL)
        utf8 = fill_cache(str);
    if (utf8 != NULL && size != NULL)
        *size = __atomic_load_n(&compact->utf8_length, __ATOMIC_RELAXED);
    return utf8;
}

const char *PyUnicode_AsUTF8(PyObject *str)
{
    return PyUnicode_AsUTF8AndSize(str, NULL);
}
