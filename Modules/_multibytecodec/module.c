/* The module _multibytecodec, and the modules that give codecs out by name. */
#include "multibyte.h"

static int ready_types(void)
{
    return PyType_Ready(&codec_type) < 0 || PyType_Ready(&incremental_encoder_type) < 0 || PyType_Ready(&incremental_decoder_type) < 0
                   || PyType_Ready(&stream_reader_type) < 0 || PyType_Ready(&stream_writer_type) < 0
               ? -1
               : 0;
}

static int multibytecodec_exec(PyObject *module)
{
    return ready_types() < 0 || PyModule_AddType(module, &incremental_encoder_type) < 0
                   || PyModule_AddType(module, &incremental_decoder_type) < 0 || PyModule_AddType(module, &stream_reader_type) < 0
                   || PyModule_AddType(module, &stream_writer_type) < 0
               ? -1
               : 0;
}

static PyModuleDef_Slot multibytecodec_slots[] = {
    {Py_mod_exec, (void *)multibytecodec_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef multibytecodec_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_multibytecodec",
    .m_doc = "Incremental and stream codecs of encodings with several bytes per character.",
    .m_slots = multibytecodec_slots,
};

PyMODINIT_FUNC PyInit__multibytecodec(void)
{
    return PyModuleDef_Init(&multibytecodec_module);
}

/* ---- Modules with a function getcodec ---- */

static PyObject *get_codec(PyObject *encoding, const char *const *names)
{
    if (!PyUnicode_Check(encoding)) {
        PyErr_SetString(PyExc_TypeError, "encoding name must be a string.");
        return NULL;
    }
    const char *name = PyUnicode_AsUTF8(encoding);
    return name == NULL ? NULL : codec_new(name, names);
}

static int types_exec(PyObject *module)
{
    return ready_types();
}

static PyModuleDef_Slot types_slots[] = {
    {Py_mod_exec, (void *)types_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

/* CODEC_MODULE(suffix of the name, encodings...) */
#define CODEC_MODULE(suffix, ...) \
    static const char *const names_##suffix[] = {__VA_ARGS__, NULL}; \
    static PyObject *getcodec_##suffix(PyObject *module, PyObject *encoding) \
    { \
        return get_codec(encoding, names_##suffix); \
    } \
    static PyMethodDef methods_##suffix[] = { \
        {"getcodec", getcodec_##suffix, METH_O, "The codec of an encoding."}, {NULL, NULL, 0, NULL}, \
    }; \
    static struct PyModuleDef module_##suffix = { \
        PyModuleDef_HEAD_INIT, .m_name = "_codecs_" #suffix, .m_methods = methods_##suffix, .m_slots = types_slots, \
    }; \
    PyMODINIT_FUNC PyInit__codecs_##suffix(void) \
    { \
        return PyModuleDef_Init(&module_##suffix); \
    }

CODEC_MODULE(cn, "gb2312", "gbk", "gb18030", "hz")
CODEC_MODULE(iso2022, "iso2022_kr", "iso2022_jp", "iso2022_jp_1", "iso2022_jp_2", "iso2022_jp_2004", "iso2022_jp_3", "iso2022_jp_ext")
CODEC_MODULE(hk, "big5hkscs")
CODEC_MODULE(jp, "shift_jis", "cp932", "euc_jp", "shift_jis_2004", "euc_jis_2004", "euc_jisx0213", "shift_jisx0213")
CODEC_MODULE(kr, "euc_kr", "cp949", "johab")
CODEC_MODULE(tw, "big5", "cp950")
