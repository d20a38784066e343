/* The binascii module: between binary data and its forms in ASCII: base64, hex, uuencode, quoted-printable; checksums. */
#define PY_SSIZE_T_CLEAN
#include "Python.h"

#define FUNCTION(f) ((PyCFunction)(void (*)(void))(f))

typedef struct {
    PyObject *error, *incomplete;
    uint32_t crc_table[256];    /* [const] */
} state_t;

static state_t *state_of(PyObject *module)
{
    return (state_t *)PyModule_GetState(module);
}

/* ---- Arguments and results ---- */

/* Bytes or ASCII text ("O&" converter). */
static int ascii_buffer(PyObject *arg, Py_buffer *view)
{
    if (arg == NULL) {
        PyBuffer_Release(view);
        return 1;
    }
    if (PyUnicode_Check(arg)) {
        if (!PyUnicode_IS_ASCII(arg)) {
            PyErr_SetString(PyExc_ValueError, "string argument should contain only ASCII characters");
            return 0;
        }
        view->buf = (void *)PyUnicode_1BYTE_DATA(arg);
        view->len = PyUnicode_GET_LENGTH(arg);
        view->obj = NULL;
        return 1;
    }
    if (PyObject_GetBuffer(arg, view, PyBUF_SIMPLE) != 0) {
        PyErr_Format(PyExc_TypeError, "argument should be bytes, buffer or ASCII string, not '%.100s'",
                     Py_TYPE(arg)->tp_name);
        return 0;
    }
    return Py_CLEANUP_SUPPORTED;
}

/* A growing result. */
typedef struct { unsigned char *data; Py_ssize_t used, size; } output_t;

static int output_init(output_t *out, Py_ssize_t size)
{
    out->used = 0;
    out->size = size < 16 ? 16 : size;
    out->data = PyMem_Malloc((size_t)out->size);
    if (out->data != NULL)
        return 0;
    PyErr_NoMemory();
    return -1;
}

static int put(output_t *out, int c)
{
    if (out->used == out->size) {
        unsigned char *grown = out->size > PY_SSIZE_T_MAX / 2 ? NULL : PyMem_Realloc(out->data, (size_t)out->size * 2);
        if (grown == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        out->data = grown;
        out->size *= 2;
    }
    out->data[out->used++] = (unsigned char)c;
    return 0;
}

/* The result as bytes (failed: NULL); frees the memory. */
static PyObject *finish(output_t *out, int failed)
{
    PyObject *result = failed ? NULL : PyBytes_FromStringAndSize((char *)out->data, out->used);
    PyMem_Free(out->data);
    return result;
}

/* ---- base64 ---- */

static const char base64_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Value of each character, or 64. */
static void base64_table(unsigned char *table)
{
    memset(table, 64, 256);
    for (int i = 0; i < 64; i++)
        table[(unsigned char)base64_alphabet[i]] = (unsigned char)i;
}

static int base64_decode(state_t *state, const unsigned char *p, Py_ssize_t n, int strict, output_t *out)
{
    unsigned char table[256];
    unsigned int bits = 0;
    int quad = 0, pads = 0, padding_started = 0;
    base64_table(table);
    if (strict && n > 0 && p[0] == '=') {
        PyErr_SetString(state->error, "Leading padding not allowed");
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        unsigned char c = p[i];
        if (c == '=') {
            padding_started = 1;
            if (strict && quad == 0) {
                PyErr_SetString(state->error, "Excess data after padding");
                return -1;
            }
            if (quad >= 2 && quad + ++pads >= 4) {
                /* a whole quad: data after it is left alone */
                if (strict && i + 1 < n) {
                    PyErr_SetString(state->error, "Excess data after padding");
                    return -1;
                }
                return 0;
            }
            continue;
        }
        if (table[c] >= 64) {
            if (strict) {
                PyErr_SetString(state->error, "Only base64 data is allowed");
                return -1;
            }
            continue;
        }
        if (strict && padding_started) {
            PyErr_SetString(state->error, "Discontinuous padding not allowed");
            return -1;
        }
        pads = 0;
        bits = bits << 6 | table[c];
        quad = (quad + 1) & 3;
        if (quad != 1 && put(out, (int)(bits >> (quad == 2 ? 4 : quad == 3 ? 2 : 0)) & 0xff) < 0)
            return -1;
    }
    if (quad == 0)
        return 0;
    if (quad == 1)
        PyErr_Format(state->error,
                     "Invalid base64-encoded string: number of data characters (%zd) cannot be 1 more than a multiple of 4",
                     out->used / 3 * 4 + 1);
    else
        PyErr_SetString(state->error, "Incorrect padding");
    return -1;
}

static PyObject *a2b_base64(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"", "strict_mode", NULL};
    Py_buffer data = {.obj = NULL};
    int strict = 0;
    output_t out;
    PyObject *result = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O&|$i:a2b_base64", keywords, ascii_buffer, &data, &strict))
        return NULL;
    if (output_init(&out, data.len / 4 * 3 + 4) == 0)
        result = finish(&out, base64_decode(state_of(module), data.buf, data.len, strict, &out));
    PyBuffer_Release(&data);
    return result;
}

static PyObject *b2a_base64(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"", "newline", NULL};
    Py_buffer data;
    int newline = 1;
    PyObject *result = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "y*|$i:b2a_base64", keywords, &data, &newline))
        return NULL;
    Py_ssize_t n = data.len;
    if (n > PY_SSIZE_T_MAX / 2 - 3) {
        PyErr_SetString(state_of(module)->error, "Too much data for base64 line");
        goto done;
    }
    result = PyBytes_FromStringAndSize(NULL, (n + 2) / 3 * 4 + (newline != 0));
    if (result == NULL || PyBytes_GET_SIZE(result) == 0)
        goto done;
    const unsigned char *p = data.buf;
    char *q = PyBytes_AS_STRING(result);
    for (; n > 0; p += 3, n -= 3) {
        unsigned int bits = (unsigned int)p[0] << 16 | (n > 1 ? (unsigned int)p[1] << 8 : 0) | (n > 2 ? p[2] : 0);
        *q++ = base64_alphabet[bits >> 18];
        *q++ = base64_alphabet[bits >> 12 & 63];
        *q++ = n > 1 ? base64_alphabet[bits >> 6 & 63] : '=';
        *q++ = n > 2 ? base64_alphabet[bits & 63] : '=';
    }
    if (newline)
        *q = '\n';
done:
    PyBuffer_Release(&data);
    return result;
}

/* ---- hex ---- */

static int hex_digit(int c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static PyObject *a2b_hex(PyObject *module, PyObject *args)
{
    Py_buffer data = {.obj = NULL};
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(args, "O&:a2b_hex", ascii_buffer, &data))
        return NULL;
    if (data.len % 2 != 0) {
        PyErr_SetString(state_of(module)->error, "Odd-length string");
        goto done;
    }
    result = PyBytes_FromStringAndSize(NULL, data.len / 2);
    const unsigned char *p = data.buf;
    for (Py_ssize_t i = 0; result != NULL && i < data.len / 2; i++) {
        int high = hex_digit(p[2 * i]), low = hex_digit(p[2 * i + 1]);
        if (high < 0 || low < 0) {
            PyErr_SetString(state_of(module)->error, "Non-hexadecimal digit found");
            Py_CLEAR(result);
        }
        else
            PyBytes_AS_STRING(result)[i] = (char)(high << 4 | low);
    }
done:
    PyBuffer_Release(&data);
    return result;
}

/* bytes.hex does the work, with its arguments and errors. */
static PyObject *b2a_hex(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"data", "sep", "bytes_per_sep", NULL};
    PyObject *data, *sep = NULL, *bytes, *text = NULL, *result = NULL;
    Py_buffer view;
    int group = 1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|Oi:b2a_hex", keywords, &data, &sep, &group))
        return NULL;
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0)
        return NULL;
    bytes = PyBytes_FromStringAndSize(view.buf, view.len);
    PyBuffer_Release(&view);
    if (bytes == NULL)
        return NULL;
    text = sep == NULL ? PyObject_CallMethod(bytes, "hex", NULL) : PyObject_CallMethod(bytes, "hex", "Oi", sep, group);
    if (text != NULL)
        result = PyUnicode_AsASCIIString(text);
    Py_XDECREF(text);
    Py_DECREF(bytes);
    return result;
}

/* ---- uuencode ---- */

static PyObject *uu_error(PyObject *module, const char *text)
{
    PyErr_SetString(state_of(module)->error, text);
    return NULL;
}

static PyObject *a2b_uu(PyObject *module, PyObject *args)
{
    Py_buffer data = {.obj = NULL};
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(args, "O&:a2b_uu", ascii_buffer, &data))
        return NULL;
    const unsigned char *p = data.buf, *end = p + data.len;
    Py_ssize_t want = data.len > 0 ? (*p++ - ' ') & 077 : 0, done = 0;
    unsigned int bits = 0;
    int have = 0;
    result = PyBytes_FromStringAndSize(NULL, want);
    if (result == NULL)
        goto done;
    while (done < want) {
        /* missing characters at the end count as blanks, as some mailers cut those */
        unsigned int c = p < end ? *p++ : ' ';
        if (c == '\n' || c == '\r') {
            p--;
            c = ' ';
        }
        if (c < ' ' || c > ' ' + 64) {
            uu_error(module, "Illegal char");
            Py_CLEAR(result);
            goto done;
        }
        bits = bits << 6 | ((c - ' ') & 077);
        have += 6;
        if (have >= 8) {
            have -= 8;
            PyBytes_AS_STRING(result)[done++] = (char)(bits >> have);
            bits &= (1u << have) - 1;
        }
    }
    for (; p < end; p++)
        if (*p != ' ' && *p != ' ' + 64 && *p != '\n' && *p != '\r') {
            uu_error(module, "Trailing garbage");
            Py_CLEAR(result);
            break;
        }
done:
    PyBuffer_Release(&data);
    return result;
}

static PyObject *b2a_uu(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"", "backtick", NULL};
    Py_buffer data;
    int backtick = 0;
    PyObject *result = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "y*|$i:b2a_uu", keywords, &data, &backtick))
        return NULL;
    if (data.len > 45) {
        uu_error(module, "At most 45 bytes at once");
        goto done;
    }
    result = PyBytes_FromStringAndSize(NULL, 2 + (data.len + 2) / 3 * 4);
    if (result == NULL)
        goto done;
    char *q = PyBytes_AS_STRING(result);
    const unsigned char *p = data.buf;
    *q++ = (char)(backtick && data.len == 0 ? '`' : ' ' + data.len);
    for (Py_ssize_t n = data.len; n > 0; n -= 3, p += 3) {
        unsigned int bits = (unsigned int)p[0] << 16 | (n > 1 ? (unsigned int)p[1] << 8 : 0) | (n > 2 ? p[2] : 0);
        for (int shift = 18; shift >= 0; shift -= 6) {
            unsigned int six = bits >> shift & 077;
            *q++ = (char)(backtick && six == 0 ? '`' : ' ' + six);
        }
    }
    *q = '\n';
done:
    PyBuffer_Release(&data);
    return result;
}

/* ---- quoted-printable ---- */

static int qp_decode(const unsigned char *p, Py_ssize_t n, int header, output_t *out)
{
    Py_ssize_t i = 0;
    while (i < n) {
        if (p[i] == '=') {
            if (++i >= n)
                return 0;
            if (p[i] == '\n' || p[i] == '\r') {
                /* a soft line break: the line goes on */
                while (i < n && p[i] != '\n')
                    i++;
                i++;
            }
            else if (p[i] == '=') {
                if (put(out, '=') < 0)
                    return -1;
                i++;
            }
            else if (i + 1 < n && hex_digit(p[i]) >= 0 && hex_digit(p[i + 1]) >= 0) {
                if (put(out, hex_digit(p[i]) << 4 | hex_digit(p[i + 1])) < 0)
                    return -1;
                i += 2;
            }
            else if (put(out, '=') < 0)
                return -1;
        }
        else {
            if (put(out, header && p[i] == '_' ? ' ' : p[i]) < 0)
                return -1;
            i++;
        }
    }
    return 0;
}

static PyObject *a2b_qp(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"data", "header", NULL};
    Py_buffer data = {.obj = NULL};
    int header = 0;
    output_t out;
    PyObject *result = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O&|i:a2b_qp", keywords, ascii_buffer, &data, &header))
        return NULL;
    if (output_init(&out, data.len) == 0)
        result = finish(&out, qp_decode(data.buf, data.len, header, &out));
    PyBuffer_Release(&data);
    return result;
}

enum { QP_LINE = 76 };

static int must_quote(const unsigned char *p, Py_ssize_t n, Py_ssize_t i, Py_ssize_t column, int quotetabs, int istext,
                      int header)
{
    unsigned char c = p[i];
    if (c > 126 || c == '=' || (header && c == '_'))
        return 1;
    if (c == '.' && column == 0 && (i + 1 == n || p[i + 1] == '\n' || p[i + 1] == '\r' || p[i + 1] == 0))
        return 1;
    if (!istext && (c == '\r' || c == '\n'))
        return 1;
    if ((c == '\t' || c == ' ') && i + 1 == n)
        return 1;
    return c < 33 && c != '\r' && c != '\n' && (quotetabs || (c != '\t' && c != ' '));
}

static int put_quoted(output_t *out, int c)
{
    static const char digits[] = "0123456789ABCDEF";
    return put(out, '=') < 0 || put(out, digits[c >> 4]) < 0 || put(out, digits[c & 15]) < 0 ? -1 : 0;
}

static int soft_break(output_t *out, int crlf, Py_ssize_t *column)
{
    *column = 0;
    return put(out, '=') < 0 || (crlf && put(out, '\r') < 0) || put(out, '\n') < 0 ? -1 : 0;
}

static int qp_encode(const unsigned char *p, Py_ssize_t n, int quotetabs, int istext, int header, output_t *out)
{
    Py_ssize_t column = 0, i = 0;
    const unsigned char *first = n > 0 ? memchr(p, '\n', (size_t)n) : NULL;
    int crlf = first != NULL && first > p && first[-1] == '\r';
    while (i < n) {
        if (must_quote(p, n, i, column, quotetabs, istext, header)) {
            if (column + 3 >= QP_LINE && soft_break(out, crlf, &column) < 0)
                return -1;
            if (put_quoted(out, p[i++]) < 0)
                return -1;
            column += 3;
        }
        else if (istext && (p[i] == '\n' || (p[i] == '\r' && i + 1 < n && p[i + 1] == '\n'))) {
            /* a blank before the end of a line would get lost */
            unsigned char last = out->used > 0 ? out->data[out->used - 1] : 0;
            if (last == ' ' || last == '\t') {
                out->used--;
                if (put_quoted(out, last) < 0)
                    return -1;
            }
            if ((crlf && put(out, '\r') < 0) || put(out, '\n') < 0)
                return -1;
            i += p[i] == '\r' ? 2 : 1;
            column = 0;
        }
        else {
            if (i + 1 != n && p[i + 1] != '\n' && column + 1 >= QP_LINE && soft_break(out, crlf, &column) < 0)
                return -1;
            column++;
            if (put(out, header && p[i] == ' ' ? '_' : p[i]) < 0)
                return -1;
            i++;
        }
    }
    return 0;
}

static PyObject *b2a_qp(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"data", "quotetabs", "istext", "header", NULL};
    Py_buffer data;
    int quotetabs = 0, istext = 1, header = 0;
    output_t out;
    PyObject *result = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "y*|iii:b2a_qp", keywords, &data, &quotetabs, &istext, &header))
        return NULL;
    if (output_init(&out, data.len) == 0)
        result = finish(&out, qp_encode(data.buf, data.len, quotetabs, istext, header, &out));
    PyBuffer_Release(&data);
    return result;
}

/* ---- Checksums ---- */

static void crc32_table(uint32_t *table)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int k = 0; k < 8; k++)
            c = c >> 1 ^ ((c & 1) ? 0xedb88320u : 0);
        table[i] = c;
    }
}

static uint32_t crc32_of(const uint32_t *table, const unsigned char *p, Py_ssize_t n, uint32_t crc)
{
    crc = ~crc;
    while (n-- > 0)
        crc = crc >> 8 ^ table[(crc ^ *p++) & 0xff];
    return ~crc;
}

static PyObject *binascii_crc32(PyObject *module, PyObject *args)
{
    Py_buffer data;
    unsigned int crc = 0;
    if (!PyArg_ParseTuple(args, "y*|I:crc32", &data, &crc))
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    crc = crc32_of(state_of(module)->crc_table, data.buf, data.len, crc);
    Py_END_ALLOW_THREADS
    PyBuffer_Release(&data);
    return PyLong_FromUnsignedLong(crc);
}

static PyObject *crc_hqx(PyObject *module, PyObject *args)
{
    Py_buffer data;
    unsigned int crc;
    if (!PyArg_ParseTuple(args, "y*I:crc_hqx", &data, &crc))
        return NULL;
    crc &= 0xffff;
    const unsigned char *p = data.buf;
    for (Py_ssize_t i = 0; i < data.len; i++) {
        crc ^= (unsigned int)p[i] << 8;
        for (int k = 0; k < 8; k++)
            crc = crc << 1 ^ ((crc & 0x8000) ? 0x1021 : 0);
        crc &= 0xffff;
    }
    PyBuffer_Release(&data);
    return PyLong_FromUnsignedLong(crc);
}

/* ---- The module ---- */

#define HEX_DOC "\n\nTwo hexadecimal digits for each byte; sep goes between groups of bytes_per_sep bytes."

static PyMethodDef module_methods[] = {
    {"a2b_base64", FUNCTION(a2b_base64), METH_VARARGS | METH_KEYWORDS,
     "a2b_base64($module, data, /, *, strict_mode=False)\n--\n\nDecode base64.\n\n"
     "In strict mode everything that is not base64 is an error, else it is skipped."},
    {"b2a_base64", FUNCTION(b2a_base64), METH_VARARGS | METH_KEYWORDS,
     "b2a_base64($module, data, /, *, newline=True)\n--\n\nEncode as a line of base64."},
    {"a2b_hex", a2b_hex, METH_VARARGS, "a2b_hex($module, hexstr, /)\n--\n\nThe bytes that pairs of hexadecimal digits stand for."},
    {"unhexlify", a2b_hex, METH_VARARGS, "unhexlify($module, hexstr, /)\n--\n\nThe bytes that pairs of hexadecimal digits stand for."},
    {"b2a_hex", FUNCTION(b2a_hex), METH_VARARGS | METH_KEYWORDS,
     "b2a_hex($module, /, data, sep=<unrepresentable>, bytes_per_sep=1)\n--" HEX_DOC},
    {"hexlify", FUNCTION(b2a_hex), METH_VARARGS | METH_KEYWORDS,
     "hexlify($module, /, data, sep=<unrepresentable>, bytes_per_sep=1)\n--" HEX_DOC},
    {"a2b_uu", a2b_uu, METH_VARARGS, "a2b_uu($module, data, /)\n--\n\nDecode a line of uuencoded data."},
    {"b2a_uu", FUNCTION(b2a_uu), METH_VARARGS | METH_KEYWORDS,
     "b2a_uu($module, data, /, *, backtick=False)\n--\n\nEncode up to 45 bytes as a line of uuencoded data."},
    {"a2b_qp", FUNCTION(a2b_qp), METH_VARARGS | METH_KEYWORDS,
     "a2b_qp($module, /, data, header=False)\n--\n\nDecode quoted-printable data."},
    {"b2a_qp", FUNCTION(b2a_qp), METH_VARARGS | METH_KEYWORDS,
     "b2a_qp($module, /, data, quotetabs=False, istext=True, header=False)\n--\n\nEncode as quoted-printable.\n\n"
     "istext: line ends are kept; quotetabs: blanks and tabs are encoded; header: blanks become underscores."},
    {"crc32", binascii_crc32, METH_VARARGS, "crc32($module, data, crc=0, /)\n--\n\nCRC-32, going on from crc."},
    {"crc_hqx", crc_hqx, METH_VARARGS, "crc_hqx($module, data, crc, /)\n--\n\nCRC-CCITT, going on from crc."},
    {NULL, NULL, 0, NULL},
};

static int module_exec(PyObject *module)
{
    state_t *state = state_of(module);
    crc32_table(state->crc_table);
    state->error = PyErr_NewException("binascii.Error", PyExc_ValueError, NULL);
    state->incomplete = PyErr_NewException("binascii.Incomplete", NULL, NULL);
    if (state->error == NULL || state->incomplete == NULL || PyModule_AddObjectRef(module, "Error", state->error) < 0)
        return -1;
    return PyModule_AddObjectRef(module, "Incomplete", state->incomplete);
}

static int module_traverse(PyObject *module, visitproc visit, void *arg)
{
    state_t *state = state_of(module);
    if (state != NULL) {
        Py_VISIT(state->error);
        Py_VISIT(state->incomplete);
    }
    return 0;
}

static int module_clear(PyObject *module)
{
    state_t *state = state_of(module);
    if (state != NULL) {
        Py_CLEAR(state->error);
        Py_CLEAR(state->incomplete);
    }
    return 0;
}

static void module_free(void *module)
{
    (void)module_clear((PyObject *)module);
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, (void *)module_exec},
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "binascii",
    .m_doc = "Between binary data and its forms in ASCII.",
    .m_size = sizeof(state_t),
    .m_methods = module_methods,
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = module_free,
};

PyMODINIT_FUNC PyInit_binascii(void)
{
    return PyModuleDef_Init(&module_def);
}
