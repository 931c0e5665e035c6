/* The checksum of zlib streams (RFC 1950). */
#ifndef LT_ADLER_H
#define LT_ADLER_H

#include <stddef.h>
#include <stdint.h>

#define LT_ADLER_START 1u

/* The sum of all octets so far, from that of those before. */
uint32_t lt_adler32(uint32_t sum, const uint8_t *octets, size_t count);

#endif
