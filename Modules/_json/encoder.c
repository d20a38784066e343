/* Encoders: objects to JSON text. An encoder is not changed after its creation; `markers` is a dict that the program
 * gives, and changes to it are as safe as those of any dict. Lists and dicts may change meanwhile: items are taken one
 * by one, members from a snapshot. */
#include "json_internal.h"

#include <math.h>

#include "structmember.h"

typedef struct {
    PyObject_HEAD
    PyObject *markers;                          /* [const] all. dict: id -> container in work; or None */
    PyObject *default_;                         /* makes something that can be encoded */
    PyObject *encoder;                          /* quotes strings */
    PyObject *indent;
    PyObject *key_separator, *item_separator;   /* str */
    char sort_keys, skipkeys;
    int allow_nan;
    PyCFunction fast_encode;                    /* one of our own two for `encoder`, or NULL */
} encoder_t;

static int encode_value(encoder_t *e, text_t *text, PyObject *op);

static int add_word(text_t *text, const char *word)
{
    return text_add_ascii(text, word, (Py_ssize_t)strlen(word));
}

/* Appends a str and drops it; NULL: an exception is set. */
static int add_steal(text_t *text, PyObject *str)
{
    if (str == NULL)
        return -1;
    int result = text_add_str(text, str);
    Py_DECREF(str);
    return result;
}

/* ---- Atoms ---- */

/* The text of a float as a new str. */
static PyObject *float_text(encoder_t *e, PyObject *op)
{
    double d = PyFloat_AS_DOUBLE(op);
    if (isfinite(d))
        return PyFloat_Type.tp_repr(op);
    if (!e->allow_nan) {
        PyErr_SetString(PyExc_ValueError, "Out of range float values are not JSON compliant");
        return NULL;
    }
    return PyUnicode_FromString(d > 0 ? "Infinity" : d < 0 ? "-Infinity" : "NaN");
}

static int encode_string(encoder_t *e, text_t *text, PyObject *str)
{
    PyObject *quoted;
    if (e->fast_encode != NULL)
        return json_quote(text, str, e->fast_encode == json_encode_basestring_ascii);
    quoted = PyObject_CallOneArg(e->encoder, str);
    if (quoted != NULL && !PyUnicode_Check(quoted)) {
        PyErr_Format(PyExc_TypeError, "encoder() must return a string, not %.80s", Py_TYPE(quoted)->tp_name);
        Py_DECREF(quoted);
        return -1;
    }
    return add_steal(text, quoted);
}

/* ---- Markers: containers in work, to find cycles ---- */

/* *marker: the id of op, or NULL if nothing is watched. 0 or -1. */
static int enter(encoder_t *e, PyObject *op, PyObject **marker)
{
    *marker = NULL;
    if (e->markers == Py_None)
        return 0;
    PyObject *id = PyLong_FromVoidPtr(op);
    if (id == NULL)
        return -1;
    int there = PyDict_SetDefaultRef(e->markers, id, op, NULL);
    if (there > 0)
        PyErr_SetString(PyExc_ValueError, "Circular reference detected");
    if (there != 0) {
        Py_DECREF(id);
        return -1;
    }
    *marker = id;
    return 0;
}

static int leave(encoder_t *e, PyObject *marker)
{
    if (marker == NULL)
        return 0;
    int failed = PyDict_DelItem(e->markers, marker);
    Py_DECREF(marker);
    return failed;
}

/* ---- Containers ---- */

static int encode_items(encoder_t *e, text_t *text, PyObject *sequence)
{
    int is_list = PyList_Check(sequence);
    for (Py_ssize_t i = 0; i < (is_list ? PyList_GET_SIZE(sequence) : PyTuple_GET_SIZE(sequence)); i++) {
        PyObject *item = is_list ? PyList_GetItemRef(sequence, i) : Py_NewRef(PyTuple_GET_ITEM(sequence, i));
        if (item == NULL) {
            if (!PyErr_ExceptionMatches(PyExc_IndexError))
                return -1;
            PyErr_Clear();      /* the list has become shorter */
            break;
        }
        int failed = (i > 0 && text_add_str(text, e->item_separator) < 0) || encode_value(e, text, item) < 0;
        Py_DECREF(item);
        if (failed)
            return -1;
    }
    return 0;
}

static int encode_list(encoder_t *e, text_t *text, PyObject *sequence)
{
    PyObject *marker;
    if ((PyList_Check(sequence) ? PyList_GET_SIZE(sequence) : PyTuple_GET_SIZE(sequence)) == 0)
        return add_word(text, "[]");
    if (enter(e, sequence, &marker) < 0)
        return -1;
    if (add_word(text, "[") < 0 || encode_items(e, text, sequence) < 0) {
        Py_XDECREF(marker);
        return -1;
    }
    return leave(e, marker) < 0 ? -1 : add_word(text, "]");
}

/* *result: the key as a str, new reference; NULL if it is to be skipped. 0 or -1. */
static int key_text(encoder_t *e, PyObject *key, PyObject **result)
{
    *result = NULL;
    if (PyUnicode_Check(key))
        *result = Py_NewRef(key);
    else if (PyFloat_Check(key))
        *result = float_text(e, key);
    else if (key == Py_True || key == Py_False || key == Py_None)
        *result = PyUnicode_FromString(key == Py_True ? "true" : key == Py_False ? "false" : "null");
    else if (PyLong_Check(key))
        *result = PyLong_Type.tp_repr(key);
    else if (e->skipkeys)
        return 0;
    else
        PyErr_Format(PyExc_TypeError, "keys must be str, int, float, bool or None, not %.100s", Py_TYPE(key)->tp_name);
    return *result == NULL ? -1 : 0;
}

/* A member; *first tells whether a separator is due. */
static int encode_member(encoder_t *e, text_t *text, PyObject *item, int *first)
{
    PyObject *key;
    if (!PyTuple_Check(item) || PyTuple_GET_SIZE(item) != 2) {
        PyErr_SetString(PyExc_ValueError, "items must return 2-tuples");
        return -1;
    }
    if (key_text(e, PyTuple_GET_ITEM(item, 0), &key) < 0)
        return -1;
    if (key == NULL)
        return 0;
    int failed = (!*first && text_add_str(text, e->item_separator) < 0) || encode_string(e, text, key) < 0;
    Py_DECREF(key);
    *first = 0;
    if (failed || text_add_str(text, e->key_separator) < 0)
        return -1;
    return encode_value(e, text, PyTuple_GET_ITEM(item, 1));
}

static int encode_members(encoder_t *e, text_t *text, PyObject *dict)
{
    PyObject *items = PyMapping_Items(dict);
    int first = 1, failed = -1;
    if (items == NULL)
        goto done;
    /* PyMapping_Items made the list: nobody else has it, or finds it by gc.get_objects. */
    PyObject_GC_UnTrack(items);
    if (e->sort_keys && PyList_Sort(items) < 0)
        goto done;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(items); i++)
        if (encode_member(e, text, PyList_GET_ITEM(items, i), &first) < 0)
            goto done;
    failed = 0;
done:
    Py_XDECREF(items);
    return failed;
}

static int encode_dict(encoder_t *e, text_t *text, PyObject *dict)
{
    PyObject *marker;
    if (PyDict_GET_SIZE(dict) == 0)
        return add_word(text, "{}");
    if (enter(e, dict, &marker) < 0)
        return -1;
    if (add_word(text, "{") < 0 || encode_members(e, text, dict) < 0) {
        Py_XDECREF(marker);
        return -1;
    }
    return leave(e, marker) < 0 ? -1 : add_word(text, "}");
}

/* What default() makes of op. */
static int encode_other(encoder_t *e, text_t *text, PyObject *op)
{
    PyObject *marker, *replacement;
    if (enter(e, op, &marker) < 0)
        return -1;
    replacement = PyObject_CallOneArg(e->default_, op);
    if (replacement == NULL) {
        Py_XDECREF(marker);
        return -1;
    }
    int failed = encode_value(e, text, replacement);
    Py_DECREF(replacement);
    if (failed) {
        Py_XDECREF(marker);
        return -1;
    }
    return leave(e, marker);
}

static int encode_value(encoder_t *e, text_t *text, PyObject *op)
{
    int result;
    if (op == Py_None)
        return add_word(text, "null");
    if (op == Py_True)
        return add_word(text, "true");
    if (op == Py_False)
        return add_word(text, "false");
    if (PyUnicode_Check(op))
        return encode_string(e, text, op);
    if (PyLong_Check(op))
        return add_steal(text, PyLong_Type.tp_repr(op));
    if (PyFloat_Check(op))
        return add_steal(text, float_text(e, op));
    if (Py_EnterRecursiveCall(" while encoding a JSON object"))
        return -1;
    if (PyList_Check(op) || PyTuple_Check(op))
        result = encode_list(e, text, op);
    else if (PyDict_Check(op))
        result = encode_dict(e, text, op);
    else
        result = encode_other(e, text, op);
    Py_LeaveRecursiveCall();
    return result;
}

/* ---- The type ---- */

static PyObject *encoder_call(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"obj", "_current_indent_level", NULL};
    PyObject *value;
    Py_ssize_t level;
    text_t text = {0};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "On:_iterencode", keywords, &value, &level))
        return NULL;
    if (encode_value((encoder_t *)op, &text, value) < 0) {
        text_free(&text);
        return NULL;
    }
    return Py_BuildValue("[N]", text_finish(&text));
}

static int encoder_traverse(PyObject *op, visitproc visit, void *arg)
{
    encoder_t *e = (encoder_t *)op;
    Py_VISIT(e->markers);
    Py_VISIT(e->default_);
    Py_VISIT(e->encoder);
    Py_VISIT(e->indent);
    Py_VISIT(e->key_separator);
    Py_VISIT(e->item_separator);
    return 0;
}

static int encoder_clear(PyObject *op)
{
    encoder_t *e = (encoder_t *)op;
    Py_CLEAR(e->markers);
    Py_CLEAR(e->default_);
    Py_CLEAR(e->encoder);
    Py_CLEAR(e->indent);
    Py_CLEAR(e->key_separator);
    Py_CLEAR(e->item_separator);
    return 0;
}

static void encoder_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    encoder_clear(op);
    Py_TYPE(op)->tp_free(op);
}

static PyObject *encoder_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"markers", "default", "encoder", "indent", "key_separator", "item_separator", "sort_keys",
                               "skipkeys", "allow_nan", NULL};
    PyObject *markers, *default_, *encoder, *indent, *key_separator, *item_separator;
    int sort_keys, skipkeys, allow_nan;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OOOOUUppp:make_encoder", keywords, &markers, &default_, &encoder, &indent,
                                     &key_separator, &item_separator, &sort_keys, &skipkeys, &allow_nan))
        return NULL;
    if (markers != Py_None && !PyDict_Check(markers)) {
        PyErr_Format(PyExc_TypeError, "make_encoder() argument 1 must be dict or None, not %.200s", Py_TYPE(markers)->tp_name);
        return NULL;
    }
    encoder_t *e = (encoder_t *)type->tp_alloc(type, 0);
    if (e == NULL)
        return NULL;
    e->markers = Py_NewRef(markers);
    e->default_ = Py_NewRef(default_);
    e->encoder = Py_NewRef(encoder);
    e->indent = Py_NewRef(indent);
    e->key_separator = Py_NewRef(key_separator);
    e->item_separator = Py_NewRef(item_separator);
    e->sort_keys = (char)sort_keys;
    e->skipkeys = (char)skipkeys;
    e->allow_nan = allow_nan;
    if (PyCFunction_Check(encoder)) {
        PyCFunction function = PyCFunction_GET_FUNCTION(encoder);
        if (function == json_encode_basestring_ascii || function == json_encode_basestring)
            e->fast_encode = function;
    }
    return (PyObject *)e;
}

static PyMemberDef encoder_members[] = {
    {"markers", T_OBJECT, offsetof(encoder_t, markers), READONLY, "The containers in work by id, or None."},
    {"default", T_OBJECT, offsetof(encoder_t, default_), READONLY, "Called with what cannot be encoded."},
    {"encoder", T_OBJECT, offsetof(encoder_t, encoder), READONLY, "Quotes strings."},
    {"indent", T_OBJECT, offsetof(encoder_t, indent), READONLY, "The indentation: not used."},
    {"key_separator", T_OBJECT, offsetof(encoder_t, key_separator), READONLY, "What stands between a key and its value."},
    {"item_separator", T_OBJECT, offsetof(encoder_t, item_separator), READONLY, "What stands between items."},
    {"sort_keys", T_BOOL, offsetof(encoder_t, sort_keys), READONLY, "Are members sorted?"},
    {"skipkeys", T_BOOL, offsetof(encoder_t, skipkeys), READONLY, "Are members with unsuitable keys left out?"},
    {NULL, 0, 0, 0, NULL},
};

PyTypeObject json_encoder_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_json.Encoder",
    .tp_basicsize = sizeof(encoder_t),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "Encoder(markers, default, encoder, indent, key_separator, item_separator, sort_keys, skipkeys, allow_nan)\n\n"
              "Called with an object and a level of indentation (not used), it returns a list of str.",
    .tp_call = encoder_call,
    .tp_members = encoder_members,
    .tp_new = encoder_new,
    .tp_traverse = encoder_traverse,
    .tp_clear = encoder_clear,
    .tp_dealloc = encoder_dealloc,
};
