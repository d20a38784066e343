/* The module _io: names, types and functions. */
#include "io_internal.h"

static PyMethodDef io_functions[] = {
    { "open", IO_METHOD(io_open), METH_VARARGS | METH_KEYWORDS,
      PyDoc_STR("open($module, /, file, mode='r', buffering=-1, encoding=None,\n"
                "     errors=None, newline=None, closefd=True, opener=None)\n--\n\n"
                "Open a file and return a stream: text by default, bytes with 'b' in the mode.\n\n"
                "file is a path or a file descriptor. mode is one of\n"
                "  'r' read   'w' write a new file or over an old one   'x' write a new file   'a' append\n"
                "with 'b' for bytes, 't' for text and '+' for both reading and writing added.\n"
                "buffering: 0 none (bytes only), 1 lines (text only), else the size of the buffer;\n"
                "by default the block size of the file, and lines for a terminal.\n"
                "encoding, errors and newline are for text: see TextIOWrapper.\n"
                "A descriptor is closed with the stream unless closefd is false.\n"
                "opener(file, flags) may return the descriptor to be used.") },
    { "text_encoding", IO_METHOD(io_text_encoding), METH_FASTCALL,
      PyDoc_STR("text_encoding($module, encoding, stacklevel=2, /)\n--\n\n"
                "Return the encoding given; for None the default encoding's name.\n\n"
                "Functions with an optional encoding argument use it, so that -X warn_default_encoding warns\n"
                "about their callers.") },
    { "open_code", IO_METHOD(io_open_code), METH_VARARGS | METH_KEYWORDS,
      PyDoc_STR("open_code($module, /, path)\n--\n\n"
                "Open a file of code, as open(path, 'rb') unless a hook was installed.") },
    { NULL, NULL, 0, NULL },
};


/* Makes the names used for look-ups. They live as long as the process. */
static int make_names(void)
{
    if (io_str.zero != NULL)
        return 0;
#define IO_MAKE_NAME(name)                                                                                     \
    if ((io_str.name = PyUnicode_InternFromString(#name)) == NULL)                                                     \
        return -1;
    IO_NAMES(IO_MAKE_NAME)
    if ((io_str.empty = PyUnicode_FromStringAndSize(NULL, 0)) == NULL ||
        (io_str.empty_bytes = PyBytes_FromStringAndSize(NULL, 0)) == NULL ||
        (io_str.newline = PyUnicode_InternFromString("\n")) == NULL || (io_str.zero = PyLong_FromLong(0)) == NULL)
        return -1;
    return 0;
}

static int make_unsupported_operation(void)
{
    if (io_unsupported_operation != NULL)
        return 0;
    io_unsupported_operation = PyObject_CallFunction((PyObject *)&PyType_Type, "s(OO){ss}", "UnsupportedOperation",
                                                     PyExc_OSError, PyExc_ValueError, "__module__", "io");
    return io_unsupported_operation == NULL ? -1 : 0;
}

/* In the order that makes bases ready before what is derived from them. */
static PyTypeObject *const types[] = {
    &io_IOBase_type,          &io_RawIOBase_type,      &io_BufferedIOBase_type, &io_TextIOBase_type,
    &io_FileIO_type,          &io_BytesIO_type,        &io_StringIO_type,       &io_BufferedReader_type,
    &io_BufferedWriter_type,  &io_BufferedRWPair_type, &io_BufferedRandom_type, &io_TextIOWrapper_type,
    &io_NewlineDecoder_type,
};

static int io_exec(PyObject *module)
{
    if (io_lock_setup() < 0 || make_names() < 0 || make_unsupported_operation() < 0 ||
        PyType_Ready(&io_BytesIOBuffer_type) < 0)
        return -1;
    if (PyModule_AddIntConstant(module, "DEFAULT_BUFFER_SIZE", IO_DEFAULT_BUFFER_SIZE) < 0 ||
        PyModule_AddObjectRef(module, "UnsupportedOperation", io_unsupported_operation) < 0 ||
        PyModule_AddObjectRef(module, "BlockingIOError", PyExc_BlockingIOError) < 0)
        return -1;
    for (size_t i = 0; i < Py_ARRAY_LENGTH(types); i++)
        if (PyModule_AddType(module, types[i]) < 0)
            return -1;
    return 0;
}

static PyModuleDef_Slot io_slots[] = {
    { Py_mod_exec, io_exec },
#ifdef Py_mod_gil
    { Py_mod_gil, Py_MOD_GIL_NOT_USED },
#endif
    { 0, NULL },
};

static struct PyModuleDef io_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_io",
    .m_doc = PyDoc_STR("Streams: files, buffers and text. The public names are those of the module io."),
    .m_size = 0,
    .m_methods = io_functions,
    .m_slots = io_slots,
};

PyMODINIT_FUNC PyInit__io(void)
{
    return PyModuleDef_Init(&io_module);
}
