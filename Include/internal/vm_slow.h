/* What the interpreter loop does out of line.
 *
 * Every function gets the frame whose pc has been saved, reads the operands from the instruction at `at`, releases the operands taken, and stores
 * the result; it returns 0, or -1 with an exception set.  All of them may run Python code. */
#ifndef BRAID_VM_SLOW_H
#define BRAID_VM_SLOW_H

#include "frame.h"

enum { OPERAND_SLOT, OPERAND_CONST, OPERAND_INT };     /* what C of a binary instruction is */

/* l + r, str first. */
PyObject *vm_add(PyObject *l, PyObject *r);
int vm_binary(frame_t *f, const instruction_t *at, int operand, binaryfunc operation);
int vm_power(frame_t *f, const instruction_t *at, int operand, int inplace);
int vm_inplace_add(frame_t *f, const instruction_t *at, int operand);
int vm_unary(frame_t *f, const instruction_t *at, unaryfunc operation);
int vm_not(frame_t *f, const instruction_t *at, int negate);
int vm_compare(frame_t *f, const instruction_t *at, int op);
int vm_compare_chained(frame_t *f, const instruction_t *at);
int vm_contains(frame_t *f, const instruction_t *at, int negate);
/* Compare A with B (a slot, or a constant); the truth of the result: 1, 0, or -1. */
int vm_compare_jump(frame_t *f, const instruction_t *at, int op, int is_const);
/* Truth of slot A, which is released if `take`. 1, 0 or -1. */
int vm_truth(frame_t *f, const instruction_t *at, int take);

int vm_move_unbound(frame_t *f, unsigned slot);        /* raises UnboundLocalError for a slot that is NULL; -1 */

int vm_load_deref(frame_t *f, const instruction_t *at);
int vm_delete_deref(frame_t *f, const instruction_t *at, int must_exist);
int vm_load_class_deref(frame_t *f, const instruction_t *at);
int vm_load_name(frame_t *f, const instruction_t *at);
int vm_store_name(frame_t *f, const instruction_t *at);
int vm_delete_name(frame_t *f, const instruction_t *at);
int vm_store_global(frame_t *f, const instruction_t *at);
int vm_delete_global(frame_t *f, const instruction_t *at);
int vm_load_locals(frame_t *f, const instruction_t *at);

int vm_subscript(frame_t *f, const instruction_t *at, int is_const);
int vm_store_subscript(frame_t *f, const instruction_t *at);
int vm_delete_subscript(frame_t *f, const instruction_t *at);
int vm_build_slice(frame_t *f, const instruction_t *at);
/* BUILD_SLICE at `at` whose slice the SUBSCR behind it takes: both at once for exact list, tuple, str and bytes. 1; 0: not possible; -1 */
int vm_slice_subscript(frame_t *f, const instruction_t *at);

int vm_get_iter(frame_t *f, const instruction_t *at);
/* An iterator has returned NULL with an exception set: 1 and it is cleared if it is StopIteration, else 0. */
int vm_for_iter_ended(frame_t *f);
int vm_unpack_sequence(frame_t *f, const instruction_t *at);
int vm_unpack_ex(frame_t *f, const instruction_t *at, unsigned before, unsigned after);

int vm_build_tuple(frame_t *f, const instruction_t *at);
int vm_build_list(frame_t *f, const instruction_t *at);
int vm_build_set(frame_t *f, const instruction_t *at);
int vm_build_map(frame_t *f, const instruction_t *at);
int vm_build_string(frame_t *f, const instruction_t *at);
int vm_format_value(frame_t *f, const instruction_t *at);
int vm_set_add(frame_t *f, const instruction_t *at);
int vm_map_add(frame_t *f, const instruction_t *at);
int vm_list_extend(frame_t *f, const instruction_t *at);
int vm_set_update(frame_t *f, const instruction_t *at);
int vm_dict_update(frame_t *f, const instruction_t *at);
int vm_dict_merge(frame_t *f, const instruction_t *at);
int vm_list_to_tuple(frame_t *f, const instruction_t *at);

int vm_make_function(frame_t *f, const instruction_t *at);
int vm_load_build_class(frame_t *f, const instruction_t *at);
int vm_make_cell(frame_t *f, const instruction_t *at);

int vm_raise(frame_t *f, const instruction_t *at);      /* always -1; 1 if the exception goes on with its traceback as it is */
int vm_enter_handler(frame_t *f, const instruction_t *at);
int vm_leave_handler(frame_t *f, const instruction_t *at);
int vm_exc_match(frame_t *f, const instruction_t *at);  /* 1, 0, -1 */
int vm_exc_group_match(frame_t *f, const instruction_t *at);
int vm_prep_reraise_star(frame_t *f, const instruction_t *at);
int vm_with_enter(frame_t *f, const instruction_t *at, int is_async);
int vm_with_except(frame_t *f, const instruction_t *at);

int vm_get_len(frame_t *f, const instruction_t *at);
int vm_match_keys(frame_t *f, const instruction_t *at);
int vm_match_class(frame_t *f, const instruction_t *at);
int vm_copy_dict_without_keys(frame_t *f, const instruction_t *at);

int vm_import_name(frame_t *f, const instruction_t *at);
int vm_import_from(frame_t *f, const instruction_t *at);
int vm_import_star(frame_t *f, const instruction_t *at);
int vm_setup_annotations(frame_t *f, const instruction_t *at);
int vm_print_expr(frame_t *f, const instruction_t *at);

int vm_get_yield_from_iter(frame_t *f, const instruction_t *at);
int vm_get_awaitable(frame_t *f, const instruction_t *at);
int vm_get_aiter(frame_t *f, const instruction_t *at);
int vm_get_anext(frame_t *f, const instruction_t *at);
int vm_async_gen_wrap(frame_t *f, const instruction_t *at);
/* One SEND into anything but a generator in reach of the loop: 1 yields (rB set), 0 returned (rB set, A released), -1. */
int vm_send(frame_t *f, const instruction_t *at);
int vm_end_async_for(frame_t *f, const instruction_t *at);  /* 1: jump; 0: reraise, exception set */

/* ---- Operand helpers, for the files of Python/vm ---- */

#define AT_A(at) (((const uint16_t *)(at))[1])
#define AT_B(at) (((const uint16_t *)(at))[2])
#define AT_C(at) (((const uint16_t *)(at))[3])
#define AT_X(at) (((const int32_t *)(at))[1])

/* Puts a slot reference into a slot; what was there is released last. */
static inline Py_ALWAYS_INLINE void slot_store(PyObject **slots, unsigned index, PyObject *value)
{
    PyObject *old = slots[index];
    slots[index] = value;
    if (value_is_heap(old) && old != NULL)
        slot_decref(old);
}
static inline void slot_clear(PyObject **slots, unsigned index)
{
    PyObject *old = slots[index];
    slots[index] = NULL;
    if (value_is_heap(old) && old != NULL)
        slot_decref(old);
}
/* Releases an operand that is a temporary (a *take* operand). */
static inline Py_ALWAYS_INLINE void operand_release(frame_t *f, unsigned index)
{
    if (index >= (unsigned)f->code->co_temp_base)
        slot_clear(f->slots, index);
}
/* Puts a slot reference into A and releases operand B: that first, then what A held, both of which may run anything. */
static inline Py_ALWAYS_INLINE void result_store_for(frame_t *f, unsigned a, unsigned b, PyObject *value)
{
    PyObject **slots = f->slots, *operand = slots[b];
    if (b < (unsigned)f->code->co_temp_base) {
        slot_store(slots, a, value);
        return;
    }
    slots[b] = NULL;
    PyObject *old = slots[a];       /* NULL if A is B */
    slots[a] = value;
    if (Py_UNLIKELY(value_is_heap(old) && old != NULL)) {
        slots[b] = old;
        slot_decref(operand);
        slot_clear(slots, b);
    }
    else
        slot_decref(operand);
}
/* The value of an operand; NULL with UnboundLocalError. */
static inline PyObject *operand_read(frame_t *f, unsigned index)
{
    PyObject *v = f->slots[index];
    if (Py_UNLIKELY(v == NULL))
        vm_move_unbound(f, index);
    return v;
}
/* Moves an operand out as a counted reference: a temporary is emptied, a local copied. NULL with UnboundLocalError. */
static inline PyObject *operand_take_owned(frame_t *f, unsigned index)
{
    PyObject *v = operand_read(f, index);
    if (v == NULL)
        return NULL;
    if (index >= (unsigned)f->code->co_temp_base) {
        f->slots[index] = NULL;
        return slot_to_owned(v);
    }
    return Py_NewRef(v);
}
/* Stores a new (counted) reference into A; NULL: an exception is set, -1. */
static inline int result_store(frame_t *f, unsigned a, PyObject *owned)
{
    if (owned == NULL)
        return -1;
    slot_store(f->slots, a, owned_to_slot(owned));
    return 0;
}

#endif /* BRAID_VM_SLOW_H */
