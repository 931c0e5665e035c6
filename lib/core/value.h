/* The value tree from the inside: one flat array of cells, children behind their container. */
#ifndef LT_VALUE_H
#define LT_VALUE_H

#include "error.h"
#include "inside.h"
#include "memory.h"

#include <leat/value.h>

/* Deepest nesting that any limit allows; walks keep their place in arrays of this size. */
#define LT_DEPTH_MAX 128u

struct leat_value {
    union {
        uint64_t u64; /* BOOL, UINT, PORT (number | protocol << 16) */
        int64_t i64;  /* INT, TIMESTAMP, TIMESPAN */
        double f64;
        const uint8_t
            *bytes;   /* TEXT, ENUM, BYTES, ADDRESS, SUBNET (17: address, prefix), MAC, UUID */
        size_t cells; /* containers: cells of the whole subtree, this one included */
    } u;
    const char *name; /* NULL outside records */
    uint32_t length;  /* octets; children of a container (pairs of a table) */
    uint16_t name_length;
    uint8_t kind;
    uint8_t reserved; /* 0, or what a dialect remarks about a value that it made */
};

static inline bool lt_is_container(const leat_value *value)
{
    return value->kind >= LEAT_LIST;
}

/* True if u.bytes is what counts. */
static inline bool lt_has_octets(const leat_value *value)
{
    const unsigned kinds = 1u << LEAT_TEXT | 1u << LEAT_ENUM | 1u << LEAT_BYTES |
                           1u << LEAT_ADDRESS | 1u << LEAT_SUBNET | 1u << LEAT_MAC |
                           1u << LEAT_UUID;

    return (kinds >> value->kind & 1) != 0;
}

/* The cells of a value and all below it. */
static inline size_t lt_cells(const leat_value *value)
{
    return lt_is_container(value) ? value->u.cells : 1;
}

/*
 * A tree that is being made: by a decoder (text points into the message) or by a builder (text is
 * copied into the arena). Reused from event to event.
 */
struct lt_tree {
    leat_value *cells;
    size_t count;
    size_t size;
    size_t limit;          /* most cells */
    struct lt_arena arena; /* its allocator is that of the cells, too */
};

void lt_tree_init(struct lt_tree *tree, const leat_allocator *allocator, uint64_t values);
void lt_tree_free(struct lt_tree *tree);

static inline void lt_tree_clear(struct lt_tree *tree)
{
    tree->count = 0;
    if (tree->arena.used > 0)
        lt_arena_clear(&tree->arena);
}

/* Makes room for count more cells. LEAT_OK, LEAT_E_LIMIT or LEAT_E_NOMEM. */
LT_INSIDE int lt_tree_grow(struct lt_tree *tree, size_t count);

/* The same, at no cost when there is room: call it once for a run of cells, then lt_tree_push(). */
static inline int lt_tree_reserve(struct lt_tree *tree, size_t count)
{
    return tree->size - tree->count >= count ? LEAT_OK : lt_tree_grow(tree, count);
}

/*
 * Adds a value and all below it, whose text and names go into the arena; the name of the value itself
 * does not. LEAT_OK, LEAT_E_LIMIT, LEAT_E_NOMEM; cells that were added before that stay.
 */
int lt_tree_copy(struct lt_tree *tree, const leat_value *value, const char *name,
                 uint16_t name_length);

/* A new cell in room that was reserved; every member but u and length is set. */
static inline leat_value *lt_tree_push(struct lt_tree *tree, uint8_t kind, const char *name,
                                       uint16_t name_length)
{
    leat_value *cell = &tree->cells[tree->count++];

    cell->name = name;
    cell->name_length = name_length;
    cell->kind = kind;
    cell->reserved = 0;
    return cell;
}

/*
 * Containers: open gives the index of the cell (cells move when the array grows), close closes
 * it with its number of children.
 */
static inline size_t lt_tree_open(struct lt_tree *tree, uint8_t kind, const char *name,
                                  uint16_t name_length)
{
    (void)lt_tree_push(tree, kind, name, name_length);
    return tree->count - 1;
}

static inline void lt_tree_close(struct lt_tree *tree, size_t index, uint32_t children)
{
    tree->cells[index].length = children;
    tree->cells[index].u.cells = tree->count - index;
}

/* Shorthands for reserved room. */
static inline void lt_tree_u64(struct lt_tree *tree, const char *name, uint16_t name_length,
                               uint64_t value)
{
    leat_value *cell = lt_tree_push(tree, LEAT_UINT, name, name_length);
    cell->u.u64 = value;
    cell->length = 0;
}

static inline void lt_tree_null(struct lt_tree *tree, const char *name, uint16_t name_length)
{
    leat_value *cell = lt_tree_push(tree, LEAT_NULL, name, name_length);
    cell->u.u64 = 0;
    cell->length = 0;
}

static inline void lt_tree_bytes(struct lt_tree *tree, uint8_t kind, const char *name,
                                 uint16_t name_length, const void *bytes, size_t length)
{
    leat_value *cell = lt_tree_push(tree, kind, name, name_length);
    cell->u.bytes = (const uint8_t *)bytes;
    cell->length = (uint32_t)length;
}

/* For names that are string constants: lt_tree_u64(tree, LT_NAME("event_id"), 7). */
#define LT_NAME(constant) "" constant, (uint16_t)(sizeof(constant) - 1)
#define LT_NO_NAME        NULL, (uint16_t)0

#endif
