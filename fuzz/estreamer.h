/*
 * What the harnesses of eStreamer share: what a session tells of some octets, and sends on of it;
 * and messages made of a fuzzer's octets.
 */
#ifndef FUZZ_ESTREAMER_H
#define FUZZ_ESTREAMER_H

#include "input.h"
#include "tell.h"

#include <leat/estreamer.h>

/* Limits that a fuzzer can reach. */
static inline leat_session *small_session(void)
{
    leat_limits limits;
    leat_config config;
    leat_session *session;

    leat_limits_init(&limits, sizeof limits);
    limits.message_bytes = 1 << 16;
    limits.values = 2000;
    limits.depth = 12;
    leat_config_init(&config, sizeof config);
    config.limits = &limits;
    if (leat_estreamer_codec_new(&config, LEAT_FROM_ANY, &session) != LEAT_OK)
        abort();
    return session;
}

/*
 * Every event that was understood can be sent on; an empty record stands in for one that was not.
 */
static inline void send_on(leat_session *other, const leat_event *event)
{
    if (leat_event_value(event) == NULL && leat_event_kind(event) != LEAT_ESTREAMER_EVENT_DATA)
        return;
    if (leat_send(other, leat_event_name(event, NULL), leat_event_value(event)) != LEAT_OK)
        abort();
}

/* Feeds in pieces of cut octets. other may be NULL. */
static inline uint64_t transcript(const uint8_t *data, size_t size, size_t cut, leat_session *other)
{
    uint64_t told = NOTHING_TOLD;
    leat_session *session = small_session();
    const leat_event *event;
    int status = LEAT_MORE;

    while (status >= 0 && status != LEAT_END) {
        size_t piece = size < cut ? size : cut;

        if (piece == 0 ? leat_recv_eof(session) : leat_feed(session, data, piece))
            abort();
        data += piece;
        size -= piece;
        while ((status = leat_next(session, &event)) == LEAT_OK) {
            tell_event(&told, event);
            if (other != NULL)
                send_on(other, event);
        }
    }
    tell_number(&told, (uint64_t)(int64_t)status);
    tell_error(&told, leat_session_error(session));
    leat_session_free(session);
    return told;
}

/*
 * However the octets are cut, the same is told. What is sent on of them is told without any error
 * but those that came along, and sent on once more it is the same octets.
 */
static inline void check_stream(const uint8_t *data, size_t size, size_t cut)
{
    leat_session *first = small_session(), *second = small_session();
    const void *sent, *again;
    size_t length, again_length;

    if (transcript(data, size, size + 1, first) != transcript(data, size, cut, NULL))
        abort();
    sent = leat_send_data(first, &length);
    if (length > 0)
        (void)transcript((const uint8_t *)sent, length, length, second);
    again = leat_send_data(second, &again_length);
    if (length != again_length || (length > 0 && memcmp(sent, again, length) != 0))
        abort();
    leat_session_free(first);
    leat_session_free(second);
}

/*
 * Messages whose lengths are right, made of what a fuzzer says. What does not fit into a text is left
 * out.
 */
struct text {
    uint8_t octets[1 << 16];
    size_t length;
};

static inline void put(struct text *text, uint32_t number, unsigned octets)
{
    while (octets-- > 0 && text->length < sizeof text->octets)
        text->octets[text->length++] = (uint8_t)(number >> 8 * octets);
}

static inline void put_octets(struct text *text, struct input *input, size_t length)
{
    for (; length > 0; length--)
        put(text, take(input), 1);
}

static inline void end(struct text *text, size_t start, size_t place)
{
    size_t length = text->length - start;
    int i;

    for (i = 0; i < 4; i++)
        text->octets[place + (size_t)i] = (uint8_t)(length >> 8 * (3 - i));
}

/* A record of a known type, and of a block that is one octet's choice if the type holds one. */
static inline void put_record(struct text *text, struct input *input)
{
    uint32_t type = leat_estreamer_record_type(take(input) % leat_estreamer_record_count());
    unsigned how = take(input);
    size_t place = text->length, start, block;

    put(text, type | (how & 2u) << 30, 4);
    put(text, 0, 4);
    if (how & 1u) {
        put(text, 0x6553f100 + (how >> 3), 4);
        put(text, how, 4);
    }
    start = text->length;
    if (leat_estreamer_record_has_discovery_header(type)) {
        put(text, 3, 4);
        put_octets(text, input, 10);
        put(text, how >> 2 & 1u, 1);
        put(text, 0, 1);
        put_octets(text, input, how & 4u ? 40 : 24);
    }
    block = text->length;
    if (leat_estreamer_record_series(type) != 0) {
        put(text, take(input), 4);
        put(text, 0, 4);
        put_octets(text, input, take_length(input));
        if (text->length >= block + 8)
            end(text, block, block + 4);
    } else {
        put_octets(text, input, take_length(input));
    }
    if (text->length >= place + 8)
        end(text, start, place + 4);
}

static inline void put_bundle(struct text *text, struct input *input)
{
    unsigned items = take(input) % 8u;

    put(text, 7, 4);
    put(text, take(input), 4);
    for (; items > 0; items--) {
        size_t place = text->length, start;

        put(text, items % 2 == 0 ? 4 : 0x00010004, 4);
        put(text, 0, 4);
        start = text->length;
        put_record(text, input);
        if (text->length >= place + 8)
            end(text, start, place + 4);
    }
    put_octets(text, input, take(input) % 10u);
}

/* A message of that type. */
static inline void put_message(struct text *text, uint32_t type, struct input *input)
{
    size_t place = text->length;

    put(text, 0x00010000 | type, 4);
    put(text, 0, 4);
    if (type == 4)
        put_record(text, input);
    else if (type == 4002)
        put_bundle(text, input);
    else
        put_octets(text, input, take_length(input));
    if (text->length >= place + 8)
        end(text, place + 8, place + 4);
}

#endif
