/* The termios module: the settings of terminals. */
#define PY_SSIZE_T_CLEAN
#include "module.h"
#include <errno.h>
#include <limits.h>
#include <linux/serial.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#ifndef VSWTCH
#define VSWTCH VSWTC
#endif

static PyObject *termios_error;         /* [const after the module is made] */

static int fd_convert(PyObject *arg, void *address)
{
    int fd = PyObject_AsFileDescriptor(arg);
    *(int *)address = fd;
    return fd >= 0;
}

/* None if rc, what a call returned, is not an error. */
static PyObject *none_unless_failed(int rc)
{
    return rc < 0 ? PyErr_SetFromErrno(termios_error) : Py_NewRef(Py_None);
}

/* Runs expression, which may wait for the terminal, detached. */
#define DETACHED(rc, expression) \
    do { \
        Py_BEGIN_ALLOW_THREADS \
        (rc) = (expression); \
        Py_END_ALLOW_THREADS \
    } while (0)

/* ---- attributes: [iflag, oflag, cflag, lflag, ispeed, ospeed, cc] ---- */

/* In raw mode two of the control characters are numbers: how many bytes read() waits for, and how long. */
static int is_number(const struct termios *mode, int i)
{
    return !(mode->c_lflag & ICANON) && (i == VMIN || i == VTIME);
}

static PyObject *control_characters_make(const struct termios *mode)
{
    PyObject *result = PyList_New(NCCS);
    for (int i = 0; result != NULL && i < NCCS; i++) {
        PyObject *item = is_number(mode, i) ? PyLong_FromLong(mode->c_cc[i])
                                            : PyBytes_FromStringAndSize((const char *)&mode->c_cc[i], 1);
        if (item == NULL)
            Py_CLEAR(result);
        else
            PyList_SET_ITEM(result, i, item);
    }
    return result;
}

static PyObject *termios_tcgetattr(PyObject *module, PyObject *arg)
{
    int fd, rc;
    struct termios mode;
    if (!fd_convert(arg, &fd))
        return NULL;
    DETACHED(rc, tcgetattr(fd, &mode));
    if (rc < 0)
        return PyErr_SetFromErrno(termios_error);
    PyObject *characters = control_characters_make(&mode);
    if (characters == NULL)
        return NULL;
    return Py_BuildValue("[kkkkkkN]", (unsigned long)mode.c_iflag, (unsigned long)mode.c_oflag, (unsigned long)mode.c_cflag,
                         (unsigned long)mode.c_lflag, (unsigned long)cfgetispeed(&mode), (unsigned long)cfgetospeed(&mode),
                         characters);
}

/* 0, or -1 with an exception. The lists may change while this runs: items are taken one by one. */
static int control_characters_get(PyObject *list, struct termios *mode)
{
    if (!PyList_Check(list) || PyList_Size(list) != NCCS) {
        PyErr_Format(PyExc_TypeError, "tcsetattr: attributes[6] must be %d element list", NCCS);
        return -1;
    }
    for (int i = 0; i < NCCS; i++) {
        PyObject *item = PySequence_GetItem(list, i);
        if (item == NULL)
            return -1;
        if (PyBytes_Check(item) && PyBytes_GET_SIZE(item) == 1)
            mode->c_cc[i] = (cc_t)*PyBytes_AS_STRING(item);
        else if (PyLong_Check(item))
            mode->c_cc[i] = (cc_t)PyLong_AsLong(item);
        else
            PyErr_SetString(PyExc_TypeError, "tcsetattr: elements of attributes must be characters or integers");
        Py_DECREF(item);
        if (PyErr_Occurred())
            return -1;
    }
    return 0;
}

static int attributes_get(PyObject *list, struct termios *mode, speed_t speeds[2])
{
    if (!PyList_Check(list) || PyList_Size(list) != 7) {
        PyErr_SetString(PyExc_TypeError, "tcsetattr, arg 3: must be 7 element list");
        return -1;
    }
    long values[6];
    for (int i = 0; i < 6; i++) {
        PyObject *item = PySequence_GetItem(list, i);
        if (item == NULL)
            return -1;
        values[i] = PyLong_AsLong(item);
        Py_DECREF(item);
        if (values[i] == -1 && PyErr_Occurred())
            return -1;
    }
    mode->c_iflag = (tcflag_t)values[0];
    mode->c_oflag = (tcflag_t)values[1];
    mode->c_cflag = (tcflag_t)values[2];
    mode->c_lflag = (tcflag_t)values[3];
    speeds[0] = (speed_t)values[4];
    speeds[1] = (speed_t)values[5];
    PyObject *characters = PySequence_GetItem(list, 6);
    int result = characters != NULL ? control_characters_get(characters, mode) : -1;
    Py_XDECREF(characters);
    return result;
}

static PyObject *termios_tcsetattr(PyObject *module, PyObject *args)
{
    int fd, when, rc;
    PyObject *attributes;
    struct termios mode;
    speed_t speeds[2];
    if (!PyArg_ParseTuple(args, "O&iO:tcsetattr", fd_convert, &fd, &when, &attributes))
        return NULL;
    /* What the list does not say stays as it is. */
    DETACHED(rc, tcgetattr(fd, &mode));
    if (rc < 0)
        return PyErr_SetFromErrno(termios_error);
    if (attributes_get(attributes, &mode, speeds) < 0)
        return NULL;
    if (cfsetispeed(&mode, speeds[0]) < 0 || cfsetospeed(&mode, speeds[1]) < 0)
        return PyErr_SetFromErrno(termios_error);
    DETACHED(rc, tcsetattr(fd, when, &mode));
    return none_unless_failed(rc);
}

/* ---- the line ---- */

static PyObject *termios_tcsendbreak(PyObject *module, PyObject *args)
{
    int fd, duration, rc;
    if (!PyArg_ParseTuple(args, "O&i:tcsendbreak", fd_convert, &fd, &duration))
        return NULL;
    DETACHED(rc, tcsendbreak(fd, duration));
    return none_unless_failed(rc);
}

static PyObject *termios_tcdrain(PyObject *module, PyObject *arg)
{
    int fd, rc;
    if (!fd_convert(arg, &fd))
        return NULL;
    DETACHED(rc, tcdrain(fd));
    return none_unless_failed(rc);
}

static PyObject *termios_tcflush(PyObject *module, PyObject *args)
{
    int fd, queue, rc;
    if (!PyArg_ParseTuple(args, "O&i:tcflush", fd_convert, &fd, &queue))
        return NULL;
    DETACHED(rc, tcflush(fd, queue));
    return none_unless_failed(rc);
}

static PyObject *termios_tcflow(PyObject *module, PyObject *args)
{
    int fd, action, rc;
    if (!PyArg_ParseTuple(args, "O&i:tcflow", fd_convert, &fd, &action))
        return NULL;
    DETACHED(rc, tcflow(fd, action));
    return none_unless_failed(rc);
}

/* ---- the window ---- */

static PyObject *termios_tcgetwinsize(PyObject *module, PyObject *arg)
{
    int fd;
    struct winsize size;
    if (!fd_convert(arg, &fd))
        return NULL;
    if (ioctl(fd, TIOCGWINSZ, &size) < 0)
        return PyErr_SetFromErrno(termios_error);
    return Py_BuildValue("(HH)", size.ws_row, size.ws_col);
}

static PyObject *termios_tcsetwinsize(PyObject *module, PyObject *args)
{
    int fd;
    PyObject *pair;
    long values[2];
    struct winsize size;
    if (!PyArg_ParseTuple(args, "O&O:tcsetwinsize", fd_convert, &fd, &pair))
        return NULL;
    if (!PySequence_Check(pair) || PySequence_Size(pair) != 2) {
        PyErr_Clear();
        PyErr_SetString(PyExc_TypeError, "tcsetwinsize, arg 2: must be a two-item sequence");
        return NULL;
    }
    for (int i = 0; i < 2; i++) {
        PyObject *item = PySequence_GetItem(pair, i);
        values[i] = item != NULL ? PyLong_AsLong(item) : -1;
        Py_XDECREF(item);
        if (values[i] == -1 && PyErr_Occurred())
            return NULL;
    }
    /* The size in pixels stays as it is. */
    if (ioctl(fd, TIOCGWINSZ, &size) < 0)
        return PyErr_SetFromErrno(termios_error);
    size.ws_row = (unsigned short)values[0];
    size.ws_col = (unsigned short)values[1];
    if (size.ws_row != values[0] || size.ws_col != values[1]) {
        PyErr_SetString(PyExc_OverflowError, "winsize value(s) out of range.");
        return NULL;
    }
    return none_unless_failed(ioctl(fd, TIOCSWINSZ, &size));
}

static PyMethodDef termios_methods[] = {
    {"tcgetattr", termios_tcgetattr, METH_O,
     "tcgetattr($module, fd, /)\n--\n\nThe attributes of a terminal: [iflag, oflag, cflag, lflag, ispeed, ospeed, cc].\n\n"
     "cc is a list of control characters (bytes of length 1); without ICANON, cc[VMIN] and cc[VTIME] are ints."},
    {"tcsetattr", termios_tcsetattr, METH_VARARGS,
     "tcsetattr($module, fd, when, attributes, /)\n--\n\nSets the attributes of a terminal, a list as tcgetattr() makes it.\n\n"
     "when: TCSANOW, TCSADRAIN (once all output has been sent), TCSAFLUSH (that, and input is discarded)."},
    {"tcsendbreak", termios_tcsendbreak, METH_VARARGS,
     "tcsendbreak($module, fd, duration, /)\n--\n\nSends a break, of a usual length if duration is 0."},
    {"tcdrain", termios_tcdrain, METH_O, "tcdrain($module, fd, /)\n--\n\nWaits until all output has been sent."},
    {"tcflush", termios_tcflush, METH_VARARGS,
     "tcflush($module, fd, queue, /)\n--\n\nDiscards what waits: TCIFLUSH input, TCOFLUSH output, TCIOFLUSH both."},
    {"tcflow", termios_tcflow, METH_VARARGS,
     "tcflow($module, fd, action, /)\n--\n\nStops (TCOOFF, TCIOFF) or resumes (TCOON, TCION) output or input."},
    {"tcgetwinsize", termios_tcgetwinsize, METH_O, "tcgetwinsize($module, fd, /)\n--\n\nThe (rows, columns) of a terminal."},
    {"tcsetwinsize", termios_tcsetwinsize, METH_VARARGS,
     "tcsetwinsize($module, fd, winsize, /)\n--\n\nSets the (rows, columns) of a terminal."},
    {NULL},
};

static const struct { const char *name; long value; } termios_constants[] = {
#define CONSTANT(name) {#name, (long)name},
#include "termios_constants.def"
#undef CONSTANT
};

static int termios_exec(PyObject *module)
{
    for (size_t i = 0; i < Py_ARRAY_LENGTH(termios_constants); i++)
        if (PyModule_AddIntConstant(module, termios_constants[i].name, termios_constants[i].value) < 0)
            return -1;
    if (termios_error == NULL && (termios_error = PyErr_NewException("termios.error", NULL, NULL)) == NULL)
        return -1;
    return PyModule_AddObjectRef(module, "error", termios_error);
}

static PyModuleDef_Slot termios_slots[] = {
    {Py_mod_exec, (void *)termios_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef termios_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "termios",
    .m_doc = "The settings of terminals. The first argument of each function is a file descriptor or has a fileno() method.",
    .m_methods = termios_methods,
    .m_slots = termios_slots,
};

PyMODINIT_FUNC PyInit_termios(void)
{
    return PyModuleDef_Init(&termios_module);
}
