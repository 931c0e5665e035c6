/*
 * Agents through the public API: scripts of what a controller says, what the caller does, and what both
 * get to hear. Each runs once as it is, and again with every allocation of the agent failing in turn:
 * all the same is said and told then.
 */
#include "net.h"
#include "scripts.h"

#include <leat/broker.h>
#include <leat/zeek_agent.h>
#include <stdio.h>

#define AGENT      0u
#define CONTROLLER 1u
#define START_MS   1000u
#define TOPIC      LEAT_ZEEK_AGENT_TOPIC_PREFIX "/a1"

struct bench {
    struct net net;
    struct gates gates; /* of the agent, of the endpoints */
    leat_config configs[2];
    leat_limits limits;
    leat_zeek_agent_options options;
    leat_zeek_agent *agent;
    struct t_bytes said, told;
    size_t said_at, told_at;
    bool timeless; /* the agent is not ticked */
    int taken;     /* what leat_zeek_agent_take() said last */
};

/* ----- memory ----- */

static void leave(struct bench *b)
{
    b->gates.inside = false;
    if (b->agent != NULL)
        ck_assert_uint_eq(leat_zeek_agent_memory(b->agent), b->gates.of[0].held);
}

/* ----- what is said and told ----- */

/* Without its module. */
static void put_enumerator(struct t_bytes *bytes, const leat_value *value)
{
    size_t length, at;
    const char *text = leat_value_text(value, &length);

    for (at = length; text[at - 1] != ':'; at--)
        continue;
    t_append(bytes, text + at, length - at);
}

static bool is(const leat_value *value, const char *name)
{
    size_t length;
    const char *text = leat_value_name(value, &length);

    return length == strlen(name) && memcmp(text, name, length) == 0;
}

/* " {a1 RUNNING AGENT NONE - - -}" for a Management::NodeStatus. */
static void put_status(struct t_bytes *bytes, const leat_value *status)
{
    const leat_value *field;

    for (field = leat_value_first(status); field != NULL; field = leat_value_next(status, field)) {
        put(bytes, field == leat_value_first(status) ? " {" : " ");
        if (leat_value_kind(field) == LEAT_NULL)
            put(bytes, "-");
        else if (leat_value_kind(field) == LEAT_ENUM)
            put_enumerator(bytes, field);
        else
            put_value(bytes, field);
    }
    put(bytes, "}");
}

/* " [T logger "data" "error"]": what is set, but instance, which must be a1, and the reqid. */
static void put_result(struct t_bytes *bytes, const leat_value *result, const leat_value *reqid)
{
    static const char *const fields[] = {"node", "data", "error"};
    size_t i, length;
    const char *instance = leat_value_text(leat_value_get(result, "instance"), &length);
    const leat_value *node;

    ck_assert(leat_value_equal(leat_value_get(result, "reqid"), reqid) ||
              leat_value_count(result) == 0);
    ck_assert(length == 2 && memcmp(instance, "a1", 2) == 0);
    put(bytes, leat_value_bool(leat_value_get(result, "success")) ? " [T" : " [F");
    for (i = 0; i < 3; i++) {
        const leat_value *field = leat_value_get(result, fields[i]);

        if (leat_value_kind(field) == LEAT_NULL)
            continue;
        if (leat_value_kind(field) == LEAT_LIST) {
            put(bytes, " nodes:");
            for (node = leat_value_first(field); node != NULL; node = leat_value_next(field, node))
                put_status(bytes, node);
            continue;
        }
        put(bytes, " ");
        if (i == 0)
            put_plain(bytes, field);
        else
            put_value(bytes, field);
    }
    put(bytes, "]");
}

/* A line for an event that the agent said. */
static void hear(struct bench *b, const leat_event *event)
{
    const leat_value *data = leat_value_get(leat_event_value(event), "data"), *args, *arg, *result;
    leat_zeek_message message;
    leat_builder *builder;
    const char *topic;
    size_t length;

    topic = leat_value_text(leat_value_get(leat_event_value(event), "topic"), &length);
    ck_assert(length == strlen(TOPIC) && memcmp(topic, TOPIC, length) == 0);
    leat_zeek_message_init(&message, sizeof message);
    ck_assert_int_eq(leat_zeek_read(data, &message), LEAT_OK);
    ck_assert_int_eq(leat_builder_new(NULL, &builder), LEAT_OK);
    ck_assert_int_eq(leat_zeek_management_read(builder, NULL, &message, NULL), LEAT_OK);
    args = leat_builder_value(builder);
    put(&b->said, strrchr(leat_zeek_management_name(leat_zeek_management_kind(&message)), ':') + 1);
    for (arg = leat_value_first(args); arg != NULL; arg = leat_value_next(args, arg)) {
        if (is(arg, "result")) {
            put_result(&b->said, arg, leat_value_get(args, "reqid"));
        } else if (is(arg, "results")) {
            for (result = leat_value_first(arg); result != NULL;
                 result = leat_value_next(arg, result))
                put_result(&b->said, result, leat_value_get(args, "reqid"));
        } else {
            put(&b->said, " ");
            if (is(arg, "n"))
                put_plain(&b->said, leat_value_get(arg, "name"));
            else
                put_value(&b->said, arg);
        }
    }
    put(&b->said, "\n");
    leat_builder_free(builder);
}

/* A line for what the agent tells: of a configuration its id, of a node its name. */
static void note(struct bench *b, const leat_event *event)
{
    const leat_value *value = leat_event_value(event), *arg, *node;
    const char *name = leat_event_name(event, NULL), *colon = strrchr(name, ':');

    put(&b->told, colon == NULL ? name : colon + 1);
    for (arg = leat_value_first(value); arg != NULL; arg = leat_value_next(value, arg)) {
        put(&b->told, " ");
        if (is(arg, "config")) {
            put_value(&b->told, leat_value_get(arg, "id"));
        } else if (is(arg, "own")) {
            put(&b->told, "own:");
            for (node = leat_value_first(arg); node != NULL; node = leat_value_next(arg, node)) {
                put(&b->told, node == leat_value_first(arg) ? "" : ",");
                put_plain(&b->told, leat_value_kind(node) == LEAT_RECORD
                                        ? leat_value_get(node, "name")
                                        : node);
            }
        } else {
            put_value(&b->told, arg);
        }
    }
    put(&b->told, "\n");
}

static void drain(struct bench *b)
{
    const leat_event *event;

    while (leat_zeek_agent_next(b->agent, &event) == LEAT_OK)
        note(b, event);
}

static void on_event(void *context, size_t node, leat_session *session, const leat_event *event)
{
    struct bench *b = (struct bench *)context;

    (void)session;
    if (node == AGENT)
        CALL(b, b->taken, leat_zeek_agent_take(b->agent, event));
    else if (leat_event_kind(event) == LEAT_BROKER_DATA)
        hear(b, event);
}

static uint64_t on_deadline(void *context)
{
    return leat_zeek_agent_deadline(((struct bench *)context)->agent);
}

static void on_tick(void *context)
{
    struct bench *b = (struct bench *)context;

    if (b->timeless)
        return;
    do {
        b->gates.inside = true;
        leat_zeek_agent_tick(b->agent, b->net.now_ms);
        leave(b);
    } while (leat_zeek_agent_deadline(b->agent) <= b->net.now_ms);
}

/* Lets all arrive, and what the agent owes be said. */
static void settle(struct bench *b)
{
    net_run(&b->net);
    on_tick(b);
    net_run(&b->net);
}

/* ----- a bench ----- */

static void begin(struct bench *b)
{
    size_t i;

    memset(b, 0, sizeof *b);
    gates_init(&b->gates);
    for (i = 0; i < 2; i++) {
        leat_config_init(&b->configs[i], sizeof b->configs[i]);
        b->configs[i].allocator = &b->gates.of[i].allocator;
    }
    leat_zeek_agent_options_init(&b->options, sizeof b->options);
    b->options.name = "a1";
    b->options.controller_address = "n1";
    b->options.controller_port = NET_PORT;
    net_init(&b->net);
    b->net.config = &b->configs[1];
    b->net.event = on_event;
    b->net.deadline = on_deadline;
    b->net.tick = on_tick;
    b->net.context = b;
    b->net.quiet = true;
    b->net.now_ms = START_MS;
    b->said = t_copy("", 0);
    b->told = t_copy("", 0);
    (void)net_add(&b->net, NULL);
    (void)net_add(&b->net, NULL);
    net_subscribe(&b->net, CONTROLLER, LEAT_ZEEK_AGENT_TOPIC_PREFIX);
}

static void start(struct bench *b)
{
    int status;

    CALL(b, status,
         leat_zeek_agent_new(&b->configs[0], &b->options, net_broker(&b->net, AGENT), &b->agent));
    ck_assert_int_eq(status, LEAT_OK);
    settle(b);
}

static void end(struct bench *b)
{
    leat_zeek_agent_free(b->agent);
    ck_assert_uint_eq(b->gates.of[0].held, 0);
    b->agent = NULL;
    net_free(&b->net);
    ck_assert_uint_eq(b->gates.of[1].held, 0);
    t_free(b->said);
    t_free(b->told);
}

/* ----- what a controller says ----- */

static void publish(struct bench *b, const char *topic, const leat_value *data)
{
    ck_assert_int_eq(
        leat_broker_publish(net_broker(&b->net, CONTROLLER), topic, strlen(topic), data), LEAT_OK);
    settle(b);
}

static void say(struct bench *b, const char *topic, const char *name, const char *json)
{
    char full[80];
    leat_builder *args = t_json(json, strlen(json)), *event;
    leat_zeek_management_flaw flaw;
    int status;

    (void)snprintf(full, sizeof full, "Management::Agent::API::%s", name);
    ck_assert_int_eq(leat_builder_new(NULL, &event), LEAT_OK);
    leat_zeek_management_flaw_init(&flaw, sizeof flaw);
    status = leat_zeek_management_write(event, NULL, leat_zeek_management_find(full, strlen(full)),
                                        leat_builder_value(args), &flaw);
    ck_assert_msg(status == LEAT_OK, "%s %s: %s", full, json, flaw.what);
    publish(b, topic, leat_builder_value(event));
    leat_builder_free(event);
    leat_builder_free(args);
}

/* ----- scripts ----- */

/* What comes up to the next of these characters, which end it; NULL: no more. */
static char *part(char **text, const char *ends)
{
    char *at = *text, *behind = at + strcspn(at, ends);

    if (*at == '\0')
        return NULL;
    *text = *behind == '\0' ? behind : behind + 1;
    *behind = '\0';
    return at;
}

static char *word(char **line)
{
    return part(line, " ");
}

/* Lists of words, "a,b", as JSON; "-": an empty one. */
static void put_list(struct t_bytes *json, char *words)
{
    char *at;

    put(json, "[");
    while (strcmp(words, "-") != 0 && (at = part(&words, ",")) != NULL) {
        put(json, json->data[json->length - 1] == '[' ? "\"" : ",\"");
        put(json, at);
        put(json, "\"");
    }
    put(json, "]");
}

/* "logger@a1 manager@a1/24214": the nodes of a configuration; roles and other ports follow from names. */
static void put_nodes(struct t_bytes *json, char *line)
{
    char one[400], *node;
    bool first = true;

    put(json, "[");
    while ((node = word(&line)) != NULL) {
        char *at = strchr(node, '@'), *slash;

        *at++ = '\0';
        slash = strchr(at, '/');
        if (slash != NULL)
            *slash++ = '\0';
        (void)snprintf(one, sizeof one,
                       "%s{\"name\":\"%s\",\"instance\":\"%s\",\"role\":\"Supervisor::%s\","
                       "\"p\":%s%s%s,\"state\":\"Management::RUNNING\"}",
                       first ? "" : ",", node, at, *node == 'l' ? "LOGGER" : "WORKER",
                       slash == NULL ? "null" : "\"", slash == NULL ? "" : slash,
                       slash == NULL ? "" : "/tcp\"");
        put(json, one);
        first = false;
    }
    put(json, "]");
}

/* "deploy d1 c1 F logger@a1", "get_nodes g1", "dispatch n1 action,arg node,node", ... */
static void request(struct bench *b, const char *topic, char *line)
{
    struct t_bytes json = t_copy("{\"reqid\":\"", 10);
    const char *what = word(&line), *reqid = word(&line);
    char name[40];
    bool force;

    put(&json, strcmp(reqid, "\"\"") == 0 ? "" : reqid);
    put(&json, "\"");
    if (strcmp(what, "deploy") == 0) {
        put(&json, ",\"config\":{\"id\":\"");
        put(&json, word(&line));
        put(&json, "\",\"instances\":[],\"nodes\":");
        force = strcmp(word(&line), "T") == 0;
        put_nodes(&json, line);
        put(&json, force ? "},\"force\":true" : "},\"force\":false");
    } else if (strcmp(what, "dispatch") == 0) {
        what = "node_dispatch";
        put(&json, ",\"action\":");
        put_list(&json, word(&line));
    } else if (strcmp(what, "welcome") == 0 || strcmp(what, "standby") == 0) {
        what = *what == 'w' ? "agent_welcome" : "agent_standby";
    }
    if (strcmp(what, "node_dispatch") == 0 || strcmp(what, "restart") == 0) {
        put(&json, ",\"nodes\":");
        put_list(&json, word(&line));
    }
    t_append(&json, "}", 2);
    (void)snprintf(name, sizeof name, "%s_request", what);
    say(b, topic, name, (const char *)json.data);
    t_free(json);
}

/* The next line of what was said or told must be this. */
static void expect(struct t_bytes *bytes, size_t *at, const char *line, const char *who)
{
    char *found = (char *)bytes->data + *at;
    size_t left = bytes->length - *at;
    char *behind = left == 0 ? NULL : memchr(found, '\n', left);

    ck_assert_msg(behind != NULL, "%s nothing, not: %s", who, line);
    *behind = '\0';
    ck_assert_msg(strcmp(found, line) == 0, "%s\n  %s\n, not\n  %s\n", who, found, line);
    *at += (size_t)(behind - found) + 1;
}

static int status_of(const char *name)
{
    static const int all[] = {LEAT_OK,      LEAT_MORE,    LEAT_E_NOMEM,
                              LEAT_E_STATE, LEAT_E_VALUE, LEAT_E_LIMIT};
    size_t i = 0;

    while (strcmp(leat_status_name(all[i]), name) != 0)
        i++;
    return all[i];
}

/* "1 {...}", "1 done", "1 LEAT_E_VALUE {...}" */
static void answer(struct bench *b, char *line)
{
    uint64_t number = strtoull(word(&line), NULL, 10);
    int wanted = LEAT_OK, status;
    leat_builder *builder;

    if (strncmp(line, "LEAT_", 5) == 0)
        wanted = status_of(word(&line));
    if (strcmp(line, "done") == 0) {
        CALL(b, status, leat_zeek_agent_done(b->agent, number));
    } else {
        builder = t_json(line, strlen(line));
        CALL(b, status, leat_zeek_agent_answer(b->agent, number, leat_builder_value(builder)));
        leat_builder_free(builder);
    }
    ck_assert_msg(status == wanted, "%s: %s", line, leat_status_name(status));
    settle(b);
}

/* "logger RUNNING 77", and what it answers if that is not LEAT_OK. */
static void set_node(struct bench *b, char *line)
{
    char state[40], *name = word(&line), *pid, *wanted;
    int status;

    (void)snprintf(state, sizeof state, "Management::%s", word(&line));
    pid = word(&line);
    wanted = word(&line);
    CALL(b, status,
         leat_zeek_agent_node(b->agent, name, strlen(name), state, strtoll(pid, NULL, 10)));
    ck_assert_int_eq(status, wanted == NULL ? LEAT_OK : status_of(wanted));
    settle(b);
}

static void set_notify(struct bench *b, char *line)
{
    uint32_t kind = strcmp(word(&line), "error") == 0 ? LEAT_ZEEK_AGENT_NOTIFY_ERROR
                                                      : LEAT_ZEEK_AGENT_NOTIFY_LOG;
    const char *text = word(&line), *node = word(&line);
    int status;

    CALL(b, status,
         leat_zeek_agent_notify(b->agent, kind, text, strlen(text), node,
                                node == NULL ? 0 : strlen(node)));
    ck_assert_int_eq(status, LEAT_OK);
    settle(b);
}

/* "logger PENDING RUNNING": others hear of the change. */
static void expect_change(struct bench *b, char *line)
{
    const char *node = word(&line), *old = word(&line), *new = word(&line);
    char wanted[200];

    (void)snprintf(wanted, sizeof wanted,
                   "notify_change \"a1\" %s \"Management::%s\" \"Management::%s\"", node, old, new);
    expect(&b->said, &b->said_at, wanted, "says");
}

/* The agent greets; "listens": it waits for the controller; "again": its endpoint was started again. */
static void expect_hello(struct bench *b, const char *how)
{
    char wanted[200];

    (void)snprintf(wanted, sizeof wanted,
                   "notify_agent_hello \"a1\" \"01010101-0101-0101-0101-0101010101%s\" %s 1",
                   *how == 'a' ? "81" : "01", *how == 'l' ? "false" : "true");
    expect(&b->said, &b->said_at, wanted, "says");
}

static void play(struct bench *b, const char *script);

/* With two nodes, all that came before a script is about. */
static const char up[] = "hello\n"
                         "> deploy d1 c1 F logger@a1/24211 other@a2 w1@a1\n"
                         "? deploy_request 1 'd1' 'c1' false own:logger,w1\n"
                         "= 1 done\n"
                         "< deploy_response 'd1' [T logger] [T w1]\n"
                         "change logger PENDING RUNNING\n"
                         "change w1 PENDING RUNNING\n";

/*
 * A line of a script; ' stands for ".
 *
 * > request     the controller says it to a1; >> TOPIC request: on another topic
 * < event       the controller has heard this next; so hello and change
 * ? event       the agent tells this next
 * = answer      the caller answers
 * + ms          time passes
 * node, notify  the caller says so
 * deadline      milliseconds from now, or never
 * drop          the connection breaks
 * up            two nodes are deployed
 */
static void play_line(struct bench *b, char *line)
{
    char *rest = line, *what = word(&rest);

    if (strcmp(what, ">") == 0) {
        request(b, TOPIC, rest);
        drain(b);
    } else if (strcmp(what, ">>") == 0) {
        what = word(&rest);
        request(b, what, rest);
        drain(b);
    } else if (strcmp(what, "<") == 0) {
        expect(&b->said, &b->said_at, rest, "says");
    } else if (strcmp(what, "?") == 0) {
        expect(&b->told, &b->told_at, rest, "tells");
    } else if (strcmp(what, "hello") == 0) {
        expect_hello(b, rest);
    } else if (strcmp(what, "change") == 0) {
        expect_change(b, rest);
    } else if (strcmp(what, "up") == 0) {
        play(b, up);
    } else if (strcmp(what, "=") == 0) {
        answer(b, rest);
    } else if (strcmp(what, "+") == 0) {
        net_advance(&b->net, strtoull(rest, NULL, 10));
        settle(b);
        drain(b);
    } else if (strcmp(what, "node") == 0) {
        set_node(b, rest);
    } else if (strcmp(what, "notify") == 0) {
        set_notify(b, rest);
    } else if (strcmp(what, "deadline") == 0) {
        ck_assert_uint_eq(leat_zeek_agent_deadline(b->agent),
                          *rest == 'n' ? UINT64_MAX : b->net.now_ms + strtoull(rest, NULL, 10));
    } else if (strcmp(what, "drop") == 0) {
        net_cut(&b->net, AGENT, CONTROLLER);
        settle(b);
    } else {
        ck_abort_msg("no such line: %s", line);
    }
}

static void play(struct bench *b, const char *script)
{
    struct t_bytes copy = t_copy(script, strlen(script) + 1);
    char *rest = (char *)copy.data, *at, *line;

    for (at = rest; *at != '\0'; at++)
        *at = *at == '\'' ? '"' : *at;
    while ((line = part(&rest, "\n")) != NULL)
        play_line(b, line);
    t_free(copy);
    ck_assert_msg(b->said_at == b->said.length, "says more: %.*s",
                  (int)(b->said.length - b->said_at), (char *)b->said.data + b->said_at);
    ck_assert_msg(b->told_at == b->told.length, "tells more: %.*s",
                  (int)(b->told.length - b->told_at), (char *)b->told.data + b->told_at);
}

static const struct {
    const char *name;
    const char *script;
} cases[] = {
    {"welcome", "hello\n"
                "deadline never\n"
                "> welcome r1\n"
                "? agent_welcome_request 1 'r1'\n"
                "deadline 5000\n"
                "= 1 done\n"
                "deadline never\n"
                "< agent_welcome_response 'r1' [T]\n"
                "= 1 LEAT_E_STATE {}\n"
                "> welcome r1\n"
                "? agent_welcome_request 2 'r1'\n"
                "= 2 {'success':false,'error':'no room'}\n"
                "< agent_welcome_response 'r1' [F 'no room']\n"},
    {"requests without an id", "hello\n"
                               "> standby ''\n"
                               "? agent_standby_request 1 ''\n"
                               "= 1 done\n"
                               "< agent_standby_response '' [T]\n"},
    {"forms of answers about the agent", "hello\n"
                                         "> welcome r1\n"
                                         "? agent_welcome_request 1 'r1'\n"
                                         "= 1 LEAT_E_VALUE []\n"
                                         "= 1 LEAT_E_VALUE 1\n"
                                         "= 1 LEAT_E_VALUE null\n"
                                         "= 1 LEAT_E_VALUE {'success':1}\n"
                                         "= 1 LEAT_E_VALUE {'error':true}\n"
                                         "= 1 LEAT_E_VALUE {'node':'logger'}\n"
                                         "= 1 LEAT_E_VALUE {'data':'x'}\n"
                                         "= 1 LEAT_E_VALUE {'successful':true}\n"
                                         "= 2 LEAT_E_STATE {}\n"
                                         "= 0 LEAT_E_STATE {}\n"
                                         "= 1 {'success':null,'error':null}\n"
                                         "< agent_welcome_response 'r1' [T]\n"},
    {"deployed as a whole", "up\n"},
    {"a deployment that failed as a whole",
     "hello\n"
     "> deploy d1 c1 F logger@a1 w1@a1\n"
     "? deploy_request 1 'd1' 'c1' false own:logger,w1\n"
     "= 1 {'success':false,'error':'no disk'}\n"
     "< deploy_response 'd1' [F logger 'no disk'] [F w1 'no disk']\n"
     "change logger PENDING FAILED\n"
     "change w1 PENDING FAILED\n"},
    {"a deployment node by node",
     "hello\n"
     "> deploy d1 c1 F w1@a1 logger@a1 w2@a1 w3@a1\n"
     "? deploy_request 1 'd1' 'c1' false own:logger,w1,w2,w3\n"
     "= 1 LEAT_E_VALUE [{'node':'other'}]\n"
     "= 1 LEAT_E_VALUE [{'success':true}]\n"
     "= 1 LEAT_E_VALUE [{'node':null}]\n"
     "= 1 LEAT_E_VALUE ['w1']\n"
     "= 1 LEAT_E_VALUE [{'node':'w1'},{'node':'w1'}]\n"
     "= 1 LEAT_E_VALUE [{'node':'w1','data':'not outputs'}]\n"
     "= 1 LEAT_E_VALUE [{'node':'w1','pid':7}]\n"
     "= 1 "
     "[{'node':'w2'},{'node':'w1','success':false,'error':'no','data':{'stdout':'','stderr':'x'}},{"
     "'node':'w3','success':true,'data':null}]\n"
     "< deploy_response 'd1' [T w2] [F w1 {'stdout':'','stderr':'x'} 'no'] [T w3] [F logger]\n"
     "change logger PENDING FAILED\n"
     "change w1 PENDING FAILED\n"
     "change w2 PENDING RUNNING\n"
     "change w3 PENDING RUNNING\n"
     "= 1 LEAT_E_STATE {}\n"},
    {"the configuration that it has", "up\n"
                                      "> deploy d2 c1 F logger@a1 w1@a1\n"
                                      "< deploy_response 'd2' [T]\n"
                                      "> deploy d3 c1 T w1@a1\n"
                                      "? deploy_request 2 'd3' 'c1' true own:w1\n"
                                      "= 2 done\n"
                                      "< deploy_response 'd3' [T w1]\n"
                                      "change w1 PENDING RUNNING\n"
                                      "> deploy d4 c1 F w1@a1\n"
                                      "< deploy_response 'd4' [T]\n"},
    {"the configuration that is being deployed",
     "hello\n"
     "> deploy d1 c1 F logger@a1 w1@a1\n"
     "? deploy_request 1 'd1' 'c1' false own:logger,w1\n"
     "+ 1000\n"
     "> deploy d2 c1 F logger@a1 w1@a1\n"
     "drop\n"
     "+ 1000\n"
     "hello\n"
     "> deploy d3 c1 F logger@a1 w1@a1\n"
     "deadline 3000\n"
     "= 1 LEAT_E_VALUE 1\n"
     "= 1 [{'node':'w1','success':false,'error':'no'},{'node':'logger'}]\n"
     "< deploy_response 'd1' [F w1 'no'] [T logger]\n"
     "< deploy_response 'd3' [F w1 'no'] [T logger]\n"
     "< deploy_response 'd2' [F w1 'no'] [T logger]\n"
     "change logger PENDING RUNNING\n"
     "change w1 PENDING FAILED\n"
     "deadline never\n"
     "= 1 LEAT_E_STATE {}\n"
     "> deploy d4 c1 F logger@a1 w1@a1\n"
     "< deploy_response 'd4' [T]\n"},
    {"the configuration that is being deployed, of no nodes",
     "hello\n"
     "> deploy d1 c1 F\n"
     "? deploy_request 1 'd1' 'c1' false own:\n"
     "> deploy d2 c1 F\n"
     "= 1 {'success':false,'error':'no'}\n"
     "< deploy_response 'd1' [F 'no']\n"
     "< deploy_response 'd2' [F 'no']\n"},
    {"the configuration that is being deployed for too long",
     "hello\n"
     "> deploy d1 c1 F logger@a1 w1@a1\n"
     "? deploy_request 1 'd1' 'c1' false own:logger,w1\n"
     "+ 4000\n"
     "> deploy d2 c1 F logger@a1 w1@a1\n"
     "node w1 RUNNING 5\n"
     "change w1 PENDING RUNNING\n"
     "+ 1000\n"
     "< deploy_response 'd1' [F 'request timed out'] [F logger] [T w1]\n"
     "< deploy_response 'd2' [F 'request timed out'] [F logger] [T w1]\n"
     "? timed_out 1 'Management::Agent::API::deploy_request'\n"
     "deadline never\n"
     "> deploy d3 c1 F logger@a1 w1@a1\n"
     "< deploy_response 'd3' [T]\n"},
    {"the configuration that was being deployed", "hello\n"
                                                  "> deploy d1 c1 F w1@a1\n"
                                                  "? deploy_request 1 'd1' 'c1' false own:w1\n"
                                                  "> deploy d2 c1 F w1@a1\n"
                                                  "> deploy d3 c1 T w1@a1\n"
                                                  "? deploy_request 2 'd3' 'c1' true own:w1\n"
                                                  "> deploy d4 c1 F w1@a1\n"
                                                  "= 1 done\n"
                                                  "< deploy_response 'd1' [T w1]\n"
                                                  "< deploy_response 'd2' [T w1]\n"
                                                  "> standby s1\n"
                                                  "? agent_standby_request 3 's1'\n"
                                                  "change w1 PENDING STOPPED\n"
                                                  "> deploy d5 c1 F w1@a1\n"
                                                  "? deploy_request 4 'd5' 'c1' false own:w1\n"
                                                  "= 2 {'success':false}\n"
                                                  "< deploy_response 'd3' [F w1]\n"
                                                  "< deploy_response 'd4' [F w1]\n"
                                                  "= 4 done\n"
                                                  "< deploy_response 'd5' [T w1]\n"
                                                  "change w1 PENDING RUNNING\n"},
    {"no nodes of its own", "up\n"
                            "> deploy d2 c2 F logger@a2\n"
                            "? deploy_request 2 'd2' 'c2' false own:\n"
                            "= 2 LEAT_E_VALUE [{'node':'logger'}]\n"
                            "= 2 done\n"
                            "< deploy_response 'd2' [T]\n"
                            "> restart r1 -\n"
                            "< restart_response 'r1'\n"
                            "> deploy d3 c3 F\n"
                            "? deploy_request 3 'd3' 'c3' false own:\n"
                            "= 3 []\n"
                            "< deploy_response 'd3' [T]\n"
                            "> deploy d4 c4 F\n"
                            "? deploy_request 4 'd4' 'c4' false own:\n"
                            "= 4 {'success':false,'error':'no'}\n"
                            "< deploy_response 'd4' [F 'no']\n"},
    {"overlapping deployments", "hello\n"
                                "> deploy d1 c1 F logger@a1 w1@a1\n"
                                "? deploy_request 1 'd1' 'c1' false own:logger,w1\n"
                                "+ 1000\n"
                                "> deploy d2 c2 F w1@a1\n"
                                "? deploy_request 2 'd2' 'c2' false own:w1\n"
                                "node logger RUNNING -1 LEAT_E_STATE\n"
                                "= 1 done\n"
                                "< deploy_response 'd1' [T logger] [T w1]\n"
                                "+ 1000\n"
                                "> deploy d3 c3 F w1@a1 w2@a1\n"
                                "? deploy_request 3 'd3' 'c3' false own:w1,w2\n"
                                "node w1 RUNNING 5\n"
                                "change w1 PENDING RUNNING\n"
                                "+ 3999\n"
                                "+ 1\n"
                                "< deploy_response 'd2' [F 'request timed out'] [F w1]\n"
                                "? timed_out 2 'Management::Agent::API::deploy_request'\n"
                                "+ 999\n"
                                "+ 1\n"
                                "< deploy_response 'd3' [F 'request timed out'] [T w1] [F w2]\n"
                                "? timed_out 3 'Management::Agent::API::deploy_request'\n"
                                "= 2 LEAT_E_STATE {}\n"
                                "= 3 LEAT_E_STATE {}\n"},
    {"what it knows of its nodes",
     "hello\n"
     "> get_nodes g1\n"
     "? get_nodes_request 1 'g1'\n"
     "= 1 done\n"
     "< get_nodes_response 'g1' [T nodes: {'a1' RUNNING AGENT NONE - - -}]\n"
     "> deploy d1 c1 F logger@a1/24211 w1@a1\n"
     "? deploy_request 2 'd1' 'c1' false own:logger,w1\n"
     "node logger RUNNING 77\n"
     "change logger PENDING RUNNING\n"
     "node logger RUNNING 78\n"
     "node logger RUNNING -1\n"
     "> get_nodes g2\n"
     "? get_nodes_request 3 'g2'\n"
     "= 3 {'success':true}\n"
     "< get_nodes_response 'g2' [T nodes: {'a1' RUNNING AGENT NONE - - -} {'logger' RUNNING NONE "
     "LOGGER 78 '24211/tcp' -} {'w1' PENDING NONE WORKER - - -}]\n"
     "> get_nodes g3\n"
     "? get_nodes_request 4 'g3'\n"
     "= 4 {'success':false,'error':'busy'}\n"
     "< get_nodes_response 'g3' [F nodes: 'busy']\n"
     "> get_nodes g4\n"
     "? get_nodes_request 5 'g4'\n"
     "= 5 LEAT_E_VALUE [{'node':'x'}]\n"
     "= 5 LEAT_E_VALUE [7]\n"
     "= 5 [{'node':'x','state':'Management::CRASHED','pid':9}]\n"
     "< get_nodes_response 'g4' [T nodes: {'x' CRASHED NONE NONE 9 - -}]\n"
     "> standby s1\n"
     "? agent_standby_request 6 's1'\n"
     "change logger RUNNING STOPPED\n"
     "change w1 PENDING STOPPED\n"
     "> get_nodes g5\n"
     "? get_nodes_request 7 'g5'\n"
     "= 7 done\n"
     "< get_nodes_response 'g5' [T nodes: {'a1' RUNNING AGENT NONE - - -}]\n"},
    {"standby", "up\n"
                "> standby s1\n"
                "? agent_standby_request 2 's1'\n"
                "change logger RUNNING STOPPED\n"
                "change w1 RUNNING STOPPED\n"
                "> dispatch n1 get_id_value,x -\n"
                "< node_dispatch_response 'n1' [F logger 'cluster node logger not in running "
                "state'] [F w1 'cluster node w1 not in running state']\n"
                "> restart r1 w1\n"
                "< restart_response 'r1' [F w1 'could not restart node w1']\n"
                "= 2 done\n"
                "< agent_standby_response 's1' [T]\n"
                "> deploy d2 c1 F w1@a1\n"
                "? deploy_request 3 'd2' 'c1' false own:w1\n"
                "> standby s2\n"
                "? agent_standby_request 4 's2'\n"
                "change w1 PENDING STOPPED\n"
                "= 3 done\n"
                "< deploy_response 'd2' [T w1]\n"
                "= 4 {'success':false}\n"
                "< agent_standby_response 's2' [F]\n"},
    {"dispatch",
     "up\n"
     "> dispatch n1 get_id_value,Cluster::node -\n"
     "? node_dispatch_request 2 'n1' ['get_id_value','Cluster::node'] [] own:logger,w1\n"
     "= 2 LEAT_E_VALUE [{'node':'w1','data':7}]\n"
     "= 2 [{'node':'w1','data':'7'},{'node':'logger','success':false,'error':'unknown id'}]\n"
     "< node_dispatch_response 'n1' [T w1 '7'] [F logger 'unknown id']\n"
     "node w1 CRASHED -1\n"
     "change w1 RUNNING CRASHED\n"
     "> dispatch n2 make_coffee w1,logger,w9\n"
     "? node_dispatch_request 3 'n2' ['make_coffee'] ['logger','w1','w9'] own:logger\n"
     "node w1 RUNNING -1\n"
     "change w1 CRASHED RUNNING\n"
     "= 3 {'success':false,'error':'dispatch make_coffee unknown'}\n"
     "< node_dispatch_response 'n2' [F w1 'cluster node w1 not in running state'] [F logger "
     "'dispatch make_coffee unknown']\n"
     "node w1 FAILED -1\n"
     "change w1 RUNNING FAILED\n"
     "> dispatch n3 get_id_value w1\n"
     "< node_dispatch_response 'n3' [F w1 'cluster node w1 not in running state']\n"
     "> dispatch n4 get_id_value w8,w9\n"
     "< node_dispatch_response 'n4'\n"
     "> dispatch n5 - logger\n"
     "< node_dispatch_response 'n5' [F logger 'no action for node logger']\n"
     "> dispatch n6 - w9\n"
     "< node_dispatch_response 'n6'\n"
     "> dispatch n7 get_id_value logger\n"
     "? node_dispatch_request 4 'n7' ['get_id_value'] ['logger'] own:logger\n"
     "= 4 []\n"
     "< node_dispatch_response 'n7' [F logger]\n"},
    {"nothing deployed", "hello\n"
                         "> restart r1 -\n"
                         "< restart_response 'r1'\n"
                         "> restart r2 w1\n"
                         "< restart_response 'r2'\n"
                         "> dispatch n1 get_id_value,x -\n"
                         "< node_dispatch_response 'n1'\n"
                         "> dispatch n2 - w1\n"
                         "< node_dispatch_response 'n2'\n"
                         "node w1 RUNNING 1 LEAT_E_STATE\n"},
    {"restart",
     "up\n"
     "> restart r1 w1,w9\n"
     "? restart_request 2 'r1' ['w1','w9'] own:w1\n"
     "change w1 RUNNING PENDING\n"
     "= 2 done\n"
     "< restart_response 'r1' [T w1]\n"
     "> restart r2 w9\n"
     "< restart_response 'r2'\n"
     "> restart r3 -\n"
     "? restart_request 3 'r3' [] own:logger,w1\n"
     "change logger RUNNING PENDING\n"
     "= 3 [{'node':'w1','success':false,'error':'could not restart node w1'},{'node':'logger'}]\n"
     "< restart_response 'r3' [F w1 'could not restart node w1'] [T logger]\n"},
    {"late answers", "up\n"
                     "> restart r1 -\n"
                     "? restart_request 2 'r1' [] own:logger,w1\n"
                     "change logger RUNNING PENDING\n"
                     "change w1 RUNNING PENDING\n"
                     "+ 1\n"
                     "> dispatch n1 get_id_value -\n"
                     "< node_dispatch_response 'n1' [F logger 'cluster node logger not in running "
                     "state'] [F w1 'cluster node w1 not in running state']\n"
                     "node w1 RUNNING -1\n"
                     "change w1 PENDING RUNNING\n"
                     "> dispatch n2 get_id_value w1\n"
                     "? node_dispatch_request 3 'n2' ['get_id_value'] ['w1'] own:w1\n"
                     "> get_nodes g1\n"
                     "? get_nodes_request 4 'g1'\n"
                     "> welcome w1\n"
                     "? agent_welcome_request 5 'w1'\n"
                     "> standby s1\n"
                     "? agent_standby_request 6 's1'\n"
                     "change logger PENDING STOPPED\n"
                     "change w1 RUNNING STOPPED\n"
                     "node w1 RUNNING -1\n"
                     "change w1 STOPPED RUNNING\n"
                     "deadline 4999\n"
                     "+ 4998\n"
                     "deadline 1\n"
                     "+ 1\n"
                     "< restart_response 'r1' [F logger 'could not restart node logger'] [T w1] [F "
                     "'request timed out']\n"
                     "? timed_out 2 'Management::Agent::API::restart_request'\n"
                     "deadline 1\n"
                     "+ 1\n"
                     "? timed_out 3 'Management::Agent::API::node_dispatch_request'\n"
                     "? timed_out 4 'Management::Agent::API::get_nodes_request'\n"
                     "? timed_out 5 'Management::Agent::API::agent_welcome_request'\n"
                     "? timed_out 6 'Management::Agent::API::agent_standby_request'\n"
                     "deadline never\n"
                     "= 2 LEAT_E_STATE {}\n"
                     "= 3 LEAT_E_STATE {}\n"
                     "= 6 LEAT_E_STATE {}\n"},
    {"restart of what is pending still",
     "up\n"
     "> restart r1 w1\n"
     "? restart_request 2 'r1' ['w1'] own:w1\n"
     "change w1 RUNNING PENDING\n"
     "+ 5000\n"
     "< restart_response 'r1' [F 'request timed out']\n"
     "? timed_out 2 'Management::Agent::API::restart_request'\n"},
    {"states of nodes", "up\n"
                        "node w1 RUNNING 1\n"
                        "node w1 UNKNOWN 1\n"
                        "change w1 RUNNING UNKNOWN\n"
                        "node w1 STOPPED 1\n"
                        "change w1 UNKNOWN STOPPED\n"
                        "node w1 PENDING 1\n"
                        "change w1 STOPPED PENDING\n"
                        "node w1 running 1 LEAT_E_VALUE\n"
                        "node w9 RUNNING 1 LEAT_E_STATE\n"
                        "node other RUNNING 1 LEAT_E_STATE\n"
                        "node w RUNNING 1 LEAT_E_STATE\n"
                        "node w11 RUNNING 1 LEAT_E_STATE\n"},
    {"notifications", "hello\n"
                      "notify error broken w1\n"
                      "< notify_error 'a1' 'broken' 'w1'\n"
                      "notify log fine\n"
                      "< notify_log 'a1' 'fine' ''\n"},
    {"the peering breaks and is there again", "up\n"
                                              "> get_nodes g1\n"
                                              "? get_nodes_request 2 'g1'\n"
                                              "drop\n"
                                              "hello\n"
                                              "> welcome w1\n"
                                              "? agent_welcome_request 3 'w1'\n"
                                              "= 3 done\n"
                                              "< agent_welcome_response 'w1' [T]\n"
                                              "= 2 {'success':false}\n"
                                              "< get_nodes_response 'g1' [F nodes:]\n"
                                              "> deploy d2 c1 F logger@a1 w1@a1\n"
                                              "< deploy_response 'd2' [T]\n"},
    {"topics of others", "hello\n"
                         ">> zeek/management/agent/a10 welcome w1\n"
                         ">> zeek/management/agent/a1/x welcome w1\n"
                         ">> zeek/management/agent/a welcome w1\n"
                         "deadline never\n"},
    {"one node twice", "hello\n"
                       "> deploy d1 c1 F w1@a1 logger@a1 w1@a1/7\n"
                       "? deploy_request 1 'd1' 'c1' false own:logger,w1\n"
                       "= 1 done\n"
                       "< deploy_response 'd1' [T logger] [T w1]\n"
                       "change logger PENDING RUNNING\n"
                       "change w1 PENDING RUNNING\n"},
};

START_TEST(scripts)
{
    struct bench b;

    begin(&b);
    start(&b);
    play(&b, cases[_i].script);
    end(&b);
}
END_TEST

/* With each allocation of each call failing once, all is said and told as without. */
START_TEST(scripts_without_memory)
{
    struct bench b;
    size_t bad = 0, calls = SIZE_MAX;

    while (bad++ < calls) {
        begin(&b);
        b.gates.bad = bad;
        start(&b);
        play(&b, cases[_i].script);
        calls = b.gates.calls;
        end(&b);
    }
}
END_TEST

/* A bench with other options. */
static void play_with(struct bench *b, const char *script)
{
    start(b);
    play(b, script);
    end(b);
}

START_TEST(controller_connects)
{
    struct bench b;

    begin(&b);
    b.options.controller_address = NULL;
    b.options.controller_port = 0;
    b.options.listen_port = 2152;
    b.options.pid = 4711;
    net_peer(&b.net, CONTROLLER, AGENT, 1);
    play_with(&b,
              "hello listens\n"
              "> get_nodes g1\n"
              "? get_nodes_request 1 'g1'\n"
              "= 1 done\n"
              "< get_nodes_response 'g1' [T nodes: {'a1' RUNNING AGENT NONE 4711 '2152/tcp' -}]\n"
              "drop\n"
              "hello listens\n");
}
END_TEST

/* An attempt every second, until somebody listens. */
START_TEST(retries)
{
    struct bench b;

    begin(&b);
    b.net.nodes[CONTROLLER].listens = false;
    start(&b);
    play(&b, "+ 2500\n");
    b.net.nodes[CONTROLLER].listens = true;
    play(&b, "+ 499\n");
    play(&b, "+ 1\n"
             "hello\n");
    end(&b);
}
END_TEST

/* Everybody who comes is greeted; all hear it. */
START_TEST(greets_everybody)
{
    struct bench b;
    size_t other;

    begin(&b);
    start(&b);
    play(&b, "hello\n");
    other = net_add(&b.net, NULL);
    net_subscribe(&b.net, other, "zeek/supervisor");
    net_peer(&b.net, other, AGENT, 0);
    settle(&b);
    play(&b, "hello\n");
    end(&b);
}
END_TEST

static int make(struct bench *b, leat_zeek_agent_options *options)
{
    int status = leat_zeek_agent_new(NULL, options, net_broker(&b->net, AGENT), &b->agent);

    if (status == LEAT_OK)
        leat_zeek_agent_free(b->agent);
    b->agent = NULL;
    return status;
}

/* What is refused leaves no subscription. */
static void refused(struct bench *b, leat_zeek_agent_options *options, int status)
{
    ck_assert_int_eq(make(b, options), status);
    ck_assert_int_eq(leat_broker_unsubscribe(net_broker(&b->net, AGENT), TOPIC, strlen(TOPIC)),
                     LEAT_E_STATE);
}

START_TEST(options)
{
    struct {
        leat_zeek_agent_options known;
        uint64_t unknown;
    } later;
    char name[257], *prefix = malloc(65536);
    leat_zeek_agent_options good, o;
    struct bench b;

    ck_assert_ptr_nonnull(prefix);
    leat_zeek_agent_options_init(&o, sizeof o);
    ck_assert_uint_eq(o.size, sizeof o);
    ck_assert_str_eq(o.controller_address, "127.0.0.1");
    ck_assert_uint_eq(o.controller_port, 2150);
    ck_assert_uint_eq(o.listen_port, 2151);
    ck_assert_uint_eq(o.retry_s, 1);
    ck_assert_uint_eq(o.timeout_ms, 5000);
    ck_assert_uint_eq(o.requests, 64);
    ck_assert_uint_eq(o.nodes, 4096);
    ck_assert_int_eq(o.pid, -1);
    begin(&b);
    refused(&b, &o, LEAT_E_VALUE);
    refused(&b, NULL, LEAT_E_VALUE);
    o.name = "a1";
    good = o;
    o.size = 0;
    refused(&b, &o, LEAT_E_VALUE);
    o = good;
    o.name = "";
    refused(&b, &o, LEAT_E_VALUE);
    o = good;
    o.controller_port = 0;
    refused(&b, &o, LEAT_E_VALUE);
    o.controller_port = 65536;
    refused(&b, &o, LEAT_E_VALUE);
    o = good;
    o.controller_address = "";
    refused(&b, &o, LEAT_E_VALUE);
    o = good;
    o.listen_port = 65536;
    refused(&b, &o, LEAT_E_VALUE);
    o.listen_port = 65535;
    ck_assert_int_eq(make(&b, &o), LEAT_OK);
    ck_assert_int_eq(leat_broker_unsubscribe(net_broker(&b.net, AGENT), TOPIC, strlen(TOPIC)),
                     LEAT_OK);
    o = good;
    o.topic_prefix = NULL;
    refused(&b, &o, LEAT_E_VALUE);
    o.topic_prefix = prefix;
    memset(prefix, 'p', 65535);
    prefix[65533] = '\0';
    refused(&b, &o, LEAT_E_VALUE);
    prefix[65532] = '\0';
    ck_assert_int_eq(make(&b, &o), LEAT_E_LIMIT); /* that of all topics in a handshake */
    o = good;
    memset(name, 'n', sizeof name);
    o.name = name;
    name[256] = '\0';
    refused(&b, &o, LEAT_E_VALUE);
    name[255] = '\0';
    ck_assert_int_eq(make(&b, &o), LEAT_OK);
    leat_zeek_agent_options_init(&later.known, sizeof later);
    later.known.name = "a1";
    ck_assert_int_eq(make(&b, &later.known), LEAT_OK);
    (void)leat_broker_unsubscribe(net_broker(&b.net, AGENT), TOPIC, strlen(TOPIC));
    ck_assert_int_eq(leat_broker_shutdown(net_broker(&b.net, AGENT)), LEAT_OK);
    refused(&b, &good, LEAT_E_STATE);
    leat_zeek_agent_free(NULL);
    net_free(&b.net);
    t_free(b.said);
    t_free(b.told);
    free(prefix);
}
END_TEST

/* ----- requests that cannot be read ----- */

static void say_raw(struct bench *b, const char *text)
{
    leat_builder *builder;
    struct t_bytes json = t_copy(text, strlen(text));
    size_t i;

    for (i = 0; i < json.length; i++)
        json.data[i] = json.data[i] == '\'' ? '"' : json.data[i];
    ck_assert_int_eq(leat_builder_new(NULL, &builder), LEAT_OK);
    ck_assert_int_eq(leat_broker_json_read(builder, NULL, (const char *)json.data, json.length),
                     LEAT_OK);
    publish(b, TOPIC, leat_builder_value(builder));
    leat_builder_free(builder);
    t_free(json);
}

#define COUNT1     "{'@data-type':'count','data':1}"
#define VECTOR(of) "{'@data-type':'vector','data':[" of "]}"
#define TEXT(of)   "{'@data-type':'string','data':'" of "'}"
#define SET        "{'@data-type':'set','data':[]}"
#define EVENT(name, args)                                                                          \
    VECTOR(COUNT1 "," COUNT1 "," VECTOR(TEXT("Management::Agent::API::" name) "," VECTOR(args)))

static const struct {
    const char *name;
    const char *message;
    const char *told; /* what is told behind the name of the event */
} malformed[] = {
    {"agent_welcome_request", EVENT("agent_welcome_request", ""),
     "null null null null 'another number of arguments'"},
    {"agent_welcome_request", EVENT("agent_welcome_request", COUNT1),
     "'reqid' null null 'string' 'it is of another type'"},
    {"agent_standby_request", EVENT("agent_standby_request", TEXT("s1") "," TEXT("s2")),
     "null null null null 'another number of arguments'"},
    {"get_nodes_request", EVENT("get_nodes_request", VECTOR("")),
     "'reqid' null null 'string' 'it is of another type'"},
    {"restart_request", EVENT("restart_request", TEXT("r1")),
     "null null null null 'another number of arguments'"},
    {"restart_request", EVENT("restart_request", TEXT("r1") "," VECTOR("")),
     "'nodes' null null 'set of string' 'it is of another type'"},
    {"node_dispatch_request", EVENT("node_dispatch_request", TEXT("n1") "," TEXT("x") "," COUNT1),
     "'action' null null 'vector of string' 'it is of another type'"},
    {"deploy_request", EVENT("deploy_request", TEXT("d1") "," VECTOR(TEXT("c1"))),
     "null null null null 'another number of arguments'"},
    {"deploy_request",
     EVENT("deploy_request",
           TEXT("d1") "," VECTOR(COUNT1 "," SET "," SET) ",{'@data-type':'boolean','data':true}"),
     "'config' 'Management::Configuration' 'id' 'string' 'it is of another type'"},
};

START_TEST(most_requests)
{
    static const char script[] = "up\n"
                                 "> welcome r1\n"
                                 "? agent_welcome_request 2 'r1'\n"
                                 "> get_nodes r2\n"
                                 "? get_nodes_request 3 'r2'\n"
                                 "> get_nodes r3\n"
                                 "< get_nodes_response 'r3' [F nodes: 'too many requests']\n"
                                 "> welcome r4\n"
                                 "< agent_welcome_response 'r4' [F 'too many requests']\n"
                                 "> standby r5\n"
                                 "< agent_standby_response 'r5' [F 'too many requests']\n"
                                 "> deploy r6 c2 F\n"
                                 "< deploy_response 'r6' [F 'too many requests']\n"
                                 "> dispatch r7 x -\n"
                                 "< node_dispatch_response 'r7' [F 'too many requests']\n"
                                 "> restart r8 -\n"
                                 "< restart_response 'r8' [F 'too many requests']\n"
                                 "> dispatch r9 x other\n"
                                 "< node_dispatch_response 'r9'\n"
                                 "> deploy r10 c1 F\n"
                                 "< deploy_response 'r10' [T]\n"
                                 "= 3 {'success':false}\n"
                                 "< get_nodes_response 'r2' [F nodes:]\n"
                                 "> restart r11 -\n"
                                 "? restart_request 4 'r11' [] own:logger,w1\n"
                                 "change logger RUNNING PENDING\n"
                                 "change w1 RUNNING PENDING\n";
    struct bench b;
    size_t bad, calls = 0;

    /* First as it is, then with each allocation failing. */
    for (bad = 0; bad <= calls; bad++) {
        begin(&b);
        b.options.requests = 2;
        b.gates.bad = bad;
        start(&b);
        play(&b, script);
        calls = b.gates.calls;
        end(&b);
    }
}
END_TEST

/* Those that wait beside another one count, too. */
START_TEST(most_requests_of_one_deployment)
{
    struct bench b;

    begin(&b);
    b.options.requests = 3;
    play_with(&b, "hello\n"
                  "> deploy d1 c1 F\n"
                  "? deploy_request 1 'd1' 'c1' false own:\n"
                  "> deploy d2 c1 F\n"
                  "> deploy d3 c1 F\n"
                  "> deploy d4 c1 F\n"
                  "< deploy_response 'd4' [F 'too many requests']\n"
                  "> welcome w1\n"
                  "< agent_welcome_response 'w1' [F 'too many requests']\n"
                  "= 1 done\n"
                  "< deploy_response 'd1' [T]\n"
                  "< deploy_response 'd3' [T]\n"
                  "< deploy_response 'd2' [T]\n"
                  "> welcome w2\n"
                  "? agent_welcome_request 2 'w2'\n"
                  "> welcome w3\n"
                  "? agent_welcome_request 3 'w3'\n"
                  "> welcome w4\n"
                  "? agent_welcome_request 4 'w4'\n");
}
END_TEST

/* Each Result repeats the reqid. */
START_TEST(longest_request_id)
{
    char reqid[1026], line[1100], wanted[1100];
    struct bench b;

    begin(&b);
    start(&b);
    play(&b, "hello\n");
    memset(reqid, 'r', 1025);
    reqid[1025] = '\0';
    (void)snprintf(line, sizeof line, "deploy %s c1 F w1@a1", reqid);
    request(&b, TOPIC, line);
    drain(&b);
    (void)snprintf(wanted, sizeof wanted, "deploy_response \"%s\" [F \"request id too long\"]",
                   reqid);
    expect(&b.said, &b.said_at, wanted, "says");
    (void)snprintf(line, sizeof line, "welcome %s", reqid + 1);
    request(&b, TOPIC, line);
    drain(&b);
    (void)snprintf(wanted, sizeof wanted, "agent_welcome_request 1 \"%s\"", reqid + 1);
    expect(&b.told, &b.told_at, wanted, "tells");
    play(&b, "");
    end(&b);
}
END_TEST

/* Of a long id, so that a refusal needs memory of its own. */
START_TEST(no_requests)
{
    char reqid[601], script[2000];
    struct bench b;
    size_t bad, calls = 0;

    memset(reqid, 'r', sizeof reqid - 1);
    reqid[sizeof reqid - 1] = '\0';
    (void)snprintf(script, sizeof script,
                   "hello\n"
                   "> welcome %s\n"
                   "< agent_welcome_response '%s' [F 'too many requests']\n"
                   "> restart r2 -\n"
                   "< restart_response 'r2'\n",
                   reqid, reqid);
    for (bad = 0; bad <= calls; bad++) {
        begin(&b);
        b.options.requests = 0;
        b.gates.bad = bad;
        start(&b);
        play(&b, script);
        calls = b.gates.calls;
        end(&b);
    }
}
END_TEST

/* Of a caller that does not ask, no more waits either. */
START_TEST(requests_that_are_not_told)
{
    struct bench b;
    char line[20];
    unsigned i;

    begin(&b);
    b.options.requests = 3;
    start(&b);
    for (i = 1; i <= 8; i++) {
        (void)snprintf(line, sizeof line, "welcome r%u", i);
        request(&b, TOPIC, line);
        if (i == 4)
            net_advance(&b.net, 5000);
    }
    drain(&b);
    play(&b, "hello\n"
             "? agent_welcome_request 1 'r1'\n"
             "? agent_welcome_request 2 'r2'\n"
             "? agent_welcome_request 3 'r3'\n"
             "< agent_welcome_response 'r4' [F 'too many requests']\n"
             "? timed_out 1 'Management::Agent::API::agent_welcome_request'\n"
             "? timed_out 2 'Management::Agent::API::agent_welcome_request'\n"
             "? timed_out 3 'Management::Agent::API::agent_welcome_request'\n"
             "< agent_welcome_response 'r5' [F 'too many requests']\n"
             "< agent_welcome_response 'r6' [F 'too many requests']\n"
             "< agent_welcome_response 'r7' [F 'too many requests']\n"
             "< agent_welcome_response 'r8' [F 'too many requests']\n"
             "> welcome r9\n"
             "? agent_welcome_request 4 'r9'\n");
    end(&b);
}
END_TEST

/* What is malformed takes no room from requests. */
START_TEST(requests_beside_malformed_ones)
{
    struct bench b;

    begin(&b);
    b.options.requests = 1;
    start(&b);
    say_raw(&b, malformed[0].message);
    say_raw(&b, malformed[0].message);
    request(&b, TOPIC, (char[]){"welcome w1"});
    drain(&b);
    b.told_at = b.told.length - strlen("agent_welcome_request 1 \"w1\"\n");
    play(&b, "hello\n"
             "? agent_welcome_request 1 'w1'\n");
    end(&b);
}
END_TEST

/* Changes that are owed of old nodes are said before there are new ones. */
START_TEST(owed_changes_before_a_deployment)
{
    struct bench b;
    size_t bad, owed = 0;
    int status;

    for (bad = 1; bad < 40; bad++) {
        begin(&b);
        start(&b);
        play(&b, "hello\n"
                 "> deploy d1 c1 F w1@a1 w2@a1\n"
                 "? deploy_request 1 'd1' 'c1' false own:w1,w2\n");
        b.timeless = true;
        b.gates.bad = b.gates.calls + bad;
        CALL(&b, status, leat_zeek_agent_done(b.agent, 1));
        ck_assert_int_eq(status, LEAT_OK);
        owed += leat_zeek_agent_deadline(b.agent) <= b.net.now_ms;
        play(&b, "> deploy d2 c2 F w1@a1\n"
                 "< deploy_response 'd1' [T w1] [T w2]\n"
                 "change w1 PENDING RUNNING\n"
                 "change w2 PENDING RUNNING\n"
                 "? deploy_request 2 'd2' 'c2' false own:w1\n");
        end(&b);
    }
    ck_assert_uint_gt(owed, 0);
}
END_TEST

START_TEST(most_nodes)
{
    struct bench b;

    begin(&b);
    b.options.nodes = 2;
    play_with(&b, "up\n"
                  "> deploy d2 c2 F w1@a1 w2@a1 w3@a1\n"
                  "< deploy_response 'd2' [F 'too many nodes']\n"
                  "> deploy d3 c1 F\n"
                  "< deploy_response 'd3' [T]\n"
                  "> deploy d4 c3 F w1@a1 w2@a1 w3@a2 w4@a2\n"
                  "? deploy_request 2 'd4' 'c3' false own:w1,w2\n");
}
END_TEST

START_TEST(malformed_requests)
{
    char line[300];
    struct bench b;

    begin(&b);
    start(&b);
    say_raw(&b, malformed[_i].message);
    ck_assert_int_eq(b.taken, LEAT_OK);
    drain(&b);
    (void)snprintf(line, sizeof line,
                   "hello\n"
                   "? malformed 'Management::Agent::API::%s' %s\n",
                   malformed[_i].name, malformed[_i].told);
    play(&b, line);
    ck_assert_uint_eq(leat_zeek_agent_deadline(b.agent), UINT64_MAX);
    end(&b);
}
END_TEST

START_TEST(malformed_requests_without_memory)
{
    struct bench b;
    size_t bad = 0, calls = SIZE_MAX;

    while (bad++ < calls) {
        begin(&b);
        b.gates.bad = bad;
        start(&b);
        say_raw(&b, malformed[0].message);
        drain(&b);
        ck_assert_uint_gt(b.told.length, 0);
        calls = b.gates.calls;
        end(&b);
    }
}
END_TEST

START_TEST(most_malformed_requests)
{
    const leat_event *event;
    struct bench b;
    unsigned i, told = 0;

    begin(&b);
    start(&b);
    for (i = 0; i < 70; i++)
        say_raw(&b, malformed[0].message);
    request(&b, TOPIC, (char[]){"welcome w1"});
    while (leat_zeek_agent_next(b.agent, &event) == LEAT_OK)
        told += leat_event_kind(event) == LEAT_ZEEK_MALFORMED;
    ck_assert_uint_eq(told, 64);
    say_raw(&b, malformed[0].message);
    ck_assert_int_eq(leat_zeek_agent_next(b.agent, &event), LEAT_OK);
    ck_assert_uint_eq(leat_event_kind(event), LEAT_ZEEK_MALFORMED);
    ck_assert_int_eq(leat_zeek_agent_next(b.agent, &event), LEAT_MORE);
    end(&b);
}
END_TEST

/* What is not for the agent. */
static const char *const foreign[] = {
    TEXT("no message"),
    VECTOR(COUNT1 "," COUNT1 "," VECTOR(TEXT("Some::event") "," VECTOR(""))),
    EVENT("deploy_response", TEXT("d1") "," VECTOR("")),
    EVENT("notify_agent_hello", ""),
    EVENT("no_such_event", ""),
    VECTOR(COUNT1 "," COUNT1 "," VECTOR(
        TEXT("Management::Controller::API::deploy_request") "," VECTOR(TEXT("d1")))),
};

START_TEST(foreign_events)
{
    struct bench b;

    begin(&b);
    start(&b);
    b.taken = LEAT_OK;
    say_raw(&b, foreign[_i]);
    ck_assert_int_eq(b.taken, LEAT_MORE);
    drain(&b);
    play(&b, "hello\n");
    end(&b);
}
END_TEST

/* ----- limits of the endpoint and of values ----- */

static void limit(struct bench *b, size_t which, uint64_t message_bytes, uint64_t values)
{
    leat_limits_init(&b->limits, sizeof b->limits);
    b->limits.message_bytes = message_bytes;
    b->limits.values = values;
    b->configs[which].limits = &b->limits;
}

static void begin_limited(struct bench *b, uint64_t message_bytes)
{
    size_t node;

    begin(b);
    limit(b, 1, message_bytes, 0);
    for (node = 0; node < 2; node++) {
        net_kill(&b->net, node);
        net_restart(&b->net, node, NULL);
    }
    net_subscribe(&b->net, CONTROLLER, LEAT_ZEEK_AGENT_TOPIC_PREFIX);
}

#define LONG                                                                                       \
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890"  \
    "123456789"
#define NODES "w1@a1 w2@a1 w3@a1 w4@a1 w5@a1 w6@a1 w7@a1 w8@a1"

START_TEST(responses_too_large)
{
    struct bench b;

    begin_limited(&b, 1000);
    start(&b);
    play(&b, "hello again\n"
             "> deploy " LONG " c1 F " NODES "\n"
             "? deploy_request 1 '" LONG "' 'c1' false own:w1,w2,w3,w4,w5,w6,w7,w8\n"
             "= 1 LEAT_E_LIMIT {}\n"
             "= 1 LEAT_E_LIMIT []\n"
             "= 1 LEAT_E_LIMIT {'success':false}\n"
             "+ 5000\n"
             "< deploy_response '" LONG "' [F 'request timed out']\n"
             "? timed_out 1 'Management::Agent::API::deploy_request'\n"
             "> restart " LONG " -\n"
             "? restart_request 2 '" LONG "' [] own:w1,w2,w3,w4,w5,w6,w7,w8\n"
             "> dispatch " LONG " x -\n"
             "< node_dispatch_response '" LONG "' [F 'over a limit']\n");
    ck_assert_int_eq(leat_zeek_agent_notify(b.agent, LEAT_ZEEK_AGENT_NOTIFY_LOG,
                                            LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG,
                                            1100, NULL, 0),
                     LEAT_E_LIMIT);
    end(&b);
}
END_TEST

/* With so many values a request can be read or not, and told or not. */
START_TEST(most_values)
{
    bool read = false, told = false;
    uint64_t values;
    struct bench b;

    for (values = 40; !told; values += 20) {
        begin(&b);
        limit(&b, 0, 0, values);
        start(&b);
        play(&b, "hello\n");
        request(&b, TOPIC, (char[]){"deploy d1 c1 F " NODES});
        drain(&b);
        t_append(&b.told, "", 1);
        if (strncmp((char *)b.told.data, "deploy_request", 14) == 0) {
            ck_assert(read);
            told = true;
        } else if (b.said_at < b.said.length) {
            read = true;
            play_line(&b, (char[]){"< deploy_response \"d1\" [F \"over a limit\"]"});
        } else {
            ck_assert(!read);
            ck_assert_str_eq((char *)b.told.data,
                             "malformed \"Management::Agent::API::deploy_request\" null null null "
                             "null \"over a limit\"\n");
        }
        end(&b);
    }
}
END_TEST

/* With so few that nothing can be told, or said, all goes on nevertheless. */
START_TEST(few_values)
{
    uint64_t values;
    struct bench b;

    for (values = 1; values < 40; values++) {
        begin(&b);
        limit(&b, 0, 0, values);
        start(&b);
        say_raw(&b, malformed[0].message);
        ck_assert_int_eq(b.taken, LEAT_OK);
        request(&b, TOPIC, (char[]){"deploy d1 c1 F w1@a1"});
        ck_assert_int_eq(b.taken, LEAT_OK);
        request(&b, TOPIC, (char[]){"get_nodes g1"});
        ck_assert_int_eq(b.taken, LEAT_OK);
        net_advance(&b.net, 5000);
        ck_assert_uint_eq(leat_zeek_agent_deadline(b.agent), UINT64_MAX);
        end(&b);
    }
}
END_TEST

/* ----- time, memory, loans ----- */

/* What comes before the time was ever told has all its time. */
START_TEST(no_time_yet)
{
    struct bench b;

    begin(&b);
    b.net.tick = NULL;
    b.net.deadline = NULL;
    ck_assert_int_eq(
        leat_zeek_agent_new(&b.configs[0], &b.options, net_broker(&b.net, AGENT), &b.agent),
        LEAT_OK);
    ck_assert_uint_eq(leat_zeek_agent_deadline(b.agent), UINT64_MAX);
    net_run(&b.net);
    b.timeless = true;
    request(&b, TOPIC, (char[]){"welcome w1"});
    ck_assert_uint_eq(leat_zeek_agent_deadline(b.agent), 0);
    leat_zeek_agent_tick(b.agent, 1000000);
    ck_assert_uint_eq(leat_zeek_agent_deadline(b.agent), 1005000);
    leat_zeek_agent_tick(b.agent, 1004999);
    drain(&b);
    play(&b, "hello\n"
             "? agent_welcome_request 1 'w1'\n");
    leat_zeek_agent_tick(b.agent, 1005000);
    drain(&b);
    play(&b, "? timed_out 1 'Management::Agent::API::agent_welcome_request'\n");
    end(&b);
}
END_TEST

START_TEST(no_time_limit)
{
    struct bench b;

    begin(&b);
    b.options.timeout_ms = UINT64_MAX;
    play_with(&b, "hello\n"
                  "> welcome w1\n"
                  "? agent_welcome_request 1 'w1'\n"
                  "deadline never\n"
                  "+ 100000\n"
                  "= 1 done\n"
                  "< agent_welcome_response 'w1' [T]\n");
}
END_TEST

START_TEST(short_time_limit)
{
    struct bench b;

    begin(&b);
    b.options.timeout_ms = 7;
    play_with(&b, "hello\n"
                  "> deploy d1 c1 F\n"
                  "? deploy_request 1 'd1' 'c1' false own:\n"
                  "deadline 7\n"
                  "+ 6\n"
                  "+ 1\n"
                  "< deploy_response 'd1' [F 'request timed out']\n"
                  "? timed_out 1 'Management::Agent::API::deploy_request'\n");
}
END_TEST

/* What next lent stays until the next call of it, whatever happens meanwhile. */
START_TEST(loans)
{
    const leat_event *event;
    struct bench b;
    size_t length;

    begin(&b);
    start(&b);
    request(&b, TOPIC, (char[]){"deploy d1 c1 F w1@a1"});
    ck_assert_int_eq(leat_zeek_agent_next(b.agent, &event), LEAT_OK);
    ck_assert_uint_eq(leat_event_kind(event), LEAT_ZEEK_AGENT_DEPLOY_REQUEST);
    ck_assert_str_eq(leat_event_name(event, NULL), "Management::Agent::API::deploy_request");
    (void)leat_event_name(event, &length);
    ck_assert_uint_eq(length, strlen("Management::Agent::API::deploy_request"));
    ck_assert_ptr_null(leat_event_error(event));
    request(&b, TOPIC, (char[]){"deploy d2 c2 F w2@a1"});
    ck_assert_int_eq(leat_zeek_agent_answer(b.agent, 1, NULL), LEAT_E_VALUE);
    ck_assert_int_eq(
        leat_zeek_agent_answer(b.agent,
                               leat_value_u64(leat_value_get(leat_event_value(event), "request")),
                               leat_value_get(leat_event_value(event), "none")),
        LEAT_E_VALUE);
    ck_assert_int_eq(leat_zeek_agent_done(b.agent, 1), LEAT_OK);
    settle(&b);
    note(&b, event);
    drain(&b);
    play(&b, "hello\n"
             "? deploy_request 1 'd1' 'c1' false own:w1\n"
             "? deploy_request 2 'd2' 'c2' false own:w2\n"
             "< deploy_response 'd1' [T w1]\n");
    end(&b);
}
END_TEST

/* A large configuration is given back when it is no longer needed. */
START_TEST(memory_of_large_configurations)
{
    struct t_bytes line = t_copy("deploy d1 c1 F", 14);
    struct bench b;
    char node[40];
    size_t idle, i;

    begin(&b);
    start(&b);
    play(&b, "hello\n");
    idle = leat_zeek_agent_memory(b.agent);
    ck_assert_uint_lt(idle, 16384);
    for (i = 0; i < 4096; i++) {
        (void)snprintf(node, sizeof node, " w%zu@%s", i, i % 2 == 0 ? "a1" : "a2");
        put(&line, node);
    }
    t_append(&line, "", 1);
    request(&b, TOPIC, (char *)line.data);
    ck_assert_uint_gt(leat_zeek_agent_memory(b.agent), 1000000);
    drain(&b);
    request(&b, TOPIC, (char[]){"deploy d2 c2 F"});
    drain(&b);
    ck_assert_int_eq(leat_zeek_agent_done(b.agent, 1), LEAT_OK);
    ck_assert_int_eq(leat_zeek_agent_done(b.agent, 2), LEAT_OK);
    drain(&b);
    ck_assert_uint_lt(leat_zeek_agent_memory(b.agent), 400000);
    end(&b);
    t_free(line);
}
END_TEST

/* It may be gone at any time. */
START_TEST(freed_while_requests_wait)
{
    struct bench b;

    begin(&b);
    start(&b);
    request(&b, TOPIC, (char[]){"deploy d1 c1 F w1@a1"});
    request(&b, TOPIC, (char[]){"deploy d2 c1 F w1@a1"});
    request(&b, TOPIC, (char[]){"welcome w1"});
    say_raw(&b, malformed[0].message);
    end(&b);
}
END_TEST

START_TEST(other_notifications)
{
    struct bench b;
    uint32_t kind;

    begin(&b);
    start(&b);
    for (kind = 0; kind < 80; kind++) {
        if (kind != LEAT_ZEEK_AGENT_NOTIFY_ERROR && kind != LEAT_ZEEK_AGENT_NOTIFY_LOG)
            ck_assert_int_eq(leat_zeek_agent_notify(b.agent, kind, "x", 1, NULL, 0), LEAT_E_VALUE);
    }
    play(&b, "hello\n");
    end(&b);
}
END_TEST

static void tests(TCase *tc)
{
    int count = (int)(sizeof cases / sizeof *cases);

    tcase_add_loop_test(tc, scripts, 0, count);
    tcase_add_loop_test(tc, scripts_without_memory, 0, count);
    tcase_add_test(tc, controller_connects);
    tcase_add_test(tc, retries);
    tcase_add_test(tc, greets_everybody);
    tcase_add_test(tc, options);
    tcase_add_test(tc, most_requests);
    tcase_add_test(tc, most_requests_of_one_deployment);
    tcase_add_test(tc, longest_request_id);
    tcase_add_test(tc, no_requests);
    tcase_add_test(tc, requests_that_are_not_told);
    tcase_add_test(tc, requests_beside_malformed_ones);
    tcase_add_test(tc, owed_changes_before_a_deployment);
    tcase_add_test(tc, most_nodes);
    tcase_add_loop_test(tc, malformed_requests, 0, (int)(sizeof malformed / sizeof *malformed));
    tcase_add_test(tc, malformed_requests_without_memory);
    tcase_add_test(tc, most_malformed_requests);
    tcase_add_loop_test(tc, foreign_events, 0, (int)(sizeof foreign / sizeof *foreign));
    tcase_add_test(tc, responses_too_large);
    tcase_add_test(tc, most_values);
    tcase_add_test(tc, few_values);
    tcase_add_test(tc, no_time_yet);
    tcase_add_test(tc, no_time_limit);
    tcase_add_test(tc, short_time_limit);
    tcase_add_test(tc, loans);
    tcase_add_test(tc, memory_of_large_configurations);
    tcase_add_test(tc, freed_while_requests_wait);
    tcase_add_test(tc, other_notifications);
}

T_MAIN("zeek/agent", tests)
