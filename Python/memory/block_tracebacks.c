/* The store of tracebacks of traced blocks. */
#include "block_tracebacks.h"
#include "allocator.h"

#define FILE_CHAINS 1024
#define TRACEBACK_CHAINS 16384

struct traced_file {
    traced_file_t *next;
    Py_hash_t hash;
    Py_ssize_t length;
    int kind;
    char text[];
};

struct traceback_store {
    uint32_t uses;                              /* [atomic] */
    traced_file_t *files[FILE_CHAINS];          /* [atomic] */
    block_traceback_t *tracebacks[TRACEBACK_CHAINS];    /* [atomic] */
};

static size_t all_bytes;                        /* [atomic] */

size_t traceback_stores_bytes(void) { return __atomic_load_n(&all_bytes, __ATOMIC_RELAXED); }

static void *take(size_t size)
{
    void *block = mi_zalloc(size);
    if (block != NULL)
        __atomic_fetch_add(&all_bytes, size, __ATOMIC_RELAXED);
    return block;
}

static void give(void *block, size_t size)
{
    __atomic_fetch_sub(&all_bytes, size, __ATOMIC_RELAXED);
    mi_free(block);
}

/* ---- The life of a store ---- */

static size_t file_bytes(const traced_file_t *file) { return sizeof(*file) + (size_t)file->length * (size_t)file->kind; }

static size_t traceback_bytes(int count) { return sizeof(block_traceback_t) + (size_t)count * sizeof(traced_place_t); }

traceback_store_t *traceback_store_new(void)
{
    traceback_store_t *store = take(sizeof(*store));
    if (store != NULL)
        store->uses = 1;
    return store;
}

traceback_store_t *traceback_store_take(traceback_store_t *store)
{
    __atomic_fetch_add(&store->uses, 1, __ATOMIC_RELAXED);
    return store;
}

void traceback_store_drop(traceback_store_t *store)
{
    if (store == NULL || __atomic_fetch_sub(&store->uses, 1, __ATOMIC_ACQ_REL) != 1)
        return;
    for (int i = 0; i < FILE_CHAINS; i++)
        for (traced_file_t *file = store->files[i], *next; file != NULL; file = next) {
            next = file->next;
            give(file, file_bytes(file));
        }
    for (int i = 0; i < TRACEBACK_CHAINS; i++)
        for (block_traceback_t *traceback = store->tracebacks[i], *next; traceback != NULL; traceback = next) {
            next = traceback->next;
            give(traceback, traceback_bytes(traceback->count));
        }
    give(store, sizeof(*store));
}

/* ---- Files ---- */

static const traced_file_t *find_file(const traced_file_t *file, const traced_file_t *end, Py_hash_t hash, PyObject *name)
{
    for (; file != end; file = file->next)
        if (file->hash == hash && file->length == PyUnicode_GET_LENGTH(name) && file->kind == (int)PyUnicode_KIND(name)
            && memcmp(file->text, PyUnicode_DATA(name), (size_t)file->length * (size_t)file->kind) == 0)
            return file;
    return NULL;
}

/* Of an exact str, whose hash needs no attached thread. NULL: out of memory. */
static const traced_file_t *add_file(traceback_store_t *store, PyObject *name)
{
    Py_hash_t hash = PyObject_Hash(name);
    traced_file_t **chain = &store->files[(size_t)hash % FILE_CHAINS];
    traced_file_t *first = __atomic_load_n(chain, __ATOMIC_ACQUIRE), *seen = NULL, *file = NULL;
    const traced_file_t *found;
    while ((found = find_file(first, seen, hash, name)) == NULL) {
        if (file == NULL) {
            size_t bytes = (size_t)PyUnicode_GET_LENGTH(name) * PyUnicode_KIND(name);
            file = take(sizeof(*file) + bytes);
            if (file == NULL)
                return NULL;
            file->hash = hash;
            file->length = PyUnicode_GET_LENGTH(name);
            file->kind = (int)PyUnicode_KIND(name);
            memcpy(file->text, PyUnicode_DATA(name), bytes);
        }
        file->next = seen = first;
        /* pairs with the load above; where it fails, what has come in front of `seen` is looked at */
        if (__atomic_compare_exchange_n(chain, &first, file, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
            return file;
    }
    if (file != NULL)
        give(file, file_bytes(file));
    return found;
}

/* ---- Tracebacks ---- */

static uint64_t hash_places(const traced_place_t *places, int count, int total)
{
    uint64_t hash = (uint64_t)total * 0x9E3779B97F4A7C15u;
    for (int i = 0; i < count; i++) {
        hash = (hash ^ (uint64_t)(uintptr_t)places[i].file ^ (uint64_t)(unsigned)places[i].line << 40) * 0xD6E8FEB86659FD93u;
        hash ^= hash >> 32;
    }
    return hash;
}

static int same_places(const traced_place_t *a, const traced_place_t *b, int count)
{
    for (int i = 0; i < count; i++)
        if (a[i].file != b[i].file || a[i].line != b[i].line)
            return 0;
    return 1;
}

static const block_traceback_t *find_traceback(const block_traceback_t *at, const block_traceback_t *end,
                                               const block_traceback_t *like)
{
    for (; at != end; at = at->next)
        if (at->hash == like->hash && at->count == like->count && at->total == like->total
            && same_places(at->places, like->places, at->count))
            return at;
    return NULL;
}

static int fill(traceback_store_t *store, block_traceback_t *traceback, const block_trace_place_t *places, int count, int total)
{
    for (int i = 0; i < count; i++) {
        PyObject *name = places[i].file;
        traceback->places[i].line = places[i].line;
        if (name != NULL && PyUnicode_CheckExact(name) && (traceback->places[i].file = add_file(store, name)) == NULL)
            return -1;
    }
    traceback->count = count > 0 ? count : 1;           /* what nobody knows is one place, too */
    traceback->total = total > 0 ? total : 1;
    traceback->hash = hash_places(traceback->places, traceback->count, traceback->total);
    return 0;
}

const block_traceback_t *traceback_store_add(traceback_store_t *store, const block_trace_place_t *places, int count, int total)
{
    enum { FEW = 16 };
    union {
        block_traceback_t head;
        char room[sizeof(block_traceback_t) + FEW * sizeof(traced_place_t)];
    } small;
    size_t bytes = traceback_bytes(count > 0 ? count : 1);
    block_traceback_t *wanted = count <= FEW ? memset(&small, 0, sizeof(small)) : take(bytes), *mine = NULL;
    const block_traceback_t *result = NULL;
    if (wanted == NULL || fill(store, wanted, places, count, total) < 0)
        goto done;

    block_traceback_t **chain = &store->tracebacks[wanted->hash % TRACEBACK_CHAINS];
    block_traceback_t *first = __atomic_load_n(chain, __ATOMIC_ACQUIRE), *seen = NULL;
    while ((result = find_traceback(first, seen, wanted)) == NULL) {
        if (mine == NULL && (mine = take(bytes)) == NULL)
            goto done;
        memcpy(mine, wanted, bytes);
        mine->next = seen = first;
        /* pairs with the load above, as with files */
        if (__atomic_compare_exchange_n(chain, &first, mine, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
            result = mine;
            break;
        }
    }
done:
    if (mine != NULL && result != mine)
        give(mine, bytes);
    if (wanted != NULL && wanted != &small.head)
        give(wanted, bytes);
    return result;
}

/* ---- For Python ---- */

static PyObject *file_name(const traced_file_t *file)
{
    PyObject *name = file == NULL ? PyUnicode_FromString("<unknown>")
                                  : PyUnicode_FromKindAndData(file->kind, file->text, file->length);
    if (name != NULL)
        PyUnicode_InternInPlace(&name);         /* there is one already, as a rule */
    return name;
}

PyObject *block_traceback_as_tuple(const block_traceback_t *traceback)
{
    PyObject *tuple = PyTuple_New(traceback->count);
    for (int i = 0; tuple != NULL && i < traceback->count; i++) {
        const traced_place_t *place = &traceback->places[i];
        PyObject *pair = Py_BuildValue("(Ni)", file_name(place->file), place->line);
        if (pair == NULL)
            Py_CLEAR(tuple);
        else
            PyTuple_SET_ITEM(tuple, i, pair);
    }
    return tuple;
}
