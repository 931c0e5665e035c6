#include "hosts.h"

#include "table.h"

#include <leat/zabbix.h>
#include <string.h>

bool lt_zabbix_hosts_make(struct lt_zabbix_hosts *hosts, const leat_allocator *allocator,
                          leat_zabbix_tables *tables)
{
    size_t count = leat_zabbix_tables_count(tables, "host_proxy"), size = 16, i, at, length;
    const leat_value *row;

    if (hosts->current)
        return true;
    lt_zabbix_hosts_free(hosts, allocator);
    while (size / 2 < count)
        size *= 2;
    hosts->row = (uint64_t *)lt_alloc_zero(allocator, size * sizeof *hosts->row);
    if (hosts->row == NULL)
        return false;
    hosts->size = size;
    for (i = 0; (row = leat_zabbix_tables_at(tables, "host_proxy", i)) != NULL; i++) {
        const char *host = leat_value_text(leat_value_get(row, "host"), &length);

        at = lt_zabbix_home(hosts->row, hosts->size, host, length);
        while (hosts->row[at] != 0)
            at = (at + 1) & (size - 1);
        hosts->row[at] = leat_zabbix_u64(leat_value_get(row, "hostproxyid"));
    }
    hosts->current = i == count;
    return hosts->current;
}

void lt_zabbix_hosts_free(struct lt_zabbix_hosts *hosts, const leat_allocator *allocator)
{
    lt_free(allocator, hosts->row, hosts->size * sizeof *hosts->row);
    hosts->row = NULL;
    hosts->size = 0;
    hosts->current = false;
}

uint64_t lt_zabbix_hosts_find(const struct lt_zabbix_hosts *hosts, leat_zabbix_tables *tables,
                              const char *host, size_t length)
{
    size_t at = lt_zabbix_home(hosts->row, hosts->size, host, length), row_length;

    for (; hosts->row[at] != 0; at = (at + 1) & (hosts->size - 1)) {
        const leat_value *row = leat_zabbix_tables_row(tables, "host_proxy", hosts->row[at]);
        const char *name = leat_value_text(leat_value_get(row, "host"), &row_length);

        if (row_length == length && memcmp(name, host, length) == 0)
            return leat_zabbix_u64(leat_value_get(row, "proxyid"));
    }
    return 0;
}
