/* The module _imp: what importlib needs from the interpreter. */
#include "importer.h"
#include "code_object.h"
#include "stable_buffer.h"
#include "stop_world.h"
#include "thread_state.h"

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

/* Not .abi3.so: the stable ABI lets extensions count references inline, as CPython's objects have them. */
static PyObject *extension_suffixes(PyObject *module, PyObject *unused)
{
    return Py_BuildValue("[ss]", IMPORT_EXTENSION_SUFFIX, ".so");
}

/* NULL with an exception. A name that cannot be encoded is that of no module of ours: "". */
static const char *name_argument(PyObject *arg, const char *function)
{
    if (!PyUnicode_Check(arg)) {
        _PyArg_BadArgument(function, "argument", "str", arg);
        return NULL;
    }
    const char *name = PyUnicode_AsUTF8(arg);
    if (name == NULL && PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
        PyErr_Clear();
        name = "";
    }
    return name;
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

/* ---- Frozen modules ---- */

/* What is known of the module; the name must be a str. FROZEN_INVALID with an exception set: it is not. */
static frozen_status_t find(PyObject *name, const char *function, frozen_module_t *m)
{
    const char *text = name_argument(name, function);
    return text != NULL ? import_frozen_find(text, m) : FROZEN_INVALID;
}

static PyObject *init_frozen(PyObject *module, PyObject *name)
{
    if (name_argument(name, "init_frozen") == NULL)
        return NULL;
    int status = PyImport_ImportFrozenModuleObject(name);
    if (status <= 0)
        return status < 0 ? NULL : Py_NewRef(Py_None);
    return PyImport_GetModule(name);
}

static PyObject *get_frozen_object(PyObject *module, PyObject *args)
{
    PyObject *name, *data = Py_None, *code;
    frozen_module_t m;
    if (!PyArg_ParseTuple(args, "U|O:get_frozen_object", &name, &data))
        return NULL;
    if (data != Py_None) {
        Py_buffer view;
        if (!PyObject_CheckBuffer(data)) {
            _PyArg_BadArgument("get_frozen_object", "argument 2", "bytes", data);
            return NULL;
        }
        if (stable_buffer_get(data, &view) < 0)
            return NULL;
        code = view.len > 0 ? import_frozen_code(name, view.buf, view.len) : import_frozen_error(FROZEN_INVALID, name);
        PyBuffer_Release(&view);
        return code;
    }
    frozen_status_t status = find(name, "get_frozen_object", &m);
    if (status != FROZEN_OKAY)
        return PyErr_Occurred() ? NULL : import_frozen_error(status, name);
    return import_frozen_load(&m, name);
}

static PyObject *find_frozen(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"", "withdata", NULL};
    PyObject *name, *data = NULL, *bytes;
    int with_data = 0;
    frozen_module_t m;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "U|$p:find_frozen", keywords, &name, &with_data))
        return NULL;
    frozen_status_t status = find(name, "find_frozen", &m);
    if (status != FROZEN_OKAY) {
        if (status == FROZEN_INVALID)
            return PyErr_Occurred() ? NULL : import_frozen_error(status, name);
        Py_RETURN_NONE;
    }
    if (with_data) {
        if ((bytes = import_frozen_data(&m)) == NULL)
            return NULL;
        data = PyMemoryView_FromObject(bytes);
        Py_DECREF(bytes);
        if (data == NULL)
            return NULL;
    }
    PyObject *result = Py_BuildValue("(OOz)", data != NULL ? data : Py_None, m.is_package ? Py_True : Py_False, m.origname);
    Py_XDECREF(data);
    return result;
}

static PyObject *is_frozen(PyObject *module, PyObject *name)
{
    frozen_module_t m;
    int found = find(name, "is_frozen", &m) == FROZEN_OKAY;
    return PyErr_Occurred() ? NULL : PyBool_FromLong(found);
}

static PyObject *is_frozen_package(PyObject *module, PyObject *name)
{
    frozen_module_t m;
    frozen_status_t status = find(name, "is_frozen_package", &m);
    if (status != FROZEN_OKAY && status != FROZEN_EXCLUDED)
        return PyErr_Occurred() ? NULL : import_frozen_error(status, name);
    return PyBool_FromLong(m.is_package);
}

static PyObject *frozen_module_names(PyObject *module, PyObject *unused) { return import_frozen_names(); }

static PyObject *override_frozen(PyObject *module, PyObject *arg)
{
    int value = _PyLong_AsInt(arg);
    if (value == -1 && PyErr_Occurred())
        return NULL;
    import_frozen_override(value);
    Py_RETURN_NONE;
}

/* ---- Code ---- */

/* The names are changed in a pause. Others may have borrowed the old one, so that the code keeps it. */
static int fix_filename(PyCodeObject *code, PyObject *old, PyObject *new)
{
    if (PyUnicode_Compare(code->co_filename, old) != 0)
        return 0;
    PyObject *before = PyTuple_New(2);
    if (before == NULL)
        return -1;
    PyThreadState *ts = thread_current();
    stop_world_begin(ts);
    PyTuple_SET_ITEM(before, 0, code->co_filename);
    PyTuple_SET_ITEM(before, 1, code->co_filenames_before != NULL ? code->co_filenames_before : Py_None);
    code->co_filenames_before = before;
    code->co_filename = Py_NewRef(new);
    stop_world_end(ts);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(code->co_consts); i++) {
        PyObject *constant = PyTuple_GET_ITEM(code->co_consts, i);
        if (PyCode_Check(constant) && fix_filename((PyCodeObject *)constant, old, new) < 0)
            return -1;
    }
    return 0;
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
        int status = fix_filename(code, old, args[1]);
        Py_DECREF(old);
        if (status < 0)
            return NULL;
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
    METHOD("init_frozen", init_frozen, METH_O, "Imports a frozen module; None if there is none."),
    METHOD("get_frozen_object", get_frozen_object, METH_VARARGS, "The code of a frozen module, or in marshalled data."),
    METHOD("find_frozen", find_frozen, METH_VARARGS | METH_KEYWORDS, "(marshalled data or None, is it a package, original name) of a frozen module, or None."),
    METHOD("is_frozen", is_frozen, METH_O, "Is there a frozen module of that name?"),
    METHOD("is_frozen_package", is_frozen_package, METH_O, "Is the frozen module a package?"),
    METHOD("_frozen_module_names", frozen_module_names, METH_NOARGS, "The names of frozen modules."),
    METHOD("_override_frozen_modules_for_tests", override_frozen, METH_O, "1: frozen modules are on, -1: off, 0: as the command line says."),
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
