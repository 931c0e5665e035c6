#include "memory.h"

#include <stdlib.h>
#include <string.h>

static void *libc_resize(void *ctx, void *block, size_t old_bytes, size_t new_bytes)
{
    (void)ctx;
    (void)old_bytes;
    if (new_bytes == 0) {
        free(block);
        return NULL;
    }
    return realloc(block, new_bytes);
}

leat_allocator lt_allocator(const leat_config *config)
{
    const leat_allocator libc = {libc_resize, NULL};

    return config != NULL && config->allocator != NULL ? *config->allocator : libc;
}

void *lt_resize(const leat_allocator *allocator, void *block, size_t old_bytes, size_t new_bytes)
{
    return allocator->resize(allocator->ctx, block, old_bytes, new_bytes);
}

void *lt_alloc_zero(const leat_allocator *allocator, size_t bytes)
{
    void *block = lt_resize(allocator, NULL, 0, bytes);

    if (block != NULL)
        memset(block, 0, bytes);
    return block;
}

void lt_free(const leat_allocator *allocator, void *block, size_t bytes)
{
    if (block != NULL)
        (void)lt_resize(allocator, block, bytes, 0);
}

bool lt_grow(const leat_allocator *allocator, void **array, size_t *size, size_t wanted,
             size_t item_bytes)
{
    size_t grown = *size < 8 ? 8 : *size;
    void *block;

    if (wanted <= *size)
        return true;
    while (grown < wanted) {
        if (grown > SIZE_MAX / 2)
            return false;
        grown *= 2;
    }
    if (grown > SIZE_MAX / item_bytes)
        return false;
    block = lt_resize(allocator, *array, *size * item_bytes, grown * item_bytes);
    if (block == NULL)
        return false;
    *array = block;
    *size = grown;
    return true;
}

leat_limits lt_limits(const leat_config *config, const leat_limits *defaults)
{
    leat_limits limits = *defaults;
    const leat_limits *given = config != NULL ? config->limits : NULL;
    const uint64_t *from = (const uint64_t *)(const void *)given;
    uint64_t *to = (uint64_t *)(void *)&limits;
    size_t i, count;

    if (given == NULL)
        return limits;
    /* A caller compiled against an older header gives fewer fields. */
    count = given->size < sizeof limits ? (size_t)given->size / sizeof(uint64_t)
                                        : sizeof limits / sizeof(uint64_t);
    for (i = 1; i < count; i++) {
        if (from[i] != 0)
            to[i] = from[i];
    }
    return limits;
}

void lt_options_init(void *options, size_t size, const void *initial, size_t bytes)
{
    uint64_t own = size;

    memset(options, 0, size);
    memcpy(options, initial, size < bytes ? size : bytes);
    memcpy(options, &own, size < sizeof own ? size : sizeof own);
}

bool lt_options_read(void *options, size_t bytes, const void *given)
{
    uint64_t size;

    if (given == NULL)
        return true;
    memcpy(&size, given, sizeof size);
    memcpy(options, given, size < bytes ? (size_t)size : bytes);
    return size >= sizeof size;
}

void *lt_zalloc(void *opaque, unsigned items, unsigned bytes)
{
    struct lt_zmemory *memory = (struct lt_zmemory *)opaque;
    size_t *block;
    size_t total;

    /* zlib does not say how much it frees, so the size stands in front. */
    if (bytes != 0 && items > (SIZE_MAX - 2 * sizeof(uint64_t)) / bytes)
        return NULL;
    total = (size_t)items * bytes + 2 * sizeof(uint64_t);
    block = (size_t *)lt_resize(&memory->allocator, NULL, 0, total);
    if (block == NULL)
        return NULL;
    *block = total;
    memory->held += total;
    return (uint8_t *)block + 2 * sizeof(uint64_t);
}

void lt_zfree(void *opaque, void *block)
{
    struct lt_zmemory *memory = (struct lt_zmemory *)opaque;
    uint8_t *start = (uint8_t *)block - 2 * sizeof(uint64_t);
    size_t total;

    memcpy(&total, start, sizeof total);
    memory->held -= total;
    lt_free(&memory->allocator, start, total);
}

struct lt_arena_block {
    struct lt_arena_block *older;
    size_t size; /* octets behind this header */
};

#define ARENA_BLOCK_MIN 512u

static bool arena_add(struct lt_arena *arena, size_t bytes)
{
    size_t size = bytes < ARENA_BLOCK_MIN ? ARENA_BLOCK_MIN : bytes;
    struct lt_arena_block *block;

    if (arena->block != NULL && size / 2 < arena->block->size && arena->block->size <= SIZE_MAX / 4)
        size = arena->block->size * 2;
    if (size > SIZE_MAX - sizeof *block)
        return false;
    block = (struct lt_arena_block *)lt_resize(&arena->allocator, NULL, 0, sizeof *block + size);
    if (block == NULL)
        return false;
    block->older = arena->block;
    block->size = size;
    arena->block = block;
    arena->used = 0;
    return true;
}

void *lt_arena_alloc(struct lt_arena *arena, size_t bytes)
{
    uint8_t *at;

    if (arena->block == NULL || arena->block->size - arena->used < bytes) {
        if (!arena_add(arena, bytes))
            return NULL;
    }
    at = (uint8_t *)(arena->block + 1) + arena->used;
    arena->used += bytes;
    return at;
}

void *lt_arena_copy(struct lt_arena *arena, const void *octets, size_t length)
{
    void *copy = lt_arena_alloc(arena, length);

    if (copy != NULL && length > 0)
        memcpy(copy, octets, length);
    return copy;
}

static void arena_free_from(struct lt_arena *arena, struct lt_arena_block *block)
{
    while (block != NULL) {
        struct lt_arena_block *older = block->older;

        lt_free(&arena->allocator, block, sizeof *block + block->size);
        block = older;
    }
}

void lt_arena_clear(struct lt_arena *arena)
{
    /*
     * Blocks double, so the newest is as large as all older ones together: it alone suffices
     * next time.
     */
    if (arena->block != NULL && arena->block->older != NULL) {
        arena_free_from(arena, arena->block->older);
        arena->block->older = NULL;
    }
    arena->used = 0;
}

void lt_arena_free(struct lt_arena *arena)
{
    arena_free_from(arena, arena->block);
    arena->block = NULL;
    arena->used = 0;
}

size_t lt_arena_bytes(const struct lt_arena *arena)
{
    const struct lt_arena_block *block;
    size_t bytes = 0;

    for (block = arena->block; block != NULL; block = block->older)
        bytes += sizeof *block + block->size;
    return bytes;
}
