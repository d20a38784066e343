/* The interpreter loop for threads with a trace or profile function: the text of interpreter.c, asking before each
 * instruction. */
#define VM_TRACED 1
#include "interpreter.c"
