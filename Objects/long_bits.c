/* int: shifts, bitwise operations, conversion from and to bytes. */
#include "long.h"

#define CHECK_INTS(a, b) \
    if (!PyLong_Check(a) || !PyLong_Check(b)) \
        Py_RETURN_NOTIMPLEMENTED

/* ---- Shifts ---- */

PyObject *long_shift_left(PyObject *op, size_t count)
{
    long_view_t v;
    long_view(op, &v);
    if (v.size == 0 || count == 0)
        return v.size == 0 ? value_from_int(0) : long_exact(op);
    if (v.size == 1 && count < 61) {
        uint64_t shifted = v.limbs[0] << count;
        if (shifted >> count == v.limbs[0] && shifted < (uint64_t)IMMEDIATE_INT_MAX)
            return value_from_int(v.negative ? -(int64_t)shifted : (int64_t)shifted);
    }
    size_t words = count / 64;
    unsigned bits = count % 64;
    if (words > LONG_MAX_LIMBS) {
        PyErr_NoMemory();
        return NULL;
    }
    PyLongObject *x = long_alloc(v.size + (mp_size_t)words + 1);
    if (x == NULL)
        return NULL;
    mp_limb_t *out = (mp_limb_t *)x->ob_limb;
    memset(out, 0, words * sizeof(mp_limb_t));
    if (bits != 0)
        out[words + (size_t)v.size] = mpn_lshift(out + words, v.limbs, v.size, bits);
    else {
        memcpy(out + words, v.limbs, (size_t)v.size * sizeof(mp_limb_t));
        out[words + (size_t)v.size] = 0;
    }
    return long_normalise(x, v.size + (mp_size_t)words + 1, v.negative);
}

PyObject *long_shift_right(PyObject *op, size_t count)
{
    int64_t n;
    if (long_get_int64(op, &n))
        return PyLong_FromLong(count > 63 ? (n < 0 ? -1 : 0) : n >> count);
    long_view_t v;
    long_view(op, &v);
    size_t words = count / 64;
    unsigned bits = count % 64;
    if (words >= (size_t)v.size)
        return value_from_int(v.negative ? -1 : 0);
    mp_size_t size = v.size - (mp_size_t)words;
    PyLongObject *x = long_alloc(size + 1);
    if (x == NULL)
        return NULL;
    mp_limb_t *out = (mp_limb_t *)x->ob_limb, lost = 0;
    if (bits != 0)
        lost = mpn_rshift(out, v.limbs + words, size, bits);
    else
        memcpy(out, v.limbs + words, (size_t)size * sizeof(mp_limb_t));
    out[size] = 0;
    if (v.negative) {           /* to the floor */
        for (size_t i = 0; i < words && lost == 0; i++)
            lost = v.limbs[i];
        if (lost != 0)
            mpn_add_1(out, out, size + 1, 1);
    }
    return long_normalise(x, size + 1, v.negative);
}

PyObject *_PyLong_Lshift(PyObject *op, size_t count) { return long_shift_left(op, count); }
PyObject *_PyLong_Rshift(PyObject *op, size_t count) { return long_shift_right(op, count); }

static int negative_shift(PyObject *count)
{
    if (!long_is_negative(count))
        return 0;
    PyErr_SetString(PyExc_ValueError, "negative shift count");
    return 1;
}

PyObject *long_lshift(PyObject *a, PyObject *b)
{
    CHECK_INTS(a, b);
    if (negative_shift(b))
        return NULL;
    if (long_is_zero(a))
        return value_from_int(0);
    long_view_t count;
    long_view(b, &count);
    if (count.size > 1) {
        PyErr_NoMemory();
        return NULL;
    }
    return long_shift_left(a, count.size == 0 ? 0 : count.limbs[0]);
}

PyObject *long_rshift(PyObject *a, PyObject *b)
{
    CHECK_INTS(a, b);
    if (negative_shift(b))
        return NULL;
    long_view_t count;
    long_view(b, &count);
    if (count.size > 1)
        return value_from_int(long_is_negative(a) ? -1 : 0);
    return long_shift_right(a, count.size == 0 ? 0 : count.limbs[0]);
}

/* ---- Bitwise operations: on the infinite two's complement ---- */

PyObject *long_invert(PyObject *op)
{
    if (value_is_int(op))
        return value_from_int(~value_get_int(op));
    PyObject *more = long_add(op, value_from_int(1));
    if (more == NULL)
        return NULL;
    PyObject *result = long_negative(more);
    Py_DECREF(more);
    return result;
}

/* Limb i of the two's complement, from the low end: *carry starts as v->negative. */
static inline mp_limb_t next_limb(const long_view_t *v, mp_size_t i, mp_limb_t *carry)
{
    mp_limb_t limb = i < v->size ? v->limbs[i] : 0;
    if (!v->negative)
        return limb;
    limb = ~limb + *carry;
    *carry = *carry && limb == 0;
    return limb;
}

/* Neither is negative: plain magnitudes. */
static inline Py_ALWAYS_INLINE PyObject *bitwise_positive(const long_view_t *x, const long_view_t *y, const char op)
{
    if (x->size < y->size) {
        const long_view_t *t = x;
        x = y;
        y = t;
    }
    mp_size_t n = op == '&' ? y->size : x->size, i = 0;
    PyLongObject *z = long_alloc(n);
    if (z == NULL)
        return NULL;
    for (; i < y->size; i++)
        z->ob_limb[i] = op == '&' ? x->limbs[i] & y->limbs[i] : op == '|' ? x->limbs[i] | y->limbs[i]
                                                                          : x->limbs[i] ^ y->limbs[i];
    for (; i < n; i++)
        z->ob_limb[i] = x->limbs[i];
    return long_normalise(z, n, 0);
}

static inline Py_ALWAYS_INLINE PyObject *bitwise(PyObject *a, PyObject *b, const char op)
{
    CHECK_INTS(a, b);
    long_view_t x, y;
    long_view(a, &x);
    long_view(b, &y);
    if (!x.negative && !y.negative)
        return bitwise_positive(&x, &y, op);
    int negative = op == '&' ? x.negative & y.negative : op == '|' ? x.negative | y.negative : x.negative ^ y.negative;
    mp_size_t n = Py_MAX(x.size, y.size);
    if (op == '&' && !x.negative && x.size < n)
        n = x.size;
    if (op == '&' && !y.negative && y.size < n)
        n = y.size;
    PyLongObject *z = long_alloc(n + 1);
    if (z == NULL)
        return NULL;
    mp_limb_t carry_x = 1, carry_y = 1;
    for (mp_size_t i = 0; i <= n; i++) {
        mp_limb_t p = next_limb(&x, i, &carry_x), q = next_limb(&y, i, &carry_y);
        z->ob_limb[i] = op == '&' ? p & q : op == '|' ? p | q : p ^ q;
    }
    if (!negative) {
        if (op == '&')
            z->ob_limb[n] = 0;
        return long_normalise(z, n + 1, 0);
    }
    mpn_neg((mp_limb_t *)z->ob_limb, (mp_limb_t *)z->ob_limb, n + 1);
    return long_normalise(z, n + 1, 1);
}

PyObject *long_and(PyObject *a, PyObject *b)
{
    if (value_both_ints(a, b))
        return (PyObject *)((uintptr_t)a & (uintptr_t)b);
    return bitwise(a, b, '&');
}

PyObject *long_or(PyObject *a, PyObject *b)
{
    if (value_both_ints(a, b))
        return (PyObject *)((uintptr_t)a | (uintptr_t)b);
    return bitwise(a, b, '|');
}

PyObject *long_xor(PyObject *a, PyObject *b)
{
    if (value_both_ints(a, b))
        return value_from_int(value_get_int(a) ^ value_get_int(b));
    return bitwise(a, b, '^');
}

/* ---- Bytes ---- */

PyObject *_PyLong_FromByteArray(const unsigned char *bytes, size_t n, int little_endian, int is_signed)
{
    if (n == 0)
        return value_from_int(0);
    int negative = is_signed && (bytes[little_endian ? n - 1 : 0] & 0x80) != 0;
    mp_size_t limbs = (mp_size_t)((n + 7) / 8);
    PyLongObject *x = long_alloc(limbs);
    if (x == NULL)
        return NULL;
    for (mp_size_t i = 0; i < limbs; i++) {
        mp_limb_t limb = 0;
        for (size_t j = 0; j < 8; j++) {
            size_t at = (size_t)i * 8 + j;
            mp_limb_t byte = at < n ? bytes[little_endian ? at : n - 1 - at] : negative ? 0xff : 0;
            limb |= byte << (8 * j);
        }
        x->ob_limb[i] = limb;
    }
    if (negative)
        mpn_neg((mp_limb_t *)x->ob_limb, (mp_limb_t *)x->ob_limb, limbs);
    return long_normalise(x, limbs, negative);
}

int _PyLong_AsByteArray(PyLongObject *op, unsigned char *bytes, size_t n, int little_endian, int is_signed)
{
    long_view_t v;
    long_view(op, &v);
    if (v.negative && !is_signed) {
        PyErr_SetString(PyExc_OverflowError, "can't convert negative int to unsigned");
        return -1;
    }
    mp_limb_t carry = 1, limb = 0;
    for (size_t i = 0; i < n; i++) {
        if (i % 8 == 0)
            limb = next_limb(&v, (mp_size_t)(i / 8), &carry);
        bytes[little_endian ? i : n - 1 - i] = (unsigned char)(limb >> (8 * (i % 8)));
    }
    /* It fits if the magnitude (for negative ones, less one) has no more bits than there are, but for the sign's. */
    size_t bits = _PyLong_NumBits((PyObject *)op);
    if (v.negative) {
        size_t zeros = (size_t)mpn_scan1(v.limbs, 0);
        bits -= zeros == bits - 1;
    }
    if (bits + (is_signed != 0) > n * 8 && !(n == 0 && v.size == 0)) {
        PyErr_SetString(PyExc_OverflowError, "int too big to convert");
        return -1;
    }
    return 0;
}
