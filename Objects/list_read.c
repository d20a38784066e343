/* Reading lists: searching, comparing, subscripts, and assignment through subscripts. */
#include "list.h"
#include "abstract.h"
#include "../Python/memory/allocator.h"

/* ---- Searching ---- */

/* Compares item (owned here) with value; drops item. */
static int compare_item(PyObject *item, PyObject *value)
{
    int result = PyObject_RichCompareBool(item, value, Py_EQ);
    Py_DECREF(item);
    return result;
}

/* Index of the first item from i on (below stop) that equals value; -1: none; -2: exception.  Reads items one by one: an
 * item that is shifted meanwhile may be missed. */
static Py_ssize_t search_racy(PyListObject *self, PyObject *value, Py_ssize_t i, Py_ssize_t stop)
{
    for (;;) {
        if (Py_UNLIKELY(!list_may_read(self)))
            container_unlock(self, list_lock(self));     /* opens it */
        /* The array first: with a size that is older than the array, its last items would be missed. */
        PyObject **items = __atomic_load_n(&self->ob_item, __ATOMIC_ACQUIRE);
        Py_ssize_t n = __atomic_load_n(&self->ob_base.ob_size, __ATOMIC_ACQUIRE);
        if (n > stop)
            n = stop;
        if (i >= n)
            return -1;
        if ((size_t)n > list_items_capacity(items))
            n = (Py_ssize_t)list_items_capacity(items);
        PyObject *item = NULL;
        for (; i < n; i++) {
            item = __atomic_load_n(&items[i], __ATOMIC_ACQUIRE);
            if (item == NULL)
                break;
            int equal = container_equal_racy(item, value);
            if (equal > 0)
                return i;
            if (equal < 0)
                break;
        }
        if (i == n)
            continue;           /* grown meanwhile? */
        item = list_read_item_ref(self, i);
        if (item == NULL)
            return -1;
        int equal = compare_item(item, value);
        if (equal < 0)
            return -2;
        if (equal)
            return i;
        i++;
    }
}

static Py_ssize_t search_snapshot(PyListObject *self, PyObject *value, Py_ssize_t start, Py_ssize_t stop)
{
    PyObject *room[32], **items;
    Py_ssize_t n = list_snapshot(self, room, 32, &items), found = -1;
    if (n < 0)
        return -2;
    for (Py_ssize_t i = start; i < n && i < stop; i++) {
        int equal = PyObject_RichCompareBool(items[i], value, Py_EQ);
        if (equal != 0) {
            found = equal < 0 ? -2 : i;
            break;
        }
    }
    list_snapshot_free(room, items, n);
    return found;
}

/* The same, but an item that is in the list all the time is found. */
static Py_ssize_t search(PyListObject *self, PyObject *value, Py_ssize_t start, Py_ssize_t stop)
{
    uint32_t counter = list_shift_counter(self);
    Py_ssize_t found = search_racy(self, value, start, stop);
    if (found != -1)
        return found;
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (!(counter & 1) && list_shift_counter(self) == counter)
        return -1;
    if (!runtime_is_multi())
        return -1;
    return search_snapshot(self, value, start, stop);
}

int list_contains(PyObject *self, PyObject *value)
{
    Py_ssize_t found = search((PyListObject *)self, value, 0, PY_SSIZE_T_MAX);
    return found == -2 ? -1 : found >= 0;
}

PyObject *list_method_index(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    PyListObject *self = (PyListObject *)op;
    Py_ssize_t start = 0, stop = PY_SSIZE_T_MAX;
    if (!_PyArg_CheckPositional("index", nargs, 1, 3))
        return NULL;
    if (nargs >= 2 && !_PyEval_SliceIndexNotNone(args[1], &start))
        return NULL;
    if (nargs >= 3 && !_PyEval_SliceIndexNotNone(args[2], &stop))
        return NULL;
    Py_ssize_t n = PyList_GET_SIZE(self);
    if (start < 0)
        start = start + n < 0 ? 0 : start + n;
    if (stop < 0)
        stop = stop + n < 0 ? 0 : stop + n;
    Py_ssize_t found = search(self, args[0], start, stop);
    if (found >= 0)
        return PyLong_FromSsize_t(found);
    if (found == -1)
        PyErr_Format(PyExc_ValueError, "%R is not in list", args[0]);
    return NULL;
}

PyObject *list_method_count(PyObject *op, PyObject *value)
{
    PyListObject *self = (PyListObject *)op;
    Py_ssize_t count = 0;
    if (!runtime_is_multi() || object_is_private(op)) {
        for (Py_ssize_t i = 0; (i = search_racy(self, value, i, PY_SSIZE_T_MAX)) >= 0; i++)
            count++;
        Py_ssize_t last = PyErr_Occurred() ? -1 : count;
        return last < 0 ? NULL : PyLong_FromSsize_t(count);
    }
    PyObject *room[32], **items;
    Py_ssize_t n = list_snapshot(self, room, 32, &items);
    if (n < 0)
        return NULL;
    for (Py_ssize_t i = 0; i < n && count >= 0; i++) {
        int equal = PyObject_RichCompareBool(items[i], value, Py_EQ);
        count = equal < 0 ? -1 : count + equal;
    }
    list_snapshot_free(room, items, n);
    return count < 0 ? NULL : PyLong_FromSsize_t(count);
}

/* Removes item i if it is still that very object. */
static int remove_if_same(PyListObject *self, Py_ssize_t i, PyObject *item)
{
    PyObject *old = NULL;
    int locked = list_lock(self);
    if (i < self->ob_base.ob_size && self->ob_item[i] == item)
        list_splice_locked(self, i, i + 1, NULL, 0, &old);
    container_unlock(self, locked);
    Py_XDECREF(old);
    return old != NULL;
}

PyObject *list_method_remove(PyObject *op, PyObject *value)
{
    PyListObject *self = (PyListObject *)op;
    for (;;) {
        Py_ssize_t i = search(self, value, 0, PY_SSIZE_T_MAX);
        if (i == -2)
            return NULL;
        if (i == -1) {
            PyErr_SetString(PyExc_ValueError, "list.remove(x): x not in list");
            return NULL;
        }
        PyObject *item = list_read_item_ref(self, i);
        if (item == NULL) {
            if (!runtime_is_multi())        /* as when __eq__ has shortened the list */
                Py_RETURN_NONE;
            continue;
        }
        /* Others may have shifted the items since: what stands at i now has to be what was looked for. */
        int equal = runtime_is_multi() ? PyObject_RichCompareBool(item, value, Py_EQ) : 1;
        int done = equal > 0 && remove_if_same(self, i, item);
        Py_DECREF(item);
        if (equal < 0)
            return NULL;
        if (done)
            Py_RETURN_NONE;
    }
}

/* ---- Comparing ---- */

/* Items of a and b are read one by one while they are ours alone; else both are copied first. */
struct items_view {
    PyListObject *list;         /* live, or NULL: the copy */
    PyObject **items;
    Py_ssize_t n;
    PyObject *room[16];
};

static int view_begin(struct items_view *view, PyListObject *list)
{
    view->list = NULL;
    view->n = 0;
    if (!runtime_is_multi() || object_is_private((PyObject *)list)) {
        view->list = list;
        return 0;
    }
    view->n = list_snapshot(list, view->room, 16, &view->items);
    return view->n < 0 ? -1 : 0;
}

static void view_end(struct items_view *view)
{
    if (view->list == NULL)
        list_snapshot_free(view->room, view->items, view->n);
}

static Py_ssize_t view_size(struct items_view *view)
{
    return view->list != NULL ? PyList_GET_SIZE(view->list) : view->n;
}

static PyObject *view_item(struct items_view *view, Py_ssize_t i)
{
    if (view->list != NULL)
        return list_read_item_ref(view->list, i);
    return i < view->n ? Py_NewRef(view->items[i]) : NULL;
}

static PyObject *compare_sizes(Py_ssize_t left, Py_ssize_t right, int op)
{
    switch (op) {
    case Py_LT: return PyBool_FromLong(left < right);
    case Py_LE: return PyBool_FromLong(left <= right);
    case Py_EQ: return PyBool_FromLong(left == right);
    case Py_NE: return PyBool_FromLong(left != right);
    case Py_GT: return PyBool_FromLong(left > right);
    default: return PyBool_FromLong(left >= right);
    }
}

/* How many items from the first are known to be equal without running code. Both lists are ours, so that we may read them without
 * the lock; but another thread may hold one through a tuple, open it and change it at any moment. */
static Py_ssize_t equal_prefix(struct items_view *a, struct items_view *b)
{
    if (a->list == NULL || b->list == NULL || view_size(a) == 0 || view_size(b) == 0)
        return 0;
    PyObject **x = __atomic_load_n(&a->list->ob_item, __ATOMIC_ACQUIRE), **y = __atomic_load_n(&b->list->ob_item, __ATOMIC_ACQUIRE);
    size_t n = Py_MIN(list_items_capacity(x), list_items_capacity(y)), i;
    for (i = 0; i < n; i++) {       /* beyond the size there is NULL */
        PyObject *left = __atomic_load_n(&x[i], __ATOMIC_ACQUIRE), *right = __atomic_load_n(&y[i], __ATOMIC_ACQUIRE);
        if (left == NULL || right == NULL || container_equal_racy(left, right) <= 0)
            break;
    }
    return (Py_ssize_t)i;
}

static PyObject *compare_views(struct items_view *a, struct items_view *b, int op)
{
    PyObject *x = NULL, *y = NULL, *result = NULL;
    Py_ssize_t i = equal_prefix(a, b);
    for (;; i++) {
        x = view_item(a, i);
        y = view_item(b, i);
        if (x == NULL || y == NULL) {
            result = compare_sizes(view_size(a), view_size(b), op);
            goto done;
        }
        int equal = container_equal_racy(x, y);
        if (equal < 0)
            equal = PyObject_RichCompareBool(x, y, Py_EQ);
        if (equal < 0)
            goto done;
        if (!equal)
            break;
        Py_CLEAR(x);
        Py_CLEAR(y);
    }
    /* __eq__ may have shortened the lists: then these items count no more */
    if (i >= view_size(a) || i >= view_size(b))
        result = compare_sizes(view_size(a), view_size(b), op);
    else if (op == Py_EQ || op == Py_NE)
        result = Py_NewRef(op == Py_NE ? Py_True : Py_False);
    else
        result = PyObject_RichCompare(x, y, op);
done:
    Py_XDECREF(x);
    Py_XDECREF(y);
    return result;
}

PyObject *list_richcompare(PyObject *a, PyObject *b, int op)
{
    if (!PyList_Check(a) || !PyList_Check(b))
        Py_RETURN_NOTIMPLEMENTED;
    if (PyList_GET_SIZE(a) != PyList_GET_SIZE(b) && (op == Py_EQ || op == Py_NE))
        return PyBool_FromLong(op == Py_NE);
    struct items_view left, right;
    if (view_begin(&left, (PyListObject *)a) < 0)
        return NULL;
    if (view_begin(&right, (PyListObject *)b) < 0) {
        view_end(&left);
        return NULL;
    }
    PyObject *result = compare_views(&left, &right, op);
    view_end(&left);
    view_end(&right);
    return result;
}

/* ---- Subscripts ---- */

static PyObject *get_stepped(PyListObject *self, Py_ssize_t start, Py_ssize_t stop, Py_ssize_t step)
{
    PyListObject *result = list_new_unseen();
    if (result == NULL)
        return NULL;
    int locked = list_lock(self), failed = 0;
    Py_ssize_t n = PySlice_AdjustIndices(self->ob_base.ob_size, &start, &stop, step);
    if (n > 0) {
        failed = list_reserve_locked(result, n) < 0;
        if (!failed) {
            for (Py_ssize_t i = 0; i < n; i++)
                result->ob_item[i] = Py_XNewRef(self->ob_item[start + i * step]);
            result->ob_base.ob_size = n;
        }
    }
    container_unlock(self, locked);
    if (failed) {
        Py_DECREF(result);
        return PyErr_NoMemory();
    }
    object_track((PyObject *)result);
    return (PyObject *)result;
}

/* The index as a C integer, negative ones counted from the end (still negative if too far). 0, or -1. */
static int index_of(PyListObject *self, PyObject *index, Py_ssize_t *i)
{
    if (value_is_int(index))
        *i = (Py_ssize_t)value_get_int(index);
    else {
        *i = PyNumber_AsSsize_t(index, PyExc_IndexError);
        if (*i == -1 && PyErr_Occurred())
            return -1;
    }
    if (*i < 0)
        *i += PyList_GET_SIZE(self);
    return 0;
}

static PyObject *bad_index(PyObject *index)
{
    PyErr_Format(PyExc_TypeError, "list indices must be integers or slices, not %.200s", Py_TYPE(index)->tp_name);
    return NULL;
}

PyObject *list_subscript(PyObject *op, PyObject *index)
{
    PyListObject *self = (PyListObject *)op;
    if (PyIndex_Check(index)) {
        Py_ssize_t i;
        if (index_of(self, index, &i) < 0)
            return NULL;
        PyObject *item = i < 0 ? NULL : list_read_item_ref(self, i);
        if (item == NULL)
            PyErr_SetString(PyExc_IndexError, "list index out of range");
        return item;
    }
    if (!PySlice_Check(index))
        return bad_index(index);
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(index, &start, &stop, &step) < 0)
        return NULL;
    return get_stepped(self, start, stop, step);
}

static int delete_item(PyListObject *self, Py_ssize_t i)
{
    PyObject *old = NULL;
    int locked = list_lock(self);
    int found = (size_t)i < (size_t)self->ob_base.ob_size;
    if (found)
        list_splice_locked(self, i, i + 1, NULL, 0, &old);
    container_unlock(self, locked);
    Py_XDECREF(old);
    if (!found)
        PyErr_SetString(PyExc_IndexError, "list assignment index out of range");
    return found ? 0 : -1;
}

/* The bounds as they come from PySlice_Unpack; the references of fresh are stolen on success. */
static int assign_range(PyListObject *self, Py_ssize_t start, Py_ssize_t stop, PyObject *const *fresh, Py_ssize_t n)
{
    PyObject *room[16], **displaced = room;
    int result = -1;
    int locked = list_lock(self);
    Py_ssize_t gone = PySlice_AdjustIndices(self->ob_base.ob_size, &start, &stop, 1);
    if (gone > 16)
        displaced = block_malloc((size_t)gone * sizeof(PyObject *));
    if (displaced != NULL)
        result = list_splice_locked(self, start, start + gone, fresh, n, displaced);
    container_unlock(self, locked);
    if (result == 0)
        for (Py_ssize_t i = gone; i-- > 0;)
            Py_XDECREF(displaced[i]);
    else
        PyErr_NoMemory();
    if (displaced != room)
        block_free(displaced);
    return result;
}

/* The items of any iterable as an array of new references; message is for what cannot be iterated.  -1: exception. */
static Py_ssize_t collect(PyObject *iterable, const char *message, PyObject **room, PyObject ***items)
{
    PyObject *list = iterable;
    *items = room;
    if (PyTuple_CheckExact(iterable)) {
        Py_ssize_t n = PyTuple_GET_SIZE(iterable);
        if (n > 16 && (*items = block_malloc((size_t)n * sizeof(PyObject *))) == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        for (Py_ssize_t i = 0; i < n; i++)
            (*items)[i] = Py_NewRef(PyTuple_GET_ITEM(iterable, i));
        return n;
    }
    if (PyList_CheckExact(iterable))
        Py_INCREF(list);
    else {
        PyObject *iterator = PyObject_GetIter(iterable);
        if (iterator == NULL) {
            if (PyErr_ExceptionMatches(PyExc_TypeError))
                PyErr_SetString(PyExc_TypeError, message);
            return -1;
        }
        list = PySequence_List(iterator);
        Py_DECREF(iterator);
        if (list == NULL)
            return -1;
    }
    Py_ssize_t n = list_snapshot((PyListObject *)list, room, 16, items);
    Py_DECREF(list);
    return n;
}

static int assign_plain_slice(PyListObject *self, Py_ssize_t start, Py_ssize_t stop, PyObject *value)
{
    PyObject *room[16], **items = room;
    Py_ssize_t n = 0;
    if (value != NULL && (n = collect(value, "can only assign an iterable", room, &items)) < 0)
        return -1;
    int result = assign_range(self, start, stop, items, n);
    if (result < 0)
        list_snapshot_free(room, items, n);
    else if (items != room)
        block_free(items);
    return result;
}

/* Removes every step-th item; the displaced references go to `displaced`. */
static void delete_stepped_locked(PyListObject *self, Py_ssize_t start, Py_ssize_t step, Py_ssize_t n, PyObject **displaced)
{
    if (step < 0) {
        start += step * (n - 1);
        step = -step;
    }
    PyObject **items = self->ob_item;
    Py_ssize_t size = self->ob_base.ob_size, to = start, next = start, gone = 0;
    list_begin_shift(self);
    for (Py_ssize_t from = start; from < size; from++) {
        if (from == next && gone < n) {
            displaced[gone++] = items[from];
            next += step;
        }
        else
            __atomic_store_n(&items[to++], items[from], __ATOMIC_RELEASE);
    }
    list_set_size(self, size - n);
    for (Py_ssize_t i = size - n; i < size; i++)
        __atomic_store_n(&items[i], NULL, __ATOMIC_RELAXED);
    list_end_shift(self);
}

static int assign_stepped(PyListObject *self, Py_ssize_t start, Py_ssize_t stop, Py_ssize_t step, PyObject *value)
{
    PyObject *room[16], *old_room[16], **items = room, **displaced = old_room;
    Py_ssize_t n = 0;
    int result = -1;
    if (value != NULL && (n = collect(value, "must assign iterable to extended slice", room, &items)) < 0)
        return -1;
    int locked = list_lock(self);
    Py_ssize_t count = PySlice_AdjustIndices(self->ob_base.ob_size, &start, &stop, step);
    if (count > 16)
        displaced = block_malloc((size_t)count * sizeof(PyObject *));
    if (displaced == NULL)
        ;
    else if (value == NULL) {
        if (count > 0)
            delete_stepped_locked(self, start, step, count, displaced);
        result = 0;
    }
    else if (n == count) {
        list_begin_shift(self);
        for (Py_ssize_t i = 0; i < n; i++) {
            displaced[i] = self->ob_item[start + i * step];
            list_put(self, &self->ob_item[start + i * step], items[i]);
        }
        list_end_shift(self);
        result = 0;
    }
    container_unlock(self, locked);
    if (result == 0) {
        for (Py_ssize_t i = 0; i < count; i++)
            Py_XDECREF(displaced[i]);
        if (items != room)
            block_free(items);
    }
    else {
        if (displaced == NULL)
            PyErr_NoMemory();
        else
            PyErr_Format(PyExc_ValueError, "attempt to assign sequence of size %zd to extended slice of size %zd", n, count);
        list_snapshot_free(room, items, n);
    }
    if (displaced != old_room)
        block_free(displaced);
    return result;
}

int list_ass_subscript(PyObject *op, PyObject *index, PyObject *value)
{
    PyListObject *self = (PyListObject *)op;
    Py_ssize_t i, stop, step;
    if (PyIndex_Check(index)) {
        if (index_of(self, index, &i) < 0)
            return -1;
        if (value == NULL)
            return delete_item(self, i);
        if (i >= 0)
            return list_store_item(self, i, Py_NewRef(value));
        PyErr_SetString(PyExc_IndexError, "list assignment index out of range");
        return -1;
    }
    if (!PySlice_Check(index)) {
        bad_index(index);
        return -1;
    }
    if (PySlice_Unpack(index, &i, &stop, &step) < 0)
        return -1;
    if (step == 1)
        return assign_plain_slice(self, i, stop, value);
    return assign_stepped(self, i, stop, step, value);
}

int PyList_SetSlice(PyObject *op, Py_ssize_t low, Py_ssize_t high, PyObject *value)
{
    if (!PyList_Check(op)) {
        PyErr_BadInternalCall();
        return -1;
    }
    /* Negative bounds are clipped here, not counted from the end. */
    return assign_plain_slice((PyListObject *)op, low < 0 ? 0 : low, high < 0 ? 0 : high, value);
}

/* sq_item and sq_ass_item: the index has been made non-negative where it could be. */
PyObject *list_item(PyObject *self, Py_ssize_t i)
{
    PyObject *item = i < 0 ? NULL : list_read_item_ref((PyListObject *)self, i);
    if (item == NULL)
        PyErr_SetString(PyExc_IndexError, "list index out of range");
    return item;
}

int list_ass_item(PyObject *self, Py_ssize_t i, PyObject *value)
{
    if (value == NULL)
        return delete_item((PyListObject *)self, i);
    if (i >= 0)
        return list_store_item((PyListObject *)self, i, Py_NewRef(value));
    PyErr_SetString(PyExc_IndexError, "list assignment index out of range");
    return -1;
}
