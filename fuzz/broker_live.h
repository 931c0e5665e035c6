/*
 * What the harnesses of Broker's endpoints share: messages that a script lets peers say, and what holds
 * for all that an endpoint says and tells.
 */
#ifndef FUZZ_BROKER_LIVE_H
#define FUZZ_BROKER_LIVE_H

#include "live.h"

#include <leat/broker_endpoint.h>
#include <leat/builder.h>

/* ----- what peers say ----- */

struct octets {
    uint8_t data[1 << 16];
    size_t length;
};

static inline void put(struct octets *out, const void *data, size_t length)
{
    if (length > sizeof out->data - out->length)
        length = sizeof out->data - out->length;
    if (length > 0)
        memcpy(out->data + out->length, data, length);
    out->length += length;
}

static inline void put_number(struct octets *out, uint64_t number, size_t octets)
{
    while (octets-- > 0) {
        uint8_t octet = (uint8_t)(number >> 8 * octets);

        put(out, &octet, 1);
    }
}

#define OUR_ID 0x18 /* every octet of it */

/* Ids: smaller ones, ours, larger ones, nobody's. */
static inline uint8_t id_of(unsigned choice)
{
    static const uint8_t ids[] = {0x11, 0x22, 0x12, 0x33, OUR_ID, 0, 0x11, 0x22};

    return ids[choice % sizeof ids];
}

static inline void put_id(struct octets *out, unsigned choice)
{
    uint8_t id[16];

    memset(id, id_of(choice), sizeof id);
    put(out, id, sizeof id);
}

static inline void put_piece(struct octets *out, struct input *input, size_t length)
{
    length = length < input->left ? length : input->left;
    put(out, input->at, length);
    input->at += length;
    input->left -= length;
}

static const char *const topics[] = {"/a", "/b", "", "/a/b", "<$>", "<$>/local/x", "/c", "/ab"};

static inline const char *topic_of(unsigned choice)
{
    return topics[choice % (sizeof topics / sizeof *topics)];
}

static inline void put_topics(struct octets *out, unsigned which)
{
    unsigned i;

    put_number(out, which % 4u, 1);
    for (i = 0; i < which % 4u; i++) {
        const char *topic = topic_of(which / 4u + i * 3u);

        put_number(out, strlen(topic), 1);
        put(out, topic, strlen(topic));
    }
}

static inline void put_envelope(struct octets *out, unsigned type, struct input *input)
{
    unsigned who = take(input), what = take(input);
    const char *topic = topic_of(what);

    put_id(out, who);
    put_id(out, who % 16u < 12u ? 5 : who / 16u);
    put_number(out, type, 1);
    put_number(out, what, 2);
    put_number(out, strlen(topic), 2);
    put(out, topic, strlen(topic));
    if (type == 3) {
        put_topics(out, take(input));
    } else if (type == 1 && what < 200) {
        put_number(out, 0x02, 1);
        put_number(out, what, 8);
    } else {
        put_piece(out, input, take(input) % 40u);
    }
}

static inline void put_handshake(struct octets *out, unsigned type, struct input *input)
{
    unsigned who = take(input);

    put_number(out, type, 1);
    if (type < 10)
        put(out, "ZEEK", 4);
    if (type < 10 && type != 7)
        put_id(out, who);
    if (type == 6)
        put_number(out, who < 224 ? 0x0101 : who, 2);
    else if (type == 8)
        put_number(out, who < 224 ? 1 : who, 1);
    else if (type == 9)
        put_number(out, (uint64_t)(who < 128 ? 39 : who / 2) << 8 | 0, 2);
    else if (type == 10 || type == 11)
        put_topics(out, who);
}

/* All that makes us peers, whoever is the originator. */
static inline void put_peer(struct octets *out, unsigned who, bool hello)
{
    static const uint8_t synack[] = {0, 0, 0, 5, 11, 1, 2, '/', 'a'},
                         syn[] = {0, 0, 0, 4, 10, 1, 1, '/'};
    bool larger = id_of(who) > OUR_ID;

    if (hello || larger) {
        put_number(out, 23, 4);
        put(out, "\6ZEEK", 5);
        put_id(out, who);
        put_number(out, 0x0101, 2);
    }
    if (larger) {
        put(out, synack, sizeof synack);
        return;
    }
    put_number(out, 22, 4);
    put(out, "\10ZEEK", 5);
    put_id(out, who);
    put_number(out, 1, 1);
    put(out, syn, sizeof syn);
    put(out, "\0\0\0\1\14", 5);
}

/* The next message of a script: a sound one, or nearly, or any octets. */
static inline void put_message(struct octets *out, struct input *input)
{
    unsigned type = take(input) % 16u;
    size_t at = out->length, length;

    if (type == 0 || type > 14) {
        put_piece(out, input, take(input) % 64u);
        return;
    }
    if (type > 12) {
        put_peer(out, take(input), type == 13);
        return;
    }
    put_number(out, 0, 4);
    if (type < 6)
        put_envelope(out, type, input);
    else
        put_handshake(out, type, input);
    if (out->length < at + 4)
        return;
    length = out->length - at - 4;
    out->data[at + 2] = (uint8_t)(length >> 8);
    out->data[at + 3] = (uint8_t)length;
}

/* ----- what a session says and tells ----- */

/* A session of an endpoint, and a codec session that reads what it says. */
struct spoken {
    leat_session *session;
    leat_session *codec;
    unsigned rank;  /* of the last message: they come in this order */
    uint32_t phase; /* the last status that was told */
    bool dropped;   /* it has said drop_conn, its last word */
    bool over;
    int status; /* of leat_next() */
};

static inline void begin_spoken(struct spoken *spoken, leat_session *session)
{
    memset(spoken, 0, sizeof *spoken);
    spoken->session = session;
    must(leat_broker_codec_new(NULL, LEAT_FROM_CLIENT, &spoken->codec) == LEAT_OK);
}

static inline void end_spoken(struct spoken *spoken)
{
    leat_session_free(spoken->session);
    leat_session_free(spoken->codec);
    spoken->session = spoken->codec = NULL;
}

/* One message of ours: of its kind, and behind those that must stand before it. */
static inline void check_message(struct spoken *spoken, const leat_event *event)
{
    static const unsigned ranks[] = {0, 1, 1, 2, 9, 3, 3, 4, 5, 5, 5, 5, 5};
    uint32_t kind = leat_event_kind(event);
    const uint8_t *raw;
    size_t length;
    unsigned rank;

    must(!spoken->dropped);
    raw = (const uint8_t *)leat_event_raw(event, &length);
    /* Behind responder_syn_ack there may be a drop_conn, where the codec expects envelopes. */
    if (kind == LEAT_BROKER_UNKNOWN) {
        must(length > 9 && memcmp(raw + 4, "\11ZEEK", 5) == 0 && spoken->rank == 3);
        spoken->dropped = true;
        return;
    }
    must(leat_event_error(event) == NULL && kind <= LEAT_BROKER_PONG);
    rank = ranks[kind];
    must(rank >= spoken->rank);
    spoken->rank = rank;
    spoken->dropped = kind == LEAT_BROKER_DROP_CONN;
    if (kind >= LEAT_BROKER_DATA)
        must(raw[4] == OUR_ID && memcmp(raw + 4, raw + 5, 15) == 0);
}

/* Takes up to so many octets of output, as a socket would. */
static inline size_t take_said(struct spoken *spoken, size_t most, uint64_t *said)
{
    const leat_event *event;
    const void *data;
    size_t length;
    int status;

    data = leat_send_data(spoken->session, &length);
    if (length > most)
        length = most;
    if (length == 0)
        return 0;
    tell(said, data, length);
    must(leat_feed(spoken->codec, data, length) == LEAT_OK);
    while ((status = leat_next(spoken->codec, &event)) == LEAT_OK)
        check_message(spoken, event);
    must(status == LEAT_MORE);
    must(leat_send_done(spoken->session, length) == LEAT_OK);
    return length;
}

static inline bool is_status(uint32_t kind)
{
    return kind >= LEAT_BROKER_ENDPOINT_DISCOVERED && kind <= LEAT_BROKER_ERROR;
}

/* A status may only follow this one; 0: nothing was told. */
static inline bool may_follow(uint32_t last, uint32_t kind)
{
    switch (kind) {
    case LEAT_BROKER_ENDPOINT_DISCOVERED:
    case LEAT_BROKER_ERROR:
        return last == 0;
    case LEAT_BROKER_PEER_ADDED:
        return last == LEAT_BROKER_ENDPOINT_DISCOVERED;
    case LEAT_BROKER_PEER_REMOVED:
    case LEAT_BROKER_PEER_LOST:
        return last == LEAT_BROKER_PEER_ADDED;
    default:
        return last == LEAT_BROKER_PEER_REMOVED || last == LEAT_BROKER_PEER_LOST;
    }
}

/* Draws all events; what they tell is in order. */
static inline void draw_told(struct spoken *spoken, uint64_t *told)
{
    const leat_event *event;

    while ((spoken->status = leat_next(spoken->session, &event)) == LEAT_OK) {
        uint32_t kind = leat_event_kind(event);

        tell_event(told, event);
        must(!spoken->over);
        if (is_status(kind)) {
            must(may_follow(spoken->phase, kind));
            spoken->phase = kind;
        } else if (kind == LEAT_BROKER_DROP_CONN) {
            must(spoken->phase == 0);
        } else {
            must(spoken->phase == LEAT_BROKER_PEER_ADDED);
            must((leat_event_error(event) == NULL) == (leat_event_value(event) != NULL));
        }
    }
    if (spoken->status == LEAT_END || spoken->status < 0) {
        spoken->over = true;
        must((leat_wants(spoken->session) & LEAT_WANT_CLOSE) != 0);
        must(spoken->status == LEAT_E_NOMEM || spoken->phase == 0 ||
             spoken->phase == LEAT_BROKER_ERROR ||
             spoken->phase == LEAT_BROKER_ENDPOINT_UNREACHABLE);
    }
}

#endif
