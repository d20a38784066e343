/* Methods of windows without text: modes, clearing, what is shown when. */
#include "curses_internal.h"

#include <stdio.h>

#define WIN(op) (((window_t *)(op))->win)

/* ---- Without arguments ---- */

#define PLAIN_METHOD(function, library, name) \
    static PyObject *function(PyObject *op, PyObject *unused) { CURSES_RETURN(library(WIN(op)), name); }
PLAIN_METHOD(window_clear, wclear, "wclear")
PLAIN_METHOD(window_erase, werase, "werase")
PLAIN_METHOD(window_clrtobot, wclrtobot, "wclrtobot")
PLAIN_METHOD(window_clrtoeol, wclrtoeol, "wclrtoeol")
PLAIN_METHOD(window_deleteln, wdeleteln, "wdeleteln")
PLAIN_METHOD(window_insertln, winsertln, "winsertln")
PLAIN_METHOD(window_redrawwin, redrawwin, "redrawwin")
PLAIN_METHOD(window_touchwin, touchwin, "touchwin")
PLAIN_METHOD(window_untouchwin, untouchwin, "untouchwin")
PLAIN_METHOD(window_standend, wstandend, "wstandend")
PLAIN_METHOD(window_standout, wstandout, "wstandout")

#define VOID_METHOD(function, library) \
    static PyObject *function(PyObject *op, PyObject *unused) \
    { \
        CURSES_LOCKED(library(WIN(op))); \
        Py_RETURN_NONE; \
    }
VOID_METHOD(window_cursyncup, wcursyncup)
VOID_METHOD(window_syncdown, wsyncdown)
VOID_METHOD(window_syncup, wsyncup)

static PyObject *window_is_wintouched(PyObject *op, PyObject *unused)
{
    bool touched;
    CURSES_LOCKED(touched = is_wintouched(WIN(op)));
    return PyBool_FromLong(touched);
}

/* ---- With one number ---- */

#define FLAG_METHOD(function, library) \
    static PyObject *function(PyObject *op, PyObject *args) \
    { \
        int flag; \
        if (!PyArg_ParseTuple(args, "i;True(1) or False(0)", &flag)) \
            return NULL; \
        CURSES_RETURN(library(WIN(op), flag != 0), #library); \
    }
FLAG_METHOD(window_clearok, clearok)
FLAG_METHOD(window_idlok, idlok)
FLAG_METHOD(window_keypad, keypad)
FLAG_METHOD(window_leaveok, leaveok)
FLAG_METHOD(window_nodelay, nodelay)
FLAG_METHOD(window_notimeout, notimeout)
FLAG_METHOD(window_scrollok, scrollok)
FLAG_METHOD(window_syncok, syncok)

#define VOID_NUMBER_METHOD(function, library, format) \
    static PyObject *function(PyObject *op, PyObject *args) \
    { \
        int number; \
        if (!PyArg_ParseTuple(args, format, &number)) \
            return NULL; \
        CURSES_LOCKED(library(WIN(op), number)); \
        Py_RETURN_NONE; \
    }
VOID_NUMBER_METHOD(window_immedok, immedok, "i;True(1) or False(0)")
VOID_NUMBER_METHOD(window_idcok, idcok, "i;True(1) or False(0)")
VOID_NUMBER_METHOD(window_timeout, wtimeout, "i;delay")

static PyObject *window_insdelln(PyObject *op, PyObject *args)
{
    int lines;
    if (!PyArg_ParseTuple(args, "i;nlines", &lines))
        return NULL;
    CURSES_RETURN(winsdelln(WIN(op), lines), "winsdelln");
}

static PyObject *window_scroll(PyObject *op, PyObject *args)
{
    int lines;
    switch (PyTuple_GET_SIZE(args)) {
    case 0: CURSES_RETURN(scroll(WIN(op)), "scroll");
    case 1:
        if (!PyArg_ParseTuple(args, "i;nlines", &lines))
            return NULL;
        CURSES_RETURN(wscrl(WIN(op), lines), "scroll");
    default: PyErr_SetString(PyExc_TypeError, "_curses.window.scroll requires 0 to 1 arguments"); return NULL;
    }
}

#define ATTRIBUTE_METHOD(function, library) \
    static PyObject *function(PyObject *op, PyObject *object) \
    { \
        long attributes = PyLong_AsLong(object); \
        if (attributes == -1 && PyErr_Occurred()) \
            return NULL; \
        CURSES_RETURN(library(WIN(op), (attr_t)attributes), #library); \
    }
static int set_on(WINDOW *win, attr_t attributes) { return wattron(win, (int)attributes); }
static int set_off(WINDOW *win, attr_t attributes) { return wattroff(win, (int)attributes); }
static int set_all(WINDOW *win, attr_t attributes) { return wattrset(win, (int)attributes); }
ATTRIBUTE_METHOD(window_attron, set_on)
ATTRIBUTE_METHOD(window_attroff, set_off)
ATTRIBUTE_METHOD(window_attrset, set_all)

/* ---- With lines ---- */

static PyObject *window_redrawln(PyObject *op, PyObject *args)
{
    int first, count;
    if (!curses_parse_pair(args, "redrawln", &first, &count))
        return NULL;
    CURSES_RETURN(wredrawln(WIN(op), first, count), "redrawln");
}

static PyObject *window_setscrreg(PyObject *op, PyObject *args)
{
    int top, bottom;
    if (!curses_parse_pair(args, "setscrreg", &top, &bottom))
        return NULL;
    CURSES_RETURN(wsetscrreg(WIN(op), top, bottom), "wsetscrreg");
}

static PyObject *window_touchline(PyObject *op, PyObject *args)
{
    int first, count, changed = 1;
    switch (PyTuple_GET_SIZE(args)) {
    case 2:
        if (!PyArg_ParseTuple(args, "ii;start,count", &first, &count))
            return NULL;
        break;
    case 3:
        if (!PyArg_ParseTuple(args, "iii;start,count,changed", &first, &count, &changed))
            return NULL;
        break;
    default: PyErr_SetString(PyExc_TypeError, "_curses.window.touchline requires 2 to 3 arguments"); return NULL;
    }
    CURSES_RETURN(wtouchln(WIN(op), first, count, changed != 0), "touchline");
}

static PyObject *window_is_linetouched(PyObject *op, PyObject *object)
{
    int touched, line = _PyLong_AsInt(object);
    if (line == -1 && PyErr_Occurred())
        return NULL;
    /* a bool in C, so that the library's ERR reads as true: lines outside are told from the height */
    int height;
    CURSES_LOCKED(height = getmaxy(WIN(op)); touched = is_linetouched(WIN(op), line));
    if (line >= 0 && line < height)
        return PyBool_FromLong(touched);
    PyErr_SetString(PyExc_TypeError, "is_linetouched: line number outside of boundaries");
    return NULL;
}

/* ---- Showing ---- */

typedef int (*show_pad)(WINDOW *, int, int, int, int, int, int);

static PyObject *show(PyObject *op, PyObject *args, const char *name, const char *for_pads, int (*window)(WINDOW *), show_pad pad)
{
    int r, c, top, left, bottom, right, result;
    if (!is_pad(WIN(op)) && PyTuple_GET_SIZE(args) == 6) {
        PyErr_Format(PyExc_TypeError, "%s() takes no arguments (6 given)", name);
        return NULL;
    }
    switch (PyTuple_GET_SIZE(args)) {
    case 0:
        if (is_pad(WIN(op))) {
            PyErr_SetString(curses_error, for_pads);
            return NULL;
        }
        CURSES_LOCKED_DETACHED(result = window(WIN(op)));
        return curses_check(result, name);
    case 6:
        if (!PyArg_ParseTuple(args, "iiiiii", &r, &c, &top, &left, &bottom, &right))
            return NULL;
        CURSES_LOCKED_DETACHED(result = pad(WIN(op), r, c, top, left, bottom, right));
        return curses_check(result, name);
    default:
        PyErr_Format(PyExc_TypeError, "_curses.window.%s requires 0 to 6 arguments", name);
        return NULL;
    }
}

static PyObject *window_refresh(PyObject *op, PyObject *args)
{
    return show(op, args, "refresh", "refresh() for a pad requires 6 arguments", wrefresh, prefresh);
}

static PyObject *window_noutrefresh(PyObject *op, PyObject *args)
{
    return show(op, args, "noutrefresh", "noutrefresh() called for a pad requires 6 arguments", wnoutrefresh, pnoutrefresh);
}

#define FLAG_DOC(name, text) name "(flag)\n" text

PyMethodDef curses_mode_methods[] = {
    {"clear", window_clear, METH_NOARGS, "clear()\nBlank the window, and paint all of the screen at the next refresh."},
    {"erase", window_erase, METH_NOARGS, "erase()\nBlank the window."},
    {"clrtobot", window_clrtobot, METH_NOARGS, "clrtobot()\nBlank what is after the cursor."},
    {"clrtoeol", window_clrtoeol, METH_NOARGS, "clrtoeol()\nBlank the line after the cursor."},
    {"deleteln", window_deleteln, METH_NOARGS, "deleteln()\nTake out the cursor's line."},
    {"insertln", window_insertln, METH_NOARGS, "insertln()\nPut a blank line before the cursor's."},
    {"redrawwin", window_redrawwin, METH_NOARGS, "redrawwin()\nPaint all of the window at the next refresh."},
    {"touchwin", window_touchwin, METH_NOARGS, "touchwin()\nTake the whole window for changed."},
    {"untouchwin", window_untouchwin, METH_NOARGS, "untouchwin()\nTake the whole window for unchanged."},
    {"standend", window_standend, METH_NOARGS, "standend()\nNo attributes for what is written next."},
    {"standout", window_standout, METH_NOARGS, "standout()\nMake what is written next stand out."},
    {"cursyncup", window_cursyncup, METH_NOARGS, "cursyncup()\nPut the cursors of the windows that this is a part of where this one's is."},
    {"syncdown", window_syncdown, METH_NOARGS, "syncdown()\nTake for changed what is changed in the windows that this is a part of."},
    {"syncup", window_syncup, METH_NOARGS, "syncup()\nTake what is changed here for changed in the windows that this is a part of."},
    {"is_wintouched", window_is_wintouched, METH_NOARGS, "is_wintouched()\nHas the window changed since the last refresh?"},
    {"clearok", window_clearok, METH_VARARGS, FLAG_DOC("clearok", "Paint all of the screen at the next refresh?")},
    {"idlok", window_idlok, METH_VARARGS, FLAG_DOC("idlok", "May lines be inserted and deleted by the terminal?")},
    {"idcok", window_idcok, METH_VARARGS, FLAG_DOC("idcok", "May characters be inserted and deleted by the terminal?")},
    {"immedok", window_immedok, METH_VARARGS, FLAG_DOC("immedok", "Refresh with each change?")},
    {"keypad", window_keypad, METH_VARARGS, FLAG_DOC("keypad", "Take the sequences of function keys for one key?")},
    {"leaveok", window_leaveok, METH_VARARGS, FLAG_DOC("leaveok", "Leave the cursor where a refresh happens to end?")},
    {"nodelay", window_nodelay, METH_VARARGS, FLAG_DOC("nodelay", "Do not wait for keys?")},
    {"notimeout", window_notimeout, METH_VARARGS, FLAG_DOC("notimeout", "Wait for the rest of a sequence without a limit?")},
    {"scrollok", window_scrollok, METH_VARARGS, FLAG_DOC("scrollok", "Scroll when the cursor leaves the last line?")},
    {"syncok", window_syncok, METH_VARARGS, FLAG_DOC("syncok", "Do as syncup() with each change?")},
    {"timeout", window_timeout, METH_VARARGS, "timeout(delay)\nWait for keys for so many milliseconds, negative: without a limit."},
    {"insdelln", window_insdelln, METH_VARARGS, "insdelln(nlines)\nInsert lines at the cursor, or delete so many if negative."},
    {"scroll", window_scroll, METH_VARARGS, "scroll([lines=1])\nScroll up."},
    {"attron", window_attron, METH_O, "attron($self, attr, /)\n--\n\nAdd attributes to those of what is written."},
    {"attroff", window_attroff, METH_O, "attroff($self, attr, /)\n--\n\nTake attributes from those of what is written."},
    {"attrset", window_attrset, METH_O, "attrset($self, attr, /)\n--\n\nSet the attributes of what is written."},
    {"redrawln", window_redrawln, METH_VARARGS, "redrawln($self, beg, num, /)\n--\n\nPaint lines anew at the next refresh."},
    {"setscrreg", window_setscrreg, METH_VARARGS, "setscrreg($self, top, bottom, /)\n--\n\nThe lines that scroll."},
    {"touchline", window_touchline, METH_VARARGS, "touchline(start, count[, changed=True])\nTake lines for changed or unchanged."},
    {"is_linetouched", window_is_linetouched, METH_O,
     "is_linetouched($self, line, /)\n--\n\nHas the line changed since the last refresh?"},
    {"refresh", window_refresh, METH_VARARGS,
     "refresh([pminrow, pmincol, sminrow, smincol, smaxrow, smaxcol])\nShow the window; of a pad, a part somewhere on the screen."},
    {"noutrefresh", window_noutrefresh, METH_VARARGS,
     "noutrefresh([pminrow, pmincol, sminrow, smincol, smaxrow, smaxcol])\nAs refresh(), but show it with the next doupdate()."},
    {NULL},
};
