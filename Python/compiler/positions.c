/* Writing and reading co_linetable. */
#include "Python.h"

#include "code_object.h"
#include "compiler.h"
#include "positions.h"

static int put(positions_writer_t *w, uint32_t value)
{
    if (w->size + 5 > w->capacity) {
        size_t capacity = w->capacity * 2 + 64;
        uint8_t *bytes = PyMem_Realloc(w->bytes, capacity);
        if (bytes == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        w->bytes = bytes;
        w->capacity = capacity;
    }
    while (value >= 0x80) {
        w->bytes[w->size++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    w->bytes[w->size++] = (uint8_t)value;
    return 0;
}

static int flush(positions_writer_t *w)
{
    if (w->pending_words == 0)
        return 0;
    position_t p = w->pending;
    if (put(w, w->pending_words) < 0)
        return -1;
    w->pending_words = 0;
    if (p.line < 0)
        return put(w, 0);
    int delta = p.line - w->last_line;
    uint32_t zigzag = delta < 0 ? ((uint32_t)(-delta) << 1) - 1 : (uint32_t)delta << 1;
    w->last_line = p.line;
    if (put(w, zigzag + 1) < 0 || put(w, (uint32_t)(p.end_line > p.line ? p.end_line - p.line : 0)) < 0
        || put(w, (uint32_t)(p.column + 1)) < 0 || put(w, (uint32_t)(p.end_column + 1)) < 0)
        return -1;
    return 0;
}

void positions_writer_init(positions_writer_t *w, int first_line)
{
    memset(w, 0, sizeof(*w));
    w->last_line = first_line;
}

int compile_without_columns;

int positions_writer_add(positions_writer_t *w, uint32_t words, position_t position)
{
    if (compile_without_columns)
        position = (position_t){position.line, position.line, -1, -1};
    if (w->pending_words > 0 && memcmp(&w->pending, &position, sizeof(position)) != 0 && flush(w) < 0)
        return -1;
    w->pending = position;
    w->pending_words += words;
    return 0;
}

void positions_writer_clear(positions_writer_t *w)
{
    PyMem_Free(w->bytes);
    w->bytes = NULL;
}

PyObject *positions_writer_finish(positions_writer_t *w)
{
    PyObject *result = flush(w) < 0 ? NULL : PyBytes_FromStringAndSize((char *)w->bytes, (Py_ssize_t)w->size);
    positions_writer_clear(w);
    return result;
}

/* ---- Reading ---- */

static int get(positions_reader_t *r, uint32_t *value)
{
    uint32_t result = 0;
    for (int shift = 0; r->next < r->end && shift < 35; shift += 7) {
        uint8_t byte = *r->next++;
        result |= (uint32_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *value = result;
            return 1;
        }
    }
    r->next = r->end;
    return 0;
}

static void read_table(positions_reader_t *r, PyObject *table, int first_line)
{
    memset(r, 0, sizeof(*r));
    r->next = (const uint8_t *)PyBytes_AS_STRING(table);
    r->end = r->next + PyBytes_GET_SIZE(table);
    r->line = first_line;
}

void positions_reader_init(positions_reader_t *r, PyCodeObject *code) { read_table(r, code->co_linetable, code->co_firstlineno); }

int positions_reader_next(positions_reader_t *r)
{
    uint32_t words, zigzag, lines, column, end_column;
    if (!get(r, &words) || !get(r, &zigzag))
        return 0;
    r->start_word = r->end_word;
    r->end_word += words;
    if (zigzag == 0) {
        r->position = (position_t){-1, -1, -1, -1};
        return 1;
    }
    zigzag--;
    if (!get(r, &lines) || !get(r, &column) || !get(r, &end_column))
        return 0;
    r->line += zigzag & 1 ? -(int)((zigzag + 1) >> 1) : (int)(zigzag >> 1);
    r->position = (position_t){r->line, r->line + (int)lines, (int)column - 1, (int)end_column - 1};
    return 1;
}

position_t positions_find(PyCodeObject *code, uint32_t word)
{
    positions_reader_t r;
    positions_reader_init(&r, code);
    while (positions_reader_next(&r))
        if (word < r.end_word)
            return r.position;
    return (position_t){-1, -1, -1, -1};
}

PyObject *positions_as_configured(PyObject *table, int first_line)
{
    if (!compile_without_columns)
        return Py_NewRef(table);
    positions_reader_t r;
    positions_writer_t w;
    read_table(&r, table, first_line);
    positions_writer_init(&w, first_line);
    while (positions_reader_next(&r))
        if (positions_writer_add(&w, r.end_word - r.start_word, r.position) < 0) {
            positions_writer_clear(&w);
            return NULL;
        }
    return positions_writer_finish(&w);
}
