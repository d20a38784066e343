/* Saving tuples, lists, dicts and sets. They may change meanwhile: items are taken one by one, each with a reference. */
#include "pickle_internal.h"

/* ---- Fast mode: without a memo, cycles show only in the depth ---- */

enum { FAST_NESTING_LIMIT = 50 };

static int fast_enter(pickler_t *p, PyObject *op)
{
    PyObject *id;
    if (!pickler_is_fast(p) || ++p->nesting < FAST_NESTING_LIMIT)
        return 0;
    if (p->in_work == NULL && (p->in_work = PyDict_New()) == NULL)
        return -1;
    id = PyLong_FromVoidPtr(op);
    if (id == NULL)
        return -1;
    int there = PyDict_SetDefaultRef(p->in_work, id, Py_None, NULL);
    Py_DECREF(id);
    if (there > 0)
        PyErr_Format(PyExc_ValueError, "fast mode: can't pickle cyclic objects including object type %.200s at %p",
                     Py_TYPE(op)->tp_name, op);
    return there == 0 ? 0 : -1;
}

static int fast_leave(pickler_t *p, PyObject *op)
{
    if (!pickler_is_fast(p) || p->nesting-- < FAST_NESTING_LIMIT || p->in_work == NULL)
        return 0;
    PyObject *id = PyLong_FromVoidPtr(op);
    if (id == NULL)
        return -1;
    int failed = PyDict_Pop(p->in_work, id, NULL) < 0;
    Py_DECREF(id);
    return failed ? -1 : 0;
}

static int save_steal(pickler_t *p, PyObject *op)
{
    int failed = save(p, op);
    Py_DECREF(op);
    return failed;
}

/* ---- Tuples ---- */

/* The tuple contains itself, and is in the memo by now: its items on the stack are not needed. */
static int take_recursive(pickler_t *p, Py_ssize_t index, Py_ssize_t n, int has_mark)
{
    if (has_mark && pickler_is_binary(p)) {
        if (out_op(p, OP_POP_MARK) < 0)
            return -1;
    }
    else
        for (Py_ssize_t i = 0; i < n + has_mark; i++)
            if (out_op(p, OP_POP) < 0)
                return -1;
    return save_from_memo(p, index);
}

int save_tuple(pickler_t *p, PyObject *op)
{
    static const int counted[] = {OP_EMPTY_TUPLE, OP_TUPLE1, OP_TUPLE2, OP_TUPLE3};
    Py_ssize_t n = PyTuple_GET_SIZE(op), index;
    if (n == 0)
        return pickler_is_binary(p) ? out_op(p, OP_EMPTY_TUPLE) : out_write(p, "(t", 2);
    int has_mark = n > 3 || p->protocol < 2;
    if (has_mark && out_op(p, OP_MARK) < 0)
        return -1;
    for (Py_ssize_t i = 0; i < n; i++)
        if (save(p, PyTuple_GET_ITEM(op, i)) < 0)
            return -1;
    index = memo_find(&p->memo, op);
    if (index >= 0)
        return take_recursive(p, index, n, has_mark);
    return out_op(p, has_mark ? OP_TUPLE : counted[n]) < 0 ? -1 : save_memoize(p, op);
}

/* ---- Items of lists, pairs of dicts: in batches ---- */

/* The next element of a source, a new reference: 1, 0 at the end, -1. */
typedef struct source_t source_t;
struct source_t {
    PyObject *object;           /* iterator, list, dict or set */
    int (*next)(source_t *source, PyObject **element, PyObject **second);
    Py_ssize_t position, size;
};

static int next_of_iterator(source_t *s, PyObject **element, PyObject **second)
{
    return PyIter_NextItem(s->object, element);
}

static int next_of_list(source_t *s, PyObject **element, PyObject **second)
{
    if (s->position >= PyList_GET_SIZE(s->object))
        return 0;
    *element = PyList_GetItemRef(s->object, s->position++);
    if (*element != NULL)
        return 1;
    if (!PyErr_ExceptionMatches(PyExc_IndexError))
        return -1;
    PyErr_Clear();      /* the list has become shorter */
    return 0;
}

static int next_pair_of_iterator(source_t *s, PyObject **key, PyObject **value)
{
    PyObject *pair;
    int more = PyIter_NextItem(s->object, &pair);
    if (more <= 0)
        return more;
    if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2) {
        PyErr_SetString(PyExc_TypeError, "dict items iterator must return 2-tuples");
        more = -1;
    }
    else {
        *key = Py_NewRef(PyTuple_GET_ITEM(pair, 0));
        *value = Py_NewRef(PyTuple_GET_ITEM(pair, 1));
    }
    Py_DECREF(pair);
    return more;
}

static int changed(const char *what)
{
    PyErr_Format(PyExc_RuntimeError, "%s changed size during iteration", what);
    return -1;
}

static int next_pair_of_dict(source_t *s, PyObject **key, PyObject **value)
{
    int more;
    if (PyDict_GET_SIZE(s->object) != s->size)
        return changed("dictionary");
    Py_BEGIN_CRITICAL_SECTION(s->object);
    more = PyDict_Next(s->object, &s->position, key, value);
    if (more) {
        Py_INCREF(*key);
        Py_INCREF(*value);
    }
    Py_END_CRITICAL_SECTION();
    return more;
}

static int next_of_set(source_t *s, PyObject **element, PyObject **second)
{
    Py_hash_t hash;
    int more;
    if (PySet_GET_SIZE(s->object) != s->size)
        return changed("set");
    Py_BEGIN_CRITICAL_SECTION(s->object);
    more = _PySet_NextEntry(s->object, &s->position, element, &hash);
    if (more)
        Py_INCREF(*element);
    Py_END_CRITICAL_SECTION();
    return more;
}

/* Saves an element (or pair), dropping it. */
static int save_element_steal(pickler_t *p, PyObject *element, PyObject *second)
{
    int failed = save_steal(p, element);
    if (second == NULL)
        return failed;
    if (failed) {
        Py_DECREF(second);
        return -1;
    }
    return save_steal(p, second);
}

/* Saves all elements: each followed by `one` (protocol 0), or in batches that end with `many`; a batch of one as `one`
 * unless that is 0. */
static int save_batches(pickler_t *p, source_t *s, int one, int many)
{
    PyObject *first = NULL, *first2 = NULL;
    int more = s->next(s, &first, &first2);
    while (more > 0) {
        PyObject *next = NULL, *next2 = NULL;
        int n = 1;
        more = one == 0 || pickler_is_binary(p) ? s->next(s, &next, &next2) : 0;
        if (more < 0) {
            Py_DECREF(first);
            Py_XDECREF(first2);
            return -1;
        }
        if (more == 0 && one != 0) {
            if (save_element_steal(p, first, first2) < 0 || out_op(p, one) < 0)
                return -1;
            first = first2 = NULL;
            more = pickler_is_binary(p) ? 0 : s->next(s, &first, &first2);
            continue;
        }
        if (out_op(p, OP_MARK) < 0) {
            Py_DECREF(first);
            Py_XDECREF(first2);
            Py_XDECREF(next);
            Py_XDECREF(next2);
            return -1;
        }
        if (save_element_steal(p, first, first2) < 0) {
            Py_XDECREF(next);
            Py_XDECREF(next2);
            return -1;
        }
        while (more > 0) {
            first = next;
            first2 = next2;
            if (n == BATCH_SIZE)
                break;
            if (save_element_steal(p, first, first2) < 0)
                return -1;
            n++;
            next = next2 = NULL;
            more = s->next(s, &next, &next2);
        }
        if (more < 0)
            return -1;
        if (out_op(p, many) < 0) {
            if (more > 0) {
                Py_DECREF(first);
                Py_XDECREF(first2);
            }
            return -1;
        }
    }
    return more;
}

int save_items(pickler_t *p, PyObject *iterator)
{
    source_t source = {.object = iterator, .next = next_of_iterator};
    return save_batches(p, &source, OP_APPEND, OP_APPENDS);
}

int save_pairs(pickler_t *p, PyObject *iterator)
{
    source_t source = {.object = iterator, .next = next_pair_of_iterator};
    return save_batches(p, &source, OP_SETITEM, OP_SETITEMS);
}

/* The opcodes of an empty container, and its entry in the memo. */
static int save_empty(pickler_t *p, PyObject *op, int binary, int text)
{
    char two[2] = {OP_MARK, (char)text};
    if ((pickler_is_binary(p) ? out_op(p, binary) : out_write(p, two, 2)) < 0)
        return -1;
    return save_memoize(p, op);
}

int save_list(pickler_t *p, PyObject *op)
{
    source_t source = {.object = op, .next = next_of_list};
    int failed = fast_enter(p, op) < 0 || save_empty(p, op, OP_EMPTY_LIST, OP_LIST) < 0
                 || (PyList_GET_SIZE(op) > 0 && save_batches(p, &source, OP_APPEND, OP_APPENDS) < 0);
    return fast_leave(p, op) < 0 || failed ? -1 : 0;
}

int save_dict(pickler_t *p, PyObject *op)
{
    source_t source = {.object = op, .next = next_pair_of_dict, .size = PyDict_GET_SIZE(op)};
    int failed = fast_enter(p, op) < 0 || save_empty(p, op, OP_EMPTY_DICT, OP_DICT) < 0
                 || (source.size > 0 && save_batches(p, &source, OP_SETITEM, OP_SETITEMS) < 0);
    return fast_leave(p, op) < 0 || failed ? -1 : 0;
}

/* ---- Sets ---- */

/* Older protocols: a call of the type with a list. */
static int save_set_as_call(pickler_t *p, PyObject *op)
{
    PyObject *items = PySequence_List(op), *value;
    if (items == NULL)
        return -1;
    value = Py_BuildValue("(O(N))", Py_TYPE(op), items);
    if (value == NULL)
        return -1;
    int failed = save_reduce(p, value, op);
    Py_DECREF(value);
    return failed;
}

int save_set(pickler_t *p, PyObject *op)
{
    source_t source = {.object = op, .next = next_of_set, .size = PySet_GET_SIZE(op)};
    if (p->protocol < 4)
        return save_set_as_call(p, op);
    if (out_op(p, OP_EMPTY_SET) < 0 || save_memoize(p, op) < 0)
        return -1;
    return source.size == 0 ? 0 : save_batches(p, &source, 0, OP_ADDITEMS);
}

int save_frozenset(pickler_t *p, PyObject *op)
{
    source_t source = {.object = op, .next = next_of_set, .size = PySet_GET_SIZE(op)};
    PyObject *item, *unused;
    int more;
    if (p->protocol < 4)
        return save_set_as_call(p, op);
    if (out_op(p, OP_MARK) < 0)
        return -1;
    while ((more = next_of_set(&source, &item, &unused)) > 0)
        if (save_steal(p, item) < 0)
            return -1;
    if (more < 0)
        return -1;
    Py_ssize_t index = memo_find(&p->memo, op);
    if (index >= 0)
        return take_recursive(p, index, 0, 1);
    return out_op(p, OP_FROZENSET) < 0 ? -1 : save_memoize(p, op);
}
