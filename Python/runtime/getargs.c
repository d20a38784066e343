/* PyArg_Parse and its family: format strings that turn Python arguments into C values.
 *
 * convert_simple handles one unit that is not a parenthesis; convert_tuple one "(...)".  Both advance the format and
 * the va_list, and answer NULL for success or a message about what was expected ("" when an exception is set already).
 * Memory and buffers handed out are noted in a list, so that a failure further on gives them back. */
#include "getargs.h"

/* ---- What has to be undone on failure ---- */

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
int getargs_finish_cleanups(Cleanups *list, int ok)
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

/* ---- Messages ---- */

/* levels[]: the path of argument numbers from nested parentheses, ended by 0. */
void getargs_set_error(Py_ssize_t iarg, const char *msg, const int *levels, const char *fname, const char *message)
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
    if (m != NULL && m->bf_releasebuffer != NULL) {
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
            return expected(error, arg, p->buf, sizeof(p->buf));
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
        bytes = PyBytes_Check(arg) ? Py_NewRef(arg) : PyBytes_FromObject(arg);
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
        result = expected("encoded string without null bytes", arg, p->buf, sizeof(p->buf));
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
        int is_one;
        Py_BEGIN_CRITICAL_SECTION(arg);
        is_one = PyByteArray_GET_SIZE(arg) == 1;
        if (is_one)
            *out = PyByteArray_AS_STRING(arg)[0];
        Py_END_CRITICAL_SECTION();
        if (is_one)
            return NULL;
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
static const char *convert_tuple(Parser *p, PyObject *arg, int *levels, int depth)
{
    int n = count_units(p->format);
    if (!PySequence_Check(arg) || PyBytes_Check(arg)) {
        levels[0] = 0;
        snprintf(p->buf, sizeof(p->buf), "must be %d-item sequence, not %.50s", n,
                 arg == Py_None ? "None" : Py_TYPE(arg)->tp_name);
        return p->buf;
    }
    Py_ssize_t length = PySequence_Size(arg);
    if (length < 0)
        return FAILED;
    if (length != n) {
        levels[0] = 0;
        snprintf(p->buf, sizeof(p->buf), "must be sequence of length %d, not %zd", n, length);
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
        const char *msg = getargs_convert_item(p, item, levels + 1, depth + 1);
        Py_DECREF(item);        /* arg still holds it */
        if (msg != NULL) {
            levels[0] = i + 1;
            return msg;
        }
    }
    return NULL;
}

const char *getargs_convert_item(Parser *p, PyObject *arg, int *levels, int depth)
{
    const char *msg;
    if (*p->format == '(') {
        if (depth > 30)
            return "(too many tuple nesting levels in argument format string)";
        p->format++;
        msg = convert_tuple(p, arg, levels, depth);
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
    Parser p;                   /* the buffer for messages is filled when there is one */
    p.format = format;
    p.cleanups = &cleanups;
    va_copy(p.va, va);
    int ok = 1, levels[32];
    for (Py_ssize_t i = 0; i < nargs && ok; i++) {
        if (*p.format == '|')
            p.format++;
        if (getargs_take_plain(&p, args[i]))
            continue;
        levels[0] = 0;
        const char *msg = getargs_convert_item(&p, args[i], levels, 0);
        if (msg != NULL) {
            getargs_set_error(i + 1, msg, levels, shape.fname, shape.message);
            ok = 0;
        }
    }
    if (ok && *p.format != '\0' && !Py_ISALPHA(*p.format) && *p.format != '(' && *p.format != '|' && *p.format != ':'
        && *p.format != ';') {
        PyErr_Format(PyExc_SystemError, "bad format string: %.200s", format);
        ok = 0;
    }
    va_end(p.va);
    return getargs_finish_cleanups(&cleanups, ok);
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
        const char *msg = getargs_convert_item(&p, args, levels, 0);
        if (msg != NULL)
            getargs_set_error(levels[0], msg, levels + 1, shape.fname, shape.message);
        va_end(p.va);
        return getargs_finish_cleanups(&cleanups, msg == NULL);
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
