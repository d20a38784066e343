/* What the two files that parse arguments share: conversion of one unit, and what has to be undone on failure. */
#ifndef BRAID_GETARGS_H
#define BRAID_GETARGS_H

#include "Python.h"

typedef struct {
    void *item;
    void (*release)(void *);
} CleanupItem;

typedef struct {
    CleanupItem *items;
    int count, room;
    CleanupItem small[8];
} Cleanups;

#define CLEANUPS_INIT(list) \
    do { \
        (list).items = (list).small; \
        (list).count = 0; \
        (list).room = 8; \
    } while (0)

/* A format that is being read, and the C arguments that go with it. */
typedef struct {
    const char *format;         /* the rest of it */
    va_list va;
    Cleanups *cleanups;
    char buf[256];              /* for messages */
} Parser;

/* Ends the list; ok says whether the results stay with the caller. Returns ok. */
int getargs_finish_cleanups(Cleanups *list, int ok);

/* Converts one unit, or a parenthesis of them. levels has room for 32 numbers.
 * Returns  NULL, or a message about what was expected ("": an exception is set) */
const char *getargs_convert_item(Parser *p, PyObject *arg, int *levels, int depth);

/* The commonest units and arguments: any object for a plain 'O', small ints for 'i' and 'n'.  1 if that is what comes; it has been
 * converted then. */
static inline int getargs_take_plain(Parser *p, PyObject *arg)
{
    char unit = p->format[0];
    if (unit == 'O' && p->format[1] != '!' && p->format[1] != '&')
        *va_arg(p->va, PyObject **) = arg;
    else if (unit == 'i' && value_is_int(arg) && value_get_int(arg) == (int)value_get_int(arg))
        *va_arg(p->va, int *) = (int)value_get_int(arg);
    else if (unit == 'n' && value_is_int(arg))
        *va_arg(p->va, Py_ssize_t *) = (Py_ssize_t)value_get_int(arg);
    else
        return 0;
    p->format++;
    return 1;
}

/* Raises what convert_item complained about; iarg counts from 1. */
void getargs_set_error(Py_ssize_t iarg, const char *msg, const int *levels, const char *fname, const char *message);

#endif /* BRAID_GETARGS_H */
