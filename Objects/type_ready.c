/* PyType_Ready: completes a type object - dict, MRO, inherited slots, methods for its slots. */
#include "Python.h"

#include "dict.h"
#include "type.h"
#include "unicode.h"

struct type_private *type_private_new(void)
{
    static uint64_t last_id;        /* [atomic] */
    struct type_private *private = PyMem_Calloc(1, sizeof(*private));
    if (private == NULL)
        PyErr_NoMemory();
    else
        private->unique_id = __atomic_add_fetch(&last_id, 1, __ATOMIC_RELAXED);
    return private;
}

/* ---- Filling the dict ---- */

/* dict[name] = descr unless the name is taken.  Steals descr (may be NULL: error). */
static int add_steal(PyObject *dict, const char *name, PyObject *descr, int override)
{
    if (descr == NULL)
        return -1;
    PyObject *key = PyUnicode_InternFromString(name);
    int result = -1;
    if (key != NULL) {
        if (override)
            result = PyDict_SetItem(dict, key, descr);
        else
            result = PyDict_SetDefault(dict, key, descr) == NULL ? -1 : 0;
        Py_DECREF(key);
    }
    Py_DECREF(descr);
    return result;
}

static int add_methods(PyTypeObject *type)
{
    for (PyMethodDef *m = type->tp_methods; m != NULL && m->ml_name != NULL; m++) {
        PyObject *descr;
        if (m->ml_flags & METH_CLASS) {
            if (m->ml_flags & METH_STATIC) {
                PyErr_SetString(PyExc_ValueError, "method cannot be both class and static");
                return -1;
            }
            descr = PyDescr_NewClassMethod(type, m);
        }
        else if (m->ml_flags & METH_STATIC) {
            PyObject *func = PyCFunction_NewEx(m, (PyObject *)type, NULL);
            descr = func != NULL ? PyStaticMethod_New(func) : NULL;
            Py_XDECREF(func);
        }
        else
            descr = PyDescr_NewMethod(type, m);
        if (add_steal(type->tp_dict, m->ml_name, descr, m->ml_flags & METH_COEXIST) < 0)
            return -1;
    }
    return 0;
}

static int add_members(PyTypeObject *type)
{
    for (PyMemberDef *m = type->tp_members; m != NULL && m->name != NULL; m++)
        if (add_steal(type->tp_dict, m->name, PyDescr_NewMember(type, m), 0) < 0)
            return -1;
    for (PyGetSetDef *g = type->tp_getset; g != NULL && g->name != NULL; g++)
        if (add_steal(type->tp_dict, g->name, PyDescr_NewGetSet(type, g), 0) < 0)
            return -1;
    return 0;
}

static int add_doc(PyTypeObject *type)
{
    PyObject *doc = Py_None;
    if (PyDict_Contains(type->tp_dict, STR(__doc__)) != 0)
        return PyErr_Occurred() ? -1 : 0;
    if (type->tp_doc != NULL) {
        const char *name = strrchr(type->tp_name, '.');
        doc = _PyType_GetDocFromInternalDoc(name != NULL ? name + 1 : type->tp_name, type->tp_doc);
        if (doc == NULL)
            return -1;
    }
    int result = PyDict_SetItem(type->tp_dict, STR(__doc__), doc);
    Py_DECREF(doc);
    return result;
}

/* ---- Inheritance ---- */

static void inherit_flags(PyTypeObject *type, PyTypeObject *base)
{
    static const unsigned long subclass_flags =
        Py_TPFLAGS_LONG_SUBCLASS | Py_TPFLAGS_LIST_SUBCLASS | Py_TPFLAGS_TUPLE_SUBCLASS | Py_TPFLAGS_BYTES_SUBCLASS
        | Py_TPFLAGS_UNICODE_SUBCLASS | Py_TPFLAGS_DICT_SUBCLASS | Py_TPFLAGS_BASE_EXC_SUBCLASS | Py_TPFLAGS_TYPE_SUBCLASS
        | _Py_TPFLAGS_MATCH_SELF;
    type->tp_flags |= PyType_GetFlags(base) & subclass_flags;
}

/* Flags of builtin types are given by their identity, so that no definition can forget them. */
static void set_own_flags(PyTypeObject *type)
{
    static const struct { PyTypeObject *type; unsigned long flag; } own[] = {
        {&PyType_Type, Py_TPFLAGS_TYPE_SUBCLASS},
        {&PyLong_Type, Py_TPFLAGS_LONG_SUBCLASS}, {&PyBytes_Type, Py_TPFLAGS_BYTES_SUBCLASS},
        {&PyUnicode_Type, Py_TPFLAGS_UNICODE_SUBCLASS}, {&PyTuple_Type, Py_TPFLAGS_TUPLE_SUBCLASS},
        {&PyList_Type, Py_TPFLAGS_LIST_SUBCLASS}, {&PyDict_Type, Py_TPFLAGS_DICT_SUBCLASS},
    };
    for (size_t i = 0; i < Py_ARRAY_LENGTH(own); i++)
        if (own[i].type == type)
            type->tp_flags |= own[i].flag;
    if (type->tp_base == &PyBaseObject_Type && strcmp(type->tp_name, "BaseException") == 0
        && !(type->tp_flags & Py_TPFLAGS_HEAPTYPE))
        type->tp_flags |= Py_TPFLAGS_BASE_EXC_SUBCLASS;
}

static void inherit_layout(PyTypeObject *type, PyTypeObject *base)
{
    if (!(type->tp_flags & Py_TPFLAGS_HAVE_GC) && (PyType_GetFlags(base) & Py_TPFLAGS_HAVE_GC) && type->tp_traverse == NULL
        && type->tp_clear == NULL) {
        type->tp_flags |= Py_TPFLAGS_HAVE_GC;
        type->tp_traverse = base->tp_traverse;
        type->tp_clear = base->tp_clear;
    }
    if (type->tp_basicsize == 0)
        type->tp_basicsize = base->tp_basicsize;
    if (type->tp_itemsize == 0)
        type->tp_itemsize = base->tp_itemsize;
    if (type->tp_weaklistoffset == 0)
        type->tp_weaklistoffset = base->tp_weaklistoffset;
    if (type->tp_dictoffset == 0)
        type->tp_dictoffset = base->tp_dictoffset;
}

#define COPY(slot) \
    do { \
        if (type->slot == 0 && base->slot != 0 && (basebase == NULL || base->slot != basebase->slot)) \
            type->slot = base->slot; \
    } while (0)
#define COPY_IN(table, slot) \
    do { \
        if (type->table->slot == 0 && base->table->slot != 0 \
            && (basebase == NULL || basebase->table == NULL || base->table->slot != basebase->table->slot)) \
            type->table->slot = base->table->slot; \
    } while (0)

/* Slots that go together: is one of them base's own? If not, a class further on in the MRO may have the say (a plain class
 * before `int` or `type` among the bases has object's). */
#define ADDS(a, b) (basebase == NULL || base->a != basebase->a || base->b != basebase->b)

static void inherit_grouped(PyTypeObject *type, PyTypeObject *base, PyTypeObject *basebase, int own_eq_or_hash)
{
    if (type->tp_getattr == NULL && type->tp_getattro == NULL && ADDS(tp_getattr, tp_getattro)) {
        type->tp_getattr = base->tp_getattr;
        type->tp_getattro = base->tp_getattro;
    }
    if (type->tp_setattr == NULL && type->tp_setattro == NULL && ADDS(tp_setattr, tp_setattro)) {
        type->tp_setattr = base->tp_setattr;
        type->tp_setattro = base->tp_setattro;
    }
    if (type->tp_richcompare == NULL && type->tp_hash == NULL && ADDS(tp_richcompare, tp_hash) && !own_eq_or_hash) {
        type->tp_richcompare = base->tp_richcompare;
        type->tp_hash = base->tp_hash;
    }
}

static void inherit_tables(PyTypeObject *type, PyTypeObject *base, PyTypeObject *basebase)
{
#define NUMBER(slot) COPY_IN(tp_as_number, slot)
    if (type->tp_as_number != NULL && base->tp_as_number != NULL) {
        NUMBER(nb_add); NUMBER(nb_subtract); NUMBER(nb_multiply); NUMBER(nb_remainder); NUMBER(nb_divmod);
        NUMBER(nb_power); NUMBER(nb_negative); NUMBER(nb_positive); NUMBER(nb_absolute); NUMBER(nb_bool);
        NUMBER(nb_invert); NUMBER(nb_lshift); NUMBER(nb_rshift); NUMBER(nb_and); NUMBER(nb_xor); NUMBER(nb_or);
        NUMBER(nb_int); NUMBER(nb_float); NUMBER(nb_inplace_add); NUMBER(nb_inplace_subtract);
        NUMBER(nb_inplace_multiply); NUMBER(nb_inplace_remainder); NUMBER(nb_inplace_power);
        NUMBER(nb_inplace_lshift); NUMBER(nb_inplace_rshift); NUMBER(nb_inplace_and); NUMBER(nb_inplace_xor);
        NUMBER(nb_inplace_or); NUMBER(nb_true_divide); NUMBER(nb_floor_divide); NUMBER(nb_inplace_true_divide);
        NUMBER(nb_inplace_floor_divide); NUMBER(nb_index); NUMBER(nb_matrix_multiply);
        NUMBER(nb_inplace_matrix_multiply);
    }
#undef NUMBER
    if (type->tp_as_async != NULL && base->tp_as_async != NULL) {
        COPY_IN(tp_as_async, am_await); COPY_IN(tp_as_async, am_aiter); COPY_IN(tp_as_async, am_anext);
        COPY_IN(tp_as_async, am_send);
    }
    if (type->tp_as_sequence != NULL && base->tp_as_sequence != NULL) {
        COPY_IN(tp_as_sequence, sq_length); COPY_IN(tp_as_sequence, sq_concat); COPY_IN(tp_as_sequence, sq_repeat);
        COPY_IN(tp_as_sequence, sq_item); COPY_IN(tp_as_sequence, sq_ass_item); COPY_IN(tp_as_sequence, sq_contains);
        COPY_IN(tp_as_sequence, sq_inplace_concat); COPY_IN(tp_as_sequence, sq_inplace_repeat);
    }
    if (type->tp_as_mapping != NULL && base->tp_as_mapping != NULL) {
        COPY_IN(tp_as_mapping, mp_length); COPY_IN(tp_as_mapping, mp_subscript); COPY_IN(tp_as_mapping, mp_ass_subscript);
    }
    if (type->tp_as_buffer != NULL && base->tp_as_buffer != NULL) {
        COPY_IN(tp_as_buffer, bf_getbuffer); COPY_IN(tp_as_buffer, bf_releasebuffer);
    }
}

static void inherit_slots(PyTypeObject *type, PyTypeObject *base, int own_eq_or_hash)
{
    PyTypeObject *basebase = base->tp_base;
    inherit_tables(type, base, basebase);

    COPY(tp_dealloc);
    inherit_grouped(type, base, basebase, own_eq_or_hash);
    COPY(tp_repr);
    COPY(tp_vectorcall_offset);
    /* An own __call__ takes the flag away again (type_fixup_fresh_slots_locked, type_update_slot_locked). */
    if (type->tp_call == NULL && (PyType_GetFlags(base) & Py_TPFLAGS_HAVE_VECTORCALL))
        type->tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL;
    COPY(tp_call);
    COPY(tp_str);
    COPY(tp_iter);
    COPY(tp_iternext);
    if (type->tp_descr_get == NULL && (PyType_GetFlags(base) & Py_TPFLAGS_METHOD_DESCRIPTOR)
        && (!(type->tp_flags & Py_TPFLAGS_HEAPTYPE) || (type->tp_flags & Py_TPFLAGS_IMMUTABLETYPE)))
        type->tp_flags |= Py_TPFLAGS_METHOD_DESCRIPTOR;     /* nobody can give it another __get__ */
    COPY(tp_descr_get);
    /* A non-data descriptor made from a data descriptor of C would be no descriptor at all. */
    COPY(tp_descr_set);
    COPY(tp_dictoffset);
    COPY(tp_init);
    COPY(tp_alloc);
    COPY(tp_is_gc);
    COPY(tp_finalize);
    COPY(tp_del);
    if ((type->tp_flags & Py_TPFLAGS_HAVE_GC) == (PyType_GetFlags(base) & Py_TPFLAGS_HAVE_GC))
        COPY(tp_free);
    else if ((type->tp_flags & Py_TPFLAGS_HAVE_GC) && type->tp_free == NULL && base->tp_free == PyObject_Free)
        type->tp_free = PyObject_GC_Del;
}

/* ---- The parts of PyType_Ready ---- */

static int set_base_and_bases(PyTypeObject *type)
{
    if (type->tp_base == NULL && type != &PyBaseObject_Type)
        type->tp_base = &PyBaseObject_Type;
    PyTypeObject *base = type->tp_base;
    if (base != NULL && !(PyType_GetFlags(base) & Py_TPFLAGS_READY) && PyType_Ready(base) < 0)
        return -1;
    PyObject *head = (PyObject *)type;
    if (head->hdr_type == NULL)
        head->hdr_type = base != NULL ? Py_TYPE(base) : &PyType_Type;
    if (type->tp_bases == NULL) {
        type->tp_bases = base != NULL ? PyTuple_Pack(1, base) : PyTuple_New(0);
        if (type->tp_bases == NULL)
            return -1;
    }
    object_publish(type->tp_bases);
    return 0;
}

static int set_new(PyTypeObject *type)
{
    PyTypeObject *base = type->tp_base;
    if (type->tp_new == NULL && base == &PyBaseObject_Type && !(type->tp_flags & Py_TPFLAGS_HEAPTYPE))
        type->tp_flags |= Py_TPFLAGS_DISALLOW_INSTANTIATION;
    if (type->tp_flags & Py_TPFLAGS_DISALLOW_INSTANTIATION)
        type->tp_new = NULL;
    else if (type->tp_new != NULL && type_add_new(type) < 0)
        return -1;
    return 0;
}

/* Who compares in a way of his own and has no hash is not hashable.  Does the class have either of the two? 1, 0 or -1 */
static int set_hash(PyTypeObject *type)
{
    int equal = PyDict_Contains(type->tp_dict, STR(__eq__)), hash;
    if (equal < 0 || (hash = PyDict_Contains(type->tp_dict, STR(__hash__))) < 0)
        return -1;
    if (equal && !hash && type->tp_hash == NULL) {
        if (PyDict_SetItem(type->tp_dict, STR(__hash__), Py_None) < 0)
            return -1;
        type->tp_hash = PyObject_HashNotImplemented;
    }
    return equal || hash;
}

static void inherit_all(PyTypeObject *type, int own_eq_or_hash)
{
    PyTypeObject *base = type->tp_base;
    if (base != NULL) {
        inherit_layout(type, base);
        if (type->tp_new == NULL && !(type->tp_flags & Py_TPFLAGS_DISALLOW_INSTANTIATION))
            type->tp_new = base->tp_new;
        if (type->tp_as_async == NULL)
            type->tp_as_async = base->tp_as_async;
        if (type->tp_as_number == NULL)
            type->tp_as_number = base->tp_as_number;
        if (type->tp_as_sequence == NULL)
            type->tp_as_sequence = base->tp_as_sequence;
        if (type->tp_as_mapping == NULL)
            type->tp_as_mapping = base->tp_as_mapping;
        if (type->tp_as_buffer == NULL)
            type->tp_as_buffer = base->tp_as_buffer;
    }
    PyObject *mro = type->tp_mro;
    for (Py_ssize_t i = 1; i < PyTuple_GET_SIZE(mro); i++) {
        PyTypeObject *b = (PyTypeObject *)PyTuple_GET_ITEM(mro, i);
        if (!PyType_Check(b))
            continue;
        inherit_slots(type, b, own_eq_or_hash);
        inherit_flags(type, b);
        if (!(type->tp_flags & (Py_TPFLAGS_SEQUENCE | Py_TPFLAGS_MAPPING)))
            type->tp_flags |= PyType_GetFlags(b) & (Py_TPFLAGS_SEQUENCE | Py_TPFLAGS_MAPPING);
    }
    /* Nobody after the first in the MRO has his own, as where a metaclass turns the order round. */
    if (type->tp_base != NULL)
        inherit_grouped(type, type->tp_base, NULL, own_eq_or_hash);
    if (type->tp_vectorcall_offset > 0 && type->tp_call == NULL && (type->tp_flags & Py_TPFLAGS_HEAPTYPE))
        type->tp_call = PyVectorcall_Call;
}

/* What is taken from the bases, and telling them. One section of the types lock, and nothing of it runs code but for a
 * metaclass's mro(): so no base changes between the look at it and its learning of the subclass. */
static int join_bases(PyTypeObject *type, int own_eq_or_hash)
{
    if (type_install_mro(type) < 0)
        return -1;
    inherit_all(type, own_eq_or_hash);
    if (type == &PyBaseObject_Type || type->tp_base == NULL)
        inherit_flags(type, type);
    if (type->tp_alloc == NULL)
        type->tp_alloc = PyType_GenericAlloc;
    if (type->tp_free == NULL)
        type->tp_free = type->tp_flags & Py_TPFLAGS_HAVE_GC ? PyObject_GC_Del : PyObject_Free;
    if (type->tp_flags & Py_TPFLAGS_HEAPTYPE)
        type_fixup_fresh_slots_locked(type);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(type->tp_bases); i++)
        if (type_add_subclass((PyTypeObject *)PyTuple_GET_ITEM(type->tp_bases, i), type) < 0)
            return -1;
    /* Other threads may find it as a subclass from here on. */
    __atomic_store_n(&type->tp_flags, (type->tp_flags & ~Py_TPFLAGS_READYING) | Py_TPFLAGS_READY, __ATOMIC_RELEASE);
    return 0;
}

int type_ready(PyTypeObject *type)
{
    type->tp_flags |= Py_TPFLAGS_READYING;
    if (type == &PyBaseObject_Type)
        types_init_locks();
    set_own_flags(type);
    if (set_base_and_bases(type) < 0)
        goto error;
    if (type->tp_dict == NULL && (type->tp_dict = PyDict_New()) == NULL)
        goto error;
    dict_keys_version(type->tp_dict);   /* opens it: caches point at what is in it without counting */
    if (type->tp_private == NULL && (type->tp_private = type_private_new()) == NULL)
        goto error;
    if (set_new(type) < 0 || type_add_operators(type) < 0 || add_methods(type) < 0 || add_members(type) < 0
        || add_doc(type) < 0)
        goto error;
    int own_eq_or_hash = set_hash(type);
    if (own_eq_or_hash < 0)
        goto error;
    types_lock();
    int result = join_bases(type, own_eq_or_hash);
    types_unlock();
    if (result == 0)
        return 0;
error:
    type->tp_flags &= ~Py_TPFLAGS_READYING;
    return -1;
}

int PyType_Ready(PyTypeObject *type)
{
    int result = 0;
    if (__atomic_load_n(&type->tp_flags, __ATOMIC_ACQUIRE) & Py_TPFLAGS_READY)
        return 0;
    types_lock();
    if (!(__atomic_load_n(&type->tp_flags, __ATOMIC_ACQUIRE) & (Py_TPFLAGS_READY | Py_TPFLAGS_READYING))) {
        if (!(type->tp_flags & Py_TPFLAGS_HEAPTYPE))
            type->tp_flags |= Py_TPFLAGS_IMMUTABLETYPE;
        result = type_ready(type);
    }
    types_unlock();
    return result;
}
