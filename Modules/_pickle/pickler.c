/* Picklers: saving any value, and the type. */
#include "pickle_internal.h"

/* ---- The memo ---- */

int save_from_memo(pickler_t *p, Py_ssize_t index)
{
    char text[32];
    if (!pickler_is_binary(p)) {
        int n = snprintf(text, sizeof(text), "%c%zd\n", OP_GET, index);
        return out_write(p, text, n);
    }
    if (index > 0xffffffffLL) {
        PyErr_SetString(pickle_state.pickling_error, "memo id too large for LONG_BINGET");
        return -1;
    }
    return index < 256 ? out_op_number(p, OP_BINGET, (uint64_t)index, 1) : out_op_number(p, OP_LONG_BINGET, (uint64_t)index, 4);
}

int save_memoize(pickler_t *p, PyObject *op)
{
    char text[32];
    if (pickler_is_fast(p))
        return 0;
    size_t index = p->memo.used;
    if (memo_add(&p->memo, op, (Py_ssize_t)index) < 0)
        return -1;
    if (p->protocol >= 4)
        return out_op(p, OP_MEMOIZE);
    if (!pickler_is_binary(p)) {
        int n = snprintf(text, sizeof(text), "%c%zu\n", OP_PUT, index);
        return out_write(p, text, n);
    }
    if (index > 0xffffffffULL) {
        PyErr_SetString(pickle_state.pickling_error, "memo id too large for LONG_BINPUT");
        return -1;
    }
    return index < 256 ? out_op_number(p, OP_BINPUT, index, 1) : out_op_number(p, OP_LONG_BINPUT, index, 4);
}

/* ---- Values ---- */

/* 'P' and a line, or the id and BINPERSID. */
static int save_persistent_id(pickler_t *p, PyObject *id)
{
    if (pickler_is_binary(p))
        return save_value(p, id, 1) < 0 ? -1 : out_op(p, OP_BINPERSID);
    PyObject *text = PyObject_Str(id);
    if (text == NULL)
        return -1;
    int failed = -1;
    if (!PyUnicode_IS_ASCII(text))
        PyErr_SetString(pickle_state.pickling_error, "persistent IDs in protocol 0 must be ASCII strings");
    else if (out_op(p, OP_PERSID) == 0 && out_write(p, PyUnicode_1BYTE_DATA(text), PyUnicode_GET_LENGTH(text)) == 0)
        failed = out_write(p, "\n", 1);
    Py_DECREF(text);
    return failed;
}

/* Does the program have an id for op? 1 and saved, 0, -1. */
static int try_persistent_id(pickler_t *p, PyObject *op)
{
    PyObject *id = hook_call(&p->persistent_id, (PyObject *)p, op);
    if (id == NULL)
        return -1;
    int result = id == Py_None ? 0 : save_persistent_id(p, id) < 0 ? -1 : 1;
    Py_DECREF(id);
    return result;
}

static int save_compound(pickler_t *p, PyObject *op, PyTypeObject *type)
{
    if (type == &PyDict_Type)
        return save_dict(p, op);
    if (type == &PyList_Type)
        return save_list(p, op);
    if (type == &PyTuple_Type)
        return save_tuple(p, op);
    if (type == &PySet_Type)
        return save_set(p, op);
    if (type == &PyFrozenSet_Type)
        return save_frozenset(p, op);
    if (type == &PyByteArray_Type)
        return save_bytearray(p, op);
    if (type == &PyPickleBuffer_Type)
        return save_buffer(p, op);
    return save_by_methods(p, op);
}

int save_value(pickler_t *p, PyObject *op, int persistent)
{
    PyTypeObject *type = Py_TYPE(op);
    if (out_boundary(p) < 0)
        return -1;
    if (!persistent && p->persistent_id.function != NULL) {
        int done = try_persistent_id(p, op);
        if (done != 0)
            return done < 0 ? -1 : 0;
    }
    if (op == Py_None)
        return save_none(p);
    if (type == &PyLong_Type)
        return save_int(p, op);
    if (type == &PyFloat_Type)
        return save_float(p, op);
    if (type == &PyBool_Type)
        return save_bool(p, op);
    Py_ssize_t index = memo_find(&p->memo, op);
    if (index >= 0)
        return save_from_memo(p, index);
    if (type == &PyUnicode_Type)
        return save_str(p, op);
    if (Py_EnterRecursiveCall(" while pickling an object"))
        return -1;
    int result = type == &PyBytes_Type ? save_bytes(p, op) : save_compound(p, op, type);
    Py_LeaveRecursiveCall();
    return result;
}

int save(pickler_t *p, PyObject *op)
{
    return save_value(p, op, 0);
}

/* ---- A run ---- */

static void forget_run(pickler_t *p)
{
    PyObject *override = p->reducer_override, *in_work = p->in_work;
    p->reducer_override = p->in_work = NULL;
    p->framing = p->busy = 0;
    Py_XDECREF(override);
    Py_XDECREF(in_work);
}

static int save_all(pickler_t *p, PyObject *op)
{
    if (p->protocol >= 2 && out_op_number(p, OP_PROTO, (uint64_t)p->protocol, 1) < 0)
        return -1;
    p->framing = p->protocol >= 4;
    if (save(p, op) < 0 || out_op(p, OP_STOP) < 0)
        return -1;
    return out_commit_frame(p);
}

static int refuse_busy(const char *what)
{
    PyErr_Format(PyExc_RuntimeError, "%s object is already used", what);
    return -1;
}

int pickler_run(pickler_t *p, PyObject *op)
{
    if (p->busy)
        return refuse_busy("Pickler");
    if (!p->initialized) {
        PyErr_Format(pickle_state.pickling_error, "Pickler.__init__() was not called by %s.__init__()", Py_TYPE(p)->tp_name);
        return -1;
    }
    p->busy = 1;
    p->out_length = 0;
    p->frame_start = -1;
    p->nesting = 0;
    int failed = PyObject_GetOptionalAttrString((PyObject *)p, "reducer_override", &p->reducer_override) < 0 || save_all(p, op) < 0
                 || (p->write != NULL && out_flush(p) < 0);
    forget_run(p);
    return failed ? -1 : 0;
}

/* The protocol that an argument (or NULL) asks for, or -1. */
static int get_protocol(PyObject *arg)
{
    if (arg == NULL || arg == Py_None)
        return DEFAULT_PROTOCOL;
    long protocol = PyLong_AsLong(arg);
    if (protocol == -1 && PyErr_Occurred())
        return -1;
    if (protocol < 0)
        return HIGHEST_PROTOCOL;
    if (protocol > HIGHEST_PROTOCOL) {
        PyErr_Format(PyExc_ValueError, "pickle protocol must be <= %d", HIGHEST_PROTOCOL);
        return -1;
    }
    return (int)protocol;
}

int pickler_setup(pickler_t *p, PyObject *file, PyObject *protocol, int fix_imports, PyObject *buffer_callback)
{
    PyObject *write = NULL, *old_write = NULL, *old_callback = NULL;
    int failed = 0;
    int number = get_protocol(protocol);
    if (number < 0)
        return -1;
    if (buffer_callback == Py_None)
        buffer_callback = NULL;
    if (buffer_callback != NULL && number < 5) {
        PyErr_SetString(PyExc_ValueError, "buffer_callback needs protocol >= 5");
        return -1;
    }
    if (file != NULL) {
        if (PyObject_GetOptionalAttrString(file, "write", &write) < 0)
            return -1;
        if (write == NULL) {
            PyErr_SetString(PyExc_TypeError, "file must have a 'write' attribute");
            return -1;
        }
    }
    /* Nothing is called between the look at `busy` and the end of the exchange. */
    Py_BEGIN_CRITICAL_SECTION(p);
    if (p->busy) {
        failed = refuse_busy("Pickler");
        old_write = write;
    }
    else {
        p->protocol = number;
        __atomic_store_n(&p->bin, number > 0, __ATOMIC_RELAXED);
        p->fix_imports = fix_imports && number < 3;
        __atomic_store_n(&p->fast, 0, __ATOMIC_RELAXED);
        old_write = p->write;
        p->write = write;
        old_callback = p->buffer_callback;
        p->buffer_callback = Py_XNewRef(buffer_callback);
        p->initialized = 1;
        memo_clear(&p->memo);
    }
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(old_write);
    Py_XDECREF(old_callback);
    return failed;
}

/* ---- The type ---- */

static int init_hooks(pickler_t *p)
{
    PyObject *name = PyUnicode_InternFromString("persistent_id"), *table = NULL, *old;
    hook_t hook = {NULL, 0};
    if (name == NULL)
        return -1;
    int failed = hook_find(&hook, (PyObject *)p, name) < 0
                 || PyObject_GetOptionalAttrString((PyObject *)p, "dispatch_table", &table) < 0;
    Py_DECREF(name);
    if (!failed) {
        Py_BEGIN_CRITICAL_SECTION(p);
        if (p->busy)
            failed = refuse_busy("Pickler") < 0;
        else {
            hook_swap(&p->persistent_id, &hook);
            old = p->dispatch_table;
            p->dispatch_table = table;
            table = old;
        }
        Py_END_CRITICAL_SECTION();
    }
    Py_XDECREF(hook.function);
    Py_XDECREF(table);
    return failed ? -1 : 0;
}

static int pickler_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"file", "protocol", "fix_imports", "buffer_callback", NULL};
    PyObject *file, *protocol = NULL, *callback = NULL;
    int fix_imports = 1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|OpO:Pickler", keywords, &file, &protocol, &fix_imports, &callback))
        return -1;
    return pickler_setup((pickler_t *)op, file, protocol, fix_imports, callback) < 0 ? -1 : init_hooks((pickler_t *)op);
}

static PyObject *pickler_dump(PyObject *op, PyObject *value)
{
    int failed;
    Py_BEGIN_CRITICAL_SECTION(op);
    failed = pickler_run((pickler_t *)op, value);
    Py_END_CRITICAL_SECTION();
    if (failed)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *pickler_clear_memo(PyObject *op, PyObject *unused)
{
    Py_BEGIN_CRITICAL_SECTION(op);
    memo_clear(&((pickler_t *)op)->memo);
    Py_END_CRITICAL_SECTION();
    Py_RETURN_NONE;
}

static PyObject *pickler_sizeof(PyObject *op, PyObject *unused)
{
    pickler_t *p = (pickler_t *)op;
    Py_ssize_t size;
    Py_BEGIN_CRITICAL_SECTION(op);
    size = Py_TYPE(op)->tp_basicsize + (Py_ssize_t)(p->memo.size * sizeof(*p->memo.table)) + p->out_size;
    Py_END_CRITICAL_SECTION();
    return PyLong_FromSsize_t(size);
}

static int pickler_traverse(PyObject *op, visitproc visit, void *arg)
{
    pickler_t *p = (pickler_t *)op;
    for (size_t i = 0; i < p->memo.size; i++)
        Py_VISIT(p->memo.table[i].key);
    Py_VISIT(p->persistent_id.function);
    Py_VISIT(p->dispatch_table);
    Py_VISIT(p->write);
    Py_VISIT(p->buffer_callback);
    Py_VISIT(p->reducer_override);
    Py_VISIT(p->in_work);
    return 0;
}

static int pickler_clear(PyObject *op)
{
    pickler_t *p = (pickler_t *)op;
    memo_clear(&p->memo);
    Py_CLEAR(p->persistent_id.function);
    Py_CLEAR(p->dispatch_table);
    Py_CLEAR(p->write);
    Py_CLEAR(p->buffer_callback);
    Py_CLEAR(p->reducer_override);
    Py_CLEAR(p->in_work);
    return 0;
}

static void pickler_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    pickler_clear(op);
    PyMem_Free(((pickler_t *)op)->out);
    Py_TYPE(op)->tp_free(op);
}

/* ---- The attribute memo ---- */

/* dict: id -> (index, object) */
static PyObject *copy_memo(pickler_t *p)
{
    PyObject *dict = PyDict_New();
    for (size_t i = 0; dict != NULL && i < p->memo.size; i++) {
        PyObject *key = p->memo.table[i].key, *id, *value;
        if (key == NULL)
            continue;
        id = PyLong_FromVoidPtr(key);
        value = Py_BuildValue("(nO)", p->memo.table[i].index, key);
        if (id == NULL || value == NULL || PyDict_SetItem(dict, id, value) < 0)
            Py_CLEAR(dict);
        Py_XDECREF(id);
        Py_XDECREF(value);
    }
    return dict;
}

static PyObject *memo_clear_of(PyObject *op) { return pickler_clear_memo(op, NULL); }

static PyObject *memo_copy_of(PyObject *op)
{
    PyObject *result;
    Py_BEGIN_CRITICAL_SECTION(op);
    result = copy_memo((pickler_t *)op);
    Py_END_CRITICAL_SECTION();
    return result;
}

static const memo_proxy_kind memo_kind = {memo_clear_of, memo_copy_of};

static PyObject *get_memo(PyObject *op, void *unused) { return memo_proxy_new(&pickler_memo_type, &memo_kind, op); }

/* Fills a new memo from the values of a dict that nobody else has. */
static int fill_memo(memo_t *memo, PyObject *dict)
{
    Py_ssize_t position = 0;
    PyObject *key, *value;
    while (PyDict_Next(dict, &position, &key, &value)) {
        if (!PyTuple_Check(value) || PyTuple_GET_SIZE(value) != 2) {
            PyErr_SetString(PyExc_TypeError, "'memo' values must be 2-item tuples");
            return -1;
        }
        if (!PyLong_Check(PyTuple_GET_ITEM(value, 0))) {
            PyErr_SetString(PyExc_TypeError, "an integer is required");
            return -1;
        }
        Py_ssize_t index = PyLong_AsSsize_t(PyTuple_GET_ITEM(value, 0));
        if ((index == -1 && PyErr_Occurred()) || memo_add(memo, PyTuple_GET_ITEM(value, 1), index) < 0)
            return -1;
    }
    return 0;
}

static int set_memo(PyObject *op, PyObject *value, void *unused)
{
    PyObject *dict = memo_proxy_contents(&pickler_memo_type, value);
    memo_t memo = {NULL, 0, 0}, old;
    if (dict == NULL)
        return -1;
    int failed = fill_memo(&memo, dict);
    Py_DECREF(dict);
    if (!failed) {
        Py_BEGIN_CRITICAL_SECTION(op);
        old = ((pickler_t *)op)->memo;
        ((pickler_t *)op)->memo = memo;
        Py_END_CRITICAL_SECTION();
        memo = old;
    }
    memo_clear(&memo);
    return failed;
}

static PyObject *get_persistent_id(PyObject *op, void *unused)
{
    return hook_get(&((pickler_t *)op)->persistent_id, op, "persistent_id");
}

static int set_persistent_id(PyObject *op, PyObject *value, void *unused)
{
    int failed;
    Py_BEGIN_CRITICAL_SECTION(op);
    failed = hook_set(&((pickler_t *)op)->persistent_id, value, "persistent_id");
    Py_END_CRITICAL_SECTION();
    return failed;
}

static PyMethodDef pickler_methods[] = {
    {"dump", pickler_dump, METH_O, "dump($self, obj, /)\n--\n\nWrites the pickle of obj to the file."},
    {"clear_memo", pickler_clear_memo, METH_NOARGS,
     "clear_memo($self, /)\n--\n\nForgets which objects have been written, so that they are written again."},
    {"__sizeof__", pickler_sizeof, METH_NOARGS, "__sizeof__($self, /)\n--\n\nReturn the memory used, in bytes."},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef pickler_members[] = {
    {"bin", T_INT, offsetof(pickler_t, bin), 0, "Is the format binary?"},
    {"fast", T_INT, offsetof(pickler_t, fast), 0, "Is there no memo?"},
    {"dispatch_table", T_OBJECT_EX, offsetof(pickler_t, dispatch_table), 0, "Used instead of copyreg.dispatch_table."},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef pickler_getset[] = {
    {"memo", get_memo, set_memo, "The objects written so far.", NULL},
    {"persistent_id", get_persistent_id, set_persistent_id, "Called with each object: returns an id for it, or None.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyTypeObject pickler_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_pickle.Pickler",
    .tp_basicsize = sizeof(pickler_t),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "Pickler(file, protocol=None, fix_imports=True, buffer_callback=None)\n--\n\n"
              "Writes pickles to a file. protocol: 0 to 5, negative: the newest one. fix_imports: protocols below 3 use the module\n"
              "names of Python 2. buffer_callback: called with each PickleBuffer; if it returns something false, the buffer is\n"
              "left out of the pickle.",
    .tp_methods = pickler_methods,
    .tp_members = pickler_members,
    .tp_getset = pickler_getset,
    .tp_init = pickler_init,
    .tp_new = PyType_GenericNew,
    .tp_traverse = pickler_traverse,
    .tp_clear = pickler_clear,
    .tp_dealloc = pickler_dealloc,
};
