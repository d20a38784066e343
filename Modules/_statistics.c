/* The _statistics module: the quantile function of the normal distribution. */
#include "module.h"

#include <math.h>

/* A quotient of polynomials, coefficients from the highest power down. */
typedef struct { double numerator[8], denominator[8]; } rational_t;

/* M. J. Wichura, Algorithm AS 241 (Applied Statistics 37, 1988): PPND16, right to about 16 digits. */
static const rational_t central = {
    {2509.0809287301226727, 33430.575583588128105, 67265.770927008700853, 45921.953931549871457, 13731.693765509461125,
     1971.5909503065514427, 133.14166789178437745, 3.3871328727963666080},
    {5226.4952788528545610, 28729.085735721942674, 39307.895800092710610, 21213.794301586595867, 5394.1960214247511077,
     687.18700749205790830, 42.313330701600911252, 1.0},
};
static const rational_t middle = {
    {7.74545014278341407640e-4, 2.27238449892691845833e-2, 0.241780725177450611770, 1.27045825245236838258,
     3.64784832476320460504, 5.76949722146069140550, 4.63033784615654529590, 1.42343711074968357734},
    {1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 0.148103976427480074590,
     0.689767334985100004550, 1.67638483018380384940, 2.05319162663775882187, 1.0},
};
static const rational_t outer = {
    {2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2,
     0.296560571828504891230, 1.78482653991729133580, 5.46378491116411436990, 6.65790464350110377720},
    {2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
     1.48753612908506148525e-2, 0.136929880922735805310, 0.599832206555887937690, 1.0},
};

static double polynomial(const double *c, double x)
{
    double sum = c[0];
    for (int i = 1; i < 8; i++)
        sum = sum * x + c[i];
    return sum;
}

static double quantile(double p, double mean, double deviation)
{
    double q = p - 0.5;
    if (fabs(q) <= 0.425) {
        double r = 0.180625 - q * q;
        return mean + polynomial(central.numerator, r) * q / polynomial(central.denominator, r) * deviation;
    }
    double r = sqrt(-log(q <= 0.0 ? p : 1.0 - p));
    const rational_t *f = r <= 5.0 ? &middle : &outer;
    r -= r <= 5.0 ? 1.6 : 5.0;
    double x = polynomial(f->numerator, r) / polynomial(f->denominator, r);
    return mean + (q < 0.0 ? -x : x) * deviation;
}

static PyObject *normal_dist_inv_cdf(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    double v[3];
    if (!_PyArg_CheckPositional("_normal_dist_inv_cdf", nargs, 3, 3))
        return NULL;
    for (int i = 0; i < 3; i++) {
        v[i] = PyFloat_AsDouble(args[i]);
        if (v[i] == -1.0 && PyErr_Occurred())
            return NULL;
    }
    if (v[0] <= 0.0 || v[0] >= 1.0 || v[2] <= 0.0) {
        PyErr_SetString(PyExc_ValueError, "inv_cdf undefined for these parameters");
        return NULL;
    }
    return PyFloat_FromDouble(quantile(v[0], v[1], v[2]));
}

static PyMethodDef statistics_methods[] = {
    MODULE_METHOD("_normal_dist_inv_cdf", normal_dist_inv_cdf, METH_FASTCALL,
                  "_normal_dist_inv_cdf($module, p, mu, sigma, /)\n--\n\n"
                  "The value that a normally distributed variable stays below with probability p."),
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot statistics_slots[] = {
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef statistics_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_statistics",
    .m_doc = "The fast part of the statistics module.",
    .m_methods = statistics_methods,
    .m_slots = statistics_slots,
};

PyMODINIT_FUNC PyInit__statistics(void)
{
    return PyModuleDef_Init(&statistics_module);
}
