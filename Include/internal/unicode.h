/* The inside of str: what the interpreter, dict and the compiler use beside the public API (unicodeobject.h).
 *
 * Interning.  An interned string is immortal and unique: two interned strings are equal iff they are the same word.
 * A string becomes interned by being looked up in (or entered into) the global table; the result may be another
 * object than the one passed.  The table is read without a lock; entries are never removed.
 * The 256 one-character latin-1 strings, the empty string and the rows of well_known_strings.def are static and
 * interned. */
#ifndef BRAID_UNICODE_H
#define BRAID_UNICODE_H

#include "well_known_strings.h"

/* Enters the static strings into the intern table.
 * Returns  0, or -1 without memory (no exception: there may be no thread state yet) */
int unicode_init(void);
/* PyType_Ready for str, its iterators and helpers; after the basic types. Returns 0, or -1 with an exception. */
int unicode_types_init(void);

/* ---- Static one-character strings ---- */

struct unicode_ascii_char { PyASCIIObject head; Py_UCS1 data[8]; };
struct unicode_latin1_char { PyCompactUnicodeObject head; Py_UCS1 data[8]; };
extern struct unicode_ascii_char unicode_ascii_chars[128];
extern struct unicode_latin1_char unicode_latin1_chars[128];
extern struct unicode_ascii_char unicode_empty_string;

/* Borrowed, immortal. */
static inline PyObject *unicode_latin1(unsigned char ch)
{
    return ch < 128 ? (PyObject *)&unicode_ascii_chars[ch] : (PyObject *)&unicode_latin1_chars[ch - 128];
}
static inline PyObject *unicode_empty(void) { return (PyObject *)&unicode_empty_string; }

/* The one-character string of ch (new reference or immortal). */
PyObject *unicode_from_char(Py_UCS4 ch);

/* ---- Hash and equality ---- */

Py_hash_t unicode_hash_compute(PyObject *str);

/* str is a str or an instance of a subclass. Never fails. */
static inline Py_ALWAYS_INLINE Py_hash_t unicode_hash(PyObject *str)
{
    Py_hash_t hash = __atomic_load_n(&((PyASCIIObject *)str)->hash, __ATOMIC_RELAXED);
    return Py_LIKELY(hash != -1) ? hash : unicode_hash_compute(str);
}
static inline int unicode_is_interned(PyObject *str) { return ((PyASCIIObject *)str)->state.interned != 0; }

/* Both are str (or subclasses). Never fails, never escapes; reads nothing but the two strings. */
static inline Py_ALWAYS_INLINE int unicode_equal(PyObject *a, PyObject *b)
{
    PyASCIIObject *x = (PyASCIIObject *)a, *y = (PyASCIIObject *)b;
    if (a == b)
        return 1;
    if (x->length != y->length || x->state.kind != y->state.kind || (x->state.interned && y->state.interned))
        return 0;
    return memcmp(PyUnicode_DATA(a), PyUnicode_DATA(b), (size_t)x->length * x->state.kind) == 0;
}
/* -1, 0, 1 by code points. */
int unicode_compare(PyObject *a, PyObject *b);

/* ---- Interning ---- */

/* The interned string equal to str: immortal, so the reference need not be counted.
 * Steals   str, on failure too
 * Returns  NULL with MemoryError
 * Escapes  by the release of str only (a str: no finaliser) */
PyObject *unicode_intern_steal(PyObject *str);
PyObject *unicode_intern_ascii(const char *text, Py_ssize_t length);

/* ---- Building ---- */

/* left + right for two str objects. */
PyObject *unicode_concat(PyObject *left, PyObject *right);
/* left += right: extends left in place if the caller holds its only reference (amortised by over-allocation of the
 * memory block).  Both str; left exact or not.
 * Steals   left, on failure too */
PyObject *unicode_concat_steal(PyObject *left, PyObject *right);
/* The n strings (all str, immediates are not allowed) one after the other: f-strings.
 * Returns  new reference; TypeError if an item is no str */
PyObject *unicode_join_array(PyObject *const *items, Py_ssize_t n);
/* One replacement field of an f-string: conversion 0 or 's', 'r', 'a'; spec NULL or a str.
 * Escapes  yes */
PyObject *unicode_format_value(PyObject *value, int conversion, PyObject *spec);
/* str[index], index within 0..length-1. */
static inline PyObject *unicode_get_item(PyObject *str, Py_ssize_t index)
{
    Py_UCS4 ch = PyUnicode_READ_CHAR(str, index);
    return ch < 256 ? unicode_latin1((unsigned char)ch) : unicode_from_char(ch);
}
/* str * n for any n. */
PyObject *unicode_repeat(PyObject *str, Py_ssize_t n);
/* str[start:stop:step] with adjusted bounds as from PySlice_AdjustIndices; n results. */
PyObject *unicode_get_slice(PyObject *str, Py_ssize_t start, Py_ssize_t step, Py_ssize_t n);
/* A new string of maxchar's width that can take size code points, data not filled; NULL with MemoryError. */
PyObject *unicode_alloc(Py_ssize_t size, Py_UCS4 maxchar);
/* Data of one width into another; the caller knows that it fits. */
void unicode_convert(int to_kind, void *to, int from_kind, const void *from, Py_ssize_t n);
/* Largest code point, rounded up to 127, 255, 65535 or 0x10ffff. */
Py_UCS4 unicode_max_char(int kind, const void *data, Py_ssize_t n);
/* Frees what str owns beside its own memory, then the memory. tp_dealloc of exact str. */
void unicode_dealloc(PyObject *str);

/* ---- Searching (Objects/unicode_search.c); n, m in code points; same kind; -1: not found ---- */

Py_ssize_t unicode_find_data(int kind, const void *data, Py_ssize_t n, const void *sub, Py_ssize_t m);
Py_ssize_t unicode_rfind_data(int kind, const void *data, Py_ssize_t n, const void *sub, Py_ssize_t m);
Py_ssize_t unicode_count_data(int kind, const void *data, Py_ssize_t n, const void *sub, Py_ssize_t m,
                              Py_ssize_t maxcount);
Py_ssize_t unicode_find_char(int kind, const void *data, Py_ssize_t n, Py_UCS4 ch);
Py_ssize_t unicode_rfind_char(int kind, const void *data, Py_ssize_t n, Py_UCS4 ch);

/* ---- Codecs ---- */

/* Normal form of an encoding's name: lower case, runs of other characters than letters, digits and '.' become '_'.
 * Returns  0 if it does not fit lower */
int unicode_normalize_encoding(const char *encoding, char *lower, size_t lower_len);

enum unicode_error_handler {
    UNICODE_ERROR_UNKNOWN, UNICODE_ERROR_STRICT, UNICODE_ERROR_IGNORE, UNICODE_ERROR_REPLACE,
    UNICODE_ERROR_XMLCHARREFREPLACE, UNICODE_ERROR_BACKSLASHREPLACE, UNICODE_ERROR_SURROGATEESCAPE,
    UNICODE_ERROR_SURROGATEPASS, UNICODE_ERROR_NAMEREPLACE, UNICODE_ERROR_OTHER,
};
enum unicode_error_handler unicode_error_handler_of(const char *errors);

/* Bytes of s without backslash escapes (bytes literals, codecs.escape_decode).
 * first_invalid: NULL, or set to the first unknown escape (the character after the backslash) or NULL
 * Returns  a bytes object */
PyObject *unicode_escape_decode_bytes(const char *s, Py_ssize_t size, const char *errors,
                                      const char **first_invalid);

/* Name look-up that unicodedata provides (\N{...}, namereplace): Modules/unicodedata.c fills it in. */
struct unicode_name_hooks {
    /* Name of ch into buffer; 0 if it has none. */
    int (*get_name)(Py_UCS4 ch, char *buffer, int size);
    /* Character named by name; 0 if there is none. */
    int (*get_code)(const char *name, int length, Py_UCS4 *ch);
};
extern struct unicode_name_hooks unicode_name_hooks;

/* ---- Types private to str ---- */
extern PyTypeObject unicode_formatter_iter_type;
extern PyTypeObject unicode_field_iter_type;
extern PyTypeObject unicode_encoding_map_type;

#endif /* BRAID_UNICODE_H */
