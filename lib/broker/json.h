/* Messages of the WebSocket protocol from the inside: texts without a builder or a buffer. */
#ifndef LT_BROKER_JSON_H
#define LT_BROKER_JSON_H

#include "../core/bytes.h"
#include "../core/error.h"
#include "../core/inside.h"
#include "../core/value.h"

/*
 * Appends the text of a data message. LEAT_OK (out->status counts too), LEAT_E_VALUE, LEAT_E_LIMIT,
 * LEAT_E_NOMEM.
 */
LT_INSIDE int lt_broker_put_json_message(struct lt_writer *out, const char *topic, size_t length,
                                         const leat_value *data, struct leat_error *error);

/* What a text is, or how far it got if it is LEAT_E_SYNTAX. */
enum lt_broker_json_verdict {
    LT_BROKER_JSON_MALFORMED,
    LT_BROKER_JSON_NO_OBJECT,
    LT_BROKER_JSON_INVALID, /* the data is, or the topic */
    LT_BROKER_JSON_TWICE,   /* an element or a key is there twice */
    LT_BROKER_JSON_DATA,    /* LEAT_OK: a data message */
    LT_BROKER_JSON_OTHER    /* LEAT_OK: an object, but no data message */
};

/*
 * Reads what leat_broker_json_message_read() does into a tree, as a cell of that name, whose texts
 * point into the one that is read. The octets of a topic that is missing are NULL. On failure the tree
 * may have got some cells.
 */
LT_INSIDE int lt_broker_read_json_message(struct lt_tree *tree, size_t depth, const char *name,
                                          uint16_t name_length, const uint8_t *text, size_t length,
                                          enum lt_broker_json_verdict *verdict,
                                          struct leat_error *error);

/* Reads any other JSON in the same way, as lenient as messages are read. */
LT_INSIDE int lt_broker_read_any_json(struct lt_tree *tree, size_t depth, const char *name,
                                      uint16_t name_length, const uint8_t *text, size_t length,
                                      struct leat_error *error);

#endif
