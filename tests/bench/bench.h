/* What the benches share: the clock, and ways to give up. */
#ifndef BENCH_H
#define BENCH_H

/* Seconds: that passed, and that this process worked, whatever else the machine did meanwhile. */
double now(void);
double cpu(void);

_Noreturn void die(const char *what);

/* Fails unless status is LEAT_OK. */
void check(int status);

/* Fails if there is no block. */
void *must(void *block);

#endif
