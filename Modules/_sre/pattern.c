/* re.Pattern: a compiled pattern, immutable, and what it does to whole subjects. */
#include "sre.h"

#include <string.h>

/* --- making one --- */

static int fill_code(PatternObject *self, PyObject *list)
{
    for (Py_ssize_t i = 0; i < Py_SIZE((PyObject *)self); i++) {
        PyObject *word = PyList_GetItemRef(list, i);
        if (!word)
            return -1;
        unsigned long value = PyLong_AsUnsignedLong(word);
        Py_DECREF(word);
        if (value == (unsigned long)-1 && PyErr_Occurred())
            return -1;
        if (value > UINT32_MAX) {
            PyErr_SetString(PyExc_OverflowError, "regular expression code size limit exceeded");
            return -1;
        }
        self->code[i] = (uint32_t)value;
    }
    return 0;
}

PyObject *sre_compile(PyObject *Py_UNUSED(module), PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"pattern", "flags", "code", "groups", "groupindex", "indexgroup", NULL};
    PyObject *pattern, *code, *groupindex, *indexgroup;
    int flags;
    Py_ssize_t groups;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OiO!nO!O!:compile", names, &pattern, &flags, &PyList_Type, &code,
                                     &groups, &PyDict_Type, &groupindex, &PyTuple_Type, &indexgroup))
        return NULL;
    Py_ssize_t size = PyList_GET_SIZE(code);
    if (size >= INT32_MAX) {
        PyErr_SetString(PyExc_OverflowError, "regular expression code size limit exceeded");
        return NULL;
    }
    PatternObject *self = PyObject_GC_NewVar(PatternObject, &sre_pattern_type, size);
    if (!self)
        return NULL;
    size_t head = offsetof(PatternObject, pattern);
    memset((char *)self + head, 0, offsetof(PatternObject, code) - head);
    if (fill_code(self, code) < 0)
        goto failed;
    self->isbytes = -1;
    if (pattern != Py_None) {
        const void *data;
        Py_ssize_t length;
        int kind;
        Py_buffer view = {.obj = NULL};
        if (sre_subject(pattern, &data, &length, &kind, &self->isbytes, &view) < 0)
            goto failed;
        if (view.obj)
            PyBuffer_Release(&view);
    }
    if (sre_validate(self->code, size, groups) < 0) {
        PyErr_SetString(PyExc_RuntimeError, "invalid SRE code");
        goto failed;
    }
    self->pattern = Py_NewRef(pattern);
    self->groupindex = Py_NewRef(groupindex);
    self->indexgroup = Py_NewRef(indexgroup);
    self->groups = groups;
    self->flags = flags;
    if (sre_analyse(self) < 0)
        goto failed;
    PyObject_GC_Track(self);
    return (PyObject *)self;
failed:
    PyObject_GC_Track(self);
    Py_DECREF((PyObject *)self);
    return NULL;
}

static int pattern_traverse(PatternObject *self, visitproc visit, void *arg)
{
    Py_VISIT(self->pattern);
    Py_VISIT(self->groupindex);
    Py_VISIT(self->indexgroup);
    return 0;
}

static void pattern_dealloc(PatternObject *self)
{
    PyObject_GC_UnTrack(self);
    if (self->weakrefs)
        PyObject_ClearWeakRefs((PyObject *)self);
    Py_XDECREF(self->pattern);
    Py_XDECREF(self->groupindex);
    Py_XDECREF(self->indexgroup);
    PyMem_Free(self->table_of);
    PyMem_Free(self->tables);
    PyMem_Free(self->prefix_bytes);
    PyObject_GC_Del(self);
}

/* --- arguments --- */

/* Binds up to three arguments, the first required of which are required, by position or name. 0 or -1. */
static int bind(const char *method, const char *const *names, int required, int total, PyObject *const *args,
                Py_ssize_t nargs, PyObject *kwnames, PyObject **values)
{
    Py_ssize_t nkw = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
    if (nargs + nkw > total) {
        PyErr_Format(PyExc_TypeError, "%s() takes at most %d argument%s (%zd given)", method, total,
                     total == 1 ? "" : "s", nargs + nkw);
        return -1;
    }
    for (int i = 0; i < total; i++)
        values[i] = i < nargs ? args[i] : NULL;
    for (Py_ssize_t k = 0; k < nkw; k++) {
        PyObject *name = PyTuple_GET_ITEM(kwnames, k);
        int i = 0;
        while (i < total && PyUnicode_CompareWithASCIIString(name, names[i]) != 0)
            i++;
        if (i == total) {
            PyErr_Format(PyExc_TypeError, "'%U' is an invalid keyword argument for %s()", name, method);
            return -1;
        }
        if (values[i]) {
            PyErr_Format(PyExc_TypeError, "argument for %s() given by name ('%s') and position (%d)", method, names[i],
                         i + 1);
            return -1;
        }
        values[i] = args[nargs + k];
    }
    for (int i = 0; i < required; i++)
        if (!values[i]) {
            PyErr_Format(PyExc_TypeError, "%s() missing required argument '%s' (pos %d)", method, names[i], i + 1);
            return -1;
        }
    return 0;
}

/* An index argument; left alone if value is NULL. */
static int as_index(PyObject *value, Py_ssize_t *result)
{
    if (!value)
        return 0;
    PyObject *number = PyNumber_Index(value);
    if (!number)
        return -1;
    *result = PyLong_AsSsize_t(number);
    Py_DECREF(number);
    return *result == -1 && PyErr_Occurred() ? -1 : 0;
}

typedef struct {
    PyObject *string;
    Py_ssize_t pos, end;
} subject;

/* (string, pos=0, endpos=sys.maxsize) */
static int bind_subject(const char *method, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames, subject *s)
{
    static const char *const names[] = {"string", "pos", "endpos"};
    PyObject *values[3];
    s->pos = 0;
    s->end = PY_SSIZE_T_MAX;
    if (bind(method, names, 1, 3, args, nargs, kwnames, values) < 0 || as_index(values[1], &s->pos) < 0
        || as_index(values[2], &s->end) < 0)
        return -1;
    s->string = values[0];
    return 0;
}

/* --- one match --- */

static PyObject *one_match(PatternObject *self, const subject *s, int all, int (*find)(sre_state *))
{
    sre_state st;
    if (sre_state_init(&st, self, s->string, s->pos, s->end) < 0)
        return NULL;
    st.match_all = all;
    PyObject *match = sre_match_new(self, &st, find(&st));
    sre_state_fini(&st);
    return match;
}

static PyObject *pattern_match(PatternObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    subject s;
    return bind_subject("match", args, nargs, kwnames, &s) < 0 ? NULL : one_match(self, &s, 0, sre_match);
}

static PyObject *pattern_fullmatch(PatternObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    subject s;
    return bind_subject("fullmatch", args, nargs, kwnames, &s) < 0 ? NULL : one_match(self, &s, 1, sre_match);
}

static PyObject *pattern_search(PatternObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    subject s;
    return bind_subject("search", args, nargs, kwnames, &s) < 0 ? NULL : one_match(self, &s, 0, sre_search);
}

/* --- all matches --- */

static int append_steal(PyObject *list, PyObject *item)
{
    int result = item ? PyList_Append(list, item) : -1;
    Py_XDECREF(item);
    return result;
}

static PyObject *found_item(PatternObject *self, sre_state *st)
{
    if (self->groups <= 1)
        return sre_state_group(st, self->groups, 1);
    PyObject *item = PyTuple_New(self->groups);
    for (Py_ssize_t i = 0; item && i < self->groups; i++) {
        PyObject *text = sre_state_group(st, i + 1, 1);
        if (!text)
            Py_CLEAR(item);
        else
            PyTuple_SET_ITEM(item, i, text);
    }
    return item;
}

static PyObject *pattern_findall(PatternObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    subject s;
    sre_state st;
    if (bind_subject("findall", args, nargs, kwnames, &s) < 0
        || sre_state_init(&st, self, s.string, s.pos, s.end) < 0)
        return NULL;
    PyObject *list = PyList_New(0);
    int status = 1;
    while (list && (status = sre_search(&st)) > 0) {
        if (append_steal(list, found_item(self, &st)) < 0)
            Py_CLEAR(list);
        sre_state_advance(&st);
    }
    if (status < 0)
        Py_CLEAR(list);
    sre_state_fini(&st);
    return list;
}

static PyObject *pattern_scanner(PatternObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    subject s;
    if (bind_subject("scanner", args, nargs, kwnames, &s) < 0)
        return NULL;
    return sre_scanner_new(self, s.string, s.pos, s.end);
}

static PyObject *pattern_finditer(PatternObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    subject s;
    if (bind_subject("finditer", args, nargs, kwnames, &s) < 0)
        return NULL;
    PyObject *scanner = sre_scanner_new(self, s.string, s.pos, s.end);
    PyObject *search = scanner ? PyObject_GetAttrString(scanner, "search") : NULL;
    PyObject *iterator = search ? PyCallIter_New(search, Py_None) : NULL;
    Py_XDECREF(scanner);
    Py_XDECREF(search);
    return iterator;
}

static PyObject *pattern_split(PatternObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    static const char *const names[] = {"string", "maxsplit"};
    PyObject *values[2];
    Py_ssize_t limit = 0, n = 0;
    sre_state st;
    if (bind("split", names, 1, 2, args, nargs, kwnames, values) < 0 || as_index(values[1], &limit) < 0
        || sre_state_init(&st, self, values[0], 0, PY_SSIZE_T_MAX) < 0)
        return NULL;
    PyObject *list = PyList_New(0);
    Py_ssize_t last = st.start;
    int status = 1;
    while (list && (!limit || n < limit) && (status = sre_search(&st)) > 0) {
        if (append_steal(list, sre_slice(st.string, st.data, st.isbytes, last, st.start)) < 0)
            Py_CLEAR(list);
        for (Py_ssize_t i = 0; list && i < self->groups; i++)
            if (append_steal(list, sre_state_group(&st, i + 1, 0)) < 0)
                Py_CLEAR(list);
        n++;
        last = st.ptr;
        sre_state_advance(&st);
    }
    if (status < 0
        || (list && append_steal(list, sre_slice(st.string, st.data, st.isbytes, last, st.length)) < 0))
        Py_CLEAR(list);
    sre_state_fini(&st);
    return list;
}

/* --- replacing --- */

PyObject *sre_call_re(const char *function, PyObject *a, PyObject *b, PyObject *c)
{
    PyObject *module = PyImport_ImportModule("re");
    PyObject *callable = module ? PyObject_GetAttrString(module, function) : NULL;
    PyObject *result = callable ? PyObject_CallFunctionObjArgs(callable, a, b, c, NULL) : NULL;
    Py_XDECREF(callable);
    Py_XDECREF(module);
    return result;
}

/* 1: repl is text without a backslash, to be used as it is. */
static int is_plain(PyObject *repl)
{
    const void *data;
    Py_ssize_t length;
    int kind, isbytes;
    Py_buffer view = {.obj = NULL};
    if (sre_subject(repl, &data, &length, &kind, &isbytes, &view) < 0) {
        PyErr_Clear();
        return 0;
    }
    int plain;
    if (kind == 1)
        plain = memchr(data, '\\', (size_t)length) == NULL;
    else
        plain = PyUnicode_FindChar(repl, '\\', 0, length, 1) == -1;
    if (view.obj)
        PyBuffer_Release(&view);
    return plain;
}

/* Appends the replacements and what lies between them; answers how many there were, -1: exception. */
static Py_ssize_t replace(PatternObject *self, sre_state *st, PyObject *filter, int callable, Py_ssize_t limit,
                          PyObject *list)
{
    Py_ssize_t n = 0, last = st->start;
    while (!limit || n < limit) {
        int status = sre_search(st);
        if (status < 0)
            return -1;
        if (!status)
            break;
        if (last < st->start
            && append_steal(list, sre_slice(st->string, st->data, st->isbytes, last, st->start)) < 0)
            return -1;
        PyObject *item = filter;
        if (callable) {
            PyObject *match = sre_match_new(self, st, 1);
            item = match ? PyObject_CallOneArg(filter, match) : NULL;
            Py_XDECREF(match);
            if (!item)
                return -1;
        }
        else {
            Py_INCREF(item);
        }
        if (item == Py_None)
            Py_DECREF(item);
        else if (append_steal(list, item) < 0)
            return -1;
        n++;
        last = st->ptr;
        sre_state_advance(st);
    }
    if (last < st->length && append_steal(list, sre_slice(st->string, st->data, st->isbytes, last, st->length)) < 0)
        return -1;
    return n;
}

static PyObject *joined(sre_state *st, PyObject *list)
{
    PyObject *empty = sre_slice(st->string, st->data, st->isbytes, 0, 0);
    PyObject *result = NULL;
    if (!empty || PyList_GET_SIZE(list) == 0)
        return empty;
    if (st->isbytes)
        result = PyObject_CallMethod(empty, "join", "O", list);
    else
        result = PyUnicode_Join(empty, list);
    Py_DECREF(empty);
    return result;
}

static PyObject *substitute(const char *method, PatternObject *self, PyObject *const *args, Py_ssize_t nargs,
                            PyObject *kwnames, Py_ssize_t *n)
{
    static const char *const names[] = {"repl", "string", "count"};
    PyObject *values[3], *filter, *list = NULL, *result = NULL;
    Py_ssize_t limit = 0;
    sre_state st;
    if (bind(method, names, 2, 3, args, nargs, kwnames, values) < 0 || as_index(values[2], &limit) < 0)
        return NULL;
    if (PyCallable_Check(values[0]) || is_plain(values[0]))
        filter = Py_NewRef(values[0]);
    else
        filter = sre_call_re("_subx", (PyObject *)self, values[0], NULL);
    if (!filter)
        return NULL;
    if (sre_state_init(&st, self, values[1], 0, PY_SSIZE_T_MAX) < 0) {
        Py_DECREF(filter);
        return NULL;
    }
    list = PyList_New(0);
    if (list && (*n = replace(self, &st, filter, PyCallable_Check(filter), limit, list)) >= 0)
        result = joined(&st, list);
    Py_XDECREF(list);
    Py_DECREF(filter);
    sre_state_fini(&st);
    return result;
}

static PyObject *pattern_sub(PatternObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    Py_ssize_t n;
    return substitute("sub", self, args, nargs, kwnames, &n);
}

static PyObject *pattern_subn(PatternObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    Py_ssize_t n = 0;
    PyObject *text = substitute("subn", self, args, nargs, kwnames, &n);
    PyObject *number = text ? PyLong_FromSsize_t(n) : NULL;
    PyObject *pair = number ? PyTuple_Pack(2, text, number) : NULL;
    Py_XDECREF(text);
    Py_XDECREF(number);
    return pair;
}

/* --- being an object --- */

static PyObject *pattern_copy(PyObject *self, PyObject *Py_UNUSED(ignored)) { return Py_NewRef(self); }
static PyObject *pattern_deepcopy(PyObject *self, PyObject *Py_UNUSED(memo)) { return Py_NewRef(self); }

static const struct {
    const char *name;
    int flag;
} flag_names[] = {
    {"re.TEMPLATE", 1}, {"re.IGNORECASE", SRE_IGNORECASE}, {"re.LOCALE", SRE_LOCALE},
    {"re.MULTILINE", SRE_MULTILINE}, {"re.DOTALL", SRE_DOTALL}, {"re.UNICODE", SRE_UNICODE},
    {"re.VERBOSE", SRE_VERBOSE}, {"re.DEBUG", SRE_DEBUG}, {"re.ASCII", SRE_ASCII},
};

static PyObject *pattern_repr(PatternObject *self)
{
    char flags_text[200] = "";
    size_t used = 0;
    int flags = self->flags;
    if (self->isbytes == 0 && (flags & (SRE_LOCALE | SRE_UNICODE | SRE_ASCII)) == SRE_UNICODE)
        flags &= ~SRE_UNICODE;
    for (size_t i = 0; i < sizeof flag_names / sizeof *flag_names; i++)
        if (flags & flag_names[i].flag) {
            used += (size_t)PyOS_snprintf(flags_text + used, sizeof flags_text - used, "%s%s", used ? "|" : ", ",
                                          flag_names[i].name);
            flags &= ~flag_names[i].flag;
        }
    if (flags)
        PyOS_snprintf(flags_text + used, sizeof flags_text - used, "%s0x%x", used ? "|" : ", ", (unsigned)flags);
    return PyUnicode_FromFormat("re.compile(%.200R%s)", self->pattern, flags_text);
}

static Py_hash_t pattern_hash(PatternObject *self)
{
    Py_hash_t hash = PyObject_Hash(self->pattern);
    if (hash == -1)
        return -1;
    uint64_t mix = 14695981039346656037u;
    for (Py_ssize_t i = 0; i < Py_SIZE((PyObject *)self); i++)
        mix = (mix ^ self->code[i]) * 1099511628211u;
    hash ^= (Py_hash_t)mix ^ self->flags ^ self->isbytes ^ self->groups;
    return hash == -1 ? -2 : hash;
}

static PyObject *pattern_richcompare(PyObject *a, PyObject *b, int op)
{
    if ((op != Py_EQ && op != Py_NE) || !Py_IS_TYPE(b, &sre_pattern_type))
        Py_RETURN_NOTIMPLEMENTED;
    PatternObject *x = (PatternObject *)a, *y = (PatternObject *)b;
    int same = x == y;
    if (!same && x->flags == y->flags && x->isbytes == y->isbytes && x->groups == y->groups && Py_SIZE(a) == Py_SIZE(b)
        && memcmp(x->code, y->code, (size_t)Py_SIZE(a) * sizeof(uint32_t)) == 0) {
        same = PyObject_RichCompareBool(x->pattern, y->pattern, Py_EQ);
        if (same < 0)
            return NULL;
    }
    return PyBool_FromLong(same == (op == Py_EQ));
}

static PyObject *get_pattern(PatternObject *self, void *Py_UNUSED(c)) { return Py_NewRef(self->pattern); }
static PyObject *get_flags(PatternObject *self, void *Py_UNUSED(c)) { return PyLong_FromLong(self->flags); }
static PyObject *get_groups(PatternObject *self, void *Py_UNUSED(c)) { return PyLong_FromSsize_t(self->groups); }
static PyObject *get_groupindex(PatternObject *self, void *Py_UNUSED(c)) { return PyDictProxy_New(self->groupindex); }

#define SUBJECT_METHOD(name, text) \
    MODULE_METHOD(#name, pattern_##name, METH_FASTCALL | METH_KEYWORDS, \
                  #name "($self, /, string, pos=0, endpos=sys.maxsize)\n--\n\n" text)

static PyMethodDef pattern_methods[] = {
    SUBJECT_METHOD(match, "Matches at the beginning of the subject."),
    SUBJECT_METHOD(fullmatch, "Matches all of the subject."),
    SUBJECT_METHOD(search, "Finds the first match in the subject."),
    SUBJECT_METHOD(findall, "The texts of all matches that do not overlap, or of their groups."),
    SUBJECT_METHOD(finditer, "An iterator over all matches that do not overlap."),
    SUBJECT_METHOD(scanner, "An object that steps through the matches."),
    MODULE_METHOD("split", pattern_split, METH_FASTCALL | METH_KEYWORDS,
                  "split($self, /, string, maxsplit=0)\n--\n\nSplits the subject at the matches."),
    MODULE_METHOD("sub", pattern_sub, METH_FASTCALL | METH_KEYWORDS,
                  "sub($self, /, repl, string, count=0)\n--\n\nThe subject with its matches replaced."),
    MODULE_METHOD("subn", pattern_subn, METH_FASTCALL | METH_KEYWORDS,
                  "subn($self, /, repl, string, count=0)\n--\n\nThe pair of what sub() gives, and how many it replaced."),
    MODULE_METHOD("__copy__", pattern_copy, METH_NOARGS, "__copy__($self, /)\n--\n\nThe pattern itself."),
    MODULE_METHOD("__deepcopy__", pattern_deepcopy, METH_O, "__deepcopy__($self, memo, /)\n--\n\nThe pattern itself."),
    MODULE_METHOD("__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "See PEP 585"),
    {NULL},
};

static PyGetSetDef pattern_getset[] = {
    {"pattern", (getter)get_pattern, NULL, "What the pattern was compiled from.", NULL},
    {"flags", (getter)get_flags, NULL, "The flags.", NULL},
    {"groups", (getter)get_groups, NULL, "How many capturing groups there are.", NULL},
    {"groupindex", (getter)get_groupindex, NULL, "The numbers of the named groups.", NULL},
    {NULL},
};

PyTypeObject sre_pattern_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "re.Pattern",
    .tp_basicsize = offsetof(PatternObject, code),
    .tp_itemsize = sizeof(uint32_t),
    .tp_dealloc = (destructor)pattern_dealloc,
    .tp_repr = (reprfunc)pattern_repr,
    .tp_hash = (hashfunc)pattern_hash,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_doc = "A compiled regular expression.",
    .tp_traverse = (traverseproc)pattern_traverse,
    .tp_richcompare = pattern_richcompare,
    .tp_weaklistoffset = offsetof(PatternObject, weakrefs),
    .tp_methods = pattern_methods,
    .tp_getset = pattern_getset,
};
