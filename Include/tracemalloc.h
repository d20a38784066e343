/* Tracing of memory blocks by other allocators. */
#ifndef Py_TRACEMALLOC_H
#define Py_TRACEMALLOC_H

/* Both return -2 while tracing is off, else 0, or -1 when out of memory. */
PyAPI_FUNC(int) PyTraceMalloc_Track(unsigned int domain, uintptr_t ptr, size_t size);
PyAPI_FUNC(int) PyTraceMalloc_Untrack(unsigned int domain, uintptr_t ptr);

#endif /* Py_TRACEMALLOC_H */
