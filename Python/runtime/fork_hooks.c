/* os.register_at_fork: the functions that run around fork(). */
#include "interpreter.h"

static PyObject *new_list(void) { return PyList_New(0); }

/* Adds func to one of the lists. 0, or -1 with an exception. */
static int add(PyObject **field, PyObject *func)
{
    if (func == NULL)
        return 0;
    PyObject *list = interpreter_get_or_make(field, new_list);
    if (list == NULL)
        return -1;
    int rc = PyList_Append(list, func);
    Py_DECREF(list);
    return rc;
}

/* For the module posix, which sees no internal header: any of the three may be NULL. */
int fork_register_hooks(PyObject *before, PyObject *after_in_child, PyObject *after_in_parent);

int fork_register_hooks(PyObject *before, PyObject *after_in_child, PyObject *after_in_parent)
{
    return add(&runtime_interp.before_forkers, before) < 0 || add(&runtime_interp.after_forkers_child, after_in_child) < 0
                   || add(&runtime_interp.after_forkers_parent, after_in_parent) < 0
               ? -1
               : 0;
}
