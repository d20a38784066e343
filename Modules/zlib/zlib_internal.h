/* What the files of the zlib module share. */
#ifndef BRAID_ZLIB_INTERNAL_H
#define BRAID_ZLIB_INTERNAL_H

#include "../compression_buffers.h"

#include <zlib.h>

enum { DEF_BUF_SIZE = 16 * 1024 };
#define DEF_MEM_LEVEL 8
#define DEFLATED Z_DEFLATED

extern PyObject *zlib_error;    /* made by the first import */
extern PyTypeObject compress_type, decompress_type;

/* Raises zlib.error for a result of the library; NULL. */
PyObject *zlib_fail(const z_stream *stream, int result, const char *what);
/* Allocators that use the raw heap: streams work detached. */
void zlib_prepare(z_stream *stream);
/* Gives the library up to UINT_MAX bytes of the remaining input. */
static inline void zlib_feed(z_stream *stream, Py_ssize_t *remaining)
{
    stream->avail_in = *remaining > (Py_ssize_t)UINT_MAX ? UINT_MAX : (uInt)*remaining;
    *remaining -= stream->avail_in;
}
static inline uInt zlib_room(const output_t *out)
{
    return output_room(out) > (Py_ssize_t)UINT_MAX ? UINT_MAX : (uInt)output_room(out);
}

PyObject *zlib_compressobj(PyObject *module, PyObject *args, PyObject *kwargs);
PyObject *zlib_decompressobj(PyObject *module, PyObject *args, PyObject *kwargs);

#endif /* BRAID_ZLIB_INTERNAL_H */
