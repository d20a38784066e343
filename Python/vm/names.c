/* Out-of-line access to names: cells, local mappings, globals. */
#include "Python.h"

#include "thread_state.h"
#include "vm_slow.h"
#include "well_known_strings.h"

static PyObject *name_at(frame_t *f, unsigned index) { return f->code->co_names_items[index]; }

#define NOT_DEFINED "name '%U' is not defined"

static int name_error(const char *format, PyObject *name)
{
    PyErr_Format(PyExc_NameError, format, name);
    PyObject *exception = PyErr_GetRaisedException();
    if (exception != NULL && Py_IS_TYPE(exception, (PyTypeObject *)PyExc_NameError)
        && PyObject_SetAttr(exception, STR(name), name) < 0)
        PyErr_Clear();
    PyErr_SetRaisedException(exception);
    return -1;
}

/* ---- Cells ---- */

static int empty_cell_error(frame_t *f, unsigned slot)
{
    PyCodeObject *code = f->code;
    int index = (int)slot - code->co_nlocals;
    if (index < code->co_ncellvars)
        PyErr_Format(PyExc_UnboundLocalError, "cannot access local variable '%U' where it is not associated with a value",
                     PyTuple_GET_ITEM(code->co_cellvars, index));
    else {
        PyObject *name = PyTuple_GET_ITEM(code->co_freevars, index - code->co_ncellvars);
        return name_error("cannot access free variable '%U' where it is not associated with a value in enclosing scope", name);
    }
    return -1;
}

int vm_make_cell(frame_t *f, const instruction_t *at)
{
    unsigned parameter = AT_B(at);
    PyObject *content = NULL;
    if (parameter != SLOT_NONE && f->slots[parameter] != NULL) {
        content = slot_to_owned(f->slots[parameter]);
        f->slots[parameter] = NULL;
    }
    PyObject *cell = PyCell_New(content);
    Py_XDECREF(content);
    return result_store(f, AT_A(at), cell);
}

int vm_load_deref(frame_t *f, const instruction_t *at)
{
    PyObject *value = cell_get_ref((PyCellObject *)f->slots[AT_B(at)]);
    if (value == NULL)
        return empty_cell_error(f, AT_B(at));
    return result_store(f, AT_A(at), value);
}

int vm_delete_deref(frame_t *f, const instruction_t *at, int must_exist)
{
    PyObject *old = cell_swap_steal((PyCellObject *)f->slots[AT_A(at)], NULL);
    if (old == NULL && must_exist)
        return empty_cell_error(f, AT_A(at));
    Py_XDECREF(old);
    return 0;
}

/* Where plain names are kept; borrowed. types.FunctionType can make a function of a module's code: its names are globals. */
static PyObject *local_mapping(frame_t *f)
{
    return f->locals != NULL || (f->code->co_flags & CO_OPTIMIZED) ? f->locals : f->globals;
}

/* A key of the local mapping: 1 found, 0 absent, -1. */
static int local_lookup(frame_t *f, PyObject *name, PyObject **value)
{
    PyObject *locals = local_mapping(f);
    *value = NULL;
    if (locals == NULL) {
        PyErr_Format(PyExc_SystemError, "no locals when loading %R", name);
        return -1;
    }
    if (PyDict_CheckExact(locals))
        return PyDict_GetItemRef(locals, name, value);
    *value = PyObject_GetItem(locals, name);
    if (*value != NULL)
        return 1;
    if (!PyErr_ExceptionMatches(PyExc_KeyError))
        return -1;
    PyErr_Clear();
    return 0;
}

int vm_load_class_deref(frame_t *f, const instruction_t *at)
{
    PyObject *value;
    int found = local_lookup(f, name_at(f, AT_C(at)), &value);
    if (found < 0)
        return -1;
    if (found == 0)
        value = cell_get_ref((PyCellObject *)f->slots[AT_B(at)]);
    if (value == NULL)
        return empty_cell_error(f, AT_B(at));
    return result_store(f, AT_A(at), value);
}

/* ---- Names ---- */

static int mapping_lookup(PyObject *mapping, PyObject *name, PyObject **value)
{
    *value = NULL;
    if (PyDict_CheckExact(mapping))
        return PyDict_GetItemRef(mapping, name, value);
    *value = PyObject_GetItem(mapping, name);
    if (*value != NULL)
        return 1;
    if (!PyErr_ExceptionMatches(PyExc_KeyError))
        return -1;
    PyErr_Clear();
    return 0;
}

/* A global or builtin by name, without a cache: new reference or NULL with NameError. */
static PyObject *global_lookup(frame_t *f, PyObject *name)
{
    PyObject *value;
    int found = mapping_lookup(f->globals, name, &value);
    if (found == 0)
        found = mapping_lookup(f->builtins, name, &value);
    if (found == 0)
        name_error(NOT_DEFINED, name);
    return value;
}

int vm_load_global_uncached(frame_t *f, const instruction_t *at);
int vm_load_global_uncached(frame_t *f, const instruction_t *at)
{
    return result_store(f, AT_A(at), global_lookup(f, name_at(f, (unsigned)AT_X(at))));
}

int vm_load_name(frame_t *f, const instruction_t *at)
{
    PyObject *value, *name = name_at(f, (unsigned)AT_X(at));
    int found = local_lookup(f, name, &value);
    if (found < 0)
        return -1;
    if (found == 0)
        value = global_lookup(f, name);
    return result_store(f, AT_A(at), value);
}

int vm_store_name(frame_t *f, const instruction_t *at)
{
    PyObject *name = name_at(f, (unsigned)AT_X(at));
    PyObject *value = operand_read(f, AT_A(at)), *locals = local_mapping(f);
    int status = -1;
    if (value == NULL)
        return -1;
    if (locals == NULL)
        PyErr_Format(PyExc_SystemError, "no locals found when storing %R", name);
    else if (PyDict_CheckExact(locals))
        status = PyDict_SetItem(locals, name, value);
    else
        status = PyObject_SetItem(locals, name, value);
    operand_release(f, AT_A(at));
    return status;
}

int vm_delete_name(frame_t *f, const instruction_t *at)
{
    PyObject *name = name_at(f, (unsigned)AT_X(at)), *locals = local_mapping(f);
    if (locals == NULL) {
        PyErr_Format(PyExc_SystemError, "no locals when deleting %R", name);
        return -1;
    }
    if (PyObject_DelItem(locals, name) == 0)
        return 0;
    if (PyErr_ExceptionMatches(PyExc_KeyError)) {
        PyErr_Clear();
        name_error(NOT_DEFINED, name);
    }
    return -1;
}

int vm_store_global(frame_t *f, const instruction_t *at)
{
    PyObject *value = operand_read(f, AT_A(at));
    if (value == NULL)
        return -1;
    int status = PyDict_SetItem(f->globals, name_at(f, (unsigned)AT_X(at)), value);
    operand_release(f, AT_A(at));
    return status;
}

int vm_delete_global(frame_t *f, const instruction_t *at)
{
    PyObject *name = name_at(f, (unsigned)AT_X(at));
    if (PyDict_DelItem(f->globals, name) == 0)
        return 0;
    if (PyErr_ExceptionMatches(PyExc_KeyError)) {
        PyErr_Clear();
        name_error(NOT_DEFINED, name);
    }
    return -1;
}

int vm_load_locals(frame_t *f, const instruction_t *at)
{
    if (f->locals == NULL) {
        PyErr_SetString(PyExc_SystemError, "no locals");
        return -1;
    }
    return result_store(f, AT_A(at), Py_NewRef(f->locals));
}

int vm_setup_annotations(frame_t *f, const instruction_t *at)
{
    (void)at;
    PyObject *value;
    if (f->locals == NULL) {
        PyErr_SetString(PyExc_SystemError, "no locals found when setting up annotations");
        return -1;
    }
    int found = local_lookup(f, STR(__annotations__), &value);
    Py_XDECREF(value);
    if (found != 0)
        return found < 0 ? -1 : 0;
    PyObject *annotations = PyDict_New();
    if (annotations == NULL)
        return -1;
    int status = PyObject_SetItem(f->locals, STR(__annotations__), annotations);
    Py_DECREF(annotations);
    return status;
}
