/* str.translate and str.maketrans. */
#include <Python.h>
#include "unicode.h"
#include "unicode_codec.h"
#include "unicode_methods.h"
#include "unicode_writer.h"

enum { TRANSLATE_FAILED = -1, TRANSLATE_SAME, TRANSLATE_DELETE, TRANSLATE_CHAR, TRANSLATE_STR };

/* What table says about ch; for CHAR *result, for STR *str (new reference). Escapes. */
static int look_up(PyObject *table, Py_UCS4 ch, Py_UCS4 *result, PyObject **str)
{
    PyObject *key = PyLong_FromLong((long)ch);
    PyObject *value = PyObject_GetItem(table, key);
    Py_DECREF(key);
    if (value == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_LookupError))
            return TRANSLATE_FAILED;
        PyErr_Clear();
        return TRANSLATE_SAME;
    }
    int answer = TRANSLATE_FAILED;
    if (value == Py_None)
        answer = TRANSLATE_DELETE;
    else if (PyLong_Check(value)) {
        int overflow;
        long code = PyLong_AsLongAndOverflow(value, &overflow);
        if (overflow != 0 || code < 0 || code > 0x10ffff)
            PyErr_SetString(PyExc_ValueError, "character mapping must be in range(0x110000)");
        else {
            *result = (Py_UCS4)code;
            answer = TRANSLATE_CHAR;
        }
    }
    else if (PyUnicode_Check(value)) {
        *str = value;
        return TRANSLATE_STR;
    }
    else
        PyErr_SetString(PyExc_TypeError, "character mapping must return integer, None or str");
    Py_DECREF(value);
    return answer;
}

/* A character that maps to None, when it may not just be dropped: asks the error handler. */
static Py_ssize_t untranslatable(PyObject *self, Py_ssize_t at, const char *errors, unicode_writer_t *w)
{
    static const char reason[] = "character maps to <undefined>";
    PyObject *exc = PyObject_CallFunction(PyExc_UnicodeTranslateError, "Onns", self, at, at + 1, reason);
    if (exc == NULL)
        return -1;
    Py_ssize_t next = -1;
    PyObject *handler = PyCodec_LookupError(errors), *answer = NULL;
    if (handler == NULL || (answer = PyObject_CallOneArg(handler, exc)) == NULL)
        goto done;
    if (!PyTuple_Check(answer) || PyTuple_GET_SIZE(answer) != 2 || !PyUnicode_Check(PyTuple_GET_ITEM(answer, 0))
        || !PyLong_Check(PyTuple_GET_ITEM(answer, 1))) {
        PyErr_SetString(PyExc_TypeError, "translating error handler must return (str, int) tuple");
        goto done;
    }
    Py_ssize_t position = PyLong_AsSsize_t(PyTuple_GET_ITEM(answer, 1)), n = PyUnicode_GET_LENGTH(self);
    if (position == -1 && PyErr_Occurred())
        goto done;
    if (position < 0)
        position += n;
    if (position < 0 || position > n)
        PyErr_Format(PyExc_IndexError, "position %zd from error handler out of bounds", position);
    else if (unicode_writer_write_str(w, PyTuple_GET_ITEM(answer, 0)) == 0)
        next = position;
done:
    Py_XDECREF(answer);
    Py_XDECREF(handler);
    Py_DECREF(exc);
    return next;
}

PyObject *PyUnicode_Translate(PyObject *self, PyObject *table, const char *errors)
{
    if (!PyUnicode_Check(self)) {
        PyErr_Format(PyExc_TypeError, "must be str, not %.100s", Py_TYPE(self)->tp_name);
        return NULL;
    }
    int ignore = errors != NULL && strcmp(errors, "ignore") == 0;
    int kind = PyUnicode_KIND(self);
    const void *data = PyUnicode_DATA(self);
    Py_ssize_t n = PyUnicode_GET_LENGTH(self);
    /* Answers for ASCII characters met before: 0 unknown, 1 the same, 2 deleted, else character + 3. */
    uint32_t known[128] = {0};
    unicode_writer_t w;
    unicode_writer_init_sized(&w, n);
    for (Py_ssize_t i = 0; i < n;) {
        Py_UCS4 ch = PyUnicode_READ(kind, data, i), result = 0;
        uint32_t before = ch < 128 ? known[ch] : 0;
        if (before != 0) {
            i++;
            if (before != 2 && unicode_writer_write_char(&w, before == 1 ? ch : before - 3) < 0)
                goto failed;
            continue;
        }
        PyObject *str = NULL;
        int rc = 0, answer = look_up(table, ch, &result, &str);
        switch (answer) {
        case TRANSLATE_SAME:
            rc = unicode_writer_write_char(&w, ch);
            before = 1;
            break;
        case TRANSLATE_CHAR:
            rc = unicode_writer_write_char(&w, result);
            before = result + 3;
            break;
        case TRANSLATE_STR:
            rc = unicode_writer_write_str(&w, str);
            Py_DECREF(str);
            break;
        case TRANSLATE_DELETE:
            before = 2;
            if (!ignore) {
                i = untranslatable(self, i, errors, &w);
                if (i < 0)
                    goto failed;
                continue;
            }
            break;
        default:
            goto failed;
        }
        if (rc < 0)
            goto failed;
        if (ch < 128)
            known[ch] = before;
        i++;
    }
    return unicode_writer_finish(&w);
failed:
    unicode_writer_dealloc(&w);
    return NULL;
}

PyObject *unicode_translate(PyObject *self, PyObject *table)
{
    return PyUnicode_Translate(self, table, "ignore");
}

/* ---- maketrans ---- */

static int add_pair(PyObject *table, Py_UCS4 ch, PyObject *value)
{
    PyObject *key = PyLong_FromLong((long)ch);
    int rc = key == NULL ? -1 : PyDict_SetItem(table, key, value);
    Py_XDECREF(key);
    return rc;
}

static int fill_from_strings(PyObject *table, PyObject *x, PyObject *y, PyObject *z)
{
    if (!PyUnicode_Check(x)) {
        PyErr_SetString(PyExc_TypeError, "first maketrans argument must be a string if there is a second argument");
        return -1;
    }
    if (PyUnicode_GET_LENGTH(x) != PyUnicode_GET_LENGTH(y)) {
        PyErr_SetString(PyExc_ValueError, "the first two maketrans arguments must have equal length");
        return -1;
    }
    for (Py_ssize_t i = 0; i < PyUnicode_GET_LENGTH(x); i++) {
        PyObject *value = PyLong_FromLong((long)PyUnicode_READ_CHAR(y, i));
        int rc = value == NULL ? -1 : add_pair(table, PyUnicode_READ_CHAR(x, i), value);
        Py_XDECREF(value);
        if (rc < 0)
            return -1;
    }
    for (Py_ssize_t i = 0; z != NULL && i < PyUnicode_GET_LENGTH(z); i++)
        if (add_pair(table, PyUnicode_READ_CHAR(z, i), Py_None) < 0)
            return -1;
    return 0;
}

static int fill_from_dict(PyObject *table, PyObject *dict)
{
    /* A copy, so that nobody changes it meanwhile. */
    PyObject *copy = PyDict_Copy(dict), *key, *value;
    Py_ssize_t pos = 0;
    int rc = copy == NULL ? -1 : 0;
    while (rc == 0 && PyDict_Next(copy, &pos, &key, &value)) {
        if (PyUnicode_Check(key)) {
            if (PyUnicode_GET_LENGTH(key) != 1) {
                PyErr_SetString(PyExc_ValueError, "string keys in translate table must be of length 1");
                rc = -1;
            }
            else
                rc = add_pair(table, PyUnicode_READ_CHAR(key, 0), value);
        }
        else if (PyLong_Check(key))
            rc = PyDict_SetItem(table, key, value);
        else {
            PyErr_SetString(PyExc_TypeError, "keys in translate table must be strings or integers");
            rc = -1;
        }
    }
    Py_XDECREF(copy);
    return rc;
}

PyObject *unicode_maketrans(PyObject *Py_UNUSED(self), PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("maketrans", nargs, 1, 3))
        return NULL;
    for (Py_ssize_t i = 1; i < nargs; i++) {
        if (!PyUnicode_Check(args[i])) {
            _PyArg_BadArgument("maketrans", i == 1 ? "argument 2" : "argument 3", "str", args[i]);
            return NULL;
        }
    }
    PyObject *table = PyDict_New();
    if (table == NULL)
        return NULL;
    int rc;
    if (nargs > 1)
        rc = fill_from_strings(table, args[0], args[1], nargs > 2 ? args[2] : NULL);
    else if (PyDict_CheckExact(args[0]))
        rc = fill_from_dict(table, args[0]);
    else {
        PyErr_SetString(PyExc_TypeError, "if you give only one argument to maketrans it must be a dict");
        rc = -1;
    }
    if (rc < 0)
        Py_CLEAR(table);
    return table;
}
