/* Rows of values: their members, and their text. */
#ifndef LT_ZABBIX_ROW_H
#define LT_ZABBIX_ROW_H

#include "../core/bytes.h"

#include <leat/zabbix.h>

/* Why such text must not be sent; NULL: it may. */
const char *lt_zabbix_text_offends(const void *text, size_t length);

/*
 * Writes the text of a row, its members in the order of a proxy or else of an agent. Returns why it
 * must not be sent, and the member with it; NULL: it may.
 */
const char *lt_zabbix_history_put(struct lt_writer *to, const leat_zabbix_history *history,
                                  bool by_proxy, const char **field);

#endif
