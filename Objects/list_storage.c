/* The storage of list: items arrays, the cores that run under the list's lock, and the C API that needs no more. */
#include "list.h"
#include "memory.h"
#include "tuple.h"
#include "../Python/memory/allocator.h"
#include "object_gc_inline.h"

struct list_empty_items list_empty_items;

#define LARGE_TAIL 4096
#define MAX_ITEMS ((size_t)PY_SSIZE_T_MAX / sizeof(PyObject *) - 1)

/* ---- Items arrays ---- */

static PyObject **items_alloc_large(size_t capacity)
{
    if (capacity > MAX_ITEMS)
        return NULL;
    size_t *block = block_zalloc((capacity + 1) * sizeof(size_t));
    if (block == NULL)
        return NULL;
    block[0] = capacity;
    return (PyObject **)(block + 1);
}

PyObject **list_items_alloc(size_t capacity, size_t used)
{
    size_t rest = capacity - used;
    /* Of a large block, pages that are zero from the start are better left untouched. */
    if (Py_UNLIKELY(rest >= LARGE_TAIL || capacity > MAX_ITEMS))
        return items_alloc_large(capacity);
    size_t *block = block_malloc((capacity + 1) * sizeof(size_t));
    if (block == NULL)
        return NULL;
    block[0] = capacity;
    size_t *tail = block + 1 + used;
    if (rest > 8)
        memset(tail, 0, rest * sizeof(size_t));
    else
        for (size_t i = 0; i < rest; i++)
            tail[i] = 0;
    return (PyObject **)(block + 1);
}

size_t list_items_bytes(PyObject *const *items)
{
    return items == LIST_NO_ITEMS ? 0 : (list_items_capacity(items) + 1) * sizeof(PyObject *);
}

static void items_free(PyObject **items)
{
    if (items != NULL && items != LIST_NO_ITEMS)
        block_free((size_t *)items - 1);
}

void list_retire_items_locked(PyListObject *self, PyObject **items)
{
    if (items != NULL && items != LIST_NO_ITEMS)
        memory_retire_or_free(list_is_closed(self), (size_t *)items - 1, list_items_bytes(items));
}

/* No other thread can be reading the array of self right now. */
static inline int only_ours(PyListObject *self)
{
    return !runtime_is_multi() || list_is_closed(self);
}

static void install(PyListObject *self, PyObject **items, Py_ssize_t allocated)
{
    __atomic_store_n(&self->ob_item, items, __ATOMIC_RELEASE);      /* pairs with list_read_item_ref */
    self->allocated = allocated;
}

/* Room to ask for when a list grows to n items. */
static size_t grown_capacity(PyListObject *self, size_t n)
{
    if (self->allocated <= 0)
        return n < 4 ? 4 : n;
    /* A block can seldom grow in place, and untouched memory costs little: half again as much. */
    size_t capacity = (n + (n >> 1) + 6) & ~(size_t)3;
    /* A jump by an extend that is larger than the usual growth is served exactly. */
    if (n > (size_t)self->allocated + (capacity - n) && n - (size_t)self->ob_base.ob_size > capacity - n)
        capacity = (n + 3) & ~(size_t)3;
    return capacity;
}

/* Moves the items to an array of that capacity. */
static int reallocate(PyListObject *self, size_t capacity)
{
    PyObject **old = self->ob_item;
    size_t n = (size_t)self->ob_base.ob_size;
    if (old != NULL && old != LIST_NO_ITEMS && capacity < n + LARGE_TAIL && only_ours(self)) {
        if (capacity > MAX_ITEMS)
            return -1;
        size_t *block = block_realloc((size_t *)old - 1, (capacity + 1) * sizeof(size_t));
        if (block == NULL)
            return -1;
        block[0] = capacity;
        memset(block + 1 + n, 0, (capacity - n) * sizeof(size_t));
        install(self, (PyObject **)(block + 1), (Py_ssize_t)capacity);
        return 0;
    }
    PyObject **items = list_items_alloc(capacity, n);
    if (items == NULL)
        return -1;
    if (n != 0)
        memcpy(items, old, n * sizeof(PyObject *));
    install(self, items, (Py_ssize_t)capacity);
    list_retire_items_locked(self, old);
    return 0;
}

int list_reserve_locked(PyListObject *self, Py_ssize_t capacity)
{
    if (capacity <= self->allocated)
        return 0;
    return reallocate(self, grown_capacity(self, (size_t)capacity));
}

/* Gives memory back when the array has become much too large; failure does not matter. */
static void shrink_locked(PyListObject *self)
{
    Py_ssize_t n = self->ob_base.ob_size;
    if (self->allocated > 32 && n < self->allocated / 3)
        reallocate(self, (size_t)(n + (n >> 3) + 6));
}

/* ---- Locked cores ---- */

int list_append_locked(PyListObject *self, PyObject *item)
{
    Py_ssize_t n = self->ob_base.ob_size;
    if (n >= self->allocated && list_reserve_locked(self, n + 1) < 0)
        return -1;
    list_put(self, &self->ob_item[n], item);
    list_set_size(self, n + 1);
    return 0;
}

/* Moves n words; regions may overlap. */
static void shift_items(PyListObject *self, PyObject **to, PyObject **from, size_t n)
{
    if (only_ours(self)) {
        memmove(to, from, n * sizeof(PyObject *));
        return;
    }
    if (to < from)
        for (size_t i = 0; i < n; i++)
            __atomic_store_n(&to[i], from[i], __ATOMIC_RELEASE);
    else
        for (size_t i = n; i-- > 0;)
            __atomic_store_n(&to[i], from[i], __ATOMIC_RELEASE);
}

static int splice_into_new_array(PyListObject *self, Py_ssize_t low, Py_ssize_t high, PyObject *const *fresh, Py_ssize_t n)
{
    Py_ssize_t size = self->ob_base.ob_size, new_size = size - (high - low) + n;
    size_t capacity = grown_capacity(self, (size_t)new_size);
    PyObject **old = self->ob_item, **items = list_items_alloc(capacity, (size_t)new_size);
    if (items == NULL)
        return -1;
    if (low > 0)
        memcpy(items, old, (size_t)low * sizeof(PyObject *));
    for (Py_ssize_t i = 0; i < n; i++)
        list_put(self, &items[low + i], fresh[i]);
    if (size > high)
        memcpy(items + low + n, old + high, (size_t)(size - high) * sizeof(PyObject *));
    list_begin_shift(self);
    install(self, items, (Py_ssize_t)capacity);
    list_set_size(self, new_size);
    list_end_shift(self);
    list_retire_items_locked(self, old);
    return 0;
}

int list_splice_locked(PyListObject *self, Py_ssize_t low, Py_ssize_t high, PyObject *const *fresh, Py_ssize_t n,
                       PyObject **displaced)
{
    Py_ssize_t size = self->ob_base.ob_size, gone = high - low, new_size;
    if (n > (Py_ssize_t)MAX_ITEMS - (size - gone))
        return -1;
    new_size = size - gone + n;
    if (gone > 0)
        memcpy(displaced, self->ob_item + low, (size_t)gone * sizeof(PyObject *));
    if (new_size > self->allocated)
        return splice_into_new_array(self, low, high, fresh, n);
    if (gone == 0 && n == 0)
        return 0;
    PyObject **items = self->ob_item;
    list_begin_shift(self);
    if (n != gone)
        shift_items(self, items + low + n, items + high, (size_t)(size - high));
    for (Py_ssize_t i = 0; i < n; i++)
        list_put(self, &items[low + i], fresh[i]);
    list_set_size(self, new_size);
    for (Py_ssize_t i = new_size; i < size; i++)
        __atomic_store_n(&items[i], NULL, __ATOMIC_RELAXED);
    list_end_shift(self);
    if (new_size < size)
        shrink_locked(self);
    return 0;
}

/* ---- The gate ---- */

void list_open_locked(PyListObject *self)
{
    PyObject **items = self->ob_item;
    for (Py_ssize_t i = 0, n = self->ob_base.ob_size; i < n; i++)
        if (items[i] != NULL)
            object_publish(items[i]);
    object_publish((PyObject *)self);
    uint32_t *word = &self->ob_base.ob_base.hdr_shape;
    __atomic_store_n(word, *word | LIST_OPEN, __ATOMIC_RELEASE);        /* pairs with list_is_open */
}

/* ---- Fast paths' slow halves ---- */

PyObject *list_read_item_locking(PyListObject *self, Py_ssize_t i)
{
    int locked = list_lock(self);
    PyObject *item = NULL;
    if ((size_t)i < (size_t)self->ob_base.ob_size)
        item = Py_XNewRef(self->ob_item[i]);
    container_unlock(self, locked);
    return item;
}

int list_append_steal_slow(PyListObject *self, PyObject *item)
{
    int locked = list_lock(self);
    int result = list_append_locked(self, item);
    container_unlock(self, locked);
    if (result < 0) {
        Py_DECREF(item);
        PyErr_NoMemory();
    }
    return result;
}

int list_store_item_slow(PyListObject *self, Py_ssize_t i, PyObject *value)
{
    PyObject *old = value;
    int result = -1;
    int locked = list_lock(self);
    if ((size_t)i < (size_t)self->ob_base.ob_size) {
        old = self->ob_item[i];
        list_put(self, &self->ob_item[i], value);
        result = 0;
    }
    container_unlock(self, locked);
    Py_XDECREF(old);
    if (result < 0)
        PyErr_SetString(PyExc_IndexError, "list assignment index out of range");
    return result;
}

int list_extend_array_steal(PyListObject *self, PyObject *const *items, Py_ssize_t n)
{
    int result = -1;
    int locked = list_lock(self);
    Py_ssize_t size = self->ob_base.ob_size;
    if (n <= (Py_ssize_t)MAX_ITEMS - size && list_reserve_locked(self, size + n) == 0) {
        for (Py_ssize_t i = 0; i < n; i++)
            list_put(self, &self->ob_item[size + i], items[i]);
        list_set_size(self, size + n);
        result = 0;
    }
    container_unlock(self, locked);
    if (result < 0) {
        container_drop_refs(items, n);
        PyErr_NoMemory();
    }
    return result;
}

PyObject *list_pop_item(PyListObject *self, Py_ssize_t i)
{
    PyObject *item = NULL;
    int locked = list_lock(self);
    Py_ssize_t n = self->ob_base.ob_size;
    if (i < 0)
        i += n;
    if (i >= 0 && i < n) {
        item = self->ob_item[i];
        if (i == n - 1) {
            list_set_size(self, i);
            __atomic_store_n(&self->ob_item[i], NULL, __ATOMIC_RELAXED);
            shrink_locked(self);
        }
        else {
            PyObject *same;
            list_splice_locked(self, i, i + 1, NULL, 0, &same);
        }
    }
    container_unlock(self, locked);
    if (item == NULL)
        PyErr_SetString(PyExc_IndexError, n == 0 ? "pop from empty list" : "pop index out of range");
    return item;
}

/* ---- Snapshots ---- */

Py_ssize_t list_snapshot(PyListObject *self, PyObject **room, Py_ssize_t room_size, PyObject ***items)
{
    int locked = list_lock(self);
    Py_ssize_t n = self->ob_base.ob_size;
    PyObject **copy = n <= room_size ? room : block_malloc((size_t)n * sizeof(PyObject *));
    if (copy != NULL)
        container_copy_refs(copy, self->ob_item, n);
    container_unlock(self, locked);
    *items = copy;
    if (copy == NULL && n > 0) {
        PyErr_NoMemory();
        return -1;
    }
    return n;
}

void list_snapshot_free(PyObject **room, PyObject **items, Py_ssize_t n)
{
    for (Py_ssize_t i = 0; i < n; i++)
        Py_XDECREF(items[i]);
    if (items != room)
        block_free(items);
}

/* ---- Making lists ---- */

/* A list that owns the array; the caller fills `n` slots. */
/* A list of n items that the caller fills before anything can escape, for the next safe point may be a collection; `filled`: how
 * many of them, from the first, are not made NULL here. */
static inline Py_ALWAYS_INLINE PyListObject *list_alloc(Py_ssize_t n, Py_ssize_t filled)
{
    PyObject **items = LIST_NO_ITEMS;
    if (n > 0) {
        items = list_items_alloc((size_t)n, (size_t)filled);
        if (Py_UNLIKELY(items == NULL)) {
            PyErr_NoMemory();
            return NULL;
        }
    }
    PyObject *op = object_page_alloc(sizeof(PyListObject));
    if (Py_UNLIKELY(op == NULL)) {
        items_free(items);
        PyErr_NoMemory();
        return NULL;
    }
    object_header_init(op, &PyList_Type, OBJECT_ON_PAGE);
    object_state_set(op, SLOT_LIVE | SLOT_TRACKED);
    PyListObject *self = (PyListObject *)op;
    self->ob_item = items;
    self->ob_base.ob_size = n;
    self->allocated = n;
    return self;
}

PyObject *PyList_New(Py_ssize_t n)
{
    if (n < 0) {
        PyErr_BadInternalCall();
        return NULL;
    }
    return (PyObject *)list_alloc(n, 0);
}

PyListObject *list_new_to_fill(Py_ssize_t n) { return list_alloc(n, n); }

PyObject *list_from_array_steal(PyObject *const *items, Py_ssize_t n)
{
    PyListObject *self = list_alloc(n, n);
    if (self == NULL) {
        container_drop_refs(items, n);
        return NULL;
    }
    if (n > 0)
        memcpy(self->ob_item, items, (size_t)n * sizeof(PyObject *));
    return (PyObject *)self;
}

PyObject *list_from_array(PyObject *const *items, Py_ssize_t n)
{
    PyListObject *self = list_alloc(n, n);
    if (self == NULL)
        return NULL;
    for (Py_ssize_t i = 0; i < n; i++)
        self->ob_item[i] = Py_NewRef(items[i]);
    return (PyObject *)self;
}

PyListObject *list_new_unseen(void)
{
    PyListObject *self = list_alloc(0, 0);
    if (Py_LIKELY(self != NULL))
        object_untrack((PyObject *)self);
    return self;
}

/* Makes room in a list from list_new_unseen before other lists are looked at: its size is not known yet. */
static PyObject **fill_begin(PyListObject *result, Py_ssize_t n)
{
    if (n > (Py_ssize_t)MAX_ITEMS)
        return NULL;
    if (n > 0 && list_reserve_locked(result, n) < 0)
        return NULL;
    return result->ob_item;
}

PyObject *list_get_slice(PyListObject *self, Py_ssize_t low, Py_ssize_t high)
{
    PyListObject *result = list_new_unseen();
    if (result == NULL)
        return NULL;
    int locked = list_lock(self);
    Py_ssize_t n = self->ob_base.ob_size;
    low = low < 0 ? 0 : low > n ? n : low;
    high = high < low ? low : high > n ? n : high;
    PyObject **items = fill_begin(result, high - low);
    if (items != NULL) {
        container_copy_refs(items, self->ob_item + low, high - low);
        result->ob_base.ob_size = high - low;
    }
    container_unlock(self, locked);
    if (items == NULL) {
        Py_DECREF(result);
        return PyErr_NoMemory();
    }
    object_track((PyObject *)result);
    return (PyObject *)result;
}

PyObject *list_concat(PyListObject *a, PyListObject *b)
{
    PyObject *room[32], **tail;
    Py_ssize_t n = list_snapshot(b, room, 32, &tail);
    if (n < 0)
        return NULL;
    PyListObject *result = list_new_unseen();
    if (result == NULL) {
        list_snapshot_free(room, tail, n);
        return NULL;
    }
    int locked = list_lock(a);
    Py_ssize_t size = a->ob_base.ob_size;
    PyObject **items = n > (Py_ssize_t)MAX_ITEMS - size ? NULL : fill_begin(result, size + n);
    if (items != NULL) {
        container_copy_refs(items, a->ob_item, size);
        if (n > 0)
            memcpy(items + size, tail, (size_t)n * sizeof(PyObject *));
        result->ob_base.ob_size = size + n;
    }
    container_unlock(a, locked);
    if (items == NULL) {
        list_snapshot_free(room, tail, n);
        Py_DECREF(result);
        return PyErr_NoMemory();
    }
    if (tail != room)
        block_free(tail);
    object_track((PyObject *)result);
    return (PyObject *)result;
}

/* Fills to[0..n*times) with n items and copies of them; counts the references. */
static void repeat_items(PyObject **to, PyObject *const *from, Py_ssize_t n, Py_ssize_t times)
{
    for (Py_ssize_t i = 0; i < n; i++) {
        if (from[i] != NULL && value_is_heap(from[i]))
            object_incref_many(from[i], times);
        to[i] = from[i];
    }
    if (n == 1) {
        PyObject *item = to[0];
        for (Py_ssize_t i = 1; i < times; i++)
            to[i] = item;
        return;
    }
    Py_ssize_t done = n, total = n * times;
    while (done < total) {
        Py_ssize_t chunk = Py_MIN(done, total - done);
        memcpy(to + done, to, (size_t)chunk * sizeof(PyObject *));
        done += chunk;
    }
}

PyObject *list_repeat(PyListObject *self, Py_ssize_t times)
{
    if (times <= 0)
        return PyList_New(0);
    PyListObject *result = list_new_unseen();
    if (result == NULL)
        return NULL;
    int locked = list_lock(self);
    Py_ssize_t n = self->ob_base.ob_size;
    PyObject **items = n > (Py_ssize_t)MAX_ITEMS / times ? NULL : fill_begin(result, n * times);
    if (items != NULL && n > 0) {
        repeat_items(items, self->ob_item, n, times);
        result->ob_base.ob_size = n * times;
    }
    container_unlock(self, locked);
    if (items == NULL) {
        Py_DECREF(result);
        return PyErr_NoMemory();
    }
    object_track((PyObject *)result);
    return (PyObject *)result;
}

/* ---- Life ---- */

/* Empties self; hands the array over for list_drop_array. */
static PyObject **take_array_locked(PyListObject *self, Py_ssize_t *n, int *is_private)
{
    PyObject **items = self->ob_item;
    *n = self->ob_base.ob_size;
    *is_private = list_is_closed(self);
    if (items == NULL || items == LIST_NO_ITEMS)
        return NULL;
    list_set_size(self, 0);
    install(self, LIST_NO_ITEMS, 0);
    return items;
}

int list_tp_clear(PyObject *op)
{
    PyListObject *self = (PyListObject *)op;
    Py_ssize_t n;
    int is_private, locked = list_lock(self);
    PyObject **items = take_array_locked(self, &n, &is_private);
    container_unlock(self, locked);
    if (items != NULL) {
        container_drop_refs(items, n);
        memory_retire_or_free(is_private, (size_t *)items - 1, list_items_bytes(items));
    }
    return 0;
}

/* Readers hold a reference to the list, so nobody is left who could read the array. */
void list_dealloc(PyObject *op)
{
    PyListObject *self = (PyListObject *)op;
    PyObject_GC_UnTrack(op);
    PyObject **items = self->ob_item;
    if (items != NULL && items != LIST_NO_ITEMS) {
        container_drop_refs(items, self->ob_base.ob_size);
        items_free(items);
    }
    if (Py_LIKELY(heap_type(op) == &PyList_Type))
        object_free_gc(op);
    else
        Py_TYPE(op)->tp_free(op);
}

/* ---- Public C API ---- */

Py_ssize_t PyList_Size(PyObject *op)
{
    if (!PyList_Check(op)) {
        PyErr_BadInternalCall();
        return -1;
    }
    return PyList_GET_SIZE(op);
}

PyObject *PyList_GetItemRef(PyObject *op, Py_ssize_t i)
{
    if (!PyList_Check(op)) {
        PyErr_SetString(PyExc_TypeError, "expected a list");
        return NULL;
    }
    PyObject *item = i < 0 ? NULL : list_read_item_ref((PyListObject *)op, i);
    if (item == NULL)
        PyErr_SetString(PyExc_IndexError, "list index out of range");
    return item;
}

PyObject *PyList_GetItem(PyObject *op, Py_ssize_t i)
{
    if (!PyList_Check(op)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    PyListObject *self = (PyListObject *)op;
    int locked = list_lock(self);
    PyObject *item = (size_t)i < (size_t)self->ob_base.ob_size ? self->ob_item[i] : NULL;
    int found = (size_t)i < (size_t)self->ob_base.ob_size;
    container_unlock(self, locked);
    if (!found)
        PyErr_SetString(PyExc_IndexError, "list index out of range");
    return item;
}

int PyList_SetItem(PyObject *op, Py_ssize_t i, PyObject *value)
{
    if (!PyList_Check(op)) {
        Py_XDECREF(value);
        PyErr_BadInternalCall();
        return -1;
    }
    if (value != NULL && i >= 0)
        return list_store_item((PyListObject *)op, i, value);
    PyListObject *self = (PyListObject *)op;
    PyObject *old = NULL;
    int result = -1;
    int locked = list_lock(self);
    if ((size_t)i < (size_t)self->ob_base.ob_size) {
        old = self->ob_item[i];
        __atomic_store_n(&self->ob_item[i], NULL, __ATOMIC_RELEASE);
        result = 0;
    }
    container_unlock(self, locked);
    Py_XDECREF(old);
    if (result < 0) {
        Py_XDECREF(value);
        PyErr_SetString(PyExc_IndexError, "list assignment index out of range");
    }
    return result;
}

int PyList_Append(PyObject *op, PyObject *item)
{
    if (Py_UNLIKELY(!PyList_CheckExact(op) && !PyList_Check(op)) || item == NULL) {
        PyErr_BadInternalCall();
        return -1;
    }
    return list_append_steal((PyListObject *)op, Py_NewRef(item));
}

int PyList_Insert(PyObject *op, Py_ssize_t where, PyObject *item)
{
    if (!PyList_Check(op) || item == NULL) {
        PyErr_BadInternalCall();
        return -1;
    }
    PyListObject *self = (PyListObject *)op;
    Py_INCREF(item);
    int locked = list_lock(self);
    Py_ssize_t n = self->ob_base.ob_size;
    if (where < 0)
        where = where + n < 0 ? 0 : where + n;
    if (where > n)
        where = n;
    int result = where == n ? list_append_locked(self, item) : list_splice_locked(self, where, where, &item, 1, NULL);
    container_unlock(self, locked);
    if (result < 0) {
        Py_DECREF(item);
        PyErr_NoMemory();
    }
    return result;
}

PyObject *PyList_GetSlice(PyObject *op, Py_ssize_t low, Py_ssize_t high)
{
    if (!PyList_Check(op)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    return list_get_slice((PyListObject *)op, low, high);
}

PyObject *PyList_AsTuple(PyObject *op)
{
    if (op == NULL || !PyList_Check(op)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    PyObject *room[32], **items;
    if (!runtime_is_multi())
        return tuple_from_array(((PyListObject *)op)->ob_item, PyList_GET_SIZE(op));
    Py_ssize_t n = list_snapshot((PyListObject *)op, room, 32, &items);
    if (n < 0)
        return NULL;
    PyObject *result = tuple_from_array_steal(items, n);
    if (items != room)
        block_free(items);
    return result;
}

static void reverse_locked(PyListObject *self)
{
    list_begin_shift(self);
    for (Py_ssize_t i = 0, j = self->ob_base.ob_size - 1; i < j; i++, j--) {
        PyObject *left = self->ob_item[i];
        __atomic_store_n(&self->ob_item[i], self->ob_item[j], __ATOMIC_RELEASE);
        __atomic_store_n(&self->ob_item[j], left, __ATOMIC_RELEASE);
    }
    list_end_shift(self);
}

int PyList_Reverse(PyObject *op)
{
    if (op == NULL || !PyList_Check(op)) {
        PyErr_BadInternalCall();
        return -1;
    }
    int locked = list_lock((PyListObject *)op);
    reverse_locked((PyListObject *)op);
    container_unlock(op, locked);
    return 0;
}

int PyList_Clear(PyObject *op)
{
    if (!PyList_Check(op)) {
        PyErr_BadInternalCall();
        return -1;
    }
    return list_tp_clear(op);
}

void _PyList_DebugMallocStats(FILE *out)
{
    fputs("list: no free list\n", out);
}
