/* GMP and the end of memory.
 *
 * GMP has no way to report that an allocation failed: it ends the process. Here its allocations go through functions of
 * ours, and a computation that may need much memory runs under gmp_guarded: where memory runs out, everything that GMP
 * allocated in it is freed and the computation is abandoned. GMP keeps nothing elsewhere: what it works with is in its
 * arguments, on the stack and in those blocks.
 *
 * Computations with small operands need no guard: if malloc fails for one of their few blocks, it comes from a reserve.
 * The object made of the result then meets the MemoryError. */
#ifndef BRAID_GMP_GUARD_H
#define BRAID_GMP_GUARD_H

#include <stddef.h>

/* A computation all of whose blocks surely have no more bytes than this is small. */
#define GMP_RESERVE_BLOCK 16384
/* Operands of so many limbs at most make a small computation, unless it multiplies their sizes. */
#define GMP_SMALL_LIMBS 256

/* Once, before anything is computed. */
void gmp_guard_setup(void);

/* Runs work(data), a computation with GMP alone: no Python code, no locks, no allocations but GMP's, no guard inside.
 * Results that outlive it are fresh from mpz_init.
 * Returns  0; or -1 without an exception: memory has run out, and all that was computed is gone. mpz variables that work
 *          has written are invalid then: not to be cleared, but to be initialised again or forgotten
 * Escapes  never */
int gmp_guarded(void (*work)(void *data), void *data);

#endif /* BRAID_GMP_GUARD_H */
