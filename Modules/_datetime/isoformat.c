/* ISO 8601: dates, times and offsets to text and back. */
#include "datetime_internal.h"

/* ---- Writing ---- */

int format_offset(char *buf, const char *sep, PyObject *tzinfo, PyObject *arg)
{
    PyObject *offset = call_utcoffset(tzinfo, arg);
    if (offset == NULL)
        return -1;
    if (offset == Py_None) {
        *buf = 0;
        return 0;
    }
    us_t us = delta_to_us(offset);
    Py_DECREF(offset);
    char sign = us < 0 ? '-' : '+';
    long long rest = (long long)(us < 0 ? -us : us), seconds = rest / US_PER_SECOND;
    int n = sprintf(buf, "%c%02d%s%02d", sign, (int)(seconds / 3600), sep, (int)(seconds / 60 % 60));
    if (rest % (60LL * US_PER_SECOND) != 0)
        n += sprintf(buf + n, "%s%02d", sep, (int)(seconds % 60));
    if (rest % US_PER_SECOND != 0)
        n += sprintf(buf + n, ".%06d", (int)(rest % US_PER_SECOND));
    return n;
}

int format_time(char *buf, const fields_t *f, const char *timespec)
{
    if (timespec == NULL || strcmp(timespec, "auto") == 0)
        timespec = f->us == 0 ? "seconds" : "microseconds";
    if (strcmp(timespec, "hours") == 0)
        return sprintf(buf, "%02d", f->hour);
    if (strcmp(timespec, "minutes") == 0)
        return sprintf(buf, "%02d:%02d", f->hour, f->minute);
    if (strcmp(timespec, "seconds") == 0)
        return sprintf(buf, "%02d:%02d:%02d", f->hour, f->minute, f->second);
    if (strcmp(timespec, "milliseconds") == 0)
        return sprintf(buf, "%02d:%02d:%02d.%03d", f->hour, f->minute, f->second, f->us / 1000);
    if (strcmp(timespec, "microseconds") == 0)
        return sprintf(buf, "%02d:%02d:%02d.%06d", f->hour, f->minute, f->second, f->us);
    PyErr_SetString(PyExc_ValueError, "Unknown timespec value");
    return -1;
}

/* ---- Reading ----
 * The text is copied to a short buffer in which what is not ASCII stands as 1: no part of a valid one. */

enum { LONGEST = 127 };

PyObject *invalid_isoformat(PyObject *text)
{
    PyErr_Format(PyExc_ValueError, "Invalid isoformat string: %R", text);
    return NULL;
}

/* The length, or -1 if the text is too long. */
static int copy_text(PyObject *text, char *buf)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(text);
    if (n > LONGEST)
        return -1;
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 c = PyUnicode_READ_CHAR(text, i);
        buf[i] = c == 0 || c > 127 ? 1 : (char)c;
    }
    buf[n] = 0;
    return (int)n;
}

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* n digits at p, or -1. */
static int number(const char *p, int n)
{
    int value = 0;
    for (int i = 0; i < n; i++) {
        if (!is_digit(p[i]))
            return -1;
        value = value * 10 + p[i] - '0';
    }
    return value;
}

/* YYYY-MM-DD, YYYYMMDD, YYYY-Www[-D], YYYYWww[D]. -1 without an exception. */
static int read_date(const char *p, int n, fields_t *f)
{
    f->year = number(p, 4);
    if (f->year < 0)
        return -1;
    int dashes = p[4] == '-', i = 4 + dashes;
    if (p[i] == 'W') {
        int week = number(p + i + 1, 2), day = 1;
        if (week < 0)
            return -1;
        i += 3;
        if (i < n) {
            if ((p[i] == '-') != dashes)
                return -1;
            i += dashes;
            day = number(p + i, 1);
            i++;
        }
        if (day < 0 || i != n)
            return -1;
        return from_iso_week(f->year, week, day, &f->year, &f->month, &f->day) == 0 ? 0 : -1;
    }
    f->month = number(p + i, 2);
    if (f->month < 0)
        return -1;
    i += 2;
    if ((p[i] == '-') != dashes)
        return -1;
    i += dashes;
    f->day = number(p + i, 2);
    return f->day < 0 || i + 2 != n ? -1 : 0;
}

/* HH[:MM[:SS[.ffffff]]], colons or none. -1 without an exception. */
static int read_clock(const char *p, int n, int *hour, int *minute, int *second, int *us)
{
    int *fields[] = {hour, minute, second}, i = 0, colons = 0, digits = 0;
    *hour = *minute = *second = *us = 0;
    for (int k = 0; k < 3; k++) {
        if (n - i < 2 || (*fields[k] = number(p + i, 2)) < 0)
            return -1;
        i += 2;
        if (k == 0)
            colons = i < n && p[i] == ':';
        if (i == n || k == 2)
            break;
        if (colons && p[i] != ':')
            return -1;
        i += colons;
    }
    if (i == n)
        return 0;
    if (p[i] != '.' && p[i] != ',')
        return -1;
    for (i++; i < n; i++, digits++) {
        if (!is_digit(p[i]))
            return -1;
        if (digits < 6)
            *us = *us * 10 + p[i] - '0';
    }
    if (digits == 0)
        return -1;
    for (; digits < 6; digits++)
        *us *= 10;
    return 0;
}

/* The offset behind the sign at p. -1; *tzinfo NULL: no exception. */
static int read_offset(const char *p, int n, PyObject **tzinfo)
{
    int hour, minute, second, us;
    if (*p == 'Z') {
        if (n != 1)
            return -1;
        *tzinfo = Py_NewRef(timezone_utc);
        return 0;
    }
    if (n - 1 < 2 || n - 1 == 3 || read_clock(p + 1, n - 1, &hour, &minute, &second, &us) < 0)
        return -1;
    us_t offset = (((us_t)hour * 60 + minute) * 60 + second) * US_PER_SECOND + us;
    *tzinfo = timezone_from_us(*p == '-' ? -offset : offset);
    return *tzinfo == NULL ? -1 : 0;
}

/* A time with an optional offset. -1, perhaps with an exception. */
static int read_time(const char *p, int n, fields_t *f, PyObject **tzinfo)
{
    int clock = 0;
    *tzinfo = NULL;
    while (clock < n && p[clock] != '+' && p[clock] != '-' && p[clock] != 'Z')
        clock++;
    if (read_clock(p, clock, &f->hour, &f->minute, &f->second, &f->us) < 0)
        return -1;
    return clock == n ? 0 : read_offset(p + clock, n - clock, tzinfo);
}

/* Where the date ends, given at least 7 characters; -1: nowhere. */
static int find_separator(const char *p, int n)
{
    if (n == 7)
        return 7;
    if (p[4] == '-') {
        if (p[5] != 'W')
            return 10;
        if (n > 8 && p[8] == '-') {
            if (n == 9)
                return -1;
            /* YYYY-Www-D, or YYYY-Www and a time behind a dash */
            return n > 10 && is_digit(p[10]) ? 8 : 10;
        }
        return 8;
    }
    if (p[4] != 'W')
        return 8;
    int i = 7;
    while (i < n && is_digit(p[i]))
        i++;
    if (i < 9)
        return i;
    return i % 2 == 0 ? 7 : 8;
}

static int fail(PyObject *text)
{
    if (!PyErr_Occurred())
        invalid_isoformat(text);
    return -1;
}

int parse_iso_date(PyObject *text, fields_t *f)
{
    char buf[LONGEST + 16] = "";
    int n = copy_text(text, buf);
    if ((n != 7 && n != 8 && n != 10) || read_date(buf, n, f) < 0)
        return fail(text);
    return 0;
}

int parse_iso_time(PyObject *text, fields_t *f, PyObject **tzinfo)
{
    char buf[LONGEST + 16] = "";
    int n = copy_text(text, buf), start = buf[0] == 'T';
    *tzinfo = NULL;
    return n < 0 || read_time(buf + start, n - start, f, tzinfo) < 0 ? fail(text) : 0;
}

int parse_iso_datetime(PyObject *text, fields_t *f, PyObject **tzinfo)
{
    char buf[LONGEST + 16] = "";
    int n = copy_text(text, buf), end = n < 7 ? -1 : find_separator(buf, n);
    *tzinfo = NULL;
    if (end < 0 || end > n || read_date(buf, end, f) < 0)
        return fail(text);
    if (n - end > 1 && read_time(buf + end + 1, n - end - 1, f, tzinfo) < 0)
        return fail(text);
    return 0;
}
