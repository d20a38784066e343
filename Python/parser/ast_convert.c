/* Converts the syntax tree to objects of the _ast classes and back. */
#include "ast_types.h"

/* How deep a tree may be nested in either direction. */
static int depth_limit(void)
{
    int limit = Py_GetRecursionLimit();
    return limit > INT_MAX / 3 ? INT_MAX : limit * 3;
}

struct converter {
    arena *arena;
    int depth, limit;
    PyObject *names[4];                 /* lineno, col_offset, ... interned */
};

static const char *const position_names[4] = {"lineno", "col_offset", "end_lineno", "end_col_offset"};

static int init(struct converter *cv, arena *a)
{
    memset(cv, 0, sizeof *cv);
    cv->arena = a;
    cv->limit = depth_limit();
    if (ast_types_init() < 0)
        return -1;
    for (int i = 0; i < 4; i++)
        if ((cv->names[i] = PyUnicode_InternFromString(position_names[i])) == NULL)
            return -1;
    return 0;
}

static void fini(struct converter *cv)
{
    for (int i = 0; i < 4; i++)
        Py_XDECREF(cv->names[i]);
}

/* ---- tree to objects ---- */

static PyObject *node_to_object(struct converter *cv, const char *node, int type);

static PyObject *value_to_object(struct converter *cv, const char *slot, int type)
{
    switch (type) {
    case AST_int: return PyLong_FromLong(*(const int *)slot);
    case AST_identifier:
    case AST_string:
    case AST_constant: {
        PyObject *o = *(PyObject *const *)slot;
        return Py_NewRef(o != NULL ? o : Py_None);
    }
    default:
        if (ast_classes[type].kind == AST_IS_CHOICE)
            return Py_NewRef(ast_value_objects[type + *(const int *)slot]);
        return node_to_object(cv, *(const char *const *)slot, type);
    }
}

static PyObject *sequence_to_object(struct converter *cv, const ast_seq *seq, int type)
{
    Py_ssize_t n = ast_len(seq);
    PyObject *list = PyList_New(n);
    if (list != NULL)
        PyObject_GC_UnTrack(list);      /* what the classes' __setattr__ runs does not find it half filled */
    size_t step = ast_classes[type].kind == AST_IS_CHOICE && type > AST_node ? sizeof(int) : sizeof(void *);
    for (Py_ssize_t i = 0; list != NULL && i < n; i++) {
        PyObject *item = value_to_object(cv, (const char *)seq->elements + (size_t)i * step, type);
        if (item == NULL)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, i, item);
    }
    if (list != NULL)
        PyObject_GC_Track(list);
    return list;
}

static int set_field(PyObject *o, PyObject *name, const char *text, PyObject *value_stolen)
{
    int r = value_stolen == NULL ? -1 : name != NULL ? PyObject_SetAttr(o, name, value_stolen)
                                                     : PyObject_SetAttrString(o, text, value_stolen);
    Py_XDECREF(value_stolen);
    return r;
}

static PyObject *node_to_object(struct converter *cv, const char *node, int type)
{
    if (node == NULL)
        return Py_NewRef(Py_None);
    if (ast_classes[type].kind == AST_IS_SUM)
        type += *(const int *)node;
    if (++cv->depth > cv->limit) {
        PyErr_SetString(PyExc_RecursionError, "maximum recursion depth exceeded during ast construction");
        return NULL;
    }
#ifndef BRAID_HOSTED
    if (Py_EnterRecursiveCall(" during ast construction"))
        return NULL;
#endif
    const struct ast_class *c = &ast_classes[type];
    PyObject *fields = PyTuple_New(0);
    PyObject *o = fields == NULL ? NULL : PyType_GenericNew((PyTypeObject *)ast_class_objects[type], fields, NULL);
    Py_XDECREF(fields);
    for (int i = 0; o != NULL && i < c->n_fields; i++) {
        const struct ast_field *f = &c->fields[i];
        const char *slot = node + f->offset;
        PyObject *value = f->kind == AST_SEQUENCE ? sequence_to_object(cv, *(const ast_seq *const *)slot, f->type)
                                                  : value_to_object(cv, slot, f->type);
        if (set_field(o, NULL, f->name, value) < 0)
            Py_CLEAR(o);
    }
    for (int i = 0; o != NULL && c->located && i < 4; i++)
        if (set_field(o, cv->names[i], NULL, PyLong_FromLong(((const int *)(node + c->position))[i])) < 0)
            Py_CLEAR(o);
    cv->depth--;
#ifndef BRAID_HOSTED
    Py_LeaveRecursiveCall();
#endif
    return o;
}

PyObject *ast_to_object(mod_ty tree)
{
    struct converter cv;
    PyObject *o = NULL;
    if (init(&cv, NULL) == 0)
        o = node_to_object(&cv, (const char *)tree, AST_mod);
    fini(&cv);
    return o;
}

/* ---- objects to tree ---- */

static int object_to_node(struct converter *cv, PyObject *o, int type, char **out);

/* An attribute, or NULL without an exception if there is none; -1 on failure. */
static int look_up(PyObject *o, const char *name, PyObject **value)
{
    *value = PyObject_GetAttrString(o, name);
    if (*value != NULL)
        return 0;
    if (!PyErr_ExceptionMatches(PyExc_AttributeError))
        return -1;
    PyErr_Clear();
    return 0;
}

static int object_to_int(PyObject *o, int *out)
{
    if (!PyLong_Check(o)) {
        PyErr_Format(PyExc_ValueError, "invalid integer value: %R", o);
        return -1;
    }
    long v = PyLong_AsLong(o);
    if (v == -1 && PyErr_Occurred())
        return -1;
    if (v > INT_MAX || v < INT_MIN) {
        PyErr_SetString(PyExc_OverflowError, "Python int too large to convert to C int");
        return -1;
    }
    *out = (int)v;
    return 0;
}

static int object_to_choice(PyObject *o, int type, int *out)
{
    for (int code = type + 1; code < AST_CODE_COUNT && ast_classes[code].base == type; code++) {
        int is = PyObject_IsInstance(o, ast_class_objects[code]);
        if (is < 0)
            return -1;
        if (is) {
            *out = code - type;
            return 0;
        }
    }
    PyErr_Format(PyExc_TypeError, "expected some sort of %s, but got %R", ast_classes[type].name, o);
    return -1;
}

/* One value into its slot of the C node. */
static int object_to_value(struct converter *cv, PyObject *o, int type, char *slot)
{
    switch (type) {
    case AST_int: return object_to_int(o, (int *)slot);
    case AST_identifier:
    case AST_string:
        if (o == Py_None) {
            *(PyObject **)slot = NULL;
            return 0;
        }
        if (!PyUnicode_CheckExact(o) && !(type == AST_string && PyBytes_CheckExact(o))) {
            PyErr_Format(PyExc_TypeError, "AST %s must be of type str", type == AST_string ? "string" : "identifier");
            return -1;
        }
        if (type == AST_identifier) {           /* the compiler compares identifiers by address */
            PyObject *name = Py_NewRef(o);
            PyUnicode_InternInPlace(&name);
            *(PyObject **)slot = name;
            return arena_keep_steal(cv->arena, name);
        }
        /* fall through */
    case AST_constant:
        *(PyObject **)slot = o;
        return arena_keep_steal(cv->arena, Py_NewRef(o));
    default:
        if (ast_classes[type].kind == AST_IS_CHOICE)
            return object_to_choice(o, type, (int *)slot);
        return object_to_node(cv, o, type, (char **)slot);
    }
}

static int object_to_sequence(struct converter *cv, PyObject *o, const struct ast_class *c, const struct ast_field *f, char *slot)
{
    if (!PyList_Check(o)) {
        PyErr_Format(PyExc_TypeError, "%s field \"%s\" must be a list, not a %.200s", c->name, f->name, Py_TYPE(o)->tp_name);
        return -1;
    }
    Py_ssize_t n = PyList_Size(o);
    int choice = f->type > AST_node && ast_classes[f->type].kind == AST_IS_CHOICE;
    size_t step = choice ? sizeof(int) : sizeof(void *);
    ast_seq *seq = choice ? (ast_seq *)ast_cmpop_seq_new(n, cv->arena) : ast_seq_new(n, cv->arena);
    if (seq == NULL)
        return -1;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = PyList_GetItemRef(o, i);
        if (item == NULL)
            return -1;
        int r = object_to_value(cv, item, f->type, (char *)seq->elements + (size_t)i * step);
        Py_DECREF(item);
        if (r < 0)
            return -1;
        if (PyList_Size(o) != n) {
            PyErr_Format(PyExc_RuntimeError, "%s field \"%s\" changed size during iteration", c->name, f->name);
            return -1;
        }
    }
    *(ast_seq **)slot = seq;
    return 0;
}

static int object_to_field(struct converter *cv, PyObject *o, const struct ast_class *c, const struct ast_field *f, char *node)
{
    PyObject *value;
    char *slot = node + f->offset;
    if (look_up(o, f->name, &value) < 0)
        return -1;
    if (value == NULL || (f->kind == AST_OPTIONAL && value == Py_None)) {
        Py_XDECREF(value);
        if (f->kind == AST_OPTIONAL)
            return 0;                           /* the node is zeroed */
        PyErr_Format(PyExc_TypeError, "required field \"%s\" missing from %s", f->name, c->name);
        return -1;
    }
    int r = f->kind == AST_SEQUENCE ? object_to_sequence(cv, value, c, f, slot) : object_to_value(cv, value, f->type, slot);
    Py_DECREF(value);
    if (r == 0 && f->kind == AST_REQUIRED && f->type != AST_int && ast_classes[f->type].kind != AST_IS_CHOICE &&
        *(void **)slot == NULL) {
        PyErr_Format(PyExc_ValueError, "field '%s' is required for %s", f->name, c->name);
        return -1;
    }
    return r;
}

/* lineno and col_offset are required; an end that is missing is the start */
static int object_to_positions(PyObject *o, const char *family, int *positions)
{
    for (int i = 0; i < 4; i++) {
        PyObject *value;
        if (look_up(o, position_names[i], &value) < 0)
            return -1;
        if (value == NULL || (i >= 2 && value == Py_None)) {
            Py_XDECREF(value);
            if (i < 2) {
                PyErr_Format(PyExc_TypeError, "required field \"%s\" missing from %s", position_names[i], family);
                return -1;
            }
            positions[i] = positions[i - 2];
            continue;
        }
        int r = object_to_int(value, &positions[i]);
        Py_DECREF(value);
        if (r < 0)
            return -1;
    }
    return 0;
}

static int fill_node(struct converter *cv, PyObject *o, int type, char *node)
{
    const struct ast_class *c = &ast_classes[type];
    for (int i = 0; i < c->n_fields; i++)
        if (object_to_field(cv, o, c, &c->fields[i], node) < 0)
            return -1;
    return 0;
}

static int object_to_node(struct converter *cv, PyObject *o, int type, char **out)
{
    const struct ast_class *c = &ast_classes[type];
    int positions[4] = {0}, code = type;
    *out = NULL;
    if (c->kind == AST_IS_SUM) {
        if (o == Py_None)
            return 0;
        if (c->located && object_to_positions(o, c->name, positions) < 0)
            return -1;
        for (code = type + 1;; code++) {
            if (code == AST_CODE_COUNT || ast_classes[code].base != type) {
                PyErr_Format(PyExc_TypeError, "expected some sort of %s, but got %R", c->name, o);
                return -1;
            }
            int is = PyObject_IsInstance(o, ast_class_objects[code]);
            if (is < 0)
                return -1;
            if (is)
                break;
        }
    }
    char where[64];
    snprintf(where, sizeof where, " while traversing '%s' node", ast_classes[code].name);
    if (Py_EnterRecursiveCall(where))
        return -1;
    int r = -1;
    char *node = arena_alloc(cv->arena, (size_t)c->size);
    if (node != NULL) {
        memset(node, 0, (size_t)c->size);
        if (c->kind == AST_IS_SUM)
            *(int *)node = code - type;
        r = fill_node(cv, o, code, node);
        if (r == 0 && c->kind == AST_IS_PRODUCT && c->located)
            r = object_to_positions(o, c->name, positions);
        if (r == 0 && c->located)
            memcpy(node + (c->kind == AST_IS_SUM ? (int)sizeof(int) : c->position), positions, sizeof positions);
        *out = node;
    }
    Py_LeaveRecursiveCall();
    return r;
}

mod_ty ast_from_object(PyObject *object, arena *a, int mode)
{
    static const short wanted[] = {AST_Module, AST_Expression, AST_Interactive};
    struct converter cv;
    char *node = NULL;
    if (init(&cv, a) < 0)
        goto done;
    int is = PyObject_IsInstance(object, ast_class_objects[wanted[mode]]);
    if (is == 0)
        PyErr_Format(PyExc_TypeError, "expected %s node, got %.400s", ast_classes[wanted[mode]].name, Py_TYPE(object)->tp_name);
    if (is != 1)
        goto done;
    if (object_to_node(&cv, object, AST_mod, &node) < 0 || !ast_validate((mod_ty)node))
        node = NULL;
done:
    fini(&cv);
    return (mod_ty)node;
}

int ast_object_check(PyObject *object)
{
    if (ast_types_init() < 0)
        return -1;
    return PyObject_IsInstance(object, ast_class_objects[AST_node]);
}
