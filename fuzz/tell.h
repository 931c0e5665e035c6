/*
 * What all harnesses of sessions share: everything that an event or an error says, as one
 * number, so that two runs can be compared.
 */
#ifndef FUZZ_TELL_H
#define FUZZ_TELL_H

#include <leat/buffer.h>
#include <leat/event.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOTHING_TOLD UINT64_C(0xcbf29ce484222325)

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

static inline void tell_event(uint64_t *told, const leat_event *event)
{
    const void *octets;
    size_t length;

    tell_number(told, leat_event_kind(event));
    octets = leat_event_name(event, &length);
    tell(told, octets, length);
    tell_value(told, leat_event_value(event));
    octets = leat_event_raw(event, &length);
    tell(told, octets, length);
    tell_number(told, leat_event_offset(event));
    tell_error(told, leat_event_error(event));
}

#endif
