/* Evaluation: running code, the current frame's namespaces, detaching from the interpreter. */
#ifndef Py_CEVAL_H
#define Py_CEVAL_H

typedef struct {
    int cf_flags;
    int cf_feature_version;
} PyCompilerFlags;

PyAPI_FUNC(PyObject *) PyEval_EvalCode(PyObject *code, PyObject *globals, PyObject *locals);
PyAPI_FUNC(PyObject *) PyEval_EvalCodeEx(PyObject *code, PyObject *globals, PyObject *locals, PyObject *const *args, int argc,
                                         PyObject *const *kwds, int kwdc, PyObject *const *defs, int defc, PyObject *kwdefs,
                                         PyObject *closure);
PyAPI_FUNC(PyObject *) PyEval_GetBuiltins(void);
PyAPI_FUNC(PyObject *) PyEval_GetGlobals(void);
PyAPI_FUNC(PyObject *) PyEval_GetLocals(void);
PyAPI_FUNC(PyFrameObject *) PyEval_GetFrame(void);
PyAPI_FUNC(int) PyEval_MergeCompilerFlags(PyCompilerFlags *flags);
PyAPI_FUNC(const char *) PyEval_GetFuncName(PyObject *func);
PyAPI_FUNC(const char *) PyEval_GetFuncDesc(PyObject *func);
PyAPI_FUNC(void) PyEval_SetTrace(Py_tracefunc func, PyObject *arg);
PyAPI_FUNC(void) PyEval_SetProfile(Py_tracefunc func, PyObject *arg);

PyAPI_FUNC(int) Py_EnterRecursiveCall(const char *where);
PyAPI_FUNC(void) Py_LeaveRecursiveCall(void);
PyAPI_FUNC(void) Py_SetRecursionLimit(int limit);
PyAPI_FUNC(int) Py_GetRecursionLimit(void);

PyAPI_FUNC(int) _PyEval_SliceIndex(PyObject *op, Py_ssize_t *result);
PyAPI_FUNC(int) _PyEval_SliceIndexNotNone(PyObject *op, Py_ssize_t *result);

/* The builtins dict that code with these globals sees: globals["__builtins__"] (a module or dict), else the interpreter's.
 * A new reference: other threads may replace it. */
PyObject *eval_builtins_of_globals(PyThreadState *ts, PyObject *globals);

#define PyTrace_CALL 0
#define PyTrace_EXCEPTION 1
#define PyTrace_LINE 2
#define PyTrace_RETURN 3
#define PyTrace_C_CALL 4
#define PyTrace_C_EXCEPTION 5
#define PyTrace_C_RETURN 6
#define PyTrace_OPCODE 7

#endif /* Py_CEVAL_H */
