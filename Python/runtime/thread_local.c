/* threading.local: an object with a namespace per thread.
 *
 * The object owns a dict from thread state ids to namespaces; a look-up reads it without a lock and takes a namespace that the thread itself has
 * made, so threads do not contend.  A thread keeps weak references to the locals that it has used (ts->local_keys, a list) and removes its namespaces
 * when it ends.  Namespaces hang on the object alone, so cycles through it are collected. */
#include "thread_module.h"
#include "thread_state.h"
#include "type.h"

typedef struct {
    PyObject_HEAD
    PyObject *weakrefs;
    PyObject *namespaces;       /* [const until cleared] dict: ts->id -> dict */
    PyObject *args, *kwds;      /* [const until cleared] for __init__ in further threads; NULL if empty */
} local_object;

/* Removes dead entries when the list has doubled. */
static int remember(PyThreadState *ts, PyObject *self)
{
    if (ts->local_keys == NULL && (ts->local_keys = PyList_New(0)) == NULL)
        return -1;
    PyObject_GC_UnTrack(ts->local_keys);        /* gc.get_objects() does not hand it out */
    Py_ssize_t n = PyList_GET_SIZE(ts->local_keys);
    if (n >= 64 && (n & (n - 1)) == 0) {
        PyObject *old = ts->local_keys, *target;        /* nobody else's from now on */
        if ((ts->local_keys = PyList_New(0)) == NULL) {
            ts->local_keys = old;
            return -1;
        }
        int failed = 0;
        for (Py_ssize_t i = 0; i < n && !failed; i++) {
            PyObject *ref = PyList_GET_ITEM(old, i);
            if (PyWeakref_GetRef(ref, &target) <= 0)
                continue;
            failed = PyList_Append(ts->local_keys, ref) < 0;
            Py_DECREF(target);          /* perhaps the last: its finaliser may come here again, and replace the list */
        }
        Py_DECREF(old);
        if (failed)
            return -1;
    }
    PyObject *ref = PyWeakref_NewRef(self, NULL);
    if (ref == NULL)
        return -1;
    int failed = PyList_Append(ts->local_keys, ref);
    Py_DECREF(ref);
    return failed;
}

void thread_local_clear(PyThreadState *ts)
{
    PyObject *list = ts->local_keys;
    ts->local_keys = NULL;
    if (list == NULL)
        return;
    PyObject *id = PyLong_FromUnsignedLongLong(ts->id);
    for (Py_ssize_t i = 0; id != NULL && i < PyList_GET_SIZE(list); i++) {
        PyObject *target;
        if (PyWeakref_GetRef(PyList_GET_ITEM(list, i), &target) <= 0)
            continue;
        PyObject *namespaces = Py_XNewRef(((local_object *)target)->namespaces), *mine;
        Py_DECREF(target);
        if (namespaces == NULL)
            continue;
        if (PyDict_GetItemRef(namespaces, id, &mine) > 0) {
            PyDict_DelItem(namespaces, id);
            Py_DECREF(mine);
        }
        Py_DECREF(namespaces);
        PyErr_Clear();
    }
    PyErr_Clear();
    Py_XDECREF(id);
    Py_DECREF(list);
}

/* Makes the calling thread's namespace. New reference, or NULL. */
static PyObject *namespace_new(local_object *self, PyThreadState *ts, PyObject *id)
{
    PyObject *dict = PyDict_New();
    if (dict == NULL)
        return NULL;
    if (PyDict_SetItem(self->namespaces, id, dict) < 0 || remember(ts, (PyObject *)self) < 0) {
        Py_DECREF(dict);
        return NULL;
    }
    return dict;
}

/* The calling thread's namespace; __init__ runs when it is made. New reference, or NULL. */
static PyObject *namespace_get(local_object *self)
{
    PyThreadState *ts = thread_current();
    if (self->namespaces == NULL) {
        PyErr_SetString(PyExc_SystemError, "thread-local object has been cleared");
        return NULL;
    }
    PyObject *id = PyLong_FromUnsignedLongLong(ts->id), *dict;
    if (id == NULL)
        return NULL;
    int found = PyDict_GetItemRef(self->namespaces, id, &dict);
    if (found == 0) {
        dict = namespace_new(self, ts, id);
        if (dict != NULL && Py_TYPE(self)->tp_init != PyBaseObject_Type.tp_init) {
            PyObject *args = self->args != NULL ? Py_NewRef(self->args) : PyTuple_New(0);
            if (args == NULL || Py_TYPE(self)->tp_init((PyObject *)self, args, self->kwds) < 0) {
                /* The next access tries again. */
                PyObject *type, *value, *traceback;
                PyErr_Fetch(&type, &value, &traceback);
                PyDict_DelItem(self->namespaces, id);
                PyErr_Clear();
                PyErr_Restore(type, value, traceback);
                Py_CLEAR(dict);
            }
            Py_XDECREF(args);
        }
    }
    Py_DECREF(id);
    return found < 0 ? NULL : dict;
}

static PyObject *local_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    int has_args = (args != NULL && PyTuple_GET_SIZE(args) > 0) || (kwds != NULL && PyDict_GET_SIZE(kwds) > 0);
    if (has_args && type->tp_init == PyBaseObject_Type.tp_init) {
        PyErr_SetString(PyExc_TypeError, "Initialization arguments are not supported");
        return NULL;
    }
    PyObject *namespaces = PyDict_New();
    if (namespaces == NULL)
        return NULL;
    local_object *self = (local_object *)type->tp_alloc(type, 0);
    if (self == NULL) {
        Py_DECREF(namespaces);
        return NULL;
    }
    self->namespaces = namespaces;
    if (has_args) {
        self->args = Py_XNewRef(args);
        self->kwds = Py_XNewRef(kwds);
    }
    /* Here and now, so that __init__ is not run twice in this thread. */
    PyThreadState *ts = thread_current();
    PyObject *id = PyLong_FromUnsignedLongLong(ts->id);
    PyObject *dict = id != NULL ? namespace_new(self, ts, id) : NULL;
    Py_XDECREF(id);
    if (dict == NULL) {
        Py_DECREF(self);
        return NULL;
    }
    Py_DECREF(dict);
    return (PyObject *)self;
}

static int local_traverse(local_object *self, visitproc visit, void *arg)
{
    Py_VISIT(self->namespaces);
    Py_VISIT(self->args);
    Py_VISIT(self->kwds);
    return 0;
}

static int local_clear(local_object *self)
{
    Py_CLEAR(self->args);
    Py_CLEAR(self->kwds);
    Py_CLEAR(self->namespaces);
    return 0;
}

static void local_dealloc(local_object *self)
{
    PyObject_GC_UnTrack(self);
    if (_PyObject_HAS_WEAKREFS(self->weakrefs))
        PyObject_ClearWeakRefs((PyObject *)self);
    local_clear(self);
    Py_TYPE(self)->tp_free(self);
}

static int is_dict_name(PyObject *name) { return PyUnicode_EqualToUTF8(name, "__dict__"); }

/* An exact str equal to name. New reference, or NULL with TypeError. */
static PyObject *exact_name(PyObject *name)
{
    if (PyUnicode_CheckExact(name))
        return Py_NewRef(name);
    if (PyUnicode_Check(name))
        return PyUnicode_FromObject(name);
    PyErr_Format(PyExc_TypeError, "attribute name must be string, not '%.200s'", Py_TYPE(name)->tp_name);
    return NULL;
}

/* The usual order: data descriptor of the type, namespace, other attribute of the type. */
static PyObject *get_attribute(local_object *self, PyObject *dict, PyObject *name)
{
    PyObject *result = NULL, *attribute;
    if (type_lookup_ref(Py_TYPE(self), name, &attribute, NULL) < 0)
        return NULL;
    descrgetfunc get = attribute != NULL ? Py_TYPE(attribute)->tp_descr_get : NULL;
    if (get != NULL && Py_TYPE(attribute)->tp_descr_set != NULL)
        result = get(attribute, (PyObject *)self, (PyObject *)Py_TYPE(self));
    else if (PyDict_GetItemRef(dict, name, &result) == 0) {
        if (get != NULL)
            result = get(attribute, (PyObject *)self, (PyObject *)Py_TYPE(self));
        else if (attribute != NULL)
            result = Py_NewRef(attribute);
        else
            PyErr_Format(PyExc_AttributeError, "'%.50s' object has no attribute '%U'", Py_TYPE(self)->tp_name, name);
    }
    Py_XDECREF(attribute);
    return result;
}

static PyObject *local_getattro(local_object *self, PyObject *name)
{
    name = exact_name(name);
    if (name == NULL)
        return NULL;
    PyObject *result = NULL, *dict = namespace_get(self);
    if (dict != NULL)
        result = is_dict_name(name) ? Py_NewRef(dict) : get_attribute(self, dict, name);
    Py_XDECREF(dict);
    Py_DECREF(name);
    return result;
}

static int set_attribute(local_object *self, PyObject *dict, PyObject *name, PyObject *value)
{
    int result;
    PyObject *attribute;
    if (type_lookup_ref(Py_TYPE(self), name, &attribute, NULL) < 0)
        return -1;
    descrsetfunc set = attribute != NULL ? Py_TYPE(attribute)->tp_descr_set : NULL;
    if (set != NULL)
        result = set(attribute, (PyObject *)self, value);
    else if (value != NULL)
        result = PyDict_SetItem(dict, name, value);
    else {
        result = PyDict_DelItem(dict, name);
        if (result < 0 && PyErr_ExceptionMatches(PyExc_KeyError)) {
            PyErr_Clear();
            PyErr_Format(PyExc_AttributeError, "'%.50s' object has no attribute '%U'", Py_TYPE(self)->tp_name, name);
        }
    }
    Py_XDECREF(attribute);
    return result;
}

static int local_setattro(local_object *self, PyObject *name, PyObject *value)
{
    int result = -1;
    name = exact_name(name);
    if (name == NULL)
        return -1;
    if (is_dict_name(name))
        PyErr_Format(PyExc_AttributeError, "'%.50s' object attribute '%U' is read-only", Py_TYPE(self)->tp_name, name);
    else {
        PyObject *dict = namespace_get(self);
        if (dict != NULL)
            result = set_attribute(self, dict, name, value);
        Py_XDECREF(dict);
    }
    Py_DECREF(name);
    return result;
}

PyTypeObject thread_local_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "_thread._local",
    .tp_basicsize = sizeof(local_object),
    .tp_weaklistoffset = offsetof(local_object, weakrefs),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .tp_doc = PyDoc_STR("An object whose attributes have values of their own in each thread."),
    .tp_new = local_new,
    .tp_dealloc = (destructor)local_dealloc,
    .tp_traverse = (traverseproc)local_traverse,
    .tp_clear = (inquiry)local_clear,
    .tp_getattro = (getattrofunc)local_getattro,
    .tp_setattro = (setattrofunc)local_setattro,
};
