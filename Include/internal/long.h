/* The inside of int.
 *
 * An int is looked at through a view: sign and limbs, wherever they are.  Results are made in a fresh PyLongObject and
 * pass long_normalise, which turns what fits 62 bits into an immediate.  Objects never change after that. */
#ifndef BRAID_LONG_H
#define BRAID_LONG_H

#include <gmp.h>
#include "Python.h"

_Static_assert(sizeof(mp_limb_t) == 8 && GMP_NUMB_BITS == 64, "limbs are 64 bits");

/* Digits that conversions between int and decimal str may have at most; 0: any number. [atomic]
 * For sys.set_int_max_str_digits. */
extern int long_max_str_digits;
#define LONG_MAX_STR_DIGITS_DEFAULT 4300
#define LONG_MAX_STR_DIGITS_THRESHOLD 640

/* GMP counts limbs with an int. */
#define LONG_MAX_LIMBS (INT_MAX - 1024)

/* A value as sign and magnitude.  Must not move after long_view (limbs may point into it); keeps no reference. */
typedef struct {
    const mp_limb_t *limbs;     /* size of them, the top one not 0 */
    mp_size_t size;
    int negative;
    mp_limb_t small;
} long_view_t;

/* op is an int. */
static inline Py_ALWAYS_INLINE void long_view(const void *op, long_view_t *v)
{
    if (value_is_int(op)) {
        int64_t n = value_get_int(op);
        v->negative = n < 0;
        v->small = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
        v->limbs = &v->small;
        v->size = n != 0;
    }
    else {
        const PyLongObject *x = (const PyLongObject *)op;
        Py_ssize_t size = Py_SIZE(x);
        v->negative = size < 0;
        v->size = size < 0 ? -size : size;
        v->limbs = (const mp_limb_t *)x->ob_limb;
    }
}
/* As a read-only GMP number that borrows the limbs. */
static inline mpz_srcptr long_view_mpz(const long_view_t *v, mpz_t z)
{
    return mpz_roinit_n(z, v->limbs, v->negative ? -v->size : v->size);
}
static inline int long_is_negative(const void *op)
{
    return value_is_int(op) ? value_get_int(op) < 0 : Py_SIZE(op) < 0;
}
static inline int long_is_zero(const void *op) { return value_is_int(op) ? value_get_int(op) == 0 : Py_SIZE(op) == 0; }
/* *n = the value if it fits. */
static inline int long_get_int64(const void *op, int64_t *n)
{
    if (Py_LIKELY(value_is_int(op))) {
        *n = value_get_int(op);
        return 1;
    }
    Py_ssize_t size = Py_SIZE(op);
    if (size == 0) {
        *n = 0;
        return 1;
    }
    uint64_t limb = ((const PyLongObject *)op)->ob_limb[0];
    if (size == 1 && limb <= INT64_MAX) {
        *n = (int64_t)limb;
        return 1;
    }
    if (size == -1 && limb <= (uint64_t)1 << 63) {
        *n = (int64_t)(0 - limb);
        return 1;
    }
    return 0;
}

/* Uninitialised room for n limbs, which only the caller knows; NULL with MemoryError. */
PyLongObject *long_alloc(mp_size_t n);
/* Drops leading zero limbs (n limbs are filled) and gives the value its sign.
 * Steals   x
 * Returns  the int, possibly immediate; never fails */
PyObject *long_normalise(PyLongObject *x, mp_size_t n, int negative);
PyObject *long_from_limbs(const mp_limb_t *limbs, mp_size_t n, int negative);
PyObject *long_from_mpz(mpz_srcptr z);
/* MemoryError if results of this many limbs are out of reach.  0 or -1 */
int long_check_room(size_t limbs);
/* gmp_guarded for a computation whose operands have so many limbs together; SIZE_MAX: in any case.  0, or -1 with
 * MemoryError */
int long_guarded(size_t limbs, void (*work)(void *data), void *data);
/* The same for what leaves its only result in an mpz_t, which data begins with: made an int and cleared, or NULL. */
PyObject *long_compute(size_t limbs, void (*work)(void *data), void *data);
/* function(result, a, b) as an int. */
typedef void mpz_binary_t(mpz_ptr result, mpz_srcptr a, mpz_srcptr b);
PyObject *long_compute_pair(PyObject *a, PyObject *b, mpz_binary_t *function);

/* ---- Arithmetic on ints (also instances of subclasses and bool); new references ---- */

PyObject *long_add(PyObject *a, PyObject *b);
PyObject *long_subtract(PyObject *a, PyObject *b);
PyObject *long_multiply(PyObject *a, PyObject *b);
PyObject *long_floor_divide(PyObject *a, PyObject *b);
PyObject *long_remainder(PyObject *a, PyObject *b);
/* Either result may be NULL if not wanted.  0 or -1 */
int long_divmod(PyObject *a, PyObject *b, PyObject **quotient, PyObject **remainder);
PyObject *long_true_divide(PyObject *a, PyObject *b);
/* modulus may be None. */
PyObject *long_power(PyObject *a, PyObject *b, PyObject *modulus);
PyObject *long_negative(PyObject *op);
PyObject *long_absolute(PyObject *op);
PyObject *long_invert(PyObject *op);
PyObject *long_lshift(PyObject *a, PyObject *b);
PyObject *long_rshift(PyObject *a, PyObject *b);
PyObject *long_and(PyObject *a, PyObject *b);
PyObject *long_or(PyObject *a, PyObject *b);
PyObject *long_xor(PyObject *a, PyObject *b);
PyObject *long_shift_left(PyObject *op, size_t count);
PyObject *long_shift_right(PyObject *op, size_t count);
/* An exact int of the same value: a new reference. */
PyObject *long_exact(PyObject *op);

/* -1, 0, 1; never fails, never escapes. */
int long_compare(PyObject *a, PyObject *b);
PyObject *long_richcompare(PyObject *a, PyObject *b, int op);
Py_hash_t long_hash(PyObject *op);
static inline Py_hash_t long_hash_immediate(PyObject *op)
{
    int64_t n = value_get_int(op);
    const int64_t modulus = ((int64_t)1 << 61) - 1;
    if (Py_UNLIKELY(n >= modulus || n <= -modulus))
        n = n >= modulus ? n - modulus : n + modulus;
    return n == -1 ? -2 : n;
}

/* ---- Text ---- */

PyObject *long_repr(PyObject *op);
/* "invalid literal for int() with base 10: '...'" */
void long_invalid_literal(PyObject *text, int base);

/* ---- Between the files of int ---- */

extern PyMethodDef long_methods[];
PyObject *long_new(PyTypeObject *type, PyObject *args, PyObject *kwds);
PyObject *long_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames);

#endif /* BRAID_LONG_H */
