/*
 * Messages of the operational phase, in frames that are sound: of each message the first octet is
 * its type, the second how long it is, and what follows is its payload.
 */
#include "broker.h"

#define HEADER_BYTES 37u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t done[] = {0, 0, 0, 1, 12};
    uint8_t *stream = (uint8_t *)malloc(sizeof done + 42 * size);
    size_t length = sizeof done, at = 0, payload, cut;

    must(stream != NULL);
    memcpy(stream, done, sizeof done);
    while (size - at >= 2) {
        uint8_t *frame = stream + length;

        payload = data[at + 1];
        payload = payload > size - at - 2 ? size - at - 2 : payload;
        memset(frame, 0, 4 + HEADER_BYTES);
        frame[2] = (uint8_t)((HEADER_BYTES + payload) >> 8);
        frame[3] = (uint8_t)(HEADER_BYTES + payload);
        frame[4] = 1; /* a sender */
        frame[4 + 32] = (uint8_t)(data[at] % 6);
        memcpy(frame + 4 + HEADER_BYTES, data + at + 2, payload);
        length += 4 + HEADER_BYTES + payload;
        at += 2 + payload;
    }
    cut = size > 0 ? data[size - 1] % 64u + 1 : 1;
    must(transcript(LEAT_FROM_SERVER, stream, length, length + 1) ==
         transcript(LEAT_FROM_SERVER, stream, length, cut));
    free(stream);
    return 0;
}
