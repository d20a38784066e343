/* What a character or a text of Python is to the library. */
#include "curses_internal.h"

static int expect_character(PyObject *object)
{
    if (PyUnicode_Check(object))
        PyErr_Format(PyExc_TypeError, "expect bytes or str of length 1, or int, got a str of length %zd",
                     PyUnicode_GET_LENGTH(object));
    else
        PyErr_Format(PyExc_TypeError, "expect bytes or str of length 1, or int, got %s", Py_TYPE(object)->tp_name);
    return 0;
}

/* A chtype in a C type of its own width: 1, or 0 with an exception. */
static int from_int(PyObject *object, chtype *result)
{
    int overflow;
    long value = PyLong_AsLongAndOverflow(object, &overflow);
    if (value == -1 && overflow == 0 && PyErr_Occurred())
        return 0;
    if (overflow != 0) {
        PyErr_SetString(PyExc_OverflowError, "int doesn't fit in long");
        return 0;
    }
    *result = (chtype)value;
    if ((long)*result == value)
        return 1;
    PyErr_SetString(PyExc_OverflowError, "byte doesn't fit in chtype");
    return 0;
}

/* A str of one character as one byte of the encoding, or what the character's number is if it is below 128. */
static int from_str(window_t *window, PyObject *object, chtype *result)
{
    if (PyUnicode_GET_LENGTH(object) != 1)
        return expect_character(object);
    Py_UCS4 c = PyUnicode_READ_CHAR(object, 0);
    *result = c;
    if (c <= 128)
        return 1;
    PyObject *encoding = window != NULL ? curses_window_encoding(window) : NULL;
    PyObject *bytes = PyUnicode_AsEncodedString(object, encoding != NULL ? PyUnicode_AsUTF8(encoding) : NULL, NULL);
    Py_XDECREF(encoding);
    if (bytes == NULL)
        return 0;
    int fits = PyBytes_GET_SIZE(bytes) == 1;
    if (fits)
        *result = (unsigned char)PyBytes_AS_STRING(bytes)[0];
    else
        PyErr_SetString(PyExc_OverflowError, "byte doesn't fit in chtype");
    Py_DECREF(bytes);
    return fits;
}

int curses_convert_byte(window_t *window, PyObject *object, chtype *result)
{
    if (PyBytes_Check(object) && PyBytes_GET_SIZE(object) == 1) {
        *result = (unsigned char)PyBytes_AS_STRING(object)[0];
        return 1;
    }
    if (PyUnicode_Check(object))
        return from_str(window, object, result);
    if (!PyLong_CheckExact(object))
        return expect_character(object);
    int overflow;
    long value = PyLong_AsLongAndOverflow(object, &overflow);
    if (value == -1 && overflow == 0 && PyErr_Occurred())
        return 0;
    *result = (chtype)value;
    if (overflow == 0 && (long)*result == value)
        return 1;
    PyErr_SetString(PyExc_OverflowError, "byte doesn't fit in chtype");
    return 0;
}

int curses_convert_char(PyObject *object, chtype *byte, wchar_t wide[2])
{
    if (PyUnicode_Check(object)) {
        if (PyUnicode_AsWideChar(object, wide, 2) != 1)
            return expect_character(object);
        wide[1] = L'\0';
        return 2;
    }
    if (PyBytes_Check(object) && PyBytes_GET_SIZE(object) == 1) {
        *byte = (unsigned char)PyBytes_AS_STRING(object)[0];
        return 1;
    }
    return PyLong_CheckExact(object) ? from_int(object, byte) : expect_character(object);
}

int curses_text_bind(PyObject *object, curses_text_t *text)
{
    *text = (curses_text_t){0};
    if (PyUnicode_Check(object)) {
        text->wide = PyUnicode_AsWideCharString(object, NULL);
        return text->wide != NULL ? 0 : -1;
    }
    if (!PyBytes_Check(object)) {
        PyErr_Format(PyExc_TypeError, "expect bytes or str, got %s", Py_TYPE(object)->tp_name);
        return -1;
    }
    char *data;
    if (PyBytes_AsStringAndSize(object, &data, NULL) < 0)       /* refuses embedded NULs */
        return -1;
    text->bytes = Py_NewRef(object);
    return 0;
}

void curses_text_release(curses_text_t *text)
{
    PyMem_Free(text->wide);
    Py_CLEAR(text->bytes);
}
