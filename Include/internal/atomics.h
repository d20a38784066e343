/* Atomic operations by name: what they do, the memory order, the width. Behind them is libatomic_ops where it has the operation.
 *
 *      atomic_load_acquire_u32(p)      atomic_store_release_ptr(p, v)      atomic_fetch_add_u64(p, n)   (acq_rel)
 *      atomic_cas_u32(p, &old, new)    1, or 0 with the value seen in old (acq_rel / acquire)
 *
 * libatomic_ops has no exchange and no CAS that hands back the value for every width, its *_full read-modify-writes are no fences (rule 34), and
 * its types would force casts on every struct: these go through the compiler's builtins, which are the same instructions. */
#ifndef BRAID_ATOMICS_H
#define BRAID_ATOMICS_H

#include <stddef.h>
#include <stdint.h>
#if defined(BRAID_USE_ATOMIC_OPS) && !defined(__SANITIZE_THREAD__)
#define AO_REQUIRE_CAS 1
#include <atomic_ops.h>
#define atomic_fence_seq_cst() AO_nop_full()
#else
#define atomic_fence_seq_cst() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#endif

#define ATOMIC_DEFINE(suffix, type) \
    static inline type atomic_load_relaxed_##suffix(const type *p) { return __atomic_load_n(p, __ATOMIC_RELAXED); } \
    static inline type atomic_load_acquire_##suffix(const type *p) { return __atomic_load_n(p, __ATOMIC_ACQUIRE); } \
    static inline type atomic_load_seq_cst_##suffix(const type *p) { return __atomic_load_n(p, __ATOMIC_SEQ_CST); } \
    static inline void atomic_store_relaxed_##suffix(type *p, type v) { __atomic_store_n(p, v, __ATOMIC_RELAXED); } \
    static inline void atomic_store_release_##suffix(type *p, type v) { __atomic_store_n(p, v, __ATOMIC_RELEASE); } \
    static inline void atomic_store_seq_cst_##suffix(type *p, type v) { __atomic_store_n(p, v, __ATOMIC_SEQ_CST); } \
    static inline type atomic_exchange_##suffix(type *p, type v) { return __atomic_exchange_n(p, v, __ATOMIC_ACQ_REL); } \
    static inline int atomic_cas_##suffix(type *p, type *expected, type desired) \
    { \
        return __atomic_compare_exchange_n(p, expected, desired, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE); \
    }
#define ATOMIC_DEFINE_NUMBER(suffix, type) \
    ATOMIC_DEFINE(suffix, type) \
    static inline type atomic_fetch_add_relaxed_##suffix(type *p, type n) { return __atomic_fetch_add(p, n, __ATOMIC_RELAXED); } \
    static inline type atomic_fetch_add_##suffix(type *p, type n) { return __atomic_fetch_add(p, n, __ATOMIC_ACQ_REL); } \
    static inline type atomic_fetch_or_##suffix(type *p, type n) { return __atomic_fetch_or(p, n, __ATOMIC_ACQ_REL); } \
    static inline type atomic_fetch_and_##suffix(type *p, type n) { return __atomic_fetch_and(p, n, __ATOMIC_ACQ_REL); }

ATOMIC_DEFINE_NUMBER(u8, uint8_t)
ATOMIC_DEFINE_NUMBER(u16, uint16_t)
ATOMIC_DEFINE_NUMBER(u32, uint32_t)
ATOMIC_DEFINE_NUMBER(u64, uint64_t)
ATOMIC_DEFINE_NUMBER(int, int)
ATOMIC_DEFINE_NUMBER(size, size_t)
ATOMIC_DEFINE_NUMBER(i64, int64_t)

/* Pointers of any type; p is the address of the pointer. */
#define atomic_load_relaxed_ptr(p) __atomic_load_n((p), __ATOMIC_RELAXED)
#define atomic_load_acquire_ptr(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define atomic_store_relaxed_ptr(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define atomic_store_release_ptr(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define atomic_exchange_ptr(p, v) __atomic_exchange_n((p), (v), __ATOMIC_ACQ_REL)
#define atomic_cas_ptr(p, expected, desired) \
    __atomic_compare_exchange_n((p), (expected), (desired), 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)

/* In a loop that waits for another processor. */
static inline void atomic_spin_hint(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#undef ATOMIC_DEFINE
#undef ATOMIC_DEFINE_NUMBER

#endif /* BRAID_ATOMICS_H */
