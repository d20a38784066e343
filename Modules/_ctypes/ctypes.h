/* What the parts of the _ctypes module share: classes, data objects, the conversions between values and memory.
 *
 * Classes.  The metaclasses are static types whose instances are ctypes_class: a type object with one pointer more, the
 *     ctypes_info. It says how values of the class lie in memory. A class without one is abstract. An info is filled by
 *     one thread, published by ctypes_info_publish, and never changes after that but for the fields marked otherwise.
 *     A structure whose _fields_ come later, or a pointer whose target does, gets a new info then; the old one stays
 *     until the class goes, because another thread may look at it. Whoever holds the class may use its infos.
 *
 * Data.  A ctypes_data has memory of its own, or lies in that of its base, or at an address that the program gave. The
 *     bytes themselves are the program's: threads that read and write them together see what C would show them. What is
 *     ours holds without a lock: resize() only ever adds a block of memory to an object and keeps the earlier ones, so
 *     an address that was once in an object stays good as long as the object lives. Strings and objects whose addresses
 *     are stored are kept alive in step with that, under the lock of the outermost object. Where a pointer leads to is
 *     the program's business, as in C.
 *
 * Functions.  Type of result, types of arguments and so on may be changed by one thread while another calls: a call
 *     works with those that it found at its start. Foreign code runs detached, unless the function is one of the C API.
 *     Callbacks attach whatever thread they come from. */
#ifndef BRAID_CTYPES_H
#define BRAID_CTYPES_H

#define PY_SSIZE_T_CLEAN
#include "module.h"
#include "structmember.h"
#include <ffi.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <wchar.h>

/* ---- Values in memory ---- */

enum ctypes_code_kind {
    CODE_SIGNED, CODE_UNSIGNED, CODE_BOOL, CODE_FLOAT, CODE_DOUBLE, CODE_LONG_DOUBLE, CODE_CHAR, CODE_WCHAR,
    CODE_STRING, CODE_WSTRING, CODE_POINTER, CODE_OBJECT,
    CODE_VARIANT_BOOL,                  /* a short: 0 or -1 */
    CODE_CHARS, CODE_WCHARS,            /* arrays of characters as fields of structures */
};

/* One row of the table of simple types. */
typedef struct {
    char code;                          /* _type_ */
    uint8_t kind;                       /* enum ctypes_code_kind */
    uint8_t size, align;
    char format;                        /* in the format strings of the buffer protocol */
    ffi_type *ffi;
} ctypes_code;

/* How one value is read and written. */
typedef struct {
    const ctypes_code *code;            /* NULL: a data object of the class */
    bool swapped;                       /* bytes in the other order */
    uint8_t bit_count, bit_start;       /* of a bit field; bit_count 0: none */
    Py_ssize_t size;                    /* bytes; of interest to CODE_CHARS and CODE_WCHARS */
} ctypes_access;

/* codes.c: NULL without an exception if there is no such code. */
const ctypes_code *ctypes_code_find(char code);
extern const ctypes_code ctypes_code_chars, ctypes_code_wchars;
/* All codes of simple types, for messages. */
extern const char ctypes_all_codes[];
bool ctypes_code_is_integer(const ctypes_code *code);
/* Has the type a twin of the other byte order? */
bool ctypes_code_is_swappable(const ctypes_code *code);
/* The value at p, a new reference; NULL with an exception. */
PyObject *ctypes_code_get(const ctypes_access *access, const char *p);
/* Writes value to p. What has to live as long as the memory refers to it, a new reference (None if there is nothing);
 * NULL with an exception. */
PyObject *ctypes_code_set(const ctypes_access *access, char *p, PyObject *value);
/* n characters at p, which other threads may be changing: unlike PyUnicode_FromWideChar it goes over them once. */
PyObject *ctypes_text(const wchar_t *p, Py_ssize_t n);

/* ---- Classes ---- */

enum ctypes_kind { KIND_SIMPLE, KIND_POINTER, KIND_ARRAY, KIND_STRUCTURE, KIND_UNION, KIND_FUNCTION };

enum { FUNCFLAG_STDCALL = 0, FUNCFLAG_CDECL = 1, FUNCFLAG_HRESULT = 2, FUNCFLAG_PYTHONAPI = 4, FUNCFLAG_USE_ERRNO = 8,
       FUNCFLAG_USE_LASTERROR = 16 };

typedef struct {
    PyObject *name;                     /* counted, as the next one */
    PyTypeObject *type;
    Py_ssize_t offset;
} ctypes_member;

typedef struct ctypes_info {
    uint8_t kind;                       /* enum ctypes_kind */
    uint8_t final;                      /* [lock] of the class: see ctypes_info_finish */
    bool has_pointers;                  /* values cannot be pickled */
    bool has_odd_layout;                /* of composite types: there are unions, bit fields or packing in it */
    bool makes_data;                    /* the class has _CData as a base, without which there are no objects */
    bool own_fields;                    /* its _fields_ have been set: no others can be */
    bool direct;                        /* of simple types: made straight from _SimpleCData, stands for Python values */
    Py_ssize_t size, align;
    Py_ssize_t length;                  /* of arrays: items; of structures: fields, with those of the bases */
    ctypes_access access;               /* of simple types */
    PyTypeObject *item;                 /* of pointers and arrays, counted; NULL: a pointer to something yet unknown */
    PyObject *argtypes, *converters;    /* of functions: tuples or NULL */
    PyObject *restype, *checker;        /* of functions, or NULL */
    int flags;                          /* of functions */
    char *format;                       /* for the buffer protocol; owned */
    int ndim;
    Py_ssize_t *shape;                  /* owned; NULL if ndim is 0 */
    ctypes_member *members;             /* of structures and unions: owned; with those of the bases */
    ffi_type *ffi;                      /* how it is passed: arrays as pointers */
    ffi_type ffi_storage;               /* of composite types: how they are part of others */
    ffi_type **ffi_elements;            /* owned */
    struct ctypes_info *previous;       /* replaced by this one */
} ctypes_info;

typedef struct {
    PyHeapTypeObject heap;
    ctypes_info *info;                  /* [atomic] NULL: abstract */
    PyObject *arrays;                   /* [lock] dict: length -> weak reference to the array class; or NULL */
} ctypes_class;

extern PyTypeObject ctypes_simple_meta, ctypes_pointer_meta, ctypes_array_meta, ctypes_structure_meta,
    ctypes_union_meta, ctypes_function_meta;

/* class.c */

/* The info of a class; NULL without an exception if it has none. */
ctypes_info *ctypes_info_find(PyTypeObject *type);
static inline ctypes_info *ctypes_info_of_class(PyObject *op)
{
    return PyType_Check(op) ? ctypes_info_find((PyTypeObject *)op) : NULL;
}
/* Fresh and zeroed; NULL with an exception. */
ctypes_info *ctypes_info_new(enum ctypes_kind kind);
void ctypes_info_free(ctypes_info *info);
/* Makes it the info of the class if that still has the info `expected`, and no use has made that final. 1; 0: it is
 * still the caller's. */
int ctypes_info_publish(PyTypeObject *type, ctypes_info *expected, ctypes_info *info);
/* The info of a class of which an object, or a type with such a part, is to be made: from now on it stays as it is.
 * Pointers alone may still get another target. NULL without an exception if the class has none. */
ctypes_info *ctypes_info_finish(PyTypeObject *type);
/* A string on the heap: prefix and text put together. NULL with an exception. */
char *ctypes_format_join(const char *prefix, const char *text);
/* What metaclasses inherit. */
void ctypes_class_dealloc(PyObject *op);
int ctypes_class_traverse(PyObject *op, visitproc visit, void *arg);
int ctypes_class_clear(PyObject *op);
extern PyMethodDef ctypes_class_methods[];
#define CTYPES_CLASS_METHODS \
    {"from_param", ctypes_class_from_param, METH_O, "The value as an argument of a call that takes this type."}, \
    {"from_address", ctypes_class_from_address, METH_O, "An object whose memory is at that address."}, \
    {"from_buffer", ctypes_class_from_buffer, METH_VARARGS, "An object in the memory of a writable buffer."}, \
    {"from_buffer_copy", ctypes_class_from_buffer_copy, METH_VARARGS, "An object with a copy of bytes of a buffer."}, \
    {"in_dll", ctypes_class_in_dll, METH_VARARGS, "The variable of this name in a shared library."}
PyObject *ctypes_class_from_address(PyObject *type, PyObject *value);
PyObject *ctypes_class_from_buffer(PyObject *type, PyObject *args);
PyObject *ctypes_class_in_dll(PyObject *type, PyObject *args);
PyObject *ctypes_class_from_buffer_copy(PyObject *type, PyObject *args);
extern PySequenceMethods ctypes_class_as_sequence;
/* Sets an attribute of a class past its metaclass. */
int ctypes_class_set_attribute(PyTypeObject *type, PyObject *name, PyObject *value);
/* The attribute of obj, a new reference: 1; 0 if it has none; -1 with an exception. */
int ctypes_find_attribute(PyObject *obj, const char *name, PyObject **result);
/* value as an argument of this class, as from_param() says. */
PyObject *ctypes_class_from_param(PyObject *type, PyObject *value);

/* ---- Data ---- */

typedef struct ctypes_block {
    struct ctypes_block *next;
    size_t capacity;
    _Alignas(16) char bytes[];
} ctypes_block;

typedef struct {
    PyObject_HEAD
    char *address;              /* [atomic] */
    Py_ssize_t size;            /* [atomic] never more than there is at address; to be read before it */
    Py_ssize_t length;          /* [const] parts that may need something alive; 0: a single value */
    PyObject *base;             /* [const] the object in whose memory it lies, or NULL; counted */
    Py_ssize_t index;           /* [const] place in base */
    PyObject *memory;           /* [const] the view of the buffer in which it lies, or NULL; counted */
    PyObject *objects;          /* [lock] what must live, or NULL */
    PyObject *classes;          /* [lock] those that views show, or that it had before; see remember_class_borrowed */
    ctypes_block *blocks;       /* [lock] memory from the heap, the latest first */
    bool owns_memory;           /* [const] */
    _Alignas(16) char value[16];        /* memory of small objects */
} ctypes_data;

extern PyTypeObject ctypes_data_type, ctypes_simple_type, ctypes_pointer_type, ctypes_array_type, ctypes_structure_type,
    ctypes_union_type, ctypes_function_type, ctypes_signature_type;

static inline bool ctypes_is_data(PyObject *op) { return PyObject_TypeCheck(op, &ctypes_data_type); }
static inline ctypes_data *ctypes_as_data(PyObject *op) { return (ctypes_data *)op; }
static inline char *ctypes_address(PyObject *op)
{
    return __atomic_load_n(&((ctypes_data *)op)->address, __ATOMIC_ACQUIRE);     /* pairs with resize */
}
static inline Py_ssize_t ctypes_size(PyObject *op)
{
    return __atomic_load_n(&((ctypes_data *)op)->size, __ATOMIC_ACQUIRE);        /* pairs with resize */
}

/* data.c */

/* Zeroed memory of its own; tp_new of all data types. */
PyObject *ctypes_data_new(PyTypeObject *type, PyObject *args, PyObject *kwargs);
/* A view of memory in base, or (base NULL) a copy of what is at address. */
PyObject *ctypes_data_in(PyTypeObject *type, PyObject *base, Py_ssize_t index, char *address);
/* A view of memory that somebody else takes care of. */
PyObject *ctypes_data_at(PyTypeObject *type, char *address);
int ctypes_data_traverse(PyObject *op, visitproc visit, void *arg);
int ctypes_data_clear(PyObject *op);
void ctypes_data_dealloc(PyObject *op);
/* Keeps an object alive with the memory of op, for its part `index`. Steals keep. 0, or -1 with an exception. */
int ctypes_keep(PyObject *op, Py_ssize_t index, PyObject *keep);
/* What the outermost object keeps, a new reference: a dict, None or something else. NULL with an exception. */
PyObject *ctypes_kept(PyObject *op);
/* Puts the kept things of a cast object into another. */
int ctypes_share_kept(PyObject *to, PyObject *from);
/* The value of the class at address, in owner. */
PyObject *ctypes_get(PyTypeObject *type, const ctypes_access *access, PyObject *owner, Py_ssize_t index, char *address);
/* Stores value at address, in owner. 0, or -1 with an exception. */
int ctypes_set(PyTypeObject *type, const ctypes_access *access, PyObject *owner, PyObject *value, Py_ssize_t index,
               char *address);
/* Lets a pointer point to a data object. 0, or -1 with an exception. */
int ctypes_point_to(PyObject *op, PyObject *target);
/* resize(): 0, or -1 with an exception. */
int ctypes_data_resize(PyObject *op, Py_ssize_t size);
/* For functions' results: what stands for the object itself in Python. */
PyObject *ctypes_from_outparam(PyObject *op, PyObject *unused);

/* ---- Types of data ---- */

/* simple.c */
PyObject *ctypes_simple_from_param(PyTypeObject *type, const ctypes_info *info, PyObject *value);
/* pointer.c */
PyObject *ctypes_pointer_from_param(PyTypeObject *type, const ctypes_info *info, PyObject *value);
/* POINTER(item), pointer(op): new references. */
PyObject *ctypes_pointer_class(PyObject *item), *ctypes_pointer_to(PyObject *op);
extern PyObject *ctypes_pointer_cache;          /* dict; made by the first import */
/* array.c: the class of arrays of so many items, a new reference. */
PyObject *ctypes_array_class(PyObject *item, Py_ssize_t length);
/* Items start, start + step, ... of count values: bytes, str or list. */
PyObject *ctypes_items(PyObject *op, PyTypeObject *item, char *first, Py_ssize_t start, Py_ssize_t step,
                       Py_ssize_t count);

/* layout.c: the info for a structure or union whose base has this info (or NULL), with these _fields_. descriptors: an
 * empty dict, which gets the attributes of the class by name. NULL with an exception. */
ctypes_info *ctypes_layout(PyTypeObject *type, const ctypes_info *base, PyObject *fields, enum ctypes_kind kind,
                           PyObject *descriptors);
/* The info of a class without _fields_ of its own. */
ctypes_info *ctypes_layout_inherited(const ctypes_info *base, enum ctypes_kind kind);
/* ffi.c: says how a value of the class is passed. 0, or -1 with an exception. */
int ctypes_ffi_describe(ctypes_info *info);

/* field.c */
typedef struct {
    PyObject_HEAD
    PyTypeObject *owner;        /* [const] the structure or union; counted, as the next one */
    PyTypeObject *type;         /* [const] */
    Py_ssize_t offset, index;   /* [const] */
    ctypes_access access;       /* [const] for writing */
    ctypes_access read_access;  /* [const] the same, and of simple types that stand for Python values what they are */
    bool anonymous;             /* [const] its members are attributes of the structure, too */
} ctypes_field;
extern PyTypeObject ctypes_field_type;
PyObject *ctypes_field_new(PyTypeObject *owner, PyTypeObject *type, Py_ssize_t offset, Py_ssize_t index,
                           const ctypes_access *access);

/* ---- Calls ---- */

union ctypes_value {
    signed char b;
    short h;
    int i;
    long l;
    long long q;
    float f;
    double d;
    long double g;
    void *p;
    char bytes[sizeof(long double)];
};

/* One argument of a call. */
typedef struct {
    ffi_type *ffi;
    PyObject *keep;             /* counted, or NULL */
    void *address;              /* of the value; NULL: in value */
    union ctypes_value value;
} ctypes_argument;

/* argument.c: what byref() and from_param() make. */
typedef struct {
    PyObject_HEAD
    char tag;                   /* [const], as the rest */
    PyObject *object;           /* counted, or NULL */
    ctypes_argument argument;
} ctypes_parameter;
extern PyTypeObject ctypes_parameter_type;
PyObject *ctypes_parameter_new(char tag, ffi_type *ffi, PyObject *object);
/* A pointer to the memory of op, offset bytes on. */
PyObject *ctypes_byref(PyObject *op, Py_ssize_t offset);
/* A parameter by the rules of a code; NULL with an exception if the value does not fit. */
PyObject *ctypes_parameter_by_code(const ctypes_access *access, PyObject *value);
/* How a data object is passed. */
void ctypes_argument_from_data(ctypes_argument *argument, PyObject *op);

/* call.c */
enum { CTYPES_MAX_ARGUMENTS = 1024 };
typedef struct {
    void *function;
    int flags;
    PyObject *converters;       /* tuple or NULL */
    PyObject *restype, *checker;        /* or NULL */
} ctypes_target;
/* Calls with a tuple of arguments; the result, a new reference. */
PyObject *ctypes_call(const ctypes_target *target, PyObject *args);
/* Swaps the thread's errno and that of ctypes. */
void ctypes_swap_errno(void);
extern PyMethodDef ctypes_call_functions[];     /* get_errno and so on */

/* prototype.c: paramflags. */
/* 0 if they fit the class, or -1 with an exception. */
int ctypes_paramflags_check(PyTypeObject *type, PyObject *paramflags);
typedef struct {
    PyObject *args;             /* tuple for the call; counted */
    unsigned outs, inouts;      /* bits: arguments that are results */
    int result_count;
} ctypes_prepared;
int ctypes_prototype_prepare(ctypes_prepared *prepared, PyObject *argtypes, PyObject *paramflags, PyObject *args,
                             PyObject *kwargs);
/* What the call returns to Python: result (stolen), or the output arguments. */
PyObject *ctypes_prototype_result(const ctypes_prepared *prepared, PyObject *result);

/* callback.c: an object that holds C code which calls a Python function. */
PyObject *ctypes_callback_new(PyObject *callable, PyObject *argtypes, PyObject *restype, int flags);
void *ctypes_callback_code(PyObject *callback);
extern PyTypeObject ctypes_callback_type;

/* functions.c, module */
extern PyMethodDef ctypes_functions[];
extern PyObject *ctypes_argument_error;         /* ArgumentError; made by the first import */
int ctypes_functions_init(PyObject *module);
/* The address of a symbol, by the handle in library._handle. NULL with an exception. */
void *ctypes_find_symbol(PyObject *library, const char *name, PyObject *missing);

#endif /* BRAID_CTYPES_H */
