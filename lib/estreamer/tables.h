/*
 * Layouts and record types as tables. The tables themselves are made by generate.py from
 * layouts.tsv, records.tsv and event_types.tsv, which say what each field means; nothing in them
 * needs a relocation.
 */
#ifndef LT_ESTREAMER_TABLES_H
#define LT_ESTREAMER_TABLES_H

#include <leat/estreamer.h>
#include <leat/value.h>

#include <stdbool.h>

/* How a field stands on the wire. */
enum lt_estreamer_type {
    LT_ESTREAMER_U8,
    LT_ESTREAMER_U16,
    LT_ESTREAMER_U32,
    LT_ESTREAMER_U64,
    LT_ESTREAMER_I32,
    LT_ESTREAMER_OCTETS,
    LT_ESTREAMER_COUNTED, /* as many octets as the last length said */
    LT_ESTREAMER_REST,
    LT_ESTREAMER_ITEMS,    /* blocks, for the rest of what encloses them */
    LT_ESTREAMER_LENGTH16, /* this and those below need octets: integers that say how long ... */
    LT_ESTREAMER_LENGTH32, /* ... the next COUNTED field is */
    LT_ESTREAMER_REVERSED, /* four octets, the last one first */
    LT_ESTREAMER_STRING,   /* this and those below begin with the header of a block */
    LT_ESTREAMER_BLOB,
    LT_ESTREAMER_LIST,
    LT_ESTREAMER_GENERIC_LIST,
    LT_ESTREAMER_BLOCK
};

#define LT_ESTREAMER_AUTO     0xffffu
#define LT_ESTREAMER_ID_PARTS 3u
#define LT_ESTREAMER_ROW_BITS 10u
#define LT_ESTREAMER_ROW_MASK ((1u << LT_ESTREAMER_ROW_BITS) - 1)

struct lt_estreamer_row {
    uint16_t name;     /* where it stands in lt_estreamer_names, with a NUL behind it */
    uint16_t argument; /* octets, or the block type that is expected within */
    uint8_t name_length;
    uint8_t kind; /* LEAT_* */
    uint8_t type;
    uint8_t wire; /* the type as layouts.tsv spells it */
};

struct lt_estreamer_layout {
    uint16_t at; /* where its rows begin in lt_estreamer_sequence */
    uint16_t container;
    uint16_t name;
    uint16_t block_type;
    uint8_t series; /* 0: not a block */
    uint8_t fields;
};

enum lt_estreamer_payload {
    LT_ESTREAMER_PAYLOAD_NONE,
    LT_ESTREAMER_PAYLOAD_DATA, /* opaque */
    LT_ESTREAMER_PAYLOAD_STRUCT,
    LT_ESTREAMER_PAYLOAD_S1, /* a block of series 1 */
    LT_ESTREAMER_PAYLOAD_S2
};

struct lt_estreamer_record {
    uint16_t type;
    uint16_t name;
    uint16_t category;
    uint16_t layout; /* index + 1: of the structure, or of the block to write; 0: none */
    uint16_t legacy; /* index + 1: of an older form that stands in its place; 0: none */
    uint8_t name_length;
    uint8_t payload;
    bool discovery;     /* the discovery header comes first */
    uint8_t event_code; /* of an extended request that asks for it; 0: none does */
};

/* What to ask servers of a release for, and of later ones up to the next set. */
struct lt_estreamer_event_set {
    uint16_t major;
    uint16_t minor;
    uint16_t at; /* where it begins in lt_estreamer_event_types */
    uint16_t count;
};

/* The first layouts: READ_BY_ROWS of generate.py. */
enum {
    LT_ESTREAMER_ERROR,
    LT_ESTREAMER_EVENT_STREAM_REQUEST,
    LT_ESTREAMER_HOST_REQUEST,
    LT_ESTREAMER_HOST_REQUEST_V6,
    LT_ESTREAMER_DISCOVERY_HEADER,
    LT_ESTREAMER_DISCOVERY_HEADER_IPV6
};

extern const char lt_estreamer_names[];
extern const uint16_t lt_estreamer_wires[];
extern const struct lt_estreamer_row lt_estreamer_rows[];
/* Indices of rows, and above them how many of fixed size begin there; a layout may end before them. */
extern const uint16_t lt_estreamer_sequence[];
extern const struct lt_estreamer_layout lt_estreamer_layouts[];
extern const size_t lt_estreamer_layout_total;
extern const uint8_t lt_estreamer_fixed_sizes[]; /* octets of the first ones, counted ones apart */
extern const uint16_t lt_estreamer_series_1[];   /* by block type: index of the layout + 1 */
extern const uint32_t lt_estreamer_series_1_total;
extern const uint16_t lt_estreamer_series_2[];
extern const uint32_t lt_estreamer_series_2_total;
extern const struct lt_estreamer_record lt_estreamer_records[];
extern const size_t lt_estreamer_record_total;
extern const uint8_t lt_estreamer_record_index[]; /* by record type: index of the record + 1 */
extern const uint32_t lt_estreamer_record_index_total;
extern const leat_estreamer_event_type lt_estreamer_event_types[];
extern const struct lt_estreamer_event_set lt_estreamer_event_sets[]; /* oldest release first */
extern const size_t lt_estreamer_event_set_total;

/* A form of a metadata record that names an id: where the fields of both stand in names. */
struct lt_estreamer_form {
    uint16_t record_type;
    uint8_t id_bytes; /* the record type apart */
    uint8_t id_parts;
    uint8_t name_parts;
    uint16_t id[LT_ESTREAMER_ID_PARTS];
    uint16_t name[LT_ESTREAMER_ID_PARTS];
};

/* Of a record type, by its place in the records + 1; the first is of all that are unknown. */
struct lt_estreamer_naming {
    uint8_t form;      /* index + 1: of the first of its forms; 0: it names nothing */
    uint16_t category; /* a bit; 0: metadata */
};

/* A field that may be an id, or a part of one. The first one is none. */
struct lt_estreamer_id_field {
    uint16_t name;
    uint8_t name_length;
    uint8_t at; /* its uses, from the likeliest on */
    uint8_t uses;
};

/* What id it may be: of a record type, in events of these categories. */
struct lt_estreamer_id_use {
    uint16_t record_type;
    uint16_t categories;
    uint8_t when; /* a field that must have the value; 0: none */
    uint8_t value;
    uint8_t id_parts;
    uint8_t id[LT_ESTREAMER_ID_PARTS]; /* fields */
};

#define LT_ESTREAMER_ID_SLOTS 512u

extern const struct lt_estreamer_form lt_estreamer_forms[];
extern const size_t lt_estreamer_form_total;
extern const struct lt_estreamer_naming lt_estreamer_namings[];
extern const struct lt_estreamer_id_field lt_estreamer_id_fields[];
extern const struct lt_estreamer_id_use lt_estreamer_id_uses[];
extern const uint8_t lt_estreamer_id_slots[]; /* by a hash of the name: the field */

static inline const char *lt_estreamer_row_name(const struct lt_estreamer_row *row)
{
    return lt_estreamer_names + row->name;
}

/* The rows of a layout are walked by a pointer to their indices. */
static inline const uint16_t *lt_estreamer_first(const struct lt_estreamer_layout *layout)
{
    return lt_estreamer_sequence + layout->at;
}

static inline const struct lt_estreamer_row *lt_estreamer_row(const uint16_t *at)
{
    return &lt_estreamer_rows[*at & LT_ESTREAMER_ROW_MASK];
}

/* How many rows of fixed size begin there. */
static inline unsigned lt_estreamer_run(const uint16_t *at)
{
    return *at >> LT_ESTREAMER_ROW_BITS;
}

/* The octets of one of the first layouts, whose fields are all of fixed size. */
static inline size_t lt_estreamer_fixed_size(const struct lt_estreamer_layout *layout)
{
    return lt_estreamer_fixed_sizes[layout - lt_estreamer_layouts];
}

/* The layout of a block, or NULL. */
static inline const struct lt_estreamer_layout *lt_estreamer_block(unsigned series, uint32_t type)
{
    unsigned index = 0;

    if (series == 1 && type < lt_estreamer_series_1_total)
        index = lt_estreamer_series_1[type];
    else if (series == 2 && type < lt_estreamer_series_2_total)
        index = lt_estreamer_series_2[type];
    return index == 0 ? NULL : &lt_estreamer_layouts[index - 1];
}

static inline const struct lt_estreamer_record *lt_estreamer_record(uint32_t type)
{
    unsigned index = type < lt_estreamer_record_index_total ? lt_estreamer_record_index[type] : 0;

    return index == 0 ? NULL : &lt_estreamer_records[index - 1];
}

/* The series of the block that a record holds; 0: none. */
static inline unsigned lt_estreamer_series(const struct lt_estreamer_record *record)
{
    if (record->payload == LT_ESTREAMER_PAYLOAD_S1)
        return 1;
    return record->payload == LT_ESTREAMER_PAYLOAD_S2 ? 2 : 0;
}

#endif
