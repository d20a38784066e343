/* Capsules: C pointers with a name, handed between extension modules. */
#include "Python.h"

typedef struct {
    PyObject_HEAD
    void *pointer;              /* [atomic] never NULL */
    const char *name;           /* [atomic] */
    void *context;              /* [atomic] */
    PyCapsule_Destructor destructor;
} CapsuleObject;

#define LOAD(field) __atomic_load_n(&(field), __ATOMIC_ACQUIRE)
#define STORE(field, value) __atomic_store_n(&(field), (value), __ATOMIC_RELEASE)

static int is_legal(PyObject *op)
{
    return op != NULL && PyCapsule_CheckExact(op) && LOAD(((CapsuleObject *)op)->pointer) != NULL;
}

/* The capsule, or NULL with ValueError naming the function. */
static CapsuleObject *legal_or_error(PyObject *op, const char *function)
{
    if (is_legal(op))
        return (CapsuleObject *)op;
    PyErr_Format(PyExc_ValueError, "%s called with invalid PyCapsule object", function);
    return NULL;
}

static int names_match(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

PyObject *PyCapsule_New(void *pointer, const char *name, PyCapsule_Destructor destructor)
{
    if (pointer == NULL) {
        PyErr_SetString(PyExc_ValueError, "PyCapsule_New called with null pointer");
        return NULL;
    }
    CapsuleObject *capsule = PyObject_New(CapsuleObject, &PyCapsule_Type);
    if (capsule == NULL)
        return NULL;
    capsule->pointer = pointer;
    capsule->name = name;
    capsule->context = NULL;
    capsule->destructor = destructor;
    return (PyObject *)capsule;
}

int PyCapsule_IsValid(PyObject *op, const char *name)
{
    return is_legal(op) && names_match(LOAD(((CapsuleObject *)op)->name), name);
}

void *PyCapsule_GetPointer(PyObject *op, const char *name)
{
    CapsuleObject *capsule = legal_or_error(op, "PyCapsule_GetPointer");
    if (capsule == NULL)
        return NULL;
    if (!names_match(name, LOAD(capsule->name))) {
        PyErr_SetString(PyExc_ValueError, "PyCapsule_GetPointer called with incorrect name");
        return NULL;
    }
    return LOAD(capsule->pointer);
}

const char *PyCapsule_GetName(PyObject *op)
{
    CapsuleObject *capsule = legal_or_error(op, "PyCapsule_GetName");
    return capsule == NULL ? NULL : LOAD(capsule->name);
}

PyCapsule_Destructor PyCapsule_GetDestructor(PyObject *op)
{
    CapsuleObject *capsule = legal_or_error(op, "PyCapsule_GetDestructor");
    return capsule == NULL ? NULL : LOAD(capsule->destructor);
}

void *PyCapsule_GetContext(PyObject *op)
{
    CapsuleObject *capsule = legal_or_error(op, "PyCapsule_GetContext");
    return capsule == NULL ? NULL : LOAD(capsule->context);
}

int PyCapsule_SetPointer(PyObject *op, void *pointer)
{
    if (pointer == NULL) {
        PyErr_SetString(PyExc_ValueError, "PyCapsule_SetPointer called with null pointer");
        return -1;
    }
    CapsuleObject *capsule = legal_or_error(op, "PyCapsule_SetPointer");
    if (capsule == NULL)
        return -1;
    STORE(capsule->pointer, pointer);
    return 0;
}

int PyCapsule_SetName(PyObject *op, const char *name)
{
    CapsuleObject *capsule = legal_or_error(op, "PyCapsule_SetName");
    if (capsule == NULL)
        return -1;
    STORE(capsule->name, name);
    return 0;
}

int PyCapsule_SetDestructor(PyObject *op, PyCapsule_Destructor destructor)
{
    CapsuleObject *capsule = legal_or_error(op, "PyCapsule_SetDestructor");
    if (capsule == NULL)
        return -1;
    STORE(capsule->destructor, destructor);
    return 0;
}

int PyCapsule_SetContext(PyObject *op, void *context)
{
    CapsuleObject *capsule = legal_or_error(op, "PyCapsule_SetContext");
    if (capsule == NULL)
        return -1;
    STORE(capsule->context, context);
    return 0;
}

void *PyCapsule_Import(const char *name, int no_block)
{
    size_t length = strlen(name);
    char *copy = PyMem_Malloc(length + 1), *part = copy;
    PyObject *op = NULL;
    void *result = NULL;
    if (copy == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    memcpy(copy, name, length + 1);
    while (part != NULL) {
        char *dot = strchr(part, '.');
        if (dot != NULL)
            *dot++ = '\0';
        if (op == NULL) {
            op = PyImport_ImportModule(part);
            if (op == NULL)
                PyErr_Format(PyExc_ImportError, "PyCapsule_Import could not import module \"%s\"", part);
        }
        else {
            Py_SETREF(op, PyObject_GetAttrString(op, part));
        }
        if (op == NULL)
            goto done;
        part = dot;
    }
    if (PyCapsule_IsValid(op, name))
        result = LOAD(((CapsuleObject *)op)->pointer);
    else
        PyErr_Format(PyExc_AttributeError, "PyCapsule_Import \"%s\" is not valid", name);
done:
    Py_XDECREF(op);
    PyMem_Free(copy);
    return result;
}

static void capsule_dealloc(PyObject *op)
{
    CapsuleObject *capsule = (CapsuleObject *)op;
    if (capsule->destructor != NULL)
        capsule->destructor(op);
    PyObject_Free(op);
}

static PyObject *capsule_repr(PyObject *op)
{
    const char *name = LOAD(((CapsuleObject *)op)->name);
    const char *quote = name == NULL ? "" : "\"";
    return PyUnicode_FromFormat("<capsule object %s%s%s at %p>", quote, name == NULL ? "NULL" : name, quote, op);
}

PyTypeObject PyCapsule_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "PyCapsule",
    .tp_basicsize = sizeof(CapsuleObject),
    .tp_dealloc = capsule_dealloc,
    .tp_repr = capsule_repr,
    .tp_doc = "A C pointer with a name, by which one extension module hands functions or data to another.",
};
