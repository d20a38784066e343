/* The abstract object layer: calls, numbers, sequences, mappings, iterators, buffers.
 *
 * Names and meanings are those of CPython 3.11.  Unless said otherwise a function that returns PyObject * gives a new
 * reference or NULL with an exception set, an int function 0 (or a truth value) or -1 with an exception set, and any
 * of them may run arbitrary Python code. */
#ifndef Py_ABSTRACTOBJECT_H
#define Py_ABSTRACTOBJECT_H

struct _Py_Identifier;

/* ---- Calls ---- */

/* Set in nargsf: the callee may overwrite args[-1] for the time of the call (and restores it). */
#define PY_VECTORCALL_ARGUMENTS_OFFSET ((size_t)1 << (8 * sizeof(size_t) - 1))
static inline Py_ssize_t PyVectorcall_NARGS(size_t nargsf)
{
    return (Py_ssize_t)(nargsf & ~PY_VECTORCALL_ARGUMENTS_OFFSET);
}
static inline vectorcallfunc _PyVectorcall_FunctionInline(PyObject *callable)
{
    PyTypeObject *type = Py_TYPE(callable);
    if (!PyType_HasFeature(type, Py_TPFLAGS_HAVE_VECTORCALL))
        return NULL;
    vectorcallfunc f;
    memcpy(&f, (char *)callable + type->tp_vectorcall_offset, sizeof(f));
    return f;
}
PyAPI_FUNC(vectorcallfunc) PyVectorcall_Function(PyObject *callable);
#define _PyVectorcall_Function PyVectorcall_Function
PyAPI_FUNC(PyObject *) PyVectorcall_Call(PyObject *callable, PyObject *tuple, PyObject *dict);

PyAPI_FUNC(PyObject *) PyObject_CallNoArgs(PyObject *callable);
PyAPI_FUNC(PyObject *) PyObject_CallOneArg(PyObject *callable, PyObject *arg);
PyAPI_FUNC(PyObject *) PyObject_Call(PyObject *callable, PyObject *args, PyObject *kwargs);
PyAPI_FUNC(PyObject *) PyObject_CallObject(PyObject *callable, PyObject *args);
PyAPI_FUNC(PyObject *) PyObject_CallFunction(PyObject *callable, const char *format, ...);
PyAPI_FUNC(PyObject *) PyObject_CallMethod(PyObject *obj, const char *name, const char *format, ...);
PyAPI_FUNC(PyObject *) PyObject_CallFunctionObjArgs(PyObject *callable, ...);
PyAPI_FUNC(PyObject *) PyObject_CallMethodObjArgs(PyObject *obj, PyObject *name, ...);
#define _PyObject_CallFunction_SizeT PyObject_CallFunction
#define _PyObject_CallMethod_SizeT PyObject_CallMethod

PyAPI_FUNC(PyObject *) PyObject_Vectorcall(PyObject *callable, PyObject *const *args, size_t nargsf,
                                           PyObject *kwnames);
PyAPI_FUNC(PyObject *) PyObject_VectorcallDict(PyObject *callable, PyObject *const *args, size_t nargsf,
                                               PyObject *kwargs);
PyAPI_FUNC(PyObject *) PyObject_VectorcallMethod(PyObject *name, PyObject *const *args, size_t nargsf,
                                                 PyObject *kwnames);
#define _PyObject_Vectorcall PyObject_Vectorcall
#define _PyObject_FastCallDict PyObject_VectorcallDict
#define _PyObject_VectorcallMethod PyObject_VectorcallMethod
#define _PyObject_CallNoArg PyObject_CallNoArgs
#define _PyObject_CallOneArg PyObject_CallOneArg
static inline PyObject *_PyObject_CallNoArgs(PyObject *callable) { return PyObject_CallNoArgs(callable); }
static inline PyObject *_PyObject_FastCall(PyObject *callable, PyObject *const *args, Py_ssize_t nargs)
{
    return PyObject_Vectorcall(callable, args, (size_t)nargs, NULL);
}
static inline PyObject *PyObject_CallMethodNoArgs(PyObject *self, PyObject *name)
{
    return PyObject_VectorcallMethod(name, &self, 1 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
}
static inline PyObject *PyObject_CallMethodOneArg(PyObject *self, PyObject *name, PyObject *arg)
{
    PyObject *args[2] = {self, arg};
    return PyObject_VectorcallMethod(name, args, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
}
#define _PyObject_CallMethodNoArgs PyObject_CallMethodNoArgs
#define _PyObject_CallMethodOneArg PyObject_CallMethodOneArg
PyAPI_FUNC(PyObject *) _PyObject_CallMethod(PyObject *obj, PyObject *name, const char *format, ...);
PyAPI_FUNC(PyObject *) _PyObject_CallMethodId(PyObject *obj, struct _Py_Identifier *name, const char *format, ...);
PyAPI_FUNC(PyObject *) _PyObject_CallMethodIdObjArgs(PyObject *obj, struct _Py_Identifier *name, ...);
PyAPI_FUNC(PyObject *) _PyObject_CallMethodIdNoArgs(PyObject *obj, struct _Py_Identifier *name);
PyAPI_FUNC(PyObject *) _PyObject_CallMethodIdOneArg(PyObject *obj, struct _Py_Identifier *name, PyObject *arg);
PyAPI_FUNC(PyObject *) _PyObject_Call_Prepend(PyObject *callable, PyObject *obj, PyObject *args, PyObject *kwargs);
PyAPI_FUNC(PyObject *) _PyObject_MakeTpCall(PyObject *callable, PyObject *const *args, Py_ssize_t nargs,
                                            PyObject *keywords);
/* How messages name a callable: "module.qualname()". Never raises AttributeError. */
PyAPI_FUNC(PyObject *) _PyObject_FunctionStr(PyObject *callable);
/* The method name of obj for a call: 1 and an unbound function that takes obj first, or 0 and a bound callable (NULL
 * with an exception). A new reference. */
PyAPI_FUNC(int) _PyObject_GetMethod(PyObject *obj, PyObject *name, PyObject **method);

/* ---- Any object ---- */

PyAPI_FUNC(PyObject *) PyObject_Type(PyObject *op);
PyAPI_FUNC(Py_ssize_t) PyObject_Size(PyObject *op);
PyAPI_FUNC(Py_ssize_t) PyObject_Length(PyObject *op);
#define PyObject_Length PyObject_Size
PyAPI_FUNC(int) _PyObject_HasLen(PyObject *op);
PyAPI_FUNC(Py_ssize_t) PyObject_LengthHint(PyObject *op, Py_ssize_t fallback);
PyAPI_FUNC(PyObject *) PyObject_GetItem(PyObject *op, PyObject *key);
PyAPI_FUNC(int) PyObject_SetItem(PyObject *op, PyObject *key, PyObject *value);
PyAPI_FUNC(int) PyObject_DelItem(PyObject *op, PyObject *key);
PyAPI_FUNC(int) PyObject_DelItemString(PyObject *op, const char *key);
PyAPI_FUNC(PyObject *) PyObject_Format(PyObject *op, PyObject *format_spec);
PyAPI_FUNC(int) PyObject_IsInstance(PyObject *op, PyObject *cls);
PyAPI_FUNC(int) PyObject_IsSubclass(PyObject *derived, PyObject *cls);
PyAPI_FUNC(int) _PyObject_RealIsInstance(PyObject *op, PyObject *cls);
PyAPI_FUNC(int) _PyObject_RealIsSubclass(PyObject *derived, PyObject *cls);
#define PyObject_DelAttr(op, name) PyObject_SetAttr((op), (name), NULL)
#define PyObject_DelAttrString(op, name) PyObject_SetAttrString((op), (name), NULL)

/* ---- Iterators ---- */

PyAPI_FUNC(PyObject *) PyObject_GetIter(PyObject *op);
PyAPI_FUNC(PyObject *) PyObject_GetAIter(PyObject *op);
PyAPI_FUNC(int) PyIter_Check(PyObject *op);
PyAPI_FUNC(int) PyAIter_Check(PyObject *op);
/* The next item, or NULL: with an exception, or without one when the iterator is exhausted. */
PyAPI_FUNC(PyObject *) PyIter_Next(PyObject *iter);
/* 1: *item is the next item; 0: exhausted, *item NULL; -1: exception, *item NULL. */
PyAPI_FUNC(int) PyIter_NextItem(PyObject *iter, PyObject **item);
PyAPI_FUNC(PySendResult) PyIter_Send(PyObject *iter, PyObject *value, PyObject **result);

/* ---- Numbers ---- */

PyAPI_FUNC(int) PyNumber_Check(PyObject *op);
PyAPI_FUNC(int) PyIndex_Check(PyObject *op);
PyAPI_FUNC(PyObject *) PyNumber_Add(PyObject *a, PyObject *b);
PyAPI_FUNC(PyObject *) PyNumber_Subtract(PyObject *a, PyObject *b);
PyAPI_FUNC(PyObject *) PyNumber_Multiply(PyObject *a, PyObject *b);
PyAPI_FUNC(PyObject *) PyNumber_MatrixMultiply(PyObject *a, PyObject *b);
PyAPI_FUNC(PyObject *) PyNumber_FloorDivide(PyObject *a, PyObject *b);
PyAPI_FUNC(PyObject *) PyNumber_TrueDivide(PyObject *a, PyObject *b);
PyAPI_FUNC(PyObject *) PyNumber_Remainder(PyObject *a, PyObject *b);
PyAPI_FUNC(PyObject *) PyNumber_Divmod(PyObject *a, PyObject *b);
PyAPI_FUNC(PyObject *) PyNumber_Power(PyObject *a, PyObject *b, PyObject *modulus);
PyAPI_FUNC(PyObject *) PyNumber_Negative(PyObject *op);
PyAPI_FUNC(PyObject *) PyNumber_Positive(PyObject *op);
PyAPI_FUNC(PyObject *) PyNumber_Absolute(PyObject *op);
PyAPI_FUNC(PyObject *) PyNumber_Invert(PyObject *op);
PyAPI_FUNC(PyObject *) PyNumber_Lshift(PyObject *a, PyObject *b);
PyAPI_FUNC(PyObject *) PyNumber_Rshift(PyObject *a, PyObject *b);
PyAPI_FUNC(PyObject *) PyNumber_And(PyObject *a, PyObject *b);
PyAPI_FUNC(PyObject *) PyNumber_Xor(PyObject *a, PyObject *b);
PyAPI_FUNC(PyObject *) PyNumber_Or(PyObject *a, PyObject *b);
PyAPI_FUNC(PyObject *) PyNumber_InPlaceAdd(PyObject *a, PyObject *b);
PyAPI_FUNC(PyObject *) PyNumber_InPlaceSubtract(PyObject *a, PyObject *b);
PyAPI_FUNC(PyObject *) PyNumber_InPlaceMultiply(PyObject *a, PyObject *b);
PyAPI_FUNC(PyObject *) PyNumber_InPlaceMatrixMultiply(PyObject *a, PyObject *b);
PyAPI_FUNC(PyObject *) PyNumber_InPlaceFloorDivide(PyObject *a, PyObject *b);
PyAPI_FUNC(PyObject *) PyNumber_InPlaceTrueDivide(PyObject *a, PyObject *b);
PyAPI_FUNC(PyObject *) PyNumber_InPlaceRemainder(PyObject *a, PyObject *b);
PyAPI_FUNC(PyObject *) PyNumber_InPlacePower(PyObject *a, PyObject *b, PyObject *modulus);
PyAPI_FUNC(PyObject *) PyNumber_InPlaceLshift(PyObject *a, PyObject *b);
PyAPI_FUNC(PyObject *) PyNumber_InPlaceRshift(PyObject *a, PyObject *b);
PyAPI_FUNC(PyObject *) PyNumber_InPlaceAnd(PyObject *a, PyObject *b);
PyAPI_FUNC(PyObject *) PyNumber_InPlaceXor(PyObject *a, PyObject *b);
PyAPI_FUNC(PyObject *) PyNumber_InPlaceOr(PyObject *a, PyObject *b);
/* The object as an exact int, through __index__. */
PyAPI_FUNC(PyObject *) PyNumber_Index(PyObject *op);
/* Like PyNumber_Index, but a subclass of int is returned as it is. */
PyAPI_FUNC(PyObject *) _PyNumber_Index(PyObject *op);
/* Raises err if the index does not fit; with err NULL the value is clipped. */
PyAPI_FUNC(Py_ssize_t) PyNumber_AsSsize_t(PyObject *op, PyObject *err);
PyAPI_FUNC(PyObject *) PyNumber_Long(PyObject *op);
PyAPI_FUNC(PyObject *) PyNumber_Float(PyObject *op);
PyAPI_FUNC(PyObject *) PyNumber_ToBase(PyObject *op, int base);

/* ---- Sequences ---- */

PyAPI_FUNC(int) PySequence_Check(PyObject *op);
PyAPI_FUNC(Py_ssize_t) PySequence_Size(PyObject *op);
PyAPI_FUNC(Py_ssize_t) PySequence_Length(PyObject *op);
#define PySequence_Length PySequence_Size
PyAPI_FUNC(PyObject *) PySequence_Concat(PyObject *a, PyObject *b);
PyAPI_FUNC(PyObject *) PySequence_Repeat(PyObject *op, Py_ssize_t count);
PyAPI_FUNC(PyObject *) PySequence_InPlaceConcat(PyObject *a, PyObject *b);
PyAPI_FUNC(PyObject *) PySequence_InPlaceRepeat(PyObject *op, Py_ssize_t count);
PyAPI_FUNC(PyObject *) PySequence_GetItem(PyObject *op, Py_ssize_t i);
PyAPI_FUNC(PyObject *) PySequence_GetSlice(PyObject *op, Py_ssize_t lo, Py_ssize_t hi);
PyAPI_FUNC(int) PySequence_SetItem(PyObject *op, Py_ssize_t i, PyObject *value);
PyAPI_FUNC(int) PySequence_DelItem(PyObject *op, Py_ssize_t i);
PyAPI_FUNC(int) PySequence_SetSlice(PyObject *op, Py_ssize_t lo, Py_ssize_t hi, PyObject *value);
PyAPI_FUNC(int) PySequence_DelSlice(PyObject *op, Py_ssize_t lo, Py_ssize_t hi);
PyAPI_FUNC(PyObject *) PySequence_Tuple(PyObject *op);
PyAPI_FUNC(PyObject *) PySequence_List(PyObject *op);
/* A tuple or list with op's items.  A list or tuple is returned itself; in a free-threaded build a list that other
 * threads can reach must be locked for as long as its items are read through the macros. */
PyAPI_FUNC(PyObject *) PySequence_Fast(PyObject *op, const char *message);
PyAPI_FUNC(Py_ssize_t) PySequence_Count(PyObject *op, PyObject *value);
PyAPI_FUNC(int) PySequence_Contains(PyObject *op, PyObject *value);
PyAPI_FUNC(int) PySequence_In(PyObject *op, PyObject *value);
PyAPI_FUNC(Py_ssize_t) PySequence_Index(PyObject *op, PyObject *value);

enum { PY_ITERSEARCH_COUNT = 1, PY_ITERSEARCH_INDEX = 2, PY_ITERSEARCH_CONTAINS = 3 };
PyAPI_FUNC(Py_ssize_t) _PySequence_IterSearch(PyObject *op, PyObject *value, int operation);

#define PySequence_ITEM(o, i) (Py_TYPE(o)->tp_as_sequence->sq_item((PyObject *)(o), (i)))
#define PySequence_Fast_GET_SIZE(o) (PyList_Check(o) ? PyList_GET_SIZE(o) : PyTuple_GET_SIZE(o))
#define PySequence_Fast_GET_ITEM(o, i) (PyList_Check(o) ? PyList_GET_ITEM(o, i) : PyTuple_GET_ITEM(o, i))
#define PySequence_Fast_ITEMS(sf) \
    (PyList_Check(sf) ? ((PyListObject *)(sf))->ob_item : ((PyTupleObject *)(sf))->ob_item)

/* ---- Mappings ---- */

PyAPI_FUNC(int) PyMapping_Check(PyObject *op);
PyAPI_FUNC(Py_ssize_t) PyMapping_Size(PyObject *op);
PyAPI_FUNC(Py_ssize_t) PyMapping_Length(PyObject *op);
#define PyMapping_Length PyMapping_Size
#define PyMapping_DelItemString(op, key) PyObject_DelItemString((op), (key))
#define PyMapping_DelItem(op, key) PyObject_DelItem((op), (key))
PyAPI_FUNC(int) PyMapping_HasKeyString(PyObject *op, const char *key);
PyAPI_FUNC(int) PyMapping_HasKey(PyObject *op, PyObject *key);
PyAPI_FUNC(int) PyMapping_HasKeyStringWithError(PyObject *op, const char *key);
PyAPI_FUNC(int) PyMapping_HasKeyWithError(PyObject *op, PyObject *key);
PyAPI_FUNC(PyObject *) PyMapping_Keys(PyObject *op);
PyAPI_FUNC(PyObject *) PyMapping_Values(PyObject *op);
PyAPI_FUNC(PyObject *) PyMapping_Items(PyObject *op);
PyAPI_FUNC(PyObject *) PyMapping_GetItemString(PyObject *op, const char *key);
PyAPI_FUNC(int) PyMapping_SetItemString(PyObject *op, const char *key, PyObject *value);
/* 1: found; 0: no such key, *result NULL; -1: exception, *result NULL. */
PyAPI_FUNC(int) PyMapping_GetOptionalItem(PyObject *op, PyObject *key, PyObject **result);
PyAPI_FUNC(int) PyMapping_GetOptionalItemString(PyObject *op, const char *key, PyObject **result);

/* ---- Buffers ---- */

#define PyBUF_MAX_NDIM 64
#define PyBUF_SIMPLE 0
#define PyBUF_WRITABLE 0x0001
#define PyBUF_WRITEABLE PyBUF_WRITABLE
#define PyBUF_FORMAT 0x0004
#define PyBUF_ND 0x0008
#define PyBUF_STRIDES (0x0010 | PyBUF_ND)
#define PyBUF_C_CONTIGUOUS (0x0020 | PyBUF_STRIDES)
#define PyBUF_F_CONTIGUOUS (0x0040 | PyBUF_STRIDES)
#define PyBUF_ANY_CONTIGUOUS (0x0080 | PyBUF_STRIDES)
#define PyBUF_INDIRECT (0x0100 | PyBUF_STRIDES)
#define PyBUF_CONTIG (PyBUF_ND | PyBUF_WRITABLE)
#define PyBUF_CONTIG_RO (PyBUF_ND)
#define PyBUF_STRIDED (PyBUF_STRIDES | PyBUF_WRITABLE)
#define PyBUF_STRIDED_RO (PyBUF_STRIDES)
#define PyBUF_RECORDS (PyBUF_STRIDES | PyBUF_WRITABLE | PyBUF_FORMAT)
#define PyBUF_RECORDS_RO (PyBUF_STRIDES | PyBUF_FORMAT)
#define PyBUF_FULL (PyBUF_INDIRECT | PyBUF_WRITABLE | PyBUF_FORMAT)
#define PyBUF_FULL_RO (PyBUF_INDIRECT | PyBUF_FORMAT)
#define PyBUF_READ 0x100
#define PyBUF_WRITE 0x200

PyAPI_FUNC(int) PyObject_CheckBuffer(PyObject *op);
PyAPI_FUNC(int) PyObject_GetBuffer(PyObject *op, Py_buffer *view, int flags);
PyAPI_FUNC(void) PyBuffer_Release(Py_buffer *view);
PyAPI_FUNC(int) PyBuffer_IsContiguous(const Py_buffer *view, char order);
PyAPI_FUNC(void *) PyBuffer_GetPointer(const Py_buffer *view, const Py_ssize_t *indices);
PyAPI_FUNC(Py_ssize_t) PyBuffer_SizeFromFormat(const char *format);
PyAPI_FUNC(int) PyBuffer_ToContiguous(void *buf, const Py_buffer *view, Py_ssize_t len, char order);
PyAPI_FUNC(int) PyBuffer_FromContiguous(const Py_buffer *view, const void *buf, Py_ssize_t len, char order);
PyAPI_FUNC(int) PyObject_CopyData(PyObject *dest, PyObject *src);
PyAPI_FUNC(void) PyBuffer_FillContiguousStrides(int ndim, Py_ssize_t *shape, Py_ssize_t *strides, int itemsize,
                                                char order);
PyAPI_FUNC(int) PyBuffer_FillInfo(Py_buffer *view, PyObject *op, void *buf, Py_ssize_t len, int readonly, int flags);
PyAPI_FUNC(int) PyObject_CheckReadBuffer(PyObject *op);
PyAPI_FUNC(int) PyObject_AsReadBuffer(PyObject *op, const void **buffer, Py_ssize_t *len);
PyAPI_FUNC(int) PyObject_AsWriteBuffer(PyObject *op, void **buffer, Py_ssize_t *len);
PyAPI_FUNC(int) PyObject_AsCharBuffer(PyObject *op, const char **buffer, Py_ssize_t *len);

/* A char ** vector from a sequence of bytes-like or str items (used by os.exec*); freed by _Py_FreeCharPArray. */
PyAPI_FUNC(char *const *) _PySequence_BytesToCharpArray(PyObject *op);
PyAPI_FUNC(void) _Py_FreeCharPArray(char *const array[]);

#endif /* Py_ABSTRACTOBJECT_H */
