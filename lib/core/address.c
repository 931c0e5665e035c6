/* IPv4 and IPv6 addresses as people write them, read: the one part of text that stands alone. */
#include "text.h"

bool lt_read_ipv4(const char *text, size_t length, uint8_t octets[4])
{
    size_t at = 0;
    int i;

    for (i = 0; i < 4; i++) {
        unsigned value = 0;
        size_t start;

        if (i > 0 && (at >= length || text[at++] != '.'))
            return false;
        start = at;
        while (at < length && text[at] >= '0' && text[at] <= '9' && at - start < 3)
            value = value * 10 + (unsigned)(text[at++] - '0');
        if (at == start || value > 255 || (at - start > 1 && text[start] == '0'))
            return false;
        octets[i] = (uint8_t)value;
    }
    return at == length;
}

static bool read_ipv6(const char *text, size_t length, uint8_t octets[16])
{
    uint8_t found[16] = {0};
    size_t at = 0, count = 0, gap = 17; /* octets found, and how many of them stand before "::" */

    if (length >= 2 && text[0] == ':' && text[1] == ':') {
        gap = 0;
        at = 2;
    }
    while (at < length) {
        unsigned value = 0;
        size_t start = at;

        while (at < length && at - start < 4 && lt_hex_value(text[at]) >= 0)
            value = value << 4 | (unsigned)lt_hex_value(text[at++]);
        if (at < length && text[at] == '.') {
            if (count > 12 || !lt_read_ipv4(text + start, length - start, found + count))
                return false;
            count += 4;
            at = length;
            break;
        }
        if (at == start || count > 14)
            return false;
        lt_store_u16be(found + count, (uint16_t)value);
        count += 2;
        if (at == length)
            break;
        if (text[at++] != ':')
            return false;
        if (at < length && text[at] == ':') {
            if (gap <= 16)
                return false;
            gap = count;
            at++;
        } else if (at == length) {
            return false;
        }
    }
    if (gap > 16 ? count != 16 : count > 14)
        return false;
    memset(octets, 0, 16);
    if (gap > 16)
        gap = 16;
    memcpy(octets, found, gap < count ? gap : count);
    if (gap < count)
        memcpy(octets + 16 - (count - gap), found + gap, count - gap);
    return true;
}

bool lt_read_address(const char *text, size_t length, uint8_t octets[16])
{
    uint8_t ipv4[4];

    if (!lt_read_ipv4(text, length, ipv4))
        return read_ipv6(text, length, octets);
    memset(octets, 0, 10);
    memset(octets + 10, 0xff, 2);
    memcpy(octets + 12, ipv4, 4);
    return true;
}
