/* What the parts of the posix module share: paths as arguments, errors, and their method tables. */
#ifndef BRAID_POSIX_H
#define BRAID_POSIX_H

#include "module.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

/* A path given by Python: str, bytes or path-like, perhaps a descriptor, perhaps None. Made by POSIX_PATH, filled by
 * posix_path_convert (for "O&"), always cleared by posix_path_clear. */
struct posix_path {
    const char *function;           /* for messages, or NULL */
    const char *argument;
    unsigned char nullable, allow_fd;
    PyObject *object;               /* what was given (after __fspath__), or NULL; counted */
    PyObject *bytes;                /* keeps text alive, or NULL; counted */
    const char *text;               /* or NULL: None or a descriptor was given */
    int fd;                         /* or -1 */
    unsigned char given_bytes;      /* results are bytes then */
};
#define POSIX_PATH(function_, argument_, nullable_, allow_fd_) \
    {.function = (function_), .argument = (argument_), .nullable = (nullable_), .allow_fd = (allow_fd_), .fd = -1}

int posix_path_convert(PyObject *arg, void *path);
void posix_path_clear(struct posix_path *path);
/* Sets OSError for errno; NULL. */
PyObject *posix_path_error(struct posix_path *path);
PyObject *posix_path_error2(struct posix_path *path, struct posix_path *path2);
PyObject *posix_error(void);
/* Converters for "O&": a directory's descriptor or None; a descriptor or an object with fileno(); an id. */
int posix_dir_fd_convert(PyObject *arg, void *fd);
int posix_fd_convert(PyObject *arg, void *fd);
int posix_uid_convert(PyObject *arg, void *uid);
int posix_gid_convert(PyObject *arg, void *gid);
int posix_off_convert(PyObject *arg, void *off);
/* Text of the system as str or, for a caller that works with bytes, bytes. */
PyObject *posix_name_make(const char *text, Py_ssize_t size, int as_bytes);
/* After a call that returned an error: 1 if it was interrupted and is to be repeated, 0 if it failed, -1 if a handler
 * raised. */
int posix_interrupted(void);

PyObject *posix_stat_make(const struct stat *st);
int posix_stat_types(PyObject *module);
int posix_process_types(PyObject *module);
int posix_system_types(PyObject *module);
int posix_add_constants(PyObject *module);
extern PyTypeObject posix_direntry_type, posix_scandir_type;

extern PyMethodDef posix_stat_methods[], posix_directory_methods[], posix_file_methods[], posix_descriptor_methods[],
    posix_process_methods[], posix_exec_methods[], posix_system_methods[], posix_xattr_methods[];

#define KEYWORDS(name, function, doc) MODULE_METHOD(name, function, METH_VARARGS | METH_KEYWORDS, doc)

/* expression with other threads running. */
#define DETACHED(rc, expression) \
    do { \
        Py_BEGIN_ALLOW_THREADS \
        (rc) = (expression); \
        Py_END_ALLOW_THREADS \
    } while (0)

#endif /* BRAID_POSIX_H */
