/* The _lzma module itself. */
#include "lzma_internal.h"

PyObject *lzma_exception;

static void *allocate(void *unused, size_t items, size_t size)
{
    return compression_allocate(items, size);
}

static void release(void *unused, void *memory)
{
    PyMem_RawFree(memory);
}

const lzma_allocator lzma_raw_allocator = {allocate, release, NULL};

int lzma_check_result(lzma_ret result)
{
    const char *text;
    switch (result) {
    case LZMA_OK: case LZMA_GET_CHECK: case LZMA_NO_CHECK: case LZMA_STREAM_END:
        return 0;
    case LZMA_MEM_ERROR:
        PyErr_NoMemory();
        return -1;
    case LZMA_UNSUPPORTED_CHECK: text = "Unsupported integrity check"; break;
    case LZMA_MEMLIMIT_ERROR: text = "Memory usage limit exceeded"; break;
    case LZMA_FORMAT_ERROR: text = "Input format not supported by decoder"; break;
    case LZMA_OPTIONS_ERROR: text = "Invalid or unsupported options"; break;
    case LZMA_DATA_ERROR: text = "Corrupt input data"; break;
    case LZMA_BUF_ERROR: text = "Insufficient buffer space"; break;
    case LZMA_PROG_ERROR: text = "Internal error"; break;
    default:
        PyErr_Format(lzma_exception, "Unrecognized error from liblzma: %d", result);
        return -1;
    }
    PyErr_SetString(lzma_exception, text);
    return -1;
}

static PyObject *is_check_supported(PyObject *module, PyObject *args)
{
    int check;
    if (!PyArg_ParseTuple(args, "i:is_check_supported", &check))
        return NULL;
    return PyBool_FromLong(lzma_check_is_supported((lzma_check)check));
}

static PyMethodDef lzma_methods[] = {
    {"is_check_supported", is_check_supported, METH_VARARGS,
     "is_check_supported($module, check_id, /)\n--\n\nDoes the library support an integrity check?"},
    {"_encode_filter_properties", lzma_encode_properties, METH_O,
     "_encode_filter_properties($module, filter, /)\n--\n\nThe bytes that stand for the options of a filter, without its id."},
    {"_decode_filter_properties", lzma_decode_properties, METH_VARARGS,
     "_decode_filter_properties($module, filter_id, encoded_props, /)\n--\n\nThe filter specification that such bytes stand for."},
    {NULL, NULL, 0, NULL},
};

static const struct { const char *name; long long value; } constants[] = {
    {"FORMAT_AUTO", FORMAT_AUTO}, {"FORMAT_XZ", FORMAT_XZ}, {"FORMAT_ALONE", FORMAT_ALONE}, {"FORMAT_RAW", FORMAT_RAW},
    {"CHECK_NONE", LZMA_CHECK_NONE}, {"CHECK_CRC32", LZMA_CHECK_CRC32}, {"CHECK_CRC64", LZMA_CHECK_CRC64},
    {"CHECK_SHA256", LZMA_CHECK_SHA256}, {"CHECK_ID_MAX", LZMA_CHECK_ID_MAX}, {"CHECK_UNKNOWN", CHECK_UNKNOWN},
    {"FILTER_LZMA1", (long long)LZMA_FILTER_LZMA1}, {"FILTER_LZMA2", LZMA_FILTER_LZMA2}, {"FILTER_DELTA", LZMA_FILTER_DELTA},
    {"FILTER_X86", LZMA_FILTER_X86}, {"FILTER_IA64", LZMA_FILTER_IA64}, {"FILTER_ARM", LZMA_FILTER_ARM},
    {"FILTER_ARMTHUMB", LZMA_FILTER_ARMTHUMB}, {"FILTER_SPARC", LZMA_FILTER_SPARC}, {"FILTER_POWERPC", LZMA_FILTER_POWERPC},
    {"MF_HC3", LZMA_MF_HC3}, {"MF_HC4", LZMA_MF_HC4}, {"MF_BT2", LZMA_MF_BT2}, {"MF_BT3", LZMA_MF_BT3},
    {"MF_BT4", LZMA_MF_BT4}, {"MODE_FAST", LZMA_MODE_FAST}, {"MODE_NORMAL", LZMA_MODE_NORMAL},
    {"PRESET_DEFAULT", LZMA_PRESET_DEFAULT}, {"PRESET_EXTREME", LZMA_PRESET_EXTREME},
};

static int lzma_exec(PyObject *module)
{
    for (size_t i = 0; i < sizeof(constants) / sizeof(constants[0]); i++)
        if (PyModule_Add(module, constants[i].name, PyLong_FromLongLong(constants[i].value)) < 0)
            return -1;
    if (lzma_exception == NULL) {
        lzma_exception = PyErr_NewExceptionWithDoc("_lzma.LZMAError", "Call to liblzma failed.", NULL, NULL);
        if (lzma_exception == NULL)
            return -1;
    }
    if (PyModule_AddObjectRef(module, "LZMAError", lzma_exception) < 0 || PyModule_AddType(module, &compressor_type) < 0)
        return -1;
    return PyModule_AddType(module, &decompressor_type);
}

static PyModuleDef_Slot lzma_slots[] = {
    {Py_mod_exec, (void *)lzma_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef lzma_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_lzma",
    .m_doc = "Compressors and decompressors: see the module lzma.",
    .m_methods = lzma_methods,
    .m_slots = lzma_slots,
};

PyMODINIT_FUNC PyInit__lzma(void)
{
    return PyModuleDef_Init(&lzma_module);
}
