/* Struct sequences (os.stat_result, time.struct_time, sys.version_info ...): tuples whose items have names.
 *
 * An instance is a tuple of n_sequence_fields visible items, followed in memory by hidden ones that are attributes only.
 * The class's __dict__ tells n_sequence_fields, n_fields and n_unnamed_fields; nothing here relies on that, since anybody
 * may write there. */
#include "Python.h"

#include "memory.h"
#include "tuple.h"
#include "type.h"
#include "unicode.h"

const char *const PyStructSequence_UnnamedField = "unnamed field";

/* ---- Sizes ---- */

static const struct type_private *counts_of(PyTypeObject *type)
{
    while (type->tp_dealloc == subtype_dealloc)
        type = type->tp_base;
    return type->tp_private;
}

#define VISIBLE(type) ((Py_ssize_t)counts_of(type)->visible_items)
#define UNNAMED(type) ((Py_ssize_t)counts_of(type)->unnamed_items)
#define REAL(type) (VISIBLE(type) + (Py_ssize_t)counts_of(type)->hidden_items)

static Py_ssize_t real_size(PyObject *self) { return REAL(Py_TYPE(self)); }

/* ---- Making ---- */

PyObject *PyStructSequence_New(PyTypeObject *type)
{
    Py_ssize_t size = REAL(type), visible = VISIBLE(type);
    PyTupleObject *self = (PyTupleObject *)object_new_gc(type, sizeof(PyTupleObject) + ((size_t)size + 1) * sizeof(PyObject *));
    if (self == NULL)
        return NULL;
    self->ob_base.ob_size = visible;
    for (Py_ssize_t i = 0; i <= size; i++)
        self->ob_item[i] = NULL;
    object_track((PyObject *)self);
    return (PyObject *)self;
}

void PyStructSequence_SetItem(PyObject *op, Py_ssize_t i, PyObject *value) { PyTuple_SET_ITEM(op, i, value); }
PyObject *PyStructSequence_GetItem(PyObject *op, Py_ssize_t i) { return PyTuple_GET_ITEM(op, i); }

static int structseq_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_ssize_t n = real_size(self);
    for (Py_ssize_t i = 0; i < n; i++)
        Py_VISIT(PyTuple_GET_ITEM(self, i));
    return 0;
}

static void structseq_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    Py_ssize_t n = real_size(self);
    int counted = object_counts_type(self);
    object_untrack(self);
    for (Py_ssize_t i = 0; i < n; i++)
        Py_XDECREF(PyTuple_GET_ITEM(self, i));
    PyObject_GC_Del(self);
    if (counted)
        Py_DECREF(type);
}

static PyObject *structseq_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    static char *names[] = {"sequence", "dict", NULL};
    PyObject *sequence, *dict = NULL, *result = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwds, "O|O:structseq", names, &sequence, &dict))
        return NULL;
    Py_ssize_t min = VISIBLE(type), max = REAL(type), unnamed = UNNAMED(type);
    sequence = PySequence_Tuple(sequence);
    if (sequence == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError))
            PyErr_SetString(PyExc_TypeError, "constructor requires a sequence");
        return NULL;
    }
    if (dict != NULL && !PyDict_Check(dict)) {
        PyErr_Format(PyExc_TypeError, "%.500s() takes a dict as second arg, if any", type->tp_name);
        goto done;
    }
    Py_ssize_t n = PyTuple_GET_SIZE(sequence);
    if (n < min || n > max) {
        if (min != max)
            PyErr_Format(PyExc_TypeError, "%.500s() takes an %s %zd-sequence (%zd-sequence given)", type->tp_name,
                         n < min ? "at least" : "at most", n < min ? min : max, n);
        else
            PyErr_Format(PyExc_TypeError, "%.500s() takes a %zd-sequence (%zd-sequence given)", type->tp_name, min, n);
        goto done;
    }
    result = PyStructSequence_New(type);
    if (result == NULL)
        goto done;
    for (Py_ssize_t i = 0; i < n; i++)
        PyTuple_SET_ITEM(result, i, Py_NewRef(PyTuple_GET_ITEM(sequence, i)));
    for (Py_ssize_t i = n; i < max; i++) {
        PyObject *value = NULL;
        if (dict != NULL && PyDict_GetItemStringRef(dict, type->tp_members[i - unnamed].name, &value) < 0) {
            Py_CLEAR(result);
            break;
        }
        PyTuple_SET_ITEM(result, i, value != NULL ? value : Py_None);
    }
done:
    Py_DECREF(sequence);
    return result;
}

/* ---- Methods ---- */

static PyObject *structseq_repr(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    Py_ssize_t n = VISIBLE(type);
    PyObject *parts = PyList_New(0), *separator = NULL, *joined = NULL, *result = NULL;
    int failed = parts == NULL;
    for (Py_ssize_t i = 0; i < n && !failed; i++) {
        const char *name = type->tp_members != NULL ? type->tp_members[i].name : NULL;
        if (name == NULL) {
            PyErr_Format(PyExc_SystemError, "In structseq_repr(), member %zd name is NULL for type %.500s", i, type->tp_name);
            failed = 1;
            break;
        }
        PyObject *value = PyTuple_GET_ITEM(self, i);
        PyObject *part = PyUnicode_FromFormat("%s=%R", name, value != NULL ? value : Py_None);
        failed = part == NULL || PyList_Append(parts, part) < 0;
        Py_XDECREF(part);
    }
    if (!failed && (separator = PyUnicode_FromString(", ")) != NULL && (joined = PyUnicode_Join(separator, parts)) != NULL)
        result = PyUnicode_FromFormat("%s(%U)", type->tp_name, joined);
    Py_XDECREF(parts);
    Py_XDECREF(separator);
    Py_XDECREF(joined);
    return result;
}

static PyObject *structseq_reduce(PyObject *self, PyObject *unused)
{
    PyTypeObject *type = Py_TYPE(self);
    Py_ssize_t visible = VISIBLE(type), fields = REAL(type), unnamed = UNNAMED(type);
    PyObject *tuple = PyTuple_GetSlice(self, 0, visible), *dict = PyDict_New(), *result = NULL;
    if (tuple == NULL || dict == NULL)
        goto done;
    for (Py_ssize_t i = visible; i < fields; i++) {
        PyObject *value = PyTuple_GET_ITEM(self, i);
        if (PyDict_SetItemString(dict, type->tp_members[i - unnamed].name, value != NULL ? value : Py_None) < 0)
            goto done;
    }
    result = Py_BuildValue("(O(OO))", type, tuple, dict);
done:
    Py_XDECREF(tuple);
    Py_XDECREF(dict);
    return result;
}

static PyMethodDef structseq_methods[] = {
    {"__reduce__", structseq_reduce, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}
};

/* ---- Types ---- */

struct field_counts { Py_ssize_t members, unnamed, visible; };

static struct field_counts count_fields(const PyStructSequence_Desc *desc)
{
    struct field_counts counts = {0, 0, desc->n_in_sequence};
    for (; desc->fields[counts.members].name != NULL; counts.members++)
        counts.unnamed += desc->fields[counts.members].name == PyStructSequence_UnnamedField;
    return counts;
}

static PyMemberDef *make_members(const PyStructSequence_Desc *desc, struct field_counts counts)
{
    PyMemberDef *members = PyMem_Calloc((size_t)(counts.members - counts.unnamed) + 1, sizeof(*members)), *m = members;
    if (members == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    for (Py_ssize_t i = 0; i < counts.members; i++) {
        if (desc->fields[i].name == PyStructSequence_UnnamedField)
            continue;
        m->name = desc->fields[i].name;
        m->type = T_OBJECT;
        m->offset = (Py_ssize_t)(offsetof(PyTupleObject, ob_item) + (size_t)i * sizeof(PyObject *));
        m->flags = READONLY | _Py_MEMBER_LOCK_FREE;
        m->doc = desc->fields[i].doc;
        m++;
    }
    return members;
}

static int set_counts(PyTypeObject *type, const PyStructSequence_Desc *desc, struct field_counts counts)
{
    const struct { const char *name; Py_ssize_t n; } values[] = {
        {"n_sequence_fields", counts.visible}, {"n_fields", counts.members}, {"n_unnamed_fields", counts.unnamed},
    };
    for (size_t i = 0; i < Py_ARRAY_LENGTH(values); i++) {
        PyObject *n = PyLong_FromSsize_t(values[i].n);
        int failed = n == NULL || PyDict_SetItemString(type->tp_dict, values[i].name, n) < 0;
        Py_XDECREF(n);
        if (failed)
            return -1;
    }
    type->tp_private->visible_items = (uint32_t)counts.visible;
    type->tp_private->unnamed_items = (uint32_t)counts.unnamed;
    type->tp_private->hidden_items = (uint32_t)(counts.members - counts.visible);
    /* __match_args__: the visible names */
    PyObject *names = PyTuple_New(counts.visible);
    Py_ssize_t used = 0;
    for (Py_ssize_t i = 0; names != NULL && i < counts.visible; i++) {
        if (desc->fields[i].name == PyStructSequence_UnnamedField)
            continue;
        PyObject *name = PyUnicode_FromString(desc->fields[i].name);
        if (name == NULL)
            Py_CLEAR(names);
        else
            PyTuple_SET_ITEM(names, used++, name);
    }
    if (names == NULL || _PyTuple_Resize(&names, used) < 0)
        return -1;
    int result = PyDict_SetItem(type->tp_dict, STR(__match_args__), names);
    Py_DECREF(names);
    PyType_Modified(type);
    return result;
}

int PyStructSequence_InitType2(PyTypeObject *type, PyStructSequence_Desc *desc)
{
    struct field_counts counts = count_fields(desc);
    PyMemberDef *members = make_members(desc, counts);
    if (members == NULL)
        return -1;
    memset((char *)type + sizeof(PyVarObject), 0, sizeof(*type) - sizeof(PyVarObject));
    ((PyObject *)type)->hdr_type = &PyType_Type;
    if (!object_is_immortal((PyObject *)type)) {
        /* memory that no static initialiser has seen */
        PyVarObject head = {PyObject_HEAD_INIT(&PyType_Type) 0};
        memcpy(type, &head, sizeof(head));
    }
    type->tp_name = desc->name;
    type->tp_basicsize = sizeof(PyTupleObject) - sizeof(PyObject *);
    type->tp_itemsize = sizeof(PyObject *);
    type->tp_dealloc = structseq_dealloc;
    type->tp_repr = structseq_repr;
    type->tp_doc = desc->doc;
    type->tp_base = &PyTuple_Type;
    type->tp_methods = structseq_methods;
    type->tp_new = structseq_new;
    type->tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC;
    type->tp_traverse = structseq_traverse;
    type->tp_members = members;
    return PyType_Ready(type) < 0 || set_counts(type, desc, counts) < 0 ? -1 : 0;
}

void PyStructSequence_InitType(PyTypeObject *type, PyStructSequence_Desc *desc) { (void)PyStructSequence_InitType2(type, desc); }

PyTypeObject *_PyStructSequence_NewType(PyStructSequence_Desc *desc, unsigned long flags)
{
    struct field_counts counts = count_fields(desc);
    PyMemberDef *members = make_members(desc, counts);
    if (members == NULL)
        return NULL;
    PyType_Slot slots[] = {
        {Py_tp_dealloc, (void *)structseq_dealloc}, {Py_tp_repr, (void *)structseq_repr}, {Py_tp_doc, (void *)desc->doc},
        {Py_tp_methods, structseq_methods}, {Py_tp_new, (void *)structseq_new}, {Py_tp_members, members},
        {Py_tp_traverse, (void *)structseq_traverse}, {0, NULL},
    };
    PyType_Spec spec = {
        desc->name, sizeof(PyTupleObject) - sizeof(PyObject *), sizeof(PyObject *),
        (unsigned int)(Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | flags), slots
    };
    PyTypeObject *type = (PyTypeObject *)PyType_FromSpecWithBases(&spec, (PyObject *)&PyTuple_Type);
    PyMem_Free(members);
    if (type != NULL && set_counts(type, desc, counts) < 0)
        Py_CLEAR(type);
    return type;
}

PyTypeObject *PyStructSequence_NewType(PyStructSequence_Desc *desc) { return _PyStructSequence_NewType(desc, 0); }
