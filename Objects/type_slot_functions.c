/* The C slots of classes that define special methods in Python: each looks its method up and calls it. */
#include "Python.h"

#include "internal/abstract.h"
#include "call.h"
#include "method_ref.h"
#include "tuple.h"
#include "type.h"
#include "type_slots.h"
#include "unicode.h"

/* ---- Finding and calling ---- */

/* args[0].name(args[1], ...); AttributeError if there is no such method. */
static PyObject *call_method(PyObject *name, PyObject *const *args, Py_ssize_t n)
{
    struct method_ref m;
    int found = method_ref_take(args[0], name, &m);
    if (Py_LIKELY(found > 0))
        return method_ref_call(&m, args, n);
    if (found == 0)
        PyErr_SetObject(PyExc_AttributeError, name);
    return NULL;
}

/* The same, but Py_NotImplemented if there is none. */
static PyObject *call_maybe(PyObject *name, PyObject *const *args, Py_ssize_t n)
{
    struct method_ref m;
    int found = method_ref_take(args[0], name, &m);
    if (Py_LIKELY(found > 0))
        return method_ref_call(&m, args, n);
    return found < 0 ? NULL : Py_NotImplemented;
}

/* For repr() and comparisons: a look-up that fails counts as none. */
static PyObject *call_if_found(PyObject *name, PyObject *const *args, Py_ssize_t n)
{
    struct method_ref m;
    int found = method_ref_take(args[0], name, &m);
    if (Py_LIKELY(found > 0))
        return method_ref_call(&m, args, n);
    if (found < 0)
        PyErr_Clear();
    return Py_NotImplemented;
}

/* With a tuple and a dict of arguments. The method may be the class itself, or an instance: no activation bounds that recursion. */
static PyObject *call_with_tuple(PyObject *self, PyObject *name, PyObject *args, PyObject *kwds)
{
    struct method_ref m;
    if (call_check_stack(" while calling a Python object"))
        return NULL;
    int found = method_ref_take(self, name, &m);
    if (found <= 0) {
        if (found == 0)
            PyErr_SetObject(PyExc_AttributeError, name);
        return NULL;
    }
    PyObject *result = m.self_needed ? _PyObject_Call_Prepend(m.func, self, args, kwds) : PyObject_Call(m.func, args, kwds);
    method_ref_drop(&m);
    return result;
}

static PyObject *call_unary(PyObject *self, PyObject *name)
{
    PyObject *args[1] = {self};
    return call_method(name, args, 1);
}

/* ---- repr, str, hash, call ---- */

PyObject *slot_tp_repr(PyObject *self)
{
    PyObject *args[1] = {self};
    PyObject *result = call_if_found(STR(__repr__), args, 1);
    if (result == Py_NotImplemented)
        return PyUnicode_FromFormat("<%s object at %p>", Py_TYPE(self)->tp_name, self);
    return result;
}

PyObject *slot_tp_str(PyObject *self) { return call_unary(self, STR(__str__)); }

Py_hash_t slot_tp_hash(PyObject *self)
{
    struct method_ref m;
    int found = method_ref_take(self, STR(__hash__), &m);
    if (found <= 0 || m.func == Py_None)
        return found < 0 ? -1 : PyObject_HashNotImplemented(self);
    PyObject *result = method_ref_call(&m, &self, 1);
    if (result == NULL)
        return -1;
    if (!PyLong_Check(result)) {
        PyErr_SetString(PyExc_TypeError, "__hash__ method should return an integer");
        Py_DECREF(result);
        return -1;
    }
    /* What does not fit is reduced as int itself hashes. */
    Py_hash_t hash = PyLong_AsSsize_t(result);
    if (hash == -1 && PyErr_Occurred()) {
        PyErr_Clear();
        hash = PyLong_Type.tp_hash(result);
    }
    Py_DECREF(result);
    return hash == -1 ? -2 : hash;
}

PyObject *slot_tp_call(PyObject *self, PyObject *args, PyObject *kwds)
{
    return call_with_tuple(self, STR(__call__), args, kwds);
}

/* ---- Attributes ---- */

static PyObject *call_getattr_hook(PyObject *self, PyObject *name)
{
    PyObject *args[2] = {self, name};
    struct method_ref hook;
    return method_ref_take(self, STR(__getattr__), &hook) > 0 ? method_ref_call(&hook, args, 2) : NULL;
}

PyObject *slot_tp_getattr_generic(PyObject *self, PyObject *name)
{
    PyObject *value = object_generic_getattr(self, name, NULL, 1);
    if (value != NULL)
        return value;
    if (PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError))
            return NULL;
        PyErr_Clear();
    }
    value = call_getattr_hook(self, name);
    if (value == NULL && !PyErr_Occurred())
        return object_attribute_error(self, name);
    return value;
}

PyObject *slot_tp_getattr_hook(PyObject *self, PyObject *name)
{
    PyObject *args[2] = {self, name};
    struct method_ref hook;
    PyObject *value = call_method(STR(__getattribute__), args, 2);
    if (value != NULL || !PyErr_ExceptionMatches(PyExc_AttributeError))
        return value;
    PyObject *type, *error, *traceback;
    PyErr_Fetch(&type, &error, &traceback);
    int found = method_ref_take(self, STR(__getattr__), &hook);
    if (found <= 0) {
        if (found < 0) {
            Py_XDECREF(type);
            Py_XDECREF(error);
            Py_XDECREF(traceback);
        }
        else
            PyErr_Restore(type, error, traceback);
        return NULL;
    }
    Py_XDECREF(type);
    Py_XDECREF(error);
    Py_XDECREF(traceback);
    return method_ref_call(&hook, args, 2);
}

PyObject *slot_tp_getattro(PyObject *self, PyObject *name)
{
    PyObject *args[2] = {self, name};
    return call_method(STR(__getattribute__), args, 2);
}

static int none_to_int(PyObject *result)
{
    if (result == NULL)
        return -1;
    Py_DECREF(result);
    return 0;
}

int slot_tp_setattro(PyObject *self, PyObject *name, PyObject *value)
{
    PyObject *args[3] = {self, name, value};
    return none_to_int(value != NULL ? call_method(STR(__setattr__), args, 3) : call_method(STR(__delattr__), args, 2));
}

/* ---- Comparison ---- */

PyObject *slot_tp_richcompare(PyObject *self, PyObject *other, int op)
{
    PyObject *const names[] = {STR(__lt__), STR(__le__), STR(__eq__), STR(__ne__), STR(__gt__), STR(__ge__)};
    PyObject *args[2] = {self, other};
    return call_if_found(names[op], args, 2);
}

/* ---- Iteration ---- */

PyObject *slot_tp_iter(PyObject *self)
{
    struct method_ref m;
    int found = method_ref_take(self, STR(__iter__), &m);
    if (found > 0 && m.func != Py_None)
        return method_ref_call(&m, &self, 1);
    if (found == 0 && (found = method_ref_take(self, STR(__getitem__), &m)) > 0) {
        method_ref_drop(&m);
        return PySeqIter_New(self);
    }
    if (found >= 0)
        PyErr_Format(PyExc_TypeError, "'%.200s' object is not iterable", Py_TYPE(self)->tp_name);
    return NULL;
}

PyObject *slot_tp_iternext(PyObject *self) { return call_unary(self, STR(__next__)); }

/* ---- Descriptors ---- */

PyObject *slot_tp_descr_get(PyObject *self, PyObject *obj, PyObject *type)
{
    PyObject *args[3] = {self, obj != NULL ? obj : Py_None, type != NULL ? type : Py_None}, *get;
    if (type_lookup_ref(Py_TYPE(self), STR(__get__), &get, NULL) < 0)
        return NULL;
    if (get == NULL) {
        /* the method has gone: self itself is the value from now on */
        return Py_NewRef(self);
    }
    PyObject *result = call_vectorcall(get, args, 3, NULL);
    Py_DECREF(get);
    return result;
}

int slot_tp_descr_set(PyObject *self, PyObject *target, PyObject *value)
{
    PyObject *args[3] = {self, target, value};
    return none_to_int(value != NULL ? call_method(STR(__set__), args, 3) : call_method(STR(__delete__), args, 2));
}

/* ---- Construction and destruction ---- */

int slot_tp_init(PyObject *self, PyObject *args, PyObject *kwds)
{
    PyObject *result = call_with_tuple(self, STR(__init__), args, kwds);
    if (result == NULL)
        return -1;
    if (result != Py_None) {
        PyErr_Format(PyExc_TypeError, "__init__() should return None, not '%.200s'", Py_TYPE(result)->tp_name);
        Py_DECREF(result);
        return -1;
    }
    return 0;
}

PyObject *slot_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    if (call_check_stack(" while calling a Python object"))
        return NULL;
    PyObject *func = PyObject_GetAttr((PyObject *)type, STR(__new__));
    PyObject *result = func != NULL ? _PyObject_Call_Prepend(func, (PyObject *)type, args, kwds) : NULL;
    Py_XDECREF(func);
    return result;
}

void slot_tp_finalize(PyObject *self)
{
    PyObject *type, *value, *traceback;
    struct method_ref m;
    PyErr_Fetch(&type, &value, &traceback);
    int found = method_ref_take(self, STR(__del__), &m);
    if (found > 0) {
        PyObject *result = m.self_needed ? call_vectorcall(m.func, &self, 1, NULL) : call_vectorcall(m.func, NULL, 0, NULL);
        if (result == NULL)
            PyErr_WriteUnraisable(m.func);
        else
            Py_DECREF(result);
        method_ref_drop(&m);
    }
    else if (found < 0)
        PyErr_WriteUnraisable(NULL);
    PyErr_Restore(type, value, traceback);
}

/* ---- async ---- */

static PyObject *call_async(PyObject *self, PyObject *name, const char *text)
{
    struct method_ref m;
    int found = method_ref_take(self, name, &m);
    if (found > 0)
        return method_ref_call(&m, &self, 1);
    if (found == 0)
        PyErr_Format(PyExc_AttributeError, "object %.50s does not have %s method", Py_TYPE(self)->tp_name, text);
    return NULL;
}

PyObject *slot_am_await(PyObject *self) { return call_async(self, STR(__await__), "__await__"); }
PyObject *slot_am_aiter(PyObject *self) { return call_async(self, STR(__aiter__), "__aiter__"); }
PyObject *slot_am_anext(PyObject *self) { return call_async(self, STR(__anext__), "__anext__"); }

/* ---- Binary operators ---- */

/* Does the right operand's class have its own reflected method, not just the left one's? */
static int overloads(PyObject *left, PyObject *right, PyObject *name)
{
    PyObject *a, *b;
    if (type_lookup_ref(Py_TYPE(right), name, &b, NULL) < 0)
        return -1;
    if (b == NULL)
        return 0;
    if (type_lookup_ref(Py_TYPE(left), name, &a, NULL) < 0) {
        Py_DECREF(b);
        return -1;
    }
    int result = a == NULL ? 1 : PyObject_RichCompareBool(a, b, Py_NE);
    Py_XDECREF(a);
    Py_DECREF(b);
    return result;
}

static binaryfunc number_slot(PyObject *op, size_t offset)
{
    PyNumberMethods *m = Py_TYPE(op)->tp_as_number;
    return m != NULL ? *(binaryfunc *)((char *)m + offset) : NULL;
}

/* function: the slot function itself, by which an operand of the same kind is recognised. */
static PyObject *binary(PyObject *self, PyObject *other, size_t offset, binaryfunc function, PyObject *name, PyObject *rname)
{
    int try_other = Py_TYPE(self) != Py_TYPE(other) && number_slot(other, offset) == function;
    PyObject *args[2] = {self, other}, *reversed[2] = {other, self}, *result;
    if (number_slot(self, offset) == function) {
        if (try_other && PyType_IsSubtype(Py_TYPE(other), Py_TYPE(self))) {
            int own = overloads(self, other, rname);
            if (own < 0)
                return NULL;
            if (own) {
                result = call_maybe(rname, reversed, 2);
                if (result != Py_NotImplemented)
                    return result;
                try_other = 0;
            }
        }
        result = call_maybe(name, args, 2);
        if (result != Py_NotImplemented || Py_TYPE(self) == Py_TYPE(other))
            return result;
    }
    return try_other ? call_maybe(rname, reversed, 2) : Py_NotImplemented;
}

#define ROW(...)
#define ROWKW(...)
#define BIN(slot, name, rname, op) \
    PyObject *slot_##slot(PyObject *self, PyObject *other) \
    { \
        return binary(self, other, NUMBER_SLOT(slot), slot_##slot, STR(name), STR(rname)); \
    }
#define INPLACE(slot, name, op) \
    PyObject *slot_##slot(PyObject *self, PyObject *other) \
    { \
        PyObject *args[2] = {self, other}; \
        return call_method(STR(name), args, 2); \
    }
#include "type_slots.def"
#undef ROW
#undef ROWKW
#undef BIN
#undef INPLACE

PyObject *slot_nb_divmod(PyObject *self, PyObject *other)
{
    return binary(self, other, NUMBER_SLOT(nb_divmod), slot_nb_divmod, STR(__divmod__), STR(__rdivmod__));
}

static PyObject *power_binary(PyObject *self, PyObject *other)
{
    return binary(self, other, NUMBER_SLOT(nb_power), (binaryfunc)(void (*)(void))slot_nb_power, STR(__pow__),
                  STR(__rpow__));
}

PyObject *slot_nb_power(PyObject *self, PyObject *other, PyObject *modulus)
{
    if (modulus == Py_None)
        return power_binary(self, other);
    /* Only the first operand is asked for pow(a, b, m); the third one's slot may have brought us here. */
    PyNumberMethods *m = Py_TYPE(self)->tp_as_number;
    if (m != NULL && m->nb_power == slot_nb_power) {
        PyObject *args[3] = {self, other, modulus};
        return call_method(STR(__pow__), args, 3);
    }
    return Py_NotImplemented;
}

PyObject *slot_nb_inplace_power(PyObject *self, PyObject *other, PyObject *modulus)
{
    (void)modulus;
    PyObject *args[2] = {self, other};
    return call_method(STR(__ipow__), args, 2);
}

PyObject *slot_nb_negative(PyObject *self) { return call_unary(self, STR(__neg__)); }
PyObject *slot_nb_positive(PyObject *self) { return call_unary(self, STR(__pos__)); }
PyObject *slot_nb_absolute(PyObject *self) { return call_unary(self, STR(__abs__)); }
PyObject *slot_nb_invert(PyObject *self) { return call_unary(self, STR(__invert__)); }
PyObject *slot_nb_int(PyObject *self) { return call_unary(self, STR(__int__)); }
PyObject *slot_nb_float(PyObject *self) { return call_unary(self, STR(__float__)); }
PyObject *slot_nb_index(PyObject *self) { return call_unary(self, STR(__index__)); }

int slot_nb_bool(PyObject *self)
{
    struct method_ref m;
    int by_len = 0, found = method_ref_take(self, STR(__bool__), &m);
    if (found == 0) {
        found = method_ref_take(self, STR(__len__), &m);
        by_len = 1;
    }
    if (found <= 0)
        return found < 0 ? -1 : 1;
    PyObject *value = method_ref_call(&m, &self, 1);
    int result = -1;
    if (value == NULL)
        return -1;
    if (by_len || PyBool_Check(value))
        result = PyObject_IsTrue(value);
    else
        PyErr_Format(PyExc_TypeError, "__bool__ should return bool, returned %s", Py_TYPE(value)->tp_name);
    Py_DECREF(value);
    return result;
}

/* ---- Containers ---- */

Py_ssize_t slot_mp_length(PyObject *self)
{
    PyObject *result = call_unary(self, STR(__len__));
    if (result == NULL)
        return -1;
    Py_SETREF(result, PyNumber_Index(result));
    if (result == NULL)
        return -1;
    Py_ssize_t n = PyLong_AsSsize_t(result);
    int negative = n < 0;
    if (n == -1 && PyErr_Occurred()) {
        /* too large, or far below zero */
        PyObject *zero = PyLong_FromLong(0), *type, *value, *traceback;
        PyErr_Fetch(&type, &value, &traceback);
        negative = PyObject_RichCompareBool(result, zero, Py_LT) == 1;
        if (negative) {
            Py_XDECREF(type);
            Py_XDECREF(value);
            Py_XDECREF(traceback);
        }
        else
            PyErr_Restore(type, value, traceback);
    }
    Py_DECREF(result);
    if (negative) {
        PyErr_SetString(PyExc_ValueError, "__len__() should return >= 0");
        return -1;
    }
    return n;
}

PyObject *slot_mp_subscript(PyObject *self, PyObject *key)
{
    PyObject *args[2] = {self, key};
    return call_method(STR(__getitem__), args, 2);
}

int slot_mp_ass_subscript(PyObject *self, PyObject *key, PyObject *value)
{
    PyObject *args[3] = {self, key, value};
    return none_to_int(value != NULL ? call_method(STR(__setitem__), args, 3) : call_method(STR(__delitem__), args, 2));
}

PyObject *slot_sq_item(PyObject *self, Py_ssize_t i)
{
    PyObject *index = PyLong_FromSsize_t(i);
    if (index == NULL)
        return NULL;
    PyObject *result = slot_mp_subscript(self, index);
    Py_DECREF(index);
    return result;
}

int slot_sq_ass_item(PyObject *self, Py_ssize_t i, PyObject *value)
{
    PyObject *index = PyLong_FromSsize_t(i);
    if (index == NULL)
        return -1;
    int result = slot_mp_ass_subscript(self, index, value);
    Py_DECREF(index);
    return result;
}

/* Without __contains__: by iteration. */
static int contains_by_iteration(PyObject *self, PyObject *value)
{
    PyObject *iter = PyObject_GetIter(self), *item;
    int found = 0;
    if (iter == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError))
            PyErr_Format(PyExc_TypeError, "argument of type '%.200s' is not iterable", Py_TYPE(self)->tp_name);
        return -1;
    }
    while (found == 0 && (item = PyIter_Next(iter)) != NULL) {
        found = PyObject_RichCompareBool(item, value, Py_EQ);
        Py_DECREF(item);
    }
    Py_DECREF(iter);
    return found == 0 && PyErr_Occurred() ? -1 : found;
}

int slot_sq_contains(PyObject *self, PyObject *value)
{
    PyObject *args[2] = {self, value};
    struct method_ref m;
    int found = method_ref_take(self, STR(__contains__), &m);
    if (found > 0 && m.func == Py_None) {
        PyErr_Format(PyExc_TypeError, "'%.200s' object is not a container", Py_TYPE(self)->tp_name);
        return -1;
    }
    if (found <= 0)
        return found < 0 ? -1 : contains_by_iteration(self, value);
    PyObject *result = method_ref_call(&m, args, 2);
    if (result == NULL)
        return -1;
    found = PyObject_IsTrue(result);
    Py_DECREF(result);
    return found;
}
