/* What the files of _testcapi share.
 *
 * Each area is a file with a function testcapi_add_NAME(module) that adds its functions, types and constants to the
 * module; areas.def lists them. The functions stand on the public C API alone: they are here to exercise it. */
#ifndef BRAID_TESTCAPI_H
#define BRAID_TESTCAPI_H

#define PY_SSIZE_T_CLEAN
#include "module.h"

/* 0, or -1 with an exception set. */
#define AREA(name) int testcapi_add_##name(PyObject *module);
#include "areas.def"
#undef AREA

#endif /* BRAID_TESTCAPI_H */
