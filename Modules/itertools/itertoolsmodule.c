/* The itertools module. */
#include "itertools.h"

const char reduce_doc[] = "Return state information for pickling.";
const char setstate_doc[] = "Set state information for unpickling.";
const char sizeof_doc[] = "Returns size in memory, in bytes.";
const char length_hint_doc[] = "Private method returning an estimate of len(list(it)).";

static int itertools_exec(PyObject *module)
{
    PyTypeObject *types[] = {
        &accumulate_type, &chain_type,    &combinations_type, &cwr_type,      &compress_type, &count_type,
        &cycle_type,      &dropwhile_type, &filterfalse_type, &groupby_type,  &grouper_type,  &islice_type,
        &pairwise_type,   &permutations_type, &product_type,  &repeat_type,   &starmap_type,  &takewhile_type,
        &tee_type,        &tee_data_type, &zip_longest_type,
    };
    for (size_t i = 0; i < Py_ARRAY_LENGTH(types); i++)
        if (PyModule_AddType(module, types[i]) < 0)
            return -1;
    return 0;
}

static PyMethodDef itertools_methods[] = {
    MODULE_METHOD("tee", itertools_tee, METH_FASTCALL,
                  "tee($module, iterable, n=2, /)\n--\n\nA tuple of n independent iterators over one iterable."),
    {NULL},
};

static PyModuleDef_Slot itertools_slots[] = {
    {Py_mod_exec, (void *)itertools_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef itertools_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "itertools",
    .m_doc = "Building blocks for loops: iterators that count, repeat, select, join, group and combine.",
    .m_methods = itertools_methods,
    .m_slots = itertools_slots,
};

PyMODINIT_FUNC PyInit_itertools(void)
{
    return PyModuleDef_Init(&itertools_module);
}
