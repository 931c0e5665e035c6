/* The memory that is held through an allocator. */
#ifndef MEMORY_H
#define MEMORY_H

#include <leat/leat.h>

struct memory {
    size_t held; /* now */
    size_t most; /* at any time */
};

leat_allocator memory_allocator(struct memory *memory);

#endif
