/* Types: look-up along the MRO, versions, hooks, and what the files of the object model share.
 *
 * Version.  tp_version is a 64-bit number, never reused; 0: none.  It is assigned under the types lock, together with a look-up
 * (rule 19), and set to 0, for the type and all its subclasses, under the same lock before anything that a look-up
 * could see changes: dict, MRO.  So while the version compares equal, what was looked up under it is still
 * there, and alive: a borrowed pointer from a cache may be given to object_try_incref (all values of a
 * type's dict are published).  A type whose MRO names types that do not know it as a subclass (a metaclass's mro()) never gets a version.
 * While __bases__ change, or a class's dict under a foreign key's __eq__, no type gets one.
 *
 * Types lock: one recursive lock for class changes.  Order: types lock > object locks > shape lock.  Code that a change
 * calls by its nature (a metaclass's mro(), __eq__ of a key that is no str) runs without it: it may wait for threads that
 * want it.
 *
 * Slots that others may know (tp_*, the tables) change under the types lock and in a pause: they are read plainly, and
 * tested before they are called.
 *
 * Heap types are DEFERRED and live on object pages; builtin static types are IMMORTAL. */
#ifndef BRAID_TYPE_H
#define BRAID_TYPE_H

#include "Python.h"
#include "shape.h"

struct type_private {
    uint64_t unique_id;             /* [const] names the type; never reused */
    PyObject **subclasses;          /* [types lock] weak references, counted */
    uint32_t subclass_count, subclass_capacity;
    uint8_t never_versioned;        /* [types lock] see above */
    shape_t *shapes;                /* [shape lock] all of them, also of retired trees */
    uint32_t shape_count;           /* [shape lock] */
    uint32_t max_slots;             /* [shape lock] most names any shape has */
    int32_t provisional_left;       /* [atomic] instances until the root is settled */
    struct PyMemberDef *members;    /* [const] of __slots__; owned */
    uint32_t member_count;
    uint32_t hidden_items;          /* [const] of struct sequences: items behind the visible ones */
    uint32_t visible_items, unnamed_items;      /* [const] of struct sequences, too */
    const void *token;              /* [const] PyType_Spec it was made from */
    char *name_utf8;                /* [const] tp_name of a heap type as its spec gave it; owned */
    PyObject **old_names;           /* [types lock] former names, a ring: others may be formatting tp_name still */
    uint32_t old_name_count, old_name_next;
};

/* ---- Look-up ---- */

static inline Py_ALWAYS_INLINE uint64_t type_version(PyTypeObject *type)
{
    return __atomic_load_n(&type->tp_version, __ATOMIC_ACQUIRE);    /* pairs with type_modified_locked */
}

/* Looks an exact str up along the MRO.
 * *result  a new reference, or NULL
 * version  may be NULL; *version is the version under which the answer holds, or 0 if it may not be cached
 * Returns  1 found; 0 absent; -1 exception (only from __eq__ of foreign keys, MemoryError)
 * Escapes  as said, else never; may wait for the types lock */
int type_lookup_ref(PyTypeObject *type, PyObject *name, PyObject **result, uint64_t *version);

/* The same without a reference: *result is good until the next safe point or escape, to be given to object_try_incref or
 * slot_try_incref.
 * Returns  1: *result is the answer (NULL: absent); 0: not in the cache, use type_lookup_ref */
int type_lookup_cached_racy(PyTypeObject *type, PyObject *name, PyObject **result, uint64_t *version);

/* The same under the types lock, and without running code: a key that is no exact str counts as another name.  1 or 0 */
int type_lookup_locked(PyTypeObject *type, PyObject *name, PyObject **result);
/* An entry of one class's dict in that way. */
int type_dict_get_locked(PyObject *dict, PyObject *name, PyObject **result);

/* The same look-ups behind the class `after` in type's MRO, as for super(). */
int type_lookup_after_ref(PyTypeObject *type, PyTypeObject *after, PyObject *name, PyObject **result);
int type_lookup_after_cached_racy(PyTypeObject *type, PyTypeObject *after, PyObject *name, PyObject **result);

/* op's special method: looked up on the type and bound. A new reference, or NULL (without exception: absent).
 * _PyObject_LookupSpecial is the same. */
PyObject *type_lookup_special(PyObject *op, PyObject *name);
/* Unbound if it is a plain function or method descriptor: *self_needed = 1, the caller passes op first. */
PyObject *type_lookup_special_unbound(PyObject *op, PyObject *name, int *self_needed);

/* ---- What kind of attribute access does a type have? ---- */

/* Its __getattribute__ / __setattr__ are not object's: no attribute of it may be cached. (A __getattr__ alone does not matter
 * for attributes that are found.) */
int type_has_custom_getattribute(PyTypeObject *type);
int type_has_custom_setattr(PyTypeObject *type);
/* A Python-level __getattr__ is asked for what is not found. */
int type_has_getattr_hook(PyTypeObject *type);
/* Instances of the type may have inline attributes. */
static inline int type_has_inline_attrs(PyTypeObject *type)
{
    return __atomic_load_n(&type->tp_root_shape, __ATOMIC_RELAXED) != 0;
}
static inline int descr_is_data(PyObject *descr) { return Py_TYPE(descr)->tp_descr_set != NULL; }
/* A descriptor of __slots__ or a T_OBJECT_EX member of C that a cache may read at *offset of any instance of type. 1 or 0. */
int descr_get_object_member(PyObject *descr, PyTypeObject *type, uint32_t *offset, int *read_only);
/* Getter of a property, to be given to slot_try_incref before the next safe point; NULL if descr is no plain property or has none. */
PyObject *property_getter_racy(PyObject *descr);

/* ---- Change ---- */

/* Tells fork about the locks of this component; called when object becomes ready. */
void types_init_locks(void);
/* In the child: a thread that is no more does not own the types lock. */
void types_after_fork(void);
void types_lock(void);
void types_unlock(void);
/* Lets the lock go for code that a change has to call, if only one section holds it.  Returns what types_lock_resume
 * wants. */
int types_lock_suspend(void);
void types_lock_resume(int suspended);
/* Between the two no type gets a version; under the types lock, which may be let go meanwhile.  They nest. */
void types_hold_versions_locked(void);
void types_release_versions_locked(void);
/* Zeroes the versions of type and its subclasses. */
void type_modified_locked(PyTypeObject *type);
/* type.name = value (NULL deletes) with everything that hangs on it: versions, slots, shapes.  0 or -1. */
int type_set_attr(PyTypeObject *type, PyObject *name, PyObject *value);
/* Makes every cached place of an instance attribute of type and its subclasses stale, in a pause. */
void type_retire_shapes_locked(PyTypeObject *type);
/* Recomputes the C slot(s) behind a special name for type and its subclasses. */
void type_update_slot_locked(PyTypeObject *type, PyObject *name);
/* All slots of a class that nobody knows yet; of one that is in use, with its subclasses. Under the types lock. */
void type_fixup_fresh_slots_locked(PyTypeObject *type);
void type_fixup_slots_of_tree_locked(PyTypeObject *type);
/* Is name the name of a slot? */
int type_name_is_slot(PyObject *name);

/* ---- Instances ---- */

/* cls(*args, **kwargs) */
PyObject *type_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames);
PyObject *type_call(PyObject *type, PyObject *args, PyObject *kwds);
/* type.__new__ */
PyObject *type_new(PyTypeObject *metatype, PyObject *args, PyObject *kwds);
/* For dir(): the names of a class and its bases into a dict. */
int type_merge_class_names(PyObject *names, PyObject *cls);
/* Instance of a class whose tp_alloc is PyType_GenericAlloc, zeroed, shape set, tracked. */
PyObject *type_alloc_instance(PyTypeObject *type, Py_ssize_t nitems);
void subtype_dealloc(PyObject *self);
int subtype_traverse(PyObject *self, visitproc visit, void *arg);
int subtype_clear(PyObject *self);
/* What the VM calls for `class` statements is builtins.__build_class__; this makes the class of one PEP 3115 call. */
PyTypeObject *type_calculate_metaclass(PyTypeObject *metatype, PyObject *bases);

/* ---- Between the files of the object model ---- */

struct type_private *type_private_new(void);
/* PyType_Ready for heap types whose slots have been filled in by type.__new__ or a spec. */
int type_ready(PyTypeObject *type);
int type_add_subclass(PyTypeObject *base, PyTypeObject *type);
void type_remove_subclass(PyTypeObject *base, PyTypeObject *type);
/* List of the living direct subclasses. */
PyObject *type_get_subclasses(PyTypeObject *type);
/* Linearises: a new tuple; calls the metaclass's mro() if it has one of its own, with the types lock let go.  Escapes */
PyObject *type_compute_mro(PyTypeObject *type, int *custom);
/* Computes and installs tp_mro, under the types lock.  0 or -1. */
int type_install_mro(PyTypeObject *type);
PyTypeObject *type_best_base(PyObject *bases);
int type_set_bases(PyTypeObject *type, PyObject *bases);
int type_mro_is_plain(PyTypeObject *type, PyObject *mro);
PyObject *type_mro_method(PyObject *self, PyObject *unused);
/* May an instance of one be an instance of the other?  0 with TypeError "<attr> assignment: ..." */
int type_layouts_compatible(PyTypeObject *old, PyTypeObject *replacement, const char *attr);
/* obj.__class__ = type */
int object_set_class(PyObject *self, PyObject *value);
/* Adds wrapper descriptors for the C slots of a static or spec type to its dict. */
int type_add_operators(PyTypeObject *type);
/* Adds T.__new__ for a C type's own tp_new. */
int type_add_new(PyTypeObject *type);
PyObject *type_get_mro_ref(PyTypeObject *type);
PyObject *type_get_bases_ref(PyTypeObject *type);
/* The class's __qualname__ / __module__ for reprs: new references. */
PyObject *type_get_module_name(PyTypeObject *type);
/* Layout-defining ancestor. */
PyTypeObject *type_solid_base(PyTypeObject *type);

/* Generic attribute access with a known name; suppress: AttributeError is not raised (NULL without exception). */
PyObject *object_generic_getattr(PyObject *op, PyObject *name, PyObject *dict, int suppress);
int object_generic_setattr(PyObject *op, PyObject *name, PyObject *value, PyObject *dict);
/* The AttributeError for a missing name, with name and obj set. Returns NULL. */
PyObject *object_attribute_error(PyObject *op, PyObject *name);

/* tp_getattro of a class with __getattr__: with object.__getattribute__, with one of its own. */
PyObject *slot_tp_getattr_generic(PyObject *self, PyObject *name);
PyObject *slot_tp_getattr_hook(PyObject *self, PyObject *name);
PyObject *slot_tp_getattro(PyObject *self, PyObject *name);
int slot_tp_setattro(PyObject *self, PyObject *name, PyObject *value);
int slot_tp_init(PyObject *self, PyObject *args, PyObject *kwds);
PyObject *slot_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwds);

/* A builtin by name, for __reduce__: new reference. */
PyObject *object_get_builtin(PyObject *name);
/* super(type, obj).name, where obj_type is the class whose MRO is followed; a new reference.  1; 0: absent; -1: exception */
/* For method calls on a super object: the plain function that op.name would bind, and what to, without references (good until the
 * next safe point; *self lives as long as op).  1, or 0: take the general way (also to fill the cache). */
int super_find_method_racy(PyObject *op, PyObject *name, PyObject **method, PyObject **self);
int super_lookup(PyTypeObject *type, PyObject *obj, PyTypeObject *obj_type, PyObject *name, PyObject **result);

/* object's own slots, recognised by address. */
int object_init(PyObject *self, PyObject *args, PyObject *kwds);
PyObject *object_new(PyTypeObject *type, PyObject *args, PyObject *kwds);
PyObject *object_richcompare(PyObject *self, PyObject *other, int op);
PyObject *object_repr(PyObject *self);
PyObject *object_reduce(PyObject *op, PyObject *unused);
PyObject *object_reduce_ex(PyObject *op, PyObject *protocol);
PyObject *object_getstate(PyObject *op, PyObject *unused);

#endif /* BRAID_TYPE_H */
