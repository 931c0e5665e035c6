#include "race.h"

#include "bench.h"

#include <stdio.h>

void race(struct runner *runners, size_t count, unsigned rounds, unsigned repeat)
{
    unsigned round, again;
    size_t i;

    for (round = 0; round < rounds; round++) {
        for (i = 0; i < count; i++) {
            double start = cpu(), took;

            for (again = 0; again < repeat; again++)
                runners[i].run(runners[i].context);
            took = (cpu() - start) / repeat;
            if (round == 0 || took < runners[i].best)
                runners[i].best = took;
        }
    }
}

void print_race(const struct runner *runners, size_t count, double things, const char *thing)
{
    size_t i;

    for (i = 0; i < count; i++) {
        double each = runners[i].best / things;

        (void)printf("    %-36s %11.1f ns/%s %9.3f M/s %7.2f\n", runners[i].name, each * 1e9, thing,
                     1e-6 / each, runners[i].best / runners[0].best);
    }
}

void print_elsewhere(const char *name, double ns, const struct runner *beside)
{
    (void)printf("    %-36s %11.1f ns (measured elsewhere) %5.2f\n", name, ns,
                 ns * 1e-9 / beside->best);
}
