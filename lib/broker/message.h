/* The messages of a peering, from the inside: what is behind the length of a frame. */
#ifndef LT_BROKER_MESSAGE_H
#define LT_BROKER_MESSAGE_H

#include "../core/bytes.h"
#include "../core/error.h"
#include "../core/inside.h"
#include "../core/value.h"

#include <stdbool.h>

/* What leat.h says of Broker. */
#define LT_BROKER_LIMITS                                                                           \
    {                                                                                              \
        .size = sizeof(leat_limits), .message_bytes = UINT64_C(64) << 20,                          \
        .handshake_bytes = UINT64_C(64) << 10, .values = UINT64_C(4) << 20, .depth = LT_DEPTH_MAX, \
        .queued_bytes = UINT64_C(64) << 20,                                                        \
    }

/* Types on the wire. Those up to PONG stand inside an envelope. */
#define LT_BROKER_DATA              1u
#define LT_BROKER_COMMAND           2u
#define LT_BROKER_ROUTING_UPDATE    3u
#define LT_BROKER_PING              4u
#define LT_BROKER_PONG              5u
#define LT_BROKER_HELLO             6u
#define LT_BROKER_PROBE             7u
#define LT_BROKER_VERSION_SELECT    8u
#define LT_BROKER_DROP_CONN         9u
#define LT_BROKER_ORIGINATOR_SYN    10u
#define LT_BROKER_RESPONDER_SYN_ACK 11u
#define LT_BROKER_ORIGINATOR_ACK    12u

#define LT_BROKER_ENVELOPE_BYTES 37u /* with an empty topic and payload */
#define LT_BROKER_TYPE_AT        32u

#define LT_BROKER_TTL 16u /* what Broker writes, and does not look at */

/* The largest frame that Broker takes. */
#define LT_BROKER_FRAME_MAX UINT32_C(2147483643)

#define LT_BROKER_FIELDS 6u /* of a message or a command at most */

struct lt_broker_message {
    const char *name;
    uint16_t kind; /* LEAT_BROKER_* */
    uint8_t type;
    bool exact;                           /* octets behind the last field are an error */
    uint8_t fields[LT_BROKER_FIELDS + 1]; /* ends with 0 */
};

/* The message of that type, or of that name; NULL if there is none. */
const struct lt_broker_message *lt_broker_message(uint8_t type);
const struct lt_broker_message *lt_broker_message_named(const char *name);

/* Whether it cannot but be a message of the handshake: see leat_broker_codec_new(). */
bool lt_broker_is_handshake(const uint8_t *body, size_t length);

/*
 * Whether it begins as an envelope of a known type does; length of the whole, of which 37 octets
 * are there.
 */
bool lt_broker_is_envelope(const uint8_t *body, size_t length);

/*
 * Reads the fields of the message, all of the body, into a tree, as one record.
 *
 * error  < 0: what is wrong; offset counts in the body.
 *
 * LEAT_OK, LEAT_E_SYNTAX, LEAT_E_PROTOCOL (another magic number), LEAT_E_LIMIT, LEAT_E_NOMEM.
 */
int lt_broker_read_message(const struct lt_broker_message *message, struct lt_reader body,
                           struct lt_tree *tree, size_t depth, struct leat_error *error);

/*
 * Writes the octets of a text or of bytes, or those whose hex digits are in a record {"hex":"..."}, as
 * leat_value_json() has it; bare: hex digits may stand for them outside of records, too. False: what
 * should be hex is not.
 */
LT_INSIDE bool lt_broker_put_octets(struct lt_writer *out, const leat_value *value, bool bare);

/* Writes it. LEAT_OK (out->status counts too), LEAT_E_VALUE, LEAT_E_LIMIT, LEAT_E_NOMEM. */
int lt_broker_write_message(const struct lt_broker_message *message, struct lt_writer *out,
                            const leat_value *record, struct leat_error *error);

/* The same for the record of a command, which is the payload of a message. */
int lt_broker_write_command(struct lt_writer *out, const leat_value *record,
                            struct leat_error *error);

#endif
