/*
 * The metadata store. The first octet says what the rest is: records that are learnt and named, as
 * in estreamer_message; a saved store; or the entries of one, behind their number, to which the
 * frame and the sum are made. However it came to what it holds: its bytes are kept to, a name is the
 * same alone as with the others, and what is saved loads as the same.
 */
#include "estreamer.h"

#include "adler.h"

#define STORE_BYTES 4096u /* so that names must go */

static leat_estreamer_metadata *new_store(size_t bytes)
{
    leat_estreamer_metadata *metadata;

    if (leat_estreamer_metadata_new(NULL, bytes, &metadata) != LEAT_OK)
        abort();
    return metadata;
}

static leat_buffer *save(const leat_estreamer_metadata *metadata)
{
    leat_buffer *buffer;

    if (leat_buffer_new(NULL, &buffer) != LEAT_OK ||
        leat_estreamer_metadata_save(metadata, buffer) != LEAT_OK)
        abort();
    return buffer;
}

static void check_saved(const leat_estreamer_metadata *metadata)
{
    leat_estreamer_metadata *other = new_store(0);
    leat_buffer *saved = save(metadata), *again;
    size_t length, again_length;
    const void *octets = leat_buffer_data(saved, &length), *again_octets;

    if (leat_estreamer_metadata_load(other, octets, length) != LEAT_OK)
        abort();
    again = save(other);
    again_octets = leat_buffer_data(again, &again_length);
    if (length != again_length || memcmp(octets, again_octets, length) != 0)
        abort();
    leat_buffer_free(saved);
    leat_buffer_free(again);
    leat_estreamer_metadata_free(other);
}

static void check_names(leat_estreamer_metadata *metadata, leat_builder *builder,
                        const leat_value *value)
{
    const leat_value *names, *field;

    leat_builder_clear(builder);
    if (leat_estreamer_metadata_names(metadata, builder, NULL, value) != LEAT_OK)
        abort();
    names = leat_builder_value(builder);
    for (field = leat_value_first(names); field != NULL; field = leat_value_next(names, field)) {
        size_t length, alone_length;
        const char *text = leat_value_text(field, &length);
        const char *alone = leat_estreamer_metadata_name(
            metadata, value, leat_value_name(field, NULL), &alone_length);

        if (alone == NULL || length == 0 || length != alone_length ||
            memcmp(text, alone, length) != 0)
            abort();
    }
}

static void learn(leat_estreamer_metadata *metadata, struct input *input)
{
    static struct text text;
    leat_session *session = small_session();
    const leat_event *event;
    leat_builder *builder;

    text.length = 0;
    while (input->left > 0)
        put_message(&text, 4, input);
    if (leat_builder_new(NULL, &builder) != LEAT_OK ||
        leat_feed(session, text.octets, text.length) != LEAT_OK)
        abort();
    while (leat_next(session, &event) == LEAT_OK) {
        if (leat_estreamer_metadata_learn(metadata, event) != LEAT_OK ||
            leat_estreamer_metadata_memory(metadata) > STORE_BYTES)
            abort();
        check_names(metadata, builder, leat_event_value(event));
    }
    leat_builder_free(builder);
    leat_session_free(session);
}

static void load(leat_estreamer_metadata *metadata, const void *octets, size_t length)
{
    int status = leat_estreamer_metadata_load(metadata, octets, length);

    if (status != LEAT_OK &&
        (status != LEAT_E_SYNTAX || leat_estreamer_metadata_count(metadata) != 0))
        abort();
    if (leat_estreamer_metadata_memory(metadata) > STORE_BYTES)
        abort();
}

static void load_entries(leat_estreamer_metadata *metadata, struct input *input)
{
    static struct text text;

    text.length = 0;
    put(&text, 0x6c65616d, 4);
    put(&text, 1, 4);
    put(&text, 0, 4);
    put(&text, take(input), 4);
    put_octets(&text, input, input->left);
    put(&text, lt_adler32(LT_ADLER_START, text.octets, text.length), 4);
    load(metadata, text.octets, text.length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    leat_estreamer_metadata *metadata = new_store(STORE_BYTES);
    struct input input = {data, size};

    switch (take(&input) % 3u) {
    case 0:
        learn(metadata, &input);
        break;
    case 1:
        load(metadata, input.at, input.left);
        break;
    default:
        load_entries(metadata, &input);
        break;
    }
    check_saved(metadata);
    leat_estreamer_metadata_free(metadata);
    return 0;
}
