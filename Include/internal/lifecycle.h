/* Start-up and end of the interpreter: the steps that several files share. */
#ifndef BRAID_LIFECYCLE_H
#define BRAID_LIFECYCLE_H

#include "Python.h"
#include "interpreter.h"

/* Brings the interpreter up, as `startup` and runtime_interp.config say. 0, or -1 with an exception set. */
int lifecycle_start(void);
/* sys.stdin, stdout, stderr through io. 0 or -1. */
int lifecycle_open_streams(void);
/* -1 if one of stdout, stderr could not be flushed. */
int lifecycle_flush_streams(void);

/* Makes sys (sys_module.c) with what does not need importlib; fills sysdict. 0 or -1. */
int sys_create(void);
/* The rest: lists and strings from `startup`. 0 or -1. */
int sys_fill_from_config(void);

/* Runs what the command line asked for: the status of the process. */
int run_main(void);

/* The process ends as if by SIGINT after KeyboardInterrupt. */
extern int runtime_unhandled_interrupt;

#endif /* BRAID_LIFECYCLE_H */
