/* The constants of _ssl. */
#include "ssl.h"

/* Values that ssl.py and OpenSSL do not share. */
enum {
    CERT_NONE, CERT_OPTIONAL, CERT_REQUIRED,
    PROTOCOL_SSLv23 = PROTOCOL_TLS, PROTOCOL_TLSv1 = PROTOCOL_TLSV1, PROTOCOL_TLSv1_1 = PROTOCOL_TLSV1_1,
    PROTOCOL_TLSv1_2 = PROTOCOL_TLSV1_2,
    SSL_ERROR_EOF = 8, SSL_ERROR_INVALID_ERROR_CODE = 10,
    ENCODING_PEM = 1, ENCODING_DER,
    PROTO_MINIMUM_SUPPORTED = -2, PROTO_MAXIMUM_SUPPORTED,
};

static const struct {
    const char *name;
    long long value;
} constants[] = {
#define CONSTANT(name) {#name, (long long)(name)},
#define CONSTANT_AS(name, value) {#name, (long long)(value)},
#include "constants.def"
#undef CONSTANT
#undef CONSTANT_AS
};

static const struct {
    const char *name;
    int value;
} features[] = {
    {"HAS_SNI", 1}, {"HAS_TLS_UNIQUE", 1}, {"HAS_ECDH", 1}, {"HAS_NPN", 0}, {"HAS_ALPN", 1}, {"HAS_SSLv2", 0},
    {"HAS_SSLv3", 0}, {"HAS_TLSv1", 1}, {"HAS_TLSv1_1", 1}, {"HAS_TLSv1_2", 1}, {"HAS_TLSv1_3", 1},
};

/* (major, minor, fix, patch, status) out of OpenSSL's number of a version. */
static PyObject *version_tuple(unsigned long number)
{
    return Py_BuildValue("IIIII", (unsigned)(number >> 28 & 0xff), (unsigned)(number >> 20 & 0xff),
                         (unsigned)(number >> 12 & 0xff), (unsigned)(number >> 4 & 0xff), (unsigned)(number & 0xf));
}

static int add_steal(PyObject *module, const char *name, PyObject *value)
{
    int rc = value != NULL ? PyModule_AddObjectRef(module, name, value) : -1;
    Py_XDECREF(value);
    return rc;
}

int ssl_add_constants(PyObject *module)
{
    for (size_t i = 0; i < Py_ARRAY_LENGTH(constants); i++)
        if (add_steal(module, constants[i].name, PyLong_FromLongLong(constants[i].value)) < 0)
            return -1;
    for (size_t i = 0; i < Py_ARRAY_LENGTH(features); i++)
        if (PyModule_AddObjectRef(module, features[i].name, features[i].value ? Py_True : Py_False) < 0)
            return -1;
    if (add_steal(module, "OPENSSL_VERSION_NUMBER", PyLong_FromUnsignedLong(OpenSSL_version_num())) < 0
        || add_steal(module, "OPENSSL_VERSION_INFO", version_tuple(OpenSSL_version_num())) < 0
        || add_steal(module, "_OPENSSL_API_VERSION", version_tuple(OPENSSL_VERSION_NUMBER)) < 0
        || add_steal(module, "OPENSSL_VERSION", PyUnicode_FromString(OpenSSL_version(OPENSSL_VERSION))) < 0)
        return -1;
    return PyModule_AddStringConstant(module, "_DEFAULT_CIPHERS", SSL_DEFAULT_CIPHER_LIST);
}
