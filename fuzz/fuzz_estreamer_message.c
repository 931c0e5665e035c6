/*
 * Messages whose lengths are right: the input is a sequence of a type, a length and as many octets,
 * and inside event data and bundles likewise.
 */
#include "estreamer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t types[] = {4, 0, 1, 2, 4, 5, 6, 7, 2049, 2051, 4002, 4002, 99};
    static struct text text;
    struct input input = {data, size};
    size_t cut = take(&input) % 64u + 1;

    text.length = 0;
    while (input.left > 0) {
        uint32_t type = types[take(&input) % (sizeof types / sizeof *types)];

        put_message(&text, type, &input);
    }
    check_stream(text.octets, text.length, cut);
    return 0;
}
