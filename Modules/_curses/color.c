/* Functions on colors and pairs of them. */
#include "curses_internal.h"

/* ---- Numbers of colors: 1, or 0 with an exception ---- */

static int color_number(PyObject *object, int *result, int least)
{
    int overflow;
    long value = PyLong_AsLongAndOverflow(object, &overflow);
    if (value == -1 && PyErr_Occurred())
        return 0;
    if (overflow > 0 || (overflow == 0 && value > COLORS - 1))
        PyErr_Format(PyExc_ValueError, "Color number is greater than COLORS-1 (%d).", COLORS - 1);
    else if (overflow < 0 || value < least)
        PyErr_SetString(PyExc_ValueError, "Color number is less than 0.");
    else {
        *result = (int)value;
        return 1;
    }
    return 0;
}

static int convert_color(PyObject *object, void *result) { return color_number(object, result, 0); }

/* Negative ones stand for the terminal's own color. */
static int convert_color_or_default(PyObject *object, void *result)
{
    int overflow;
    long value = PyLong_AsLongAndOverflow(object, &overflow);
    if (value == -1 && overflow == 0 && PyErr_Occurred())
        return 0;
    if (overflow < 0 || (overflow == 0 && value < 0)) {
        *(int *)result = -1;
        return 1;
    }
    return color_number(object, result, 0);
}

static int convert_pair(PyObject *object, void *result)
{
    int overflow;
    long value = PyLong_AsLongAndOverflow(object, &overflow);
    if (value == -1 && overflow == 0 && PyErr_Occurred())
        return 0;
    if (overflow > 0 || (overflow == 0 && value > INT_MAX))
        PyErr_Format(PyExc_ValueError, "Color pair is greater than maximum (%d).", INT_MAX);
    else if (overflow < 0 || value < 0)
        PyErr_SetString(PyExc_ValueError, "Color pair is less than 0.");
    else {
        *(int *)result = (int)value;
        return 1;
    }
    return 0;
}

static int convert_component(PyObject *object, void *result)
{
    int overflow;
    long value = PyLong_AsLongAndOverflow(object, &overflow);
    if (value == -1 && overflow == 0 && PyErr_Occurred())
        return 0;
    if (overflow > 0 || (overflow == 0 && value > 1000))
        PyErr_SetString(PyExc_ValueError, "Color component is greater than 1000");
    else if (overflow < 0 || value < 0)
        PyErr_SetString(PyExc_ValueError, "Color component is less than 0");
    else {
        *(int *)result = (int)value;
        return 1;
    }
    return 0;
}

/* ---- Functions ---- */

static PyObject *start(PyObject *module, PyObject *unused)
{
    int result, colors, pairs;
    if (!curses_need_screen())
        return NULL;
    CURSES_LOCKED(result = start_color(); colors = COLORS; pairs = COLOR_PAIRS);
    if (result == ERR) {
        PyErr_SetString(curses_error, "start_color() returned ERR");
        return NULL;
    }
    __atomic_store_n(&curses_colors_started, 1, __ATOMIC_RELEASE);      /* pairs with curses_need_colors */
    if (PyModule_AddIntConstant(module, "COLORS", colors) < 0 || PyModule_AddIntConstant(module, "COLOR_PAIRS", pairs) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static int ready(void) { return curses_need_screen() && curses_need_colors(); }

static PyObject *get_color(PyObject *module, PyObject *object)
{
    int color, r, g, b, result;
    if (!convert_color(object, &color) || !ready())
        return NULL;
    CURSES_LOCKED(result = extended_color_content(color, &r, &g, &b));
    return result != ERR ? Py_BuildValue("(iii)", r, g, b) : curses_check(result, "extended_color_content");
}

static PyObject *set_color(PyObject *module, PyObject *args)
{
    int color, r, g, b;
    if (!PyArg_ParseTuple(args, "O&O&O&O&:init_color", convert_color, &color, convert_component, &r, convert_component, &g,
                          convert_component, &b) || !ready())
        return NULL;
    CURSES_RETURN(init_extended_color(color, r, g, b), "init_extended_color");
}

static PyObject *set_pair(PyObject *module, PyObject *args)
{
    int pair, foreground, background;
    if (!PyArg_ParseTuple(args, "O&O&O&:init_pair", convert_pair, &pair, convert_color_or_default, &foreground,
                          convert_color_or_default, &background) || !ready())
        return NULL;
    CURSES_RETURN(init_extended_pair(pair, foreground, background), "init_extended_pair");
}

static PyObject *get_pair(PyObject *module, PyObject *object)
{
    int pair, foreground, background, result;
    if (!convert_pair(object, &pair) || !ready())
        return NULL;
    CURSES_LOCKED(result = extended_pair_content(pair, &foreground, &background));
    return result != ERR ? Py_BuildValue("(ii)", foreground, background) : curses_check(result, "extended_pair_content");
}

static PyObject *pair_attribute(PyObject *module, PyObject *object)
{
    int pair = _PyLong_AsInt(object);
    if ((pair == -1 && PyErr_Occurred()) || !ready())
        return NULL;
    return PyLong_FromLong(COLOR_PAIR(pair));
}

static PyObject *attribute_pair(PyObject *module, PyObject *object)
{
    int attribute = _PyLong_AsInt(object);
    if ((attribute == -1 && PyErr_Occurred()) || !ready())
        return NULL;
    return PyLong_FromLong(PAIR_NUMBER(attribute));
}

static PyObject *default_colors(PyObject *module, PyObject *unused)
{
    if (!ready())
        return NULL;
    CURSES_RETURN(use_default_colors(), "use_default_colors");
}

static PyObject *colors_there(PyObject *module, PyObject *unused)
{
    bool result;
    if (!curses_need_screen())
        return NULL;
    CURSES_LOCKED(result = has_colors());
    return PyBool_FromLong(result);
}

static PyObject *colors_can_change(PyObject *module, PyObject *unused)
{
    bool result;
    if (!curses_need_screen())
        return NULL;
    CURSES_LOCKED(result = can_change_color());
    return PyBool_FromLong(result);
}

static PyObject *many_colors(PyObject *module, PyObject *unused) { Py_RETURN_TRUE; }

PyMethodDef curses_color_methods[] = {
    {"start_color", start, METH_NOARGS, "start_color($module, /)\n--\n\nMake ready for colors; sets COLORS and COLOR_PAIRS."},
    {"color_content", get_color, METH_O, "color_content($module, color_number, /)\n--\n\nRed, green and blue of a color, 0 to 1000 each."},
    {"init_color", set_color, METH_VARARGS, "init_color($module, color_number, r, g, b, /)\n--\n\nChange a color."},
    {"init_pair", set_pair, METH_VARARGS, "init_pair($module, pair_number, fg, bg, /)\n--\n\nChange a pair of colors."},
    {"pair_content", get_pair, METH_O, "pair_content($module, pair_number, /)\n--\n\nThe two colors of a pair."},
    {"color_pair", pair_attribute, METH_O, "color_pair($module, pair_number, /)\n--\n\nThe attribute that stands for a pair."},
    {"pair_number", attribute_pair, METH_O, "pair_number($module, attr, /)\n--\n\nThe pair that an attribute stands for."},
    {"use_default_colors", default_colors, METH_NOARGS,
     "use_default_colors($module, /)\n--\n\nLet the color -1 stand for the terminal's own."},
    {"has_colors", colors_there, METH_NOARGS, "has_colors($module, /)\n--\n\nDoes the terminal have colors?"},
    {"can_change_color", colors_can_change, METH_NOARGS, "can_change_color($module, /)\n--\n\nCan the colors be changed?"},
    {"has_extended_color_support", many_colors, METH_NOARGS,
     "has_extended_color_support($module, /)\n--\n\nCan there be more than 256 colors?"},
    {NULL},
};
