/* TreeBuilder: makes a tree of what a parser, or a program, tells it.
 *
 * A method holds the builder's critical section. It is suspended while factories, foreign elements and queues
 * of events run; a thread that meddles meanwhile gets a strange tree. */
#include "elementtree.h"

#define BUILDER(op) ((builder_t *)(op))

/* Used by builders that were not told others: a dict with "comment" and "pi"; made by the first import. */
static PyObject *default_factories;

int builder_set_default_factory(const char *name, PyObject *factory, PyObject **old)
{
    if (default_factories == NULL && (default_factories = PyDict_New()) == NULL)
        return -1;
    if (PyDict_GetItemStringRef(default_factories, name, old) < 0)
        return -1;
    return PyDict_SetItemString(default_factories, name, factory);
}

/* ---- Events ---- */

int builder_wants(PyObject *op, const char *event)
{
    builder_t *self = BUILDER(op);
    if (self->append == NULL)
        return 0;
    PyObject *name = PyUnicode_InternFromString(event), *events = Py_XNewRef(self->events);
    int wanted = name != NULL && events != NULL ? PySet_Contains(events, name) : -1;
    Py_XDECREF(name);
    Py_XDECREF(events);
    return wanted;
}

int builder_queue_steal(PyObject *op, const char *event, PyObject *value)
{
    PyObject *append = Py_XNewRef(BUILDER(op)->append), *name = NULL, *pair = NULL, *result = NULL;
    if (value != NULL && append != NULL && (name = PyUnicode_InternFromString(event)) != NULL)
        pair = PyTuple_Pack(2, name, value);
    if (pair != NULL)
        result = PyObject_CallOneArg(append, pair);
    Py_XDECREF(append);
    Py_XDECREF(name);
    Py_XDECREF(pair);
    Py_XDECREF(result);
    Py_XDECREF(value);
    return result == NULL && PyErr_Occurred() ? -1 : 0;
}

/* Queues the element if that event is wanted. */
static int report(builder_t *self, const char *event, PyObject *element)
{
    if (self->append == NULL)
        return 0;
    int wanted = builder_wants((PyObject *)self, event);
    return wanted <= 0 ? wanted : builder_queue_steal((PyObject *)self, event, Py_NewRef(element));
}

/* The names of events, checked, as a frozen set. */
static PyObject *check_events(PyObject *events)
{
    static const char *const known[] = {"start", "end", "start-ns", "end-ns", "comment", "pi", NULL};
    PyObject *names = PySequence_Tuple(events), *set = NULL;
    if (names == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError))
            PyErr_SetString(PyExc_TypeError, "events must be a sequence");
        return NULL;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); i++) {
        PyObject *name = PyTuple_GET_ITEM(names, i);
        int j = 0;
        if (!PyUnicode_Check(name)) {
            PyErr_SetString(PyExc_ValueError, "invalid events sequence");
            goto done;
        }
        while (known[j] != NULL && !PyUnicode_EqualToUTF8(name, known[j]))
            j++;
        if (known[j] == NULL) {
            PyErr_Format(PyExc_ValueError, "unknown event '%U'", name);
            goto done;
        }
    }
    set = PyFrozenSet_New(names);
done:
    Py_DECREF(names);
    return set;
}

int builder_set_events(PyObject *op, PyObject *queue, PyObject *events)
{
    builder_t *self = BUILDER(op);
    PyObject *append = PyObject_GetAttrString(queue, "append"), *wanted = NULL, *names = NULL;
    if (append == NULL)
        return -1;
    names = events == NULL || events == Py_None ? Py_BuildValue("(s)", "end") : Py_NewRef(events);
    if (names != NULL)
        wanted = check_events(names);
    Py_XDECREF(names);
    if (wanted == NULL) {
        Py_DECREF(append);
        return -1;
    }
    field_set_steal(op, &self->events, wanted);
    field_set_steal(op, &self->append, append);
    return 0;
}

/* ---- Text ---- */

/* The pieces of text as one. pieces is stolen. */
static PyObject *join_steal(PyObject *pieces)
{
    if (!PyList_CheckExact(pieces))
        return pieces;
    PyObject *empty = PyUnicode_FromStringAndSize(NULL, 0),
             *text = empty != NULL ? PyUnicode_Join(empty, pieces) : NULL;
    Py_XDECREF(empty);
    Py_DECREF(pieces);
    return text;
}

/* Adds text (stolen) to what is there already (stolen). */
static PyObject *add_text_steal(PyObject *before, PyObject *text)
{
    if (before == Py_None) {
        Py_DECREF(before);
        return text;
    }
    PyObject *sum = PyNumber_Add(before, text);
    Py_DECREF(before);
    Py_DECREF(text);
    return sum;
}

static int add_to_element(PyObject *element, int in_tail, PyObject *text)
{
    PyObject **field = in_tail ? &ELEMENT(element)->tail : &ELEMENT(element)->text;
    text = add_text_steal(field_get(element, field), text);
    if (text == NULL)
        return -1;
    field_set_steal(element, field, text);
    return 0;
}

static int add_to_foreign(PyObject *element, int in_tail, PyObject *text)
{
    const char *name = in_tail ? "tail" : "text";
    PyObject *before = PyObject_GetAttrString(element, name);
    if (before == NULL) {
        Py_DECREF(text);
        return -1;
    }
    text = add_text_steal(before, text);
    int failed = text == NULL || PyObject_SetAttrString(element, name, text) < 0;
    Py_XDECREF(text);
    return failed ? -1 : 0;
}

/* Gives the collected text to the element that it belongs to. */
static int flush(builder_t *self)
{
    PyObject *data = self->data;
    if (data == NULL)
        return 0;
    self->data = NULL;
    PyObject *element = Py_XNewRef(self->last), *text;
    int in_tail = self->in_tail, failed = 0;
    if (element == NULL) {
        Py_DECREF(data);
        return 0;
    }
    text = join_steal(data);
    if (text == NULL)
        failed = 1;
    else
        failed = (Py_IS_TYPE(element, &element_type) ? add_to_element : add_to_foreign)(element, in_tail,
                                                                                        text) < 0;
    Py_DECREF(element);
    return failed ? -1 : 0;
}

static int collect(builder_t *self, PyObject *piece)
{
    if (self->last == NULL)
        return 0; /* in front of the root */
    /* A list is always one of our own. */
    int needs_list = self->data != NULL ? !PyList_CheckExact(self->data) : PyList_CheckExact(piece);
    if (!needs_list && self->data == NULL) {
        self->data = Py_NewRef(piece);
        return 0;
    }
    if (needs_list) {
        PyObject *list = PyList_New(0);
        if (list == NULL || (self->data != NULL && PyList_Append(list, self->data) < 0)) {
            Py_XDECREF(list);
            return -1;
        }
        Py_XSETREF(self->data, list);
    }
    PyObject *list = Py_NewRef(self->data);     /* gc.get_referents shows it: its lock may be waited for, the section suspended */
    int result = PyList_Append(list, piece);
    Py_DECREF(list);
    return result;
}

/* ---- Elements ---- */

static int add_child(PyObject *parent, PyObject *child)
{
    if (Py_IS_TYPE(parent, &element_type) && IS_ELEMENT(child))
        return element_append_child(parent, child);
    PyObject *result = PyObject_CallMethod(parent, "append", "O", child);
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

static PyObject *make_element(builder_t *self, PyObject *tag, PyObject *attrib)
{
    PyObject *factory = Py_XNewRef(self->element_factory), *element, *none = NULL;
    if (factory == NULL)
        return element_new(tag, attrib);
    if (attrib == NULL)
        attrib = none = PyDict_New();
    element = attrib != NULL ? PyObject_CallFunctionObjArgs(factory, tag, attrib, NULL) : NULL;
    Py_XDECREF(none);
    Py_DECREF(factory);
    return element;
}

/* Makes the element the last one: the text to come is its, or is its tail. */
static void set_last(builder_t *self, PyObject *element, int in_tail)
{
    PyObject *old = self->last;
    self->last = Py_NewRef(element);
    self->in_tail = in_tail;
    Py_XDECREF(old);
}

/* Appends an element to the current one, or makes it the root. */
static int place(builder_t *self, PyObject *element)
{
    PyObject *current = Py_XNewRef(self->current);
    int failed = 0;
    if (current != NULL)
        failed = add_child(current, element) < 0;
    else if (self->root == NULL)
        self->root = Py_NewRef(element);
    Py_XDECREF(current);
    return failed ? -1 : 0;
}

static PyObject *start_locked(builder_t *self, PyObject *tag, PyObject *attrib)
{
    PyObject *element;
    if (flush(self) < 0 || (element = make_element(self, tag, attrib)) == NULL)
        return NULL;
    set_last(self, element, 0);
    PyObject *around = Py_NewRef(self->current != NULL ? self->current : Py_None), *list = Py_NewRef(self->stack), *old;
    int failed = place(self, element) < 0 || PyList_Append(list, around) < 0;
    Py_DECREF(list);
    Py_DECREF(around);
    if (failed) {
        Py_DECREF(element);
        return NULL;
    }
    old = self->current;
    self->current = Py_NewRef(element);
    Py_XDECREF(old);
    if (report(self, "start", element) < 0)
        Py_CLEAR(element);
    return element;
}

static PyObject *end_locked(builder_t *self)
{
    if (flush(self) < 0)
        return NULL;
    /* The list's lock may have to be waited for: what is worked on is held. */
    PyObject *list = Py_NewRef(self->stack), *element = Py_XNewRef(self->current), *result = NULL, *around, *old;
    Py_ssize_t n = PyList_GET_SIZE(list);
    around = n > 0 ? PyList_GetItemRef(list, n - 1) : NULL;
    if (around == NULL || element == NULL) {
        PyErr_SetString(PyExc_IndexError, "pop from empty stack");
        goto done;
    }
    if (PyList_SetSlice(list, n - 1, n, NULL) < 0)
        goto done;
    old = self->current;
    self->current = around != Py_None ? Py_NewRef(around) : NULL;
    Py_XDECREF(old);
    set_last(self, element, 1);
    if (report(self, "end", element) == 0)
        result = Py_NewRef(element);
done:
    Py_XDECREF(around);
    Py_XDECREF(element);
    Py_DECREF(list);
    return result;
}

/* A comment or processing instruction (stolen, may be NULL). */
static PyObject *single_steal(builder_t *self, PyObject *element, int insert, const char *event)
{
    if (element == NULL)
        return NULL;
    if (insert && self->current != NULL) {
        PyObject *current = Py_NewRef(self->current);
        int failed = flush(self) < 0 || add_child(current, element) < 0;
        Py_DECREF(current);
        if (failed) {
            Py_DECREF(element);
            return NULL;
        }
        set_last(self, element, 1);
    }
    if (report(self, event, element) < 0)
        Py_CLEAR(element);
    return element;
}

static PyObject *comment_locked(builder_t *self, PyObject *text)
{
    PyObject *factory = Py_XNewRef(self->comment_factory), *comment;
    comment = factory != NULL ? PyObject_CallOneArg(factory, text) : Py_NewRef(text);
    int insert = factory != NULL && self->insert_comments;
    Py_XDECREF(factory);
    return single_steal(self, comment, insert, "comment");
}

static PyObject *pi_locked(builder_t *self, PyObject *target, PyObject *text)
{
    PyObject *factory = Py_XNewRef(self->pi_factory), *pi;
    pi = factory != NULL ? PyObject_CallFunctionObjArgs(factory, target, text, NULL)
                         : PyTuple_Pack(2, target, text);
    int insert = factory != NULL && self->insert_pis;
    Py_XDECREF(factory);
    return single_steal(self, pi, insert, "pi");
}

/* ---- The same for callers without the section ---- */

PyObject *builder_start(PyObject *op, PyObject *tag, PyObject *attrib)
{
    PyObject *element;
    Py_BEGIN_CRITICAL_SECTION(op);
    element = start_locked(BUILDER(op), tag, attrib);
    Py_END_CRITICAL_SECTION();
    return element;
}

PyObject *builder_end(PyObject *op)
{
    PyObject *element;
    Py_BEGIN_CRITICAL_SECTION(op);
    element = end_locked(BUILDER(op));
    Py_END_CRITICAL_SECTION();
    return element;
}

int builder_data(PyObject *op, PyObject *data)
{
    int failed;
    Py_BEGIN_CRITICAL_SECTION(op);
    failed = collect(BUILDER(op), data);
    Py_END_CRITICAL_SECTION();
    return failed;
}

PyObject *builder_comment(PyObject *op, PyObject *text)
{
    PyObject *comment;
    Py_BEGIN_CRITICAL_SECTION(op);
    comment = comment_locked(BUILDER(op), text);
    Py_END_CRITICAL_SECTION();
    return comment;
}

PyObject *builder_pi(PyObject *op, PyObject *target, PyObject *text)
{
    PyObject *pi;
    Py_BEGIN_CRITICAL_SECTION(op);
    pi = pi_locked(BUILDER(op), target, text);
    Py_END_CRITICAL_SECTION();
    return pi;
}

PyObject *builder_close(PyObject *op)
{
    PyObject *root = field_get(op, &BUILDER(op)->root);
    return root != NULL ? root : Py_NewRef(Py_None);
}

/* ---- Methods ---- */

static PyObject *method_start(PyObject *op, PyObject *args)
{
    PyObject *tag, *attrib;
    if (!PyArg_UnpackTuple(args, "start", 2, 2, &tag, &attrib) ||
        !PyArg_ParseTuple(args, "OO!:start", &tag, &PyDict_Type, &attrib))
        return NULL;
    return builder_start(op, tag, attrib);
}

static PyObject *method_end(PyObject *op, PyObject *tag)
{
    return builder_end(op);
}

static PyObject *method_data(PyObject *op, PyObject *data)
{
    return builder_data(op, data) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *method_pi(PyObject *op, PyObject *args)
{
    PyObject *target, *text = Py_None;
    return PyArg_UnpackTuple(args, "pi", 1, 2, &target, &text) ? builder_pi(op, target, text) : NULL;
}

static PyObject *method_close(PyObject *op, PyObject *unused)
{
    return builder_close(op);
}

/* ---- Making and destroying ---- */

static PyObject *builder_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *op = type->tp_alloc(type, 0);
    if (op != NULL && (BUILDER(op)->stack = PyList_New(0)) == NULL)
        Py_CLEAR(op);
    return op;
}

/* Stores a factory that was given, or else the default one. */
static int set_factory(PyObject *op, PyObject **field, const char *name, PyObject *given)
{
    PyObject *factory = given != Py_None ? Py_NewRef(given) : NULL;
    if (factory == NULL && PyDict_GetItemStringRef(default_factories, name, &factory) < 0)
        return -1;
    if (factory == Py_None)
        Py_CLEAR(factory);
    field_set_steal(op, field, factory);
    return 0;
}

static int builder_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"element_factory", "comment_factory", "pi_factory",
                               "insert_comments", "insert_pis",      NULL};
    builder_t *self = BUILDER(op);
    PyObject *element = Py_None, *comment = Py_None, *pi = Py_None;
    int insert_comments = 0, insert_pis = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O$OOpp:TreeBuilder", keywords, &element, &comment, &pi,
                                     &insert_comments, &insert_pis))
        return -1;
    field_set_steal(op, &self->element_factory, element != Py_None ? Py_NewRef(element) : NULL);
    if (set_factory(op, &self->comment_factory, "comment", comment) < 0 ||
        set_factory(op, &self->pi_factory, "pi", pi) < 0)
        return -1;
    Py_BEGIN_CRITICAL_SECTION(op);
    self->insert_comments = insert_comments;
    self->insert_pis = insert_pis;
    Py_END_CRITICAL_SECTION();
    return 0;
}

static int builder_traverse(PyObject *op, visitproc visit, void *arg)
{
    builder_t *self = BUILDER(op);
    Py_VISIT(self->root);
    Py_VISIT(self->current);
    Py_VISIT(self->last);
    Py_VISIT(self->data);
    Py_VISIT(self->stack);
    Py_VISIT(self->element_factory);
    Py_VISIT(self->comment_factory);
    Py_VISIT(self->pi_factory);
    Py_VISIT(self->append);
    Py_VISIT(self->events);
    return 0;
}

static int builder_tp_clear(PyObject *op)
{
    /* The stack stays: methods count on it. */
    builder_t *self = BUILDER(op);
    Py_CLEAR(self->root);
    Py_CLEAR(self->current);
    Py_CLEAR(self->last);
    Py_CLEAR(self->data);
    Py_CLEAR(self->element_factory);
    Py_CLEAR(self->comment_factory);
    Py_CLEAR(self->pi_factory);
    Py_CLEAR(self->append);
    Py_CLEAR(self->events);
    return self->stack != NULL ? PyList_SetSlice(self->stack, 0, PY_SSIZE_T_MAX, NULL) : 0;
}

static void builder_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    (void)builder_tp_clear(op);
    Py_XDECREF(BUILDER(op)->stack);
    Py_TYPE(op)->tp_free(op);
}

static PyMethodDef builder_methods[] = {
    {"data", method_data, METH_O,
     "data($self, data, /)\n--\n\nText of the open element, or after the closed one."},
    {"start", method_start, METH_VARARGS, "start($self, tag, attrs, /)\n--\n\nOpens an element."},
    {"end", method_end, METH_O, "end($self, tag, /)\n--\n\nCloses the open element."},
    {"comment", builder_comment, METH_O, "comment($self, text, /)\n--\n\nA comment."},
    {"pi", method_pi, METH_VARARGS, "pi($self, target, text=None, /)\n--\n\nA processing instruction."},
    {"close", method_close, METH_NOARGS, "close($self, /)\n--\n\nThe root of the tree."},
    {NULL, NULL, 0, NULL},
};

PyTypeObject builder_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "xml.etree.ElementTree.TreeBuilder",
    .tp_basicsize = sizeof(builder_t),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_methods = builder_methods,
    .tp_init = builder_init,
    .tp_new = builder_new,
    .tp_traverse = builder_traverse,
    .tp_clear = builder_tp_clear,
    .tp_dealloc = builder_dealloc,
};
