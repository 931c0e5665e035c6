#include "counts.h"

#include <stdlib.h>

struct counts *counting;

static void *resize(void *ctx, void *block, size_t old_bytes, size_t new_bytes)
{
    (void)ctx;
    (void)old_bytes;
    if (new_bytes == 0) {
        free(block);
        return NULL;
    }
    if (counting != NULL)
        counting->allocations++;
    return realloc(block, new_bytes);
}

static const leat_allocator allocator = {resize, NULL};
const leat_config counted = {.size = sizeof counted, .allocator = &allocator};
