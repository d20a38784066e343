/* What the files of the _testbuffer module share. */
#ifndef BRAID_TESTBUFFER_H
#define BRAID_TESTBUFFER_H

#include "Python.h"

enum {
    ND_MAX_NDIM = 128,
    /* What a caller may ask for. */
    ND_VAREXPORT = 0x01,        /* buffers may be pushed while others are exported */
    ND_WRITABLE = 0x02,
    ND_FORTRAN = 0x04,          /* lay the items out in Fortran order; as a fact: they are laid out that way */
    ND_SCALAR = 0x08,
    ND_PIL = 0x10,              /* a table of pointers to the rows, reached by suboffsets */
    ND_REDIRECT = 0x20,         /* requests go on to the exporter below */
    ND_GETBUF_FAIL = 0x40,
    ND_GETBUF_UNDEFINED = 0x80, /* a failing request leaves an object in the view that is not the consumer's */
    /* Facts that are only reported. */
    ND_C = 0x100,
    ND_OWN_ARRAYS = 0x200,      /* shape and strides are this array's own and not those of the exporter below */
};

extern PyTypeObject testbuffer_ndarray_type, testbuffer_staticarray_type;

/* A flat view of how the items of a buffer are reached: what the exporter left out is filled in. */
typedef struct {
    int ndim;
    Py_ssize_t itemsize;
    Py_ssize_t shape[ND_MAX_NDIM], strides[ND_MAX_NDIM];
    const Py_ssize_t *suboffsets; /* borrowed from the view, or NULL */
} Layout;

/* Fills layout from a view. Returns 0, or -1 with ValueError for too many dimensions. */
int testbuffer_layout(Layout *layout, const Py_buffer *view);

/* The item at data: a value, or a tuple where the format has several. Calls the struct module. */
PyObject *testbuffer_unpack(const char *format, const void *data, Py_ssize_t itemsize);

/* The address of the sub-array at an index of dimension dim. */
char *testbuffer_step_into(const Layout *layout, int dim, char *base, Py_ssize_t index);
/* Copies between two places of one structure, the spare memory having room for a row. */
void testbuffer_copy_rows(const Layout *to, const Layout *from, int dim, char *target, char *source, char *spare);
/* The items in C order. */
PyObject *testbuffer_view_to_bytes(const Py_buffer *view);

/* A function of the struct module. */
PyObject *testbuffer_struct_function(const char *name);
/* The size of an item, and how many values it has; -1 with an exception. */
Py_ssize_t testbuffer_format_size(const char *format);
Py_ssize_t testbuffer_format_members(const char *format, Py_ssize_t itemsize);
/* Packs an item to where data points, with struct.pack and the number of values that are known, or without. */
int testbuffer_pack_item(PyObject *pack, const char *format, Py_ssize_t members, PyObject *item, char *data,
                         Py_ssize_t itemsize);
int testbuffer_pack_one(const char *format, PyObject *item, char *data, Py_ssize_t itemsize);

/* The name of a memory order: 'C', 'F' or 'A'; 0 with an exception for anything else. */
char testbuffer_order(PyObject *object);

/* The buffer of an ndarray as it stands, without asking for it: is it contiguous in that order? */
int testbuffer_ndarray_contiguous(PyObject *ndarray, char order);

#endif /* BRAID_TESTBUFFER_H */
