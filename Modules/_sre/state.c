/* Subjects: opening and closing a str or a buffer for matching, and cutting pieces from it. */
#include "sre.h"

#include <string.h>

int sre_subject(PyObject *string, const void **data, Py_ssize_t *length, int *kind, int *isbytes, Py_buffer *view)
{
    if (PyUnicode_Check(string)) {
        if (PyUnicode_READY(string) < 0)
            return -1;
        *data = PyUnicode_DATA(string);
        *length = PyUnicode_GET_LENGTH(string);
        *kind = (int)PyUnicode_KIND(string);
        *isbytes = 0;
        return 0;
    }
    if (PyBytes_CheckExact(string)) {
        *data = PyBytes_AS_STRING(string);
        *length = PyBytes_GET_SIZE(string);
    }
    else {
        if (PyObject_GetBuffer(string, view, PyBUF_SIMPLE) < 0) {
            PyErr_Format(PyExc_TypeError, "expected string or bytes-like object, got '%.200s'",
                         Py_TYPE(string)->tp_name);
            view->obj = NULL;
            return -1;
        }
        *data = view->buf;
        *length = view->len;
        if (*data == NULL && *length != 0) {
            PyErr_SetString(PyExc_ValueError, "Buffer is NULL");
            PyBuffer_Release(view);
            view->obj = NULL;
            return -1;
        }
        if (*data == NULL)
            *data = "";
    }
    *kind = 1;
    *isbytes = 1;
    return 0;
}

int sre_state_init(sre_state *st, const PatternObject *pattern, PyObject *string, Py_ssize_t pos, Py_ssize_t end)
{
    size_t marks = 2 * (size_t)pattern->groups;
    st->buffer.obj = NULL;
    if (sre_subject(string, &st->data, &st->length, &st->kind, &st->isbytes, &st->buffer) < 0)
        return -1;
    if (pattern->isbytes >= 0 && pattern->isbytes != st->isbytes) {
        PyErr_SetString(PyExc_TypeError, st->isbytes ? "cannot use a string pattern on a bytes-like object"
                                                     : "cannot use a bytes pattern on a string-like object");
        goto failed;
    }
    st->marks = st->small_marks;
    if (marks > SRE_SMALL_MARKS) {
        st->marks = PyMem_Malloc(marks * sizeof(Py_ssize_t));
        if (!st->marks) {
            PyErr_NoMemory();
            goto failed;
        }
    }
    if (pos < 0)
        pos = 0;
    else if (pos > st->length)
        pos = st->length;
    if (end < 0)
        end = 0;
    else if (end > st->length)
        end = st->length;
    st->pattern = pattern;
    st->string = Py_NewRef(string);
    st->pos = st->start = pos;
    st->end = end;
    st->ptr = -1;
    st->must_advance = -1;
    st->match_all = 0;
    st->dirty = 1;
    st->lastindex = -1;
    st->stack = st->small_stack;
    st->depth = 0;
    st->capacity = SRE_SMALL_STACK;
    st->records = st->small_records;
    st->used = 1;
    st->room = SRE_SMALL_RECORDS;
    st->fuel = SRE_FUEL;
    return 0;
failed:
    if (st->buffer.obj)
        PyBuffer_Release(&st->buffer);
    return -1;
}

void sre_state_fini(sre_state *st)
{
    if (st->buffer.obj)
        PyBuffer_Release(&st->buffer);
    if (st->marks != st->small_marks)
        PyMem_Free(st->marks);
    if (st->stack != st->small_stack)
        PyMem_Free(st->stack);
    if (st->records != st->small_records)
        PyMem_Free(st->records);
    Py_CLEAR(st->string);
}

void sre_state_advance(sre_state *st)
{
    st->must_advance = st->ptr == st->start ? st->ptr : -1;
    st->start = st->ptr;
}

PyObject *sre_slice(PyObject *string, const void *data, int isbytes, Py_ssize_t start, Py_ssize_t end)
{
    if (!isbytes)
        return PyUnicode_Substring(string, start, end);
    if (PyBytes_CheckExact(string) && start == 0 && end == PyBytes_GET_SIZE(string))
        return Py_NewRef(string);
    return PyBytes_FromStringAndSize((const char *)data + start, end - start);
}

PyObject *sre_state_group(sre_state *st, Py_ssize_t group, int empty)
{
    Py_ssize_t from = st->start, to = st->ptr;
    if (group > 0) {
        from = st->marks[2 * (group - 1)];
        to = st->marks[2 * (group - 1) + 1];
        if (from < 0 || to < from) {
            if (!empty)
                Py_RETURN_NONE;
            from = to = 0;
        }
    }
    return sre_slice(st->string, st->data, st->isbytes, from, to);
}
