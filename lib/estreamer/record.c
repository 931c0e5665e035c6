#include "record.h"

#include "../core/buffer.h"
#include "../core/builder.h"

#include <leat/estreamer.h>

#define DISCOVERY_HEADER LT_NAME("discovery_header")
#define LEGACY           LT_NAME("legacy") /* true: the older form of a record */

#define HAS_IPV6_OFFSET 14u /* in a discovery header */

static const struct lt_estreamer_layout *layout_of(uint16_t index_and_1)
{
    return index_and_1 == 0 ? NULL : &lt_estreamer_layouts[index_and_1 - 1];
}

static const struct lt_estreamer_layout *discovery_layout(bool ipv6)
{
    return &lt_estreamer_layouts[ipv6 ? LT_ESTREAMER_DISCOVERY_HEADER_IPV6
                                      : LT_ESTREAMER_DISCOVERY_HEADER];
}

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
    const uint16_t *end = at + layout->rows;
    uint32_t length = 0;

    for (; at != end; at++) {
        const struct lt_estreamer_row *row = lt_estreamer_row(at);

        if (row->type == LT_ESTREAMER_LENGTH16)
            length = lt_u16be(&in);
        else if (row->type == LT_ESTREAMER_LENGTH32)
            length = lt_u32be(&in);
        else if (row->type != LT_ESTREAMER_RUN)
            (void)lt_take(&in, row->type == LT_ESTREAMER_COUNTED ? length : row->argument);
    }
    return lt_ok(&in) && lt_left(&in) == 0;
}

/*
 * Some records have had two forms under one number: a block or the bare structure, or two
 * structures of different size. Source: spec sections 9 and 17.
 */
static bool is_legacy(const struct lt_estreamer_record *record, struct lt_reader in)
{
    const struct lt_estreamer_layout *legacy = layout_of(record->legacy);
    const struct lt_estreamer_layout *layout = layout_of(record->layout);

    if (legacy == NULL || layout == NULL)
        return false;
    return layout->series == 0 ? fits(legacy, in) : !is_block(layout, in);
}

static int read_discovery(struct lt_estreamer_reader *reader, struct lt_reader *in, size_t depth,
                          uint32_t *children)
{
    bool ipv6 = lt_left(in) > HAS_IPV6_OFFSET && in->at[HAS_IPV6_OFFSET] == 1;
    const struct lt_estreamer_layout *layout = discovery_layout(ipv6);
    const uint8_t *at = in->at;
    struct lt_reader header = lt_child(in, lt_estreamer_fixed_size(layout), 0);
    uint32_t fields = 0;
    size_t cell;
    int status;

    if (!lt_ok(in))
        return lt_estreamer_malformed(reader, at, "shorter than a discovery header",
                                      "discovery_header");
    status = lt_estreamer_open(reader, at, LEAT_RECORD, DISCOVERY_HEADER, depth, &cell);
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

    if (is_legacy(record, in)) {
        status = lt_estreamer_read_number(reader, in.at, LEAT_BOOL, LEGACY, 1, children);
        if (status != LEAT_OK)
            return status;
        return lt_estreamer_read_fields(reader, in, layout_of(record->legacy), 0, depth, children);
    }
    switch (record->payload) {
    case LT_ESTREAMER_PAYLOAD_NONE:
        return read_rest(reader, in, LT_EXTRA, children);
    case LT_ESTREAMER_PAYLOAD_DATA:
        return lt_estreamer_read_octets(reader, in.at, lt_left(&in), LEAT_BYTES, LT_DATA, children);
    case LT_ESTREAMER_PAYLOAD_STRUCT:
        return lt_estreamer_read_fields(reader, in, layout_of(record->layout), 0, depth, children);
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

/* has_ipv6 says whether ip_address follows; not given, it follows if the address is. */
static int write_discovery(struct lt_estreamer_writer *writer, const leat_value *value,
                           size_t depth)
{
    size_t start = writer->out->length;
    struct lt_estreamer_fields fields;
    const leat_value *has_ipv6;
    uint64_t number;
    bool address;
    int status = lt_estreamer_fields(writer, value, "discovery_header", &fields);

    if (status != LEAT_OK)
        return status;
    address = lt_estreamer_peek(&fields, LT_NAME("ip_address")) != NULL;
    has_ipv6 = lt_estreamer_peek(&fields, LT_NAME("has_ipv6"));
    status = lt_estreamer_number(writer, has_ipv6, "has_ipv6", UINT8_MAX, &number);
    if (status != LEAT_OK)
        return status;
    if (address && has_ipv6 != NULL && number != 1)
        return lt_estreamer_refuse(writer, "an address that has_ipv6 denies", "ip_address");
    address = address || number == 1;
    status = lt_estreamer_write_whole(writer, &fields, discovery_layout(address), depth, false);
    if (status == LEAT_OK && address && writer->out->status == LEAT_OK)
        writer->out->data[start + HAS_IPV6_OFFSET] = 1;
    return status;
}

/* Octets that close a record: the only field that is left. */
static int write_rest(struct lt_estreamer_writer *writer, struct lt_estreamer_fields *fields,
                      const char *name, uint16_t name_length)
{
    int status = lt_estreamer_put_octets(writer, LEAT_BYTES,
                                         lt_estreamer_take(fields, name, name_length), name);

    return status != LEAT_OK ? status : lt_estreamer_fields_end(writer, fields);
}

static int write_form(struct lt_estreamer_writer *writer, const struct lt_estreamer_record *record,
                      struct lt_estreamer_fields *fields, bool legacy, size_t depth)
{
    if (legacy)
        return lt_estreamer_write_fields(writer, fields, layout_of(record->legacy), 0, depth);
    switch (record->payload) {
    case LT_ESTREAMER_PAYLOAD_NONE:
        return write_rest(writer, fields, LT_EXTRA);
    case LT_ESTREAMER_PAYLOAD_DATA:
        return write_rest(writer, fields, LT_DATA);
    case LT_ESTREAMER_PAYLOAD_STRUCT:
        return lt_estreamer_write_fields(writer, fields, layout_of(record->layout), 0, depth);
    default:
        return lt_estreamer_write_block(writer, fields, layout_of(record->layout),
                                        lt_estreamer_series(record), depth);
    }
}

/* Of two forms, what is written must be seen to be the one that it is. */
static int write_payload(struct lt_estreamer_writer *writer,
                         const struct lt_estreamer_record *record,
                         struct lt_estreamer_fields *fields, size_t depth)
{
    const struct lt_writer *out = writer->out;
    size_t start = out->length;
    struct lt_reader written;
    bool legacy = false;
    int status;

    if (record->legacy == 0)
        return write_form(writer, record, fields, false, depth);
    status = lt_estreamer_flag(writer, lt_estreamer_take(fields, LEGACY), "legacy", &legacy);
    if (status == LEAT_OK)
        status = write_form(writer, record, fields, legacy, depth);
    if (status != LEAT_OK || out->status != LEAT_OK)
        return status;
    written = lt_reader(out->length == start ? NULL : out->data + start, out->length - start);
    if (is_legacy(record, written) != legacy)
        return lt_estreamer_refuse(writer, "a form that would be taken for the other one",
                                   "legacy");
    return LEAT_OK;
}

static bool is_octets(const leat_value *value)
{
    return leat_value_kind(value) == LEAT_BYTES || leat_value_kind(value) == LEAT_TEXT;
}

int lt_estreamer_write_record(struct lt_estreamer_writer *writer, uint32_t type,
                              const leat_value *value, size_t depth)
{
    const struct lt_estreamer_record *record = lt_estreamer_record(type);
    struct lt_estreamer_fields fields;
    int status;

    if (record == NULL || is_octets(value))
        return lt_estreamer_put_octets(writer, LEAT_BYTES, value, "record");
    status = lt_estreamer_fields(writer, value, "record", &fields);
    if (status == LEAT_OK && record->discovery)
        status = write_discovery(writer, lt_estreamer_take(&fields, DISCOVERY_HEADER), depth + 2);
    return status != LEAT_OK ? status : write_payload(writer, record, &fields, depth + 1);
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

int leat_estreamer_record_write(leat_buffer *buffer, uint32_t record_type, const leat_value *record)
{
    size_t start = buffer->out.length;
    struct lt_estreamer_writer writer = {&buffer->out, start, LT_DEPTH_MAX, &buffer->error};

    return lt_buffer_end(buffer, start, lt_estreamer_write_record(&writer, record_type, record, 0));
}
