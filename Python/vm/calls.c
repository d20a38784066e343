/* Pushing and popping activations, and calls of C functions. */
#include "Python.h"

#include "call.h"
#include "calls.h"
#include "generator.h"
#include "stack.h"
#include "thread_state.h"
#include "trace.h"
#include "type.h"
#include "vm.h"
#include "well_known_strings.h"

static void release_args(PyObject **args, Py_ssize_t n)
{
    for (Py_ssize_t i = 0; i < n; i++)
        slot_clear(args, (unsigned)i);
}

/* call_push_general for a code that has been read; bound: args are what the parameters get, one each. */
static inline Py_ALWAYS_INLINE frame_t *push(PyThreadState *ts, frame_t *caller, PyFunctionObject *func, PyCodeObject *code, PyObject **args,
                                             Py_ssize_t nargs, PyObject *kwnames, int bound)
{
    Py_ssize_t nkw = kwnames != NULL ? PyTuple_GET_SIZE(kwnames) : 0;
    Py_ssize_t total = nargs + nkw;
    int held = 0;
    if (ts->py_recursion_remaining <= 0) {
        call_recursion_error(ts, "");
        goto fail_args;
    }
    if (code->co_ninstructions == 0) {
        PyErr_SetString(PyExc_SystemError, "code object has no instructions: it was made to carry a name and a position only");
        goto fail_args;
    }
    frame_t *f = frame_record_next(ts);
    if (f == NULL)
        goto fail_args;
    /* The record is not pushed yet: code that runs while arguments are bound may use it for a while. */
    PyObject **base = ts->stack_top;
    stack_chunk_t *chunk = NULL;
    size_t need = (size_t)(total > code->co_nslots ? total : code->co_nslots);
    PyObject **window = args;
    if (caller == NULL || (caller->flags & FRAME_GENERATOR) || args + need > ts->stack_limit) {
        window = ts->stack_top;
        if (window + need > ts->stack_limit) {
            chunk = stack_open_chunk(ts, need);
            if (chunk == NULL)
                goto fail_args;
            ts->stack_top = window = chunk->words;
        }
        for (Py_ssize_t i = 0; i < total && args != window; i++) {
            window[i] = args[i];
            args[i] = NULL;
        }
    }
    if (window + need > ts->stack_top)
        ts->stack_top = window + need;
    if (bound || (code->co_fast_argcount == nargs && nkw == 0)) {
        for (PyObject **p = window + nargs, **end = window + code->co_temp_base; p < end; p++)
            *p = NULL;
    }
    else {
        Py_INCREF((PyObject *)code);    /* binding may run code, and the record that would keep it is not pushed yet */
        int status = function_bind(ts, func, code, window, nargs, kwnames, window);
        if (status < 0) {
            Py_DECREF((PyObject *)code);
            ts->stack_top = base;
            if (chunk != NULL)
                call_close_chunk(ts, chunk);
            return NULL;
        }
        held = 1;
    }
    f->stack_base = base;
    f->chunk_to_free = chunk;
    f->slots = window;
    f->pc = code->co_instructions;
    f->code = code;
    f->func = func;
    f->globals = func->func_globals;
    f->builtins = func->func_builtins;
    f->locals = NULL;
    f->previous = ts->frame;
    f->frame_object = NULL;
    f->flags = 0;
    ts->py_recursion_remaining--;
    ts->frame = f;
    if (held)
        Py_DECREF((PyObject *)code);    /* DEFERRED: that frees nothing */
    return f;

fail_args:
    release_args(args, total);
    return NULL;
}

frame_t *call_push_general(PyThreadState *ts, frame_t *caller, PyFunctionObject *func, PyObject **args, Py_ssize_t nargs,
                           PyObject *kwnames)
{
    PyCodeObject *code = (PyCodeObject *)__atomic_load_n(&func->func_code, __ATOMIC_ACQUIRE);
    return push(ts, caller, func, code, args, nargs, kwnames, 0);
}

frame_t *call_push_held(PyThreadState *ts, frame_t *caller, PyFunctionObject *func, PyObject **args, Py_ssize_t nargs, PyObject *kwnames)
{
    PyObject *owned = slot_to_owned((PyObject *)func);
    frame_t *f = call_push_general(ts, caller, func, args, nargs, kwnames);
    if (f != NULL)
        owned_to_slot(owned);
    else
        Py_DECREF(owned);
    return f;
}

void call_release_window(frame_t *f)
{
    if (f->flags & FRAME_CLEARED)
        return;
    /* Nothing is read from the record once a finaliser may have run: an activation of it takes the record of one that is popped. */
    PyObject **slots = f->slots;
    unsigned base = (unsigned)f->code->co_temp_base;
    for (unsigned i = (unsigned)f->code->co_nslots; i-- > base;)
        slot_clear(slots, i);
    for (unsigned i = 0; i < base; i++)
        slot_clear(slots, i);
}

void call_pop_slow(PyThreadState *ts, frame_t *f)
{
    PyObject *locals = f->locals;
    while (f->frame_object != NULL)     /* dropping one may run code that asks for another */
        frame_take_over(ts, f);         /* empties the window if it takes the values */
    PyObject *func = slot_held((PyObject *)f->func);
    PyObject **base = f->stack_base;
    stack_chunk_t *chunk = f->chunk_to_free;
    ts->frame = f->previous;
    ts->py_recursion_remaining++;
    f->locals = NULL;
    f->func = NULL;
    call_release_window(f);
    ts->stack_top = base;
    if (chunk != NULL)
        call_close_chunk(ts, chunk);
    Py_XDECREF(locals);
    Py_XDECREF(func);
}

void call_pop_raising(PyThreadState *ts, frame_t *f)
{
    PyObject *exception = PyErr_GetRaisedException();
    PyObject *self = f->flags & FRAME_INIT ? f->init_self : NULL;
    call_pop_slow(ts, f);
    Py_XDECREF(self);
    PyErr_SetRaisedException(exception);
}

/* Calls a function written in C whose arguments fit its kind, else goes through its vectorcall, which knows the errors. C recursion is
 * bounded where the interpreter loop is entered. */
static inline Py_ALWAYS_INLINE PyObject *call_c(PyObject *callee, PyMethodDef *def, PyObject *self, PyObject **args, Py_ssize_t nargs,
                                                PyObject *kwnames, vectorcallfunc general, PyObject **all, Py_ssize_t nall)
{
    void (*function)(void) = (void (*)(void))def->ml_meth;
    switch (def->ml_flags & CALL_KIND) {
    case METH_O:
        if (Py_LIKELY(nargs == 1 && kwnames == NULL))
            return ((PyCFunction)function)(self, args[0]);
        break;
    case METH_NOARGS:
        if (Py_LIKELY(nargs == 0 && kwnames == NULL))
            return ((PyCFunction)function)(self, NULL);
        break;
    case METH_FASTCALL:
        if (Py_LIKELY(kwnames == NULL))
            return ((PyCFunctionFast)function)(self, args, nargs);
        break;
    case METH_FASTCALL | METH_KEYWORDS:
        return ((PyCFunctionFastWithKeywords)function)(self, args, nargs, kwnames);
    }
    return general(callee, all, (size_t)nall, kwnames);
}

Py_COLD void call_check_exception(PyThreadState *ts, PyObject *callee)
{
    if (ts->curexc_type == NULL)
        PyErr_Format(PyExc_SystemError, "%R returned NULL without setting an exception", callee);
}

PyObject *call_native(PyThreadState *ts, frame_t *f, unsigned base, PyObject **args, Py_ssize_t nargs, PyObject *kwnames)
{
    PyObject *callee = f->slots[base];
    PyObject *result;
    PyTypeObject *type = Py_TYPE(callee);
    if (type == &PyCFunction_Type) {
        PyCFunctionObject *function = (PyCFunctionObject *)callee;
        result = call_c(callee, function->m_ml, PyCFunction_GET_SELF(function), args, nargs, kwnames, function->vectorcall, args, nargs);
    }
    else if (type == &PyMethodDescr_Type && nargs > 0 && Py_IS_TYPE(args[0], PyDescr_TYPE(callee))) {
        PyMethodDescrObject *descr = (PyMethodDescrObject *)callee;
        result = call_c(callee, descr->d_method, args[0], args + 1, nargs - 1, kwnames, descr->vectorcall, args, nargs);
    }
    else
        result = PyObject_Vectorcall(callee, args, (size_t)nargs, kwnames);
    if (Py_UNLIKELY(result == NULL))
        call_check_exception(ts, callee);
    slot_clear(f->slots, base);
    for (Py_ssize_t i = 0, total = nargs + (kwnames != NULL ? PyTuple_GET_SIZE(kwnames) : 0); i < total; i++)
        slot_clear(args, (unsigned)i);
    return result;
}

int call_class(PyThreadState *ts, frame_t *f, unsigned base, PyObject **args, Py_ssize_t nargs, PyObject *kwnames, frame_t **inner)
{
    PyTypeObject *type = (PyTypeObject *)f->slots[base];
    PyObject *init;
    if (type->tp_new != object_new || type->tp_alloc != PyType_GenericAlloc || PyType_HasFeature(type, Py_TPFLAGS_IS_ABSTRACT))
        return 0;
    if (type->tp_init == object_init) {
        if (nargs != 0 || kwnames != NULL)
            return 0;
        PyObject *self = type_alloc_instance(type, 0);
        slot_store(f->slots, base, self);
        return self != NULL ? 2 : -1;
    }
    if (!type_lookup_cached_racy(type, STR(__init__), &init, NULL) || init == NULL
        || !heap_is_type(init, &PyFunction_Type) || !slot_try_incref(init))
        return 0;
    PyObject *self = type_alloc_instance(type, 0);
    if (self == NULL) {
        slot_decref(init);
        slot_clear(f->slots, base);
        release_args(args, nargs + (kwnames != NULL ? PyTuple_GET_SIZE(kwnames) : 0));
        return -1;
    }
    /* self goes right before the arguments: into the callee's own slot, or the empty one behind it */
    PyObject *callee = f->slots[base];
    f->slots[base] = NULL;
    args[-1] = slot_copy(self);
    frame_t *pushed = call_push_quick(ts, f, (PyFunctionObject *)init, args - 1, nargs + 1, kwnames);
    if (pushed == NULL)
        pushed = call_push_held(ts, f, (PyFunctionObject *)init, args - 1, nargs + 1, kwnames);
    if (pushed == NULL) {
        Py_DECREF(self);
        slot_decref(callee);
        return -1;
    }
    pushed->flags |= FRAME_INIT;
    pushed->init_self = self;
    slot_decref(callee);
    *inner = pushed;
    return 1;
}

PyObject *call_class_result(PyObject *self, PyObject *value)
{
    if (value == Py_None)
        return self;
    PyErr_Format(PyExc_TypeError, "__init__() should return None, not '%.200s'", Py_TYPE(value)->tp_name);
    Py_DECREF(value);
    Py_DECREF(self);
    return NULL;
}

/* The mapping behind ** as an exact dict; takes over the operand. NULL with TypeError. */
static PyObject *keyword_dict(PyObject *callee, PyObject *mapping)
{
    if (PyDict_CheckExact(mapping))
        return mapping;
    PyObject *dict = PyDict_New();
    if (dict != NULL && PyDict_Update(dict, mapping) < 0) {
        if (PyErr_ExceptionMatches(PyExc_AttributeError)) {
            PyObject *name = _PyObject_FunctionStr(callee);
            if (name != NULL)
                PyErr_Format(PyExc_TypeError, "%U argument after ** must be a mapping, not %.200s", name,
                             Py_TYPE(mapping)->tp_name);
            Py_XDECREF(name);
        }
        Py_CLEAR(dict);
    }
    Py_DECREF(mapping);
    return dict;
}

static PyObject *positional_tuple(PyObject *callee, PyObject *iterable)
{
    if (PyTuple_CheckExact(iterable))
        return iterable;
    PyObject *tuple = NULL;
    if (Py_TYPE(iterable)->tp_iter == NULL && !PySequence_Check(iterable)) {
        PyObject *name = _PyObject_FunctionStr(callee);
        if (name != NULL)
            PyErr_Format(PyExc_TypeError, "%U argument after * must be an iterable, not %.200s", name,
                         Py_TYPE(iterable)->tp_name);
        Py_XDECREF(name);
    }
    else
        tuple = PySequence_Tuple(iterable);
    Py_DECREF(iterable);
    return tuple;
}

/* Room for n arguments on their way into a window: the top of the stack, where the window will be, if they fit there, else memory of its
 * own. No safe point comes before the activation is pushed. */
static PyObject **spread_room(PyThreadState *ts, Py_ssize_t n)
{
    return n < ts->stack_limit - ts->stack_top ? ts->stack_top : PyMem_New(PyObject *, n + 1);
}

/* Are *args and **kwargs all that such a function takes, so that it can be given these as they are? kwargs is nobody else's. */
static int takes_whole(PyCodeObject *code, PyObject *args, PyObject *kwargs)
{
    if (code->co_argcount != 0 || code->co_kwonlyargcount != 0)
        return 0;
    if (!(code->co_flags & CO_VARARGS) && PyTuple_GET_SIZE(args) > 0)
        return 0;
    if (kwargs == NULL || PyDict_GET_SIZE(kwargs) == 0)
        return 1;
    Py_ssize_t position = 0;
    PyObject *key;
    while (PyDict_Next(kwargs, &position, &key, NULL))
        if (!PyUnicode_Check(key))
            return 0;
    return (code->co_flags & CO_VARKEYWORDS) != 0;
}

static frame_t *push_whole(PyThreadState *ts, PyFunctionObject *func, PyCodeObject *code, PyObject *args, PyObject *kwargs)
{
    PyObject *values[2];
    int n = 0;
    if (code->co_flags & CO_VARARGS)
        values[n++] = slot_copy(args);
    if (code->co_flags & CO_VARKEYWORDS) {
        PyObject *dict = kwargs != NULL ? Py_NewRef(kwargs) : PyDict_New();
        if (dict == NULL) {
            release_args(values, n);
            return NULL;
        }
        values[n++] = owned_to_slot(dict);
    }
    return push(ts, NULL, func, code, values, n, NULL, 1);
}

/* Python callee: spread the tuple and the dict over the top of the stack and push an activation. */
static frame_t *push_spread(PyThreadState *ts, PyFunctionObject *func, PyObject *args, PyObject *kwargs)
{
    if (kwargs != NULL && !object_is_unique(kwargs)) {      /* found by gc.get_objects(): others may change it */
        PyObject *copy = PyDict_Copy(kwargs);
        frame_t *pushed = copy != NULL ? push_spread(ts, func, args, copy) : NULL;
        Py_XDECREF(copy);
        return pushed;
    }
    PyCodeObject *code = (PyCodeObject *)__atomic_load_n(&func->func_code, __ATOMIC_ACQUIRE);
    if (takes_whole(code, args, kwargs))
        return push_whole(ts, func, code, args, kwargs);
    Py_ssize_t nargs = PyTuple_GET_SIZE(args), nkw = kwargs != NULL ? PyDict_GET_SIZE(kwargs) : 0;
    PyObject **top = ts->stack_top, **spread = spread_room(ts, nargs + nkw);
    PyObject *kwnames = NULL;
    frame_t *f = NULL;
    if (spread == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    for (Py_ssize_t i = 0; i < nargs; i++)
        spread[i] = slot_copy(PyTuple_GET_ITEM(args, i));
    if (nkw > 0) {
        Py_ssize_t position = 0, n = 0;
        PyObject *key, *value;
        kwnames = PyTuple_New(nkw);
        if (kwnames == NULL) {
            release_args(spread, nargs);
            goto done;
        }
        while (n < nkw && PyDict_Next(kwargs, &position, &key, &value)) {
            if (!PyUnicode_Check(key)) {
                PyErr_SetString(PyExc_TypeError, "keywords must be strings");
                release_args(spread, nargs + n);
                goto done;
            }
            PyTuple_SET_ITEM(kwnames, n, Py_NewRef(key));
            spread[nargs + n] = slot_copy(value);
            n++;
        }
    }
    f = call_push_general(ts, NULL, func, spread, nargs, kwnames);
done:
    Py_XDECREF(kwnames);
    if (spread != top)
        PyMem_Free(spread);
    return f;
}

PyObject *call_ex(PyThreadState *ts, frame_t *f, const instruction_t *at, frame_t **inner)
{
    unsigned base = AT_B(at);
    int has_keywords = AT_C(at) & 1;
    PyObject *callee = f->slots[base];
    PyObject *result = NULL, *args = NULL, *kwargs = NULL;
    *inner = NULL;
    if (has_keywords) {
        kwargs = keyword_dict(callee, operand_take_owned(f, base + 2));
        if (kwargs == NULL)
            goto done;
    }
    args = positional_tuple(callee, operand_take_owned(f, base + 1));
    if (args == NULL)
        goto done;
    if (heap_is_type(callee, &PyFunction_Type)) {
        frame_t *pushed = push_spread(ts, (PyFunctionObject *)callee, args, kwargs);
        if (pushed != NULL) {
            f->slots[base] = NULL;      /* moved into the record */
            *inner = pushed;
        }
    }
    else
        result = Py_UNLIKELY(ts->use_tracing) ? trace_call_object(ts, f, callee, args, kwargs) : PyObject_Call(callee, args, kwargs);
done:
    if (*inner == NULL) {
        slot_clear(f->slots, base);
        slot_clear(f->slots, base + 1);
        if (has_keywords)
            slot_clear(f->slots, base + 2);
    }
    Py_XDECREF(args);
    Py_XDECREF(kwargs);
    return result;
}

/* ---- Calls from C ---- */

PyObject *function_vectorcall(PyObject *callable, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    PyThreadState *ts = thread_current();
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    Py_ssize_t total = nargs + (kwnames != NULL ? PyTuple_GET_SIZE(kwnames) : 0);
    if (call_check_stack(" while calling a Python object"))     /* the activation counts as a level */
        return NULL;
    frame_t *f = kwnames == NULL ? call_push_copies(ts, (PyFunctionObject *)callable, args, nargs) : NULL;
    if (Py_LIKELY(f != NULL)) {
        slot_incref(callable);
        f->flags = FRAME_ENTRY;
        return vm_run(ts, f, 0);
    }
    PyObject **top = ts->stack_top, **copies = spread_room(ts, total);
    if (copies == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    for (Py_ssize_t i = 0; i < total; i++)
        copies[i] = slot_copy(args[i]);
    PyObject *result = NULL;
    f = call_push_general(ts, NULL, (PyFunctionObject *)callable, copies, nargs, kwnames);
    if (f != NULL) {
        slot_incref(callable);
        f->flags |= FRAME_ENTRY;
        result = vm_run(ts, f, 0);
    }
    if (copies != top)
        PyMem_Free(copies);
    return result;
}

PyObject *vm_eval_code(PyObject *code, PyObject *globals, PyObject *locals, PyObject *closure)
{
    PyThreadState *ts = thread_current();
    PyObject *builtins = eval_builtins_of_globals(ts, globals);
    if (builtins == NULL)
        return NULL;
    int exact = PyDict_CheckExact(globals) && PyDict_CheckExact(builtins);
    PyObject *func = function_new((PyCodeObject *)code, globals, builtins, NULL, 0);
    Py_DECREF(builtins);
    if (func == NULL)
        return NULL;
    if (closure != NULL)
        ((PyFunctionObject *)func)->func_closure = Py_NewRef(closure);
    if (Py_EnterRecursiveCall(" while calling a Python object")) {
        Py_DECREF(func);
        return NULL;
    }
    PyObject *result = NULL;
    func = owned_to_slot(func);
    frame_t *f = call_push_held(ts, NULL, (PyFunctionObject *)func, NULL, 0, NULL);
    if (f != NULL) {
        f->flags |= FRAME_ENTRY;
        if (!(f->code->co_flags & CO_NEWLOCALS)) {
            f->locals = Py_NewRef(locals != NULL ? locals : globals);
            if (f->locals == globals && exact)
                f->flags |= FRAME_LOCALS_IS_GLOBALS;
        }
        result = vm_run(ts, f, 0);
    }
    Py_LeaveRecursiveCall();
    return result;
}

PyObject *PyEval_EvalCode(PyObject *code, PyObject *globals, PyObject *locals)
{
    if (globals == NULL) {
        PyErr_SetString(PyExc_SystemError, "PyEval_EvalCode: NULL globals");
        return NULL;
    }
    return vm_eval_code(code, globals, locals, NULL);
}
