/* The sys module from C. */
#ifndef Py_SYSMODULE_H
#define Py_SYSMODULE_H

PyAPI_FUNC(PyObject *) PySys_GetObject(const char *name);               /* borrowed; NULL without an exception */
PyAPI_FUNC(int) PySys_SetObject(const char *name, PyObject *value);     /* NULL removes the name */
PyAPI_FUNC(PyObject *) _PySys_GetAttr(PyThreadState *ts, PyObject *name);       /* borrowed */
/* The same as a new reference: safe against threads that replace the value.  1 found, 0 absent, -1 exception */
PyAPI_FUNC(int) PySys_GetOptionalAttrString(const char *name, PyObject **value);
PyAPI_FUNC(int) PySys_GetOptionalAttr(PyObject *name, PyObject **value);

PyAPI_FUNC(void) PySys_SetArgv(int argc, wchar_t **argv);
PyAPI_FUNC(void) PySys_SetArgvEx(int argc, wchar_t **argv, int update_path);
PyAPI_FUNC(void) PySys_SetPath(const wchar_t *path);

/* Printf to sys.stdout and sys.stderr; at most 1,000 bytes for the first two. */
PyAPI_FUNC(void) PySys_WriteStdout(const char *format, ...) __attribute__((format(printf, 1, 2)));
PyAPI_FUNC(void) PySys_WriteStderr(const char *format, ...) __attribute__((format(printf, 1, 2)));
PyAPI_FUNC(void) PySys_FormatStdout(const char *format, ...);
PyAPI_FUNC(void) PySys_FormatStderr(const char *format, ...);

PyAPI_FUNC(void) PySys_ResetWarnOptions(void);
PyAPI_FUNC(void) PySys_AddWarnOption(const wchar_t *option);
PyAPI_FUNC(void) PySys_AddWarnOptionUnicode(PyObject *option);
PyAPI_FUNC(int) PySys_HasWarnOptions(void);
PyAPI_FUNC(void) PySys_AddXOption(const wchar_t *option);
PyAPI_FUNC(PyObject *) PySys_GetXOptions(void);                         /* borrowed */

typedef int (*Py_AuditHookFunction)(const char *event, PyObject *args, void *data);
PyAPI_FUNC(int) PySys_Audit(const char *event, const char *format, ...);
PyAPI_FUNC(int) PySys_AddAuditHook(Py_AuditHookFunction hook, void *data);

PyAPI_FUNC(size_t) _PySys_GetSizeOf(PyObject *op);

#endif /* Py_SYSMODULE_H */
