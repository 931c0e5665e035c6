#include "text.h"

/* The length of the sound sequence at text (at least one octet is there), or 0. */
static size_t sequence(const uint8_t *text, size_t left)
{
    uint8_t lead = text[0];
    uint8_t low = 0x80,
            high = 0xbf; /* bounds of the second octet: no overlong form, no surrogate */
    size_t length, i;

    if (lead < 0x80)
        return 1;
    if (lead < 0xc2 || lead > 0xf4)
        return 0;
    length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (left < length)
        return 0;
    if (lead == 0xe0)
        low = 0xa0;
    else if (lead == 0xed)
        high = 0x9f;
    else if (lead == 0xf0)
        low = 0x90;
    else if (lead == 0xf4)
        high = 0x8f;
    if (text[1] < low || text[1] > high)
        return 0;
    for (i = 2; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    }
    return length;
}

size_t lt_utf8_prefix(const uint8_t *text, size_t length)
{
    size_t at = 0;

    while (at < length) {
        size_t step;

        while (length - at >= 8) {
            uint64_t word;

            memcpy(&word, text + at, 8);
            if ((word & UINT64_C(0x8080808080808080)) != 0)
                break;
            at += 8;
        }
        if (at == length)
            break;
        step = sequence(text + at, length - at);
        if (step == 0)
            break;
        at += step;
    }
    return at;
}
