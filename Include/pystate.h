/* Thread states and interpreter states; attaching threads that Python did not create. */
#ifndef Py_PYSTATE_H
#define Py_PYSTATE_H

struct _frame;
struct PyModuleDef;

typedef struct _ts PyThreadState;
typedef struct _is PyInterpreterState;
typedef int (*Py_tracefunc)(PyObject *, struct _frame *, int, PyObject *);

PyAPI_FUNC(PyInterpreterState *) PyInterpreterState_Get(void);
PyAPI_FUNC(PyInterpreterState *) PyInterpreterState_Main(void);
PyAPI_FUNC(PyInterpreterState *) PyInterpreterState_New(void);
PyAPI_FUNC(void) PyInterpreterState_Clear(PyInterpreterState *interp);
PyAPI_FUNC(void) PyInterpreterState_Delete(PyInterpreterState *interp);
PyAPI_FUNC(PyInterpreterState *) PyInterpreterState_Head(void);
PyAPI_FUNC(PyInterpreterState *) PyInterpreterState_Next(PyInterpreterState *interp);
PyAPI_FUNC(PyThreadState *) PyInterpreterState_ThreadHead(PyInterpreterState *interp);
PyAPI_FUNC(int64_t) PyInterpreterState_GetID(PyInterpreterState *interp);
PyAPI_FUNC(PyObject *) PyInterpreterState_GetDict(PyInterpreterState *interp);  /* borrowed, or NULL */

PyAPI_FUNC(PyObject *) PyState_FindModule(struct PyModuleDef *def);             /* borrowed, or NULL */
PyAPI_FUNC(int) PyState_AddModule(PyObject *module, struct PyModuleDef *def);
PyAPI_FUNC(int) PyState_RemoveModule(struct PyModuleDef *def);

/* A new thread state, detached; any thread may call it. NULL when out of memory or of slots; no exception is set. */
PyAPI_FUNC(PyThreadState *) PyThreadState_New(PyInterpreterState *interp);
/* Drops the references that the state holds. The caller is attached (to any state). */
PyAPI_FUNC(void) PyThreadState_Clear(PyThreadState *ts);
/* Frees a cleared state that is not attached. */
PyAPI_FUNC(void) PyThreadState_Delete(PyThreadState *ts);
PyAPI_FUNC(void) PyThreadState_DeleteCurrent(void);
PyAPI_FUNC(PyThreadState *) PyThreadState_Get(void);            /* fatal error if the thread is detached */
PyAPI_FUNC(PyThreadState *) _PyThreadState_UncheckedGet(void);
PyAPI_FUNC(PyThreadState *) PyThreadState_GetUnchecked(void);
PyAPI_FUNC(PyThreadState *) PyThreadState_Swap(PyThreadState *ts);
PyAPI_FUNC(PyThreadState *) PyThreadState_Next(PyThreadState *ts);
PyAPI_FUNC(PyObject *) PyThreadState_GetDict(void);             /* borrowed, or NULL without exception */
PyAPI_FUNC(PyObject *) _PyThreadState_GetDict(PyThreadState *ts);
PyAPI_FUNC(int) PyThreadState_SetAsyncExc(unsigned long thread_id, PyObject *exc);
PyAPI_FUNC(PyInterpreterState *) PyThreadState_GetInterpreter(PyThreadState *ts);
PyAPI_FUNC(struct _frame *) PyThreadState_GetFrame(PyThreadState *ts);          /* new reference, or NULL */
PyAPI_FUNC(uint64_t) PyThreadState_GetID(PyThreadState *ts);
PyAPI_FUNC(void) PyThreadState_EnterTracing(PyThreadState *ts);
PyAPI_FUNC(void) PyThreadState_LeaveTracing(PyThreadState *ts);
#define PyThreadState_GET() PyThreadState_Get()
#define _PyThreadState_GET() _PyThreadState_UncheckedGet()

typedef enum { PyGILState_LOCKED, PyGILState_UNLOCKED } PyGILState_STATE;
PyAPI_FUNC(PyGILState_STATE) PyGILState_Ensure(void);
PyAPI_FUNC(void) PyGILState_Release(PyGILState_STATE state);
PyAPI_FUNC(PyThreadState *) PyGILState_GetThisThreadState(void);
PyAPI_FUNC(int) PyGILState_Check(void);

/* ---- Detaching around blocking calls ---- */

PyAPI_FUNC(PyThreadState *) PyEval_SaveThread(void);
PyAPI_FUNC(void) PyEval_RestoreThread(PyThreadState *ts);
PyAPI_FUNC(void) PyEval_AcquireThread(PyThreadState *ts);
PyAPI_FUNC(void) PyEval_ReleaseThread(PyThreadState *ts);
PyAPI_FUNC(void) PyEval_AcquireLock(void);
PyAPI_FUNC(void) PyEval_ReleaseLock(void);
PyAPI_FUNC(void) PyEval_InitThreads(void);
PyAPI_FUNC(int) PyEval_ThreadsInitialized(void);
#define Py_BEGIN_ALLOW_THREADS { PyThreadState *_save; _save = PyEval_SaveThread();
#define Py_END_ALLOW_THREADS PyEval_RestoreThread(_save); }
#define Py_BLOCK_THREADS PyEval_RestoreThread(_save);
#define Py_UNBLOCK_THREADS _save = PyEval_SaveThread();

/* ---- Calls made later, in the main thread at a safe point ---- */

PyAPI_FUNC(int) Py_AddPendingCall(int (*func)(void *), void *arg);      /* -1: the queue is full */
PyAPI_FUNC(int) Py_MakePendingCalls(void);

PyAPI_FUNC(void) PyOS_BeforeFork(void);
PyAPI_FUNC(void) PyOS_AfterFork_Parent(void);
PyAPI_FUNC(void) PyOS_AfterFork_Child(void);
PyAPI_FUNC(void) PyOS_AfterFork(void);

#endif /* Py_PYSTATE_H */
