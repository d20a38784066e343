/* Sorting: a stable, adaptive merge sort.
 *
 * Natural runs (short ones are filled up by binary insertion) are merged in the order of powersort (Munro and Wild 2018), which
 * comes within a constant of the best merge tree without looking ahead.  A merge copies the shorter run aside and switches to
 * galloping (exponential search) while one side keeps winning (the idea of timsort).
 *
 * All algorithms are inline functions with the comparison as a constant argument, so each kind of key (small ints, floats,
 * strings, tuples, one type, anything) gets its own copy in which the comparison is inline too. */
#include "list.h"
#include "call.h"
#include "../Python/memory/allocator.h"

#define MIN_MERGE 64
#define MIN_GALLOP 7
#define MAX_RUNS 70

struct run {
    Py_ssize_t start, length;
    int power;                  /* of the boundary to the next run */
};

struct sorter {
    PyObject **keys, **values;  /* values: NULL or moved along with keys */
    PyObject **spare, **spare_values;
    Py_ssize_t spare_size;
    Py_ssize_t min_gallop;
    richcmpfunc compare;        /* of all keys, for LESS_ONE_TYPE */
    int first_kind;             /* of the first items of tuples */
    struct run runs[MAX_RUNS];
    int run_count;
};

/* 1: a < b; 0: not; -1: exception. */
typedef int (*less_func)(struct sorter *s, PyObject *a, PyObject *b);

/* ---- Kinds of keys ---- */

enum { LESS_INT, LESS_FLOAT, LESS_STR, LESS_ONE_TYPE, LESS_TUPLE, LESS_ANY };

static inline Py_ALWAYS_INLINE int less_int(struct sorter *s, PyObject *a, PyObject *b)
{
    return (intptr_t)a < (intptr_t)b;
}
static inline Py_ALWAYS_INLINE int less_float(struct sorter *s, PyObject *a, PyObject *b)
{
    return value_get_float(a) < value_get_float(b);
}
static inline Py_ALWAYS_INLINE int less_str(struct sorter *s, PyObject *a, PyObject *b)
{
    if (PyUnicode_KIND(a) != PyUnicode_1BYTE_KIND || PyUnicode_KIND(b) != PyUnicode_1BYTE_KIND)
        return unicode_compare(a, b) < 0;
    Py_ssize_t n = PyUnicode_GET_LENGTH(a), m = PyUnicode_GET_LENGTH(b);
    const Py_UCS1 *x = PyUnicode_1BYTE_DATA(a), *y = PyUnicode_1BYTE_DATA(b);
    if (x[0] != y[0])               /* an empty string ends with a zero, too */
        return x[0] < y[0];
    int order = memcmp(x, y, (size_t)Py_MIN(n, m));
    return order < 0 || (order == 0 && n < m);
}
static int less_any(struct sorter *s, PyObject *a, PyObject *b)
{
    return PyObject_RichCompareBool(a, b, Py_LT);
}
/* All keys have one type whose comparison is s->compare. */
static int less_one_type(struct sorter *s, PyObject *a, PyObject *b)
{
    if (Py_TYPE(a)->tp_richcompare != s->compare)       /* code that ran meanwhile has changed the class */
        return PyObject_RichCompareBool(a, b, Py_LT);
    PyObject *result = s->compare(a, b, Py_LT);
    if (result == NULL)
        return -1;
    int less = result == Py_True;
    if (result == Py_NotImplemented)
        less = PyObject_RichCompareBool(a, b, Py_LT);
    else if (!PyBool_Check(result))
        less = PyObject_IsTrue(result);
    Py_DECREF(result);
    return less;
}
/* All keys are tuples with at least one item; their first items are of s->first_kind. */
static int less_tuple(struct sorter *s, PyObject *a, PyObject *b)
{
    Py_ssize_t n = Py_MIN(PyTuple_GET_SIZE(a), PyTuple_GET_SIZE(b)), i;
    for (i = 0; i < n; i++) {
        PyObject *x = PyTuple_GET_ITEM(a, i), *y = PyTuple_GET_ITEM(b, i);
        int equal = container_equal_racy(x, y);
        if (equal < 0)
            equal = PyObject_RichCompareBool(x, y, Py_EQ);
        if (equal < 0)
            return -1;
        if (!equal)
            break;
    }
    if (i == n)
        return PyTuple_GET_SIZE(a) < PyTuple_GET_SIZE(b);
    PyObject *x = PyTuple_GET_ITEM(a, i), *y = PyTuple_GET_ITEM(b, i);
    if (i == 0) {
        switch (s->first_kind) {
        case LESS_INT: return less_int(s, x, y);
        case LESS_FLOAT: return less_float(s, x, y);
        case LESS_STR: return less_str(s, x, y);
        case LESS_ONE_TYPE: return less_one_type(s, x, y);
        }
    }
    return PyObject_RichCompareBool(x, y, Py_LT);
}

static PyObject *key_at(PyObject **keys, Py_ssize_t i, int first_items)
{
    return first_items ? PyTuple_GET_ITEM(keys[i], 0) : keys[i];
}

/* Kind of all keys (or of the first items of all keys, which are tuples then). */
static int kind_of(PyObject **keys, Py_ssize_t n, int first_items, richcmpfunc *compare)
{
    PyTypeObject *type = Py_TYPE(key_at(keys, 0, first_items));
    int immediate = 1;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *key = key_at(keys, i, first_items);
        if (Py_TYPE(key) != type)
            return LESS_ANY;
        immediate &= value_is_immediate(key);
    }
    *compare = type->tp_richcompare;
    if (immediate)
        return type == &PyLong_Type ? LESS_INT : LESS_FLOAT;
    if (type == &PyUnicode_Type)
        return LESS_STR;
    return *compare != NULL ? LESS_ONE_TYPE : LESS_ANY;
}

static int choose_kind(struct sorter *s, Py_ssize_t n)
{
    int kind = kind_of(s->keys, n, 0, &s->compare);
    if (kind != LESS_ONE_TYPE || !PyTuple_CheckExact(s->keys[0]))
        return kind;
    for (Py_ssize_t i = 0; i < n; i++)
        if (PyTuple_GET_SIZE(s->keys[i]) == 0)
            return LESS_ONE_TYPE;
    s->first_kind = kind_of(s->keys, n, 1, &s->compare);
    return LESS_TUPLE;
}

/* ---- Moving ---- */

static void reverse(PyObject **items, Py_ssize_t n)
{
    if (items == NULL)
        return;
    for (Py_ssize_t i = 0, j = n - 1; i < j; i++, j--) {
        PyObject *left = items[i];
        items[i] = items[j];
        items[j] = left;
    }
}

static int need_spare(struct sorter *s, Py_ssize_t n)
{
    if (n <= s->spare_size)
        return 0;
    block_free(s->spare);
    s->spare_size = 0;
    s->spare_values = NULL;
    s->spare = block_malloc((size_t)n * sizeof(PyObject *) * (s->values != NULL ? 2 : 1));
    if (s->spare == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    s->spare_size = n;
    if (s->values != NULL)
        s->spare_values = s->spare + n;
    return 0;
}

static inline Py_ALWAYS_INLINE void move(struct sorter *s, Py_ssize_t to, Py_ssize_t from, Py_ssize_t n)
{
    memmove(s->keys + to, s->keys + from, (size_t)n * sizeof(PyObject *));
    if (s->values != NULL)
        memmove(s->values + to, s->values + from, (size_t)n * sizeof(PyObject *));
}
static inline Py_ALWAYS_INLINE void move_from_spare(struct sorter *s, Py_ssize_t to, Py_ssize_t from, Py_ssize_t n)
{
    memcpy(s->keys + to, s->spare + from, (size_t)n * sizeof(PyObject *));
    if (s->values != NULL)
        memcpy(s->values + to, s->spare_values + from, (size_t)n * sizeof(PyObject *));
}
static inline Py_ALWAYS_INLINE void move_to_spare(struct sorter *s, Py_ssize_t from, Py_ssize_t n)
{
    memcpy(s->spare, s->keys + from, (size_t)n * sizeof(PyObject *));
    if (s->values != NULL)
        memcpy(s->spare_values, s->values + from, (size_t)n * sizeof(PyObject *));
}
static inline Py_ALWAYS_INLINE void move_one(struct sorter *s, Py_ssize_t to, Py_ssize_t from)
{
    s->keys[to] = s->keys[from];
    if (s->values != NULL)
        s->values[to] = s->values[from];
}
static inline Py_ALWAYS_INLINE void move_one_from_spare(struct sorter *s, Py_ssize_t to, Py_ssize_t from)
{
    s->keys[to] = s->spare[from];
    if (s->values != NULL)
        s->values[to] = s->spare_values[from];
}

/* ---- Runs ---- */

/* Length of the run that starts at `low`; a strictly descending one is turned round. -1: exception. */
static inline Py_ALWAYS_INLINE Py_ssize_t find_run(struct sorter *s, Py_ssize_t low, Py_ssize_t high, less_func less)
{
    PyObject **keys = s->keys;
    Py_ssize_t i = low + 1;
    if (i == high)
        return 1;
    int down = less(s, keys[i], keys[i - 1]);
    if (down < 0)
        return -1;
    for (i++; i < high; i++) {
        int less_now = less(s, keys[i], keys[i - 1]);
        if (less_now < 0)
            return -1;
        if (less_now != down)
            break;
    }
    if (down) {
        reverse(keys + low, i - low);
        if (s->values != NULL)
            reverse(s->values + low, i - low);
    }
    return i - low;
}

/* Sorts [low, high), of which [low, start) is sorted. */
static inline Py_ALWAYS_INLINE int insertion_sort(struct sorter *s, Py_ssize_t low, Py_ssize_t start, Py_ssize_t high,
                                                  less_func less)
{
    for (; start < high; start++) {
        PyObject *key = s->keys[start], *value = s->values != NULL ? s->values[start] : NULL;
        Py_ssize_t left = low, right = start;
        while (left < right) {
            Py_ssize_t middle = left + ((right - left) >> 1);
            int is_less = less(s, key, s->keys[middle]);
            if (is_less < 0)
                return -1;
            if (is_less)
                right = middle;
            else
                left = middle + 1;
        }
        for (Py_ssize_t i = start; i > left; i--)
            s->keys[i] = s->keys[i - 1];
        s->keys[left] = key;
        if (s->values != NULL) {
            memmove(s->values + left + 1, s->values + left, (size_t)(start - left) * sizeof(PyObject *));
            s->values[left] = value;
        }
    }
    return 0;
}

/* ---- Galloping ---- */

/* Is items[i] in front of where key goes?  after_equals: key goes behind its equals. */
static inline Py_ALWAYS_INLINE int goes_before(struct sorter *s, PyObject *item, PyObject *key, int after_equals,
                                               less_func less)
{
    if (!after_equals)
        return less(s, item, key);
    int is_less = less(s, key, item);
    return is_less < 0 ? -1 : !is_less;
}

/* How many of the n sorted items go before key.  Looks near the front first, or near the end.  -1: exception. */
static inline Py_ALWAYS_INLINE Py_ssize_t gallop(struct sorter *s, PyObject *key, PyObject **items, Py_ssize_t n,
                                                 int after_equals, int from_end, less_func less)
{
    Py_ssize_t low = 0, high = n, reach = 1;    /* items below low go before key, those from high on do not */
    while (low < high) {
        Py_ssize_t i = from_end ? n - reach : reach - 1;
        if (i < low || i >= high)
            break;
        int before = goes_before(s, items[i], key, after_equals, less);
        if (before < 0)
            return -1;
        if (before)
            low = i + 1;
        else
            high = i;
        if (before == from_end)
            break;
        reach = reach * 2 + 1;
    }
    while (low < high) {
        Py_ssize_t middle = low + ((high - low) >> 1);
        int before = goes_before(s, items[middle], key, after_equals, less);
        if (before < 0)
            return -1;
        if (before)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* ---- Merging ---- */

/* Merges [a, a+na) and [a+na, a+na+nb) from the front; na <= nb. */
static inline Py_ALWAYS_INLINE int merge_low(struct sorter *s, Py_ssize_t a, Py_ssize_t na, Py_ssize_t nb, less_func less)
{
    Py_ssize_t left = 0, right = a + na, end = a + na + nb, to = a, left_wins = 0, right_wins = 0, count;
    int result = -1;
    if (need_spare(s, na) < 0)
        return -1;
    move_to_spare(s, a, na);
    for (;;) {
        int is_less = less(s, s->keys[right], s->spare[left]);
        if (is_less < 0)
            goto done;
        if (is_less) {
            move_one(s, to++, right++);
            right_wins++;
            left_wins = 0;
        }
        else {
            move_one_from_spare(s, to++, left++);
            left_wins++;
            right_wins = 0;
        }
        if (right == end || left == na)
            goto finished;
        if ((left_wins | right_wins) < s->min_gallop)
            continue;
        do {
            count = left_wins = gallop(s, s->keys[right], s->spare + left, na - left, 1, 0, less);
            if (count < 0)
                goto done;
            move_from_spare(s, to, left, count);
            to += count;
            left += count;
            if (left == na)
                goto finished;
            move_one(s, to++, right++);
            if (right == end)
                goto finished;
            count = right_wins = gallop(s, s->spare[left], s->keys + right, end - right, 0, 0, less);
            if (count < 0)
                goto done;
            move(s, to, right, count);
            to += count;
            right += count;
            if (right == end)
                goto finished;
            move_one_from_spare(s, to++, left++);
            if (left == na)
                goto finished;
            if (s->min_gallop > 1)
                s->min_gallop--;
        } while (left_wins >= MIN_GALLOP || right_wins >= MIN_GALLOP);
        s->min_gallop += 2;
        left_wins = right_wins = 0;
    }
finished:
    result = 0;
done:
    /* What is left aside fits exactly between `to` and `right`. */
    move_from_spare(s, to, left, na - left);
    return result;
}

/* The same from the end; nb < na.  left, right and to are one past the next item. */
static inline Py_ALWAYS_INLINE int merge_high(struct sorter *s, Py_ssize_t a, Py_ssize_t na, Py_ssize_t nb, less_func less)
{
    Py_ssize_t left = a + na, right = nb, to = a + na + nb, left_wins = 0, right_wins = 0, count;
    int result = -1;
    if (need_spare(s, nb) < 0)
        return -1;
    move_to_spare(s, a + na, nb);
    for (;;) {
        int is_less = less(s, s->spare[right - 1], s->keys[left - 1]);
        if (is_less < 0)
            goto done;
        if (is_less) {
            move_one(s, --to, --left);
            left_wins++;
            right_wins = 0;
        }
        else {
            move_one_from_spare(s, --to, --right);
            right_wins++;
            left_wins = 0;
        }
        if (left == a || right == 0)
            goto finished;
        if ((left_wins | right_wins) < s->min_gallop)
            continue;
        do {
            count = gallop(s, s->spare[right - 1], s->keys + a, left - a, 1, 1, less);
            if (count < 0)
                goto done;
            left_wins = left - a - count;
            left -= left_wins;
            to -= left_wins;
            move(s, to, left, left_wins);
            if (left == a)
                goto finished;
            move_one_from_spare(s, --to, --right);
            if (right == 0)
                goto finished;
            count = gallop(s, s->keys[left - 1], s->spare, right, 0, 1, less);
            if (count < 0)
                goto done;
            right_wins = right - count;
            right -= right_wins;
            to -= right_wins;
            move_from_spare(s, to, right, right_wins);
            if (right == 0)
                goto finished;
            move_one(s, --to, --left);
            if (left == a)
                goto finished;
            if (s->min_gallop > 1)
                s->min_gallop--;
        } while (left_wins >= MIN_GALLOP || right_wins >= MIN_GALLOP);
        s->min_gallop += 2;
        left_wins = right_wins = 0;
    }
finished:
    result = 0;
done:
    move_from_spare(s, to - right, 0, right);
    return result;
}

/* Merges the two topmost runs. */
static inline Py_ALWAYS_INLINE int merge_top(struct sorter *s, less_func less)
{
    struct run *first = &s->runs[s->run_count - 2], *second = first + 1;
    Py_ssize_t a = first->start, na = first->length, b = second->start, nb = second->length;
    first->length = na + nb;
    first->power = second->power;
    s->run_count--;
    /* Items of the first run that are already in place, and those of the second. */
    Py_ssize_t skip = gallop(s, s->keys[b], s->keys + a, na, 1, 0, less);
    if (skip < 0)
        return -1;
    a += skip;
    na -= skip;
    if (na == 0)
        return 0;
    nb = gallop(s, s->keys[b - 1], s->keys + b, nb, 0, 1, less);
    if (nb <= 0)
        return (int)nb;
    return na <= nb ? merge_low(s, a, na, nb, less) : merge_high(s, a, na, nb, less);
}

/* Depth in the ideal merge tree of the boundary between the runs [start, start+n1) and [.., +n2): the first bit in which the
 * middles of the two, as fractions of the whole, differ. */
static int boundary_power(Py_ssize_t start, Py_ssize_t n1, Py_ssize_t n2, Py_ssize_t n)
{
    unsigned __int128 first = (unsigned __int128)(2 * (size_t)start + (size_t)n1) << 62;
    unsigned __int128 second = (unsigned __int128)(2 * (size_t)start + 2 * (size_t)n1 + (size_t)n2) << 62;
    uint64_t differ = (uint64_t)(first / (size_t)n) ^ (uint64_t)(second / (size_t)n);
    return differ == 0 ? 64 : __builtin_clzll(differ);
}

static inline Py_ALWAYS_INLINE int sort_with(struct sorter *s, Py_ssize_t n, less_func less)
{
    Py_ssize_t min_run = n, low = 0;
    while (min_run >= MIN_MERGE)
        min_run = (min_run >> 1) + (min_run & 1);
    while (low < n) {
        Py_ssize_t length = find_run(s, low, n, less);
        if (length < 0)
            return -1;
        if (length < min_run) {
            Py_ssize_t forced = Py_MIN(min_run, n - low);
            if (insertion_sort(s, low, low + length, low + forced, less) < 0)
                return -1;
            length = forced;
        }
        if (s->run_count > 0) {
            struct run *top = &s->runs[s->run_count - 1];
            int power = boundary_power(top->start, top->length, length, n);
            while (s->run_count > 1 && s->runs[s->run_count - 2].power > power)
                if (merge_top(s, less) < 0)
                    return -1;
            s->runs[s->run_count - 1].power = power;
        }
        s->runs[s->run_count++] = (struct run){low, length, 0};
        low += length;
    }
    while (s->run_count > 1)
        if (merge_top(s, less) < 0)
            return -1;
    return 0;
}

static int sort_ints(struct sorter *s, Py_ssize_t n) { return sort_with(s, n, less_int); }
static int sort_floats(struct sorter *s, Py_ssize_t n) { return sort_with(s, n, less_float); }
static int sort_strings(struct sorter *s, Py_ssize_t n) { return sort_with(s, n, less_str); }
static int sort_one_type(struct sorter *s, Py_ssize_t n) { return sort_with(s, n, less_one_type); }
static int sort_tuples(struct sorter *s, Py_ssize_t n) { return sort_with(s, n, less_tuple); }
static int sort_any(struct sorter *s, Py_ssize_t n) { return sort_with(s, n, less_any); }

int list_sort_array(PyObject **keys, PyObject **values, Py_ssize_t n)
{
    struct sorter s;
    int result;
    if (n < 2)
        return 0;
    s.keys = keys;
    s.values = values;
    s.spare = s.spare_values = NULL;
    s.spare_size = 0;
    s.min_gallop = MIN_GALLOP;
    s.run_count = 0;
    switch (choose_kind(&s, n)) {
    case LESS_INT: result = sort_ints(&s, n); break;
    case LESS_FLOAT: result = sort_floats(&s, n); break;
    case LESS_STR: result = sort_strings(&s, n); break;
    case LESS_ONE_TYPE: result = sort_one_type(&s, n); break;
    case LESS_TUPLE: result = sort_tuples(&s, n); break;
    default: result = sort_any(&s, n); break;
    }
    block_free(s.spare);
    return result;
}

/* ---- list.sort ---- */

/* key(item) for all items; NULL: exception. */
static PyObject **make_keys(PyObject **items, Py_ssize_t n, PyObject *keyfunc)
{
    PyObject **keys = block_malloc((size_t)(n > 0 ? n : 1) * sizeof(PyObject *));
    if (keys == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        keys[i] = PyObject_CallOneArg(keyfunc, items[i]);
        if (keys[i] == NULL) {
            while (i-- > 0)
                Py_DECREF(keys[i]);
            block_free(keys);
            return NULL;
        }
    }
    return keys;
}

/* items[0..n) in order; on failure it is a permutation. */
static int sort_items(PyObject **items, Py_ssize_t n, PyObject *keyfunc, int reverse_order)
{
    PyObject **keys = NULL;
    if (keyfunc != NULL && (keys = make_keys(items, n, keyfunc)) == NULL)
        return -1;
    if (reverse_order) {            /* twice round: equal items keep their order */
        reverse(items, n);
        reverse(keys, n);
    }
    int result = keys != NULL ? list_sort_array(keys, items, n) : list_sort_array(items, NULL, n);
    if (reverse_order)
        reverse(items, n);
    if (keys != NULL) {
        for (Py_ssize_t i = 0; i < n; i++)
            Py_DECREF(keys[i]);
        block_free(keys);
    }
    return result;
}

/* The list is empty while it is sorted; `allocated` -1 tells whether somebody has changed it. The items are sorted in an array
 * that no reader can see. */
int list_sort(PyListObject *self, PyObject *keyfunc, int reverse_order)
{
    PyObject **items, **replaced = NULL, **meanwhile = NULL, **unused = NULL;
    Py_ssize_t n, n_meanwhile = 0, allocated;
    int locked = list_lock(self);
    int in_place = !runtime_is_multi() || list_is_closed(self), was_open = list_is_open(self);
    items = self->ob_item;
    n = self->ob_base.ob_size;
    allocated = self->allocated;
    if (n > 0 && !in_place) {
        items = list_items_alloc((size_t)n, 0);
        if (items != NULL) {
            memcpy(items, self->ob_item, (size_t)n * sizeof(PyObject *));
            allocated = n;
            replaced = self->ob_item;
        }
    }
    if (items != NULL || n == 0) {
        list_set_size(self, 0);
        __atomic_store_n(&self->ob_item, LIST_NO_ITEMS, __ATOMIC_RELEASE);
        self->allocated = -1;
    }
    list_retire_items_locked(self, replaced);   /* only now that no new reader can find it */
    container_unlock(self, locked);
    if (items == NULL && n > 0) {
        PyErr_NoMemory();
        return -1;
    }

    int result = n > 0 ? sort_items(items, n, keyfunc, reverse_order) : 0;

    locked = list_lock(self);
    int changed = self->allocated != -1;
    n_meanwhile = self->ob_base.ob_size;
    if (self->ob_item != LIST_NO_ITEMS) {
        unused = self->ob_item;
        meanwhile = n_meanwhile > 0 ? block_malloc((size_t)n_meanwhile * sizeof(PyObject *)) : NULL;
        if (meanwhile != NULL)
            memcpy(meanwhile, unused, (size_t)n_meanwhile * sizeof(PyObject *));
        else
            n_meanwhile = 0;
    }
    if (!was_open && list_is_open(self))
        for (Py_ssize_t i = 0; i < n; i++)
            if (items[i] != NULL)
                object_publish(items[i]);
    list_set_size(self, 0);
    __atomic_store_n(&self->ob_item, items != NULL ? items : LIST_NO_ITEMS, __ATOMIC_RELEASE);
    list_set_size(self, n);
    self->allocated = items != NULL && items != LIST_NO_ITEMS ? allocated : 0;
    list_retire_items_locked(self, unused);
    container_unlock(self, locked);

    for (Py_ssize_t i = n_meanwhile; i-- > 0;)
        Py_XDECREF(meanwhile[i]);
    block_free(meanwhile);
    if (changed && result == 0) {
        PyErr_SetString(PyExc_ValueError, "list modified during sort");
        result = -1;
    }
    return result;
}

PyObject *list_method_sort(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    static const char *const keywords[] = {"key", "reverse", NULL};
    static _PyArg_Parser parser = {.keywords = keywords, .fname = "sort"};
    PyObject *room[2];
    Py_ssize_t given = nargs + (kwnames != NULL ? PyTuple_GET_SIZE(kwnames) : 0);
    int reverse_order = 0;
    PyObject *keyfunc = NULL;
    if (given > 0) {
        PyObject *const *values = _PyArg_UnpackKeywords(args, nargs, NULL, kwnames, &parser, 0, 0, 0, room);
        if (values == NULL)
            return NULL;
        if (values[0] != NULL && values[0] != Py_None)
            keyfunc = values[0];
        if (values[1] != NULL) {
            long flag = values[1] == Py_True ? 1 : values[1] == Py_False ? 0 : PyLong_AsLong(values[1]);
            if (flag == -1 && PyErr_Occurred())
                return NULL;
            reverse_order = flag != 0;
        }
    }
    if (list_sort((PyListObject *)self, keyfunc, reverse_order) < 0)
        return NULL;
    Py_RETURN_NONE;
}

int PyList_Sort(PyObject *op)
{
    if (op == NULL || !PyList_Check(op)) {
        PyErr_BadInternalCall();
        return -1;
    }
    return list_sort((PyListObject *)op, NULL, 0);
}
