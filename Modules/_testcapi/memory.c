/* _testcapi: allocators that fail, the name of the allocator, and blocks traced for tracemalloc.
 *
 * The hooks count the allocations of all threads: the counter is atomic, the window of failures is set while no other
 * thread runs (tests do that alone). */
#include "testcapi.h"

static const PyMemAllocatorDomain domains[] = {PYMEM_DOMAIN_RAW, PYMEM_DOMAIN_MEM, PYMEM_DOMAIN_OBJ};

static struct {
    int installed;
    int start, stop;                    /* allocations number start to stop fail; stop 0: all from start on */
    int count;                          /* [atomic] allocations so far */
    PyMemAllocatorEx original[Py_ARRAY_LENGTH(domains)];
} failing;

/* Shall this allocation fail? */
static int fails(void)
{
    int number = __atomic_add_fetch(&failing.count, 1, __ATOMIC_RELAXED);
    return number > failing.start && (failing.stop <= 0 || number <= failing.stop);
}

static void *failing_malloc(void *ctx, size_t size)
{
    PyMemAllocatorEx *original = ctx;
    return fails() ? NULL : original->malloc(original->ctx, size);
}

static void *failing_calloc(void *ctx, size_t count, size_t size)
{
    PyMemAllocatorEx *original = ctx;
    return fails() ? NULL : original->calloc(original->ctx, count, size);
}

static void *failing_realloc(void *ctx, void *block, size_t size)
{
    PyMemAllocatorEx *original = ctx;
    return fails() ? NULL : original->realloc(original->ctx, block, size);
}

static void failing_free(void *ctx, void *block)
{
    PyMemAllocatorEx *original = ctx;
    original->free(original->ctx, block);
}

static PyObject *testcapi_set_nomemory(PyObject *module, PyObject *args)
{
    int start, stop = 0;
    if (!PyArg_ParseTuple(args, "i|i:set_nomemory", &start, &stop))
        return NULL;
    failing.start = start;
    failing.stop = stop;
    __atomic_store_n(&failing.count, 0, __ATOMIC_RELAXED);
    for (size_t i = 0; !failing.installed && i < Py_ARRAY_LENGTH(domains); i++) {
        PyMem_GetAllocator(domains[i], &failing.original[i]);
        PyMemAllocatorEx hooks = {&failing.original[i], failing_malloc, failing_calloc, failing_realloc, failing_free};
        PyMem_SetAllocator(domains[i], &hooks);
    }
    failing.installed = 1;
    Py_RETURN_NONE;
}

static PyObject *testcapi_remove_mem_hooks(PyObject *module, PyObject *unused)
{
    for (size_t i = 0; failing.installed && i < Py_ARRAY_LENGTH(domains); i++)
        PyMem_SetAllocator(domains[i], &failing.original[i]);
    failing.installed = 0;
    Py_RETURN_NONE;
}

static PyObject *testcapi_getallocatorsname(PyObject *module, PyObject *unused)
{
    const char *name = _PyMem_GetCurrentAllocatorName();
    if (name == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "cannot get allocators name");
        return NULL;
    }
    return PyUnicode_FromString(name);
}

/* Blocks of no bytes are blocks. */
static PyObject *testcapi_test_alloc0(PyObject *module, PyObject *unused)
{
    void *blocks[] = {PyMem_RawMalloc(0), PyMem_RawCalloc(0, 0), PyMem_Malloc(0),
                      PyMem_Calloc(0, 0), PyObject_Malloc(0),    PyObject_Calloc(0, 0)};
    int missing = 0;
    for (size_t i = 0; i < Py_ARRAY_LENGTH(blocks); i++)
        missing |= blocks[i] == NULL;
    PyMem_RawFree(blocks[0]);
    PyMem_RawFree(blocks[1]);
    PyMem_Free(blocks[2]);
    PyMem_Free(blocks[3]);
    PyObject_Free(blocks[4]);
    PyObject_Free(blocks[5]);
    if (missing) {
        PyErr_SetString(PyExc_RuntimeError, "an allocation of no bytes returns NULL");
        return NULL;
    }
    Py_RETURN_NONE;
}

/* ---- Blocks traced for tracemalloc ---- */

static PyObject *tracing_failed(int status)
{
    PyErr_SetString(PyExc_RuntimeError, status == -2 ? "tracemalloc is not tracing" : "out of memory for the trace");
    return NULL;
}

static PyObject *testcapi_tracemalloc_track(PyObject *module, PyObject *args)
{
    unsigned domain;
    PyObject *address;
    Py_ssize_t size;
    int detached = 0, status;
    if (!PyArg_ParseTuple(args, "IOn|i:tracemalloc_track", &domain, &address, &size, &detached))
        return NULL;
    void *block = PyLong_AsVoidPtr(address);
    if (PyErr_Occurred())
        return NULL;
    if (detached) {
        Py_BEGIN_ALLOW_THREADS
        status = PyTraceMalloc_Track(domain, (uintptr_t)block, (size_t)size);
        Py_END_ALLOW_THREADS
    } else {
        status = PyTraceMalloc_Track(domain, (uintptr_t)block, (size_t)size);
    }
    if (status < 0)
        return tracing_failed(status);
    Py_RETURN_NONE;
}

static PyObject *testcapi_tracemalloc_untrack(PyObject *module, PyObject *args)
{
    unsigned domain;
    PyObject *address;
    if (!PyArg_ParseTuple(args, "IO:tracemalloc_untrack", &domain, &address))
        return NULL;
    void *block = PyLong_AsVoidPtr(address);
    if (PyErr_Occurred())
        return NULL;
    int status = PyTraceMalloc_Untrack(domain, (uintptr_t)block);
    if (status < 0)
        return tracing_failed(status);
    Py_RETURN_NONE;
}

PyAPI_FUNC(PyObject *) _PyTraceMalloc_GetTraceback(unsigned int domain, uintptr_t ptr);    /* in no public header */

static PyObject *testcapi_tracemalloc_get_traceback(PyObject *module, PyObject *args)
{
    unsigned domain;
    PyObject *address;
    if (!PyArg_ParseTuple(args, "IO:tracemalloc_get_traceback", &domain, &address))
        return NULL;
    void *block = PyLong_AsVoidPtr(address);
    return PyErr_Occurred() ? NULL : _PyTraceMalloc_GetTraceback(domain, (uintptr_t)block);
}

static PyMethodDef memory_methods[] = {
    {"set_nomemory", testcapi_set_nomemory, METH_VARARGS, NULL},
    {"remove_mem_hooks", testcapi_remove_mem_hooks, METH_NOARGS, NULL},
    {"pymem_getallocatorsname", testcapi_getallocatorsname, METH_NOARGS, NULL},
    {"test_pymem_alloc0", testcapi_test_alloc0, METH_NOARGS, NULL},
    {"tracemalloc_track", testcapi_tracemalloc_track, METH_VARARGS, NULL},
    {"tracemalloc_get_traceback", testcapi_tracemalloc_get_traceback, METH_VARARGS, NULL},
    {"tracemalloc_untrack", testcapi_tracemalloc_untrack, METH_VARARGS, NULL},
    {NULL},
};

int testcapi_add_memory(PyObject *module)
{
    return PyModule_AddFunctions(module, memory_methods);
}
