/* The class ZoneInfo, its caches, and the module. The caches are a WeakValueDictionary for each class, and for ZoneInfo
 * itself an OrderedDict that keeps the zones used last; changes to the latter happen in a critical section on it. */
#include "zoneinfo_internal.h"

#include "datetime.h"
#include "structmember.h"

enum { STRONG_CACHE_SIZE = 8 };

enum { FROM_CACHE, NO_CACHE, FROM_FILE };

typedef struct {
    PyObject_HEAD
    PyObject *weakreflist;
    PyObject *key;              /* [const] counted; None: unknown */
    PyObject *file_repr;        /* [const] counted, or NULL */
    int source;                 /* [const] */
    zone_t zone;                /* [const] */
} zoneinfo_t;

static PyTypeObject zoneinfo_type;
static PyObject *weak_cache, *strong_cache;     /* of ZoneInfo; made by the first import */

/* ---- Making ---- */

static PyObject *call_common(const char *module, const char *name, PyObject *arg)
{
    PyObject *function = _PyImport_GetModuleAttrString(module, name), *result;
    if (function == NULL)
        return NULL;
    result = PyObject_CallOneArg(function, arg);
    Py_DECREF(function);
    return result;
}

/* The file that has the data of a key, opened. */
static PyObject *open_key(PyObject *key)
{
    PyObject *path = call_common("zoneinfo._tzpath", "find_tzfile", key), *file;
    if (path == NULL)
        return NULL;
    if (path == Py_None)
        return call_common("zoneinfo._common", "load_tzdata", key);
    PyObject *open = _PyImport_GetModuleAttrString("io", "open");
    file = open == NULL ? NULL : PyObject_CallFunction(open, "Os", path, "rb");
    Py_XDECREF(open);
    Py_DECREF(path);
    return file;
}

static PyObject *new_from_file(PyTypeObject *type, PyObject *file, PyObject *key, int source)
{
    zoneinfo_t *self = (zoneinfo_t *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    PyObject_GC_UnTrack(self);      /* until it is whole: gc.get_objects would hand it out while the file is read */
    self->key = Py_NewRef(key);
    self->source = source;
    if (zone_load(&self->zone, file) < 0 || (source == FROM_FILE && (self->file_repr = PyObject_Repr(file)) == NULL)) {
        Py_DECREF(self);
        return NULL;
    }
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

static PyObject *new_from_key(PyTypeObject *type, PyObject *key, int source)
{
    PyObject *file = open_key(key), *self, *closed;
    if (file == NULL)
        return NULL;
    self = new_from_file(type, file, key, source);
    PyObject *exc = PyErr_GetRaisedException();
    closed = PyObject_CallMethod(file, "close", NULL);
    Py_DECREF(file);
    if (closed == NULL) {
        Py_CLEAR(self);
        Py_XDECREF(exc);
        return NULL;
    }
    Py_DECREF(closed);
    PyErr_SetRaisedException(exc);
    return self;
}

/* The weak cache of a class, a new reference. */
static PyObject *get_weak_cache(PyTypeObject *type)
{
    return type == &zoneinfo_type ? Py_NewRef(weak_cache) : PyObject_GetAttrString((PyObject *)type, "_weak_cache");
}

/* Makes the zone the one used last. */
static int remember(PyObject *key, PyObject *zone)
{
    int failed;
    Py_BEGIN_CRITICAL_SECTION(strong_cache);
    PyObject *old = _PyDict_Pop(strong_cache, key, Py_None), *item = NULL;
    failed = old == NULL || PyObject_SetItem(strong_cache, key, zone) < 0;
    if (!failed && PyObject_Size(strong_cache) > STRONG_CACHE_SIZE) {
        item = PyObject_CallMethod(strong_cache, "popitem", "O", Py_False);
        failed = item == NULL;
    }
    Py_XDECREF(old);
    Py_XDECREF(item);
    Py_END_CRITICAL_SECTION();
    return failed ? -1 : 0;
}

static PyObject *zoneinfo_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"key", NULL};
    PyObject *key, *cache, *self, *made;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O", keywords, &key))
        return NULL;
    cache = get_weak_cache(type);
    if (cache == NULL)
        return NULL;
    self = PyObject_CallMethod(cache, "get", "OO", key, Py_None);
    if (self == Py_None) {
        Py_CLEAR(self);
        made = new_from_key(type, key, FROM_CACHE);
        if (made != NULL) {
            self = PyObject_CallMethod(cache, "setdefault", "OO", key, made);
            Py_DECREF(made);
        }
    }
    Py_DECREF(cache);
    if (self != NULL && type == &zoneinfo_type && remember(key, self) < 0)
        Py_CLEAR(self);
    return self;
}

static int zoneinfo_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((zoneinfo_t *)op)->key);
    return 0;
}

static void zoneinfo_dealloc(PyObject *op)
{
    zoneinfo_t *self = (zoneinfo_t *)op;
    PyObject_GC_UnTrack(op);
    if (_PyObject_HAS_WEAKREFS(self->weakreflist))
        PyObject_ClearWeakRefs(op);
    zone_free(&self->zone);
    Py_XDECREF(self->key);
    Py_XDECREF(self->file_repr);
    Py_TYPE(op)->tp_free(op);
}

/* ---- Class methods ---- */

static PyObject *zoneinfo_no_cache(PyObject *cls, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"key", NULL};
    PyObject *key;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O", keywords, &key))
        return NULL;
    return new_from_key((PyTypeObject *)cls, key, NO_CACHE);
}

static PyObject *zoneinfo_from_file(PyObject *cls, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"", "key", NULL};
    PyObject *file, *key = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O", keywords, &file, &key))
        return NULL;
    return new_from_file((PyTypeObject *)cls, file, key, FROM_FILE);
}

static int forget_key(PyTypeObject *type, PyObject *cache, PyObject *key)
{
    PyObject *removed = PyObject_CallMethod(cache, "pop", "OO", key, Py_None);
    if (removed == NULL)
        return -1;
    Py_DECREF(removed);
    if (type != &zoneinfo_type)
        return 0;
    removed = _PyDict_Pop(strong_cache, key, Py_None);
    Py_XDECREF(removed);
    return removed == NULL ? -1 : 0;
}

static int forget_keys(PyTypeObject *type, PyObject *cache, PyObject *keys)
{
    PyObject *iterator = PyObject_GetIter(keys), *key;
    int more = -1;
    if (iterator == NULL)
        return -1;
    while ((more = PyIter_NextItem(iterator, &key)) > 0) {
        int failed = forget_key(type, cache, key);
        Py_DECREF(key);
        if (failed) {
            more = -1;
            break;
        }
    }
    Py_DECREF(iterator);
    return more;
}

static int forget_all(PyTypeObject *type, PyObject *cache)
{
    PyObject *done = PyObject_CallMethod(cache, "clear", NULL);
    Py_XDECREF(done);
    if (done == NULL || type != &zoneinfo_type)
        return done == NULL ? -1 : 0;
    done = PyObject_CallMethod(strong_cache, "clear", NULL);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

static PyObject *zoneinfo_clear_cache(PyObject *cls, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"only_keys", NULL};
    PyTypeObject *type = (PyTypeObject *)cls;
    PyObject *keys = Py_None, *cache;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|$O", keywords, &keys))
        return NULL;
    cache = get_weak_cache(type);
    if (cache == NULL)
        return NULL;
    int failed = keys == Py_None ? forget_all(type, cache) : forget_keys(type, cache, keys);
    Py_DECREF(cache);
    if (failed)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *new_weak_cache(void)
{
    PyObject *type = _PyImport_GetModuleAttrString("weakref", "WeakValueDictionary"), *result;
    if (type == NULL)
        return NULL;
    result = PyObject_CallNoArgs(type);
    Py_DECREF(type);
    return result;
}

static PyObject *zoneinfo_init_subclass(PyObject *cls, PyObject *args, PyObject *kwargs)
{
    PyObject *cache = new_weak_cache();
    if (cache == NULL)
        return NULL;
    int failed = PyObject_SetAttrString(cls, "_weak_cache", cache);
    Py_DECREF(cache);
    if (failed)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *zoneinfo_unpickle(PyObject *cls, PyObject *args)
{
    PyObject *key;
    unsigned char from_cache;
    if (!PyArg_ParseTuple(args, "OB", &key, &from_cache))
        return NULL;
    return from_cache ? PyObject_CallOneArg(cls, key) : new_from_key((PyTypeObject *)cls, key, NO_CACHE);
}

/* ---- Looking up ---- */

static int get_int_attribute(PyObject *op, const char *name, long *result)
{
    PyObject *value = PyObject_GetAttrString(op, name);
    if (value == NULL)
        return -1;
    *result = PyLong_AsLong(value);
    Py_DECREF(value);
    return *result == -1 && PyErr_Occurred() ? -1 : 0;
}

/* The local clock reading of dt in seconds. 0 or -1. */
static int local_seconds(PyObject *dt, long long *seconds)
{
    long hour, minute, second;
    PyObject *ordinal = PyObject_CallMethod(dt, "toordinal", NULL);
    if (ordinal == NULL)
        return -1;
    long days = PyLong_AsLong(ordinal);
    Py_DECREF(ordinal);
    if ((days == -1 && PyErr_Occurred()) || get_int_attribute(dt, "hour", &hour) < 0 || get_int_attribute(dt, "minute", &minute) < 0
        || get_int_attribute(dt, "second", &second) < 0)
        return -1;
    *seconds = (((days - 719163LL) * 24 + hour) * 60 + minute) * 60 + second;
    return 0;
}

/* What holds at dt; NULL without an exception: nothing can be said. */
static const ttinfo_t *find(zoneinfo_t *self, PyObject *dt)
{
    long long seconds;
    long year, fold;
    if (dt == Py_None)
        return self->zone.fixed ? &self->zone.after : NULL;
    if (local_seconds(dt, &seconds) < 0 || get_int_attribute(dt, "year", &year) < 0 || get_int_attribute(dt, "fold", &fold) < 0)
        return NULL;
    return zone_find_local(&self->zone, seconds, (int)year, fold != 0);
}

static PyObject *field_or_none(const ttinfo_t *info, PyObject *field)
{
    return info == NULL ? (PyErr_Occurred() ? NULL : Py_NewRef(Py_None)) : Py_NewRef(field);
}

static PyObject *zoneinfo_utcoffset(PyObject *self, PyObject *dt)
{
    const ttinfo_t *info = find((zoneinfo_t *)self, dt);
    return field_or_none(info, info == NULL ? NULL : info->utcoff);
}

static PyObject *zoneinfo_dst(PyObject *self, PyObject *dt)
{
    const ttinfo_t *info = find((zoneinfo_t *)self, dt);
    return field_or_none(info, info == NULL ? NULL : info->dstoff);
}

static PyObject *zoneinfo_tzname(PyObject *self, PyObject *dt)
{
    const ttinfo_t *info = find((zoneinfo_t *)self, dt);
    return field_or_none(info, info == NULL ? NULL : info->tzname);
}

static PyObject *zoneinfo_fromutc(PyObject *self, PyObject *dt)
{
    long long seconds;
    int fold;
    if (!PyDateTime_Check(dt)) {
        PyErr_SetString(PyExc_TypeError, "fromutc: argument must be a datetime");
        return NULL;
    }
    if (PyDateTime_DATE_GET_TZINFO(dt) != self) {
        PyErr_SetString(PyExc_ValueError, "fromutc: dt.tzinfo is not self");
        return NULL;
    }
    if (local_seconds(dt, &seconds) < 0)
        return NULL;
    const ttinfo_t *info = zone_find_utc(&((zoneinfo_t *)self)->zone, seconds, PyDateTime_GET_YEAR(dt), &fold);
    PyObject *result = PyNumber_Add(dt, info->utcoff);
    if (result == NULL || !fold)
        return result;
    PyObject *replace = PyObject_GetAttrString(result, "replace"), *kwargs = Py_BuildValue("{si}", "fold", 1),
             *args = PyTuple_New(0);
    Py_DECREF(result);
    result = replace == NULL || kwargs == NULL ? NULL : PyObject_Call(replace, args, kwargs);
    Py_XDECREF(replace);
    Py_XDECREF(kwargs);
    Py_XDECREF(args);
    return result;
}

/* ---- Text and pickles ---- */

static PyObject *zoneinfo_repr(PyObject *op)
{
    zoneinfo_t *self = (zoneinfo_t *)op;
    if (self->key != Py_None)
        return PyUnicode_FromFormat("%s(key=%R)", Py_TYPE(op)->tp_name, self->key);
    return PyUnicode_FromFormat("%s.from_file(%U)", Py_TYPE(op)->tp_name, self->file_repr);
}

static PyObject *zoneinfo_str(PyObject *op)
{
    zoneinfo_t *self = (zoneinfo_t *)op;
    return self->key != Py_None ? PyObject_Str(self->key) : zoneinfo_repr(op);
}

static PyObject *zoneinfo_reduce(PyObject *op, PyObject *unused)
{
    zoneinfo_t *self = (zoneinfo_t *)op;
    PyObject *constructor, *error;
    if (self->source == FROM_FILE) {
        error = _PyImport_GetModuleAttrString("pickle", "PicklingError");
        if (error != NULL) {
            PyErr_SetString(error, "Cannot pickle a ZoneInfo file from a file stream.");
            Py_DECREF(error);
        }
        return NULL;
    }
    constructor = PyObject_GetAttrString(op, "_unpickle");
    return constructor == NULL ? NULL : Py_BuildValue("(N(Oi))", constructor, self->key, self->source == FROM_CACHE);
}

/* ---- The type ---- */

static PyMethodDef zoneinfo_methods[] = {
    MODULE_METHOD("clear_cache", zoneinfo_clear_cache, METH_VARARGS | METH_KEYWORDS | METH_CLASS,
                  "Empties the cache of zones, or removes only_keys from it."),
    MODULE_METHOD("no_cache", zoneinfo_no_cache, METH_VARARGS | METH_KEYWORDS | METH_CLASS,
                  "A new instance for a key, whatever is in the cache."),
    MODULE_METHOD("from_file", zoneinfo_from_file, METH_VARARGS | METH_KEYWORDS | METH_CLASS, "A zone from a binary file."),
    {"utcoffset", zoneinfo_utcoffset, METH_O, "The offset from UTC that holds at a datetime, as a timedelta."},
    {"dst", zoneinfo_dst, METH_O, "The daylight saving that holds at a datetime, as a timedelta."},
    {"tzname", zoneinfo_tzname, METH_O, "The abbreviation of the zone that holds at a datetime."},
    {"fromutc", zoneinfo_fromutc, METH_O, "A datetime in UTC, given with this zone, as local time."},
    {"__reduce__", zoneinfo_reduce, METH_NOARGS, "Pickled by key."},
    {"_unpickle", zoneinfo_unpickle, METH_VARARGS | METH_CLASS, "Makes what has been pickled again."},
    MODULE_METHOD("__init_subclass__", zoneinfo_init_subclass, METH_VARARGS | METH_KEYWORDS | METH_CLASS,
                  "Gives a subclass a cache of its own."),
    {NULL, NULL, 0, NULL},
};

static PyMemberDef zoneinfo_members[] = {
    {"key", T_OBJECT_EX, offsetof(zoneinfo_t, key), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyTypeObject zoneinfo_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "zoneinfo.ZoneInfo",
    .tp_basicsize = sizeof(zoneinfo_t),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_weaklistoffset = offsetof(zoneinfo_t, weakreflist),
    .tp_repr = zoneinfo_repr,
    .tp_str = zoneinfo_str,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_methods = zoneinfo_methods,
    .tp_members = zoneinfo_members,
    .tp_new = zoneinfo_new,
    .tp_traverse = zoneinfo_traverse,
    .tp_dealloc = zoneinfo_dealloc,
};

/* ---- The module ---- */

static int zoneinfo_exec(PyObject *module)
{
    PyDateTime_IMPORT;
    if (PyDateTimeAPI == NULL)
        return -1;
    zoneinfo_type.tp_base = PyDateTimeAPI->TZInfoType;
    if (weak_cache == NULL && (weak_cache = new_weak_cache()) == NULL)
        return -1;
    if (strong_cache == NULL && (strong_cache = PyODict_New()) == NULL)
        return -1;
    return PyModule_AddType(module, &zoneinfo_type);
}

static PyModuleDef_Slot zoneinfo_slots[] = {
    {Py_mod_exec, (void *)zoneinfo_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef zoneinfo_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_zoneinfo",
    .m_doc = "The class ZoneInfo: see the module zoneinfo.",
    .m_slots = zoneinfo_slots,
};

PyMODINIT_FUNC PyInit__zoneinfo(void)
{
    return PyModuleDef_Init(&zoneinfo_module);
}
