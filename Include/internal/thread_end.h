/* The end of a thread: who joins it must not see it run any more code.
 *
 * A thread that ends drops what it has and serves the merge requests of others, which may run finalisers.  Then it marks its slot: it is
 * leaving.  It looks for requests once more and, if there are any, takes the mark back and begins again.  If not, it has run its last code:
 * it tells those who join it, lets go of its slot and is gone, waiting for nothing on the way.  Who posts a request and finds the owner
 * attached but leaving waits for it to be gone, then borrows the slot.  Both sides write, fence, and look: no request is lost. */
#ifndef BRAID_THREAD_END_H
#define BRAID_THREAD_END_H

#include "thread_state.h"

/* Ends the attached thread ts.  Escapes */
void thread_end_current(PyThreadState *ts);

/* The mark. The thread of the slot sets it; it is gone for the slot's next thread. */
void slot_set_leaving(uint16_t slot, int leaving);
int slot_is_leaving(uint16_t slot);

/* Leaves to others what memory the thread has delayed since memory_thread_exit.  Escapes never */
void memory_thread_leave(PyThreadState *ts);

#endif /* BRAID_THREAD_END_H */
