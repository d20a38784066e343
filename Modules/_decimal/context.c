/* Contexts: their fields, copies and text. */
#include "decimal.h"

#define CONTEXT(op) ((context_t *)(op))
#define GET(field) __atomic_load_n(&(field), __ATOMIC_RELAXED)
#define SET(field, value) __atomic_store_n(&(field), (value), __ATOMIC_RELAXED)

static const char *const rounding_names[] = {
#define ROUNDING(name) "ROUND_" #name,
    ROUNDINGS(ROUNDING)
#undef ROUNDING
};

static const settings_t default_settings = {
    .prec = 28,
    .emax = 999999,
    .emin = -999999,
    .rounding = ROUND_HALF_EVEN,
    .capitals = 1,
    .traps = STATUS_ANY_INVALID | STATUS_DIVISION_BY_ZERO | STATUS_OVERFLOW,
};

/* ---- For operations ---- */

void context_get_settings(PyObject *op, settings_t *s)
{
    context_t *self = CONTEXT(op);
    s->prec = GET(self->prec);
    s->emax = GET(self->emax);
    s->emin = GET(self->emin);
    s->rounding = GET(self->rounding);
    s->clamp = GET(self->clamp);
    s->capitals = GET(self->capitals);
    s->traps = signals_get(self->traps);
}

int context_add_status(PyObject *op, uint32_t status)
{
    context_t *self = CONTEXT(op);
    if (status & STATUS_MEMORY) {
        PyErr_NoMemory();
        return -1;
    }
    uint32_t flags = signals_get(self->flags);
    if ((flags & status) != status)
        __atomic_fetch_or(&self->flags->bits, status, __ATOMIC_RELAXED);
    uint32_t trapped = status & signals_get(self->traps);
    if (trapped == 0)
        return 0;
    signals_raise(trapped);
    return -1;
}

/* ---- Making ---- */

static PyObject *make(PyTypeObject *type, const settings_t *s)
{
    /* These may run code, which must not find half a context. */
    signals_t *flags = signals_new(0), *traps = flags != NULL ? signals_new(s->traps) : NULL;
    context_t *self = traps != NULL ? CONTEXT(type->tp_alloc(type, 0)) : NULL;
    if (self == NULL) {
        Py_XDECREF((PyObject *)flags);
        Py_XDECREF((PyObject *)traps);
        return NULL;
    }
    self->prec = s->prec;
    self->emax = s->emax;
    self->emin = s->emin;
    self->rounding = s->rounding;
    self->clamp = s->clamp;
    self->capitals = s->capitals;
    self->flags = flags;
    self->traps = traps;
    return (PyObject *)self;
}

PyObject *context_new(const settings_t *s)
{
    return make(&context_type, s);
}

static PyObject *context_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return make(type, &default_settings);
}

PyObject *context_copy(PyObject *op, PyObject *unused)
{
    settings_t s;
    context_get_settings(op, &s);
    PyObject *copy = context_new(&s);
    if (copy != NULL)
        signals_set(CONTEXT(copy)->flags, signals_get(CONTEXT(op)->flags));
    return copy;
}

static int context_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(CONTEXT(op)->flags);
    Py_VISIT(CONTEXT(op)->traps);
    return 0;
}

static void context_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Py_XDECREF(CONTEXT(op)->flags);
    Py_XDECREF(CONTEXT(op)->traps);
    Py_TYPE(op)->tp_free(op);
}

/* ---- Fields ---- */

static PyObject *context_get_prec(PyObject *op, void *unused)
{
    return PyLong_FromLongLong(GET(CONTEXT(op)->prec));
}
static PyObject *context_get_emax(PyObject *op, void *unused)
{
    return PyLong_FromLongLong(GET(CONTEXT(op)->emax));
}
static PyObject *context_get_emin(PyObject *op, void *unused)
{
    return PyLong_FromLongLong(GET(CONTEXT(op)->emin));
}
static PyObject *context_get_clamp(PyObject *op, void *unused)
{
    return PyLong_FromLong(GET(CONTEXT(op)->clamp));
}
static PyObject *context_get_capitals(PyObject *op, void *unused)
{
    return PyLong_FromLong(GET(CONTEXT(op)->capitals));
}
static PyObject *context_get_flags(PyObject *op, void *unused)
{
    return Py_NewRef(CONTEXT(op)->flags);
}
static PyObject *context_get_traps(PyObject *op, void *unused)
{
    return Py_NewRef(CONTEXT(op)->traps);
}

static PyObject *context_get_rounding(PyObject *op, void *unused)
{
    return PyUnicode_InternFromString(rounding_names[GET(CONTEXT(op)->rounding)]);
}

/* value as an integer between two bounds, or ValueError. */
static int get_bounded(PyObject *value, int64_t low, int64_t high, const char *message, int64_t *n)
{
    if (!PyLong_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "an integer is required");
        return -1;
    }
    *n = PyLong_AsSsize_t(value);
    if (*n == -1 && PyErr_Occurred())
        return -1;
    if (*n >= low && *n <= high)
        return 0;
    PyErr_SetString(PyExc_ValueError, message);
    return -1;
}

static int context_set_prec(PyObject *op, PyObject *value, void *unused)
{
    int64_t n;
    if (get_bounded(value, 1, NUMBER_MAX_PREC, "valid range for prec is [1, MAX_PREC]", &n) < 0)
        return -1;
    SET(CONTEXT(op)->prec, n);
    return 0;
}

static int context_set_emax(PyObject *op, PyObject *value, void *unused)
{
    int64_t n;
    if (get_bounded(value, 0, NUMBER_MAX_EMAX, "valid range for Emax is [0, MAX_EMAX]", &n) < 0)
        return -1;
    SET(CONTEXT(op)->emax, n);
    return 0;
}

static int context_set_emin(PyObject *op, PyObject *value, void *unused)
{
    int64_t n;
    if (get_bounded(value, NUMBER_MIN_EMIN, 0, "valid range for Emin is [MIN_EMIN, 0]", &n) < 0)
        return -1;
    SET(CONTEXT(op)->emin, n);
    return 0;
}

static int context_set_clamp(PyObject *op, PyObject *value, void *unused)
{
    int64_t n;
    if (get_bounded(value, 0, 1, "valid values for clamp are 0 or 1", &n) < 0)
        return -1;
    SET(CONTEXT(op)->clamp, (int)n);
    return 0;
}

static int context_set_capitals(PyObject *op, PyObject *value, void *unused)
{
    int64_t n;
    if (get_bounded(value, 0, 1, "valid values for capitals are 0 or 1", &n) < 0)
        return -1;
    SET(CONTEXT(op)->capitals, (int)n);
    return 0;
}

int context_find_rounding(PyObject *name)
{
    if (PyUnicode_Check(name))
        for (int i = 0; i < ROUND_COUNT; i++)
            if (PyUnicode_EqualToUTF8(name, rounding_names[i]))
                return i;
    PyErr_SetString(PyExc_TypeError, "valid values for rounding are:\n"
                                     "  [ROUND_CEILING, ROUND_FLOOR, ROUND_UP, ROUND_DOWN,\n"
                                     "   ROUND_HALF_UP, ROUND_HALF_DOWN, ROUND_HALF_EVEN,\n"
                                     "   ROUND_05UP]");
    return -1;
}

static int context_set_rounding(PyObject *op, PyObject *value, void *unused)
{
    int rounding = context_find_rounding(value);
    if (rounding < 0)
        return -1;
    SET(CONTEXT(op)->rounding, rounding);
    return 0;
}

static int set_signals(signals_t *signals, PyObject *value, int (*parse)(PyObject *, uint32_t *))
{
    uint32_t bits;
    if (parse(value, &bits) < 0)
        return -1;
    signals_set(signals, bits);
    return 0;
}

static int context_set_flags(PyObject *op, PyObject *value, void *unused)
{
    return set_signals(CONTEXT(op)->flags, value, signals_parse_dict);
}

static int context_set_traps(PyObject *op, PyObject *value, void *unused)
{
    return set_signals(CONTEXT(op)->traps, value, signals_parse_dict);
}

static int context_setattr(PyObject *op, PyObject *name, PyObject *value)
{
    if (value != NULL)
        return PyObject_GenericSetAttr(op, name, value);
    PyErr_SetString(PyExc_AttributeError, "context attributes cannot be deleted");
    return -1;
}

/* ---- Initialisation ---- */

/* The fields as arguments, in their order; flags and traps may be lists as well. */
typedef struct {
    const char *name;
    int (*set)(PyObject *op, PyObject *value, void *unused);
} field_t;

static int init_flags(PyObject *op, PyObject *value, void *unused)
{
    return set_signals(CONTEXT(op)->flags, value,
                       PyList_Check(value) ? signals_parse_list : signals_parse_dict);
}

static int init_traps(PyObject *op, PyObject *value, void *unused)
{
    return set_signals(CONTEXT(op)->traps, value,
                       PyList_Check(value) ? signals_parse_list : signals_parse_dict);
}

static const field_t fields[] = {
    {"prec", context_set_prec},
    {"rounding", context_set_rounding},
    {"Emin", context_set_emin},
    {"Emax", context_set_emax},
    {"capitals", context_set_capitals},
    {"clamp", context_set_clamp},
    {"flags", init_flags},
    {"traps", init_traps},
};
enum { FIELD_COUNT = sizeof(fields) / sizeof(fields[0]) };

int context_init_fields(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"prec",  "rounding", "Emin",  "Emax", "capitals",
                               "clamp", "flags",    "traps", NULL};
    PyObject *v[FIELD_COUNT] = {NULL};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OOOOOOOO", keywords, &v[0], &v[1], &v[2], &v[3], &v[4],
                                     &v[5], &v[6], &v[7]))
        return -1;
    for (int i = 0; i < FIELD_COUNT; i++)
        if (v[i] != NULL && v[i] != Py_None && fields[i].set(op, v[i], NULL) < 0)
            return -1;
    return 0;
}

static int context_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    return context_init_fields(op, args, kwargs);
}

/* ---- Text and pickles ---- */

static PyObject *context_repr(PyObject *op)
{
    settings_t s;
    context_get_settings(op, &s);
    PyObject *flags = signals_to_str(signals_get(CONTEXT(op)->flags)), *traps = signals_to_str(s.traps),
             *text = NULL;
    if (flags != NULL && traps != NULL)
        text = PyUnicode_FromFormat("Context(prec=%lld, rounding=%s, Emin=%lld, Emax=%lld, capitals=%d, "
                                    "clamp=%d, flags=%U, traps=%U)",
                                    (long long)s.prec, rounding_names[s.rounding], (long long)s.emin,
                                    (long long)s.emax, s.capitals, s.clamp, flags, traps);
    Py_XDECREF(flags);
    Py_XDECREF(traps);
    return text;
}

PyObject *context_reduce(PyObject *op, PyObject *unused)
{
    settings_t s;
    context_get_settings(op, &s);
    return Py_BuildValue("O(LsLLiiNN)", Py_TYPE(op), (long long)s.prec, rounding_names[s.rounding],
                         (long long)s.emin, (long long)s.emax, s.capitals, s.clamp,
                         signals_to_list(signals_get(CONTEXT(op)->flags)), signals_to_list(s.traps));
}

/* ---- The type ---- */

static PyGetSetDef context_getset[] = {
    {"prec", context_get_prec, context_set_prec, NULL, NULL},
    {"Emax", context_get_emax, context_set_emax, NULL, NULL},
    {"Emin", context_get_emin, context_set_emin, NULL, NULL},
    {"rounding", context_get_rounding, context_set_rounding, NULL, NULL},
    {"capitals", context_get_capitals, context_set_capitals, NULL, NULL},
    {"clamp", context_get_clamp, context_set_clamp, NULL, NULL},
    {"flags", context_get_flags, context_set_flags, NULL, NULL},
    {"traps", context_get_traps, context_set_traps, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyTypeObject context_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "decimal.Context",
    .tp_basicsize = sizeof(context_t),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "Context(prec=None, rounding=None, Emin=None, Emax=None, capitals=None, clamp=None, "
              "flags=None, traps=None)\n--\n\n"
              "The settings of arithmetic: precision, rounding, limits, and which signals raise exceptions.",
    .tp_methods = context_methods,
    .tp_getset = context_getset,
    .tp_setattro = context_setattr,
    .tp_repr = context_repr,
    .tp_init = context_init,
    .tp_new = context_tp_new,
    .tp_traverse = context_traverse,
    .tp_dealloc = context_dealloc,
};
