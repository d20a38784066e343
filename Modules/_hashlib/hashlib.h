/* What the parts of the _hashlib module share. */
#ifndef BRAID_HASHLIB_H
#define BRAID_HASHLIB_H

#include "../evp_support.h"

/* ---- algorithm.c ---- */

/* An algorithm of OpenSSL by Python's or OpenSSL's name. Returns  a new reference (EVP_MD_free), or NULL with an exception */
EVP_MD *hashlib_algorithm_by_name(const char *name);
/* The same for an argument: a name, or a constructor of this module. */
EVP_MD *hashlib_algorithm_by_object(PyObject *digestmod);
/* The name that Python gives it; text of the program or of the library, which stays. */
const char *hashlib_algorithm_name(const EVP_MD *algorithm);
/* A frozenset of the names of all algorithms. */
PyObject *hashlib_algorithm_names(void);

/* ---- hash.c ---- */

extern PyTypeObject hashlib_hash_type, hashlib_xof_type;
extern PyMethodDef hashlib_hash_functions[];
/* A dict of the constructors: function, Python's name of its algorithm. */
PyObject *hashlib_constructors_make(PyObject *module);

/* ---- hmac.c, derive.c ---- */

extern PyTypeObject hashlib_hmac_type;
extern PyMethodDef hashlib_hmac_functions[], hashlib_derive_functions[];

/* ---- hashlibmodule.c: set once, by the first import ---- */

extern PyObject *hashlib_unsupported;           /* UnsupportedDigestmodError */
extern PyObject *hashlib_constructors;          /* dict; fixed after import */

#endif /* BRAID_HASHLIB_H */
