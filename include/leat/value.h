/*
 * The value tree, one model for eStreamer fields, Zabbix JSON and Broker data.
 *
 * Getters forgive: NULL, or a value of another kind, answers 0, NULL or the empty text. So a chain
 * like leat_value_u64(leat_value_get(record, "time")) never crashes.
 *
 * Text and octets point into the message or into the builder and are not followed by a NUL.
 */
#ifndef LEAT_VALUE_H
#define LEAT_VALUE_H

#include <leat/leat.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct leat_value leat_value;

/* Kinds. New ones may be added; skip those that you do not know. */
#define LEAT_NULL      0u  /* no value: JSON null, Broker none */
#define LEAT_BOOL      1u  /* */
#define LEAT_INT       2u  /* signed, 64 bits: a negative JSON integer, Broker integer */
#define LEAT_UINT      3u  /* unsigned, 64 bits: any other JSON integer, Broker count */
#define LEAT_REAL      4u  /* IEEE 754 binary64 */
#define LEAT_TEXT      5u  /* UTF-8 by convention of the protocol; leat_value_is_utf8() checks */
#define LEAT_BYTES     6u  /* opaque octets */
#define LEAT_ADDRESS   7u  /* IPv4 (4 octets) or IPv6 (16 octets, ::ffff:a.b.c.d means IPv4) */
#define LEAT_SUBNET    8u  /* 16 octets and a prefix length of 0 to 128 */
#define LEAT_PORT      9u  /* number and protocol */
#define LEAT_MAC       10u /* 6 octets */
#define LEAT_UUID      11u /* 16 octets, in the order of the text */
#define LEAT_TIMESTAMP 12u /* ns since 1970-01-01 UTC, signed */
#define LEAT_TIMESPAN  13u /* ns, signed */
#define LEAT_ENUM      14u /* the name of an enumerator */
#define LEAT_LIST      15u /* values */
#define LEAT_SET       16u /* values, none twice */
#define LEAT_TABLE     17u /* key, value, key, value, ... */
#define LEAT_RECORD    18u /* named fields in order; JSON objects too, duplicate members and all */

/* LEAT_*; of NULL LEAT_NULL. */
LEAT_API uint32_t leat_value_kind(const leat_value *value);

/* 0 or 1. */
LEAT_API int leat_value_bool(const leat_value *value);
/* LEAT_UINT, or LEAT_INT if not negative. */
LEAT_API uint64_t leat_value_u64(const leat_value *value);
/* LEAT_INT, LEAT_UINT if it fits, and the nanoseconds of LEAT_TIMESTAMP and LEAT_TIMESPAN. */
LEAT_API int64_t leat_value_i64(const leat_value *value);
/* LEAT_REAL; LEAT_INT and LEAT_UINT are converted. */
LEAT_API double leat_value_f64(const leat_value *value);
/* LEAT_TEXT and LEAT_ENUM; else "" with length 0. length may be NULL. */
LEAT_API const char *leat_value_text(const leat_value *value, size_t *length);
/* The octets of TEXT, ENUM, BYTES, ADDRESS, SUBNET (16), MAC and UUID; else NULL with length 0. */
LEAT_API const uint8_t *leat_value_bytes(const leat_value *value, size_t *length);
/* 1 if the value is text and sound UTF-8. */
LEAT_API int leat_value_is_utf8(const leat_value *value);
/* LEAT_SUBNET: its prefix length in terms of IPv6, 0 to 128 (96 more than an IPv4 /n). */
LEAT_API uint32_t leat_value_prefix(const leat_value *value);
/* LEAT_PORT. */
LEAT_API uint32_t leat_value_port(const leat_value *value);

#define LEAT_PROTOCOL_UNKNOWN 0u
#define LEAT_PROTOCOL_TCP     1u
#define LEAT_PROTOCOL_UDP     2u
#define LEAT_PROTOCOL_ICMP    3u
/* LEAT_PORT: LEAT_PROTOCOL_*. */
LEAT_API uint32_t leat_value_port_protocol(const leat_value *value);

/* Children: values of a list or set, pairs of a table, fields of a record. */
LEAT_API size_t leat_value_count(const leat_value *container);

/*
 * Walks the children; in a table, keys and values in turn.
 *
 *     for (v = leat_value_first(list); v != NULL; v = leat_value_next(list, v))
 */
LEAT_API const leat_value *leat_value_first(const leat_value *container);
LEAT_API const leat_value *leat_value_next(const leat_value *container, const leat_value *child);

/*
 * The child number index, from 0 (of a table: key 0, value 0, key 1, ...); NULL if there is
 * none.
 */
LEAT_API const leat_value *leat_value_at(const leat_value *container, size_t index);

/* The first field of that name of a record, or the value of that text key of a table; else NULL. */
LEAT_API const leat_value *leat_value_get(const leat_value *container, const char *name);

/*
 * leat_value_get() for hot loops: *place remembers where the field stood last time and is looked
 * at first. Start with 0 and keep one place for each field; records of one shape then cost one
 * comparison.
 */
LEAT_API const leat_value *leat_value_find(const leat_value *record, const char *name,
                                           size_t length, size_t *place);

/* The name of a field of a record; "" with length 0 for any other value. length may be NULL. */
LEAT_API const char *leat_value_name(const leat_value *value, size_t *length);

/*
 * A value laid open: what the getters answer, all at once, for loops that see millions of values
 * and for bindings whose calls are dear.
 *
 * number  BOOL, UINT; INT, TIMESTAMP, TIMESPAN as two's complement; REAL as its bits; PORT:
 *         number | protocol << 16; containers: how many cells come below. Else 0.
 * octets  TEXT, ENUM, BYTES, ADDRESS, SUBNET (its prefix stands behind them), MAC, UUID. Else NULL.
 * name    of a field of a record; else NULL.
 * length  of octets; of containers, how many children they have.
 * kind    LEAT_*.
 */
typedef struct leat_cell {
    uint64_t number;
    const uint8_t *octets;
    const char *name;
    uint32_t length;
    uint16_t name_length;
    uint16_t kind;
} leat_cell;

/**
 * Lays a value open, and all below it: a container, then its first child and all below that, and
 * so on.
 *
 * cells, size  where to: at most size cells are written. What they point to is lent like the value.
 *
 * Returns how many cells there are in all; 0 for NULL.
 */
LEAT_API size_t leat_value_cells(const leat_value *value, leat_cell *cells, size_t size);

/* 1 if both are the same: kinds, contents, names and order. A real equals itself, NaN included. */
LEAT_API int leat_value_equal(const leat_value *a, const leat_value *b);

/**
 * Writes the value as JSON text.
 *
 * text, size  where to: at most size octets are written, the last one a NUL. What does not fit
 *             is cut. size 0 is fine.
 *
 * Returns the octets that the whole text needs, the NUL apart.
 *
 * Integers are exact; reals are the shortest text that reads back the same (infinities and NaN,
 * which JSON lacks, are the strings "inf", "-inf", "nan"). Octets are a string of hex digits.
 * Text that is not UTF-8 is {"hex":"..."}. Addresses, subnets, UUIDs, MACs, enums are strings as
 * people write them; a port is "80/tcp"; a timestamp is ISO 8601 in UTC with as many digits as
 * it needs; a timespan is "1500ms" in the largest unit of ns, us, ms, s that is exact. Lists and
 * sets are arrays; records are objects; a table is an array of {"key":...,"value":...}.
 */
LEAT_API size_t leat_value_json(const leat_value *value, char *text, size_t size);

#ifdef __cplusplus
}
#endif

#endif
