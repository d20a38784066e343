/* The functions of the module: random bytes, identifiers of objects, default paths. */
#include "ssl.h"
#include <openssl/pem.h>
#include <openssl/rand.h>

/* ---- Random bytes ---- */

static PyObject *rand_add(PyObject *module, PyObject *args)
{
    Py_buffer data;
    double entropy;
    if (!PyArg_ParseTuple(args, "s*d:RAND_add", &data, &entropy))
        return NULL;
    const char *at = data.buf;
    for (Py_ssize_t left = data.len; left > 0;) {
        int part = left < INT_MAX ? (int)left : INT_MAX;
        RAND_add(at, part, entropy);
        at += part;
        left -= part;
    }
    PyBuffer_Release(&data);
    Py_RETURN_NONE;
}

/* So many bytes, or NULL with an exception. */
static PyObject *random_bytes(PyObject *arg)
{
    int size;
    if (!PyArg_Parse(arg, "i", &size))
        return NULL;
    if (size < 0) {
        PyErr_SetString(PyExc_ValueError, "num must be positive");
        return NULL;
    }
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, size);
    if (bytes == NULL || RAND_bytes((unsigned char *)PyBytes_AS_STRING(bytes), size) == 1)
        return bytes;
    Py_DECREF(bytes);
    unsigned long code = ERR_get_error();
    PyObject *value = Py_BuildValue("(ks)", code, ERR_reason_error_string(code));
    if (value != NULL)
        PyErr_SetObject(ssl_error_class, value);
    Py_XDECREF(value);
    return NULL;
}

static PyObject *rand_bytes(PyObject *module, PyObject *arg) { return random_bytes(arg); }

static PyObject *rand_pseudo_bytes(PyObject *module, PyObject *arg)
{
    if (PyErr_WarnEx(PyExc_DeprecationWarning, "ssl.RAND_pseudo_bytes() is deprecated", 1) < 0)
        return NULL;
    PyObject *bytes = random_bytes(arg);
    return bytes != NULL ? Py_BuildValue("NO", bytes, Py_True) : NULL;
}

static PyObject *rand_status(PyObject *module, PyObject *unused) { return PyBool_FromLong(RAND_status()); }

/* ---- Identifiers ---- */

/* (number, short name, long name, dotted number). Frees the object. */
static PyObject *make_object(ASN1_OBJECT *object)
{
    char dotted[256];
    int nid = OBJ_obj2nid(object), size = OBJ_obj2txt(dotted, sizeof dotted, object, 1);
    ASN1_OBJECT_free(object);
    if (nid == NID_undef) {
        PyErr_SetString(PyExc_ValueError, "Unknown object");
        return NULL;
    }
    if (size <= 0)
        return Py_BuildValue("issO", nid, OBJ_nid2sn(nid), OBJ_nid2ln(nid), Py_None);
    return Py_BuildValue("isss", nid, OBJ_nid2sn(nid), OBJ_nid2ln(nid), dotted);
}

static PyObject *txt2obj(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"txt", "name", NULL};
    const char *text;
    int name = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "s|p:txt2obj", names, &text, &name))
        return NULL;
    ASN1_OBJECT *object = OBJ_txt2obj(text, !name);
    if (object != NULL)
        return make_object(object);
    ERR_clear_error();
    PyErr_Format(PyExc_ValueError, "unknown object '%.100s'", text);
    return NULL;
}

static PyObject *nid2obj(PyObject *module, PyObject *arg)
{
    int nid;
    if (!PyArg_Parse(arg, "i", &nid))
        return NULL;
    if (nid < NID_undef) {
        PyErr_SetString(PyExc_ValueError, "NID must be positive.");
        return NULL;
    }
    ASN1_OBJECT *object = OBJ_nid2obj(nid);
    if (object != NULL)
        return make_object(object);
    ERR_clear_error();
    PyErr_Format(PyExc_ValueError, "unknown NID %i", nid);
    return NULL;
}

/* ---- The rest ---- */

static PyObject *get_default_verify_paths(PyObject *module, PyObject *unused)
{
    PyObject *file_env = PyUnicode_DecodeFSDefault(X509_get_default_cert_file_env());
    PyObject *file = PyUnicode_DecodeFSDefault(X509_get_default_cert_file());
    PyObject *folder_env = PyUnicode_DecodeFSDefault(X509_get_default_cert_dir_env());
    PyObject *folder = PyUnicode_DecodeFSDefault(X509_get_default_cert_dir()), *result = NULL;
    if (file_env != NULL && file != NULL && folder_env != NULL && folder != NULL)
        result = PyTuple_Pack(4, file_env, file, folder_env, folder);
    Py_XDECREF(file_env);
    Py_XDECREF(file);
    Py_XDECREF(folder_env);
    Py_XDECREF(folder);
    return result;
}

static PyObject *test_decode_cert(PyObject *module, PyObject *args)
{
    PyObject *path, *result = NULL;
    if (!PyArg_ParseTuple(args, "O&:_test_decode_cert", PyUnicode_FSConverter, &path))
        return NULL;
    BIO *bio = BIO_new_file(PyBytes_AS_STRING(path), "r");
    X509 *x509 = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    ERR_clear_error();
    if (bio == NULL)
        PyErr_SetString(ssl_error_class, "Can't open file");
    else if (x509 == NULL)
        PyErr_SetString(ssl_error_class, "Error decoding PEM-encoded file");
    else
        result = ssl_certificate_decode(x509);
    X509_free(x509);
    BIO_free(bio);
    Py_DECREF(path);
    return result;
}

PyMethodDef ssl_functions[] = {
    {"RAND_add", rand_add, METH_VARARGS, "RAND_add($module, string, entropy, /)\n--\n\nMixes bytes into the generator."},
    {"RAND_bytes", rand_bytes, METH_O, "RAND_bytes($module, n, /)\n--\n\nn strong random bytes."},
    {"RAND_pseudo_bytes", rand_pseudo_bytes, METH_O, "RAND_pseudo_bytes($module, n, /)\n--\n\n(n random bytes, True)"},
    {"RAND_status", rand_status, METH_NOARGS, "RAND_status($module, /)\n--\n\nHas the generator been seeded?"},
    MODULE_METHOD("txt2obj", txt2obj, METH_VARARGS | METH_KEYWORDS,
                  "txt2obj($module, /, txt, name=False)\n--\n\nThe object of a dotted number, or also of a name."),
    {"nid2obj", nid2obj, METH_O, "nid2obj($module, nid, /)\n--\n\nThe object of OpenSSL's number."},
    {"get_default_verify_paths", get_default_verify_paths, METH_NOARGS, "get_default_verify_paths($module, /)\n--\n\n"},
    {"_test_decode_cert", test_decode_cert, METH_VARARGS, "_test_decode_cert($module, path, /)\n--\n\n"},
    {NULL},
};
