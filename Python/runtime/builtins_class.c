/* builtins.__build_class__: what the class statement calls. */
#include "Python.h"

#include "builtins.h"
#include "frame.h"
#include "method_ref.h"
#include "thread_state.h"
#include "type.h"
#include "vm.h"
#include "well_known_strings.h"

/* bases with every non-class replaced by what its __mro_entries__ says (PEP 560). New reference. */
static PyObject *resolve_bases(PyObject *bases)
{
    PyObject *resolved = NULL;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bases); i++) {
        PyObject *base = PyTuple_GET_ITEM(bases, i), *method = NULL, *entries;
        if (!PyType_Check(base) && PyObject_GetOptionalAttr(base, STR(__mro_entries__), &method) < 0)
            goto fail;
        if (method == NULL) {
            if (resolved != NULL && PyList_Append(resolved, base) < 0)
                goto fail;
            continue;
        }
        entries = PyObject_CallOneArg(method, bases);
        Py_DECREF(method);
        if (entries == NULL)
            goto fail;
        if (!PyTuple_Check(entries)) {
            PyErr_SetString(PyExc_TypeError, "__mro_entries__ must return a tuple");
            Py_DECREF(entries);
            goto fail;
        }
        if (resolved == NULL && (resolved = PyList_New(0)) != NULL)
            for (Py_ssize_t k = 0; k < i; k++)
                if (PyList_Append(resolved, PyTuple_GET_ITEM(bases, k)) < 0)
                    Py_CLEAR(resolved);
        int status = resolved != NULL ? PyList_SetSlice(resolved, PyList_GET_SIZE(resolved), PyList_GET_SIZE(resolved), entries) : -1;
        Py_DECREF(entries);
        if (status < 0)
            goto fail;
    }
    if (resolved == NULL)
        return Py_NewRef(bases);
    PyObject *tuple = PyList_AsTuple(resolved);
    Py_DECREF(resolved);
    return tuple;
fail:
    Py_XDECREF(resolved);
    return NULL;
}

/* The keyword arguments as a dict without `metaclass`, which goes to *meta (new reference or NULL). */
static int split_keywords(PyObject *const *values, PyObject *kwnames, PyObject **keywords, PyObject **meta)
{
    *keywords = *meta = NULL;
    if (kwnames == NULL || PyTuple_GET_SIZE(kwnames) == 0)
        return 0;
    PyObject *dict = PyDict_New();
    for (Py_ssize_t i = 0; dict != NULL && i < PyTuple_GET_SIZE(kwnames); i++) {
        PyObject *name = PyTuple_GET_ITEM(kwnames, i);
        if (PyUnicode_CompareWithASCIIString(name, "metaclass") == 0)
            *meta = Py_NewRef(values[i]);
        else if (PyDict_SetItem(dict, name, values[i]) < 0)
            Py_CLEAR(dict);
    }
    *keywords = dict;
    if (dict == NULL)
        Py_CLEAR(*meta);
    return dict != NULL ? 0 : -1;
}

static PyObject *default_metaclass(PyObject *bases)
{
    if (PyTuple_GET_SIZE(bases) == 0)
        return Py_NewRef((PyObject *)&PyType_Type);
    return Py_NewRef((PyObject *)Py_TYPE(PyTuple_GET_ITEM(bases, 0)));
}

static PyObject *prepare_namespace(PyObject *meta, int is_class, PyObject *name, PyObject *bases, PyObject *keywords)
{
    PyObject *prepare, *namespace = NULL;
    if (PyObject_GetOptionalAttr(meta, STR(__prepare__), &prepare) < 0)
        return NULL;
    if (prepare == NULL)
        return PyDict_New();
    PyObject *args = PyTuple_Pack(2, name, bases);
    if (args != NULL)
        namespace = PyObject_Call(prepare, args, keywords);
    Py_XDECREF(args);
    Py_DECREF(prepare);
    if (namespace != NULL && !PyMapping_Check(namespace)) {
        PyErr_Format(PyExc_TypeError, "%.200s.__prepare__() must return a mapping, not %.200s",
                     is_class ? ((PyTypeObject *)meta)->tp_name : "<metaclass>", Py_TYPE(namespace)->tp_name);
        Py_CLEAR(namespace);
    }
    return namespace;
}

/* The cell that zero-argument super() reads must hold the new class. */
static int check_class_cell(PyObject *cls, PyObject *cell, PyObject *name)
{
    if (!PyType_Check(cls) || cell == NULL || !PyCell_Check(cell))
        return 0;
    PyObject *content = PyCell_Get(cell);
    if (content == cls) {
        Py_DECREF(content);
        return 0;
    }
    if (content == NULL)
        PyErr_Format(PyExc_RuntimeError, "__class__ not set defining %.200R as %.200R. Was __classcell__ propagated to type.__new__?",
                     name, cls);
    else
        PyErr_Format(PyExc_TypeError, "__class__ set to %.200R defining %.200R as %.200R", content, name, cls);
    Py_XDECREF(content);
    return -1;
}

PyObject *builtin_build_class(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    PyObject *meta = NULL, *keywords = NULL, *namespace = NULL, *cell = NULL, *cls = NULL, *bases = NULL, *original = NULL;
    PyObject *code = NULL, *closure = NULL;
    if (nargs < 2) {
        PyErr_SetString(PyExc_TypeError, "__build_class__: not enough arguments");
        return NULL;
    }
    PyObject *func = args[0], *name = args[1];
    if (!PyFunction_Check(func)) {
        PyErr_SetString(PyExc_TypeError, "__build_class__: func must be a function");
        return NULL;
    }
    if (!PyUnicode_Check(name)) {
        PyErr_SetString(PyExc_TypeError, "__build_class__: name is not a string");
        return NULL;
    }
    original = PyTuple_New(nargs - 2);
    for (Py_ssize_t i = 2; i < nargs && original != NULL; i++)
        PyTuple_SET_ITEM(original, i - 2, Py_NewRef(args[i]));
    bases = original != NULL ? resolve_bases(original) : NULL;
    if (bases == NULL || split_keywords(args + nargs, kwnames, &keywords, &meta) < 0)
        goto done;
    if (meta == NULL)
        meta = default_metaclass(bases);
    int is_class = PyType_Check(meta);
    if (is_class) {
        PyTypeObject *winner = type_calculate_metaclass((PyTypeObject *)meta, bases);
        if (winner == NULL)
            goto done;
        if ((PyObject *)winner != meta)
            Py_SETREF(meta, Py_NewRef((PyObject *)winner));
    }
    namespace = prepare_namespace(meta, is_class, name, bases, keywords);
    if (namespace == NULL)
        goto done;
    PyFunctionObject *f = (PyFunctionObject *)func;
    code = published_field_ref(&f->func_code);
    closure = published_field_ref(&f->func_closure);
    cell = vm_eval_code(code, f->func_globals, namespace, closure);
    if (cell == NULL)
        goto done;
    if (bases != original && PyObject_SetItem(namespace, STR(__orig_bases__), original) < 0)
        goto done;
    PyObject *call_args = PyTuple_Pack(3, name, bases, namespace);
    if (call_args == NULL)
        goto done;
    cls = PyObject_Call(meta, call_args, keywords);
    Py_DECREF(call_args);
    if (cls != NULL && check_class_cell(cls, cell, name) < 0)
        Py_CLEAR(cls);
done:
    Py_XDECREF(code);
    Py_XDECREF(closure);
    Py_XDECREF(cell);
    Py_XDECREF(namespace);
    Py_XDECREF(meta);
    Py_XDECREF(keywords);
    Py_XDECREF(bases);
    Py_XDECREF(original);
    return cls;
}
