/* The values that Broker's benches read, write and send. */
#ifndef BENCH_SAMPLES_H
#define BENCH_SAMPLES_H

#include <leat/builder.h>

void build_two_fields(leat_builder *b);
void build_connection(leat_builder *b); /* what a connection event of Zeek carries: 18 fields */
void build_table(leat_builder *b);      /* of 100 texts to sets of 10 */

/* A value of its own, yours to free. */
leat_builder *sample(void (*build)(leat_builder *));

#endif
