/* Looking up, storing and removing single items of dict. */
#include "dict_insert.h"
#include "dict_remove.h"

/* ---- Lock-free look-up ---- */

enum { ABSENT = 0, FOUND = 1, FAILED = -1, UNSURE = -2 };
enum want { WANT_TEST, WANT_BORROWED, WANT_REF };

/* Takes the value of an entry. FOUND, or UNSURE if the entry is or may be dead. */
static inline Py_ALWAYS_INLINE int take_value(dict_entry *entry, enum want want, PyObject **result)
{
    PyObject *value = __atomic_load_n(&entry->value, __ATOMIC_ACQUIRE);     /* pairs with dict_put */
    if (value == NULL)
        return UNSURE;
    if (want == WANT_REF && !object_try_incref(value))
        return UNSURE;
    *result = value;
    return FOUND;
}

/* Compares candidate, the key of entry i, with key by code that may run Python.  FOUND: *result is set; ABSENT: differs, go on in
 * the same table; UNSURE: start anew. */
static Py_NO_INLINE int compare_escaping(PyDictObject *self, uint64_t id, Py_ssize_t i, PyObject *candidate, PyObject *key,
                                         enum want want, PyObject **result)
{
    if (!object_try_incref(candidate))
        return UNSURE;
    int outcome = container_equal_known(candidate, key);
    if (outcome < 0)
        outcome = PyObject_RichCompareBool(candidate, key, Py_EQ);
    if (outcome == FOUND) {
        PyDictKeysObject *keys = __atomic_load_n(&self->ma_keys, __ATOMIC_ACQUIRE);
        if (keys->id != id || __atomic_load_n(&keys->entries[i].key, __ATOMIC_ACQUIRE) != candidate)
            outcome = UNSURE;
        else
            outcome = take_value(&keys->entries[i], want, result);
    }
    Py_DECREF(candidate);
    if (outcome == ABSENT && __atomic_load_n(&self->ma_keys, __ATOMIC_ACQUIRE)->id != id)
        outcome = UNSURE;
    return outcome;
}

static inline Py_ALWAYS_INLINE int lookup_racy(PyDictObject *self, PyObject *key, Py_hash_t hash, enum want want,
                                               PyObject **result)
{
    dict_pass_gate(self);
    PyDictKeysObject *keys = __atomic_load_n(&self->ma_keys, __ATOMIC_ACQUIRE);
    size_t mask = dict_keys_mask(keys), perturb = (size_t)hash, slot = perturb & mask;
    for (;;) {
        Py_ssize_t i = dict_index_get(keys, slot);
        if (i >= 0) {
            dict_entry *entry = &keys->entries[i];
            PyObject *candidate = __atomic_load_n(&entry->key, __ATOMIC_ACQUIRE);
            if (candidate == key)
                return take_value(entry, want, result);
            if (__atomic_load_n(&entry->hash, __ATOMIC_RELAXED) == hash) {
                /* With a value, the key is alive or at least not yet reused memory. */
                if (candidate == NULL || __atomic_load_n(&entry->value, __ATOMIC_ACQUIRE) == NULL)
                    return UNSURE;
                int equal = container_equal_racy(candidate, key);
                if (equal > 0)
                    return take_value(entry, want, result);
                if (equal < 0) {
                    uint64_t id = keys->id;
                    int outcome = compare_escaping(self, id, i, candidate, key, want, result);
                    if (outcome != ABSENT)
                        return outcome;
                    keys = __atomic_load_n(&self->ma_keys, __ATOMIC_ACQUIRE);
                    if (keys->id != id)
                        return UNSURE;
                }
            }
        }
        else if (i == DICT_EMPTY)
            return ABSENT;
        perturb >>= DICT_PERTURB_SHIFT;
        slot = (slot * 5 + perturb + 1) & mask;
    }
}

/* ---- Look-up under the lock ---- */

/* Has an entry of that hash been appended since there were `count`? */
static int added_since(PyDictKeysObject *keys, Py_ssize_t count, Py_hash_t hash)
{
    for (; count < keys->count; count++)
        if (keys->entries[count].hash == hash)
            return 1;
    return 0;
}

/* dict_find_and_lock; if key is absent, *free_slot is where the index has room for it, or -1: not known. */
static inline Py_ALWAYS_INLINE Py_ssize_t find_and_lock(PyDictObject *self, PyObject *key, Py_hash_t hash, int *locked,
                                                        Py_ssize_t *free_slot)
{
    Py_ssize_t dummy;           /* the first DUMMY on the way, or -1 */
    int escaped;                /* others may have used that since */
restart:
    dummy = -1;
    escaped = 0;
    *locked = dict_lock(self);
    PyDictKeysObject *keys = self->ma_keys;
    uint64_t id = keys->id;
    Py_ssize_t count = keys->count;
    size_t mask = dict_keys_mask(keys), perturb = (size_t)hash, slot = perturb & mask;
    for (;;) {
        Py_ssize_t i = dict_index_get(keys, slot);
        if (i >= 0) {
            dict_entry *entry = &keys->entries[i];
            PyObject *candidate = entry->key;
            if (candidate == key)
                return i;
            if (entry->hash == hash) {
                int equal = container_equal_racy(candidate, key);
                if (equal < 0)
                    equal = container_equal_known(candidate, key);
                if (equal > 0)
                    return i;
                if (equal < 0) {
                    Py_INCREF(candidate);
                    container_unlock(self, *locked);
                    equal = PyObject_RichCompareBool(candidate, key, Py_EQ);
                    Py_DECREF(candidate);       /* not under the lock: it may serve another thread's queue, which runs finalisers */
                    if (equal < 0)
                        return -2;
                    *locked = dict_lock(self);
                    keys = self->ma_keys;
                    if (keys->id != id || keys->entries[i].key != candidate || added_since(keys, count, hash)) {
                        container_unlock(self, *locked);
                        goto restart;
                    }
                    if (equal)
                        return i;
                    escaped = 1;
                }
            }
        }
        else if (i == DICT_EMPTY) {
            *free_slot = Py_UNLIKELY(escaped) ? -1 : dummy >= 0 ? dummy : (Py_ssize_t)slot;
            return -1;
        }
        else if (dummy < 0)
            dummy = (Py_ssize_t)slot;
        perturb >>= DICT_PERTURB_SHIFT;
        slot = (slot * 5 + perturb + 1) & mask;
    }
}

Py_ssize_t dict_find_and_lock(PyDictObject *self, PyObject *key, Py_hash_t hash, int *locked)
{
    Py_ssize_t slot;
    return find_and_lock(self, key, hash, locked, &slot);
}

static Py_NO_INLINE int lookup_locking(PyDictObject *self, PyObject *key, Py_hash_t hash, enum want want, PyObject **result)
{
    int locked;
    Py_ssize_t i = dict_find_and_lock(self, key, hash, &locked);
    if (i == -2)
        return FAILED;
    if (i >= 0) {
        *result = self->ma_keys->entries[i].value;
        if (want == WANT_REF)
            Py_INCREF(*result);
    }
    container_unlock(self, locked);
    return i >= 0;
}

static inline Py_ALWAYS_INLINE int lookup(PyObject *dict, PyObject *key, Py_hash_t hash, enum want want, PyObject **result)
{
    int outcome = lookup_racy((PyDictObject *)dict, key, hash, want, result);
    if (Py_UNLIKELY(outcome == UNSURE))
        outcome = lookup_locking((PyDictObject *)dict, key, hash, want, result);
    return outcome;
}

int dict_lookup_ref(PyObject *dict, PyObject *key, Py_hash_t hash, PyObject **result)
{
    *result = NULL;
    return lookup(dict, key, hash, WANT_REF, result);
}

int dict_get_str_ref(PyObject *dict, PyObject *name, PyObject **result)
{
    *result = NULL;
    return lookup(dict, name, unicode_hash(name), WANT_REF, result);
}

int dict_get_ref(PyObject *dict, PyObject *key, PyObject **result)
{
    *result = NULL;
    Py_hash_t hash = container_key_hash(key);
    if (hash == -1)
        return -1;
    return lookup(dict, key, hash, WANT_REF, result);
}

static int lookup_borrowed(PyObject *dict, PyObject *key, Py_hash_t hash, PyObject **result)
{
    *result = NULL;
    return lookup(dict, key, hash, WANT_BORROWED, result);
}

/* ---- Caches of global names ---- */

static uint64_t version_locked(PyDictObject *self)
{
    if (!dict_is_open(self))
        dict_open_locked(self);
    if (self->ma_keys_version == DICT_OPEN)
        __atomic_store_n(&self->ma_keys_version, container_next_id(), __ATOMIC_RELEASE);
    return self->ma_keys_version;
}

uint64_t dict_keys_version(PyObject *dict)
{
    int locked = dict_lock((PyDictObject *)dict);
    uint64_t version = version_locked((PyDictObject *)dict);
    container_unlock(dict, locked);
    return version;
}

int dict_cache_slot(PyObject *dict, PyObject *name, uint64_t *version, PyObject ***slot)
{
    PyDictObject *self = (PyDictObject *)dict;
    Py_hash_t hash = unicode_hash(name);
    int result = 0;
    *slot = NULL;
    int locked = dict_lock(self);
    PyDictKeysObject *keys = self->ma_keys;
    size_t mask = dict_keys_mask(keys), perturb = (size_t)hash, at = perturb & mask;
    for (;;) {
        Py_ssize_t i = dict_index_get(keys, at);
        if (i == DICT_EMPTY)
            break;
        if (i >= 0 && keys->entries[i].hash == hash) {
            int equal = container_equal_racy(keys->entries[i].key, name);
            if (equal > 0)
                *slot = &keys->entries[i].value;
            if (equal < 0)
                result = -1;
            if (equal != 0)
                break;
        }
        perturb >>= DICT_PERTURB_SHIFT;
        at = (at * 5 + perturb + 1) & mask;
    }
    *version = version_locked(self);
    container_unlock(self, locked);
    return result;
}

PyObject **dict_value_slot(PyObject *dict, PyObject *name)
{
    uint64_t version;
    PyObject **slot;
    return dict_cache_slot(dict, name, &version, &slot) < 0 ? NULL : slot;
}

/* ---- Storing ---- */

/* self[key] = value for a value that is stolen. */
static int store(PyDictObject *self, PyObject *key, Py_hash_t hash, PyObject *value)
{
    int locked;
    Py_ssize_t slot = -1, i = find_and_lock(self, key, hash, &locked, &slot);
    if (i >= 0) {
        PyObject **place = &self->ma_keys->entries[i].value, *old = *place;
        dict_put(self, place, value);
        container_unlock(self, locked);
        Py_DECREF(old);
        return 0;
    }
    if (i == -1) {
        Py_INCREF(key);
        int result = dict_insert_at_locked(self, key, hash, value, slot);
        container_unlock(self, locked);
        if (result == 0)
            return 0;
        Py_DECREF(key);
        PyErr_NoMemory();
    }
    Py_DECREF(value);
    return -1;
}

int dict_set_steal(PyObject *dict, PyObject *key, Py_hash_t hash, PyObject *value)
{
    return store((PyDictObject *)dict, key, hash, value);
}

int dict_set_str_steal(PyObject *dict, PyObject *name, PyObject *value)
{
    return store((PyDictObject *)dict, name, unicode_hash(name), value);
}

int PyDict_SetItem(PyObject *dict, PyObject *key, PyObject *value)
{
    if (!PyDict_Check(dict) || key == NULL || value == NULL) {
        PyErr_BadInternalCall();
        return -1;
    }
    Py_hash_t hash = container_key_hash(key);
    if (hash == -1)
        return -1;
    return store((PyDictObject *)dict, key, hash, Py_NewRef(value));
}

int _PyDict_SetItem_KnownHash(PyObject *dict, PyObject *key, PyObject *value, Py_hash_t hash)
{
    if (!PyDict_Check(dict)) {
        PyErr_BadInternalCall();
        return -1;
    }
    return store((PyDictObject *)dict, key, hash, Py_NewRef(value));
}

int _PyDict_SetItem_Take2(PyDictObject *dict, PyObject *key, PyObject *value)
{
    Py_hash_t hash = container_key_hash(key);
    int result = -1;
    if (hash == -1)
        Py_DECREF(value);
    else
        result = store(dict, key, hash, value);
    Py_DECREF(key);
    return result;
}

int PyDict_SetDefaultRef(PyObject *dict, PyObject *key, PyObject *default_value, PyObject **result)
{
    PyDictObject *self = (PyDictObject *)dict;
    int locked;
    if (result != NULL)
        *result = NULL;
    if (!PyDict_Check(dict)) {
        PyErr_BadInternalCall();
        return -1;
    }
    Py_hash_t hash = container_key_hash(key);
    if (hash == -1)
        return -1;
    PyObject *value = NULL;
    /* First without the lock, unless __eq__ of the key's class would be called twice. */
    int outcome = ABSENT;
    if (value_is_immediate(key) || PyUnicode_CheckExact(key))
        outcome = lookup(dict, key, hash, result != NULL ? WANT_REF : WANT_TEST, &value);
    if (outcome != ABSENT) {
        if (result != NULL)
            *result = value;
        return outcome;
    }
    Py_ssize_t i = dict_find_and_lock(self, key, hash, &locked);
    if (i == -2)
        return -1;
    if (i >= 0) {
        if (result != NULL)
            *result = Py_NewRef(self->ma_keys->entries[i].value);
        container_unlock(self, locked);
        return 1;
    }
    Py_INCREF(key);
    Py_INCREF(default_value);
    if (result != NULL)
        Py_INCREF(default_value);
    outcome = dict_insert_new_locked(self, key, hash, default_value);
    container_unlock(self, locked);
    if (outcome < 0) {
        Py_DECREF(key);
        Py_DECREF(default_value);
        if (result != NULL)
            Py_DECREF(default_value);
        PyErr_NoMemory();
        return -1;
    }
    if (result != NULL)
        *result = default_value;
    return 0;
}

PyObject *PyDict_SetDefault(PyObject *dict, PyObject *key, PyObject *default_value)
{
    PyObject *value;
    if (PyDict_SetDefaultRef(dict, key, default_value, &value) < 0)
        return NULL;
    Py_DECREF(value);       /* the dict has it */
    return value;
}

int PyDict_SetItemString(PyObject *dict, const char *name, PyObject *value)
{
    PyObject *key = PyUnicode_InternFromString(name);
    if (key == NULL)
        return -1;
    int result = PyDict_SetItem(dict, key, value);
    Py_DECREF(key);
    return result;
}

/* ---- Removing ---- */

void dict_set_key_error(PyObject *key)
{
    PyObject *args = PyTuple_Pack(1, key);
    if (args == NULL)
        return;
    PyErr_SetObject(PyExc_KeyError, args);
    Py_DECREF(args);
}

/* may_go: dict_remove.h; NULL: always. */
static int pop_if(PyObject *dict, PyObject *key, Py_hash_t hash, int (*may_go)(PyObject *), PyObject **result)
{
    PyDictObject *self = (PyDictObject *)dict;
    PyObject *old_key, *value;
    int locked;
    if (result != NULL)
        *result = NULL;
    Py_ssize_t i = dict_find_and_lock(self, key, hash, &locked);
    if (i == -2)
        return -1;
    int goes = i >= 0 && (may_go == NULL || may_go(self->ma_keys->entries[i].value));
    if (goes)
        dict_remove_entry_locked(self, i, &old_key, &value);
    container_unlock(self, locked);
    if (!goes)
        return 0;
    if (result != NULL)
        *result = value;
    Py_DECREF(old_key);
    if (result == NULL)
        Py_DECREF(value);
    return 1;
}

int dict_pop_known_hash(PyObject *dict, PyObject *key, Py_hash_t hash, PyObject **result)
{
    return pop_if(dict, key, hash, NULL, result);
}

int dict_remove_if(PyObject *dict, PyObject *key, int (*may_go)(PyObject *value))
{
    Py_hash_t hash = container_key_hash(key);
    return hash == -1 ? -1 : pop_if(dict, key, hash, may_go, NULL);
}

int PyDict_Pop(PyObject *dict, PyObject *key, PyObject **result)
{
    if (result != NULL)
        *result = NULL;
    if (!PyDict_Check(dict)) {
        PyErr_BadInternalCall();
        return -1;
    }
    if (PyDict_GET_SIZE(dict) == 0)
        return 0;
    Py_hash_t hash = container_key_hash(key);
    return hash == -1 ? -1 : dict_pop_known_hash(dict, key, hash, result);
}

int PyDict_PopString(PyObject *dict, const char *name, PyObject **result)
{
    PyObject *key = PyUnicode_FromString(name);
    if (key == NULL) {
        if (result != NULL)
            *result = NULL;
        return -1;
    }
    int found = PyDict_Pop(dict, key, result);
    Py_DECREF(key);
    return found;
}

PyObject *_PyDict_Pop(PyObject *dict, PyObject *key, PyObject *default_value)
{
    PyObject *value;
    int found = PyDict_Pop(dict, key, &value);
    if (found == 0) {
        if (default_value != NULL)
            return Py_NewRef(default_value);
        dict_set_key_error(key);
    }
    return value;
}

int _PyDict_DelItem_KnownHash(PyObject *dict, PyObject *key, Py_hash_t hash)
{
    if (!PyDict_Check(dict)) {
        PyErr_BadInternalCall();
        return -1;
    }
    int found = dict_pop_known_hash(dict, key, hash, NULL);
    if (found == 0)
        dict_set_key_error(key);
    return found == 1 ? 0 : -1;
}

int PyDict_DelItem(PyObject *dict, PyObject *key)
{
    Py_hash_t hash = container_key_hash(key);
    return hash == -1 ? -1 : _PyDict_DelItem_KnownHash(dict, key, hash);
}

int PyDict_DelItemString(PyObject *dict, const char *name)
{
    PyObject *key = PyUnicode_FromString(name);
    if (key == NULL)
        return -1;
    int result = PyDict_DelItem(dict, key);
    Py_DECREF(key);
    return result;
}

PyObject *dict_pop_end(PyDictObject *self, int last, const char *message)
{
    PyObject *key = NULL, *value = NULL;
    int locked = dict_lock(self);
    Py_ssize_t i = last ? dict_last_entry_locked(self) : dict_first_entry_locked(self);
    if (i >= 0)
        dict_remove_entry_locked(self, i, &key, &value);
    container_unlock(self, locked);
    if (i < 0) {
        PyErr_SetString(PyExc_KeyError, message);
        return NULL;
    }
    PyObject *pair[2] = {key, value};
    return _PyTuple_FromArraySteal(pair, 2);
}

/* ---- Public look-ups ---- */

int PyDict_GetItemRef(PyObject *dict, PyObject *key, PyObject **result)
{
    if (!PyDict_Check(dict)) {
        *result = NULL;
        PyErr_BadInternalCall();
        return -1;
    }
    return dict_get_ref(dict, key, result);
}

int PyDict_GetItemStringRef(PyObject *dict, const char *name, PyObject **result)
{
    PyObject *key = PyUnicode_FromString(name);
    *result = NULL;
    if (key == NULL)
        return -1;
    int found = PyDict_GetItemRef(dict, key, result);
    Py_DECREF(key);
    return found;
}

PyObject *PyDict_GetItemWithError(PyObject *dict, PyObject *key)
{
    PyObject *value;
    if (!PyDict_Check(dict)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    Py_hash_t hash = container_key_hash(key);
    if (hash == -1)
        return NULL;
    return lookup_borrowed(dict, key, hash, &value) == FOUND ? value : NULL;
}

PyObject *_PyDict_GetItemWithError(PyObject *dict, PyObject *key)
{
    return PyDict_GetItemWithError(dict, key);
}

PyObject *PyDict_GetItem(PyObject *dict, PyObject *key)
{
    PyObject *type, *error, *traceback;
    if (!PyDict_Check(dict))
        return NULL;
    if (PyUnicode_CheckExact(key)) {
        PyObject *value;
        int found = lookup_borrowed(dict, key, unicode_hash(key), &value);
        if (found >= 0)
            return found ? value : NULL;
        PyErr_Clear();
        return NULL;
    }
    /* The indicator stays as it was, whatever __hash__ and __eq__ do. */
    PyErr_Fetch(&type, &error, &traceback);
    PyObject *value = PyDict_GetItemWithError(dict, key);
    PyErr_Restore(type, error, traceback);
    return value;
}

PyObject *_PyDict_GetItem_KnownHash(PyObject *dict, PyObject *key, Py_hash_t hash)
{
    PyObject *value;
    if (!PyDict_Check(dict)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    return lookup_borrowed(dict, key, hash, &value) == FOUND ? value : NULL;
}

PyObject *_PyDict_GetItemStringWithError(PyObject *dict, const char *name)
{
    PyObject *key = PyUnicode_FromString(name);
    if (key == NULL)
        return NULL;
    PyObject *value = PyDict_GetItemWithError(dict, key);
    Py_DECREF(key);
    return value;
}

PyObject *PyDict_GetItemString(PyObject *dict, const char *name)
{
    PyObject *key = PyUnicode_FromString(name);
    if (key == NULL) {
        PyErr_Clear();
        return NULL;
    }
    PyObject *value = PyDict_GetItem(dict, key);
    Py_DECREF(key);
    return value;
}

int _PyDict_Contains_KnownHash(PyObject *dict, PyObject *key, Py_hash_t hash)
{
    PyObject *value;
    return lookup(dict, key, hash, WANT_TEST, &value);
}

int PyDict_Contains(PyObject *dict, PyObject *key)
{
    Py_hash_t hash = container_key_hash(key);
    return hash == -1 ? -1 : _PyDict_Contains_KnownHash(dict, key, hash);
}

int PyDict_ContainsString(PyObject *dict, const char *name)
{
    PyObject *key = PyUnicode_FromString(name);
    if (key == NULL)
        return -1;
    int result = PyDict_Contains(dict, key);
    Py_DECREF(key);
    return result;
}

Py_ssize_t PyDict_Size(PyObject *dict)
{
    if (dict == NULL || !PyDict_Check(dict)) {
        PyErr_BadInternalCall();
        return -1;
    }
    return PyDict_GET_SIZE(dict);
}
