/*
 * Fields and blocks, read and written by the rows of their layouts. There is one table for both
 * directions, no recursion, and no octet or value that a peer announced is taken for granted.
 */
#ifndef LT_ESTREAMER_BLOCK_H
#define LT_ESTREAMER_BLOCK_H

#include "fields.h"

/* The names that values use beside those of the tables. */
#define LT_BLOCK_TYPE LT_NAME("block_type") /* first in a block */
#define LT_DATA       LT_NAME("data")       /* what an unknown block holds */
#define LT_EXTRA      LT_NAME("extra")      /* behind the last field that is known */
#define LT_TRUNCATED  LT_NAME("truncated")  /* true: the fields that are absent were not there */
#define LT_TRAILING   LT_NAME("trailing")   /* behind a block that should have been all */

#define LT_ESTREAMER_HEADER_BYTES 8u /* of a block, which its length includes; of a message, too */

#define LT_ESTREAMER_STRING_BLOCK 0u

/* Types of block that have other numbers in each series. */
static inline uint32_t lt_estreamer_blob_type(unsigned series)
{
    return series == 2 ? 1 : 10;
}

static inline uint32_t lt_estreamer_list_type(unsigned series)
{
    return series == 2 ? 2 : 11;
}

static inline uint32_t lt_estreamer_generic_list_type(unsigned series)
{
    return series == 2 ? 3 : 31;
}

struct lt_estreamer_reader {
    struct lt_tree *tree;
    const uint8_t *start; /* offsets of errors count from here */
    size_t depth;         /* deepest nesting of containers */
    struct leat_error error;
};

/* Notes what is wrong with the octets at the given place. Returns LEAT_E_SYNTAX. */
int lt_estreamer_malformed(struct lt_estreamer_reader *reader, const uint8_t *at, const char *what,
                           const char *field);

/* Notes that the tree has no room. Returns status. */
int lt_estreamer_full(struct lt_estreamer_reader *reader, const uint8_t *at, int status);

/*
 * What follows appends to the tree, or notes an error: LEAT_OK, LEAT_E_SYNTAX, LEAT_E_LIMIT,
 * LEAT_E_NOMEM. at is the place that errors name, depth how many containers are open, and children
 * counts the children of the innermost of them. After an error the tree is to be taken back by the
 * caller.
 */

/* Room for count cells. */
static inline int lt_estreamer_reserve(struct lt_estreamer_reader *reader, const uint8_t *at,
                                       size_t count)
{
    int status = lt_tree_reserve(reader->tree, count);

    return status == LEAT_OK ? LEAT_OK : lt_estreamer_full(reader, at, status);
}

/* LEAT_UINT, LEAT_BOOL, or the bits of LEAT_INT. */
static inline int lt_estreamer_read_number(struct lt_estreamer_reader *reader, const uint8_t *at,
                                           uint8_t kind, const char *name, uint16_t name_length,
                                           uint64_t number, uint32_t *children)
{
    leat_value *cell;
    int status = lt_estreamer_reserve(reader, at, 1);

    if (status != LEAT_OK)
        return status;
    cell = lt_tree_push(reader->tree, kind, name, name_length);
    cell->u.u64 = number;
    cell->length = 0;
    ++*children;
    return LEAT_OK;
}

/* LEAT_TEXT or LEAT_BYTES: length octets at the given place. */
static inline int lt_estreamer_read_octets(struct lt_estreamer_reader *reader, const uint8_t *at,
                                           size_t length, uint8_t kind, const char *name,
                                           uint16_t name_length, uint32_t *children)
{
    int status = lt_estreamer_reserve(reader, at, 1);

    if (status != LEAT_OK)
        return status;
    lt_tree_bytes(reader->tree, kind, name, name_length, at, length);
    ++*children;
    return LEAT_OK;
}

/* Opens a container, to be closed with lt_tree_close(). */
int lt_estreamer_open(struct lt_estreamer_reader *reader, const uint8_t *at, uint8_t kind,
                      const char *name, uint16_t name_length, size_t depth, size_t *cell);

/* The fields of a layout, up to the end of in. */
int lt_estreamer_read_fields(struct lt_estreamer_reader *reader, struct lt_reader in,
                             const struct lt_estreamer_layout *layout, unsigned series,
                             size_t depth, uint32_t *children);

/* A block that should take up in, and what stands behind it all the same. */
int lt_estreamer_read_block(struct lt_estreamer_reader *reader, struct lt_reader in,
                            unsigned series, size_t depth, uint32_t *children);

/*
 * Writes what the above read: all fields that are left in fields. Fields that are missing are 0 or
 * empty, unless truncated is true: then those behind the last that is given are left out.
 *
 * LEAT_OK or LEAT_E_VALUE. That memory and limits sufficed is for writer->out->status to say.
 */
int lt_estreamer_write_fields(struct lt_estreamer_writer *writer,
                              struct lt_estreamer_fields *fields,
                              const struct lt_estreamer_layout *layout, unsigned series,
                              size_t depth);

/*
 * The same for a structure that cannot be cut short; longer says whether extra may stand behind it.
 */
int lt_estreamer_write_whole(struct lt_estreamer_writer *writer, struct lt_estreamer_fields *fields,
                             const struct lt_estreamer_layout *layout, size_t depth, bool longer);

/* expected: the layout of a block that does not tell its type; NULL: it must. */
int lt_estreamer_write_block(struct lt_estreamer_writer *writer, struct lt_estreamer_fields *fields,
                             const struct lt_estreamer_layout *expected, unsigned series,
                             size_t depth);

#endif
