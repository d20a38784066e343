/* Contexts: certificates, keys and parameters that come from files.
 *
 * OpenSSL marks its type of Diffie-Hellman parameters as deprecated, but the new way reports errors of another library. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "ssl.h"
#include <openssl/pem.h>

#define SELF(op) ((ssl_context *)(op))

/* A path, or None. 0, or -1 with an exception that names the argument. */
static int get_path(PyObject *arg, const char *name, PyObject **path)
{
    if (arg == Py_None)
        return 0;
    if (PyUnicode_FSConverter(arg, path))
        return 0;
    if (PyErr_ExceptionMatches(PyExc_TypeError))
        PyErr_Format(PyExc_TypeError, "%s should be a valid filesystem path", name);
    return -1;
}

static const char *path_text(PyObject *path) { return path != NULL ? PyBytes_AS_STRING(path) : NULL; }

/* ---- The own certificate ---- */

/* Loads both; 0, or -1 with an exception. Caller holds the lock, and has set the callback for the password. */
static int load_chain_locked(ssl_context *self, const char *certificate, const char *key, ssl_password *password)
{
    int ok, number;
    Py_BEGIN_ALLOW_THREADS
    errno = 0;
    ok = SSL_CTX_use_certificate_chain_file(self->ctx, certificate) == 1;
    number = errno;
    Py_END_ALLOW_THREADS
    if (ok && !password->failed) {
        Py_BEGIN_ALLOW_THREADS
        errno = 0;
        ok = SSL_CTX_use_PrivateKey_file(self->ctx, key, SSL_FILETYPE_PEM) == 1;
        number = errno;
        Py_END_ALLOW_THREADS
    }
    if (password->failed) {
        ERR_clear_error();
        return -1;
    }
    if (!ok) {
        /* errno also says why a file could not be parsed, when it could be opened. */
        ssl_raise_file(number == ENOENT || number == EACCES || number == EISDIR ? number : 0, __LINE__);
        return -1;
    }
    if (SSL_CTX_check_private_key(self->ctx) == 1)
        return 0;
    SSL_RAISE(NULL);
    return -1;
}

PyObject *ssl_load_cert_chain(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"certfile", "keyfile", "password", NULL};
    ssl_context *self = SELF(op);
    PyObject *certificate_arg, *key_arg = Py_None, *password_arg = Py_None, *certificate = NULL, *key = NULL;
    ssl_password password = {0};
    int rc = -1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|OO:load_cert_chain", names, &certificate_arg, &key_arg, &password_arg))
        return NULL;
    if (!PyUnicode_FSConverter(certificate_arg, &certificate)) {
        if (PyErr_ExceptionMatches(PyExc_TypeError))
            PyErr_SetString(PyExc_TypeError, "certfile should be a valid filesystem path");
        goto done;
    }
    if (get_path(key_arg, "keyfile", &key) < 0)
        goto done;
    if (PyCallable_Check(password_arg))
        password.callable = password_arg;
    else if (password_arg != Py_None
             && ssl_password_set(&password, password_arg, "password should be a string or callable") < 0)
        goto done;
    ERR_clear_error();
    ssl_lock_acquire(&self->lock);
    pem_password_cb *old_callback = SSL_CTX_get_default_passwd_cb(self->ctx);
    void *old_arg = SSL_CTX_get_default_passwd_cb_userdata(self->ctx);
    if (password_arg != Py_None) {
        SSL_CTX_set_default_passwd_cb(self->ctx, ssl_callbacks_password);
        SSL_CTX_set_default_passwd_cb_userdata(self->ctx, &password);
    }
    rc = load_chain_locked(self, path_text(certificate), path_text(key != NULL ? key : certificate), &password);
    SSL_CTX_set_default_passwd_cb(self->ctx, old_callback);
    SSL_CTX_set_default_passwd_cb_userdata(self->ctx, old_arg);
    ssl_lock_release(&self->lock);
done:
    Py_XDECREF(certificate);
    Py_XDECREF(key);
    Py_XDECREF(password.bytes);
    return rc < 0 ? NULL : Py_NewRef(Py_None);
}

/* ---- Those of others ---- */

/* Did reading stop because there is no more? */
static int at_end(int der, int loaded, BIO *bio)
{
    unsigned long code = ERR_peek_last_error();
    if (der)
        return loaded > 0 && BIO_eof(bio);
    return loaded > 0 && ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}

/* Adds all certificates of the data to the store. 0, or -1 with an exception. Caller holds the lock. */
static int add_data_locked(ssl_context *self, const void *data, Py_ssize_t size, int der)
{
    int loaded = 0, rc = -1;
    if (size == 0) {
        PyErr_SetString(PyExc_ValueError, "Empty certificate data");
        return -1;
    }
    if (size > INT_MAX) {
        PyErr_SetString(PyExc_OverflowError, "Certificate data is too long.");
        return -1;
    }
    BIO *bio = BIO_new_mem_buf(data, (int)size);
    if (bio == NULL) {
        SSL_RAISE("Can't allocate buffer");
        return -1;
    }
    X509_STORE *store = SSL_CTX_get_cert_store(self->ctx);
    for (;;) {
        X509 *x509 = der ? d2i_X509_bio(bio, NULL)
                         : PEM_read_bio_X509(bio, NULL, SSL_CTX_get_default_passwd_cb(self->ctx),
                                             SSL_CTX_get_default_passwd_cb_userdata(self->ctx));
        if (x509 == NULL)
            break;
        int added = X509_STORE_add_cert(store, x509);
        X509_free(x509);
        /* The same certificate twice is no mistake. */
        if (!added && ERR_GET_REASON(ERR_peek_last_error()) != X509_R_CERT_ALREADY_IN_HASH_TABLE)
            break;
        ERR_clear_error();
        loaded++;
    }
    if (at_end(der, loaded, bio)) {
        ERR_clear_error();
        rc = 0;
    }
    else if (loaded == 0) {
        ERR_clear_error();
        SSL_RAISE(der ? "not enough data: cadata does not contain a certificate"
                      : "no start line: cadata does not contain a certificate");
    }
    else {
        SSL_RAISE(NULL);
    }
    BIO_free(bio);
    return rc;
}

/* The data may be text, in PEM, or bytes, in DER. */
static int add_data(ssl_context *self, PyObject *data)
{
    Py_buffer view;
    int rc;
    if (PyUnicode_Check(data) && PyUnicode_IS_ASCII(data)) {
        ssl_lock_acquire(&self->lock);
        rc = add_data_locked(self, PyUnicode_DATA(data), PyUnicode_GET_LENGTH(data), 0);
        ssl_lock_release(&self->lock);
        return rc;
    }
    if (PyUnicode_Check(data) || PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0) {
        PyErr_SetString(PyExc_TypeError, "cadata should be an ASCII string or a bytes-like object");
        return -1;
    }
    ssl_lock_acquire(&self->lock);
    rc = add_data_locked(self, view.buf, view.len, 1);
    ssl_lock_release(&self->lock);
    PyBuffer_Release(&view);
    return rc;
}

PyObject *ssl_load_verify_locations(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"cafile", "capath", "cadata", NULL};
    ssl_context *self = SELF(op);
    PyObject *file_arg = Py_None, *folder_arg = Py_None, *data = Py_None, *file = NULL, *folder = NULL, *result = NULL;
    int ok, number;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OOO:load_verify_locations", names, &file_arg, &folder_arg, &data))
        return NULL;
    if (file_arg == Py_None && folder_arg == Py_None && data == Py_None) {
        PyErr_SetString(PyExc_TypeError, "cafile, capath and cadata cannot be all omitted");
        return NULL;
    }
    ERR_clear_error();
    if (get_path(file_arg, "cafile", &file) < 0 || get_path(folder_arg, "capath", &folder) < 0
        || (data != Py_None && add_data(self, data) < 0))
        goto done;
    if (file != NULL || folder != NULL) {
        ssl_lock_acquire(&self->lock);
        Py_BEGIN_ALLOW_THREADS
        errno = 0;
        ok = SSL_CTX_load_verify_locations(self->ctx, path_text(file), path_text(folder));
        number = errno;
        Py_END_ALLOW_THREADS
        ssl_lock_release(&self->lock);
        if (ok != 1) {
            ssl_raise_file(number, __LINE__);
            goto done;
        }
    }
    result = Py_NewRef(Py_None);
done:
    Py_XDECREF(file);
    Py_XDECREF(folder);
    return result;
}

PyObject *ssl_set_default_verify_paths(PyObject *op, PyObject *unused)
{
    int ok;
    ssl_lock_acquire(&SELF(op)->lock);
    Py_BEGIN_ALLOW_THREADS
    ok = SSL_CTX_set_default_verify_paths(SELF(op)->ctx);
    Py_END_ALLOW_THREADS
    ssl_lock_release(&SELF(op)->lock);
    return ok ? Py_NewRef(Py_None) : SSL_RAISE(NULL);
}

/* ---- What was loaded ---- */

PyObject *ssl_cert_store_stats(PyObject *op, PyObject *unused)
{
    int certificates = 0, lists = 0, authorities = 0;
    ssl_lock_acquire(&SELF(op)->lock);
    X509_STORE *store = SSL_CTX_get_cert_store(SELF(op)->ctx);
    X509_STORE_lock(store);
    STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(store);
    for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
        X509_OBJECT *object = sk_X509_OBJECT_value(objects, i);
        int type = X509_OBJECT_get_type(object);
        certificates += type == X509_LU_X509;
        lists += type == X509_LU_CRL;
        authorities += type == X509_LU_X509 && X509_check_ca(X509_OBJECT_get0_X509(object));
    }
    X509_STORE_unlock(store);
    ssl_lock_release(&SELF(op)->lock);
    return Py_BuildValue("{sisisi}", "x509", certificates, "crl", lists, "x509_ca", authorities);
}

/* The certificates of authorities in the store, with a reference of their own; NULL without memory. */
static STACK_OF(X509) *collect_authorities(ssl_context *self)
{
    STACK_OF(X509) *found = sk_X509_new_null();
    ssl_lock_acquire(&self->lock);
    X509_STORE *store = SSL_CTX_get_cert_store(self->ctx);
    X509_STORE_lock(store);
    STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(store);
    for (int i = 0; found != NULL && i < sk_X509_OBJECT_num(objects); i++) {
        X509 *x509 = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
        if (x509 == NULL || !X509_check_ca(x509) || !X509_up_ref(x509))
            continue;
        if (!sk_X509_push(found, x509))
            X509_free(x509);
    }
    X509_STORE_unlock(store);
    ssl_lock_release(&self->lock);
    return found;
}

PyObject *ssl_get_ca_certs(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"binary_form", NULL};
    int binary = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|p:get_ca_certs", names, &binary))
        return NULL;
    STACK_OF(X509) *found = collect_authorities(SELF(op));
    PyObject *list = found != NULL ? PyList_New(0) : PyErr_NoMemory();
    for (int i = 0; list != NULL && i < sk_X509_num(found); i++) {
        X509 *x509 = sk_X509_value(found, i);
        PyObject *item = binary ? ssl_certificate_der(x509) : ssl_certificate_decode(x509);
        if (item == NULL || PyList_Append(list, item) < 0)
            Py_CLEAR(list);
        Py_XDECREF(item);
    }
    sk_X509_pop_free(found, X509_free);
    return list;
}

/* ---- Parameters of the key exchange ---- */

PyObject *ssl_load_dh_params(PyObject *op, PyObject *path_arg)
{
    PyObject *path;
    DH *parameters = NULL;
    int number;
    if (PySys_Audit("open", "Osi", path_arg, "rb", 0) < 0 || !PyUnicode_FSConverter(path_arg, &path))
        return NULL;
    ERR_clear_error();
    Py_BEGIN_ALLOW_THREADS
    errno = 0;
    BIO *bio = BIO_new_file(PyBytes_AS_STRING(path), "r");
    number = errno;
    if (bio != NULL) {
        number = 0;
        parameters = PEM_read_bio_DHparams(bio, NULL, NULL, NULL);
        BIO_free(bio);
    }
    Py_END_ALLOW_THREADS
    Py_DECREF(path);
    if (parameters == NULL) {
        if (number == 0)
            return SSL_RAISE(NULL);
        ERR_clear_error();
        errno = number;
        return PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, path_arg);
    }
    ssl_lock_acquire(&SELF(op)->lock);
    int ok = (int)SSL_CTX_set_tmp_dh(SELF(op)->ctx, parameters);         /* copies them */
    ssl_lock_release(&SELF(op)->lock);
    DH_free(parameters);
    return ok ? Py_NewRef(Py_None) : SSL_RAISE(NULL);
}

PyObject *ssl_set_ecdh_curve(PyObject *op, PyObject *name)
{
    PyObject *bytes;
    if (!PyUnicode_FSConverter(name, &bytes))
        return NULL;
    int nid = OBJ_sn2nid(PyBytes_AS_STRING(bytes));
    Py_DECREF(bytes);
    if (nid == NID_undef) {
        PyErr_Format(PyExc_ValueError, "unknown elliptic curve name %R", name);
        return NULL;
    }
    ssl_lock_acquire(&SELF(op)->lock);
    int ok = SSL_CTX_set1_groups(SELF(op)->ctx, &nid, 1);
    ssl_lock_release(&SELF(op)->lock);
    return ok ? Py_NewRef(Py_None) : SSL_RAISE(NULL);
}
