/* Shapes: the table of ids, transitions, roots that learn the size of instances, retired trees. */
#include "Python.h"

#include <mimalloc.h>

#include "shape.h"
#include "thread_state.h"
#include "type.h"

/* A class with more shapes than this gets no new ones: its instances have attributes in no common order. */
#define SHAPES_PER_TYPE_MAX 512
#define SIBLINGS_MAX 128
#define PROVISIONAL_SLOTS 30
#define PROVISIONAL_INSTANCES 8

struct shape_names {
    uint32_t used;              /* [lock] how far the array is filled */
    uint32_t capacity;          /* [const] */
    uint32_t users;             /* [lock] shapes that point here */
    PyObject *items[];
};

shape_t **shape_table[SHAPE_INDEX_LIMIT >> SHAPE_PAGE_BITS];
static uint32_t next_index = 1;         /* [lock] */

/* The shape lock: a leaf under all others, held for a few instructions. */
static PyMutex shape_mutex;

void shape_init_lock(void) { fork_register_mutex(&shape_mutex); }

/* ---- Making and freeing ---- */

/* Steals one use of names. NULL: no memory, or no ids left. */
static shape_t *shape_new_locked(PyTypeObject *type, uint32_t inline_offset, uint32_t capacity)
{
    struct type_private *private = type->tp_private;
    uint32_t index = next_index;
    if (index >= SHAPE_INDEX_LIMIT || private->shape_count >= SHAPES_PER_TYPE_MAX)
        return NULL;
    shape_t **page = shape_table[index >> SHAPE_PAGE_BITS];
    if (page == NULL) {
        page = mi_calloc((size_t)1 << SHAPE_PAGE_BITS, sizeof(*page));
        if (page == NULL)
            return NULL;
        __atomic_store_n(&shape_table[index >> SHAPE_PAGE_BITS], page, __ATOMIC_RELEASE);
    }
    shape_t *shape = mi_calloc(1, sizeof(*shape));
    if (shape == NULL)
        return NULL;
    next_index++;
    shape->id = index | SHAPE_ID_TAG;
    shape->type = type;
    shape->inline_offset = inline_offset;
    shape->capacity = (uint16_t)capacity;
    shape->all_next = private->shapes;
    private->shapes = shape;
    private->shape_count++;
    return shape;
}

static void shape_enter(shape_t *shape)
{
    uint32_t index = shape->id & ~SHAPE_ID_TAG;
    __atomic_store_n(&shape_table[index >> SHAPE_PAGE_BITS][index & ((1u << SHAPE_PAGE_BITS) - 1)], shape,
                     __ATOMIC_RELEASE);         /* pairs with shape_from_id */
}

/* Gives `shape` the names of `parent` and one more. The array is shared as long as the parent is its last user to end there. */
static int set_names_locked(shape_t *shape, shape_t *parent, PyObject *name)
{
    uint32_t n = parent->count;
    struct shape_names *store = parent->store;
    if (store == NULL || store->used != n || n >= store->capacity) {
        uint32_t capacity = n < 6 ? 8 : n < 14 ? 16 : SHAPE_MAX_SLOTS;
        struct shape_names *copy = mi_malloc(sizeof(*copy) + capacity * sizeof(PyObject *));
        if (copy == NULL)
            return -1;
        copy->capacity = capacity;
        copy->users = 0;
        for (uint32_t i = 0; i < n; i++)
            copy->items[i] = parent->names[i];
        copy->used = n;
        store = copy;
    }
    store->items[store->used++] = name;
    store->users++;
    shape->store = store;
    shape->names = store->items;
    shape->count = (uint16_t)(n + 1);
    shape->filter = parent->filter | shape_filter_bit(name);
    return 0;
}

static void shape_free(shape_t *shape)
{
    uint32_t index = shape->id & ~SHAPE_ID_TAG;
    shape_table[index >> SHAPE_PAGE_BITS][index & ((1u << SHAPE_PAGE_BITS) - 1)] = NULL;
    if (shape->store != NULL && --shape->store->users == 0)
        mi_free(shape->store);
    mi_free(shape);
}

void shape_free_all(PyTypeObject *type)
{
    struct type_private *private = type->tp_private;
    if (private == NULL)
        return;
    int locked = leaf_lock_mutex(&shape_mutex);
    for (shape_t *shape = private->shapes, *next; shape != NULL; shape = next) {
        next = shape->all_next;
        shape_free(shape);
    }
    private->shapes = NULL;
    type->tp_root_shape = 0;
    leaf_unlock_mutex(&shape_mutex, locked);
}

/* ---- Look-up ---- */

int shape_find_slow(const shape_t *shape, PyObject *name)
{
    PyObject *const *names = shape->names;
    for (int i = 0, n = shape->count; i < n; i++)
        if (names[i] == name)
            return i;
    return -1;
}

shape_t *shape_transition_peek(const shape_t *shape, PyObject *name)
{
    shape_t *child = __atomic_load_n(&shape->children, __ATOMIC_ACQUIRE);      /* pairs with shape_transition */
    while (child != NULL && child->names[child->count - 1] != name)
        child = child->sibling;
    return child;
}

static shape_t *transition_locked(shape_t *shape, PyObject *name)
{
    uint32_t siblings = 0;
    for (shape_t *child = shape->children; child != NULL; child = child->sibling, siblings++)
        if (child->names[child->count - 1] == name)
            return child;
    if (siblings >= SIBLINGS_MAX)
        return NULL;
    shape_t *child = shape_new_locked(shape->type, shape->inline_offset, shape->capacity);
    if (child == NULL)
        return NULL;
    if (set_names_locked(child, shape, name) < 0) {
        struct type_private *private = shape->type->tp_private;
        private->shapes = child->all_next;
        private->shape_count--;
        mi_free(child);
        return NULL;
    }
    child->parent = shape;
    child->sibling = shape->children;
    struct type_private *private = shape->type->tp_private;
    if (child->count > private->max_slots)
        private->max_slots = child->count;
    shape_enter(child);
    __atomic_store_n(&shape->children, child, __ATOMIC_RELEASE);
    return child;
}

/* ---- Roots ---- */

/* Slots for instances that were seen to need n: one to spare, then up to the next size class of memory. */
static uint32_t roomy(uint32_t inline_offset, uint32_t n)
{
    uint32_t bytes = inline_offset + 8 * n;
    uint32_t rounded = bytes <= 512 ? (bytes + 15) & ~15u : (bytes + 127) & ~127u;
    uint32_t slots = (rounded - inline_offset) / 8;
    if (slots < 2)
        slots += 2;
    return slots > SHAPE_MAX_SLOTS ? SHAPE_MAX_SLOTS : slots;
}

static int new_root_locked(PyTypeObject *type, uint32_t inline_offset, uint32_t capacity, int provisional)
{
    shape_t *root = shape_new_locked(type, inline_offset, capacity);
    if (root == NULL)
        return -1;
    root->provisional = (uint8_t)provisional;
    shape_enter(root);
    __atomic_store_n(&type->tp_root_shape, root->id, __ATOMIC_RELEASE);        /* pairs with shape_root */
    return 0;
}

int shape_root_init(PyTypeObject *type, uint32_t inline_offset)
{
    int locked = leaf_lock_mutex(&shape_mutex);
    type->tp_private->provisional_left = PROVISIONAL_INSTANCES;
    type->tp_inline_offset = inline_offset;
    int result = new_root_locked(type, inline_offset, PROVISIONAL_SLOTS, 1);
    leaf_unlock_mutex(&shape_mutex, locked);
    return result;
}

/* An instance of a provisional root has been made; the last of them settles the size of those to come. */
void shape_note_instance(shape_t *root)
{
    PyTypeObject *type = root->type;
    struct type_private *private = type->tp_private;
    if (__atomic_sub_fetch(&private->provisional_left, 1, __ATOMIC_RELAXED) != 0)
        return;
    int locked = leaf_lock_mutex(&shape_mutex);
    if (type->tp_root_shape == root->id)
        new_root_locked(type, root->inline_offset, roomy(root->inline_offset, private->max_slots), 0);
    leaf_unlock_mutex(&shape_mutex, locked);
}

/* An instance is full. */
static void grow_root_locked(shape_t *shape)
{
    PyTypeObject *type = shape->type;
    shape_t *root = type->tp_root_shape != 0 ? shape_from_id(type->tp_root_shape) : NULL;
    if (root == NULL || root->capacity > shape->capacity || shape->capacity >= SHAPE_MAX_SLOTS)
        return;         /* somebody did it already, or it is hopeless */
    uint32_t n = shape->capacity + shape->capacity / 2u + 2;
    new_root_locked(type, shape->inline_offset, roomy(shape->inline_offset, n), 0);
}

shape_t *shape_transition(shape_t *shape, PyObject *name)
{
    shape_t *child = shape_transition_peek(shape, name);
    if (Py_LIKELY(child != NULL))
        return child;
    PyTypeObject *type = shape->type;
    Py_INCREF(type);        /* over the wait: the instance may get another class */
    int locked = leaf_lock_mutex(&shape_mutex);
    if (shape->count >= shape->capacity)
        grow_root_locked(shape);
    else
        child = transition_locked(shape, name);
    leaf_unlock_mutex(&shape_mutex, locked);
    Py_DECREF(type);        /* DEFERRED: never frees it here */
    return child;
}

static shape_t *copy_chain_locked(const shape_t *shape, shape_t *root)
{
    for (int i = 0; root != NULL && i < shape->count; i++)
        root = transition_locked(root, shape->names[i]);
    return root;
}

shape_t *shape_translate(shape_t *shape, PyTypeObject *type)
{
    shape_t *root = NULL, *result = NULL;
    if (type->tp_root_shape == 0 || type->tp_inline_offset != shape->inline_offset)
        return NULL;
    int locked = leaf_lock_mutex(&shape_mutex);
    for (shape_t *s = type->tp_private->shapes; s != NULL; s = s->all_next)
        if (s->count == 0 && s->capacity == shape->capacity && s->parent == NULL)
            root = s;
    if (root == NULL) {
        root = shape_new_locked(type, shape->inline_offset, shape->capacity);
        if (root != NULL)
            shape_enter(root);
    }
    if (root != NULL)
        result = copy_chain_locked(shape, root);
    leaf_unlock_mutex(&shape_mutex, locked);
    return result;
}

/* ---- Retiring a tree ---- */

int shape_tree_has_name(PyTypeObject *type, PyObject *name)
{
    struct type_private *private = type->tp_private;
    int found = 0;
    if (private == NULL)
        return 0;
    int locked = leaf_lock_mutex(&shape_mutex);
    for (shape_t *s = private->shapes; s != NULL && !found; s = s->all_next)
        found = name == NULL ? s->count != 0 : shape_find(s, name) >= 0;
    leaf_unlock_mutex(&shape_mutex, locked);
    return found;
}

int shape_tree_renumber_stopped(PyTypeObject *type)
{
    struct type_private *private = type->tp_private;
    if (private == NULL)
        return 0;
    for (shape_t *s = private->shapes; s != NULL; s = s->all_next) {
        uint32_t old_id = s->id, index = next_index;
        if (index >= SHAPE_INDEX_LIMIT)
            return -1;
        shape_t **page = shape_table[index >> SHAPE_PAGE_BITS];
        if (page == NULL) {
            page = mi_calloc((size_t)1 << SHAPE_PAGE_BITS, sizeof(*page));
            if (page == NULL)
                return -1;
            shape_table[index >> SHAPE_PAGE_BITS] = page;
        }
        next_index++;
        s->id = index | SHAPE_ID_TAG;
        shape_enter(s);
        if (type->tp_root_shape == old_id)
            type->tp_root_shape = s->id;
    }
    return 0;
}
