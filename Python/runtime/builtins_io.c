/* print and input. */
#include "Python.h"

#include "builtins.h"
#include "sys_internal.h"
#include "thread_state.h"
#include "well_known_strings.h"

#include <unistd.h>

/* ---- print ---- */

typedef struct {
    PyObject *sep, *end, *file;
    int flush;
} print_options_t;

static int separator(PyObject **field, PyObject *value, const char *name)
{
    if (value == Py_None) {
        *field = NULL;
        return 0;
    }
    if (!PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError, "%s must be None or a string, not %.200s", name, Py_TYPE(value)->tp_name);
        return -1;
    }
    *field = value;
    return 0;
}

static int parse_options(print_options_t *o, PyObject *const *values, PyObject *kwnames)
{
    memset(o, 0, sizeof(*o));
    for (Py_ssize_t i = 0; kwnames != NULL && i < PyTuple_GET_SIZE(kwnames); i++) {
        PyObject *keyword = PyTuple_GET_ITEM(kwnames, i);
        int status = 0;
        if (PyUnicode_CompareWithASCIIString(keyword, "sep") == 0)
            status = separator(&o->sep, values[i], "sep");
        else if (PyUnicode_CompareWithASCIIString(keyword, "end") == 0)
            status = separator(&o->end, values[i], "end");
        else if (PyUnicode_CompareWithASCIIString(keyword, "file") == 0)
            o->file = values[i] == Py_None ? NULL : values[i];
        else if (PyUnicode_CompareWithASCIIString(keyword, "flush") == 0) {
            o->flush = PyObject_IsTrue(values[i]);
            status = o->flush < 0 ? -1 : 0;
        }
        else {
            PyErr_Format(PyExc_TypeError, "'%U' is an invalid keyword argument for print()", keyword);
            status = -1;
        }
        if (status < 0)
            return -1;
    }
    return 0;
}

static PyObject *builtin_print(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    print_options_t o;
    if (parse_options(&o, args + nargs, kwnames) < 0)
        return NULL;
    PyObject *file = o.file != NULL ? Py_NewRef(o.file) : sys_object_ref("stdout");
    if (file == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "lost sys.stdout");
        return NULL;
    }
    if (file == Py_None && o.file == NULL)
        Py_RETURN_NONE;
    int status = 0;
    for (Py_ssize_t i = 0; i < nargs && status == 0; i++) {
        if (i > 0)
            status = o.sep != NULL ? PyFile_WriteObject(o.sep, file, Py_PRINT_RAW) : PyFile_WriteString(" ", file);
        if (status == 0)
            status = PyFile_WriteObject(args[i], file, Py_PRINT_RAW);
    }
    if (status == 0)
        status = o.end != NULL ? PyFile_WriteObject(o.end, file, Py_PRINT_RAW) : PyFile_WriteString("\n", file);
    if (status == 0 && o.flush) {
        PyObject *result = PyObject_CallMethodNoArgs(file, STR(flush));
        status = result != NULL ? 0 : -1;
        Py_XDECREF(result);
    }
    Py_DECREF(file);
    if (status < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* ---- input ---- */

/* A standard stream by name: a new reference, or NULL with RuntimeError. */
static PyObject *stream(const char *name)
{
    PyObject *file = sys_object_ref(name);
    if (file != NULL && file != Py_None)
        return file;
    PyErr_Format(PyExc_RuntimeError, "input(): lost sys.%s", name);
    return NULL;
}

static int flush(PyObject *file)
{
    PyObject *result = PyObject_CallMethodNoArgs(file, STR(flush));
    Py_XDECREF(result);
    return result != NULL ? 0 : -1;
}

/* Is file, a standard stream of Python, the terminal that C calls by that number? 1, 0, or -1 with an exception. */
static int is_terminal(PyObject *file, int number)
{
    PyObject *fd = PyObject_CallMethodNoArgs(file, STR(fileno));
    if (fd == NULL) {
        PyErr_Clear();
        return 0;
    }
    long value = PyLong_AsLong(fd);
    Py_DECREF(fd);
    if (value == -1 && PyErr_Occurred())
        return -1;
    return value == number && isatty(number);
}

/* The encoding and the error handler of a stream, as new strings. 0: it has none. */
static int stream_encoding(PyObject *file, PyObject **encoding, PyObject **errors)
{
    *encoding = PyObject_GetAttr(file, STR(encoding));
    *errors = *encoding != NULL ? PyObject_GetAttr(file, STR(errors)) : NULL;
    if (*errors != NULL && PyUnicode_Check(*encoding) && PyUnicode_Check(*errors))
        return 1;
    PyErr_Clear();
    Py_CLEAR(*encoding);
    Py_CLEAR(*errors);
    return 0;
}

/* prompt in the encoding of sys.stdout: new bytes. */
static PyObject *encode_prompt(PyObject *prompt, PyObject *encoding, PyObject *errors)
{
    const char *name = PyUnicode_AsUTF8(encoding), *handler = PyUnicode_AsUTF8(errors);
    PyObject *text = name != NULL && handler != NULL ? PyObject_Str(prompt) : NULL;
    PyObject *bytes = text != NULL ? PyUnicode_AsEncodedString(text, name, handler) : NULL;
    Py_XDECREF(text);
    if (bytes != NULL && strlen(PyBytes_AS_STRING(bytes)) != (size_t)PyBytes_GET_SIZE(bytes)) {
        PyErr_SetString(PyExc_ValueError, "input: prompt string cannot contain null characters");
        Py_CLEAR(bytes);
    }
    return bytes;
}

static PyObject *decode_line(char *line, PyObject *encoding, PyObject *errors)
{
    size_t size = strlen(line);
    const char *name = PyUnicode_AsUTF8(encoding), *handler = PyUnicode_AsUTF8(errors);
    if (size == 0) {
        PyErr_SetNone(PyExc_EOFError);
        return NULL;
    }
    if (line[size - 1] == '\n')
        size--;
    return name != NULL && handler != NULL ? PyUnicode_Decode(line, (Py_ssize_t)size, name, handler) : NULL;
}

/* Both streams are the terminal: reads with line editing. *done 0: they are not what they should be, and nothing was read. */
static PyObject *input_from_terminal(PyObject *in, PyObject *out, PyObject *prompt, int *done)
{
    PyObject *in_encoding = NULL, *in_errors = NULL, *encoding = NULL, *errors = NULL, *bytes = NULL, *result = NULL;
    *done = stream_encoding(in, &in_encoding, &in_errors) && stream_encoding(out, &encoding, &errors);
    if (!*done)
        goto done;
    if (flush(out) < 0)
        PyErr_Clear();
    if (prompt != NULL && (bytes = encode_prompt(prompt, encoding, errors)) == NULL)
        goto done;
    char *line = PyOS_Readline(stdin, stdout, bytes != NULL ? PyBytes_AS_STRING(bytes) : "");
    if (line != NULL)
        result = decode_line(line, in_encoding, in_errors);
    else if (!PyErr_Occurred())
        PyErr_SetNone(PyExc_KeyboardInterrupt);
    PyMem_Free(line);
done:
    Py_XDECREF(in_encoding);
    Py_XDECREF(in_errors);
    Py_XDECREF(encoding);
    Py_XDECREF(errors);
    Py_XDECREF(bytes);
    return result;
}

static PyObject *builtin_input(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *in = NULL, *out = NULL, *err = NULL, *line = NULL;
    int terminal;
    if (!_PyArg_CheckPositional("input", nargs, 0, 1))
        return NULL;
    if ((in = stream("stdin")) == NULL || (out = stream("stdout")) == NULL || (err = stream("stderr")) == NULL)
        goto done;
    if (PySys_Audit("builtins.input", "O", nargs > 0 ? args[0] : Py_None) < 0)
        goto done;
    if (flush(err) < 0)
        PyErr_Clear();
    terminal = is_terminal(in, fileno(stdin));
    if (terminal > 0)
        terminal = is_terminal(out, fileno(stdout));
    if (terminal < 0)
        goto done;
    if (terminal) {
        line = input_from_terminal(in, out, nargs > 0 ? args[0] : NULL, &terminal);
        if (terminal)
            goto got;
    }
    if (nargs > 0 && PyFile_WriteObject(args[0], out, Py_PRINT_RAW) < 0)
        goto done;
    if (flush(out) < 0)
        PyErr_Clear();
    line = PyFile_GetLine(in, -1);
got:
    if (line != NULL && PySys_Audit("builtins.input/result", "O", line) < 0)
        Py_CLEAR(line);
done:
    Py_XDECREF(in);
    Py_XDECREF(out);
    Py_XDECREF(err);
    return line;
}

PyMethodDef builtin_io_methods[] = {
    {"print", (PyCFunction)(void (*)(void))builtin_print, METH_FASTCALL | METH_KEYWORDS,
     "print($module, /, *args, sep=' ', end='\\n', file=None, flush=False)\n--\n\n"
     "Print the values to a stream, or to sys.stdout by default.\n\n"
     "  sep    string between values\n  end    string after the last value\n"
     "  file   an object with a write method\n  flush  whether to flush the stream forcibly"},
    {"input", (PyCFunction)(void (*)(void))builtin_input, METH_FASTCALL,
     "input($module, prompt='', /)\n--\n\nRead a line from standard input, without the newline; EOFError at the end."},
    {NULL},
};
