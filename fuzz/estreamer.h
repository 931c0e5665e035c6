/*
 * What the harnesses of eStreamer share: what a session tells of some octets, and sends on of it.
 */
#ifndef FUZZ_ESTREAMER_H
#define FUZZ_ESTREAMER_H

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

#endif
