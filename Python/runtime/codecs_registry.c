/* The codec registry: search functions, found codecs, error handlers.
 *
 * The three containers are made once and live as long as the process; they are Python objects with locks of their own.
 * The `encodings` package, which registers the library's codecs, is imported at the first look-up. */
#include <Python.h>
#include "unicode.h"
#include "codec_handlers.h"

typedef struct {
    PyObject *search_path;      /* list of functions */
    PyObject *cache;            /* dict: normalised name -> codec info */
    PyObject *handlers;         /* dict: name -> function */
} registry_t;

static registry_t *registry;            /* [atomic] const once set */
static int encodings_imported;          /* [atomic] */

static void registry_free(registry_t *r)
{
    Py_XDECREF(r->search_path);
    Py_XDECREF(r->cache);
    Py_XDECREF(r->handlers);
    PyMem_RawFree(r);
}

/* The registry, made by whoever comes first. */
static registry_t *get_registry(void)
{
    registry_t *r = __atomic_load_n(&registry, __ATOMIC_ACQUIRE), *expected = NULL;
    if (r != NULL)
        return r;
    r = PyMem_RawCalloc(1, sizeof(*r));
    if (r == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    r->search_path = PyList_New(0);
    r->cache = PyDict_New();
    r->handlers = PyDict_New();
    if (r->search_path == NULL || r->cache == NULL || r->handlers == NULL || codec_handlers_add(r->handlers) < 0) {
        registry_free(r);
        return NULL;
    }
    object_publish(r->search_path);
    object_publish(r->cache);
    object_publish(r->handlers);
    if (__atomic_compare_exchange_n(&registry, &expected, r, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return r;
    registry_free(r);
    return expected;
}

static int import_encodings(void)
{
    if (__atomic_load_n(&encodings_imported, __ATOMIC_ACQUIRE))
        return 0;
    PyObject *module = PyImport_ImportModule("encodings");
    if (module == NULL)
        return -1;
    Py_DECREF(module);
    __atomic_store_n(&encodings_imported, 1, __ATOMIC_RELEASE);
    return 0;
}

/* ---- Search functions ---- */

int PyCodec_Register(PyObject *search_function)
{
    registry_t *r = get_registry();
    if (r == NULL)
        return -1;
    if (search_function == NULL) {
        PyErr_BadArgument();
        return -1;
    }
    if (!PyCallable_Check(search_function)) {
        PyErr_SetString(PyExc_TypeError, "argument must be callable");
        return -1;
    }
    return PyList_Append(r->search_path, search_function);
}

int PyCodec_Unregister(PyObject *search_function)
{
    registry_t *r = __atomic_load_n(&registry, __ATOMIC_ACQUIRE);
    if (r == NULL)
        return 0;
    int found = 0, rc = 0;
    PyObject *removed = NULL;
    Py_BEGIN_CRITICAL_SECTION(r->search_path);
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(r->search_path) && !found; i++) {
        if (PyList_GET_ITEM(r->search_path, i) == search_function) {
            removed = Py_NewRef(search_function);
            rc = PyList_SetSlice(r->search_path, i, i + 1, NULL);
            found = 1;
        }
    }
    Py_END_CRITICAL_SECTION();
    if (found && rc == 0)
        PyDict_Clear(r->cache);
    Py_XDECREF(removed);
    return rc;
}

/* The interned normal form of an encoding's name. */
static PyObject *normal_name(const char *encoding)
{
    size_t n = strlen(encoding);
    char *lower = n > PY_SSIZE_T_MAX - 2 ? NULL : PyMem_Malloc(n + 2);
    if (lower == NULL)
        return PyErr_NoMemory();
    unicode_normalize_encoding(encoding, lower, n + 2);
    PyObject *name = PyUnicode_FromString(lower);
    PyMem_Free(lower);
    return name == NULL ? NULL : unicode_intern_steal(name);
}

/* Asks the search functions in turn. NULL without an exception: unknown. */
static PyObject *search(registry_t *r, PyObject *name)
{
    PyObject *functions = PySequence_Tuple(r->search_path), *found = NULL;
    if (functions == NULL)
        return NULL;
    if (PyTuple_GET_SIZE(functions) == 0)
        PyErr_SetString(PyExc_LookupError, "no codec search functions registered: can't find encoding");
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(functions) && found == NULL; i++) {
        PyObject *answer = PyObject_CallOneArg(PyTuple_GET_ITEM(functions, i), name);
        if (answer == NULL)
            break;
        if (answer == Py_None)
            continue;
        if (!PyTuple_Check(answer) || PyTuple_GET_SIZE(answer) != 4) {
            PyErr_SetString(PyExc_TypeError, "codec search functions must return 4-tuples");
            Py_DECREF(answer);
            break;
        }
        found = answer;
    }
    Py_DECREF(functions);
    return found;
}

PyObject *_PyCodec_Lookup(const char *encoding)
{
    if (encoding == NULL) {
        PyErr_BadArgument();
        return NULL;
    }
    registry_t *r = get_registry();
    if (r == NULL || import_encodings() < 0)
        return NULL;
    PyObject *name = normal_name(encoding), *info = NULL;
    if (name == NULL)
        return NULL;
    int cached = PyDict_GetItemRef(r->cache, name, &info);
    if (cached != 0) {
        Py_DECREF(name);
        return info;
    }
    info = search(r, name);
    if (info == NULL && !PyErr_Occurred())
        PyErr_Format(PyExc_LookupError, "unknown encoding: %s", encoding);
    if (info != NULL && PyDict_SetItem(r->cache, name, info) < 0)
        Py_CLEAR(info);
    Py_DECREF(name);
    return info;
}

int _PyCodec_Forget(const char *encoding)
{
    registry_t *r = __atomic_load_n(&registry, __ATOMIC_ACQUIRE);
    if (r == NULL)
        return -1;
    PyObject *name = normal_name(encoding);
    if (name == NULL)
        return -1;
    int rc = PyDict_DelItem(r->cache, name);
    Py_DECREF(name);
    return rc;
}

int PyCodec_KnownEncoding(const char *encoding)
{
    PyObject *info = _PyCodec_Lookup(encoding);
    if (info == NULL) {
        PyErr_Clear();
        return 0;
    }
    Py_DECREF(info);
    return 1;
}

/* ---- Parts of a codec ---- */

static PyObject *codec_item(const char *encoding, int index)
{
    PyObject *info = _PyCodec_Lookup(encoding);
    if (info == NULL)
        return NULL;
    PyObject *item = Py_NewRef(PyTuple_GET_ITEM(info, index));
    Py_DECREF(info);
    return item;
}

PyObject *PyCodec_Encoder(const char *encoding)
{
    return codec_item(encoding, 0);
}

PyObject *PyCodec_Decoder(const char *encoding)
{
    return codec_item(encoding, 1);
}

static PyObject *call_attribute(PyObject *info, const char *name, const char *errors)
{
    PyObject *factory = PyObject_GetAttrString(info, name);
    if (factory == NULL)
        return NULL;
    PyObject *result = errors != NULL ? PyObject_CallFunction(factory, "s", errors) : PyObject_CallNoArgs(factory);
    Py_DECREF(factory);
    return result;
}

PyObject *_PyCodecInfo_GetIncrementalDecoder(PyObject *info, const char *errors)
{
    return call_attribute(info, "incrementaldecoder", errors);
}

PyObject *_PyCodecInfo_GetIncrementalEncoder(PyObject *info, const char *errors)
{
    return call_attribute(info, "incrementalencoder", errors);
}

static PyObject *incremental(const char *encoding, const char *errors, const char *name)
{
    PyObject *info = _PyCodec_Lookup(encoding);
    if (info == NULL)
        return NULL;
    PyObject *result = call_attribute(info, name, errors);
    Py_DECREF(info);
    return result;
}

PyObject *PyCodec_IncrementalEncoder(const char *encoding, const char *errors)
{
    return incremental(encoding, errors, "incrementalencoder");
}

PyObject *PyCodec_IncrementalDecoder(const char *encoding, const char *errors)
{
    return incremental(encoding, errors, "incrementaldecoder");
}

static PyObject *stream_codec(const char *encoding, PyObject *stream, const char *errors, int index)
{
    PyObject *factory = codec_item(encoding, index);
    if (factory == NULL)
        return NULL;
    PyObject *result = errors != NULL ? PyObject_CallFunction(factory, "Os", stream, errors)
                                      : PyObject_CallOneArg(factory, stream);
    Py_DECREF(factory);
    return result;
}

PyObject *PyCodec_StreamReader(const char *encoding, PyObject *stream, const char *errors)
{
    return stream_codec(encoding, stream, errors, 2);
}

PyObject *PyCodec_StreamWriter(const char *encoding, PyObject *stream, const char *errors)
{
    return stream_codec(encoding, stream, errors, 3);
}

/* ---- Encoding and decoding ---- */

/* Can an exception of this kind be made again with another text, losing nothing? */
static int is_plain_exception(PyObject *exc)
{
    PyTypeObject *type = Py_TYPE(exc), *base = (PyTypeObject *)PyExc_Exception;
    Py_ssize_t own_size = type->tp_weaklistoffset != 0 ? (Py_ssize_t)sizeof(PyObject *) : 0;
    if (type->tp_new != base->tp_new || type->tp_init != base->tp_init
        || (type->tp_basicsize != base->tp_basicsize && type->tp_basicsize != base->tp_basicsize + own_size))
        return 0;
    PyObject *dict = NULL;
    if (PyObject_GetOptionalAttr(exc, STR(__dict__), &dict) < 0)
        PyErr_Clear();
    int has_attributes = dict != NULL && PyDict_Check(dict) && PyDict_GET_SIZE(dict) > 0;
    Py_XDECREF(dict);
    if (has_attributes)
        return 0;
    PyObject *args = PyObject_GetAttr(exc, STR(args));
    if (args == NULL) {
        PyErr_Clear();
        return 0;
    }
    Py_ssize_t n = PyTuple_Check(args) ? PyTuple_GET_SIZE(args) : 2;
    int plain = n == 0 || (n == 1 && PyUnicode_Check(PyTuple_GET_ITEM(args, 0)));
    Py_DECREF(args);
    return plain;
}

/* Says in the current exception which codec failed, where that can be done by an exception of the same type. */
static void name_codec(const char *operation, const char *encoding)
{
    PyObject *type, *exc, *traceback;
    PyErr_Fetch(&type, &exc, &traceback);
    PyErr_NormalizeException(&type, &exc, &traceback);
    if (exc == NULL || !PyExceptionInstance_Check(exc) || !is_plain_exception(exc)) {
        PyErr_Restore(type, exc, traceback);
        return;
    }
    if (traceback != NULL)
        PyException_SetTraceback(exc, traceback);
    PyErr_Format(type, "%s with '%s' codec failed (%s: %S)", operation, encoding, Py_TYPE(exc)->tp_name, exc);
    PyObject *new_type, *new_exc, *new_traceback;
    PyErr_Fetch(&new_type, &new_exc, &new_traceback);
    PyErr_NormalizeException(&new_type, &new_exc, &new_traceback);
    if (new_exc != NULL && PyExceptionInstance_Check(new_exc)) {
        PyException_SetCause(new_exc, Py_NewRef(exc));
        PyException_SetContext(new_exc, Py_NewRef(exc));
    }
    PyErr_Restore(new_type, new_exc, new_traceback);
    Py_XDECREF(type);
    Py_XDECREF(exc);
    Py_XDECREF(traceback);
}

static PyObject *call_codec(PyObject *codec, PyObject *object, const char *errors, const char *what,
                            const char *operation, const char *encoding)
{
    PyObject *answer = errors != NULL ? PyObject_CallFunction(codec, "Os", object, errors)
                                      : PyObject_CallOneArg(codec, object);
    if (answer == NULL) {
        name_codec(operation, encoding);
        return NULL;
    }
    PyObject *result = NULL;
    if (!PyTuple_Check(answer) || PyTuple_GET_SIZE(answer) != 2)
        PyErr_Format(PyExc_TypeError, "%s must return a tuple (object, integer)", what);
    else
        result = Py_NewRef(PyTuple_GET_ITEM(answer, 0));
    Py_DECREF(answer);
    return result;
}

static PyObject *encode_with(PyObject *codec, PyObject *object, const char *encoding, const char *errors)
{
    if (codec == NULL)
        return NULL;
    PyObject *result = call_codec(codec, object, errors, "encoder", "encoding", encoding);
    Py_DECREF(codec);
    return result;
}

static PyObject *decode_with(PyObject *codec, PyObject *object, const char *encoding, const char *errors)
{
    if (codec == NULL)
        return NULL;
    PyObject *result = call_codec(codec, object, errors, "decoder", "decoding", encoding);
    Py_DECREF(codec);
    return result;
}

PyObject *PyCodec_Encode(PyObject *object, const char *encoding, const char *errors)
{
    return encode_with(PyCodec_Encoder(encoding), object, encoding, errors);
}

PyObject *PyCodec_Decode(PyObject *object, const char *encoding, const char *errors)
{
    return decode_with(PyCodec_Decoder(encoding), object, encoding, errors);
}

PyObject *_PyCodec_LookupTextEncoding(const char *encoding, const char *alternate_command)
{
    PyObject *info = _PyCodec_Lookup(encoding), *attribute = NULL;
    if (info == NULL || PyTuple_CheckExact(info))
        return info;
    int is_text = PyObject_GetOptionalAttr(info, STR(_is_text_encoding), &attribute);
    if (is_text > 0) {
        is_text = PyObject_IsTrue(attribute);
        Py_DECREF(attribute);
        if (is_text == 0) {
            PyErr_Format(PyExc_LookupError, "'%.400s' is not a text encoding; use %s to handle arbitrary codecs",
                         encoding, alternate_command);
            is_text = -1;
        }
    }
    if (is_text < 0)
        Py_CLEAR(info);
    return info;
}

static PyObject *text_codec_item(const char *encoding, const char *alternate_command, int index)
{
    PyObject *info = _PyCodec_LookupTextEncoding(encoding, alternate_command);
    if (info == NULL)
        return NULL;
    PyObject *item = Py_NewRef(PyTuple_GET_ITEM(info, index));
    Py_DECREF(info);
    return item;
}

PyObject *_PyCodec_EncodeText(PyObject *object, const char *encoding, const char *errors)
{
    return encode_with(text_codec_item(encoding, "codecs.encode()", 0), object, encoding, errors);
}

PyObject *_PyCodec_DecodeText(PyObject *object, const char *encoding, const char *errors)
{
    return decode_with(text_codec_item(encoding, "codecs.decode()", 1), object, encoding, errors);
}

/* ---- Error handlers ---- */

int PyCodec_RegisterError(const char *name, PyObject *error)
{
    registry_t *r = get_registry();
    if (r == NULL)
        return -1;
    if (!PyCallable_Check(error)) {
        PyErr_SetString(PyExc_TypeError, "handler must be callable");
        return -1;
    }
    return PyDict_SetItemString(r->handlers, name, error);
}

PyObject *PyCodec_LookupError(const char *name)
{
    registry_t *r = get_registry();
    if (r == NULL)
        return NULL;
    PyObject *key = PyUnicode_FromString(name == NULL ? "strict" : name), *handler = NULL;
    if (key == NULL)
        return NULL;
    if (PyDict_GetItemRef(r->handlers, key, &handler) == 0)
        PyErr_Format(PyExc_LookupError, "unknown error handler name '%.400s'", name);
    Py_DECREF(key);
    return handler;
}
