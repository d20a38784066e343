/* Source positions of instructions (PEP 657): the format of co_linetable.
 *
 * A byte string of entries in the order of the instruction words.  Each entry covers a run of words:
 *
 *      varint(words)  varint(zigzag(line delta) + 1, or 0: no position)  [varint(end line - line)  varint(column + 1)  varint(end column + 1)]
 *
 * The line delta counts from the line of the previous entry that has one, at first from co_firstlineno.  Columns are UTF-8 byte offsets;
 * 0 stands for unknown.  A varint holds 7 bits a byte, lowest first, high bit set on all but the last. */
#ifndef BRAID_POSITIONS_H
#define BRAID_POSITIONS_H

typedef struct {
    int line, end_line, column, end_column;     /* -1: unknown */
} position_t;

typedef struct {
    uint8_t *bytes;
    size_t size, capacity;
    int last_line;
    uint32_t pending_words;
    position_t pending;
} positions_writer_t;

/* Writer: append the position of `words` more words; finish returns a bytes object (new reference) and frees the buffer, also on failure. */
void positions_writer_init(positions_writer_t *w, int first_line);
int positions_writer_add(positions_writer_t *w, uint32_t words, position_t position);
PyObject *positions_writer_finish(positions_writer_t *w);
void positions_writer_clear(positions_writer_t *w);

/* Reader: walks the table; tolerant of damaged tables. */
typedef struct {
    const uint8_t *next, *end;
    int line;
    uint32_t start_word, end_word;      /* the run that the current entry covers */
    position_t position;
} positions_reader_t;
void positions_reader_init(positions_reader_t *r, PyCodeObject *code);
int positions_reader_next(positions_reader_t *r);       /* 1: entry read, 0: end */

position_t positions_find(PyCodeObject *code, uint32_t word);

/* The table of code that comes from a file, without columns if none are wanted (compile_without_columns). A new reference, or NULL. */
PyObject *positions_as_configured(PyObject *table, int first_line);

#endif /* BRAID_POSITIONS_H */
