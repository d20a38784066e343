/* OSError and the choice of its subclass by errno (PEP 3151). */
#include "exceptions_internal.h"

#include "instance.h"
#include "method_ref.h"
#include "well_known_strings.h"

#define OSERR(op) ((PyOSErrorObject *)(op))

static const struct { int code; PyObject **type; } errno_table[] = {
    {EAGAIN, &PyExc_BlockingIOError}, {EALREADY, &PyExc_BlockingIOError}, {EINPROGRESS, &PyExc_BlockingIOError},
    {EPIPE, &PyExc_BrokenPipeError}, {ESHUTDOWN, &PyExc_BrokenPipeError},
    {ECHILD, &PyExc_ChildProcessError},
    {ECONNABORTED, &PyExc_ConnectionAbortedError}, {ECONNREFUSED, &PyExc_ConnectionRefusedError},
    {ECONNRESET, &PyExc_ConnectionResetError},
    {EEXIST, &PyExc_FileExistsError}, {ENOENT, &PyExc_FileNotFoundError}, {EISDIR, &PyExc_IsADirectoryError},
    {ENOTDIR, &PyExc_NotADirectoryError}, {EINTR, &PyExc_InterruptedError}, {EACCES, &PyExc_PermissionError},
    {EPERM, &PyExc_PermissionError}, {ESRCH, &PyExc_ProcessLookupError}, {ETIMEDOUT, &PyExc_TimeoutError},
};

int os_error_init_map(void) { return 0; }

static PyTypeObject *type_for_errno(PyObject *code)
{
    int overflow;
    if (!PyLong_Check(code))
        return NULL;
    long value = PyLong_AsLongAndOverflow(code, &overflow);
    for (size_t i = 0; i < Py_ARRAY_LENGTH(errno_table) && !overflow; i++)
        if (errno_table[i].code == value)
            return (PyTypeObject *)*errno_table[i].type;
    return NULL;
}

/* The arguments (errno, strerror[, filename[, winerror[, filename2]]]); two to five of them name the fields. */
typedef struct {
    PyObject *code, *message, *filename, *filename2;
} os_arguments_t;

static int parse_arguments(PyObject *args, os_arguments_t *a)
{
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    memset(a, 0, sizeof(*a));
    if (n < 2 || n > 5)
        return 0;
    PyObject *unused;
    return PyArg_UnpackTuple(args, "OSError", 2, 5, &a->code, &a->message, &a->filename, &unused, &a->filename2) ? 0 : -1;
}

/* A subclass with __init__ but without __new__ of its own gets its fields set by __init__ (its arguments may differ). */
static int fields_set_by_init(PyTypeObject *type)
{
    return type->tp_init != exception_layout_os.tp_init && type->tp_new == exception_layout_os.tp_new;
}

static int set_fields(PyOSErrorObject *self, PyObject *args, const os_arguments_t *a)
{
    PyObject *kept = args;
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    PyObject *filename = a->filename;
    int trimmed = 0;
    if (filename != NULL && filename != Py_None) {
        if (Py_IS_TYPE(self, (PyTypeObject *)PyExc_BlockingIOError) && PyNumber_Check(filename)) {
            /* its third argument is a number: characters written */
            Py_ssize_t n_written = PyNumber_AsSsize_t(filename, PyExc_ValueError);
            if (n_written == -1 && PyErr_Occurred())
                return -1;
            __atomic_store_n(&self->written, n_written, __ATOMIC_RELAXED);
        }
        else {
            exception_set_field(&self->filename, filename);
            if (a->filename2 != NULL && a->filename2 != Py_None)
                exception_set_field(&self->filename2, a->filename2);
            if (n >= 2 && n <= 5) {
                kept = PyTuple_GetSlice(args, 0, 2);
                if (kept == NULL)
                    return -1;
                trimmed = 1;
            }
        }
    }
    exception_set_field(&self->myerrno, a->code);
    exception_set_field(&self->strerror, a->message);
    exception_set_field(&self->args, kept);
    if (trimmed)
        Py_DECREF(kept);
    return 0;
}

static PyObject *os_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    os_arguments_t a = {NULL, NULL, NULL, NULL};
    int deferred = fields_set_by_init(type);
    if (!deferred) {
        if (kwargs != NULL && PyDict_GET_SIZE(kwargs) > 0 && type->tp_init == exception_layout_os.tp_init) {
            PyErr_Format(PyExc_TypeError, "%s() takes no keyword arguments", type->tp_name);
            return NULL;
        }
        if (parse_arguments(args, &a) < 0)
            return NULL;
        if (a.code != NULL && (PyObject *)type == PyExc_OSError) {
            PyTypeObject *better = type_for_errno(a.code);
            if (better != NULL)
                type = better;
        }
    }
    PyOSErrorObject *self = (PyOSErrorObject *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    self->written = -1;
    /* never without args, even while set_fields runs __index__(): gc.get_objects() shows it */
    self->args = deferred ? PyTuple_New(0) : Py_NewRef(args);
    if (self->args != NULL && (deferred || set_fields(self, args, &a) == 0))
        return (PyObject *)self;
    Py_DECREF((PyObject *)self);
    return NULL;
}

static int os_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    os_arguments_t a;
    if (!fields_set_by_init(Py_TYPE(op)))
        return 0;               /* done by os_new */
    if (kwargs != NULL && PyDict_GET_SIZE(kwargs) > 0) {
        PyErr_Format(PyExc_TypeError, "%s() takes no keyword arguments", Py_TYPE(op)->tp_name);
        return -1;
    }
    return parse_arguments(args, &a) < 0 ? -1 : set_fields(OSERR(op), args, &a);
}

static PyObject *field_or_none(PyObject **field)
{
    PyObject *value = published_field_ref(field);
    return value != NULL ? value : Py_NewRef(Py_None);
}

static PyObject *os_str(PyObject *op)
{
    PyOSErrorObject *self = OSERR(op);
    PyObject *filename = published_field_ref(&self->filename), *filename2 = published_field_ref(&self->filename2);
    PyObject *code = field_or_none(&self->myerrno), *message = field_or_none(&self->strerror), *text;
    if (filename != NULL && filename2 != NULL)
        text = PyUnicode_FromFormat("[Errno %S] %S: %R -> %R", code, message, filename, filename2);
    else if (filename != NULL)
        text = PyUnicode_FromFormat("[Errno %S] %S: %R", code, message, filename);
    else if (__atomic_load_n(&self->myerrno, __ATOMIC_RELAXED) != NULL && __atomic_load_n(&self->strerror, __ATOMIC_RELAXED) != NULL)
        text = PyUnicode_FromFormat("[Errno %S] %S", code, message);
    else
        text = base_exception_str(op);
    Py_XDECREF(filename);
    Py_XDECREF(filename2);
    Py_DECREF(code);
    Py_DECREF(message);
    return text;
}

static PyObject *os_reduce(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    PyOSErrorObject *self = OSERR(op);
    PyObject *args = published_field_ref(&self->args), *dict = instance_peek_dict(op), *result = NULL;
    PyObject *filename = published_field_ref(&self->filename), *filename2 = published_field_ref(&self->filename2);
    if (PyTuple_GET_SIZE(args) == 2 && filename != NULL) {
        /* args lost the file names in __new__ */
        PyObject *first = PyTuple_GET_ITEM(args, 0), *second = PyTuple_GET_ITEM(args, 1);
        Py_SETREF(args, filename2 != NULL ? PyTuple_Pack(5, first, second, filename, Py_None, filename2)
                                          : PyTuple_Pack(3, first, second, filename));
    }
    if (args != NULL)
        result = dict != NULL ? PyTuple_Pack(3, (PyObject *)Py_TYPE(op), args, dict) : PyTuple_Pack(2, (PyObject *)Py_TYPE(op), args);
    Py_XDECREF(args);
    Py_XDECREF(dict);
    Py_XDECREF(filename);
    Py_XDECREF(filename2);
    return result;
}

/* characters_written; -1 with AttributeError if it is unset. */
static Py_ssize_t written(PyObject *op)
{
    Py_ssize_t n = __atomic_load_n(&OSERR(op)->written, __ATOMIC_RELAXED);
    if (n == -1)
        PyErr_SetString(PyExc_AttributeError, "characters_written");
    return n;
}

static PyObject *get_written(PyObject *op, void *Py_UNUSED(c))
{
    Py_ssize_t n = written(op);
    return n != -1 ? PyLong_FromSsize_t(n) : NULL;
}

static int set_written(PyObject *op, PyObject *value, void *Py_UNUSED(c))
{
    Py_ssize_t n = -1;
    if (value == NULL) {
        if (written(op) == -1)
            return -1;
    }
    else if ((n = PyNumber_AsSsize_t(value, PyExc_ValueError)) == -1 && PyErr_Occurred())
        return -1;
    __atomic_store_n(&OSERR(op)->written, n, __ATOMIC_RELAXED);
    return 0;
}

#define OS(field) offsetof(PyOSErrorObject, field)
static const Py_ssize_t os_references[] = {OS(myerrno), OS(strerror), OS(filename), OS(filename2), 0};
static PyMemberDef os_members[] = {
    {"errno", T_OBJECT, OS(myerrno), _Py_MEMBER_LOCK_FREE, "POSIX exception code"},
    {"strerror", T_OBJECT, OS(strerror), _Py_MEMBER_LOCK_FREE, "exception strerror"},
    {"filename", T_OBJECT, OS(filename), _Py_MEMBER_LOCK_FREE, "exception filename"},
    {"filename2", T_OBJECT, OS(filename2), _Py_MEMBER_LOCK_FREE, "second exception filename"},
    {NULL},
};
static PyMethodDef os_methods[] = {{"__reduce__", os_reduce, METH_NOARGS, NULL}, {NULL}};
static PyGetSetDef os_getset[] = {{"characters_written", get_written, set_written, NULL, NULL}, {NULL}};
const exception_layout_t exception_layout_os = {sizeof(PyOSErrorObject), os_new, os_init, os_str,
                                                os_references, os_members, os_methods, os_getset};
