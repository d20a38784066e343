/* Second walk of the symbol table: what each name of each scope means.
 *
 * Inwards go the names bound in enclosing functions (bound) and declared global (global); outwards come those that inner scopes
 * need from here or further out (free). Names are in sets of str. */
#include "Python.h"

#include "symtable_internal.h"
#include "well_known_strings.h"

static int add(PyObject *set, PyObject *name) { return PySet_Add(set, name) == 0; }
static int discard(PyObject *set, PyObject *name) { return PySet_Discard(set, name) >= 0; }

static int directive_error(symtable_t *st, scope_t *scope, PyObject *name, const char *format)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(scope->directives); i++) {
        PyObject *entry = PyList_GET_ITEM(scope->directives, i);
        PyObject *mangled = symtable_mangle(scope->class_name, PyTuple_GET_ITEM(entry, 0));
        int same = mangled != NULL && PyUnicode_Compare(mangled, name) == 0;
        Py_XDECREF(mangled);
        if (!same)
            continue;
        int at[4];
        for (int k = 0; k < 4; k++)
            at[k] = (int)PyLong_AsLong(PyTuple_GET_ITEM(entry, k + 1));
        return syntax_error_at(st->filename, at[0], at[1], at[2], at[3], format, name);
    }
    PyErr_SetString(PyExc_SystemError, "a declaration is missing from the symbol table");
    return 0;
}

/* Decides one name of scope; local, bound, free, global are updated. result: dict name -> scope. */
static int analyze_name(symtable_t *st, scope_t *scope, PyObject *result, PyObject *name, long flags, PyObject *bound,
                        PyObject *local, PyObject *free_names, PyObject *global)
{
    symbol_scope_t where;
    int contained;
    if (flags & DEF_GLOBAL) {
        if (flags & DEF_NONLOCAL)
            return directive_error(st, scope, name, "name '%U' is nonlocal and global");
        where = SCOPE_GLOBAL_EXPLICIT;
        if (!add(global, name) || (bound != NULL && !discard(bound, name)))
            return 0;
    }
    else if (flags & DEF_NONLOCAL) {
        if (bound == NULL)
            return directive_error(st, scope, name, "nonlocal declaration not allowed at module level");
        contained = PySet_Contains(bound, name);
        if (contained < 0)
            return 0;
        if (!contained)
            return directive_error(st, scope, name, "no binding for nonlocal '%U' found");
        where = SCOPE_FREE;
        scope->free = 1;
        if (!add(free_names, name))
            return 0;
    }
    else if (flags & DEF_BOUND) {
        where = SCOPE_LOCAL;
        if (!add(local, name) || !discard(global, name))
            return 0;
    }
    else {
        contained = bound != NULL ? PySet_Contains(bound, name) : 0;
        if (contained < 0)
            return 0;
        if (contained) {
            where = SCOPE_FREE;
            scope->free = 1;
            if (!add(free_names, name))
                return 0;
        }
        else {
            contained = PySet_Contains(global, name);
            if (contained < 0)
                return 0;
            if (!contained && scope->nested)
                scope->free = 1;
            where = SCOPE_GLOBAL_IMPLICIT;
        }
    }
    return symtable_set_flags(result, name, where);
}

/* Locals of a function that inner scopes use become cells, and are not free any further out. */
static int make_cells(PyObject *result, PyObject *free_names)
{
    PyObject *name, *value;
    Py_ssize_t position = 0;
    while (PyDict_Next(result, &position, &name, &value)) {
        if (PyLong_AsLong(value) != SCOPE_LOCAL)
            continue;
        int contained = PySet_Contains(free_names, name);
        if (contained < 0)
            return 0;
        if (contained && (!symtable_set_flags(result, name, SCOPE_CELL) || !discard(free_names, name)))
            return 0;
    }
    return 1;
}

static int take_class_cell(scope_t *scope, PyObject *free_names)
{
    int removed = PySet_Discard(free_names, STR(__class__));
    if (removed < 0)
        return 0;
    if (removed)
        scope->needs_class_closure = 1;
    return 1;
}

/* Writes the decisions into the symbols, and adds the names that pass through on their way to inner scopes. */
static int store_decisions(scope_t *scope, PyObject *result, PyObject *bound, PyObject *free_names)
{
    PyObject *name, *value;
    Py_ssize_t position = 0;
    while (PyDict_Next(result, &position, &name, &value)) {
        long flags = symbol_flags(scope, name) | PyLong_AsLong(value) << SCOPE_SHIFT;
        if (!symtable_set_flags(scope->symbols, name, flags))
            return 0;
    }
    PyObject *names = PySequence_List(free_names);
    if (names == NULL || PyList_Sort(names) < 0) {
        Py_XDECREF(names);
        return 0;
    }
    int ok = 1;
    for (Py_ssize_t i = 0; ok && i < PyList_GET_SIZE(names); i++) {
        name = PyList_GET_ITEM(names, i);
        int known = PyDict_Contains(scope->symbols, name);
        if (known < 0)
            ok = 0;
        else if (known) {
            /* a class that has the name itself: its methods' free variable is another one */
            long flags = symbol_flags(scope, name);
            if (scope->kind == SCOPE_CLASS && (flags & (DEF_BOUND | DEF_GLOBAL)))
                ok = symtable_set_flags(scope->symbols, name, flags | DEF_FREE_CLASS);
        }
        else {
            int is_bound = bound != NULL ? PySet_Contains(bound, name) : 0;
            if (is_bound < 0)
                ok = 0;
            else if (is_bound)
                ok = symtable_set_flags(scope->symbols, name, DEF_FREE | (long)SCOPE_FREE << SCOPE_SHIFT);
        }
    }
    Py_DECREF(names);
    return ok;
}

static int analyze_scope(symtable_t *st, scope_t *scope, PyObject *bound, PyObject *free_names, PyObject *global);

/* Inner scopes see copies, so that siblings do not disturb each other. */
static int analyze_child(symtable_t *st, scope_t *child, PyObject *bound, PyObject *free_names, PyObject *global, PyObject *child_free)
{
    PyObject *own_bound = bound != NULL ? PySet_New(bound) : PySet_New(NULL);
    PyObject *own_free = PySet_New(free_names), *own_global = PySet_New(global);
    int ok = own_bound != NULL && own_free != NULL && own_global != NULL
             && analyze_scope(st, child, own_bound, own_free, own_global) && _PySet_Update(child_free, own_free) == 0;
    Py_XDECREF(own_bound);
    Py_XDECREF(own_free);
    Py_XDECREF(own_global);
    return ok;
}

static int analyze_scope_body(symtable_t *st, scope_t *scope, PyObject *bound, PyObject *free_names, PyObject *global)
{
    PyObject *local = PySet_New(NULL), *result = PyDict_New(), *new_bound = PySet_New(NULL), *new_free = PySet_New(NULL),
             *new_global = PySet_New(NULL), *name, *value;
    int ok = 0;
    Py_ssize_t position = 0;
    if (local == NULL || result == NULL || new_bound == NULL || new_free == NULL || new_global == NULL)
        goto done;
    /* names bound in a class are invisible to its methods: pass on what came from outside before looking at them */
    if (scope->kind == SCOPE_CLASS
        && (_PySet_Update(new_global, global) < 0 || (bound != NULL && _PySet_Update(new_bound, bound) < 0)))
        goto done;
    while (PyDict_Next(scope->symbols, &position, &name, &value))
        if (!analyze_name(st, scope, result, name, PyLong_AsLong(value), bound, local, free_names, global))
            goto done;
    if (scope->kind != SCOPE_CLASS) {
        if ((scope->kind == SCOPE_FUNCTION && _PySet_Update(new_bound, local) < 0)
            || (bound != NULL && _PySet_Update(new_bound, bound) < 0) || _PySet_Update(new_global, global) < 0)
            goto done;
    }
    else if (!add(new_bound, STR(__class__)))
        goto done;
    for (scope_t *child = scope->first_child; child != NULL; child = child->next_sibling) {
        if (!analyze_child(st, child, new_bound, new_free, new_global, new_free))
            goto done;
        if (child->free || child->child_free)
            scope->child_free = 1;
    }
    if (scope->kind == SCOPE_FUNCTION ? !make_cells(result, new_free)
                                      : scope->kind == SCOPE_CLASS && !take_class_cell(scope, new_free))
        goto done;
    if (!store_decisions(scope, result, bound, new_free))
        goto done;
    ok = _PySet_Update(free_names, new_free) == 0;
done:
    Py_XDECREF(local);
    Py_XDECREF(result);
    Py_XDECREF(new_bound);
    Py_XDECREF(new_free);
    Py_XDECREF(new_global);
    return ok;
}

static int analyze_scope(symtable_t *st, scope_t *scope, PyObject *bound, PyObject *free_names, PyObject *global)
{
    if (Py_EnterRecursiveCall(" during compilation"))
        return 0;
    int ok = analyze_scope_body(st, scope, bound, free_names, global);
    Py_LeaveRecursiveCall();
    return ok;
}

int symtable_analyze(symtable_t *st)
{
    PyObject *free_names = PySet_New(NULL), *global = PySet_New(NULL);
    int ok = free_names != NULL && global != NULL && analyze_scope(st, st->top, NULL, free_names, global);
    Py_XDECREF(free_names);
    Py_XDECREF(global);
    return ok;
}
