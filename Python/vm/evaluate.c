/* Evaluation services for C: recursion limits, the namespaces of the running frame. */
#include "Python.h"

#include "block_trace.h"
#include "calls.h"
#include "collector.h"
#include "generator_frames.h"
#include "interpreter.h"
#include "stop_world.h"
#include "promote.h"
#include "thread_state.h"
#include "vm.h"
#include "well_known_strings.h"

/* ---- Recursion: Python depth is a counter (calls.c), C depth a stack address ---- */

int call_recursion_error(PyThreadState *ts, const char *where)
{
    char *soft_limit = ts->c_stack_soft_limit;
    ts->py_recursion_remaining += 50;
    ts->c_stack_soft_limit = ts->c_stack_limit;
    PyErr_Format(PyExc_RecursionError, "maximum recursion depth exceeded%s", where);
    PyErr_SetRaisedException(PyErr_GetRaisedException());       /* normalised now: later there may be no room */
    ts->py_recursion_remaining -= 50;
    ts->c_stack_soft_limit = soft_limit;
    return -1;
}

int Py_EnterRecursiveCall(const char *where)
{
    PyThreadState *ts = thread_current();
    char *here = __builtin_frame_address(0);
    if (Py_UNLIKELY(here < ts->c_stack_soft_limit || ts->py_recursion_remaining <= 0)) {
        if (here < ts->c_stack_limit)
            Py_FatalError("Cannot recover from stack overflow.");
        return call_recursion_error(ts, where != NULL ? where : "");
    }
    ts->py_recursion_remaining--;
    return 0;
}

void Py_LeaveRecursiveCall(void) { thread_current()->py_recursion_remaining++; }

int Py_GetRecursionLimit(void) { return thread_current()->py_recursion_limit; }

/* Applies to every thread at once: depths so far are kept. */
void Py_SetRecursionLimit(int limit)
{
    PyThreadState *ts = thread_current();
    stop_world_begin(ts);
    thread_list_lock();         /* threads of C code that attach for the first time are not stopped */
    runtime_interp.recursion_limit = limit;
    for (PyThreadState *t = runtime_interp.threads; t != NULL; t = t->next) {
        t->py_recursion_remaining += limit - t->py_recursion_limit;
        t->py_recursion_limit = limit;
    }
    thread_list_unlock();
    stop_world_end(ts);
}

/* ---- Namespaces ---- */

PyObject *eval_builtins_of_globals(PyThreadState *ts, PyObject *globals)
{
    PyObject *builtins = NULL;
    if (PyDict_GetItemRef(globals, STR(__builtins__), &builtins) < 0)
        return NULL;
    (void)ts;
    if (builtins == NULL)
        return Py_XNewRef(PyEval_GetBuiltins());
    if (PyModule_Check(builtins))
        Py_SETREF(builtins, Py_XNewRef(PyModule_GetDict(builtins)));
    return builtins;
}

static frame_t *running_frame(void) { return frame_first_complete(thread_current()->frame); }

PyObject *PyEval_GetBuiltins(void)
{
    frame_t *f = running_frame();
    return f != NULL ? f->builtins : interpreter_builtins();
}

PyObject *PyEval_GetGlobals(void)
{
    frame_t *f = running_frame();
    return f != NULL ? f->globals : NULL;
}

PyObject *PyEval_GetLocals(void)
{
    frame_t *f = running_frame();
    if (f == NULL) {
        PyErr_SetString(PyExc_SystemError, "frame does not exist");
        return NULL;
    }
    PyFrameObject *object = frame_get_object(f);
    PyObject *locals = object != NULL ? PyFrame_GetLocals(object) : NULL;
    Py_XDECREF(locals);         /* the frame holds it */
    return locals;
}

PyFrameObject *PyEval_GetFrame(void)
{
    frame_t *f = running_frame();
    return f != NULL ? frame_get_object(f) : NULL;
}

int PyEval_MergeCompilerFlags(PyCompilerFlags *flags)
{
    frame_t *f = running_frame();
    if (f != NULL)
        flags->cf_flags |= f->code->co_flags & (CO_FUTURE_BARRY_AS_BDFL | CO_FUTURE_ANNOTATIONS | CO_FUTURE_DIVISION
                                                | CO_FUTURE_ABSOLUTE_IMPORT | CO_FUTURE_WITH_STATEMENT
                                                | CO_FUTURE_PRINT_FUNCTION | CO_FUTURE_UNICODE_LITERALS
                                                | CO_FUTURE_GENERATOR_STOP);
    return flags->cf_flags != 0;
}

PyObject *PyEval_EvalCodeEx(PyObject *code, PyObject *globals, PyObject *locals, PyObject *const *args, int argc,
                            PyObject *const *kwds, int kwdc, PyObject *const *defs, int defc, PyObject *kwdefs, PyObject *closure)
{
    PyObject *result = NULL, *kwnames = PyTuple_New(kwdc), *defaults = defc > 0 ? PyTuple_New(defc) : NULL;
    PyObject *func = PyFunction_New(code, globals), **all = PyMem_New(PyObject *, argc + kwdc + 1);
    (void)locals;               /* code with arguments has locals of its own */
    if (kwnames == NULL || (defc > 0 && defaults == NULL) || func == NULL || all == NULL)
        goto done;
    for (int i = 0; i < argc; i++)
        all[i] = args[i];
    for (int i = 0; i < kwdc; i++) {
        PyTuple_SET_ITEM(kwnames, i, Py_NewRef(kwds[2 * i]));
        all[argc + i] = kwds[2 * i + 1];
    }
    for (int i = 0; i < defc; i++)
        PyTuple_SET_ITEM(defaults, i, Py_NewRef(defs[i]));
    ((PyFunctionObject *)func)->func_defaults = Py_XNewRef(defaults);
    ((PyFunctionObject *)func)->func_kwdefaults = Py_XNewRef(kwdefs);
    ((PyFunctionObject *)func)->func_closure = Py_XNewRef(closure);
    result = PyObject_Vectorcall(func, all, (size_t)argc, kwnames);
done:
    Py_XDECREF(kwnames);
    Py_XDECREF(defaults);
    Py_XDECREF(func);
    PyMem_Free(all);
    return result;
}

const char *PyEval_GetFuncName(PyObject *func)
{
    if (PyMethod_Check(func))
        return PyEval_GetFuncName(PyMethod_GET_FUNCTION(func));
    if (PyFunction_Check(func))
        return PyUnicode_AsUTF8(((PyFunctionObject *)func)->func_name);
    if (PyCFunction_Check(func))
        return ((PyCFunctionObject *)func)->m_ml->ml_name;
    return Py_TYPE(func)->tp_name;
}

const char *PyEval_GetFuncDesc(PyObject *func)
{
    if (PyMethod_Check(func) || PyFunction_Check(func) || PyCFunction_Check(func))
        return "()";
    return " object";
}

/* ---- Roots of the collector ---- */

typedef struct {
    visitproc visit;
    void *arg;
} deferred_visit_t;

static int visit_if_deferred(PyObject *op, void *arg)
{
    deferred_visit_t *v = arg;
    return object_is_deferred(op) ? v->visit(op, v->arg) : 0;
}

static int visit_frame_roots(visitproc visit, void *arg)
{
    deferred_visit_t v = {visit, arg};
    int status = 0;
    /* Threads that have detached for the last time leave the list during the pause, too. */
    thread_list_lock();
    for (PyThreadState *ts = thread_first(); ts != NULL && status == 0; ts = ts->next)
        status = frame_visit_thread_roots(ts, visit_if_deferred, &v);
    thread_list_unlock();
    return status;
}

void vm_init(void)
{
    collector_visit_frame_roots = visit_frame_roots;
    promote_walk_slots = frame_walk_slots_stopped;
    allocation_frames_init();
    code_init();
}
