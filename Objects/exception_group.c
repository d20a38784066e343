/* Exception groups (PEP 654): BaseExceptionGroup and ExceptionGroup, split, subgroup, derive, and what except* raises. */
#include "exceptions_internal.h"

#include "well_known_strings.h"

#define GROUP(op) ((PyBaseExceptionGroupObject *)(op))

PyObject *PyExc_ExceptionGroup;

static int is_group(PyObject *op) { return PyObject_TypeCheck(op, (PyTypeObject *)PyExc_BaseExceptionGroup); }

/* ---- Making ---- */

/* The exceptions as a tuple, checked; *all_plain: no BaseException among them. NULL with an exception. */
static PyObject *checked_exceptions(PyObject *sequence, int *all_plain)
{
    if (!PySequence_Check(sequence)) {
        PyErr_SetString(PyExc_TypeError, "second argument (exceptions) must be a sequence");
        return NULL;
    }
    PyObject *tuple = PySequence_Tuple(sequence);
    if (tuple == NULL)
        return NULL;
    Py_ssize_t n = PyTuple_GET_SIZE(tuple);
    if (n == 0) {
        PyErr_SetString(PyExc_ValueError, "second argument (exceptions) must be a non-empty sequence");
        goto fail;
    }
    *all_plain = 1;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *exc = PyTuple_GET_ITEM(tuple, i);
        if (!PyExceptionInstance_Check(exc)) {
            PyErr_Format(PyExc_ValueError, "Item %zd of second argument (exceptions) is not an exception", i);
            goto fail;
        }
        int plain = PyObject_IsInstance(exc, PyExc_Exception);
        if (plain < 0)
            goto fail;
        *all_plain &= plain;
    }
    return tuple;
fail:
    Py_DECREF(tuple);
    return NULL;
}

static PyObject *group_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *message, *sequence;
    int all_plain;
    if (!PyArg_ParseTuple(args, "UO:BaseExceptionGroup.__new__", &message, &sequence))
        return NULL;
    PyObject *exceptions = checked_exceptions(sequence, &all_plain);
    if (exceptions == NULL)
        return NULL;
    if (type == (PyTypeObject *)PyExc_BaseExceptionGroup) {
        if (all_plain)
            type = (PyTypeObject *)PyExc_ExceptionGroup;
    }
    else if (type == (PyTypeObject *)PyExc_ExceptionGroup) {
        if (!all_plain) {
            PyErr_SetString(PyExc_TypeError, "Cannot nest BaseExceptions in an ExceptionGroup");
            goto fail;
        }
    }
    else if (!all_plain && PyType_IsSubtype(type, (PyTypeObject *)PyExc_Exception)) {
        PyErr_Format(PyExc_TypeError, "Cannot nest BaseExceptions in '%.200s'", type->tp_name);
        goto fail;
    }
    PyObject *self = base_exception_new(type, args, kwargs);
    if (self == NULL)
        goto fail;
    GROUP(self)->msg = Py_NewRef(message);
    GROUP(self)->excs = exceptions;
    return self;
fail:
    Py_DECREF(exceptions);
    return NULL;
}

static int group_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    if (kwargs != NULL && PyDict_GET_SIZE(kwargs) > 0) {
        PyErr_Format(PyExc_TypeError, "%s() takes no keyword arguments", Py_TYPE(op)->tp_name);
        return -1;
    }
    return base_exception_init(op, args, NULL);
}

PyObject *_PyExc_CreateExceptionGroup(const char *message, PyObject *exceptions)
{
    return PyObject_CallFunction(PyExc_ExceptionGroup, "sO", message, exceptions);
}

static PyObject *group_str(PyObject *op)
{
    Py_ssize_t n = PyTuple_GET_SIZE(GROUP(op)->excs);
    return PyUnicode_FromFormat("%S (%zd sub-exception%s)", GROUP(op)->msg, n, n > 1 ? "s" : "");
}

static PyObject *group_derive(PyObject *op, PyObject *exceptions)
{
    return PyObject_CallFunction(PyExc_BaseExceptionGroup, "OO", GROUP(op)->msg, exceptions);
}

/* A group like `original` of the exceptions in list; None for none. */
static PyObject *derive_like(PyObject *original, PyObject *list)
{
    if (PyList_GET_SIZE(list) == 0)
        return Py_NewRef(Py_None);
    PyObject *group = PyObject_CallMethod(original, "derive", "(O)", list);
    if (group == NULL)
        return NULL;
    if (!is_group(group)) {
        PyErr_SetString(PyExc_TypeError, "derive must return an instance of BaseExceptionGroup");
        Py_DECREF(group);
        return NULL;
    }
    PyObject *traceback = PyException_GetTraceback(original);
    if (traceback != NULL) {
        PyException_SetTraceback(group, traceback);
        Py_DECREF(traceback);
    }
    PyException_SetContext(group, PyException_GetContext(original));
    PyObject *cause = PyException_GetCause(original);
    if (cause != NULL)
        PyException_SetCause(group, cause);
    PyObject *notes;
    if (PyObject_GetOptionalAttr(original, STR(__notes__), &notes) < 0)
        goto fail;
    if (notes != NULL) {
        int status = 0;
        if (PySequence_Check(notes)) {
            PyObject *copy = PySequence_List(notes);
            status = copy != NULL ? PyObject_SetAttr(group, STR(__notes__), copy) : -1;
            Py_XDECREF(copy);
        }
        Py_DECREF(notes);
        if (status < 0)
            goto fail;
    }
    return group;
fail:
    Py_DECREF(group);
    return NULL;
}

/* ---- split and subgroup ---- */

typedef enum { BY_TYPE, BY_PREDICATE, BY_IDENTITY } matcher_kind_t;

static int classify_matcher(PyObject *matcher, matcher_kind_t *kind)
{
    int is_type = PyFunction_Check(matcher) ? 0 : PyExceptionClass_Check(matcher);
    if (!is_type && PyTuple_CheckExact(matcher)) {
        is_type = 1;
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(matcher); i++)
            is_type &= PyExceptionClass_Check(PyTuple_GET_ITEM(matcher, i)) != 0;
    }
    if (is_type) {
        *kind = BY_TYPE;
        return 0;
    }
    if (PyFunction_Check(matcher) || PyCFunction_Check(matcher) || PyMethod_Check(matcher)) {
        *kind = BY_PREDICATE;
        return 0;
    }
    PyErr_SetString(PyExc_TypeError, "expected a function, exception type or tuple of exception types");
    return -1;
}

static int matches(PyObject *exc, matcher_kind_t kind, PyObject *matcher)
{
    if (kind == BY_TYPE)
        return PyErr_GivenExceptionMatches(exc, matcher);
    if (kind == BY_IDENTITY)
        return PySequence_Contains(matcher, PyLong_FromVoidPtr(exc));
    PyObject *result = PyObject_CallOneArg(matcher, exc);
    int truth = result != NULL ? PyObject_IsTrue(result) : -1;
    Py_XDECREF(result);
    return truth;
}

/* *match and *rest (may be NULL: not wanted) are new references or None. 0 or -1. */
static int split(PyObject *exc, matcher_kind_t kind, PyObject *matcher, PyObject **match, PyObject **rest)
{
    *match = Py_None;
    if (rest != NULL)
        *rest = Py_None;
    int whole = kind == BY_IDENTITY && is_group(exc) ? 0 : matches(exc, kind, matcher);
    if (whole < 0)
        return -1;
    if (whole) {
        *match = Py_NewRef(exc);
        return 0;
    }
    if (!is_group(exc)) {
        if (rest != NULL)
            *rest = Py_NewRef(exc);
        return 0;
    }
    PyObject *match_list = PyList_New(0), *rest_list = PyList_New(0);
    int status = -1;
    if (match_list == NULL || rest_list == NULL || Py_EnterRecursiveCall(" in exceptiongroup_split_recursive"))
        goto done;
    PyObject *exceptions = GROUP(exc)->excs;
    status = 0;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(exceptions) && status == 0; i++) {
        PyObject *m, *r = Py_None;
        status = split(PyTuple_GET_ITEM(exceptions, i), kind, matcher, &m, rest != NULL ? &r : NULL);
        if (status < 0)
            break;
        if (m != Py_None)
            status = PyList_Append(match_list, m);
        if (status == 0 && r != Py_None)
            status = PyList_Append(rest_list, r);
        Py_DECREF(m);
        Py_DECREF(r);
    }
    Py_LeaveRecursiveCall();
    if (status < 0)
        goto done;
    *match = derive_like(exc, match_list);
    if (*match == NULL)
        status = -1;
    else if (rest != NULL) {
        *rest = derive_like(exc, rest_list);
        if (*rest == NULL) {
            Py_CLEAR(*match);
            status = -1;
        }
    }
done:
    Py_XDECREF(match_list);
    Py_XDECREF(rest_list);
    return status;
}

static PyObject *group_split(PyObject *op, PyObject *matcher)
{
    matcher_kind_t kind;
    PyObject *match, *rest;
    if (classify_matcher(matcher, &kind) < 0 || split(op, kind, matcher, &match, &rest) < 0)
        return NULL;
    PyObject *pair = PyTuple_Pack(2, match, rest);
    Py_DECREF(match);
    Py_DECREF(rest);
    return pair;
}

static PyObject *group_subgroup(PyObject *op, PyObject *matcher)
{
    matcher_kind_t kind;
    PyObject *match;
    if (classify_matcher(matcher, &kind) < 0 || split(op, kind, matcher, &match, NULL) < 0)
        return NULL;
    return match;
}

/* ---- except* ---- */

/* Adds the identities of the leaves of exc to set. */
static int collect_leaves(PyObject *exc, PyObject *set)
{
    if (exc == Py_None)
        return 0;
    if (!is_group(exc)) {
        PyObject *id = PyLong_FromVoidPtr(exc);
        int status = id != NULL ? PySet_Add(set, id) : -1;
        Py_XDECREF(id);
        return status;
    }
    PyObject *exceptions = GROUP(exc)->excs;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(exceptions); i++)
        if (collect_leaves(PyTuple_GET_ITEM(exceptions, i), set) < 0)
            return -1;
    return 0;
}

static int same_metadata(PyObject *a, PyObject *b)
{
    PyBaseExceptionObject *x = (PyBaseExceptionObject *)a, *y = (PyBaseExceptionObject *)b;
#define SAME(field) (__atomic_load_n(&x->field, __ATOMIC_RELAXED) == __atomic_load_n(&y->field, __ATOMIC_RELAXED))
    return SAME(notes) && SAME(traceback) && SAME(cause) && SAME(context);
#undef SAME
}

static PyObject *reraise_parts(PyObject *original, PyObject *all)
{
    PyObject *raised = PyList_New(0), *reraised = PyList_New(0), *leaves = NULL, *result = NULL;
    if (raised == NULL || reraised == NULL)
        goto done;
    PyObject_GC_UnTrack(raised);        /* not to be found by gc.get_objects */
    PyObject_GC_UnTrack(reraised);
    /* what comes from the original keeps its structure; what handlers raised anew is gathered beside it */
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(all); i++) {
        PyObject *exc = PyTuple_GET_ITEM(all, i);
        if (exc != Py_None && PyList_Append(same_metadata(exc, original) ? reraised : raised, exc) < 0)
            goto done;
    }
    PyObject *unhandled = Py_None;
    if (PyList_GET_SIZE(reraised) > 0) {
        leaves = PySet_New(NULL);
        if (leaves == NULL)
            goto done;
        for (Py_ssize_t i = 0; i < PyList_GET_SIZE(reraised); i++)
            if (collect_leaves(PyList_GET_ITEM(reraised, i), leaves) < 0)
                goto done;
        if (split(original, BY_IDENTITY, leaves, &unhandled, NULL) < 0)
            goto done;
    }
    if (PyList_GET_SIZE(raised) == 0) {
        result = unhandled;
        goto done;
    }
    if (unhandled != Py_None) {
        int status = PyList_Append(raised, unhandled);
        Py_DECREF(unhandled);
        if (status < 0)
            goto done;
    }
    result = _PyExc_CreateExceptionGroup("", raised);
done:
    Py_XDECREF(raised);
    Py_XDECREF(reraised);
    Py_XDECREF(leaves);
    return result;
}

PyObject *_PyExc_PrepReraiseStar(PyObject *original, PyObject *list)
{
    PyObject *all = PyList_AsTuple(list), *result = NULL;       /* others may have found the list, and change it */
    if (all == NULL)
        return NULL;
    PyObject *first = Py_None;
    for (Py_ssize_t i = PyTuple_GET_SIZE(all); i-- > 0;) {
        PyObject *exc = PyTuple_GET_ITEM(all, i);
        if (exc != Py_None && !PyExceptionInstance_Check(exc)) {
            PyErr_SetString(PyExc_TypeError, "exceptions must derive from BaseException");
            goto done;
        }
        first = exc != Py_None ? exc : first;
    }
    /* A plain exception is wrapped by except* only while it is handled: at most one item can be left. */
    result = PyTuple_GET_SIZE(all) == 0 || !is_group(original) ? Py_NewRef(first) : reraise_parts(original, all);
done:
    Py_DECREF(all);
    return result;
}

/* ---- Types ---- */

static const Py_ssize_t group_references[] = {offsetof(PyBaseExceptionGroupObject, msg), offsetof(PyBaseExceptionGroupObject, excs), 0};
static PyMemberDef group_members[] = {
    {"message", T_OBJECT, offsetof(PyBaseExceptionGroupObject, msg), READONLY | _Py_MEMBER_LOCK_FREE, "exception message"},
    {"exceptions", T_OBJECT, offsetof(PyBaseExceptionGroupObject, excs), READONLY | _Py_MEMBER_LOCK_FREE, "nested exceptions"},
    {NULL},
};
static PyMethodDef group_methods[] = {
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "See PEP 585"},
    {"derive", group_derive, METH_O, "A group of the same message with other exceptions."},
    {"split", group_split, METH_O, "The pair (matching, rest) by type, tuple of types or predicate."},
    {"subgroup", group_subgroup, METH_O, "The matching part, or None."},
    {NULL},
};
const exception_layout_t exception_layout_group = {sizeof(PyBaseExceptionGroupObject), group_new, group_init, group_str,
                                                   group_references, group_members, group_methods, NULL};

int exception_group_init(void)
{
    PyObject *bases = PyTuple_Pack(2, PyExc_BaseExceptionGroup, PyExc_Exception);
    if (bases == NULL)
        return -1;
    PyExc_ExceptionGroup = PyErr_NewException("builtins.ExceptionGroup", bases, NULL);
    Py_DECREF(bases);
    return PyExc_ExceptionGroup != NULL ? 0 : -1;
}
