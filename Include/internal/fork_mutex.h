/* Static mutexes and fork: FORK_MUTEX(m) beside the definition of m makes the child of a fork find m unlocked, whichever thread had it.
 * What m guards must be whole at every point where its holder may be stopped or detach. */
#ifndef BRAID_FORK_MUTEX_H
#define BRAID_FORK_MUTEX_H

#include "Python.h"

/* Python/runtime/fork.c. A mutex that is registered twice counts once. */
PyAPI_FUNC(void) fork_register_mutex(PyMutex *m);

/* For a mutex at file scope: registers it when the program or the shared object is loaded. */
#define FORK_MUTEX(m) \
    __attribute__((constructor)) static void m##_is_reset_by_fork(void) { fork_register_mutex(&m); }

#endif /* BRAID_FORK_MUTEX_H */
