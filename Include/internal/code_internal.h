/* Between the files of the code type. */
#ifndef BRAID_CODE_INTERNAL_H
#define BRAID_CODE_INTERNAL_H

#include "code_object.h"

void code_dealloc(PyObject *op);
int code_traverse(PyObject *op, visitproc visit, void *arg);

#endif /* BRAID_CODE_INTERNAL_H */
