/* UTF-7 (RFC 2152). */
#include <Python.h>
#include "unicode.h"
#include "unicode_codec.h"

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int base64_value(unsigned char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* ---- Decoding ---- */

/* A shifted sequence: between '+' and its end. */
typedef struct {
    int active;
    Py_ssize_t start;           /* of the '+' (or of another erroneous byte) in the input */
    Py_ssize_t out_start;       /* writer's position at that time */
    unsigned bits;              /* bits pending in buffer */
    uint64_t buffer;
    Py_UCS4 surrogate;          /* a high surrogate that waits for its second half, or 0 */
} shift_t;

static int take_digit(shift_t *shift, unicode_writer_t *w, int digit)
{
    shift->buffer = shift->buffer << 6 | (unsigned)digit;
    shift->bits += 6;
    if (shift->bits < 16)
        return 0;
    shift->bits -= 16;
    Py_UCS4 ch = (Py_UCS4)(shift->buffer >> shift->bits), high = shift->surrogate;
    shift->buffer &= ((uint64_t)1 << shift->bits) - 1;
    shift->surrogate = 0;
    if (high != 0) {
        if (Py_UNICODE_IS_LOW_SURROGATE(ch))
            return unicode_writer_write_char(w, Py_UNICODE_JOIN_SURROGATES(high, ch));
        if (unicode_writer_write_char(w, high) < 0)
            return -1;
    }
    if (Py_UNICODE_IS_HIGH_SURROGATE(ch)) {
        shift->surrogate = ch;
        return 0;
    }
    return unicode_writer_write_char(w, ch);
}

/* The byte c, no base64 digit, ends the sequence. Sets *reason if the sequence is wrong. */
static int leave_shift(shift_t *shift, unicode_writer_t *w, unsigned char c, const char **reason)
{
    shift->active = 0;
    if (shift->bits >= 6)
        *reason = "partial character in shift sequence";
    else if (shift->bits > 0 && shift->buffer != 0)
        *reason = "non-zero padding bits in shift sequence";
    if (*reason != NULL)
        return 0;
    if (shift->surrogate != 0 && c <= 127 && c != '+' && unicode_writer_write_char(w, shift->surrogate) < 0)
        return -1;
    shift->surrogate = 0;
    return 0;
}

PyObject *PyUnicode_DecodeUTF7Stateful(const char *s, Py_ssize_t size, const char *errors, Py_ssize_t *consumed)
{
    unicode_decoder_t d;
    unicode_writer_t w;
    unicode_decoder_init(&d, "utf7", errors, s, size);
    unicode_writer_init_sized(&w, size);
    shift_t shift = {0};
    PyObject *result = NULL;
    Py_ssize_t pos = 0;
    for (;;) {
        const char *reason = NULL;
        if (pos >= d.end - d.start) {
            if (!shift.active || consumed != NULL)
                break;
            shift.active = 0;
            if (shift.surrogate == 0 && shift.bits < 6 && (shift.bits == 0 || shift.buffer == 0))
                break;
            reason = "unterminated shift sequence";
            pos = d.end - d.start;
        }
        else {
            unsigned char c = (unsigned char)d.start[pos];
            int digit = base64_value(c), next = -1;
            if (shift.active && digit >= 0) {
                pos++;
                if (take_digit(&shift, &w, digit) < 0)
                    goto done;
            }
            else if (shift.active) {
                if (leave_shift(&shift, &w, c, &reason) < 0)
                    goto done;
                if (reason != NULL || c == '-')
                    pos++;
            }
            else if (c == '+') {
                shift = (shift_t){.start = pos, .out_start = w.pos};
                pos++;
                next = pos < d.end - d.start ? (unsigned char)d.start[pos] : -1;
                if (next == '-') {
                    pos++;
                    if (unicode_writer_write_char(&w, '+') < 0)
                        goto done;
                }
                else if (next >= 0 && base64_value((unsigned char)next) < 0) {
                    pos++;
                    reason = "ill-formed sequence";
                }
                else
                    shift.active = 1;
            }
            else if (c < 128) {
                pos++;
                if (unicode_writer_write_char(&w, c) < 0)
                    goto done;
            }
            else {
                shift.start = pos++;
                reason = "unexpected special character";
            }
        }
        if (reason == NULL)
            continue;
        pos = unicode_decoder_error(&d, &w, shift.start, pos, reason);
        if (pos < 0)
            goto done;
        if (pos >= d.end - d.start && !shift.active)
            break;
    }
    if (consumed != NULL) {
        *consumed = pos;
        if (shift.active) {     /* the sequence is read again when there is more input */
            *consumed = shift.start;
            w.pos = shift.out_start;
        }
    }
    result = unicode_writer_finish(&w);
done:
    unicode_writer_dealloc(&w);
    unicode_decoder_fini(&d);
    return result;
}

PyObject *PyUnicode_DecodeUTF7(const char *s, Py_ssize_t size, const char *errors)
{
    return PyUnicode_DecodeUTF7Stateful(s, size, errors, NULL);
}

/* ---- Encoding ---- */

static int is_direct(Py_UCS4 ch, int optional, int whitespace)
{
    if (ch == 0 || ch >= 128)
        return 0;
    if (isalnum((int)ch) || strchr("'(),-./:?", (int)ch) != NULL)
        return 1;
    if (strchr(" \t\r\n", (int)ch) != NULL)
        return whitespace;
    return optional && strchr("!\"#$%&*;<=>@[]^_`{|}", (int)ch) != NULL;
}

PyObject *_PyUnicode_EncodeUTF7(PyObject *str, int base64SetO, int base64WhiteSpace,
                                const char *Py_UNUSED(errors))
{
    if (!PyUnicode_Check(str)) {
        PyErr_BadArgument();
        return NULL;
    }
    byte_writer_t w;
    byte_writer_init(&w);
    int shifted = 0;
    unsigned bits = 0;
    uint64_t buffer = 0;
    Py_ssize_t n = PyUnicode_GET_LENGTH(str);
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 ch = PyUnicode_READ_CHAR(str, i);
        if (byte_writer_prepare(&w, 12) < 0) {
            byte_writer_dealloc(&w);
            return NULL;
        }
        if (is_direct(ch, !base64SetO, !base64WhiteSpace)) {
            if (shifted) {
                if (bits > 0)
                    w.data[w.length++] = base64_digits[(buffer << (6 - bits)) & 63];
                bits = 0;
                buffer = 0;
                shifted = 0;
                if (base64_value((unsigned char)ch) >= 0 || ch == '-')
                    w.data[w.length++] = '-';
            }
            w.data[w.length++] = (char)ch;
            continue;
        }
        if (!shifted) {
            w.data[w.length++] = '+';
            if (ch == '+') {
                w.data[w.length++] = '-';
                continue;
            }
            shifted = 1;
        }
        if (ch >= 0x10000) {
            buffer = buffer << 16 | Py_UNICODE_HIGH_SURROGATE(ch);
            bits += 16;
            for (; bits >= 6; bits -= 6)
                w.data[w.length++] = base64_digits[(buffer >> (bits - 6)) & 63];
            ch = Py_UNICODE_LOW_SURROGATE(ch);
        }
        buffer = buffer << 16 | ch;
        bits += 16;
        for (; bits >= 6; bits -= 6)
            w.data[w.length++] = base64_digits[(buffer >> (bits - 6)) & 63];
        buffer &= ((uint64_t)1 << bits) - 1;
    }
    if ((bits > 0 && byte_writer_write_byte(&w, (unsigned char)base64_digits[(buffer << (6 - bits)) & 63]) < 0)
        || (shifted && byte_writer_write_byte(&w, '-') < 0)) {
        byte_writer_dealloc(&w);
        return NULL;
    }
    return byte_writer_finish(&w);
}
