/* Reading from a TextIOWrapper, in chunks that are decoded ahead. */
#include "io_internal.h"
#include "text_search.h"

/* ---- the text read ahead ---- */

void text_set_decoded_steal(io_text *self, PyObject *text)
{
    PyObject *old = self->decoded;
    self->decoded = text;
    self->decoded_used = 0;
    Py_XDECREF(old);
}

void text_drop_decoded(io_text *self)
{
    PyObject *old_input = self->snapshot_input;
    self->snapshot_input = NULL;
    text_set_decoded_steal(self, NULL);
    Py_XDECREF(old_input);
}

static Py_ssize_t available(io_text *self)
{
    return self->decoded == NULL ? 0 : PyUnicode_GET_LENGTH(self->decoded) - self->decoded_used;
}

/* Hands out up to n characters read ahead; all of them if n is negative. */
static PyObject *take(io_text *self, Py_ssize_t n)
{
    Py_ssize_t have = available(self);
    if (n < 0 || n > have)
        n = have;
    if (n == 0)
        return Py_NewRef(io_str.empty);
    PyObject *result;
    if (self->decoded_used == 0 && n == have)
        result = Py_NewRef(self->decoded);
    else
        result = PyUnicode_Substring(self->decoded, self->decoded_used, self->decoded_used + n);
    if (result != NULL)
        self->decoded_used += n;
    return result;
}

/* ---- one reader at a time ---- */

int text_begin_reading(io_text *self)
{
    PyObject *op = (PyObject *)self;
    if (io_lock_is_mine(&self->read_lock))
        return 0;
    int entered = io_lock_enter_unless_circle(&self->read_lock, op);
    if (entered <= 0)
        return entered;
    Py_BEGIN_CRITICAL_SECTION(op);
    self->reading = 1;
    Py_END_CRITICAL_SECTION();
    return 1;
}

void text_end_reading(io_text *self, int begun)
{
    PyObject *op = (PyObject *)self;
    if (begun != 1)
        return;
    Py_BEGIN_CRITICAL_SECTION(op);
    self->reading = 0;
    Py_END_CRITICAL_SECTION();
    io_lock_leave(&self->read_lock);
}

/* May text be handed out without the read lock? */
static bool may_take(io_text *self)
{
    if (text_check_attached(self) < 0 || text_check_open(self) < 0)
        return false;
    return self->ok && !self->reading && self->n_pending == 0 && available(self) > 0;
}

PyObject *text_quick_line(io_text *self)
{
    if (!may_take(self))
        return NULL;
    Py_ssize_t end = text_find_line_end(self->readtranslate, self->readuniversal, self->readnl, PyUnicode_KIND(self->decoded),
                                        PyUnicode_DATA(self->decoded), self->decoded_used, PyUnicode_GET_LENGTH(self->decoded));
    return end < 0 ? NULL : take(self, end - self->decoded_used);
}

PyObject *text_quick_read(io_text *self, Py_ssize_t n)
{
    return may_take(self) && available(self) >= n ? take(self, n) : NULL;
}

/* ---- reading a chunk ---- */

static PyObject *read_from_buffer(io_text *self, Py_ssize_t size)
{
    PyObject *buffer = Py_NewRef(self->buffer), *input;
    if ((Py_IS_TYPE(buffer, &io_BufferedReader_type) || Py_IS_TYPE(buffer, &io_BufferedRandom_type)) &&
        self->has_read1 && io_method_is_plain(buffer, io_str.read1))
        input = buffered_read1_size((io_buffered *)buffer, size);
    else {
        PyObject *size_obj = PyLong_FromSsize_t(size);
        input = size_obj == NULL ? NULL
                                 : PyObject_CallMethodOneArg(buffer, self->has_read1 ? io_str.read1 : io_str.read,
                                                             size_obj);
        Py_XDECREF(size_obj);
    }
    Py_DECREF(buffer);
    return input;
}

/* Makes the snapshot for tell(): the decoder held `held` and had `flags`, then it got `input`. */
static int remember_input(io_text *self, PyObject *held, int flags, PyObject *input)
{
    PyObject *fed;
    if (PyBytes_GET_SIZE(held) == 0 && PyBytes_CheckExact(input))
        fed = Py_NewRef(input);
    else {
        fed = Py_NewRef(held);
        PyObject *tail = PyBytes_FromObject(input);
        if (tail == NULL) {
            Py_DECREF(fed);
            return -1;
        }
        PyBytes_ConcatAndDel(&fed, tail);
        if (fed == NULL)
            return -1;
    }
    self->snapshot_flags = flags;
    Py_XSETREF(self->snapshot_input, fed);
    return 0;
}

/* Reads and decodes the next chunk; `hint` is the number of characters wanted, 0 if any number will do.
 * Returns 1, 0 at the end of the file, or -1. */
static int read_chunk(io_text *self, Py_ssize_t hint)
{
    PyObject *held = NULL, *input = NULL, *text = NULL;
    int flags = 0, result = -1;
    Py_buffer view;

    if (self->decoder.codec == TEXT_CODEC_NONE) {
        io_unsupported("not readable");
        return -1;
    }
    bool telling = self->telling;
    if (telling && text_decoder_get(&self->decoder, &held, &flags) < 0)
        return -1;
    if (text_check_attached(self) < 0)
        goto done;

    double wanted = self->bytes_per_char * (double)hint;
    Py_ssize_t size = self->chunk_size;
    if (wanted > (double)size)
        size = wanted < (double)(PY_SSIZE_T_MAX / 2) ? (Py_ssize_t)wanted : PY_SSIZE_T_MAX / 2;
    const char *method = self->has_read1 ? "read1" : "read";
    input = read_from_buffer(self, size);
    if (input == NULL)
        goto done;
    if (PyObject_GetBuffer(input, &view, PyBUF_SIMPLE) < 0) {
        PyErr_Format(PyExc_TypeError, "underlying %s() should have returned a bytes-like object, not '%.200s'",
                     method, Py_TYPE(input)->tp_name);
        goto done;
    }
    Py_ssize_t n_bytes = view.len;
    PyBuffer_Release(&view);
    bool end = n_bytes == 0;

    text = text_decode(&self->decoder, self->errors, input, end);
    if (text == NULL)
        goto done;
    Py_ssize_t n_chars = PyUnicode_GET_LENGTH(text);
    self->bytes_per_char = n_chars > 0 ? (double)n_bytes / (double)n_chars : 0.0;
    text_set_decoded_steal(self, text);
    if (telling && remember_input(self, held, flags, input) < 0)
        goto done;
    result = n_chars > 0 || !end;
done:
    Py_XDECREF(held);
    Py_XDECREF(input);
    return result;
}

static int read_chunk_retrying(io_text *self, Py_ssize_t hint)
{
    int result;
    do
        result = read_chunk(self, hint);
    while (result < 0 && io_trap_eintr());
    return result;
}

/* ---- read() ---- */

static PyObject *read_all(io_text *self)
{
    PyObject *buffer = Py_NewRef(self->buffer);
    PyObject *input = PyObject_CallMethodNoArgs(buffer, io_str.read), *head, *tail;
    Py_DECREF(buffer);
    if (input == NULL)
        return NULL;
    tail = text_decode(&self->decoder, self->errors, input, true);
    Py_DECREF(input);
    if (tail == NULL)
        return NULL;
    head = take(self, -1);
    text_drop_decoded(self);
    if (head != NULL && PyUnicode_GET_LENGTH(head) == 0) {
        Py_DECREF(head);
        return tail;
    }
    PyObject *result = head == NULL ? NULL : PyUnicode_Concat(head, tail);
    Py_XDECREF(head);
    Py_DECREF(tail);
    return result;
}

/* Appends part to *parts, made when needed. Steals part. 0 or -1. */
static int collect_steal(PyObject **parts, PyObject *part)
{
    if (*parts == NULL)
        *parts = PyList_New(0);
    int failed = *parts == NULL ? -1 : PyList_Append(*parts, part);
    Py_DECREF(part);
    return failed;
}

/* Joins parts (may be NULL) and last. Steals last. */
static PyObject *join_parts(PyObject **parts, PyObject *last)
{
    if (*parts == NULL)
        return last;
    if (collect_steal(parts, last) < 0)
        return NULL;
    return PyUnicode_Join(io_str.empty, *parts);
}

static PyObject *read_some(io_text *self, Py_ssize_t n)
{
    PyObject *parts = NULL, *result = NULL;
    PyObject *part = take(self, n);
    while (part != NULL) {
        n -= PyUnicode_GET_LENGTH(part);
        if (n <= 0)
            break;
        if (PyUnicode_GET_LENGTH(part) > 0) {
            if (collect_steal(&parts, part) < 0)
                goto done;
        }
        else
            Py_DECREF(part);
        int more = read_chunk_retrying(self, n);
        if (more < 0)
            goto done;
        part = more == 0 ? Py_NewRef(io_str.empty) : take(self, n);
        if (more == 0)
            break;
    }
    if (part != NULL)
        result = join_parts(&parts, part);
done:
    Py_XDECREF(parts);
    return result;
}

PyObject *text_read(io_text *self, Py_ssize_t n)
{
    if (text_check_attached(self) < 0 || text_check_open(self) < 0)
        return NULL;
    if (self->decoder.codec == TEXT_CODEC_NONE)
        return io_unsupported("not readable");
    if (text_write_pending(self) < 0 || text_check_attached(self) < 0)
        return NULL;
    return n < 0 ? read_all(self) : read_some(self, n);
}

/* ---- readline() ---- */

Py_ssize_t text_find_line_end(bool translated, bool universal, const char *newline, int kind, const void *data,
                              Py_ssize_t start, Py_ssize_t end)
{
    Py_ssize_t at;
    if (translated) {
        at = text_find_char(kind, data, start, end, '\n');
        return at < 0 ? -1 : at + 1;
    }
    if (universal) {
        at = text_find_either(kind, data, start, end);
        if (at < 0)
            return -1;
        if (PyUnicode_READ(kind, data, at) == '\r' && at + 1 < end && PyUnicode_READ(kind, data, at + 1) == '\n')
            return at + 2;
        return at + 1;
    }
    while ((at = text_find_char(kind, data, start, end, newline[0])) >= 0) {
        if (newline[1] == 0)
            return at + 1;
        if (at + 1 >= end)
            return -1;
        if (PyUnicode_READ(kind, data, at + 1) == (Py_UCS4)newline[1])
            return at + 2;
        start = at + 1;
    }
    return -1;
}

/* Takes as much of a line as is read ahead, at most limit characters if that is not negative.
 * *complete tells whether that is its end; *split_cr whether the last character so far is a '\r' that a '\n' makes
 * a line end of. */
static PyObject *take_line_part(io_text *self, Py_ssize_t limit, bool *complete, bool *split_cr)
{
    int kind = PyUnicode_KIND(self->decoded);
    const void *data = PyUnicode_DATA(self->decoded);
    Py_ssize_t start = self->decoded_used, end = PyUnicode_GET_LENGTH(self->decoded), line_end;
    if (limit >= 0 && limit < end - start)
        end = start + limit;
    if (*split_cr && PyUnicode_READ(kind, data, start) == '\n')
        line_end = start + 1;
    else
        line_end = text_find_line_end(self->readtranslate, self->readuniversal, self->readnl, kind, data, start, end);
    *complete = line_end >= 0;
    if (line_end < 0)
        line_end = end;
    *split_cr = !self->readuniversal && self->readnl != NULL && self->readnl[0] == '\r' && self->readnl[1] == '\n' &&
                PyUnicode_READ(kind, data, line_end - 1) == '\r';
    return take(self, line_end - start);
}

PyObject *text_readline(io_text *self, Py_ssize_t limit)
{
    PyObject *parts = NULL, *part = NULL, *line = NULL;
    bool complete = false, split_cr = false;

    if (text_check_open(self) < 0 || text_write_pending(self) < 0)
        return NULL;
    while (!complete && limit != 0) {
        if (available(self) <= 0) {
            if (text_check_attached(self) < 0)
                goto done;
            int more = read_chunk_retrying(self, 0);
            if (more < 0)
                goto done;
            if (more == 0) {
                text_drop_decoded(self);
                break;
            }
            if (available(self) <= 0)
                continue;
        }
        if (part != NULL) {
            int failed = collect_steal(&parts, part);
            part = NULL;
            if (failed)
                goto done;
        }
        part = take_line_part(self, limit, &complete, &split_cr);
        if (part == NULL)
            goto done;
        if (limit > 0)
            limit -= PyUnicode_GET_LENGTH(part);
    }
    line = part == NULL && parts == NULL ? Py_NewRef(io_str.empty)
                                         : join_parts(&parts, part == NULL ? Py_NewRef(io_str.empty) : part);
    part = NULL;
done:
    Py_XDECREF(part);
    Py_XDECREF(parts);
    return line;
}
