/* The text of a report: pieces, margins of exception groups, writing. */
#include "display.h"

int display_init(display_t *d)
{
    *d = (display_t){.parts = PyList_New(0), .seen = PySet_New(NULL), .at_line_start = 1};
    return d->parts != NULL && d->seen != NULL ? 0 : -1;
}

void display_fini(display_t *d)
{
    Py_CLEAR(d->parts);
    Py_CLEAR(d->seen);
    Py_CLEAR(d->file_name);
    Py_CLEAR(d->file_text);
}

static int add(display_t *d, PyObject *text_steal)
{
    int status = text_steal != NULL ? PyList_Append(d->parts, text_steal) : -1;
    Py_XDECREF(text_steal);
    return status;
}

int display_write(display_t *d, PyObject *text)
{
    Py_ssize_t size = PyUnicode_GET_LENGTH(text), start = 0;
    if (size == 0)
        return 0;
    if (d->depth == 0) {
        d->at_line_start = PyUnicode_READ_CHAR(text, size - 1) == '\n';
        return PyList_Append(d->parts, text);
    }
    while (start < size) {
        Py_ssize_t end = PyUnicode_FindChar(text, '\n', start, size, 1);
        if (end == -2)
            return -1;
        end = end < 0 ? size : end + 1;
        if ((d->at_line_start && add(d, PyUnicode_FromFormat("%*s| ", 2 * d->depth, "")) < 0)
            || add(d, PyUnicode_Substring(text, start, end)) < 0)
            return -1;
        d->at_line_start = PyUnicode_READ_CHAR(text, end - 1) == '\n';
        start = end;
    }
    return 0;
}

int display_format(display_t *d, const char *format, ...)
{
    va_list va;
    va_start(va, format);
    PyObject *text = PyUnicode_FromFormatV(format, va);
    va_end(va);
    int status = text != NULL ? display_write(d, text) : -1;
    Py_XDECREF(text);
    return status;
}

int display_flush_to(display_t *d, PyObject *file)
{
    PyObject *empty = PyUnicode_FromString(""), *text = empty != NULL ? PyUnicode_Join(empty, d->parts) : NULL;
    int status = text != NULL ? PyFile_WriteObject(text, file, Py_PRINT_RAW) : -1;
    Py_XDECREF(text);
    Py_XDECREF(empty);
    if (status == 0)
        status = PyList_SetSlice(d->parts, 0, PyList_GET_SIZE(d->parts), NULL);
    return status;
}
