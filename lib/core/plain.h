/* Plain octets of a JSON string: ASCII that needs no escape, eight at a time. */
#ifndef LT_PLAIN_H
#define LT_PLAIN_H

#include "bytes.h"

#define LT_ONES UINT64_C(0x0101010101010101)
#define LT_TOPS UINT64_C(0x8080808080808080)

/*
 * Bits set where an octet of the word is '"', '\\', below 0x20 or above 0x7f. False alarms are
 * possible only above a true one, so the lowest bit is exact.
 */
static inline uint64_t lt_not_plain(uint64_t word)
{
    uint64_t quote = word ^ (LT_ONES * '"');
    uint64_t backslash = word ^ (LT_ONES * '\\');

    return ((quote - LT_ONES) | (backslash - LT_ONES) | (word - LT_ONES * 0x20) | word) & LT_TOPS;
}

static inline unsigned lt_lowest_octet(uint64_t bits)
{
#if defined(__GNUC__)
    return (unsigned)__builtin_ctzll(bits) / 8;
#else
    unsigned octet = 0;

    while ((bits & 0xff) == 0) {
        bits >>= 8;
        octet++;
    }
    return octet;
#endif
}

/* The first octet that is not plain, or end. */
static inline const uint8_t *lt_plain(const uint8_t *at, const uint8_t *end)
{
    while (end - at >= 8) {
        uint64_t bits = lt_not_plain(lt_load_u64le(at));

        if (bits != 0)
            return at + lt_lowest_octet(bits);
        at += 8;
    }
    while (at < end && *at >= 0x20 && *at < 0x80 && *at != '"' && *at != '\\')
        at++;
    return at;
}

#endif
