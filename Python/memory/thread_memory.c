/* The life of a thread in the memory system. */
#include "memory.h"
#include "collector.h"
#include "merge_posts.h"
#include "thread_end.h"
#include "weakref.h"

int memory_thread_attach(struct _ts *ts)
{
    struct thread_heap *heap = ts->heap;
    if (heap == NULL) {
        heap = heap_get(ts->slot);
        if (heap == NULL)
            return -1;
        ts->heap = heap;
        ts->qsbr = heap->qsbr;
    }
    memory_heap = heap;
    qsbr_online(heap->qsbr);
    return 0;
}

void memory_thread_detach(struct _ts *ts)
{
    merge_posts_flush();
    qsbr_offline(ts->heap->qsbr);
    memory_heap = &memory_no_heap;
}

void memory_thread_exit(struct _ts *ts)
{
    dealloc_flush_trashcan();
    memory_serve_merge_requests(ts);
    dealloc_flush_trashcan();
    qsbr_exit(ts->heap->qsbr);
    object_pages_release_empty(ts->heap);
}

void memory_thread_leave(struct _ts *ts) { qsbr_exit(ts->heap->qsbr); }

void memory_after_fork(struct _ts *ts)
{
    memory_raw_after_fork();
    merge_after_fork();
    object_pages_after_fork();
    weakref_after_fork();
    collector_after_fork(ts);
    qsbr_after_fork(ts->slot);
    /* Requests that other slots had not served: nobody else will. Pages stay with their slots, for their next threads;
     * remote frees reach them as before. */
    struct dead_list dead = {0};
    merge_serve_all_stopped(&dead);
    merge_put_off_dead(&dead);      /* their finalisers may take locks that hooks of the fork are about to renew */
}
