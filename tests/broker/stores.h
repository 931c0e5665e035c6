/*
 * Values and stores as short text, for tests of stores:
 *
 *     n  b1  c5 (count)  i-5 (integer)  r1.5 (real)  T9 (timestamp)  D9 (timespan)  "text"  e"enum"
 *     a1.2.3.4  p80 (port, tcp)  [list]  {set}  <key:value,table>
 */
#ifndef T_BROKER_STORES_H
#define T_BROKER_STORES_H

#include "../support.h"

#include <leat/broker_store.h>

/* A value; free the builder. */
leat_builder *st_value(const char *text);
char *st_text(const leat_value *value); /* yours to free() */

/* All entries in the order of the store, as a table; with expiry: "key:value@ms". Yours to free(). */
char *st_dump(leat_broker_store *store);
void st_holds(leat_broker_store *store, const char *table);

/*
 * What leat_broker_store_next() has, without the name of the store: "insert "a" c1 n0/2; ...", n0 being
 * the endpoint whose id is that of net_id(0). Yours to free().
 */
char *st_log(leat_broker_store *store);
void st_told(leat_broker_store *store, const char *log);

/* Writes by text; expiry -1: none. */
int st_put(leat_broker_store *store, const char *key, const char *value, int64_t expiry_ns);
int st_unique(leat_broker_store *store, const char *key, const char *value, uint64_t req_id);
int st_erase(leat_broker_store *store, const char *key);
int st_add(leat_broker_store *store, const char *key, const char *value, uint32_t init_kind);
int st_subtract(leat_broker_store *store, const char *key, const char *value);
/* The value of a key as text, or NULL. */
char *st_get(leat_broker_store *store, const char *key);

leat_broker_store_stats st_stats(const leat_broker_store *store);

#endif
