/* Making datetime objects: the constructor and the class methods. */
#include "datetime_internal.h"

static PyObject *make(const fields_t *f, PyTypeObject *type)
{
    PyDateTime_DateTime *self = (PyDateTime_DateTime *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    self->hashcode = -1;
    self->data[0] = (unsigned char)(f->year >> 8);
    self->data[1] = (unsigned char)f->year;
    self->data[2] = (unsigned char)f->month;
    self->data[3] = (unsigned char)f->day;
    self->data[4] = (unsigned char)f->hour;
    self->data[5] = (unsigned char)f->minute;
    self->data[6] = (unsigned char)f->second;
    self->data[7] = (unsigned char)(f->us >> 16);
    self->data[8] = (unsigned char)(f->us >> 8);
    self->data[9] = (unsigned char)f->us;
    self->fold = (unsigned char)f->fold;
    self->hastzinfo = f->tzinfo != Py_None;
    if (self->hastzinfo)
        self->tzinfo = Py_NewRef(f->tzinfo);
    return (PyObject *)self;
}

PyObject *datetime_new_exact(const fields_t *f, PyTypeObject *type)
{
    if (check_date(f->year, f->month, f->day) < 0 || check_time(f) < 0 || check_tzinfo(f->tzinfo) < 0)
        return NULL;
    return make(f, type);
}

PyObject *datetime_new_for(const fields_t *f, PyTypeObject *type)
{
    if (type == &datetime_type)
        return datetime_new_exact(f, type);
    PyObject *args = Py_BuildValue("(iiiiiiiO)", f->year, f->month, f->day, f->hour, f->minute, f->second, f->us, f->tzinfo),
             *kwargs = NULL, *result = NULL;
    if (args != NULL && (f->fold == 0 || (kwargs = Py_BuildValue("{si}", "fold", f->fold)) != NULL))
        result = PyObject_Call((PyObject *)type, args, kwargs);
    Py_XDECREF(args);
    Py_XDECREF(kwargs);
    return result;
}

PyObject *datetime_from_us(us_t us, PyObject *tzinfo, PyTypeObject *type)
{
    fields_t f = {.tzinfo = tzinfo};
    return us_to_fields(us, &f) < 0 ? NULL : datetime_new_for(&f, type);
}

/* ---- The constructor ---- */

static PyObject *from_state(PyTypeObject *type, PyObject *state, PyObject *tzinfo, int *unusable)
{
    PyObject *bytes = state_bytes(state, _PyDateTime_DATETIME_DATASIZE, 2, "datetime", unusable), *self = NULL;
    if (bytes == NULL)
        return NULL;
    if (tzinfo != Py_None && !tzinfo_check(tzinfo))
        PyErr_SetString(PyExc_TypeError, "bad tzinfo state arg");
    else {
        const unsigned char *data = (const unsigned char *)PyBytes_AS_STRING(bytes);
        fields_t f = {.year = data[0] << 8 | data[1], .month = data[2] & 0x7f, .day = data[3], .hour = data[4], .minute = data[5],
                      .second = data[6], .us = data[7] << 16 | data[8] << 8 | data[9], .fold = data[2] >> 7, .tzinfo = tzinfo};
        self = make(&f, type);
    }
    Py_DECREF(bytes);
    return self;
}

PyObject *datetime_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"year", "month", "day", "hour", "minute", "second", "microsecond", "tzinfo", "fold", NULL};
    fields_t f = {.tzinfo = Py_None};
    int unusable;
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    if (n >= 1 && n <= 2) {
        PyObject *self = from_state(type, PyTuple_GET_ITEM(args, 0), n == 2 ? PyTuple_GET_ITEM(args, 1) : Py_None, &unusable);
        if (self != NULL || !unusable)
            return self;
    }
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "iii|iiiiO$i", keywords, &f.year, &f.month, &f.day, &f.hour, &f.minute, &f.second,
                                     &f.us, &f.tzinfo, &f.fold))
        return NULL;
    return datetime_new_exact(&f, type);
}

/* ---- From a time stamp ---- */

static PyObject *from_time(PyTypeObject *type, time_t seconds, int us, int utc, PyObject *tzinfo)
{
    fields_t f;
    if (fields_from_time(seconds, us, utc, &f) < 0)
        return NULL;
    f.tzinfo = tzinfo;
    return datetime_new_for(&f, type);
}

/* In the time zone, if it is not None: from UTC. */
static PyObject *from_time_in_zone(PyTypeObject *type, time_t seconds, int us, PyObject *tzinfo)
{
    PyObject *result = from_time(type, seconds, us, tzinfo != Py_None, tzinfo);
    if (result != NULL && tzinfo != Py_None)
        Py_SETREF(result, PyObject_CallMethod(tzinfo, "fromutc", "O", result));
    return result;
}

static PyObject *from_now(PyTypeObject *type, int utc, PyObject *tzinfo)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (utc)
        return from_time(type, now.tv_sec, (int)(now.tv_nsec / 1000), 1, Py_None);
    return from_time_in_zone(type, now.tv_sec, (int)(now.tv_nsec / 1000), tzinfo);
}

static PyObject *class_now(PyObject *cls, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"tz", NULL};
    PyObject *tz = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:now", keywords, &tz) || check_tzinfo(tz) < 0)
        return NULL;
    return from_now((PyTypeObject *)cls, 0, tz);
}

static PyObject *class_utcnow(PyObject *cls, PyObject *unused)
{
    return from_now((PyTypeObject *)cls, 1, Py_None);
}

PyObject *datetime_from_timestamp(PyObject *cls, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"timestamp", "tz", NULL};
    PyObject *timestamp, *tz = Py_None;
    time_t seconds;
    int us;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O:fromtimestamp", keywords, &timestamp, &tz) || check_tzinfo(tz) < 0
        || split_timestamp(timestamp, &seconds, &us) < 0)
        return NULL;
    return from_time_in_zone((PyTypeObject *)cls, seconds, us, tz);
}

static PyObject *class_utcfromtimestamp(PyObject *cls, PyObject *args)
{
    PyObject *timestamp;
    time_t seconds;
    int us;
    if (!PyArg_ParseTuple(args, "O:utcfromtimestamp", &timestamp) || split_timestamp(timestamp, &seconds, &us) < 0)
        return NULL;
    return from_time((PyTypeObject *)cls, seconds, us, 1, Py_None);
}

/* ---- From other objects ---- */

static PyObject *class_strptime(PyObject *cls, PyObject *args)
{
    PyObject *string, *format, *function, *result;
    if (!PyArg_ParseTuple(args, "UU:strptime", &string, &format))
        return NULL;
    function = _PyImport_GetModuleAttrString("_strptime", "_strptime_datetime");
    if (function == NULL)
        return NULL;
    result = PyObject_CallFunctionObjArgs(function, cls, string, format, NULL);
    Py_DECREF(function);
    return result;
}

static PyObject *class_combine(PyObject *cls, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"date", "time", "tzinfo", NULL};
    PyObject *date, *time, *tzinfo = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!O!|O:combine", keywords, &date_type, &date, &time_type, &time, &tzinfo))
        return NULL;
    fields_t f = time_fields(time);
    f.year = PyDateTime_GET_YEAR(date);
    f.month = PyDateTime_GET_MONTH(date);
    f.day = PyDateTime_GET_DAY(date);
    if (tzinfo != NULL)
        f.tzinfo = tzinfo;
    return datetime_new_for(&f, (PyTypeObject *)cls);
}

static PyObject *class_fromisoformat(PyObject *cls, PyObject *text)
{
    fields_t f = {.fold = 0};
    PyObject *tzinfo, *result;
    if (!PyUnicode_Check(text)) {
        PyErr_SetString(PyExc_TypeError, "fromisoformat: argument must be str");
        return NULL;
    }
    if (parse_iso_datetime(text, &f, &tzinfo) < 0)
        return NULL;
    f.tzinfo = tzinfo == NULL ? Py_None : tzinfo;
    result = datetime_new_for(&f, (PyTypeObject *)cls);
    Py_XDECREF(tzinfo);
    return result;
}

PyMethodDef datetime_class_methods[] = {
    MODULE_METHOD("now", class_now, METH_VARARGS | METH_KEYWORDS | METH_CLASS,
                  "now($type, /, tz=None)\n--\n\nThe present time, in a time zone or in local time without one."),
    {"utcnow", class_utcnow, METH_NOARGS | METH_CLASS, "The present time in UTC, without a time zone."},
    MODULE_METHOD("fromtimestamp", datetime_from_timestamp, METH_VARARGS | METH_KEYWORDS | METH_CLASS,
                  "timestamp[, tz] -> tz's local time from POSIX timestamp."),
    {"utcfromtimestamp", class_utcfromtimestamp, METH_VARARGS | METH_CLASS, "The time in UTC, without a time zone, of a time stamp."},
    {"strptime", class_strptime, METH_VARARGS | METH_CLASS, "string, format -> datetime parsed from a string (like time.strptime())."},
    MODULE_METHOD("combine", class_combine, METH_VARARGS | METH_KEYWORDS | METH_CLASS,
                  "date, time -> datetime with same date and time fields"),
    {"fromisoformat", class_fromisoformat, METH_O | METH_CLASS, "string -> datetime from a string in most ISO 8601 formats"},
    {NULL, NULL, 0, NULL},
};
