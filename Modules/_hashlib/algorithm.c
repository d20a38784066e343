/* Hash algorithms by name. */
#include "hashlib.h"
#include <openssl/objects.h>

/* Where Python's name differs from OpenSSL's short one, or its object has no identifier of its own. */
static const struct {
    const char *name, *library_name;
    int nid;
} named[] = {
    {"md5", "MD5", NID_md5},
    {"sha1", "SHA1", NID_sha1},
    {"sha224", "SHA2-224", NID_sha224},
    {"sha256", "SHA2-256", NID_sha256},
    {"sha384", "SHA2-384", NID_sha384},
    {"sha512", "SHA2-512", NID_sha512},
    {"sha512_224", "SHA2-512/224", NID_sha512_224},
    {"sha512_256", "SHA2-512/256", NID_sha512_256},
    {"sha3_224", "SHA3-224", NID_sha3_224},
    {"sha3_256", "SHA3-256", NID_sha3_256},
    {"sha3_384", "SHA3-384", NID_sha3_384},
    {"sha3_512", "SHA3-512", NID_sha3_512},
    {"shake_128", "SHAKE-128", NID_shake128},
    {"shake_256", "SHAKE-256", NID_shake256},
    {"blake2b", "BLAKE2B-512", NID_blake2b512},
    {"blake2s", "BLAKE2S-256", NID_blake2s256},
};

/* The algorithms of the table that were needed so far: looking them up in the library is slow, and locks. */
static EVP_MD *fetched[Py_ARRAY_LENGTH(named)];         /* [atomic] set once; kept for ever */

static EVP_MD *fetch(const char *name)
{
    EVP_MD *algorithm = EVP_MD_fetch(NULL, name, NULL);
    if (algorithm == NULL)
        evp_error(PyExc_ValueError);
    return algorithm;
}

EVP_MD *hashlib_algorithm_by_name(const char *name)
{
    for (size_t i = 0; i < Py_ARRAY_LENGTH(named); i++) {
        if (strcmp(named[i].name, name) != 0)
            continue;
        EVP_MD *known = __atomic_load_n(&fetched[i], __ATOMIC_ACQUIRE);     /* pairs with the exchange below */
        if (known == NULL) {
            EVP_MD *mine = fetch(named[i].library_name);
            if (mine == NULL)
                return NULL;
            if (__atomic_compare_exchange_n(&fetched[i], &known, mine, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
                known = mine;
            else
                EVP_MD_free(mine);
        }
        if (EVP_MD_up_ref(known))
            return known;
        evp_error(PyExc_ValueError);
        return NULL;
    }
    return fetch(name);
}

EVP_MD *hashlib_algorithm_by_object(PyObject *digestmod)
{
    if (PyUnicode_Check(digestmod)) {
        const char *name = PyUnicode_AsUTF8(digestmod);
        return name != NULL ? hashlib_algorithm_by_name(name) : NULL;
    }
    PyObject *name = PyCFunction_Check(digestmod) ? PyDict_GetItemWithError(hashlib_constructors, digestmod) : NULL;
    if (name != NULL)
        return hashlib_algorithm_by_object(name);
    if (!PyErr_Occurred())
        PyErr_Format(hashlib_unsupported, "Unsupported digestmod %R", digestmod);
    return NULL;
}

const char *hashlib_algorithm_name(const EVP_MD *algorithm)
{
    int nid = EVP_MD_get_type(algorithm);
    for (size_t i = 0; i < Py_ARRAY_LENGTH(named); i++)
        if (named[i].nid == nid)
            return named[i].name;
    const char *name = nid != NID_undef ? OBJ_nid2ln(nid) : NULL;
    return name != NULL ? name : EVP_MD_get0_name(algorithm);
}

struct names {
    PyObject *set;              /* NULL after a failure */
};

static void add_name(EVP_MD *algorithm, void *arg)
{
    struct names *names = arg;
    /* Parts of other algorithms have no identifier. */
    if (names->set == NULL || EVP_MD_get_type(algorithm) == NID_undef)
        return;
    PyObject *name = PyUnicode_FromString(hashlib_algorithm_name(algorithm));
    if (name == NULL || PySet_Add(names->set, name) < 0)
        Py_CLEAR(names->set);
    Py_XDECREF(name);
}

PyObject *hashlib_algorithm_names(void)
{
    struct names names = {PyFrozenSet_New(NULL)};
    EVP_MD_do_all_provided(NULL, add_name, &names);
    return names.set;
}
