/* Keys derived from passwords: pbkdf2_hmac and scrypt. */
#include "hashlib.h"
#include <openssl/kdf.h>

/* ---- PBKDF2 ---- */

/* How many bytes to make: the argument, or by default the size of the hash. -1 with an exception. */
static long get_key_size(PyObject *arg, const EVP_MD *algorithm)
{
    long size = arg == Py_None ? EVP_MD_get_size(algorithm) : PyLong_AsLong(arg);
    if (size == -1 && PyErr_Occurred())
        return -1;
    if (size < 1) {
        PyErr_SetString(PyExc_ValueError, "key length must be greater than 0.");
        return -1;
    }
    if (size > INT_MAX) {
        PyErr_SetString(PyExc_OverflowError, "key length is too great.");
        return -1;
    }
    return size;
}

static PyObject *derive_pbkdf2(const EVP_MD *algorithm, const Py_buffer *password, const Py_buffer *salt, long iterations,
                               PyObject *size_arg)
{
    int ok;
    if (password->len > INT_MAX || salt->len > INT_MAX) {
        PyErr_SetString(PyExc_OverflowError, password->len > INT_MAX ? "password is too long." : "salt is too long.");
        return NULL;
    }
    if (iterations < 1) {
        PyErr_SetString(PyExc_ValueError, "iteration value must be greater than 0.");
        return NULL;
    }
    if (iterations > INT_MAX) {
        PyErr_SetString(PyExc_OverflowError, "iteration value is too great.");
        return NULL;
    }
    long size = get_key_size(size_arg, algorithm);
    PyObject *key = size > 0 ? PyBytes_FromStringAndSize(NULL, size) : NULL;
    if (key == NULL)
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    ok = PKCS5_PBKDF2_HMAC(password->buf, (int)password->len, salt->buf, (int)salt->len, (int)iterations, algorithm,
                           (int)size, (unsigned char *)PyBytes_AS_STRING(key));
    Py_END_ALLOW_THREADS
    if (ok)
        return key;
    Py_DECREF(key);
    return evp_error(PyExc_ValueError);
}

static PyObject *pbkdf2_hmac(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"hash_name", "password", "salt", "iterations", "dklen", NULL};
    PyObject *name, *size = Py_None, *key = NULL;
    Py_buffer password, salt;
    long iterations;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "Uy*y*l|O:pbkdf2_hmac", names, &name, &password, &salt, &iterations,
                                     &size))
        return NULL;
    EVP_MD *algorithm = hashlib_algorithm_by_object(name);
    if (algorithm != NULL)
        key = derive_pbkdf2(algorithm, &password, &salt, iterations, size);
    EVP_MD_free(algorithm);
    PyBuffer_Release(&password);
    PyBuffer_Release(&salt);
    return key;
}

/* ---- scrypt ---- */

/* A cost parameter, which must have been given. 0, or -1 with an exception. */
static int get_cost(PyObject *arg, const char *name, unsigned long *cost)
{
    if (arg != Py_None) {
        *cost = PyLong_AsUnsignedLong(arg);
        if (*cost != (unsigned long)-1 || !PyErr_Occurred())
            return 0;
    }
    PyErr_Format(PyExc_TypeError, "%s is required and must be an unsigned int", name);
    return -1;
}

static int check_int_or_none(PyObject *arg, const char *name)
{
    if (arg == Py_None || PyLong_Check(arg))
        return 0;
    PyErr_Format(PyExc_TypeError, "scrypt() argument '%s' must be int, not %.50s", name, Py_TYPE(arg)->tp_name);
    return -1;
}

static PyObject *scrypt(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"password", "salt", "n", "r", "p", "maxmem", "dklen", NULL};
    Py_buffer password, salt = {0};
    PyObject *n_arg = Py_None, *r_arg = Py_None, *p_arg = Py_None, *key = NULL;
    unsigned long n, r, p;
    long memory = 0, size = 64;
    int ok;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "y*|$y*OOOll:scrypt", names, &password, &salt, &n_arg, &r_arg, &p_arg,
                                     &memory, &size))
        return NULL;
    if (check_int_or_none(n_arg, "n") < 0 || check_int_or_none(r_arg, "r") < 0 || check_int_or_none(p_arg, "p") < 0)
        goto done;
    if (password.len > INT_MAX) {
        PyErr_SetString(PyExc_OverflowError, "password is too long.");
        goto done;
    }
    if (salt.obj == NULL) {
        PyErr_SetString(PyExc_TypeError, "salt is required");
        goto done;
    }
    if (salt.len > INT_MAX) {
        PyErr_SetString(PyExc_OverflowError, "salt is too long.");
        goto done;
    }
    if (get_cost(n_arg, "n", &n) < 0)
        goto done;
    if (n < 2 || n & (n - 1)) {
        PyErr_SetString(PyExc_ValueError, "n must be a power of 2.");
        goto done;
    }
    if (get_cost(r_arg, "r", &r) < 0 || get_cost(p_arg, "p", &p) < 0)
        goto done;
    if (memory < 0 || memory > INT_MAX) {
        PyErr_Format(PyExc_ValueError, "maxmem must be positive and smaller than %d", INT_MAX);
        goto done;
    }
    if (size < 1 || size > INT_MAX) {
        PyErr_Format(PyExc_ValueError, "dklen must be greater than 0 and smaller than %d", INT_MAX);
        goto done;
    }
    /* Without a place for the key it only checks the costs. */
    if (!EVP_PBE_scrypt(NULL, 0, NULL, 0, n, r, p, (uint64_t)memory, NULL, 0)) {
        if (ERR_peek_last_error() != 0)
            evp_error(PyExc_ValueError);
        else
            PyErr_SetString(PyExc_ValueError, "Invalid parameter combination for n, r, p, maxmem.");
        goto done;
    }
    key = PyBytes_FromStringAndSize(NULL, size);
    if (key == NULL)
        goto done;
    Py_BEGIN_ALLOW_THREADS
    ok = EVP_PBE_scrypt(password.buf, (size_t)password.len, salt.buf, (size_t)salt.len, n, r, p, (uint64_t)memory,
                        (unsigned char *)PyBytes_AS_STRING(key), (size_t)size);
    Py_END_ALLOW_THREADS
    if (!ok) {
        Py_CLEAR(key);
        evp_error(PyExc_ValueError);
    }
done:
    PyBuffer_Release(&password);
    PyBuffer_Release(&salt);
    return key;
}

PyMethodDef hashlib_derive_functions[] = {
    MODULE_METHOD("pbkdf2_hmac", pbkdf2_hmac, METH_VARARGS | METH_KEYWORDS,
                  "pbkdf2_hmac($module, /, hash_name, password, salt, iterations,\n            dklen=None)\n--\n\n"
                  "A key derived from a password by the second function of PKCS #5, with HMAC."),
    MODULE_METHOD("scrypt", scrypt, METH_VARARGS | METH_KEYWORDS,
                  "scrypt($module, /, password, *, salt=None, n=None, r=None, p=None,\n       maxmem=0, dklen=64)\n--\n\n"
                  "A key derived from a password by scrypt."),
    {NULL},
};
