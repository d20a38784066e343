/* Storage of str objects: allocation, the static strings, resizing, copying between widths, comparing, hashing. */
#include <Python.h>
#include "unicode.h"
#include "unicode_writer.h"
#include "object_malloc.h"

/* ---- Static strings ---- */

#define ASCII_HEAD(n, interned_state) \
    { PyObject_HEAD_INIT(&PyUnicode_Type) (n), -1, {(interned_state), 1, 1, 1, 1}, 0 }
#define LATIN1_HEAD(n) \
    { { PyObject_HEAD_INIT(&PyUnicode_Type) (n), -1, {SSTATE_INTERNED_IMMORTAL, 1, 1, 0, 1}, 0 }, 0, NULL }

struct unicode_ascii_char unicode_empty_string = {ASCII_HEAD(0, SSTATE_INTERNED_IMMORTAL), {0}};

#define A1(c) {ASCII_HEAD(1, SSTATE_INTERNED_IMMORTAL), {(c)}},
#define A8(c) A1(c) A1((c) + 1) A1((c) + 2) A1((c) + 3) A1((c) + 4) A1((c) + 5) A1((c) + 6) A1((c) + 7)
#define A64(c) A8(c) A8((c) + 8) A8((c) + 16) A8((c) + 24) A8((c) + 32) A8((c) + 40) A8((c) + 48) A8((c) + 56)
struct unicode_ascii_char unicode_ascii_chars[128] = {A64(0) A64(64)};

#define L1(c) {LATIN1_HEAD(1), {(c)}},
#define L8(c) L1(c) L1((c) + 1) L1((c) + 2) L1((c) + 3) L1((c) + 4) L1((c) + 5) L1((c) + 6) L1((c) + 7)
#define L64(c) L8(c) L8((c) + 8) L8((c) + 16) L8((c) + 24) L8((c) + 32) L8((c) + 40) L8((c) + 48) L8((c) + 56)
struct unicode_latin1_char unicode_latin1_chars[128] = {L64(128) L64(192)};

struct well_known_strings well_known_strings = {
#define S(name) .name_##name = {ASCII_HEAD(sizeof(#name) - 1, SSTATE_INTERNED_IMMORTAL), #name},
#define T(name, text) .name_##name = {ASCII_HEAD(sizeof(text) - 1, SSTATE_INTERNED_IMMORTAL), text},
#include "well_known_strings.def"
#undef S
#undef T
};

/* ---- Allocation ---- */

/* kind and ascii are constants where this is inlined. */
static inline Py_ALWAYS_INLINE PyObject *alloc_kind(Py_ssize_t size, const int kind, const int ascii)
{
    const size_t head = ascii ? sizeof(PyASCIIObject) : sizeof(PyCompactUnicodeObject);
    if (Py_UNLIKELY(size > (PY_SSIZE_T_MAX - (Py_ssize_t)head) / kind - 1))
        return PyErr_NoMemory();
    PyASCIIObject *str = object_malloc(head + (size_t)(size + 1) * (size_t)kind);
    if (Py_UNLIKELY(str == NULL))
        return PyErr_NoMemory();
    object_header_init((PyObject *)str, &PyUnicode_Type, 0);
    str->length = size;
    str->hash = -1;
    __typeof__(str->state) state = {.kind = (unsigned)kind, .compact = 1, .ascii = (unsigned)ascii, .ready = 1};
    str->state = state;         /* in one store */
    str->unused = 0;
    if (!ascii) {
        ((PyCompactUnicodeObject *)str)->utf8 = NULL;
        ((PyCompactUnicodeObject *)str)->utf8_length = 0;
    }
    PyUnicode_WRITE(kind, (char *)str + head, size, 0);
    return (PyObject *)str;
}

PyObject *unicode_alloc(Py_ssize_t size, Py_UCS4 maxchar)
{
    if (Py_LIKELY(maxchar < 128))
        return alloc_kind(size, 1, 1);
    return maxchar < 256 ? alloc_kind(size, 1, 0) : maxchar < 65536 ? alloc_kind(size, 2, 0) : alloc_kind(size, 4, 0);
}

PyObject *PyUnicode_New(Py_ssize_t size, Py_UCS4 maxchar)
{
    if (size == 0)
        return unicode_empty();
    if (size < 0) {
        PyErr_SetString(PyExc_SystemError, "Negative size passed to PyUnicode_New");
        return NULL;
    }
    if (maxchar > 0x10ffff) {
        PyErr_SetString(PyExc_SystemError, "invalid maximum character passed to PyUnicode_New");
        return NULL;
    }
    return unicode_alloc(size, maxchar);
}

int _PyUnicode_Ready(PyObject *Py_UNUSED(unicode))
{
    return 0;
}

void unicode_dealloc(PyObject *self)
{
    PyASCIIObject *str = (PyASCIIObject *)self;
    if (Py_LIKELY(str->state.compact)) {
        if (!str->state.ascii && ((PyCompactUnicodeObject *)self)->utf8 != NULL)
            PyMem_Free(((PyCompactUnicodeObject *)self)->utf8);
        object_free(self);
        return;
    }
    PyUnicodeObject *u = (PyUnicodeObject *)self;
    if (u->_base.utf8 != (char *)u->data.any)
        PyMem_Free(u->_base.utf8);
    PyMem_Free(u->data.any);
    Py_TYPE(self)->tp_free(self);
}

/* ---- Moving characters ---- */

static void widen_1_2(Py_UCS2 *to, const Py_UCS1 *from, Py_ssize_t n)
{
    for (Py_ssize_t i = 0; i < n; i++)
        to[i] = from[i];
}

static void widen_1_4(Py_UCS4 *to, const Py_UCS1 *from, Py_ssize_t n)
{
    for (Py_ssize_t i = 0; i < n; i++)
        to[i] = from[i];
}

static void widen_2_4(Py_UCS4 *to, const Py_UCS2 *from, Py_ssize_t n)
{
    for (Py_ssize_t i = 0; i < n; i++)
        to[i] = from[i];
}

static void narrow_2_1(Py_UCS1 *to, const Py_UCS2 *from, Py_ssize_t n)
{
    for (Py_ssize_t i = 0; i < n; i++)
        to[i] = (Py_UCS1)from[i];
}

static void narrow_4_1(Py_UCS1 *to, const Py_UCS4 *from, Py_ssize_t n)
{
    for (Py_ssize_t i = 0; i < n; i++)
        to[i] = (Py_UCS1)from[i];
}

static void narrow_4_2(Py_UCS2 *to, const Py_UCS4 *from, Py_ssize_t n)
{
    for (Py_ssize_t i = 0; i < n; i++)
        to[i] = (Py_UCS2)from[i];
}

void unicode_convert(int to_kind, void *to, int from_kind, const void *from, Py_ssize_t n)
{
    if (n <= 0)
        return;
    if (to_kind == from_kind)
        object_copy_bytes(to, from, (size_t)n * (size_t)to_kind);
    else if (from_kind == 1 && to_kind == 2)
        widen_1_2(to, from, n);
    else if (from_kind == 1)
        widen_1_4(to, from, n);
    else if (from_kind == 2 && to_kind == 4)
        widen_2_4(to, from, n);
    else if (from_kind == 2)
        narrow_2_1(to, from, n);
    else if (to_kind == 1)
        narrow_4_1(to, from, n);
    else
        narrow_4_2(to, from, n);
}

static Py_UCS4 max_char_1(const unsigned char *p, Py_ssize_t n)
{
    const unsigned char *end = p + n;
    while (end - p >= 32) {
        uint64_t w[4];
        memcpy(w, p, 32);
        if ((w[0] | w[1] | w[2] | w[3]) & 0x8080808080808080u)
            return 255;
        p += 32;
    }
    while (end - p >= 8) {
        uint64_t w;
        memcpy(&w, p, 8);
        if (w & 0x8080808080808080u)
            return 255;
        p += 8;
    }
    while (p < end)
        if (*p++ & 0x80)
            return 255;
    return 127;
}

Py_UCS4 unicode_max_char(int kind, const void *data, Py_ssize_t n)
{
    if (kind == 1)
        return max_char_1(data, n);
    if (kind == 2) {
        const Py_UCS2 *p = data;
        Py_UCS4 all = 0;
        for (Py_ssize_t i = 0; i < n; i++)
            all |= p[i];
        return all < 128 ? 127 : all < 256 ? 255 : 65535;
    }
    const Py_UCS4 *p = data;
    Py_UCS4 all = 0;
    for (Py_ssize_t i = 0; i < n; i++)
        all |= p[i];
    return all < 128 ? 127 : all < 256 ? 255 : all < 65536 ? 65535 : 0x10ffff;
}

Py_UCS4 _PyUnicode_FindMaxChar(PyObject *str, Py_ssize_t start, Py_ssize_t end)
{
    if (start == 0 && end == PyUnicode_GET_LENGTH(str))
        return PyUnicode_MAX_CHAR_VALUE(str);
    if (PyUnicode_IS_ASCII(str))
        return 127;
    int kind = PyUnicode_KIND(str);
    return unicode_max_char(kind, (char *)PyUnicode_DATA(str) + start * kind, end - start);
}

void _PyUnicode_FastCopyCharacters(PyObject *to, Py_ssize_t to_start, PyObject *from, Py_ssize_t from_start,
                                   Py_ssize_t n)
{
    int to_kind = PyUnicode_KIND(to), from_kind = PyUnicode_KIND(from);
    unicode_convert(to_kind, (char *)PyUnicode_DATA(to) + to_start * to_kind, from_kind,
                    (char *)PyUnicode_DATA(from) + from_start * from_kind, n);
}

/* May the caller write into str? It must hold the only reference; the hash, if any, must not have been used. */
static int is_modifiable(PyObject *str)
{
    return PyUnicode_CheckExact(str) && !PyUnicode_CHECK_INTERNED(str) && PyUnicode_IS_COMPACT(str)
           && ((PyASCIIObject *)str)->hash == -1 && Py_REFCNT(str) == 1;
}

static int check_modifiable(PyObject *str)
{
    if (is_modifiable(str))
        return 0;
    PyErr_SetString(PyExc_SystemError, "Cannot modify a string currently used");
    return -1;
}

Py_ssize_t PyUnicode_CopyCharacters(PyObject *to, Py_ssize_t to_start, PyObject *from, Py_ssize_t from_start,
                                    Py_ssize_t how_many)
{
    if (!PyUnicode_Check(from) || !PyUnicode_Check(to)) {
        PyErr_BadInternalCall();
        return -1;
    }
    if ((size_t)from_start > (size_t)PyUnicode_GET_LENGTH(from)
        || (size_t)to_start > (size_t)PyUnicode_GET_LENGTH(to)) {
        PyErr_SetString(PyExc_IndexError, "string index out of range");
        return -1;
    }
    if (how_many < 0) {
        PyErr_SetString(PyExc_SystemError, "how_many cannot be negative");
        return -1;
    }
    how_many = Py_MIN(PyUnicode_GET_LENGTH(from) - from_start, how_many);
    if (to_start + how_many > PyUnicode_GET_LENGTH(to)) {
        PyErr_Format(PyExc_SystemError, "Cannot write %zi characters at %zi in a string of %zi characters",
                     how_many, to_start, PyUnicode_GET_LENGTH(to));
        return -1;
    }
    if (how_many == 0)
        return 0;
    if (check_modifiable(to) < 0)
        return -1;
    if (_PyUnicode_FindMaxChar(from, from_start, from_start + how_many) > PyUnicode_MAX_CHAR_VALUE(to)) {
        PyErr_Format(PyExc_SystemError, "Cannot copy %s characters into a string of %s characters",
                     "wider", "narrower");
        return -1;
    }
    _PyUnicode_FastCopyCharacters(to, to_start, from, from_start, how_many);
    return how_many;
}

static void fill_data(int kind, void *data, Py_ssize_t start, Py_ssize_t n, Py_UCS4 ch)
{
    if (kind == 1)
        memset((Py_UCS1 *)data + start, (int)ch, (size_t)n);
    else
        for (Py_ssize_t i = start; i < start + n; i++)
            PyUnicode_WRITE(kind, data, i, ch);
}

Py_ssize_t PyUnicode_Fill(PyObject *str, Py_ssize_t start, Py_ssize_t length, Py_UCS4 ch)
{
    if (!PyUnicode_Check(str)) {
        PyErr_BadInternalCall();
        return -1;
    }
    if (check_modifiable(str) < 0)
        return -1;
    if (start < 0) {
        PyErr_SetString(PyExc_IndexError, "string index out of range");
        return -1;
    }
    if (ch > PyUnicode_MAX_CHAR_VALUE(str)) {
        PyErr_SetString(PyExc_ValueError, "fill character is bigger than the string maximum character");
        return -1;
    }
    length = Py_MIN(PyUnicode_GET_LENGTH(str) - start, length);
    if (length <= 0)
        return 0;
    fill_data(PyUnicode_KIND(str), PyUnicode_DATA(str), start, length, ch);
    return length;
}

int PyUnicode_WriteChar(PyObject *str, Py_ssize_t index, Py_UCS4 ch)
{
    if (!PyUnicode_Check(str)) {
        PyErr_BadArgument();
        return -1;
    }
    if (index < 0 || index >= PyUnicode_GET_LENGTH(str)) {
        PyErr_SetString(PyExc_IndexError, "string index out of range");
        return -1;
    }
    if (check_modifiable(str) < 0)
        return -1;
    if (ch > PyUnicode_MAX_CHAR_VALUE(str)) {
        PyErr_SetString(PyExc_ValueError, "character out of range");
        return -1;
    }
    PyUnicode_WRITE(PyUnicode_KIND(str), PyUnicode_DATA(str), index, ch);
    return 0;
}

/* Sizes of big blocks are rounded up to an eighth of their power of two, so that appending in a loop is linear. */
static size_t block_size(size_t need)
{
    if (need < 32768)
        return need;
    size_t grain = (size_t)1 << (60 - __builtin_clzll(need));
    return (need + grain - 1) & ~(grain - 1);
}

/* A compact string that nobody else has seen becomes longer or shorter, in place if the block allows. */
static PyObject *resize_unique(PyObject *self, Py_ssize_t length)
{
    PyASCIIObject *str = (PyASCIIObject *)self;
    int kind = str->state.kind;
    size_t head = str->state.ascii ? sizeof(PyASCIIObject) : sizeof(PyCompactUnicodeObject);
    if (length > (PY_SSIZE_T_MAX - (Py_ssize_t)head) / kind / 2 - 1) {
        PyErr_NoMemory();
        return NULL;
    }
    if (!str->state.ascii) {
        PyMem_Free(((PyCompactUnicodeObject *)self)->utf8);
        ((PyCompactUnicodeObject *)self)->utf8 = NULL;
        ((PyCompactUnicodeObject *)self)->utf8_length = 0;
    }
    str = PyObject_Realloc(str, block_size(head + (size_t)(length + 1) * (size_t)kind));
    if (str == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    str->length = length;
    str->hash = -1;
    PyUnicode_WRITE(kind, (char *)str + head, length, 0);
    return (PyObject *)str;
}

int PyUnicode_Resize(PyObject **p, Py_ssize_t length)
{
    PyObject *str = p == NULL ? NULL : *p;
    if (str == NULL || !PyUnicode_Check(str) || length < 0) {
        PyErr_BadInternalCall();
        return -1;
    }
    Py_ssize_t old = PyUnicode_GET_LENGTH(str);
    if (old == length)
        return 0;
    if (length == 0) {
        *p = unicode_empty();
        Py_DECREF(str);
        return 0;
    }
    if (PyUnicode_CheckExact(str) && object_is_unique(str)) {
        PyObject *grown = resize_unique(str, length);
        if (grown == NULL)
            return -1;
        *p = grown;
        return 0;
    }
    PyObject *copy = PyUnicode_New(length, PyUnicode_MAX_CHAR_VALUE(str));
    if (copy == NULL)
        return -1;
    _PyUnicode_FastCopyCharacters(copy, 0, str, 0, Py_MIN(old, length));
    *p = copy;
    Py_DECREF(str);
    return 0;
}

/* ---- Making strings from characters ---- */

PyObject *unicode_from_char(Py_UCS4 ch)
{
    if (ch < 256)
        return unicode_latin1((unsigned char)ch);
    PyObject *str = unicode_alloc(1, ch);
    if (str != NULL)
        PyUnicode_WRITE(PyUnicode_KIND(str), PyUnicode_DATA(str), 0, ch);
    return str;
}

PyObject *PyUnicode_FromOrdinal(int ordinal)
{
    if (ordinal < 0 || ordinal > 0x10ffff) {
        PyErr_SetString(PyExc_ValueError, "chr() arg not in range(0x110000)");
        return NULL;
    }
    return unicode_from_char((Py_UCS4)ordinal);
}

PyObject *PyUnicode_FromKindAndData(int kind, const void *buffer, Py_ssize_t size)
{
    if (size < 0) {
        PyErr_SetString(PyExc_ValueError, "size must be positive");
        return NULL;
    }
    if (kind != 1 && kind != 2 && kind != 4) {
        PyErr_SetString(PyExc_SystemError, "invalid kind");
        return NULL;
    }
    if (size == 0)
        return unicode_empty();
    if (size == 1)
        return unicode_from_char(PyUnicode_READ(kind, buffer, 0));
    Py_UCS4 maxchar = unicode_max_char(kind, buffer, size);
    PyObject *str = unicode_alloc(size, maxchar);
    if (str != NULL)
        unicode_convert(PyUnicode_KIND(str), PyUnicode_DATA(str), kind, buffer, size);
    return str;
}

PyObject *_PyUnicode_FromASCII(const char *buffer, Py_ssize_t size)
{
    if (size <= 1)
        return size == 1 ? unicode_latin1((unsigned char)buffer[0]) : PyUnicode_New(size, 127);
    PyObject *str = alloc_kind(size, 1, 1);
    if (str != NULL)
        object_copy_bytes((PyASCIIObject *)str + 1, buffer, (size_t)size);
    return str;
}

PyObject *PyUnicode_FromStringAndSize(const char *u, Py_ssize_t size)
{
    if (size < 0) {
        PyErr_SetString(PyExc_SystemError, "Negative size passed to PyUnicode_FromStringAndSize");
        return NULL;
    }
    if (u != NULL)
        return PyUnicode_DecodeUTF8Stateful(u, size, NULL, NULL);
    if (size > 0) {
        PyErr_SetString(PyExc_SystemError, "NULL string with positive size with NULL passed to PyUnicode_FromStringAndSize");
        return NULL;
    }
    return unicode_empty();
}

PyObject *PyUnicode_FromString(const char *u)
{
    size_t size = strlen(u);
    if (size > PY_SSIZE_T_MAX) {
        PyErr_SetString(PyExc_OverflowError, "input too long");
        return NULL;
    }
    return PyUnicode_DecodeUTF8Stateful(u, (Py_ssize_t)size, NULL, NULL);
}

PyObject *PyUnicode_FromWideChar(const wchar_t *w, Py_ssize_t size)
{
    if (w == NULL && size != 0) {
        PyErr_BadInternalCall();
        return NULL;
    }
    if (size == -1)
        size = (Py_ssize_t)wcslen(w);
    for (Py_ssize_t i = 0; i < size; i++) {
        if ((Py_UCS4)w[i] > 0x10ffff) {
            PyErr_Format(PyExc_ValueError, "character U+%x is not in range [U+0000; U+10ffff]", (unsigned)w[i]);
            return NULL;
        }
    }
    return PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, w, size);
}

PyObject *PyUnicode_FromUnicode(const Py_UNICODE *u, Py_ssize_t size)
{
    return PyUnicode_FromWideChar(u, size);
}

PyObject *_PyUnicode_Copy(PyObject *str)
{
    if (!PyUnicode_Check(str)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    Py_ssize_t length = PyUnicode_GET_LENGTH(str);
    PyObject *copy = PyUnicode_New(length, PyUnicode_MAX_CHAR_VALUE(str));
    if (copy != NULL && length > 0)
        memcpy(PyUnicode_DATA(copy), PyUnicode_DATA(str), (size_t)length * PyUnicode_KIND(str));
    return copy;
}

PyObject *PyUnicode_FromObject(PyObject *obj)
{
    if (PyUnicode_CheckExact(obj))
        return Py_NewRef(obj);
    if (PyUnicode_Check(obj))
        return _PyUnicode_Copy(obj);
    PyErr_Format(PyExc_TypeError, "Can't convert '%.100s' object to str implicitly", Py_TYPE(obj)->tp_name);
    return NULL;
}

PyObject *PyUnicode_Substring(PyObject *self, Py_ssize_t start, Py_ssize_t end)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(self);
    end = Py_MIN(end, length);
    if (start == 0 && end == length)
        return PyUnicode_FromObject(self);
    if (start < 0 || end < 0) {
        PyErr_SetString(PyExc_IndexError, "string index out of range");
        return NULL;
    }
    if (start >= length || end < start)
        return unicode_empty();
    length = end - start;
    if (PyUnicode_IS_ASCII(self))
        return _PyUnicode_FromASCII((char *)PyUnicode_DATA(self) + start, length);
    int kind = PyUnicode_KIND(self);
    return PyUnicode_FromKindAndData(kind, (char *)PyUnicode_DATA(self) + kind * start, length);
}

/* ---- Reading ---- */

Py_ssize_t PyUnicode_GetLength(PyObject *str)
{
    if (!PyUnicode_Check(str)) {
        PyErr_BadArgument();
        return -1;
    }
    return PyUnicode_GET_LENGTH(str);
}

Py_UCS4 PyUnicode_ReadChar(PyObject *str, Py_ssize_t index)
{
    if (!PyUnicode_Check(str)) {
        PyErr_BadArgument();
        return (Py_UCS4)-1;
    }
    if (index < 0 || index >= PyUnicode_GET_LENGTH(str)) {
        PyErr_SetString(PyExc_IndexError, "string index out of range");
        return (Py_UCS4)-1;
    }
    return PyUnicode_READ_CHAR(str, index);
}

Py_UCS4 *PyUnicode_AsUCS4(PyObject *str, Py_UCS4 *buffer, Py_ssize_t buflen, int copy_null)
{
    if (buffer == NULL || buflen < 0) {
        PyErr_BadInternalCall();
        return NULL;
    }
    Py_ssize_t length = PyUnicode_GET_LENGTH(str);
    if (buflen < length + (copy_null != 0)) {
        PyErr_SetString(PyExc_SystemError, "string is longer than the buffer");
        if (copy_null && buflen > 0)
            buffer[0] = 0;
        return NULL;
    }
    unicode_convert(4, buffer, PyUnicode_KIND(str), PyUnicode_DATA(str), length);
    if (copy_null)
        buffer[length] = 0;
    return buffer;
}

Py_UCS4 *PyUnicode_AsUCS4Copy(PyObject *str)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(str) + 1;
    if (length > PY_SSIZE_T_MAX / (Py_ssize_t)sizeof(Py_UCS4)) {
        PyErr_NoMemory();
        return NULL;
    }
    Py_UCS4 *buffer = PyMem_Malloc((size_t)length * sizeof(Py_UCS4));
    if (buffer == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    return PyUnicode_AsUCS4(str, buffer, length, 1);
}

Py_ssize_t PyUnicode_AsWideChar(PyObject *str, wchar_t *w, Py_ssize_t size)
{
    if (str == NULL) {
        PyErr_BadInternalCall();
        return -1;
    }
    if (!PyUnicode_Check(str)) {
        PyErr_BadArgument();
        return -1;
    }
    Py_ssize_t length = PyUnicode_GET_LENGTH(str);
    if (w == NULL)
        return length + 1;
    Py_ssize_t n = Py_MIN(size, length + 1);
    /* The final zero is part of the data. */
    if (n > 0)
        unicode_convert(4, w, PyUnicode_KIND(str), PyUnicode_DATA(str), n);
    return Py_MIN(size, length);
}

wchar_t *PyUnicode_AsWideCharString(PyObject *str, Py_ssize_t *size)
{
    if (str == NULL) {
        PyErr_BadInternalCall();
        return NULL;
    }
    if (!PyUnicode_Check(str)) {
        PyErr_BadArgument();
        return NULL;
    }
    wchar_t *w = (wchar_t *)PyUnicode_AsUCS4Copy(str);
    if (w == NULL)
        return NULL;
    Py_ssize_t length = PyUnicode_GET_LENGTH(str);
    if (size != NULL)
        *size = length;
    else if (wcslen(w) != (size_t)length) {
        PyMem_Free(w);
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        return NULL;
    }
    return w;
}

/* ---- Hash and comparison ---- */

Py_hash_t unicode_hash_compute(PyObject *self)
{
    PyASCIIObject *str = (PyASCIIObject *)self;
    Py_hash_t hash = _Py_HashBytes(PyUnicode_DATA(self), str->length * str->state.kind);
    __atomic_store_n(&str->hash, hash, __ATOMIC_RELAXED);
    return hash;
}

int unicode_compare(PyObject *a, PyObject *b)
{
    if (a == b)
        return 0;
    int kind_a = PyUnicode_KIND(a), kind_b = PyUnicode_KIND(b);
    Py_ssize_t len_a = PyUnicode_GET_LENGTH(a), len_b = PyUnicode_GET_LENGTH(b);
    Py_ssize_t n = Py_MIN(len_a, len_b);
    const void *data_a = PyUnicode_DATA(a), *data_b = PyUnicode_DATA(b);
    if (kind_a == 1 && kind_b == 1) {
        int c = memcmp(data_a, data_b, (size_t)n);
        if (c != 0)
            return c < 0 ? -1 : 1;
    }
    else {
        for (Py_ssize_t i = 0; i < n; i++) {
            Py_UCS4 x = PyUnicode_READ(kind_a, data_a, i), y = PyUnicode_READ(kind_b, data_b, i);
            if (x != y)
                return x < y ? -1 : 1;
        }
    }
    return len_a == len_b ? 0 : len_a < len_b ? -1 : 1;
}

int PyUnicode_Compare(PyObject *left, PyObject *right)
{
    if (PyUnicode_Check(left) && PyUnicode_Check(right))
        return unicode_compare(left, right);
    PyErr_Format(PyExc_TypeError, "Can't compare %.100s and %.100s", Py_TYPE(left)->tp_name,
                 Py_TYPE(right)->tp_name);
    return -1;
}

int PyUnicode_CompareWithASCIIString(PyObject *left, const char *right)
{
    int kind = PyUnicode_KIND(left);
    const void *data = PyUnicode_DATA(left);
    Py_ssize_t length = PyUnicode_GET_LENGTH(left);
    for (Py_ssize_t i = 0; i < length; i++) {
        Py_UCS4 x = PyUnicode_READ(kind, data, i), y = (unsigned char)right[i];
        if (x != y)
            return x < y ? -1 : 1;
        if (y == 0)     /* an embedded zero in left; right ends here */
            return 1;
    }
    return right[length] != 0 ? -1 : 0;
}

int _PyUnicode_EqualToASCIIString(PyObject *left, const char *right)
{
    size_t length = strlen(right);
    return PyUnicode_IS_ASCII(left) && (size_t)PyUnicode_GET_LENGTH(left) == length
           && memcmp(PyUnicode_DATA(left), right, length) == 0;
}

int _PyUnicode_EqualToASCIIId(PyObject *left, _Py_Identifier *right)
{
    return _PyUnicode_EqualToASCIIString(left, right->string);
}

int PyUnicode_EqualToUTF8AndSize(PyObject *str, const char *text, Py_ssize_t size)
{
    if (PyUnicode_IS_ASCII(str))
        return PyUnicode_GET_LENGTH(str) == size && memcmp(PyUnicode_DATA(str), text, (size_t)size) == 0;
    Py_ssize_t length;
    const char *utf8 = PyUnicode_AsUTF8AndSize(str, &length);
    if (utf8 == NULL) {
        PyErr_Clear();
        return 0;
    }
    return length == size && memcmp(utf8, text, (size_t)size) == 0;
}

int PyUnicode_EqualToUTF8(PyObject *str, const char *text)
{
    return PyUnicode_EqualToUTF8AndSize(str, text, (Py_ssize_t)strlen(text));
}

int _PyUnicode_EQ(PyObject *left, PyObject *right)
{
    return unicode_equal(left, right);
}

int _PyUnicode_Equal(PyObject *left, PyObject *right)
{
    return unicode_equal(left, right);
}

PyObject *PyUnicode_RichCompare(PyObject *left, PyObject *right, int op)
{
    if (!PyUnicode_Check(left) || !PyUnicode_Check(right))
        Py_RETURN_NOTIMPLEMENTED;
    int answer;
    if (op == Py_EQ || op == Py_NE)
        answer = unicode_equal(left, right) == (op == Py_EQ);
    else {
        int c = unicode_compare(left, right);
        switch (op) {
        case Py_LT: answer = c < 0; break;
        case Py_LE: answer = c <= 0; break;
        case Py_GT: answer = c > 0; break;
        case Py_GE: answer = c >= 0; break;
        default:
            PyErr_BadArgument();
            return NULL;
        }
    }
    return answer ? Py_True : Py_False;
}
