/* UTF-16 and UTF-32, both byte orders. */
#include <Python.h>
#include "unicode.h"
#include "unicode_codec.h"

static inline Py_UCS4 read_16(const unsigned char *p, int big)
{
    return big ? (Py_UCS4)p[0] << 8 | p[1] : (Py_UCS4)p[1] << 8 | p[0];
}

static inline Py_UCS4 read_32(const unsigned char *p, int big)
{
    return big ? (Py_UCS4)p[0] << 24 | (Py_UCS4)p[1] << 16 | (Py_UCS4)p[2] << 8 | p[3]
               : (Py_UCS4)p[3] << 24 | (Py_UCS4)p[2] << 16 | (Py_UCS4)p[1] << 8 | p[0];
}

/* ---- Decoding ---- */

/* What the bytes at an offset say. */
typedef struct {
    Py_UCS4 ch;
    Py_ssize_t length;          /* bytes read; in an error: bytes of the error */
    const char *reason;         /* NULL: ch is right */
    int incomplete;             /* the input ends too early */
} unit_t;

static void decode_16(const unsigned char *p, Py_ssize_t have, int big, unit_t *u)
{
    *u = (unit_t){.length = 2};
    if (have < 2) {
        *u = (unit_t){.length = have, .reason = "truncated data", .incomplete = 1};
        return;
    }
    u->ch = read_16(p, big);
    if (!Py_UNICODE_IS_SURROGATE(u->ch))
        return;
    if (Py_UNICODE_IS_LOW_SURROGATE(u->ch)) {
        u->reason = "illegal encoding";
        return;
    }
    if (have < 4) {
        *u = (unit_t){.length = have, .reason = "unexpected end of data", .incomplete = 1};
        return;
    }
    Py_UCS4 low = read_16(p + 2, big);
    if (!Py_UNICODE_IS_LOW_SURROGATE(low)) {
        u->reason = "illegal UTF-16 surrogate";
        return;
    }
    u->ch = Py_UNICODE_JOIN_SURROGATES(u->ch, low);
    u->length = 4;
}

static void decode_32(const unsigned char *p, Py_ssize_t have, int big, unit_t *u)
{
    *u = (unit_t){.length = 4};
    if (have < 4) {
        *u = (unit_t){.length = have, .reason = "truncated data", .incomplete = 1};
        return;
    }
    u->ch = read_32(p, big);
    if (Py_UNICODE_IS_SURROGATE(u->ch))
        u->reason = "code point in surrogate code point range(0xd800, 0xe000)";
    else if (u->ch > 0x10ffff)
        u->reason = "code point not in range(0x110000)";
}

/* Reads a byte order mark if byteorder is 0; returns the bytes it takes. */
static Py_ssize_t read_mark(const unsigned char *p, Py_ssize_t size, int width, int *order)
{
    if (*order != 0 || size < width)
        return 0;
    Py_UCS4 little = width == 2 ? read_16(p, 0) : read_32(p, 0), big = width == 2 ? read_16(p, 1) : read_32(p, 1);
    if (little == 0xFEFF)
        *order = -1;
    else if (big == 0xFEFF)
        *order = 1;
    return *order == 0 ? 0 : width;
}

static PyObject *decode(const char *s, Py_ssize_t size, const char *errors, int *byteorder, Py_ssize_t *consumed,
                        int width)
{
    static const char *const names[2][3] = {{"utf-16-le", "utf-16", "utf-16-be"}, {"utf-32-le", "utf-32", "utf-32-be"}};
    int order = byteorder == NULL ? 0 : *byteorder;
    Py_ssize_t pos = read_mark((const unsigned char *)s, size, width, &order);
    int big = order == 0 ? PY_BIG_ENDIAN : order > 0;
    const char *encoding = names[width == 4][order == 0 ? (PY_BIG_ENDIAN ? 2 : 0) : order + 1];
    if (pos == size) {
        if (consumed != NULL)
            *consumed = size;
        if (byteorder != NULL)
            *byteorder = order;
        return unicode_empty();
    }
    unicode_decoder_t d;
    unicode_writer_t w;
    unicode_decoder_init(&d, encoding, errors, s, size);
    unicode_writer_init_sized(&w, size / width);
    PyObject *result = NULL;
    while (pos < d.end - d.start) {
        const unsigned char *p = (const unsigned char *)d.start + pos;
        Py_ssize_t have = d.end - d.start - pos;
        unit_t u;
        if (width == 2)
            decode_16(p, have, big, &u);
        else
            decode_32(p, have, big, &u);
        if (u.reason == NULL) {
            if (unicode_writer_write_char(&w, u.ch) < 0)
                goto done;
            pos += u.length;
            continue;
        }
        if (u.incomplete && consumed != NULL)
            break;
        pos = unicode_decoder_error(&d, &w, pos, pos + u.length, u.reason);
        if (pos < 0)
            goto done;
    }
    if (consumed != NULL)
        *consumed = pos;
    if (byteorder != NULL)
        *byteorder = order;
    result = unicode_writer_finish(&w);
done:
    unicode_writer_dealloc(&w);
    unicode_decoder_fini(&d);
    return result;
}

PyObject *PyUnicode_DecodeUTF16Stateful(const char *s, Py_ssize_t size, const char *errors, int *byteorder,
                                        Py_ssize_t *consumed)
{
    return decode(s, size, errors, byteorder, consumed, 2);
}

PyObject *PyUnicode_DecodeUTF16(const char *s, Py_ssize_t size, const char *errors, int *byteorder)
{
    return decode(s, size, errors, byteorder, NULL, 2);
}

PyObject *PyUnicode_DecodeUTF32Stateful(const char *s, Py_ssize_t size, const char *errors, int *byteorder,
                                        Py_ssize_t *consumed)
{
    return decode(s, size, errors, byteorder, consumed, 4);
}

PyObject *PyUnicode_DecodeUTF32(const char *s, Py_ssize_t size, const char *errors, int *byteorder)
{
    return decode(s, size, errors, byteorder, NULL, 4);
}

/* ---- Encoding ---- */

static int write_unit(byte_writer_t *w, Py_UCS4 unit, int width, int big)
{
    if (byte_writer_prepare(w, width) < 0)
        return -1;
    for (int i = 0; i < width; i++)
        w->data[w->length + i] = (char)(unit >> (8 * (big ? width - 1 - i : i)));
    w->length += width;
    return 0;
}

static int write_char(byte_writer_t *w, Py_UCS4 ch, int width, int big)
{
    if (width == 4 || ch < 0x10000)
        return write_unit(w, ch, width, big);
    return write_unit(w, Py_UNICODE_HIGH_SURROGATE(ch), 2, big) < 0
               ? -1 : write_unit(w, Py_UNICODE_LOW_SURROGATE(ch), 2, big);
}

/* The replacement for str[from:to]; it must consist of whole units. */
static int write_replacement(byte_writer_t *w, unicode_encoder_t *e, PyObject *replacement, Py_ssize_t from,
                             Py_ssize_t to, int width, int big)
{
    if (PyBytes_Check(replacement)) {
        if (PyBytes_GET_SIZE(replacement) % width == 0)
            return byte_writer_write(w, PyBytes_AS_STRING(replacement), PyBytes_GET_SIZE(replacement));
    }
    else if (PyUnicode_IS_ASCII(replacement)) {
        for (Py_ssize_t i = 0; i < PyUnicode_GET_LENGTH(replacement); i++)
            if (write_unit(w, PyUnicode_READ_CHAR(replacement, i), width, big) < 0)
                return -1;
        return 0;
    }
    unicode_encoder_raise(e, from, to, "surrogates not allowed");
    return -1;
}

static PyObject *encode(PyObject *str, const char *errors, int byteorder, int width)
{
    static const char *const names[2][3] = {{"utf-16-le", "utf-16", "utf-16-be"}, {"utf-32-le", "utf-32", "utf-32-be"}};
    if (!PyUnicode_Check(str)) {
        PyErr_BadArgument();
        return NULL;
    }
    int big = byteorder == 0 ? PY_BIG_ENDIAN : byteorder > 0, kind = PyUnicode_KIND(str);
    const void *data = PyUnicode_DATA(str);
    Py_ssize_t n = PyUnicode_GET_LENGTH(str);
    unicode_encoder_t e;
    byte_writer_t w;
    unicode_encoder_init(&e, names[width == 4][byteorder == 0 ? 1 : byteorder > 0 ? 2 : 0], errors, str);
    byte_writer_init(&w);
    PyObject *result = NULL;
    if (n > PY_SSIZE_T_MAX / 8 || byte_writer_prepare(&w, (n + 1) * width) < 0) {
        if (n > PY_SSIZE_T_MAX / 8)
            PyErr_NoMemory();
        goto done;
    }
    if (byteorder == 0 && write_unit(&w, 0xFEFF, width, big) < 0)
        goto done;
    for (Py_ssize_t i = 0; i < n;) {
        Py_UCS4 ch = PyUnicode_READ(kind, data, i);
        if (!Py_UNICODE_IS_SURROGATE(ch)) {
            if (write_char(&w, ch, width, big) < 0)
                goto done;
            i++;
            continue;
        }
        Py_ssize_t next, end = i + 1;
        PyObject *replacement = unicode_encoder_error(&e, i, end, "surrogates not allowed", &next);
        if (replacement == NULL)
            goto done;
        int rc = write_replacement(&w, &e, replacement, i, end, width, big);
        Py_DECREF(replacement);
        if (rc < 0)
            goto done;
        i = next;
    }
    result = byte_writer_finish(&w);
done:
    byte_writer_dealloc(&w);
    unicode_encoder_fini(&e);
    return result;
}

PyObject *_PyUnicode_EncodeUTF16(PyObject *str, const char *errors, int byteorder)
{
    return encode(str, errors, byteorder, 2);
}

PyObject *PyUnicode_AsUTF16String(PyObject *str)
{
    return encode(str, NULL, 0, 2);
}

PyObject *_PyUnicode_EncodeUTF32(PyObject *str, const char *errors, int byteorder)
{
    return encode(str, errors, byteorder, 4);
}

PyObject *PyUnicode_AsUTF32String(PyObject *str)
{
    return encode(str, NULL, 0, 4);
}
