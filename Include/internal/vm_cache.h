/* Inline caches: one 64-bit word behind an instruction, shared by all threads.
 *
 *      0                       nothing cached
 *      odd                     shape << 32 | byte offset << 1 | 1: an inline attribute of instances of that shape
 *      even, above COUNTER_MAX pointer to an immutable cache_record, replaced whole by exchange, the old one retired through QSBR
 *      even, up to COUNTER_MAX misses left before the place is tried again (a place that keeps missing is left alone for a while)
 *
 * A reader loads the word once (acquire), checks the guard that its kind prescribes, and only then uses the rest: a racing
 * replacement costs speed, never correctness.  Records hold no references: the guard proves that the value is still where it was found,
 * and the value, loaded through a published place, is taken with try_incref. */
#ifndef BRAID_VM_CACHE_H
#define BRAID_VM_CACHE_H

#include "frame.h"
#include "dict.h"
#include "shape.h"
#include "type.h"

typedef enum {
    CACHE_GLOBAL = 1,       /* dict_version: globals */
    CACHE_BUILTIN,          /* dict_version: globals (key absent), dict_version2: builtins, which are `owner` */
    CACHE_METHOD,           /* type_version [+ shape]: value is a function or method descriptor of the type */
    CACHE_CLASS_VALUE,      /* type_version [+ shape]: value is a class attribute that is no descriptor */
    CACHE_MEMBER,           /* type_version: T_OBJECT_EX slot (__slots__) at offset */
    CACHE_PROPERTY,         /* type_version: value is a property */
    CACHE_WRAPPED,          /* type_version [+ shape]: value is a classmethod or staticmethod of the object's class */
    CACHE_TYPE_WRAPPED,     /* object is the type `owner` with type_version: value is a classmethod or staticmethod of it */
    CACHE_ADD_ATTR,         /* shape and type_version: the store adds an attribute at offset and leads to shape2 */
    CACHE_MODULE,           /* object is a module whose dict has dict_version: slot */
    CACHE_TYPE_ATTR,        /* object is the type `owner` with type_version: value */
    CACHE_DICT_HINT,        /* type_version: entry number `shape` of the dict at offset */
    CACHE_SLOT,             /* shape: slot at offset; what a shape word says, where there are other records as well */
} cache_kind_t;

typedef struct cache_record {
    uint8_t kind;
    uint8_t checks_shape;
    uint8_t depth;          /* how many others come behind it */
    uint32_t shape, shape2;
    uint32_t offset;
    uint64_t type_version;
    uint64_t dict_version, dict_version2;
    PyObject **slot;        /* address of a dict entry's value, valid while the version holds */
    PyObject *value;        /* borrowed: alive while type_version holds */
    PyTypeObject *owner;
    struct cache_record *next;  /* what the place has met before: records of attributes form short chains, retired as a whole */
} cache_record_t;

/* A place that meets more kinds of objects than that begins anew. */
#define CACHE_CHAIN_MAX 4

#define CACHE_COUNTER_MAX 4095u

static inline uint64_t cache_word(const instruction_t *at) { return __atomic_load_n(at + 1, __ATOMIC_ACQUIRE); }
static inline cache_record_t *cache_as_record(uint64_t word)
{
    return (word & 1) == 0 && word > CACHE_COUNTER_MAX ? (cache_record_t *)(uintptr_t)word : NULL;
}
static inline uint64_t cache_shape_word(uint32_t shape, uint32_t offset)
{
    return (uint64_t)shape << 32 | (uint64_t)offset << 1 | 1;
}
static inline uint32_t cache_word_shape(uint64_t word) { return (uint32_t)(word >> 32); }
static inline uint32_t cache_word_offset(uint64_t word) { return (uint32_t)(word & 0xffffffffu) >> 1; }

/* Installs a record (taken over), in front of those that are there. */
void cache_install_record(instruction_t *at, cache_record_t *record);
/* Installs a shape word, as a record if others are there. */
void cache_install_word(instruction_t *at, uint64_t word);
/* Counts a miss down; true when the place may be specialised (again). */
int cache_count_miss(instruction_t *at);
/* Frees the records of a dying code object's words. */
void cache_clear_code(PyCodeObject *code);

/* The generic paths: do the operation and specialise. */
int vm_load_global(frame_t *f, instruction_t *at);
int vm_load_attr(frame_t *f, instruction_t *at);
int vm_store_attr(frame_t *f, instruction_t *at);
int vm_delete_attr(frame_t *f, const instruction_t *at);
int vm_load_method(frame_t *f, instruction_t *at);

#endif /* BRAID_VM_CACHE_H */
