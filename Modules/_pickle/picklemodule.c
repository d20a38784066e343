/* The _pickle module: dump, dumps, load, loads. */
#include "pickle_internal.h"

#include "internal/stable_buffer.h"

static pickler_t *new_pickler(PyObject *file, PyObject *protocol, int fix_imports, PyObject *callback)
{
    pickler_t *p = (pickler_t *)pickler_type.tp_alloc(&pickler_type, 0);
    if (p != NULL && pickler_setup(p, file, protocol, fix_imports, callback) < 0)
        Py_CLEAR(p);
    return p;
}

static int run_pickler(pickler_t *p, PyObject *op)
{
    int failed;
    Py_BEGIN_CRITICAL_SECTION(p);
    failed = pickler_run(p, op);
    Py_END_CRITICAL_SECTION();
    return failed;
}

static PyObject *pickle_dump(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"obj", "file", "protocol", "fix_imports", "buffer_callback", NULL};
    PyObject *op, *file, *protocol = NULL, *callback = NULL;
    int fix_imports = 1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO|O$pO:dump", keywords, &op, &file, &protocol, &fix_imports, &callback))
        return NULL;
    pickler_t *p = new_pickler(file, protocol, fix_imports, callback);
    if (p == NULL)
        return NULL;
    int failed = run_pickler(p, op);
    Py_DECREF(p);
    if (failed)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *pickle_dumps(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"obj", "protocol", "fix_imports", "buffer_callback", NULL};
    PyObject *op, *protocol = NULL, *callback = NULL, *result = NULL;
    int fix_imports = 1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O$pO:dumps", keywords, &op, &protocol, &fix_imports, &callback))
        return NULL;
    pickler_t *p = new_pickler(NULL, protocol, fix_imports, callback);
    if (p == NULL)
        return NULL;
    if (run_pickler(p, op) == 0)
        result = PyBytes_FromStringAndSize(p->out, p->out_length);
    Py_DECREF(p);
    return result;
}

static PyObject *run_unpickler_steal(unpickler_t *u)
{
    PyObject *result;
    Py_BEGIN_CRITICAL_SECTION(u);
    result = unpickler_run(u);
    Py_END_CRITICAL_SECTION();
    Py_DECREF(u);
    return result;
}

static PyObject *pickle_load(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"file", "fix_imports", "encoding", "errors", "buffers", NULL};
    PyObject *file, *encoding = NULL, *errors = NULL, *buffers = NULL;
    int fix_imports = 1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$pUUO:load", keywords, &file, &fix_imports, &encoding, &errors, &buffers))
        return NULL;
    unpickler_t *u = (unpickler_t *)unpickler_type.tp_alloc(&unpickler_type, 0);
    if (u == NULL)
        return NULL;
    if (unpickler_setup(u, file, fix_imports, encoding, errors, buffers) < 0) {
        Py_DECREF(u);
        return NULL;
    }
    return run_unpickler_steal(u);
}

static PyObject *pickle_loads(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"", "fix_imports", "encoding", "errors", "buffers", NULL};
    PyObject *data, *encoding = NULL, *errors = NULL, *buffers = NULL;
    int fix_imports = 1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$pUUO:loads", keywords, &data, &fix_imports, &encoding, &errors, &buffers))
        return NULL;
    unpickler_t *u = (unpickler_t *)unpickler_type.tp_alloc(&unpickler_type, 0);
    if (u == NULL)
        return NULL;
    if (unpickler_setup(u, NULL, fix_imports, encoding, errors, buffers) < 0
        || PyObject_GetBuffer(data, &u->view, PyBUF_CONTIG_RO) < 0 || stable_buffer_own(&u->view) < 0) {
        Py_DECREF(u);
        return NULL;
    }
    u->in = u->view.buf;
    u->in_length = u->view.len;
    return run_unpickler_steal(u);
}

static PyMethodDef pickle_methods[] = {
    MODULE_METHOD("dump", pickle_dump, METH_VARARGS | METH_KEYWORDS,
                  "dump($module, /, obj, file, protocol=None, *, fix_imports=True,\n     buffer_callback=None)\n--\n\n"
                  "Writes the pickle of obj to a file: Pickler(file, protocol).dump(obj)."),
    MODULE_METHOD("dumps", pickle_dumps, METH_VARARGS | METH_KEYWORDS,
                  "dumps($module, /, obj, protocol=None, *, fix_imports=True,\n      buffer_callback=None)\n--\n\n"
                  "The pickle of obj as bytes."),
    MODULE_METHOD("load", pickle_load, METH_VARARGS | METH_KEYWORDS,
                  "load($module, /, file, *, fix_imports=True, encoding='ASCII',\n     errors='strict', buffers=())\n--\n\n"
                  "Reads a pickle from a file: Unpickler(file).load()."),
    MODULE_METHOD("loads", pickle_loads, METH_VARARGS | METH_KEYWORDS,
                  "loads($module, data, /, *, fix_imports=True, encoding='ASCII',\n      errors='strict', buffers=())\n--\n\n"
                  "The object of which data is the pickle."),
    {NULL, NULL, 0, NULL},
};

static int pickle_exec(PyObject *module)
{
    if (pickle_state_init() < 0 || memo_proxy_init() < 0 || PyModule_AddType(module, &pickler_type) < 0
        || PyModule_AddType(module, &unpickler_type) < 0 || PyModule_AddType(module, &PyPickleBuffer_Type) < 0)
        return -1;
    if (PyModule_AddObjectRef(module, "PickleError", pickle_state.pickle_error) < 0
        || PyModule_AddObjectRef(module, "PicklingError", pickle_state.pickling_error) < 0)
        return -1;
    return PyModule_AddObjectRef(module, "UnpicklingError", pickle_state.unpickling_error);
}

static PyModuleDef_Slot pickle_slots[] = {
    {Py_mod_exec, (void *)pickle_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef pickle_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_pickle",
    .m_doc = "The fast half of the pickle module.",
    .m_methods = pickle_methods,
    .m_slots = pickle_slots,
};

PyMODINIT_FUNC PyInit__pickle(void)
{
    return PyModuleDef_Init(&pickle_module);
}
