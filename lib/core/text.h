/* Values as text, JSON and the forms that people write, and back. */
#ifndef LT_TEXT_H
#define LT_TEXT_H

#include "bytes.h"
#include "inside.h"
#include "value.h"

/* Length of the longest sound UTF-8 prefix. */
LT_INSIDE size_t lt_utf8_prefix(const uint8_t *text, size_t length);

/* The JSON text of a value: what leat_value_json() documents. */
LT_INSIDE void lt_json_write(struct lt_writer *out, const leat_value *value);

/*
 * A JSON string: quotes, and escapes for what must be escaped. Sound UTF-8 is the caller's
 * business.
 */
LT_INSIDE void lt_json_write_string(struct lt_writer *out, const uint8_t *text, size_t length);

LT_INSIDE void lt_write_u64(struct lt_writer *out, uint64_t value);
void lt_write_i64(struct lt_writer *out, int64_t value);
void lt_write_hex(struct lt_writer *out, const uint8_t *octets, size_t length);
void lt_write_address(struct lt_writer *out, const uint8_t *octets, size_t length); /* 4 or 16 */
void lt_write_subnet(struct lt_writer *out, const uint8_t octets[16], uint32_t prefix);
void lt_write_port(struct lt_writer *out, uint32_t number, uint32_t protocol);
LT_INSIDE void lt_write_uuid(struct lt_writer *out, const uint8_t octets[16]);
void lt_write_mac(struct lt_writer *out, const uint8_t octets[6]);
/* 2022-04-10T07:00:00.000, with 3, 6 or 9 digits of fraction (fraction: 0 too); no zone. */
void lt_write_timestamp(struct lt_writer *out, int64_t ns);
void lt_write_timespan(struct lt_writer *out, int64_t ns);
/*
 * Finite ones only. The shortest digits that read back the same, always with a point or an
 * exponent.
 */
void lt_write_real(struct lt_writer *out, double value);

/* The value of a hex digit, -1: it is none. */
static inline int lt_hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The readers take the whole text or answer false. Hex: length / 2 octets are stored. */
bool lt_read_hex(const char *text, size_t length, uint8_t *octets);
bool lt_read_ipv4(const char *text, size_t length, uint8_t octets[4]);
/* IPv4 or IPv6 text; IPv4 gives ::ffff:a.b.c.d. No zone. */
LT_INSIDE bool lt_read_address(const char *text, size_t length, uint8_t octets[16]);
bool lt_read_uuid(const char *text, size_t length, uint8_t octets[16]);
bool lt_read_mac(const char *text, size_t length, uint8_t octets[6]);
LT_INSIDE bool lt_read_u64(const char *text, size_t length, uint64_t *value);
bool lt_read_i64(const char *text, size_t length, int64_t *value);
/* A JSON number (or any text of that form): correctly rounded, whatever the locale. */
bool lt_read_real(const char *text, size_t length, double *value);

#endif
