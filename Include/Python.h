/* The public C API of Braid. CPython 3.11's names and semantics, with the threading interface of 3.13. */
#ifndef Py_PYTHON_H
#define Py_PYTHON_H

#include "patchlevel.h"
#include "pyconfig.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "pyport.h"

#ifdef __cplusplus
extern "C" {
#endif

#include "pymem.h"
#include "object.h"
#include "objimpl.h"
#include "pymutex.h"
#include "critical_section.h"
#include "pystate.h"
#include "pythread.h"
#include "pyerrors.h"

#include "longobject.h"
#include "boolobject.h"
#include "floatobject.h"
#include "complexobject.h"
#include "pystrtod.h"
#include "pymath.h"
#include "pyctype.h"
#include "unicodeobject.h"
#include "codecs.h"
#include "bytesobject.h"
#include "bytearrayobject.h"
#include "memoryobject.h"
#include "listobject.h"
#include "tupleobject.h"
#include "dictobject.h"
#include "setobject.h"
#include "sliceobject.h"
#include "rangeobject.h"
#include "iterobject.h"
#include "enumobject.h"
#include "methodobject.h"
#include "moduleobject.h"
#include "descrobject.h"
#include "structmember.h"
#include "structseq.h"
#include "weakrefobject.h"
#include "pycapsule.h"
#include "genericaliasobject.h"
#include "namespaceobject.h"
#if __has_include("contextobject.h")
#include "contextobject.h"
#endif
#include "code.h"
#include "funcobject.h"
#include "classobject.h"
#include "cellobject.h"
#include "genobject.h"
#include "frameobject.h"
#include "traceback.h"
#include "warnings.h"
#include "abstract.h"
#include "modsupport.h"
#include "pyhash.h"
#include "ceval.h"
#include "compile.h"
#include "pythonrun.h"
#include "pylifecycle.h"
#include "sysmodule.h"
#include "import.h"
#include "marshal.h"
#include "osmodule.h"
#include "fileobject.h"
#include "osreadline.h"
#include "picklebufobject.h"
#include "tracemalloc.h"

#ifdef __cplusplus
}
#endif

#endif /* Py_PYTHON_H */
