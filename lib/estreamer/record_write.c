#include "record.h"

#include "../core/buffer.h"

#include <leat/estreamer.h>

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
    status = lt_estreamer_write_whole(writer, &fields, lt_estreamer_discovery_layout(address),
                                      depth, false);
    if (status == LEAT_OK && address && writer->out->status == LEAT_OK)
        writer->out->data[start + LT_ESTREAMER_HAS_IPV6_OFFSET] = 1;
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
        return lt_estreamer_write_fields(writer, fields, lt_estreamer_layout_at(record->legacy), 0,
                                         depth);
    switch (record->payload) {
    case LT_ESTREAMER_PAYLOAD_NONE:
        return write_rest(writer, fields, LT_EXTRA);
    case LT_ESTREAMER_PAYLOAD_DATA:
        return write_rest(writer, fields, LT_DATA);
    case LT_ESTREAMER_PAYLOAD_STRUCT:
        return lt_estreamer_write_fields(writer, fields, lt_estreamer_layout_at(record->layout), 0,
                                         depth);
    default:
        return lt_estreamer_write_block(writer, fields, lt_estreamer_layout_at(record->layout),
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
    status = lt_estreamer_flag(writer, lt_estreamer_take(fields, LT_LEGACY), "legacy", &legacy);
    if (status == LEAT_OK)
        status = write_form(writer, record, fields, legacy, depth);
    if (status != LEAT_OK || out->status != LEAT_OK)
        return status;
    written = lt_reader(out->length == start ? NULL : out->data + start, out->length - start);
    if (lt_estreamer_is_legacy(record, written) != legacy)
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
        status =
            write_discovery(writer, lt_estreamer_take(&fields, LT_DISCOVERY_HEADER), depth + 2);
    return status != LEAT_OK ? status : write_payload(writer, record, &fields, depth + 1);
}

int leat_estreamer_record_write(leat_buffer *buffer, uint32_t record_type, const leat_value *record)
{
    size_t start = buffer->out.length;
    struct lt_estreamer_writer writer = {&buffer->out, start, LT_DEPTH_MAX, &buffer->error};

    return lt_buffer_end(buffer, start, lt_estreamer_write_record(&writer, record_type, record, 0));
}
