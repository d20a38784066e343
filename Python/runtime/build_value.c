/* Py_BuildValue: Python values from a format string and C values. */
#include "Python.h"

typedef struct {
    const char *format;
    va_list va;
} Builder;

static PyObject *build_one(Builder *b);

static int is_end(char c, char close)
{
    return c == close || (close == '\0' && c == '\0');
}

/* Units up to the closing character; -1 with SystemError if it is missing. */
static Py_ssize_t count_units(const char *f, char close)
{
    Py_ssize_t n = 0;
    int level = 0;
    for (; level > 0 || *f != close; f++) {
        switch (*f) {
        case '\0':
            PyErr_SetString(PyExc_SystemError, "unmatched paren in format");
            return -1;
        case '(': case '[': case '{':
            if (level++ == 0)
                n++;
            break;
        case ')': case ']': case '}':
            level--;
            break;
        case '#': case '&': case ',': case ':': case ' ': case '\t':
            break;
        default:
            if (level == 0)
                n++;
        }
    }
    return n;
}

static int skip_close(Builder *b, char close)
{
    if (is_end(*b->format, close)) {
        if (close != '\0')
            b->format++;
        return 0;
    }
    PyErr_SetString(PyExc_SystemError, "Unmatched paren in format");
    return -1;
}

/* Builds n values into out. After a failure the others are still taken from the arguments, because 'N' hands over
 * references; they are dropped, and the first exception stays. */
static int build_many(Builder *b, PyObject **out, Py_ssize_t n)
{
    PyObject *type = NULL, *value = NULL, *traceback = NULL;
    int failed = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        if (failed)
            PyErr_Fetch(&type, &value, &traceback);
        out[i] = build_one(b);
        if (failed)
            PyErr_Restore(type, value, traceback);
        else
            failed = out[i] == NULL;
    }
    if (!failed)
        return 0;
    for (Py_ssize_t i = 0; i < n; i++)
        Py_XDECREF(out[i]);
    return -1;
}

#define SMALL 8

static PyObject *build_container(Builder *b, char close, char kind)
{
    PyObject *small[SMALL], **items = small, *result = NULL;
    Py_ssize_t n = count_units(b->format, close);
    if (n < 0)
        return NULL;
    if (n > SMALL) {
        items = PyMem_Malloc((size_t)n * sizeof(PyObject *));
        if (items == NULL)
            return PyErr_NoMemory();
    }
    if (build_many(b, items, n) < 0)
        goto done;
    if (skip_close(b, close) == 0) {
        if (kind == '(')
            result = PyTuple_New(n);
        else if (kind == '[')
            result = PyList_New(n);
        else if (n % 2 != 0)
            PyErr_SetString(PyExc_SystemError, "Bad dict format");
        else
            result = PyDict_New();
    }
    if (result != NULL && kind == '{') {
        for (Py_ssize_t i = 0; i < n && result != NULL; i += 2)
            if (PyDict_SetItem(result, items[i], items[i + 1]) < 0)
                Py_CLEAR(result);
    }
    else if (result != NULL) {
        for (Py_ssize_t i = 0; i < n; i++) {
            if (kind == '(')
                PyTuple_SET_ITEM(result, i, items[i]);
            else
                PyList_SET_ITEM(result, i, items[i]);
        }
        goto done;          /* the items have moved */
    }
    for (Py_ssize_t i = 0; i < n; i++)
        Py_DECREF(items[i]);
done:
    if (items != small)
        PyMem_Free(items);
    return result;
}

static PyObject *build_dict(Builder *b)
{
    return build_container(b, '}', '{');
}

/* s z U y, with an optional '#'. */
static PyObject *build_text(Builder *b, char c)
{
    const char *text = va_arg(b->va, const char *);
    Py_ssize_t n = -1;
    if (*b->format == '#') {
        b->format++;
        n = va_arg(b->va, Py_ssize_t);
    }
    if (text == NULL)
        Py_RETURN_NONE;
    if (n < 0) {
        size_t length = strlen(text);
        if (length > PY_SSIZE_T_MAX) {
            PyErr_SetString(PyExc_OverflowError,
                            c == 'y' ? "string too long for Python bytes" : "string too long for Python string");
            return NULL;
        }
        n = (Py_ssize_t)length;
    }
    return c == 'y' ? PyBytes_FromStringAndSize(text, n) : PyUnicode_FromStringAndSize(text, n);
}

static PyObject *build_wide(Builder *b)
{
    const wchar_t *text = va_arg(b->va, const wchar_t *);
    Py_ssize_t n = -1;
    if (*b->format == '#') {
        b->format++;
        n = va_arg(b->va, Py_ssize_t);
    }
    if (text == NULL)
        Py_RETURN_NONE;
    return PyUnicode_FromWideChar(text, n);
}

/* O S N: an object; O and S take a new reference, N takes the caller's. O& calls a converter. */
static PyObject *build_object(Builder *b, char c)
{
    if (*b->format == '&') {
        PyObject *(*converter)(void *) = va_arg(b->va, PyObject * (*)(void *));
        void *arg = va_arg(b->va, void *);
        b->format++;
        return converter(arg);
    }
    PyObject *op = va_arg(b->va, PyObject *);
    if (op != NULL)
        return c == 'N' ? op : Py_NewRef(op);
    if (!PyErr_Occurred())
        PyErr_SetString(PyExc_SystemError, "NULL object passed to Py_BuildValue");
    return NULL;
}

static PyObject *build_one(Builder *b)
{
    for (;;) {
        char c = *b->format++;
        switch (c) {
        case '(':
            return build_container(b, ')', '(');
        case '[':
            return build_container(b, ']', '[');
        case '{':
            return build_dict(b);
        case 'b': case 'B': case 'h': case 'i':
            return PyLong_FromLong(va_arg(b->va, int));
        case 'H':
            return PyLong_FromLong(va_arg(b->va, unsigned int));
        case 'I':
            return PyLong_FromUnsignedLong(va_arg(b->va, unsigned int));
        case 'n':
            return PyLong_FromSsize_t(va_arg(b->va, Py_ssize_t));
        case 'l':
            return PyLong_FromLong(va_arg(b->va, long));
        case 'k':
            return PyLong_FromUnsignedLong(va_arg(b->va, unsigned long));
        case 'L':
            return PyLong_FromLongLong(va_arg(b->va, long long));
        case 'K':
            return PyLong_FromUnsignedLongLong(va_arg(b->va, unsigned long long));
        case 'f': case 'd':
            return PyFloat_FromDouble(va_arg(b->va, double));
        case 'D': {
            Py_complex *z = va_arg(b->va, Py_complex *);
            return PyComplex_FromCComplex(*z);
        }
        case 'c': {
            char byte = (char)va_arg(b->va, int);
            return PyBytes_FromStringAndSize(&byte, 1);
        }
        case 'C':
            return PyUnicode_FromOrdinal(va_arg(b->va, int));
        case 's': case 'z': case 'U': case 'y':
            return build_text(b, c);
        case 'u':
            return build_wide(b);
        case 'N': case 'S': case 'O':
            return build_object(b, c);
        case ':': case ',': case ' ': case '\t':
            break;
        default:
            PyErr_SetString(PyExc_SystemError, "bad format char passed to Py_BuildValue");
            return NULL;
        }
    }
}

PyObject *Py_VaBuildValue(const char *format, va_list va)
{
    Py_ssize_t n = count_units(format, '\0');
    PyObject *result;
    if (n < 0)
        return NULL;
    if (n == 0)
        Py_RETURN_NONE;
    Builder b = {.format = format};
    va_copy(b.va, va);
    result = n == 1 ? build_one(&b) : build_container(&b, '\0', '(');
    va_end(b.va);
    return result;
}

PyObject *Py_BuildValue(const char *format, ...)
{
    va_list va;
    va_start(va, format);
    PyObject *result = Py_VaBuildValue(format, va);
    va_end(va);
    return result;
}

PyObject **_Py_VaBuildStack(PyObject **small_stack, Py_ssize_t small_stack_len, const char *format, va_list va,
                            Py_ssize_t *nargs)
{
    Py_ssize_t n = count_units(format, '\0');
    *nargs = 0;
    if (n < 0)
        return NULL;
    PyObject **stack = small_stack;
    if (n > small_stack_len) {
        stack = PyMem_Malloc((size_t)n * sizeof(PyObject *));
        if (stack == NULL) {
            PyErr_NoMemory();
            return NULL;
        }
    }
    Builder b = {.format = format};
    va_copy(b.va, va);
    int failed = build_many(&b, stack, n) < 0;
    va_end(b.va);
    if (failed) {
        if (stack != small_stack)
            PyMem_Free(stack);
        return NULL;
    }
    *nargs = n;
    return stack;
}
