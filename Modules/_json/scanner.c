/* Scanners: JSON documents to objects. A scanner is not changed after its creation; what one call needs besides (the
 * keys seen so far, so that equal ones are one object) belongs to that call. */
#include "json_internal.h"

#include "structmember.h"

typedef struct {
    PyObject_HEAD
    char strict;                                    /* [const] all */
    PyObject *object_hook, *object_pairs_hook;      /* None: not there */
    PyObject *parse_float, *parse_int, *parse_constant;
} scanner_t;

/* One call. */
typedef struct {
    scanner_t *scanner;
    PyObject *document;
    PyObject *keys;         /* dict: key -> the same key */
    int kind;
    const void *data;
    Py_ssize_t length;
} scan_t;

static PyObject *scan_value(scan_t *s, Py_ssize_t i, Py_ssize_t *end);

static inline Py_UCS4 at(const scan_t *s, Py_ssize_t i)
{
    return i < s->length ? PyUnicode_READ(s->kind, s->data, i) : 0;
}

static Py_ssize_t skip_blanks(const scan_t *s, Py_ssize_t i)
{
    while (i < s->length) {
        Py_UCS4 c = PyUnicode_READ(s->kind, s->data, i);
        if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
            break;
        i++;
    }
    return i;
}

/* There is no value at i. */
static PyObject *stop(Py_ssize_t i)
{
    PyObject *value = PyLong_FromSsize_t(i);
    if (value != NULL) {
        PyErr_SetObject(PyExc_StopIteration, value);
        Py_DECREF(value);
    }
    return NULL;
}

/* ---- Objects ---- */

/* The key at i (behind the quote); equal keys of a document are one object. */
static PyObject *scan_key(scan_t *s, Py_ssize_t i, Py_ssize_t *end)
{
    PyObject *key = json_scan_string(s->document, i, s->scanner->strict, end), *shared = NULL;
    if (key == NULL)
        return NULL;
    if (PyDict_SetDefaultRef(s->keys, key, key, &shared) < 0)
        shared = NULL;
    Py_DECREF(key);
    return shared;
}

/* A key, the colon and a value. 0, or -1 with an exception. */
static int scan_member(scan_t *s, Py_ssize_t i, Py_ssize_t *end, PyObject **key, PyObject **value)
{
    if (at(s, i) != '"') {
        json_decode_error("Expecting property name enclosed in double quotes", s->document, i);
        return -1;
    }
    *key = scan_key(s, i + 1, &i);
    if (*key == NULL)
        return -1;
    i = skip_blanks(s, i);
    if (at(s, i) != ':')
        json_decode_error("Expecting ':' delimiter", s->document, i);
    else {
        *value = scan_value(s, skip_blanks(s, i + 1), end);
        if (*value != NULL)
            return 0;
    }
    Py_CLEAR(*key);
    return -1;
}

/* Puts a member into the dict, or the list of pairs. Steals key and value. */
static int add_member(PyObject *result, int pairs, PyObject *key, PyObject *value)
{
    int failed = -1;
    if (pairs) {
        PyObject *pair = PyTuple_Pack(2, key, value);
        if (pair != NULL) {
            failed = PyList_Append(result, pair);
            Py_DECREF(pair);
        }
    }
    else
        failed = PyDict_SetItem(result, key, value);
    Py_DECREF(key);
    Py_DECREF(value);
    return failed;
}

/* The members, i being behind the brace. */
static int scan_members(scan_t *s, PyObject *result, int pairs, Py_ssize_t i, Py_ssize_t *end)
{
    i = skip_blanks(s, i);
    if (at(s, i) == '}') {
        *end = i + 1;
        return 0;
    }
    for (;;) {
        PyObject *key, *value;
        if (scan_member(s, i, &i, &key, &value) < 0 || add_member(result, pairs, key, value) < 0)
            return -1;
        i = skip_blanks(s, i);
        if (at(s, i) == '}') {
            *end = i + 1;
            return 0;
        }
        if (at(s, i) != ',') {
            json_decode_error("Expecting ',' delimiter", s->document, i);
            return -1;
        }
        i = skip_blanks(s, i + 1);
    }
}

static PyObject *scan_object(scan_t *s, Py_ssize_t i, Py_ssize_t *end)
{
    scanner_t *scanner = s->scanner;
    int pairs = scanner->object_pairs_hook != Py_None;
    PyObject *hook = pairs ? scanner->object_pairs_hook : scanner->object_hook;
    PyObject *result = pairs ? PyList_New(0) : PyDict_New();
    if (result != NULL && scan_members(s, result, pairs, i, end) < 0)
        Py_CLEAR(result);
    if (result != NULL && hook != Py_None)
        Py_SETREF(result, PyObject_CallOneArg(hook, result));
    return result;
}

/* ---- Arrays ---- */

static int scan_items(scan_t *s, PyObject *list, Py_ssize_t i, Py_ssize_t *end)
{
    i = skip_blanks(s, i);
    if (at(s, i) == ']') {
        *end = i + 1;
        return 0;
    }
    for (;;) {
        PyObject *item = scan_value(s, i, &i);
        if (item == NULL)
            return -1;
        int failed = PyList_Append(list, item);
        Py_DECREF(item);
        if (failed)
            return -1;
        i = skip_blanks(s, i);
        if (at(s, i) == ']') {
            *end = i + 1;
            return 0;
        }
        if (at(s, i) != ',') {
            json_decode_error("Expecting ',' delimiter", s->document, i);
            return -1;
        }
        i = skip_blanks(s, i + 1);
    }
}

static PyObject *scan_array(scan_t *s, Py_ssize_t i, Py_ssize_t *end)
{
    PyObject *list = PyList_New(0);
    if (list != NULL && scan_items(s, list, i, end) < 0)
        Py_CLEAR(list);
    return list;
}

/* ---- Numbers and constants ---- */

static int is_digit(Py_UCS4 c)
{
    return c - '0' < 10u;
}

static PyObject *convert_number(scan_t *s, Py_ssize_t start, Py_ssize_t end, int is_float)
{
    PyObject *convert = is_float ? s->scanner->parse_float : s->scanner->parse_int, *text, *result;
    if (!is_float && convert == (PyObject *)&PyLong_Type && end - start <= 18) {
        Py_ssize_t i = start + (at(s, start) == '-');
        long n = 0;
        for (; i < end; i++)
            n = n * 10 + (long)(at(s, i) - '0');
        return PyLong_FromLong(at(s, start) == '-' ? -n : n);
    }
    text = PyUnicode_Substring(s->document, start, end);
    if (text == NULL)
        return NULL;
    if (convert == (PyObject *)&PyFloat_Type)
        result = PyFloat_FromString(text);
    else if (convert == (PyObject *)&PyLong_Type)
        result = PyLong_FromUnicodeObject(text, 10);
    else
        result = PyObject_CallOneArg(convert, text);
    Py_DECREF(text);
    return result;
}

static PyObject *scan_number(scan_t *s, Py_ssize_t start, Py_ssize_t *end)
{
    Py_ssize_t i = start;
    int is_float = 0;
    if (at(s, i) == '-')
        i++;
    if (at(s, i) == '0')
        i++;
    else if (is_digit(at(s, i)))
        while (is_digit(at(s, i)))
            i++;
    else
        return stop(start);
    if (at(s, i) == '.' && is_digit(at(s, i + 1))) {
        is_float = 1;
        for (i += 2; is_digit(at(s, i)); i++)
            ;
    }
    if (at(s, i) == 'e' || at(s, i) == 'E') {
        Py_ssize_t k = i + 1;
        if (at(s, k) == '+' || at(s, k) == '-')
            k++;
        if (is_digit(at(s, k))) {
            is_float = 1;
            while (is_digit(at(s, k)))
                k++;
            i = k;
        }
    }
    *end = i;
    return convert_number(s, start, i, is_float);
}

/* Does word stand at i? */
static int stands_at(const scan_t *s, Py_ssize_t i, const char *word)
{
    Py_ssize_t n = (Py_ssize_t)strlen(word);
    if (s->length - i < n)
        return 0;
    for (Py_ssize_t k = 0; k < n; k++)
        if (PyUnicode_READ(s->kind, s->data, i + k) != (Py_UCS4)word[k])
            return 0;
    return 1;
}

static PyObject *scan_word(scan_t *s, Py_ssize_t i, Py_ssize_t *end, const char *word, PyObject *value)
{
    if (!stands_at(s, i, word))
        return stop(i);
    *end = i + (Py_ssize_t)strlen(word);
    return Py_NewRef(value);
}

/* NaN and the infinities. */
static PyObject *scan_constant(scan_t *s, Py_ssize_t i, Py_ssize_t *end, const char *word)
{
    *end = i + (Py_ssize_t)strlen(word);
    return PyObject_CallFunction(s->scanner->parse_constant, "s", word);
}

/* ---- Any value ---- */

static PyObject *scan_nested(scan_t *s, Py_ssize_t i, Py_ssize_t *end, int is_object)
{
    PyObject *result;
    if (Py_EnterRecursiveCall(is_object ? " while decoding a JSON object from a unicode string"
                                        : " while decoding a JSON array from a unicode string"))
        return NULL;
    result = is_object ? scan_object(s, i + 1, end) : scan_array(s, i + 1, end);
    Py_LeaveRecursiveCall();
    return result;
}

static PyObject *scan_value(scan_t *s, Py_ssize_t i, Py_ssize_t *end)
{
    switch (at(s, i)) {
    case '"':
        return json_scan_string(s->document, i + 1, s->scanner->strict, end);
    case '{':
        return scan_nested(s, i, end, 1);
    case '[':
        return scan_nested(s, i, end, 0);
    case 'n':
        return scan_word(s, i, end, "null", Py_None);
    case 't':
        return scan_word(s, i, end, "true", Py_True);
    case 'f':
        return scan_word(s, i, end, "false", Py_False);
    case 'N':
        return stands_at(s, i, "NaN") ? scan_constant(s, i, end, "NaN") : stop(i);
    case 'I':
        return stands_at(s, i, "Infinity") ? scan_constant(s, i, end, "Infinity") : stop(i);
    case '-':
        if (stands_at(s, i, "-Infinity"))
            return scan_constant(s, i, end, "-Infinity");
        return scan_number(s, i, end);
    default:
        return scan_number(s, i, end);
    }
}

/* ---- The type ---- */

static PyObject *scanner_call(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"string", "idx", NULL};
    PyObject *document, *value, *result = NULL;
    Py_ssize_t i, end = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "On:scan_once", keywords, &document, &i))
        return NULL;
    if (!PyUnicode_Check(document)) {
        PyErr_Format(PyExc_TypeError, "first argument must be a string, not %.80s", Py_TYPE(document)->tp_name);
        return NULL;
    }
    if (i < 0) {
        PyErr_SetString(PyExc_ValueError, "idx cannot be negative");
        return NULL;
    }
    if (i >= PyUnicode_GET_LENGTH(document))
        return stop(i);
    scan_t s = {.scanner = (scanner_t *)op, .document = document, .kind = PyUnicode_KIND(document),
                .data = PyUnicode_DATA(document), .length = PyUnicode_GET_LENGTH(document), .keys = PyDict_New()};
    if (s.keys == NULL)
        return NULL;
    value = scan_value(&s, i, &end);
    Py_DECREF(s.keys);
    if (value != NULL) {
        result = Py_BuildValue("(On)", value, end);
        Py_DECREF(value);
    }
    return result;
}

static int scanner_traverse(PyObject *op, visitproc visit, void *arg)
{
    scanner_t *s = (scanner_t *)op;
    Py_VISIT(s->object_hook);
    Py_VISIT(s->object_pairs_hook);
    Py_VISIT(s->parse_float);
    Py_VISIT(s->parse_int);
    Py_VISIT(s->parse_constant);
    return 0;
}

static int scanner_clear(PyObject *op)
{
    scanner_t *s = (scanner_t *)op;
    Py_CLEAR(s->object_hook);
    Py_CLEAR(s->object_pairs_hook);
    Py_CLEAR(s->parse_float);
    Py_CLEAR(s->parse_int);
    Py_CLEAR(s->parse_constant);
    return 0;
}

static void scanner_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    scanner_clear(op);
    Py_TYPE(op)->tp_free(op);
}

static PyObject *scanner_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"context", NULL};
    PyObject *context, *strict;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:make_scanner", keywords, &context))
        return NULL;
    scanner_t *s = (scanner_t *)type->tp_alloc(type, 0);
    if (s == NULL)
        return NULL;
    PyObject_GC_UnTrack(s);     /* until it is complete */
    strict = PyObject_GetAttrString(context, "strict");
    if (strict == NULL)
        goto failed;
    int truth = PyObject_IsTrue(strict);
    Py_DECREF(strict);
    if (truth < 0)
        goto failed;
    s->strict = (char)truth;
    if ((s->object_hook = PyObject_GetAttrString(context, "object_hook")) == NULL
        || (s->object_pairs_hook = PyObject_GetAttrString(context, "object_pairs_hook")) == NULL
        || (s->parse_float = PyObject_GetAttrString(context, "parse_float")) == NULL
        || (s->parse_int = PyObject_GetAttrString(context, "parse_int")) == NULL
        || (s->parse_constant = PyObject_GetAttrString(context, "parse_constant")) == NULL)
        goto failed;
    PyObject_GC_Track(s);
    return (PyObject *)s;

failed:
    Py_DECREF(s);
    return NULL;
}

static PyMemberDef scanner_members[] = {
    {"strict", T_BOOL, offsetof(scanner_t, strict), READONLY, "Are control characters in strings errors?"},
    {"object_hook", T_OBJECT, offsetof(scanner_t, object_hook), READONLY, "Called with each dict, or None."},
    {"object_pairs_hook", T_OBJECT, offsetof(scanner_t, object_pairs_hook), READONLY,
     "Called with the list of members of each object instead, or None."},
    {"parse_float", T_OBJECT, offsetof(scanner_t, parse_float), READONLY, "Makes numbers with a fraction or exponent."},
    {"parse_int", T_OBJECT, offsetof(scanner_t, parse_int), READONLY, "Makes whole numbers."},
    {"parse_constant", T_OBJECT, offsetof(scanner_t, parse_constant), READONLY, "Makes NaN and the infinities."},
    {NULL, 0, 0, 0, NULL},
};

PyTypeObject json_scanner_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_json.Scanner",
    .tp_basicsize = sizeof(scanner_t),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "A scanner of JSON documents: called with a str and an index, it returns the value there and its end.",
    .tp_call = scanner_call,
    .tp_members = scanner_members,
    .tp_new = scanner_new,
    .tp_traverse = scanner_traverse,
    .tp_clear = scanner_clear,
    .tp_dealloc = scanner_dealloc,
};
