/* What the tests of WebSocket sessions share: how the octets of one side are told, and made. */
#ifndef T_BROKER_WS_H
#define T_BROKER_WS_H

#include "support.h"

#include <leat/broker_websocket.h>

/* The key of RFC 6455, section 1.3, and what answers it. */
#define WS_KEY    "dGhlIHNhbXBsZSBub25jZQ=="
#define WS_ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

#define WS_AGREED                                                                                  \
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"            \
    "Sec-WebSocket-Accept: " WS_ACCEPT "\r\n\r\n"
#define WS_ASKED                                                                                   \
    "GET /v1/messages/json HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"                  \
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " WS_KEY "\r\n\r\n"

#define WS_ACK "{\"type\":\"ack\",\"endpoint\":\"e\",\"version\":\"v\"}"
#define WS_DATA(n)                                                                                 \
    "{\"type\":\"data-message\",\"topic\":\"/t\",\"@data-type\":\"count\",\"data\":" #n "}"

/*
 * Appends what one side says, a line each: "response 101", "text ...", "close 1000 ...", "ping ...",
 * "pong ...", and for all other frames their opcode; "+" behind one that is not the last of its
 * message; nothing tells the masks.
 */
void ws_tell(struct t_bytes *log, const char *prefix, uint32_t from, const void *octets,
             size_t length);

/* Appends a frame. key NULL: not masked. first: the first octet. */
void ws_frame(struct t_bytes *octets, uint8_t first, const char *key, const void *payload,
              size_t length);

/*
 * Makes octets of a script: words in capitals, separated by blanks, a payload of a frame in <> behind
 * them.
 *
 *     ASKED, AGREED         the heads above
 *     TEXT<..> TEXT+<..>    a text, its first fragment; CONT<..> CONT+<..>, BINARY<..>, PING<..>, PONG<..>
 *     CLOSE<code reason>    CLOSE<> without a code
 *     HEX<..>               octets as they are
 */
struct t_bytes ws_script(const char *script, bool masked);

/* Appends a line to a log, as of printf(). */
void ws_note(struct t_bytes *log, const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 2, 3)))
#endif
    ;

/* Draws the events of a session into the log; answers UPGRADE. The last status. */
int ws_draw(struct t_bytes *log, leat_session *session);

/* Options of a client that will do, and of a client of a server. */
void ws_client_options(leat_broker_websocket_client_options *options);
void ws_server_options(leat_broker_websocket_options *options, uint32_t flavour);

#endif
