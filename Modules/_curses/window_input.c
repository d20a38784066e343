/* Keys and lines that are typed.
 *
 * A key is awaited without the library's lock: the library is asked for one that is there, and if there is none, poll() tells
 * when to ask again. Only where the terminal gives lines, and not keys, and for getstr() does the library itself wait, with the lock. */
#include "curses_internal.h"

#include <errno.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define WIN(op) (((window_t *)(op))->win)

/* ---- One key ---- */

/* ERR, OK or KEY_CODE_YES as wget_wch() says; a byte or a key's code where wide is 0. */
static int read_key(WINDOW *win, int wide, wint_t *key)
{
    if (wide)
        return wget_wch(win, key);
    int result = wgetch(win);
    *key = (wint_t)result;
    return result == ERR ? ERR : OK;
}

static int64_t now_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* Waits until there may be a key. 1: ask again; 0: the time is over or the input has ended; -1 with an exception. */
static int wait_for_input(int64_t deadline)
{
    int64_t left = deadline < 0 ? -1 : deadline - now_ms();
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    int ready, error, waiting = 0;
    if (deadline >= 0 && left <= 0)
        return 0;
    Py_BEGIN_ALLOW_THREADS
    ready = poll(&input, 1, left > INT_MAX ? INT_MAX : (int)left);
    error = errno;
    if (ready > 0 && ioctl(STDIN_FILENO, FIONREAD, &waiting) < 0)
        waiting = 0;
    Py_END_ALLOW_THREADS
    if (ready > 0)
        return waiting > 0;
    if (ready == 0 || error != EINTR)
        return 0;
    return PyErr_CheckSignals() < 0 ? -1 : 1;   /* a changed size of the terminal is a key */
}

/* As read_key, waiting as long as the window's mode says; -2 with an exception. place: where the cursor goes before. */
static int await_key(WINDOW *win, const place_t *place, int wide, wint_t *key)
{
    int result, delay, can_wait;
    int64_t deadline = -1;
    PyMutex_Lock(&curses_lock);
    delay = wgetdelay(win);
    if (delay < 0 && curses_half_delay > 0)
        delay = curses_half_delay * 100;
    can_wait = curses_by_key && delay != 0;
    if (can_wait && delay > 0)
        deadline = now_ms() + delay;
    result = curses_place_locked(win, place);
    while (result != ERR) {
        if (can_wait) {
            int before = wgetdelay(win);
            wtimeout(win, 0);
            result = read_key(win, wide, key);
            wtimeout(win, before);
        }
        else {
            Py_BEGIN_ALLOW_THREADS
            result = read_key(win, wide, key);
            Py_END_ALLOW_THREADS
        }
        if (result != ERR || !can_wait)
            break;
        PyMutex_Unlock(&curses_lock);
        int again = wait_for_input(deadline);
        if (again < 0)
            return -2;
        PyMutex_Lock(&curses_lock);
        if (again == 0) {
            wtimeout(win, 0);
            result = read_key(win, wide, key);
            wtimeout(win, delay < 0 || curses_half_delay > 0 ? -1 : delay);
            break;
        }
        result = OK;
    }
    PyMutex_Unlock(&curses_lock);
    return result;
}

/* No key: the exception of a signal that came meanwhile, or that of the module. */
static PyObject *no_input(void)
{
    if (PyErr_CheckSignals() == 0)
        PyErr_SetString(curses_error, "no input");
    return NULL;
}

static PyObject *window_getch(PyObject *op, PyObject *args)
{
    place_t place;
    wint_t key;
    if (!curses_parse_place(args, "getch", &place))
        return NULL;
    int result = await_key(WIN(op), &place, 0, &key);
    if (result == -2 || (result == ERR && PyErr_CheckSignals() < 0))
        return NULL;
    return PyLong_FromLong(result == ERR ? -1 : (long)key);
}

static PyObject *window_getkey(PyObject *op, PyObject *args)
{
    place_t place;
    wint_t key;
    if (!curses_parse_place(args, "getkey", &place))
        return NULL;
    int result = await_key(WIN(op), &place, 0, &key);
    if (result == -2)
        return NULL;
    if (result == ERR)
        return no_input();
    if (key <= 255)
        return PyUnicode_FromOrdinal((int)key);
    char name[64];
    CURSES_LOCKED(const char *text = keyname((int)key); snprintf(name, sizeof name, "%s", text != NULL ? text : ""));
    return PyUnicode_FromString(name);
}

static PyObject *window_get_wch(PyObject *op, PyObject *args)
{
    place_t place;
    wint_t key;
    if (!curses_parse_place(args, "get_wch", &place))
        return NULL;
    int result = await_key(WIN(op), &place, 1, &key);
    if (result == -2)
        return NULL;
    if (result == ERR)
        return no_input();
    return result == KEY_CODE_YES ? PyLong_FromLong((long)key) : PyUnicode_FromOrdinal((int)key);
}

/* ---- A line ---- */

static PyObject *window_getstr(PyObject *op, PyObject *args)
{
    enum { MOST = 1023 };
    place_t place;
    char text[MOST + 1];
    int result, n = MOST;
    if (!curses_parse_place_and_length(args, "getstr requires 0 to 3 arguments", &place, &n))
        return NULL;
    CURSES_LOCKED_DETACHED(
        result = curses_place_locked(WIN(op), &place);
        if (result != ERR)
            result = wgetnstr(WIN(op), text, n < MOST ? n : MOST););
    if (result == ERR && PyErr_CheckSignals() < 0)
        return NULL;
    return PyBytes_FromString(result == ERR ? "" : text);
}

PyMethodDef curses_input_methods[] = {
    {"getch", window_getch, METH_VARARGS, "getch([y, x])\nA key's number, or -1 if none is typed in time."},
    {"getkey", window_getkey, METH_VARARGS, "getkey([y, x])\nA key's name."},
    {"get_wch", window_get_wch, METH_VARARGS, "get_wch([y, x])\nA character, or the number of a key that is none."},
    {"getstr", window_getstr, METH_VARARGS, "getstr([y, x,] [n])\nA line that is typed, as bytes."},
    {NULL},
};
