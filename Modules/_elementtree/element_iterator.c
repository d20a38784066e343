/* Iteration over a tree in the order of the document: elements, or texts.
 *
 * The stack of open elements is changed within a critical section, in steps that run no Python code; threads
 * that share an iterator each get some of the items. */
#include "elementtree.h"

typedef struct {
    PyObject *element; /* counted */
    Py_ssize_t next;   /* index of the child to visit next */
} place_t;

typedef struct {
    PyObject_HEAD
    PyObject *root; /* [section] until iteration begins, then NULL */
    place_t *stack;               /* [section] */
    Py_ssize_t depth, room;       /* [section] */
    PyObject *tag;                /* [const] or None: any */
    int of_text;                  /* [const] */
} iterator_t;

PyObject *element_iterator_new(PyObject *root, PyObject *tag, int of_text)
{
    iterator_t *it = PyObject_GC_New(iterator_t, &element_iterator_type);
    if (it == NULL)
        return NULL;
    it->root = Py_NewRef(root);
    it->stack = NULL;
    it->depth = it->room = 0;
    it->tag = Py_NewRef(tag);
    it->of_text = of_text;
    PyObject_GC_Track(it);
    return (PyObject *)it;
}

static int push_locked(iterator_t *it, PyObject *element)
{
    if (it->depth == it->room) {
        Py_ssize_t room = it->room > 0 ? 2 * it->room : 8;
        place_t *stack = PyMem_Realloc(it->stack, (size_t)room * sizeof(*stack));
        if (stack == NULL)
            return -1;
        it->stack = stack;
        it->room = room;
    }
    it->stack[it->depth++] = (place_t){Py_NewRef(element), 0};
    return 0;
}

static int push(iterator_t *it, PyObject *element)
{
    int failed;
    Py_BEGIN_CRITICAL_SECTION(it);
    failed = push_locked(it, element);
    Py_END_CRITICAL_SECTION();
    if (failed)
        PyErr_NoMemory();
    return failed;
}

/* Takes the element off the stack, unless another thread has done so. */
static void pop(iterator_t *it, PyObject *element)
{
    int is_top;
    Py_BEGIN_CRITICAL_SECTION(it);
    is_top = it->depth > 0 && it->stack[it->depth - 1].element == element;
    it->depth -= is_top;
    Py_END_CRITICAL_SECTION();
    if (is_top)
        Py_DECREF(element); /* the stack's reference; the caller has one too */
}

/* The innermost open element and the index of the child that is next; or the root, with *is_root set. NULL at
 * the end. */
static PyObject *take_place(iterator_t *it, Py_ssize_t *index, int *is_root)
{
    PyObject *element = NULL;
    *is_root = 0;
    Py_BEGIN_CRITICAL_SECTION(it);
    if (it->root != NULL) {
        element = it->root;
        it->root = NULL;
        *is_root = 1;
    } else if (it->depth > 0) {
        place_t *top = &it->stack[it->depth - 1];
        element = Py_NewRef(top->element);
        *index = top->next++;
    }
    Py_END_CRITICAL_SECTION();
    return element;
}

/* The next element that begins (*begins is set) or ends; a new reference. NULL: the end, or an exception. */
static PyObject *advance(iterator_t *it, int *begins)
{
    Py_ssize_t index = 0;
    int is_root;
    PyObject *parent = take_place(it, &index, &is_root), *child = parent;
    if (parent == NULL)
        return NULL;
    if (!is_root) {
        child = element_get_child(parent, index);
        if (child == NULL) {
            pop(it, parent);
            *begins = 0;
            return parent;
        }
        Py_DECREF(parent);
    }
    *begins = 1;
    if (!IS_ELEMENT(child) || push(it, child) < 0) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_TypeError, "expected an Element");
        Py_CLEAR(child);
    }
    return child;
}

static int is_at_end(iterator_t *it)
{
    int answer;
    Py_BEGIN_CRITICAL_SECTION(it);
    answer = it->depth == 0;
    Py_END_CRITICAL_SECTION();
    return answer;
}

/* What is to be returned for the element, or NULL: nothing (or an exception). */
static PyObject *select_item(iterator_t *it, PyObject *element, int begins)
{
    PyObject *text;
    if (!it->of_text) {
        if (!begins)
            return NULL;
        PyObject *tag = it->tag == Py_None ? Py_NewRef(Py_None) : field_get(element, &ELEMENT(element)->tag);
        int wanted = tag == it->tag ? 1 : PyObject_RichCompareBool(tag, it->tag, Py_EQ);
        Py_DECREF(tag);
        return wanted > 0 ? Py_NewRef(element) : NULL;
    }
    if (!begins && is_at_end(it))
        return NULL; /* the tail of the root is outside */
    text = field_get(element, begins ? &ELEMENT(element)->text : &ELEMENT(element)->tail);
    if (text == Py_None || PyObject_IsTrue(text) <= 0)
        Py_CLEAR(text);
    return text;
}

static PyObject *iterator_next(PyObject *op)
{
    iterator_t *it = (iterator_t *)op;
    PyObject *element, *item = NULL;
    int begins;
    while (item == NULL && (element = advance(it, &begins)) != NULL) {
        item = select_item(it, element, begins);
        Py_DECREF(element);
        if (item == NULL && PyErr_Occurred())
            return NULL;
    }
    return item;
}

static int iterator_traverse(PyObject *op, visitproc visit, void *arg)
{
    iterator_t *it = (iterator_t *)op;
    Py_VISIT(it->root);
    Py_VISIT(it->tag);
    for (Py_ssize_t i = 0; i < it->depth; i++)
        Py_VISIT(it->stack[i].element);
    return 0;
}

static void iterator_dealloc(PyObject *op)
{
    iterator_t *it = (iterator_t *)op;
    PyObject_GC_UnTrack(op);
    for (Py_ssize_t i = 0; i < it->depth; i++)
        Py_DECREF(it->stack[i].element);
    PyMem_Free(it->stack);
    Py_XDECREF(it->root);
    Py_DECREF(it->tag);
    PyObject_GC_Del(op);
}

PyTypeObject element_iterator_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_elementtree._element_iterator",
    .tp_basicsize = sizeof(iterator_t),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = iterator_next,
    .tp_traverse = iterator_traverse,
    .tp_dealloc = iterator_dealloc,
};
