/*
 * Texts of the JSON protocol on an endpoint that has another client: a text a line, each in a frame
 * of its own. Whoever hears what was made of them can read it.
 */
#include "websocket.h"

/* Puts every line into a frame, masked with zeros. Returns how many octets they have. */
static size_t make_frames(uint8_t *frames, const uint8_t *data, size_t size)
{
    size_t length = 0;

    for (;;) {
        const uint8_t *end = (const uint8_t *)(size > 0 ? memchr(data, '\n', size) : NULL);
        size_t line = end == NULL ? size : (size_t)(end - data);
        uint8_t header[8] = {0x81, 0xfe, (uint8_t)(line >> 8), (uint8_t)line, 0, 0, 0, 0};
        size_t bytes = 8;

        if (line < 126) {
            header[1] = (uint8_t)(0x80 | line);
            header[2] = header[3] = 0;
            bytes = 6;
        }
        if (line > UINT16_MAX)
            return length;
        memcpy(frames + length, header, bytes);
        if (line > 0)
            memcpy(frames + length + bytes, data, line);
        length += bytes + line;
        if (end == NULL)
            return length;
        data = end + 1;
        size -= line + 1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t steer = size > 0 ? data[--size] : 0; /* the last octet steers */
    uint8_t *frames = (uint8_t *)malloc(size * 9 + 9);

    must(frames != NULL);
    try_all(steer % 2 == 0 ? BROKER : ZEEK, true, frames, make_frames(frames, data, size),
            steer / 2);
    free(frames);
    return 0;
}
