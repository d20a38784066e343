/* The table of special methods: wrappers for the slots of C types, and slots of classes for the methods of Python. */
#include "Python.h"

#include "dict.h"
#include "stop_world.h"
#include "type.h"
#include "type_slots.h"
#include "unicode.h"
#include "weakref.h"

#define OFFSET_TYPE(slot) (int)offsetof(PyHeapTypeObject, ht_type.slot)
#define OFFSET_ASYNC(slot) (int)offsetof(PyHeapTypeObject, as_async.slot)
#define OFFSET_NUMBER(slot) (int)offsetof(PyHeapTypeObject, as_number.slot)
#define OFFSET_MAPPING(slot) (int)offsetof(PyHeapTypeObject, as_mapping.slot)
#define OFFSET_SEQUENCE(slot) (int)offsetof(PyHeapTypeObject, as_sequence.slot)

/* ---- The rows ---- */

static struct wrapperbase rows[] = {
#define FULL(where, name, slot, function, wrapper, signature, doc, flags) \
    {#name, OFFSET_##where(slot), (void *)(function), (wrapperfunc)(void (*)(void))(wrapper), \
     #name signature "\n--\n\n" doc, flags, STR(name)},
#define ROW(where, name, slot, function, wrapper, signature, doc) FULL(where, name, slot, function, wrapper, signature, doc, 0)
#define ROWKW(where, name, slot, function, wrapper, signature, doc) \
    FULL(where, name, slot, function, wrapper, signature, doc, PyWrapperFlag_KEYWORDS)
#define BIN(slot, name, rname, op) \
    FULL(NUMBER, name, slot, slot_##slot, wrap_binaryfunc_l, "($self, value, /)", "self " op " value", 0) \
    FULL(NUMBER, rname, slot, slot_##slot, wrap_binaryfunc_r, "($self, value, /)", "value " op " self", 0)
#define INPLACE(slot, name, op) \
    FULL(NUMBER, name, slot, slot_##slot, wrap_binaryfunc, "($self, value, /)", "self " op " value", 0)
#include "type_slots.def"
#undef ROW
#undef ROWKW
#undef BIN
#undef INPLACE
};
enum { ROW_COUNT = Py_ARRAY_LENGTH(rows) };

/* ---- By name ---- */

/* First row of a name, by the name's address (names are interned and static). */
enum { HASH_SIZE = 512 };
static int16_t row_by_name[HASH_SIZE];          /* row + 1; 0: empty */
static int16_t next_of_name[ROW_COUNT];         /* next row with the same name, + 1 */
static int16_t first_of_slot[ROW_COUNT];        /* the row that stands for this row's slot */
static int table_ready;

static uint32_t name_hash(PyObject *name)
{
    uintptr_t w = (uintptr_t)name >> 4;
    return (uint32_t)(w ^ w >> 9) % HASH_SIZE;
}

static void init_table(void)
{
    if (table_ready)
        return;
    for (int i = 0; i < ROW_COUNT; i++) {
        first_of_slot[i] = (int16_t)i;
        for (int j = 0; j < i; j++)
            if (rows[j].offset == rows[i].offset) {
                first_of_slot[i] = (int16_t)j;
                break;
            }
        uint32_t h = name_hash(rows[i].name_strobj);
        while (row_by_name[h] != 0 && rows[row_by_name[h] - 1].name_strobj != rows[i].name_strobj)
            h = (h + 1) % HASH_SIZE;
        if (row_by_name[h] == 0)
            row_by_name[h] = (int16_t)(i + 1);
        else {
            int last = row_by_name[h] - 1;
            while (next_of_name[last] != 0)
                last = next_of_name[last] - 1;
            next_of_name[last] = (int16_t)(i + 1);
        }
    }
    table_ready = 1;
}

/* -1: not the name of a slot. */
static int find_row(PyObject *name)
{
    init_table();
    for (uint32_t h = name_hash(name); row_by_name[h] != 0; h = (h + 1) % HASH_SIZE)
        if (rows[row_by_name[h] - 1].name_strobj == name)
            return row_by_name[h] - 1;
    return -1;
}

int type_name_is_slot(PyObject *name) { return find_row(name) >= 0; }

void **type_slot_address(PyTypeObject *type, int offset)
{
    char *table;
    if ((size_t)offset >= offsetof(PyHeapTypeObject, as_sequence)) {
        table = (char *)type->tp_as_sequence;
        offset -= (int)offsetof(PyHeapTypeObject, as_sequence);
    }
    else if ((size_t)offset >= offsetof(PyHeapTypeObject, as_mapping)) {
        table = (char *)type->tp_as_mapping;
        offset -= (int)offsetof(PyHeapTypeObject, as_mapping);
    }
    else if ((size_t)offset >= offsetof(PyHeapTypeObject, as_number)) {
        table = (char *)type->tp_as_number;
        offset -= (int)offsetof(PyHeapTypeObject, as_number);
    }
    else if ((size_t)offset >= offsetof(PyHeapTypeObject, as_async)) {
        table = (char *)type->tp_as_async;
        offset -= (int)offsetof(PyHeapTypeObject, as_async);
    }
    else
        table = (char *)type;
    return table != NULL ? (void **)(table + offset) : NULL;
}

/* ---- C slots to methods ---- */

/* Does the type's own dict (still private to the caller, or under construction) have the name? */
static int dict_has(PyObject *dict, PyObject *name)
{
    PyObject *value;
    int found = dict_get_str_ref(dict, name, &value);
    Py_XDECREF(value);
    return found;
}

int type_add_operators(PyTypeObject *type)
{
    init_table();
    for (int i = 0; i < ROW_COUNT; i++) {
        struct wrapperbase *row = &rows[i];
        if (row->wrapper == NULL)
            continue;
        void **slot = type_slot_address(type, row->offset);
        if (slot == NULL || *slot == NULL)
            continue;
        int found = dict_has(type->tp_dict, row->name_strobj);
        if (found < 0)
            return -1;
        if (found)
            continue;
        if (*slot == (void *)PyObject_HashNotImplemented) {
            /* tells subclasses that the type is not hashable */
            if (PyDict_SetItem(type->tp_dict, row->name_strobj, Py_None) < 0)
                return -1;
            continue;
        }
        PyObject *descr = PyDescr_NewWrapper(type, row, *slot);
        if (descr == NULL)
            return -1;
        int failed = PyDict_SetItem(type->tp_dict, row->name_strobj, descr);
        Py_DECREF(descr);
        if (failed)
            return -1;
    }
    return 0;
}

/* ---- __new__ ---- */

/* T.__new__(S, ...) of a C type T. */
static PyObject *tp_new_wrapper(PyObject *self, PyObject *args, PyObject *kwds)
{
    PyTypeObject *type = (PyTypeObject *)self, *subtype;
    if (!PyType_Check(self)) {
        PyErr_SetString(PyExc_SystemError, "__new__() called with non-type 'self'");
        return NULL;
    }
    if (type->tp_new == NULL) {
        PyErr_Format(PyExc_TypeError, "cannot create '%s' instances", type->tp_name);
        return NULL;
    }
    if (PyTuple_GET_SIZE(args) < 1) {
        PyErr_Format(PyExc_TypeError, "%s.__new__(): not enough arguments", type->tp_name);
        return NULL;
    }
    subtype = (PyTypeObject *)PyTuple_GET_ITEM(args, 0);
    if (!PyType_Check(subtype)) {
        PyErr_Format(PyExc_TypeError, "%s.__new__(X): X is not a type object (%s)", type->tp_name, Py_TYPE(subtype)->tp_name);
        return NULL;
    }
    if (!PyType_IsSubtype(subtype, type)) {
        PyErr_Format(PyExc_TypeError, "%s.__new__(%s): %s is not a subtype of %s", type->tp_name, subtype->tp_name,
                     subtype->tp_name, type->tp_name);
        return NULL;
    }
    /* object.__new__(list) would make a list without its C part */
    PyTypeObject *base = subtype;
    while (base != NULL && base->tp_new == slot_tp_new)
        base = base->tp_base;
    if (base != NULL && base->tp_new != type->tp_new) {
        PyErr_Format(PyExc_TypeError, "%s.__new__(%s) is not safe, use %s.__new__()", type->tp_name, subtype->tp_name,
                     base->tp_name);
        return NULL;
    }
    PyObject *rest = PyTuple_GetSlice(args, 1, PyTuple_GET_SIZE(args));
    if (rest == NULL)
        return NULL;
    PyObject *result = type->tp_new(subtype, rest, kwds);
    Py_DECREF(rest);
    return result;
}

static PyMethodDef new_method = {
    "__new__", (PyCFunction)(void (*)(void))tp_new_wrapper, METH_VARARGS | METH_KEYWORDS,
    "__new__($type, *args, **kwargs)\n--\n\nMake a new object; help(type) tells the arguments."
};

int type_add_new(PyTypeObject *type)
{
    int found = dict_has(type->tp_dict, STR(__new__));
    if (found != 0)
        return found < 0 ? -1 : 0;
    PyObject *func = PyCFunction_NewEx(&new_method, (PyObject *)type, NULL);
    if (func == NULL)
        return -1;
    int result = PyDict_SetItem(type->tp_dict, STR(__new__), func);
    Py_DECREF(func);
    return result;
}

/* ---- Changing slots ---- */

/* Others read the slots of a class plainly, test them and then call them. So they change while nobody stands between test
 * and call: in a pause, one for a class and its subclasses (but for very large families). What has to change is found out
 * before, since that drops references. */
enum { CHANGES_AT_ONCE = 128 };
struct slot_changes {
    int count, first;           /* first: of the class that is being looked at */
    struct { void **address; void *value; } items[CHANGES_AT_ONCE];
};

static void make_changes(struct slot_changes *changes)
{
    PyThreadState *ts = changes->count != 0 && runtime_is_multi() ? thread_current() : NULL;
    if (ts != NULL)
        stop_world_begin(ts);
    for (int i = 0; i < changes->count; i++)
        __atomic_store_n(changes->items[i].address, changes->items[i].value, __ATOMIC_RELEASE);
    if (ts != NULL)
        stop_world_end(ts);
    changes->count = changes->first = 0;
}

/* changes is NULL for a class that nobody else knows. */
static void change_slot(struct slot_changes *changes, void **address, void *value)
{
    if (changes == NULL) {
        *address = value;
        return;
    }
    if (changes->count == CHANGES_AT_ONCE)
        make_changes(changes);
    changes->items[changes->count].address = address;
    changes->items[changes->count++].value = value;
}

/* What the slot will hold after the changes. */
static void *slot_value(struct slot_changes *changes, void **address)
{
    for (int i = changes != NULL ? changes->count : 0; changes != NULL && i-- > changes->first;)
        if (changes->items[i].address == address)
            return changes->items[i].value;
    return *address;
}

/* ---- Methods to C slots ---- */

/* Of the slots that a name has (__getitem__: mp_subscript, sq_item), the one that is filled, if there is just one. */
static void **unique_slot(PyTypeObject *type, int row, struct slot_changes *changes)
{
    void **found = NULL;
    for (int i = find_row(rows[row].name_strobj); i >= 0; i = next_of_name[i] - 1) {
        void **address = type_slot_address(type, rows[i].offset);
        if (address == NULL || slot_value(changes, address) == NULL)
            continue;
        if (found != NULL)
            return NULL;
        found = address;
    }
    return found;
}

/* tp_new of a class whose __new__ is the builtin method of a C type (be it object's): that of its own C base. */
static void *specific_new(PyTypeObject *type, PyObject *method, struct slot_changes *changes)
{
    PyObject *self = PyCFunction_GET_SELF(method);
    if (self == NULL || !PyType_Check(self) || (void *)PyCFunction_GET_FUNCTION(method) != (void *)tp_new_wrapper)
        return NULL;
    for (PyTypeObject *base = type; base != NULL; base = base->tp_base) {
        void *new = slot_value(changes, (void **)&base->tp_new);
        if (new != (void *)slot_tp_new)
            return new;
    }
    return NULL;
}

/* Recomputes the slot that `row` stands for from what the MRO has now. */
static void update_one(PyTypeObject *type, int row, struct slot_changes *changes)
{
    int offset = rows[row].offset, use_generic = 0;
    void **address = type_slot_address(type, offset), *generic = NULL, *specific = NULL;
    if (address == NULL)
        return;
    for (int i = row; i < ROW_COUNT; i++) {
        struct wrapperbase *r = &rows[i];
        PyObject *descr;
        if (r->offset != offset)
            continue;
        if (!type_lookup_locked(type, r->name_strobj, &descr))
            continue;
        void **unique = unique_slot(type, i, changes);
        PyWrapperDescrObject *d = (PyWrapperDescrObject *)descr;
        if (unique == NULL || unique == address)
            generic = r->function;
        if (heap_is_type(descr, &PyWrapperDescr_Type) && d->d_base->name_strobj == r->name_strobj) {
            if ((specific == NULL || specific == d->d_wrapped) && d->d_base->wrapper == r->wrapper
                && PyType_IsSubtype(type, PyDescr_TYPE(d)))
                specific = d->d_wrapped;
            else
                use_generic = 1;
        }
        else if (heap_is_type(descr, &PyCFunction_Type) && r->function == (void *)slot_tp_new) {
            specific = specific_new(type, descr, changes);
            if (specific == NULL)
                use_generic = 1;
        }
        else if (descr == Py_None && r->function == (void *)slot_tp_hash)
            specific = (void *)PyObject_HashNotImplemented;
        else {
            use_generic = 1;
            generic = r->function;
        }
        Py_DECREF(descr);
    }
    void *value = specific != NULL && !use_generic ? specific : generic;
    if (value == (void *)slot_tp_getattr_hook) {
        /* With object.__getattribute__ the quick hook does; without __getattr__ the plain caller. */
        PyObject *get, *hook;
        int is_object = type_lookup_locked(type, STR(__getattribute__), &get) && heap_is_type(get, &PyWrapperDescr_Type)
                        && ((PyWrapperDescrObject *)get)->d_wrapped == (void *)PyObject_GenericGetAttr;
        if (!type_lookup_locked(type, STR(__getattr__), &hook))
            value = is_object ? (void *)PyObject_GenericGetAttr : (void *)slot_tp_getattro;
        else if (is_object)
            value = (void *)slot_tp_getattr_generic;
        Py_XDECREF(hook);
        Py_XDECREF(get);
    }
    /* An iterator in use may lose its __next__: who has checked once goes on calling. */
    if (value == NULL && offset == (int)offsetof(PyHeapTypeObject, ht_type.tp_iternext))
        value = (void *)_PyObject_NextNotImplemented;
    if (slot_value(changes, address) != value)
        change_slot(changes, address, value);
}

/* Classes whose instances are called: the vectorcall flag holds only while tp_call is inherited. */
static void drop_vectorcall(PyTypeObject *type)
{
    __atomic_fetch_and(&type->tp_flags, ~Py_TPFLAGS_HAVE_VECTORCALL, __ATOMIC_RELAXED);
}

static void update_name(PyTypeObject *type, int first_row, struct slot_changes *changes)
{
    changes->first = changes->count;
    for (int i = first_row; i >= 0; i = next_of_name[i] - 1)
        update_one(type, first_of_slot[i], changes);
    if (rows[first_row].name_strobj == STR(__call__))
        drop_vectorcall(type);
    /* Subclasses that do not define the name themselves follow. */
    for (uint32_t i = 0; type->tp_private != NULL && i < type->tp_private->subclass_count; i++) {
        PyTypeObject *subclass = (PyTypeObject *)weakref_target(type->tp_private->subclasses[i]);
        if (subclass == NULL)
            continue;
        PyObject *own;
        if (subclass->tp_dict == NULL || !type_dict_get_locked(subclass->tp_dict, rows[first_row].name_strobj, &own))
            update_name(subclass, first_row, changes);
        else
            Py_DECREF(own);
        Py_DECREF(subclass);
    }
}

void type_update_slot_locked(PyTypeObject *type, PyObject *name)
{
    int row = find_row(name);
    struct slot_changes changes;
    if (row < 0)
        return;
    changes.count = 0;
    update_name(type, row, &changes);
    make_changes(&changes);
}

/* Slots that were computed for classes that may have left the MRO. */
static void want_computed_slots(PyTypeObject *type, uint8_t *wanted)
{
    for (int i = 0; i < ROW_COUNT; i++) {
        void **address = type_slot_address(type, rows[i].offset), *value = address != NULL ? *address : NULL;
        if (value != NULL
            && (value == rows[i].function || value == (void *)slot_tp_getattr_generic || value == (void *)slot_tp_getattro
                || value == (void *)PyObject_HashNotImplemented))
            wanted[first_of_slot[i]] = 1;
    }
}

/* Sets the slots of all special names that occur in a class of the MRO that was made in Python (the rest has been
 * inherited as it is). */
static void fixup_slots(PyTypeObject *type, struct slot_changes *changes)
{
    uint8_t wanted[ROW_COUNT] = {0};
    PyObject *mro = type->tp_mro;
    init_table();
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(mro); i++) {
        PyTypeObject *base = (PyTypeObject *)PyTuple_GET_ITEM(mro, i);
        PyObject *key;
        Py_ssize_t position = 0;
        if (!PyType_HasFeature(base, Py_TPFLAGS_HEAPTYPE) || base->tp_dict == NULL)
            continue;
        while (dict_next_ref(base->tp_dict, &position, &key, NULL, NULL)) {
            int row = PyUnicode_CheckExact(key) ? find_row(key) : -1;
            for (; row >= 0; row = next_of_name[row] - 1)
                wanted[first_of_slot[row]] = 1;
            Py_DECREF(key);
        }
    }
    if (changes != NULL)
        want_computed_slots(type, wanted);
    /* Comparison and hash are inherited together or not at all: with one of them in Python, the other comes from the MRO too. */
    int hash = first_of_slot[find_row(STR(__hash__))], compare = first_of_slot[find_row(STR(__eq__))];
    wanted[hash] = wanted[compare] = wanted[hash] | wanted[compare];
    /* Never NULL: who iterates over an instance may find it in another class. */
    void *next = slot_value(changes, (void **)&type->tp_iternext);
    wanted[first_of_slot[find_row(STR(__next__))]] |= next == NULL || next == (void *)_PyObject_NextNotImplemented;
    for (int i = 0; i < ROW_COUNT; i++)
        if (wanted[i])
            update_one(type, i, changes);
    if (slot_value(changes, (void **)&type->tp_call) == (void *)slot_tp_call)
        drop_vectorcall(type);
}

void type_fixup_fresh_slots_locked(PyTypeObject *type) { fixup_slots(type, NULL); }

static void fixup_tree(PyTypeObject *type, struct slot_changes *changes)
{
    changes->first = changes->count;
    if (type->tp_mro != NULL)
        fixup_slots(type, changes);
    for (uint32_t i = 0; type->tp_private != NULL && i < type->tp_private->subclass_count; i++) {
        PyObject *subclass = weakref_target(type->tp_private->subclasses[i]);
        if (subclass != NULL) {
            fixup_tree((PyTypeObject *)subclass, changes);
            Py_DECREF(subclass);
        }
    }
}

void type_fixup_slots_of_tree_locked(PyTypeObject *type)
{
    struct slot_changes changes;
    changes.count = 0;
    fixup_tree(type, &changes);
    make_changes(&changes);
}
