/* The simple types: how values of each code are read from memory and written to it. Needs no lock: the bytes are the
 * program's, and each value is moved by one copy. A reference in memory (py_object) is published before it is stored,
 * so that a reader can take it safely even while another thread replaces it. */
#include "ctypes.h"

const char ctypes_all_codes[] = "cbBhHiIlLdfuzZqQPXOv?g";

#define ROW(code, kind, type, format, ffi) {(code), (kind), sizeof(type), _Alignof(type), (format), &(ffi)}
/* The format of an integer type of the processor is that of its size. */
#define FORMAT(type, two, four, eight) (sizeof(type) == 2 ? (two) : sizeof(type) == 4 ? (four) : (eight))

static const ctypes_code codes[] = {
    ROW('c', CODE_CHAR, char, 'c', ffi_type_schar),
    ROW('b', CODE_SIGNED, signed char, 'b', ffi_type_schar),
    ROW('B', CODE_UNSIGNED, unsigned char, 'B', ffi_type_uchar),
    ROW('h', CODE_SIGNED, short, FORMAT(short, 'h', 'i', 'q'), ffi_type_sshort),
    ROW('H', CODE_UNSIGNED, unsigned short, FORMAT(short, 'H', 'I', 'Q'), ffi_type_ushort),
    ROW('i', CODE_SIGNED, int, FORMAT(int, 'h', 'i', 'q'), ffi_type_sint),
    ROW('I', CODE_UNSIGNED, unsigned, FORMAT(int, 'H', 'I', 'Q'), ffi_type_uint),
    ROW('l', CODE_SIGNED, long, FORMAT(long, 'h', 'l', 'q'), ffi_type_slong),
    ROW('L', CODE_UNSIGNED, unsigned long, FORMAT(long, 'H', 'L', 'Q'), ffi_type_ulong),
    ROW('q', CODE_SIGNED, long long, 'q', ffi_type_sint64),
    ROW('Q', CODE_UNSIGNED, unsigned long long, 'Q', ffi_type_uint64),
    ROW('?', CODE_BOOL, bool, '?', ffi_type_uchar),
    ROW('v', CODE_VARIANT_BOOL, short, 'v', ffi_type_sshort),
    ROW('f', CODE_FLOAT, float, 'f', ffi_type_float),
    ROW('d', CODE_DOUBLE, double, 'd', ffi_type_double),
    ROW('g', CODE_LONG_DOUBLE, long double, 'g', ffi_type_longdouble),
    ROW('u', CODE_WCHAR, wchar_t, 'u', ffi_type_sint32),
    ROW('z', CODE_STRING, char *, 'z', ffi_type_pointer),
    ROW('Z', CODE_WSTRING, wchar_t *, 'Z', ffi_type_pointer),
    ROW('P', CODE_POINTER, void *, 'P', ffi_type_pointer),
    ROW('O', CODE_OBJECT, PyObject *, 'O', ffi_type_pointer),
};
_Static_assert(sizeof(wchar_t) == 4, "the row of 'u' takes a wchar_t for a 32-bit integer");

const ctypes_code ctypes_code_chars = {'s', CODE_CHARS, 0, 1, 's', &ffi_type_pointer};
const ctypes_code ctypes_code_wchars = {'U', CODE_WCHARS, 0, _Alignof(wchar_t), 'U', &ffi_type_pointer};

const ctypes_code *ctypes_code_find(char code)
{
    for (size_t i = 0; i < Py_ARRAY_LENGTH(codes); i++)
        if (codes[i].code == code)
            return &codes[i];
    return NULL;
}

bool ctypes_code_is_integer(const ctypes_code *code)
{
    return code->kind == CODE_SIGNED || code->kind == CODE_UNSIGNED || code->kind == CODE_BOOL
           || code->kind == CODE_VARIANT_BOOL;
}

bool ctypes_code_is_swappable(const ctypes_code *code)
{
    return code->size > 1 && code->kind <= CODE_DOUBLE && code->kind != CODE_BOOL;
}

/* ---- Integers ---- */

static uint64_t read_integer(const ctypes_access *access, const char *p)
{
    uint64_t wide = 0;
    switch (access->code->size) {
    case 1: wide = *(const uint8_t *)p; break;
    case 2: { uint16_t n; memcpy(&n, p, 2); wide = access->swapped ? __builtin_bswap16(n) : n; break; }
    case 4: { uint32_t n; memcpy(&n, p, 4); wide = access->swapped ? __builtin_bswap32(n) : n; break; }
    default: { uint64_t n; memcpy(&n, p, 8); wide = access->swapped ? __builtin_bswap64(n) : n; break; }
    }
    return wide;
}

static void write_integer(const ctypes_access *access, char *p, uint64_t wide)
{
    switch (access->code->size) {
    case 1: *(uint8_t *)p = (uint8_t)wide; break;
    case 2: { uint16_t n = (uint16_t)wide; n = access->swapped ? __builtin_bswap16(n) : n; memcpy(p, &n, 2); break; }
    case 4: { uint32_t n = (uint32_t)wide; n = access->swapped ? __builtin_bswap32(n) : n; memcpy(p, &n, 4); break; }
    default: { uint64_t n = access->swapped ? __builtin_bswap64(wide) : wide; memcpy(p, &n, 8); break; }
    }
}

static bool is_truth(const ctypes_code *code) { return code->kind == CODE_BOOL || code->kind == CODE_VARIANT_BOOL; }

static PyObject *get_integer(const ctypes_access *access, const char *p)
{
    if (access->code->kind == CODE_SIGNED && access->code->size == sizeof(int) && access->bit_count == 0
        && !access->swapped) {
        int plain;                      /* by far the most frequent */
        memcpy(&plain, p, sizeof(plain));
        return PyLong_FromLong(plain);
    }
    uint64_t n = read_integer(access, p);
    unsigned width = access->bit_count != 0 ? access->bit_count : 8u * access->code->size;
    n = (n >> access->bit_start) << (64 - width);
    if (access->code->kind == CODE_SIGNED)
        return PyLong_FromLongLong((int64_t)n >> (64 - width));
    n >>= 64 - width;
    return is_truth(access->code) ? PyBool_FromLong(n != 0) : PyLong_FromUnsignedLongLong(n);
}

static PyObject *set_integer(const ctypes_access *access, char *p, PyObject *value)
{
    uint64_t n;
    if (is_truth(access->code)) {
        int truth = PyObject_IsTrue(value);
        if (truth < 0)
            return NULL;
        n = truth && access->code->kind == CODE_VARIANT_BOOL ? UINT64_MAX : (uint64_t)truth;
    }
    else {
        n = PyLong_AsUnsignedLongLongMask(value);
        if (n == UINT64_MAX && PyErr_Occurred())
            return NULL;
    }
    if (access->bit_count != 0) {
        uint64_t mask = (UINT64_MAX >> (64 - access->bit_count)) << access->bit_start;
        n = (read_integer(access, p) & ~mask) | ((n << access->bit_start) & mask);
    }
    write_integer(access, p, n);
    return Py_NewRef(Py_None);
}

/* ---- Floats ---- */

static PyObject *get_float(const ctypes_access *access, const char *p)
{
    double d;
    int little = PY_LITTLE_ENDIAN != access->swapped;
    if (access->code->kind == CODE_LONG_DOUBLE) {
        long double g;
        memcpy(&g, p, sizeof(g));
        return PyFloat_FromDouble((double)g);
    }
    d = access->code->kind == CODE_FLOAT ? PyFloat_Unpack4(p, little) : PyFloat_Unpack8(p, little);
    return d == -1.0 && PyErr_Occurred() ? NULL : PyFloat_FromDouble(d);
}

static PyObject *set_float(const ctypes_access *access, char *p, PyObject *value)
{
    int little = PY_LITTLE_ENDIAN != access->swapped;
    double d = PyFloat_AsDouble(value);
    if (d == -1.0 && PyErr_Occurred())
        return NULL;
    if (access->code->kind == CODE_LONG_DOUBLE) {
        long double g = d;
        memcpy(p, &g, sizeof(g));
    }
    /* What is out of range for a float is infinite, as in C. */
    else if ((access->code->kind == CODE_FLOAT ? PyFloat_Pack4((float)d, p, little) : PyFloat_Pack8(d, p, little)) < 0)
        return NULL;
    return Py_NewRef(Py_None);
}

/* ---- Characters ---- */

static PyObject *set_char(char *p, PyObject *value)
{
    if (PyBytes_Check(value) && PyBytes_GET_SIZE(value) == 1)
        *p = PyBytes_AS_STRING(value)[0];
    else if (PyByteArray_Check(value) && PyByteArray_Size(value) == 1) {
        Py_buffer view;         /* holds the memory while it is read */
        if (PyObject_GetBuffer(value, &view, PyBUF_SIMPLE) < 0)
            return NULL;
        if (view.len > 0)
            *p = *(char *)view.buf;
        PyBuffer_Release(&view);
    }
    else {
        int overflow;
        long n = PyLong_Check(value) ? PyLong_AsLongAndOverflow(value, &overflow) : -1;
        if (n < 0 || n > 255) {
            if (!PyErr_Occurred())
                PyErr_SetString(PyExc_TypeError, "one character bytes, bytearray or integer expected");
            return NULL;
        }
        *p = (char)n;
    }
    return Py_NewRef(Py_None);
}

static PyObject *set_wchar(char *p, PyObject *value)
{
    if (!PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError, "unicode string expected instead of %s instance", Py_TYPE(value)->tp_name);
        return NULL;
    }
    if (PyUnicode_GET_LENGTH(value) != 1) {
        PyErr_SetString(PyExc_TypeError, "one character unicode string expected");
        return NULL;
    }
    wchar_t w = (wchar_t)PyUnicode_READ_CHAR(value, 0);
    memcpy(p, &w, sizeof(w));
    return Py_NewRef(Py_None);
}

static PyObject *get_chars(const ctypes_access *access, const char *p)
{
    return PyBytes_FromStringAndSize(p, (Py_ssize_t)strnlen(p, (size_t)access->size));
}

static PyObject *set_chars(const ctypes_access *access, char *p, PyObject *value)
{
    if (!PyBytes_Check(value)) {
        PyErr_Format(PyExc_TypeError, "expected bytes, %s found", Py_TYPE(value)->tp_name);
        return NULL;
    }
    /* A string of C: it ends at the first zero byte. */
    Py_ssize_t size = (Py_ssize_t)strlen(PyBytes_AS_STRING(value));
    if (size > access->size) {
        PyErr_Format(PyExc_ValueError, "bytes too long (%zd, maximum length %zd)", size, access->size);
        return NULL;
    }
    /* with the zero byte behind the contents, if there is room */
    memcpy(p, PyBytes_AS_STRING(value), (size_t)(size < access->size ? size + 1 : size));
    return Py_NewRef(Py_None);
}

PyObject *ctypes_text(const wchar_t *p, Py_ssize_t n)
{
    wchar_t few[64], *copy = few;
    if (n > (Py_ssize_t)Py_ARRAY_LENGTH(few) && (copy = PyMem_New(wchar_t, (size_t)n)) == NULL)
        return PyErr_NoMemory();
    memcpy(copy, p, (size_t)n * sizeof(wchar_t));
    PyObject *text = PyUnicode_FromWideChar(copy, n);
    if (copy != few)
        PyMem_Free(copy);
    return text;
}

static PyObject *get_wchars(const ctypes_access *access, const char *p)
{
    Py_ssize_t room = access->size / (Py_ssize_t)sizeof(wchar_t);
    return ctypes_text((const wchar_t *)p, (Py_ssize_t)wcsnlen((const wchar_t *)p, (size_t)room));
}

static PyObject *set_wchars(const ctypes_access *access, char *p, PyObject *value)
{
    Py_ssize_t room = access->size / (Py_ssize_t)sizeof(wchar_t);
    if (!PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError, "unicode string expected instead of %s instance", Py_TYPE(value)->tp_name);
        return NULL;
    }
    Py_ssize_t size = PyUnicode_GET_LENGTH(value);
    if (size > room) {
        PyErr_Format(PyExc_ValueError, "string too long (%zd, maximum length %zd)", size, room);
        return NULL;
    }
    return PyUnicode_AsWideChar(value, (wchar_t *)p, room) < 0 ? NULL : Py_NewRef(value);
}

/* ---- Addresses ---- */

static const char wide_name[] = "_ctypes wide string";

static void free_wide(PyObject *capsule)
{
    PyMem_Free(PyCapsule_GetPointer(capsule, wide_name));
}

/* A copy of the text for C, in an object that holds it. */
static PyObject *wide_copy(PyObject *value, void **address)
{
    Py_ssize_t length;          /* asked for, so that the text may contain zeros */
    wchar_t *wide = PyUnicode_AsWideCharString(value, &length);
    PyObject *capsule = wide != NULL ? PyCapsule_New(wide, wide_name, free_wide) : NULL;
    if (capsule == NULL)
        PyMem_Free(wide);
    *address = wide;
    return capsule;
}

static PyObject *set_address(const ctypes_access *access, char *p, PyObject *value)
{
    void *address = NULL;
    PyObject *keep = NULL;
    int kind = access->code->kind;
    if (value == Py_None)
        keep = Py_NewRef(Py_None);
    else if (PyLong_Check(value)) {
        address = (void *)(uintptr_t)PyLong_AsUnsignedLongLongMask(value);
        keep = PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
    }
    else if (kind == CODE_STRING && PyBytes_Check(value)) {
        address = PyBytes_AS_STRING(value);
        keep = Py_NewRef(value);
    }
    else if (kind == CODE_WSTRING && PyUnicode_Check(value))
        keep = wide_copy(value, &address);
    else if (kind == CODE_POINTER)
        PyErr_SetString(PyExc_TypeError, "cannot be converted to pointer");
    else
        PyErr_Format(PyExc_TypeError, "%s or integer address expected instead of %s instance",
                     kind == CODE_STRING ? "bytes" : "unicode string", Py_TYPE(value)->tp_name);
    if (keep != NULL)
        memcpy(p, &address, sizeof(address));
    return keep;
}

static PyObject *get_address(const ctypes_access *access, const char *p)
{
    void *address;
    memcpy(&address, p, sizeof(address));
    if (address == NULL)
        return Py_NewRef(Py_None);
    switch (access->code->kind) {
    case CODE_STRING: return PyBytes_FromString(address);
    case CODE_WSTRING: return ctypes_text(address, (Py_ssize_t)wcslen(address));
    default: return PyLong_FromVoidPtr(address);
    }
}

static PyObject *load_object_borrowed(const char *p)
{
    PyObject *op;
    if (((uintptr_t)p & (sizeof(op) - 1)) == 0)
        return __atomic_load_n((PyObject *const *)p, __ATOMIC_ACQUIRE);     /* pairs with set_object */
    memcpy(&op, p, sizeof(op));
    return op;
}

static PyObject *get_object(const char *p)
{
    PyObject *op = load_object_borrowed(p), *again;
    while (op != NULL && !object_try_incref(op)) {
        /* It died meanwhile: another thread has replaced it. */
        again = load_object_borrowed(p);
        op = again != op ? again : NULL;
    }
    if (op == NULL)
        PyErr_SetString(PyExc_ValueError, "PyObject is NULL");
    return op;
}

static PyObject *set_object(char *p, PyObject *value)
{
    object_publish(value);
    if (((uintptr_t)p & (sizeof(value) - 1)) == 0)
        __atomic_store_n((PyObject **)p, value, __ATOMIC_RELEASE);      /* pairs with get_object */
    else
        memcpy(p, &value, sizeof(value));
    return Py_NewRef(value);
}

/* ---- All together ---- */

PyObject *ctypes_code_get(const ctypes_access *access, const char *p)
{
    switch ((enum ctypes_code_kind)access->code->kind) {
    case CODE_SIGNED: case CODE_UNSIGNED: case CODE_BOOL: case CODE_VARIANT_BOOL:
        return get_integer(access, p);
    case CODE_FLOAT: case CODE_DOUBLE: case CODE_LONG_DOUBLE: return get_float(access, p);
    case CODE_CHAR: return PyBytes_FromStringAndSize(p, 1);
    case CODE_WCHAR: return ctypes_text((const wchar_t *)p, 1);
    case CODE_STRING: case CODE_WSTRING: case CODE_POINTER: return get_address(access, p);
    case CODE_OBJECT: return get_object(p);
    case CODE_CHARS: return get_chars(access, p);
    case CODE_WCHARS: return get_wchars(access, p);
    }
    Py_UNREACHABLE();
}

PyObject *ctypes_code_set(const ctypes_access *access, char *p, PyObject *value)
{
    switch ((enum ctypes_code_kind)access->code->kind) {
    case CODE_SIGNED: case CODE_UNSIGNED: case CODE_BOOL: case CODE_VARIANT_BOOL:
        return set_integer(access, p, value);
    case CODE_FLOAT: case CODE_DOUBLE: case CODE_LONG_DOUBLE: return set_float(access, p, value);
    case CODE_CHAR: return set_char(p, value);
    case CODE_WCHAR: return set_wchar(p, value);
    case CODE_STRING: case CODE_WSTRING: case CODE_POINTER: return set_address(access, p, value);
    case CODE_OBJECT: return set_object(p, value);
    case CODE_CHARS: return set_chars(access, p, value);
    case CODE_WCHARS: return set_wchars(access, p, value);
    }
    Py_UNREACHABLE();
}
