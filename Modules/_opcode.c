/* The _opcode module: facts about instructions.
 *
 * Instructions of this interpreter name the slots they work on: none has an effect on the depth of a stack. */
#define PY_SSIZE_T_CLEAN
#include "module.h"

static PyObject *opcode_stack_effect(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"", "", "jump", NULL};
    PyObject *oparg = Py_None, *jump = Py_None;
    int opcode;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "i|O$O:stack_effect", keywords, &opcode, &oparg, &jump))
        return NULL;
    if (oparg != Py_None && _PyLong_AsInt(oparg) == -1 && PyErr_Occurred())
        return NULL;
    if (jump != Py_None && jump != Py_True && jump != Py_False) {
        PyErr_SetString(PyExc_ValueError, "stack_effect: jump must be False, True or None");
        return NULL;
    }
    if (opcode < 0 || opcode > 0xffff) {
        PyErr_SetString(PyExc_ValueError, "invalid opcode or oparg");
        return NULL;
    }
    return PyLong_FromLong(0);
}

static PyObject *opcode_get_specialization_stats(PyObject *module, PyObject *unused)
{
    Py_RETURN_NONE;
}

static PyMethodDef opcode_methods[] = {
    MODULE_METHOD("stack_effect", opcode_stack_effect, METH_VARARGS | METH_KEYWORDS,
                  "stack_effect($module, opcode, oparg=None, /, *, jump=None)\n--\n\n"
                  "The effect of an instruction on the depth of the stack: 0, for the machine has registers."),
    {"get_specialization_stats", opcode_get_specialization_stats, METH_NOARGS,
     "get_specialization_stats($module, /)\n--\n\nStatistics of specialisation: None, for none are kept."},
    {NULL},
};

static PyModuleDef_Slot opcode_slots[] = {
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef opcode_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_opcode",
    .m_doc = "Facts about instructions: see the module opcode.",
    .m_methods = opcode_methods,
    .m_slots = opcode_slots,
};

PyMODINIT_FUNC PyInit__opcode(void)
{
    return PyModuleDef_Init(&opcode_module);
}
