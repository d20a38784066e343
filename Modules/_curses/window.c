/* The type of windows: their life, their geometry, how they are copied to others and to files. */
#include "curses_internal.h"

#include <langinfo.h>
#include <stdio.h>

/* ---- Life ---- */

PyObject *curses_window_new(WINDOW *win, PyObject *parent, const char *encoding)
{
    window_t *self = PyObject_New(window_t, &curses_window_type);
    if (encoding == NULL)
        encoding = nl_langinfo(CODESET);
    PyObject *name = PyUnicode_FromString(encoding != NULL && *encoding != '\0' ? encoding : "utf-8");
    if (self != NULL) {
        self->win = win;
        self->encoding = name;
        self->parent = Py_XNewRef(parent);
        if (name != NULL)
            return (PyObject *)self;
        Py_DECREF(self);        /* the window goes with it */
        return NULL;
    }
    Py_XDECREF(name);
    if (win != stdscr)
        CURSES_LOCKED(delwin(win));
    return NULL;
}

static void window_dealloc(PyObject *op)
{
    window_t *self = (window_t *)op;
    if (self->win != stdscr && self->win != NULL)
        CURSES_LOCKED(delwin(self->win));
    Py_XDECREF(self->encoding);
    Py_XDECREF(self->parent);
    PyObject_Free(op);
}

PyObject *curses_window_encoding(window_t *window)
{
    PyObject *encoding;
    CURSES_LOCKED(encoding = Py_NewRef(window->encoding));
    return encoding;
}

static PyObject *get_encoding(PyObject *op, void *unused) { return curses_window_encoding((window_t *)op); }

static int set_encoding(PyObject *op, PyObject *value, void *unused)
{
    window_t *self = (window_t *)op;
    if (value == NULL) {
        PyErr_SetString(PyExc_TypeError, "encoding may not be deleted");
        return -1;
    }
    if (!PyUnicode_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "setting encoding to a non-string");
        return -1;
    }
    PyObject *old, *ascii = PyUnicode_AsASCIIString(value);
    if (ascii == NULL)
        return -1;
    Py_DECREF(ascii);
    CURSES_LOCKED(old = self->encoding; self->encoding = Py_NewRef(value));
    Py_DECREF(old);
    return 0;
}

static PyGetSetDef window_getset[] = {
    {"encoding", get_encoding, set_encoding, "How str is encoded for what takes bytes only, and keys decoded.", NULL},
    {NULL},
};

/* ---- Where a window is ---- */

int curses_parse_pair(PyObject *args, const char *name, int *first, int *second)
{
    PyObject *a, *b;
    if (!PyArg_UnpackTuple(args, name, 2, 2, &a, &b))
        return 0;
    *first = _PyLong_AsInt(a);
    if (*first == -1 && PyErr_Occurred())
        return 0;
    *second = _PyLong_AsInt(b);
    return *second != -1 || !PyErr_Occurred();
}

int curses_parse_place(PyObject *args, const char *name, place_t *place)
{
    place->given = PyTuple_GET_SIZE(args) == 2;
    if (place->given)
        return PyArg_ParseTuple(args, "ii;y,x", &place->y, &place->x);
    if (PyTuple_GET_SIZE(args) == 0)
        return 1;
    PyErr_Format(PyExc_TypeError, "_curses.window.%s requires 0 to 2 arguments", name);
    return 0;
}

int curses_parse_place_and_length(PyObject *args, const char *usage, place_t *place, int *n)
{
    int ok = 1;
    place->given = PyTuple_GET_SIZE(args) >= 2;
    switch (PyTuple_GET_SIZE(args)) {
    case 0: break;
    case 1: ok = PyArg_ParseTuple(args, "i;n", n); break;
    case 2: ok = PyArg_ParseTuple(args, "ii;y,x", &place->y, &place->x); break;
    case 3: ok = PyArg_ParseTuple(args, "iii;y,x,n", &place->y, &place->x, n); break;
    default: PyErr_SetString(PyExc_TypeError, usage); return 0;
    }
    if (ok && *n < 0) {
        PyErr_SetString(PyExc_ValueError, "'n' must be nonnegative");
        return 0;
    }
    return ok;
}

int curses_place_locked(WINDOW *win, const place_t *place)
{
    return place->given ? wmove(win, place->y, place->x) : OK;
}

#define PAIR_METHOD(function, get_y, get_x) \
    static PyObject *function(PyObject *op, PyObject *unused) \
    { \
        WINDOW *win = ((window_t *)op)->win; \
        int y, x; \
        CURSES_LOCKED(y = get_y(win); x = get_x(win)); \
        return Py_BuildValue("(ii)", y, x); \
    }
PAIR_METHOD(window_getyx, getcury, getcurx)
PAIR_METHOD(window_getbegyx, getbegy, getbegx)
PAIR_METHOD(window_getmaxyx, getmaxy, getmaxx)
PAIR_METHOD(window_getparyx, getpary, getparx)

#define MOVE_METHOD(function, library, format) \
    static PyObject *function(PyObject *op, PyObject *args) \
    { \
        int y, x; \
        if (!PyArg_ParseTuple(args, format, &y, &x)) \
            return NULL; \
        CURSES_RETURN(library(((window_t *)op)->win, y, x), #library); \
    }
MOVE_METHOD(window_move, wmove, "ii;y,x")
MOVE_METHOD(window_mvwin, mvwin, "ii;y,x")
MOVE_METHOD(window_mvderwin, mvderwin, "ii;y,x")
MOVE_METHOD(window_resize, wresize, "ii;lines,columns")

static PyObject *window_enclose(PyObject *op, PyObject *args)
{
    int y, x;
    bool inside;
    if (!curses_parse_pair(args, "enclose", &y, &x))
        return NULL;
    CURSES_LOCKED(inside = wenclose(((window_t *)op)->win, y, x));
    return PyBool_FromLong(inside);
}

/* ---- Windows in windows ---- */

typedef WINDOW *(*part_of)(WINDOW *, int, int, int, int);

static PyObject *make_part(PyObject *op, PyObject *args, const char *name, part_of window_part, part_of pad_part)
{
    window_t *self = (window_t *)op;
    int lines = 0, columns = 0, y, x;
    WINDOW *win;
    switch (PyTuple_GET_SIZE(args)) {
    case 2:
        if (!PyArg_ParseTuple(args, "ii", &y, &x))
            return NULL;
        break;
    case 4:
        if (!PyArg_ParseTuple(args, "iiii", &lines, &columns, &y, &x))
            return NULL;
        break;
    default:
        PyErr_Format(PyExc_TypeError, "_curses.window.%s requires 2 to 4 arguments", name);
        return NULL;
    }
    CURSES_LOCKED(win = (is_pad(self->win) ? pad_part : window_part)(self->win, lines, columns, y, x));
    if (win == NULL) {
        PyErr_SetString(curses_error, "curses function returned NULL");
        return NULL;
    }
    PyObject *encoding = curses_window_encoding(self);
    PyObject *part = curses_window_new(win, op, PyUnicode_AsUTF8(encoding));
    Py_DECREF(encoding);
    return part;
}

static PyObject *window_derwin(PyObject *op, PyObject *args) { return make_part(op, args, "derwin", derwin, derwin); }
static PyObject *window_subwin(PyObject *op, PyObject *args) { return make_part(op, args, "subwin", subwin, subpad); }

/* ---- From window to window ---- */

static PyObject *copy_window(PyObject *op, PyObject *args, const char *name, int (*whole)(const WINDOW *, WINDOW *), int transparent)
{
    WINDOW *win = ((window_t *)op)->win;
    PyObject *other;
    int sminrow, smincol, dminrow, dmincol, dmaxrow, dmaxcol;
    char format[32];
    switch (PyTuple_GET_SIZE(args)) {
    case 1:
        snprintf(format, sizeof format, "O!:%s", name);
        if (!PyArg_ParseTuple(args, format, &curses_window_type, &other))
            return NULL;
        CURSES_RETURN(whole(win, ((window_t *)other)->win), name);
    case 7:
        snprintf(format, sizeof format, "O!iiiiii:%s", name);
        if (!PyArg_ParseTuple(args, format, &curses_window_type, &other, &sminrow, &smincol, &dminrow, &dmincol, &dmaxrow, &dmaxcol))
            return NULL;
        CURSES_RETURN(copywin(win, ((window_t *)other)->win, sminrow, smincol, dminrow, dmincol, dmaxrow, dmaxcol, transparent),
                      "copywin");
    default:
        PyErr_Format(PyExc_TypeError, "_curses.window.%s requires 1 to 7 arguments", name);
        return NULL;
    }
}

static PyObject *window_overlay(PyObject *op, PyObject *args) { return copy_window(op, args, "overlay", overlay, 1); }
static PyObject *window_overwrite(PyObject *op, PyObject *args) { return copy_window(op, args, "overwrite", overwrite, 0); }

/* The bytes of a file of C from its start, new, or NULL with an exception. */
static PyObject *read_all(FILE *file)
{
    long size = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    PyObject *bytes = size >= 0 ? PyBytes_FromStringAndSize(NULL, size) : PyErr_SetFromErrno(PyExc_OSError);
    if (bytes == NULL)
        return NULL;
    rewind(file);
    if (fread(PyBytes_AS_STRING(bytes), 1, (size_t)size, file) != (size_t)size) {
        PyErr_SetFromErrno(PyExc_OSError);
        Py_CLEAR(bytes);
    }
    return bytes;
}

/* The library writes to files of C, Python has any object with write(). */
static PyObject *window_putwin(PyObject *op, PyObject *target)
{
    int status;
    FILE *file = tmpfile();
    if (file == NULL)
        return PyErr_SetFromErrno(PyExc_OSError);
    CURSES_LOCKED_DETACHED(status = putwin(((window_t *)op)->win, file));
    PyObject *bytes = status == ERR ? curses_check(status, "putwin") : read_all(file);
    fclose(file);
    if (bytes == NULL)
        return NULL;
    PyObject *result = PyObject_CallMethod(target, "write", "(O)", bytes);
    Py_DECREF(bytes);
    return result;
}

PyMethodDef curses_geometry_methods[] = {
    {"getyx", window_getyx, METH_NOARGS, "getyx()\nWhere the cursor is: (y, x)."},
    {"getbegyx", window_getbegyx, METH_NOARGS, "getbegyx()\nThe upper left corner: (y, x)."},
    {"getmaxyx", window_getmaxyx, METH_NOARGS, "getmaxyx()\nHeight and width."},
    {"getparyx", window_getparyx, METH_NOARGS, "getparyx()\nThe upper left corner in the window that this is a part of, else (-1, -1)."},
    {"move", window_move, METH_VARARGS, "move(y, x)\nMove the cursor."},
    {"mvwin", window_mvwin, METH_VARARGS, "mvwin(y, x)\nMove the window's upper left corner."},
    {"mvderwin", window_mvderwin, METH_VARARGS, "mvderwin(y, x)\nShow another part of the window that this is a part of."},
    {"resize", window_resize, METH_VARARGS, "resize(nlines, ncols)\nMake it as high and as wide."},
    {"enclose", window_enclose, METH_VARARGS, "enclose($self, y, x, /)\n--\n\nIs a place of the screen in the window?"},
    {"derwin", window_derwin, METH_VARARGS, "derwin([nlines, ncols,] y, x)\nA window that is a part of this one, placed relative to it."},
    {"subwin", window_subwin, METH_VARARGS, "subwin([nlines, ncols,] y, x)\nA window that is a part of this one, placed on the screen."},
    {"subpad", window_subwin, METH_VARARGS, "subpad([nlines, ncols,] y, x)\nThe same for a pad."},
    {"overlay", window_overlay, METH_VARARGS,
     "overlay(window[, sminrow, smincol, dminrow, dmincol, dmaxrow, dmaxcol])\nCopy what is not blank to another window."},
    {"overwrite", window_overwrite, METH_VARARGS,
     "overwrite(window[, sminrow, smincol, dminrow, dmincol, dmaxrow, dmaxcol])\nCopy everything to another window."},
    {"putwin", window_putwin, METH_O, "putwin($self, file, /)\n--\n\nWrite the window to a file, for getwin()."},
    {NULL},
};

PyTypeObject curses_window_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_curses.window",
    .tp_basicsize = sizeof(window_t),
    .tp_dealloc = window_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_getset = window_getset,
};
