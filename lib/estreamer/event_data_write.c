#include "message.h"

#define EXTENDED_HEADER 0x80000000u

int lt_estreamer_take_record_header(struct lt_estreamer_writer *writer,
                                    struct lt_estreamer_fields *fields,
                                    struct lt_estreamer_record_header *header)
{
    const leat_value *archive, *checksum;
    uint64_t type, netmap = 0, timestamp = 0, sum = 0;
    bool extended = false;
    int status =
        lt_estreamer_take_number(writer, fields, LT_NAME("record_type"), UINT16_MAX, &type);

    (void)lt_estreamer_take(fields, LT_NAME("record_name"));
    if (status == LEAT_OK)
        status = lt_estreamer_take_number(writer, fields, LT_NAME("netmap_id"),
                                          LT_ESTREAMER_NETMAP_MAX, &netmap);
    if (status == LEAT_OK)
        status = lt_estreamer_flag(writer, lt_estreamer_take(fields, LT_NAME("extended_header")),
                                   "extended_header", &extended);
    (void)lt_estreamer_take(fields, LT_NAME("record_length"));
    archive = lt_estreamer_take(fields, LT_NAME("archive_timestamp"));
    if (status == LEAT_OK)
        status = lt_estreamer_number(writer, archive, "archive_timestamp", UINT32_MAX, &timestamp);
    checksum = lt_estreamer_take(fields, LT_NAME("checksum"));
    if (status == LEAT_OK)
        status = lt_estreamer_number(writer, checksum, "checksum", UINT32_MAX, &sum);
    header->word = (extended ? EXTENDED_HEADER : 0) |
                   (uint32_t)netmap << LT_ESTREAMER_NETMAP_SHIFT | (uint32_t)type;
    /* Bit 31 promises the longer header. */
    header->archived = extended || archive != NULL || checksum != NULL;
    header->archive_timestamp = (uint32_t)timestamp;
    header->checksum = (uint32_t)sum;
    return status;
}

size_t lt_estreamer_put_record_header(struct lt_writer *out,
                                      const struct lt_estreamer_record_header *header)
{
    lt_put_u32be(out, header->word);
    lt_put_u32be(out, 0);
    if (header->archived) {
        lt_put_u32be(out, header->archive_timestamp);
        lt_put_u32be(out, header->checksum);
    }
    return out->length;
}

int lt_estreamer_put_event_data(struct lt_estreamer_writer *writer,
                                struct lt_estreamer_fields *fields,
                                const struct lt_estreamer_record_header *header)
{
    struct lt_writer *out = writer->out;
    size_t start = out->length;
    size_t record = lt_estreamer_put_record_header(out, header);
    int status = lt_estreamer_write_record(writer, header->word & LT_ESTREAMER_RECORD_TYPE_MASK,
                                           lt_estreamer_take(fields, LT_NAME("record")), 1);

    if (status != LEAT_OK)
        return status;
    if (out->length - record > UINT32_MAX)
        return lt_estreamer_refuse(writer, "a record longer than 4 GiB", "record");
    lt_patch_u32be(out, start + 4, (uint32_t)(out->length - record));
    return lt_estreamer_fields_end(writer, fields);
}

int lt_estreamer_write_event_data(struct lt_estreamer_writer *writer,
                                  struct lt_estreamer_fields *fields)
{
    struct lt_estreamer_record_header header;
    int status = lt_estreamer_take_record_header(writer, fields, &header);

    return status != LEAT_OK ? status : lt_estreamer_put_event_data(writer, fields, &header);
}
