/* The array module: arrays of numbers of one C type. */
#include "array_internal.h"

#define FUNCTION(f) ((PyCFunction)(void (*)(void))(f))

/* ---- The type ---- */

static PyObject *array_deepcopy(PyObject *op, PyObject *memo)
{
    return array_copy(op, NULL);
}

static PyMethodDef array_methods[] = {
    {"__copy__", array_copy, METH_NOARGS, "__copy__($self, /)\n--\n\nA copy."},
    {"__deepcopy__", array_deepcopy, METH_O, "__deepcopy__($self, memo, /)\n--\n\nA copy."},
    {"__reduce_ex__", array_reduce_ex, METH_O, "__reduce_ex__($self, protocol, /)\n--\n\nState for pickling."},
    {"__sizeof__", array_sizeof, METH_NOARGS, "__sizeof__($self, /)\n--\n\nSize in memory, in bytes."},
    {"append", array_append, METH_O, "append($self, v, /)\n--\n\nAdd a value at the end."},
    {"buffer_info", array_buffer_info, METH_NOARGS, "buffer_info($self, /)\n--\n\nA tuple (address, number of items)."},
    {"byteswap", array_byteswap, METH_NOARGS, "byteswap($self, /)\n--\n\nReverse the order of the bytes of all items."},
    {"count", array_count, METH_O, "count($self, v, /)\n--\n\nHow often v occurs."},
    {"extend", array_extend, METH_O, "extend($self, bb, /)\n--\n\nAdd the items of an iterable at the end."},
    {"frombytes", array_frombytes, METH_O,
     "frombytes($self, buffer, /)\n--\n\nAdd items at the end that are given as bytes, in the form of the machine."},
    {"fromfile", array_fromfile, METH_VARARGS, "fromfile($self, f, n, /)\n--\n\nRead n items from a file and add them."},
    {"fromlist", array_fromlist, METH_O, "fromlist($self, list, /)\n--\n\nAdd the items of a list, all or none."},
    {"fromunicode", array_fromunicode, METH_O,
     "fromunicode($self, ustr, /)\n--\n\nAdd the characters of a str; the type code must be 'u'."},
    {"index", FUNCTION(array_index), METH_FASTCALL,
     "index($self, v, start=0, stop=sys.maxsize, /)\n--\n\nPosition of the first v; ValueError if there is none."},
    {"insert", array_insert, METH_VARARGS, "insert($self, i, v, /)\n--\n\nPut v before position i."},
    {"pop", array_pop, METH_VARARGS, "pop($self, i=-1, /)\n--\n\nRemove the item at position i and return it."},
    {"remove", array_remove, METH_O, "remove($self, v, /)\n--\n\nRemove the first v."},
    {"reverse", array_reverse, METH_NOARGS, "reverse($self, /)\n--\n\nReverse the order of the items."},
    {"tobytes", array_tobytes, METH_NOARGS, "tobytes($self, /)\n--\n\nThe items as bytes, in the form of the machine."},
    {"tofile", array_tofile, METH_O, "tofile($self, f, /)\n--\n\nWrite all items to a file."},
    {"tolist", array_tolist, METH_NOARGS, "tolist($self, /)\n--\n\nThe items as a list."},
    {"tounicode", array_tounicode, METH_NOARGS, "tounicode($self, /)\n--\n\nThe characters as a str; the type code must be 'u'."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef array_getset[] = {
    {"typecode", array_get_typecode, NULL, "The character that stands for the type of the items.", NULL},
    {"itemsize", array_get_itemsize, NULL, "Size of an item in bytes.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PySequenceMethods array_as_sequence = {
    .sq_length = array_length,
    .sq_concat = array_concat,
    .sq_repeat = array_repeat,
    .sq_item = array_item,
    .sq_ass_item = array_ass_item,
    .sq_contains = array_contains,
    .sq_inplace_concat = array_inplace_concat,
    .sq_inplace_repeat = array_inplace_repeat,
};
static PyMappingMethods array_as_mapping = {
    .mp_length = array_length,
    .mp_subscript = array_subscript,
    .mp_ass_subscript = array_ass_subscript,
};
static PyBufferProcs array_as_buffer = {array_getbuffer, array_releasebuffer};

PyTypeObject array_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "array.array",
    .tp_doc = "array(typecode [, initializer]) -> array\n\nAn array of numbers of one C type, which the type code names:\n\n"
              "b B h H i I l L q Q  signed and unsigned integers of char, short, int, long, long long\n"
              "f d                  float and double\n"
              "u                    characters (wchar_t)\n\n"
              "The initializer is an iterable of items, bytes in the form of the machine, or a str for 'u'.",
    .tp_basicsize = sizeof(arrayobject),
    .tp_dealloc = array_dealloc,
    .tp_repr = array_repr,
    .tp_as_sequence = &array_as_sequence,
    .tp_as_mapping = &array_as_mapping,
    .tp_as_buffer = &array_as_buffer,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_SEQUENCE,
    .tp_richcompare = array_richcompare,
    .tp_weaklistoffset = offsetof(arrayobject, weakreflist),
    .tp_iter = array_iter,
    .tp_methods = array_methods,
    .tp_getset = array_getset,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = array_new,
    .tp_free = PyObject_Free,
};

/* ---- The module ---- */

static PyMethodDef module_methods[] = {
    {"_array_reconstructor", array_reconstructor, METH_VARARGS,
     "_array_reconstructor($module, arraytype, typecode, mformat_code, items, /)\n--\n\nFor pickling."},
    {NULL, NULL, 0, NULL},
};

/* isinstance(array.array(...), collections.abc.MutableSequence) */
static int register_sequence(void)
{
    PyObject *module = PyImport_ImportModule("collections.abc"), *abc = NULL, *result = NULL;
    if (module != NULL)
        abc = PyObject_GetAttrString(module, "MutableSequence");
    if (abc != NULL)
        result = PyObject_CallMethod(abc, "register", "O", (PyObject *)&array_type);
    Py_XDECREF(module);
    Py_XDECREF(abc);
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

static int module_exec(PyObject *module)
{
    char typecodes[ARRAY_DESCRIPTORS + 1] = {0};
    for (size_t i = 0; i < ARRAY_DESCRIPTORS; i++)
        typecodes[i] = array_descriptors[i].typecode;
    if (PyType_Ready(&array_iter_type) < 0 || PyModule_AddType(module, &array_type) < 0
        || PyModule_AddObjectRef(module, "ArrayType", (PyObject *)&array_type) < 0
        || PyModule_AddStringConstant(module, "typecodes", typecodes) < 0)
        return -1;
    return register_sequence();
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, (void *)module_exec},
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "array",
    .m_doc = "Arrays of numbers of one C type: compact, and fast to hand to other libraries.",
    .m_methods = module_methods,
    .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit_array(void)
{
    return PyModuleDef_Init(&module_def);
}
