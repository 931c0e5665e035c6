/* Which record names which id. Source: spec section 14, and the notes of layouts.tsv. */
#ifndef LT_ESTREAMER_NAMING_H
#define LT_ESTREAMER_NAMING_H

#include "tables.h"

/* An id: the type of the metadata record that names it, then its parts, all big endian. */
#define LT_ESTREAMER_ID_BYTES 34u

struct lt_estreamer_id {
    uint64_t sum; /* of the octets, not yet a hash */
    uint16_t length;
    uint8_t octets[LT_ESTREAMER_ID_BYTES];
};

/* How long the ids of a record type are; 0: it names nothing. */
size_t lt_estreamer_id_bytes(uint32_t record_type);

/* The id that these octets are, of such a length. */
void lt_estreamer_read_id(struct lt_estreamer_id *id, const uint8_t *octets, size_t length);

uint32_t lt_estreamer_id_hash(const struct lt_estreamer_id *id);

/* A name: text that is not empty, in one field or in several. */
struct lt_estreamer_name {
    size_t count;
    const leat_value *parts[LT_ESTREAMER_ID_PARTS];
};

/* What the value of an event_data names. False: nothing. */
bool lt_estreamer_read_naming(const leat_value *value, struct lt_estreamer_id *id,
                              struct lt_estreamer_name *name);

/*
 * The fields of an event_data that may be ids, by their numbers (the field at 0 is none). Lists are
 * left out; of several fields of one name the first counts.
 */
#define LT_ESTREAMER_ID_FIELDS 128u

struct lt_estreamer_ids {
    unsigned category;
    size_t count;
    uint8_t order[LT_ESTREAMER_ID_FIELDS]; /* as they stand in the event */
    const leat_value *values[LT_ESTREAMER_ID_FIELDS];
};

void lt_estreamer_find_ids(const leat_value *value, struct lt_estreamer_ids *ids);

/* The number of a field, or 0; and its name. */
unsigned lt_estreamer_id_field(const char *name, size_t length);
const char *lt_estreamer_id_field_name(unsigned field);

/*
 * The ids that a field may be, one after the other from the likeliest on: *at is 0 at first. False:
 * there are no more.
 */
bool lt_estreamer_next_id(const struct lt_estreamer_ids *ids, unsigned field, unsigned *at,
                          struct lt_estreamer_id *id);

#endif
