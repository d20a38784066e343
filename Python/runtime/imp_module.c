/* The module _imp: what importlib needs from the interpreter. */
#include "importer.h"
#include "code_object.h"

/* ---- The import lock: recursive, global, held by importlib for short ---- */

static PyMutex lock;
static unsigned long lock_owner;        /* [atomic] thread id, or 0 */
static int lock_depth;                  /* [lock] */

static void acquire(void)
{
    unsigned long me = PyThread_get_thread_ident();
    if (__atomic_load_n(&lock_owner, __ATOMIC_RELAXED) == me && PyMutex_IsLocked(&lock))
        lock_depth++;
    else {
        PyMutex_Lock(&lock);
        __atomic_store_n(&lock_owner, me, __ATOMIC_RELAXED);
        lock_depth = 1;
    }
}

/* 0, or -1 if it is not the caller's. */
static int release(void)
{
    if (__atomic_load_n(&lock_owner, __ATOMIC_RELAXED) != PyThread_get_thread_ident() || !PyMutex_IsLocked(&lock))
        return -1;
    if (--lock_depth == 0) {
        __atomic_store_n(&lock_owner, 0, __ATOMIC_RELAXED);
        PyMutex_Unlock(&lock);
    }
    return 0;
}

/* A fork happens between imports of other threads: importlib's tables are whole in the child. The thread that forks has the lock on both sides,
 * so the child has nothing to reset. */
void import_lock_before_fork(void) { acquire(); }
void import_lock_after_fork(void) { release(); }

static PyObject *acquire_lock(PyObject *module, PyObject *unused)
{
    acquire();
    Py_RETURN_NONE;
}

static PyObject *release_lock(PyObject *module, PyObject *unused)
{
    if (release() < 0) {
        PyErr_SetString(PyExc_RuntimeError, "not holding the import lock");
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *lock_held(PyObject *module, PyObject *unused)
{
    return PyBool_FromLong(__atomic_load_n(&lock_owner, __ATOMIC_RELAXED) != 0);
}

/* ---- Built-in and extension modules ---- */

static PyObject *extension_suffixes(PyObject *module, PyObject *unused)
{
    return Py_BuildValue("[sss]", IMPORT_EXTENSION_SUFFIX, IMPORT_ABI3_SUFFIX, ".so");
}

static const char *name_argument(PyObject *arg, const char *function)
{
    if (!PyUnicode_Check(arg)) {
        _PyArg_BadArgument(function, "argument", "str", arg);
        return NULL;
    }
    return PyUnicode_AsUTF8(arg);
}

static PyObject *create_builtin(PyObject *module, PyObject *spec)
{
    PyObject *name = PyObject_GetAttrString(spec, "name"), *result = NULL;
    const char *text = name != NULL ? PyUnicode_AsUTF8(name) : NULL;
    if (text != NULL) {
        result = import_create_builtin(text, spec);
        if (result == NULL && !PyErr_Occurred())
            result = Py_NewRef(Py_None);
    }
    Py_XDECREF(name);
    return result;
}

static PyObject *exec_module(PyObject *module, PyObject *op)
{
    if (!PyModule_Check(op))
        return PyLong_FromLong(0);
    PyModuleDef *def = PyModule_GetDef(op);
    if (def == NULL)
        return PyLong_FromLong(0);
    if (PyModule_GetState(op) != NULL)
        return PyLong_FromLong(0);      /* executed before */
    if (op == runtime_interp.sys_module || op == runtime_interp.builtins_module)
        return PyLong_FromLong(0);
    if (PyModule_ExecDef(op, def) < 0)
        return NULL;
    return PyLong_FromLong(0);
}

static PyObject *is_builtin(PyObject *module, PyObject *arg)
{
    const char *name = name_argument(arg, "is_builtin");
    return name == NULL ? NULL : PyLong_FromLong(import_is_builtin(name));
}

static PyObject *create_dynamic(PyObject *module, PyObject *args)
{
    PyObject *spec, *file = NULL;
    if (!PyArg_UnpackTuple(args, "create_dynamic", 1, 2, &spec, &file))
        return NULL;
    return import_create_dynamic(spec);
}

/* ---- Frozen modules: there are none ---- */

static PyObject *no_frozen(PyObject *arg, const char *function)
{
    if (name_argument(arg, function) != NULL)
        PyErr_SetImportError(PyUnicode_FromFormat("No such frozen object named %R", arg), arg, NULL);
    return NULL;
}

static PyObject *init_frozen(PyObject *module, PyObject *arg)
{
    return name_argument(arg, "init_frozen") == NULL ? NULL : Py_NewRef(Py_None);
}

static PyObject *get_frozen_object(PyObject *module, PyObject *args)
{
    PyObject *name, *data = NULL;
    if (!PyArg_UnpackTuple(args, "get_frozen_object", 1, 2, &name, &data))
        return NULL;
    return no_frozen(name, "get_frozen_object");
}

static PyObject *find_frozen(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"", "withdata", NULL};
    PyObject *name;
    int with_data = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "U|$p:find_frozen", keywords, &name, &with_data))
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *is_frozen(PyObject *module, PyObject *arg)
{
    return name_argument(arg, "is_frozen") == NULL ? NULL : Py_NewRef(Py_False);
}

static PyObject *is_frozen_package(PyObject *module, PyObject *arg) { return no_frozen(arg, "is_frozen_package"); }
static PyObject *frozen_module_names(PyObject *module, PyObject *unused) { return PyList_New(0); }

static PyObject *override_frozen(PyObject *module, PyObject *arg)
{
    long value = PyLong_AsLong(arg);
    return value == -1 && PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

/* ---- Code ---- */

static void fix_filename(PyCodeObject *code, PyObject *old, PyObject *new)
{
    if (PyUnicode_Compare(code->co_filename, old) != 0)
        return;
    PyObject *previous = code->co_filename;
    code->co_filename = Py_NewRef(new);     /* the code has just been loaded: nobody else knows it */
    Py_DECREF(previous);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(code->co_consts); i++) {
        PyObject *constant = PyTuple_GET_ITEM(code->co_consts, i);
        if (PyCode_Check(constant))
            fix_filename((PyCodeObject *)constant, old, new);
    }
}

static PyObject *fix_co_filename(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("_fix_co_filename", nargs, 2, 2))
        return NULL;
    if (!PyCode_Check(args[0])) {
        _PyArg_BadArgument("_fix_co_filename", "argument 1", "code", args[0]);
        return NULL;
    }
    if (!PyUnicode_Check(args[1])) {
        _PyArg_BadArgument("_fix_co_filename", "argument 2", "str", args[1]);
        return NULL;
    }
    PyCodeObject *code = (PyCodeObject *)args[0];
    if (PyUnicode_Compare(code->co_filename, args[1]) != 0) {
        PyObject *old = Py_NewRef(code->co_filename);
        fix_filename(code, old, args[1]);
        Py_DECREF(old);
    }
    Py_RETURN_NONE;
}

static PyObject *source_hash(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"key", "source", NULL};
    long long key;
    Py_buffer source;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "Ly*:source_hash", keywords, &key, &source))
        return NULL;
    uint64_t hash = hash_siphash13((uint64_t)key, 0, source.buf, source.len);
    PyBuffer_Release(&source);
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(hash >> (8 * i));
    return PyBytes_FromStringAndSize((char *)bytes, 8);
}

#define METHOD(name, function, flags, doc) {(name), (PyCFunction)(void (*)(void))(function), (flags), PyDoc_STR(doc)}

static PyMethodDef methods[] = {
    METHOD("extension_suffixes", extension_suffixes, METH_NOARGS, "The file name endings of extension modules."),
    METHOD("lock_held", lock_held, METH_NOARGS, "Does any thread hold the import lock?"),
    METHOD("acquire_lock", acquire_lock, METH_NOARGS, "Takes the import lock; a thread may take it several times."),
    METHOD("release_lock", release_lock, METH_NOARGS, "Gives the import lock back once."),
    METHOD("create_builtin", create_builtin, METH_O, "Makes a built-in module for a spec."),
    METHOD("exec_builtin", exec_module, METH_O, "Initialises a built-in module."),
    METHOD("create_dynamic", create_dynamic, METH_VARARGS, "Makes an extension module for a spec."),
    METHOD("exec_dynamic", exec_module, METH_O, "Initialises an extension module."),
    METHOD("is_builtin", is_builtin, METH_O, "1 for a built-in module, -1 for one that is always there, else 0."),
    METHOD("init_frozen", init_frozen, METH_O, "Initialises a frozen module; there are none."),
    METHOD("get_frozen_object", get_frozen_object, METH_VARARGS, "The code of a frozen module; there are none."),
    METHOD("find_frozen", find_frozen, METH_VARARGS | METH_KEYWORDS, "What is known of a frozen module; there are none."),
    METHOD("is_frozen", is_frozen, METH_O, "Is there a frozen module of that name?"),
    METHOD("is_frozen_package", is_frozen_package, METH_O, "Is the frozen module a package?"),
    METHOD("_frozen_module_names", frozen_module_names, METH_NOARGS, "The names of frozen modules."),
    METHOD("_override_frozen_modules_for_tests", override_frozen, METH_O, "Accepted and ignored."),
    METHOD("_fix_co_filename", fix_co_filename, METH_FASTCALL, "Changes the file name of a code object just loaded, and of the code in it."),
    METHOD("source_hash", source_hash, METH_VARARGS | METH_KEYWORDS, "The hash of a source that checked bytecode files carry."),
    {NULL, NULL, 0, NULL},
};

static int exec(PyObject *module)
{
    const char *mode = runtime_interp.import_state != NULL ? runtime_interp.import_state : "default";
    return PyModule_AddStringConstant(module, "check_hash_based_pycs", mode);
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, exec},
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_imp",
    .m_doc = PyDoc_STR("What importlib needs from the interpreter."),
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__imp(void) { return PyModuleDef_Init(&definition); }
