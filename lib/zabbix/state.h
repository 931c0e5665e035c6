/*
 * What a proxy keeps, as octets: a log of entries, each with its length and a checksum, so that one
 * that was cut by a crash is found out, and what stands before it counts.
 *
 *     type (1), length of the content (4), content, CRC-32 of all that (4); big endian
 *
 * The first entry, the rows and the configuration behind it and a mark are a save; changes follow.
 */
#ifndef LT_ZABBIX_STATE_H
#define LT_ZABBIX_STATE_H

#include "../core/bytes.h"

enum lt_zabbix_entry_type {
    LT_ZABBIX_ENTRY_PROXY = 1, /* who it is, and the numbers of its next rows */
    LT_ZABBIX_ENTRY_ROW,
    LT_ZABBIX_ENTRY_DROP, /* rows that are gone */
    LT_ZABBIX_ENTRY_TABLES,
    LT_ZABBIX_ENTRY_SAVED /* the save is whole */
};

struct lt_zabbix_entry {
    uint8_t type;
    struct lt_reader content;
};

/* Begins an entry; its content is written next. Returns where it began. */
size_t lt_zabbix_entry_begin(struct lt_writer *out, enum lt_zabbix_entry_type type);

/* Ends it. What went wrong stands in out->status. */
void lt_zabbix_entry_end(struct lt_writer *out, size_t start);

/* The next entry. False, and nothing is taken: there is none that is whole. */
bool lt_zabbix_entry_read(struct lt_reader *in, struct lt_zabbix_entry *entry);

#endif
