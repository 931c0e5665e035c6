/* Rows of values: their members, and their text. */
#ifndef LT_ZABBIX_ROW_H
#define LT_ZABBIX_ROW_H

#include "../core/bytes.h"

#include <leat/zabbix.h>

/* Why such text must not be sent; NULL: it may. */
const char *lt_zabbix_text_offends(const void *text, size_t length);

/* LEAT_ZABBIX_HAS_* of the member of that name, or 0; and the name of the lowest of such bits. */
uint32_t lt_zabbix_history_bit(const char *name, size_t length);
const char *lt_zabbix_history_name(uint64_t bits);

/*
 * Writes the text of a row, its members in the order of a proxy or else of an agent. Returns why it
 * must not be sent, and the member with it; NULL: it may.
 */
const char *lt_zabbix_history_put(struct lt_writer *to, const leat_zabbix_history *history,
                                  bool by_proxy, const char **field);

#endif
