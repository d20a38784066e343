/* Out-of-line operators: arithmetic, comparison, truth, containment, subscripts, slices. */
#include "Python.h"

#include "dict.h"
#include "list.h"
#include "thread_state.h"
#include "unicode.h"
#include "vm_slow.h"

int vm_move_unbound(frame_t *f, unsigned slot)
{
    if (slot < (unsigned)f->code->co_nlocals)
        PyErr_Format(PyExc_UnboundLocalError, "cannot access local variable '%U' where it is not associated with a value",
                     PyTuple_GET_ITEM(f->code->co_varnames, slot));
    else
        PyErr_SetString(PyExc_SystemError, "an empty temporary was read");
    return -1;
}

static PyObject *right_operand(frame_t *f, const instruction_t *at, int operand)
{
    switch (operand) {
    case OPERAND_SLOT: return operand_read(f, AT_C(at));
    case OPERAND_CONST: return f->code->co_consts_items[AT_C(at)];
    default: return value_from_int((int16_t)AT_C(at));
    }
}

/* Operands are released once the result exists, the left one first. */
static int finish_binary(frame_t *f, const instruction_t *at, int operand, PyObject *result)
{
    operand_release(f, AT_B(at));
    if (operand == OPERAND_SLOT)
        operand_release(f, AT_C(at));
    return result_store(f, AT_A(at), result);
}

int vm_binary(frame_t *f, const instruction_t *at, int operand, binaryfunc operation)
{
    PyObject *l = operand_read(f, AT_B(at));
    PyObject *r = l != NULL ? right_operand(f, at, operand) : NULL;
    return finish_binary(f, at, operand, r != NULL ? operation(l, r) : NULL);
}

int vm_power(frame_t *f, const instruction_t *at, int operand, int inplace)
{
    PyObject *l = operand_read(f, AT_B(at));
    PyObject *r = l != NULL ? right_operand(f, at, operand) : NULL;
    PyObject *result = NULL;
    if (r != NULL)
        result = inplace ? PyNumber_InPlacePower(l, r, Py_None) : PyNumber_Power(l, r, Py_None);
    return finish_binary(f, at, operand, result);
}

PyObject *vm_add(PyObject *l, PyObject *r)
{
    if (heap_is_type(l, &PyUnicode_Type) && heap_is_type(r, &PyUnicode_Type))
        return unicode_concat(l, r);
    return PyNumber_Add(l, r);
}

/* `s += t` on strings grows s where nobody else can see it. */
int vm_inplace_add(frame_t *f, const instruction_t *at, int operand)
{
    unsigned a = AT_A(at), b = AT_B(at);
    PyObject *l = f->slots[b];
    if (l != NULL && heap_is_type(l, &PyUnicode_Type) && object_is_unique(l)
        && (a == b || b >= (unsigned)f->code->co_temp_base)) {
        PyObject *r = right_operand(f, at, operand);
        if (r != NULL && heap_is_type(r, &PyUnicode_Type) && r != l) {
            f->slots[b] = NULL;
            l = unicode_concat_steal(l, r);     /* on failure l is gone, as in `s = s + t` with s unbound */
            return finish_binary(f, at, operand, l);
        }
    }
    return vm_binary(f, at, operand, PyNumber_InPlaceAdd);
}

int vm_unary(frame_t *f, const instruction_t *at, unaryfunc operation)
{
    PyObject *v = operand_read(f, AT_B(at));
    PyObject *result = v != NULL ? operation(v) : NULL;
    operand_release(f, AT_B(at));
    return result_store(f, AT_A(at), result);
}

int vm_not(frame_t *f, const instruction_t *at, int negate)
{
    PyObject *v = operand_read(f, AT_B(at));
    int truth = v != NULL ? PyObject_IsTrue(v) : -1;
    operand_release(f, AT_B(at));
    if (truth < 0)
        return -1;
    slot_store(f->slots, AT_A(at), (truth != 0) != negate ? Py_True : Py_False);
    return 0;
}

int vm_truth(frame_t *f, const instruction_t *at, int take)
{
    PyObject *v = operand_read(f, AT_A(at));
    int truth = v != NULL ? PyObject_IsTrue(v) : -1;
    if (take || truth < 0)
        operand_release(f, AT_A(at));
    return truth;
}

/* Two exact strings are compared here; *truth is the outcome. */
static inline int compare_strings(PyObject *l, PyObject *r, int op, int *truth)
{
    if (!heap_is_type(l, &PyUnicode_Type) || !heap_is_type(r, &PyUnicode_Type))
        return 0;
    if (op == Py_EQ || op == Py_NE) {
        *truth = unicode_equal(l, r) == (op == Py_EQ);
        return 1;
    }
    int order = unicode_compare(l, r);
    *truth = op == Py_LT ? order < 0 : op == Py_LE ? order <= 0 : op == Py_GT ? order > 0 : order >= 0;
    return 1;
}

int vm_compare(frame_t *f, const instruction_t *at, int op)
{
    PyObject *l = operand_read(f, AT_B(at));
    PyObject *r = l != NULL ? operand_read(f, AT_C(at)) : NULL;
    int truth;
    if (r != NULL && compare_strings(l, r, op, &truth))
        return finish_binary(f, at, OPERAND_SLOT, truth ? Py_True : Py_False);
    return finish_binary(f, at, OPERAND_SLOT, r != NULL ? PyObject_RichCompare(l, r, op) : NULL);
}

int vm_compare_jump(frame_t *f, const instruction_t *at, int op, int is_const)
{
    PyObject *l = operand_read(f, AT_A(at));
    PyObject *r = l == NULL ? NULL : is_const ? f->code->co_consts_items[AT_B(at)] : operand_read(f, AT_B(at));
    int truth = -1;
    if (r != NULL && !compare_strings(l, r, op, &truth)) {
        PyObject *result = PyObject_RichCompare(l, r, op);
        if (result == Py_True || result == Py_False)
            truth = result == Py_True;
        else if (result != NULL) {
            truth = PyObject_IsTrue(result);
            Py_DECREF(result);
        }
    }
    operand_release(f, AT_A(at));
    if (!is_const)
        operand_release(f, AT_B(at));
    return truth;
}

int vm_compare_chained(frame_t *f, const instruction_t *at)
{
    unsigned b = AT_B(at);
    PyObject *l = operand_read(f, b);
    PyObject *r = l != NULL ? operand_read(f, b + 1) : NULL;
    PyObject *result = NULL;
    int op = AT_C(at), status;
    if (r != NULL) {
        switch (op) {
        case 6:
        case 7:
            status = PySequence_Contains(r, l);
            if (status >= 0)
                result = PyBool_FromLong(op == 6 ? status : !status);
            break;
        case 8:
        case 9:
            result = PyBool_FromLong((l == r) == (op == 8));
            break;
        default:
            result = PyObject_RichCompare(l, r, op);
        }
    }
    operand_release(f, b);
    return result_store(f, AT_A(at), result);
}

int vm_contains(frame_t *f, const instruction_t *at, int negate)
{
    PyObject *item = operand_read(f, AT_B(at));
    PyObject *container = item != NULL ? operand_read(f, AT_C(at)) : NULL;
    int found = container != NULL ? PySequence_Contains(container, item) : -1;
    operand_release(f, AT_B(at));
    operand_release(f, AT_C(at));
    if (found < 0)
        return -1;
    slot_store(f->slots, AT_A(at), found != negate ? Py_True : Py_False);
    return 0;
}

/* ---- Subscripts ---- */

int vm_subscript(frame_t *f, const instruction_t *at, int is_const)
{
    PyObject *container = operand_read(f, AT_B(at));
    PyObject *key = container == NULL ? NULL : is_const ? f->code->co_consts_items[AT_C(at)] : operand_read(f, AT_C(at));
    PyObject *result = NULL;
    if (key != NULL) {
        if (heap_is_type(container, &PyDict_Type)) {
            int found = dict_get_ref(container, key, &result);
            if (found == 0)
                _PyErr_SetKeyError(key);
        }
        else if (value_is_int(key) && heap_is_type(container, &PyTuple_Type)
                 && (uint64_t)(value_get_int(key) + PyTuple_GET_SIZE(container)) < (uint64_t)PyTuple_GET_SIZE(container))
            result = Py_NewRef(PyTuple_GET_ITEM(container, value_get_int(key) + PyTuple_GET_SIZE(container)));
        else if (value_is_int(key) && heap_is_type(container, &PyUnicode_Type)
                 && (uint64_t)value_get_int(key) < (uint64_t)PyUnicode_GET_LENGTH(container))
            result = unicode_get_item(container, value_get_int(key));
        else
            result = PyObject_GetItem(container, key);
    }
    operand_release(f, AT_B(at));
    if (!is_const)
        operand_release(f, AT_C(at));
    return result_store(f, AT_A(at), result);
}

int vm_store_subscript(frame_t *f, const instruction_t *at)
{
    PyObject *container = operand_read(f, AT_A(at));
    PyObject *key = container != NULL ? operand_read(f, AT_B(at)) : NULL;
    PyObject *value = key != NULL ? operand_read(f, AT_C(at)) : NULL;
    int status = -1;
    if (value != NULL) {
        if (heap_is_type(container, &PyDict_Type))
            status = PyDict_SetItem(container, key, value);
        else
            status = PyObject_SetItem(container, key, value);
    }
    operand_release(f, AT_C(at));
    operand_release(f, AT_A(at));
    operand_release(f, AT_B(at));
    return status;
}

int vm_delete_subscript(frame_t *f, const instruction_t *at)
{
    PyObject *container = operand_read(f, AT_A(at));
    PyObject *key = container != NULL ? operand_read(f, AT_B(at)) : NULL;
    int status = key != NULL ? PyObject_DelItem(container, key) : -1;
    operand_release(f, AT_A(at));
    operand_release(f, AT_B(at));
    return status;
}

/* A bound of a slice that is None or a small int. 0 if it is neither. */
static inline int slice_bound(PyObject *bound, Py_ssize_t when_none, Py_ssize_t *value)
{
    *value = bound == Py_None ? when_none : value_get_int(bound);
    return bound == Py_None || value_is_int(bound);
}

int vm_slice_subscript(frame_t *f, const instruction_t *at)
{
    unsigned b = AT_B(at), container_slot = AT_B(at + 1);
    PyObject *container = f->slots[container_slot], *result;
    Py_ssize_t low, high;
    if (container == NULL || !value_is_heap(container) || !slice_bound(f->slots[b], 0, &low)
        || !slice_bound(f->slots[b + 1], PY_SSIZE_T_MAX, &high))
        return 0;
    PyTypeObject *type = heap_type(container);
    if (type != &PyList_Type && type != &PyUnicode_Type && type != &PyTuple_Type && type != &PyBytes_Type)
        return 0;
    f->slots[b] = f->slots[b + 1] = NULL;
    if (type == &PyList_Type) {
        PySlice_AdjustIndices(PyList_GET_SIZE(container), &low, &high, 1);
        result = list_get_slice((PyListObject *)container, low, high);
    }
    else if (type == &PyUnicode_Type) {
        Py_ssize_t n = PySlice_AdjustIndices(PyUnicode_GET_LENGTH(container), &low, &high, 1);
        result = unicode_get_slice(container, low, 1, n);
    }
    else if (type == &PyTuple_Type) {
        PySlice_AdjustIndices(PyTuple_GET_SIZE(container), &low, &high, 1);
        result = PyTuple_GetSlice(container, low, high);
    }
    else {
        Py_ssize_t n = PySlice_AdjustIndices(PyBytes_GET_SIZE(container), &low, &high, 1);
        result = n == PyBytes_GET_SIZE(container) ? Py_NewRef(container)
                                                  : PyBytes_FromStringAndSize(PyBytes_AS_STRING(container) + low, n);
    }
    operand_release(f, container_slot);
    return result_store(f, AT_A(at + 1), result) < 0 ? -1 : 1;
}

int vm_build_slice(frame_t *f, const instruction_t *at)
{
    unsigned b = AT_B(at), n = AT_C(at);
    PyObject *slice = PySlice_New(f->slots[b], f->slots[b + 1], n == 3 ? f->slots[b + 2] : NULL);
    for (unsigned i = 0; i < n; i++)
        slot_clear(f->slots, b + i);
    return result_store(f, AT_A(at), slice);
}
