/* The _opcode module: facts about instructions, from the table that the machine is made of (Python/vm/opcodes.def). The modules opcode
 * and dis in Lib/ stand on it.
 *
 * Instructions of this interpreter name the slots they work on: none has an effect on the depth of a stack. */
#define PY_SSIZE_T_CLEAN
#include "module.h"
#include "opcode.h"

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

/* A tuple of (name, format, cache words, flags, effect), by opcode. */
static PyObject *opcode_instructions(PyObject *module, PyObject *unused)
{
    static const char *const formats[] = {[F_ABC] = "ABC", [F_AX] = "AX", [F_AJ] = "AJ", [F_ABJ] = "ABJ", [F_J] = "J"};
    PyObject *table = PyTuple_New(OPCODE_COUNT);
    for (int i = 0; table != NULL && i < OPCODE_COUNT; i++) {
        const opcode_info_t *info = &opcode_table[i];
        PyObject *row = Py_BuildValue("(ssiis)", info->name, formats[info->format], info->caches, info->flags, info->effect);
        if (row == NULL)
            Py_CLEAR(table);
        else
            PyTuple_SET_ITEM(table, i, row);
    }
    return table;
}

static PyMethodDef opcode_methods[] = {
    {"instructions", opcode_instructions, METH_NOARGS,
     "instructions($module, /)\n--\n\nThe table of instructions: a tuple of (name, format, cache words, flags, effect)."},
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
