/*
 * The snippets of doc/zabbix.md, as they stand there (test_zabbix_guide.py compares), and proof that
 * they do what the guide says.
 */
#define _POSIX_C_SOURCE 200809L
#include "live.h"

#include <leat/zabbix_proxy.h>
#include <leat/zabbix_server.h>
#include <stdio.h>
#include <unistd.h>

/* What a passive proxy does with a connection: only its server gets what it asks for. */
static int take_connection(leat_zabbix_proxy *proxy, const char *address, leat_session **session)
{
    uint32_t is_server = strcmp(address, "192.0.2.1") == 0;

    return leat_zabbix_proxy_accept(proxy, is_server, session);
}

/* A line of a log: where it ends goes along, so that the server knows how far the file was read. */
static int hand_in_line(leat_zabbix_proxy *proxy, const char *line, uint64_t end, uint64_t mtime)
{
    leat_zabbix_history row;

    leat_zabbix_history_init(&row, sizeof row);
    row.has = LEAT_ZABBIX_HAS_ITEMID | LEAT_ZABBIX_HAS_VALUE | LEAT_ZABBIX_HAS_LASTLOGSIZE |
              LEAT_ZABBIX_HAS_MTIME;
    row.itemid = 930002;
    row.value = line;
    row.value_length = strlen(line);
    row.lastlogsize = end;
    row.mtime = mtime;
    return leat_zabbix_proxy_history(proxy, &row, NULL);
}

/* An item that cannot be measured: the value says why. */
static int hand_in_failure(leat_zabbix_proxy *proxy, uint64_t itemid, const char *reason)
{
    leat_zabbix_history row;

    leat_zabbix_history_init(&row, sizeof row);
    row.has = LEAT_ZABBIX_HAS_ITEMID | LEAT_ZABBIX_HAS_STATE | LEAT_ZABBIX_HAS_VALUE;
    row.itemid = itemid;
    row.state = 1;
    row.value = reason;
    row.value_length = strlen(reason);
    return leat_zabbix_proxy_history(proxy, &row, NULL);
}

/* A row of any other section, its fields given as JSON. */
static int hand_in(leat_zabbix_proxy *proxy, leat_builder *builder, const char *section,
                   const char *json)
{
    leat_builder_clear(builder);
    (void)leat_builder_json(builder, NULL, json, strlen(json));
    return leat_zabbix_proxy_row(proxy, section, leat_builder_value(builder));
}

/* Prints what is new of the items. No text has a NUL behind it. */
static void on_change(FILE *out, const leat_event *event)
{
    const leat_value *value = leat_event_value(event), *row = leat_value_get(value, "row");
    size_t length, change_length, key_length;
    const char *table = leat_event_name(event, &length);
    const char *change = leat_value_text(leat_value_get(value, "change"), &change_length);
    const char *key = leat_value_text(leat_value_get(row, "key_"), &key_length);

    if (leat_event_kind(event) != LEAT_ZABBIX_CHANGE || length != 5 ||
        memcmp(table, "items", 5) != 0)
        return;
    (void)fprintf(out, "%.*s item %llu %.*s\n", (int)change_length, change,
                  (unsigned long long)leat_value_u64(leat_value_get(row, "itemid")),
                  (int)key_length, key);
}

/* A task to be done: none that came too late, and no command that we do not know. */
static int on_task(leat_zabbix_proxy *proxy, leat_builder *builder, const leat_event *event)
{
    const leat_value *task = leat_event_value(event);
    uint64_t type = leat_value_u64(leat_value_get(task, "type"));

    if (leat_event_error(event) != NULL || type != 2)
        return LEAT_OK;
    leat_builder_clear(builder);
    leat_builder_open(builder, NULL, LEAT_RECORD);
    leat_builder_u64(builder, "type", 3);
    leat_builder_copy(builder, NULL, leat_value_get(task, "clock"));
    leat_builder_u64(builder, "ttl", 0);
    leat_builder_i64(builder, "status", -1);
    leat_builder_text(builder, "info", "no commands here", 16);
    leat_builder_copy(builder, NULL, leat_value_get(task, "parent_taskid"));
    leat_builder_close(builder);
    return leat_zabbix_proxy_row(proxy, "tasks", leat_builder_value(builder));
}

/* Lets an active proxy talk, by its key alone, and gives it a host with an item. */
static int let_in(leat_zabbix_server *server, leat_builder *builder)
{
    static const char json[] =
        "{\"hosts\":[{\"hostid\":920011,\"host\":\"za1\"}],"
        "\"items\":[{\"itemid\":930001,\"hostid\":920011,\"type\":2,\"key_\":\"trap\"}]}";
    leat_zabbix_server_member member;
    int status;

    leat_zabbix_server_member_init(&member, sizeof member);
    member.name = "px";
    member.connections = LEAT_ZABBIX_PSK;
    member.psk_identity = "psk id 1";
    member.addresses = "192.0.2.0/24";
    status = leat_zabbix_server_add(server, &member);
    if (status != LEAT_OK)
        return status;
    leat_builder_clear(builder);
    (void)leat_builder_json(builder, NULL, json, sizeof json - 1);
    return leat_zabbix_tables_load(leat_zabbix_server_tables(server, "px"),
                                   leat_builder_value(builder));
}

/* Writes the rows of a message, and acknowledges them once they are safe; hold is 1. */
static int keep_values(leat_session *session, leat_buffer *line, FILE *out)
{
    const leat_event *event;
    int status;

    while ((status = leat_next(session, &event)) == LEAT_OK) {
        size_t length;
        const char *text;

        if (leat_event_error(event) != NULL)
            continue;
        if (leat_event_kind(event) == LEAT_ZABBIX_ROW) {
            leat_buffer_clear(line);
            (void)leat_buffer_json(line, leat_event_value(event));
            text = leat_buffer_data(line, &length);
            (void)fprintf(out, "%.*s\n", (int)length, text);
        } else if (fflush(out) == 0 && fsync(fileno(out)) == 0) {
            (void)leat_zabbix_server_acknowledge(session); /* if the message had rows */
        } else {
            (void)leat_zabbix_refuse(session, "they cannot be kept"); /* they come again */
        }
    }
    return status;
}

/* Asks an agent from 7.0 on for the value of a key. */
static int ask_agent(const char *key, leat_session **session, leat_builder *builder)
{
    leat_zabbix_exchange_options options;
    int status;

    leat_zabbix_exchange_options_init(&options, sizeof options);
    options.role = LEAT_ZABBIX_AS_SERVER;
    options.version = "7.0.22";
    options.connects = 1;
    options.exchange = LEAT_ZABBIX_PASSIVE_CHECKS;
    status = leat_zabbix_exchange_new(NULL, &options, session);
    if (status != LEAT_OK)
        return status;
    leat_builder_clear(builder);
    leat_builder_open(builder, NULL, LEAT_RECORD);
    leat_builder_text(builder, "key", key, strlen(key));
    leat_builder_u64(builder, "timeout", 3);
    leat_builder_close(builder);
    (void)leat_zabbix_begin(*session);
    (void)leat_zabbix_text(*session, "request", "passive checks", 14);
    (void)leat_zabbix_section(*session, "data");
    (void)leat_zabbix_row(*session, leat_builder_value(builder));
    (void)leat_zabbix_close(*session);
    return leat_zabbix_end(*session);
}

/* What an agent does that was asked: it has one key. */
static int answer_check(leat_session *session, leat_builder *builder, const leat_value *row)
{
    size_t length;
    const char *key = leat_value_text(leat_value_get(row, "key"), &length);

    if (length != 10 || memcmp(key, "agent.ping", 10) != 0)
        return leat_zabbix_refuse(session, "Unsupported item key.");
    leat_builder_clear(builder);
    leat_builder_open(builder, NULL, LEAT_RECORD);
    leat_builder_text(builder, "value", "1", 1);
    leat_builder_close(builder);
    (void)leat_zabbix_begin(session);
    (void)leat_zabbix_text(session, "version", "7.0.22", 6);
    (void)leat_zabbix_number(session, "variant", 2);
    (void)leat_zabbix_section(session, "data");
    (void)leat_zabbix_row(session, leat_builder_value(builder));
    (void)leat_zabbix_close(session);
    return leat_zabbix_end(session);
}

/* Sends a value as zabbix_sender does. */
static int send_value(leat_session *session, const char *host, const char *key, const char *value)
{
    leat_zabbix_history row;

    leat_zabbix_history_init(&row, sizeof row);
    row.has = LEAT_ZABBIX_HAS_HOST | LEAT_ZABBIX_HAS_KEY | LEAT_ZABBIX_HAS_VALUE;
    row.host = host;
    row.host_length = strlen(host);
    row.key = key;
    row.key_length = strlen(key);
    row.value = value;
    row.value_length = strlen(value);
    (void)leat_zabbix_begin(session);
    (void)leat_zabbix_text(session, "request", "sender data", 11);
    (void)leat_zabbix_section(session, "data");
    (void)leat_zabbix_history_write(session, &row);
    (void)leat_zabbix_close(session);
    return leat_zabbix_end(session);
}

/* ---- what carries octets, in place of a network ---- */

static void carry(leat_session *from, leat_session *to)
{
    struct t_bytes octets = live_take(from);

    if (octets.length > 0)
        ck_assert_int_eq(leat_feed(to, octets.data, octets.length), LEAT_OK);
    t_free(octets);
}

static const leat_event *must_tell(leat_session *session, uint32_t kind)
{
    const leat_event *event;

    do {
        ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
    } while (leat_event_kind(event) != kind);
    return event;
}

/* Events until there are no more. */
static int tell_all(leat_session *session)
{
    const leat_event *event;
    int status;

    while ((status = leat_next(session, &event)) == LEAT_OK)
        continue;
    return status;
}

static void must_say(const leat_event *event, const char *json)
{
    char *text = t_json_text(leat_event_value(event));

    ck_assert_str_eq(text, json);
    free(text);
}

#define SESSION "0123456789abcdef0123456789abcdef"
#define NOW_NS  (INT64_C(1795292180) * 1000000000)

static leat_zabbix_proxy *make_proxy(const char *version, bool passive)
{
    leat_zabbix_proxy_options options;
    leat_zabbix_proxy *proxy;

    leat_zabbix_proxy_options_init(&options, sizeof options);
    options.name = "px";
    options.version = version;
    options.session = SESSION;
    options.passive = passive;
    ck_assert_int_eq(leat_zabbix_proxy_new(NULL, &options, &proxy), LEAT_OK);
    leat_zabbix_proxy_tick(proxy, 1000, NOW_NS);
    return proxy;
}

static leat_zabbix_server *make_server(const char *version, uint32_t hold)
{
    leat_zabbix_server_options options;
    leat_zabbix_server *server;

    leat_zabbix_server_options_init(&options, sizeof options);
    options.version = version;
    options.hold = hold;
    ck_assert_int_eq(leat_zabbix_server_new(NULL, &options, &server), LEAT_OK);
    leat_zabbix_server_tick(server, 1000, NOW_NS);
    return server;
}

/* The next exchange of a proxy, and who serves it. */
static leat_session *call(leat_zabbix_proxy *proxy, leat_zabbix_server *server, uint32_t exchange,
                          leat_session **served)
{
    leat_zabbix_peer peer;
    leat_session *session;

    leat_zabbix_peer_init(&peer, sizeof peer);
    peer.address = "192.0.2.7";
    peer.connection = LEAT_ZABBIX_PSK;
    peer.psk_identity = "psk id 1";
    ck_assert_int_eq(leat_zabbix_proxy_connect(proxy, &session), LEAT_OK);
    ck_assert_uint_eq(leat_zabbix_exchange(session), exchange);
    ck_assert_int_eq(leat_zabbix_server_accept(server, &peer, served), LEAT_OK);
    ck_assert_int_eq(tell_all(session), LEAT_MORE);
    carry(session, *served);
    return session;
}

static leat_builder *make_builder(void)
{
    leat_builder *builder;

    ck_assert_int_eq(leat_builder_new(NULL, &builder), LEAT_OK);
    return builder;
}

/* The file's text, which the caller frees. */
static struct t_bytes text_of(FILE *file)
{
    struct t_bytes text = {NULL, 0};
    char piece[256];
    size_t length;

    rewind(file);
    while ((length = fread(piece, 1, sizeof piece, file)) > 0)
        t_append(&text, piece, length);
    t_append(&text, "", 1);
    (void)fclose(file);
    return text;
}

START_TEST(configuration)
{
    leat_zabbix_proxy *proxy = make_proxy("7.0.22", false);
    leat_zabbix_server *server = make_server("7.0.22", 0);
    leat_builder *builder = make_builder();
    leat_session *session, *served;
    FILE *out = tmpfile();
    const leat_event *event;
    struct t_bytes text;

    ck_assert_ptr_nonnull(out);
    ck_assert_int_eq(let_in(server, builder), LEAT_OK);
    session = call(proxy, server, LEAT_ZABBIX_PROXY_CONFIG, &served);
    (void)tell_all(served);
    carry(served, session);
    while (leat_next(session, &event) == LEAT_OK)
        on_change(out, event);
    text = text_of(out);
    ck_assert_str_eq((const char *)text.data, "added item 930001 trap\n");
    ck_assert_uint_eq(leat_zabbix_tables_count(leat_zabbix_proxy_tables(proxy), "items"), 1);
    t_free(text);
    leat_session_free(session);
    leat_session_free(served);
    leat_builder_free(builder);
    leat_zabbix_proxy_free(proxy);
    leat_zabbix_server_free(server);
}
END_TEST

#define TASK                                                                                       \
    "{'type':2,'ttl':600,'commandtype':0,'command':'reboot','execute_on':2,'port':0,'authtype':0," \
    "'username':'','password':'','publickey':'','privatekey':'','alertid':0,'parent_taskid':43,"   \
    "'hostid':920011}"

/* Values of each kind to a server that keeps them before it answers; a task, and its result. */
START_TEST(data_and_tasks)
{
    leat_zabbix_proxy *proxy = make_proxy("7.0.22", false);
    leat_zabbix_server *server = make_server("7.0.22", 1);
    leat_builder *builder = make_builder();
    struct t_bytes json = live_text(TASK), text;
    leat_builder *task = t_json((const char *)json.data, json.length);
    leat_session *session, *served;
    leat_buffer *line;
    FILE *out = tmpfile();

    ck_assert_ptr_nonnull(out);
    ck_assert_int_eq(leat_buffer_new(NULL, &line), LEAT_OK);
    ck_assert_int_eq(let_in(server, builder), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_server_task(server, "px", leat_builder_value(task)), LEAT_OK);
    ck_assert_int_eq(hand_in_line(proxy, "out of paper", 1200, 1795292100), LEAT_OK);
    ck_assert_int_eq(hand_in_failure(proxy, 930003, "no such device"), LEAT_OK);
    ck_assert_int_eq(hand_in(proxy, builder, "interface availability",
                             "{\"interfaceid\":5,\"available\":2,\"error\":\"timed out\"}"),
                     LEAT_OK);
    ck_assert_int_eq(hand_in(proxy, builder, "interface availability", "{\"interfaceid\":5}"),
                     LEAT_E_VALUE);
    session = call(proxy, server, LEAT_ZABBIX_PROXY_CONFIG, &served);
    (void)tell_all(served);
    carry(served, session);
    (void)tell_all(session);
    leat_session_free(session);
    leat_session_free(served);
    session = call(proxy, server, LEAT_ZABBIX_PROXY_DATA, &served);
    ck_assert_int_eq(keep_values(served, line, out), LEAT_END);
    text = text_of(out);
    ck_assert_str_eq((const char *)text.data,
                     "{\"interfaceid\":5,\"available\":2,\"error\":\"timed out\"}\n"
                     "{\"id\":1,\"itemid\":930002,\"clock\":1795292180,\"ns\":1,\"value\":\"out of "
                     "paper\",\"lastlogsize\":1200,\"mtime\":1795292100}\n"
                     "{\"id\":2,\"itemid\":930003,\"clock\":1795292180,\"ns\":2,\"state\":1,"
                     "\"value\":\"no such device\"}\n");
    carry(served, session);
    must_say(must_tell(session, LEAT_ZABBIX_ACKNOWLEDGED),
             "{\"interface availability\":{\"rows\":1},\"history data\":{\"rows\":2,\"id\":2}}");
    ck_assert_int_eq(on_task(proxy, builder, must_tell(session, LEAT_ZABBIX_TASK)), LEAT_OK);
    leat_session_free(session);
    leat_session_free(served);
    leat_zabbix_proxy_tick(proxy, 3000, NOW_NS);
    session = call(proxy, server, LEAT_ZABBIX_PROXY_DATA, &served);
    must_say(
        must_tell(served, LEAT_ZABBIX_ROW),
        "{\"type\":3,\"clock\":1795292180,\"ttl\":0,\"status\":-1,\"info\":\"no commands here\","
        "\"parent_taskid\":43}");
    leat_session_free(session);
    leat_session_free(served);
    leat_builder_free(builder);
    leat_builder_free(task);
    leat_buffer_free(line);
    leat_zabbix_proxy_free(proxy);
    leat_zabbix_server_free(server);
    t_free(json);
    t_free(text);
}
END_TEST

/* What could not be written is not acknowledged, and comes again. */
START_TEST(full_disk)
{
    leat_zabbix_proxy *proxy = make_proxy("7.0.22", false);
    leat_zabbix_server *server = make_server("7.0.22", 1);
    leat_builder *builder = make_builder();
    FILE *out = fopen("/dev/full", "w");
    leat_session *session, *served;
    leat_zabbix_proxy_status status = {.size = sizeof status};
    leat_buffer *line;

    if (out == NULL)
        return; /* there is none here */
    ck_assert_int_eq(leat_buffer_new(NULL, &line), LEAT_OK);
    ck_assert_int_eq(let_in(server, builder), LEAT_OK);
    ck_assert_int_eq(hand_in_failure(proxy, 930001, "none"), LEAT_OK);
    session = call(proxy, server, LEAT_ZABBIX_PROXY_CONFIG, &served);
    leat_session_free(session);
    leat_session_free(served);
    session = call(proxy, server, LEAT_ZABBIX_PROXY_DATA, &served);
    ck_assert_int_eq(keep_values(served, line, out), LEAT_END);
    carry(served, session);
    must_say(must_tell(session, LEAT_ZABBIX_RESPONSE),
             "{\"response\":\"failed\",\"info\":\"they cannot be kept\"}");
    leat_session_free(session);
    leat_session_free(served);
    ck_assert_int_eq(leat_zabbix_proxy_get_status(proxy, &status), LEAT_OK);
    ck_assert_uint_eq(status.rows, 1);
    (void)fclose(out);
    leat_buffer_free(line);
    leat_builder_free(builder);
    leat_zabbix_proxy_free(proxy);
    leat_zabbix_server_free(server);
}
END_TEST

/* Only its server gets a passive proxy's data. */
START_TEST(passive)
{
    static const char *const addresses[] = {"192.0.2.1", "192.0.2.2"};
    size_t i;

    for (i = 0; i < 2; i++) {
        leat_zabbix_proxy *proxy = make_proxy("7.0.22", true);
        leat_session *asker =
            live_exchange(NULL, LEAT_ZABBIX_AS_SERVER, LEAT_ZABBIX_PROXY_DATA, "7.0.22");
        leat_session *session;
        struct t_bytes said;

        ck_assert_int_eq(hand_in_failure(proxy, 1, "none"), LEAT_OK);
        ck_assert_int_eq(take_connection(proxy, addresses[i], &session), LEAT_OK);
        ck_assert_int_eq(live_send(asker, "proxy data", "{'request':'proxy data'}"), LEAT_OK);
        carry(asker, session);
        (void)tell_all(session);
        said = live_take(session);
        ck_assert(i == 0 ? said.length > 0 : said.length == 0);
        t_free(said);
        leat_session_free(asker);
        leat_session_free(session);
        leat_zabbix_proxy_free(proxy);
    }
}
END_TEST

static void check(const char *key, const char *answer)
{
    leat_builder *builder = make_builder();
    leat_session *agent = live_exchange(NULL, LEAT_ZABBIX_AS_AGENT, 0, "7.0.22"), *asker = NULL;

    ck_assert_int_eq(ask_agent(key, &asker, builder), LEAT_OK);
    carry(asker, agent);
    {
        const leat_event *row = must_tell(agent, LEAT_ZABBIX_ROW);
        leat_builder *copy = make_builder();

        ck_assert_int_eq(leat_builder_copy(copy, NULL, leat_event_value(row)), LEAT_OK);
        (void)must_tell(agent, LEAT_ZABBIX_PASSIVE_CHECKS);
        ck_assert_int_eq(answer_check(agent, builder, leat_builder_value(copy)), LEAT_OK);
        leat_builder_free(copy);
    }
    carry(agent, asker);
    must_say(must_tell(asker, LEAT_ZABBIX_ROW), answer);
    ck_assert_int_eq(leat_recv_eof(asker), LEAT_OK);
    ck_assert_int_eq(tell_all(asker), LEAT_END);
    leat_session_free(agent);
    leat_session_free(asker);
    leat_builder_free(builder);
}

START_TEST(neighbours)
{
    leat_session *sender =
        live_exchange(NULL, LEAT_ZABBIX_AS_SENDER, LEAT_ZABBIX_SENDER_DATA, "7.0.22");
    leat_session *server = live_exchange(NULL, LEAT_ZABBIX_AS_SERVER, 0, "7.0.22");

    check("agent.ping", "{\"value\":\"1\"}");
    check("agent.pong", "{\"error\":\"Unsupported item key.\"}");
    ck_assert_int_eq(send_value(sender, "za1", "trap", "1"), LEAT_OK);
    carry(sender, server);
    must_say(must_tell(server, LEAT_ZABBIX_ROW),
             "{\"host\":\"za1\",\"key\":\"trap\",\"value\":\"1\"}");
    (void)must_tell(server, LEAT_ZABBIX_SENDER_DATA);
    ck_assert_int_eq(live_send(server, "response", "{'response':'success'}"), LEAT_OK);
    carry(server, sender);
    (void)must_tell(sender, LEAT_ZABBIX_RESPONSE);
    leat_session_free(sender);
    leat_session_free(server);
}
END_TEST

static void tests(TCase *tc)
{
    tcase_add_test(tc, configuration);
    tcase_add_test(tc, data_and_tasks);
    tcase_add_test(tc, full_disk);
    tcase_add_test(tc, passive);
    tcase_add_test(tc, neighbours);
}

T_MAIN("zabbix/guide", tests)
