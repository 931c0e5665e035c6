/*
 * Broker's JSON protocol over WebSocket, path /v1/messages/json: clients that stand alone, servers
 * whose clients are links of an endpoint (broker_endpoint.h), and a codec for recordings. Servers
 * come in two flavours: Broker's own, up to 2.8, and Zeek's, of version 8 and later
 * (Cluster::listen_websocket, and the Management controller).
 *
 *     leat_websocket_key(random, key);                               both from openssl.h
 *     leat_websocket_accept_value(key, 24, accept);
 *     leat_broker_websocket_client_options_init(&options, sizeof options);
 *     options.host = "127.0.0.1:9997"; options.key = key; options.accept = accept; options.topics = ...
 *     leat_broker_websocket_client_new(NULL, &options, &session);
 *     drive it: ACK, then DATA that comes, and leat_broker_websocket_publish(session, ...)
 *
 * A server:
 *
 *     leat_broker_websocket_accept(broker, &options, address, port, &session);
 *     leat_next(session, &event) gives UPGRADE; look at its origin, then
 *     leat_websocket_upgrade(session, event);                        from openssl.h
 *
 * All of it needs no cryptography but these values, which is why they come from outside; as nobody
 * gets far without them, it is a part of libleat-openssl. Extensions are neither offered nor taken,
 * permessage-deflate among them.
 *
 * Kinds of event. As in broker.h the value is a record.
 *
 * UPGRADE   server: a request that may be answered: path, query, host, origin, application_name, key
 *           (texts, LEAT_NULL if they are missing)
 * ACK       client: type, endpoint, version
 * DATA      client: type, topic, data; server: sender (LEAT_UUID, the client), topic, data
 * ERROR     client: type, code, context. It need not answer what was sent last
 * PONG      payload (bytes): answers leat_broker_websocket_ping()
 * CLOSE     code, reason (texts and all may be missing: LEAT_NULL): the other side closes
 * REFUSED   client: status, reason, text: why there is no WebSocket. Behind it, LEAT_E_PROTOCOL
 * UNKNOWN   client: no value, but an error: a message that is none of these, or cannot be decoded
 *
 * The raw octets of DATA, ACK, ERROR and UNKNOWN are the text of the message, unmasked, in one piece.
 *
 * Source: spec sections 12 to 14; RFC 6455.
 */
#ifndef LEAT_BROKER_WEBSOCKET_H
#define LEAT_BROKER_WEBSOCKET_H

#include <leat/broker.h>
#include <leat/broker_endpoint.h>
#include <leat/leat.h>
#include <leat/session.h>
#include <leat/value.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ----- clients ----- */

/* Fill it with leat_broker_websocket_client_options_init(), then change what you want. */
typedef struct leat_broker_websocket_client_options {
    uint64_t size;
    const char *host;             /* must be set: of the server, as in a URL */
    const char *path;             /* "/v1/messages/json" */
    const char *origin;           /* NULL: none */
    const char *application_name; /* NULL: none; else of A-Z a-z 0-9 / _ - . = : * @ */
    const char *key;          /* must be set: 24 characters of base64, new for each connection */
    const char *accept;       /* must be set: the value that answers the key */
    uint8_t seed[32];         /* must be set: random octets, of which masks are made */
    const leat_value *topics; /* a list of texts; what begins like one of them comes. NULL: none */
    uint64_t ack_ms;          /* 10 000: for all up to the ACK, which may never come; 0: for ever */
    uint64_t close_ms;        /* 3000: how long the answer to our goodbye is waited for */
    uint64_t ping_ms; /* 0: never; else a server that said nothing for so long is pinged, and
                                   given up if it says nothing for as long again */
} leat_broker_websocket_client_options;

LEAT_API void
leat_broker_websocket_client_options_init(leat_broker_websocket_client_options *options,
                                          size_t size);

/**
 * Makes a client. Its request waits to be written; what it subscribes to follows when the server has
 * taken that. Options are copied.
 *
 * Texts of the server are read leniently, as Broker and Zeek write them; what cannot be decoded is an
 * UNKNOWN, and the conversation goes on. A server may end it without a CLOSE.
 *
 * LEAT_OK, LEAT_E_VALUE (not initialised; something is missing, or cannot be in a head or in JSON),
 * LEAT_E_NOMEM. *session is yours to free.
 */
LEAT_API int leat_broker_websocket_client_new(const leat_config *config,
                                              const leat_broker_websocket_client_options *options,
                                              leat_session **session);

/**
 * Publishes a value. leat_send(session, "data", record of topic and data) does the same.
 *
 * Zeek takes events alone (see zeek.h), and those only that it knows, with exactly its types.
 *
 * LEAT_OK, LEAT_E_STATE (no client; before the ACK, or behind a goodbye), LEAT_E_VALUE (no value of
 * Broker, or what has no JSON form), LEAT_E_LIMIT, LEAT_E_NOMEM.
 */
LEAT_API int leat_broker_websocket_publish(leat_session *session, const char *topic, size_t length,
                                           const leat_value *data);

/* ----- servers ----- */

#define LEAT_BROKER_WEBSOCKET_BROKER 0u /* as Broker's server: any data, never a ping */
#define LEAT_BROKER_WEBSOCKET_ZEEK   1u /* as Zeek's: events alone, pings; peers hear of its topics */

/* Fill it with leat_broker_websocket_options_init(), then change what you want. */
typedef struct leat_broker_websocket_options {
    uint64_t size;
    uint32_t flavour; /* LEAT_BROKER_WEBSOCKET_ZEEK */
    uint8_t id[16];   /* must be set, to random octets: of the client, as others see it */
    uint64_t number;  /* ZEEK: the ack names the client <id of the endpoint>-websocket-<number> */
    const char *version; /* of the server, in the ack; NULL: leat's */
    uint64_t ping_ms;    /* 0: as the flavour does: BROKER never, ZEEK 5000; UINT64_MAX: never */
} leat_broker_websocket_options;

LEAT_API void leat_broker_websocket_options_init(leat_broker_websocket_options *options,
                                                 size_t size);

/**
 * The session of a client that was accepted from that address; see leat_broker_accept(). It tells
 * the statuses of a peering (ENDPOINT_DISCOVERED and so on), in the words that Broker has for clients.
 *
 * The request and what the client subscribes to must come within handshake_ms of the endpoint.
 * leat_next() gives UPGRADE, then LEAT_PAUSED until it is answered; and LEAT_PAUSED while a client
 * does not read what answers its pings and mistakes. What the client publishes goes to the other
 * clients, and to peers if the flavour is ZEEK or the endpoint forwards; leat_next() gives it as DATA
 * if the endpoint subscribes to it.
 *
 * Stricter than either server: frames must be masked, texts UTF-8, lengths in their shortest form;
 * keys have 24 characters; requests have no body; a CLOSE is answered by one.
 *
 * LEAT_OK, LEAT_E_VALUE (as leat_broker_accept(), an id of zeros, no such flavour, a version that is
 * not UTF-8), LEAT_E_NOMEM.
 */
LEAT_API int leat_broker_websocket_accept(leat_broker *broker,
                                          const leat_broker_websocket_options *options,
                                          const char *address, uint32_t port,
                                          leat_session **session);

/**
 * Answers an UPGRADE: takes the client.
 *
 * accept  the value that answers the key: 28 characters.
 *
 * LEAT_OK, LEAT_E_STATE (there is none to be answered), LEAT_E_VALUE, LEAT_E_LIMIT, LEAT_E_NOMEM.
 */
LEAT_API int leat_broker_websocket_upgrade(leat_session *session, const char *accept);

/* Answers it with a status of HTTP, 400 to 599, and a text: turns the client away. */
LEAT_API int leat_broker_websocket_refuse(leat_session *session, uint32_t status, const char *text);

/* ----- both ----- */

/*
 * Sends a ping behind all that waits; what answers it is a PONG. payload has 1 to 125 octets.
 * LEAT_OK, LEAT_E_STATE (no WebSocket, or not open), LEAT_E_VALUE, LEAT_E_LIMIT, LEAT_E_NOMEM.
 */
LEAT_API int leat_broker_websocket_ping(leat_session *session, const void *payload, size_t length);

/**
 * Says goodbye behind all that waits. Then comes the other side's CLOSE, or the end of the stream, or
 * the time is over (close_ms; of a server, bye_ms), and LEAT_END. What is said until then is not lent.
 *
 * code    1000 to 4999, as RFC 6455 has them.
 * reason  UTF-8, at most 123 octets.
 *
 * LEAT_OK, LEAT_E_STATE (no WebSocket, or not open), LEAT_E_VALUE, LEAT_E_LIMIT, LEAT_E_NOMEM.
 */
LEAT_API int leat_broker_websocket_close(leat_session *session, uint32_t code, const char *reason,
                                         size_t length);

/* ----- codec ----- */

/**
 * Makes a session that reads one direction of a conversation, and writes one, and judges neither.
 *
 * from  LEAT_FROM_CLIENT, LEAT_FROM_SERVER or LEAT_FROM_ANY: then the first octets tell.
 *
 * REQUEST   method, target, minor (of HTTP/1.), fields: a record of texts by name, as they stand there
 * RESPONSE  minor, status, reason, fields; unfinished (true) if the stream ended before the empty line
 * BODY      text: all that comes behind a response other than 101, at the end of the stream
 * FRAME     fin (bool), rsv, opcode (numbers), key (bytes; missing: no mask), length_octets (only if
 *           the length is not in its shortest form: 2 or 8), and the payload: of a CLOSE code and
 *           reason, unless there are none; else payload, a text, or bytes of PING and PONG. Behind
 *           it, of the last frame of a message that can be decoded, message: what it says (a list of
 *           topics, or as above: data, ack, error)
 *
 * A stream may also begin with a frame. A head is at most handshake_bytes long, and a BODY too.
 *
 * leat_send() writes what these tell. payload counts before message; of a CLOSE, payload before code.
 * A message without a payload is written as this library does.
 *
 * LEAT_OK, LEAT_E_NOMEM, LEAT_E_STATE (no such side).
 */
LEAT_API int leat_broker_websocket_codec_new(const leat_config *config, uint32_t from,
                                             leat_session **session);

#ifdef __cplusplus
}
#endif

#endif
