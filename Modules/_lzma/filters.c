/* Filter specifications: dicts with an id and the options of that filter. */
#include "lzma_internal.h"

/* ---- Options: fields of 32 bits (enums included) in the structures of the library ---- */

typedef struct { const char *name; size_t offset; } option_t;

static const option_t lzma_fields[] = {
    {"dict_size", offsetof(lzma_options_lzma, dict_size)}, {"lc", offsetof(lzma_options_lzma, lc)},
    {"lp", offsetof(lzma_options_lzma, lp)}, {"pb", offsetof(lzma_options_lzma, pb)},
    {"mode", offsetof(lzma_options_lzma, mode)}, {"nice_len", offsetof(lzma_options_lzma, nice_len)},
    {"mf", offsetof(lzma_options_lzma, mf)}, {"depth", offsetof(lzma_options_lzma, depth)}, {NULL, 0},
};
static const option_t delta_fields[] = {{"dist", offsetof(lzma_options_delta, dist)}, {NULL, 0}};
static const option_t bcj_fields[] = {{"start_offset", offsetof(lzma_options_bcj, start_offset)}, {NULL, 0}};

static int to_uint32(PyObject *value, uint32_t *result)
{
    unsigned long n = PyLong_AsUnsignedLong(value);
    if (n == (unsigned long)-1 && PyErr_Occurred())
        return -1;
    if (n > UINT32_MAX) {
        PyErr_SetString(PyExc_OverflowError, "Value too large for uint32_t type");
        return -1;
    }
    *result = (uint32_t)n;
    return 0;
}

/* One option; 0, or -1 with or without an exception. */
static int set_option(const option_t *fields, void *options, PyObject *key, PyObject *value)
{
    uint32_t n;
    if (!PyUnicode_Check(key))
        return -1;
    if (_PyUnicode_EqualToASCIIString(key, "id") || (fields == lzma_fields && _PyUnicode_EqualToASCIIString(key, "preset")))
        return 0;       /* seen to before */
    for (; fields->name != NULL; fields++)
        if (_PyUnicode_EqualToASCIIString(key, fields->name)) {
            if (to_uint32(value, &n) < 0)
                return -1;
            memcpy((char *)options + fields->offset, &n, sizeof(n));
            return 0;
        }
    return -1;
}

/* All options of a specification, which is a mapping. */
static int set_options(const option_t *fields, void *options, PyObject *specification, const char *what)
{
    PyObject *items = PyMapping_Items(specification);
    if (items == NULL)
        return -1;
    PyObject_GC_UnTrack(items);         /* not to be found by gc.get_objects */
    int failed = 0;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(items) && !failed; i++) {
        PyObject *item = PyList_GET_ITEM(items, i);
        failed = !PyTuple_Check(item) || PyTuple_GET_SIZE(item) != 2
                 || set_option(fields, options, PyTuple_GET_ITEM(item, 0), PyTuple_GET_ITEM(item, 1)) < 0;
    }
    Py_DECREF(items);
    if (failed)
        PyErr_Format(PyExc_ValueError, "Invalid filter specifier for %s filter", what);
    return failed ? -1 : 0;
}

/* ---- One filter ---- */

/* The options that a preset stands for. */
static int set_preset(lzma_options_lzma *options, PyObject *specification)
{
    uint32_t preset = LZMA_PRESET_DEFAULT;
    PyObject *value;
    int found = PyMapping_GetOptionalItemString(specification, "preset", &value);
    if (found < 0)
        return -1;
    if (found) {
        int failed = to_uint32(value, &preset);
        Py_DECREF(value);
        if (failed)
            return -1;
    }
    if (!lzma_lzma_preset(options, preset))
        return 0;
    PyErr_Format(lzma_exception, "Invalid compression preset: %u", preset);
    return -1;
}

static int parse_options(lzma_filter *filter, PyObject *specification)
{
    size_t size;
    switch (filter->id) {
    case LZMA_FILTER_LZMA1: case LZMA_FILTER_LZMA2:
        size = sizeof(lzma_options_lzma);
        break;
    case LZMA_FILTER_DELTA:
        size = sizeof(lzma_options_delta);
        break;
    case LZMA_FILTER_X86: case LZMA_FILTER_POWERPC: case LZMA_FILTER_IA64: case LZMA_FILTER_ARM: case LZMA_FILTER_ARMTHUMB:
    case LZMA_FILTER_SPARC:
        size = sizeof(lzma_options_bcj);
        break;
    default:
        PyErr_Format(PyExc_ValueError, "Invalid filter ID: %llu", (unsigned long long)filter->id);
        return -1;
    }
    filter->options = PyMem_Calloc(1, size);
    if (filter->options == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    if (size == sizeof(lzma_options_lzma))
        return set_preset(filter->options, specification) < 0 ? -1
                                                              : set_options(lzma_fields, filter->options, specification, "LZMA");
    if (size == sizeof(lzma_options_delta) && filter->id == LZMA_FILTER_DELTA) {
        lzma_options_delta *delta = filter->options;
        delta->type = LZMA_DELTA_TYPE_BYTE;
        delta->dist = 1;
        return set_options(delta_fields, delta, specification, "delta");
    }
    return set_options(bcj_fields, filter->options, specification, "BCJ");
}

/* filter->options is to be freed, also after a failure. */
static int parse_filter(lzma_filter *filter, PyObject *specification)
{
    PyObject *id;
    filter->options = NULL;
    if (!PyMapping_Check(specification)) {
        PyErr_SetString(PyExc_TypeError, "Filter specifier must be a dict or dict-like object");
        return -1;
    }
    int found = PyMapping_GetOptionalItemString(specification, "id", &id);
    if (found == 0)
        PyErr_SetString(PyExc_ValueError, "Filter specifier must have an \"id\" entry");
    if (found <= 0)
        return -1;
    filter->id = PyLong_AsUnsignedLongLong(id);
    Py_DECREF(id);
    return PyErr_Occurred() ? -1 : parse_options(filter, specification);
}

/* ---- Chains ---- */

int lzma_parse_filters(lzma_filter filters[LZMA_FILTERS_MAX + 1], PyObject *specifications)
{
    filters[0].id = LZMA_VLI_UNKNOWN;
    Py_ssize_t n = PySequence_Size(specifications);
    if (n < 0)
        return -1;
    if (n > LZMA_FILTERS_MAX) {
        PyErr_Format(PyExc_ValueError, "Too many filters - liblzma supports a maximum of %d", LZMA_FILTERS_MAX);
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *specification = PySequence_GetItem(specifications, i);
        if (specification == NULL)
            return -1;
        int failed = parse_filter(&filters[i], specification);
        Py_DECREF(specification);
        if (failed) {
            PyMem_Free(filters[i].options);
            filters[i].id = LZMA_VLI_UNKNOWN;
            return -1;
        }
        filters[i + 1].id = LZMA_VLI_UNKNOWN;
    }
    return 0;
}

void lzma_free_filters(lzma_filter *filters)
{
    for (; filters->id != LZMA_VLI_UNKNOWN; filters++)
        PyMem_Free(filters->options);
}

/* ---- Properties: the bytes that stand for a filter's options ---- */

PyObject *lzma_encode_properties(PyObject *module, PyObject *specification)
{
    lzma_filter filter;
    uint32_t size;
    PyObject *result = NULL;
    if (parse_filter(&filter, specification) == 0 && lzma_check_result(lzma_properties_size(&size, &filter)) == 0
        && (result = PyBytes_FromStringAndSize(NULL, size)) != NULL
        && lzma_check_result(lzma_properties_encode(&filter, (uint8_t *)PyBytes_AS_STRING(result))) < 0)
        Py_CLEAR(result);
    PyMem_Free(filter.options);
    return result;
}

/* Puts the named fields of the options into a dict. */
static int describe(PyObject *dict, const option_t *fields, const void *options, const char *only)
{
    for (; fields->name != NULL; fields++) {
        uint32_t n;
        if (only != NULL && strstr(only, fields->name) == NULL)
            continue;
        memcpy(&n, (const char *)options + fields->offset, sizeof(n));
        if (PyDict_SetItemString(dict, fields->name, PyLong_FromUnsignedLong(n)) < 0)
            return -1;
    }
    return 0;
}

static PyObject *describe_filter(const lzma_filter *filter)
{
    PyObject *dict = PyDict_New(), *id = PyLong_FromUnsignedLongLong(filter->id);
    int failed = dict == NULL || id == NULL || PyDict_SetItemString(dict, "id", id) < 0;
    if (!failed && filter->options != NULL)
        switch (filter->id) {
        case LZMA_FILTER_LZMA1:
            failed = describe(dict, lzma_fields + 1, filter->options, "lc lp pb") < 0
                     || describe(dict, lzma_fields, filter->options, "dict_size") < 0;
            break;
        case LZMA_FILTER_LZMA2:
            failed = describe(dict, lzma_fields, filter->options, "dict_size") < 0;
            break;
        case LZMA_FILTER_DELTA:
            failed = describe(dict, delta_fields, filter->options, NULL) < 0;
            break;
        default:
            failed = describe(dict, bcj_fields, filter->options, NULL) < 0;
        }
    Py_XDECREF(id);
    if (failed)
        Py_CLEAR(dict);
    return dict;
}

PyObject *lzma_decode_properties(PyObject *module, PyObject *args)
{
    Py_buffer data;
    PyObject *id, *result = NULL;
    lzma_filter filter = {.options = NULL};
    if (!PyArg_ParseTuple(args, "Oy*:_decode_filter_properties", &id, &data))
        return NULL;
    filter.id = PyLong_AsUnsignedLongLong(id);
    if (!PyErr_Occurred()
        && lzma_check_result(lzma_properties_decode(&filter, &lzma_raw_allocator, data.buf, (size_t)data.len)) == 0) {
        result = describe_filter(&filter);
        PyMem_RawFree(filter.options);
    }
    PyBuffer_Release(&data);
    return result;
}
