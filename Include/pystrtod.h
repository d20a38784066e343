/* Conversion between doubles and text. */
#ifndef Py_PYSTRTOD_H
#define Py_PYSTRTOD_H

/* Parses a float at text (no leading blanks, no underscores; "inf", "nan" are fine). With end NULL all of text must be
 * a number. A value too large gives overflow_exception if that is not NULL, else an infinity.
 * Returns  -1.0 with ValueError ("could not convert string to float: '...'") or overflow_exception */
PyAPI_FUNC(double) PyOS_string_to_double(const char *text, char **end, PyObject *overflow_exception);

/* Text of value; format_code one of e E f F g G r.
 * Returns  memory to be released with PyMem_Free */
PyAPI_FUNC(char *) PyOS_double_to_string(double value, char format_code, int precision, int flags, int *type);

/* Calls convert(text without underscores, length, arg) if the underscores stand between digits. */
PyAPI_FUNC(PyObject *) _Py_string_to_number_with_underscores(const char *text, Py_ssize_t length, const char *what,
                                                             PyObject *obj, void *arg,
                                                             PyObject *(*convert)(const char *, Py_ssize_t, void *));
/* inf, infinity, nan with a sign, any case; -1.0 and *end = text if there is none. */
PyAPI_FUNC(double) _Py_parse_inf_or_nan(const char *text, char **end);

#define Py_DTSF_SIGN 0x01           /* always a sign */
#define Py_DTSF_ADD_DOT_0 0x02      /* ".0" if the result looks like an int */
#define Py_DTSF_ALT 0x04            /* '#' */
#define Py_DTSF_NO_NEG_0 0x08       /* -0.0 is 0.0 */

#define Py_DTST_FINITE 0
#define Py_DTST_INFINITE 1
#define Py_DTST_NAN 2

#endif /* Py_PYSTRTOD_H */
