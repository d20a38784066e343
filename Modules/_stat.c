/* The _stat module: file modes taken apart. */
#include "module.h"
#include <sys/stat.h>

static int mode_get(PyObject *arg, mode_t *mode)
{
    unsigned long value = PyLong_AsUnsignedLong(arg);
    if (value == (unsigned long)-1 && PyErr_Occurred())
        return -1;
    *mode = (mode_t)value;
    if (*mode != value) {
        PyErr_SetString(PyExc_OverflowError, "mode out of range");
        return -1;
    }
    return 0;
}

#define TEST(NAME, EXPRESSION) \
    static PyObject *stat_##NAME(PyObject *module, PyObject *arg) \
    { \
        mode_t mode; \
        return mode_get(arg, &mode) < 0 ? NULL : PyBool_FromLong(EXPRESSION); \
    }
TEST(S_ISDIR, S_ISDIR(mode))
TEST(S_ISCHR, S_ISCHR(mode))
TEST(S_ISBLK, S_ISBLK(mode))
TEST(S_ISREG, S_ISREG(mode))
TEST(S_ISFIFO, S_ISFIFO(mode))
TEST(S_ISLNK, S_ISLNK(mode))
TEST(S_ISSOCK, S_ISSOCK(mode))
TEST(S_ISDOOR, ((void)mode, 0))
TEST(S_ISPORT, ((void)mode, 0))
TEST(S_ISWHT, ((void)mode, 0))

static PyObject *stat_S_IMODE(PyObject *module, PyObject *arg)
{
    mode_t mode;
    return mode_get(arg, &mode) < 0 ? NULL : PyLong_FromUnsignedLong(mode & 07777);
}

static PyObject *stat_S_IFMT(PyObject *module, PyObject *arg)
{
    mode_t mode;
    return mode_get(arg, &mode) < 0 ? NULL : PyLong_FromUnsignedLong(mode & S_IFMT);
}

static char type_letter(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG: return '-';
    case S_IFDIR: return 'd';
    case S_IFLNK: return 'l';
    case S_IFBLK: return 'b';
    case S_IFCHR: return 'c';
    case S_IFIFO: return 'p';
    case S_IFSOCK: return 's';
    default: return '?';
    }
}

static PyObject *stat_filemode(PyObject *module, PyObject *arg)
{
    mode_t mode;
    if (mode_get(arg, &mode) < 0)
        return NULL;
    char text[10];
    text[0] = type_letter(mode);
    for (int i = 0; i < 9; i++)
        text[1 + i] = mode & (0400 >> i) ? "rwx"[i % 3] : '-';
    static const struct { mode_t bit; int place; const char *letters; } special[] = {
        {S_ISUID, 3, "sS"}, {S_ISGID, 6, "sS"}, {S_ISVTX, 9, "tT"},
    };
    for (int i = 0; i < 3; i++)
        if (mode & special[i].bit)
            text[special[i].place] = special[i].letters[text[special[i].place] == '-'];
    return PyUnicode_FromStringAndSize(text, 10);
}

#define METHOD(name, doc) {#name, stat_##name, METH_O, doc}
static PyMethodDef stat_methods[] = {
    METHOD(S_ISDIR, "Is the mode that of a directory?"),
    METHOD(S_ISCHR, "Is the mode that of a character device?"),
    METHOD(S_ISBLK, "Is the mode that of a block device?"),
    METHOD(S_ISREG, "Is the mode that of a regular file?"),
    METHOD(S_ISFIFO, "Is the mode that of a named pipe?"),
    METHOD(S_ISLNK, "Is the mode that of a symbolic link?"),
    METHOD(S_ISSOCK, "Is the mode that of a socket?"),
    METHOD(S_ISDOOR, "Is the mode that of a door?"),
    METHOD(S_ISPORT, "Is the mode that of an event port?"),
    METHOD(S_ISWHT, "Is the mode that of a whiteout?"),
    METHOD(S_IMODE, "The bits of a mode that chmod() can set."),
    METHOD(S_IFMT, "The bits of a mode that give the file's type."),
    METHOD(filemode, "A mode in the form of ls -l."),
    {NULL},
};

static const struct { const char *name; long value; } stat_constants[] = {
#define INT(name) {#name, name},
    INT(S_IFDIR) INT(S_IFCHR) INT(S_IFBLK) INT(S_IFREG) INT(S_IFIFO) INT(S_IFLNK) INT(S_IFSOCK)
    {"S_IFDOOR", 0}, {"S_IFPORT", 0}, {"S_IFWHT", 0},
    INT(S_ISUID) INT(S_ISGID) INT(S_ISVTX) {"S_ENFMT", S_ISGID}, INT(S_IREAD) INT(S_IWRITE) INT(S_IEXEC)
    INT(S_IRWXU) INT(S_IRUSR) INT(S_IWUSR) INT(S_IXUSR) INT(S_IRWXG) INT(S_IRGRP) INT(S_IWGRP) INT(S_IXGRP)
    INT(S_IRWXO) INT(S_IROTH) INT(S_IWOTH) INT(S_IXOTH)
#undef INT
    {"UF_NODUMP", 1}, {"UF_IMMUTABLE", 2}, {"UF_APPEND", 4}, {"UF_OPAQUE", 8}, {"UF_NOUNLINK", 0x10},
    {"UF_COMPRESSED", 0x20}, {"UF_HIDDEN", 0x8000}, {"SF_ARCHIVED", 0x10000}, {"SF_IMMUTABLE", 0x20000},
    {"SF_APPEND", 0x40000}, {"SF_NOUNLINK", 0x100000}, {"SF_SNAPSHOT", 0x200000},
    {"ST_MODE", 0}, {"ST_INO", 1}, {"ST_DEV", 2}, {"ST_NLINK", 3}, {"ST_UID", 4}, {"ST_GID", 5}, {"ST_SIZE", 6},
    {"ST_ATIME", 7}, {"ST_MTIME", 8}, {"ST_CTIME", 9},
};

static int stat_exec(PyObject *module)
{
    for (size_t i = 0; i < Py_ARRAY_LENGTH(stat_constants); i++)
        if (PyModule_AddIntConstant(module, stat_constants[i].name, stat_constants[i].value) < 0)
            return -1;
    return 0;
}

static PyModuleDef_Slot stat_slots[] = {
    {Py_mod_exec, (void *)stat_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef stat_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_stat",
    .m_doc = "Constants and tests for the st_mode of files.",
    .m_methods = stat_methods,
    .m_slots = stat_slots,
};

PyMODINIT_FUNC PyInit__stat(void)
{
    return PyModuleDef_Init(&stat_module);
}
