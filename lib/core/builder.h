/* A builder from the inside, for the decoders of the dialects that put values into one. */
#ifndef LT_BUILDER_H
#define LT_BUILDER_H

#include "error.h"
#include "json.h"
#include "value.h"

#include <leat/builder.h>

struct leat_builder {
    leat_allocator allocator;
    leat_limits limits;
    struct lt_tree tree;
    struct leat_error error;
    struct lt_json json;
    size_t depth;
    size_t index[LT_DEPTH_MAX]; /* cells of the open containers */
    uint32_t
        children[LT_DEPTH_MAX]; /* and how many children they have; keys and values of a table */
};

/*
 * A decoder adds one value in three steps: lt_builder_place() says whether a value may come
 * here, and copies its name (in and out); the decoder appends exactly one value (one cell and
 * all below it) to builder->tree; lt_builder_added() counts it. At a failure in between,
 * lt_builder_fail() takes back what was appended, fills the error and returns the code. Octets
 * that the cells point to must be copied: lt_builder_keep().
 */
int lt_builder_place(leat_builder *builder, const char **name, uint16_t *name_length);
int lt_builder_added(leat_builder *builder);
int lt_builder_fail(leat_builder *builder, size_t count, int code, uint64_t offset,
                    const char *text, const char *field);

/* What it holds, itself included. */
static inline size_t lt_builder_bytes(const leat_builder *builder)
{
    return sizeof *builder + builder->tree.size * sizeof(leat_value) +
           lt_arena_bytes(&builder->tree.arena);
}

/* Copies octets into the builder. NULL: no memory. */
const uint8_t *lt_builder_keep(leat_builder *builder, const void *octets, size_t length);

#endif
