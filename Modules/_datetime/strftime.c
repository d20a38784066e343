/* strftime: the fields that time.strftime does not know are filled in first. */
#include "datetime_internal.h"

/* +HHMM for %z, made at its first use. A new bytes object. */
static PyObject *offset_text(PyObject *tzinfo, PyObject *arg)
{
    char buf[64];
    if (tzinfo == Py_None)
        return PyBytes_FromString("");
    int n = format_offset(buf, "", tzinfo, arg);
    return n < 0 ? NULL : PyBytes_FromStringAndSize(buf, n);
}

/* The name for %Z, with percent signs doubled. */
static PyObject *name_text(PyObject *tzinfo, PyObject *arg)
{
    PyObject *name, *doubled, *result;
    if (tzinfo == Py_None)
        return PyBytes_FromString("");
    name = call_tzname(tzinfo, arg);
    if (name == NULL || name == Py_None)
        return name == NULL ? NULL : PyBytes_FromString("");
    doubled = PyObject_CallMethod(name, "replace", "ss", "%", "%%");
    Py_DECREF(name);
    if (doubled == NULL)
        return NULL;
    if (!PyUnicode_Check(doubled)) {
        PyErr_SetString(PyExc_TypeError, "tzname.replace() did not return a string");
        Py_DECREF(doubled);
        return NULL;
    }
    result = PyUnicode_AsUTF8String(doubled);
    Py_DECREF(doubled);
    return result;
}

typedef struct { char *data; size_t used, size; } text_t;

static int add(text_t *t, const char *data, size_t n)
{
    if (t->size - t->used < n) {
        size_t size = (t->used + n) * 2 + 64;
        char *grown = PyMem_Realloc(t->data, size);
        if (grown == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        t->data = grown;
        t->size = size;
    }
    memcpy(t->data + t->used, data, n);
    t->used += n;
    return 0;
}

static int add_bytes_steal(text_t *t, PyObject *bytes)
{
    if (bytes == NULL)
        return -1;
    int failed = add(t, PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes));
    Py_DECREF(bytes);
    return failed;
}

/* The format with our fields replaced. */
static int replace_fields(text_t *t, const char *p, const char *end, PyObject *self, PyObject *tzinfoarg, int us)
{
    PyObject *tzinfo = time_check(self)       ? PyDateTime_TIME_GET_TZINFO(self)
                       : datetime_check(self) ? PyDateTime_DATE_GET_TZINFO(self)
                                              : Py_None;
    char buf[16];
    while (p < end) {
        const char *percent = memchr(p, '%', (size_t)(end - p));
        if (percent == NULL || percent + 1 == end)
            return add(t, p, (size_t)(end - p));
        if (add(t, p, (size_t)(percent - p)) < 0)
            return -1;
        int failed;
        switch (percent[1]) {
        case 'z':
            failed = add_bytes_steal(t, offset_text(tzinfo, tzinfoarg));
            break;
        case 'Z':
            failed = add_bytes_steal(t, name_text(tzinfo, tzinfoarg));
            break;
        case 'f':
            failed = add(t, buf, (size_t)sprintf(buf, "%06d", us));
            break;
        default:
            failed = add(t, percent, 2);
        }
        if (failed < 0)
            return -1;
        p = percent + 2;
    }
    return 0;
}

PyObject *wrap_strftime(PyObject *self, PyObject *format, PyObject *timetuple, PyObject *tzinfoarg, int us)
{
    Py_ssize_t n;
    text_t text = {NULL, 0, 0};
    PyObject *result = NULL, *strftime_ = NULL, *new_format = NULL;
    const char *data = PyUnicode_AsUTF8AndSize(format, &n);
    if (data == NULL)
        return NULL;
    if (replace_fields(&text, data, data + n, self, tzinfoarg, us) == 0
        && (new_format = PyUnicode_FromStringAndSize(text.data, (Py_ssize_t)text.used)) != NULL
        && (strftime_ = _PyImport_GetModuleAttrString("time", "strftime")) != NULL)
        result = PyObject_CallFunctionObjArgs(strftime_, new_format, timetuple, NULL);
    Py_XDECREF(strftime_);
    Py_XDECREF(new_format);
    PyMem_Free(text.data);
    return result;
}
