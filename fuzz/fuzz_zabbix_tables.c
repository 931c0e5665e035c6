/*
 * Tables fed with messages, given, stored away and restored: what they hold can always be handed out
 * and learned again, and a proxy has then what was handed out; what is stored comes back the same.
 *
 * The first octet chooses the version and what the others are: frames, a configuration to load, or
 * stored tables.
 */
#include "tell.h"

#include <leat/builder.h>
#include <leat/zabbix.h>
#include <leat/zabbix_tables.h>
#include <stdbool.h>

static leat_zabbix_tables *make(const char *version)
{
    leat_zabbix_tables *tables;

    if (leat_zabbix_tables_new(NULL, version, (size_t)1 << 22, &tables) != LEAT_OK)
        abort();
    return tables;
}

static void draw(leat_zabbix_tables *tables)
{
    uint64_t told = NOTHING_TOLD;
    const leat_value *row;
    const char *table;
    uint32_t change;

    while (leat_zabbix_tables_change(tables, &change, &table, &row) == LEAT_OK) {
        tell(&told, table, strlen(table));
        tell_value(&told, row);
    }
}

static int learn(leat_zabbix_tables *tables, const void *data, size_t size)
{
    leat_session *session;
    const leat_event *event;
    int status = LEAT_OK;

    if (leat_zabbix_codec_new(NULL, LEAT_FROM_SERVER, &session) != LEAT_OK)
        abort();
    if (leat_feed(session, data, size) != LEAT_OK)
        abort();
    while (leat_next(session, &event) == LEAT_OK) {
        status = leat_zabbix_tables_learn(tables, event);
        if (leat_event_kind(event) != LEAT_ZABBIX_ROW)
            draw(tables);
    }
    (void)leat_zabbix_tables_learn(tables, NULL);
    leat_session_free(session);
    return status;
}

static void load(leat_zabbix_tables *tables, const void *data, size_t size)
{
    leat_builder *builder;

    if (leat_builder_new(NULL, &builder) != LEAT_OK)
        abort();
    if (leat_builder_json(builder, NULL, (const char *)data, size) == LEAT_OK)
        (void)leat_zabbix_tables_load(tables, leat_builder_value(builder));
    leat_builder_free(builder);
    draw(tables);
}

/* Of what can be handed out, nothing is refused. */
static void hand_out(leat_zabbix_tables *tables, const char *version, bool must)
{
    leat_zabbix_tables *proxy = make(version);
    leat_session *session;
    const void *data;
    size_t length;
    int status;

    if (leat_zabbix_codec_new(NULL, LEAT_FROM_SERVER, &session) != LEAT_OK ||
        leat_zabbix_begin(session) != LEAT_OK)
        abort();
    status = leat_zabbix_tables_write(tables, session, 0, 0);
    if (status == LEAT_OK && leat_zabbix_end(session) == LEAT_OK) {
        data = leat_send_data(session, &length);
        status = learn(proxy, data, length);
    }
    if (must && (status != LEAT_OK || leat_zabbix_tables_count(tables, "items") !=
                                          leat_zabbix_tables_count(proxy, "items")))
        abort();
    leat_session_free(session);
    leat_zabbix_tables_free(proxy);
}

/* Twice, as the order of rows may be another one only the first time. */
static void store(leat_zabbix_tables *tables, const char *version)
{
    leat_zabbix_tables *restored = make(version);
    leat_buffer *buffer, *again;
    const void *data, *same;
    size_t length, size;

    if (leat_buffer_new(NULL, &buffer) != LEAT_OK || leat_buffer_new(NULL, &again) != LEAT_OK ||
        leat_zabbix_tables_save(tables, buffer) != LEAT_OK)
        abort();
    data = leat_buffer_data(buffer, &length);
    if (leat_zabbix_tables_restore(restored, data, length) != LEAT_OK ||
        leat_zabbix_tables_save(restored, again) != LEAT_OK)
        abort();
    same = leat_buffer_data(again, &size);
    if (size != length || memcmp(data, same, size) != 0)
        abort();
    leat_buffer_free(again);
    leat_buffer_free(buffer);
    leat_zabbix_tables_free(restored);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const versions[] = {"6.0.14", "7.0.22", "7.4.0", "5.0.0"};
    uint8_t first = size > 0 ? data[0] : 0;
    const char *version = versions[first % 4];
    leat_zabbix_tables *tables = make(version);

    if (size > 0) {
        data++;
        size--;
    }
    if (first / 4 % 3 == 0)
        (void)learn(tables, data, size);
    else if (first / 4 % 3 == 1)
        load(tables, data, size);
    else
        (void)leat_zabbix_tables_restore(tables, data, size);
    hand_out(tables, version, first / 4 % 3 == 1);
    store(tables, version);
    leat_zabbix_tables_free(tables);
    return 0;
}
