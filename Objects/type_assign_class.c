/* obj.__class__ = C, and whether two classes lay out their instances alike. */
#include "Python.h"

#include "instance.h"
#include "memory.h"
#include "stop_world.h"
#include "type.h"
#include "unicode.h"

/* Same C part, dict and weak references at the same places? */
static int same_slots_added(PyTypeObject *a, PyTypeObject *b)
{
    PyTypeObject *base = a->tp_base;
    if (base != b->tp_base)
        return 0;
    Py_ssize_t size = base->tp_basicsize;
    struct type_private *p = a->tp_private, *q = b->tp_private;
    if (p->member_count != q->member_count)
        return 0;
    for (uint32_t i = 0; i < p->member_count; i++)
        if (strcmp(p->members[i].name, q->members[i].name) != 0 || p->members[i].offset != q->members[i].offset)
            return 0;
    size += 8 * (Py_ssize_t)p->member_count;
    if (a->tp_weaklistoffset == size && b->tp_weaklistoffset == size)
        size += sizeof(PyObject *);
    if ((a->tp_dictoffset == size && b->tp_dictoffset == size) || (a->tp_dictoffset < 0 && base->tp_dictoffset == 0))
        size += sizeof(PyObject *);
    return size == a->tp_basicsize && size == b->tp_basicsize;
}

static int compatible_with_base(PyTypeObject *child)
{
    PyTypeObject *base = child->tp_base;
    return base != NULL && child->tp_traverse != NULL && base->tp_basicsize == child->tp_basicsize
           && base->tp_itemsize == child->tp_itemsize && base->tp_dictoffset == child->tp_dictoffset
           && base->tp_weaklistoffset == child->tp_weaklistoffset
           && PyType_HasFeature(base, Py_TPFLAGS_HAVE_GC) == PyType_HasFeature(child, Py_TPFLAGS_HAVE_GC)
           && (child->tp_clear == subtype_clear || base->tp_clear == child->tp_clear);
}

int type_layouts_compatible(PyTypeObject *old, PyTypeObject *replacement, const char *attr)
{
    PyTypeObject *a = replacement, *b = old;
    while (compatible_with_base(a))
        a = a->tp_base;
    while (compatible_with_base(b))
        b = b->tp_base;
    if (a != b && (a->tp_base != b->tp_base || a->tp_base == NULL || !PyType_HasFeature(a, Py_TPFLAGS_HEAPTYPE)
                   || !PyType_HasFeature(b, Py_TPFLAGS_HEAPTYPE) || !same_slots_added(a, b))) {
        PyErr_Format(PyExc_TypeError, "%s assignment: '%s' object layout differs from '%s'", attr, replacement->tp_name,
                     old->tp_name);
        return 0;
    }
    if (replacement->tp_free != old->tp_free) {
        PyErr_Format(PyExc_TypeError, "%s assignment: '%s' deallocator differs from '%s'", attr, replacement->tp_name,
                     old->tp_name);
        return 0;
    }
    return 1;
}

/* A shape of the new class with the same names, or 0 (dict mode) if there is none. */
static uint32_t translated(PyObject *self, PyTypeObject *type)
{
    uint32_t id = instance_shape(self);
    shape_t *shape = id & SHAPE_ID_TAG ? shape_translate(shape_from_id(id), type) : NULL;
    return shape != NULL ? shape->id : 0;
}

/* An instance of `old` has become one of `type`, and it may be an attribute of any class: if it is a descriptor now, or is none any more, what
 * caches know of those classes is wrong. */
static void tell_caches(PyTypeObject *old, PyTypeObject *type)
{
    int is_other_data = (old->tp_descr_set != NULL) != (type->tp_descr_set != NULL);
    if (!is_other_data && (old->tp_descr_get != NULL) == (type->tp_descr_get != NULL))
        return;
    types_lock();
    type_modified_locked(&PyBaseObject_Type);
    if (is_other_data)
        type_retire_shapes_locked(&PyBaseObject_Type);
    types_unlock();
}

/* One attempt; the caller holds old, which was the class of self.  1: done; 0: another thread was first; -1 with an exception */
static int change_class(PyObject *self, PyTypeObject *type, PyTypeObject *old)
{
    /* Classes of modules may be given to modules; static types never, immutable ones share their instances. */
    if (!(PyType_IsSubtype(type, &PyModule_Type) && PyType_IsSubtype(old, &PyModule_Type))
        && (PyType_HasFeature(type, Py_TPFLAGS_IMMUTABLETYPE) || PyType_HasFeature(old, Py_TPFLAGS_IMMUTABLETYPE))) {
        PyErr_SetString(PyExc_TypeError, "__class__ assignment only supported for mutable types or ModuleType subclasses");
        return -1;
    }
    if (type == old)
        return 1;
    if (!type_layouts_compatible(old, type, "__class__"))
        return -1;

    PyThreadState *ts = thread_current();
    for (;;) {
        uint32_t before = instance_shape(self), after = translated(self, type);
        if ((before & SHAPE_ID_TAG) && after == 0) {
            if (instance_to_dict_mode(self) < 0)
                return -1;
            before = 0;
        }
        int multi = runtime_is_multi(), done = 0;
        if (multi)
            stop_world_begin(ts);
        if (self->hdr_type == old && (self->hdr_shape == before || !(before & SHAPE_ID_TAG))) {
            if (before & SHAPE_ID_TAG)
                self->hdr_shape = shape_from_id(after)->id;     /* a pause that we waited for may have renumbered it */
            self->hdr_type = type;
            done = 1;
        }
        if (multi)
            stop_world_end(ts);
        if (done)
            break;
        if (Py_TYPE(self) != old)
            return 0;
    }
    tell_caches(old, type);
    if (object_counts_type(self)) {
        Py_INCREF(type);
        Py_DECREF(old);
    }
    return 1;
}

int object_set_class(PyObject *self, PyObject *value)
{
    if (value == NULL) {
        PyErr_SetString(PyExc_TypeError, "can't delete __class__ attribute");
        return -1;
    }
    if (!PyType_Check(value)) {
        PyErr_Format(PyExc_TypeError, "__class__ must be set to a class, not '%s' object", Py_TYPE(value)->tp_name);
        return -1;
    }
    if (PySys_Audit("object.__setattr__", "OsO", self, "__class__", value) < 0)
        return -1;
    int done;
    do {
        PyTypeObject *old = (PyTypeObject *)Py_NewRef((PyObject *)Py_TYPE(self));
        done = change_class(self, (PyTypeObject *)value, old);
        Py_DECREF((PyObject *)old);
    } while (done == 0);
    return done < 0 ? -1 : 0;
}
