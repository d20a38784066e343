/* Merge requests in streams: how often their owner is told of them.
 *
 * A request is in its owner's queue at once (refcount.h); telling the owner, by a bit in its breaker, is put off while a thread posts one
 * request after the other, for the two then fetch from each other's caches what belongs to the queue and the breaker for a few objects at a
 * time, not for each of them.  The first request is told at once and opens a window of a few safe points of the thread that posts;
 * further ones for the same owner are told when they are many, or when the window ends.  The poster's own breaker makes it count its safe
 * points, until a window ends that has nothing to tell.
 *
 * No request depends on being told unless its owner goes on running: who leaves looks into the queue, and who posts looks whether the
 * owner has left (2.3). */
#ifndef BRAID_MERGE_POSTS_H
#define BRAID_MERGE_POSTS_H

#include "thread_state.h"

/* A bit of ts->breaker beside those of thread_state.h: a window is open. */
enum { BREAKER_POSTS = 4096 };

/* At a safe point, on BREAKER_POSTS.  Returns 0 if the window is over.  Escapes never */
int merge_posts_count(void);
/* Before the thread detaches: tells what is untold, ends the window.  Escapes never */
void merge_posts_flush(void);

struct dead_list;
/* What merge_serve found dead is buried at the calling thread's next safe point.  Escapes never */
void merge_put_off_dead(struct dead_list *dead);

#endif /* BRAID_MERGE_POSTS_H */
