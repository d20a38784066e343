/* The encoder and decoder of a TextIOWrapper. utf-8, ascii and latin-1 are done here without codec objects;
 * all other encodings go through the incremental codecs of the codec registry. */
#include "io_internal.h"
#include "internal/stable_buffer.h"

#include <langinfo.h>

/* ---- which codec ---- */

PyObject *text_encoding_name(PyObject *encoding)
{
    bool locale = encoding != Py_None && PyUnicode_CompareWithASCIIString(encoding, "locale") == 0;
    if (encoding != Py_None && !locale)
        return Py_NewRef(encoding);
    if (!locale && io_sys_flag("utf8_mode") > 0)
        return PyUnicode_FromString("utf-8");
    const char *name = nl_langinfo(CODESET);
    return PyUnicode_DecodeLocale(name == NULL || *name == 0 ? "UTF-8" : name, NULL);
}

static enum text_codec builtin_codec(PyObject *encoding)
{
    static const struct {
        const char *name;
        enum text_codec codec;
    } names[] = {
        { "utf-8", TEXT_CODEC_UTF8 },        { "utf8", TEXT_CODEC_UTF8 },
        { "ascii", TEXT_CODEC_ASCII },       { "us-ascii", TEXT_CODEC_ASCII },
        { "latin-1", TEXT_CODEC_LATIN1 },    { "latin1", TEXT_CODEC_LATIN1 },
        { "iso-8859-1", TEXT_CODEC_LATIN1 }, { "iso8859-1", TEXT_CODEC_LATIN1 },
    };
    char normal[16];
    Py_ssize_t len = PyUnicode_GET_LENGTH(encoding);
    if (len >= (Py_ssize_t)sizeof(normal))
        return TEXT_CODEC_OBJECT;
    for (Py_ssize_t i = 0; i < len; i++) {
        Py_UCS4 c = PyUnicode_READ_CHAR(encoding, i);
        if (c >= 128 || c == 0)
            return TEXT_CODEC_OBJECT;
        normal[i] = c == '_' ? '-' : (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    normal[len] = 0;
    for (size_t i = 0; i < Py_ARRAY_LENGTH(names); i++)
        if (strcmp(normal, names[i].name) == 0)
            return names[i].codec;
    return TEXT_CODEC_OBJECT;
}

/* The CodecInfo of an encoding that is one of text. */
static PyObject *lookup_text_codec(PyObject *encoding)
{
    Py_ssize_t len;
    const char *name = PyUnicode_AsUTF8AndSize(encoding, &len);
    if (name == NULL)
        return NULL;
    if (strlen(name) != (size_t)len) {
        PyErr_Format(PyExc_LookupError, "unknown encoding: %s", name);
        return NULL;
    }
    PyObject *codecs = PyImport_ImportModule("_codecs"), *is_text;
    if (codecs == NULL)
        return NULL;
    PyObject *info = PyObject_CallMethodOneArg(codecs, io_str.lookup, encoding);
    Py_DECREF(codecs);
    if (info == NULL)
        return NULL;
    int found = io_lookup_attr(info, io_str._is_text_encoding, &is_text);
    int truth = found > 0 ? PyObject_IsTrue(is_text) : found < 0 ? -1 : 1;
    Py_XDECREF(is_text);
    if (truth == 0)
        PyErr_Format(PyExc_LookupError,
                     "'%.400U' is not a text encoding; use codecs.open() to handle arbitrary codecs", encoding);
    if (truth <= 0)
        Py_CLEAR(info);
    return info;
}

/* info.<name>(errors) */
static PyObject *make_codec(PyObject *info, PyObject *name, PyObject *errors)
{
    PyObject *factory = PyObject_GetAttr(info, name);
    PyObject *codec = factory == NULL ? NULL : PyObject_CallOneArg(factory, errors);
    Py_XDECREF(factory);
    return codec;
}

/* The decoder object for an encoding that is not built in. */
static PyObject *make_decoder(io_text *self, PyObject *info, PyObject *errors)
{
    PyObject *decoder = make_codec(info, io_str.incrementaldecoder, errors);
    if (decoder == NULL || !self->readuniversal)
        return decoder;
    PyObject *wrapper = PyObject_CallFunctionObjArgs((PyObject *)&io_NewlineDecoder_type, decoder,
                                                     self->readtranslate ? Py_True : Py_False, NULL);
    Py_DECREF(decoder);
    return wrapper;
}

int text_set_codecs(io_text *self, PyObject *buffer, PyObject *encoding, PyObject *errors)
{
    PyObject *info = NULL, *decoder = NULL, *encoder = NULL;
    int result = -1;
    if (PyUnicode_AsUTF8(errors) == NULL)
        return -1;
    enum text_codec codec = builtin_codec(encoding);
    if (codec == TEXT_CODEC_OBJECT) {
        info = lookup_text_codec(encoding);
        if (info == NULL)
            return -1;
    }
    int readable = io_call_bool(buffer, io_str.readable);
    if (readable < 0)
        goto done;
    if (readable && info != NULL && (decoder = make_decoder(self, info, errors)) == NULL)
        goto done;
    int writable = io_call_bool(buffer, io_str.writable);
    if (writable < 0)
        goto done;
    if (writable && info != NULL && (encoder = make_codec(info, io_str.incrementalencoder, errors)) == NULL)
        goto done;

    PyObject *old_decoder = self->decoder.object, *old_encoder = self->encoder;
    PyObject *old_encoding = self->encoding, *old_errors = self->errors;
    memset(&self->decoder, 0, sizeof(self->decoder));
    self->decoder.codec = readable ? codec : TEXT_CODEC_NONE;
    self->decoder.object = decoder;
    self->decoder.universal = self->readuniversal;
    self->decoder.newlines.translate = self->readtranslate;
    self->encoder_codec = writable ? codec : TEXT_CODEC_NONE;
    self->encoder = encoder;
    self->encoding = Py_NewRef(encoding);
    self->errors = Py_NewRef(errors);
    decoder = encoder = NULL;
    Py_XDECREF(old_decoder);
    Py_XDECREF(old_encoder);
    Py_XDECREF(old_encoding);
    Py_XDECREF(old_errors);
    result = 0;
done:
    Py_XDECREF(info);
    Py_XDECREF(decoder);
    Py_XDECREF(encoder);
    return result;
}

/* ---- decoding ---- */

/* Decodes what was held back and data as utf-8; what is left over is held back in turn. */
static PyObject *decode_utf8(text_decoder *decoder, const char *errors, const char *data, Py_ssize_t len, bool final)
{
    Py_ssize_t held = decoder->n_pending, consumed;
    char *joined = NULL;
    if (held > 0) {
        joined = PyMem_Malloc((size_t)(held + len));
        if (joined == NULL)
            return PyErr_NoMemory();
        memcpy(joined, decoder->pending, (size_t)held);
        memcpy(joined + held, data, (size_t)len);
        data = joined;
        len += held;
    }
    PyObject *text = PyUnicode_DecodeUTF8Stateful(data, len, errors, final ? NULL : &consumed);
    if (text != NULL) {
        Py_ssize_t left = final ? 0 : len - consumed;
        if (left > (Py_ssize_t)sizeof(decoder->pending))
            left = 0;   /* cannot be: an unfinished character has at most three bytes */
        memcpy(decoder->pending, data + (len - left), (size_t)left);
        decoder->n_pending = (unsigned char)left;
    }
    PyMem_Free(joined);
    return text;
}

static PyObject *decode_builtin(text_decoder *decoder, PyObject *errors_obj, PyObject *input, bool final)
{
    const char *errors = PyUnicode_AsUTF8(errors_obj);
    Py_buffer view;
    PyObject *text;
    if (errors == NULL || stable_buffer_get(input, &view) < 0)
        return NULL;
    if (decoder->codec == TEXT_CODEC_UTF8)
        text = decode_utf8(decoder, errors, view.buf, view.len, final);
    else if (decoder->codec == TEXT_CODEC_ASCII)
        text = PyUnicode_DecodeASCII(view.buf, view.len, errors);
    else
        text = PyUnicode_DecodeLatin1(view.buf, view.len, errors);
    PyBuffer_Release(&view);
    if (text != NULL && decoder->universal)
        text = newline_translate_steal(&decoder->newlines, text, final);
    return text;
}

PyObject *text_decode(text_decoder *decoder, PyObject *errors, PyObject *input, bool final)
{
    PyObject *text;
    Py_INCREF(errors);
    if (decoder->codec != TEXT_CODEC_OBJECT)
        text = decode_builtin(decoder, errors, input, final);
    else {
        PyObject *object = Py_NewRef(decoder->object);
        text = PyObject_CallMethodObjArgs(object, io_str.decode, input, final ? Py_True : Py_False, NULL);
        Py_DECREF(object);
    }
    Py_DECREF(errors);
    if (text != NULL && !PyUnicode_Check(text)) {
        PyErr_Format(PyExc_TypeError, "decoder should return a string result, not '%.200s'", Py_TYPE(text)->tp_name);
        Py_CLEAR(text);
    }
    return text;
}

static void forget_builtin_state(text_decoder *decoder)
{
    decoder->n_pending = 0;
    decoder->newlines.pending_cr = 0;
}

/* Calls decoder.<name>(arg), arg being stolen and possibly absent. */
static int call_decoder(text_decoder *decoder, PyObject *name, PyObject *arg)
{
    PyObject *object = Py_NewRef(decoder->object);
    PyObject *result = PyObject_CallMethodObjArgs(object, name, arg, NULL);
    Py_DECREF(object);
    Py_XDECREF(arg);
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

int text_decoder_reset(text_decoder *decoder)
{
    if (decoder->codec == TEXT_CODEC_OBJECT)
        return call_decoder(decoder, io_str.reset, NULL);
    forget_builtin_state(decoder);
    decoder->newlines.seen = 0;
    return 0;
}

int text_decoder_get(text_decoder *decoder, PyObject **held, int *flags)
{
    *held = NULL;
    if (decoder->codec != TEXT_CODEC_OBJECT) {
        *flags = decoder->newlines.pending_cr;
        *held = decoder->n_pending == 0 ? Py_NewRef(io_str.empty_bytes)
                                        : PyBytes_FromStringAndSize((char *)decoder->pending, decoder->n_pending);
        return *held == NULL ? -1 : 0;
    }
    decoder_state state;
    if (text_decoder_save(decoder, &state) < 0)
        return -1;
    PyObject *held_obj;
    int result = -1;
    if (!PyTuple_Check(state.object))
        PyErr_SetString(PyExc_TypeError, "illegal decoder state");
    else if (PyArg_ParseTuple(state.object, "Oi;illegal decoder state", &held_obj, flags)) {
        if (!PyBytes_Check(held_obj))
            PyErr_Format(PyExc_TypeError,
                         "illegal decoder state: the first item should be a bytes object, not '%.200s'",
                         Py_TYPE(held_obj)->tp_name);
        else {
            *held = Py_NewRef(held_obj);
            result = 0;
        }
    }
    Py_DECREF(state.object);
    return result;
}

int text_decoder_set(text_decoder *decoder, int flags)
{
    if (decoder->codec == TEXT_CODEC_OBJECT) {
        PyObject *state = Py_BuildValue("(Oi)", io_str.empty_bytes, flags);
        return state == NULL ? -1 : call_decoder(decoder, io_str.setstate, state);
    }
    forget_builtin_state(decoder);
    decoder->newlines.pending_cr = flags & 1;
    return 0;
}

int text_decoder_save(text_decoder *decoder, decoder_state *state)
{
    memset(state, 0, sizeof(*state));
    if (decoder->codec == TEXT_CODEC_OBJECT) {
        PyObject *object = Py_NewRef(decoder->object);
        state->object = PyObject_CallMethodNoArgs(object, io_str.getstate);
        Py_DECREF(object);
        return state->object == NULL ? -1 : 0;
    }
    state->newlines = decoder->newlines;
    memcpy(state->pending, decoder->pending, sizeof(state->pending));
    state->n_pending = decoder->n_pending;
    return 0;
}

int text_decoder_restore(text_decoder *decoder, decoder_state *state)
{
    if (state->object != NULL && decoder->codec == TEXT_CODEC_OBJECT)
        return call_decoder(decoder, io_str.setstate, state->object);
    Py_CLEAR(state->object);
    decoder->newlines = state->newlines;
    memcpy(decoder->pending, state->pending, sizeof(state->pending));
    decoder->n_pending = state->n_pending;
    return 0;
}

PyObject *text_decoder_newlines(text_decoder *decoder)
{
    if (decoder->codec == TEXT_CODEC_OBJECT) {
        PyObject *object = Py_NewRef(decoder->object), *newlines;
        int found = io_lookup_attr(object, io_str.newlines, &newlines);
        Py_DECREF(object);
        return found == 0 ? Py_NewRef(Py_None) : newlines;
    }
    return newline_seen_value(decoder->universal ? decoder->newlines.seen : 0);
}

/* ---- encoding ---- */

int text_encoder_start(io_text *self, bool start_of_stream)
{
    if (self->encoder_codec != TEXT_CODEC_OBJECT)
        return 0;
    PyObject *encoder = Py_NewRef(self->encoder), *result;
    if (start_of_stream)
        result = PyObject_CallMethodNoArgs(encoder, io_str.reset);
    else
        result = PyObject_CallMethodOneArg(encoder, io_str.setstate, io_str.zero);
    Py_DECREF(encoder);
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

/* Makes room for `more` bytes behind the pending ones. */
static int reserve_pending(io_text *self, Py_ssize_t more)
{
    if (more <= self->pending_room - self->n_pending)
        return 0;
    if (more > PY_SSIZE_T_MAX / 2 - self->n_pending) {
        PyErr_NoMemory();
        return -1;
    }
    Py_ssize_t room = self->n_pending + more;
    room = room < 1024 ? 1024 : room + room / 4;
    char *pending = PyMem_Realloc(self->pending, (size_t)room);
    if (pending == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    self->pending = pending;
    self->pending_room = room;
    return 0;
}

/* Makes room for `len` more bytes. What is pending goes out first if both together were more than a chunk. */
static int start_append(io_text *self, Py_ssize_t len)
{
    if (self->n_pending > 0 && len > self->chunk_size - self->n_pending && text_write_pending(self) < 0)
        return -1;
    return reserve_pending(self, len);
}

static int append_pending(io_text *self, const void *data, Py_ssize_t len)
{
    if (start_append(self, len) < 0)
        return -1;
    memcpy(self->pending + self->n_pending, data, (size_t)len);
    self->n_pending += len;
    return 0;
}

static int append_encoded_steal(io_text *self, PyObject *encoded)
{
    if (encoded == NULL)
        return -1;
    int result = -1;
    if (PyBytes_Check(encoded))
        result = append_pending(self, PyBytes_AS_STRING(encoded), PyBytes_GET_SIZE(encoded));
    else
        PyErr_Format(PyExc_TypeError, "encoder should return a bytes object, not '%.200s'",
                     Py_TYPE(encoded)->tp_name);
    Py_DECREF(encoded);
    return result;
}

/* Length of data in utf-8; -1 if there is a surrogate in it. */
static Py_ssize_t utf8_length(int kind, const void *data, Py_ssize_t len)
{
    Py_ssize_t size = len;
    for (Py_ssize_t i = 0; i < len; i++) {
        Py_UCS4 c = PyUnicode_READ(kind, data, i);
        if (c >= 0xD800 && c < 0xE000)
            return -1;
        size += (c >= 0x80) + (c >= 0x800) + (c >= 0x10000);
    }
    return size;
}

/* Appends text as utf-8. Returns 1 when done, 0 when there is a surrogate in it, -1 on failure. */
static int append_utf8(io_text *self, PyObject *text)
{
    Py_ssize_t len = PyUnicode_GET_LENGTH(text);
    int kind = PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    if (len > PY_SSIZE_T_MAX / 8) {
        PyErr_NoMemory();
        return -1;
    }
    Py_ssize_t size = utf8_length(kind, data, len);
    if (size < 0)
        return 0;
    if (start_append(self, size) < 0)
        return -1;
    unsigned char *out = (unsigned char *)self->pending + self->n_pending;
    for (Py_ssize_t i = 0; i < len; i++) {
        Py_UCS4 c = PyUnicode_READ(kind, data, i);
        if (c < 0x80)
            *out++ = (unsigned char)c;
        else if (c < 0x800) {
            *out++ = (unsigned char)(0xC0 | c >> 6);
            *out++ = (unsigned char)(0x80 | (c & 0x3F));
        }
        else if (c < 0x10000) {
            *out++ = (unsigned char)(0xE0 | c >> 12);
            *out++ = (unsigned char)(0x80 | (c >> 6 & 0x3F));
            *out++ = (unsigned char)(0x80 | (c & 0x3F));
        }
        else {
            *out++ = (unsigned char)(0xF0 | c >> 18);
            *out++ = (unsigned char)(0x80 | (c >> 12 & 0x3F));
            *out++ = (unsigned char)(0x80 | (c >> 6 & 0x3F));
            *out++ = (unsigned char)(0x80 | (c & 0x3F));
        }
    }
    self->n_pending = (char *)out - self->pending;
    return 1;
}

/* The slow way of a built-in codec, for characters that need the error handler. */
static int append_by_codec(io_text *self, PyObject *text, const char *codec)
{
    PyObject *errors = Py_NewRef(self->errors);
    const char *name = PyUnicode_AsUTF8(errors);
    PyObject *encoded = name == NULL ? NULL : PyUnicode_AsEncodedString(text, codec, name);
    Py_DECREF(errors);
    return append_encoded_steal(self, encoded);
}

int text_encode_pending(io_text *self, PyObject *text)
{
    int done;
    switch (self->encoder_codec) {
    case TEXT_CODEC_UTF8:
        if (PyUnicode_IS_ASCII(text))
            break;
        done = append_utf8(self, text);
        return done < 0 ? -1 : (done > 0 ? 0 : append_by_codec(self, text, "utf-8"));
    case TEXT_CODEC_ASCII:
        if (PyUnicode_IS_ASCII(text))
            break;
        return append_by_codec(self, text, "ascii");
    case TEXT_CODEC_LATIN1:
        if (PyUnicode_KIND(text) == PyUnicode_1BYTE_KIND)
            break;
        return append_by_codec(self, text, "latin-1");
    default: {
        PyObject *encoder = Py_NewRef(self->encoder);
        PyObject *encoded = PyObject_CallMethodOneArg(encoder, io_str.encode, text);
        Py_DECREF(encoder);
        return append_encoded_steal(self, encoded);
    }
    }
    return append_pending(self, PyUnicode_DATA(text), PyUnicode_GET_LENGTH(text));
}
