/* The _bisect module: positions in sorted sequences by bisection. */
#define PY_SSIZE_T_CLEAN
#include "Python.h"

#define FUNCTION(f) ((PyCFunction)(void (*)(void))(f))

/* The position for x in list[lo:hi]: behind (right) or before the items equal to it. -1 with an exception. */
static Py_ssize_t bisect(PyObject *list, PyObject *x, Py_ssize_t lo, Py_ssize_t hi, PyObject *key, int right)
{
    if (lo < 0) {
        PyErr_SetString(PyExc_ValueError, "lo must be non-negative");
        return -1;
    }
    if (hi == -1) {
        hi = PySequence_Size(list);
        if (hi < 0)
            return -1;
    }
    int is_list = PyList_CheckExact(list);
    while (lo < hi) {
        Py_ssize_t mid = (Py_ssize_t)(((size_t)lo + (size_t)hi) / 2);
        PyObject *item = is_list ? PyList_GetItemRef(list, mid) : PySequence_GetItem(list, mid);
        if (item == NULL)
            return -1;
        if (key != Py_None) {
            PyObject *value = PyObject_CallOneArg(key, item);
            Py_DECREF(item);
            if (value == NULL)
                return -1;
            item = value;
        }
        int less = right ? PyObject_RichCompareBool(x, item, Py_LT) : PyObject_RichCompareBool(item, x, Py_LT);
        Py_DECREF(item);
        if (less < 0)
            return -1;
        if (less == right)
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo;
}

typedef struct { PyObject *list, *x, *key; Py_ssize_t lo, hi; } arguments_t;

static int parse(PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames, _PyArg_Parser *parser, arguments_t *a)
{
    PyObject *hi = Py_None;
    a->lo = 0;
    a->hi = -1;
    a->key = Py_None;
    if (!_PyArg_ParseStackAndKeywords(args, nargs, kwnames, parser, &a->list, &a->x, &a->lo, &hi, &a->key))
        return -1;
    if (hi != Py_None) {
        a->hi = PyNumber_AsSsize_t(hi, PyExc_OverflowError);
        if (a->hi == -1 && PyErr_Occurred())
            return -1;
    }
    return 0;
}

static PyObject *position(PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames, _PyArg_Parser *parser, int right)
{
    arguments_t a;
    if (parse(args, nargs, kwnames, parser, &a) < 0)
        return NULL;
    Py_ssize_t i = bisect(a.list, a.x, a.lo, a.hi, a.key, right);
    return i < 0 ? NULL : PyLong_FromSsize_t(i);
}

static PyObject *insert(PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames, _PyArg_Parser *parser, int right)
{
    arguments_t a;
    if (parse(args, nargs, kwnames, parser, &a) < 0)
        return NULL;
    PyObject *value = a.key == Py_None ? Py_NewRef(a.x) : PyObject_CallOneArg(a.key, a.x);
    if (value == NULL)
        return NULL;
    Py_ssize_t i = bisect(a.list, value, a.lo, a.hi, a.key, right);
    Py_DECREF(value);
    if (i < 0)
        return NULL;
    if (PyList_CheckExact(a.list)) {
        if (PyList_Insert(a.list, i, a.x) < 0)
            return NULL;
        Py_RETURN_NONE;
    }
    PyObject *result = PyObject_CallMethod(a.list, "insert", "nO", i, a.x);
    if (result == NULL)
        return NULL;
    Py_DECREF(result);
    Py_RETURN_NONE;
}

static const char *const parameters[] = {"a", "x", "lo", "hi", "key", NULL};

#define DEFINE(name, function, right) \
    static PyObject *name(PyObject *module, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) \
    { \
        static _PyArg_Parser parser = {.format = "OO|nO$O:" #name, .keywords = parameters}; \
        return function(args, nargs, kwnames, &parser, right); \
    }

DEFINE(bisect_right, position, 1)
DEFINE(bisect_left, position, 0)
DEFINE(insort_right, insert, 1)
DEFINE(insort_left, insert, 0)

#define SIGNATURE "($module, /, a, x, lo=0, hi=None, *, key=None)\n--\n\n"
#define RIGHT_DOC "The index behind the items of the sorted list a that are not greater than x.\n\nlo and hi bound the search; key is applied to the items."
#define LEFT_DOC "The index before the items of the sorted list a that are not less than x.\n\nlo and hi bound the search; key is applied to the items."

static PyMethodDef module_methods[] = {
    {"bisect_right", FUNCTION(bisect_right), METH_FASTCALL | METH_KEYWORDS, "bisect_right" SIGNATURE RIGHT_DOC},
    {"bisect", FUNCTION(bisect_right), METH_FASTCALL | METH_KEYWORDS, "bisect" SIGNATURE RIGHT_DOC},
    {"bisect_left", FUNCTION(bisect_left), METH_FASTCALL | METH_KEYWORDS, "bisect_left" SIGNATURE LEFT_DOC},
    {"insort_right", FUNCTION(insort_right), METH_FASTCALL | METH_KEYWORDS,
     "insort_right" SIGNATURE "Insert x into the sorted list a, behind items equal to it."},
    {"insort", FUNCTION(insort_right), METH_FASTCALL | METH_KEYWORDS,
     "insort" SIGNATURE "Insert x into the sorted list a, behind items equal to it."},
    {"insort_left", FUNCTION(insort_left), METH_FASTCALL | METH_KEYWORDS,
     "insort_left" SIGNATURE "Insert x into the sorted list a, before items equal to it."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot module_slots[] = {
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_bisect",
    .m_doc = "Positions in sorted sequences by bisection.",
    .m_methods = module_methods,
    .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit__bisect(void)
{
    return PyModuleDef_Init(&module_def);
}
