/* Character map codecs: a mapping (a str of 256 characters, a dict, an EncodingMap) between bytes and characters. */
#include <Python.h>
#include "unicode.h"
#include "unicode_codec.h"

#define UNDEFINED_CHAR 0xFFFE
static const char undefined_reason[] = "character maps to <undefined>";

/* ---- Decoding ---- */

/* Writes what mapping says about byte. 1 done, 0 undefined, -1 with an exception. Escapes. */
static int decode_byte(unicode_writer_t *w, PyObject *mapping, unsigned char byte)
{
    PyObject *key = PyLong_FromLong(byte), *value = PyObject_GetItem(mapping, key);
    Py_DECREF(key);
    if (value == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_LookupError))
            return -1;
        PyErr_Clear();
        return 0;
    }
    int rc = -1;
    if (value == Py_None)
        rc = 0;
    else if (PyLong_Check(value)) {
        int overflow;
        long ch = PyLong_AsLongAndOverflow(value, &overflow);
        if (overflow != 0 || ch < 0 || ch > 0x10ffff)
            PyErr_Format(PyExc_TypeError, "character mapping must be in range(0x%x)", 0x110000);
        else if (ch == UNDEFINED_CHAR)
            rc = 0;
        else
            rc = unicode_writer_write_char(w, (Py_UCS4)ch) < 0 ? -1 : 1;
    }
    else if (PyUnicode_Check(value)) {
        if (PyUnicode_GET_LENGTH(value) == 1 && PyUnicode_READ_CHAR(value, 0) == UNDEFINED_CHAR)
            rc = 0;
        else
            rc = unicode_writer_write_str(w, value) < 0 ? -1 : 1;
    }
    else
        PyErr_SetString(PyExc_TypeError, "character mapping must return integer, None or str");
    Py_DECREF(value);
    return rc;
}

PyObject *PyUnicode_DecodeCharmap(const char *s, Py_ssize_t size, PyObject *mapping, const char *errors)
{
    if (mapping == NULL)
        return PyUnicode_DecodeLatin1(s, size, errors);
    int is_string = PyUnicode_CheckExact(mapping);
    unicode_decoder_t d;
    unicode_writer_t w;
    unicode_decoder_init(&d, "charmap", errors, s, size);
    unicode_writer_init_sized(&w, size);
    PyObject *result = NULL;
    Py_ssize_t pos = 0;
    while (pos < d.end - d.start) {
        unsigned char byte = (unsigned char)d.start[pos];
        int rc;
        if (is_string) {
            Py_UCS4 ch = byte < PyUnicode_GET_LENGTH(mapping) ? PyUnicode_READ_CHAR(mapping, byte) : UNDEFINED_CHAR;
            rc = ch == UNDEFINED_CHAR ? 0 : unicode_writer_write_char(&w, ch) < 0 ? -1 : 1;
        }
        else
            rc = decode_byte(&w, mapping, byte);
        if (rc < 0)
            goto done;
        pos = rc > 0 ? pos + 1 : unicode_decoder_error(&d, &w, pos, pos + 1, undefined_reason);
        if (pos < 0)
            goto done;
    }
    result = unicode_writer_finish(&w);
done:
    unicode_writer_dealloc(&w);
    unicode_decoder_fini(&d);
    return result;
}

/* ---- EncodingMap: a small hash table from characters to bytes ---- */

typedef struct {
    PyObject_HEAD
    uint32_t slots[1024];       /* [const] (character << 8 | byte) + 1; 0: free */
} encoding_map_t;

static unsigned hash_char(Py_UCS4 ch)
{
    return (ch * 2654435761u) >> 22;
}

/* The byte of ch, or -1. */
static int map_find(PyObject *map, Py_UCS4 ch)
{
    const uint32_t *slots = ((encoding_map_t *)map)->slots;
    for (unsigned i = hash_char(ch);; i = (i + 1) & 1023) {
        if (slots[i] == 0)
            return -1;
        if ((slots[i] - 1) >> 8 == ch)
            return (int)((slots[i] - 1) & 255);
    }
}

PyObject *PyUnicode_BuildEncodingMap(PyObject *string)
{
    if (!PyUnicode_Check(string) || PyUnicode_GET_LENGTH(string) == 0) {
        PyErr_BadArgument();
        return NULL;
    }
    encoding_map_t *map = PyObject_New(encoding_map_t, &unicode_encoding_map_type);
    if (map == NULL)
        return NULL;
    memset(map->slots, 0, sizeof(map->slots));
    Py_ssize_t n = Py_MIN(PyUnicode_GET_LENGTH(string), 256);
    for (Py_ssize_t byte = 0; byte < n; byte++) {
        Py_UCS4 ch = PyUnicode_READ_CHAR(string, byte);
        if (ch == UNDEFINED_CHAR)
            continue;
        unsigned i = hash_char(ch);
        while (map->slots[i] != 0 && (map->slots[i] - 1) >> 8 != ch)
            i = (i + 1) & 1023;
        map->slots[i] = (ch << 8 | (uint32_t)byte) + 1;
    }
    return (PyObject *)map;
}

static void map_dealloc(PyObject *self)
{
    PyObject_Free(self);
}

static PyObject *map_size(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromSsize_t((Py_ssize_t)sizeof(encoding_map_t));
}

static PyMethodDef map_methods[] = {
    {"size", map_size, METH_NOARGS, "Size in memory, in bytes."},
    {NULL, NULL, 0, NULL},
};

PyTypeObject unicode_encoding_map_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "EncodingMap",
    .tp_basicsize = sizeof(encoding_map_t),
    .tp_dealloc = map_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_methods = map_methods,
};

/* ---- Encoding ---- */

/* Writes what mapping says about ch. 1 done, 0 undefined, -1 with an exception. Escapes. */
static int encode_char(byte_writer_t *w, PyObject *mapping, Py_UCS4 ch)
{
    if (heap_is_type(mapping, &unicode_encoding_map_type)) {
        int byte = map_find(mapping, ch);
        return byte < 0 ? 0 : byte_writer_write_byte(w, (unsigned char)byte) < 0 ? -1 : 1;
    }
    PyObject *key = PyLong_FromLong((long)ch), *value = PyObject_GetItem(mapping, key);
    Py_DECREF(key);
    if (value == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_LookupError))
            return -1;
        PyErr_Clear();
        return 0;
    }
    int rc = -1;
    if (value == Py_None)
        rc = 0;
    else if (PyLong_Check(value)) {
        int overflow;
        long byte = PyLong_AsLongAndOverflow(value, &overflow);
        if (overflow != 0 || byte < 0 || byte > 255)
            PyErr_SetString(PyExc_TypeError, "character mapping must be in range(256)");
        else
            rc = byte_writer_write_byte(w, (unsigned char)byte) < 0 ? -1 : 1;
    }
    else if (PyBytes_Check(value))
        rc = byte_writer_write(w, PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value)) < 0 ? -1 : 1;
    else
        PyErr_Format(PyExc_TypeError, "character mapping must return integer, bytes or None, not %.400s",
                     Py_TYPE(value)->tp_name);
    Py_DECREF(value);
    return rc;
}

/* Is ch undefined? 1, 0, or -1 with an exception. */
static int is_undefined(PyObject *mapping, Py_UCS4 ch)
{
    byte_writer_t trash;
    byte_writer_init(&trash);
    int rc = encode_char(&trash, mapping, ch);
    byte_writer_dealloc(&trash);
    return rc < 0 ? -1 : rc == 0;
}

/* Text that stands for str[from:to] goes through the mapping itself; it must be defined there. */
static int write_text(byte_writer_t *w, unicode_encoder_t *e, PyObject *mapping, PyObject *text, Py_ssize_t from,
                      Py_ssize_t to)
{
    for (Py_ssize_t i = 0; i < PyUnicode_GET_LENGTH(text); i++) {
        int rc = encode_char(w, mapping, PyUnicode_READ_CHAR(text, i));
        if (rc == 0)
            unicode_encoder_raise(e, from, to, undefined_reason);
        if (rc <= 0)
            return -1;
    }
    return 0;
}

/* Handles the undefined run [from, end); returns where to go on, or -1. */
static Py_ssize_t encode_error(byte_writer_t *w, unicode_encoder_t *e, PyObject *mapping, Py_ssize_t from,
                               Py_ssize_t end)
{
    if (e->handler == UNICODE_ERROR_UNKNOWN)
        e->handler = unicode_error_handler_of(e->errors);
    if (e->handler == UNICODE_ERROR_IGNORE)
        return end;
    if (e->handler == UNICODE_ERROR_REPLACE) {
        for (Py_ssize_t i = from; i < end; i++)
            if (write_text(w, e, mapping, unicode_latin1('?'), from, end) < 0)
                return -1;
        return end;
    }
    Py_ssize_t next;
    PyObject *replacement = unicode_encoder_error(e, from, end, undefined_reason, &next);
    if (replacement == NULL)
        return -1;
    int rc;
    if (PyBytes_Check(replacement))
        rc = byte_writer_write(w, PyBytes_AS_STRING(replacement), PyBytes_GET_SIZE(replacement));
    else
        rc = write_text(w, e, mapping, replacement, from, end);
    Py_DECREF(replacement);
    return rc < 0 ? -1 : next;
}

PyObject *_PyUnicode_EncodeCharmap(PyObject *str, PyObject *mapping, const char *errors)
{
    if (mapping == NULL)
        return _PyUnicode_AsLatin1String(str, errors);
    unicode_encoder_t e;
    byte_writer_t w;
    unicode_encoder_init(&e, "charmap", errors, str);
    byte_writer_init(&w);
    PyObject *result = NULL;
    Py_ssize_t n = PyUnicode_GET_LENGTH(str), i = 0;
    while (i < n) {
        int rc = encode_char(&w, mapping, PyUnicode_READ_CHAR(str, i));
        if (rc < 0)
            goto done;
        if (rc > 0) {
            i++;
            continue;
        }
        Py_ssize_t end = i + 1;
        int undefined = 1;
        while (end < n && (undefined = is_undefined(mapping, PyUnicode_READ_CHAR(str, end))) > 0)
            end++;
        if (undefined < 0)
            goto done;
        i = encode_error(&w, &e, mapping, i, end);
        if (i < 0)
            goto done;
    }
    result = byte_writer_finish(&w);
done:
    byte_writer_dealloc(&w);
    unicode_encoder_fini(&e);
    return result;
}

PyObject *PyUnicode_AsCharmapString(PyObject *str, PyObject *mapping)
{
    if (!PyUnicode_Check(str) || mapping == NULL) {
        PyErr_BadArgument();
        return NULL;
    }
    return _PyUnicode_EncodeCharmap(str, mapping, NULL);
}

/* ---- Numbers in text: for int(), float(), complex() ---- */

/* A copy in which whitespace is ' ', decimal digits are ASCII, and anything else that is not ASCII is '?' (once, at
 * the end); str itself if it is ASCII already. */
PyObject *_PyUnicode_TransformDecimalAndSpaceToASCII(PyObject *str)
{
    if (!PyUnicode_Check(str)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    if (PyUnicode_IS_ASCII(str))
        return Py_NewRef(str);
    Py_ssize_t n = PyUnicode_GET_LENGTH(str);
    unicode_writer_t w;
    unicode_writer_init_sized(&w, n);
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 ch = PyUnicode_READ_CHAR(str, i);
        int digit;
        if (ch >= 128 && Py_UNICODE_ISSPACE(ch))
            ch = ' ';
        else if (ch >= 128) {
            digit = Py_UNICODE_TODECIMAL(ch);
            ch = digit < 0 ? '?' : '0' + (Py_UCS4)digit;
        }
        if (unicode_writer_write_char(&w, ch) < 0) {
            unicode_writer_dealloc(&w);
            return NULL;
        }
        if (ch == '?' && PyUnicode_READ_CHAR(str, i) != '?')
            break;
    }
    return unicode_writer_finish(&w);
}
