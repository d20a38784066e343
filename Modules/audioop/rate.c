/* audioop: ratecv, a fragment at another frame rate, by linear interpolation after a simple filter. */
#include "samples.h"

#include <limits.h>

/* Times are counted in units of which a frame that comes in takes out_rate and one that goes out takes in_rate: `lag` is how far the
 * frames taken in so far reach beyond the next one that goes out. */
typedef struct {
    int width, channels, in_rate, out_rate, weight_a, weight_b;
    int64_t lag;
    int *before, *now;          /* of each channel: the filtered sample before, and the last one, 32 bits wide */
} converter_t;

/* Bytes under construction. */
typedef struct {
    char *data;
    Py_ssize_t used, room;
} output_t;

static int64_t common_divisor(int64_t a, int64_t b)
{
    while (b != 0) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static int check_arguments(PyObject *module, const converter_t *c)
{
    if (!audioop_check_width(module, c->width))
        return 0;
    if (c->channels < 1)
        return audioop_fail(module, "# of channels should be >= 1") != NULL;
    if (c->width > INT_MAX / c->channels) {
        PyErr_SetString(PyExc_OverflowError, "width * nchannels too big for a C int");
        return 0;
    }
    if (c->weight_a < 1 || c->weight_b < 0)
        return audioop_fail(module, "weightA should be >= 1, weightB should be >= 0") != NULL;
    return 1;
}

static int read_state(PyObject *module, PyObject *state, converter_t *c)
{
    int lag;
    PyObject *samples;
    if (state == Py_None) {
        c->lag = -(int64_t)c->out_rate;
        return 1;
    }
    if (!PyTuple_Check(state)) {
        PyErr_SetString(PyExc_TypeError, "state must be a tuple or None");
        return 0;
    }
    if (!PyArg_ParseTuple(state, "iO!;ratecv(): illegal state argument", &lag, &PyTuple_Type, &samples))
        return 0;
    c->lag = lag;
    if (PyTuple_GET_SIZE(samples) != c->channels)
        return audioop_fail(module, "illegal state argument") != NULL;
    for (int i = 0; i < c->channels; i++) {
        PyObject *pair = PyTuple_GET_ITEM(samples, i);
        if (!PyTuple_Check(pair)) {
            PyErr_SetString(PyExc_TypeError, "ratecv(): illegal state argument");
            return 0;
        }
        if (!PyArg_ParseTuple(pair, "ii;ratecv(): illegal state argument", &c->before[i], &c->now[i]))
            return 0;
    }
    return 1;
}

static PyObject *write_state(const converter_t *c)
{
    PyObject *samples = PyTuple_New(c->channels);
    for (int i = 0; i < c->channels && samples != NULL; i++) {
        PyObject *pair = Py_BuildValue("(ii)", c->before[i], c->now[i]);
        if (pair == NULL)
            Py_CLEAR(samples);
        else
            PyTuple_SET_ITEM(samples, i, pair);
    }
    return samples != NULL ? Py_BuildValue("(LN)", (long long)c->lag, samples) : NULL;
}

static void take_frame(converter_t *c, const char *frame)
{
    for (int i = 0; i < c->channels; i++) {
        c->before[i] = c->now[i];
        double filtered = (double)c->weight_a * sample_get_wide(frame, c->width, i) + (double)c->weight_b * c->before[i];
        c->now[i] = (int)(filtered / ((double)c->weight_a + c->weight_b));
    }
    c->lag += c->out_rate;
}

static int give_frame(converter_t *c, output_t *out)
{
    Py_ssize_t bytes = (Py_ssize_t)c->width * c->channels;
    if (out->room - out->used < bytes) {
        Py_ssize_t room = out->room + out->room / 2 + 64 * bytes;
        char *data = PyMem_Realloc(out->data, (size_t)room);
        if (data == NULL) {
            PyErr_NoMemory();
            return 0;
        }
        out->data = data;
        out->room = room;
    }
    for (int i = 0; i < c->channels; i++) {
        double value = (double)c->before[i] * (double)c->lag + (double)c->now[i] * ((double)c->out_rate - (double)c->lag);
        sample_put_wide(out->data + out->used, c->width, i, (int)(value / c->out_rate));
    }
    out->used += bytes;
    c->lag -= c->in_rate;
    return 1;
}

static PyObject *convert(converter_t *c, const Py_buffer *in)
{
    output_t out = {0};
    Py_ssize_t bytes = (Py_ssize_t)c->width * c->channels, at = 0;
    PyObject *result = NULL, *state;
    for (;;) {
        for (; c->lag < 0 && at < in->len; at += bytes)
            take_frame(c, (const char *)in->buf + at);
        if (c->lag < 0)
            break;
        while (c->lag >= 0)
            if (!give_frame(c, &out))
                goto done;
    }
    state = write_state(c);
    if (state != NULL)
        result = Py_BuildValue("(y#N)", out.data != NULL ? out.data : "", out.used, state);
done:
    PyMem_Free(out.data);
    return result;
}

PyObject *audioop_ratecv(PyObject *module, PyObject *args)
{
    Py_buffer in;
    converter_t c = {.weight_a = 1};
    PyObject *state, *result = NULL;
    if (!PyArg_ParseTuple(args, "y*iiiiO|ii:ratecv", &in, &c.width, &c.channels, &c.in_rate, &c.out_rate, &state, &c.weight_a,
                          &c.weight_b))
        return NULL;
    if (!check_arguments(module, &c))
        goto done;
    if (in.len % ((Py_ssize_t)c.width * c.channels) != 0) {
        audioop_fail(module, "not a whole number of frames");
        goto done;
    }
    if (c.in_rate <= 0 || c.out_rate <= 0) {
        audioop_fail(module, "sampling rate not > 0");
        goto done;
    }
    int rates = (int)common_divisor(c.in_rate, c.out_rate), weights = (int)common_divisor(c.weight_a, c.weight_b);
    c.in_rate /= rates;
    c.out_rate /= rates;
    c.weight_a /= weights;
    c.weight_b /= weights;
    c.before = PyMem_Calloc((size_t)c.channels, sizeof(int));
    c.now = PyMem_Calloc((size_t)c.channels, sizeof(int));
    if (c.before == NULL || c.now == NULL)
        PyErr_NoMemory();
    else if (read_state(module, state, &c))
        result = convert(&c, &in);
done:
    PyMem_Free(c.before);
    PyMem_Free(c.now);
    PyBuffer_Release(&in);
    return result;
}
