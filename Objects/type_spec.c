/* PyType_FromSpec: heap types described by a table of slots. */
#include "Python.h"

#include "dict.h"
#include "memory.h"
#include "type.h"
#include "unicode.h"

/* Numbers of the slots (Include/typeslots.h) and where they are in PyHeapTypeObject. */
static const struct { int16_t offset, sub; } slot_places[] = {
#define TABLE(table, slot, structure, member) \
    {(int16_t)offsetof(PyHeapTypeObject, ht_type.table), (int16_t)offsetof(PyHeapTypeObject, structure.member)},
#define PLAIN(slot) {(int16_t)offsetof(PyHeapTypeObject, ht_type.slot), -1},
    {-1, -1},
#define B(m) TABLE(tp_as_buffer, m, as_buffer, m)
#define M(m) TABLE(tp_as_mapping, m, as_mapping, m)
#define N(m) TABLE(tp_as_number, m, as_number, m)
#define S(m) TABLE(tp_as_sequence, m, as_sequence, m)
#define A(m) TABLE(tp_as_async, m, as_async, m)
    B(bf_getbuffer) B(bf_releasebuffer)
    M(mp_ass_subscript) M(mp_length) M(mp_subscript)
    N(nb_absolute) N(nb_add) N(nb_and) N(nb_bool) N(nb_divmod) N(nb_float) N(nb_floor_divide) N(nb_index)
    N(nb_inplace_add) N(nb_inplace_and) N(nb_inplace_floor_divide) N(nb_inplace_lshift) N(nb_inplace_multiply)
    N(nb_inplace_or) N(nb_inplace_power) N(nb_inplace_remainder) N(nb_inplace_rshift) N(nb_inplace_subtract)
    N(nb_inplace_true_divide) N(nb_inplace_xor) N(nb_int) N(nb_invert) N(nb_lshift) N(nb_multiply) N(nb_negative)
    N(nb_or) N(nb_positive) N(nb_power) N(nb_remainder) N(nb_rshift) N(nb_subtract) N(nb_true_divide) N(nb_xor)
    S(sq_ass_item) S(sq_concat) S(sq_contains) S(sq_inplace_concat) S(sq_inplace_repeat) S(sq_item) S(sq_length)
    S(sq_repeat)
    PLAIN(tp_alloc) PLAIN(tp_base) PLAIN(tp_bases) PLAIN(tp_call) PLAIN(tp_clear) PLAIN(tp_dealloc) PLAIN(tp_del)
    PLAIN(tp_descr_get) PLAIN(tp_descr_set) PLAIN(tp_doc) PLAIN(tp_getattr) PLAIN(tp_getattro) PLAIN(tp_hash)
    PLAIN(tp_init) PLAIN(tp_is_gc) PLAIN(tp_iter) PLAIN(tp_iternext) PLAIN(tp_methods) PLAIN(tp_new) PLAIN(tp_repr)
    PLAIN(tp_richcompare) PLAIN(tp_setattr) PLAIN(tp_setattro) PLAIN(tp_str) PLAIN(tp_traverse) PLAIN(tp_members)
    PLAIN(tp_getset) PLAIN(tp_free)
    N(nb_matrix_multiply) N(nb_inplace_matrix_multiply)
    A(am_await) A(am_aiter) A(am_anext)
    PLAIN(tp_finalize)
    A(am_send)
#undef B
#undef M
#undef N
#undef S
#undef A
#undef PLAIN
#undef TABLE
};
enum { SLOT_COUNT = Py_ARRAY_LENGTH(slot_places) };

static void **place_of(PyHeapTypeObject *type, int slot)
{
    int offset = slot_places[slot].sub >= 0 ? slot_places[slot].sub : slot_places[slot].offset;
    return (void **)((char *)type + offset);
}

/* ---- Members ---- */

static Py_ssize_t *special_offset(PyTypeObject *type, const char *name)
{
    if (strcmp(name, "__weaklistoffset__") == 0)
        return &type->tp_weaklistoffset;
    if (strcmp(name, "__dictoffset__") == 0)
        return &type->tp_dictoffset;
    if (strcmp(name, "__vectorcalloffset__") == 0)
        return &type->tp_vectorcall_offset;
    return NULL;
}

/* Copies the table without the entries that stand for offsets. Owned by the type's private part, but not slots to be traversed. */
static int take_members(PyTypeObject *type, PyMemberDef *members)
{
    size_t n = 0, kept = 0;
    while (members[n].name != NULL)
        n++;
    PyMemberDef *copy = PyMem_Calloc(n + 1, sizeof(*copy));
    if (copy == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (size_t i = 0; i < n; i++) {
        Py_ssize_t *offset = special_offset(type, members[i].name);
        if (offset != NULL)
            *offset = members[i].offset;
        else
            copy[kept++] = members[i];
    }
    type->tp_private->members = copy;
    type->tp_members = copy;
    return 0;
}

/* ---- Bases ---- */

static PyObject *find_bases(PyType_Spec *spec, PyObject *bases)
{
    PyTypeObject *base = NULL;
    for (PyType_Slot *slot = spec->slots; bases == NULL && slot->slot != 0; slot++) {
        if (slot->slot == Py_tp_bases)
            bases = slot->pfunc;
        else if (slot->slot == Py_tp_base)
            base = slot->pfunc;
    }
    if (bases == NULL)
        return PyTuple_Pack(1, base != NULL ? base : &PyBaseObject_Type);
    return PyTuple_Check(bases) ? Py_NewRef(bases) : PyTuple_Pack(1, bases);
}

/* ---- The type ---- */

static int set_names(PyHeapTypeObject *heap, const char *full)
{
    const char *dot = strrchr(full, '.');
    size_t length = strlen(full);
    char *copy = PyMem_Malloc(length + 1);
    if (copy == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    memcpy(copy, full, length + 1);
    heap->ht_type.tp_private->name_utf8 = copy;
    heap->ht_type.tp_name = copy;
    heap->ht_name = PyUnicode_FromString(dot != NULL ? dot + 1 : full);
    heap->ht_qualname = Py_XNewRef(heap->ht_name);
    return heap->ht_name != NULL ? 0 : -1;
}

static int set_doc(PyTypeObject *type, const char *doc)
{
    if (doc == NULL)
        return 0;
    char *copy = PyMem_Malloc(strlen(doc) + 1);
    if (copy == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    type->tp_doc = strcpy(copy, doc);
    return 0;
}

static int fill_slots(PyHeapTypeObject *heap, PyType_Spec *spec)
{
    PyTypeObject *type = &heap->ht_type;
    for (PyType_Slot *slot = spec->slots; slot->slot != 0; slot++) {
        if (slot->slot < 0 || slot->slot >= SLOT_COUNT) {
            PyErr_SetString(PyExc_RuntimeError, "invalid slot offset");
            return -1;
        }
        switch (slot->slot) {
        case Py_tp_base:
        case Py_tp_bases:
            break;
        case Py_tp_doc:
            if (set_doc(type, slot->pfunc) < 0)
                return -1;
            break;
        case Py_tp_members:
            if (take_members(type, slot->pfunc) < 0)
                return -1;
            break;
        default:
            *place_of(heap, slot->slot) = slot->pfunc;
        }
    }
    return 0;
}

static int set_module_entry(PyTypeObject *type, const char *full)
{
    const char *dot = strrchr(full, '.');
    if (PyDict_Contains(type->tp_dict, STR(__module__)) != 0)
        return PyErr_Occurred() ? -1 : 0;
    if (dot == NULL && PyEval_GetGlobals() == NULL)
        return type_set_attr(type, STR(__module__), STR(builtins));     /* one of our own, at start-up */
    if (dot == NULL)
        return PyErr_WarnFormat(PyExc_DeprecationWarning, 1, "builtin type %.200s has no __module__ attribute", full);
    PyObject *module = PyUnicode_FromStringAndSize(full, dot - full);
    int result = module != NULL ? type_set_attr(type, STR(__module__), module) : -1;
    Py_XDECREF(module);
    return result;
}

static int check_metaclass(PyTypeObject *metaclass)
{
    if (metaclass->tp_new == NULL || metaclass->tp_new == type_new)
        return 0;
    PyErr_SetString(PyExc_TypeError, "Metaclasses with custom tp_new are not supported.");
    return -1;
}

PyObject *PyType_FromMetaclass(PyTypeObject *metaclass, PyObject *module, PyType_Spec *spec, PyObject *bases_arg)
{
    PyHeapTypeObject *heap = NULL;
    PyObject *bases = find_bases(spec, bases_arg);
    if (bases == NULL)
        return NULL;
    PyTypeObject *base = type_best_base(bases);
    if (base == NULL)
        goto error;
    if (metaclass == NULL)
        metaclass = type_calculate_metaclass(&PyType_Type, bases);
    if (metaclass == NULL || (metaclass != &PyType_Type && check_metaclass(metaclass) < 0))
        goto error;
    heap = (PyHeapTypeObject *)metaclass->tp_alloc(metaclass, 0);
    if (heap == NULL)
        goto error;
    object_set_deferred((PyObject *)heap);
    PyTypeObject *type = &heap->ht_type;
    type->tp_flags = spec->flags | Py_TPFLAGS_HEAPTYPE;
    type->tp_as_async = &heap->as_async;
    type->tp_as_buffer = &heap->as_buffer;
    type->tp_as_mapping = &heap->as_mapping;
    type->tp_as_number = &heap->as_number;
    type->tp_as_sequence = &heap->as_sequence;
    type->tp_base = (PyTypeObject *)Py_NewRef(base);
    type->tp_bases = bases;
    bases = NULL;
    type->tp_basicsize = spec->basicsize;
    type->tp_itemsize = spec->itemsize;
    type->tp_private = type_private_new();
    if (type->tp_private == NULL || set_names(heap, spec->name) < 0 || fill_slots(heap, spec) < 0)
        goto error;
    type->tp_private->token = spec;
    heap->ht_module = Py_XNewRef(module);
    if (type->tp_dealloc == NULL)
        type->tp_dealloc = subtype_dealloc;
    if (type->tp_flags & Py_TPFLAGS_HAVE_GC && type->tp_dealloc == subtype_dealloc && type->tp_traverse == NULL) {
        type->tp_traverse = subtype_traverse;
        if (type->tp_clear == NULL)
            type->tp_clear = subtype_clear;
    }
    if (type_ready(type) < 0)
        goto error;
    if (set_module_entry(type, spec->name) < 0)
        goto error;
    return (PyObject *)type;
error:
    Py_XDECREF(bases);
    Py_XDECREF(heap);
    return NULL;
}

PyObject *PyType_FromModuleAndSpec(PyObject *module, PyType_Spec *spec, PyObject *bases)
{
    return PyType_FromMetaclass(NULL, module, spec, bases);
}
PyObject *PyType_FromSpecWithBases(PyType_Spec *spec, PyObject *bases)
{
    return PyType_FromMetaclass(NULL, NULL, spec, bases);
}
PyObject *PyType_FromSpec(PyType_Spec *spec) { return PyType_FromMetaclass(NULL, NULL, spec, NULL); }

/* ---- Asking ---- */

void *PyType_GetSlot(PyTypeObject *type, int slot)
{
    if (slot <= 0 || slot >= SLOT_COUNT) {
        PyErr_BadInternalCall();
        return NULL;
    }
    void *place = (char *)type + slot_places[slot].offset;
    if (slot_places[slot].sub < 0)
        return *(void **)place;
    /* the table may lie anywhere: the offset within it is what PyHeapTypeObject shows */
    char *table = *(char **)place;
    if (table == NULL)
        return NULL;
    static const int starts[] = {offsetof(PyHeapTypeObject, as_async), offsetof(PyHeapTypeObject, as_number),
                                 offsetof(PyHeapTypeObject, as_mapping), offsetof(PyHeapTypeObject, as_sequence),
                                 offsetof(PyHeapTypeObject, as_buffer)};
    int start = 0;
    for (size_t i = 0; i < Py_ARRAY_LENGTH(starts); i++)
        if (starts[i] <= slot_places[slot].sub)
            start = starts[i];
    return *(void **)(table + (slot_places[slot].sub - start));
}

PyObject *PyType_GetModule(PyTypeObject *type)
{
    if (!PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE)) {
        PyErr_Format(PyExc_TypeError, "PyType_GetModule: Type '%s' is not a heap type", type->tp_name);
        return NULL;
    }
    PyObject *module = ((PyHeapTypeObject *)type)->ht_module;
    if (module == NULL)
        PyErr_Format(PyExc_TypeError, "PyType_GetModule: Type '%s' has no associated module", type->tp_name);
    return module;
}

void *PyType_GetModuleState(PyTypeObject *type)
{
    PyObject *module = PyType_GetModule(type);
    return module != NULL ? PyModule_GetState(module) : NULL;
}

PyObject *PyType_GetModuleByDef(PyTypeObject *type, struct PyModuleDef *def)
{
    PyObject *mro = type_get_mro_ref(type), *found = NULL;
    for (Py_ssize_t i = 0; mro != NULL && found == NULL && i < PyTuple_GET_SIZE(mro); i++) {
        PyTypeObject *base = (PyTypeObject *)PyTuple_GET_ITEM(mro, i);
        PyObject *module = PyType_HasFeature(base, Py_TPFLAGS_HEAPTYPE) ? ((PyHeapTypeObject *)base)->ht_module : NULL;
        if (module != NULL && PyModule_Check(module) && PyModule_GetDef(module) == def)
            found = module;
    }
    Py_XDECREF(mro);
    if (found == NULL)
        PyErr_Format(PyExc_TypeError, "PyType_GetModuleByDef: No superclass of '%s' has the given module", type->tp_name);
    return found;
}
