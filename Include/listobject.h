/* list: a growable array of references.
 *
 * Items are read without a lock and written under the object's lock; the rules are in Include/internal/list.h. The
 * macros below read the fields plainly: use them on lists that no other thread can reach, or under a critical section. */
#ifndef Py_LISTOBJECT_H
#define Py_LISTOBJECT_H

typedef struct {
    PyObject_VAR_HEAD           /* ob_size [atomic; written under the lock] */
    PyObject **ob_item;         /* [lock;retire] the word before the first item holds the array's capacity */
    Py_ssize_t allocated;       /* [lock] capacity of ob_item */
} PyListObject;

PyAPI_DATA(PyTypeObject) PyList_Type;
PyAPI_DATA(PyTypeObject) PyListIter_Type;
PyAPI_DATA(PyTypeObject) PyListRevIter_Type;

#define PyList_Check(op) PyType_FastSubclass(Py_TYPE(op), Py_TPFLAGS_LIST_SUBCLASS)
#define PyList_CheckExact(op) heap_is_type((op), &PyList_Type)

/* n items, all NULL: fill them with PyList_SET_ITEM before anybody else sees the list. */
PyAPI_FUNC(PyObject *) PyList_New(Py_ssize_t n);
PyAPI_FUNC(Py_ssize_t) PyList_Size(PyObject *list);
PyAPI_FUNC(PyObject *) PyList_GetItem(PyObject *list, Py_ssize_t i);        /* borrowed */
PyAPI_FUNC(PyObject *) PyList_GetItemRef(PyObject *list, Py_ssize_t i);
PyAPI_FUNC(int) PyList_SetItem(PyObject *list, Py_ssize_t i, PyObject *item);   /* steals item, on failure too */
PyAPI_FUNC(int) PyList_Insert(PyObject *list, Py_ssize_t where, PyObject *item);
PyAPI_FUNC(int) PyList_Append(PyObject *list, PyObject *item);
PyAPI_FUNC(PyObject *) PyList_GetSlice(PyObject *list, Py_ssize_t low, Py_ssize_t high);
/* list[low:high] = items; items NULL deletes. */
PyAPI_FUNC(int) PyList_SetSlice(PyObject *list, Py_ssize_t low, Py_ssize_t high, PyObject *items);
PyAPI_FUNC(int) PyList_Sort(PyObject *list);
PyAPI_FUNC(int) PyList_Reverse(PyObject *list);
PyAPI_FUNC(PyObject *) PyList_AsTuple(PyObject *list);
PyAPI_FUNC(int) PyList_Extend(PyObject *list, PyObject *iterable);
PyAPI_FUNC(int) PyList_Clear(PyObject *list);
/* list.extend: None or NULL. */
PyAPI_FUNC(PyObject *) _PyList_Extend(PyListObject *list, PyObject *iterable);
PyAPI_FUNC(void) _PyList_DebugMallocStats(FILE *out);

#define _PyList_CAST(op) ((PyListObject *)(op))
static inline Py_ssize_t PyList_GET_SIZE_(const void *op)
{
    return __atomic_load_n(&((const PyListObject *)op)->ob_base.ob_size, __ATOMIC_RELAXED);
}
#define PyList_GET_SIZE(op) PyList_GET_SIZE_(op)
#define PyList_GET_ITEM(op, i) (_PyList_CAST(op)->ob_item[(i)])
/* For fresh lists: no old item is released. Steals value. */
static inline void PyList_SET_ITEM_(PyListObject *list, Py_ssize_t i, PyObject *value)
{
    if (value != NULL)
        object_publish(value);
    __atomic_store_n(&list->ob_item[i], value, __ATOMIC_RELEASE);
}
#define PyList_SET_ITEM(op, i, v) PyList_SET_ITEM_(_PyList_CAST(op), (i), (PyObject *)(v))

#endif /* Py_LISTOBJECT_H */
