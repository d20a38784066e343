/* Arithmetic of the proleptic Gregorian calendar. */
#include "datetime_internal.h"

static const int month_days[] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
static const int month_starts[] = {0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};

int is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int days_in_month(int year, int month)
{
    return month_days[month] + (month == 2 && is_leap(year));
}

int days_before_month(int year, int month)
{
    return month_starts[month] + (month > 2 && is_leap(year));
}

static int days_before_year(int year)
{
    int y = year - 1;
    return y * 365 + y / 4 - y / 100 + y / 400;
}

int to_ordinal(int year, int month, int day)
{
    return days_before_year(year) + days_before_month(year, month) + day;
}

void from_ordinal(int ordinal, int *year, int *month, int *day)
{
    enum { DAYS_4 = 4 * 365 + 1, DAYS_100 = 25 * DAYS_4 - 1, DAYS_400 = 4 * DAYS_100 + 1 };
    int n = ordinal - 1, n400 = n / DAYS_400, n100, n4, n1;
    n %= DAYS_400;
    n100 = n / DAYS_100;
    n %= DAYS_100;
    n4 = n / DAYS_4;
    n %= DAYS_4;
    n1 = n / 365;
    n %= 365;
    *year = n400 * 400 + n100 * 100 + n4 * 4 + n1 + 1;
    if (n1 == 4 || n100 == 4) {
        /* the last day of a leap year at the end of a cycle */
        *year -= 1;
        *month = 12;
        *day = 31;
        return;
    }
    int m = (n + 50) >> 5;      /* right, or one too large */
    if (days_before_month(*year, m) > n)
        m--;
    *month = m;
    *day = n - days_before_month(*year, m) + 1;
}

int weekday_of(int year, int month, int day)
{
    return (to_ordinal(year, month, day) + 6) % 7;
}

/* The ordinal of the Monday of week 1: that which contains the first Thursday. */
static int iso_first_monday(int year)
{
    int first = to_ordinal(year, 1, 1), weekday = (first + 6) % 7;
    return first - weekday + (weekday > 3 ? 7 : 0);
}

void iso_week_of(int year, int month, int day, int *iso_year, int *iso_week)
{
    int today = to_ordinal(year, month, day), monday = iso_first_monday(year);
    if (today < monday)
        monday = iso_first_monday(--year);
    else if (today >= iso_first_monday(year + 1))
        monday = iso_first_monday(++year);
    *iso_year = year;
    *iso_week = (today - monday) / 7 + 1;
}

int from_iso_week(int iso_year, int iso_week, int iso_day, int *year, int *month, int *day)
{
    if (iso_year < MIN_YEAR || iso_year > MAX_YEAR)
        return -2;
    if (iso_week <= 0 || iso_week >= 54)
        return -3;
    int monday = iso_first_monday(iso_year);
    if (iso_week == 53 && iso_first_monday(iso_year + 1) - monday < 53 * 7)
        return -3;
    if (iso_day < 1 || iso_day > 7)
        return -4;
    int ordinal = monday + (iso_week - 1) * 7 + iso_day - 1;
    if (ordinal < 1 || ordinal > MAX_ORDINAL)
        return -2;
    from_ordinal(ordinal, year, month, day);
    return 0;
}

/* ---- Checks ---- */

int check_date(int year, int month, int day)
{
    if (year < MIN_YEAR || year > MAX_YEAR)
        PyErr_Format(PyExc_ValueError, "year %i is out of range", year);
    else if (month < 1 || month > 12)
        PyErr_SetString(PyExc_ValueError, "month must be in 1..12");
    else if (day < 1 || day > days_in_month(year, month))
        PyErr_SetString(PyExc_ValueError, "day is out of range for month");
    else
        return 0;
    return -1;
}

int check_time(const fields_t *f)
{
    const char *problem = f->hour < 0 || f->hour > 23       ? "hour must be in 0..23"
                          : f->minute < 0 || f->minute > 59 ? "minute must be in 0..59"
                          : f->second < 0 || f->second > 59 ? "second must be in 0..59"
                          : f->us < 0 || f->us > 999999     ? "microsecond must be in 0..999999"
                          : f->fold != 0 && f->fold != 1    ? "fold must be either 0 or 1"
                                                            : NULL;
    if (problem == NULL)
        return 0;
    PyErr_SetString(PyExc_ValueError, problem);
    return -1;
}

int check_tzinfo(PyObject *tzinfo)
{
    if (tzinfo == Py_None || tzinfo_check(tzinfo))
        return 0;
    PyErr_Format(PyExc_TypeError, "tzinfo argument must be None or of a tzinfo subclass, not type '%s'", Py_TYPE(tzinfo)->tp_name);
    return -1;
}

/* ---- Linear time ---- */

long long to_seconds(const fields_t *f)
{
    return ((to_ordinal(f->year, f->month, f->day) * 24LL + f->hour) * 60 + f->minute) * 60 + f->second;
}

us_t fields_to_us(const fields_t *f)
{
    return ((us_t)to_seconds(f) - SECONDS_PER_DAY) * US_PER_SECOND + f->us;
}

int us_to_fields(us_t us, fields_t *f)
{
    us_t days = us / US_PER_DAY;
    if (us < 0 || days >= MAX_ORDINAL) {
        PyErr_SetString(PyExc_OverflowError, "date value out of range");
        return -1;
    }
    long long rest = (long long)(us % US_PER_DAY);
    from_ordinal((int)days + 1, &f->year, &f->month, &f->day);
    f->us = (int)(rest % US_PER_SECOND);
    rest /= US_PER_SECOND;
    f->second = (int)(rest % 60);
    f->minute = (int)(rest / 60 % 60);
    f->hour = (int)(rest / 3600);
    return 0;
}
