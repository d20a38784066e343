/* Figures of the memory system, for people and for tests. Each function stops the world for a moment. */
#ifndef BRAID_MEMORY_STATS_H
#define BRAID_MEMORY_STATS_H

#include <stddef.h>
#include <stdio.h>

/* Writes what memory is held for, a paragraph a cause.  The caller is attached.  Escapes never */
void memory_print_stats(FILE *file);
/* Objects on object pages; strings, numbers and raw memory are not counted.  The caller is attached.  Escapes never */
size_t memory_count_objects(void);

#endif /* BRAID_MEMORY_STATS_H */
