/* Saying which threads are in a deadlock. */
#ifndef BRAID_DEADLOCK_REPORT_H
#define BRAID_DEADLOCK_REPORT_H

#include "deadlock.h"
#include "thread_state.h"

/* What a look has seen of a thread. */
struct deadlock_thread {
    PyThreadState *ts;                  /* not to be followed unless the thread has been found again */
    uint64_t id;
    int64_t begun;
    unsigned long ident;
    int is_waiting;                     /* for certain; if not, what follows means nothing */
    deadlock_kind_t kind;
    int can_raise, reported;
    PyObject *lock;                     /* for its address: not to be followed either */
    char lock_type[48];
    unsigned long owner;                /* identity, or 0: */
    uint64_t taker;                     /* number of who took it last, or 0 */
    int imports, is_join;               /* it waits for the import of a module; for the end of a thread */
    int next;                           /* index of the thread that it waits for, or -1 */
    int in_cycle;
    int depends;                        /* waits, directly or not, for one in the cycle */
    char name[100];                     /* for people; "" before deadlock_report_names */
};

struct deadlock_picture {
    struct deadlock_thread *threads;
    int n;
    uint64_t number;                    /* which picture it is */
    int all_wait;                       /* every thread of the process, for certain */
    int stacks;                         /* a file with the stacks, or -1 */
};

/* Finds the names of threads, and who depends on the cycle.  Escapes never */
void deadlock_report_names(struct deadlock_picture *p);
/* "deadlock: A waits for ...": a str, or NULL without an exception. */
PyObject *deadlock_report_verdict(const struct deadlock_picture *p);
/* Writes down the report with the stacks, with the world stopped; deadlock_report_print shows it on standard error later. */
void deadlock_report_stacks_stopped(struct deadlock_picture *p);
void deadlock_report_print(struct deadlock_picture *p);
void deadlock_report_free(struct deadlock_picture *p);

#endif /* BRAID_DEADLOCK_REPORT_H */
