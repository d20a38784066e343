/* The _locale module: the C library's locale.
 *
 * The locale belongs to the process. setlocale() and localeconv() answer with pointers to memory that the next call
 * overwrites, so both run, and their answers are copied, under locale_lock; nothing runs Python code while it is held. */
#include "module.h"
#include "fork_mutex.h"
#include <errno.h>
#include <langinfo.h>
#include <libintl.h>
#include <limits.h>
#include <locale.h>
#include <string.h>
#include <wchar.h>

static PyMutex locale_lock;
FORK_MUTEX(locale_lock)
static PyObject *locale_error;          /* [const after the module is made] locale.Error */

static char *copy_text(const char *text)
{
    char *copy = PyMem_RawMalloc(strlen(text) + 1);
    return copy != NULL ? strcpy(copy, text) : NULL;
}

static PyObject *locale_setlocale(PyObject *module, PyObject *args)
{
    int category;
    const char *name = NULL;
    if (!PyArg_ParseTuple(args, "i|z:setlocale", &category, &name))
        return NULL;
    PyMutex_Lock(&locale_lock);
    const char *answer = setlocale(category, name);
    char *copy = answer != NULL ? copy_text(answer) : NULL;
    PyMutex_Unlock(&locale_lock);
    if (answer == NULL) {
        PyErr_SetString(locale_error, name != NULL ? "unsupported locale setting" : "locale query failed");
        return NULL;
    }
    if (copy == NULL)
        return PyErr_NoMemory();
    PyObject *result = PyUnicode_DecodeLocale(copy, NULL);
    PyMem_RawFree(copy);
    return result;
}

/* ---- localeconv ---- */

enum { TEXTS = 10, NUMBERS = 8 };

static const struct { const char *name; size_t offset; } conv_texts[TEXTS] = {
#define TEXT(name) {#name, offsetof(struct lconv, name)},
    TEXT(int_curr_symbol) TEXT(currency_symbol) TEXT(mon_decimal_point) TEXT(mon_thousands_sep) TEXT(mon_grouping)
    TEXT(positive_sign) TEXT(negative_sign) TEXT(decimal_point) TEXT(thousands_sep) TEXT(grouping)
#undef TEXT
};

static const struct { const char *name; size_t offset; } conv_numbers[NUMBERS] = {
#define NUMBER(name) {#name, offsetof(struct lconv, name)},
    NUMBER(int_frac_digits) NUMBER(frac_digits) NUMBER(p_cs_precedes) NUMBER(p_sep_by_space) NUMBER(n_cs_precedes)
    NUMBER(n_sep_by_space) NUMBER(p_sign_posn) NUMBER(n_sign_posn)
#undef NUMBER
};

struct conventions {
    char *texts[TEXTS];
    char numbers[NUMBERS];
};

static void conventions_clear(struct conventions *c)
{
    for (int i = 0; i < TEXTS; i++)
        PyMem_RawFree(c->texts[i]);
}

/* 0, or -1 with an exception. */
static int conventions_get(struct conventions *c)
{
    int failed = 0;
    PyMutex_Lock(&locale_lock);
    const char *lc = (const char *)localeconv();
    for (int i = 0; i < TEXTS; i++) {
        c->texts[i] = copy_text(*(char *const *)(lc + conv_texts[i].offset));
        failed |= c->texts[i] == NULL;
    }
    for (int i = 0; i < NUMBERS; i++)
        c->numbers[i] = lc[conv_numbers[i].offset];
    PyMutex_Unlock(&locale_lock);
    if (failed)
        PyErr_NoMemory();
    return -failed;
}

/* The sizes of groups as a list that ends with 0 (repeat the last) or CHAR_MAX (no more). */
static PyObject *grouping_make(const char *grouping)
{
    PyObject *result = PyList_New(0);
    int more = *grouping != 0;
    while (result != NULL && more) {
        PyObject *size = PyLong_FromLong(*grouping);
        if (size == NULL || PyList_Append(result, size) < 0)
            Py_CLEAR(result);
        Py_XDECREF(size);
        more = *grouping != 0 && *grouping != CHAR_MAX;
        grouping++;
    }
    return result;
}

/* Adds a new reference to value, taken over, to the dict. 0 or -1. */
static int add_steal(PyObject *dict, const char *name, PyObject *value)
{
    int result = value != NULL ? PyDict_SetItemString(dict, name, value) : -1;
    Py_XDECREF(value);
    return result;
}

static PyObject *locale_localeconv(PyObject *module, PyObject *unused)
{
    struct conventions c = {{NULL}};
    PyObject *result = conventions_get(&c) == 0 ? PyDict_New() : NULL;
    for (int i = 0; result != NULL && i < TEXTS; i++) {
        int is_grouping = strstr(conv_texts[i].name, "grouping") != NULL;
        PyObject *value = is_grouping ? grouping_make(c.texts[i]) : PyUnicode_DecodeLocale(c.texts[i], NULL);
        if (add_steal(result, conv_texts[i].name, value) < 0)
            Py_CLEAR(result);
    }
    for (int i = 0; result != NULL && i < NUMBERS; i++)
        if (add_steal(result, conv_numbers[i].name, PyLong_FromLong(c.numbers[i])) < 0)
            Py_CLEAR(result);
    conventions_clear(&c);
    return result;
}

/* ---- comparison ---- */

static PyObject *locale_strcoll(PyObject *module, PyObject *args)
{
    PyObject *a, *b, *result = NULL;
    if (!PyArg_ParseTuple(args, "UU:strcoll", &a, &b))
        return NULL;
    wchar_t *left = PyUnicode_AsWideCharString(a, NULL);
    wchar_t *right = left != NULL ? PyUnicode_AsWideCharString(b, NULL) : NULL;
    if (right != NULL)
        result = PyLong_FromLong(wcscoll(left, right));
    PyMem_Free(left);
    PyMem_Free(right);
    return result;
}

static PyObject *locale_strxfrm(PyObject *module, PyObject *arg)
{
    if (!PyUnicode_Check(arg)) {
        PyErr_Format(PyExc_TypeError, "strxfrm() argument must be str, not %.50s", Py_TYPE(arg)->tp_name);
        return NULL;
    }
    wchar_t *text = PyUnicode_AsWideCharString(arg, NULL), *key = NULL;
    if (text == NULL)
        return NULL;
    PyObject *result = NULL;
    size_t room = wcslen(text) + 1, size;
    for (;;) {
        wchar_t *larger = PyMem_Realloc(key, room * sizeof *key);
        if (larger == NULL) {
            PyErr_NoMemory();
            break;
        }
        key = larger;
        errno = 0;
        size = wcsxfrm(key, text, room);
        if (errno != 0 && errno != ERANGE) {
            PyErr_SetFromErrno(PyExc_OSError);
            break;
        }
        if (size < room) {
            result = PyUnicode_FromWideChar(key, (Py_ssize_t)size);
            break;
        }
        room = size + 1;
    }
    PyMem_Free(text);
    PyMem_Free(key);
    return result;
}

/* ---- nl_langinfo ---- */

static const struct { const char *name; nl_item value; } langinfo_constants[] = {
#define ITEM(name) {#name, name},
    ITEM(DAY_1) ITEM(DAY_2) ITEM(DAY_3) ITEM(DAY_4) ITEM(DAY_5) ITEM(DAY_6) ITEM(DAY_7)
    ITEM(ABDAY_1) ITEM(ABDAY_2) ITEM(ABDAY_3) ITEM(ABDAY_4) ITEM(ABDAY_5) ITEM(ABDAY_6) ITEM(ABDAY_7)
    ITEM(MON_1) ITEM(MON_2) ITEM(MON_3) ITEM(MON_4) ITEM(MON_5) ITEM(MON_6) ITEM(MON_7) ITEM(MON_8) ITEM(MON_9)
    ITEM(MON_10) ITEM(MON_11) ITEM(MON_12)
    ITEM(ABMON_1) ITEM(ABMON_2) ITEM(ABMON_3) ITEM(ABMON_4) ITEM(ABMON_5) ITEM(ABMON_6) ITEM(ABMON_7) ITEM(ABMON_8)
    ITEM(ABMON_9) ITEM(ABMON_10) ITEM(ABMON_11) ITEM(ABMON_12)
    ITEM(RADIXCHAR) ITEM(THOUSEP) ITEM(CRNCYSTR) ITEM(D_FMT) ITEM(D_T_FMT) ITEM(T_FMT) ITEM(AM_STR) ITEM(PM_STR)
    ITEM(CODESET) ITEM(T_FMT_AMPM) ITEM(ERA) ITEM(ERA_D_FMT) ITEM(ERA_D_T_FMT) ITEM(ERA_T_FMT) ITEM(ALT_DIGITS)
    ITEM(YESEXPR) ITEM(NOEXPR) ITEM(_DATE_FMT)
#undef ITEM
};

static PyObject *locale_nl_langinfo(PyObject *module, PyObject *arg)
{
    int key = _PyLong_AsInt(arg);
    if (key == -1 && PyErr_Occurred())
        return NULL;
    for (size_t i = 0; i < Py_ARRAY_LENGTH(langinfo_constants); i++)
        if (langinfo_constants[i].value == key) {
            const char *text = nl_langinfo(key);
            return PyUnicode_DecodeLocale(text != NULL ? text : "", NULL);
        }
    PyErr_SetString(PyExc_ValueError, "unsupported langinfo constant");
    return NULL;
}

static PyObject *locale_getencoding(PyObject *module, PyObject *unused)
{
    const char *codeset = nl_langinfo(CODESET);
    return codeset == NULL || *codeset == 0 ? PyUnicode_FromString("UTF-8") : PyUnicode_DecodeLocale(codeset, NULL);
}

/* ---- messages ---- */

static PyObject *locale_gettext(PyObject *module, PyObject *args)
{
    const char *message;
    if (!PyArg_ParseTuple(args, "s:gettext", &message))
        return NULL;
    return PyUnicode_DecodeLocale(gettext(message), NULL);
}

static PyObject *locale_dgettext(PyObject *module, PyObject *args)
{
    const char *domain, *message;
    if (!PyArg_ParseTuple(args, "zs:dgettext", &domain, &message))
        return NULL;
    return PyUnicode_DecodeLocale(dgettext(domain, message), NULL);
}

static PyObject *locale_dcgettext(PyObject *module, PyObject *args)
{
    const char *domain, *message;
    int category;
    if (!PyArg_ParseTuple(args, "zsi:dcgettext", &domain, &message, &category))
        return NULL;
    return PyUnicode_DecodeLocale(dcgettext(domain, message, category), NULL);
}

/* The domain functions answer with memory that the next such call may free: the answer, or NULL, is copied under the lock.
 * Without memory errno is ENOMEM. */
#define ANSWER(answer, call) \
    do { \
        PyMutex_Lock(&locale_lock); \
        errno = 0; \
        const char *locked = (call); \
        (answer) = locked != NULL ? copy_text(locked) : NULL; \
        if (locked != NULL && (answer) == NULL) \
            errno = ENOMEM; \
        PyMutex_Unlock(&locale_lock); \
    } while (0)

/* Takes the copy over. */
static PyObject *answer_make(char *answer)
{
    if (answer == NULL)
        return PyErr_SetFromErrno(PyExc_OSError);
    PyObject *result = PyUnicode_DecodeLocale(answer, NULL);
    PyMem_RawFree(answer);
    return result;
}

static PyObject *locale_textdomain(PyObject *module, PyObject *args)
{
    const char *domain;
    char *answer;
    if (!PyArg_ParseTuple(args, "z:textdomain", &domain))
        return NULL;
    ANSWER(answer, textdomain(domain));
    return answer_make(answer);
}

static PyObject *locale_bindtextdomain(PyObject *module, PyObject *args)
{
    const char *domain;
    char *answer;
    PyObject *directory, *bytes = NULL;
    if (!PyArg_ParseTuple(args, "sO:bindtextdomain", &domain, &directory))
        return NULL;
    if (*domain == 0) {
        PyErr_SetString(locale_error, "domain must be a non-empty string");
        return NULL;
    }
    if (directory != Py_None && !PyUnicode_FSConverter(directory, &bytes))
        return NULL;
    ANSWER(answer, bindtextdomain(domain, bytes != NULL ? PyBytes_AS_STRING(bytes) : NULL));
    Py_XDECREF(bytes);
    return answer_make(answer);
}

static PyObject *locale_bind_textdomain_codeset(PyObject *module, PyObject *args)
{
    const char *domain, *codeset;
    char *answer;
    if (!PyArg_ParseTuple(args, "sz:bind_textdomain_codeset", &domain, &codeset))
        return NULL;
    ANSWER(answer, bind_textdomain_codeset(domain, codeset));
    if (answer == NULL)
        Py_RETURN_NONE;
    return answer_make(answer);
}

/* ---- the module ---- */

static PyMethodDef locale_methods[] = {
    {"setlocale", locale_setlocale, METH_VARARGS,
     "setlocale($module, category, locale=<unrepresentable>, /)\n--\n\nSets the locale of a category, or answers with it."},
    {"localeconv", locale_localeconv, METH_NOARGS,
     "localeconv($module, /)\n--\n\nA dict of how numbers and amounts are written."},
    {"strcoll", locale_strcoll, METH_VARARGS,
     "strcoll($module, os1, os2, /)\n--\n\nCompares two strings: a negative number, 0 or a positive number."},
    {"strxfrm", locale_strxfrm, METH_O,
     "strxfrm($module, string, /)\n--\n\nA string whose plain order is the locale's order of the original."},
    {"nl_langinfo", locale_nl_langinfo, METH_O, "nl_langinfo($module, key, /)\n--\n\nA text of the locale."},
    {"getencoding", locale_getencoding, METH_NOARGS, "getencoding($module, /)\n--\n\nThe encoding of the locale."},
    {"gettext", locale_gettext, METH_VARARGS, "gettext($module, msg, /)\n--\n\nThe translation of a message."},
    {"dgettext", locale_dgettext, METH_VARARGS,
     "dgettext($module, domain, msg, /)\n--\n\nThe translation of a message in a domain."},
    {"dcgettext", locale_dcgettext, METH_VARARGS,
     "dcgettext($module, domain, msg, category, /)\n--\n\nThe translation of a message in a domain and category."},
    {"textdomain", locale_textdomain, METH_VARARGS,
     "textdomain($module, domain, /)\n--\n\nSets the domain of gettext(); None: answers with it."},
    {"bindtextdomain", locale_bindtextdomain, METH_VARARGS,
     "bindtextdomain($module, domain, dir, /)\n--\n\nSets the directory of a domain; None: answers with it."},
    {"bind_textdomain_codeset", locale_bind_textdomain_codeset, METH_VARARGS,
     "bind_textdomain_codeset($module, domain, codeset, /)\n--\n\nSets the encoding of a domain; None: answers with it."},
    {NULL},
};

static int locale_exec(PyObject *module)
{
    static const struct { const char *name; int value; } constants[] = {
#define INT(name) {#name, name},
        INT(LC_CTYPE) INT(LC_TIME) INT(LC_COLLATE) INT(LC_MONETARY) INT(LC_MESSAGES) INT(LC_NUMERIC) INT(LC_ALL)
        INT(CHAR_MAX)
#undef INT
    };
    for (size_t i = 0; i < Py_ARRAY_LENGTH(constants); i++)
        if (PyModule_AddIntConstant(module, constants[i].name, constants[i].value) < 0)
            return -1;
    for (size_t i = 0; i < Py_ARRAY_LENGTH(langinfo_constants); i++)
        if (PyModule_AddIntConstant(module, langinfo_constants[i].name, langinfo_constants[i].value) < 0)
            return -1;
    if (locale_error == NULL && (locale_error = PyErr_NewException("locale.Error", NULL, NULL)) == NULL)
        return -1;
    return PyModule_AddObjectRef(module, "Error", locale_error);
}

static PyModuleDef_Slot locale_slots[] = {
    {Py_mod_exec, (void *)locale_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef locale_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_locale",
    .m_doc = "The locale of the C library: see the module locale.",
    .m_methods = locale_methods,
    .m_slots = locale_slots,
};

PyMODINIT_FUNC PyInit__locale(void)
{
    return PyModuleDef_Init(&locale_module);
}
