/*
 * The heads of the HTTP messages that open a WebSocket, read strictly: no folded lines, no line
 * feeds without a carriage return, no space where none belongs.
 *
 * Source: RFC 9112, sections 2 to 5.
 */
#ifndef LT_BROKER_HTTP_H
#define LT_BROKER_HTTP_H

#include "../core/bytes.h"
#include "../core/error.h"

#include <stdbool.h>

struct lt_http_text {
    const char *at;
    size_t length;
};

/* Points into the text that it was read from. */
struct lt_http_head {
    struct lt_http_text method; /* of a request, and its target */
    struct lt_http_text target;
    uint32_t status; /* of a response, and its reason */
    struct lt_http_text reason;
    uint32_t minor; /* HTTP/1.minor */
    struct lt_http_text fields;
};

/*
 * Looks for the end of a head, piece by piece: each octet is looked at once.
 *
 * scanned  0 at the start; LEAT_OK: the octets of the head, the empty line included.
 * limit    most octets.
 * error    < 0: what is wrong; offset counts from text.
 *
 * LEAT_OK, LEAT_MORE, LEAT_E_SYNTAX (no text, or lines that do not end as they must), LEAT_E_LIMIT.
 */
int lt_http_scan(size_t *scanned, const uint8_t *text, size_t length, size_t limit,
                 struct leat_error *error);

/*
 * Reads a head that was scanned; or whole lines of one, if the rest is missing. LEAT_OK or
 * LEAT_E_SYNTAX.
 */
int lt_http_read_request(const uint8_t *text, size_t length, struct lt_http_head *head,
                         struct leat_error *error);
int lt_http_read_response(const uint8_t *text, size_t length, struct lt_http_head *head,
                          struct leat_error *error);

/* Takes the next field off the fields, without the space around its value; false: none is left. */
bool lt_http_field(struct lt_http_text *fields, struct lt_http_text *name,
                   struct lt_http_text *value);

/* How many fields of that name there are, and the value of the first; empty if there is none. */
unsigned lt_http_find(const struct lt_http_head *head, const char *name,
                      struct lt_http_text *value);

/* Whether a list in the fields of that name has the token. */
bool lt_http_lists(const struct lt_http_head *head, const char *name, const char *token);

/* Whether it is exactly that text. */
bool lt_http_is(struct lt_http_text text, const char *other);

/* Whether it may be the value of a field: no line ends, and no other control characters. */
bool lt_http_is_value(const char *text, size_t length);

/* Appends a field. */
void lt_http_put(struct lt_writer *out, const char *name, const char *value, size_t length);

#endif
