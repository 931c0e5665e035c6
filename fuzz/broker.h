/*
 * What the harnesses of Broker share: sessions, and all that one tells of some octets, as one
 * number.
 */
#ifndef FUZZ_BROKER_H
#define FUZZ_BROKER_H

#include "tell.h"

#include <leat/broker.h>

static inline void must(int sound)
{
    if (!sound)
        abort();
}

/* Limits that a fuzzer can reach. */
static inline leat_session *small_session(uint32_t from)
{
    leat_limits limits;
    leat_config config;
    leat_session *session;

    leat_limits_init(&limits, sizeof limits);
    limits.message_bytes = 1 << 16;
    limits.handshake_bytes = 1 << 10;
    limits.values = 1 << 12;
    limits.depth = 20;
    leat_config_init(&config, sizeof config);
    config.limits = &limits;
    must(leat_broker_codec_new(&config, from, &session) == LEAT_OK);
    return session;
}

static inline void repeat(const leat_event *event)
{
    static const uint8_t done[] = {0, 0, 0, 1, 12};
    const char *name = leat_event_name(event, NULL);
    leat_session *first = small_session(LEAT_FROM_CLIENT);
    leat_session *second = small_session(LEAT_FROM_CLIENT);
    const leat_event *again;
    const void *octets, *same;
    size_t length, same_length;
    int status = leat_send(first, name, leat_event_value(event));

    if (status == LEAT_OK) {
        if (leat_event_kind(event) >= LEAT_BROKER_DATA) {
            must(leat_feed(second, done, sizeof done) == LEAT_OK);
            must(leat_next(second, &again) == LEAT_OK);
        }
        octets = leat_send_data(first, &length);
        must(leat_feed(second, octets, length) == LEAT_OK);
        must(leat_next(second, &again) == LEAT_OK);
        /* Topics of a handshake may look like an envelope. */
        if (leat_event_kind(again) == leat_event_kind(event)) {
            must(leat_event_error(again) == NULL);
            must(leat_send(second, name, leat_event_value(again)) == LEAT_OK);
            same = leat_send_data(second, &same_length);
            must(length == same_length && memcmp(octets, same, length) == 0);
        }
    } else {
        must(status == LEAT_E_VALUE);
    }
    leat_session_free(first);
    leat_session_free(second);
}

/* Feeds the octets in pieces and draws every event. */
static inline uint64_t transcript(uint32_t from, const uint8_t *data, size_t size, size_t cut)
{
    leat_session *session = small_session(from);
    uint64_t told = NOTHING_TOLD;
    const leat_event *event;
    size_t at = 0;
    int status;

    do {
        size_t piece = size - at < cut ? size - at : cut;

        (void)leat_feed(session, data + at, piece);
        at += piece;
        if (at == size)
            (void)leat_recv_eof(session);
        while ((status = leat_next(session, &event)) == LEAT_OK) {
            must((leat_event_error(event) == NULL) == (leat_event_value(event) != NULL));
            tell_event(&told, event);
            if (cut >= size && leat_event_value(event) != NULL)
                repeat(event);
        }
    } while (at < size && status == LEAT_MORE);
    tell_number(&told, (uint64_t)(int64_t)status);
    tell_error(&told, leat_session_error(session));
    leat_session_free(session);
    return told;
}

#endif
