/* Byte strings: what bytes and bytearray share, and the inside of bytes.
 *
 * The shared methods (BYTES_METHODS below, Objects/bytes_methods*.c) take a bytes or a bytearray as self.  They first
 * convert all arguments, which may run Python code; only then do they look at self's bytes, and from there on nothing
 * escapes until the result exists.  bytearray calls them inside a critical section on self, which is certainly held from
 * the moment when they look. Results are of self's base type; a bytes that needs no change is returned itself. */
#ifndef BRAID_BYTES_H
#define BRAID_BYTES_H

#include "Python.h"

/* ---- Static bytes ---- */

struct bytes_char { PyVarObject ob_base; Py_hash_t ob_shash; char ob_sval[8]; };
extern struct bytes_char bytes_chars[256];
extern struct bytes_char bytes_empty_object;
static inline PyObject *bytes_empty(void) { return (PyObject *)&bytes_empty_object; }
static inline PyObject *bytes_from_char(unsigned char ch) { return (PyObject *)&bytes_chars[ch]; }

/* ---- Searching over memory (Objects/bytes_search.c); -1: not found ---- */

Py_ssize_t bytes_find_data(const char *s, Py_ssize_t n, const char *sub, Py_ssize_t m);
Py_ssize_t bytes_rfind_data(const char *s, Py_ssize_t n, const char *sub, Py_ssize_t m);
/* At most max occurrences that do not overlap. */
Py_ssize_t bytes_count_data(const char *s, Py_ssize_t n, const char *sub, Py_ssize_t m, Py_ssize_t max);

/* ---- Self and results ---- */

/* The bytes of a bytes or bytearray (or subclass). Valid for a bytearray while its lock is held and nothing escapes. */
static inline const char *bytes_like_data(PyObject *self, Py_ssize_t *n)
{
    if (PyBytes_Check(self)) {
        *n = PyBytes_GET_SIZE(self);
        return PyBytes_AS_STRING(self);
    }
    *n = PyByteArray_GET_SIZE(self);
    return PyByteArray_AS_STRING(self);
}
/* A new bytes or bytearray as self is one. text may be NULL. Never escapes. */
static inline PyObject *bytes_like_new(PyObject *self, const char *text, Py_ssize_t n)
{
    return PyBytes_Check(self) ? PyBytes_FromStringAndSize(text, n) : PyByteArray_FromStringAndSize(text, n);
}
/* Writable data of a fresh result. */
static inline char *bytes_like_fill(PyObject *result)
{
    return PyBytes_Check(result) ? PyBytes_AS_STRING(result) : ((PyByteArrayObject *)result)->ob_start;
}

/* An integer in 0..255. Returns 0 or -1 with an exception. Escapes. */
int bytes_byte_value(PyObject *op, const char *range_message, int *value);
/* item in self. Escapes. Not to be called with self's lock held and relied on before it looks. */
int bytes_like_contains(PyObject *self, PyObject *item);
/* Slice bounds: None or an index, else TypeError. */
int bytes_slice_index(PyObject *op, Py_ssize_t *index);
/* One field of the comparison table: result of memcmp order and lengths. */
PyObject *bytes_compare_data(const char *a, Py_ssize_t an, const char *b, Py_ssize_t bn, int op);
/* repr of data: b'...', with prefix and suffix around it. With a prefix (bytearray) single quotes are always escaped. */
PyObject *bytes_repr_data(const char *s, Py_ssize_t n, int smartquotes, const char *prefix, const char *suffix);
/* Warns about a comparison or conversion under -b; 0 or -1. */
int bytes_warning(const char *text);
/* The bytes of n * count by repetition of the first n bytes of p, which are in place. */
void bytes_repeat_data(char *p, Py_ssize_t n, Py_ssize_t total);
/* For hex(): sep and bytes_per_sep as given by Python code (sep NULL: none). Escapes before data is read. */
PyObject *bytes_hex_data(const char *data, Py_ssize_t n, int separator, int group);
/* Parses hex()'s arguments. separator -1: none. */
int bytes_hex_arguments(PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames, int *separator, int *group);
/* bytes_like_new of the join; see _PyBytes_Join. */
PyObject *bytes_like_join(PyObject *self, PyObject *iterable);
/* Sequence of str.translate tables etc. in 3.11: 256 bytes from two arguments. */
PyObject *bytes_maketrans(PyObject *unused, PyObject *const *args, Py_ssize_t nargs);

/* ---- The shared methods ---- */

#define BYTES_METHODS(NOARGS, ONEARG, FASTCALL, KEYWORDS) \
    NOARGS(capitalize) NOARGS(lower) NOARGS(upper) NOARGS(swapcase) NOARGS(title) \
    NOARGS(isalnum) NOARGS(isalpha) NOARGS(isascii) NOARGS(isdigit) NOARGS(islower) NOARGS(isspace) NOARGS(istitle) \
    NOARGS(isupper) \
    ONEARG(join) ONEARG(partition) ONEARG(rpartition) ONEARG(removeprefix) ONEARG(removesuffix) ONEARG(zfill) \
    FASTCALL(center) FASTCALL(ljust) FASTCALL(rjust) FASTCALL(count) FASTCALL(find) FASTCALL(rfind) FASTCALL(index) \
    FASTCALL(rindex) FASTCALL(startswith) FASTCALL(endswith) FASTCALL(strip) FASTCALL(lstrip) FASTCALL(rstrip) \
    FASTCALL(replace) \
    KEYWORDS(split) KEYWORDS(rsplit) KEYWORDS(splitlines) KEYWORDS(expandtabs) KEYWORDS(translate) KEYWORDS(hex)

#define BYTES_DECLARE_NOARGS(name) PyObject *bytes_like_##name(PyObject *self, PyObject *unused);
#define BYTES_DECLARE_ONEARG(name) PyObject *bytes_like_##name(PyObject *self, PyObject *arg);
#define BYTES_DECLARE_FASTCALL(name) PyObject *bytes_like_##name(PyObject *self, PyObject *const *args, Py_ssize_t nargs);
#define BYTES_DECLARE_KEYWORDS(name) \
    PyObject *bytes_like_##name(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);
BYTES_METHODS(BYTES_DECLARE_NOARGS, BYTES_DECLARE_ONEARG, BYTES_DECLARE_FASTCALL, BYTES_DECLARE_KEYWORDS)

/* decode(encoding='utf-8', errors='strict') of a bytes, or of a bytes copy of a bytearray. */
PyObject *bytes_decode(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);

/* ---- Docs, which bytes and bytearray share ---- */
extern const char bytes_doc_decode[], bytes_doc_fromhex[], bytes_doc_maketrans[];
#define BYTES_DECLARE_DOC(name) extern const char bytes_doc_##name[];
BYTES_METHODS(BYTES_DECLARE_DOC, BYTES_DECLARE_DOC, BYTES_DECLARE_DOC, BYTES_DECLARE_DOC)

/* Objects/bytes_object.c, for the type object */
PyObject *bytes_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs);
PyObject *bytes_tp_repr(PyObject *self);
PyObject *bytes_tp_iter(PyObject *self);

#endif /* BRAID_BYTES_H */
