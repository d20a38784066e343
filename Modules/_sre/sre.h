/* The parts of the regular expression engine, and what they share.
 *
 * A pattern is a sequence of 32-bit code words made by the standard library's re/_compiler.py. "skip" words hold
 * the distance from themselves to the end of what they span. Positions in the subject are indexes, -1: none. */
#ifndef BRAID_SRE_H
#define BRAID_SRE_H

#include <Python.h>
#include <stddef.h>
#include <stdint.h>
#ifdef BRAID_HOSTED
#include "hosted.h"
#else
#include "module.h"
#endif

#define SRE_MAGIC 20220615
#define SRE_MAXREPEAT UINT32_MAX
#define SRE_MAXGROUPS (INT32_MAX / 2)

enum sre_flag {
    SRE_IGNORECASE = 2,
    SRE_LOCALE = 4,
    SRE_MULTILINE = 8,
    SRE_DOTALL = 16,
    SRE_UNICODE = 32,
    SRE_VERBOSE = 64,
    SRE_DEBUG = 128,
    SRE_ASCII = 256,
};

enum sre_info { SRE_INFO_PREFIX = 1, SRE_INFO_LITERAL = 2, SRE_INFO_CHARSET = 4 };

/* In the order of OPCODES in re/_constants.py. */
enum sre_op {
    OP_FAILURE, OP_SUCCESS, OP_ANY, OP_ANY_ALL, OP_ASSERT, OP_ASSERT_NOT, OP_AT, OP_BRANCH, OP_CATEGORY, OP_CHARSET,
    OP_BIGCHARSET, OP_GROUPREF, OP_GROUPREF_EXISTS, OP_IN, OP_INFO, OP_JUMP, OP_LITERAL, OP_MARK, OP_MAX_UNTIL,
    OP_MIN_UNTIL, OP_NOT_LITERAL, OP_NEGATE, OP_RANGE, OP_REPEAT, OP_REPEAT_ONE, OP_SUBPATTERN, OP_MIN_REPEAT_ONE,
    OP_ATOMIC_GROUP, OP_POSSESSIVE_REPEAT, OP_POSSESSIVE_REPEAT_ONE,
    OP_GROUPREF_IGNORE, OP_IN_IGNORE, OP_LITERAL_IGNORE, OP_NOT_LITERAL_IGNORE,
    OP_GROUPREF_LOC_IGNORE, OP_IN_LOC_IGNORE, OP_LITERAL_LOC_IGNORE, OP_NOT_LITERAL_LOC_IGNORE,
    OP_GROUPREF_UNI_IGNORE, OP_IN_UNI_IGNORE, OP_LITERAL_UNI_IGNORE, OP_NOT_LITERAL_UNI_IGNORE,
    OP_RANGE_UNI_IGNORE,
};

/* In the order of ATCODES. */
enum sre_at {
    AT_BEGINNING, AT_BEGINNING_LINE, AT_BEGINNING_STRING, AT_BOUNDARY, AT_NON_BOUNDARY, AT_END, AT_END_LINE,
    AT_END_STRING, AT_LOC_BOUNDARY, AT_LOC_NON_BOUNDARY, AT_UNI_BOUNDARY, AT_UNI_NON_BOUNDARY,
};

/* In the order of CHCODES: each category is followed by its opposite. */
enum sre_category {
    CAT_DIGIT = 0, CAT_SPACE = 2, CAT_WORD = 4, CAT_LINEBREAK = 6, CAT_LOC_WORD = 8,
    CAT_UNI_DIGIT = 10, CAT_UNI_SPACE = 12, CAT_UNI_WORD = 14, CAT_UNI_LINEBREAK = 16, CAT_COUNT = 18,
};

typedef struct {
    PyObject_VAR_HEAD                   /* size: the number of code words */
    PyObject *pattern;                  /* [const] str, bytes-like or None */
    PyObject *groupindex;               /* [const] dict: name -> number; never changed */
    PyObject *indexgroup;               /* [const] tuple: number -> name or None */
    PyObject *weakrefs;
    Py_ssize_t groups;                  /* [const] capturing groups */
    int flags;                          /* [const] */
    int isbytes;                        /* [const] 1: bytes pattern, 0: str pattern, -1: pattern is None */
    /* worked out by analyse.c; all [const] */
    uint32_t *table_of;                 /* for the code index of each IN: 1 + the number of its table; or NULL */
    uint8_t *tables;                    /* 256 bytes each: is the character in the set? */
    uint8_t *prefix_bytes;              /* the literal prefix, if all of it is below 256 */
    const uint32_t *prefix;             /* the literal prefix, inside code */
    Py_ssize_t prefix_length;           /* 0: none */
    int prefix_is_all;                  /* the pattern is the prefix and nothing else */
    int anchored;                       /* matches only at index 0 */
    int has_first;                      /* first and first_wide say how a match can start */
    int first_wide;                     /* a match can start with a character above 255 */
    Py_ssize_t min_width;               /* shortest match */
    uint8_t first[256];
    uint32_t code[1];
} PatternObject;

typedef struct {
    PyObject_VAR_HEAD                   /* size: 2 * (groups + 1) */
    PyObject *string;                   /* [const] */
    PatternObject *pattern;             /* [const] */
    Py_ssize_t pos, endpos;             /* [const] */
    Py_ssize_t lastindex;               /* [const] -1: none */
    Py_ssize_t mark[1];                 /* [const] start and end of each group, group 0 first; -1: no match */
} MatchObject;

/* What to do when matching cannot go on: an entry of the backtracking stack. */
typedef struct {
    uint32_t kind;
    uint32_t pc;
    Py_ssize_t ptr;
    uint32_t repeat;                    /* the repeat record that was current */
    uint32_t records;                   /* how many records there were: later ones are dead */
    Py_ssize_t extra;
} sre_entry;

/* One iteration of a repeat. Never changed while something can return to it, so backtracking restores an index only. */
typedef struct {
    uint32_t pc;                        /* of the REPEAT */
    uint32_t outer;                     /* record of the enclosing repeat; 0: none */
    Py_ssize_t count;                   /* iterations finished when this one started */
    Py_ssize_t last;                    /* where the iteration started, to notice an empty one; -1: not asked */
} sre_record;

#define SRE_SMALL_STACK 48
#define SRE_SMALL_RECORDS 16
#define SRE_SMALL_MARKS 20
#define SRE_FUEL 8192

/* Everything that changes during a match. */
typedef struct {
    const PatternObject *pattern;       /* held by whoever made the state */
    PyObject *string;                   /* owned */
    const void *data;
    int kind;                           /* bytes per character */
    int isbytes;
    Py_ssize_t length;                  /* of the whole subject */
    Py_ssize_t pos, end;                /* the part to look at, as asked for */
    Py_ssize_t start;                   /* in: where to begin. out: where the match begins */
    Py_ssize_t ptr;                     /* out: where the match ends */
    Py_ssize_t must_advance;            /* an empty match here does not count; -1: none */
    int match_all;                      /* the match has to reach the end */
    int dirty;                          /* marks may be set */
    Py_ssize_t lastindex;
    Py_ssize_t *marks;                  /* 2 * groups */
    sre_entry *stack;
    size_t depth, capacity;
    sre_record *records;                /* records[0] is unused */
    uint32_t used, room;
    unsigned fuel;                      /* steps until signals are looked at */
    Py_buffer buffer;                   /* open while buffer.obj is set */
    Py_ssize_t small_marks[SRE_SMALL_MARKS];
    sre_entry small_stack[SRE_SMALL_STACK];
    sre_record small_records[SRE_SMALL_RECORDS];
} sre_state;

extern PyTypeObject sre_pattern_type, sre_match_type, sre_scanner_type;

/* chars.c */
uint32_t sre_lower_ascii(uint32_t ch);
uint32_t sre_lower_locale(uint32_t ch);
uint32_t sre_lower_unicode(uint32_t ch);
int sre_category(uint32_t category, uint32_t ch);
/* Is ch in the set that starts at set? */
int sre_set_contains(const uint32_t *set, uint32_t ch);
/* Does the instruction at op, which takes one character, take ch? */
int sre_item_takes(const uint32_t *op, uint32_t ch);

/* validate.c: 0, or -1 without an exception if the code is damaged. */
int sre_validate(const uint32_t *code, Py_ssize_t size, Py_ssize_t groups);
int sre_op_is_item(uint32_t op);
int sre_op_is_in(uint32_t op);

/* analyse.c: fills the fields named above. 0, or -1 with MemoryError. The code has been validated. */
int sre_analyse(PatternObject *pattern);

/* state.c */
/* Opens string for matching.
 * Returns  0; or -1 with an exception, then nothing needs closing
 * Escapes  buffer protocol */
int sre_state_init(sre_state *st, const PatternObject *pattern, PyObject *string, Py_ssize_t pos, Py_ssize_t end);
void sre_state_fini(sre_state *st);
/* Prepares for the next match after one that succeeded. */
void sre_state_advance(sre_state *st);
/* Finds a subject's characters. view->obj is set if it has to be released. 0, or -1 with an exception. */
int sre_subject(PyObject *string, const void **data, Py_ssize_t *length, int *kind, int *isbytes, Py_buffer *view);
PyObject *sre_slice(PyObject *string, const void *data, int isbytes, Py_ssize_t start, Py_ssize_t end);
/* The text of a group of the match just made; None or an empty string if it took no part. */
PyObject *sre_state_group(sre_state *st, Py_ssize_t group, int empty);

/* matcher.c: 1 matched (start, ptr, marks, lastindex are set), 0 not, -1 exception. Escapes: signal handlers. */
int sre_match(sre_state *st);
int sre_search(sre_state *st);

/* scan.c, match.c, pattern.c */
PyObject *sre_scanner_new(PatternObject *pattern, PyObject *string, Py_ssize_t pos, Py_ssize_t end);
/* A match object for a result of sre_match or sre_search: None for 0, NULL for -1. */
PyObject *sre_match_new(PatternObject *pattern, sre_state *st, int status);
PyObject *sre_call_re(const char *function, PyObject *a, PyObject *b, PyObject *c);
PyObject *sre_compile(PyObject *module, PyObject *args, PyObject *kwargs);

#endif
