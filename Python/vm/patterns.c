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

int vm_match_sequence(frame_t *f, const instruction_t *at, unsigned long flag)
{
    PyObject *subject = f->slots[AT_B(at)];
    slot_store(f->slots, AT_A(at), PyType_HasFeature(Py_TYPE(subject), flag) ? Py_True : Py_False);
    return 0;
}

/* The values of mapping at keys as a tuple, None if one is missing; NULL on error.  Looks up with get(key, sentinel), so that
 * defaultdict makes no entries. */
static PyObject *match_keys(PyObject *mapping, PyObject *keys)
{
    Py_ssize_t n = PyTuple_GET_SIZE(keys);
    PyObject *values = NULL, *seen = NULL, *get = NULL, *dummy = NULL;
    if (n == 0)
        return PyTuple_New(0);
    get = PyObject_GetAttr(mapping, STR(get));
    seen = PySet_New(NULL);
    dummy = PyObject_CallNoArgs((PyObject *)&PyBaseObject_Type);
    values = PyTuple_New(n);
    if (get == NULL || seen == NULL || dummy == NULL || values == NULL)
        goto fail;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *key = PyTuple_GET_ITEM(keys, i);
        int duplicate = PySet_Contains(seen, key);
        if (duplicate > 0)
            PyErr_Format(PyExc_ValueError, "mapping pattern checks duplicate key (%R)", key);
        if (duplicate != 0 || PySet_Add(seen, key) < 0)
            goto fail;
        PyObject *args[] = {NULL, key, dummy};
        PyObject *value = PyObject_Vectorcall(get, args + 1, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
        if (value == NULL)
            goto fail;
        if (value == dummy) {
            Py_DECREF(value);
            Py_SETREF(values, Py_NewRef(Py_None));
            goto done;
        }
        PyTuple_SET_ITEM(values, i, value);
    }
    goto done;
fail:
    Py_CLEAR(values);
done:
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

/* One attribute of the subject: 1, 0 if it has none, -1.  seen: names matched so far. */
static int match_attribute(PyObject *subject, PyObject *type, PyObject *name, PyObject *seen, PyObject **value)
{
    int duplicate = PySet_Contains(seen, name);
    if (duplicate > 0)
        PyErr_Format(PyExc_TypeError, "%.200s() got multiple sub-patterns for attribute %R", ((PyTypeObject *)type)->tp_name,
                     name);
    if (duplicate != 0 || PySet_Add(seen, name) < 0)
        return -1;
    return PyObject_GetOptionalAttr(subject, name, value);
}

/* Appends the attributes of positional sub-patterns: 1, 0 no match, -1. */
static int match_positional(PyObject *subject, PyObject *type, Py_ssize_t n, PyObject *seen, PyObject *attributes)
{
    PyObject *match_args = NULL;
    int status = PyObject_GetOptionalAttr(type, STR(__match_args__), &match_args);
    if (status < 0)
        return -1;
    int match_self = 0;
    if (match_args == NULL) {
        match_self = PyType_HasFeature((PyTypeObject *)type, _Py_TPFLAGS_MATCH_SELF);
        match_args = PyTuple_New(0);
        if (match_args == NULL)
            return -1;
    }
    else if (!PyTuple_CheckExact(match_args)) {
        PyErr_Format(PyExc_TypeError, "%.200s.__match_args__ must be a tuple (got %.200s)", ((PyTypeObject *)type)->tp_name,
                     Py_TYPE(match_args)->tp_name);
        Py_DECREF(match_args);
        return -1;
    }
    Py_ssize_t allowed = match_self ? 1 : PyTuple_GET_SIZE(match_args);
    status = 1;
    if (n > allowed) {
        PyErr_Format(PyExc_TypeError, "%.200s() accepts %zd positional sub-pattern%s (%zd given)",
                     ((PyTypeObject *)type)->tp_name, allowed, allowed == 1 ? "" : "s", n);
        status = -1;
    }
    else if (match_self)
        status = PyList_Append(attributes, subject) < 0 ? -1 : 1;
    else
        for (Py_ssize_t i = 0; i < n && status > 0; i++) {
            PyObject *name = PyTuple_GET_ITEM(match_args, i), *value = NULL;
            if (!PyUnicode_CheckExact(name)) {
                PyErr_Format(PyExc_TypeError, "__match_args__ elements must be strings (got %.200s)", Py_TYPE(name)->tp_name);
                status = -1;
                break;
            }
            status = match_attribute(subject, type, name, seen, &value);
            if (status > 0 && PyList_Append(attributes, value) < 0)
                status = -1;
            Py_XDECREF(value);
        }
    Py_DECREF(match_args);
    return status;
}

static PyObject *match_class(PyObject *subject, PyObject *type, Py_ssize_t npositional, PyObject *kwnames)
{
    if (!PyType_Check(type)) {
        PyErr_SetString(PyExc_TypeError, "called match pattern must be a class");
        return NULL;
    }
    int status = PyObject_IsInstance(subject, type);
    if (status <= 0)
        return status < 0 ? NULL : Py_None;
    PyObject *seen = PySet_New(NULL), *attributes = PyList_New(0), *result = NULL;
    if (seen == NULL || attributes == NULL)
        goto done;
    status = npositional > 0 ? match_positional(subject, type, npositional, seen, attributes) : 1;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(kwnames) && status > 0; i++) {
        PyObject *value = NULL;
        status = match_attribute(subject, type, PyTuple_GET_ITEM(kwnames, i), seen, &value);
        if (status > 0 && PyList_Append(attributes, value) < 0)
            status = -1;
        Py_XDECREF(value);
    }
    if (status > 0)
        result = PyList_AsTuple(attributes);
    else if (status == 0)
        result = Py_None;
done:
    Py_XDECREF(seen);
    Py_XDECREF(attributes);
    return result;
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
