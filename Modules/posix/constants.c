/* The integer constants of posix, and the names that sysconf, pathconf and confstr know. */
#include "posix.h"
#include <dlfcn.h>
#include <linux/memfd.h>
#include <linux/memfd.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <sysexits.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif
#define XATTR_SIZE_MAX 65536
#define P_NOWAIT 1
#define P_NOWAITO 1
#define P_WAIT 0
#define POSIX_SPAWN_OPEN 0
#define POSIX_SPAWN_CLOSE 1
#define POSIX_SPAWN_DUP2 2

struct named {
    const char *name;
    long long value;
};

static const struct named constants[] = {
#define CONSTANT(name) {#name, name},
#include "constants.def"
#undef CONSTANT
};

#define NAME(name) {#name, _##name},
static const struct named sysconf_names[] = {
#include "sysconf_names.def"
};
static const struct named pathconf_names[] = {
#include "pathconf_names.def"
};
static const struct named confstr_names[] = {
#include "confstr_names.def"
};
#undef NAME

static int add_names(PyObject *module, const char *attribute, const struct named *names, size_t n)
{
    PyObject *dict = PyDict_New();
    for (size_t i = 0; dict != NULL && i < n; i++) {
        PyObject *value = PyLong_FromLongLong(names[i].value);
        if (value == NULL || PyDict_SetItemString(dict, names[i].name, value) < 0)
            Py_CLEAR(dict);
        Py_XDECREF(value);
    }
    int rc = dict != NULL ? PyModule_AddObjectRef(module, attribute, dict) : -1;
    Py_XDECREF(dict);
    return rc;
}

int posix_add_constants(PyObject *module)
{
    for (size_t i = 0; i < Py_ARRAY_LENGTH(constants); i++)
        if (PyModule_AddIntConstant(module, constants[i].name, (long)constants[i].value) < 0)
            return -1;
    return add_names(module, "sysconf_names", sysconf_names, Py_ARRAY_LENGTH(sysconf_names)) < 0
                   || add_names(module, "pathconf_names", pathconf_names, Py_ARRAY_LENGTH(pathconf_names)) < 0
                   || add_names(module, "confstr_names", confstr_names, Py_ARRAY_LENGTH(confstr_names)) < 0
               ? -1
               : 0;
}
