/* The _curses_panel module: windows with an order of depth, by the panel library.
 *
 * The library is entered with the lock of _curses held (curses_internal.h). Each PANEL has a pointer to its object, which it
 * does not count: an object that is found there may be about to go, and is taken only if it is not. */
#include "_curses/curses_internal.h"

#include <panel.h>

typedef struct {
    PyObject_HEAD
    PANEL *panel;               /* [const] used under the library's lock */
    PyObject *window;           /* [library lock] */
    PyObject *user;             /* [library lock] or NULL: never set */
} panel_t;

static PyObject *panel_error;           /* [const] after the first import */
static const curses_api_t *curses;      /* [const] after the first import */
static PyTypeObject panel_type;

#define LOCKED(statement) \
    do { \
        PyMutex_Lock(curses->lock); \
        statement; \
        PyMutex_Unlock(curses->lock); \
    } while (0)

static PyObject *check(int result, const char *name)
{
    if (result != ERR)
        Py_RETURN_NONE;
    PyErr_Format(panel_error, "%s() returned ERR", name);
    return NULL;
}

/* The object of a panel, new reference, or None. The lock is held. (An object whose count is down waits for the lock.) */
static PyObject *object_of_locked(PANEL *panel)
{
    PyObject *object = panel != NULL ? (PyObject *)panel_userptr(panel) : NULL;
    return object != NULL && Py_REFCNT(object) > 0 && object_try_incref(object) ? object : Py_NewRef(Py_None);
}

static void panel_dealloc(PyObject *op)
{
    panel_t *self = (panel_t *)op;
    if (self->panel != NULL)
        LOCKED(set_panel_userptr(self->panel, NULL); del_panel(self->panel));
    Py_XDECREF(self->window);
    Py_XDECREF(self->user);
    PyObject_Free(op);
}

#define DEPTH_METHOD(function, library) \
    static PyObject *function(PyObject *op, PyObject *unused) \
    { \
        int result; \
        LOCKED(result = library(((panel_t *)op)->panel)); \
        return check(result, #library); \
    }
DEPTH_METHOD(panel_bottom, bottom_panel)
DEPTH_METHOD(panel_hide, hide_panel)
DEPTH_METHOD(panel_show, show_panel)
DEPTH_METHOD(panel_top, top_panel)

static PyObject *panel_is_hidden(PyObject *op, PyObject *unused)
{
    int hidden;
    LOCKED(hidden = panel_hidden(((panel_t *)op)->panel));
    return PyBool_FromLong(hidden);
}

#define NEIGHBOUR_METHOD(function, library) \
    static PyObject *function(PyObject *op, PyObject *unused) \
    { \
        PyObject *neighbour; \
        LOCKED(neighbour = object_of_locked(library(((panel_t *)op)->panel))); \
        return neighbour; \
    }
NEIGHBOUR_METHOD(panel_get_above, panel_above)
NEIGHBOUR_METHOD(panel_get_below, panel_below)

static PyObject *panel_move(PyObject *op, PyObject *args)
{
    int y, x, result;
    if (!PyArg_ParseTuple(args, "ii:move", &y, &x))
        return NULL;
    LOCKED(result = move_panel(((panel_t *)op)->panel, y, x));
    return check(result, "move_panel");
}

static PyObject *panel_replace(PyObject *op, PyObject *window)
{
    panel_t *self = (panel_t *)op;
    PyObject *old = NULL;
    int result;
    if (!PyObject_TypeCheck(window, curses->window_type)) {
        PyErr_Format(PyExc_TypeError, "replace() argument 1 must be _curses.window, not %.50s",
                     window == Py_None ? "None" : Py_TYPE(window)->tp_name);
        return NULL;
    }
    LOCKED(
        result = replace_panel(self->panel, ((window_t *)window)->win);
        if (result != ERR) {
            old = self->window;
            self->window = Py_NewRef(window);
        });
    Py_XDECREF(old);
    return check(result, "replace_panel");
}

static PyObject *panel_get_window(PyObject *op, PyObject *unused)
{
    PyObject *window;
    LOCKED(window = Py_NewRef(((panel_t *)op)->window));
    return window;
}

static PyObject *panel_set_user(PyObject *op, PyObject *object)
{
    panel_t *self = (panel_t *)op;
    PyObject *old;
    LOCKED(old = self->user; self->user = Py_NewRef(object));
    Py_XDECREF(old);
    Py_RETURN_NONE;
}

static PyObject *panel_get_user(PyObject *op, PyObject *unused)
{
    PyObject *object;
    LOCKED(object = Py_XNewRef(((panel_t *)op)->user));
    if (object == NULL)
        PyErr_SetString(panel_error, "no userptr set");
    return object;
}

#define NO_ARGUMENTS(name, function, text) {name, function, METH_NOARGS, name "($self, /)\n--\n\n" text}

static PyMethodDef panel_methods[] = {
    NO_ARGUMENTS("above", panel_get_above, "The panel above this one, or None."),
    NO_ARGUMENTS("below", panel_get_below, "The panel below this one, or None."),
    NO_ARGUMENTS("bottom", panel_bottom, "Put it below all others."),
    NO_ARGUMENTS("hidden", panel_is_hidden, "Is it hidden?"),
    NO_ARGUMENTS("hide", panel_hide, "Take it off the screen."),
    {"move", panel_move, METH_VARARGS, "move($self, y, x, /)\n--\n\nMove its upper left corner."},
    {"replace", panel_replace, METH_O, "replace($self, win, /)\n--\n\nShow another window."},
    {"set_userptr", panel_set_user, METH_O, "set_userptr($self, obj, /)\n--\n\nKeep an object with it."},
    NO_ARGUMENTS("show", panel_show, "Show it, above all others."),
    NO_ARGUMENTS("top", panel_top, "Put it above all others."),
    NO_ARGUMENTS("userptr", panel_get_user, "The object that is kept with it."),
    NO_ARGUMENTS("window", panel_get_window, "The window that it shows."),
    {NULL},
};

static PyTypeObject panel_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_curses_panel.panel",
    .tp_basicsize = sizeof(panel_t),
    .tp_dealloc = panel_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_methods = panel_methods,
};

/* ---- The module ---- */

static PyObject *module_new_panel(PyObject *module, PyObject *window)
{
    if (!PyObject_TypeCheck(window, curses->window_type)) {
        PyErr_Format(PyExc_TypeError, "new_panel() argument must be _curses.window, not %.50s",
                     window == Py_None ? "None" : Py_TYPE(window)->tp_name);
        return NULL;
    }
    panel_t *self = PyObject_New(panel_t, &panel_type);
    if (self == NULL)
        return NULL;
    self->user = NULL;
    self->window = Py_NewRef(window);
    LOCKED(
        self->panel = new_panel(((window_t *)window)->win);
        if (self->panel != NULL)
            set_panel_userptr(self->panel, self));
    if (self->panel != NULL)
        return (PyObject *)self;
    Py_DECREF(self);
    PyErr_SetString(panel_error, "curses function returned NULL");
    return NULL;
}

/* The ends of the order, as the library has them: below and above nothing. */
static PyObject *module_bottom_panel(PyObject *module, PyObject *unused)
{
    PyObject *panel;
    if (!curses->need_screen())
        return NULL;
    LOCKED(panel = object_of_locked(panel_above(NULL)));
    return panel;
}

static PyObject *module_top_panel(PyObject *module, PyObject *unused)
{
    PyObject *panel;
    if (!curses->need_screen())
        return NULL;
    LOCKED(panel = object_of_locked(panel_below(NULL)));
    return panel;
}

static PyObject *module_update_panels(PyObject *module, PyObject *unused)
{
    if (!curses->need_screen())
        return NULL;
    LOCKED(update_panels());
    Py_RETURN_NONE;
}

static PyMethodDef module_methods[] = {
    {"new_panel", module_new_panel, METH_O, "new_panel($module, win, /)\n--\n\nA panel that shows a window, above all others."},
    {"bottom_panel", module_bottom_panel, METH_NOARGS, "bottom_panel($module, /)\n--\n\nThe panel below all others, or None."},
    {"top_panel", module_top_panel, METH_NOARGS, "top_panel($module, /)\n--\n\nThe panel above all others, or None."},
    {"update_panels", module_update_panels, METH_NOARGS,
     "update_panels($module, /)\n--\n\nBring the screen to come up to date; doupdate() shows it."},
    {NULL},
};

static int panel_exec(PyObject *module)
{
    if (curses == NULL) {
        PyObject *base = PyImport_ImportModule("_curses");
        if (base == NULL)
            return -1;
        Py_DECREF(base);
        curses = PyCapsule_Import(CURSES_CAPSULE, 1);
        if (curses == NULL)
            return -1;
    }
    if (panel_error == NULL && (panel_error = PyErr_NewException("_curses_panel.error", NULL, NULL)) == NULL)
        return -1;
    if (PyModule_AddObjectRef(module, "error", panel_error) < 0 || PyModule_AddType(module, &panel_type) < 0 ||
        PyModule_AddStringConstant(module, "__version__", "2.1") < 0)
        return -1;
    return PyModule_AddStringConstant(module, "version", "2.1");
}

static PyModuleDef_Slot panel_slots[] = {
    {Py_mod_exec, (void *)panel_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef panel_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_curses_panel",
    .m_methods = module_methods,
    .m_slots = panel_slots,
};

PyMODINIT_FUNC PyInit__curses_panel(void)
{
    return PyModuleDef_Init(&panel_module);
}
