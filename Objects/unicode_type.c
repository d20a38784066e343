/* The str type: construction, slots, the method table. */
#include <Python.h>
#include "string_format.h"
#include "unicode.h"
#include "unicode_methods.h"

/* ---- Construction ---- */

static const char *text_argument(const char *display, PyObject *arg)
{
    if (!PyUnicode_Check(arg)) {
        _PyArg_BadArgument("str", display, "str", arg);
        return NULL;
    }
    Py_ssize_t length;
    const char *text = PyUnicode_AsUTF8AndSize(arg, &length);
    if (text != NULL && strlen(text) != (size_t)length) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        return NULL;
    }
    return text;
}

/* str(object, encoding, errors) for the exact type. Absent arguments are NULL. */
static PyObject *make_exact(PyObject *object, PyObject *encoding, PyObject *errors)
{
    const char *encoding_text = NULL, *errors_text = NULL;
    if (encoding != NULL && (encoding_text = text_argument("argument 'encoding'", encoding)) == NULL)
        return NULL;
    if (errors != NULL && (errors_text = text_argument("argument 'errors'", errors)) == NULL)
        return NULL;
    if (object == NULL)
        return unicode_empty();
    if (encoding == NULL && errors == NULL)
        return PyObject_Str(object);
    return PyUnicode_FromEncodedObject(object, encoding_text, errors_text);
}

/* An instance of a subclass with a copy of the text of str. */
static PyObject *make_subclass(PyTypeObject *type, PyObject *str)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(str);
    int kind = PyUnicode_KIND(str);
    PyObject *self = type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    PyUnicodeObject *u = (PyUnicodeObject *)self;
    PyASCIIObject *head = &u->_base._base;
    head->length = 0;
    head->hash = -1;
    memset(&head->state, 0, sizeof(head->state));
    head->state.kind = (unsigned)kind;
    head->state.ascii = PyUnicode_IS_ASCII(str);
    head->state.ready = 1;
    u->_base.utf8 = NULL;
    u->_base.utf8_length = 0;
    u->data.any = PyMem_Malloc((size_t)(length + 1) * (size_t)kind);
    if (u->data.any == NULL) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    memcpy(u->data.any, PyUnicode_DATA(str), (size_t)(length + 1) * (size_t)kind);
    head->length = length;
    head->hash = __atomic_load_n(&((PyASCIIObject *)str)->hash, __ATOMIC_RELAXED);
    if (head->state.ascii) {
        u->_base.utf8 = u->data.any;
        u->_base.utf8_length = length;
    }
    return self;
}

static PyObject *make(PyTypeObject *type, PyObject *object, PyObject *encoding, PyObject *errors)
{
    PyObject *str = make_exact(object, encoding, errors);
    if (str == NULL || type == &PyUnicode_Type)
        return str;
    PyObject *self = make_subclass(type, str);
    Py_DECREF(str);
    return self;
}

static const char *const new_keywords[] = {"object", "encoding", "errors", NULL};
static _PyArg_Parser new_parser = {.keywords = new_keywords, .fname = "str"};

static PyObject *type_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *bound[3];
    Py_ssize_t nargs = PyTuple_GET_SIZE(args);
    if (kwargs == NULL && nargs <= 3) {
        PyObject *const *items = ((PyTupleObject *)args)->ob_item;
        return make(type, nargs > 0 ? items[0] : NULL, nargs > 1 ? items[1] : NULL, nargs > 2 ? items[2] : NULL);
    }
    PyObject *const *values = _PyArg_UnpackKeywords(((PyTupleObject *)args)->ob_item, nargs, kwargs, NULL,
                                                    &new_parser, 0, 3, 0, bound);
    return values == NULL ? NULL : make(type, values[0], values[1], values[2]);
}

static PyObject *type_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (nargs == 1 && kwnames == NULL)
        return make((PyTypeObject *)type, args[0], NULL, NULL);
    PyObject *bound[3];
    args = _PyArg_UnpackKeywords(args, nargs, NULL, kwnames, &new_parser, 0, 3, 0, bound);
    if (args == NULL)
        return NULL;
    if (kwnames == NULL)
        return make((PyTypeObject *)type, nargs > 0 ? args[0] : NULL, nargs > 1 ? args[1] : NULL,
                    nargs > 2 ? args[2] : NULL);
    return make((PyTypeObject *)type, args[0], args[1], args[2]);
}

/* ---- Slots ---- */

static Py_ssize_t length(PyObject *self)
{
    return PyUnicode_GET_LENGTH(self);
}

static PyObject *item(PyObject *self, Py_ssize_t index)
{
    if (index < 0 || index >= PyUnicode_GET_LENGTH(self)) {
        PyErr_SetString(PyExc_IndexError, "string index out of range");
        return NULL;
    }
    return unicode_get_item(self, index);
}

static PyObject *subscript(PyObject *self, PyObject *key)
{
    if (PyIndex_Check(key)) {
        Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred())
            return NULL;
        return item(self, i < 0 ? i + PyUnicode_GET_LENGTH(self) : i);
    }
    if (PySlice_Check(key)) {
        Py_ssize_t start, stop, step;
        if (PySlice_Unpack(key, &start, &stop, &step) < 0)
            return NULL;
        Py_ssize_t n = PySlice_AdjustIndices(PyUnicode_GET_LENGTH(self), &start, &stop, step);
        return unicode_get_slice(self, start, step, n);
    }
    PyErr_Format(PyExc_TypeError, "string indices must be integers, not '%.200s'", Py_TYPE(key)->tp_name);
    return NULL;
}

static PyObject *to_str(PyObject *self)
{
    return PyUnicode_FromObject(self);
}

static PyObject *remainder_slot(PyObject *left, PyObject *right)
{
    if (!PyUnicode_Check(left))
        Py_RETURN_NOTIMPLEMENTED;
    return PyUnicode_Format(left, right);
}

static Py_hash_t hash_slot(PyObject *self)
{
    return unicode_hash(self);
}

static PyNumberMethods as_number = {.nb_remainder = remainder_slot};
static PySequenceMethods as_sequence = {
    .sq_length = length,
    .sq_concat = PyUnicode_Concat,
    .sq_repeat = unicode_repeat,
    .sq_item = item,
    .sq_contains = PyUnicode_Contains,
};
static PyMappingMethods as_mapping = {.mp_length = length, .mp_subscript = subscript};

#define NOARGS(name, text) {#name, unicode_##name, METH_NOARGS, #name "($self, /)\n--\n\n" text}
#define ONEARG(name, params, text) {#name, unicode_##name, METH_O, #name "($self, " params ", /)\n--\n\n" text}
#define FAST(name, flags, doc) {#name, _PyCFunction_CAST(unicode_##name), METH_FASTCALL | (flags), doc}

static PyMethodDef methods[] = {
    FAST(encode, METH_KEYWORDS, "encode($self, /, encoding='utf-8', errors='strict')\n--\n\nThe string as bytes in the given encoding."),
    FAST(replace, 0, "replace($self, old, new, count=-1, /)\n--\n\nA copy with the first count occurrences of old (-1: all) replaced by new."),
    FAST(split, METH_KEYWORDS, "split($self, /, sep=None, maxsplit=-1)\n--\n\nThe parts between separators (None: runs of whitespace), at most maxsplit splits from the left."),
    FAST(rsplit, METH_KEYWORDS, "rsplit($self, /, sep=None, maxsplit=-1)\n--\n\nLike split, but splits from the right."),
    ONEARG(join, "iterable", "The strings of iterable with this string between them."),
    NOARGS(capitalize, "A copy with the first character in title case and the rest in lower case."),
    NOARGS(casefold, "A copy for comparing without regard to case."),
    NOARGS(title, "A copy with each word in title case."),
    FAST(center, 0, "center($self, width, fillchar=' ', /)\n--\n\nThe string padded on both sides to width."),
    FAST(count, 0, "S.count(sub[, start[, end]]) -> int\n\nHow often sub occurs in S[start:end] without overlaps."),
    FAST(expandtabs, METH_KEYWORDS, "expandtabs($self, /, tabsize=8)\n--\n\nA copy with tabs replaced by spaces up to the next multiple of tabsize."),
    FAST(find, 0, "S.find(sub[, start[, end]]) -> int\n\nThe lowest index of sub within S[start:end], or -1."),
    ONEARG(partition, "sep", "(head, sep, tail) at the first sep, or (string, '', '')."),
    FAST(index, 0, "S.index(sub[, start[, end]]) -> int\n\nLike find, but ValueError if sub is not found."),
    FAST(ljust, 0, "ljust($self, width, fillchar=' ', /)\n--\n\nThe string padded on the right to width."),
    NOARGS(lower, "A copy in lower case."),
    FAST(lstrip, 0, "lstrip($self, chars=None, /)\n--\n\nA copy without leading whitespace (or characters of chars)."),
    FAST(rfind, 0, "S.rfind(sub[, start[, end]]) -> int\n\nThe highest index of sub within S[start:end], or -1."),
    FAST(rindex, 0, "S.rindex(sub[, start[, end]]) -> int\n\nLike rfind, but ValueError if sub is not found."),
    FAST(rjust, 0, "rjust($self, width, fillchar=' ', /)\n--\n\nThe string padded on the left to width."),
    FAST(rstrip, 0, "rstrip($self, chars=None, /)\n--\n\nA copy without trailing whitespace (or characters of chars)."),
    ONEARG(rpartition, "sep", "(head, sep, tail) at the last sep, or ('', '', string)."),
    FAST(splitlines, METH_KEYWORDS, "splitlines($self, /, keepends=False)\n--\n\nThe lines, with their ends if keepends."),
    FAST(strip, 0, "strip($self, chars=None, /)\n--\n\nA copy without leading and trailing whitespace (or characters of chars)."),
    NOARGS(swapcase, "A copy with upper and lower case exchanged."),
    ONEARG(translate, "table", "A copy with each character replaced by table[ord(c)]: an ordinal, a string or None (delete); absent: kept."),
    NOARGS(upper, "A copy in upper case."),
    FAST(startswith, 0, "S.startswith(prefix[, start[, end]]) -> bool\n\nDoes S[start:end] start with prefix (or one of a tuple of them)?"),
    FAST(endswith, 0, "S.endswith(suffix[, start[, end]]) -> bool\n\nDoes S[start:end] end with suffix (or one of a tuple of them)?"),
    ONEARG(removeprefix, "prefix", "A copy without the prefix, if it is there."),
    ONEARG(removesuffix, "suffix", "A copy without the suffix, if it is there."),
    NOARGS(isascii, "Are all characters ASCII?"),
    NOARGS(islower, "Are all cased characters lower case, and is there one?"),
    NOARGS(isupper, "Are all cased characters upper case, and is there one?"),
    NOARGS(istitle, "Do upper case characters only start words, and is there one?"),
    NOARGS(isspace, "Are all characters whitespace, and is there one?"),
    NOARGS(isdecimal, "Are all characters decimal digits, and is there one?"),
    NOARGS(isdigit, "Are all characters digits, and is there one?"),
    NOARGS(isnumeric, "Are all characters numeric, and is there one?"),
    NOARGS(isalpha, "Are all characters letters, and is there one?"),
    NOARGS(isalnum, "Are all characters letters or numeric, and is there one?"),
    NOARGS(isidentifier, "Is the string a valid identifier?"),
    NOARGS(isprintable, "Are all characters printable?"),
    ONEARG(zfill, "width", "The string padded on the left with zeros, after a sign, to width."),
    {"format", _PyCFunction_CAST(unicode_format_method), METH_FASTCALL | METH_KEYWORDS,
     "S.format(*args, **kwargs) -> str\n\nS with its replacement fields ('{' and '}') filled in."},
    {"format_map", unicode_format_map, METH_O,
     "S.format_map(mapping) -> str\n\nS with its replacement fields filled in from a mapping."},
    {"__format__", unicode_format_dunder, METH_O,
     "__format__($self, format_spec, /)\n--\n\nThe string formatted by format_spec."},
    {"maketrans", _PyCFunction_CAST(unicode_maketrans), METH_FASTCALL | METH_STATIC,
     "maketrans(x, y=<unrepresentable>, z=<unrepresentable>, /)\n--\n\nA table for translate."},
    {"__getnewargs__", unicode_getnewargs, METH_NOARGS, NULL},
    {"__sizeof__", unicode_sizeof, METH_NOARGS, "__sizeof__($self, /)\n--\n\nSize in memory, in bytes."},
    {NULL, NULL, 0, NULL},
};

PyTypeObject PyUnicode_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "str",
    .tp_basicsize = sizeof(PyUnicodeObject),
    .tp_dealloc = unicode_dealloc,
    .tp_repr = unicode_repr,
    .tp_as_number = &as_number,
    .tp_as_sequence = &as_sequence,
    .tp_as_mapping = &as_mapping,
    .tp_hash = hash_slot,
    .tp_str = to_str,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_UNICODE_SUBCLASS | _Py_TPFLAGS_MATCH_SELF,
    .tp_doc = "str(object='') -> str\nstr(bytes_or_buffer[, encoding[, errors]]) -> str\n\n"
              "The text of an object, or bytes decoded.",
    .tp_richcompare = PyUnicode_RichCompare,
    .tp_iter = unicode_iter,
    .tp_methods = methods,
    .tp_base = &PyBaseObject_Type,
    .tp_new = type_new,
    .tp_free = PyObject_Free,
    .tp_vectorcall = type_vectorcall,
};

int unicode_types_init(void)
{
    PyTypeObject *types[] = {
        &PyUnicode_Type, &PyUnicodeIter_Type, &unicode_ascii_iter_type, &unicode_formatter_iter_type,
        &unicode_field_iter_type, &unicode_encoding_map_type,
    };
    for (size_t i = 0; i < Py_ARRAY_LENGTH(types); i++)
        if (PyType_Ready(types[i]) < 0)
            return -1;
    return 0;
}
