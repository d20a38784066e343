/* The iterators of dict: over keys, values and items, forwards and backwards. */
#include "dict.h"
#include "tuple.h"
#include "object_gc_inline.h"

/* di_used is -1 after a change of size was noticed: every further step raises again. */

static int is_reversed(PyTypeObject *type)
{
    return type == &PyDictRevIterKey_Type || type == &PyDictRevIterValue_Type || type == &PyDictRevIterItem_Type;
}

PyObject *dict_iter_new(PyDictObject *dict, PyTypeObject *type)
{
    PyDictIterObject *it = PyObject_GC_New(PyDictIterObject, type);
    if (it == NULL)
        return NULL;
    it->di_dict = (PyDictObject *)Py_NewRef(dict);
    it->di_used = PyDict_GET_SIZE(dict);
    Py_ssize_t pos = 0;
    if (is_reversed(type)) {
        int locked = dict_lock(dict);
        pos = dict->ma_keys->top - 1;
        container_unlock(dict, locked);
    }
    it->di_place = dict_place_make(pos, it->di_used);
    PyObject_GC_Track(it);
    return (PyObject *)it;
}

static inline uint64_t place_of(PyDictIterObject *it)
{
    return __atomic_load_n(&it->di_place, __ATOMIC_RELAXED);
}

static inline void set_place(PyDictIterObject *it, uint64_t place)
{
    __atomic_store_n(&it->di_place, place, __ATOMIC_RELAXED);
}

static void finish(PyDictIterObject *it)
{
    set_place(it, dict_place_make(-1, 0));
    /* While there is one thread, nobody else can be reading di_dict. */
    if (!runtime_is_multi()) {
        PyDictObject *dict = it->di_dict;
        it->di_dict = NULL;
        Py_XDECREF(dict);
    }
}

/* The position of the next step, and in left the number of items to come; -1 at the end; -2 with RuntimeError. */
static inline Py_ssize_t begin_step(PyDictIterObject *it, Py_ssize_t *left)
{
    uint64_t place = place_of(it);
    Py_ssize_t pos = dict_place_pos(place);
    *left = dict_place_left(place);
    if (pos < 0)
        return -1;
    if (Py_UNLIKELY(__atomic_load_n(&it->di_used, __ATOMIC_RELAXED) != PyDict_GET_SIZE(it->di_dict))) {
        __atomic_store_n(&it->di_used, -1, __ATOMIC_RELAXED);
        PyErr_SetString(PyExc_RuntimeError, "dictionary changed size during iteration");
        return -2;
    }
    return pos;
}

/* The usual step: the next entry is live, and nothing has changed. 0: nothing was done, the general step follows. */
static inline Py_ALWAYS_INLINE int quick_step(PyDictIterObject *it, PyObject **key, PyObject **value)
{
    PyDictObject *dict = it->di_dict;
    uint64_t place = place_of(it);
    Py_ssize_t pos = dict_place_pos(place), left = dict_place_left(place);
    if (Py_UNLIKELY(pos < 0 || left == 0 || left == DICT_PLACE_MANY || __atomic_load_n(&it->di_used, __ATOMIC_RELAXED) != PyDict_GET_SIZE(dict)
                    || !dict_may_read(dict)))
        return 0;
    PyDictKeysObject *keys = __atomic_load_n(&dict->ma_keys, __ATOMIC_ACQUIRE);
    if (Py_UNLIKELY(pos >= __atomic_load_n(&keys->count, __ATOMIC_ACQUIRE)))
        return 0;
    PyObject *k = __atomic_load_n(&keys->entries[pos].key, __ATOMIC_ACQUIRE);
    PyObject *v = __atomic_load_n(&keys->entries[pos].value, __ATOMIC_ACQUIRE);
    if (Py_UNLIKELY(k == NULL || v == NULL) || (key != NULL && !object_try_incref(k)))
        return 0;
    if (value != NULL) {
        if (Py_UNLIKELY(!object_try_incref(v))) {
            if (key != NULL)
                Py_DECREF(k);
            return 0;
        }
        *value = v;
    }
    if (key != NULL)
        *key = k;
    set_place(it, place + ((uint64_t)1 << DICT_PLACE_SHIFT) - 1);
    return 1;
}

int dict_iter_next_pair(PyDictIterObject *it, PyObject **key, PyObject **value)
{
    if (Py_LIKELY(key != NULL && value != NULL) && Py_LIKELY(quick_step(it, key, value)))
        return 1;
    Py_ssize_t left, pos = begin_step(it, &left);
    if (pos < 0)
        return (int)pos + 1;
    if (!dict_next_ref((PyObject *)it->di_dict, &pos, key, value, NULL)) {
        finish(it);
        return 0;
    }
    if (Py_UNLIKELY(left == 0)) {
        if (key != NULL)
            Py_DECREF(*key);
        if (value != NULL)
            Py_DECREF(*value);
        finish(it);
        PyErr_SetString(PyExc_RuntimeError, "dictionary keys changed during iteration");
        return -1;
    }
    set_place(it, dict_place_make(pos, left - (left != DICT_PLACE_MANY)));
    return 1;
}

static int previous_pair(PyDictIterObject *it, PyObject **key, PyObject **value)
{
    Py_ssize_t left, pos = begin_step(it, &left);
    if (pos < 0)
        return (int)pos + 1;
    if (!dict_previous_ref((PyObject *)it->di_dict, &pos, key, value)) {
        finish(it);
        return 0;
    }
    set_place(it, dict_place_make(pos, left - (left > 0 && left != DICT_PLACE_MANY)));
    return 1;
}

static PyObject *make_pair(PyObject *key, PyObject *value)
{
    PyObject *pair[2] = {key, value};
    return tuple_from_array_steal(pair, 2);
}

static PyObject *next_key(PyObject *op)
{
    PyObject *key;
    if (Py_LIKELY(quick_step((PyDictIterObject *)op, &key, NULL)))
        return key;
    return dict_iter_next_pair((PyDictIterObject *)op, &key, NULL) > 0 ? key : NULL;
}

static PyObject *next_value(PyObject *op)
{
    PyObject *value;
    if (Py_LIKELY(quick_step((PyDictIterObject *)op, NULL, &value)))
        return value;
    return dict_iter_next_pair((PyDictIterObject *)op, NULL, &value) > 0 ? value : NULL;
}

static PyObject *next_item(PyObject *op)
{
    PyObject *key, *value;
    return dict_iter_next_pair((PyDictIterObject *)op, &key, &value) > 0 ? make_pair(key, value) : NULL;
}

static PyObject *previous_key(PyObject *op)
{
    PyObject *key;
    return previous_pair((PyDictIterObject *)op, &key, NULL) > 0 ? key : NULL;
}

static PyObject *previous_value(PyObject *op)
{
    PyObject *value;
    return previous_pair((PyDictIterObject *)op, NULL, &value) > 0 ? value : NULL;
}

static PyObject *previous_item(PyObject *op)
{
    PyObject *key, *value;
    return previous_pair((PyDictIterObject *)op, &key, &value) > 0 ? make_pair(key, value) : NULL;
}

/* ---- Methods ---- */

static PyObject *iter_length_hint(PyObject *op, PyObject *unused)
{
    PyDictIterObject *it = (PyDictIterObject *)op;
    uint64_t place = place_of(it);
    Py_ssize_t left = 0, used = __atomic_load_n(&it->di_used, __ATOMIC_RELAXED);
    if (dict_place_pos(place) >= 0 && used == PyDict_GET_SIZE(it->di_dict))
        left = dict_place_left(place) < DICT_PLACE_MANY ? dict_place_left(place) : used;
    return PyLong_FromSsize_t(left);
}

/* iter(list of what is left); the iterator itself does not move. */
static PyObject *iter_reduce(PyObject *op, PyObject *unused)
{
    PyDictIterObject *it = (PyDictIterObject *)op;
    PyObject *list = NULL, *function = container_get_builtin("iter");
    if (function == NULL)
        return NULL;
    uint64_t place = place_of(it);
    if (dict_place_pos(place) < 0)
        list = PyList_New(0);
    else {
        PyDictIterObject *copy = (PyDictIterObject *)dict_iter_new(it->di_dict, Py_TYPE(op));
        if (copy != NULL) {
            copy->di_place = place;
            copy->di_used = __atomic_load_n(&it->di_used, __ATOMIC_RELAXED);
            list = PySequence_List((PyObject *)copy);
            Py_DECREF(copy);
        }
    }
    if (list == NULL) {
        Py_DECREF(function);
        return NULL;
    }
    return Py_BuildValue("N(N)", function, list);
}

static PyMethodDef iter_methods[] = {
    {"__length_hint__", iter_length_hint, METH_NOARGS, "Number of items that are still to come."},
    {"__reduce__", iter_reduce, METH_NOARGS, "State for pickling."},
    {NULL, NULL, 0, NULL},
};

static void iter_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Py_XDECREF(((PyDictIterObject *)op)->di_dict);
    PyObject_GC_Del(op);
}

static int iter_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((PyDictIterObject *)op)->di_dict);
    return 0;
}

#define ITERATOR_TYPE(variable, name, step) \
    PyTypeObject variable = { \
        PyVarObject_HEAD_INIT(&PyType_Type, 0) \
        .tp_name = name, \
        .tp_basicsize = sizeof(PyDictIterObject), \
        .tp_dealloc = iter_dealloc, \
        .tp_getattro = PyObject_GenericGetAttr, \
        .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, \
        .tp_traverse = iter_traverse, \
        .tp_iter = PyObject_SelfIter, \
        .tp_iternext = step, \
        .tp_methods = iter_methods, \
    }

ITERATOR_TYPE(PyDictIterKey_Type, "dict_keyiterator", next_key);
ITERATOR_TYPE(PyDictIterValue_Type, "dict_valueiterator", next_value);
ITERATOR_TYPE(PyDictIterItem_Type, "dict_itemiterator", next_item);
ITERATOR_TYPE(PyDictRevIterKey_Type, "dict_reversekeyiterator", previous_key);
ITERATOR_TYPE(PyDictRevIterValue_Type, "dict_reversevalueiterator", previous_value);
ITERATOR_TYPE(PyDictRevIterItem_Type, "dict_reverseitemiterator", previous_item);

PyObject *dict_iter(PyObject *self)
{
    return dict_iter_new((PyDictObject *)self, &PyDictIterKey_Type);
}

PyObject *dict_reversed(PyObject *self, PyObject *unused)
{
    return dict_iter_new((PyDictObject *)self, &PyDictRevIterKey_Type);
}
