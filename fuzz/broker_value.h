/* What can be asked of any value of Broker, whatever it was read from. */
#ifndef FUZZ_BROKER_VALUE_H
#define FUZZ_BROKER_VALUE_H

#include "broker.h"

/* Its binary form is read, and written again the same. So is its JSON form, if it has one. */
static inline void check_value(const leat_value *value)
{
    leat_builder *again;
    leat_buffer *binary, *json, *same;
    const void *octets, *text;
    size_t length, text_length, same_length;

    must(leat_builder_new(NULL, &again) == LEAT_OK);
    must(leat_buffer_new(NULL, &binary) == LEAT_OK);
    must(leat_buffer_new(NULL, &json) == LEAT_OK);
    must(leat_buffer_new(NULL, &same) == LEAT_OK);
    if (leat_broker_write(binary, value) == LEAT_OK) {
        octets = leat_buffer_data(binary, &length);
        must(leat_broker_read(again, NULL, octets, length) == LEAT_OK);
        must(leat_broker_write(same, leat_builder_value(again)) == LEAT_OK);
        text = leat_buffer_data(same, &same_length);
        must(length == same_length && memcmp(octets, text, length) == 0);

        if (leat_broker_json(json, value) == LEAT_OK) {
            text = leat_buffer_data(json, &text_length);
            leat_builder_clear(again);
            leat_buffer_clear(same);
            must(leat_broker_json_read(again, NULL, (const char *)text, text_length) == LEAT_OK);
            must(leat_broker_write(same, leat_builder_value(again)) == LEAT_OK);
            text = leat_buffer_data(same, &same_length);
            must(length == same_length && memcmp(octets, text, length) == 0);
        }
    } else {
        must(leat_broker_json(json, value) == LEAT_E_VALUE);
    }
    leat_builder_free(again);
    leat_buffer_free(binary);
    leat_buffer_free(json);
    leat_buffer_free(same);
}

#endif
