/* Cells: variables shared between nested functions. */
#ifndef Py_CELLOBJECT_H
#define Py_CELLOBJECT_H

typedef struct {
    PyObject_HEAD
    PyObject *ob_ref;               /* [atomic] counted; NULL: empty. Stored by exchange, read by acquire load and try_incref */
} PyCellObject;

PyAPI_DATA(PyTypeObject) PyCell_Type;
#define PyCell_Check(op) Py_IS_TYPE((op), &PyCell_Type)
PyAPI_FUNC(PyObject *) PyCell_New(PyObject *value);
PyAPI_FUNC(PyObject *) PyCell_Get(PyObject *cell);
PyAPI_FUNC(int) PyCell_Set(PyObject *cell, PyObject *value);

/* New reference, or NULL if the cell is empty. */
PyObject *cell_get_ref(PyCellObject *cell);
/* Steals value (NULL: empties); returns the old content, owned. */
PyObject *cell_swap_steal(PyCellObject *cell, PyObject *value);

#endif /* Py_CELLOBJECT_H */
