/* Activation records of the register machine, the thread's stack of windows, and frame objects.
 *
 * A record (struct frame) describes one activation.  Records of ordinary calls form a doubly linked list per thread that is
 * reused: `next` is the record above, kept after it is popped.  A generator carries its own record.  Python code sees a record only
 * through a frame object, made on demand.
 *
 * Windows lie on the thread's stack of words, in chunks that never move.  A callee's window starts at its arguments in the
 * caller's temporaries.  Everything on a chunk below ts->stack_top is NULL, an immediate, or a reference held by some frame;
 * everything above is NULL or an immediate.  So the collector finds the uncounted references to DEFERRED objects by walking the chunks up to
 * stack_top, the records (func, code) and the generators' windows.
 *
 * References in windows and in frame->func are *slot references*: counted unless the object is IMMORTAL or DEFERRED.
 *
 *      slot_incref, slot_decref        copy, drop a slot reference
 *      slot_to_owned(op)               a slot reference becomes a counted one (a DEFERRED object is counted now)
 *      owned_to_slot(op)               a counted reference becomes a slot reference
 *      slot_held(op)                   a slot reference that leaves its window, to be dropped later; nothing is read from op meanwhile
 *
 * An object may become DEFERRED at any safe point: the pause takes off its count what windows, generators and frame->func hold
 * (promote.h). So at a safe point, and whatever drops a reference may be one, a slot reference is in such a place: below stack_top, in a
 * generator that is not FRAME_CLEARED, in the record of an activation. One that is in a C variable for so long is counted
 * (slot_to_owned), or it is known that it was (slot_held). And what is in a window is a slot reference: nobody who is called puts
 * anything else there, so the word before arguments in a window is not lent (PY_VECTORCALL_ARGUMENTS_OFFSET).
 *
 * Threads: a record and its window belong to the thread that runs it; others look at them only while the world is stopped.
 * A generator's window is claimed through its state (generator.h). */
#ifndef BRAID_FRAME_H
#define BRAID_FRAME_H

#include "code_object.h"

enum {
    FRAME_ENTRY = 1,            /* returning from it leaves the interpreter loop: called from C */
    FRAME_GENERATOR = 2,        /* record and window lie in a generator */
    FRAME_INIT = 4,             /* runs the __init__ of a call of a class: the caller gets init_self instead of the result */
    FRAME_LOCALS_IS_GLOBALS = 8,/* module level: LOAD_NAME may use the cache of LOAD_GLOBAL */
    FRAME_CLEARED = 16,         /* the window has been released (frame.clear(), or taken over by the frame object) */
    FRAME_INCOMPLETE = 32,      /* the prologue (cells, RETURN_GENERATOR) has not finished: not shown in tracebacks */
    FRAME_TRACED = 64,          /* its call event has been sent, or it was running before tracing began (trace.h) */
};

typedef struct frame {
    PyObject **slots;           /* the window */
    instruction_t *pc;          /* the next instruction; saved before whatever may escape */
    PyCodeObject *code;         /* uncounted: code objects are DEFERRED */
    PyFunctionObject *func;     /* slot reference */
    PyObject *globals;          /* borrowed from func */
    PyObject *builtins;         /* borrowed from func */
    PyObject *locals;           /* counted mapping of module level, class bodies and exec; NULL in functions */
    struct frame *previous;     /* the caller, also across C */
    struct frame *next;         /* [owner] the record above, for reuse */
    PyFrameObject *frame_object;/* counted, or NULL */
    PyObject **stack_base;      /* stack_top to go back to when this frame is popped */
    PyObject *init_self;        /* FRAME_INIT: the new instance, counted; else unused */
    struct stack_chunk *chunk_to_free;  /* the window opened this chunk: closed on return */
    uint16_t result_slot;       /* where the caller wants the result */
    uint8_t flags;
} frame_t;

typedef struct stack_chunk {
    struct stack_chunk *previous;
    PyObject **top_when_left;   /* stack_top when the next chunk was opened */
    PyObject **limit;
    PyObject *words[];
} stack_chunk_t;

/* ---- Slot references ---- */

static inline Py_ALWAYS_INLINE void slot_incref(PyObject *op)
{
    if (value_is_immediate(op))
        return;
    if (Py_LIKELY(object_is_mine(op)))
        op->hdr_local++;
    else if (!(object_flags(op) & (OBJECT_IMMORTAL | OBJECT_DEFERRED)))
        _Py_IncRefShared(op);
}
static inline Py_ALWAYS_INLINE void slot_decref(PyObject *op)
{
    if (value_is_immediate(op))
        return;
    if (Py_LIKELY(object_is_mine(op))) {
        if (--op->hdr_local == 0)
            _Py_DecRefZero(op);
    }
    else if (!(object_flags(op) & (OBJECT_IMMORTAL | OBJECT_DEFERRED)))
        _Py_DecRefShared(op);
}
/* object_try_incref for a slot reference: a DEFERRED object that is still reachable is simply there until the next pause. */
static inline Py_ALWAYS_INLINE int slot_try_incref(PyObject *op)
{
    if (value_is_immediate(op))
        return 1;
    if (Py_LIKELY(object_is_mine(op))) {
        op->hdr_local++;
        return 1;
    }
    if (object_flags(op) & (OBJECT_IMMORTAL | OBJECT_DEFERRED))
        return 1;
    return _Py_TryIncRefShared(op);
}
static inline void slot_xdecref(PyObject *op)
{
    if (op != NULL)
        slot_decref(op);
}
static inline Py_ALWAYS_INLINE PyObject *slot_to_owned(PyObject *op)
{
    if (value_is_heap(op) && Py_UNLIKELY(object_flags(op) & OBJECT_DEFERRED))
        Py_INCREF(op);
    return op;
}
static inline Py_ALWAYS_INLINE PyObject *owned_to_slot(PyObject *op)
{
    if (value_is_heap(op) && Py_UNLIKELY(object_flags(op) & OBJECT_DEFERRED))
        Py_DECREF(op);          /* never frees: a DEFERRED object is freed by the collector alone */
    return op;
}
/* op if its slot reference is counted, else NULL: Py_XDECREF of that drops it, whatever becomes of op in between. */
static inline Py_ALWAYS_INLINE PyObject *slot_held(PyObject *op)
{
    return value_is_heap(op) && op != NULL && !(object_flags(op) & (OBJECT_IMMORTAL | OBJECT_DEFERRED)) ? op : NULL;
}
/* owned_to_slot(Py_NewRef(op)) */
static inline Py_ALWAYS_INLINE PyObject *slot_copy(PyObject *op)
{
    slot_incref(op);
    return op;
}

/* ---- Frames ---- */

/* Makes the chunk list and first record of a new thread; 0 or -1 (MemoryError not set: no thread state may exist). */
int frame_stack_init(PyThreadState *ts);
void frame_stack_fini(PyThreadState *ts);

/* The visible frame at or below `f` (skips incomplete ones), or NULL. */
frame_t *frame_first_complete(frame_t *f);

/* The frame object of a record, made if need be.  Borrowed from the record; NULL with MemoryError. */
PyFrameObject *frame_get_object(frame_t *f);
/* The current Python frame's object, a new reference, or NULL without exception if there is none. */
PyFrameObject *frame_current_object(PyThreadState *ts);

int frame_line_number(frame_t *f);
static inline uint32_t frame_word(frame_t *f)
{
    return f->pc > f->code->co_instructions ? (uint32_t)(f->pc - f->code->co_instructions - 1) : 0;
}

/* Zero-argument super(): the first argument and the __class__ cell of the running function.  New references.
 * Returns 0, or -1 with RuntimeError ("super(): no arguments", ...). */
int frame_super_arguments(PyThreadState *ts, PyTypeObject **type, PyObject **obj);

/* Visits every reference that frames of ts hold: windows, func, code, locals.  World stopped, or ts is the caller. */
int frame_visit_thread_roots(PyThreadState *ts, visitproc visit, void *arg);

/* ---- Frame objects ---- */

struct _frame {
    PyObject_HEAD
    frame_t *f_frame;           /* the live record, or &f_own once the activation is over */
    PyFrameObject *f_back;      /* set once the activation is over */
    PyObject *f_trace;
    int f_lineno;               /* set by PyFrame_SetLineNumber and by extensions; 0: compute */
    char f_trace_lines, f_trace_opcodes;
    PyObject *f_locals_dict;    /* snapshot handed out for optimised frames */
    PyObject *f_keep_alive;     /* list of old values that a debugger has overwritten (operands may be borrowed) */
    frame_t f_own;              /* f_own.slots: counted references in memory of our own */
};

/* The activation ends while its frame object is referenced elsewhere: it takes over the window's values. */
void frame_take_over(PyThreadState *ts, frame_t *f);

#endif /* BRAID_FRAME_H */
