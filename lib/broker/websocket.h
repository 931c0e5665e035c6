/*
 * WebSocket frames and messages, both ends, and the texts that Broker's protocol puts into them.
 *
 * Source: RFC 6455, sections 5 to 8.
 */
#ifndef LT_BROKER_WEBSOCKET_H
#define LT_BROKER_WEBSOCKET_H

#include "../core/session.h"

#define LT_WS_CONTINUATION 0u
#define LT_WS_TEXT         1u
#define LT_WS_BINARY       2u
#define LT_WS_CLOSE        8u
#define LT_WS_PING         9u
#define LT_WS_PONG         10u

#define LT_WS_FIN     0x80u
#define LT_WS_CONTROL 0x08u /* a bit of an opcode */

#define LT_WS_HEADER_MAX  14u
#define LT_WS_CONTROL_MAX 125u
#define LT_WS_REASON_MAX  123u /* of a close */

#define LT_WS_NORMAL     1000u
#define LT_WS_GOING_AWAY 1001u
#define LT_WS_PROTOCOL   1002u
#define LT_WS_DATA       1003u /* of a type that is not taken */
#define LT_WS_NO_CODE    1005u /* never sent: there was none */
#define LT_WS_ENCODING   1007u
#define LT_WS_POLICY     1008u
#define LT_WS_TOO_BIG    1009u
#define LT_WS_TROUBLE    1011u

#define LT_WS_PATH "/v1/messages/json"

/* ----- frames ----- */

struct lt_ws_frame {
    uint8_t opcode;
    bool fin;
    uint8_t rsv; /* three bits */
    bool masked;
    uint8_t key[4];
    uint8_t extended; /* octets of the length behind its first one: 0, 2 or 8 */
    uint8_t header;   /* octets in front of the payload */
    uint64_t length;  /* of the payload */
};

/*
 * Reads what is in front of a payload, and judges nothing. LEAT_OK; LEAT_MORE: frame->header octets
 * are needed, or at least that many.
 */
int lt_ws_read_frame(struct lt_reader in, struct lt_ws_frame *frame);

/* The octets of the length behind its first one, in the shortest form. */
static inline uint8_t lt_ws_extended(uint64_t length)
{
    return (uint8_t)(length <= LT_WS_CONTROL_MAX ? 0 : length <= UINT16_MAX ? 2 : 8);
}

/* Writes what is in front of a payload. */
void lt_ws_put_frame(struct lt_writer *out, const struct lt_ws_frame *frame);

/*
 * Masks octets, or takes the mask off: the same. at: how many octets of the payload came before
 * them.
 */
void lt_ws_mask(uint8_t *octets, size_t length, const uint8_t key[4], size_t at);

/*
 * Masking keys that nobody can foresee: the key stream of ChaCha20, by 32 random octets.
 * Source: RFC 8439, section 2.3.
 */
struct lt_ws_keys {
    uint32_t seed[8];
    uint32_t used; /* keys of the block; 16: it is used up */
    uint64_t blocks;
    uint8_t block[64];
};

void lt_ws_keys_init(struct lt_ws_keys *keys, const uint8_t seed[32]);
void lt_ws_keys_next(struct lt_ws_keys *keys, uint8_t key[4]);

/* A block of the key stream. */
void lt_ws_chacha20(const uint32_t seed[8], uint32_t counter, const uint8_t nonce[12],
                    uint8_t block[64]);

/*
 * Around a payload that is written at the end of out: begin leaves room for what is in front of it,
 * end puts that there, and masks by the next of the keys unless they are NULL. The frame is a whole
 * message.
 */
size_t lt_ws_begin(struct lt_writer *out, bool masked);
void lt_ws_end(struct lt_writer *out, size_t begun, uint8_t opcode, struct lt_ws_keys *keys);

void lt_ws_put(struct lt_writer *out, uint8_t opcode, const void *payload, size_t length,
               struct lt_ws_keys *keys);

/* A frame that closes, with at most LT_WS_REASON_MAX octets. LT_WS_NO_CODE: with nothing in it. */
void lt_ws_put_close(struct lt_writer *out, uint32_t code, const char *reason, size_t length,
                     struct lt_ws_keys *keys);

/* ----- messages ----- */

/* Reads the messages of one side. Zeroed at the start. */
struct lt_ws_input {
    bool from_client; /* so all frames are masked; a server masks none */
    bool fragmented;  /* a message has begun */
    uint8_t opcode;   /* of it */
    uint8_t empty;    /* fragments of it in a row that have no octets */
    uint64_t offset;  /* of its first payload in the stream */
    struct lt_writer message;
};

/* A message, or a control frame. */
struct lt_ws_message {
    uint8_t opcode;
    const uint8_t *payload; /* unmasked; in the window, or gathered */
    size_t length;
    uint64_t offset; /* of the payload in the stream; of fragments, of the first one's */
    size_t octets;   /* of the window: to be held or skipped when it is done with */
    uint32_t code;   /* of CLOSE: LT_WS_NO_CODE if it has none; behind it */
    const char *reason;
    size_t reason_length;
};

/* What is wrong with a frame, and with which code that is said. */
struct lt_ws_fault {
    int status; /* LEAT_E_* */
    uint32_t code;
    const char *what;
};

/*
 * The next message or control frame of the unread octets. A frame that is whole is lent where it
 * stands; fragments are gathered, while control frames between them are given at once.
 *
 * LEAT_OK, LEAT_MORE (session->need is set), < 0: as the fault says, for the frame that begins
 * the unread.
 */
int lt_ws_next(leat_session *session, struct lt_ws_input *input, struct lt_ws_message *message,
               struct lt_ws_fault *fault);

void lt_ws_input_free(struct lt_ws_input *input, const leat_allocator *allocator);

/* Whether a peer may send such a code, and we. */
bool lt_ws_is_code(uint32_t code);

/* Whether it is the base64 of so many octets that it ends with so many signs of equality. */
bool lt_ws_is_base64(const char *text, size_t length, size_t padding);

/* Whether Zeek takes it for an X-Application-Name. */
bool lt_ws_is_application_name(const char *text, size_t length);

/* ----- sessions ----- */

extern const struct lt_dialect lt_ws_client; /* ws_client.c */
extern const struct lt_dialect lt_ws_server; /* ws_server.c */

/*
 * What each side makes of a command whose arguments are sound: within lt_send_begin() and
 * lt_send_end().
 */
int lt_ws_client_ping(leat_session *session, const void *payload, size_t length);
int lt_ws_client_close(leat_session *session, uint32_t code, const char *reason, size_t length);
int lt_ws_server_ping(leat_session *session, const void *payload, size_t length);
int lt_ws_server_close(leat_session *session, uint32_t code, const char *reason, size_t length);

/* Lends a control frame. LEAT_OK, or memory ran out. */
int lt_ws_lend_close(leat_session *session, const struct lt_ws_message *message);
int lt_ws_lend_pong(leat_session *session, const struct lt_ws_message *message);

/* ----- texts ----- */

/* Appends a server's error message as a frame. code needs no escapes; the context is UTF-8. */
void lt_ws_put_error(struct lt_writer *out, const char *code, const char *context, size_t length);

/*
 * Appends a data message as a frame for clients, not masked. What has no JSON form becomes the
 * error that Zeek sends in its place, so that nobody misses that there was one.
 * LEAT_OK (out->status counts too), LEAT_E_VALUE (no value of Broker), LEAT_E_NOMEM.
 */
int lt_websocket_text(struct lt_writer *out, const char *topic, size_t length,
                      const leat_value *data, struct leat_error *error);

#endif
