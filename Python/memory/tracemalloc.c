/* The `_tracemalloc` module: tracing of memory blocks, as the library's tracemalloc asks for it. */
#include "block_trace.h"
#include "memory.h"

static PyObject *is_tracing(PyObject *module, PyObject *unused) { return PyBool_FromLong(block_trace_is_on()); }

static PyObject *start(PyObject *module, PyObject *args)
{
    int frames = 1;
    if (!PyArg_ParseTuple(args, "|i:start", &frames))
        return NULL;
    if (frames < 1 || frames > BLOCK_TRACE_MAX_FRAMES) {
        PyErr_Format(PyExc_ValueError, "the number of frames must be in range [1; %d]", BLOCK_TRACE_MAX_FRAMES);
        return NULL;
    }
    if (block_trace_start(frames) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *stop(PyObject *module, PyObject *unused)
{
    block_trace_stop();
    Py_RETURN_NONE;
}

static PyObject *clear_traces(PyObject *module, PyObject *unused)
{
    if (block_trace_is_on())
        block_trace_clear();
    Py_RETURN_NONE;
}

static PyObject *reset_peak(PyObject *module, PyObject *unused)
{
    block_trace_reset_peak();
    Py_RETURN_NONE;
}

static PyObject *get_traceback_limit(PyObject *module, PyObject *unused) { return PyLong_FromLong(block_trace_max_frames()); }

static PyObject *get_traced_memory(PyObject *module, PyObject *unused)
{
    size_t now, peak;
    block_trace_get_totals(&now, &peak);
    return Py_BuildValue("(nn)", (Py_ssize_t)now, (Py_ssize_t)peak);
}

static PyObject *get_tracemalloc_memory(PyObject *module, PyObject *unused)
{
    return PyLong_FromSize_t(block_trace_own_bytes());
}

static PyObject *get_traces(PyObject *module, PyObject *unused) { return block_trace_list(); }

static PyObject *get_object_traceback(PyObject *module, PyObject *op)
{
    if (!value_is_heap(op))
        Py_RETURN_NONE;                     /* a number in the word itself */
    return block_trace_find(0, (uintptr_t)op);
}

static PyMethodDef tracemalloc_methods[] = {
    {"is_tracing", is_tracing, METH_NOARGS, "is_tracing($module, /)\n--\n\nTrue while memory blocks are traced."},
    {"start", start, METH_VARARGS,
     "start($module, nframe=1, /)\n--\n\nStart to trace memory blocks, each with up to nframe frames of its traceback."},
    {"stop", stop, METH_NOARGS, "stop($module, /)\n--\n\nStop tracing, and forget all traces."},
    {"clear_traces", clear_traces, METH_NOARGS, "clear_traces($module, /)\n--\n\nForget all traces."},
    {"reset_peak", reset_peak, METH_NOARGS, "reset_peak($module, /)\n--\n\nLet the peak be what is traced now."},
    {"get_traceback_limit", get_traceback_limit, METH_NOARGS,
     "get_traceback_limit($module, /)\n--\n\nHow many frames of a traceback are kept."},
    {"get_traced_memory", get_traced_memory, METH_NOARGS,
     "get_traced_memory($module, /)\n--\n\nBytes in traced blocks: (now, at most so far)."},
    {"get_tracemalloc_memory", get_tracemalloc_memory, METH_NOARGS,
     "get_tracemalloc_memory($module, /)\n--\n\nBytes that the traces themselves take."},
    {"_get_traces", get_traces, METH_NOARGS,
     "_get_traces($module, /)\n--\n\n"
     "List of (domain, size, traceback, number of frames) for all traced blocks."},
    {"_get_object_traceback", get_object_traceback, METH_O,
     "_get_object_traceback($module, obj, /)\n--\n\nTraceback of where the object was allocated, or None."},
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
    .m_doc = "Where memory blocks were allocated.",
    .m_methods = tracemalloc_methods,
    .m_slots = tracemalloc_slots,
};

PyMODINIT_FUNC PyInit__tracemalloc(void) { return PyModuleDef_Init(&tracemalloc_module); }
