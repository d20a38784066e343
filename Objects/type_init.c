/* Readies the builtin types that everything else needs, in an order that works. */
#include "Python.h"

#include "type.h"

int type_init_builtins(void)
{
    PyTypeObject *const types[] = {
        /* what PyType_Ready itself makes */
        &PyBaseObject_Type, &PyType_Type, &PyTuple_Type, &PyDict_Type, &PyList_Type, &PyUnicode_Type, &_PyWeakref_RefType,
        &PyCFunction_Type, &PyCMethod_Type, &PyMethodDescr_Type, &PyClassMethodDescr_Type, &PyMemberDescr_Type,
        &PyGetSetDescr_Type, &PyWrapperDescr_Type, &_PyMethodWrapper_Type, &PyStaticMethod_Type, &PyClassMethod_Type,
        /* the rest of the object model */
        &PySuper_Type, &PyProperty_Type, &PyDictProxy_Type, &PyMethod_Type, &PyInstanceMethod_Type, &_PyNone_Type,
        &_PyNotImplemented_Type, &PyEllipsis_Type, &_PyNamespace_Type, &Py_GenericAliasType, &_Py_GenericAliasIterType,
        &_PyUnion_Type,
    };
    for (size_t i = 0; i < Py_ARRAY_LENGTH(types); i++)
        if (PyType_Ready(types[i]) < 0)
            return -1;
    return 0;
}
