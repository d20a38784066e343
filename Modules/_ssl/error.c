/* The exceptions of the module, made of OpenSSL's errors. */
#include "ssl.h"
#include "structmember.h"
#include <ctype.h>

PyObject *ssl_error_class, *ssl_zero_return_class, *ssl_want_read_class, *ssl_want_write_class;
PyObject *ssl_syscall_class, *ssl_eof_class, *ssl_verification_class;

/* Values of SSLErrorNumber that are not OpenSSL's. */
enum { ERROR_EOF = 8, ERROR_INVALID = 10 };

/* ---- Names of errors ---- */

static const struct { int library; const char *name; } libraries[] = {
#define LIBRARY(name) {ERR_LIB_##name, #name},
    LIBRARY(ASN1) LIBRARY(ASYNC) LIBRARY(BIO) LIBRARY(BN) LIBRARY(BUF) LIBRARY(CMP) LIBRARY(CMS) LIBRARY(COMP)
    LIBRARY(CONF) LIBRARY(CRMF) LIBRARY(CRYPTO) LIBRARY(CT) LIBRARY(DH) LIBRARY(DSA) LIBRARY(DSO) LIBRARY(EC)
    LIBRARY(ECDH) LIBRARY(ECDSA) LIBRARY(ENGINE) LIBRARY(ESS) LIBRARY(EVP) LIBRARY(FIPS) LIBRARY(HMAC) LIBRARY(HTTP)
    LIBRARY(KDF) LIBRARY(OBJ) LIBRARY(OCSP) LIBRARY(OSSL_DECODER) LIBRARY(OSSL_ENCODER) LIBRARY(OSSL_STORE)
    LIBRARY(PEM) LIBRARY(PKCS12) LIBRARY(PKCS7) LIBRARY(PROP) LIBRARY(PROV) LIBRARY(RAND) LIBRARY(RSA) LIBRARY(SM2)
    LIBRARY(SSL) LIBRARY(SYS) LIBRARY(TS) LIBRARY(UI) LIBRARY(USER) LIBRARY(X509) LIBRARY(X509V3)
#undef LIBRARY
};

/* A str, or NULL without an exception: none. */
static PyObject *library_name(unsigned long code)
{
    for (size_t i = 0; code != 0 && i < Py_ARRAY_LENGTH(libraries); i++)
        if (libraries[i].library == ERR_GET_LIB(code))
            return PyUnicode_FromString(libraries[i].name);
    return NULL;
}

/* The constant's name of a reason: OpenSSL derives its texts from those, except for reasons common to all libraries. */
static PyObject *reason_name(unsigned long code)
{
    const char *text = code != 0 ? ERR_reason_error_string(code) : NULL;
    char name[128];
    size_t n = 0;
    if (text == NULL || ERR_GET_REASON(code) & ERR_RFLAG_COMMON)
        return NULL;
    for (; text[n] != 0 && n < sizeof name - 1; n++)
        name[n] = isalnum((unsigned char)text[n]) ? (char)toupper((unsigned char)text[n]) : '_';
    name[n] = 0;
    return PyUnicode_FromString(name);
}

/* ---- Raising ---- */

/* Why a certificate was not accepted: a str, or NULL with an exception. */
static PyObject *verification_text(ssl_connection *self, long code)
{
    if (code == X509_V_ERR_HOSTNAME_MISMATCH && self->hostname != NULL)
        return PyUnicode_FromFormat("Hostname mismatch, certificate is not valid for '%S'.", self->hostname);
    if (code == X509_V_ERR_IP_ADDRESS_MISMATCH && self->hostname != NULL)
        return PyUnicode_FromFormat("IP address mismatch, certificate is not valid for '%S'.", self->hostname);
    return PyUnicode_FromString(X509_verify_cert_error_string(code));
}

static PyObject *format_message(PyObject *library, PyObject *reason, const char *text, PyObject *verification, int line)
{
    if (text == NULL)
        text = "unknown error";
    if (library != NULL && reason != NULL && verification != NULL)
        return PyUnicode_FromFormat("[%S: %S] %s: %S (_ssl.c:%d)", library, reason, text, verification, line);
    if (library != NULL && reason != NULL)
        return PyUnicode_FromFormat("[%S: %S] %s (_ssl.c:%d)", library, reason, text, line);
    if (library != NULL)
        return PyUnicode_FromFormat("[%S] %s (_ssl.c:%d)", library, text, line);
    return PyUnicode_FromFormat("%s (_ssl.c:%d)", text, line);
}

static int set_or_none(PyObject *exception, const char *name, PyObject *value)
{
    return PyObject_SetAttrString(exception, name, value != NULL ? value : Py_None);
}

/* number: the exception's first argument; text: NULL for that of the code. */
static void raise(ssl_connection *self, PyObject *type, int number, const char *text, unsigned long code, int line)
{
    PyObject *library = library_name(code), *reason = reason_name(code), *verification = NULL, *message = NULL;
    PyObject *exception = NULL, *verify_code = NULL;
    int verifying = type == ssl_verification_class && self != NULL;
    if (PyErr_Occurred())
        goto done;
    if (verifying) {
        long result = SSL_get_verify_result(self->ssl);
        verification = verification_text(self, result);
        verify_code = PyLong_FromLong(result);
        if (verification == NULL || verify_code == NULL)
            goto done;
    }
    message = format_message(library, reason, text != NULL ? text : ERR_reason_error_string(code), verification, line);
    exception = message != NULL ? PyObject_CallFunction(type, "iO", number, message) : NULL;
    if (exception == NULL || set_or_none(exception, "reason", reason) < 0 || set_or_none(exception, "library", library) < 0
        || (verifying
            && (set_or_none(exception, "verify_code", verify_code) < 0
                || set_or_none(exception, "verify_message", verification) < 0)))
        goto done;
    PyErr_SetObject(type, exception);
done:
    Py_XDECREF(library);
    Py_XDECREF(reason);
    Py_XDECREF(verification);
    Py_XDECREF(verify_code);
    Py_XDECREF(message);
    Py_XDECREF(exception);
}

ssl_failure ssl_failure_take(const SSL *ssl, int result)
{
    int number = errno;
    ssl_failure failure = {.code = SSL_get_error(ssl, result), .number = number, .result = result};
    failure.queued = ERR_peek_last_error();
    ERR_clear_error();
    return failure;
}

/* The connection broke, or the peer broke the protocol off. */
static void raise_syscall(ssl_connection *self, const ssl_failure *f, int line)
{
    if (f->queued != 0)
        raise(self, ssl_syscall_class, SSL_ERROR_SYSCALL, NULL, f->queued, line);
    else if (f->result != 0 && f->number != 0) {
        errno = f->number;
        PyErr_SetFromErrno(PyExc_OSError);
    }
    else
        raise(self, ssl_eof_class, ERROR_EOF, "EOF occurred in violation of protocol", 0, line);
}

static void raise_protocol(ssl_connection *self, const ssl_failure *f, int line)
{
    int in_ssl = ERR_GET_LIB(f->queued) == ERR_LIB_SSL, reason = ERR_GET_REASON(f->queued);
    if (in_ssl && reason == SSL_R_CERTIFICATE_VERIFY_FAILED)
        raise(self, ssl_verification_class, SSL_ERROR_SSL, NULL, f->queued, line);
    else if (in_ssl && reason == SSL_R_UNEXPECTED_EOF_WHILE_READING)
        raise(self, ssl_eof_class, ERROR_EOF, "EOF occurred in violation of protocol", f->queued, line);
    else
        raise(self, ssl_error_class, SSL_ERROR_SSL,
              f->queued != 0 ? NULL : "A failure in the SSL library occurred", f->queued, line);
}

PyObject *ssl_raise(ssl_connection *self, const ssl_failure *f, int line)
{
    switch (f->code) {
    case SSL_ERROR_ZERO_RETURN:
        raise(self, ssl_zero_return_class, f->code, "TLS/SSL connection has been closed (EOF)", 0, line);
        break;
    case SSL_ERROR_WANT_READ:
        raise(self, ssl_want_read_class, f->code, "The operation did not complete (read)", 0, line);
        break;
    case SSL_ERROR_WANT_WRITE:
        raise(self, ssl_want_write_class, f->code, "The operation did not complete (write)", 0, line);
        break;
    case SSL_ERROR_WANT_X509_LOOKUP:
        raise(self, ssl_error_class, f->code, "The operation did not complete (X509 lookup)", 0, line);
        break;
    case SSL_ERROR_WANT_CONNECT:
        raise(self, ssl_error_class, f->code, "The operation did not complete (connect)", 0, line);
        break;
    case SSL_ERROR_SYSCALL:
        raise_syscall(self, f, line);
        break;
    case SSL_ERROR_SSL:
        raise_protocol(self, f, line);
        break;
    default:
        raise(self, ssl_error_class, ERROR_INVALID, "Invalid error code", f->queued, line);
    }
    return NULL;
}

PyObject *ssl_raise_queued(const char *message, int line)
{
    unsigned long code = message == NULL ? ERR_peek_last_error() : 0;
    ERR_clear_error();
    raise(NULL, ssl_error_class, ERR_GET_REASON(code), message, code, line);
    return NULL;
}

PyObject *ssl_raise_file(int number, int line)
{
    if (number != 0) {
        ERR_clear_error();
        errno = number;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return ssl_raise_queued(NULL, line);
}

/* ---- The classes ---- */

static PyObject *error_str(PyObject *op)
{
    PyObject *text = PyObject_GetAttrString(op, "strerror");
    if (text == NULL || PyUnicode_Check(text))
        return text;
    Py_DECREF(text);
    PyObject *args = PyObject_GetAttrString(op, "args");
    text = args != NULL ? PyObject_Str(args) : NULL;
    Py_XDECREF(args);
    return text;
}

static PyObject *error_class_make(void)
{
    static PyType_Slot slots[] = {
        {Py_tp_str, (void *)error_str},
        {Py_tp_doc, "An error in the SSL implementation."},
        {0, NULL},
    };
    static PyType_Spec spec = {
        .name = "ssl.SSLError",
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
        .slots = slots,
    };
    PyObject *bases = PyTuple_Pack(1, PyExc_OSError);
    PyObject *type = bases != NULL ? PyType_FromSpecWithBases(&spec, bases) : NULL;
    Py_XDECREF(bases);
    return type;
}

int ssl_error_init(PyObject *module)
{
    if (ssl_error_class == NULL && (ssl_error_class = error_class_make()) == NULL)
        return -1;
    PyObject *verification_bases = PyTuple_Pack(2, ssl_error_class, PyExc_ValueError);
    if (verification_bases == NULL)
        return -1;
    struct { PyObject **class; const char *name, *doc; PyObject *bases; } classes[] = {
        {&ssl_verification_class, "ssl.SSLCertVerificationError", "A certificate could not be verified.", verification_bases},
        {&ssl_zero_return_class, "ssl.SSLZeroReturnError", "The connection was closed properly.", ssl_error_class},
        {&ssl_want_read_class, "ssl.SSLWantReadError", "More must be received to go on.", ssl_error_class},
        {&ssl_want_write_class, "ssl.SSLWantWriteError", "More must be sent to go on.", ssl_error_class},
        {&ssl_syscall_class, "ssl.SSLSyscallError", "The system refused something.", ssl_error_class},
        {&ssl_eof_class, "ssl.SSLEOFError", "The connection was cut off.", ssl_error_class},
    };
    int rc = PyModule_AddObjectRef(module, "SSLError", ssl_error_class);
    for (size_t i = 0; rc == 0 && i < Py_ARRAY_LENGTH(classes); i++) {
        if (*classes[i].class == NULL)
            *classes[i].class = PyErr_NewExceptionWithDoc(classes[i].name, classes[i].doc, classes[i].bases, NULL);
        rc = *classes[i].class != NULL ? PyModule_AddObjectRef(module, strchr(classes[i].name, '.') + 1, *classes[i].class)
                                       : -1;
    }
    Py_DECREF(verification_bases);
    return rc;
}
