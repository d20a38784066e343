/* What the files of the _lzma module share. */
#ifndef BRAID_LZMA_INTERNAL_H
#define BRAID_LZMA_INTERNAL_H

#include "../compression_buffers.h"

#include <lzma.h>

enum { FORMAT_AUTO, FORMAT_XZ, FORMAT_ALONE, FORMAT_RAW };
enum { CHECK_UNKNOWN = LZMA_CHECK_ID_MAX + 1, FIRST_SIZE = 32 * 1024 };

extern PyObject *lzma_exception;        /* LZMAError; made by the first import */
extern PyTypeObject compressor_type, decompressor_type;
/* Uses the raw heap: streams work detached. */
extern const lzma_allocator lzma_raw_allocator;

/* 0 if the result is none of the library's errors, or -1 with an exception. */
int lzma_check_result(lzma_ret result);

/* filters.c */

/* Fills filters from a sequence of specifications; release with lzma_free_filters, also after a failure. 0 or -1. */
int lzma_parse_filters(lzma_filter filters[LZMA_FILTERS_MAX + 1], PyObject *specifications);
void lzma_free_filters(lzma_filter *filters);
PyObject *lzma_encode_properties(PyObject *module, PyObject *specification);
PyObject *lzma_decode_properties(PyObject *module, PyObject *args);

#endif /* BRAID_LZMA_INTERNAL_H */
