/* The method resolution order, subtype tests, and the choice of the base that lays out instances. */
#include "Python.h"

#include "call.h"
#include "memory.h"
#include "stop_world.h"
#include "type.h"
#include "unicode.h"
#include "weakref.h"

/* ---- Subtype tests ---- */

int PyType_IsSubtype(PyTypeObject *a, PyTypeObject *b)
{
    /* Nothing here reaches a safe point, and an MRO is published: no reference is needed. */
    PyObject *mro = __atomic_load_n(&a->tp_mro, __ATOMIC_ACQUIRE);
    if (Py_LIKELY(mro != NULL)) {
        PyObject **items = &PyTuple_GET_ITEM(mro, 0);
        for (Py_ssize_t i = 0, n = PyTuple_GET_SIZE(mro); i < n; i++)
            if (items[i] == (PyObject *)b)
                return 1;
        return 0;
    }
    /* not ready yet */
    for (; a != NULL; a = a->tp_base)
        if (a == b)
            return 1;
    return b == &PyBaseObject_Type;
}

/* ---- C3 ---- */

static PyObject *no_order(PyObject *const *lists, const Py_ssize_t *heads, Py_ssize_t n)
{
    PyObject *names = PyUnicode_FromString("");
    PyObject *seen = PyList_New(0);
    for (Py_ssize_t i = 0; i < n && names != NULL && seen != NULL; i++) {
        if (heads[i] >= PyTuple_GET_SIZE(lists[i]))
            continue;
        PyObject *c = PyTuple_GET_ITEM(lists[i], heads[i]);
        int known = 0;
        for (Py_ssize_t j = 0; j < PyList_GET_SIZE(seen); j++) {
            PyObject *item = PyList_GetItemRef(seen, j);
            known |= item == c;
            Py_XDECREF(item);
        }
        if (known || PyList_Append(seen, c) < 0)
            continue;
        PyObject *name;
        if (PyType_Check(c))
            name = PyType_GetName((PyTypeObject *)c);
        else
            name = PyObject_Repr(c);
        if (name == NULL)
            break;
        PyObject *longer = PyUnicode_FromFormat(PyList_GET_SIZE(seen) > 1 ? "%U, %S" : "%U %S", names, name);
        Py_DECREF(name);
        Py_SETREF(names, longer);
    }
    if (names != NULL && !PyErr_Occurred())
        PyErr_Format(PyExc_TypeError,
                     "Cannot create a consistent method resolution\norder (MRO) for bases%U", names);
    Py_XDECREF(names);
    Py_XDECREF(seen);
    return NULL;
}

static int is_in_tail(PyObject *list, Py_ssize_t head, PyObject *c)
{
    for (Py_ssize_t i = head + 1; i < PyTuple_GET_SIZE(list); i++)
        if (PyTuple_GET_ITEM(list, i) == c)
            return 1;
    return 0;
}

/* Merges n tuples of classes behind `result`, a list. */
static int merge(PyObject *result, PyObject *const *lists, Py_ssize_t *heads, Py_ssize_t n)
{
    for (;;) {
        Py_ssize_t finished = 0;
        PyObject *candidate = NULL;
        for (Py_ssize_t i = 0; i < n && candidate == NULL; i++) {
            if (heads[i] >= PyTuple_GET_SIZE(lists[i])) {
                finished++;
                continue;
            }
            candidate = PyTuple_GET_ITEM(lists[i], heads[i]);
            for (Py_ssize_t j = 0; j < n; j++)
                if (is_in_tail(lists[j], heads[j], candidate)) {
                    candidate = NULL;
                    break;
                }
        }
        if (candidate == NULL) {
            if (finished == n)
                return 0;
            no_order(lists, heads, n);
            return -1;
        }
        if (PyList_Append(result, candidate) < 0)
            return -1;
        for (Py_ssize_t j = 0; j < n; j++)
            if (heads[j] < PyTuple_GET_SIZE(lists[j]) && PyTuple_GET_ITEM(lists[j], heads[j]) == candidate)
                heads[j]++;
    }
}

static int check_duplicates(PyObject *bases)
{
    Py_ssize_t n = PyTuple_GET_SIZE(bases);
    for (Py_ssize_t i = 0; i < n; i++)
        for (Py_ssize_t j = i + 1; j < n; j++)
            if (PyTuple_GET_ITEM(bases, i) == PyTuple_GET_ITEM(bases, j)) {
                PyTypeObject *dup = (PyTypeObject *)PyTuple_GET_ITEM(bases, i);
                const char *name = strrchr(dup->tp_name, '.');
                PyErr_Format(PyExc_TypeError, "duplicate base class %.400s", name != NULL ? name + 1 : dup->tp_name);
                return -1;
            }
    return 0;
}

/* The C3 order of a type: a list (new reference). */
static PyObject *c3(PyTypeObject *type)
{
    PyObject *bases = type_get_bases_ref(type), *result = NULL, **lists = NULL;
    Py_ssize_t *heads = NULL, n = bases != NULL ? PyTuple_GET_SIZE(bases) : 0, i;
    if (bases == NULL) {
        PyErr_Format(PyExc_TypeError, "Cannot extend an incomplete type '%.100s'", type->tp_name);
        return NULL;
    }
    for (i = 0; i < n; i++) {
        PyTypeObject *base = (PyTypeObject *)PyTuple_GET_ITEM(bases, i);
        if (base->tp_mro == NULL) {
            PyErr_Format(PyExc_TypeError, "Cannot extend an incomplete type '%.100s'", base->tp_name);
            goto done;
        }
    }
    result = PyList_New(0);
    lists = PyMem_Calloc((size_t)n + 1, sizeof(*lists));
    heads = PyMem_Calloc((size_t)n + 1, sizeof(*heads));
    if (result == NULL || lists == NULL || heads == NULL) {
        PyErr_NoMemory();
        goto error;
    }
    if (PyList_Append(result, (PyObject *)type) < 0 || check_duplicates(bases) < 0)
        goto error;
    for (i = 0; i < n; i++)
        if ((lists[i] = type_get_mro_ref((PyTypeObject *)PyTuple_GET_ITEM(bases, i))) == NULL)
            lists[i] = PyTuple_New(0);
    lists[n] = bases;
    if (merge(result, lists, heads, n + 1) == 0)
        goto done;
error:
    Py_CLEAR(result);
done:
    if (lists != NULL)
        for (i = 0; i < n; i++)
            Py_XDECREF(lists[i]);
    PyMem_Free(lists);
    PyMem_Free(heads);
    Py_DECREF(bases);
    return result;
}

/* type.mro() */
PyObject *type_mro_method(PyObject *self, PyObject *unused)
{
    (void)unused;
    types_lock();           /* one state of all bases */
    PyObject *order = c3((PyTypeObject *)self);
    types_unlock();
    return order;
}

/* What a metaclass's mro() gave must be classes whose instances type's instances can pass for. */
static int check_custom(PyTypeObject *type, PyObject *mro)
{
    PyTypeObject *solid = type_solid_base(type);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(mro); i++) {
        PyObject *item = PyTuple_GET_ITEM(mro, i);
        if (!PyType_Check(item)) {
            PyErr_Format(PyExc_TypeError, "mro() returned a non-class ('%.500s')", Py_TYPE(item)->tp_name);
            return -1;
        }
        if (!PyType_IsSubtype(solid, type_solid_base((PyTypeObject *)item))) {
            PyErr_Format(PyExc_TypeError, "mro() returned base with unsuitable layout ('%.500s')",
                         ((PyTypeObject *)item)->tp_name);
            return -1;
        }
    }
    return 0;
}

/* Does the class's metaclass have the mro() of `type`? */
static int has_own_mro_method(PyTypeObject *type)
{
    PyTypeObject *metatype = Py_TYPE(type);
    PyObject *method;
    if (metatype == &PyType_Type)
        return 0;
    types_lock();
    int found = type_lookup_locked(metatype, STR(mro), &method);
    types_unlock();
    int own = !found || !heap_is_type(method, &PyMethodDescr_Type)
              || ((PyMethodDescrObject *)method)->d_method->ml_meth != type_mro_method;
    Py_XDECREF(method);
    return own;
}

/* As a list or what else it is. */
static PyObject *call_mro(PyTypeObject *type)
{
    PyObject *method = type_lookup_special((PyObject *)type, STR(mro));
    if (method == NULL) {
        if (!PyErr_Occurred())
            PyErr_SetObject(PyExc_AttributeError, STR(mro));
        return NULL;
    }
    PyObject *order = PyObject_CallNoArgs(method);
    Py_DECREF(method);
    return order;
}

PyObject *type_compute_mro(PyTypeObject *type, int *custom)
{
    *custom = has_own_mro_method(type);
    int suspended = *custom ? types_lock_suspend() : 0;
    PyObject *list = *custom ? call_mro(type) : c3(type);
    PyObject *tuple = list != NULL ? PySequence_Tuple(list) : NULL;
    Py_XDECREF(list);
    types_lock_resume(suspended);
    if (tuple != NULL && *custom && check_custom(type, tuple) < 0)
        Py_CLEAR(tuple);
    return tuple;
}

/* Is every class of the MRO one that knows type as a (direct or indirect) subclass?  Else it cannot tell type of changes. */
int type_mro_is_plain(PyTypeObject *type, PyObject *mro)
{
    PyObject *bases = type->tp_bases;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(mro); i++) {
        PyObject *c = PyTuple_GET_ITEM(mro, i);
        int found = c == (PyObject *)type;
        for (Py_ssize_t j = 0; !found && bases != NULL && j < PyTuple_GET_SIZE(bases); j++) {
            PyTypeObject *base = (PyTypeObject *)PyTuple_GET_ITEM(bases, j);
            found = c == (PyObject *)base || (!base->tp_private->never_versioned && PyType_IsSubtype(base, (PyTypeObject *)c));
        }
        if (!found)
            return 0;
    }
    return 1;
}

int type_install_mro(PyTypeObject *type)
{
    int custom;
    PyObject *mro = type_compute_mro(type, &custom);
    if (mro == NULL)
        return -1;
    object_publish(mro);
    type_modified_locked(type);
    if (custom && !type_mro_is_plain(type, mro))
        type->tp_private->never_versioned = 1;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(type->tp_bases); i++)
        if (((PyTypeObject *)PyTuple_GET_ITEM(type->tp_bases, i))->tp_private->never_versioned)
            type->tp_private->never_versioned = 1;
    PyObject *old = __atomic_exchange_n(&type->tp_mro, mro, __ATOMIC_ACQ_REL);
    Py_XDECREF(old);
    return 0;
}

/* ---- Layout ---- */

/* Does type lay out its instances differently from base, not counting a dict and a weak reference list at the end? */
static int has_own_layout(PyTypeObject *type, PyTypeObject *base)
{
    Py_ssize_t size = type->tp_basicsize, base_size = base->tp_basicsize;
    if (type->tp_itemsize != 0 || base->tp_itemsize != 0)
        return size != base_size + (type->tp_dictoffset < 0 && base->tp_dictoffset == 0 ? (Py_ssize_t)sizeof(PyObject *) : 0)
               || type->tp_itemsize != base->tp_itemsize;
    if (PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE)) {
        if (type->tp_dictoffset > 0 && base->tp_dictoffset == 0 && type->tp_dictoffset + (Py_ssize_t)sizeof(PyObject *) == size)
            size -= sizeof(PyObject *);
        if (type->tp_weaklistoffset > 0 && base->tp_weaklistoffset == 0
            && type->tp_weaklistoffset + (Py_ssize_t)sizeof(PyObject *) == size)
            size -= sizeof(PyObject *);
    }
    return size != base_size;
}

PyTypeObject *type_solid_base(PyTypeObject *type)
{
    PyTypeObject *base = type->tp_base != NULL ? type_solid_base(type->tp_base) : &PyBaseObject_Type;
    return has_own_layout(type, base) ? type : base;
}

PyTypeObject *type_best_base(PyObject *bases)
{
    PyTypeObject *winner = NULL, *best = NULL;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bases); i++) {
        PyTypeObject *base = (PyTypeObject *)PyTuple_GET_ITEM(bases, i);
        if (!PyType_Check(base)) {
            PyErr_SetString(PyExc_TypeError, "bases must be types");
            return NULL;
        }
        if (!PyType_HasFeature(base, Py_TPFLAGS_READY) && PyType_Ready(base) < 0)
            return NULL;
        if (!PyType_HasFeature(base, Py_TPFLAGS_BASETYPE)) {
            PyErr_Format(PyExc_TypeError, "type '%.100s' is not an acceptable base type", base->tp_name);
            return NULL;
        }
        PyTypeObject *candidate = type_solid_base(base);
        if (winner == NULL || (!PyType_IsSubtype(winner, candidate) && PyType_IsSubtype(candidate, winner))) {
            winner = candidate;
            best = base;
        }
        else if (!PyType_IsSubtype(winner, candidate)) {
            PyErr_SetString(PyExc_TypeError, "multiple bases have instance lay-out conflict");
            return NULL;
        }
    }
    return best;
}

PyTypeObject *type_calculate_metaclass(PyTypeObject *metatype, PyObject *bases)
{
    PyTypeObject *winner = metatype;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bases); i++) {
        PyTypeObject *type = Py_TYPE(PyTuple_GET_ITEM(bases, i));
        if (PyType_IsSubtype(winner, type))
            continue;
        if (!PyType_IsSubtype(type, winner)) {
            PyErr_SetString(PyExc_TypeError,
                            "metaclass conflict: the metaclass of a derived class must be a (non-strict) subclass of the "
                            "metaclasses of all its bases");
            return NULL;
        }
        winner = type;
    }
    return winner;
}

/* ---- __bases__ ---- */

struct mro_change {
    PyTypeObject *type;
    PyObject *mro, *old_mro;
    int custom;
};
struct mro_changes {
    struct mro_change *items;
    Py_ssize_t count, capacity;
};

/* New MROs for type and all its subclasses, with tp_bases as it is now. A metaclass's mro() may come back to change the same
 * classes, and so may other threads while it runs: the change inside then stands. */
static int recompute(PyTypeObject *type, struct mro_changes *changes)
{
    if (changes->count == changes->capacity) {
        Py_ssize_t capacity = changes->capacity != 0 ? 2 * changes->capacity : 8;
        struct mro_change *items = PyMem_Realloc(changes->items, (size_t)capacity * sizeof(*items));
        if (items == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        changes->items = items;
        changes->capacity = capacity;
    }
    struct mro_change change = {type, NULL, type->tp_mro, 0};
    Py_XINCREF(change.old_mro);
    change.mro = type_compute_mro(type, &change.custom);
    if (change.mro == NULL || type->tp_mro != change.old_mro) {
        int result = change.mro == NULL ? -1 : 0;
        Py_XDECREF(change.mro);
        Py_XDECREF(change.old_mro);
        return result;
    }
    object_publish(change.mro);
    /* Installed at once: the subclasses' orders build on it; what was there is kept for going back. The type has the reference
     * that the change had to the new one, the change the type's to the old one. */
    Py_INCREF(change.mro);
    __atomic_store_n(&type->tp_mro, change.mro, __ATOMIC_RELEASE);
    Py_XDECREF(change.old_mro);
    Py_INCREF(type);
    changes->items[changes->count++] = change;
    PyObject *subclasses = type_get_subclasses(type);
    if (subclasses == NULL)
        return -1;
    int result = 0;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(subclasses) && result == 0; i++) {
        PyObject *subclass = PyList_GetItemRef(subclasses, i);
        result = recompute((PyTypeObject *)subclass, changes);
        Py_DECREF(subclass);
    }
    Py_DECREF(subclasses);
    return result;
}

/* Is type in base's chain of tp_base?  That chain is changed before the MRO is. */
static int is_laid_out_by(PyTypeObject *base, PyTypeObject *type)
{
    while (base != NULL && base != type)
        base = __atomic_load_n(&base->tp_base, __ATOMIC_ACQUIRE);
    return base != NULL;
}

static int check_new_bases(PyTypeObject *type, PyObject *bases)
{
    if (PyTuple_GET_SIZE(bases) == 0) {
        PyErr_Format(PyExc_TypeError, "can only assign non-empty tuple to %s.__bases__, not ()", type->tp_name);
        return -1;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bases); i++) {
        PyTypeObject *base = (PyTypeObject *)PyTuple_GET_ITEM(bases, i);
        if (!PyType_Check(base)) {
            PyErr_Format(PyExc_TypeError, "%s.__bases__ must be tuple of classes, not '%s'", type->tp_name,
                         Py_TYPE(base)->tp_name);
            return -1;
        }
        if (PyType_IsSubtype(base, type) || is_laid_out_by(base, type)) {
            PyErr_SetString(PyExc_TypeError, "a __bases__ item causes an inheritance cycle");
            return -1;
        }
    }
    return 0;
}

/* Denies versions to classes whose MROs name others that do not know them: custom ones, and such as were made or changed,
 * while this thread was in a mro(), by an order that did not last. */
static void mark_tree(PyTypeObject *type)
{
    if (type->tp_mro != NULL && !type_mro_is_plain(type, type->tp_mro))
        type->tp_private->never_versioned = 1;
    for (uint32_t i = 0; i < type->tp_private->subclass_count; i++) {
        PyObject *subclass = weakref_target(type->tp_private->subclasses[i]);
        if (subclass != NULL) {
            mark_tree((PyTypeObject *)subclass);
            Py_DECREF(subclass);
        }
    }
}

/* Goes back to the orders from before, but for those that a change inside this one has replaced. */
static void undo(struct mro_changes *changes)
{
    for (Py_ssize_t i = changes->count - 1; i >= 0; i--) {
        struct mro_change *change = &changes->items[i];
        if (change->type->tp_mro == change->mro) {
            __atomic_store_n(&change->type->tp_mro, change->old_mro, __ATOMIC_RELEASE);
            change->old_mro = change->mro;
        }
    }
}

/* Tells old and new bases, and sets what hangs on the orders. */
static void spread(PyTypeObject *type, PyObject *old_bases, PyObject *bases)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(old_bases); i++)
        type_remove_subclass((PyTypeObject *)PyTuple_GET_ITEM(old_bases, i), type);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bases); i++)
        if (type_add_subclass((PyTypeObject *)PyTuple_GET_ITEM(bases, i), type) < 0)
            PyErr_Clear();
    mark_tree(type);
    type_modified_locked(type);
    type_fixup_slots_of_tree_locked(type);
    type_retire_shapes_locked(type);
}

/* In a pause: others go along tp_base without more ado. */
static void install_bases(PyTypeObject *type, PyObject *bases, PyTypeObject *base)
{
    PyThreadState *ts = runtime_is_multi() ? thread_current() : NULL;
    if (ts != NULL)
        stop_world_begin(ts);
    __atomic_store_n(&type->tp_bases, bases, __ATOMIC_RELEASE);
    __atomic_store_n(&type->tp_base, base, __ATOMIC_RELEASE);
    if (ts != NULL)
        stop_world_end(ts);
}

int type_set_bases(PyTypeObject *type, PyObject *bases)
{
    PyTypeObject *new_base;
    types_lock();
    if (check_new_bases(type, bases) < 0 || (new_base = type_best_base(bases)) == NULL
        || !type_layouts_compatible(type->tp_base, new_base, "__bases__")) {
        types_unlock();
        return -1;
    }
    struct mro_changes changes = {NULL, 0, 0};
    Py_INCREF(bases);
    Py_INCREF(new_base);
    object_publish(bases);
    types_hold_versions_locked();       /* the new bases do not know the class before all is done */
    type_modified_locked(type);
    PyObject *old_bases = type->tp_bases;
    PyTypeObject *old_base = type->tp_base;
    install_bases(type, bases, new_base);
    Py_INCREF(bases);           /* a change inside may drop the type's reference */
    int result = recompute(type, &changes);
    int ours = type->tp_bases == bases;
    if (result < 0) {
        undo(&changes);
        if (ours) {
            install_bases(type, old_bases, old_base);
            old_bases = bases;
            old_base = new_base;
        }
        mark_tree(type);
        type_modified_locked(type);
    }
    else if (ours)
        spread(type, old_bases, bases);
    types_release_versions_locked();
    types_unlock();
    for (Py_ssize_t i = 0; i < changes.count; i++) {
        Py_XDECREF(changes.items[i].mro);
        Py_XDECREF(changes.items[i].old_mro);
        Py_DECREF(changes.items[i].type);
    }
    PyMem_Free(changes.items);
    Py_DECREF(bases);
    Py_DECREF(old_bases);
    Py_DECREF(old_base);
    return result;
}
