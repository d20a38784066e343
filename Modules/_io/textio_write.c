/* Writing to a TextIOWrapper. */
#include "io_internal.h"
#include "text_search.h"

/* A larger buffer for pending text than this is not kept. */
#define KEEP_PENDING_ROOM 65536

/* Passes bytes to the underlying buffer. */
static int write_to_buffer(PyObject *buffer, const char *data, Py_ssize_t len)
{
    if ((Py_IS_TYPE(buffer, &io_BufferedWriter_type) || Py_IS_TYPE(buffer, &io_BufferedRandom_type)) &&
        io_method_is_plain(buffer, io_str.write))
        return buffered_write_memory((io_buffered *)buffer, data, len) < 0 ? -1 : 0;

    PyObject *bytes = PyBytes_FromStringAndSize(data, len), *result;
    if (bytes == NULL)
        return -1;
    do
        result = PyObject_CallMethodOneArg(buffer, io_str.write, bytes);
    while (result == NULL && io_trap_eintr());
    Py_DECREF(bytes);
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

int text_write_pending(io_text *self)
{
    if (self->n_pending == 0)
        return 0;
    if (text_check_attached(self) < 0)
        return -1;
    /* The call may come back here, from another thread or the buffer itself: what it writes is new text. */
    char *data = self->pending;
    Py_ssize_t len = self->n_pending, room = self->pending_room;
    PyObject *buffer = Py_NewRef(self->buffer);
    self->pending = NULL;
    self->n_pending = self->pending_room = 0;
    int result = write_to_buffer(buffer, data, len);
    Py_DECREF(buffer);
    if (self->pending == NULL && room <= KEEP_PENDING_ROOM) {
        self->pending = data;
        self->pending_room = room;
    }
    else
        PyMem_Free(data);
    return result;
}

static bool contains(PyObject *text, char c)
{
    return text_find_char(PyUnicode_KIND(text), PyUnicode_DATA(text), 0, PyUnicode_GET_LENGTH(text), c) >= 0;
}

int text_write(io_text *self, PyObject *text)
{
    if (text_check_attached(self) < 0 || text_check_open(self) < 0)
        return -1;
    if (self->encoder_codec == TEXT_CODEC_NONE) {
        io_unsupported("not writable");
        return -1;
    }
    bool translate = self->writetranslate && self->writenl != NULL;
    bool has_lf = (translate || self->line_buffering) && contains(text, '\n');
    bool flush_line = self->line_buffering && (has_lf || contains(text, '\r'));
    int failed;
    if (has_lf && translate) {
        PyObject *newline = PyUnicode_FromString(self->writenl);
        PyObject *translated = newline == NULL ? NULL : PyUnicode_Replace(text, io_str.newline, newline, -1);
        Py_XDECREF(newline);
        if (translated == NULL)
            return -1;
        failed = text_encode_pending(self, translated);
        Py_DECREF(translated);
    }
    else
        failed = text_encode_pending(self, text);
    if (failed)
        return -1;
    if (self->n_pending >= self->chunk_size || flush_line || self->write_through) {
        if (text_write_pending(self) < 0)
            return -1;
    }
    if (flush_line) {
        if (text_check_attached(self) < 0)
            return -1;
        PyObject *buffer = Py_NewRef(self->buffer);
        PyObject *flushed = PyObject_CallMethodNoArgs(buffer, io_str.flush);
        Py_DECREF(buffer);
        if (flushed == NULL)
            return -1;
        Py_DECREF(flushed);
    }
    if (self->decoded != NULL || self->snapshot_input != NULL)
        text_drop_decoded(self);
    return self->decoder.codec == TEXT_CODEC_NONE ? 0 : text_decoder_reset(&self->decoder);
}
