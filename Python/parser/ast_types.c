/* Makes the classes of the _ast module from the node table. */
#include <stddef.h>

#include "ast_types.h"
#include "fork_mutex.h"
#ifndef BRAID_HOSTED
#include "pymutex.h"
#else
#include "hosted.h"
#endif

struct ast_class ast_classes[AST_CODE_COUNT] = {[AST_node] = {.name = "AST"}};
PyObject *ast_class_objects[AST_CODE_COUNT];
PyObject *ast_value_objects[AST_CODE_COUNT];

/* ---- the table ---- */

#define AST_LOCATED 1
#define AST_BARE 0
#define REQ(type, name) {#name, #type, AST_##type, AST_REQUIRED, (int)offsetof(T, name) + base_offset},
#define OPT(type, name) {#name, #type, AST_##type, AST_OPTIONAL, (int)offsetof(T, name) + base_offset},
#define SEQ(type, name) {#name, #type, AST_##type, AST_SEQUENCE, (int)offsetof(T, name) + base_offset},

#define NODE(sum, node, has_positions, position_offset, ...)                                                     \
    {                                                                                                           \
        typedef struct ast_##node T;                                                                            \
        enum { base_offset = offsetof(struct sum, v) };                                                         \
        static const struct ast_field fields[] = {__VA_ARGS__ {NULL, NULL, 0, 0, (int)sizeof(T)}};            \
        ast_classes[AST_##node] = (struct ast_class){#node, AST_##sum, AST_IS_NODE, has_positions,              \
                                                     sizeof(fields) / sizeof(fields[0]) - 1, sizeof(struct sum), \
                                                     position_offset, fields};                                  \
    }

static void fill_table(void)
{
#define AST_SUM(sum, attrs) \
    ast_classes[AST_##sum] = (struct ast_class){#sum, AST_node, AST_IS_SUM, attrs, 0, sizeof(struct sum), sizeof(int), NULL};
#define AST_MOD(name, list) NODE(mod, name, 0, 0, list)
#define AST_STMT(name, list) NODE(stmt, name, 1, offsetof(struct stmt, lineno), list)
#define AST_EXPR(name, list) NODE(expr, name, 1, offsetof(struct expr, lineno), list)
#define AST_HANDLER(name, list) NODE(excepthandler, name, 1, offsetof(struct excepthandler, lineno), list)
#define AST_PATTERN(name, list) NODE(pattern, name, 1, offsetof(struct pattern, lineno), list)
#define AST_IGNORE(name, list) NODE(type_ignore, name, 0, 0, list)
#define AST_PRODUCT(name_, attrs, list)                                                                          \
    {                                                                                                           \
        typedef struct name_ T;                                                                                 \
        enum { base_offset = 0 };                                                                               \
        static const struct ast_field fields[] = {list{NULL, NULL, 0, 0, 0}};                                   \
        ast_classes[AST_##name_] = (struct ast_class){#name_, AST_node, AST_IS_PRODUCT, attrs,                  \
                                                      sizeof(fields) / sizeof(fields[0]) - 1, sizeof(T), 0, fields}; \
    }
#define AST_CHOICE(family) ast_classes[AST_##family] = (struct ast_class){#family, AST_node, AST_IS_CHOICE, 0, 0, 0, 0, NULL};
#define AST_VALUE(family, name_) ast_classes[AST_##name_] = (struct ast_class){#name_, AST_##family, AST_IS_VALUE, 0, 0, 0, 0, NULL};
#include "ast.def"
}

/* ---- doc strings: the signatures of the kinds ---- */

static void write_signature(char *out, size_t room, const struct ast_class *c)
{
    size_t n = (size_t)snprintf(out, room, "%s", c->name);
    for (int i = 0; i < c->n_fields; i++) {
        const struct ast_field *f = &c->fields[i];
        const char *mark = f->kind == AST_OPTIONAL ? "?" : f->kind == AST_SEQUENCE ? "*" : "";
        n += (size_t)snprintf(out + n, room - n, "%s%s%s %s", i == 0 ? "(" : ", ", f->type_name, mark, f->name);
    }
    if (c->n_fields > 0)
        snprintf(out + n, room - n, ")");
}

/* family = one | other ... */
static PyObject *make_doc(int code)
{
    const struct ast_class *c = &ast_classes[code];
    char one[512];
    write_signature(one, sizeof one, c);
    if (c->kind == AST_IS_NODE || c->kind == AST_IS_PRODUCT || c->kind == AST_IS_VALUE)
        return PyUnicode_FromString(one);
    PyObject *doc = PyUnicode_FromFormat("%s = ", c->name);
    for (int i = code + 1; doc != NULL && i < AST_CODE_COUNT && ast_classes[i].base == code; i++) {
        char indent[32];
        write_signature(one, sizeof one, &ast_classes[i]);
        if (c->kind == AST_IS_CHOICE)
            snprintf(indent, sizeof indent, " | ");
        else
            snprintf(indent, sizeof indent, "\n%*s | ", (int)strlen(c->name), "");
        PyObject *line = PyUnicode_FromFormat("%s%s", i == code + 1 ? "" : indent, one);
        PyUnicode_AppendAndDel(&doc, line);
    }
    return doc;
}

/* ---- methods of the base class ---- */

static int init_fields(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *fields = PyObject_GetAttrString((PyObject *)Py_TYPE(self), "_fields"), *key, *value;
    int r = -1;
    if (fields == NULL)
        return -1;
    Py_ssize_t n_fields = PySequence_Size(fields), n = PyTuple_Size(args), at = 0;
    if (n_fields < 0)
        goto done;
    if (n_fields < n) {
        PyErr_Format(PyExc_TypeError, "%.400s constructor takes at most %zd positional argument%s", Py_TYPE(self)->tp_name, n_fields,
                     n_fields == 1 ? "" : "s");
        goto done;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *name = PySequence_GetItem(fields, i);
        int failed = name == NULL || PyObject_SetAttr(self, name, PyTuple_GetItem(args, i)) < 0;
        Py_XDECREF(name);
        if (failed)
            goto done;
    }
    while (kwargs != NULL && PyDict_Next(kwargs, &at, &key, &value)) {
        int known = PySequence_Contains(fields, key);
        if (known < 0)
            goto done;
        if (known) {
            Py_ssize_t index = PySequence_Index(fields, key);
            if (index < 0)
                goto done;
            if (index < n) {
                PyErr_Format(PyExc_TypeError, "%.400s got multiple values for argument '%U'", Py_TYPE(self)->tp_name, key);
                goto done;
            }
        }
        if (PyObject_SetAttr(self, key, value) < 0)
            goto done;
    }
    r = 0;
done:
    Py_DECREF(fields);
    return r;
}

static PyObject *ast_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    return init_fields(self, args, kwargs) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *ast_reduce(PyObject *self, PyObject *unused)
{
    PyObject *dict = PyObject_GetAttrString(self, "__dict__"), *r;
    if (dict == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError))
            return NULL;
        PyErr_Clear();
        return Py_BuildValue("O()", Py_TYPE(self));
    }
    r = Py_BuildValue("O()O", Py_TYPE(self), dict);
    Py_DECREF(dict);
    return r;
}

/* Takes any arguments: they are for __init__. */
static PyObject *ast_new(PyObject *unused, PyObject *args, PyObject *kwargs)
{
    PyObject *class = PyTuple_Size(args) > 0 ? PyTuple_GetItem(args, 0) : NULL;
    int is = class == NULL || !PyType_Check(class) ? 0 : PyObject_IsSubclass(class, ast_class_objects[AST_node]);
    if (is < 0)
        return NULL;
    if (!is) {
        PyErr_SetString(PyExc_TypeError, "AST.__new__(X): X is not a type object of AST");
        return NULL;
    }
    PyObject *none = PyTuple_New(0);
    PyObject *o = none == NULL ? NULL : PyType_GenericNew((PyTypeObject *)class, none, NULL);
    Py_XDECREF(none);
    return o;
}

static PyMethodDef ast_new_method = {"__new__", (PyCFunction)(void (*)(void))ast_new, METH_VARARGS | METH_KEYWORDS,
                                     "Makes an instance without fields."};

static PyMethodDef ast_methods[] = {
    {"__init__", (PyCFunction)(void (*)(void))ast_init, METH_VARARGS | METH_KEYWORDS, "Sets fields from the arguments, in order or by name."},
    {"__reduce__", ast_reduce, METH_NOARGS, "Gives what pickle needs."},
    {NULL, NULL, 0, NULL},
};

/* ---- classes ---- */

static PyObject *make_names(const struct ast_class *c)
{
    PyObject *names = PyTuple_New(c->n_fields);
    for (int i = 0; names != NULL && i < c->n_fields; i++) {
        PyObject *name = PyUnicode_InternFromString(c->fields[i].name);
        if (name == NULL)
            Py_CLEAR(names);
        else
            PyTuple_SetItem(names, i, name);
    }
    return names;
}

static int set_steal(PyObject *dict, const char *key, PyObject *value)
{
    int r = value == NULL ? -1 : PyDict_SetItemString(dict, key, value);
    Py_XDECREF(value);
    return r;
}

/* What the class's namespace holds. */
static int fill_namespace(PyObject *space, int code)
{
    const struct ast_class *c = &ast_classes[code];
    int has_fields = c->kind == AST_IS_NODE || c->kind == AST_IS_PRODUCT || c->kind == AST_IS_VALUE || code == AST_node;
    int attributes = code == AST_node || c->kind == AST_IS_SUM || c->kind == AST_IS_PRODUCT || c->kind == AST_IS_CHOICE;
    if (set_steal(space, "__module__", PyUnicode_InternFromString("ast")) < 0)
        return -1;
    if (code != AST_node && set_steal(space, "__doc__", make_doc(code)) < 0)
        return -1;
    if (has_fields || c->kind == AST_IS_SUM || c->kind == AST_IS_CHOICE) {
        PyObject *names = make_names(c);
        int r = names == NULL || PyDict_SetItemString(space, "_fields", names) < 0 ||
                PyDict_SetItemString(space, "__match_args__", names) < 0;
        Py_XDECREF(names);
        if (r)
            return -1;
    }
    if (attributes) {
        PyObject *names = c->located ? Py_BuildValue("(ssss)", "lineno", "col_offset", "end_lineno", "end_col_offset") : PyTuple_New(0);
        if (set_steal(space, "_attributes", names) < 0)
            return -1;
        if (c->located && (PyDict_SetItemString(space, "end_lineno", Py_None) < 0 ||
                           PyDict_SetItemString(space, "end_col_offset", Py_None) < 0))
            return -1;
    }
    for (int i = 0; i < c->n_fields; i++)
        if (c->fields[i].kind == AST_OPTIONAL && PyDict_SetItemString(space, c->fields[i].name, Py_None) < 0)
            return -1;
    return 0;
}

static PyObject *make_class(int code)
{
    const struct ast_class *c = &ast_classes[code];
    PyObject *base = code == AST_node ? (PyObject *)&PyBaseObject_Type : ast_class_objects[c->base];
    PyObject *space = PyDict_New(), *class = NULL;
    if (space != NULL && fill_namespace(space, code) == 0)
        class = PyObject_CallFunction((PyObject *)&PyType_Type, "s(O)O", c->name, base, space);
    Py_XDECREF(space);
    if (class == NULL || code != AST_node)
        return class;
    PyObject *function = PyCFunction_New(&ast_new_method, NULL);
    PyObject *new_method = function == NULL ? NULL : PyStaticMethod_New(function);
    int failed = new_method == NULL || PyObject_SetAttrString(class, "__new__", new_method) < 0;
    Py_XDECREF(function);
    Py_XDECREF(new_method);
    if (failed) {
        Py_DECREF(class);
        return NULL;
    }
    for (PyMethodDef *m = ast_methods; m->ml_name != NULL; m++) {
        PyObject *method = PyDescr_NewMethod((PyTypeObject *)class, m);
        int r = method == NULL ? -1 : PyObject_SetAttrString(class, m->ml_name, method);
        Py_XDECREF(method);
        if (r < 0) {
            Py_DECREF(class);
            return NULL;
        }
    }
    return class;
}

static int make_all(void)
{
    fill_table();
    for (int code = AST_node; code < AST_CODE_COUNT; code++) {
        if (ast_class_objects[code] != NULL)
            continue;
        PyObject *class = make_class(code);
        if (class == NULL)
            return -1;
        if (code == AST_node)               /* __new__ looks at it */
            ast_class_objects[code] = class;
        if (ast_classes[code].kind == AST_IS_VALUE && ast_value_objects[code] == NULL) {
            ast_value_objects[code] = PyObject_CallNoArgs(class);
            if (ast_value_objects[code] == NULL) {
                Py_DECREF(class);
                return -1;
            }
        }
        ast_class_objects[code] = class;
    }
    return 0;
}

static PyMutex types_made_lock;
FORK_MUTEX(types_made_lock)

int ast_types_init(void)
{
    static int done;
    if (__atomic_load_n(&done, __ATOMIC_ACQUIRE))
        return 0;
    PyMutex_Lock(&types_made_lock);
    int r = done ? 0 : make_all();
    if (r == 0)
        __atomic_store_n(&done, 1, __ATOMIC_RELEASE);
    PyMutex_Unlock(&types_made_lock);
    return r;
}
