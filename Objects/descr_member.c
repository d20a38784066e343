/* Fields of C structs read and written as attributes. */
#include "Python.h"

#include "method_ref.h"
#include "type.h"
#include "unicode.h"

/* ---- Object fields ---- */

static PyObject **field(const char *addr, const PyMemberDef *member) { return (PyObject **)(addr + member->offset); }

static PyObject *read_object(const char *addr, const PyMemberDef *member)
{
    if (member->flags & _Py_MEMBER_LOCK_FREE)
        return published_field_ref(field(addr, member));
    /* under the object's lock, where whoever replaces the field in C is: not even the flags of what it holds may be read without */
    int locked = container_lock((PyObject *)addr);
    PyObject *value = __atomic_load_n(field(addr, member), __ATOMIC_ACQUIRE);
    Py_XINCREF(value);
    container_unlock((PyObject *)addr, locked);
    return value;
}

static PyObject *write_object(char *addr, const PyMemberDef *member, PyObject *value)
{
    if (value != NULL) {
        object_publish(value);
        Py_INCREF(value);
    }
    int locked = container_lock(addr);
    PyObject *old = __atomic_exchange_n(field(addr, member), value, __ATOMIC_ACQ_REL);     /* pairs with published_field_ref */
    container_unlock(addr, locked);
    if (old != NULL)
        object_publish(old);        /* somebody may just have loaded it: its memory must outlive that */
    return old;
}

static PyObject *missing(const char *addr, const PyMemberDef *member)
{
    PyObject *name = PyUnicode_FromString(member->name);
    if (name != NULL) {
        object_attribute_error((PyObject *)addr, name);
        Py_DECREF(name);
    }
    return NULL;
}

/* ---- Numbers: each read and written whole, whoever does so at the same time ---- */

#define LOAD(type, p) __atomic_load_n((const type *)(const void *)(p), __ATOMIC_RELAXED)
#define STORE(type, p, value) __atomic_store_n((type *)(void *)(p), (type)(value), __ATOMIC_RELAXED)

static double load_double(const char *p)
{
    double value;
    __atomic_load((const double *)(const void *)p, &value, __ATOMIC_RELAXED);
    return value;
}

static float load_float(const char *p)
{
    float value;
    __atomic_load((const float *)(const void *)p, &value, __ATOMIC_RELAXED);
    return value;
}

/* ---- Reading ---- */

PyObject *PyMember_GetOne(const char *addr, PyMemberDef *member)
{
    const char *p = addr + member->offset;
    PyObject *value;
    switch (member->type) {
    case T_BOOL: return PyBool_FromLong(LOAD(char, p));
    case T_BYTE: return PyLong_FromLong(LOAD(signed char, p));
    case T_UBYTE: return PyLong_FromUnsignedLong(LOAD(unsigned char, p));
    case T_SHORT: return PyLong_FromLong(LOAD(short, p));
    case T_USHORT: return PyLong_FromUnsignedLong(LOAD(unsigned short, p));
    case T_INT: return PyLong_FromLong(LOAD(int, p));
    case T_UINT: return PyLong_FromUnsignedLong(LOAD(unsigned int, p));
    case T_LONG: return PyLong_FromLong(LOAD(long, p));
    case T_ULONG: return PyLong_FromUnsignedLong(LOAD(unsigned long, p));
    case T_PYSSIZET: return PyLong_FromSsize_t(LOAD(Py_ssize_t, p));
    case T_LONGLONG: return PyLong_FromLongLong(LOAD(long long, p));
    case T_ULONGLONG: return PyLong_FromUnsignedLongLong(LOAD(unsigned long long, p));
    case T_FLOAT: return PyFloat_FromDouble((double)load_float(p));
    case T_DOUBLE: return PyFloat_FromDouble(load_double(p));
    case T_STRING: return *(char *const *)p != NULL ? PyUnicode_FromString(*(char *const *)p) : Py_None;
    case T_STRING_INPLACE: return PyUnicode_FromString(p);
    case T_CHAR: return PyUnicode_FromStringAndSize(p, 1);
    case T_NONE: return Py_None;
    case T_OBJECT:
        value = read_object(addr, member);
        return value != NULL ? value : Py_None;
    case T_OBJECT_EX:
        value = read_object(addr, member);
        return value != NULL ? value : missing(addr, member);
    default:
        PyErr_SetString(PyExc_SystemError, "bad memberdescr type");
        return NULL;
    }
}

/* ---- Writing ---- */

static int range_warning(const char *type)
{
    char text[80];
    snprintf(text, sizeof(text), "Truncation of value to %s", type);
    return PyErr_WarnEx(PyExc_RuntimeWarning, text, 1);
}

static int set_signed(char *p, int type, PyObject *value)
{
    long n = PyLong_AsLong(value);
    if (n == -1 && PyErr_Occurred())
        return -1;
    switch (type) {
    case T_BYTE:
        STORE(signed char, p, n);
        return n > SCHAR_MAX || n < SCHAR_MIN ? range_warning("char") : 0;
    case T_UBYTE:
        STORE(unsigned char, p, n);
        return n > UCHAR_MAX || n < 0 ? range_warning("unsigned char") : 0;
    case T_SHORT:
        STORE(short, p, n);
        return n > SHRT_MAX || n < SHRT_MIN ? range_warning("short") : 0;
    case T_USHORT:
        STORE(unsigned short, p, n);
        return n > USHRT_MAX || n < 0 ? range_warning("unsigned short") : 0;
    case T_INT:
        STORE(int, p, n);
        return n > INT_MAX || n < INT_MIN ? range_warning("int") : 0;
    default:
        STORE(long, p, n);
        return 0;
    }
}

static int set_unsigned(char *p, int type, PyObject *value)
{
    unsigned long n = PyLong_AsUnsignedLong(value);
    if (n == (unsigned long)-1 && PyErr_Occurred()) {
        /* negative numbers are let through, with a warning */
        PyErr_Clear();
        n = (unsigned long)PyLong_AsLong(value);
        if (n == (unsigned long)-1 && PyErr_Occurred())
            return -1;
        if (type == T_UINT)
            STORE(unsigned int, p, n);
        else
            STORE(unsigned long, p, n);
        return PyErr_WarnEx(PyExc_RuntimeWarning, "Writing negative value into unsigned field", 1);
    }
    if (type == T_UINT) {
        STORE(unsigned int, p, n);
        return n > UINT_MAX ? range_warning("unsigned int") : 0;
    }
    STORE(unsigned long, p, n);
    return 0;
}

static int set_double(char *p, int type, PyObject *value)
{
    double d = PyFloat_AsDouble(value);
    if (d == -1.0 && PyErr_Occurred())
        return -1;
    float f = (float)d;
    if (type == T_FLOAT)
        __atomic_store((float *)(void *)p, &f, __ATOMIC_RELAXED);
    else
        __atomic_store((double *)(void *)p, &d, __ATOMIC_RELAXED);
    return 0;
}

static int set_object(char *addr, PyMemberDef *member, PyObject *value)
{
    PyObject *old = write_object(addr, member, value);
    if (value == NULL && old == NULL && member->type == T_OBJECT_EX) {
        PyErr_SetString(PyExc_AttributeError, member->name);
        return -1;
    }
    Py_XDECREF(old);
    return 0;
}

int PyMember_SetOne(char *addr, PyMemberDef *member, PyObject *value)
{
    char *p = addr + member->offset;
    if (member->flags & READONLY) {
        PyErr_SetString(PyExc_AttributeError, "readonly attribute");
        return -1;
    }
    if (value == NULL && member->type != T_OBJECT_EX && member->type != T_OBJECT) {
        PyErr_SetString(PyExc_TypeError, "can't delete numeric/char attribute");
        return -1;
    }
    switch (member->type) {
    case T_BOOL:
        if (!PyBool_Check(value)) {
            PyErr_SetString(PyExc_TypeError, "attribute value type must be bool");
            return -1;
        }
        STORE(char, p, value == Py_True);
        return 0;
    case T_BYTE: case T_UBYTE: case T_SHORT: case T_USHORT: case T_INT: case T_LONG:
        return set_signed(p, member->type, value);
    case T_UINT: case T_ULONG:
        return set_unsigned(p, member->type, value);
    case T_PYSSIZET: {
        Py_ssize_t n = PyLong_AsSsize_t(value);
        if (n == -1 && PyErr_Occurred())
            return -1;
        STORE(Py_ssize_t, p, n);
        return 0;
    }
    case T_LONGLONG: {
        long long n = PyLong_AsLongLong(value);
        if (n == -1 && PyErr_Occurred())
            return -1;
        STORE(long long, p, n);
        return 0;
    }
    case T_ULONGLONG: {
        unsigned long long n = PyLong_AsUnsignedLongLong(value);
        if (n == (unsigned long long)-1 && PyErr_Occurred())
            return -1;
        STORE(unsigned long long, p, n);
        return 0;
    }
    case T_FLOAT: case T_DOUBLE:
        return set_double(p, member->type, value);
    case T_OBJECT: case T_OBJECT_EX:
        return set_object(addr, member, value);
    case T_CHAR: {
        Py_ssize_t n;
        const char *text = PyUnicode_AsUTF8AndSize(value, &n);
        if (text == NULL || n != 1) {
            PyErr_BadArgument();
            return -1;
        }
        STORE(char, p, text[0]);
        return 0;
    }
    case T_STRING: case T_STRING_INPLACE:
        PyErr_SetString(PyExc_TypeError, "readonly attribute");
        return -1;
    default:
        PyErr_Format(PyExc_SystemError, "bad memberdescr type for %s", member->name);
        return -1;
    }
}
