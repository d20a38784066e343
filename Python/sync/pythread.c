/* PyThread_*: threads, locks and thread-specific storage for extensions. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include "atomics.h"
#include "lock.h"

#include <sys/syscall.h>
#include <unistd.h>

#define STACK_MIN 0x8000
#define STACK_NEEDED 0x100000

static size_t stack_size;       /* [atomic] of new threads; 0: the platform's default */

void PyThread_init_thread(void) {}

unsigned long PyThread_get_thread_ident(void) { return (unsigned long)pthread_self(); }
unsigned long PyThread_get_thread_native_id(void) { return (unsigned long)syscall(SYS_gettid); }
void PyThread_exit_thread(void) { pthread_exit(NULL); }
size_t PyThread_get_stacksize(void) { return atomic_load_relaxed_size(&stack_size); }

int PyThread_set_stacksize(size_t size)
{
    if (size != 0) {
        pthread_attr_t attributes;
        if (size < STACK_MIN || pthread_attr_init(&attributes) != 0)
            return -1;
        int failed = pthread_attr_setstacksize(&attributes, size);
        pthread_attr_destroy(&attributes);
        if (failed)
            return -1;
    }
    atomic_store_relaxed_size(&stack_size, size);
    return 0;
}

struct start {
    void (*func)(void *);
    void *arg;
    size_t stack_size;          /* 0: unknown */
};

/* Of a thread started here: an address at the very top of its stack, and the size that was asked for. */
static BRAID_TLS char *started_at;
static BRAID_TLS size_t started_size;

/* What threads started with the same size have below that address: size >> 12, 32 bits; room >> 4. */
static uint64_t known_room;                 /* [atomic] */

int pythread_get_stack(char **lowest, size_t *size)
{
    uint64_t known = atomic_load_relaxed_u64(&known_room);
    if (started_size == 0 || known >> 32 != started_size >> 12)
        return 0;
    *lowest = started_at - ((known & 0xffffffff) << 4);
    *size = started_size;
    return 1;
}

void pythread_note_stack(const char *lowest, size_t size)
{
    /* A larger one, kept by the C library from another thread, tells nothing. */
    if (size > started_size || started_size % 4096 != 0 || started_size >> 32 != 0)
        return;
    atomic_store_relaxed_u64(&known_room, (uint64_t)(started_size >> 12) << 32 | (uint64_t)(started_at - lowest) >> 4);
}

static void *run(void *p)
{
    struct start start = *(struct start *)p;
    started_at = __builtin_frame_address(0);
    started_size = start.stack_size;
    PyMem_RawFree(p);
    start.func(start.arg);
    return NULL;
}

/* The size of the stacks of new threads. A program may ask for less than C code needs that does not look how much is left (in GMP, in
 * libc): what is not used costs addresses only. */
static int set_stack_size(pthread_attr_t *attributes, size_t *size)
{
    *size = PyThread_get_stacksize();
    if (*size == 0 && pthread_attr_getstacksize(attributes, size) != 0) {
        *size = 0;
        return 0;
    }
    if (*size < STACK_NEEDED)
        *size = STACK_NEEDED;
    return pthread_attr_setstacksize(attributes, *size);
}

unsigned long PyThread_start_new_thread(void (*func)(void *), void *arg)
{
    struct start *start = PyMem_RawMalloc(sizeof(*start));
    pthread_attr_t attributes;
    pthread_t thread;
    int failed = 1;
    if (start == NULL)
        return PYTHREAD_INVALID_THREAD_ID;
    *start = (struct start){func, arg, 0};
    if (pthread_attr_init(&attributes) == 0) {
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        failed = set_stack_size(&attributes, &start->stack_size) != 0 || pthread_create(&thread, &attributes, run, start) != 0;
        pthread_attr_destroy(&attributes);
    }
    if (failed) {
        PyMem_RawFree(start);
        return PYTHREAD_INVALID_THREAD_ID;
    }
    return (unsigned long)thread;
}

/* ---- Locks ---- */

PyThread_type_lock PyThread_allocate_lock(void) { return PyMem_RawCalloc(1, sizeof(PyMutex)); }
void PyThread_free_lock(PyThread_type_lock lock) { PyMem_RawFree(lock); }

PyLockStatus PyThread_acquire_lock_timed(PyThread_type_lock lock, PY_TIMEOUT_T microseconds, int intr_flag)
{
    if (_PyMutex_TryLockFast(lock))
        return PY_LOCK_ACQUIRED;
    int64_t ns = microseconds < 0 ? -1 : microseconds > INT64_MAX / 1000 ? INT64_MAX : microseconds * 1000;
    switch (mutex_lock_timed(lock, ns, intr_flag ? PARK_INTERRUPTIBLE : 0)) {
    case LOCK_ACQUIRED: return PY_LOCK_ACQUIRED;
    case LOCK_INTERRUPTED: return PY_LOCK_INTR;
    default: return PY_LOCK_FAILURE;
    }
}

int PyThread_acquire_lock(PyThread_type_lock lock, int wait)
{
    return PyThread_acquire_lock_timed(lock, wait ? -1 : 0, 0) == PY_LOCK_ACQUIRED;
}

void PyThread_release_lock(PyThread_type_lock lock) { mutex_try_unlock(lock); }

/* ---- Thread-specific storage ---- */

Py_tss_t *PyThread_tss_alloc(void) { return PyMem_RawCalloc(1, sizeof(Py_tss_t)); }

void PyThread_tss_free(Py_tss_t *key)
{
    if (key != NULL) {
        PyThread_tss_delete(key);
        PyMem_RawFree(key);
    }
}

int PyThread_tss_is_created(Py_tss_t *key) { return atomic_load_acquire_int(&key->_is_initialized); }

int PyThread_tss_create(Py_tss_t *key)
{
    static PyMutex mutex;
    int failed = 0;
    mutex_lock_timed(&mutex, -1, 0);
    if (!key->_is_initialized) {
        failed = pthread_key_create(&key->_key, NULL) != 0;
        if (!failed)
            atomic_store_release_int(&key->_is_initialized, 1);
    }
    PyMutex_Unlock(&mutex);
    return failed ? -1 : 0;
}

void PyThread_tss_delete(Py_tss_t *key)
{
    if (!key->_is_initialized)
        return;
    pthread_key_delete(key->_key);
    key->_is_initialized = 0;
}

int PyThread_tss_set(Py_tss_t *key, void *value) { return pthread_setspecific(key->_key, value) != 0 ? -1 : 0; }
void *PyThread_tss_get(Py_tss_t *key) { return pthread_getspecific(key->_key); }

int PyThread_create_key(void)
{
    pthread_key_t key;
    if (pthread_key_create(&key, NULL) != 0)
        return -1;
    if (key > INT_MAX) {
        pthread_key_delete(key);
        return -1;
    }
    return (int)key;
}

void PyThread_delete_key(int key) { pthread_key_delete((pthread_key_t)key); }
void PyThread_delete_key_value(int key) { pthread_setspecific((pthread_key_t)key, NULL); }
int PyThread_set_key_value(int key, void *value) { return pthread_setspecific((pthread_key_t)key, value) != 0 ? -1 : 0; }
void *PyThread_get_key_value(int key) { return pthread_getspecific((pthread_key_t)key); }
void PyThread_ReInitTLS(void) {}
