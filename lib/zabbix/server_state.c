/*
 * What a server must not forget: which values it has, and the tasks that wait. Saved, it is
 *
 *     "leatzbs1"
 *     32 bits: proxies, in the order of their names; of each
 *         8 bits: length of the name; the name
 *         32 bits: sessions; of each the token, 64 bits: the id, 64 bits: how long it lasts
 *         32 bits: tasks; of each 32 bits: length; the text
 *     32 bits: Adler-32 of all that
 *
 * with the octet of most weight first.
 */
#include "server.h"

#include "../core/adler.h"
#include "../core/buffer.h"

#include <leat/builder.h>

#define MAGIC       "leatzbs1"
#define MAGIC_BYTES 8u
#define SUM_BYTES   4u

/* ---- save ---- */

static void put_seen(const leat_zabbix_server *server, struct lt_writer *out,
                     const struct lt_zabbix_seen *seen)
{
    size_t i;

    lt_put_u32be(out, (uint32_t)seen->count);
    for (i = 0; i < seen->count; i++) {
        const struct lt_zabbix_seen_session *session = &seen->session[i];
        uint64_t left =
            session->expires_ms > server->now_ms ? session->expires_ms - server->now_ms : 0;

        lt_put_bytes(out, session->token, LT_ZABBIX_TOKEN);
        lt_put_u64be(out, session->id);
        lt_put_u64be(out, left);
    }
}

static void put_tasks(struct lt_writer *out, const struct lt_zabbix_tasks *tasks)
{
    size_t i;

    lt_put_u32be(out, (uint32_t)tasks->count);
    for (i = 0; i < tasks->count; i++) {
        lt_put_u32be(out, (uint32_t)tasks->task[i].length);
        lt_put_bytes(out, tasks->task[i].text, tasks->task[i].length);
    }
}

int leat_zabbix_server_save(const leat_zabbix_server *server, leat_buffer *buffer)
{
    struct lt_writer *out = &buffer->out;
    size_t start = out->length, i;

    lt_put_text(out, MAGIC);
    lt_put_u32be(out, (uint32_t)server->known_count);
    for (i = 0; i < server->known_count; i++) {
        const struct lt_zabbix_known *known = server->known[i];

        lt_put_u8(out, (uint8_t)strlen(known->name));
        lt_put_text(out, known->name);
        put_seen(server, out, &known->seen);
        put_tasks(out, &known->tasks);
    }
    if (out->status == LEAT_OK)
        lt_put_u32be(out, lt_adler32(LT_ADLER_START, out->data + start, out->length - start));
    return lt_buffer_end(buffer, start, LEAT_OK);
}

/* ---- restore ---- */

/* What is restored of one proxy. */
struct restored {
    struct lt_zabbix_known *known; /* NULL: not one that the server knows */
    struct lt_zabbix_seen seen;
    struct lt_zabbix_tasks tasks;
};

struct restoring {
    leat_zabbix_server *server;
    struct lt_reader in;
    leat_builder *builder;
    struct restored *proxy;
    size_t count;
    size_t size;
};

static int syntax(leat_zabbix_server *server, const char *what)
{
    return lt_error(&server->error, LEAT_E_SYNTAX, 0, what, NULL);
}

static int no_memory(leat_zabbix_server *server)
{
    return lt_error(&server->error, LEAT_E_NOMEM, 0, "out of memory", NULL);
}

static int get_seen(struct restoring *r, struct restored *proxy)
{
    leat_zabbix_server *server = r->server;
    uint64_t longest = server->options.session_ms;
    uint32_t left = lt_u32be(&r->in);

    for (; left > 0; left--) {
        const char *token = (const char *)lt_take(&r->in, LT_ZABBIX_TOKEN);
        uint64_t id = lt_u64be(&r->in), lasts = lt_u64be(&r->in);
        struct lt_zabbix_seen_session *session;

        if (!lt_ok(&r->in))
            return syntax(server, "a session that is cut");
        if (lasts > longest)
            lasts = longest;
        if (proxy->known == NULL || lasts == 0)
            continue;
        session = lt_zabbix_seen_add(&server->allocator, &proxy->seen, token, server->now_ms,
                                     lt_later(server->now_ms, lasts), server->options.sessions);
        if (session == NULL)
            return no_memory(server);
        session->id = id;
    }
    return LEAT_OK;
}

/* One task, as leat_zabbix_server_task() would take it. */
static int get_task(struct restoring *r, struct restored *proxy)
{
    leat_zabbix_server *server = r->server;
    struct lt_zabbix_task task = {0};
    const char *text, *what, *field;
    const leat_value *value;

    task.length = lt_u32be(&r->in);
    text = (const char *)lt_take(&r->in, task.length);
    if (text == NULL)
        return syntax(server, "a task that is cut");
    leat_builder_clear(r->builder);
    if (leat_builder_json(r->builder, NULL, text, task.length) == LEAT_E_NOMEM)
        return no_memory(server);
    value = leat_builder_value(r->builder);
    if (value == NULL || lt_zabbix_server_check_task(server, value, &what, &field) != LEAT_OK)
        return syntax(server, "not a task of this version");
    if (proxy->known == NULL)
        return LEAT_OK;
    task.type = leat_value_u64(leat_value_get(value, "type"));
    task.expires = lt_zabbix_task_expires(value);
    task.text = (char *)lt_resize(&server->allocator, NULL, 0, task.length + 1);
    if (task.text == NULL)
        return no_memory(server);
    memcpy(task.text, text, task.length);
    task.text[task.length] = '\0';
    if (lt_zabbix_tasks_add(&server->allocator, &proxy->tasks, &task))
        return LEAT_OK;
    lt_free(&server->allocator, task.text, task.length + 1);
    return no_memory(server);
}

/* The next proxy, whose name comes behind that of the last one. */
static int get_proxy(struct restoring *r, char last[LT_ZABBIX_NAME_MAX + 1])
{
    leat_zabbix_server *server = r->server;
    size_t length = lt_u8(&r->in);
    const char *name = (const char *)lt_take(&r->in, length);
    char text[LT_ZABBIX_NAME_MAX + 1] = {0};
    struct restored *proxy;
    void *array = r->proxy;
    uint32_t tasks;
    int status;

    if (name == NULL || !lt_zabbix_is_proxy_name(name, length))
        return syntax(server, "not a name of a proxy");
    memcpy(text, name, length);
    if (strcmp(last, text) >= 0)
        return syntax(server, "proxies that are not in order");
    memcpy(last, text, sizeof text);
    if (!lt_grow(&server->allocator, &array, &r->size, r->count + 1, sizeof *r->proxy))
        return no_memory(server);
    r->proxy = (struct restored *)array;
    proxy = &r->proxy[r->count++];
    memset(proxy, 0, sizeof *proxy);
    proxy->known = lt_zabbix_known_find(server, name, length);
    status = get_seen(r, proxy);
    for (tasks = lt_u32be(&r->in); status == LEAT_OK && tasks > 0; tasks--)
        status = get_task(r, proxy);
    return status;
}

static int get_all(struct restoring *r)
{
    char last[LT_ZABBIX_NAME_MAX + 1] = {0};
    uint32_t left = lt_u32be(&r->in);
    int status = LEAT_OK;

    for (; left > 0 && status == LEAT_OK; left--)
        status = get_proxy(r, last);
    if (status == LEAT_OK && (!lt_ok(&r->in) || lt_left(&r->in) > 0))
        status = syntax(r->server, "octets that are missing, or too many");
    return status;
}

/* Gives the proxies what was restored, and what they had before in its place. */
static void exchange_all(struct restoring *r)
{
    size_t i;

    for (i = 0; i < r->count; i++) {
        struct restored *proxy = &r->proxy[i];
        struct restored old = *proxy;

        if (proxy->known == NULL)
            continue;
        proxy->seen = proxy->known->seen;
        proxy->tasks = proxy->known->tasks;
        proxy->known->seen = old.seen;
        proxy->known->tasks = old.tasks;
    }
}

static bool is_sound(const uint8_t *octets, size_t length)
{
    return length >= MAGIC_BYTES + SUM_BYTES && memcmp(octets, MAGIC, MAGIC_BYTES) == 0 &&
           lt_load_u32be(octets + length - SUM_BYTES) ==
               lt_adler32(LT_ADLER_START, octets, length - SUM_BYTES);
}

int leat_zabbix_server_restore(leat_zabbix_server *server, const void *data, size_t length)
{
    const uint8_t *octets = (const uint8_t *)data;
    struct restoring r = {.server = server};
    size_t i;
    int status;

    server->error.code = LEAT_OK;
    if (!is_sound(octets, length))
        return syntax(server, "not what a server saved, or damaged");
    if (leat_builder_new(&server->config, &r.builder) != LEAT_OK)
        return no_memory(server);
    r.in = lt_reader(octets + MAGIC_BYTES, length - MAGIC_BYTES - SUM_BYTES);
    status = get_all(&r);
    if (status == LEAT_OK)
        exchange_all(&r);
    for (i = 0; i < r.count; i++) {
        lt_zabbix_seen_free(&server->allocator, &r.proxy[i].seen);
        lt_zabbix_tasks_free(&server->allocator, &r.proxy[i].tasks);
    }
    lt_free(&server->allocator, r.proxy, r.size * sizeof *r.proxy);
    leat_builder_free(r.builder);
    return status;
}
