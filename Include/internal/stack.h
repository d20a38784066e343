/* Chunks of a thread's stack. */
#ifndef BRAID_STACK_H
#define BRAID_STACK_H

#include "frame.h"

/* Opens a chunk with room for `words` words; call_close_chunk closes it when the activation that needed it is popped.
 * Returns  the chunk, or NULL with MemoryError. */
stack_chunk_t *stack_open_chunk(PyThreadState *ts, size_t words);

#endif /* BRAID_STACK_H */
