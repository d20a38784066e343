/* The _random module: the Mersenne Twister MT19937 (Matsumoto and Nishimura 1998), seeded as their mt19937ar does. */
#define PY_SSIZE_T_CLEAN
#include "module.h"
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum { N = 624, M = 397 };

typedef struct {
    PyObject_HEAD
    uint32_t state[N];      /* [lock] */
    int index;              /* [lock] of the next word to use; N: all are used up */
} random_t;

/* ---- The generator, under the lock ---- */

static void refill(uint32_t *mt)
{
    for (int i = 0; i < N; i++) {
        uint32_t y = (mt[i] & 0x80000000u) | (mt[i + 1 < N ? i + 1 : 0] & 0x7fffffffu);
        mt[i] = mt[i + M < N ? i + M : i + M - N] ^ (y >> 1) ^ (-(y & 1) & 0x9908b0dfu);
    }
}

static inline uint32_t next_word(random_t *self)
{
    if (self->index >= N) {
        refill(self->state);
        self->index = 0;
    }
    uint32_t y = self->state[self->index++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
}

static void seed_number(random_t *self, uint32_t s)
{
    uint32_t *mt = self->state;
    mt[0] = s;
    for (int i = 1; i < N; i++)
        mt[i] = 1812433253u * (mt[i - 1] ^ (mt[i - 1] >> 30)) + (uint32_t)i;
    self->index = N;
}

static void seed_array(random_t *self, const uint32_t *key, size_t length)
{
    uint32_t *mt = self->state;
    size_t j = 0;
    int i = 1;
    seed_number(self, 19650218u);
    for (size_t k = length > N ? length : N; k > 0; k--) {
        mt[i] = (mt[i] ^ ((mt[i - 1] ^ (mt[i - 1] >> 30)) * 1664525u)) + key[j] + (uint32_t)j;
        if (++i == N) {
            mt[0] = mt[N - 1];
            i = 1;
        }
        if (++j == length)
            j = 0;
    }
    for (int k = N - 1; k > 0; k--) {
        mt[i] = (mt[i] ^ ((mt[i - 1] ^ (mt[i - 1] >> 30)) * 1566083941u)) - (uint32_t)i;
        if (++i == N) {
            mt[0] = mt[N - 1];
            i = 1;
        }
    }
    mt[0] = 0x80000000u;
}

/* ---- Seeding ---- */

static void seed_from_system(random_t *self)
{
    uint32_t key[N];
    size_t got = 0;
    while (got < sizeof(key)) {
        ssize_t n = getrandom((char *)key + got, sizeof(key) - got, GRND_NONBLOCK);
        if (n > 0)
            got += (size_t)n;
        else if (n == 0 || errno != EINTR)
            break;
    }
    if (got < sizeof(key)) {
        struct timespec now, ticks;
        clock_gettime(CLOCK_REALTIME, &now);
        clock_gettime(CLOCK_MONOTONIC, &ticks);
        key[0] ^= (uint32_t)now.tv_nsec;
        key[1] ^= (uint32_t)now.tv_sec;
        key[2] ^= (uint32_t)getpid();
        key[3] ^= (uint32_t)ticks.tv_nsec;
        key[4] ^= (uint32_t)ticks.tv_sec;
        Py_BEGIN_CRITICAL_SECTION(self);
        seed_array(self, key, 5);
        Py_END_CRITICAL_SECTION();
        return;
    }
    Py_BEGIN_CRITICAL_SECTION(self);
    seed_array(self, key, N);
    Py_END_CRITICAL_SECTION();
}

/* number is an int >= 0: its 32-bit digits, least first, are the key. */
static int seed_from_int(random_t *self, PyObject *number)
{
    size_t bits = _PyLong_NumBits(number);
    if (bits == (size_t)-1 && PyErr_Occurred())
        return -1;
    size_t words = bits == 0 ? 1 : (bits - 1) / 32 + 1;
    uint32_t *key = PyMem_New(uint32_t, words);
    if (key == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    int result = _PyLong_AsByteArray((PyLongObject *)number, (unsigned char *)key, words * 4, 1, 0);
    if (result == 0) {
#if PY_BIG_ENDIAN
        for (size_t i = 0; i < words; i++)
            key[i] = __builtin_bswap32(key[i]);
#endif
        Py_BEGIN_CRITICAL_SECTION(self);
        seed_array(self, key, words);
        Py_END_CRITICAL_SECTION();
    }
    PyMem_Free(key);
    return result;
}

/* seed NULL or None: from the system. */
static int seed(random_t *self, PyObject *op)
{
    PyObject *number;
    if (op == NULL || op == Py_None) {
        seed_from_system(self);
        return 0;
    }
    if (PyLong_CheckExact(op))
        number = PyNumber_Absolute(op);
    else if (PyLong_Check(op)) {
        /* An overriding __abs__ has no say. */
        PyObject *exact = _PyLong_Copy((PyLongObject *)op);
        number = exact == NULL ? NULL : PyNumber_Absolute(exact);
        Py_XDECREF(exact);
    }
    else {
        Py_hash_t hash = PyObject_Hash(op);
        if (hash == -1)
            return -1;
        number = PyLong_FromSize_t((size_t)hash);
    }
    if (number == NULL)
        return -1;
    int result = seed_from_int(self, number);
    Py_DECREF(number);
    return result;
}

/* ---- Methods ---- */

static PyObject *random_random(PyObject *op, PyObject *unused)
{
    random_t *self = (random_t *)op;
    uint32_t a, b;
    Py_BEGIN_CRITICAL_SECTION(op);
    a = next_word(self) >> 5;
    b = next_word(self) >> 6;
    Py_END_CRITICAL_SECTION();
    return PyFloat_FromDouble((a * 67108864.0 + b) * (1.0 / 9007199254740992.0));
}

static PyObject *random_seed(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional("seed", nargs, 0, 1) || seed((random_t *)self, nargs > 0 ? args[0] : NULL) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *random_getrandbits(PyObject *op, PyObject *arg)
{
    random_t *self = (random_t *)op;
    int k = _PyLong_AsInt(arg);
    if (k == -1 && PyErr_Occurred())
        return NULL;
    if (k < 0) {
        PyErr_SetString(PyExc_ValueError, "number of bits must be non-negative");
        return NULL;
    }
    if (k == 0)
        return PyLong_FromLong(0);
    if (k <= 32) {
        uint32_t word;
        Py_BEGIN_CRITICAL_SECTION(op);
        word = next_word(self);
        Py_END_CRITICAL_SECTION();
        return PyLong_FromUnsignedLong(word >> (32 - k));
    }
    size_t words = ((size_t)k - 1) / 32 + 1;
    unsigned char *bytes = PyMem_Malloc(words * 4);
    if (bytes == NULL)
        return PyErr_NoMemory();
    Py_BEGIN_CRITICAL_SECTION(op);
    for (size_t i = 0; i < words; i++, k -= 32) {
        uint32_t word = next_word(self);
        if (k < 32)
            word >>= 32 - k;
        for (int j = 0; j < 4; j++)
            bytes[4 * i + (size_t)j] = (unsigned char)(word >> (8 * j));
    }
    Py_END_CRITICAL_SECTION();
    PyObject *result = _PyLong_FromByteArray(bytes, words * 4, 1, 0);
    PyMem_Free(bytes);
    return result;
}

static PyObject *random_getstate(PyObject *op, PyObject *unused)
{
    random_t *self = (random_t *)op;
    uint32_t copy[N + 1];
    Py_BEGIN_CRITICAL_SECTION(op);
    memcpy(copy, self->state, sizeof(self->state));
    copy[N] = (uint32_t)self->index;
    Py_END_CRITICAL_SECTION();
    PyObject *result = PyTuple_New(N + 1);
    if (result == NULL)
        return NULL;
    for (int i = 0; i <= N; i++) {
        PyObject *word = PyLong_FromUnsignedLong(copy[i]);
        if (word == NULL) {
            Py_DECREF(result);
            return NULL;
        }
        PyTuple_SET_ITEM(result, i, word);
    }
    return result;
}

static PyObject *random_setstate(PyObject *op, PyObject *state)
{
    random_t *self = (random_t *)op;
    uint32_t copy[N];
    if (!PyTuple_Check(state)) {
        PyErr_SetString(PyExc_TypeError, "state vector must be a tuple");
        return NULL;
    }
    if (PyTuple_GET_SIZE(state) != N + 1) {
        PyErr_SetString(PyExc_ValueError, "state vector is the wrong size");
        return NULL;
    }
    for (int i = 0; i < N; i++) {
        unsigned long word = PyLong_AsUnsignedLong(PyTuple_GET_ITEM(state, i));
        if (word == (unsigned long)-1 && PyErr_Occurred())
            return NULL;
        copy[i] = (uint32_t)word;
    }
    long index = PyLong_AsLong(PyTuple_GET_ITEM(state, N));
    if (index == -1 && PyErr_Occurred())
        return NULL;
    if (index < 0 || index > N) {
        PyErr_SetString(PyExc_ValueError, "invalid state");
        return NULL;
    }
    Py_BEGIN_CRITICAL_SECTION(op);
    memcpy(self->state, copy, sizeof(copy));
    self->index = (int)index;
    Py_END_CRITICAL_SECTION();
    Py_RETURN_NONE;
}

/* ---- The type ---- */

static PyTypeObject random_type;

/* The seed, or None in *arg; -1 with an exception. */
static int check_arguments(PyTypeObject *type, PyObject *args, PyObject *kwargs, PyObject **arg)
{
    if ((type == &random_type || type->tp_init == random_type.tp_init) && kwargs != NULL && PyDict_GET_SIZE(kwargs) > 0) {
        PyErr_SetString(PyExc_TypeError, "Random() takes no keyword arguments");
        return -1;
    }
    if (PyTuple_GET_SIZE(args) > 1) {
        PyErr_SetString(PyExc_TypeError, "Random() requires 0 or 1 argument");
        return -1;
    }
    *arg = PyTuple_GET_SIZE(args) == 1 ? PyTuple_GET_ITEM(args, 0) : Py_None;
    return 0;
}

static int random_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *arg;
    if (check_arguments(Py_TYPE(self), args, kwargs, &arg) < 0)
        return -1;
    return seed((random_t *)self, arg);
}

/* A usable state, whatever a subclass does about __init__. */
static PyObject *random_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *self = type->tp_alloc(type, 0);
    if (self != NULL && type->tp_init != random_init)
        seed_from_system((random_t *)self);
    return self;
}

static PyMethodDef random_methods[] = {
    {"random", random_random, METH_NOARGS, "random($self, /)\n--\n\nrandom() -> x in the interval [0, 1)."},
    MODULE_METHOD("seed", random_seed, METH_FASTCALL,
                  "seed($self, n=None, /)\n--\n\nStarts the sequence that belongs to n: an int, or anything with a hash.\n\n"
                  "None: one that nobody can foresee."),
    {"getstate", random_getstate, METH_NOARGS, "getstate($self, /)\n--\n\ngetstate() -> tuple with the internal state."},
    {"setstate", random_setstate, METH_O, "setstate($self, state, /)\n--\n\nGoes back to a state that getstate() gave."},
    {"getrandbits", random_getrandbits, METH_O,
     "getrandbits($self, k, /)\n--\n\ngetrandbits(k) -> an int with k random bits."},
    {NULL},
};

static PyTypeObject random_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_random.Random",
    .tp_basicsize = sizeof(random_t),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "Random() -> a random number generator with a state of its own.",
    .tp_methods = random_methods,
    .tp_init = random_init,
    .tp_new = random_new,
};

static int random_exec(PyObject *module)
{
    return PyModule_AddType(module, &random_type);
}

static PyModuleDef_Slot random_slots[] = {
    {Py_mod_exec, (void *)random_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef random_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_random",
    .m_doc = "The Mersenne Twister: see the module random.",
    .m_slots = random_slots,
};

PyMODINIT_FUNC PyInit__random(void)
{
    return PyModuleDef_Init(&random_module);
}
