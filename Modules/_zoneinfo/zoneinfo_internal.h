/* What the files of the _zoneinfo module share. Seconds are counted from 1970-01-01, in UTC or local time as is said. */
#ifndef BRAID_ZONEINFO_INTERNAL_H
#define BRAID_ZONEINFO_INTERNAL_H

#include "internal/module.h"

/* What holds between two transitions. */
typedef struct {
    PyObject *utcoff, *dstoff, *tzname;     /* [const] counted; borrowed in copies */
    long utcoff_seconds, dstoff_seconds;
} ttinfo_t;

/* ---- rules.c ---- */

/* When in a year a transition happens: a day and a local time. */
typedef struct {
    enum { RULE_DAY, RULE_JULIAN, RULE_WEEKDAY } kind;
    int day;                    /* of the year, or of the week from Sunday on */
    int month, week;
    long seconds;               /* of the day */
} rule_t;

typedef struct {
    int has_dst;
    char std_name[32], dst_name[32];
    long std_offset, dst_offset;        /* from UTC */
    rule_t start, end;
} tzstring_t;

/* 0, or -1 with ValueError. */
int tzstring_parse(tzstring_t *tz, const char *text);
/* Local seconds at which the rule applies in the year. */
long long rule_seconds(const rule_t *rule, int year);

/* ---- zone.c ---- */

typedef struct {
    Py_ssize_t type_count, transition_count;
    ttinfo_t *types;                    /* of the file; [const] all */
    ttinfo_t **transitions;             /* what holds from each transition on */
    long long *utc;                     /* when they are, in UTC */
    long long *local[2];                /* in local time, by fold */
    ttinfo_t *before;                   /* the first transition; may be NULL */
    ttinfo_t after;                     /* the last one; rules not NULL: standard time */
    ttinfo_t after_dst;
    tzstring_t *rules;                  /* behind the last transition, or NULL */
    int fixed;                          /* the offset does not depend on the time */
} zone_t;

/* Reads a file of the time zone database. 0, or -1 with an exception; zone_free in both cases. */
int zone_load(zone_t *zone, PyObject *file);
void zone_free(zone_t *zone);
/* What holds at a local time. */
const ttinfo_t *zone_find_local(const zone_t *zone, long long seconds, int year, int fold);
/* What holds at a time in UTC, and whether the local time has been before. */
const ttinfo_t *zone_find_utc(const zone_t *zone, long long seconds, int year, int *fold);
/* timedelta(seconds=n) */
PyObject *zone_delta(long seconds);

#endif /* BRAID_ZONEINFO_INTERNAL_H */
