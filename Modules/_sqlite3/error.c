/* Error classes, and raising what the library reports. */
#include "sqlite_internal.h"

PyObject *sqlite_class[ERROR_COUNT];

typedef struct {
    const char *name;
    int value;
} number_t;

static const number_t constants[] = {
#define CONSTANT(name) {#name, name},
#define ERROR_CODE(name)
#include "constants.def"
    {NULL, 0},
};
static const number_t error_codes[] = {
#define CONSTANT(name)
#define ERROR_CODE(name) {#name, name},
#include "constants.def"
    {NULL, 0},
};

static const char *error_name(int code)
{
    for (const number_t *c = error_codes; c->name != NULL; c++)
        if (c->value == code)
            return c->name;
    return "unknown";
}

/* The class for a primary code; -1: MemoryError. */
static int class_for(int code)
{
    switch (code) {
    case SQLITE_NOMEM:
        return -1;
    case SQLITE_INTERNAL:
    case SQLITE_NOTFOUND:
        return E_InternalError;
    case SQLITE_ERROR:
    case SQLITE_PERM:
    case SQLITE_ABORT:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_READONLY:
    case SQLITE_INTERRUPT:
    case SQLITE_IOERR:
    case SQLITE_FULL:
    case SQLITE_CANTOPEN:
    case SQLITE_PROTOCOL:
    case SQLITE_EMPTY:
    case SQLITE_SCHEMA:
        return E_OperationalError;
    case SQLITE_TOOBIG:
        return E_DataError;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
        return E_IntegrityError;
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
        return E_InterfaceError;
    default:
        return E_DatabaseError;
    }
}

int error_raise(sqlite3 *db)
{
    int code = sqlite3_errcode(db), extended = sqlite3_extended_errcode(db), class = class_for(code & 0xff);
    PyObject *exc = NULL, *number = NULL, *name = NULL;
    if (class < 0) {
        PyErr_NoMemory();
        return -1;
    }
    exc = PyObject_CallFunction(sqlite_class[class], "s", sqlite3_errmsg(db));
    number = PyLong_FromLong(extended);
    name = PyUnicode_FromString(error_name(extended));
    if (exc != NULL && number != NULL && name != NULL &&
        PyObject_SetAttrString(exc, "sqlite_errorcode", number) == 0 &&
        PyObject_SetAttrString(exc, "sqlite_errorname", name) == 0)
        PyErr_SetObject(sqlite_class[class], exc);
    Py_XDECREF(exc);
    Py_XDECREF(number);
    Py_XDECREF(name);
    return -1;
}

PyObject *error_set(int class, const char *message)
{
    PyErr_SetString(sqlite_class[class], message);
    return NULL;
}

static int add_numbers(PyObject *module, const number_t *number)
{
    for (; number->name != NULL; number++)
        if (PyModule_AddIntConstant(module, number->name, number->value) < 0)
            return -1;
    return 0;
}

int error_add_to_module(PyObject *module)
{
#define CLASS(name, base) \
    if (sqlite_class[E_##name] == NULL && \
        (sqlite_class[E_##name] = PyErr_NewException("sqlite3." #name, base, NULL)) == NULL) \
        return -1; \
    if (PyModule_AddObjectRef(module, #name, sqlite_class[E_##name]) < 0) \
        return -1;
    ERROR_CLASSES(CLASS)
#undef CLASS
    return add_numbers(module, constants) < 0 || add_numbers(module, error_codes) < 0 ? -1 : 0;
}
