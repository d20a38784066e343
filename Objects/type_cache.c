/* Look-up of names on types: the method cache, versions, and telling everybody that a type has changed. */
#include "Python.h"

#include "dict.h"
#include "memory.h"
#include "method_ref.h"
#include "stop_world.h"
#include "thread_state.h"
#include "type.h"
#include "unicode.h"
#include "weakref.h"

/* ---- The types lock ---- */

static PyMutex types_mutex;
static PyThreadState *types_owner;      /* [atomic] who holds it */
static int types_depth;                 /* [owner] */

void types_init_locks(void)
{
    fork_register_mutex(&types_mutex);
    shape_init_lock();
}

void types_after_fork(void)
{
    if (--types_depth > 0)          /* this thread forks in the middle of a change of its own */
        PyMutex_Lock(&types_mutex);
    else
        types_owner = NULL;
}

void types_lock(void)
{
    PyThreadState *ts = thread_current();
    if (__atomic_load_n(&types_owner, __ATOMIC_RELAXED) == ts && ts != NULL) {
        types_depth++;
        return;
    }
    PyMutex_Lock(&types_mutex);
    __atomic_store_n(&types_owner, ts, __ATOMIC_RELAXED);
    types_depth = 1;
}

void types_unlock(void)
{
    if (Py_UNLIKELY(__atomic_load_n(&types_owner, __ATOMIC_RELAXED) != thread_current()))
        Py_FatalError("types_unlock by a thread that does not have the lock");
    if (--types_depth > 0)
        return;
    __atomic_store_n(&types_owner, NULL, __ATOMIC_RELAXED);
    PyMutex_Unlock(&types_mutex);
}

int types_lock_suspend(void)
{
    PyThreadState *ts = thread_current();
    if (ts == NULL || __atomic_load_n(&types_owner, __ATOMIC_RELAXED) != ts || types_depth != 1)
        return 0;
    types_unlock();
    return 1;
}

void types_lock_resume(int suspended)
{
    if (suspended)
        types_lock();
}

/* ---- Versions ---- */

static uint64_t last_version;           /* [types lock; atomic read] */
static int versions_held;               /* [types lock] changes under way that let the lock go */

void types_hold_versions_locked(void) { versions_held++; }
void types_release_versions_locked(void) { versions_held--; }

/* The type's version; 0 if it may have none.  All bases have one too: PyType_Modified relies on that. */
static uint64_t assign_version_locked(PyTypeObject *type)
{
    if (type->tp_version != 0)
        return type->tp_version;
    if (versions_held != 0)
        return 0;               /* half of what changes may be done: its bases may not know the type yet */
    if (!PyType_HasFeature(type, Py_TPFLAGS_READY) || type->tp_private == NULL || type->tp_private->never_versioned
        || type->tp_mro == NULL || type->tp_bases == NULL)
        return 0;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(type->tp_bases); i++)
        if (assign_version_locked((PyTypeObject *)PyTuple_GET_ITEM(type->tp_bases, i)) == 0)
            return 0;
    uint64_t version = last_version + 1;
    __atomic_store_n(&last_version, version, __ATOMIC_RELAXED);
    type->tp_version_tag = (unsigned int)version;
    __atomic_store_n(&type->tp_version, version, __ATOMIC_RELEASE);            /* pairs with type_version */
    return version;
}

void type_modified_locked(PyTypeObject *type)
{
    if (type->tp_version == 0)
        return;                 /* then no subclass has one */
    __atomic_store_n(&type->tp_version, 0, __ATOMIC_SEQ_CST);
    type->tp_version_tag = 0;
    struct type_private *private = type->tp_private;
    for (uint32_t i = 0; i < private->subclass_count; i++) {
        /* Uncounted: under the types lock a subclass does not leave the list, and this neither escapes nor waits. */
        PyObject *subclass = PyWeakref_GET_OBJECT(private->subclasses[i]);
        if (subclass != Py_None)
            type_modified_locked((PyTypeObject *)subclass);
    }
}

void PyType_Modified(PyTypeObject *type)
{
    if (type_version(type) == 0)
        return;
    types_lock();
    type_modified_locked(type);
    types_unlock();
}

unsigned int PyType_ClearCache(void)
{
    return (unsigned int)__atomic_load_n(&last_version, __ATOMIC_RELAXED);
}

/* ---- The cache ---- */

/* An entry is guarded by a sequence count, odd while it is being written.  Values are borrowed: they are alive while the type has
 * the version. */
#define CACHE_BITS 12
struct cache_entry {
    uint32_t sequence;
    uint32_t padding;
    uint64_t version;
    PyObject *name;
    PyObject *value;
};
static struct cache_entry cache[1 << CACHE_BITS];

/* A look-up has two places, this one and its neighbour: two names that are looked up in turns don't drive each other out. */
static inline struct cache_entry *entry_of(uint64_t version, PyObject *name)
{
    uint64_t h = version * 0x9E3779B97F4A7C15u ^ (uintptr_t)name >> 4;
    return &cache[(h ^ h >> 13) & ((1 << CACHE_BITS) - 1)];
}

static inline struct cache_entry *neighbour_of(struct cache_entry *entry) { return &cache[(entry - cache) ^ 1]; }

static inline Py_ALWAYS_INLINE int entry_read(struct cache_entry *entry, uint64_t wanted, PyObject *name, PyObject **result)
{
    uint32_t sequence = __atomic_load_n(&entry->sequence, __ATOMIC_ACQUIRE);
    uint64_t entry_version = __atomic_load_n(&entry->version, __ATOMIC_RELAXED);
    PyObject *entry_name = __atomic_load_n(&entry->name, __ATOMIC_RELAXED);
    PyObject *value = __atomic_load_n(&entry->value, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (entry_version != wanted || entry_name != name || (sequence & 1)
        || __atomic_load_n(&entry->sequence, __ATOMIC_RELAXED) != sequence)
        return 0;
    *result = value;
    return 1;
}

int type_lookup_cached_racy(PyTypeObject *type, PyObject *name, PyObject **result, uint64_t *version)
{
    uint64_t v = type_version(type);
    if (v == 0)
        return 0;
    struct cache_entry *entry = entry_of(v, name);
    if (Py_UNLIKELY(!entry_read(entry, v, name, result)) && !entry_read(neighbour_of(entry), v, name, result))
        return 0;
    if (version != NULL)
        *version = v;
    return 1;
}

static void cache_enter_locked(uint64_t version, PyObject *name, PyObject *value)
{
    static uint32_t turn;       /* [types lock] */
    struct cache_entry *entry = entry_of(version, name), *neighbour = neighbour_of(entry);
    if (entry->version != 0 && (neighbour->version == 0 || (turn++ & 1)))
        entry = neighbour;
    uint32_t sequence = entry->sequence;
    __atomic_store_n(&entry->sequence, sequence + 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    __atomic_store_n(&entry->version, version, __ATOMIC_RELAXED);
    __atomic_store_n(&entry->name, name, __ATOMIC_RELAXED);
    __atomic_store_n(&entry->value, value, __ATOMIC_RELAXED);
    __atomic_store_n(&entry->sequence, sequence + 2, __ATOMIC_RELEASE);        /* pairs with entry_read */
}

/* ---- Look-up ---- */

PyObject *type_get_mro_ref(PyTypeObject *type)
{
    PyObject *mro = __atomic_load_n(&type->tp_mro, __ATOMIC_ACQUIRE);
    return mro != NULL && object_try_incref(mro) ? mro : NULL;
}

PyObject *type_get_bases_ref(PyTypeObject *type)
{
    PyObject *bases = __atomic_load_n(&type->tp_bases, __ATOMIC_ACQUIRE);
    return bases != NULL && object_try_incref(bases) ? bases : NULL;
}

/* Holds references to all that it looks at: keys may be of any type and run code. */
static int lookup_uncached(PyTypeObject *type, PyObject *name, PyObject **result)
{
    PyObject *mro = type_get_mro_ref(type);
    int found = 0;
    *result = NULL;
    if (mro == NULL)
        return 0;
    for (Py_ssize_t i = 0, n = PyTuple_GET_SIZE(mro); i < n && found == 0; i++) {
        PyObject *base = PyTuple_GET_ITEM(mro, i);
        PyObject *dict = PyType_Check(base) ? __atomic_load_n(&((PyTypeObject *)base)->tp_dict, __ATOMIC_ACQUIRE) : NULL;
        if (dict != NULL && object_try_incref(dict)) {
            found = dict_get_ref(dict, name, result);
            Py_DECREF(dict);
        }
    }
    Py_DECREF(mro);
    return found;
}

/* Along the MRO from item i on. Under the types lock, without running code.  1: answered; 0: a dict has foreign keys in the
 * way. */
static int lookup_locked(PyObject *mro, Py_ssize_t i, PyObject *name, PyObject **result)
{
    *result = NULL;
    for (Py_ssize_t n = PyTuple_GET_SIZE(mro); i < n; i++) {
        PyObject *dict = ((PyTypeObject *)PyTuple_GET_ITEM(mro, i))->tp_dict;
        uint64_t keys_version;
        PyObject **slot;
        if (dict == NULL)
            continue;
        if (dict_cache_slot(dict, name, &keys_version, &slot) < 0)
            return 0;
        if (slot == NULL)
            continue;
        *result = dict_slot_read_ref(slot);
        return *result != NULL;
    }
    return 1;
}

int type_dict_get_locked(PyObject *dict, PyObject *name, PyObject **result)
{
    uint64_t keys_version;
    PyObject **slot, *key, *value;
    *result = NULL;
    if (dict_cache_slot(dict, name, &keys_version, &slot) == 0
        && (slot == NULL || (*result = dict_slot_read_ref(slot)) != NULL))
        return slot != NULL;
    for (Py_ssize_t position = 0; *result == NULL && dict_next_ref(dict, &position, &key, &value, NULL);) {
        if (PyUnicode_CheckExact(key) && unicode_equal(key, name))
            *result = Py_NewRef(value);
        Py_DECREF(key);
        Py_DECREF(value);
    }
    return *result != NULL;
}

int type_lookup_locked(PyTypeObject *type, PyObject *name, PyObject **result)
{
    PyObject *mro = type->tp_mro;
    int found = 0;
    *result = NULL;
    for (Py_ssize_t i = 0, n = mro != NULL ? PyTuple_GET_SIZE(mro) : 0; i < n && !found; i++) {
        PyObject *dict = ((PyTypeObject *)PyTuple_GET_ITEM(mro, i))->tp_dict;
        found = dict != NULL && type_dict_get_locked(dict, name, result);
    }
    return found;
}

static int lookup_and_enter(PyTypeObject *type, PyObject *name, PyObject **result, uint64_t *version)
{
    if (PyUnicode_CheckExact(name) && unicode_is_interned(name)) {
        types_lock();
        uint64_t v = assign_version_locked(type);
        int answered = v != 0 && lookup_locked(type->tp_mro, 0, name, result);
        if (answered)
            cache_enter_locked(v, name, *result);
        types_unlock();
        if (answered) {
            if (version != NULL)
                *version = v;
            return *result != NULL;
        }
    }
    if (version != NULL)
        *version = 0;
    return lookup_uncached(type, name, result);
}

int type_lookup_ref(PyTypeObject *type, PyObject *name, PyObject **result, uint64_t *version)
{
    if (Py_LIKELY(type_lookup_cached_racy(type, name, result, version))) {
        PyObject *value = *result;
        if (value == NULL)
            return 0;
        if (Py_LIKELY(object_try_incref(value)))
            return 1;
    }
    /* Who asks for the class of an object does not hold it, and the object may get another while this waits or runs code. */
    Py_INCREF(type);
    int found = lookup_and_enter(type, name, result, version);
    Py_DECREF(type);        /* DEFERRED: it lives until the caller's next safe point at least */
    return found;
}

/* ---- Look-up behind a class in the MRO: super() ---- */

/* As the entries above; `after` is the class to look behind. It is in the MRO, so it lives while the version holds. */
#define SUPER_CACHE_BITS 9
struct super_entry {
    uint32_t sequence;
    uint32_t padding;
    uint64_t version;
    PyObject *name;
    PyObject *value;
    PyTypeObject *after;
};
static struct super_entry super_cache[1 << SUPER_CACHE_BITS];

static inline struct super_entry *super_entry_of(uint64_t version, PyTypeObject *after, PyObject *name)
{
    uint64_t h = version * 0x9E3779B97F4A7C15u ^ (uintptr_t)name >> 4 ^ (uintptr_t)after >> 5;
    return &super_cache[(h ^ h >> 13) & ((1 << SUPER_CACHE_BITS) - 1)];
}

int type_lookup_after_cached_racy(PyTypeObject *type, PyTypeObject *after, PyObject *name, PyObject **result)
{
    uint64_t v = type_version(type);
    if (v == 0)
        return 0;
    struct super_entry *entry = super_entry_of(v, after, name);
    uint32_t sequence = __atomic_load_n(&entry->sequence, __ATOMIC_ACQUIRE);
    uint64_t entry_version = __atomic_load_n(&entry->version, __ATOMIC_RELAXED);
    PyObject *entry_name = __atomic_load_n(&entry->name, __ATOMIC_RELAXED);
    PyObject *value = __atomic_load_n(&entry->value, __ATOMIC_RELAXED);
    PyTypeObject *entry_after = __atomic_load_n(&entry->after, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (entry_version != v || entry_name != name || entry_after != after || (sequence & 1)
        || __atomic_load_n(&entry->sequence, __ATOMIC_RELAXED) != sequence)
        return 0;
    *result = value;
    return 1;
}

static int lookup_after_uncached(PyTypeObject *type, PyTypeObject *after, PyObject *name, PyObject **result)
{
    PyObject *mro = type_get_mro_ref(type);
    int found = 0;
    *result = NULL;
    if (mro == NULL)
        return 0;
    Py_ssize_t i = 0, n = PyTuple_GET_SIZE(mro);
    while (i < n && PyTuple_GET_ITEM(mro, i) != (PyObject *)after)
        i++;
    for (i++; i < n && found == 0; i++) {
        PyObject *dict = __atomic_load_n(&((PyTypeObject *)PyTuple_GET_ITEM(mro, i))->tp_dict, __ATOMIC_ACQUIRE);
        if (dict != NULL && object_try_incref(dict)) {
            found = dict_get_ref(dict, name, result);
            Py_DECREF(dict);
        }
    }
    Py_DECREF(mro);
    return found;
}

static int lookup_after_and_enter(PyTypeObject *type, PyTypeObject *after, PyObject *name, PyObject **result)
{
    if (!PyUnicode_CheckExact(name) || !unicode_is_interned(name))
        return lookup_after_uncached(type, after, name, result);
    /* The types lock keeps version and answer together. */
    types_lock();
    uint64_t v = assign_version_locked(type);
    Py_ssize_t i = 0, n = v != 0 ? PyTuple_GET_SIZE(type->tp_mro) : 0;
    while (i < n && PyTuple_GET_ITEM(type->tp_mro, i) != (PyObject *)after)
        i++;
    int answered = i < n && lookup_locked(type->tp_mro, i + 1, name, result);
    if (answered) {
        struct super_entry *entry = super_entry_of(v, after, name);
        uint32_t sequence = entry->sequence;
        __atomic_store_n(&entry->sequence, sequence + 1, __ATOMIC_RELAXED);
        __atomic_thread_fence(__ATOMIC_RELEASE);
        __atomic_store_n(&entry->version, v, __ATOMIC_RELAXED);
        __atomic_store_n(&entry->name, name, __ATOMIC_RELAXED);
        __atomic_store_n(&entry->value, *result, __ATOMIC_RELAXED);
        __atomic_store_n(&entry->after, after, __ATOMIC_RELAXED);
        __atomic_store_n(&entry->sequence, sequence + 2, __ATOMIC_RELEASE);
    }
    types_unlock();
    return answered ? *result != NULL : lookup_after_uncached(type, after, name, result);
}

int type_lookup_after_ref(PyTypeObject *type, PyTypeObject *after, PyObject *name, PyObject **result)
{
    if (type_lookup_after_cached_racy(type, after, name, result)
        && (*result == NULL || object_try_incref(*result)))
        return *result != NULL;
    Py_INCREF(type);        /* as in type_lookup_ref */
    int found = lookup_after_and_enter(type, after, name, result);
    Py_DECREF(type);
    return found;
}

/* Borrowed: good as long as nobody changes the class.  Swallows exceptions, as CPython's does. */
PyObject *_PyType_Lookup(PyTypeObject *type, PyObject *name)
{
    PyObject *result;
    int found = type_lookup_ref(type, name, &result, NULL);
    if (found < 0)
        PyErr_Clear();
    if (found <= 0)
        return NULL;
    Py_DECREF(result);
    return result;
}

PyObject *type_lookup_special(PyObject *op, PyObject *name)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject *found;
    if (type_lookup_ref(type, name, &found, NULL) <= 0)
        return NULL;
    descrgetfunc get = Py_TYPE(found)->tp_descr_get;
    if (get == NULL)
        return found;
    PyObject *bound = get(found, op, (PyObject *)type);
    Py_DECREF(found);
    return bound;
}

PyObject *type_lookup_special_unbound(PyObject *op, PyObject *name, int *self_needed)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject *found;
    *self_needed = 0;
    if (type_lookup_ref(type, name, &found, NULL) <= 0)
        return NULL;
    if (PyType_HasFeature(Py_TYPE(found), Py_TPFLAGS_METHOD_DESCRIPTOR)) {
        *self_needed = 1;
        return found;
    }
    descrgetfunc get = Py_TYPE(found)->tp_descr_get;
    if (get == NULL)
        return found;
    PyObject *bound = get(found, op, (PyObject *)type);
    Py_DECREF(found);
    return bound;
}

int method_ref_take_slow(PyObject *op, PyObject *name, struct method_ref *m)
{
    m->root = NULL;
    m->func = type_lookup_special_unbound(op, name, &m->self_needed);
    return m->func != NULL ? 1 : PyErr_Occurred() ? -1 : 0;
}

PyObject *_PyObject_LookupSpecial(PyObject *op, PyObject *name) { return type_lookup_special(op, name); }

PyObject *_PyObject_LookupSpecialId(PyObject *op, struct _Py_Identifier *id)
{
    PyObject *name = _PyUnicode_FromId(id);
    return name != NULL ? type_lookup_special(op, name) : NULL;
}

/* ---- Kinds of attribute access ---- */

int type_has_custom_getattribute(PyTypeObject *type)
{
    return type->tp_getattro != PyObject_GenericGetAttr && type->tp_getattro != slot_tp_getattr_generic;
}
int type_has_custom_setattr(PyTypeObject *type) { return type->tp_setattro != PyObject_GenericSetAttr; }
int type_has_getattr_hook(PyTypeObject *type)
{
    return type->tp_getattro == slot_tp_getattr_generic || type->tp_getattro == slot_tp_getattr_hook;
}

/* ---- Subclasses ---- */

int type_add_subclass(PyTypeObject *base, PyTypeObject *type)
{
    PyObject *ref = PyWeakref_NewRef((PyObject *)type, NULL);
    if (ref == NULL)
        return -1;
    object_publish(ref);
    PyObject *dead[8];
    uint32_t dead_count = 0;
    int result = 0;
    types_lock();
    struct type_private *private = base->tp_private;
    /* Dead ones make room before the array grows; a search each time would make many classes of one base dear. */
    uint32_t searched = private->subclass_count == private->subclass_capacity ? 0 : private->subclass_count;
    for (uint32_t i = searched; i < private->subclass_count && dead_count < 8; i++)
        if (PyWeakref_GET_OBJECT(private->subclasses[i]) == Py_None) {
            dead[dead_count++] = private->subclasses[i];
            memmove(&private->subclasses[i], &private->subclasses[i + 1],
                    (private->subclass_count - i - 1) * sizeof(PyObject *));
            private->subclass_count--;
            i--;
        }
    if (private->subclass_count == private->subclass_capacity) {
        uint32_t capacity = private->subclass_capacity ? 2 * private->subclass_capacity : 4;
        PyObject **grown = PyMem_Realloc(private->subclasses, capacity * sizeof(PyObject *));
        if (grown == NULL)
            result = -1;
        else {
            private->subclasses = grown;
            private->subclass_capacity = capacity;
        }
    }
    if (result == 0)
        private->subclasses[private->subclass_count++] = ref;
    types_unlock();
    while (dead_count > 0)
        Py_DECREF(dead[--dead_count]);
    if (result < 0) {
        Py_DECREF(ref);
        PyErr_NoMemory();
    }
    return result;
}

void type_remove_subclass(PyTypeObject *base, PyTypeObject *type)
{
    PyObject *ref = NULL;
    types_lock();
    struct type_private *private = base->tp_private;
    for (uint32_t i = private != NULL ? private->subclass_count : 0; i-- > 0;)     /* classes that come and go are at the end */
        if (PyWeakref_GET_OBJECT(private->subclasses[i]) == (PyObject *)type) {
            ref = private->subclasses[i];
            memmove(&private->subclasses[i], &private->subclasses[i + 1],
                    (private->subclass_count - i - 1) * sizeof(PyObject *));
            private->subclass_count--;
            break;
        }
    types_unlock();
    Py_XDECREF(ref);
}

PyObject *type_get_subclasses(PyTypeObject *type)
{
    PyObject *list = PyList_New(0);
    if (list == NULL)
        return NULL;
    for (uint32_t i = 0;; i++) {
        /* One at a time: appending may not run under the lock. */
        PyObject *subclass = NULL;
        types_lock();
        struct type_private *private = type->tp_private;
        int more = private != NULL && i < private->subclass_count;
        if (more) {
            subclass = PyWeakref_GET_OBJECT(private->subclasses[i]);
            if (subclass == Py_None || !object_try_incref(subclass))
                subclass = NULL;
        }
        types_unlock();
        if (!more)
            return list;
        if (subclass != NULL) {
            int failed = PyList_Append(list, subclass);
            Py_DECREF(subclass);
            if (failed) {
                Py_DECREF(list);
                return NULL;
            }
        }
    }
}

/* ---- Changing an attribute of a type ---- */

static int tree_knows_name(PyTypeObject *type, PyObject *name)
{
    if (type->tp_private == NULL)
        return 0;
    if (shape_tree_has_name(type, name))
        return 1;
    int found = 0;
    for (uint32_t i = 0; i < type->tp_private->subclass_count && !found; i++) {
        PyObject *subclass = weakref_target(type->tp_private->subclasses[i]);
        if (subclass != NULL) {
            found = tree_knows_name((PyTypeObject *)subclass, name);
            Py_DECREF(subclass);        /* DEFERRED: never frees */
        }
    }
    return found;
}

static void renumber_stopped(PyTypeObject *type)
{
    shape_tree_renumber_stopped(type);
    for (uint32_t i = 0; type->tp_private != NULL && i < type->tp_private->subclass_count; i++) {
        PyObject *subclass = PyWeakref_GET_OBJECT(type->tp_private->subclasses[i]);
        if (subclass != Py_None)
            renumber_stopped((PyTypeObject *)subclass);
    }
}

/* What waits for a grace period is dead, and its class may be, too, with the shapes. */
static int follow_number(PyObject *op, uint8_t state, void *arg)
{
    (void)arg;
    if (!(state & SLOT_LIMBO) && (op->hdr_shape & SHAPE_ID_TAG))
        op->hdr_shape = shape_from_id(op->hdr_shape)->id;
    return 0;
}

/* No cache of instance attributes of type and its subclasses holds any more. Under the types lock. */
void type_retire_shapes_locked(PyTypeObject *type)
{
    PyThreadState *ts = thread_current();
    stop_world_begin(ts);
    renumber_stopped(type);
    object_pages_walk_stopped(follow_number, NULL);
    stop_world_end(ts);
}

static int is_attribute_hook(PyObject *name)
{
    return unicode_equal(name, STR(__getattribute__)) || unicode_equal(name, STR(__setattr__))
           || unicode_equal(name, STR(__delattr__));
}

/* Instances of type may be attributes of any class. When they become descriptors, or cease to be, what caches know of those
 * classes is wrong, though nothing was assigned to them. */
static void update_slot_locked(PyTypeObject *type, PyObject *name)
{
    descrgetfunc get = type->tp_descr_get;
    descrsetfunc set = type->tp_descr_set;
    type_update_slot_locked(type, name);
    if (type->tp_descr_get != get || type->tp_descr_set != set)
        type_modified_locked(&PyBaseObject_Type);
    if (type->tp_descr_set != set)
        type_retire_shapes_locked(&PyBaseObject_Type);
}

/* type.__dict__[key] = value, or del; *old: what was there, to be dropped without the lock. A key of another type with the
 * same hash runs its __eq__: the lock is let go for that. */
static int store_locked(PyTypeObject *type, PyObject *key, PyObject *value, PyObject **old)
{
    uint64_t keys_version;
    PyObject **slot;
    int foreign = dict_cache_slot(type->tp_dict, key, &keys_version, &slot) < 0, suspended = 0;
    if (foreign) {
        types_hold_versions_locked();
        suspended = types_lock_suspend();
        if (dict_get_ref(type->tp_dict, key, old) < 0)
            PyErr_Clear();
    }
    else if (slot != NULL)
        *old = dict_slot_read_ref(slot);
    int result = value != NULL ? PyDict_SetItem(type->tp_dict, key, value) : PyDict_DelItem(type->tp_dict, key);
    if (foreign) {
        types_lock_resume(suspended);
        types_release_versions_locked();
    }
    return result;
}

int type_set_attr(PyTypeObject *type, PyObject *name, PyObject *value)
{
    PyObject *old = NULL, *key = unicode_intern_steal(Py_NewRef(name));
    int result;
    if (key == NULL)
        return -1;
    if (value != NULL)
        object_publish(value);
    types_lock();
    type_modified_locked(type);
    result = store_locked(type, key, value, &old);
    if (result == 0) {
        if (type_name_is_slot(key))
            update_slot_locked(type, key);
        if (is_attribute_hook(key) ? tree_knows_name(type, NULL)
                                   : value != NULL && descr_is_data(value) && tree_knows_name(type, key))
            type_retire_shapes_locked(type);
    }
    types_unlock();
    Py_XDECREF(old);
    return result;
}
