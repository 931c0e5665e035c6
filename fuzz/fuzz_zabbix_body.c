/*
 * A body, wrapped in a frame that is sound or nearly so: plain or compressed, with the length that
 * it has or another one, with octets behind the compressed stream. The last octets steer.
 */
#include "zabbix.h"

#include <zlib.h>

/* Appends octets to a frame that has room for them. */
static void put(uint8_t *frame, size_t *length, const void *data, size_t count)
{
    if (count > 0)
        memcpy(frame + *length, data, count);
    *length += count;
}

static void put_le(uint8_t *frame, size_t *length, uint64_t value, unsigned octets)
{
    unsigned i;

    for (i = 0; i < octets; i++)
        frame[(*length)++] = (uint8_t)(value >> (8 * i));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t cut = size > 0 ? data[--size] % 64u + 1 : 1;
    uint8_t form = size > 0 ? data[--size] : 0;
    uint8_t flags = (uint8_t)(1u | (form & 6u));
    unsigned width = (form & 4u) != 0 ? 8 : 4;
    uLongf body_size = compressBound((uLong)size);
    uint8_t *body = (uint8_t *)malloc(body_size),
            *frame = (uint8_t *)malloc(body_size + size + 100);
    uint64_t reserved = size;
    size_t length = 0;

    if (body == NULL || frame == NULL)
        abort();
    if ((flags & LEAT_ZABBIX_COMPRESSED) == 0) {
        memcpy(body, data, size);
        body_size = (uLongf)size;
    } else if (compress2(body, &body_size, data, (uLong)size, form >> 7 ? 0 : 6) != Z_OK) {
        abort();
    }
    if ((form & 8u) != 0)
        reserved += (uint64_t)(form >> 5 & 3u) - 1; /* one less, the same, one or two more */
    if ((form & 16u) != 0 && body_size > 3)
        body[body_size - 3] ^= form; /* the checksum, or the end of the text */
    put(frame, &length, "ZBXD", 4);
    put(frame, &length, &flags, 1);
    put_le(frame, &length, body_size + (form >> 6 & 1u) * 4u, width);
    put_le(frame, &length, reserved, width);
    put(frame, &length, body, body_size);
    put(frame, &length, "tail", (form >> 6 & 1u) * 4u);
    put(frame, &length, "ZBXD\1\2\0\0\0\0\0\0\0{}", 15); /* the next message must be found */
    if (transcript(frame, length, length, LEAT_FROM_ANY) !=
        transcript(frame, length, cut, LEAT_FROM_ANY))
        abort();
    free(body);
    free(frame);
    return 0;
}
