/* Object pages: carving, the slow paths of allocation and freeing, and walking all slots. The fast paths and the layout
 * are in object_pages.h. */
#include "memory.h"
#include "collector.h"
#include "allocator.h"
#include "block_trace.h"

/* A page that is always full stands in where a heap has none, so that the fast path needs no test. */
static struct object_page empty_page;

struct thread_heap memory_no_heap = {.current = {[0 ... OBJECT_PAGE_CLASSES - 1] = &empty_page}};
BRAID_TLS struct thread_heap *memory_heap = &memory_no_heap;

/* Indexed by slot; entries are created once, under heap_lock, and stay. */
static struct thread_heap *heap_table[65536];
static uint32_t heap_table_limit;
static struct leaf_lock heap_lock;

static size_t page_bytes;       /* [atomic] in all pages */

/* ---- Heaps ---- */

struct thread_heap *heap_peek(uint32_t slot)
{
    return __atomic_load_n(&heap_table[slot], __ATOMIC_ACQUIRE);    /* pairs with heap_get */
}

uint32_t heap_limit(void) { return __atomic_load_n(&heap_table_limit, __ATOMIC_ACQUIRE); }

struct thread_heap *heap_get(uint16_t slot)
{
    struct thread_heap *heap = heap_peek(slot);
    if (heap != NULL)
        return heap;
    heap = memory_alloc_for_ever(sizeof(*heap));
    struct merge_queue *queue = heap != NULL ? merge_queue_new() : NULL;
    if (queue == NULL)
        return NULL;        /* what is there is lost, as the process will be */
    for (int i = 0; i < OBJECT_PAGE_CLASSES; i++)
        heap->current[i] = &empty_page;
    heap->slot = slot;
    heap->qsbr = qsbr_thread_of(slot);
    heap->merge = queue;

    leaf_lock_acquire(&heap_lock);
    struct thread_heap *other = heap_table[slot];
    if (other == NULL) {
        __atomic_store_n(&heap_table[slot], heap, __ATOMIC_RELEASE);
        if (slot >= heap_table_limit)
            __atomic_store_n(&heap_table_limit, slot + 1u, __ATOMIC_RELEASE);
    }
    leaf_lock_release(&heap_lock);
    return other != NULL ? other : heap;
}

/* ---- Pages ---- */

static uint32_t class_slot_size(uint32_t size_class)
{
    if (size_class < 31)
        return OBJECT_PAGE_MIN_SLOT + 16 * size_class;
    uint32_t power = (size_class - 31) / 4, quarter = (size_class - 31) % 4;
    return (512u << power) + (quarter + 1) * (128u << power);
}

static void *page_slot(struct object_page *page, uint32_t i)
{
    return (char *)page + OBJECT_PAGE_FIRST + (size_t)i * page->slot_size;
}

static struct object_page *page_new(struct thread_heap *heap, uint32_t size_class, size_t slot_size)
{
    size_t bytes = OBJECT_PAGE_SIZE;
    if (size_class == OBJECT_PAGE_CLASS_LARGE)
        bytes = OBJECT_PAGE_FIRST + slot_size;
    if (heap->page_count == heap->page_capacity) {
        uint32_t capacity = heap->page_capacity ? heap->page_capacity * 2 : 64;
        struct object_page **pages = mi_realloc(heap->pages, capacity * sizeof(*pages));
        if (pages == NULL)
            return NULL;
        heap->pages = pages;
        heap->page_capacity = capacity;
    }
    struct object_page *page = mi_malloc_aligned(bytes, OBJECT_PAGE_SIZE);
    if (page == NULL)
        return NULL;
    memset(page, 0, offsetof(struct object_page, scratch));
    page->heap = heap;
    page->size_class = (uint16_t)size_class;
    page->bytes = bytes;
    if (size_class == OBJECT_PAGE_CLASS_LARGE) {
        page->slot_size = slot_size > UINT32_MAX ? UINT32_MAX : (uint32_t)slot_size;
        page->slot_count = 1;
    }
    else {
        page->slot_size = (uint32_t)slot_size;
        page->slot_count = (uint32_t)((OBJECT_PAGE_SIZE - OBJECT_PAGE_FIRST) / slot_size);
    }
    page->page_index = heap->page_count;
    heap->pages[heap->page_count++] = page;
    __atomic_fetch_add(&page_bytes, bytes, __ATOMIC_RELAXED);
    return page;
}

/* The page is empty and in no list of its class. */
static void page_release(struct object_page *page)
{
    struct thread_heap *heap = page->heap;
    assert(page->used == 0 && !page->has_room && page->remote_free == NULL);
    struct object_page *last = heap->pages[--heap->page_count];
    heap->pages[page->page_index] = last;
    last->page_index = page->page_index;
    __atomic_fetch_sub(&page_bytes, page->bytes, __ATOMIC_RELAXED);
#if defined(__SANITIZE_ADDRESS__)
    __asan_unpoison_memory_region(page, page->bytes);
#endif
    mi_free(page);
}

static void link_with_room(struct thread_heap *heap, struct object_page *page)
{
    struct object_page **head = &heap->with_room[page->size_class];
    page->has_room = 1;
    page->prev = NULL;
    page->next = *head;
    if (*head != NULL)
        (*head)->prev = page;
    *head = page;
}

static void unlink_with_room(struct thread_heap *heap, struct object_page *page)
{
    page->has_room = 0;
    if (page->next != NULL)
        page->next->prev = page->prev;
    if (page->prev != NULL)
        page->prev->next = page->next;
    else
        heap->with_room[page->size_class] = page->next;
    page->next = page->prev = NULL;
}

/* Slots have come free on a page that is not the current one of its class. */
static void page_gained_room(struct thread_heap *heap, struct object_page *page)
{
    if (page->size_class == OBJECT_PAGE_CLASS_LARGE) {
        page_release(page);
        return;
    }
    if (!page->has_room)
        link_with_room(heap, page);
    /* An empty page goes back, unless it is the only one at hand. */
    if (page->used == 0 && (page->next != NULL || page->prev != NULL)) {
        unlink_with_room(heap, page);
        page_release(page);
    }
}

/* Puts what others have freed on the page into its own list. */
static void page_take_remote(struct object_page *page)
{
    /* Pairs with free_remote, both ways: the next to find it empty may write remote_next, which has been read. */
    void *list = __atomic_exchange_n(&page->remote_free, NULL, __ATOMIC_ACQ_REL);
    while (list != NULL) {
        void *next = *(void **)list;
        *(void **)list = page->free;
        page->free = list;
        page->used--;
        list = next;
    }
}

/* By the owner, or in a pause. Returns 1 if anything came. */
static int heap_take_remote(struct thread_heap *heap)
{
    if (__atomic_load_n(&heap->remote_pages, __ATOMIC_RELAXED) == NULL)
        return 0;
    struct object_page *page = __atomic_exchange_n(&heap->remote_pages, NULL, __ATOMIC_ACQUIRE);
    int any = page != NULL;
    while (page != NULL) {
        /* Read the link first: once remote_free is empty, the next remote free pushes the page again. */
        struct object_page *next = page->remote_next;
        page_take_remote(page);
        if (page != heap->current[page->size_class])
            page_gained_room(heap, page);
        page = next;
    }
    return any;
}

void object_pages_collect_remote_stopped(void)
{
    for (uint32_t i = 0; i < heap_limit(); i++) {
        struct thread_heap *heap = heap_peek(i);
        if (heap != NULL)
            heap_take_remote(heap);
    }
}

void object_pages_release_empty(struct thread_heap *heap)
{
    heap_take_remote(heap);
    for (uint32_t i = heap->page_count; i-- > 0;) {
        struct object_page *page = heap->pages[i];
        if (page->used != 0)
            continue;
        if (page == heap->current[page->size_class])
            heap->current[page->size_class] = &empty_page;
        else if (page->has_room)
            unlink_with_room(heap, page);
        page_release(page);         /* the last page, looked at already, takes its place */
    }
    if (heap->page_count == 0) {
        mi_free(heap->pages);
        heap->pages = NULL;
        heap->page_capacity = 0;
    }
}

/* ---- Allocation ---- */

static void tell_growth(struct thread_heap *heap)
{
    int64_t growth = heap->growth;
    if (growth >= 64 || growth <= -64) {
        heap->growth = 0;
        collector_note_growth(growth);
    }
}

/* Hands fresh slots to the free list, as many as begin in the same 4 KiB of memory: what is not needed is never touched. */
static int page_carve(struct object_page *page)
{
    uint32_t from = (uint32_t)OBJECT_PAGE_FIRST + page->carved * page->slot_size, to = (from | 4095) + 1;
    uint32_t n = (to - from + page->slot_size - 1) / page->slot_size;
    if (n > page->slot_count - page->carved)
        n = page->slot_count - page->carved;
    if (n == 0)
        return 0;
    void *list = page->free;
    for (uint32_t i = n; i-- > 0;) {
        void *slot = page_slot(page, page->carved + i);
        *(void **)slot = list;
        list = slot;
        OBJECT_PAGE_POISON(slot, page->slot_size);
    }
    page->carved += n;
    page->free = list;
    return 1;
}

static void *page_take(struct thread_heap *heap, struct object_page *page)
{
    void *slot = page->free;
    page->free = *(void **)slot;
    page->used++;
    heap->growth++;
    OBJECT_PAGE_UNPOISON(slot, page->slot_size);
    return slot;
}

static void *alloc_large(struct thread_heap *heap, size_t size)
{
    if (size > (size_t)PY_SSIZE_T_MAX - 2 * OBJECT_PAGE_SIZE)
        return NULL;
    struct object_page *page = page_new(heap, OBJECT_PAGE_CLASS_LARGE, size);
    if (page == NULL)
        return NULL;
    page->carved = 1;
    page->used = 1;
    /* A large object weighs as many small ones, so that piles of them bring a collection near as well. */
    heap->growth += 1 + (int64_t)(size >> 12 > 256 ? 256 : size >> 12);
    return page_slot(page, 0);
}

/* While blocks are traced no page is the current one, so that every allocation and free comes to the slow path. */
void object_pages_leave_fast_path_stopped(void)
{
    for (uint32_t i = 0; i < heap_limit(); i++) {
        struct thread_heap *heap = heap_peek(i);
        for (uint32_t c = 0; heap != NULL && c < OBJECT_PAGE_CLASSES; c++) {
            struct object_page *page = heap->current[c];
            heap->current[c] = &empty_page;
            if (page != &empty_page && (page->free != NULL || page->carved < page->slot_count))
                link_with_room(heap, page);
        }
    }
}

/* From a page that stays among those with room as long as it has some. */
static void *alloc_without_current(struct thread_heap *heap, uint32_t size_class)
{
    struct object_page *page = heap->with_room[size_class];
    if (page == NULL) {
        page = page_new(heap, size_class, class_slot_size(size_class));
        if (page == NULL)
            return NULL;
        link_with_room(heap, page);
    }
    if (page->free == NULL)
        page_carve(page);
    void *slot = page_take(heap, page);
    if (page->free == NULL && page->carved == page->slot_count)
        unlink_with_room(heap, page);
    return slot;
}

static void *alloc_slow(size_t size)
{
    struct thread_heap *heap = memory_heap;
    if (heap == &memory_no_heap) {
        /* Only start-up may get here, before its thread is attached. */
        heap = heap_get(0);
        if (heap == NULL)
            return NULL;
        memory_heap = heap;
    }
    tell_growth(heap);
    heap_take_remote(heap);
    if (size > OBJECT_PAGE_MAX_SLOT)
        return alloc_large(heap, size);

    uint32_t size_class = object_page_class(size);
    if (Py_UNLIKELY(block_trace_is_on()))
        return alloc_without_current(heap, size_class);
    struct object_page *page = heap->current[size_class];
    if (page->free != NULL)
        return page_take(heap, page);
    if (page != &empty_page && page_carve(page))
        return page_take(heap, page);

    page = heap->with_room[size_class];
    if (page != NULL) {
        unlink_with_room(heap, page);
    }
    else {
        page = page_new(heap, size_class, class_slot_size(size_class));
        if (page == NULL)
            return NULL;
    }
    heap->current[size_class] = page;
    if (page->free == NULL)
        page_carve(page);
    return page_take(heap, page);
}

void *object_page_alloc_slow(size_t size)
{
    if (Py_LIKELY(!block_trace_is_on()))
        return alloc_slow(size);
    int outermost = block_trace_enter();
    void *slot = alloc_slow(size);
    if (outermost && block_trace_leave(slot, size) < 0) {
        object_page_free_slow(slot);
        return NULL;
    }
    return slot;
}

static void free_remote(struct object_page *page, void *slot)
{
    struct thread_heap *owner = page->heap;
    void *head = __atomic_load_n(&page->remote_free, __ATOMIC_RELAXED);
    do
        *(void **)slot = head;
    while (!__atomic_compare_exchange_n(&page->remote_free, &head, slot, 1, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
    if (head != NULL)
        return;
    /* The page cannot go away: this slot counts as used until the owner finds the page in the list below. */
    struct object_page *first = __atomic_load_n(&owner->remote_pages, __ATOMIC_RELAXED);
    do
        page->remote_next = first;
    while (!__atomic_compare_exchange_n(&owner->remote_pages, &first, page, 1, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
}

void object_page_free_slow(void *slot)
{
    struct object_page *page = object_page_of(slot);
    struct thread_heap *heap = memory_heap;
    if (Py_UNLIKELY(block_trace_is_on()))
        block_trace_forget(slot);
    heap->growth--;
    OBJECT_PAGE_POISON(slot, page->slot_size);
    if (page->heap != heap) {
        free_remote(page, slot);
        return;
    }
    *(void **)slot = page->free;
    page->free = slot;
    page->used--;
    if (page != heap->current[page->size_class])
        page_gained_room(heap, page);
}

/* ---- Checks ---- */

void object_pages_check(struct thread_heap *heap)
{
    for (uint32_t p = 0; p < heap->page_count; p++) {
        struct object_page *page = heap->pages[p];
        uint32_t live = 0, listed = 0;
        assert(page->heap == heap && page->page_index == p && page->carved <= page->slot_count);
        for (uint32_t i = 0; i < page->carved; i++)
            live += (object_state_get(page_slot(page, i)) & SLOT_LIVE) != 0;
        for (void *slot = page->free; slot != NULL; slot = *(void **)slot) {
            assert(object_page_of(slot) == page && object_state_get(slot) == 0);
            listed++;
        }
        assert(page->used + listed == page->carved);
        assert(live <= page->used);
        (void)live;
        (void)listed;
    }
}

size_t object_pages_bytes(void) { return __atomic_load_n(&page_bytes, __ATOMIC_RELAXED); }

void object_pages_after_fork(void) { leaf_lock_release(&heap_lock); }
