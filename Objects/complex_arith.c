/* complex: arithmetic on C numbers. */
#include "Python.h"

Py_complex _Py_c_sum(Py_complex a, Py_complex b) { return (Py_complex){a.real + b.real, a.imag + b.imag}; }
Py_complex _Py_c_diff(Py_complex a, Py_complex b) { return (Py_complex){a.real - b.real, a.imag - b.imag}; }
Py_complex _Py_c_neg(Py_complex a) { return (Py_complex){-a.real, -a.imag}; }

Py_complex _Py_c_prod(Py_complex a, Py_complex b)
{
    return (Py_complex){a.real * b.real - a.imag * b.imag, a.real * b.imag + a.imag * b.real};
}

/* R. L. Smith, Algorithm 116: dividing by the larger part of b first keeps the intermediate results in range. */
Py_complex _Py_c_quot(Py_complex a, Py_complex b)
{
    double re = fabs(b.real), im = fabs(b.imag), ratio, denominator;
    if (re >= im) {
        if (re == 0.0) {
            errno = EDOM;
            return (Py_complex){0.0, 0.0};
        }
        ratio = b.imag / b.real;
        denominator = b.real + b.imag * ratio;
        return (Py_complex){(a.real + a.imag * ratio) / denominator, (a.imag - a.real * ratio) / denominator};
    }
    if (im >= re) {
        ratio = b.real / b.imag;
        denominator = b.real * ratio + b.imag;
        return (Py_complex){(a.real * ratio + a.imag) / denominator, (a.imag * ratio - a.real) / denominator};
    }
    return (Py_complex){Py_NAN, Py_NAN};
}

Py_complex _Py_c_pow(Py_complex a, Py_complex b)
{
    if (b.real == 0.0 && b.imag == 0.0)
        return (Py_complex){1.0, 0.0};
    if (a.real == 0.0 && a.imag == 0.0) {
        if (b.imag != 0.0 || b.real < 0.0)
            errno = EDOM;
        return (Py_complex){0.0, 0.0};
    }
    double size = hypot(a.real, a.imag), length = pow(size, b.real), angle = atan2(a.imag, a.real);
    double phase = angle * b.real;
    if (b.imag != 0.0) {
        length /= exp(angle * b.imag);
        phase += b.imag * log(size);
    }
    return (Py_complex){length * cos(phase), length * sin(phase)};
}

double _Py_c_abs(Py_complex a)
{
    errno = 0;
    if (!isfinite(a.real) || !isfinite(a.imag)) {
        if (isinf(a.real))
            return fabs(a.real);
        return isinf(a.imag) ? fabs(a.imag) : Py_NAN;
    }
    double result = hypot(a.real, a.imag);
    errno = isfinite(result) ? 0 : ERANGE;
    return result;
}
