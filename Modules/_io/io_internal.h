/* What the files of the _io module share.
 *
 * Layers inside the module, lowest first:
 *   io_util, io_lock  ->  iobase, *_base  ->  fileio, bytesio, stringio, newline_decoder
 *   ->  buffered_*  ->  textio_*  ->  io_open  ->  io_module
 *
 * Locking
 *   FileIO             descriptors change under the object's critical section; reads and writes take no lock
 *   Buffered*          an io_lock per object, held across calls of the raw stream (so two threads never
 *                      interleave inside one buffer); the same thread coming back is a RuntimeError
 *   BytesIO, StringIO  one critical section per method; nothing in it runs Python code
 *   TextIOWrapper,     one critical section per method. It is suspended while the buffer or a codec runs,
 *   IncrementalNewlineDecoder   so every such call is followed by a re-check of what it may have changed
 *   reading text       what is read ahead is handed out in the critical section alone; who has to read more than that holds the
 *                      io_lock `read_lock` of the TextIOWrapper until its line or text is whole, others wait for it. The same thread coming
 *                      back (from a codec or raw stream written in Python) reads on, and so does one whose wait would never end, since
 *                      another waits for what it holds. Closing and writing do not take it.
 */
#ifndef BRAID_MODULES_IO_INTERNAL_H
#define BRAID_MODULES_IO_INTERNAL_H

#include <Python.h>
#include <structmember.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#define IO_DEFAULT_BUFFER_SIZE 8192
#define IO_METHOD(name) ((PyCFunction)(void (*)(void))(name))

/* ---- names used for attribute look-ups, interned when the module is made ---- */

#define IO_NAMES(X)                                                                                            \
    X(close) X(closed) X(decode) X(encode) X(fileno) X(flush) X(getstate) X(isatty) X(mode) X(name)            \
    X(newlines) X(peek) X(raw) X(read) X(read1) X(readable) X(readall) X(readinto) X(readinto1) X(readline)    \
    X(reset) X(seek) X(seekable) X(setstate) X(tell) X(truncate) X(writable) X(write) X(writelines)            \
    X(extend) X(_finalizing) X(_dealloc_warn) X(__IOBase_closed) X(_blksize) X(strict)                         \
    X(_is_text_encoding) X(incrementaldecoder) X(incrementalencoder) X(lookup) X(_checkClosed)

#define IO_DECLARE_NAME(name) PyObject *name;
typedef struct {
    IO_NAMES(IO_DECLARE_NAME)
    PyObject *empty;         /* '' */
    PyObject *empty_bytes;   /* b'' */
    PyObject *newline;       /* '\n' */
    PyObject *zero;
} io_names;
extern io_names io_str;      /* [const] after the module's first initialisation; immortal */

extern PyObject *io_unsupported_operation;   /* [const] the UnsupportedOperation exception */

/* ---- io_util.c ---- */

/* Looks name up on obj.
 * Returns  1 and a new reference in *result, 0 with *result NULL when absent, -1 with an exception set
 * Escapes  yes */
int io_lookup_attr(PyObject *obj, PyObject *name, PyObject **result);

/* Raises UnsupportedOperation(message). Returns NULL. */
PyObject *io_unsupported(const char *message);

/* Checks the number of positional arguments of a METH_FASTCALL method; -1 with TypeError set. */
int io_check_nargs(const char *name, Py_ssize_t nargs, Py_ssize_t min, Py_ssize_t max);

/* Converts an optional size: None leaves *result alone, an index is stored. 0, or -1 with TypeError set. */
int io_size_or_none(PyObject *arg, Py_ssize_t *result);

/* As io_size_or_none, but None is a TypeError too. */
int io_size(PyObject *arg, Py_ssize_t *result);

/* A C int from an index object; -1 with the exception set on failure. */
int io_int(PyObject *arg, int *result);

/* Gets a writable C-contiguous buffer for `method() argument`; -1 with TypeError set. */
int io_writable_buffer(const char *method, PyObject *arg, Py_buffer *view);

/* True (exception cleared) when the current exception is OSError with errno EINTR: the call is to be
 * repeated, Python's signal handlers having run. */
bool io_trap_eintr(void);

/* The current exception is put away and taken up again around clean-up calls. */
typedef struct {
    PyObject *type, *value, *traceback;
} io_saved_error;
void io_error_save(io_saved_error *saved);
/* Raises the saved exception, or, if another one came up since, makes the saved one its context. */
void io_error_chain(io_saved_error *saved);
/* As above the other way round: the saved exception stays the one raised. */
void io_error_restore(io_saved_error *saved);

/* inner.name, for an attribute of a stream that is one of the stream below it. Streams nest, so depth is checked. */
PyObject *io_forward_attribute(PyObject *inner, PyObject *name);

/* bool(obj.name()); -1 with an exception set. */
int io_call_bool(PyObject *obj, PyObject *name);

/* obj.closed as a truth value; -1 with an exception set. */
int io_is_closed(PyObject *obj);

/* Raises ValueError when obj.closed. 0 or -1. */
int io_check_closed(PyObject *obj);
/* Raise UnsupportedOperation unless obj.readable()... 0 or -1. */
int io_check_readable(PyObject *obj);
int io_check_writable(PyObject *obj);
int io_check_seekable(PyObject *obj);

/* True when looking up `name` on obj finds the method of obj's own static type `type`: obj is an exact
 * instance and nobody put an attribute of that name into its __dict__. The callers then use the C
 * function behind the method. The caller has checked Py_TYPE(obj) == type. */
bool io_method_is_plain(PyObject *obj, PyObject *name);

/* sys.flags.<name> as a C long; 0 when there is none. Never leaves an exception set. */
long io_sys_flag(const char *name);

/* Flags that are looked at without a lock. */
static inline bool io_flag(const char *flag)
{
    return __atomic_load_n(flag, __ATOMIC_RELAXED);
}
static inline void io_flag_set(char *flag, bool value)
{
    __atomic_store_n(flag, (char)value, __ATOMIC_RELAXED);
}

/* ---- io_lock.c ---- */

/* The lock of a buffered stream: not recursive, knows its owner, and usable at shutdown and after fork. */
typedef struct {
    PyMutex mutex;
    unsigned long owner;        /* [atomic] ident of the thread inside, 0: none */
    unsigned generation;        /* [atomic] fork generation the lock was last known good in */
} io_lock;

void io_lock_init(io_lock *lock);
/* Takes the lock for a method of `self`.
 * Returns  0, or -1 with RuntimeError set: re-entrant call (also if who has the lock waits, itself or through others, for one that this
 *          thread has), or not to be had at shutdown
 * Escapes  may detach while waiting */
int io_lock_enter(io_lock *lock, PyObject *self);
/* The same.
 * Returns  1: taken; 0, without an exception: who has the lock waits for this thread; -1 */
int io_lock_enter_unless_circle(io_lock *lock, PyObject *self);
void io_lock_leave(io_lock *lock);
/* Does the calling thread hold it? */
bool io_lock_is_mine(io_lock *lock);
/* Called once by the module's initialisation. */
int io_lock_setup(void);

/* ---- iobase.c and the other abstract bases ---- */

/* The head of every instance of the module's stream types. */
#define IO_OBJECT_HEAD                                                                                         \
    PyObject_HEAD                                                                                              \
    PyObject *dict;                                                                                            \
    PyObject *weakreflist;

typedef struct {
    IO_OBJECT_HEAD
} io_base;

extern PyTypeObject io_IOBase_type, io_RawIOBase_type, io_BufferedIOBase_type, io_TextIOBase_type;
extern PyTypeObject io_FileIO_type, io_BytesIO_type, io_BytesIOBuffer_type, io_StringIO_type;
extern PyTypeObject io_BufferedReader_type, io_BufferedWriter_type, io_BufferedRandom_type, io_BufferedRWPair_type;
extern PyTypeObject io_NewlineDecoder_type, io_TextIOWrapper_type;

/* First half of every tp_dealloc: runs the finaliser (close()) unless it ran.
 * Returns  0, or -1 when self was resurrected and must be left alone */
int iobase_finalize(PyObject *self);
/* tp_finalize of the streams: closes an open stream. */
void iobase_tp_finalize(PyObject *self);
/* Clears the head's dict. Part of tp_clear and tp_dealloc. */
void iobase_clear_dict(PyObject *self);

/* ---- fileio.c ---- */

/* True if the exact FileIO is closed. */
bool fileio_is_closed(PyObject *self);
/* The three calls below do what the methods do, without the objects in between; self is an exact FileIO.
 * Return  a count or position; -1 with an exception set; IO_WOULD_BLOCK */
#define IO_WOULD_BLOCK (-2)
Py_ssize_t fileio_readinto(PyObject *self, char *buf, Py_ssize_t len);
Py_ssize_t fileio_write(PyObject *self, const char *buf, Py_ssize_t len);
off_t fileio_seek(PyObject *self, off_t target, int whence);
PyObject *fileio_readall(PyObject *self);

/* ---- buffered_*.c ---- */

typedef struct {
    IO_OBJECT_HEAD
    PyObject *raw;            /* [lock] NULL: never initialised, or detached */
    char ok, detached;        /* [atomic] written under the lock, but for __init__ */
    char readable, writable;  /* [lock] */
    char plain;               /* [lock] exact type over an exact FileIO */
    char finalizing;          /* [atomic] */
    io_lock lock;
    /* All below [lock]. The buffer holds either bytes read ahead or bytes to be written, never both:
     *   reading   buf[0, rend) is the stream's content before raw_pos; buf[rpos, rend) was not consumed yet
     *   writing   buf[wpos, wend) is to be written at raw_pos */
    char *buf;                /* NULL once closed; __sizeof__ asks for these two without the lock */
    Py_ssize_t size;
    Py_ssize_t rpos, rend;
    Py_ssize_t wpos, wend;
    off_t raw_pos;            /* position of the raw stream; -1: unknown */
} io_buffered;

static inline void buffered_set_buffer(io_buffered *self, char *buf, Py_ssize_t size)
{
    __atomic_store_n(&self->buf, buf, __ATOMIC_RELAXED);
    __atomic_store_n(&self->size, size, __ATOMIC_RELAXED);
}
static inline Py_ssize_t buffered_readahead(const io_buffered *self)
{
    return self->rend - self->rpos;
}
static inline Py_ssize_t buffered_dirty(const io_buffered *self)
{
    return self->wend - self->wpos;
}
static inline void buffered_drop_readahead(io_buffered *self)
{
    self->rpos = self->rend = 0;
}
static inline void buffered_drop_dirty(io_buffered *self)
{
    self->wpos = self->wend = 0;
}

/* Raises ValueError and returns -1 unless self can be used. The caller holds no lock or the io_lock. */
int buffered_check_init(io_buffered *self);
/* True if closed; -1 with an exception set. */
int buffered_is_closed(io_buffered *self);
/* Raises ValueError(message) and returns -1 when closed. */
int buffered_check_open(io_buffered *self, const char *message);

/* Under the io_lock; may run Python code (the raw stream's), which cannot get into this object.
 * The raw stream's calls: a count, -1 with an exception set, IO_WOULD_BLOCK. They keep raw_pos. */
Py_ssize_t buffered_raw_read(io_buffered *self, char *start, Py_ssize_t len);
Py_ssize_t buffered_raw_write(io_buffered *self, const char *start, Py_ssize_t len);
off_t buffered_raw_seek(io_buffered *self, off_t target, int whence);
off_t buffered_raw_tell(io_buffered *self);
/* Writes the dirty bytes out. 0, or -1 with an exception set, BlockingIOError in particular. */
int buffered_flush_dirty(io_buffered *self);
/* Moves the raw stream to the logical position, dropping what was read ahead; writes the dirty bytes first. */
int buffered_flush_and_rewind(io_buffered *self);
/* Raises BlockingIOError with characters_written. */
void buffered_set_blocking_error(Py_ssize_t written);

/* Methods; each takes the lock itself. */
PyObject *buffered_read(PyObject *self, PyObject *const *args, Py_ssize_t nargs);
PyObject *buffered_read1(PyObject *self, PyObject *const *args, Py_ssize_t nargs);
PyObject *buffered_peek(PyObject *self, PyObject *const *args, Py_ssize_t nargs);
PyObject *buffered_readinto(PyObject *self, PyObject *arg);
PyObject *buffered_readinto1(PyObject *self, PyObject *arg);
PyObject *buffered_readline(PyObject *self, PyObject *const *args, Py_ssize_t nargs);
PyObject *buffered_iternext(PyObject *self);
PyObject *buffered_write(PyObject *self, PyObject *arg);
/* What TextIOWrapper uses of a plain buffered object. */
PyObject *buffered_read1_size(io_buffered *self, Py_ssize_t size);
Py_ssize_t buffered_write_memory(io_buffered *self, const char *data, Py_ssize_t len);

/* Is obj an exact buffered object of the module (reader, writer or random)? */
static inline bool buffered_is_exact(PyObject *obj)
{
    return Py_IS_TYPE(obj, &io_BufferedReader_type) || Py_IS_TYPE(obj, &io_BufferedWriter_type) ||
           Py_IS_TYPE(obj, &io_BufferedRandom_type);
}

/* ---- newline_decoder.c ---- */

enum { NL_SEEN_LF = 1, NL_SEEN_CR = 2, NL_SEEN_CRLF = 4 };

/* Newline translation between two chunks of text. */
typedef struct {
    char translate;      /* make every line end a '\n' */
    char pending_cr;     /* a '\r' at the end of the last chunk is held back */
    unsigned char seen;  /* NL_SEEN_* */
} newline_state;

/* Translates one chunk.
 * Steals   text, on failure too
 * Returns  a new str or NULL with an exception set, *state then unchanged
 * Escapes  never */
PyObject *newline_translate_steal(newline_state *state, PyObject *text, bool final);
/* The value of a `newlines` attribute: None, a str or a tuple. */
PyObject *newline_seen_value(unsigned seen);

/* ---- textio_*.c ---- */

enum text_codec {
    TEXT_CODEC_NONE,      /* not readable or not writable */
    TEXT_CODEC_UTF8, TEXT_CODEC_ASCII, TEXT_CODEC_LATIN1,
    TEXT_CODEC_OBJECT,    /* an incremental codec object */
};

/* All that a decoder remembers between two chunks. */
typedef struct {
    PyObject *object;             /* what getstate() of an OBJECT decoder returned; owned */
    newline_state newlines;
    unsigned char pending[4];
    unsigned char n_pending;
} decoder_state;

typedef struct {
    enum text_codec codec;
    PyObject *object;             /* OBJECT: the decoder (inside an IncrementalNewlineDecoder if universal) */
    char universal;               /* built-in codec: translate with newlines */
    newline_state newlines;
    unsigned char pending[4];     /* UTF8: the start of an unfinished character */
    unsigned char n_pending;
} text_decoder;

/* All fields [lock], the lock being suspended wherever other code runs. */
typedef struct {
    IO_OBJECT_HEAD
    char ok, detached;
    char line_buffering, write_through;
    char readuniversal, readtranslate, writetranslate;
    char seekable, telling, has_read1, finalizing;
    Py_ssize_t chunk_size;
    PyObject *buffer;             /* NULL: uninitialised or detached */
    PyObject *raw;                /* the exact FileIO under an exact buffered object, else NULL: tells `closed` */
    PyObject *encoding, *errors;  /* str */
    const char *readnl, *writenl; /* static strings; readnl NULL: universal with translation; writenl NULL: "\n" */
    enum text_codec encoder_codec;
    PyObject *encoder;            /* OBJECT: the encoder */
    text_decoder decoder;
    io_lock read_lock;            /* outermost: taken before the critical section */
    char reading;                 /* somebody holds read_lock and is in the middle of a line or text */
    /* Text read ahead: decoded[decoded_used:] is still to be handed out. */
    PyObject *decoded;            /* str or NULL */
    Py_ssize_t decoded_used;
    /* Where that text came from, for tell(): the flags of the decoder before it, when it held no bytes, and
     * the bytes it was fed since. */
    PyObject *snapshot_input;     /* bytes; NULL: no snapshot */
    int snapshot_flags;
    double bytes_per_char;        /* of the last chunk; 0: not known */
    /* Encoded text that is to be written. */
    char *pending;
    Py_ssize_t n_pending, pending_room;
} io_text;

/* All functions below run in the object's critical section unless they say otherwise. They return -1 or NULL
 * with an exception set on failure. */

/* 0 if initialised and not detached. */
int text_check_attached(io_text *self);
/* 0 if open as well. Escapes, except over an exact FileIO. */
int text_check_open(io_text *self);

/* textio_codec.c. Escape where the codec is an OBJECT or has a user-defined error handler. */

/* Looks the encoding up and makes the encoder and decoder, as the buffer is readable and writable. */
int text_set_codecs(io_text *self, PyObject *buffer, PyObject *encoding, PyObject *errors);
/* The name of the encoding to be used for the argument `encoding`, which may be None. A new reference. */
PyObject *text_encoding_name(PyObject *encoding);
PyObject *text_decode(text_decoder *decoder, PyObject *errors, PyObject *input, bool final);
int text_decoder_reset(text_decoder *decoder);
/* The bytes held back (a new reference) and the flags. */
int text_decoder_get(text_decoder *decoder, PyObject **held, int *flags);
/* Puts the decoder into the state with these flags and nothing held back. */
int text_decoder_set(text_decoder *decoder, int flags);
int text_decoder_save(text_decoder *decoder, decoder_state *state);
/* Steals what is in *state, on failure too. */
int text_decoder_restore(text_decoder *decoder, decoder_state *state);
PyObject *text_decoder_newlines(text_decoder *decoder);
/* Puts the encoder at the start of a stream, where it writes a byte order mark, or behind it. */
int text_encoder_start(io_text *self, bool start_of_stream);
/* Appends the encoded text to self->pending. */
int text_encode_pending(io_text *self, PyObject *text);

/* textio_write.c; both escape. */
int text_write_pending(io_text *self);
int text_write(io_text *self, PyObject *text);

/* textio_read.c */
/* Replaces the text read ahead; text may be NULL. Steals text. */
void text_set_decoded_steal(io_text *self, PyObject *text);
/* Forgets the text read ahead and where it came from. */
void text_drop_decoded(io_text *self);
PyObject *text_read(io_text *self, Py_ssize_t n);
PyObject *text_readline(io_text *self, Py_ssize_t limit);
/* The next line, or n characters (n >= 0), if they are read ahead and nobody is in the middle of reading. NULL without an exception: not so. */
PyObject *text_quick_line(io_text *self);
PyObject *text_quick_read(io_text *self, Py_ssize_t n);

/* Outside the critical section: takes the read lock.  Returns  what text_end_reading is to be told, or -1 with an exception */
int text_begin_reading(io_text *self);
void text_end_reading(io_text *self, int begun);

/* Searches data[start, end) for the end of a line; newline is looked at only without the two flags.
 * Returns  index after the line's end, or -1 */
Py_ssize_t text_find_line_end(bool translated, bool universal, const char *newline, int kind, const void *data,
                              Py_ssize_t start, Py_ssize_t end);

/* textio_seek.c; both escape. */
PyObject *text_tell(io_text *self);
PyObject *text_seek(io_text *self, PyObject *cookie, int whence);

/* textio_init.c */
int textio_init(PyObject *self, PyObject *args, PyObject *kwds);
PyObject *textio_reconfigure(PyObject *self, PyObject *args, PyObject *kwds);
/* The static string equal to a newline argument, or NULL if it is none of the legal ones. */
const char *text_static_newline(const char *newline);

/* ---- io_open.c ---- */
PyObject *io_open(PyObject *module, PyObject *args, PyObject *kwds);
PyObject *io_open_code(PyObject *module, PyObject *args, PyObject *kwds);
PyObject *io_text_encoding(PyObject *module, PyObject *const *args, Py_ssize_t nargs);

#endif
