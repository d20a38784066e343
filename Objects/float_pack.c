/* float: the IEEE 754 formats of 2, 4 and 8 bytes. */
#include "float_internal.h"

static void put_bytes(uint64_t bits, char *p, int n, int le)
{
    for (int i = 0; i < n; i++)
        p[le ? i : n - 1 - i] = (char)(bits >> (8 * i));
}

static uint64_t get_bytes(const char *p, int n, int le)
{
    uint64_t bits = 0;
    for (int i = 0; i < n; i++)
        bits |= (uint64_t)(unsigned char)p[le ? i : n - 1 - i] << (8 * i);
    return bits;
}

/* 10 bits of fraction, exponents -14..15, least number 2^-24. */
int PyFloat_Pack2(double x, char *p, int le)
{
    uint64_t sign = signbit(x) ? 0x8000 : 0, bits;
    double size = fabs(x);
    if (isnan(x))
        bits = 0x7e00;
    else if (isinf(x))
        bits = 0x7c00;
    else if (size < 0x1p-14)
        bits = (uint64_t)rint(size * 0x1p24);       /* a carry makes it the least normal number, as it should */
    else {
        int exponent;
        double fraction = frexp(size, &exponent);   /* 0.5 <= fraction < 1 */
        uint64_t mantissa = exponent > 16 ? 0 : (uint64_t)rint(fraction * 0x1p11);      /* 1024..2048 */
        bits = exponent > 16 ? 0x7c00 : ((uint64_t)(exponent + 13) << 10) + mantissa;
        if (bits >= 0x7c00) {
            PyErr_SetString(PyExc_OverflowError, "float too large to pack with e format");
            return -1;
        }
    }
    put_bytes(sign | bits, p, 2, le);
    return 0;
}

int PyFloat_Pack4(double x, char *p, int le)
{
    float f = (float)x;
    uint32_t bits;
    if (isinf(f) && !isinf(x)) {
        PyErr_SetString(PyExc_OverflowError, "float too large to pack with f format");
        return -1;
    }
    memcpy(&bits, &f, 4);
    put_bytes(bits, p, 4, le);
    return 0;
}

int PyFloat_Pack8(double x, char *p, int le)
{
    uint64_t bits;
    memcpy(&bits, &x, 8);
    put_bytes(bits, p, 8, le);
    return 0;
}

double PyFloat_Unpack2(const char *p, int le)
{
    uint64_t bits = get_bytes(p, 2, le), fraction = bits & 0x3ff;
    int exponent = (int)(bits >> 10 & 0x1f);
    double x;
    if (exponent == 31)
        x = fraction != 0 ? Py_NAN : Py_INFINITY;
    else if (exponent == 0)
        x = (double)fraction * 0x1p-24;
    else
        x = ldexp((double)(fraction | 0x400), exponent - 25);
    return bits & 0x8000 ? -x : x;
}

double PyFloat_Unpack4(const char *p, int le)
{
    uint32_t bits = (uint32_t)get_bytes(p, 4, le);
    float f;
    memcpy(&f, &bits, 4);
    return (double)f;
}

double PyFloat_Unpack8(const char *p, int le)
{
    uint64_t bits = get_bytes(p, 8, le);
    double x;
    memcpy(&x, &bits, 8);
    return x;
}
