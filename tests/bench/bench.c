#define _POSIX_C_SOURCE 200809L

#include "bench.h"

#include <leat/leat.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double read_clock(clockid_t clock)
{
    struct timespec t;

    (void)clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

double now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

double cpu(void)
{
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

void die(const char *what)
{
    (void)fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

void check(int status)
{
    if (status != LEAT_OK)
        die(leat_status_name(status));
}

void *must(void *block)
{
    if (block == NULL)
        die("out of memory");
    return block;
}
