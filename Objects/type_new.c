/* type.__new__: makes a class from a name, bases and a namespace. */
#include "Python.h"

#include "call.h"
#include "dict.h"
#include "instance.h"
#include "memory.h"
#include "type.h"
#include "unicode.h"

struct making {
    PyTypeObject *metatype;
    PyObject *name, *bases, *namespace, *dict, *slots;      /* bases, dict, slots: owned */
    PyTypeObject *base;                                     /* borrowed from bases */
    int add_dict, add_weak, may_add_dict, may_add_weak;
    PyHeapTypeObject *type;                                 /* owned */
};

/* ---- Arguments ---- */

static int check_bases(struct making *m)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(m->bases); i++) {
        PyObject *base = PyTuple_GET_ITEM(m->bases, i), *entries;
        if (PyType_Check(base))
            continue;
        if (PyObject_GetOptionalAttr(base, STR(__mro_entries__), &entries) < 0)
            return -1;
        if (entries != NULL) {
            Py_DECREF(entries);
            PyErr_SetString(PyExc_TypeError, "type() doesn't support MRO entry resolution; use types.new_class()");
            return -1;
        }
    }
    return 0;
}

/* ---- __slots__ ---- */

/* __name -> _Class__name */
static PyObject *mangle(PyObject *class_name, PyObject *name)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(name), skip = 0;
    if (n < 3 || PyUnicode_READ_CHAR(name, 0) != '_' || PyUnicode_READ_CHAR(name, 1) != '_'
        || (PyUnicode_READ_CHAR(name, n - 1) == '_' && PyUnicode_READ_CHAR(name, n - 2) == '_')
        || PyUnicode_FindChar(name, '.', 0, n, 1) >= 0)
        return Py_NewRef(name);
    while (skip < PyUnicode_GET_LENGTH(class_name) && PyUnicode_READ_CHAR(class_name, skip) == '_')
        skip++;
    if (skip == PyUnicode_GET_LENGTH(class_name))
        return Py_NewRef(name);
    PyObject *stem = PyUnicode_Substring(class_name, skip, PyUnicode_GET_LENGTH(class_name));
    PyObject *result = stem != NULL ? PyUnicode_FromFormat("_%U%U", stem, name) : NULL;
    Py_XDECREF(stem);
    return result;
}

/* Looks at one item. Appends the mangled name to `names` unless it stands for the dict or the weak reference list. */
static int take_slot(struct making *m, PyObject *item, PyObject *names)
{
    if (!PyUnicode_Check(item)) {
        PyErr_Format(PyExc_TypeError, "__slots__ items must be strings, not '%.200s'", Py_TYPE(item)->tp_name);
        return -1;
    }
    if (!PyUnicode_IsIdentifier(item)) {
        PyErr_SetString(PyExc_TypeError, "__slots__ must be identifiers");
        return -1;
    }
    if (unicode_equal(item, STR(__dict__))) {
        if (!m->may_add_dict || m->add_dict) {
            PyErr_SetString(PyExc_TypeError, "__dict__ slot disallowed: we already got one");
            return -1;
        }
        m->add_dict = 1;
        return 0;
    }
    if (unicode_equal(item, STR(__weakref__))) {
        if (!m->may_add_weak || m->add_weak) {
            PyErr_SetString(PyExc_TypeError, "__weakref__ slot disallowed: either we already got one, or __itemsize__ != 0");
            return -1;
        }
        m->add_weak = 1;
        return 0;
    }
    PyObject *name = mangle(m->name, item);
    if (name == NULL)
        return -1;
    PyUnicode_InternInPlace(&name);
    int result = PyList_Append(names, name);
    if (result == 0) {
        int found = PyDict_Contains(m->dict, name);
        if (found < 0)
            result = -1;
        else if (found && !unicode_equal(name, STR(__qualname__)) && !unicode_equal(name, STR(__classcell__))) {
            PyErr_Format(PyExc_ValueError, "%R in __slots__ conflicts with class variable", name);
            result = -1;
        }
    }
    Py_DECREF(name);
    return result;
}

/* A secondary base with a dict or weak references gives them to the class. */
static void look_at_other_bases(struct making *m)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(m->bases); i++) {
        PyTypeObject *base = (PyTypeObject *)PyTuple_GET_ITEM(m->bases, i);
        if (base == m->base)
            continue;
        if (m->may_add_dict && base->tp_dictoffset != 0)
            m->add_dict = 1;
        if (m->may_add_weak && base->tp_weaklistoffset != 0)
            m->add_weak = 1;
    }
}

static int find_slots(struct making *m)
{
    PyObject *slots = NULL, *names = NULL;
    int result = -1;
    m->may_add_dict = m->base->tp_dictoffset == 0;
    m->may_add_weak = m->base->tp_weaklistoffset == 0 && m->base->tp_itemsize == 0;
    int found = dict_get_str_ref(m->dict, STR(__slots__), &slots);
    if (found < 0)
        return -1;
    if (found == 0) {
        m->add_dict = m->may_add_dict;
        m->add_weak = m->may_add_weak;
        return 0;
    }
    if (PyUnicode_Check(slots))
        Py_SETREF(slots, PyTuple_Pack(1, slots));
    else
        Py_SETREF(slots, PySequence_Tuple(slots));
    if (slots == NULL)
        return -1;
    if (PyTuple_GET_SIZE(slots) > 0 && (m->base->tp_itemsize != 0 || PyType_FastSubclass(m->base, Py_TPFLAGS_TYPE_SUBCLASS))) {
        PyErr_Format(PyExc_TypeError, "nonempty __slots__ not supported for subtype of '%s'", m->base->tp_name);
        goto done;
    }
    names = PyList_New(0);
    if (names == NULL)
        goto done;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(slots); i++)
        if (take_slot(m, PyTuple_GET_ITEM(slots, i), names) < 0)
            goto done;
    look_at_other_bases(m);
    if (PyList_Sort(names) < 0)
        goto done;
    m->slots = PyList_AsTuple(names);
    result = m->slots != NULL ? 0 : -1;
done:
    Py_XDECREF(slots);
    Py_XDECREF(names);
    return result;
}

/* ---- __dict__ and __weakref__ ---- */

/* A base in C that has a dict of its own knows best how to get at it. */
static PyTypeObject *base_with_dict(PyTypeObject *type)
{
    for (; type->tp_base != NULL; type = type->tp_base)
        if (type->tp_dictoffset != 0 && !PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE))
            return type;
    return NULL;
}

static PyObject *dict_descriptor_of(PyTypeObject *type)
{
    PyObject *descr;
    if (type_lookup_ref(type, STR(__dict__), &descr, NULL) <= 0)
        return NULL;
    if (!descr_is_data(descr))
        Py_CLEAR(descr);
    return descr;
}

static PyObject *get_dict(PyObject *self, void *closure)
{
    PyTypeObject *base = base_with_dict(Py_TYPE(self));
    if (base != NULL) {
        PyObject *descr = dict_descriptor_of(base);
        if (descr == NULL) {
            PyErr_Format(PyExc_TypeError, "this __dict__ descriptor does not support '%s' objects", Py_TYPE(self)->tp_name);
            return NULL;
        }
        descrgetfunc get = Py_TYPE(descr)->tp_descr_get;
        PyObject *result = get != NULL ? get(descr, self, (PyObject *)Py_TYPE(self)) : NULL;
        Py_DECREF(descr);
        if (get != NULL)
            return result;
    }
    return PyObject_GenericGetDict(self, NULL);
}

static int set_dict(PyObject *self, PyObject *value, void *closure)
{
    PyTypeObject *base = base_with_dict(Py_TYPE(self));
    if (base != NULL) {
        PyObject *descr = dict_descriptor_of(base);
        if (descr == NULL) {
            PyErr_Format(PyExc_TypeError, "this __dict__ descriptor does not support '%s' objects", Py_TYPE(self)->tp_name);
            return -1;
        }
        int result = Py_TYPE(descr)->tp_descr_set(descr, self, value);
        Py_DECREF(descr);
        return result;
    }
    if (value != NULL && !PyDict_Check(value)) {
        PyErr_Format(PyExc_TypeError, "__dict__ must be set to a dictionary, not a '%.200s'", Py_TYPE(value)->tp_name);
        return -1;
    }
    return instance_set_dict(self, value);
}

static PyObject *get_weakref(PyObject *self, void *closure)
{
    PyTypeObject *type = Py_TYPE(self);
    if (type->tp_weaklistoffset == 0) {
        PyErr_SetString(PyExc_AttributeError, "This object has no __weakref__");
        return NULL;
    }
    PyObject *head = __atomic_load_n((PyObject **)((char *)self + type->tp_weaklistoffset), __ATOMIC_ACQUIRE);
    return head != NULL && object_try_incref(head) ? head : Py_None;
}

static PyGetSetDef dict_and_weakref[] = {
    {"__dict__", get_dict, set_dict, "The attributes of the instance.", NULL},
    {"__weakref__", get_weakref, NULL, "The first weak reference to the instance, or None.", NULL},
    {NULL, NULL, NULL, NULL, NULL}
};
static PyGetSetDef only_dict[] = {
    {"__dict__", get_dict, set_dict, "The attributes of the instance.", NULL}, {NULL, NULL, NULL, NULL, NULL}
};

/* ---- Layout ---- */

static int has_c_dict_base(PyTypeObject *type)
{
    while (type->tp_dealloc == subtype_dealloc)
        type = type->tp_base;
    return type->tp_dictoffset != 0;
}

/* Inline attributes are for classes whose dict pointer was added by a class made in Python: C code looks into its own. */
static int may_have_inline_attrs(PyTypeObject *type)
{
    return PyType_HasFeature(type, Py_TPFLAGS_HAVE_GC) && type->tp_dictoffset > 0 && type->tp_itemsize == 0
           && type->tp_alloc == PyType_GenericAlloc
           && !PyType_FastSubclass(type, Py_TPFLAGS_LIST_SUBCLASS | Py_TPFLAGS_TYPE_SUBCLASS) && !has_c_dict_base(type);
}

static int lay_out(struct making *m)
{
    PyTypeObject *type = &m->type->ht_type;
    Py_ssize_t offset = m->base->tp_basicsize, n = m->slots != NULL ? PyTuple_GET_SIZE(m->slots) : 0;
    struct type_private *private = type->tp_private = type_private_new();
    if (private == NULL)
        return -1;
    private->members = PyMem_Calloc((size_t)n + 1, sizeof(PyMemberDef));
    if (private->members == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    if (n > 0)
        offset = (offset + 7) & ~(Py_ssize_t)7;
    for (Py_ssize_t i = 0; i < n; i++, offset += sizeof(PyObject *)) {
        PyMemberDef *member = &private->members[i];
        member->name = PyUnicode_AsUTF8(PyTuple_GET_ITEM(m->slots, i));
        if (member->name == NULL)
            return -1;
        member->type = T_OBJECT_EX;
        member->offset = offset;
        member->flags = _Py_MEMBER_LOCK_FREE;
    }
    private->member_count = (uint32_t)n;
    type->tp_members = private->members;
    if (m->add_weak) {
        offset = (offset + 7) & ~(Py_ssize_t)7;
        type->tp_weaklistoffset = offset;
        offset += sizeof(PyObject *);
    }
    if (m->add_dict) {
        if (m->base->tp_itemsize != 0) {
            type->tp_dictoffset = -(Py_ssize_t)sizeof(PyObject *);
            offset += sizeof(PyObject *);
        }
        else {
            offset = (offset + 7) & ~(Py_ssize_t)7;
            type->tp_dictoffset = offset;
            offset += sizeof(PyObject *);
        }
    }
    type->tp_basicsize = offset;
    type->tp_itemsize = m->base->tp_itemsize;
    /* For subclasses that add neither, the base's descriptors do. */
    if (m->add_dict && m->add_weak)
        type->tp_getset = dict_and_weakref;
    else if (m->add_dict)
        type->tp_getset = only_dict;
    else if (m->add_weak)
        type->tp_getset = dict_and_weakref + 1;
    return 0;
}

/* ---- The type object ---- */

static int make_type(struct making *m)
{
    PyHeapTypeObject *heap = (PyHeapTypeObject *)m->metatype->tp_alloc(m->metatype, 0);
    if (heap == NULL)
        return -1;
    m->type = heap;
    PyTypeObject *type = &heap->ht_type;
    object_set_deferred((PyObject *)heap);
    type->tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HEAPTYPE | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_FINALIZE;
    type->tp_as_async = &heap->as_async;
    type->tp_as_sequence = &heap->as_sequence;
    type->tp_as_mapping = &heap->as_mapping;
    type->tp_as_number = &heap->as_number;
    type->tp_as_buffer = &heap->as_buffer;
    heap->ht_name = Py_NewRef(m->name);
    heap->ht_qualname = Py_NewRef(m->name);     /* until set_qualname; what runs before that may find the class */
    heap->ht_slots = Py_XNewRef(m->slots);
    Py_ssize_t length;
    type->tp_name = PyUnicode_AsUTF8AndSize(m->name, &length);
    if (type->tp_name == NULL)
        return -1;
    if (strlen(type->tp_name) != (size_t)length) {
        PyErr_SetString(PyExc_ValueError, "type name must not contain null characters");
        return -1;
    }
    type->tp_bases = Py_NewRef(m->bases);
    type->tp_base = (PyTypeObject *)Py_NewRef(m->base);
    type->tp_dict = Py_NewRef(m->dict);
    if (lay_out(m) < 0)
        return -1;
    type->tp_alloc = PyType_GenericAlloc;
    type->tp_dealloc = subtype_dealloc;
    if (PyType_HasFeature(m->base, Py_TPFLAGS_HAVE_GC) || type->tp_basicsize > m->base->tp_basicsize) {
        type->tp_flags |= Py_TPFLAGS_HAVE_GC;
        type->tp_free = PyObject_GC_Del;
        type->tp_traverse = subtype_traverse;
        type->tp_clear = subtype_clear;
    }
    else
        type->tp_free = PyObject_Free;
    type->tp_vectorcall = type_vectorcall;
    return 0;
}

/* ---- Special entries of the namespace ---- */

static int set_module_name(PyObject *dict)
{
    int found = PyDict_Contains(dict, STR(__module__));
    if (found != 0)
        return found < 0 ? -1 : 0;
    PyObject *globals = PyEval_GetGlobals(), *module;
    if (globals == NULL)
        return 0;
    found = PyDict_GetItemRef(globals, STR(__name__), &module);
    if (found <= 0)
        return found;
    int result = PyDict_SetItem(dict, STR(__module__), module);
    Py_DECREF(module);
    return result;
}

static int set_qualname(struct making *m)
{
    PyObject *qualname;
    int found = dict_get_str_ref(m->dict, STR(__qualname__), &qualname);
    if (found < 0)
        return -1;
    if (found == 0)
        return 0;
    if (!PyUnicode_Check(qualname)) {
        PyErr_Format(PyExc_TypeError, "type __qualname__ must be a str, not %s", Py_TYPE(qualname)->tp_name);
        Py_DECREF(qualname);
        return -1;
    }
    PyObject *old = __atomic_exchange_n(&m->type->ht_qualname, qualname, __ATOMIC_ACQ_REL);
    Py_DECREF(old);     /* the class has it as its name, too */
    return PyDict_DelItem(m->dict, STR(__qualname__));
}

static int set_doc(struct making *m)
{
    PyObject *doc;
    int found = dict_get_str_ref(m->dict, STR(__doc__), &doc), result = 0;
    if (found <= 0)
        return found;
    if (PyUnicode_Check(doc)) {
        Py_ssize_t length;
        const char *text = PyUnicode_AsUTF8AndSize(doc, &length);
        char *copy = text != NULL ? PyMem_Malloc((size_t)length + 1) : NULL;
        if (copy != NULL)
            m->type->ht_type.tp_doc = memcpy(copy, text, (size_t)length + 1);
        else {
            if (text != NULL)
                PyErr_NoMemory();
            result = -1;
        }
    }
    Py_DECREF(doc);
    return result;
}

/* A plain function under this name becomes a static or class method. */
static int wrap_function(PyObject *dict, PyObject *name, PyObject *(*wrap)(PyObject *))
{
    PyObject *func;
    int found = dict_get_str_ref(dict, name, &func), result = 0;
    if (found <= 0)
        return found;
    if (PyFunction_Check(func)) {
        PyObject *wrapped = wrap(func);
        result = wrapped != NULL ? PyDict_SetItem(dict, name, wrapped) : -1;
        Py_XDECREF(wrapped);
    }
    Py_DECREF(func);
    return result;
}

static int set_class_cell(struct making *m)
{
    PyObject *cell;
    int found = dict_get_str_ref(m->dict, STR(__classcell__), &cell);
    if (found <= 0)
        return found;
    int result = -1;
    if (!PyCell_Check(cell))
        PyErr_Format(PyExc_TypeError, "__classcell__ must be a nonlocal cell, not %.200R", Py_TYPE(cell));
    else if (PyCell_Set(cell, (PyObject *)m->type) == 0)
        result = PyDict_DelItem(m->dict, STR(__classcell__));
    Py_DECREF(cell);
    return result;
}

/* ---- Hooks that run once the class exists ---- */

static int call_set_names(struct making *m)
{
    PyObject *copy = PyDict_Copy(m->dict), *key, *value;
    Py_ssize_t position = 0;
    int result = 0;
    if (copy == NULL)
        return -1;
    while (result == 0 && dict_next_ref(copy, &position, &key, &value, NULL)) {
        int self_needed;
        PyObject *hook = type_lookup_special_unbound(value, STR(__set_name__), &self_needed);
        if (hook != NULL) {
            PyObject *args[3] = {value, (PyObject *)m->type, key};
            PyObject *answer = self_needed ? call_vectorcall(hook, args, 3, NULL) : call_vectorcall(hook, args + 1, 2, NULL);
            Py_DECREF(hook);
            if (answer == NULL) {
                _PyErr_FormatFromCause(PyExc_RuntimeError, "Error calling __set_name__ on '%.100s' instance %R in '%.100s'",
                                       Py_TYPE(value)->tp_name, key, m->type->ht_type.tp_name);
                result = -1;
            }
            Py_XDECREF(answer);
        }
        else if (PyErr_Occurred())
            result = -1;
        Py_DECREF(key);
        Py_DECREF(value);
    }
    Py_DECREF(copy);
    return result;
}

static int call_init_subclass(struct making *m, PyObject *kwds)
{
    PyObject *type = (PyObject *)m->type, *args[2] = {type, type};
    PyObject *super = PyObject_Vectorcall((PyObject *)&PySuper_Type, args, 2, NULL), *func, *result = NULL;
    if (super == NULL)
        return -1;
    func = PyObject_GetAttr(super, STR(__init_subclass__));
    Py_DECREF(super);
    if (func != NULL) {
        result = PyObject_VectorcallDict(func, NULL, 0, kwds);
        Py_DECREF(func);
    }
    Py_XDECREF(result);
    return result != NULL ? 0 : -1;
}

/* ---- All together ---- */

static int build(struct making *m, PyObject *kwds)
{
    if (PyTuple_GET_SIZE(m->bases) == 0)
        Py_SETREF(m->bases, PyTuple_Pack(1, &PyBaseObject_Type));
    if (m->bases == NULL || (m->base = type_best_base(m->bases)) == NULL)
        return -1;
    m->dict = PyDict_Copy(m->namespace);
    if (m->dict == NULL || find_slots(m) < 0 || make_type(m) < 0)
        return -1;
    PyTypeObject *type = &m->type->ht_type;
    if (set_module_name(m->dict) < 0 || set_qualname(m) < 0 || set_doc(m) < 0
        || wrap_function(m->dict, STR(__new__), PyStaticMethod_New) < 0
        || wrap_function(m->dict, STR(__init_subclass__), PyClassMethod_New) < 0
        || wrap_function(m->dict, STR(__class_getitem__), PyClassMethod_New) < 0
        || set_class_cell(m) < 0 || type_ready(type) < 0)
        return -1;
    /* No memory for shapes: then instances have dicts. */
    if (may_have_inline_attrs(type))
        shape_root_init(type, (uint32_t)((type->tp_basicsize + 7) & ~(Py_ssize_t)7));
    if (call_set_names(m) < 0 || call_init_subclass(m, kwds) < 0)
        return -1;
    return 0;
}

PyObject *type_new(PyTypeObject *metatype, PyObject *args, PyObject *kwds)
{
    struct making m = {.metatype = metatype};
    if (!PyArg_ParseTuple(args, "UO!O!:type.__new__", &m.name, &PyTuple_Type, &m.bases, &PyDict_Type, &m.namespace))
        return NULL;
    if (check_bases(&m) < 0)
        return NULL;
    PyTypeObject *winner = type_calculate_metaclass(metatype, m.bases);
    if (winner == NULL)
        return NULL;
    if (winner != metatype) {
        if (winner->tp_new != type_new)
            return winner->tp_new(winner, args, kwds);
        m.metatype = winner;
    }
    Py_INCREF(m.bases);
    int result = build(&m, kwds);
    Py_XDECREF(m.bases);
    Py_XDECREF(m.dict);
    Py_XDECREF(m.slots);
    if (result < 0)
        Py_CLEAR(m.type);
    return (PyObject *)m.type;
}
