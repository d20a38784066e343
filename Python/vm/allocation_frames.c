/* The frames in which a memory block is allocated (block_trace.h). */
#include "block_trace.h"
#include "frame.h"
#include "trace_lines.h"

static int line_of(frame_t *f)
{
    const int *lines = trace_lines_or_null(f->code);
    int line = lines != NULL ? lines[frame_word(f)] : frame_line_number(f);
    return line > 0 ? line : 0;
}

/* The next frame that has begun, at or below f: one that is being set up is not shown. */
static frame_t *first_begun(frame_t *f)
{
    for (f = frame_first_complete(f); f != NULL && trace_nothing_run(f); f = frame_first_complete(f->previous))
        ;
    return f;
}

/* The thread may be detached: its frames wait for it, and code objects of frames stay. */
static int walk(block_trace_place_t *places, int room)
{
    PyThreadState *ts = thread_current();
    if (ts == NULL)
        ts = PyGILState_GetThisThreadState();
    int n = 0;
    for (frame_t *f = ts != NULL ? first_begun(ts->frame) : NULL; f != NULL; f = first_begun(f->previous)) {
        if (n < room)
            places[n] = (block_trace_place_t){f->code->co_filename, line_of(f)};
        n++;
    }
    return n;
}

void allocation_frames_init(void) { block_trace_walk = walk; }
