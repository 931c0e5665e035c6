/* What agents and senders are answered: that all was processed, and which active checks there are. */
#include "zabbix_live.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define ACTIVE_ITEM 7u /* the type of items that agents check by themselves */

/* Both have the same text. */
static bool same_text(const leat_value *a, const leat_value *b)
{
    size_t length, other;
    const char *text = leat_value_text(a, &length);
    const char *others = leat_value_text(b, &other);

    return length == other && memcmp(text, others, length) == 0;
}

/*
 * Sends what was built. It is no longer our turn if the session refused the message by itself; and what a
 * server once configured may not be fit to be written.
 */
static void respond(leat_session *session, leat_builder *built)
{
    int status;

    need_memory(leat_builder_value(built) == NULL ? LEAT_E_NOMEM : LEAT_OK);
    status = leat_send(session, "response", leat_builder_value(built));
    need_memory(status);
    if (status != LEAT_OK && status != LEAT_E_STATE)
        need_memory(leat_zabbix_refuse(session, "the answer cannot be written"));
}

static bool names_item(const leat_value *row)
{
    return leat_value_get(row, "key") != NULL || leat_value_get(row, "itemid") != NULL;
}

static void answer_data(const struct asker *asker, leat_session *session)
{
    uint64_t us = clock_us() - asker->began_us;
    leat_builder *built;
    char info[160];
    int length =
        snprintf(info, sizeof info,
                 "processed: %" PRIu64 "; failed: %" PRIu64 "; total: %" PRIu64
                 "; seconds spent: %" PRIu64 ".%06" PRIu64,
                 asker->rows - asker->bad, asker->bad, asker->rows, us / 1000000u, us % 1000000u);

    need_memory(leat_builder_new(NULL, &built));
    (void)leat_builder_open(built, NULL, LEAT_RECORD);
    (void)leat_builder_text(built, "response", "success", 7);
    (void)leat_builder_text(built, "info", info, (size_t)length);
    (void)leat_builder_close(built);
    respond(session, built);
    leat_builder_free(built);
}

/* The number of the monitored host of that name; 0: there is none. */
static uint64_t find_host(leat_zabbix_tables *tables, const leat_value *name)
{
    const leat_value *row;
    size_t i;

    for (i = 0; (row = leat_zabbix_tables_at(tables, "hosts", i)) != NULL; i++) {
        if (same_text(leat_value_get(row, "host"), name) &&
            leat_value_u64(leat_value_get(row, "status")) == 0)
            return leat_value_u64(leat_value_get(row, "hostid"));
    }
    return 0;
}

/* A delay in seconds, as agents before 4.4 take it; 0: it is one of another kind. */
static uint64_t delay_seconds(const leat_value *delay)
{
    static const struct {
        char suffix;
        uint64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
    size_t length, i;
    const char *text = leat_value_text(delay, &length);
    uint64_t unit = 1, number;

    for (i = 0; length > 0 && i < sizeof units / sizeof *units; i++) {
        if (text[length - 1] == units[i].suffix) {
            unit = units[i].seconds;
            length--;
            break;
        }
    }
    return length <= 9 && number_read(text, length, 10, &number) ? number * unit : 0;
}

/* The item's row in "data" of the answer. A row that was looked up ends with the next one, so they are copied. */
static void build_check(leat_builder *built, leat_zabbix_tables *tables, const leat_value *item,
                        bool by_id, bool with_timeout)
{
    const leat_value *delay = leat_value_get(item, "delay");
    uint64_t itemid = leat_value_u64(leat_value_get(item, "itemid"));
    const leat_value *position;

    (void)leat_builder_open(built, NULL, LEAT_RECORD);
    (void)leat_builder_copy(built, "key", leat_value_get(item, "key_"));
    if (by_id) {
        (void)leat_builder_u64(built, "itemid", itemid);
        (void)leat_builder_copy(built, "delay", delay);
    } else {
        (void)leat_builder_u64(built, "delay", delay_seconds(delay));
    }
    if (with_timeout)
        (void)leat_builder_copy(built, "timeout", leat_value_get(item, "timeout"));
    position = leat_zabbix_tables_row(tables, "item_rtdata", itemid);
    (void)leat_builder_u64(built, "lastlogsize",
                           leat_value_u64(leat_value_get(position, "lastlogsize")));
    (void)leat_builder_u64(built, "mtime", leat_value_u64(leat_value_get(position, "mtime")));
    (void)leat_builder_close(built);
}

static void build_checks(leat_builder *built, leat_zabbix_tables *tables, uint64_t hostid,
                         bool by_id, bool with_timeout)
{
    const leat_value *item;
    size_t i;

    (void)leat_builder_open(built, "data", LEAT_LIST);
    for (i = 0; (item = leat_zabbix_tables_at(tables, "items", i)) != NULL; i++) {
        if (leat_value_u64(leat_value_get(item, "hostid")) == hostid &&
            leat_value_u64(leat_value_get(item, "type")) == ACTIVE_ITEM &&
            leat_value_u64(leat_value_get(item, "status")) == 0)
            build_check(built, tables, item, by_id, with_timeout);
    }
    (void)leat_builder_close(built);
}

/* All global regular expressions, which items name. */
static void build_regexps(leat_builder *built, leat_zabbix_tables *tables)
{
    static const char *const columns[] = {"expression", "expression_type", "exp_delimiter",
                                          "case_sensitive"};
    size_t i, k;
    const leat_value *row;

    if (leat_zabbix_tables_count(tables, "expressions") == 0)
        return;
    (void)leat_builder_open(built, "regexp", LEAT_LIST);
    for (i = 0; (row = leat_zabbix_tables_at(tables, "expressions", i)) != NULL; i++) {
        uint64_t regexpid = leat_value_u64(leat_value_get(row, "regexpid"));

        (void)leat_builder_open(built, NULL, LEAT_RECORD);
        for (k = 0; k < sizeof columns / sizeof *columns; k++)
            (void)leat_builder_copy(built, columns[k], leat_value_get(row, columns[k]));
        row = leat_zabbix_tables_row(tables, "regexps", regexpid);
        (void)leat_builder_copy(built, "name", leat_value_get(row, "name"));
        (void)leat_builder_close(built);
    }
    (void)leat_builder_close(built);
}

static void refuse_host(leat_session *session, const leat_value *name)
{
    size_t length;
    const char *text = leat_value_text(name, &length);
    char info[300];

    (void)snprintf(info, sizeof info, "host [%.*s] not found", length > 255 ? 255 : (int)length,
                   text);
    /* A name that is cut, or not UTF-8, is not repeated. */
    if (leat_zabbix_refuse(session, info) == LEAT_E_VALUE)
        need_memory(leat_zabbix_refuse(session, "host not found"));
}

static void answer_checks(leat_session *session, const leat_value *request,
                          leat_zabbix_tables *tables, const char *version)
{
    const leat_value *name = leat_value_get(request, "host");
    uint64_t hostid = find_host(tables, name);
    size_t length;
    const char *agent = leat_value_text(leat_value_get(request, "version"), &length);
    bool by_id = version_is_since(agent, length, 4, 4);
    bool with_timeout =
        version_is_since(agent, length, 7, 0) && version_is_since(version, strlen(version), 7, 0);
    leat_builder *built;

    if (hostid == 0) {
        refuse_host(session, name);
        return;
    }
    need_memory(leat_builder_new(NULL, &built));
    (void)leat_builder_open(built, NULL, LEAT_RECORD);
    (void)leat_builder_text(built, "response", "success", 7);
    if (version_is_since(version, strlen(version), 6, 4))
        (void)leat_builder_u64(built, "config_revision", leat_zabbix_tables_revision(tables));
    build_checks(built, tables, hostid, by_id, with_timeout);
    build_regexps(built, tables);
    (void)leat_builder_close(built);
    respond(session, built);
    leat_builder_free(built);
}

void answer(struct asker *asker, leat_session *session, const leat_event *event,
            leat_zabbix_tables *tables, const char *version)
{
    const char *name;
    size_t length;

    if (leat_event_error(event) != NULL && leat_event_kind(event) != LEAT_ZABBIX_ROW)
        return;
    switch (leat_event_kind(event)) {
    case LEAT_ZABBIX_ROW:
        name = leat_event_name(event, &length);
        if (length == 4 && memcmp(name, "data", 4) == 0) {
            asker->rows++;
            asker->bad += names_item(leat_event_value(event)) ? 0 : 1;
        }
        break;
    case LEAT_ZABBIX_AGENT_DATA:
    case LEAT_ZABBIX_SENDER_DATA:
        answer_data(asker, session);
        break;
    case LEAT_ZABBIX_ACTIVE_CHECKS:
        answer_checks(session, leat_event_value(event), tables, version);
        break;
    case LEAT_ZABBIX_AGENT_HEARTBEAT:
        need_memory(leat_zabbix_refuse(session, NULL));
        break;
    default:
        break;
    }
}
