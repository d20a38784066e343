/* date objects, and what they share with datetime: comparison results, pickle states, time tuples. */
#include "datetime_internal.h"

/* ---- Shared ---- */

PyObject *compare_result(int difference, int op)
{
    Py_RETURN_RICHCOMPARE(difference, 0, op);
}

PyObject *cannot_compare(PyObject *a, PyObject *b)
{
    PyErr_Format(PyExc_TypeError, "can't compare %s to %s", Py_TYPE(a)->tp_name, Py_TYPE(b)->tp_name);
    return NULL;
}

Py_hash_t hash_of_bytes(const unsigned char *data, Py_ssize_t n)
{
    PyObject *bytes = PyBytes_FromStringAndSize((const char *)data, n);
    if (bytes == NULL)
        return -1;
    Py_hash_t hash = PyObject_Hash(bytes);
    Py_DECREF(bytes);
    return hash;
}

PyObject *state_bytes(PyObject *state, Py_ssize_t size, Py_ssize_t month_at, const char *what, int *unusable)
{
    *unusable = 1;
    if (PyBytes_Check(state)) {
        const unsigned char *data = (const unsigned char *)PyBytes_AS_STRING(state);
        if (PyBytes_GET_SIZE(state) != size || (month_at >= 0 ? (unsigned)(data[month_at] & 0x7f) - 1 >= 12u : (data[0] & 0x7f) >= 24))
            return NULL;
        *unusable = 0;
        return Py_NewRef(state);
    }
    /* a str of Python 2 that was decoded from latin-1 */
    if (!PyUnicode_Check(state) || PyUnicode_GET_LENGTH(state) != size)
        return NULL;
    Py_UCS4 c = PyUnicode_READ_CHAR(state, month_at >= 0 ? month_at : 0);
    if (month_at >= 0 ? (c & ~0x80u) - 1 >= 12u : (c & ~0x80u) >= 24)
        return NULL;
    *unusable = 0;
    PyObject *bytes = PyUnicode_AsLatin1String(state);
    if (bytes == NULL && PyErr_ExceptionMatches(PyExc_UnicodeEncodeError))
        PyErr_Format(PyExc_ValueError, "Failed to encode latin1 string when unpickling a %s object. "
                     "pickle.load(data, encoding='latin1') is assumed.", what);
    return bytes;
}

PyObject *format_ctime(const fields_t *f)
{
    static const char *const days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    char text[64];
    int n = snprintf(text, sizeof(text), "%s %s %2d %02d:%02d:%02d %04d", days[weekday_of(f->year, f->month, f->day)],
                     months[f->month - 1], f->day, f->hour, f->minute, f->second, f->year);
    return PyUnicode_FromStringAndSize(text, n);
}

PyObject *build_struct_time(const fields_t *f, int dst)
{
    PyObject *type = _PyImport_GetModuleAttrString("time", "struct_time"), *result;
    if (type == NULL)
        return NULL;
    result = PyObject_CallFunction(type, "((iiiiiiiii))", f->year, f->month, f->day, f->hour, f->minute, f->second,
                                   weekday_of(f->year, f->month, f->day),
                                   days_before_month(f->year, f->month) + f->day, dst);
    Py_DECREF(type);
    return result;
}

PyObject *format_method(PyObject *self, PyObject *args)
{
    PyObject *format;
    if (!PyArg_ParseTuple(args, "U:__format__", &format))
        return NULL;
    if (PyUnicode_GET_LENGTH(format) == 0)
        return PyObject_Str(self);
    return PyObject_CallMethod(self, "strftime", "O", format);
}

/* ---- Making dates ---- */

static PyObject *make(int year, int month, int day, PyTypeObject *type)
{
    PyDateTime_Date *self = (PyDateTime_Date *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->hashcode = -1;
        self->data[0] = (unsigned char)(year >> 8);
        self->data[1] = (unsigned char)year;
        self->data[2] = (unsigned char)month;
        self->data[3] = (unsigned char)day;
    }
    return (PyObject *)self;
}

PyObject *date_new_exact(int year, int month, int day, PyTypeObject *type)
{
    return check_date(year, month, day) < 0 ? NULL : make(year, month, day, type);
}

PyObject *date_new_for(int year, int month, int day, PyTypeObject *type)
{
    if (type == &date_type)
        return date_new_exact(year, month, day, type);
    return PyObject_CallFunction((PyObject *)type, "iii", year, month, day);
}

static PyObject *date_from_ordinal_for(int ordinal, PyTypeObject *type)
{
    int year, month, day;
    from_ordinal(ordinal, &year, &month, &day);
    return date_new_for(year, month, day, type);
}

/* The object of a pickle state, or NULL: *unusable or an exception. */
static PyObject *from_state(PyTypeObject *type, PyObject *state, int *unusable)
{
    PyObject *bytes = state_bytes(state, _PyDateTime_DATE_DATASIZE, 2, "date", unusable), *self = NULL;
    if (bytes == NULL)
        return NULL;
    self = type->tp_alloc(type, 0);
    if (self != NULL) {
        memcpy(((PyDateTime_Date *)self)->data, PyBytes_AS_STRING(bytes), _PyDateTime_DATE_DATASIZE);
        ((PyDateTime_Date *)self)->hashcode = -1;
    }
    Py_DECREF(bytes);
    return self;
}

static PyObject *date_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"year", "month", "day", NULL};
    int year, month, day, unusable;
    if (PyTuple_GET_SIZE(args) == 1) {
        PyObject *self = from_state(type, PyTuple_GET_ITEM(args, 0), &unusable);
        if (self != NULL || !unusable)
            return self;
    }
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "iii", keywords, &year, &month, &day))
        return NULL;
    return date_new_exact(year, month, day, type);
}

/* ---- Class methods ---- */

static PyObject *from_timestamp(PyObject *cls, PyObject *timestamp)
{
    time_t seconds;
    fields_t f;
    if (split_timestamp(timestamp, &seconds, NULL) < 0 || fields_from_time(seconds, 0, 0, &f) < 0)
        return NULL;
    return date_new_for(f.year, f.month, f.day, (PyTypeObject *)cls);
}

PyObject *date_from_timestamp(PyObject *cls, PyObject *args)
{
    PyObject *timestamp;
    if (!PyArg_UnpackTuple(args, "fromtimestamp", 1, 1, &timestamp))
        return NULL;
    return from_timestamp(cls, timestamp);
}

static PyObject *date_today(PyObject *cls, PyObject *unused)
{
    PyObject *time_ = _PyImport_GetModuleAttrString("time", "time"), *now, *result;
    if (time_ == NULL)
        return NULL;
    now = PyObject_CallNoArgs(time_);
    Py_DECREF(time_);
    if (now == NULL)
        return NULL;
    result = PyObject_CallMethod(cls, "fromtimestamp", "O", now);
    Py_DECREF(now);
    return result;
}

static PyObject *date_fromordinal(PyObject *cls, PyObject *args)
{
    int ordinal;
    if (!PyArg_ParseTuple(args, "i:fromordinal", &ordinal))
        return NULL;
    if (ordinal < 1) {
        PyErr_SetString(PyExc_ValueError, "ordinal must be >= 1");
        return NULL;
    }
    if (ordinal > MAX_ORDINAL) {
        PyErr_Format(PyExc_ValueError, "year %i is out of range", MAX_YEAR + 1 + (int)((ordinal - MAX_ORDINAL - 1LL) * 400 / 146097));
        return NULL;
    }
    return date_from_ordinal_for(ordinal, (PyTypeObject *)cls);
}

static PyObject *date_fromisoformat(PyObject *cls, PyObject *text)
{
    fields_t f;
    if (!PyUnicode_Check(text)) {
        PyErr_SetString(PyExc_TypeError, "fromisoformat: argument must be str");
        return NULL;
    }
    return parse_iso_date(text, &f) < 0 ? NULL : date_new_for(f.year, f.month, f.day, (PyTypeObject *)cls);
}

static PyObject *date_fromisocalendar(PyObject *cls, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"year", "week", "day", NULL};
    int iso_year, iso_week, iso_day, year, month, day;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "iii:fromisocalendar", keywords, &iso_year, &iso_week, &iso_day)) {
        if (PyErr_ExceptionMatches(PyExc_OverflowError))
            PyErr_Format(PyExc_ValueError, "ISO calendar component out of range");
        return NULL;
    }
    switch (from_iso_week(iso_year, iso_week, iso_day, &year, &month, &day)) {
    case 0:
        return date_new_for(year, month, day, (PyTypeObject *)cls);
    case -2:
        PyErr_Format(PyExc_ValueError, "Year is out of range: %d", iso_year);
        return NULL;
    case -3:
        PyErr_Format(PyExc_ValueError, "Invalid week: %d", iso_week);
        return NULL;
    default:
        PyErr_Format(PyExc_ValueError, "Invalid day: %d (range is [1, 7])", iso_day);
        return NULL;
    }
}

/* ---- Arithmetic and comparison ---- */

/* date + timedelta, or minus it: whole days only. */
static PyObject *add_days(PyObject *date, PyObject *delta, int factor)
{
    long long days = (long long)factor * PyDateTime_DELTA_GET_DAYS(delta)
                     + to_ordinal(PyDateTime_GET_YEAR(date), PyDateTime_GET_MONTH(date), PyDateTime_GET_DAY(date));
    if (days < 1 || days > MAX_ORDINAL) {
        PyErr_SetString(PyExc_OverflowError, "date value out of range");
        return NULL;
    }
    return date_from_ordinal_for((int)days, Py_TYPE(date));
}

static PyObject *date_add(PyObject *a, PyObject *b)
{
    if (datetime_check(a) || datetime_check(b))
        Py_RETURN_NOTIMPLEMENTED;
    if (date_check(a))
        return delta_check(b) ? add_days(a, b, 1) : Py_NewRef(Py_NotImplemented);
    return delta_check(a) ? add_days(b, a, 1) : Py_NewRef(Py_NotImplemented);
}

static int ordinal_of(PyObject *date)
{
    return to_ordinal(PyDateTime_GET_YEAR(date), PyDateTime_GET_MONTH(date), PyDateTime_GET_DAY(date));
}

static PyObject *date_subtract(PyObject *a, PyObject *b)
{
    if (datetime_check(a) || datetime_check(b) || !date_check(a))
        Py_RETURN_NOTIMPLEMENTED;
    if (date_check(b))
        return delta_new_normalized(ordinal_of(a) - ordinal_of(b), 0, 0, 0, &delta_type);
    if (delta_check(b))
        return add_days(a, b, -1);
    Py_RETURN_NOTIMPLEMENTED;
}

static PyNumberMethods date_as_number = {.nb_add = date_add, .nb_subtract = date_subtract};

static PyObject *date_richcompare(PyObject *a, PyObject *b, int op)
{
    if (!date_check(b))
        Py_RETURN_NOTIMPLEMENTED;
    return compare_result(memcmp(((PyDateTime_Date *)a)->data, ((PyDateTime_Date *)b)->data, _PyDateTime_DATE_DATASIZE), op);
}

static Py_hash_t date_hash(PyObject *op)
{
    PyDateTime_Date *self = (PyDateTime_Date *)op;
    Py_hash_t hash = __atomic_load_n(&self->hashcode, __ATOMIC_RELAXED);
    if (hash == -1) {
        hash = hash_of_bytes(self->data, _PyDateTime_DATE_DATASIZE);
        __atomic_store_n(&self->hashcode, hash, __ATOMIC_RELAXED);
    }
    return hash;
}

/* ---- Text ---- */

static PyObject *date_repr(PyObject *op)
{
    return PyUnicode_FromFormat("%s(%d, %d, %d)", Py_TYPE(op)->tp_name, PyDateTime_GET_YEAR(op), PyDateTime_GET_MONTH(op),
                                PyDateTime_GET_DAY(op));
}

static PyObject *date_isoformat(PyObject *op, PyObject *unused)
{
    return PyUnicode_FromFormat("%04d-%02d-%02d", PyDateTime_GET_YEAR(op), PyDateTime_GET_MONTH(op), PyDateTime_GET_DAY(op));
}

static PyObject *date_str(PyObject *op)
{
    return PyObject_CallMethod(op, "isoformat", NULL);
}

static PyObject *date_ctime(PyObject *op, PyObject *unused)
{
    fields_t f = date_fields(op);
    return format_ctime(&f);
}

/* For datetime as well: its microseconds are known. */
static PyObject *date_strftime(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"format", NULL};
    PyObject *format, *tuple, *result;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "U:strftime", keywords, &format))
        return NULL;
    tuple = PyObject_CallMethod(op, "timetuple", NULL);
    if (tuple == NULL)
        return NULL;
    result = wrap_strftime(op, format, tuple, op, datetime_check(op) ? PyDateTime_DATE_GET_MICROSECOND(op) : 0);
    Py_DECREF(tuple);
    return result;
}

/* ---- Methods ---- */

static PyObject *date_timetuple(PyObject *op, PyObject *unused)
{
    fields_t f = date_fields(op);
    return build_struct_time(&f, -1);
}

static PyObject *date_toordinal(PyObject *op, PyObject *unused)
{
    return PyLong_FromLong(ordinal_of(op));
}

static PyObject *date_weekday(PyObject *op, PyObject *unused)
{
    return PyLong_FromLong((ordinal_of(op) + 6) % 7);
}

static PyObject *date_isoweekday(PyObject *op, PyObject *unused)
{
    return PyLong_FromLong((ordinal_of(op) + 6) % 7 + 1);
}

static PyObject *date_isocalendar(PyObject *op, PyObject *unused)
{
    int year, week;
    iso_week_of(PyDateTime_GET_YEAR(op), PyDateTime_GET_MONTH(op), PyDateTime_GET_DAY(op), &year, &week);
    PyObject *result = isocalendar_type.tp_alloc(&isocalendar_type, 3);
    if (result != NULL) {
        PyTuple_SET_ITEM(result, 0, PyLong_FromLong(year));
        PyTuple_SET_ITEM(result, 1, PyLong_FromLong(week));
        PyTuple_SET_ITEM(result, 2, PyLong_FromLong((ordinal_of(op) + 6) % 7 + 1));
    }
    return result;
}

static PyObject *date_replace(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"year", "month", "day", NULL};
    int year = PyDateTime_GET_YEAR(op), month = PyDateTime_GET_MONTH(op), day = PyDateTime_GET_DAY(op);
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|iii:replace", keywords, &year, &month, &day))
        return NULL;
    return date_new_for(year, month, day, Py_TYPE(op));
}

static PyObject *date_reduce(PyObject *op, PyObject *unused)
{
    return Py_BuildValue("(O(y#))", Py_TYPE(op), ((PyDateTime_Date *)op)->data, (Py_ssize_t)_PyDateTime_DATE_DATASIZE);
}

static PyObject *get_year(PyObject *op, void *unused)
{
    return PyLong_FromLong(PyDateTime_GET_YEAR(op));
}

static PyObject *get_month(PyObject *op, void *unused)
{
    return PyLong_FromLong(PyDateTime_GET_MONTH(op));
}

static PyObject *get_day(PyObject *op, void *unused)
{
    return PyLong_FromLong(PyDateTime_GET_DAY(op));
}

static PyGetSetDef date_getset[] = {
    {"year", get_year, NULL, NULL, NULL},
    {"month", get_month, NULL, NULL, NULL},
    {"day", get_day, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMethodDef date_methods[] = {
    {"fromtimestamp", from_timestamp, METH_O | METH_CLASS,
     "fromtimestamp($type, timestamp, /)\n--\n\nThe date of a time stamp, in local time."},
    {"fromordinal", date_fromordinal, METH_VARARGS | METH_CLASS, "int -> date corresponding to a proleptic Gregorian ordinal."},
    {"fromisoformat", date_fromisoformat, METH_O | METH_CLASS, "str -> the date that a string in ISO 8601 format tells."},
    MODULE_METHOD("fromisocalendar", date_fromisocalendar, METH_VARARGS | METH_KEYWORDS | METH_CLASS,
                  "int, int, int -> the date of an ISO year, week and day of the week."),
    {"today", date_today, METH_NOARGS | METH_CLASS, "The present date: self.__class__.fromtimestamp(time.time())."},
    {"ctime", date_ctime, METH_NOARGS, "The text that ctime() of C gives."},
    MODULE_METHOD("strftime", date_strftime, METH_VARARGS | METH_KEYWORDS, "format -> text in that format, see time.strftime."),
    {"__format__", format_method, METH_VARARGS, "Formats self with strftime."},
    {"timetuple", date_timetuple, METH_NOARGS, "The fields as time.localtime() gives them."},
    {"isocalendar", date_isocalendar, METH_NOARGS, "A named tuple with the ISO year, week number and day of the week."},
    {"isoformat", date_isoformat, METH_NOARGS, "The text in ISO 8601 format, YYYY-MM-DD."},
    {"isoweekday", date_isoweekday, METH_NOARGS, "The day of the week: Monday == 1 ... Sunday == 7"},
    {"toordinal", date_toordinal, METH_NOARGS, "The proleptic Gregorian ordinal: January 1 of year 1 is day 1."},
    {"weekday", date_weekday, METH_NOARGS, "The day of the week: Monday == 0 ... Sunday == 6"},
    MODULE_METHOD("replace", date_replace, METH_VARARGS | METH_KEYWORDS, "A date with the given fields replaced."),
    {"__reduce__", date_reduce, METH_NOARGS, "__reduce__() -> (cls, state)"},
    {NULL, NULL, 0, NULL},
};

PyTypeObject date_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "datetime.date",
    .tp_basicsize = sizeof(PyDateTime_Date),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "date(year, month, day) --> date object",
    .tp_repr = date_repr,
    .tp_str = date_str,
    .tp_hash = date_hash,
    .tp_richcompare = date_richcompare,
    .tp_as_number = &date_as_number,
    .tp_methods = date_methods,
    .tp_getset = date_getset,
    .tp_new = date_new,
};

/* ---- The result of isocalendar ---- */

static PyObject *isocalendar_repr(PyObject *op)
{
    return PyUnicode_FromFormat("%.200s(year=%S, week=%S, weekday=%S)", Py_TYPE(op)->tp_name, PyTuple_GET_ITEM(op, 0),
                                PyTuple_GET_ITEM(op, 1), PyTuple_GET_ITEM(op, 2));
}

static PyObject *isocalendar_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"year", "week", "weekday", NULL};
    int year, week, weekday;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "iii:IsoCalendarDate", keywords, &year, &week, &weekday))
        return NULL;
    PyObject *self = type->tp_alloc(type, 3);
    if (self != NULL) {
        PyTuple_SET_ITEM(self, 0, PyLong_FromLong(year));
        PyTuple_SET_ITEM(self, 1, PyLong_FromLong(week));
        PyTuple_SET_ITEM(self, 2, PyLong_FromLong(weekday));
    }
    return self;
}

/* Pickled as a plain tuple. */
static PyObject *isocalendar_reduce(PyObject *op, PyObject *unused)
{
    return Py_BuildValue("(O((OOO)))", &PyTuple_Type, PyTuple_GET_ITEM(op, 0), PyTuple_GET_ITEM(op, 1), PyTuple_GET_ITEM(op, 2));
}

static PyObject *isocalendar_item(PyObject *op, void *index)
{
    return Py_NewRef(PyTuple_GET_ITEM(op, (Py_ssize_t)(intptr_t)index));
}

static PyGetSetDef isocalendar_getset[] = {
    {"year", isocalendar_item, NULL, NULL, (void *)0},
    {"week", isocalendar_item, NULL, NULL, (void *)1},
    {"weekday", isocalendar_item, NULL, NULL, (void *)2},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMethodDef isocalendar_methods[] = {
    {"__reduce__", isocalendar_reduce, METH_NOARGS, "__reduce__() -> (cls, state)"},
    {NULL, NULL, 0, NULL},
};

PyTypeObject isocalendar_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "datetime.IsoCalendarDate",
    .tp_basicsize = sizeof(PyTupleObject) - sizeof(PyObject *),
    .tp_itemsize = sizeof(PyObject *),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "The year, week and day of the week of ISO 8601.",
    .tp_repr = isocalendar_repr,
    .tp_methods = isocalendar_methods,
    .tp_getset = isocalendar_getset,
    .tp_base = &PyTuple_Type,
    .tp_new = isocalendar_new,
};
