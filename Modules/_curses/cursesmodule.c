/* The _curses module itself: its state, its constants, the capsule for _curses_panel and extensions. */
#include "curses_internal.h"

#include "internal/fork_mutex.h"

PyObject *curses_error;
PyMutex curses_lock;
FORK_MUTEX(curses_lock)
int curses_term_is_set, curses_screen_is_set, curses_colors_started;

/* ---- What must have been called before ---- */

static int need(const int *flag, const char *function)
{
    if (__atomic_load_n(flag, __ATOMIC_ACQUIRE))
        return 1;
    PyErr_Format(curses_error, "must call %s() first", function);
    return 0;
}

int curses_need_term(void) { return need(&curses_term_is_set, "(at least) setupterm"); }
int curses_need_screen(void) { return need(&curses_screen_is_set, "initscr"); }
int curses_need_colors(void) { return need(&curses_colors_started, "start_color"); }

PyObject *curses_check(int result, const char *name)
{
    if (result != ERR)
        Py_RETURN_NONE;
    PyErr_Format(curses_error, "%s() returned ERR", name);
    return NULL;
}

/* ---- Constants ---- */

#define BUTTON(n) \
    {"BUTTON" #n "_PRESSED", BUTTON##n##_PRESSED}, {"BUTTON" #n "_RELEASED", BUTTON##n##_RELEASED}, \
    {"BUTTON" #n "_CLICKED", BUTTON##n##_CLICKED}, {"BUTTON" #n "_DOUBLE_CLICKED", BUTTON##n##_DOUBLE_CLICKED}, \
    {"BUTTON" #n "_TRIPLE_CLICKED", BUTTON##n##_TRIPLE_CLICKED}
#define NAMED(name) {#name, (long)(name)}

static const struct { const char *name; long value; } constants[] = {
    NAMED(ERR), NAMED(OK),
    NAMED(A_ATTRIBUTES), NAMED(A_NORMAL), NAMED(A_STANDOUT), NAMED(A_UNDERLINE), NAMED(A_REVERSE), NAMED(A_BLINK), NAMED(A_DIM),
    NAMED(A_BOLD), NAMED(A_ALTCHARSET), NAMED(A_INVIS), NAMED(A_PROTECT), NAMED(A_CHARTEXT), NAMED(A_COLOR), NAMED(A_HORIZONTAL),
    NAMED(A_LEFT), NAMED(A_LOW), NAMED(A_RIGHT), NAMED(A_TOP), NAMED(A_VERTICAL), NAMED(A_ITALIC),
    NAMED(COLOR_BLACK), NAMED(COLOR_RED), NAMED(COLOR_GREEN), NAMED(COLOR_YELLOW), NAMED(COLOR_BLUE), NAMED(COLOR_MAGENTA),
    NAMED(COLOR_CYAN), NAMED(COLOR_WHITE),
    BUTTON(1), BUTTON(2), BUTTON(3), BUTTON(4), BUTTON(5), NAMED(BUTTON_SHIFT), NAMED(BUTTON_CTRL), NAMED(BUTTON_ALT),
    NAMED(ALL_MOUSE_EVENTS), NAMED(REPORT_MOUSE_POSITION), NAMED(KEY_MIN), NAMED(KEY_MAX),
};

/* The library names its keys: KEY_F(1) is KEY_F1 here. */
static int add_keys(PyObject *module)
{
    for (int key = KEY_MIN; key < KEY_MAX; key++) {
        char name[32];
        size_t length = 0;
        const char *text = keyname(key);
        if (text == NULL || strncmp(text, "KEY_", 4) != 0)
            continue;
        for (; *text != '\0' && length < sizeof name - 1; text++)
            if (*text != '(' && *text != ')')
                name[length++] = *text;
        name[length] = '\0';
        if (PyModule_AddIntConstant(module, name, key) < 0)
            return -1;
    }
    return 0;
}

static int add_constants(PyObject *module)
{
    for (size_t i = 0; i < sizeof constants / sizeof constants[0]; i++)
        if (PyModule_AddIntConstant(module, constants[i].name, constants[i].value) < 0)
            return -1;
    int status;
    CURSES_LOCKED(status = add_keys(module));
    return status;
}

static PyStructSequence_Field version_fields[] = {
    {"major", "Major release number"}, {"minor", "Minor release number"}, {"patch", "Patch release number"}, {NULL},
};
static PyStructSequence_Desc version_description = {
    "curses.ncurses_version", "The version of the library.", version_fields, 3,
};
static PyTypeObject *version_type;      /* [const] after the first import */

static int add_versions(PyObject *module)
{
    static const int parts[3] = {NCURSES_VERSION_MAJOR, NCURSES_VERSION_MINOR, NCURSES_VERSION_PATCH};
    if (version_type == NULL)
        version_type = PyStructSequence_NewType(&version_description);
    PyObject *version = version_type != NULL ? PyStructSequence_New(version_type) : NULL;
    for (int i = 0; version != NULL && i < 3; i++) {
        PyObject *part = PyLong_FromLong(parts[i]);
        if (part == NULL)
            Py_CLEAR(version);
        else
            PyStructSequence_SET_ITEM(version, i, part);
    }
    if (PyModule_Add(module, "ncurses_version", version) < 0 || PyModule_Add(module, "version", PyBytes_FromString("2.2")) < 0)
        return -1;
    return PyModule_Add(module, "__version__", PyBytes_FromString("2.2"));
}

/* ---- The module ---- */

static PyMethodDef window_methods[160], module_methods[160];

/* Copies tables of methods behind one another. */
static void join(PyMethodDef *all, size_t room, PyMethodDef *const *tables)
{
    size_t n = 0;
    for (; *tables != NULL; tables++)
        for (PyMethodDef *method = *tables; method->ml_name != NULL && n < room - 1; method++)
            all[n++] = *method;
    all[n] = (PyMethodDef){0};
}

static curses_api_t api = {
    &curses_window_type, curses_need_term, curses_need_screen, curses_need_colors, &curses_lock,
};

static int curses_exec(PyObject *module)
{
    if (curses_error == NULL) {
        curses_error = PyErr_NewException("_curses.error", NULL, NULL);
        if (curses_error == NULL)
            return -1;
    }
    if (PyModule_AddObjectRef(module, "error", curses_error) < 0 || PyModule_AddType(module, &curses_window_type) < 0 ||
        PyModule_Add(module, "_C_API", PyCapsule_New(&api, CURSES_CAPSULE, NULL)) < 0)
        return -1;
    return add_constants(module) < 0 || add_versions(module) < 0 ? -1 : 0;
}

static PyModuleDef_Slot curses_slots[] = {
    {Py_mod_exec, (void *)curses_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef curses_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_curses",
    .m_methods = module_methods,
    .m_slots = curses_slots,
};

PyMODINIT_FUNC PyInit__curses(void)
{
    static PyMethodDef *const of_windows[] = {curses_geometry_methods, curses_mode_methods, curses_text_methods,
                                              curses_input_methods, NULL};
    static PyMethodDef *const of_module[] = {curses_screen_methods, curses_terminfo_methods, curses_color_methods, NULL};
    if (curses_window_type.tp_methods == NULL) {
        join(window_methods, sizeof window_methods / sizeof window_methods[0], of_windows);
        join(module_methods, sizeof module_methods / sizeof module_methods[0], of_module);
        curses_window_type.tp_methods = window_methods;
    }
    return PyModuleDef_Init(&curses_module);
}
