/* audioop: numbers about one fragment. */
#include "samples.h"

PyObject *audioop_getsample(PyObject *module, PyObject *args)
{
    Py_buffer fragment;
    int width;
    Py_ssize_t index;
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(args, "y*in:getsample", &fragment, &width, &index))
        return NULL;
    if (audioop_check_fragment(module, &fragment, width)) {
        if (index < 0 || index >= fragment.len / width)
            audioop_fail(module, "Index out of range");
        else
            result = PyLong_FromLong(sample_get(fragment.buf, width, index));
    }
    PyBuffer_Release(&fragment);
    return result;
}

/* What one pass over a fragment finds out. */
typedef struct {
    Py_ssize_t count;
    int32_t least, greatest;            /* the ends of the range, the wrong way round, if there are no samples */
    uint32_t highest;                   /* absolute */
    double sum, sum_of_squares;
    Py_ssize_t crossings;               /* changes between negative and not; -1 without samples */
} figures_t;

static int measure(PyObject *module, PyObject *args, const char *format, figures_t *figures)
{
    Py_buffer fragment;
    int width, negative = -1;
    if (!audioop_parse(module, args, format, &fragment, &width))
        return 0;
    figures_t f = {.count = fragment.len / width, .least = INT32_MAX, .greatest = INT32_MIN, .crossings = -1};
    for (Py_ssize_t i = 0; i < f.count; i++) {
        int32_t value = sample_get(fragment.buf, width, i);
        uint32_t height = value < 0 ? -(uint32_t)value : (uint32_t)value;
        f.least = value < f.least ? value : f.least;
        f.greatest = value > f.greatest ? value : f.greatest;
        f.highest = height > f.highest ? height : f.highest;
        f.sum += value;
        f.sum_of_squares += (double)value * value;
        f.crossings += (value < 0) != negative;
        negative = value < 0;
    }
    PyBuffer_Release(&fragment);
    *figures = f;
    return 1;
}

PyObject *audioop_max(PyObject *module, PyObject *args)
{
    figures_t f;
    return measure(module, args, "y*i:max", &f) ? PyLong_FromUnsignedLong(f.highest) : NULL;
}

PyObject *audioop_minmax(PyObject *module, PyObject *args)
{
    figures_t f;
    return measure(module, args, "y*i:minmax", &f) ? Py_BuildValue("(ii)", (int)f.least, (int)f.greatest) : NULL;
}

PyObject *audioop_avg(PyObject *module, PyObject *args)
{
    figures_t f;
    if (!measure(module, args, "y*i:avg", &f))
        return NULL;
    return PyLong_FromLong(f.count == 0 ? 0 : (long)floor(f.sum / (double)f.count));
}

PyObject *audioop_rms(PyObject *module, PyObject *args)
{
    figures_t f;
    if (!measure(module, args, "y*i:rms", &f))
        return NULL;
    return PyLong_FromUnsignedLong(f.count == 0 ? 0 : (unsigned long)sqrt(f.sum_of_squares / (double)f.count));
}

PyObject *audioop_cross(PyObject *module, PyObject *args)
{
    figures_t f;
    return measure(module, args, "y*i:cross", &f) ? PyLong_FromSsize_t(f.crossings) : NULL;
}

/* ---- From peak to peak ---- */

/* The heights between one turning point and the next; the ends of the fragment are none. */
typedef struct {
    double sum;
    uint32_t greatest;
    Py_ssize_t count;
} swings_t;

static int find_swings(PyObject *module, PyObject *args, const char *format, swings_t *swings)
{
    enum { UNKNOWN, RISING, FALLING } before = UNKNOWN, now;
    Py_buffer fragment;
    int width, have_turn = 0;
    int32_t turn = 0;
    if (!audioop_parse(module, args, format, &fragment, &width))
        return 0;
    swings_t s = {0};
    int32_t last = fragment.len > 0 ? sample_get(fragment.buf, width, 0) : 0;
    for (Py_ssize_t i = 1; i < fragment.len / width; i++) {
        int32_t value = sample_get(fragment.buf, width, i);
        if (value == last)
            continue;
        now = value > last ? RISING : FALLING;
        if (before != UNKNOWN && now != before) {
            if (have_turn) {
                uint32_t height = last < turn ? (uint32_t)turn - (uint32_t)last : (uint32_t)last - (uint32_t)turn;
                s.sum += height;
                s.greatest = height > s.greatest ? height : s.greatest;
                s.count++;
            }
            have_turn = 1;
            turn = last;
        }
        last = value;
        before = now;
    }
    PyBuffer_Release(&fragment);
    *swings = s;
    return 1;
}

PyObject *audioop_avgpp(PyObject *module, PyObject *args)
{
    swings_t s;
    if (!find_swings(module, args, "y*i:avgpp", &s))
        return NULL;
    return PyLong_FromUnsignedLong(s.count == 0 ? 0 : (unsigned long)(s.sum / (double)s.count));
}

PyObject *audioop_maxpp(PyObject *module, PyObject *args)
{
    swings_t s;
    return find_swings(module, args, "y*i:maxpp", &s) ? PyLong_FromUnsignedLong(s.greatest) : NULL;
}
