/* One code object under construction: slots, names, constants, emitted instructions. */
#include "Python.h"

#include "compiler_internal.h"
#include "well_known_strings.h"

/* ---- Entering and leaving ---- */

/* All names of the scope that have one of the given meanings, in the order of the symbol table, become name -> number from `first`. */
static PyObject *number_names(PyObject *symbols, symbol_scope_t wanted, long flag, int first, int sorted)
{
    PyObject *dict = PyDict_New(), *names = PyDict_Keys(symbols);
    if (dict == NULL || names == NULL || (sorted && PyList_Sort(names) < 0))
        goto fail;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(names); i++) {
        PyObject *name = PyList_GET_ITEM(names, i), *value;
        if (PyDict_GetItemRef(symbols, name, &value) <= 0)
            goto fail;
        long flags = PyLong_AsLong(value);
        Py_DECREF(value);
        if (symbol_scope(flags) != wanted && !(flag && (flags & flag)))
            continue;
        value = PyLong_FromSsize_t(first + PyDict_GET_SIZE(dict));
        int status = value != NULL ? PyDict_SetItem(dict, name, value) : -1;
        Py_XDECREF(value);
        if (status < 0)
            goto fail;
    }
    Py_DECREF(names);
    return dict;
fail:
    Py_XDECREF(dict);
    Py_XDECREF(names);
    return NULL;
}

static int add_numbered(PyObject *dict, PyObject *name, int number)
{
    PyObject *value = PyLong_FromLong(number);
    int status = value != NULL ? PyDict_SetItem(dict, name, value) : -1;
    Py_XDECREF(value);
    return status == 0;
}

/* Parameters first, then the other locals of a function. Captured parameters keep their parameter slot. */
static PyObject *number_locals(scope_t *scope)
{
    PyObject *dict = PyDict_New();
    if (dict == NULL)
        return NULL;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(scope->varnames); i++)
        if (!add_numbered(dict, PyList_GET_ITEM(scope->varnames, i), (int)i))
            goto fail;
    if (scope->kind == SCOPE_FUNCTION) {
        PyObject *name, *value;
        Py_ssize_t position = 0;
        while (PyDict_Next(scope->symbols, &position, &name, &value)) {
            if (symbol_scope(PyLong_AsLong(value)) != SCOPE_LOCAL || PyDict_Contains(dict, name))
                continue;
            if (!add_numbered(dict, name, (int)PyDict_GET_SIZE(dict)))
                goto fail;
        }
    }
    return dict;
fail:
    Py_DECREF(dict);
    return NULL;
}

static PyObject *make_qualname(compiler_t *c, unit_t *u)
{
    unit_t *outer = u->outer;
    if (outer == NULL || outer->kind == UNIT_MODULE)
        return Py_NewRef(u->name);
    if (u->kind == UNIT_FUNCTION || u->kind == UNIT_ASYNC_FUNCTION || u->kind == UNIT_CLASS) {
        PyObject *mangled = symtable_mangle(outer->class_name, u->name);
        if (mangled == NULL)
            return NULL;
        symbol_scope_t where = symbol_scope(symbol_flags(outer->scope, mangled));
        Py_DECREF(mangled);
        if (where == SCOPE_GLOBAL_EXPLICIT)
            return Py_NewRef(u->name);
    }
    (void)c;
    if (outer->kind == UNIT_CLASS)
        return PyUnicode_FromFormat("%U.%U", outer->qualname, u->name);
    return PyUnicode_FromFormat("%U.<locals>.%U", outer->qualname, u->name);
}

int unit_enter(compiler_t *c, unit_kind_t kind, PyObject *name, void *node, int firstlineno)
{
    unit_t *u = PyMem_Calloc(1, sizeof(unit_t));
    if (u == NULL) {
        PyErr_NoMemory();
        return 0;
    }
    u->outer = c->unit;
    c->unit = u;
    u->kind = kind;
    u->handler = -1;
    u->firstlineno = firstlineno;
    u->position = (position_t){firstlineno, firstlineno, 0, 0};
    u->name = Py_NewRef(name);
    u->scope = symtable_scope(c->symtable, node);
    if (u->scope == NULL)
        goto fail;
    u->class_name = Py_XNewRef(u->scope->class_name);
    u->varnames = number_locals(u->scope);
    if (u->varnames == NULL)
        goto fail;
    u->nlocals = (int)PyDict_GET_SIZE(u->varnames);
    u->cellvars = number_names(u->scope->symbols, SCOPE_CELL, 0, u->nlocals, 1);
    if (u->cellvars == NULL)
        goto fail;
    if (u->scope->needs_class_closure && PyDict_Contains(u->cellvars, STR(__class__)) == 0
        && !add_numbered(u->cellvars, STR(__class__), u->nlocals + (int)PyDict_GET_SIZE(u->cellvars)))
        goto fail;
    u->freevars = number_names(u->scope->symbols, SCOPE_FREE, DEF_FREE_CLASS, u->nlocals + (int)PyDict_GET_SIZE(u->cellvars), 1);
    u->names = PyDict_New();
    u->consts = PyDict_New();
    u->const_list = PyList_New(0);
    u->qualname = make_qualname(c, u);
    if (u->freevars == NULL || u->names == NULL || u->consts == NULL || u->const_list == NULL || u->qualname == NULL)
        goto fail;
    u->temp_base = u->nlocals + (int)PyDict_GET_SIZE(u->cellvars) + (int)PyDict_GET_SIZE(u->freevars);
    if (u->temp_base > 60000) {
        compile_error(c, "too many local variables");
        goto fail;
    }
    return 1;
fail:
    unit_leave(c);
    return 0;
}

void unit_leave(compiler_t *c)
{
    unit_t *u = c->unit;
    c->unit = u->outer;
    Py_XDECREF(u->name);
    Py_XDECREF(u->qualname);
    Py_XDECREF(u->class_name);
    Py_XDECREF(u->varnames);
    Py_XDECREF(u->cellvars);
    Py_XDECREF(u->freevars);
    Py_XDECREF(u->names);
    Py_XDECREF(u->consts);
    Py_XDECREF(u->const_list);
    PyMem_Free(u->code);
    PyMem_Free(u->labels);
    PyMem_Free(u->handlers);
    PyMem_Free(u);
}

/* ---- Emitting ---- */

static int grow(void **array, int *room, int used, size_t item)
{
    if (used < *room)
        return 1;
    int more = *room * 2 + 32;
    void *p = PyMem_Realloc(*array, (size_t)more * item);
    if (p == NULL) {
        PyErr_NoMemory();
        return 0;
    }
    *array = p;
    *room = more;
    return 1;
}

static emitted_t *emit(compiler_t *c, opcode_t op)
{
    static BRAID_TLS emitted_t nowhere;     /* unreachable code is compiled, for its errors, and dropped */
    unit_t *u = c->unit;
    if (u->unreachable)
        return &nowhere;
    if (!grow((void **)&u->code, &u->room, u->used, sizeof(emitted_t)))
        return NULL;
    emitted_t *e = &u->code[u->used++];
    memset(e, 0, sizeof(*e));
    e->op = (uint16_t)op;
    e->caches = opcode_table[op].caches;
    e->target = NO_LABEL;
    e->handler = u->handler;
    e->position = u->position;
    return e;
}

int emit_cached(compiler_t *c, opcode_t op, unsigned a, unsigned b, unsigned cc, uint64_t cache)
{
    emitted_t *e = emit(c, op);
    if (e == NULL)
        return 0;
    if (a > 0xffff || b > 0xffff || cc > 0xffff)
        return compile_error(c, "the function is too large: too many names, constants or values at once");
    e->a = a;
    e->b = b;
    e->c = cc;
    e->cache = cache;
    if (opcode_table[op].flags & OPCODE_END)
        c->unit->unreachable = 1;
    return 1;
}

int emit_abc(compiler_t *c, opcode_t op, unsigned a, unsigned b, unsigned cc) { return emit_cached(c, op, a, b, cc, 0); }

int emit_ax(compiler_t *c, opcode_t op, unsigned a, int32_t x)
{
    emitted_t *e = emit(c, op);
    if (e == NULL)
        return 0;
    if (a > 0xffff)
        return compile_error(c, "the function is too large: too many values at once");
    e->a = a;
    e->x = x;
    if (opcode_table[op].flags & OPCODE_END)
        c->unit->unreachable = 1;
    return 1;
}

int emit_jump(compiler_t *c, opcode_t op, unsigned a, unsigned b, label_t target)
{
    emitted_t *e = emit(c, op);
    if (e == NULL || target < 0)
        return 0;
    e->a = a;
    e->b = b;
    e->target = target;
    if (op == OP_JUMP)
        c->unit->unreachable = 1;
    return 1;
}

label_t label_new(compiler_t *c)
{
    unit_t *u = c->unit;
    if (!grow((void **)&u->labels, &u->label_room, u->label_count, sizeof(int)))
        return NO_LABEL;
    u->labels[u->label_count] = -1;
    return u->label_count++;
}

int label_here(compiler_t *c, label_t label)
{
    if (label < 0)
        return 0;
    c->unit->labels[label] = c->unit->used;
    c->unit->unreachable = 0;
    return 1;
}

int handler_begin(compiler_t *c, label_t label, int *outer)
{
    unit_t *u = c->unit;
    *outer = u->handler;
    if (label < 0 || !grow((void **)&u->handlers, &u->handler_room, u->handler_count, sizeof(handler_t)))
        return 0;
    u->handlers[u->handler_count] = (handler_t){label, u->depth, 0};
    u->handler = u->handler_count++;
    if (u->depth + 3 > u->max_depth)
        u->max_depth = u->depth + 3;
    return 1;
}

void handler_keep_position(compiler_t *c)
{
    unit_t *u = c->unit;
    u->handlers[u->handler].flags = EXCEPTION_KEEPS_POSITION;
    if (u->depth + 3 > u->max_depth)
        u->max_depth = u->depth + 3;
}

int temp(compiler_t *c)
{
    unit_t *u = c->unit;
    int slot = u->temp_base + u->depth++;
    if (u->depth > u->max_depth)
        u->max_depth = u->depth;
    return slot;
}

/* ---- Constants and names ---- */

/* A key under which equal constants of equal types are one: 1, 1.0 and True are not, nor 0.0 and -0.0. */
/* (frozenset, keys of its items) */
static PyObject *frozenset_key(PyObject *op)
{
    PyObject *keys = PyFrozenSet_New(NULL), *item;
    Py_ssize_t at = 0;
    Py_hash_t hash;
    while (keys != NULL && _PySet_NextEntry(op, &at, &item, &hash)) {
        PyObject *key = _PyCode_ConstantKey(item);
        if (key == NULL || PySet_Add(keys, key) < 0)
            Py_CLEAR(keys);
        Py_XDECREF(key);
    }
    return keys != NULL ? Py_BuildValue("(ON)", (PyObject *)&PyFrozenSet_Type, keys) : NULL;
}

PyObject *_PyCode_ConstantKey(PyObject *op)
{
    if (PyFloat_CheckExact(op)) {
        double d = PyFloat_AS_DOUBLE(op);
        return Py_BuildValue("(OOi)", (PyObject *)Py_TYPE(op), op, signbit(d) != 0);
    }
    if (PyComplex_CheckExact(op)) {
        Py_complex z = PyComplex_AsCComplex(op);
        return Py_BuildValue("(OOii)", (PyObject *)Py_TYPE(op), op, signbit(z.real) != 0, signbit(z.imag) != 0);
    }
    if (PyTuple_CheckExact(op)) {
        Py_ssize_t n = PyTuple_GET_SIZE(op);
        PyObject *keys = PyTuple_New(n);
        for (Py_ssize_t i = 0; i < n && keys != NULL; i++) {
            PyObject *key = _PyCode_ConstantKey(PyTuple_GET_ITEM(op, i));
            if (key == NULL)
                Py_CLEAR(keys);
            else
                PyTuple_SET_ITEM(keys, i, key);
        }
        return keys != NULL ? Py_BuildValue("(ON)", (PyObject *)&PyTuple_Type, keys) : NULL;
    }
    if (PyUnicode_CheckExact(op) || PyLong_CheckExact(op) || PyBytes_CheckExact(op) || PyBool_Check(op) || op == Py_None
        || op == Py_Ellipsis)
        return PyTuple_Pack(2, (PyObject *)Py_TYPE(op), op);
    if (PyFrozenSet_CheckExact(op))
        return frozenset_key(op);
    if (PyCode_Check(op))
        return Py_NewRef(op);
    return Py_BuildValue("(ON)", (PyObject *)Py_TYPE(op), PyLong_FromVoidPtr(op));
}

int const_index(compiler_t *c, PyObject *value)
{
    unit_t *u = c->unit;
    PyObject *key = _PyCode_ConstantKey(value), *found = NULL;
    long index = -1;
    if (key == NULL)
        return -1;
    int status = PyDict_GetItemRef(u->consts, key, &found);
    if (status > 0) {
        index = PyLong_AsLong(found);
        Py_DECREF(found);
    }
    else if (status == 0) {
        index = (long)PyList_GET_SIZE(u->const_list);
        PyObject *number = PyLong_FromLong(index);
        if (number == NULL || PyDict_SetItem(u->consts, key, number) < 0 || PyList_Append(u->const_list, value) < 0)
            index = -1;
        Py_XDECREF(number);
    }
    Py_DECREF(key);
    return (int)index;
}

int name_index(compiler_t *c, PyObject *name)
{
    PyObject *mangled = symtable_mangle(c->unit->class_name, name), *found = NULL;
    long index = -1;
    if (mangled == NULL)
        return -1;
    int status = PyDict_GetItemRef(c->unit->names, mangled, &found);
    if (status > 0) {
        index = PyLong_AsLong(found);
        Py_DECREF(found);
    }
    else if (status == 0) {
        index = (long)PyDict_GET_SIZE(c->unit->names);
        if (!add_numbered(c->unit->names, mangled, (int)index))
            index = -1;
    }
    Py_DECREF(mangled);
    return (int)index;
}

int load_const(compiler_t *c, int dst, PyObject *value)
{
    if (PyLong_CheckExact(value) && value_is_int(value) && value_get_int(value) == (int32_t)value_get_int(value))
        return emit_ax(c, OP_LOAD_INT, (unsigned)dst, (int32_t)value_get_int(value));
    int index = const_index(c, value);
    return index >= 0 && emit_ax(c, OP_LOAD_CONST, (unsigned)dst, index);
}

int load_const_steal(compiler_t *c, int dst, PyObject *value)
{
    int ok = value != NULL && load_const(c, dst, value);
    Py_XDECREF(value);
    return ok;
}

/* ---- Positions ---- */

void set_attribute_position(compiler_t *c, expr_ty whole, expr_ty attribute)
{
    position_t *p = &c->unit->position;
    SET_POSITION(c, whole);
    if (p->line == attribute->end_lineno)
        return;
    Py_ssize_t length = PyUnicode_GET_LENGTH(attribute->v.Attribute.attr);
    p->line = attribute->end_lineno;
    if (length <= attribute->end_col_offset)
        p->column = attribute->end_col_offset - (int)length;
    else
        p->column = p->end_column = -1;         /* a tree that no source has */
}

/* ---- Messages ---- */

int compile_error(compiler_t *c, const char *format, ...)
{
    va_list va;
    va_start(va, format);
    PyObject *message = PyUnicode_FromFormatV(format, va);
    va_end(va);
    if (message == NULL)
        return 0;
    position_t p = c->unit->position;
    PyObject *text = PyErr_ProgramTextObject(c->filename, p.line);
    PyObject *args = Py_BuildValue("(O(OiiOii))", message, c->filename, p.line, p.column + 1, text != NULL ? text : Py_None,
                                   p.end_line, p.end_column + 1);
    if (args != NULL)
        PyErr_SetObject(PyExc_SyntaxError, args);
    Py_XDECREF(args);
    Py_XDECREF(text);
    Py_DECREF(message);
    return 0;
}

int compile_warning(compiler_t *c, const char *format, ...)
{
    va_list va;
    va_start(va, format);
    PyObject *message = PyUnicode_FromFormatV(format, va);
    va_end(va);
    if (message == NULL)
        return 0;
    int status = PyErr_WarnExplicitObject(PyExc_SyntaxWarning, message, c->filename, c->unit->position.line, NULL, NULL);
    if (status < 0 && PyErr_ExceptionMatches(PyExc_SyntaxWarning)) {
        PyErr_Clear();
        compile_error(c, "%U", message);
    }
    Py_DECREF(message);
    return status == 0;
}

/* ---- Names ---- */

static int numbered(PyObject *dict, PyObject *name)
{
    PyObject *value;
    if (PyDict_GetItemRef(dict, name, &value) <= 0)
        return -1;
    int number = (int)PyLong_AsLong(value);
    Py_DECREF(value);
    return number;
}

/* Where a class body finds a name: the __class__ of a class around it is not the cell that its own methods see. */
static int scope_cell_slot(compiler_t *c, symbol_scope_t where, PyObject *name)
{
    int slot = where == SCOPE_FREE ? numbered(c->unit->freevars, name) : -1;
    return slot >= 0 || PyErr_Occurred() ? slot : cell_slot(c, name);
}

int cell_slot(compiler_t *c, PyObject *name)
{
    int slot = numbered(c->unit->cellvars, name);
    if (slot < 0)
        slot = numbered(c->unit->freevars, name);
    if (slot < 0 && !PyErr_Occurred())
        PyErr_Format(PyExc_SystemError, "no cell for %R in %U", name, c->unit->name);
    return slot;
}

int name_resolve(compiler_t *c, PyObject *name, name_kind_t *kind, int *slot, int *index)
{
    unit_t *u = c->unit;
    PyObject *mangled = symtable_mangle(u->class_name, name);
    if (mangled == NULL)
        return 0;
    symbol_scope_t where = symbol_scope(symbol_flags(u->scope, mangled));
    int is_function = u->scope->kind == SCOPE_FUNCTION;
    *slot = *index = -1;
    switch (where) {
    case SCOPE_FREE:
    case SCOPE_CELL:
        *kind = where == SCOPE_FREE && u->scope->kind == SCOPE_CLASS ? NAME_CLASSDEREF : NAME_DEREF;
        *slot = scope_cell_slot(c, where, mangled);
        break;
    case SCOPE_LOCAL:
        *kind = is_function ? NAME_FAST : NAME_NAME;
        if (is_function)
            *slot = numbered(u->varnames, mangled);
        break;
    case SCOPE_GLOBAL_IMPLICIT:
        *kind = is_function ? NAME_GLOBAL : NAME_NAME;
        break;
    case SCOPE_GLOBAL_EXPLICIT:
        *kind = NAME_GLOBAL;
        break;
    default:
        *kind = NAME_NAME;
    }
    int ok = 1;
    if (*kind == NAME_FAST || *kind == NAME_DEREF || *kind == NAME_CLASSDEREF)
        ok = *slot >= 0;
    if (*kind == NAME_GLOBAL || *kind == NAME_NAME || *kind == NAME_CLASSDEREF) {
        *index = name_index(c, name);
        ok = ok && *index >= 0;
    }
    Py_DECREF(mangled);
    return ok && !PyErr_Occurred();
}

int local_slot(compiler_t *c, PyObject *name)
{
    unit_t *u = c->unit;
    if (u->scope->kind != SCOPE_FUNCTION)
        return -1;
    PyObject *mangled = symtable_mangle(u->class_name, name);
    if (mangled == NULL) {
        PyErr_Clear();
        return -1;
    }
    int slot = symbol_scope(symbol_flags(u->scope, mangled)) == SCOPE_LOCAL ? numbered(u->varnames, mangled) : -1;
    Py_DECREF(mangled);
    return slot;
}

static int check_forbidden(compiler_t *c, PyObject *name, const char *verb)
{
    if (PyUnicode_CompareWithASCIIString(name, "__debug__") == 0)
        return compile_error(c, "cannot %s __debug__", verb);
    return 1;
}

int compile_load_name(compiler_t *c, PyObject *name, int dst)
{
    name_kind_t kind;
    int slot, index;
    if (PyUnicode_CompareWithASCIIString(name, "None") == 0)
        return load_const(c, dst, Py_None);
    if (!name_resolve(c, name, &kind, &slot, &index))
        return 0;
    switch (kind) {
    case NAME_FAST: return emit_abc(c, OP_MOVE, (unsigned)dst, (unsigned)slot, 0);
    case NAME_DEREF: return emit_abc(c, OP_LOAD_DEREF, (unsigned)dst, (unsigned)slot, 0);
    case NAME_CLASSDEREF: return emit_abc(c, OP_LOAD_CLASSDEREF, (unsigned)dst, (unsigned)slot, (unsigned)index);
    case NAME_GLOBAL: return emit_ax(c, OP_LOAD_GLOBAL, (unsigned)dst, index);
    default: return emit_ax(c, OP_LOAD_NAME, (unsigned)dst, index);
    }
}

int compile_store_name(compiler_t *c, PyObject *name, int src)
{
    name_kind_t kind;
    int slot, index;
    if (!check_forbidden(c, name, "assign to") || !name_resolve(c, name, &kind, &slot, &index))
        return 0;
    switch (kind) {
    case NAME_FAST:
        if (slot == src)
            return 1;
        return emit_abc(c, is_temp(c, src) ? OP_TAKE : OP_MOVE, (unsigned)slot, (unsigned)src, 0);
    case NAME_DEREF:
    case NAME_CLASSDEREF: return emit_abc(c, OP_STORE_DEREF, (unsigned)slot, (unsigned)src, 0);
    case NAME_GLOBAL: return emit_ax(c, OP_STORE_GLOBAL, (unsigned)src, index);
    default: return emit_ax(c, OP_STORE_NAME, (unsigned)src, index);
    }
}

int compile_delete_name(compiler_t *c, PyObject *name)
{
    name_kind_t kind;
    int slot, index;
    if (!check_forbidden(c, name, "delete") || !name_resolve(c, name, &kind, &slot, &index))
        return 0;
    switch (kind) {
    case NAME_FAST: return emit_abc(c, OP_DELETE_FAST, (unsigned)slot, 0, 0);
    case NAME_DEREF:
    case NAME_CLASSDEREF: return emit_abc(c, OP_DELETE_DEREF, (unsigned)slot, 0, 0);
    case NAME_GLOBAL: return emit_ax(c, OP_DELETE_GLOBAL, 0, index);
    default: return emit_ax(c, OP_DELETE_NAME, 0, index);
    }
}

int compile_unbind_name(compiler_t *c, PyObject *name)
{
    name_kind_t kind;
    int slot, index;
    if (!name_resolve(c, name, &kind, &slot, &index))
        return 0;
    if (kind == NAME_FAST)
        return emit_abc(c, OP_CLEAR_FAST, (unsigned)slot, 0, 0);
    if (kind == NAME_DEREF || kind == NAME_CLASSDEREF)
        return emit_abc(c, OP_CLEAR_DEREF, (unsigned)slot, 0, 0);
    /* the body may have deleted it: bind it first */
    int depth = c->unit->depth, t = temp(c);
    int ok = load_const(c, t, Py_None) && compile_store_name(c, name, t) && compile_delete_name(c, name);
    set_depth(c, depth);
    return ok;
}
