/* PyMem_* and PyObject_Malloc & co. on mimalloc. */
#include "memory.h"
#include "allocator.h"
#include <sched.h>
#include <sys/mman.h>

/* Once somebody has set an allocator, or blocks are traced, all calls go through this table. One entry per domain. */
int memory_hooked;

static void *default_malloc(void *ctx, size_t size) { return mi_malloc(size ? size : 1); }
static void *default_calloc(void *ctx, size_t n, size_t size)
{
    return n == 0 || size == 0 ? mi_zalloc(1) : mi_calloc(n, size);
}
static void *default_realloc(void *ctx, void *ptr, size_t size) { return mi_realloc(ptr, size ? size : 1); }
static void default_free(void *ctx, void *ptr) { mi_free(ptr); }

#define DEFAULT_ALLOCATOR {NULL, default_malloc, default_calloc, default_realloc, default_free}
static PyMemAllocatorEx allocators[3] = {DEFAULT_ALLOCATOR, DEFAULT_ALLOCATOR, DEFAULT_ALLOCATOR};

static inline int is_hooked(void) { return __atomic_load_n(&memory_hooked, __ATOMIC_ACQUIRE); }

/* ---- Through the table, and traced if need be ---- */

static void *trace_or_give(PyMemAllocatorEx *a, int outermost, void *ptr, size_t size)
{
    if (outermost && block_trace_leave(ptr, size) < 0) {
        a->free(a->ctx, ptr);
        return NULL;
    }
    return ptr;
}

static void *take_hooked(PyMemAllocatorDomain domain, size_t size)
{
    PyMemAllocatorEx *a = &allocators[domain];
    int outermost = block_trace_enter();
    return trace_or_give(a, outermost, a->malloc(a->ctx, size), size);
}

static void *take_zeroed_hooked(PyMemAllocatorDomain domain, size_t n, size_t size)
{
    PyMemAllocatorEx *a = &allocators[domain];
    int outermost = block_trace_enter();
    return trace_or_give(a, outermost, a->calloc(a->ctx, n, size), n * size);
}

static void *resize_hooked(PyMemAllocatorDomain domain, void *ptr, size_t size)
{
    PyMemAllocatorEx *a = &allocators[domain];
    return block_trace_is_on() ? block_trace_realloc(a->realloc, a->ctx, ptr, size) : a->realloc(a->ctx, ptr, size);
}

static void give_hooked(PyMemAllocatorDomain domain, void *ptr)
{
    if (block_trace_is_on())
        block_trace_forget(ptr);
    allocators[domain].free(allocators[domain].ctx, ptr);
}

/* ---- By domain ---- */

static inline void *take(PyMemAllocatorDomain domain, size_t size)
{
    if (Py_UNLIKELY(size > (size_t)PY_SSIZE_T_MAX))
        return NULL;
    if (Py_UNLIKELY(is_hooked()))
        return take_hooked(domain, size);
    return mi_malloc(size ? size : 1);
}

static inline void *take_zeroed(PyMemAllocatorDomain domain, size_t n, size_t size)
{
    if (Py_UNLIKELY(size != 0 && n > (size_t)PY_SSIZE_T_MAX / size))
        return NULL;
    if (Py_UNLIKELY(is_hooked()))
        return take_zeroed_hooked(domain, n, size);
    return default_calloc(NULL, n, size);
}

static inline void *resize(PyMemAllocatorDomain domain, void *ptr, size_t size)
{
    if (Py_UNLIKELY(size > (size_t)PY_SSIZE_T_MAX))
        return NULL;
    if (Py_UNLIKELY(is_hooked()))
        return resize_hooked(domain, ptr, size);
    return mi_realloc(ptr, size ? size : 1);
}

static inline void give(PyMemAllocatorDomain domain, void *ptr)
{
    if (Py_UNLIKELY(is_hooked()))
        give_hooked(domain, ptr);
    else
        mi_free(ptr);
}

void *PyMem_RawMalloc(size_t size) { return take(PYMEM_DOMAIN_RAW, size); }
void *PyMem_RawCalloc(size_t n, size_t size) { return take_zeroed(PYMEM_DOMAIN_RAW, n, size); }
void *PyMem_RawRealloc(void *ptr, size_t size) { return resize(PYMEM_DOMAIN_RAW, ptr, size); }
void PyMem_RawFree(void *ptr) { give(PYMEM_DOMAIN_RAW, ptr); }

void *PyMem_Malloc(size_t size) { return take(PYMEM_DOMAIN_MEM, size); }
void *PyMem_Calloc(size_t n, size_t size) { return take_zeroed(PYMEM_DOMAIN_MEM, n, size); }
void *PyMem_Realloc(void *ptr, size_t size) { return resize(PYMEM_DOMAIN_MEM, ptr, size); }
void PyMem_Free(void *ptr) { give(PYMEM_DOMAIN_MEM, ptr); }

void *PyObject_Malloc(size_t size) { return take(PYMEM_DOMAIN_OBJ, size); }
void *PyObject_Calloc(size_t n, size_t size) { return take_zeroed(PYMEM_DOMAIN_OBJ, n, size); }
void *PyObject_Realloc(void *ptr, size_t size) { return resize(PYMEM_DOMAIN_OBJ, ptr, size); }

static void give_object(void *ptr) { give(PYMEM_DOMAIN_OBJ, ptr); }

void PyObject_Free(void *ptr)
{
    struct thread_heap *heap = memory_heap;
    /* The object that this thread is tearing down, published: while others run they may still look at its header. Raw
     * buffers come here too, so only the address can tell (finding 26). */
    if (Py_UNLIKELY(ptr != NULL && ptr == heap->dealloc_current) && runtime_is_multi()) {
        heap->dealloc_current = NULL;
        qsbr_retire(ptr, (is_hooked() & MEMORY_HOOK_ALLOCATOR) ? sizeof(PyObject) : mi_usable_size(ptr), give_object);
        return;
    }
    give_object(ptr);
}

static void free_block(void *ptr) { block_free(ptr); }

void memory_retire_or_free(int container_is_private, void *ptr, size_t bytes)
{
    if (ptr == NULL)
        return;
    if (container_is_private || !runtime_is_multi())
        block_free(ptr);
    else
        qsbr_retire(ptr, bytes, free_block);
}

void PyMem_GetAllocator(PyMemAllocatorDomain domain, PyMemAllocatorEx *allocator)
{
    if ((unsigned)domain < 3)
        *allocator = allocators[domain];
    else
        memset(allocator, 0, sizeof(*allocator));
}

void PyMem_SetAllocator(PyMemAllocatorDomain domain, PyMemAllocatorEx *allocator)
{
    if ((unsigned)domain >= 3)
        return;
    allocators[domain] = *allocator;
    int any = 0;
    for (int i = 0; i < 3; i++)
        any |= allocators[i].malloc != default_malloc || allocators[i].free != default_free
               || allocators[i].calloc != default_calloc || allocators[i].realloc != default_realloc;
    if (any)
        __atomic_fetch_or(&memory_hooked, MEMORY_HOOK_ALLOCATOR, __ATOMIC_RELEASE);      /* pairs with is_hooked */
    else
        __atomic_fetch_and(&memory_hooked, ~MEMORY_HOOK_ALLOCATOR, __ATOMIC_RELEASE);
}

/* mimalloc's own debug build takes this part. */
void PyMem_SetupDebugHooks(void) {}

const char *_PyMem_GetCurrentAllocatorName(void) { return (is_hooked() & MEMORY_HOOK_ALLOCATOR) ? NULL : "mimalloc"; }

char *_PyMem_RawStrdup(const char *str)
{
    size_t size = strlen(str) + 1;
    char *copy = PyMem_RawMalloc(size);
    return copy ? memcpy(copy, str, size) : NULL;
}

char *_PyMem_Strdup(const char *str)
{
    size_t size = strlen(str) + 1;
    char *copy = PyMem_Malloc(size);
    return copy ? memcpy(copy, str, size) : NULL;
}

wchar_t *_PyMem_RawWcsdup(const wchar_t *str)
{
    size_t n = wcslen(str) + 1;
    wchar_t *copy = n > (size_t)PY_SSIZE_T_MAX / sizeof(wchar_t) ? NULL : PyMem_RawMalloc(n * sizeof(wchar_t));
    return copy ? memcpy(copy, str, n * sizeof(wchar_t)) : NULL;
}

void memory_setup(void)
{
    /* Small pieces of a thread's first segment, committed one by one, cost it twice the time and memory of the whole. */
    mi_option_set_default(mi_option_eager_commit_delay, 0);
}

#ifdef BRAID_SANITIZED
void *memory_alloc_for_ever(size_t size) { return calloc(1, size); }
#else
#define PERMANENT_CHUNK ((size_t)256 << 10)

static struct leaf_lock permanent_lock;
static char *permanent_next, *permanent_end;    /* [permanent_lock] */

void *memory_alloc_for_ever(size_t size)
{
    void *block = NULL;
    size = (size + 63) & ~(size_t)63;       /* by cache lines */
    leaf_lock_acquire(&permanent_lock);
    if (size > (size_t)(permanent_end - permanent_next)) {
        size_t chunk = size > PERMANENT_CHUNK ? size : PERMANENT_CHUNK;
        char *fresh = mmap(NULL, chunk, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (fresh != MAP_FAILED) {
            permanent_next = fresh;
            permanent_end = fresh + chunk;
        }
    }
    if (size <= (size_t)(permanent_end - permanent_next)) {
        block = permanent_next;
        permanent_next += size;
    }
    leaf_lock_release(&permanent_lock);
    return block;
}
#endif

void memory_raw_after_fork(void)
{
#ifndef BRAID_SANITIZED
    leaf_lock_release(&permanent_lock);
#endif
}

extern const char __executable_start, etext;    /* from the linker: where Braid's code lies */

int memory_is_own_code(const void *fn)
{
    return (uintptr_t)fn >= (uintptr_t)&__executable_start && (uintptr_t)fn < (uintptr_t)&etext;
}

void leaf_lock_wait(struct leaf_lock *lock)
{
    for (int spins = 0;; spins++) {
        if (!__atomic_load_n(&lock->taken, __ATOMIC_RELAXED)
            && !__atomic_exchange_n(&lock->taken, 1, __ATOMIC_ACQUIRE))
            return;
        if (spins < 64)
            __builtin_ia32_pause();
        else
            sched_yield();
    }
}
