/* The interpreter loop: computed goto over 64-bit instruction words (opcodes.def). Fast paths stand here; whatever may
 * take long or run Python code is called out of line (vm_slow.h) with the frame's pc saved.
 *
 * The text is compiled twice: as vm_loop here, and as vm_loop_traced, which asks trace.h before each instruction, in
 * interpreter_traced.c.  A loop that finds at a safe point that the other one is wanted returns VM_SWITCH. */

/* Every instruction keeps its own copy of the dispatch and of its tail: merged ones share an indirect branch that is predicted badly. */
#ifndef __clang__
#pragma GCC optimize("no-gcse,no-crossjumping")
#endif

#include "Python.h"

#include <math.h>

#include "abstract.h"
#include "calls.h"
#include "generator_frames.h"
#include "interpreter_fast.h"
#include "dict.h"
#include "instance.h"
#include "thread_state.h"
#include "trace.h"
#include "unicode_iter.h"
#include "vm.h"
#include "vm_cache.h"
#include "vm_slow.h"

#ifndef VM_TRACED
#define VM_TRACED 0

const opcode_info_t opcode_table[OPCODE_COUNT] = {
#define DST OPCODE_DST
#define ESC OPCODE_ESC
#define END OPCODE_END
#define OP(NAME, FORMAT, CACHES, FLAGS, EFFECT) {#NAME, FORMAT, CACHES, FLAGS, EFFECT},
#include "opcodes.def"
#undef OP
#undef DST
#undef ESC
#undef END
};

PyObject *vm_run_switched(PyThreadState *ts)
{
    PyObject *result;
    do {
        result = ts->use_tracing ? vm_loop_traced(ts, ts->frame, 0) : vm_loop(ts, ts->frame, 0);
    } while (result == VM_SWITCH);
    return result;
}

#endif /* VM_TRACED */

#define A AT_A(pc)
#define B AT_B(pc)
#define C AT_C(pc)
#define X AT_X(pc)
#define R(i) slots[i]

#define TARGET(name) TARGET_##name
#if VM_TRACED
#define LOOP_NAME vm_loop_traced
#define DISPATCH() goto traced_dispatch
#define CALL_NATIVE trace_call_native
#else
#define LOOP_NAME vm_loop
#define DISPATCH() goto *targets[*(const uint16_t *)pc]
#define CALL_NATIVE call_native
#endif
/* Does anything want the thread's attention? To the traced loop, that the thread is traced is no news. */
#if VM_TRACED
#define BREAKER() (__atomic_load_n(&ts->breaker, __ATOMIC_RELAXED) & ~(uint32_t)BREAKER_TRACE)
#else
#define BREAKER() __atomic_load_n(&ts->breaker, __ATOMIC_RELAXED)
#endif
#define NEXT(caches) do { pc += 1 + (caches); DISPATCH(); } while (0)
#define SAVE() (frame->pc = pc + 1)

/* Runs an out-of-line operation and goes on with the next instruction. */
#define SLOW(call, caches) \
    do { \
        SAVE(); \
        if (Py_UNLIKELY((call) < 0)) \
            goto error; \
        NEXT(caches); \
    } while (0)

/* A taken jump: backwards it is a safe point. */
#define JUMP_BY(offset) \
    do { \
        int32_t distance_ = (offset); \
        pc += distance_; \
        if (distance_ < 0 && Py_UNLIKELY(BREAKER())) \
            goto safe_point; \
        DISPATCH(); \
    } while (0)

#define STORE(index, value) slot_store(slots, (index), (value))
/* Into a dead temporary: it holds nothing that ever needs a release. */
#define PUT(index, value) \
    do { \
        assert(R(index) == NULL || value_is_immediate(R(index)) || (object_flags(R(index)) & OBJECT_IMMORTAL)); \
        R(index) = (value); \
    } while (0)

#define ARITHMETIC(NAME, INT_CASE, FLOAT_OPERATION, FUNCTION, INPLACE_FUNCTION) \
    TARGET(NAME): { \
        PyObject *l = R(B), *r = R(C); \
        INT_CASE \
        FLOAT_CASE(FLOAT_OPERATION) \
        SLOW(vm_binary(frame, pc, OPERAND_SLOT, FUNCTION), 0); \
    } \
    TARGET(NAME##_K): { \
        PyObject *l = R(B), *r = consts[C]; \
        INT_CASE \
        FLOAT_CASE(FLOAT_OPERATION) \
        SLOW(vm_binary(frame, pc, OPERAND_CONST, FUNCTION), 0); \
    } \
    TARGET(INPLACE_##NAME): { \
        PyObject *l = R(B), *r = R(C); \
        INT_CASE \
        FLOAT_CASE(FLOAT_OPERATION) \
        SLOW(INPLACE_FUNCTION(frame, pc, OPERAND_SLOT), 0); \
    } \
    TARGET(INPLACE_##NAME##_K): { \
        PyObject *l = R(B), *r = consts[C]; \
        INT_CASE \
        FLOAT_CASE(FLOAT_OPERATION) \
        SLOW(INPLACE_FUNCTION(frame, pc, OPERAND_CONST), 0); \
    }

/* Both immediate floats, or one of them an immediate int: the operation in doubles, if the result is immediate. */
#define FLOAT_CASE(OPERATION) \
    { \
        double x, y; \
        if (numeric_doubles(l, r, &x, &y)) { \
            OPERATION \
        } \
    }
#define FLOAT_RESULT(expression) \
    { \
        PyObject *word = value_encode_float(expression); \
        if (Py_LIKELY(value_is_float(word))) { \
            STORE(A, word); \
            NEXT(0); \
        } \
    }
#define NO_FLOAT

#define INT_RESULT(word) \
    do { \
        STORE(A, (PyObject *)(word)); \
        NEXT(0); \
    } while (0)

#define INT_ADD \
    if (Py_LIKELY(value_both_ints(l, r))) { \
        int64_t word; \
        if (Py_LIKELY(!__builtin_add_overflow((int64_t)l, (int64_t)r - 3, &word))) \
            INT_RESULT(word); \
    } else
#define INT_SUBTRACT \
    if (Py_LIKELY(value_both_ints(l, r))) { \
        int64_t word; \
        if (Py_LIKELY(!__builtin_sub_overflow((int64_t)l, (int64_t)r - 3, &word))) \
            INT_RESULT(word); \
    } else
#define INT_MULTIPLY \
    if (Py_LIKELY(value_both_ints(l, r))) { \
        int64_t word; \
        if (Py_LIKELY(!__builtin_mul_overflow((int64_t)l >> 2, (int64_t)r - 3, &word))) \
            INT_RESULT(word + 3); \
    } else
#define INT_FLOOR_DIVIDE \
    if (value_both_ints(l, r)) { \
        int64_t a = value_get_int(l), b = value_get_int(r); \
        if (Py_LIKELY(b != 0 && b != -1)) { \
            int64_t q = a / b; \
            q -= (a % b != 0 && (a ^ b) < 0); \
            INT_RESULT(value_from_int(q)); \
        } \
    } else
#define INT_REMAINDER \
    if (value_both_ints(l, r)) { \
        int64_t a = value_get_int(l), b = value_get_int(r); \
        if (Py_LIKELY(b != 0 && b != -1)) { \
            int64_t m = a % b; \
            if (m != 0 && (m ^ b) < 0) \
                m += b; \
            INT_RESULT(value_from_int(m)); \
        } \
    } else
#define INT_AND \
    if (Py_LIKELY(value_both_ints(l, r))) \
        INT_RESULT((uintptr_t)l & (uintptr_t)r); \
    else
#define INT_OR \
    if (Py_LIKELY(value_both_ints(l, r))) \
        INT_RESULT((uintptr_t)l | (uintptr_t)r); \
    else
#define INT_XOR \
    if (Py_LIKELY(value_both_ints(l, r))) \
        INT_RESULT(((uintptr_t)l ^ (uintptr_t)r) | 3); \
    else
#define INT_LSHIFT \
    if (value_both_ints(l, r)) { \
        int64_t a = value_get_int(l), b = value_get_int(r); \
        if (b >= 0 && b < 61 && (a << b) >> b == a && value_fits_int(a << b)) \
            INT_RESULT(value_from_int(a << b)); \
    } else
#define INT_RSHIFT \
    if (value_both_ints(l, r)) { \
        int64_t a = value_get_int(l), b = value_get_int(r); \
        if (b >= 0) \
            INT_RESULT(value_from_int(a >> (b > 63 ? 63 : b))); \
    } else
#define INT_NONE

/* The sign is the divisor's; a zero of the wrong sign is no immediate and goes the slow way. */
#define FLOAT_REMAINDER \
    if (Py_LIKELY(y != 0.0)) { \
        double m = fmod(x, y); \
        if (m != 0.0) { \
            if ((m < 0.0) != (y < 0.0)) \
                m += y; \
            FLOAT_RESULT(m) \
        } \
    }
/* Quotients that are exact in a double; what rounding could move goes the slow way. */
#define FLOAT_FLOOR_DIVIDE \
    if (Py_LIKELY(y != 0.0)) { \
        double m = fmod(x, y); \
        double q = (x - m) / y; \
        if (m != 0.0 && (m < 0.0) != (y < 0.0)) \
            q -= 1.0; \
        double whole = floor(q); \
        if (whole != 0.0 && whole == q && fabs(q) < 1e15) \
            FLOAT_RESULT(whole) \
    }

#define COMPARISON(NAME, SIGN, OPCODE) \
    TARGET(NAME): { \
        PyObject *l = R(B), *r = R(C); \
        if (value_both_ints(l, r)) { \
            STORE(A, (int64_t)l SIGN (int64_t)r ? Py_True : Py_False); \
            NEXT(0); \
        } \
        double x, y; \
        if (numeric_doubles(l, r, &x, &y)) { \
            STORE(A, x SIGN y ? Py_True : Py_False); \
            NEXT(0); \
        } \
        SLOW(vm_compare(frame, pc, OPCODE), 0); \
    } \
    TARGET(J##NAME): COMPARE_JUMP(R(B), SIGN, OPCODE, 0, 1) \
    TARGET(J##NAME##_K): COMPARE_JUMP(consts[B], SIGN, OPCODE, 1, 1) \
    TARGET(JN##NAME): COMPARE_JUMP(R(B), SIGN, OPCODE, 0, 0) \
    TARGET(JN##NAME##_K): COMPARE_JUMP(consts[B], SIGN, OPCODE, 1, 0)

#define COMPARE_JUMP(RIGHT, SIGN, OPCODE, IS_CONST, SENSE) \
    { \
        PyObject *l = R(A), *r = RIGHT; \
        int truth; \
        double x, y; \
        if (Py_LIKELY(value_both_ints(l, r))) \
            truth = (int64_t)l SIGN (int64_t)r; \
        else if (numeric_doubles(l, r, &x, &y)) \
            truth = x SIGN y; \
        else { \
            SAVE(); \
            truth = vm_compare_jump(frame, pc, OPCODE, IS_CONST); \
            if (Py_UNLIKELY(truth < 0)) \
                goto error; \
        } \
        int32_t offset = (int16_t)C; \
        pc++; \
        if (truth == SENSE) \
            JUMP_BY(offset); \
        DISPATCH(); \
    }

/* Doubles of two immediates of which at least one is a float; ints must be exact in a double. */
static inline Py_ALWAYS_INLINE int numeric_doubles(PyObject *l, PyObject *r, double *x, double *y)
{
    if (Py_LIKELY(value_is_float(l))) {
        *x = value_get_float(l);
        if (Py_LIKELY(value_is_float(r))) {
            *y = value_get_float(r);
            return 1;
        }
        if (!value_is_int(r))
            return 0;
        int64_t n = value_get_int(r);
        *y = (double)n;
        return n <= (1LL << 53) && n >= -(1LL << 53);
    }
    if (!value_is_int(l) || !value_is_float(r))
        return 0;
    int64_t n = value_get_int(l);
    *x = (double)n;
    *y = value_get_float(r);
    return n <= (1LL << 53) && n >= -(1LL << 53);
}

static int inplace_subtract(frame_t *f, const instruction_t *at, int operand) { return vm_binary(f, at, operand, PyNumber_InPlaceSubtract); }
static int inplace_multiply(frame_t *f, const instruction_t *at, int operand) { return vm_binary(f, at, operand, PyNumber_InPlaceMultiply); }
static int inplace_true_divide(frame_t *f, const instruction_t *at, int operand) { return vm_binary(f, at, operand, PyNumber_InPlaceTrueDivide); }
static int inplace_floor_divide(frame_t *f, const instruction_t *at, int operand) { return vm_binary(f, at, operand, PyNumber_InPlaceFloorDivide); }
static int inplace_remainder(frame_t *f, const instruction_t *at, int operand) { return vm_binary(f, at, operand, PyNumber_InPlaceRemainder); }
static int inplace_lshift(frame_t *f, const instruction_t *at, int operand) { return vm_binary(f, at, operand, PyNumber_InPlaceLshift); }
static int inplace_rshift(frame_t *f, const instruction_t *at, int operand) { return vm_binary(f, at, operand, PyNumber_InPlaceRshift); }
static int inplace_and(frame_t *f, const instruction_t *at, int operand) { return vm_binary(f, at, operand, PyNumber_InPlaceAnd); }
static int inplace_or(frame_t *f, const instruction_t *at, int operand) { return vm_binary(f, at, operand, PyNumber_InPlaceOr); }
static int inplace_xor(frame_t *f, const instruction_t *at, int operand) { return vm_binary(f, at, operand, PyNumber_InPlaceXor); }
static int inplace_matrix_multiply(frame_t *f, const instruction_t *at, int operand) { return vm_binary(f, at, operand, PyNumber_InPlaceMatrixMultiply); }

/* A CACHE_BUILTIN record is of these builtins. (Other activations of the code may have others, of any type.) */
static inline Py_ALWAYS_INLINE int are_builtins_as_cached(const frame_t *frame, const cache_record_t *record)
{
    return frame->builtins == (PyObject *)record->owner && dict_version_racy(frame->builtins) == record->dict_version2;
}

/* The value at a published address, taken as a slot reference; 0 if it died under our hands. */
static inline Py_ALWAYS_INLINE int take_published(PyObject **address, PyObject **value)
{
    PyObject *v = __atomic_load_n(address, __ATOMIC_ACQUIRE);
    if (v == NULL || !slot_try_incref(v))
        return 0;
    *value = v;
    return 1;
}

PyObject *LOOP_NAME(PyThreadState *ts, frame_t *frame, int throwing)
{
    static const void *const targets[OPCODE_COUNT] = {
#define OP(NAME, FORMAT, CACHES, FLAGS, EFFECT) &&TARGET_##NAME,
#include "opcodes.def"
#undef OP
    };
    PyObject **slots;
    PyObject **consts;
    instruction_t *pc;
    int64_t position_kept;      /* of an exception that is raised again: the word that raised it first, or -1 */

#define LOAD_FRAME() (slots = frame->slots, consts = frame->code->co_consts_items, pc = frame->pc)

#if !VM_TRACED
    if (Py_UNLIKELY(throwing) && ts->use_tracing)
        return vm_loop_traced(ts, frame, 1);
#endif
    LOAD_FRAME();
#if VM_TRACED
    if (throwing && trace_enter_throwing(ts, frame) < 0)
        goto leave_raising;
#endif
    if (throwing)
        goto error;
    if (Py_UNLIKELY(BREAKER())) {
        if (!(frame->flags & FRAME_GENERATOR))
            goto safe_point;
#if !VM_TRACED      /* which is to hear of the calls first */
        frame = generator_enter_delegates(ts, frame);
        LOAD_FRAME();
#endif
        goto safe_point_after_call;     /* what is raised comes from the yield, which may stand in a try block */
    }
    DISPATCH();

safe_point_after_call:
    /* What a signal handler raises comes from the call, which may be the last one in a with or try block: pc is behind it. */
    frame->pc = pc;
    if (thread_handle_breaker(ts) < 0)
        goto error;
    goto handled;
safe_point:
    /* pc names the instruction to run next */
    frame->pc = pc;
    if (thread_handle_breaker(ts) < 0) {
        frame->pc = pc + 1;
        goto error;
    }
handled:
#if VM_TRACED
    goto traced_dispatch;
traced_dispatch:
    if (!ts->use_tracing) {
        frame->pc = pc;
        return VM_SWITCH;
    }
    switch (trace_before(ts, frame, &pc)) {
    case TRACE_ERROR: goto error;
    case TRACE_LEAVE: goto leave_raising;
    default: goto *targets[*(const uint16_t *)pc];
    }
#else
    if (Py_UNLIKELY(ts->use_tracing))
        return VM_SWITCH;
    DISPATCH();
#endif

    /* ---- moves ---- */
    TARGET(NOP): NEXT(0);
    TARGET(MOVE): {
        PyObject *v = R(B);
        if (Py_UNLIKELY(v == NULL))
            SLOW(vm_move_unbound(frame, B), 0);
        slot_incref(v);
        PyObject *old = R(A);
        R(A) = v;
        if (value_is_heap(old) && old != NULL) {
            SAVE();
            slot_decref(old);
        }
        NEXT(0);
    }
    TARGET(MOVE_T): {
        PyObject *v = R(B);
        if (Py_UNLIKELY(v == NULL))
            SLOW(vm_move_unbound(frame, B), 0);
        slot_incref(v);
        PUT(A, v);
        NEXT(0);
    }
    TARGET(TAKE): {
        PyObject *v = R(B), *old = R(A);
        R(B) = NULL;
        R(A) = v;
        if (value_is_heap(old) && old != NULL) {
            SAVE();
            slot_decref(old);
        }
        NEXT(0);
    }
    TARGET(LOAD_CONST): {
        PyObject *v = consts[X];
        slot_incref(v);
        SAVE();
        STORE(A, v);
        NEXT(0);
    }
    TARGET(LOAD_CONST_T): {
        PyObject *v = consts[X];
        slot_incref(v);
        PUT(A, v);
        NEXT(0);
    }
    TARGET(LOAD_CONST_UNCOUNTED): {
        PUT(A, consts[X]);
        NEXT(0);
    }
    TARGET(LOAD_INT_T): {
        PUT(A, value_from_int(X));
        NEXT(0);
    }
    TARGET(LOAD_INT): {
        SAVE();
        STORE(A, value_from_int(X));
        NEXT(0);
    }
    TARGET(CLEAR_FAST):
    TARGET(DROP): {
        SAVE();
        slot_clear(slots, A);
        NEXT(0);
    }
    TARGET(DELETE_FAST): {
        SAVE();
        if (R(A) == NULL) {
            vm_move_unbound(frame, A);
            goto error;
        }
        slot_clear(slots, A);
        NEXT(0);
    }

    /* ---- cells ---- */
    TARGET(MAKE_CELL): SLOW(vm_make_cell(frame, pc), 0);
    TARGET(COPY_FREE_VARS): {
        PyObject *closure = frame->func->func_closure;
        for (int i = 0; i < X; i++)
            R(A + i) = slot_copy(PyTuple_GET_ITEM(closure, i));
        NEXT(0);
    }
    TARGET(LOAD_CELL): {
        PyObject *v = slot_copy(R(B));
        SAVE();
        STORE(A, v);
        NEXT(0);
    }
    TARGET(LOAD_DEREF): {
        PyObject *v;
        if (Py_LIKELY(take_published(&((PyCellObject *)R(B))->ob_ref, &v))) {
            SAVE();
            STORE(A, v);
            NEXT(0);
        }
        SLOW(vm_load_deref(frame, pc), 0);
    }
    TARGET(LOAD_DEREF_T): {
        PyObject *v;
        if (Py_LIKELY(take_published(&((PyCellObject *)R(B))->ob_ref, &v))) {
            PUT(A, v);
            NEXT(0);
        }
        SLOW(vm_load_deref(frame, pc), 0);
    }
    TARGET(STORE_DEREF): {
        SAVE();
        PyObject *v = operand_take_owned(frame, B);
        if (Py_UNLIKELY(v == NULL))
            goto error;
        Py_XDECREF(cell_swap_steal((PyCellObject *)R(A), v));
        NEXT(0);
    }
    TARGET(DELETE_DEREF): SLOW(vm_delete_deref(frame, pc, 1), 0);
    TARGET(CLEAR_DEREF): SLOW(vm_delete_deref(frame, pc, 0), 0);
    TARGET(LOAD_CLASSDEREF): SLOW(vm_load_class_deref(frame, pc), 0);

    /* ---- names ---- */
    TARGET(LOAD_GLOBAL): {
        cache_record_t *record = cache_as_record(cache_word(pc));
        if (Py_LIKELY(record != NULL && dict_version_racy(frame->globals) == record->dict_version)) {
            PyObject *v;
            if ((record->kind == CACHE_GLOBAL || are_builtins_as_cached(frame, record))
                && take_published(record->slot, &v)) {
                SAVE();
                STORE(A, v);
                NEXT(1);
            }
        }
        SLOW(vm_load_global(frame, pc), 1);
    }
    TARGET(LOAD_GLOBAL_T): {
        uint64_t word = cache_word(pc);
        if (Py_LIKELY(word > CACHE_COUNTER_MAX)) {          /* a record: this instruction has no other words */
            cache_record_t *record = (cache_record_t *)(uintptr_t)word;
            PyObject *v;
            if (Py_LIKELY(dict_version_racy(frame->globals) == record->dict_version
                          && (record->kind == CACHE_GLOBAL || are_builtins_as_cached(frame, record))
                          && take_published(record->slot, &v))) {
                PUT(A, v);
                NEXT(1);
            }
        }
        SLOW(vm_load_global(frame, pc), 1);
    }
    TARGET(STORE_GLOBAL): SLOW(vm_store_global(frame, pc), 0);
    TARGET(DELETE_GLOBAL): SLOW(vm_delete_global(frame, pc), 0);
    TARGET(LOAD_NAME): {
        if (frame->flags & FRAME_LOCALS_IS_GLOBALS) {
            cache_record_t *record = cache_as_record(cache_word(pc));
            PyObject *v;
            if (record != NULL && dict_version_racy(frame->globals) == record->dict_version
                && (record->kind == CACHE_GLOBAL || are_builtins_as_cached(frame, record))
                && take_published(record->slot, &v)) {
                SAVE();
                STORE(A, v);
                NEXT(1);
            }
            SLOW(vm_load_global(frame, pc), 1);
        }
        SLOW(vm_load_name(frame, pc), 1);
    }
    TARGET(STORE_NAME): SLOW(vm_store_name(frame, pc), 0);
    TARGET(DELETE_NAME): SLOW(vm_delete_name(frame, pc), 0);
    TARGET(LOAD_LOCALS): SLOW(vm_load_locals(frame, pc), 0);

    /* ---- attributes and items ---- */
    TARGET(LOAD_ATTR_T): {
        PyObject *op = R(B);
        uint64_t word = cache_word(pc);
        if (Py_LIKELY((word & 1) && value_is_heap(op) && op != NULL
                      && instance_shape(op) == cache_word_shape(word) && object_may_read(op))) {
            PyObject *v = __atomic_load_n((PyObject **)((char *)op + cache_word_offset(word)), __ATOMIC_ACQUIRE);
            if (Py_LIKELY(v != NULL && v != SHAPE_TOMBSTONE && slot_try_incref(v))) {
                PUT(A, v);
                NEXT(1);
            }
        }
        goto load_attr_other;
    }
    TARGET(LOAD_ATTR): {
        PyObject *op = R(B);
        uint64_t word = cache_word(pc);
        if (Py_LIKELY((word & 1) && value_is_heap(op) && op != NULL
                      && instance_shape(op) == cache_word_shape(word) && object_may_read(op))) {
            PyObject *v = __atomic_load_n((PyObject **)((char *)op + cache_word_offset(word)), __ATOMIC_ACQUIRE);
            if (Py_LIKELY(v != NULL && v != SHAPE_TOMBSTONE && slot_try_incref(v))) {
                SAVE();
                result_store_for(frame, A, B, v);
                NEXT(1);
            }
        }
    load_attr_other:
        op = R(B);
        word = cache_word(pc);
        cache_record_t *record = cache_as_record(word);
        if (value_is_heap(op) && op != NULL && object_may_read(op))
            for (cache_record_t *r = record; r != NULL && r->kind == CACHE_SLOT; r = r->next) {
                if (instance_shape(op) != r->shape)
                    continue;
                PyObject *v = __atomic_load_n((PyObject **)((char *)op + r->offset), __ATOMIC_ACQUIRE);
                if (Py_UNLIKELY(v == NULL || v == SHAPE_TOMBSTONE || !slot_try_incref(v)))
                    break;
                SAVE();
                result_store_for(frame, A, B, v);
                NEXT(1);
            }
        if (record != NULL && record->kind == CACHE_PROPERTY && value_is_heap(op) && op != NULL
            && type_version(heap_type(op)) == record->type_version) {
            /* the getter runs as a call of this frame */
            PyObject *getter = property_getter_racy(record->value), *self = op;
            if (Py_UNLIKELY(getter == NULL || !heap_is_type(getter, &PyFunction_Type) || !slot_try_incref(getter)))
                SLOW(vm_load_attr(frame, pc), 1);
            frame->pc = pc + 2;
            frame_t *inner = call_push_copies(ts, (PyFunctionObject *)getter, &self, 1);
            if (B < (unsigned)frame->code->co_temp_base) {
                if (Py_UNLIKELY(inner == NULL))
                    slot_incref(self);
            }
            else {
                R(B) = NULL;
                if (Py_LIKELY(inner != NULL))
                    slot_decref(self);      /* never the last reference: the callee's window has one */
            }
            if (Py_UNLIKELY(inner == NULL))
                inner = call_push_held(ts, NULL, (PyFunctionObject *)getter, &self, 1, NULL);
            if (Py_UNLIKELY(inner == NULL))
                goto error;
            inner->result_slot = A;
            frame = inner;
            LOAD_FRAME();
            if (Py_UNLIKELY(BREAKER()))
                goto safe_point;
            DISPATCH();
        }
        SLOW(vm_load_attr(frame, pc), 1);
    }
    TARGET(STORE_ATTR): {
        PyObject *op = R(A), *v = R(C);
        uint64_t word = cache_word(pc);
        if (Py_LIKELY((word & 1) && value_is_heap(op) && op != NULL && v != NULL
                      && instance_shape(op) == cache_word_shape(word))) {
            SAVE();
            PyObject *old;
            /* overwrites a bound slot only: NULL and TOMBSTONE need the lock */
            if (Py_LIKELY(instance_overwrite_slot(op, cache_word_offset(word), v, &old))) {
                /* the slot has its own counted reference now: v was counted inside */
                Py_DECREF(old);
                operand_release(frame, C);
                operand_release(frame, A);
                NEXT(1);
            }
        }
        SLOW(vm_store_attr(frame, pc), 1);
    }
    TARGET(DELETE_ATTR): SLOW(vm_delete_attr(frame, pc), 0);
    TARGET(LOAD_METHOD): {
        PyObject *op = R(B);
        cache_record_t *record = cache_as_record(cache_word(pc));
        if (Py_LIKELY(record != NULL && op != NULL && value_is_heap(op) && record->kind == CACHE_METHOD
                      && type_version(heap_type(op)) == record->type_version
                      && (!record->checks_shape || instance_shape(op) == record->shape))) {
            PyObject *method = record->value;
            if (Py_LIKELY(slot_try_incref(method))) {
                unsigned a = A, b = B;
                SAVE();
                if (b < (unsigned)frame->code->co_temp_base)
                    slot_incref(op);
                else
                    R(b) = NULL;
                PUT(a, method);
                PUT(a + 1, op);
                NEXT(1);
            }
        }
        SLOW(vm_load_method(frame, pc), 1);
    }
    TARGET(SUBSCR): {
        PyObject *container = R(B), *key = R(C);
        if (Py_LIKELY(value_is_int(key) && container != NULL && value_is_heap(container))) {
            PyObject *v;
            PyTypeObject *type = heap_type(container);
            if (type == &PyList_Type) {
                int64_t index = value_get_int(key);
                if (Py_LIKELY((v = list_read_item_slot(container, index)) != NULL)) {
                    SAVE();
                    result_store_for(frame, A, B, v);
                    NEXT(1);
                }
            }
            else if (type == &PyTuple_Type) {
                int64_t index = value_get_int(key);
                if (Py_LIKELY((uint64_t)index < (uint64_t)PyTuple_GET_SIZE(container))) {
                    v = slot_copy(PyTuple_GET_ITEM(container, index));
                    SAVE();
                    result_store_for(frame, A, B, v);
                    NEXT(1);
                }
            }
        }
        SLOW(vm_subscript(frame, pc, 0), 1);
    }
    TARGET(SUBSCR_K): {
        PyObject *container = R(B), *key = consts[C];
        if (Py_LIKELY(value_is_int(key) && container != NULL && value_is_heap(container))) {
            PyObject *v = NULL;
            int64_t index = value_get_int(key);
            if (heap_type(container) == &PyTuple_Type) {
                if (Py_LIKELY((uint64_t)index < (uint64_t)PyTuple_GET_SIZE(container)))
                    v = slot_copy(PyTuple_GET_ITEM(container, index));
            }
            else if (heap_type(container) == &PyList_Type)
                v = list_read_item_slot(container, index);
            if (Py_LIKELY(v != NULL)) {
                SAVE();
                result_store_for(frame, A, B, v);
                NEXT(0);
            }
        }
        SLOW(vm_subscript(frame, pc, 1), 0);
    }
    TARGET(STORE_SUBSCR): {
        PyObject *container = R(A), *key = R(B);
        if (Py_LIKELY(value_is_int(key) && container != NULL && heap_is_type(container, &PyList_Type) && R(C) != NULL)) {
            int64_t index = value_get_int(key);
            if (Py_LIKELY((uint64_t)index < (uint64_t)PyList_GET_SIZE(container))) {
                SAVE();
                PyObject *value = operand_take_owned(frame, C);
                if (Py_UNLIKELY(list_store_item((PyListObject *)container, index, value) < 0))
                    goto error_release_a;
                operand_release(frame, A);
                NEXT(0);
            }
        }
        SLOW(vm_store_subscript(frame, pc), 0);
    error_release_a:
        operand_release(frame, A);
        goto error;
    }
    TARGET(DELETE_SUBSCR): SLOW(vm_delete_subscript(frame, pc), 0);
    TARGET(BUILD_SLICE): {
        SAVE();
        if (C == 2 && *(const uint16_t *)(pc + 1) == OP_SUBSCR && AT_C(pc + 1) == A) {
            int done = vm_slice_subscript(frame, pc);
            if (done < 0)
                goto error;
            if (done)
                NEXT(2);
        }
        SLOW(vm_build_slice(frame, pc), 0);
    }

    /* ---- unary ---- */
    TARGET(NEGATIVE): {
        PyObject *v = R(B);
        if (value_is_int(v) && value_fits_int(-value_get_int(v))) {
            STORE(A, value_from_int(-value_get_int(v)));
            NEXT(0);
        }
        if (value_is_float(v)) {
            PyObject *word = value_encode_float(-value_get_float(v));
            if (value_is_float(word)) {
                STORE(A, word);
                NEXT(0);
            }
        }
        SLOW(vm_unary(frame, pc, PyNumber_Negative), 0);
    }
    TARGET(POSITIVE): SLOW(vm_unary(frame, pc, PyNumber_Positive), 0);
    TARGET(INVERT): {
        PyObject *v = R(B);
        if (value_is_int(v)) {
            STORE(A, value_from_int(~value_get_int(v)));
            NEXT(0);
        }
        SLOW(vm_unary(frame, pc, PyNumber_Invert), 0);
    }
    TARGET(NOT): {
        PyObject *v = R(B);
        if (Py_LIKELY(v == Py_True || v == Py_False)) {
            STORE(A, v == Py_True ? Py_False : Py_True);
            NEXT(0);
        }
        SLOW(vm_not(frame, pc, 1), 0);
    }
    TARGET(TO_BOOL): SLOW(vm_not(frame, pc, 0), 0);

    /* ---- binary ---- */
    ARITHMETIC(ADD, INT_ADD, FLOAT_RESULT(x + y), vm_add, vm_inplace_add)
    ARITHMETIC(SUBTRACT, INT_SUBTRACT, FLOAT_RESULT(x - y), PyNumber_Subtract, inplace_subtract)
    ARITHMETIC(MULTIPLY, INT_MULTIPLY, FLOAT_RESULT(x * y), PyNumber_Multiply, inplace_multiply)
    ARITHMETIC(FLOOR_DIVIDE, INT_FLOOR_DIVIDE, FLOAT_FLOOR_DIVIDE, PyNumber_FloorDivide, inplace_floor_divide)
    ARITHMETIC(REMAINDER, INT_REMAINDER, FLOAT_REMAINDER, PyNumber_Remainder, inplace_remainder)
    ARITHMETIC(AND, INT_AND, NO_FLOAT, PyNumber_And, inplace_and)
    ARITHMETIC(OR, INT_OR, NO_FLOAT, PyNumber_Or, inplace_or)
    ARITHMETIC(XOR, INT_XOR, NO_FLOAT, PyNumber_Xor, inplace_xor)
    ARITHMETIC(LSHIFT, INT_LSHIFT, NO_FLOAT, PyNumber_Lshift, inplace_lshift)
    ARITHMETIC(RSHIFT, INT_RSHIFT, NO_FLOAT, PyNumber_Rshift, inplace_rshift)
    ARITHMETIC(MATRIX_MULTIPLY, INT_NONE, NO_FLOAT, PyNumber_MatrixMultiply, inplace_matrix_multiply)
#define INT_TRUE_DIVIDE \
    if (value_both_ints(l, r)) { \
        int64_t a = value_get_int(l), b = value_get_int(r); \
        if (b != 0 && a <= (1LL << 53) && a >= -(1LL << 53) && b <= (1LL << 53) && b >= -(1LL << 53)) \
            FLOAT_RESULT((double)a / (double)b) \
    } else
    ARITHMETIC(TRUE_DIVIDE, INT_TRUE_DIVIDE, if (y != 0.0) FLOAT_RESULT(x / y), PyNumber_TrueDivide, inplace_true_divide)
    TARGET(POWER): SLOW(vm_power(frame, pc, OPERAND_SLOT, 0), 0);
    TARGET(POWER_K): {
        PyObject *l = R(B);
        if (consts[C] == value_from_int(2)) {       /* squares are common in numeric code */
            if (value_is_float(l)) {
                double x = value_get_float(l);
                FLOAT_RESULT(x * x)
            }
            else if (value_is_int(l)) {
                int64_t word;
                if (!__builtin_mul_overflow((int64_t)l >> 2, (int64_t)l - 3, &word))
                    INT_RESULT(word + 3);
            }
        }
        double x, y;
        if (numeric_doubles(l, consts[C], &x, &y) && x > 0.0) {
            double power = pow(x, y);
            if (Py_LIKELY(power > 0.0))     /* not underflow; infinity is no immediate */
                FLOAT_RESULT(power)
        }
        SLOW(vm_power(frame, pc, OPERAND_CONST, 0), 0);
    }
    TARGET(INPLACE_POWER): SLOW(vm_power(frame, pc, OPERAND_SLOT, 1), 0);
    TARGET(INPLACE_POWER_K): SLOW(vm_power(frame, pc, OPERAND_CONST, 1), 0);

#define SMALL_INT_CASE(BUILTIN, SIGN, SLOW_CALL) \
    { \
        PyObject *l = R(B); \
        int64_t word, delta = (int64_t)(int16_t)C * 4; \
        if (Py_LIKELY(value_is_int(l)) && Py_LIKELY(!BUILTIN((int64_t)l, delta, &word))) \
            INT_RESULT(word); \
        if (value_is_float(l)) { \
            double x = value_get_float(l); \
            FLOAT_RESULT(x SIGN (double)(int16_t)C) \
        } \
        SLOW(SLOW_CALL, 0); \
    }
    TARGET(ADD_I): SMALL_INT_CASE(__builtin_add_overflow, +, vm_binary(frame, pc, OPERAND_INT, PyNumber_Add))
    TARGET(SUBTRACT_I): SMALL_INT_CASE(__builtin_sub_overflow, -, vm_binary(frame, pc, OPERAND_INT, PyNumber_Subtract))
    TARGET(INPLACE_ADD_I): SMALL_INT_CASE(__builtin_add_overflow, +, vm_binary(frame, pc, OPERAND_INT, PyNumber_InPlaceAdd))
    TARGET(INPLACE_SUBTRACT_I): SMALL_INT_CASE(__builtin_sub_overflow, -, vm_binary(frame, pc, OPERAND_INT, PyNumber_InPlaceSubtract))

    /* ---- comparison ---- */
    COMPARISON(LT, <, Py_LT)
    COMPARISON(LE, <=, Py_LE)
    COMPARISON(EQ, ==, Py_EQ)
    COMPARISON(NE, !=, Py_NE)
    COMPARISON(GT, >, Py_GT)
    COMPARISON(GE, >=, Py_GE)
    TARGET(COMPARE_PEEK): {
        PyObject *l = R(B), *r = R(B + 1);
        if (value_both_ints(l, r) && C < 6) {
            /* bits of the outcome: less, equal, greater */
            static const uint8_t outcomes[6] = {[Py_LT] = 1, [Py_LE] = 3, [Py_EQ] = 2, [Py_NE] = 5, [Py_GT] = 4, [Py_GE] = 6};
            unsigned outcome = (int64_t)l < (int64_t)r ? 1 : l == r ? 2 : 4;
            STORE(A, outcomes[C] & outcome ? Py_True : Py_False);
            NEXT(0);
        }
        SLOW(vm_compare_chained(frame, pc), 0);
    }
#define IDENTITY(WHEN_SAME, WHEN_OTHER) \
    { \
        PyObject *l = R(B), *r = R(C); \
        SAVE(); \
        if (Py_UNLIKELY(l == NULL || r == NULL)) { \
            vm_move_unbound(frame, l == NULL ? B : C); \
            goto error; \
        } \
        PyObject *v = l == r ? WHEN_SAME : WHEN_OTHER; \
        operand_release(frame, B); \
        operand_release(frame, C); \
        STORE(A, v); \
        NEXT(0); \
    }
    TARGET(IS): IDENTITY(Py_True, Py_False)
    TARGET(IS_NOT): IDENTITY(Py_False, Py_True)
    TARGET(IN): SLOW(vm_contains(frame, pc, 0), 0);
    TARGET(NOT_IN): SLOW(vm_contains(frame, pc, 1), 0);

    /* ---- jumps ---- */
    TARGET(JUMP): {
        pc += 1 + X;
        DISPATCH();
    }
    TARGET(JUMP_BACK): {
        pc += 1 + X;
        if (Py_UNLIKELY(BREAKER()))
            goto safe_point;
        DISPATCH();
    }
#define TRUTH_JUMP(SENSE) \
    { \
        PyObject *v = R(A); \
        int truth; \
        if (v == Py_True) \
            truth = 1; \
        else if (v == Py_False || v == Py_None) \
            truth = 0; \
        else if (value_is_int(v)) \
            truth = value_get_int(v) != 0; \
        else { \
            SAVE(); \
            truth = vm_truth(frame, pc, 1); \
            if (Py_UNLIKELY(truth < 0)) \
                goto error; \
        } \
        int32_t offset = X; \
        pc++; \
        if (truth == SENSE) \
            JUMP_BY(offset); \
        DISPATCH(); \
    }
    TARGET(JTRUE): TRUTH_JUMP(1)
    TARGET(JFALSE): TRUTH_JUMP(0)
#define KEEP_JUMP(SENSE) \
    { \
        SAVE(); \
        PyObject *v = R(A); \
        int truth; \
        if (v == Py_True) \
            truth = 1; \
        else if (v == Py_False || v == Py_None) \
            truth = 0; \
        else if (value_is_int(v)) \
            truth = value_get_int(v) != 0; \
        else \
            truth = vm_truth(frame, pc, 0); \
        if (Py_UNLIKELY(truth < 0)) \
            goto error; \
        int32_t offset = X; \
        if (truth == SENSE) { \
            pc++; \
            JUMP_BY(offset); \
        } \
        slot_clear(slots, A); \
        NEXT(0); \
    }
    TARGET(JTRUE_KEEP): KEEP_JUMP(1)
    TARGET(JFALSE_KEEP): KEEP_JUMP(0)
#define NONE_JUMP(SENSE) \
    { \
        PyObject *v = R(A); \
        SAVE(); \
        if (Py_UNLIKELY(v == NULL)) { \
            vm_move_unbound(frame, A); \
            goto error; \
        } \
        int truth = v == Py_None; \
        operand_release(frame, A); \
        int32_t offset = X; \
        pc++; \
        if (truth == SENSE) \
            JUMP_BY(offset); \
        DISPATCH(); \
    }
    TARGET(JNONE): NONE_JUMP(1)
    TARGET(JNOT_NONE): NONE_JUMP(0)
#define IDENTITY_JUMP(SENSE) \
    { \
        PyObject *l = R(A), *r = R(B); \
        SAVE(); \
        if (Py_UNLIKELY(l == NULL || r == NULL)) { \
            vm_move_unbound(frame, l == NULL ? A : B); \
            goto error; \
        } \
        int truth = l == r; \
        operand_release(frame, A); \
        operand_release(frame, B); \
        int32_t offset = (int16_t)C; \
        pc++; \
        if (truth == SENSE) \
            JUMP_BY(offset); \
        DISPATCH(); \
    }
    TARGET(JIS): IDENTITY_JUMP(1)
    TARGET(JIS_NOT): IDENTITY_JUMP(0)

    /* ---- iteration ---- */
    TARGET(GET_ITER): SLOW(vm_get_iter(frame, pc), 0);
    TARGET(FOR_ITER): {
        PyObject *iterator = R(A);
        PyTypeObject *type = heap_type(iterator);
        if (type == &PyRangeIter_Type) {
            RangeIterObject *range = (RangeIterObject *)iterator;
            int64_t n;
            if (Py_LIKELY(range_iter_is_private(range))) {
                if (Py_LIKELY(range_iter_step(range, &n))) {
                    SAVE();
                    STORE(B, value_from_int(n));
                    NEXT(1);
                }
                goto for_iter_exhausted;
            }
        }
        if (type == &PyListIter_Type) {
            if (*(const uint16_t *)(pc + 2) == OP_UNPACK_SEQUENCE && AT_B(pc + 2) == B && B >= (unsigned)frame->code->co_temp_base
                && list_iterator_unpack_step(iterator, AT_C(pc + 2), &R(AT_A(pc + 2)))) {
                SAVE();
                NEXT(2);
            }
            PyObject *v = list_iterator_step_slot(iterator);
            if (Py_LIKELY(v != NULL)) {
                SAVE();
                STORE(B, v);
                NEXT(1);
            }
        }
        else if (type == &PyTupleIter_Type) {
            PyObject *v = tuple_iterator_step_slot(iterator);
            if (Py_LIKELY(v != NULL)) {
                SAVE();
                STORE(B, v);
                NEXT(1);
            }
        }
        else if (type == &unicode_ascii_iter_type) {
            PyObject *v = unicode_ascii_iterator_step(iterator);
            if (Py_LIKELY(v != NULL)) {
                SAVE();
                STORE(B, v);
                NEXT(1);
            }
        }
        else if (type == &PyGen_Type) {
            frame->pc = pc + 2;
            frame_t *inner = generator_enter(ts, (PyGenObject *)iterator, Py_None);
            if (Py_LIKELY(inner != NULL)) {
                inner->flags &= (uint8_t)~(FRAME_ENTRY | FRAME_TRACED);
                inner->result_slot = B;
                frame = inner;
                LOAD_FRAME();
                DISPATCH();
            }
        }
        SAVE();
        if (*(const uint16_t *)(pc + 2) == OP_UNPACK_SEQUENCE && AT_C(pc + 2) == 2 && AT_B(pc + 2) == B
            && B >= (unsigned)frame->code->co_temp_base) {
            PyObject *first, *second;
            int got = type == &PyDictIterItem_Type ? dict_iter_next_pair((PyDictIterObject *)iterator, &first, &second)
                      : type == &PyEnum_Type       ? enum_next_pair(iterator, &first, &second)
                      : type == &PyZip_Type        ? zip_next_pair(iterator, &first, &second)
                                                   : -2;
            if (Py_LIKELY(got > 0)) {
                /* the tuple that UNPACK_SEQUENCE would take apart at once is not made */
                unsigned target = AT_A(pc + 2);
                R(target) = owned_to_slot(first);
                R(target + 1) = owned_to_slot(second);
                NEXT(2);
            }
            if (got == 0) {
                if (Py_UNLIKELY(ts->curexc_type != NULL) && !vm_for_iter_ended(frame))
                    goto error;
                goto for_iter_exhausted;
            }
            if (Py_UNLIKELY(ts->curexc_type != NULL))
                goto error;
        }
        PyObject *item = type->tp_iternext(iterator);
        if (Py_LIKELY(item != NULL)) {
            STORE(B, owned_to_slot(item));
            NEXT(1);
        }
        if (Py_UNLIKELY(ts->curexc_type != NULL) && !vm_for_iter_ended(frame))
            goto error;
    for_iter_exhausted:
        SAVE();
        {
            int32_t offset = (int16_t)C;
            slot_clear(slots, A);
            pc += 2 + offset;
            DISPATCH();
        }
    }
    TARGET(UNPACK_SEQUENCE): {
        PyObject *sequence = R(B);
        if (Py_LIKELY(heap_is_type(sequence, &PyTuple_Type) && sequence != NULL && PyTuple_GET_SIZE(sequence) == C)) {
            unsigned a = A, b = B, n = C;
            SAVE();
            int owns = b >= (unsigned)frame->code->co_temp_base;
            if (owns)
                R(b) = NULL;
            for (unsigned i = 0; i < n; i++)
                R(a + i) = slot_copy(PyTuple_GET_ITEM(sequence, i));
            if (owns)
                slot_decref(sequence);
            NEXT(0);
        }
        SLOW(vm_unpack_sequence(frame, pc), 0);
    }
    TARGET(UNPACK_EX): SLOW(vm_unpack_ex(frame, pc, C & 0xff, C >> 8), 0);
    TARGET(UNPACK_EX_WIDE): SLOW(vm_unpack_ex(frame, pc, C, (unsigned)pc[1]), 1);

    /* ---- displays ---- */
    TARGET(BUILD_TUPLE): SLOW(vm_build_tuple(frame, pc), 0);
    TARGET(BUILD_LIST): SLOW(vm_build_list(frame, pc), 0);
    TARGET(BUILD_SET): SLOW(vm_build_set(frame, pc), 0);
    TARGET(BUILD_MAP): SLOW(vm_build_map(frame, pc), 0);
    TARGET(BUILD_STRING): SLOW(vm_build_string(frame, pc), 0);
    TARGET(FORMAT_VALUE): SLOW(vm_format_value(frame, pc), 0);
    TARGET(LIST_APPEND): {
        SAVE();
        PyObject *item = operand_take_owned(frame, B);
        if (Py_UNLIKELY(item == NULL || list_append_steal((PyListObject *)R(A), item) < 0))
            goto error;
        NEXT(0);
    }
    TARGET(SET_ADD): SLOW(vm_set_add(frame, pc), 0);
    TARGET(MAP_ADD): SLOW(vm_map_add(frame, pc), 0);
    TARGET(LIST_EXTEND): SLOW(vm_list_extend(frame, pc), 0);
    TARGET(SET_UPDATE): SLOW(vm_set_update(frame, pc), 0);
    TARGET(DICT_UPDATE): SLOW(vm_dict_update(frame, pc), 0);
    TARGET(DICT_MERGE): SLOW(vm_dict_merge(frame, pc), 0);
    TARGET(LIST_TO_TUPLE): SLOW(vm_list_to_tuple(frame, pc), 0);

    /* ---- calls ---- */
    {
        unsigned base;              /* slot of the callee */
        PyObject **args;
        Py_ssize_t nargs;
        PyObject *kwnames;

    TARGET(CALL):
        base = B;
        args = &R(base + 1);
        nargs = C;
        kwnames = NULL;
        goto call_any;
    TARGET(CALL_KW):
        base = B;
        args = &R(base + 1);
        nargs = C;
        kwnames = consts[pc[1]];
        goto call_any;
    TARGET(CALL_METHOD_KW):
        kwnames = consts[pc[1]];
        goto call_method_any;
    TARGET(CALL_METHOD):
        kwnames = NULL;
    call_method_any:
        base = B;
        args = &R(base + 1);
        nargs = C + 1;
        if (*args == NULL) {
            args++;
            nargs--;
        }
    call_any: {
            PyObject *callee = R(base);
            if (Py_LIKELY(heap_is_type(callee, &PyFunction_Type))) {
                frame->pc = pc + 2;
                frame_t *inner = call_push(ts, frame, (PyFunctionObject *)callee, args, nargs, kwnames);
                if (Py_UNLIKELY(inner == NULL)) {
                    slot_clear(slots, base);
                    goto error;
                }
                R(base) = NULL;             /* held by inner->func from here on */
                inner->result_slot = A;
                frame = inner;
                LOAD_FRAME();
                if (Py_UNLIKELY(BREAKER()))
                    goto safe_point;
                DISPATCH();
            }
#if !VM_TRACED
            PyObject *quick_result;
            if (kwnames == NULL && value_is_heap(callee)) {
                frame->pc = pc + 2;
                if (call_c_quick(callee, args, nargs, &quick_result)) {
                    if (Py_UNLIKELY(quick_result == NULL))
                        call_check_exception(ts, callee);
                    slot_clear(slots, base);
                    for (PyObject **arg = args, **end = args + nargs; arg < end; arg++) {
                        PyObject *op = *arg;
                        *arg = NULL;
                        slot_decref(op);
                    }
                    if (Py_UNLIKELY(quick_result == NULL))
                        goto error;
                    pc += 2;
                    if (*(const uint16_t *)pc == OP_DROP && AT_A(pc) == AT_A(pc - 2)) {
                        Py_DECREF(quick_result);        /* nobody wants it: it need not go through the slot */
                        pc++;
                    }
                    else
                        STORE(AT_A(pc - 2), owned_to_slot(quick_result));
                    if (Py_UNLIKELY(BREAKER()))
                        goto safe_point_after_call;
                    DISPATCH();
                }
            }
            else
#endif
            if (heap_is_type(callee, &PyMethodDescr_Type) || heap_is_type(callee, &PyCFunction_Type))
                goto call_c;
            if (heap_is_type(callee, &PyType_Type)) {
                if (nargs == 1 && kwnames == NULL) {
                    PyObject *same = call_class_identity(callee, args[0]);
                    if (same != NULL) {
                        SAVE();
                        R(base) = slot_copy(same);      /* in the place of the class, which is immortal */
                        slot_clear(args, 0);
                        PyObject *v = R(base);
                        R(base) = NULL;
                        STORE(A, v);
                        NEXT(1);
                    }
                }
                frame_t *inner = NULL;
                frame->pc = pc + 2;
                int status = call_class(ts, frame, base, args, nargs, kwnames, &inner);
                if (status == 2) {
                    PyObject *self = R(base);
                    R(base) = NULL;
                    STORE(A, self);
                    NEXT(1);
                }
                if (Py_LIKELY(status > 0)) {
                    inner->result_slot = A;
                    frame = inner;
                    LOAD_FRAME();
                    if (Py_UNLIKELY(BREAKER()))
                        goto safe_point;
                    DISPATCH();
                }
                if (status < 0)
                    goto error;
            }
            else if (heap_is_type(callee, &PyMethod_Type) && args == &R(base + 1)) {
                /* self takes the place of the bound method, right before the arguments */
                PyMethodObject *method = (PyMethodObject *)callee;
                if (heap_is_type(method->im_func, &PyFunction_Type)) {
                    PyObject *func = slot_copy(method->im_func), *held = slot_held(callee);
                    R(base) = slot_copy(method->im_self);
                    frame->pc = pc + 2;
                    frame_t *inner = call_push_quick(ts, frame, (PyFunctionObject *)func, &R(base), nargs + 1, kwnames);
                    if (inner == NULL)
                        inner = call_push_held(ts, frame, (PyFunctionObject *)func, &R(base), nargs + 1, kwnames);
                    Py_XDECREF(held);
                    if (Py_UNLIKELY(inner == NULL))
                        goto error;
                    inner->result_slot = A;
                    frame = inner;
                    LOAD_FRAME();
                    if (Py_UNLIKELY(BREAKER()))
                        goto safe_point;
                    DISPATCH();
                }
            }
        call_c:
            frame->pc = pc + 2;
            PyObject *result = CALL_NATIVE(ts, frame, base, args, nargs, kwnames);
            if (Py_UNLIKELY(result == NULL))
                goto error;
            STORE(A, owned_to_slot(result));
            if (Py_UNLIKELY(BREAKER())) {
                pc += 2;
                goto safe_point_after_call;
            }
            NEXT(1);
        }
    }
    TARGET(CALL_EX): {
        SAVE();
        frame_t *inner;
        PyObject *result = call_ex(ts, frame, pc, &inner);
        if (inner != NULL) {
            inner->result_slot = A;
            frame = inner;
            LOAD_FRAME();
            DISPATCH();
        }
        if (Py_UNLIKELY(result == NULL))
            goto error;
        STORE(A, owned_to_slot(result));
        if (Py_UNLIKELY(BREAKER())) {
            pc++;
            goto safe_point_after_call;
        }
        NEXT(0);
    }
    TARGET(MAKE_FUNCTION): SLOW(vm_make_function(frame, pc), 0);
    TARGET(LOAD_BUILD_CLASS): SLOW(vm_load_build_class(frame, pc), 0);
    {
        PyObject *value;
    TARGET(RETURN_CONST):
#if VM_TRACED
        if (trace_return(ts, frame, consts[X]) < 0)
            goto leave_raising;
#endif
        value = slot_copy(consts[X]);
        goto leave_frame;
    TARGET(RETURN):
        value = R(A);
        if (Py_UNLIKELY(value == NULL)) {
            SAVE();
            vm_move_unbound(frame, A);
            goto error;
        }
#if VM_TRACED
        if (trace_return(ts, frame, value) < 0)
            goto leave_raising;
        if (Py_UNLIKELY(R(A) != value))     /* what has been decided is returned; the old value lives on with the frame */
            slot_store(slots, A, slot_copy(value));
#endif
        R(A) = NULL;
    leave_frame:
        SAVE();
        if (Py_UNLIKELY((frame->flags & FRAME_GENERATOR) || frame->frame_object != NULL || frame->locals != NULL
                        || ((frame->flags & FRAME_INIT) && value != Py_None))) {
            unsigned flags = frame->flags;
            value = slot_to_owned(value);
            frame_t *caller = frame->previous;
            unsigned result_slot = frame->result_slot;
            PyObject *init_self = frame->init_self;
#if VM_TRACED
            int is_coroutine = (frame->code->co_flags & CO_COROUTINE) != 0;
#endif
            if (flags & FRAME_GENERATOR)
                generator_leave(ts, frame, GEN_DONE);
            else
                call_pop_slow(ts, frame);
            if (flags & FRAME_ENTRY)
                return value;
            frame = caller;
            LOAD_FRAME();
            if (flags & FRAME_INIT) {
                value = call_class_result(init_self, value);
                if (Py_UNLIKELY(value == NULL))
                    goto error;
            }
            if (flags & FRAME_GENERATOR) {
                /* the instruction that resumed it, two words back: FOR_ITER is exhausted, SEND has its result */
                pc -= 2;
                SAVE();
#if VM_TRACED
                if ((value != Py_None || is_coroutine) && trace_stop_iteration(ts, frame, value) < 0) {
                    Py_DECREF(value);
                    goto error;
                }
#endif
                if (*(const uint16_t *)pc == OP_FOR_ITER)
                    Py_DECREF(value);
                else
                    slot_store(slots, B, owned_to_slot(value));
                int32_t offset = (int16_t)C;
                slot_clear(slots, A);
                pc += 2 + offset;
                DISPATCH();
            }
            slot_store(slots, result_slot, owned_to_slot(value));
            DISPATCH();
        }
        {
            frame_t *caller = frame->previous;
            ts->frame = caller;
            ts->py_recursion_remaining++;
            PyObject **p = slots, **end = slots + frame->code->co_temp_base;
            PyObject *func = slot_held((PyObject *)frame->func);
            /* The activation of a finaliser takes this record, which is popped: nothing is read from it behind the loop. */
            PyObject **base = frame->stack_base;
            stack_chunk_t *chunk = frame->chunk_to_free;
            unsigned result_slot = frame->result_slot, flags = frame->flags;
            if (Py_UNLIKELY(flags & FRAME_INIT))
                value = owned_to_slot(frame->init_self);
            for (; p < end; p++) {
                PyObject *op = *p;
                if (value_is_heap(op) && op != NULL) {
                    *p = value;         /* in a window while finalisers run */
                    slot_decref(op);
                    *p = NULL;
                }
            }
            ts->stack_top = base;
            if (Py_UNLIKELY(chunk != NULL))
                call_close_chunk(ts, chunk);
            if (flags & FRAME_ENTRY) {
                value = slot_to_owned(value);
                Py_XDECREF(func);
                return value;
            }
            frame = caller;
            LOAD_FRAME();
            PyObject *old = R(result_slot);
            R(result_slot) = value;
            if (Py_UNLIKELY(value_is_heap(old) && old != NULL)) {
                old = slot_held(old);
                Py_XDECREF(func);
                Py_XDECREF(old);
            }
            else if (func != NULL)
                Py_DECREF(func);
            DISPATCH();
        }
    }

    /* ---- generators ---- */
    TARGET(RETURN_GENERATOR): {
        frame->pc = pc + 1;
        PyObject *generator = generator_new(ts, frame);
        if (Py_UNLIKELY(generator == NULL))
            goto error;
        frame_t *caller = frame->previous;
        unsigned flags = frame->flags, result_slot = frame->result_slot;
        call_pop_slow(ts, frame);
        if (flags & FRAME_ENTRY)
            return generator;
        frame = caller;
        LOAD_FRAME();
        STORE(result_slot, owned_to_slot(generator));
        DISPATCH();
    }
    TARGET(YIELD_VALUE): {
        SAVE();
        PyObject *value = operand_take_owned(frame, B);
        if (Py_UNLIKELY(value == NULL))
            goto error;
#if VM_TRACED
        if (trace_return(ts, frame, value) < 0) {
            Py_DECREF(value);
            goto leave_raising;
        }
#endif
        frame_t *caller = frame->previous;
        unsigned flags = frame->flags, result_slot = frame->result_slot;
        generator_leave(ts, frame, GEN_SUSPENDED);
        if (flags & FRAME_ENTRY)
            return value;
        /* resumed by FOR_ITER or SEND: the value goes to its B, execution falls through */
        frame = caller;
        LOAD_FRAME();
        STORE(result_slot, owned_to_slot(value));
        if (Py_UNLIKELY(BREAKER()))
            goto safe_point;
        DISPATCH();
    }
    TARGET(GET_YIELD_FROM_ITER): SLOW(vm_get_yield_from_iter(frame, pc), 0);
    TARGET(GET_AWAITABLE): SLOW(vm_get_awaitable(frame, pc), 0);
    TARGET(SEND): {
        PyObject *receiver = R(A);
        if (heap_is_type(receiver, &PyGen_Type) || heap_is_type(receiver, &PyCoro_Type)) {
            PyObject *value = R(B);
            frame->pc = pc + 2;
            frame_t *inner = generator_enter(ts, (PyGenObject *)receiver, value);
            if (Py_LIKELY(inner != NULL)) {
                inner->flags &= (uint8_t)~(FRAME_ENTRY | FRAME_TRACED);
                inner->result_slot = B;
                frame = inner;
                LOAD_FRAME();
                DISPATCH();
            }
        }
        SAVE();
        int status = vm_send(frame, pc);
        if (status < 0)
            goto error;
        int32_t offset = (int16_t)C;
        pc += 2;
        if (status == 0)
            pc += offset;
        DISPATCH();
    }
    TARGET(GET_AITER): SLOW(vm_get_aiter(frame, pc), 0);
    TARGET(GET_ANEXT): SLOW(vm_get_anext(frame, pc), 0);
    TARGET(END_ASYNC_FOR): {
        SAVE();
        int status = vm_end_async_for(frame, pc);
        if (status <= 0)
            goto unwind;
        pc += 1 + (int16_t)C;
        DISPATCH();
    }
    TARGET(ASYNC_GEN_WRAP): SLOW(vm_async_gen_wrap(frame, pc), 0);

    /* ---- exceptions ---- */
    TARGET(ENTER_HANDLER): SLOW(vm_enter_handler(frame, pc), 0);
    TARGET(LEAVE_HANDLER): SLOW(vm_leave_handler(frame, pc), 0);
    TARGET(RAISE):
        SAVE();
        if (vm_raise(frame, pc) > 0)
            goto unwind;
        goto error;
    TARGET(RERAISE): {
        SAVE();
        PyObject *exception = slot_to_owned(R(A));
        R(A) = NULL;
        PyErr_SetRaisedException(exception);
        if (B == 0 || !value_is_int(R(A + 2)))
            goto unwind;
        position_kept = value_get_int(R(A + 2));
        goto unwind_from_kept;
    }
    TARGET(JNOT_EXC_MATCH): {
        SAVE();
        int match = vm_exc_match(frame, pc);
        if (Py_UNLIKELY(match < 0))
            goto error;
        int32_t offset = (int16_t)C;
        pc++;
        if (!match)
            pc += offset;
        DISPATCH();
    }
    TARGET(EXC_GROUP_MATCH): SLOW(vm_exc_group_match(frame, pc), 0);
    TARGET(PREP_RERAISE_STAR): SLOW(vm_prep_reraise_star(frame, pc), 0);
    TARGET(LOAD_ASSERTION_ERROR): {
        SAVE();
        STORE(A, slot_copy(PyExc_AssertionError));
        NEXT(0);
    }
    TARGET(WITH_ENTER): SLOW(vm_with_enter(frame, pc, 0), 0);
    TARGET(ASYNC_WITH_ENTER): SLOW(vm_with_enter(frame, pc, 1), 0);
    TARGET(WITH_EXCEPT): SLOW(vm_with_except(frame, pc), 0);

    /* ---- patterns ---- */
    TARGET(GET_LEN): {
        PyObject *v = R(B);
        if (heap_is_type(v, &PyTuple_Type)) {
            SAVE();
            STORE(A, value_from_int(PyTuple_GET_SIZE(v)));
            NEXT(0);
        }
        SLOW(vm_get_len(frame, pc), 0);
    }
#define MATCH_FLAG(FLAG) \
    { \
        PyObject *v = R(B); \
        SAVE(); \
        STORE(A, value_is_heap(v) && PyType_HasFeature(heap_type(v), FLAG) ? Py_True : Py_False); \
        NEXT(0); \
    }
    TARGET(MATCH_SEQUENCE): MATCH_FLAG(Py_TPFLAGS_SEQUENCE)
    TARGET(MATCH_MAPPING): MATCH_FLAG(Py_TPFLAGS_MAPPING)
    TARGET(MATCH_KEYS): SLOW(vm_match_keys(frame, pc), 0);
    TARGET(MATCH_CLASS): SLOW(vm_match_class(frame, pc), 1);
    TARGET(COPY_DICT_WITHOUT_KEYS): SLOW(vm_copy_dict_without_keys(frame, pc), 0);

    /* ---- import and rare statements ---- */
    TARGET(IMPORT_NAME): SLOW(vm_import_name(frame, pc), 0);
    TARGET(IMPORT_FROM): SLOW(vm_import_from(frame, pc), 0);
    TARGET(IMPORT_STAR): SLOW(vm_import_star(frame, pc), 0);
    TARGET(SETUP_ANNOTATIONS): SLOW(vm_setup_annotations(frame, pc), 0);
    TARGET(PRINT_EXPR): SLOW(vm_print_expr(frame, pc), 0);

error:
    /* an exception is set, raised by the instruction before frame->pc */
    if (!(frame->flags & FRAME_INCOMPLETE))
        PyTraceBack_Here(frame_get_object(frame));
#if VM_TRACED
    trace_exception(ts, frame);
#endif
unwind:
    position_kept = -1;
unwind_from_kept: {
        const exception_entry_t *handler = code_find_handler(frame->code, frame_word(frame));
        if (handler != NULL) {
            unsigned target = (unsigned)frame->code->co_temp_base + handler->depth;
            for (unsigned i = (unsigned)frame->code->co_nslots; i-- > target;)
                slot_clear(frame->slots, i);
            PyObject *exception = PyErr_GetRaisedException();
            frame->slots[target] = owned_to_slot(exception);
            if (handler->flags & EXCEPTION_KEEPS_POSITION)
                frame->slots[target + 2] = value_from_int(position_kept >= 0 ? position_kept : (int64_t)frame_word(frame));
#if VM_TRACED
            instruction_t *raised = frame->pc;
#endif
            frame->pc = frame->code->co_instructions + handler->handler;
            LOAD_FRAME();
#if VM_TRACED
            frame->pc = raised;         /* the instruction that ran before the handler's first */
#endif
            DISPATCH();
        }
        if (position_kept >= 0 && position_kept < (int64_t)frame->code->co_ninstructions)
            frame->pc = frame->code->co_instructions + position_kept + 1;
#if VM_TRACED
        trace_unwind(ts, frame);
    leave_raising:;
#endif
        unsigned flags = frame->flags;
        frame_t *caller = frame->previous;
        if (flags & FRAME_GENERATOR)
            generator_leave_raising(ts, frame);
        else
            call_pop_raising(ts, frame);
        if (flags & FRAME_ENTRY)
            return NULL;
        frame = caller;
        goto error;
    }
}
