#include "record.h"

#include "../core/buffer.h"
#include "../core/builder.h"

#include <leat/estreamer.h>

/* 1 if the octets are exactly one block of that layout. */
static bool is_block(const struct lt_estreamer_layout *layout, struct lt_reader in)
{
    size_t length = lt_left(&in);

    return lt_u32be(&in) == layout->block_type && lt_u32be(&in) == length;
}

/* Whether a structure, of fixed and counted fields, takes up the octets exactly. */
static bool fits(const struct lt_estreamer_layout *layout, struct lt_reader in)
{
    const uint16_t *at = lt_estreamer_first(layout);
    const uint16_t *end = at + layout->fields;
    uint32_t length = 0;

    for (; at != end; at++) {
        const struct lt_estreamer_row *row = lt_estreamer_row(at);

        if (row->type == LT_ESTREAMER_LENGTH16)
            length = lt_u16be(&in);
        else if (row->type == LT_ESTREAMER_LENGTH32)
            length = lt_u32be(&in);
        else
            (void)lt_take(&in, row->type == LT_ESTREAMER_COUNTED ? length : row->argument);
    }
    return lt_ok(&in) && lt_left(&in) == 0;
}

bool lt_estreamer_is_legacy(const struct lt_estreamer_record *record, struct lt_reader in)
{
    const struct lt_estreamer_layout *legacy = lt_estreamer_layout_at(record->legacy);
    const struct lt_estreamer_layout *layout = lt_estreamer_layout_at(record->layout);

    if (legacy == NULL || layout == NULL)
        return false;
    return layout->series == 0 ? fits(legacy, in) : !is_block(layout, in);
}

static int read_discovery(struct lt_estreamer_reader *reader, struct lt_reader *in, size_t depth,
                          uint32_t *children)
{
    bool ipv6 =
        lt_left(in) > LT_ESTREAMER_HAS_IPV6_OFFSET && in->at[LT_ESTREAMER_HAS_IPV6_OFFSET] == 1;
    const struct lt_estreamer_layout *layout = lt_estreamer_discovery_layout(ipv6);
    const uint8_t *at = in->at;
    struct lt_reader header = lt_child(in, lt_estreamer_fixed_size(layout), 0);
    uint32_t fields = 0;
    size_t cell;
    int status;

    if (!lt_ok(in))
        return lt_estreamer_malformed(reader, at, "shorter than a discovery header",
                                      "discovery_header");
    status = lt_estreamer_open(reader, at, LEAT_RECORD, LT_DISCOVERY_HEADER, depth, &cell);
    if (status == LEAT_OK)
        status = lt_estreamer_read_fields(reader, header, layout, 0, depth + 1, &fields);
    if (status != LEAT_OK)
        return status;
    lt_tree_close(reader->tree, cell, fields);
    ++*children;
    return LEAT_OK;
}

static int read_rest(struct lt_estreamer_reader *reader, struct lt_reader in, const char *name,
                     uint16_t name_length, uint32_t *children)
{
    if (lt_left(&in) == 0)
        return LEAT_OK;
    return lt_estreamer_read_octets(reader, in.at, lt_left(&in), LEAT_BYTES, name, name_length,
                                    children);
}

static int read_payload(struct lt_estreamer_reader *reader,
                        const struct lt_estreamer_record *record, struct lt_reader in, size_t depth,
                        uint32_t *children)
{
    int status;

    if (lt_estreamer_is_legacy(record, in)) {
        status = lt_estreamer_read_number(reader, in.at, LEAT_BOOL, LT_LEGACY, 1, children);
        if (status != LEAT_OK)
            return status;
        return lt_estreamer_read_fields(reader, in, lt_estreamer_layout_at(record->legacy), 0,
                                        depth, children);
    }
    switch (record->payload) {
    case LT_ESTREAMER_PAYLOAD_NONE:
        return read_rest(reader, in, LT_EXTRA, children);
    case LT_ESTREAMER_PAYLOAD_DATA:
        return lt_estreamer_read_octets(reader, in.at, lt_left(&in), LEAT_BYTES, LT_DATA, children);
    case LT_ESTREAMER_PAYLOAD_STRUCT:
        return lt_estreamer_read_fields(reader, in, lt_estreamer_layout_at(record->layout), 0,
                                        depth, children);
    default:
        return lt_estreamer_read_block(reader, in, lt_estreamer_series(record), depth, children);
    }
}

int lt_estreamer_read_record(struct lt_estreamer_reader *reader, uint32_t type, struct lt_reader in,
                             const char *name, uint16_t name_length, size_t depth)
{
    const struct lt_estreamer_record *record = lt_estreamer_record(type);
    uint32_t children = 0;
    size_t cell;
    int status;

    if (record == NULL)
        return lt_estreamer_read_octets(reader, in.at, lt_left(&in), LEAT_BYTES, name, name_length,
                                        &children);
    status = lt_estreamer_open(reader, in.at, LEAT_RECORD, name, name_length, depth, &cell);
    if (status == LEAT_OK && record->discovery)
        status = read_discovery(reader, &in, depth + 1, &children);
    if (status == LEAT_OK)
        status = read_payload(reader, record, in, depth + 1, &children);
    if (status == LEAT_OK)
        lt_tree_close(reader->tree, cell, children);
    return status;
}

int leat_estreamer_record_read(leat_builder *builder, const char *name, uint32_t record_type,
                               const void *octets, size_t length)
{
    struct lt_estreamer_reader reader;
    size_t count = builder->tree.count;
    const uint8_t *copy;
    uint16_t name_length;
    int status = lt_builder_place(builder, &name, &name_length);

    if (status != LEAT_OK)
        return status;
    if (length > UINT32_MAX)
        return lt_builder_fail(builder, count, LEAT_E_LIMIT, 0, "a record longer than 4 GiB", NULL);
    /* Kept as a whole: the values point into it. */
    copy = lt_builder_keep(builder, octets, length);
    if (copy == NULL)
        return lt_builder_fail(builder, count, LEAT_E_NOMEM, 0, "out of memory", NULL);
    reader.tree = &builder->tree;
    reader.start = copy;
    reader.depth = (size_t)builder->limits.depth;
    status = lt_estreamer_read_record(&reader, record_type, lt_reader(copy, length), name,
                                      name_length, builder->depth);
    if (status != LEAT_OK)
        return lt_builder_fail(builder, count, status, reader.error.offset, reader.error.text,
                               reader.error.field);
    return lt_builder_added(builder);
}
