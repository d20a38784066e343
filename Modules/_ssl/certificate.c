/* Certificates: as the dict that getpeercert() returns, in DER or PEM, and as objects. */
#include "ssl.h"
#include <openssl/pem.h>

enum { ENCODING_PEM = 1, ENCODING_DER = 2 };

typedef struct {
    PyObject_HEAD
    X509 *x509;                 /* [const] */
} certificate_object;

#define SELF(op) (((certificate_object *)(op))->x509)

/* ---- Pieces ---- */

/* What was written into a BIO, as str; frees it. */
static PyObject *bio_text(BIO *bio)
{
    char *data;
    long size = BIO_get_mem_data(bio, &data);
    PyObject *text = PyUnicode_DecodeUTF8(data, size, "strict");
    BIO_free(bio);
    return text;
}

static PyObject *object_name(const ASN1_OBJECT *object, int numeric)
{
    char buffer[256];
    int size = OBJ_obj2txt(buffer, sizeof buffer, object, numeric);
    if (size < 0)
        return SSL_RAISE(NULL);
    if (size < (int)sizeof buffer)
        return PyUnicode_FromStringAndSize(buffer, size);
    char *longer = PyMem_Malloc((size_t)size + 1);
    if (longer == NULL)
        return PyErr_NoMemory();
    size = OBJ_obj2txt(longer, size + 1, object, numeric);
    PyObject *name = PyUnicode_FromStringAndSize(longer, size);
    PyMem_Free(longer);
    return name;
}

static PyObject *asn1_text(const ASN1_STRING *string)
{
    unsigned char *data;
    if (ASN1_STRING_type(string) == V_ASN1_BIT_STRING)
        return PyBytes_FromStringAndSize((const char *)ASN1_STRING_get0_data(string), ASN1_STRING_length(string));
    int size = ASN1_STRING_to_UTF8(&data, string);
    if (size < 0)
        return SSL_RAISE(NULL);
    PyObject *text = PyUnicode_DecodeUTF8((const char *)data, size, "strict");
    OPENSSL_free(data);
    return text;
}

/* Appends and drops the item. 0, or -1 with an exception (also if there is none). */
static int append_steal(PyObject *list, PyObject *item)
{
    int rc = item != NULL ? PyList_Append(list, item) : -1;
    Py_XDECREF(item);
    return rc;
}

static PyObject *to_tuple_steal(PyObject *list)
{
    PyObject *tuple = list != NULL ? PyList_AsTuple(list) : NULL;
    Py_XDECREF(list);
    return tuple;
}

/* Sets and drops the value. 0, or -1 with an exception (also if there is none). */
static int set_steal(PyObject *dict, const char *key, PyObject *value)
{
    int rc = value != NULL ? PyDict_SetItemString(dict, key, value) : -1;
    Py_XDECREF(value);
    return rc;
}

/* ((name, value), ...) for each level of a name. */
static PyObject *make_name(const X509_NAME *name)
{
    PyObject *levels = PyList_New(0), *level = NULL;
    int current = -1;
    for (int i = 0; levels != NULL && i < X509_NAME_entry_count(name); i++) {
        X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
        if (X509_NAME_ENTRY_set(entry) != current || level == NULL) {
            if (level != NULL && append_steal(levels, to_tuple_steal(Py_NewRef(level))) < 0)
                goto failed;
            Py_XSETREF(level, PyList_New(0));
            current = X509_NAME_ENTRY_set(entry);
        }
        PyObject *key = object_name(X509_NAME_ENTRY_get_object(entry), 0);
        PyObject *value = key != NULL ? asn1_text(X509_NAME_ENTRY_get_data(entry)) : NULL;
        PyObject *pair = value != NULL ? PyTuple_Pack(2, key, value) : NULL;
        Py_XDECREF(key);
        Py_XDECREF(value);
        if (level == NULL || append_steal(level, pair) < 0)
            goto failed;
    }
    if (levels != NULL && level != NULL && append_steal(levels, to_tuple_steal(Py_NewRef(level))) < 0)
        goto failed;
    Py_XDECREF(level);
    return to_tuple_steal(levels);
failed:
    Py_XDECREF(level);
    Py_XDECREF(levels);
    return NULL;
}

/* ---- Alternative names ---- */

static PyObject *make_address(const ASN1_OCTET_STRING *ip)
{
    const unsigned char *p = ASN1_STRING_get0_data(ip);
    if (ASN1_STRING_length(ip) == 4)
        return PyUnicode_FromFormat("%d.%d.%d.%d", p[0], p[1], p[2], p[3]);
    if (ASN1_STRING_length(ip) == 16)
        return PyUnicode_FromFormat("%X:%X:%X:%X:%X:%X:%X:%X", p[0] << 8 | p[1], p[2] << 8 | p[3], p[4] << 8 | p[5],
                                    p[6] << 8 | p[7], p[8] << 8 | p[9], p[10] << 8 | p[11], p[12] << 8 | p[13],
                                    p[14] << 8 | p[15]);
    return PyUnicode_FromString("<invalid>");
}

static PyObject *make_ia5(const ASN1_IA5STRING *text)
{
    return PyUnicode_FromStringAndSize((const char *)ASN1_STRING_get0_data(text), ASN1_STRING_length(text));
}

static PyObject *make_registered(const ASN1_OBJECT *object)
{
    char buffer[2048];
    int size = i2t_ASN1_OBJECT(buffer, sizeof buffer - 1, object);
    if (size < 0)
        return SSL_RAISE(NULL);
    return size < (int)sizeof buffer ? PyUnicode_FromStringAndSize(buffer, size) : PyUnicode_FromString("<INVALID>");
}

/* A kind that has no form of its own: what OpenSSL prints, "kind:text". */
static PyObject *make_printed(GENERAL_NAME *name)
{
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio == NULL)
        return PyErr_NoMemory();
    GENERAL_NAME_print(bio, name);
    PyObject *text = bio_text(bio);
    PyObject *pair = text != NULL ? PyObject_CallMethod(text, "split", "si", ":", 1) : NULL;
    Py_XDECREF(text);
    return to_tuple_steal(pair);
}

static PyObject *make_alternative(GENERAL_NAME *name)
{
    switch (name->type) {
    case GEN_DIRNAME:
        return Py_BuildValue("sN", "DirName", make_name(name->d.dirn));
    case GEN_EMAIL:
        return Py_BuildValue("sN", "email", make_ia5(name->d.rfc822Name));
    case GEN_DNS:
        return Py_BuildValue("sN", "DNS", make_ia5(name->d.dNSName));
    case GEN_URI:
        return Py_BuildValue("sN", "URI", make_ia5(name->d.uniformResourceIdentifier));
    case GEN_RID:
        return Py_BuildValue("sN", "Registered ID", make_registered(name->d.rid));
    case GEN_IPADD:
        return Py_BuildValue("sN", "IP Address", make_address(name->d.iPAddress));
    default:
        return make_printed(name);
    }
}

static int set_alternatives(PyObject *dict, X509 *x509)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
    if (names == NULL)
        return 0;
    PyObject *list = PyList_New(0);
    for (int i = 0; list != NULL && i < sk_GENERAL_NAME_num(names); i++)
        if (append_steal(list, make_alternative(sk_GENERAL_NAME_value(names, i))) < 0)
            Py_CLEAR(list);
    GENERAL_NAMES_free(names);
    return set_steal(dict, "subjectAltName", to_tuple_steal(list));
}

/* ---- Where more is to be found ---- */

static int set_access(PyObject *dict, X509 *x509, int method, const char *key)
{
    AUTHORITY_INFO_ACCESS *info = X509_get_ext_d2i(x509, NID_info_access, NULL, NULL);
    int rc = 0;
    if (info == NULL)
        return 0;
    PyObject *list = PyList_New(0);
    for (int i = 0; list != NULL && i < sk_ACCESS_DESCRIPTION_num(info); i++) {
        ACCESS_DESCRIPTION *entry = sk_ACCESS_DESCRIPTION_value(info, i);
        if (OBJ_obj2nid(entry->method) != method || entry->location->type != GEN_URI)
            continue;
        if (append_steal(list, make_ia5(entry->location->d.uniformResourceIdentifier)) < 0)
            Py_CLEAR(list);
    }
    AUTHORITY_INFO_ACCESS_free(info);
    if (list == NULL)
        return -1;
    if (PyList_GET_SIZE(list) > 0)
        rc = set_steal(dict, key, to_tuple_steal(Py_NewRef(list)));
    Py_DECREF(list);
    return rc;
}

static int set_revocation_lists(PyObject *dict, X509 *x509)
{
    CRL_DIST_POINTS *points = X509_get_ext_d2i(x509, NID_crl_distribution_points, NULL, NULL);
    int rc = 0;
    if (points == NULL)
        return 0;
    PyObject *list = PyList_New(0);
    for (int i = 0; list != NULL && i < sk_DIST_POINT_num(points); i++) {
        DIST_POINT *point = sk_DIST_POINT_value(points, i);
        if (point->distpoint == NULL || point->distpoint->type != 0)
            continue;
        GENERAL_NAMES *names = point->distpoint->name.fullname;
        for (int j = 0; list != NULL && j < sk_GENERAL_NAME_num(names); j++) {
            GENERAL_NAME *name = sk_GENERAL_NAME_value(names, j);
            if (name->type == GEN_URI && append_steal(list, make_ia5(name->d.uniformResourceIdentifier)) < 0)
                Py_CLEAR(list);
        }
    }
    CRL_DIST_POINTS_free(points);
    if (list == NULL)
        return -1;
    if (PyList_GET_SIZE(list) > 0)
        rc = set_steal(dict, "crlDistributionPoints", to_tuple_steal(Py_NewRef(list)));
    Py_DECREF(list);
    return rc;
}

/* ---- The whole ---- */

static PyObject *make_serial(X509 *x509)
{
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio == NULL)
        return PyErr_NoMemory();
    i2a_ASN1_INTEGER(bio, X509_get0_serialNumber(x509));
    return bio_text(bio);
}

static PyObject *make_time(const ASN1_TIME *time)
{
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio == NULL)
        return PyErr_NoMemory();
    ASN1_TIME_print(bio, time);
    return bio_text(bio);
}

PyObject *ssl_certificate_decode(X509 *x509)
{
    PyObject *dict = PyDict_New();
    if (dict == NULL || set_steal(dict, "subject", make_name(X509_get_subject_name(x509))) < 0
        || set_steal(dict, "issuer", make_name(X509_get_issuer_name(x509))) < 0
        || set_steal(dict, "version", PyLong_FromLong(X509_get_version(x509) + 1)) < 0
        || set_steal(dict, "serialNumber", make_serial(x509)) < 0
        || set_steal(dict, "notBefore", make_time(X509_get0_notBefore(x509))) < 0
        || set_steal(dict, "notAfter", make_time(X509_get0_notAfter(x509))) < 0 || set_alternatives(dict, x509) < 0
        || set_access(dict, x509, NID_ad_OCSP, "OCSP") < 0
        || set_access(dict, x509, NID_ad_ca_issuers, "caIssuers") < 0 || set_revocation_lists(dict, x509) < 0)
        Py_CLEAR(dict);
    ERR_clear_error();
    return dict;
}

PyObject *ssl_certificate_der(X509 *x509)
{
    unsigned char *data = NULL;
    int size = i2d_X509(x509, &data);
    if (size < 0)
        return SSL_RAISE(NULL);
    PyObject *bytes = PyBytes_FromStringAndSize((const char *)data, size);
    OPENSSL_free(data);
    return bytes;
}

/* ---- Objects ---- */

PyObject *ssl_certificate_list(STACK_OF(X509) *chain)
{
    PyObject *list = PyList_New(0);
    for (int i = 0; list != NULL && i < sk_X509_num(chain); i++) {
        certificate_object *item = (certificate_object *)ssl_certificate_type.tp_alloc(&ssl_certificate_type, 0);
        if (item != NULL) {
            item->x509 = sk_X509_value(chain, i);
            X509_up_ref(item->x509);
        }
        if (append_steal(list, (PyObject *)item) < 0)
            Py_CLEAR(list);
    }
    return list;
}

static void certificate_dealloc(PyObject *op)
{
    X509_free(SELF(op));
    Py_TYPE(op)->tp_free(op);
}

static PyObject *certificate_public_bytes(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"format", NULL};
    int format = ENCODING_PEM;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|i:public_bytes", names, &format))
        return NULL;
    if (format == ENCODING_DER)
        return ssl_certificate_der(SELF(op));
    if (format != ENCODING_PEM) {
        PyErr_SetString(PyExc_ValueError, "Unsupported format");
        return NULL;
    }
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio == NULL)
        return PyErr_NoMemory();
    if (!PEM_write_bio_X509(bio, SELF(op))) {
        BIO_free(bio);
        return SSL_RAISE(NULL);
    }
    return bio_text(bio);
}

static PyObject *certificate_get_info(PyObject *op, PyObject *unused) { return ssl_certificate_decode(SELF(op)); }

static PyObject *certificate_repr(PyObject *op)
{
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio == NULL)
        return PyErr_NoMemory();
    X509_NAME_print_ex(bio, X509_get_subject_name(SELF(op)), 0, XN_FLAG_RFC2253);
    PyObject *subject = bio_text(bio);
    PyObject *text = subject != NULL ? PyUnicode_FromFormat("<%s '%U'>", Py_TYPE(op)->tp_name, subject) : NULL;
    Py_XDECREF(subject);
    return text;
}

static Py_hash_t certificate_hash(PyObject *op)
{
    Py_hash_t hash = (Py_hash_t)X509_subject_name_hash(SELF(op));
    return hash == -1 ? -2 : hash;
}

static PyObject *certificate_compare(PyObject *a, PyObject *b, int operation)
{
    if (!Py_IS_TYPE(b, &ssl_certificate_type) || (operation != Py_EQ && operation != Py_NE))
        Py_RETURN_NOTIMPLEMENTED;
    return PyBool_FromLong((X509_cmp(SELF(a), SELF(b)) == 0) == (operation == Py_EQ));
}

static PyMethodDef methods[] = {
    MODULE_METHOD("public_bytes", certificate_public_bytes, METH_VARARGS | METH_KEYWORDS,
                  "public_bytes($self, /, format=Encoding.PEM)\n--\n\nThe certificate, in PEM (str) or DER (bytes)."),
    {"get_info", certificate_get_info, METH_NOARGS, "get_info($self, /)\n--\n\nWhat it says, as a dict."},
    {NULL},
};

PyTypeObject ssl_certificate_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_ssl.Certificate",
    .tp_basicsize = sizeof(certificate_object),
    .tp_dealloc = certificate_dealloc,
    .tp_repr = certificate_repr,
    .tp_hash = certificate_hash,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_richcompare = certificate_compare,
    .tp_methods = methods,
};
