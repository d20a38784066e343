/* Stress builds (--enable-stress): every atomic operation is a place where the thread may be held up.
 *
 * The build includes this header before everything else, in every file. It renames the compiler's atomic builtins, which
 * libatomic_ops, the mutexes and the reference counts end in too, to the same operation behind stress_point(): mostly that counts
 * down, and every some dozen operations it yields, spins or sleeps for some microseconds (Python/sync/stress.c). So the windows
 * between a load and what is done with it, or between unlinking and retiring, stay open for as long as another thread
 * needs to run through them, which on an idle machine happens once in a million times.
 *
 * Threads: the countdown is thread-local. Safe in signal handlers and in the child of a fork: no lock, no allocation.
 * It includes nothing: what a file defines for the headers of the system (_GNU_SOURCE) must still come first.
 * BRAID_STRESS_SEED in the environment picks the schedule of delays, as far as the kernel lets it be picked. */
#ifndef BRAID_STRESS_H
#define BRAID_STRESS_H

extern __attribute__((visibility("default"))) __thread unsigned stress_countdown;
/* Holds the thread up for a while, or not, and draws the next countdown. */
__attribute__((visibility("default"))) void stress_hold_up(void);

static inline void stress_point(void)
{
    if (stress_countdown-- == 0)
        stress_hold_up();
}

#define __atomic_load_n(p, order) (stress_point(), __atomic_load_n((p), (order)))
#define __atomic_store_n(p, v, order) (stress_point(), __atomic_store_n((p), (v), (order)))
#define __atomic_exchange_n(p, v, order) (stress_point(), __atomic_exchange_n((p), (v), (order)))
#define __atomic_fetch_add(p, n, order) (stress_point(), __atomic_fetch_add((p), (n), (order)))
#define __atomic_fetch_sub(p, n, order) (stress_point(), __atomic_fetch_sub((p), (n), (order)))
#define __atomic_fetch_or(p, n, order) (stress_point(), __atomic_fetch_or((p), (n), (order)))
#define __atomic_fetch_and(p, n, order) (stress_point(), __atomic_fetch_and((p), (n), (order)))
#define __atomic_add_fetch(p, n, order) (stress_point(), __atomic_add_fetch((p), (n), (order)))
#define __atomic_sub_fetch(p, n, order) (stress_point(), __atomic_sub_fetch((p), (n), (order)))
#define __atomic_compare_exchange_n(p, expected, desired, weak, done, failed) \
    (stress_point(), __atomic_compare_exchange_n((p), (expected), (desired), (weak), (done), (failed)))
#define __atomic_thread_fence(order) (stress_point(), __atomic_thread_fence(order))

#endif /* BRAID_STRESS_H */
