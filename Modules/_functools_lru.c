/* functools._lru_cache_wrapper.
 *
 * A hit without a bound on the size is a look-up in the dict and nothing else, so threads share a warm cache without
 * waiting for each other.  With a bound the hit also moves its link to the young end of a list, under the lock, as long as one thread
 * uses the cache: the order is exact.  Once a second thread is seen, a hit only marks its link with the number of the last
 * miss, unless it is marked with it already: between two misses, hits write nothing that threads share.  Links that
 * were marked since they came to their place get a second chance when they are the oldest.
 *
 * A link is held by the dict, and by the list as long as it is in it (prev != NULL).  The dict changes by itself, atomically; the
 * list changes under the lock, in sections that run no Python code.  Between the two steps of an insertion or removal a
 * link may be in one and not in the other: it is then a little too old or too young, but never dangles. */
#include "Python.h"

#include <stddef.h>

#include "internal/module.h"

typedef struct lru_link {
    PyObject_HEAD
    struct lru_link *prev, *next;   /* [lock of the cache] towards the older, the younger end */
    PyObject *key, *result;         /* [const] */
    uint32_t used;                  /* [atomic] the number of misses at the time of the last hit that marked it */
    uint32_t placed;                /* [lock] the value of `used` when it came to its place in the list */
} LruLink;

enum { STRIPES = 16 };
#define SEVERAL UINT32_MAX
/* Counters of the threads that share the cache, a cache line each. */
struct counters {
    _Alignas(64) Py_ssize_t hits, misses;   /* [atomic] */
};

typedef struct lru_cache LruCache;
typedef PyObject *(*lru_function)(LruCache *, PyObject *const *, size_t, PyObject *);

struct lru_cache {
    PyObject_HEAD
    vectorcallfunc vectorcall;      /* [const] */
    lru_function function;          /* [const] one of the three kinds */
    PyObject *func;                 /* [const] the user's function */
    PyObject *cache;                /* [const] dict: key -> result, or link if bounded */
    PyObject *cache_info_type;      /* [const] */
    PyObject *kwd_mark;             /* [const] stands between positional and keyword arguments in a key */
    Py_ssize_t maxsize;             /* [const] -1: no bound */
    int typed;                      /* [const] */
    Py_ssize_t count;               /* [lock] links in the list */
    LruLink *oldest, *youngest;     /* [lock] */
    uint32_t epoch;                 /* [lock; atomic read] number of misses */
    uint32_t user;                  /* [atomic] 0: no hit yet; thread number + 1 of the only thread that had one; SEVERAL */
    Py_ssize_t hits, misses;        /* [owner; atomic read] before `shared` is there */
    struct counters *shared;        /* [atomic] STRIPES of them, or NULL until another thread calls */
    void *shared_memory;            /* what has to be freed for it */
    PyObject *dict;
    PyObject *weakrefs;
};

PyTypeObject lru_cache_type, lru_link_type, lru_key_type;

/* ---- Statistics ---- */

/* The counters for threads when others than the owner call; NULL if there is no memory. */
static struct counters *shared_counters(LruCache *self)
{
    struct counters *c = __atomic_load_n(&self->shared, __ATOMIC_ACQUIRE);
    if (c != NULL)
        return c;
    Py_BEGIN_CRITICAL_SECTION(self);
    c = self->shared;
    if (c == NULL && self->shared_memory == NULL) {
        self->shared_memory = PyMem_Calloc(STRIPES + 1, sizeof(struct counters));
        if (self->shared_memory != NULL) {
            c = (struct counters *)(((uintptr_t)self->shared_memory + 63) & ~(uintptr_t)63);
            __atomic_store_n(&self->shared, c, __ATOMIC_RELEASE);
        }
    }
    Py_END_CRITICAL_SECTION();
    return c;
}

static inline void count_call(LruCache *self, int hit)
{
    if (module_object_is_mine((PyObject *)self) && __atomic_load_n(&self->shared, __ATOMIC_RELAXED) == NULL) {
        Py_ssize_t *n = hit ? &self->hits : &self->misses;      /* others may read it */
        __atomic_store_n(n, __atomic_load_n(n, __ATOMIC_RELAXED) + 1, __ATOMIC_RELAXED);
        return;
    }
    struct counters *c = shared_counters(self);
    if (c != NULL) {
        c += module_thread_number() % STRIPES;
        __atomic_fetch_add(hit ? &c->hits : &c->misses, 1, __ATOMIC_RELAXED);
    }
}

static Py_ssize_t sum_counters(LruCache *self, int hits)
{
    Py_ssize_t n = __atomic_load_n(hits ? &self->hits : &self->misses, __ATOMIC_RELAXED);
    struct counters *c = __atomic_load_n(&self->shared, __ATOMIC_ACQUIRE);
    for (int i = 0; c != NULL && i < STRIPES; i++)
        n += __atomic_load_n(hits ? &c[i].hits : &c[i].misses, __ATOMIC_RELAXED);
    return n;
}

/* ---- Keys ---- */

/* The arguments of a call, with their hash, which is asked for only once. */
typedef struct {
    PyObject_VAR_HEAD
    Py_hash_t hash;             /* [const] */
    PyObject *items[1];         /* [const] positional [, mark, name, value, ...] [, types] */
} LruKey;

static void key_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    for (Py_ssize_t i = 0; i < Py_SIZE(op); i++)
        Py_XDECREF(((LruKey *)op)->items[i]);
    PyObject_GC_Del(op);
}

static int key_traverse(PyObject *op, visitproc visit, void *arg)
{
    for (Py_ssize_t i = 0; i < Py_SIZE(op); i++)
        Py_VISIT(((LruKey *)op)->items[i]);
    return 0;
}

static Py_hash_t key_hash(PyObject *op)
{
    return ((LruKey *)op)->hash;
}

static PyObject *key_richcompare(PyObject *a, PyObject *b, int op)
{
    if (op != Py_EQ || Py_TYPE(b) != &lru_key_type || Py_TYPE(a) != &lru_key_type)
        Py_RETURN_NOTIMPLEMENTED;
    int equal = Py_SIZE(a) == Py_SIZE(b) && ((LruKey *)a)->hash == ((LruKey *)b)->hash;
    for (Py_ssize_t i = 0; equal > 0 && i < Py_SIZE(a); i++)
        equal = PyObject_RichCompareBool(((LruKey *)a)->items[i], ((LruKey *)b)->items[i], Py_EQ);
    return equal < 0 ? NULL : PyBool_FromLong(equal);
}

PyTypeObject lru_key_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "functools._lru_key",
    .tp_basicsize = offsetof(LruKey, items),
    .tp_itemsize = sizeof(PyObject *),
    .tp_dealloc = key_dealloc,
    .tp_hash = key_hash,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = key_traverse,
    .tp_richcompare = key_richcompare,
};

/* One key for all the arguments: the argument itself if it is a single plain str or int. */
static PyObject *make_key(LruCache *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    Py_ssize_t nkw = kwnames == NULL ? 0 : PyTuple_GET_SIZE(kwnames), n = nargs, k = 0;
    if (!self->typed && nkw == 0 && nargs == 1 && (PyUnicode_CheckExact(args[0]) || PyLong_CheckExact(args[0])))
        return Py_NewRef(args[0]);
    if (nkw > 0)
        n += 1 + 2 * nkw;
    if (self->typed)
        n += nargs + nkw;
    LruKey *key = PyObject_GC_NewVar(LruKey, &lru_key_type, n);
    if (key == NULL)
        return NULL;
    for (Py_ssize_t i = 0; i < nargs; i++)
        key->items[k++] = Py_NewRef(args[i]);
    if (nkw > 0) {
        key->items[k++] = Py_NewRef(self->kwd_mark);
        for (Py_ssize_t i = 0; i < nkw; i++) {
            key->items[k++] = Py_NewRef(PyTuple_GET_ITEM(kwnames, i));
            key->items[k++] = Py_NewRef(args[nargs + i]);
        }
    }
    if (self->typed)
        for (Py_ssize_t i = 0; i < nargs + nkw; i++)
            key->items[k++] = Py_NewRef((PyObject *)Py_TYPE(args[i]));
    Py_uhash_t hash = 0x9E3779B97F4A7C15u;
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_hash_t h = PyObject_Hash(key->items[i]);
        if (h == -1) {
            Py_DECREF(key);
            return NULL;
        }
        hash = (hash ^ (Py_uhash_t)h) * 0xFF51AFD7ED558CCDu;
        hash ^= hash >> 32;
    }
    key->hash = (Py_hash_t)hash == -1 ? -2 : (Py_hash_t)hash;
    PyObject_GC_Track(key);
    return (PyObject *)key;
}

/* ---- The three kinds ---- */

static PyObject *call_uncached(LruCache *self, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    count_call(self, 0);
    return PyObject_Vectorcall(self->func, args, nargsf, kwnames);
}

static PyObject *call_unbounded(LruCache *self, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    PyObject *key = make_key(self, args, PyVectorcall_NARGS(nargsf), kwnames), *result;
    if (key == NULL)
        return NULL;
    int found = PyDict_GetItemRef(self->cache, key, &result);
    if (found != 0) {
        Py_DECREF(key);
        if (found > 0)
            count_call(self, 1);
        return result;
    }
    count_call(self, 0);
    result = PyObject_Vectorcall(self->func, args, nargsf, kwnames);
    if (result != NULL && PyDict_SetItem(self->cache, key, result) < 0)
        Py_CLEAR(result);
    Py_DECREF(key);
    return result;
}

/* ---- The list; the lock is held ---- */

/* Takes the link out; the list's reference becomes the caller's. */
static void list_remove_locked(LruCache *self, LruLink *link)
{
    if (link->prev == link)         /* the oldest points to itself, so that "in the list" shows */
        self->oldest = link->next;
    else
        link->prev->next = link->next;
    if (link->next != NULL)
        link->next->prev = link->prev == link ? link->next : link->prev;
    else
        self->youngest = link->prev == link ? NULL : link->prev;
    link->prev = link->next = NULL;
    self->count--;
}

/* Steals a reference to the link. */
static void list_append_locked(LruCache *self, LruLink *link)
{
    link->next = NULL;
    if (self->youngest == NULL) {
        link->prev = link;
        self->oldest = link;
    }
    else {
        link->prev = self->youngest;
        self->youngest->next = link;
    }
    self->youngest = link;
    self->count++;
}

static void make_youngest(LruCache *self, LruLink *link)
{
    Py_BEGIN_CRITICAL_SECTION(self);
    if (link->prev != NULL && link != self->youngest) {
        list_remove_locked(self, link);
        list_append_locked(self, link);
    }
    Py_END_CRITICAL_SECTION();
}

/* Does the calling thread use the cache alone, as far as is known? */
static int is_only_user(LruCache *self)
{
    uint32_t me = module_thread_number() + 1, user = __atomic_load_n(&self->user, __ATOMIC_RELAXED);
    if (user == me)
        return 1;
    if (user == 0 && __atomic_compare_exchange_n(&self->user, &user, me, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        return 1;
    if (user != SEVERAL)
        __atomic_store_n(&self->user, SEVERAL, __ATOMIC_RELAXED);
    return 0;
}

static void note_hit(LruCache *self, LruLink *link)
{
    if (is_only_user(self)) {
        make_youngest(self, link);
        return;
    }
    uint32_t epoch = __atomic_load_n(&self->epoch, __ATOMIC_RELAXED);
    if (__atomic_load_n(&link->used, __ATOMIC_RELAXED) != epoch)
        __atomic_store_n(&link->used, epoch, __ATOMIC_RELAXED);
}

/* Takes the oldest link out of the list, which is not empty; links that were hit since they came to their place go to the young end. */
static LruLink *take_oldest_locked(LruCache *self)
{
    LruLink *oldest = self->oldest;
    for (Py_ssize_t left = self->count; left > 1; left--) {
        uint32_t used = __atomic_load_n(&oldest->used, __ATOMIC_RELAXED);
        if (used == oldest->placed)
            break;
        oldest->placed = used;
        list_remove_locked(self, oldest);
        list_append_locked(self, oldest);
        oldest = self->oldest;
    }
    list_remove_locked(self, oldest);
    return oldest;
}

/* Removes key from the dict if it still stands for the link. 0 or -1. */
static int forget_link(LruCache *self, LruLink *link)
{
    PyObject *present;
    int found = PyDict_GetItemRef(self->cache, link->key, &present);
    if (found <= 0)
        return found;
    Py_DECREF(present);
    if (present == (PyObject *)link && PyDict_DelItem(self->cache, link->key) < 0) {
        if (!PyErr_ExceptionMatches(PyExc_KeyError))
            return -1;
        PyErr_Clear();
    }
    return 0;
}

/* Puts a result into the cache, and the oldest one out if it is full. 0 or -1. */
static int remember(LruCache *self, PyObject *key, PyObject *result)
{
    LruLink *link = PyObject_GC_New(LruLink, &lru_link_type), *victim = NULL;
    if (link == NULL)
        return -1;
    link->prev = link->next = NULL;
    link->used = link->placed = 0;
    link->key = Py_NewRef(key);
    link->result = Py_NewRef(result);
    PyObject_GC_Track(link);
    PyObject *present;
    int found = PyDict_SetDefaultRef(self->cache, key, (PyObject *)link, &present);
    if (found < 0) {
        Py_DECREF(link);
        return -1;
    }
    Py_DECREF(present);
    if (found == 1) {           /* another call with this key, from inside or another thread, was quicker */
        Py_DECREF(link);
        return 0;
    }
    Py_BEGIN_CRITICAL_SECTION(self);
    if (self->count >= self->maxsize)
        victim = take_oldest_locked(self);
    link->placed = self->epoch;
    __atomic_store_n(&link->used, self->epoch, __ATOMIC_RELAXED);
    __atomic_store_n(&self->epoch, self->epoch + 1, __ATOMIC_RELAXED);
    list_append_locked(self, link);
    Py_END_CRITICAL_SECTION();
    int status = 0;
    if (victim != NULL) {
        status = forget_link(self, victim);
        Py_DECREF(victim);
    }
    return status;
}

static PyObject *call_bounded(LruCache *self, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    PyObject *key = make_key(self, args, PyVectorcall_NARGS(nargsf), kwnames), *link, *result;
    if (key == NULL)
        return NULL;
    int found = PyDict_GetItemRef(self->cache, key, &link);
    if (found > 0 && Py_UNLIKELY(!Py_IS_TYPE(link, &lru_link_type))) {      /* put there by who got at the dict */
        Py_DECREF(link);
        found = 0;
    }
    if (found != 0) {
        Py_DECREF(key);
        if (found < 0)
            return NULL;
        note_hit(self, (LruLink *)link);
        result = Py_NewRef(((LruLink *)link)->result);
        Py_DECREF(link);
        count_call(self, 1);
        return result;
    }
    count_call(self, 0);
    result = PyObject_Vectorcall(self->func, args, nargsf, kwnames);
    if (result != NULL && remember(self, key, result) < 0)
        Py_CLEAR(result);
    Py_DECREF(key);
    return result;
}

static PyObject *lru_vectorcall(PyObject *op, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    LruCache *self = (LruCache *)op;
    if (call_check_stack(" while calling a Python object"))
        return NULL;
    return self->function(self, args, nargsf, kwnames);
}

/* ---- Links ---- */

static void link_dealloc(PyObject *op)
{
    LruLink *link = (LruLink *)op;
    PyObject_GC_UnTrack(op);
    Py_XDECREF(link->key);
    Py_XDECREF(link->result);
    PyObject_GC_Del(op);
}

static int link_traverse(PyObject *op, visitproc visit, void *arg)
{
    LruLink *link = (LruLink *)op;
    Py_VISIT(link->key);
    Py_VISIT(link->result);
    return 0;
}

PyTypeObject lru_link_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "functools._lru_list_elem",
    .tp_basicsize = sizeof(LruLink),
    .tp_dealloc = link_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = link_traverse,
};

/* ---- The type ---- */

static PyObject *lru_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"user_function", "maxsize", "typed", "cache_info_type", NULL};
    PyObject *func, *maxsize_arg, *info_type;
    int typed;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OOpO:lru_cache", keywords, &func, &maxsize_arg, &typed,
                                     &info_type))
        return NULL;
    if (!PyCallable_Check(func)) {
        PyErr_SetString(PyExc_TypeError, "the first argument must be callable");
        return NULL;
    }
    lru_function function;
    Py_ssize_t maxsize = -1;
    if (maxsize_arg == Py_None) {
        function = call_unbounded;
    }
    else if (PyIndex_Check(maxsize_arg)) {
        maxsize = PyNumber_AsSsize_t(maxsize_arg, PyExc_OverflowError);
        if (maxsize == -1 && PyErr_Occurred())
            return NULL;
        if (maxsize < 0)
            maxsize = 0;
        function = maxsize == 0 ? call_uncached : call_bounded;
    }
    else {
        PyErr_SetString(PyExc_TypeError, "maxsize should be integer or None");
        return NULL;
    }
    LruCache *self = (LruCache *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    self->vectorcall = lru_vectorcall;
    self->function = function;
    self->maxsize = maxsize;
    self->typed = typed;
    self->func = Py_NewRef(func);
    self->cache_info_type = Py_NewRef(info_type);
    self->cache = PyDict_New();
    if (self->cache != NULL)
        self->kwd_mark = PyObject_CallNoArgs((PyObject *)&PyBaseObject_Type);
    if (self->kwd_mark == NULL) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

/* Empties the list. The links, chained by next, belong to the caller. */
static LruLink *take_list(LruCache *self)
{
    LruLink *first;
    Py_BEGIN_CRITICAL_SECTION(self);
    first = self->oldest;
    for (LruLink *link = first; link != NULL; link = link->next)
        link->prev = NULL;
    self->oldest = self->youngest = NULL;
    self->count = 0;
    Py_END_CRITICAL_SECTION();
    return first;
}

static void drop_list(LruLink *link)
{
    while (link != NULL) {
        LruLink *next = link->next;
        link->next = NULL;
        Py_DECREF(link);
        link = next;
    }
}

static int lru_clear(PyObject *op)
{
    LruCache *self = (LruCache *)op;
    drop_list(take_list(self));
    Py_CLEAR(self->cache_info_type);
    if (self->cache != NULL)
        PyDict_Clear(self->cache);
    Py_CLEAR(self->dict);
    return 0;
}

static void lru_dealloc(PyObject *op)
{
    LruCache *self = (LruCache *)op;
    PyObject_GC_UnTrack(op);
    if (_PyObject_HAS_WEAKREFS(self->weakrefs))
        PyObject_ClearWeakRefs(op);
    (void)lru_clear(op);
    Py_XDECREF(self->cache);
    Py_XDECREF(self->func);
    Py_XDECREF(self->kwd_mark);
    PyMem_Free(self->shared_memory);
    Py_TYPE(op)->tp_free(op);
}

static int lru_traverse(PyObject *op, visitproc visit, void *arg)
{
    LruCache *self = (LruCache *)op;
    for (LruLink *link = self->oldest; link != NULL; link = link->next)
        Py_VISIT((PyObject *)link);
    Py_VISIT(self->func);
    Py_VISIT(self->cache);
    Py_VISIT(self->kwd_mark);
    Py_VISIT(self->cache_info_type);
    Py_VISIT(self->dict);
    return 0;
}

static PyObject *lru_descr_get(PyObject *op, PyObject *obj, PyObject *type)
{
    if (obj == Py_None || obj == NULL)
        return Py_NewRef(op);
    return PyMethod_New(op, obj);
}

static PyObject *lru_cache_info(PyObject *op, PyObject *unused)
{
    LruCache *self = (LruCache *)op;
    PyObject *maxsize = self->maxsize == -1 ? Py_NewRef(Py_None) : PyLong_FromSsize_t(self->maxsize);
    if (maxsize == NULL)
        return NULL;
    return PyObject_CallFunction(self->cache_info_type, "nnNn", sum_counters(self, 1), sum_counters(self, 0), maxsize,
                                 PyDict_Size(self->cache));
}

static PyObject *lru_cache_clear(PyObject *op, PyObject *unused)
{
    LruCache *self = (LruCache *)op;
    LruLink *links = take_list(self);
    __atomic_store_n(&self->user, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&self->hits, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&self->misses, 0, __ATOMIC_RELAXED);
    struct counters *c = __atomic_load_n(&self->shared, __ATOMIC_ACQUIRE);
    for (int i = 0; c != NULL && i < STRIPES; i++) {
        __atomic_store_n(&c[i].hits, 0, __ATOMIC_RELAXED);
        __atomic_store_n(&c[i].misses, 0, __ATOMIC_RELAXED);
    }
    PyDict_Clear(self->cache);
    drop_list(links);
    Py_RETURN_NONE;
}

static PyObject *lru_reduce(PyObject *op, PyObject *unused)
{
    return PyObject_GetAttrString(op, "__qualname__");
}

static PyObject *lru_copy(PyObject *op, PyObject *unused)
{
    return Py_NewRef(op);
}

static PyMethodDef lru_methods[] = {
    {"cache_info", lru_cache_info, METH_NOARGS, "Report cache statistics"},
    {"cache_clear", lru_cache_clear, METH_NOARGS, "Clear the cache and cache statistics"},
    {"__reduce__", lru_reduce, METH_NOARGS, NULL},
    {"__copy__", lru_copy, METH_VARARGS, NULL},
    {"__deepcopy__", lru_copy, METH_VARARGS, NULL},
    {NULL},
};

static PyGetSetDef lru_getset[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL},
};

PyTypeObject lru_cache_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "functools._lru_cache_wrapper",
    .tp_basicsize = sizeof(LruCache),
    .tp_dealloc = lru_dealloc,
    .tp_vectorcall_offset = offsetof(LruCache, vectorcall),
    .tp_call = PyVectorcall_Call,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_setattro = PyObject_GenericSetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_VECTORCALL
                | Py_TPFLAGS_METHOD_DESCRIPTOR,
    .tp_doc = "A callable that remembers the results of a function.\n\n"
              "user_function:      the function\n"
              "maxsize:            0: remember nothing; None: everything; n: the n results used last\n"
              "typed:              whether 3 and 3.0 are different arguments\n"
              "cache_info_type:    called for the statistics, with hits, misses, maxsize and currsize\n",
    .tp_traverse = lru_traverse,
    .tp_clear = lru_clear,
    .tp_weaklistoffset = offsetof(LruCache, weakrefs),
    .tp_methods = lru_methods,
    .tp_getset = lru_getset,
    .tp_descr_get = lru_descr_get,
    .tp_dictoffset = offsetof(LruCache, dict),
    .tp_new = lru_new,
    .tp_free = PyObject_GC_Del,
};
