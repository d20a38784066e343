/* Hashing of bytes and pointers.
 *
 * Strings, bytes and memoryviews are hashed with SipHash-1-3 under a key that is random in every process, unless
 * PYTHONHASHSEED or -R/-I settings fix it.  The hash of numbers is defined by their value (Objects/float*, long*). */
#ifndef Py_HASH_H
#define Py_HASH_H

#define _PyHASH_MULTIPLIER 1000003UL
#define _PyHASH_BITS 61
#define _PyHASH_MODULUS (((size_t)1 << _PyHASH_BITS) - 1)
#define _PyHASH_INF 314159
#define _PyHASH_IMAG _PyHASH_MULTIPLIER
#define Py_HASH_CUTOFF 0
#define Py_HASH_EXTERNAL 0
#define Py_HASH_SIPHASH24 1
#define Py_HASH_FNV 2
#define Py_HASH_SIPHASH13 3
#define Py_HASH_ALGORITHM Py_HASH_SIPHASH13

typedef struct {
    Py_hash_t (*const hash)(const void *, Py_ssize_t);
    const char *name;
    const int hash_bits;
    const int seed_bits;
} PyHash_FuncDef;

PyAPI_FUNC(PyHash_FuncDef *) PyHash_GetFuncDef(void);

typedef union {
    unsigned char uc[24];
    struct { uint64_t k0, k1; } siphash;
    struct { unsigned char padding[16]; Py_hash_t hashsalt; } expat;
} _Py_HashSecret_t;
/* [const] after hash_secret_init */
PyAPI_DATA(_Py_HashSecret_t) _Py_HashSecret;

PyAPI_FUNC(Py_hash_t) _Py_HashPointerRaw(const void *p);
/* _Py_HashBytes, _Py_HashPointer and _Py_HashDouble are declared in object.h. */
PyAPI_FUNC(Py_hash_t) Py_HashBuffer(const void *src, Py_ssize_t len);

#ifdef Py_BUILD_CORE
/* Sets the key: use_seed 0: random; 1: derived from seed (0 means all zero).  Must come before the first hash, or
 * the environment variable PYTHONHASHSEED alone decides.
 * Returns  0, or -1 if the system has no random bytes or the key was already used */
int hash_secret_init(int use_seed, unsigned long seed);
/* SipHash-1-3 of src under the given key. */
uint64_t hash_siphash13(uint64_t k0, uint64_t k1, const void *src, Py_ssize_t len);
#endif

#endif /* Py_HASH_H */
