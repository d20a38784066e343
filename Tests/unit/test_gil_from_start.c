/* The global lock, on from the start in a free-threaded build (PYTHONGIL=1): all threads are one to the reference counts. */
#define GIL_FROM_START 1
#include "test_gil.c"
