#include "counts.h"

#include <stdlib.h>
#include <string.h>

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

#ifdef WRAPPED
void *__real_memcpy(void *to, const void *from, size_t length);
void *__wrap_memcpy(void *to, const void *from, size_t length);
void *__real_memmove(void *to, const void *from, size_t length);
void *__wrap_memmove(void *to, const void *from, size_t length);

void *__wrap_memcpy(void *to, const void *from, size_t length)
{
    if (counting != NULL)
        counting->moved += length;
    return __real_memcpy(to, from, length);
}

void *__wrap_memmove(void *to, const void *from, size_t length)
{
    if (counting != NULL)
        counting->moved += length;
    return __real_memmove(to, from, length);
}
#endif
