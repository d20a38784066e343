/* Floating point helpers of the C API. */
#include "Python.h"

double _Py_get_nan(void)
{
    return Py_NAN;
}
