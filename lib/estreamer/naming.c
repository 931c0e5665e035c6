#include "naming.h"

#include "../core/bytes.h"
#include "../core/text.h"
#include "../core/value.h"

#define TYPE_BYTES        2u
#define NUMBER_BYTES      4u
#define UUID_BYTES        16u
#define FINGERPRINT_BYTES 20u
#define SHA256_BYTES      32u

static const struct lt_estreamer_naming *naming_of(uint64_t record_type)
{
    return &lt_estreamer_namings[record_type < lt_estreamer_record_index_total
                                     ? lt_estreamer_record_index[record_type]
                                     : 0];
}

/* The forms of a record type stand together. */
static const struct lt_estreamer_form *first_form(uint64_t record_type)
{
    unsigned form = naming_of(record_type)->form;

    return form == 0 ? NULL : &lt_estreamer_forms[form - 1];
}

static const struct lt_estreamer_form *next_form(const struct lt_estreamer_form *form)
{
    const struct lt_estreamer_form *next = form + 1;

    return next < lt_estreamer_forms + lt_estreamer_form_total &&
                   next->record_type == form->record_type
               ? next
               : NULL;
}

size_t lt_estreamer_id_bytes(uint32_t record_type)
{
    const struct lt_estreamer_form *form = first_form(record_type);

    return form == NULL ? 0 : TYPE_BYTES + form->id_bytes;
}

static void start_id(struct lt_estreamer_id *id, uint16_t record_type)
{
    memset(id, 0, sizeof *id);
    lt_store_u16be(id->octets, record_type);
    id->length = TYPE_BYTES;
}

/* A number, octets, or the hex digits of a hash. False: neither, or too long for an id. */
static bool add_part(struct lt_estreamer_id *id, const leat_value *value)
{
    size_t left = LT_ESTREAMER_ID_BYTES - id->length, length;
    const uint8_t *octets = leat_value_bytes(value, &length);
    uint64_t number = leat_value_u64(value);
    uint8_t *to = id->octets + id->length;

    switch (leat_value_kind(value)) {
    case LEAT_UINT:
        if (number > UINT32_MAX || left < NUMBER_BYTES)
            return false;
        lt_store_u32be(to, (uint32_t)number);
        length = NUMBER_BYTES;
        break;
    case LEAT_BYTES:
    case LEAT_UUID:
        if (length != UUID_BYTES && length != FINGERPRINT_BYTES && length != SHA256_BYTES)
            return false;
        if (left < length)
            return false;
        memcpy(to, octets, length);
        break;
    case LEAT_TEXT:
        if (length != (size_t)2 * SHA256_BYTES || left < SHA256_BYTES)
            return false;
        if (!lt_read_hex((const char *)octets, length, to))
            return false;
        length = SHA256_BYTES;
        break;
    default:
        return false;
    }
    id->length = (uint16_t)(id->length + length);
    return true;
}

static bool read_form(const struct lt_estreamer_form *form, const leat_value *record,
                      struct lt_estreamer_id *id, struct lt_estreamer_name *name)
{
    size_t i;

    start_id(id, form->record_type);
    for (i = 0; i < form->id_parts; i++) {
        if (!add_part(id, leat_value_get(record, lt_estreamer_names + form->id[i])))
            return false;
    }
    name->count = 0;
    for (i = 0; i < form->name_parts; i++) {
        const leat_value *part = leat_value_get(record, lt_estreamer_names + form->name[i]);

        if (leat_value_kind(part) == LEAT_TEXT && part->length > 0)
            name->parts[name->count++] = part;
    }
    return id->length == TYPE_BYTES + form->id_bytes && name->count > 0;
}

bool lt_estreamer_read_naming(const leat_value *value, struct lt_estreamer_id *id,
                              struct lt_estreamer_name *name)
{
    const struct lt_estreamer_form *form =
        first_form(leat_value_u64(leat_value_get(value, "record_type")));
    const leat_value *record = form == NULL ? NULL : leat_value_get(value, "record");

    for (; form != NULL; form = next_form(form)) {
        if (read_form(form, record, id, name))
            return true;
    }
    return false;
}

/* Names of fields differ in their length, at their ends and in the middle. As in generate.py. */
static unsigned slot_of(const char *name, size_t length)
{
    const uint8_t *at = (const uint8_t *)name;
    unsigned sum = (unsigned)length;

    sum = sum * 41 + at[0];
    sum = sum * 41 + at[length / 2];
    sum = sum * 41 + at[length - 1];
    return sum % LT_ESTREAMER_ID_SLOTS;
}

unsigned lt_estreamer_id_field(const char *name, size_t length)
{
    unsigned slot, field;

    if (length == 0)
        return 0;
    for (slot = slot_of(name, length); (field = lt_estreamer_id_slots[slot]) != 0;
         slot = (slot + 1) % LT_ESTREAMER_ID_SLOTS) {
        if (lt_estreamer_id_fields[field].name_length == length &&
            memcmp(lt_estreamer_id_field_name(field), name, length) == 0)
            break;
    }
    return field;
}

const char *lt_estreamer_id_field_name(unsigned field)
{
    return lt_estreamer_names + lt_estreamer_id_fields[field].name;
}

void lt_estreamer_find_ids(const leat_value *value, struct lt_estreamer_ids *ids)
{
    const leat_value *cell, *end;

    memset(ids->values, 0, sizeof ids->values);
    ids->count = 0;
    ids->category = naming_of(leat_value_u64(leat_value_get(value, "record_type")))->category;
    if (leat_value_kind(value) != LEAT_RECORD || ids->category == 0)
        return;
    end = value + value->u.cells;
    for (cell = value + 1; cell < end; cell++) {
        unsigned field;

        if (cell->kind == LEAT_RECORD)
            continue; /* its fields come next */
        if (lt_is_container(cell)) {
            cell += cell->u.cells - 1;
            continue;
        }
        field = lt_estreamer_id_field(cell->name, cell->name_length);
        if (field != 0 && ids->values[field] == NULL) {
            ids->values[field] = cell;
            ids->order[ids->count++] = (uint8_t)field;
        }
    }
}

static bool read_use(const struct lt_estreamer_id_use *use, const struct lt_estreamer_ids *ids,
                     struct lt_estreamer_id *id)
{
    size_t i;

    if ((use->categories & ids->category) == 0 ||
        (use->when != 0 && leat_value_u64(ids->values[use->when]) != use->value))
        return false;
    start_id(id, use->record_type);
    for (i = 0; i < use->parts; i++) {
        if (!add_part(id, ids->values[use->id[i]]))
            return false;
    }
    return id->length == lt_estreamer_id_bytes(use->record_type);
}

bool lt_estreamer_next_id(const struct lt_estreamer_ids *ids, unsigned field, unsigned *at,
                          struct lt_estreamer_id *id)
{
    const struct lt_estreamer_id_field *row = &lt_estreamer_id_fields[field];

    while (*at < row->uses) {
        if (read_use(&lt_estreamer_id_uses[row->at + (*at)++], ids, id))
            return true;
    }
    return false;
}
