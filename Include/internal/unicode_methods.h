/* The methods of str, one function per row of the method table in Objects/unicode_type.c.
 *
 * Self is a str or an instance of a subclass; all return a new reference or NULL with an exception set. None locks:
 * strings are immutable. */
#ifndef BRAID_UNICODE_METHODS_H
#define BRAID_UNICODE_METHODS_H

#define UNICODE_NOARGS(name) PyObject *unicode_##name(PyObject *self, PyObject *ignored);
#define UNICODE_ONEARG(name) PyObject *unicode_##name(PyObject *self, PyObject *arg);
#define UNICODE_FASTCALL(name) PyObject *unicode_##name(PyObject *self, PyObject *const *args, Py_ssize_t nargs);
#define UNICODE_KEYWORDS(name) \
    PyObject *unicode_##name(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);

/* Objects/unicode_case.c */
UNICODE_NOARGS(upper)
UNICODE_NOARGS(lower)
UNICODE_NOARGS(title)
UNICODE_NOARGS(capitalize)
UNICODE_NOARGS(swapcase)
UNICODE_NOARGS(casefold)
UNICODE_NOARGS(isalpha)
UNICODE_NOARGS(isdecimal)
UNICODE_NOARGS(isdigit)
UNICODE_NOARGS(isnumeric)
UNICODE_NOARGS(isspace)
UNICODE_NOARGS(isalnum)
UNICODE_NOARGS(isprintable)
UNICODE_NOARGS(isascii)
UNICODE_NOARGS(islower)
UNICODE_NOARGS(isupper)
UNICODE_NOARGS(istitle)
UNICODE_NOARGS(isidentifier)

/* Objects/unicode_methods.c */
UNICODE_FASTCALL(find)
UNICODE_FASTCALL(rfind)
UNICODE_FASTCALL(index)
UNICODE_FASTCALL(rindex)
UNICODE_FASTCALL(count)
UNICODE_FASTCALL(startswith)
UNICODE_FASTCALL(endswith)
UNICODE_FASTCALL(strip)
UNICODE_FASTCALL(lstrip)
UNICODE_FASTCALL(rstrip)
UNICODE_KEYWORDS(split)
UNICODE_KEYWORDS(rsplit)
UNICODE_KEYWORDS(splitlines)
UNICODE_KEYWORDS(expandtabs)
UNICODE_KEYWORDS(encode)
UNICODE_FASTCALL(center)
UNICODE_FASTCALL(ljust)
UNICODE_FASTCALL(rjust)
UNICODE_ONEARG(zfill)
UNICODE_ONEARG(join)
UNICODE_ONEARG(partition)
UNICODE_ONEARG(rpartition)
UNICODE_ONEARG(removeprefix)
UNICODE_ONEARG(removesuffix)
UNICODE_FASTCALL(replace)
UNICODE_NOARGS(getnewargs)
UNICODE_NOARGS(sizeof)
UNICODE_ONEARG(format_dunder)
UNICODE_ONEARG(format_map)
PyObject *unicode_format_method(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);

/* Objects/unicode_translate.c */
UNICODE_ONEARG(translate)
UNICODE_FASTCALL(maketrans)

/* Objects/unicode_repr.c */
PyObject *unicode_repr(PyObject *self);

/* Objects/unicode_iter.c */
PyObject *unicode_iter(PyObject *self);
extern PyTypeObject unicode_ascii_iter_type;

#endif /* BRAID_UNICODE_METHODS_H */
