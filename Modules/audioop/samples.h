/* Samples: signed numbers of 1, 2, 3 or 4 bytes in the machine's order, and fragments, which are rows of them. */
#ifndef BRAID_AUDIOOP_SAMPLES_H
#define BRAID_AUDIOOP_SAMPLES_H

#define PY_SSIZE_T_CLEAN
#include "module.h"

#include <math.h>

static inline int32_t sample_maximum(int width) { return (int32_t)(0x7FFFFFFFu >> (32 - 8 * width)); }
static inline int32_t sample_minimum(int width) { return -sample_maximum(width) - 1; }

/* The 24 bits of a sample of three bytes, little-endian. */
static inline Py_ALWAYS_INLINE int32_t sample_get(const void *fragment, int width, Py_ssize_t i)
{
    const unsigned char *at = (const unsigned char *)fragment + i * width;
    int16_t two;
    int32_t four;
    switch (width) {
    case 1: return (signed char)*at;
    case 2: memcpy(&two, at, sizeof(two)); return two;
    case 3: return (int32_t)((uint32_t)at[0] << 8 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 24) >> 8;
    default: memcpy(&four, at, sizeof(four)); return four;
    }
}

/* Stores the low bytes of value. */
static inline Py_ALWAYS_INLINE void sample_put(void *fragment, int width, Py_ssize_t i, int32_t value)
{
    unsigned char *at = (unsigned char *)fragment + i * width;
    int16_t two = (int16_t)value;
    switch (width) {
    case 1: *at = (unsigned char)value; break;
    case 2: memcpy(at, &two, sizeof(two)); break;
    case 3:
        at[0] = (unsigned char)value;
        at[1] = (unsigned char)((uint32_t)value >> 8);
        at[2] = (unsigned char)((uint32_t)value >> 16);
        break;
    default: memcpy(at, &value, sizeof(value)); break;
    }
}

/* The same with the highest bits first in 32: what does not depend on the width is done with these. */
static inline int32_t sample_get_wide(const void *fragment, int width, Py_ssize_t i)
{
    return (int32_t)((uint32_t)sample_get(fragment, width, i) << (32 - 8 * width));
}
static inline void sample_put_wide(void *fragment, int width, Py_ssize_t i, int32_t value)
{
    sample_put(fragment, width, i, value >> (32 - 8 * width));
}

/* A number as a sample: clipped, then rounded down. */
static inline int32_t sample_clip(double value, int width)
{
    if (value > sample_maximum(width))
        return sample_maximum(width);
    if (!(value >= sample_minimum(width) + 1.0))
        return isnan(value) ? INT32_MIN : sample_minimum(width);
    return (int32_t)floor(value);
}

/* ---- Arguments ---- */

/* Sets the module's own exception.  Returns NULL */
void *audioop_fail(PyObject *module, const char *message);
/* Is the width one of the four? And: do the fragment's bytes come to whole samples? 1, or 0 with audioop.error. */
int audioop_check_width(PyObject *module, int width);
int audioop_check_fragment(PyObject *module, const Py_buffer *fragment, int width);

/* Parses (fragment, width) into *fragment and *width and checks both. 1: the caller releases the buffer; or 0. */
int audioop_parse(PyObject *module, PyObject *args, const char *format, Py_buffer *fragment, int *width);

/* ---- The functions by file; tables of methods are put together in audioopmodule.c ---- */

#define AUDIOOP_FUNCTION(name) PyObject *audioop_##name(PyObject *module, PyObject *args)
AUDIOOP_FUNCTION(getsample);
AUDIOOP_FUNCTION(max);
AUDIOOP_FUNCTION(minmax);
AUDIOOP_FUNCTION(avg);
AUDIOOP_FUNCTION(rms);
AUDIOOP_FUNCTION(avgpp);
AUDIOOP_FUNCTION(maxpp);
AUDIOOP_FUNCTION(cross);
AUDIOOP_FUNCTION(findfit);
AUDIOOP_FUNCTION(findfactor);
AUDIOOP_FUNCTION(findmax);
AUDIOOP_FUNCTION(mul);
AUDIOOP_FUNCTION(add);
AUDIOOP_FUNCTION(bias);
AUDIOOP_FUNCTION(tomono);
AUDIOOP_FUNCTION(tostereo);
AUDIOOP_FUNCTION(reverse);
AUDIOOP_FUNCTION(byteswap);
AUDIOOP_FUNCTION(lin2lin);
AUDIOOP_FUNCTION(lin2ulaw);
AUDIOOP_FUNCTION(ulaw2lin);
AUDIOOP_FUNCTION(lin2alaw);
AUDIOOP_FUNCTION(alaw2lin);
AUDIOOP_FUNCTION(lin2adpcm);
AUDIOOP_FUNCTION(adpcm2lin);
AUDIOOP_FUNCTION(ratecv);

#endif /* BRAID_AUDIOOP_SAMPLES_H */
