/*
 * The events of the Management framework as a table. It is made by generate.py from management.tsv, which
 * says what each field means; nothing in it needs a relocation.
 */
#ifndef LT_ZEEK_MANAGEMENT_TABLE_H
#define LT_ZEEK_MANAGEMENT_TABLE_H

#include <leat/value.h>
#include <leat/zeek_management.h>

/* Names are places in this. */
extern const char lt_zeek_names[];

/*
 * A type.
 *
 * kind  that of its values, as they are read: LEAT_RECORD of a record, LEAT_NULL of any
 * of    of a vector, a set and the values of a table: their type. Of a record and an enum: which of
 *       them. Of a string: the type that it may be instead; 0: none.
 */
struct lt_zeek_type {
    uint16_t name;
    uint8_t kind;
    uint8_t of;
};
extern const struct lt_zeek_type lt_zeek_types[];

#define LT_ZEEK_TYPE_ANY    0u
#define LT_ZEEK_TYPE_STRING 1u

enum lt_zeek_presence {
    LT_ZEEK_MANDATORY,
    LT_ZEEK_OPTIONAL,
    LT_ZEEK_EMPTY, /* a default: false, without content, or the first of an enum */
    LT_ZEEK_TRUE   /* a default */
};

/* An argument of an event, or a field of a record. */
struct lt_zeek_field {
    uint16_t name;
    uint16_t
        since; /* the first Zeek that has it: what is missing there is not set; 0: all have it */
    uint8_t type;
    uint8_t presence;
};
extern const struct lt_zeek_field lt_zeek_fields[];

/* Some of the fields, or of the values of all enums. */
struct lt_zeek_span {
    uint8_t first;
    uint8_t count;
};

struct lt_zeek_event {
    uint16_t name;
    uint16_t from;
    uint16_t topic;
    struct lt_zeek_span args;
    uint8_t data;     /* the type of the data of its Results */
    uint8_t presence; /* of these data */
};
/* By kind, the first being 1. */
extern const struct lt_zeek_event lt_zeek_events[];
extern const uint32_t lt_zeek_event_total;

struct lt_zeek_group {
    uint16_t name;
    struct lt_zeek_span of;
};
extern const struct lt_zeek_group lt_zeek_records[];
extern const uint32_t lt_zeek_record_total;
extern const struct lt_zeek_group lt_zeek_enums[];
extern const uint32_t lt_zeek_enum_total;
extern const uint16_t lt_zeek_enum_values[]; /* names */

#endif
