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
static uint16_t free_slots[SLOTS];          /* [thread list lock] a stack */
static uint32_t free_count, used_limit = 1; /* [thread list lock] slot 0 is nobody's */

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

PyThreadState *slot_take(void)
{
    uint32_t slot;
    if (free_count > 0)
        slot = free_slots[--free_count];
    else if (used_limit < SLOTS)
        slot = used_limit++;
    else
        return NULL;
    PyThreadState *ts = slots[slot].ts;
    if (ts == NULL) {
        ts = PyMem_RawCalloc(1, sizeof(*ts));
        if (ts == NULL) {
            free_slots[free_count++] = (uint16_t)slot;
            return NULL;
        }
        ts->slot = (uint16_t)slot;
        atomic_store_release_ptr(&slots[slot].ts, ts);
    }
    /* A newcomer in the middle of a pause is part of it. */
    slot_state_t state = atomic_load_relaxed_int(&stop_world_requested) && !stop_world_is_mine() ? SLOT_SUSPENDED : SLOT_DETACHED;
    while (!slot_change_state((uint16_t)slot, SLOT_VACANT, state))
        sched_yield();          /* borrowed, for a moment */
    slot_set_leaving((uint16_t)slot, 0);        /* who finds the newcomer attached finds this, too: slot_change_state is a release */
    return ts;
}

void slot_give_back(uint16_t slot) { free_slots[free_count++] = slot; }

void slots_after_fork(uint16_t own)
{
    free_count = 0;
    for (uint32_t slot = used_limit; --slot > 0;) {
        if (slot == own)
            continue;
        atomic_store_relaxed_u32(&slots[slot].state, SLOT_VACANT);
        free_slots[free_count++] = (uint16_t)slot;
    }
}
