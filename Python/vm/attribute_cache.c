/* Attribute instructions out of line: what the caches hold is tried first, then the generic operation runs and the place is
 * specialised. Guards: Include/internal/vm_cache.h, shape.h, type.h. */
#include "Python.h"

#include "block_trace.h"
#include "dict.h"
#include "instance.h"
#include "memory.h"
#include "module.h"
#include "thread_state.h"
#include "vm_cache.h"
#include "vm_slow.h"
#include "wrappers.h"

#define MISSES_BEFORE_RETRY 256

/* ---- Cache words ---- */

static void free_chain(void *first)
{
    for (cache_record_t *record = first, *next; record != NULL; record = next) {
        next = record->next;
        PyMem_RawFree(record);
    }
}

static void retire_word(uint64_t word)
{
    cache_record_t *record = cache_as_record(word);
    if (record != NULL)
        qsbr_retire(record, (record->depth + 1u) * sizeof(*record), free_chain);
}

static void replace_word(instruction_t *at, uint64_t word)
{
    retire_word(__atomic_exchange_n(at + 1, word, __ATOMIC_ACQ_REL));       /* by exchange: a chain is retired once */
}

static cache_record_t *new_record(cache_kind_t kind)
{
    int traced = block_trace_is_on() && block_trace_enter();    /* no program has asked for it: not to be seen by tracemalloc */
    cache_record_t *record = PyMem_RawCalloc(1, sizeof(cache_record_t));
    if (traced)
        block_trace_leave(NULL, 0);
    if (record != NULL)
        record->kind = (uint8_t)kind;
    return record;
}

static cache_record_t *slot_record(uint64_t shape_word)
{
    cache_record_t *record = new_record(CACHE_SLOT);
    if (record != NULL) {
        record->shape = cache_word_shape(shape_word);
        record->offset = cache_word_offset(shape_word);
    }
    return record;
}

void cache_install_record(instruction_t *at, cache_record_t *record)
{
    uint64_t word = __atomic_load_n(at + 1, __ATOMIC_ACQUIRE);
    cache_record_t *converted = word & 1 ? slot_record(word) : NULL;
    record->next = converted != NULL ? converted : cache_as_record(word);
    record->depth = record->next != NULL ? record->next->depth + 1 : 0;
    /* Between the load and this there is no quiescent point: what the word leads to is what it was. */
    if (!__atomic_compare_exchange_n(at + 1, &word, (uint64_t)(uintptr_t)record, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
        PyMem_RawFree(record);
        PyMem_RawFree(converted);
    }
}

void cache_install_word(instruction_t *at, uint64_t word)
{
    uint64_t old = __atomic_load_n(at + 1, __ATOMIC_ACQUIRE);
    if (!(old & 1) && cache_as_record(old) == NULL) {
        (void)__atomic_compare_exchange_n(at + 1, &old, word, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
        return;
    }
    cache_record_t *record = slot_record(word);
    if (record != NULL)
        cache_install_record(at, record);
}

/* One miss in MISSES_COUNTED, drawn at random, is written down for all of them: a place that all threads miss all the time is not to be a
 * counter that all of them write to. (A linear congruential generator; its upper bits.) */
#define MISSES_COUNTED 256
static int is_drawn(void)
{
    static __thread uint32_t state;
    state = state * 747796405u + 2891336453u;
    return state >> 24 == 0;
}

int cache_count_miss(instruction_t *at)
{
    uint64_t word = __atomic_load_n(at + 1, __ATOMIC_ACQUIRE);
    cache_record_t *record = cache_as_record(word);
    if (word == 0 || (word & 1) || (record != NULL && record->depth + 1 < CACHE_CHAIN_MAX))
        return 1;
    if (record != NULL)
        replace_word(at, MISSES_BEFORE_RETRY * 2);
    else if (is_drawn()) {
        uint64_t left = word > 2 * MISSES_COUNTED ? word - 2 * MISSES_COUNTED : 0;
        (void)__atomic_compare_exchange_n(at + 1, &word, left, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
    }
    return 0;
}

/* Nothing could be installed: ask again after a while. */
static void cache_give_up(instruction_t *at) { replace_word(at, MISSES_BEFORE_RETRY * 2); }

void cache_clear_code(PyCodeObject *code)
{
    for (uint32_t i = 0; i < code->co_ninstructions;) {
        const opcode_info_t *info = &opcode_table[instruction_op(code->co_instructions[i])];
        switch ((unsigned)opcode_base(instruction_op(code->co_instructions[i]))) {
        case OP_LOAD_GLOBAL:
        case OP_LOAD_NAME:
        case OP_LOAD_ATTR:
        case OP_STORE_ATTR:
        case OP_LOAD_METHOD: {
            free_chain(cache_as_record(code->co_instructions[i + 1]));
            break;
        }
        }
        i += 1u + info->caches;
    }
}

/* ---- Globals ---- */

int vm_load_global_uncached(frame_t *f, const instruction_t *at);

static void specialise_global(frame_t *f, instruction_t *at, PyObject *name)
{
    uint64_t version, builtins_version = 0;
    PyObject **slot;
    cache_kind_t kind = CACHE_GLOBAL;
    if (!PyDict_CheckExact(f->globals) || dict_cache_slot(f->globals, name, &version, &slot) < 0)
        return;
    if (slot == NULL) {
        if (!PyDict_CheckExact(f->builtins) || dict_cache_slot(f->builtins, name, &builtins_version, &slot) < 0 || slot == NULL)
            return;
        kind = CACHE_BUILTIN;
    }
    cache_record_t *record = new_record(kind);
    if (record == NULL)
        return;
    record->dict_version = version;
    record->dict_version2 = builtins_version;
    record->owner = (PyTypeObject *)f->builtins;        /* compared, never followed: the next frame's may be no dict at all */
    record->slot = slot;
    cache_install_record(at, record);
}

int vm_load_global(frame_t *f, instruction_t *at)
{
    if (vm_load_global_uncached(f, at) < 0)
        return -1;
    if (cache_as_record(cache_word(at)) != NULL)
        cache_give_up(at);      /* a function over several namespaces, or one that grows: wait a while */
    else if (cache_count_miss(at))
        specialise_global(f, at, f->code->co_names_items[AT_X(at)]);
    return 0;
}

/* ---- Loading ---- */

static inline PyObject *taken(PyObject *value) { return value != NULL && slot_try_incref(value) ? value : NULL; }

/* The attribute of op that a record tells of as a slot reference, or NULL (no exception). */
static PyObject *load_by_record(frame_t *f, PyObject *op, cache_record_t *record, unsigned name_index)
{
    PyTypeObject *type = Py_TYPE(op);
    switch (record->kind) {
    case CACHE_SLOT: {
        if (!value_is_heap(op) || instance_shape(op) != record->shape)
            return NULL;
        PyObject *value = __atomic_load_n(instance_slot(op, record->offset), __ATOMIC_ACQUIRE);
        return value != SHAPE_TOMBSTONE ? taken(value) : NULL;
    }
    case CACHE_CLASS_VALUE:
        if (type_version(type) != record->type_version || (record->checks_shape && instance_shape(op) != record->shape))
            return NULL;
        return taken(record->value);
    case CACHE_MEMBER:
        if (type_version(type) != record->type_version)
            return NULL;
        return taken(__atomic_load_n(instance_slot(op, record->offset), __ATOMIC_ACQUIRE));
    case CACHE_DICT_HINT:
        if (type_version(type) != record->type_version)
            return NULL;
        return taken(instance_dict_read_hint_racy(op, record->offset, f->code->co_names_items[name_index], record->shape));
    case CACHE_MODULE:
        /* The address may be another object's by now, and the module of another class; a module's dict is safe to ask. */
        if (op != (PyObject *)record->owner || !heap_is_type(op, &PyModule_Type)
            || dict_version_racy(module_get_dict_borrowed(op)) != record->dict_version)
            return NULL;
        return taken(__atomic_load_n(record->slot, __ATOMIC_ACQUIRE));
    case CACHE_TYPE_ATTR:
        /* The second test says that what is at the address is a class. */
        if (op != (PyObject *)record->owner || type_version(type) != record->dict_version2
            || type_version(record->owner) != record->type_version)
            return NULL;
        return taken(record->value);
    default:
        return NULL;
    }
}

/* The attribute from the cache as a slot reference, or NULL (no exception). */
static PyObject *load_cached(frame_t *f, PyObject *op, uint64_t word, unsigned name_index)
{
    if (word & 1) {
        if (!value_is_heap(op) || instance_shape(op) != cache_word_shape(word))
            return NULL;
        PyObject *value = __atomic_load_n(instance_slot(op, cache_word_offset(word)), __ATOMIC_ACQUIRE);
        return value != SHAPE_TOMBSTONE ? taken(value) : NULL;
    }
    PyObject *value = NULL;
    for (cache_record_t *record = cache_as_record(word); record != NULL && value == NULL; record = record->next)
        value = load_by_record(f, op, record, name_index);
    return value;
}

static void specialise_module(instruction_t *at, PyObject *op, PyObject *name)
{
    PyObject *descr = NULL, **slot;
    uint64_t version;
    int found = type_lookup_ref(Py_TYPE(op), name, &descr, NULL);
    Py_XDECREF(descr);
    if (found != 0 || dict_cache_slot(module_get_dict_borrowed(op), name, &version, &slot) < 0 || slot == NULL) {
        PyErr_Clear();
        return;
    }
    cache_record_t *record = new_record(CACHE_MODULE);
    if (record == NULL)
        return;
    record->owner = (PyTypeObject *)op;
    record->dict_version = version;
    record->slot = slot;
    object_publish(op);
    cache_install_record(at, record);
}

static int is_wrapped_function(PyObject *descr)
{
    int is_class;
    PyObject *callable = wrapper_callable_racy(descr, &is_class);
    return callable != NULL && heap_is_type(callable, &PyFunction_Type);
}

static void specialise_type_attr(instruction_t *at, PyObject *op, PyObject *name, int for_method)
{
    PyTypeObject *type = (PyTypeObject *)op;
    PyObject *meta = NULL, *value = NULL;
    uint64_t meta_version, version;
    int found = type_lookup_ref(Py_TYPE(op), name, &meta, &meta_version);
    if (found < 0 || (meta != NULL && descr_is_data(meta)) || meta_version == 0)
        goto done;
    found = type_lookup_ref(type, name, &value, &version);
    if (found <= 0 || version == 0)
        goto done;
    /* The look-ups may have waited: no safe point lies between here and the installing. */
    if (Py_TYPE(op)->tp_getattro != PyType_Type.tp_getattro || type_version(Py_TYPE(op)) != meta_version)
        goto done;
    int wrapped = for_method && is_wrapped_function(value);
    if (Py_TYPE(value)->tp_descr_get != NULL && !PyFunction_Check(value) && !wrapped)
        goto done;
    cache_record_t *record = new_record(wrapped ? CACHE_TYPE_WRAPPED : CACHE_TYPE_ATTR);
    if (record != NULL) {
        record->owner = type;
        record->type_version = version;
        record->dict_version2 = meta_version;
        record->value = value;
        cache_install_record(at, record);
    }
done:
    PyErr_Clear();
    Py_XDECREF(meta);
    Py_XDECREF(value);
}

/* A descriptor of the class, or its plain value, for an instance that does not have the name itself. */
static cache_record_t *record_for_class_value(PyObject *descr, int for_method)
{
    PyTypeObject *descr_type = Py_TYPE(descr);
    if (for_method && PyType_HasFeature(descr_type, Py_TPFLAGS_METHOD_DESCRIPTOR) && descr_type->tp_descr_get != NULL)
        return new_record(CACHE_METHOD);
    if (for_method && is_wrapped_function(descr))
        return new_record(CACHE_WRAPPED);
    return descr_type->tp_descr_get == NULL ? new_record(CACHE_CLASS_VALUE) : NULL;
}

static void specialise_instance(instruction_t *at, PyObject *op, PyObject *name, int for_method)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject *descr = NULL;
    uint64_t version;
    cache_record_t *record = NULL;
    uint32_t offset;
    int read_only;
    if (type_lookup_ref(type, name, &descr, &version) < 0) {
        PyErr_Clear();
        return;
    }
    /* Asked behind the look-up, which may have waited: no safe point lies between here and the installing. */
    if (Py_TYPE(op) != type || type_has_custom_getattribute(type))
        goto done;
    if (descr != NULL && descr_is_data(descr)) {
        PyObject *getter = property_getter_racy(descr);
        if (getter != NULL) {
            if (!for_method && version != 0 && heap_is_type(getter, &PyFunction_Type)
                && (record = new_record(CACHE_PROPERTY)) != NULL) {
                record->type_version = version;
                record->value = descr;
            }
            goto install;
        }
        if (version != 0 && descr_get_object_member(descr, type, &offset, &read_only)
            && (record = new_record(CACHE_MEMBER)) != NULL) {
            record->offset = offset;
            record->type_version = version;
        }
        goto install;
    }
    uint32_t id = value_is_heap(op) && type_has_inline_attrs(type) ? instance_shape(op) : 0;
    if (id != 0) {
        shape_t *shape = shape_from_id(id);
        int slot = shape_find(shape, name);
        if (slot >= 0) {
            cache_install_word(at, cache_shape_word(id, shape_slot_offset(shape, slot)));
            goto done;
        }
    }
    else if (type->tp_dictoffset != 0) {
        int64_t hint = type->tp_dictoffset > 0 ? instance_dict_hint(op, name) : -1;
        if (hint >= 0 && version != 0 && (record = new_record(CACHE_DICT_HINT)) != NULL) {
            record->type_version = version;
            record->offset = (uint32_t)type->tp_dictoffset;
            record->shape = (uint32_t)hint;
        }
        goto install;
    }
    if (descr != NULL && version != 0 && (record = record_for_class_value(descr, for_method)) != NULL) {
        record->type_version = version;
        record->value = descr;
        record->shape = id;
        record->checks_shape = id != 0;
    }
install:
    if (record != NULL)
        cache_install_record(at, record);
done:
    Py_XDECREF(descr);
}

static void specialise_load(instruction_t *at, PyObject *op, PyObject *name, int for_method)
{
    uint64_t before = cache_word(at);
    if (PyModule_CheckExact(op))
        specialise_module(at, op, name);
    else if (PyType_Check(op)) {
        if (Py_TYPE(op)->tp_getattro == PyType_Type.tp_getattro)
            specialise_type_attr(at, op, name, for_method);
    }
    else
        specialise_instance(at, op, name, for_method);
    if (cache_word(at) == before)
        cache_give_up(at);
}

int vm_load_attr(frame_t *f, instruction_t *at)
{
    unsigned b = AT_B(at);
    PyObject *op = operand_read(f, b);
    if (op == NULL)
        return -1;
    PyObject *value = load_cached(f, op, cache_word(at), AT_C(at));
    if (value != NULL) {
        result_store_for(f, AT_A(at), b, value);
        return 0;
    }
    PyObject *name = f->code->co_names_items[AT_C(at)];
    value = PyObject_GetAttr(op, name);
    if (value != NULL && cache_count_miss(at))
        specialise_load(at, op, name, 0);
    operand_release(f, b);
    return result_store(f, AT_A(at), value);
}

/* ---- Methods ---- */

/* An unbound method found on the type, if the instance does not hide it: new reference; NULL: take the general way. */
static PyObject *find_method(PyObject *op, PyObject *name)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject *descr = NULL, *own = NULL;
    if (type->tp_getattro != PyObject_GenericGetAttr || type_lookup_ref(type, name, &descr, NULL) <= 0)
        goto no;
    if (!PyType_HasFeature(Py_TYPE(descr), Py_TPFLAGS_METHOD_DESCRIPTOR) || Py_TYPE(descr)->tp_descr_get == NULL
        || descr_is_data(descr))
        goto no;
    if (value_is_heap(op) && (type_has_inline_attrs(type) || type->tp_dictoffset != 0)
        && instance_get_attr(op, name, &own) != 0)
        goto no;
    return descr;
no:
    PyErr_Clear();
    Py_XDECREF(descr);
    Py_XDECREF(own);
    return NULL;
}

/* The function inside a classmethod or staticmethod and, for the former, the class go to a, a+1. 1, or 0. */
static int load_wrapped(frame_t *f, unsigned a, PyObject *op, cache_record_t *record)
{
    PyTypeObject *type = Py_TYPE(op), *cls = type;
    int is_class;
    if (record->kind == CACHE_WRAPPED) {
        if (type_version(type) != record->type_version || (record->checks_shape && instance_shape(op) != record->shape))
            return 0;
    }
    else {
        if (record->kind != CACHE_TYPE_WRAPPED || op != (PyObject *)record->owner
            || type_version(type) != record->dict_version2 || type_version(record->owner) != record->type_version)
            return 0;
        cls = record->owner;
    }
    PyObject *callable = wrapper_callable_racy(record->value, &is_class);
    if (callable == NULL || !heap_is_type(callable, &PyFunction_Type) || !slot_try_incref(callable))
        return 0;
    slot_store(f->slots, a, callable);
    slot_store(f->slots, a + 1, is_class ? slot_copy((PyObject *)cls) : NULL);
    return 1;
}

int vm_load_method(frame_t *f, instruction_t *at)
{
    unsigned a = AT_A(at), b = AT_B(at);
    PyObject *op = operand_take_owned(f, b);
    if (op == NULL)
        return -1;
    PyObject *name = f->code->co_names_items[AT_C(at)];
    PyObject *value = load_cached(f, op, cache_word(at), AT_C(at));
    if (value != NULL) {
        slot_store(f->slots, a, value);
        slot_store(f->slots, a + 1, NULL);
        Py_DECREF(op);
        return 0;
    }
    for (cache_record_t *record = cache_as_record(cache_word(at)); record != NULL; record = record->next) {
        if (record->kind == CACHE_METHOD) {
            if (type_version(Py_TYPE(op)) != record->type_version
                || (record->checks_shape && (!value_is_heap(op) || instance_shape(op) != record->shape))
                || !slot_try_incref(record->value))
                continue;
            slot_store(f->slots, a, record->value);
            slot_store(f->slots, a + 1, owned_to_slot(op));
            return 0;
        }
        if (load_wrapped(f, a, op, record)) {
            Py_DECREF(op);
            return 0;
        }
    }
    PyObject *method, *self;
    if (super_find_method_racy(op, name, &method, &self) && slot_try_incref(method)) {
        slot_incref(self);
        slot_store(f->slots, a, method);
        slot_store(f->slots, a + 1, self);
        Py_DECREF(op);
        return 0;
    }
    method = find_method(op, name);
    if (method != NULL) {
        if (cache_count_miss(at))
            specialise_load(at, op, name, 1);
        slot_store(f->slots, a, owned_to_slot(method));
        slot_store(f->slots, a + 1, owned_to_slot(op));
        return 0;
    }
    value = PyObject_GetAttr(op, name);
    if (value != NULL) {
        if (cache_count_miss(at))
            specialise_load(at, op, name, 1);
        slot_store(f->slots, a, owned_to_slot(value));
        slot_store(f->slots, a + 1, NULL);
    }
    Py_DECREF(op);
    return value != NULL ? 0 : -1;
}

/* ---- Storing ---- */

/* A class may gain a data descriptor for a name that its instances have inline already: their shapes then get new ids, but
 * keep the name. */
static int hidden_by_descriptor(PyTypeObject *type, PyObject *name)
{
    PyObject *descr;
    if (type_lookup_cached_racy(type, name, &descr, NULL))
        return descr != NULL && descr_is_data(descr);
    if (type_lookup_ref(type, name, &descr, NULL) < 0)
        PyErr_Clear();
    int hidden = descr != NULL && descr_is_data(descr);
    Py_XDECREF(descr);
    return hidden;
}

/* The place stores to a member of __slots__: remember where it is. */
static void specialise_store_member(instruction_t *at, PyTypeObject *type, PyObject *name)
{
    PyObject *descr = NULL;
    uint64_t version;
    uint32_t offset;
    int read_only;
    if (type->tp_setattro != PyObject_GenericSetAttr)
        return;
    if (type_lookup_ref(type, name, &descr, &version) < 0)
        PyErr_Clear();
    if (descr != NULL && version != 0 && descr_get_object_member(descr, type, &offset, &read_only) && !read_only) {
        cache_record_t *record = new_record(CACHE_MEMBER);
        if (record != NULL) {
            record->offset = offset;
            record->type_version = version;
            cache_install_record(at, record);
        }
    }
    Py_XDECREF(descr);
}

/* Stores to a member of __slots__ as PyMember_SetOne does; returns the reference displaced, or NULL. */
static PyObject *exchange_member(PyObject *op, uint32_t offset, PyObject *value)
{
    PyObject **slot = instance_slot(op, offset), *old;
    object_publish(value);
    Py_INCREF(value);
    if (!runtime_is_multi()) {
        old = *slot;
        *slot = value;
        return old;
    }
    int locked = container_lock(op);
    old = __atomic_exchange_n(slot, value, __ATOMIC_ACQ_REL);
    container_unlock(op, locked);
    return old;
}

/* The store as one of the records says: 1, or 0 if none of them fits. */
static int store_cached(cache_record_t *record, PyObject *op, PyObject *value)
{
    PyObject *old;
    for (; record != NULL; record = record->next) {
        if (record->kind == CACHE_SLOT) {
            if (instance_shape(op) != record->shape)
                continue;
            if (!instance_overwrite_slot(op, record->offset, value, &old))
                return 0;       /* it may have waited: the records may be gone */
            Py_DECREF(old);
            return 1;
        }
        if (type_version(heap_type(op)) != record->type_version)
            continue;
        if (record->kind == CACHE_MEMBER) {
            Py_XDECREF(exchange_member(op, record->offset, value));
            return 1;
        }
        if (instance_shape(op) == record->shape)    /* the fields are read before it may wait: the records may be gone then */
            return instance_add_slot(op, record->shape, record->offset, record->shape2, value);
    }
    return 0;
}

/* Storing name to an instance of that shape has added it. */
static void specialise_store_new(instruction_t *at, PyTypeObject *type, shape_t *shape, shape_t *grown)
{
    uint64_t version = type_version(type);
    cache_record_t *record = version != 0 ? new_record(CACHE_ADD_ATTR) : NULL;
    if (record == NULL)
        return;
    record->type_version = version;
    record->shape = shape->id;
    record->shape2 = grown->id;
    record->offset = shape_slot_offset(grown, grown->count - 1);
    cache_install_record(at, record);
}

int vm_store_attr(frame_t *f, instruction_t *at)
{
    PyObject *op = operand_read(f, AT_A(at));
    PyObject *value = op != NULL ? operand_read(f, AT_C(at)) : NULL;
    PyObject *name = f->code->co_names_items[AT_B(at)];
    int status = -1;
    if (value != NULL && value_is_heap(op) && store_cached(cache_as_record(cache_word(at)), op, value)) {
        operand_release(f, AT_C(at));
        operand_release(f, AT_A(at));
        return 0;
    }
    if (value != NULL) {
        PyTypeObject *type = Py_TYPE(op);
        uint32_t id = value_is_heap(op) && type_has_inline_attrs(type) ? instance_shape(op) : 0;
        status = 1;
        /* The look-up may wait or run code. If the shape is the same afterwards, the class is, too. */
        if (id != 0 && !hidden_by_descriptor(type, name) && instance_shape(op) == id
            && Py_TYPE(op)->tp_setattro == PyObject_GenericSetAttr) {
            shape_t *shape = shape_from_id(id);
            int slot = shape_find(shape, name);
            if (slot >= 0 && cache_count_miss(at))
                cache_install_word(at, cache_shape_word(id, shape_slot_offset(shape, slot)));
            shape_t *grown = slot < 0 ? shape_transition_peek(shape, name) : NULL;
            if (grown != NULL && cache_count_miss(at))
                specialise_store_new(at, heap_type(op), shape, grown);
            if (slot >= 0 || grown != NULL)
                status = instance_set_attr(op, name, value);
        }
        if (status > 0) {
            status = PyObject_SetAttr(op, name, value);
            if (status == 0 && value_is_heap(op) && cache_count_miss(at)) {
                uint64_t before = cache_word(at);
                specialise_store_member(at, heap_type(op), name);
                if (cache_word(at) == before)
                    cache_give_up(at);
            }
        }
    }
    operand_release(f, AT_C(at));
    operand_release(f, AT_A(at));
    return status;
}

int vm_delete_attr(frame_t *f, const instruction_t *at)
{
    PyObject *op = operand_read(f, AT_A(at));
    int status = op != NULL ? PyObject_SetAttr(op, f->code->co_names_items[AT_B(at)], NULL) : -1;
    operand_release(f, AT_A(at));
    return status;
}
