/* The _datetime module: types with their constants, and the capsule. */
#include "datetime_internal.h"

PyObject *datetime_epoch;

/* ---- The C API ---- */

static PyObject *api_datetime(int year, int month, int day, int hour, int minute, int second, int us, PyObject *tzinfo, int fold,
                              PyTypeObject *type)
{
    fields_t f = {.year = year, .month = month, .day = day, .hour = hour, .minute = minute, .second = second, .us = us,
                  .fold = fold, .tzinfo = tzinfo};
    return datetime_new_exact(&f, type);
}

static PyObject *api_datetime_plain(int year, int month, int day, int hour, int minute, int second, int us, PyObject *tzinfo,
                                    PyTypeObject *type)
{
    return api_datetime(year, month, day, hour, minute, second, us, tzinfo, 0, type);
}

static PyObject *api_time(int hour, int minute, int second, int us, PyObject *tzinfo, int fold, PyTypeObject *type)
{
    fields_t f = {.hour = hour, .minute = minute, .second = second, .us = us, .fold = fold, .tzinfo = tzinfo};
    return time_new_exact(&f, type);
}

static PyObject *api_time_plain(int hour, int minute, int second, int us, PyObject *tzinfo, PyTypeObject *type)
{
    return api_time(hour, minute, second, us, tzinfo, 0, type);
}

static PyObject *api_timezone(PyObject *offset, PyObject *name)
{
    if (delta_check(offset))
        return timezone_new_exact(offset, name);
    PyErr_Format(PyExc_TypeError, "expected a timedelta, not %.200s", Py_TYPE(offset)->tp_name);
    return NULL;
}

static PyDateTime_CAPI capi = {
    .DateType = &date_type,
    .DateTimeType = &datetime_type,
    .TimeType = &time_type,
    .DeltaType = &delta_type,
    .TZInfoType = &tzinfo_type,
    .Date_FromDate = date_new_exact,
    .DateTime_FromDateAndTime = api_datetime_plain,
    .Time_FromTime = api_time_plain,
    .Delta_FromDelta = delta_new_normalized,
    .TimeZone_FromTimeZone = api_timezone,
    .DateTime_FromTimestamp = datetime_from_timestamp,
    .Date_FromTimestamp = date_from_timestamp,
    .DateTime_FromDateAndTimeAndFold = api_datetime,
    .Time_FromTimeAndFold = api_time,
};

/* ---- Initialisation ---- */

/* Puts a value, which is stolen and may be NULL, into the type's dict. */
static int add_constant_steal(PyTypeObject *type, const char *name, PyObject *value)
{
    if (value == NULL)
        return -1;
    int failed = PyDict_SetItemString(type->tp_dict, name, value);
    Py_DECREF(value);
    return failed;
}

static int add_methods(PyTypeObject *type, PyMethodDef *methods)
{
    for (; methods->ml_name != NULL; methods++)
        if (add_constant_steal(type, methods->ml_name, PyDescr_NewClassMethod(type, methods)) < 0)
            return -1;
    return 0;
}

static int add_delta_constants(void)
{
    return add_constant_steal(&delta_type, "resolution", delta_new_normalized(0, 0, 1, 0, &delta_type)) < 0
                   || add_constant_steal(&delta_type, "min", delta_new_normalized(-MAX_DELTA_DAYS, 0, 0, 0, &delta_type)) < 0
                   || add_constant_steal(&delta_type, "max",
                                         delta_new_normalized(MAX_DELTA_DAYS, SECONDS_PER_DAY - 1, 999999, 0, &delta_type)) < 0
               ? -1
               : 0;
}

static int add_date_constants(void)
{
    return add_constant_steal(&date_type, "min", date_new_exact(1, 1, 1, &date_type)) < 0
                   || add_constant_steal(&date_type, "max", date_new_exact(MAX_YEAR, 12, 31, &date_type)) < 0
                   || add_constant_steal(&date_type, "resolution", delta_new_normalized(1, 0, 0, 0, &delta_type)) < 0
               ? -1
               : 0;
}

static int add_time_constants(void)
{
    return add_constant_steal(&time_type, "min", api_time(0, 0, 0, 0, Py_None, 0, &time_type)) < 0
                   || add_constant_steal(&time_type, "max", api_time(23, 59, 59, 999999, Py_None, 0, &time_type)) < 0
                   || add_constant_steal(&time_type, "resolution", delta_new_normalized(0, 0, 1, 0, &delta_type)) < 0
               ? -1
               : 0;
}

static int add_datetime_constants(void)
{
    PyTypeObject *type = &datetime_type;
    return add_methods(type, datetime_class_methods) < 0
                   || add_constant_steal(type, "min", api_datetime(1, 1, 1, 0, 0, 0, 0, Py_None, 0, type)) < 0
                   || add_constant_steal(type, "max", api_datetime(MAX_YEAR, 12, 31, 23, 59, 59, 999999, Py_None, 0, type)) < 0
                   || add_constant_steal(type, "resolution", delta_new_normalized(0, 0, 1, 0, &delta_type)) < 0
               ? -1
               : 0;
}

static int add_timezone_constants(void)
{
    if (timezone_utc == NULL && (timezone_utc = timezone_from_us(0)) == NULL)
        return -1;
    const us_t extreme = (us_t)(23 * 60 + 59) * 60 * US_PER_SECOND;
    return add_constant_steal(&timezone_type, "utc", Py_NewRef(timezone_utc)) < 0
                   || add_constant_steal(&timezone_type, "min", timezone_from_us(-extreme)) < 0
                   || add_constant_steal(&timezone_type, "max", timezone_from_us(extreme)) < 0
               ? -1
               : 0;
}

static int fill_types(void)
{
    PyTypeObject *types[] = {&delta_type, &date_type, &tzinfo_type, &time_type, &datetime_type, &timezone_type, &isocalendar_type};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (PyType_Ready(types[i]) < 0)
            return -1;
    if (add_delta_constants() < 0 || add_date_constants() < 0 || add_time_constants() < 0 || add_datetime_constants() < 0
        || add_timezone_constants() < 0)
        return -1;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        PyType_Modified(types[i]);
    datetime_epoch = api_datetime(1970, 1, 1, 0, 0, 0, 0, timezone_utc, 0, &datetime_type);
    return datetime_epoch == NULL ? -1 : 0;
}

static int datetime_exec(PyObject *module)
{
    PyTypeObject *types[] = {&delta_type, &date_type, &tzinfo_type, &time_type, &datetime_type, &timezone_type};
    if (datetime_epoch == NULL && fill_types() < 0)
        return -1;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (PyModule_AddType(module, types[i]) < 0)
            return -1;
    capi.TimeZone_UTC = timezone_utc;
    return PyModule_AddIntConstant(module, "MINYEAR", MIN_YEAR) < 0 || PyModule_AddIntConstant(module, "MAXYEAR", MAX_YEAR) < 0
                   || PyModule_AddObjectRef(module, "UTC", timezone_utc) < 0
                   || PyModule_Add(module, "datetime_CAPI", PyCapsule_New(&capi, PyDateTime_CAPSULE_NAME, NULL)) < 0
               ? -1
               : 0;
}

static PyModuleDef_Slot datetime_slots[] = {
    {Py_mod_exec, (void *)datetime_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef datetime_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_datetime",
    .m_doc = "Dates and times: see the module datetime.",
    .m_slots = datetime_slots,
};

PyMODINIT_FUNC PyInit__datetime(void)
{
    return PyModuleDef_Init(&datetime_module);
}
