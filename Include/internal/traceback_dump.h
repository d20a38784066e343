/* Tracebacks as plain text for the case that all else has failed: from signal handlers, from threads that the interpreter does
 * not know, while other threads run or hang.
 *
 * Nothing here allocates, locks or attaches.  The frames, code objects and strings of all threads are read through the kernel, which
 * answers with an error instead of a fault where memory has gone away meanwhile: what is printed of a thread that runs may be
 * stale or end early, but the reader survives.  All functions are async-signal-safe. */
#ifndef BRAID_TRACEBACK_DUMP_H
#define BRAID_TRACEBACK_DUMP_H

#include "thread_state.h"

/* "Stack (most recent call first):" and the frames of ts; ts may be NULL. */
void traceback_dump(int fd, PyThreadState *ts);
/* The frames of all threads, the newest first; current, or NULL, is marked as such. */
void traceback_dump_threads(int fd, PyThreadState *current);
/* "Extension modules: ...": those in sys.modules that do not belong to the standard library. Reads dicts as they are: for a process
 * that is about to end, as its last output. */
void traceback_dump_extension_modules(int fd);

/* Py_FatalError; func: the function that found the error, or NULL. */
void traceback_dump_fatal_error(const char *func, const char *message) __attribute__((noreturn));

void traceback_dump_text(int fd, const char *text);

#endif /* BRAID_TRACEBACK_DUMP_H */
