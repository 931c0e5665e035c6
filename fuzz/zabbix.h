/* What the harnesses of Zabbix share: all that a session tells of some octets, as one number. */
#ifndef FUZZ_ZABBIX_H
#define FUZZ_ZABBIX_H

#include <leat/buffer.h>
#include <leat/zabbix.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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

static inline void tell_value(uint64_t *told, const leat_value *value)
{
    leat_buffer *text;
    const void *json;
    size_t length;

    if (leat_buffer_new(NULL, &text) != LEAT_OK || leat_buffer_json(text, value) != LEAT_OK)
        abort();
    json = leat_buffer_data(text, &length);
    tell(told, json, length);
    leat_buffer_free(text);
}

static inline void tell_event(uint64_t *told, leat_session *session, const leat_event *event)
{
    uint32_t flags;
    uint64_t data_len, reserved;
    size_t length;
    const void *octets;

    tell_number(told, leat_event_kind(event));
    octets = leat_event_name(event, &length);
    tell(told, octets, length);
    tell_value(told, leat_event_value(event));
    octets = leat_event_raw(event, &length);
    tell(told, octets, length);
    tell_number(told, leat_event_offset(event));
    tell_error(told, leat_event_error(event));
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
    uint64_t told = UINT64_C(0xcbf29ce484222325);
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
            tell_event(&told, session, event);
    }
    tell_number(&told, (uint64_t)(int64_t)status);
    tell_error(&told, leat_session_error(session));
    leat_session_free(session);
    return told;
}

#endif
