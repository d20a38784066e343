/* What modules that compute hashes with OpenSSL share: its errors, data to be hashed, digests as text. */
#ifndef BRAID_EVP_SUPPORT_H
#define BRAID_EVP_SUPPORT_H

#define PY_SSIZE_T_CLEAN
#include "module.h"
#include <openssl/err.h>
#include <openssl/evp.h>

/* Raises type with the last error of the library on this thread; NULL. */
static inline PyObject *evp_error(PyObject *type)
{
    unsigned long code = ERR_peek_last_error();
    const char *library = ERR_lib_error_string(code), *reason = ERR_reason_error_string(code);
    ERR_clear_error();
    if (ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE)
        return PyErr_NoMemory();
    if (code == 0 || reason == NULL)
        PyErr_SetString(type, "no reason supplied");
    else if (library == NULL)
        PyErr_SetString(type, reason);
    else
        PyErr_Format(type, "[%s] %s", library, reason);
    return NULL;
}

/* A buffer of bytes to be hashed. 0, or -1 with an exception. */
static inline int evp_get_buffer(PyObject *data, Py_buffer *view)
{
    if (PyUnicode_Check(data)) {
        PyErr_SetString(PyExc_TypeError, "Strings must be encoded before hashing");
        return -1;
    }
    if (!PyObject_CheckBuffer(data)) {
        PyErr_SetString(PyExc_TypeError, "object supporting the buffer API required");
        return -1;
    }
    if (PyObject_GetBuffer(data, view, PyBUF_SIMPLE) < 0)
        return -1;
    if (view->ndim > 1) {
        PyErr_SetString(PyExc_BufferError, "Buffer must be single dimension");
        PyBuffer_Release(view);
        return -1;
    }
    return 0;
}

static inline PyObject *evp_hexadecimal(const unsigned char *digest, Py_ssize_t size)
{
    static const char digits[] = "0123456789abcdef";
    PyObject *text = PyUnicode_New(2 * size, 127);
    if (text == NULL)
        return NULL;
    Py_UCS1 *at = PyUnicode_1BYTE_DATA(text);
    for (Py_ssize_t i = 0; i < size; i++) {
        at[2 * i] = (Py_UCS1)digits[digest[i] >> 4];
        at[2 * i + 1] = (Py_UCS1)digits[digest[i] & 15];
    }
    return text;
}

#endif /* BRAID_EVP_SUPPORT_H */
