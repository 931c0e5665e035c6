/*
 * The value tree, being written.
 *
 *     leat_builder_open(b, NULL, LEAT_RECORD);
 *     leat_builder_u64(b, "error_code", 19);
 *     leat_builder_text(b, "text", "No space", 8);
 *     leat_builder_close(b);
 *     leat_send(session, "error", leat_builder_value(b));
 *
 * name is the field's name inside a record and NULL anywhere else; in a table keys and values are
 * added in turn. Names, text and octets are copied. The first mistake sticks: the calls after it do
 * nothing, and leat_builder_value() answers NULL, so one check at the end is enough.
 */
#ifndef LEAT_BUILDER_H
#define LEAT_BUILDER_H

#include <leat/leat.h>
#include <leat/value.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct leat_builder leat_builder;

/*
 * LEAT_OK or LEAT_E_NOMEM. *builder is yours to free. Of the limits, values and depth count
 * here.
 */
LEAT_API int leat_builder_new(const leat_config *config, leat_builder **builder);
LEAT_API void leat_builder_free(leat_builder *builder);

/* Forgets everything, the mistake included, and keeps the memory. */
LEAT_API void leat_builder_clear(leat_builder *builder);

/* kind is LEAT_LIST, LEAT_SET, LEAT_TABLE or LEAT_RECORD. */
LEAT_API int leat_builder_open(leat_builder *builder, const char *name, uint32_t kind);
/* Closes the container that was opened last. */
LEAT_API int leat_builder_close(leat_builder *builder);

/*
 * One value each. LEAT_OK; LEAT_E_STATE (it does not fit here), LEAT_E_VALUE (it is out of range),
 * LEAT_E_LIMIT, LEAT_E_NOMEM, or the first mistake.
 */
LEAT_API int leat_builder_null(leat_builder *builder, const char *name);
LEAT_API int leat_builder_bool(leat_builder *builder, const char *name, int value);
LEAT_API int leat_builder_i64(leat_builder *builder, const char *name, int64_t value);
LEAT_API int leat_builder_u64(leat_builder *builder, const char *name, uint64_t value);
LEAT_API int leat_builder_f64(leat_builder *builder, const char *name, double value);
LEAT_API int leat_builder_text(leat_builder *builder, const char *name, const char *text,
                               size_t length);
LEAT_API int leat_builder_enum(leat_builder *builder, const char *name, const char *text,
                               size_t length);
LEAT_API int leat_builder_bytes(leat_builder *builder, const char *name, const void *octets,
                                size_t length);
/* length is 4 or 16. */
LEAT_API int leat_builder_address(leat_builder *builder, const char *name, const void *octets,
                                  size_t length);
/* 16 octets, and a prefix of at most 128 in terms of IPv6. */
LEAT_API int leat_builder_subnet(leat_builder *builder, const char *name, const void *octets,
                                 uint32_t prefix);
/* port is at most 65535, protocol is LEAT_PROTOCOL_*. */
LEAT_API int leat_builder_port(leat_builder *builder, const char *name, uint32_t port,
                               uint32_t protocol);
/* 6 octets. */
LEAT_API int leat_builder_mac(leat_builder *builder, const char *name, const void *octets);
/* 16 octets, in the order of the text. */
LEAT_API int leat_builder_uuid(leat_builder *builder, const char *name, const void *octets);
LEAT_API int leat_builder_timestamp(leat_builder *builder, const char *name, int64_t ns);
LEAT_API int leat_builder_timespan(leat_builder *builder, const char *name, int64_t ns);

/* Copies a whole value, under another name if name is not NULL. */
LEAT_API int leat_builder_copy(leat_builder *builder, const char *name, const leat_value *value);

/**
 * Reads JSON text (RFC 8259, strictly) as one value.
 *
 * Integers are exact: LEAT_UINT, or LEAT_INT if negative; beyond 64 bits, or with a fraction or an
 * exponent, they are LEAT_REAL, rounded correctly. Objects are records with every member in order,
 * duplicates included. The text must be UTF-8 and hold nothing but the value and white space.
 *
 * LEAT_OK, LEAT_E_SYNTAX (see leat_builder_error() for the place), LEAT_E_LIMIT, LEAT_E_NOMEM.
 */
LEAT_API int leat_builder_json(leat_builder *builder, const char *name, const char *text,
                               size_t length);

/* The finished value, or NULL if there was a mistake or a container is still open. Borrowed. */
LEAT_API const leat_value *leat_builder_value(const leat_builder *builder);

/* The first mistake; NULL if there was none. */
LEAT_API const leat_error *leat_builder_error(const leat_builder *builder);

#ifdef __cplusplus
}
#endif

#endif
