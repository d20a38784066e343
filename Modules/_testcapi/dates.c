/* _testcapi: the C API of datetime. Most functions take a flag: the macro, or the function behind it. */
#include "testcapi.h"

#include "datetime.h"

/* Has to be called before the others, as extensions have to import the API. */
static PyObject *test_datetime_capi(PyObject *module, PyObject *unused)
{
    PyDateTime_IMPORT;
    return PyDateTimeAPI == NULL ? NULL : Py_NewRef(Py_None);
}

/* ---- Checks ---- */

#define CHECK(name, macro) \
    static PyObject *datetime_check_##name(PyObject *module, PyObject *args) \
    { \
        PyObject *op; \
        int exact = 0; \
        if (!PyArg_ParseTuple(args, "O|p:datetime_check_" #name, &op, &exact)) \
            return NULL; \
        return PyBool_FromLong(exact ? macro##_CheckExact(op) : macro##_Check(op)); \
    }
CHECK(date, PyDate)
CHECK(time, PyTime)
CHECK(datetime, PyDateTime)
CHECK(delta, PyDelta)
CHECK(tzinfo, PyTZInfo)

/* ---- Making ---- */

static PyObject *get_timezone_utc_capi(PyObject *module, PyObject *args)
{
    int macro = 0;
    if (!PyArg_ParseTuple(args, "|p:get_timezone_utc_capi", &macro))
        return NULL;
    return Py_NewRef(macro ? PyDateTime_TimeZone_UTC : PyDateTimeAPI->TimeZone_UTC);
}

static PyObject *make_timezones_capi(PyObject *module, PyObject *unused)
{
    PyObject *offset = PyDelta_FromDSU(0, -18000, 0), *name = PyUnicode_FromString("EST"), *result = NULL;
    if (offset != NULL && name != NULL)
        result = Py_BuildValue("(NNN)", PyDateTimeAPI->TimeZone_FromTimeZone(offset, name), PyTimeZone_FromOffsetAndName(offset, name),
                               PyTimeZone_FromOffset(offset));
    Py_XDECREF(offset);
    Py_XDECREF(name);
    return result;
}

static PyObject *get_timezones_offset_zero(PyObject *module, PyObject *unused)
{
    PyObject *offset = PyDelta_FromDSU(0, 0, 0), *name = PyUnicode_FromString(""), *result = NULL;
    if (offset != NULL && name != NULL)
        result = Py_BuildValue("(NNN)", PyTimeZone_FromOffset(offset), PyDateTimeAPI->TimeZone_FromTimeZone(offset, NULL),
                               PyTimeZone_FromOffsetAndName(offset, name));
    Py_XDECREF(offset);
    Py_XDECREF(name);
    return result;
}

static PyObject *get_date_fromdate(PyObject *module, PyObject *args)
{
    int macro, y, m, d;
    if (!PyArg_ParseTuple(args, "piii:get_date_fromdate", &macro, &y, &m, &d))
        return NULL;
    return macro ? PyDate_FromDate(y, m, d) : PyDateTimeAPI->Date_FromDate(y, m, d, PyDateTimeAPI->DateType);
}

static PyObject *get_datetime_fromdateandtime(PyObject *module, PyObject *args)
{
    int macro, y, m, d, hour, minute, second, us;
    if (!PyArg_ParseTuple(args, "piiiiiii:get_datetime_fromdateandtime", &macro, &y, &m, &d, &hour, &minute, &second, &us))
        return NULL;
    if (macro)
        return PyDateTime_FromDateAndTime(y, m, d, hour, minute, second, us);
    return PyDateTimeAPI->DateTime_FromDateAndTime(y, m, d, hour, minute, second, us, Py_None, PyDateTimeAPI->DateTimeType);
}

static PyObject *get_datetime_fromdateandtimeandfold(PyObject *module, PyObject *args)
{
    int macro, y, m, d, hour, minute, second, us, fold;
    if (!PyArg_ParseTuple(args, "piiiiiiii:get_datetime_fromdateandtimeandfold", &macro, &y, &m, &d, &hour, &minute, &second, &us,
                          &fold))
        return NULL;
    if (macro)
        return PyDateTime_FromDateAndTimeAndFold(y, m, d, hour, minute, second, us, fold);
    return PyDateTimeAPI->DateTime_FromDateAndTimeAndFold(y, m, d, hour, minute, second, us, Py_None, fold,
                                                          PyDateTimeAPI->DateTimeType);
}

static PyObject *get_time_fromtime(PyObject *module, PyObject *args)
{
    int macro, hour, minute, second, us;
    if (!PyArg_ParseTuple(args, "piiii:get_time_fromtime", &macro, &hour, &minute, &second, &us))
        return NULL;
    return macro ? PyTime_FromTime(hour, minute, second, us)
                 : PyDateTimeAPI->Time_FromTime(hour, minute, second, us, Py_None, PyDateTimeAPI->TimeType);
}

static PyObject *get_time_fromtimeandfold(PyObject *module, PyObject *args)
{
    int macro, hour, minute, second, us, fold;
    if (!PyArg_ParseTuple(args, "piiiii:get_time_fromtimeandfold", &macro, &hour, &minute, &second, &us, &fold))
        return NULL;
    return macro ? PyTime_FromTimeAndFold(hour, minute, second, us, fold)
                 : PyDateTimeAPI->Time_FromTimeAndFold(hour, minute, second, us, Py_None, fold, PyDateTimeAPI->TimeType);
}

static PyObject *get_delta_fromdsu(PyObject *module, PyObject *args)
{
    int macro, days, seconds, us;
    if (!PyArg_ParseTuple(args, "piii:get_delta_fromdsu", &macro, &days, &seconds, &us))
        return NULL;
    return macro ? PyDelta_FromDSU(days, seconds, us)
                 : PyDateTimeAPI->Delta_FromDelta(days, seconds, us, 1, PyDateTimeAPI->DeltaType);
}

static PyObject *get_date_fromtimestamp(PyObject *module, PyObject *args)
{
    PyObject *timestamp, *tuple, *result;
    int macro;
    if (!PyArg_ParseTuple(args, "Op:get_date_fromtimestamp", &timestamp, &macro) || (tuple = PyTuple_Pack(1, timestamp)) == NULL)
        return NULL;
    result = macro ? PyDate_FromTimestamp(tuple) : PyDateTimeAPI->Date_FromTimestamp((PyObject *)PyDateTimeAPI->DateType, tuple);
    Py_DECREF(tuple);
    return result;
}

static PyObject *get_datetime_fromtimestamp(PyObject *module, PyObject *args)
{
    PyObject *timestamp, *tzinfo, *tuple, *result;
    int use_tz, macro;
    if (!PyArg_ParseTuple(args, "OOpp:get_datetime_fromtimestamp", &timestamp, &tzinfo, &use_tz, &macro))
        return NULL;
    tuple = use_tz ? PyTuple_Pack(2, timestamp, tzinfo) : PyTuple_Pack(1, timestamp);
    if (tuple == NULL)
        return NULL;
    result = macro ? PyDateTime_FromTimestamp(tuple)
                   : PyDateTimeAPI->DateTime_FromTimestamp((PyObject *)PyDateTimeAPI->DateTimeType, tuple, NULL);
    Py_DECREF(tuple);
    return result;
}

/* ---- Fields ---- */

static PyObject *date_get(PyObject *module, PyObject *op)
{
    return Py_BuildValue("(iii)", PyDateTime_GET_YEAR(op), PyDateTime_GET_MONTH(op), PyDateTime_GET_DAY(op));
}

static PyObject *datetime_get(PyObject *module, PyObject *op)
{
    return Py_BuildValue("(iiiiO)", PyDateTime_DATE_GET_HOUR(op), PyDateTime_DATE_GET_MINUTE(op), PyDateTime_DATE_GET_SECOND(op),
                         PyDateTime_DATE_GET_MICROSECOND(op), PyDateTime_DATE_GET_TZINFO(op));
}

static PyObject *time_get(PyObject *module, PyObject *op)
{
    return Py_BuildValue("(iiiiO)", PyDateTime_TIME_GET_HOUR(op), PyDateTime_TIME_GET_MINUTE(op), PyDateTime_TIME_GET_SECOND(op),
                         PyDateTime_TIME_GET_MICROSECOND(op), PyDateTime_TIME_GET_TZINFO(op));
}

static PyObject *delta_get(PyObject *module, PyObject *op)
{
    return Py_BuildValue("(iii)", PyDateTime_DELTA_GET_DAYS(op), PyDateTime_DELTA_GET_SECONDS(op),
                         PyDateTime_DELTA_GET_MICROSECONDS(op));
}

static PyMethodDef dates_methods[] = {
    {"test_datetime_capi", test_datetime_capi, METH_NOARGS, NULL},
    {"datetime_check_date", datetime_check_date, METH_VARARGS, NULL},
    {"datetime_check_time", datetime_check_time, METH_VARARGS, NULL},
    {"datetime_check_datetime", datetime_check_datetime, METH_VARARGS, NULL},
    {"datetime_check_delta", datetime_check_delta, METH_VARARGS, NULL},
    {"datetime_check_tzinfo", datetime_check_tzinfo, METH_VARARGS, NULL},
    {"get_timezone_utc_capi", get_timezone_utc_capi, METH_VARARGS, NULL},
    {"make_timezones_capi", make_timezones_capi, METH_NOARGS, NULL},
    {"get_timezones_offset_zero", get_timezones_offset_zero, METH_NOARGS, NULL},
    {"get_date_fromdate", get_date_fromdate, METH_VARARGS, NULL},
    {"get_datetime_fromdateandtime", get_datetime_fromdateandtime, METH_VARARGS, NULL},
    {"get_datetime_fromdateandtimeandfold", get_datetime_fromdateandtimeandfold, METH_VARARGS, NULL},
    {"get_time_fromtime", get_time_fromtime, METH_VARARGS, NULL},
    {"get_time_fromtimeandfold", get_time_fromtimeandfold, METH_VARARGS, NULL},
    {"get_delta_fromdsu", get_delta_fromdsu, METH_VARARGS, NULL},
    {"get_date_fromtimestamp", get_date_fromtimestamp, METH_VARARGS, NULL},
    {"get_datetime_fromtimestamp", get_datetime_fromtimestamp, METH_VARARGS, NULL},
    {"PyDateTime_GET", date_get, METH_O, NULL},
    {"PyDateTime_DATE_GET", datetime_get, METH_O, NULL},
    {"PyDateTime_TIME_GET", time_get, METH_O, NULL},
    {"PyDateTime_DELTA_GET", delta_get, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

int testcapi_add_dates(PyObject *module)
{
    return PyModule_AddFunctions(module, dates_methods);
}
