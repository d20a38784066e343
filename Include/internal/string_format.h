/* Formatting: the format specification mini-language ([[fill]align][sign][z][#][0][width][grouping][.precision][type]),
 * str.format, and the % operator's engine, which str and bytes share. */
#ifndef BRAID_STRING_FORMAT_H
#define BRAID_STRING_FORMAT_H

#include "unicode_writer.h"

/* ---- Format specifications ---- */

typedef struct {
    Py_UCS4 fill;               /* ' ' if not given */
    Py_UCS4 align;              /* '<' '>' '=' '^'; the default passed to format_spec_parse if not given */
    int align_specified;
    int alternate;              /* '#' */
    int no_neg_zero;            /* 'z' */
    Py_UCS4 sign;               /* '+', '-', ' ', or 0 */
    Py_ssize_t width;           /* -1: not given */
    Py_UCS4 thousands;          /* ',' '_', 'n' for the locale's, or 0 */
    Py_ssize_t precision;       /* -1: not given */
    Py_UCS4 type;               /* the default passed if not given */
} format_spec_t;

/* Parses spec[start:end]; obj is named in errors.
 * Returns  0, or -1 with ValueError */
int format_spec_parse(PyObject *obj, PyObject *spec, Py_ssize_t start, Py_ssize_t end, format_spec_t *result,
                      Py_UCS4 default_type, Py_UCS4 default_align);

/* ValueError for a type character that obj does not know. */
void format_unknown_code(Py_UCS4 code, PyObject *obj);

/* The __format__ methods of the built-in types: obj formatted by spec (a str). New reference.
 * format_int takes int objects and subclasses, format_float floats, ...; the empty spec gives str(obj). */
PyObject *format_str(PyObject *obj, PyObject *spec);
PyObject *format_int(PyObject *obj, PyObject *spec);
PyObject *format_float(PyObject *obj, PyObject *spec);
PyObject *format_complex(PyObject *obj, PyObject *spec);

/* Appends to a writer. CPython's names, semantics as there. */
int format_str_write(unicode_writer_t *w, PyObject *obj, PyObject *spec, Py_ssize_t start, Py_ssize_t end);
int format_int_write(unicode_writer_t *w, PyObject *obj, PyObject *spec, Py_ssize_t start, Py_ssize_t end);
int format_float_write(unicode_writer_t *w, PyObject *obj, PyObject *spec, Py_ssize_t start, Py_ssize_t end);
int format_complex_write(unicode_writer_t *w, PyObject *obj, PyObject *spec, Py_ssize_t start, Py_ssize_t end);

/* ---- str.format ---- */

/* self.format(*args, **kwargs); args an array of borrowed references; kwargs NULL or a mapping. */
PyObject *format_markup(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwargs);
PyObject *formatter_parser(PyObject *self, PyObject *str);
PyObject *formatter_field_name_split(PyObject *self, PyObject *str);

/* ---- The % operator ---- */

enum { PERCENT_LEFT = 1, PERCENT_SIGN = 2, PERCENT_BLANK = 4, PERCENT_ALT = 8, PERCENT_ZERO = 16 };

/* One conversion, parsed. */
typedef struct {
    int flags;                  /* PERCENT_* */
    Py_ssize_t width;           /* -1: not given */
    Py_ssize_t precision;       /* -1: not given */
    Py_UCS4 type;
    Py_ssize_t index;           /* of the type character, for messages */
} percent_conversion_t;

/* The right operand of %. */
typedef struct {
    PyObject *tuple;            /* [borrowed] the operand if it is a tuple */
    PyObject *single;           /* [borrowed] the current single value if not, or NULL */
    Py_ssize_t index, count;    /* of tuple items; count -1: single not used yet, -2: used */
    PyObject *mapping;          /* [borrowed] the operand if it can be subscripted, else NULL */
    PyObject *looked_up;        /* counted: value found by the last mapping key */
    int is_bytes;               /* keys are bytes, error texts say bytes */
} percent_args_t;

void percent_args_init(percent_args_t *a, PyObject *operand, int is_bytes);
void percent_args_fini(percent_args_t *a);
/* Parses a conversion; *pos is behind the '%' and moves behind the type character.  '%%' gives type '%' and *value NULL.
 * Otherwise *value is the (borrowed) argument to be converted; other types are not checked here.
 * Escapes  yes */
int percent_parse(percent_args_t *a, int kind, const void *data, Py_ssize_t length, Py_ssize_t *pos,
                  percent_conversion_t *conv, PyObject **value);
/* "not all arguments converted" if some are left. */
int percent_args_done(percent_args_t *a);
/* ValueError: a type character that the format does not know. */
void percent_unsupported(const percent_conversion_t *conv);
/* Text for types d i u o x X e E f F g G, with sign and prefix, before padding to the width (and with zero padding
 * already decided by the caller: percent_pad).
 * Returns  a str of ASCII characters */
PyObject *percent_format_number(const percent_conversion_t *conv, PyObject *value);
/* Splits text of a number (or other conversion) and width into what to write: before blanks, prefix (sign and 0x) of
 * length *prefix, *zeros zeros, rest, *after blanks. */
void percent_pad(const percent_conversion_t *conv, const char *text, Py_ssize_t length, int numeric,
                 Py_ssize_t *before, Py_ssize_t *prefix, Py_ssize_t *zeros, Py_ssize_t *after);

#endif /* BRAID_STRING_FORMAT_H */
