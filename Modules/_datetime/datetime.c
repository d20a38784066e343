/* datetime objects: arithmetic, comparison, methods. */
#include "datetime_internal.h"

static void datetime_dealloc(PyObject *op)
{
    PyDateTime_DateTime *self = (PyDateTime_DateTime *)op;
    if (self->hastzinfo)
        Py_XDECREF(self->tzinfo);
    Py_TYPE(op)->tp_free(op);
}

/* ---- Time zone ---- */

static PyObject *datetime_utcoffset(PyObject *op, PyObject *unused)
{
    return call_utcoffset(PyDateTime_DATE_GET_TZINFO(op), op);
}

static PyObject *datetime_dst(PyObject *op, PyObject *unused)
{
    return call_dst(PyDateTime_DATE_GET_TZINFO(op), op);
}

static PyObject *datetime_tzname(PyObject *op, PyObject *unused)
{
    return call_tzname(PyDateTime_DATE_GET_TZINFO(op), op);
}

static us_t us_of(PyObject *op)
{
    fields_t f = datetime_fields(op);
    return fields_to_us(&f);
}

/* ---- Arithmetic ---- */

static PyObject *add_delta(PyObject *dt, PyObject *delta, int factor)
{
    return datetime_from_us(us_of(dt) + factor * delta_to_us(delta), PyDateTime_DATE_GET_TZINFO(dt), Py_TYPE(dt));
}

static PyObject *datetime_add(PyObject *a, PyObject *b)
{
    if (datetime_check(a))
        return delta_check(b) ? add_delta(a, b, 1) : Py_NewRef(Py_NotImplemented);
    return delta_check(a) && datetime_check(b) ? add_delta(b, a, 1) : Py_NewRef(Py_NotImplemented);
}

static PyObject *difference(PyObject *a, PyObject *b)
{
    us_t us = us_of(a) - us_of(b);
    if (PyDateTime_DATE_GET_TZINFO(a) == PyDateTime_DATE_GET_TZINFO(b))
        return delta_from_us(us, &delta_type);
    PyObject *offset_a = datetime_utcoffset(a, NULL), *offset_b = offset_a == NULL ? NULL : datetime_utcoffset(b, NULL);
    PyObject *result = NULL;
    if (offset_b == NULL)
        ;
    else if ((offset_a == Py_None) != (offset_b == Py_None))
        PyErr_SetString(PyExc_TypeError, "can't subtract offset-naive and offset-aware datetimes");
    else {
        if (offset_a != Py_None)
            us -= delta_to_us(offset_a) - delta_to_us(offset_b);
        result = delta_from_us(us, &delta_type);
    }
    Py_XDECREF(offset_a);
    Py_XDECREF(offset_b);
    return result;
}

static PyObject *datetime_subtract(PyObject *a, PyObject *b)
{
    if (!datetime_check(a))
        Py_RETURN_NOTIMPLEMENTED;
    if (datetime_check(b))
        return difference(a, b);
    if (delta_check(b))
        return add_delta(a, b, -1);
    Py_RETURN_NOTIMPLEMENTED;
}

static PyNumberMethods datetime_as_number = {.nb_add = datetime_add, .nb_subtract = datetime_subtract};

/* ---- Comparison ---- */

/* dt with the other fold; a plain datetime. */
static PyObject *flip_fold(PyObject *dt)
{
    fields_t f = datetime_fields(dt);
    f.fold = !f.fold;
    return datetime_new_exact(&f, &datetime_type);
}

/* Does the offset of dt depend on the fold? Such a time equals none of another zone (PEP 495). 1, 0, -1. */
static int is_exceptional(PyObject *dt, PyObject *offset)
{
    PyObject *flipped, *other;
    if (offset == Py_None)
        return 0;
    flipped = flip_fold(dt);
    if (flipped == NULL)
        return -1;
    other = datetime_utcoffset(flipped, NULL);
    Py_DECREF(flipped);
    if (other == NULL)
        return -1;
    int result = other == Py_None || delta_to_us(other) != delta_to_us(offset);
    Py_DECREF(other);
    return result;
}

static PyObject *compare_data(PyObject *a, PyObject *b, int op)
{
    return compare_result(memcmp(((PyDateTime_DateTime *)a)->data, ((PyDateTime_DateTime *)b)->data,
                                 _PyDateTime_DATETIME_DATASIZE), op);
}

/* Times of different zones. */
static PyObject *compare_aware(PyObject *a, PyObject *b, PyObject *offset_a, PyObject *offset_b, int op)
{
    int equality = op == Py_EQ || op == Py_NE;
    if (offset_a == Py_None && offset_b == Py_None)
        return compare_data(a, b, op);
    if (offset_a == Py_None || offset_b == Py_None) {
        if (equality)
            return PyBool_FromLong(op == Py_NE);
        PyErr_SetString(PyExc_TypeError, "can't compare offset-naive and offset-aware datetimes");
        return NULL;
    }
    us_t x = us_of(a) - delta_to_us(offset_a), y = us_of(b) - delta_to_us(offset_b);
    if (equality) {
        int exceptional = is_exceptional(a, offset_a);
        if (exceptional == 0)
            exceptional = is_exceptional(b, offset_b);
        if (exceptional != 0)
            return exceptional < 0 ? NULL : PyBool_FromLong(op == Py_NE);
    }
    return compare_result(x < y ? -1 : x > y, op);
}

static PyObject *datetime_richcompare(PyObject *a, PyObject *b, int op)
{
    if (!datetime_check(b)) {
        if (!date_check(b))
            Py_RETURN_NOTIMPLEMENTED;
        /* a date is not a point in time, though datetime inherits from date */
        if (op == Py_EQ || op == Py_NE)
            return PyBool_FromLong(op == Py_NE);
        return cannot_compare(a, b);
    }
    if (PyDateTime_DATE_GET_TZINFO(a) == PyDateTime_DATE_GET_TZINFO(b))
        return compare_data(a, b, op);
    PyObject *offset_a = datetime_utcoffset(a, NULL), *offset_b = offset_a == NULL ? NULL : datetime_utcoffset(b, NULL);
    PyObject *result = NULL;
    if (offset_b != NULL)
        result = compare_aware(a, b, offset_a, offset_b, op);
    Py_XDECREF(offset_a);
    Py_XDECREF(offset_b);
    return result;
}

/* That of the time in UTC, without regard to the fold. */
static Py_hash_t compute_hash(PyObject *op)
{
    PyDateTime_DateTime *self = (PyDateTime_DateTime *)op;
    PyObject *plain = self->fold ? flip_fold(op) : Py_NewRef(op), *offset, *delta;
    if (plain == NULL)
        return -1;
    offset = datetime_utcoffset(plain, NULL);
    Py_DECREF(plain);
    if (offset == NULL)
        return -1;
    if (offset == Py_None)
        return hash_of_bytes(self->data, _PyDateTime_DATETIME_DATASIZE);
    delta = delta_from_us(us_of(op) - delta_to_us(offset), &delta_type);
    Py_DECREF(offset);
    if (delta == NULL)
        return -1;
    Py_hash_t hash = PyObject_Hash(delta);
    Py_DECREF(delta);
    return hash;
}

static Py_hash_t datetime_hash(PyObject *op)
{
    PyDateTime_DateTime *self = (PyDateTime_DateTime *)op;
    Py_hash_t hash = __atomic_load_n(&self->hashcode, __ATOMIC_RELAXED);
    if (hash == -1) {
        hash = compute_hash(op);
        __atomic_store_n(&self->hashcode, hash, __ATOMIC_RELAXED);
    }
    return hash;
}

/* ---- Text ---- */

static PyObject *datetime_repr(PyObject *op)
{
    fields_t f = datetime_fields(op);
    char text[128];
    int n = snprintf(text, sizeof(text), "%d, %d, %d, %d, %d", f.year, f.month, f.day, f.hour, f.minute);
    if (f.second != 0 || f.us != 0)
        n += snprintf(text + n, sizeof(text) - (size_t)n, ", %d", f.second);
    if (f.us != 0)
        n += snprintf(text + n, sizeof(text) - (size_t)n, ", %d", f.us);
    const char *fold = f.fold ? ", fold=1" : "";
    if (f.tzinfo == Py_None)
        return PyUnicode_FromFormat("%s(%s%s)", Py_TYPE(op)->tp_name, text, fold);
    return PyUnicode_FromFormat("%s(%s%s, tzinfo=%R)", Py_TYPE(op)->tp_name, text, fold, f.tzinfo);
}

static PyObject *isoformat(PyObject *op, int separator, const char *timespec)
{
    fields_t f = datetime_fields(op);
    char text[96];
    int n = format_time(text, &f, timespec);
    if (n < 0 || (f.tzinfo != Py_None && format_offset(text + n, ":", f.tzinfo, op) < 0))
        return NULL;
    return PyUnicode_FromFormat("%04d-%02d-%02d%c%s", f.year, f.month, f.day, separator, text);
}

static PyObject *datetime_isoformat(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"sep", "timespec", NULL};
    int separator = 'T';
    const char *timespec = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|Cs:isoformat", keywords, &separator, &timespec))
        return NULL;
    return isoformat(op, separator, timespec);
}

static PyObject *datetime_str(PyObject *op)
{
    return PyObject_CallMethod(op, "isoformat", "s", " ");
}

static PyObject *datetime_ctime(PyObject *op, PyObject *unused)
{
    fields_t f = datetime_fields(op);
    return format_ctime(&f);
}

/* ---- Parts ---- */

static PyObject *datetime_getdate(PyObject *op, PyObject *unused)
{
    return date_new_exact(PyDateTime_GET_YEAR(op), PyDateTime_GET_MONTH(op), PyDateTime_GET_DAY(op), &date_type);
}

static PyObject *datetime_gettime(PyObject *op, PyObject *unused)
{
    fields_t f = datetime_fields(op);
    f.tzinfo = Py_None;
    return time_new_exact(&f, &time_type);
}

static PyObject *datetime_gettimetz(PyObject *op, PyObject *unused)
{
    fields_t f = datetime_fields(op);
    return time_new_exact(&f, &time_type);
}

static PyObject *datetime_timetuple(PyObject *op, PyObject *unused)
{
    fields_t f = datetime_fields(op);
    int dst = -1;
    if (f.tzinfo != Py_None) {
        PyObject *delta = call_dst(f.tzinfo, op);
        if (delta == NULL)
            return NULL;
        if (delta != Py_None)
            dst = delta_to_us(delta) != 0;
        Py_DECREF(delta);
    }
    return build_struct_time(&f, dst);
}

static PyObject *datetime_utctimetuple(PyObject *op, PyObject *unused)
{
    fields_t f = datetime_fields(op);
    PyObject *offset = call_utcoffset(f.tzinfo, op);
    if (offset == NULL)
        return NULL;
    int failed = offset != Py_None && us_to_fields(fields_to_us(&f) - delta_to_us(offset), &f) < 0;
    Py_DECREF(offset);
    return failed ? NULL : build_struct_time(&f, 0);
}

static PyObject *datetime_timestamp(PyObject *op, PyObject *unused)
{
    fields_t f = datetime_fields(op);
    if (f.tzinfo != Py_None) {
        PyObject *delta = difference(op, datetime_epoch), *result;
        if (delta == NULL)
            return NULL;
        result = PyObject_CallMethod(delta, "total_seconds", NULL);
        Py_DECREF(delta);
        return result;
    }
    long long seconds = local_timestamp(&f);
    if (seconds == -1 && PyErr_Occurred())
        return NULL;
    return PyFloat_FromDouble((double)seconds + f.us / 1e6);
}

/* ---- Other times ---- */

static PyObject *datetime_replace(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"year", "month", "day", "hour", "minute", "second", "microsecond", "tzinfo", "fold", NULL};
    fields_t f = datetime_fields(op);
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|iiiiiiiO$i:replace", keywords, &f.year, &f.month, &f.day, &f.hour, &f.minute,
                                     &f.second, &f.us, &f.tzinfo, &f.fold))
        return NULL;
    if (f.fold != 0 && f.fold != 1) {
        PyErr_SetString(PyExc_ValueError, "fold must be either 0 or 1");
        return NULL;
    }
    return datetime_new_for(&f, Py_TYPE(op));
}

/* The zone that the system has at a local time. */
static PyObject *zone_of_local_time(PyObject *op)
{
    fields_t f = datetime_fields(op);
    long long seconds = local_timestamp(&f);
    if (seconds == -1 && PyErr_Occurred())
        return NULL;
    return local_timezone((time_t)seconds);
}

/* The zone that the system has at a time in UTC. */
static PyObject *zone_of_utc_us(us_t us)
{
    us_t seconds = us / US_PER_SECOND - 719162LL * SECONDS_PER_DAY;
    return local_timezone((time_t)(seconds - (us % US_PER_SECOND < 0)));
}

static PyObject *datetime_astimezone(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"tz", NULL};
    PyObject *zone = Py_None, *own, *offset = NULL, *utc = NULL, *result = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:astimezone", keywords, &zone) || check_tzinfo(zone) < 0)
        return NULL;
    Py_INCREF(zone);
    own = PyDateTime_DATE_GET_TZINFO(op);
    Py_INCREF(own);
    if (own == zone && own != Py_None) {
        result = Py_NewRef(op);
        goto done;
    }
    if (own != Py_None && (offset = call_utcoffset(own, op)) == NULL)
        goto done;
    if (offset == NULL || offset == Py_None) {
        /* naive: local time */
        Py_SETREF(own, zone_of_local_time(op));
        if (own == NULL)
            goto done;
        Py_XSETREF(offset, call_utcoffset(own, op));
        if (offset == NULL)
            goto done;
    }
    us_t us = us_of(op) - delta_to_us(offset);
    if (zone == Py_None) {
        Py_SETREF(zone, zone_of_utc_us(us));
        if (zone == NULL)
            goto done;
    }
    fields_t f = {.tzinfo = zone};
    if (us_to_fields(us, &f) == 0 && (utc = datetime_new_for(&f, Py_TYPE(op))) != NULL)
        result = zone == timezone_utc ? Py_NewRef(utc) : PyObject_CallMethod(zone, "fromutc", "O", utc);
done:
    Py_XDECREF(zone);
    Py_XDECREF(own);
    Py_XDECREF(offset);
    Py_XDECREF(utc);
    return result;
}

/* The bytes, with the fold in the highest bit of the month from protocol 4 on. */
static PyObject *reduce(PyObject *op, int protocol)
{
    PyDateTime_DateTime *self = (PyDateTime_DateTime *)op;
    PyObject *state = PyBytes_FromStringAndSize((char *)self->data, _PyDateTime_DATETIME_DATASIZE), *args;
    if (state == NULL)
        return NULL;
    if (protocol > 3 && self->fold)
        PyBytes_AS_STRING(state)[2] |= (char)0x80;
    args = self->hastzinfo ? PyTuple_Pack(2, state, self->tzinfo) : PyTuple_Pack(1, state);
    Py_DECREF(state);
    return args == NULL ? NULL : Py_BuildValue("(ON)", Py_TYPE(op), args);
}

static PyObject *datetime_reduce_ex(PyObject *op, PyObject *args)
{
    int protocol;
    if (!PyArg_ParseTuple(args, "i:__reduce_ex__", &protocol))
        return NULL;
    return reduce(op, protocol);
}

static PyObject *datetime_reduce(PyObject *op, PyObject *unused)
{
    return reduce(op, 2);
}

/* ---- The type ---- */

static PyObject *get_hour(PyObject *op, void *unused)
{
    return PyLong_FromLong(PyDateTime_DATE_GET_HOUR(op));
}

static PyObject *get_minute(PyObject *op, void *unused)
{
    return PyLong_FromLong(PyDateTime_DATE_GET_MINUTE(op));
}

static PyObject *get_second(PyObject *op, void *unused)
{
    return PyLong_FromLong(PyDateTime_DATE_GET_SECOND(op));
}

static PyObject *get_microsecond(PyObject *op, void *unused)
{
    return PyLong_FromLong(PyDateTime_DATE_GET_MICROSECOND(op));
}

static PyObject *get_tzinfo(PyObject *op, void *unused)
{
    return Py_NewRef(PyDateTime_DATE_GET_TZINFO(op));
}

static PyObject *get_fold(PyObject *op, void *unused)
{
    return PyLong_FromLong(PyDateTime_DATE_GET_FOLD(op));
}

static PyGetSetDef datetime_getset[] = {
    {"hour", get_hour, NULL, NULL, NULL},
    {"minute", get_minute, NULL, NULL, NULL},
    {"second", get_second, NULL, NULL, NULL},
    {"microsecond", get_microsecond, NULL, NULL, NULL},
    {"tzinfo", get_tzinfo, NULL, NULL, NULL},
    {"fold", get_fold, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMethodDef datetime_methods[] = {
    {"date", datetime_getdate, METH_NOARGS, "Return date object with same year, month and day."},
    {"time", datetime_gettime, METH_NOARGS, "Return time object with same time but with tzinfo=None."},
    {"timetz", datetime_gettimetz, METH_NOARGS, "Return time object with same time and tzinfo."},
    {"ctime", datetime_ctime, METH_NOARGS, "The text that ctime() of C gives."},
    {"timetuple", datetime_timetuple, METH_NOARGS, "The fields as time.localtime() gives them."},
    {"timestamp", datetime_timestamp, METH_NOARGS, "Return POSIX timestamp as float."},
    {"utctimetuple", datetime_utctimetuple, METH_NOARGS, "The fields of the time in UTC as time.localtime() gives them."},
    MODULE_METHOD("isoformat", datetime_isoformat, METH_VARARGS | METH_KEYWORDS,
                  "[sep] -> string in ISO 8601 format, YYYY-MM-DDT[HH[:MM[:SS[.mmm[uuu]]]]][+HH:MM].\n\n"
                  "sep separates date and time. timespec tells how far the time goes: 'auto', 'hours', 'minutes', 'seconds',\n"
                  "'milliseconds' or 'microseconds'."),
    {"utcoffset", datetime_utcoffset, METH_NOARGS, "Return self.tzinfo.utcoffset(self)."},
    {"tzname", datetime_tzname, METH_NOARGS, "Return self.tzinfo.tzname(self)."},
    {"dst", datetime_dst, METH_NOARGS, "Return self.tzinfo.dst(self)."},
    MODULE_METHOD("replace", datetime_replace, METH_VARARGS | METH_KEYWORDS, "A datetime with the given fields replaced."),
    MODULE_METHOD("astimezone", datetime_astimezone, METH_VARARGS | METH_KEYWORDS,
                  "tz -> the same point in time in another time zone; without tz: in that of the system"),
    {"__reduce_ex__", datetime_reduce_ex, METH_VARARGS, "__reduce_ex__(proto) -> (cls, state)"},
    {"__reduce__", datetime_reduce, METH_NOARGS, "__reduce__() -> (cls, state)"},
    {NULL, NULL, 0, NULL},
};

PyTypeObject datetime_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "datetime.datetime",
    .tp_basicsize = sizeof(PyDateTime_DateTime),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "datetime(year, month, day[, hour[, minute[, second[, microsecond[,tzinfo]]]]])\n\n"
              "The year, month and day arguments are required. tzinfo may be None, or an instance of a tzinfo subclass; the\n"
              "others are ints.",
    .tp_base = &date_type,
    .tp_repr = datetime_repr,
    .tp_str = datetime_str,
    .tp_hash = datetime_hash,
    .tp_richcompare = datetime_richcompare,
    .tp_as_number = &datetime_as_number,
    .tp_methods = datetime_methods,
    .tp_getset = datetime_getset,
    .tp_new = datetime_new,
    .tp_dealloc = datetime_dealloc,
};
