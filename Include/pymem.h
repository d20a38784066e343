/* Raw memory: PyMem_* for any use, PyMem_Raw* also for detached threads.
 *
 * All of it comes from mimalloc (per-thread heaps, frees from any thread), so all families are interchangeable in
 * practice; allocators set with PyMem_SetAllocator are honoured. Sizes of 0 are served as 1. */
#ifndef Py_PYMEM_H
#define Py_PYMEM_H

PyAPI_FUNC(void *) PyMem_RawMalloc(size_t size);
PyAPI_FUNC(void *) PyMem_RawCalloc(size_t count, size_t size);
PyAPI_FUNC(void *) PyMem_RawRealloc(void *ptr, size_t size);
PyAPI_FUNC(void) PyMem_RawFree(void *ptr);

PyAPI_FUNC(void *) PyMem_Malloc(size_t size);
PyAPI_FUNC(void *) PyMem_Calloc(size_t count, size_t size);
PyAPI_FUNC(void *) PyMem_Realloc(void *ptr, size_t size);
PyAPI_FUNC(void) PyMem_Free(void *ptr);

#define PyMem_New(type, n) \
    (((size_t)(n) > PY_SSIZE_T_MAX / sizeof(type)) ? NULL : ((type *)PyMem_Malloc((size_t)(n) * sizeof(type))))
#define PyMem_Resize(p, type, n) \
    ((p) = ((size_t)(n) > PY_SSIZE_T_MAX / sizeof(type)) \
               ? NULL \
               : (type *)PyMem_Realloc((p), (size_t)(n) * sizeof(type)))
#define PyMem_NEW PyMem_New
#define PyMem_RESIZE PyMem_Resize
#define PyMem_MALLOC(n) PyMem_Malloc((n))
#define PyMem_REALLOC(p, n) PyMem_Realloc((p), (n))
#define PyMem_FREE(p) PyMem_Free((p))
#define PyMem_Del(p) PyMem_Free((p))
#define PyMem_DEL(p) PyMem_Free((p))

PyAPI_FUNC(wchar_t *) _PyMem_RawWcsdup(const wchar_t *str);
PyAPI_FUNC(char *) _PyMem_RawStrdup(const char *str);
PyAPI_FUNC(char *) _PyMem_Strdup(const char *str);

typedef enum { PYMEM_DOMAIN_RAW, PYMEM_DOMAIN_MEM, PYMEM_DOMAIN_OBJ } PyMemAllocatorDomain;

typedef struct {
    void *ctx;
    void *(*malloc)(void *ctx, size_t size);
    void *(*calloc)(void *ctx, size_t nelem, size_t elsize);
    void *(*realloc)(void *ctx, void *ptr, size_t new_size);
    void (*free)(void *ctx, void *ptr);
} PyMemAllocatorEx;

/* Objects on object pages (everything that PyObject_GC_New makes) do not pass through these allocators. */
PyAPI_FUNC(void) PyMem_GetAllocator(PyMemAllocatorDomain domain, PyMemAllocatorEx *allocator);
PyAPI_FUNC(void) PyMem_SetAllocator(PyMemAllocatorDomain domain, PyMemAllocatorEx *allocator);
PyAPI_FUNC(void) PyMem_SetupDebugHooks(void);
PyAPI_FUNC(const char *) _PyMem_GetCurrentAllocatorName(void);

#endif /* Py_PYMEM_H */
