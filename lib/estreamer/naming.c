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

/* The sum is over words, so that it is made of values and not of octets that were just stored. */
#define ODD        UINT64_C(0x9e3779b97f4a7c15)
#define WORD_BYTES NUMBER_BYTES

static inline void add_word(struct lt_estreamer_id *id, uint32_t word)
{
    id->sum = (id->sum + word) * ODD;
}

static void add_octets(struct lt_estreamer_id *id, const uint8_t *octets, size_t length)
{
    size_t at;

    for (at = 0; at < length; at += WORD_BYTES)
        add_word(id, lt_load_u32be(octets + at));
    memcpy(id->octets + id->length, octets, length);
    id->length = (uint16_t)(id->length + length);
}

static void start_id(struct lt_estreamer_id *id, uint16_t record_type)
{
    id->sum = record_type * ODD; /* or a type and a number would be the next type and one less */
    lt_store_u16be(id->octets, record_type);
    id->length = TYPE_BYTES;
}

void lt_estreamer_read_id(struct lt_estreamer_id *id, const uint8_t *octets, size_t length)
{
    start_id(id, lt_load_u16be(octets));
    add_octets(id, octets + TYPE_BYTES, length - TYPE_BYTES);
}

/* The upper half depends on all of the sum, whose own upper half does on all words. */
uint32_t lt_estreamer_id_hash(const struct lt_estreamer_id *id)
{
    return (uint32_t)((id->sum ^ id->sum >> 32) * ODD >> 32);
}

/* A number, octets, or the hex digits of a hash. False: none of them, or too long for an id. */
static bool add_part(struct lt_estreamer_id *id, const leat_value *value)
{
    size_t left = LT_ESTREAMER_ID_BYTES - id->length;
    uint8_t sha256[SHA256_BYTES];

    if (value == NULL)
        return false;
    switch (value->kind) {
    case LEAT_UINT:
        if (value->u.u64 > UINT32_MAX || left < NUMBER_BYTES)
            return false;
        add_word(id, (uint32_t)value->u.u64);
        lt_store_u32be(id->octets + id->length, (uint32_t)value->u.u64);
        id->length += NUMBER_BYTES;
        return true;
    case LEAT_BYTES:
    case LEAT_UUID:
        if (value->length != UUID_BYTES && value->length != FINGERPRINT_BYTES &&
            value->length != SHA256_BYTES)
            return false;
        if (left < value->length)
            return false;
        add_octets(id, value->u.bytes, value->length);
        return true;
    case LEAT_TEXT:
        if (value->length != 2 * sizeof sha256 || left < sizeof sha256 ||
            !lt_read_hex((const char *)value->u.bytes, value->length, sha256))
            return false;
        add_octets(id, sha256, sizeof sha256);
        return true;
    default:
        return false;
    }
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

/* Where names of fields differ: in length, at their ends and in the middle. As in generate.py. */
static inline unsigned slot_of(const char *name, size_t length)
{
    const uint8_t *at = (const uint8_t *)name;

    return ((unsigned)length * 9 + at[0] * 15u + at[length / 2] * 37u + at[length - 1] * 29u) %
           LT_ESTREAMER_ID_SLOTS;
}

static inline bool is_field(unsigned field, const char *name, size_t length)
{
    const char *own = lt_estreamer_names + lt_estreamer_id_fields[field].name;

    /* What was decoded has its names from the same array. */
    return own == name ||
           (lt_estreamer_id_fields[field].name_length == length && memcmp(own, name, length) == 0);
}

static inline unsigned field_of(const char *name, size_t length)
{
    unsigned slot, field;

    if (length == 0)
        return 0;
    for (slot = slot_of(name, length); (field = lt_estreamer_id_slots[slot]) != 0;
         slot = (slot + 1) % LT_ESTREAMER_ID_SLOTS) {
        if (is_field(field, name, length))
            break;
    }
    return field;
}

unsigned lt_estreamer_id_field(const char *name, size_t length)
{
    return field_of(name, length);
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
    if (leat_value_kind(value) != LEAT_RECORD)
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
        field = field_of(cell->name, cell->name_length);
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
    for (i = 0; i < use->id_parts; i++) {
        if (!add_part(id, ids->values[use->id[i]]))
            return false;
    }
    return true;
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
