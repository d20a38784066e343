/* The audioop module: its error, what all functions check, and the table of methods. */
#include "samples.h"

typedef struct {
    PyObject *error;            /* [const] audioop.error */
} module_state;

static module_state *state_of(PyObject *module) { return PyModule_GetState(module); }

void *audioop_fail(PyObject *module, const char *message)
{
    PyErr_SetString(state_of(module)->error, message);
    return NULL;
}

int audioop_check_width(PyObject *module, int width)
{
    if (width >= 1 && width <= 4)
        return 1;
    audioop_fail(module, "Size should be 1, 2, 3 or 4");
    return 0;
}

int audioop_check_fragment(PyObject *module, const Py_buffer *fragment, int width)
{
    if (!audioop_check_width(module, width))
        return 0;
    if (fragment->len % width == 0)
        return 1;
    audioop_fail(module, "not a whole number of frames");
    return 0;
}

int audioop_parse(PyObject *module, PyObject *args, const char *format, Py_buffer *fragment, int *width)
{
    if (!PyArg_ParseTuple(args, format, fragment, width))
        return 0;
    if (audioop_check_fragment(module, fragment, *width))
        return 1;
    PyBuffer_Release(fragment);
    return 0;
}

#define FUNCTION(name, parameters, text) {#name, audioop_##name, METH_VARARGS, #name "($module, " parameters ", /)\n--\n\n" text}

static PyMethodDef methods[] = {
    FUNCTION(getsample, "fragment, width, index", "The sample at that place."),
    FUNCTION(max, "fragment, width", "The greatest absolute value of the samples."),
    FUNCTION(minmax, "fragment, width", "The least and the greatest sample."),
    FUNCTION(avg, "fragment, width", "The average of the samples."),
    FUNCTION(rms, "fragment, width", "The root of the mean of the squares: a measure of the power."),
    FUNCTION(avgpp, "fragment, width", "The average height between a turning point and the next."),
    FUNCTION(maxpp, "fragment, width", "The greatest height between a turning point and the next."),
    FUNCTION(cross, "fragment, width", "How often the samples change their sign."),
    FUNCTION(findfit, "fragment, reference", "Where in the fragment the reference fits best, and the factor that it takes."),
    FUNCTION(findfactor, "fragment, reference", "The factor by which the reference is most like the fragment."),
    FUNCTION(findmax, "fragment, length", "Where the slice of that many samples with the most energy begins."),
    FUNCTION(mul, "fragment, width, factor", "The samples times a factor."),
    FUNCTION(add, "fragment1, fragment2, width", "The sums of the samples of two fragments."),
    FUNCTION(bias, "fragment, width, bias", "The samples plus a number; they wrap round."),
    FUNCTION(tomono, "fragment, width, lfactor, rfactor", "One channel made from two."),
    FUNCTION(tostereo, "fragment, width, lfactor, rfactor", "Two channels made from one."),
    FUNCTION(reverse, "fragment, width", "The samples in the reverse order."),
    FUNCTION(byteswap, "fragment, width", "The samples in the other order of bytes."),
    FUNCTION(lin2lin, "fragment, width, newwidth", "The samples in another width."),
    FUNCTION(lin2ulaw, "fragment, width", "The samples as u-law, a byte each."),
    FUNCTION(ulaw2lin, "fragment, width", "Samples from u-law."),
    FUNCTION(lin2alaw, "fragment, width", "The samples as A-law, a byte each."),
    FUNCTION(alaw2lin, "fragment, width", "Samples from A-law."),
    FUNCTION(lin2adpcm, "fragment, width, state", "The samples as ADPCM, four bits each, and the state behind them."),
    FUNCTION(adpcm2lin, "fragment, width, state", "Samples from ADPCM, and the state behind them."),
    FUNCTION(ratecv, "fragment, width, nchannels, inrate, outrate, state, weightA=1, weightB=0",
             "The fragment at another frame rate, and the state behind it."),
    {NULL},
};

static int module_exec(PyObject *module)
{
    module_state *state = state_of(module);
    if (PyErr_WarnEx(PyExc_DeprecationWarning, "'audioop' is deprecated and slated for removal in Python 3.13", 6) < 0)
        return -1;
    state->error = PyErr_NewException("audioop.error", NULL, NULL);
    return state->error != NULL ? PyModule_AddObjectRef(module, "error", state->error) : -1;
}

static int module_traverse(PyObject *module, visitproc visit, void *arg)
{
    Py_VISIT(state_of(module)->error);
    return 0;
}

static int module_clear(PyObject *module)
{
    Py_CLEAR(state_of(module)->error);
    return 0;
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, (void *)module_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef module_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "audioop",
    .m_doc = "Arithmetic on fragments of sound.",
    .m_size = sizeof(module_state),
    .m_methods = methods,
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
};

PyMODINIT_FUNC PyInit_audioop(void)
{
    return PyModuleDef_Init(&module_definition);
}
