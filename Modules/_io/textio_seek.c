/* tell() and seek() of a TextIOWrapper.
 *
 * A position is a byte offset at which the decoder's state is known, together with what must be done from there:
 * feed so many bytes and skip so many of the characters that come out. All of it is packed into one int, which is
 * the plain offset in the common case. */
#include "io_internal.h"

#include <unistd.h>

typedef struct {
    long long start_pos;      /* seek here, with a decoder in the state dec_flags and nothing held back */
    int dec_flags;
    int bytes_to_feed;
    int chars_to_skip;
    char need_eof;            /* the last of those characters come out only at the end of the input */
} text_cookie;

/* ---- packing: 64 bits of start_pos, then 32 of each int, then need_eof ---- */

/* *number = *number << 32 | part */
static int push_part(PyObject **number, unsigned part)
{
    PyObject *shift = PyLong_FromLong(32), *low = PyLong_FromUnsignedLong(part), *high = NULL, *result = NULL;
    if (shift != NULL && low != NULL)
        high = PyNumber_Lshift(*number, shift);
    if (high != NULL)
        result = PyNumber_Or(high, low);
    Py_XDECREF(shift);
    Py_XDECREF(low);
    Py_XDECREF(high);
    if (result == NULL)
        return -1;
    Py_SETREF(*number, result);
    return 0;
}

/* *part = the low 32 bits of *number; *number >>= 32 */
static int pop_part(PyObject **number, unsigned *part)
{
    PyObject *shift = PyLong_FromLong(32), *mask = PyLong_FromUnsignedLong(0xffffffffUL), *low = NULL, *rest = NULL;
    if (shift != NULL && mask != NULL)
        low = PyNumber_And(*number, mask);
    if (low != NULL)
        rest = PyNumber_Rshift(*number, shift);
    if (rest != NULL) {
        *part = (unsigned)PyLong_AsUnsignedLong(low);
        Py_SETREF(*number, rest);
    }
    Py_XDECREF(shift);
    Py_XDECREF(mask);
    Py_XDECREF(low);
    return rest == NULL ? -1 : 0;
}

static PyObject *pack_cookie(const text_cookie *cookie)
{
    if (cookie->dec_flags == 0 && cookie->bytes_to_feed == 0 && cookie->chars_to_skip == 0 && !cookie->need_eof)
        return PyLong_FromLongLong(cookie->start_pos);
    PyObject *number = PyLong_FromLong(cookie->need_eof);
    unsigned long long start = (unsigned long long)cookie->start_pos;
    if (number != NULL &&
        (push_part(&number, (unsigned)cookie->chars_to_skip) < 0 ||
         push_part(&number, (unsigned)cookie->bytes_to_feed) < 0 || push_part(&number, (unsigned)cookie->dec_flags) < 0 ||
         push_part(&number, (unsigned)(start >> 32)) < 0 || push_part(&number, (unsigned)start) < 0))
        Py_CLEAR(number);
    return number;
}

/* number is an int that is not negative. */
static int unpack_cookie(PyObject *number, text_cookie *cookie)
{
    unsigned part[6] = { 0 };
    number = PyNumber_Long(number);
    if (number == NULL)
        return -1;
    for (int i = 0; i < 6; i++) {
        if (pop_part(&number, &part[i]) < 0) {
            Py_DECREF(number);
            return -1;
        }
    }
    int rest = PyObject_IsTrue(number);
    Py_DECREF(number);
    if (rest != 0 || part[1] >> 31) {
        if (rest >= 0)
            PyErr_SetString(PyExc_OverflowError, "int too big to convert");
        return -1;
    }
    cookie->start_pos = (long long)((unsigned long long)part[1] << 32 | part[0]);
    cookie->dec_flags = (int)part[2];
    cookie->bytes_to_feed = (int)part[3];
    cookie->chars_to_skip = (int)part[4];
    cookie->need_eof = part[5] != 0;
    return 0;
}

/* ---- tell() ---- */

/* Decodes input[start, start + len) and adds the number of characters. */
static int count_chars(io_text *self, PyObject *input, Py_ssize_t start, Py_ssize_t len, bool final, Py_ssize_t *chars)
{
    PyObject *bytes = PyBytes_FromStringAndSize(PyBytes_AS_STRING(input) + start, len);
    PyObject *text = bytes == NULL ? NULL : text_decode(&self->decoder, self->errors, bytes, final);
    Py_XDECREF(bytes);
    if (text == NULL)
        return -1;
    *chars += PyUnicode_GET_LENGTH(text);
    Py_DECREF(text);
    return 0;
}

/* State of the decoder now: how many bytes it holds back, and its flags. */
static int decoder_position(io_text *self, Py_ssize_t *held, int *flags)
{
    PyObject *bytes;
    if (text_decoder_get(&self->decoder, &bytes, flags) < 0)
        return -1;
    *held = PyBytes_GET_SIZE(bytes);
    Py_DECREF(bytes);
    return 0;
}

/* Looks for a place in input, not after `chars` characters, where the decoder holds nothing back. The guess comes
 * from the ratio of bytes to characters; from there it goes back in growing steps.
 * On success the cookie starts there and *skip is its offset in input. */
static int find_safe_start(io_text *self, PyObject *input, Py_ssize_t chars, text_cookie *cookie, Py_ssize_t *skip)
{
    Py_ssize_t guess = (Py_ssize_t)(self->bytes_per_char * (double)chars), step = 1;
    if (guess > PyBytes_GET_SIZE(input))
        guess = PyBytes_GET_SIZE(input);
    int first_flags = cookie->dec_flags;
    while (guess > 0) {
        Py_ssize_t decoded = 0, held;
        int flags;
        if (text_decoder_set(&self->decoder, first_flags) < 0 || count_chars(self, input, 0, guess, false, &decoded) < 0)
            return -1;
        if (decoded > chars) {
            guess -= step;
            step *= 2;
            continue;
        }
        if (decoder_position(self, &held, &flags) < 0)
            return -1;
        if (held == 0) {
            *skip = guess;
            cookie->dec_flags = flags;
            cookie->start_pos += guess;
            cookie->chars_to_skip = (int)(chars - decoded);
            return 0;
        }
        guess -= held;
        step = 1;
    }
    *skip = 0;
    cookie->chars_to_skip = (int)chars;
    return text_decoder_set(&self->decoder, first_flags);
}

/* Feeds byte after byte until the characters to be skipped have come out; every place where the decoder holds
 * nothing back becomes the new start. */
static int feed_rest(io_text *self, PyObject *input, Py_ssize_t from, text_cookie *cookie)
{
    Py_ssize_t size = PyBytes_GET_SIZE(input), chars = 0;
    for (Py_ssize_t at = from; at < size && chars < cookie->chars_to_skip; at++) {
        Py_ssize_t held;
        int flags;
        if (count_chars(self, input, at, 1, false, &chars) < 0 || decoder_position(self, &held, &flags) < 0)
            return -1;
        cookie->bytes_to_feed++;
        if (held == 0 && chars <= cookie->chars_to_skip) {
            cookie->start_pos += cookie->bytes_to_feed;
            cookie->chars_to_skip -= (int)chars;
            cookie->dec_flags = flags;
            cookie->bytes_to_feed = 0;
            chars = 0;
            if (cookie->chars_to_skip == 0)
                return 0;
        }
    }
    if (chars >= cookie->chars_to_skip)
        return 0;
    if (count_chars(self, io_str.empty_bytes, 0, 0, true, &chars) < 0)
        return -1;
    cookie->need_eof = 1;
    if (chars >= cookie->chars_to_skip)
        return 0;
    PyErr_SetString(PyExc_OSError, "can't reconstruct logical file position");
    return -1;
}

/* One byte of the snapshot for one character, without any state: the position is plain to see. */
static bool is_byte_per_char(io_text *self, PyObject *input, int flags)
{
    return self->decoder.codec != TEXT_CODEC_OBJECT && flags == 0 && self->decoded != NULL &&
           PyUnicode_GET_LENGTH(self->decoded) == PyBytes_GET_SIZE(input) &&
           (PyUnicode_IS_ASCII(self->decoded) || self->decoder.codec == TEXT_CODEC_LATIN1) &&
           PyUnicode_CompareWithASCIIString(self->errors, "strict") == 0;
}

static PyObject *call_buffer(io_text *self, PyObject *name, PyObject *arg)
{
    if (text_check_attached(self) < 0)
        return NULL;
    PyObject *buffer = Py_NewRef(self->buffer);
    PyObject *result = PyObject_CallMethodObjArgs(buffer, name, arg, NULL);
    Py_DECREF(buffer);
    return result;
}

/* self.flush(), which a subclass may have overridden. */
static int flush_by_method(io_text *self)
{
    PyObject *flushed = PyObject_CallMethodNoArgs((PyObject *)self, io_str.flush);
    Py_XDECREF(flushed);
    return flushed == NULL ? -1 : 0;
}

PyObject *text_tell(io_text *self)
{
    if (text_check_attached(self) < 0 || text_check_open(self) < 0)
        return NULL;
    if (!self->seekable)
        return io_unsupported("underlying stream is not seekable");
    if (!self->telling) {
        PyErr_SetString(PyExc_OSError, "telling position disabled by next() call");
        return NULL;
    }
    if (text_write_pending(self) < 0 || flush_by_method(self) < 0)
        return NULL;
    PyObject *position = call_buffer(self, io_str.tell, NULL), *result = NULL;
    if (position == NULL || self->decoder.codec == TEXT_CODEC_NONE || self->snapshot_input == NULL)
        return position;

    /* Together, before anything below runs code. */
    PyObject *input = Py_NewRef(self->snapshot_input);
    Py_ssize_t chars = self->decoded_used;
    text_cookie cookie = { 0 };
    cookie.dec_flags = self->snapshot_flags;
    cookie.start_pos = PyLong_AsLongLong(position);
    Py_DECREF(position);
    if (cookie.start_pos == -1 && PyErr_Occurred())
        goto done;
    cookie.start_pos -= PyBytes_GET_SIZE(input);
    if (chars == 0)
        result = pack_cookie(&cookie);
    else if (is_byte_per_char(self, input, cookie.dec_flags)) {
        cookie.start_pos += chars;
        result = pack_cookie(&cookie);
    }
    else {
        decoder_state state;
        Py_ssize_t skip;
        if (text_decoder_save(&self->decoder, &state) < 0)
            goto done;
        int failed = find_safe_start(self, input, chars, &cookie, &skip);
        if (!failed && cookie.chars_to_skip > 0)
            failed = feed_rest(self, input, skip, &cookie);
        io_saved_error saved = { NULL, NULL, NULL };
        if (failed)
            io_error_save(&saved);
        int lost = text_decoder_restore(&self->decoder, &state);
        io_error_chain(&saved);
        if (!failed && !lost)
            result = pack_cookie(&cookie);
    }
done:
    Py_DECREF(input);
    return result;
}

/* ---- seek() ---- */

static int is_zero(PyObject *number)
{
    return PyObject_RichCompareBool(number, io_str.zero, Py_EQ);
}

/* seek(0, 2) */
static PyObject *seek_to_end(io_text *self)
{
    if (flush_by_method(self) < 0 || text_check_attached(self) < 0)
        return NULL;
    text_drop_decoded(self);
    if (self->decoder.codec != TEXT_CODEC_NONE && text_decoder_reset(&self->decoder) < 0)
        return NULL;
    if (text_check_attached(self) < 0)
        return NULL;
    PyObject *buffer = Py_NewRef(self->buffer);
    PyObject *position = PyObject_CallMethod(buffer, "seek", "ii", 0, 2);
    Py_DECREF(buffer);
    if (position == NULL)
        return NULL;
    int at_start = self->encoder_codec == TEXT_CODEC_OBJECT ? is_zero(position) : 0;
    if (at_start < 0 || text_encoder_start(self, at_start) < 0)
        Py_CLEAR(position);
    return position;
}

/* Puts the decoder where the cookie says, its start having been sought already. */
static int restore_decoder(io_text *self, const text_cookie *cookie)
{
    bool at_start = cookie->start_pos == 0 && cookie->dec_flags == 0;
    if (self->decoder.codec == TEXT_CODEC_NONE)
        return 0;
    return at_start ? text_decoder_reset(&self->decoder) : text_decoder_set(&self->decoder, cookie->dec_flags);
}

/* Reads and decodes again the text that the position lies in. */
static int redo_chunk(io_text *self, const text_cookie *cookie)
{
    if (cookie->chars_to_skip == 0 || self->decoder.codec == TEXT_CODEC_NONE) {
        self->snapshot_flags = cookie->dec_flags;
        Py_XSETREF(self->snapshot_input, Py_NewRef(io_str.empty_bytes));
        return 0;
    }
    PyObject *size = PyLong_FromLong(cookie->bytes_to_feed);
    if (size == NULL)
        return -1;
    PyObject *input = call_buffer(self, io_str.read, size);
    Py_DECREF(size);
    if (input == NULL)
        return -1;
    if (!PyBytes_Check(input)) {
        PyErr_Format(PyExc_TypeError, "underlying read() should have returned a bytes object, not '%.200s'",
                     Py_TYPE(input)->tp_name);
        Py_DECREF(input);
        return -1;
    }
    self->snapshot_flags = cookie->dec_flags;
    Py_XSETREF(self->snapshot_input, Py_NewRef(input));
    PyObject *text = text_decode(&self->decoder, self->errors, input, cookie->need_eof);
    Py_DECREF(input);
    if (text == NULL)
        return -1;
    Py_ssize_t len = PyUnicode_GET_LENGTH(text);
    text_set_decoded_steal(self, text);
    if (cookie->chars_to_skip < 0 || len < cookie->chars_to_skip) {
        PyErr_SetString(PyExc_OSError, "can't restore logical file position");
        return -1;
    }
    self->decoded_used = cookie->chars_to_skip;
    return 0;
}

static PyObject *seek_to_cookie(io_text *self, PyObject *cookie_obj)
{
    int negative = PyObject_RichCompareBool(cookie_obj, io_str.zero, Py_LT);
    if (negative != 0) {
        if (negative > 0)
            PyErr_Format(PyExc_ValueError, "negative seek position %R", cookie_obj);
        return NULL;
    }
    text_cookie cookie;
    if (flush_by_method(self) < 0 || unpack_cookie(cookie_obj, &cookie) < 0)
        return NULL;
    PyObject *start = PyLong_FromLongLong(cookie.start_pos);
    PyObject *position = start == NULL ? NULL : call_buffer(self, io_str.seek, start);
    Py_XDECREF(start);
    if (position == NULL)
        return NULL;
    Py_DECREF(position);
    text_drop_decoded(self);
    bool at_start = cookie.start_pos == 0 && cookie.dec_flags == 0;
    if (restore_decoder(self, &cookie) < 0 || redo_chunk(self, &cookie) < 0 || text_encoder_start(self, at_start) < 0)
        return NULL;
    return Py_NewRef(cookie_obj);
}

PyObject *text_seek(io_text *self, PyObject *cookie, int whence)
{
    if (text_check_attached(self) < 0 || text_check_open(self) < 0)
        return NULL;
    if (!self->seekable)
        return io_unsupported("underlying stream is not seekable");
    if (whence < SEEK_SET || whence > SEEK_END) {
        PyErr_Format(PyExc_ValueError, "invalid whence (%d, should be %d, %d or %d)", whence, SEEK_SET, SEEK_CUR,
                     SEEK_END);
        return NULL;
    }
    if (whence != SEEK_SET) {
        int zero = is_zero(cookie);
        if (zero < 0)
            return NULL;
        if (!zero)
            return io_unsupported(whence == SEEK_CUR ? "can't do nonzero cur-relative seeks"
                                                     : "can't do nonzero end-relative seeks");
    }
    if (whence == SEEK_END)
        return seek_to_end(self);
    if (whence == SEEK_SET)
        return seek_to_cookie(self, cookie);
    /* To the current position: brings the buffer's position in line with ours. */
    cookie = PyObject_CallMethodNoArgs((PyObject *)self, io_str.tell);
    if (cookie == NULL)
        return NULL;
    PyObject *result = seek_to_cookie(self, cookie);
    Py_DECREF(cookie);
    return result;
}
