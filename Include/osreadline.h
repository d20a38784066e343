/* Lines from a terminal (Python/runtime/console.c). */
#ifndef Py_OSREADLINE_H
#define Py_OSREADLINE_H

/* Called from time to time while PyOS_Readline waits for input, attached or not; for event loops of windows. */
PyAPI_DATA(int) (*PyOS_InputHook)(void);
/* How PyOS_Readline reads from a terminal: set by the readline module. Called detached.
 * Returns a line with its \n, "" at the end of the input, to be freed with PyMem_RawFree; NULL after an interrupt (with or without an
 * exception set) or without memory. */
PyAPI_DATA(char *) (*PyOS_ReadlineFunctionPointer)(FILE *in, FILE *out, const char *prompt);
/* The thread that is in PyOS_Readline, or NULL. */
PyAPI_DATA(PyThreadState *) _PyOS_ReadlineTState;
/* Shows the prompt and reads a line; like PyOS_ReadlineFunctionPointer, but called attached, and the result is freed with PyMem_Free. NULL
 * without an exception means an interrupt. */
PyAPI_FUNC(char *) PyOS_Readline(FILE *in, FILE *out, const char *prompt);

#endif /* Py_OSREADLINE_H */
