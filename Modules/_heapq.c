/* The _heapq module: lists as binary heaps.
 *
 * Comparisons run user code, which may change the list, as other threads may when it blocks; so nothing that was read from the
 * list is used after a comparison, and a list that has changed its size meanwhile is a RuntimeError.  The functions run in a
 * critical section on the list: between comparisons it is theirs, and as long as no comparison blocks, each is atomic. */
#define PY_SSIZE_T_CLEAN
#include "Python.h"

#include "internal/module.h"

#define FUNCTION(f) ((PyCFunction)(void (*)(void))(f))

static int size_changed(void)
{
    PyErr_SetString(PyExc_RuntimeError, "list changed size during iteration");
    return -1;
}

/* Is the item at i before that at j? In a max heap greater items come first.  -1: an exception, also if the list has no longer n items. */
static int before(PyObject *heap, Py_ssize_t i, Py_ssize_t j, Py_ssize_t n, int max)
{
    if (PyList_GET_SIZE(heap) != n)
        return size_changed();
    PyObject *a = PyList_GET_ITEM(heap, i), *b = PyList_GET_ITEM(heap, j);
    if (value_both_ints(a, b))
        return max ? (intptr_t)b < (intptr_t)a : (intptr_t)a < (intptr_t)b;
    Py_XINCREF(a);
    Py_XINCREF(b);
    int first = -1;
    if (a == NULL || b == NULL)         /* a list that an extension has not filled yet */
        size_changed();
    else
        first = max ? PyObject_RichCompareBool(b, a, Py_LT) : PyObject_RichCompareBool(a, b, Py_LT);
    Py_XDECREF(a);
    Py_XDECREF(b);
    return first >= 0 && PyList_GET_SIZE(heap) != n ? size_changed() : first;
}

/* Moves the item at i up while it comes before its parent, not above top. */
static int move_up(PyObject *heap, Py_ssize_t top, Py_ssize_t i, int max)
{
    Py_ssize_t n = PyList_GET_SIZE(heap);
    while (i > top) {
        Py_ssize_t parent = (i - 1) >> 1;
        int up = before(heap, i, parent, n, max);
        if (up <= 0)
            return up;
        module_list_swap(heap, i, parent);
        i = parent;
    }
    return 0;
}

/* Moves the item at `top` down to a leaf, the better child rising each time, and then up to its place. */
static int sift(PyObject *heap, Py_ssize_t top, int max)
{
    Py_ssize_t n = PyList_GET_SIZE(heap), i = top;
    if (top >= n) {
        PyErr_SetString(PyExc_IndexError, "index out of range");
        return -1;
    }
    while (i < n >> 1) {
        Py_ssize_t child = 2 * i + 1;
        if (child + 1 < n) {
            int first = before(heap, child, child + 1, n, max);
            if (first < 0)
                return -1;
            child += !first;
        }
        module_list_swap(heap, i, child);
        i = child;
    }
    return move_up(heap, top, i, max);
}

static PyObject *pop_last(PyObject *heap)
{
    Py_ssize_t n = PyList_GET_SIZE(heap);
    if (n == 0) {
        PyErr_SetString(PyExc_IndexError, "index out of range");
        return NULL;
    }
    PyObject *last = PyList_GetItemRef(heap, n - 1);
    if (last == NULL)
        return NULL;
    if (PyList_SetSlice(heap, n - 1, n, NULL) < 0)
        Py_CLEAR(last);
    return last;
}

static PyObject *pop(PyObject *heap, int max)
{
    PyObject *last = pop_last(heap), *first;
    if (last == NULL || PyList_GET_SIZE(heap) == 0)
        return last;
    first = PyList_GetItemRef(heap, 0);
    if (first == NULL) {
        Py_DECREF(last);
        return NULL;
    }
    if (PyList_SetItem(heap, 0, last) < 0 || sift(heap, 0, max) < 0)
        Py_CLEAR(first);
    return first;
}

static PyObject *replace(PyObject *heap, PyObject *item, int max)
{
    if (PyList_GET_SIZE(heap) == 0) {
        PyErr_SetString(PyExc_IndexError, "index out of range");
        return NULL;
    }
    PyObject *first = PyList_GetItemRef(heap, 0);
    if (first == NULL)
        return NULL;
    if (PyList_SetItem(heap, 0, Py_NewRef(item)) < 0 || sift(heap, 0, max) < 0)
        Py_CLEAR(first);
    return first;
}

static int heapify(PyObject *heap, int max)
{
    /* from the last parent back to the root */
    for (Py_ssize_t i = (PyList_GET_SIZE(heap) >> 1) - 1; i >= 0; i--)
        if (sift(heap, i, max) < 0)
            return -1;
    return 0;
}

static PyObject *pushpop(PyObject *heap, PyObject *item)
{
    if (PyList_GET_SIZE(heap) == 0)
        return Py_NewRef(item);
    PyObject *first = PyList_GetItemRef(heap, 0);
    if (first == NULL)
        return NULL;
    int less = PyObject_RichCompareBool(first, item, Py_LT);
    Py_DECREF(first);
    if (less < 0)
        return NULL;
    return less ? replace(heap, item, 0) : Py_NewRef(item);
}

/* ---- Functions ---- */

static int check_list(const char *name, PyObject *heap)
{
    if (PyList_Check(heap))
        return 0;
    PyErr_Format(PyExc_TypeError, "%s() argument 1 must be list, not %.50s", name,
                 heap == Py_None ? "None" : Py_TYPE(heap)->tp_name);
    return -1;
}

static int check_argument(const char *name, PyObject *heap)
{
    if (PyList_Check(heap))
        return 0;
    PyErr_Format(PyExc_TypeError, "%s() argument must be list, not %.50s", name,
                 heap == Py_None ? "None" : Py_TYPE(heap)->tp_name);
    return -1;
}

static int check_two(const char *name, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs == 2)
        return check_list(name, args[0]);
    PyErr_Format(PyExc_TypeError, "%s expected 2 arguments, got %zd", name, nargs);
    return -1;
}

static PyObject *heappush(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    int failed;
    if (check_two("heappush", args, nargs) < 0)
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(args[0]);
    failed = PyList_Append(args[0], args[1]);
    if (failed == 0)
        failed = move_up(args[0], 0, PyList_GET_SIZE(args[0]) - 1, 0);
    Py_END_CRITICAL_SECTION();
    if (failed < 0)
        return NULL;
    Py_RETURN_NONE;
}

#define LOCKED_TWO(name, text, expression) \
    static PyObject *name(PyObject *module, PyObject *const *args, Py_ssize_t nargs) \
    { \
        PyObject *result; \
        if (check_two(text, args, nargs) < 0) \
            return NULL; \
        Py_BEGIN_CRITICAL_SECTION(args[0]); \
        result = expression; \
        Py_END_CRITICAL_SECTION(); \
        return result; \
    }
#define LOCKED_ONE(name, text, expression) \
    static PyObject *name(PyObject *module, PyObject *heap) \
    { \
        PyObject *result; \
        if (check_argument(text, heap) < 0) \
            return NULL; \
        Py_BEGIN_CRITICAL_SECTION(heap); \
        result = expression; \
        Py_END_CRITICAL_SECTION(); \
        return result; \
    }

LOCKED_TWO(heappushpop, "heappushpop", pushpop(args[0], args[1]))
LOCKED_TWO(heapreplace, "heapreplace", replace(args[0], args[1], 0))
LOCKED_TWO(heapreplace_max, "_heapreplace_max", replace(args[0], args[1], 1))
LOCKED_ONE(heappop, "heappop", pop(heap, 0))
LOCKED_ONE(heappop_max, "_heappop_max", pop(heap, 1))
LOCKED_ONE(heapify_min, "heapify", heapify(heap, 0) < 0 ? NULL : Py_NewRef(Py_None))
LOCKED_ONE(heapify_max, "_heapify_max", heapify(heap, 1) < 0 ? NULL : Py_NewRef(Py_None))

static PyMethodDef module_methods[] = {
    {"heappush", FUNCTION(heappush), METH_FASTCALL, "heappush($module, heap, item, /)\n--\n\nAdd an item."},
    {"heappushpop", FUNCTION(heappushpop), METH_FASTCALL,
     "heappushpop($module, heap, item, /)\n--\n\nAdd an item, then remove the smallest one and return it."},
    {"heappop", heappop, METH_O, "heappop($module, heap, /)\n--\n\nRemove the smallest item and return it."},
    {"heapreplace", FUNCTION(heapreplace), METH_FASTCALL,
     "heapreplace($module, heap, item, /)\n--\n\nRemove the smallest item and return it, then add the new one."},
    {"heapify", heapify_min, METH_O, "heapify($module, heap, /)\n--\n\nMake a heap of a list, in linear time."},
    {"_heappop_max", heappop_max, METH_O, "_heappop_max($module, heap, /)\n--\n\nheappop for a heap with the greatest item first."},
    {"_heapify_max", heapify_max, METH_O, "_heapify_max($module, heap, /)\n--\n\nheapify with the greatest item first."},
    {"_heapreplace_max", FUNCTION(heapreplace_max), METH_FASTCALL,
     "_heapreplace_max($module, heap, item, /)\n--\n\nheapreplace for a heap with the greatest item first."},
    {NULL, NULL, 0, NULL},
};

static int module_exec(PyObject *module)
{
    return PyModule_AddStringConstant(module, "__about__",
                                      "Heaps are lists in which heap[k] <= heap[2*k+1] and heap[k] <= heap[2*k+2] for all k.\n"
                                      "So heap[0] is the smallest item; adding and removing take logarithmic time.");
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, (void *)module_exec},
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_heapq",
    .m_doc = "Lists as binary heaps.",
    .m_methods = module_methods,
    .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit__heapq(void)
{
    return PyModuleDef_Init(&module_def);
}
