/*
 * A value in the JSON form: what is read is written in a form that stays the same. As the text of a
 * message it gives the same value.
 */
#include "broker_value.h"

static void check_message(const uint8_t *data, size_t size, const leat_value *value)
{
    leat_builder *builder;
    leat_buffer *buffer;
    const leat_value *topic;
    const char *text;
    size_t length;
    int status;

    must(leat_builder_new(NULL, &builder) == LEAT_OK);
    must(leat_buffer_new(NULL, &buffer) == LEAT_OK);
    status = leat_broker_json_message_read(builder, NULL, (const char *)data, size);
    if (status == LEAT_OK && value != NULL) {
        topic = leat_value_get(leat_builder_value(builder), "topic");
        must(leat_value_equal(leat_value_get(leat_builder_value(builder), "data"), value));
        text = leat_value_text(topic, &length);
        if (leat_broker_json_message(buffer, text, length, value) == LEAT_OK) {
            text = (const char *)leat_buffer_data(buffer, &length);
            leat_builder_clear(builder);
            must(leat_broker_json_message_read(builder, NULL, text, length) == LEAT_OK);
        }
    }
    leat_builder_free(builder);
    leat_buffer_free(buffer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    leat_builder *builder;

    must(leat_builder_new(NULL, &builder) == LEAT_OK);
    if (leat_broker_json_read(builder, NULL, (const char *)data, size) == LEAT_OK)
        check_value(leat_builder_value(builder));
    else
        must(leat_error_offset(leat_builder_error(builder)) <= size);
    check_message(data, size, leat_builder_value(builder));
    leat_builder_free(builder);
    return 0;
}
