/* PyGILState_*: attaching from threads that may or may not be known to Python. */
#include "interpreter.h"
#include "thread_state.h"

PyGILState_STATE PyGILState_Ensure(void)
{
    PyThreadState *ts = gilstate_get_bound();
    if (ts == NULL) {
        ts = PyThreadState_New(&runtime_interp);
        if (ts == NULL)
            Py_FatalError("couldn't create thread-state for new thread");
        ts->gilstate_counter = 0;       /* the last PyGILState_Release deletes it */
    }
    PyGILState_STATE before = PyGILState_LOCKED;
    if (ts != thread_current()) {
        thread_attach(ts);
        before = PyGILState_UNLOCKED;
    }
    ts->gilstate_counter++;
    return before;
}

void PyGILState_Release(PyGILState_STATE before)
{
    PyThreadState *ts = gilstate_get_bound();
    if (ts == NULL || ts != thread_current())
        Py_FatalError("the thread is not attached");
    if (--ts->gilstate_counter == 0) {
        ts->gilstate_counter = 1;       /* finalisers may call PyGILState_Ensure until the very end */
        PyThreadState_DeleteCurrent();
    }
    else if (before == PyGILState_UNLOCKED)
        thread_detach(ts);
}

PyThreadState *PyGILState_GetThisThreadState(void) { return gilstate_get_bound(); }

int PyGILState_Check(void)
{
    PyThreadState *ts = thread_current();
    return ts != NULL && ts == gilstate_get_bound();
}
