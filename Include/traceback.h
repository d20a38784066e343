/* Traceback objects. */
#ifndef Py_TRACEBACK_H
#define Py_TRACEBACK_H

typedef struct _traceback {
    PyObject_HEAD
    struct _traceback *tb_next;
    PyFrameObject *tb_frame;
    int tb_lasti;
    int tb_lineno;
} PyTracebackObject;

PyAPI_DATA(PyTypeObject) PyTraceBack_Type;
#define PyTraceBack_Check(op) Py_IS_TYPE((op), &PyTraceBack_Type)
/* Puts an entry for frame (borrowed; NULL: out of memory, nothing is added) in front of the traceback of the exception that is set. */
PyAPI_FUNC(int) PyTraceBack_Here(PyFrameObject *frame);
/* The next entry: a new reference, or NULL. Other threads may change it at any time. */
PyObject *_PyTraceback_GetNext(PyObject *traceback);
/* Makes next (a traceback, or NULL; borrowed) the next entry. 1: that would make a loop, nothing is changed; 0 otherwise. */
int _PyTraceback_SetNext(PyObject *traceback, PyObject *next);
PyAPI_FUNC(int) PyTraceBack_Print(PyObject *traceback, PyObject *file);
PyAPI_FUNC(void) _PyTraceback_Add(const char *function, const char *filename, int line);

#endif /* Py_TRACEBACK_H */
