/* Characters and texts in windows: written, inserted, read, lines and borders. */
#include "curses_internal.h"

#include <stdio.h>

#define WIN(op) (((window_t *)(op))->win)

/* The arguments of a method: [y, x,] what [, n] [, attributes]. */
typedef struct {
    place_t place;
    PyObject *what;             /* borrowed from the arguments */
    int n;
    int has_attributes;
    long attributes;
} arguments_t;

/* 1, or 0 with an exception. with_n: n is always there. */
static int parse(PyObject *args, const char *name, int with_n, arguments_t *a)
{
    Py_ssize_t count = PyTuple_GET_SIZE(args) - with_n;
    int ok;
    *a = (arguments_t){.place.given = count > 2};
    a->has_attributes = count == 2 || count == 4;
    if (count < 1 || count > 4) {
        PyErr_Format(PyExc_TypeError, "_curses.window.%s requires %d to %d arguments", name, 1 + with_n, 4 + with_n);
        return 0;
    }
    switch ((int)count * 2 + with_n) {
    case 2: ok = PyArg_ParseTuple(args, "O", &a->what); break;
    case 3: ok = PyArg_ParseTuple(args, "Oi", &a->what, &a->n); break;
    case 4: ok = PyArg_ParseTuple(args, "Ol", &a->what, &a->attributes); break;
    case 5: ok = PyArg_ParseTuple(args, "Oil", &a->what, &a->n, &a->attributes); break;
    case 6: ok = PyArg_ParseTuple(args, "iiO", &a->place.y, &a->place.x, &a->what); break;
    case 7: ok = PyArg_ParseTuple(args, "iiOi", &a->place.y, &a->place.x, &a->what, &a->n); break;
    case 8: ok = PyArg_ParseTuple(args, "iiOl", &a->place.y, &a->place.x, &a->what, &a->attributes); break;
    default: ok = PyArg_ParseTuple(args, "iiOil", &a->place.y, &a->place.x, &a->what, &a->n, &a->attributes); break;
    }
    return ok;
}

/* ---- Characters ---- */

static int add_wide(WINDOW *win, const wchar_t *wide, attr_t attributes)
{
    cchar_t cell;
    int result = setcchar(&cell, wide, attributes, (short)PAIR_NUMBER((int)attributes), NULL);
    return result != ERR ? wadd_wch(win, &cell) : ERR;
}

static PyObject *window_addch(PyObject *op, PyObject *args)
{
    arguments_t a;
    chtype byte = 0;
    wchar_t wide[2];
    int kind, result;
    if (!parse(args, "addch", 0, &a) || (kind = curses_convert_char(a.what, &byte, wide)) == 0)
        return NULL;
    WINDOW *win = WIN(op);
    PyMutex_Lock(&curses_lock);
    result = curses_place_locked(win, &a.place);
    if (result != ERR)
        result = kind == 2 ? add_wide(win, wide, (attr_t)a.attributes) : waddch(win, byte | (chtype)a.attributes);
    PyMutex_Unlock(&curses_lock);
    return curses_check(result, kind == 2 ? "add_wch" : "addch");
}

static PyObject *window_insch(PyObject *op, PyObject *args)
{
    arguments_t a;
    chtype byte;
    int result;
    if (!parse(args, "insch", 0, &a) || !curses_convert_byte((window_t *)op, a.what, &byte))
        return NULL;
    CURSES_LOCKED(
        result = curses_place_locked(WIN(op), &a.place);
        if (result != ERR)
            result = winsch(WIN(op), byte | (chtype)a.attributes));
    return curses_check(result, "insch");
}

static PyObject *window_delch(PyObject *op, PyObject *args)
{
    place_t place;
    int result;
    if (!curses_parse_place(args, "delch", &place))
        return NULL;
    CURSES_LOCKED(result = curses_place_locked(WIN(op), &place); if (result != ERR) result = wdelch(WIN(op)));
    return curses_check(result, place.given ? "mvwdelch" : "wdelch");
}

/* ch [, attributes]: 1, or 0 with an exception. */
static int parse_character(PyObject *op, PyObject *args, const char *name, chtype *character)
{
    PyObject *object, *number = NULL;
    if (!PyArg_UnpackTuple(args, name, 1, 2, &object, &number) || !curses_convert_byte((window_t *)op, object, character))
        return 0;
    long attributes = number != NULL ? PyLong_AsLong(number) : 0;
    if (attributes == -1 && PyErr_Occurred())
        return 0;
    *character |= (chtype)attributes;
    return 1;
}

static PyObject *window_echochar(PyObject *op, PyObject *args)
{
    chtype character;
    int result;
    if (!parse_character(op, args, "echochar", &character))
        return NULL;
    CURSES_LOCKED_DETACHED(result = (is_pad(WIN(op)) ? pechochar : wechochar)(WIN(op), character));
    return curses_check(result, "echochar");
}

static PyObject *window_bkgd(PyObject *op, PyObject *args)
{
    chtype character;
    if (!parse_character(op, args, "bkgd", &character))
        return NULL;
    CURSES_RETURN(wbkgd(WIN(op), character), "bkgd");
}

static PyObject *window_bkgdset(PyObject *op, PyObject *args)
{
    chtype character;
    if (!parse_character(op, args, "bkgdset", &character))
        return NULL;
    CURSES_LOCKED(wbkgdset(WIN(op), character));
    Py_RETURN_NONE;
}

static PyObject *window_getbkgd(PyObject *op, PyObject *unused)
{
    chtype character;
    CURSES_LOCKED(character = getbkgd(WIN(op)));
    return PyLong_FromUnsignedLong(character);
}

static PyObject *window_inch(PyObject *op, PyObject *args)
{
    place_t place;
    chtype character;
    if (!curses_parse_place(args, "inch", &place))
        return NULL;
    CURSES_LOCKED(character = curses_place_locked(WIN(op), &place) == ERR ? (chtype)ERR : winch(WIN(op)));
    return PyLong_FromUnsignedLong(character);
}

/* ---- Texts ---- */

typedef struct {
    int (*wide)(WINDOW *, const wchar_t *, int);
    int (*bytes)(WINDOW *, const char *, int);
    const char *wide_name, *bytes_name;
} writer_t;

/* Attributes that are given hold for this text only. */
static PyObject *write_text(PyObject *op, PyObject *args, const char *name, int with_n, const writer_t *writer)
{
    arguments_t a;
    curses_text_t text;
    attr_t before;
    short pair;
    int result;
    if (!parse(args, name, with_n, &a) || curses_text_bind(a.what, &text) < 0)
        return NULL;
    WINDOW *win = WIN(op);
    int n = with_n ? a.n : -1;
    PyMutex_Lock(&curses_lock);
    if (a.has_attributes) {
        wattr_get(win, &before, &pair, NULL);
        wattrset(win, (int)a.attributes);
    }
    result = curses_place_locked(win, &a.place);
    if (result != ERR)
        result = text.wide != NULL ? writer->wide(win, text.wide, n) : writer->bytes(win, PyBytes_AS_STRING(text.bytes), n);
    if (a.has_attributes)
        wattr_set(win, before, pair, NULL);
    PyMutex_Unlock(&curses_lock);
    PyObject *none = curses_check(result, text.wide != NULL ? writer->wide_name : writer->bytes_name);
    curses_text_release(&text);
    return none;
}

static const writer_t add_all = {waddnwstr, waddnstr, "addwstr", "addstr"}, add_some = {waddnwstr, waddnstr, "addnwstr", "addnstr"};
static const writer_t insert_all = {wins_nwstr, winsnstr, "inswstr", "insstr"};
static const writer_t insert_some = {wins_nwstr, winsnstr, "insn_wstr", "insnstr"};

static PyObject *window_addstr(PyObject *op, PyObject *args) { return write_text(op, args, "addstr", 0, &add_all); }
static PyObject *window_addnstr(PyObject *op, PyObject *args) { return write_text(op, args, "addnstr", 1, &add_some); }
static PyObject *window_insstr(PyObject *op, PyObject *args) { return write_text(op, args, "insstr", 0, &insert_all); }
static PyObject *window_insnstr(PyObject *op, PyObject *args) { return write_text(op, args, "insnstr", 1, &insert_some); }

static PyObject *window_instr(PyObject *op, PyObject *args)
{
    enum { MOST = 1023 };
    place_t place;
    char text[MOST + 1];
    int result, n = MOST;
    if (!curses_parse_place_and_length(args, "instr requires 0 or 3 arguments", &place, &n))
        return NULL;
    CURSES_LOCKED(
        result = curses_place_locked(WIN(op), &place);
        if (result != ERR)
            result = winnstr(WIN(op), text, n < MOST ? n : MOST));
    return PyBytes_FromString(result == ERR ? "" : text);
}

static PyObject *window_chgat(PyObject *op, PyObject *args)
{
    place_t place = {.given = PyTuple_GET_SIZE(args) >= 3};
    int result, ok, n = -1;
    long attributes;
    switch (PyTuple_GET_SIZE(args)) {
    case 1: ok = PyArg_ParseTuple(args, "l;attr", &attributes); break;
    case 2: ok = PyArg_ParseTuple(args, "il;n,attr", &n, &attributes); break;
    case 3: ok = PyArg_ParseTuple(args, "iil;y,x,attr", &place.y, &place.x, &attributes); break;
    case 4: ok = PyArg_ParseTuple(args, "iiil;y,x,n,attr", &place.y, &place.x, &n, &attributes); break;
    default: PyErr_SetString(PyExc_TypeError, "chgat requires 1 to 4 arguments"); return NULL;
    }
    if (!ok)
        return NULL;
    short pair = (short)PAIR_NUMBER((int)attributes);
    WINDOW *win = WIN(op);
    CURSES_LOCKED(
        result = curses_place_locked(win, &place);
        if (result != ERR) {
            result = wchgat(win, n, (attr_t)attributes & A_ATTRIBUTES, pair, NULL);
            wtouchln(win, getcury(win), 1, 1);
        });
    return curses_check(result, "chgat");
}

/* ---- Lines and borders ---- */

static PyObject *draw_line(PyObject *op, PyObject *args, const char *name, int (*draw)(WINDOW *, chtype, int))
{
    arguments_t a;
    chtype character;
    int result;
    if (!parse(args, name, 1, &a) || !curses_convert_byte((window_t *)op, a.what, &character))
        return NULL;
    CURSES_LOCKED(
        result = curses_place_locked(WIN(op), &a.place);
        if (result != ERR)
            result = draw(WIN(op), character | (chtype)a.attributes, a.n));
    return curses_check(result, a.place.given && result == ERR ? "wmove" : name);
}

static PyObject *window_hline(PyObject *op, PyObject *args) { return draw_line(op, args, "hline", whline); }
static PyObject *window_vline(PyObject *op, PyObject *args) { return draw_line(op, args, "vline", wvline); }

static PyObject *window_border(PyObject *op, PyObject *args)
{
    PyObject *objects[8] = {NULL};
    chtype c[8] = {0};
    if (!PyArg_UnpackTuple(args, "border", 0, 8, &objects[0], &objects[1], &objects[2], &objects[3], &objects[4], &objects[5],
                           &objects[6], &objects[7]))
        return NULL;
    for (int i = 0; i < 8; i++)
        if (objects[i] != NULL && !curses_convert_byte((window_t *)op, objects[i], &c[i]))
            return NULL;
    CURSES_LOCKED(wborder(WIN(op), c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]));
    Py_RETURN_NONE;
}

static PyObject *window_box(PyObject *op, PyObject *args)
{
    chtype vertical = 0, horizontal = 0;
    switch (PyTuple_GET_SIZE(args)) {
    case 0: break;
    case 2:
        if (!curses_convert_byte((window_t *)op, PyTuple_GET_ITEM(args, 0), &vertical) ||
            !curses_convert_byte((window_t *)op, PyTuple_GET_ITEM(args, 1), &horizontal))
            return NULL;
        break;
    default: PyErr_SetString(PyExc_TypeError, "_curses.window.box requires 0 to 2 arguments"); return NULL;
    }
    CURSES_LOCKED(box(WIN(op), vertical, horizontal));
    Py_RETURN_NONE;
}

PyMethodDef curses_text_methods[] = {
    {"addch", window_addch, METH_VARARGS, "addch([y, x,] ch[, attr])\nWrite a character over what is there."},
    {"insch", window_insch, METH_VARARGS, "insch([y, x,] ch[, attr])\nPut a character before the cursor's."},
    {"delch", window_delch, METH_VARARGS, "delch([y, x])\nTake out a character."},
    {"echochar", window_echochar, METH_VARARGS,
     "echochar($self, ch, attr=_curses.A_NORMAL, /)\n--\n\nWrite a character and show it at once."},
    {"bkgd", window_bkgd, METH_VARARGS, "bkgd($self, ch, attr=_curses.A_NORMAL, /)\n--\n\nChange the background, of what is there too."},
    {"bkgdset", window_bkgdset, METH_VARARGS, "bkgdset($self, ch, attr=_curses.A_NORMAL, /)\n--\n\nSet the background for what is written."},
    {"getbkgd", window_getbkgd, METH_NOARGS, "getbkgd($self, /)\n--\n\nThe background: character and attributes."},
    {"inch", window_inch, METH_VARARGS, "inch([y, x])\nA character with its attributes."},
    {"addstr", window_addstr, METH_VARARGS, "addstr([y, x,] str[, attr])\nWrite a text over what is there."},
    {"addnstr", window_addnstr, METH_VARARGS, "addnstr([y, x,] str, n[, attr])\nWrite n characters of a text at most."},
    {"insstr", window_insstr, METH_VARARGS, "insstr([y, x,] str[, attr])\nPut a text before the cursor's character."},
    {"insnstr", window_insnstr, METH_VARARGS, "insnstr([y, x,] str, n[, attr])\nPut n characters of a text at most before the cursor's."},
    {"instr", window_instr, METH_VARARGS, "instr([y, x,] [n])\nThe characters of a line as bytes, without attributes."},
    {"chgat", window_chgat, METH_VARARGS, "chgat([y, x,] [num,] attr)\nChange the attributes of what is there."},
    {"hline", window_hline, METH_VARARGS, "hline([y, x,] ch, n[, attr])\nDraw a line to the right."},
    {"vline", window_vline, METH_VARARGS, "vline([y, x,] ch, n[, attr])\nDraw a line down."},
    {"border", window_border, METH_VARARGS, "border([ls[, rs[, ts[, bs[, tl[, tr[, bl[, br]]]]]]]])\nDraw the edges of the window."},
    {"box", window_box, METH_VARARGS, "box([vertch, horch])\nDraw the edges of the window, with two characters."},
    {NULL},
};
