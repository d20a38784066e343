/* The table of interned strings.
 *
 * Open addressing, a power of two of slots, linear probing.  Entries are immortal and never removed, so readers need no
 * lock: they load the table (acquire), then slots (acquire).  Writers hold intern_mutex; a full table is replaced by
 * one of twice the size and the old one is kept for late readers (all old tables together are smaller than the new). */
#include <Python.h>
#include "unicode.h"
#include "fork_mutex.h"

struct intern_table {
    struct intern_table *smaller;   /* the one it has replaced, for late readers */
    size_t mask;
    size_t used;                /* [lock] */
    PyObject *slots[];          /* [atomic] */
};

static struct intern_table *intern_table;   /* [atomic] */
static PyMutex intern_mutex;
FORK_MUTEX(intern_mutex)

static struct intern_table *table_new(size_t size)
{
    struct intern_table *table = PyMem_RawCalloc(1, sizeof(*table) + size * sizeof(PyObject *));
    if (table != NULL)
        table->mask = size - 1;
    return table;
}

static inline size_t first_slot(Py_hash_t hash, size_t mask)
{
    return ((size_t)hash ^ ((size_t)hash >> 32)) & mask;
}

/* unicode_equal takes two interned strings to be different unless identical: here one may be about to be interned. */
static int same_text(PyObject *a, PyObject *b)
{
    PyASCIIObject *x = (PyASCIIObject *)a, *y = (PyASCIIObject *)b;
    return x->length == y->length && x->state.kind == y->state.kind
           && memcmp(PyUnicode_DATA(a), PyUnicode_DATA(b), (size_t)x->length * x->state.kind) == 0;
}

static PyObject *find(struct intern_table *table, PyObject *str, Py_hash_t hash)
{
    for (size_t i = first_slot(hash, table->mask);; i = (i + 1) & table->mask) {
        PyObject *entry = __atomic_load_n(&table->slots[i], __ATOMIC_ACQUIRE);  /* pairs with insert_locked */
        if (entry == NULL)
            return NULL;
        if (((PyASCIIObject *)entry)->hash == hash && same_text(entry, str))
            return entry;
    }
}

static void insert_locked(struct intern_table *table, PyObject *str, Py_hash_t hash)
{
    size_t i = first_slot(hash, table->mask);
    while (table->slots[i] != NULL)
        i = (i + 1) & table->mask;
    table->used++;
    __atomic_store_n(&table->slots[i], str, __ATOMIC_RELEASE);
}

/* Room for one more. */
static struct intern_table *reserve_locked(void)
{
    struct intern_table *table = intern_table;
    if (table->used * 3 < (table->mask + 1) * 2)
        return table;
    struct intern_table *bigger = table_new(2 * (table->mask + 1));
    if (bigger == NULL)
        return NULL;
    for (size_t i = 0; i <= table->mask; i++)
        if (table->slots[i] != NULL)
            insert_locked(bigger, table->slots[i], ((PyASCIIObject *)table->slots[i])->hash);
    bigger->smaller = table;
    __atomic_store_n(&intern_table, bigger, __ATOMIC_RELEASE);
    return bigger;
}

static void insert_static(struct intern_table *table, PyObject *str)
{
    Py_hash_t hash = unicode_hash(str);
    if (find(table, str, hash) == NULL)
        insert_locked(table, str, hash);
}

int unicode_init(void)
{
    PyMutex_Lock(&intern_mutex);
    if (intern_table == NULL) {
        struct intern_table *table = table_new(8192);
        if (table != NULL) {
            insert_static(table, unicode_empty());
            for (int c = 0; c < 256; c++)
                insert_static(table, unicode_latin1((unsigned char)c));
#define S(name) insert_static(table, (PyObject *)&well_known_strings.name_##name);
#define T(name, text) insert_static(table, (PyObject *)&well_known_strings.name_##name);
#include "well_known_strings.def"
#undef S
#undef T
            __atomic_store_n(&intern_table, table, __ATOMIC_RELEASE);   /* pairs with current_table */
        }
    }
    PyMutex_Unlock(&intern_mutex);
    return intern_table == NULL ? -1 : 0;
}

/* Two rows of well_known_strings.def with one text would make two interned strings that are equal. */
#define S(name) _Static_assert(sizeof(#name) > 2, "one-character strings are unicode_latin1()");
#define T(name, text) _Static_assert(sizeof(text) > 2, "one-character strings are unicode_latin1()");
#include "well_known_strings.def"
#undef S
#undef T

static struct intern_table *current_table(void)
{
    struct intern_table *table = __atomic_load_n(&intern_table, __ATOMIC_ACQUIRE);
    if (table == NULL && unicode_init() == 0)
        table = __atomic_load_n(&intern_table, __ATOMIC_ACQUIRE);
    return table;
}

/* The object that goes into the table: str itself if nobody else can have seen it, else a copy. */
static PyObject *make_immortal(PyObject *str, Py_hash_t hash)
{
    PyObject *entry = str;
    if (!PyUnicode_CheckExact(str) || !object_is_unique(str)) {
        entry = _PyUnicode_Copy(str);
        if (entry == NULL)
            return NULL;
    }
    ((PyASCIIObject *)entry)->hash = hash;
    ((PyASCIIObject *)entry)->state.interned = SSTATE_INTERNED_IMMORTAL;
    object_set_immortal(entry);
    return entry;
}

/* The interned string equal to str, which becomes it if the caller's reference is the only one. */
static PyObject *intern(PyObject *str)
{
    if (unicode_is_interned(str))
        return str;
    Py_ssize_t length = PyUnicode_GET_LENGTH(str);
    if (length == 0)
        return unicode_empty();
    if (length == 1 && PyUnicode_KIND(str) == 1)
        return unicode_latin1(PyUnicode_1BYTE_DATA(str)[0]);
    struct intern_table *table = current_table();
    if (table == NULL)
        return PyErr_NoMemory();
    Py_hash_t hash = unicode_hash(str);
    PyObject *entry = find(table, str, hash);
    if (entry != NULL)
        return entry;
    /* Memory is allocated before the lock, so that nothing under it can call back. */
    PyObject *fresh = make_immortal(str, hash);
    if (fresh == NULL)
        return NULL;
    PyMutex_Lock(&intern_mutex);
    table = reserve_locked();
    if (table != NULL) {
        entry = find(table, fresh, hash);
        if (entry == NULL) {
            insert_locked(table, fresh, hash);
            entry = fresh;
        }
    }
    PyMutex_Unlock(&intern_mutex);
    if (table == NULL)
        return PyErr_NoMemory();
    /* If a racing thread was faster, fresh, immortal and alone, is lost. The race is rare and the loss small. */
    return entry;
}

PyObject *unicode_intern_steal(PyObject *str)
{
    PyObject *entry = intern(str);
    Py_DECREF(str);             /* nothing if it has become immortal */
    return entry;
}

/* The entry of that ASCII text, or NULL. */
static PyObject *find_ascii(struct intern_table *table, const char *text, Py_ssize_t length, Py_hash_t hash)
{
    for (size_t i = first_slot(hash, table->mask);; i = (i + 1) & table->mask) {
        PyObject *entry = __atomic_load_n(&table->slots[i], __ATOMIC_ACQUIRE);  /* pairs with insert_locked */
        if (entry == NULL)
            return NULL;
        if (((PyASCIIObject *)entry)->hash == hash && PyUnicode_IS_ASCII(entry) && PyUnicode_GET_LENGTH(entry) == length
            && memcmp(PyUnicode_1BYTE_DATA(entry), text, (size_t)length) == 0)
            return entry;
    }
}

/* Most names are known already: no string is made of those. */
PyObject *unicode_intern_ascii(const char *text, Py_ssize_t length)
{
    struct intern_table *table = current_table();
    if (table == NULL)
        return PyErr_NoMemory();
    Py_hash_t hash = _Py_HashBytes(text, length);
    PyObject *entry = find_ascii(table, text, length, hash), *str;
    if (entry != NULL || (str = _PyUnicode_FromASCII(text, length)) == NULL)
        return entry;
    if (length > 1)
        ((PyASCIIObject *)str)->hash = hash;
    return unicode_intern_steal(str);
}

void PyUnicode_InternInPlace(PyObject **p)
{
    PyObject *str = *p;
    if (str == NULL || !PyUnicode_CheckExact(str))
        return;
    PyObject *entry = intern(str);
    if (entry == NULL) {
        PyErr_Clear();          /* interning is an optimisation; the contract has no failure */
        return;
    }
    *p = entry;
    Py_DECREF(str);
}

void PyUnicode_InternImmortal(PyObject **p)
{
    PyUnicode_InternInPlace(p);
}

PyObject *PyUnicode_InternFromString(const char *u)
{
    Py_ssize_t length = 0;
    while ((signed char)u[length] > 0)
        length++;
    if (u[length] == 0)
        return unicode_intern_ascii(u, length);
    PyObject *str = PyUnicode_FromString(u);
    return str == NULL ? NULL : unicode_intern_steal(str);
}

/* The string is kept in the identifier itself: index becomes its address. */
PyObject *_PyUnicode_FromId(_Py_Identifier *id)
{
    Py_ssize_t word = __atomic_load_n(&id->index, __ATOMIC_ACQUIRE);
    if (word != -1)
        return (PyObject *)word;
    PyObject *str = PyUnicode_InternFromString(id->string);
    if (str != NULL)
        __atomic_store_n(&id->index, (Py_ssize_t)str, __ATOMIC_RELEASE);
    return str;
}
