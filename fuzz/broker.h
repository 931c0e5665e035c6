/*
 * What the harnesses of Broker share: sessions, and all that one tells of some octets, as one
 * number.
 */
#ifndef FUZZ_BROKER_H
#define FUZZ_BROKER_H

#include <leat/broker.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void must(int sound)
{
    if (!sound)
        abort();
}

/* FNV-1a. */
static inline void tell(uint64_t *told, const void *data, size_t length)
{
    const uint8_t *at = (const uint8_t *)data;

    for (; length > 0; length--)
        *told = (*told ^ *at++) * UINT64_C(0x100000001b3);
}

static inline void tell_number(uint64_t *told, uint64_t number)
{
    tell(told, &number, sizeof number);
}

static inline void tell_error(uint64_t *told, const leat_error *error)
{
    tell_number(told, (uint64_t)(int64_t)leat_error_code(error));
    tell_number(told, leat_error_offset(error));
    tell(told, leat_error_text(error), strlen(leat_error_text(error)));
    tell(told, leat_error_field(error), strlen(leat_error_field(error)));
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

static inline void tell_event(uint64_t *told, const leat_event *event)
{
    leat_buffer *text;
    const void *octets;
    size_t length;

    tell_number(told, leat_event_kind(event));
    tell_number(told, leat_event_offset(event));
    octets = leat_event_raw(event, &length);
    tell(told, octets, length);
    tell_error(told, leat_event_error(event));
    must((leat_event_error(event) == NULL) == (leat_event_value(event) != NULL));
    must(leat_buffer_new(NULL, &text) == LEAT_OK);
    must(leat_buffer_json(text, leat_event_value(event)) == LEAT_OK);
    octets = leat_buffer_data(text, &length);
    tell(told, octets, length);
    leat_buffer_free(text);
}

/* Feeds the octets in pieces and draws every event. */
static inline uint64_t transcript(uint32_t from, const uint8_t *data, size_t size, size_t cut)
{
    leat_session *session = small_session(from);
    uint64_t told = UINT64_C(0xcbf29ce484222325);
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
