/* Encodings that expat does not know and Python does, for modules on expat: those of one byte per character.
 */
#ifndef BRAID_EXPAT_ENCODING_H
#define BRAID_EXPAT_ENCODING_H

#include "Python.h"

#include <expat.h>

/* Expat's callback for such encodings. */
static inline int expat_unknown_encoding(void *data, const XML_Char *encoding, XML_Encoding *info)
{
    char all[256];
    if (PyErr_Occurred())
        return XML_STATUS_ERROR;
    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    PyObject *decoded = PyUnicode_Decode(all, 256, encoding, "replace");
    if (decoded == NULL)
        return XML_STATUS_ERROR;
    int fits = PyUnicode_GET_LENGTH(decoded) == 256;
    for (int i = 0; fits && i < 256; i++) {
        Py_UCS4 c = PyUnicode_READ_CHAR(decoded, i);
        info->map[i] = c == Py_UNICODE_REPLACEMENT_CHARACTER ? -1 : (int)c;
    }
    Py_DECREF(decoded);
    if (!fits) {
        PyErr_SetString(PyExc_ValueError, "multi-byte encodings are not supported");
        return XML_STATUS_ERROR;
    }
    info->data = NULL;
    info->convert = NULL;
    info->release = NULL;
    return XML_STATUS_OK;
}

#endif /* BRAID_EXPAT_ENCODING_H */
