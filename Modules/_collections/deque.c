/* The type deque: a ring buffer under the object's lock.
 *
 * Functions named _locked run no Python code; what they push out of the deque they hand back, to be dropped after
 * unlocking. Methods that compare items look at `state` after each comparison. */
#include "collections.h"

#include <stddef.h>

/* ---- The ring ---- */

static int resize_locked(DequeObject *d, Py_ssize_t capacity)
{
    PyObject **ring = PyMem_Malloc((size_t)capacity * sizeof(PyObject *));
    if (ring == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < d->size; i++)
        ring[i] = *deque_place(d, i);
    PyMem_Free(d->ring);
    d->ring = ring;
    d->capacity = capacity;
    d->head = 0;
    return 0;
}

/* Room for one more item. 0 or -1. */
static inline int reserve_locked(DequeObject *d)
{
    if (d->size < d->capacity)
        return 0;
    if (d->capacity > PY_SSIZE_T_MAX / 2 / (Py_ssize_t)sizeof(PyObject *)) {
        PyErr_NoMemory();
        return -1;
    }
    return resize_locked(d, d->capacity == 0 ? 8 : d->capacity * 2);
}

/* Gives memory back after many removals; failure does no harm. */
static inline void shrink_locked(DequeObject *d)
{
    if (d->capacity >= 256 && d->size < d->capacity / 8 && resize_locked(d, d->capacity / 4) < 0)
        PyErr_Clear();
}

static PyObject *popleft_locked(DequeObject *d)
{
    if (d->size == 0)
        return NULL;
    PyObject *item = *deque_place(d, 0);
    d->head = (Py_ssize_t)((size_t)(d->head + 1) & (size_t)(d->capacity - 1));
    deque_set_size(d, d->size - 1);
    d->state++;
    shrink_locked(d);
    return item;
}

static PyObject *pop_locked(DequeObject *d)
{
    if (d->size == 0)
        return NULL;
    PyObject *item = *deque_place(d, d->size - 1);
    deque_set_size(d, d->size - 1);
    d->state++;
    shrink_locked(d);
    return item;
}

/* Adds the item at one end (stolen, on failure too). *dropped: what fell off the other end, or NULL. 0 or -1. */
static int append_locked(DequeObject *d, PyObject *item, int left, PyObject **dropped)
{
    *dropped = NULL;
    if (d->maxlen == 0) {
        *dropped = item;
        return 0;
    }
    if (d->maxlen > 0 && d->size >= d->maxlen)
        *dropped = left ? pop_locked(d) : popleft_locked(d);
    if (reserve_locked(d) < 0) {
        Py_XDECREF(*dropped);
        *dropped = item;
        return -1;
    }
    if (left)
        d->head = (Py_ssize_t)((size_t)(d->head - 1) & (size_t)(d->capacity - 1));
    deque_set_size(d, d->size + 1);
    *deque_place(d, left ? 0 : d->size - 1) = item;
    d->state++;
    return 0;
}

/* Steals item. 0 or -1. */
static int append_item(DequeObject *d, PyObject *item, int left)
{
    PyObject *dropped;
    int result;
    Py_BEGIN_CRITICAL_SECTION(d);
    result = append_locked(d, item, left, &dropped);
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(dropped);
    return result;
}

/* Turns by n places to the right, 0 < n < size. */
static int rotate_locked(DequeObject *d, Py_ssize_t n)
{
    Py_ssize_t size = d->size;
    if (size <= 1)
        return 0;
    n %= size;
    if (n < 0)
        n += size;
    if (n == 0)
        return 0;
    d->state++;
    if (size == d->capacity) {      /* a full ring turns by itself */
        d->head = (Py_ssize_t)((size_t)(d->head - n) & (size_t)(d->capacity - 1));
        return 0;
    }
    size_t mask = (size_t)(d->capacity - 1);
    if (n <= size / 2) {
        for (Py_ssize_t i = 0; i < n; i++) {
            PyObject *item = *deque_place(d, size - 1);
            d->head = (Py_ssize_t)((size_t)(d->head - 1) & mask);
            *deque_place(d, 0) = item;
        }
    }
    else {
        for (Py_ssize_t i = 0; i < size - n; i++) {
            PyObject *item = *deque_place(d, 0);
            d->head = (Py_ssize_t)((size_t)(d->head + 1) & mask);
            *deque_place(d, size - 1) = item;
        }
    }
    return 0;
}

/* Takes out the item at i; the others close the gap. */
static PyObject *remove_at_locked(DequeObject *d, Py_ssize_t i)
{
    PyObject *item = *deque_place(d, i);
    if (i < d->size / 2) {
        for (; i > 0; i--)
            *deque_place(d, i) = *deque_place(d, i - 1);
        d->head = (Py_ssize_t)((size_t)(d->head + 1) & (size_t)(d->capacity - 1));
    }
    else {
        for (; i < d->size - 1; i++)
            *deque_place(d, i) = *deque_place(d, i + 1);
    }
    deque_set_size(d, d->size - 1);
    d->state++;
    shrink_locked(d);
    return item;
}

/* Takes all items out: the ring and its geometry move to *old, whose items the caller drops. */
static void take_all_locked(DequeObject *d, DequeObject *old)
{
    old->ring = d->ring;
    old->capacity = d->capacity;
    old->head = d->head;
    old->size = d->size;
    d->ring = NULL;
    d->capacity = d->head = 0;
    deque_set_size(d, 0);
    d->state++;
}

static void drop_all(DequeObject *old)
{
    for (Py_ssize_t i = 0; i < old->size; i++)
        Py_DECREF(*deque_place(old, i));
    PyMem_Free(old->ring);
}

static int deque_clear(PyObject *op)
{
    DequeObject *d = (DequeObject *)op, old;
    Py_BEGIN_CRITICAL_SECTION(op);
    take_all_locked(d, &old);
    Py_END_CRITICAL_SECTION();
    drop_all(&old);
    return 0;
}

/* A tuple of the items at this moment, and the state. */
static PyObject *snapshot(DequeObject *d, size_t *state)
{
    PyObject *tuple;
    Py_BEGIN_CRITICAL_SECTION(d);
    tuple = PyTuple_New(d->size);
    if (tuple != NULL)
        for (Py_ssize_t i = 0; i < d->size; i++)
            PyTuple_SET_ITEM(tuple, i, Py_NewRef(*deque_place(d, i)));
    if (state != NULL)
        *state = d->state;
    Py_END_CRITICAL_SECTION();
    return tuple;
}

/* A new reference to item i if the deque is still in that state; else NULL. *size: its length. */
static PyObject *item_in_state(DequeObject *d, Py_ssize_t i, size_t state, int *changed)
{
    PyObject *item = NULL;
    Py_BEGIN_CRITICAL_SECTION(d);
    *changed = d->state != state;
    if (!*changed && i < d->size)
        item = Py_NewRef(*deque_place(d, i));
    Py_END_CRITICAL_SECTION();
    return item;
}

static size_t current_state(DequeObject *d, Py_ssize_t *size)
{
    size_t state;
    Py_BEGIN_CRITICAL_SECTION(d);
    state = d->state;
    *size = d->size;
    Py_END_CRITICAL_SECTION();
    return state;
}

/* ---- Adding and removing ---- */

static PyObject *deque_append(PyObject *op, PyObject *item)
{
    return append_item((DequeObject *)op, Py_NewRef(item), 0) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *deque_appendleft(PyObject *op, PyObject *item)
{
    return append_item((DequeObject *)op, Py_NewRef(item), 1) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *empty_error(void)
{
    PyErr_SetString(PyExc_IndexError, "pop from an empty deque");
    return NULL;
}

static PyObject *deque_pop(PyObject *op, PyObject *unused)
{
    PyObject *item;
    Py_BEGIN_CRITICAL_SECTION(op);
    item = pop_locked((DequeObject *)op);
    Py_END_CRITICAL_SECTION();
    return item == NULL ? empty_error() : item;
}

static PyObject *deque_popleft(PyObject *op, PyObject *unused)
{
    PyObject *item;
    Py_BEGIN_CRITICAL_SECTION(op);
    item = popleft_locked((DequeObject *)op);
    Py_END_CRITICAL_SECTION();
    return item == NULL ? empty_error() : item;
}

/* Adds the items of an iterable, one by one. 0 or -1. */
static int extend(DequeObject *d, PyObject *iterable, int left)
{
    PyObject *it;
    if (iterable == (PyObject *)d) {
        PyObject *items = snapshot(d, NULL);
        it = items == NULL ? NULL : PyObject_GetIter(items);
        Py_XDECREF(items);
    }
    else {
        it = PyObject_GetIter(iterable);
    }
    if (it == NULL)
        return -1;
    PyObject *item;
    int result = 0;
    while (result == 0 && (item = PyIter_Next(it)) != NULL)
        result = append_item(d, item, left);
    Py_DECREF(it);
    return result < 0 || PyErr_Occurred() ? -1 : 0;
}

static PyObject *deque_extend(PyObject *op, PyObject *iterable)
{
    return extend((DequeObject *)op, iterable, 0) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *deque_extendleft(PyObject *op, PyObject *iterable)
{
    return extend((DequeObject *)op, iterable, 1) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *deque_inplace_concat(PyObject *op, PyObject *other)
{
    return extend((DequeObject *)op, other, 0) < 0 ? NULL : Py_NewRef(op);
}

static PyObject *deque_clear_method(PyObject *op, PyObject *unused)
{
    (void)deque_clear(op);
    Py_RETURN_NONE;
}

static PyObject *deque_rotate(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t n = 1;
    if (!_PyArg_CheckPositional("deque.rotate", nargs, 0, 1))
        return NULL;
    if (nargs == 1) {
        PyObject *index = PyNumber_Index(args[0]);
        if (index == NULL)
            return NULL;
        n = PyLong_AsSsize_t(index);
        Py_DECREF(index);
        if (n == -1 && PyErr_Occurred())
            return NULL;
    }
    Py_BEGIN_CRITICAL_SECTION(op);
    rotate_locked((DequeObject *)op, n);
    Py_END_CRITICAL_SECTION();
    Py_RETURN_NONE;
}

static PyObject *deque_reverse(PyObject *op, PyObject *unused)
{
    DequeObject *d = (DequeObject *)op;
    Py_BEGIN_CRITICAL_SECTION(op);
    for (Py_ssize_t i = 0, j = d->size - 1; i < j; i++, j--) {
        PyObject *item = *deque_place(d, i);
        *deque_place(d, i) = *deque_place(d, j);
        *deque_place(d, j) = item;
    }
    Py_END_CRITICAL_SECTION();
    Py_RETURN_NONE;
}

static PyObject *deque_insert(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    DequeObject *d = (DequeObject *)op;
    if (!_PyArg_CheckPositional("insert", nargs, 2, 2))
        return NULL;
    PyObject *number = PyNumber_Index(args[0]), *dropped = NULL;
    if (number == NULL)
        return NULL;
    Py_ssize_t i = PyLong_AsSsize_t(number);
    Py_DECREF(number);
    if (i == -1 && PyErr_Occurred())
        return NULL;
    int result = -1, full;
    Py_BEGIN_CRITICAL_SECTION(op);
    full = d->maxlen >= 0 && d->size >= d->maxlen;
    if (!full) {
        Py_ssize_t n = d->size;
        if (i < 0)
            i = i + n < 0 ? 0 : i + n;
        if (i > n)
            i = n;
        result = append_locked(d, Py_NewRef(args[1]), 0, &dropped);
        if (result == 0) {
            PyObject *item = *deque_place(d, n);
            for (Py_ssize_t k = n; k > i; k--)
                *deque_place(d, k) = *deque_place(d, k - 1);
            *deque_place(d, i) = item;
        }
    }
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(dropped);
    if (full)
        PyErr_SetString(PyExc_IndexError, "deque already at its maximum size");
    return result < 0 ? NULL : Py_NewRef(Py_None);
}

/* ---- Searching ---- */

static int mutated(void)
{
    PyErr_SetString(PyExc_RuntimeError, "deque mutated during iteration");
    return -1;
}

/* Position of value in [start, stop), from the left; -1: none; -2: exception. If counting, the number of all of them. */
static Py_ssize_t search(DequeObject *d, PyObject *value, Py_ssize_t start, Py_ssize_t stop, int counting)
{
    Py_ssize_t size, count = 0;
    size_t state = current_state(d, &size);
    if (stop > size)
        stop = size;
    for (Py_ssize_t i = start; i < stop; i++) {
        int changed;
        PyObject *item = item_in_state(d, i, state, &changed);
        if (item == NULL) {
            mutated();
            return -2;
        }
        int equal = PyObject_RichCompareBool(item, value, Py_EQ);
        Py_DECREF(item);
        if (equal < 0)
            return -2;
        if (equal > 0 && !counting)
            return i;
        count += equal;
        if (current_state(d, &size) != state) {
            mutated();
            return -2;
        }
    }
    return counting ? count : -1;
}

static PyObject *deque_count(PyObject *op, PyObject *value)
{
    Py_ssize_t n = search((DequeObject *)op, value, 0, PY_SSIZE_T_MAX, 1);
    return n < 0 ? NULL : PyLong_FromSsize_t(n);
}

static int deque_contains(PyObject *op, PyObject *value)
{
    Py_ssize_t i = search((DequeObject *)op, value, 0, PY_SSIZE_T_MAX, 0);
    return i == -2 ? -1 : i >= 0;
}

/* An argument of index(): any int, clipped. 0 or -1. */
static int slice_bound(PyObject *arg, Py_ssize_t *out)
{
    if (!PyIndex_Check(arg)) {
        PyErr_SetString(PyExc_TypeError, "slice indices must be integers or have an __index__ method");
        return -1;
    }
    *out = PyNumber_AsSsize_t(arg, NULL);
    return *out == -1 && PyErr_Occurred() ? -1 : 0;
}

static PyObject *deque_index(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    DequeObject *d = (DequeObject *)op;
    Py_ssize_t size, start = 0, stop = PY_SSIZE_T_MAX;
    if (!_PyArg_CheckPositional("index", nargs, 1, 3))
        return NULL;
    if ((nargs > 1 && slice_bound(args[1], &start) < 0) || (nargs > 2 && slice_bound(args[2], &stop) < 0))
        return NULL;
    (void)current_state(d, &size);
    if (start < 0)
        start = start + size < 0 ? 0 : start + size;
    if (stop < 0)
        stop = stop + size < 0 ? 0 : stop + size;
    Py_ssize_t i = search(d, args[0], start, stop, 0);
    if (i >= 0)
        return PyLong_FromSsize_t(i);
    if (i == -1)
        PyErr_Format(PyExc_ValueError, "%R is not in deque", args[0]);
    return NULL;
}

static PyObject *deque_remove(PyObject *op, PyObject *value)
{
    DequeObject *d = (DequeObject *)op;
    Py_ssize_t size;
    size_t state = current_state(d, &size);
    for (Py_ssize_t i = 0; i < size; i++) {
        int changed = 0;
        PyObject *item = item_in_state(d, i, state, &changed), *removed = NULL;
        if (item != NULL) {
            int equal = PyObject_RichCompareBool(item, value, Py_EQ);
            Py_DECREF(item);
            if (equal < 0)
                return NULL;
            Py_BEGIN_CRITICAL_SECTION(op);
            changed = d->state != state;
            if (!changed && equal)
                removed = remove_at_locked(d, i);
            Py_END_CRITICAL_SECTION();
        }
        if (removed != NULL) {
            Py_DECREF(removed);
            Py_RETURN_NONE;
        }
        if (changed) {
            PyErr_SetString(PyExc_IndexError, "deque mutated during remove().");
            return NULL;
        }
    }
    PyErr_SetString(PyExc_ValueError, "deque.remove(x): x not in deque");
    return NULL;
}

/* ---- Sequence slots ---- */

static Py_ssize_t deque_length(PyObject *op)
{
    return __atomic_load_n(&((DequeObject *)op)->size, __ATOMIC_RELAXED);
}

static PyObject *deque_item(PyObject *op, Py_ssize_t i)
{
    DequeObject *d = (DequeObject *)op;
    PyObject *item = NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    if (i >= 0 && i < d->size)
        item = Py_NewRef(*deque_place(d, i));
    Py_END_CRITICAL_SECTION();
    if (item == NULL)
        PyErr_SetString(PyExc_IndexError, "deque index out of range");
    return item;
}

static int deque_ass_item(PyObject *op, Py_ssize_t i, PyObject *value)
{
    DequeObject *d = (DequeObject *)op;
    PyObject *old = NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    if (i >= 0 && i < d->size) {
        if (value == NULL) {
            old = remove_at_locked(d, i);
        }
        else {
            old = *deque_place(d, i);
            *deque_place(d, i) = Py_NewRef(value);
        }
    }
    Py_END_CRITICAL_SECTION();
    if (old == NULL) {
        PyErr_SetString(PyExc_IndexError, "deque index out of range");
        return -1;
    }
    Py_DECREF(old);
    return 0;
}

static Py_ssize_t get_maxlen(DequeObject *d)
{
    return __atomic_load_n(&d->maxlen, __ATOMIC_RELAXED);
}

/* A deque of the same type, items and maxlen. */
static PyObject *deque_copy(PyObject *op, PyObject *unused)
{
    DequeObject *d = (DequeObject *)op;
    Py_ssize_t maxlen = get_maxlen(d);
    PyObject *result;
    if (Py_TYPE(op) == &deque_type) {
        result = deque_type.tp_new(&deque_type, NULL, NULL);
        if (result == NULL)
            return NULL;
        ((DequeObject *)result)->maxlen = maxlen;
        PyObject *items = snapshot(d, NULL);
        if (items == NULL || extend((DequeObject *)result, items, 0) < 0)
            Py_CLEAR(result);
        Py_XDECREF(items);
        return result;
    }
    if (maxlen < 0)
        result = PyObject_CallOneArg((PyObject *)Py_TYPE(op), op);
    else
        result = PyObject_CallFunction((PyObject *)Py_TYPE(op), "On", op, maxlen);
    if (result != NULL && !PyObject_TypeCheck(result, &deque_type)) {
        PyErr_Format(PyExc_TypeError, "%.200s() must return a deque, not %.200s", Py_TYPE(op)->tp_name,
                     Py_TYPE(result)->tp_name);
        Py_CLEAR(result);
    }
    return result;
}

static PyObject *deque_concat(PyObject *op, PyObject *other)
{
    if (!PyObject_TypeCheck(other, &deque_type)) {
        PyErr_Format(PyExc_TypeError, "can only concatenate deque (not \"%.200s\") to deque", Py_TYPE(other)->tp_name);
        return NULL;
    }
    PyObject *result = deque_copy(op, NULL);
    if (result != NULL && extend((DequeObject *)result, other, 0) < 0)
        Py_CLEAR(result);
    return result;
}

static PyObject *deque_inplace_repeat(PyObject *op, Py_ssize_t n)
{
    DequeObject *d = (DequeObject *)op;
    if (n <= 0) {
        (void)deque_clear(op);
        return Py_NewRef(op);
    }
    PyObject *items = snapshot(d, NULL);
    if (items == NULL)
        return NULL;
    Py_ssize_t size = PyTuple_GET_SIZE(items), total, maxlen = get_maxlen(d);
    if (size == 0 || n == 1)
        goto done;
    if (maxlen >= 0 && (__builtin_mul_overflow(size, n, &total) || total > maxlen))
        n = maxlen / size + 2 < n ? maxlen / size + 2 : n;      /* as much as can still be seen at the end */
    if (__builtin_mul_overflow(size, n, &total) || total > PY_SSIZE_T_MAX / (Py_ssize_t)sizeof(PyObject *)) {
        PyErr_NoMemory();
        Py_DECREF(items);
        return NULL;
    }
    /* copies end exactly where n whole repetitions end, so with a maxlen the last items are the right ones */
    for (Py_ssize_t k = 1; k < n; k++) {
        for (Py_ssize_t i = 0; i < size; i++) {
            if (append_item(d, Py_NewRef(PyTuple_GET_ITEM(items, i)), 0) < 0) {
                Py_DECREF(items);
                return NULL;
            }
        }
    }
done:
    Py_DECREF(items);
    return Py_NewRef(op);
}

static PyObject *deque_repeat(PyObject *op, Py_ssize_t n)
{
    PyObject *copy = deque_copy(op, NULL);
    if (copy == NULL)
        return NULL;
    PyObject *result = deque_inplace_repeat(copy, n);
    Py_DECREF(copy);
    return result;
}

/* ---- Comparison, representation, pickling ---- */

static PyObject *deque_richcompare(PyObject *a, PyObject *b, int op)
{
    if (!PyObject_TypeCheck(a, &deque_type) || !PyObject_TypeCheck(b, &deque_type))
        Py_RETURN_NOTIMPLEMENTED;
    DequeObject *x = (DequeObject *)a, *y = (DequeObject *)b;
    Py_ssize_t size_a, size_b, i;
    size_t state_a = current_state(x, &size_a), state_b = current_state(y, &size_b);
    if (size_a != size_b && (op == Py_EQ || op == Py_NE))
        return PyBool_FromLong(op == Py_NE);
    for (i = 0; i < size_a && i < size_b; i++) {
        int changed_a, changed_b;
        PyObject *left = item_in_state(x, i, state_a, &changed_a), *right = item_in_state(y, i, state_b, &changed_b);
        if (left == NULL || right == NULL) {
            Py_XDECREF(left);
            Py_XDECREF(right);
            mutated();
            return NULL;
        }
        int equal = PyObject_RichCompareBool(left, right, Py_EQ);
        PyObject *result = NULL;
        if (equal == 0)
            result = op == Py_EQ   ? Py_NewRef(Py_False)
                     : op == Py_NE ? Py_NewRef(Py_True)
                                   : PyObject_RichCompare(left, right, op);
        Py_DECREF(left);
        Py_DECREF(right);
        if (equal <= 0)
            return result;
    }
    Py_RETURN_RICHCOMPARE(size_a, size_b, op);
}

static PyObject *deque_repr(PyObject *op)
{
    DequeObject *d = (DequeObject *)op;
    int entered = Py_ReprEnter(op);
    if (entered != 0)
        return entered < 0 ? NULL : PyUnicode_FromString("[...]");
    PyObject *list = PySequence_List(op), *result = NULL;
    const char *dot = strrchr(Py_TYPE(op)->tp_name, '.'), *name = dot == NULL ? Py_TYPE(op)->tp_name : dot + 1;
    Py_ssize_t maxlen = get_maxlen(d);
    if (list != NULL) {
        if (maxlen >= 0)
            result = PyUnicode_FromFormat("%s(%R, maxlen=%zd)", name, list, maxlen);
        else
            result = PyUnicode_FromFormat("%s(%R)", name, list);
        Py_DECREF(list);
    }
    Py_ReprLeave(op);
    return result;
}

static PyObject *deque_reduce(PyObject *op, PyObject *unused)
{
    PyObject *state = _PyObject_GetState(op), *it;
    Py_ssize_t maxlen = get_maxlen((DequeObject *)op);
    if (state == NULL)
        return NULL;
    it = PyObject_GetIter(op);
    if (it == NULL) {
        Py_DECREF(state);
        return NULL;
    }
    if (maxlen < 0)
        return Py_BuildValue("O()NN", Py_TYPE(op), state, it);
    return Py_BuildValue("O(()n)NN", Py_TYPE(op), maxlen, state, it);
}

static PyObject *deque_sizeof(PyObject *op, PyObject *unused)
{
    DequeObject *d = (DequeObject *)op;
    size_t size;
    Py_BEGIN_CRITICAL_SECTION(op);
    size = (size_t)Py_TYPE(op)->tp_basicsize + (size_t)d->capacity * sizeof(PyObject *);
    Py_END_CRITICAL_SECTION();
    return PyLong_FromSize_t(size);
}

static PyObject *deque_get_maxlen(PyObject *op, void *closure)
{
    Py_ssize_t maxlen = get_maxlen((DequeObject *)op);
    return maxlen < 0 ? Py_NewRef(Py_None) : PyLong_FromSsize_t(maxlen);
}

/* ---- The type ---- */

static PyObject *deque_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    DequeObject *d = (DequeObject *)type->tp_alloc(type, 0);
    if (d != NULL)
        d->maxlen = -1;
    return (PyObject *)d;
}

static int deque_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"iterable", "maxlen", NULL};
    DequeObject *d = (DequeObject *)op;
    PyObject *iterable = NULL, *maxlen_arg = NULL;
    Py_ssize_t maxlen = -1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OO:deque", keywords, &iterable, &maxlen_arg))
        return -1;
    if (maxlen_arg != NULL && maxlen_arg != Py_None) {
        maxlen = PyLong_AsSsize_t(maxlen_arg);
        if (maxlen == -1 && PyErr_Occurred())
            return -1;
        if (maxlen < 0) {
            PyErr_SetString(PyExc_ValueError, "maxlen must be non-negative");
            return -1;
        }
    }
    Py_BEGIN_CRITICAL_SECTION(op);
    d->maxlen = maxlen;
    Py_END_CRITICAL_SECTION();
    if (deque_length(op) > 0)
        (void)deque_clear(op);
    return iterable == NULL ? 0 : extend(d, iterable, 0);
}

static void deque_dealloc(PyObject *op)
{
    DequeObject *d = (DequeObject *)op;
    PyObject_GC_UnTrack(op);
    if (_PyObject_HAS_WEAKREFS(d->weakrefs))
        PyObject_ClearWeakRefs(op);
    drop_all(d);
    Py_TYPE(op)->tp_free(op);
}

static int deque_traverse(PyObject *op, visitproc visit, void *arg)
{
    DequeObject *d = (DequeObject *)op;
    for (Py_ssize_t i = 0; i < d->size; i++)
        Py_VISIT(*deque_place(d, i));
    return 0;
}

static PyMethodDef deque_methods[] = {
    {"append", deque_append, METH_O, "Add an element to the right side of the deque."},
    {"appendleft", deque_appendleft, METH_O, "Add an element to the left side of the deque."},
    {"clear", deque_clear_method, METH_NOARGS, "Remove all elements from the deque."},
    {"copy", deque_copy, METH_NOARGS, "Return a shallow copy of a deque."},
    {"__copy__", deque_copy, METH_NOARGS, "Return a shallow copy of a deque."},
    {"count", deque_count, METH_O, "D.count(value) -- return number of occurrences of value"},
    {"extend", deque_extend, METH_O, "Extend the right side of the deque with elements from the iterable"},
    {"extendleft", deque_extendleft, METH_O, "Extend the left side of the deque with elements from the iterable"},
    MODULE_METHOD("index", deque_index, METH_FASTCALL,
                  "D.index(value, [start, [stop]]) -- return first index of value.\n"
                  "Raises ValueError if the value is not present."),
    MODULE_METHOD("insert", deque_insert, METH_FASTCALL, "D.insert(index, object) -- insert object before index"),
    {"pop", deque_pop, METH_NOARGS, "Remove and return the rightmost element."},
    {"popleft", deque_popleft, METH_NOARGS, "Remove and return the leftmost element."},
    {"remove", deque_remove, METH_O, "D.remove(value) -- remove first occurrence of value."},
    {"reverse", deque_reverse, METH_NOARGS, "D.reverse() -- reverse *IN PLACE*"},
    MODULE_METHOD("rotate", deque_rotate, METH_FASTCALL,
                  "Rotate the deque n steps to the right (default n=1).  If n is negative, rotates left."),
    {"__reduce__", deque_reduce, METH_NOARGS, "Return state information for pickling."},
    {"__reversed__", deque_reversed, METH_NOARGS, "D.__reversed__() -- return a reverse iterator over the deque"},
    {"__sizeof__", deque_sizeof, METH_NOARGS, "D.__sizeof__() -- size of D in memory, in bytes"},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "See PEP 585"},
    {NULL},
};

static PyGetSetDef deque_getset[] = {
    {"maxlen", deque_get_maxlen, NULL, "maximum size of a deque or None if unbounded", NULL},
    {NULL},
};

static PySequenceMethods deque_as_sequence = {
    .sq_length = deque_length,
    .sq_concat = deque_concat,
    .sq_repeat = deque_repeat,
    .sq_item = deque_item,
    .sq_ass_item = deque_ass_item,
    .sq_contains = deque_contains,
    .sq_inplace_concat = deque_inplace_concat,
    .sq_inplace_repeat = deque_inplace_repeat,
};

PyTypeObject deque_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "collections.deque",
    .tp_basicsize = sizeof(DequeObject),
    .tp_dealloc = deque_dealloc,
    .tp_repr = deque_repr,
    .tp_as_sequence = &deque_as_sequence,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_SEQUENCE,
    .tp_doc = "deque([iterable[, maxlen]]) --> deque object\n\n"
              "A list-like sequence that is quick at both of its ends.",
    .tp_traverse = deque_traverse,
    .tp_clear = deque_clear,
    .tp_richcompare = deque_richcompare,
    .tp_weaklistoffset = offsetof(DequeObject, weakrefs),
    .tp_iter = deque_iter_new,
    .tp_methods = deque_methods,
    .tp_getset = deque_getset,
    .tp_init = deque_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = deque_new,
    .tp_free = PyObject_GC_Del,
};
