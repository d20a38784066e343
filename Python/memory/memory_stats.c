/* What memory is held for, cause by cause: sys._debugmallocstats, sys.getallocatedblocks, gc.get_pause_stats. */
#include "memory.h"
#include "allocator.h"
#include "memory_stats.h"
#include "stop_world.h"

struct class_use {
    size_t slot_size, pages, carved, used, bytes;
};

struct page_use {
    struct class_use classes[OBJECT_PAGE_CLASSES];
    struct class_use all;
    size_t heaps, merge_requests;
};

static void add_page(struct class_use *use, const struct object_page *page)
{
    use->slot_size = page->slot_size;
    use->pages++;
    use->carved += page->carved;
    use->used += page->used;
    use->bytes += page->bytes;
}

static void count_pages_stopped(struct page_use *use)
{
    for (uint32_t h = 0, limit = heap_limit(); h < limit; h++) {
        struct thread_heap *heap = heap_peek(h);
        if (heap == NULL)
            continue;
        use->heaps++;
        use->merge_requests += merge_pending((uint16_t)h);
        for (uint32_t p = 0; p < heap->page_count; p++) {
            add_page(&use->classes[heap->pages[p]->size_class], heap->pages[p]);
            add_page(&use->all, heap->pages[p]);
        }
    }
}

static void count_pages(struct page_use *use)
{
    struct _ts *ts = thread_current();
    stop_world_begin(ts);
    object_pages_collect_remote_stopped();
    count_pages_stopped(use);
    stop_world_end(ts);
}

size_t memory_count_objects(void)
{
    struct page_use use = {0};
    count_pages(&use);
    return use.all.used;
}

static double mib(size_t bytes) { return (double)bytes / (1 << 20); }

static void print_pages(FILE *file, const struct page_use *use)
{
    fprintf(file, "Object pages (what can be part of cycles): %.2f MiB in %zu pages of %zu heaps, %zu objects\n", mib(use->all.bytes),
            use->all.pages, use->heaps, use->all.used);
    fprintf(file, "    slot bytes      pages    objects  free slots    MiB\n");
    for (int i = 0; i < OBJECT_PAGE_CLASSES; i++) {
        const struct class_use *one = &use->classes[i];
        if (one->pages == 0)
            continue;
        if (i == OBJECT_PAGE_CLASS_LARGE)
            fprintf(file, "         large %10zu %10zu %11s %6.2f\n", one->pages, one->used, "-", mib(one->bytes));
        else
            fprintf(file, "    %10zu %10zu %10zu %11zu %6.2f\n", one->slot_size, one->pages, one->used, one->carved - one->used,
                    mib(one->bytes));
    }
}

static void print_process(FILE *file)
{
#ifdef BRAID_SANITIZED
    fputs("Everything else is the sanitizer's, which doesn't tell\n", file);
#else
    size_t resident, peak, unused;
    mi_process_info(&unused, &unused, &unused, &resident, &peak, &unused, &unused, &unused);
    fprintf(file, "Everything (strings, tables, raw memory; from mimalloc): %.2f MiB resident, %.2f MiB at most\n", mib(resident),
            mib(peak));
#endif
}

void memory_print_stats(FILE *file)
{
    struct page_use use = {0};
    struct qsbr_stats delayed;
    struct pause_stats pauses;
    count_pages(&use);
    qsbr_get_stats(&delayed);
    stop_world_get_stats(&pauses);

    print_pages(file, &use);
    fprintf(file, "Waiting for a grace period (other threads may still read it): %llu blocks, %.2f MiB; %llu reclaimed so far\n",
            (unsigned long long)delayed.waiting, mib(delayed.waiting_bytes), (unsigned long long)delayed.reclaimed);
    fprintf(file, "Waiting for their owner to merge its count: objects of %zu threads\n", use.merge_requests);
    fprintf(file, "World stopped %llu times: longest %.3f ms, %.3f ms in all; longest wait for it %.3f ms\n",
            (unsigned long long)pauses.count, (double)pauses.longest_ns * 1e-6, (double)pauses.total_ns * 1e-6,
            (double)pauses.longest_stop_ns * 1e-6);
    print_process(file);
    fflush(file);
}
