/* The errno module: the names of the system's error numbers. */
#include "module.h"
#include <errno.h>

static const struct errno_name {
    const char *name;
    int code;
} errno_names[] = {
#define CODE(name) {#name, name},
    CODE(EPERM) CODE(ENOENT) CODE(ESRCH) CODE(EINTR) CODE(EIO) CODE(ENXIO) CODE(E2BIG) CODE(ENOEXEC) CODE(EBADF)
    CODE(ECHILD) CODE(ENOMEM) CODE(EACCES) CODE(EFAULT) CODE(ENOTBLK) CODE(EBUSY) CODE(EEXIST)
    CODE(EXDEV) CODE(ENODEV) CODE(ENOTDIR) CODE(EISDIR) CODE(EINVAL) CODE(ENFILE) CODE(EMFILE) CODE(ENOTTY)
    CODE(ETXTBSY) CODE(EFBIG) CODE(ENOSPC) CODE(ESPIPE) CODE(EROFS) CODE(EMLINK) CODE(EPIPE) CODE(EDOM) CODE(ERANGE)
    CODE(EDEADLOCK) CODE(EDEADLK) CODE(ENAMETOOLONG) CODE(ENOLCK) CODE(ENOSYS) CODE(ENOTEMPTY) CODE(ELOOP)
    CODE(EAGAIN) CODE(EWOULDBLOCK) CODE(ENOMSG) CODE(EIDRM) CODE(ECHRNG) CODE(EL2NSYNC) CODE(EL3HLT) CODE(EL3RST)
    CODE(ELNRNG) CODE(EUNATCH) CODE(ENOCSI) CODE(EL2HLT) CODE(EBADE) CODE(EBADR) CODE(EXFULL) CODE(ENOANO)
    CODE(EBADRQC) CODE(EBADSLT) CODE(EBFONT) CODE(ENOSTR) CODE(ENODATA) CODE(ETIME) CODE(ENOSR) CODE(ENONET)
    CODE(ENOPKG) CODE(EREMOTE) CODE(ENOLINK) CODE(EADV) CODE(ESRMNT) CODE(ECOMM) CODE(EPROTO) CODE(EMULTIHOP)
    CODE(EDOTDOT) CODE(EBADMSG) CODE(EOVERFLOW) CODE(ENOTUNIQ) CODE(EBADFD) CODE(EREMCHG) CODE(ELIBACC)
    CODE(ELIBBAD) CODE(ELIBSCN) CODE(ELIBMAX) CODE(ELIBEXEC) CODE(EILSEQ) CODE(ERESTART) CODE(ESTRPIPE)
    CODE(EUSERS) CODE(ENOTSOCK) CODE(EDESTADDRREQ) CODE(EMSGSIZE) CODE(EPROTOTYPE) CODE(ENOPROTOOPT)
    CODE(EPROTONOSUPPORT) CODE(ESOCKTNOSUPPORT) CODE(ENOTSUP) CODE(EOPNOTSUPP) CODE(EPFNOSUPPORT)
    CODE(EAFNOSUPPORT) CODE(EADDRINUSE) CODE(EADDRNOTAVAIL) CODE(ENETDOWN) CODE(ENETUNREACH) CODE(ENETRESET)
    CODE(ECONNABORTED) CODE(ECONNRESET) CODE(ENOBUFS) CODE(EISCONN) CODE(ENOTCONN) CODE(ESHUTDOWN)
    CODE(ETOOMANYREFS) CODE(ETIMEDOUT) CODE(ECONNREFUSED) CODE(EHOSTDOWN) CODE(EHOSTUNREACH) CODE(EALREADY)
    CODE(EINPROGRESS) CODE(ESTALE) CODE(EUCLEAN) CODE(ENOTNAM) CODE(ENAVAIL) CODE(EISNAM) CODE(EREMOTEIO)
    CODE(EDQUOT) CODE(ENOMEDIUM) CODE(EMEDIUMTYPE) CODE(ECANCELED) CODE(ENOKEY) CODE(EKEYEXPIRED) CODE(EKEYREVOKED)
    CODE(EKEYREJECTED) CODE(EOWNERDEAD) CODE(ENOTRECOVERABLE) CODE(ERFKILL)
#undef CODE
};

static int errno_exec(PyObject *module)
{
    PyObject *codes = PyDict_New();
    int result = -1;
    if (codes == NULL || PyModule_AddObjectRef(module, "errorcode", codes) < 0)
        goto done;
    for (size_t i = 0; i < Py_ARRAY_LENGTH(errno_names); i++) {
        PyObject *name = PyUnicode_InternFromString(errno_names[i].name);
        PyObject *code = PyLong_FromLong(errno_names[i].code);
        int rc = name == NULL || code == NULL || PyModule_AddObjectRef(module, errno_names[i].name, code) < 0
                 || PyDict_SetItem(codes, code, name) < 0;
        Py_XDECREF(name);
        Py_XDECREF(code);
        if (rc)
            goto done;
    }
    result = 0;
done:
    Py_XDECREF(codes);
    return result;
}

static PyModuleDef_Slot errno_slots[] = {
    {Py_mod_exec, (void *)errno_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef errno_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "errno",
    .m_doc = "The error numbers of the system by name; errorcode maps numbers back to names.",
    .m_slots = errno_slots,
};

PyMODINIT_FUNC PyInit_errno(void)
{
    return PyModuleDef_Init(&errno_module);
}
