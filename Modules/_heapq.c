/* The _heapq module: lists as binary heaps.
 *
 * Comparisons run user code, and other threads may change the list; so items are read and written one at a time through
 * the list API, and a list that has changed its size meanwhile is a RuntimeError.  The functions run in a critical
 * section on the list: as long as no comparison blocks, each is atomic. */
#define PY_SSIZE_T_CLEAN
#include "Python.h"

#define FUNCTION(f) ((PyCFunction)(void (*)(void))(f))

static int size_changed(void)
{
    PyErr_SetString(PyExc_RuntimeError, "list changed size during iteration");
    return -1;
}

/* Is a before b? In a max heap greater items come first. */
static int before(PyObject *a, PyObject *b, int max)
{
    return max ? PyObject_RichCompareBool(b, a, Py_LT) : PyObject_RichCompareBool(a, b, Py_LT);
}

/* An item of a list of n; a new reference. */
static PyObject *item_at(PyObject *heap, Py_ssize_t i, Py_ssize_t n)
{
    if (PyList_GET_SIZE(heap) != n) {
        size_changed();
        return NULL;
    }
    PyObject *item = PyList_GetItemRef(heap, i);
    if (item == NULL) {
        PyErr_Clear();
        size_changed();
    }
    return item;
}

/* Exchanges two items. The list has n. */
static int swap(PyObject *heap, Py_ssize_t i, Py_ssize_t j, Py_ssize_t n)
{
    PyObject *a = item_at(heap, i, n), *b = a == NULL ? NULL : item_at(heap, j, n);
    if (b == NULL) {
        Py_XDECREF(a);
        return -1;
    }
    /* PyList_SetItem consumes the references, on failure too */
    int failed = PyList_SetItem(heap, i, b);
    return PyList_SetItem(heap, j, a) < 0 || failed < 0 ? -1 : 0;
}

/* Moves the item at i up while it comes before its parent, not above top. */
static int move_up(PyObject *heap, Py_ssize_t top, Py_ssize_t i, int max)
{
    Py_ssize_t n = PyList_GET_SIZE(heap);
    while (i > top) {
        Py_ssize_t parent = (i - 1) >> 1;
        PyObject *child_item = item_at(heap, i, n), *parent_item = NULL;
        int up = -1;
        if (child_item != NULL && (parent_item = item_at(heap, parent, n)) != NULL)
            up = before(child_item, parent_item, max);
        Py_XDECREF(child_item);
        Py_XDECREF(parent_item);
        if (up < 0)
            return -1;
        if (PyList_GET_SIZE(heap) != n)
            return size_changed();
        if (!up)
            return 0;
        if (swap(heap, i, parent, n) < 0)
            return -1;
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
            PyObject *left = item_at(heap, child, n), *right = left == NULL ? NULL : item_at(heap, child + 1, n);
            int first = right == NULL ? -1 : before(left, right, max);
            Py_XDECREF(left);
            Py_XDECREF(right);
            if (first < 0)
                return -1;
            if (PyList_GET_SIZE(heap) != n)
                return size_changed();
            child += !first;
        }
        if (swap(heap, i, child, n) < 0)
            return -1;
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
