/* Building a string piece by piece without intermediate objects.
 *
 *      unicode_writer_t w;
 *      unicode_writer_init(&w);                 or unicode_writer_init_sized(&w, expected length)
 *      if (unicode_writer_write_char(&w, 'x') < 0 || unicode_writer_write_str(&w, s) < 0) {
 *          unicode_writer_dealloc(&w);
 *          return NULL;
 *      }
 *      return unicode_writer_finish(&w);        never call dealloc after finish
 *
 * The first 256 bytes live in the writer itself; the buffer widens when a wider character comes.
 * A writer belongs to one thread and must not move while in use. */
#ifndef BRAID_UNICODE_WRITER_H
#define BRAID_UNICODE_WRITER_H

typedef struct {
    void *data;                 /* the buffer: inline_data or PyMem */
    Py_ssize_t pos;             /* code points written */
    Py_ssize_t size;            /* code points that fit */
    Py_UCS4 maxchar;            /* largest code point that the current kind takes: 255, 65535, 0x10ffff */
    int kind;
    int non_ascii;              /* a character >= 128 may have been written */
    union { char bytes[256]; Py_UCS4 align; } inline_data;
} unicode_writer_t;

void unicode_writer_init(unicode_writer_t *w);
/* Room for expected code points is made at once (failure shows at the first write). */
void unicode_writer_init_sized(unicode_writer_t *w, Py_ssize_t expected);
/* Slow path of unicode_writer_prepare. */
int unicode_writer_grow(unicode_writer_t *w, Py_ssize_t extra, Py_UCS4 maxchar);

/* Makes room for extra more code points up to maxchar. */
static inline int unicode_writer_prepare(unicode_writer_t *w, Py_ssize_t extra, Py_UCS4 maxchar)
{
    if (maxchar >= 128)
        w->non_ascii = 1;
    if (Py_LIKELY(maxchar <= w->maxchar && extra <= w->size - w->pos))
        return 0;
    return unicode_writer_grow(w, extra, maxchar);
}
static inline int unicode_writer_write_char(unicode_writer_t *w, Py_UCS4 ch)
{
    if (unicode_writer_prepare(w, 1, ch) < 0)
        return -1;
    PyUnicode_WRITE(w->kind, w->data, w->pos, ch);
    w->pos++;
    return 0;
}
int unicode_writer_write_str(unicode_writer_t *w, PyObject *str);
int unicode_writer_write_substring(unicode_writer_t *w, PyObject *str, Py_ssize_t start, Py_ssize_t end);
/* n copies of ch. */
int unicode_writer_fill(unicode_writer_t *w, Py_UCS4 ch, Py_ssize_t n);
/* length -1: up to the zero byte. */
int unicode_writer_write_ascii(unicode_writer_t *w, const char *text, Py_ssize_t length);
int unicode_writer_write_latin1(unicode_writer_t *w, const char *text, Py_ssize_t length);
int unicode_writer_write_data(unicode_writer_t *w, int kind, const void *data, Py_ssize_t n);
/* str(obj) / repr(obj); escapes. */
int unicode_writer_write_object_str(unicode_writer_t *w, PyObject *obj);
int unicode_writer_write_object_repr(unicode_writer_t *w, PyObject *obj);
/* The string; the writer is empty afterwards, on failure too. */
PyObject *unicode_writer_finish(unicode_writer_t *w);
void unicode_writer_dealloc(unicode_writer_t *w);

#endif /* BRAID_UNICODE_WRITER_H */
