/* Lines from a terminal: PyOS_Readline, which the prompt and input() read with. */
#include "Python.h"

#include "fork_mutex.h"
#include "interpreter.h"

#include <errno.h>
#include <unistd.h>

int (*PyOS_InputHook)(void);
char *(*PyOS_ReadlineFunctionPointer)(FILE *in, FILE *out, const char *prompt);
PyThreadState *_PyOS_ReadlineTState;        /* [console_lock; atomic read] */

static PyMutex console_lock;                /* held by the thread that reads */
FORK_MUTEX(console_lock)

/* Runs signal handlers, from detached: -1 if one of them raised an exception. */
static int check_signals(void)
{
    PyEval_RestoreThread(_PyOS_ReadlineTState);
    int status = PyErr_CheckSignals();
    PyEval_SaveThread();
    return status;
}

/* One character: EOF at the end of the input or after an error; *interrupted: a handler raised an exception. */
static int read_character(FILE *in, int *interrupted)
{
    for (;;) {
        errno = 0;
        int c = getc(in);
        if (c != EOF || errno != EINTR)
            return c;
        clearerr(in);
        if (check_signals() < 0) {
            *interrupted = 1;
            return EOF;
        }
    }
}

/* Reads without editing. Contract: PyOS_ReadlineFunctionPointer. */
static char *read_plain(FILE *in, FILE *out, const char *prompt)
{
    size_t size = 0, room = 256;
    int c = 0, interrupted = 0;
    char *line = PyMem_RawMalloc(room);
    fflush(out);
    if (prompt != NULL)
        fputs(prompt, stderr);
    fflush(stderr);
    if (PyOS_InputHook != NULL)
        PyOS_InputHook();
    while (line != NULL && c != '\n') {
        c = read_character(in, &interrupted);
        if (c == EOF)
            break;
        if (size + 1 == room) {
            char *more = PyMem_RawRealloc(line, room *= 2);
            if (more == NULL)
                PyMem_RawFree(line);
            line = more;
        }
        if (line != NULL)
            line[size++] = (char)c;
    }
    if (interrupted) {
        PyMem_RawFree(line);
        return NULL;
    }
    if (c == EOF)
        clearerr(in);               /* a terminal may have more to say */
    if (line != NULL)
        line[size] = '\0';
    return line;
}

char *PyOS_Readline(FILE *in, FILE *out, const char *prompt)
{
    PyThreadState *ts = thread_current();
    if (__atomic_load_n(&_PyOS_ReadlineTState, __ATOMIC_RELAXED) == ts) {
        PyErr_SetString(PyExc_RuntimeError, "can't re-enter readline");
        return NULL;
    }
    char *(*read)(FILE *, FILE *, const char *) = PyOS_ReadlineFunctionPointer;
    if (read == NULL || !isatty(fileno(in)) || !isatty(fileno(out)))
        read = read_plain;
    PyMutex_Lock(&console_lock);
    __atomic_store_n(&_PyOS_ReadlineTState, ts, __ATOMIC_RELAXED);
    char *raw;
    Py_BEGIN_ALLOW_THREADS
    raw = read(in, out, prompt);
    Py_END_ALLOW_THREADS
    __atomic_store_n(&_PyOS_ReadlineTState, NULL, __ATOMIC_RELAXED);
    PyMutex_Unlock(&console_lock);
    if (raw == NULL)
        return NULL;
    size_t size = strlen(raw) + 1;
    char *line = PyMem_Malloc(size);
    if (line != NULL)
        memcpy(line, raw, size);
    else
        PyErr_NoMemory();
    PyMem_RawFree(raw);
    return line;
}
