/* Showing exceptions: a text is put together piece by piece, then written to a file at once, so that two threads' reports do not mix.
 *
 * One thread, on its stack. Functions that add to the text return 0, or -1 with an exception set (out of memory, mostly). */
#ifndef BRAID_RUNTIME_DISPLAY_H
#define BRAID_RUNTIME_DISPLAY_H

#include "Python.h"

typedef struct display {
    PyObject *parts;            /* list of str */
    int at_line_start;
    int depth;                  /* of exception groups: lines begin with 2 * depth blanks and a bar */
    int close_group;            /* the frame of the group around is still to be closed */
    PyObject *seen;             /* set of the addresses of exceptions shown */
    PyObject *file_name, *file_text;    /* the source file read last */
} display_t;

int display_init(display_t *d);
void display_fini(display_t *d);

/* ---- display.c: text ---- */

/* Adds text; inside a group each line gets its margin. */
int display_write(display_t *d, PyObject *text);
int display_format(display_t *d, const char *format, ...);
/* Writes all to a file object. 0 or -1. */
int display_flush_to(display_t *d, PyObject *file);

/* ---- display_traceback.c ---- */

/* "header" and the entries, as sys.tracebacklimit says. mark: what stands in the margin before the header instead of a bar, or 0. */
int display_traceback(display_t *d, PyObject *traceback, const char *header, char mark);
#define TRACEBACK_HEADER "Traceback (most recent call last):\n"
#define GROUP_TRACEBACK_HEADER "Exception Group Traceback (most recent call last):\n"

/* ---- display_exception.c ---- */

/* An exception with what led to it. */
int display_exception(display_t *d, PyObject *value);
/* "module.Type: text\n" and the notes */
int display_message(display_t *d, PyObject *value);

/* ---- suggestions.c ---- */

/* What the program may have meant by the name of a NameError or AttributeError: a new str, or NULL without an exception.
 * Escapes  yes (dir() of the object) */
PyObject *suggestion_for(PyObject *exception);

#endif /* BRAID_RUNTIME_DISPLAY_H */
