/* The header of a frame: "ZBXD", flags, and two lengths of four or eight octets, little endian. */
#ifndef LT_ZABBIX_FRAME_H
#define LT_ZABBIX_FRAME_H

#include "../core/bytes.h"

#define LT_ZABBIX_HEADER       13u
#define LT_ZABBIX_LARGE_HEADER 21u

/* A sender makes the header large from this length on, and not below. */
#define LT_ZABBIX_LARGE_FROM UINT64_C(4294967295)

struct lt_zabbix_header {
    uint8_t flags;
    uint64_t data_len;
    uint64_t reserved;
};

enum lt_zabbix_framing {
    LT_ZABBIX_FRAME,      /* the header is there */
    LT_ZABBIX_FRAME_MORE, /* *length octets are needed */
    LT_ZABBIX_NO_MAGIC,
    LT_ZABBIX_BAD_FLAGS
};

/*
 * Reads the header at the start of the octets; *length is set to its own length. What is wrong
 * shows with the first octet that is.
 */
enum lt_zabbix_framing lt_zabbix_header_read(const uint8_t *octets, size_t count,
                                             struct lt_zabbix_header *header, size_t *length);

/* Writes it, large if a length demands it. Returns its length. */
size_t lt_zabbix_header_write(uint8_t octets[LT_ZABBIX_LARGE_HEADER], bool compressed,
                              uint64_t data_len, uint64_t reserved);

#endif
