/* The interface of tracemalloc. Braid does not record the origin of memory blocks: the module is there so that the
 * library can ask, and says so when told to start. */
#include "memory.h"
#include "allocator.h"

int PyTraceMalloc_Track(unsigned int domain, uintptr_t ptr, size_t size) { return -2; }
int PyTraceMalloc_Untrack(unsigned int domain, uintptr_t ptr) { return -2; }

static PyObject *is_tracing(PyObject *module, PyObject *unused) { Py_RETURN_FALSE; }
static PyObject *do_nothing(PyObject *module, PyObject *unused) { Py_RETURN_NONE; }
static PyObject *no_traces(PyObject *module, PyObject *unused) { return PyList_New(0); }
static PyObject *one(PyObject *module, PyObject *unused) { return PyLong_FromLong(1); }
static PyObject *zero(PyObject *module, PyObject *unused) { return PyLong_FromLong(0); }
static PyObject *no_traceback(PyObject *module, PyObject *op) { Py_RETURN_NONE; }
static PyObject *traced_memory(PyObject *module, PyObject *unused) { return Py_BuildValue("(ii)", 0, 0); }

static PyObject *start(PyObject *module, PyObject *args)
{
    int frames = 1;
    if (!PyArg_ParseTuple(args, "|i:start", &frames))
        return NULL;
    if (frames < 1 || frames > 65535) {
        PyErr_SetString(PyExc_ValueError, "the number of frames must be in range [1; 65535]");
        return NULL;
    }
    PyErr_SetString(PyExc_NotImplementedError, "tracing of memory blocks is not available");
    return NULL;
}

static PyMethodDef tracemalloc_methods[] = {
    {"is_tracing", is_tracing, METH_NOARGS, "False: blocks are not traced."},
    {"start", start, METH_VARARGS, "start(nframe=1): not available."},
    {"stop", do_nothing, METH_NOARGS, "Nothing to stop."},
    {"clear_traces", do_nothing, METH_NOARGS, "Nothing to clear."},
    {"reset_peak", do_nothing, METH_NOARGS, "Nothing to reset."},
    {"get_traceback_limit", one, METH_NOARGS, "Frames stored in a trace."},
    {"get_traced_memory", traced_memory, METH_NOARGS, "(0, 0)."},
    {"get_tracemalloc_memory", zero, METH_NOARGS, "Memory that tracing itself takes."},
    {"_get_traces", no_traces, METH_NOARGS, "An empty list."},
    {"_get_object_traceback", no_traceback, METH_O, "None."},
    {NULL},
};

static PyModuleDef_Slot tracemalloc_slots[] = {
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef tracemalloc_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_tracemalloc",
    .m_doc = "Where memory blocks were allocated: not recorded by Braid.",
    .m_methods = tracemalloc_methods,
    .m_slots = tracemalloc_slots,
};

PyMODINIT_FUNC PyInit__tracemalloc(void) { return PyModuleDef_Init(&tracemalloc_module); }
