/* Decimals: making them, comparing and hashing them, text, the type. */
#include "decimal.h"

/* ---- Making ---- */

PyObject *decimal_new(PyTypeObject *type, const number_t *n)
{
    decimal_t *d = (decimal_t *)type->tp_alloc(type, 0);
    size_t size = mpz_size(n->c);
    if (d == NULL)
        return NULL;
    d->limbs = d->own;
    if (size > OWN_LIMBS) {
        d->limbs = size <= INT_MAX ? PyMem_Malloc(size * sizeof(mp_limb_t)) : NULL;
        if (d->limbs == NULL) {
            d->limbs = d->own;
            Py_DECREF(d);
            return PyErr_NoMemory();
        }
    }
    memcpy(d->limbs, mpz_limbs_read(n->c), size * sizeof(mp_limb_t));
    d->size = (int)size;
    d->hash = -1;
    d->exp = n->exp;
    d->digits = n->digits;
    d->flags = n->flags;
    return (PyObject *)d;
}

PyObject *decimal_new_small(const small_t *n)
{
    decimal_t *d = (decimal_t *)decimal_type.tp_alloc(&decimal_type, 0);
    if (d == NULL)
        return NULL;
    d->limbs = d->own;
    d->own[0] = (mp_limb_t)n->c;
    d->own[1] = (mp_limb_t)(n->c >> 64);
    d->size = d->own[1] != 0 ? 2 : d->own[0] != 0;
    d->hash = -1;
    d->exp = n->exp;
    d->digits = n->digits;
    d->flags = n->flags;
    return (PyObject *)d;
}

int decimal_get_small(small_t *n, PyObject *op)
{
    decimal_t *d = (decimal_t *)op;
    if (value_is_int(op)) {
        small_set_integer(n, value_get_int(op));
        return 1;
    }
    if (!IS_DECIMAL(op) || (d->flags & NUMBER_SPECIAL) || d->digits > SMALL_DIGITS)
        return 0;
    n->c = d->size == 0 ? 0 : d->size == 1 ? d->limbs[0] : (wide_t)d->limbs[1] << 64 | d->limbs[0];
    n->exp = d->exp;
    n->digits = d->digits;
    n->flags = d->flags;
    return 1;
}

PyObject *decimal_result(number_t *r, PyObject *context, uint32_t status)
{
    PyObject *result = NULL;
    if (status == 0 || context_add_status(context, status) == 0)
        result = decimal_new(&decimal_type, r);
    number_clear(r);
    return result;
}

static PyObject *decimal_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"value", "context", NULL};
    PyObject *value = NULL, *context = Py_None, *result;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OO", keywords, &value, &context) ||
        (context = context_or_current(context)) == NULL)
        return NULL;
    result = convert_exact(type, value, context);
    Py_DECREF(context);
    return result;
}

static PyObject *decimal_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    static const char *const keywords[] = {"value", "context", NULL};
    static _PyArg_Parser parser = {.keywords = keywords, .format = "|OO"};
    PyObject *value = NULL, *context = Py_None, *result;
    if (!_PyArg_ParseStackAndKeywords(args, PyVectorcall_NARGS(nargsf), kwnames, &parser, &value, &context) ||
        (context = context_or_current(context)) == NULL)
        return NULL;
    result = convert_exact((PyTypeObject *)type, value, context);
    Py_DECREF(context);
    return result;
}

static void decimal_dealloc(PyObject *op)
{
    decimal_t *d = (decimal_t *)op;
    if (d->limbs != d->own)
        PyMem_Free(d->limbs);
    Py_TYPE(op)->tp_free(op);
}

/* ---- Text ---- */

PyObject *decimal_to_str(PyObject *op, PyObject *context, int engineering)
{
    number_t a;
    settings_t s;
    small_t small;
    if (decimal_get_small(&small, op) && small.exp <= 0 && small.exp + small.digits > -6) {
        char buffer[2 * SMALL_DIGITS];
        return _PyUnicode_FromASCII(buffer, small_write_plain(&small, buffer));
    }
    decimal_view(&a, op);
    context_get_settings(context, &s);
    char *text = number_to_text(&a, engineering, s.capitals);
    if (text == NULL)
        return PyErr_NoMemory();
    PyObject *result = PyUnicode_FromString(text);
    number_text_free(text);
    return result;
}

static PyObject *decimal_str(PyObject *op)
{
    PyObject *context = context_current(), *result;
    if (context == NULL)
        return NULL;
    result = decimal_to_str(op, context, 0);
    Py_DECREF(context);
    return result;
}

static PyObject *decimal_repr(PyObject *op)
{
    PyObject *text = decimal_str(op), *result;
    if (text == NULL)
        return NULL;
    result = PyUnicode_FromFormat("Decimal('%U')", text);
    Py_DECREF(text);
    return result;
}

/* ---- Hashing ---- */

static uint64_t multiply_modulo(uint64_t a, uint64_t b)
{
    return (uint64_t)((unsigned __int128)a * b % _PyHASH_MODULUS);
}

static uint64_t power_modulo(uint64_t base, uint64_t n)
{
    uint64_t result = 1;
    for (; n > 0; n >>= 1, base = multiply_modulo(base, base))
        if (n & 1)
            result = multiply_modulo(result, base);
    return result;
}

/* The same hash as that of equal ints, fractions and floats. */
static Py_hash_t hash_finite(const number_t *a)
{
    /* 1/10 is 10^(P-2) for the prime P */
    uint64_t base = a->exp >= 0 ? 10 : power_modulo(10, _PyHASH_MODULUS - 2);
    uint64_t power = power_modulo(base, (uint64_t)(a->exp >= 0 ? a->exp : -a->exp));
    uint64_t n = multiply_modulo(mpz_fdiv_ui(a->c, _PyHASH_MODULUS), power);
    Py_hash_t hash = number_is_negative(a) ? -(Py_hash_t)n : (Py_hash_t)n;
    return hash == -1 ? -2 : hash;
}

Py_hash_t decimal_hash(PyObject *op)
{
    decimal_t *d = (decimal_t *)op;
    Py_hash_t hash = __atomic_load_n(&d->hash, __ATOMIC_RELAXED);
    number_t a;
    if (hash != -1)
        return hash;
    decimal_view(&a, op);
    if (a.flags & NUMBER_SNAN) {
        PyErr_SetString(PyExc_TypeError, "Cannot hash a signaling NaN value");
        return -1;
    }
    if (number_is_nan(&a))
        hash = _Py_HashPointer(op);
    else if (number_is_infinite(&a))
        hash = number_is_negative(&a) ? -_PyHASH_INF : _PyHASH_INF;
    else
        hash = hash_finite(&a);
    __atomic_store_n(&d->hash, hash, __ATOMIC_RELAXED);
    return hash;
}

/* ---- Comparison ---- */

static PyObject *rational_class; /* numbers.Rational, [atomic] */

static PyObject *get_rational_class(void)
{
    PyObject *class = __atomic_load_n(&rational_class, __ATOMIC_ACQUIRE);
    if (class != NULL)
        return class;
    PyObject *numbers = PyImport_ImportModule("numbers");
    class = numbers != NULL ? PyObject_GetAttrString(numbers, "Rational") : NULL;
    Py_XDECREF(numbers);
    if (class != NULL)
        __atomic_store_n(&rational_class, class, __ATOMIC_RELEASE); /* for ever */
    return class;
}

/* Compares a with top/bottom: a * bottom with top. 1: order is set, 0: cannot be, -1: exception. */
static int compare_ratio(const number_t *a, PyObject *rational, int *order)
{
    PyObject *top = PyObject_GetAttrString(rational, "numerator");
    PyObject *bottom = top != NULL ? PyObject_GetAttrString(rational, "denominator") : NULL;
    operand_t x = {.is_own = 0}, y = {.is_own = 0};
    int found = bottom != NULL ? operand_set(&x, top) : -1;
    if (found > 0)
        found = operand_set(&y, bottom);
    if (found > 0) {
        number_t product;
        number_init(&product);
        mpz_mul(product.c, a->c, y.n.c);
        product.exp = a->exp;
        product.flags = a->flags;
        number_count(&product);
        if (number_call_cmp(&product, &x.n, order) < 0) {
            PyErr_NoMemory();
            found = -1;
        }
        number_clear(&product);
    }
    operand_clear(&x);
    operand_clear(&y);
    Py_XDECREF(top);
    Py_XDECREF(bottom);
    return found;
}

/* Compares with a number of another kind than float. As above. */
static int compare_other(const number_t *a, PyObject *other, int is_equality, int *order)
{
    number_t f;
    if (PyComplex_Check(other)) {
        Py_complex z = PyComplex_AsCComplex(other);
        if (!is_equality)
            return 0;
        *order = 1;
        if (z.imag == 0.0 && z.real == z.real) {
            number_init(&f);
            convert_from_double(&f, z.real);
            int failed = number_call_cmp(a, &f, order) < 0;
            number_clear(&f);
            if (failed) {
                PyErr_NoMemory();
                return -1;
            }
        }
        return 1;
    }
    PyObject *class = get_rational_class();
    int is_rational = class != NULL ? PyObject_IsInstance(other, class) : -1;
    return is_rational > 0 ? compare_ratio(a, other, order) : is_rational;
}

static PyObject *answer(int order, int op)
{
    switch (op) {
    case Py_EQ:
        return PyBool_FromLong(order == 0);
    case Py_NE:
        return PyBool_FromLong(order != 0);
    case Py_LT:
        return PyBool_FromLong(order < 0);
    case Py_LE:
        return PyBool_FromLong(order <= 0);
    case Py_GT:
        return PyBool_FromLong(order > 0);
    default:
        return PyBool_FromLong(order >= 0);
    }
}

/* Comparison with a NaN: ordering is invalid, and so is anything with a signalling one. */
static PyObject *answer_nan(unsigned flags, int op)
{
    if (flags & NUMBER_SNAN || (op != Py_EQ && op != Py_NE)) {
        PyObject *context = context_current();
        if (context == NULL)
            return NULL;
        int failed = context_add_status(context, STATUS_INVALID);
        Py_DECREF(context);
        if (failed)
            return NULL;
    }
    return PyBool_FromLong(op == Py_NE);
}

/* Notes that a float was mixed in; equality never raises for that. */
static int note_float(int is_equality)
{
    PyObject *context = context_current();
    if (context == NULL)
        return -1;
    int failed = 0;
    if (is_equality) {
        signals_t *flags = ((context_t *)context)->flags;
        signals_set(flags, signals_get(flags) | STATUS_FLOAT);
    } else
        failed = context_add_status(context, STATUS_FLOAT);
    Py_DECREF(context);
    return failed;
}

PyObject *decimal_richcompare(PyObject *op_a, PyObject *op_b, int op)
{
    number_t a;
    operand_t b;
    int is_equality = op == Py_EQ || op == Py_NE, order = 0;
    decimal_view(&a, op_a);
    int found = operand_set(&b, op_b);
    if (found == 0 && (PyFloat_Check(op_b) || (PyComplex_Check(op_b) && is_equality)) &&
        note_float(is_equality) < 0)
        return NULL;
    if (found == 0 && PyFloat_Check(op_b)) {
        number_init(&b.n);
        b.is_own = 1;
        convert_from_double(&b.n, PyFloat_AS_DOUBLE(op_b));
        found = 1;
    }
    if (found < 0)
        return NULL;
    if (found > 0) {
        PyObject *result;
        if (number_is_nan(&a) || number_is_nan(&b.n))
            result = answer_nan(a.flags | b.n.flags, op);
        else
            result = number_call_cmp(&a, &b.n, &order) == 0 ? answer(order, op) : PyErr_NoMemory();
        operand_clear(&b);
        return result;
    }
    found = compare_other(&a, op_b, is_equality, &order);
    if (found < 0)
        return NULL;
    if (found == 0)
        Py_RETURN_NOTIMPLEMENTED;
    return number_is_nan(&a) ? answer_nan(a.flags, op) : answer(order, op);
}

/* ---- The type ---- */

static PyObject *decimal_get_real(PyObject *op, void *unused)
{
    return Py_NewRef(op);
}

static PyObject *decimal_get_imag(PyObject *op, void *unused)
{
    number_t zero;
    number_init(&zero);
    PyObject *result = decimal_new(&decimal_type, &zero);
    number_clear(&zero);
    return result;
}

static PyGetSetDef decimal_getset[] = {
    {"real", decimal_get_real, NULL, NULL, NULL},
    {"imag", decimal_get_imag, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyTypeObject decimal_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "decimal.Decimal",
    .tp_basicsize = sizeof(decimal_t),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "Decimal(value=\"0\", context=None)\n--\n\n"
              "A decimal number. value: an int, str, float, tuple or another Decimal, converted exactly.",
    .tp_as_number = &decimal_number,
    .tp_methods = decimal_methods,
    .tp_getset = decimal_getset,
    .tp_repr = decimal_repr,
    .tp_str = decimal_str,
    .tp_hash = decimal_hash,
    .tp_richcompare = decimal_richcompare,
    .tp_new = decimal_tp_new,
    .tp_vectorcall = decimal_vectorcall,
    .tp_dealloc = decimal_dealloc,
};
