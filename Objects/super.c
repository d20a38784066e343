/* super: attributes of an object as seen from behind a given class in the MRO. */
#include "Python.h"

#include "dict.h"
#include "memory.h"
#include "frame.h"
#include "type.h"
#include "unicode.h"

typedef struct {
    PyObject_HEAD
    PyTypeObject *type;         /* [const after __init__] look behind this class */
    PyObject *obj;              /* [const after __init__] or NULL: unbound */
    PyTypeObject *obj_type;     /* in the MRO of this one */
    bool uncounted;             /* [const after __init__] type and obj_type are DEFERRED or immortal: not counted */
} super_object;

/* Classes nearly always are; so that threads do not contend for their counts. */
static int is_uncounted(PyTypeObject *type) { return object_is_deferred((PyObject *)type) || object_is_immortal((PyObject *)type); }

static void drop_types(super_object *self)
{
    PyTypeObject *type = self->type, *obj_type = self->obj_type;
    self->type = self->obj_type = NULL;
    if (!self->uncounted) {
        Py_XDECREF(type);
        Py_XDECREF(obj_type);
    }
}

static void super_dealloc(PyObject *op)
{
    super_object *self = (super_object *)op;
    object_untrack(op);
    Py_XDECREF(self->obj);
    drop_types(self);
    Py_TYPE(op)->tp_free(op);
}

static int super_traverse(PyObject *op, visitproc visit, void *arg)
{
    super_object *self = (super_object *)op;
    Py_VISIT(self->obj);
    if (self->uncounted) {
        Py_VISIT_UNCOUNTED(self->type);
        Py_VISIT_UNCOUNTED(self->obj_type);
    }
    else {
        Py_VISIT(self->type);
        Py_VISIT(self->obj_type);
    }
    return 0;
}

static PyObject *super_repr(PyObject *op)
{
    super_object *self = (super_object *)op;
    const char *name = self->type != NULL ? self->type->tp_name : "NULL";
    if (self->obj_type != NULL)
        return PyUnicode_FromFormat("<super: <class '%s'>, <%s object>>", name, self->obj_type->tp_name);
    return PyUnicode_FromFormat("<super: <class '%s'>, NULL>", name);
}

int super_lookup(PyTypeObject *type, PyObject *obj, PyTypeObject *obj_type, PyObject *name, PyObject **result)
{
    PyObject *found;
    /* A method is bound without counting it. */
    if (type_lookup_after_cached_racy(obj_type, type, name, &found) && found != NULL && heap_is_type(found, &PyFunction_Type)
        && object_is_deferred(found)) {
        *result = obj == (PyObject *)obj_type ? Py_NewRef(found) : PyMethod_New(found, obj);
        return *result != NULL ? 1 : -1;
    }
    int status = type_lookup_after_ref(obj_type, type, name, result);
    if (status > 0) {
        descrgetfunc get = Py_TYPE(*result)->tp_descr_get;
        if (get != NULL) {
            Py_SETREF(*result, get(*result, obj == (PyObject *)obj_type ? NULL : obj, (PyObject *)obj_type));
            if (*result == NULL)
                return -1;
        }
    }
    return status;
}

int super_find_method_racy(PyObject *op, PyObject *name, PyObject **method, PyObject **self)
{
    super_object *s = (super_object *)op;
    PyObject *found;
    if (!heap_is_type(op, &PySuper_Type) || s->obj_type == NULL || s->obj == (PyObject *)s->obj_type || name == STR(__class__)
        || !type_lookup_after_cached_racy(s->obj_type, s->type, name, &found) || found == NULL
        || !heap_is_type(found, &PyFunction_Type))
        return 0;
    *method = found;
    *self = s->obj;
    return 1;
}

static PyObject *super_getattro(PyObject *op, PyObject *name)
{
    super_object *self = (super_object *)op;
    /* __class__ is super's own */
    if (self->obj_type != NULL && PyUnicode_Check(name) && !unicode_equal(name, STR(__class__))) {
        PyObject *result;
        int found = super_lookup(self->type, self->obj, self->obj_type, name, &result);
        if (found != 0)
            return result;
    }
    return PyObject_GenericGetAttr(op, name);
}

/* The class whose MRO counts: obj itself if it is a subclass of type, else obj's class, real or claimed. Borrowed if it is
 * DEFERRED or immortal (then obj keeps it alive), else a new reference. */
static PyTypeObject *check_argument(PyTypeObject *type, PyObject *obj)
{
    PyTypeObject *found = NULL;
    if (PyType_Check(obj) && PyType_IsSubtype((PyTypeObject *)obj, type))
        found = (PyTypeObject *)obj;
    else if (PyType_IsSubtype(Py_TYPE(obj), type))
        found = Py_TYPE(obj);
    if (found != NULL)
        return is_uncounted(found) ? found : (PyTypeObject *)Py_NewRef(found);
    PyObject *cls;
    if (PyObject_GetOptionalAttr(obj, STR(__class__), &cls) < 0)
        return NULL;
    if (cls != NULL && PyType_Check(cls) && (PyTypeObject *)cls != Py_TYPE(obj) && PyType_IsSubtype((PyTypeObject *)cls, type)) {
        if (is_uncounted((PyTypeObject *)cls))
            Py_DECREF(cls);     /* never frees */
        return (PyTypeObject *)cls;
    }
    Py_XDECREF(cls);
    PyErr_SetString(PyExc_TypeError, "super(type, obj): obj must be an instance or subtype of type");
    return NULL;
}

/* type and obj (may be NULL, None) are the caller's. An object that has been set up already stays as it is if another thread
 * could be using it. */
static int set_up(super_object *self, PyTypeObject *type, PyObject *obj)
{
    PyTypeObject *obj_type = NULL;
    if (obj == Py_None)
        obj = NULL;
    if (obj != NULL && (obj_type = check_argument(type, obj)) == NULL)
        return -1;
    int uncounted = is_uncounted(type) && (obj_type == NULL || is_uncounted(obj_type));
    if (!uncounted) {
        Py_INCREF(type);
        if (obj_type != NULL && is_uncounted(obj_type))
            Py_INCREF(obj_type);
    }
    int locked = container_lock(self);
    super_object old = *self;
    self->type = type;
    self->obj = Py_XNewRef(obj);
    self->obj_type = obj_type;
    self->uncounted = uncounted;
    container_unlock(self, locked);
    Py_XDECREF(old.obj);
    drop_types(&old);
    return 0;
}

static PyObject *super_descr_get(PyObject *op, PyObject *obj, PyObject *unused)
{
    super_object *self = (super_object *)op, *bound;
    if (obj == NULL || obj == Py_None || self->obj != NULL)
        return Py_NewRef(op);
    if (!Py_IS_TYPE(op, &PySuper_Type))
        return PyObject_CallFunctionObjArgs((PyObject *)Py_TYPE(op), self->type, obj, NULL);
    if (self->type == NULL)
        return Py_NewRef(op);
    bound = (super_object *)PySuper_Type.tp_alloc(&PySuper_Type, 0);
    if (bound == NULL)
        return NULL;
    if (set_up(bound, self->type, obj) < 0)
        Py_CLEAR(bound);
    return (PyObject *)bound;
}

static int initialise(PyObject *op, PyObject *const *args, Py_ssize_t n)
{
    PyTypeObject *type;
    PyObject *obj;
    if (n == 0) {
        if (frame_super_arguments(thread_current(), &type, &obj) < 0)
            return -1;
        int result = set_up((super_object *)op, type, obj);
        Py_DECREF(type);
        Py_DECREF(obj);
        return result;
    }
    if (n > 2) {
        PyErr_Format(PyExc_TypeError, "super() expected at most 2 arguments, got %zd", n);
        return -1;
    }
    if (!PyType_Check(args[0])) {
        PyErr_Format(PyExc_TypeError, "super() argument 1 must be a type, not %.200s", Py_TYPE(args[0])->tp_name);
        return -1;
    }
    return set_up((super_object *)op, (PyTypeObject *)args[0], n == 2 ? args[1] : NULL);
}

static int super_init(PyObject *op, PyObject *args, PyObject *kwds)
{
    if (kwds != NULL && PyDict_GET_SIZE(kwds) != 0) {
        PyErr_SetString(PyExc_TypeError, "super() takes no keyword arguments");
        return -1;
    }
    return initialise(op, &PyTuple_GET_ITEM(args, 0), PyTuple_GET_SIZE(args));
}

static PyObject *super_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    if (kwnames != NULL && PyTuple_GET_SIZE(kwnames) != 0) {
        PyErr_SetString(PyExc_TypeError, "super() takes no keyword arguments");
        return NULL;
    }
    PyObject *op = ((PyTypeObject *)type)->tp_alloc((PyTypeObject *)type, 0);
    if (op != NULL && initialise(op, args, PyVectorcall_NARGS(nargsf)) < 0)
        Py_CLEAR(op);
    return op;
}

static PyMemberDef super_members[] = {
    {"__thisclass__", T_OBJECT, offsetof(super_object, type), READONLY, "The class to look behind."},
    {"__self__", T_OBJECT, offsetof(super_object, obj), READONLY, "The object, or None."},
    {"__self_class__", T_OBJECT, offsetof(super_object, obj_type), READONLY, "The class whose order is followed, or None."},
    {NULL, 0, 0, 0, NULL}
};

PyTypeObject PySuper_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "super",
    .tp_basicsize = sizeof(super_object),
    .tp_dealloc = super_dealloc,
    .tp_repr = super_repr,
    .tp_getattro = super_getattro,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = "super() -> same as super(__class__, <first argument>)\nsuper(type) -> unbound super object\n"
              "super(type, obj) -> bound super object; requires isinstance(obj, type)\n"
              "super(type, type2) -> bound super object; requires issubclass(type2, type)",
    .tp_traverse = super_traverse,
    .tp_members = super_members,
    .tp_descr_get = super_descr_get,
    .tp_init = super_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = PyType_GenericNew,
    .tp_free = PyObject_GC_Del,
    .tp_vectorcall = super_vectorcall,
};
