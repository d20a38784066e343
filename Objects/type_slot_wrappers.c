/* What Python code calls when it calls a special method of a C type: each unpacks its arguments and calls the slot. */
#include "Python.h"

#include "type.h"
#include "type_slots.h"

static int check_count(PyObject *args, Py_ssize_t n)
{
    Py_ssize_t found = PyTuple_GET_SIZE(args);
    if (found == n)
        return 1;
    PyErr_Format(PyExc_TypeError, "expected %zd argument%s, got %zd", n, n == 1 ? "" : "s", found);
    return 0;
}

#define ARG(i) PyTuple_GET_ITEM(args, (i))

static PyObject *none_or_error(int result)
{
    return result < 0 ? NULL : Py_None;
}

PyObject *wrap_unaryfunc(PyObject *self, PyObject *args, void *wrapped)
{
    return check_count(args, 0) ? ((unaryfunc)wrapped)(self) : NULL;
}

PyObject *wrap_binaryfunc(PyObject *self, PyObject *args, void *wrapped)
{
    return check_count(args, 1) ? ((binaryfunc)wrapped)(self, ARG(0)) : NULL;
}

PyObject *wrap_binaryfunc_l(PyObject *self, PyObject *args, void *wrapped)
{
    return wrap_binaryfunc(self, args, wrapped);
}

PyObject *wrap_binaryfunc_r(PyObject *self, PyObject *args, void *wrapped)
{
    return check_count(args, 1) ? ((binaryfunc)wrapped)(ARG(0), self) : NULL;
}

PyObject *wrap_ternaryfunc(PyObject *self, PyObject *args, void *wrapped)
{
    PyObject *other, *third = Py_None;
    return PyArg_UnpackTuple(args, "", 1, 2, &other, &third) ? ((ternaryfunc)wrapped)(self, other, third) : NULL;
}

PyObject *wrap_ternaryfunc_r(PyObject *self, PyObject *args, void *wrapped)
{
    PyObject *other, *third = Py_None;
    return PyArg_UnpackTuple(args, "", 1, 2, &other, &third) ? ((ternaryfunc)wrapped)(other, self, third) : NULL;
}

PyObject *wrap_inquirypred(PyObject *self, PyObject *args, void *wrapped)
{
    if (!check_count(args, 0))
        return NULL;
    int result = ((inquiry)wrapped)(self);
    return result == -1 && PyErr_Occurred() ? NULL : PyBool_FromLong(result);
}

PyObject *wrap_lenfunc(PyObject *self, PyObject *args, void *wrapped)
{
    if (!check_count(args, 0))
        return NULL;
    Py_ssize_t n = ((lenfunc)wrapped)(self);
    return n == -1 && PyErr_Occurred() ? NULL : PyLong_FromSsize_t(n);
}

PyObject *wrap_indexargfunc(PyObject *self, PyObject *args, void *wrapped)
{
    if (!check_count(args, 1))
        return NULL;
    Py_ssize_t n = PyNumber_AsSsize_t(ARG(0), PyExc_OverflowError);
    return n == -1 && PyErr_Occurred() ? NULL : ((ssizeargfunc)wrapped)(self, n);
}

/* An index for sq_item: negative ones count from the end. -1 with an exception on error. */
static Py_ssize_t get_index(PyObject *self, PyObject *arg)
{
    Py_ssize_t i = PyNumber_AsSsize_t(arg, PyExc_OverflowError);
    if (i == -1 && PyErr_Occurred())
        return -1;
    if (i < 0) {
        PySequenceMethods *m = Py_TYPE(self)->tp_as_sequence;
        if (m != NULL && m->sq_length != NULL) {
            Py_ssize_t n = m->sq_length(self);
            if (n < 0)
                return -1;
            i += n;
        }
    }
    return i;
}

PyObject *wrap_sq_item(PyObject *self, PyObject *args, void *wrapped)
{
    if (!check_count(args, 1))
        return NULL;
    Py_ssize_t i = get_index(self, ARG(0));
    return i == -1 && PyErr_Occurred() ? NULL : ((ssizeargfunc)wrapped)(self, i);
}

PyObject *wrap_sq_setitem(PyObject *self, PyObject *args, void *wrapped)
{
    PyObject *arg, *value;
    if (!PyArg_UnpackTuple(args, "", 2, 2, &arg, &value))
        return NULL;
    Py_ssize_t i = get_index(self, arg);
    return i == -1 && PyErr_Occurred() ? NULL : none_or_error(((ssizeobjargproc)wrapped)(self, i, value));
}

PyObject *wrap_sq_delitem(PyObject *self, PyObject *args, void *wrapped)
{
    if (!check_count(args, 1))
        return NULL;
    Py_ssize_t i = get_index(self, ARG(0));
    return i == -1 && PyErr_Occurred() ? NULL : none_or_error(((ssizeobjargproc)wrapped)(self, i, NULL));
}

PyObject *wrap_objobjproc(PyObject *self, PyObject *args, void *wrapped)
{
    if (!check_count(args, 1))
        return NULL;
    int result = ((objobjproc)wrapped)(self, ARG(0));
    return result == -1 && PyErr_Occurred() ? NULL : PyBool_FromLong(result);
}

PyObject *wrap_objobjargproc(PyObject *self, PyObject *args, void *wrapped)
{
    PyObject *key, *value;
    if (!PyArg_UnpackTuple(args, "", 2, 2, &key, &value))
        return NULL;
    return none_or_error(((objobjargproc)wrapped)(self, key, value));
}

PyObject *wrap_delitem(PyObject *self, PyObject *args, void *wrapped)
{
    return check_count(args, 1) ? none_or_error(((objobjargproc)wrapped)(self, ARG(0), NULL)) : NULL;
}

PyObject *wrap_hashfunc(PyObject *self, PyObject *args, void *wrapped)
{
    if (!check_count(args, 0))
        return NULL;
    Py_hash_t hash = ((hashfunc)wrapped)(self);
    return hash == -1 && PyErr_Occurred() ? NULL : PyLong_FromSsize_t(hash);
}

PyObject *wrap_call(PyObject *self, PyObject *args, void *wrapped, PyObject *kwds)
{
    return ((ternaryfunc)wrapped)(self, args, kwds);
}

PyObject *wrap_init(PyObject *self, PyObject *args, void *wrapped, PyObject *kwds)
{
    return none_or_error(((initproc)wrapped)(self, args, kwds));
}

PyObject *wrap_next(PyObject *self, PyObject *args, void *wrapped)
{
    if (!check_count(args, 0))
        return NULL;
    PyObject *item = ((iternextfunc)wrapped)(self);
    if (item == NULL && !PyErr_Occurred())
        PyErr_SetNone(PyExc_StopIteration);
    return item;
}

PyObject *wrap_del(PyObject *self, PyObject *args, void *wrapped)
{
    if (!check_count(args, 0))
        return NULL;
    ((destructor)wrapped)(self);
    return Py_None;
}

/* ---- Comparison ---- */

static PyObject *wrap_compare(PyObject *self, PyObject *args, void *wrapped, int op)
{
    return check_count(args, 1) ? ((richcmpfunc)wrapped)(self, ARG(0), op) : NULL;
}
PyObject *richcmp_lt(PyObject *self, PyObject *args, void *wrapped) { return wrap_compare(self, args, wrapped, Py_LT); }
PyObject *richcmp_le(PyObject *self, PyObject *args, void *wrapped) { return wrap_compare(self, args, wrapped, Py_LE); }
PyObject *richcmp_eq(PyObject *self, PyObject *args, void *wrapped) { return wrap_compare(self, args, wrapped, Py_EQ); }
PyObject *richcmp_ne(PyObject *self, PyObject *args, void *wrapped) { return wrap_compare(self, args, wrapped, Py_NE); }
PyObject *richcmp_gt(PyObject *self, PyObject *args, void *wrapped) { return wrap_compare(self, args, wrapped, Py_GT); }
PyObject *richcmp_ge(PyObject *self, PyObject *args, void *wrapped) { return wrap_compare(self, args, wrapped, Py_GE); }

/* ---- Descriptors ---- */

PyObject *wrap_descr_get(PyObject *self, PyObject *args, void *wrapped)
{
    PyObject *obj, *type = NULL;
    if (!PyArg_UnpackTuple(args, "", 1, 2, &obj, &type))
        return NULL;
    if (obj == Py_None)
        obj = NULL;
    if (type == Py_None)
        type = NULL;
    if (type == NULL && obj == NULL) {
        PyErr_SetString(PyExc_TypeError, "__get__(None, None) is invalid");
        return NULL;
    }
    return ((descrgetfunc)wrapped)(self, obj, type);
}

PyObject *wrap_descr_set(PyObject *self, PyObject *args, void *wrapped)
{
    PyObject *obj, *value;
    if (!PyArg_UnpackTuple(args, "", 2, 2, &obj, &value))
        return NULL;
    return none_or_error(((descrsetfunc)wrapped)(self, obj, value));
}

PyObject *wrap_descr_delete(PyObject *self, PyObject *args, void *wrapped)
{
    return check_count(args, 1) ? none_or_error(((descrsetfunc)wrapped)(self, ARG(0), NULL)) : NULL;
}

/* ---- Attributes ---- */

/* object.__setattr__(a class or a C object, ...) must not get around the slot of a more special C type: the nearest slot along
 * the bases that is not Python's has to be this one. */
static int may_set_attr(PyObject *self, setattrofunc func, const char *what)
{
    PyTypeObject *type = Py_TYPE(self), *base = type;
    while (base != NULL && base->tp_setattro == slot_tp_setattro)
        base = base->tp_base;
    if (base == NULL || base->tp_setattro == func)
        return 1;
    PyErr_Format(PyExc_TypeError, "can't apply this %s to %s object", what, type->tp_name);
    return 0;
}

PyObject *wrap_setattr(PyObject *self, PyObject *args, void *wrapped)
{
    PyObject *name, *value;
    if (!PyArg_UnpackTuple(args, "", 2, 2, &name, &value) || !may_set_attr(self, (setattrofunc)wrapped, "__setattr__"))
        return NULL;
    return none_or_error(((setattrofunc)wrapped)(self, name, value));
}

PyObject *wrap_delattr(PyObject *self, PyObject *args, void *wrapped)
{
    if (!check_count(args, 1) || !may_set_attr(self, (setattrofunc)wrapped, "__delattr__"))
        return NULL;
    return none_or_error(((setattrofunc)wrapped)(self, ARG(0), NULL));
}
