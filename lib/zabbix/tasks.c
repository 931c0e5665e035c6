#include "tasks.h"

#include "../core/session.h"

#include <leat/zabbix.h>
#include <string.h>

uint64_t lt_zabbix_task_expires(const leat_value *task)
{
    uint64_t clock = leat_zabbix_u64(leat_value_get(task, "clock"));
    uint64_t ttl = leat_zabbix_u64(leat_value_get(task, "ttl"));

    return ttl == 0 ? UINT64_MAX : lt_later(clock, ttl);
}

void lt_zabbix_tasks_free(const leat_allocator *allocator, struct lt_zabbix_tasks *tasks)
{
    size_t i;

    for (i = 0; i < tasks->count; i++)
        lt_free(allocator, tasks->task[i].text, tasks->task[i].length + 1);
    lt_free(allocator, tasks->task, tasks->size * sizeof *tasks->task);
    memset(tasks, 0, sizeof *tasks);
}

bool lt_zabbix_tasks_add(const leat_allocator *allocator, struct lt_zabbix_tasks *tasks,
                         const struct lt_zabbix_task *task)
{
    void *array = tasks->task;

    if (!lt_grow(allocator, &array, &tasks->size, tasks->count + 1, sizeof *tasks->task))
        return false;
    tasks->task = (struct lt_zabbix_task *)array;
    tasks->task[tasks->count++] = *task;
    tasks->bytes += task->length + 1;
    return true;
}

static bool is_given(const struct lt_zabbix_task *task, uint64_t now)
{
    (void)now;
    return task->given;
}

static bool is_expired(const struct lt_zabbix_task *task, uint64_t now)
{
    return task->expires < now;
}

static void drop(const leat_allocator *allocator, struct lt_zabbix_tasks *tasks,
                 bool (*is_over)(const struct lt_zabbix_task *task, uint64_t now), uint64_t now)
{
    size_t i, left = 0;

    for (i = 0; i < tasks->count; i++) {
        const struct lt_zabbix_task *task = &tasks->task[i];

        if (is_over(task, now)) {
            tasks->bytes -= task->length + 1;
            lt_free(allocator, task->text, task->length + 1);
            continue;
        }
        if (left < i)
            tasks->task[left] = *task;
        left++;
    }
    tasks->count = left;
}

void lt_zabbix_tasks_expire(const leat_allocator *allocator, struct lt_zabbix_tasks *tasks,
                            uint64_t now)
{
    drop(allocator, tasks, is_expired, now);
}

void lt_zabbix_tasks_settle(const leat_allocator *allocator, struct lt_zabbix_tasks *tasks,
                            bool done)
{
    size_t i;

    if (done)
        drop(allocator, tasks, is_given, 0);
    for (i = 0; i < tasks->count; i++)
        tasks->task[i].given = false;
}
