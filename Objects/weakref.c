/* Weak references: the list of each target, creation and clearing, and the type `weakref.ref`. */
#include "memory.h"
#include "collector.h"
#include "weakref.h"

#define STRIPES 64

static struct {
    struct leaf_lock lock;
    char pad[63];
} stripes[STRIPES] __attribute__((aligned(64)));

static uint32_t stripe_of(PyObject *target)
{
    uintptr_t word = (uintptr_t)target >> 5;
    return (uint32_t)((word ^ (word >> 7) ^ (word >> 17)) % STRIPES);
}

static void lock_stripe(uint32_t i) { leaf_lock_acquire(&stripes[i].lock); }
static void unlock_stripe(uint32_t i) { leaf_lock_release(&stripes[i].lock); }

void weakref_after_fork(void)
{
    for (uint32_t i = 0; i < STRIPES; i++)
        unlock_stripe(i);
}

static PyWeakReference **list_head(PyObject *target)
{
    return (PyWeakReference **)_PyObject_GET_WEAKREFS_LISTPTR(target);
}

static int has_list(PyObject *target)
{
    return value_is_heap(target) && PyType_SUPPORTS_WEAKREFS(heap_type(target));
}

/* ---- The list; all under the target's stripe ---- */

static void insert_locked(PyWeakReference **head, PyWeakReference *after, PyWeakReference *ref)
{
    ref->wr_prev = after;
    ref->wr_next = after ? after->wr_next : *head;
    if (ref->wr_next != NULL)
        ref->wr_next->wr_prev = ref;
    if (after != NULL)
        after->wr_next = ref;
    else
        __atomic_store_n(head, ref, __ATOMIC_RELEASE);
}

/* Takes ref off its target's list, if it is on it: from now on it is dead. */
static void unlink_locked(PyWeakReference *ref)
{
    PyObject *target = ref->wr_object;
    if (target == Py_None)
        return;
    if (ref->wr_next != NULL)
        ref->wr_next->wr_prev = ref->wr_prev;
    if (ref->wr_prev != NULL)
        ref->wr_prev->wr_next = ref->wr_next;
    else
        __atomic_store_n(list_head(target), ref->wr_next, __ATOMIC_RELEASE);
    ref->wr_prev = ref->wr_next = NULL;
    __atomic_store_n(&ref->wr_object, Py_None, __ATOMIC_RELEASE);       /* pairs with weakref_target */
}

/* The references that can be shared: plain ones without callback. */
static void find_basic_locked(PyWeakReference *head, PyWeakReference **ref, PyWeakReference **proxy)
{
    *ref = *proxy = NULL;
    if (head != NULL && head->wr_callback == NULL && heap_type(head) == &_PyWeakref_RefType) {
        *ref = head;
        head = head->wr_next;
    }
    if (head != NULL && head->wr_callback == NULL && PyWeakref_CheckProxy(head))
        *proxy = head;
}

/* ---- Creation ---- */

static PyWeakReference *allocate(PyTypeObject *type)
{
    if (type == &_PyWeakref_RefType || type == &_PyWeakref_ProxyType || type == &_PyWeakref_CallableProxyType)
        return (PyWeakReference *)object_new_gc(type, sizeof(PyWeakReference));
    return (PyWeakReference *)type->tp_alloc(type, 0);
}

static PyObject *call_ref(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *kwnames);

PyObject *weakref_new(PyTypeObject *type, PyObject *target, PyObject *callback)
{
    if (!has_list(target)) {
        PyErr_Format(PyExc_TypeError, "cannot create weak reference to '%s' object", Py_TYPE(target)->tp_name);
        return NULL;
    }
    if (callback == Py_None)
        callback = NULL;
    int is_ref = type == &_PyWeakref_RefType;
    int is_proxy = type == &_PyWeakref_ProxyType || type == &_PyWeakref_CallableProxyType;
    int shareable = callback == NULL && (is_ref || is_proxy);
    uint32_t stripe = stripe_of(target);
    PyWeakReference **head = list_head(target), *ref, *proxy, *found = NULL;

    object_publish(target);
    if (shareable && __atomic_load_n(head, __ATOMIC_RELAXED) != NULL) {
        lock_stripe(stripe);
        find_basic_locked(*head, &ref, &proxy);
        found = is_ref ? ref : proxy;
        if (found != NULL && !object_try_incref((PyObject *)found))
            found = NULL;
        unlock_stripe(stripe);
        if (found != NULL)
            return (PyObject *)found;
    }

    PyWeakReference *self = allocate(type);
    if (self == NULL)
        return NULL;
    object_publish((PyObject *)self);
    self->wr_object = target;
    self->wr_callback = Py_XNewRef(callback);
    self->hash = -1;
    self->wr_prev = self->wr_next = NULL;
    self->vectorcall = call_ref;
    self->stripe = stripe;

    lock_stripe(stripe);
    find_basic_locked(*head, &ref, &proxy);
    if (shareable) {
        found = is_ref ? ref : proxy;       /* another thread may have been faster */
        if (found != NULL && !object_try_incref((PyObject *)found))
            found = NULL;
    }
    if (found == NULL) {
        PyWeakReference *after = shareable && is_ref ? NULL : shareable ? ref : proxy ? proxy : ref;
        insert_locked(head, after, self);
    }
    else {
        self->wr_object = Py_None;
    }
    unlock_stripe(stripe);
    PyObject_GC_Track(self);
    if (found != NULL) {
        Py_DECREF(self);
        return (PyObject *)found;
    }
    return (PyObject *)self;
}

PyObject *PyWeakref_NewRef(PyObject *target, PyObject *callback)
{
    return weakref_new(&_PyWeakref_RefType, target, callback);
}

PyObject *PyWeakref_NewProxy(PyObject *target, PyObject *callback)
{
    return weakref_new(PyCallable_Check(target) ? &_PyWeakref_CallableProxyType : &_PyWeakref_ProxyType, target,
                       callback);
}

/* ---- Access ---- */

int PyWeakref_GetRef(PyObject *ref, PyObject **result)
{
    *result = NULL;
    if (ref == NULL || !PyWeakref_Check(ref)) {
        if (ref == NULL)
            PyErr_BadInternalCall();
        else
            PyErr_SetString(PyExc_TypeError, "expected a weakref");
        return -1;
    }
    *result = weakref_target(ref);
    return *result != NULL;
}

PyObject *PyWeakref_GetObject(PyObject *ref)
{
    if (ref == NULL || !PyWeakref_Check(ref)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    PyObject *target = weakref_target(ref);
    if (target == NULL)
        return Py_None;
    Py_DECREF(target);
    return target;
}

int PyWeakref_IsDead(PyObject *ref)
{
    if (ref == NULL || !PyWeakref_Check(ref)) {
        PyErr_SetString(PyExc_TypeError, "expected a weakref");
        return -1;
    }
    return PyWeakref_GET_OBJECT(ref) == Py_None;
}

Py_ssize_t _PyWeakref_GetWeakrefCount(PyWeakReference *head)
{
    Py_ssize_t n = 0;
    for (; head != NULL; head = head->wr_next)
        n++;
    return n;
}

Py_ssize_t weakref_count(PyObject *target)
{
    if (!has_list(target))
        return 0;
    uint32_t stripe = stripe_of(target);
    lock_stripe(stripe);
    Py_ssize_t n = _PyWeakref_GetWeakrefCount(*list_head(target));
    unlock_stripe(stripe);
    return n;
}

PyObject *weakref_list(PyObject *target)
{
    Py_ssize_t capacity = weakref_count(target), n = 0;
    PyObject *result = NULL, **refs = PyMem_New(PyObject *, capacity + 1);
    if (refs == NULL)
        return PyErr_NoMemory();
    if (capacity != 0) {
        uint32_t stripe = stripe_of(target);
        lock_stripe(stripe);
        for (PyWeakReference *ref = *list_head(target); ref != NULL && n < capacity; ref = ref->wr_next)
            if (object_try_incref((PyObject *)ref))
                refs[n++] = (PyObject *)ref;
        unlock_stripe(stripe);
    }
    result = PyList_New(n);
    for (Py_ssize_t i = 0; i < n; i++) {
        if (result != NULL)
            PyList_SET_ITEM(result, i, refs[i]);
        else
            Py_DECREF(refs[i]);
    }
    PyMem_Free(refs);
    return result;
}

/* ---- Clearing ---- */

/* The callback moves to the caller. */
static PyObject *make_dead(PyWeakReference *self)
{
    lock_stripe(self->stripe);
    unlink_locked(self);
    PyObject *callback = self->wr_callback;
    self->wr_callback = NULL;
    unlock_stripe(self->stripe);
    return callback;
}

void _PyWeakref_ClearRef(PyWeakReference *self)
{
    /* As in the C API: the callback stays. */
    lock_stripe(self->stripe);
    unlink_locked(self);
    unlock_stripe(self->stripe);
}

static void call_callback(PyObject *callback, PyObject *ref)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyObject *result = PyObject_CallOneArg(callback, ref);
    if (result == NULL)
        PyErr_WriteUnraisable(callback);
    else
        Py_DECREF(result);
    PyErr_Restore(type, value, traceback);
}

void weakref_call_callback(PyObject *ref)
{
    PyWeakReference *self = (PyWeakReference *)ref;
    lock_stripe(self->stripe);
    PyObject *callback = self->wr_callback;
    self->wr_callback = NULL;
    unlock_stripe(self->stripe);
    if (callback != NULL) {
        call_callback(callback, ref);
        Py_DECREF(callback);
    }
}

/* The target is dying: nobody can add to its list any more. */
void PyObject_ClearWeakRefs(PyObject *target)
{
    if (!has_list(target) || __atomic_load_n(list_head(target), __ATOMIC_ACQUIRE) == NULL)
        return;
    /* References whose callback is due are held, and chained through wr_next: off the list that is ours. */
    PyWeakReference *due = NULL, *last = NULL, *ref;
    uint32_t stripe = stripe_of(target);
    lock_stripe(stripe);
    while ((ref = *list_head(target)) != NULL) {
        unlink_locked(ref);
        if (ref->wr_callback == NULL || !object_try_incref((PyObject *)ref))
            continue;       /* nothing to call, or dying itself */
        if (last != NULL)
            last->wr_next = ref;
        else
            due = ref;
        last = ref;
    }
    unlock_stripe(stripe);
    while (due != NULL) {
        ref = due;
        due = ref->wr_next;
        ref->wr_next = NULL;
        weakref_call_callback((PyObject *)ref);
        Py_DECREF(ref);
    }
}

void weakref_clear_target_stopped(PyObject *target, int (*due)(PyObject *ref, void *arg), void *arg)
{
    PyWeakReference *ref;
    if (!has_list(target))
        return;
    while ((ref = *list_head(target)) != NULL) {
        unlink_locked(ref);
        if (ref->wr_callback != NULL && !(object_state_get(ref) & SLOT_GARBAGE)
            && object_count_stopped((PyObject *)ref) > 0 && due((PyObject *)ref, arg) == 0)
            object_incref_stopped((PyObject *)ref);
    }
}

void weakref_disarm_stopped(PyObject *ref) { unlink_locked((PyWeakReference *)ref); }

int weakref_clear(PyObject *op)
{
    PyObject *callback = make_dead((PyWeakReference *)op);
    Py_XDECREF(callback);
    return 0;
}

int weakref_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((PyWeakReference *)op)->wr_callback);
    return 0;
}

void weakref_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    weakref_clear(op);
    heap_type(op)->tp_free(op);
}

/* ---- The type ---- */

static int parse_arguments(const char *name, PyObject *args, PyObject **target, PyObject **callback)
{
    *callback = NULL;
    return PyArg_UnpackTuple(args, name, 1, 2, target, callback);
}

static PyObject *ref_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    PyObject *target, *callback;
    if (!parse_arguments("__new__", args, &target, &callback))
        return NULL;
    return weakref_new(type, target, callback);
}

static int ref_init(PyObject *self, PyObject *args, PyObject *kwds)
{
    PyObject *target, *callback;
    if (Py_IS_TYPE(self, &_PyWeakref_RefType) && kwds != NULL && PyDict_GET_SIZE(kwds) != 0) {
        PyErr_SetString(PyExc_TypeError, "ref() takes no keyword arguments");
        return -1;
    }
    return parse_arguments("__init__", args, &target, &callback) ? 0 : -1;
}

static PyObject *call_ref(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    if (kwnames != NULL && PyTuple_GET_SIZE(kwnames) != 0) {
        PyErr_SetString(PyExc_TypeError, "weakref() takes no keyword arguments");
        return NULL;
    }
    Py_ssize_t n = PyVectorcall_NARGS(nargsf);
    if (n != 0) {
        PyErr_Format(PyExc_TypeError, "weakref expected 0 arguments, got %zd", n);
        return NULL;
    }
    PyObject *target = weakref_target(self);
    return target ? target : Py_NewRef(Py_None);
}

static Py_hash_t ref_hash(PyObject *op)
{
    PyWeakReference *self = (PyWeakReference *)op;
    Py_hash_t hash = __atomic_load_n(&self->hash, __ATOMIC_RELAXED);
    if (hash != -1)
        return hash;
    PyObject *target = weakref_target(op);
    if (target == NULL) {
        PyErr_SetString(PyExc_TypeError, "weak object has gone away");
        return -1;
    }
    hash = PyObject_Hash(target);
    Py_DECREF(target);
    __atomic_store_n(&self->hash, hash, __ATOMIC_RELAXED);
    return hash;
}

static PyObject *ref_richcompare(PyObject *a, PyObject *b, int op)
{
    if ((op != Py_EQ && op != Py_NE) || !PyWeakref_CheckRef(a) || !PyWeakref_CheckRef(b))
        Py_RETURN_NOTIMPLEMENTED;
    PyObject *x = weakref_target(a), *y = weakref_target(b), *result;
    if (x == NULL || y == NULL)
        result = PyBool_FromLong((a == b) == (op == Py_EQ));
    else
        result = PyObject_RichCompare(x, y, op);
    Py_XDECREF(x);
    Py_XDECREF(y);
    return result;
}

static PyObject *ref_repr(PyObject *self)
{
    PyObject *target = weakref_target(self), *name = NULL, *result = NULL;
    if (target == NULL)
        return PyUnicode_FromFormat("<weakref at %p; dead>", self);
    if (PyObject_GetOptionalAttrString(target, "__name__", &name) < 0)
        goto done;
    if (name == NULL || !PyUnicode_Check(name))
        result = PyUnicode_FromFormat("<weakref at %p; to '%s' at %p>", self, Py_TYPE(target)->tp_name, target);
    else
        result = PyUnicode_FromFormat("<weakref at %p; to '%s' at %p (%U)>", self, Py_TYPE(target)->tp_name, target,
                                      name);
done:
    Py_DECREF(target);
    Py_XDECREF(name);
    return result;
}

static PyObject *ref_get_callback(PyObject *op, void *context)
{
    PyWeakReference *self = (PyWeakReference *)op;
    lock_stripe(self->stripe);
    PyObject *callback = Py_XNewRef(self->wr_callback);
    unlock_stripe(self->stripe);
    return callback ? callback : Py_NewRef(Py_None);
}

static PyGetSetDef ref_getset[] = {
    {"__callback__", ref_get_callback, NULL, NULL, NULL},
    {NULL},
};

static PyMethodDef ref_methods[] = {
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "See PEP 585"},
    {NULL},
};

PyTypeObject _PyWeakref_RefType = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "weakref.ReferenceType",
    .tp_basicsize = sizeof(PyWeakReference),
    .tp_dealloc = weakref_dealloc,
    .tp_vectorcall_offset = offsetof(PyWeakReference, vectorcall),
    .tp_call = PyVectorcall_Call,
    .tp_repr = ref_repr,
    .tp_hash = ref_hash,
    .tp_richcompare = ref_richcompare,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_BASETYPE,
    .tp_traverse = weakref_traverse,
    .tp_clear = weakref_clear,
    .tp_methods = ref_methods,
    .tp_getset = ref_getset,
    .tp_init = ref_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = ref_new,
    .tp_free = PyObject_GC_Del,
};
