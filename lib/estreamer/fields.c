#include "fields.h"

#include "../core/text.h"

int lt_estreamer_refuse(struct lt_estreamer_writer *writer, const char *what, const char *field)
{
    return lt_error(writer->error, LEAT_E_VALUE, writer->out->length - writer->start, what, field);
}

int lt_estreamer_fields(struct lt_estreamer_writer *writer, const leat_value *value,
                        const char *field, struct lt_estreamer_fields *fields)
{
    fields->record = fields->next = NULL;
    fields->left = 0;
    if (value == NULL)
        return LEAT_OK;
    if (value->kind != LEAT_RECORD)
        return lt_estreamer_refuse(writer, "not a record", field);
    fields->record = value;
    fields->next = value + 1;
    fields->left = value->length;
    return LEAT_OK;
}

int lt_estreamer_fields_end(struct lt_estreamer_writer *writer,
                            const struct lt_estreamer_fields *fields)
{
    if (fields->left > 0)
        return lt_estreamer_refuse(writer, "a field that is unknown here, or given twice", NULL);
    return LEAT_OK;
}

/* Values that were read have the very names of the tables. */
static bool named(const leat_value *field, const char *name, size_t length)
{
    return field->name_length == length &&
           (field->name == name || memcmp(field->name, name, length) == 0);
}

static const leat_value *end_of(const leat_value *record)
{
    return record + record->u.cells;
}

const leat_value *lt_estreamer_peek(const struct lt_estreamer_fields *fields, const char *name,
                                    size_t length)
{
    const leat_value *field;

    if (fields->record == NULL)
        return NULL;
    if (fields->next < end_of(fields->record) && named(fields->next, name, length))
        return fields->next;
    for (field = fields->record + 1; field < end_of(fields->record); field += lt_cells(field)) {
        if (named(field, name, length))
            return field;
    }
    return NULL;
}

const leat_value *lt_estreamer_take(struct lt_estreamer_fields *fields, const char *name,
                                    size_t length)
{
    const leat_value *field = lt_estreamer_peek(fields, name, length);

    if (field != NULL) {
        fields->next = field + lt_cells(field);
        fields->left--;
    }
    return field;
}

int lt_estreamer_number(struct lt_estreamer_writer *writer, const leat_value *value,
                        const char *field, uint64_t most, uint64_t *number)
{
    *number = leat_value_u64(value);
    if (value == NULL)
        return LEAT_OK;
    if (value->kind != LEAT_UINT && (value->kind != LEAT_INT || value->u.i64 < 0))
        return lt_estreamer_refuse(writer, "not an unsigned number", field);
    if (*number > most)
        return lt_estreamer_refuse(writer, "a number too large for its field", field);
    return LEAT_OK;
}

int lt_estreamer_take_number(struct lt_estreamer_writer *writer, struct lt_estreamer_fields *fields,
                             const char *name, size_t name_length, uint64_t most, uint64_t *number)
{
    return lt_estreamer_number(writer, lt_estreamer_take(fields, name, name_length), name, most,
                               number);
}

int lt_estreamer_flag(struct lt_estreamer_writer *writer, const leat_value *value,
                      const char *field, bool *flag)
{
    *flag = leat_value_bool(value) != 0;
    if (value != NULL && value->kind != LEAT_BOOL)
        return lt_estreamer_refuse(writer, "not true or false", field);
    return LEAT_OK;
}

/* Octets as they were given: themselves, or hex digits. */
struct given {
    const uint8_t *octets;
    size_t length;
    bool hex;
};

static bool given_octets(const leat_value *value, uint8_t kind, struct given *given)
{
    bool text = value != NULL && (value->kind == LEAT_TEXT || value->kind == LEAT_ENUM);

    given->hex = false;
    if (value == NULL) {
        given->octets = NULL;
        given->length = 0;
        return true;
    }
    if (kind == LEAT_TEXT && value->kind == LEAT_RECORD && value->length == 1) {
        value = leat_value_get(value, "hex");
        text = given->hex = leat_value_kind(value) == LEAT_TEXT;
    } else if (kind == LEAT_BYTES && text) {
        given->hex = true;
    }
    if (!text && (kind != LEAT_BYTES || leat_value_kind(value) != LEAT_BYTES))
        return false;
    given->octets = value->u.bytes;
    given->length = value->length;
    return true;
}

static int not_octets(struct lt_estreamer_writer *writer, uint8_t kind, const char *field)
{
    return lt_estreamer_refuse(
        writer, kind == LEAT_TEXT ? "not text" : "neither bytes nor hex digits", field);
}

int lt_estreamer_count(struct lt_estreamer_writer *writer, uint8_t kind, const leat_value *value,
                       const char *field, size_t *count)
{
    struct given given;

    if (!given_octets(value, kind, &given))
        return not_octets(writer, kind, field);
    *count = given.hex ? given.length / 2 : given.length;
    return LEAT_OK;
}

int lt_estreamer_put_octets(struct lt_estreamer_writer *writer, uint8_t kind,
                            const leat_value *value, const char *field)
{
    struct given given;
    uint8_t *at;

    if (!given_octets(value, kind, &given))
        return not_octets(writer, kind, field);
    if (!given.hex) {
        lt_put_bytes(writer->out, given.octets, given.length);
        return LEAT_OK;
    }
    if (given.length % 2 != 0)
        return not_octets(writer, kind, field);
    if (given.length == 0)
        return LEAT_OK;
    at = lt_put(writer->out, given.length / 2);
    if (at != NULL && !lt_read_hex((const char *)given.octets, given.length, at)) {
        writer->out->length -= given.length / 2;
        return not_octets(writer, kind, field);
    }
    return LEAT_OK;
}

static int put_number(struct lt_estreamer_writer *writer, const struct lt_estreamer_row *row,
                      const leat_value *value)
{
    unsigned bits = 8u * row->argument;
    uint64_t number;
    int status = lt_estreamer_number(writer, value, lt_estreamer_row_name(row),
                                     bits == 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1, &number);

    if (status != LEAT_OK)
        return status;
    switch (row->argument) {
    case 1:
        lt_put_u8(writer->out, (uint8_t)number);
        break;
    case 2:
        lt_put_u16be(writer->out, (uint16_t)number);
        break;
    case 4:
        lt_put_u32be(writer->out, (uint32_t)number);
        break;
    default:
        lt_put_u64be(writer->out, number);
        break;
    }
    return LEAT_OK;
}

static int put_signed(struct lt_estreamer_writer *writer, const struct lt_estreamer_row *row,
                      const leat_value *value)
{
    int64_t number = leat_value_i64(value);

    if (value != NULL && value->kind != LEAT_INT && value->kind != LEAT_UINT)
        return lt_estreamer_refuse(writer, "not a number", lt_estreamer_row_name(row));
    if (number < INT32_MIN || number > INT32_MAX ||
        (leat_value_kind(value) == LEAT_UINT && value->u.u64 > INT32_MAX))
        return lt_estreamer_refuse(writer, "a number too large for its field",
                                   lt_estreamer_row_name(row));
    lt_put_u32be(writer->out, (uint32_t)number);
    return LEAT_OK;
}

/* What stands in front of an IPv4 address that is written as an IPv6 one. */
static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* An address as 16 octets, whatever it is given as. */
static bool given_address(const leat_value *value, uint8_t octets[16])
{
    if (value->kind == LEAT_TEXT)
        return lt_read_address((const char *)value->u.bytes, value->length, octets);
    if (value->kind != LEAT_ADDRESS)
        return false;
    if (value->length == 16) {
        memcpy(octets, value->u.bytes, 16);
    } else {
        memcpy(octets, mapped, 12);
        memcpy(octets + 12, value->u.bytes, 4);
    }
    return true;
}

static bool put_address(uint8_t *at, const struct lt_estreamer_row *row, const leat_value *value)
{
    uint8_t octets[16];
    int i;

    if (!given_address(value, octets))
        return false;
    if (row->argument == 16) {
        memcpy(at, octets, 16);
        return true;
    }
    for (i = 0; i < 4; i++)
        at[i] = octets[row->type == LT_ESTREAMER_REVERSED ? 15 - i : 12 + i];
    return memcmp(octets, mapped, sizeof mapped) == 0;
}

static bool put_form(uint8_t *at, const struct lt_estreamer_row *row, const leat_value *value)
{
    const char *text = (const char *)value->u.bytes;

    if (row->kind == LEAT_ADDRESS)
        return put_address(at, row, value);
    if (value->kind == row->kind && value->length == row->argument) {
        memcpy(at, value->u.bytes, value->length);
        return true;
    }
    if (value->kind != LEAT_TEXT)
        return false;
    switch (row->kind) {
    case LEAT_UUID:
        return lt_read_uuid(text, value->length, at);
    case LEAT_MAC:
        return lt_read_mac(text, value->length, at);
    default:
        return value->length == 2u * row->argument && lt_read_hex(text, value->length, at);
    }
}

static const char *not_form(const struct lt_estreamer_row *row)
{
    switch (row->kind) {
    case LEAT_ADDRESS:
        return row->argument == 16 ? "not an address" : "not an IPv4 address";
    case LEAT_UUID:
        return "not a UUID";
    case LEAT_MAC:
        return "not a MAC address";
    default:
        return "not as many bytes or hex digits as the field holds";
    }
}

int lt_estreamer_put_fixed(struct lt_estreamer_writer *writer, const struct lt_estreamer_row *row,
                           const leat_value *value)
{
    uint8_t *at;

    if (row->kind == LEAT_UINT)
        return put_number(writer, row, value);
    if (row->kind == LEAT_INT)
        return put_signed(writer, row, value);
    at = lt_put(writer->out, row->argument);
    if (at == NULL)
        return LEAT_OK;
    memset(at, 0, row->argument);
    if (value != NULL && !put_form(at, row, value)) {
        writer->out->length -= row->argument;
        return lt_estreamer_refuse(writer, not_form(row), lt_estreamer_row_name(row));
    }
    return LEAT_OK;
}
