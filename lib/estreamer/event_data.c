#include "message.h"

/*
 * Event Data. Source: spec section 9.1: whether the header has 8 or 16 octets is for the lengths to
 * say, not for bit 31; some servers let record_length count the whole message.
 */

static int read_record_header(struct lt_estreamer_reader *reader, struct lt_reader *in,
                              struct lt_estreamer_record_header *header)
{
    const uint8_t *at = in->at;
    size_t whole = lt_left(in);

    memset(header, 0, sizeof *header);
    header->word = lt_u32be(in);
    header->length = lt_u32be(in);
    if (!lt_ok(in))
        return lt_estreamer_malformed(reader, at, "shorter than a record header", NULL);
    if (whole >= 16 && header->length == whole - 16) {
        header->archived = true;
        header->archive_timestamp = lt_u32be(in);
        header->checksum = lt_u32be(in);
    } else if (header->length != whole - 8 && header->length != whole) {
        return lt_estreamer_malformed(
            reader, at + 4, "does not agree with the length of the message", "record_length");
    }
    return LEAT_OK;
}

/* record_length: what the field should say. */
static int read_header_fields(struct lt_estreamer_reader *reader, const uint8_t *at,
                              const struct lt_estreamer_record_header *header, size_t record_length,
                              uint32_t *children)
{
    const struct lt_estreamer_record *record =
        lt_estreamer_record(header->word & LT_ESTREAMER_RECORD_TYPE_MASK);
    bool wrong = header->length != record_length;
    size_t count = 3u + (record != NULL) + wrong + (header->archived ? 2u : 0u);
    struct lt_tree *tree = reader->tree;
    leat_value *cell;
    int status = lt_estreamer_reserve(reader, at, count);

    if (status != LEAT_OK)
        return status;
    lt_tree_u64(tree, LT_NAME("record_type"), header->word & LT_ESTREAMER_RECORD_TYPE_MASK);
    if (record != NULL)
        lt_tree_bytes(tree, LEAT_TEXT, LT_NAME("record_name"), lt_estreamer_names + record->name,
                      record->name_length);
    lt_tree_u64(tree, LT_NAME("netmap_id"),
                header->word >> LT_ESTREAMER_NETMAP_SHIFT & LT_ESTREAMER_NETMAP_MAX);
    cell = lt_tree_push(tree, LEAT_BOOL, LT_NAME("extended_header"));
    cell->u.u64 = header->word >> 31;
    cell->length = 0;
    if (wrong)
        lt_tree_u64(tree, LT_NAME("record_length"), header->length);
    if (header->archived) {
        lt_tree_u64(tree, LT_NAME("archive_timestamp"), header->archive_timestamp);
        lt_tree_u64(tree, LT_NAME("checksum"), header->checksum);
    }
    *children += (uint32_t)count;
    return LEAT_OK;
}

int lt_estreamer_read_event_data(struct lt_estreamer_reader *reader, struct lt_reader in,
                                 uint32_t *children)
{
    const uint8_t *at = in.at;
    struct lt_estreamer_record_header header;
    struct leat_error error;
    size_t count;
    int status = read_record_header(reader, &in, &header);

    if (status == LEAT_OK)
        status = read_header_fields(reader, at, &header, lt_left(&in), children);
    if (status != LEAT_OK)
        return status;
    count = reader->tree->count;
    status = lt_estreamer_read_record(reader, header.word & LT_ESTREAMER_RECORD_TYPE_MASK, in,
                                      LT_NAME("record"), 1);
    if (status == LEAT_OK || status == LEAT_E_NOMEM) {
        ++*children;
        return status;
    }
    /* Not as its type wants it: the octets are delivered as they are, with the error. */
    error = reader->error;
    reader->tree->count = count;
    status = lt_estreamer_read_octets(reader, in.at, lt_left(&in), LEAT_BYTES, LT_NAME("record"),
                                      children);
    if (status == LEAT_OK)
        reader->error = error;
    return status;
}
