/* complex: the type. */
#include "Python.h"
#include "float_internal.h"
#include "structmember.h"
#include "string_format.h"
#include "unicode.h"

/* ---- Making ---- */

static PyObject *new_complex(PyTypeObject *type, Py_complex c)
{
    PyComplexObject *self = (PyComplexObject *)type->tp_alloc(type, 0);
    if (self != NULL)
        self->cval = c;
    return (PyObject *)self;
}

PyObject *PyComplex_FromCComplex(Py_complex c)
{
    PyComplexObject *self = PyObject_New(PyComplexObject, &PyComplex_Type);
    if (self != NULL)
        self->cval = c;
    return (PyObject *)self;
}

PyObject *PyComplex_FromDoubles(double real, double imag) { return PyComplex_FromCComplex((Py_complex){real, imag}); }

static inline Py_complex value_of(PyObject *op) { return ((PyComplexObject *)op)->cval; }

static void complex_dealloc(PyObject *op) { heap_type(op)->tp_free(op); }

/* ---- Conversion ---- */

/* op.__complex__(): a new reference, or NULL, perhaps with an exception. */
static PyObject *try_complex_method(PyObject *op)
{
    PyObject *method = _PyObject_LookupSpecial(op, STR(__complex__));
    if (method == NULL)
        return NULL;
    PyObject *result = PyObject_CallNoArgs(method);
    Py_DECREF(method);
    if (result == NULL || PyComplex_CheckExact(result))
        return result;
    if (!PyComplex_Check(result)) {
        PyErr_Format(PyExc_TypeError, "__complex__ returned non-complex (type %.200s)", Py_TYPE(result)->tp_name);
        Py_DECREF(result);
        return NULL;
    }
    if (PyErr_WarnFormat(PyExc_DeprecationWarning, 1,
                         "__complex__ returned non-complex (type %.200s).  The ability to return an instance of a "
                         "strict subclass of complex is deprecated, and may be removed in a future version of Python.",
                         Py_TYPE(result)->tp_name)) {
        Py_DECREF(result);
        return NULL;
    }
    return result;
}

Py_complex PyComplex_AsCComplex(PyObject *op)
{
    const Py_complex failed = {-1.0, 0.0};
    if (PyComplex_Check(op))
        return value_of(op);
    PyObject *result = try_complex_method(op);
    if (result != NULL) {
        Py_complex c = value_of(result);
        Py_DECREF(result);
        return c;
    }
    if (PyErr_Occurred())
        return failed;
    return (Py_complex){PyFloat_AsDouble(op), 0.0};
}

double PyComplex_RealAsDouble(PyObject *op) { return PyComplex_Check(op) ? value_of(op).real : PyFloat_AsDouble(op); }
double PyComplex_ImagAsDouble(PyObject *op) { return PyComplex_Check(op) ? value_of(op).imag : 0.0; }

/* 1; 0: another type; -1: exception */
static int convert(PyObject *op, Py_complex *c)
{
    if (PyComplex_Check(op)) {
        *c = value_of(op);
        return 1;
    }
    c->imag = 0.0;
    return float_convert(op, &c->real);
}

#define CONVERT(op, variable) \
    Py_complex variable; \
    { \
        int rc = convert(op, &variable); \
        if (rc <= 0) \
            return rc == 0 ? Py_NotImplemented : NULL; \
    }

/* ---- Text ---- */

static PyObject *complex_repr(PyObject *op)
{
    Py_complex c = value_of(op);
    PyObject *result = NULL;
    int imag_only = c.real == 0.0 && !signbit(c.real);
    char *real = NULL, *imag = PyOS_double_to_string(c.imag, 'r', 0, imag_only ? 0 : Py_DTSF_SIGN, NULL);
    if (imag == NULL)
        return NULL;
    if (imag_only)
        result = PyUnicode_FromFormat("%sj", imag);
    else if ((real = PyOS_double_to_string(c.real, 'r', 0, 0, NULL)) != NULL)
        result = PyUnicode_FromFormat("(%s%sj)", real, imag);
    PyMem_Free(real);
    PyMem_Free(imag);
    return result;
}

static const char *skip_blanks(const char *s)
{
    while (Py_ISSPACE((unsigned char)*s))
        s++;
    return s;
}

/* A float, or with *missing set nothing but perhaps a sign (standing for 1). 0, or -1 with an exception. */
static int parse_part(const char **s, double *value, int *missing)
{
    char *end;
    *missing = 0;
    *value = PyOS_string_to_double(*s, &end, NULL);
    if (*value == -1.0 && PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_ValueError))
            return -1;
        PyErr_Clear();
    }
    if (end == *s) {
        *missing = 1;
        *value = **s == '-' ? -1.0 : 1.0;
        *s += **s == '-' || **s == '+';
    }
    else
        *s = end;
    return 0;
}

/* number, number j, number signed-number j; the number before a j may be a mere sign or nothing. In parentheses or not. */
static PyObject *parse(const char *text, Py_ssize_t length, void *type)
{
    const char *s = skip_blanks(text);
    double first, second;
    int missing, parens = *s == '(';
    Py_complex c = {0.0, 0.0};
    if (parens)
        s = skip_blanks(s + 1);
    const char *start = s;
    if (parse_part(&s, &first, &missing) < 0)
        return NULL;
    if (*s == 'j' || *s == 'J') {
        s++;
        c.imag = first;
    }
    else {
        if (missing)
            goto malformed;
        c.real = first;
        if (*s == '+' || *s == '-') {
            if (parse_part(&s, &second, &missing) < 0)
                return NULL;
            if (*s != 'j' && *s != 'J')
                goto malformed;
            s++;
            c.imag = second;
        }
    }
    if (s == start)
        goto malformed;
    s = skip_blanks(s);
    if (parens) {
        if (*s != ')')
            goto malformed;
        s = skip_blanks(s + 1);
    }
    if (s - text == length)
        return new_complex(type, c);
malformed:
    PyErr_SetString(PyExc_ValueError, "complex() arg is a malformed string");
    return NULL;
}

static PyObject *from_string(PyTypeObject *type, PyObject *str)
{
    PyObject *ascii = _PyUnicode_TransformDecimalAndSpaceToASCII(str);
    if (ascii == NULL)
        return NULL;
    PyObject *result = _Py_string_to_number_with_underscores((const char *)PyUnicode_1BYTE_DATA(ascii),
                                                             PyUnicode_GET_LENGTH(ascii), "complex", str, type, parse);
    Py_DECREF(ascii);
    return result;
}

/* ---- complex(real, imag) ---- */

static int is_number(PyObject *op)
{
    PyNumberMethods *m = Py_TYPE(op)->tp_as_number;
    return PyComplex_Check(op) || (m != NULL && (m->nb_float != NULL || m->nb_index != NULL));
}

/* *is_complex: op has two parts.  0, or -1 with an exception */
static int get_argument(PyObject *op, Py_complex *c, int *is_complex)
{
    *is_complex = PyComplex_Check(op);
    if (*is_complex) {
        *c = value_of(op);
        return 0;
    }
    PyObject *value = PyNumber_Float(op);
    if (value == NULL)
        return -1;
    *c = (Py_complex){PyFloat_AS_DOUBLE(value), 0.0};
    Py_DECREF(value);
    return 0;
}

static PyObject *from_numbers(PyTypeObject *type, PyObject *real, PyObject *imag)
{
    Py_complex r, i = {0.0, 0.0};
    int real_is_complex, imag_is_complex = 0;
    if (!is_number(real)) {
        PyErr_Format(PyExc_TypeError, "complex() first argument must be a string or a number, not '%.200s'",
                     Py_TYPE(real)->tp_name);
        return NULL;
    }
    if (imag != NULL && !is_number(imag)) {
        PyErr_Format(PyExc_TypeError, "complex() second argument must be a number, not '%.200s'", Py_TYPE(imag)->tp_name);
        return NULL;
    }
    if (get_argument(real, &r, &real_is_complex) < 0)
        return NULL;
    if (imag == NULL)
        return new_complex(type, r);
    if (get_argument(imag, &i, &imag_is_complex) < 0)
        return NULL;
    /* real + imag * 1j, without touching signs of zeros that are not there */
    if (imag_is_complex)
        r.real -= i.imag;
    if (real_is_complex)
        i.real += r.imag;
    return new_complex(type, (Py_complex){r.real, i.real});
}

static PyObject *complex_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    static char *keywords[] = {"real", "imag", NULL};
    PyObject *real = NULL, *imag = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwds, "|OO:complex", keywords, &real, &imag))
        return NULL;
    if (real == NULL)
        real = value_from_int(0);
    if (imag == NULL && type == &PyComplex_Type && PyComplex_CheckExact(real))
        return Py_NewRef(real);
    if (PyUnicode_Check(real)) {
        if (imag == NULL)
            return from_string(type, real);
        PyErr_SetString(PyExc_TypeError, "complex() can't take second arg if first is a string");
        return NULL;
    }
    if (imag != NULL && PyUnicode_Check(imag)) {
        PyErr_SetString(PyExc_TypeError, "complex() second arg can't be a string");
        return NULL;
    }
    PyObject *converted = PyLong_CheckExact(real) || PyFloat_CheckExact(real) ? NULL : try_complex_method(real);
    if (converted == NULL && PyErr_Occurred())
        return NULL;
    PyObject *result = from_numbers(type, converted != NULL ? converted : real, imag);
    Py_XDECREF(converted);
    return result;
}

/* ---- Operators ---- */

static PyObject *complex_add(PyObject *a, PyObject *b)
{
    CONVERT(a, x)
    CONVERT(b, y)
    return PyComplex_FromCComplex(_Py_c_sum(x, y));
}

static PyObject *complex_subtract(PyObject *a, PyObject *b)
{
    CONVERT(a, x)
    CONVERT(b, y)
    return PyComplex_FromCComplex(_Py_c_diff(x, y));
}

static PyObject *complex_multiply(PyObject *a, PyObject *b)
{
    CONVERT(a, x)
    CONVERT(b, y)
    return PyComplex_FromCComplex(_Py_c_prod(x, y));
}

static PyObject *complex_divide(PyObject *a, PyObject *b)
{
    CONVERT(a, x)
    CONVERT(b, y)
    errno = 0;
    Py_complex quotient = _Py_c_quot(x, y);
    if (errno == EDOM) {
        PyErr_SetString(PyExc_ZeroDivisionError, "complex division by zero");
        return NULL;
    }
    return PyComplex_FromCComplex(quotient);
}

static Py_complex power_unsigned(Py_complex x, unsigned long n)
{
    Py_complex result = {1.0, 0.0};
    for (; n != 0; n >>= 1) {
        if (n & 1)
            result = _Py_c_prod(result, x);
        x = _Py_c_prod(x, x);
    }
    return result;
}

static PyObject *complex_power(PyObject *a, PyObject *b, PyObject *modulus)
{
    CONVERT(a, x)
    CONVERT(b, y)
    if (modulus != Py_None) {
        PyErr_SetString(PyExc_ValueError, "complex modulo");
        return NULL;
    }
    Py_complex result;
    errno = 0;
    /* Small whole exponents: faster and more accurate by multiplication. */
    if (y.imag == 0.0 && y.real == floor(y.real) && fabs(y.real) <= 100.0) {
        if (y.real > 0)
            result = power_unsigned(x, (unsigned long)y.real);
        else
            result = _Py_c_quot((Py_complex){1.0, 0.0}, power_unsigned(x, (unsigned long)-y.real));
    }
    else
        result = _Py_c_pow(x, y);
    if (errno == EDOM) {
        PyErr_SetString(PyExc_ZeroDivisionError, "0.0 to a negative or complex power");
        return NULL;
    }
    if (isinf(result.real) || isinf(result.imag)) {
        PyErr_SetString(PyExc_OverflowError, "complex exponentiation");
        return NULL;
    }
    return PyComplex_FromCComplex(result);
}

static PyObject *complex_negative(PyObject *op) { return PyComplex_FromCComplex(_Py_c_neg(value_of(op))); }

static PyObject *complex_positive(PyObject *op)
{
    return PyComplex_CheckExact(op) ? Py_NewRef(op) : PyComplex_FromCComplex(value_of(op));
}

static PyObject *complex_absolute(PyObject *op)
{
    double result = _Py_c_abs(value_of(op));
    if (errno == ERANGE) {
        PyErr_SetString(PyExc_OverflowError, "absolute value too large");
        return NULL;
    }
    return PyFloat_FromDouble(result);
}

static int complex_bool(PyObject *op) { return value_of(op).real != 0.0 || value_of(op).imag != 0.0; }

static PyObject *complex_richcompare(PyObject *a, PyObject *b, int op)
{
    int equal;
    if (op != Py_EQ && op != Py_NE)
        Py_RETURN_NOTIMPLEMENTED;
    Py_complex x = value_of(a);
    if (PyLong_Check(b)) {
        int unordered;
        equal = x.imag == 0.0 && float_compare_long(x.real, b, &unordered) == 0 && !unordered;
    }
    else if (PyFloat_Check(b))
        equal = x.real == PyFloat_AS_DOUBLE(b) && x.imag == 0.0;
    else if (PyComplex_Check(b))
        equal = x.real == value_of(b).real && x.imag == value_of(b).imag;
    else
        Py_RETURN_NOTIMPLEMENTED;
    return PyBool_FromLong(equal == (op == Py_EQ));
}

static Py_hash_t complex_hash(PyObject *op)
{
    Py_complex c = value_of(op);
    Py_uhash_t hash = (Py_uhash_t)_Py_HashDouble(op, c.real) + _PyHASH_IMAG * (Py_uhash_t)_Py_HashDouble(op, c.imag);
    return (Py_hash_t)hash == -1 ? -2 : (Py_hash_t)hash;
}

static PyNumberMethods complex_as_number = {
    .nb_add = complex_add,
    .nb_subtract = complex_subtract,
    .nb_multiply = complex_multiply,
    .nb_power = complex_power,
    .nb_negative = complex_negative,
    .nb_positive = complex_positive,
    .nb_absolute = complex_absolute,
    .nb_bool = complex_bool,
    .nb_true_divide = complex_divide,
};

/* ---- Methods ---- */

static PyObject *complex_conjugate(PyObject *self, PyObject *unused)
{
    return PyComplex_FromDoubles(value_of(self).real, -value_of(self).imag);
}

static PyObject *complex_complex(PyObject *self, PyObject *unused) { return complex_positive(self); }

static PyObject *complex_getnewargs(PyObject *self, PyObject *unused)
{
    return Py_BuildValue("(dd)", value_of(self).real, value_of(self).imag);
}

static PyObject *complex_format(PyObject *self, PyObject *spec)
{
    if (!PyUnicode_Check(spec)) {
        _PyArg_BadArgument("__format__", "argument", "str", spec);
        return NULL;
    }
    return format_complex(self, spec);
}

static PyMethodDef complex_methods[] = {
    {"conjugate", complex_conjugate, METH_NOARGS, "conjugate($self, /)\n--\n\nThe number with its imaginary part negated."},
    {"__complex__", complex_complex, METH_NOARGS, "__complex__($self, /)\n--\n\nThe number as an exact complex."},
    {"__getnewargs__", complex_getnewargs, METH_NOARGS, "__getnewargs__($self, /)\n--\n\n"},
    {"__format__", complex_format, METH_O, "__format__($self, format_spec, /)\n--\n\nText of the number by a format spec."},
    {NULL},
};

static PyMemberDef complex_members[] = {
    {"real", T_DOUBLE, offsetof(PyComplexObject, cval.real), READONLY, "the real part of a complex number"},
    {"imag", T_DOUBLE, offsetof(PyComplexObject, cval.imag), READONLY, "the imaginary part of a complex number"},
    {NULL},
};

PyTypeObject PyComplex_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "complex",
    .tp_doc = "complex(real=0, imag=0)\n--\n\nThe complex number real + imag*1j, or the one that a string stands for.",
    .tp_basicsize = sizeof(PyComplexObject),
    .tp_dealloc = complex_dealloc,
    .tp_repr = complex_repr,
    .tp_as_number = &complex_as_number,
    .tp_hash = complex_hash,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_richcompare = complex_richcompare,
    .tp_methods = complex_methods,
    .tp_members = complex_members,
    .tp_new = complex_new,
    .tp_free = PyObject_Free,
};
