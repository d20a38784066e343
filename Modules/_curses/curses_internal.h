/* What the files of the _curses module share.
 *
 * ncurses keeps everything in globals: it is entered with one lock held, that of the library. Python code never runs under it.
 * What may wait for the terminal (refresh, the keys) is done detached, and the keys are awaited without the lock, so that
 * other threads can paint meanwhile.
 *
 * A window object owns its WINDOW; one that is a part of another window keeps that one alive. */
#ifndef BRAID_CURSES_INTERNAL_H
#define BRAID_CURSES_INTERNAL_H

#define PY_SSIZE_T_CLEAN
#include "module.h"

#include <limits.h>
#include <string.h>

#define NCURSES_NOMACROS 1      /* functions, whose addresses stand in tables */
#define NCURSES_WIDECHAR 1
#include <curses.h>

typedef struct {
    PyObject_HEAD
    WINDOW *win;                /* [const] used under the library's lock */
    PyObject *encoding;         /* [library lock] a str */
    PyObject *parent;           /* [const] the window that this one is a part of, or NULL */
} window_t;

/* What the capsule has: the first four are CPython's, for its extensions; the last is the library's lock. */
typedef struct {
    PyTypeObject *window_type;
    int (*need_setupterm)(void);        /* 1, or 0 with an exception */
    int (*need_screen)(void);
    int (*need_colors)(void);
    PyMutex *lock;
} curses_api_t;

#define CURSES_CAPSULE "_curses._C_API"

/* ---- cursesmodule.c ---- */

extern PyObject *curses_error;          /* [const] after the first import */
extern PyMutex curses_lock;             /* the library's lock */
extern int curses_term_is_set, curses_screen_is_set, curses_colors_started;     /* [atomic] */

int curses_need_term(void);             /* 1, or 0 with an exception */
int curses_need_screen(void);
int curses_need_colors(void);
/* None, or an exception if the result of a function of the library is ERR. */
PyObject *curses_check(int result, const char *name);

/* A use of the library, with the lock held. */
#define CURSES_LOCKED(statement) \
    do { \
        PyMutex_Lock(&curses_lock); \
        statement; \
        PyMutex_Unlock(&curses_lock); \
    } while (0)

/* One that may wait for the terminal. */
#define CURSES_LOCKED_DETACHED(statement) \
    CURSES_LOCKED(Py_BEGIN_ALLOW_THREADS statement; Py_END_ALLOW_THREADS)

/* A window method with arguments: int arguments, none, ... that ends in curses_check. */
#define CURSES_RETURN(call, name) \
    do { \
        int result_; \
        CURSES_LOCKED(result_ = (call)); \
        return curses_check(result_, (name)); \
    } while (0)

/* ---- characters.c ---- */

/* A byte for the library: from bytes or str of length 1 or an int. encoding: the window's, or NULL for the screen's.
 * 1, or 0 with an exception. */
int curses_convert_byte(window_t *window, PyObject *object, chtype *result);

/* A character: wide (2) or a byte (1); 0 with an exception. */
int curses_convert_char(PyObject *object, chtype *byte, wchar_t wide[2]);

/* Text: wide or bytes, one of them NULL. Both are to be given back with curses_text_release. 0, or -1 with an exception. */
typedef struct {
    wchar_t *wide;
    PyObject *bytes;
} curses_text_t;
int curses_text_bind(PyObject *object, curses_text_t *text);
void curses_text_release(curses_text_t *text);

/* ---- window.c ---- */

extern PyTypeObject curses_window_type;

/* Takes the WINDOW; parent is borrowed. */
PyObject *curses_window_new(WINDOW *win, PyObject *parent, const char *encoding);
/* The window's encoding: a new reference. */
PyObject *curses_window_encoding(window_t *window);

/* Arguments [y, x,] before others: how many there are altogether tells if they are given. */
typedef struct {
    int given, y, x;
} place_t;
/* [y, x] and nothing else: 1, or 0 with an exception. */
int curses_parse_place(PyObject *args, const char *name, place_t *place);
/* [y, x] [n], n as it is where it is not given: the same. usage: the message for another number of arguments. */
int curses_parse_place_and_length(PyObject *args, const char *usage, place_t *place, int *n);
/* Two numbers: the same. */
int curses_parse_pair(PyObject *args, const char *name, int *first, int *second);
/* Moves the cursor there if it is given. ERR if it cannot. The lock is held. */
int curses_place_locked(WINDOW *win, const place_t *place);

/* ---- method tables, each ends with an empty entry ---- */

extern PyMethodDef curses_geometry_methods[], curses_mode_methods[], curses_text_methods[], curses_input_methods[];
extern PyMethodDef curses_screen_methods[], curses_terminfo_methods[], curses_color_methods[];

/* ---- screen.c ---- */

/* In cbreak or raw mode keys come one by one; in the other, lines. [library lock] */
extern int curses_by_key, curses_half_delay;

#endif /* BRAID_CURSES_INTERNAL_H */
