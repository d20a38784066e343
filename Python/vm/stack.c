/* The thread's stack of windows, in chunks that never move, and its list of activation records. */
#include "Python.h"

#include "calls.h"
#include "generator_frames.h"
#include "object_pages.h"
#include "opcode.h"
#include "stack.h"
#include "thread_state.h"

#define CHUNK_WORDS ((64 * 1024 - sizeof(stack_chunk_t)) / sizeof(PyObject *))
/* The first chunk of a thread beside the main one: enough for most, as thousands may be alive. */
#define FIRST_CHUNK_WORDS ((8 * 1024 - sizeof(stack_chunk_t)) / sizeof(PyObject *))
#define RECORDS_PER_BLOCK 16

typedef struct record_block {
    struct record_block *previous;
    frame_t records[RECORDS_PER_BLOCK];
} record_block_t;

static stack_chunk_t *new_chunk(size_t words)
{
    stack_chunk_t *chunk = PyMem_RawCalloc(1, sizeof(stack_chunk_t) + words * sizeof(PyObject *));
    if (chunk != NULL)
        chunk->limit = chunk->words + words;
    return chunk;
}

/* Records are allocated in blocks and linked through `next`; freelists[1] keeps the blocks, [2] a spare chunk. */
static frame_t *new_records(PyThreadState *ts)
{
    record_block_t *block = PyMem_RawCalloc(1, sizeof(record_block_t));
    if (block == NULL)
        return NULL;
    block->previous = ts->freelists[1];
    ts->freelists[1] = block;
    for (int i = 0; i + 1 < RECORDS_PER_BLOCK; i++)
        block->records[i].next = &block->records[i + 1];
    return block->records;
}

int frame_stack_init(PyThreadState *ts)
{
    stack_chunk_t *chunk = new_chunk(thread_count() > 1 ? FIRST_CHUNK_WORDS : CHUNK_WORDS);
    frame_t *first = chunk != NULL ? new_records(ts) : NULL;
    if (first == NULL) {
        PyMem_RawFree(chunk);
        return -1;
    }
    ts->freelists[0] = first;
    ts->stack_chunk = chunk;
    ts->stack_top = chunk->words;
    ts->stack_limit = chunk->limit;
    ts->frame = NULL;
    return 0;
}

void frame_stack_fini(PyThreadState *ts)
{
    while (ts->stack_chunk != NULL) {
        stack_chunk_t *chunk = ts->stack_chunk;
        ts->stack_chunk = chunk->previous;
        PyMem_RawFree(chunk);
    }
    while (ts->freelists[1] != NULL) {
        record_block_t *block = ts->freelists[1];
        ts->freelists[1] = block->previous;
        PyMem_RawFree(block);
    }
    PyMem_RawFree(ts->freelists[2]);
    ts->freelists[0] = ts->freelists[2] = NULL;
    ts->stack_top = ts->stack_limit = NULL;
}

frame_t *frame_record_grow(PyThreadState *ts)
{
    /* a generator's record is not part of the list: look below it */
    frame_t *base = ts->frame;
    while (base != NULL && (base->flags & FRAME_GENERATOR))
        base = base->previous;
    frame_t *next = base != NULL ? base->next : ts->freelists[0];
    if (next == NULL) {
        next = new_records(ts);
        if (next == NULL) {
            PyErr_NoMemory();
            return NULL;
        }
        if (base != NULL)
            base->next = next;
        else
            ts->freelists[0] = next;
    }
    if (ts->frame != NULL)
        ts->frame->next = next;
    return next;
}

stack_chunk_t *stack_open_chunk(PyThreadState *ts, size_t words)
{
    size_t size = words + 64 > CHUNK_WORDS ? words + 64 : CHUNK_WORDS;
    stack_chunk_t *chunk = ts->freelists[2];        /* one chunk of hysteresis */
    if (chunk != NULL && (size_t)(chunk->limit - chunk->words) >= size)
        ts->freelists[2] = NULL;
    else
        chunk = new_chunk(size);
    if (chunk == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    ts->stack_chunk->top_when_left = ts->stack_top;
    chunk->previous = ts->stack_chunk;
    ts->stack_chunk = chunk;
    ts->stack_limit = chunk->limit;
    return chunk;
}

void call_close_chunk(PyThreadState *ts, stack_chunk_t *chunk)
{
    ts->stack_chunk = chunk->previous;
    ts->stack_limit = chunk->previous->limit;
    stack_chunk_t *kept = ts->freelists[2];
    ts->freelists[2] = NULL;
    if (kept == NULL || kept->limit - kept->words < chunk->limit - chunk->words) {
        stack_chunk_t *other = kept;
        kept = chunk;
        chunk = other;
    }
    ts->freelists[2] = kept;
    PyMem_RawFree(chunk);
}

static int visit_words(PyObject **from, PyObject **to, visitproc visit, void *arg)
{
    for (; from < to; from++) {
        PyObject *op = *from;
        if (value_is_heap(op) && op != NULL) {
            int result = visit(op, arg);
            if (result != 0)
                return result;
        }
    }
    return 0;
}

/* Everything on the stack of ts: windows of its activations, and those that are being released. */
static int visit_stack(PyThreadState *ts, visitproc visit, void *arg)
{
    PyObject **top = ts->stack_top;
    int result = 0;
    for (stack_chunk_t *chunk = ts->stack_chunk; chunk != NULL && result == 0; chunk = chunk->previous) {
        result = visit_words(chunk->words, top, visit, arg);
        if (chunk->previous != NULL)
            top = chunk->previous->top_when_left;
    }
    return result;
}

int frame_visit_thread_roots(PyThreadState *ts, visitproc visit, void *arg)
{
    int result = visit_stack(ts, visit, arg);
    for (frame_t *f = ts->frame; f != NULL && result == 0; f = f->previous) {
        PyObject *held[] = {(PyObject *)f->code, (PyObject *)f->func, f->locals, (PyObject *)f->frame_object};
        for (size_t i = 0; i < Py_ARRAY_LENGTH(held) && result == 0; i++)
            if (held[i] != NULL)
                result = visit(held[i], arg);
        if (result == 0 && (f->flags & FRAME_GENERATOR))
            result = visit_words(f->slots, f->slots + f->code->co_nslots, visit, arg);
    }
    return result;
}

/* ---- All slot references, for promotion ---- */

struct slot_visitor {
    visitproc visit;
    void *arg;
};

/* Generators that run, too, and those that are being torn down: their windows lie in them. */
static int walk_generator(PyObject *op, uint8_t state, void *arg)
{
    struct slot_visitor *v = arg;
    PyTypeObject *type = heap_type(op);
    if ((type != &PyGen_Type && type != &PyCoro_Type && type != &PyAsyncGen_Type) || (state & SLOT_LIMBO))
        return 0;
    frame_t *f = &((PyGenObject *)op)->gi_frame;
    if (f->flags & FRAME_CLEARED)
        return 0;
    visit_words(f->slots, f->slots + f->code->co_nslots, v->visit, v->arg);
    if (f->func != NULL)
        v->visit((PyObject *)f->func, v->arg);
    return 0;
}

void frame_walk_slots_stopped(visitproc visit, void *arg)
{
    struct slot_visitor v = {visit, arg};
    /* Threads that have detached for the last time free their stacks during the pause, too. */
    thread_list_lock();
    for (PyThreadState *ts = thread_first(); ts != NULL; ts = ts->next) {
        visit_stack(ts, visit, arg);
        for (frame_t *f = ts->frame; f != NULL; f = f->previous)
            if (!(f->flags & FRAME_GENERATOR) && f->func != NULL)
                visit((PyObject *)f->func, arg);
    }
    thread_list_unlock();
    object_pages_walk_stopped(walk_generator, &v);
}
