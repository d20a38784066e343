/* Atomic operations by name: what they do, the memory order, the width. Behind them is libatomic_ops.
 *
 *      atomic_load_acquire_u32(p)      atomic_store_release_ptr(p, v)      atomic_fetch_add_u64(p, n)   (acq_rel)
 *      atomic_cas_u32(p, &old, new)    1, or 0 with the value seen in old (acq_rel / acquire)
 *
 * What libatomic_ops lacks goes through the compiler's builtins, which are the same instructions: exchange, fetch_or, sequentially consistent
 * loads and stores, and pointers of any type.  Its *_full read-modify-writes are no fences (rule 34): atomic_fence_seq_cst is one. */
#ifndef BRAID_ATOMICS_H
#define BRAID_ATOMICS_H

#include <stddef.h>
#include <stdint.h>

#include <atomic_ops.h>

#if defined(AO_HAVE_char_load_acquire) && defined(AO_HAVE_char_fetch_compare_and_swap_full) \
    && defined(AO_HAVE_short_fetch_compare_and_swap_full) && defined(AO_HAVE_int_fetch_compare_and_swap_full) \
    && defined(AO_HAVE_fetch_compare_and_swap_full)

#define ATOMIC_DEFINE_BASE(suffix, type, ao, ao_type) \
    static inline type atomic_load_relaxed_##suffix(const type *p) { return (type)ao##_load((const volatile ao_type *)p); } \
    static inline type atomic_load_acquire_##suffix(const type *p) { return (type)ao##_load_acquire((const volatile ao_type *)p); } \
    static inline void atomic_store_relaxed_##suffix(type *p, type v) { ao##_store((volatile ao_type *)p, (ao_type)v); } \
    static inline void atomic_store_release_##suffix(type *p, type v) { ao##_store_release((volatile ao_type *)p, (ao_type)v); } \
    static inline int atomic_cas_##suffix(type *p, type *expected, type desired) \
    { \
        type seen = (type)ao##_fetch_compare_and_swap_full((volatile ao_type *)p, (ao_type)*expected, (ao_type)desired); \
        int done = seen == *expected; \
        *expected = seen; \
        return done; \
    } \
    static inline type atomic_fetch_add_relaxed_##suffix(type *p, type n) { return (type)ao##_fetch_and_add((volatile ao_type *)p, (ao_type)n); } \
    static inline type atomic_fetch_add_##suffix(type *p, type n) { return (type)ao##_fetch_and_add_full((volatile ao_type *)p, (ao_type)n); }

#else

#define ATOMIC_DEFINE_BASE(suffix, type, ao, ao_type) \
    static inline type atomic_load_relaxed_##suffix(const type *p) { return __atomic_load_n(p, __ATOMIC_RELAXED); } \
    static inline type atomic_load_acquire_##suffix(const type *p) { return __atomic_load_n(p, __ATOMIC_ACQUIRE); } \
    static inline void atomic_store_relaxed_##suffix(type *p, type v) { __atomic_store_n(p, v, __ATOMIC_RELAXED); } \
    static inline void atomic_store_release_##suffix(type *p, type v) { __atomic_store_n(p, v, __ATOMIC_RELEASE); } \
    static inline int atomic_cas_##suffix(type *p, type *expected, type desired) \
    { \
        return __atomic_compare_exchange_n(p, expected, desired, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE); \
    } \
    static inline type atomic_fetch_add_relaxed_##suffix(type *p, type n) { return __atomic_fetch_add(p, n, __ATOMIC_RELAXED); } \
    static inline type atomic_fetch_add_##suffix(type *p, type n) { return __atomic_fetch_add(p, n, __ATOMIC_ACQ_REL); }

#endif

#define ATOMIC_DEFINE(suffix, type, ao, ao_type) \
    ATOMIC_DEFINE_BASE(suffix, type, ao, ao_type) \
    static inline type atomic_load_seq_cst_##suffix(const type *p) { return __atomic_load_n(p, __ATOMIC_SEQ_CST); } \
    static inline void atomic_store_seq_cst_##suffix(type *p, type v) { __atomic_store_n(p, v, __ATOMIC_SEQ_CST); } \
    static inline type atomic_exchange_##suffix(type *p, type v) { return __atomic_exchange_n(p, v, __ATOMIC_ACQ_REL); } \
    static inline type atomic_fetch_or_##suffix(type *p, type n) { return __atomic_fetch_or(p, n, __ATOMIC_ACQ_REL); } \
    static inline type atomic_fetch_and_##suffix(type *p, type n) { return __atomic_fetch_and(p, n, __ATOMIC_ACQ_REL); }

ATOMIC_DEFINE(u8, uint8_t, AO_char, unsigned char)
ATOMIC_DEFINE(u16, uint16_t, AO_short, unsigned short)
ATOMIC_DEFINE(u32, uint32_t, AO_int, unsigned int)
ATOMIC_DEFINE(int, int, AO_int, unsigned int)
ATOMIC_DEFINE(u64, uint64_t, AO, AO_t)
ATOMIC_DEFINE(i64, int64_t, AO, AO_t)
ATOMIC_DEFINE(size, size_t, AO, AO_t)

static inline void atomic_fence_seq_cst(void) { AO_nop_full(); }

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
#undef ATOMIC_DEFINE_BASE

#endif /* BRAID_ATOMICS_H */
