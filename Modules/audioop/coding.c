/* audioop: samples in fewer bits: u-law and A-law (G.711), and the ADPCM of Intel and DVI. */
#include "samples.h"

/* ---- G.711: a sign, three bits for the size, four bits of it ---- */

/* Which of eight ranges, each twice as long as the one before, holds a number whose first range ends at 1 << bits? 8: none. */
static int find_range(int value, int bits)
{
    int range = 0;
    while (range < 8 && value >= 1 << (bits + range))
        range++;
    return range;
}

static unsigned char to_ulaw(int value)
{
    value >>= 2;
    int inverted = value < 0 ? 0x7F : 0xFF;
    if (value < 0)
        value = -value;
    value = (value < 8159 ? value : 8159) + 33;
    int range = find_range(value, 6);
    return (unsigned char)((range > 7 ? 0x7F : range << 4 | (value >> (range + 1) & 15)) ^ inverted);
}

static int from_ulaw(unsigned char code)
{
    code = (unsigned char)~code;
    int value = (((code & 15) << 3) + 132) << (code >> 4 & 7);
    return code & 0x80 ? 132 - value : value - 132;
}

static unsigned char to_alaw(int value)
{
    value >>= 3;
    int inverted = value < 0 ? 0x55 : 0xD5;
    if (value < 0)
        value = -value - 1;
    int range = find_range(value, 5);
    return (unsigned char)((range > 7 ? 0x7F : range << 4 | (value >> (range < 2 ? 1 : range) & 15)) ^ inverted);
}

static int from_alaw(unsigned char code)
{
    code ^= 0x55;
    int range = code >> 4 & 7, value = ((code & 15) << 4) + 8;
    if (range > 0)
        value = (value + 256) << (range - 1);
    return code & 0x80 ? value : -value;
}

static PyObject *encode(PyObject *module, PyObject *args, const char *format, unsigned char (*code_of)(int value))
{
    Py_buffer in;
    int width;
    if (!audioop_parse(module, args, format, &in, &width))
        return NULL;
    PyObject *out = PyBytes_FromStringAndSize(NULL, in.len / width);
    for (Py_ssize_t i = 0; i < in.len / width && out != NULL; i++)
        PyBytes_AS_STRING(out)[i] = (char)code_of(sample_get_wide(in.buf, width, i) >> 16);
    PyBuffer_Release(&in);
    return out;
}

static PyObject *decode(PyObject *module, PyObject *args, const char *format, int (*value_of)(unsigned char code))
{
    Py_buffer in;
    int width;
    PyObject *out = NULL;
    if (!PyArg_ParseTuple(args, format, &in, &width))
        return NULL;
    if (audioop_check_width(module, width)) {
        if (in.len > PY_SSIZE_T_MAX / width)
            PyErr_NoMemory();
        else if ((out = PyBytes_FromStringAndSize(NULL, in.len * width)) != NULL)
            for (Py_ssize_t i = 0; i < in.len; i++)
                sample_put_wide(PyBytes_AS_STRING(out), width, i, value_of(((unsigned char *)in.buf)[i]) * 65536);
    }
    PyBuffer_Release(&in);
    return out;
}

PyObject *audioop_lin2ulaw(PyObject *module, PyObject *args) { return encode(module, args, "y*i:lin2ulaw", to_ulaw); }
PyObject *audioop_ulaw2lin(PyObject *module, PyObject *args) { return decode(module, args, "y*i:ulaw2lin", from_ulaw); }
PyObject *audioop_lin2alaw(PyObject *module, PyObject *args) { return encode(module, args, "y*i:lin2alaw", to_alaw); }
PyObject *audioop_alaw2lin(PyObject *module, PyObject *args) { return decode(module, args, "y*i:alaw2lin", from_alaw); }

/* ---- ADPCM: four bits tell how the next sample differs from what was expected ---- */

/* Each step is a tenth larger than the one before. */
static const int16_t steps[] = {
    7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66, 73, 80, 88, 97, 107, 118, 130, 143,
    157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449, 494, 544, 598, 658, 724, 796, 876, 963, 1060, 1166, 1282, 1411,
    1552, 1707, 1878, 2066, 2272, 2499, 2749, 3024, 3327, 3660, 4026, 4428, 4871, 5358, 5894, 6484, 7132, 7845, 8630, 9493, 10442,
    11487, 12635, 13899, 15289, 16818, 18500, 20350, 22385, 24623, 27086, 29794, 32767,
};

typedef struct {
    int expected;       /* the sample before, as the receiver knows it: 16 bits */
    int index;          /* into steps */
} adpcm_t;

static int read_state(PyObject *state, const char *format, adpcm_t *adpcm)
{
    *adpcm = (adpcm_t){0, 0};
    if (state == Py_None)
        return 1;
    if (!PyTuple_Check(state)) {
        PyErr_SetString(PyExc_TypeError, "state must be a tuple or None");
        return 0;
    }
    if (!PyArg_ParseTuple(state, format, &adpcm->expected, &adpcm->index))
        return 0;
    if (adpcm->expected >= -0x8000 && adpcm->expected < 0x8000 && adpcm->index >= 0
        && adpcm->index < (int)Py_ARRAY_LENGTH(steps))
        return 1;
    PyErr_SetString(PyExc_ValueError, "bad state");
    return 0;
}

/* Both sides follow the four bits in the same way. */
static void follow(adpcm_t *adpcm, int code)
{
    static const signed char moves[] = {-1, -1, -1, -1, 2, 4, 6, 8};
    int step = steps[adpcm->index];
    int difference = (step >> 3) + (code & 4 ? step : 0) + (code & 2 ? step >> 1 : 0) + (code & 1 ? step >> 2 : 0);
    int value = adpcm->expected + (code & 8 ? -difference : difference);
    int index = adpcm->index + moves[code & 7], last = (int)Py_ARRAY_LENGTH(steps) - 1;
    adpcm->expected = value > 0x7FFF ? 0x7FFF : value < -0x8000 ? -0x8000 : value;
    adpcm->index = index < 0 ? 0 : index > last ? last : index;
}

static int choose_code(const adpcm_t *adpcm, int value)
{
    int step = steps[adpcm->index], difference = value - adpcm->expected, code = 0;
    if (difference < 0) {
        code = 8;
        difference = -difference;
    }
    for (int bit = 4; bit != 0; bit >>= 1, step >>= 1)
        if (difference >= step) {
            code |= bit;
            difference -= step;
        }
    return code;
}

static PyObject *with_state(PyObject *out, const adpcm_t *adpcm)
{
    return out != NULL ? Py_BuildValue("(N(ii))", out, adpcm->expected, adpcm->index) : NULL;
}

PyObject *audioop_lin2adpcm(PyObject *module, PyObject *args)
{
    Py_buffer in;
    int width;
    PyObject *state, *out = NULL;
    adpcm_t adpcm = {0, 0};
    if (!PyArg_ParseTuple(args, "y*iO:lin2adpcm", &in, &width, &state))
        return NULL;
    if (audioop_check_fragment(module, &in, width) && read_state(state, "ii;lin2adpcm(): illegal state argument", &adpcm)
        && (out = PyBytes_FromStringAndSize(NULL, in.len / (2 * width))) != NULL)
        for (Py_ssize_t i = 0, n = in.len / width, high = 0; i < n; i++) {
            int code = choose_code(&adpcm, sample_get_wide(in.buf, width, i) >> 16);
            follow(&adpcm, code);
            if (i % 2 == 0)
                high = code << 4;
            else
                PyBytes_AS_STRING(out)[i / 2] = (char)(high | code);
        }
    PyBuffer_Release(&in);
    return with_state(out, &adpcm);
}

PyObject *audioop_adpcm2lin(PyObject *module, PyObject *args)
{
    Py_buffer in;
    int width;
    PyObject *state, *out = NULL;
    adpcm_t adpcm = {0, 0};
    if (!PyArg_ParseTuple(args, "y*iO:adpcm2lin", &in, &width, &state))
        return NULL;
    if (audioop_check_width(module, width) && read_state(state, "ii;adpcm2lin(): illegal state argument", &adpcm)) {
        if (in.len > PY_SSIZE_T_MAX / 2 / width)
            PyErr_NoMemory();
        else if ((out = PyBytes_FromStringAndSize(NULL, in.len * 2 * width)) != NULL)
            for (Py_ssize_t i = 0; i < 2 * in.len; i++) {
                unsigned char pair = ((unsigned char *)in.buf)[i / 2];
                follow(&adpcm, i % 2 == 0 ? pair >> 4 : pair & 15);
                sample_put_wide(PyBytes_AS_STRING(out), width, i, adpcm.expected * 65536);
            }
    }
    PyBuffer_Release(&in);
    return with_state(out, &adpcm);
}
