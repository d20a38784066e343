/* The _crypt module: crypt(3). Each call has working memory of its own, so that threads do not meet. */
#include "module.h"
#include <crypt.h>
#include <errno.h>
#include <string.h>

static PyObject *crypt_crypt(PyObject *module, PyObject *args)
{
    const char *word, *salt;
    if (!PyArg_ParseTuple(args, "ss:crypt", &word, &salt))
        return NULL;
    struct crypt_data *data = PyMem_Calloc(1, sizeof *data);
    if (data == NULL)
        return PyErr_NoMemory();
    const char *hash;
    Py_BEGIN_ALLOW_THREADS
    hash = crypt_r(word, salt, data);
    Py_END_ALLOW_THREADS
    PyObject *result = hash != NULL ? PyUnicode_FromString(hash) : PyErr_SetFromErrno(PyExc_OSError);
    PyMem_Free(data);
    return result;
}

static PyMethodDef crypt_methods[] = {
    {"crypt", crypt_crypt, METH_VARARGS,
     "crypt($module, word, salt, /)\n--\n\nThe hash of a password; salt is a salt or a hash, and says the method."},
    {NULL},
};

static PyModuleDef_Slot crypt_slots[] = {
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef crypt_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_crypt",
    .m_doc = "crypt(3): see the module crypt.",
    .m_methods = crypt_methods,
    .m_slots = crypt_slots,
};

PyMODINIT_FUNC PyInit__crypt(void)
{
    return PyModuleDef_Init(&crypt_module);
}
