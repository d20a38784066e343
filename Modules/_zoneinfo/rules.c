/* TZ strings: std offset [dst [offset] , start [/time] , end [/time]]. */
#include "zoneinfo_internal.h"

#include <ctype.h>

/* ---- Parsing; the functions return the end of what they have read, or NULL ---- */

static const char *read_number(const char *p, int most_digits, long *n)
{
    int digits = 0;
    *n = 0;
    for (; digits < most_digits && isdigit((unsigned char)*p); p++, digits++)
        *n = *n * 10 + *p - '0';
    return digits == 0 ? NULL : p;
}

/* A name of letters, or of letters, digits and signs in angle brackets. */
static const char *read_name(const char *p, char name[32])
{
    int quoted = *p == '<', n = 0;
    if (quoted)
        p++;
    while (isalpha((unsigned char)*p) || (quoted && (isdigit((unsigned char)*p) || *p == '+' || *p == '-'))) {
        if (n == 31)
            return NULL;
        name[n++] = *p++;
    }
    name[n] = 0;
    if (n == 0 || (quoted && *p++ != '>'))
        return NULL;
    return p;
}

/* [+-]hh[:mm[:ss]] */
static const char *read_clock(const char *p, int hour_digits, long *seconds)
{
    int negative = *p == '-';
    long hour, minute = 0, second = 0;
    if (*p == '+' || *p == '-')
        p++;
    if ((p = read_number(p, hour_digits, &hour)) == NULL)
        return NULL;
    if (*p == ':') {
        if (!isdigit((unsigned char)p[1]) || !isdigit((unsigned char)p[2]) || (p = read_number(p + 1, 2, &minute)) == NULL)
            return NULL;
        if (*p == ':') {
            if (!isdigit((unsigned char)p[1]) || !isdigit((unsigned char)p[2]) || (p = read_number(p + 1, 2, &second)) == NULL)
                return NULL;
        }
    }
    *seconds = (hour * 60 + minute) * 60 + second;
    if (negative)
        *seconds = -*seconds;
    return p;
}

/* An offset counts westwards in TZ strings, eastwards here. */
static const char *read_offset(const char *p, long *offset)
{
    p = read_clock(p, 2, offset);
    if (p == NULL || *offset <= -86400 || *offset >= 86400)
        return NULL;
    *offset = -*offset;
    return p;
}

/* Mm.w.d, Jn or n; and /time. */
static const char *read_rule(const char *p, rule_t *rule)
{
    long a, b, c;
    if (*p == 'M') {
        rule->kind = RULE_WEEKDAY;
        if ((p = read_number(p + 1, 2, &a)) == NULL || *p++ != '.' || (p = read_number(p, 1, &b)) == NULL || *p++ != '.'
            || (p = read_number(p, 1, &c)) == NULL || a < 1 || a > 12 || b < 1 || b > 5 || c > 6)
            return NULL;
        rule->month = (int)a;
        rule->week = (int)b;
        rule->day = (int)c;
    }
    else {
        rule->kind = *p == 'J' ? RULE_JULIAN : RULE_DAY;
        if (*p == 'J')
            p++;
        if ((p = read_number(p, 3, &a)) == NULL || a > 365 || (rule->kind == RULE_JULIAN && a < 1))
            return NULL;
        rule->day = (int)a;
    }
    rule->seconds = 2 * 3600;
    if (*p == '/' && ((p = read_clock(p + 1, 3, &rule->seconds)) == NULL || rule->seconds > 168 * 3600L
                      || rule->seconds < -168 * 3600L))
        return NULL;
    return p;
}

static int parse(tzstring_t *tz, const char *p)
{
    memset(tz, 0, sizeof(*tz));
    if ((p = read_name(p, tz->std_name)) == NULL)
        return -1;
    if (*p != 0 && (p = read_offset(p, &tz->std_offset)) == NULL)
        return -1;
    if (*p == 0)
        return 0;
    tz->has_dst = 1;
    if ((p = read_name(p, tz->dst_name)) == NULL)
        return -1;
    tz->dst_offset = tz->std_offset + 3600;
    if (*p != ',' && (p = read_offset(p, &tz->dst_offset)) == NULL)
        return -1;
    if (*p++ != ',' || (p = read_rule(p, &tz->start)) == NULL || *p++ != ',' || (p = read_rule(p, &tz->end)) == NULL)
        return -1;
    return *p == 0 ? 0 : -1;
}

int tzstring_parse(tzstring_t *tz, const char *text)
{
    if (parse(tz, text) == 0)
        return 0;
    PyErr_Format(PyExc_ValueError, "Invalid TZ string: %s", text);
    return -1;
}

/* ---- Dates ---- */

static int is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static long long days_before_year(int year)
{
    int y = year - 1;
    return y * 365LL + y / 4 - y / 100 + y / 400 - 719163 + 1;
}

/* The day of the year, from 0, on which a rule of the form Mm.w.d applies. */
static int weekday_rule_day(const rule_t *rule, int year)
{
    static const int starts[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
    int leap = is_leap(year), m = rule->month - 1;
    int first = starts[m] + (m > 1 && leap), next = starts[m + 1] + (m + 1 > 1 && leap);
    int weekday = (int)(((days_before_year(year) + first + 4) % 7 + 7) % 7);        /* 1970-01-01 was a Thursday; Sunday: 0 */
    int day = first + (rule->day - weekday + 7) % 7 + (rule->week - 1) * 7;
    return day >= next ? day - 7 : day;         /* week 5 is the last one */
}

long long rule_seconds(const rule_t *rule, int year)
{
    int day;
    switch (rule->kind) {
    case RULE_WEEKDAY:
        day = weekday_rule_day(rule, year);
        break;
    default:
        /* CPython 3.11 counts both kinds of days from 1, and has February 29 for J59 of leap years; so do we */
        day = rule->day - 1 + (rule->kind == RULE_JULIAN && rule->day >= 59 && is_leap(year));
    }
    return (days_before_year(year) + day) * 86400 + rule->seconds;
}
