/* Lines of instructions, for who looks at a frame from outside. */
#ifndef BRAID_TRACE_LINES_H
#define BRAID_TRACE_LINES_H

#include "frame.h"

/* trace_lines_of (trace.h) without an exception when out of memory. */
const int *trace_lines_or_null(PyCodeObject *code);
/* Is there no instruction of the frame that has run, or only such as come before a function's first line? */
int trace_nothing_run(frame_t *f);

#endif /* BRAID_TRACE_LINES_H */
