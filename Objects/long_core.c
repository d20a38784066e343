/* int: making objects, conversion from and to C numbers, comparison, hash. */
#include "gmp_guard.h"
#include "long.h"
#include "float_internal.h"
#include "object_malloc.h"

/* ---- Making ints ---- */

PyLongObject *long_alloc(mp_size_t n)
{
    if (n > LONG_MAX_LIMBS) {
        PyErr_NoMemory();
        return NULL;
    }
    PyLongObject *x = object_malloc(offsetof(PyLongObject, ob_limb) + (size_t)(n > 0 ? n : 1) * sizeof(mp_limb_t));
    if (Py_UNLIKELY(x == NULL)) {
        PyErr_NoMemory();
        return NULL;
    }
    object_header_init((PyObject *)x, &PyLong_Type, 0);
    Py_SET_SIZE(x, n);
    return x;
}

PyObject *long_normalise(PyLongObject *x, mp_size_t n, int negative)
{
    while (n > 0 && x->ob_limb[n - 1] == 0)
        n--;
    if (n <= 1) {
        uint64_t limb = n == 0 ? 0 : x->ob_limb[0];
        if (limb <= (uint64_t)IMMEDIATE_INT_MAX - !negative) {
            Py_DECREF(x);
            return value_from_int(negative ? (int64_t)(0 - limb) : (int64_t)limb);
        }
    }
    Py_SET_SIZE(x, negative ? -n : n);
    return (PyObject *)x;
}

PyObject *long_from_limbs(const mp_limb_t *limbs, mp_size_t n, int negative)
{
    while (n > 0 && limbs[n - 1] == 0)
        n--;
    if (n <= 1) {
        uint64_t limb = n == 0 ? 0 : limbs[0];
        if (limb <= (uint64_t)IMMEDIATE_INT_MAX - !negative)
            return value_from_int(negative ? (int64_t)(0 - limb) : (int64_t)limb);
    }
    PyLongObject *x = long_alloc(n);
    if (x == NULL)
        return NULL;
    memcpy(x->ob_limb, limbs, (size_t)n * sizeof(mp_limb_t));
    Py_SET_SIZE(x, negative ? -n : n);
    return (PyObject *)x;
}

PyObject *long_from_mpz(mpz_srcptr z) { return long_from_limbs(mpz_limbs_read(z), (mp_size_t)mpz_size(z), mpz_sgn(z) < 0); }

int long_check_room(size_t limbs)
{
    if (limbs <= LONG_MAX_LIMBS)
        return 0;
    PyErr_NoMemory();
    return -1;
}

int long_guarded(size_t limbs, void (*work)(void *data), void *data)
{
    if (limbs <= GMP_SMALL_LIMBS) {
        work(data);
        return 0;
    }
    if (gmp_guarded(work, data) == 0)
        return 0;
    PyErr_NoMemory();
    return -1;
}

PyObject *long_compute(size_t limbs, void (*work)(void *data), void *data)
{
    __mpz_struct *result = data;
    mpz_init(result);
    if (long_guarded(limbs, work, data) < 0)
        return NULL;
    PyObject *made = long_from_mpz(result);
    mpz_clear(result);
    return made;
}

PyObject *long_exact(PyObject *op)
{
    if (PyLong_CheckExact(op))
        return Py_NewRef(op);
    long_view_t v;
    long_view(op, &v);
    return long_from_limbs(v.limbs, v.size, v.negative);
}

PyObject *_PyLong_Copy(PyLongObject *op)
{
    long_view_t v;
    long_view(op, &v);
    return long_from_limbs(v.limbs, v.size, v.negative);
}

/* ---- From C numbers ---- */

PyObject *PyLong_FromInt64(int64_t n)
{
    if (value_fits_int(n))
        return value_from_int(n);
    mp_limb_t limb = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
    return long_from_limbs(&limb, 1, n < 0);
}

PyObject *PyLong_FromUInt64(uint64_t n)
{
    mp_limb_t limb = n;
    return long_from_limbs(&limb, 1, 0);
}

PyObject *(PyLong_FromLong)(long n) { return PyLong_FromInt64(n); }
PyObject *(PyLong_FromLongLong)(long long n) { return PyLong_FromInt64(n); }
PyObject *(PyLong_FromSsize_t)(Py_ssize_t n) { return PyLong_FromInt64(n); }
PyObject *(PyLong_FromInt32)(int32_t n) { return value_from_int(n); }
PyObject *(PyLong_FromUInt32)(uint32_t n) { return value_from_int(n); }
PyObject *(PyLong_FromUnsignedLong)(unsigned long n) { return PyLong_FromUInt64(n); }
PyObject *(PyLong_FromUnsignedLongLong)(unsigned long long n) { return PyLong_FromUInt64(n); }
PyObject *(PyLong_FromSize_t)(size_t n) { return PyLong_FromUInt64(n); }
PyObject *PyLong_FromVoidPtr(void *p) { return PyLong_FromUInt64((uintptr_t)p); }

PyObject *PyLong_FromDouble(double d)
{
    if (d > -2305843009213693952.0 && d < 2305843009213693952.0)
        return value_from_int((int64_t)d);
    if (isinf(d)) {
        PyErr_SetString(PyExc_OverflowError, "cannot convert float infinity to integer");
        return NULL;
    }
    if (isnan(d)) {
        PyErr_SetString(PyExc_ValueError, "cannot convert float NaN to integer");
        return NULL;
    }
    int exponent;
    double fraction = frexp(fabs(d), &exponent);        /* exponent >= 62 */
    uint64_t mantissa = (uint64_t)ldexp(fraction, 64);
    mp_size_t n = (exponent + 63) / 64;
    mp_limb_t limbs[18] = {0};
    int shift = (int)(n * 64 - exponent);
    limbs[n - 1] = mantissa >> shift;
    if (shift != 0 && n > 1)
        limbs[n - 2] = mantissa << (64 - shift);
    return long_from_limbs(limbs, n, d < 0);
}

/* ---- To C numbers ---- */

/* op itself or its __index__: a new reference. */
static PyObject *as_int(PyObject *op)
{
    if (op == NULL) {
        PyErr_BadInternalCall();
        return NULL;
    }
    return _PyNumber_Index(op);
}

static int require_int(PyObject *op)
{
    if (op == NULL) {
        PyErr_BadInternalCall();
        return -1;
    }
    if (!PyLong_Check(op)) {
        PyErr_SetString(PyExc_TypeError, "an integer is required");
        return -1;
    }
    return 0;
}

static void overflow_error(const char *text) { PyErr_SetString(PyExc_OverflowError, text); }

long PyLong_AsLongAndOverflow(PyObject *op, int *overflow)
{
    int64_t n = -1;
    *overflow = 0;
    if (value_is_int(op))
        return (long)value_get_int(op);
    PyObject *x = as_int(op);
    if (x == NULL)
        return -1;
    if (!long_get_int64(x, &n)) {
        *overflow = long_is_negative(x) ? -1 : 1;
        n = -1;
    }
    Py_DECREF(x);
    return (long)n;
}

long long PyLong_AsLongLongAndOverflow(PyObject *op, int *overflow) { return PyLong_AsLongAndOverflow(op, overflow); }

long (PyLong_AsLong)(PyObject *op)
{
    int overflow;
    long n = PyLong_AsLongAndOverflow(op, &overflow);
    if (overflow)
        overflow_error("Python int too large to convert to C long");
    return n;
}

long long PyLong_AsLongLong(PyObject *op)
{
    int overflow;
    long n = PyLong_AsLongAndOverflow(op, &overflow);
    if (overflow)
        overflow_error("int too big to convert");
    return n;
}

int PyLong_AsInt(PyObject *op)
{
    int overflow;
    long n = PyLong_AsLongAndOverflow(op, &overflow);
    if (overflow || n > INT_MAX || n < INT_MIN) {
        overflow_error("Python int too large to convert to C int");
        return -1;
    }
    return (int)n;
}

int _PyLong_AsInt(PyObject *op) { return PyLong_AsInt(op); }

Py_ssize_t (PyLong_AsSsize_t)(PyObject *op)
{
    int64_t n;
    if (require_int(op) < 0)
        return -1;
    if (!long_get_int64(op, &n)) {
        overflow_error("Python int too large to convert to C ssize_t");
        return -1;
    }
    return (Py_ssize_t)n;
}

/* The value of an int that is not negative, if it fits.  0, or -1 with an exception. */
static int get_uint64(PyObject *op, uint64_t *n, const char *negative, const char *too_large)
{
    long_view_t v;
    long_view(op, &v);
    if (v.negative && v.size > 0) {
        overflow_error(negative);
        return -1;
    }
    if (v.size > 1) {
        overflow_error(too_large);
        return -1;
    }
    *n = v.size == 0 ? 0 : v.limbs[0];
    return 0;
}

unsigned long PyLong_AsUnsignedLong(PyObject *op)
{
    uint64_t n;
    if (require_int(op) < 0
        || get_uint64(op, &n, "can't convert negative value to unsigned int",
                      "Python int too large to convert to C unsigned long") < 0)
        return (unsigned long)-1;
    return n;
}

size_t PyLong_AsSize_t(PyObject *op)
{
    uint64_t n;
    if (require_int(op) < 0
        || get_uint64(op, &n, "can't convert negative value to size_t",
                      "Python int too large to convert to C size_t") < 0)
        return (size_t)-1;
    return n;
}

unsigned long long PyLong_AsUnsignedLongLong(PyObject *op)
{
    uint64_t n;
    if (require_int(op) < 0
        || get_uint64(op, &n, "can't convert negative int to unsigned", "int too big to convert") < 0)
        return (unsigned long long)-1;
    return n;
}

unsigned long long PyLong_AsUnsignedLongLongMask(PyObject *op)
{
    PyObject *x = as_int(op);
    if (x == NULL)
        return (unsigned long long)-1;
    long_view_t v;
    long_view(x, &v);
    uint64_t n = v.size == 0 ? 0 : v.limbs[0];
    if (v.negative)
        n = 0 - n;
    Py_DECREF(x);
    return n;
}

unsigned long PyLong_AsUnsignedLongMask(PyObject *op) { return PyLong_AsUnsignedLongLongMask(op); }

void *PyLong_AsVoidPtr(PyObject *op)
{
    if (require_int(op) < 0)
        return NULL;
    if (long_is_negative(op)) {
        long n = PyLong_AsLong(op);
        return n == -1 && PyErr_Occurred() ? NULL : (void *)n;
    }
    unsigned long n = PyLong_AsUnsignedLong(op);
    return n == (unsigned long)-1 && PyErr_Occurred() ? NULL : (void *)n;
}

int PyUnstable_Long_IsCompact(const PyLongObject *op)
{
    int64_t n;
    return long_get_int64(op, &n);
}

Py_ssize_t PyUnstable_Long_CompactValue(const PyLongObject *op)
{
    int64_t n = 0;
    long_get_int64(op, &n);
    return (Py_ssize_t)n;
}

/* ---- Converters ---- */

static int convert_unsigned(PyObject *op, uint64_t limit, const char *what, uint64_t *n)
{
    if (PyLong_Check(op) && long_is_negative(op)) {
        PyErr_SetString(PyExc_ValueError, "value must be positive");
        return 0;
    }
    unsigned long value = PyLong_AsUnsignedLong(op);
    if (value == (unsigned long)-1 && PyErr_Occurred())
        return 0;
    if (value > limit) {
        PyErr_Format(PyExc_OverflowError, "Python int too large for C %s", what);
        return 0;
    }
    *n = value;
    return 1;
}

int _PyLong_UnsignedShort_Converter(PyObject *op, void *p)
{
    uint64_t n;
    if (!convert_unsigned(op, USHRT_MAX, "unsigned short", &n))
        return 0;
    *(unsigned short *)p = (unsigned short)n;
    return 1;
}

int _PyLong_UnsignedInt_Converter(PyObject *op, void *p)
{
    uint64_t n;
    if (!convert_unsigned(op, UINT_MAX, "unsigned int", &n))
        return 0;
    *(unsigned int *)p = (unsigned int)n;
    return 1;
}

int _PyLong_UnsignedLong_Converter(PyObject *op, void *p)
{
    uint64_t n;
    if (!convert_unsigned(op, ULONG_MAX, "unsigned long", &n))
        return 0;
    *(unsigned long *)p = (unsigned long)n;
    return 1;
}

int _PyLong_UnsignedLongLong_Converter(PyObject *op, void *p) { return _PyLong_UnsignedLong_Converter(op, p); }
int _PyLong_Size_t_Converter(PyObject *op, void *p) { return _PyLong_UnsignedLong_Converter(op, p); }

/* ---- Doubles ---- */

int _PyLong_Sign(PyObject *op)
{
    int64_t n;
    if (long_get_int64(op, &n))
        return (n > 0) - (n < 0);
    return Py_SIZE(op) < 0 ? -1 : 1;
}

size_t _PyLong_NumBits(PyObject *op)
{
    long_view_t v;
    long_view(op, &v);
    return v.size == 0 ? 0 : (size_t)v.size * 64 - (size_t)__builtin_clzll(v.limbs[v.size - 1]);
}

/* The top 64 bits of the magnitude, left-justified; *sticky: are there lower ones? v is not 0. */
static uint64_t top_bits(const long_view_t *v, int *sticky)
{
    mp_limb_t top = v->limbs[v->size - 1], next = v->size > 1 ? v->limbs[v->size - 2] : 0;
    int shift = __builtin_clzll(top);
    uint64_t result = top, rest = next;
    if (shift != 0) {
        result = top << shift | next >> (64 - shift);
        rest = next << shift;
    }
    *sticky = rest != 0;
    for (mp_size_t i = v->size - 3; i >= 0 && !*sticky; i--)
        *sticky = v->limbs[i] != 0;
    return result;
}

double _PyLong_Frexp(PyLongObject *op, Py_ssize_t *e)
{
    long_view_t v;
    long_view(op, &v);
    if (v.size == 0) {
        *e = 0;
        return 0.0;
    }
    int sticky;
    uint64_t bits = top_bits(&v, &sticky), low = bits & 0x7ff;
    uint64_t mantissa = bits >> 11;
    if (low > 0x400 || (low == 0x400 && (sticky || (mantissa & 1))))
        mantissa++;
    Py_ssize_t exponent = (Py_ssize_t)_PyLong_NumBits((PyObject *)op);
    double x = ldexp((double)mantissa, -53);
    if (x == 1.0) {
        x = 0.5;
        exponent++;
    }
    *e = exponent;
    return v.negative ? -x : x;
}

double PyLong_AsDouble(PyObject *op)
{
    if (value_is_int(op))
        return (double)value_get_int(op);
    if (op == NULL) {
        PyErr_BadInternalCall();
        return -1.0;
    }
    if (!PyLong_Check(op)) {
        PyErr_SetString(PyExc_TypeError, "an integer is required");
        return -1.0;
    }
    Py_ssize_t exponent;
    double x = _PyLong_Frexp((PyLongObject *)op, &exponent);
    if (exponent > 1024) {
        overflow_error("int too large to convert to float");
        return -1.0;
    }
    return ldexp(x, (int)exponent);
}

/* ---- Comparison and hash ---- */

int long_compare(PyObject *a, PyObject *b)
{
    if (value_both_ints(a, b))
        return (intptr_t)a < (intptr_t)b ? -1 : a != b;
    long_view_t x, y;
    long_view(a, &x);
    long_view(b, &y);
    if (x.negative != y.negative)
        return x.negative ? -1 : 1;
    int order = x.size != y.size ? (x.size < y.size ? -1 : 1) : mpn_cmp(x.limbs, y.limbs, x.size);
    return x.negative ? -order : order;
}

PyObject *long_richcompare(PyObject *a, PyObject *b, int op)
{
    if (!PyLong_Check(a) || !PyLong_Check(b))
        Py_RETURN_NOTIMPLEMENTED;
    int order = long_compare(a, b);
    Py_RETURN_RICHCOMPARE(order, 0, op);
}

Py_hash_t long_hash(PyObject *op)
{
    if (value_is_int(op))
        return long_hash_immediate(op);
    long_view_t v;
    long_view(op, &v);
    if (v.size == 0)
        return 0;
    Py_hash_t hash = (Py_hash_t)(v.size == 1 ? v.limbs[0] % _PyHASH_MODULUS
                                             : mpn_mod_1(v.limbs, v.size, _PyHASH_MODULUS));
    if (v.negative)
        hash = -hash;
    return hash == -1 ? -2 : hash;
}
