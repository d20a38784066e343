/* Descriptors of C types: methods, members, getters and setters, slot wrappers; property and mappingproxy. */
#ifndef Py_DESCROBJECT_H
#define Py_DESCROBJECT_H

#include "typeslots.h"

typedef PyObject *(*getter)(PyObject *, void *);
typedef int (*setter)(PyObject *, PyObject *, void *);

struct PyGetSetDef {
    const char *name;
    getter get;
    setter set;
    const char *doc;
    void *closure;
};
typedef struct PyGetSetDef PyGetSetDef;
typedef struct PyMemberDef PyMemberDef;

typedef PyObject *(*wrapperfunc)(PyObject *self, PyObject *args, void *wrapped);
typedef PyObject *(*wrapperfunc_kwds)(PyObject *self, PyObject *args, void *wrapped, PyObject *kwds);

/* How a C slot is called from Python. */
struct wrapperbase {
    const char *name;
    int offset;                 /* of the slot in PyHeapTypeObject */
    void *function;             /* the slot function that calls the Python method */
    wrapperfunc wrapper;
    const char *doc;
    int flags;                  /* PyWrapperFlag_KEYWORDS: wrapper is a wrapperfunc_kwds */
    PyObject *name_strobj;
};
#define PyWrapperFlag_KEYWORDS 1

/* d_qualname is made on demand; the rest is constant. */
typedef struct {
    PyObject_HEAD
    PyTypeObject *d_type;
    PyObject *d_name;
    PyObject *d_qualname;
} PyDescrObject;
#define PyDescr_COMMON PyDescrObject d_common
#define PyDescr_TYPE(op) (((PyDescrObject *)(op))->d_type)
#define PyDescr_NAME(op) (((PyDescrObject *)(op))->d_name)

typedef struct {
    PyDescr_COMMON;
    PyMethodDef *d_method;
    vectorcallfunc vectorcall;
} PyMethodDescrObject;

typedef struct {
    PyDescr_COMMON;
    PyMemberDef *d_member;
} PyMemberDescrObject;

typedef struct {
    PyDescr_COMMON;
    PyGetSetDef *d_getset;
} PyGetSetDescrObject;

typedef struct {
    PyDescr_COMMON;
    struct wrapperbase *d_base;
    void *d_wrapped;
} PyWrapperDescrObject;

PyAPI_DATA(PyTypeObject) PyClassMethodDescr_Type;
PyAPI_DATA(PyTypeObject) PyGetSetDescr_Type;
PyAPI_DATA(PyTypeObject) PyMemberDescr_Type;
PyAPI_DATA(PyTypeObject) PyMethodDescr_Type;
PyAPI_DATA(PyTypeObject) PyWrapperDescr_Type;
PyAPI_DATA(PyTypeObject) _PyMethodWrapper_Type;
PyAPI_DATA(PyTypeObject) PyDictProxy_Type;
PyAPI_DATA(PyTypeObject) PyProperty_Type;

PyAPI_FUNC(PyObject *) PyDescr_NewMethod(PyTypeObject *type, PyMethodDef *method);
PyAPI_FUNC(PyObject *) PyDescr_NewClassMethod(PyTypeObject *type, PyMethodDef *method);
PyAPI_FUNC(PyObject *) PyDescr_NewMember(PyTypeObject *type, PyMemberDef *member);
PyAPI_FUNC(PyObject *) PyDescr_NewGetSet(PyTypeObject *type, PyGetSetDef *getset);
PyAPI_FUNC(PyObject *) PyDescr_NewWrapper(PyTypeObject *type, struct wrapperbase *base, void *wrapped);
PyAPI_FUNC(int) PyDescr_IsData(PyObject *descr);
PyAPI_FUNC(PyObject *) PyWrapper_New(PyObject *descr, PyObject *self);
PyAPI_FUNC(PyObject *) PyDictProxy_New(PyObject *mapping);

/* op's special method, found on its type and bound: a new reference, or NULL, without an exception if there is none. */
PyAPI_FUNC(PyObject *) _PyObject_LookupSpecial(PyObject *op, PyObject *name);
PyAPI_FUNC(PyObject *) _PyObject_LookupSpecialId(PyObject *op, struct _Py_Identifier *name);

#endif /* Py_DESCROBJECT_H */
