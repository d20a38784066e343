/* The import statement: names made absolute, modules found in sys.modules or loaded through importlib. */
#include "importer.h"
#include "interpreter_imports.h"
#include "well_known_strings.h"

#include <time.h>

int import_is_default(PyObject *import) { return import == runtime_interp.import_func; }

/* ---- Tracebacks without the frames of importlib ---- */

static int is_importlib_frame(PyTracebackObject *tb, int *removes_chunk)
{
    PyCodeObject *code = PyFrame_GetCode(tb->tb_frame);
    PyObject *file = PyObject_GetAttrString((PyObject *)code, "co_filename");
    PyObject *name = PyObject_GetAttrString((PyObject *)code, "co_name");
    int result = 0;
    if (file != NULL && name != NULL) {
        result = PyUnicode_EqualToUTF8(file, "<frozen importlib._bootstrap>")
                 || PyUnicode_EqualToUTF8(file, "<frozen importlib._bootstrap_external>");
        *removes_chunk = PyUnicode_EqualToUTF8(name, "_call_with_frames_removed");
    }
    else
        PyErr_Clear();
    Py_XDECREF(file);
    Py_XDECREF(name);
    Py_DECREF((PyObject *)code);
    return result;
}

/* Chunks of importlib frames are cut out: all of them from ImportErrors, else those that end in _call_with_frames_removed, that
 * is, where the code of the module itself failed. */
void import_trim_traceback(void)
{
    PyObject *exc = PyErr_GetRaisedException();
    if (exc == NULL || runtime_interp.config.verbose > 0) {
        PyErr_SetRaisedException(exc);
        return;
    }
    int always = PyErr_GivenExceptionMatches((PyObject *)Py_TYPE(exc), PyExc_ImportError), in_chunk = 0, removes = 0;
    PyObject *base = PyException_GetTraceback(exc), *tb = Py_XNewRef(base);
    PyObject *kept = NULL, *before = NULL;      /* the last entry that stays, and the one before the chunk; NULL: none */
    while (tb != NULL) {
        PyObject *next = _PyTraceback_GetNext(tb);
        int ours = is_importlib_frame((PyTracebackObject *)tb, &removes);
        if (ours && !in_chunk)
            Py_XSETREF(before, Py_XNewRef(kept));
        in_chunk = ours;
        if (ours && (always || removes)) {
            if (before == NULL)
                Py_XSETREF(base, Py_XNewRef(next));
            else
                (void)_PyTraceback_SetNext(before, next);   /* a loop: somebody else is at work on this chain */
            Py_XSETREF(kept, Py_XNewRef(before));
        }
        else
            Py_XSETREF(kept, Py_NewRef(tb));
        Py_DECREF(tb);
        tb = next;
    }
    Py_XDECREF(kept);
    Py_XDECREF(before);
    PyException_SetTraceback(exc, base != NULL ? base : Py_None);
    Py_XDECREF(base);
    PyErr_SetRaisedException(exc);
}

/* ---- Names ---- */

static PyObject *get_global(PyObject *globals, PyObject *name)
{
    PyObject *value = NULL;
    PyDict_GetItemRef(globals, name, &value);
    return value == Py_None ? (Py_DECREF(value), NULL) : value;
}

/* The package that globals belong to, by __name__ and __path__. New reference. */
static PyObject *package_by_name(PyObject *globals)
{
    if (PyErr_WarnEx(PyExc_ImportWarning,
                     "can't resolve package from __spec__ or __package__, falling back on __name__ and __path__", 1) < 0)
        return NULL;
    PyObject *name = NULL;
    if (PyDict_GetItemRef(globals, STR(__name__), &name) <= 0) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_KeyError, "'__name__' not in globals");
        return NULL;
    }
    if (!PyUnicode_Check(name)) {
        PyErr_SetString(PyExc_TypeError, "__name__ must be a string");
        Py_DECREF(name);
        return NULL;
    }
    int has_path = PyDict_Contains(globals, STR(__path__));
    if (has_path == 0) {
        Py_ssize_t dot = PyUnicode_FindChar(name, '.', 0, PyUnicode_GET_LENGTH(name), -1);
        Py_SETREF(name, dot == -2 ? NULL : PyUnicode_Substring(name, 0, dot < 0 ? 0 : dot));
    }
    else if (has_path < 0)
        Py_CLEAR(name);
    return name;
}

static PyObject *find_package(PyObject *globals)
{
    PyObject *package = get_global(globals, STR(__package__)), *parent = NULL;
    if (package == NULL && PyErr_Occurred())
        return NULL;
    PyObject *spec = get_global(globals, STR(__spec__));
    if (spec == NULL && PyErr_Occurred())
        goto fail;
    if (package != NULL) {
        if (!PyUnicode_Check(package)) {
            PyErr_SetString(PyExc_TypeError, "package must be a string");
            goto fail;
        }
        if (spec != NULL) {
            parent = PyObject_GetAttr(spec, STR(parent));
            if (parent == NULL)
                goto fail;
            int equal = PyObject_RichCompareBool(package, parent, Py_EQ);
            if (equal < 0 || (equal == 0 && PyErr_WarnEx(PyExc_ImportWarning, "__package__ != __spec__.parent", 1) < 0))
                goto fail;
        }
    }
    else if (spec != NULL) {
        package = PyObject_GetAttr(spec, STR(parent));
        if (package != NULL && !PyUnicode_Check(package)) {
            PyErr_SetString(PyExc_TypeError, "__spec__.parent must be a string");
            goto fail;
        }
    }
    else
        package = package_by_name(globals);
    Py_XDECREF(spec);
    Py_XDECREF(parent);
    return package;
fail:
    Py_XDECREF(spec);
    Py_XDECREF(parent);
    Py_XDECREF(package);
    return NULL;
}

static PyObject *resolve_name(PyObject *name, PyObject *globals, int level)
{
    if (globals == NULL) {
        PyErr_SetString(PyExc_KeyError, "'__name__' not in globals");
        return NULL;
    }
    if (!PyDict_Check(globals)) {
        PyErr_SetString(PyExc_TypeError, "globals must be a dict");
        return NULL;
    }
    PyObject *package = find_package(globals), *base = NULL, *result = NULL;
    if (package == NULL)
        return NULL;
    Py_ssize_t end = PyUnicode_GET_LENGTH(package);
    if (end == 0) {
        PyErr_SetString(PyExc_ImportError, "attempted relative import with no known parent package");
        goto done;
    }
    for (int up = 1; up < level; up++) {
        end = PyUnicode_FindChar(package, '.', 0, end, -1);
        if (end == -2)
            goto done;
        if (end == -1) {
            PyErr_SetString(PyExc_ImportError, "attempted relative import beyond top-level package");
            goto done;
        }
    }
    base = PyUnicode_Substring(package, 0, end);
    if (base == NULL || PyUnicode_GET_LENGTH(name) == 0)
        result = Py_XNewRef(base);
    else
        result = PyUnicode_FromFormat("%U.%U", base, name);
done:
    Py_XDECREF(base);
    Py_DECREF(package);
    return result;
}

/* ---- Finding and loading ---- */

/* -X importtime: each thread has levels of its own. */
static BRAID_TLS struct {
    int level;
    int64_t accumulated;        /* microseconds spent in imports that have ended at this level */
} timing;

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static PyObject *find_and_load(PyObject *name)
{
    if (runtime_interp.importlib == NULL) {
        PyErr_Format(PyExc_ImportError, "no module named %R: importlib is not there yet", name);
        return NULL;
    }
    PyObject *sys_path = NULL, *meta_path = NULL, *path_hooks = NULL;
    if (PySys_GetOptionalAttrString("path", &sys_path) < 0 || PySys_GetOptionalAttrString("meta_path", &meta_path) < 0
        || PySys_GetOptionalAttrString("path_hooks", &path_hooks) < 0)
        PyErr_Clear();
    int audited = PySys_Audit("import", "OOOOO", name, Py_None, sys_path != NULL ? sys_path : Py_None,
                              meta_path != NULL ? meta_path : Py_None, path_hooks != NULL ? path_hooks : Py_None);
    Py_XDECREF(sys_path);
    Py_XDECREF(meta_path);
    Py_XDECREF(path_hooks);
    if (audited < 0)
        return NULL;
    PyObject *args[] = {runtime_interp.importlib, name, runtime_interp.import_func};
    if (!runtime_interp.config.import_time)
        return PyObject_VectorcallMethod(STR(_find_and_load), args, 3, NULL);
    static int header_shown;        /* [atomic] */
    if (!__atomic_exchange_n(&header_shown, 1, __ATOMIC_RELAXED))
        fputs("import time: self [us] | cumulative | imported package\n", stderr);
    int64_t outer = timing.accumulated, started = now_us();
    timing.accumulated = 0;
    timing.level++;
    PyObject *module = PyObject_VectorcallMethod(STR(_find_and_load), args, 3, NULL);
    int64_t total = now_us() - started;
    timing.level--;
    const char *text = PyUnicode_AsUTF8(name);
    fprintf(stderr, "import time: %9ld | %10ld | %*s%s\n", (long)(total - timing.accumulated), (long)total, timing.level * 2, "",
            text != NULL ? text : "?");
    timing.accumulated = outer + total;
    return module;
}

/* Another thread may be executing the module: waits for it. */
static int ensure_initialized(PyObject *module, PyObject *name)
{
    PyObject *spec = NULL;
    if (PyObject_GetOptionalAttr(module, STR(__spec__), &spec) < 0)
        return -1;
    int busy = spec != NULL && _PyModuleSpec_IsInitializing(spec);
    Py_XDECREF(spec);
    if (!busy || runtime_interp.importlib == NULL)
        return 0;
    PyObject *value = PyObject_CallMethod(runtime_interp.importlib, "_lock_unlock_module", "O", name);
    Py_XDECREF(value);
    return value == NULL ? -1 : 0;
}

/* What `import a.b.c` binds: a, or for a relative name the module that its first part stands for. */
static PyObject *first_part(PyObject *module, PyObject *name, PyObject *abs_name, int level)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(name);
    if (level != 0 && length == 0)
        return Py_NewRef(module);
    Py_ssize_t dot = PyUnicode_FindChar(name, '.', 0, length, 1);
    if (dot == -2)
        return NULL;
    if (dot == -1)
        return Py_NewRef(module);
    PyObject *front, *result = NULL;
    if (level == 0) {
        front = PyUnicode_Substring(name, 0, dot);
        if (front != NULL)
            result = PyImport_ImportModuleLevelObject(front, NULL, NULL, NULL, 0);
    }
    else {
        front = PyUnicode_Substring(abs_name, 0, PyUnicode_GET_LENGTH(abs_name) - (length - dot));
        if (front != NULL && (result = PyImport_GetModule(front)) == NULL && !PyErr_Occurred())
            PyErr_Format(PyExc_KeyError, "%R not in sys.modules as expected", front);
    }
    Py_XDECREF(front);
    return result;
}

static PyObject *absolute_name(PyObject *name, PyObject *globals, int level)
{
    if (name == NULL) {
        PyErr_SetString(PyExc_ValueError, "Empty module name");
        return NULL;
    }
    if (!PyUnicode_Check(name)) {
        PyErr_SetString(PyExc_TypeError, "module name must be a string");
        return NULL;
    }
    if (level < 0) {
        PyErr_SetString(PyExc_ValueError, "level must be >= 0");
        return NULL;
    }
    if (level > 0)
        return resolve_name(name, globals, level);
    if (PyUnicode_GET_LENGTH(name) == 0) {
        PyErr_SetString(PyExc_ValueError, "Empty module name");
        return NULL;
    }
    return Py_NewRef(name);
}

PyObject *PyImport_ImportModuleLevelObject(PyObject *name, PyObject *globals, PyObject *locals, PyObject *fromlist, int level)
{
    (void)locals;
    PyObject *result = NULL, *module = NULL;
    PyObject *abs_name = absolute_name(name, globals, level);
    if (abs_name == NULL)
        goto done;
    module = PyImport_GetModule(abs_name);
    if (module == NULL && PyErr_Occurred())
        goto done;
    if (module != NULL && module != Py_None) {
        if (ensure_initialized(module, abs_name) < 0)
            goto done;
    }
    else {
        Py_XDECREF(module);
        module = find_and_load(abs_name);
        if (module == NULL)
            goto done;
    }
    int has_from = 0;
    if (fromlist != NULL && fromlist != Py_None && (has_from = PyObject_IsTrue(fromlist)) < 0)
        goto done;
    if (!has_from) {
        result = first_part(module, name, abs_name, level);
        goto done;
    }
    PyObject *path = NULL;
    if (PyObject_GetOptionalAttr(module, STR(__path__), &path) < 0)
        goto done;
    if (path != NULL) {
        Py_DECREF(path);
        PyObject *args[] = {runtime_interp.importlib, module, fromlist, runtime_interp.import_func};
        result = PyObject_VectorcallMethod(STR(_handle_fromlist), args, 4, NULL);
    }
    else
        result = Py_NewRef(module);
done:
    Py_XDECREF(abs_name);
    Py_XDECREF(module);
    if (result == NULL)
        import_trim_traceback();
    return result;
}
