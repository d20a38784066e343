/* The type `type`: its attributes, repr, look-up of attributes on classes, life of type objects. */
#include "Python.h"

#include "dict.h"
#include "memory.h"
#include "method_ref.h"
#include "stop_world.h"
#include "type.h"
#include "type_slots.h"
#include "unicode.h"
#include "weakref.h"

static const char *short_name(PyTypeObject *type)
{
    const char *dot = strrchr(type->tp_name, '.');
    return dot != NULL ? dot + 1 : type->tp_name;
}

static int is_heap(PyTypeObject *type) { return PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE); }

/* An entry of the type's own dict: new reference, or NULL without exception. */
static PyObject *own(PyTypeObject *type, PyObject *name)
{
    PyObject *value = NULL;
    if (type->tp_dict != NULL && dict_get_str_ref(type->tp_dict, name, &value) < 0)
        PyErr_Clear();
    return value;
}

/* ---- Names ---- */

PyObject *PyType_GetName(PyTypeObject *type)
{
    return is_heap(type) ? published_field_ref(&((PyHeapTypeObject *)type)->ht_name)
                         : PyUnicode_FromString(short_name(type));
}

PyObject *PyType_GetQualName(PyTypeObject *type)
{
    return is_heap(type) ? published_field_ref(&((PyHeapTypeObject *)type)->ht_qualname)
                         : PyUnicode_FromString(short_name(type));
}

static PyObject *get_name(PyObject *self, void *closure) { return PyType_GetName((PyTypeObject *)self); }
static PyObject *get_qualname(PyObject *self, void *closure) { return PyType_GetQualName((PyTypeObject *)self); }

/* 1, or 0 with TypeError or what an audit hook raised. */
static int may_set_special(PyTypeObject *type, PyObject *value, const char *name)
{
    if (PyType_HasFeature(type, Py_TPFLAGS_IMMUTABLETYPE)) {
        PyErr_Format(PyExc_TypeError, "cannot set '%s' attribute of immutable type '%s'", name, type->tp_name);
        return 0;
    }
    if (value == NULL) {
        PyErr_Format(PyExc_TypeError, "cannot delete '%s' attribute of immutable type '%s'", name, type->tp_name);
        return 0;
    }
    return PySys_Audit("object.__setattr__", "OsO", (PyObject *)type, name, value) == 0;
}

/* *field = value; the old one, for others who may just have loaded it, is published before it is returned. */
static PyObject *exchange_name(PyObject **field, PyObject *value)
{
    object_publish(value);
    PyObject *old = __atomic_exchange_n(field, Py_NewRef(value), __ATOMIC_ACQ_REL);     /* pairs with published_field_ref */
    object_publish(old);
    return old;
}

/* Former names: who formats a message from tp_name may run code before it gets to the name, so the text has to stay for a
 * while. The last ones are kept until the class dies. */
enum { OLD_NAMES_MAX = 256 };

/* The array doubles when it is full. */
static int room_for_old_name(struct type_private *private)
{
    uint32_t n = private->old_name_count;
    if (n == OLD_NAMES_MAX || (n & (n - 1)) != 0)
        return 0;
    PyObject **names = PyMem_Realloc(private->old_names, (n != 0 ? 2 * n : 1) * sizeof(*names));
    if (names == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    private->old_names = names;
    return 0;
}

/* Steals name. What has to go for it, or NULL. */
static PyObject *keep_old_name(struct type_private *private, PyObject *name)
{
    PyObject *oldest = NULL;
    if (private->old_name_count < OLD_NAMES_MAX)
        private->old_names[private->old_name_count++] = name;
    else {
        oldest = private->old_names[private->old_name_next];
        private->old_names[private->old_name_next] = name;
        private->old_name_next = (private->old_name_next + 1) % OLD_NAMES_MAX;
    }
    return oldest;
}

/* tp_name is text of name; it is read plainly everywhere, so it changes in a pause. */
static int rename_type(PyTypeObject *type, PyObject *name, const char *text)
{
    PyObject *oldest = NULL;
    types_lock();
    int result = room_for_old_name(type->tp_private);
    if (result == 0) {
        PyThreadState *ts = runtime_is_multi() ? thread_current() : NULL;
        if (ts != NULL)
            stop_world_begin(ts);
        type->tp_name = text;
        PyObject *old = exchange_name(&((PyHeapTypeObject *)type)->ht_name, name);
        if (ts != NULL)
            stop_world_end(ts);
        oldest = keep_old_name(type->tp_private, old);
    }
    types_unlock();
    Py_XDECREF(oldest);
    return result;
}

static int set_name(PyObject *self, PyObject *value, void *closure)
{
    PyTypeObject *type = (PyTypeObject *)self;
    Py_ssize_t length;
    if (!may_set_special(type, value, "__name__"))
        return -1;
    if (!PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError, "can only assign string to %s.__name__, not '%s'", type->tp_name, Py_TYPE(value)->tp_name);
        return -1;
    }
    const char *text = PyUnicode_AsUTF8AndSize(value, &length);
    if (text == NULL)
        return -1;
    if (strlen(text) != (size_t)length) {
        PyErr_SetString(PyExc_ValueError, "type name must not contain null characters");
        return -1;
    }
    return rename_type(type, value, text);
}

static int set_qualname(PyObject *self, PyObject *value, void *closure)
{
    PyTypeObject *type = (PyTypeObject *)self;
    if (!may_set_special(type, value, "__qualname__"))
        return -1;
    if (!PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError, "can only assign string to %s.__qualname__, not '%s'", type->tp_name,
                     Py_TYPE(value)->tp_name);
        return -1;
    }
    PyObject *old = exchange_name(&((PyHeapTypeObject *)type)->ht_qualname, value);
    Py_DECREF(old);
    return 0;
}

static PyObject *get_module(PyObject *self, void *closure)
{
    PyTypeObject *type = (PyTypeObject *)self;
    if (is_heap(type)) {
        PyObject *module = own(type, STR(__module__));
        if (module == NULL)
            PyErr_Format(PyExc_AttributeError, "__module__");
        return module;
    }
    const char *dot = strrchr(type->tp_name, '.');
    if (dot != NULL)
        return PyUnicode_FromStringAndSize(type->tp_name, dot - type->tp_name);
    return Py_NewRef(STR(builtins));
}

static int set_module(PyObject *self, PyObject *value, void *closure)
{
    return may_set_special((PyTypeObject *)self, value, "__module__")
               ? type_set_attr((PyTypeObject *)self, STR(__module__), value) : -1;
}

PyObject *type_get_module_name(PyTypeObject *type)
{
    PyObject *module = get_module((PyObject *)type, NULL);
    if (module == NULL)
        PyErr_Clear();
    return module;
}

static PyObject *type_repr(PyObject *self)
{
    PyTypeObject *type = (PyTypeObject *)self;
    PyObject *module = type_get_module_name(type), *name = PyType_GetQualName(type), *result = NULL;
    if (name != NULL) {
        if (module != NULL && PyUnicode_Check(module) && !unicode_equal(module, STR(builtins)))
            result = PyUnicode_FromFormat("<class '%U.%U'>", module, name);
        else
            result = PyUnicode_FromFormat("<class '%s'>", type->tp_name);
    }
    Py_XDECREF(module);
    Py_XDECREF(name);
    return result;
}

/* ---- Other attributes ---- */

static PyObject *get_bases(PyObject *self, void *closure)
{
    PyObject *bases = type_get_bases_ref((PyTypeObject *)self);
    return bases != NULL ? bases : PyTuple_New(0);
}

static int set_bases(PyObject *self, PyObject *value, void *closure)
{
    PyTypeObject *type = (PyTypeObject *)self;
    if (!may_set_special(type, value, "__bases__"))
        return -1;
    if (!PyTuple_Check(value)) {
        PyErr_Format(PyExc_TypeError, "can only assign tuple to %s.__bases__, not %s", type->tp_name, Py_TYPE(value)->tp_name);
        return -1;
    }
    return type_set_bases(type, value);
}

static PyObject *get_mro(PyObject *self, void *closure)
{
    PyObject *mro = type_get_mro_ref((PyTypeObject *)self);
    return mro != NULL ? mro : Py_None;
}

static PyObject *get_base(PyObject *self, void *closure)
{
    PyTypeObject *base = ((PyTypeObject *)self)->tp_base;       /* DEFERRED or immortal, and replaced in a pause */
    return base != NULL ? Py_NewRef(base) : Py_None;
}

static PyObject *get_dict(PyObject *self, void *closure)
{
    PyObject *dict = ((PyTypeObject *)self)->tp_dict;
    return dict != NULL ? PyDictProxy_New(dict) : Py_None;
}

static PyObject *get_flags(PyObject *self, void *closure)
{
    return PyLong_FromUnsignedLong(PyType_GetFlags((PyTypeObject *)self));
}

unsigned long PyType_GetFlags(PyTypeObject *type) { return __atomic_load_n(&type->tp_flags, __ATOMIC_RELAXED); }

static PyObject *get_abstractmethods(PyObject *self, void *closure)
{
    PyObject *methods = self != (PyObject *)&PyType_Type ? own((PyTypeObject *)self, STR(__abstractmethods__)) : NULL;
    if (methods == NULL)
        PyErr_SetObject(PyExc_AttributeError, STR(__abstractmethods__));
    return methods;
}

static int set_abstractmethods(PyObject *self, PyObject *value, void *closure)
{
    PyTypeObject *type = (PyTypeObject *)self;
    int abstract = 0;
    if (value != NULL && (abstract = PyObject_IsTrue(value)) < 0)
        return -1;
    if (value == NULL) {
        PyObject *old = own(type, STR(__abstractmethods__));
        if (old == NULL) {
            PyErr_SetObject(PyExc_AttributeError, STR(__abstractmethods__));
            return -1;
        }
        Py_DECREF(old);
    }
    if (type_set_attr(type, STR(__abstractmethods__), value) < 0)
        return -1;
    if (abstract)
        __atomic_or_fetch(&type->tp_flags, Py_TPFLAGS_IS_ABSTRACT, __ATOMIC_RELAXED);
    else
        __atomic_and_fetch(&type->tp_flags, ~Py_TPFLAGS_IS_ABSTRACT, __ATOMIC_RELAXED);
    return 0;
}

static PyObject *get_doc(PyObject *self, void *closure)
{
    PyTypeObject *type = (PyTypeObject *)self;
    if (!is_heap(type) && type->tp_doc != NULL)
        return _PyType_GetDocFromInternalDoc(short_name(type), type->tp_doc);
    PyObject *doc = own(type, STR(__doc__));
    if (doc == NULL)
        return Py_None;
    descrgetfunc get = Py_TYPE(doc)->tp_descr_get;
    if (get != NULL)
        Py_SETREF(doc, get(doc, NULL, self));
    return doc;
}

static int set_doc(PyObject *self, PyObject *value, void *closure)
{
    return may_set_special((PyTypeObject *)self, value, "__doc__") ? type_set_attr((PyTypeObject *)self, STR(__doc__), value)
                                                                   : -1;
}

static PyObject *get_text_signature(PyObject *self, void *closure)
{
    PyTypeObject *type = (PyTypeObject *)self;
    return _PyType_GetTextSignatureFromInternalDoc(short_name(type), type->tp_doc);
}

static PyObject *get_annotations(PyObject *self, void *closure)
{
    PyTypeObject *type = (PyTypeObject *)self;
    if (!is_heap(type)) {
        PyErr_Format(PyExc_AttributeError, "type object '%s' has no attribute '__annotations__'", type->tp_name);
        return NULL;
    }
    PyObject *annotations = own(type, STR(__annotations__));
    if (annotations != NULL) {
        descrgetfunc get = Py_TYPE(annotations)->tp_descr_get;
        if (get != NULL)
            Py_SETREF(annotations, get(annotations, NULL, self));
        return annotations;
    }
    annotations = PyDict_New();
    if (annotations == NULL)
        return NULL;
    PyObject *first;
    types_lock();
    int found = type_dict_get_locked(type->tp_dict, STR(__annotations__), &first);      /* another thread's, meanwhile */
    uint64_t keys_version;
    PyObject **slot;
    int runs_code = dict_cache_slot(type->tp_dict, STR(__annotations__), &keys_version, &slot) < 0;     /* of foreign keys: not under the lock */
    if (runs_code)
        types_unlock();
    int failed = !found && type_set_attr(type, STR(__annotations__), annotations) < 0;
    if (!runs_code)
        types_unlock();
    if (found)
        Py_SETREF(annotations, first);
    else if (failed)
        Py_CLEAR(annotations);
    return annotations;
}

static int set_annotations(PyObject *self, PyObject *value, void *closure)
{
    PyTypeObject *type = (PyTypeObject *)self;
    if (PyType_HasFeature(type, Py_TPFLAGS_IMMUTABLETYPE)) {
        PyErr_Format(PyExc_TypeError, "cannot set '__annotations__' attribute of immutable type '%s'", type->tp_name);
        return -1;
    }
    if (value == NULL) {
        PyObject *old = own(type, STR(__annotations__));
        if (old == NULL) {
            PyErr_Format(PyExc_AttributeError, "__annotations__");
            return -1;
        }
        Py_DECREF(old);
    }
    return type_set_attr(type, STR(__annotations__), value);
}

static PyGetSetDef type_getset[] = {
    {"__name__", get_name, set_name, NULL, NULL},
    {"__qualname__", get_qualname, set_qualname, NULL, NULL},
    {"__bases__", get_bases, set_bases, NULL, NULL},
    {"__mro__", get_mro, NULL, NULL, NULL},
    {"__base__", get_base, NULL, NULL, NULL},
    {"__flags__", get_flags, NULL, NULL, NULL},
    {"__module__", get_module, set_module, NULL, NULL},
    {"__abstractmethods__", get_abstractmethods, set_abstractmethods, NULL, NULL},
    {"__dict__", get_dict, NULL, NULL, NULL},
    {"__doc__", get_doc, set_doc, NULL, NULL},
    {"__text_signature__", get_text_signature, NULL, NULL, NULL},
    {"__annotations__", get_annotations, set_annotations, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL}
};

static PyMemberDef type_members[] = {
    {"__basicsize__", T_PYSSIZET, offsetof(PyTypeObject, tp_basicsize), READONLY, NULL},
    {"__itemsize__", T_PYSSIZET, offsetof(PyTypeObject, tp_itemsize), READONLY, NULL},
    {"__weakrefoffset__", T_PYSSIZET, offsetof(PyTypeObject, tp_weaklistoffset), READONLY, NULL},
    {"__dictoffset__", T_PYSSIZET, offsetof(PyTypeObject, tp_dictoffset), READONLY, NULL},
    {NULL, 0, 0, 0, NULL}
};

/* ---- Attributes of classes ---- */

PyObject *type_get_attr(PyObject *self, PyObject *name, int suppress)
{
    PyTypeObject *type = (PyTypeObject *)self, *metatype = Py_TYPE(self);
    PyObject *meta, *attribute, *result;
    if (!PyUnicode_Check(name)) {
        PyErr_Format(PyExc_TypeError, "attribute name must be string, not '%.200s'", Py_TYPE(name)->tp_name);
        return NULL;
    }
    if (!PyType_HasFeature(type, Py_TPFLAGS_READY) && PyType_Ready(type) < 0)
        return NULL;
    if (type_lookup_ref(metatype, name, &meta, NULL) < 0)
        return NULL;
    descrgetfunc meta_get = meta != NULL ? Py_TYPE(meta)->tp_descr_get : NULL;
    if (meta_get != NULL && descr_is_data(meta)) {
        result = meta_get(meta, self, (PyObject *)metatype);
        Py_DECREF(meta);
        return result;
    }
    int found = type_lookup_ref(type, name, &attribute, NULL);
    if (found != 0) {
        Py_XDECREF(meta);
        if (found < 0)
            return NULL;
        descrgetfunc get = Py_TYPE(attribute)->tp_descr_get;
        if (get != NULL)
            Py_SETREF(attribute, get(attribute, NULL, self));
        return attribute;
    }
    if (meta_get != NULL) {
        result = meta_get(meta, self, (PyObject *)Py_TYPE(self));       /* not `metatype`: code may have run */
        Py_DECREF(meta);
        return result;
    }
    if (meta != NULL)
        return meta;
    if (!suppress)
        PyErr_Format(PyExc_AttributeError, "type object '%.50s' has no attribute '%U'", type->tp_name, name);
    return NULL;
}

static PyObject *type_getattro(PyObject *self, PyObject *name) { return type_get_attr(self, name, 0); }

static int type_setattro(PyObject *self, PyObject *name, PyObject *value)
{
    PyTypeObject *type = (PyTypeObject *)self;
    PyObject *meta;
    if (PyType_HasFeature(type, Py_TPFLAGS_IMMUTABLETYPE)) {
        PyErr_Format(PyExc_TypeError, "cannot set %R attribute of immutable type '%s'", name, type->tp_name);
        return -1;
    }
    if (!PyUnicode_Check(name)) {
        PyErr_Format(PyExc_TypeError, "attribute name must be string, not '%.200s'", Py_TYPE(name)->tp_name);
        return -1;
    }
    if (type_lookup_ref(Py_TYPE(self), name, &meta, NULL) < 0)
        return -1;
    int result;
    PyObject *key = PyUnicode_CheckExact(name) ? Py_NewRef(name) : _PyUnicode_Copy(name);
    if (meta != NULL && descr_is_data(meta))
        result = Py_TYPE(meta)->tp_descr_set(meta, self, value);
    else if (key == NULL || type->tp_dict == NULL)
        result = -1;
    else {
        result = type_set_attr(type, key, value);
        if (result < 0 && value == NULL && PyErr_ExceptionMatches(PyExc_KeyError)) {
            PyErr_Clear();
            PyErr_Format(PyExc_AttributeError, "type object '%.50s' has no attribute '%U'", type->tp_name, name);
        }
    }
    Py_XDECREF(key);
    Py_XDECREF(meta);
    return result;
}

/* ---- Methods ---- */

static PyObject *method_subclasses(PyObject *self, PyObject *unused) { return type_get_subclasses((PyTypeObject *)self); }

static PyObject *method_prepare(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    return PyDict_New();
}

static PyObject *method_instancecheck(PyObject *self, PyObject *op)
{
    int result = _PyObject_RealIsInstance(op, self);
    return result < 0 ? NULL : PyBool_FromLong(result);
}

static PyObject *method_subclasscheck(PyObject *self, PyObject *cls)
{
    int result = _PyObject_RealIsSubclass(cls, self);
    return result < 0 ? NULL : PyBool_FromLong(result);
}

/* Collects the names of a class and its bases into a dict. */
static int merge_class_names(PyObject *names, PyObject *cls)
{
    PyObject *dict, *bases;
    if (PyObject_GetOptionalAttr(cls, STR(__dict__), &dict) < 0)
        return -1;
    if (dict != NULL) {
        int failed = PyDict_Update(names, dict);
        Py_DECREF(dict);
        if (failed)
            return -1;
    }
    if (PyObject_GetOptionalAttr(cls, STR(__bases__), &bases) < 0)
        return -1;
    if (bases == NULL)
        return 0;
    Py_ssize_t n = PySequence_Size(bases);
    int result = n < 0 ? -1 : 0;
    if (n < 0)
        PyErr_Clear();
    for (Py_ssize_t i = 0; i < n && result == 0; i++) {
        PyObject *base = PySequence_GetItem(bases, i);
        result = base == NULL || Py_EnterRecursiveCall(" in dir()") < 0 ? -1 : 0;
        if (result == 0) {
            result = merge_class_names(names, base);
            Py_LeaveRecursiveCall();
        }
        Py_XDECREF(base);
    }
    Py_DECREF(bases);
    return n < 0 ? 0 : result;
}

int type_merge_class_names(PyObject *names, PyObject *cls) { return merge_class_names(names, cls); }

static PyObject *method_dir(PyObject *self, PyObject *unused)
{
    PyObject *names = PyDict_New(), *keys = NULL;
    if (names != NULL && merge_class_names(names, self) == 0)
        keys = PyDict_Keys(names);
    Py_XDECREF(names);
    return keys;
}

static PyObject *method_sizeof(PyObject *self, PyObject *unused)
{
    PyTypeObject *type = (PyTypeObject *)self;
    size_t size = is_heap(type) ? sizeof(PyHeapTypeObject) : sizeof(PyTypeObject);
    return PyLong_FromSize_t(size + (type->tp_private != NULL ? sizeof(struct type_private) : 0));
}

static PyMethodDef type_methods[] = {
    {"mro", type_mro_method, METH_NOARGS, "mro($self, /)\n--\n\nThe order in which the class and its bases are searched."},
    {"__subclasses__", method_subclasses, METH_NOARGS, "__subclasses__($self, /)\n--\n\nThe living direct subclasses."},
    {"__prepare__", _PyCFunction_CAST(method_prepare), METH_FASTCALL | METH_KEYWORDS | METH_CLASS,
     "The namespace for the body of a class: a new dict."},
    {"__instancecheck__", method_instancecheck, METH_O, "__instancecheck__($self, instance, /)\n--\n\nisinstance(instance, self)"},
    {"__subclasscheck__", method_subclasscheck, METH_O, "__subclasscheck__($self, subclass, /)\n--\n\nissubclass(subclass, self)"},
    {"__dir__", method_dir, METH_NOARGS, "__dir__($self, /)\n--\n\nThe names of the class and its bases."},
    {"__sizeof__", method_sizeof, METH_NOARGS, "__sizeof__($self, /)\n--\n\nBytes used by the type object."},
    {NULL, NULL, 0, NULL}
};

/* ---- Life ---- */

static int type_traverse(PyObject *self, visitproc visit, void *arg)
{
    PyTypeObject *type = (PyTypeObject *)self;
    PyHeapTypeObject *heap = (PyHeapTypeObject *)self;
    if (!is_heap(type))
        return 0;
    Py_VISIT(type->tp_dict);
    Py_VISIT(type->tp_cache);
    Py_VISIT(type->tp_mro);
    Py_VISIT(type->tp_bases);
    Py_VISIT(type->tp_base);
    Py_VISIT(heap->ht_module);
    Py_VISIT(heap->ht_name);
    Py_VISIT(heap->ht_qualname);
    Py_VISIT(heap->ht_slots);
    struct type_private *private = type->tp_private;
    for (uint32_t i = 0; private != NULL && i < private->subclass_count; i++)
        Py_VISIT(private->subclasses[i]);
    for (uint32_t i = 0; private != NULL && i < private->old_name_count; i++)
        Py_VISIT(private->old_names[i]);
    return 0;
}

static void leave_bases(PyTypeObject *type)
{
    PyObject *bases = type->tp_bases;
    for (Py_ssize_t i = 0; bases != NULL && i < PyTuple_GET_SIZE(bases); i++)
        if (PyType_Check(PyTuple_GET_ITEM(bases, i)))
            type_remove_subclass((PyTypeObject *)PyTuple_GET_ITEM(bases, i), type);
}

static int type_clear(PyObject *self)
{
    PyTypeObject *type = (PyTypeObject *)self;
    if (!is_heap(type))
        return 0;
    PyType_Modified(type);
    if (type->tp_dict != NULL)
        PyDict_Clear(type->tp_dict);
    PyHeapTypeObject *heap = (PyHeapTypeObject *)type;
    PyObject *module = heap->ht_module, *slots = heap->ht_slots, *mro;
    heap->ht_module = NULL;
    heap->ht_slots = NULL;
    mro = __atomic_exchange_n(&type->tp_mro, NULL, __ATOMIC_ACQ_REL);
    Py_XDECREF(module);
    Py_XDECREF(slots);
    Py_XDECREF(mro);
    return 0;
}

static void type_dealloc(PyObject *self)
{
    PyTypeObject *type = (PyTypeObject *)self;
    PyHeapTypeObject *heap = (PyHeapTypeObject *)self;
    object_untrack(self);
    if (_PyObject_HAS_WEAKREFS(type->tp_weaklist))
        PyObject_ClearWeakRefs(self);
    PyType_Modified(type);
    if (type->tp_private != NULL) {
        leave_bases(type);
        shape_free_all(type);
        for (uint32_t i = 0; i < type->tp_private->subclass_count; i++)
            Py_XDECREF(type->tp_private->subclasses[i]);
        PyMem_Free(type->tp_private->subclasses);
        for (uint32_t i = 0; i < type->tp_private->old_name_count; i++)
            Py_DECREF(type->tp_private->old_names[i]);
        PyMem_Free(type->tp_private->old_names);
        PyMem_Free(type->tp_private->members);
        PyMem_Free(type->tp_private->name_utf8);
        PyMem_Free(type->tp_private);
        type->tp_private = NULL;
    }
    Py_CLEAR(type->tp_base);
    Py_CLEAR(type->tp_dict);
    Py_CLEAR(type->tp_bases);
    Py_CLEAR(type->tp_mro);
    Py_CLEAR(type->tp_cache);
    PyMem_Free((void *)type->tp_doc);
    Py_CLEAR(heap->ht_name);
    Py_CLEAR(heap->ht_qualname);
    Py_CLEAR(heap->ht_slots);
    Py_CLEAR(heap->ht_module);
    PyTypeObject *metatype = Py_TYPE(self);
    int counted = object_counts_type(self);
    metatype->tp_free(self);
    if (counted)
        Py_DECREF(metatype);
}

static int type_is_gc(PyObject *self) { return is_heap((PyTypeObject *)self); }

static int type_init(PyObject *self, PyObject *args, PyObject *kwds)
{
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    if (kwds != NULL && n == 1 && PyDict_GET_SIZE(kwds) != 0) {
        PyErr_SetString(PyExc_TypeError, "type.__init__() takes no keyword arguments");
        return -1;
    }
    if (n != 1 && n != 3) {
        PyErr_SetString(PyExc_TypeError, "type.__init__() takes 1 or 3 arguments");
        return -1;
    }
    return 0;
}

static PyNumberMethods type_as_number = {.nb_or = _Py_union_type_or};

PyTypeObject PyType_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "type",
    .tp_basicsize = sizeof(PyHeapTypeObject),
    .tp_dealloc = type_dealloc,
    .tp_vectorcall_offset = offsetof(PyTypeObject, tp_vectorcall),
    .tp_repr = type_repr,
    .tp_as_number = &type_as_number,
    .tp_getattro = type_getattro,
    .tp_setattro = type_setattro,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_TYPE_SUBCLASS
                | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_doc = "type(object) -> the object's type\ntype(name, bases, dict, **kwds) -> a new type",
    .tp_call = type_call,
    .tp_traverse = type_traverse,
    .tp_clear = type_clear,
    .tp_weaklistoffset = offsetof(PyTypeObject, tp_weaklist),
    .tp_methods = type_methods,
    .tp_members = type_members,
    .tp_getset = type_getset,
    .tp_dictoffset = offsetof(PyTypeObject, tp_dict),
    .tp_init = type_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = type_new,
    .tp_free = PyObject_GC_Del,
    .tp_is_gc = type_is_gc,
    .tp_vectorcall = type_vectorcall,
};

/* Changes the type of an object: of one that the caller alone can see, or in a pause. */
void _Py_SetType(PyObject *op, PyTypeObject *type)
{
    __atomic_store_n(&op->hdr_type, type, __ATOMIC_RELEASE);
}
