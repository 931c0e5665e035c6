/*
 * What the harnesses of WebSocket share: a client, or a client of an endpoint in either flavour, that
 * gets octets in pieces; all that it tells and says, as one number.
 */
#ifndef FUZZ_WEBSOCKET_H
#define FUZZ_WEBSOCKET_H

#include "live.h"

#include <leat/broker_websocket.h>

#define KEY    "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

static const char agreed[] = "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             "Sec-WebSocket-Accept: " ACCEPT "\r\n\r\n"
                             "\x81\x0e{\"type\":\"ack\"}";
static const char asked[] = "GET /v1/messages/json HTTP/1.1\r\nUpgrade: websocket\r\n"
                            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                            "Sec-WebSocket-Key: " KEY "\r\n\r\n"
                            "\x81\x84\0\0\0\0[\"\"]";

/* Who gets the octets. */
enum side { CLIENT, BROKER, ZEEK };

struct talk {
    struct memory memory;
    leat_broker *broker; /* NULL: of a client */
    leat_session *session;
    leat_session *witness; /* another client of the endpoint, that hears everything; or NULL */
    leat_session *says;    /* reads what is said: the session ... */
    leat_session *hears;   /* ... and the witness */
    uint64_t told, said, heard;
    int status;
};

/* Reads what waits to be written: it is sound, whatever came in. */
static inline void read_output(leat_session *session, leat_session *codec, uint64_t *told)
{
    const leat_event *event;
    const void *octets;
    size_t length;

    while ((octets = leat_send_data(session, &length)) != NULL) {
        tell(told, octets, length);
        must(leat_feed(codec, octets, length) == LEAT_OK);
        must(leat_send_done(session, length) == LEAT_OK);
        while (leat_next(codec, &event) == LEAT_OK) {
            const leat_value *frame = leat_event_value(event);
            uint64_t opcode = leat_value_u64(leat_value_get(frame, "opcode"));

            /* Every text says something. */
            must(leat_event_kind(event) != LEAT_BROKER_FRAME || opcode != 1 ||
                 leat_value_get(frame, "message") != NULL);
            must(leat_event_kind(event) != LEAT_BROKER_FRAME ||
                 (leat_value_bool(leat_value_get(frame, "fin")) &&
                  leat_value_u64(leat_value_get(frame, "rsv")) == 0));
        }
    }
}

static inline leat_session *serve(struct talk *talk, enum side side, uint8_t id)
{
    leat_broker_websocket_options options;
    leat_session *session = NULL;

    leat_broker_websocket_options_init(&options, sizeof options);
    options.flavour = side == ZEEK;
    options.id[0] = id;
    (void)leat_broker_websocket_accept(talk->broker, &options, "a", 1, &session);
    return session;
}

static inline leat_session *reader(uint32_t from)
{
    leat_session *session;

    must(leat_broker_websocket_codec_new(NULL, from, &session) == LEAT_OK);
    return session;
}

static inline bool begin_client(struct talk *talk, const leat_config *config)
{
    leat_broker_websocket_client_options options;

    leat_broker_websocket_client_options_init(&options, sizeof options);
    options.host = "h";
    options.key = KEY;
    options.accept = ACCEPT;
    options.seed[0] = 1;
    return leat_broker_websocket_client_new(config, &options, &talk->session) == LEAT_OK;
}

static inline bool begin_server(struct talk *talk, enum side side, const leat_config *config)
{
    leat_broker_options options;

    leat_broker_options_init(&options, sizeof options);
    options.id[0] = 1;
    if (leat_broker_new(config, &options, &talk->broker) != LEAT_OK ||
        leat_broker_subscribe(talk->broker, "", 0) != LEAT_OK)
        return false;
    talk->session = serve(talk, side, 2);
    return talk->session != NULL;
}

static inline void draw(struct talk *talk, leat_session *session, uint64_t *told)
{
    const leat_event *event;

    while ((talk->status = leat_next(session, &event)) == LEAT_OK) {
        tell_event(told, event);
        /* Memory is short only once. */
        if (leat_event_kind(event) == LEAT_BROKER_UPGRADE &&
            leat_broker_websocket_upgrade(session, ACCEPT) != LEAT_OK)
            must(leat_broker_websocket_upgrade(session, ACCEPT) == LEAT_OK);
    }
}

/* Gives it octets, and takes all there is. */
static inline void give(struct talk *talk, const void *octets, size_t length)
{
    (void)leat_feed(talk->session, octets, length);
    do {
        draw(talk, talk->session, &talk->told);
        read_output(talk->session, talk->says, &talk->said);
        if (talk->witness != NULL)
            read_output(talk->witness, talk->hears, &talk->heard);
    } while (talk->status == LEAT_PAUSED);
}

/* A client that subscribes to everything. */
static inline void add_witness(struct talk *talk)
{
    uint64_t nothing = NOTHING_TOLD;

    talk->witness = serve(talk, BROKER, 3);
    if (talk->witness == NULL)
        return;
    (void)leat_feed(talk->witness, asked, sizeof asked - 1);
    draw(talk, talk->witness, &nothing);
    draw(talk, talk->witness, &nothing);
    talk->status = LEAT_MORE;
}

static inline bool begin_talk(struct talk *talk, enum side side, size_t good, bool opened)
{
    leat_limits limits;
    leat_config config;

    memset(talk, 0, sizeof *talk);
    talk->memory.allocator.resize = resize;
    talk->memory.allocator.ctx = &talk->memory;
    talk->memory.good = good;
    talk->told = talk->said = talk->heard = NOTHING_TOLD;
    talk->status = LEAT_MORE;
    talk->says = reader(side == CLIENT ? LEAT_FROM_CLIENT : LEAT_FROM_SERVER);
    talk->hears = reader(LEAT_FROM_SERVER);
    leat_limits_init(&limits, sizeof limits);
    limits.message_bytes = 1 << 12;
    limits.values = 1 << 12;
    limits.depth = 20;
    leat_config_init(&config, sizeof config);
    config.limits = &limits;
    config.allocator = &talk->memory.allocator;
    if (!(side == CLIENT ? begin_client(talk, &config) : begin_server(talk, side, &config)))
        return false;
    if (opened && side != CLIENT)
        add_witness(talk);
    if (opened && side == CLIENT)
        give(talk, agreed, sizeof agreed - 1);
    else if (opened)
        give(talk, asked, sizeof asked - 1);
    return true;
}

static inline uint64_t end_talk(struct talk *talk)
{
    if (talk->session != NULL && talk->status == LEAT_MORE) {
        (void)leat_recv_eof(talk->session);
        give(talk, "", 0);
        must(talk->status != LEAT_MORE);
    }
    if (talk->session != NULL) {
        tell_number(&talk->told, (uint64_t)(int64_t)talk->status);
        tell_error(&talk->told, leat_session_error(talk->session));
    }
    leat_session_free(talk->session);
    leat_session_free(talk->witness);
    leat_session_free(talk->says);
    leat_session_free(talk->hears);
    leat_broker_free(talk->broker);
    must(talk->memory.held == 0);
    tell_number(&talk->told, talk->said);
    tell_number(&talk->told, talk->heard);
    return talk->told;
}

/* Gives the octets in pieces. */
static inline uint64_t transcript(enum side side, bool opened, const uint8_t *data, size_t size,
                                  size_t cut, size_t good)
{
    struct talk talk;
    size_t at = 0;

    if (begin_talk(&talk, side, good, opened)) {
        while (at < size && talk.status == LEAT_MORE) {
            size_t piece = size - at < cut ? size - at : cut;

            give(&talk, data + at, piece);
            at += piece;
        }
    }
    return end_talk(&talk);
}

/* However they are cut, it says the same; and without memory it does not crash. */
static inline void try_all(enum side side, bool opened, const uint8_t *data, size_t size,
                           size_t steer)
{
    uint64_t whole = transcript(side, opened, data, size, size + 1, ALWAYS);

    must(whole == transcript(side, opened, data, size, steer % 7 + 1, ALWAYS));
    (void)transcript(side, opened, data, size, size + 1, steer);
}

#endif
