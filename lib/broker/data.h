/* Values in Broker's binary format, version 1, from the inside. */
#ifndef LT_BROKER_DATA_H
#define LT_BROKER_DATA_H

#include "../core/bytes.h"
#include "../core/error.h"
#include "../core/inside.h"
#include "../core/value.h"

/* The types as the protocol numbers them. */
enum {
    LT_BROKER_NONE,
    LT_BROKER_BOOLEAN,
    LT_BROKER_COUNT,
    LT_BROKER_INTEGER,
    LT_BROKER_REAL,
    LT_BROKER_STRING,
    LT_BROKER_ADDRESS,
    LT_BROKER_SUBNET,
    LT_BROKER_PORT,
    LT_BROKER_TIMESTAMP,
    LT_BROKER_TIMESPAN,
    LT_BROKER_ENUM_VALUE,
    LT_BROKER_SET,
    LT_BROKER_TABLE,
    LT_BROKER_VECTOR,
    LT_BROKER_TYPES,
    LT_BROKER_NO_TYPE = LT_BROKER_TYPES
};

/*
 * In leat_value.reserved: the value was read by us, all below it is in order, and nothing in it
 * would be refused. So it can be passed on without being checked.
 */
#define LT_BROKER_CHECKED 0xbcu

/* By kind of value; what Broker does not have is LT_BROKER_NO_TYPE. */
extern const uint8_t lt_broker_type_of_kind[LEAT_RECORD + 1];

/* The type that a value is written as. */
static inline unsigned lt_broker_type(const leat_value *value)
{
    return value->kind <= LEAT_RECORD ? lt_broker_type_of_kind[value->kind] : LT_BROKER_NO_TYPE;
}

/* The kind that a type is read as. */
uint8_t lt_broker_kind(unsigned type);

/* Its name in JSON; NULL for LT_BROKER_NO_TYPE. */
const char *lt_broker_type_name(unsigned type);

/*
 * The little-endian base 128 number in front of texts and containers: up to five octets, 32 bits.
 * UINT64_MAX, which nothing can satisfy, stands for more than that.
 */
static inline uint64_t lt_broker_varbyte(struct lt_reader *in)
{
    uint8_t octet = lt_u8(in);
    uint64_t value = octet & 0x7f;
    unsigned shift;

    for (shift = 7; octet >= 0x80 && shift < 35; shift += 7) {
        octet = lt_u8(in);
        value |= (uint64_t)(octet & 0x7f) << shift;
    }
    return octet >= 0x80 || value > UINT32_MAX ? UINT64_MAX : value;
}

/* A varbyte and as many octets; NULL, latched, if they are not there. */
static inline const uint8_t *lt_broker_text(struct lt_reader *in, uint32_t *length)
{
    uint64_t count = lt_broker_varbyte(in);

    *length = (uint32_t)count;
    if (count > lt_left(in)) {
        lt_latch(in, in->at);
        return NULL;
    }
    return lt_take(in, (size_t)count);
}

void lt_broker_put_varbyte(struct lt_writer *out, uint32_t value);
void lt_broker_put_text(struct lt_writer *out, const void *text, uint32_t length);

/*
 * Reads the value that begins at in->at into the tree, as a cell of that name. Text points into
 * what is read; sets and tables are delivered ascending. in is left behind the value.
 *
 * depth  how deep containers may nest.
 * error  < 0: what is wrong; offset counts from the first octet of the value.
 *
 * LEAT_OK, LEAT_E_SYNTAX, LEAT_E_LIMIT (depth, or the tree's), LEAT_E_NOMEM.
 */
int lt_broker_read(struct lt_reader *in, struct lt_tree *tree, size_t depth, const char *name,
                   uint16_t name_length, struct leat_error *error);

/* The same for a table that comes without its tag, as snapshots of stores do. */
int lt_broker_read_table(struct lt_reader *in, struct lt_tree *tree, size_t depth, const char *name,
                         uint16_t name_length, struct leat_error *error);

/*
 * What every form has to ask of a value before it is written: LEAT_E_VALUE for a kind that Broker
 * does not have, an element or key that is there twice, NaN in one, a subnet or port that cannot
 * be. If *unsorted, sets or tables do not ascend, and lt_broker_sorted() makes a copy where they
 * do.
 */
LT_INSIDE int lt_broker_check(const leat_value *value, bool *unsorted, struct leat_error *error);

int lt_broker_sorted(const leat_value *value, const leat_allocator *allocator, struct lt_tree *copy,
                     struct leat_error *error);

/* The real that peers get for one: subnormals, for which Broker has no form, are zero. */
double lt_broker_real(double real);

/* Refuses a value because of one of its cells. The offset counts in the binary form. */
int lt_broker_refuse(struct leat_error *error, const leat_value *value, size_t cell,
                     const char *what);

/*
 * Writes a value in canonical form. LEAT_OK (out->status counts too), LEAT_E_VALUE, LEAT_E_LIMIT,
 * LEAT_E_NOMEM. The writer must be one that grows.
 */
int lt_broker_write(struct lt_writer *out, const leat_value *value, struct leat_error *error);

/* The same for a table, without its tag. */
int lt_broker_write_table(struct lt_writer *out, const leat_value *table, struct leat_error *error);

#endif
