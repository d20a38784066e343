/* Out-of-line displays, unpacking, iteration, formatting, and the making of functions. */
#include "Python.h"

#include "dict.h"
#include "function.h"
#include "list.h"
#include "long.h"
#include "object_pages.h"
#include "set.h"
#include "thread_state.h"
#include "trace.h"
#include "tuple.h"
#include "unicode.h"
#include "vm_slow.h"
#include "well_known_strings.h"

/* Moves n temporaries out as counted references. */
static inline Py_ALWAYS_INLINE void take_items(frame_t *f, unsigned base, unsigned n, PyObject **items)
{
    PyObject **slots = f->slots + base;
    for (unsigned i = 0; i < n; i++) {
        items[i] = slot_to_owned(slots[i]);
        slots[i] = NULL;
    }
}

static void clear_items(frame_t *f, unsigned base, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        slot_clear(f->slots, base + i);
}

int vm_build_tuple(frame_t *f, const instruction_t *at)
{
    unsigned b = AT_B(at), n = AT_C(at);
    if (n == 0)
        return result_store(f, AT_A(at), tuple_empty());
    PyTupleObject *tuple = tuple_alloc(n);
    if (tuple == NULL) {
        clear_items(f, b, n);
        return -1;
    }
    take_items(f, b, n, tuple->ob_item);
    object_track((PyObject *)tuple);
    return result_store(f, AT_A(at), (PyObject *)tuple);
}

int vm_build_list(frame_t *f, const instruction_t *at)
{
    unsigned b = AT_B(at), n = AT_C(at);
    if (n == 0)
        return result_store(f, AT_A(at), PyList_New(0));
    PyListObject *list = list_new_to_fill(n);
    if (list == NULL) {
        clear_items(f, b, n);
        return -1;
    }
    PyObject **slots = f->slots + b;
    for (unsigned i = 0; i < n; i++) {
        PyObject *item = slot_to_owned(slots[i]);
        slots[i] = NULL;
        list->ob_item[i] = item;
    }
    return result_store(f, AT_A(at), (PyObject *)list);
}

int vm_build_set(frame_t *f, const instruction_t *at)
{
    unsigned b = AT_B(at), n = AT_C(at);
    PyObject **slots = f->slots + b;
    PyObject *set = set_take_items(slots, n);
    for (unsigned i = 0; i < n && set != NULL; i++)
        if (slots[i] != NULL && PySet_Add(set, slots[i]) < 0)
            Py_CLEAR(set);
    clear_items(f, b, n);
    return result_store(f, AT_A(at), set);
}

int vm_build_map(frame_t *f, const instruction_t *at)
{
    unsigned b = AT_B(at), n = AT_C(at);
    PyObject **slots = f->slots + b;
    PyObject *dict = _PyDict_NewPresized(n);
    unsigned taken = dict != NULL ? (unsigned)dict_take_pairs(dict, slots, n) : 0;
    if (Py_UNLIKELY(taken < n)) {
        for (unsigned i = taken; i < n && dict != NULL; i++)
            if (PyDict_SetItem(dict, slots[2 * i], slots[2 * i + 1]) < 0)
                Py_CLEAR(dict);
        clear_items(f, b, 2 * n);
    }
    return result_store(f, AT_A(at), dict);
}

int vm_build_string(frame_t *f, const instruction_t *at)
{
    unsigned b = AT_B(at), n = AT_C(at);
    PyObject *result = unicode_join_array(&f->slots[b], n);
    clear_items(f, b, n);
    return result_store(f, AT_A(at), result);
}

int vm_format_value(frame_t *f, const instruction_t *at)
{
    unsigned b = AT_B(at), mode = AT_C(at);
    PyObject *value = operand_read(f, b);
    PyObject *result = NULL;
    if (value_is_int(value) && !(mode & 7))
        result = long_repr(value);
    else if (value != NULL) {
        PyObject *converted = NULL;
        switch (mode & 3) {
        case 0: converted = Py_NewRef(value); break;
        case 1: converted = PyObject_Str(value); break;
        case 2: converted = PyObject_Repr(value); break;
        case 3: converted = PyObject_ASCII(value); break;
        }
        PyObject *spec = mode & 4 ? f->slots[b + 1] : NULL;
        if (converted != NULL) {
            if (spec == NULL && heap_is_type(converted, &PyUnicode_Type))
                result = Py_NewRef(converted);
            else
                result = PyObject_Format(converted, spec);
            Py_DECREF(converted);
        }
    }
    operand_release(f, b);
    if (mode & 4)
        slot_clear(f->slots, b + 1);
    return result_store(f, AT_A(at), result);
}

/* ---- Displays under construction ---- */

int vm_set_add(frame_t *f, const instruction_t *at)
{
    PyObject *item = operand_read(f, AT_B(at));
    int status = item != NULL ? PySet_Add(f->slots[AT_A(at)], item) : -1;
    operand_release(f, AT_B(at));
    return status;
}

int vm_map_add(frame_t *f, const instruction_t *at)
{
    PyObject *key = operand_read(f, AT_B(at));
    PyObject *value = key != NULL ? operand_read(f, AT_C(at)) : NULL;
    int status = value != NULL ? PyDict_SetItem(f->slots[AT_A(at)], key, value) : -1;
    operand_release(f, AT_B(at));
    operand_release(f, AT_C(at));
    return status;
}

int vm_list_extend(frame_t *f, const instruction_t *at)
{
    PyObject *iterable = operand_read(f, AT_B(at));
    int status = -1;
    if (iterable != NULL) {
        PyObject *none = _PyList_Extend((PyListObject *)f->slots[AT_A(at)], iterable);
        status = none != NULL ? 0 : -1;
        Py_XDECREF(none);
        if (status < 0 && PyErr_ExceptionMatches(PyExc_TypeError) && Py_TYPE(iterable)->tp_iter == NULL
            && !PySequence_Check(iterable)) {
            PyErr_Clear();
            PyErr_Format(PyExc_TypeError, "Value after * must be an iterable, not %.200s", Py_TYPE(iterable)->tp_name);
        }
    }
    operand_release(f, AT_B(at));
    return status;
}

int vm_set_update(frame_t *f, const instruction_t *at)
{
    PyObject *iterable = operand_read(f, AT_B(at));
    int status = iterable != NULL ? _PySet_Update(f->slots[AT_A(at)], iterable) : -1;
    operand_release(f, AT_B(at));
    return status;
}

int vm_dict_update(frame_t *f, const instruction_t *at)
{
    PyObject *mapping = operand_read(f, AT_B(at));
    int status = mapping != NULL ? PyDict_Update(f->slots[AT_A(at)], mapping) : -1;
    if (status < 0 && mapping != NULL && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
        PyErr_Format(PyExc_TypeError, "'%.200s' object is not a mapping", Py_TYPE(mapping)->tp_name);
    }
    operand_release(f, AT_B(at));
    return status;
}

/* KeyError of _PyDict_MergeEx carries the duplicate key; AttributeError means that there is no keys(). */
static void merge_error(PyObject *callee, PyObject *mapping)
{
    PyObject *name = NULL;
    if (PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
        name = _PyObject_FunctionStr(callee);
        if (name != NULL)
            PyErr_Format(PyExc_TypeError, "%U argument after ** must be a mapping, not %.200s", name,
                         Py_TYPE(mapping)->tp_name);
    }
    else if (PyErr_ExceptionMatches(PyExc_KeyError)) {
        PyObject *exception = PyErr_GetRaisedException();
        PyObject *args = PyObject_GetAttrString(exception, "args");
        if (args != NULL && PyTuple_CheckExact(args) && PyTuple_GET_SIZE(args) == 1) {
            PyObject *key = PyTuple_GET_ITEM(args, 0);
            name = _PyObject_FunctionStr(callee);
            if (name != NULL)
                PyErr_Format(PyExc_TypeError, "%U got multiple values for keyword argument '%S'", name, key);
            Py_DECREF(exception);
        }
        else {
            PyErr_Clear();
            PyErr_SetRaisedException(exception);
        }
        Py_XDECREF(args);
    }
    Py_XDECREF(name);
}

int vm_dict_merge(frame_t *f, const instruction_t *at)
{
    PyObject *mapping = operand_read(f, AT_B(at));
    int status = mapping != NULL ? _PyDict_MergeEx(f->slots[AT_A(at)], mapping, 2) : -1;
    if (status < 0 && mapping != NULL)
        merge_error(f->slots[AT_C(at)], mapping);
    operand_release(f, AT_B(at));
    return status;
}

int vm_list_to_tuple(frame_t *f, const instruction_t *at)
{
    PyObject *tuple = PyList_AsTuple(f->slots[AT_B(at)]);
    operand_release(f, AT_B(at));
    return result_store(f, AT_A(at), tuple);
}

/* ---- Iteration and unpacking ---- */

int vm_get_iter(frame_t *f, const instruction_t *at)
{
    PyObject *iterable = operand_read(f, AT_B(at));
    PyObject *iterator = iterable != NULL ? PyObject_GetIter(iterable) : NULL;
    operand_release(f, AT_B(at));
    return result_store(f, AT_A(at), iterator);
}

int vm_for_iter_ended(frame_t *f)
{
    if (!PyErr_ExceptionMatches(PyExc_StopIteration))
        return 0;
    if (Py_UNLIKELY(thread_current()->use_tracing))
        trace_exception(thread_current(), f);
    PyErr_Clear();
    return 1;
}

static int count_error(PyObject *iterator, unsigned wanted)
{
    PyObject *extra = PyIter_Next(iterator);
    if (extra == NULL)
        return PyErr_Occurred() ? -1 : 0;
    Py_DECREF(extra);
    PyErr_Format(PyExc_ValueError, "too many values to unpack (expected %u)", wanted);
    return -1;
}

static PyObject *unpack_iterator(PyObject *sequence)
{
    PyObject *iterator = PyObject_GetIter(sequence);
    if (iterator == NULL && PyErr_ExceptionMatches(PyExc_TypeError) && Py_TYPE(sequence)->tp_iter == NULL
        && !PySequence_Check(sequence)) {
        PyErr_Clear();
        PyErr_Format(PyExc_TypeError, "cannot unpack non-iterable %.200s object", Py_TYPE(sequence)->tp_name);
    }
    return iterator;
}

/* Fills temporaries a.. with the next n items. */
static int unpack_some(frame_t *f, PyObject *iterator, unsigned a, unsigned n, unsigned wanted, int at_least)
{
    for (unsigned i = 0; i < n; i++) {
        PyObject *item = PyIter_Next(iterator);
        if (item == NULL) {
            if (!PyErr_Occurred())
                PyErr_Format(PyExc_ValueError, "not enough values to unpack (expected %s%u, got %u)",
                             at_least ? "at least " : "", wanted, i);
            clear_items(f, a, i);
            return -1;
        }
        slot_store(f->slots, a + i, owned_to_slot(item));
    }
    return 0;
}

int vm_unpack_sequence(frame_t *f, const instruction_t *at)
{
    unsigned a = AT_A(at), b = AT_B(at), n = AT_C(at);
    PyObject *sequence = operand_take_owned(f, b);
    int status = -1;
    if (sequence == NULL)
        return -1;
    PyObject *tuple = NULL;
    if (PyList_CheckExact(sequence) && !runtime_is_multi() && PyList_GET_SIZE(sequence) == (Py_ssize_t)n) {
        for (unsigned i = 0; i < n; i++)        /* dead temporaries: nothing is released, nothing runs */
            f->slots[a + i] = slot_copy(PyList_GET_ITEM(sequence, i));
        status = 0;
        goto done;
    }
    if (PyTuple_CheckExact(sequence))
        tuple = Py_NewRef(sequence);
    else if (PyList_CheckExact(sequence)) {
        tuple = PyList_AsTuple(sequence);       /* one consistent state */
        if (tuple == NULL)
            goto done;
    }
    if (tuple != NULL) {
        Py_ssize_t size = PyTuple_GET_SIZE(tuple);
        if (size == (Py_ssize_t)n) {
            for (unsigned i = 0; i < n; i++)
                slot_store(f->slots, a + i, slot_copy(PyTuple_GET_ITEM(tuple, i)));
            status = 0;
        }
        else if (size > (Py_ssize_t)n)
            PyErr_Format(PyExc_ValueError, "too many values to unpack (expected %u)", n);
        else
            PyErr_Format(PyExc_ValueError, "not enough values to unpack (expected %u, got %zd)", n, size);
        goto done;
    }
    PyObject *iterator = unpack_iterator(sequence);
    if (iterator == NULL)
        goto done;
    status = unpack_some(f, iterator, a, n, n, 0);
    if (status == 0) {
        status = count_error(iterator, n);
        if (status < 0)
            clear_items(f, a, n);
    }
    Py_DECREF(iterator);
done:
    Py_XDECREF(tuple);
    Py_DECREF(sequence);
    return status;
}

/* a, *b, c = tuple that is long enough. */
static int unpack_tuple_ex(frame_t *f, PyTupleObject *tuple, unsigned a, unsigned before, unsigned after)
{
    Py_ssize_t size = PyTuple_GET_SIZE(tuple), middle = size - before - after;
    PyObject *rest = list_from_array(&tuple->ob_item[before], middle);
    if (rest == NULL)
        return -1;
    for (unsigned i = 0; i < before; i++)
        slot_store(f->slots, a + i, slot_copy(tuple->ob_item[i]));
    slot_store(f->slots, a + before, rest);
    for (unsigned i = 0; i < after; i++)
        slot_store(f->slots, a + before + 1 + i, slot_copy(tuple->ob_item[size - after + i]));
    return 0;
}

int vm_unpack_ex(frame_t *f, const instruction_t *at, unsigned before, unsigned after)
{
    unsigned a = AT_A(at);
    PyObject *sequence = operand_take_owned(f, AT_B(at));
    PyObject *iterator = NULL, *rest = NULL, *all = NULL;
    int status = -1;
    if (sequence == NULL)
        return -1;
    if (PyTuple_CheckExact(sequence) && PyTuple_GET_SIZE(sequence) >= (Py_ssize_t)(before + after)) {
        status = unpack_tuple_ex(f, (PyTupleObject *)sequence, a, before, after);
        goto done;
    }
    PyObject *list;
    if (list_from_shared(sequence, &list) < 0)
        goto done;
    if (list != NULL)       /* a dict or set, or a view: as it is at one moment */
        Py_SETREF(sequence, list);
    iterator = unpack_iterator(sequence);
    if (iterator == NULL || unpack_some(f, iterator, a, before, before + after, 1) < 0)
        goto done;
    rest = PySequence_List(iterator);
    if (rest == NULL) {
        clear_items(f, a, before);
        goto done;
    }
    /* one state of it: while the iterator ran, another thread may have found the list */
    if (after > 0 && (all = PyList_AsTuple(rest)) == NULL) {
        clear_items(f, a, before);
        goto done;
    }
    Py_ssize_t size = all != NULL ? PyTuple_GET_SIZE(all) : 0;
    if (size < (Py_ssize_t)after) {
        PyErr_Format(PyExc_ValueError, "not enough values to unpack (expected at least %u, got %zd)", before + after,
                     before + size);
        clear_items(f, a, before);
        goto done;
    }
    for (unsigned i = 0; i < after; i++)
        slot_store(f->slots, a + before + 1 + i, slot_copy(PyTuple_GET_ITEM(all, size - after + i)));
    if (after > 0 && PyList_SetSlice(rest, size - after, PY_SSIZE_T_MAX, NULL) < 0) {
        clear_items(f, a, before);
        clear_items(f, a + before + 1, after);
        goto done;
    }
    slot_store(f->slots, a + before, rest);
    rest = NULL;
    status = 0;
done:
    Py_XDECREF(all);
    Py_XDECREF(rest);
    Py_XDECREF(iterator);
    Py_DECREF(sequence);
    return status;
}

/* ---- Functions ---- */

int vm_make_function(frame_t *f, const instruction_t *at)
{
    unsigned b = AT_B(at), flags = AT_C(at);
    PyObject **slots = f->slots;
    /* functions of modules and class bodies live long and are shared: frames do not count them */
    int deferred = !(f->code->co_flags & CO_NEWLOCALS);
    PyObject *code = slots[b];
    PyObject *op = function_new((PyCodeObject *)code, f->globals, f->builtins, NULL, deferred);
    unsigned next = b + 1;
    if (op != NULL) {
        PyFunctionObject *func = (PyFunctionObject *)op;
        PyObject **fields[] = {&func->func_defaults, &func->func_kwdefaults, &func->func_annotations, &func->func_closure};
        for (unsigned i = 0; i < 4; i++)
            if (flags & (1u << i)) {
                PyObject *value = slot_to_owned(slots[next]);
                slots[next++] = NULL;
                object_publish(value);
                *fields[i] = value;
            }
    }
    slot_clear(slots, b);
    clear_items(f, b + 1, (unsigned)__builtin_popcount(flags & 15));
    return result_store(f, AT_A(at), op);
}

int vm_load_build_class(frame_t *f, const instruction_t *at)
{
    PyObject *value = NULL;
    if (PyDict_CheckExact(f->builtins)) {
        if (PyDict_GetItemRef(f->builtins, STR(__build_class__), &value) < 0)
            return -1;
    }
    else {
        value = PyObject_GetItem(f->builtins, STR(__build_class__));
        if (value == NULL && PyErr_ExceptionMatches(PyExc_KeyError))
            PyErr_Clear();
        else if (value == NULL)
            return -1;
    }
    if (value == NULL)
        PyErr_SetString(PyExc_NameError, "__build_class__ not found");
    return result_store(f, AT_A(at), value);
}
