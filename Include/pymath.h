/* Mathematical constants and floating point classification. */
#ifndef Py_PYMATH_H
#define Py_PYMATH_H

#ifndef Py_MATH_PI
#define Py_MATH_PI 3.14159265358979323846
#endif
#ifndef Py_MATH_E
#define Py_MATH_E 2.7182818284590452354
#endif
#ifndef Py_MATH_TAU
#define Py_MATH_TAU 6.2831853071795864769252867665590057683943L
#endif
#define Py_MATH_PIl 3.1415926535897932384626433832795029L
#define Py_MATH_El 2.7182818284590452353602874713526625L

#define Py_IS_NAN(x) __builtin_isnan(x)
#define Py_IS_INFINITY(x) __builtin_isinf(x)
#define Py_IS_FINITE(x) __builtin_isfinite(x)
#define Py_INFINITY ((double)__builtin_inf())
#define Py_HUGE_VAL ((double)__builtin_huge_val())
#define Py_NAN ((double)__builtin_nan(""))
#define Py_FORCE_DOUBLE(x) (x)
#define Py_OVERFLOWED(x) ((x) != 0.0 && (errno == ERANGE || Py_IS_INFINITY(x)))

PyAPI_FUNC(double) _Py_get_nan(void);

/* Only for sources that still bracket their arithmetic with them. */
#define PyFPE_START_PROTECT(err_string, leave_stmt)
#define PyFPE_END_PROTECT(v)

#endif /* Py_PYMATH_H */
