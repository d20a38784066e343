/* Python file objects from C. */
#ifndef Py_FILEOBJECT_H
#define Py_FILEOBJECT_H

#define PY_STDIOTEXTMODE "b"

PyAPI_FUNC(PyObject *) PyFile_FromFd(int fd, const char *name, const char *mode, int buffering, const char *encoding,
                                     const char *errors, const char *newline, int closefd);
PyAPI_FUNC(PyObject *) PyFile_GetLine(PyObject *file, int n);
PyAPI_FUNC(int) PyFile_WriteObject(PyObject *value, PyObject *file, int flags);
PyAPI_FUNC(int) PyFile_WriteString(const char *text, PyObject *file);
PyAPI_FUNC(int) PyObject_AsFileDescriptor(PyObject *file);
PyAPI_FUNC(PyObject *) PyFile_OpenCode(const char *utf8path);
PyAPI_FUNC(PyObject *) PyFile_OpenCodeObject(PyObject *path);
typedef PyObject *(*Py_OpenCodeHookFunction)(PyObject *, void *);
PyAPI_FUNC(int) PyFile_SetOpenCodeHook(Py_OpenCodeHookFunction hook, void *user_data);
PyAPI_FUNC(int) _PyLong_FileDescriptor_Converter(PyObject *op, void *fd);
PyAPI_FUNC(char *) Py_UniversalNewlineFgets(char *buf, int size, FILE *file, PyObject *fobj);

/* An unbuffered text writer for standard error, usable before the io module exists. */
PyAPI_DATA(PyTypeObject) PyStdPrinter_Type;
PyAPI_FUNC(PyObject *) PyFile_NewStdPrinter(int fd);

/* Encodings of file names; set at start-up. */
PyAPI_DATA(const char *) Py_FileSystemDefaultEncoding;
PyAPI_DATA(const char *) Py_FileSystemDefaultEncodeErrors;
PyAPI_DATA(int) Py_HasFileSystemDefaultEncoding;
PyAPI_DATA(int) Py_UTF8Mode;

#endif /* Py_FILEOBJECT_H */
