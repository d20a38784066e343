/* _abc: the machinery of abstract base classes.
 *
 * A class keeps what it has learned about other classes in two sets of their ids (type_private.unique_id).  Ids are never reused,
 * so the sets hold no references, and isinstance(x, SomeABC) reads them without a lock. */
#include "Python.h"

#include "memory.h"
#include "dict.h"
#include "internal/module.h"
#include "type.h"
#include "unicode.h"
#include "weakref.h"

/* ---- Sets of ids: read without a lock, added to under the owner's ---- */

struct id_set {
    size_t mask;
    size_t used;            /* [lock] */
    uint64_t ids[];         /* [atomic] 0: free */
};

static int id_set_has(struct id_set **place, uint64_t id)
{
    struct id_set *set = __atomic_load_n(place, __ATOMIC_ACQUIRE);
    if (set == NULL)
        return 0;
    for (size_t i = id & set->mask;; i = (i + 1) & set->mask) {
        uint64_t found = __atomic_load_n(&set->ids[i], __ATOMIC_RELAXED);
        if (found == id)
            return 1;
        if (found == 0)
            return 0;
    }
}

static void id_set_put(struct id_set *set, uint64_t id)
{
    size_t i = id & set->mask;
    while (set->ids[i] != 0 && set->ids[i] != id)
        i = (i + 1) & set->mask;
    if (set->ids[i] == 0)
        set->used++;
    __atomic_store_n(&set->ids[i], id, __ATOMIC_RELAXED);
}

static void id_set_retire(struct id_set **place)
{
    struct id_set *old = __atomic_exchange_n(place, NULL, __ATOMIC_ACQ_REL);
    if (old != NULL)
        qsbr_retire(old, sizeof(*old) + (old->mask + 1) * sizeof(uint64_t), PyMem_RawFree);
}

/* Without memory the id is just not remembered. */
static void id_set_add_locked(struct id_set **place, uint64_t id)
{
    struct id_set *set = *place;
    if (set != NULL && 2 * set->used <= set->mask) {
        id_set_put(set, id);
        return;
    }
    size_t size = set != NULL ? 2 * (set->mask + 1) : 8;
    struct id_set *larger = PyMem_RawCalloc(1, sizeof(*larger) + size * sizeof(uint64_t));
    if (larger == NULL)
        return;
    larger->mask = size - 1;
    for (size_t i = 0; set != NULL && i <= set->mask; i++)
        if (set->ids[i] != 0)
            id_set_put(larger, set->ids[i]);
    id_set_put(larger, id);
    __atomic_store_n(place, larger, __ATOMIC_RELEASE);     /* pairs with id_set_has */
    if (set != NULL)
        qsbr_retire(set, sizeof(*set) + (set->mask + 1) * sizeof(uint64_t), PyMem_RawFree);
}

/* ---- What an abstract class knows: its _abc_impl ---- */

typedef struct {
    PyObject_HEAD
    PyObject *registry;             /* [lock] set of weak references, or NULL */
    struct id_set *positive;        /* [lock;retire] known subclasses */
    struct id_set *negative;        /* [lock;retire] known not to be subclasses, as of negative_version */
    uint64_t negative_version;      /* [atomic] */
} abc_data;

/* [atomic] Counts registrations: negative answers given before hold no more. */
static uint64_t invalidation_counter;

static uint64_t current_version(void) { return __atomic_load_n(&invalidation_counter, __ATOMIC_ACQUIRE); }

static void data_dealloc(PyObject *op)
{
    abc_data *data = (abc_data *)op;
    object_untrack(op);
    Py_XDECREF(data->registry);
    id_set_retire(&data->positive);
    id_set_retire(&data->negative);
    object_free_gc(op);
}

static int data_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((abc_data *)op)->registry);
    return 0;
}

static PyTypeObject abc_data_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "_abc._abc_data",
    .tp_basicsize = sizeof(abc_data),
    .tp_dealloc = data_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_doc = "What an abstract class knows about other classes.",
    .tp_traverse = data_traverse,
};

static abc_data *data_new(void)
{
    abc_data *data = (abc_data *)object_new_gc(&abc_data_type, sizeof(*data));
    if (data == NULL)
        return NULL;
    data->registry = NULL;
    data->positive = data->negative = NULL;
    data->negative_version = current_version();
    object_set_deferred((PyObject *)data);      /* read by all threads; lives as long as its class */
    object_track((PyObject *)data);
    return data;
}

static PyObject *impl_name;         /* "_abc_impl", interned */

/* The class's data: a new reference. */
static abc_data *data_of(PyObject *cls)
{
    PyObject *impl = NULL;
    /* ABCMeta's classes all have one: most often without a look at the metaclass */
    if (PyType_Check(cls) && type_lookup_ref((PyTypeObject *)cls, impl_name, &impl, NULL) < 0)
        return NULL;
    if (impl == NULL && (impl = PyObject_GetAttr(cls, impl_name)) == NULL)
        return NULL;
    if (!Py_IS_TYPE(impl, &abc_data_type)) {
        PyErr_SetString(PyExc_TypeError, "_abc_impl is set to a wrong type");
        Py_DECREF(impl);
        return NULL;
    }
    return (abc_data *)impl;
}

static uint64_t id_of(PyObject *type) { return ((PyTypeObject *)type)->tp_private->unique_id; }

static void remember(abc_data *data, PyObject *subclass, int answer, uint64_t version)
{
    int locked = container_lock(data);
    if (answer)
        id_set_add_locked(&data->positive, id_of(subclass));
    else {
        if (data->negative_version != version) {
            if (data->negative_version > version)
                goto done;
            id_set_retire(&data->negative);
            __atomic_store_n(&data->negative_version, version, __ATOMIC_RELEASE);
        }
        id_set_add_locked(&data->negative, id_of(subclass));
    }
done:
    container_unlock(data, locked);
}

/* 1: known to be one; 0: known not to be; -1: not known. */
static int recall(abc_data *data, PyObject *subclass)
{
    uint64_t id = id_of(subclass);
    if (id_set_has(&data->positive, id))
        return 1;
    if (__atomic_load_n(&data->negative_version, __ATOMIC_ACQUIRE) == current_version() && id_set_has(&data->negative, id))
        return 0;
    return -1;
}

/* ---- Abstract methods ---- */

/* value.__isabstractmethod__: 1, 0, -1. */
static int is_abstract(PyObject *value)
{
    PyObject *flag;
    if (PyObject_GetOptionalAttr(value, STR(__isabstractmethod__), &flag) < 0)
        return -1;
    int truth = flag != NULL ? PyObject_IsTrue(flag) : 0;
    Py_XDECREF(flag);
    return truth;
}

static int add_own_abstract(PyObject *cls, PyObject *names)
{
    PyObject *dict = PyObject_GetAttr(cls, STR(__dict__)), *items = NULL, *item;
    int result = -1;
    if (dict == NULL || (items = PyMapping_Items(dict)) == NULL)
        goto done;
    PyObject_GC_UnTrack(items);         /* not to be found by gc.get_objects */
    result = 0;
    for (Py_ssize_t i = 0; result == 0 && i < PyList_GET_SIZE(items); i++) {
        item = PyList_GET_ITEM(items, i);
        if (!PyTuple_Check(item) || PyTuple_GET_SIZE(item) != 2) {
            PyErr_SetString(PyExc_TypeError, "__dict__.items() must yield pairs");
            result = -1;
            break;
        }
        int abstract = is_abstract(PyTuple_GET_ITEM(item, 1));
        if (abstract < 0 || (abstract && PySet_Add(names, PyTuple_GET_ITEM(item, 0)) < 0))
            result = -1;
    }
done:
    Py_XDECREF(dict);
    Py_XDECREF(items);
    return result;
}

/* Abstract methods of a base that cls does not implement. */
static int add_inherited_abstract(PyObject *cls, PyObject *base, PyObject *names)
{
    PyObject *inherited, *iter, *name, *value;
    int result = 0;
    if (PyObject_GetOptionalAttr(base, STR(__abstractmethods__), &inherited) < 0)
        return -1;
    if (inherited == NULL)
        return 0;
    iter = PyObject_GetIter(inherited);
    Py_DECREF(inherited);
    if (iter == NULL)
        return -1;
    while (result == 0 && (name = PyIter_Next(iter)) != NULL) {
        if (PyObject_GetOptionalAttr(cls, name, &value) < 0)
            result = -1;
        else if (value != NULL) {
            int abstract = is_abstract(value);
            Py_DECREF(value);
            if (abstract < 0 || (abstract && PySet_Add(names, name) < 0))
                result = -1;
        }
        Py_DECREF(name);
    }
    Py_DECREF(iter);
    return result < 0 || PyErr_Occurred() ? -1 : 0;
}

static int compute_abstract_methods(PyObject *cls)
{
    PyObject *names = PyFrozenSet_New(NULL), *bases = NULL;
    int result = -1;
    if (names == NULL || add_own_abstract(cls, names) < 0)
        goto done;
    bases = PyObject_GetAttr(cls, STR(__bases__));
    if (bases == NULL)
        goto done;
    if (!PyTuple_Check(bases)) {
        PyErr_SetString(PyExc_TypeError, "__bases__ is not tuple");
        goto done;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bases); i++)
        if (add_inherited_abstract(cls, PyTuple_GET_ITEM(bases, i), names) < 0)
            goto done;
    result = PyObject_SetAttr(cls, STR(__abstractmethods__), names);
done:
    Py_XDECREF(names);
    Py_XDECREF(bases);
    return result;
}

/* ---- Flags for match statements ---- */

#define COLLECTION_FLAGS (Py_TPFLAGS_SEQUENCE | Py_TPFLAGS_MAPPING)

static void set_flags(PyTypeObject *type, unsigned long flags)
{
    unsigned long old = __atomic_load_n(&type->tp_flags, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&type->tp_flags, &old, (old & ~COLLECTION_FLAGS) | flags, 0, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED))
        ;
}

static void set_flags_recursive(PyTypeObject *type, unsigned long flags)
{
    if (PyType_HasFeature(type, Py_TPFLAGS_IMMUTABLETYPE) || (PyType_GetFlags(type) & COLLECTION_FLAGS) == flags)
        return;
    set_flags(type, flags);
    PyObject *subclasses = type_get_subclasses(type);
    if (subclasses == NULL) {
        PyErr_Clear();
        return;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(subclasses); i++)
        set_flags_recursive((PyTypeObject *)PyList_GET_ITEM(subclasses, i), flags);
    Py_DECREF(subclasses);
}

/* class body: __abc_tpflags__ = ... */
static int take_flags(PyTypeObject *type)
{
    PyObject *name = PyUnicode_InternFromString("__abc_tpflags__"), *value;
    if (name == NULL)
        return -1;
    int result = dict_get_str_ref(type->tp_dict, name, &value);
    if (result > 0) {
        result = 0;
        if (PyLong_CheckExact(value)) {
            long flags = PyLong_AsLong(value);
            if (flags == -1 && PyErr_Occurred())
                result = -1;
            else if ((flags & COLLECTION_FLAGS) == COLLECTION_FLAGS) {
                PyErr_SetString(PyExc_TypeError, "__abc_tpflags__ cannot be both Py_TPFLAGS_SEQUENCE and Py_TPFLAGS_MAPPING");
                result = -1;
            }
            else {
                if (flags & COLLECTION_FLAGS)
                    set_flags(type, (unsigned long)flags & COLLECTION_FLAGS);
                result = type_set_attr(type, name, NULL);
            }
        }
        Py_DECREF(value);
    }
    Py_DECREF(name);
    return result;
}

/* ---- The functions of the module ---- */

static PyObject *abc_init(PyObject *module, PyObject *cls)
{
    if (compute_abstract_methods(cls) < 0)
        return NULL;
    abc_data *data = data_new();
    if (data == NULL)
        return NULL;
    int failed = PyObject_SetAttr(cls, impl_name, (PyObject *)data);
    Py_DECREF(data);
    if (failed || (PyType_Check(cls) && take_flags((PyTypeObject *)cls) < 0))
        return NULL;
    return Py_None;
}

static PyObject *abc_register(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs != 2) {
        PyErr_Format(PyExc_TypeError, "_abc_register expected 2 arguments, got %zd", nargs);
        return NULL;
    }
    PyObject *cls = args[0], *subclass = args[1];
    if (!PyType_Check(subclass)) {
        PyErr_SetString(PyExc_TypeError, "Can only register classes");
        return NULL;
    }
    int result = PyObject_IsSubclass(subclass, cls);
    if (result != 0)
        return result < 0 ? NULL : Py_NewRef(subclass);
    result = PyObject_IsSubclass(cls, subclass);
    if (result != 0) {
        if (result > 0)
            PyErr_SetString(PyExc_RuntimeError, "Refusing to create an inheritance cycle");
        return NULL;
    }
    abc_data *data = data_of(cls);
    if (data == NULL)
        return NULL;
    PyObject *ref = PyWeakref_NewRef(subclass, NULL), *fresh = PySet_New(NULL), *registry = NULL;
    result = -1;
    if (ref != NULL && fresh != NULL) {
        object_publish(fresh);
        int locked = container_lock(data);
        if (data->registry == NULL)
            data->registry = Py_NewRef(fresh);
        registry = Py_NewRef(data->registry);
        container_unlock(data, locked);
        result = PySet_Add(registry, ref);
    }
    Py_XDECREF(ref);
    Py_XDECREF(fresh);
    Py_XDECREF(registry);
    Py_DECREF(data);
    if (result < 0)
        return NULL;
    __atomic_add_fetch(&invalidation_counter, 1, __ATOMIC_ACQ_REL);
    if (PyType_Check(cls)) {
        unsigned long flags = PyType_GetFlags((PyTypeObject *)cls) & COLLECTION_FLAGS;
        if (flags != 0)
            set_flags_recursive((PyTypeObject *)subclass, flags);
    }
    return Py_NewRef(subclass);
}

/* Is subclass a subclass of something registered? 1, 0, -1. */
static int check_registry(abc_data *data, PyObject *subclass)
{
    int locked = container_lock(data);
    PyObject *registry = Py_XNewRef(data->registry);
    container_unlock(data, locked);
    if (registry == NULL)
        return 0;
    PyObject *refs = PySequence_List(registry);
    Py_DECREF(registry);
    if (refs == NULL)
        return -1;
    int result = 0;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(refs) && result == 0; i++) {
        PyObject *registered = weakref_target(PyList_GET_ITEM(refs, i));
        if (registered != NULL) {
            result = PyObject_IsSubclass(subclass, registered);
            Py_DECREF(registered);
        }
    }
    Py_DECREF(refs);
    return result;
}

static int check_subclasses(PyObject *cls, PyObject *subclass)
{
    PyObject *subclasses = PyObject_CallMethod(cls, "__subclasses__", NULL);
    if (subclasses == NULL)
        return -1;
    int result = -1;
    if (!PyList_Check(subclasses))
        PyErr_SetString(PyExc_TypeError, "__subclasses__() must return a list");
    else
        result = 0;
    for (Py_ssize_t i = 0; result == 0; i++) {
        PyObject *one = PyList_GetItemRef(subclasses, i);
        if (one == NULL) {
            PyErr_Clear();
            break;
        }
        result = PyObject_IsSubclass(subclass, one);
        Py_DECREF(one);
    }
    Py_DECREF(subclasses);
    return result;
}

/* 1, 0; -1: exception; 2: NotImplemented. */
static int ask_hook(PyObject *cls, PyObject *subclass)
{
    PyObject *answer = PyObject_CallMethodOneArg(cls, STR(__subclasshook__), subclass);
    int result = -1;
    if (answer == Py_True)
        result = 1;
    else if (answer == Py_False)
        result = 0;
    else if (answer == Py_NotImplemented)
        result = 2;
    else if (answer != NULL)
        PyErr_SetString(PyExc_AssertionError, "__subclasshook__ must return either False, True, or NotImplemented");
    Py_XDECREF(answer);
    return result;
}

static int subclasscheck(PyObject *cls, PyObject *subclass)
{
    if (!PyType_Check(subclass)) {
        PyErr_SetString(PyExc_TypeError, "issubclass() arg 1 must be a class");
        return -1;
    }
    abc_data *data = data_of(cls);
    if (data == NULL)
        return -1;
    uint64_t version = current_version();
    int result = recall(data, subclass);
    if (result < 0) {
        result = ask_hook(cls, subclass);
        if (result == 2) {
            result = PyType_Check(cls) && PyType_IsSubtype((PyTypeObject *)subclass, (PyTypeObject *)cls);
            if (result == 0)
                result = check_registry(data, subclass);
            if (result == 0)
                result = check_subclasses(cls, subclass);
        }
        if (result >= 0)
            remember(data, subclass, result, version);
    }
    Py_DECREF(data);
    return result;
}

static PyObject *abc_subclasscheck(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs != 2) {
        PyErr_Format(PyExc_TypeError, "_abc_subclasscheck expected 2 arguments, got %zd", nargs);
        return NULL;
    }
    int result = subclasscheck(args[0], args[1]);
    return result < 0 ? NULL : PyBool_FromLong(result);
}

static PyObject *abc_instancecheck(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs != 2) {
        PyErr_Format(PyExc_TypeError, "_abc_instancecheck expected 2 arguments, got %zd", nargs);
        return NULL;
    }
    PyObject *cls = args[0], *instance = args[1], *result = NULL;
    abc_data *data = data_of(cls);
    if (data == NULL)
        return NULL;
    PyObject *subclass = PyObject_GetAttr(instance, STR(__class__)), *subtype = (PyObject *)Py_TYPE(instance);
    if (subclass == NULL)
        goto done;
    int known = PyType_Check(subclass) ? recall(data, subclass) : -1;
    if (known > 0 || (known == 0 && subclass == subtype)) {
        result = PyBool_FromLong(known);
        goto done;
    }
    result = PyObject_CallMethodOneArg(cls, STR(__subclasscheck__), subclass);
    if (result == NULL || subclass == subtype)
        goto done;
    int truth = PyObject_IsTrue(result);
    if (truth != 0) {
        if (truth < 0)
            Py_CLEAR(result);
        goto done;
    }
    Py_SETREF(result, PyObject_CallMethodOneArg(cls, STR(__subclasscheck__), subtype));
done:
    Py_DECREF(data);
    Py_XDECREF(subclass);
    return result;
}

static PyObject *abc_get_cache_token(PyObject *module, PyObject *unused)
{
    return PyLong_FromUnsignedLongLong(current_version());
}

static PyObject *abc_reset_registry(PyObject *module, PyObject *cls)
{
    abc_data *data = data_of(cls);
    if (data == NULL)
        return NULL;
    int locked = container_lock(data);
    PyObject *registry = data->registry;
    data->registry = NULL;
    container_unlock(data, locked);
    Py_XDECREF(registry);
    Py_DECREF(data);
    return Py_None;
}

static PyObject *abc_reset_caches(PyObject *module, PyObject *cls)
{
    abc_data *data = data_of(cls);
    if (data == NULL)
        return NULL;
    int locked = container_lock(data);
    id_set_retire(&data->positive);
    id_set_retire(&data->negative);
    container_unlock(data, locked);
    Py_DECREF(data);
    return Py_None;
}

/* (registry, ids of known subclasses, ids of known others, version) */
static PyObject *ids_to_set(struct id_set *ids)
{
    PyObject *set = PySet_New(NULL);
    for (size_t i = 0; set != NULL && ids != NULL && i <= ids->mask; i++) {
        uint64_t id = __atomic_load_n(&ids->ids[i], __ATOMIC_RELAXED);
        PyObject *n = id != 0 ? PyLong_FromUnsignedLongLong(id) : NULL;
        if (n != NULL && PySet_Add(set, n) < 0)
            Py_CLEAR(set);
        Py_XDECREF(n);
    }
    return set;
}

static PyObject *abc_get_dump(PyObject *module, PyObject *cls)
{
    abc_data *data = data_of(cls);
    if (data == NULL)
        return NULL;
    int locked = container_lock(data);
    PyObject *registry = Py_XNewRef(data->registry);
    container_unlock(data, locked);
    PyObject *copy = PySet_New(registry);
    PyObject *result = Py_BuildValue("NNNK", copy, ids_to_set(__atomic_load_n(&data->positive, __ATOMIC_ACQUIRE)),
                                     ids_to_set(__atomic_load_n(&data->negative, __ATOMIC_ACQUIRE)),
                                     (unsigned long long)__atomic_load_n(&data->negative_version, __ATOMIC_ACQUIRE));
    Py_XDECREF(registry);
    Py_DECREF(data);
    return result;
}

static PyMethodDef abc_methods[] = {
    {"get_cache_token", abc_get_cache_token, METH_NOARGS,
     "get_cache_token($module, /)\n--\n\nA number that changes whenever a class is registered."},
    {"_abc_init", abc_init, METH_O, "_abc_init($module, self, /)\n--\n\nSets up a class of ABCMeta."},
    MODULE_METHOD("_abc_register", abc_register, METH_FASTCALL,
                  "_abc_register($module, self, subclass, /)\n--\n\nABCMeta.register"),
    MODULE_METHOD("_abc_instancecheck", abc_instancecheck, METH_FASTCALL,
                  "_abc_instancecheck($module, self, instance, /)\n--\n\nABCMeta.__instancecheck__"),
    MODULE_METHOD("_abc_subclasscheck", abc_subclasscheck, METH_FASTCALL,
                  "_abc_subclasscheck($module, self, subclass, /)\n--\n\nABCMeta.__subclasscheck__"),
    {"_get_dump", abc_get_dump, METH_O, "_get_dump($module, self, /)\n--\n\nWhat the class knows, for debugging."},
    {"_reset_registry", abc_reset_registry, METH_O, "_reset_registry($module, self, /)\n--\n\nForgets registrations."},
    {"_reset_caches", abc_reset_caches, METH_O, "_reset_caches($module, self, /)\n--\n\nForgets answers."},
    {NULL, NULL, 0, NULL}
};

static int abc_exec(PyObject *module)
{
    if (PyType_Ready(&abc_data_type) < 0)
        return -1;
    impl_name = PyUnicode_InternFromString("_abc_impl");
    return impl_name != NULL ? 0 : -1;
}

static PyModuleDef_Slot abc_slots[] = {
    {Py_mod_exec, (void *)abc_exec}, MODULE_SLOTS_COMMON, {0, NULL}
};

static PyModuleDef abc_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_abc",
    .m_doc = "Abstract base classes; see the module abc.",
    .m_methods = abc_methods,
    .m_slots = abc_slots,
};

PyMODINIT_FUNC PyInit__abc(void) { return PyModuleDef_Init(&abc_def); }
