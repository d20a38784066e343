/* re.Match: the result of a match, immutable. */
#include "sre.h"

#include <string.h>
#include <structmember.h>

PyObject *sre_match_new(PatternObject *pattern, sre_state *st, int status)
{
    if (status < 0)
        return NULL;
    if (!status)
        Py_RETURN_NONE;
    Py_ssize_t groups = pattern->groups;
    MatchObject *self = PyObject_GC_NewVar(MatchObject, &sre_match_type, 2 * (groups + 1));
    if (!self)
        return NULL;
    self->string = Py_NewRef(st->string);
    self->pattern = (PatternObject *)Py_NewRef((PyObject *)pattern);
    self->pos = st->pos;
    self->endpos = st->end;
    self->lastindex = st->lastindex;
    self->mark[0] = st->start;
    self->mark[1] = st->ptr;
    for (Py_ssize_t i = 0; i < groups; i++) {
        Py_ssize_t from = st->marks[2 * i], to = st->marks[2 * i + 1];
        int set = from >= 0 && to >= from;
        self->mark[2 * i + 2] = set ? from : -1;
        self->mark[2 * i + 3] = set ? to : -1;
    }
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

static int match_traverse(MatchObject *self, visitproc visit, void *arg)
{
    Py_VISIT(self->string);
    Py_VISIT((PyObject *)self->pattern);
    return 0;
}

static int match_clear(MatchObject *self)
{
    Py_CLEAR(self->string);
    return 0;
}

static void match_dealloc(MatchObject *self)
{
    PyObject_GC_UnTrack(self);
    Py_CLEAR(self->string);
    Py_XDECREF((PyObject *)self->pattern);
    PyObject_GC_Del(self);
}

/* The text of a group; fallback (borrowed) if it took no part. */
static PyObject *group_text(MatchObject *self, Py_ssize_t group, PyObject *fallback)
{
    Py_ssize_t from = self->mark[2 * group], to = self->mark[2 * group + 1];
    if (from < 0 || !self->string || self->string == Py_None)
        return Py_NewRef(fallback);
    const void *data;
    Py_ssize_t length;
    int kind, isbytes;
    Py_buffer view = {.obj = NULL};
    if (sre_subject(self->string, &data, &length, &kind, &isbytes, &view) < 0)
        return NULL;
    /* a bytearray may have shrunk since */
    if (to > length)
        to = length;
    if (from > to)
        from = to;
    PyObject *text = sre_slice(self->string, data, isbytes, from, to);
    if (view.obj)
        PyBuffer_Release(&view);
    return text;
}

/* The number of the group that index names: a number or a name. -1: exception. */
static Py_ssize_t group_number(MatchObject *self, PyObject *index)
{
    Py_ssize_t n = -1;
    if (!index)
        return 0;
    if (PyIndex_Check(index)) {
        n = PyNumber_AsSsize_t(index, NULL);
    }
    else {
        PyObject *number;
        if (PyDict_GetItemRef(self->pattern->groupindex, index, &number) > 0 && PyLong_Check(number))
            n = PyLong_AsSsize_t(number);
        Py_XDECREF(number);
    }
    if (n < 0 || n > self->pattern->groups) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_IndexError, "no such group");
        return -1;
    }
    return n;
}

static PyObject *group_by_index(MatchObject *self, PyObject *index)
{
    Py_ssize_t n = group_number(self, index);
    return n < 0 ? NULL : group_text(self, n, Py_None);
}

static PyObject *match_group(MatchObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs == 0)
        return group_text(self, 0, Py_None);
    if (nargs == 1)
        return group_by_index(self, args[0]);
    PyObject *result = PyTuple_New(nargs);
    for (Py_ssize_t i = 0; result && i < nargs; i++) {
        PyObject *text = group_by_index(self, args[i]);
        if (!text)
            Py_CLEAR(result);
        else
            PyTuple_SET_ITEM(result, i, text);
    }
    return result;
}

static PyObject *match_groups(MatchObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"default", NULL};
    PyObject *fallback = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:groups", names, &fallback))
        return NULL;
    Py_ssize_t groups = self->pattern->groups;
    PyObject *result = PyTuple_New(groups);
    for (Py_ssize_t i = 0; result && i < groups; i++) {
        PyObject *text = group_text(self, i + 1, fallback);
        if (!text)
            Py_CLEAR(result);
        else
            PyTuple_SET_ITEM(result, i, text);
    }
    return result;
}

static PyObject *match_groupdict(MatchObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"default", NULL};
    PyObject *fallback = Py_None, *name, *number;
    Py_ssize_t at = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:groupdict", names, &fallback))
        return NULL;
    PyObject *result = PyDict_New();
    while (result) {
        /* The dict came from whoever compiled the pattern, and may be changed. */
        Py_BEGIN_CRITICAL_SECTION(self->pattern->groupindex);
        name = PyDict_Next(self->pattern->groupindex, &at, &name, &number) ? Py_NewRef(name) : NULL;
        Py_END_CRITICAL_SECTION();
        if (!name)
            break;
        Py_ssize_t n = group_number(self, name);
        PyObject *text = n < 0 ? NULL : group_text(self, n, fallback);
        if (!text || PyDict_SetItem(result, name, text) < 0)
            Py_CLEAR(result);
        Py_XDECREF(text);
        Py_DECREF(name);
    }
    return result;
}

static int one_group(MatchObject *self, const char *method, PyObject *const *args, Py_ssize_t nargs, Py_ssize_t *n)
{
    if (nargs > 1) {
        PyErr_Format(PyExc_TypeError, "%s expected at most 1 argument, got %zd", method, nargs);
        return -1;
    }
    *n = group_number(self, nargs ? args[0] : NULL);
    return *n < 0 ? -1 : 0;
}

static PyObject *match_start(MatchObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t n;
    return one_group(self, "start", args, nargs, &n) < 0 ? NULL : PyLong_FromSsize_t(self->mark[2 * n]);
}

static PyObject *match_end(MatchObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t n;
    return one_group(self, "end", args, nargs, &n) < 0 ? NULL : PyLong_FromSsize_t(self->mark[2 * n + 1]);
}

static PyObject *span_of(MatchObject *self, Py_ssize_t n)
{
    PyObject *from = PyLong_FromSsize_t(self->mark[2 * n]), *to = PyLong_FromSsize_t(self->mark[2 * n + 1]);
    PyObject *pair = from && to ? PyTuple_Pack(2, from, to) : NULL;
    Py_XDECREF(from);
    Py_XDECREF(to);
    return pair;
}

static PyObject *match_span(MatchObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t n;
    return one_group(self, "span", args, nargs, &n) < 0 ? NULL : span_of(self, n);
}

static PyObject *match_expand(MatchObject *self, PyObject *template)
{
    return sre_call_re("_expand", (PyObject *)self->pattern, (PyObject *)self, template);
}

static PyObject *match_copy(PyObject *self, PyObject *Py_UNUSED(ignored)) { return Py_NewRef(self); }
static PyObject *match_deepcopy(PyObject *self, PyObject *Py_UNUSED(memo)) { return Py_NewRef(self); }

static PyObject *match_repr(MatchObject *self)
{
    PyObject *text = group_text(self, 0, Py_None);
    if (!text)
        return NULL;
    PyObject *repr = PyUnicode_FromFormat("<re.Match object; span=(%zd, %zd), match=%R>", self->mark[0], self->mark[1],
                                          text);
    Py_DECREF(text);
    return repr;
}

static PyObject *get_string(MatchObject *self, void *Py_UNUSED(c))
{
    return Py_NewRef(self->string ? self->string : Py_None);
}
static PyObject *get_re(MatchObject *self, void *Py_UNUSED(c)) { return Py_NewRef((PyObject *)self->pattern); }
static PyObject *get_pos(MatchObject *self, void *Py_UNUSED(c)) { return PyLong_FromSsize_t(self->pos); }
static PyObject *get_endpos(MatchObject *self, void *Py_UNUSED(c)) { return PyLong_FromSsize_t(self->endpos); }

static PyObject *get_lastindex(MatchObject *self, void *Py_UNUSED(c))
{
    if (self->lastindex < 0)
        Py_RETURN_NONE;
    return PyLong_FromSsize_t(self->lastindex);
}

static PyObject *get_lastgroup(MatchObject *self, void *Py_UNUSED(c))
{
    PyObject *names = self->pattern->indexgroup;
    if (self->lastindex < 0 || self->lastindex >= PyTuple_GET_SIZE(names))
        Py_RETURN_NONE;
    return Py_NewRef(PyTuple_GET_ITEM(names, self->lastindex));
}

static PyObject *get_regs(MatchObject *self, void *Py_UNUSED(c))
{
    Py_ssize_t n = self->pattern->groups + 1;
    PyObject *regs = PyTuple_New(n);
    for (Py_ssize_t i = 0; regs && i < n; i++) {
        PyObject *pair = span_of(self, i);
        if (!pair)
            Py_CLEAR(regs);
        else
            PyTuple_SET_ITEM(regs, i, pair);
    }
    return regs;
}

static PyMethodDef match_methods[] = {
    MODULE_METHOD("group", match_group, METH_FASTCALL,
                  "group([group1, ...]) -> str or tuple.\n\nThe text of the groups, given by number or name; of group 0, "
                  "the whole match, by default."),
    MODULE_METHOD("start", match_start, METH_FASTCALL,
                  "start($self, group=0, /)\n--\n\nWhere the group starts in the subject; -1 if it took no part."),
    MODULE_METHOD("end", match_end, METH_FASTCALL,
                  "end($self, group=0, /)\n--\n\nWhere the group ends in the subject; -1 if it took no part."),
    MODULE_METHOD("span", match_span, METH_FASTCALL,
                  "span($self, group=0, /)\n--\n\nThe pair of start(group) and end(group)."),
    MODULE_METHOD("groups", match_groups, METH_VARARGS | METH_KEYWORDS,
                  "groups($self, /, default=None)\n--\n\nThe texts of all groups from 1 on, in a tuple."),
    MODULE_METHOD("groupdict", match_groupdict, METH_VARARGS | METH_KEYWORDS,
                  "groupdict($self, /, default=None)\n--\n\nThe texts of all named groups, by name."),
    MODULE_METHOD("expand", match_expand, METH_O,
                  "expand($self, /, template)\n--\n\nThe template with its group references filled in."),
    MODULE_METHOD("__copy__", match_copy, METH_NOARGS, "__copy__($self, /)\n--\n\nThe match itself."),
    MODULE_METHOD("__deepcopy__", match_deepcopy, METH_O, "__deepcopy__($self, memo, /)\n--\n\nThe match itself."),
    MODULE_METHOD("__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "See PEP 585"),
    {NULL},
};

static PyGetSetDef match_getset[] = {
    {"string", (getter)get_string, NULL, "The subject.", NULL},
    {"re", (getter)get_re, NULL, "The pattern.", NULL},
    {"pos", (getter)get_pos, NULL, "Where looking for a match could begin.", NULL},
    {"endpos", (getter)get_endpos, NULL, "Where the subject was taken to end.", NULL},
    {"lastindex", (getter)get_lastindex, NULL, "The number of the group that closed last, or None.", NULL},
    {"lastgroup", (getter)get_lastgroup, NULL, "The name of the group that closed last, or None.", NULL},
    {"regs", (getter)get_regs, NULL, "The spans of all groups.", NULL},
    {NULL},
};

static PyMappingMethods match_as_mapping = {.mp_subscript = (binaryfunc)group_by_index};

PyTypeObject sre_match_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "re.Match",
    .tp_basicsize = offsetof(MatchObject, mark),
    .tp_itemsize = sizeof(Py_ssize_t),
    .tp_dealloc = (destructor)match_dealloc,
    .tp_repr = (reprfunc)match_repr,
    .tp_as_mapping = &match_as_mapping,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_doc = "The result of re.match() and re.search().\n\nA match object is always true.",
    .tp_traverse = (traverseproc)match_traverse,
    .tp_clear = (inquiry)match_clear,
    .tp_methods = match_methods,
    .tp_getset = match_getset,
};
