/* int: methods and the type object. */
#include "long.h"
#include "object_malloc.h"
#include "float_internal.h"
#include "structseq.h"
#include "string_format.h"
#include "unicode.h"

/* ---- Making ints from Python ---- */

static PyObject *from_arguments(PyObject *x, PyObject *base)
{
    if (x == NULL) {
        if (base == NULL)
            return value_from_int(0);
        PyErr_SetString(PyExc_TypeError, "int() missing string argument");
        return NULL;
    }
    if (base == NULL)
        return PyNumber_Long(x);
    Py_ssize_t b = PyNumber_AsSsize_t(base, NULL);
    if (b == -1 && PyErr_Occurred())
        return NULL;
    if ((b != 0 && b < 2) || b > 36) {
        PyErr_SetString(PyExc_ValueError, "int() base must be >= 2 and <= 36, or 0");
        return NULL;
    }
    if (PyUnicode_Check(x))
        return PyLong_FromUnicodeObject(x, (int)b);
    if (PyBytes_Check(x))
        return _PyLong_FromBytes(PyBytes_AS_STRING(x), PyBytes_GET_SIZE(x), (int)b);
    if (PyByteArray_Check(x)) {
        PyObject *bytes = PyBytes_FromObject(x);
        if (bytes == NULL)
            return NULL;
        PyObject *result = _PyLong_FromBytes(PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes), (int)b);
        Py_DECREF(bytes);
        return result;
    }
    PyErr_SetString(PyExc_TypeError, "int() can't convert non-string with explicit base");
    return NULL;
}

/* An instance of a subclass with the value of the int x. Steals x. */
static PyObject *new_subtype(PyTypeObject *type, PyObject *x)
{
    long_view_t v;
    if (x == NULL)
        return NULL;
    long_view(x, &v);
    PyLongObject *self = (PyLongObject *)type->tp_alloc(type, v.size);
    if (self != NULL) {
        memcpy(self->ob_limb, v.limbs, (size_t)v.size * sizeof(mp_limb_t));
        Py_SET_SIZE(self, v.negative ? -v.size : v.size);
    }
    Py_DECREF(x);
    return (PyObject *)self;
}

PyObject *long_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    static char *keywords[] = {"", "base", NULL};
    PyObject *x = NULL, *base = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwds, "|OO:int", keywords, &x, &base))
        return NULL;
    PyObject *result = from_arguments(x, base);
    return type == &PyLong_Type ? result : new_subtype(type, result);
}

PyObject *long_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (kwnames == NULL && nargs <= 2)
        return from_arguments(nargs > 0 ? args[0] : NULL, nargs > 1 ? args[1] : NULL);
    return _PyObject_MakeTpCall(type, args, nargs, kwnames);
}

static void long_dealloc(PyObject *op)
{
    if (Py_LIKELY(heap_type(op) == &PyLong_Type))
        object_free(op);
    else
        heap_type(op)->tp_free(op);
}

/* ---- Methods ---- */

static PyObject *long_int(PyObject *op, PyObject *unused) { return long_exact(op); }
static PyObject *nb_int(PyObject *op) { return long_exact(op); }

static PyObject *long_as_integer_ratio(PyObject *op, PyObject *unused)
{
    PyObject *numerator = long_exact(op);
    if (numerator == NULL)
        return NULL;
    PyObject *result = PyTuple_Pack(2, numerator, value_from_int(1));
    Py_DECREF(numerator);
    return result;
}

static PyObject *long_bit_length(PyObject *op, PyObject *unused) { return PyLong_FromSize_t(_PyLong_NumBits(op)); }

static PyObject *long_bit_count(PyObject *op, PyObject *unused)
{
    long_view_t v;
    long_view(op, &v);
    return PyLong_FromSize_t(v.size == 0 ? 0 : mpn_popcount(v.limbs, v.size));
}

static PyObject *long_getnewargs(PyObject *op, PyObject *unused)
{
    PyObject *value = _PyLong_Copy((PyLongObject *)op);
    if (value == NULL)
        return NULL;
    PyObject *result = PyTuple_Pack(1, value);
    Py_DECREF(value);
    return result;
}

static PyObject *long_format(PyObject *op, PyObject *spec)
{
    if (!PyUnicode_Check(spec)) {
        _PyArg_BadArgument("__format__", "argument", "str", spec);
        return NULL;
    }
    return format_int(op, spec);
}

static PyObject *long_sizeof(PyObject *op, PyObject *unused)
{
    long_view_t v;
    if (value_is_int(op))
        return value_from_int(sizeof(PyObject *));
    long_view(op, &v);
    return PyLong_FromSsize_t(Py_TYPE(op)->tp_basicsize + v.size * (Py_ssize_t)sizeof(mp_limb_t));
}

static PyObject *long_round(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("__round__", nargs, 0, 1))
        return NULL;
    if (nargs == 0 || args[0] == Py_None)
        return long_exact(self);
    PyObject *digits = PyNumber_Index(args[0]), *power = NULL, *pair = NULL, *result = NULL;
    if (digits == NULL)
        return NULL;
    if (!long_is_negative(digits)) {
        Py_DECREF(digits);
        return long_exact(self);
    }
    Py_SETREF(digits, long_negative(digits));
    if (digits != NULL)
        power = long_power(value_from_int(10), digits, Py_None);
    if (power != NULL)
        pair = _PyLong_DivmodNear(self, power);
    if (pair != NULL)
        result = long_subtract(self, PyTuple_GET_ITEM(pair, 1));
    Py_XDECREF(digits);
    Py_XDECREF(power);
    Py_XDECREF(pair);
    return result;
}

/* 1 little, 0 big, -1 exception; NULL is the default, big. */
static int byte_order(const char *function, PyObject *name)
{
    if (name != NULL && !PyUnicode_Check(name)) {
        _PyArg_BadArgument(function, "argument 'byteorder'", "str", name);
        return -1;
    }
    if (name == NULL || PyUnicode_CompareWithASCIIString(name, "big") == 0)
        return 0;
    if (PyUnicode_CompareWithASCIIString(name, "little") == 0)
        return 1;
    PyErr_SetString(PyExc_ValueError, "byteorder must be either 'little' or 'big'");
    return -1;
}

static PyObject *long_to_bytes(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    static const char *const keywords[] = {"length", "byteorder", "signed", NULL};
    static _PyArg_Parser parser = {.format = "|nO$p:to_bytes", .keywords = keywords};
    Py_ssize_t length = 1;
    PyObject *order = NULL;
    int is_signed = 0;
    if (!_PyArg_ParseStackAndKeywords(args, nargs, kwnames, &parser, &length, &order, &is_signed))
        return NULL;
    int little = byte_order("to_bytes", order);
    if (little < 0)
        return NULL;
    if (length < 0) {
        PyErr_SetString(PyExc_ValueError, "length argument must be non-negative");
        return NULL;
    }
    long_view_t v;
    long_view(self, &v);
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, length);
    if (bytes == NULL)
        return NULL;
    if (length > 0 || v.size != 0) {
        if (_PyLong_AsByteArray((PyLongObject *)self, (unsigned char *)PyBytes_AS_STRING(bytes), (size_t)length, little,
                                is_signed) < 0)
            Py_CLEAR(bytes);
    }
    return bytes;
}

static PyObject *long_from_bytes(PyObject *type, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    static const char *const keywords[] = {"bytes", "byteorder", "signed", NULL};
    static _PyArg_Parser parser = {.format = "O|O$p:from_bytes", .keywords = keywords};
    PyObject *source, *order = NULL;
    int is_signed = 0;
    if (!_PyArg_ParseStackAndKeywords(args, nargs, kwnames, &parser, &source, &order, &is_signed))
        return NULL;
    int little = byte_order("from_bytes", order);
    if (little < 0)
        return NULL;
    PyObject *bytes = PyObject_Bytes(source);
    if (bytes == NULL)
        return NULL;
    PyObject *result = _PyLong_FromByteArray((const unsigned char *)PyBytes_AS_STRING(bytes),
                                             (size_t)PyBytes_GET_SIZE(bytes), little, is_signed);
    Py_DECREF(bytes);
    if (result != NULL && type != (PyObject *)&PyLong_Type)
        Py_SETREF(result, PyObject_CallOneArg(type, result));
    return result;
}

#define METHOD(name, function, flags, doc) {(name), (PyCFunction)(void (*)(void))(function), (flags), (doc)}

PyMethodDef long_methods[] = {
    METHOD("conjugate", long_int, METH_NOARGS, "The int itself: it has no imaginary part."),
    METHOD("bit_length", long_bit_length, METH_NOARGS,
           "bit_length($self, /)\n--\n\nHow many bits the absolute value takes in binary.\n\n"
           ">>> (37).bit_length()\n6\n>>> (-256).bit_length()\n9"),
    METHOD("bit_count", long_bit_count, METH_NOARGS,
           "bit_count($self, /)\n--\n\nHow many bits of the absolute value are ones.\n\n>>> (13).bit_count()\n3\n"
           ">>> (-256).bit_count()\n1"),
    METHOD("to_bytes", long_to_bytes, METH_FASTCALL | METH_KEYWORDS,
           "to_bytes($self, /, length=1, byteorder='big', *, signed=False)\n--\n\n"
           "The bytes of the number in base 256.\n\n"
           "OverflowError says that it does not fit length bytes. byteorder is 'big' (most significant byte first) or\n"
           "'little'. signed: use two's complement; otherwise a negative number raises OverflowError."),
    METHOD("from_bytes", long_from_bytes, METH_FASTCALL | METH_KEYWORDS | METH_CLASS,
           "from_bytes($type, /, bytes, byteorder='big', *, signed=False)\n--\n\n"
           "The number that the bytes write in base 256.\n\n"
           "bytes is a bytes-like object or an iterable of byte values. byteorder is 'big' (most significant byte\n"
           "first) or 'little'. signed: read two's complement."),
    METHOD("as_integer_ratio", long_as_integer_ratio, METH_NOARGS,
           "as_integer_ratio($self, /)\n--\n\nThe number as a fraction: the pair of itself and 1.\n\n"
           ">>> (10).as_integer_ratio()\n(10, 1)\n>>> (-3).as_integer_ratio()\n(-3, 1)\n"
           ">>> (0).as_integer_ratio()\n(0, 1)"),
    METHOD("__trunc__", long_int, METH_NOARGS, "The int itself."),
    METHOD("__floor__", long_int, METH_NOARGS, "The int itself."),
    METHOD("__ceil__", long_int, METH_NOARGS, "The int itself."),
    METHOD("__round__", long_round, METH_FASTCALL,
           "The int, rounded to a multiple of 10**-ndigits if ndigits is negative; ties go to the even one."),
    METHOD("__getnewargs__", long_getnewargs, METH_NOARGS, "__getnewargs__($self, /)\n--\n\n"),
    METHOD("__format__", long_format, METH_O, "__format__($self, format_spec, /)\n--\n\n"),
    METHOD("__sizeof__", long_sizeof, METH_NOARGS,
           "__sizeof__($self, /)\n--\n\nSize in memory, in bytes."),
    {NULL},
};

static PyObject *get_self(PyObject *op, void *closure) { return long_exact(op); }
static PyObject *get_constant(PyObject *op, void *closure) { return value_from_int((intptr_t)closure); }

static PyGetSetDef long_getset[] = {
    {"real", get_self, NULL, "the real part of a complex number", NULL},
    {"imag", get_constant, NULL, "the imaginary part of a complex number", (void *)0},
    {"numerator", get_self, NULL, "the numerator of a rational number in lowest terms", NULL},
    {"denominator", get_constant, NULL, "the denominator of a rational number in lowest terms", (void *)1},
    {NULL},
};

/* ---- Slots ---- */

static PyObject *nb_divmod(PyObject *a, PyObject *b)
{
    PyObject *q, *r;
    if (!PyLong_Check(a) || !PyLong_Check(b))
        Py_RETURN_NOTIMPLEMENTED;
    if (long_divmod(a, b, &q, &r) < 0)
        return NULL;
    PyObject *result = PyTuple_Pack(2, q, r);
    Py_DECREF(q);
    Py_DECREF(r);
    return result;
}

static int nb_bool(PyObject *op) { return !long_is_zero(op); }

static PyObject *nb_float(PyObject *op)
{
    double value = PyLong_AsDouble(op);
    return value == -1.0 && PyErr_Occurred() ? NULL : PyFloat_FromDouble(value);
}

static PyNumberMethods long_as_number = {
    .nb_add = long_add,
    .nb_subtract = long_subtract,
    .nb_multiply = long_multiply,
    .nb_remainder = long_remainder,
    .nb_divmod = nb_divmod,
    .nb_power = long_power,
    .nb_negative = long_negative,
    .nb_positive = nb_int,
    .nb_absolute = long_absolute,
    .nb_bool = nb_bool,
    .nb_invert = long_invert,
    .nb_lshift = long_lshift,
    .nb_rshift = long_rshift,
    .nb_and = long_and,
    .nb_xor = long_xor,
    .nb_or = long_or,
    .nb_int = nb_int,
    .nb_float = nb_float,
    .nb_floor_divide = long_floor_divide,
    .nb_true_divide = long_true_divide,
    .nb_index = nb_int,
};

PyTypeObject PyLong_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "int",
    .tp_doc = "int([x]) -> integer\nint(x, base=10) -> integer\n\n"
              "The integer that a number or a string stands for; 0 without arguments.\n\n"
              "A number is converted by its __int__() method, floats by cutting off the fraction. A str or bytes must\n"
              "hold an integer literal of the base, perhaps with a sign, blanks around it, and underscores between\n"
              "its digits; the base is 10 or given, from 2 to 36. Base 0 means to go by the prefix.\n\n"
              ">>> int('0b100', base=0)\n4",
    .tp_basicsize = offsetof(PyLongObject, ob_limb),
    .tp_itemsize = sizeof(mp_limb_t),
    .tp_dealloc = long_dealloc,
    .tp_repr = long_repr,
    .tp_as_number = &long_as_number,
    .tp_hash = long_hash,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_LONG_SUBCLASS | _Py_TPFLAGS_MATCH_SELF,
    .tp_richcompare = long_richcompare,
    .tp_methods = long_methods,
    .tp_getset = long_getset,
    .tp_new = long_new,
    .tp_free = PyObject_Free,
    .tp_vectorcall = long_vectorcall,
};

/* ---- sys.int_info ---- */

static PyStructSequence_Field int_info_fields[] = {
    {"bits_per_digit", "size of a digit in bits"},
    {"sizeof_digit", "size in bytes of the C type used to represent a digit"},
    {"default_max_str_digits", "maximum string conversion digits limitation"},
    {"str_digits_check_threshold", "minimum positive value for int_max_str_digits"},
    {NULL},
};

static PyStructSequence_Desc int_info_desc = {
    "sys.int_info",
    "How ints are represented: figures as programs written for CPython expect them.",
    int_info_fields,
    4,
};

PyObject *PyLong_GetInfo(void)
{
    static PyTypeObject type;       /* made by sys at start-up */
    if (type.tp_name == NULL && PyStructSequence_InitType2(&type, &int_info_desc) < 0)
        return NULL;
    PyObject *info = PyStructSequence_New(&type);
    if (info == NULL)
        return NULL;
    PyStructSequence_SET_ITEM(info, 0, value_from_int(30));
    PyStructSequence_SET_ITEM(info, 1, value_from_int(4));
    PyStructSequence_SET_ITEM(info, 2, value_from_int(LONG_MAX_STR_DIGITS_DEFAULT));
    PyStructSequence_SET_ITEM(info, 3, value_from_int(LONG_MAX_STR_DIGITS_THRESHOLD));
    return info;
}
