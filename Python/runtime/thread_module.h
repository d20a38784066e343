/* The parts of the _thread module. */
#ifndef BRAID_THREAD_MODULE_H
#define BRAID_THREAD_MODULE_H

#include "Python.h"

extern PyTypeObject thread_lock_type;       /* _thread.lock */
extern PyTypeObject thread_rlock_type;      /* _thread.RLock */
extern PyTypeObject thread_local_type;      /* _thread._local */

/* A new unlocked _thread.lock, or NULL with MemoryError. */
PyObject *thread_lock_new(void);
/* The same that is released at the end of the thread which takes it. */
PyObject *thread_lock_new_sentinel(void);
/* The thread has ended: unlocks its sentinel, a new reference, and drops it.  Escapes never */
void thread_lock_end_sentinel(void *lock);

#endif /* BRAID_THREAD_MODULE_H */
