/* Functions on the terminal as a whole: its modes, windows that are made, the keys and the mouse. */
#include "curses_internal.h"

#include <stdio.h>

int curses_half_delay;
int curses_by_key;
enum { BY_CBREAK = 1, BY_RAW = 2 };

/* ---- Functions that succeed or return ERR ---- */

#define PLAIN_FUNCTION(function, library) \
    static PyObject *function(PyObject *module, PyObject *unused) \
    { \
        int result; \
        if (!curses_need_screen()) \
            return NULL; \
        CURSES_LOCKED_DETACHED(result = library()); \
        return curses_check(result, #library); \
    }
PLAIN_FUNCTION(screen_beep, beep)
PLAIN_FUNCTION(screen_def_prog_mode, def_prog_mode)
PLAIN_FUNCTION(screen_def_shell_mode, def_shell_mode)
PLAIN_FUNCTION(screen_doupdate, doupdate)
PLAIN_FUNCTION(screen_endwin, endwin)
PLAIN_FUNCTION(screen_flash, flash)
PLAIN_FUNCTION(screen_flushinp, flushinp)
PLAIN_FUNCTION(screen_noecho, noecho)
PLAIN_FUNCTION(screen_nonl, nonl)
PLAIN_FUNCTION(screen_reset_prog_mode, reset_prog_mode)
PLAIN_FUNCTION(screen_reset_shell_mode, reset_shell_mode)
PLAIN_FUNCTION(screen_resetty, resetty)
PLAIN_FUNCTION(screen_savetty, savetty)

/* Optional flag: 1, or 0 with an exception. */
static int parse_flag(PyObject *args, const char *name, int *flag)
{
    PyObject *object = NULL;
    *flag = 1;
    if (!PyArg_UnpackTuple(args, name, 0, 1, &object))
        return 0;
    if (object != NULL)
        *flag = PyObject_IsTrue(object);
    return *flag >= 0 && curses_need_screen();
}

#define TOGGLE_FUNCTION(function, on, off) \
    static PyObject *function(PyObject *module, PyObject *args) \
    { \
        int flag; \
        if (!parse_flag(args, #on, &flag)) \
            return NULL; \
        CURSES_RETURN(flag ? on() : off(), flag ? #on : #off); \
    }
TOGGLE_FUNCTION(screen_echo, echo, noecho)
TOGGLE_FUNCTION(screen_nl, nl, nonl)

/* Keys come one by one from now on, or not. */
static PyObject *set_by_key(int result, int bit, int on, const char *name)
{
    if (result != ERR) {
        curses_by_key = on ? curses_by_key | bit : curses_by_key & ~bit;
        if (bit == BY_CBREAK)
            curses_half_delay = 0;
    }
    PyMutex_Unlock(&curses_lock);
    return curses_check(result, name);
}

static PyObject *set_cbreak(int on)
{
    PyMutex_Lock(&curses_lock);
    return set_by_key(on ? cbreak() : nocbreak(), BY_CBREAK, on, on ? "cbreak" : "nocbreak");
}

static PyObject *set_raw(int on)
{
    PyMutex_Lock(&curses_lock);
    return set_by_key(on ? raw() : noraw(), BY_RAW, on, on ? "raw" : "noraw");
}

static PyObject *screen_cbreak(PyObject *module, PyObject *args)
{
    int flag;
    return parse_flag(args, "cbreak", &flag) ? set_cbreak(flag) : NULL;
}

static PyObject *screen_raw(PyObject *module, PyObject *args)
{
    int flag;
    return parse_flag(args, "raw", &flag) ? set_raw(flag) : NULL;
}

static PyObject *screen_nocbreak(PyObject *module, PyObject *unused) { return curses_need_screen() ? set_cbreak(0) : NULL; }
static PyObject *screen_noraw(PyObject *module, PyObject *unused) { return curses_need_screen() ? set_raw(0) : NULL; }

static PyObject *screen_qiflush(PyObject *module, PyObject *args)
{
    int flag;
    if (!parse_flag(args, "qiflush", &flag))
        return NULL;
    CURSES_LOCKED((flag ? qiflush : noqiflush)());
    Py_RETURN_NONE;
}

static PyObject *screen_noqiflush(PyObject *module, PyObject *unused)
{
    if (!curses_need_screen())
        return NULL;
    CURSES_LOCKED(noqiflush());
    Py_RETURN_NONE;
}

static PyObject *screen_halfdelay(PyObject *module, PyObject *args)
{
    unsigned char tenths;
    if (!PyArg_ParseTuple(args, "b:halfdelay", &tenths) || !curses_need_screen())
        return NULL;
    PyMutex_Lock(&curses_lock);
    int result = halfdelay(tenths);
    if (result != ERR) {
        curses_by_key |= BY_CBREAK;
        curses_half_delay = tenths;
    }
    PyMutex_Unlock(&curses_lock);
    return curses_check(result, "halfdelay");
}

/* ---- Functions with a number ---- */

/* 1, or 0 with an exception. */
static int parse_int(PyObject *object, int *number)
{
    *number = _PyLong_AsInt(object);
    return *number != -1 || !PyErr_Occurred();
}

static int parse_bool(PyObject *object, int *flag)
{
    *flag = PyObject_IsTrue(object);
    return *flag >= 0;
}

#define NUMBER_FUNCTION(function, library, convert, call) \
    static PyObject *function(PyObject *module, PyObject *object) \
    { \
        int number, result; \
        if (!convert(object, &number) || !curses_need_screen()) \
            return NULL; \
        CURSES_LOCKED_DETACHED(result = call); \
        return curses_check(result, #library); \
    }
NUMBER_FUNCTION(screen_delay_output, delay_output, parse_int, delay_output(number))
NUMBER_FUNCTION(screen_intrflush, intrflush, parse_bool, intrflush(NULL, number != 0))
NUMBER_FUNCTION(screen_meta, meta, parse_bool, meta(stdscr, number != 0))
NUMBER_FUNCTION(screen_mouseinterval, mouseinterval, parse_int, mouseinterval(number))
NUMBER_FUNCTION(screen_typeahead, typeahead, parse_int, typeahead(number))

static PyObject *screen_curs_set(PyObject *module, PyObject *object)
{
    int visibility, before;
    if (!parse_int(object, &visibility) || !curses_need_screen())
        return NULL;
    CURSES_LOCKED(before = curs_set(visibility));
    return before == ERR ? curses_check(ERR, "curs_set") : PyLong_FromLong(before);
}

/* Waits without the lock: the library only sleeps. */
static PyObject *screen_napms(PyObject *module, PyObject *object)
{
    int ms, result;
    if (!parse_int(object, &ms) || !curses_need_screen())
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    result = napms(ms);
    Py_END_ALLOW_THREADS
    return PyLong_FromLong(result);
}

#define VARIABLE(getter, setter, variable, function, text) \
    static PyObject *getter(PyObject *module, PyObject *unused) \
    { \
        int value; \
        CURSES_LOCKED(value = variable); \
        return PyLong_FromLong(value); \
    } \
    static PyObject *setter(PyObject *module, PyObject *object) \
    { \
        int value; \
        if (!parse_int(object, &value)) \
            return NULL; \
        if (value <= 0) { \
            PyErr_SetString(PyExc_ValueError, text); \
            return NULL; \
        } \
        CURSES_RETURN(function(value), #function); \
    }
VARIABLE(screen_get_escdelay, screen_set_escdelay, ESCDELAY, set_escdelay, "ms must be > 0")
VARIABLE(screen_get_tabsize, screen_set_tabsize, TABSIZE, set_tabsize, "size must be > 0")

/* ---- What the terminal is ---- */

#define ANSWER_FUNCTION(function, type, call, make) \
    static PyObject *function(PyObject *module, PyObject *unused) \
    { \
        type answer; \
        if (!curses_need_screen()) \
            return NULL; \
        CURSES_LOCKED(answer = call); \
        return make; \
    }
ANSWER_FUNCTION(screen_baudrate, int, baudrate(), PyLong_FromLong(answer))
ANSWER_FUNCTION(screen_has_ic, bool, has_ic(), PyBool_FromLong(answer))
ANSWER_FUNCTION(screen_has_il, bool, has_il(), PyBool_FromLong(answer))
ANSWER_FUNCTION(screen_isendwin, bool, isendwin(), PyBool_FromLong(answer))
ANSWER_FUNCTION(screen_termattrs, chtype, termattrs(), PyLong_FromUnsignedLong(answer))
ANSWER_FUNCTION(screen_longname, PyObject *, PyBytes_FromString(longname()), answer)
ANSWER_FUNCTION(screen_termname, PyObject *, PyBytes_FromString(termname()), answer)
ANSWER_FUNCTION(screen_erasechar, char, erasechar(), PyBytes_FromStringAndSize(&answer, 1))

static PyObject *screen_killchar(PyObject *module, PyObject *unused)
{
    char character;
    CURSES_LOCKED(character = killchar());
    return PyBytes_FromStringAndSize(&character, 1);
}

static PyObject *screen_filter(PyObject *module, PyObject *unused)
{
    CURSES_LOCKED(filter());
    Py_RETURN_NONE;
}

static PyObject *screen_use_env(PyObject *module, PyObject *object)
{
    int flag;
    if (!parse_bool(object, &flag))
        return NULL;
    CURSES_LOCKED(use_env(flag != 0));
    Py_RETURN_NONE;
}

static PyObject *screen_getsyx(PyObject *module, PyObject *unused)
{
    int y = -1, x = -1;
    if (!curses_need_screen())
        return NULL;
    CURSES_LOCKED(
        if (!is_leaveok(newscr)) {
            y = getcury(newscr);
            x = getcurx(newscr);
        });
    return Py_BuildValue("(ii)", y, x);
}

static PyObject *screen_setsyx(PyObject *module, PyObject *args)
{
    int y, x;
    if (!PyArg_ParseTuple(args, "ii:setsyx", &y, &x) || !curses_need_screen())
        return NULL;
    CURSES_LOCKED(
        leaveok(newscr, y == -1 && x == -1);
        if (y != -1 || x != -1)
            wmove(newscr, y, x));
    Py_RETURN_NONE;
}

/* ---- The size ---- */

/* Sets a number in two dicts: 0, or -1 with an exception. */
static int set_in_both(PyObject *module, PyObject *package, const char *name, int value)
{
    PyObject *number = PyLong_FromLong(value);
    int status = number == NULL || PyObject_SetAttrString(module, name, number) < 0 ||
                 (package != NULL && PyObject_SetAttrString(package, name, number) < 0) ? -1 : 0;
    Py_XDECREF(number);
    return status;
}

static int update_size(PyObject *module)
{
    int lines, columns;
    PyObject *package = PyImport_ImportModule("curses");
    if (package == NULL)
        return -1;
    CURSES_LOCKED(lines = LINES; columns = COLS);
    int status = set_in_both(module, package, "LINES", lines) < 0 || set_in_both(module, package, "COLS", columns) < 0 ? -1 : 0;
    Py_DECREF(package);
    return status;
}

static PyObject *screen_update_lines_cols(PyObject *module, PyObject *unused)
{
    return update_size(module) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *screen_is_term_resized(PyObject *module, PyObject *args)
{
    int lines, columns;
    bool resized;
    if (!PyArg_ParseTuple(args, "ii:is_term_resized", &lines, &columns) || !curses_need_screen())
        return NULL;
    CURSES_LOCKED(resized = is_term_resized(lines, columns));
    return PyBool_FromLong(resized);
}

static PyObject *change_size(PyObject *module, PyObject *args, const char *format, const char *name, int (*change)(int, int))
{
    int lines, columns, result;
    if (!PyArg_ParseTuple(args, format, &lines, &columns) || !curses_need_screen())
        return NULL;
    CURSES_LOCKED(result = change(lines, columns));
    PyObject *none = curses_check(result, name);
    if (none != NULL && update_size(module) < 0)
        Py_CLEAR(none);
    return none;
}

static PyObject *screen_resizeterm(PyObject *module, PyObject *args)
{
    return change_size(module, args, "ii:resizeterm", "resizeterm", resizeterm);
}

static PyObject *screen_resize_term(PyObject *module, PyObject *args)
{
    return change_size(module, args, "ii:resize_term", "resize_term", resize_term);
}

/* ---- Windows ---- */

/* The characters that stand for themselves in pictures; the terminal's description says which they are. */
static const struct { const char *name; char code; } pictures[] = {
    {"ACS_ULCORNER", 'l'}, {"ACS_LLCORNER", 'm'}, {"ACS_URCORNER", 'k'}, {"ACS_LRCORNER", 'j'}, {"ACS_LTEE", 't'},
    {"ACS_RTEE", 'u'}, {"ACS_BTEE", 'v'}, {"ACS_TTEE", 'w'}, {"ACS_HLINE", 'q'}, {"ACS_VLINE", 'x'}, {"ACS_PLUS", 'n'},
    {"ACS_S1", 'o'}, {"ACS_S9", 's'}, {"ACS_DIAMOND", '`'}, {"ACS_CKBOARD", 'a'}, {"ACS_DEGREE", 'f'}, {"ACS_PLMINUS", 'g'},
    {"ACS_BULLET", '~'}, {"ACS_LARROW", ','}, {"ACS_RARROW", '+'}, {"ACS_DARROW", '.'}, {"ACS_UARROW", '-'},
    {"ACS_BOARD", 'h'}, {"ACS_LANTERN", 'i'}, {"ACS_BLOCK", '0'}, {"ACS_BSSB", 'l'}, {"ACS_SSBB", 'm'}, {"ACS_BBSS", 'k'},
    {"ACS_SBBS", 'j'}, {"ACS_SBSS", 'u'}, {"ACS_SSSB", 't'}, {"ACS_SSBS", 'v'}, {"ACS_BSSS", 'w'}, {"ACS_BSBS", 'q'},
    {"ACS_SBSB", 'x'}, {"ACS_SSSS", 'n'}, {"ACS_S3", 'p'}, {"ACS_S7", 'r'}, {"ACS_LEQUAL", 'y'}, {"ACS_GEQUAL", 'z'},
    {"ACS_PI", '{'}, {"ACS_NEQUAL", '|'}, {"ACS_STERLING", '}'},
};

static int add_pictures(PyObject *module)
{
    for (size_t i = 0; i < sizeof pictures / sizeof pictures[0]; i++) {
        chtype character;
        CURSES_LOCKED(character = NCURSES_ACS(pictures[i].code));
        if (PyModule_AddIntConstant(module, pictures[i].name, (long)character) < 0)
            return -1;
    }
    return 0;
}

static PyObject *screen_initscr(PyObject *module, PyObject *unused)
{
    WINDOW *win;
    int lines, columns, was_set;
    CURSES_LOCKED_DETACHED(
        was_set = curses_screen_is_set;
        if (was_set) {
            wrefresh(stdscr);
            win = stdscr;
        }
        else
            win = initscr();
        lines = LINES;
        columns = COLS;
        if (win != NULL) {      /* pairs with curses_need_screen and curses_need_term */
            __atomic_store_n(&curses_screen_is_set, 1, __ATOMIC_RELEASE);
            __atomic_store_n(&curses_term_is_set, 1, __ATOMIC_RELEASE);
        });
    if (win == NULL) {
        PyErr_SetString(curses_error, "curses function returned NULL");
        return NULL;
    }
    if (!was_set && (add_pictures(module) < 0 || PyModule_AddIntConstant(module, "LINES", lines) < 0 ||
                     PyModule_AddIntConstant(module, "COLS", columns) < 0))
        return NULL;
    return curses_window_new(win, NULL, NULL);
}

static PyObject *window_or_error(WINDOW *win)
{
    if (win != NULL)
        return curses_window_new(win, NULL, NULL);
    PyErr_SetString(curses_error, "curses function returned NULL");
    return NULL;
}

static PyObject *screen_newwin(PyObject *module, PyObject *args)
{
    int lines, columns, y = 0, x = 0, ok;
    WINDOW *win;
    switch (PyTuple_GET_SIZE(args)) {
    case 2: ok = PyArg_ParseTuple(args, "ii:newwin", &lines, &columns); break;
    case 4: ok = PyArg_ParseTuple(args, "iiii:newwin", &lines, &columns, &y, &x); break;
    default: PyErr_SetString(PyExc_TypeError, "_curses.newwin requires 2 to 4 arguments"); return NULL;
    }
    if (!ok || !curses_need_screen())
        return NULL;
    CURSES_LOCKED(win = newwin(lines, columns, y, x); if (win != NULL) keypad(win, false));
    return window_or_error(win);
}

static PyObject *screen_newpad(PyObject *module, PyObject *args)
{
    int lines, columns;
    WINDOW *win;
    if (!PyArg_ParseTuple(args, "ii:newpad", &lines, &columns) || !curses_need_screen())
        return NULL;
    CURSES_LOCKED(win = newpad(lines, columns));
    return window_or_error(win);
}

/* The library reads files of C. */
static PyObject *screen_getwin(PyObject *module, PyObject *source)
{
    WINDOW *win = NULL;
    if (!curses_need_screen())
        return NULL;
    PyObject *data = PyObject_CallMethod(source, "read", NULL);
    if (data == NULL)
        return NULL;
    FILE *file = NULL;
    if (!PyBytes_Check(data))
        PyErr_Format(PyExc_TypeError, "f.read() returned %.100s instead of bytes", Py_TYPE(data)->tp_name);
    else if ((file = tmpfile()) == NULL ||
             fwrite(PyBytes_AS_STRING(data), 1, (size_t)PyBytes_GET_SIZE(data), file) != (size_t)PyBytes_GET_SIZE(data))
        PyErr_SetFromErrno(PyExc_OSError);
    else {
        rewind(file);
        CURSES_LOCKED_DETACHED(win = getwin(file));
    }
    if (file != NULL)
        fclose(file);
    Py_DECREF(data);
    return win == NULL && PyErr_Occurred() ? NULL : window_or_error(win);
}

/* ---- Keys and the mouse ---- */

static PyObject *screen_keyname(PyObject *module, PyObject *object)
{
    int key;
    PyObject *result;
    if (!parse_int(object, &key) || !curses_need_screen())
        return NULL;
    if (key < 0) {
        PyErr_SetString(PyExc_ValueError, "invalid key number");
        return NULL;
    }
    CURSES_LOCKED(const char *name = keyname(key); result = PyBytes_FromString(name != NULL ? name : ""));
    return result;
}

static PyObject *screen_has_key(PyObject *module, PyObject *object)
{
    int key, result;
    if (!parse_int(object, &key) || !curses_need_screen())
        return NULL;
    CURSES_LOCKED(result = has_key(key));
    return PyBool_FromLong(result);
}

static PyObject *screen_unctrl(PyObject *module, PyObject *object)
{
    chtype character;
    PyObject *result;
    if (!curses_need_screen() || !curses_convert_byte(NULL, object, &character))
        return NULL;
    CURSES_LOCKED(const char *text = unctrl(character); result = PyBytes_FromString(text != NULL ? text : ""));
    return result;
}

static PyObject *screen_ungetch(PyObject *module, PyObject *object)
{
    chtype character;
    if (!curses_need_screen() || !curses_convert_byte(NULL, object, &character))
        return NULL;
    CURSES_RETURN(ungetch((int)character), "ungetch");
}

static PyObject *screen_unget_wch(PyObject *module, PyObject *object)
{
    wchar_t character[2];
    if (!curses_need_screen())
        return NULL;
    if (PyUnicode_Check(object)) {
        if (PyUnicode_AsWideChar(object, character, 2) != 1) {
            PyErr_Format(PyExc_TypeError, "expect str of length 1 or int, got a str of length %zd", PyUnicode_GET_LENGTH(object));
            return NULL;
        }
    }
    else if (PyLong_CheckExact(object)) {
        int overflow;
        long value = PyLong_AsLongAndOverflow(object, &overflow);
        if (overflow != 0) {
            PyErr_SetString(PyExc_OverflowError, "int doesn't fit in long");
            return NULL;
        }
        character[0] = (wchar_t)value;
        if ((long)character[0] != value) {
            PyErr_SetString(PyExc_OverflowError, "character doesn't fit in wchar_t");
            return NULL;
        }
    }
    else {
        PyErr_Format(PyExc_TypeError, "expect str of length 1 or int, got %s", Py_TYPE(object)->tp_name);
        return NULL;
    }
    CURSES_RETURN(unget_wch(character[0]), "unget_wch");
}

static PyObject *screen_getmouse(PyObject *module, PyObject *unused)
{
    MEVENT event;
    int result;
    if (!curses_need_screen())
        return NULL;
    CURSES_LOCKED(result = getmouse(&event));
    if (result == ERR)
        return curses_check(ERR, "getmouse");
    return Py_BuildValue("(hiiik)", event.id, event.x, event.y, event.z, (unsigned long)event.bstate);
}

static PyObject *screen_ungetmouse(PyObject *module, PyObject *args)
{
    MEVENT event;
    unsigned long state;
    if (!PyArg_ParseTuple(args, "hiiik:ungetmouse", &event.id, &event.x, &event.y, &event.z, &state) || !curses_need_screen())
        return NULL;
    event.bstate = (mmask_t)state;
    CURSES_RETURN(ungetmouse(&event), "ungetmouse");
}

static PyObject *screen_mousemask(PyObject *module, PyObject *object)
{
    mmask_t before, available;
    unsigned long mask = PyLong_AsUnsignedLongMask(object);
    if ((mask == (unsigned long)-1 && PyErr_Occurred()) || !curses_need_screen())
        return NULL;
    CURSES_LOCKED(available = mousemask((mmask_t)mask, &before));
    return Py_BuildValue("(kk)", (unsigned long)available, (unsigned long)before);
}

#define NO_ARGUMENTS(name, function, text) {name, function, METH_NOARGS, name "($module, /)\n--\n\n" text}
#define ONE_FLAG(name, function, text) {name, function, METH_VARARGS, name "($module, flag=True, /)\n--\n\n" text}
#define ONE_ARGUMENT(name, function, argument, text) {name, function, METH_O, name "($module, " argument ", /)\n--\n\n" text}
#define SOME_ARGUMENTS(name, function, arguments, text) \
    {name, function, METH_VARARGS, name "($module, " arguments ", /)\n--\n\n" text}

PyMethodDef curses_screen_methods[] = {
    NO_ARGUMENTS("initscr", screen_initscr, "Take over the terminal; the window that is the whole screen."),
    NO_ARGUMENTS("endwin", screen_endwin, "Give the terminal back."),
    NO_ARGUMENTS("isendwin", screen_isendwin, "Was the terminal given back?"),
    NO_ARGUMENTS("beep", screen_beep, "Sound, or flash."),
    NO_ARGUMENTS("flash", screen_flash, "Flash, or sound."),
    NO_ARGUMENTS("doupdate", screen_doupdate, "Show what noutrefresh() was called for."),
    NO_ARGUMENTS("def_prog_mode", screen_def_prog_mode, "Remember the terminal's mode as that of the program."),
    NO_ARGUMENTS("def_shell_mode", screen_def_shell_mode, "Remember the terminal's mode as that of the shell."),
    NO_ARGUMENTS("reset_prog_mode", screen_reset_prog_mode, "Go back to the program's mode."),
    NO_ARGUMENTS("reset_shell_mode", screen_reset_shell_mode, "Go back to the shell's mode."),
    NO_ARGUMENTS("savetty", screen_savetty, "Remember the terminal's mode for resetty()."),
    NO_ARGUMENTS("resetty", screen_resetty, "Go back to the mode at the last savetty()."),
    NO_ARGUMENTS("flushinp", screen_flushinp, "Forget what was typed and not read."),
    ONE_FLAG("cbreak", screen_cbreak, "Get keys as they are typed?"),
    NO_ARGUMENTS("nocbreak", screen_nocbreak, "Get keys line by line."),
    ONE_FLAG("raw", screen_raw, "Get keys as they are typed, those that interrupt and stop too?"),
    NO_ARGUMENTS("noraw", screen_noraw, "Get keys line by line."),
    ONE_FLAG("echo", screen_echo, "Show what is typed?"),
    NO_ARGUMENTS("noecho", screen_noecho, "Do not show what is typed."),
    ONE_FLAG("nl", screen_nl, "Take the return key for a newline?"),
    NO_ARGUMENTS("nonl", screen_nonl, "Leave the return key as it is."),
    ONE_FLAG("qiflush", screen_qiflush, "Forget input and output at an interrupt?"),
    NO_ARGUMENTS("noqiflush", screen_noqiflush, "Keep input and output at an interrupt."),
    SOME_ARGUMENTS("halfdelay", screen_halfdelay, "tenths", "Get keys as they are typed, waiting tenths of a second at most."),
    ONE_ARGUMENT("delay_output", screen_delay_output, "ms", "Pause in the output."),
    ONE_ARGUMENT("intrflush", screen_intrflush, "flag", "Forget the output at an interrupt?"),
    ONE_ARGUMENT("meta", screen_meta, "yes", "Get keys of eight bits?"),
    ONE_ARGUMENT("mouseinterval", screen_mouseinterval, "interval", "How many milliseconds a click may last."),
    ONE_ARGUMENT("typeahead", screen_typeahead, "fd", "Where input lets an update of the screen wait, -1: nowhere."),
    ONE_ARGUMENT("curs_set", screen_curs_set, "visibility", "Hide (0), show (1) or emphasize (2) the cursor; what it was before."),
    ONE_ARGUMENT("napms", screen_napms, "ms", "Sleep."),
    NO_ARGUMENTS("get_escdelay", screen_get_escdelay, "How many milliseconds the rest of a sequence is awaited."),
    ONE_ARGUMENT("set_escdelay", screen_set_escdelay, "ms", "Set how long the rest of a sequence is awaited."),
    NO_ARGUMENTS("get_tabsize", screen_get_tabsize, "The width of a tab."),
    ONE_ARGUMENT("set_tabsize", screen_set_tabsize, "size", "Set the width of a tab."),
    NO_ARGUMENTS("baudrate", screen_baudrate, "Bits in a second."),
    NO_ARGUMENTS("has_ic", screen_has_ic, "Can the terminal insert characters?"),
    NO_ARGUMENTS("has_il", screen_has_il, "Can the terminal insert lines?"),
    NO_ARGUMENTS("termattrs", screen_termattrs, "The attributes that the terminal has."),
    NO_ARGUMENTS("longname", screen_longname, "What the terminal is, as bytes."),
    NO_ARGUMENTS("termname", screen_termname, "The terminal's name, as bytes."),
    NO_ARGUMENTS("erasechar", screen_erasechar, "The key that erases a character, as bytes."),
    NO_ARGUMENTS("killchar", screen_killchar, "The key that erases a line, as bytes."),
    NO_ARGUMENTS("filter", screen_filter, "Before initscr(): use one line only."),
    ONE_ARGUMENT("use_env", screen_use_env, "flag", "Before initscr(): may the environment tell the size?"),
    NO_ARGUMENTS("getsyx", screen_getsyx, "Where the cursor is on the screen to come: (y, x), or (-1, -1)."),
    SOME_ARGUMENTS("setsyx", screen_setsyx, "y, x", "Move the cursor on the screen to come; -1, -1: leave it."),
    NO_ARGUMENTS("update_lines_cols", screen_update_lines_cols, "Set LINES and COLS."),
    SOME_ARGUMENTS("is_term_resized", screen_is_term_resized, "nlines, ncols", "Would resize_term() change anything?"),
    SOME_ARGUMENTS("resize_term", screen_resize_term, "nlines, ncols", "Make the screen as high and as wide."),
    SOME_ARGUMENTS("resizeterm", screen_resizeterm, "nlines, ncols", "As resize_term(), and tell the program with KEY_RESIZE."),
    {"newwin", screen_newwin, METH_VARARGS, "newwin(nlines, ncols, [begin_y=0, begin_x=0])\nA new window."},
    SOME_ARGUMENTS("newpad", screen_newpad, "nlines, ncols", "A window that may be larger than the screen."),
    ONE_ARGUMENT("getwin", screen_getwin, "file", "A window that putwin() has written."),
    ONE_ARGUMENT("keyname", screen_keyname, "key", "What a key is called, as bytes."),
    ONE_ARGUMENT("has_key", screen_has_key, "key", "Does the terminal have that key?"),
    ONE_ARGUMENT("unctrl", screen_unctrl, "ch", "A character as it can be printed, as bytes."),
    ONE_ARGUMENT("ungetch", screen_ungetch, "ch", "Let the next key be this."),
    ONE_ARGUMENT("unget_wch", screen_unget_wch, "ch", "Let the next key be this character."),
    NO_ARGUMENTS("getmouse", screen_getmouse, "What the mouse did: (id, x, y, z, bstate)."),
    SOME_ARGUMENTS("ungetmouse", screen_ungetmouse, "id, x, y, z, bstate", "Let the mouse have done this."),
    ONE_ARGUMENT("mousemask", screen_mousemask, "newmask", "What of the mouse is to be told: what can be, and what was before."),
    {NULL},
};
