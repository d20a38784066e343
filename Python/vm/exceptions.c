/* Out-of-line instructions of raise, except, except*, with, import and rare statements. */
#include "Python.h"

#include "call.h"
#include "interpreter_imports.h"
#include "thread_state.h"
#include "type.h"
#include "vm_slow.h"
#include "well_known_strings.h"

/* ---- raise ---- */

static _PyErr_StackItem *topmost_handled(PyThreadState *ts)
{
    _PyErr_StackItem *item = ts->exc_info;
    while ((item->exc_value == NULL || item->exc_value == Py_None) && item->previous_item != NULL)
        item = item->previous_item;
    return item;
}

static int reraise_current(PyThreadState *ts)
{
    PyObject *exception = topmost_handled(ts)->exc_value;
    if (exception == NULL || exception == Py_None) {
        PyErr_SetString(PyExc_RuntimeError, "No active exception to reraise");
        return -1;
    }
    PyErr_SetRaisedException(Py_NewRef(exception));
    return 1;
}

/* An instance from what follows `raise`: steals, NULL with an exception. */
static PyObject *make_exception(PyObject *op)
{
    if (PyExceptionClass_Check(op)) {
        PyObject *exception = PyObject_CallNoArgs(op);
        if (exception != NULL && !PyExceptionInstance_Check(exception)) {
            PyErr_Format(PyExc_TypeError, "calling %R should have returned an instance of BaseException, not %R", op,
                         Py_TYPE(exception));
            Py_CLEAR(exception);
        }
        Py_DECREF(op);
        return exception;
    }
    if (PyExceptionInstance_Check(op))
        return op;
    Py_DECREF(op);
    PyErr_SetString(PyExc_TypeError, "exceptions must derive from BaseException");
    return NULL;
}

static PyObject *make_cause(PyObject *op)
{
    if (PyExceptionClass_Check(op)) {
        PyObject *cause = PyObject_CallNoArgs(op);
        if (cause != NULL && !PyExceptionInstance_Check(cause)) {
            PyErr_Format(PyExc_TypeError, "calling %R should have returned an instance of BaseException, not %R", op,
                         Py_TYPE(cause));
            Py_CLEAR(cause);
        }
        Py_DECREF(op);
        return cause;
    }
    if (PyExceptionInstance_Check(op) || op == Py_None)
        return op;
    Py_DECREF(op);
    PyErr_SetString(PyExc_TypeError, "exception causes must derive from BaseException");
    return NULL;
}

int vm_raise(frame_t *f, const instruction_t *at)
{
    int form = AT_C(at);
    if (form == 0)
        return reraise_current(thread_current());
    PyObject *cause = NULL;
    PyObject *op = operand_take_owned(f, AT_A(at));
    if (op == NULL)
        return -1;
    if (form == 2) {
        cause = operand_take_owned(f, AT_B(at));
        if (cause == NULL) {
            Py_DECREF(op);
            return -1;
        }
    }
    PyObject *exception = make_exception(op);
    if (exception == NULL) {
        Py_XDECREF(cause);
        return -1;
    }
    if (cause != NULL) {
        cause = make_cause(cause);
        if (cause == NULL) {
            Py_DECREF(exception);
            return -1;
        }
        PyException_SetCause(exception, cause == Py_None ? NULL : cause);
    }
    PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);     /* sets the context too */
    Py_DECREF(exception);
    return -1;
}

/* ---- handlers ---- */

int vm_enter_handler(frame_t *f, const instruction_t *at)
{
    unsigned a = AT_A(at);
    _PyErr_StackItem *item = thread_current()->exc_info;
    PyObject *before = item->exc_value;
    item->exc_value = Py_NewRef(f->slots[a]);
    slot_store(f->slots, a + 1, before != NULL ? owned_to_slot(before) : Py_None);
    return 0;
}

int vm_leave_handler(frame_t *f, const instruction_t *at)
{
    unsigned a = AT_A(at);
    _PyErr_StackItem *item = thread_current()->exc_info;
    PyObject *handled = item->exc_value;
    PyObject *before = slot_to_owned(f->slots[a + 1]);
    f->slots[a + 1] = NULL;
    item->exc_value = before == Py_None ? NULL : before;
    Py_XDECREF(handled);
    slot_clear(f->slots, a);
    return 0;
}

static int check_exception_class(PyObject *op)
{
    if (PyExceptionClass_Check(op))
        return 0;
    PyErr_SetString(PyExc_TypeError, "catching classes that do not inherit from BaseException is not allowed");
    return -1;
}

static int check_handler_types(PyObject *types, int (*check)(PyObject *))
{
    if (!PyTuple_Check(types))
        return check(types);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(types); i++)
        if (check(PyTuple_GET_ITEM(types, i)) < 0)
            return -1;
    return 0;
}

int vm_exc_match(frame_t *f, const instruction_t *at)
{
    PyObject *types = operand_read(f, AT_B(at));
    int match = -1;
    if (types != NULL && check_handler_types(types, check_exception_class) == 0)
        match = PyErr_GivenExceptionMatches(f->slots[AT_A(at)], types);
    operand_release(f, AT_B(at));
    return match;
}

/* ---- except* ---- */

static int check_star_class(PyObject *op)
{
    if (check_exception_class(op) < 0)
        return -1;
    int is_group = PyObject_IsSubclass(op, PyExc_BaseExceptionGroup);
    if (is_group > 0)
        PyErr_SetString(PyExc_TypeError, "catching ExceptionGroup with except* is not allowed. Use except instead.");
    return is_group != 0 ? -1 : 0;
}

/* Splits exc by types: *match and *rest are new references or None. */
static int split_exception(PyObject *exc, PyObject *types, PyObject **match, PyObject **rest)
{
    *match = *rest = Py_None;
    if (exc == Py_None)
        return 0;
    if (PyErr_GivenExceptionMatches(exc, types)) {
        if (PyObject_TypeCheck(exc, (PyTypeObject *)PyExc_BaseExceptionGroup)) {
            *match = Py_NewRef(exc);
            return 0;
        }
        PyObject *group = PyObject_CallFunction(PyExc_ExceptionGroup, "s(O)", "", exc);
        if (group == NULL)
            return -1;
        PyObject *traceback = PyException_GetTraceback(exc);
        if (traceback != NULL) {
            PyException_SetTraceback(group, traceback);
            Py_DECREF(traceback);
        }
        *match = group;
        return 0;
    }
    if (PyObject_TypeCheck(exc, (PyTypeObject *)PyExc_BaseExceptionGroup)) {
        PyObject *pair = PyObject_CallMethod(exc, "split", "(O)", types);
        if (pair == NULL)
            return -1;
        if (!PyTuple_CheckExact(pair) || PyTuple_GET_SIZE(pair) != 2) {
            PyErr_Format(PyExc_TypeError, "%.200s.split must return a 2-tuple", Py_TYPE(exc)->tp_name);
            Py_DECREF(pair);
            return -1;
        }
        PyObject *first = PyTuple_GET_ITEM(pair, 0), *second = PyTuple_GET_ITEM(pair, 1);
        if ((first != Py_None && !PyExceptionInstance_Check(first)) || (second != Py_None && !PyExceptionInstance_Check(second))) {
            PyErr_Format(PyExc_TypeError, "%.200s.split must return a 2-tuple of exceptions or None", Py_TYPE(exc)->tp_name);
            Py_DECREF(pair);
            return -1;
        }
        *match = Py_NewRef(first);
        *rest = Py_NewRef(second);
        Py_DECREF(pair);
        return 0;
    }
    *rest = Py_NewRef(exc);
    return 0;
}

int vm_exc_group_match(frame_t *f, const instruction_t *at)
{
    PyObject *types = operand_read(f, AT_C(at));
    PyObject *match = NULL, *rest = NULL;
    int status = -1;
    if (types != NULL && check_handler_types(types, check_star_class) == 0)
        status = split_exception(f->slots[AT_A(at)], types, &match, &rest);
    operand_release(f, AT_C(at));
    if (status < 0)
        return -1;
    if (match != Py_None) {     /* the part that matches is the one being handled in the clause */
        _PyErr_StackItem *item = thread_current()->exc_info;
        PyObject *before = item->exc_value;
        item->exc_value = Py_NewRef(match);
        Py_XDECREF(before);
    }
    slot_store(f->slots, AT_B(at), owned_to_slot(match));
    slot_store(f->slots, AT_A(at), owned_to_slot(rest));
    return 0;
}

int vm_prep_reraise_star(frame_t *f, const instruction_t *at)
{
    PyObject *original = operand_read(f, AT_B(at));
    PyObject *list = operand_read(f, AT_C(at));
    PyObject *result = _PyExc_PrepReraiseStar(original, list);
    operand_release(f, AT_B(at));
    operand_release(f, AT_C(at));
    return result_store(f, AT_A(at), result);
}

/* ---- with ---- */

static void context_manager_error(PyObject *manager, int is_async, PyObject *missing, int other_kind)
{
    const char *protocol = is_async ? "asynchronous context manager" : "context manager";
    if (other_kind)
        PyErr_Format(PyExc_TypeError, "'%.200s' object does not support the %s protocol", Py_TYPE(manager)->tp_name, protocol);
    else
        PyErr_Format(PyExc_TypeError, "'%.200s' object does not support the %s protocol (missed %U method)",
                     Py_TYPE(manager)->tp_name, protocol, missing);
}

int vm_with_enter(frame_t *f, const instruction_t *at, int is_async)
{
    unsigned a = AT_A(at);
    PyObject *enter_name = is_async ? STR(__aenter__) : STR(__enter__);
    PyObject *exit_name = is_async ? STR(__aexit__) : STR(__exit__);
    PyObject *manager = operand_take_owned(f, AT_B(at));
    PyObject *enter = NULL, *exit = NULL, *result = NULL;
    int self_needed;
    if (manager == NULL)
        return -1;
    enter = type_lookup_special_unbound(manager, enter_name, &self_needed);
    if (enter == NULL) {
        if (!PyErr_Occurred())
            context_manager_error(manager, is_async, enter_name, 1);
        goto done;
    }
    exit = type_lookup_special(manager, exit_name);
    if (exit == NULL) {
        if (!PyErr_Occurred())
            context_manager_error(manager, is_async, exit_name, 0);
        goto done;
    }
    {
        PyObject *args[] = {NULL, manager, NULL};
        result = self_needed ? call_vectorcall(enter, args + 1, 1 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL) : PyObject_CallNoArgs(enter);
    }
    if (result == NULL)
        goto done;
    slot_store(f->slots, a, owned_to_slot(exit));
    slot_store(f->slots, a + 1, owned_to_slot(result));
    exit = NULL;
done:
    Py_XDECREF(enter);
    Py_XDECREF(exit);
    Py_DECREF(manager);
    return result != NULL ? 0 : -1;
}

int vm_with_except(frame_t *f, const instruction_t *at)
{
    PyObject *exit = f->slots[AT_B(at)], *exception = f->slots[AT_C(at)];
    PyObject *traceback = PyException_GetTraceback(exception);
    PyObject *args[] = {NULL, (PyObject *)Py_TYPE(exception), exception, traceback != NULL ? traceback : Py_None};
    PyObject *result = PyObject_Vectorcall(exit, args + 1, 3 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    Py_XDECREF(traceback);
    return result_store(f, AT_A(at), result);
}

/* ---- import ---- */

int vm_import_name(frame_t *f, const instruction_t *at)
{
    unsigned b = AT_B(at);
    PyObject *name = f->code->co_names_items[AT_C(at)];
    PyObject *module = NULL, *import = NULL;
    PyObject *locals = f->locals != NULL ? f->locals : Py_None;
    if (PyDict_CheckExact(f->builtins)) {
        if (PyDict_GetItemRef(f->builtins, STR(__import__), &import) == 0)
            PyErr_SetString(PyExc_ImportError, "__import__ not found");
    }
    else
        import = PyObject_GetItem(f->builtins, STR(__import__));
    if (import != NULL) {
        if (import_is_default(import)) {
            int level = PyLong_AsLong(f->slots[b]);
            module = PyImport_ImportModuleLevelObject(name, f->globals, locals, f->slots[b + 1], level);
        }
        else {
            PyObject *args[] = {NULL, name, f->globals, locals, f->slots[b + 1], f->slots[b]};
            module = PyObject_Vectorcall(import, args + 1, 5 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
        }
        Py_DECREF(import);
    }
    slot_clear(f->slots, b);
    slot_clear(f->slots, b + 1);
    return result_store(f, AT_A(at), module);
}

int vm_import_from(frame_t *f, const instruction_t *at)
{
    PyObject *name = f->code->co_names_items[AT_C(at)];
    return result_store(f, AT_A(at), import_from_module(f->slots[AT_B(at)], name));
}

int vm_import_star(frame_t *f, const instruction_t *at)
{
    PyObject *module = operand_read(f, AT_A(at));
    int status = -1;
    if (f->locals == NULL)
        PyErr_SetString(PyExc_SystemError, "no locals found during 'import *'");
    else if (module != NULL)
        status = import_all_names(f->locals, module);
    operand_release(f, AT_A(at));
    return status;
}

int vm_print_expr(frame_t *f, const instruction_t *at)
{
    PyObject *value = operand_read(f, AT_A(at));
    PyObject *hook = NULL, *result = NULL;
    if (value != NULL) {
        int found = PySys_GetOptionalAttrString("displayhook", &hook);
        if (found == 0)
            PyErr_SetString(PyExc_RuntimeError, "lost sys.displayhook");
        else if (found > 0)
            result = PyObject_CallOneArg(hook, value);
    }
    operand_release(f, AT_A(at));
    Py_XDECREF(hook);
    if (result == NULL)
        return -1;
    Py_DECREF(result);
    return 0;
}
