/*
 * What a caller gives, as JSON text behind two octets of record type: refused, or written so that
 * it reads back and is written the same again.
 */
#include "estreamer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    leat_builder *given, *read;
    leat_buffer *octets, *again;
    const void *written, *rewritten;
    size_t length, again_length;
    uint32_t type;

    if (size < 2)
        return 0;
    type = (uint32_t)data[0] << 8 | data[1];
    if (leat_builder_new(NULL, &given) != LEAT_OK || leat_builder_new(NULL, &read) != LEAT_OK ||
        leat_buffer_new(NULL, &octets) != LEAT_OK || leat_buffer_new(NULL, &again) != LEAT_OK)
        abort();
    if (leat_builder_json(given, NULL, (const char *)data + 2, size - 2) == LEAT_OK) {
        int status = leat_estreamer_record_write(octets, type, leat_builder_value(given));

        written = leat_buffer_data(octets, &length);
        if (status != LEAT_OK && (status != LEAT_E_VALUE || length > 0))
            abort();
        /* Octets that were given as such are not looked at. */
        if (status == LEAT_OK && leat_value_kind(leat_builder_value(given)) == LEAT_RECORD) {
            if (leat_estreamer_record_read(read, NULL, type, written, length) != LEAT_OK ||
                leat_estreamer_record_write(again, type, leat_builder_value(read)) != LEAT_OK)
                abort();
            rewritten = leat_buffer_data(again, &again_length);
            if (length != again_length || (length > 0 && memcmp(written, rewritten, length) != 0))
                abort();
        }
    }
    leat_builder_free(given);
    leat_builder_free(read);
    leat_buffer_free(octets);
    leat_buffer_free(again);
    return 0;
}
