/* Strings under construction. */
#include "json_internal.h"

static int kind_of(Py_UCS4 maxchar)
{
    return maxchar < 0x100 ? PyUnicode_1BYTE_KIND : maxchar < 0x10000 ? PyUnicode_2BYTE_KIND : PyUnicode_4BYTE_KIND;
}

/* Copies n code points between buffers of any widths; the target is not narrower than the source's content. */
static void copy(int to_kind, void *to, Py_ssize_t to_start, int kind, const void *from, Py_ssize_t start, Py_ssize_t n)
{
    if (kind == to_kind) {
        memcpy((char *)to + to_start * kind, (const char *)from + start * kind, (size_t)(n * kind));
        return;
    }
    for (Py_ssize_t i = 0; i < n; i++)
        PyUnicode_WRITE(to_kind, to, to_start + i, PyUnicode_READ(kind, from, start + i));
}

int text_reserve(text_t *text, Py_ssize_t n, Py_UCS4 maxchar)
{
    int kind = kind_of(maxchar);
    if (kind < text->kind)
        kind = text->kind;
    if (kind == text->kind && text->size - text->length >= n)
        return 0;
    if (n > PY_SSIZE_T_MAX / 16 - text->length) {
        PyErr_NoMemory();
        return -1;
    }
    Py_ssize_t size = text->length + n;
    size += size / 2 + 64;
    void *data = kind == text->kind ? PyMem_Realloc(text->data, (size_t)(size * kind)) : PyMem_Malloc((size_t)(size * kind));
    if (data == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    if (kind != text->kind) {
        if (text->length > 0)
            copy(kind, data, 0, text->kind, text->data, 0, text->length);
        PyMem_Free(text->data);
    }
    text->data = data;
    text->size = size;
    text->kind = kind;
    return 0;
}

int text_add_ascii(text_t *text, const char *chars, Py_ssize_t n)
{
    if (text_reserve(text, n, 127) < 0)
        return -1;
    copy(text->kind, text->data, text->length, PyUnicode_1BYTE_KIND, chars, 0, n);
    text->length += n;
    return 0;
}

int text_add_slice(text_t *text, PyObject *str, Py_ssize_t start, Py_ssize_t end)
{
    if (start == end)
        return 0;
    if (text_reserve(text, end - start, PyUnicode_MAX_CHAR_VALUE(str)) < 0)
        return -1;
    copy(text->kind, text->data, text->length, PyUnicode_KIND(str), PyUnicode_DATA(str), start, end - start);
    text->length += end - start;
    return 0;
}

void text_free(text_t *text)
{
    PyMem_Free(text->data);
    *text = (text_t){0};
}

PyObject *text_finish(text_t *text)
{
    PyObject *result = text->length == 0 ? PyUnicode_New(0, 0)
                                         : PyUnicode_FromKindAndData(text->kind, text->data, text->length);
    text_free(text);
    return result;
}
