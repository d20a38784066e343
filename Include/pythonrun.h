/* Running source text and files. */
#ifndef Py_PYTHONRUN_H
#define Py_PYTHONRUN_H

PyAPI_FUNC(int) PyRun_SimpleString(const char *source);
PyAPI_FUNC(int) PyRun_SimpleStringFlags(const char *source, PyCompilerFlags *flags);
PyAPI_FUNC(int) PyRun_SimpleFile(FILE *file, const char *filename);
PyAPI_FUNC(int) PyRun_SimpleFileExFlags(FILE *file, const char *filename, int close_it, PyCompilerFlags *flags);
PyAPI_FUNC(int) PyRun_AnyFile(FILE *file, const char *filename);
PyAPI_FUNC(int) PyRun_AnyFileExFlags(FILE *file, const char *filename, int close_it, PyCompilerFlags *flags);
PyAPI_FUNC(int) PyRun_InteractiveLoop(FILE *file, const char *filename);
PyAPI_FUNC(int) PyRun_InteractiveLoopFlags(FILE *file, const char *filename, PyCompilerFlags *flags);
PyAPI_FUNC(PyObject *) PyRun_String(const char *source, int start, PyObject *globals, PyObject *locals);
PyAPI_FUNC(PyObject *) PyRun_StringFlags(const char *source, int start, PyObject *globals, PyObject *locals, PyCompilerFlags *flags);
PyAPI_FUNC(PyObject *) PyRun_File(FILE *file, const char *filename, int start, PyObject *globals, PyObject *locals);
PyAPI_FUNC(PyObject *) PyRun_FileExFlags(FILE *file, const char *filename, int start, PyObject *globals, PyObject *locals,
                                         int close_it, PyCompilerFlags *flags);

/* Reads a whole stream: new bytes object. */
PyObject *run_read_file(FILE *file);
/* The exit status that an unhandled exception asks for: prints it (SystemExit is obeyed), clears it. */
int run_exception_status(void);

#endif /* Py_PYTHONRUN_H */
