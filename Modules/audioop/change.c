/* audioop: fragments made from one or two others, sample by sample. */
#include "samples.h"

/* A new bytes object for n samples of that width. */
static PyObject *new_fragment(Py_ssize_t n, int width)
{
    if (n > PY_SSIZE_T_MAX / width)
        return PyErr_NoMemory();
    return PyBytes_FromStringAndSize(NULL, n * width);
}

PyObject *audioop_mul(PyObject *module, PyObject *args)
{
    Py_buffer in;
    int width;
    double factor;
    PyObject *out = NULL;
    if (!PyArg_ParseTuple(args, "y*id:mul", &in, &width, &factor))
        return NULL;
    if (audioop_check_fragment(module, &in, width) && (out = new_fragment(in.len / width, width)) != NULL)
        for (Py_ssize_t i = 0; i < in.len / width; i++)
            sample_put(PyBytes_AS_STRING(out), width, i, sample_clip(sample_get(in.buf, width, i) * factor, width));
    PyBuffer_Release(&in);
    return out;
}

PyObject *audioop_add(PyObject *module, PyObject *args)
{
    Py_buffer a, b;
    int width;
    PyObject *out = NULL;
    if (!PyArg_ParseTuple(args, "y*y*i:add", &a, &b, &width))
        return NULL;
    if (audioop_check_fragment(module, &a, width)) {
        if (a.len != b.len)
            audioop_fail(module, "Lengths should be the same");
        else if ((out = new_fragment(a.len / width, width)) != NULL)
            for (Py_ssize_t i = 0; i < a.len / width; i++) {
                double sum = (double)sample_get(a.buf, width, i) + sample_get(b.buf, width, i);
                sample_put(PyBytes_AS_STRING(out), width, i, sample_clip(sum, width));
            }
    }
    PyBuffer_Release(&a);
    PyBuffer_Release(&b);
    return out;
}

PyObject *audioop_bias(PyObject *module, PyObject *args)
{
    Py_buffer in;
    int width, bias;
    PyObject *out = NULL;
    if (!PyArg_ParseTuple(args, "y*ii:bias", &in, &width, &bias))
        return NULL;
    if (audioop_check_fragment(module, &in, width) && (out = new_fragment(in.len / width, width)) != NULL)
        for (Py_ssize_t i = 0; i < in.len / width; i++) {
            uint32_t sum = (uint32_t)sample_get(in.buf, width, i) + (uint32_t)bias;         /* wraps round */
            sample_put(PyBytes_AS_STRING(out), width, i, (int32_t)sum);
        }
    PyBuffer_Release(&in);
    return out;
}

PyObject *audioop_tomono(PyObject *module, PyObject *args)
{
    Py_buffer in;
    int width;
    double left, right;
    PyObject *out = NULL;
    if (!PyArg_ParseTuple(args, "y*idd:tomono", &in, &width, &left, &right))
        return NULL;
    if (audioop_check_fragment(module, &in, width)) {
        Py_ssize_t n = in.len / width / 2;
        if (in.len % (2 * width) != 0)
            audioop_fail(module, "not a whole number of frames");
        else if ((out = new_fragment(n, width)) != NULL)
            for (Py_ssize_t i = 0; i < n; i++) {
                double sum = sample_get(in.buf, width, 2 * i) * left + sample_get(in.buf, width, 2 * i + 1) * right;
                sample_put(PyBytes_AS_STRING(out), width, i, sample_clip(sum, width));
            }
    }
    PyBuffer_Release(&in);
    return out;
}

PyObject *audioop_tostereo(PyObject *module, PyObject *args)
{
    Py_buffer in;
    int width;
    double left, right;
    PyObject *out = NULL;
    if (!PyArg_ParseTuple(args, "y*idd:tostereo", &in, &width, &left, &right))
        return NULL;
    if (audioop_check_fragment(module, &in, width)) {
        Py_ssize_t n = in.len / width;
        if (n > PY_SSIZE_T_MAX / 2)
            PyErr_NoMemory();
        else if ((out = new_fragment(2 * n, width)) != NULL)
            for (Py_ssize_t i = 0; i < n; i++) {
                double value = sample_get(in.buf, width, i);
                sample_put(PyBytes_AS_STRING(out), width, 2 * i, sample_clip(value * left, width));
                sample_put(PyBytes_AS_STRING(out), width, 2 * i + 1, sample_clip(value * right, width));
            }
    }
    PyBuffer_Release(&in);
    return out;
}

PyObject *audioop_reverse(PyObject *module, PyObject *args)
{
    Py_buffer in;
    int width;
    if (!audioop_parse(module, args, "y*i:reverse", &in, &width))
        return NULL;
    Py_ssize_t n = in.len / width;
    PyObject *out = new_fragment(n, width);
    for (Py_ssize_t i = 0; i < n && out != NULL; i++)
        sample_put(PyBytes_AS_STRING(out), width, n - 1 - i, sample_get(in.buf, width, i));
    PyBuffer_Release(&in);
    return out;
}

PyObject *audioop_byteswap(PyObject *module, PyObject *args)
{
    Py_buffer in;
    int width;
    if (!audioop_parse(module, args, "y*i:byteswap", &in, &width))
        return NULL;
    PyObject *out = new_fragment(in.len / width, width);
    const char *from = in.buf;
    for (Py_ssize_t i = 0; i < in.len && out != NULL; i++)
        PyBytes_AS_STRING(out)[i] = from[i - i % width + (width - 1 - i % width)];
    PyBuffer_Release(&in);
    return out;
}

PyObject *audioop_lin2lin(PyObject *module, PyObject *args)
{
    Py_buffer in;
    int width, new_width;
    PyObject *out = NULL;
    if (!PyArg_ParseTuple(args, "y*ii:lin2lin", &in, &width, &new_width))
        return NULL;
    if (audioop_check_fragment(module, &in, width) && audioop_check_width(module, new_width)
        && (out = new_fragment(in.len / width, new_width)) != NULL)
        for (Py_ssize_t i = 0; i < in.len / width; i++)
            sample_put_wide(PyBytes_AS_STRING(out), new_width, i, sample_get_wide(in.buf, width, i));
    PyBuffer_Release(&in);
    return out;
}
