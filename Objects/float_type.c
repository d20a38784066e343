/* float: methods and the type object. */
#include <float.h>

#include "float_internal.h"
#include "long.h"
#include "structseq.h"
#include "string_format.h"

extern PyNumberMethods float_as_number;

/* ---- Making floats from Python ---- */

static PyObject *from_object(PyObject *x)
{
    if (x == NULL)
        return PyFloat_FromDouble(0.0);
    if (PyUnicode_CheckExact(x))
        return PyFloat_FromString(x);
    return PyNumber_Float(x);
}

static PyObject *float_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    PyObject *x = NULL;
    if ((type == &PyFloat_Type || type->tp_init == PyFloat_Type.tp_init) && !_PyArg_NoKeywords("float", kwds))
        return NULL;
    if (!PyArg_UnpackTuple(args, "float", 0, 1, &x))
        return NULL;
    PyObject *result = from_object(x);
    if (result == NULL || type == &PyFloat_Type)
        return result;
    PyFloatObject *self = (PyFloatObject *)type->tp_alloc(type, 0);
    if (self != NULL)
        self->ob_fval = PyFloat_AS_DOUBLE(result);
    Py_DECREF(result);
    return (PyObject *)self;
}

static PyObject *float_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (!_PyArg_NoKwnames("float", kwnames) || !_PyArg_CheckPositional("float", nargs, 0, 1))
        return NULL;
    return from_object(nargs > 0 ? args[0] : NULL);
}

static void float_dealloc(PyObject *op) { heap_type(op)->tp_free(op); }

static Py_hash_t float_hash(PyObject *op) { return _Py_HashDouble(op, PyFloat_AS_DOUBLE(op)); }

/* ---- Methods ---- */

static PyObject *float_conjugate(PyObject *self, PyObject *unused)
{
    return PyFloat_CheckExact(self) ? Py_NewRef(self) : PyFloat_FromDouble(PyFloat_AS_DOUBLE(self));
}

static PyObject *float_trunc(PyObject *self, PyObject *unused) { return PyLong_FromDouble(PyFloat_AS_DOUBLE(self)); }
static PyObject *float_floor(PyObject *self, PyObject *unused)
{
    return PyLong_FromDouble(floor(PyFloat_AS_DOUBLE(self)));
}
static PyObject *float_ceil(PyObject *self, PyObject *unused) { return PyLong_FromDouble(ceil(PyFloat_AS_DOUBLE(self))); }

static PyObject *float_is_integer(PyObject *self, PyObject *unused)
{
    double value = PyFloat_AS_DOUBLE(self);
    return PyBool_FromLong(isfinite(value) && floor(value) == value);
}

static PyObject *float_as_integer_ratio(PyObject *self, PyObject *unused)
{
    double value = PyFloat_AS_DOUBLE(self);
    if (!isfinite(value)) {
        PyErr_SetString(isinf(value) ? PyExc_OverflowError : PyExc_ValueError,
                        isinf(value) ? "cannot convert Infinity to integer ratio" : "cannot convert NaN to integer ratio");
        return NULL;
    }
    int exponent;
    int64_t mantissa = (int64_t)ldexp(frexp(value, &exponent), 53);
    exponent -= 53;
    if (mantissa == 0)
        exponent = 0;
    else {
        int zeros = __builtin_ctzll((uint64_t)mantissa);
        mantissa >>= zeros;
        exponent += zeros;
    }
    PyObject *numerator = PyLong_FromLong(mantissa), *denominator = value_from_int(1), *result = NULL;
    if (exponent > 0)
        Py_SETREF(numerator, long_shift_left(numerator, (size_t)exponent));
    else
        denominator = long_shift_left(denominator, (size_t)-exponent);
    if (numerator != NULL && denominator != NULL)
        result = PyTuple_Pack(2, numerator, denominator);
    Py_XDECREF(numerator);
    Py_XDECREF(denominator);
    return result;
}

static PyObject *float_round(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    double value = PyFloat_AS_DOUBLE(self);
    if (!_PyArg_CheckPositional("__round__", nargs, 0, 1))
        return NULL;
    if (nargs == 0 || args[0] == Py_None) {
        double rounded = round(value);
        if (fabs(value - rounded) == 0.5)
            rounded = 2.0 * round(value / 2.0);
        return PyLong_FromDouble(rounded);
    }
    Py_ssize_t ndigits = PyNumber_AsSsize_t(args[0], NULL);
    if (ndigits == -1 && PyErr_Occurred())
        return NULL;
    if (!isfinite(value))
        return PyFloat_FromDouble(value);
    if (ndigits > 323)              /* no double has so many */
        return PyFloat_FromDouble(value);
    if (ndigits < -308)
        return PyFloat_FromDouble(0.0 * value);
    return float_round_digits(value, (int)ndigits);
}

static PyObject *float_getnewargs(PyObject *self, PyObject *unused)
{
    return Py_BuildValue("(d)", PyFloat_AS_DOUBLE(self));
}

static PyObject *float_format(PyObject *self, PyObject *spec)
{
    if (!PyUnicode_Check(spec)) {
        _PyArg_BadArgument("__format__", "argument", "str", spec);
        return NULL;
    }
    return format_float(self, spec);
}

static PyObject *float_getformat(PyObject *type, PyObject *name)
{
    if (!PyUnicode_Check(name)) {
        _PyArg_BadArgument("__getformat__", "argument", "str", name);
        return NULL;
    }
    if (PyUnicode_CompareWithASCIIString(name, "double") != 0 && PyUnicode_CompareWithASCIIString(name, "float") != 0) {
        PyErr_SetString(PyExc_ValueError, "__getformat__() argument 1 must be 'double' or 'float'");
        return NULL;
    }
    return PyUnicode_FromString(PY_LITTLE_ENDIAN ? "IEEE, little-endian" : "IEEE, big-endian");
}

#define METHOD(name, function, flags, doc) {(name), (PyCFunction)(void (*)(void))(function), (flags), (doc)}

PyMethodDef float_methods[] = {
    METHOD("conjugate", float_conjugate, METH_NOARGS,
           "conjugate($self, /)\n--\n\nThe float itself: it has no imaginary part."),
    METHOD("__trunc__", float_trunc, METH_NOARGS, "__trunc__($self, /)\n--\n\nThe number without its fraction, as an int."),
    METHOD("__floor__", float_floor, METH_NOARGS, "__floor__($self, /)\n--\n\nThe greatest int that is not larger."),
    METHOD("__ceil__", float_ceil, METH_NOARGS, "__ceil__($self, /)\n--\n\nThe least int that is not smaller."),
    METHOD("__round__", float_round, METH_FASTCALL,
           "__round__($self, ndigits=None, /)\n--\n\n"
           "The nearest int, or the nearest float with ndigits decimal digits; ties go to the even one."),
    METHOD("as_integer_ratio", float_as_integer_ratio, METH_NOARGS,
           "as_integer_ratio($self, /)\n--\n\n"
           "The exact value as a fraction: two ints without a common factor, the second positive.\n\n"
           ">>> (10.0).as_integer_ratio()\n(10, 1)\n>>> (-.25).as_integer_ratio()\n(-1, 4)\n"
           ">>> (0.0).as_integer_ratio()\n(0, 1)"),
    METHOD("fromhex", float_fromhex, METH_O | METH_CLASS,
           "fromhex($type, string, /)\n--\n\nThe float that a hexadecimal literal says.\n\n"
           ">>> float.fromhex('0x1.ffffp10')\n2047.984375\n>>> float.fromhex('-0x.8p-1')\n-0.25"),
    METHOD("hex", float_hex, METH_NOARGS,
           "hex($self, /)\n--\n\nThe exact value in hexadecimal.\n\n>>> 3.14159.hex()\n'0x1.921f9f01b866ep+1'\n"
           ">>> (-0.25).hex()\n'-0x1.0000000000000p-2'"),
    METHOD("is_integer", float_is_integer, METH_NOARGS, "is_integer($self, /)\n--\n\nWhether there is no fraction."),
    METHOD("__getnewargs__", float_getnewargs, METH_NOARGS, "__getnewargs__($self, /)\n--\n\n"),
    METHOD("__getformat__", float_getformat, METH_O | METH_CLASS,
           "__getformat__($type, typestr, /)\n--\n\nHow C numbers of type 'double' or 'float' are laid out."),
    METHOD("__format__", float_format, METH_O, "__format__($self, format_spec, /)\n--\n\nText of the number by a format spec."),
    {NULL},
};

static PyObject *get_real(PyObject *self, void *closure) { return float_conjugate(self, NULL); }
static PyObject *get_imag(PyObject *self, void *closure) { return PyFloat_FromDouble(0.0); }

static PyGetSetDef float_getset[] = {
    {"real", get_real, NULL, "the real part of a complex number", NULL},
    {"imag", get_imag, NULL, "the imaginary part of a complex number", NULL},
    {NULL},
};

PyTypeObject PyFloat_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "float",
    .tp_doc = "float(x=0, /)\n--\n\nThe floating point number that a string or a number stands for.",
    .tp_basicsize = sizeof(PyFloatObject),
    .tp_dealloc = float_dealloc,
    .tp_repr = float_repr,
    .tp_as_number = &float_as_number,
    .tp_hash = float_hash,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | _Py_TPFLAGS_MATCH_SELF,
    .tp_richcompare = float_richcompare,
    .tp_methods = float_methods,
    .tp_getset = float_getset,
    .tp_new = float_new,
    .tp_free = PyObject_Free,
    .tp_vectorcall = float_vectorcall,
};

/* ---- sys.float_info ---- */

static PyStructSequence_Field float_info_fields[] = {
    {"max", "DBL_MAX: the largest finite float"},
    {"max_exp", "DBL_MAX_EXP: the largest e for which 2**(e-1) is a float"},
    {"max_10_exp", "DBL_MAX_10_EXP: the largest e for which 10**e is a float"},
    {"min", "DBL_MIN: the least positive normal float"},
    {"min_exp", "DBL_MIN_EXP: the least e for which 2**(e-1) is a normal float"},
    {"min_10_exp", "DBL_MIN_10_EXP: the least e for which 10**e is a normal float"},
    {"dig", "DBL_DIG: decimal digits that a float always keeps"},
    {"mant_dig", "DBL_MANT_DIG: bits of the mantissa"},
    {"epsilon", "DBL_EPSILON: from 1 to the next float"},
    {"radix", "FLT_RADIX: base of the exponent"},
    {"rounds", "FLT_ROUNDS: rounding mode of additions"},
    {NULL},
};

static PyStructSequence_Desc float_info_desc = {
    "sys.float_info",
    "The properties of floats; see the C standard, section 5.2.4.2.2.",
    float_info_fields,
    11,
};

PyObject *PyFloat_GetInfo(void)
{
    static PyTypeObject type;       /* made by sys at start-up */
    if (type.tp_name == NULL && PyStructSequence_InitType2(&type, &float_info_desc) < 0)
        return NULL;
    PyObject *info = PyStructSequence_New(&type);
    if (info == NULL)
        return NULL;
    PyObject *values[] = {
        PyFloat_FromDouble(DBL_MAX), value_from_int(DBL_MAX_EXP), value_from_int(DBL_MAX_10_EXP),
        PyFloat_FromDouble(DBL_MIN), value_from_int(DBL_MIN_EXP), value_from_int(DBL_MIN_10_EXP),
        value_from_int(DBL_DIG), value_from_int(DBL_MANT_DIG), PyFloat_FromDouble(DBL_EPSILON),
        value_from_int(FLT_RADIX), value_from_int(FLT_ROUNDS),
    };
    int failed = 0;
    for (int i = 0; i < (int)Py_ARRAY_LENGTH(values); i++) {
        PyStructSequence_SET_ITEM(info, i, values[i]);
        failed |= values[i] == NULL;
    }
    if (failed)
        Py_CLEAR(info);
    return info;
}
