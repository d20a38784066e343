/* What Python code sees of list: construction, methods, operators, the type object. */
#include "list.h"
#include "call.h"
#include "dict.h"
#include "set.h"
#include "tuple.h"
#include "unicode_writer.h"
#include "../Python/memory/allocator.h"

/* ---- extend ---- */

static int extend_from_tuple(PyListObject *self, PyObject *const *items, Py_ssize_t n)
{
    int result = 0;
    int locked = list_lock(self);
    Py_ssize_t size = self->ob_base.ob_size;
    if (n > PY_SSIZE_T_MAX / (Py_ssize_t)sizeof(PyObject *) - size || list_reserve_locked(self, size + n) < 0)
        result = -1;
    else {
        for (Py_ssize_t i = 0; i < n; i++) {
            Py_INCREF(items[i]);
            list_put(self, &self->ob_item[size + i], items[i]);
        }
        list_set_size(self, size + n);
    }
    container_unlock(self, locked);
    if (result < 0)
        PyErr_NoMemory();
    return result;
}

/* While nobody else changes either. */
static int extend_from_quiet_list(PyListObject *self, PyListObject *other)
{
    Py_ssize_t size = self->ob_base.ob_size, n = other->ob_base.ob_size;
    if (n > PY_SSIZE_T_MAX - size || list_reserve_locked(self, size + n) < 0) {
        PyErr_NoMemory();
        return -1;
    }
    container_copy_refs(self->ob_item + size, other->ob_item, n);
    if (list_is_open(self) && !list_is_open(other))
        for (Py_ssize_t i = size; i < size + n; i++)
            if (self->ob_item[i] != NULL)
                object_publish(self->ob_item[i]);
    list_set_size(self, size + n);
    return 0;
}

static int extend_from_list(PyListObject *self, PyListObject *other)
{
    PyObject *room[32], **items;
    if (!runtime_is_multi())
        return extend_from_quiet_list(self, other);
    Py_ssize_t n = list_snapshot(other, room, 32, &items);
    if (n <= 0)
        return (int)n;
    int result = list_extend_array_steal(self, items, n);
    if (items != room)
        block_free(items);
    return result;
}

static int extend_from_set(PyListObject *self, PySetObject *set)
{
    struct set_snapshot snapshot;
    int result = 0;
    if (set_snapshot_take(set, &snapshot) < 0)
        return -1;
    for (Py_ssize_t i = 0; i < snapshot.count && result == 0; i++)
        result = list_append_steal(self, Py_NewRef(snapshot.entries[i].key));
    set_snapshot_free(&snapshot);
    return result;
}

/* While nobody else changes it: appending runs no code, so the dict stays as it is. */
static int extend_from_quiet_dict(PyListObject *self, PyObject *dict, enum dict_iter_kind kind)
{
    PyObject *key, *value = NULL;
    Py_ssize_t pos = 0, more = PyDict_GET_SIZE(dict);
    if (more > 0 && list_reserve_locked(self, self->ob_base.ob_size + more) < 0) {
        PyErr_NoMemory();
        return -1;
    }
    while (dict_next_ref(dict, &pos, kind == DICT_ITER_VALUES ? NULL : &key, kind == DICT_ITER_KEYS ? NULL : &value, NULL)) {
        PyObject *item = kind == DICT_ITER_VALUES ? value : key;
        if (kind == DICT_ITER_ITEMS) {
            item = tuple_pair(key, value);
            Py_DECREF(key);     /* not the last ones: the dict has them */
            Py_DECREF(value);
        }
        if (item == NULL || list_append_steal(self, item) < 0)
            return -1;
    }
    return 0;
}

static int extend_from_dict(PyListObject *self, PyObject *dict, enum dict_iter_kind kind)
{
    struct dict_snapshot snapshot;
    int result = 0;
    if (!runtime_is_multi())
        return extend_from_quiet_dict(self, dict, kind);
    if (dict_snapshot_take(dict, &snapshot) < 0)
        return -1;
    for (Py_ssize_t i = 0; i < snapshot.count && result == 0; i++) {
        PyObject *key = snapshot.pairs[2 * i], *value = snapshot.pairs[2 * i + 1];
        PyObject *item = kind == DICT_ITER_KEYS ? Py_NewRef(key)
                         : kind == DICT_ITER_VALUES ? Py_NewRef(value) : tuple_pair(key, value);
        result = item == NULL ? -1 : list_append_steal(self, item);
    }
    dict_snapshot_free(&snapshot);
    return result;
}

static int extend_from_iterator(PyListObject *self, PyObject *iterable)
{
    PyObject *item, *iterator = PyObject_GetIter(iterable);
    if (iterator == NULL)
        return -1;
    int result = -1;
    Py_ssize_t hint = PyObject_LengthHint(iterable, 8);
    if (hint < 0)
        goto done;
    int locked = list_lock(self);
    Py_ssize_t size = self->ob_base.ob_size;
    /* A hint may be far too large: only the real growth has to succeed. */
    int failed = hint <= PY_SSIZE_T_MAX - size && hint > 0 && list_reserve_locked(self, size + hint) < 0;
    container_unlock(self, locked);
    if (failed) {
        PyErr_NoMemory();
        goto done;
    }
    while ((item = call_iternext(iterator)) != NULL)
        if (list_append_steal(self, item) < 0)
            goto done;
    if (PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_StopIteration))
            goto done;
        PyErr_Clear();
    }
    result = 0;
done:
    Py_DECREF(iterator);
    return result;
}

/* The dict that op, a dict, a view or a read-only proxy of one, yields the keys, values or items of when it is iterated; NULL if op is something else. */
static PyObject *iterated_dict_borrowed(PyObject *op, enum dict_iter_kind *kind)
{
    op = dict_behind_proxies_borrowed(op);
    PyTypeObject *type = heap_type(op);
    if (PyDict_Check(op)) {
        *kind = DICT_ITER_KEYS;
        return type->tp_iter == PyDict_Type.tp_iter || type->tp_iter == PyODict_Type.tp_iter ? op : NULL;
    }
    if (type == &PyDictKeys_Type || type == &PyODictKeys_Type)
        *kind = DICT_ITER_KEYS;
    else if (type == &PyDictValues_Type || type == &PyODictValues_Type)
        *kind = DICT_ITER_VALUES;
    else if (type == &PyDictItems_Type || type == &PyODictItems_Type)
        *kind = DICT_ITER_ITEMS;
    else
        return NULL;
    return (PyObject *)((PyDictViewObject *)op)->dv_dict;
}

/* Extends by what a container of ours holds at one moment. 1; 0: iterable is something else; -1: exception. */
static int extend_from_container(PyListObject *self, PyObject *iterable)
{
    if (!value_is_heap(iterable))
        return 0;
    PyTypeObject *type = heap_type(iterable);
    int failed;
    if (type == &PyTuple_Type)
        failed = extend_from_tuple(self, ((PyTupleObject *)iterable)->ob_item, PyTuple_GET_SIZE(iterable));
    else if (type == &PyList_Type || iterable == (PyObject *)self)
        failed = extend_from_list(self, (PyListObject *)iterable);
    else if (PyAnySet_Check(iterable) && type->tp_iter == PySet_Type.tp_iter)
        failed = extend_from_set(self, (PySetObject *)iterable);
    else {
        enum dict_iter_kind kind;
        PyObject *dict = iterated_dict_borrowed(iterable, &kind);
        if (dict == NULL)
            return 0;
        failed = extend_from_dict(self, dict, kind);
    }
    return failed ? -1 : 1;
}

int list_extend(PyListObject *self, PyObject *iterable)
{
    int done = extend_from_container(self, iterable);
    return done > 0 ? 0 : done < 0 ? -1 : extend_from_iterator(self, iterable);
}

int list_from_shared(PyObject *iterable, PyObject **list)
{
    *list = NULL;
    if (!runtime_is_multi() || !value_is_heap(iterable) || PyTuple_CheckExact(iterable))
        return 0;
    enum dict_iter_kind kind;
    if (!PyList_CheckExact(iterable) && !PyAnySet_Check(iterable) && iterated_dict_borrowed(iterable, &kind) == NULL)
        return 0;
    PyObject *made = PyList_New(0);
    int done = made == NULL ? -1 : extend_from_container((PyListObject *)made, iterable);
    if (done > 0)
        *list = made;
    else
        Py_XDECREF(made);
    return done;
}

PyObject *_PyList_Extend(PyListObject *self, PyObject *iterable)
{
    if (list_extend(self, iterable) < 0)
        return NULL;
    Py_RETURN_NONE;
}

int PyList_Extend(PyObject *op, PyObject *iterable)
{
    if (!PyList_Check(op)) {
        PyErr_BadInternalCall();
        return -1;
    }
    return list_extend((PyListObject *)op, iterable);
}

/* ---- Construction ---- */

static PyObject *list_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    if (type == &PyList_Type)
        return PyList_New(0);
    PyListObject *self = (PyListObject *)type->tp_alloc(type, 0);
    if (self != NULL)
        self->ob_item = LIST_NO_ITEMS;
    return (PyObject *)self;
}

static int init_from(PyListObject *self, PyObject *iterable)
{
    if (PyList_GET_SIZE(self) > 0)
        list_tp_clear((PyObject *)self);
    return iterable != NULL ? list_extend(self, iterable) : 0;
}

static int list_init(PyObject *self, PyObject *args, PyObject *kwds)
{
    PyObject *iterable = NULL;
    PyTypeObject *type = Py_TYPE(self);
    if ((type == &PyList_Type || type->tp_new == PyList_Type.tp_new) && !_PyArg_NoKeywords("list", kwds))
        return -1;
    if (!PyArg_UnpackTuple(args, "list", 0, 1, &iterable))
        return -1;
    return init_from((PyListObject *)self, iterable);
}

static PyObject *list_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (!_PyArg_NoKwnames("list", kwnames) || !_PyArg_CheckPositional("list", nargs, 0, 1))
        return NULL;
    PyObject *self = list_tp_new((PyTypeObject *)type, NULL, NULL);
    if (self != NULL && nargs > 0 && list_extend((PyListObject *)self, args[0]) < 0)
        Py_CLEAR(self);
    return self;
}

static int list_traverse(PyObject *op, visitproc visit, void *arg)
{
    PyListObject *self = (PyListObject *)op;
    for (Py_ssize_t i = self->ob_base.ob_size; i-- > 0;)
        Py_VISIT(self->ob_item[i]);
    return 0;
}

/* ---- Methods ---- */

static PyObject *list_method_append(PyObject *self, PyObject *item)
{
    if (list_append_steal((PyListObject *)self, Py_NewRef(item)) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *list_method_extend(PyObject *self, PyObject *iterable)
{
    return _PyList_Extend((PyListObject *)self, iterable);
}

/* An argument that must be an index; clipped to the range of Py_ssize_t only by overflow errors. */
static int index_argument(PyObject *arg, Py_ssize_t *i)
{
    if (value_is_int(arg)) {
        *i = (Py_ssize_t)value_get_int(arg);
        return 0;
    }
    PyObject *number = _PyNumber_Index(arg);
    *i = -1;
    if (number != NULL) {
        *i = PyLong_AsSsize_t(number);
        Py_DECREF(number);
    }
    return *i == -1 && PyErr_Occurred() ? -1 : 0;
}

static PyObject *list_method_insert(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t i;
    if (!_PyArg_CheckPositional("insert", nargs, 2, 2) || index_argument(args[0], &i) < 0)
        return NULL;
    if (PyList_Insert(self, i, args[1]) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *list_method_pop(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t i = -1;
    if (nargs > 0 && (!_PyArg_CheckPositional("pop", nargs, 0, 1) || index_argument(args[0], &i) < 0))
        return NULL;
    return list_pop_item((PyListObject *)self, i);
}

static PyObject *list_method_clear(PyObject *self, PyObject *unused)
{
    list_tp_clear(self);
    Py_RETURN_NONE;
}

static PyObject *list_method_copy(PyObject *self, PyObject *unused)
{
    return list_get_slice((PyListObject *)self, 0, PY_SSIZE_T_MAX);
}

static PyObject *list_method_reverse(PyObject *self, PyObject *unused)
{
    PyList_Reverse(self);
    Py_RETURN_NONE;
}

static PyObject *list_method_sizeof(PyObject *op, PyObject *unused)
{
    PyListObject *self = (PyListObject *)op;
    int locked = list_lock(self);
    Py_ssize_t allocated = self->allocated > 0 ? self->allocated : 0;
    container_unlock(self, locked);
    return PyLong_FromSsize_t(Py_TYPE(op)->tp_basicsize + allocated * (Py_ssize_t)sizeof(PyObject *));
}

static PyObject *list_method_getitem(PyObject *self, PyObject *index)
{
    return list_subscript(self, index);
}

/* ---- Operators ---- */

static Py_ssize_t list_length(PyObject *self)
{
    return PyList_GET_SIZE(self);
}

static PyObject *list_tp_concat(PyObject *a, PyObject *b)
{
    if (!PyList_Check(b)) {
        PyErr_Format(PyExc_TypeError, "can only concatenate list (not \"%.200s\") to list", Py_TYPE(b)->tp_name);
        return NULL;
    }
    return list_concat((PyListObject *)a, (PyListObject *)b);
}

static PyObject *list_tp_repeat(PyObject *self, Py_ssize_t n)
{
    return list_repeat((PyListObject *)self, n);
}

static PyObject *list_inplace_concat(PyObject *self, PyObject *other)
{
    if (list_extend((PyListObject *)self, other) < 0)
        return NULL;
    return Py_NewRef(self);
}

static PyObject *list_inplace_repeat(PyObject *op, Py_ssize_t times)
{
    PyListObject *self = (PyListObject *)op;
    int failed = 0;
    if (times <= 0) {
        list_tp_clear(op);
        return Py_NewRef(op);
    }
    int locked = list_lock(self);
    Py_ssize_t n = self->ob_base.ob_size;
    if (n > 0 && times > 1) {
        failed = n > PY_SSIZE_T_MAX / (Py_ssize_t)sizeof(PyObject *) / times || list_reserve_locked(self, n * times) < 0;
        if (!failed) {
            for (Py_ssize_t i = 0; i < n; i++)
                if (value_is_heap(self->ob_item[i]))
                    object_incref_many(self->ob_item[i], times - 1);
            for (Py_ssize_t i = n; i < n * times; i++)
                __atomic_store_n(&self->ob_item[i], self->ob_item[i - n], __ATOMIC_RELEASE);
            list_set_size(self, n * times);
        }
    }
    container_unlock(self, locked);
    return failed ? PyErr_NoMemory() : Py_NewRef(op);
}

static PyObject *repr_items(PyListObject *self)
{
    unicode_writer_t writer;
    PyObject *item;
    unicode_writer_init(&writer);
    if (unicode_writer_write_char(&writer, '[') < 0)
        goto failed;
    for (Py_ssize_t i = 0; (item = list_read_item_ref(self, i)) != NULL; i++) {
        int failed = (i > 0 && unicode_writer_write_ascii(&writer, ", ", 2) < 0)
                     || unicode_writer_write_object_repr(&writer, item) < 0;
        Py_DECREF(item);
        if (failed)
            goto failed;
    }
    if (unicode_writer_write_char(&writer, ']') < 0)
        goto failed;
    return unicode_writer_finish(&writer);
failed:
    unicode_writer_dealloc(&writer);
    return NULL;
}

static PyObject *list_repr(PyObject *op)
{
    if (PyList_GET_SIZE(op) == 0)
        return PyUnicode_FromString("[]");
    int recursion = Py_ReprEnter(op);
    if (recursion != 0)
        return recursion > 0 ? PyUnicode_FromString("[...]") : NULL;
    PyObject *result = NULL;
    if (!runtime_is_multi() || object_is_private(op))
        result = repr_items((PyListObject *)op);
    else {
        PyObject *copy = list_get_slice((PyListObject *)op, 0, PY_SSIZE_T_MAX);
        if (copy != NULL) {
            result = repr_items((PyListObject *)copy);
            Py_DECREF(copy);
        }
    }
    Py_ReprLeave(op);
    return result;
}

/* ---- The type ---- */

static const char list_doc[] =
"list(iterable=(), /)\n--\n\n"
"A mutable sequence of objects; without an argument, an empty one.";

static PyMethodDef list_methods[] = {
    {"__getitem__", list_method_getitem, METH_O | METH_COEXIST, "__getitem__($self, index, /)\n--\n\nReturn self[index]."},
    {"__reversed__", list_reversed, METH_NOARGS, "__reversed__($self, /)\n--\n\nReturn an iterator from the last item to the first."},
    {"__sizeof__", list_method_sizeof, METH_NOARGS, "__sizeof__($self, /)\n--\n\nReturn the memory used, in bytes."},
    {"append", list_method_append, METH_O, "append($self, object, /)\n--\n\nAdd an object at the end."},
    {"clear", list_method_clear, METH_NOARGS, "clear($self, /)\n--\n\nRemove all items."},
    {"copy", list_method_copy, METH_NOARGS, "copy($self, /)\n--\n\nReturn a new list with the same items."},
    {"count", list_method_count, METH_O, "count($self, value, /)\n--\n\nReturn how many items equal value."},
    {"extend", list_method_extend, METH_O, "extend($self, iterable, /)\n--\n\nAdd all items of an iterable at the end."},
    {"index", _PyCFunction_CAST(list_method_index), METH_FASTCALL,
     "index($self, value, start=0, stop=sys.maxsize, /)\n--\n\n"
     "Return the first index whose item equals value; ValueError if there is none."},
    {"insert", _PyCFunction_CAST(list_method_insert), METH_FASTCALL,
     "insert($self, index, object, /)\n--\n\nPut an object in front of the item at index."},
    {"pop", _PyCFunction_CAST(list_method_pop), METH_FASTCALL,
     "pop($self, index=-1, /)\n--\n\nRemove the item at index and return it; IndexError if there is none."},
    {"remove", list_method_remove, METH_O,
     "remove($self, value, /)\n--\n\nRemove the first item that equals value; ValueError if there is none."},
    {"reverse", list_method_reverse, METH_NOARGS, "reverse($self, /)\n--\n\nTurn the order of the items round, in place."},
    {"sort", _PyCFunction_CAST(list_method_sort), METH_FASTCALL | METH_KEYWORDS,
     "sort($self, /, *, key=None, reverse=False)\n--\n\n"
     "Sort in place, in ascending order; equal items keep their order.\n\n"
     "With key, items are ordered by the results of key(item)."},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "Make a generic alias (PEP 585)."},
    {NULL, NULL, 0, NULL},
};

static PySequenceMethods list_as_sequence = {
    .sq_length = list_length,
    .sq_concat = list_tp_concat,
    .sq_repeat = list_tp_repeat,
    .sq_item = list_item,
    .sq_ass_item = list_ass_item,
    .sq_contains = list_contains,
    .sq_inplace_concat = list_inplace_concat,
    .sq_inplace_repeat = list_inplace_repeat,
};

static PyMappingMethods list_as_mapping = {
    .mp_length = list_length,
    .mp_subscript = list_subscript,
    .mp_ass_subscript = list_ass_subscript,
};

PyTypeObject PyList_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "list",
    .tp_basicsize = sizeof(PyListObject),
    .tp_dealloc = list_dealloc,
    .tp_repr = list_repr,
    .tp_as_sequence = &list_as_sequence,
    .tp_as_mapping = &list_as_mapping,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_LIST_SUBCLASS
                | _Py_TPFLAGS_MATCH_SELF | Py_TPFLAGS_SEQUENCE,
    .tp_doc = list_doc,
    .tp_traverse = list_traverse,
    .tp_clear = list_tp_clear,
    .tp_richcompare = list_richcompare,
    .tp_iter = list_iter,
    .tp_methods = list_methods,
    .tp_init = list_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = list_tp_new,
    .tp_free = PyObject_GC_Del,
    .tp_vectorcall = list_vectorcall,
};
