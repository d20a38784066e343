/* dict, its views and iterators, and collections.OrderedDict.
 *
 * Look-ups take no lock, changes take the object's lock; the rules are in Include/internal/dict.h. */
#ifndef Py_DICTOBJECT_H
#define Py_DICTOBJECT_H

typedef struct _dictkeysobject PyDictKeysObject;

typedef struct {
    PyObject_HEAD
    Py_ssize_t ma_used;             /* [atomic; written under the lock] number of items */
    uint64_t ma_keys_version;       /* [atomic; written under the lock] gate and version (dict.h) */
    PyDictKeysObject *ma_keys;      /* [lock;retire] never NULL */
} PyDictObject;

PyAPI_DATA(PyTypeObject) PyDict_Type;
PyAPI_DATA(PyTypeObject) PyDictKeys_Type;
PyAPI_DATA(PyTypeObject) PyDictValues_Type;
PyAPI_DATA(PyTypeObject) PyDictItems_Type;
PyAPI_DATA(PyTypeObject) PyDictIterKey_Type;
PyAPI_DATA(PyTypeObject) PyDictIterValue_Type;
PyAPI_DATA(PyTypeObject) PyDictIterItem_Type;
PyAPI_DATA(PyTypeObject) PyDictRevIterKey_Type;
PyAPI_DATA(PyTypeObject) PyDictRevIterValue_Type;
PyAPI_DATA(PyTypeObject) PyDictRevIterItem_Type;

#define PyDict_Check(op) PyType_FastSubclass(Py_TYPE(op), Py_TPFLAGS_DICT_SUBCLASS)
#define PyDict_CheckExact(op) heap_is_type((op), &PyDict_Type)
#define PyDictKeys_Check(op) PyObject_TypeCheck((op), &PyDictKeys_Type)
#define PyDictValues_Check(op) PyObject_TypeCheck((op), &PyDictValues_Type)
#define PyDictItems_Check(op) PyObject_TypeCheck((op), &PyDictItems_Type)
#define PyDictViewSet_Check(op) (PyDictKeys_Check(op) || PyDictItems_Check(op))

PyAPI_FUNC(PyObject *) PyDict_New(void);
/* A dict with room for min_used items. */
PyAPI_FUNC(PyObject *) _PyDict_NewPresized(Py_ssize_t min_used);

/* Borrowed results; prefer the ...Ref functions. PyDict_GetItem swallows exceptions. */
PyAPI_FUNC(PyObject *) PyDict_GetItem(PyObject *dict, PyObject *key);
PyAPI_FUNC(PyObject *) PyDict_GetItemWithError(PyObject *dict, PyObject *key);
PyAPI_FUNC(PyObject *) PyDict_GetItemString(PyObject *dict, const char *key);
PyAPI_FUNC(PyObject *) _PyDict_GetItemStringWithError(PyObject *dict, const char *key);
PyAPI_FUNC(PyObject *) _PyDict_GetItem_KnownHash(PyObject *dict, PyObject *key, Py_hash_t hash);
PyAPI_FUNC(PyObject *) _PyDict_GetItemWithError(PyObject *dict, PyObject *key);
/* 1: *result is a new reference; 0: absent, *result NULL; -1: exception, *result NULL. */
PyAPI_FUNC(int) PyDict_GetItemRef(PyObject *dict, PyObject *key, PyObject **result);
PyAPI_FUNC(int) PyDict_GetItemStringRef(PyObject *dict, const char *key, PyObject **result);

PyAPI_FUNC(int) PyDict_SetItem(PyObject *dict, PyObject *key, PyObject *value);
PyAPI_FUNC(int) PyDict_SetItemString(PyObject *dict, const char *key, PyObject *value);
PyAPI_FUNC(int) _PyDict_SetItem_KnownHash(PyObject *dict, PyObject *key, PyObject *value, Py_hash_t hash);
PyAPI_FUNC(int) _PyDict_SetItem_Take2(PyDictObject *dict, PyObject *key, PyObject *value);
PyAPI_FUNC(int) PyDict_DelItem(PyObject *dict, PyObject *key);
PyAPI_FUNC(int) PyDict_DelItemString(PyObject *dict, const char *key);
PyAPI_FUNC(int) _PyDict_DelItem_KnownHash(PyObject *dict, PyObject *key, Py_hash_t hash);
PyAPI_FUNC(PyObject *) PyDict_SetDefault(PyObject *dict, PyObject *key, PyObject *default_value);   /* borrowed */
/* 1: was there; 0: inserted; -1: exception. *result (may be NULL) is a new reference. */
PyAPI_FUNC(int) PyDict_SetDefaultRef(PyObject *dict, PyObject *key, PyObject *default_value, PyObject **result);
/* 1: removed; 0: absent; -1: exception. *result (may be NULL) is a new reference. */
PyAPI_FUNC(int) PyDict_Pop(PyObject *dict, PyObject *key, PyObject **result);
PyAPI_FUNC(int) PyDict_PopString(PyObject *dict, const char *key, PyObject **result);
/* The value; default_value, or KeyError if that is NULL. New reference. */
PyAPI_FUNC(PyObject *) _PyDict_Pop(PyObject *dict, PyObject *key, PyObject *default_value);

PyAPI_FUNC(int) PyDict_Contains(PyObject *dict, PyObject *key);
PyAPI_FUNC(int) PyDict_ContainsString(PyObject *dict, const char *key);
PyAPI_FUNC(int) _PyDict_Contains_KnownHash(PyObject *dict, PyObject *key, Py_hash_t hash);
PyAPI_FUNC(int) _PyDict_ContainsId(PyObject *dict, struct _Py_Identifier *key);
PyAPI_FUNC(Py_ssize_t) PyDict_Size(PyObject *dict);
PyAPI_FUNC(void) PyDict_Clear(PyObject *dict);
PyAPI_FUNC(PyObject *) PyDict_Copy(PyObject *dict);
PyAPI_FUNC(PyObject *) PyDict_Keys(PyObject *dict);
PyAPI_FUNC(PyObject *) PyDict_Values(PyObject *dict);
PyAPI_FUNC(PyObject *) PyDict_Items(PyObject *dict);
/* Borrowed results: the dict must not be reached by others, or be locked by a critical section around the loop. */
PyAPI_FUNC(int) PyDict_Next(PyObject *dict, Py_ssize_t *pos, PyObject **key, PyObject **value);
PyAPI_FUNC(int) _PyDict_Next(PyObject *dict, Py_ssize_t *pos, PyObject **key, PyObject **value, Py_hash_t *hash);

PyAPI_FUNC(int) PyDict_Update(PyObject *dict, PyObject *other);
PyAPI_FUNC(int) PyDict_Merge(PyObject *dict, PyObject *other, int override);
/* override 2: a duplicate key is KeyError(key) (keyword arguments). */
PyAPI_FUNC(int) _PyDict_MergeEx(PyObject *dict, PyObject *other, int override);
PyAPI_FUNC(int) PyDict_MergeFromSeq2(PyObject *dict, PyObject *seq2, int override);
PyAPI_FUNC(void) _PyDict_MaybeUntrack(PyObject *dict);
PyAPI_FUNC(int) _PyDict_HasOnlyStringKeys(PyObject *dict);
PyAPI_FUNC(Py_ssize_t) _PyDict_SizeOf(PyDictObject *dict);
PyAPI_FUNC(void) _PyDict_DebugMallocStats(FILE *out);
PyAPI_FUNC(PyObject *) _PyDict_FromKeys(PyObject *cls, PyObject *iterable, PyObject *value);
PyAPI_FUNC(PyObject *) _PyDictView_New(PyObject *dict, PyTypeObject *type);
PyAPI_FUNC(PyObject *) _PyDictView_Intersect(PyObject *self, PyObject *other);

static inline Py_ssize_t PyDict_GET_SIZE_(const void *op)
{
    return __atomic_load_n(&((const PyDictObject *)op)->ma_used, __ATOMIC_RELAXED);
}
#define PyDict_GET_SIZE(op) PyDict_GET_SIZE_(op)

/* ---- collections.OrderedDict ---- */

typedef struct _odictobject PyODictObject;
PyAPI_DATA(PyTypeObject) PyODict_Type;
PyAPI_DATA(PyTypeObject) PyODictIter_Type;
PyAPI_DATA(PyTypeObject) PyODictKeys_Type;
PyAPI_DATA(PyTypeObject) PyODictItems_Type;
PyAPI_DATA(PyTypeObject) PyODictValues_Type;
#define PyODict_Check(op) PyObject_TypeCheck((op), &PyODict_Type)
#define PyODict_CheckExact(op) heap_is_type((op), &PyODict_Type)
#define PyODict_SIZE(op) PyDict_GET_SIZE(op)
PyAPI_FUNC(PyObject *) PyODict_New(void);
PyAPI_FUNC(int) PyODict_SetItem(PyObject *od, PyObject *key, PyObject *value);
PyAPI_FUNC(int) PyODict_DelItem(PyObject *od, PyObject *key);
#define PyODict_GetItem(od, key) PyDict_GetItem((PyObject *)(od), (key))
#define PyODict_GetItemWithError(od, key) PyDict_GetItemWithError((PyObject *)(od), (key))
#define PyODict_Contains(od, key) PyDict_Contains((PyObject *)(od), (key))
#define PyODict_Size(od) PyDict_Size((PyObject *)(od))
#define PyODict_GetItemString(od, key) PyDict_GetItemString((PyObject *)(od), (key))

#endif /* Py_DICTOBJECT_H */
