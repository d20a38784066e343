/* What the files of the _decimal module share: the objects around numbers.
 *
 * Decimals never change. Contexts do: each field is one word, read and written atomically, and an operation
 * works with a copy of the settings, taken when it begins; the conditions it meets are added to the flags
 * with one atomic `or`. So contexts need no lock, and one that threads share only mixes their flags. The
 * flags and traps live in the two signal dicts of a context, which Python code may keep after it. */
#ifndef BRAID_DECIMAL_H
#define BRAID_DECIMAL_H

#define PY_SSIZE_T_CLEAN
#include "module.h"

#include "number.h"
#include "number_small.h"

enum { OWN_LIMBS = 2 }; /* 38 digits */

typedef struct {
    PyObject_HEAD
    Py_hash_t hash; /* [atomic] -1: not computed yet */
    int64_t exp, digits;          /* [const], as all of the rest */
    unsigned flags;
    int size;         /* of limbs */
    mp_limb_t *limbs; /* own, or on the heap */
    mp_limb_t own[OWN_LIMBS];
} decimal_t;

typedef struct {
    PyObject_HEAD
    uint32_t bits; /* [atomic] STATUS_* */
} signals_t;

typedef struct {
    PyObject_HEAD
    int64_t prec, emax, emin; /* [atomic], as the next ones */
    int rounding, clamp, capitals;
    signals_t *flags, *traps; /* [const] counted */
} context_t;

extern PyTypeObject decimal_type, context_type, signals_mixin_type, manager_type;
#define IS_DECIMAL(op) PyObject_TypeCheck((op), &decimal_type)
#define IS_CONTEXT(op) PyObject_TypeCheck((op), &context_type)

static inline int decimal_is_special(PyObject *op)
{
    return (((decimal_t *)op)->flags & NUMBER_SPECIAL) != 0;
}

/* A number that looks into the object, which must outlive it; not to be cleared. */
static inline void decimal_view(number_t *n, PyObject *op)
{
    decimal_t *d = (decimal_t *)op;
    mpz_roinit_n(n->c, d->limbs, d->size);
    n->exp = d->exp;
    n->digits = d->digits;
    n->flags = d->flags;
}

/* ---- decimal_object.c ---- */

/* An object of the type; NULL with MemoryError. */
PyObject *decimal_new(PyTypeObject *type, const number_t *n);
/* The same of a small number; one of the module's own type. */
PyObject *decimal_new_small(const small_t *n);
/* Is op a Decimal with a small number, or a small int? */
int decimal_get_small(small_t *n, PyObject *op);
/* What an operation returns: adds its status to the context, raises what that traps, or makes a Decimal. r is
 * cleared. */
PyObject *decimal_result(number_t *r, PyObject *context, uint32_t status);
/* The number as text, by the settings of the context. */
PyObject *decimal_to_str(PyObject *op, PyObject *context, int engineering);

/* ---- decimal_convert.c ---- */

/* An operand: looks into a Decimal, or is made of an int. */
typedef struct {
    number_t n;
    int is_own;
} operand_t;
/* 1: set; 0: cannot be one; -1: exception. */
int operand_set(operand_t *operand, PyObject *op);
/* The same, with TypeError instead of 0. */
int operand_need(operand_t *operand, PyObject *op);
void operand_clear(operand_t *operand);

void convert_from_double(number_t *r, double value);
int convert_from_long(number_t *r, PyObject *op);
PyObject *convert_to_long(const number_t *a);
/* Decimal(value, context): exact. */
PyObject *convert_exact(PyTypeObject *type, PyObject *value, PyObject *context);
/* context.create_decimal(value): rounded. */
PyObject *convert_rounded(PyObject *value, PyObject *context);
/* A Decimal of an int or float. context: for rounding, or NULL: exact. */
PyObject *convert_float(PyTypeObject *type, PyObject *value, PyObject *context);

/* ---- Methods of decimals elsewhere ---- */

extern PyMethodDef decimal_methods[];
extern PyNumberMethods decimal_number;
/* divmod and pow (modulus or NULL), in a context. */
PyObject *decimal_divmod_in(const number_t *a, const number_t *b, PyObject *context);
PyObject *decimal_power_in(const number_t *a, const number_t *b, const number_t *modulus, PyObject *context);
PyObject *decimal_richcompare(PyObject *a, PyObject *b, int op);
Py_hash_t decimal_hash(PyObject *op);
PyObject *decimal_format(PyObject *op, PyObject *args);
/* op with that exponent, by settings that are the context's, but perhaps for the rounding. */
PyObject *decimal_rescale_in(PyObject *op, int64_t exp, const settings_t *s, PyObject *context);
PyObject *decimal_round(PyObject *op, PyObject *const *args, Py_ssize_t nargs), *decimal_as_tuple(PyObject *op, PyObject *unused);
PyObject *decimal_as_integer_ratio(PyObject *op, PyObject *unused);
PyObject *decimal_trunc(PyObject *op, PyObject *unused), *decimal_floor(PyObject *op, PyObject *unused);
PyObject *decimal_ceil(PyObject *op, PyObject *unused), *decimal_complex(PyObject *op, PyObject *unused);

/* ---- context.c ---- */

void context_get_settings(PyObject *context, settings_t *s);
/* Adds to the flags; -1 with an exception if one of them is trapped. */
int context_add_status(PyObject *context, uint32_t status);
/* A new context with these settings and traps, without flags. */
PyObject *context_new(const settings_t *s);
PyObject *context_copy(PyObject *op, PyObject *unused), *context_reduce(PyObject *op, PyObject *unused);
/* Sets the fields that are given; 0, or -1 with an exception. */
int context_init_fields(PyObject *op, PyObject *args, PyObject *kwargs);
extern PyMethodDef context_methods[];
/* The index of a rounding mode's name, or -1 with TypeError. */
int context_find_rounding(PyObject *name);

/* ---- context_current.c ---- */

/* The context of the thread or task; new reference. */
PyObject *context_current(void);
/* What an optional argument stands for: the current one for None or NULL. New reference, or NULL with
 * TypeError. */
PyObject *context_or_current(PyObject *arg);
extern PyMethodDef current_functions[];
int current_add_to_module(PyObject *module);

/* ---- signals.c ---- */

int signals_add_to_module(PyObject *module);
signals_t *signals_new(uint32_t bits);
int signals_check(PyObject *op);
uint32_t signals_get(const signals_t *self);
void signals_set(signals_t *self, uint32_t bits);
/* Sets bits from a dict of signals; from a list of signals. -1 with an exception. */
int signals_parse_dict(PyObject *value, uint32_t *bits), signals_parse_list(PyObject *value, uint32_t *bits);
/* A list of the signals whose bits are set. */
PyObject *signals_to_list(uint32_t bits);
/* "[name, ...]" of them. */
PyObject *signals_to_str(uint32_t bits);
/* Raises the exception for what is trapped. */
void signals_raise(uint32_t trapped);

extern PyObject *decimal_tuple_class; /* DecimalTuple; made by the first import */

#endif /* BRAID_DECIMAL_H */
