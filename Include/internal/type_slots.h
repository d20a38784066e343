/* Between the files of type slots: the functions that call Python methods (slot_*), and the wrappers that let Python call
 * C slots (wrap_*).  The table is Objects/type_slots.def. */
#ifndef BRAID_TYPE_SLOTS_H
#define BRAID_TYPE_SLOTS_H

#include "Python.h"

PyObject *wrap_unaryfunc(PyObject *self, PyObject *args, void *wrapped);
PyObject *wrap_binaryfunc(PyObject *self, PyObject *args, void *wrapped);
PyObject *wrap_binaryfunc_l(PyObject *self, PyObject *args, void *wrapped);
PyObject *wrap_binaryfunc_r(PyObject *self, PyObject *args, void *wrapped);
PyObject *wrap_ternaryfunc(PyObject *self, PyObject *args, void *wrapped);
PyObject *wrap_ternaryfunc_r(PyObject *self, PyObject *args, void *wrapped);
PyObject *wrap_inquirypred(PyObject *self, PyObject *args, void *wrapped);
PyObject *wrap_lenfunc(PyObject *self, PyObject *args, void *wrapped);
PyObject *wrap_indexargfunc(PyObject *self, PyObject *args, void *wrapped);
PyObject *wrap_sq_item(PyObject *self, PyObject *args, void *wrapped);
PyObject *wrap_sq_setitem(PyObject *self, PyObject *args, void *wrapped);
PyObject *wrap_sq_delitem(PyObject *self, PyObject *args, void *wrapped);
PyObject *wrap_objobjproc(PyObject *self, PyObject *args, void *wrapped);
PyObject *wrap_objobjargproc(PyObject *self, PyObject *args, void *wrapped);
PyObject *wrap_delitem(PyObject *self, PyObject *args, void *wrapped);
PyObject *wrap_hashfunc(PyObject *self, PyObject *args, void *wrapped);
PyObject *wrap_call(PyObject *self, PyObject *args, void *wrapped, PyObject *kwds);
PyObject *wrap_init(PyObject *self, PyObject *args, void *wrapped, PyObject *kwds);
PyObject *wrap_setattr(PyObject *self, PyObject *args, void *wrapped);
PyObject *wrap_delattr(PyObject *self, PyObject *args, void *wrapped);
PyObject *wrap_next(PyObject *self, PyObject *args, void *wrapped);
PyObject *wrap_descr_get(PyObject *self, PyObject *args, void *wrapped);
PyObject *wrap_descr_set(PyObject *self, PyObject *args, void *wrapped);
PyObject *wrap_descr_delete(PyObject *self, PyObject *args, void *wrapped);
PyObject *wrap_del(PyObject *self, PyObject *args, void *wrapped);
PyObject *richcmp_lt(PyObject *self, PyObject *args, void *wrapped);
PyObject *richcmp_le(PyObject *self, PyObject *args, void *wrapped);
PyObject *richcmp_eq(PyObject *self, PyObject *args, void *wrapped);
PyObject *richcmp_ne(PyObject *self, PyObject *args, void *wrapped);
PyObject *richcmp_gt(PyObject *self, PyObject *args, void *wrapped);
PyObject *richcmp_ge(PyObject *self, PyObject *args, void *wrapped);

/* type.__getattribute__. suppress: NULL without an exception if there is no such attribute. */
PyObject *type_get_attr(PyObject *self, PyObject *name, int suppress);

PyObject *slot_tp_repr(PyObject *self);
PyObject *slot_tp_str(PyObject *self);
Py_hash_t slot_tp_hash(PyObject *self);
PyObject *slot_tp_call(PyObject *self, PyObject *args, PyObject *kwds);
PyObject *slot_tp_richcompare(PyObject *self, PyObject *other, int op);
PyObject *slot_tp_iter(PyObject *self);
PyObject *slot_tp_iternext(PyObject *self);
PyObject *slot_tp_descr_get(PyObject *self, PyObject *obj, PyObject *type);
int slot_tp_descr_set(PyObject *self, PyObject *target, PyObject *value);
void slot_tp_finalize(PyObject *self);
PyObject *slot_am_await(PyObject *self);
PyObject *slot_am_aiter(PyObject *self);
PyObject *slot_am_anext(PyObject *self);
PyObject *slot_nb_divmod(PyObject *self, PyObject *other);
PyObject *slot_nb_power(PyObject *self, PyObject *other, PyObject *modulus);
PyObject *slot_nb_inplace_power(PyObject *self, PyObject *other, PyObject *modulus);
PyObject *slot_nb_negative(PyObject *self);
PyObject *slot_nb_positive(PyObject *self);
PyObject *slot_nb_absolute(PyObject *self);
PyObject *slot_nb_invert(PyObject *self);
PyObject *slot_nb_int(PyObject *self);
PyObject *slot_nb_float(PyObject *self);
PyObject *slot_nb_index(PyObject *self);
int slot_nb_bool(PyObject *self);
Py_ssize_t slot_mp_length(PyObject *self);
PyObject *slot_mp_subscript(PyObject *self, PyObject *key);
int slot_mp_ass_subscript(PyObject *self, PyObject *key, PyObject *value);
PyObject *slot_sq_item(PyObject *self, Py_ssize_t i);
int slot_sq_ass_item(PyObject *self, Py_ssize_t i, PyObject *value);
int slot_sq_contains(PyObject *self, PyObject *value);

/* The functions of binary and in-place operators: slot_nb_add, ... */
#define ROW(...)
#define ROWKW(...)
#define BIN(slot, name, rname, op) PyObject *slot_##slot(PyObject *self, PyObject *other);
#define INPLACE(slot, name, op) PyObject *slot_##slot(PyObject *self, PyObject *other);
#include "../../Objects/type_slots.def"
#undef ROW
#undef ROWKW
#undef BIN
#undef INPLACE

/* Address of the slot at an offset of PyHeapTypeObject, in any type; NULL if the type has no such table. */
void **type_slot_address(PyTypeObject *type, int offset);

#endif /* BRAID_TYPE_SLOTS_H */
