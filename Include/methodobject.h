/* Functions written in C: the method table entry and the builtin_function_or_method type. */
#ifndef Py_METHODOBJECT_H
#define Py_METHODOBJECT_H

typedef PyObject *(*PyCFunction)(PyObject *, PyObject *);
typedef PyObject *(*_PyCFunctionFast)(PyObject *, PyObject *const *, Py_ssize_t);
typedef PyObject *(*PyCFunctionFast)(PyObject *, PyObject *const *, Py_ssize_t);
typedef PyObject *(*PyCFunctionWithKeywords)(PyObject *, PyObject *, PyObject *);
typedef PyObject *(*_PyCFunctionFastWithKeywords)(PyObject *, PyObject *const *, Py_ssize_t, PyObject *);
typedef PyObject *(*PyCFunctionFastWithKeywords)(PyObject *, PyObject *const *, Py_ssize_t, PyObject *);
typedef PyObject *(*PyCMethod)(PyObject *, PyTypeObject *, PyObject *const *, size_t, PyObject *);

#define _PyCFunction_CAST(func) ((PyCFunction)(void (*)(void))(func))

struct PyMethodDef {
    const char *ml_name;
    PyCFunction ml_meth;
    int ml_flags;               /* METH_* */
    const char *ml_doc;         /* may start with "name(signature)\n--\n\n" */
};
typedef struct PyMethodDef PyMethodDef;

#define METH_VARARGS 0x0001
#define METH_KEYWORDS 0x0002
#define METH_NOARGS 0x0004
#define METH_O 0x0008
#define METH_CLASS 0x0010
#define METH_STATIC 0x0020
#define METH_COEXIST 0x0040
#define METH_FASTCALL 0x0080
#define METH_STACKLESS 0x0000
#define METH_METHOD 0x0200

/* Embedded by value in function types of extensions: the layout is CPython's. */
typedef struct {
    PyObject_HEAD
    PyMethodDef *m_ml;          /* [const] */
    PyObject *m_self;           /* [const] passed as self; may be NULL */
    PyObject *m_module;         /* [const] __module__; may be NULL */
    PyObject *m_weakreflist;
    vectorcallfunc vectorcall;  /* [const] */
} PyCFunctionObject;

/* METH_METHOD functions also know the class that defines them. */
typedef struct {
    PyCFunctionObject func;
    PyTypeObject *mm_class;     /* [const] */
} PyCMethodObject;

PyAPI_DATA(PyTypeObject) PyCFunction_Type;
PyAPI_DATA(PyTypeObject) PyCMethod_Type;
#define PyCFunction_CheckExact(op) Py_IS_TYPE((op), &PyCFunction_Type)
#define PyCFunction_Check(op) PyObject_TypeCheck((op), &PyCFunction_Type)
#define PyCMethod_CheckExact(op) Py_IS_TYPE((op), &PyCMethod_Type)
#define PyCMethod_Check(op) PyObject_TypeCheck((op), &PyCMethod_Type)

PyAPI_FUNC(PyCFunction) PyCFunction_GetFunction(PyObject *op);
PyAPI_FUNC(PyObject *) PyCFunction_GetSelf(PyObject *op);
PyAPI_FUNC(int) PyCFunction_GetFlags(PyObject *op);
PyAPI_FUNC(PyObject *) PyCFunction_New(PyMethodDef *ml, PyObject *self);
PyAPI_FUNC(PyObject *) PyCFunction_NewEx(PyMethodDef *ml, PyObject *self, PyObject *module);
PyAPI_FUNC(PyObject *) PyCMethod_New(PyMethodDef *ml, PyObject *self, PyObject *module, PyTypeObject *cls);
PyAPI_FUNC(PyObject *) PyCFunction_Call(PyObject *op, PyObject *args, PyObject *kwargs);
#define PyCFunction_New(ml, self) PyCFunction_NewEx((ml), (self), NULL)
#define PyCFunction_NewEx(ml, self, module) PyCMethod_New((ml), (self), (module), NULL)

static inline PyCFunction PyCFunction_GET_FUNCTION(const void *op) { return ((PyCFunctionObject *)op)->m_ml->ml_meth; }
static inline PyObject *PyCFunction_GET_SELF(const void *op)
{
    const PyCFunctionObject *f = (const PyCFunctionObject *)op;
    return (f->m_ml->ml_flags & METH_STATIC) ? NULL : f->m_self;
}
static inline int PyCFunction_GET_FLAGS(const void *op) { return ((PyCFunctionObject *)op)->m_ml->ml_flags; }
static inline PyTypeObject *PyCFunction_GET_CLASS(const void *op)
{
    const PyCFunctionObject *f = (const PyCFunctionObject *)op;
    return (f->m_ml->ml_flags & METH_METHOD) ? ((const PyCMethodObject *)op)->mm_class : NULL;
}

/* A doc that starts with "name(signature)\n--\n\n" consists of a text signature and the rest. These give either part as a
 * new str, or None. name is what stands before the parenthesis (of a dotted name only the last part). */
PyAPI_FUNC(PyObject *) _PyType_GetDocFromInternalDoc(const char *name, const char *doc);
PyAPI_FUNC(PyObject *) _PyType_GetTextSignatureFromInternalDoc(const char *name, const char *doc);

#endif /* Py_METHODOBJECT_H */
