/* What the files of the _datetime module share. Every function that returns PyObject * gives a new reference, or NULL
 * with an exception; ints are 0 or -1 unless said otherwise. */
#ifndef BRAID_DATETIME_INTERNAL_H
#define BRAID_DATETIME_INTERNAL_H

#define _PY_DATETIME_IMPL
#include "datetime.h"
#include "internal/module.h"

#include <time.h>

enum { MIN_YEAR = 1, MAX_YEAR = 9999, MAX_ORDINAL = 3652059, MAX_DELTA_DAYS = 999999999 };
enum { US_PER_SECOND = 1000000, SECONDS_PER_DAY = 86400 };
typedef __int128 us_t;          /* microseconds: all of a timedelta, with room for arithmetic */
#define US_PER_DAY ((us_t)US_PER_SECOND * SECONDS_PER_DAY)

extern PyTypeObject delta_type, date_type, time_type, datetime_type, tzinfo_type, timezone_type, isocalendar_type;
extern PyObject *timezone_utc;      /* made by the first import */
extern PyObject *datetime_epoch;    /* 1970-01-01 in UTC */

#define delta_check(op) PyObject_TypeCheck((op), &delta_type)
#define date_check(op) PyObject_TypeCheck((op), &date_type)
#define time_check(op) PyObject_TypeCheck((op), &time_type)
#define datetime_check(op) PyObject_TypeCheck((op), &datetime_type)
#define tzinfo_check(op) PyObject_TypeCheck((op), &tzinfo_type)

/* The fields of a date, a time or both. */
typedef struct {
    int year, month, day, hour, minute, second, us;
    int fold;
    PyObject *tzinfo;           /* borrowed; Py_None: none */
} fields_t;

static inline fields_t date_fields(PyObject *op)
{
    return (fields_t){.year = PyDateTime_GET_YEAR(op), .month = PyDateTime_GET_MONTH(op), .day = PyDateTime_GET_DAY(op),
                      .tzinfo = Py_None};
}
static inline fields_t time_fields(PyObject *op)
{
    return (fields_t){.year = 1900, .month = 1, .day = 1, .hour = PyDateTime_TIME_GET_HOUR(op),
                      .minute = PyDateTime_TIME_GET_MINUTE(op), .second = PyDateTime_TIME_GET_SECOND(op),
                      .us = PyDateTime_TIME_GET_MICROSECOND(op), .fold = PyDateTime_TIME_GET_FOLD(op),
                      .tzinfo = PyDateTime_TIME_GET_TZINFO(op)};
}
static inline fields_t datetime_fields(PyObject *op)
{
    return (fields_t){.year = PyDateTime_GET_YEAR(op), .month = PyDateTime_GET_MONTH(op), .day = PyDateTime_GET_DAY(op),
                      .hour = PyDateTime_DATE_GET_HOUR(op), .minute = PyDateTime_DATE_GET_MINUTE(op),
                      .second = PyDateTime_DATE_GET_SECOND(op), .us = PyDateTime_DATE_GET_MICROSECOND(op),
                      .fold = PyDateTime_DATE_GET_FOLD(op), .tzinfo = PyDateTime_DATE_GET_TZINFO(op)};
}

/* ---- calendar.c ---- */

int is_leap(int year);
int days_in_month(int year, int month);
int days_before_month(int year, int month);
/* 1 January of year 1 is 1. */
int to_ordinal(int year, int month, int day);
void from_ordinal(int ordinal, int *year, int *month, int *day);
/* Monday: 0 */
int weekday_of(int year, int month, int day);
/* The year and week of ISO 8601. */
void iso_week_of(int year, int month, int day, int *iso_year, int *iso_week);
/* 0; -2: bad year, -3: bad week, -4: bad day; no exception. */
int from_iso_week(int iso_year, int iso_week, int iso_day, int *year, int *month, int *day);
/* -1 with ValueError */
int check_date(int year, int month, int day);
int check_time(const fields_t *f);
int check_tzinfo(PyObject *tzinfo);
/* Seconds since 0001-01-01, plus a day. */
long long to_seconds(const fields_t *f);
/* Microseconds since 0001-01-01. */
us_t fields_to_us(const fields_t *f);
/* Sets all but tzinfo and fold; -1 with OverflowError "date value out of range". */
int us_to_fields(us_t us, fields_t *f);

/* ---- timedelta.c ---- */

PyObject *delta_from_us(us_t us, PyTypeObject *type);
us_t delta_to_us(PyObject *delta);
PyObject *delta_new_normalized(int days, int seconds, int us, int normalize, PyTypeObject *type);
PyObject *delta_repr(PyObject *op);

/* ---- date.c, time.c, datetime_new.c ---- */

PyObject *date_new_exact(int year, int month, int day, PyTypeObject *type);
/* Through the constructor, if type is a subclass. */
PyObject *date_new_for(int year, int month, int day, PyTypeObject *type);
PyObject *date_from_timestamp(PyObject *cls, PyObject *args);
PyObject *time_new_exact(const fields_t *f, PyTypeObject *type);
PyObject *datetime_new_exact(const fields_t *f, PyTypeObject *type);
PyObject *datetime_new_for(const fields_t *f, PyTypeObject *type);
PyObject *datetime_from_us(us_t us, PyObject *tzinfo, PyTypeObject *type);
PyObject *datetime_from_timestamp(PyObject *cls, PyObject *args, PyObject *kwargs);
PyObject *datetime_new(PyTypeObject *type, PyObject *args, PyObject *kwargs);
extern PyMethodDef datetime_class_methods[];
/* The bytes of a pickle state, a new reference: `state` itself or, if it is a str, encoded; *unusable: not a state. */
PyObject *state_bytes(PyObject *state, Py_ssize_t size, Py_ssize_t month_at, const char *what, int *unusable);
/* The cached hash, or that of n bytes. */
Py_hash_t hash_of_bytes(const unsigned char *data, Py_ssize_t n);
PyObject *compare_result(int difference, int op);
PyObject *cannot_compare(PyObject *a, PyObject *b);
/* ctime() */
PyObject *format_ctime(const fields_t *f);
/* time.struct_time; dst: -1, 0, 1 */
PyObject *build_struct_time(const fields_t *f, int dst);
/* __format__ and strftime share it. */
PyObject *format_method(PyObject *self, PyObject *args);

/* ---- tzinfo.c ---- */

/* tzinfo.name(arg): None or a timedelta of less than a day. */
PyObject *tzinfo_call(PyObject *tzinfo, const char *name, PyObject *arg);
static inline PyObject *call_utcoffset(PyObject *tzinfo, PyObject *arg) { return tzinfo_call(tzinfo, "utcoffset", arg); }
static inline PyObject *call_dst(PyObject *tzinfo, PyObject *arg) { return tzinfo_call(tzinfo, "dst", arg); }
PyObject *call_tzname(PyObject *tzinfo, PyObject *arg);
PyObject *timezone_new_exact(PyObject *offset, PyObject *name);
/* timezone(offset), or utc */
PyObject *timezone_from_us(us_t offset);

/* ---- isoformat.c ---- */

/* Appends to buf what utcoffset() says: "", or +HH<sep>MM and more; returns its length or -1. buf: at least 32 bytes. */
int format_offset(char *buf, const char *sep, PyObject *tzinfo, PyObject *arg);
/* Writes the time; returns the length or -1 with ValueError. timespec may be NULL. buf: at least 32 bytes. */
int format_time(char *buf, const fields_t *f, const char *timespec);
PyObject *invalid_isoformat(PyObject *text);
/* The parsers fill fields; *tzinfo is a new reference or NULL. -1: with an exception. */
int parse_iso_date(PyObject *text, fields_t *f);
int parse_iso_time(PyObject *text, fields_t *f, PyObject **tzinfo);
int parse_iso_datetime(PyObject *text, fields_t *f, PyObject **tzinfo);

/* ---- strftime.c ---- */

/* time.strftime with %z, %Z and %f replaced. */
PyObject *wrap_strftime(PyObject *self, PyObject *format, PyObject *timetuple, PyObject *tzinfoarg, int us);

/* ---- localtime.c ---- */

/* A number of seconds since 1970 as seconds and microseconds, rounded half to even (us NULL: down). */
int split_timestamp(PyObject *timestamp, time_t *seconds, int *us);
/* The fields in local time or UTC, fold included. */
int fields_from_time(time_t t, int us, int utc, fields_t *f);
/* Seconds since 1970 of fields in local time; -1 may be an error. */
long long local_timestamp(const fields_t *f);
/* The local timezone at a time stamp. */
PyObject *local_timezone(time_t t);

#endif /* BRAID_DATETIME_INTERNAL_H */
