/* Time stamps, and local time with its folds and gaps. */
#include "datetime_internal.h"

#include <errno.h>
#include <math.h>

enum { MAX_FOLD = 24 * 3600 };      /* no fold is longer, in seconds */
#define EPOCH_SECONDS (719163LL * SECONDS_PER_DAY)     /* to_seconds() of 1970-01-01 */

/* ---- Time stamps ---- */

static int out_of_range(void)
{
    PyErr_SetString(PyExc_OverflowError, "timestamp out of range for platform time_t");
    return -1;
}

static double round_half_even(double x)
{
    double rounded = round(x);
    return fabs(x - rounded) == 0.5 ? 2.0 * round(x / 2.0) : rounded;
}

static int split_float(double d, time_t *seconds, int *us)
{
    double whole, fraction;
    if (isnan(d)) {
        PyErr_SetString(PyExc_ValueError, "Invalid value NaN (not a number)");
        return -1;
    }
    fraction = modf(us == NULL ? floor(d) : d, &whole);
    if (us != NULL) {
        fraction = round_half_even(fraction * 1e6);
        if (fraction >= 1e6) {
            fraction -= 1e6;
            whole += 1.0;
        }
        else if (fraction < 0) {
            fraction += 1e6;
            whole -= 1.0;
        }
        *us = (int)fraction;
    }
    if (!(whole >= -9223372036854775808.0 && whole < 9223372036854775808.0))
        return out_of_range();
    *seconds = (time_t)whole;
    return 0;
}

int split_timestamp(PyObject *timestamp, time_t *seconds, int *us)
{
    if (PyFloat_Check(timestamp))
        return split_float(PyFloat_AsDouble(timestamp), seconds, us);
    long long n = PyLong_AsLongLong(timestamp);
    if (n == -1 && PyErr_Occurred())
        return PyErr_ExceptionMatches(PyExc_OverflowError) ? out_of_range() : -1;
    *seconds = n;
    if (us != NULL)
        *us = 0;
    return 0;
}

/* ---- Local time ---- */

static int get_tm(time_t t, int utc, struct tm *tm)
{
    errno = 0;
    if ((utc ? gmtime_r(&t, tm) : localtime_r(&t, tm)) != NULL)
        return 0;
    if (errno == 0)
        errno = EINVAL;
    PyErr_SetFromErrno(PyExc_OSError);
    return -1;
}

static void fields_from_tm(const struct tm *tm, fields_t *f)
{
    f->year = tm->tm_year + 1900;
    f->month = tm->tm_mon + 1;
    f->day = tm->tm_mday;
    f->hour = tm->tm_hour;
    f->minute = tm->tm_min;
    f->second = tm->tm_sec < 60 ? tm->tm_sec : 59;     /* leap seconds */
}

/* to_seconds() of the local time at u, seconds on the same scale; -1 with an exception. */
static long long local(long long u)
{
    struct tm tm;
    fields_t f;
    if (u < 0) {
        PyErr_SetString(PyExc_ValueError, "year is out of range");
        return -1;
    }
    if (get_tm((time_t)(u - EPOCH_SECONDS), 0, &tm) < 0)
        return -1;
    fields_from_tm(&tm, &f);
    if (f.year < MIN_YEAR || f.year > MAX_YEAR) {
        PyErr_Format(PyExc_ValueError, "year %i is out of range", f.year);
        return -1;
    }
    return to_seconds(&f);
}

int fields_from_time(time_t t, int us, int utc, fields_t *f)
{
    struct tm tm;
    if (get_tm(t, utc, &tm) < 0)
        return -1;
    fields_from_tm(&tm, f);
    f->us = us;
    f->fold = 0;
    if (utc || f->year < MIN_YEAR || f->year > MAX_YEAR)
        return 0;
    /* Has the clock been put back less than a day ago, so that this local time has been before? */
    long long now = to_seconds(f), before;
    if (t < -EPOCH_SECONDS + 2 * MAX_FOLD)
        return 0;
    before = local(EPOCH_SECONDS + t - MAX_FOLD);
    if (before == -1)
        return -1;
    long long transition = now - before - MAX_FOLD;
    if (transition < 0) {
        before = local(EPOCH_SECONDS + t + transition);
        if (before == -1)
            return -1;
        f->fold = before == now;
    }
    return 0;
}

/* The seconds (to_seconds scale) at which the local time is f: in a fold the one that f->fold asks for, in a gap as if
 * the offset before it (or, with fold, behind it) still held. -1 with an exception. */
static long long local_to_seconds(const fields_t *f)
{
    long long t = to_seconds(f), lt = local(t);
    if (lt == -1)
        return -1;
    long long a = lt - t, u1 = t - a, t1 = local(u1), u2, b;
    if (t1 == -1)
        return -1;
    if (t1 == t) {
        /* a solution; is there another one, with a different offset? */
        u2 = f->fold ? u1 + MAX_FOLD : u1 - MAX_FOLD;
        lt = local(u2);
        if (lt == -1)
            return -1;
        b = lt - u2;
        if (a == b)
            return u1;
    }
    else
        b = t1 - u1;
    u2 = t - b;
    long long t2 = local(u2);
    if (t2 == -1)
        return -1;
    if (t2 == t)
        return u2;
    if (t1 == t)
        return u1;
    return f->fold == (u1 < u2) ? u1 : u2;
}

long long local_timestamp(const fields_t *f)
{
    long long seconds = local_to_seconds(f);
    return seconds == -1 ? -1 : seconds - EPOCH_SECONDS;
}

PyObject *local_timezone(time_t t)
{
    struct tm tm;
    if (get_tm(t, 0, &tm) < 0)
        return NULL;
    PyObject *offset = delta_from_us((us_t)tm.tm_gmtoff * US_PER_SECOND, &delta_type), *name = NULL, *result = NULL;
    if (offset != NULL && (name = PyUnicode_DecodeLocale(tm.tm_zone, "surrogateescape")) != NULL)
        result = timezone_new_exact(offset, name);
    Py_XDECREF(offset);
    Py_XDECREF(name);
    return result;
}
