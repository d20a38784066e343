/* Hashing of byte strings (SipHash-1-3, Aumasson and Bernstein 2012) and of pointers, and the secret key. */
#include <Python.h>
#include <sys/random.h>

_Py_HashSecret_t _Py_HashSecret;

enum { KEY_UNSET, KEY_BUSY, KEY_SET };
static int key_state;           /* [atomic] KEY_*; the key is const once it is KEY_SET */

/* A linear congruential generator, so that a given seed gives the same hashes everywhere. */
static void fill_from_seed(unsigned char *key, size_t size, uint32_t seed)
{
    uint32_t x = seed;
    for (size_t i = 0; i < size; i++) {
        x = x * 214013u + 2531011u;
        key[i] = (unsigned char)(x >> 16);
    }
}

static int fill_random(unsigned char *key, size_t size)
{
    size_t have = 0;
    while (have < size) {
        ssize_t n = getrandom(key + have, size - have, GRND_NONBLOCK);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        have += (size_t)n;
    }
    if (have == size)
        return 0;
    FILE *f = fopen("/dev/urandom", "rb");
    size_t n = f == NULL ? 0 : fread(key, 1, size, f);
    if (f != NULL)
        fclose(f);
    return n == size ? 0 : -1;
}

static int set_key(int use_seed, unsigned long seed)
{
    unsigned char key[sizeof(_Py_HashSecret)] = {0};
    int rc = 0;
    if (!use_seed)
        rc = fill_random(key, sizeof(key));
    else if (seed != 0)
        fill_from_seed(key, sizeof(key), (uint32_t)seed);
    memcpy(&_Py_HashSecret, key, sizeof(key));
    return rc;
}

int hash_secret_init(int use_seed, unsigned long seed)
{
    int expected = KEY_UNSET;
    if (!__atomic_compare_exchange_n(&key_state, &expected, KEY_BUSY, 0, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE))
        return -1;
    int rc = set_key(use_seed, seed);
    __atomic_store_n(&key_state, KEY_SET, __ATOMIC_RELEASE);    /* pairs with ensure_key */
    return rc;
}

/* The first hash came before start-up chose a key: the environment decides. */
static Py_COLD void init_key_from_environment(void)
{
    const char *text = getenv("PYTHONHASHSEED");
    int use_seed = 0;
    unsigned long seed = 0;
    if (text != NULL && *text != '\0' && strcmp(text, "random") != 0) {
        char *end;
        seed = strtoul(text, &end, 10);
        use_seed = *end == '\0' && seed <= 4294967295UL;
    }
    hash_secret_init(use_seed, seed);
    while (__atomic_load_n(&key_state, __ATOMIC_ACQUIRE) != KEY_SET)
        ;
}

static inline void ensure_key(void)
{
    if (Py_UNLIKELY(__atomic_load_n(&key_state, __ATOMIC_ACQUIRE) != KEY_SET))
        init_key_from_environment();
}

#define ROTL(x, b) (((x) << (b)) | ((x) >> (64 - (b))))
#define SIP_ROUND(v0, v1, v2, v3) \
    do { \
        v0 += v1; v2 += v3; v1 = ROTL(v1, 13); v3 = ROTL(v3, 16); \
        v1 ^= v0; v3 ^= v2; v0 = ROTL(v0, 32); \
        v2 += v1; v0 += v3; v1 = ROTL(v1, 17); v3 = ROTL(v3, 21); \
        v1 ^= v2; v3 ^= v0; v2 = ROTL(v2, 32); \
    } while (0)

uint64_t hash_siphash13(uint64_t k0, uint64_t k1, const void *src, Py_ssize_t len)
{
    const unsigned char *p = src;
    uint64_t v0 = k0 ^ 0x736f6d6570736575u, v1 = k1 ^ 0x646f72616e646f6du;
    uint64_t v2 = k0 ^ 0x6c7967656e657261u, v3 = k1 ^ 0x7465646279746573u;
    uint64_t last = (uint64_t)len << 56;
    Py_ssize_t words = len >> 3;
    for (; words > 0; words--, p += 8) {
        uint64_t m;
        memcpy(&m, p, 8);
        v3 ^= m;
        SIP_ROUND(v0, v1, v2, v3);
        v0 ^= m;
    }
    for (int i = 0; i < (len & 7); i++)
        last |= (uint64_t)p[i] << (8 * i);
    v3 ^= last;
    SIP_ROUND(v0, v1, v2, v3);
    v0 ^= last;
    v2 ^= 0xff;
    SIP_ROUND(v0, v1, v2, v3);
    SIP_ROUND(v0, v1, v2, v3);
    SIP_ROUND(v0, v1, v2, v3);
    return (v0 ^ v1) ^ (v2 ^ v3);
}

Py_hash_t _Py_HashBytes(const void *src, Py_ssize_t len)
{
    if (len == 0)
        return 0;
    ensure_key();
    Py_hash_t hash = (Py_hash_t)hash_siphash13(_Py_HashSecret.siphash.k0, _Py_HashSecret.siphash.k1, src, len);
    return hash == -1 ? -2 : hash;
}

Py_hash_t Py_HashBuffer(const void *src, Py_ssize_t len)
{
    return _Py_HashBytes(src, len);
}

Py_hash_t _Py_HashPointerRaw(const void *p)
{
    /* Objects are 16-aligned: the low four bits say little. */
    size_t word = (size_t)p;
    return (Py_hash_t)((word >> 4) | (word << 60));
}

Py_hash_t _Py_HashPointer(const void *p)
{
    Py_hash_t hash = _Py_HashPointerRaw(p);
    return hash == -1 ? -2 : hash;
}

static Py_hash_t hash_with_key(const void *src, Py_ssize_t len)
{
    ensure_key();
    return (Py_hash_t)hash_siphash13(_Py_HashSecret.siphash.k0, _Py_HashSecret.siphash.k1, src, len);
}

PyHash_FuncDef *PyHash_GetFuncDef(void)
{
    static PyHash_FuncDef def = {hash_with_key, "siphash13", 64, 128};
    return &def;
}
