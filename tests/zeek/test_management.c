/* Events of the Management framework: recorded, and made by the table that the library tells. */
#include "lines.h"

#include <leat/broker.h>
#include <leat/broker_websocket.h>
#include <leat/zeek_management.h>
#include <stddef.h>
#include <stdio.h>

#define KINDS 47u

static leat_builder *builder(void)
{
    leat_builder *made;

    ck_assert_int_eq(leat_builder_new(NULL, &made), LEAT_OK);
    return made;
}

static leat_zeek_message fresh(void)
{
    leat_zeek_message message;

    leat_zeek_message_init(&message, sizeof message);
    return message;
}

static leat_zeek_management_flaw flawless(void)
{
    leat_zeek_management_flaw flaw;

    leat_zeek_management_flaw_init(&flaw, sizeof flaw);
    return flaw;
}

static const char *word(const char *text)
{
    return text == NULL ? "-" : text;
}

/* What a flaw says of the place, in one line. */
static const char *place_of(const leat_zeek_management_flaw *flaw, char text[256])
{
    (void)snprintf(text, 256, "%s %s %s %s", word(flaw->argument), word(flaw->record),
                   word(flaw->field), word(flaw->type));
    return text;
}

/* Reads what was written, or what came. */
static leat_zeek_message opened(const leat_value *data)
{
    leat_zeek_message message = fresh();

    ck_assert_int_eq(leat_zeek_read(data, &message), LEAT_OK);
    return message;
}

/* An event whose arguments are any values. */
static leat_zeek_message event_of(uint32_t kind, const leat_value *args)
{
    leat_zeek_message message = fresh();

    message.kind = LEAT_ZEEK_EVENT;
    message.name = leat_zeek_management_name(kind);
    message.name_length = strlen(message.name);
    message.args = args;
    return message;
}

/* Writes an event, and asserts that it is written. */
static leat_builder *written(uint32_t kind, const leat_value *args)
{
    leat_zeek_management_flaw flaw = flawless();
    leat_builder *b = builder();
    int status = leat_zeek_management_write(b, NULL, kind, args, &flaw);
    char text[256];

    ck_assert_msg(status == LEAT_OK, "%s: %s: %s (%s)", leat_zeek_management_name(kind),
                  leat_status_name(status), word(flaw.what), place_of(&flaw, text));
    return b;
}

/* ----- names ----- */

#define NAMED(constant, name)                                                                      \
    {                                                                                              \
        constant, name                                                                             \
    }
#define AGENT      "Management::Agent::API::"
#define CONTROLLER "Management::Controller::API::"
#define NODE       "Management::Node::API::"
#define CONTROL    "SupervisorControl::"

static const struct {
    uint32_t kind;
    const char *name;
    unsigned native;    /* how many the recordings have of it */
    unsigned websocket; /* and those of clients */
} kinds[] = {
    {LEAT_ZEEK_AGENT_DEPLOY_REQUEST, AGENT "deploy_request", 24, 0},
    {LEAT_ZEEK_AGENT_DEPLOY_RESPONSE, AGENT "deploy_response", 23, 0},
    {LEAT_ZEEK_AGENT_GET_NODES_REQUEST, AGENT "get_nodes_request", 20, 0},
    {LEAT_ZEEK_AGENT_GET_NODES_RESPONSE, AGENT "get_nodes_response", 20, 0},
    {LEAT_ZEEK_AGENT_NODE_DISPATCH_REQUEST, AGENT "node_dispatch_request", 19, 0},
    {LEAT_ZEEK_AGENT_NODE_DISPATCH_RESPONSE, AGENT "node_dispatch_response", 18, 0},
    {LEAT_ZEEK_AGENT_AGENT_WELCOME_REQUEST, AGENT "agent_welcome_request", 17, 0},
    {LEAT_ZEEK_AGENT_AGENT_WELCOME_RESPONSE, AGENT "agent_welcome_response", 18, 0},
    {LEAT_ZEEK_AGENT_AGENT_STANDBY_REQUEST, AGENT "agent_standby_request", 10, 0},
    {LEAT_ZEEK_AGENT_AGENT_STANDBY_RESPONSE, AGENT "agent_standby_response", 10, 0},
    {LEAT_ZEEK_AGENT_RESTART_REQUEST, AGENT "restart_request", 10, 0},
    {LEAT_ZEEK_AGENT_RESTART_RESPONSE, AGENT "restart_response", 9, 0},
    {LEAT_ZEEK_AGENT_NOTIFY_AGENT_HELLO, AGENT "notify_agent_hello", 60, 0},
    {LEAT_ZEEK_AGENT_NOTIFY_CHANGE, AGENT "notify_change", 4, 0},
    {LEAT_ZEEK_AGENT_NOTIFY_ERROR, AGENT "notify_error", 4, 0},
    {LEAT_ZEEK_AGENT_NOTIFY_LOG, AGENT "notify_log", 4, 0},
    {LEAT_ZEEK_CONTROLLER_GET_INSTANCES_REQUEST, CONTROLLER "get_instances_request", 5, 7},
    {LEAT_ZEEK_CONTROLLER_GET_INSTANCES_RESPONSE, CONTROLLER "get_instances_response", 5, 7},
    {LEAT_ZEEK_CONTROLLER_STAGE_CONFIGURATION_REQUEST, CONTROLLER "stage_configuration_request", 6,
     15},
    {LEAT_ZEEK_CONTROLLER_STAGE_CONFIGURATION_RESPONSE, CONTROLLER "stage_configuration_response",
     5, 15},
    {LEAT_ZEEK_CONTROLLER_GET_CONFIGURATION_REQUEST, CONTROLLER "get_configuration_request", 7, 11},
    {LEAT_ZEEK_CONTROLLER_GET_CONFIGURATION_RESPONSE, CONTROLLER "get_configuration_response", 6,
     11},
    {LEAT_ZEEK_CONTROLLER_DEPLOY_REQUEST, CONTROLLER "deploy_request", 6, 16},
    {LEAT_ZEEK_CONTROLLER_DEPLOY_RESPONSE, CONTROLLER "deploy_response", 6, 16},
    {LEAT_ZEEK_CONTROLLER_GET_NODES_REQUEST, CONTROLLER "get_nodes_request", 4, 15},
    {LEAT_ZEEK_CONTROLLER_GET_NODES_RESPONSE, CONTROLLER "get_nodes_response", 4, 15},
    {LEAT_ZEEK_CONTROLLER_GET_ID_VALUE_REQUEST, CONTROLLER "get_id_value_request", 3, 17},
    {LEAT_ZEEK_CONTROLLER_GET_ID_VALUE_RESPONSE, CONTROLLER "get_id_value_response", 3, 17},
    {LEAT_ZEEK_CONTROLLER_RESTART_REQUEST, CONTROLLER "restart_request", 3, 9},
    {LEAT_ZEEK_CONTROLLER_RESTART_RESPONSE, CONTROLLER "restart_response", 3, 9},
    {LEAT_ZEEK_CONTROLLER_TEST_TIMEOUT_REQUEST, CONTROLLER "test_timeout_request", 4, 4},
    {LEAT_ZEEK_CONTROLLER_TEST_TIMEOUT_RESPONSE, CONTROLLER "test_timeout_response", 2, 2},
    {LEAT_ZEEK_CONTROLLER_NOTIFY_AGENTS_READY, CONTROLLER "notify_agents_ready", 1, 0},
    {LEAT_ZEEK_NODE_NODE_DISPATCH_REQUEST, NODE "node_dispatch_request", 24, 0},
    {LEAT_ZEEK_NODE_NODE_DISPATCH_RESPONSE, NODE "node_dispatch_response", 18, 0},
    {LEAT_ZEEK_NODE_NOTIFY_NODE_HELLO, NODE "notify_node_hello", 36, 0},
    {LEAT_ZEEK_SUPERVISOR_NOTIFY_NODE_EXIT, "Management::Supervisor::API::notify_node_exit", 24, 0},
    {LEAT_ZEEK_SUPERVISOR_CONTROL_CREATE_REQUEST, CONTROL "create_request", 79, 0},
    {LEAT_ZEEK_SUPERVISOR_CONTROL_CREATE_RESPONSE, CONTROL "create_response", 35, 0},
    {LEAT_ZEEK_SUPERVISOR_CONTROL_STATUS_REQUEST, CONTROL "status_request", 118, 0},
    {LEAT_ZEEK_SUPERVISOR_CONTROL_STATUS_RESPONSE, CONTROL "status_response", 39, 0},
    {LEAT_ZEEK_SUPERVISOR_CONTROL_RESTART_REQUEST, CONTROL "restart_request", 27, 0},
    {LEAT_ZEEK_SUPERVISOR_CONTROL_RESTART_RESPONSE, CONTROL "restart_response", 7, 0},
    {LEAT_ZEEK_SUPERVISOR_CONTROL_DESTROY_REQUEST, CONTROL "destroy_request", 80, 0},
    {LEAT_ZEEK_SUPERVISOR_CONTROL_DESTROY_RESPONSE, CONTROL "destroy_response", 20, 0},
    {LEAT_ZEEK_SUPERVISOR_CONTROL_STOP_REQUEST, CONTROL "stop_request", 0, 0}, /* never */
    {LEAT_ZEEK_SUPERVISOR_CONTROL_NODE_STATUS, CONTROL "node_status", 46, 0},
};

START_TEST(names)
{
    uint32_t i;

    ck_assert_uint_eq(sizeof kinds / sizeof *kinds, KINDS);
    for (i = 0; i < KINDS; i++) {
        const char *name = kinds[i].name;

        ck_assert_uint_eq(kinds[i].kind, i + 1);
        ck_assert_str_eq(leat_zeek_management_name(i + 1), name);
        ck_assert_uint_eq(leat_zeek_management_find(name, strlen(name)), i + 1);
        ck_assert_uint_eq(leat_zeek_management_find(name, strlen(name) - 1), 0);
        ck_assert_uint_eq(leat_zeek_management_find(name, strlen(name) + 1), 0); /* its NUL */
    }
    ck_assert_ptr_null(leat_zeek_management_name(0));
    ck_assert_ptr_null(leat_zeek_management_name(KINDS + 1));
    ck_assert_ptr_null(leat_zeek_management_name(LEAT_ZEEK_TIMED_OUT));
    ck_assert_ptr_null(leat_zeek_management_name(UINT32_MAX));
    ck_assert_uint_eq(leat_zeek_management_find("", 0), 0);
    ck_assert_uint_eq(leat_zeek_management_find("deploy_request", 14), 0);
}
END_TEST

START_TEST(other_messages)
{
    leat_zeek_message message = fresh();
    leat_zeek_management_flaw flaw = flawless();
    leat_builder *b = builder();

    ck_assert_uint_eq(leat_zeek_management_kind(NULL), 0);
    ck_assert_uint_eq(leat_zeek_management_kind(&message), 0);
    message = event_of(LEAT_ZEEK_AGENT_NOTIFY_LOG, NULL);
    ck_assert_uint_eq(leat_zeek_management_kind(&message), LEAT_ZEEK_AGENT_NOTIFY_LOG);
    message.kind = LEAT_ZEEK_IDENTIFIER_UPDATE; /* of that name */
    ck_assert_uint_eq(leat_zeek_management_kind(&message), 0);
    message.kind = LEAT_ZEEK_EVENT;
    message.name_length--;
    ck_assert_uint_eq(leat_zeek_management_kind(&message), 0);
    ck_assert_int_eq(leat_zeek_management_read(b, NULL, &message, &flaw), LEAT_E_VALUE);
    ck_assert_ptr_null(flaw.event);
    ck_assert_str_eq(leat_error_text(leat_builder_error(b)),
                     "no event of the Management framework");
    message.name_length++;
    message.size = 0; /* not initialised */
    ck_assert_uint_eq(leat_zeek_management_kind(&message), 0);
    leat_builder_free(b);
}
END_TEST

/* ----- what came ----- */

struct walk {
    const char *path;
    unsigned kinds[KINDS + 1];
    unsigned malformed;
};

/* What is read, by name, is written as it was; and also when it was JSON in between. */
static void write_again(const leat_zeek_message *message, const leat_value *args, const char *path)
{
    uint32_t kind = leat_zeek_management_kind(message);
    char *text = t_json_text(args);
    leat_builder *json = t_json(text, strlen(text)), *first = written(kind, args),
                 *second = written(kind, leat_builder_value(json));
    leat_zeek_message one = opened(leat_builder_value(first)),
                      two = opened(leat_builder_value(second));

    ck_assert_msg(leat_value_equal(one.args, message->args), "%s: %s", path, text);
    ck_assert_msg(leat_value_equal(two.args, message->args), "%s: JSON: %s", path, text);
    ck_assert_ptr_null(one.metadata);
    leat_builder_free(json);
    leat_builder_free(first);
    leat_builder_free(second);
    free(text);
}

static void take(struct walk *walk, const leat_value *data)
{
    leat_zeek_message message = fresh(), member = fresh();
    leat_zeek_management_flaw flaw = flawless();
    leat_builder *args;
    uint32_t kind;
    char place[256];
    int status;

    if (leat_zeek_read(data, &message) != LEAT_OK)
        return;
    while (leat_zeek_batch_next(&message, &member) == LEAT_OK)
        ck_assert_uint_eq(leat_zeek_management_kind(&member), 0); /* lines of logs */
    kind = leat_zeek_management_kind(&message);
    if (kind == 0)
        return;
    args = builder();
    status = leat_zeek_management_read(args, NULL, &message, &flaw);
    if (status == LEAT_OK) {
        walk->kinds[kind]++;
        write_again(&message, leat_builder_value(args), walk->path);
    } else { /* an agent that tells a failure without data, which Zeek's controller cannot read */
        ck_assert_uint_eq(kind, LEAT_ZEEK_AGENT_GET_NODES_RESPONSE);
        ck_assert_str_eq(place_of(&flaw, place),
                         "result Management::Result data vector of Management::NodeStatus");
        walk->malformed++;
    }
    leat_builder_free(args);
}

static void direction(struct walk *walk, bool websocket, const char *dir, uint64_t conn)
{
    struct t_bytes octets = t_capture(walk->path, dir, conn);
    uint32_t from = strcmp(dir, "a>b") == 0 ? LEAT_FROM_CLIENT : LEAT_FROM_SERVER;
    const leat_event *event;
    leat_session *session;

    ck_assert_int_eq(websocket ? leat_broker_websocket_codec_new(NULL, from, &session)
                               : leat_broker_codec_new(NULL, from, &session),
                     LEAT_OK);
    ck_assert_int_eq(leat_feed(session, octets.data, octets.length), LEAT_OK);
    ck_assert_int_eq(leat_recv_eof(session), LEAT_OK);
    while (leat_next(session, &event) == LEAT_OK) {
        const leat_value *value = leat_event_value(event);

        if (websocket)
            value = leat_value_get(value, "message");
        take(walk, leat_value_get(value, "data"));
    }
    leat_session_free(session);
    t_free(octets);
}

/* Every event that was recorded, of agents, controllers, nodes, Supervisors and clients. */
START_TEST(recordings)
{
    static const char *const folders[] = {"zeek/management", "websocket/management"};
    char **found = t_names(folders[_i], ".jsonl"), **name;
    struct walk walk = {NULL, {0}, 0};
    uint64_t conn, last;
    uint32_t kind;

    for (name = found; *name != NULL; name++) {
        char path[256];

        (void)snprintf(path, sizeof path, "%s/%s", folders[_i], *name);
        walk.path = path;
        last = lines_connections(path);
        for (conn = 1; conn <= last; conn++) {
            direction(&walk, _i == 1, "a>b", conn);
            direction(&walk, _i == 1, "b>a", conn);
        }
    }
    t_names_free(found);
    for (kind = 1; kind <= KINDS; kind++)
        ck_assert_msg(walk.kinds[kind] ==
                          (_i == 1 ? kinds[kind - 1].websocket : kinds[kind - 1].native),
                      "%u of %s", walk.kinds[kind], kinds[kind - 1].name);
    ck_assert_uint_eq(walk.malformed, _i == 1 ? 0 : 1);
}
END_TEST

/* ----- vectors ----- */

/* What the arguments are by name; the line is the number of one of its file. */
static const struct {
    unsigned line;
    const char *json;
} read_as[] = {
    {1, "{\"instance\":\"agent-1\",\"id\":\"22222222-2222-5222-9222-222222222222\","
        "\"connecting\":true,\"api_version\":1}"},
    {4, "{\"reqid\":\"rq1\"}"},
    {5,
     "{\"reqid\":\"rq1\",\"result\":{\"reqid\":\"rq1\",\"success\":true,\"instance\":\"agent-1\","
     "\"data\":null,\"error\":null,\"node\":null}}"},
    {8,
     "{\"reqid\":\"rq2\",\"config\":{\"id\":\"cfg-1\",\"instances\":[{\"name\":\"agent-1\","
     "\"host\":\"127.0.0.1\",\"listen_port\":null}],\"nodes\":[{\"name\":\"manager\","
     "\"instance\":\"agent-1\",\"role\":\"Supervisor::MANAGER\",\"state\":\"Management::"
     "RUNNING\",\"p\":\"2200/tcp\",\"scripts\":null,\"options\":null,\"interface\":null,"
     "\"cpu_affinity\":null,\"env\":[],\"metrics_port\":\"9000/tcp\"},{\"name\":\"worker-01\","
     "\"instance\":\"agent-1\",\"role\":\"Supervisor::WORKER\",\"state\":\"Management::RUNNING\","
     "\"p\":null,\"scripts\":[\"local.zeek\"],\"options\":[{\"name\":\"ignore_checksums\","
     "\"value\":\"T\"}],\"interface\":\"eth0\",\"cpu_affinity\":3,\"env\":[{\"key\":\"TZ\","
     "\"value\":\"UTC\"}],\"metrics_port\":null}]},\"force\":false}"},
    {9, "\"data\":{\"stdout\":\"out\",\"stderr\":\"fatal error\"},\"error\":null,\"node\":"
        "\"worker-01\"}]}"},
    {11, "\"data\":[{\"node\":\"agent-1\",\"state\":\"Management::RUNNING\",\"mgmt_role\":"
         "\"Management::AGENT\",\"cluster_role\":\"Supervisor::NONE\",\"pid\":4242,\"p\":null,"
         "\"metrics_port\":null},{\"node\":\"manager\""},
    {12, "{\"reqid\":\"rq4\",\"action\":[\"get_id_value\",\"Log::default_rotation_interval\"],"
         "\"nodes\":[\"worker-01\"]}"},
    {16, "\"env\":[{\"key\":\"TZ\",\"value\":\"UTC\"}],\"metrics_port\":null},\"old\":"
         "\"Management::PENDING\",\"new\":\"Management::RUNNING\"}"},
    {20, "\"data\":[{\"name\":\"agent-1\",\"host\":\"127.0.0.1\",\"listen_port\":null},{\"name\":"
         "\"agent-2\",\"host\":\"10.0.0.2\",\"listen_port\":\"2151/tcp\"}]"},
    {25, "\"success\":true,\"instance\":null,\"data\":{\"id\":\"cfg-1\",\"instances\":[{\"name\""},
    {28, "{\"reqid\":\"c4\",\"success\":true,\"instance\":null,\"data\":\"cfg-1\","},
    {38,
     "{\"reqid\":\"s1\",\"result\":{\"nodes\":[{\"key\":\"agent-1\",\"value\":{\"node\":"
     "{\"name\":\"agent-1\",\"interface\":null,\"pcap_file\":null,\"directory\":"
     "\"/var/agent-1\",\"stdout_file\":null,\"stderr_file\":null,\"bare_mode\":true,"
     "\"addl_base_scripts\":[\"policy/frameworks/management/agent/main.zeek\"],"
     "\"addl_user_scripts\":[],\"env\":[{\"key\":\"ZEEK_MANAGEMENT_NODE\",\"value\":\"AGENT\"}],"
     "\"cpu_affinity\":null,\"cluster\":[]},\"pid\":4242}}]}}"},
    {39, "\"cluster\":[{\"key\":\"manager\",\"value\":{\"role\":\"Supervisor::MANAGER\",\"host\":"
         "\"127.0.0.1\",\"p\":\"2200/tcp\",\"interface\":null,\"pcap_file\":null,\"metrics_port\":"
         "\"9000/tcp\"}}]}}"},
    {48, "{\"node\":\"worker-01\",\"outputs\":{\"stdout\":\"out\",\"stderr\":\"err\"}}"},
};

/* What was read, written again with the metadata that it had. */
static leat_builder *whole(const leat_zeek_message *message, const leat_value *args)
{
    leat_builder *again = written(leat_zeek_management_kind(message), args), *b = builder();
    leat_zeek_message with = opened(leat_builder_value(again));

    with.metadata = message->metadata;
    ck_assert_int_eq(leat_zeek_write(b, NULL, &with), LEAT_OK);
    leat_builder_free(again);
    return b;
}

/* Each comes in binary and as JSON, and goes so, too. */
START_TEST(vectors)
{
    struct lines lines;
    bool seen[KINDS + 1] = {false};
    unsigned metadata[3] = {0, 0, 0};
    size_t next = 0, count = sizeof read_as / sizeof *read_as;
    uint32_t kind;

    lines_open(&lines, "broker/management.jsonl");
    while (lines_next(&lines)) {
        char *hex = text_of(lines.line, "data_hex"), *name = text_of(lines.line, "event");
        char *topic = text_of(lines.line, "topic"), *json;
        char *text = t_json_text(leat_value_get(lines.line, "websocket"));
        struct t_bytes octets = t_hex(hex);
        leat_builder *native = builder(), *web = builder(), *args = builder(), *same = builder();
        leat_builder *out;
        leat_buffer *buffer;
        leat_zeek_message message, other;
        const char *went;
        size_t length;

        ck_assert_int_eq(leat_buffer_new(NULL, &buffer), LEAT_OK);
        ck_assert_int_eq(leat_broker_read(native, NULL, octets.data, octets.length), LEAT_OK);
        ck_assert_int_eq(leat_broker_json_message_read(web, NULL, text, strlen(text)), LEAT_OK);
        message = opened(leat_builder_value(native));
        other = opened(leat_value_get(leat_builder_value(web), "data"));
        kind = leat_zeek_management_kind(&message);
        ck_assert_str_eq(leat_zeek_management_name(kind), name);
        ck_assert_uint_eq(leat_zeek_management_kind(&other), kind);
        seen[kind] = true;
        metadata[message.metadata == NULL ? 0 : leat_value_count(message.metadata) == 0 ? 1 : 2]++;
        ck_assert_int_eq(leat_zeek_management_read(args, NULL, &message, NULL), LEAT_OK);
        ck_assert_int_eq(leat_zeek_management_read(same, NULL, &other, NULL), LEAT_OK);
        ck_assert(leat_value_equal(leat_builder_value(args), leat_builder_value(same)));
        json = t_json_text(leat_builder_value(args));
        if (next < count && read_as[next].line == lines.number) {
            ck_assert_msg(strstr(json, read_as[next].json) != NULL, "%u: %s", lines.number, json);
            next++;
        }
        write_again(&message, leat_builder_value(args), name);

        out = whole(&message, leat_builder_value(args));
        ck_assert_int_eq(leat_broker_write(buffer, leat_builder_value(out)), LEAT_OK);
        same_buffer(buffer, hex, name);
        leat_buffer_clear(buffer);
        ck_assert_int_eq(
            leat_broker_json_message(buffer, topic, strlen(topic), leat_builder_value(out)),
            LEAT_OK);
        went = (const char *)leat_buffer_data(buffer, &length);
        leat_builder_free(web);
        web = t_json(went, length);
        ck_assert(
            leat_value_equal(leat_builder_value(web), leat_value_get(lines.line, "websocket")));
        leat_buffer_free(buffer);
        leat_builder_free(out);
        leat_builder_free(native);
        leat_builder_free(web);
        leat_builder_free(args);
        leat_builder_free(same);
        t_free(octets);
        free(hex);
        free(name);
        free(topic);
        free(text);
        free(json);
    }
    ck_assert_uint_eq(next, count);
    ck_assert(metadata[0] == 1 && metadata[1] == 46 && metadata[2] == 1);
    for (kind = 1; kind <= KINDS; kind++) /* all but three, two of which were recorded */
        ck_assert_msg(seen[kind] == (kind != LEAT_ZEEK_CONTROLLER_NOTIFY_AGENTS_READY &&
                                     kind != LEAT_ZEEK_SUPERVISOR_CONTROL_STOP_REQUEST &&
                                     kind != LEAT_ZEEK_SUPERVISOR_CONTROL_NODE_STATUS),
                      "%s", leat_zeek_management_name(kind));
}
END_TEST

/* ----- all that the table says ----- */

/* A text that ends with a NUL, which those of values do not. */
struct name {
    char text[64];
};

static struct name name_of(const leat_value *record, const char *field)
{
    struct name name;
    size_t length;
    const char *text = leat_value_text(leat_value_get(record, field), &length);

    ck_assert_uint_lt(length, sizeof name.text);
    memcpy(name.text, text, length);
    name.text[length] = '\0';
    return name;
}

/* The record, event or enum of that name, in a list of the table. */
static const leat_value *find(const leat_value *list, const char *name)
{
    const leat_value *at;

    for (at = leat_value_first(list); at != NULL; at = leat_value_next(list, at)) {
        if (strcmp(name_of(at, "name").text, name) == 0)
            return at;
    }
    return NULL;
}

static bool begins(const char **text, const char *with)
{
    if (strncmp(*text, with, strlen(with)) != 0)
        return false;
    *text += strlen(with);
    return true;
}

static leat_builder *table(void)
{
    leat_builder *b = builder();

    ck_assert_int_eq(leat_zeek_management_describe(b, NULL), LEAT_OK);
    return b;
}

static void sample(leat_builder *b, const char *name, const leat_value *all, const char *type,
                   const char *data);

/* A record of all fields, which are those of a list of the table. */
static void sample_fields(leat_builder *b, const char *name, const leat_value *all,
                          const leat_value *fields, const char *data)
{
    const leat_value *field;

    ck_assert_int_eq(leat_builder_open(b, name, LEAT_RECORD), LEAT_OK);
    for (field = leat_value_first(fields); field != NULL; field = leat_value_next(fields, field)) {
        struct name of = name_of(field, "name"), type = name_of(field, "type");
        struct name own = name_of(field, "data");

        sample(b, of.text, all, strcmp(type.text, "any") == 0 ? data : type.text,
               own.text[0] == '\0' ? data : own.text);
    }
    ck_assert_int_eq(leat_builder_close(b), LEAT_OK);
}

/* Some value of a type; vectors have two, other containers one. data is the type of the data of a Result in it. */
static void sample(leat_builder *b, const char *name, const leat_value *all, const char *type,
                   const char *data)
{
    static const uint8_t address[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
    const leat_value *of;
    uint32_t kind = 0;

    (void)begins(&type, "string or ");
    if (begins(&type, "vector of "))
        kind = LEAT_LIST;
    else if (begins(&type, "set of "))
        kind = LEAT_SET;
    else if (begins(&type, "table[string] of "))
        kind = LEAT_TABLE;
    if (kind != 0) {
        leat_builder_open(b, name, kind);
        if (kind == LEAT_TABLE)
            leat_builder_text(b, NULL, "key", 3);
        sample(b, NULL, all, type, data);
        if (kind == LEAT_LIST) /* one that has two fields would be a wrapper */
            sample(b, NULL, all, type, data);
        leat_builder_close(b);
    } else if ((of = find(leat_value_get(all, "records"), type)) != NULL) {
        sample_fields(b, name, all, leat_value_get(of, "fields"), data);
    } else if ((of = find(leat_value_get(all, "enums"), type)) != NULL) {
        size_t length;
        const leat_value *values = leat_value_get(of, "values");
        const char *text =
            leat_value_text(leat_value_at(values, leat_value_count(values) - 1), &length);

        leat_builder_enum(b, name, text, length);
    } else if (strcmp(type, "string") == 0 || strcmp(type, "any") == 0) {
        leat_builder_text(b, name, "some text", 9);
    } else if (strcmp(type, "bool") == 0) {
        leat_builder_bool(b, name, 1);
    } else if (strcmp(type, "count") == 0) {
        leat_builder_u64(b, name, 7);
    } else if (strcmp(type, "int") == 0) {
        leat_builder_i64(b, name, -7);
    } else if (strcmp(type, "addr") == 0) {
        leat_builder_address(b, name, address, sizeof address);
    } else {
        ck_assert_str_eq(type, "port");
        leat_builder_port(b, name, 53, LEAT_PROTOCOL_UDP);
    }
    ck_assert_ptr_null(leat_builder_error(b));
}

/* The arguments of an event, each with some value. */
static leat_builder *sample_args(const leat_value *all, uint32_t kind)
{
    leat_builder *b = builder();
    const leat_value *event = find(leat_value_get(all, "events"), leat_zeek_management_name(kind));

    sample_fields(b, NULL, all, leat_value_get(event, "args"), NULL);
    return b;
}

/* What is done to one of the values of a message. */
enum change {
    REPLACE, /* by a real, which nothing is */
    EMPTY,   /* by none */
    LIST,    /* by an empty list */
    SET,     /* by an empty set */
    CUT,     /* from that child on, nothing is left */
    DROP,    /* that child */
    SURPLUS  /* one more, a real */
};

struct cut {
    const leat_value *value;
    enum change change;
    size_t index; /* of a child */
};

/* Copies a value, and changes one that is in it, or itself. */
static void copy_changed(leat_builder *b, const char *name, const leat_value *from,
                         const struct cut *cut)
{
    bool own = from == cut->value;
    const leat_value *child;
    size_t i = 0;

    if (own && cut->change <= SET) {
        if (cut->change == REPLACE) {
            leat_builder_f64(b, name, 1.5);
        } else if (cut->change == EMPTY) {
            leat_builder_null(b, name);
        } else {
            leat_builder_open(b, name, cut->change == LIST ? LEAT_LIST : LEAT_SET);
            leat_builder_close(b);
        }
        return;
    }
    if (leat_value_kind(from) < LEAT_LIST) {
        leat_builder_copy(b, name, from);
        return;
    }
    leat_builder_open(b, name, leat_value_kind(from));
    for (child = leat_value_first(from); child != NULL; child = leat_value_next(from, child), i++) {
        size_t length;
        const char *text = leat_value_name(child, &length);
        struct name field;

        if (own &&
            ((cut->change == CUT && i >= cut->index) || (cut->change == DROP && i == cut->index)))
            continue;
        memcpy(field.text, text, length);
        field.text[length] = '\0';
        copy_changed(b, leat_value_kind(from) == LEAT_RECORD ? field.text : NULL, child, cut);
    }
    if (own && cut->change == SURPLUS)
        leat_builder_f64(b, leat_value_kind(from) == LEAT_RECORD ? "zz" : NULL, 1.5);
    leat_builder_close(b);
}

/* Walks through all values of a message, of what is written or of what is read. */
struct cases {
    const leat_value *all;
    uint32_t kind;
    bool writing;
    const leat_value *args; /* to be changed */
    leat_builder *changed, *result;
    const char *argument, *record, *field;
    unsigned good, bad;
};

/* Reads or writes with one change. type is NULL if the flaw is not to tell one. */
static void try(struct cases *cases, const leat_value *value, enum change change, size_t index,
                const char *type, int status)
{
    struct cut cut = {value, change, index};
    leat_zeek_management_flaw flaw = flawless();
    leat_zeek_message message;
    const leat_value *args;
    const leat_error *error;
    const char *wrong;
    char told[256], expected[256];
    int got;

    leat_builder_clear(cases->changed);
    leat_builder_clear(cases->result);
    copy_changed(cases->changed, NULL, cases->args, &cut);
    args = leat_builder_value(cases->changed);
    ck_assert_ptr_nonnull(args);
    message = event_of(cases->kind, args);
    got = cases->writing ? leat_zeek_management_write(cases->result, NULL, cases->kind, args, &flaw)
                         : leat_zeek_management_read(cases->result, NULL, &message, &flaw);
    (void)snprintf(expected, sizeof expected, "%s %s %s %s", word(cases->argument),
                   word(cases->record), word(cases->field), word(type));
    if (got != status)
        ck_abort_msg("%s, %s: change %d: %s, %s (%s), not %s",
                     leat_zeek_management_name(cases->kind), expected, (int)change,
                     leat_status_name(got), word(flaw.what), place_of(&flaw, told),
                     leat_status_name(status));
    if (status == LEAT_OK) {
        cases->good++;
        return;
    }
    cases->bad++;
    if (strcmp(place_of(&flaw, told), expected) != 0 || flaw.what == NULL || flaw.at == NULL ||
        strcmp(flaw.event, leat_zeek_management_name(cases->kind)) != 0)
        ck_abort_msg("%s: %s, not %s: %s", word(flaw.event), told, expected, word(flaw.what));
    /* The flaw shows the value itself: there is one real, and one list or set that is too short. */
    if ((change == REPLACE && leat_value_f64(flaw.at) != 1.5) ||
        (change == EMPTY && leat_value_kind(flaw.at) != LEAT_NULL) ||
        (change == CUT && leat_value_count(flaw.at) != index))
        ck_abort_msg("%s: %s: it is not there", flaw.event, told);
    error = leat_builder_error(cases->result);
    wrong = flaw.field != NULL ? flaw.field : flaw.argument;
    if (leat_builder_value(cases->result) != NULL || leat_error_code(error) != status ||
        strcmp(leat_error_text(error), flaw.what) != 0 ||
        strcmp(leat_error_field(error), wrong == NULL ? "" : wrong) != 0)
        ck_abort_msg("%s: %s: the builder says otherwise", flaw.event, told);
}

static int refusal(const struct cases *cases)
{
    return cases->writing ? LEAT_E_VALUE : LEAT_E_SYNTAX;
}

static void try_fields(struct cases *cases, const leat_value *value, const leat_value *fields,
                       const char *data, const char **place);

/* A value of a type, which is not none. */
static void try_value(struct cases *cases, const leat_value *value, const char *type,
                      const char *data)
{
    const char *record = cases->record, *field = cases->field, *of = type;
    const leat_value *found;
    bool list = leat_value_kind(value) == LEAT_LIST;

    if (strcmp(type, "any") == 0) {
        try(cases, value, REPLACE, 0, NULL, LEAT_OK);
        try(cases, value, LIST, 0, NULL, LEAT_OK);
        return;
    }
    try(cases, value, REPLACE, 0, type, refusal(cases));
    if (begins(&of, "vector of ") || begins(&of, "set of ")) {
        try(cases, value, LIST, 0, type, list || cases->writing ? LEAT_OK : refusal(cases));
        try(cases, value, SET, 0, type, list ? refusal(cases) : LEAT_OK);
        ck_assert_uint_eq(leat_value_count(value), list ? 2 : 1);
        try_value(cases, leat_value_first(value), of, data);
        try(cases, leat_value_first(value), EMPTY, 0, of, refusal(cases));
    } else if (begins(&of, "table[string] of ")) {
        try(cases, value, LIST, 0, type, cases->writing ? LEAT_OK : refusal(cases));
        try(cases, value, SET, 0, type, refusal(cases));
        try_value(cases, leat_value_first(value), "string", data);
        try(cases, leat_value_first(value), EMPTY, 0, "string", refusal(cases));
        try_value(cases, leat_value_at(value, 1), of, data);
        try(cases, leat_value_at(value, 1), EMPTY, 0, of, refusal(cases));
    } else {
        try(cases, value, SET, 0, type, refusal(cases));
        (void)begins(&of, "string or ");
        found = find(leat_value_get(cases->all, "records"), of);
        if (found != NULL) {
            cases->record = of;
            try_fields(cases, value, leat_value_get(found, "fields"), data, &cases->field);
        } else {
            try(cases, value, LIST, 0, type, refusal(cases));
        }
    }
    cases->record = record;
    cases->field = field;
}

/* The arguments of an event or the fields of a record. */
static void try_fields(struct cases *cases, const leat_value *value, const leat_value *fields,
                       const char *data, const char **place)
{
    const leat_value *field, *child = leat_value_first(value);
    bool args = place == &cases->argument;
    size_t i = 0;

    *place = NULL;
    ck_assert_uint_eq(leat_value_count(value), leat_value_count(fields));
    if (cases->writing || args)
        try(cases, value, SURPLUS, 0, NULL, refusal(cases));
    else
        try(cases, value, SURPLUS, 0, NULL, LEAT_OK);
    for (field = leat_value_first(fields); field != NULL;
         field = leat_value_next(fields, field), child = leat_value_next(value, child), i++) {
        struct name name = name_of(field, "name"), type = name_of(field, "type");
        struct name own = name_of(field, "data");
        bool absent = leat_value_bool(leat_value_get(field, "optional"));
        bool later = leat_value_kind(leat_value_get(field, "since")) == LEAT_TEXT;
        const char *under = own.text[0] == '\0' ? data : own.text;
        const char *wanted = type.text;

        if (strcmp(wanted, "any") == 0) { /* of a Result */
            wanted = data;
            absent = strcmp(data, "vector of Management::NodeStatus") != 0 ||
                     cases->kind != LEAT_ZEEK_AGENT_GET_NODES_RESPONSE;
        }
        if (leat_value_kind(leat_value_get(field, "default")) != LEAT_NULL &&
            (cases->writing || !args))
            absent = true;
        *place = NULL;
        if (!cases->writing)
            try(cases, value, CUT, i, NULL, later ? LEAT_OK : refusal(cases));
        *place = name.text;
        try(cases, child, EMPTY, 0, wanted, absent ? LEAT_OK : refusal(cases));
        if (cases->writing)
            try(cases, value, DROP, i, wanted, absent ? LEAT_OK : refusal(cases));
        try_value(cases, child, wanted, under);
    }
}

/*
 * Every argument of every event and every field of every record, wherever it occurs: missing, of another
 * type, none; one more, one less. Written as it is read, by name, and read as it is written.
 */
START_TEST(every_field)
{
    static const unsigned expected[2][2] = {{241, 1601}, {378, 1464}};
    leat_builder *described = table();
    const leat_value *all = leat_builder_value(described);
    struct cases cases = {.all = all, .writing = _i == 1};

    cases.changed = builder();
    cases.result = builder();
    for (cases.kind = 1; cases.kind <= KINDS; cases.kind++) {
        leat_builder *args = sample_args(all, cases.kind), *out, *in = builder();
        const leat_value *event =
            find(leat_value_get(all, "events"), leat_zeek_management_name(cases.kind));
        leat_zeek_message message;

        /* The sample is what it was, written and read. */
        out = written(cases.kind, leat_builder_value(args));
        message = opened(leat_builder_value(out));
        ck_assert_int_eq(leat_zeek_management_read(in, NULL, &message, NULL), LEAT_OK);
        ck_assert(leat_value_equal(leat_builder_value(in), leat_builder_value(args)));
        write_again(&message, leat_builder_value(in), "a sample");

        cases.args = cases.writing ? leat_builder_value(args) : message.args;
        try_fields(&cases, cases.args, leat_value_get(event, "args"), NULL, &cases.argument);
        cases.argument = NULL;
        leat_builder_free(args);
        leat_builder_free(out);
        leat_builder_free(in);
    }
    ck_assert_msg(cases.good == expected[_i][0] && cases.bad == expected[_i][1], "%u good, %u bad",
                  cases.good, cases.bad);
    leat_builder_free(cases.changed);
    leat_builder_free(cases.result);
    leat_builder_free(described);
}
END_TEST

/* ----- reading ----- */

/* The octets of a value in Broker's format, and back. */
static leat_builder *of_hex(const char *hex)
{
    struct t_bytes octets = t_hex(hex);
    leat_builder *b = builder();

    ck_assert_int_eq(leat_broker_read(b, NULL, octets.data, octets.length), LEAT_OK);
    t_free(octets);
    return b;
}

#define STATUS_7                                                                                   \
    "05 01 61 0b 13 4d616e6167656d656e743a3a52554e4e494e47 0b 10 4d616e6167656d656e743a3a4e4f4e45" \
    "0b 10 53757065727669736f723a3a4e4f4e45 00 00"
#define RESULT_WITH(data) "0e 02 05 01 72 0e 06 05 01 72 01 01 00 " data " 00 00"

static const struct {
    const char *name;
    uint32_t kind;
    const char *args; /* octets */
    const char *json; /* in part; or, if it is refused, where */
    bool refused;
} readings[] = {
    {"a status of Zeek 7", LEAT_ZEEK_AGENT_GET_NODES_RESPONSE,
     RESULT_WITH("0e 01 0e 07" STATUS_7 "08 0016 01"),
     "\"data\":[{\"node\":\"a\",\"state\":\"Management::RUNNING\",\"mgmt_role\":\"Management::"
     "NONE\","
     "\"cluster_role\":\"Supervisor::NONE\",\"pid\":null,\"p\":null,\"metrics_port\":\"22/tcp\"}]",
     false},
    {"a status of an older Zeek", LEAT_ZEEK_AGENT_GET_NODES_RESPONSE,
     RESULT_WITH("0e 01 0e 06" STATUS_7), "\"p\":null,\"metrics_port\":null}]", false},
    {"no statuses", LEAT_ZEEK_AGENT_GET_NODES_RESPONSE, RESULT_WITH("0e 00"), "\"data\":[]", false},
    {"no data", LEAT_ZEEK_AGENT_GET_NODES_RESPONSE, RESULT_WITH("00"),
     "result Management::Result data vector of Management::NodeStatus", true},
    {"no data for a client", LEAT_ZEEK_CONTROLLER_GET_NODES_RESPONSE,
     "0e 02 05 01 72 0e 01 0e 06 05 01 72 01 01 00 00 00 00", "\"data\":null", false},
    {"wrapped statuses", LEAT_ZEEK_AGENT_GET_NODES_RESPONSE,
     RESULT_WITH("0e 01 0e 02 05 01 78 0e 01 0e 06" STATUS_7), "\"data\":[{\"node\":\"a\",", false},
    {"a wrapped string", LEAT_ZEEK_NODE_NODE_DISPATCH_RESPONSE,
     RESULT_WITH("0e 01 0e 02 05 06 737472696e67 05 02 2254"), "\"data\":\"\\\"T\"", false},
    {"wrapped twice", LEAT_ZEEK_NODE_NODE_DISPATCH_RESPONSE,
     RESULT_WITH("0e 01 0e 02 05 01 78 0e 01 0e 02 05 01 79 05 01 7a"), "\"data\":\"z\"", false},
    {"wrapped nothing", LEAT_ZEEK_NODE_NODE_DISPATCH_RESPONSE,
     RESULT_WITH("0e 01 0e 02 05 01 78 00"), "\"data\":null", false},
    {"wrapped nothing, which has to be there", LEAT_ZEEK_AGENT_GET_NODES_RESPONSE,
     RESULT_WITH("0e 01 0e 02 05 01 78 00"),
     "result Management::Result data vector of Management::NodeStatus", true},
    {"wrapped by a number", LEAT_ZEEK_NODE_NODE_DISPATCH_RESPONSE,
     RESULT_WITH("0e 01 0e 02 02 0000000000000001 05 01 7a"),
     "result Management::Result data string", true},
    {"outputs", LEAT_ZEEK_CONTROLLER_DEPLOY_RESPONSE,
     "0e 02 05 01 72 0e 01 0e 06 05 01 72 01 00 00 0e 02 05 01 6f 05 01 65 00 00",
     "\"data\":{\"stdout\":\"o\",\"stderr\":\"e\"}", false},
    {"a configuration's id", LEAT_ZEEK_CONTROLLER_DEPLOY_RESPONSE,
     "0e 02 05 01 72 0e 01 0e 06 05 01 72 01 00 00 05 01 69 00 00", "\"data\":\"i\"", false},
    {"neither", LEAT_ZEEK_CONTROLLER_DEPLOY_RESPONSE,
     "0e 02 05 01 72 0e 01 0e 06 05 01 72 01 00 00 01 01 00 00",
     "results Management::Result data string or Management::NodeOutputs", true},
    {"outputs for an agent alone", LEAT_ZEEK_AGENT_DEPLOY_RESPONSE,
     "0e 02 05 01 72 0e 01 0e 06 05 01 72 01 00 00 05 01 69 00 00",
     "results Management::Result data Management::NodeOutputs", true},
    {"data that nobody expects", LEAT_ZEEK_AGENT_AGENT_WELCOME_RESPONSE,
     RESULT_WITH("0d 01 05 01 61 0c 01 03 0000000000000001"),
     "\"data\":[{\"key\":\"a\",\"value\":[1]}]", false},
    {"an enumerator that is not known", LEAT_ZEEK_AGENT_NOTIFY_CHANGE,
     "0e 04 05 01 61 0e 0b 05 01 6e 05 01 61 0b 01 58 0b 00 00 00 00 00 00 0d 00 00 0b 01 59 0b 00",
     "\"role\":\"X\",\"state\":\"\",\"p\":null,\"scripts\":null,\"options\":null,"
     "\"interface\":null,\"cpu_affinity\":null,\"env\":[],\"metrics_port\":null},\"old\":\"Y\","
     "\"new\":\"\"",
     false},
    {"fields that have defaults, not set", LEAT_ZEEK_AGENT_AGENT_WELCOME_RESPONSE,
     "0e 02 05 01 72 0e 06 05 01 72 00 00 00 00 00", "\"success\":true", false},
    {"an argument that has one, not set", LEAT_ZEEK_AGENT_NOTIFY_LOG, "0e 03 05 00 05 00 00",
     "node - - string", true},
    {"no list", LEAT_ZEEK_AGENT_NOTIFY_LOG, "0c 03 05 01 61 05 01 62 05 01 63", "- - - -", true},
    {"no arguments at all", LEAT_ZEEK_SUPERVISOR_CONTROL_STOP_REQUEST, "0e 00", "{}", false},
    {"one too many", LEAT_ZEEK_SUPERVISOR_CONTROL_STOP_REQUEST, "0e 01 05 00", "- - - -", true},
    {"no count", LEAT_ZEEK_AGENT_NOTIFY_AGENT_HELLO,
     "0e 04 05 01 61 05 01 62 01 01 03 0000000000000001", "api_version - - count", true},
};

START_TEST(read_by_hand)
{
    leat_builder *args = of_hex(readings[_i].args), *b = builder();
    leat_zeek_message message = event_of(readings[_i].kind, leat_builder_value(args));
    leat_zeek_management_flaw flaw = flawless();
    int status = leat_zeek_management_read(b, NULL, &message, &flaw);
    char told[256], *json;

    if (readings[_i].refused) {
        ck_assert_msg(status == LEAT_E_SYNTAX, "%s", readings[_i].name);
        ck_assert_str_eq(place_of(&flaw, told), readings[_i].json);
        leat_builder_clear(b);
        ck_assert_int_eq(leat_zeek_management_read(b, NULL, &message, NULL), LEAT_E_SYNTAX);
    } else {
        ck_assert_msg(status == LEAT_OK, "%s: %s: %s", readings[_i].name, flaw.what,
                      place_of(&flaw, told));
        json = t_json_text(leat_builder_value(b));
        ck_assert_msg(strstr(json, readings[_i].json) != NULL, "%s: %s", readings[_i].name, json);
        free(json);
    }
    leat_builder_free(args);
    leat_builder_free(b);
}
END_TEST

/* A message whose arguments were left out has none. */
START_TEST(read_without_arguments)
{
    leat_zeek_message message = event_of(LEAT_ZEEK_SUPERVISOR_CONTROL_STOP_REQUEST, NULL);
    leat_builder *b = builder();

    ck_assert_int_eq(leat_builder_open(b, NULL, LEAT_RECORD), LEAT_OK);
    ck_assert_int_eq(leat_zeek_management_read(b, "stop", &message, NULL), LEAT_OK);
    ck_assert_int_eq(leat_builder_close(b), LEAT_OK);
    ck_assert_uint_eq(leat_value_count(leat_builder_value(b)), 1);
    ck_assert_uint_eq(leat_value_kind(leat_value_get(leat_builder_value(b), "stop")), LEAT_RECORD);
    leat_builder_clear(b);
    message = event_of(LEAT_ZEEK_AGENT_NOTIFY_LOG, NULL);
    ck_assert_int_eq(leat_zeek_management_read(b, NULL, &message, NULL), LEAT_E_SYNTAX);
    leat_builder_free(b);
}
END_TEST

/* ----- writing ----- */

#define HELLO "\"instance\":\"a\",\"id\":\"i\",\"connecting\":true,\"api_version\":"
#define NODE_OF                                                                                    \
    "{\"name\":\"n\",\"instance\":\"i\",\"role\":\"Supervisor::WORKER\",\"state\":"                \
    "\"Management::RUNNING\""
#define STAGE(instances, nodes)                                                                    \
    "{\"reqid\":\"r\",\"config\":{\"id\":\"c\",\"instances\":[" instances "],\"nodes\":[" nodes    \
    "]}}"
#define IN_CONFIG "config Management::Configuration "

static const struct {
    const char *name;
    uint32_t kind;
    const char *json;
    const char *read; /* what is read of it, in part; or, if it is refused, where */
    bool refused;
} writings[] = {
    {"a count", LEAT_ZEEK_AGENT_NOTIFY_AGENT_HELLO, "{" HELLO "18446744073709551615}",
     "\"api_version\":18446744073709551615}", false},
    {"a negative count", LEAT_ZEEK_AGENT_NOTIFY_AGENT_HELLO, "{" HELLO "-1}",
     "api_version - - count", true},
    {"a real that is whole", LEAT_ZEEK_AGENT_NOTIFY_AGENT_HELLO, "{" HELLO "1.0}",
     "api_version - - count", true},
    {"text that is a number", LEAT_ZEEK_AGENT_NOTIFY_AGENT_HELLO, "{" HELLO "\"1\"}",
     "api_version - - count", true},
    {"integers", LEAT_ZEEK_CONTROLLER_STAGE_CONFIGURATION_REQUEST,
     STAGE("", NODE_OF ",\"cpu_affinity\":9223372036854775807}"),
     "\"cpu_affinity\":9223372036854775807", false},
    {"a negative one", LEAT_ZEEK_CONTROLLER_STAGE_CONFIGURATION_REQUEST,
     STAGE("", NODE_OF ",\"cpu_affinity\":-9223372036854775808}"),
     "\"cpu_affinity\":-9223372036854775808", false},
    {"one too big", LEAT_ZEEK_CONTROLLER_STAGE_CONFIGURATION_REQUEST,
     STAGE("", NODE_OF ",\"cpu_affinity\":9223372036854775808}"),
     "config Management::Node cpu_affinity int", true},
    {"addresses and ports", LEAT_ZEEK_CONTROLLER_STAGE_CONFIGURATION_REQUEST,
     STAGE("{\"name\":\"x\",\"host\":\"2001:db8::1\",\"listen_port\":\"0/?\"},"
           "{\"name\":\"a\",\"host\":\"10.0.0.1\",\"listen_port\":\"65535/udp\"}",
           ""),
     "[{\"name\":\"a\",\"host\":\"10.0.0.1\",\"listen_port\":\"65535/udp\"},"
     "{\"name\":\"x\",\"host\":\"2001:db8::1\",\"listen_port\":\"0/?\"}]",
     false},
    {"a name for an address", LEAT_ZEEK_CONTROLLER_STAGE_CONFIGURATION_REQUEST,
     STAGE("{\"name\":\"x\",\"host\":\"localhost\"}", ""), "config Management::Instance host addr",
     true},
    {"no port", LEAT_ZEEK_CONTROLLER_STAGE_CONFIGURATION_REQUEST,
     STAGE("{\"name\":\"x\",\"host\":\"::\",\"listen_port\":\"65536/tcp\"}", ""),
     "config Management::Instance listen_port port", true},
    {"a port that is a number", LEAT_ZEEK_CONTROLLER_STAGE_CONFIGURATION_REQUEST,
     STAGE("{\"name\":\"x\",\"host\":\"::\",\"listen_port\":80}", ""),
     "config Management::Instance listen_port port", true},
    {"another enum", LEAT_ZEEK_CONTROLLER_STAGE_CONFIGURATION_REQUEST,
     STAGE("", "{\"name\":\"n\",\"instance\":\"i\",\"role\":\"Management::NODE\",\"state\":"
               "\"Management::RUNNING\"}"),
     "config Management::Node role Supervisor::ClusterRole", true},
    {"an enumerator in part", LEAT_ZEEK_CONTROLLER_STAGE_CONFIGURATION_REQUEST,
     STAGE("", "{\"name\":\"n\",\"instance\":\"i\",\"role\":\"Supervisor::WORKE\",\"state\":"
               "\"Management::RUNNING\"}"),
     "config Management::Node role Supervisor::ClusterRole", true},
    {"environment as an object", LEAT_ZEEK_CONTROLLER_STAGE_CONFIGURATION_REQUEST,
     STAGE("", NODE_OF ",\"env\":{\"b\":\"1\",\"a\":\"2\"}}"),
     "\"env\":[{\"key\":\"a\",\"value\":\"2\"},{\"key\":\"b\",\"value\":\"1\"}]", false},
    {"environment as pairs", LEAT_ZEEK_CONTROLLER_STAGE_CONFIGURATION_REQUEST,
     STAGE("", NODE_OF ",\"env\":[{\"value\":\"1\",\"key\":\"b\"}]}"),
     "\"env\":[{\"key\":\"b\",\"value\":\"1\"}]", false},
    {"a pair without value", LEAT_ZEEK_CONTROLLER_STAGE_CONFIGURATION_REQUEST,
     STAGE("", NODE_OF ",\"env\":[{\"key\":\"b\"}]}"),
     "config Management::Node env table[string] of string", true},
    {"a pair without key", LEAT_ZEEK_CONTROLLER_STAGE_CONFIGURATION_REQUEST,
     STAGE("", NODE_OF ",\"env\":[{\"kex\":\"b\",\"value\":\"\"}]}"),
     "config Management::Node env table[string] of string", true},
    {"a pair with more", LEAT_ZEEK_CONTROLLER_STAGE_CONFIGURATION_REQUEST,
     STAGE("", NODE_OF ",\"env\":[{\"key\":\"b\",\"value\":\"\",\"x\":\"\"}]}"),
     "config Management::Node env table[string] of string", true},
    {"a pair that is none", LEAT_ZEEK_CONTROLLER_STAGE_CONFIGURATION_REQUEST,
     STAGE("", NODE_OF ",\"env\":[\"b\",\"c\"]}"),
     "config Management::Node env table[string] of string", true},
    {"a variable that is no text", LEAT_ZEEK_CONTROLLER_STAGE_CONFIGURATION_REQUEST,
     STAGE("", NODE_OF ",\"env\":{\"b\":1}}"), "config Management::Node env string", true},
    {"a key twice, before other arguments", LEAT_ZEEK_AGENT_DEPLOY_REQUEST,
     STAGE("", NODE_OF ",\"env\":{\"b\":\"1\",\"b\":\"2\"}}"),
     "config - - Management::Configuration", true},
    {"an element twice", LEAT_ZEEK_AGENT_RESTART_REQUEST,
     "{\"reqid\":\"r\",\"nodes\":[\"b\",\"a\",\"b\"]}", "nodes - - set of string", true},
    {"a record twice, of several forms", LEAT_ZEEK_CONTROLLER_STAGE_CONFIGURATION_REQUEST,
     STAGE("{\"name\":\"x\",\"host\":\"::1\"},{\"host\":\"0:0::1\",\"name\":\"x\"}", ""),
     "config - - Management::Configuration", true},
    {"octets that are not UTF-8", LEAT_ZEEK_SUPERVISOR_NOTIFY_NODE_EXIT,
     "{\"node\":\"n\",\"outputs\":{\"stdout\":{\"hex\":\"ff00C3\"},\"stderr\":{\"hex\":\"\"}}}",
     "\"stdout\":{\"hex\":\"ff00c3\"},\"stderr\":\"\"", false},
    {"half an octet", LEAT_ZEEK_SUPERVISOR_NOTIFY_NODE_EXIT,
     "{\"node\":{\"hex\":\"ff0\"},\"outputs\":{\"stdout\":\"\",\"stderr\":\"\"}}",
     "node - - string", true},
    {"no hex digits", LEAT_ZEEK_SUPERVISOR_NOTIFY_NODE_EXIT,
     "{\"node\":{\"hex\":\"fg\"},\"outputs\":{\"stdout\":\"\",\"stderr\":\"\"}}", "node - - string",
     true},
    {"hex and more", LEAT_ZEEK_SUPERVISOR_NOTIFY_NODE_EXIT,
     "{\"node\":{\"hex\":\"ff\",\"x\":1},\"outputs\":{\"stdout\":\"\",\"stderr\":\"\"}}",
     "node - - string", true},
    {"octets in the place of outputs", LEAT_ZEEK_CONTROLLER_DEPLOY_RESPONSE,
     "{\"reqid\":\"r\",\"results\":[{\"reqid\":\"r\",\"data\":{\"hex\":\"ff\"}}]}",
     "\"data\":{\"hex\":\"ff\"}", false},
    {"outputs in the place of a string", LEAT_ZEEK_CONTROLLER_DEPLOY_RESPONSE,
     "{\"reqid\":\"r\",\"results\":[{\"reqid\":\"r\",\"data\":{\"stdout\":\"o\",\"stderr\":\"\"}}]"
     "}",
     "\"data\":{\"stdout\":\"o\",\"stderr\":\"\"}", false},
    {"data that are not of the event", LEAT_ZEEK_CONTROLLER_DEPLOY_RESPONSE,
     "{\"reqid\":\"r\",\"results\":[{\"reqid\":\"r\",\"data\":5}]}",
     "results Management::Result data string or Management::NodeOutputs", true},
    {"data that nobody expects", LEAT_ZEEK_AGENT_RESTART_RESPONSE,
     "{\"reqid\":\"r\",\"results\":[{\"reqid\":\"r\",\"data\":[5]}]}", "\"data\":[5]", false},
    {"data that Broker does not have", LEAT_ZEEK_AGENT_RESTART_RESPONSE,
     "{\"reqid\":\"r\",\"results\":[{\"reqid\":\"r\",\"data\":[{}]}]}",
     "results - - vector of Management::Result", true},
    {"no data where they are wanted", LEAT_ZEEK_AGENT_GET_NODES_RESPONSE,
     "{\"reqid\":\"r\",\"result\":{\"reqid\":\"r\",\"success\":false,\"error\":\"e\"}}",
     "result Management::Result data vector of Management::NodeStatus", true},
    {"an argument that is unknown", LEAT_ZEEK_AGENT_GET_NODES_REQUEST,
     "{\"reqid\":\"r\",\"req\":\"r\"}", "- - - -", true},
    {"an argument twice", LEAT_ZEEK_AGENT_GET_NODES_REQUEST, "{\"reqid\":\"r\",\"reqid\":\"r\"}",
     "- - - -", true},
    {"a field twice", LEAT_ZEEK_CONTROLLER_STAGE_CONFIGURATION_REQUEST,
     STAGE("{\"name\":\"x\",\"host\":\"::1\",\"name\":\"x\"}", ""),
     "config Management::Instance - -", true},
    {"by places", LEAT_ZEEK_AGENT_GET_NODES_REQUEST, "[\"r\"]", "- - - -", true},
    {"by no places", LEAT_ZEEK_SUPERVISOR_CONTROL_STOP_REQUEST, "[]", "- - - -", true},
    {"an object for a set", LEAT_ZEEK_AGENT_RESTART_REQUEST,
     "{\"reqid\":\"r\",\"nodes\":{\"a\":\"b\"}}", "nodes - - set of string", true},
    {"an object for a vector", LEAT_ZEEK_AGENT_NODE_DISPATCH_REQUEST,
     "{\"reqid\":\"r\",\"action\":{\"a\":\"b\"}}", "action - - vector of string", true},
    {"a wrapper", LEAT_ZEEK_NODE_NODE_DISPATCH_RESPONSE,
     "{\"reqid\":\"r\",\"result\":{\"reqid\":\"r\",\"data\":[[\"string\",\"x\"]]}}",
     "result Management::Result data string", true},
    {"none, where none are wanted", LEAT_ZEEK_SUPERVISOR_CONTROL_STOP_REQUEST, "null", "{}", false},
    /* Defaults. */
    {"deploy without force", LEAT_ZEEK_AGENT_DEPLOY_REQUEST,
     "{\"config\":{\"nodes\":[],\"instances\":[],\"id\":\"\"},\"reqid\":\"r\"}",
     "{\"reqid\":\"r\",\"config\":{\"id\":\"\",\"instances\":[],\"nodes\":[]},\"force\":false}",
     false},
    {"all nodes", LEAT_ZEEK_AGENT_RESTART_REQUEST, "{\"reqid\":\"r\"}",
     "{\"reqid\":\"r\",\"nodes\":[]}", false},
    {"all nodes of a dispatch", LEAT_ZEEK_AGENT_NODE_DISPATCH_REQUEST,
     "{\"reqid\":\"r\",\"action\":[],\"nodes\":null}",
     "{\"reqid\":\"r\",\"action\":[],\"nodes\":[]}", false},
    {"all nodes for a client", LEAT_ZEEK_CONTROLLER_GET_ID_VALUE_REQUEST,
     "{\"reqid\":\"r\",\"id\":\"x\"}", "{\"reqid\":\"r\",\"id\":\"x\",\"nodes\":[]}", false},
    {"a result", LEAT_ZEEK_AGENT_AGENT_WELCOME_RESPONSE,
     "{\"reqid\":\"r\",\"result\":{\"reqid\":\"r\"}}",
     "\"result\":{\"reqid\":\"r\",\"success\":true,\"instance\":null,\"data\":null,\"error\":null,"
     "\"node\":null}}",
     false},
    {"a node", LEAT_ZEEK_CONTROLLER_STAGE_CONFIGURATION_REQUEST, STAGE("", NODE_OF "}"),
     "\"p\":null,\"scripts\":null,\"options\":null,\"interface\":null,\"cpu_affinity\":null,"
     "\"env\":[],\"metrics_port\":null}",
     false},
    {"a status", LEAT_ZEEK_AGENT_GET_NODES_RESPONSE,
     "{\"reqid\":\"r\",\"result\":{\"reqid\":\"r\",\"data\":[{\"node\":\"n\",\"state\":"
     "\"Management::FAILED\"}]}}",
     "\"mgmt_role\":\"Management::NONE\",\"cluster_role\":\"Supervisor::NONE\",\"pid\":null,"
     "\"p\":null,\"metrics_port\":null}",
     false},
    {"an error without a node", LEAT_ZEEK_AGENT_NOTIFY_ERROR, "{\"instance\":\"a\",\"msg\":\"m\"}",
     "\"node\":\"\"}", false},
    {"a process", LEAT_ZEEK_SUPERVISOR_CONTROL_CREATE_REQUEST,
     "{\"reqid\":\"r\",\"node\":{\"name\":\"n\"}}",
     "{\"name\":\"n\",\"interface\":null,\"pcap_file\":null,\"directory\":null,\"stdout_file\":"
     "null,"
     "\"stderr_file\":null,\"bare_mode\":null,\"addl_base_scripts\":[],\"addl_user_scripts\":[],"
     "\"env\":[],\"cpu_affinity\":null,\"cluster\":[]}",
     false},
};

START_TEST(write_by_hand)
{
    leat_builder *args = t_json(writings[_i].json, strlen(writings[_i].json)), *b = builder();
    leat_builder *in = builder();
    leat_zeek_management_flaw flaw = flawless();
    uint32_t kind = writings[_i].kind;
    int status = leat_zeek_management_write(b, NULL, kind, leat_builder_value(args), &flaw);
    leat_zeek_message message;
    leat_buffer *wire;
    char told[256], *json;

    if (writings[_i].refused) {
        ck_assert_msg(status == LEAT_E_VALUE, "%s: %s", writings[_i].name,
                      leat_status_name(status));
        ck_assert_str_eq(place_of(&flaw, told), writings[_i].read);
        ck_assert_str_eq(flaw.event, leat_zeek_management_name(kind));
        ck_assert(flaw.what != NULL && flaw.at != NULL);
        leat_builder_clear(b);
        ck_assert_int_eq(leat_zeek_management_write(b, NULL, kind, leat_builder_value(args), NULL),
                         LEAT_E_VALUE);
    } else {
        ck_assert_msg(status == LEAT_OK, "%s: %s: %s", writings[_i].name, flaw.what,
                      place_of(&flaw, told));
        message = opened(leat_builder_value(b));
        ck_assert_int_eq(leat_zeek_management_read(in, NULL, &message, NULL), LEAT_OK);
        json = t_json_text(leat_builder_value(in));
        ck_assert_msg(strstr(json, writings[_i].read) != NULL, "%s: %s", writings[_i].name, json);
        free(json);
        ck_assert_int_eq(leat_buffer_new(NULL, &wire), LEAT_OK);
        ck_assert_int_eq(leat_broker_write(wire, leat_builder_value(b)), LEAT_OK);
        leat_buffer_free(wire);
    }
    leat_builder_free(args);
    leat_builder_free(b);
    leat_builder_free(in);
}
END_TEST

/* What is unknown is read, but is no state that others could make something of. */
START_TEST(unknown_is_not_written)
{
    leat_builder *args = builder(), *b = builder();
    leat_zeek_management_flaw flaw = flawless();
    char told[256];

    leat_builder_open(args, NULL, LEAT_RECORD);
    leat_builder_text(args, "instance", "a", 1);
    leat_builder_open(args, "n", LEAT_RECORD);
    leat_builder_text(args, "name", "n", 1);
    leat_builder_text(args, "instance", "a", 1);
    leat_builder_enum(args, "role", "Supervisor::PROXY", 17);
    leat_builder_text(args, "state", LEAT_ZEEK_STATE_UNKNOWN, 19);
    leat_builder_close(args);
    leat_builder_enum(args, "old", LEAT_ZEEK_STATE_CRASHED, 19);
    leat_builder_enum(args, "new", "Management::ON_HOLIDAY", 22);
    ck_assert_int_eq(leat_builder_close(args), LEAT_OK);
    ck_assert_int_eq(leat_zeek_management_write(b, NULL, LEAT_ZEEK_AGENT_NOTIFY_CHANGE,
                                                leat_builder_value(args), &flaw),
                     LEAT_E_VALUE);
    ck_assert_str_eq(place_of(&flaw, told), "new - - Management::State");
    ck_assert_ptr_eq(flaw.at, leat_value_get(leat_builder_value(args), "new"));
    leat_builder_free(args);
    leat_builder_free(b);
}
END_TEST

/* Kinds that JSON does not have: an integer that is not negative, an address of four octets. */
START_TEST(other_kinds)
{
    static const struct {
        int64_t number;
        int status;
    } counts[] = {{0, LEAT_OK}, {INT64_MAX, LEAT_OK}, {-1, LEAT_E_VALUE}};
    leat_builder *args = builder(), *b = builder(), *in = builder();
    leat_zeek_message message;
    leat_buffer *buffer;
    const void *octets;
    size_t i, length;

    for (i = 0; i < sizeof counts / sizeof *counts; i++) {
        leat_builder_clear(args);
        leat_builder_clear(b);
        leat_builder_open(args, NULL, LEAT_RECORD);
        leat_builder_text(args, "node", "n", 1);
        leat_builder_i64(args, "pid", counts[i].number);
        leat_builder_close(args);
        ck_assert_int_eq(leat_zeek_management_write(b, NULL,
                                                    LEAT_ZEEK_SUPERVISOR_CONTROL_NODE_STATUS,
                                                    leat_builder_value(args), NULL),
                         counts[i].status);
        if (counts[i].status != LEAT_OK)
            continue;
        message = opened(leat_builder_value(b));
        ck_assert_uint_eq(leat_value_kind(leat_value_at(message.args, 1)), LEAT_UINT);
        ck_assert_int_eq(leat_value_i64(leat_value_at(message.args, 1)), counts[i].number);
    }
    leat_builder_clear(args);
    leat_builder_clear(b);
    leat_builder_open(args, NULL, LEAT_RECORD);
    leat_builder_text(args, "reqid", "r", 1);
    leat_builder_open(args, "config", LEAT_RECORD);
    leat_builder_text(args, "id", "i", 1);
    leat_builder_open(args, "instances", LEAT_SET);
    leat_builder_open(args, NULL, LEAT_RECORD);
    leat_builder_text(args, "name", "a", 1);
    leat_builder_address(args, "host", "\x7f\0\0\1", 4);
    leat_builder_close(args);
    leat_builder_close(args);
    leat_builder_open(args, "nodes", LEAT_SET);
    for (i = 0; i < 3; i++)
        leat_builder_close(args);
    leat_builder_free(b);
    b = written(LEAT_ZEEK_CONTROLLER_STAGE_CONFIGURATION_REQUEST, leat_builder_value(args));
    ck_assert_int_eq(leat_buffer_new(NULL, &buffer), LEAT_OK);
    ck_assert_int_eq(leat_broker_write(buffer, leat_builder_value(b)), LEAT_OK);
    octets = leat_buffer_data(buffer, &length);
    ck_assert_int_eq(leat_broker_read(in, NULL, octets, length), LEAT_OK);
    message = opened(leat_builder_value(in));
    leat_builder_clear(b);
    ck_assert_int_eq(leat_zeek_management_read(b, NULL, &message, NULL), LEAT_OK);
    {
        char *json = t_json_text(leat_builder_value(b));

        ck_assert_ptr_nonnull(strstr(json, "\"host\":\"127.0.0.1\""));
        free(json);
    }
    leat_buffer_free(buffer);
    leat_builder_free(args);
    leat_builder_free(b);
    leat_builder_free(in);
}
END_TEST

/* Arguments that are of the builder which they are to be written to. */
START_TEST(own_arguments)
{
    leat_builder *b = t_json("{\"reqid\":\"r\"}", 13);

    ck_assert_int_eq(leat_zeek_management_write(b, NULL, LEAT_ZEEK_AGENT_GET_NODES_REQUEST,
                                                leat_builder_value(b), NULL),
                     LEAT_E_STATE);
    leat_builder_free(b);
}
END_TEST

/* ----- the calls themselves ----- */

START_TEST(wrong_calls)
{
    leat_builder *b = builder();
    leat_zeek_management_flaw flaw = flawless(), small, none;
    leat_builder *args = t_json("{\"reqid\":5}", 11);
    leat_zeek_message message = event_of(LEAT_ZEEK_AGENT_NOTIFY_LOG, NULL);
    static const uint32_t no_kinds[] = {0, KINDS + 1, LEAT_ZEEK_MALFORMED, UINT32_MAX};
    size_t i;

    for (i = 0; i < sizeof no_kinds / sizeof *no_kinds; i++) {
        ck_assert_int_eq(leat_zeek_management_write(b, NULL, no_kinds[i], NULL, &flaw),
                         LEAT_E_VALUE);
        ck_assert_str_eq(leat_error_text(leat_builder_error(b)),
                         "no kind of event of the Management framework");
        ck_assert_ptr_null(flaw.event);
        leat_builder_clear(b);
    }
    none = flaw;
    none.size = 0;
    ck_assert_int_eq(leat_zeek_management_read(b, NULL, &message, &none), LEAT_E_VALUE);
    ck_assert_str_eq(leat_error_text(leat_builder_error(b)), "a flaw that was not initialised");
    /* The first mistake sticks. */
    ck_assert_int_eq(
        leat_zeek_management_write(b, NULL, LEAT_ZEEK_SUPERVISOR_CONTROL_STOP_REQUEST, NULL, &flaw),
        LEAT_E_VALUE);
    ck_assert_int_eq(leat_zeek_management_write(b, NULL, 0, NULL, &flaw), LEAT_E_VALUE);
    ck_assert_int_eq(leat_zeek_management_describe(b, NULL), LEAT_E_VALUE);
    ck_assert_str_eq(leat_error_text(leat_builder_error(b)), "a flaw that was not initialised");
    ck_assert_ptr_null(flaw.event);
    leat_builder_clear(b);
    ck_assert_int_eq(
        leat_zeek_management_write(b, NULL, LEAT_ZEEK_SUPERVISOR_CONTROL_STOP_REQUEST, NULL, &none),
        LEAT_E_VALUE);
    leat_builder_clear(b);

    /* Of who was compiled with an older header no more is touched. */
    memset(&small, 0x55, sizeof small);
    leat_zeek_management_flaw_init(&small, offsetof(leat_zeek_management_flaw, record));
    ck_assert_int_eq(leat_zeek_management_write(b, NULL, LEAT_ZEEK_AGENT_GET_NODES_REQUEST,
                                                leat_builder_value(args), &small),
                     LEAT_E_VALUE);
    ck_assert_str_eq(small.argument, "reqid");
    ck_assert_uint_eq(small.size, offsetof(leat_zeek_management_flaw, record));
    memset(&none, 0x55, sizeof none);
    ck_assert_int_eq(memcmp((const char *)&small + small.size, (const char *)&none + small.size,
                            sizeof small - (size_t)small.size),
                     0);

    /* Names are for fields, and there is one value outside containers. */
    leat_builder_clear(b);
    ck_assert_int_eq(leat_zeek_management_describe(b, "name"), LEAT_E_STATE);
    leat_builder_clear(b);
    ck_assert_int_eq(leat_zeek_management_write(
                         b, "name", LEAT_ZEEK_SUPERVISOR_CONTROL_STOP_REQUEST, NULL, NULL),
                     LEAT_E_STATE);
    leat_builder_clear(b);
    message = event_of(LEAT_ZEEK_SUPERVISOR_CONTROL_STOP_REQUEST, NULL);
    ck_assert_int_eq(leat_zeek_management_read(b, "name", &message, NULL), LEAT_E_STATE);
    leat_builder_clear(b);
    ck_assert_int_eq(leat_zeek_management_read(b, NULL, &message, NULL), LEAT_OK);
    ck_assert_int_eq(leat_zeek_management_read(b, NULL, &message, NULL), LEAT_E_STATE);
    leat_builder_free(args);
    leat_builder_free(b);
}
END_TEST

/* Between other values, in any container. */
START_TEST(in_the_midst)
{
    leat_builder *b = builder();
    leat_zeek_message message;

    leat_builder_open(b, NULL, LEAT_RECORD);
    leat_builder_bool(b, "before", 1);
    ck_assert_int_eq(leat_zeek_management_write(
                         b, "event", LEAT_ZEEK_SUPERVISOR_CONTROL_STOP_REQUEST, NULL, NULL),
                     LEAT_OK);
    ck_assert_int_eq(leat_zeek_management_describe(b, "table"), LEAT_OK);
    leat_builder_bool(b, "behind", 1);
    ck_assert_int_eq(leat_builder_close(b), LEAT_OK);
    ck_assert_uint_eq(leat_value_count(leat_builder_value(b)), 4);
    message = opened(leat_value_get(leat_builder_value(b), "event"));
    ck_assert_uint_eq(leat_zeek_management_kind(&message),
                      LEAT_ZEEK_SUPERVISOR_CONTROL_STOP_REQUEST);
    ck_assert(leat_value_bool(leat_value_get(leat_builder_value(b), "behind")));
    leat_builder_free(b);
}
END_TEST

/* ----- limits ----- */

static uint64_t depth_of(const leat_value *value)
{
    const leat_value *child;
    uint64_t deepest = 0, depth;

    if (leat_value_kind(value) < LEAT_LIST)
        return 0;
    for (child = leat_value_first(value); child != NULL; child = leat_value_next(value, child)) {
        depth = depth_of(child);
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest + 1;
}

/* What one of the three calls makes, by a builder of such limits. */
static int make(uint64_t depth, uint64_t values, int call, const leat_zeek_message *message,
                const leat_value *args)
{
    leat_zeek_management_flaw flaw = flawless();
    leat_builder *b = t_limited(depth, values);
    int status =
        call == 0 ? leat_zeek_management_read(b, NULL, message, &flaw)
        : call == 1
            ? leat_zeek_management_write(b, NULL, leat_zeek_management_kind(message), args, &flaw)
            : leat_zeek_management_describe(b, NULL);

    ck_assert_ptr_null(flaw.event);
    ck_assert_int_eq(status, leat_error_code(leat_builder_error(b)));
    leat_builder_free(b);
    return status;
}

static void try_limits(int call, const leat_zeek_message *message, const leat_value *args,
                       const leat_value *made)
{
    uint64_t cells = leat_value_cells(made, NULL, 0), depth = depth_of(made);

    ck_assert_int_eq(make(depth, cells, call, message, args), LEAT_OK);
    ck_assert_int_eq(make(depth, cells - 1, call, message, args),
                     cells > 1 ? LEAT_E_LIMIT : LEAT_OK);
    if (depth > 1)
        ck_assert_int_eq(make(depth - 1, cells, call, message, args), LEAT_E_LIMIT);
}

START_TEST(limits)
{
    leat_builder *all = table();
    uint32_t kind;

    for (kind = 1; kind <= KINDS; kind++) {
        leat_builder *args = sample_args(leat_builder_value(all), kind);
        leat_builder *out = written(kind, leat_builder_value(args));
        leat_zeek_message message = opened(leat_builder_value(out));

        try_limits(0, &message, NULL, leat_builder_value(args));
        try_limits(1, &message, leat_builder_value(args), leat_builder_value(out));
        leat_builder_free(args);
        leat_builder_free(out);
    }
    try_limits(2, NULL, NULL, leat_builder_value(all));
    leat_builder_free(all);
}
END_TEST

/* Data of any type are as deep as the builder lets them be. */
START_TEST(deep_data)
{
    leat_builder *in = builder(), *out;
    leat_zeek_message message;
    int i;

    leat_builder_open(in, NULL, LEAT_RECORD);
    leat_builder_text(in, "reqid", "r", 1);
    leat_builder_open(in, "result", LEAT_RECORD);
    leat_builder_text(in, "reqid", "r", 1);
    leat_builder_open(in, "data", LEAT_LIST);
    for (i = 0; i < 120; i++)
        leat_builder_open(in, NULL, LEAT_LIST);
    for (i = 0; i < 123; i++)
        leat_builder_close(in);
    out = written(LEAT_ZEEK_AGENT_AGENT_WELCOME_RESPONSE, leat_builder_value(in));
    ck_assert_uint_eq(depth_of(leat_builder_value(out)), 125);
    message = opened(leat_builder_value(out));
    ck_assert_int_eq(make(123, 0, 0, &message, NULL), LEAT_OK);
    ck_assert_int_eq(make(122, 0, 0, &message, NULL), LEAT_E_LIMIT);
    ck_assert_int_eq(make(125, 0, 1, &message, leat_builder_value(in)), LEAT_OK);
    ck_assert_int_eq(make(124, 0, 1, &message, leat_builder_value(in)), LEAT_E_LIMIT);
    leat_builder_free(in);
    leat_builder_free(out);
}
END_TEST

/* Writes what comes as JSON, reads it, and tells of the table. */
static int every_call(const leat_config *config, const void *arg)
{
    const char *text = (const char *)arg;
    leat_builder *b = NULL, *args = NULL, *in = NULL;
    leat_zeek_message message = fresh();
    int status = leat_builder_new(config, &args);

    if (status == LEAT_OK)
        status = leat_builder_json(args, NULL, text, strlen(text));
    if (status == LEAT_OK)
        status = leat_builder_new(config, &b);
    if (status == LEAT_OK)
        status =
            leat_zeek_management_write(b, NULL, LEAT_ZEEK_CONTROLLER_STAGE_CONFIGURATION_REQUEST,
                                       leat_builder_value(args), NULL);
    if (status == LEAT_OK)
        status = leat_zeek_read(leat_builder_value(b), &message);
    if (status == LEAT_OK)
        status = leat_builder_new(config, &in);
    if (status == LEAT_OK)
        status = leat_zeek_management_read(in, NULL, &message, NULL);
    if (status == LEAT_OK) {
        leat_builder_clear(args);
        status = leat_zeek_management_describe(args, NULL);
    }
    leat_builder_free(args);
    leat_builder_free(b);
    leat_builder_free(in);
    return status;
}

START_TEST(without_memory)
{
    static const char before[] = "{\"reqid\":{\"hex\":\"";
    static const char behind[] = "\"},\"config\":{\"id\":\"c\",\"instances\":[],\"nodes\":[]}}";
    static char text[20001];

    t_every_alloc(every_call,
                  STAGE("{\"name\":\"x\",\"host\":\"::1\"},{\"name\":\"a\",\"host\":\"::1\"}",
                        NODE_OF ",\"env\":{\"a\":\"b\"},\"scripts\":[\"s\"]}"));
    /* More octets than the builder has room for. */
    memset(text, '0', sizeof text - 1);
    memcpy(text, before, sizeof before - 1);
    memcpy(text + sizeof text - sizeof behind, behind, sizeof behind);
    t_every_alloc(every_call, text);
}
END_TEST

/* ----- the table ----- */

START_TEST(described)
{
    leat_builder *b = table();
    const leat_value *all = leat_builder_value(b), *events = leat_value_get(all, "events"), *at;
    const leat_value *deploy, *nodes;
    uint32_t kind = 0;
    char *json;

    ck_assert_uint_eq(leat_value_u64(leat_value_get(all, "version")), LEAT_ZEEK_MANAGEMENT_VERSION);
    ck_assert_uint_eq(leat_value_count(events), KINDS);
    ck_assert_uint_eq(leat_value_count(leat_value_get(all, "records")), 11);
    ck_assert_uint_eq(leat_value_count(leat_value_get(all, "enums")), 3);
    for (at = leat_value_first(events); at != NULL; at = leat_value_next(events, at)) {
        struct name topic = name_of(at, "topic");

        kind++;
        ck_assert_uint_eq(leat_value_u64(leat_value_get(at, "kind")), kind);
        ck_assert_str_eq(name_of(at, "name").text, kinds[kind - 1].name);
        if (kind < LEAT_ZEEK_CONTROLLER_GET_INSTANCES_REQUEST)
            ck_assert_str_eq(topic.text, LEAT_ZEEK_AGENT_TOPIC_PREFIX "/<name>");
        else if (kind < LEAT_ZEEK_NODE_NODE_DISPATCH_REQUEST)
            ck_assert_str_eq(topic.text, LEAT_ZEEK_CONTROLLER_TOPIC);
        else if (kind < LEAT_ZEEK_SUPERVISOR_NOTIFY_NODE_EXIT)
            ck_assert_str_eq(topic.text, LEAT_ZEEK_NODE_TOPIC);
    }
    deploy = find(events, leat_zeek_management_name(LEAT_ZEEK_AGENT_DEPLOY_RESPONSE));
    json = t_json_text(deploy);
    ck_assert_str_eq(
        json, "{\"kind\":2,\"name\":\"Management::Agent::API::deploy_response\",\"topic\":"
              "\"zeek/management/agent/"
              "<name>\",\"from\":\"agent\",\"args\":[{\"name\":\"reqid\",\"type\":"
              "\"string\",\"optional\":false,\"default\":null,\"data\":null,\"data_optional\":null,"
              "\"since\":null},{\"name\":\"results\",\"type\":\"vector of Management::Result\","
              "\"optional\":false,\"default\":null,\"data\":\"Management::NodeOutputs\","
              "\"data_optional\":true,\"since\":null}]}");
    free(json);
    nodes = find(events, leat_zeek_management_name(LEAT_ZEEK_AGENT_GET_NODES_RESPONSE));
    nodes = leat_value_at(leat_value_get(nodes, "args"), 1);
    ck_assert_uint_eq(leat_value_kind(leat_value_get(nodes, "data_optional")), LEAT_BOOL);
    ck_assert(!leat_value_bool(leat_value_get(nodes, "data_optional")));
    at = find(leat_value_get(all, "records"), "Management::NodeStatus");
    json = t_json_text(leat_value_at(leat_value_get(at, "fields"), 6));
    ck_assert_str_eq(json,
                     "{\"name\":\"metrics_port\",\"type\":\"port\",\"optional\":true,"
                     "\"default\":null,\"data\":null,\"data_optional\":null,\"since\":\"7.0\"}");
    free(json);
    json = t_json_text(leat_value_at(leat_value_get(at, "fields"), 2));
    ck_assert_ptr_nonnull(strstr(json, "\"default\":\"Management::NONE\""));
    free(json);
    at = find(leat_value_get(all, "enums"), "Management::State");
    json = t_json_text(leat_value_get(at, "values"));
    ck_assert_str_eq(json, "[\"" LEAT_ZEEK_STATE_PENDING "\",\"" LEAT_ZEEK_STATE_RUNNING
                           "\",\"" LEAT_ZEEK_STATE_STOPPED "\",\"" LEAT_ZEEK_STATE_FAILED
                           "\",\"" LEAT_ZEEK_STATE_CRASHED "\",\"" LEAT_ZEEK_STATE_UNKNOWN "\"]");
    free(json);
    leat_builder_free(b);
}
END_TEST

static void tests(TCase *t)
{
    tcase_add_test(t, names);
    tcase_add_test(t, other_messages);
    tcase_add_test(t, vectors);
    tcase_add_loop_test(t, recordings, 0, 2);
    tcase_add_loop_test(t, every_field, 0, 2);
    tcase_add_loop_test(t, read_by_hand, 0, (int)(sizeof readings / sizeof *readings));
    tcase_add_test(t, read_without_arguments);
    tcase_add_loop_test(t, write_by_hand, 0, (int)(sizeof writings / sizeof *writings));
    tcase_add_test(t, unknown_is_not_written);
    tcase_add_test(t, other_kinds);
    tcase_add_test(t, own_arguments);
    tcase_add_test(t, wrong_calls);
    tcase_add_test(t, in_the_midst);
    tcase_add_test(t, limits);
    tcase_add_test(t, deep_data);
    tcase_add_test(t, without_memory);
    tcase_add_test(t, described);
}

T_MAIN("zeek/management", tests)
