/* PyArg_Parse and its family: format strings that turn Python arguments into C values.
 *
 * convert_simple handles one unit that is not a parenthesis; convert_tuple one "(...)".  Both advance the format and
 * the va_list, and answer NULL for success or a message about what was expected ("" when an exception is set already).
 * Memory and buffers handed out are noted in a list, so that a failure further on gives them back. */
#include "Python.h"

#include <float.h>

enum { FLAG_COMPAT = 1 };

/* ---- What has to be undone on failure ---- */

typedef struct {
    void *item;
    void (*release)(void *);
} CleanupItem;

typedef struct {
    CleanupItem *items;
    int count, room;
    CleanupItem small[8];
} Cleanups;

static void release_buffer(void *p) { PyBuffer_Release(p); }
static void release_memory(void *p)
{
    char **text = p;
    PyMem_Free(*text);
    *text = NULL;
}
struct converter_cleanup {
    void *value;
    int (*converter)(PyObject *, void *);
};
static void release_converted(void *p)
{
    struct converter_cleanup *c = p;
    c->converter(NULL, c->value);
    PyMem_Free(c);
}

static int add_cleanup(Cleanups *list, void *item, void (*release)(void *))
{
    if (list->count == list->room) {
        int room = list->room * 2;
        CleanupItem *grown = PyMem_Malloc((size_t)room * sizeof(CleanupItem));
        if (grown == NULL) {
            release(item);
            PyErr_NoMemory();
            return -1;
        }
        memcpy(grown, list->items, (size_t)list->count * sizeof(CleanupItem));
        if (list->items != list->small)
            PyMem_Free(list->items);
        list->items = grown;
        list->room = room;
    }
    list->items[list->count++] = (CleanupItem){item, release};
    return 0;
}

/* Ends the list; ok says whether the results stay with the caller. Returns ok. */
static int finish_cleanups(Cleanups *list, int ok)
{
    for (int i = 0; i < list->count; i++) {
        CleanupItem *c = &list->items[i];
        if (!ok)
            c->release(c->item);
        else if (c->release == release_converted)
            PyMem_Free(c->item);
    }
    if (list->items != list->small)
        PyMem_Free(list->items);
    return ok;
}

#define CLEANUPS_INIT(list) \
    do { \
        (list).items = (list).small; \
        (list).count = 0; \
        (list).room = 8; \
    } while (0)

/* ---- Messages ---- */

/* levels[]: the path of argument numbers from nested parentheses, ended by 0. */
static void set_error(Py_ssize_t iarg, const char *msg, const int *levels, const char *fname, const char *message)
{
    if (PyErr_Occurred())
        return;
    if (message != NULL) {
        PyErr_SetString(PyExc_TypeError, message);
        return;
    }
    char buf[512];
    size_t n = 0;
    buf[0] = '\0';
    if (fname != NULL)
        n += (size_t)snprintf(buf, sizeof(buf), "%.200s() ", fname);
    if (iarg != 0) {
        n += (size_t)snprintf(buf + n, sizeof(buf) - n, "argument %zd", iarg);
        for (int i = 0; i < 32 && levels[i] > 0 && n < 220; i++)
            n += (size_t)snprintf(buf + n, sizeof(buf) - n, ", item %d", levels[i] - 1);
    }
    else {
        n += (size_t)snprintf(buf + n, sizeof(buf) - n, "argument");
    }
    snprintf(buf + n, sizeof(buf) - n, " %.256s", msg);
    /* a message in parentheses is about the format itself, which is not the caller's fault */
    PyErr_SetString(msg[0] == '(' ? PyExc_SystemError : PyExc_TypeError, buf);
}

static const char *expected(const char *what, PyObject *arg, char *buf, size_t size)
{
    if (what[0] == '(')
        snprintf(buf, size, "%.100s", what);
    else
        snprintf(buf, size, "must be %.50s, not %.50s", what, arg == Py_None ? "None" : Py_TYPE(arg)->tp_name);
    return buf;
}

/* ---- One unit ---- */

typedef struct {
    const char *format;         /* the rest of it */
    va_list va;
    Cleanups *cleanups;
    char buf[256];              /* for messages */
} Parser;

#define FAILED ""               /* an exception is set */

static const char *range_error(const char *text)
{
    PyErr_SetString(PyExc_OverflowError, text);
    return FAILED;
}

/* b h i: signed with a range check. */
static const char *convert_small_int(PyObject *arg, char c, void *out)
{
    long n = PyLong_AsLong(arg);
    if (n == -1 && PyErr_Occurred())
        return FAILED;
    switch (c) {
    case 'b':
        if (n < 0)
            return range_error("unsigned byte integer is less than minimum");
        if (n > UCHAR_MAX)
            return range_error("unsigned byte integer is greater than maximum");
        *(unsigned char *)out = (unsigned char)n;
        break;
    case 'h':
        if (n < SHRT_MIN)
            return range_error("signed short integer is less than minimum");
        if (n > SHRT_MAX)
            return range_error("signed short integer is greater than maximum");
        *(short *)out = (short)n;
        break;
    case 'i':
        if (n > INT_MAX)
            return range_error("signed integer is greater than maximum");
        if (n < INT_MIN)
            return range_error("signed integer is less than minimum");
        *(int *)out = (int)n;
        break;
    }
    return NULL;
}

/* B H I: the low bits, never an overflow. */
static const char *convert_masked_int(PyObject *arg, char c, void *out)
{
    unsigned long n = PyLong_AsUnsignedLongMask(arg);
    if (n == (unsigned long)-1 && PyErr_Occurred())
        return FAILED;
    if (c == 'B')
        *(unsigned char *)out = (unsigned char)n;
    else if (c == 'H')
        *(unsigned short *)out = (unsigned short)n;
    else
        *(unsigned int *)out = (unsigned int)n;
    return NULL;
}

static const char *convert_ssize(PyObject *arg, Py_ssize_t *out)
{
    PyObject *index = _PyNumber_Index(arg);
    Py_ssize_t n = -1;
    if (index != NULL) {
        n = PyLong_AsSsize_t(index);
        Py_DECREF(index);
    }
    if (n == -1 && PyErr_Occurred())
        return FAILED;
    *out = n;
    return NULL;
}

/* A read-only, contiguous buffer that needs no release, for the formats that give a bare pointer. */
static Py_ssize_t borrow_buffer(PyObject *arg, const void **out, const char **error)
{
    PyBufferProcs *m = Py_TYPE(arg)->tp_as_buffer;
    if (m == NULL || m->bf_getbuffer == NULL || m->bf_releasebuffer != NULL) {
        *error = "read-only bytes-like object";
        return -1;
    }
    Py_buffer view;
    if (PyObject_GetBuffer(arg, &view, PyBUF_SIMPLE) < 0) {
        *error = "bytes-like object";
        return -1;
    }
    Py_ssize_t n = view.len;
    *out = view.buf;
    PyBuffer_Release(&view);
    return n;
}

static int get_buffer(PyObject *arg, Py_buffer *view, const char **error)
{
    if (PyObject_GetBuffer(arg, view, PyBUF_SIMPLE) < 0) {
        *error = "bytes-like object";
        return -1;
    }
    if (!PyBuffer_IsContiguous(view, 'C')) {
        PyBuffer_Release(view);
        *error = "contiguous buffer";
        return -1;
    }
    return 0;
}

static const char *convert_to_view(Parser *p, PyObject *arg, char c)
{
    Py_buffer *view = va_arg(p->va, Py_buffer *);
    const char *error;
    p->format++;        /* the '*' */
    if (arg == Py_None && c == 'z') {
        PyBuffer_FillInfo(view, NULL, NULL, 0, 1, 0);
    }
    else if (PyUnicode_Check(arg) && c != 'y') {
        Py_ssize_t n;
        const char *text = PyUnicode_AsUTF8AndSize(arg, &n);
        if (text == NULL)
            return FAILED;
        PyBuffer_FillInfo(view, arg, (void *)text, n, 1, 0);
    }
    else if (get_buffer(arg, view, &error) < 0) {
        return expected(c == 'z' && error[0] == 'b' ? "bytes-like object or None" : error, arg, p->buf, sizeof(p->buf));
    }
    return add_cleanup(p->cleanups, view, release_buffer) < 0 ? FAILED : NULL;
}

/* s y z, with '*' or '#' or alone. */
static const char *convert_text(Parser *p, PyObject *arg, char c)
{
    if (*p->format == '*')
        return convert_to_view(p, arg, c);
    const char **out = va_arg(p->va, const char **);
    const char *error;
    if (*p->format == '#') {
        Py_ssize_t *size = va_arg(p->va, Py_ssize_t *);
        p->format++;
        if (arg == Py_None && c == 'z') {
            *out = NULL;
            *size = 0;
            return NULL;
        }
        if (PyUnicode_Check(arg) && c != 'y') {
            *out = PyUnicode_AsUTF8AndSize(arg, size);
            return *out == NULL ? FAILED : NULL;
        }
        Py_ssize_t n = borrow_buffer(arg, (const void **)out, &error);
        if (n < 0)
            return expected(c == 'y' ? error : c == 'z' ? "str, read-only bytes-like object or None"
                                                        : "str or read-only bytes-like object",
                            arg, p->buf, sizeof(p->buf));
        *size = n;
        return NULL;
    }
    Py_ssize_t n;
    if (c == 'y') {
        n = borrow_buffer(arg, (const void **)out, &error);
        if (n < 0)
            return expected(error, arg, p->buf, sizeof(p->buf));
        if (memchr(*out, '\0', (size_t)n) != NULL) {
            PyErr_SetString(PyExc_ValueError, "embedded null byte");
            return FAILED;
        }
        return NULL;
    }
    if (arg == Py_None && c == 'z') {
        *out = NULL;
        return NULL;
    }
    if (!PyUnicode_Check(arg))
        return expected(c == 'z' ? "str or None" : "str", arg, p->buf, sizeof(p->buf));
    *out = PyUnicode_AsUTF8AndSize(arg, &n);
    if (*out == NULL)
        return FAILED;
    if (strlen(*out) != (size_t)n) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        return FAILED;
    }
    return NULL;
}

/* es et es# et#: an encoded copy, in memory of our own or the caller's. */
static const char *convert_encoded(Parser *p, PyObject *arg)
{
    const char *encoding = va_arg(p->va, const char *);
    if (encoding == NULL)
        encoding = "utf-8";
    if (*p->format != 's' && *p->format != 't')
        return expected("(unknown parser marker combination)", arg, p->buf, sizeof(p->buf));
    int accept_bytes = *p->format == 't';
    p->format++;
    char **buffer = va_arg(p->va, char **);
    Py_ssize_t *size = NULL;
    if (buffer == NULL)
        return expected("(buffer is NULL)", arg, p->buf, sizeof(p->buf));
    if (*p->format == '#') {
        p->format++;
        size = va_arg(p->va, Py_ssize_t *);
    }
    PyObject *bytes;
    if (accept_bytes && (PyBytes_Check(arg) || PyByteArray_Check(arg))) {
        bytes = PyBytes_Check(arg)
                    ? Py_NewRef(arg)
                    : PyBytes_FromStringAndSize(PyByteArray_AS_STRING(arg), PyByteArray_GET_SIZE(arg));
        if (bytes == NULL)
            return FAILED;
    }
    else if (PyUnicode_Check(arg)) {
        bytes = PyUnicode_AsEncodedString(arg, encoding, NULL);
        if (bytes == NULL)
            return expected("(encoding failed)", arg, p->buf, sizeof(p->buf));
    }
    else {
        return expected(accept_bytes ? "str, bytes or bytearray" : "str", arg, p->buf, sizeof(p->buf));
    }
    Py_ssize_t n = PyBytes_GET_SIZE(bytes);
    const char *text = PyBytes_AS_STRING(bytes), *result = NULL;
    int owned = 0;
    if (size == NULL && strlen(text) != (size_t)n) {
        PyErr_SetString(PyExc_ValueError, "embedded null byte");
        result = FAILED;
    }
    else if (size == NULL || *buffer == NULL) {
        *buffer = PyMem_Malloc((size_t)n + 1);
        if (*buffer == NULL) {
            PyErr_NoMemory();
            result = FAILED;
        }
        else
            owned = 1;
    }
    else if (n + 1 > *size) {
        PyErr_Format(PyExc_ValueError, "encoded string too long (%zd, maximum length %zd)", n, *size - 1);
        result = FAILED;
    }
    if (result == NULL) {
        memcpy(*buffer, text, (size_t)n + 1);
        if (size != NULL)
            *size = n;
    }
    Py_DECREF(bytes);
    if (owned && add_cleanup(p->cleanups, buffer, release_memory) < 0)
        return FAILED;
    return result;
}

/* O, O!, O& */
static const char *convert_object(Parser *p, PyObject *arg)
{
    if (*p->format == '!') {
        PyTypeObject *type = va_arg(p->va, PyTypeObject *);
        PyObject **out = va_arg(p->va, PyObject **);
        p->format++;
        if (!PyType_IsSubtype(Py_TYPE(arg), type))
            return expected(type->tp_name, arg, p->buf, sizeof(p->buf));
        *out = arg;
        return NULL;
    }
    if (*p->format == '&') {
        int (*converter)(PyObject *, void *) = va_arg(p->va, int (*)(PyObject *, void *));
        void *out = va_arg(p->va, void *);
        p->format++;
        int r = converter(arg, out);
        if (r == 0)
            return PyErr_Occurred() ? FAILED : expected("(unspecified)", arg, p->buf, sizeof(p->buf));
        if (r == Py_CLEANUP_SUPPORTED) {
            struct converter_cleanup *c = PyMem_Malloc(sizeof(*c));
            if (c == NULL) {
                converter(NULL, out);
                PyErr_NoMemory();
                return FAILED;
            }
            *c = (struct converter_cleanup){out, converter};
            if (add_cleanup(p->cleanups, c, release_converted) < 0)
                return FAILED;
        }
        return NULL;
    }
    *va_arg(p->va, PyObject **) = arg;
    return NULL;
}

/* c: one byte. */
static const char *convert_byte_char(Parser *p, PyObject *arg)
{
    char *out = va_arg(p->va, char *);
    if (PyBytes_Check(arg)) {
        if (PyBytes_GET_SIZE(arg) == 1) {
            *out = PyBytes_AS_STRING(arg)[0];
            return NULL;
        }
        PyOS_snprintf(p->buf, sizeof(p->buf), "must be a byte string of length 1, not a bytes object of length %zd",
                      PyBytes_GET_SIZE(arg));
    }
    else if (PyByteArray_Check(arg)) {
        if (PyByteArray_GET_SIZE(arg) == 1) {
            *out = PyByteArray_AS_STRING(arg)[0];
            return NULL;
        }
    }
    return expected("a byte string of length 1", arg, p->buf, sizeof(p->buf));
}

static const char *convert_simple(Parser *p, PyObject *arg)
{
    char c = *p->format++;
    switch (c) {
    case 'b':
        return convert_small_int(arg, c, va_arg(p->va, unsigned char *));
    case 'h':
        return convert_small_int(arg, c, va_arg(p->va, short *));
    case 'i':
        return convert_small_int(arg, c, va_arg(p->va, int *));
    case 'B':
    case 'H':
    case 'I':
        return convert_masked_int(arg, c, va_arg(p->va, void *));
    case 'n':
        return convert_ssize(arg, va_arg(p->va, Py_ssize_t *));
    case 'l': {
        long *out = va_arg(p->va, long *), n = PyLong_AsLong(arg);
        if (n == -1 && PyErr_Occurred())
            return FAILED;
        *out = n;
        return NULL;
    }
    case 'k': {
        unsigned long *out = va_arg(p->va, unsigned long *);
        if (!PyLong_Check(arg))
            return expected("int", arg, p->buf, sizeof(p->buf));
        *out = PyLong_AsUnsignedLongMask(arg);
        return NULL;
    }
    case 'L': {
        long long *out = va_arg(p->va, long long *), n = PyLong_AsLongLong(arg);
        if (n == -1 && PyErr_Occurred())
            return FAILED;
        *out = n;
        return NULL;
    }
    case 'K': {
        unsigned long long *out = va_arg(p->va, unsigned long long *);
        if (!PyLong_Check(arg))
            return expected("int", arg, p->buf, sizeof(p->buf));
        *out = PyLong_AsUnsignedLongLongMask(arg);
        return NULL;
    }
    case 'f': {
        float *out = va_arg(p->va, float *);
        double d = PyFloat_AsDouble(arg);
        if (d == -1.0 && PyErr_Occurred())
            return FAILED;
        *out = (float)d;
        return NULL;
    }
    case 'd': {
        double *out = va_arg(p->va, double *), d = PyFloat_AsDouble(arg);
        if (d == -1.0 && PyErr_Occurred())
            return FAILED;
        *out = d;
        return NULL;
    }
    case 'D': {
        Py_complex *out = va_arg(p->va, Py_complex *), z = PyComplex_AsCComplex(arg);
        if (PyErr_Occurred())
            return FAILED;
        *out = z;
        return NULL;
    }
    case 'c':
        return convert_byte_char(p, arg);
    case 'C': {
        int *out = va_arg(p->va, int *);
        if (!PyUnicode_Check(arg))
            return expected("a unicode character", arg, p->buf, sizeof(p->buf));
        if (PyUnicode_GET_LENGTH(arg) != 1)
            return expected("a unicode character", arg, p->buf, sizeof(p->buf));
        *out = (int)PyUnicode_READ_CHAR(arg, 0);
        return NULL;
    }
    case 'p': {
        int *out = va_arg(p->va, int *), truth = PyObject_IsTrue(arg);
        if (truth < 0)
            return FAILED;
        *out = truth != 0;
        return NULL;
    }
    case 's':
    case 'y':
    case 'z':
        return convert_text(p, arg, c);
    case 'e':
        return convert_encoded(p, arg);
    case 'S': {
        PyObject **out = va_arg(p->va, PyObject **);
        if (!PyBytes_Check(arg))
            return expected("bytes", arg, p->buf, sizeof(p->buf));
        *out = arg;
        return NULL;
    }
    case 'Y': {
        PyObject **out = va_arg(p->va, PyObject **);
        if (!PyByteArray_Check(arg))
            return expected("bytearray", arg, p->buf, sizeof(p->buf));
        *out = arg;
        return NULL;
    }
    case 'U': {
        PyObject **out = va_arg(p->va, PyObject **);
        if (!PyUnicode_Check(arg))
            return expected("str", arg, p->buf, sizeof(p->buf));
        *out = arg;
        return NULL;
    }
    case 'O':
        return convert_object(p, arg);
    case 'w': {
        if (*p->format != '*')
            return expected("(impossible<bad format char>)", arg, p->buf, sizeof(p->buf));
        p->format++;
        Py_buffer *view = va_arg(p->va, Py_buffer *);
        if (PyObject_GetBuffer(arg, view, PyBUF_WRITABLE) < 0) {
            PyErr_Clear();
            return expected("read-write bytes-like object", arg, p->buf, sizeof(p->buf));
        }
        if (!PyBuffer_IsContiguous(view, 'C')) {
            PyBuffer_Release(view);
            return expected("contiguous buffer", arg, p->buf, sizeof(p->buf));
        }
        return add_cleanup(p->cleanups, view, release_buffer) < 0 ? FAILED : NULL;
    }
    default:
        return expected("(impossible<bad format char>)", arg, p->buf, sizeof(p->buf));
    }
}

static const char *convert_item(Parser *p, PyObject *arg, int *levels, int depth, int top);

/* Counts the units up to the closing parenthesis. */
static int count_units(const char *f)
{
    int n = 0, level = 0;
    for (;; f++) {
        int c = (unsigned char)*f;
        if (c == '(') {
            if (level++ == 0)
                n++;
        }
        else if (c == ')') {
            if (level-- == 0)
                return n;
        }
        else if (c == '\0' || c == ':' || c == ';') {
            return n;
        }
        else if (level == 0 && Py_ISALPHA(c)) {
            n++;
            if (c == 'e' && (f[1] == 's' || f[1] == 't'))
                f++;
        }
    }
}

/* The inside of parentheses: a sequence of exactly that length. The items stay alive because the sequence is a tuple
 * or, for others, because it holds them while the caller runs. */
static const char *convert_tuple(Parser *p, PyObject *arg, int *levels, int depth, int top)
{
    int n = count_units(p->format);
    if (!PySequence_Check(arg) || PyBytes_Check(arg)) {
        levels[0] = 0;
        snprintf(p->buf, sizeof(p->buf), top ? "expected %d arguments, not %.50s" : "must be %d-item sequence, not %.50s",
                 n, arg == Py_None ? "None" : Py_TYPE(arg)->tp_name);
        return p->buf;
    }
    Py_ssize_t length = PySequence_Size(arg);
    if (length < 0)
        return FAILED;
    if (length != n) {
        levels[0] = 0;
        snprintf(p->buf, sizeof(p->buf),
                 top ? "expected %d argument%s, not %zd" : "must be sequence of length %d%s, not %zd", n,
                 top ? (n == 1 ? "" : "s") : "", length);
        return p->buf;
    }
    for (int i = 0; i < n; i++) {
        PyObject *item = PySequence_GetItem(arg, i);
        if (item == NULL) {
            PyErr_Clear();
            levels[0] = i + 1;
            levels[1] = 0;
            return "is not retrievable";
        }
        const char *msg = convert_item(p, item, levels + 1, depth + 1, 0);
        Py_DECREF(item);        /* arg still holds it */
        if (msg != NULL) {
            levels[0] = i + 1;
            return msg;
        }
    }
    return NULL;
}

static const char *convert_item(Parser *p, PyObject *arg, int *levels, int depth, int top)
{
    const char *msg;
    if (*p->format == '(') {
        if (depth > 30)
            return "(too many tuple nesting levels in argument format string)";
        p->format++;
        msg = convert_tuple(p, arg, levels, depth, top);
        if (msg == NULL)
            p->format++;
        return msg;
    }
    msg = convert_simple(p, arg);
    if (msg != NULL)
        levels[0] = 0;
    return msg;
}

/* ---- Positional arguments ---- */

typedef struct {
    int min, max;
    const char *fname, *message;
    int bad;            /* the format itself is wrong; SystemError is set */
} FormatShape;

/* Counts the units of a format, and finds what stands behind ':' and ';'. */
static FormatShape scan_format(const char *format)
{
    FormatShape s = {-1, 0, NULL, NULL, 0};
    int level = 0;
    for (const char *f = format;; f++) {
        int c = (unsigned char)*f;
        if (c == '\0')
            break;
        if (c == '(') {
            if (level++ == 0)
                s.max++;
        }
        else if (c == ')') {
            if (level-- == 0) {
                PyErr_SetString(PyExc_SystemError, "excess ')' in getargs format");
                s.bad = 1;
                return s;
            }
        }
        else if (c == ':' && level == 0) {
            s.fname = f + 1;
            break;
        }
        else if (c == ';' && level == 0) {
            s.message = f + 1;
            break;
        }
        else if (level == 0) {
            if (c == '|')
                s.min = s.max;
            else if (Py_ISALPHA(c)) {
                s.max++;
                if (c == 'e' && (f[1] == 's' || f[1] == 't'))
                    f++;
            }
        }
    }
    if (level != 0) {
        PyErr_SetString(PyExc_SystemError, "missing ')' in getargs format");
        s.bad = 1;
    }
    if (s.min < 0)
        s.min = s.max;
    return s;
}

static int parse_positional(PyObject *const *args, Py_ssize_t nargs, const char *format, va_list va)
{
    FormatShape shape = scan_format(format);
    if (shape.bad)
        return 0;
    if (nargs < shape.min || shape.max < nargs) {
        if (shape.message == NULL)
            PyErr_Format(PyExc_TypeError, "%.150s%s takes %s %d argument%s (%zd given)",
                         shape.fname == NULL ? "function" : shape.fname, shape.fname == NULL ? "" : "()",
                         shape.min == shape.max ? "exactly" : nargs < shape.min ? "at least" : "at most",
                         nargs < shape.min ? shape.min : shape.max,
                         (nargs < shape.min ? shape.min : shape.max) == 1 ? "" : "s", nargs);
        else
            PyErr_SetString(PyExc_TypeError, shape.message);
        return 0;
    }
    Cleanups cleanups;
    CLEANUPS_INIT(cleanups);
    Parser p = {.format = format, .cleanups = &cleanups};
    va_copy(p.va, va);
    int ok = 1, levels[32];
    for (Py_ssize_t i = 0; i < nargs && ok; i++) {
        if (*p.format == '|')
            p.format++;
        levels[0] = 0;
        const char *msg = convert_item(&p, args[i], levels, 0, 0);
        if (msg != NULL) {
            set_error(i + 1, msg, levels, shape.fname, shape.message);
            ok = 0;
        }
    }
    if (ok && *p.format != '\0' && !Py_ISALPHA(*p.format) && *p.format != '(' && *p.format != '|' && *p.format != ':'
        && *p.format != ';') {
        PyErr_Format(PyExc_SystemError, "bad format string: %.200s", format);
        ok = 0;
    }
    va_end(p.va);
    return finish_cleanups(&cleanups, ok);
}

int PyArg_ParseTuple(PyObject *args, const char *format, ...)
{
    va_list va;
    if (!PyTuple_Check(args)) {
        PyErr_SetString(PyExc_SystemError, "new style getargs format but argument is not a tuple");
        return 0;
    }
    va_start(va, format);
    int ok = parse_positional(((PyTupleObject *)args)->ob_item, PyTuple_GET_SIZE(args), format, va);
    va_end(va);
    return ok;
}

int _PyArg_ParseStack(PyObject *const *args, Py_ssize_t nargs, const char *format, ...)
{
    va_list va;
    va_start(va, format);
    int ok = parse_positional(args, nargs, format, va);
    va_end(va);
    return ok;
}

/* The old style: one unit takes the object itself, several take a tuple apart. */
int PyArg_VaParse(PyObject *args, const char *format, va_list va)
{
    FormatShape shape = scan_format(format);
    if (shape.bad)
        return 0;
    if (shape.max == 0) {
        if (args == NULL)
            return 1;
        PyErr_Format(PyExc_TypeError, "%.200s%s takes no arguments", shape.fname == NULL ? "function" : shape.fname,
                     shape.fname == NULL ? "" : "()");
        return 0;
    }
    if (shape.min == 1 && shape.max == 1) {
        if (args == NULL) {
            PyErr_Format(PyExc_TypeError, "%.200s%s takes at least one argument",
                         shape.fname == NULL ? "function" : shape.fname, shape.fname == NULL ? "" : "()");
            return 0;
        }
        Cleanups cleanups;
        CLEANUPS_INIT(cleanups);
        Parser p = {.format = format, .cleanups = &cleanups};
        va_copy(p.va, va);
        int levels[32] = {0};
        const char *msg = convert_item(&p, args, levels, 0, 1);
        if (msg != NULL)
            set_error(levels[0], msg, levels + 1, shape.fname, shape.message);
        va_end(p.va);
        return finish_cleanups(&cleanups, msg == NULL);
    }
    if (args == NULL || !PyTuple_Check(args)) {
        PyErr_SetString(PyExc_SystemError, "old style getargs format uses new features");
        return 0;
    }
    return parse_positional(((PyTupleObject *)args)->ob_item, PyTuple_GET_SIZE(args), format, va);
}

int PyArg_Parse(PyObject *args, const char *format, ...)
{
    va_list va;
    va_start(va, format);
    int ok = PyArg_VaParse(args, format, va);
    va_end(va);
    return ok;
}

/* ---- Keyword arguments ---- */

/* Steps over one unit without a value. NULL, or a message about the format. */
static const char *skip_item(const char **format, va_list *va)
{
    const char *f = *format;
    char c = *f++;
    switch (c) {
    case 'b': case 'B': case 'h': case 'H': case 'i': case 'I': case 'l': case 'k': case 'L': case 'K': case 'n':
    case 'f': case 'd': case 'D': case 'c': case 'C': case 'p': case 'S': case 'Y': case 'U':
        (void)va_arg(*va, void *);
        break;
    case 'e':
        (void)va_arg(*va, const char *);
        if (*f != 's' && *f != 't')
            return "impossible<bad format char>";
        f++;
        /* fall through */
    case 's': case 'z': case 'y': case 'w':
        (void)va_arg(*va, char **);
        if (*f == '#') {
            (void)va_arg(*va, Py_ssize_t *);
            f++;
        }
        else if ((c == 's' || c == 'z' || c == 'y' || c == 'w') && *f == '*') {
            f++;
        }
        break;
    case 'O':
        if (*f == '!' || *f == '&') {
            f++;
            (void)va_arg(*va, void *);
        }
        (void)va_arg(*va, PyObject **);
        break;
    case '(':
        for (;;) {
            if (*f == ')') {
                f++;
                break;
            }
            if (*f == '\0' || *f == ':' || *f == ';')
                return "unmatched left paren in format string";
            const char *msg = skip_item(&f, va);
            if (msg != NULL)
                return msg;
        }
        break;
    case ')':
        return "unmatched right paren in format string";
    default:
        return "impossible<bad format char>";
    }
    *format = f;
    return NULL;
}

/* The arguments of a call, in either form. */
typedef struct {
    PyObject *const *args;
    Py_ssize_t nargs;
    PyObject *kwargs;           /* dict or NULL */
    PyObject *kwnames;          /* tuple or NULL: values are args[nargs...] */
} CallArgs;

static Py_ssize_t keyword_count(const CallArgs *call)
{
    if (call->kwargs != NULL)
        return PyDict_GET_SIZE(call->kwargs);
    return call->kwnames != NULL ? PyTuple_GET_SIZE(call->kwnames) : 0;
}

/* The keyword argument of that name, or NULL. Borrowed: the caller of the C function holds its arguments. */
static PyObject *find_keyword(const CallArgs *call, PyObject *name)
{
    if (call->kwargs != NULL)
        return PyDict_GetItemWithError(call->kwargs, name);
    if (call->kwnames == NULL)
        return NULL;
    Py_ssize_t n = PyTuple_GET_SIZE(call->kwnames);
    for (Py_ssize_t i = 0; i < n; i++)
        if (PyTuple_GET_ITEM(call->kwnames, i) == name)
            return call->args[call->nargs + i];
    for (Py_ssize_t i = 0; i < n; i++)
        if (_PyUnicode_EQ(PyTuple_GET_ITEM(call->kwnames, i), name))
            return call->args[call->nargs + i];
    return NULL;
}

/* Is key one of the n names? */
static int is_parameter(PyObject *key, PyObject *const *names, Py_ssize_t n)
{
    for (Py_ssize_t i = 0; i < n; i++)
        if (names[i] == key || _PyUnicode_EQ(names[i], key))
            return 1;
    return 0;
}

/* Some keyword does not belong to the function, or repeats a positional argument: says which. names are those of the
 * parameters behind `pos` positional-only ones. */
static void set_keyword_error(const CallArgs *call, const char *fname, PyObject *const *names, Py_ssize_t count, int pos)
{
    for (Py_ssize_t i = pos; i < call->nargs && i - pos < count; i++) {
        PyObject *name = names[i - pos], *value = find_keyword(call, name);
        if (value != NULL) {
            PyErr_Format(PyExc_TypeError, "argument for %.200s%s given by name ('%U') and position (%zd)",
                         fname == NULL ? "function" : fname, fname == NULL ? "" : "()", name, i + 1);
            return;
        }
        if (PyErr_Occurred())
            return;
    }
    Py_ssize_t i = 0, iter = 0;
    for (;;) {
        PyObject *key, *value;
        if (call->kwargs != NULL) {
            if (!PyDict_Next(call->kwargs, &iter, &key, &value))
                break;
        }
        else {
            if (call->kwnames == NULL || i >= PyTuple_GET_SIZE(call->kwnames))
                break;
            key = PyTuple_GET_ITEM(call->kwnames, i++);
        }
        if (!PyUnicode_Check(key)) {
            PyErr_SetString(PyExc_TypeError, "keywords must be strings");
            return;
        }
        if (!is_parameter(key, names, count)) {
            PyErr_Format(PyExc_TypeError, "'%S' is an invalid keyword argument for %.200s%s", key,
                         fname == NULL ? "this function" : fname, fname == NULL ? "" : "()");
            return;
        }
    }
}

static void missing_argument(const char *fname, PyObject *name, Py_ssize_t i)
{
    PyErr_Format(PyExc_TypeError, "%.200s%s missing required argument '%U' (pos %zd)",
                 fname == NULL ? "function" : fname, fname == NULL ? "" : "()", name, i + 1);
}

/* Converts the arguments by a format with '|' and '$'.
 * names: those of the parameters that may be given by name, i.e. names[k] belongs to parameter pos + k. */
static int parse_with_names(const CallArgs *call, const char *format, PyObject *const *names, int pos, int len,
                            va_list va)
{
    const char *fname = strchr(format, ':'), *message = NULL;
    if (fname != NULL) {
        fname++;
    }
    else {
        message = strchr(format, ';');
        if (message != NULL)
            message++;
    }
    Py_ssize_t nkw = keyword_count(call);
    if (call->nargs + nkw > len) {
        /* "keyword" only if nothing was given by position, so as not to mislead */
        PyErr_Format(PyExc_TypeError, "%.200s%s takes at most %d %sargument%s (%zd given)",
                     fname == NULL ? "function" : fname, fname == NULL ? "" : "()", len,
                     call->nargs == 0 ? "keyword " : "", len == 1 ? "" : "s", call->nargs + nkw);
        return 0;
    }
    Cleanups cleanups;
    CLEANUPS_INIT(cleanups);
    Parser p = {.format = format, .cleanups = &cleanups};
    va_copy(p.va, va);
    int min = INT_MAX, max = INT_MAX, ok = 0, skip = 0, levels[32];
    Py_ssize_t left = nkw;
    for (int i = 0; i < len; i++) {
        if (*p.format == '|') {
            if (min != INT_MAX) {
                PyErr_SetString(PyExc_SystemError, "Invalid format string (| specified twice)");
                goto done;
            }
            min = i;
            p.format++;
            if (max != INT_MAX) {
                PyErr_SetString(PyExc_SystemError, "Invalid format string ($ before |)");
                goto done;
            }
            /* all that is required has been seen, and nothing more is given: done, if only the format is in order */
            skip = i >= call->nargs && left == 0;
        }
        if (*p.format == '$') {
            if (max != INT_MAX) {
                PyErr_SetString(PyExc_SystemError, "Invalid format string ($ specified twice)");
                goto done;
            }
            max = i;
            p.format++;
            if (max < pos) {
                PyErr_SetString(PyExc_SystemError, "Empty parameter name after $");
                goto done;
            }
            if (max < call->nargs) {
                PyErr_Format(PyExc_TypeError, "%.200s%s takes %s %d positional argument%s (%zd given)",
                             fname == NULL ? "function" : fname, fname == NULL ? "" : "()",
                             min != INT_MAX ? "at most" : "exactly", max, max == 1 ? "" : "s", call->nargs);
                goto done;
            }
        }
        if (*p.format == '\0' || *p.format == ':' || *p.format == ';') {
            PyErr_Format(PyExc_SystemError, "More keyword list entries (%d) than format specifiers (%d)", len, i);
            goto done;
        }
        if (!skip) {
            PyObject *value = NULL;
            if (i < call->nargs) {
                value = call->args[i];
            }
            else if (left > 0 && i >= pos) {
                value = find_keyword(call, names[i - pos]);
                if (value != NULL)
                    left--;
                else if (PyErr_Occurred())
                    goto done;
            }
            if (value != NULL) {
                levels[0] = 0;
                const char *msg = convert_item(&p, value, levels, 0, 0);
                if (msg != NULL) {
                    set_error(i + 1, msg, levels, fname, message);
                    goto done;
                }
                continue;
            }
            if (i < min) {
                if (i < pos) {
                    /* count what is required by position before saying how many */
                    int required = i;
                    const char *f = p.format;
                    va_list rest;
                    va_copy(rest, p.va);
                    for (int k = i; k < pos && *f != '|' && *f != '$'; k++, required++)
                        if (skip_item(&f, &rest) != NULL)
                            break;
                    va_end(rest);
                    PyErr_Format(PyExc_TypeError, "%.200s%s takes %s %d positional argument%s (%zd given)",
                                 fname == NULL ? "function" : fname, fname == NULL ? "" : "()",
                                 required < pos || *f == '|' ? "at least" : "exactly", required,
                                 required == 1 ? "" : "s", call->nargs);
                }
                else {
                    missing_argument(fname, names[i - pos], i);
                }
                goto done;
            }
            /* an optional argument that is absent: if nothing more is left, the rest is absent too */
            if (left == 0 && i >= call->nargs)
                skip = 1;
        }
        const char *msg = skip_item(&p.format, &p.va);
        if (msg != NULL) {
            PyErr_Format(PyExc_SystemError, "%s: '%s'", msg, format);
            goto done;
        }
    }
    if (*p.format != '\0' && *p.format != ';' && *p.format != ':' && *p.format != '|' && *p.format != '$') {
        PyErr_Format(PyExc_SystemError, "more argument specifiers than keyword list entries (remaining format:'%s')",
                     p.format);
        goto done;
    }
    if (left > 0) {
        set_keyword_error(call, fname, names, len - pos, pos);
        if (PyErr_Occurred())
            goto done;
    }
    ok = 1;
done:
    va_end(p.va);
    return finish_cleanups(&cleanups, ok);
}

#define SMALL_NAMES 16

static int va_parse_keywords(const CallArgs *call, const char *format, char **keywords, va_list va)
{
    int pos = 0, len = 0, ok = 0, made = 0;
    while (keywords[pos] != NULL && keywords[pos][0] == '\0')
        pos++;
    for (len = pos; keywords[len] != NULL; len++) {
        if (keywords[len][0] == '\0') {
            PyErr_SetString(PyExc_SystemError, "Empty keyword parameter name");
            return 0;
        }
    }
    PyObject *small[SMALL_NAMES], **names = small;
    if (len - pos > SMALL_NAMES) {
        names = PyMem_Malloc((size_t)(len - pos) * sizeof(PyObject *));
        if (names == NULL) {
            PyErr_NoMemory();
            return 0;
        }
    }
    for (; made < len - pos; made++) {
        names[made] = PyUnicode_InternFromString(keywords[pos + made]);
        if (names[made] == NULL)
            goto done;
    }
    ok = parse_with_names(call, format, names, pos, len, va);
done:
    for (int i = 0; i < made; i++)
        Py_DECREF(names[i]);
    if (names != small)
        PyMem_Free(names);
    return ok;
}

int PyArg_VaParseTupleAndKeywords(PyObject *args, PyObject *kwargs, const char *format, char **keywords, va_list va)
{
    if (args == NULL || !PyTuple_Check(args) || (kwargs != NULL && !PyDict_Check(kwargs)) || format == NULL
        || keywords == NULL) {
        PyErr_BadInternalCall();
        return 0;
    }
    CallArgs call = {((PyTupleObject *)args)->ob_item, PyTuple_GET_SIZE(args), kwargs, NULL};
    return va_parse_keywords(&call, format, keywords, va);
}

int PyArg_ParseTupleAndKeywords(PyObject *args, PyObject *kwargs, const char *format, char **keywords, ...)
{
    va_list va;
    va_start(va, keywords);
    int ok = PyArg_VaParseTupleAndKeywords(args, kwargs, format, keywords, va);
    va_end(va);
    return ok;
}

int PyArg_ValidateKeywordArguments(PyObject *kwargs)
{
    if (!PyDict_Check(kwargs)) {
        PyErr_BadInternalCall();
        return 0;
    }
    Py_ssize_t pos = 0;
    PyObject *key, *value;
    while (PyDict_Next(kwargs, &pos, &key, &value)) {
        if (!PyUnicode_Check(key)) {
            PyErr_SetString(PyExc_TypeError, "keywords must be strings");
            return 0;
        }
    }
    return 1;
}

/* ---- Parsers: descriptions that are prepared once ---- */

static PyMutex parser_lock;

/* Fills in the parser at its first use. The tuple of names is published last. 1, or 0 with an exception. */
static int parser_prepare(_PyArg_Parser *parser)
{
    if (__atomic_load_n(&parser->kwtuple, __ATOMIC_ACQUIRE) != NULL)    /* pairs with the store below */
        return 1;
    int pos = 0, len = 0;
    while (parser->keywords[pos] != NULL && parser->keywords[pos][0] == '\0')
        pos++;
    for (len = pos; parser->keywords[len] != NULL; len++) {
        if (parser->keywords[len][0] == '\0') {
            PyErr_SetString(PyExc_SystemError, "Empty keyword parameter name");
            return 0;
        }
    }
    PyObject *names = PyTuple_New(len - pos);
    if (names == NULL)
        return 0;
    for (int i = pos; i < len; i++) {
        PyObject *name = PyUnicode_InternFromString(parser->keywords[i]);
        if (name == NULL) {
            Py_DECREF(names);
            return 0;
        }
        PyTuple_SET_ITEM(names, i - pos, name);
    }
    object_set_immortal(names);
    PyMutex_Lock(&parser_lock);
    if (parser->kwtuple == NULL) {
        if (parser->format != NULL) {
            const char *colon = strchr(parser->format, ':'), *semicolon = strchr(parser->format, ';');
            if (colon != NULL)
                parser->fname = colon + 1;
            else if (semicolon != NULL)
                parser->custom_msg = semicolon + 1;
        }
        parser->pos = pos;
        __atomic_store_n(&parser->kwtuple, names, __ATOMIC_RELEASE);
    }
    PyMutex_Unlock(&parser_lock);
    return 1;
}

static int parse_prepared(const CallArgs *call, _PyArg_Parser *parser, va_list va)
{
    if (!parser_prepare(parser))
        return 0;
    PyObject *names = parser->kwtuple;
    int pos = parser->pos;
    return parse_with_names(call, parser->format, ((PyTupleObject *)names)->ob_item, pos,
                            pos + (int)PyTuple_GET_SIZE(names), va);
}

int _PyArg_VaParseTupleAndKeywordsFast(PyObject *args, PyObject *kwargs, _PyArg_Parser *parser, va_list va)
{
    if (args == NULL || !PyTuple_Check(args) || (kwargs != NULL && !PyDict_Check(kwargs)) || parser == NULL) {
        PyErr_BadInternalCall();
        return 0;
    }
    CallArgs call = {((PyTupleObject *)args)->ob_item, PyTuple_GET_SIZE(args), kwargs, NULL};
    return parse_prepared(&call, parser, va);
}

int _PyArg_ParseTupleAndKeywordsFast(PyObject *args, PyObject *kwargs, _PyArg_Parser *parser, ...)
{
    va_list va;
    va_start(va, parser);
    int ok = _PyArg_VaParseTupleAndKeywordsFast(args, kwargs, parser, va);
    va_end(va);
    return ok;
}

int _PyArg_ParseStackAndKeywords(PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames, _PyArg_Parser *parser, ...)
{
    va_list va;
    va_start(va, parser);
    CallArgs call = {args, nargs, NULL, kwnames};
    int ok = parse_prepared(&call, parser, va);
    va_end(va);
    return ok;
}

/* The common part of the two _PyArg_UnpackKeywords; vararg < 0: none, else its place among the parameters. */
static PyObject *const *unpack_keywords(PyObject *const *args, Py_ssize_t nargs, PyObject *kwargs, PyObject *kwnames,
                                        _PyArg_Parser *parser, int minpos, int maxpos, int minkw, int vararg,
                                        PyObject **buf)
{
    if (!parser_prepare(parser))
        return NULL;
    PyObject *names = parser->kwtuple;
    const char *fname = parser->fname;
    int pos = parser->pos, posonly = pos < minpos ? pos : minpos;
    int nkwparams = (int)PyTuple_GET_SIZE(names), total = pos + nkwparams;
    int minposonly = posonly;
    CallArgs call = {args, nargs, kwargs, kwnames};
    Py_ssize_t nkw = keyword_count(&call);
    if (args == NULL) {
        assert(nargs == 0);
        args = buf;
        call.args = buf;
    }
    if (vararg < 0 && nkw == 0 && minkw == 0 && minpos <= nargs && nargs <= maxpos) {
        if (args != buf)
            for (Py_ssize_t i = 0; i < nargs; i++)
                buf[i] = args[i];
        for (Py_ssize_t i = nargs; i < total; i++)
            buf[i] = NULL;
        return buf;
    }
    if (vararg < 0 && nargs + nkw > total) {
        PyErr_Format(PyExc_TypeError, "%.200s%s takes %s %d %sargument%s (%zd given)",
                     fname == NULL ? "function" : fname, fname == NULL ? "" : "()", "at most", total,
                     nargs == 0 ? "keyword " : "", total == 1 ? "" : "s", nargs + nkw);
        return NULL;
    }
    if (vararg < 0 && nargs > maxpos) {
        if (maxpos == 0)
            PyErr_Format(PyExc_TypeError, "%.200s%s takes no positional arguments", fname == NULL ? "function" : fname,
                         fname == NULL ? "" : "()");
        else
            PyErr_Format(PyExc_TypeError, "%.200s%s takes %s %zd positional argument%s (%zd given)",
                         fname == NULL ? "function" : fname, fname == NULL ? "" : "()",
                         minpos < maxpos ? "at most" : "exactly", (Py_ssize_t)maxpos, maxpos == 1 ? "" : "s", nargs);
        return NULL;
    }
    if (nargs < minposonly || (vararg >= 0 && nargs < minposonly)) {
        PyErr_Format(PyExc_TypeError, "%.200s%s takes %s %d positional argument%s (%zd given)",
                     fname == NULL ? "function" : fname, fname == NULL ? "" : "()",
                     vararg >= 0 || minposonly < maxpos ? "at least" : "exactly", minposonly,
                     minposonly == 1 ? "" : "s", nargs);
        return NULL;
    }
    /* Positional ones first. With a vararg the extra ones make a tuple at its place, and parameters behind it move up. */
    Py_ssize_t direct = vararg >= 0 && nargs > vararg ? vararg : nargs;
    Py_ssize_t width = vararg >= 0 ? total + 1 : total;
    PyObject *extra = NULL;
    if (vararg >= 0) {
        Py_ssize_t n = nargs > vararg ? nargs - vararg : 0;
        extra = PyTuple_New(n);
        if (extra == NULL)
            return NULL;
        for (Py_ssize_t i = 0; i < n; i++)
            PyTuple_SET_ITEM(extra, i, Py_NewRef(args[vararg + i]));
    }
    for (Py_ssize_t i = 0; i < direct; i++)
        buf[i] = args[i];
    for (Py_ssize_t i = direct; i < width; i++)
        buf[i] = NULL;
    if (vararg >= 0)
        buf[vararg] = extra;
    int required = minkw > 0 ? maxpos + minkw : minpos;
    for (int i = (int)direct > pos ? (int)direct : pos; i < total; i++) {
        PyObject *name = PyTuple_GET_ITEM(names, i - pos), *value = NULL;
        if (nkw > 0) {
            value = find_keyword(&call, name);
            if (value == NULL && PyErr_Occurred())
                goto error;
        }
        buf[vararg >= 0 && i >= vararg ? i + 1 : i] = value;
        if (value != NULL) {
            nkw--;
        }
        else if (i < minpos || (i >= maxpos && i < required)) {
            missing_argument(fname, name, i);
            goto error;
        }
    }
    if (nkw > 0) {
        set_keyword_error(&call, fname, ((PyTupleObject *)names)->ob_item, nkwparams, pos);
        if (PyErr_Occurred())
            goto error;
    }
    return buf;
error:
    Py_XDECREF(extra);
    if (vararg >= 0)
        buf[vararg] = NULL;
    return NULL;
}

#undef _PyArg_UnpackKeywords
PyObject *const *_PyArg_UnpackKeywords(PyObject *const *args, Py_ssize_t nargs, PyObject *kwargs, PyObject *kwnames,
                                       _PyArg_Parser *parser, int minpos, int maxpos, int minkw, PyObject **buf)
{
    return unpack_keywords(args, nargs, kwargs, kwnames, parser, minpos, maxpos, minkw, -1, buf);
}

PyObject *const *_PyArg_UnpackKeywordsWithVararg(PyObject *const *args, Py_ssize_t nargs, PyObject *kwargs,
                                                 PyObject *kwnames, _PyArg_Parser *parser, int minpos, int maxpos,
                                                 int minkw, int vararg, PyObject **buf)
{
    return unpack_keywords(args, nargs, kwargs, kwnames, parser, minpos, maxpos, minkw, vararg, buf);
}

/* ---- Plain checks ---- */

#undef _PyArg_CheckPositional
int _PyArg_CheckPositional(const char *name, Py_ssize_t nargs, Py_ssize_t min, Py_ssize_t max)
{
    if (nargs < min) {
        if (name != NULL)
            PyErr_Format(PyExc_TypeError, "%.200s expected %s%zd argument%s, got %zd", name,
                         min == max ? "" : "at least ", min, min == 1 ? "" : "s", nargs);
        else
            PyErr_Format(PyExc_TypeError, "unpacked tuple should have %s%zd element%s, but has %zd",
                         min == max ? "" : "at least ", min, min == 1 ? "" : "s", nargs);
        return 0;
    }
    if (nargs > max) {
        if (name != NULL)
            PyErr_Format(PyExc_TypeError, "%.200s expected %s%zd argument%s, got %zd", name,
                         min == max ? "" : "at most ", max, max == 1 ? "" : "s", nargs);
        else
            PyErr_Format(PyExc_TypeError, "unpacked tuple should have %s%zd element%s, but has %zd",
                         min == max ? "" : "at most ", max, max == 1 ? "" : "s", nargs);
        return 0;
    }
    return 1;
}

static int unpack_stack(PyObject *const *args, Py_ssize_t nargs, const char *name, Py_ssize_t min, Py_ssize_t max,
                        va_list va)
{
    if (!_PyArg_CheckPositional(name, nargs, min, max))
        return 0;
    for (Py_ssize_t i = 0; i < nargs; i++)
        *va_arg(va, PyObject **) = args[i];
    return 1;
}

int PyArg_UnpackTuple(PyObject *args, const char *name, Py_ssize_t min, Py_ssize_t max, ...)
{
    if (!PyTuple_Check(args)) {
        PyErr_SetString(PyExc_SystemError, "PyArg_UnpackTuple() argument list is not a tuple");
        return 0;
    }
    va_list va;
    va_start(va, max);
    int ok = unpack_stack(((PyTupleObject *)args)->ob_item, PyTuple_GET_SIZE(args), name, min, max, va);
    va_end(va);
    return ok;
}

int _PyArg_UnpackStack(PyObject *const *args, Py_ssize_t nargs, const char *name, Py_ssize_t min, Py_ssize_t max, ...)
{
    va_list va;
    va_start(va, max);
    int ok = unpack_stack(args, nargs, name, min, max, va);
    va_end(va);
    return ok;
}

#undef _PyArg_NoKeywords
#undef _PyArg_NoKwnames
#undef _PyArg_NoPositional
int _PyArg_NoKeywords(const char *funcname, PyObject *kwargs)
{
    if (kwargs == NULL)
        return 1;
    if (!PyDict_CheckExact(kwargs)) {
        PyErr_BadInternalCall();
        return 0;
    }
    if (PyDict_GET_SIZE(kwargs) == 0)
        return 1;
    PyErr_Format(PyExc_TypeError, "%.200s() takes no keyword arguments", funcname);
    return 0;
}

int _PyArg_NoKwnames(const char *funcname, PyObject *kwnames)
{
    if (kwnames == NULL || PyTuple_GET_SIZE(kwnames) == 0)
        return 1;
    PyErr_Format(PyExc_TypeError, "%s() takes no keyword arguments", funcname);
    return 0;
}

int _PyArg_NoPositional(const char *funcname, PyObject *args)
{
    if (args == NULL)
        return 1;
    if (!PyTuple_CheckExact(args)) {
        PyErr_BadInternalCall();
        return 0;
    }
    if (PyTuple_GET_SIZE(args) == 0)
        return 1;
    PyErr_Format(PyExc_TypeError, "%.200s() takes no positional arguments", funcname);
    return 0;
}

void _PyArg_BadArgument(const char *fname, const char *displayname, const char *what, PyObject *arg)
{
    PyErr_Format(PyExc_TypeError, "%.200s() %.200s must be %.50s, not %.50s", fname, displayname, what,
                 arg == Py_None ? "None" : Py_TYPE(arg)->tp_name);
}
