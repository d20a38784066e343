/* super: attributes of an object as seen from behind a given class in the MRO. */
#include "Python.h"

#include "dict.h"
#include "memory.h"
#include "frame.h"
#include "type.h"
#include "unicode.h"

/* What another call of __init__ has replaced: it lives as long as the object, because others may be reading it. */
struct superseded {
    struct superseded *older;
    PyTypeObject *type, *obj_type;
    PyObject *obj;
    bool uncounted;
};

typedef struct {
    PyObject_HEAD
    PyTypeObject *type;         /* [const but for another __init__; atomic] look behind this class */
    PyObject *obj;              /* [likewise] or NULL: unbound */
    PyTypeObject *obj_type;     /* [likewise] in the MRO of this one */
    bool uncounted;             /* [lock] type and obj_type are DEFERRED or immortal: not counted */
    struct superseded *older;   /* [lock] */
} super_object;

/* Classes nearly always are; so that threads do not contend for their counts. */
static int is_uncounted(PyTypeObject *type) { return object_is_deferred((PyObject *)type) || object_is_immortal((PyObject *)type); }

static void drop(PyTypeObject *type, PyObject *obj, PyTypeObject *obj_type, bool uncounted)
{
    Py_XDECREF(obj);
    if (!uncounted) {
        Py_XDECREF(type);
        Py_XDECREF(obj_type);
    }
}

static void super_dealloc(PyObject *op)
{
    super_object *self = (super_object *)op;
    object_untrack(op);
    drop(self->type, self->obj, self->obj_type, self->uncounted);
    while (self->older != NULL) {
        struct superseded *old = self->older;
        self->older = old->older;
        drop(old->type, old->obj, old->obj_type, old->uncounted);
        PyMem_Free(old);
    }
    Py_TYPE(op)->tp_free(op);
}

static int visit_all(PyTypeObject *type, PyObject *obj, PyTypeObject *obj_type, bool uncounted, visitproc visit, void *arg)
{
    Py_VISIT(obj);
    if (uncounted) {
        Py_VISIT_UNCOUNTED(type);
        Py_VISIT_UNCOUNTED(obj_type);
    }
    else {
        Py_VISIT(type);
        Py_VISIT(obj_type);
    }
    return 0;
}

static int super_traverse(PyObject *op, visitproc visit, void *arg)
{
    super_object *self = (super_object *)op;
    int result = visit_all(self->type, self->obj, self->obj_type, self->uncounted, visit, arg);
    for (struct superseded *old = self->older; old != NULL && result == 0; old = old->older)
        result = visit_all(old->type, old->obj, old->obj_type, old->uncounted, visit, arg);
    return result;
}

static PyObject *super_repr(PyObject *op)
{
    super_object *self = (super_object *)op;
    PyTypeObject *type = __atomic_load_n(&self->type, __ATOMIC_ACQUIRE), *obj_type = __atomic_load_n(&self->obj_type, __ATOMIC_ACQUIRE);
    const char *name = type != NULL ? type->tp_name : "NULL";
    if (obj_type != NULL)
        return PyUnicode_FromFormat("<super: <class '%s'>, <%s object>>", name, obj_type->tp_name);
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
    if (!heap_is_type(op, &PySuper_Type))
        return 0;
    PyObject *obj = __atomic_load_n(&s->obj, __ATOMIC_ACQUIRE);
    PyTypeObject *type = __atomic_load_n(&s->type, __ATOMIC_ACQUIRE), *obj_type = __atomic_load_n(&s->obj_type, __ATOMIC_ACQUIRE);
    if (type == NULL || obj == NULL || obj_type == NULL || obj == (PyObject *)obj_type || name == STR(__class__)
        || !type_lookup_after_cached_racy(obj_type, type, name, &found) || found == NULL || !heap_is_type(found, &PyFunction_Type))
        return 0;
    *method = found;
    *self = obj;
    return 1;
}

static PyObject *super_getattro(PyObject *op, PyObject *name)
{
    super_object *self = (super_object *)op;
    /* __class__ is super's own */
    PyObject *obj = __atomic_load_n(&self->obj, __ATOMIC_ACQUIRE);
    PyTypeObject *type = __atomic_load_n(&self->type, __ATOMIC_ACQUIRE), *obj_type = __atomic_load_n(&self->obj_type, __ATOMIC_ACQUIRE);
    if (type != NULL && obj != NULL && obj_type != NULL && PyUnicode_Check(name) && !unicode_equal(name, STR(__class__))) {
        PyObject *result;
        int found = super_lookup(type, obj, obj_type, name, &result);
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

/* type and obj (may be NULL, None) are the caller's. Whoever reads at the same time may see some of the old and some of the new: all of it is
 * alive. */
static int set_up(super_object *self, PyTypeObject *type, PyObject *obj)
{
    PyTypeObject *obj_type = NULL;
    if (obj == Py_None)
        obj = NULL;
    if (obj != NULL && (obj_type = check_argument(type, obj)) == NULL)
        return -1;
    struct superseded *old = NULL;
    if (__atomic_load_n(&self->type, __ATOMIC_RELAXED) != NULL && (old = PyMem_Malloc(sizeof(*old))) == NULL) {
        if (obj_type != NULL && !is_uncounted(obj_type))
            Py_DECREF(obj_type);
        PyErr_NoMemory();
        return -1;
    }
    int uncounted = is_uncounted(type) && (obj_type == NULL || is_uncounted(obj_type));
    if (!uncounted) {
        Py_INCREF(type);
        if (obj_type != NULL && is_uncounted(obj_type))
            Py_INCREF(obj_type);
    }
    Py_XINCREF(obj);
    PyObject *held = Py_XNewRef((PyObject *)obj_type);      /* over the wait: obj may get another class */
    int locked = container_lock(self);
    if (self->type != NULL && old == NULL) {        /* two threads at once: the other was first */
        container_unlock(self, locked);
        Py_XDECREF(held);
        drop(type, obj, obj_type, uncounted);
        return set_up(self, type, obj);
    }
    if (old != NULL) {
        *old = (struct superseded){self->older, self->type, self->obj_type, self->obj, self->uncounted};
        self->older = old;
    }
    __atomic_store_n(&self->obj, obj, __ATOMIC_RELEASE);
    __atomic_store_n(&self->obj_type, obj_type, __ATOMIC_RELEASE);
    __atomic_store_n(&self->type, type, __ATOMIC_RELEASE);
    self->uncounted = uncounted;
    container_unlock(self, locked);
    Py_XDECREF(held);
    return 0;
}

static PyObject *super_descr_get(PyObject *op, PyObject *obj, PyObject *unused)
{
    super_object *self = (super_object *)op, *bound;
    PyTypeObject *type = __atomic_load_n(&self->type, __ATOMIC_ACQUIRE);
    if (obj == NULL || obj == Py_None || __atomic_load_n(&self->obj, __ATOMIC_RELAXED) != NULL)
        return Py_NewRef(op);
    if (!Py_IS_TYPE(op, &PySuper_Type))
        return PyObject_CallFunctionObjArgs((PyObject *)Py_TYPE(op), type, obj, NULL);
    if (type == NULL)
        return Py_NewRef(op);
    bound = (super_object *)PySuper_Type.tp_alloc(&PySuper_Type, 0);
    if (bound == NULL)
        return NULL;
    if (set_up(bound, type, obj) < 0)
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
    {"__thisclass__", T_OBJECT, offsetof(super_object, type), READONLY | _Py_MEMBER_LOCK_FREE, "The class to look behind."},
    {"__self__", T_OBJECT, offsetof(super_object, obj), READONLY | _Py_MEMBER_LOCK_FREE, "The object, or None."},
    {"__self_class__", T_OBJECT, offsetof(super_object, obj_type), READONLY | _Py_MEMBER_LOCK_FREE, "The class whose order is followed, or None."},
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
