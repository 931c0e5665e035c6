/* Who does the same job, each in turn: ratios, measured in one process. */
#ifndef BENCH_RACE_H
#define BENCH_RACE_H

#include <stddef.h>

struct runner {
    const char *name;
    void (*run)(void *context);
    void *context;
    double best; /* seconds */
};

/*
 * Each in each round, so that a change of the machine's pace meets all of them; the best round of each
 * counts.
 */
void race(struct runner *runners, size_t count, unsigned rounds, unsigned repeat);

/* How they did, if one run is so many things, beside the first one. */
void print_race(const struct runner *runners, size_t count, double things, const char *thing);

/* A line of the same form for a figure that was measured elsewhere. */
void print_elsewhere(const char *name, double ns, const struct runner *beside);

#endif
