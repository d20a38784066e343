/* The _typing module: the identity helper of typing.NewType. */
#include "module.h"

static PyObject *typing_idfunc(PyObject *module, PyObject *x)
{
    return Py_NewRef(x);
}

static PyMethodDef typing_methods[] = {
    {"_idfunc", typing_idfunc, METH_O, "_idfunc($module, x, /)\n--\n\nReturns x."},
    {NULL},
};

static PyModuleDef_Slot typing_slots[] = {
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef typing_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_typing",
    .m_doc = "Helpers of the module typing.",
    .m_methods = typing_methods,
    .m_slots = typing_slots,
};

PyMODINIT_FUNC PyInit__typing(void)
{
    return PyModuleDef_Init(&typing_module);
}
