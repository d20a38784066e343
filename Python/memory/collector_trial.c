/* Trial deletion: which objects on the pages does nothing reach from outside? Runs while the world is stopped. */
#include "memory.h"
#include "collector.h"
#include "allocator.h"

#define COUNT_PINNED (1 << 30)      /* in scratch: a root, whatever is subtracted */

int (*collector_visit_frame_roots)(visitproc visit, void *arg);

/* ---- Vectors ---- */

int object_vector_push(struct object_vector *v, PyObject *op)
{
    if (v->count == v->capacity) {
        size_t capacity = v->capacity ? 2 * v->capacity : 256;
        PyObject **items = mi_realloc(v->items, capacity * sizeof(*items));
        if (items == NULL)
            return -1;
        v->items = items;
        v->capacity = capacity;
    }
    v->items[v->count++] = op;
    return 0;
}

void object_vector_free(struct object_vector *v)
{
    mi_free(v->items);
    *v = (struct object_vector){0};
}

/* ---- Edges ---- */

static inline int is_candidate(PyObject *op)
{
    return value_is_heap(op) && (op->hdr_flags & OBJECT_ON_PAGE) && (object_state_get(op) & SLOT_CANDIDATE);
}

int _PyGC_VisitSubtract(PyObject *op, void *arg)
{
    if (is_candidate(op))
        --*object_scratch(op);
    return 0;
}

/* Does op's tp_traverse visit op's type? An extension's does (required since 3.9), ours never do. */
static int traverse_visits_type(PyTypeObject *type)
{
    for (; type != NULL && PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE); type = type->tp_base)
        if (type->tp_traverse != NULL && !memory_is_own_code((const void *)(uintptr_t)type->tp_traverse))
            return 1;
    return 0;
}

/* Takes away what op counts on others. */
static int subtract_edges(PyObject *op, uint8_t state, void *arg)
{
    if (!(state & SLOT_CANDIDATE))
        return 0;
    PyTypeObject *type = heap_type(op);
    if (type->tp_traverse != NULL)
        type->tp_traverse(op, _PyGC_VisitSubtract, NULL);
    /* The edge to the type (finding 22): counted or not, visited or not. */
    if (PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE) && is_candidate((PyObject *)type)) {
        int counted = (op->hdr_flags & OBJECT_COUNTS_TYPE) != 0;
        *object_scratch(type) += traverse_visits_type(type) - counted;
    }
    return 0;
}

static int reach(PyObject *op, void *arg)
{
    struct trial *t = arg;
    if (!is_candidate(op))
        return 0;
    uint8_t state = object_state_get(op);
    if (state & SLOT_MARK)
        return 0;
    object_state_set(op, state | SLOT_MARK);
    if (object_vector_push(&t->stack, op) < 0) {
        t->failed = 1;
        return -1;
    }
    return 0;
}

static void drain(struct trial *t)
{
    while (t->stack.count != 0 && !t->failed) {
        PyObject *op = t->stack.items[--t->stack.count];
        PyTypeObject *type = heap_type(op);
        if (PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE))
            reach((PyObject *)type, t);
        if (type->tp_traverse != NULL)
            type->tp_traverse(op, reach, t);
    }
}

/* A cleared class whose instance is garbage only now, or again (nothing could break its cycle): the instance may outlive this
 * collection, so the class has to. */
static int find_needed_types(PyObject *op, uint8_t state, void *arg)
{
    PyObject *type = (PyObject *)heap_type(op);
    if ((state & (SLOT_CANDIDATE | SLOT_MARK | SLOT_TRACKED)) != (SLOT_CANDIDATE | SLOT_TRACKED)
        || !PyType_HasFeature((PyTypeObject *)type, Py_TPFLAGS_HEAPTYPE) || !is_candidate(type)
        || (object_state_get(type) & SLOT_TRACKED))
        return 0;
    return reach(type, arg);
}

/* ---- The walks ---- */

static int start(PyObject *op, uint8_t state, void *arg)
{
    struct trial *t = arg;
    int64_t count = object_count_stopped(op);
    int dying = object_is_dying_stopped(op);
    int kept_dead = (state & (SLOT_GARBAGE | SLOT_TRACKED)) == SLOT_GARBAGE;
    int is_garbage = (state & SLOT_GARBAGE) != 0;       /* the collector holds one reference */
    if ((state & SLOT_LIMBO) || dying || !((state & SLOT_TRACKED) || kept_dead))
        return 0;
    if (count >= SHARED_PIN_LIMIT || (state & SLOT_FROZEN))
        count = COUNT_PINNED;
    else if (is_garbage)
        count--;
    t->any_cleared |= kept_dead;
    *object_scratch(op) = (int32_t)count;
    object_state_set(op, state | SLOT_CANDIDATE);
    t->candidates++;
    t->any_legacy |= heap_type(op)->tp_del != NULL;
    return 0;
}

static int find_roots(PyObject *op, uint8_t state, void *arg)
{
    /* A count below zero means that some tp_traverse visits what it does not hold: rather leak than free too much. */
    if (state & SLOT_CANDIDATE)
        return *object_scratch(op) != 0 ? reach(op, arg) : 0;
    /* Dying, untracked: it needs its type as long as its slot is allocated. */
    PyTypeObject *type = heap_type(op);
    return PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE) ? reach((PyObject *)type, arg) : 0;
}

static int find_legacy(PyObject *op, uint8_t state, void *arg)
{
    struct trial *t = arg;
    if ((state & (SLOT_CANDIDATE | SLOT_MARK | SLOT_TRACKED)) != (SLOT_CANDIDATE | SLOT_TRACKED)
        || heap_type(op)->tp_del == NULL)
        return 0;
    if (object_vector_push(&t->legacy, op) < 0) {
        t->failed = 1;
        return -1;
    }
    return reach(op, t);
}

static int finish(PyObject *op, uint8_t state, void *arg)
{
    struct trial *t = arg;
    if (!(state & SLOT_CANDIDATE))
        return 0;
    int reached = (state & SLOT_MARK) != 0;
    state &= (uint8_t)~(SLOT_CANDIDATE | SLOT_MARK);
    object_state_set(op, state);
    if (reached || t->failed)
        return 0;
    struct object_vector *result = &t->garbage;
    if (!(state & SLOT_TRACKED))
        result = &t->released;
    else if (t->recheck && !(state & SLOT_GARBAGE))
        return 0;
    if (object_vector_push(result, op) < 0)
        t->failed = 1;
    return 0;
}

void collector_run_trial_stopped(struct trial *t)
{
    object_pages_walk_stopped(start, t);
    object_pages_walk_stopped(subtract_edges, t);
    object_pages_walk_stopped(find_roots, t);
    if (collector_visit_frame_roots != NULL && !t->failed)
        collector_visit_frame_roots(reach, t);
    drain(t);
    if (t->any_legacy && !t->failed) {
        object_pages_walk_stopped(find_legacy, t);
        drain(t);
    }
    if (t->any_cleared && !t->failed) {
        object_pages_walk_stopped(find_needed_types, t);
        drain(t);
    }
    object_pages_walk_stopped(finish, t);
    object_vector_free(&t->stack);
}

int collector_is_visible_stopped(PyObject *op, uint8_t state)
{
    return (state & (SLOT_TRACKED | SLOT_GARBAGE | SLOT_LIMBO)) == SLOT_TRACKED && !object_is_dying_stopped(op);
}
