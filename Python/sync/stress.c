/* The delays of stress builds (stress.h); nothing in others. */
#include "Python.h"

#ifdef BRAID_STRESS
#include <sched.h>
#include <stdlib.h>
#include <time.h>

/* The mean number of atomic operations between two delays. */
#define MEAN_DISTANCE 48

__thread unsigned stress_countdown;
static __thread uint32_t random_state;
static uint32_t next_seed = 1;

__attribute__((constructor)) static void read_seed(void)
{
    const char *text = getenv("BRAID_STRESS_SEED");
    if (text != NULL)
        next_seed = (uint32_t)strtoul(text, NULL, 10) * 2654435761u | 1;
}

/* Marsaglia's xorshift with 32 bits ("Xorshift RNGs", 2003). */
static uint32_t draw(void)
{
    uint32_t x = random_state;
    if (x == 0)
        x = (__atomic_fetch_add)(&next_seed, 2, __ATOMIC_RELAXED) * 2654435761u | 1;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return random_state = x;
}

void stress_hold_up(void)
{
    uint32_t choice = draw();
    stress_countdown = (choice >> 8) % (2 * MEAN_DISTANCE);
    if ((choice & 255) < 4) {
        struct timespec pause = {0, 1000 * (long)(draw() % 50)};
        nanosleep(&pause, NULL);
    }
    else if ((choice & 255) < 64)
        sched_yield();
    else if ((choice & 255) < 128)
        for (uint32_t spins = draw() % 256; spins > 0; spins--)
            __asm__ volatile("" ::: "memory");
}
#endif
