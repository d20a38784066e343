/* The table of thread indices: states, borrowing, and which are free. See thread_state.h. */
#include "memory.h"
#include "atomics.h"
#include "stop_world.h"
#include "thread_end.h"

#include <sched.h>

#define SLOTS 65536

struct thread_slot {
    uint32_t state;             /* [atomic] slot_state_t */
    uint32_t leaving;           /* [atomic] see thread_end.h */
    PyThreadState *ts;          /* [atomic] set once: the memory of thread states is reused with the slot, never freed */
};

static struct thread_slot slots[SLOTS];
/* The lowest free slot is taken next: after a crowd of threads has gone, the few that come are found at the front of the tables again. */
static uint64_t taken[SLOTS / 64] = {1};    /* [thread list lock] a bit per slot; slot 0 is nobody's */
static uint32_t first_free = 1;             /* [thread list lock] no slot below it is free */
static uint32_t limit = 1;                  /* [thread list lock; atomic read] no slot from here on is taken */

#ifdef Py_GIL_DISABLED
BRAID_TLS uint16_t _Py_current_tid;
#endif
int runtime_multi;

slot_state_t slot_get_state(uint16_t slot) { return (slot_state_t)atomic_load_acquire_u32(&slots[slot].state); }

int slot_change_state(uint16_t slot, slot_state_t from, slot_state_t to)
{
    uint32_t expected = from;
    return atomic_cas_u32(&slots[slot].state, &expected, to);
}

int slot_borrow(uint16_t slot, slot_state_t *previous)
{
    slot_state_t state = slot_get_state(slot);
    if (state != SLOT_VACANT && state != SLOT_DETACHED)
        return 0;
    *previous = state;
    return slot_change_state(slot, state, SLOT_BORROWED);
}

void slot_set_leaving(uint16_t slot, int leaving) { atomic_store_relaxed_u32(&slots[slot].leaving, (uint32_t)leaving); }
int slot_is_leaving(uint16_t slot) { return (int)atomic_load_relaxed_u32(&slots[slot].leaving); }

void slot_return(uint16_t slot, slot_state_t previous)
{
    atomic_store_release_u32(&slots[slot].state, previous);     /* pairs with the CAS of the next who takes it */
    if (atomic_load_relaxed_int(&stop_world_requested))
        stop_world_notify();
}

void slot_set_breaker(uint16_t slot, uint32_t bits)
{
    PyThreadState *ts = atomic_load_acquire_ptr(&slots[slot].ts);   /* pairs with slot_take */
    if (ts != NULL)
        thread_set_breaker(ts, bits);       /* a bit set too late reaches the slot's next thread, to which it means nothing */
}

uint32_t slots_limit(void) { return atomic_load_relaxed_u32(&limit); }

/* The lowest free slot, or 0. */
static uint32_t find_free(void)
{
    uint32_t word = first_free / 64;
    while (word < SLOTS / 64 && taken[word] == UINT64_MAX)
        word++;
    first_free = word < SLOTS / 64 ? word * 64 + (uint32_t)__builtin_ctzll(~taken[word]) : SLOTS;
    return first_free < SLOTS ? first_free : 0;
}

PyThreadState *slot_take(void)
{
    uint32_t slot = find_free();
    if (slot == 0)
        return NULL;
    PyThreadState *ts = slots[slot].ts;
    if (ts == NULL) {
        ts = memory_alloc_for_ever(sizeof(*ts));
        if (ts == NULL)
            return NULL;
        ts->slot = (uint16_t)slot;
        atomic_store_release_ptr(&slots[slot].ts, ts);
    }
    taken[slot / 64] |= (uint64_t)1 << slot % 64;
    if (slot >= limit)
        atomic_store_relaxed_u32(&limit, slot + 1);
    /* A newcomer in the middle of a pause is part of it. */
    slot_state_t state = atomic_load_relaxed_int(&stop_world_requested) && !stop_world_is_mine() ? SLOT_SUSPENDED : SLOT_DETACHED;
    while (!slot_change_state((uint16_t)slot, SLOT_VACANT, state))
        sched_yield();          /* borrowed, for a moment */
    slot_set_leaving((uint16_t)slot, 0);        /* who finds the newcomer attached finds this, too: slot_change_state is a release */
    return ts;
}

void slot_give_back(uint16_t slot)
{
    taken[slot / 64] &= ~((uint64_t)1 << slot % 64);
    if (slot < first_free)
        first_free = slot;
    uint32_t top = limit;
    while (!(taken[(top - 1) / 64] >> (top - 1) % 64 & 1))     /* slot 0 ends it */
        top--;
    atomic_store_relaxed_u32(&limit, top);
}

void slots_after_fork(uint16_t own)
{
    for (uint32_t slot = limit; --slot > 0;) {
        if (slot == own)
            continue;
        atomic_store_relaxed_u32(&slots[slot].state, SLOT_VACANT);
        taken[slot / 64] &= ~((uint64_t)1 << slot % 64);
    }
    first_free = 1;
    limit = own + 1u;
}
