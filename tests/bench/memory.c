#include "memory.h"

#include <stdlib.h>

static void *hold(void *ctx, void *block, size_t old_bytes, size_t new_bytes)
{
    struct memory *memory = (struct memory *)ctx;
    void *resized = NULL;

    if (new_bytes == 0)
        free(block);
    else
        resized = realloc(block, new_bytes);
    if (new_bytes == 0 || resized != NULL)
        memory->held += new_bytes - old_bytes;
    if (memory->held > memory->most)
        memory->most = memory->held;
    return resized;
}

leat_allocator memory_allocator(struct memory *memory)
{
    const leat_allocator made = {hold, memory};

    return made;
}
