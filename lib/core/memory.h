/* The allocator hook, and arrays that grow through it. */
#ifndef LT_MEMORY_H
#define LT_MEMORY_H

#include "inside.h"
#include <leat/leat.h>

#include <stdbool.h>

/* The caller's allocator, or the C library's if there is none. */
LT_INSIDE leat_allocator lt_allocator(const leat_config *config);

LT_INSIDE void *lt_resize(const leat_allocator *allocator, void *block, size_t old_bytes,
                          size_t new_bytes);
LT_INSIDE void *lt_alloc_zero(const leat_allocator *allocator, size_t bytes);
LT_INSIDE void lt_free(const leat_allocator *allocator, void *block, size_t bytes);

/* Makes *array hold at least wanted items, doubling. False: no memory, and nothing changed. */
bool lt_grow(const leat_allocator *allocator, void **array, size_t *size, size_t wanted,
             size_t item_bytes);

/* The limits that are 0 get the value of the defaults. */
leat_limits lt_limits(const leat_config *config, const leat_limits *defaults);

/*
 * Options are structs that begin with their size (uint64_t), which may be another than ours: the
 * caller was compiled with an older header, or a newer one. Initialises those of the caller from
 * ours; and reads those given over ours, which are initialised. NULL gives nothing. False: they were
 * not initialised.
 */
LT_INSIDE void lt_options_init(void *options, size_t size, const void *initial, size_t bytes);
LT_INSIDE bool lt_options_read(void *options, size_t bytes, const void *given);

/* zlib's allocation hooks; opaque is this. */
struct lt_zmemory {
    leat_allocator allocator;
    size_t held; /* octets that zlib holds */
};
void *lt_zalloc(void *opaque, unsigned items, unsigned bytes);
void lt_zfree(void *opaque, void *block);

/*
 * Memory for text that does not stand in the message as it should be lent (escapes resolved).
 * What it gave stays where it is until lt_arena_clear(), which merges the blocks into one, so
 * that in the steady state nothing is allocated.
 */
struct lt_arena {
    leat_allocator allocator;
    struct lt_arena_block *block; /* the newest; each points to the one before it */
    size_t used;                  /* octets of the newest */
};

void *lt_arena_alloc(struct lt_arena *arena, size_t bytes); /* NULL: no memory; not aligned */
LT_INSIDE void *lt_arena_copy(struct lt_arena *arena, const void *octets,
                              size_t length); /* the same */
LT_INSIDE void lt_arena_clear(struct lt_arena *arena);
void lt_arena_free(struct lt_arena *arena);
size_t lt_arena_bytes(const struct lt_arena *arena);

#endif
