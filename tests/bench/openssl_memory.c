#include "openssl_memory.h"

#include "bench.h"

#include <openssl/crypto.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

size_t openssl_held;

#define FRONT_BYTES 16u /* with the size of the block behind it */

static void *hold(void *front, size_t length)
{
    if (front == NULL)
        return NULL;
    memcpy(front, &length, sizeof length);
    openssl_held += length;
    return (uint8_t *)front + FRONT_BYTES;
}

/* The block's front, no longer counted. */
static void *let_go(void *block)
{
    uint8_t *front = (uint8_t *)block - FRONT_BYTES;
    size_t length;

    memcpy(&length, front, sizeof length);
    openssl_held -= length;
    return front;
}

static void *hold_new(size_t length, const char *file, int line)
{
    (void)file;
    (void)line;
    return length == 0 ? NULL : hold(malloc(FRONT_BYTES + length), length);
}

static void let_go_of(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    if (block != NULL)
        free(let_go(block));
}

static void *hold_resized(void *block, size_t length, const char *file, int line)
{
    if (block == NULL)
        return hold_new(length, file, line);
    if (length > 0)
        return hold(realloc(let_go(block), FRONT_BYTES + length), length);
    let_go_of(block, file, line);
    return NULL;
}

void count_openssl(void)
{
    if (CRYPTO_set_mem_functions(hold_new, hold_resized, let_go_of) != 1)
        die("OpenSSL has memory already");
}
