/* The Python side of code objects: attributes, co_lines, co_positions, replace, comparison. */
#include "Python.h"

#include "code_internal.h"
#include "positions.h"
#include "structmember.h"

#define CODE(op) ((PyCodeObject *)(op))

/* ---- Positions ---- */

int PyCode_Addr2Location(PyCodeObject *code, int word, int *line, int *column, int *end_line, int *end_column)
{
    position_t p = word < 0 ? (position_t){code->co_firstlineno, -1, -1, -1} : positions_find(code, (uint32_t)word / CODE_UNIT);
    *line = p.line;
    *column = p.column;
    *end_line = p.end_line;
    *end_column = p.end_column;
    return 1;
}

int PyCode_Addr2Line(PyCodeObject *code, int word)
{
    return word < 0 ? code->co_firstlineno : positions_find(code, (uint32_t)word / CODE_UNIT).line;
}

static PyObject *int_or_none(int value) { return value < 0 ? Py_None : PyLong_FromLong(value); }

/* One (start, end, line) per run of words of the same line. */
static PyObject *code_lines(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    PyObject *list = PyList_New(0);
    positions_reader_t r;
    uint32_t start = 0;
    int line = -2;
    if (list == NULL)
        return NULL;
    positions_reader_init(&r, CODE(op));
    for (int more = 1; more;) {
        more = positions_reader_next(&r);
        if (more && (r.position.line == line || line == -2)) {
            line = r.position.line;
            continue;
        }
        uint32_t end = more ? r.start_word : r.end_word;
        if (line != -2 && end > start) {
            PyObject *entry = Py_BuildValue("(IIN)", start * CODE_UNIT, end * CODE_UNIT, int_or_none(line));
            if (entry == NULL || PyList_Append(list, entry) < 0) {
                Py_XDECREF(entry);
                Py_DECREF(list);
                return NULL;
            }
            Py_DECREF(entry);
        }
        if (more) {
            start = r.start_word;
            line = r.position.line;
        }
    }
    PyObject *iterator = PyObject_GetIter(list);
    Py_DECREF(list);
    return iterator;
}

/* One (line, end line, column, end column) per instruction word. */
static PyObject *code_positions(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    PyObject *list = PyList_New(0);
    positions_reader_t r;
    if (list == NULL)
        return NULL;
    positions_reader_init(&r, CODE(op));
    while (positions_reader_next(&r)) {
        PyObject *entry = Py_BuildValue("(NNNN)", int_or_none(r.position.line), int_or_none(r.position.end_line),
                                        int_or_none(r.position.column), int_or_none(r.position.end_column));
        int status = entry != NULL ? 0 : -1;
        for (uint32_t i = r.start_word; i < r.end_word && i < CODE(op)->co_ninstructions && status == 0; i++)
            status = PyList_Append(list, entry);
        Py_XDECREF(entry);
        if (status < 0) {
            Py_DECREF(list);
            return NULL;
        }
    }
    PyObject *iterator = PyObject_GetIter(list);
    Py_DECREF(list);
    return iterator;
}

/* ---- Attributes ---- */

PyObject *PyCode_GetCode(PyCodeObject *code) { return code_get_clean_instructions(code); }
PyObject *PyCode_GetVarnames(PyCodeObject *code) { return Py_NewRef(code->co_varnames); }
PyObject *PyCode_GetCellvars(PyCodeObject *code) { return Py_NewRef(code->co_cellvars); }
PyObject *PyCode_GetFreevars(PyCodeObject *code) { return Py_NewRef(code->co_freevars); }
Py_ssize_t PyCode_GetNumFree(PyCodeObject *code) { return code->co_nfreevars; }

static PyObject *get_code(PyObject *op, void *Py_UNUSED(c)) { return code_get_clean_instructions(CODE(op)); }

static PyObject *get_exception_table(PyObject *op, void *Py_UNUSED(c))
{
    return PyBytes_FromStringAndSize((char *)CODE(op)->co_exceptions,
                                     (Py_ssize_t)(CODE(op)->co_nexceptions * sizeof(exception_entry_t)));
}

static PyObject *get_stacksize(PyObject *op, void *Py_UNUSED(c))
{
    return PyLong_FromLong(CODE(op)->co_nslots - CODE(op)->co_temp_base);
}

/* The older form of the line table (PEP 626 describes both): pairs of byte increments, in units of words. */
static PyObject *get_lnotab(PyObject *op, void *Py_UNUSED(c))
{
    PyObject *bytes = PyByteArray_FromStringAndSize(NULL, 0), *result;
    positions_reader_t r;
    int line = CODE(op)->co_firstlineno;
    uint32_t word = 0;
    positions_reader_init(&r, CODE(op));
    while (bytes != NULL && positions_reader_next(&r)) {
        int target = r.position.line;
        if (target < 0 || target == line)
            continue;
        while (word != r.start_word || line != target) {
            uint32_t dw = r.start_word - word > 255 ? 255 : r.start_word - word;
            int dl = dw == r.start_word - word ? target - line : 0;
            dl = dl > 127 ? 127 : dl < -128 ? -128 : dl;
            Py_ssize_t n = PyByteArray_GET_SIZE(bytes);
            if (PyByteArray_Resize(bytes, n + 2) < 0) {
                Py_CLEAR(bytes);
                break;
            }
            PyByteArray_AS_STRING(bytes)[n] = (char)dw;
            PyByteArray_AS_STRING(bytes)[n + 1] = (char)dl;
            word += dw;
            line += dl;
        }
    }
    result = bytes != NULL ? PyBytes_FromStringAndSize(PyByteArray_AS_STRING(bytes), PyByteArray_GET_SIZE(bytes)) : NULL;
    Py_XDECREF(bytes);
    return result;
}

static PyGetSetDef code_getset[] = {
    {"co_code", get_code, NULL, NULL, NULL},
    {"_co_code_adaptive", get_code, NULL, NULL, NULL},
    {"co_exceptiontable", get_exception_table, NULL, NULL, NULL},
    {"co_stacksize", get_stacksize, NULL, NULL, NULL},
    {"co_lnotab", get_lnotab, NULL, NULL, NULL},
    {NULL},
};

#define OFFSET(field) offsetof(PyCodeObject, field)
static PyMemberDef code_members[] = {
    {"co_argcount", T_INT, OFFSET(co_argcount), READONLY, NULL},
    {"co_posonlyargcount", T_INT, OFFSET(co_posonlyargcount), READONLY, NULL},
    {"co_kwonlyargcount", T_INT, OFFSET(co_kwonlyargcount), READONLY, NULL},
    {"co_nlocals", T_INT, OFFSET(co_nlocals), READONLY, NULL},
    {"co_flags", T_INT, OFFSET(co_flags), READONLY, NULL},
    {"co_firstlineno", T_INT, OFFSET(co_firstlineno), READONLY, NULL},
    {"co_consts", T_OBJECT, OFFSET(co_consts), READONLY | _Py_MEMBER_LOCK_FREE, NULL},
    {"co_names", T_OBJECT, OFFSET(co_names), READONLY | _Py_MEMBER_LOCK_FREE, NULL},
    {"co_varnames", T_OBJECT, OFFSET(co_varnames), READONLY | _Py_MEMBER_LOCK_FREE, NULL},
    {"co_cellvars", T_OBJECT, OFFSET(co_cellvars), READONLY | _Py_MEMBER_LOCK_FREE, NULL},
    {"co_freevars", T_OBJECT, OFFSET(co_freevars), READONLY | _Py_MEMBER_LOCK_FREE, NULL},
    {"co_filename", T_OBJECT, OFFSET(co_filename), READONLY | _Py_MEMBER_LOCK_FREE, NULL},
    {"co_name", T_OBJECT, OFFSET(co_name), READONLY | _Py_MEMBER_LOCK_FREE, NULL},
    {"co_qualname", T_OBJECT, OFFSET(co_qualname), READONLY | _Py_MEMBER_LOCK_FREE, NULL},
    {"co_linetable", T_OBJECT, OFFSET(co_linetable), READONLY | _Py_MEMBER_LOCK_FREE, NULL},
    {NULL},
};

/* ---- replace and the constructor ---- */

/* Instructions and exception table as bytes: checked for size here, for content by code_new. */
static int set_tables(code_init_t *init, PyObject *code, PyObject *exceptions)
{
    if (PyBytes_GET_SIZE(code) % (Py_ssize_t)sizeof(instruction_t) != 0
        || PyBytes_GET_SIZE(exceptions) % (Py_ssize_t)sizeof(exception_entry_t) != 0) {
        PyErr_SetString(PyExc_ValueError, "code: co_code is malformed");
        return -1;
    }
    init->instructions = (const instruction_t *)(const void *)PyBytes_AS_STRING(code);
    init->ninstructions = (uint32_t)((size_t)PyBytes_GET_SIZE(code) / sizeof(instruction_t));
    init->exceptions = (const exception_entry_t *)(const void *)PyBytes_AS_STRING(exceptions);
    init->nexceptions = (uint32_t)((size_t)PyBytes_GET_SIZE(exceptions) / sizeof(exception_entry_t));
    if (init->ninstructions == 0)
        init->nexceptions = 0;
    return 0;
}

/* Audit hooks learn of code that is put together by hand. */
static int audit_new(const code_init_t *init, PyObject *instructions, int nlocals, int stacksize)
{
    return PySys_Audit("code.__new__", "OOOiiiiii", instructions, init->filename, init->name, init->argcount,
                       init->posonlyargcount, init->kwonlyargcount, nlocals, stacksize, init->flags);
}

static PyObject *code_replace(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"co_argcount", "co_posonlyargcount", "co_kwonlyargcount", "co_nlocals", "co_stacksize", "co_flags",
                               "co_firstlineno", "co_code", "co_consts", "co_names", "co_varnames", "co_freevars",
                               "co_cellvars", "co_filename", "co_name", "co_qualname", "co_linetable", "co_exceptiontable", NULL};
    PyCodeObject *self = CODE(op);
    code_init_t init = {.argcount = self->co_argcount, .posonlyargcount = self->co_posonlyargcount,
                        .kwonlyargcount = self->co_kwonlyargcount, .flags = self->co_flags, .firstlineno = self->co_firstlineno,
                        .consts = self->co_consts, .names = self->co_names, .varnames = self->co_varnames,
                        .freevars = self->co_freevars, .cellvars = self->co_cellvars, .filename = self->co_filename,
                        .name = self->co_name, .qualname = self->co_qualname, .linetable = self->co_linetable};
    int nlocals = self->co_nlocals, stacksize = self->co_nslots - self->co_temp_base;
    PyObject *code = NULL, *exceptions = NULL, *own_code, *own_exceptions, *result = NULL;
    if (PyTuple_GET_SIZE(args) > 0) {
        PyErr_Format(PyExc_TypeError, "replace() takes 0 positional arguments but %zd %s given", PyTuple_GET_SIZE(args),
                     PyTuple_GET_SIZE(args) == 1 ? "was" : "were");
        return NULL;
    }
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|iiiiiiiSO!O!O!O!O!UUUSS:replace", keywords, &init.argcount,
                                     &init.posonlyargcount, &init.kwonlyargcount, &nlocals, &stacksize, &init.flags,
                                     &init.firstlineno, &code, &PyTuple_Type, &init.consts, &PyTuple_Type, &init.names,
                                     &PyTuple_Type, &init.varnames, &PyTuple_Type, &init.freevars, &PyTuple_Type,
                                     &init.cellvars, &init.filename, &init.name, &init.qualname, &init.linetable, &exceptions))
        return NULL;
    if (stacksize < 0 || nlocals < 0) {
        PyErr_Format(PyExc_ValueError, "%s must be a positive integer", nlocals < 0 ? "co_nlocals" : "co_stacksize");
        return NULL;
    }
    if (nlocals != PyTuple_GET_SIZE(init.varnames)) {
        PyErr_SetString(PyExc_ValueError, "code: co_nlocals != len(co_varnames)");
        return NULL;
    }
    own_code = code != NULL ? Py_NewRef(code) : code_get_clean_instructions(self);
    own_exceptions = exceptions != NULL ? Py_NewRef(exceptions) : get_exception_table(op, NULL);
    init.nslots = (int)(PyTuple_GET_SIZE(init.varnames) + PyTuple_GET_SIZE(init.cellvars) + PyTuple_GET_SIZE(init.freevars))
                  + stacksize;
    if (own_code != NULL && own_exceptions != NULL && set_tables(&init, own_code, own_exceptions) == 0
        && audit_new(&init, own_code, nlocals, stacksize) == 0)
        result = (PyObject *)code_new(&init);
    Py_XDECREF(own_code);
    Py_XDECREF(own_exceptions);
    return result;
}

static PyObject *code_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    code_init_t init = {0};
    int nlocals, stacksize;
    PyObject *code, *exceptions, *empty = PyTuple_New(0);
    (void)type;
    if (empty == NULL || !_PyArg_NoKeywords("code", kwargs))
        return NULL;
    init.freevars = init.cellvars = empty;
    PyCodeObject *result = NULL;
    if (PyArg_ParseTuple(args, "iiiiiiSO!O!O!UUUiSS|O!O!:code", &init.argcount, &init.posonlyargcount, &init.kwonlyargcount, &nlocals,
                         &stacksize, &init.flags, &code, &PyTuple_Type, &init.consts, &PyTuple_Type, &init.names, &PyTuple_Type,
                         &init.varnames, &init.filename, &init.name, &init.qualname, &init.firstlineno, &init.linetable,
                         &exceptions, &PyTuple_Type, &init.freevars, &PyTuple_Type, &init.cellvars)) {
        init.nslots = (int)(PyTuple_GET_SIZE(init.varnames) + PyTuple_GET_SIZE(init.cellvars) + PyTuple_GET_SIZE(init.freevars))
                      + (stacksize > 0 ? stacksize : 0);
        if (init.argcount < 0 || init.posonlyargcount < 0 || init.kwonlyargcount < 0 || nlocals < 0 || stacksize < 0)
            PyErr_Format(PyExc_ValueError, "code: %s must not be negative",
                         init.argcount < 0            ? "argcount"
                         : init.posonlyargcount < 0 ? "posonlyargcount"
                         : init.kwonlyargcount < 0  ? "kwonlyargcount"
                         : nlocals < 0              ? "nlocals"
                                                    : "stacksize");
        else if (nlocals != PyTuple_GET_SIZE(init.varnames))
            PyErr_SetString(PyExc_ValueError, "code: co_nlocals != len(co_varnames)");
        else if (set_tables(&init, code, exceptions) == 0 && audit_new(&init, code, nlocals, stacksize) == 0)
            result = code_new(&init);
    }
    Py_DECREF(empty);
    return (PyObject *)result;
}

/* ---- Comparison ---- */

static PyObject *code_richcompare(PyObject *a, PyObject *b, int op)
{
    if ((op != Py_EQ && op != Py_NE) || !PyCode_Check(a) || !PyCode_Check(b))
        Py_RETURN_NOTIMPLEMENTED;
    PyCodeObject *x = CODE(a), *y = CODE(b);
    int same = x->co_argcount == y->co_argcount && x->co_posonlyargcount == y->co_posonlyargcount
               && x->co_kwonlyargcount == y->co_kwonlyargcount && x->co_flags == y->co_flags
               && x->co_firstlineno == y->co_firstlineno && x->co_nslots == y->co_nslots
               && x->co_ninstructions == y->co_ninstructions && x->co_nexceptions == y->co_nexceptions
               && memcmp(x->co_exceptions, y->co_exceptions, x->co_nexceptions * sizeof(exception_entry_t)) == 0;
    PyObject *pairs[][2] = {{x->co_name, y->co_name}, {x->co_names, y->co_names}, {x->co_varnames, y->co_varnames},
                            {x->co_cellvars, y->co_cellvars}, {x->co_freevars, y->co_freevars},
                            {x->co_linetable, y->co_linetable}};
    for (size_t i = 0; same > 0 && i < Py_ARRAY_LENGTH(pairs); i++)
        same = PyObject_RichCompareBool(pairs[i][0], pairs[i][1], Py_EQ);
    if (same > 0) {
        PyObject *p = code_get_clean_instructions(x), *q = code_get_clean_instructions(y);
        same = p != NULL && q != NULL ? PyObject_RichCompareBool(p, q, Py_EQ) : -1;
        Py_XDECREF(p);
        Py_XDECREF(q);
    }
    if (same > 0) {
        PyObject *p = _PyCode_ConstantKey(x->co_consts), *q = _PyCode_ConstantKey(y->co_consts);
        same = p != NULL && q != NULL ? PyObject_RichCompareBool(p, q, Py_EQ) : -1;
        Py_XDECREF(p);
        Py_XDECREF(q);
    }
    return same < 0 ? NULL : PyBool_FromLong(same == (op == Py_EQ));
}

static Py_hash_t code_hash(PyObject *op)
{
    PyCodeObject *x = CODE(op);
    PyObject *parts[] = {x->co_name, x->co_names, x->co_varnames, x->co_cellvars, x->co_freevars, x->co_linetable};
    Py_uhash_t hash = 20221211;
    for (size_t i = 0; i < Py_ARRAY_LENGTH(parts); i++) {
        Py_hash_t h = PyObject_Hash(parts[i]);
        if (h == -1)
            return -1;
        hash = (hash ^ (Py_uhash_t)h) * 1000003u;
    }
    hash ^= (Py_uhash_t)x->co_firstlineno ^ (Py_uhash_t)x->co_ninstructions << 16;
    return hash == (Py_uhash_t)-1 ? -2 : (Py_hash_t)hash;
}

static PyObject *code_repr(PyObject *op)
{
    PyCodeObject *x = CODE(op);
    return PyUnicode_FromFormat("<code object %U at %p, file \"%U\", line %d>", x->co_name, op, x->co_filename,
                                x->co_firstlineno != 0 ? x->co_firstlineno : -1);
}

static PyObject *code_sizeof(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromSize_t(sizeof(PyCodeObject) + CODE(op)->co_ninstructions * sizeof(instruction_t)
                             + CODE(op)->co_nexceptions * sizeof(exception_entry_t));
}

static PyObject *code_varname_from_oparg(PyObject *op, PyObject *arg)
{
    long i = PyLong_AsLong(arg);
    if (i == -1 && PyErr_Occurred())
        return NULL;
    PyCodeObject *x = CODE(op);
    PyObject *tuples[] = {x->co_varnames, x->co_cellvars, x->co_freevars};
    for (int k = 0; k < 3 && i >= 0; k++) {
        if (i < PyTuple_GET_SIZE(tuples[k]))
            return Py_NewRef(PyTuple_GET_ITEM(tuples[k], i));
        i -= PyTuple_GET_SIZE(tuples[k]);
    }
    PyErr_SetString(PyExc_IndexError, "tuple index out of range");
    return NULL;
}

static PyMethodDef code_methods[] = {
    {"co_lines", code_lines, METH_NOARGS, "Iterator of (start, end, line): runs of instruction words of one line."},
    {"co_positions", code_positions, METH_NOARGS, "Iterator of (line, end line, column, end column), one per instruction word."},
    {"replace", (PyCFunction)(void (*)(void))code_replace, METH_VARARGS | METH_KEYWORDS,
     "A copy of the code object with some of its attributes replaced."},
    {"_varname_from_oparg", code_varname_from_oparg, METH_O, "Name of a slot of the window."},
    {"__sizeof__", code_sizeof, METH_NOARGS, "Size in bytes."},
    {NULL},
};

PyTypeObject PyCode_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "code",
    .tp_basicsize = sizeof(PyCodeObject),
    .tp_dealloc = code_dealloc,
    .tp_repr = code_repr,
    .tp_hash = code_hash,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "code(argcount, posonlyargcount, kwonlyargcount, nlocals, stacksize, flags, codestring, constants, names,\n"
              "     varnames, filename, name, qualname, firstlineno, linetable, exceptiontable, freevars, cellvars, /)\n--\n\n"
              "Create a code object from its parts, which are checked.",
    .tp_traverse = code_traverse,
    .tp_richcompare = code_richcompare,
    .tp_weaklistoffset = offsetof(PyCodeObject, co_weakreflist),
    .tp_methods = code_methods,
    .tp_members = code_members,
    .tp_getset = code_getset,
    .tp_new = code_tp_new,
};
