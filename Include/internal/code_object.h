/* Code objects: what the compiler hands to the machine.
 *
 * A code object is immutable but for its instruction words, which the machine specialises in place (16-bit opcode stores, 64-bit cache
 * stores; Python/vm).  Code objects are DEFERRED.  The window of a frame has co_nslots slots:
 *
 *      0                 co_nlocals          co_temp_base             co_nslots
 *      | params, locals  | cellvars, freevars | temporaries            |
 *
 * Parameters come first among the locals, in the order of co_varnames: positional-only, positional, keyword-only, *args, **kwargs.
 * A captured parameter (a cellvar that is also a parameter) arrives in its parameter slot; MAKE_CELL moves it.
 *
 * The exception table is sorted by start; ranges do not overlap (the innermost handler of each range is listed). */
#ifndef BRAID_CODE_OBJECT_H
#define BRAID_CODE_OBJECT_H

#include "opcode.h"

typedef struct {
    uint32_t start, end;        /* instruction words [start, end) */
    uint32_t handler;           /* first word of the handler */
    uint16_t depth;             /* temporaries that stay; the exception goes into temporary `depth` */
    uint16_t flags;             /* EXCEPTION_KEEPS_POSITION, or 0 */
} exception_entry_t;

/* The number of the instruction word that raised goes into temporary depth + 2: for a RERAISE with B = 1. */
#define EXCEPTION_KEEPS_POSITION 1

/* Offsets that Python code sees (f_lasti, tb_lasti, co_lines) count two for an instruction word: the standard library divides them by two to
 * index co_positions(). */
#define CODE_UNIT 2

struct _PyCodeObject {
    PyObject_HEAD
    int co_argcount, co_posonlyargcount, co_kwonlyargcount;
    int co_flags;
    int co_firstlineno;
    int co_nlocals, co_ncellvars, co_nfreevars;
    int co_temp_base;           /* co_nlocals + co_ncellvars + co_nfreevars */
    int co_nslots;              /* size of a window */
    int co_fast_argcount;       /* co_argcount if that many positional arguments bind without more ado, else -1 */
    uint32_t co_ninstructions;
    instruction_t *co_instructions;     /* [atomic] */
    PyObject **co_consts_items;         /* items of co_consts */
    PyObject **co_names_items;
    exception_entry_t *co_exceptions;
    uint32_t co_nexceptions;
    PyObject *co_consts, *co_names;
    PyObject *co_varnames, *co_cellvars, *co_freevars;  /* tuples of interned str */
    PyObject *co_filename, *co_name, *co_qualname;
    PyObject *co_filenames_before;      /* what co_filename was, for who still reads it: (name, those before or None), or NULL */
    PyObject *co_linetable;     /* bytes: positions in the format of positions.h */
    uint8_t *co_cell_is_param;  /* per cellvar: is it also a parameter */
    PyObject *co_weakreflist;
    void *co_extra;
    int *co_traced_lines;       /* [atomic] line of each instruction word, made when it is first traced; or NULL */
    uint64_t co_version;
};

/* What a new code object is made of. All references are borrowed: code_new takes its own. */
typedef struct {
    PyObject *filename, *name, *qualname;
    int flags, argcount, posonlyargcount, kwonlyargcount, firstlineno;
    int nslots;
    const instruction_t *instructions;
    uint32_t ninstructions;
    const exception_entry_t *exceptions;
    uint32_t nexceptions;
    PyObject *consts, *names, *varnames, *cellvars, *freevars;
    PyObject *linetable;
    int trusted;                /* from this interpreter's own build: unchecked; cache words are zero, tables perhaps unaligned */
} code_init_t;

/* Once, at start-up, before any code object is made. */
void code_init(void);

/* Checks init (slot numbers, table ranges, jump targets: code from a damaged cache must not crash the machine) unless trusted, interns
 * names and constants.  Returns a new code object, or NULL with an exception set. */
PyCodeObject *code_new(const code_init_t *init);

/* The instructions as the compiler made them: generic opcodes, run-time cache words zero.  New bytes object. */
PyObject *code_get_clean_instructions(PyCodeObject *code);

static inline const exception_entry_t *code_find_handler(const PyCodeObject *code, uint32_t word)
{
    uint32_t low = 0, high = code->co_nexceptions;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (code->co_exceptions[middle].end <= word)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < code->co_nexceptions && code->co_exceptions[low].start <= word)
        return &code->co_exceptions[low];
    return NULL;
}

#endif /* BRAID_CODE_OBJECT_H */
