/* Instances of classes: making them (calling a class), traversing, clearing and freeing them. */
#include "Python.h"

#include "call.h"
#include "instance.h"
#include "memory.h"
#include "method_ref.h"
#include "tuple.h"
#include "type.h"

/* ---- Allocation ---- */

/* nitems + 1: some types keep a sentinel behind their items. */
static PyObject *alloc_var(PyTypeObject *type, Py_ssize_t nitems)
{
    if (nitems < 0 || (type->tp_itemsize > 0
                       && nitems >= (PY_SSIZE_T_MAX - 64 - type->tp_basicsize) / type->tp_itemsize))
        return PyErr_NoMemory();
    size_t size = _PyObject_VAR_SIZE(type, nitems + 1);
    PyObject *op;
    if (PyType_IS_GC(type)) {
        op = object_new_gc(type, size);
        if (op == NULL)
            return NULL;
        memset((char *)op + sizeof(PyObject), 0, size - sizeof(PyObject));
    }
    else {
        op = PyObject_Malloc(size);
        if (op == NULL)
            return PyErr_NoMemory();
        memset(op, 0, size);
        PyObject_Init(op, type);
    }
    if (type->tp_itemsize != 0)
        ((PyVarObject *)op)->ob_size = nitems;
    if (PyType_IS_GC(type))
        object_track(op);
    return op;
}

PyObject *type_alloc_instance(PyTypeObject *type, Py_ssize_t nitems)
{
    shape_t *root = shape_root(type);
    if (root == NULL || nitems != 0)
        return alloc_var(type, nitems);
    size_t size = root->inline_offset + 8 * (size_t)root->capacity;
    PyObject *op = object_new_gc(type, size);
    if (Py_UNLIKELY(op == NULL))
        return NULL;
    memset((char *)op + sizeof(PyObject), 0, size - sizeof(PyObject));
    op->hdr_shape = root->id;
    object_track(op);
    if (Py_UNLIKELY(root->provisional))
        shape_note_instance(root);
    return op;
}

PyObject *PyType_GenericAlloc(PyTypeObject *type, Py_ssize_t nitems) { return type_alloc_instance(type, nitems); }

PyObject *PyType_GenericNew(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    (void)args;
    (void)kwds;
    return type->tp_alloc(type, 0);
}

/* ---- Calling a class ---- */

static PyObject *cannot_create(PyTypeObject *type)
{
    PyErr_Format(PyExc_TypeError, "cannot create '%s' instances", type->tp_name);
    return NULL;
}

static PyObject *type_of_argument(Py_ssize_t nargs, PyObject *const *args, int has_keywords)
{
    if (nargs == 1 && !has_keywords)
        return Py_NewRef(Py_TYPE(args[0]));
    if (nargs != 3 && nargs != 1) {
        PyErr_SetString(PyExc_TypeError, "type() takes 1 or 3 arguments");
        return NULL;
    }
    return Py_NewRef(Py_NotImplemented);        /* a class is to be made */
}

/* type.__call__ by tuple and dict. */
PyObject *type_call(PyObject *self, PyObject *args, PyObject *kwds)
{
    PyTypeObject *type = (PyTypeObject *)self;
    if (type == &PyType_Type) {
        PyObject *answer = type_of_argument(PyTuple_GET_SIZE(args), &PyTuple_GET_ITEM(args, 0),
                                            kwds != NULL && PyDict_GET_SIZE(kwds) != 0);
        if (answer != Py_NotImplemented)
            return answer;
    }
    if (type->tp_new == NULL)
        return cannot_create(type);
    PyObject *obj = call_check_result(self, type->tp_new(type, args, kwds), NULL);
    if (obj == NULL || !PyObject_TypeCheck(obj, type))
        return obj;
    type = Py_TYPE(obj);
    if (type->tp_init != NULL && type->tp_init(obj, args, kwds) < 0)
        Py_CLEAR(obj);
    return obj;
}

/* Calls func(first, args...); the word before args may be used if nargsf says so. */
static PyObject *call_prepending(PyObject *func, PyObject *first, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (nargsf & PY_VECTORCALL_ARGUMENTS_OFFSET) {
        PyObject **shifted = (PyObject **)args - 1, *saved = shifted[0];
        shifted[0] = first;
        PyObject *result = call_vectorcall(func, shifted, (size_t)nargs + 1, kwnames);
        shifted[0] = saved;
        return result;
    }
    Py_ssize_t total = nargs + (kwnames != NULL ? PyTuple_GET_SIZE(kwnames) : 0);
    PyObject *room[10], **stack = room;
    if (total + 2 > 10 && (stack = PyMem_Malloc(((size_t)total + 2) * sizeof(*stack))) == NULL)
        return PyErr_NoMemory();
    stack[0] = NULL;
    stack[1] = first;
    memcpy(stack + 2, args, (size_t)total * sizeof(*stack));
    PyObject *result = call_vectorcall(func, stack + 1, ((size_t)nargs + 1) | PY_VECTORCALL_ARGUMENTS_OFFSET, kwnames);
    if (stack != room)
        PyMem_Free(stack);
    return result;
}

/* obj.__init__(args...) where tp_init is slot_tp_init. That may be a class, and so on without end, as may __new__: the caller counts the
 * calls, which take an argument more each. */
static int call_python_init(PyObject *obj, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    struct method_ref m;
    int found = method_ref_take(obj, STR(__init__), &m);
    if (found <= 0) {
        if (found == 0)
            PyErr_SetObject(PyExc_AttributeError, STR(__init__));
        return -1;
    }
    PyObject *result = m.self_needed ? call_prepending(m.func, obj, args, nargsf, kwnames)
                                     : call_vectorcall(m.func, args, (size_t)PyVectorcall_NARGS(nargsf), kwnames);
    method_ref_drop(&m);
    if (result == NULL)
        return -1;
    if (result != Py_None) {
        PyErr_Format(PyExc_TypeError, "__init__() should return None, not '%.200s'", Py_TYPE(result)->tp_name);
        Py_DECREF(result);
        return -1;
    }
    return 0;
}

/* cls.__new__(cls, args...) where tp_new is slot_tp_new. */
static PyObject *call_python_new(PyTypeObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    PyObject *func = PyObject_GetAttr((PyObject *)type, STR(__new__));
    if (func == NULL)
        return NULL;
    PyObject *obj = call_prepending(func, (PyObject *)type, args, nargsf, kwnames);
    Py_DECREF(func);
    return obj;
}

PyObject *type_vectorcall(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    PyTypeObject *type = (PyTypeObject *)self;
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf), nkw = kwnames != NULL ? PyTuple_GET_SIZE(kwnames) : 0;
    PyObject *tuple = NULL, *dict = NULL, *obj = NULL;

    if (type == &PyType_Type && nargs == 1 && nkw == 0)
        return Py_NewRef(Py_TYPE(args[0]));
    int python_init = type->tp_init == slot_tp_init;
    if (type->tp_new == object_new && (python_init || nargs + nkw == 0)
        && !PyType_HasFeature(type, Py_TPFLAGS_IS_ABSTRACT))
        obj = type->tp_alloc(type, 0);
    else if (type->tp_new == slot_tp_new) {
        if (call_enter() < 0)
            goto done;
        obj = call_python_new(type, args, nargsf, kwnames);
        call_leave();
    }
    else {
        tuple = tuple_from_array(args, nargs);
        if (tuple == NULL || (nkw != 0 && (dict = call_stack_as_dict(args + nargs, kwnames)) == NULL))
            goto done;
        obj = type_call(self, tuple, dict);
        goto done;
    }
    if (obj == NULL || !PyObject_TypeCheck(obj, type))
        goto done;

    type = Py_TYPE(obj);
    if (type->tp_init == slot_tp_init) {
        int status = -1;
        if (call_enter() == 0) {
            status = call_python_init(obj, args, nargsf, kwnames);
            call_leave();
        }
        if (status < 0)
            Py_CLEAR(obj);
    }
    else if (type->tp_init != NULL && !(type->tp_init == object_init && nargs + nkw == 0)) {
        tuple = tuple_from_array(args, nargs);
        if (tuple == NULL || (nkw != 0 && (dict = call_stack_as_dict(args + nargs, kwnames)) == NULL)
            || type->tp_init(obj, tuple, dict) < 0)
            Py_CLEAR(obj);
    }
done:
    Py_XDECREF(tuple);
    Py_XDECREF(dict);
    return obj;
}

/* ---- Life of an instance of a class made in Python ---- */

/* Another thread may be replacing it by one of the same layout. */
static PyTypeObject *type_base(PyTypeObject *type) { return __atomic_load_n(&type->tp_base, __ATOMIC_ACQUIRE); }

/* The nearest ancestor whose dealloc / traverse / clear is not ours. */
static PyTypeObject *c_base(PyTypeObject *type)
{
    while (type->tp_dealloc == subtype_dealloc)
        type = type_base(type);
    return type;
}

static PyObject **slot_of(PyObject *self, const struct PyMemberDef *member)
{
    return (PyObject **)((char *)self + member->offset);
}

/* References in __slots__ of the classes from the instance's up to, not including, base. */
static int traverse_slots(PyObject *self, PyTypeObject *base, visitproc visit, void *arg)
{
    for (PyTypeObject *t = heap_type(self); t != base && t != NULL; t = type_base(t))
        for (uint32_t i = 0; i < t->tp_private->member_count; i++)
            Py_VISIT(*slot_of(self, &t->tp_private->members[i]));
    return 0;
}

enum { SLOTS_AT_ONCE = 16 };

/* Empties up to SLOTS_AT_ONCE filled slots of the classes made in Python. Nothing runs meanwhile: what drops the values may
 * change __bases__, so who has dropped them starts again at the instance's class. dead: nobody else touches the slots. */
static inline Py_ALWAYS_INLINE int take_slots(PyObject *self, PyObject **taken, int dead)
{
    int n = 0;
    for (PyTypeObject *t = heap_type(self); t->tp_dealloc == subtype_dealloc; t = type_base(t)) {
        const PyMemberDef *member = t->tp_private->members;
        for (uint32_t left = t->tp_private->member_count; left > 0; left--, member++) {
            PyObject **slot = slot_of(self, member);
            PyObject *value = __atomic_load_n(slot, __ATOMIC_RELAXED);
            if (value == NULL)
                continue;
            if (n == SLOTS_AT_ONCE)
                return n;
            if (dead)
                *slot = NULL;
            else
                value = __atomic_exchange_n(slot, NULL, __ATOMIC_ACQ_REL);
            if (value != NULL)
                taken[n++] = value;
        }
    }
    return n;
}

static inline Py_ALWAYS_INLINE void clear_slots(PyObject *self, int dead)
{
    PyObject *taken[SLOTS_AT_ONCE];
    int n;
    do {
        n = take_slots(self, taken, dead);
        for (int i = 0; i < n; i++)
            Py_DECREF(taken[i]);
    } while (n == SLOTS_AT_ONCE);
}

int subtype_traverse(PyObject *self, visitproc visit, void *arg)
{
    PyTypeObject *type = heap_type(self), *base = type;
    while (base->tp_traverse == subtype_traverse)
        base = type_base(base);
    int result = traverse_slots(self, base, visit, arg);
    if (result == 0 && type->tp_dictoffset != base->tp_dictoffset)
        result = instance_traverse_attrs(self, visit, arg);
    if (result == 0 && base->tp_traverse != NULL)
        result = base->tp_traverse(self, visit, arg);
    return result;
}

static PyTypeObject *base_that_clears(PyObject *self)
{
    PyTypeObject *base = heap_type(self);
    while (base->tp_clear == subtype_clear)
        base = type_base(base);
    return base;
}

int subtype_clear(PyObject *self)
{
    clear_slots(self, 0);
    if (heap_type(self)->tp_dictoffset != base_that_clears(self)->tp_dictoffset)
        instance_clear_attrs(self);
    PyTypeObject *base = base_that_clears(self);        /* what has been dropped may have changed __bases__ */
    return base->tp_clear != NULL ? base->tp_clear(self) : 0;
}

/* The object is dead: nobody else touches its slots. */
static void drop_attrs(PyObject *self, PyTypeObject *type)
{
    if (self->hdr_shape & SHAPE_ID_TAG) {
        shape_t *shape = shape_from_id(self->hdr_shape);
        PyObject **slot = instance_slot(self, shape->inline_offset), **end = slot + shape->count;
        for (; slot < end; slot++) {
            PyObject *value = *slot;
            *slot = NULL;
            Py_XDECREF(value);
        }
    }
    PyObject **pointer = type->tp_dictoffset > 0 ? (PyObject **)((char *)self + type->tp_dictoffset)
                                                 : instance_dict_pointer(self);
    if (*pointer != NULL) {
        PyObject *dict = *pointer;
        *pointer = NULL;
        Py_DECREF(dict);
    }
}

void subtype_dealloc(PyObject *self)
{
    PyTypeObject *type = heap_type(self);
    if (type_finalizer(type) != NULL && PyObject_CallFinalizerFromDealloc(self) < 0)
        return;                                 /* alive again */
    type = heap_type(self);
    PyTypeObject *base = c_base(type);
    if (self->hdr_flags & OBJECT_ON_PAGE)
        object_untrack(self);
    if (type->tp_weaklistoffset != 0 && base->tp_weaklistoffset == 0
        && __atomic_load_n((PyObject **)((char *)self + type->tp_weaklistoffset), __ATOMIC_ACQUIRE) != NULL)  /* pairs with unlink_locked */
        PyObject_ClearWeakRefs(self);
    clear_slots(self, 1);
    if (type->tp_dictoffset != 0 && base->tp_dictoffset == 0)
        drop_attrs(self, type);
    base = c_base(type);        /* what ran meanwhile may have changed __bases__ */

    int counted = object_counts_type(self);
    /* A base that is an extension's heap type drops the reference to the type in its own tp_dealloc. */
    if (counted && PyType_HasFeature(base, Py_TPFLAGS_HEAPTYPE)
        && !memory_is_own_code((const void *)(uintptr_t)base->tp_dealloc))
        counted = 0;
    if (base == &PyBaseObject_Type && type->tp_free == PyObject_GC_Del)
        PyObject_GC_Del(self);
    else
        base->tp_dealloc(self);
    if (counted)
        Py_DECREF(type);
}
