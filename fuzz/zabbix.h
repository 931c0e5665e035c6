/* What the harnesses of Zabbix share: all that a session tells of some octets, as one number. */
#ifndef FUZZ_ZABBIX_H
#define FUZZ_ZABBIX_H

#include "tell.h"

#include <leat/zabbix.h>

/* And what the session tells of the message that it belongs to. */
static inline void tell_part(uint64_t *told, leat_session *session, const leat_event *event)
{
    uint32_t flags;
    uint64_t data_len, reserved;

    tell_event(told, event);
    if (leat_zabbix_header(session, &flags, &data_len, &reserved) != LEAT_OK)
        abort();
    tell_number(told, flags);
    tell_number(told, data_len);
    tell_number(told, reserved);
    tell_number(told, leat_zabbix_position(session));
    tell_number(told, leat_zabbix_kind(session));
    tell_value(told, leat_zabbix_members(session));
}

/* Limits that a fuzzer can reach. */
static inline leat_session *small_session(uint32_t from)
{
    leat_limits limits;
    leat_config config;
    leat_session *session;

    leat_limits_init(&limits, sizeof limits);
    limits.message_bytes = 1 << 20;
    limits.inflated_bytes = 1 << 20;
    limits.row_bytes = 1 << 10;
    limits.values = 100;
    limits.depth = 10;
    leat_config_init(&config, sizeof config);
    config.limits = &limits;
    if (leat_zabbix_codec_new(&config, from, &session) != LEAT_OK)
        abort();
    return session;
}

/* Fed in pieces of cut octets, then the end of the stream. */
static inline uint64_t transcript(const uint8_t *data, size_t size, size_t cut, uint32_t from)
{
    leat_session *session = small_session(from);
    uint64_t told = NOTHING_TOLD;
    const leat_event *event;
    int status = LEAT_MORE;

    while (status == LEAT_MORE) {
        if (size == 0) {
            if (leat_recv_eof(session) != LEAT_OK)
                abort();
        } else {
            size_t piece = size < cut ? size : cut;

            if (leat_feed(session, data, piece) != LEAT_OK)
                abort();
            data += piece;
            size -= piece;
        }
        while ((status = leat_next(session, &event)) == LEAT_OK)
            tell_part(&told, session, event);
    }
    tell_number(&told, (uint64_t)(int64_t)status);
    tell_error(&told, leat_session_error(session));
    leat_session_free(session);
    return told;
}

#endif
