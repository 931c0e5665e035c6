/* Which message is it: each one of the specification, by who says it and what it holds. */
#include "frames.h"

#include "../zabbix/message.h"

#include <stdio.h>

#define TOKEN "\"0123456789abcdef0123456789abcdef\""

static const struct {
    uint32_t from;
    uint32_t kind;
    const char *name;
    const char *text;
} cases[] = {
    /* proxy config */
    {LEAT_FROM_PROXY, LEAT_ZABBIX_PROXY_CONFIG, "proxy config",
     "{\"request\":\"proxy config\",\"host\":\"px\",\"version\":\"6.0.14\"}"},
    {LEAT_FROM_SERVER, LEAT_ZABBIX_PROXY_CONFIG, "proxy config", "{\"request\":\"proxy config\"}"},
    {LEAT_FROM_SERVER, LEAT_ZABBIX_PROXY_CONFIG, "proxy config",
     "{\"request\":\"proxy config\",\"data\":{\"hosts\":{\"fields\":[],\"data\":[]}}}"},
    {LEAT_FROM_PROXY, LEAT_ZABBIX_PROXY_CONFIG, "proxy config",
     "{\"version\":\"7.0.22\",\"session\":" TOKEN ",\"config_revision\":16}"},
    {LEAT_FROM_PROXY, LEAT_ZABBIX_PROXY_CONFIG, "proxy config",
     "{\"version\":\"7.0.22\",\"session\":" TOKEN
     ",\"config_revision\":16,\"hostmap_revision\":1}"},
    {LEAT_FROM_SERVER, LEAT_ZABBIX_PROXY_CONFIG, "proxy config",
     "{\"globalmacro\":{\"fields\":[\"globalmacroid\"],\"data\":[]}}"},
    {LEAT_FROM_SERVER, LEAT_ZABBIX_PROXY_CONFIG, "proxy config", "{\"macro.secrets\":{}}"},
    {LEAT_FROM_SERVER, LEAT_ZABBIX_PROXY_CONFIG, "proxy config",
     "{\"full_sync\":1,\"data\":{},\"config_revision\":5}"},
    {LEAT_FROM_SERVER, LEAT_ZABBIX_PROXY_CONFIG, "proxy config", "{\"data\":{}}"},
    {LEAT_FROM_SERVER, LEAT_ZABBIX_PROXY_CONFIG, "proxy config", "{\"config_revision\":5}"},
    {LEAT_FROM_SERVER, LEAT_ZABBIX_PROXY_CONFIG, "proxy config", "{\"del_hostids\":[1]}"},
    {LEAT_FROM_SERVER, LEAT_ZABBIX_PROXY_CONFIG, "proxy config", "{\"del_macro_hostids\":[0]}"},
    {LEAT_FROM_SERVER, LEAT_ZABBIX_PROXY_CONFIG, "proxy config", "{\"proxy_group\":{}}"},
    {LEAT_FROM_SERVER, LEAT_ZABBIX_PROXY_CONFIG, "proxy config", "{}"},
    /* proxy data */
    {LEAT_FROM_PROXY, LEAT_ZABBIX_PROXY_DATA, "proxy data",
     "{\"request\":\"proxy data\",\"host\":\"px\"}"},
    {LEAT_FROM_SERVER, LEAT_ZABBIX_PROXY_DATA, "proxy data", "{\"request\":\"proxy data\"}"},
    {LEAT_FROM_PROXY, LEAT_ZABBIX_PROXY_DATA, "proxy data",
     "{\"session\":" TOKEN ",\"version\":\"6.0.14\",\"clock\":1,\"ns\":2}"},
    {LEAT_FROM_PROXY, LEAT_ZABBIX_PROXY_DATA, "proxy data", "{\"interface availability\":[]}"},
    {LEAT_FROM_PROXY, LEAT_ZABBIX_PROXY_DATA, "proxy data", "{\"host availability\":[]}"},
    {LEAT_FROM_PROXY, LEAT_ZABBIX_PROXY_DATA, "proxy data", "{\"history data\":[]}"},
    {LEAT_FROM_PROXY, LEAT_ZABBIX_PROXY_DATA, "proxy data", "{\"discovery data\":[]}"},
    {LEAT_FROM_PROXY, LEAT_ZABBIX_PROXY_DATA, "proxy data", "{\"auto registration\":[]}"},
    {LEAT_FROM_PROXY, LEAT_ZABBIX_PROXY_DATA, "proxy data", "{\"host data\":[],\"tasks\":[]}"},
    /* proxy tasks */
    {LEAT_FROM_SERVER, LEAT_ZABBIX_PROXY_TASKS, "proxy tasks", "{\"request\":\"proxy tasks\"}"},
    {LEAT_FROM_PROXY, LEAT_ZABBIX_PROXY_TASKS, "proxy tasks",
     "{\"version\":\"6.0.14\",\"clock\":1,\"ns\":2}"},
    {LEAT_FROM_PROXY, LEAT_ZABBIX_PROXY_TASKS, "proxy tasks",
     "{\"tasks\":[],\"version\":\"6.0.14\",\"clock\":1,\"ns\":2}"},
    {LEAT_FROM_PROXY, LEAT_ZABBIX_PROXY_HEARTBEAT, "proxy heartbeat",
     "{\"request\":\"proxy heartbeat\",\"host\":\"px\",\"version\":\"6.0.14\"}"},
    /* agents and senders */
    {LEAT_FROM_AGENT, LEAT_ZABBIX_ACTIVE_CHECKS, "active checks",
     "{\"request\":\"active checks\",\"host\":\"za1\"}"},
    {LEAT_FROM_AGENT, LEAT_ZABBIX_AGENT_DATA, "agent data",
     "{\"request\":\"agent data\",\"session\":" TOKEN ",\"data\":[],\"clock\":1,\"ns\":2}"},
    {LEAT_FROM_AGENT, LEAT_ZABBIX_AGENT_HEARTBEAT, "active check heartbeat",
     "{\"request\":\"active check heartbeat\",\"host\":\"za1\",\"heartbeat_freq\":60}"},
    {LEAT_FROM_SENDER, LEAT_ZABBIX_SENDER_DATA, "sender data",
     "{\"request\":\"sender data\",\"data\":[]}"},
    {LEAT_FROM_SERVER, LEAT_ZABBIX_PASSIVE_CHECKS, "passive checks",
     "{\"request\":\"passive checks\",\"data\":[{\"key\":\"agent.ping\",\"timeout\":3}]}"},
    {LEAT_FROM_AGENT, LEAT_ZABBIX_PASSIVE_CHECKS, "passive checks",
     "{\"version\":\"7.0.22\",\"variant\":1,\"data\":[{\"value\":\"1\"}]}"},
    {LEAT_FROM_AGENT, LEAT_ZABBIX_PASSIVE_CHECKS, "passive checks",
     "{\"version\":\"7.0.22\",\"error\":\"broken\"}"},
    {LEAT_FROM_AGENT, LEAT_ZABBIX_PASSIVE_CHECKS, "passive checks", "{\"data\":[]}"},
    /* responses: a server's, a proxy's to a server, to an agent */
    {LEAT_FROM_SERVER, LEAT_ZABBIX_RESPONSE, "response", "{\"response\":\"success\"}"},
    {LEAT_FROM_SERVER, LEAT_ZABBIX_RESPONSE, "response",
     "{\"upload\":\"enabled\",\"response\":\"success\",\"tasks\":[]}"},
    {LEAT_FROM_PROXY, LEAT_ZABBIX_RESPONSE, "response",
     "{\"response\":\"success\",\"version\":\"7.0.22\"}"},
    {LEAT_FROM_PROXY, LEAT_ZABBIX_RESPONSE, "response",
     "{\"response\":\"success\",\"config_revision\":11,\"data\":[],\"regexp\":[],\"commands\":[]}"},
    {LEAT_FROM_PROXY, LEAT_ZABBIX_RESPONSE, "response",
     "{\"redirect\":{\"revision\":1,\"address\":\"127.0.0.1:17999\"},\"response\":\"failed\"}"},
    {LEAT_FROM_PROXY, LEAT_ZABBIX_RESPONSE, "response", "{\"redirect\":{\"reset\":true}}"},
    /* what we do not know */
    {LEAT_FROM_SENDER, LEAT_ZABBIX_REQUEST, "request",
     "{\"request\":\"history.push\",\"data\":[]}"},
    {LEAT_FROM_SENDER, LEAT_ZABBIX_REQUEST, "request", "{\"request\":\"Proxy Data\"}"},
    {LEAT_FROM_SENDER, LEAT_ZABBIX_REQUEST, "request", "{\"request\":\"\"}"},
    {LEAT_FROM_SENDER, LEAT_ZABBIX_MESSAGE, "message", "{\"request\":7}"},
    {LEAT_FROM_SENDER, LEAT_ZABBIX_MESSAGE, "message", "{}"},
    {LEAT_FROM_PROXY, LEAT_ZABBIX_MESSAGE, "message", "{\"x\":1}"},
    {LEAT_FROM_PROXY, LEAT_ZABBIX_MESSAGE, "message", "{\"version\":\"6.0.14\"}"},
    {LEAT_FROM_AGENT, LEAT_ZABBIX_MESSAGE, "message", "{\"history data\":[]}"},
    {LEAT_FROM_SERVER, LEAT_ZABBIX_MESSAGE, "message",
     "{\"session\":" TOKEN ",\"config_revision\":1}"},
    /* real peers take the first of two members, if its type is right */
    {LEAT_FROM_SENDER, LEAT_ZABBIX_SENDER_DATA, "sender data",
     "{\"request\":null,\"request\":\"sender data\",\"request\":\"agent data\"}"},
    /* when it is not known who speaks */
    {LEAT_FROM_ANY, LEAT_ZABBIX_PROXY_CONFIG, "proxy config", "{}"},
    {LEAT_FROM_ANY, LEAT_ZABBIX_PROXY_CONFIG, "proxy config",
     "{\"version\":\"7.0.22\",\"session\":" TOKEN ",\"config_revision\":16}"},
    {LEAT_FROM_ANY, LEAT_ZABBIX_PROXY_CONFIG, "proxy config",
     "{\"data\":{},\"config_revision\":18}"},
    {LEAT_FROM_ANY, LEAT_ZABBIX_PROXY_DATA, "proxy data",
     "{\"session\":" TOKEN ",\"version\":\"6.0.14\",\"clock\":1,\"ns\":2}"},
    {LEAT_FROM_ANY, LEAT_ZABBIX_PROXY_TASKS, "proxy tasks",
     "{\"version\":\"6.0.14\",\"clock\":1,\"ns\":2}"},
    {LEAT_FROM_ANY, LEAT_ZABBIX_PASSIVE_CHECKS, "passive checks",
     "{\"version\":\"7.0.22\",\"variant\":1,\"data\":[{\"value\":\"1\"}]}"},
};

START_TEST(names)
{
    struct t_bytes bytes = frame_text(1, cases[_i].text);
    leat_session *session = make_codec(NULL, &cases[_i].from);
    const leat_event *event;
    size_t length;

    ck_assert_int_eq(leat_feed(session, bytes.data, bytes.length), LEAT_OK);
    do
        ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
    while (leat_event_kind(event) == LEAT_ZABBIX_ROW);
    ck_assert_ptr_null(leat_event_error(event));
    ck_assert_uint_eq(leat_event_kind(event), cases[_i].kind);
    ck_assert_str_eq(leat_event_name(event, NULL), cases[_i].name);
    ck_assert_str_eq(leat_event_name(event, &length), cases[_i].name);
    ck_assert_uint_eq(length, strlen(cases[_i].name));
    ck_assert_int_eq(leat_next(session, &event), LEAT_MORE);
    leat_session_free(session);
    t_free(bytes);
}
END_TEST

/* Kinds never change their numbers: programs are compiled with them. */
static const char *const kinds[] = {
    "",
    "",
    "proxy config",
    "proxy data",
    "proxy tasks",
    "proxy heartbeat",
    "active checks",
    "agent data",
    "active check heartbeat",
    "sender data",
    "passive checks",
    "response",
    "request",
    "message",
    "plain",
    "unframed",
    "",
};

START_TEST(numbers)
{
    uint32_t kind = (uint32_t)_i;

    ck_assert_str_eq(lt_zabbix_kind_name(kind), kinds[_i]);
    if (kinds[_i][0] != '\0')
        ck_assert_uint_eq(lt_zabbix_name_kind(kinds[_i]), kind);
    ck_assert_int_eq(lt_zabbix_kind_asks(kind), kind >= 2 && kind <= 10);
}
END_TEST

START_TEST(no_such_name)
{
    ck_assert_uint_eq(lt_zabbix_name_kind("history data"), 0);
    ck_assert_uint_eq(lt_zabbix_name_kind(""), 0);
}
END_TEST

/* Each member that is known, and that no other spelling is. */
static const char *const known[] = {
    "data",
    "clock",
    "error",
    "tasks",
    "regexp",
    "session",
    "version",
    "variant",
    "response",
    "redirect",
    "commands",
    "full_sync",
    "host data",
    "del_hostids",
    "proxy_group",
    "history data",
    "macro.secrets",
    "discovery data",
    "config_revision",
    "host availability",
    "auto registration",
    "del_macro_hostids",
    "interface availability",
};

START_TEST(members)
{
    size_t length = strlen(known[_i]);
    const struct lt_zabbix_member *member = lt_zabbix_member_find(known[_i], length);

    ck_assert_ptr_nonnull(member);
    ck_assert_str_eq(member->name, known[_i]);
    ck_assert_uint_eq(member->length, length);
    ck_assert_uint_ne(member->seen, 0);
    ck_assert_ptr_null(lt_zabbix_member_find(known[_i], length - 1));
    ck_assert_ptr_null(lt_zabbix_member_find(known[_i] + 1, length - 1));
    ck_assert_ptr_null(lt_zabbix_member_find("a name that is longer than all", 30));
    ck_assert_ptr_null(lt_zabbix_member_find("", 0));
}
END_TEST

static void tests(TCase *tc)
{
    tcase_add_loop_test(tc, names, 0, sizeof cases / sizeof *cases);
    tcase_add_loop_test(tc, numbers, 0, sizeof kinds / sizeof *kinds);
    tcase_add_test(tc, no_such_name);
    tcase_add_loop_test(tc, members, 0, sizeof known / sizeof *known);
}

T_MAIN("zabbix/message", tests)
