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

    while (status == LEAT_OK && (next = leat_next(session, &event)) == LEAT_OK) {
        const leat_value *value = leat_event_value(event);

        if (leat_value_get(value, "request") != NULL && leat_value_get(value, "data") == NULL)
            continue;
        status = leat_zabbix_tables_learn(tables, event);
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

static void add_tests(TCase *c)
{
    tcase_add_test(c, recordings);
    tcase_add_loop_test(c, converge, 0, sizeof versions / sizeof *versions);
}

T_MAIN("zabbix/tables", add_tests)
