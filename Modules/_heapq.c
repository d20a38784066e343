/* The _heapq module: binary heaps kept in lists.
 *
 * Every function holds the list's lock, except while a comparison runs Python code; the size is checked after each.
 * Items only move within the array, so words are exchanged without touching counts. */
#define PY_SSIZE_T_CLEAN
#include "module.h"

/* Is the item at a to be nearer to the root than the one at b?  max: in a heap with its greatest item first.
 * Returns  -1 with an exception, also if the list has changed its size
 * Escapes */
static int goes_before(PyObject *heap, Py_ssize_t a, Py_ssize_t b, int max)
{
    Py_ssize_t size = PyList_GET_SIZE(heap);
    PyObject *left = Py_NewRef(PyList_GET_ITEM(heap, max ? b : a));
    PyObject *right = Py_NewRef(PyList_GET_ITEM(heap, max ? a : b));
    int result = PyObject_RichCompareBool(left, right, Py_LT);
    Py_DECREF(left);
    Py_DECREF(right);
    if (result >= 0 && PyList_GET_SIZE(heap) != size) {
        PyErr_SetString(PyExc_RuntimeError, "list changed size during iteration");
        return -1;
    }
    return result;
}

/* Pairs with readers that take no lock. */
static void exchange(PyObject *heap, Py_ssize_t a, Py_ssize_t b)
{
    PyObject **items = ((PyListObject *)heap)->ob_item;
    PyObject *item = items[a];
    __atomic_store_n(&items[a], items[b], __ATOMIC_RELEASE);
    __atomic_store_n(&items[b], item, __ATOMIC_RELEASE);
}

/* The item at pos is put right towards start. */
static int move_up(PyObject *heap, Py_ssize_t start, Py_ssize_t pos, int max)
{
    if (pos >= PyList_GET_SIZE(heap)) {
        PyErr_SetString(PyExc_IndexError, "index out of range");
        return -1;
    }
    while (pos > start) {
        Py_ssize_t parent = (pos - 1) >> 1;
        int before = goes_before(heap, pos, parent, max);
        if (before < 0)
            return -1;
        if (!before)
            break;
        exchange(heap, pos, parent);
        pos = parent;
    }
    return 0;
}

/* The item at pos goes down to a leaf, then up to where it belongs: it usually belongs near the leaves, so this
 * takes fewer comparisons than stopping on the way down. */
static int move_down(PyObject *heap, Py_ssize_t pos, int max)
{
    Py_ssize_t start = pos, size = PyList_GET_SIZE(heap);
    if (pos >= size) {
        PyErr_SetString(PyExc_IndexError, "index out of range");
        return -1;
    }
    while (pos < size >> 1) {
        Py_ssize_t child = 2 * pos + 1;
        if (child + 1 < size) {
            int before = goes_before(heap, child + max, child + 1 - max, max);
            if (before < 0)
                return -1;
            child += max ? before : !before;
        }
        exchange(heap, pos, child);
        pos = child;
    }
    return move_up(heap, start, pos, max);
}

/* Returns the item that was at index, which item replaces. */
static PyObject *replace(PyObject *heap, Py_ssize_t index, PyObject *item)
{
    PyObject *old = Py_NewRef(PyList_GET_ITEM(heap, index));
    if (PyList_SetItem(heap, index, Py_NewRef(item)) < 0)
        Py_CLEAR(old);
    return old;
}

/* ---- The operations, under the lock ---- */

static PyObject *push(PyObject *heap, PyObject *item, int max)
{
    if (PyList_Append(heap, item) < 0 || move_up(heap, 0, PyList_GET_SIZE(heap) - 1, max) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *pop(PyObject *heap, int max)
{
    Py_ssize_t n = PyList_GET_SIZE(heap);
    if (n == 0) {
        PyErr_SetString(PyExc_IndexError, "index out of range");
        return NULL;
    }
    PyObject *last = Py_NewRef(PyList_GET_ITEM(heap, n - 1));
    if (PyList_SetSlice(heap, n - 1, n, NULL) < 0) {
        Py_DECREF(last);
        return NULL;
    }
    if (n == 1)
        return last;
    PyObject *first = replace(heap, 0, last);
    Py_DECREF(last);
    if (first != NULL && move_down(heap, 0, max) < 0)
        Py_CLEAR(first);
    return first;
}

static PyObject *pop_push(PyObject *heap, PyObject *item, int max)
{
    if (PyList_GET_SIZE(heap) == 0) {
        PyErr_SetString(PyExc_IndexError, "index out of range");
        return NULL;
    }
    PyObject *first = replace(heap, 0, item);
    if (first != NULL && move_down(heap, 0, max) < 0)
        Py_CLEAR(first);
    return first;
}

static PyObject *push_pop(PyObject *heap, PyObject *item)
{
    if (PyList_GET_SIZE(heap) == 0)
        return Py_NewRef(item);
    PyObject *first = Py_NewRef(PyList_GET_ITEM(heap, 0));
    int less = PyObject_RichCompareBool(first, item, Py_LT);
    Py_DECREF(first);
    if (less < 0)
        return NULL;
    return less ? pop_push(heap, item, 0) : Py_NewRef(item);
}

static PyObject *heapify(PyObject *heap, int max)
{
    for (Py_ssize_t i = (PyList_GET_SIZE(heap) >> 1) - 1; i >= 0; i--)
        if (move_down(heap, i, max) < 0)
            return NULL;
    Py_RETURN_NONE;
}

/* ---- The module ---- */

static int check_list(PyObject *heap, const char *name, const char *which)
{
    if (PyList_Check(heap))
        return 0;
    _PyArg_BadArgument(name, which, "list", heap);
    return -1;
}

/* A list that another thread owns and that nobody has published may be read by its owner as if it were private. */
static void enter(PyObject *heap)
{
    if (!module_object_is_mine(heap))
        object_publish(heap);
}

#define ONE_ARGUMENT(name, call) \
    static PyObject *heapq_##name(PyObject *module, PyObject *heap) \
    { \
        PyObject *result; \
        if (check_list(heap, #name, "argument") < 0) \
            return NULL; \
        Py_BEGIN_CRITICAL_SECTION(heap); \
        enter(heap); \
        result = call; \
        Py_END_CRITICAL_SECTION(); \
        return result; \
    }

#define TWO_ARGUMENTS(name, call) \
    static PyObject *heapq_##name(PyObject *module, PyObject *const *args, Py_ssize_t nargs) \
    { \
        PyObject *result; \
        if (!_PyArg_CheckPositional(#name, nargs, 2, 2) || check_list(args[0], #name, "argument 1") < 0) \
            return NULL; \
        PyObject *heap = args[0], *item = args[1]; \
        Py_BEGIN_CRITICAL_SECTION(heap); \
        enter(heap); \
        result = call; \
        Py_END_CRITICAL_SECTION(); \
        return result; \
    }

TWO_ARGUMENTS(heappush, push(heap, item, 0))
TWO_ARGUMENTS(heappushpop, push_pop(heap, item))
TWO_ARGUMENTS(heapreplace, pop_push(heap, item, 0))
TWO_ARGUMENTS(_heapreplace_max, pop_push(heap, item, 1))
ONE_ARGUMENT(heappop, pop(heap, 0))
ONE_ARGUMENT(heapify, heapify(heap, 0))
ONE_ARGUMENT(_heappop_max, pop(heap, 1))
ONE_ARGUMENT(_heapify_max, heapify(heap, 1))

#define ROW(name, flags, signature, doc) \
    MODULE_METHOD(#name, heapq_##name, flags, #name "($module, " signature ", /)\n--\n\n" doc)

static PyMethodDef heapq_methods[] = {
    ROW(heappush, METH_FASTCALL, "heap, item", "Adds item, keeping the heap's order."),
    ROW(heappushpop, METH_FASTCALL, "heap, item",
        "Adds item, then removes and returns the smallest one.\n\nFaster than heappush() followed by heappop()."),
    ROW(heappop, METH_O, "heap", "Removes and returns the smallest item."),
    ROW(heapreplace, METH_FASTCALL, "heap, item",
        "Removes and returns the smallest item, then adds item.\n\n"
        "Faster than heappop() followed by heappush(). The result may be larger than item."),
    ROW(heapify, METH_O, "heap", "Puts the items of a list in a heap's order, in linear time."),
    ROW(_heappop_max, METH_O, "heap", "heappop() for a heap with the greatest item first."),
    ROW(_heapreplace_max, METH_FASTCALL, "heap, item", "heapreplace() for a heap with the greatest item first."),
    ROW(_heapify_max, METH_O, "heap", "heapify() for a heap with the greatest item first."),
    {NULL},
};

static int heapq_exec(PyObject *module)
{
    return PyModule_AddStringConstant(module, "__about__",
        "Heaps are lists in which a[k] <= a[2*k+1] and a[k] <= a[2*k+2] for all k, counting from 0.\n\n"
        "So a[0] is the smallest item, and adding or removing one takes about log2(len(a)) comparisons.");
}

static PyModuleDef_Slot heapq_slots[] = {
    {Py_mod_exec, (void *)heapq_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef heapq_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_heapq",
    .m_doc = "Heaps in lists: see the module heapq.",
    .m_methods = heapq_methods,
    .m_slots = heapq_slots,
};

PyMODINIT_FUNC PyInit__heapq(void)
{
    return PyModuleDef_Init(&heapq_module);
}
