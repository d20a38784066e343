/* Built-in functions on numbers and characters: abs, bin, chr, divmod, format, hash, hex, oct, ord, pow, round. */
#include "Python.h"

#include "builtins.h"
#include "type.h"
#include "well_known_strings.h"

static PyObject *builtin_abs(PyObject *Py_UNUSED(module), PyObject *op) 
{
    if (value_is_int(op) && value_get_int(op) > -IMMEDIATE_INT_MAX) {
        int64_t n = value_get_int(op);
        return value_from_int(n < 0 ? -n : n);
    }
    return PyNumber_Absolute(op);
}
static PyObject *builtin_bin(PyObject *Py_UNUSED(module), PyObject *op) { return PyNumber_ToBase(op, 2); }
static PyObject *builtin_hex(PyObject *Py_UNUSED(module), PyObject *op) { return PyNumber_ToBase(op, 16); }
static PyObject *builtin_oct(PyObject *Py_UNUSED(module), PyObject *op) { return PyNumber_ToBase(op, 8); }
static PyObject *builtin_ascii(PyObject *Py_UNUSED(module), PyObject *op) { return PyObject_ASCII(op); }
static PyObject *builtin_repr(PyObject *Py_UNUSED(module), PyObject *op) { return PyObject_Repr(op); }

static PyObject *builtin_hash(PyObject *Py_UNUSED(module), PyObject *op)
{
    Py_hash_t hash = PyObject_Hash(op);
    return hash == -1 && PyErr_Occurred() ? NULL : PyLong_FromSsize_t(hash);
}

static PyObject *builtin_chr(PyObject *Py_UNUSED(module), PyObject *op)
{
    PyObject *index = PyNumber_Index(op);
    if (index == NULL)
        return NULL;
    int overflow;
    long code = PyLong_AsLongAndOverflow(index, &overflow);
    Py_DECREF(index);
    if (overflow) {
        PyErr_SetString(PyExc_OverflowError, overflow > 0 ? "Python int too large to convert to C int"
                                                          : "Python int too large to convert to C int");
        return NULL;
    }
    if (code != (int)code) {
        PyErr_SetString(PyExc_OverflowError, code > 0 ? "signed integer is greater than maximum" : "signed integer is less than minimum");
        return NULL;
    }
    return PyUnicode_FromOrdinal((int)code);
}

static PyObject *builtin_ord(PyObject *Py_UNUSED(module), PyObject *op)
{
    Py_ssize_t size;
    if (PyUnicode_Check(op)) {
        size = PyUnicode_GET_LENGTH(op);
        if (size == 1)
            return PyLong_FromLong((long)PyUnicode_READ_CHAR(op, 0));
    }
    else if (PyBytes_Check(op)) {
        size = PyBytes_GET_SIZE(op);
        if (size == 1)
            return PyLong_FromLong((unsigned char)*PyBytes_AS_STRING(op));
    }
    else if (PyByteArray_Check(op)) {
        long value = -1;
        Py_BEGIN_CRITICAL_SECTION(op);
        size = PyByteArray_GET_SIZE(op);
        if (size == 1)
            value = (unsigned char)*PyByteArray_AS_STRING(op);
        Py_END_CRITICAL_SECTION();
        if (value >= 0)
            return PyLong_FromLong(value);
    }
    else {
        PyErr_Format(PyExc_TypeError, "ord() expected string of length 1, but %.200s found", Py_TYPE(op)->tp_name);
        return NULL;
    }
    PyErr_Format(PyExc_TypeError, "ord() expected a character, but string of length %zd found", size);
    return NULL;
}

static PyObject *builtin_divmod(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    return _PyArg_CheckPositional("divmod", nargs, 2, 2) ? PyNumber_Divmod(args[0], args[1]) : NULL;
}

static PyObject *builtin_pow(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    static const char *const keywords[] = {"base", "exp", "mod", NULL};
    static _PyArg_Parser parser = {.format = "OO|O:pow", .keywords = keywords};
    PyObject *base, *exponent, *modulus = Py_None;
    if (!_PyArg_ParseStackAndKeywords(args, nargs, kwnames, &parser, &base, &exponent, &modulus))
        return NULL;
    return PyNumber_Power(base, exponent, modulus);
}

static PyObject *builtin_round(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    static const char *const keywords[] = {"number", "ndigits", NULL};
    static _PyArg_Parser parser = {.format = "O|O:round", .keywords = keywords};
    PyObject *number, *digits = Py_None;
    if (!_PyArg_ParseStackAndKeywords(args, nargs, kwnames, &parser, &number, &digits))
        return NULL;
    PyObject *method = type_lookup_special(number, STR(__round__));
    if (method == NULL) {
        if (!PyErr_Occurred())
            PyErr_Format(PyExc_TypeError, "type %.100s doesn't define __round__ method", Py_TYPE(number)->tp_name);
        return NULL;
    }
    PyObject *result = digits == Py_None ? PyObject_CallNoArgs(method) : PyObject_CallOneArg(method, digits);
    Py_DECREF(method);
    return result;
}

static PyObject *builtin_format(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("format", nargs, 1, 2))
        return NULL;
    if (nargs > 1 && !PyUnicode_Check(args[1])) {
        PyErr_Format(PyExc_TypeError, "format() argument 2 must be str, not %.50s", Py_TYPE(args[1])->tp_name);
        return NULL;
    }
    return PyObject_Format(args[0], nargs > 1 ? args[1] : NULL);
}

#define VARARGS(function) (PyCFunction)(void (*)(void))function

PyMethodDef builtin_numeric_methods[] = {
    {"abs", builtin_abs, METH_O, "abs($module, x, /)\n--\n\nReturn the absolute value of the argument."},
    {"ascii", builtin_ascii, METH_O, "ascii($module, obj, /)\n--\n\nLike repr(), with all but ASCII characters escaped."},
    {"bin", builtin_bin, METH_O, "bin($module, number, /)\n--\n\nReturn the binary representation of an integer.\n\n>>> bin(5)\n'0b101'"},
    {"chr", builtin_chr, METH_O, "chr($module, i, /)\n--\n\nReturn a Unicode string of one character with ordinal i; 0 <= i <= 0x10ffff."},
    {"divmod", VARARGS(builtin_divmod), METH_FASTCALL, "divmod($module, x, y, /)\n--\n\nReturn the tuple (x//y, x%y)."},
    {"format", VARARGS(builtin_format), METH_FASTCALL,
     "format($module, value, format_spec='', /)\n--\n\nReturn type(value).__format__(value, format_spec)."},
    {"hash", builtin_hash, METH_O, "hash($module, obj, /)\n--\n\nReturn the hash value; equal objects have equal hash values."},
    {"hex", builtin_hex, METH_O, "hex($module, number, /)\n--\n\nReturn the hexadecimal representation of an integer.\n\n>>> hex(255)\n'0xff'"},
    {"oct", builtin_oct, METH_O, "oct($module, number, /)\n--\n\nReturn the octal representation of an integer.\n\n>>> oct(8)\n'0o10'"},
    {"ord", builtin_ord, METH_O, "ord($module, c, /)\n--\n\nReturn the Unicode code point of a one-character string."},
    {"pow", VARARGS(builtin_pow), METH_FASTCALL | METH_KEYWORDS,
     "pow($module, /, base, exp, mod=None)\n--\n\nbase**exp, or base**exp % mod computed efficiently."},
    {"repr", builtin_repr, METH_O, "repr($module, obj, /)\n--\n\nReturn the canonical string representation of the object."},
    {"round", VARARGS(builtin_round), METH_FASTCALL | METH_KEYWORDS,
     "round($module, /, number, ndigits=None)\n--\n\nRound a number to a given precision in decimal digits; to an int without ndigits."},
    {NULL},
};
