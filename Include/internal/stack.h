/* Chunks of a thread's stack. */
#ifndef BRAID_STACK_H
#define BRAID_STACK_H

#include "frame.h"

/* Opens a chunk with room for `words` words; it is closed when f is popped (call_close_chunk).
 * Returns its first word, or NULL with MemoryError. */
PyObject **stack_open_chunk(PyThreadState *ts, size_t words, frame_t *f);

#endif /* BRAID_STACK_H */
