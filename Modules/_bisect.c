/* The _bisect module: binary search in sorted sequences. */
#define PY_SSIZE_T_CLEAN
#include "module.h"

typedef struct {
    PyObject *sequence, *x, *key;       /* borrowed; key NULL: none */
    Py_ssize_t low, high;               /* high -1: to the end */
} search_t;

/* The first position where x may be inserted so that the order stays; right: the last. -1 with an exception. */
static Py_ssize_t search(search_t *s, int right)
{
    Py_ssize_t low = s->low, high = s->high;
    if (low < 0) {
        PyErr_SetString(PyExc_ValueError, "lo must be non-negative");
        return -1;
    }
    if (high == -1) {
        high = PySequence_Size(s->sequence);
        if (high < 0)
            return -1;
    }
    int is_list = PyList_CheckExact(s->sequence);
    while (low < high) {
        Py_ssize_t middle = (Py_ssize_t)(((size_t)low + (size_t)high) / 2);
        PyObject *item = is_list ? PyList_GetItemRef(s->sequence, middle) : PySequence_GetItem(s->sequence, middle);
        if (item != NULL && s->key != NULL)
            Py_SETREF(item, PyObject_CallOneArg(s->key, item));
        if (item == NULL)
            return -1;
        int less = right ? PyObject_RichCompareBool(s->x, item, Py_LT) : PyObject_RichCompareBool(item, s->x, Py_LT);
        Py_DECREF(item);
        if (less < 0)
            return -1;
        if (less == right)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static int get_index(PyObject *op, Py_ssize_t *value)
{
    *value = PyNumber_AsSsize_t(op, PyExc_OverflowError);
    return *value == -1 && PyErr_Occurred() ? -1 : 0;
}

static const char *const keywords[] = {"a", "x", "lo", "hi", "key", NULL};

static int get_arguments(search_t *s, _PyArg_Parser *parser, PyObject *const *args, Py_ssize_t nargs, PyObject *names)
{
    PyObject *buffer[5] = {NULL};
    s->low = 0;
    s->high = -1;
    s->key = NULL;
    if (nargs == 2 && names == NULL) {
        s->sequence = args[0];
        s->x = args[1];
        return 0;
    }
    Py_ssize_t given = nargs + (names == NULL ? 0 : PyTuple_GET_SIZE(names));
    args = _PyArg_UnpackKeywords(args, nargs, NULL, names, parser, 2, 4, 0, buffer);
    if (args == NULL)
        return -1;
    s->sequence = args[0];
    s->x = args[1];
    if (given > 2 && args[2] != NULL && get_index(args[2], &s->low) < 0)
        return -1;
    if (given > 2 && args[3] != NULL && args[3] != Py_None) {
        if (!PyIndex_Check(args[3])) {
            PyErr_Format(PyExc_TypeError, "argument should be integer or None, not '%.200s'", Py_TYPE(args[3])->tp_name);
            return -1;
        }
        if (get_index(args[3], &s->high) < 0)
            return -1;
    }
    if (given > 2 && args[4] != Py_None)
        s->key = args[4];
    return 0;
}

static PyObject *bisect(_PyArg_Parser *parser, int right, PyObject *const *args, Py_ssize_t nargs, PyObject *names)
{
    search_t s;
    if (get_arguments(&s, parser, args, nargs, names) < 0)
        return NULL;
    Py_ssize_t index = search(&s, right);
    return index < 0 ? NULL : PyLong_FromSsize_t(index);
}

static PyObject *insort(_PyArg_Parser *parser, int right, PyObject *const *args, Py_ssize_t nargs, PyObject *names)
{
    search_t s;
    if (get_arguments(&s, parser, args, nargs, names) < 0)
        return NULL;
    PyObject *item = s.x;
    PyObject *key = NULL;
    if (s.key != NULL) {
        key = PyObject_CallOneArg(s.key, item);
        if (key == NULL)
            return NULL;
        s.x = key;
    }
    Py_ssize_t index = search(&s, right);
    Py_XDECREF(key);
    if (index < 0)
        return NULL;
    if (!PyList_CheckExact(s.sequence)) {
        PyObject *result = PyObject_CallMethod(s.sequence, "insert", "nO", index, item);
        if (result == NULL)
            return NULL;
        Py_DECREF(result);
    }
    else if (PyList_Insert(s.sequence, index, item) < 0)
        return NULL;
    Py_RETURN_NONE;
}

#define FUNCTION(name, function, right) \
    static PyObject *bisect_##name(PyObject *module, PyObject *const *args, Py_ssize_t nargs, PyObject *names) \
    { \
        static _PyArg_Parser parser = {.keywords = keywords, .fname = #name}; \
        return function(&parser, right, args, nargs, names); \
    }

FUNCTION(bisect_left, bisect, 0)
FUNCTION(bisect_right, bisect, 1)
FUNCTION(insort_left, insort, 0)
FUNCTION(insort_right, insort, 1)

#define ROW(name, doc) \
    MODULE_METHOD(#name, bisect_##name, METH_FASTCALL | METH_KEYWORDS, \
                  #name "($module, /, a, x, lo=0, hi=None, *, key=None)\n--\n\n" doc)

static PyMethodDef bisect_methods[] = {
    ROW(bisect_right, "Where to insert x into the sorted sequence a: behind all items equal to x.\n\n"
                      "Only a[lo:hi] is searched. key(item) is what is compared with x."),
    ROW(bisect_left, "Where to insert x into the sorted sequence a: before all items equal to x.\n\n"
                     "Only a[lo:hi] is searched. key(item) is what is compared with x."),
    ROW(insort_right, "Inserts x into the sorted sequence a, behind all items equal to x.\n\n"
                      "Only a[lo:hi] is searched. key(item) is what is compared with key(x)."),
    ROW(insort_left, "Inserts x into the sorted sequence a, before all items equal to x.\n\n"
                     "Only a[lo:hi] is searched. key(item) is what is compared with key(x)."),
    {NULL},
};

static PyModuleDef_Slot bisect_slots[] = {
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef bisect_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_bisect",
    .m_doc = "Binary search in sorted sequences: see the module bisect.",
    .m_methods = bisect_methods,
    .m_slots = bisect_slots,
};

PyMODINIT_FUNC PyInit__bisect(void)
{
    return PyModuleDef_Init(&bisect_module);
}
