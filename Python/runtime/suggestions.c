/* "Did you mean": the name closest to one that was not found. */
#include "display.h"

#define MAX_CANDIDATES 750
#define MAX_LENGTH 40           /* of names, in bytes */
#define EDIT_COST 2             /* a character put in, left out or exchanged */
#define CASE_COST 1             /* exchanged for the other case */

static int substitution_cost(char a, char b)
{
    if (a == b)
        return 0;
    char x = (char)(a >= 'A' && a <= 'Z' ? a | 0x20 : a), y = (char)(b >= 'A' && b <= 'Z' ? b | 0x20 : b);
    return x == y ? CASE_COST : EDIT_COST;
}

/* Levenshtein's distance with the costs above, or something above `limit` if it is more than that. */
static Py_ssize_t distance(const char *a, Py_ssize_t m, const char *b, Py_ssize_t n, Py_ssize_t limit)
{
    Py_ssize_t row[MAX_LENGTH + 1];
    if (m == n && memcmp(a, b, (size_t)m) == 0)
        return 0;
    for (; m > 0 && n > 0 && *a == *b; a++, b++, m--, n--)
        ;
    for (; m > 0 && n > 0 && a[m - 1] == b[n - 1]; m--, n--)
        ;
    if (m > MAX_LENGTH || n > MAX_LENGTH || (m > n ? m - n : n - m) * EDIT_COST > limit)
        return limit + 1;
    for (Py_ssize_t i = 0; i <= m; i++)
        row[i] = i * EDIT_COST;
    for (Py_ssize_t j = 1; j <= n; j++) {
        Py_ssize_t diagonal = row[0], best = row[0] = j * EDIT_COST;
        for (Py_ssize_t i = 1; i <= m; i++) {
            Py_ssize_t cost = diagonal + substitution_cost(a[i - 1], b[j - 1]);
            diagonal = row[i];
            row[i] = Py_MIN(cost, Py_MIN(row[i], row[i - 1]) + EDIT_COST);
            best = Py_MIN(best, row[i]);
        }
        if (best > limit)
            return limit + 1;
    }
    return row[m];
}

/* The closest of a list of names: a new reference, or NULL. Clears exceptions. */
static PyObject *closest(PyObject *names, PyObject *name)
{
    Py_ssize_t n, size, count = PyList_GET_SIZE(names), best = PY_SSIZE_T_MAX;
    PyObject *found = NULL;
    const char *wanted = PyUnicode_AsUTF8AndSize(name, &n);
    if (wanted == NULL || count > MAX_CANDIDATES || n > MAX_LENGTH) {
        PyErr_Clear();
        return NULL;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *candidate = PyList_GET_ITEM(names, i);
        const char *text = PyUnicode_Check(candidate) ? PyUnicode_AsUTF8AndSize(candidate, &size) : NULL;
        if (text == NULL) {
            PyErr_Clear();
            continue;
        }
        if (size == n && memcmp(text, wanted, (size_t)n) == 0)
            continue;
        /* no more than a third of the characters involved may change */
        Py_ssize_t limit = Py_MIN((n + size + 3) * EDIT_COST / 6, best - 1);
        Py_ssize_t changes = distance(wanted, n, text, size, limit);
        if (changes > limit)
            continue;
        best = changes;
        found = candidate;
    }
    return Py_XNewRef(found);
}

static PyObject *closest_in(PyObject *container, PyObject *name)
{
    PyObject *names = container != NULL ? PySequence_List(container) : NULL, *found = NULL;
    if (names != NULL)
        found = closest(names, name);
    PyErr_Clear();
    Py_XDECREF(names);
    return found;
}

/* ---- Where the names come from ---- */

static PyObject *for_attribute_error(PyObject *exception)
{
    PyObject *name = PyObject_GetAttrString(exception, "name"), *obj = PyObject_GetAttrString(exception, "obj"), *found = NULL;
    if (name != NULL && obj != NULL && PyUnicode_CheckExact(name) && obj != Py_None) {
        PyObject *names = PyObject_Dir(obj);
        found = closest_in(names, name);
        Py_XDECREF(names);
    }
    PyErr_Clear();
    Py_XDECREF(name);
    Py_XDECREF(obj);
    return found;
}

/* The frame where the exception was raised: a new reference, or NULL. */
static PyFrameObject *innermost_frame(PyObject *exception)
{
    PyObject *tb = PyException_GetTraceback(exception), *next;
    PyFrameObject *frame = NULL;
    while (tb != NULL && PyTraceBack_Check(tb)) {
        Py_XSETREF(frame, (PyFrameObject *)Py_NewRef((PyObject *)((PyTracebackObject *)tb)->tb_frame));
        next = PyObject_GetAttrString(tb, "tb_next");
        Py_SETREF(tb, next);
    }
    PyErr_Clear();
    Py_XDECREF(tb);
    return frame;
}

static PyObject *for_name_error(PyObject *exception)
{
    PyObject *name = PyObject_GetAttrString(exception, "name"), *found = NULL;
    PyFrameObject *frame = name != NULL && PyUnicode_CheckExact(name) ? innermost_frame(exception) : NULL;
    PyErr_Clear();
    if (frame != NULL) {
        PyCodeObject *code = PyFrame_GetCode(frame);
        PyObject *locals = PyCode_GetVarnames(code), *globals = PyFrame_GetGlobals(frame), *builtins = PyFrame_GetBuiltins(frame);
        found = closest_in(locals, name);
        if (found == NULL)
            found = closest_in(globals, name);
        if (found == NULL)
            found = closest_in(builtins, name);
        Py_XDECREF(locals);
        Py_XDECREF(globals);
        Py_XDECREF(builtins);
        Py_DECREF((PyObject *)code);
        Py_DECREF((PyObject *)frame);
    }
    Py_XDECREF(name);
    return found;
}

PyObject *suggestion_for(PyObject *exception)
{
    if (Py_IS_TYPE(exception, (PyTypeObject *)PyExc_AttributeError))
        return for_attribute_error(exception);
    if (Py_IS_TYPE(exception, (PyTypeObject *)PyExc_NameError))
        return for_name_error(exception);
    return NULL;
}
