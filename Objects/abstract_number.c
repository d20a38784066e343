/* The number protocol: operators dispatched over the slots of both operands, and conversions. */
#include "Python.h"

#include "internal/abstract.h"
#include "internal/long.h"
#include "internal/stable_buffer.h"
#include "internal/well_known_strings.h"

#define SLOT_OF(table, slot, type) (*(type *)((char *)(table) + (slot)))

static inline binaryfunc binary_slot(PyObject *op, size_t slot)
{
    PyNumberMethods *m = Py_TYPE(op)->tp_as_number;
    return m == NULL ? NULL : SLOT_OF(m, slot, binaryfunc);
}

/* ---- Binary operators ---- */

/* Order: the left operand's slot, then the right one's; but the right one's first if its type is a proper subtype of
 * the left one's with a slot of its own. */
PyObject *number_binary_slots(PyObject *a, PyObject *b, size_t slot)
{
    binaryfunc left = binary_slot(a, slot), right = NULL;
    PyTypeObject *type_a = Py_TYPE(a), *type_b = Py_TYPE(b);
    PyObject *result;
    if (type_b != type_a) {
        right = binary_slot(b, slot);
        if (right == left)
            right = NULL;
    }
    if (left != NULL) {
        if (right != NULL && PyType_IsSubtype(type_b, type_a)) {
            result = right(a, b);
            if (result != Py_NotImplemented)
                return result;
            right = NULL;
        }
        result = left(a, b);
        if (result != Py_NotImplemented)
            return result;
    }
    if (right != NULL)
        return right(a, b);
    return Py_NotImplemented;
}

static Py_COLD PyObject *operand_error(PyObject *a, PyObject *b, const char *symbol)
{
    PyErr_Format(PyExc_TypeError, "unsupported operand type(s) for %.100s: '%.100s' and '%.100s'", symbol,
                 Py_TYPE(a)->tp_name, Py_TYPE(b)->tp_name);
    return NULL;
}

static PyObject *binary_op(PyObject *a, PyObject *b, size_t slot, const char *symbol)
{
    if (a == NULL || b == NULL) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_SystemError, "null argument to internal routine");
        return NULL;
    }
    PyObject *result = number_binary_slots(a, b, slot);
    if (Py_UNLIKELY(result == Py_NotImplemented)) {
        Py_DECREF(result);
        return operand_error(a, b, symbol);
    }
    return result;
}

/* Two exact ints (big ones, as a rule: the interpreter does the small ones itself) go straight to their function. */
static inline Py_ALWAYS_INLINE int both_exact_ints(PyObject *a, PyObject *b)
{
    return a != NULL && b != NULL && PyLong_CheckExact(a) && PyLong_CheckExact(b);
}

#define BINARY(function, slot, symbol) \
    PyObject *function(PyObject *a, PyObject *b) { return binary_op(a, b, NUMBER_SLOT(slot), symbol); }
#define BINARY_OF_INTS(function, of_ints, slot, symbol) \
    PyObject *function(PyObject *a, PyObject *b) \
    { \
        return both_exact_ints(a, b) ? of_ints(a, b) : binary_op(a, b, NUMBER_SLOT(slot), symbol); \
    }

BINARY(PyNumber_Or, nb_or, "|")
BINARY(PyNumber_Xor, nb_xor, "^")
BINARY_OF_INTS(PyNumber_And, long_and, nb_and, "&")
BINARY(PyNumber_Lshift, nb_lshift, "<<")
BINARY(PyNumber_Divmod, nb_divmod, "divmod()")
BINARY(PyNumber_MatrixMultiply, nb_matrix_multiply, "@")
BINARY_OF_INTS(PyNumber_FloorDivide, long_floor_divide, nb_floor_divide, "//")
BINARY(PyNumber_TrueDivide, nb_true_divide, "/")
BINARY(PyNumber_Remainder, nb_remainder, "%")

PyObject *PyNumber_Subtract(PyObject *a, PyObject *b)
{
    if (value_both_ints(a, b)) {
        int64_t n = value_get_int(a) - value_get_int(b);
        if (value_fits_int(n))
            return value_from_int(n);
    }
    if (both_exact_ints(a, b))
        return long_subtract(a, b);
    return binary_op(a, b, NUMBER_SLOT(nb_subtract), "-");
}

/* Is it the builtin print, shifted by a Python 2 programmer? */
static int is_print_function(PyObject *op)
{
    return PyCFunction_CheckExact(op) && strcmp(((PyCFunctionObject *)op)->m_ml->ml_name, "print") == 0;
}

PyObject *PyNumber_Rshift(PyObject *a, PyObject *b)
{
    PyObject *result = number_binary_slots(a, b, NUMBER_SLOT(nb_rshift));
    if (result != Py_NotImplemented)
        return result;
    Py_DECREF(result);
    if (is_print_function(a)) {
        PyErr_Format(PyExc_TypeError,
                     "unsupported operand type(s) for %.100s: '%.100s' and '%.100s'. "
                     "Did you mean \"print(<message>, file=<output_stream>)\"?",
                     ">>", Py_TYPE(a)->tp_name, Py_TYPE(b)->tp_name);
        return NULL;
    }
    return operand_error(a, b, ">>");
}

PyObject *PyNumber_Add(PyObject *a, PyObject *b)
{
    if (value_both_ints(a, b)) {
        int64_t n = value_get_int(a) + value_get_int(b);
        if (value_fits_int(n))
            return value_from_int(n);
    }
    if (both_exact_ints(a, b))
        return long_add(a, b);
    PyObject *result = number_binary_slots(a, b, NUMBER_SLOT(nb_add));
    if (result != Py_NotImplemented)
        return result;
    Py_DECREF(result);
    PySequenceMethods *m = Py_TYPE(a)->tp_as_sequence;
    if (m != NULL && m->sq_concat != NULL)
        return m->sq_concat(a, b);
    return operand_error(a, b, "+");
}

static PyObject *sequence_repeat(ssizeargfunc repeat, PyObject *seq, PyObject *n)
{
    if (!PyIndex_Check(n)) {
        PyErr_Format(PyExc_TypeError, "can't multiply sequence by non-int of type '%.200s'", Py_TYPE(n)->tp_name);
        return NULL;
    }
    Py_ssize_t count = PyNumber_AsSsize_t(n, PyExc_OverflowError);
    if (count == -1 && PyErr_Occurred())
        return NULL;
    return repeat(seq, count);
}

PyObject *PyNumber_Multiply(PyObject *a, PyObject *b)
{
    if (both_exact_ints(a, b))
        return long_multiply(a, b);
    PyObject *result = number_binary_slots(a, b, NUMBER_SLOT(nb_multiply));
    if (result != Py_NotImplemented)
        return result;
    Py_DECREF(result);
    PySequenceMethods *ma = Py_TYPE(a)->tp_as_sequence, *mb = Py_TYPE(b)->tp_as_sequence;
    if (ma != NULL && ma->sq_repeat != NULL)
        return sequence_repeat(ma->sq_repeat, a, b);
    if (mb != NULL && mb->sq_repeat != NULL)
        return sequence_repeat(mb->sq_repeat, b, a);
    return operand_error(a, b, "*");
}

/* ---- Power ---- */

static inline ternaryfunc power_slot(PyObject *op, size_t slot)
{
    PyNumberMethods *m = Py_TYPE(op)->tp_as_number;
    return m == NULL ? NULL : SLOT_OF(m, slot, ternaryfunc);
}

/* As number_binary_slots; the modulus' slot comes last. */
static PyObject *power_slots(PyObject *a, PyObject *b, PyObject *modulus)
{
    const size_t slot = NUMBER_SLOT(nb_power);
    ternaryfunc left = power_slot(a, slot), right = NULL, third;
    PyObject *result;
    if (Py_TYPE(a) != Py_TYPE(b)) {
        right = power_slot(b, slot);
        if (right == left)
            right = NULL;
    }
    if (left != NULL) {
        if (right != NULL && PyType_IsSubtype(Py_TYPE(b), Py_TYPE(a))) {
            result = right(a, b, modulus);
            if (result != Py_NotImplemented)
                return result;
            right = NULL;
        }
        result = left(a, b, modulus);
        if (result != Py_NotImplemented)
            return result;
    }
    if (right != NULL) {
        result = right(a, b, modulus);
        if (result != Py_NotImplemented)
            return result;
    }
    third = power_slot(modulus, slot);
    if (third != NULL && third != left && third != right)
        return third(a, b, modulus);
    return Py_NotImplemented;
}

static PyObject *power_error(PyObject *a, PyObject *b, PyObject *modulus, const char *symbol)
{
    if (modulus == Py_None)
        return operand_error(a, b, symbol);
    PyErr_Format(PyExc_TypeError, "unsupported operand type(s) for %.100s: '%.100s', '%.100s', '%.100s'", symbol,
                 Py_TYPE(a)->tp_name, Py_TYPE(b)->tp_name, Py_TYPE(modulus)->tp_name);
    return NULL;
}

PyObject *PyNumber_Power(PyObject *a, PyObject *b, PyObject *modulus)
{
    PyObject *result = power_slots(a, b, modulus);
    if (result != Py_NotImplemented)
        return result;
    Py_DECREF(result);
    return power_error(a, b, modulus, "** or pow()");
}

PyObject *PyNumber_InPlacePower(PyObject *a, PyObject *b, PyObject *modulus)
{
    ternaryfunc inplace = power_slot(a, NUMBER_SLOT(nb_inplace_power));
    PyObject *result = Py_NotImplemented;
    if (inplace != NULL)
        result = inplace(a, b, modulus);
    if (result == Py_NotImplemented)
        result = power_slots(a, b, modulus);
    if (result != Py_NotImplemented)
        return result;
    Py_DECREF(result);
    return power_error(a, b, modulus, "**=");
}

/* ---- In-place operators ---- */

static PyObject *inplace_slots(PyObject *a, PyObject *b, size_t inplace, size_t slot)
{
    binaryfunc f = binary_slot(a, inplace);
    if (f != NULL) {
        PyObject *result = f(a, b);
        if (result != Py_NotImplemented)
            return result;
    }
    return number_binary_slots(a, b, slot);
}

static PyObject *inplace_op(PyObject *a, PyObject *b, size_t inplace, size_t slot, const char *symbol)
{
    PyObject *result = inplace_slots(a, b, inplace, slot);
    if (result != Py_NotImplemented)
        return result;
    Py_DECREF(result);
    return operand_error(a, b, symbol);
}

#define INPLACE(function, name, symbol) \
    PyObject *function(PyObject *a, PyObject *b) \
    { \
        return inplace_op(a, b, NUMBER_SLOT(nb_inplace_##name), NUMBER_SLOT(nb_##name), symbol); \
    }

INPLACE(PyNumber_InPlaceOr, or, "|=")
INPLACE(PyNumber_InPlaceXor, xor, "^=")
INPLACE(PyNumber_InPlaceAnd, and, "&=")
INPLACE(PyNumber_InPlaceLshift, lshift, "<<=")
INPLACE(PyNumber_InPlaceRshift, rshift, ">>=")
INPLACE(PyNumber_InPlaceSubtract, subtract, "-=")
INPLACE(PyNumber_InPlaceFloorDivide, floor_divide, "//=")
INPLACE(PyNumber_InPlaceTrueDivide, true_divide, "/=")
INPLACE(PyNumber_InPlaceRemainder, remainder, "%=")
INPLACE(PyNumber_InPlaceMatrixMultiply, matrix_multiply, "@=")

PyObject *PyNumber_InPlaceAdd(PyObject *a, PyObject *b)
{
    PyObject *result = inplace_slots(a, b, NUMBER_SLOT(nb_inplace_add), NUMBER_SLOT(nb_add));
    if (result != Py_NotImplemented)
        return result;
    Py_DECREF(result);
    PySequenceMethods *m = Py_TYPE(a)->tp_as_sequence;
    if (m != NULL) {
        binaryfunc f = m->sq_inplace_concat != NULL ? m->sq_inplace_concat : m->sq_concat;
        if (f != NULL)
            return f(a, b);
    }
    return operand_error(a, b, "+=");
}

PyObject *PyNumber_InPlaceMultiply(PyObject *a, PyObject *b)
{
    PyObject *result = inplace_slots(a, b, NUMBER_SLOT(nb_inplace_multiply), NUMBER_SLOT(nb_multiply));
    if (result != Py_NotImplemented)
        return result;
    Py_DECREF(result);
    PySequenceMethods *ma = Py_TYPE(a)->tp_as_sequence, *mb = Py_TYPE(b)->tp_as_sequence;
    if (ma != NULL) {
        ssizeargfunc f = ma->sq_inplace_repeat != NULL ? ma->sq_inplace_repeat : ma->sq_repeat;
        if (f != NULL)
            return sequence_repeat(f, a, b);
    }
    /* the right operand is not changed in place */
    if (mb != NULL && mb->sq_repeat != NULL)
        return sequence_repeat(mb->sq_repeat, b, a);
    return operand_error(a, b, "*=");
}

/* ---- Unary operators ---- */

static PyObject *unary_op(PyObject *op, size_t slot, const char *what)
{
    PyNumberMethods *m = Py_TYPE(op)->tp_as_number;
    unaryfunc f = m == NULL ? NULL : SLOT_OF(m, slot, unaryfunc);
    if (f != NULL)
        return f(op);
    PyErr_Format(PyExc_TypeError, "bad operand type for %s: '%.200s'", what, Py_TYPE(op)->tp_name);
    return NULL;
}

PyObject *PyNumber_Negative(PyObject *op) { return unary_op(op, NUMBER_SLOT(nb_negative), "unary -"); }
PyObject *PyNumber_Positive(PyObject *op) { return unary_op(op, NUMBER_SLOT(nb_positive), "unary +"); }
PyObject *PyNumber_Invert(PyObject *op) { return unary_op(op, NUMBER_SLOT(nb_invert), "unary ~"); }
PyObject *PyNumber_Absolute(PyObject *op) { return unary_op(op, NUMBER_SLOT(nb_absolute), "abs()"); }

/* ---- Checks and conversions ---- */

int PyIndex_Check(PyObject *op)
{
    PyNumberMethods *m = Py_TYPE(op)->tp_as_number;
    return m != NULL && m->nb_index != NULL;
}

int PyNumber_Check(PyObject *op)
{
    if (op == NULL)
        return 0;
    PyNumberMethods *m = Py_TYPE(op)->tp_as_number;
    return (m != NULL && (m->nb_index != NULL || m->nb_int != NULL || m->nb_float != NULL)) || PyComplex_Check(op);
}

/* What __index__, __int__ gave must be an int; of a strict subclass it draws a warning. Steals result. */
static PyObject *check_int_result(PyObject *result, const char *method)
{
    if (result == NULL || PyLong_CheckExact(result))
        return result;
    if (!PyLong_Check(result)) {
        PyErr_Format(PyExc_TypeError, "%s returned non-int (type %.200s)", method, Py_TYPE(result)->tp_name);
        Py_DECREF(result);
        return NULL;
    }
    if (PyErr_WarnFormat(PyExc_DeprecationWarning, 1,
                         "%s returned non-int (type %.200s).  The ability to return an instance of a strict "
                         "subclass of int is deprecated, and may not be supported in a future version of Python.",
                         method, Py_TYPE(result)->tp_name)) {
        Py_DECREF(result);
        return NULL;
    }
    return result;
}

PyObject *_PyNumber_Index(PyObject *op)
{
    if (PyLong_Check(op))
        return Py_NewRef(op);
    if (!PyIndex_Check(op)) {
        PyErr_Format(PyExc_TypeError, "'%.200s' object cannot be interpreted as an integer", Py_TYPE(op)->tp_name);
        return NULL;
    }
    return check_int_result(Py_TYPE(op)->tp_as_number->nb_index(op), "__index__");
}

/* The exact int with the value of an int of any subclass. Steals op. */
static PyObject *exact_int_steal(PyObject *op)
{
    if (op == NULL || PyLong_CheckExact(op))
        return op;
    PyObject *exact = _PyLong_Copy((PyLongObject *)op);
    Py_DECREF(op);
    return exact;
}

PyObject *PyNumber_Index(PyObject *op)
{
    if (value_is_int(op))
        return op;
    return exact_int_steal(_PyNumber_Index(op));
}

Py_ssize_t PyNumber_AsSsize_t(PyObject *op, PyObject *err)
{
    if (value_is_int(op))
        return (Py_ssize_t)value_get_int(op);
    PyObject *value = _PyNumber_Index(op);
    if (value == NULL)
        return -1;
    Py_ssize_t n = PyLong_AsSsize_t(value);
    if (n == -1 && PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_OverflowError)) {
        PyErr_Clear();
        if (err == NULL)
            n = _PyLong_Sign(value) < 0 ? PY_SSIZE_T_MIN : PY_SSIZE_T_MAX;
        else
            PyErr_Format(err, "cannot fit '%.200s' into an index-sized integer", Py_TYPE(op)->tp_name);
    }
    Py_DECREF(value);
    return n;
}

/* int() of text in a buffer; the contents are copied, since the parser wants a terminated string. */
static PyObject *long_from_buffer(PyObject *op)
{
    Py_buffer view;
    if (PyObject_GetBuffer(op, &view, PyBUF_SIMPLE) < 0)
        return NULL;
    PyObject *bytes = stable_buffer_copy(&view), *result = NULL;
    if (bytes != NULL) {
        result = _PyLong_FromBytes(PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes), 10);
        Py_DECREF(bytes);
    }
    PyBuffer_Release(&view);
    return result;
}

/* int() by __trunc__, deprecated. The method is given, stolen. */
static PyObject *long_by_trunc_steal(PyObject *trunc)
{
    if (PyErr_WarnEx(PyExc_DeprecationWarning, "The delegation of int() to __trunc__ is deprecated.", 1)) {
        Py_DECREF(trunc);
        return NULL;
    }
    PyObject *result = PyObject_CallNoArgs(trunc);
    Py_DECREF(trunc);
    if (result == NULL || PyLong_Check(result))
        return exact_int_steal(result);
    if (!PyIndex_Check(result)) {
        PyErr_Format(PyExc_TypeError, "__trunc__ returned non-Integral (type %.200s)", Py_TYPE(result)->tp_name);
        Py_DECREF(result);
        return NULL;
    }
    PyObject *value = PyNumber_Index(result);
    Py_DECREF(result);
    return value;
}

PyObject *PyNumber_Long(PyObject *op)
{
    if (op == NULL) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_SystemError, "null argument to internal routine");
        return NULL;
    }
    if (PyLong_CheckExact(op))
        return Py_NewRef(op);
    PyNumberMethods *m = Py_TYPE(op)->tp_as_number;
    if (m != NULL && m->nb_int != NULL)
        return exact_int_steal(check_int_result(m->nb_int(op), "__int__"));
    if (m != NULL && m->nb_index != NULL)
        return PyNumber_Index(op);
    PyObject *trunc = _PyObject_LookupSpecial(op, STR(__trunc__));
    if (trunc != NULL)
        return long_by_trunc_steal(trunc);
    if (PyErr_Occurred())
        return NULL;
    if (PyUnicode_Check(op))
        return PyLong_FromUnicodeObject(op, 10);
    if (PyBytes_Check(op))
        return _PyLong_FromBytes(PyBytes_AS_STRING(op), PyBytes_GET_SIZE(op), 10);
    if (PyObject_CheckBuffer(op))
        return long_from_buffer(op);
    PyErr_Format(PyExc_TypeError,
                 "int() argument must be a string, a bytes-like object or a real number, not '%.200s'",
                 Py_TYPE(op)->tp_name);
    return NULL;
}

PyObject *PyNumber_Float(PyObject *op)
{
    if (op == NULL) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_SystemError, "null argument to internal routine");
        return NULL;
    }
    if (PyFloat_CheckExact(op))
        return Py_NewRef(op);
    PyNumberMethods *m = Py_TYPE(op)->tp_as_number;
    if (m != NULL && m->nb_float != NULL) {
        PyObject *result = m->nb_float(op);
        if (result == NULL || PyFloat_CheckExact(result))
            return result;
        if (!PyFloat_Check(result)) {
            PyErr_Format(PyExc_TypeError, "%.50s.__float__ returned non-float (type %.50s)", Py_TYPE(op)->tp_name,
                         Py_TYPE(result)->tp_name);
            Py_DECREF(result);
            return NULL;
        }
        if (PyErr_WarnFormat(PyExc_DeprecationWarning, 1,
                             "%.50s.__float__ returned non-float (type %.50s).  The ability to return an instance "
                             "of a strict subclass of float is deprecated, and may not be supported in a future "
                             "version of Python.",
                             Py_TYPE(op)->tp_name, Py_TYPE(result)->tp_name)) {
            Py_DECREF(result);
            return NULL;
        }
        double value = PyFloat_AS_DOUBLE(result);
        Py_DECREF(result);
        return PyFloat_FromDouble(value);
    }
    if (m != NULL && m->nb_index != NULL) {
        PyObject *index = _PyNumber_Index(op);
        if (index == NULL)
            return NULL;
        double value = PyLong_AsDouble(index);
        Py_DECREF(index);
        if (value == -1.0 && PyErr_Occurred())
            return NULL;
        return PyFloat_FromDouble(value);
    }
    if (PyFloat_Check(op))
        return PyFloat_FromDouble(PyFloat_AS_DOUBLE(op));
    return PyFloat_FromString(op);
}

PyObject *PyNumber_ToBase(PyObject *op, int base)
{
    if (base != 2 && base != 8 && base != 10 && base != 16) {
        PyErr_SetString(PyExc_SystemError, "PyNumber_ToBase: base must be 2, 8, 10 or 16");
        return NULL;
    }
    PyObject *index = _PyNumber_Index(op);
    if (index == NULL)
        return NULL;
    PyObject *result = _PyLong_Format(index, base);
    Py_DECREF(index);
    return result;
}
