/* Out-of-line instructions of the match statement (PEP 634). */
#include "Python.h"

#include "thread_state.h"
#include "vm_slow.h"
#include "well_known_strings.h"

int vm_get_len(frame_t *f, const instruction_t *at)
{
    Py_ssize_t length = PyObject_Length(f->slots[AT_B(at)]);
    return length < 0 ? -1 : result_store(f, AT_A(at), PyLong_FromSsize_t(length));
}

/* Notes a key or a name of a pattern: 1 if it has been noted before, 0, -1.  *seen is made when there is something to compare with:
 * a single one (count 1) is not noted. */
static int note_seen(PyObject **seen, PyObject *key, Py_ssize_t count)
{
    if (count == 1)
        return 0;
    if (*seen == NULL && (*seen = PySet_New(NULL)) == NULL)
        return -1;
    int duplicate = PySet_Contains(*seen, key);
    return duplicate != 0 ? duplicate : PySet_Add(*seen, key);
}

/* mapping.get(key, dummy): a look-up that makes no entries in a defaultdict.  1, 0 if the key is missing, -1.
 * *get and *dummy are made when they are needed. */
static int get_value(PyObject *mapping, PyObject *key, PyObject **get, PyObject **dummy, PyObject **value)
{
    if (PyDict_CheckExact(mapping))
        return PyDict_GetItemRef(mapping, key, value);
    *value = NULL;
    if ((*get == NULL && (*get = PyObject_GetAttr(mapping, STR(get))) == NULL)
        || (*dummy == NULL && (*dummy = PyObject_CallNoArgs((PyObject *)&PyBaseObject_Type)) == NULL))
        return -1;
    PyObject *args[] = {NULL, key, *dummy};
    *value = PyObject_Vectorcall(*get, args + 1, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    if (*value == *dummy)
        Py_CLEAR(*value);
    else
        return *value != NULL ? 1 : -1;
    return 0;
}

/* The values of mapping at keys as a tuple, None if one is missing; NULL on error. */
static PyObject *match_keys(PyObject *mapping, PyObject *keys)
{
    Py_ssize_t n = PyTuple_GET_SIZE(keys);
    PyObject *values = PyTuple_New(n), *seen = NULL, *get = NULL, *dummy = NULL;
    for (Py_ssize_t i = 0; i < n && values != NULL; i++) {
        PyObject *key = PyTuple_GET_ITEM(keys, i), *value = NULL;
        int duplicate = note_seen(&seen, key, n);
        if (duplicate > 0)
            PyErr_Format(PyExc_ValueError, "mapping pattern checks duplicate key (%R)", key);
        int found = duplicate == 0 ? get_value(mapping, key, &get, &dummy, &value) : -1;
        if (found > 0)
            PyTuple_SET_ITEM(values, i, value);
        else {
            Py_SETREF(values, found == 0 ? Py_NewRef(Py_None) : NULL);
            break;
        }
    }
    Py_XDECREF(get);
    Py_XDECREF(seen);
    Py_XDECREF(dummy);
    return values;
}

int vm_match_keys(frame_t *f, const instruction_t *at)
{
    PyObject *values = match_keys(f->slots[AT_B(at)], f->slots[AT_C(at)]);
    operand_release(f, AT_C(at));
    return result_store(f, AT_A(at), values);
}

/* A class pattern being matched. */
typedef struct {
    PyObject *subject, *type;
    PyObject *names;            /* those matched so far, a set, or NULL */
    PyObject *values;           /* a tuple being filled */
    Py_ssize_t count;           /* how many values there will be */
} class_match_t;

/* The attribute of the subject that goes to values[i]: 1, 0 if it has none, -1. */
static int match_attribute(class_match_t *m, PyObject *name, Py_ssize_t i)
{
    PyObject *value = NULL;
    int duplicate = note_seen(&m->names, name, m->count);
    if (duplicate > 0)
        PyErr_Format(PyExc_TypeError, "%.200s() got multiple sub-patterns for attribute %R", ((PyTypeObject *)m->type)->tp_name,
                     name);
    if (duplicate != 0)
        return -1;
    int found = PyObject_GetOptionalAttr(m->subject, name, &value);
    if (found > 0)
        PyTuple_SET_ITEM(m->values, i, value);
    return found;
}

/* The names of the n positional sub-patterns as a tuple.
 * Returns  1, or 2 if the one sub-pattern is for the subject itself (*names is NULL then); -1 with an exception set */
static int positional_names(PyObject *type, Py_ssize_t n, PyObject **names)
{
    const char *name = ((PyTypeObject *)type)->tp_name;
    if (PyObject_GetOptionalAttr(type, STR(__match_args__), names) < 0)
        return -1;
    int match_self = *names == NULL && PyType_HasFeature((PyTypeObject *)type, _Py_TPFLAGS_MATCH_SELF);
    if (*names != NULL && !PyTuple_CheckExact(*names)) {
        PyErr_Format(PyExc_TypeError, "%.200s.__match_args__ must be a tuple (got %.200s)", name, Py_TYPE(*names)->tp_name);
        return -1;
    }
    Py_ssize_t allowed = match_self ? 1 : *names != NULL ? PyTuple_GET_SIZE(*names) : 0;
    if (n > allowed) {
        PyErr_Format(PyExc_TypeError, "%.200s() accepts %zd positional sub-pattern%s (%zd given)", name, allowed,
                     allowed == 1 ? "" : "s", n);
        return -1;
    }
    return 1 + match_self;
}

/* Fills the values of the n positional sub-patterns: 1, 0 no match, -1. */
static int match_positional(class_match_t *m, Py_ssize_t n)
{
    PyObject *names = NULL;
    int status = positional_names(m->type, n, &names);
    if (status == 2)
        PyTuple_SET_ITEM(m->values, 0, Py_NewRef(m->subject));
    for (Py_ssize_t i = 0; i < n && status == 1; i++) {
        PyObject *name = PyTuple_GET_ITEM(names, i);
        if (PyUnicode_CheckExact(name))
            status = match_attribute(m, name, i);
        else {
            PyErr_Format(PyExc_TypeError, "__match_args__ elements must be strings (got %.200s)", Py_TYPE(name)->tp_name);
            status = -1;
        }
    }
    Py_XDECREF(names);
    return status;
}

static PyObject *match_class(PyObject *subject, PyObject *type, Py_ssize_t npositional, PyObject *kwnames)
{
    if (!PyType_Check(type)) {
        PyErr_SetString(PyExc_TypeError, "called match pattern must be a class");
        return NULL;
    }
    int status = Py_TYPE(subject) == (PyTypeObject *)type ? 1 : PyObject_IsInstance(subject, type);
    if (status <= 0)
        return status < 0 ? NULL : Py_None;
    class_match_t m = {subject, type, NULL, NULL, npositional + PyTuple_GET_SIZE(kwnames)};
    m.values = PyTuple_New(m.count);
    if (m.values == NULL)
        return NULL;
    if (npositional > 0)
        status = match_positional(&m, npositional);
    for (Py_ssize_t i = npositional; i < m.count && status > 0; i++)
        status = match_attribute(&m, PyTuple_GET_ITEM(kwnames, i - npositional), i);
    Py_XDECREF(m.names);
    if (status <= 0)
        Py_SETREF(m.values, status == 0 ? Py_NewRef(Py_None) : NULL);
    return m.values;
}

int vm_match_class(frame_t *f, const instruction_t *at)
{
    uint64_t word = at[1];
    PyObject *kwnames = f->code->co_consts_items[(uint32_t)word];
    PyObject *type = operand_read(f, AT_C(at));
    PyObject *result = type != NULL ? match_class(f->slots[AT_B(at)], type, (Py_ssize_t)(word >> 32), kwnames) : NULL;
    operand_release(f, AT_C(at));
    return result_store(f, AT_A(at), result);
}

int vm_copy_dict_without_keys(frame_t *f, const instruction_t *at)
{
    PyObject *keys = f->slots[AT_C(at)];
    PyObject *dict = PyDict_New();
    if (dict != NULL && PyDict_Update(dict, f->slots[AT_B(at)]) < 0)
        Py_CLEAR(dict);
    for (Py_ssize_t i = 0; dict != NULL && i < PyTuple_GET_SIZE(keys); i++)
        if (PyDict_DelItem(dict, PyTuple_GET_ITEM(keys, i)) < 0)
            Py_CLEAR(dict);
    operand_release(f, AT_C(at));
    return result_store(f, AT_A(at), dict);
}
