/* What sys tells about the interpreter: versions, flags, limits. */
#include "config.h"
#include "importer.h"
#include "sys_internal.h"

#include <limits.h>

/* A struct sequence type of `count` fields filled from values (stolen). */
static PyObject *make_info(PyStructSequence_Desc *desc, PyObject **values, int count)
{
    PyTypeObject *type = _PyStructSequence_NewType(desc, Py_TPFLAGS_DISALLOW_INSTANTIATION);
    PyObject *info = type != NULL ? PyStructSequence_New(type) : NULL;
    for (int i = 0; i < count; i++) {
        if (info != NULL && values[i] == NULL)
            Py_CLEAR(info);
        if (info != NULL)
            PyStructSequence_SET_ITEM(info, i, values[i]);
        else
            Py_XDECREF(values[i]);
    }
    Py_XDECREF((PyObject *)type);
    return info;
}

/* ---- sys.flags ---- */

static PyStructSequence_Field flags_fields[] = {
    {"debug", "-d"}, {"inspect", "-i"}, {"interactive", "-i"}, {"optimize", "-O or -OO"}, {"dont_write_bytecode", "-B"},
    {"no_user_site", "-s"}, {"no_site", "-S"}, {"ignore_environment", "-E"}, {"verbose", "-v"}, {"bytes_warning", "-b"},
    {"quiet", "-q"}, {"hash_randomization", "PYTHONHASHSEED"}, {"isolated", "-I"}, {"dev_mode", "-X dev"},
    {"utf8_mode", "-X utf8"}, {"warn_default_encoding", "-X warn_default_encoding"}, {"safe_path", "-P"},
    {"int_max_str_digits", "-X int_max_str_digits"}, {"gil", "-X gil"}, {NULL, NULL},
};
static PyStructSequence_Desc flags_desc = {"sys.flags", "What the command line and the environment asked for.", flags_fields, 18};

static PyObject *make_flags(void)
{
    struct interpreter_config *c = &runtime_interp.config;
    int randomized = !(c->use_hash_seed && c->hash_seed == 0);
    PyObject *values[] = {
        PyLong_FromLong(Py_DebugFlag), PyLong_FromLong(c->inspect), PyLong_FromLong(c->interactive),
        PyLong_FromLong(c->optimization_level), PyLong_FromLong(!c->write_bytecode), PyLong_FromLong(!c->user_site),
        PyLong_FromLong(!c->site_import), PyLong_FromLong(!c->use_environment), PyLong_FromLong(c->verbose),
        PyLong_FromLong(c->bytes_warning), PyLong_FromLong(c->quiet), PyLong_FromLong(randomized), PyLong_FromLong(c->isolated),
        PyBool_FromLong(c->dev_mode), PyLong_FromLong(c->utf8_mode), PyLong_FromLong(c->warn_default_encoding),
        PyBool_FromLong(c->safe_path), PyLong_FromLong(c->int_max_str_digits),
        c->gil < 0 ? Py_NewRef(Py_None) : PyLong_FromLong(c->gil),
    };
    return make_info(&flags_desc, values, Py_ARRAY_LENGTH(values));
}

/* ---- Versions ---- */

static PyStructSequence_Field version_fields[] = {
    {"major", "major release number"}, {"minor", "minor release number"}, {"micro", "patch release number"},
    {"releaselevel", "'alpha', 'beta', 'candidate' or 'final'"}, {"serial", "serial release number"}, {NULL, NULL},
};
static PyStructSequence_Desc version_desc = {"sys.version_info", "The version of the language as a tuple.", version_fields, 5};

static PyObject *make_version_info(void)
{
    PyObject *values[] = {PyLong_FromLong(PY_MAJOR_VERSION), PyLong_FromLong(PY_MINOR_VERSION), PyLong_FromLong(PY_MICRO_VERSION),
                          PyUnicode_FromString("final"), PyLong_FromLong(PY_RELEASE_SERIAL)};
    return make_info(&version_desc, values, Py_ARRAY_LENGTH(values));
}

const char *Py_GetCompiler(void)
{
#if defined(__clang__)
    return "[Clang " __clang_version__ "]";
#else
    return "[GCC " __VERSION__ "]";
#endif
}

/* In the form that platform.python_build() takes apart: what, date, time. */
const char *Py_GetBuildInfo(void)
{
#ifdef Py_GIL_DISABLED
    return "braid " BRAID_VERSION " free-threading build, " __DATE__ ", " __TIME__;
#else
    return "braid " BRAID_VERSION ", " __DATE__ ", " __TIME__;
#endif
}

const char *Py_GetVersion(void)
{
    static char text[256];
    if (text[0] == 0) {
        char made[256];
        snprintf(made, sizeof(made), "%.80s (%.80s) %.80s", PY_VERSION, Py_GetBuildInfo(), Py_GetCompiler());
        memcpy(text, made, sizeof(text));       /* always the same */
    }
    return text;
}

const char *Py_GetPlatform(void) { return "linux"; }

const char *Py_GetCopyright(void)
{
    return "Copyright (c) the authors of Braid.\nAll Rights Reserved.";
}

static PyObject *make_implementation(PyObject *version_info)
{
    PyObject *keywords = Py_BuildValue("{s:s,s:s,s:O,s:i,s:s}", "name", "braid", "cache_tag", IMPORT_CACHE_TAG, "version",
                                       version_info, "hexversion", PY_VERSION_HEX, "_multiarch", "x86_64-linux-gnu");
    PyObject *result = keywords != NULL ? _PyNamespace_New(keywords) : NULL;
    Py_XDECREF(keywords);
    return result;
}

/* ---- Hashing ---- */

static PyStructSequence_Field hash_fields[] = {
    {"width", "bits of a hash"}, {"modulus", "prime of the hashes of numbers"}, {"inf", "hash of infinity"},
    {"nan", "not used any more"}, {"imag", "factor of the imaginary part"}, {"algorithm", "of str, bytes and memoryview"},
    {"hash_bits", "of the algorithm"}, {"seed_bits", "of its key"}, {"cutoff", "length up to which small strings are hashed otherwise"},
    {NULL, NULL},
};
static PyStructSequence_Desc hash_desc = {"sys.hash_info", "How hashes are made.", hash_fields, 9};

static PyObject *make_hash_info(void)
{
    PyHash_FuncDef *f = PyHash_GetFuncDef();
    PyObject *values[] = {
        PyLong_FromLong(64), PyLong_FromSize_t(_PyHASH_MODULUS), PyLong_FromLong(_PyHASH_INF), PyLong_FromLong(0),
        PyLong_FromLong(_PyHASH_IMAG), PyUnicode_FromString(f->name), PyLong_FromLong(f->hash_bits), PyLong_FromLong(f->seed_bits),
        PyLong_FromLong(Py_HASH_CUTOFF),
    };
    return make_info(&hash_desc, values, Py_ARRAY_LENGTH(values));
}

/* ---- Names of the library ---- */

static PyObject *make_stdlib_names(void)
{
    static const char *const names[] = {
#define NAME(name) #name,
#include "stdlib_names.def"
#undef NAME
    };
    PyObject *list = PyList_New(0), *set = NULL;
    for (size_t i = 0; list != NULL && i < Py_ARRAY_LENGTH(names); i++) {
        PyObject *name = PyUnicode_InternFromString(names[i]);
        if (name == NULL || PyList_Append(list, name) < 0)
            Py_CLEAR(list);
        Py_XDECREF(name);
    }
    if (list != NULL)
        set = PyFrozenSet_New(list);
    Py_XDECREF(list);
    return set;
}

int sys_add_info(PyObject *dict)
{
    PyObject *version_info = make_version_info();
    if (version_info == NULL)
        return -1;
    int status = 0;
#define SET(name, value) \
    do { \
        if (status == 0) \
            status = sys_set_steal(dict, (name), (value)); \
    } while (0)
    SET("version", PyUnicode_FromString(Py_GetVersion()));
    SET("hexversion", PyLong_FromLong(PY_VERSION_HEX));
    SET("api_version", PyLong_FromLong(PYTHON_API_VERSION));
    SET("copyright", PyUnicode_FromString(Py_GetCopyright()));
    SET("platform", PyUnicode_FromString(Py_GetPlatform()));
    SET("abiflags", PyUnicode_FromString(""));
    SET("_git", Py_BuildValue("(sss)", "braid", "", ""));
    SET("_framework", PyUnicode_FromString(""));
    SET("maxsize", PyLong_FromSsize_t(PY_SSIZE_T_MAX));
    SET("maxunicode", PyLong_FromLong(0x10FFFF));
    SET("byteorder", PyUnicode_FromString("little"));
    SET("float_repr_style", PyUnicode_FromString("short"));
    SET("float_info", PyFloat_GetInfo());
    SET("int_info", PyLong_GetInfo());
    SET("hash_info", make_hash_info());
    SET("thread_info", PyThread_GetInfo());
    SET("flags", make_flags());
    SET("implementation", make_implementation(version_info));
    SET("stdlib_module_names", make_stdlib_names());
    SET("builtin_module_names", import_builtin_names());
    SET("version_info", Py_NewRef(version_info));
#undef SET
    Py_DECREF(version_info);
    return status;
}
