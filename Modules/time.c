/* The time module: clocks, sleeping and the calendar of the C library. */
#include "module.h"
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>
#include "structseq.h"

#define NS 1000000000LL

static PyTypeObject *struct_time_type;      /* [const after the module is made] */

/* ---- clocks ---- */

static PyObject *seconds_make(int64_t ns)
{
    /* Whole seconds first: a quotient of whole numbers is exact more often. */
    return PyFloat_FromDouble(ns % NS == 0 ? (double)(ns / NS) : (double)ns / 1e9);
}

static int clock_read(clockid_t id, int64_t *ns)
{
    struct timespec ts;
    if (clock_gettime(id, &ts) != 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    *ns = ts.tv_sec * NS + ts.tv_nsec;
    return 0;
}

#define CLOCK(NAME, ID) \
    static PyObject *time_##NAME(PyObject *module, PyObject *unused) \
    { \
        int64_t ns; \
        return clock_read(ID, &ns) < 0 ? NULL : seconds_make(ns); \
    } \
    static PyObject *time_##NAME##_ns(PyObject *module, PyObject *unused) \
    { \
        int64_t ns; \
        return clock_read(ID, &ns) < 0 ? NULL : PyLong_FromLongLong(ns); \
    }
CLOCK(time, CLOCK_REALTIME)
CLOCK(monotonic, CLOCK_MONOTONIC)
CLOCK(perf_counter, CLOCK_MONOTONIC)
CLOCK(process_time, CLOCK_PROCESS_CPUTIME_ID)
CLOCK(thread_time, CLOCK_THREAD_CPUTIME_ID)

static PyObject *time_clock_gettime(PyObject *module, PyObject *args)
{
    int id;
    int64_t ns;
    if (!PyArg_ParseTuple(args, "i:clock_gettime", &id) || clock_read(id, &ns) < 0)
        return NULL;
    return seconds_make(ns);
}

static PyObject *time_clock_gettime_ns(PyObject *module, PyObject *args)
{
    int id;
    int64_t ns;
    if (!PyArg_ParseTuple(args, "i:clock_gettime_ns", &id) || clock_read(id, &ns) < 0)
        return NULL;
    return PyLong_FromLongLong(ns);
}

static PyObject *time_clock_getres(PyObject *module, PyObject *args)
{
    int id;
    struct timespec ts;
    if (!PyArg_ParseTuple(args, "i:clock_getres", &id))
        return NULL;
    if (clock_getres(id, &ts) != 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    return PyFloat_FromDouble(ts.tv_sec + ts.tv_nsec * 1e-9);
}

enum rounding { ROUND_FLOOR, ROUND_UP };

/* Seconds (int or float) to nanoseconds. 0, or -1 with an exception. */
static int ns_from_object(PyObject *arg, enum rounding rounding, int64_t *ns)
{
    if (PyFloat_Check(arg)) {
        double value = PyFloat_AsDouble(arg);
        if (isnan(value)) {
            PyErr_SetString(PyExc_ValueError, "Invalid value NaN (not a number)");
            return -1;
        }
        value *= 1e9;
        value = rounding == ROUND_FLOOR ? floor(value) : value >= 0 ? ceil(value) : floor(value);
        if (!(value >= -0x1p63 && value < 0x1p63)) {
            PyErr_SetString(PyExc_OverflowError, "timestamp out of range for platform time_t");
            return -1;
        }
        *ns = (int64_t)value;
        return 0;
    }
    long long seconds = PyLong_AsLongLong(arg);
    if (seconds == -1 && PyErr_Occurred()) {
        if (PyErr_ExceptionMatches(PyExc_OverflowError))
            PyErr_SetString(PyExc_OverflowError, "timestamp too large to convert to C _PyTime_t");
        return -1;
    }
    if (__builtin_mul_overflow(seconds, NS, ns)) {
        PyErr_SetString(PyExc_OverflowError, "timestamp too large to convert to C _PyTime_t");
        return -1;
    }
    return 0;
}

static PyObject *clock_settime_ns(int id, int64_t ns)
{
    int64_t rest = ((ns % NS) + NS) % NS;
    struct timespec ts = {(ns - rest) / NS, rest};
    if (clock_settime(id, &ts) != 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    Py_RETURN_NONE;
}

static PyObject *time_clock_settime(PyObject *module, PyObject *args)
{
    int id;
    PyObject *value;
    int64_t ns;
    if (!PyArg_ParseTuple(args, "iO:clock_settime", &id, &value) || ns_from_object(value, ROUND_FLOOR, &ns) < 0)
        return NULL;
    return clock_settime_ns(id, ns);
}

static PyObject *time_clock_settime_ns(PyObject *module, PyObject *args)
{
    int id;
    PyObject *value;
    if (!PyArg_ParseTuple(args, "iO:clock_settime_ns", &id, &value))
        return NULL;
    long long ns = PyLong_AsLongLong(value);
    if (ns == -1 && PyErr_Occurred())
        return NULL;
    return clock_settime_ns(id, ns);
}

static PyObject *time_pthread_getcpuclockid(PyObject *module, PyObject *arg)
{
    unsigned long thread = PyLong_AsUnsignedLong(arg);
    if (thread == (unsigned long)-1 && PyErr_Occurred())
        return NULL;
    clockid_t id;
    int error = pthread_getcpuclockid((pthread_t)thread, &id);
    if (error) {
        errno = error;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return PyLong_FromLong(id);
}

static PyObject *time_get_clock_info(PyObject *module, PyObject *args)
{
    static const struct { const char *name, *implementation; clockid_t id; int monotonic, adjustable; } clocks[] = {
        {"time", "clock_gettime(CLOCK_REALTIME)", CLOCK_REALTIME, 0, 1},
        {"monotonic", "clock_gettime(CLOCK_MONOTONIC)", CLOCK_MONOTONIC, 1, 0},
        {"perf_counter", "clock_gettime(CLOCK_MONOTONIC)", CLOCK_MONOTONIC, 1, 0},
        {"process_time", "clock_gettime(CLOCK_PROCESS_CPUTIME_ID)", CLOCK_PROCESS_CPUTIME_ID, 1, 0},
        {"thread_time", "clock_gettime(CLOCK_THREAD_CPUTIME_ID)", CLOCK_THREAD_CPUTIME_ID, 1, 0},
    };
    const char *name;
    if (!PyArg_ParseTuple(args, "s:get_clock_info", &name))
        return NULL;
    for (size_t i = 0; i < Py_ARRAY_LENGTH(clocks); i++) {
        if (strcmp(clocks[i].name, name) != 0)
            continue;
        struct timespec ts;
        if (clock_getres(clocks[i].id, &ts) != 0)
            return PyErr_SetFromErrno(PyExc_OSError);
        PyObject *fields = Py_BuildValue("{s:s,s:O,s:O,s:d}", "implementation", clocks[i].implementation,
                                         "monotonic", clocks[i].monotonic ? Py_True : Py_False,
                                         "adjustable", clocks[i].adjustable ? Py_True : Py_False,
                                         "resolution", ts.tv_sec + ts.tv_nsec * 1e-9);
        if (fields == NULL)
            return NULL;
        PyObject *result = _PyNamespace_New(fields);
        Py_DECREF(fields);
        return result;
    }
    PyErr_SetString(PyExc_ValueError, "unknown clock");
    return NULL;
}

static PyObject *time_sleep(PyObject *module, PyObject *arg)
{
    int64_t ns, start;
    if (ns_from_object(arg, ROUND_UP, &ns) < 0)
        return NULL;
    if (ns < 0) {
        PyErr_SetString(PyExc_ValueError, "sleep length must be non-negative");
        return NULL;
    }
    if (clock_read(CLOCK_MONOTONIC, &start) < 0)
        return NULL;
    int64_t end;
    if (__builtin_add_overflow(start, ns, &end))
        end = INT64_MAX;
    struct timespec deadline = {end / NS, end % NS};
    for (;;) {
        int error;
        Py_BEGIN_ALLOW_THREADS
        error = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, NULL);
        Py_END_ALLOW_THREADS
        if (error == 0)
            Py_RETURN_NONE;
        if (error != EINTR) {
            errno = error;
            return PyErr_SetFromErrno(PyExc_OSError);
        }
        if (PyErr_CheckSignals() < 0)
            return NULL;
    }
}

/* ---- struct_time ---- */

static PyStructSequence_Field struct_time_fields[] = {
    {"tm_year", "year, for example, 1993"}, {"tm_mon", "month of year, range [1, 12]"},
    {"tm_mday", "day of month, range [1, 31]"}, {"tm_hour", "hours, range [0, 23]"},
    {"tm_min", "minutes, range [0, 59]"}, {"tm_sec", "seconds, range [0, 61])"},
    {"tm_wday", "day of week, range [0, 6], Monday is 0"}, {"tm_yday", "day of year, range [1, 366]"},
    {"tm_isdst", "1 if summer time is in effect, 0 if not, and -1 if unknown"},
    {"tm_zone", "abbreviation of timezone name"}, {"tm_gmtoff", "offset from UTC in seconds"}, {NULL, NULL},
};
static PyStructSequence_Desc struct_time_desc = {
    "time.struct_time", "A moment of the calendar, as gmtime(), localtime() and strptime() return it.",
    struct_time_fields, 9};

static PyObject *struct_time_make(const struct tm *tm)
{
    PyObject *result = PyStructSequence_New(struct_time_type);
    if (result == NULL)
        return NULL;
    long values[9] = {tm->tm_year + 1900L, tm->tm_mon + 1, tm->tm_mday, tm->tm_hour, tm->tm_min, tm->tm_sec,
                      (tm->tm_wday + 6) % 7, tm->tm_yday + 1, tm->tm_isdst};
    for (int i = 0; i < 9; i++)
        PyStructSequence_SET_ITEM(result, i, PyLong_FromLong(values[i]));
    PyStructSequence_SET_ITEM(result, 9, PyUnicode_DecodeLocale(tm->tm_zone, "surrogateescape"));
    PyStructSequence_SET_ITEM(result, 10, PyLong_FromLong(tm->tm_gmtoff));
    if (PyErr_Occurred())
        Py_CLEAR(result);
    return result;
}

/* The optional argument of gmtime() and so on. */
static int when_get(PyObject *args, const char *format, time_t *when)
{
    PyObject *arg = NULL;
    if (!PyArg_ParseTuple(args, format, &arg))
        return -1;
    if (arg == NULL || arg == Py_None) {
        *when = time(NULL);
        return 0;
    }
    if (PyFloat_Check(arg)) {
        double value = floor(PyFloat_AsDouble(arg));
        if (isnan(value)) {
            PyErr_SetString(PyExc_ValueError, "Invalid value NaN (not a number)");
            return -1;
        }
        if (!(value >= -0x1p63 && value < 0x1p63)) {
            PyErr_SetString(PyExc_OverflowError, "timestamp out of range for platform time_t");
            return -1;
        }
        *when = (time_t)value;
        return 0;
    }
    *when = PyLong_AsLong(arg);
    if (*when == -1 && PyErr_Occurred()) {
        if (PyErr_ExceptionMatches(PyExc_OverflowError))
            PyErr_SetString(PyExc_OverflowError, "timestamp out of range for platform time_t");
        return -1;
    }
    return 0;
}

static PyObject *time_gmtime(PyObject *module, PyObject *args)
{
    time_t when;
    struct tm tm;
    if (when_get(args, "|O:gmtime", &when) < 0)
        return NULL;
    errno = 0;
    if (gmtime_r(&when, &tm) == NULL) {
        if (errno == 0)
            errno = EINVAL;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    tm.tm_zone = "UTC";
    return struct_time_make(&tm);
}

static int local(time_t when, struct tm *tm)
{
    errno = 0;
    if (localtime_r(&when, tm) != NULL)
        return 0;
    if (errno == 0)
        errno = EINVAL;
    PyErr_SetFromErrno(PyExc_OSError);
    return -1;
}

static PyObject *time_localtime(PyObject *module, PyObject *args)
{
    time_t when;
    struct tm tm;
    if (when_get(args, "|O:localtime", &when) < 0 || local(when, &tm) < 0)
        return NULL;
    return struct_time_make(&tm);
}

/* A 9-tuple or struct_time to struct tm. zone keeps tm_zone's text alive (a reference or NULL). */
static int tm_get(PyObject *arg, struct tm *tm, const char *format, PyObject **zone)
{
    *zone = NULL;
    memset(tm, 0, sizeof *tm);
    if (!PyTuple_Check(arg)) {
        PyErr_SetString(PyExc_TypeError, "Tuple or struct_time argument required");
        return -1;
    }
    PyObject *tuple = arg;
    PyObject *plain = NULL;
    if (Py_IS_TYPE(arg, struct_time_type)) {
        plain = PyTuple_New(9);
        if (plain == NULL)
            return -1;
        for (Py_ssize_t i = 0; i < 9; i++)
            PyTuple_SET_ITEM(plain, i, Py_NewRef(PyStructSequence_GET_ITEM(arg, i)));
        tuple = plain;
    }
    int year;
    int ok = PyArg_ParseTuple(tuple, format, &year, &tm->tm_mon, &tm->tm_mday, &tm->tm_hour, &tm->tm_min,
                              &tm->tm_sec, &tm->tm_wday, &tm->tm_yday, &tm->tm_isdst);
    Py_XDECREF(plain);
    if (!ok)
        return -1;
    if (year < INT_MIN + 1900) {
        PyErr_SetString(PyExc_OverflowError, "year out of range");
        return -1;
    }
    tm->tm_year = year - 1900;
    tm->tm_mon--;
    tm->tm_wday = (tm->tm_wday + 1) % 7;
    tm->tm_yday--;
    if (Py_IS_TYPE(arg, struct_time_type)) {
        PyObject *item = PyStructSequence_GET_ITEM(arg, 9);
        if (item != NULL && PyUnicode_Check(item)) {
            *zone = PyUnicode_EncodeLocale(item, "surrogateescape");
            if (*zone == NULL)
                return -1;
            tm->tm_zone = PyBytes_AS_STRING(*zone);
        }
        item = PyStructSequence_GET_ITEM(arg, 10);
        if (item != NULL && item != Py_None) {
            tm->tm_gmtoff = PyLong_AsLong(item);
            if (tm->tm_gmtoff == -1 && PyErr_Occurred())
                goto failed;
        }
    }
    return 0;
failed:
    Py_CLEAR(*zone);
    return -1;
}

/* Zero stands for the first month, day and day of the year; everything else out of range is an error. */
static int tm_check(struct tm *tm)
{
    const char *message = NULL;
    if (tm->tm_mon == -1)
        tm->tm_mon = 0;
    else if (tm->tm_mon < 0 || tm->tm_mon > 11)
        message = "month out of range";
    if (tm->tm_mday == 0)
        tm->tm_mday = 1;
    if (message != NULL)
        ;
    else if (tm->tm_mday < 0 || tm->tm_mday > 31)
        message = "day of month out of range";
    else if (tm->tm_hour < 0 || tm->tm_hour > 23)
        message = "hour out of range";
    else if (tm->tm_min < 0 || tm->tm_min > 59)
        message = "minute out of range";
    else if (tm->tm_sec < 0 || tm->tm_sec > 61)
        message = "seconds out of range";
    else if (tm->tm_wday < 0)
        message = "day of week out of range";
    else if (tm->tm_yday == -1)
        tm->tm_yday = 0;
    else if (tm->tm_yday < 0 || tm->tm_yday > 365)
        message = "day of year out of range";
    if (message == NULL)
        return 0;
    PyErr_SetString(PyExc_ValueError, message);
    return -1;
}

static PyObject *asctime_make(const struct tm *tm)
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    char text[80];
    snprintf(text, sizeof text, "%s %s %2d %02d:%02d:%02d %ld", days[tm->tm_wday], months[tm->tm_mon], tm->tm_mday,
             tm->tm_hour, tm->tm_min, tm->tm_sec, tm->tm_year + 1900L);
    return PyUnicode_FromString(text);
}

static PyObject *time_asctime(PyObject *module, PyObject *args)
{
    PyObject *tuple = NULL, *zone = NULL;
    struct tm tm;
    if (!PyArg_UnpackTuple(args, "asctime", 0, 1, &tuple))
        return NULL;
    if (tuple == NULL) {
        if (local(time(NULL), &tm) < 0)
            return NULL;
    }
    else if (tm_get(tuple, &tm, "iiiiiiiii;asctime(): illegal time tuple argument", &zone) < 0) {
        return NULL;
    }
    PyObject *result = tm_check(&tm) < 0 ? NULL : asctime_make(&tm);
    Py_XDECREF(zone);
    return result;
}

static PyObject *time_ctime(PyObject *module, PyObject *args)
{
    time_t when;
    struct tm tm;
    if (when_get(args, "|O:ctime", &when) < 0 || local(when, &tm) < 0)
        return NULL;
    return asctime_make(&tm);
}

static PyObject *time_mktime(PyObject *module, PyObject *arg)
{
    struct tm tm;
    PyObject *zone;
    if (tm_get(arg, &tm, "iiiiiiiii;mktime(): illegal time tuple argument", &zone) < 0)
        return NULL;
    tm.tm_wday = -1;        /* stays so if mktime() fails: -1 alone is a moment too */
    time_t when = mktime(&tm);
    Py_XDECREF(zone);
    if (when == (time_t)-1 && tm.tm_wday == -1) {
        PyErr_SetString(PyExc_OverflowError, "mktime argument out of range");
        return NULL;
    }
    return PyFloat_FromDouble((double)when);
}

/* strftime() of one format without NUL. Nothing tells an empty result from a buffer that is too small: the format
 * gets a byte in front. */
static PyObject *strftime_piece(const char *format, const struct tm *tm)
{
    size_t length = strlen(format);
    char *marked = PyMem_Malloc(length + 2);
    if (marked == NULL)
        return PyErr_NoMemory();
    marked[0] = '.';
    memcpy(marked + 1, format, length + 1);
    PyObject *result = NULL;
    for (size_t size = 256 + length * 2; ; size *= 2) {
        char *buffer = PyMem_Malloc(size);
        if (buffer == NULL) {
            PyErr_NoMemory();
            break;
        }
        size_t written = strftime(buffer, size, marked, tm);
        if (written > 0)
            result = PyUnicode_DecodeLocaleAndSize(buffer + 1, (Py_ssize_t)written - 1, "surrogateescape");
        PyMem_Free(buffer);
        if (written > 0)
            break;
        if (size > 256 * (length + 256)) {
            PyErr_NoMemory();
            break;
        }
    }
    PyMem_Free(marked);
    return result;
}

static PyObject *time_strftime(PyObject *module, PyObject *args)
{
    PyObject *format, *tuple = NULL, *zone = NULL, *encoded = NULL, *result = NULL;
    struct tm tm;
    if (!PyArg_ParseTuple(args, "U|O:strftime", &format, &tuple))
        return NULL;
    if (tuple == NULL) {
        if (local(time(NULL), &tm) < 0)
            return NULL;
    }
    else if (tm_get(tuple, &tm, "iiiiiiiii;strftime(): illegal time tuple argument", &zone) < 0) {
        return NULL;
    }
    if (tm_check(&tm) < 0)
        goto done;
    if (tm.tm_isdst < -1)
        tm.tm_isdst = -1;
    else if (tm.tm_isdst > 1)
        tm.tm_isdst = 1;
    if (PyUnicode_FindChar(format, 0, 0, PyUnicode_GET_LENGTH(format), 1) >= 0) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        goto done;
    }
    encoded = PyUnicode_EncodeLocale(format, "surrogateescape");
    if (encoded != NULL)
        result = strftime_piece(PyBytes_AS_STRING(encoded), &tm);
done:
    Py_XDECREF(encoded);
    Py_XDECREF(zone);
    return result;
}

static PyObject *time_strptime(PyObject *module, PyObject *args)
{
    PyObject *strptime = PyImport_ImportModule("_strptime");
    if (strptime == NULL)
        return NULL;
    PyObject *func = PyObject_GetAttrString(strptime, "_strptime_time");
    PyObject *result = func != NULL ? PyObject_Call(func, args, NULL) : NULL;
    Py_XDECREF(func);
    Py_DECREF(strptime);
    return result;
}

/* ---- time zone ---- */

static int zone_constants(PyObject *module)
{
    /* The offset and name in the middle of winter and of summer of this year; the bigger offset is summer time. */
    static const time_t year = (365 * 24 + 6) * 3600;
    time_t t = (time((time_t *)0) / year) * year;
    struct tm january, july;
    if (localtime_r(&t, &january) == NULL)
        return -1;
    t += year / 2;
    if (localtime_r(&t, &july) == NULL)
        return -1;
    const struct tm *winter = january.tm_gmtoff <= july.tm_gmtoff ? &january : &july;
    const struct tm *summer = winter == &january ? &july : &january;
    if (january.tm_gmtoff == july.tm_gmtoff)
        winter = &january, summer = &july;
    PyObject *names = NULL;
    PyObject *a = PyUnicode_DecodeLocale(winter->tm_zone, "surrogateescape");
    PyObject *b = PyUnicode_DecodeLocale(summer->tm_zone, "surrogateescape");
    if (a != NULL && b != NULL)
        names = PyTuple_Pack(2, a, b);
    Py_XDECREF(a);
    Py_XDECREF(b);
    if (names == NULL)
        return -1;
    int rc = PyModule_AddIntConstant(module, "timezone", -winter->tm_gmtoff) < 0
             || PyModule_AddIntConstant(module, "altzone", -summer->tm_gmtoff) < 0
             || PyModule_AddIntConstant(module, "daylight", january.tm_gmtoff != july.tm_gmtoff) < 0
             || PyModule_AddObjectRef(module, "tzname", names) < 0;
    Py_DECREF(names);
    return rc ? -1 : 0;
}

static PyObject *time_tzset(PyObject *module, PyObject *unused)
{
    tzset();
    if (zone_constants(module) < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* ---- the module ---- */

#define CLOCK_METHODS(name, doc) \
    {#name, time_##name, METH_NOARGS, doc " In seconds."}, \
    {#name "_ns", time_##name##_ns, METH_NOARGS, doc " In nanoseconds."}

static PyMethodDef time_methods[] = {
    CLOCK_METHODS(time, "The time since the epoch."),
    CLOCK_METHODS(monotonic, "A clock that never goes back."),
    CLOCK_METHODS(perf_counter, "The clock for measuring."),
    CLOCK_METHODS(process_time, "The processor time of this process."),
    CLOCK_METHODS(thread_time, "The processor time of this thread."),
    {"clock_gettime", time_clock_gettime, METH_VARARGS, "clock_gettime(clk_id) -> float\n\nThe time of a clock."},
    {"clock_gettime_ns", time_clock_gettime_ns, METH_VARARGS,
     "clock_gettime_ns(clk_id) -> int\n\nThe time of a clock in nanoseconds."},
    {"clock_settime", time_clock_settime, METH_VARARGS, "clock_settime(clk_id, time)\n\nSets a clock."},
    {"clock_settime_ns", time_clock_settime_ns, METH_VARARGS,
     "clock_settime_ns(clk_id, time)\n\nSets a clock, in nanoseconds."},
    {"clock_getres", time_clock_getres, METH_VARARGS, "clock_getres(clk_id) -> float\n\nThe resolution of a clock."},
    {"pthread_getcpuclockid", time_pthread_getcpuclockid, METH_O,
     "pthread_getcpuclockid(thread_id) -> int\n\nThe clock of a thread's processor time."},
    {"sleep", time_sleep, METH_O, "sleep(seconds)\n\nWaits for at least so many seconds."},
    {"gmtime", time_gmtime, METH_VARARGS, "gmtime([seconds]) -> struct_time\n\nThe moment in UTC."},
    {"localtime", time_localtime, METH_VARARGS, "localtime([seconds]) -> struct_time\n\nThe moment in local time."},
    {"asctime", time_asctime, METH_VARARGS, "asctime([tuple]) -> string\n\nA moment in C's fixed form."},
    {"ctime", time_ctime, METH_VARARGS, "ctime([seconds]) -> string\n\nThe local time in C's fixed form."},
    {"mktime", time_mktime, METH_O, "mktime(tuple) -> float\n\nSeconds since the epoch of a local time."},
    {"strftime", time_strftime, METH_VARARGS, "strftime(format[, tuple]) -> string\n\nA moment as a format tells."},
    {"strptime", time_strptime, METH_VARARGS, "strptime(string, format) -> struct_time\n\nReads a moment."},
    {"tzset", time_tzset, METH_NOARGS, "tzset()\n\nTakes the time zone from the environment again."},
    {"get_clock_info", time_get_clock_info, METH_VARARGS, "get_clock_info(name) -> namespace\n\nFacts about a clock."},
    {NULL},
};

static int time_exec(PyObject *module)
{
    static const struct { const char *name; long value; } constants[] = {
#define INT(name) {#name, name},
        INT(CLOCK_REALTIME) INT(CLOCK_MONOTONIC) INT(CLOCK_MONOTONIC_RAW) INT(CLOCK_PROCESS_CPUTIME_ID)
        INT(CLOCK_THREAD_CPUTIME_ID) INT(CLOCK_BOOTTIME) INT(CLOCK_TAI) {"_STRUCT_TM_ITEMS", 11},
#undef INT
    };
    for (size_t i = 0; i < Py_ARRAY_LENGTH(constants); i++)
        if (PyModule_AddIntConstant(module, constants[i].name, constants[i].value) < 0)
            return -1;
    if (struct_time_type == NULL) {
        struct_time_type = PyStructSequence_NewType(&struct_time_desc);
        if (struct_time_type == NULL)
            return -1;
    }
    if (PyModule_AddObjectRef(module, "struct_time", (PyObject *)struct_time_type) < 0)
        return -1;
    tzset();
    return zone_constants(module);
}

static PyModuleDef_Slot time_slots[] = {
    {Py_mod_exec, (void *)time_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef time_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "time",
    .m_doc = "Clocks, sleeping and the calendar.",
    .m_methods = time_methods,
    .m_slots = time_slots,
};

PyMODINIT_FUNC PyInit_time(void)
{
    return PyModuleDef_Init(&time_module);
}
