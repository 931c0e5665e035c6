/*
 * Messages whose lengths are right: the input is a sequence of a type, a length and as many octets,
 * and inside event data and bundles likewise.
 */
#include "estreamer.h"

struct text {
    uint8_t octets[1 << 16];
    size_t length;
};

static void put(struct text *text, uint32_t number, unsigned octets)
{
    while (octets-- > 0 && text->length < sizeof text->octets)
        text->octets[text->length++] = (uint8_t)(number >> 8 * octets);
}

/* What remains of the input. */
struct input {
    const uint8_t *at;
    size_t left;
};

static unsigned take(struct input *input)
{
    if (input->left == 0)
        return 0;
    input->left--;
    return *input->at++;
}

static size_t take_length(struct input *input)
{
    size_t length = take(input);

    length = length << 4 | take(input) % 16u;
    return length < input->left ? length : input->left;
}

static void put_octets(struct text *text, struct input *input, size_t length)
{
    for (; length > 0; length--)
        put(text, take(input), 1);
}

static void end(struct text *text, size_t start, size_t place)
{
    size_t length = text->length - start;
    int i;

    for (i = 0; i < 4; i++)
        text->octets[place + (size_t)i] = (uint8_t)(length >> 8 * (3 - i));
}

/* A record of a known type, and of a block that is one octet's choice if the type holds one. */
static void put_record(struct text *text, struct input *input)
{
    uint32_t type = leat_estreamer_record_type(take(input) % leat_estreamer_record_count());
    unsigned how = take(input);
    size_t place = text->length, start, block;

    put(text, type | (how & 2u) << 30, 4);
    put(text, 0, 4);
    if (how & 1u) {
        put(text, 0x6553f100, 4);
        put(text, how, 4);
    }
    start = text->length;
    if (leat_estreamer_record_has_discovery_header(type)) {
        put(text, 3, 4);
        put_octets(text, input, 10);
        put(text, how >> 2 & 1u, 1);
        put(text, 0, 1);
        put_octets(text, input, how & 4u ? 40 : 24);
    }
    block = text->length;
    if (leat_estreamer_record_series(type) != 0) {
        put(text, take(input), 4);
        put(text, 0, 4);
        put_octets(text, input, take_length(input));
        if (text->length >= block + 8)
            end(text, block, block + 4);
    } else {
        put_octets(text, input, take_length(input));
    }
    if (text->length >= place + 8)
        end(text, start, place + 4);
}

static void put_bundle(struct text *text, struct input *input)
{
    unsigned items = take(input) % 8u;

    put(text, 7, 4);
    put(text, take(input), 4);
    for (; items > 0; items--) {
        size_t place = text->length, start;

        put(text, items % 2 == 0 ? 4 : 0x00010004, 4);
        put(text, 0, 4);
        start = text->length;
        put_record(text, input);
        if (text->length >= place + 8)
            end(text, start, place + 4);
    }
    put_octets(text, input, take(input) % 10u);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t types[] = {4, 0, 1, 2, 4, 5, 6, 7, 2049, 2051, 4002, 4002, 99};
    static struct text text;
    struct input input = {data, size};
    size_t cut = take(&input) % 64u + 1;

    text.length = 0;
    while (input.left > 0) {
        uint32_t type = types[take(&input) % (sizeof types / sizeof *types)];
        size_t place = text.length;

        put(&text, 0x00010000 | type, 4);
        put(&text, 0, 4);
        if (type == 4)
            put_record(&text, &input);
        else if (type == 4002)
            put_bundle(&text, &input);
        else
            put_octets(&text, &input, take_length(&input));
        if (text.length >= place + 8)
            end(&text, place + 8, place + 4);
    }
    check_stream(text.octets, text.length, cut);
    return 0;
}
