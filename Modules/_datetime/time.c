/* time objects. */
#include "datetime_internal.h"

/* ---- Making ---- */

static PyObject *make(const fields_t *f, PyTypeObject *type)
{
    PyDateTime_Time *self = (PyDateTime_Time *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    self->hashcode = -1;
    self->data[0] = (unsigned char)f->hour;
    self->data[1] = (unsigned char)f->minute;
    self->data[2] = (unsigned char)f->second;
    self->data[3] = (unsigned char)(f->us >> 16);
    self->data[4] = (unsigned char)(f->us >> 8);
    self->data[5] = (unsigned char)f->us;
    self->fold = (unsigned char)f->fold;
    self->hastzinfo = f->tzinfo != Py_None;
    if (self->hastzinfo)
        self->tzinfo = Py_NewRef(f->tzinfo);
    return (PyObject *)self;
}

PyObject *time_new_exact(const fields_t *f, PyTypeObject *type)
{
    return check_time(f) < 0 || check_tzinfo(f->tzinfo) < 0 ? NULL : make(f, type);
}

/* Through the constructor, if type is a subclass. */
static PyObject *new_for(const fields_t *f, PyTypeObject *type)
{
    if (type == &time_type)
        return time_new_exact(f, type);
    PyObject *args = Py_BuildValue("(iiiiO)", f->hour, f->minute, f->second, f->us, f->tzinfo), *kwargs = NULL, *result = NULL;
    if (args != NULL && (f->fold == 0 || (kwargs = Py_BuildValue("{si}", "fold", f->fold)) != NULL))
        result = PyObject_Call((PyObject *)type, args, kwargs);
    Py_XDECREF(args);
    Py_XDECREF(kwargs);
    return result;
}

static PyObject *from_state(PyTypeObject *type, PyObject *state, PyObject *tzinfo, int *unusable)
{
    PyObject *bytes = state_bytes(state, _PyDateTime_TIME_DATASIZE, -1, "time", unusable), *self = NULL;
    if (bytes == NULL)
        return NULL;
    if (tzinfo != Py_None && !tzinfo_check(tzinfo))
        PyErr_SetString(PyExc_TypeError, "bad tzinfo state arg");
    else {
        const unsigned char *data = (const unsigned char *)PyBytes_AS_STRING(bytes);
        fields_t f = {.hour = data[0] & 0x7f, .minute = data[1], .second = data[2],
                      .us = data[3] << 16 | data[4] << 8 | data[5], .fold = data[0] >> 7, .tzinfo = tzinfo};
        self = make(&f, type);
    }
    Py_DECREF(bytes);
    return self;
}

static PyObject *time_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"hour", "minute", "second", "microsecond", "tzinfo", "fold", NULL};
    fields_t f = {.tzinfo = Py_None};
    int unusable;
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    if (n >= 1 && n <= 2) {
        PyObject *self = from_state(type, PyTuple_GET_ITEM(args, 0), n == 2 ? PyTuple_GET_ITEM(args, 1) : Py_None, &unusable);
        if (self != NULL || !unusable)
            return self;
    }
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|iiiiO$i", keywords, &f.hour, &f.minute, &f.second, &f.us, &f.tzinfo, &f.fold))
        return NULL;
    return time_new_exact(&f, type);
}

static void time_dealloc(PyObject *op)
{
    PyDateTime_Time *self = (PyDateTime_Time *)op;
    if (self->hastzinfo)
        Py_XDECREF(self->tzinfo);
    Py_TYPE(op)->tp_free(op);
}

static PyObject *time_fromisoformat(PyObject *cls, PyObject *text)
{
    fields_t f = {.fold = 0};
    PyObject *tzinfo, *result;
    if (!PyUnicode_Check(text)) {
        PyErr_SetString(PyExc_TypeError, "fromisoformat: argument must be str");
        return NULL;
    }
    if (parse_iso_time(text, &f, &tzinfo) < 0)
        return NULL;
    f.tzinfo = tzinfo == NULL ? Py_None : tzinfo;
    result = new_for(&f, (PyTypeObject *)cls);
    Py_XDECREF(tzinfo);
    return result;
}

/* ---- Time zone ---- */

static PyObject *time_utcoffset(PyObject *op, PyObject *unused)
{
    return call_utcoffset(PyDateTime_TIME_GET_TZINFO(op), Py_None);
}

static PyObject *time_dst(PyObject *op, PyObject *unused)
{
    return call_dst(PyDateTime_TIME_GET_TZINFO(op), Py_None);
}

static PyObject *time_tzname(PyObject *op, PyObject *unused)
{
    return call_tzname(PyDateTime_TIME_GET_TZINFO(op), Py_None);
}

/* ---- Text ---- */

static PyObject *time_repr(PyObject *op)
{
    fields_t f = time_fields(op);
    char text[96];
    int n = snprintf(text, sizeof(text), "%d, %d", f.hour, f.minute);
    if (f.second != 0 || f.us != 0)
        n += snprintf(text + n, sizeof(text) - (size_t)n, ", %d", f.second);
    if (f.us != 0)
        n += snprintf(text + n, sizeof(text) - (size_t)n, ", %d", f.us);
    const char *fold = f.fold ? ", fold=1" : "";
    if (f.tzinfo == Py_None)
        return PyUnicode_FromFormat("%s(%s%s)", Py_TYPE(op)->tp_name, text, fold);
    return PyUnicode_FromFormat("%s(%s, tzinfo=%R%s)", Py_TYPE(op)->tp_name, text, f.tzinfo, fold);
}

static PyObject *isoformat(PyObject *op, const char *timespec)
{
    fields_t f = time_fields(op);
    char text[96];
    int n = format_time(text, &f, timespec), m = 0;
    if (n < 0)
        return NULL;
    if (f.tzinfo != Py_None && (m = format_offset(text + n, ":", f.tzinfo, Py_None)) < 0)
        return NULL;
    return PyUnicode_FromStringAndSize(text, n + m);
}

static PyObject *time_isoformat(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"timespec", NULL};
    const char *timespec = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|s:isoformat", keywords, &timespec))
        return NULL;
    return isoformat(op, timespec);
}

static PyObject *time_str(PyObject *op)
{
    return PyObject_CallMethod(op, "isoformat", NULL);
}

static PyObject *time_strftime(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"format", NULL};
    fields_t f = time_fields(op);
    PyObject *format, *tuple, *result;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "U:strftime", keywords, &format))
        return NULL;
    /* a date that platforms can format */
    tuple = Py_BuildValue("iiiiiiiii", 1900, 1, 1, f.hour, f.minute, f.second, 0, 1, -1);
    if (tuple == NULL)
        return NULL;
    result = wrap_strftime(op, format, tuple, Py_None, f.us);
    Py_DECREF(tuple);
    return result;
}

/* ---- Comparison ---- */

static us_t clock_us(PyObject *op)
{
    fields_t f = time_fields(op);
    return ((us_t)(f.hour * 60 + f.minute) * 60 + f.second) * US_PER_SECOND + f.us;
}

static PyObject *time_richcompare(PyObject *a, PyObject *b, int op)
{
    if (!time_check(b))
        Py_RETURN_NOTIMPLEMENTED;
    if (PyDateTime_TIME_GET_TZINFO(a) == PyDateTime_TIME_GET_TZINFO(b))
        return compare_result(memcmp(((PyDateTime_Time *)a)->data, ((PyDateTime_Time *)b)->data, _PyDateTime_TIME_DATASIZE), op);
    PyObject *offset_a = time_utcoffset(a, NULL), *offset_b = offset_a == NULL ? NULL : time_utcoffset(b, NULL), *result = NULL;
    if (offset_b == NULL)
        goto done;
    if (offset_a != Py_None && offset_b != Py_None) {
        us_t x = clock_us(a) - delta_to_us(offset_a), y = clock_us(b) - delta_to_us(offset_b);
        result = compare_result(x < y ? -1 : x > y, op);
    }
    else if (offset_a == offset_b)
        result = compare_result(memcmp(((PyDateTime_Time *)a)->data, ((PyDateTime_Time *)b)->data, _PyDateTime_TIME_DATASIZE), op);
    else if (op == Py_EQ || op == Py_NE)
        result = PyBool_FromLong(op == Py_NE);
    else
        PyErr_SetString(PyExc_TypeError, "can't compare offset-naive and offset-aware times");
done:
    Py_XDECREF(offset_a);
    Py_XDECREF(offset_b);
    return result;
}

/* That of the time in UTC, so that equal times have equal hashes. */
static Py_hash_t compute_hash(PyObject *op)
{
    PyDateTime_Time *self = (PyDateTime_Time *)op;
    PyObject *plain = NULL, *offset, *delta;
    if (self->fold) {
        fields_t f = time_fields(op);
        f.fold = 0;
        plain = make(&f, &time_type);
        if (plain == NULL)
            return -1;
    }
    offset = time_utcoffset(plain != NULL ? plain : op, NULL);
    Py_XDECREF(plain);
    if (offset == NULL)
        return -1;
    if (offset == Py_None)
        return hash_of_bytes(self->data, _PyDateTime_TIME_DATASIZE);
    us_t us = clock_us(op) - delta_to_us(offset);
    Py_DECREF(offset);
    if (us >= 0 && us < US_PER_DAY) {
        fields_t f = {.hour = (int)(us / US_PER_SECOND / 3600), .minute = (int)(us / US_PER_SECOND / 60 % 60),
                      .second = (int)(us / US_PER_SECOND % 60), .us = (int)(us % US_PER_SECOND), .tzinfo = Py_None};
        plain = make(&f, &time_type);
        if (plain == NULL)
            return -1;
        Py_hash_t hash = PyObject_Hash(plain);
        Py_DECREF(plain);
        return hash;
    }
    delta = delta_from_us(us, &delta_type);
    if (delta == NULL)
        return -1;
    Py_hash_t hash = PyObject_Hash(delta);
    Py_DECREF(delta);
    return hash;
}

static Py_hash_t time_hash(PyObject *op)
{
    PyDateTime_Time *self = (PyDateTime_Time *)op;
    Py_hash_t hash = __atomic_load_n(&self->hashcode, __ATOMIC_RELAXED);
    if (hash == -1) {
        hash = compute_hash(op);
        __atomic_store_n(&self->hashcode, hash, __ATOMIC_RELAXED);
    }
    return hash;
}

/* ---- Methods ---- */

static PyObject *time_replace(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"hour", "minute", "second", "microsecond", "tzinfo", "fold", NULL};
    fields_t f = time_fields(op);
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|iiiiO$i:replace", keywords, &f.hour, &f.minute, &f.second, &f.us, &f.tzinfo,
                                     &f.fold))
        return NULL;
    if (f.fold != 0 && f.fold != 1) {
        PyErr_SetString(PyExc_ValueError, "fold must be either 0 or 1");
        return NULL;
    }
    return new_for(&f, Py_TYPE(op));
}

/* The bytes, with the fold in the highest bit from protocol 4 on. */
static PyObject *reduce(PyObject *op, int protocol)
{
    PyDateTime_Time *self = (PyDateTime_Time *)op;
    PyObject *state = PyBytes_FromStringAndSize((char *)self->data, _PyDateTime_TIME_DATASIZE), *args;
    if (state == NULL)
        return NULL;
    if (protocol > 3 && self->fold)
        PyBytes_AS_STRING(state)[0] |= (char)0x80;
    args = self->hastzinfo ? PyTuple_Pack(2, state, self->tzinfo) : PyTuple_Pack(1, state);
    Py_DECREF(state);
    return args == NULL ? NULL : Py_BuildValue("(ON)", Py_TYPE(op), args);
}

static PyObject *time_reduce_ex(PyObject *op, PyObject *args)
{
    int protocol;
    if (!PyArg_ParseTuple(args, "i:__reduce_ex__", &protocol))
        return NULL;
    return reduce(op, protocol);
}

static PyObject *time_reduce(PyObject *op, PyObject *unused)
{
    return reduce(op, 2);
}

static PyObject *get_hour(PyObject *op, void *unused)
{
    return PyLong_FromLong(PyDateTime_TIME_GET_HOUR(op));
}

static PyObject *get_minute(PyObject *op, void *unused)
{
    return PyLong_FromLong(PyDateTime_TIME_GET_MINUTE(op));
}

static PyObject *get_second(PyObject *op, void *unused)
{
    return PyLong_FromLong(PyDateTime_TIME_GET_SECOND(op));
}

static PyObject *get_microsecond(PyObject *op, void *unused)
{
    return PyLong_FromLong(PyDateTime_TIME_GET_MICROSECOND(op));
}

static PyObject *get_tzinfo(PyObject *op, void *unused)
{
    return Py_NewRef(PyDateTime_TIME_GET_TZINFO(op));
}

static PyObject *get_fold(PyObject *op, void *unused)
{
    return PyLong_FromLong(PyDateTime_TIME_GET_FOLD(op));
}

static PyGetSetDef time_getset[] = {
    {"hour", get_hour, NULL, NULL, NULL},
    {"minute", get_minute, NULL, NULL, NULL},
    {"second", get_second, NULL, NULL, NULL},
    {"microsecond", get_microsecond, NULL, NULL, NULL},
    {"tzinfo", get_tzinfo, NULL, NULL, NULL},
    {"fold", get_fold, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMethodDef time_methods[] = {
    MODULE_METHOD("isoformat", time_isoformat, METH_VARARGS | METH_KEYWORDS,
                  "The text in ISO 8601 format, [HH[:MM[:SS[.mmm[uuu]]]]][+HH:MM].\n\n"
                  "timespec tells how far it goes: 'auto', 'hours', 'minutes', 'seconds', 'milliseconds' or 'microseconds'."),
    MODULE_METHOD("strftime", time_strftime, METH_VARARGS | METH_KEYWORDS, "format -> text in that format, see time.strftime."),
    {"__format__", format_method, METH_VARARGS, "Formats self with strftime."},
    {"utcoffset", time_utcoffset, METH_NOARGS, "Return self.tzinfo.utcoffset(self)."},
    {"tzname", time_tzname, METH_NOARGS, "Return self.tzinfo.tzname(self)."},
    {"dst", time_dst, METH_NOARGS, "Return self.tzinfo.dst(self)."},
    MODULE_METHOD("replace", time_replace, METH_VARARGS | METH_KEYWORDS, "A time with the given fields replaced."),
    {"fromisoformat", time_fromisoformat, METH_O | METH_CLASS, "string -> the time that a string in ISO 8601 format tells"},
    {"__reduce_ex__", time_reduce_ex, METH_VARARGS, "__reduce_ex__(proto) -> (cls, state)"},
    {"__reduce__", time_reduce, METH_NOARGS, "__reduce__() -> (cls, state)"},
    {NULL, NULL, 0, NULL},
};

PyTypeObject time_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "datetime.time",
    .tp_basicsize = sizeof(PyDateTime_Time),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "time([hour[, minute[, second[, microsecond[, tzinfo]]]]]) --> a time object\n\n"
              "All arguments are optional. tzinfo may be None, or an instance of a tzinfo subclass; the others are ints.",
    .tp_repr = time_repr,
    .tp_str = time_str,
    .tp_hash = time_hash,
    .tp_richcompare = time_richcompare,
    .tp_methods = time_methods,
    .tp_getset = time_getset,
    .tp_new = time_new,
    .tp_dealloc = time_dealloc,
};
