/* What the files of the array module share: arrays of numbers of one C type.
 *
 * Storage is read and written inside critical sections on the array; values are converted to C before and to objects behind them, so that
 * nothing escapes inside. Functions with _locked in their name want the lock held. */
#ifndef BRAID_ARRAY_INTERNAL_H
#define BRAID_ARRAY_INTERNAL_H

#define PY_SSIZE_T_CLEAN
#include "Python.h"

typedef struct {
    char typecode;
    int itemsize;
    char is_integer, is_signed;
    const char *format;         /* for buffers */
} descr_t;

typedef struct {
    PyObject_VAR_HEAD
    char *ob_item;                  /* [lock] */
    Py_ssize_t allocated;           /* [lock] in items */
    const descr_t *ob_descr;        /* [const] */
    PyObject *weakreflist;
    Py_ssize_t ob_exports;          /* [lock] while there are any the size is fixed */
} arrayobject;

extern PyTypeObject array_type, array_iter_type;
#define array_check(op) PyObject_TypeCheck((op), &array_type)

#define ARRAY_LOAD(type) (*(const type *)memcpy(&(type){0}, p, sizeof(type)))     /* what p points to, which need not be aligned */

static inline arrayobject *as_array(PyObject *op)
{
    return (arrayobject *)op;
}

static inline Py_ssize_t size_of(arrayobject *a)
{
    return __atomic_load_n(&((PyVarObject *)a)->ob_size, __ATOMIC_RELAXED);
}

static inline void set_size(arrayobject *a, Py_ssize_t n)
{
    __atomic_store_n(&((PyVarObject *)a)->ob_size, n, __ATOMIC_RELAXED);
}

/* items.c */
enum { ARRAY_DESCRIPTORS = 13 };
extern const descr_t array_descriptors[ARRAY_DESCRIPTORS];
const descr_t *array_find_descr(int typecode);     /* NULL: none */
/* The item at p as an object. Never escapes. */
PyObject *array_load_item(const descr_t *d, const char *p);
/* value in C form into p (8 bytes). Escapes. */
int array_pack_item(const descr_t *d, PyObject *value, char *p);

/* storage.c */
int array_resize_locked(arrayobject *a, Py_ssize_t n);
PyObject *array_new_array(PyTypeObject *type, Py_ssize_t n, const descr_t *d);
/* [lo, hi) is replaced by n items from data, which is not inside a. */
int array_splice_locked(arrayobject *a, Py_ssize_t lo, Py_ssize_t hi, const char *data, Py_ssize_t n);
void array_dealloc(PyObject *op);
/* The item as an object, or NULL without exception: out of range. */
PyObject *array_item_or_null(arrayobject *a, Py_ssize_t i);
PyObject *array_item(PyObject *op, Py_ssize_t i);
int array_insert_item(arrayobject *a, Py_ssize_t where, PyObject *value);
int array_append_item(arrayobject *a, PyObject *value);
/* A copy of [start, start + step, ...), n items, as a new array. */
PyObject *array_copy_locked(arrayobject *a, Py_ssize_t start, Py_ssize_t step, Py_ssize_t n);
PyObject *array_copy(PyObject *op, PyObject *unused);

/* extend.c */
/* Appends the items of another array of the same kind. */
int array_extend_array(arrayobject *a, PyObject *other);
PyObject *array_extend(PyObject *op, PyObject *iterable);
PyObject *array_frombytes(PyObject *op, PyObject *source);
PyObject *array_fromlist(PyObject *op, PyObject *list);
PyObject *array_fromunicode(PyObject *op, PyObject *text);
int array_fill(arrayobject *a, PyObject *initial);
PyObject *array_new(PyTypeObject *type, PyObject *args, PyObject *kwargs);

/* operators.c */
Py_ssize_t array_length(PyObject *op);
PyObject *array_concat(PyObject *op, PyObject *other);
PyObject *array_inplace_concat(PyObject *op, PyObject *other);
PyObject *array_inplace_repeat(PyObject *op, Py_ssize_t count);
PyObject *array_repeat(PyObject *op, Py_ssize_t count);
PyObject *array_subscript(PyObject *op, PyObject *key);
int array_ass_item(PyObject *op, Py_ssize_t i, PyObject *value);
int array_ass_subscript(PyObject *op, PyObject *key, PyObject *value);

/* search.c */
int array_contains(PyObject *op, PyObject *value);
PyObject *array_index(PyObject *op, PyObject *const *args, Py_ssize_t nargs);
PyObject *array_count(PyObject *op, PyObject *value);
PyObject *array_remove(PyObject *op, PyObject *value);
PyObject *array_richcompare(PyObject *v, PyObject *w, int op);

/* methods.c */
int array_getbuffer(PyObject *op, Py_buffer *view, int flags);
void array_releasebuffer(PyObject *op, Py_buffer *view);
PyObject *array_append(PyObject *op, PyObject *value);
PyObject *array_insert(PyObject *op, PyObject *args);
PyObject *array_pop(PyObject *op, PyObject *args);
PyObject *array_reverse(PyObject *op, PyObject *unused);
PyObject *array_byteswap(PyObject *op, PyObject *unused);
PyObject *array_buffer_info(PyObject *op, PyObject *unused);
PyObject *array_tolist(PyObject *op, PyObject *unused);
PyObject *array_tobytes(PyObject *op, PyObject *unused);
PyObject *array_tounicode(PyObject *op, PyObject *unused);
PyObject *array_fromfile(PyObject *op, PyObject *args);
PyObject *array_tofile(PyObject *op, PyObject *file);
PyObject *array_repr(PyObject *op);
PyObject *array_sizeof(PyObject *op, PyObject *unused);
PyObject *array_get_typecode(PyObject *op, void *unused);
PyObject *array_get_itemsize(PyObject *op, void *unused);

/* pickling.c */
PyObject *array_reconstructor(PyObject *module, PyObject *args);
PyObject *array_reduce_ex(PyObject *op, PyObject *value);

/* iterator.c */
PyObject *array_iter(PyObject *op);

#endif
