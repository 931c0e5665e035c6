/*
 * Which member of a proxy group a host belongs to, by its name: an index over the table
 * "host_proxy", since anybody who connects can ask.
 */
#ifndef LT_ZABBIX_HOSTS_H
#define LT_ZABBIX_HOSTS_H

#include "../core/memory.h"

#include <leat/zabbix_tables.h>

struct lt_zabbix_hosts {
    uint64_t *row; /* hostproxyid, at the place of the host's name or behind it; 0: none */
    size_t size;   /* 0, or a power of two */
    bool current;  /* it was made of the tables as they are */
};

/* Makes it anew, if it is not current. False: no memory. */
bool lt_zabbix_hosts_make(struct lt_zabbix_hosts *hosts, const leat_allocator *allocator,
                          leat_zabbix_tables *tables);
void lt_zabbix_hosts_free(struct lt_zabbix_hosts *hosts, const leat_allocator *allocator);

/* The proxyid of the host's owner; 0: it belongs to none. */
uint64_t lt_zabbix_hosts_find(const struct lt_zabbix_hosts *hosts, leat_zabbix_tables *tables,
                              const char *host, size_t length);

#endif
