/*
 * Tables of a configuration: what real servers sent, learned and handed out again; what each message
 * changes; what is refused; and that a proxy which is sent what it lacks has what its server has.
 */
#include "../support.h"

#include <leat/zabbix.h>
#include <leat/zabbix_tables.h>
#include <stdarg.h>
#include <stdio.h>

/* For loops over rows: each ck_assert() writes to a file. */
#define MUST(what)                                                                                 \
    do {                                                                                           \
        if (!(what))                                                                               \
            ck_abort_msg("not so: %s", #what);                                                     \
    } while (0)

static const char *const names[] = {
    "hosts",          "interface",    "interface_snmp", "host_inventory", "items",
    "item_rtdata",    "item_preproc", "item_parameter", "globalmacro",    "hosts_templates",
    "hostmacro",      "drules",       "dchecks",        "regexps",        "expressions",
    "hstgrp",         "config",       "settings",       "httptest",       "httptestitem",
    "httptest_field", "httpstep",     "httpstepitem",   "httpstep_field", "config_autoreg_tls",
    "proxy",          "host_proxy",   "macro.secrets",
};
#define NAMES (sizeof names / sizeof *names)

static leat_zabbix_tables *tables_of(const char *version)
{
    leat_zabbix_tables *tables;

    ck_assert_int_eq(leat_zabbix_tables_new(NULL, version, 0, &tables), LEAT_OK);
    return tables;
}

static leat_session *codec(const leat_config *config)
{
    leat_session *session;

    return leat_zabbix_codec_new(config, LEAT_FROM_SERVER, &session) == LEAT_OK ? session : NULL;
}

/* Learns every configuration in a stream of frames; the requests between them are left out. */
static int learn_stream(leat_zabbix_tables *tables, const leat_config *config, const void *data,
                        size_t length)
{
    leat_session *session = codec(config);
    const leat_event *event;
    int status = session == NULL ? LEAT_E_NOMEM : leat_feed(session, data, length);
    int next = LEAT_END;
    bool refused = false;

    while ((status == LEAT_OK || refused) && (next = leat_next(session, &event)) == LEAT_OK) {
        const leat_value *value = leat_event_value(event);
        int learned;

        if (leat_value_get(value, "request") != NULL && leat_value_get(value, "data") == NULL)
            continue;
        learned = leat_zabbix_tables_learn(tables, event);
        MUST(!refused || learned == status); /* so is the rest of the message */
        refused = learned != LEAT_OK;
        status = learned;
    }
    leat_session_free(session);
    return status != LEAT_OK ? status : next < 0 ? next : LEAT_OK;
}

/* One message, of that text. */
static int learn_text(leat_zabbix_tables *tables, const char *text)
{
    struct t_bytes frame = t_hex("5a425844 01 00000000 00000000");
    size_t length = strlen(text), i;
    int status;

    for (i = 0; i < 4; i++)
        frame.data[5 + i] = (uint8_t)(length >> 8 * i);
    t_append(&frame, text, length);
    status = learn_stream(tables, NULL, frame.data, frame.length);
    t_free(frame);
    return status;
}

static int learn_file(leat_zabbix_tables *tables, const char *path)
{
    struct t_bytes bytes = t_capture(path, "server>proxy", 0);
    int status = learn_stream(tables, NULL, bytes.data, bytes.length);

    t_free(bytes);
    return status;
}

static int load_text(leat_zabbix_tables *tables, const char *text)
{
    leat_builder *builder = t_json(text, strlen(text));
    int status = leat_zabbix_tables_load(tables, leat_builder_value(builder));

    leat_builder_free(builder);
    return status;
}

/* What tables write for such a proxy, as a frame. */
static int written(leat_zabbix_tables *tables, const leat_config *config, uint64_t since,
                   uint64_t hostmap, struct t_bytes *frame)
{
    leat_session *session = codec(config);
    const void *data;
    size_t length;
    int status = session == NULL ? LEAT_E_NOMEM : leat_zabbix_begin(session);

    *frame = t_copy("", 0);
    if (status == LEAT_OK)
        status = leat_zabbix_tables_write(tables, session, since, hostmap);
    if (status == LEAT_OK)
        status = leat_zabbix_end(session);
    if (status == LEAT_OK) {
        data = leat_send_data(session, &length);
        t_append(frame, data, length);
    }
    leat_session_free(session);
    return status;
}

/* What the message would be, without its header; yours to free. */
static char *written_text(leat_zabbix_tables *tables, uint64_t since, uint64_t hostmap)
{
    struct t_bytes frame;
    char *text;

    ck_assert_int_eq(written(tables, NULL, since, hostmap, &frame), LEAT_OK);
    text = calloc(1, frame.length);
    ck_assert(text != NULL && frame.length > 13);
    memcpy(text, frame.data + 13, frame.length - 13);
    t_free(frame);
    return text;
}

static void ck_writes(leat_zabbix_tables *tables, uint64_t since, uint64_t hostmap,
                      const char *expected)
{
    char *text = written_text(tables, since, hostmap);

    ck_assert_str_eq(text, expected);
    free(text);
}

/* The proxy asks its server. */
static void sync(leat_zabbix_tables *proxy, leat_zabbix_tables *server)
{
    struct t_bytes frame;

    ck_assert_int_eq(written(server, NULL, leat_zabbix_tables_revision(proxy),
                             leat_zabbix_tables_hostmap_revision(proxy), &frame),
                     LEAT_OK);
    if (learn_stream(proxy, NULL, frame.data, frame.length) != LEAT_OK)
        ck_abort_msg("%s (%s)", leat_error_text(leat_zabbix_tables_error(proxy)),
                     leat_error_field(leat_zabbix_tables_error(proxy)));
    t_free(frame);
}

/* Every row of one is in the other. */
static void within(leat_zabbix_tables *a, leat_zabbix_tables *b, const char *name)
{
    const leat_value *row;
    size_t i, k;

    for (i = 0; (row = leat_zabbix_tables_at(a, name, i)) != NULL; i++) {
        const leat_value *first = leat_value_first(row), *other = NULL;

        if (leat_value_kind(first) == LEAT_UINT) {
            other = leat_zabbix_tables_row(b, name, leat_value_u64(first));
        } else {
            for (k = 0; !leat_value_equal(row, other); k++) {
                other = leat_zabbix_tables_at(b, name, k);
                MUST(other != NULL);
            }
        }
        if (!leat_value_equal(row, other)) {
            char *one = t_json_text(row), *two = t_json_text(other);

            ck_abort_msg("%s: %s is not %s", name, one, two);
        }
    }
}

static void ck_same(leat_zabbix_tables *a, leat_zabbix_tables *b)
{
    size_t i;

    for (i = 0; i < NAMES; i++) {
        if (leat_zabbix_tables_count(a, names[i]) != leat_zabbix_tables_count(b, names[i]))
            ck_abort_msg("%s: %zu and %zu rows", names[i], leat_zabbix_tables_count(a, names[i]),
                         leat_zabbix_tables_count(b, names[i]));
        within(a, b, names[i]);
    }
}

/* Draws all changes: "added hosts 2, changed ..." in the order of their first one. */
static void ck_changes(leat_zabbix_tables *tables, const char *expected)
{
    static const char *const words[] = {"?", "added", "changed", "removed"};
    size_t count[4][NAMES + 1] = {{0}};
    char text[4000] = "";
    const char *table;
    const leat_value *row;
    uint32_t change;
    size_t i, k;
    int status;

    while ((status = leat_zabbix_tables_change(tables, &change, &table, &row)) == LEAT_OK) {
        for (i = 0; i < NAMES && strcmp(names[i], table) != 0; i++)
            ;
        MUST(change >= 1 && change <= 3);
        MUST(leat_value_kind(row) == LEAT_RECORD);
        MUST(change != LEAT_ZABBIX_REMOVED || i == NAMES - 1 || leat_value_count(row) == 1);
        count[change][i]++;
    }
    ck_assert_int_eq(status, LEAT_END);
    for (k = 1; k < 4; k++) {
        for (i = 0; i <= NAMES; i++) {
            size_t at = strlen(text);

            if (count[k][i] > 0)
                snprintf(text + at, sizeof text - at, "%s%s %s %zu", at > 0 ? ", " : "", words[k],
                         i < NAMES ? names[i] : "other", count[k][i]);
        }
    }
    ck_assert_str_eq(text, expected);
}

/* Recorded messages, one after another. */
static const struct {
    const char *version;
    const char *file;
    int fresh; /* a proxy that has nothing yet */
    uint64_t revision;
    const char *changes;
} recorded[] = {
    {"7.0.22", "7.0.22/01-active-config-full-sync", 1, 4,
     "added hosts 1, added interface 2, added interface_snmp 1, added items 19, "
     "added item_rtdata 19, added item_preproc 1, added globalmacro 1, added hostmacro 3, "
     "added drules 1, added dchecks 2, added regexps 5, added expressions 10, added config 1, "
     "added httptest 1, added httptestitem 3, added httptest_field 1, added httpstep 1, "
     "added httpstepitem 3, added config_autoreg_tls 1"},
    {"7.0.22", "7.0.22/01-active-config-full-sync", 0, 4, ""},
    {"7.0.22", "7.0.22/02-active-config-empty-data", 0, 6, ""},
    {"7.0.22", "7.0.22/03-active-config-item-change", 0, 14,
     "changed interface 1, changed items 1"},
    {"7.0.22", "7.0.22/04-active-config-macro-change", 0, 15, "added hostmacro 1"},
    {"7.0.22", "7.0.22/05-active-config-macros-deleted", 0, 19, "removed hostmacro 4"},
    {"7.0.22", "7.0.22/76-active-config-proxy-group", 0, 17,
     "added hosts 2, added items 2, added item_rtdata 2, added proxy 2, added host_proxy 4"},
    {"7.0.22", "7.0.22/77-active-config-proxy-group-hostmap", 0, 38,
     "added hosts 2, added items 2, added item_rtdata 2, changed host_proxy 2"},
    {"7.0.22", "7.0.22/02-active-config-empty-data", 0, 6, "removed proxy 2, removed host_proxy 4"},
    {"7.0.22", "7.0.22/06-passive-config-full-sync", 1, 5,
     "added hosts 1, added interface 1, added items 3, added item_rtdata 3, "
     "added globalmacro 1, added drules 1, added dchecks 1, added regexps 5, "
     "added expressions 10, added config 1, added config_autoreg_tls 1"},
    {"7.0.22", "7.0.22/07-passive-config-empty-data", 0, 7, ""},
    {"7.0.22", "7.0.22/08-passive-config-host-removed", 0, 63,
     "removed hosts 1, removed interface 1, removed items 3, removed item_rtdata 3"},
    {"7.0.22", "7.0.22/33-fake-config-empty", 0, 63, ""},
    {"6.0.14", "6.0.14/03-passive-config-uncompressed", 1, 1,
     "added hosts 1, added interface 1, added items 3, added item_rtdata 3, "
     "added globalmacro 1, added drules 1, added dchecks 1, added regexps 5, "
     "added expressions 10, added hstgrp 1, added config 1, added config_autoreg_tls 1"},
    {"6.0.14", "6.0.14/04-passive-config-compressed", 0, 2, ""},
    {"6.0.14", "6.0.14/01-active-config-full", 1, 1,
     "added hosts 1, added interface 2, added interface_snmp 1, added items 19, "
     "added item_rtdata 19, added item_preproc 1, added globalmacro 1, added hostmacro 3, "
     "added drules 1, added dchecks 2, added regexps 5, added expressions 10, added hstgrp 1, "
     "added config 1, added httptest 1, added httptestitem 3, added httptest_field 1, "
     "added httpstep 1, added httpstepitem 3, added config_autoreg_tls 1"},
};

START_TEST(recordings)
{
    leat_zabbix_tables *proxy = NULL, *other;
    struct t_bytes frame;
    char path[100];
    size_t i;

    for (i = 0; i < sizeof recorded / sizeof *recorded; i++) {
        if (recorded[i].fresh) {
            leat_zabbix_tables_free(proxy);
            proxy = tables_of(recorded[i].version);
        }
        snprintf(path, sizeof path, "zabbix/%s.jsonl", recorded[i].file);
        ck_assert_int_eq(learn_file(proxy, path), LEAT_OK);
        ck_assert_uint_eq(leat_zabbix_tables_revision(proxy), recorded[i].revision);
        ck_changes(proxy, recorded[i].changes);

        /* What was learned can be handed out. */
        other = tables_of(recorded[i].version);
        ck_assert_int_eq(written(proxy, NULL, 0, 0, &frame), LEAT_OK);
        ck_assert_int_eq(learn_stream(other, NULL, frame.data, frame.length), LEAT_OK);
        t_free(frame);
        ck_same(proxy, other);
        leat_zabbix_tables_free(other);
    }
    leat_zabbix_tables_free(proxy);
}
END_TEST

/* A configuration as text, being written. */
struct text {
    char octets[60000];
    size_t length;
};

static void put(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct text *text, const char *format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(text->octets + text->length, sizeof text->octets - text->length, format,
                       arguments);
    va_end(arguments);
    MUST(length >= 0 && (size_t)length < sizeof text->octets - text->length);
    text->length += (size_t)length;
}

/* A comma behind all but the first. */
static void next_row(struct text *text)
{
    if (text->octets[text->length - 1] != '[')
        put(text, ",");
}

#define HOSTS 6u
/* What a host of the model has; each number may change from one edit to the next. */
struct model {
    struct {
        unsigned there, items, name, web, macros, templates, dependent;
    } host[HOSTS];
    unsigned globals, rules, checks, regexps, config, autoreg, group, members, map, secrets;
};

static uint32_t chance(uint32_t *seed, uint32_t range)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % range;
}

static void edit(struct model *model, uint32_t *seed)
{
    unsigned *host = &model->host[chance(seed, HOSTS)].there;
    unsigned *global = &model->globals;

    if (chance(seed, 3) > 0)
        host[chance(seed, sizeof model->host[0] / sizeof *host)] = chance(seed, 4);
    else
        global[chance(seed, 10)] = chance(seed, 4);
}

static void put_hosts(struct text *text, const struct model *model)
{
    unsigned h, i;

    put(text, "\"hosts\":[");
    for (h = 0; h < HOSTS; h++) {
        if (model->host[h].there > 0) {
            next_row(text);
            put(text, "{\"hostid\":%u,\"host\":\"h%u-%u\"}", h + 1, h, model->host[h].name);
        }
    }
    put(text, "],\"interface\":[");
    for (h = 0; h < HOSTS; h++) {
        if (model->host[h].there > 1) {
            next_row(text);
            put(text, "{\"interfaceid\":%u,\"hostid\":%u}", h + 11, h + 1);
        }
    }
    put(text, "],\"interface_snmp\":[");
    for (h = 0; h < HOSTS; h++) {
        if (model->host[h].there > 2) {
            next_row(text);
            put(text, "{\"interfaceid\":%u,\"version\":2}", h + 11);
        }
    }
    put(text, "],\"items\":[");
    for (h = 0; h < HOSTS; h++) {
        /* Dependent items come in front of their masters: they are sent behind them. */
        for (i = 0; model->host[h].there > 0 && i < model->host[h].items; i++) {
            next_row(text);
            put(text, "{\"itemid\":%u,\"hostid\":%u,\"master_itemid\":", (h + 1) * 100 + i, h + 1);
            if (i + 1 < model->host[h].items && model->host[h].dependent > 1)
                put(text, "%u}", (h + 1) * 100 + i + 1);
            else
                put(text, "null}");
        }
    }
    put(text, "]");
}

static void put_web(struct text *text, const struct model *model)
{
    unsigned h, i;

    put(text, ",\"httptest\":[");
    for (h = 0; h < HOSTS; h++) {
        for (i = 0; model->host[h].there > 0 && i < model->host[h].web; i++) {
            next_row(text);
            put(text, "{\"httptestid\":%u,\"hostid\":%u}", h * 10 + i + 1, h + 1);
        }
    }
    put(text, "],\"httpstep\":[");
    for (h = 0; h < HOSTS; h++) {
        if (model->host[h].there > 0 && model->host[h].web > 1) {
            next_row(text);
            put(text, "{\"httpstepid\":%u,\"httptestid\":%u}", h + 1, h * 10 + 1);
        }
    }
    put(text, "],\"httpstep_field\":[");
    for (h = 0; h < HOSTS; h++) {
        if (model->host[h].there > 0 && model->host[h].web > 1) {
            next_row(text);
            put(text, "{\"httpstep_fieldid\":%u,\"httpstepid\":%u,\"value\":\"%u\"}", h + 1, h + 1,
                model->host[h].web);
        }
    }
    put(text, "]");
}

static void put_macros(struct text *text, const struct model *model)
{
    unsigned h, i;

    put(text, ",\"hostmacro\":[");
    for (h = 0; h < HOSTS; h++) {
        for (i = 0; model->host[h].there > 0 && i < model->host[h].macros; i++) {
            next_row(text);
            put(text, "{\"hostmacroid\":%u,\"hostid\":%u,\"type\":%u}", h * 10 + i + 1, h + 1,
                i == 2 ? 2u : 0u);
        }
    }
    put(text, "],\"hosts_templates\":[");
    for (h = 0; h < HOSTS; h++) {
        if (model->host[h].there > 0 && model->host[h].templates > 1) {
            next_row(text);
            put(text, "{\"hosttemplateid\":%u,\"hostid\":%u,\"templateid\":%u}", h + 1, h + 1,
                h + 1);
        }
    }
    put(text, "]");
}

static void put_rest(struct text *text, const struct model *model, const char *version)
{
    unsigned i;

    put(text, ",\"globalmacro\":[");
    for (i = 0; i < model->globals; i++)
        put(text, "%s{\"globalmacroid\":%u}", i > 0 ? "," : "", i + 1);
    put(text, "],\"drules\":[{\"druleid\":1,\"name\":\"%u\"}],\"dchecks\":[", model->rules);
    for (i = 0; i < model->checks; i++)
        put(text, "%s{\"dcheckid\":%u,\"druleid\":1}", i > 0 ? "," : "", i + 1);
    put(text, "],\"regexps\":[{\"regexpid\":1}],\"expressions\":[");
    for (i = 0; i < model->regexps; i++)
        put(text, "%s{\"expressionid\":%u,\"regexpid\":1}", i > 0 ? "," : "", i + 1);
    put(text, "],\"config_autoreg_tls\":[{\"autoreg_tlsid\":1,\"tls_psk\":\"%u\"}]",
        model->autoreg);
    if (strcmp(version, "7.4.1") == 0)
        put(text, ",\"settings\":[{\"name\":\"hk_history\",\"value_str\":\"%ud\"}]", model->config);
    else
        put(text, ",\"config\":[{\"configid\":1,\"hk_history\":\"%ud\"}]", model->config);
    if (model->secrets > 0 && strcmp(version, "5.2") >= 0)
        put(text, ",\"macro.secrets\":{\"p/q\":{\"k\":\"%u\"}}", model->secrets);
    if (strcmp(version, "7.0") < 0 || model->group == 0)
        return;
    put(text, ",\"proxy_group\":{\"failover_delay\":\"%us\"},\"proxy\":[", model->group);
    for (i = 0; i <= model->members; i++)
        put(text, "%s{\"proxyid\":%u}", i > 0 ? "," : "", i + 1);
    put(text, "],\"host_proxy\":[");
    for (i = 0; i < model->map; i++)
        put(text, "%s{\"hostproxyid\":%u,\"proxyid\":%u}", i > 0 ? "," : "", i + 1,
            i % (model->members + 1) + 1);
    put(text, "]");
}

static void load_model(leat_zabbix_tables *server, const struct model *model, const char *version)
{
    struct text text;

    text.length = 0;
    put(&text, "{");
    put_hosts(&text, model);
    put_web(&text, model);
    put_macros(&text, model);
    put_rest(&text, model, version);
    put(&text, "}");
    if (load_text(server, text.octets) != LEAT_OK)
        ck_abort_msg("%s (%s) in %s", leat_error_text(leat_zabbix_tables_error(server)),
                     leat_error_field(leat_zabbix_tables_error(server)), text.octets);
}

/* What is gone of the secrets may stay: an update brings only those of its macros. */
static void forget_secrets(leat_zabbix_tables *proxy, const struct model *model)
{
    if (model->secrets == 0)
        leat_zabbix_tables_forget(proxy);
}

static const char *const versions[] = {"5.0.1", "5.4.0",  "6.0.14", "6.2.0",
                                       "6.4.9", "7.0.22", "7.2.0",  "7.4.1"};

/* Up to 6.2 what hangs on items is left out when there are none, and goes with them all the same. */
START_TEST(no_items_any_more)
{
    static const char hosts[] = "{\"hosts\":{\"fields\":[\"hostid\"],\"data\":[[1]]},";
    leat_zabbix_tables *tables = tables_of("6.0.14");
    char text[400];

    (void)snprintf(text, sizeof text,
                   "%s\"items\":{\"fields\":[\"itemid\",\"hostid\"],\"data\":[[2,1]]},"
                   "\"item_rtdata\":{\"fields\":[\"itemid\"],\"data\":[[2]]},\"macro.secrets\":{}}",
                   hosts);
    ck_assert_int_eq(learn_text(tables, text), LEAT_OK);
    ck_assert_uint_eq(leat_zabbix_tables_count(tables, "item_rtdata"), 1);
    (void)snprintf(text, sizeof text,
                   "%s\"items\":{\"fields\":[\"itemid\",\"hostid\"],\"data\":[]},"
                   "\"macro.secrets\":{}}",
                   hosts);
    ck_assert_int_eq(learn_text(tables, text), LEAT_OK);
    ck_assert_uint_eq(leat_zabbix_tables_count(tables, "items"), 0);
    ck_assert_uint_eq(leat_zabbix_tables_count(tables, "item_rtdata"), 0);
    ck_assert_uint_eq(leat_zabbix_tables_count(tables, "hosts"), 1);
    leat_zabbix_tables_free(tables);
}
END_TEST

/* Three proxies, one of which is always late and one of which restarts, have what the server has. */
START_TEST(converge)
{
    const char *version = versions[_i];
    leat_zabbix_tables *server = tables_of(version), *quick = tables_of(version);
    leat_zabbix_tables *late = tables_of(version), *saved = tables_of(version);
    struct model model;
    leat_buffer *buffer;
    const void *data;
    uint32_t seed = 1;
    unsigned round, edits;
    size_t length;

    memset(&model, 0, sizeof model);
    ck_assert_int_eq(leat_buffer_new(NULL, &buffer), LEAT_OK);
    for (round = 0; round < 400; round++) {
        for (edits = chance(&seed, 3) + 1; edits > 0; edits--)
            edit(&model, &seed);
        load_model(server, &model, version);
        forget_secrets(quick, &model);
        sync(quick, server);
        ck_same(server, quick);
        if (chance(&seed, 8) == 0) {
            forget_secrets(late, &model);
            sync(late, server);
            ck_same(server, late);
        }
        if (chance(&seed, 8) == 0) {
            /* Both ends are stored away and come back. */
            leat_buffer_clear(buffer);
            ck_assert_int_eq(leat_zabbix_tables_save(server, buffer), LEAT_OK);
            data = leat_buffer_data(buffer, &length);
            ck_assert_int_eq(leat_zabbix_tables_restore(server, data, length), LEAT_OK);
            leat_buffer_clear(buffer);
            ck_assert_int_eq(leat_zabbix_tables_save(quick, buffer), LEAT_OK);
            data = leat_buffer_data(buffer, &length);
            ck_assert_int_eq(leat_zabbix_tables_restore(saved, data, length), LEAT_OK);
            ck_same(quick, saved);
            forget_secrets(saved, &model);
            sync(saved, server);
            ck_same(server, saved);
        }
    }
    leat_buffer_free(buffer);
    leat_zabbix_tables_free(saved);
    leat_zabbix_tables_free(late);
    leat_zabbix_tables_free(quick);
    leat_zabbix_tables_free(server);
}
END_TEST

/* What would break real proxies is not taken, and nothing changes. */
static const struct {
    const char *name;
    const char *version;
    const char *text;
    const char *field;
} refused_loads[] = {
    {"not a record", "7.0", "[]", ""},
    {"unknown table", "7.0", "{\"foo\":[]}", ""},
    {"table of a later version", "6.0", "{\"host_inventory\":[]}", ""},
    {"table of an earlier version", "7.4", "{\"config\":[]}", ""},
    {"table that is none", "7.0", "{\"hosts\":1}", "hosts"},
    {"row that is none", "7.0", "{\"hosts\":[1]}", ""},
    {"unknown column", "7.0", "{\"hosts\":[{\"hostid\":1,\"foo\":1}]}", ""},
    {"column of a later version", "6.0", "{\"drules\":[{\"druleid\":1,\"concurrency_max\":0}]}",
     ""},
    {"column twice", "7.0", "{\"hosts\":[{\"hostid\":1,\"host\":\"a\",\"host\":\"b\"}]}", "host"},
    {"no identifier", "7.0", "{\"hosts\":[{\"host\":\"a\"}]}", "hostid"},
    {"0 as an identifier", "7.0", "{\"hosts\":[{\"hostid\":0}]}", "hostid"},
    {"identifier below 0", "7.0", "{\"hosts\":[{\"hostid\":\"-5\"}]}", "hostid"},
    {"table twice", "7.0", "{\"hosts\":[{\"hostid\":1}],\"items\":[],\"hosts\":[]}", ""},
    {"null identifier", "7.0", "{\"hosts\":[{\"hostid\":null}]}", "hostid"},
    {"row twice", "7.0", "{\"hosts\":[{\"hostid\":1},{\"hostid\":1}]}", "hostid"},
    {"row twice, once as text", "7.0", "{\"hosts\":[{\"hostid\":1},{\"hostid\":\"1\"}]}", "hostid"},
    {"number that is none", "7.0", "{\"hosts\":[{\"hostid\":\"a\"}]}", "hostid"},
    {"real number", "7.0", "{\"hosts\":[{\"hostid\":1.5}]}", "hostid"},
    {"null number", "7.0", "{\"hosts\":[{\"hostid\":1,\"status\":null}]}", "status"},
    {"null text", "7.0", "{\"hosts\":[{\"hostid\":1,\"host\":null}]}", "host"},
    {"text of two lists", "7.0", "{\"hosts\":[{\"hostid\":1,\"host\":[]}]}", "host"},
    {"zero octet", "7.0", "{\"hosts\":[{\"hostid\":1,\"host\":\"a\\u0000\"}]}", "host"},
    {"short row", "7.0", "{\"hosts\":{\"fields\":[\"hostid\",\"host\"],\"data\":[[1]]}}", ""},
    {"long row", "7.0", "{\"hosts\":{\"fields\":[\"hostid\"],\"data\":[[1,\"a\"]]}}", ""},
    {"no fields", "7.0", "{\"hosts\":{\"data\":[[1]]}}", "hosts"},
    {"0 as a reference", "7.0",
     "{\"hosts\":[{\"hostid\":1}],\"items\":[{\"itemid\":1,\"hostid\":1,\"interfaceid\":0}]}",
     "interfaceid"},
    {"0 as a reference, as text", "6.0",
     "{\"hosts\":[{\"hostid\":1}],\"items\":[{\"itemid\":1,\"hostid\":1,\"interfaceid\":\"0\"}]}",
     "interfaceid"},
    {"host that is not there", "7.0", "{\"items\":[{\"itemid\":1,\"hostid\":1}]}", "hostid"},
    {"interface that is not there", "6.0",
     "{\"hosts\":[{\"hostid\":1}],\"items\":[{\"itemid\":1,\"hostid\":1,\"interfaceid\":7}]}",
     "interfaceid"},
    {"group that is not there", "6.0", "{\"config\":[{\"configid\":1,\"discovery_groupid\":0}]}",
     "discovery_groupid"},
    {"item that depends on itself", "7.0",
     "{\"hosts\":[{\"hostid\":1}],\"items\":[{\"itemid\":1,\"hostid\":1,\"master_itemid\":2},"
     "{\"itemid\":2,\"hostid\":1,\"master_itemid\":1}]}",
     "master_itemid"},
    {"secrets that are none", "7.0", "{\"macro.secrets\":{\"a\":1}}", "macro.secrets"},
    {"zero octet in a secret", "7.0", "{\"macro.secrets\":{\"a\":{\"k\":\"\\u0000\"}}}",
     "macro.secrets"},
    {"zero octet in a key", "6.0", "{\"macro.secrets\":{\"a\":{\"\\u0000\":\"\"}}}",
     "macro.secrets"},
    {"zero octet in a path", "6.0", "{\"macro.secrets\":{\"\\u0000\":{}}}", "macro.secrets"},
    {"group without a delay", "7.0", "{\"proxy_group\":{}}", "failover_delay"},
    {"group before 7.0", "6.4", "{\"proxy_group\":{\"failover_delay\":\"1m\"}}", "proxy_group"},
};

START_TEST(load_refuses)
{
    leat_zabbix_tables *tables = tables_of(refused_loads[_i].version);
    leat_zabbix_tables *as_before = tables_of(refused_loads[_i].version);
    const char *hosts = "{\"hosts\":[{\"hostid\":5,\"host\":\"h\"}]}";

    ck_assert_int_eq(load_text(tables, hosts), LEAT_OK);
    ck_assert_int_eq(load_text(as_before, hosts), LEAT_OK);
    ck_assert(leat_zabbix_tables_error(tables) == NULL);
    ck_assert_int_eq(load_text(tables, refused_loads[_i].text), LEAT_E_VALUE);
    ck_assert_str_eq(leat_error_field(leat_zabbix_tables_error(tables)), refused_loads[_i].field);
    ck_assert_str_ne(leat_error_text(leat_zabbix_tables_error(tables)), "");
    ck_same(tables, as_before);
    ck_assert_uint_eq(leat_zabbix_tables_revision(tables), 1);
    leat_zabbix_tables_free(as_before);
    leat_zabbix_tables_free(tables);
}
END_TEST

#define HOST_TABLE "\"hosts\":{\"fields\":[\"hostid\",\"host\"],\"data\":[[1,\"a\"]]}"
#define COMPANIONS                                                                                 \
    ",\"interface\":{\"fields\":[\"interfaceid\",\"hostid\"],\"data\":[]},"                        \
    "\"interface_snmp\":{\"fields\":[\"interfaceid\"],\"data\":[]},"                               \
    "\"host_inventory\":{\"fields\":[\"hostid\"],\"data\":[]},"                                    \
    "\"items\":{\"fields\":[\"itemid\",\"hostid\"],\"data\":[[10,1]]},"                            \
    "\"item_rtdata\":{\"fields\":[\"itemid\"],\"data\":[[10]]},"                                   \
    "\"item_preproc\":{\"fields\":[\"item_preprocid\",\"itemid\"],\"data\":[]}"
#define PARAMETERS   ",\"item_parameter\":{\"fields\":[\"item_parameterid\",\"itemid\"],\"data\":[]}"
#define DATA(tables) "{\"data\":{" tables "},\"config_revision\":9}"
#define MACRO_TABLE(row)                                                                           \
    "\"globalmacro\":{\"fields\":[\"globalmacroid\",\"macro\"],\"data\":[" row "]}"

/* Messages of 7.0 behind one with a host and a macro, and what they do. */
static const struct {
    const char *name;
    const char *text;
    int status;
    const char *field;   /* of the error */
    const char *changes; /* if there was none */
} messages[] = {
    {"nothing", "{}", LEAT_OK, NULL, ""},
    {"no revision", "{\"data\":{}}", LEAT_E_VALUE, "config_revision", NULL},
    {"revision as text, no data", "{\"config_revision\":\"9\"}", LEAT_OK, NULL, ""},
    {"refusal", "{\"response\":\"failed\"}", LEAT_E_VALUE, "response", NULL},
    {"short row", DATA(MACRO_TABLE("[1]")), LEAT_E_VALUE, "", NULL},
    {"long row", DATA(MACRO_TABLE("[1,\"a\",2]")), LEAT_E_VALUE, "", NULL},
    {"row twice", DATA(MACRO_TABLE("[1,\"a\"],[1,\"a\"]")), LEAT_E_VALUE, "globalmacroid", NULL},
    {"null text", DATA(MACRO_TABLE("[1,null]")), LEAT_E_VALUE, "macro", NULL},
    {"number that is none", DATA(MACRO_TABLE("[\"x\",\"a\"]")), LEAT_E_VALUE, "globalmacroid",
     NULL},
    {"table twice", DATA(MACRO_TABLE("[2,\"a\"]") "," MACRO_TABLE("[3,\"a\"]")), LEAT_E_VALUE,
     "globalmacro", NULL},
    {"rows before their fields",
     DATA("\"globalmacro\":{\"data\":[[1,\"a\"]],\"fields\":[\"globalmacroid\",\"macro\"]}"),
     LEAT_E_VALUE, "", NULL},
    {"no identifier", DATA("\"globalmacro\":{\"fields\":[\"macro\"],\"data\":[[\"a\"]]}"),
     LEAT_E_VALUE, "globalmacroid", NULL},
    {"broken at the end", "{\"data\":{" MACRO_TABLE("[1,\"b\"]") "},\"config_revision\":9,}",
     LEAT_E_VALUE, "", NULL},
    {"companion missing", DATA(HOST_TABLE COMPANIONS), LEAT_E_VALUE, "item_parameter", NULL},
    {"no host missing", DATA(HOST_TABLE COMPANIONS PARAMETERS), LEAT_OK, NULL, "changed hosts 1"},
    {"item of no host",
     DATA("\"hosts\":{\"fields\":[\"hostid\"],\"data\":[[2]]}" COMPANIONS PARAMETERS), LEAT_E_VALUE,
     "hostid", NULL},
    {"web companion missing",
     DATA(HOST_TABLE COMPANIONS PARAMETERS
          ",\"httptest\":{\"fields\":[\"httptestid\",\"hostid\"],\"data\":[]}"),
     LEAT_E_VALUE, "httptestitem", NULL},
    {"host tables alone", DATA("\"items\":{\"fields\":[\"itemid\"],\"data\":[]}"), LEAT_OK, NULL,
     ""},
    {"macros without templates",
     DATA("\"hostmacro\":{\"fields\":[\"hostmacroid\",\"hostid\"],\"data\":[]}"), LEAT_E_VALUE,
     "hosts_templates", NULL},
    {"templates without macros",
     DATA("\"hosts_templates\":{\"fields\":[\"hosttemplateid\",\"hostid\"],\"data\":[[1,1]]}"),
     LEAT_OK, NULL, "added hosts_templates 1"},
    {"the same row, otherwise typed", DATA(MACRO_TABLE("[\"1\",7]")), LEAT_OK, NULL, ""},
    {"another order, another type",
     DATA("\"globalmacro\":{\"fields\":[\"macro\",\"globalmacroid\"],\"data\":[[7,1]]}"), LEAT_OK,
     NULL, ""},
    {"unknown column",
     DATA("\"globalmacro\":{\"fields\":[\"globalmacroid\",\"macro\",\"x\"],\"data\":"
          "[[1,\"7\",{\"a\":[1,-1,1.5,true,null,\"\"]}]]}"),
     LEAT_OK, NULL, "changed globalmacro 1"},
    {"unknown table", DATA("\"other\":{\"fields\":[\"a\"],\"data\":[[\"x\"],[null]]}"), LEAT_OK,
     NULL, "added other 2"},
    {"all global macros", "{\"data\":{},\"del_macro_hostids\":[0],\"config_revision\":9}", LEAT_OK,
     NULL, "removed globalmacro 1"},
    {"all macros of the host", "{\"data\":{},\"del_macro_hostids\":[1,1],\"config_revision\":9}",
     LEAT_OK, NULL, "removed hostmacro 1"},
    {"the host", "{\"del_hostids\":[\"1\",7],\"config_revision\":9}", LEAT_OK, NULL,
     "removed hosts 1, removed items 1, removed item_rtdata 1, removed hostmacro 1"},
    {"nothing of a full copy", "{\"full_sync\":1,\"data\":{},\"config_revision\":9}", LEAT_OK, NULL,
     "removed macro.secrets 1"},
    {"another host in a full copy",
     "{\"full_sync\":1,\"data\":{\"hosts\":{\"fields\":[\"hostid\"],\"data\":[]},"
     "\"interface\":{\"fields\":[\"interfaceid\"],\"data\":[]},"
     "\"interface_snmp\":{\"fields\":[\"interfaceid\"],\"data\":[]},"
     "\"host_inventory\":{\"fields\":[\"hostid\"],\"data\":[]},"
     "\"items\":{\"fields\":[\"itemid\"],\"data\":[]},"
     "\"item_rtdata\":{\"fields\":[\"itemid\"],\"data\":[]},"
     "\"item_preproc\":{\"fields\":[\"item_preprocid\"],\"data\":[]}" PARAMETERS
     "},\"macro.secrets\":{\"p\":{\"k\":\"v\"}},\"config_revision\":9}",
     LEAT_OK, NULL, "removed hosts 1, removed items 1, removed item_rtdata 1, removed hostmacro 1"},
    {"secrets beside those", "{\"macro.secrets\":{\"q\":{\"k\":\"v\"}},\"config_revision\":9}",
     LEAT_OK, NULL, "changed macro.secrets 1"},
    {"the same secrets", "{\"macro.secrets\":{\"p\":{\"k\":\"v\"}},\"config_revision\":9}", LEAT_OK,
     NULL, ""},
    {"group without a delay", "{\"proxy_group\":{\"hostmap_revision\":1},\"config_revision\":9}",
     LEAT_E_VALUE, "failover_delay", NULL},
};

static leat_zabbix_tables *small_proxy(void)
{
    leat_zabbix_tables *tables = tables_of("7.0.22");

    ck_assert_int_eq(
        learn_text(
            tables,
            "{\"full_sync\":1,\"data\":{\"hosts\":{\"fields\":[\"hostid\",\"host\"],\"data\":"
            "[[1,\"z\"]]}" COMPANIONS PARAMETERS "," MACRO_TABLE(
                "[1,\"7\"]") ","
                             "\"hosts_templates\":{\"fields\":[\"hosttemplateid\"],\"data\":[]},"
                             "\"hostmacro\":{\"fields\":[\"hostmacroid\",\"hostid\"],\"data\":[[5,"
                             "1]]}},"
                             "\"macro.secrets\":{\"p\":{\"k\":\"v\"}},\"config_revision\":8}"),
        LEAT_OK);
    return tables;
}

START_TEST(learns)
{
    leat_zabbix_tables *tables = small_proxy(), *as_before = small_proxy();
    bool advances = strcmp(messages[_i].text, "{}") != 0;

    ck_assert_int_eq(learn_text(tables, messages[_i].text), messages[_i].status);
    if (messages[_i].status == LEAT_OK) {
        ck_assert(leat_zabbix_tables_error(tables) == NULL);
        ck_assert_uint_eq(leat_zabbix_tables_revision(tables), advances ? 9 : 8);
        ck_changes(tables, messages[_i].changes);
    } else {
        ck_assert_str_eq(leat_error_field(leat_zabbix_tables_error(tables)), messages[_i].field);
        ck_assert_uint_eq(leat_zabbix_tables_revision(tables), 8);
        ck_same(tables, as_before);
        /* What came of it does not count with the next message either. */
        ck_assert_int_eq(learn_text(tables, "{\"data\":{},\"config_revision\":10}"), LEAT_OK);
        ck_same(tables, as_before);
    }
    leat_zabbix_tables_free(as_before);
    leat_zabbix_tables_free(tables);
}
END_TEST

static void ck_secrets(leat_zabbix_tables *tables, const char *expected)
{
    char *text = t_json_text(leat_zabbix_tables_at(tables, "macro.secrets", 0));

    ck_assert_str_eq(text, expected);
    free(text);
}

/* Each name once: of those in a message the first counts, and any of it before what was there. */
START_TEST(secrets_of_one_name)
{
    static const struct {
        const char *first, *second, *both;
    } of_one_name[] = {
        {"'b':{'k':'1'},'a':{'k':'2'},'b':{'m':'3'}", "", "{'a':{'k':'2'},'b':{'k':'1'}}"},
        {"'p':{'k':'1','k':'2','j':'3'}", "", "{'p':{'j':'3','k':'1'}}"},
        {"'p':{'k':'1'},'p':{'k':'2'}", "'p':{'k':'3','k':'4','m':'5'},'p':{'n':'6'}",
         "{'p':{'k':'3','m':'5'}}"},
        {"'p':{'k':'1','j':'2'},'q':{}", "'':{'':''},'p':{'j':'3'},'o':{}",
         "{'':{'':''},'o':{},'p':{'j':'3','k':'1'},'q':{}}"},
        {"'p':{},'p':{},'p':{},'p':{},'p':{},'p':{},'p':{},'p':{}",
         "'p':{'1':'','2':'','3':'','4':'','5':'','6':'','7':'','8':''}",
         "{'p':{'1':'','2':'','3':'','4':'','5':'','6':'','7':'','8':''}}"},
    };
    leat_zabbix_tables *tables = tables_of("7.0.22");
    char text[512], expected[512], *quote;
    const char *second = of_one_name[_i].second;

    (void)snprintf(text, sizeof text,
                   "{'full_sync':1,'data':{},'macro.secrets':{%s},'config_revision':9}\n"
                   "{'data':{},'macro.secrets':{%s},'config_revision':9}\n%s",
                   of_one_name[_i].first, second, of_one_name[_i].both);
    while ((quote = strchr(text, '\'')) != NULL)
        *quote = '"';
    (void)snprintf(expected, sizeof expected, "%s", strrchr(text, '\n') + 1);
    ck_assert_int_eq(learn_text(tables, strtok(text, "\n")), LEAT_OK);
    ck_assert_int_eq(learn_text(tables, strtok(NULL, "\n")), LEAT_OK);
    ck_secrets(tables, expected);
    leat_zabbix_tables_free(tables);
}
END_TEST

START_TEST(broken_off)
{
    leat_zabbix_tables *tables = small_proxy(), *as_before = small_proxy();
    const char *text = "{\"data\":{" MACRO_TABLE("[3,\"b\"]");
    struct t_bytes frame = t_hex("5a425844 01 00010000 00000000");

    /* The rows of a message that never ends. */
    t_append(&frame, text, strlen(text));
    ck_assert_int_eq(learn_stream(tables, NULL, frame.data, frame.length), LEAT_OK);
    ck_same(tables, as_before);
    ck_assert_int_eq(leat_zabbix_tables_learn(tables, NULL), LEAT_OK);
    ck_assert_int_eq(
        learn_text(tables, "{\"data\":{" MACRO_TABLE("[1,\"7\"]") "},\"config_revision\":9}"),
        LEAT_OK);
    ck_same(tables, as_before);
    ck_changes(tables, "");
    t_free(frame);
    leat_zabbix_tables_free(as_before);
    leat_zabbix_tables_free(tables);
}
END_TEST

START_TEST(kept_as_it_came)
{
    leat_zabbix_tables *tables = small_proxy(), *restored = tables_of("7.0.1");
    leat_buffer *buffer;
    const void *data;
    size_t length;
    char *text;

    ck_assert_int_eq(learn_text(tables, DATA("\"other\":{\"fields\":[\"a\",\"b\"],\"data\":"
                                             "[[\"x\",{\"a\":[1,-1,1.5,true,null,\"\"],\"\":{}}]]},"
                                             "\"items\":{\"fields\":[\"itemid\"],\"data\":[]}")),
                     LEAT_OK);
    ck_assert_int_eq(leat_buffer_new(NULL, &buffer), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_tables_save(tables, buffer), LEAT_OK);
    data = leat_buffer_data(buffer, &length);
    ck_assert_int_eq(leat_zabbix_tables_restore(restored, data, length), LEAT_OK);
    ck_same(tables, restored);
    ck_assert_uint_eq(leat_zabbix_tables_revision(restored), 9);
    text = t_json_text(leat_zabbix_tables_at(restored, "other", 0));
    ck_assert_str_eq(text, "{\"a\":\"x\",\"b\":{\"a\":[1,-1,1.5,true,null,\"\"],\"\":{}}}");
    free(text);
    ck_assert(leat_zabbix_tables_at(restored, "other", 1) == NULL);
    ck_assert(leat_zabbix_tables_row(restored, "hosts", 1) != NULL);
    ck_assert(leat_zabbix_tables_row(restored, "hosts", 2) == NULL);
    ck_assert(leat_zabbix_tables_row(restored, "nothing", 1) == NULL);
    ck_assert_uint_eq(leat_zabbix_tables_count(restored, "nothing"), 0);

    /* With its last row the table goes. */
    ck_assert_int_eq(learn_text(restored, DATA("\"other\":{\"fields\":[\"a\",\"b\"],\"data\":[]}")),
                     LEAT_OK);
    ck_changes(restored, "removed other 1");
    leat_zabbix_tables_free(restored);

    /* Of another version. */
    restored = tables_of("7.2.0");
    ck_assert_int_eq(leat_zabbix_tables_restore(restored, data, length), LEAT_E_SYNTAX);
    leat_zabbix_tables_free(restored);

    /* Cut short, and one octet too many. */
    restored = tables_of("7.0.22");
    while (length-- > 0)
        MUST(leat_zabbix_tables_restore(restored, data, length) == LEAT_E_SYNTAX);
    ck_assert_uint_eq(leat_zabbix_tables_count(restored, "hosts"), 0);
    leat_zabbix_tables_free(restored);
    leat_buffer_free(buffer);
    leat_zabbix_tables_free(tables);
}
END_TEST

/* Every message of one small server, to the octet. */
START_TEST(handed_out)
{
    leat_zabbix_tables *tables = tables_of("7.0.22");
    char *text;

    ck_writes(tables, 0, 0, "{}");
    ck_assert_int_eq(load_text(tables, "{}"), LEAT_OK);
    ck_changes(tables, "added config 1, added config_autoreg_tls 1");
    ck_writes(tables, 1, 0, "{}");
    text = written_text(tables, 0, 0);
    ck_assert(strncmp(text, "{\"full_sync\":1,\"data\":{\"hosts\":{\"fields\":[\"hostid\",", 50) ==
              0);
    ck_assert(strstr(text,
                     "\"data\":[[1,0,0,\"90d\",1,\"3s\",\"3s\",\"3s\",\"3s\",\"3s\",\"3s\",\"3s\","
                     "\"3s\",\"3s\",\"3s\"]]}") != NULL);
    ck_assert(strstr(text, "]}},\"config_revision\":1}") != NULL);
    free(text);
    ck_assert_int_eq(load_text(tables, "{}"), LEAT_OK);
    ck_changes(tables, "");
    ck_assert_uint_eq(leat_zabbix_tables_revision(tables), 1);

    ck_assert_int_eq(load_text(tables, "{\"globalmacro\":[{\"globalmacroid\":3,\"macro\":\"{$A}\","
                                       "\"value\":\"v/p:k\",\"type\":2}],"
                                       "\"macro.secrets\":{\"v/p\":{\"k\":\"s\"}}}"),
                     LEAT_OK);
    ck_writes(
        tables, 1, 0,
        "{\"data\":{\"globalmacro\":{\"fields\":[\"globalmacroid\",\"macro\",\"value\",\"type\"],"
        "\"data\":[[3,\"{$A}\",\"v/p:k\",2]]}},\"macro.secrets\":{\"v/p\":{\"k\":\"s\"}},"
        "\"config_revision\":2}");
    ck_assert_int_eq(load_text(tables, "{}"), LEAT_OK);
    ck_writes(tables, 2, 0, "{\"data\":{},\"del_macro_hostids\":[0],\"config_revision\":3}");

    ck_assert_int_eq(load_text(tables, "{\"hosts\":[{\"hostid\":7,\"host\":\"h\"}]}"), LEAT_OK);
    text = written_text(tables, 3, 0);
    ck_assert(
        strstr(text, "\"data\":[[7,\"h\",0,-1,2,\"\",\"\",\"h\",1,1,\"\",\"\",\"\",\"\"]]}") !=
        NULL);
    ck_assert(strstr(text, "item_parameter") != NULL);
    ck_assert(strstr(text, "httptest") == NULL);
    ck_assert(strstr(text, "hostmacro") == NULL);
    ck_assert(strstr(text, "drules") == NULL);
    free(text);
    ck_assert_int_eq(load_text(tables, "{}"), LEAT_OK);
    ck_writes(tables, 4, 0, "{\"data\":{},\"del_hostids\":[7],\"config_revision\":5}");

    ck_assert_int_eq(load_text(tables, "{\"proxy_group\":{\"failover_delay\":\"10s\"},"
                                       "\"proxy\":[{\"proxyid\":1,\"name\":\"p\"}],"
                                       "\"host_proxy\":[{\"hostproxyid\":2,\"proxyid\":1}]}"),
                     LEAT_OK);
    ck_assert_uint_eq(leat_zabbix_tables_hostmap_revision(tables), 1);
    ck_writes(
        tables, 5, 0,
        "{\"data\":{\"proxy\":{\"fields\":[\"proxyid\",\"name\",\"local_address\",\"local_port\"],"
        "\"data\":[[1,\"p\",\"\",\"\"]]},\"host_proxy\":{\"fields\":[\"hostproxyid\",\"host\","
        "\"proxyid\",\"revision\",\"tls_accept\",\"tls_issuer\",\"tls_subject\","
        "\"tls_psk_identity\",\"tls_psk\"],\"data\":[[2,\"\",1,0,0,\"\",\"\",\"\",\"\"]]}},"
        "\"proxy_group\":{\"full_sync\":1,\"hostmap_revision\":1,\"failover_delay\":\"10s\"},"
        "\"config_revision\":6}");
    ck_writes(tables, 6, 1, "{}");
    ck_writes(tables, 5, 1,
              "{\"data\":{},\"proxy_group\":{\"hostmap_revision\":1,\"failover_delay\":\"10s\"},"
              "\"config_revision\":6}");
    ck_assert_int_eq(load_text(tables, "{\"proxy_group\":{\"failover_delay\":\"10s\"},"
                                       "\"proxy\":[{\"proxyid\":1,\"name\":\"p\"}]}"),
                     LEAT_OK);
    text = written_text(tables, 6, 1);
    ck_assert(strstr(text, "\"proxy_group\":{\"hostmap_revision\":2,\"failover_delay\":\"10s\","
                           "\"del_hostproxyids\":[2]}") != NULL);
    free(text);
    ck_assert_int_eq(load_text(tables, "{}"), LEAT_OK);
    ck_assert_uint_eq(leat_zabbix_tables_hostmap_revision(tables), 0);
    ck_writes(tables, 7, 2, "{\"data\":{},\"config_revision\":8}");
    leat_zabbix_tables_free(tables);
}
END_TEST

/* As many hosts, each with a macro; the last of those has another value. Yours to free. */
static char *many_hosts(size_t count, const char *value)
{
    size_t room = count * 80 + 100, at = 0, i;
    char *text = malloc(room);

    ck_assert(text != NULL);
    at += (size_t)snprintf(text, room, "{\"hosts\":[");
    for (i = 1; i <= count; i++)
        at += (size_t)snprintf(text + at, room - at, "%s{\"hostid\":%zu,\"host\":\"h\"}",
                               i > 1 ? "," : "", i);
    at += (size_t)snprintf(text + at, room - at, "],\"hostmacro\":[");
    for (i = 1; i <= count; i++)
        at += (size_t)snprintf(text + at, room - at,
                               "%s{\"hostmacroid\":%zu,\"hostid\":%zu,\"value\":\"%s\"}",
                               i > 1 ? "," : "", i, i, i < count ? "" : value);
    (void)snprintf(text + at, room - at, "]}");
    return text;
}

/* The time that a small change takes does not grow with the square of what is there. */
START_TEST(little_of_much)
{
    leat_zabbix_tables *tables = tables_of("7.0.22");
    char *before = many_hosts(60000, "a"), *after = many_hosts(60000, "b");

    ck_assert_int_eq(load_text(tables, before), LEAT_OK);
    ck_assert_int_eq(load_text(tables, after), LEAT_OK);
    ck_writes(tables, 1, 0,
              "{\"data\":{\"hosts_templates\":{\"fields\":[\"hosttemplateid\",\"hostid\","
              "\"templateid\",\"link_type\"],\"data\":[]},\"hostmacro\":{\"fields\":["
              "\"hostmacroid\",\"hostid\",\"macro\",\"value\",\"type\",\"automatic\"],"
              "\"data\":[[60000,60000,\"\",\"b\",0,0]]}},\"config_revision\":2}");
    free(before);
    free(after);
    leat_zabbix_tables_free(tables);
}
END_TEST

/* Numbers of 64 bits are identifiers like any other. */
START_TEST(large_identifiers)
{
    static const uint64_t ids[] = {UINT64_MAX, (uint64_t)1 << 63, ((uint64_t)1 << 63) - 1};
    leat_zabbix_tables *server = tables_of("7.0.22"), *proxy = tables_of("7.0.22");
    size_t i;

    ck_assert_int_eq(load_text(server,
                               "{\"hosts\":[{\"hostid\":18446744073709551615,\"host\":\"a\"},"
                               "{\"hostid\":9223372036854775808,\"host\":\"b\"},"
                               "{\"hostid\":9223372036854775807,\"host\":\"c\"}],"
                               "\"items\":[{\"itemid\":18446744073709551614,"
                               "\"hostid\":18446744073709551615}]}"),
                     LEAT_OK);
    sync(proxy, server);
    ck_same(server, proxy);
    for (i = 0; i < 3; i++)
        ck_assert(leat_zabbix_tables_row(proxy, "hosts", ids[i]) != NULL);
    ck_assert_int_eq(load_text(server, "{}"), LEAT_OK);
    sync(proxy, server);
    ck_same(server, proxy);
    leat_zabbix_tables_free(proxy);
    leat_zabbix_tables_free(server);
}
END_TEST

START_TEST(handed_out_before_revisions)
{
    leat_zabbix_tables *tables = tables_of("6.0.14");
    char *text;

    ck_assert_int_eq(load_text(tables, "{}"), LEAT_OK);
    text = written_text(tables, 1, 0);
    ck_assert(strncmp(text, "{\"globalmacro\":{\"fields\":[", 26) == 0);
    ck_assert(strstr(text, "\"item_rtdata\"") == NULL);
    ck_assert(strstr(text, "\"hstgrp\":{\"fields\":[\"groupid\"],\"data\":[[1]]}") != NULL);
    ck_assert(strstr(text, "\"data\":[[1,1,0,0,\"90d\",1]]}") != NULL);
    ck_assert(strstr(text, "\"data\":[[1,\"\",\"\"]]},\"macro.secrets\":{}}") != NULL);
    free(text);
    ck_assert_int_eq(
        load_text(tables, "{\"hosts\":[{\"hostid\":1}],\"items\":[{\"itemid\":4,\"hostid\":1}]}"),
        LEAT_OK);
    text = written_text(tables, 0, 0);
    ck_assert(strstr(text, "\"item_rtdata\":{\"fields\":[\"itemid\",\"lastlogsize\",\"mtime\"],"
                           "\"data\":[[4,0,0]]}") != NULL);
    free(text);
    leat_zabbix_tables_free(tables);
}
END_TEST

/* More hosts are removed than are remembered: who is behind gets a full copy. */
START_TEST(much_is_gone)
{
    leat_zabbix_tables *server = tables_of("7.0.22"), *late = tables_of("7.0.22");
    char *text = malloc(100000);
    size_t length, i;

    ck_assert_int_eq(load_text(server, "{\"globalmacro\":[{\"globalmacroid\":1}]}"), LEAT_OK);
    sync(late, server);
    length = (size_t)sprintf(text, "{\"hosts\":[{\"hostid\":1}");
    for (i = 2; i < 1500; i++)
        length += (size_t)sprintf(text + length, ",{\"hostid\":%zu}", i);
    strcpy(text + length, "]}");
    ck_assert_int_eq(load_text(server, text), LEAT_OK);
    sync(late, server);
    ck_same(server, late);
    free(text);
    ck_assert_int_eq(load_text(server, "{\"hosts\":[{\"hostid\":1}]}"), LEAT_OK);
    text = written_text(server, 2, 0);
    ck_assert(strstr(text, "\"full_sync\":1") != NULL);
    free(text);
    sync(late, server);
    ck_same(server, late);
    ck_writes(server, 3, 0, "{}");
    leat_zabbix_tables_free(late);
    leat_zabbix_tables_free(server);
}
END_TEST

static int everything(const leat_config *config, const void *arg)
{
    const struct t_bytes *bytes = (const struct t_bytes *)arg;
    leat_zabbix_tables *tables = NULL, *other = NULL;
    struct t_bytes frame = t_copy("", 0);
    leat_buffer *buffer = NULL;
    const void *data;
    const char *table;
    const leat_value *row;
    uint32_t change;
    size_t length;
    int status = leat_zabbix_tables_new(config, "7.0.22", 0, &tables);

    if (status == LEAT_OK)
        status = leat_zabbix_tables_new(config, "7.0.22", 0, &other);
    if (status == LEAT_OK)
        status = leat_buffer_new(config, &buffer);
    if (status == LEAT_OK)
        status = learn_stream(tables, config, bytes->data, bytes->length);
    while (status == LEAT_OK &&
           (status = leat_zabbix_tables_change(tables, &change, &table, &row)) == LEAT_OK)
        ;
    status = status == LEAT_END ? LEAT_OK : status;
    t_free(frame);
    frame = t_copy("", 0);
    if (status == LEAT_OK) {
        t_free(frame);
        status = written(tables, config, 3, 0, &frame);
    }
    if (status == LEAT_OK)
        status = learn_stream(other, config, frame.data, frame.length);
    if (status == LEAT_OK)
        status = leat_zabbix_tables_save(other, buffer);
    if (status == LEAT_OK) {
        data = leat_buffer_data(buffer, &length);
        status = leat_zabbix_tables_restore(tables, data, length);
    }
    if (status == LEAT_OK)
        ck_assert_uint_eq(leat_zabbix_tables_count(tables, "items"), 2);
    t_free(frame);
    leat_buffer_free(buffer);
    leat_zabbix_tables_free(other);
    leat_zabbix_tables_free(tables);
    return status;
}

START_TEST(no_memory)
{
    struct t_bytes bytes =
        t_capture("zabbix/7.0.22/76-active-config-proxy-group.jsonl", "server>proxy", 0);

    t_every_alloc(everything, &bytes);
    t_free(bytes);
}
END_TEST

static int load_scenario(const leat_config *config, const void *arg)
{
    leat_zabbix_tables *tables;
    int status = leat_zabbix_tables_new(config, "7.0.22", 0, &tables);

    if (status != LEAT_OK)
        return status;
    status = leat_zabbix_tables_load(tables, leat_builder_value((const leat_builder *)arg));
    if (status == LEAT_OK)
        ck_assert_uint_eq(leat_zabbix_tables_count(tables, "item_rtdata"), 2);
    else
        ck_assert_uint_eq(leat_zabbix_tables_count(tables, "config"), 0);
    leat_zabbix_tables_free(tables);
    return status;
}

START_TEST(no_memory_to_load)
{
    const char *text = "{\"hosts\":[{\"hostid\":1}],\"items\":[{\"itemid\":1,\"hostid\":1},"
                       "{\"itemid\":2,\"hostid\":1,\"master_itemid\":1}],"
                       "\"macro.secrets\":{\"p\":{\"k\":\"v\"}}}";
    leat_builder *builder = t_json(text, strlen(text));

    t_every_alloc(load_scenario, builder);
    leat_builder_free(builder);
}
END_TEST

/* From too little on, octet by octet, until it is just enough. */
START_TEST(limited)
{
    struct t_bytes bytes =
        t_capture("zabbix/7.0.22/01-active-config-full-sync.jsonl", "server>proxy", 0);
    leat_zabbix_tables *tables;
    struct t_counter counter;
    leat_config config;
    size_t low = 0, high = (size_t)1 << 20;
    int status;

    leat_config_init(&config, sizeof config);
    while (high - low > 1) {
        size_t limit = low + (high - low) / 2;

        t_counter_init(&counter);
        config.allocator = &counter.allocator;
        status = leat_zabbix_tables_new(&config, "7.0.22", limit, &tables);
        if (status == LEAT_OK) {
            status = learn_stream(tables, NULL, bytes.data, bytes.length);
            MUST(leat_zabbix_tables_memory(tables) == counter.now);
            MUST(status == LEAT_OK || leat_zabbix_tables_count(tables, "hosts") == 0);
            leat_zabbix_tables_free(tables);
        }
        MUST(status == LEAT_OK || status == LEAT_E_LIMIT);
        MUST(counter.most <= limit);
        MUST(counter.now == 0);
        *(status == LEAT_OK ? &high : &low) = limit;
    }
    ck_assert_uint_gt(low, 1000);
    ck_assert_uint_lt(high, (size_t)1 << 19);
    t_free(bytes);
}
END_TEST

/* A table of that many columns. */
static int learn_columns(leat_zabbix_tables *tables, unsigned columns)
{
    struct text text;
    unsigned i;

    text.length = 0;
    put(&text, "{\"data\":{\"other\":{\"fields\":[");
    for (i = 0; i < columns; i++)
        put(&text, "%s\"c%u\"", i > 0 ? "," : "", i);
    put(&text, "],\"data\":[[");
    for (i = 0; i < columns; i++)
        put(&text, "%s%u", i > 0 ? "," : "", i);
    put(&text, "]]}},\"config_revision\":2}");
    return learn_text(tables, text.octets);
}

/* So many items, each of which depends on the one before it. */
static int load_chain(leat_zabbix_tables *tables, unsigned items)
{
    struct text text;
    unsigned i;

    text.length = 0;
    put(&text, "{\"hosts\":[{\"hostid\":1}],\"items\":[{\"itemid\":1,\"hostid\":1}");
    for (i = 2; i <= items; i++)
        put(&text, ",{\"itemid\":%u,\"hostid\":1,\"master_itemid\":%u}", i, i - 1);
    put(&text, "]}");
    return load_text(tables, text.octets);
}

/* A delay of that many octets. */
static int load_delay(leat_zabbix_tables *tables, unsigned octets)
{
    struct text text;

    text.length = 0;
    put(&text, "{\"proxy_group\":{\"failover_delay\":\"%0*us\"}}", (int)octets - 1, 1u);
    return load_text(tables, text.octets);
}

START_TEST(limits_of_counts)
{
    leat_zabbix_tables *tables = tables_of("7.0.22");

    ck_assert_int_eq(learn_columns(tables, 1024), LEAT_OK);
    ck_assert_uint_eq(leat_value_count(leat_zabbix_tables_at(tables, "other", 0)), 1024);
    ck_assert_int_eq(learn_columns(tables, 1025), LEAT_E_VALUE);
    ck_assert_int_eq(load_chain(tables, 16), LEAT_OK);
    ck_assert_int_eq(load_chain(tables, 17), LEAT_E_VALUE);
    ck_assert_int_eq(load_delay(tables, 63), LEAT_OK);
    ck_assert_int_eq(load_delay(tables, 64), LEAT_E_VALUE);
    leat_zabbix_tables_free(tables);
}
END_TEST

/* What is saved must fit into the buffer, or nothing of it stands there. */
START_TEST(saved_within_limits)
{
    leat_zabbix_tables *tables = small_proxy();
    leat_buffer *buffer;
    leat_limits limits;
    leat_config config;
    size_t length;

    ck_assert_int_eq(leat_buffer_new(NULL, &buffer), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_tables_save(tables, buffer), LEAT_OK);
    (void)leat_buffer_data(buffer, &length);
    leat_buffer_free(buffer);
    leat_limits_init(&limits, sizeof limits);
    leat_config_init(&config, sizeof config);
    config.limits = &limits;
    limits.queued_bytes = length;
    ck_assert_int_eq(leat_buffer_new(&config, &buffer), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_tables_save(tables, buffer), LEAT_OK);
    leat_buffer_free(buffer);
    limits.queued_bytes = length - 1;
    ck_assert_int_eq(leat_buffer_new(&config, &buffer), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_tables_save(tables, buffer), LEAT_E_LIMIT);
    (void)leat_buffer_data(buffer, &length);
    ck_assert_uint_eq(length, 0);
    leat_buffer_free(buffer);
    leat_zabbix_tables_free(tables);
}
END_TEST

START_TEST(not_made)
{
    leat_zabbix_tables *tables;

    ck_assert_int_eq(leat_zabbix_tables_new(NULL, "seven", 0, &tables), LEAT_E_VALUE);
    ck_assert_int_eq(leat_zabbix_tables_new(NULL, NULL, 0, &tables), LEAT_E_VALUE);
    ck_assert_int_eq(leat_zabbix_tables_new(NULL, "7.0", 1, &tables), LEAT_E_LIMIT);
    leat_zabbix_tables_free(NULL);
}
END_TEST

static void add_tests(TCase *c)
{
    tcase_add_test(c, recordings);
    tcase_add_loop_test(c, load_refuses, 0, sizeof refused_loads / sizeof *refused_loads);
    tcase_add_loop_test(c, learns, 0, sizeof messages / sizeof *messages);
    tcase_add_loop_test(c, secrets_of_one_name, 0, 5);
    tcase_add_test(c, broken_off);
    tcase_add_test(c, kept_as_it_came);
    tcase_add_test(c, handed_out);
    tcase_add_test(c, little_of_much);
    tcase_add_test(c, large_identifiers);
    tcase_add_test(c, handed_out_before_revisions);
    tcase_add_test(c, much_is_gone);
    tcase_add_test(c, no_memory);
    tcase_add_test(c, no_memory_to_load);
    tcase_add_test(c, limited);
    tcase_add_test(c, limits_of_counts);
    tcase_add_test(c, saved_within_limits);
    tcase_add_test(c, not_made);
    tcase_add_test(c, no_items_any_more);
    tcase_add_loop_test(c, converge, 0, sizeof versions / sizeof *versions);
}

T_MAIN("zabbix/tables", add_tests)
