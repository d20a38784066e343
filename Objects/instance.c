/* Attributes of instances: inline slots, dict mode, and the way from one to the other. */
#include "Python.h"

#include "instance.h"
#include "lock.h"
#include "object_pages.h"
#include "type.h"

/* ---- Where the dict pointer is ---- */

PyObject **instance_dict_pointer(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    Py_ssize_t offset = type->tp_dictoffset;
    if (offset == 0 || value_is_immediate(op))
        return NULL;
    if (offset < 0) {
        Py_ssize_t n = Py_SIZE(op);
        offset += (Py_ssize_t)_PyObject_VAR_SIZE(type, n < 0 ? -n : n);
    }
    return (PyObject **)((char *)op + offset);
}

/* The dict in the pointer as a new reference, or NULL.  If the pointer is empty because the instance is just leaving inline mode, the lock
 * makes us wait for the end of that. */
static PyObject *read_dict_pointer(PyObject *op, PyObject **pointer)
{
    PyObject *dict = __atomic_load_n(pointer, __ATOMIC_ACQUIRE);
    if (Py_LIKELY(dict != NULL) && object_try_incref(dict))
        return dict;
    if (dict == NULL && (!runtime_is_multi() || !type_has_inline_attrs(heap_type(op))))
        return NULL;
    int locked = container_lock(op);
    dict = *pointer;
    if (dict != NULL)
        Py_INCREF(dict);
    container_unlock(op, locked);
    return dict;
}

PyObject *instance_peek_dict(PyObject *op)
{
    PyObject **pointer = instance_dict_pointer(op);
    return pointer != NULL ? read_dict_pointer(op, pointer) : NULL;
}

/* ---- Inline to dict mode ---- */

/* Moves the slots of op into the empty dict, which has room for them. */
static void move_slots_locked(PyObject *op, const shape_t *shape, PyDictObject *dict)
{
    __atomic_store_n(&op->hdr_shape, 0, __ATOMIC_RELEASE);
    for (int i = 0; i < shape->count; i++) {
        PyObject **slot = instance_slot(op, shape_slot_offset(shape, i));
        PyObject *value;
        if (runtime_is_multi())
            value = __atomic_exchange_n(slot, SHAPE_TOMBSTONE, __ATOMIC_ACQ_REL);
        else {          /* nobody else stores meanwhile */
            value = *slot;
            *slot = SHAPE_TOMBSTONE;
        }
        if (value != NULL)
            dict_insert_new_locked(dict, shape->names[i], unicode_hash(shape->names[i]), value);
    }
}

int instance_to_dict_mode(PyObject *op)
{
    PyObject **pointer = instance_dict_pointer(op);
    for (;;) {
        uint32_t id = instance_shape(op);
        if (id == 0 || !(id & SHAPE_ID_TAG))
            return 0;
        shape_t *shape = shape_from_id(id);
        PyDictObject *dict = dict_new_unseen(shape->count);
        if (dict == NULL)
            return -1;
        int locked = container_lock(op), done = 0;
        if (op->hdr_shape == id) {          /* else the shape may be gone, with the class that op had */
            move_slots_locked(op, shape, dict);
            object_track((PyObject *)dict);
            object_publish((PyObject *)dict);
            __atomic_store_n(pointer, (PyObject *)dict, __ATOMIC_RELEASE);     /* pairs with read_dict_pointer */
            done = 1;
        }
        container_unlock(op, locked);
        if (done)
            return 0;
        Py_DECREF(dict);
    }
}

PyObject **instance_dict_pointer_materialised(PyObject *op)
{
    PyObject **pointer = instance_dict_pointer(op);
    if (pointer != NULL && type_has_inline_attrs(heap_type(op)) && instance_to_dict_mode(op) < 0)
        return NULL;
    return pointer;
}

static int has_inline_mode(PyObject *op)
{
    return (instance_shape(op) & SHAPE_ID_TAG) != 0;
}

PyObject *instance_get_dict(PyObject *op)
{
    PyObject **pointer = instance_dict_pointer(op);
    if (pointer == NULL) {
        PyErr_SetString(PyExc_AttributeError, "This object has no __dict__");
        return NULL;
    }
    if (has_inline_mode(op) && instance_to_dict_mode(op) < 0)
        return NULL;
    PyObject *dict = read_dict_pointer(op, pointer);
    if (dict != NULL)
        return dict;
    PyObject *fresh = PyDict_New();
    if (fresh == NULL)
        return NULL;
    object_publish(fresh);
    int locked = container_lock(op);
    dict = *pointer;
    if (dict == NULL) {
        dict = fresh;
        __atomic_store_n(pointer, fresh, __ATOMIC_RELEASE);
    }
    Py_INCREF(dict);
    container_unlock(op, locked);
    if (dict != fresh)
        Py_DECREF(fresh);
    return dict;
}

int instance_set_dict(PyObject *op, PyObject *dict)
{
    PyObject **pointer = instance_dict_pointer_materialised(op);
    if (pointer == NULL) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_AttributeError, "This object has no __dict__");
        return -1;
    }
    if (dict != NULL) {
        object_publish(dict);
        Py_INCREF(dict);
    }
    int locked = container_lock(op);
    PyObject *old = __atomic_exchange_n(pointer, dict, __ATOMIC_ACQ_REL);
    container_unlock(op, locked);
    Py_XDECREF(old);
    return 0;
}

/* ---- Reading ---- */

/* name as the interned string that shapes know, borrowed (immortal); NULL: no exact str. */
static PyObject *interned_name(PyObject *name)
{
    if (Py_LIKELY(PyUnicode_CheckExact(name) && unicode_is_interned(name)))
        return name;
    if (!PyUnicode_CheckExact(name))
        return NULL;
    PyObject *result = unicode_intern_steal(Py_NewRef(name));
    if (result == NULL)
        PyErr_Clear();
    return result;
}

/* Does the name compare by its text? A subclass of str may have an __eq__ of its own. */
static int is_plain_name(PyObject *name)
{
    return PyUnicode_CheckExact(name)
           || (Py_TYPE(name)->tp_richcompare == PyUnicode_Type.tp_richcompare && Py_TYPE(name)->tp_hash == PyUnicode_Type.tp_hash);
}

/* Slot of a plain name that need not be interned; -1. */
static int find_any_name(const shape_t *shape, PyObject *name)
{
    if (Py_LIKELY(PyUnicode_CheckExact(name) && unicode_is_interned(name)))
        return shape_find(shape, name);
    for (int i = 0; i < shape->count; i++)
        if (unicode_equal(shape->names[i], name))
            return i;
    return -1;
}

static int get_from_dict(PyObject *op, PyObject *name, PyObject **result)
{
    PyObject *dict = instance_peek_dict(op);
    if (dict == NULL) {
        *result = NULL;
        return 0;
    }
    int found = PyUnicode_CheckExact(name) ? dict_get_str_ref(dict, name, result) : dict_get_ref(dict, name, result);
    Py_DECREF(dict);
    return found;
}

int instance_get_attr(PyObject *op, PyObject *name, PyObject **result)
{
    *result = NULL;
    if (value_is_immediate(op))
        return 0;
    uint32_t id;
    while ((id = instance_shape(op)) & SHAPE_ID_TAG) {
        if (Py_UNLIKELY(!is_plain_name(name))) {
            if (instance_to_dict_mode(op) < 0)
                return -1;
            break;
        }
        shape_t *shape = shape_from_id(id);
        int i = find_any_name(shape, name);
        if (i < 0)
            return 0;
        PyObject *value = __atomic_load_n(instance_slot(op, shape_slot_offset(shape, i)), __ATOMIC_ACQUIRE);
        if (value == NULL)
            return 0;
        if (value != SHAPE_TOMBSTONE && object_try_incref(value)) {
            *result = value;
            return 1;
        }
        /* Overwritten or on its way to dict mode: the lock orders us behind the one who does it. */
        int locked = container_lock(op);
        container_unlock(op, locked);
    }
    return get_from_dict(op, name, result);
}

/* ---- Writing ---- */

static int set_in_dict(PyObject *op, PyObject *name, PyObject *value)
{
    PyObject *dict = value != NULL ? instance_get_dict(op) : instance_peek_dict(op);
    if (dict == NULL)
        return value != NULL ? -1 : 1;
    int result;
    if (value != NULL)
        result = PyDict_SetItem(dict, name, value);
    else {
        result = PyDict_Pop(dict, name, NULL);
        result = result < 0 ? -1 : !result;
    }
    Py_DECREF(dict);
    return result;
}

int instance_add_slot(PyObject *op, uint32_t from, uint32_t offset, uint32_t to, PyObject *value)
{
    int locked = container_lock(op), same = op->hdr_shape == from;
    if (same) {
        object_publish(value);
        Py_INCREF(value);
        __atomic_store_n(instance_slot(op, offset), value, __ATOMIC_RELEASE);
        __atomic_store_n(&op->hdr_shape, to, __ATOMIC_RELEASE);     /* pairs with instance_shape */
    }
    container_unlock(op, locked);
    return same;
}

int instance_overwrite_contended(PyObject *op, uint32_t offset, PyObject *value, PyObject **old)
{
    PyObject **slot = instance_slot(op, offset), *found;
    uint32_t shape = instance_shape(op);
    do {
        sync_back_off();
        found = __atomic_load_n(slot, __ATOMIC_RELAXED);
        if (found == NULL || found == SHAPE_TOMBSTONE || instance_shape(op) != shape) {
            Py_DECREF(value);       /* the caller's reference remains: never the last */
            return 0;
        }
    } while (!__atomic_compare_exchange_n(slot, &found, value, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
    *old = found;
    return 1;
}

/* One attempt. Returns 0 or 1 as instance_set_attr; 2: try again; 3: no room, dict mode needed. *old is to be dropped. */
static int set_inline(PyObject *op, uint32_t id, PyObject *name, PyObject *value, PyObject **old)
{
    shape_t *shape = shape_from_id(id), *grown = NULL;
    int i = shape_find(shape, name), result = 0;
    *old = NULL;
    if (value == NULL) {
        if (i < 0)
            return 1;
    }
    else if (i < 0) {
        grown = shape_transition(shape, name);      /* before the object is locked: shapes have a lock of their own */
        if (grown == NULL)
            return 3;
        i = grown->count - 1;
    }
    else if (instance_overwrite_slot(op, shape_slot_offset(shape, i), value, old))
        return 0;

    if (value != NULL) {
        object_publish(value);
        Py_INCREF(value);
    }
    int locked = container_lock(op);
    if (op->hdr_shape != id) {          /* and if it is not: the shape may be gone with the class that op had */
        result = 2;
        *old = value;
    }
    else {
        PyObject **slot = instance_slot(op, shape_slot_offset(shape, i));
        if (runtime_is_multi())     /* not `locked`: that is 0 also in a critical section on op */
            *old = __atomic_exchange_n(slot, value, __ATOMIC_ACQ_REL);
        else {
            *old = *slot;
            *slot = value;
        }
        if (grown != NULL)
            __atomic_store_n(&op->hdr_shape, grown->id, __ATOMIC_RELEASE);     /* pairs with instance_shape */
        else if (value == NULL && *old == NULL)
            result = 1;
    }
    container_unlock(op, locked);
    return result;
}

int instance_set_attr(PyObject *op, PyObject *name, PyObject *value)
{
    PyObject **pointer = instance_dict_pointer(op);
    if (pointer == NULL)
        return 1;
    uint32_t id;
    while ((id = instance_shape(op)) & SHAPE_ID_TAG) {
        PyObject *key = interned_name(name), *old;
        int result = 3;
        if (key != NULL) {
            result = set_inline(op, id, key, value, &old);
            Py_XDECREF(old);
        }
        else if (value == NULL)
            return 1;
        if (result < 2)
            return result;
        if (result == 3 && instance_to_dict_mode(op) < 0)
            return -1;
    }
    return set_in_dict(op, name, value);
}

/* ---- The whole ---- */

/* Copies the slots into the empty dict. 0: op is on its way to dict mode. */
static int copy_slots(PyObject *op, const shape_t *shape, PyDictObject *dict)
{
    for (int i = 0; i < shape->count; i++) {
        PyObject *value;
        do {    /* somebody may overwrite it without the lock */
            value = __atomic_load_n(instance_slot(op, shape_slot_offset(shape, i)), __ATOMIC_ACQUIRE);
            if (value == SHAPE_TOMBSTONE)
                return 0;
        } while (value != NULL && !object_try_incref(value));
        if (value != NULL)
            dict_insert_new_locked(dict, shape->names[i], unicode_hash(shape->names[i]), value);
    }
    return 1;
}

/* Are the slots still what copy_slots found? Then there was a moment between the two when they all were, unless a value was replaced and put
 * back: stores are seen one by one here, as they are by whoever copies under the lock. */
static int are_slots_as_copied(PyObject *op, const shape_t *shape, PyDictObject *dict)
{
    PyDictKeysObject *keys = dict->ma_keys;
    Py_ssize_t n = 0;
    for (int i = 0; i < shape->count; i++) {
        PyObject *value = __atomic_load_n(instance_slot(op, shape_slot_offset(shape, i)), __ATOMIC_ACQUIRE);
        if (value == NULL)
            continue;
        if (n == keys->count || keys->entries[n].key != shape->names[i] || keys->entries[n].value != value)
            return 0;
        n++;
    }
    return n == keys->count && instance_shape(op) == shape->id;
}

PyObject *instance_copy_attrs(PyObject *op)
{
    int with_lock = !runtime_is_multi();        /* threads that copy one instance do not take turns, if nobody stores meanwhile */
    uint32_t id;
    while ((id = instance_shape(op)) & SHAPE_ID_TAG) {
        shape_t *shape = shape_from_id(id);
        PyDictObject *dict = dict_new_unseen(shape->count);
        if (dict == NULL)
            return NULL;
        int same;
        if (with_lock) {
            int locked = container_lock(op);
            same = op->hdr_shape == id && copy_slots(op, shape, dict);
            container_unlock(op, locked);
        }
        else
            same = copy_slots(op, shape, dict) && are_slots_as_copied(op, shape, dict);
        if (same) {
            object_track((PyObject *)dict);
            return (PyObject *)dict;
        }
        Py_DECREF(dict);
        with_lock = 1;
    }
    PyObject *dict = instance_peek_dict(op);
    if (dict == NULL)
        return PyDict_New();
    PyObject *copy = PyDict_Copy(dict);
    Py_DECREF(dict);
    return copy;
}

int instance_is_empty(PyObject *op)
{
    uint32_t id = value_is_heap(op) ? instance_shape(op) : 0;
    if (id & SHAPE_ID_TAG) {
        shape_t *shape = shape_from_id(id);
        for (int i = 0; i < shape->count; i++)
            if (__atomic_load_n(instance_slot(op, shape_slot_offset(shape, i)), __ATOMIC_RELAXED) != NULL)
                return 0;
        return 1;
    }
    PyObject *dict = instance_peek_dict(op);
    if (dict == NULL)
        return 1;
    int empty = PyDict_GET_SIZE(dict) == 0;
    Py_DECREF(dict);
    return empty;
}

int64_t instance_dict_hint(PyObject *op, PyObject *name)
{
    PyObject *dict = instance_peek_dict(op);
    int64_t hint = -1;
    if (dict == NULL)
        return -1;
    if (PyDict_Check(dict) && unicode_is_interned(name)) {
        dict_pass_gate((PyDictObject *)dict);
        PyDictKeysObject *keys = __atomic_load_n(&((PyDictObject *)dict)->ma_keys, __ATOMIC_ACQUIRE);
        Py_ssize_t n = __atomic_load_n(&keys->count, __ATOMIC_ACQUIRE);
        for (Py_ssize_t i = 0; i < n && i < 1000 && hint < 0; i++)
            if (__atomic_load_n(&keys->entries[i].key, __ATOMIC_ACQUIRE) == name)
                hint = i;
    }
    Py_DECREF(dict);
    return hint;
}

/* ---- Life ---- */

int instance_traverse_attrs(PyObject *op, visitproc visit, void *arg)
{
    uint32_t id = instance_shape(op);
    if (id & SHAPE_ID_TAG) {
        shape_t *shape = shape_from_id(id);
        for (int i = 0; i < shape->count; i++) {
            PyObject *value = *instance_slot(op, shape_slot_offset(shape, i));
            Py_VISIT(value);
        }
    }
    PyObject **pointer = instance_dict_pointer(op);
    if (pointer != NULL)
        Py_VISIT(*pointer);
    return 0;
}

void instance_clear_attrs(PyObject *op)
{
    uint32_t id = instance_shape(op);
    if (id & SHAPE_ID_TAG) {
        shape_t *shape = shape_from_id(id);
        for (int i = 0; i < shape->count; i++) {
            PyObject **slot = instance_slot(op, shape_slot_offset(shape, i));
            PyObject *value = __atomic_exchange_n(slot, NULL, __ATOMIC_ACQ_REL);
            Py_XDECREF(value);
        }
    }
    PyObject **pointer = instance_dict_pointer(op);
    if (pointer != NULL) {
        PyObject *dict = __atomic_exchange_n(pointer, NULL, __ATOMIC_ACQ_REL);
        Py_XDECREF(dict);
    }
}
