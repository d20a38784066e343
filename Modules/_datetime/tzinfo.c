/* tzinfo, the base class of time zones; timezone, those of a fixed offset; and calls of their methods. */
#include "datetime_internal.h"

PyObject *timezone_utc;

/* ---- Calls ---- */

static PyObject *bad_offset(PyObject *offset)
{
    PyErr_Format(PyExc_ValueError, "offset must be a timedelta strictly between -timedelta(hours=24) and "
                 "timedelta(hours=24).");
    Py_DECREF(offset);
    return NULL;
}

static int is_less_than_a_day(PyObject *delta)
{
    us_t us = delta_to_us(delta);
    return us > -US_PER_DAY && us < US_PER_DAY;
}

PyObject *tzinfo_call(PyObject *tzinfo, const char *name, PyObject *arg)
{
    if (tzinfo == Py_None)
        return Py_NewRef(Py_None);
    PyObject *offset = PyObject_CallMethod(tzinfo, name, "(O)", arg);
    if (offset == NULL || offset == Py_None)
        return offset;
    if (delta_check(offset))
        return is_less_than_a_day(offset) ? offset : bad_offset(offset);
    PyErr_Format(PyExc_TypeError, "tzinfo.%s() must return None or a timedelta, not '%.200s'", name, Py_TYPE(offset)->tp_name);
    Py_DECREF(offset);
    return NULL;
}

PyObject *call_tzname(PyObject *tzinfo, PyObject *arg)
{
    if (tzinfo == Py_None)
        return Py_NewRef(Py_None);
    PyObject *name = PyObject_CallMethod(tzinfo, "tzname", "(O)", arg);
    if (name == NULL || name == Py_None || PyUnicode_Check(name))
        return name;
    PyErr_Format(PyExc_TypeError, "tzinfo.tzname() must return None or a string, not '%s'", Py_TYPE(name)->tp_name);
    Py_DECREF(name);
    return NULL;
}

/* ---- tzinfo ---- */

static PyObject *must_implement(const char *name)
{
    PyErr_Format(PyExc_NotImplementedError, "a tzinfo subclass must implement %s()", name);
    return NULL;
}

static PyObject *tzinfo_tzname(PyObject *self, PyObject *dt)
{
    return must_implement("tzname");
}

static PyObject *tzinfo_utcoffset(PyObject *self, PyObject *dt)
{
    return must_implement("utcoffset");
}

static PyObject *tzinfo_dst(PyObject *self, PyObject *dt)
{
    return must_implement("dst");
}

static PyObject *add_delta_steal(PyObject *dt, PyObject *delta)
{
    PyObject *result = PyNumber_Add(dt, delta);
    Py_DECREF(delta);
    return result;
}

/* The standard offset is constant, so the local time without daylight saving is known; what daylight saving is then
 * decides the rest. */
static PyObject *tzinfo_fromutc(PyObject *self, PyObject *dt)
{
    PyObject *offset = NULL, *dst = NULL, *standard = NULL, *result = NULL;
    if (!datetime_check(dt)) {
        PyErr_SetString(PyExc_TypeError, "fromutc: argument must be a datetime");
        return NULL;
    }
    if (PyDateTime_DATE_GET_TZINFO(dt) != self) {
        PyErr_SetString(PyExc_ValueError, "fromutc: dt.tzinfo is not self");
        return NULL;
    }
    if ((offset = call_utcoffset(self, dt)) == NULL)
        goto done;
    if (offset == Py_None) {
        PyErr_SetString(PyExc_ValueError, "fromutc: non-None utcoffset() result required");
        goto done;
    }
    if ((dst = call_dst(self, dt)) == NULL)
        goto done;
    if (dst == Py_None) {
        PyErr_SetString(PyExc_ValueError, "fromutc: non-None dst() result required");
        goto done;
    }
    PyObject *delta = delta_from_us(delta_to_us(offset) - delta_to_us(dst), &delta_type);
    if (delta == NULL || (standard = add_delta_steal(dt, delta)) == NULL)
        goto done;
    Py_SETREF(dst, call_dst(self, standard));
    if (dst == NULL)
        goto done;
    if (dst == Py_None)
        PyErr_SetString(PyExc_ValueError, "fromutc: tz.dst() gave inconsistent results; cannot convert");
    else if (delta_to_us(dst) == 0)
        result = Py_NewRef(standard);
    else
        result = PyNumber_Add(standard, dst);
done:
    Py_XDECREF(offset);
    Py_XDECREF(dst);
    Py_XDECREF(standard);
    return result;
}

/* __getinitargs__ gives the arguments, the rest is that of object. */
static PyObject *tzinfo_reduce(PyObject *self, PyObject *unused)
{
    PyObject *method, *args, *state;
    if (PyObject_GetOptionalAttrString(self, "__getinitargs__", &method) < 0)
        return NULL;
    args = method == NULL ? PyTuple_New(0) : PyObject_CallNoArgs(method);
    Py_XDECREF(method);
    if (args == NULL)
        return NULL;
    state = PyObject_CallMethod(self, "__getstate__", NULL);
    if (state == NULL) {
        Py_DECREF(args);
        return NULL;
    }
    return Py_BuildValue("(ONN)", Py_TYPE(self), args, state);
}

static PyMethodDef tzinfo_methods[] = {
    {"tzname", tzinfo_tzname, METH_O, "datetime -> string name of time zone."},
    {"utcoffset", tzinfo_utcoffset, METH_O, "datetime -> timedelta showing offset from UTC, negative values indicating West of UTC"},
    {"dst", tzinfo_dst, METH_O, "datetime -> DST offset as timedelta positive east of UTC."},
    {"fromutc", tzinfo_fromutc, METH_O, "datetime in UTC -> datetime in local time."},
    {"__reduce__", tzinfo_reduce, METH_NOARGS, "-> (cls, state)"},
    {NULL, NULL, 0, NULL},
};

PyTypeObject tzinfo_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "datetime.tzinfo",
    .tp_basicsize = sizeof(PyDateTime_TZInfo),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "Abstract base class for time zone info objects.",
    .tp_methods = tzinfo_methods,
    .tp_new = PyType_GenericNew,
};

/* ---- timezone ---- */

typedef struct {
    PyObject_HEAD
    PyObject *offset;           /* [const] counted: timedelta */
    PyObject *name;             /* [const] counted: str, or NULL */
} timezone_t;

/* Without a look at whether it is utc. */
static PyObject *make(PyObject *offset, PyObject *name)
{
    timezone_t *self = (timezone_t *)timezone_type.tp_alloc(&timezone_type, 0);
    if (self != NULL) {
        self->offset = Py_NewRef(offset);
        self->name = Py_XNewRef(name);
    }
    return (PyObject *)self;
}

PyObject *timezone_new_exact(PyObject *offset, PyObject *name)
{
    if (name == NULL && timezone_utc != NULL && delta_to_us(offset) == 0)
        return Py_NewRef(timezone_utc);
    if (!is_less_than_a_day(offset)) {
        PyErr_Format(PyExc_ValueError, "offset must be a timedelta strictly between -timedelta(hours=24) and "
                     "timedelta(hours=24), not %R.", offset);
        return NULL;
    }
    return make(offset, name);
}

PyObject *timezone_from_us(us_t us)
{
    PyObject *offset = delta_from_us(us, &delta_type), *result;
    if (offset == NULL)
        return NULL;
    result = timezone_new_exact(offset, NULL);
    Py_DECREF(offset);
    return result;
}

static PyObject *timezone_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"offset", "name", NULL};
    PyObject *offset, *name = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!|U:timezone", keywords, &delta_type, &offset, &name))
        return NULL;
    return timezone_new_exact(offset, name);
}

static void timezone_dealloc(PyObject *op)
{
    Py_XDECREF(((timezone_t *)op)->offset);
    Py_XDECREF(((timezone_t *)op)->name);
    Py_TYPE(op)->tp_free(op);
}

static PyObject *timezone_richcompare(PyObject *a, PyObject *b, int op)
{
    if ((op != Py_EQ && op != Py_NE) || !PyObject_TypeCheck(b, &timezone_type))
        Py_RETURN_NOTIMPLEMENTED;
    return PyObject_RichCompare(((timezone_t *)a)->offset, ((timezone_t *)b)->offset, op);
}

static Py_hash_t timezone_hash(PyObject *op)
{
    return PyObject_Hash(((timezone_t *)op)->offset);
}

static int check_argument(PyObject *dt, const char *name)
{
    if (dt == Py_None || datetime_check(dt))
        return 0;
    PyErr_Format(PyExc_TypeError, "%s(dt) argument must be a datetime instance or None, not %.200s", name, Py_TYPE(dt)->tp_name);
    return -1;
}

static PyObject *timezone_str(PyObject *op)
{
    timezone_t *self = (timezone_t *)op;
    if (self->name != NULL)
        return Py_NewRef(self->name);
    us_t us = delta_to_us(self->offset);
    if (us == 0)
        return PyUnicode_FromString("UTC");
    char text[64], sign = us < 0 ? '-' : '+';
    long long rest = (long long)(us < 0 ? -us : us), seconds = rest / US_PER_SECOND;
    int n = snprintf(text, sizeof(text), "UTC%c%02d:%02d", sign, (int)(seconds / 3600), (int)(seconds / 60 % 60));
    if (rest % (60LL * US_PER_SECOND) != 0)
        n += snprintf(text + n, sizeof(text) - (size_t)n, ":%02d", (int)(seconds % 60));
    if (rest % US_PER_SECOND != 0)
        n += snprintf(text + n, sizeof(text) - (size_t)n, ".%06d", (int)(rest % US_PER_SECOND));
    return PyUnicode_FromStringAndSize(text, n);
}

static PyObject *timezone_repr(PyObject *op)
{
    timezone_t *self = (timezone_t *)op;
    if (op == timezone_utc)
        return PyUnicode_FromString("datetime.timezone.utc");
    if (self->name == NULL)
        return PyUnicode_FromFormat("%s(%R)", Py_TYPE(op)->tp_name, self->offset);
    return PyUnicode_FromFormat("%s(%R, %R)", Py_TYPE(op)->tp_name, self->offset, self->name);
}

static PyObject *timezone_tzname(PyObject *op, PyObject *dt)
{
    return check_argument(dt, "tzname") < 0 ? NULL : timezone_str(op);
}

static PyObject *timezone_utcoffset(PyObject *op, PyObject *dt)
{
    return check_argument(dt, "utcoffset") < 0 ? NULL : Py_NewRef(((timezone_t *)op)->offset);
}

static PyObject *timezone_dst(PyObject *op, PyObject *dt)
{
    return check_argument(dt, "dst") < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *timezone_fromutc(PyObject *op, PyObject *dt)
{
    if (!datetime_check(dt)) {
        PyErr_SetString(PyExc_TypeError, "fromutc() argument must be a datetime instance");
        return NULL;
    }
    if (PyDateTime_DATE_GET_TZINFO(dt) != op) {
        PyErr_SetString(PyExc_ValueError, "fromutc: dt.tzinfo is not self");
        return NULL;
    }
    return PyNumber_Add(dt, ((timezone_t *)op)->offset);
}

static PyObject *timezone_getinitargs(PyObject *op, PyObject *unused)
{
    timezone_t *self = (timezone_t *)op;
    return self->name == NULL ? PyTuple_Pack(1, self->offset) : PyTuple_Pack(2, self->offset, self->name);
}

static PyMethodDef timezone_methods[] = {
    {"tzname", timezone_tzname, METH_O, "The name given to the timezone, or one made of the offset: 'UTC(+|-)HH:MM'."},
    {"utcoffset", timezone_utcoffset, METH_O, "Return fixed offset."},
    {"dst", timezone_dst, METH_O, "Return None."},
    {"fromutc", timezone_fromutc, METH_O, "datetime in UTC -> datetime in local time."},
    {"__getinitargs__", timezone_getinitargs, METH_NOARGS, "pickle support"},
    {NULL, NULL, 0, NULL},
};

PyTypeObject timezone_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "datetime.timezone",
    .tp_basicsize = sizeof(timezone_t),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "Fixed offset from UTC implementation of tzinfo.",
    .tp_base = &tzinfo_type,
    .tp_repr = timezone_repr,
    .tp_str = timezone_str,
    .tp_hash = timezone_hash,
    .tp_richcompare = timezone_richcompare,
    .tp_methods = timezone_methods,
    .tp_new = timezone_new,
    .tp_dealloc = timezone_dealloc,
};
