/* Unpicklers: the loop over the opcodes, and the type. */
#include "pickle_internal.h"

/* ---- A run ---- */

static const struct {
    int (*load)(unpickler_t *u, int argument);
    int argument;
} loaders[256] = {
#define OPCODE(name, byte, function, argument_) [(unsigned char)(byte)] = {.load = (function), .argument = (argument_)},
#include "opcodes.def"
#undef OPCODE
};

static int invalid_opcode(unsigned char c)
{
    if (c >= 0x20 && c <= 0x7e && c != '\'' && c != '\\')
        PyErr_Format(pickle_state.unpickling_error, "invalid load key, '%c'.", c);
    else
        PyErr_Format(pickle_state.unpickling_error, "invalid load key, '\\x%02x'.", c);
    return -1;
}

static int next_opcode(unpickler_t *u)
{
    const char *data;
    if (Py_LIKELY(u->in_position < u->in_length))
        return (unsigned char)u->in[u->in_position++];
    if (in_read(u, 1, &data) == 0)
        return (unsigned char)*data;
    if (PyErr_ExceptionMatches(pickle_state.unpickling_error))
        PyErr_SetString(PyExc_EOFError, "Ran out of input");
    return -1;
}

static PyObject *run_loop(unpickler_t *u)
{
    for (;;) {
        int c = next_opcode(u);
        if (c < 0)
            return NULL;
        if (c == OP_STOP)
            break;
        if (loaders[c].load == NULL) {
            invalid_opcode((unsigned char)c);
            return NULL;
        }
        if (loaders[c].load(u, loaders[c].argument) < 0)
            return NULL;
    }
    return in_finish(u) < 0 ? NULL : stack_pop(u);
}

static int refuse_busy(void)
{
    PyErr_SetString(PyExc_RuntimeError, "Unpickler object is already used");
    return -1;
}

PyObject *unpickler_run(unpickler_t *u)
{
    PyObject *result;
    if (u->busy) {
        refuse_busy();
        return NULL;
    }
    if (!u->initialized) {
        PyErr_Format(pickle_state.unpickling_error, "Unpickler.__init__() was not called by %s.__init__()", Py_TYPE(u)->tp_name);
        return NULL;
    }
    u->busy = 1;
    u->protocol = 0;
    result = run_loop(u);
    stack_clear(u);
    in_clear(u);
    u->busy = 0;
    return result;
}

/* What __init__ gives an unpickler. */
typedef struct {
    PyObject *peek, *readinto, *read, *readline, *buffers, *encoding, *errors;
} source_t;

static int source_find_methods(source_t *source, PyObject *file)
{
    if (PyObject_GetOptionalAttrString(file, "peek", &source->peek) < 0
        || PyObject_GetOptionalAttrString(file, "readinto", &source->readinto) < 0
        || PyObject_GetOptionalAttrString(file, "read", &source->read) < 0
        || PyObject_GetOptionalAttrString(file, "readline", &source->readline) < 0)
        return -1;
    if (source->read != NULL && source->readline != NULL)
        return 0;
    PyErr_SetString(PyExc_TypeError, "file must have 'read' and 'readline' attributes");
    return -1;
}

/* What is there after a failure is to be dropped. */
static int source_make(source_t *source, PyObject *file, PyObject *encoding, PyObject *errors, PyObject *buffers)
{
    *source = (source_t){NULL};
    if (file != NULL && source_find_methods(source, file) < 0)
        return -1;
    source->encoding = encoding == NULL ? PyUnicode_FromString("ASCII") : Py_NewRef(encoding);
    source->errors = errors == NULL ? PyUnicode_FromString("strict") : Py_NewRef(errors);
    if (buffers != NULL && buffers != Py_None && (source->buffers = PyObject_GetIter(buffers)) == NULL)
        return -1;
    return source->encoding != NULL && source->errors != NULL ? 0 : -1;
}

static void swap(PyObject **a, PyObject **b)
{
    PyObject *value = *a;
    *a = *b;
    *b = value;
}

static void source_exchange_locked(unpickler_t *u, source_t *source)
{
    swap(&u->peek, &source->peek);
    swap(&u->readinto, &source->readinto);
    swap(&u->read, &source->read);
    swap(&u->readline, &source->readline);
    swap(&u->buffers, &source->buffers);
    swap(&u->encoding, &source->encoding);
    swap(&u->errors, &source->errors);
}

static void source_drop(source_t *source)
{
    Py_XDECREF(source->peek);
    Py_XDECREF(source->readinto);
    Py_XDECREF(source->read);
    Py_XDECREF(source->readline);
    Py_XDECREF(source->buffers);
    Py_XDECREF(source->encoding);
    Py_XDECREF(source->errors);
}

int unpickler_setup(unpickler_t *u, PyObject *file, int fix_imports, PyObject *encoding, PyObject *errors, PyObject *buffers)
{
    source_t source;
    int failed = source_make(&source, file, encoding, errors, buffers);
    if (failed == 0) {
        /* Nothing is called between the look at `busy` and the end of the exchange. */
        Py_BEGIN_CRITICAL_SECTION(u);
        if (u->busy)
            failed = refuse_busy();
        else {
            source_exchange_locked(u, &source);
            u->fix_imports = fix_imports;
            u->initialized = 1;
            load_memo_clear(u);
        }
        Py_END_CRITICAL_SECTION();
    }
    source_drop(&source);
    return failed;
}

/* ---- find_class ---- */

/* Replaces names of Python 2. 0 or -1. */
static int fix_names(PyObject **module, PyObject **name)
{
    PyObject *key = PyTuple_Pack(2, *module, *name), *value;
    if (key == NULL)
        return -1;
    int found = PyDict_GetItemRef(pickle_state.name_mapping, key, &value);
    Py_DECREF(key);
    if (found < 0)
        return -1;
    if (found) {
        if (!PyTuple_Check(value) || PyTuple_GET_SIZE(value) != 2 || !PyUnicode_Check(PyTuple_GET_ITEM(value, 0))
            || !PyUnicode_Check(PyTuple_GET_ITEM(value, 1))) {
            PyErr_Format(PyExc_RuntimeError, "_compat_pickle.NAME_MAPPING values should be pairs of str, not %.200s",
                         Py_TYPE(value)->tp_name);
            Py_DECREF(value);
            return -1;
        }
        Py_SETREF(*module, Py_NewRef(PyTuple_GET_ITEM(value, 0)));
        Py_SETREF(*name, Py_NewRef(PyTuple_GET_ITEM(value, 1)));
        Py_DECREF(value);
        return 0;
    }
    found = PyDict_GetItemRef(pickle_state.import_mapping, *module, &value);
    if (found <= 0)
        return found;
    if (!PyUnicode_Check(value)) {
        PyErr_Format(PyExc_RuntimeError, "_compat_pickle.IMPORT_MAPPING values should be strings, not %.200s",
                     Py_TYPE(value)->tp_name);
        Py_DECREF(value);
        return -1;
    }
    Py_SETREF(*module, value);
    return 0;
}

/* The attribute of a module; dotted: along a dotted name. */
static PyObject *get_attribute(PyObject *module, PyObject *name, int dotted)
{
    PyObject *result = NULL;
    if (dotted) {
        PyObject *path = pickle_split_name(module, name);
        if (path == NULL)
            return NULL;
        result = pickle_get_deep(module, path, NULL);
        Py_DECREF(path);
    }
    else
        result = PyObject_GetAttr(module, name);
    if (result == NULL && PyErr_ExceptionMatches(PyExc_AttributeError))
        PyErr_Format(PyExc_AttributeError, "Can't get attribute %R on %R", name, module);
    return result;
}

PyObject *unpickler_find_class(unpickler_t *u, PyObject *module_name, PyObject *name)
{
    PyObject *module = NULL, *result = NULL;
    if (PySys_Audit("pickle.find_class", "OO", module_name, name) < 0)
        return NULL;
    Py_INCREF(module_name);
    Py_INCREF(name);
    if (u->protocol >= 3 || !u->fix_imports || fix_names(&module_name, &name) == 0)
        module = pickle_import(module_name);
    if (module != NULL) {
        result = get_attribute(module, name, u->protocol >= 4);
        Py_DECREF(module);
    }
    Py_DECREF(module_name);
    Py_DECREF(name);
    return result;
}

/* ---- The type ---- */

static int unpickler_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"file", "fix_imports", "encoding", "errors", "buffers", NULL};
    unpickler_t *u = (unpickler_t *)op;
    hook_t hook = {NULL, 0};
    PyObject *file, *encoding = NULL, *errors = NULL, *buffers = NULL, *name;
    int fix_imports = 1, failed;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$pUUO:Unpickler", keywords, &file, &fix_imports, &encoding, &errors,
                                     &buffers))
        return -1;
    name = PyUnicode_InternFromString("persistent_load");
    if (name == NULL)
        return -1;
    failed = unpickler_setup(u, file, fix_imports, encoding, errors, buffers) < 0 || hook_find(&hook, op, name) < 0;
    Py_DECREF(name);
    if (failed)
        return -1;
    Py_BEGIN_CRITICAL_SECTION(op);
    if (u->busy)
        failed = refuse_busy();
    else
        hook_swap(&u->persistent_load, &hook);
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(hook.function);
    return failed;
}

static PyObject *unpickler_load(PyObject *op, PyObject *unused)
{
    PyObject *result;
    Py_BEGIN_CRITICAL_SECTION(op);
    result = unpickler_run((unpickler_t *)op);
    Py_END_CRITICAL_SECTION();
    return result;
}

static PyObject *find_class_method(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("find_class", nargs, 2, 2))
        return NULL;
    if (!PyUnicode_Check(args[0])) {
        PyErr_SetString(PyExc_TypeError, "module name must be a string");
        return NULL;
    }
    return unpickler_find_class((unpickler_t *)op, args[0], args[1]);
}

static PyObject *unpickler_sizeof(PyObject *op, PyObject *unused)
{
    unpickler_t *u = (unpickler_t *)op;
    Py_ssize_t size = Py_TYPE(op)->tp_basicsize;
    Py_BEGIN_CRITICAL_SECTION(op);
    size += (Py_ssize_t)(u->memo_size * sizeof(PyObject *)) + u->stack_size * (Py_ssize_t)sizeof(PyObject *)
            + u->mark_size * (Py_ssize_t)sizeof(Py_ssize_t) + u->line_size;
    Py_END_CRITICAL_SECTION();
    return PyLong_FromSsize_t(size);
}

static int unpickler_traverse(PyObject *op, visitproc visit, void *arg)
{
    unpickler_t *u = (unpickler_t *)op;
    for (size_t i = 0; i < u->memo_size; i++)
        Py_VISIT(u->memo[i]);
    for (Py_ssize_t i = 0; i < u->depth; i++)
        Py_VISIT(u->stack[i]);
    Py_VISIT(u->far_memo);
    Py_VISIT(u->persistent_load.function);
    Py_VISIT(u->peek);
    Py_VISIT(u->readinto);
    Py_VISIT(u->read);
    Py_VISIT(u->readline);
    Py_VISIT(u->buffers);
    Py_VISIT(u->view.obj);
    return 0;
}

static int unpickler_clear(PyObject *op)
{
    unpickler_t *u = (unpickler_t *)op;
    load_memo_clear(u);
    stack_clear(u);
    in_clear(u);
    Py_CLEAR(u->persistent_load.function);
    Py_CLEAR(u->peek);
    Py_CLEAR(u->readinto);
    Py_CLEAR(u->read);
    Py_CLEAR(u->readline);
    Py_CLEAR(u->buffers);
    Py_CLEAR(u->encoding);
    Py_CLEAR(u->errors);
    u->initialized = 0;
    return 0;
}

static void unpickler_dealloc(PyObject *op)
{
    unpickler_t *u = (unpickler_t *)op;
    PyObject_GC_UnTrack(op);
    unpickler_clear(op);
    PyMem_Free(u->stack);
    PyMem_Free(u->marks);
    PyMem_Free(u->line);
    Py_TYPE(op)->tp_free(op);
}

/* ---- The attribute memo ---- */

static PyObject *memo_clear_of(PyObject *op)
{
    Py_BEGIN_CRITICAL_SECTION(op);
    load_memo_clear((unpickler_t *)op);
    Py_END_CRITICAL_SECTION();
    Py_RETURN_NONE;
}

static PyObject *memo_copy_of(PyObject *op)
{
    PyObject *result;
    Py_BEGIN_CRITICAL_SECTION(op);
    result = load_memo_copy((unpickler_t *)op);
    Py_END_CRITICAL_SECTION();
    return result;
}

static const memo_proxy_kind memo_kind = {memo_clear_of, memo_copy_of};

static PyObject *get_memo(PyObject *op, void *unused) { return memo_proxy_new(&unpickler_memo_type, &memo_kind, op); }

/* Replaces the memo by the entries of a dict that nobody else has. */
static int fill_memo(unpickler_t *u, PyObject *dict)
{
    Py_ssize_t position = 0;
    PyObject *key, *value;
    while (PyDict_Next(dict, &position, &key, &value)) {
        if (!PyLong_Check(key)) {
            PyErr_SetString(PyExc_TypeError, "memo key must be integers");
            return -1;
        }
        Py_ssize_t index = PyLong_AsSsize_t(key);
        if (index == -1 && PyErr_Occurred())
            return -1;
        if (index < 0) {
            PyErr_SetString(PyExc_ValueError, "memo key must be positive integers.");
            return -1;
        }
    }
    load_memo_clear(u);
    position = 0;
    while (PyDict_Next(dict, &position, &key, &value))
        if (load_memo_put(u, (size_t)PyLong_AsSsize_t(key), value) < 0)
            return -1;
    return 0;
}

static int set_memo(PyObject *op, PyObject *value, void *unused)
{
    PyObject *dict = memo_proxy_contents(&unpickler_memo_type, value);
    int failed;
    if (dict == NULL)
        return -1;
    Py_BEGIN_CRITICAL_SECTION(op);
    failed = fill_memo((unpickler_t *)op, dict);
    Py_END_CRITICAL_SECTION();
    Py_DECREF(dict);
    return failed;
}

static PyObject *get_persistent_load(PyObject *op, void *unused)
{
    return hook_get(&((unpickler_t *)op)->persistent_load, op, "persistent_load");
}

static int set_persistent_load(PyObject *op, PyObject *value, void *unused)
{
    int failed;
    Py_BEGIN_CRITICAL_SECTION(op);
    failed = hook_set(&((unpickler_t *)op)->persistent_load, value, "persistent_load");
    Py_END_CRITICAL_SECTION();
    return failed;
}

static PyMethodDef unpickler_methods[] = {
    {"load", unpickler_load, METH_NOARGS, "load($self, /)\n--\n\nReads a pickle from the file and returns the object."},
    MODULE_METHOD("find_class", find_class_method, METH_FASTCALL,
                  "find_class($self, module_name, global_name, /)\n--\n\nThe object of that name in a module, which is imported.\n\n"
                  "Subclasses override it to restrict what pickles may refer to."),
    {"__sizeof__", unpickler_sizeof, METH_NOARGS, "__sizeof__($self, /)\n--\n\nReturn the memory used, in bytes."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef unpickler_getset[] = {
    {"memo", get_memo, set_memo, "The objects that the pickle may refer to by index.", NULL},
    {"persistent_load", get_persistent_load, set_persistent_load, "Called with each persistent id: returns the object.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyTypeObject unpickler_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_pickle.Unpickler",
    .tp_basicsize = sizeof(unpickler_t),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "Unpickler(file, *, fix_imports=True, encoding='ASCII', errors='strict',\n          buffers=())\n--\n\n"
              "Reads pickles from a file. fix_imports, encoding and errors are for pickles of Python 2: module names are mapped to\n"
              "those of today, str is decoded (encoding 'bytes': becomes bytes). buffers: the out-of-band buffers.",
    .tp_methods = unpickler_methods,
    .tp_getset = unpickler_getset,
    .tp_init = unpickler_init,
    .tp_new = PyType_GenericNew,
    .tp_traverse = unpickler_traverse,
    .tp_clear = unpickler_clear,
    .tp_dealloc = unpickler_dealloc,
};
