/* math: sums, products and norms of many numbers. */
#include <float.h>
#include "math_internal.h"

/* ---- fsum (J. Shewchuk, "Adaptive Precision Floating-Point Arithmetic") ---- */

/* Partial sums that do not overlap, in order of increasing size: their exact sum is the sum so far. */
typedef struct {
    double room[32];
    double *items;
    Py_ssize_t count, capacity;
    double special;         /* sum of infinities and NaNs met */
    double infinities;
} partials_t;

/* Adds x: 0, or -1 with an exception. */
static int partials_add(partials_t *p, double x)
{
    double original = x;
    Py_ssize_t kept = 0;
    for (Py_ssize_t j = 0; j < p->count; j++) {
        double y = p->items[j];
        if (fabs(x) < fabs(y)) {
            double t = x;
            x = y;
            y = t;
        }
        volatile double high = x + y, part = high - x;
        double low = y - part;
        if (low != 0.0)
            p->items[kept++] = low;
        x = high;
    }
    p->count = kept;
    if (x == 0.0)
        return 0;
    if (!isfinite(x)) {
        if (isfinite(original)) {
            PyErr_SetString(PyExc_OverflowError, "intermediate overflow in fsum");
            return -1;
        }
        if (isinf(original))
            p->infinities += original;
        p->special += original;
        p->count = 0;
        return 0;
    }
    if (p->count == p->capacity) {
        double *bigger = PyMem_New(double, p->capacity * 2);
        if (bigger == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        memcpy(bigger, p->items, (size_t)p->count * sizeof(double));
        if (p->items != p->room)
            PyMem_Free(p->items);
        p->items = bigger;
        p->capacity *= 2;
    }
    p->items[p->count++] = x;
    return 0;
}

/* The sum, correctly rounded: from the top down until a part is lost; then the parts below may break a tie. */
static double partials_round(const partials_t *p)
{
    Py_ssize_t n = p->count;
    if (n == 0)
        return 0.0;
    volatile double high = p->items[--n], part;
    double low = 0.0;
    while (n > 0) {
        double x = high, y = p->items[--n];
        high = x + y;
        part = high - x;
        low = y - part;
        if (low != 0.0)
            break;
    }
    if (n > 0 && ((low < 0.0 && p->items[n - 1] < 0.0) || (low > 0.0 && p->items[n - 1] > 0.0))) {
        double twice = low * 2.0;
        volatile double x = high + twice;
        part = x - high;
        if (twice == part)
            high = x;
    }
    return high;
}

PyObject *math_fsum(PyObject *module, PyObject *iterable)
{
    PyObject *item, *result = NULL, *it = PyObject_GetIter(iterable);
    if (it == NULL)
        return NULL;
    partials_t p = {.capacity = Py_ARRAY_LENGTH(p.room)};
    p.items = p.room;
    while ((item = PyIter_Next(it)) != NULL) {
        double x;
        int rc = math_argument(item, &x);
        Py_DECREF(item);
        if (rc < 0 || partials_add(&p, x) < 0)
            goto done;
    }
    if (PyErr_Occurred())
        goto done;
    if (p.special != 0.0) {
        if (isnan(p.infinities))
            PyErr_SetString(PyExc_ValueError, "-inf + inf in fsum");
        else
            result = PyFloat_FromDouble(p.special);
        goto done;
    }
    result = PyFloat_FromDouble(partials_round(&p));
done:
    if (p.items != p.room)
        PyMem_Free(p.items);
    Py_DECREF(it);
    return result;
}

/* ---- prod ---- */

PyObject *math_prod(PyObject *module, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    static const char *const keywords[] = {"", "start", NULL};
    static _PyArg_Parser parser = {.format = "O|$O:prod", .keywords = keywords};
    PyObject *iterable, *start = NULL, *item;
    if (!_PyArg_ParseStackAndKeywords(args, nargs, kwnames, &parser, &iterable, &start))
        return NULL;
    PyObject *it = PyObject_GetIter(iterable), *result;
    if (it == NULL)
        return NULL;
    result = start != NULL ? Py_NewRef(start) : PyLong_FromLong(1);
    while (result != NULL && (item = PyIter_Next(it)) != NULL) {
        Py_SETREF(result, PyNumber_Multiply(result, item));
        Py_DECREF(item);
    }
    Py_DECREF(it);
    if (result != NULL && PyErr_Occurred())
        Py_CLEAR(result);
    return result;
}

/* ---- Norms ---- */

/* The square root of the sum of squares of n numbers, none negative, max the largest.  Squares and their sum are kept as
 * unevaluated pairs; one Newton step with the exact residue rounds the root. */
static double vector_norm(Py_ssize_t n, double *v, double max, int found_nan)
{
    if (isinf(max))
        return max;
    if (found_nan)
        return Py_NAN;
    if (max == 0.0 || n <= 1)
        return max;
    int exponent;
    frexp(max, &exponent);
    if (exponent < -1000) {         /* numbers near the end of the range: away from it */
        for (Py_ssize_t i = 0; i < n; i++)
            v[i] *= 0x1p600;
        return vector_norm(n, v, max * 0x1p600, 0) * 0x1p-600;
    }
    double scale = ldexp(1.0, -exponent), sum = 1.0, lost_sum = 0.0, lost_squares = 0.0;
    for (Py_ssize_t i = 0; i < n; i++) {
        double x = v[i] * scale, square = x * x;
        lost_squares += fma(x, x, -square);
        double old = sum;
        sum += square;
        lost_sum += old - sum + square;
    }
    double h = sqrt(sum - 1.0 + (lost_sum + lost_squares)), square = h * h;
    double residue = sum - 1.0 - square;
    residue += lost_sum + lost_squares - fma(h, h, -square);
    h += residue / (2.0 * h);
    return h / scale;
}

static PyObject *norm_of(Py_ssize_t n, double *v)
{
    double max = 0.0;
    int found_nan = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        v[i] = fabs(v[i]);
        found_nan |= isnan(v[i]);
        if (v[i] > max)
            max = v[i];
    }
    return PyFloat_FromDouble(vector_norm(n, v, max, found_nan));
}

#define STACK_NUMBERS 16

static double *new_vector(Py_ssize_t n, double *room)
{
    if (n <= STACK_NUMBERS)
        return room;
    double *v = PyMem_New(double, n);
    if (v == NULL)
        PyErr_NoMemory();
    return v;
}

PyObject *math_hypot(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    double room[STACK_NUMBERS], *v = new_vector(nargs, room);
    PyObject *result = NULL;
    if (v == NULL)
        return NULL;
    for (Py_ssize_t i = 0; i < nargs; i++)
        if (math_argument(args[i], &v[i]) < 0)
            goto done;
    result = norm_of(nargs, v);
done:
    if (v != room)
        PyMem_Free(v);
    return result;
}

PyObject *math_dist(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("dist", nargs, 2, 2))
        return NULL;
    PyObject *p = PySequence_Tuple(args[0]), *q = p != NULL ? PySequence_Tuple(args[1]) : NULL, *result = NULL;
    double room[STACK_NUMBERS], *v = room, x, y;
    if (q == NULL)
        goto done;
    Py_ssize_t n = PyTuple_GET_SIZE(p);
    if (n != PyTuple_GET_SIZE(q)) {
        PyErr_SetString(PyExc_ValueError, "both points must have the same number of dimensions");
        goto done;
    }
    v = new_vector(n, room);
    if (v == NULL)
        goto done;
    for (Py_ssize_t i = 0; i < n; i++) {
        if (math_argument(PyTuple_GET_ITEM(p, i), &x) < 0 || math_argument(PyTuple_GET_ITEM(q, i), &y) < 0)
            goto done;
        v[i] = x - y;
    }
    result = norm_of(n, v);
done:
    if (v != room)
        PyMem_Free(v);
    Py_XDECREF(p);
    Py_XDECREF(q);
    return result;
}
