/*
 * Frames behind the handshake, on both sides. The octets are the frames; or each of them is made of
 * a first octet, a length and a payload, so that lengths and masks are right.
 */
#include "websocket.h"

/* Makes frames of the pieces. Returns how many octets they have. */
static size_t make_frames(uint8_t *frames, enum side side, const uint8_t *data, size_t size)
{
    size_t length = 0;

    while (size >= 2) {
        size_t payload = data[1] < size - 2 ? data[1] : size - 2, i;

        frames[length++] = data[0];
        frames[length++] = (uint8_t)((side == CLIENT ? 0 : 0x80) | (payload < 126 ? payload : 126));
        if (payload >= 126) {
            frames[length++] = 0;
            frames[length++] = (uint8_t)payload;
        }
        for (i = 0; side != CLIENT && i < 4; i++)
            frames[length++] = (uint8_t)(i * 7);
        for (i = 0; i < payload; i++)
            frames[length++] = (uint8_t)(data[2 + i] ^ (side == CLIENT ? 0 : (uint8_t)(i % 4 * 7)));
        data += 2 + payload;
        size -= 2 + payload;
    }
    return length;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t steer = size > 0 ? data[--size] : 0; /* the last octet steers */
    enum side side = (enum side)(steer % 3);
    uint8_t *frames;

    if (steer / 3 % 2 == 0) {
        try_all(side, true, data, size, steer / 6);
        return 0;
    }
    frames = (uint8_t *)malloc(size * 4 + 1);
    must(frames != NULL);
    try_all(side, true, frames, make_frames(frames, side, data, size), steer / 6);
    free(frames);
    return 0;
}
