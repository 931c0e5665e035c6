/* Takes the place of memcpy() and memmove() in programs that are linked with --wrap. */
#include "counts.h"

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
