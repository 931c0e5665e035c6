#include "state.h"

#include "proxy.h"

#include "../core/buffer.h"

#include <zlib.h>

#define FORMAT       1u
#define ENTRY_HEADER 5u
#define ENTRY_SUM    4u

/* Ids that a proxy may have given in a millisecond; see skip_ids(). */
#define IDS_A_MS     10000u
#define ELAPSED_MOST UINT64_C(1000000000000) /* some thirty years */
#define NUMBER_MOST  (UINT64_MAX / 2)

static uint32_t sum_of(const uint8_t *octets, size_t length)
{
    return (uint32_t)crc32_z(0, octets, length);
}

size_t lt_zabbix_entry_begin(struct lt_writer *out, enum lt_zabbix_entry_type type)
{
    size_t start = out->length;

    lt_put_u8(out, (uint8_t)type);
    lt_put_u32be(out, 0);
    return start;
}

void lt_zabbix_entry_end(struct lt_writer *out, size_t start)
{
    size_t length;

    if (out->status != LEAT_OK)
        return;
    length = out->length - start - ENTRY_HEADER;
    if (length > UINT32_MAX) {
        out->status = LEAT_E_LIMIT;
        return;
    }
    lt_patch_u32be(out, start + 1, (uint32_t)length);
    lt_put_u32be(out, sum_of(out->data + start, ENTRY_HEADER + length));
}

bool lt_zabbix_entry_read(struct lt_reader *in, struct lt_zabbix_entry *entry)
{
    struct lt_reader ahead = *in;
    const uint8_t *start = ahead.at;
    uint32_t length;

    entry->type = lt_u8(&ahead);
    length = lt_u32be(&ahead);
    entry->content = lt_child(&ahead, length, 0);
    if (lt_u32be(&ahead) != sum_of(start, lt_ok(&ahead) ? ENTRY_HEADER + (size_t)length : 0) ||
        !lt_ok(&ahead) || entry->type < LT_ZABBIX_ENTRY_PROXY ||
        entry->type > LT_ZABBIX_ENTRY_SAVED)
        return false;
    *in = ahead;
    return true;
}

/* ---- writing ---- */

static void put_counts(const leat_zabbix_proxy *proxy, struct lt_writer *out)
{
    lt_put_u64be(out, proxy->last_id);
    lt_put_u64be(out, proxy->acknowledged);
    lt_put_u64be(out, proxy->dropped);
}

static void put_proxy(const leat_zabbix_proxy *proxy, struct lt_writer *out)
{
    size_t start = lt_zabbix_entry_begin(out, LT_ZABBIX_ENTRY_PROXY);

    lt_put_u8(out, FORMAT);
    lt_put_u8(out, (uint8_t)strlen(proxy->name));
    lt_put_text(out, proxy->name);
    lt_put_bytes(out, proxy->session, 32);
    lt_put_u32be(out, proxy->version.number);
    lt_put_u64be(out, (uint64_t)lt_zabbix_proxy_now(proxy));
    put_counts(proxy, out);
    lt_zabbix_entry_end(out, start);
}

/* The end of a save, with the numbers of the rows that come next. */
static void put_mark(const leat_zabbix_proxy *proxy, struct lt_writer *out)
{
    size_t start = lt_zabbix_entry_begin(out, LT_ZABBIX_ENTRY_SAVED);
    size_t i;

    for (i = 0; i < LT_ZABBIX_SECTIONS; i++)
        lt_put_u64be(out, proxy->queues[i].next);
    lt_zabbix_entry_end(out, start);
}

/* The rows from that number on. */
static void put_rows(const leat_zabbix_proxy *proxy, struct lt_writer *out, size_t section,
                     uint64_t from)
{
    struct lt_zabbix_walk walk = lt_zabbix_queue_walk(&proxy->queues[section], from);
    struct lt_zabbix_run run;

    while (out->status == LEAT_OK && lt_zabbix_queue_run(&walk, UINT64_MAX, 1, &run)) {
        size_t start = lt_zabbix_entry_begin(out, LT_ZABBIX_ENTRY_ROW);

        lt_put_u8(out, (uint8_t)section);
        lt_put_u64be(out, run.number);
        lt_put_u64be(out, (uint64_t)run.at_ms);
        lt_put_bytes(out, run.text, run.length);
        lt_zabbix_entry_end(out, start);
    }
}

static void put_drop(const leat_zabbix_proxy *proxy, struct lt_writer *out, size_t section)
{
    size_t start = lt_zabbix_entry_begin(out, LT_ZABBIX_ENTRY_DROP);

    lt_put_u8(out, (uint8_t)section);
    lt_put_u64be(out, lt_zabbix_queue_start(&proxy->queues[section]));
    put_counts(proxy, out);
    lt_zabbix_entry_end(out, start);
}

static int put_tables(const leat_zabbix_proxy *proxy, leat_buffer *buffer)
{
    size_t start = lt_zabbix_entry_begin(&buffer->out, LT_ZABBIX_ENTRY_TABLES);
    int status = buffer->out.status;

    if (status == LEAT_OK)
        status = leat_zabbix_tables_save(proxy->tables, buffer);
    lt_zabbix_entry_end(&buffer->out, start);
    return status;
}

/* Journals continue from here. */
static void note_saved(leat_zabbix_proxy *proxy)
{
    size_t i;

    for (i = 0; i < LT_ZABBIX_SECTIONS; i++) {
        proxy->saved_start[i] = lt_zabbix_queue_start(&proxy->queues[i]);
        proxy->saved_next[i] = proxy->queues[i].next;
    }
    proxy->tables_changed = false;
    proxy->saved = true;
}

static int settle(leat_zabbix_proxy *proxy, leat_buffer *buffer, size_t start, int status)
{
    status = lt_buffer_end(buffer, start, status);
    if (status != LEAT_OK)
        return lt_error(&proxy->error, status, 0,
                        status == LEAT_E_LIMIT ? "over the limit of a buffer" : "out of memory",
                        NULL);
    note_saved(proxy);
    return LEAT_OK;
}

int leat_zabbix_proxy_save(leat_zabbix_proxy *proxy, leat_buffer *buffer)
{
    struct lt_writer *out = &buffer->out;
    size_t start = out->length, i;
    int status;

    proxy->error.code = LEAT_OK;
    put_proxy(proxy, out);
    for (i = 0; i < LT_ZABBIX_SECTIONS; i++)
        put_rows(proxy, out, i, 0);
    status = put_tables(proxy, buffer);
    if (status == LEAT_OK)
        put_mark(proxy, out);
    return settle(proxy, buffer, start, status);
}

int leat_zabbix_proxy_journal(leat_zabbix_proxy *proxy, leat_buffer *buffer)
{
    struct lt_writer *out = &buffer->out;
    size_t start = out->length, i;
    int status = LEAT_OK;

    if (!proxy->saved)
        return leat_zabbix_proxy_save(proxy, buffer);
    proxy->error.code = LEAT_OK;
    for (i = 0; i < LT_ZABBIX_SECTIONS; i++) {
        if (lt_zabbix_queue_start(&proxy->queues[i]) != proxy->saved_start[i])
            put_drop(proxy, out, i);
        put_rows(proxy, out, i, proxy->saved_next[i]);
    }
    if (proxy->tables_changed)
        status = put_tables(proxy, buffer);
    return settle(proxy, buffer, start, status);
}

/* ---- restoring ---- */

struct restored {
    leat_zabbix_proxy *proxy;
    char session[33];
    int64_t at_ms; /* the latest moment that is known of */
    bool whole;    /* the mark behind the save was met */
    const uint8_t *tables;
    size_t tables_length;
};

static uint64_t later(struct restored *r, uint64_t at_ms)
{
    int64_t at = at_ms > INT64_MAX ? INT64_MIN : (int64_t)at_ms;

    if (at > r->at_ms)
        r->at_ms = at;
    return at_ms;
}

static void read_counts(leat_zabbix_proxy *proxy, struct lt_reader *in)
{
    proxy->last_id = lt_u64be(in);
    proxy->acknowledged = lt_u64be(in);
    proxy->dropped = lt_u64be(in);
}

/* False: of another proxy, or in another format. */
static bool read_proxy(struct restored *r, struct lt_reader *in)
{
    leat_zabbix_proxy *proxy = r->proxy;
    uint8_t format = lt_u8(in), length = lt_u8(in);
    const uint8_t *name = lt_take(in, length);
    const uint8_t *session = lt_take(in, 32);

    if (!lt_ok(in) || format != FORMAT || length != strlen(proxy->name) ||
        memcmp(name, proxy->name, length) != 0)
        return false;
    memcpy(r->session, session, 32);
    (void)lt_u32be(in); /* the version: journals may be of another one, so each row is looked at */
    (void)later(r, lt_u64be(in));
    read_counts(proxy, in);
    return lt_ok(in) && lt_left(in) == 0;
}

/* A row that any version may have written, in the form of ours. What ours lacks is dropped. */
static int convert(leat_zabbix_proxy *proxy, size_t section, const uint8_t *text, size_t length)
{
    leat_builder *row;
    int status = leat_builder_new(&proxy->config, &row);

    if (status != LEAT_OK)
        return status;
    status = leat_builder_json(row, NULL, (const char *)text, length);
    if (status == LEAT_OK)
        status = lt_zabbix_proxy_write_row(proxy, (enum lt_zabbix_section)section,
                                           leat_builder_value(row));
    leat_builder_free(row);
    return status == LEAT_OK ? proxy->scratch.status : status;
}

static int read_row(struct restored *r, struct lt_reader *in)
{
    leat_zabbix_proxy *proxy = r->proxy;
    size_t section = lt_u8(in), length;
    uint64_t number = lt_u64be(in), at_ms = later(r, lt_u64be(in));
    const uint8_t *text = in->at;
    struct lt_zabbix_queue *queue;
    int status;

    length = lt_left(in);
    if (!lt_ok(in) || section >= LT_ZABBIX_SECTIONS || length == 0)
        return LEAT_E_SYNTAX;
    queue = &proxy->queues[section];
    if (number < queue->next || number > NUMBER_MOST)
        return LEAT_E_SYNTAX;
    lt_zabbix_queue_skip(queue, number);
    if (section != LT_ZABBIX_HISTORY) {
        status = convert(proxy, section, text, length);
        if (status == LEAT_E_NOMEM)
            return status;
        if (status != LEAT_OK) {
            proxy->dropped++;
            return LEAT_OK;
        }
        text = proxy->scratch.data;
        length = proxy->scratch.length;
    }
    if (length > proxy->row_bytes)
        return LEAT_E_LIMIT;
    if (section == LT_ZABBIX_HISTORY && proxy->last_id < number)
        proxy->last_id = number;
    return lt_zabbix_queue_add(queue, text, length, (int64_t)at_ms);
}

static int read_drop(struct restored *r, struct lt_reader *in)
{
    leat_zabbix_proxy *proxy = r->proxy;
    size_t section = lt_u8(in);
    uint64_t before = lt_u64be(in);

    read_counts(proxy, in);
    if (!lt_ok(in) || section >= LT_ZABBIX_SECTIONS || before == 0 || before > NUMBER_MOST)
        return LEAT_E_SYNTAX;
    (void)lt_zabbix_queue_drop(&proxy->queues[section], before);
    lt_zabbix_queue_skip(&proxy->queues[section], before);
    return LEAT_OK;
}

static int read_mark(struct restored *r, struct lt_reader *in)
{
    size_t i;

    for (i = 0; i < LT_ZABBIX_SECTIONS; i++) {
        uint64_t next = lt_u64be(in);

        if (next > NUMBER_MOST)
            return LEAT_E_SYNTAX;
        lt_zabbix_queue_skip(&r->proxy->queues[i], next);
    }
    r->whole = lt_ok(in);
    return lt_ok(in) ? LEAT_OK : LEAT_E_SYNTAX;
}

static int read_entry(struct restored *r, struct lt_zabbix_entry *entry)
{
    switch (entry->type) {
    case LT_ZABBIX_ENTRY_ROW:
        return read_row(r, &entry->content);
    case LT_ZABBIX_ENTRY_DROP:
        return read_drop(r, &entry->content);
    case LT_ZABBIX_ENTRY_TABLES:
        r->tables = entry->content.at;
        r->tables_length = lt_left(&entry->content);
        return LEAT_OK;
    case LT_ZABBIX_ENTRY_SAVED:
        return read_mark(r, &entry->content);
    default:
        return LEAT_E_SYNTAX;
    }
}

static int read_log(struct restored *r, struct lt_reader *in)
{
    struct lt_zabbix_entry entry;
    int status = LEAT_OK;

    if (!lt_zabbix_entry_read(in, &entry) || entry.type != LT_ZABBIX_ENTRY_PROXY ||
        !read_proxy(r, &entry.content))
        return LEAT_E_SYNTAX;
    while (status == LEAT_OK && lt_zabbix_entry_read(in, &entry))
        status = read_entry(r, &entry);
    return status != LEAT_OK || r->whole ? status : LEAT_E_SYNTAX;
}

/* Tables of another version do not matter: the next configuration is a full copy then. */
static int restore_tables(struct restored *r)
{
    int status = LEAT_OK;

    if (r->tables != NULL)
        status = leat_zabbix_tables_restore(r->proxy->tables, r->tables, r->tables_length);
    return status == LEAT_E_SYNTAX ? LEAT_OK : status;
}

static bool keeps_limits(leat_zabbix_proxy *proxy)
{
    if (proxy->options.buffer_policy == LEAT_ZABBIX_DROP_OLDEST)
        return lt_zabbix_proxy_make_room(proxy, LT_ZABBIX_HISTORY);
    return proxy->total.rows <= proxy->options.buffer_rows &&
           proxy->total.bytes <= proxy->options.buffer_bytes;
}

/*
 * What was given and sent since the last journal is not known here, so its ids must not be used
 * again: the server would take other values for repetitions. Time tells how many they can be.
 */
static void skip_ids(const struct restored *r)
{
    struct lt_zabbix_queue *values = &r->proxy->queues[LT_ZABBIX_HISTORY];
    int64_t now = lt_zabbix_proxy_now(r->proxy);
    uint64_t elapsed_ms = now > r->at_ms ? (uint64_t)now - (uint64_t)r->at_ms : 0;

    if (elapsed_ms > ELAPSED_MOST)
        elapsed_ms = ELAPSED_MOST;
    lt_zabbix_queue_skip(values, values->next + (elapsed_ms + 1000) * IDS_A_MS);
}

static void make_fresh(leat_zabbix_proxy *proxy)
{
    size_t i;

    for (i = 0; i < LT_ZABBIX_SECTIONS; i++) {
        lt_zabbix_queue_free(&proxy->queues[i]);
        lt_zabbix_queue_init(&proxy->queues[i], &proxy->allocator, 1, &proxy->total);
    }
    proxy->last_id = proxy->acknowledged = proxy->dropped = 0;
}

static const char *why(int status)
{
    switch (status) {
    case LEAT_E_NOMEM:
        return "out of memory";
    case LEAT_E_LIMIT:
        return "more was saved than the limits allow";
    default:
        return "no whole save, or of another proxy";
    }
}

int leat_zabbix_proxy_restore(leat_zabbix_proxy *proxy, const void *data, size_t length,
                              size_t *used)
{
    struct restored restored = {.proxy = proxy, .at_ms = INT64_MIN};
    struct lt_reader in = lt_reader(data, length);
    const uint8_t *start = in.at;
    int status;

    proxy->error.code = LEAT_OK;
    if (!proxy->fresh)
        return lt_error(&proxy->error, LEAT_E_STATE, 0, "the proxy was used already", NULL);
    status = read_log(&restored, &in);
    if (status == LEAT_OK && !keeps_limits(proxy))
        status = LEAT_E_LIMIT;
    if (status == LEAT_OK)
        status = restore_tables(&restored);
    if (status != LEAT_OK) {
        make_fresh(proxy);
        return lt_error(&proxy->error, status, (uint64_t)(in.at - start), why(status), NULL);
    }
    memcpy(proxy->session, restored.session, 32);
    skip_ids(&restored);
    note_saved(proxy);
    proxy->fresh = false;
    proxy->error.code = LEAT_OK; /* of rows that were dropped */
    *used = (size_t)(in.at - start);
    return LEAT_OK;
}
