/* What the files of the _json module share. */
#ifndef BRAID_JSON_INTERNAL_H
#define BRAID_JSON_INTERNAL_H

#include "internal/module.h"

/* ---- text.c: a string under construction ----
 * The buffer holds code points of one width, which grows when a wider one comes. {0} is empty; belongs to one thread. */
typedef struct {
    void *data;
    Py_ssize_t length, size;    /* code points */
    int kind;                   /* PyUnicode_*_KIND; 0: nothing yet */
} text_t;

/* Makes room for n more code points up to maxchar. 0, or -1 with MemoryError. */
int text_reserve(text_t *text, Py_ssize_t n, Py_UCS4 maxchar);
/* 0 or -1 */
int text_add_ascii(text_t *text, const char *chars, Py_ssize_t n);
int text_add_slice(text_t *text, PyObject *str, Py_ssize_t start, Py_ssize_t end);
static inline int text_add_str(text_t *text, PyObject *str)
{
    return text_add_slice(text, str, 0, PyUnicode_GET_LENGTH(str));
}
/* Room must have been reserved. */
static inline void text_put(text_t *text, Py_UCS4 c) { PyUnicode_WRITE(text->kind, text->data, text->length++, c); }
/* The content as a new str, or NULL; the text is empty and without memory afterwards. */
PyObject *text_finish(text_t *text);
void text_free(text_t *text);

/* ---- strings.c ---- */

/* Raises json.JSONDecodeError(message, document, position). Always returns NULL. */
PyObject *json_decode_error(const char *message, PyObject *document, Py_ssize_t position);
/* The string whose first character is at start, behind the quote; *end: behind the closing one. */
PyObject *json_scan_string(PyObject *document, Py_ssize_t start, int strict, Py_ssize_t *end);
/* Appends the quoted form of a str. 0 or -1. */
int json_quote(text_t *text, PyObject *str, int ascii);

PyObject *json_scanstring(PyObject *module, PyObject *args);
PyObject *json_encode_basestring(PyObject *module, PyObject *arg);
PyObject *json_encode_basestring_ascii(PyObject *module, PyObject *arg);

/* ---- scanner.c, encoder.c ---- */

extern PyTypeObject json_scanner_type, json_encoder_type;

#endif /* BRAID_JSON_INTERNAL_H */
