/*
 * Counts what a library does: the memory that it asks for, and the octets that it moves by memcpy()
 * and memmove() of a length that the compiler does not know (linked with --wrap; else 0).
 */
#ifndef COUNTS_H
#define COUNTS_H

#include <leat/leat.h>

struct counts {
    uint64_t moved;
    uint64_t allocations;
};

extern struct counts *counting;   /* where to; NULL: nowhere */
extern const leat_config counted; /* a configuration whose allocator counts */

#endif
