/*
 * A configuration of 100000 items on 1000 hosts: given to a server's tables, sent to a proxy in full
 * and as far as it changed, learned, told, kept. The best of several rounds.
 */
#include "bench.h"
#include "memory.h"
#include "messages.h"

#include <leat/zabbix_tables.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 3
#define HOSTS  1000u
#define EACH   100u /* items of a host */
#define ITEMS  (HOSTS * EACH)

static struct memory memory;
static leat_allocator allocator;
static leat_config config;

/* ---- what the caller gives ---- */

struct text {
    char *octets;
    size_t length;
    size_t size;
};

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
static void
put(struct text *text, const char *format, ...)
{
    va_list arguments;

    if (text->size - text->length < 1024) {
        text->size = text->size * 2 + 4096;
        text->octets = (char *)must(realloc(text->octets, text->size));
    }
    va_start(arguments, format);
    text->length += (size_t)vsnprintf(text->octets + text->length, text->size - text->length,
                                      format, arguments);
    va_end(arguments);
}

static void put_items(struct text *text, unsigned changed)
{
    unsigned i;

    put(text, "\"items\":[");
    for (i = 0; i < ITEMS; i++)
        put(text,
            "%s{\"itemid\":%u,\"type\":0,\"hostid\":%u,\"interfaceid\":%u,"
            "\"key_\":\"vfs.fs.size[/srv/%u,%s]\",\"delay\":\"%us\",\"value_type\":3}",
            i == 0 ? "" : ",", 100000 + i, 10000 + i / EACH, 20000 + i / EACH, i % EACH,
            i % 2 == 0 ? "free" : "total", i < changed ? 30 : 60);
    put(text, "]");
}

/* Of so many items the delay is another one. */
static leat_builder *configuration(unsigned changed)
{
    struct text text = {NULL, 0, 0};
    leat_builder *builder;
    unsigned i;

    put(&text, "{\"hosts\":[");
    for (i = 0; i < HOSTS; i++)
        put(&text, "%s{\"hostid\":%u,\"host\":\"host-%u\",\"name\":\"Host %u\"}", i == 0 ? "" : ",",
            10000 + i, i, i);
    put(&text, "],\"interface\":[");
    for (i = 0; i < HOSTS; i++)
        put(&text,
            "%s{\"interfaceid\":%u,\"hostid\":%u,\"main\":1,\"type\":1,\"useip\":1,"
            "\"ip\":\"10.0.%u.%u\",\"port\":\"10050\"}",
            i == 0 ? "" : ",", 20000 + i, 10000 + i, i / 250, i % 250);
    put(&text, "],");
    put_items(&text, changed);
    put(&text, "}");
    check(leat_builder_new(NULL, &builder));
    check(leat_builder_json(builder, NULL, text.octets, text.length));
    free(text.octets);
    return builder;
}

/* ---- what is sent ---- */

static leat_zabbix_tables *new_tables(void)
{
    leat_zabbix_tables *tables;

    check(leat_zabbix_tables_new(&config, MESSAGE_VERSION, 0, &tables));
    return tables;
}

static leat_session *new_codec(void)
{
    leat_session *session;

    check(leat_zabbix_codec_new(NULL, LEAT_FROM_SERVER, &session));
    return session;
}

/* What the tables have for a proxy of that revision, in the session's output. Seconds. */
static double write_tables(leat_zabbix_tables *tables, leat_session *session, uint64_t since,
                           int compressed)
{
    double start = cpu();

    check(leat_zabbix_compress(session, compressed));
    check(leat_zabbix_begin(session));
    check(leat_zabbix_tables_write(tables, session, since, 0));
    check(leat_zabbix_end(session));
    return cpu() - start;
}

/* Learns what waits in that output. Seconds. */
static double learn(leat_zabbix_tables *tables, leat_session *from)
{
    leat_session *session = new_codec();
    const leat_event *event;
    size_t length;
    double start = cpu();
    const uint8_t *data;

    while ((data = (const uint8_t *)leat_send_data(from, &length)) != NULL) {
        length = length < FEED_BYTES ? length : FEED_BYTES;
        check(leat_feed(session, data, length));
        check(leat_send_done(from, length));
        while (leat_next(session, &event) == LEAT_OK)
            check(leat_zabbix_tables_learn(tables, event));
    }
    leat_session_free(session);
    return cpu() - start;
}

/* Draws all changes. Seconds. */
static double draw_changes(leat_zabbix_tables *tables, size_t *changes)
{
    double start = cpu();
    const leat_value *row;
    const char *table;
    uint32_t change;
    int status;

    *changes = 0;
    while ((status = leat_zabbix_tables_change(tables, &change, &table, &row)) == LEAT_OK)
        ++*changes;
    if (status != LEAT_END)
        check(status);
    return cpu() - start;
}

static double look_up(leat_zabbix_tables *tables)
{
    double start = cpu();
    unsigned i;

    for (i = 0; i < ITEMS; i++) {
        const leat_value *row = leat_zabbix_tables_row(tables, "items", 100000 + i * 7 % ITEMS);

        if (leat_value_u64(leat_value_first(row)) != 100000 + i * 7 % ITEMS)
            die("another row");
    }
    return cpu() - start;
}

/* ---- figures ---- */

/* Rows of all tables that are there. */
static size_t rows_of(const leat_zabbix_tables *tables)
{
    static const char *const names[] = {"hosts",       "interface", "items",
                                        "item_rtdata", "config",    "config_autoreg_tls"};
    size_t rows = 0, i;

    for (i = 0; i < sizeof names / sizeof *names; i++)
        rows += leat_zabbix_tables_count(tables, names[i]);
    return rows;
}

static void print(const char *name, double seconds, const char *beside, double figure)
{
    (void)printf("  %-44s %9.2f ms", name, seconds * 1e3);
    if (beside != NULL)
        (void)printf(" %12.0f %s", figure, beside);
    (void)printf("\n");
}

static double load(leat_zabbix_tables *tables, const leat_builder *builder)
{
    double start = cpu();

    check(leat_zabbix_tables_load(tables, leat_builder_value(builder)));
    return cpu() - start;
}

static size_t waiting(const leat_session *session)
{
    size_t length;

    (void)leat_send_data(session, &length);
    return length;
}

/* The whole of it, plain and compressed. Returns the length of the text. */
static size_t bench_full(leat_zabbix_tables *server, leat_zabbix_tables *proxy)
{
    leat_session *session = new_codec();
    size_t length, text, changes;
    double seconds = write_tables(server, session, 0, 0);

    text = waiting(session);
    print("sent in full, plain", seconds, "octets", (double)text);
    check(leat_send_done(session, text));
    seconds = write_tables(server, session, 0, 1);
    length = waiting(session);
    print("sent in full, compressed", seconds, "octets", (double)length);
    seconds = learn(proxy, session);
    print("learned", seconds, NULL, 0);
    seconds = draw_changes(proxy, &changes);
    print("told", seconds, "changes", (double)changes);
    if (changes != rows_of(proxy) || rows_of(proxy) != rows_of(server))
        die("another number of changes");
    leat_session_free(session);
    return text;
}

/* What changed since the proxy's revision; other items were changed before. */
static void bench_update(leat_zabbix_tables *server, leat_zabbix_tables *proxy, unsigned before,
                         unsigned items)
{
    leat_builder *builder = configuration(before + items);
    leat_session *session = new_codec();
    size_t changes;
    double seconds;

    (void)printf("%u items changed\n", items);
    print("given to the server", load(server, builder), NULL, 0);
    seconds = draw_changes(server, &changes);
    print("told to its caller", seconds, "changes", (double)changes);
    if (changes != items)
        die("another number of changes");
    seconds = write_tables(server, session, leat_zabbix_tables_revision(proxy), 1);
    print("sent, compressed", seconds, "octets", (double)waiting(session));
    print("learned", learn(proxy, session), NULL, 0);
    seconds = draw_changes(proxy, &changes);
    print("told", seconds, "changes", (double)changes);
    if (changes != items ||
        leat_zabbix_tables_revision(proxy) != leat_zabbix_tables_revision(server))
        die("the proxy does not have what its server has");
    leat_session_free(session);
    leat_builder_free(builder);
}

static void bench_keeping(leat_zabbix_tables *tables)
{
    leat_zabbix_tables *restored = new_tables();
    leat_buffer *buffer;
    double start = cpu();
    const void *data;
    size_t length;

    check(leat_buffer_new(NULL, &buffer));
    check(leat_zabbix_tables_save(tables, buffer));
    data = leat_buffer_data(buffer, &length);
    print("saved", cpu() - start, "octets", (double)length);
    start = cpu();
    check(leat_zabbix_tables_restore(restored, data, length));
    print("restored", cpu() - start, NULL, 0);
    if (rows_of(restored) != rows_of(tables))
        die("another number of rows was restored");
    leat_buffer_free(buffer);
    leat_zabbix_tables_free(restored);
}

int main(void)
{
    leat_zabbix_tables *server, *proxy;
    leat_builder *builder = configuration(0);
    size_t text, rows, before;
    double seconds;

    allocator = memory_allocator(&memory);
    leat_config_init(&config, sizeof config);
    config.allocator = &allocator;
    server = new_tables();
    proxy = new_tables();
    (void)printf("%u items of %u hosts\n", ITEMS, HOSTS);
    seconds = load(server, builder);
    print("given to the server", seconds, "octets at most", (double)memory.most);
    before = memory.most = memory.held;
    text = bench_full(server, proxy);
    rows = rows_of(server);
    (void)printf(
        "  %zu rows; for each %.0f octets of text, %.0f of memory of the server, %.0f of the "
        "proxy (while it learned %.0f)\n",
        rows, (double)text / (double)rows, (double)leat_zabbix_tables_memory(server) / (double)rows,
        (double)leat_zabbix_tables_memory(proxy) / (double)rows,
        (double)(memory.most - before) / (double)rows);
    print("every item looked up", look_up(proxy), NULL, 0);
    bench_keeping(proxy);
    bench_update(server, proxy, 0, 0);
    bench_update(server, proxy, 0, 1);
    bench_update(server, proxy, 1, 1000);
    leat_builder_free(builder);
    leat_zabbix_tables_free(server);
    leat_zabbix_tables_free(proxy);
    if (memory.held != 0)
        die("memory was lost");
    return 0;
}
