/* Iterators over strings.
 *
 * An iterator that threads may share keeps its string: exhaustion is an index beyond it.  While there is one thread, the empty
 * string takes its place at the end.  The index of a published iterator is advanced atomically, so each character is handed out once. */
#include <Python.h>
#include "container.h"
#include "unicode.h"
#include "unicode_iter.h"
#include "unicode_methods.h"

static Py_ssize_t take_index(unicode_iter_t *it)
{
    if (object_is_published((PyObject *)it))
        return __atomic_fetch_add(&it->index, 1, __ATOMIC_RELAXED);
    Py_ssize_t index = __atomic_load_n(&it->index, __ATOMIC_RELAXED);
    __atomic_store_n(&it->index, index + 1, __ATOMIC_RELAXED);
    return index;
}

static PyObject *finish(unicode_iter_t *it)
{
    if (!runtime_is_multi()) {
        PyObject *str = it->str;
        it->str = unicode_empty();
        Py_DECREF(str);
    }
    return NULL;
}

static PyObject *iter_next(PyObject *self)
{
    unicode_iter_t *it = (unicode_iter_t *)self;
    if (__atomic_load_n(&it->index, __ATOMIC_RELAXED) >= PyUnicode_GET_LENGTH(it->str))
        return finish(it);
    Py_ssize_t index = take_index(it);
    return index < PyUnicode_GET_LENGTH(it->str) ? unicode_get_item(it->str, index) : NULL;
}

static PyObject *iter_next_ascii(PyObject *self)
{
    unicode_iter_t *it = (unicode_iter_t *)self;
    if (__atomic_load_n(&it->index, __ATOMIC_RELAXED) >= PyUnicode_GET_LENGTH(it->str))
        return finish(it);
    Py_ssize_t index = take_index(it);
    if (index >= PyUnicode_GET_LENGTH(it->str))
        return NULL;
    return (PyObject *)&unicode_ascii_chars[PyUnicode_1BYTE_DATA(it->str)[index]];
}

static void iter_dealloc(PyObject *self)
{
    Py_DECREF(((unicode_iter_t *)self)->str);
    PyObject_Free(self);
}

static Py_ssize_t index_of(PyObject *self)
{
    unicode_iter_t *it = (unicode_iter_t *)self;
    return Py_MIN(__atomic_load_n(&it->index, __ATOMIC_RELAXED), PyUnicode_GET_LENGTH(it->str));
}

static PyObject *iter_length_hint(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromSsize_t(PyUnicode_GET_LENGTH(((unicode_iter_t *)self)->str) - index_of(self));
}

static PyObject *iter_reduce(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    unicode_iter_t *it = (unicode_iter_t *)self;
    PyObject *builtin_iter;
    int found = PyDict_GetItemRef(PyEval_GetBuiltins(), STR(iter), &builtin_iter);
    if (found <= 0) {
        if (found == 0)
            PyErr_SetString(PyExc_AttributeError, "iter");
        return NULL;
    }
    Py_ssize_t index = index_of(self);
    PyObject *result;
    if (index < PyUnicode_GET_LENGTH(it->str))
        result = Py_BuildValue("O(O)n", builtin_iter, it->str, index);
    else
        result = Py_BuildValue("O(O)", builtin_iter, unicode_empty());
    Py_DECREF(builtin_iter);
    return result;
}

static PyObject *iter_setstate(PyObject *self, PyObject *state)
{
    unicode_iter_t *it = (unicode_iter_t *)self;
    Py_ssize_t index = PyLong_AsSsize_t(state);
    if (index == -1 && PyErr_Occurred())
        return NULL;
    index = Py_MIN(Py_MAX(index, 0), PyUnicode_GET_LENGTH(it->str));
    __atomic_store_n(&it->index, index, __ATOMIC_RELAXED);
    Py_RETURN_NONE;
}

static PyMethodDef iter_methods[] = {
    {"__length_hint__", iter_length_hint, METH_NOARGS, "How many characters are left."},
    {"__reduce__", iter_reduce, METH_NOARGS, "State for pickling."},
    {"__setstate__", iter_setstate, METH_O, "Go on at the given index."},
    {NULL, NULL, 0, NULL},
};

PyTypeObject PyUnicodeIter_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "str_iterator",
    .tp_basicsize = sizeof(unicode_iter_t),
    .tp_dealloc = iter_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = iter_next,
    .tp_methods = iter_methods,
};

PyTypeObject unicode_ascii_iter_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "str_ascii_iterator",
    .tp_basicsize = sizeof(unicode_iter_t),
    .tp_dealloc = iter_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = iter_next_ascii,
    .tp_methods = iter_methods,
};

PyObject *unicode_iter(PyObject *self)
{
    PyTypeObject *type = PyUnicode_IS_ASCII(self) ? &unicode_ascii_iter_type : &PyUnicodeIter_Type;
    unicode_iter_t *it = PyObject_New(unicode_iter_t, type);
    if (it == NULL)
        return NULL;
    it->index = 0;
    it->str = Py_NewRef(self);
    return (PyObject *)it;
}
