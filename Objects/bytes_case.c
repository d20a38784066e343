/* Methods of bytes and bytearray that look at characters: case, classes, padding, tabs, translate, hex, decode. */
#include "bytes.h"
#include "stable_buffer.h"
#include "unicode_codec.h"

/* ---- Case ---- */

static PyObject *map_bytes(PyObject *self, const unsigned char *table)
{
    Py_ssize_t n;
    const char *s = bytes_like_data(self, &n);
    PyObject *result = bytes_like_new(self, NULL, n);
    if (result == NULL || n == 0)
        return result;
    char *p = bytes_like_fill(result);
    for (Py_ssize_t i = 0; i < n; i++)
        p[i] = (char)table[(unsigned char)s[i]];
    return result;
}

PyObject *bytes_like_lower(PyObject *self, PyObject *unused)
{
    return map_bytes(self, _Py_ctype_tolower);
}

PyObject *bytes_like_upper(PyObject *self, PyObject *unused)
{
    return map_bytes(self, _Py_ctype_toupper);
}

PyObject *bytes_like_swapcase(PyObject *self, PyObject *unused)
{
    unsigned char table[256];
    for (int c = 0; c < 256; c++)
        table[c] = Py_ISLOWER(c) ? Py_TOUPPER(c) : Py_TOLOWER(c);
    return map_bytes(self, table);
}

PyObject *bytes_like_capitalize(PyObject *self, PyObject *unused)
{
    PyObject *result = map_bytes(self, _Py_ctype_tolower);
    Py_ssize_t n;
    if (result == NULL || (bytes_like_data(result, &n), n == 0))
        return result;
    char *p = bytes_like_fill(result);
    p[0] = (char)Py_TOUPPER(p[0]);
    return result;
}

PyObject *bytes_like_title(PyObject *self, PyObject *unused)
{
    PyObject *result = map_bytes(self, _Py_ctype_tolower);
    Py_ssize_t n;
    int in_word = 0;
    if (result == NULL || (bytes_like_data(result, &n), n == 0))
        return result;
    char *p = bytes_like_fill(result);
    for (Py_ssize_t i = 0; i < n; i++) {
        if (!in_word)
            p[i] = (char)Py_TOUPPER(p[i]);
        in_word = Py_ISALPHA(p[i]) != 0;
    }
    return result;
}

/* ---- Classes ---- */

static PyObject *all_of(PyObject *self, unsigned int mask)
{
    Py_ssize_t n;
    const char *s = bytes_like_data(self, &n);
    for (Py_ssize_t i = 0; i < n; i++)
        if (!(_Py_ctype_table[(unsigned char)s[i]] & mask))
            Py_RETURN_FALSE;
    return n > 0 ? Py_True : Py_False;
}

PyObject *bytes_like_isalnum(PyObject *self, PyObject *unused)
{
    return all_of(self, PY_CTF_ALNUM);
}

PyObject *bytes_like_isalpha(PyObject *self, PyObject *unused)
{
    return all_of(self, PY_CTF_ALPHA);
}

PyObject *bytes_like_isdigit(PyObject *self, PyObject *unused)
{
    return all_of(self, PY_CTF_DIGIT);
}

PyObject *bytes_like_isspace(PyObject *self, PyObject *unused)
{
    return all_of(self, PY_CTF_SPACE);
}

PyObject *bytes_like_isascii(PyObject *self, PyObject *unused)
{
    Py_ssize_t n, i = 0;
    const char *s = bytes_like_data(self, &n);
    for (; i + 8 <= n; i += 8) {
        uint64_t word;
        memcpy(&word, s + i, 8);
        if (word & 0x8080808080808080u)
            Py_RETURN_FALSE;
    }
    for (; i < n; i++)
        if ((unsigned char)s[i] > 127)
            Py_RETURN_FALSE;
    Py_RETURN_TRUE;
}

/* At least one letter of the case, none of the other. */
static PyObject *one_case(PyObject *self, unsigned int wanted, unsigned int other)
{
    Py_ssize_t n;
    int cased = 0;
    const char *s = bytes_like_data(self, &n);
    for (Py_ssize_t i = 0; i < n; i++) {
        unsigned int kind = _Py_ctype_table[(unsigned char)s[i]];
        if (kind & other)
            Py_RETURN_FALSE;
        cased |= (kind & wanted) != 0;
    }
    return cased ? Py_True : Py_False;
}

PyObject *bytes_like_islower(PyObject *self, PyObject *unused)
{
    return one_case(self, PY_CTF_LOWER, PY_CTF_UPPER);
}

PyObject *bytes_like_isupper(PyObject *self, PyObject *unused)
{
    return one_case(self, PY_CTF_UPPER, PY_CTF_LOWER);
}

PyObject *bytes_like_istitle(PyObject *self, PyObject *unused)
{
    Py_ssize_t n;
    int cased = 0, in_word = 0;
    const char *s = bytes_like_data(self, &n);
    for (Py_ssize_t i = 0; i < n; i++) {
        if (Py_ISALPHA(s[i])) {
            if ((Py_ISUPPER(s[i]) != 0) == in_word)
                Py_RETURN_FALSE;
            in_word = cased = 1;
        }
        else
            in_word = 0;
    }
    return cased ? Py_True : Py_False;
}

/* ---- Padding ---- */

/* self with left and right fill bytes around it; exact bytes that need none are returned themselves. */
static PyObject *pad(PyObject *self, const char *s, Py_ssize_t n, Py_ssize_t left, Py_ssize_t right, char fill)
{
    if (left < 0)
        left = 0;
    if (right < 0)
        right = 0;
    if (left == 0 && right == 0 && PyBytes_CheckExact(self))
        return Py_NewRef(self);
    PyObject *result = bytes_like_new(self, NULL, left + n + right);
    if (result == NULL || left + n + right == 0)
        return result;
    char *p = bytes_like_fill(result);
    memset(p, fill, (size_t)left);
    memcpy(p + left, s, (size_t)n);
    memset(p + left + n, fill, (size_t)right);
    return result;
}

static int index_argument(PyObject *arg, Py_ssize_t *value)
{
    PyObject *index = PyNumber_Index(arg);
    *value = index == NULL ? -1 : PyLong_AsSsize_t(index);
    Py_XDECREF(index);
    return *value == -1 && PyErr_Occurred() ? -1 : 0;
}

static int pad_arguments(const char *name, PyObject *const *args, Py_ssize_t nargs, Py_ssize_t *width, char *fill)
{
    *fill = ' ';
    if (!_PyArg_CheckPositional(name, nargs, 1, 2) || index_argument(args[0], width) < 0)
        return -1;
    if (nargs < 2)
        return 0;
    if (PyBytes_Check(args[1]) && PyBytes_GET_SIZE(args[1]) == 1) {
        *fill = PyBytes_AS_STRING(args[1])[0];
        return 0;
    }
    if (PyByteArray_Check(args[1])) {
        int is_one;
        Py_BEGIN_CRITICAL_SECTION(args[1]);
        is_one = PyByteArray_GET_SIZE(args[1]) == 1;
        if (is_one)
            *fill = PyByteArray_AS_STRING(args[1])[0];
        Py_END_CRITICAL_SECTION();
        if (is_one)
            return 0;
    }
    _PyArg_BadArgument(name, "argument 2", "a byte string of length 1", args[1]);
    return -1;
}

PyObject *bytes_like_ljust(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t width, n;
    char fill;
    if (pad_arguments("ljust", args, nargs, &width, &fill) < 0)
        return NULL;
    const char *s = bytes_like_data(self, &n);
    return pad(self, s, n, 0, width - n, fill);
}

PyObject *bytes_like_rjust(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t width, n;
    char fill;
    if (pad_arguments("rjust", args, nargs, &width, &fill) < 0)
        return NULL;
    const char *s = bytes_like_data(self, &n);
    return pad(self, s, n, width - n, 0, fill);
}

PyObject *bytes_like_center(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t width, n;
    char fill;
    if (pad_arguments("center", args, nargs, &width, &fill) < 0)
        return NULL;
    const char *s = bytes_like_data(self, &n);
    Py_ssize_t room = width > n ? width - n : 0;
    /* the odd byte goes to the left if the width is odd */
    Py_ssize_t left = room / 2 + (room & width & 1);
    return pad(self, s, n, left, room - left, fill);
}

PyObject *bytes_like_zfill(PyObject *self, PyObject *arg)
{
    Py_ssize_t width, n;
    if (index_argument(arg, &width) < 0)
        return NULL;
    const char *s = bytes_like_data(self, &n);
    Py_ssize_t fill = width > n ? width - n : 0;
    PyObject *result = pad(self, s, n, fill, 0, '0');
    if (result == NULL || fill == 0 || n == 0)
        return result;
    char *p = bytes_like_fill(result);
    if (p[fill] == '+' || p[fill] == '-') {
        p[0] = p[fill];
        p[fill] = '0';
    }
    return result;
}

/* The length after expansion, or -1. */
static Py_ssize_t expanded_length(const char *s, Py_ssize_t n, Py_ssize_t tabsize)
{
    Py_ssize_t total = 0, column = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_ssize_t width = 1;
        if (s[i] == '\t')
            width = tabsize > 0 ? tabsize - column % tabsize : 0;
        if (total > PY_SSIZE_T_MAX - width) {
            PyErr_SetString(PyExc_OverflowError, "result too long");
            return -1;
        }
        total += width;
        column = s[i] == '\n' || s[i] == '\r' ? 0 : column + width;
    }
    return total;
}

/* Writes expanded_length() bytes. */
static void expand_into(char *p, const char *s, Py_ssize_t n, Py_ssize_t tabsize)
{
    Py_ssize_t column = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        if (s[i] == '\t') {
            Py_ssize_t width = tabsize > 0 ? tabsize - column % tabsize : 0;
            memset(p, ' ', (size_t)width);
            p += width;
            column += width;
            continue;
        }
        *p++ = s[i];
        column = s[i] == '\n' || s[i] == '\r' ? 0 : column + 1;
    }
}

PyObject *bytes_like_expandtabs(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    static const char *const keywords[] = {"tabsize", NULL};
    static _PyArg_Parser parser = {.format = "|i:expandtabs", .keywords = keywords};
    int tabsize = 8;
    Py_buffer own;
    if (!_PyArg_ParseStackAndKeywords(args, nargs, kwnames, &parser, &tabsize) || stable_buffer_get(self, &own) < 0)
        return NULL;
    Py_ssize_t total = expanded_length(own.buf, own.len, tabsize);
    PyObject *result = total < 0 ? NULL : bytes_like_new(self, NULL, total);
    if (result != NULL && total > 0)
        expand_into(bytes_like_fill(result), own.buf, own.len, tabsize);
    PyBuffer_Release(&own);
    return result;
}

/* ---- translate ---- */

/* The result for self, whose bytes are s. Goes over s twice. */
static PyObject *translate_data(PyObject *self, const unsigned char *s, Py_ssize_t n, const unsigned char table[256],
                                const unsigned char drop[256])
{
    Py_ssize_t kept = 0;
    int changed = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        kept += !drop[s[i]];
        changed |= drop[s[i]] || table[s[i]] != s[i];
    }
    if (!changed && PyBytes_CheckExact(self))
        return Py_NewRef(self);
    PyObject *result = bytes_like_new(self, NULL, kept);
    if (result == NULL || kept == 0)
        return result;
    char *p = bytes_like_fill(result);
    for (Py_ssize_t i = 0; i < n; i++)
        if (!drop[s[i]])
            *p++ = (char)table[s[i]];
    return result;
}

PyObject *bytes_like_translate(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    static const char *const keywords[] = {"", "delete", NULL};
    static _PyArg_Parser parser = {.format = "O|O:translate", .keywords = keywords};
    PyObject *table_arg, *delete_arg = NULL;
    unsigned char table[256], drop[256] = {0};
    Py_buffer view;
    if (!_PyArg_ParseStackAndKeywords(args, nargs, kwnames, &parser, &table_arg, &delete_arg))
        return NULL;
    for (int c = 0; c < 256; c++)
        table[c] = (unsigned char)c;
    if (table_arg != Py_None) {
        if (stable_buffer_get(table_arg, &view) < 0)
            return NULL;
        int right = view.len == 256;
        if (right)
            memcpy(table, view.buf, 256);
        PyBuffer_Release(&view);
        if (!right) {
            PyErr_SetString(PyExc_ValueError, "translation table must be 256 characters long");
            return NULL;
        }
    }
    if (delete_arg != NULL) {
        if (stable_buffer_get(delete_arg, &view) < 0)
            return NULL;
        for (Py_ssize_t i = 0; i < view.len; i++)
            drop[((unsigned char *)view.buf)[i]] = 1;
        PyBuffer_Release(&view);
    }
    if (stable_buffer_get(self, &view) < 0)
        return NULL;
    PyObject *result = translate_data(self, view.buf, view.len, table, drop);
    PyBuffer_Release(&view);
    return result;
}

PyObject *bytes_maketrans(PyObject *unused, PyObject *const *args, Py_ssize_t nargs)
{
    Py_buffer from, to;
    PyObject *result = NULL;
    if (!_PyArg_CheckPositional("maketrans", nargs, 2, 2))
        return NULL;
    if (stable_buffer_get(args[0], &from) < 0)
        return NULL;
    if (stable_buffer_get(args[1], &to) < 0)
        goto done;
    if (from.len != to.len)
        PyErr_SetString(PyExc_ValueError, "maketrans arguments must have same length");
    else if ((result = PyBytes_FromStringAndSize(NULL, 256)) != NULL) {
        unsigned char *p = (unsigned char *)PyBytes_AS_STRING(result);
        for (int c = 0; c < 256; c++)
            p[c] = (unsigned char)c;
        for (Py_ssize_t i = 0; i < from.len; i++)
            p[((unsigned char *)from.buf)[i]] = ((unsigned char *)to.buf)[i];
    }
    PyBuffer_Release(&to);
done:
    PyBuffer_Release(&from);
    return result;
}

/* ---- hex ---- */

int bytes_hex_arguments(PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames, int *separator, int *group)
{
    static const char *const keywords[] = {"sep", "bytes_per_sep", NULL};
    static _PyArg_Parser parser = {.format = "|Oi:hex", .keywords = keywords};
    PyObject *sep = NULL;
    *separator = -1;
    *group = 1;
    if (!_PyArg_ParseStackAndKeywords(args, nargs, kwnames, &parser, &sep, group))
        return -1;
    if (sep == NULL)
        return 0;
    Py_ssize_t length = PyObject_Size(sep);
    if (length < 0)
        return -1;
    if (length != 1) {
        PyErr_SetString(PyExc_ValueError, "sep must be length 1.");
        return -1;
    }
    if (PyUnicode_Check(sep)) {
        Py_UCS4 c = PyUnicode_READ_CHAR(sep, 0);
        *separator = c > 127 ? 256 : (int)c;
    }
    else if (PyBytes_Check(sep))
        *separator = (unsigned char)PyBytes_AS_STRING(sep)[0];
    else {
        PyErr_SetString(PyExc_TypeError, "sep must be str or bytes.");
        return -1;
    }
    if (*separator > 127) {
        PyErr_SetString(PyExc_ValueError, "sep must be ASCII.");
        return -1;
    }
    return 0;
}

PyObject *bytes_hex_data(const char *data, Py_ssize_t n, int separator, int group)
{
    /* groups count from the right if group > 0, from the left if it is negative */
    Py_ssize_t size = group < 0 ? -(Py_ssize_t)group : group, separators = 0;
    if (separator >= 0 && size > 0 && n > 0)
        separators = (n - 1) / size;
    if (n > (PY_SSIZE_T_MAX - separators) / 2)
        return PyErr_NoMemory();
    PyObject *result = PyUnicode_New(n * 2 + separators, 127);
    if (result == NULL || n == 0)
        return result;
    Py_UCS1 *p = PyUnicode_1BYTE_DATA(result);
    Py_ssize_t left = separators == 0 ? n : group > 0 ? n - separators * size : size;
    for (Py_ssize_t i = 0; i < n; i++) {
        if (left == 0) {
            *p++ = (Py_UCS1)separator;
            left = size;
        }
        left--;
        *p++ = (Py_UCS1)Py_hexdigits[(unsigned char)data[i] >> 4];
        *p++ = (Py_UCS1)Py_hexdigits[(unsigned char)data[i] & 15];
    }
    return result;
}

PyObject *bytes_like_hex(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    int separator, group;
    Py_ssize_t n;
    if (bytes_hex_arguments(args, nargs, kwnames, &separator, &group) < 0)
        return NULL;
    const char *s = bytes_like_data(self, &n);
    return bytes_hex_data(s, n, separator, group);
}

/* ---- decode ---- */

PyObject *bytes_decode(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    static const char *const keywords[] = {"encoding", "errors", NULL};
    static _PyArg_Parser parser = {.keywords = keywords, .fname = "decode"};
    PyObject *room[2];
    const char *texts[2] = {NULL, NULL};
    args = _PyArg_UnpackKeywords(args, nargs, NULL, kwnames, &parser, 0, 2, 0, room);
    if (args == NULL)
        return NULL;
    Py_ssize_t given = kwnames == NULL ? nargs : 2;
    for (Py_ssize_t i = 0; i < given && i < 2; i++) {
        Py_ssize_t length;
        if (args[i] == NULL)
            continue;
        if (!PyUnicode_Check(args[i])) {
            _PyArg_BadArgument("decode", i == 0 ? "argument 'encoding'" : "argument 'errors'", "str", args[i]);
            return NULL;
        }
        texts[i] = PyUnicode_AsUTF8AndSize(args[i], &length);
        if (texts[i] == NULL)
            return NULL;
        if (strlen(texts[i]) != (size_t)length) {
            PyErr_SetString(PyExc_ValueError, "embedded null character");
            return NULL;
        }
    }
    if (PyBytes_Check(self) && texts[0] == NULL && !unicode_checks_codec_names)
        return PyUnicode_DecodeUTF8(PyBytes_AS_STRING(self), PyBytes_GET_SIZE(self), texts[1]);
    return PyUnicode_FromEncodedObject(self, texts[0] == NULL ? "utf-8" : texts[0], texts[1]);
}
