/* Callbacks: C code that calls a Python function, made by libffi.
 *
 * C may call from any thread: the thread attaches first (PyGILState_Ensure). A callback never changes after it was
 * made. What goes wrong in the Python function cannot reach the C caller: it is reported, and the result is 0. */
#include "ctypes.h"
#include <errno.h>

typedef struct {
    PyObject_HEAD
    ffi_closure *closure;
    void *code;                         /* the address for C */
    ffi_cif cif;
    PyObject *callable, *argtypes;
    PyObject *restype;                  /* or NULL: int */
    int flags;
    ffi_type *types[];                  /* of the arguments */
} callback;

#define SELF(op) ((callback *)(op))

/* ---- Being called ---- */

/* An argument as Python sees it, a new reference. */
static PyObject *argument(PyObject *type, const char *address)
{
    ctypes_info *info = ctypes_info_of_class(type);
    if (info != NULL && info->direct)
        return ctypes_code_get(&info->access, address);
    PyObject *op = info != NULL ? PyObject_CallNoArgs(type) : NULL;
    if (op != NULL && info->kind == KIND_ARRAY)         /* C passes its address */
        memcpy(&address, address, sizeof(char *));
    if (op != NULL && ctypes_is_data(op) && ctypes_size(op) >= info->size) {
        memcpy(ctypes_address(op), address, (size_t)info->size);
        return op;
    }
    Py_XDECREF(op);
    if (!PyErr_Occurred())
        PyErr_SetString(PyExc_TypeError, "cannot build parameter");
    return NULL;
}

static PyObject *call(callback *self, void **values)
{
    Py_ssize_t count = PyTuple_GET_SIZE(self->argtypes);
    PyObject *few[8], **args = few, *result = NULL;
    Py_ssize_t made = 0;
    if (count > (Py_ssize_t)Py_ARRAY_LENGTH(few) && (args = PyMem_New(PyObject *, (size_t)count)) == NULL)
        return PyErr_NoMemory();
    while (made < count && (args[made] = argument(PyTuple_GET_ITEM(self->argtypes, made), values[made])) != NULL)
        made++;
    if (made == count)
        result = PyObject_Vectorcall(self->callable, args, (size_t)count, NULL);
    while (made > 0)
        Py_DECREF(args[--made]);
    if (args != few)
        PyMem_Free(args);
    return result;
}

/* libffi wants small results widened to a register. */
static void widen(const ctypes_info *info, const char *value, void *memory)
{
    const ctypes_code *code = info->access.code;
    bool is_integer = ctypes_code_is_integer(code) || code->kind == CODE_CHAR || code->kind == CODE_WCHAR;
    if (!is_integer || code->size > sizeof(ffi_arg)) {
        memcpy(memory, value, (size_t)info->size);
        return;
    }
    uint64_t n = 0;
    unsigned shift = 64 - 8u * code->size;
    memcpy(PY_LITTLE_ENDIAN ? (char *)&n : (char *)&n + 8 - code->size, value, code->size);
    if (code->kind == CODE_SIGNED || code->kind == CODE_VARIANT_BOOL || code->kind == CODE_WCHAR)
        *(ffi_sarg *)memory = (ffi_sarg)((int64_t)(n << shift) >> shift);
    else
        *(ffi_arg *)memory = (ffi_arg)n;
}

/* Gives the result to C. 0, or -1 with an exception. */
static int store_result(callback *self, PyObject *result, void *memory)
{
    if (self->restype == Py_None)
        return 0;
    ctypes_access plain = {.code = ctypes_code_find('i')};
    ctypes_info integer = {.access = plain, .size = sizeof(int)};
    ctypes_info *info = self->restype != NULL ? ctypes_info_of_class(self->restype) : &integer;
    union ctypes_value value = {0};
    PyObject *keep = ctypes_code_set(&info->access, value.bytes, result);
    if (keep == NULL)
        return -1;
    widen(info, value.bytes, memory);
    /* A reference to an object goes to the caller. Anything else that has to live can only be left alive for ever. */
    if (keep == Py_None || info->access.code->kind == CODE_OBJECT)
        return 0;
    return PyErr_WarnEx(PyExc_RuntimeWarning, "memory leak in callback function.", 1);
}

static void run(ffi_cif *cif, void *memory, void **values, void *op)
{
    callback *self = op;
    if (self->flags & FUNCFLAG_USE_ERRNO)
        ctypes_swap_errno();
    int saved = errno;
    PyGILState_STATE state = PyGILState_Ensure();
    Py_INCREF(op);                      /* it may be dropped while it runs */
    if (cif->rtype != &ffi_type_void)
        memset(memory, 0, cif->rtype->size > sizeof(ffi_arg) ? cif->rtype->size : sizeof(ffi_arg));
    PyObject *result = call(self, values);
    if (result == NULL)
        _PyErr_WriteUnraisableMsg("on calling ctypes callback function", self->callable);
    else if (store_result(self, result, memory) < 0)
        _PyErr_WriteUnraisableMsg("on converting result of ctypes callback function", self->callable);
    Py_XDECREF(result);
    int flags = self->flags;
    Py_DECREF(op);
    PyGILState_Release(state);
    errno = saved;
    if (flags & FUNCFLAG_USE_ERRNO)
        ctypes_swap_errno();
}

/* ---- Making ---- */

void *ctypes_callback_code(PyObject *op) { return SELF(op)->code; }

/* How the result is passed: NULL with an exception if C cannot get it from a callback. */
static ffi_type *result_type(PyObject *restype)
{
    if (restype == NULL)
        return &ffi_type_sint;
    if (restype == Py_None)
        return &ffi_type_void;
    ctypes_info *info = ctypes_info_of_class(restype);
    if (info != NULL && info->kind == KIND_SIMPLE)
        return info->ffi;
    PyErr_SetString(PyExc_TypeError, "invalid result type for callback function");
    return NULL;
}

static int prepare(callback *self)
{
    Py_ssize_t count = PyTuple_GET_SIZE(self->argtypes);
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *type = PyTuple_GET_ITEM(self->argtypes, i);
        ctypes_info *info = ctypes_info_of_class(type) != NULL ? ctypes_info_finish((PyTypeObject *)type) : NULL;
        self->types[i] = info != NULL ? info->ffi : &ffi_type_sint;
    }
    ffi_type *result = result_type(self->restype);
    if (result == NULL)
        return -1;
    self->closure = ffi_closure_alloc(sizeof(ffi_closure), &self->code);
    if (self->closure == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    if (ffi_prep_cif(&self->cif, FFI_DEFAULT_ABI, (unsigned)count, result, self->types) == FFI_OK
        && ffi_prep_closure_loc(self->closure, &self->cif, run, self, self->code) == FFI_OK)
        return 0;
    PyErr_SetString(PyExc_RuntimeError, "ffi_prep_closure failed");
    return -1;
}

PyObject *ctypes_callback_new(PyObject *callable, PyObject *argtypes, PyObject *restype, int flags)
{
    callback *self = PyObject_GC_NewVar(callback, &ctypes_callback_type, PyTuple_GET_SIZE(argtypes));
    if (self == NULL)
        return NULL;
    self->closure = NULL;
    self->code = NULL;
    self->callable = Py_NewRef(callable);
    self->argtypes = Py_NewRef(argtypes);
    self->restype = Py_XNewRef(restype);
    self->flags = flags;
    int done = prepare(self);
    PyObject_GC_Track(self);
    if (done < 0)
        Py_CLEAR(self);
    return (PyObject *)self;
}

/* ---- The type ---- */

static int callback_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(SELF(op)->callable);
    Py_VISIT(SELF(op)->argtypes);
    Py_VISIT(SELF(op)->restype);
    return 0;
}

static void callback_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    if (SELF(op)->closure != NULL)
        ffi_closure_free(SELF(op)->closure);
    Py_XDECREF(SELF(op)->callable);
    Py_XDECREF(SELF(op)->argtypes);
    Py_XDECREF(SELF(op)->restype);
    PyObject_GC_Del(op);
}

PyTypeObject ctypes_callback_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_ctypes.CThunkObject",
    .tp_basicsize = sizeof(callback),
    .tp_itemsize = sizeof(ffi_type *),
    .tp_dealloc = callback_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_doc = "C code that calls a Python function.",
    .tp_traverse = callback_traverse,
};
