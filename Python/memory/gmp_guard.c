/* Lets computations with GMP fail where memory runs out.
 *
 * The one place that leaves a function through longjmp: GMP, a library in C, offers no other way out. It jumps over frames
 * of GMP and of the guarded computation only, neither of which holds anything but blocks that are noted here.
 *
 * Blocks come from malloc, so that GMP's other users in the process may free what was allocated before or after the
 * set-up. The guard belongs to its thread; the reserve is shared, its bit mask atomic. */
#include "internal/gmp_guard.h"

#include <gmp.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GUARD_ROOM = 24, RESERVE_BLOCKS = 64 };

typedef struct {
    jmp_buf exit;
    void **blocks;              /* what GMP has allocated and not freed; room, or from malloc */
    size_t count, capacity;
    void *room[GUARD_ROOM];
} guard_t;

static _Thread_local guard_t *current;      /* [owner] or NULL */

/* ---- The reserve ---- */

static _Alignas(64) char reserve[RESERVE_BLOCKS][GMP_RESERVE_BLOCK];
static uint64_t reserve_taken;              /* [atomic] a bit for each block */

static int is_reserved(const void *block)
{
    return (uintptr_t)block - (uintptr_t)reserve < sizeof(reserve);
}

static void *take_reserve(size_t size)
{
    uint64_t taken = __atomic_load_n(&reserve_taken, __ATOMIC_RELAXED);
    while (size <= GMP_RESERVE_BLOCK && ~taken != 0) {
        int i = __builtin_ctzll(~taken);
        /* acquire: pairs with the release of who gave the block back */
        if (__atomic_compare_exchange_n(&reserve_taken, &taken, taken | (uint64_t)1 << i, 0, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED))
            return reserve[i];
    }
    fprintf(stderr, "braid: no memory for a block of %zu bytes in GMP\n", size);
    abort();
}

static void give_back_reserve(void *block)
{
    size_t i = ((uintptr_t)block - (uintptr_t)reserve) / GMP_RESERVE_BLOCK;
    __atomic_fetch_and(&reserve_taken, ~((uint64_t)1 << i), __ATOMIC_RELEASE);
}

/* ---- Guards ---- */

static _Noreturn void abandon(guard_t *guard)
{
    longjmp(guard->exit, 1);
}

/* Makes room for one more block, before it is allocated. */
static void prepare_note(guard_t *guard)
{
    if (guard->count < guard->capacity)
        return;
    size_t size = guard->capacity * sizeof(void *);
    void **more = guard->blocks == guard->room ? malloc(size * 2) : realloc(guard->blocks, size * 2);
    if (more == NULL)
        abandon(guard);
    if (guard->blocks == guard->room)
        memcpy(more, guard->room, size);
    guard->blocks = more;
    guard->capacity *= 2;
}

/* The place of a block in the list, the latest are searched first; or NULL: it is older than the guard. */
static void **find_note(guard_t *guard, void *block)
{
    for (size_t i = guard->count; i-- > 0;)
        if (guard->blocks[i] == block)
            return &guard->blocks[i];
    return NULL;
}

int gmp_guarded(void (*work)(void *data), void *data)
{
    guard_t guard;
    guard.blocks = guard.room;
    guard.count = 0;
    guard.capacity = GUARD_ROOM;
    int failed = setjmp(guard.exit);
    if (!failed) {
        current = &guard;
        work(data);
    }
    current = NULL;
    for (size_t i = 0; failed && i < guard.count; i++)
        free(guard.blocks[i]);
    if (guard.blocks != guard.room)
        free(guard.blocks);
    return failed ? -1 : 0;
}

/* ---- What GMP calls ---- */

static void *allocate(size_t size)
{
    guard_t *guard = current;
    if (guard == NULL) {
        void *block = malloc(size);
        return block != NULL ? block : take_reserve(size);
    }
    prepare_note(guard);
    void *block = malloc(size);
    if (block == NULL)
        abandon(guard);
    return guard->blocks[guard->count++] = block;
}

static void release(void *block, size_t size)
{
    guard_t *guard = current;
    void **note = guard != NULL ? find_note(guard, block) : NULL;
    if (note != NULL)
        *note = guard->blocks[--guard->count];
    if (is_reserved(block))
        give_back_reserve(block);
    else
        free(block);
}

static void *reallocate(void *block, size_t old_size, size_t size)
{
    guard_t *guard = current;
    void **note = guard != NULL ? find_note(guard, block) : NULL;
    if (!is_reserved(block)) {
        void *moved = realloc(block, size);
        if (moved != NULL) {
            if (note != NULL)
                *note = moved;
            return moved;
        }
        if (guard != NULL)
            abandon(guard);
    } else if (size <= GMP_RESERVE_BLOCK) {
        return block;
    }
    void *moved = allocate(size);
    memcpy(moved, block, old_size < size ? old_size : size);
    release(block, old_size);
    return moved;
}

void gmp_guard_setup(void)
{
    mp_set_memory_functions(allocate, reallocate, release);
}
