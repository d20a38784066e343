/* What the files of the _pickle module share.
 *
 * A pickler or unpickler is used by one run (dump or load) at a time: `busy` is set for it, and a second run, in whatever
 * thread, is refused. The run holds a critical section on the object, which is suspended while Python code runs; the
 * memo may then be read or replaced by others, who hold a section too. So nothing that points into the memo is kept
 * across a call that may run Python code; buffers, stacks and marks belong to the run.
 *
 * save_... and load_... functions return 0, or -1 with an exception; all of them may run Python code. */
#ifndef BRAID_PICKLE_INTERNAL_H
#define BRAID_PICKLE_INTERNAL_H

#include "internal/module.h"

enum { HIGHEST_PROTOCOL = 5, DEFAULT_PROTOCOL = 4 };
enum { BATCH_SIZE = 1000 };             /* items between MARK and APPENDS, SETITEMS or ADDITEMS */

#define OPCODE(name, byte, function, argument) OP_##name = (unsigned char)(byte),
enum {
#include "opcodes.def"
};
#undef OPCODE

/* ---- module_state.c: made by the first import, then left alone ---- */

typedef struct {
    PyObject *pickle_error, *pickling_error, *unpickling_error;
    PyObject *dispatch_table, *extension_registry, *inverted_registry, *extension_cache;   /* dicts of copyreg */
    PyObject *name_mapping, *import_mapping, *reverse_name_mapping, *reverse_import_mapping;   /* of _compat_pickle */
    PyObject *codecs_encode, *getattr, *partial;
} pickle_state_t;
extern pickle_state_t pickle_state;

/* 0 or -1 */
int pickle_state_init(void);

/* The attribute of obj along a list of names; *parent (may be NULL): what holds the last one. New references; NULL with
 * AttributeError or whatever the look-up raises. */
PyObject *pickle_get_deep(PyObject *obj, PyObject *path, PyObject **parent);
/* A dotted name as a list; obj is for the message about local objects, or NULL. */
PyObject *pickle_split_name(PyObject *obj, PyObject *name);
/* Imports a module and returns it itself, not its package. */
PyObject *pickle_import(PyObject *name);

/* A method that a subclass or the program provides: persistent_id, persistent_load. A method of the object itself is kept
 * as its function, so that there is no cycle. */
typedef struct {
    PyObject *function;         /* or NULL */
    int takes_self;
} hook_t;
/* Looks the method up, for an empty hook. 0 or -1. */
int hook_find(hook_t *hook, PyObject *self, PyObject *name);
void hook_swap(hook_t *a, hook_t *b);
/* NULL with an exception. hook->function is not NULL. */
PyObject *hook_call(hook_t *hook, PyObject *self, PyObject *arg);
/* Getter and setter of the attribute. */
PyObject *hook_get(hook_t *hook, PyObject *self, const char *name);
int hook_set(hook_t *hook, PyObject *value, const char *name);

/* ---- memo.c: a hash table of objects by identity ---- */

typedef struct {
    struct memo_entry { PyObject *key; Py_ssize_t index; } *table;     /* counted keys */
    size_t size, used;          /* size: a power of 2, or 0 */
} memo_t;
/* The index, or -1. Never escapes. */
Py_ssize_t memo_find(const memo_t *memo, PyObject *key);
/* key is not there. 0, or -1 with MemoryError. Never escapes. */
int memo_add(memo_t *memo, PyObject *key, Py_ssize_t index);
/* Drops the references; the memo is empty before the first of them is dropped. */
void memo_clear(memo_t *memo);

/* ---- Picklers ---- */

typedef struct {
    PyObject_HEAD
    memo_t memo;                /* [lock] */
    hook_t persistent_id;       /* [lock] */
    PyObject *dispatch_table;   /* [lock] the program's, or NULL */
    PyObject *write;            /* [lock] method of the file; NULL: dumps() */
    PyObject *buffer_callback;  /* [lock] or NULL */
    PyObject *reducer_override; /* [run] or NULL */
    int busy;                   /* [lock] */
    int initialized;            /* [lock] */
    int protocol;               /* [lock] */
    int bin;                    /* [atomic] attributes, as fast: pickler_is_binary, pickler_is_fast */
    int fast;                   /* [atomic] no memo */
    int fix_imports;            /* [lock] */
    /* [run] */
    char *out;
    Py_ssize_t out_length, out_size;
    Py_ssize_t frame_start;     /* where the header of the open frame is, or -1 */
    int framing;
    int nesting;                /* containers in work, in fast mode */
    PyObject *in_work;          /* dict: their ids, from some depth on; or NULL */
} pickler_t;

static inline int pickler_is_binary(const pickler_t *p) { return __atomic_load_n(&p->bin, __ATOMIC_RELAXED); }
static inline int pickler_is_fast(const pickler_t *p) { return __atomic_load_n(&p->fast, __ATOMIC_RELAXED); }
extern PyTypeObject pickler_type;

/* output.c */
int out_write(pickler_t *p, const void *data, Py_ssize_t n);
int out_op(pickler_t *p, int opcode);
/* opcode, n as a little-endian number of `width` bytes */
int out_op_number(pickler_t *p, int opcode, uint64_t n, int width);
/* A header and a long payload, which goes to the file directly if it is large (payload: it as an object, or NULL). */
int out_large(pickler_t *p, const char *header, Py_ssize_t header_size, const char *data, Py_ssize_t n, PyObject *payload);
/* Between two objects: ends the frame if it is large enough. */
int out_boundary(pickler_t *p);
int out_commit_frame(pickler_t *p);
int out_flush(pickler_t *p);

/* save_atoms.c */
int save_none(pickler_t *p);
int save_bool(pickler_t *p, PyObject *op);
int save_int(pickler_t *p, PyObject *op);
int save_float(pickler_t *p, PyObject *op);
int save_bytes(pickler_t *p, PyObject *op);
int save_bytearray(pickler_t *p, PyObject *op);
int save_buffer(pickler_t *p, PyObject *op);
int save_str(pickler_t *p, PyObject *op);

/* save_containers.c */
int save_tuple(pickler_t *p, PyObject *op);
int save_list(pickler_t *p, PyObject *op);
int save_dict(pickler_t *p, PyObject *op);
int save_set(pickler_t *p, PyObject *op);
int save_frozenset(pickler_t *p, PyObject *op);
int save_items(pickler_t *p, PyObject *iterator);
int save_pairs(pickler_t *p, PyObject *iterator);

/* save_global.c; name may be NULL */
int save_global(pickler_t *p, PyObject *op, PyObject *name);
int save_type(pickler_t *p, PyObject *op);

/* save_reduce.c; op: the object that value stands for, or NULL */
int save_reduce(pickler_t *p, PyObject *value, PyObject *op);
/* What op's own or registered methods make of it, and that saved. */
int save_by_methods(pickler_t *p, PyObject *op);

/* pickler.c */
int save(pickler_t *p, PyObject *op);
/* persistent: op is not offered to persistent_id */
int save_value(pickler_t *p, PyObject *op, int persistent);
int save_memoize(pickler_t *p, PyObject *op);
int save_from_memo(pickler_t *p, Py_ssize_t index);
int pickler_setup(pickler_t *p, PyObject *file, PyObject *protocol, int fix_imports, PyObject *buffer_callback);
int pickler_run(pickler_t *p, PyObject *op);

/* ---- Unpicklers ---- */

typedef struct {
    PyObject_HEAD
    PyObject **memo;            /* [lock] counted, by index; NULL: none */
    size_t memo_size, memo_used;
    PyObject *far_memo;         /* [lock] dict for indices far beyond the others, or NULL */
    hook_t persistent_load;     /* [lock] */
    PyObject *peek, *readinto, *read, *readline;    /* [lock] methods of the file; peek and readinto may be NULL */
    PyObject *buffers;          /* [lock] iterator, or NULL */
    PyObject *encoding, *errors;    /* [lock] str */
    int busy, initialized;      /* [lock] */
    int fix_imports;            /* [lock] */
    /* [run] */
    int protocol;
    PyObject **stack;           /* counted */
    Py_ssize_t depth, stack_size, fence;        /* fence: the depth at the innermost mark */
    Py_ssize_t *marks, mark_count, mark_size;
    Py_buffer view;             /* of loads(); obj NULL: none */
    PyObject *chunk;            /* bytes read from the file, or NULL */
    const char *in;             /* in view or chunk */
    Py_ssize_t in_length, in_position;
    int peeked;                 /* the file still has to be asked for what has been consumed of chunk */
    char *line;                 /* of the last in_read_line */
    Py_ssize_t line_size;
} unpickler_t;
extern PyTypeObject unpickler_type;

/* input.c */
int in_truncated(void);
/* *data: n bytes, valid until the next read. */
int in_read(unpickler_t *u, Py_ssize_t n, const char **data);
/* Fills `to`. */
int in_read_into(unpickler_t *u, char *to, Py_ssize_t n);
/* A line, zero-terminated and with its line feed; *n: its length. At least `least` characters. */
int in_read_line(unpickler_t *u, Py_ssize_t least, char **line, Py_ssize_t *n);
/* An unsigned little-endian number of `width` bytes. */
int in_read_number(unpickler_t *u, int width, uint64_t *n);
/* Leaves the file behind what has been consumed. */
int in_finish(unpickler_t *u);
void in_clear(unpickler_t *u);

/* stack.c */
int stack_underflow(unpickler_t *u);
int stack_push_steal(unpickler_t *u, PyObject *op);    /* NULL: an exception is set */
PyObject *stack_pop(unpickler_t *u);                    /* NULL with an exception */
int stack_mark(unpickler_t *u);
/* Removes the innermost mark and returns the depth at it, or -1 with an exception. */
Py_ssize_t stack_take_mark(unpickler_t *u);
/* The items from `from` on as a new tuple or list, taken off the stack. */
PyObject *stack_take_tuple(unpickler_t *u, Py_ssize_t from);
PyObject *stack_take_list(unpickler_t *u, Py_ssize_t from);
/* Drops the items from `depth` on. */
void stack_drop(unpickler_t *u, Py_ssize_t depth);
void stack_clear(unpickler_t *u);
PyObject *load_memo_get(unpickler_t *u, size_t index);      /* new reference, or NULL with an exception */
int load_memo_put(unpickler_t *u, size_t index, PyObject *op);
void load_memo_clear(unpickler_t *u);
PyObject *load_memo_copy(unpickler_t *u);       /* dict */

/* unpickler.c */
int unpickler_setup(unpickler_t *u, PyObject *file, int fix_imports, PyObject *encoding, PyObject *errors, PyObject *buffers);
PyObject *unpickler_run(unpickler_t *u);
PyObject *unpickler_find_class(unpickler_t *u, PyObject *module, PyObject *name);

/* load_atoms.c, load_containers.c, load_objects.c */
#define LOADER(name) int name(unpickler_t *u, int argument)
LOADER(load_mark);
LOADER(load_pop);
LOADER(load_pop_mark);
LOADER(load_dup);
LOADER(load_float);
LOADER(load_int);
LOADER(load_binint);
LOADER(load_long);
LOADER(load_none);
LOADER(load_persid);
LOADER(load_binpersid);
LOADER(load_reduce);
LOADER(load_string);
LOADER(load_counted_string);
LOADER(load_unicode);
LOADER(load_counted_unicode);
LOADER(load_append);
LOADER(load_build);
LOADER(load_global);
LOADER(load_dict);
LOADER(load_empty_dict);
LOADER(load_appends);
LOADER(load_get);
LOADER(load_binget);
LOADER(load_inst);
LOADER(load_list);
LOADER(load_empty_list);
LOADER(load_obj);
LOADER(load_put);
LOADER(load_binput);
LOADER(load_setitem);
LOADER(load_tuple);
LOADER(load_counted_tuple);
LOADER(load_setitems);
LOADER(load_binfloat);
LOADER(load_proto);
LOADER(load_newobj);
LOADER(load_extension);
LOADER(load_bool);
LOADER(load_counted_long);
LOADER(load_counted_bytes);
LOADER(load_empty_set);
LOADER(load_additems);
LOADER(load_frozenset);
LOADER(load_stack_global);
LOADER(load_memoize);
LOADER(load_frame);
LOADER(load_bytearray);
LOADER(load_next_buffer);
LOADER(load_readonly_buffer);

/* ---- The attribute memo (memo_proxy.c) ---- */

/* How the memo of an owner is cleared (None) and copied (a new dict); both lock the owner. */
typedef struct {
    PyObject *(*clear)(PyObject *owner);
    PyObject *(*copy)(PyObject *owner);
} memo_proxy_kind;
extern PyTypeObject pickler_memo_type, unpickler_memo_type;
/* New reference, or NULL. */
PyObject *memo_proxy_new(PyTypeObject *type, const memo_proxy_kind *kind, PyObject *owner);
/* What is to be assigned to a memo, as a dict that nobody else has: value is a proxy of that type or a dict, NULL for a deletion.
 * New reference, or NULL with TypeError. */
PyObject *memo_proxy_contents(PyTypeObject *type, PyObject *value);
int memo_proxy_init(void);

#endif /* BRAID_PICKLE_INTERNAL_H */
