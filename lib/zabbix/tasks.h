/* The tasks that wait for a proxy, each as the text that it will be sent as. */
#ifndef LT_ZABBIX_TASKS_H
#define LT_ZABBIX_TASKS_H

#include "../core/memory.h"

#include <leat/value.h>

struct lt_zabbix_task {
    char *text; /* of length octets, and a NUL */
    size_t length;
    uint64_t type;
    uint64_t expires; /* in seconds; UINT64_MAX: never */
    bool given;       /* it is in the message that is being written */
};

struct lt_zabbix_tasks {
    struct lt_zabbix_task *task; /* in the order in which they came */
    size_t count;
    size_t size;
    size_t bytes; /* of all texts */
};

/* When a task expires, in seconds; UINT64_MAX: never. */
uint64_t lt_zabbix_task_expires(const leat_value *task);

void lt_zabbix_tasks_free(const leat_allocator *allocator, struct lt_zabbix_tasks *tasks);

/* Adds one: text, which is allocated, is theirs then. False: no memory. */
bool lt_zabbix_tasks_add(const leat_allocator *allocator, struct lt_zabbix_tasks *tasks,
                         const struct lt_zabbix_task *task);

/* Drops those that have expired by then. */
void lt_zabbix_tasks_expire(const leat_allocator *allocator, struct lt_zabbix_tasks *tasks,
                            uint64_t now);

/* Drops those that were given (done), or says that none was. */
void lt_zabbix_tasks_settle(const leat_allocator *allocator, struct lt_zabbix_tasks *tasks,
                            bool done);

#endif
