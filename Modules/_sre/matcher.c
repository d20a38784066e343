/* The matcher's entry points and its memory; the matcher itself is matcher_template.h, compiled per width. */
#include "sre.h"

#include <string.h>

/* Entries of the backtracking stack. A barrier delimits the choices of a group that is given up or kept as a whole;
 * its extra holds the index of the barrier outside it. */
enum entry_kind {
    E_MARK,             /* undo: marks[pc] was ptr, lastindex was extra */
    E_CHOICE,           /* go on at pc */
    E_BRANCH,           /* go on with the alternative whose skip word is at pc */
    E_REPEAT_ONE,       /* item repeat at pc from ptr, extra items were taken: take fewer */
    E_MIN_REPEAT_ONE,   /* item repeat at pc, extra items were taken up to ptr: take one more */
    E_ATOMIC,           /* barrier */
    E_ASSERT,           /* barrier */
    E_ASSERT_NOT,       /* barrier */
    E_POSSESSIVE,       /* barrier; repeat is the record of this repeat */
};

#define NO_BARRIER ((size_t)-1)

static int stack_grow(sre_state *st)
{
    size_t capacity = st->capacity * 2;
    sre_entry *stack = NULL;
    if (capacity <= PY_SSIZE_T_MAX / sizeof(sre_entry))
        stack = PyMem_Realloc(st->stack == st->small_stack ? NULL : st->stack, capacity * sizeof(sre_entry));
    if (!stack) {
        PyErr_NoMemory();
        return -1;
    }
    if (st->stack == st->small_stack)
        memcpy(stack, st->small_stack, sizeof st->small_stack);
    st->stack = stack;
    st->capacity = capacity;
    return 0;
}

static int records_grow(sre_state *st)
{
    uint32_t room = st->room * 2;
    sre_record *records = NULL;
    if (room > st->room)
        records = PyMem_Realloc(st->records == st->small_records ? NULL : st->records, room * sizeof(sre_record));
    if (!records) {
        PyErr_NoMemory();
        return -1;
    }
    if (st->records == st->small_records)
        memcpy(records, st->small_records, sizeof st->small_records);
    st->records = records;
    st->room = room;
    return 0;
}

static inline int push(sre_state *st, uint32_t kind, size_t pc, Py_ssize_t ptr, uint32_t repeat, Py_ssize_t extra)
{
    if (__builtin_expect(st->depth == st->capacity, 0) && stack_grow(st) < 0)
        return -1;
    sre_entry *e = &st->stack[st->depth++];
    e->kind = kind;
    e->pc = (uint32_t)pc;
    e->ptr = ptr;
    e->repeat = repeat;
    e->records = st->used;
    e->extra = extra;
    return 0;
}

/* A new record, made current by the caller. 0: MemoryError. */
static inline uint32_t record_new(sre_state *st, size_t pc, uint32_t outer, Py_ssize_t count, Py_ssize_t last)
{
    if (__builtin_expect(st->used == st->room, 0) && records_grow(st) < 0)
        return 0;
    st->records[st->used] = (sre_record){(uint32_t)pc, outer, count, last};
    return st->used++;
}

static inline int set_mark(sre_state *st, uint32_t mark, Py_ssize_t i)
{
    /* with nothing to return to, the marks are reset instead of undone */
    if (st->depth && push(st, E_MARK, mark, st->marks[mark], 0, st->lastindex) < 0)
        return -1;
    st->marks[mark] = i;
    st->dirty = 1;
    if (mark & 1)
        st->lastindex = mark / 2 + 1;
    return 0;
}

/* The group delimited by the barrier has matched for good: forget its choices, keep what undoes its marks. */
static void commit(sre_state *st, size_t barrier)
{
    size_t to = barrier;
    for (size_t from = barrier + 1; from < st->depth; from++)
        if (st->stack[from].kind == E_MARK)
            st->stack[to++] = st->stack[from];
    st->depth = to;
}

/* Takes everything above the barrier back, and the barrier too. */
static void roll_back(sre_state *st, size_t barrier)
{
    while (st->depth > barrier) {
        sre_entry *e = &st->stack[--st->depth];
        if (e->kind == E_MARK) {
            st->marks[e->pc] = e->ptr;
            st->lastindex = e->extra;
        }
    }
}

static void reset(sre_state *st)
{
    st->depth = 0;
    st->used = 1;
    if (st->dirty) {
        memset(st->marks, 0xff, sizeof(Py_ssize_t) * 2 * (size_t)st->pattern->groups);
        st->dirty = 0;
    }
    st->lastindex = -1;
}

/* Now and then: signals, and a safe point for the other threads. */
static int poll(sre_state *st)
{
    st->fuel = SRE_FUEL;
    Py_BEGIN_ALLOW_THREADS
    Py_END_ALLOW_THREADS
    return PyErr_CheckSignals();
}

static inline int spend(sre_state *st)
{
    return __builtin_expect(--st->fuel == 0, 0) ? poll(st) : 0;
}

#define CHAR Py_UCS1
#define WIDTH 1
#define NAME(name) name##_ucs1
#include "matcher_template.h"
#undef CHAR
#undef WIDTH
#undef NAME
#define CHAR Py_UCS2
#define WIDTH 2
#define NAME(name) name##_ucs2
#include "matcher_template.h"
#undef CHAR
#undef WIDTH
#undef NAME
#define CHAR Py_UCS4
#define WIDTH 4
#define NAME(name) name##_ucs4
#include "matcher_template.h"

int sre_match(sre_state *st)
{
    if (st->start > st->end)
        return 0;
    switch (st->kind) {
    case 1: return run_ucs1(st, st->start);
    case 2: return run_ucs2(st, st->start);
    default: return run_ucs4(st, st->start);
    }
}

int sre_search(sre_state *st)
{
    switch (st->kind) {
    case 1: return search_ucs1(st);
    case 2: return search_ucs2(st);
    default: return search_ucs4(st);
    }
}
