/* audioop: where a fragment of 16-bit samples resembles another, or is loudest. */
#include "samples.h"

static double value_at(const void *fragment, Py_ssize_t i) { return sample_get(fragment, 2, i); }

/* The sum of the products of n samples of each. */
static double products(const char *a, const char *b, Py_ssize_t n)
{
    double sum = 0;
    for (Py_ssize_t i = 0; i < n; i++)
        sum += value_at(a, i) * value_at(b, i);
    return sum;
}

/* Of the sum of squares of `length` samples, moved on by one sample to `from`. */
static double moved_on(double squares, const char *fragment, Py_ssize_t from, Py_ssize_t length)
{
    double out = value_at(fragment, from - 1), in = value_at(fragment, from + length - 1);
    return squares + in * in - out * out;
}

PyObject *audioop_findfit(PyObject *module, PyObject *args)
{
    Py_buffer whole, part;
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(args, "y*y*:findfit", &whole, &part))
        return NULL;
    if ((whole.len & 1) || (part.len & 1))
        audioop_fail(module, "Strings should be even-sized");
    else if (whole.len < part.len)
        audioop_fail(module, "First sample should be longer");
    else {
        /* What is left of the squares of the window once the part, times the best factor, has been taken away, is smallest. */
        const char *a = whole.buf, *b = part.buf;
        Py_ssize_t n = part.len / 2, best = 0;
        double own = products(b, b, n), squares = products(a, a, n), least = 0;
        for (Py_ssize_t i = 0; i <= whole.len / 2 - n; i++) {
            if (i > 0)
                squares = moved_on(squares, a, i, n);
            double both = products(a + 2 * i, b, n), rest = (own * squares - both * both) / squares;
            if (i == 0 || rest < least) {
                least = rest;
                best = i;
            }
        }
        result = Py_BuildValue("(nd)", best, products(a + 2 * best, b, n) / own);
    }
    PyBuffer_Release(&whole);
    PyBuffer_Release(&part);
    return result;
}

PyObject *audioop_findfactor(PyObject *module, PyObject *args)
{
    Py_buffer fragment, reference;
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(args, "y*y*:findfactor", &fragment, &reference))
        return NULL;
    if ((fragment.len & 1) || (reference.len & 1))
        audioop_fail(module, "Strings should be even-sized");
    else if (fragment.len != reference.len)
        audioop_fail(module, "Samples should be same size");
    else {
        Py_ssize_t n = fragment.len / 2;
        result = PyFloat_FromDouble(products(fragment.buf, reference.buf, n) / products(reference.buf, reference.buf, n));
    }
    PyBuffer_Release(&fragment);
    PyBuffer_Release(&reference);
    return result;
}

PyObject *audioop_findmax(PyObject *module, PyObject *args)
{
    Py_buffer fragment;
    Py_ssize_t length;
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(args, "y*n:findmax", &fragment, &length))
        return NULL;
    if (fragment.len & 1)
        audioop_fail(module, "Strings should be even-sized");
    else if (length < 0 || fragment.len / 2 < length)
        audioop_fail(module, "Input sample should be longer");
    else {
        double squares = products(fragment.buf, fragment.buf, length), most = squares;
        Py_ssize_t best = 0;
        for (Py_ssize_t i = 1; i <= fragment.len / 2 - length && length > 0; i++) {
            squares = moved_on(squares, fragment.buf, i, length);
            if (squares > most) {
                most = squares;
                best = i;
            }
        }
        result = PyLong_FromSsize_t(best);
    }
    PyBuffer_Release(&fragment);
    return result;
}
