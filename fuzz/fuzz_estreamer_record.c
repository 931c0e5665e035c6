/*
 * What a record holds, by record type (the first two octets). What is read is written, from the
 * value and from its JSON text; what is written reads back as the same value and is written the
 * same again.
 */
#include "estreamer.h"

static leat_builder *read_record(uint32_t type, const void *octets, size_t length)
{
    leat_builder *builder;

    if (leat_builder_new(NULL, &builder) != LEAT_OK)
        abort();
    (void)leat_estreamer_record_read(builder, NULL, type, octets, length);
    return builder;
}

static leat_buffer *write_record(uint32_t type, const leat_value *value)
{
    leat_buffer *buffer;

    if (leat_buffer_new(NULL, &buffer) != LEAT_OK ||
        leat_estreamer_record_write(buffer, type, value) != LEAT_OK)
        abort();
    return buffer;
}

static void same_octets(const leat_buffer *a, const leat_buffer *b)
{
    size_t a_length, b_length;
    const void *a_octets = leat_buffer_data(a, &a_length);
    const void *b_octets = leat_buffer_data(b, &b_length);

    if (a_length != b_length || (a_length > 0 && memcmp(a_octets, b_octets, a_length) != 0))
        abort();
}

static void check_json(uint32_t type, const leat_value *value, const leat_buffer *octets)
{
    leat_buffer *text, *written;
    leat_builder *builder;
    const void *json;
    size_t length;

    if (leat_buffer_new(NULL, &text) != LEAT_OK || leat_buffer_json(text, value) != LEAT_OK ||
        leat_builder_new(NULL, &builder) != LEAT_OK)
        abort();
    json = leat_buffer_data(text, &length);
    if (leat_builder_json(builder, NULL, (const char *)json, length) != LEAT_OK)
        abort();
    written = write_record(type, leat_builder_value(builder));
    same_octets(octets, written);
    leat_buffer_free(text);
    leat_buffer_free(written);
    leat_builder_free(builder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    leat_builder *first, *second;
    leat_buffer *octets, *again;
    const void *written;
    size_t length;
    uint32_t type;

    if (size < 2)
        return 0;
    type = (uint32_t)data[0] << 8 | data[1];
    first = read_record(type, data + 2, size - 2);
    if (leat_builder_value(first) != NULL) {
        octets = write_record(type, leat_builder_value(first));
        check_json(type, leat_builder_value(first), octets);
        written = leat_buffer_data(octets, &length);
        second = read_record(type, written, length);
        if (!leat_value_equal(leat_builder_value(first), leat_builder_value(second)))
            abort();
        again = write_record(type, leat_builder_value(second));
        same_octets(octets, again);
        leat_builder_free(second);
        leat_buffer_free(octets);
        leat_buffer_free(again);
    } else if (leat_error_code(leat_builder_error(first)) != LEAT_E_SYNTAX &&
               leat_error_code(leat_builder_error(first)) != LEAT_E_LIMIT) {
        abort();
    }
    leat_builder_free(first);
    return 0;
}
