#include "frame.h"

#include <leat/zabbix.h>

static const uint8_t magic[] = {'Z', 'B', 'X', 'D'};

enum lt_zabbix_framing lt_zabbix_header_read(const uint8_t *octets, size_t count,
                                             struct lt_zabbix_header *header, size_t *length)
{
    size_t compared = count < sizeof magic ? count : sizeof magic;

    *length = LT_ZABBIX_HEADER;
    if (compared > 0 && memcmp(octets, magic, compared) != 0)
        return LT_ZABBIX_NO_MAGIC;
    if (count <= sizeof magic)
        return LT_ZABBIX_FRAME_MORE;
    header->flags = octets[4];
    if ((header->flags & LEAT_ZABBIX_PROTOCOL) == 0 ||
        (header->flags & ~(LEAT_ZABBIX_PROTOCOL | LEAT_ZABBIX_COMPRESSED | LEAT_ZABBIX_LARGE)) != 0)
        return LT_ZABBIX_BAD_FLAGS;
    if ((header->flags & LEAT_ZABBIX_LARGE) != 0) {
        *length = LT_ZABBIX_LARGE_HEADER;
        if (count < LT_ZABBIX_LARGE_HEADER)
            return LT_ZABBIX_FRAME_MORE;
        header->data_len = lt_load_u64le(octets + 5);
        header->reserved = lt_load_u64le(octets + 13);
        return LT_ZABBIX_FRAME;
    }
    if (count < LT_ZABBIX_HEADER)
        return LT_ZABBIX_FRAME_MORE;
    header->data_len = lt_load_u32le(octets + 5);
    header->reserved = lt_load_u32le(octets + 9);
    return LT_ZABBIX_FRAME;
}

static void store_le(uint8_t *to, uint64_t value, unsigned octets)
{
    unsigned i;

    for (i = 0; i < octets; i++)
        to[i] = (uint8_t)(value >> (8 * i));
}

size_t lt_zabbix_header_write(uint8_t octets[LT_ZABBIX_LARGE_HEADER], bool compressed,
                              uint64_t data_len, uint64_t reserved)
{
    bool large = data_len >= LT_ZABBIX_LARGE_FROM || reserved >= LT_ZABBIX_LARGE_FROM;
    unsigned width = large ? 8 : 4;

    memcpy(octets, magic, sizeof magic);
    octets[4] = (uint8_t)(LEAT_ZABBIX_PROTOCOL | (compressed ? LEAT_ZABBIX_COMPRESSED : 0) |
                          (large ? LEAT_ZABBIX_LARGE : 0));
    store_le(octets + 5, data_len, width);
    store_le(octets + 5 + width, reserved, width);
    return 5 + 2 * (size_t)width;
}
