/* The _symtable module: the compiler's symbol table of a source, as the module symtable shows it.
 *
 * The table lives in an arena that ends with the call, so its scopes are copied into entries, which never change after that. */
#include "Python.h"

#include "builtins.h"
#include "compiler.h"
#include "parser.h"
#include "structmember.h"
#include "symtable.h"

typedef struct {
    PyObject_HEAD
    PyObject *id, *name, *symbols, *varnames, *children;    /* [const] */
    int kind, nested, line;                                 /* [const] */
} entry_t;

static int entry_traverse(PyObject *op, visitproc visit, void *arg)
{
    entry_t *self = (entry_t *)op;
    Py_VISIT(self->symbols);
    Py_VISIT(self->varnames);
    Py_VISIT(self->children);
    return 0;
}

static void entry_dealloc(PyObject *op)
{
    entry_t *self = (entry_t *)op;
    PyObject_GC_UnTrack(op);
    Py_XDECREF(self->id);
    Py_XDECREF(self->name);
    Py_XDECREF(self->symbols);
    Py_XDECREF(self->varnames);
    Py_XDECREF(self->children);
    PyObject_GC_Del(op);
}

static PyObject *entry_repr(PyObject *op)
{
    entry_t *self = (entry_t *)op;
    return PyUnicode_FromFormat("<symtable entry %U(%S), line %d>", self->name, self->id, self->line);
}

#define OFFSET(field) offsetof(entry_t, field)
static PyMemberDef entry_members[] = {
    {"id", T_OBJECT, OFFSET(id), READONLY, NULL},
    {"name", T_OBJECT, OFFSET(name), READONLY, NULL},
    {"symbols", T_OBJECT, OFFSET(symbols), READONLY, NULL},
    {"varnames", T_OBJECT, OFFSET(varnames), READONLY, NULL},
    {"children", T_OBJECT, OFFSET(children), READONLY, NULL},
    {"nested", T_INT, OFFSET(nested), READONLY, NULL},
    {"type", T_INT, OFFSET(kind), READONLY, NULL},
    {"lineno", T_INT, OFFSET(line), READONLY, NULL},
    {NULL},
};

static PyTypeObject entry_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "symtable entry",
    .tp_basicsize = sizeof(entry_t),
    .tp_dealloc = entry_dealloc,
    .tp_repr = entry_repr,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_traverse = entry_traverse,
    .tp_members = entry_members,
};

/* ---- From scopes to entries ---- */

/* The name that a scope goes by: without the brackets of "<lambda>" and its like. */
static PyObject *plain_name(PyObject *name)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(name);
    if (length > 2 && PyUnicode_READ_CHAR(name, 0) == '<')
        return PyUnicode_Substring(name, 1, length - 1);
    return Py_NewRef(name);
}

static PyObject *new_entry(scope_t *scope);

static PyObject *new_children(scope_t *scope)
{
    PyObject *list = PyList_New(0);
    for (scope_t *child = scope->first_child; child != NULL && list != NULL; child = child->next_sibling) {
        PyObject *entry = new_entry(child);
        if (entry == NULL || PyList_Append(list, entry) < 0)
            Py_CLEAR(list);
        Py_XDECREF(entry);
    }
    return list;
}

static PyObject *new_entry(scope_t *scope)
{
    if (Py_EnterRecursiveCall(" during the construction of a symbol table"))
        return NULL;
    entry_t *self = PyObject_GC_New(entry_t, &entry_type);
    if (self != NULL) {
        self->id = PyLong_FromVoidPtr(self);
        self->name = plain_name(scope->name);
        self->symbols = PyDict_Copy(scope->symbols);
        self->varnames = PySequence_List(scope->varnames);
        self->children = new_children(scope);
        self->kind = scope->kind;
        self->nested = scope->nested;
        self->line = scope->lineno;
        PyObject_GC_Track((PyObject *)self);
        if (self->id == NULL || self->name == NULL || self->symbols == NULL || self->varnames == NULL || self->children == NULL)
            Py_CLEAR(self);
    }
    Py_LeaveRecursiveCall();
    return (PyObject *)self;
}

/* ---- The module ---- */

static PyObject *build(const char *text, Py_ssize_t size, PyObject *filename, enum parser_mode mode, int flags)
{
    arena *a = arena_new();
    PyObject *result = NULL;
    if (a == NULL)
        return NULL;
    mod_ty tree = parser_parse_string(text, size, filename, mode, flags, -1, a);
    if (tree != NULL && compile_read_features(tree, filename, &flags)) {
        symtable_t *table = symtable_build(tree, filename, flags, a);
        if (table != NULL)
            result = new_entry(table->top);
    }
    arena_free(a);
    return result;
}

static PyObject *symtable_symtable(PyObject *module, PyObject *args)
{
    PyObject *source, *filename, *owner, *result = NULL;
    const char *mode_name;
    int flags = 0;
    Py_ssize_t size;
    enum parser_mode mode = PARSER_FILE;
    if (!PyArg_ParseTuple(args, "OO&s:symtable", &source, PyUnicode_FSDecoder, &filename, &mode_name))
        return NULL;
    const char *text = builtins_source_text(source, "symtable", "string or bytes", &flags, &size, &owner);
    if (text == NULL)
        goto done;
    if (strcmp(mode_name, "eval") == 0)
        mode = PARSER_EVAL;
    else if (strcmp(mode_name, "single") == 0)
        mode = PARSER_SINGLE;
    else if (strcmp(mode_name, "exec") != 0) {
        PyErr_SetString(PyExc_ValueError, "symtable() arg 3 must be 'exec' or 'eval' or 'single'");
        goto done;
    }
    result = build(text, size, filename, mode, flags);
done:
    Py_XDECREF(owner);
    Py_DECREF(filename);
    return result;
}

static PyMethodDef symtable_methods[] = {
    {"symtable", symtable_symtable, METH_VARARGS,
     "symtable($module, source, filename, startstr, /)\n--\n\nThe symbol table of a source: the entry of its module."},
    {NULL},
};

static int symtable_exec(PyObject *module)
{
    static const struct { const char *name; int value; } constants[] = {
        {"USE", USE}, {"DEF_GLOBAL", DEF_GLOBAL}, {"DEF_NONLOCAL", DEF_NONLOCAL}, {"DEF_LOCAL", DEF_LOCAL},
        {"DEF_PARAM", DEF_PARAM}, {"DEF_FREE", DEF_FREE}, {"DEF_FREE_CLASS", DEF_FREE_CLASS}, {"DEF_IMPORT", DEF_IMPORT},
        {"DEF_BOUND", DEF_BOUND}, {"DEF_ANNOT", DEF_ANNOT}, {"TYPE_FUNCTION", SCOPE_FUNCTION}, {"TYPE_CLASS", SCOPE_CLASS},
        {"TYPE_MODULE", SCOPE_MODULE}, {"LOCAL", SCOPE_LOCAL}, {"GLOBAL_EXPLICIT", SCOPE_GLOBAL_EXPLICIT},
        {"GLOBAL_IMPLICIT", SCOPE_GLOBAL_IMPLICIT}, {"FREE", SCOPE_FREE}, {"CELL", SCOPE_CELL}, {"SCOPE_OFF", SCOPE_SHIFT},
        {"SCOPE_MASK", 15},
    };
    if (PyType_Ready(&entry_type) < 0)
        return -1;
    for (size_t i = 0; i < Py_ARRAY_LENGTH(constants); i++)
        if (PyModule_AddIntConstant(module, constants[i].name, constants[i].value) < 0)
            return -1;
    return 0;
}

static PyModuleDef_Slot symtable_slots[] = {
    {Py_mod_exec, (void *)symtable_exec},
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef symtable_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_symtable",
    .m_doc = "The symbol table of a source.",
    .m_methods = symtable_methods,
    .m_slots = symtable_slots,
};

PyMODINIT_FUNC PyInit__symtable(void)
{
    return PyModuleDef_Init(&symtable_module);
}
