/* The error handlers that are always there (Python/runtime/codecs_errors.c). */
#ifndef BRAID_CODEC_HANDLERS_H
#define BRAID_CODEC_HANDLERS_H

/* Puts the functions strict, ignore, replace, ... into a dict by their names. */
int codec_handlers_add(PyObject *handlers);

#endif /* BRAID_CODEC_HANDLERS_H */
