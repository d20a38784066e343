/* timedelta objects. */
#include "datetime_internal.h"

#include <math.h>

/* ---- Making ---- */

static PyObject *make(int days, int seconds, int us, PyTypeObject *type)
{
    if (days < -MAX_DELTA_DAYS || days > MAX_DELTA_DAYS) {
        PyErr_Format(PyExc_OverflowError, "days=%d; must have magnitude <= %d", days, MAX_DELTA_DAYS);
        return NULL;
    }
    PyDateTime_Delta *self = (PyDateTime_Delta *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->hashcode = -1;
        self->days = days;
        self->seconds = seconds;
        self->microseconds = us;
    }
    return (PyObject *)self;
}

PyObject *delta_from_us(us_t us, PyTypeObject *type)
{
    us_t days = us / US_PER_DAY, rest = us % US_PER_DAY;
    if (rest < 0) {
        rest += US_PER_DAY;
        days--;
    }
    if (days < INT_MIN || days > INT_MAX) {
        PyErr_SetString(PyExc_OverflowError, "Python int too large to convert to C int");
        return NULL;
    }
    return make((int)days, (int)(rest / US_PER_SECOND), (int)(rest % US_PER_SECOND), type);
}

us_t delta_to_us(PyObject *delta)
{
    PyDateTime_Delta *d = (PyDateTime_Delta *)delta;
    return d->days * US_PER_DAY + (us_t)d->seconds * US_PER_SECOND + d->microseconds;
}

PyObject *delta_new_normalized(int days, int seconds, int us, int normalize, PyTypeObject *type)
{
    if (!normalize)
        return make(days, seconds, us, type);
    return delta_from_us(days * US_PER_DAY + (us_t)seconds * US_PER_SECOND + us, type);
}

/* ---- Microseconds as ints of Python ---- */

static PyObject *us_to_int(us_t us)
{
    if (us >= LLONG_MIN && us <= LLONG_MAX)
        return PyLong_FromLongLong((long long)us);
    return _PyLong_FromByteArray((unsigned char *)&us, sizeof(us), 1, 1);
}

/* -1 with OverflowError */
static int int_to_us(PyObject *n, us_t *us)
{
    int overflow;
    long long small = PyLong_AsLongLongAndOverflow(n, &overflow);
    if (small == -1 && PyErr_Occurred())
        return -1;
    *us = small;
    if (!overflow)
        return 0;
    if (_PyLong_AsByteArray((PyLongObject *)n, (unsigned char *)us, sizeof(*us), 1, 1) == 0)
        return 0;
    PyErr_SetString(PyExc_OverflowError, "Python int too large to convert to C int");
    return -1;
}

/* Steals n, which may be NULL. */
static PyObject *delta_from_int_steal(PyObject *n)
{
    us_t us;
    if (n == NULL)
        return NULL;
    int failed = int_to_us(n, &us);
    Py_DECREF(n);
    return failed ? NULL : delta_from_us(us, &delta_type);
}

/* a / b to the nearest int, ties to even; steals both, which may be NULL. */
static PyObject *divide_nearest_steal(PyObject *a, PyObject *b)
{
    PyObject *pair = NULL, *result = NULL;
    if (a != NULL && b != NULL)
        pair = _PyLong_DivmodNear(a, b);
    if (pair != NULL) {
        result = Py_NewRef(PyTuple_GET_ITEM(pair, 0));
        Py_DECREF(pair);
    }
    Py_XDECREF(a);
    Py_XDECREF(b);
    return result;
}

/* ---- The constructor ---- */

/* Adds value * factor to the sum: its whole microseconds to *us, the rest to *leftover. */
static int accumulate(const char *name, PyObject *value, long long factor, us_t *us, double *leftover)
{
    us_t n;
    if (PyLong_Check(value)) {
        if (int_to_us(value, &n) < 0)
            return -1;
        if (n > ((us_t)1 << 80) || n < -((us_t)1 << 80)) {
            PyErr_SetString(PyExc_OverflowError, "Python int too large to convert to C int");
            return -1;
        }
        *us += n * factor;
        return 0;
    }
    if (!PyFloat_Check(value)) {
        PyErr_Format(PyExc_TypeError, "unsupported type for timedelta %s component: %s", name, Py_TYPE(value)->tp_name);
        return -1;
    }
    double whole, fraction = modf(PyFloat_AsDouble(value), &whole);
    PyObject *number = PyLong_FromDouble(whole);
    if (number == NULL)
        return -1;
    int failed = accumulate(name, number, factor, us, leftover);
    Py_DECREF(number);
    if (failed)
        return -1;
    fraction = modf(fraction * (double)factor, &whole);
    *us += (us_t)whole;
    *leftover += fraction;
    return 0;
}

static PyObject *delta_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"days", "seconds", "microseconds", "milliseconds", "minutes", "hours", "weeks", NULL};
    static const struct { int index; long long factor; } order[] = {
        {2, 1}, {3, 1000}, {1, US_PER_SECOND}, {4, 60LL * US_PER_SECOND}, {5, 3600LL * US_PER_SECOND},
        {0, 86400LL * US_PER_SECOND}, {6, 604800LL * US_PER_SECOND},
    };
    PyObject *v[7] = {NULL};
    us_t us = 0;
    double leftover = 0.0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OOOOOOO:__new__", keywords, &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6]))
        return NULL;
    for (int i = 0; i < 7; i++)
        if (v[order[i].index] != NULL
            && accumulate(keywords[order[i].index], v[order[i].index], order[i].factor, &us, &leftover) < 0)
            return NULL;
    if (leftover != 0.0) {
        /* round half to even, of the sum */
        double rounded = round(leftover);
        if (fabs(rounded - leftover) == 0.5) {
            int odd = (int)(us & 1);
            rounded = 2.0 * round((leftover + odd) * 0.5) - odd;
        }
        us += (us_t)rounded;
    }
    return delta_from_us(us, type);
}

/* ---- Arithmetic ---- */

static PyObject *delta_add(PyObject *a, PyObject *b)
{
    if (!delta_check(a) || !delta_check(b))
        Py_RETURN_NOTIMPLEMENTED;
    return delta_from_us(delta_to_us(a) + delta_to_us(b), &delta_type);
}

static PyObject *delta_subtract(PyObject *a, PyObject *b)
{
    if (!delta_check(a) || !delta_check(b))
        Py_RETURN_NOTIMPLEMENTED;
    return delta_from_us(delta_to_us(a) - delta_to_us(b), &delta_type);
}

static PyObject *delta_negative(PyObject *op)
{
    return delta_from_us(-delta_to_us(op), &delta_type);
}

static PyObject *delta_positive(PyObject *op)
{
    return delta_from_us(delta_to_us(op), &delta_type);
}

static PyObject *delta_absolute(PyObject *op)
{
    us_t us = delta_to_us(op);
    return delta_from_us(us < 0 ? -us : us, &delta_type);
}

static int delta_bool(PyObject *op)
{
    return delta_to_us(op) != 0;
}

/* delta * f, or delta / f, exactly rounded: f is a ratio of ints. */
static PyObject *scale(PyObject *delta, PyObject *f, int divide)
{
    PyObject *ratio = PyObject_CallMethod(f, "as_integer_ratio", NULL), *us, *product = NULL, *result = NULL;
    if (ratio == NULL)
        return NULL;
    if (!PyTuple_Check(ratio) || PyTuple_GET_SIZE(ratio) != 2) {
        if (PyTuple_Check(ratio))
            PyErr_SetString(PyExc_ValueError, "as_integer_ratio() must return a 2-tuple");
        else
            PyErr_Format(PyExc_TypeError, "unexpected return type from as_integer_ratio(): expected tuple, got '%.200s'",
                         Py_TYPE(ratio)->tp_name);
        Py_DECREF(ratio);
        return NULL;
    }
    us = us_to_int(delta_to_us(delta));
    if (us != NULL) {
        product = PyNumber_Multiply(us, PyTuple_GET_ITEM(ratio, divide ? 1 : 0));
        Py_DECREF(us);
    }
    if (product != NULL)
        result = delta_from_int_steal(divide_nearest_steal(product, Py_NewRef(PyTuple_GET_ITEM(ratio, divide ? 0 : 1))));
    Py_DECREF(ratio);
    return result;
}

static PyObject *multiply_by_int(PyObject *delta, PyObject *n)
{
    PyObject *us = us_to_int(delta_to_us(delta)), *product = us == NULL ? NULL : PyNumber_Multiply(us, n);
    Py_XDECREF(us);
    return delta_from_int_steal(product);
}

static PyObject *delta_multiply(PyObject *a, PyObject *b)
{
    PyObject *delta = delta_check(a) ? a : b, *other = delta == a ? b : a;
    if (PyLong_Check(other))
        return multiply_by_int(delta, other);
    if (PyFloat_Check(other))
        return scale(delta, other, 0);
    Py_RETURN_NOTIMPLEMENTED;
}

static PyObject *divide_by_zero(void)
{
    PyErr_SetString(PyExc_ZeroDivisionError, "integer division or modulo by zero");
    return NULL;
}

static us_t floor_divide(us_t a, us_t b)
{
    us_t q = a / b;
    return q - (a % b != 0 && (a < 0) != (b < 0));
}

static PyObject *delta_floor_divide(PyObject *a, PyObject *b)
{
    if (!delta_check(a))
        Py_RETURN_NOTIMPLEMENTED;
    if (delta_check(b)) {
        if (delta_to_us(b) == 0)
            return divide_by_zero();
        return us_to_int(floor_divide(delta_to_us(a), delta_to_us(b)));
    }
    if (!PyLong_Check(b))
        Py_RETURN_NOTIMPLEMENTED;
    PyObject *us = us_to_int(delta_to_us(a)), *quotient = us == NULL ? NULL : PyNumber_FloorDivide(us, b);
    Py_XDECREF(us);
    return delta_from_int_steal(quotient);
}

static PyObject *delta_true_divide(PyObject *a, PyObject *b)
{
    if (!delta_check(a))
        Py_RETURN_NOTIMPLEMENTED;
    if (delta_check(b)) {
        PyObject *x = us_to_int(delta_to_us(a)), *y = us_to_int(delta_to_us(b)), *result = NULL;
        if (x != NULL && y != NULL)
            result = PyNumber_TrueDivide(x, y);
        Py_XDECREF(x);
        Py_XDECREF(y);
        return result;
    }
    if (PyFloat_Check(b))
        return scale(a, b, 1);
    if (PyLong_Check(b))
        return delta_from_int_steal(divide_nearest_steal(us_to_int(delta_to_us(a)), Py_NewRef(b)));
    Py_RETURN_NOTIMPLEMENTED;
}

static PyObject *delta_remainder(PyObject *a, PyObject *b)
{
    if (!delta_check(a) || !delta_check(b))
        Py_RETURN_NOTIMPLEMENTED;
    us_t x = delta_to_us(a), y = delta_to_us(b);
    if (y == 0)
        return divide_by_zero();
    return delta_from_us(x - floor_divide(x, y) * y, &delta_type);
}

static PyObject *delta_divmod(PyObject *a, PyObject *b)
{
    if (!delta_check(a) || !delta_check(b))
        Py_RETURN_NOTIMPLEMENTED;
    us_t x = delta_to_us(a), y = delta_to_us(b);
    if (y == 0)
        return divide_by_zero();
    us_t q = floor_divide(x, y);
    return Py_BuildValue("(NN)", us_to_int(q), delta_from_us(x - q * y, &delta_type));
}

static PyNumberMethods delta_as_number = {
    .nb_add = delta_add,
    .nb_subtract = delta_subtract,
    .nb_multiply = delta_multiply,
    .nb_remainder = delta_remainder,
    .nb_divmod = delta_divmod,
    .nb_negative = delta_negative,
    .nb_positive = delta_positive,
    .nb_absolute = delta_absolute,
    .nb_bool = delta_bool,
    .nb_floor_divide = delta_floor_divide,
    .nb_true_divide = delta_true_divide,
};

/* ---- The rest ---- */

static PyObject *delta_richcompare(PyObject *a, PyObject *b, int op)
{
    if (!delta_check(b))
        Py_RETURN_NOTIMPLEMENTED;
    us_t x = delta_to_us(a), y = delta_to_us(b);
    return compare_result(x < y ? -1 : x > y, op);
}

static Py_hash_t delta_hash(PyObject *op)
{
    PyDateTime_Delta *self = (PyDateTime_Delta *)op;
    Py_hash_t hash = __atomic_load_n(&self->hashcode, __ATOMIC_RELAXED);
    if (hash != -1)
        return hash;
    PyObject *state = Py_BuildValue("(iii)", self->days, self->seconds, self->microseconds);
    if (state == NULL)
        return -1;
    hash = PyObject_Hash(state);
    Py_DECREF(state);
    __atomic_store_n(&self->hashcode, hash, __ATOMIC_RELAXED);
    return hash;
}

PyObject *delta_repr(PyObject *op)
{
    PyDateTime_Delta *self = (PyDateTime_Delta *)op;
    char text[96] = "";
    int n = 0;
    if (self->days != 0)
        n += snprintf(text + n, sizeof(text) - (size_t)n, "days=%d", self->days);
    if (self->seconds != 0)
        n += snprintf(text + n, sizeof(text) - (size_t)n, "%sseconds=%d", n > 0 ? ", " : "", self->seconds);
    if (self->microseconds != 0)
        n += snprintf(text + n, sizeof(text) - (size_t)n, "%smicroseconds=%d", n > 0 ? ", " : "", self->microseconds);
    return PyUnicode_FromFormat("%s(%s)", Py_TYPE(op)->tp_name, n > 0 ? text : "0");
}

static PyObject *delta_str(PyObject *op)
{
    PyDateTime_Delta *self = (PyDateTime_Delta *)op;
    char text[96];
    int n = 0;
    if (self->days != 0)
        n = snprintf(text, sizeof(text), "%d day%s, ", self->days, self->days == 1 || self->days == -1 ? "" : "s");
    n += snprintf(text + n, sizeof(text) - (size_t)n, "%d:%02d:%02d", self->seconds / 3600, self->seconds / 60 % 60,
                  self->seconds % 60);
    if (self->microseconds != 0)
        n += snprintf(text + n, sizeof(text) - (size_t)n, ".%06d", self->microseconds);
    return PyUnicode_FromStringAndSize(text, n);
}

static PyObject *delta_reduce(PyObject *op, PyObject *unused)
{
    PyDateTime_Delta *self = (PyDateTime_Delta *)op;
    return Py_BuildValue("(O(iii))", Py_TYPE(op), self->days, self->seconds, self->microseconds);
}

static PyObject *delta_total_seconds(PyObject *op, PyObject *unused)
{
    PyObject *us = us_to_int(delta_to_us(op)), *million = PyLong_FromLong(US_PER_SECOND);
    PyObject *result = us == NULL ? NULL : PyNumber_TrueDivide(us, million);
    Py_XDECREF(us);
    return result;
}

static PyMethodDef delta_methods[] = {
    {"total_seconds", delta_total_seconds, METH_NOARGS, "Total seconds in the duration."},
    {"__reduce__", delta_reduce, METH_NOARGS, "__reduce__() -> (cls, state)"},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef delta_members[] = {
    {"days", T_INT, offsetof(PyDateTime_Delta, days), READONLY, "Number of days."},
    {"seconds", T_INT, offsetof(PyDateTime_Delta, seconds), READONLY, "Number of seconds (>= 0 and less than 1 day)."},
    {"microseconds", T_INT, offsetof(PyDateTime_Delta, microseconds), READONLY,
     "Number of microseconds (>= 0 and less than 1 second)."},
    {NULL, 0, 0, 0, NULL},
};

PyTypeObject delta_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "datetime.timedelta",
    .tp_basicsize = sizeof(PyDateTime_Delta),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "timedelta(days=0, seconds=0, microseconds=0, milliseconds=0, minutes=0, hours=0, weeks=0)\n\n"
              "A duration: the difference between two points in time. All arguments are optional, ints or floats.",
    .tp_repr = delta_repr,
    .tp_str = delta_str,
    .tp_hash = delta_hash,
    .tp_richcompare = delta_richcompare,
    .tp_as_number = &delta_as_number,
    .tp_methods = delta_methods,
    .tp_members = delta_members,
    .tp_new = delta_new,
};
