/* Functions on the data base of terminals. */
#include "curses_internal.h"

#include <term.h>               /* defines capabilities as macros with everyday names */

static PyObject *set_up(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"term", "fd", NULL};
    const char *term = NULL;
    int fd = -1, result = OK, error = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|zi:setupterm", keywords, &term, &fd))
        return NULL;
    if (fd == -1) {
        PyObject *out;
        if (PySys_GetOptionalAttrString("stdout", &out) < 0)
            return NULL;
        if (out == NULL || out == Py_None)
            PyErr_SetString(curses_error, "lost sys.stdout");
        else
            fd = PyObject_AsFileDescriptor(out);
        Py_XDECREF(out);
        if (fd == -1)
            return NULL;
    }
    CURSES_LOCKED(
        if (!curses_term_is_set) {
            result = setupterm(term, fd, &error);
            if (result != ERR)
                __atomic_store_n(&curses_term_is_set, 1, __ATOMIC_RELEASE);     /* pairs with curses_need_term */
        });
    if (result != ERR)
        Py_RETURN_NONE;
    PyErr_SetString(curses_error, error == 0    ? "setupterm: could not find terminal"
                                  : error == -1 ? "setupterm: could not find terminfo database"
                                                : "setupterm: unknown error");
    return NULL;
}

#define NUMBER_FUNCTION(name) \
    static PyObject *get_##name(PyObject *module, PyObject *args) \
    { \
        const char *capability; \
        int value; \
        if (!curses_need_term() || !PyArg_ParseTuple(args, "s:" #name, &capability)) \
            return NULL; \
        CURSES_LOCKED(value = name((char *)capability)); \
        return PyLong_FromLong(value); \
    }
NUMBER_FUNCTION(tigetflag)
NUMBER_FUNCTION(tigetnum)

/* The text is the library's, good under the lock. */
static PyObject *get_tigetstr(PyObject *module, PyObject *args)
{
    const char *capability;
    PyObject *result;
    if (!curses_need_term() || !PyArg_ParseTuple(args, "s:tigetstr", &capability))
        return NULL;
    CURSES_LOCKED(
        const char *text = tigetstr((char *)capability);
        result = text == NULL || text == (char *)-1 ? Py_NewRef(Py_None) : PyBytes_FromString(text));
    return result;
}

static PyObject *get_tparm(PyObject *module, PyObject *args)
{
    const char *format;
    int i[9] = {0};
    PyObject *result = NULL;
    if (!curses_need_term() || !PyArg_ParseTuple(args, "y|iiiiiiiii:tparm", &format, &i[0], &i[1], &i[2], &i[3], &i[4], &i[5],
                                                 &i[6], &i[7], &i[8]))
        return NULL;
    CURSES_LOCKED(
        const char *text = tparm((char *)format, i[0], i[1], i[2], i[3], i[4], i[5], i[6], i[7], i[8]);
        if (text != NULL)
            result = PyBytes_FromString(text));
    if (result == NULL && !PyErr_Occurred())
        PyErr_SetString(curses_error, "tparm() returned NULL");
    return result;
}

static PyObject *put(PyObject *module, PyObject *args)
{
    const char *text;
    int result;
    if (!PyArg_ParseTuple(args, "y:putp", &text))
        return NULL;
    CURSES_LOCKED_DETACHED(result = putp(text));
    return curses_check(result, "putp");
}

PyMethodDef curses_terminfo_methods[] = {
    MODULE_METHOD("setupterm", set_up, METH_VARARGS | METH_KEYWORDS,
                  "setupterm($module, /, term=None, fd=-1)\n--\n\nRead the description of the terminal."),
    {"tigetflag", get_tigetflag, METH_VARARGS,
     "tigetflag($module, capname, /)\n--\n\nA capability that is there (1) or not (0); -1: it is none of that kind."},
    {"tigetnum", get_tigetnum, METH_VARARGS,
     "tigetnum($module, capname, /)\n--\n\nA capability that is a number; -1: there is none, -2: it is none of that kind."},
    {"tigetstr", get_tigetstr, METH_VARARGS, "tigetstr($module, capname, /)\n--\n\nA capability that is a text, as bytes, or None."},
    {"tparm", get_tparm, METH_VARARGS,
     "tparm($module, str, i1=0, i2=0, i3=0, i4=0, i5=0, i6=0, i7=0, i8=0, i9=0, /)\n--\n\nPut parameters into the text of a capability."},
    {"putp", put, METH_VARARGS, "putp($module, string, /)\n--\n\nWrite the text of a capability, with the pauses that it names."},
    {NULL},
};
