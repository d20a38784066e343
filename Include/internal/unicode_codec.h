/* What the built-in codecs share: calling error handlers, and reading error handler names.
 *
 * A codec loop that meets an error first tries the handlers it knows itself (unicode_error_handler_of), then calls
 * unicode_decode_error or unicode_encode_error, which raise for "strict" and otherwise ask the registered handler. */
#ifndef BRAID_UNICODE_CODEC_H
#define BRAID_UNICODE_CODEC_H

#include "unicode.h"
#include "unicode_writer.h"

/* In development mode the names of encoding and error handler (either may be NULL) are looked up before they are needed.
 * Returns  0, or -1 with LookupError. Escapes */
int unicode_check_codec_names(const char *encoding, const char *errors);
extern int unicode_checks_codec_names;      /* [const] after start-up */

/* State of a decoder that has met errors. */
typedef struct {
    const char *encoding;
    const char *errors;
    enum unicode_error_handler handler;     /* UNKNOWN until the first error */
    PyObject *callback;                     /* counted; registered handler or NULL */
    PyObject *exception;                    /* counted; UnicodeDecodeError or NULL */
    PyObject *input;                        /* counted; bytes that a handler has put in place of the input, or NULL */
    const char *start, *end;                /* the whole input; changes if a handler replaces it */
} unicode_decoder_t;

void unicode_decoder_init(unicode_decoder_t *d, const char *encoding, const char *errors, const char *s,
                          Py_ssize_t size);
void unicode_decoder_fini(unicode_decoder_t *d);
/* Handles the undecodable bytes [from, to) of the input: writes the replacement to w.
 * Returns  where to go on (an offset into the input), or -1 with an exception set
 * Escapes  yes: d->start and d->end may have changed */
Py_ssize_t unicode_decoder_error(unicode_decoder_t *d, unicode_writer_t *w, Py_ssize_t from, Py_ssize_t to,
                                 const char *reason);

/* State of an encoder that has met errors. */
typedef struct {
    const char *encoding;
    const char *errors;
    PyObject *str;                          /* [borrowed] */
    enum unicode_error_handler handler;
    PyObject *callback;
    PyObject *exception;
} unicode_encoder_t;

void unicode_encoder_init(unicode_encoder_t *e, const char *encoding, const char *errors, PyObject *str);
void unicode_encoder_fini(unicode_encoder_t *e);
/* Asks the registered handler about str[from:to].
 * Returns  the replacement (str or bytes, new reference) and in *next where to go on; NULL with an exception set */
PyObject *unicode_encoder_error(unicode_encoder_t *e, Py_ssize_t from, Py_ssize_t to, const char *reason,
                                Py_ssize_t *next);
/* Raises UnicodeEncodeError for str[from:to]. */
void unicode_encoder_raise(unicode_encoder_t *e, Py_ssize_t from, Py_ssize_t to, const char *reason);

/* A growing array of bytes. */
typedef struct {
    char *data;
    Py_ssize_t length, size;
    char inline_data[512];
} byte_writer_t;

void byte_writer_init(byte_writer_t *w);
int byte_writer_grow(byte_writer_t *w, Py_ssize_t extra);
static inline int byte_writer_prepare(byte_writer_t *w, Py_ssize_t extra)
{
    return Py_LIKELY(extra <= w->size - w->length) ? 0 : byte_writer_grow(w, extra);
}
static inline int byte_writer_write_byte(byte_writer_t *w, unsigned char b)
{
    if (byte_writer_prepare(w, 1) < 0)
        return -1;
    w->data[w->length++] = (char)b;
    return 0;
}
int byte_writer_write(byte_writer_t *w, const void *data, Py_ssize_t n);
/* bytes object; the writer is empty afterwards. */
PyObject *byte_writer_finish(byte_writer_t *w);
void byte_writer_dealloc(byte_writer_t *w);

/* Length of the ASCII prefix of s. */
static inline Py_ssize_t unicode_ascii_prefix(const unsigned char *s, Py_ssize_t n)
{
    Py_ssize_t i = 0;
    while (n - i >= 8) {
        uint64_t w;
        memcpy(&w, s + i, 8);
        w &= 0x8080808080808080u;
        if (w != 0)
            return i + (__builtin_ctzll(w) >> 3);
        i += 8;
    }
    while (i < n && s[i] < 128)
        i++;
    return i;
}

#endif /* BRAID_UNICODE_CODEC_H */
