/* What the files of the _multibytecodec module share. */
#ifndef BRAID_MULTIBYTE_H
#define BRAID_MULTIBYTE_H

#define PY_SSIZE_T_CLEAN
#include "internal/module.h"

/* ---- charset.c ---- */

/* Single bytes above 0x80; 0x8F and two bytes; four bytes; syllables spelled out in eight bytes. */
enum { CHARSET_SJIS = 1, CHARSET_EUC3 = 2, CHARSET_GB18030 = 4, CHARSET_EUC_KR = 8, CHARSET_STATEFUL = 16 };
enum { LONGEST_SEQUENCE = 16 };
#define NO_CHARACTER ((Py_UCS4)-1)        /* bytes that stand for none, such as escape sequences */

/* What HZ and ISO 2022 remember between characters. */
typedef struct {
    unsigned char g0, g2, shifted, started;
    uint64_t raw;               /* what setstate() was given by an encoding without a state */
} multibyte_state_t;

/* Two code points that one sequence of bytes stands for. */
typedef struct { Py_UCS4 first, second; uint16_t bytes; } pair_t;

/* The tables are made under a mutex at the first use, and published by `ready`. */
typedef struct charset {
    const char *name, *iconv_name;      /* [const] */
    int flags;                          /* [const] */
    int ready;                          /* [atomic] */
    Py_UCS4 single[256];                /* code point + 1; 0: none */
    Py_UCS4 *two;                       /* by both bytes; the same */
    Py_UCS4 *three;                     /* by the two bytes behind 0x8F */
    uint16_t *four;                     /* GB18030 in the BMP, by number */
    uint32_t *encode;                   /* by code point below 0x30000: the bytes, and their number (1 to 3) on top; four bytes as such */
    pair_t *pairs;
    int pair_count;
} charset_t;

/* The charset, or NULL with LookupError (or MemoryError). */
charset_t *charset_find(const char *name, const char *const *allowed);

enum { TOO_SHORT = 0, ILLEGAL = -1 };
/* Decodes one character: the number of bytes, TOO_SHORT or ILLEGAL. chars: one or two (second 0: one). */
int charset_decode(const charset_t *charset, const unsigned char *data, Py_ssize_t n, Py_UCS4 chars[2]);
/* Encodes one character at str[i]: the number of bytes put into out (LONGEST_SEQUENCE at most), TOO_SHORT (more characters may follow that
 * belong to it; not if final) or ILLEGAL. *used: code points. */
int charset_encode(const charset_t *charset, PyObject *str, Py_ssize_t i, int final, unsigned char *out, int *used);

/* ---- stateful.c: the same for encodings with a state; a negative result of decoding is minus the length of the error ---- */

int stateful_prepare(const charset_t *charset);     /* 0, or -1 with an exception */
int stateful_decode(const charset_t *charset, multibyte_state_t *state, const unsigned char *data, Py_ssize_t n, Py_UCS4 chars[2]);
int stateful_encode(const charset_t *charset, multibyte_state_t *state, Py_UCS4 cp, unsigned char *out);
/* The state as eight bytes, and back; anything is accepted. */
void stateful_export(const charset_t *charset, const multibyte_state_t *state, unsigned char bytes[8]);
void stateful_import(const charset_t *charset, multibyte_state_t *state, const unsigned char bytes[8]);
/* The bytes that lead back to the initial state. */
int stateful_reset(const charset_t *charset, multibyte_state_t *state, unsigned char *out);

/* ---- convert.c ---- */

/* state: read and changed, on success. Encodes str. final 0: *consumed tells how far it could go. */
PyObject *multibyte_encode(const charset_t *charset, multibyte_state_t *state, PyObject *str, const char *errors, int final, Py_ssize_t *consumed);
/* Decodes n bytes. final 0: an incomplete sequence at the end is left; *consumed tells how far it went. */
PyObject *multibyte_decode(const charset_t *charset, multibyte_state_t *state, const char *data, Py_ssize_t n, const char *errors, int final,
                           Py_ssize_t *consumed);

/* ---- codec.c, incremental.c, stream.c ---- */

typedef struct {
    PyObject_HEAD
    charset_t *charset;         /* [const] */
} codec_t;
extern PyTypeObject codec_type, incremental_encoder_type, incremental_decoder_type, stream_reader_type, stream_writer_type;

PyObject *codec_new(const char *name, const char *const *allowed);
/* The charset of the class attribute `codec`, or NULL with an exception. */
charset_t *codec_of_class(PyTypeObject *type);
/* The attribute errors: a str object. */
int set_errors_attribute(PyObject *self, PyObject **field, PyObject *value);

#endif /* BRAID_MULTIBYTE_H */
