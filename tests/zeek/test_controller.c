/*
 * Controllers through the public API: scripts of what agents and clients say, of time that passes and of
 * connections that break, and all that agents, clients and the caller get to hear then. Each runs once
 * as it is, and again with every allocation of the controller failing in turn: all the same is said and
 * told then.
 */
#include "net.h"
#include "scripts.h"

#include <leat/zeek_controller.h>
#include <stdio.h>

#define CONTROLLER 0u
#define CLIENT     1u
#define AGENT      2u /* a1; a2 and a3 behind it */
#define NODES      5u
#define START_MS   1000u
#define KINDS      64u

struct lines {
    char **list;
    size_t count;
};

struct bench {
    struct net net;
    struct gates gates; /* of the controller, of the endpoints */
    leat_config configs[2];
    leat_limits limits, broker_limits;
    leat_zeek_controller_options options;
    leat_zeek_controller *controller;
    bool quiet; /* the caller does not ask what is told */
    const char *name;
    struct lines said;      /* "a1 agent_welcome_request", "c ...", "t ...": to whom, what */
    struct lines responses; /* what the controller has told of these */
    size_t requests, requests_told;
    char *reqids[NODES][KINDS][2]; /* of what agents heard last, and before that */
};

/* ----- memory ----- */

static void leave(struct bench *b)
{
    b->gates.inside = false;
    if (b->controller != NULL)
        ck_assert_uint_eq(leat_zeek_controller_memory(b->controller), b->gates.of[0].held);
}

/* ----- texts ----- */

/* A JSON string without its quotes: of addresses. */
static void put_unquoted(struct t_bytes *bytes, const leat_value *value)
{
    char *text = t_json_text(value);

    t_append(bytes, text + 1, strlen(text) - 2);
    free(text);
}

static const leat_value *get(const leat_value *value, const char *name)
{
    return leat_value_get(value, name);
}

static bool is(const leat_value *value, const char *name)
{
    size_t length;
    const char *text = leat_value_name(value, &length);

    return length == strlen(name) && memcmp(text, name, length) == 0;
}

/* "a1@10.0.0.3:2151" */
static void put_instance(struct t_bytes *bytes, const leat_value *name, const leat_value *value)
{
    char port[16];

    put_plain(bytes, name);
    put(bytes, "@");
    put_unquoted(bytes, get(value, "host"));
    (void)snprintf(port, sizeof port, ":%u", leat_value_port(get(value, "listen_port")));
    put(bytes, leat_value_kind(get(value, "listen_port")) == LEAT_PORT ? port : "");
}

static void put_instances(struct t_bytes *bytes, const leat_value *list)
{
    const leat_value *at;

    for (at = leat_value_first(list); at != NULL; at = leat_value_next(list, at)) {
        put(bytes, at == leat_value_first(list) ? "" : ",");
        put_instance(bytes, get(at, "name"), at);
    }
    put(bytes, leat_value_count(list) == 0 ? "-" : "");
}

/* "id1 a1@10.0.0.3 logger@a1:2200/9000" */
static void put_config(struct t_bytes *bytes, const leat_value *config)
{
    const leat_value *nodes = get(config, "nodes"), *at;
    char ports[24];

    put_plain(bytes, get(config, "id"));
    put(bytes, " ");
    put_instances(bytes, get(config, "instances"));
    for (at = leat_value_first(nodes); at != NULL; at = leat_value_next(nodes, at)) {
        put(bytes, at == leat_value_first(nodes) ? " " : ",");
        put_plain(bytes, get(at, "name"));
        put(bytes, "@");
        put_plain(bytes, get(at, "instance"));
        (void)snprintf(ports, sizeof ports, ":%u/%u", leat_value_port(get(at, "p")),
                       leat_value_port(get(at, "metrics_port")));
        put(bytes, leat_value_port(get(at, "metrics_port")) == 0 ? "" : ports);
    }
}

static void put_data(struct t_bytes *bytes, const leat_value *data)
{
    const leat_value *at;

    if (leat_value_kind(data) == LEAT_RECORD) {
        put_config(bytes, data);
    } else if (leat_value_kind(data) == LEAT_LIST && get(leat_value_first(data), "host") != NULL) {
        put_instances(bytes, data);
    } else if (leat_value_kind(data) == LEAT_LIST) {
        put(bytes, "{");
        for (at = leat_value_first(data); at != NULL; at = leat_value_next(data, at))
            put_plain(bytes, get(at, "node"));
        put(bytes, "}");
    } else {
        put_value(bytes, data);
    }
}

/* " [T a1 logger "data" "error"]"; with ! the reqid is that of the event. */
static void put_result(struct t_bytes *bytes, const leat_value *result, const leat_value *reqid)
{
    static const char *const fields[] = {"instance", "node", "data", "error"};
    size_t i;

    put(bytes, leat_value_bool(get(result, "success")) ? " [T" : " [F");
    put(bytes, leat_value_equal(get(result, "reqid"), reqid) ? "!" : "");
    for (i = 0; i < 4; i++) {
        const leat_value *field = get(result, fields[i]);

        if (leat_value_kind(field) == LEAT_NULL)
            continue;
        put(bytes, " ");
        if (i == 2)
            put_data(bytes, field);
        else if (i == 3)
            put_value(bytes, field);
        else
            put_plain(bytes, field);
    }
    put(bytes, "]");
}

static void put_argument(struct t_bytes *bytes, const leat_value *args, const leat_value *arg)
{
    const leat_value *at;

    if (is(arg, "result")) {
        put_result(bytes, arg, get(args, "reqid"));
    } else if (is(arg, "results")) {
        for (at = leat_value_first(arg); at != NULL; at = leat_value_next(arg, at))
            put_result(bytes, at, get(args, "reqid"));
    } else {
        put(bytes, " ");
        if (is(arg, "config") || is(arg, "configuration"))
            put_config(bytes, arg);
        else if (is(arg, "reqid") || is(arg, "what"))
            put_plain(bytes, arg);
        else
            put_value(bytes, arg);
    }
}

/* ----- what is said ----- */

static void add_line(struct lines *lines, struct t_bytes text)
{
    lines->list = realloc(lines->list, (lines->count + 1) * sizeof *lines->list);
    ck_assert_ptr_nonnull(lines->list);
    t_append(&text, "", 1);
    lines->list[lines->count++] = (char *)text.data;
}

static void drop_line(struct lines *lines, size_t i)
{
    free(lines->list[i]);
    lines->count--;
    memmove(lines->list + i, lines->list + i + 1, (lines->count - i) * sizeof *lines->list);
}

static void free_lines(struct lines *lines)
{
    while (lines->count > 0)
        drop_line(lines, lines->count - 1);
    free(lines->list);
    lines->list = NULL;
}

static char *copied(const char *text)
{
    return (char *)t_copy(text, strlen(text) + 1).data;
}

static const char *short_name(const char *name)
{
    const char *colon = strrchr(name, ':');

    return colon == NULL ? name : colon + 1;
}

static void put_event(struct t_bytes *line, uint32_t kind, const leat_value *args, bool with_reqid)
{
    const leat_value *arg;

    put(line, short_name(leat_zeek_management_name(kind)));
    for (arg = leat_value_first(args); arg != NULL; arg = leat_value_next(args, arg)) {
        if (with_reqid || !is(arg, "reqid"))
            put_argument(line, args, arg);
    }
}

static void remember(struct bench *b, size_t node, uint32_t kind, const leat_value *reqid)
{
    char **place = b->reqids[node][kind];
    size_t length;
    const char *text = leat_value_text(reqid, &length);

    free(place[1]);
    place[1] = place[0];
    place[0] = calloc(1, length + 1);
    ck_assert_ptr_nonnull(place[0]);
    memcpy(place[0], text, length);
}

/* What an agent or the client hears. */
static void hear(struct bench *b, size_t node, const leat_event *event)
{
    static const char *const names[NODES] = {"", "c ", "a1 ", "a2 ", "a3 "};
    struct t_bytes line = t_copy(names[node], strlen(names[node]));
    leat_zeek_message message;
    leat_builder *builder;
    const leat_value *args;
    uint32_t kind;

    leat_zeek_message_init(&message, sizeof message);
    ck_assert_int_eq(leat_zeek_read(get(leat_event_value(event), "data"), &message), LEAT_OK);
    kind = leat_zeek_management_kind(&message);
    ck_assert_int_eq(leat_builder_new(NULL, &builder), LEAT_OK);
    ck_assert_int_eq(leat_zeek_management_read(builder, NULL, &message, NULL), LEAT_OK);
    args = leat_builder_value(builder);
    if (node >= AGENT)
        remember(b, node, kind, get(args, "reqid"));
    put_event(&line, kind, args, node == CLIENT);
    add_line(&b->said, line);
    leat_builder_free(builder);
}

static bool is_response(uint32_t kind)
{
    return kind >= 17 && kind <= 32 && kind % 2 == 0;
}

/* What the controller tells: responses and requests apart, which the client and the script know. */
static void note(struct bench *b, const leat_event *event)
{
    const leat_value *value = leat_event_value(event), *arg;
    uint32_t kind = leat_event_kind(event);
    const char *name = leat_event_name(event, NULL);
    struct t_bytes line = t_copy("t ", 2);

    if (kind >= 17 && kind <= 32) {
        ck_assert_str_eq(name, leat_zeek_management_name(kind));
        if (!is_response(kind)) {
            b->requests_told++;
            t_free(line);
            return;
        }
        line.length = 0;
        put(&line, "c ");
        put_event(&line, kind, value, true);
        add_line(&b->responses, line);
        return;
    }
    put(&line, short_name(name));
    if (kind == LEAT_ZEEK_INSTANCE) {
        put(&line, " ");
        put_plain(&line, get(value, "what"));
        put(&line, " ");
        put_instance(&line, get(value, "instance"), value);
        put(&line, leat_value_kind(get(value, "id")) == LEAT_UUID ? " id" : "");
    } else {
        for (arg = leat_value_first(value); arg != NULL; arg = leat_value_next(value, arg)) {
            if (leat_value_kind(arg) != LEAT_NULL)
                put_argument(&line, value, arg);
        }
    }
    add_line(&b->said, line);
}

static void drain(struct bench *b)
{
    const leat_event *event;

    while (leat_zeek_controller_next(b->controller, &event) == LEAT_OK)
        note(b, event);
}

/* ----- what happens ----- */

static void on_event(void *context, size_t node, leat_session *session, const leat_event *event)
{
    struct bench *b = (struct bench *)context;
    int status;

    (void)session;
    if (node == CONTROLLER)
        CALL(b, status, leat_zeek_controller_take(b->controller, event));
    else if (leat_event_kind(event) == LEAT_BROKER_DATA)
        hear(b, node, event);
}

static uint64_t on_deadline(void *context)
{
    return leat_zeek_controller_deadline(((struct bench *)context)->controller);
}

static void on_tick(void *context)
{
    struct bench *b = (struct bench *)context;

    do {
        b->gates.inside = true;
        leat_zeek_controller_tick(b->controller, b->net.now_ms);
        leave(b);
    } while (leat_zeek_controller_deadline(b->controller) <= b->net.now_ms);
}

/* Lets all arrive, and what the controller owes be said. */
static void settle(struct bench *b)
{
    net_run(&b->net);
    on_tick(b);
    net_run(&b->net);
    if (!b->quiet)
        drain(b);
}

/* ----- a bench ----- */

static void own_topic(size_t node, char topic[64])
{
    (void)snprintf(topic, 64, "%s/a%zu", LEAT_ZEEK_AGENT_TOPIC_PREFIX, node - AGENT + 1);
}

static void begin(struct bench *b)
{
    leat_broker_options forwards;
    char topic[64];
    size_t i;

    memset(b, 0, sizeof *b);
    gates_init(&b->gates);
    for (i = 0; i < 2; i++) {
        leat_config_init(&b->configs[i], sizeof b->configs[i]);
        b->configs[i].allocator = &b->gates.of[i].allocator;
    }
    leat_limits_init(&b->limits, sizeof b->limits);
    leat_limits_init(&b->broker_limits, sizeof b->broker_limits);
    leat_zeek_controller_options_init(&b->options, sizeof b->options);
    net_init(&b->net);
    b->net.config = &b->configs[1];
    b->net.event = on_event;
    b->net.deadline = on_deadline;
    b->net.tick = on_tick;
    b->net.context = b;
    b->net.quiet = b->net.internet = true;
    b->net.now_ms = START_MS;
    leat_broker_options_init(&forwards, sizeof forwards);
    forwards.forwarding = 1;
    for (i = 0; i < NODES; i++)
        (void)net_add(&b->net, i == CLIENT ? &forwards : NULL);
    net_subscribe(&b->net, CLIENT, LEAT_ZEEK_CONTROLLER_TOPIC);
    for (i = AGENT; i < NODES; i++) {
        own_topic(i, topic);
        net_subscribe(&b->net, i, topic);
    }
}

/* Once the options are as they should be. */
static void start(struct bench *b)
{
    int status;

    if (b->controller != NULL)
        return;
    CALL(b, status,
         leat_zeek_controller_new(&b->configs[0], &b->options, net_broker(&b->net, CONTROLLER),
                                  &b->controller));
    ck_assert_int_eq(status, LEAT_OK);
    net_peer(&b->net, CLIENT, CONTROLLER, 1);
    settle(b);
}

static void end(struct bench *b)
{
    size_t i, k;

    leat_zeek_controller_free(b->controller);
    ck_assert_uint_eq(b->gates.of[0].held, 0);
    b->controller = NULL;
    b->net.event = NULL;
    net_free(&b->net);
    ck_assert_uint_eq(b->gates.of[1].held, 0);
    for (i = 0; i < NODES; i++) {
        for (k = 0; k < KINDS; k++) {
            free(b->reqids[i][k][0]);
            free(b->reqids[i][k][1]);
        }
    }
    free_lines(&b->said);
    free_lines(&b->responses);
}

/* ----- scripts: parts of lines ----- */

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

/* The next word, or the other text. */
static char *word(char **line, const char *otherwise)
{
    static char none[64];
    char *found = part(line, " ");

    if (found != NULL)
        return found;
    ck_assert_uint_lt(strlen(otherwise), sizeof none);
    memcpy(none, otherwise, strlen(otherwise) + 1);
    return none;
}

static void put_string(struct t_bytes *json, const char *name, const char *text)
{
    put(json, json->data[json->length - 1] == '{' ? "\"" : ",\"");
    put(json, name);
    put(json, "\":\"");
    put(json, text);
    put(json, "\"");
}

/* Lists of words, "a,b", as JSON; "-": an empty one. */
static void put_list(struct t_bytes *json, const char *name, char *words)
{
    char *at;

    put(json, ",\"");
    put(json, name);
    put(json, "\":[");
    while (strcmp(words, "-") != 0 && (at = part(&words, ",")) != NULL) {
        put(json, json->data[json->length - 1] == '[' ? "\"" : ",\"");
        put(json, at);
        put(json, "\"");
    }
    put(json, "]");
}

/* "a1@10.0.0.3:2151,..." or "logger@a1:5000,...": records, whose ports are by that name. */
static void put_records(struct t_bytes *json, const char *name, char *words)
{
    bool nodes = strcmp(name, "nodes") == 0;
    char *at;

    put(json, ",\"");
    put(json, name);
    put(json, "\":[");
    while (strcmp(words, "-") != 0 && (at = part(&words, ",")) != NULL) {
        char *one = part(&at, "@"), *where = part(&at, ":");

        put(json, json->data[json->length - 1] == '[' ? "{" : ",{");
        put_string(json, "name", one);
        put_string(json, nodes ? "instance" : "host", where == NULL ? "0.0.0.0" : where);
        if (*at != '\0') {
            put_string(json, nodes ? "p" : "listen_port", at);
            json->length--;
            put(json, "/tcp\"");
        }
        if (nodes) {
            put_string(json, "role", *one == 'l' ? "Supervisor::LOGGER" : "Supervisor::WORKER");
            put_string(json, "state", LEAT_ZEEK_STATE_RUNNING);
        }
        put(json, "}");
    }
    put(json, "]");
}

/* "id1 a1@10.0.0.3,a2 logger@a1,worker@a2" */
static void put_staged(struct t_bytes *json, char *line)
{
    char none[] = "-", *words;

    put(json, "{");
    put_string(json, "id", word(&line, "id1"));
    words = part(&line, " ");
    put_records(json, "instances", words == NULL ? none : words);
    words = part(&line, " ");
    put_records(json, "nodes", words == NULL ? none : words);
    put(json, "}");
}

static void publish(struct bench *b, size_t node, const char *topic, uint32_t kind,
                    struct t_bytes *json)
{
    leat_builder *args = t_json((const char *)json->data, json->length), *event;
    leat_zeek_management_flaw flaw;
    int status;

    ck_assert_int_eq(leat_builder_new(NULL, &event), LEAT_OK);
    leat_zeek_management_flaw_init(&flaw, sizeof flaw);
    status = leat_zeek_management_write(event, NULL, kind, leat_builder_value(args), &flaw);
    ck_assert_msg(status == LEAT_OK, "%.*s: %s", (int)json->length, (const char *)json->data,
                  flaw.what);
    ck_assert_int_eq(leat_broker_publish(net_broker(&b->net, node), topic, strlen(topic),
                                         leat_builder_value(event)),
                     LEAT_OK);
    leat_builder_free(event);
    leat_builder_free(args);
}

/* ----- scripts: the client, and the caller ----- */

static uint32_t kind_of(const char *module, const char *name, const char *ending)
{
    char full[120];
    uint32_t kind;

    (void)snprintf(full, sizeof full, "Management::%s::API::%s%s", module, name, ending);
    kind = leat_zeek_management_find(full, strlen(full));
    ck_assert_msg(kind != 0, "%s", full);
    return kind;
}

/* "get_nodes r1", "stage s1 id1 a1@10.0.0.3 logger@a1", "id r1 X::y logger,worker", ... */
static uint32_t put_request(struct t_bytes *json, char *line)
{
    char none[] = "-", *words;
    const char *what = word(&line, ""), *name = what;

    put(json, "{");
    put_string(json, "reqid", word(&line, ""));
    if (strcmp(what, "stage") == 0) {
        name = "stage_configuration";
        put(json, ",\"config\":");
        put_staged(json, line);
    } else if (strcmp(what, "staged") == 0 || strcmp(what, "deployed") == 0) {
        name = "get_configuration";
        put(json, *what == 's' ? ",\"deployed\":false" : ",\"deployed\":true");
    } else if (strcmp(what, "timeout") == 0) {
        name = "test_timeout";
        put(json, *word(&line, "T") == 'T' ? ",\"with_state\":true" : ",\"with_state\":false");
    } else if (strcmp(what, "id") == 0) {
        name = "get_id_value";
        put_string(json, "id", word(&line, ""));
    }
    if (strcmp(what, "id") == 0 || strcmp(what, "restart") == 0) {
        words = part(&line, " ");
        put_list(json, "nodes", words == NULL ? none : words);
    }
    put(json, "}");
    return kind_of("Controller", name, "_request");
}

static void client(struct bench *b, char *line)
{
    struct t_bytes json = t_copy("", 0);
    uint32_t kind = put_request(&json, line);

    publish(b, CLIENT, LEAT_ZEEK_CONTROLLER_TOPIC, kind, &json);
    b->requests++;
    t_free(json);
}

static void own(struct bench *b, char *line)
{
    struct t_bytes json = t_copy("", 0);
    uint32_t kind = put_request(&json, line);
    leat_builder *args = t_json((const char *)json.data, json.length);
    int status;

    CALL(b, status,
         leat_zeek_controller_request(b->controller, kind, leat_builder_value(args), NULL));
    ck_assert_int_eq(status, LEAT_OK);
    b->requests++;
    leat_builder_free(args);
    t_free(json);
}

static void restore(struct bench *b, char *line)
{
    struct t_bytes json = t_copy("", 0);
    leat_builder *config;
    int status;

    put_staged(&json, line);
    config = t_json((const char *)json.data, json.length);
    CALL(b, status, leat_zeek_controller_restore(b->controller, leat_builder_value(config)));
    ck_assert_int_eq(status, LEAT_OK);
    leat_builder_free(config);
    t_free(json);
}

/* ----- scripts: agents ----- */

static size_t node_of(const char *name)
{
    return *name == 'c' ? CLIENT : AGENT + (size_t)(name[1] - '1');
}

static void put_id(struct bench *b, struct t_bytes *json, size_t node)
{
    char *hex = t_to_hex(leat_broker_node_id(net_broker(&b->net, node)), 16), text[40];

    (void)snprintf(text, sizeof text, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
                   hex + 20);
    put_string(json, "id", text);
    free(hex);
}

/* "a1 T 1 a1": its name, whether it connects, the version, whose id. */
static void hello(struct bench *b, size_t node, char *line)
{
    struct t_bytes json = t_copy("{", 1);
    char topic[64];

    own_topic(node, topic);
    put_string(&json, "instance", word(&line, topic + strlen(LEAT_ZEEK_AGENT_TOPIC_PREFIX) + 1));
    put(&json, *word(&line, "T") == 'T' ? ",\"connecting\":true" : ",\"connecting\":false");
    put(&json, ",\"api_version\":");
    put(&json, word(&line, "1"));
    put_id(b, &json, *line == '\0' ? node : node_of(line));
    put(&json, "}");
    publish(b, node, topic, LEAT_ZEEK_AGENT_NOTIFY_AGENT_HELLO, &json);
    t_free(json);
}

static const char *const short_kinds[][2] = {
    {"welcome", "agent_welcome"}, {"standby", "agent_standby"}, {"dispatch", "node_dispatch"}};

static const char *long_name(const char *name)
{
    size_t i;

    for (i = 0; i < sizeof short_kinds / sizeof *short_kinds; i++) {
        if (strcmp(name, short_kinds[i][0]) == 0)
            return short_kinds[i][1];
    }
    return name;
}

static void put_hex(struct t_bytes *json, const char *name, const char *digits)
{
    put(json, ",\"");
    put(json, name);
    put(json, "\":{\"hex\":\"");
    put(json, digits);
    put(json, "\"}");
}

/* "T/logger/data/error": a Result; what is empty is not set, "#ff" are octets. */
static void put_answer(struct t_bytes *json, size_t node, const char *reqid, char *text)
{
    static const char *const fields[] = {"node", "data", "error"};
    char instance[4];
    size_t i;

    (void)snprintf(instance, sizeof instance, "a%zu", node - AGENT + 1);
    put(json, "{");
    put_string(json, "reqid", reqid);
    put(json, *text == 'T' ? ",\"success\":true" : ",\"success\":false");
    put_string(json, "instance", instance);
    (void)part(&text, "/");
    for (i = 0; i < 3; i++) {
        const char *field = part(&text, "/");

        if (field != NULL && *field == '#')
            put_hex(json, fields[i], field + 1);
        else if (field != NULL && *field != '\0')
            put_string(json, fields[i], field);
    }
    put(json, "}");
}

/* The reqid of what the agent was asked last, "deploy", or before that, "deploy~". */
static const char *asked(struct bench *b, size_t node, char *what, uint32_t *kind)
{
    size_t length = strlen(what), which = what[length - 1] == '~';
    const char *reqid;

    what[length - which] = '\0';
    *kind = kind_of("Agent", long_name(what), "_request");
    reqid = b->reqids[node][*kind][which];
    ck_assert_msg(reqid != NULL, "a%zu was not asked %s", node - AGENT + 1, what);
    return reqid;
}

/*
 * "deploy T/logger F/worker//failed": answers what it was asked; on the topic of another, "deploy@a2"; by
 * another event, "deploy!restart"; with the reqid of another controller, "deploy!". "as a2 deploy": for
 * that agent.
 */
static void answer(struct bench *b, size_t node, char *what, char *line)
{
    const size_t sender = node;
    struct t_bytes json = t_copy("{", 1);
    char *whose = strchr(what, '@'), *other, topic[64], forged[64], *text;
    const char *reqid;
    uint32_t kind;
    bool one;

    if (strcmp(what, "as") == 0) {
        node = node_of(word(&line, ""));
        what = word(&line, "");
    }
    own_topic(whose == NULL ? node : node_of(whose + 1), topic);
    if (whose != NULL)
        *whose = '\0';
    other = strchr(what, '!');
    if (other != NULL)
        *other++ = '\0';
    reqid = asked(b, node, what, &kind);
    if (other != NULL && *other != '\0')
        kind = kind_of("Agent", long_name(other), "_request");
    (void)snprintf(forged, sizeof forged, "%s%s", other != NULL && *other == '\0' ? "f" : "",
                   reqid + (other != NULL && *other == '\0'));
    reqid = forged;
    one = kind == LEAT_ZEEK_AGENT_AGENT_WELCOME_REQUEST ||
          kind == LEAT_ZEEK_AGENT_AGENT_STANDBY_REQUEST ||
          kind == LEAT_ZEEK_AGENT_GET_NODES_REQUEST;
    put_string(&json, "reqid", reqid);
    put(&json, one ? ",\"result\":" : ",\"results\":[");
    while ((text = part(&line, " ")) != NULL) {
        put(&json, json.data[json.length - 1] == '}' ? "," : "");
        put_answer(&json, node, reqid, text);
    }
    if (kind == LEAT_ZEEK_AGENT_GET_NODES_REQUEST) {
        json.length--;
        put(&json, ",\"data\":[{\"node\":\"nodes\",\"state\":\"Management::RUNNING\"}]}");
    }
    put(&json, one ? "}" : "]}");
    publish(b, sender, topic, kind + 1, &json);
    t_free(json);
}

/* An event that has a number in the place of what it should have last: of an agent, or of the client. */
static void malformed(struct bench *b, size_t node, char *line)
{
    char topic[64], *what = word(&line, "");
    const char *reqid = "r", *name;
    leat_builder *event;
    uint32_t kind;

    own_topic(node == CLIENT ? AGENT : node, topic);
    if (node == CLIENT)
        (void)snprintf(topic, sizeof topic, "%s", LEAT_ZEEK_CONTROLLER_TOPIC);
    if (node == CLIENT)
        kind = kind_of("Controller", what, "_request");
    else if (strcmp(what, "hello") == 0)
        kind = LEAT_ZEEK_AGENT_NOTIFY_AGENT_HELLO;
    else
        reqid = asked(b, node, what, &kind);
    name = leat_zeek_management_name(
        node == CLIENT || kind == LEAT_ZEEK_AGENT_NOTIFY_AGENT_HELLO ? kind : kind + 1);
    ck_assert_int_eq(leat_builder_new(NULL, &event), LEAT_OK);
    (void)leat_zeek_event_open(event, NULL, name, strlen(name));
    (void)leat_builder_text(event, NULL, reqid, strlen(reqid));
    (void)leat_builder_i64(event, NULL, 42);
    ck_assert_int_eq(leat_zeek_event_close(event), LEAT_OK);
    ck_assert_int_eq(leat_broker_publish(net_broker(&b->net, node), topic, strlen(topic),
                                         leat_builder_value(event)),
                     LEAT_OK);
    leat_builder_free(event);
}

/* An event as JSON: "notify_log {...}". */
static void event(struct bench *b, size_t node, const char *what, const char *line)
{
    uint32_t kind = kind_of("Agent", what, "");
    struct t_bytes json = t_copy(line, strlen(line));
    char topic[64], *at;

    for (at = (char *)json.data; at < (char *)json.data + json.length; at++)
        *at = *at == '\'' ? '"' : *at;
    own_topic(node, topic);
    publish(b, node, topic, kind, &json);
    t_free(json);
}

static void agent(struct bench *b, size_t node, char *line)
{
    char *what = word(&line, ""), topic[64];

    own_topic(node, topic);
    if (strcmp(what, "up") == 0) {
        net_peer(&b->net, node, CONTROLLER, 0);
    } else if (strcmp(what, "via") == 0) {
        ck_assert_int_eq(leat_broker_forward(net_broker(&b->net, CLIENT),
                                             LEAT_ZEEK_AGENT_TOPIC_PREFIX,
                                             strlen(LEAT_ZEEK_AGENT_TOPIC_PREFIX)),
                         LEAT_OK);
        net_peer(&b->net, node, CLIENT, 0);
    } else if (strcmp(what, "down") == 0) {
        net_kill(&b->net, node);
    } else if (strcmp(what, "back") == 0) {
        net_restart(&b->net, node, NULL);
        net_subscribe(&b->net, node, topic);
        if (*line != 'F')
            net_peer(&b->net, node, CONTROLLER, 0);
    } else if (strcmp(what, "hello") == 0) {
        hello(b, node, line);
    } else if (strcmp(what, "bad") == 0) {
        malformed(b, node, line);
    } else if (strncmp(what, "notify_", 7) == 0) {
        event(b, node, what, line);
    } else {
        answer(b, node, what, line);
    }
}

/* ----- scripts: what was expected ----- */

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Puts the Results of a line in order. */
static void sort_results(char *line)
{
    char *parts[32], *at = strstr(line, " ["), *copy;
    size_t count = 0, i;

    if (at == NULL)
        return;
    copy = copied(at);
    for (i = 0; copy[i] != '\0'; i++) {
        if (copy[i] == ' ' && copy[i + 1] == '[') {
            ck_assert_uint_lt(count, 32);
            copy[i] = '\0';
            parts[count++] = copy + i + 1;
        }
    }
    qsort(parts, count, sizeof *parts, compare);
    for (i = 0; i < count; i++)
        at += sprintf(at, " %s", parts[i]);
    free(copy);
}

/* To each in the order in which it was said; if memory failed, that may be another one. */
static void put_in_order(struct bench *b, struct lines *lines)
{
    struct lines sorted = {NULL, 0};
    size_t i, k;

    if (b->gates.ever_failed) {
        for (i = 0; i < lines->count; i++)
            sort_results(lines->list[i]);
        if (lines->count > 0)
            qsort(lines->list, lines->count, sizeof *lines->list, compare);
        return;
    }
    for (; lines->count > 0; drop_line(lines, 0)) {
        struct t_bytes text = t_copy(lines->list[0], strlen(lines->list[0]));

        add_line(&sorted, text);
        for (k = sorted.count - 1; k > 0 && strncmp(sorted.list[k - 1], sorted.list[k], 2) > 0;
             k--) {
            char *moved = sorted.list[k];

            sorted.list[k] = sorted.list[k - 1];
            sorted.list[k - 1] = moved;
        }
    }
    free(lines->list);
    *lines = sorted;
}

static char *joined(const struct lines *lines)
{
    struct t_bytes text = t_copy("", 0);
    size_t i;

    for (i = 0; i < lines->count; i++) {
        put(&text, lines->list[i]);
        put(&text, "\n");
    }
    t_append(&text, "", 1);
    return (char *)text.data;
}

/* Every response that the client hears is told; what else is told is for the caller alone. */
static void match_responses(struct bench *b)
{
    size_t i, k;

    for (i = 0; i < b->said.count; i++) {
        if (strncmp(b->said.list[i], "c ", 2) != 0 || strstr(b->said.list[i], "_response") == NULL)
            continue;
        for (k = 0; k < b->responses.count && strcmp(b->said.list[i], b->responses.list[k]) != 0;)
            k++;
        ck_assert_msg(k < b->responses.count, "not told: %s", b->said.list[i]);
        drop_line(&b->responses, k);
    }
    while (b->responses.count > 0) {
        struct t_bytes text = t_copy("o", 1);

        put(&text, b->responses.list[0] + 1);
        add_line(&b->said, text);
        drop_line(&b->responses, 0);
    }
    ck_assert_uint_eq(b->requests, b->requests_told);
}

static void check(struct bench *b, struct lines *expected, const char *after)
{
    char *one, *other;

    match_responses(b);
    put_in_order(b, &b->said);
    put_in_order(b, expected);
    one = joined(&b->said);
    other = joined(expected);
    ck_assert_msg(strcmp(one, other) == 0, "%s: after: %s (%zu)\n%s\nnot\n%s", b->name, after,
                  b->gates.bad, one, other);
    free(one);
    free(other);
    free_lines(&b->said);
    free_lines(expected);
}

/* ----- scripts ----- */

/* How long messages of the controller's endpoint may be. */
static void set_message_bytes(struct bench *b, uint64_t bytes)
{
    b->broker_limits.message_bytes = bytes;
    b->configs[1].limits = &b->broker_limits;
    net_kill(&b->net, CONTROLLER);
    net_restart(&b->net, CONTROLLER, NULL);
    b->configs[1].limits = NULL;
}

static void set_option(struct bench *b, char *line)
{
    const char *name = word(&line, "");
    uint64_t value = strtoull(word(&line, "0"), NULL, 10);

    if (strcmp(name, "requests") == 0)
        b->options.requests = value;
    else if (strcmp(name, "instances") == 0)
        b->options.instances = value;
    else if (strcmp(name, "events") == 0)
        b->options.events = value;
    else if (strcmp(name, "timeout") == 0)
        b->options.timeout_ms = value;
    else if (strcmp(name, "values") == 0)
        b->limits.values = value;
    else if (strcmp(name, "message") == 0)
        set_message_bytes(b, value);
    else if (strcmp(name, "names") == 0)
        b->net.internet = false;
    else if (strcmp(name, "noports") == 0)
        b->options.auto_assign_broker_ports = 0;
    else
        ck_abort_msg("%s", name);
    b->configs[0].limits = &b->limits;
}

/*
 * A line of a script.
 *
 * option NAME VALUE   before all others
 * a1 up, down, back   it connects to the controller; its process dies; is there again (F: and listens)
 * a1 via c            it connects to the client, which forwards
 * a1 hello, deploy... see above
 * c get_nodes r1      the client asks
 * o get_nodes r1      the caller does
 * + ms                time passes
 * memory              only from here on it fails
 * quiet 1, quiet 0    the caller asks for nothing; it does again
 * restore ID ...      as the caller does
 * bad get_nodes       the client's request is malformed
 * deadline ms         from now, or never
 * < who what          was said meanwhile
 */
static void play_line(struct bench *b, char *line)
{
    char *rest = line, *what = word(&rest, "");

    if (strcmp(what, "option") == 0) {
        set_option(b, rest);
        return;
    }
    start(b);
    if (strcmp(what, "memory") == 0) {
        b->gates.calls = 0;
    } else if (strcmp(what, "restore") == 0) {
        restore(b, rest);
    } else if (strcmp(what, "quiet") == 0) {
        b->quiet = *rest == '1';
    } else if (strcmp(what, "bad") == 0) {
        malformed(b, CLIENT, rest);
    } else if (strcmp(what, "c") == 0) {
        client(b, rest);
    } else if (strcmp(what, "o") == 0) {
        own(b, rest);
    } else if (strcmp(what, "+") == 0) {
        net_advance(&b->net, strtoull(rest, NULL, 10));
    } else if (strcmp(what, "deadline") == 0) {
        uint64_t due = leat_zeek_controller_deadline(b->controller);

        ck_assert_uint_eq(due == UINT64_MAX ? due : due - b->net.now_ms,
                          strcmp(rest, "never") == 0 ? UINT64_MAX : strtoull(rest, NULL, 10));
    } else {
        ck_assert_msg(*what == 'a', "%s", what);
        agent(b, node_of(what), rest);
    }
    settle(b);
}

/* True: memory failed. */
static bool play(const char *name, const char *script, size_t bad)
{
    struct lines expected = {NULL, 0};
    struct bench b;
    char *text = copied(script), *rest = text, *line, *last = NULL, *copy = NULL;
    bool failed;

    begin(&b);
    b.gates.bad = bad;
    if (strstr(script, "memory\n") != NULL)
        b.gates.calls = SIZE_MAX / 2;
    b.name = name;
    while ((line = part(&rest, "\n")) != NULL) {
        if (*line == '<') {
            add_line(&expected, t_copy(line + 2, strlen(line + 2)));
            continue;
        }
        if (last != NULL)
            check(&b, &expected, last);
        free(copy);
        copy = copied(line);
        last = copy;
        play_line(&b, line);
    }
    check(&b, &expected, last);
    failed = b.gates.ever_failed;
    end(&b);
    free(copy);
    free(text);
    return failed;
}

#define LONG32  "0123456789abcdef0123456789abcdef"
#define LONG256 LONG32 LONG32 LONG32 LONG32 LONG32 LONG32 LONG32 LONG32
#define LONG254 LONG32 LONG32 LONG32 LONG32 LONG32 LONG32 LONG32 "0123456789abcdef0123456789abcd"

/* a1 and a2 are there; a1 runs a logger, a2 a worker, if they do as they are told. */
#define KNOWN                                                                                      \
    "a1 up\na1 hello\n< t instance known a1@10.0.0.3 id\n"                                         \
    "a2 up\na2 hello\n< t instance known a2@10.0.0.4 id\n"
#define STAGED                                                                                     \
    "c stage s id1 a1,a2 logger@a1,worker@a2\n"                                                    \
    "< t configuration staged id1 a1@0.0.0.0,a2@0.0.0.0 logger@a1,worker@a2\n"                     \
    "< c stage_configuration_response s [T! \"id1\"]\n"
#define WELCOMED                                                                                   \
    "< a1 agent_welcome_request\n< a2 agent_welcome_request\n"                                     \
    "a1 welcome T\n< t instance ready a1@10.0.0.3 id\n"                                            \
    "a2 welcome T\n< t instance ready a2@10.0.0.4 id\n"                                            \
    "< t notify_agents_ready [\"a1\",\"a2\"]\n"
#define CONFIG "id1 a1@10.0.0.3,a2@10.0.0.4 logger@a1:2200/9000,worker@a2:0/9000"
#define FIVE                                                                                       \
    "id1 a1@10.0.0.3,a2@10.0.0.4 n1@a1:0/9000,n2@a2:0/9000,n3@a1:0/9001,n4@a2:0/9001,n5@a1:0/9002"
#define VERSION                                                                                    \
    "< t malformed \"Management::Agent::API::notify_agent_hello\" \"api_version\" \"count\" "      \
    "another version of the API\n"
/* Staged when no address was known: they share their metrics ports. */
#define UNSEEN "id1 a1@10.0.0.3,a2@10.0.0.4 logger@a1:2200/9000,worker@a2:0/9001"
#define SENT   "< a1 deploy_request " CONFIG " false\n< a2 deploy_request " CONFIG " false\n"
#define DEPLOYING                                                                                  \
    KNOWN STAGED "c deploy d\n" WELCOMED SENT "a1 deploy T/logger\n"                               \
                 "a2 deploy T/worker\n"                                                            \
                 "< t configuration deployed " CONFIG "\n"                                         \
                 "< c deploy_response d [T a1 logger] [T a2 worker] [T! \"id1\"]\n"
#define DEPLOYED DEPLOYING "memory\n"

#define KNOWN_WANTED                                                                               \
    "a1 up\na1 hello\n< t instance known a1@10.0.0.3 id\n< a1 agent_welcome_request\n"             \
    "a2 up\na2 hello\n< t instance known a2@10.0.0.4 id\n< a2 agent_welcome_request\n"

static const struct {
    const char *name;
    const char *script;
} scripts[] = {
    {"a deployment to two", DEPLOYING "deadline never\n"},
    {"nothing is there",
     "c get_instances i\n< c get_instances_response i [T! {}]\n"
     "c get_nodes n\n< c get_nodes_response n [F! \"no instances connected\"]\n"
     "c staged g\n< c get_configuration_response g [F! \"no staged configuration available\"]\n"
     "c deployed g\n< c get_configuration_response g [F! \"no deployed configuration available\"]\n"
     "c deploy d\n< c deploy_response d [F! \"no configuration available to deploy\"]\n"
     "c id v X::y\n< c get_id_value_response v [F! \"no cluster deployed\"]\n"
     "c restart r\n< c restart_response r [F! \"no instances connected\"]\n"
     "c timeout t F\ndeadline never\n"},
    {"nothing is deployed",
     KNOWN "c get_instances i\n"
           "< c get_instances_response i [T! a1@10.0.0.3,a2@10.0.0.4]\n"
           "c restart r\n< c restart_response r [F! \"no active cluster deployment\"]\n"
           "c id v X::y logger\n< c get_id_value_response v [F! \"no cluster deployed\"]\n"
           "c get_nodes n\n< a1 get_nodes_request\n< a2 get_nodes_request\n"
           "deadline 10000\n"
           "a2 get_nodes T\na1 get_nodes T\n"
           "< c get_nodes_response n [T a2 {nodes}] [T a1 {nodes}]\n"
           "deadline never\n"},
    {"what is staged, what is deployed",
     "a1 up\na1 hello\n< t instance known a1@10.0.0.3 id\n"
     "c stage s id1 a1 logger@a1\n< t configuration staged id1 a1@0.0.0.0 logger@a1\n"
     "< c stage_configuration_response s [T! \"id1\"]\n"
     "c staged g\n< c get_configuration_response g [T! id1 a1@0.0.0.0 logger@a1]\n"
     "c deploy d\n< a1 agent_welcome_request\n"
     "a1 welcome T\n< t instance ready a1@10.0.0.3 id\n< t notify_agents_ready [\"a1\"]\n"
     "< a1 deploy_request id1 a1@10.0.0.3 logger@a1:2200/9000 false\n"
     "c deployed g\n< c get_configuration_response g [F! \"no deployed configuration available\"]\n"
     "c stage s id2 - -\n< t configuration staged id2 -\n"
     "< c stage_configuration_response s [T! \"id2\"]\n"
     "a1 deploy F/logger//broken\n"
     "< t configuration deployed id1 a1@10.0.0.3 logger@a1:2200/9000\n"
     "< c deploy_response d [F a1 logger \"broken\"] [T! \"id1\"]\n"
     "c deployed g\n"
     "< c get_configuration_response g [T! id1 a1@10.0.0.3 logger@a1:2200/9000]\n"
     "c staged g\n< c get_configuration_response g [T! id2 -]\n"
     "c deploy e\n< a1 agent_standby_request\n< t instance standby a1@10.0.0.3 id\n"
     "< t notify_agents_ready []\n< t configuration deployed id2 -\n"
     "< c deploy_response e [T! \"id2\"]\n"
     "a1 standby T\n"
     "c get_instances i\n< c get_instances_response i [T! a1@10.0.0.3]\n"
     "c get_nodes n\n< a1 get_nodes_request\na1 get_nodes T\n"
     "< c get_nodes_response n [T a1 {nodes}]\n"
     "c restart r\n< c restart_response r\n"
     "c id v X::y\n< c get_id_value_response v [F! \"no cluster deployed\"]\n"},
    {"errors of configurations, in the order of their texts",
     "c stage s id1 a1@1.2.3.4:5000 logger@a1:5000,worker@a9:2150,w1@a1:7,w2@a1:7\n"
     "< c stage_configuration_response s"
     " [F! \"multiple nodes on instance 'a1' using port 7/tcp\"]"
     " [F! \"node 'logger' port 5000/tcp conflicts with agent port on instance 'a1'\"]"
     " [F! \"node 'worker' has undeclared instance name 'a9'\"]"
     " [F! \"node 'worker' port 2150/tcp conflicts with controller port\"]\n"
     "c staged g\n< c get_configuration_response g [F! \"no staged configuration available\"]\n"},
    {"ports are not given",
     "option noports 1\n"
     "c stage s id1 a1 logger@a1\n< c stage_configuration_response s "
     "[F! \"Broker port auto-assignment disabled but nodes logger lack ports\"]\n"},
    {"instances have names",
     "c stage s id1 @1.2.3.4 -\n"
     "< c stage_configuration_response s [F! \"instance names have 1 to 255 octets\"]\n"},
    {"deploying the same again",
     DEPLOYED "c deploy e\n< t notify_agents_ready [\"a1\",\"a2\"]\n" SENT
              "a1 deploy T\na2 deploy T\n< t configuration deployed " CONFIG "\n"
              "< c deploy_response e [T a1] [T a2] [T! \"id1\"]\n"},
    {"one deployment at a time",
     KNOWN STAGED "c deploy d\n< a1 agent_welcome_request\n< a2 agent_welcome_request\n"
                  "c deploy e\n"
                  "< c deploy_response e [F! \"earlier deployment d still pending\"]\n"
                  "+ 9999\ndeadline 1\n"
                  "+ 1\n< t timed_out d \"Management::Controller::API::deploy_request\"\n"
                  "< c deploy_response d [F! a1 \"instance not ready\"]"
                  " [F! a2 \"instance not ready\"] [F! \"request timed out\"]\n"
                  "c deploy e\n< a1 agent_welcome_request\n< a2 agent_welcome_request\n"
                  "a1 welcome~ T\n"
                  "a1 welcome T\n< t instance ready a1@10.0.0.3 id\n"
                  "a1 welcome T\n"},
    {"an agent refuses",
     "a1 up\na1 hello\n< t instance known a1@10.0.0.3 id\n"
     "c stage s id1 a1 logger@a1\n< t configuration staged id1 a1@0.0.0.0 logger@a1\n"
     "< c stage_configuration_response s [T! \"id1\"]\n"
     "c deploy d\n< a1 agent_welcome_request\n"
     "a1 welcome F///no\n< t instance refused a1@10.0.0.3 id\n< a1 agent_standby_request\n"
     "a1 welcome T\n"
     "a1 hello\n< a1 agent_welcome_request\n"
     "a1 bad welcome\n< t instance refused a1@10.0.0.3 id\n< a1 agent_standby_request\n"
     "< t malformed \"Management::Agent::API::agent_welcome_response\" \"result\""
     " \"Management::Result\" it is of another type\n"
     "a1 hello\n< a1 agent_welcome_request\n"
     "a1 hello\n< a1 agent_welcome_request\n"
     "a1 welcome~ T\n< t instance ready a1@10.0.0.3 id\n< t notify_agents_ready [\"a1\"]\n"
     "< a1 deploy_request id1 a1@10.0.0.3 logger@a1:2200/9000 false\n"
     "a1 welcome T\n"
     "a1 hello\n"
     "a1 deploy T/logger\n< t configuration deployed id1 a1@10.0.0.3 logger@a1:2200/9000\n"
     "< c deploy_response d [T a1 logger] [T! \"id1\"]\n"},
    {"agents that come late",
     STAGED "c deploy d\n"
            "a1 up\na1 hello\n< t instance known a1@10.0.0.3 id\n< a1 agent_welcome_request\n"
            "a1 welcome T\n< t instance ready a1@10.0.0.3 id\n"
            "c get_nodes n\n< a1 get_nodes_request\n"
            "a1 get_nodes T\n"
            "< c get_nodes_response n [F! a2 {} \"instance not connected\"] [T a1 {nodes}]\n"
            "a2 up\na2 hello\n< t instance known a2@10.0.0.4 id\n< a2 agent_welcome_request\n"
            "a2 welcome T\n< t instance ready a2@10.0.0.4 id\n"
            "< t notify_agents_ready [\"a1\",\"a2\"]\n"
            "< a1 deploy_request " UNSEEN " false\n< a2 deploy_request " UNSEEN " false\n"
            "a1 deploy T\n+ 10000\n"
            "< t timed_out d \"Management::Controller::API::deploy_request\"\n"
            "< c deploy_response d [T a1] [F! \"request timed out\"]\n"
            "a2 deploy T\n"
            "c deployed g\n"
            "< c get_configuration_response g [F! \"no deployed configuration available\"]\n"},
    {"a deployment waits for agents that are lost",
     KNOWN STAGED "c deploy d\n" WELCOMED SENT "a1 deploy T/logger\n"
                  "a1 down\n< t instance lost a1@10.0.0.3 id\n"
                  "a2 down\n< t instance lost a2@10.0.0.4 id\n"
                  "a1 back\na1 hello\n< t instance known a1@10.0.0.3 id\n"
                  "< a1 agent_welcome_request\n"
                  "a1 welcome T\n< t instance ready a1@10.0.0.3 id\n"
                  "< a1 deploy_request " CONFIG " false\n"
                  "a1 deploy T/again\n"
                  "a2 back\na2 hello\n< t instance known a2@10.0.0.4 id\n"
                  "< a2 agent_welcome_request\n"
                  "a2 deploy T/late\n"
                  "a2 welcome T\n< t instance ready a2@10.0.0.4 id\n"
                  "< t notify_agents_ready [\"a1\",\"a2\"]\n"
                  "< a2 deploy_request " CONFIG " false\n"
                  "a2 deploy T/worker\n< t configuration deployed " CONFIG "\n"
                  "< c deploy_response d [T a1 logger] [T a2 worker] [T! \"id1\"]\n"},
    {"an agent that returns gets what is deployed, alone",
     DEPLOYED "a2 down\n< t instance lost a2@10.0.0.4 id\n"
              "a2 back\na2 hello\n< t instance known a2@10.0.0.4 id\n"
              "< a2 agent_welcome_request\n"
              "a2 welcome T\n< t instance ready a2@10.0.0.4 id\n"
              "< t notify_agents_ready [\"a1\",\"a2\"]\n"
              "< a2 deploy_request " CONFIG " false\n"
              "c deploy e\n< t notify_agents_ready [\"a1\",\"a2\"]\n" SENT "a2 deploy~ T/internal\n"
              "a2 deploy T\na1 deploy T\n< t configuration deployed " CONFIG "\n"
              "< c deploy_response e [T a2] [T a1] [T! \"id1\"]\n"},
    {"asking for values",
     DEPLOYED "c id v X::y\n"
              "< a1 node_dispatch_request [\"get_id_value\",\"X::y\"] []\n"
              "< a2 node_dispatch_request [\"get_id_value\",\"X::y\"] []\n"
              "a2 dispatch T/worker/{}\n"
              "a1 dispatch F/logger//no F//other//w\n"
              "< c get_id_value_response v [T a2 worker \"{}\"] [F a1 logger \"no\"]"
              " [F a1 \"other\"]\n"
              "c id v X::y worker,nobody,nothing\n"
              "< a1 node_dispatch_request [\"get_id_value\",\"X::y\"]"
              " [\"worker\"]\n"
              "< a2 node_dispatch_request [\"get_id_value\",\"X::y\"]"
              " [\"worker\"]\n"
              "a1 dispatch\n"
              "a2 dispatch T/worker/1\n"
              "< c get_id_value_response v [F! nobody \"unknown cluster node\"]"
              " [F! nothing \"unknown cluster node\"] [T a2 worker \"1\"]\n"
              "c id v X::y nobody\n"
              "< c get_id_value_response v [F! nobody \"unknown cluster node\"]\n"},
    {"restarting",
     DEPLOYED "c restart r logger\n< a1 restart_request [\"logger\"]\n"
              "< a2 restart_request [\"logger\"]\n"
              "a2 restart\na1 restart T/logger\n< c restart_response r [T a1 logger]\n"
              "c restart r nobody,logger\n< a1 restart_request [\"logger\",\"nobody\"]\n"
              "< a2 restart_request [\"logger\",\"nobody\"]\n"
              "a2 restart\na1 restart T/logger\n"
              "< c restart_response r [F! nobody \"unknown cluster node\"] [T a1 logger]\n"
              "c restart r nobody\n"
              "< c restart_response r [F! nobody \"unknown cluster node\"]\n"},
    {"agents that are lost are not waited for",
     DEPLOYED "c get_nodes n\n< a1 get_nodes_request\n< a2 get_nodes_request\n"
              "c id v X::y\n"
              "< a1 node_dispatch_request [\"get_id_value\",\"X::y\"] []\n"
              "< a2 node_dispatch_request [\"get_id_value\",\"X::y\"] []\n"
              "c restart r logger\n< a1 restart_request [\"logger\"]\n"
              "< a2 restart_request [\"logger\"]\n"
              "a1 restart T/logger\na1 dispatch T/logger/1\n"
              "a2 down\n< t instance lost a2@10.0.0.4 id\n"
              "< c restart_response r [T a1 logger]\n"
              "< c get_id_value_response v [T a1 logger \"1\"]"
              " [F! a2 worker \"instance not connected\"]\n"
              "a1 get_nodes T\n"
              "< c get_nodes_response n [F! a2 {} \"instance not connected\"] [T a1 {nodes}]\n"
              "c id v X::y\n"
              "< a1 node_dispatch_request [\"get_id_value\",\"X::y\"] []\n"
              "a1 dispatch T/logger/1\n"
              "< c get_id_value_response v [F! a2 worker \"instance not connected\"]"
              " [T a1 logger \"1\"]\n"
              "c restart r worker\n< a1 restart_request [\"worker\"]\n"
              "a1 restart\n< c restart_response r [F! a2 worker \"instance not connected\"]\n"
              "a1 down\n< t instance lost a1@10.0.0.3 id\n"
              "c id v X::y\n< c get_id_value_response v"
              " [F! a1 logger \"instance not connected\"]"
              " [F! a2 worker \"instance not connected\"]\n"
              "c get_nodes n\n< c get_nodes_response n [F! \"no instances connected\"]\n"
              "c restart n\n< c restart_response n [F! \"no instances connected\"]\n"
              "c get_instances n\n< c get_instances_response n [T! {}]\n"},
    {"an agent that is not ready cannot answer for nodes",
     DEPLOYED "a2 down\n< t instance lost a2@10.0.0.4 id\n"
              "a2 back\na2 hello\n< t instance known a2@10.0.0.4 id\n"
              "< a2 agent_welcome_request\n"
              "c restart r worker\n< a1 restart_request [\"worker\"]\n"
              "a1 restart\n< c restart_response r [F! a2 worker \"instance not ready\"]\n"},
    {"responses that cannot be read", KNOWN STAGED
     "c deploy d\n" WELCOMED SENT "a1 bad deploy\n"
     "< t malformed \"Management::Agent::API::deploy_response\" \"results\""
     " \"vector of Management::Result\" it is of another type\n"
     "a2 deploy T/worker\n< t configuration deployed " CONFIG "\n"
     "< c deploy_response d [F! a1 \"malformed response\"] [T a2 worker] [T! \"id1\"]\n"
     "c id v X::y logger,worker\n"
     "< a1 node_dispatch_request [\"get_id_value\",\"X::y\"] [\"logger\",\"worker\"]\n"
     "< a2 node_dispatch_request [\"get_id_value\",\"X::y\"] [\"logger\",\"worker\"]\n"
     "a1 bad dispatch\n"
     "< t malformed \"Management::Agent::API::node_dispatch_response\" \"results\""
     " \"vector of Management::Result\" it is of another type\n"
     "a1 bad dispatch\n"
     "< t malformed \"Management::Agent::API::node_dispatch_response\" \"results\""
     " \"vector of Management::Result\" it is of another type\n"
     "a2 dispatch T/worker/1\n"
     "< c get_id_value_response v [F! a1 logger \"malformed response\"] [T a2 worker \"1\"]\n"
     "c get_nodes n\n< a1 get_nodes_request\n< a2 get_nodes_request\n"
     "a1 get_nodes T\na2 bad get_nodes\n"
     "< t malformed \"Management::Agent::API::get_nodes_response\" \"result\""
     " \"Management::Result\" it is of another type\n"
     "< c get_nodes_response n [T a1 {nodes}] [F! a2 {} \"malformed response\"]\n"
     "bad get_nodes\n< t malformed \"Management::Controller::API::get_nodes_request\""
     " another number of arguments\n"},
    {"only whom was asked answers, once",
     DEPLOYED "c get_nodes n\n< a1 get_nodes_request\n< a2 get_nodes_request\n"
              "a1 get_nodes@a2 T\n"
              "a1 get_nodes T\na1 get_nodes T\na1 deploy T\n"
              "a2 get_nodes T\n< c get_nodes_response n [T a1 {nodes}] [T a2 {nodes}]\n"
              "a2 get_nodes T\n"},
    {"times to the millisecond",
     DEPLOYED "c timeout t T\ndeadline 10000\n+ 4000\n"
              "c get_nodes n\n< a1 get_nodes_request\n< a2 get_nodes_request\n"
              "deadline 6000\na1 get_nodes T\n+ 5999\ndeadline 1\n"
              "+ 1\n< t timed_out t \"Management::Controller::API::test_timeout_request\"\n"
              "< c test_timeout_response t [F! \"request timed out\"]\n"
              "deadline 4000\n+ 3999\n"
              "+ 1\n< t timed_out n \"Management::Controller::API::get_nodes_request\"\n"
              "< c get_nodes_response n [T a1 {nodes}] [F! \"request timed out\"]\n"
              "deadline never\na2 get_nodes T\n"},
    {"instances that are no longer wanted",
     DEPLOYED "c stage s id2 a1 logger@a1\n< t configuration staged id2 a1@0.0.0.0 logger@a1\n"
              "< c stage_configuration_response s [T! \"id2\"]\n"
              "c deploy e\n< a2 agent_standby_request\n< t instance standby a2@10.0.0.4 id\n"
              "< t notify_agents_ready [\"a1\"]\n"
              "< a1 deploy_request id2 a1@10.0.0.3 logger@a1:2200/9000 false\n"
              "a1 deploy T/logger\n"
              "< t configuration deployed id2 a1@10.0.0.3 logger@a1:2200/9000\n"
              "< c deploy_response e [T a1 logger] [T! \"id2\"]\n"
              "c get_nodes n\n< a1 get_nodes_request\n< a2 get_nodes_request\n"
              "a1 get_nodes T\na2 get_nodes T\n"
              "< c get_nodes_response n [T a1 {nodes}] [T a2 {nodes}]\n"
              "c restart r\n< a1 restart_request []\n"
              "a1 restart T/logger\n< c restart_response r [T a1 logger]\n"
              "a2 hello\n"
              "a2 down\n< t instance lost a2@10.0.0.4 id\n"
              "a2 back\na2 hello\n< t instance known a2@10.0.0.4 id\n"},
    {"instances that have changed", DEPLOYED
     "c stage s id2 a1@10.0.0.9,a2 logger@a1,worker@a2\n"
     "< t configuration staged id2 a1@10.0.0.9,a2@0.0.0.0 logger@a1,worker@a2\n"
     "< c stage_configuration_response s [T! \"id2\"]\n"
     "c deploy e\n< a1 agent_standby_request\n< a1 agent_welcome_request\n"
     "< t instance standby a1@10.0.0.3 id\n"
     "a1 standby T\na1 welcome T\n< t instance ready a1@10.0.0.3 id\n"
     "< t notify_agents_ready [\"a1\",\"a2\"]\n"
     "< a1 deploy_request id2 a1@10.0.0.9,a2@10.0.0.4 logger@a1:2200/9000,worker@a2:0/9000 "
     "false\n"
     "< a2 deploy_request id2 a1@10.0.0.9,a2@10.0.0.4 logger@a1:2200/9000,worker@a2:0/9000 "
     "false\n"
     "a1 deploy T\na2 deploy T\n"
     "< t configuration deployed id2 a1@10.0.0.9,a2@10.0.0.4"
     " logger@a1:2200/9000,worker@a2:0/9000\n"
     "< c deploy_response e [T a1] [T a2] [T! \"id2\"]\n"},
    {"a host that is told, and the same one as it is seen",
     DEPLOYED "c stage s id1 a1@10.0.0.3,a2@10.0.0.4 logger@a1,worker@a2\n"
              "< t configuration staged id1 a1@10.0.0.3,a2@10.0.0.4 logger@a1,worker@a2\n"
              "< c stage_configuration_response s [T! \"id1\"]\n"
              "c deploy e\n< t notify_agents_ready [\"a1\",\"a2\"]\n" SENT
              "a1 deploy T\na2 deploy T\n< t configuration deployed " CONFIG "\n"
              "< c deploy_response e [T a1] [T a2] [T! \"id1\"]\n" STAGED
              "c deploy f\n< t notify_agents_ready [\"a1\",\"a2\"]\n" SENT},
    {"agents that listen",
     "c stage s id1 a1@10.0.0.3:2151 logger@a1\n"
     "< t configuration staged id1 a1@10.0.0.3:2151 logger@a1\n"
     "< c stage_configuration_response s [T! \"id1\"]\n"
     "c deploy d\n"
     "a1 hello a1 F\n< t instance known a1@10.0.0.3:2151 id\n< a1 agent_welcome_request\n"
     "a1 welcome T\n< t instance ready a1@10.0.0.3:2151 id\n< t notify_agents_ready [\"a1\"]\n"
     "< a1 deploy_request id1 a1@10.0.0.3:2151 logger@a1:2200/9000 false\n"
     "a1 deploy T\n< t configuration deployed id1 a1@10.0.0.3:2151 logger@a1:2200/9000\n"
     "< c deploy_response d [T a1] [T! \"id1\"]\n"
     "c get_instances i\n< c get_instances_response i [T! a1@10.0.0.3:2151]\n"
     "a1 down\n< t instance lost a1@10.0.0.3:2151 id\n"
     "+ 500\na1 back F\n+ 1500\n"
     "a1 hello a1 F\n< t instance known a1@10.0.0.3:2151 id\n< a1 agent_welcome_request\n"
     "a1 welcome T\n< t instance ready a1@10.0.0.3:2151 id\n< t notify_agents_ready [\"a1\"]\n"
     "< a1 deploy_request id1 a1@10.0.0.3:2151 logger@a1:2200/9000 false\n"
     /* It moves. */
     "c stage s id2 a1@10.0.0.4:2151 logger@a1\n"
     "< t configuration staged id2 a1@10.0.0.4:2151 logger@a1\n"
     "< c stage_configuration_response s [T! \"id2\"]\n"
     "c deploy e\n< t instance standby a1@10.0.0.3:2151 id\n"
     "< a1 agent_standby_request\n< a1 agent_welcome_request\n"
     "< t instance lost a1@10.0.0.3:2151 id\n"
     "a2 hello a1 F\n< t instance known a1@10.0.0.4:2151 id\n"
     /* It is dropped, and peered with no longer once it is gone. */
     "+ 10000\n< t timed_out e \"Management::Controller::API::deploy_request\"\n"
     "< c deploy_response e [F! a1 \"instance not ready\"] [F! \"request timed out\"]\n"
     "c stage s id3 - -\n< t configuration staged id3 -\n"
     "< c stage_configuration_response s [T! \"id3\"]\n"
     "c deploy f\n< t instance standby a1@10.0.0.4:2151 id\n"
     "< t notify_agents_ready []\n< t configuration deployed id3 -\n"
     "< c deploy_response f [T! \"id3\"]\n"
     "c get_instances i\n< c get_instances_response i [T! a1@10.0.0.4:2151]\n"
     "a2 down\n< t instance lost a1@10.0.0.4:2151 id\n"
     "a2 back F\n+ 3000\n"
     "a2 hello a1 F\n"},
    {"hellos that do not count",
     "a1 hello\n"
     "a1 up\na1 hello a1 T 1 a2\n< t instance stranger a1@0.0.0.0 id\n"
     "a1 hello a1 T 2\n" VERSION "< t instance version a1@10.0.0.3 id\n"
     "a1 hello a1 T 1 c\n< t instance stranger a1@0.0.0.0 id\n"
     "a1 bad hello\n< t malformed \"Management::Agent::API::notify_agent_hello\""
     " another number of arguments\n"
     "c get_instances i\n< c get_instances_response i [T! {}]\n"},
    {"the latest hello of a name counts",
     DEPLOYED "a3 up\na3 hello a2\n< t instance known a2@10.0.0.5 id\n"
              "< a2 agent_welcome_request\n"
              "a2 down\n"
              "c get_instances i\n"
              "< c get_instances_response i [T! a1@10.0.0.3,a2@10.0.0.5]\n"
              "a3 down\n< t instance lost a2@10.0.0.5 id\n"},
    {"another version of a known instance", DEPLOYED
     "c get_nodes n\n< a1 get_nodes_request\n< a2 get_nodes_request\n"
     "a2 hello a2 T 2\n" VERSION "< t instance version a2@10.0.0.4 id\n"
     "< a2 agent_standby_request\n"
     "a1 get_nodes T\n< c get_nodes_response n [F! a2 {} \"API version mismatch\"]"
     " [T a1 {nodes}]\n"
     "a2 hello\n< t instance known a2@10.0.0.4 id\n"
     "c deploy e\n< a2 agent_welcome_request\n"
     "a2 hello a2 T 3\n" VERSION "< t instance version a2@10.0.0.4 id\n"
     "< a2 agent_standby_request\n"
     "< t notify_agents_ready [\"a1\"]\n"
     "< a1 deploy_request id1 a1@10.0.0.3,a2@0.0.0.0"
     " logger@a1:2200/9000,worker@a2:0/9000 false\n"
     "a1 deploy T/logger\n"
     "< t configuration deployed id1 a1@10.0.0.3,a2@0.0.0.0"
     " logger@a1:2200/9000,worker@a2:0/9000\n"
     "< c deploy_response e [F! a2 \"API version mismatch\"] [T a1 logger] [T! \"id1\"]\n"},
    {"another version while deploying", KNOWN STAGED
     "c deploy d\n" WELCOMED SENT "a1 deploy T/logger\n"
     "a2 hello a2 T 2\n" VERSION "< t instance version a2@10.0.0.4 id\n< a2 agent_standby_request\n"
     "< t configuration deployed " CONFIG "\n"
     "< c deploy_response d [T a1 logger] [F! a2 \"API version mismatch\"] [T! \"id1\"]\n"},
    {"what agents notify",
     "a1 up\na1 notify_log {'instance':'a1','msg':'m','node':'n'}\n< t notify_log \"a1\" \"m\" "
     "\"n\"\n"
     "a1 notify_error {'instance':'a1','msg':'m'}\n< t notify_error \"a1\" \"m\" \"\"\n"},
    {"the caller asks",
     DEPLOYED "o get_nodes n\n< a1 get_nodes_request\n< a2 get_nodes_request\n"
              "a1 get_nodes T\na2 get_nodes T\n"
              "< o get_nodes_response n [T a1 {nodes}] [T a2 {nodes}]\n"
              "o deploy e\n< t notify_agents_ready [\"a1\",\"a2\"]\n" SENT
              "c deploy f\n< c deploy_response f [F! \"earlier deployment e still pending\"]\n"
              "a1 deploy T\na2 deploy T\n< t configuration deployed " CONFIG "\n"
              "< o deploy_response e [T a1] [T a2] [T! \"id1\"]\n"
              "o timeout t T\n+ 10000\n"
              "< t timed_out t \"Management::Controller::API::test_timeout_request\"\n"
              "< o test_timeout_response t [F! \"request timed out\"]\n"},
    {"what was deployed is restored",
     "restore id1 a1,a2@10.0.0.4 logger@a1:2200,worker@a2\n"
     "c deployed g\n"
     "< c get_configuration_response g [T! id1 a1@0.0.0.0,a2@10.0.0.4 logger@a1,worker@a2]\n"
     "a1 up\na1 hello\n< t instance known a1@10.0.0.3 id\n< a1 agent_welcome_request\n"
     "a1 welcome T\n< t instance ready a1@10.0.0.3 id\n"
     "a2 up\na2 hello\n< t instance known a2@10.0.0.4 id\n< a2 agent_welcome_request\n"
     "a2 welcome T\n< t instance ready a2@10.0.0.4 id\n"
     "< t notify_agents_ready [\"a1\",\"a2\"]\n"
     "< a1 deploy_request id1 a1@10.0.0.3,a2@10.0.0.4 logger@a1,worker@a2 false\n"
     "< a2 deploy_request id1 a1@10.0.0.3,a2@10.0.0.4 logger@a1,worker@a2 false\n"
     "a1 deploy T\na2 deploy T\ndeadline never\n"
     "c id v X::y logger\n"
     "< a1 node_dispatch_request [\"get_id_value\",\"X::y\"] [\"logger\"]\n"
     "< a2 node_dispatch_request [\"get_id_value\",\"X::y\"] [\"logger\"]\n"},
    {"a deployment takes the place of what was restored",
     "restore id0 a1,a2 logger@a1\n" KNOWN_WANTED STAGED
     "c deploy d\n< a1 agent_welcome_request\n< a2 agent_welcome_request\n"
     "a1 welcome T\n< t instance ready a1@10.0.0.3 id\n"
     "a2 welcome T\n< t instance ready a2@10.0.0.4 id\n"
     "< t notify_agents_ready [\"a1\",\"a2\"]\n" SENT},
    {"as many requests as may wait",
     "option requests 2\n" DEPLOYED "c timeout t T\nc timeout u T\n"
     "c timeout v T\n< c test_timeout_response v [F! \"too many requests\"]\n"
     "c get_nodes n\n< c get_nodes_response n [F! \"too many requests\"]\n"
     "c id v X::y\n< c get_id_value_response v [F! \"too many requests\"]\n"
     "c restart r\n< c restart_response r [F! \"too many requests\"]\n"
     "c deploy e\n< c deploy_response e [F! \"too many requests\"]\n"
     "c get_instances i\n"
     "< c get_instances_response i [T! a1@10.0.0.3,a2@10.0.0.4]\n"},
    {"as many instances as there may be",
     "option instances 2\n" KNOWN "a3 up\na3 hello\n< t instance limit a3@10.0.0.5 id\n"
     "c stage s id1 a1,a2,a3\n< c stage_configuration_response s [F! \"too many instances\"]\n"
     "c stage s id1 a1,a3\n< t configuration staged id1 a1@0.0.0.0,a3@0.0.0.0\n"
     "< c stage_configuration_response s [T! \"id1\"]\n"
     "c deploy d\n< c deploy_response d [F! \"too many instances\"]\n"
     "a2 down\n< t instance lost a2@10.0.0.4 id\n"
     "c deploy d\n< a1 agent_welcome_request\n"
     "a3 hello\n< t instance known a3@10.0.0.5 id\n< a3 agent_welcome_request\n"
     "+ 10000\n< t timed_out d \"Management::Controller::API::deploy_request\"\n"
     "< c deploy_response d [F! a1 \"instance not ready\"] [F! a3 \"instance not ready\"]"
     " [F! \"request timed out\"]\n"
     "c stage s id2 b1,b2\n< t configuration staged id2 b1@0.0.0.0,b2@0.0.0.0\n"
     "< c stage_configuration_response s [T! \"id2\"]\n"
     "c deploy d\n< c deploy_response d [F! \"too many instances\"]\n"
     "a1 down\n< t instance lost a1@10.0.0.3 id\n"
     "a3 down\n< t instance lost a3@10.0.0.5 id\n"
     "c deploy d\n< t instance standby a1@0.0.0.0\n< t instance standby a3@0.0.0.0\n"},
    {"results that are too many",
     "option values 90\n" DEPLOYED "c id v X::y\n"
     "< a1 node_dispatch_request [\"get_id_value\",\"X::y\"] []\n"
     "< a2 node_dispatch_request [\"get_id_value\",\"X::y\"] []\n"
     "a1 dispatch T T T T T T\na2 dispatch T T T T T\n"
     "< c get_id_value_response v [T a1] [T a1] [T a1] [T a1] [T a1] [T a1]"
     " [T a2] [T a2] [T a2] [T a2] [T a2]\n"
     "c id v X::y\n"
     "< a1 node_dispatch_request [\"get_id_value\",\"X::y\"] []\n"
     "< a2 node_dispatch_request [\"get_id_value\",\"X::y\"] []\n"
     "a1 dispatch T T T T T T\na2 dispatch T T T T T T T\n"
     "< c get_id_value_response v [F! \"response too large\"]\n"},
    {"results that are too large",
     "option message 1800\n" DEPLOYED
     "c restart r\n< a1 restart_request []\n< a2 restart_request []\n"
     "a1 restart T T T T T T\na2 restart T\n"
     "< c restart_response r [T a1] [T a1] [T a1] [T a1] [T a1] [T a1] [T a2]\n"
     "c restart r\n< a1 restart_request []\n< a2 restart_request []\n"
     "a1 restart T T T T T T\na2 restart T T T T\n"
     "< c restart_response r [F! \"response too large\"]\n"},
    {"results that are too large together",
     "option message 1800\n" DEPLOYED
     "c restart 1\n< a1 restart_request []\n< a2 restart_request []\na1 restart T T T T T T T\n"
     "c restart 2\n< a1 restart_request []\n< a2 restart_request []\na1 restart T T T T T T T\n"
     "c restart 3\n< a1 restart_request []\n< a2 restart_request []\na1 restart T T T T T T T\n"
     "c restart 4\n< a1 restart_request []\n< a2 restart_request []\na1 restart T T T T T T T\n"
     "c restart 5\n< a1 restart_request []\n< a2 restart_request []\na1 restart T T T T T T T\n"
     "a2 restart T\n< c restart_response 5 [F! \"response too large\"]\n"
     "a2 restart~ T\n< c restart_response 4 [T a1] [T a1] [T a1] [T a1] [T a1] [T a1] [T a1]"
     " [T a2]\n"
     "c restart 6\n< a1 restart_request []\n< a2 restart_request []\na1 restart T T T T T T T\n"
     "a2 restart T\n< c restart_response 6 [T a1] [T a1] [T a1] [T a1] [T a1] [T a1] [T a1]"
     " [T a2]\n"},
    {"results that are not UTF-8",
     DEPLOYED "c id v X::y\n"
              "< a1 node_dispatch_request [\"get_id_value\",\"X::y\"] []\n"
              "< a2 node_dispatch_request [\"get_id_value\",\"X::y\"] []\n"
              "a1 dispatch T/logger/#ffc3a9c3\n"
              "a2 dispatch F/#776f726be28272/#e282ac/#806e6f\n"
              "< c get_id_value_response v [T a1 logger \"?\xc3\xa9?\"]"
              " [F a2 work??r \"\xe2\x82\xac\" \"?no\"]\n"},
    {"as many events as wait to be told",
     "option events 3\na1 up\na1 hello\n< t instance known a1@10.0.0.3 id\n"
     "a2 up\na2 hello\n< t instance known a2@10.0.0.4 id\n"
     "a3 up\nquiet 1\na3 hello\na3 notify_log {'instance':'a3','msg':'2'}\n"
     "a3 notify_log {'instance':'a3','msg':'3'}\na3 notify_log {'instance':'a3','msg':'4'}\n"
     "quiet 0\n< t instance known a3@10.0.0.5 id\n< t notify_log \"a3\" \"2\" \"\"\n"
     "< t notify_log \"a3\" \"3\" \"\"\n"},
    {"a reqid of 1024 octets", "c timeout " LONG256 LONG256 LONG256 LONG256 " T\n"
                               "deadline 10000\n"},
    {"a reqid that others are not to be told",
     "c timeout x" LONG256 LONG256 LONG256 LONG256 " T\n"
     "< c test_timeout_response x" LONG256 LONG256 LONG256 LONG256
     " [F! \"request id too long\"]\n"},
    {"a reqid that each error would repeat",
     "c stage x" LONG256 LONG256 LONG256 LONG256 " id1 a1 x@b1,y@b1\n"
     "< c stage_configuration_response x" LONG256 LONG256 LONG256 LONG256
     " [F! \"request id too long\"]\n"},
    {"nodes of agents that go, by their instances",
     "a1 up\na1 hello\n< t instance known a1@10.0.0.3 id\n"
     "a2 up\na2 hello\n< t instance known a2@10.0.0.4 id\n"
     "c stage s id1 a1,a2 n1@a1,n2@a2,n3@a1,n4@a2,n5@a1\n"
     "< t configuration staged id1 a1@0.0.0.0,a2@0.0.0.0 n1@a1,n2@a2,n3@a1,n4@a2,n5@a1\n"
     "< c stage_configuration_response s [T! \"id1\"]\n"
     "c deploy d\n" WELCOMED "< a1 deploy_request " FIVE " false\n< a2 deploy_request " FIVE
     " false\n"
     "a1 deploy T\na2 deploy T\n< t configuration deployed " FIVE "\n"
     "< c deploy_response d [T a1] [T a2] [T! \"id1\"]\n"
     "c restart 1\n< a1 restart_request []\n< a2 restart_request []\n"
     "c restart 2 n5,n4,n1,n0\n< a1 restart_request [\"n0\",\"n1\",\"n4\",\"n5\"]\n"
     "< a2 restart_request [\"n0\",\"n1\",\"n4\",\"n5\"]\n"
     "a1 down\n< t instance lost a1@10.0.0.3 id\n"
     "a2 restart\n< c restart_response 2 [F! n0 \"unknown cluster node\"]"
     " [F! a1 n1 \"instance not connected\"] [F! a1 n5 \"instance not connected\"]\n"
     "a2 restart~\n< c restart_response 1 [F! a1 n1 \"instance not connected\"]"
     " [F! a1 n3 \"instance not connected\"] [F! a1 n5 \"instance not connected\"]\n"},
    {"names of instances",
     "a1 up\na1 hello x" LONG254 "\n< t instance known x" LONG254 "@10.0.0.3 id\n"
     "a1 hello " LONG256 "\n"
     "< t malformed \"Management::Agent::API::notify_agent_hello\" \"instance\" \"string\" "
     "a name has 1 to 255 octets\n"
     "a1 hello  T\n"
     "< t malformed \"Management::Agent::API::notify_agent_hello\" \"instance\" \"string\" "
     "a name has 1 to 255 octets\n"
     "c stage s id x" LONG254 "\n"
     "< t configuration staged id x" LONG254 "@0.0.0.0\n"
     "< c stage_configuration_response s [T! \"id\"]\n"
     "c stage s id " LONG256 "\n"
     "< c stage_configuration_response s [F! \"instance names have 1 to 255 octets\"]\n"},
    {"a response of another kind to the same reqid",
     DEPLOYED "c restart r\n< a1 restart_request []\n< a2 restart_request []\n"
              "a1 restart!dispatch T/x\na1 restart!deploy T/x\na1 restart!get_nodes T\n"
              "a1 restart\na2 restart\n< c restart_response r\n"},
    {"a listening agent joins one that was dropped",
     "c stage s id1 a1@10.0.0.3:2151 -\n< t configuration staged id1 a1@10.0.0.3:2151\n"
     "< c stage_configuration_response s [T! \"id1\"]\n"
     "c deploy d\n"
     "a1 hello a1 F\n< t instance known a1@10.0.0.3:2151 id\n< a1 agent_welcome_request\n"
     "a1 welcome T\n< t instance ready a1@10.0.0.3:2151 id\n< t notify_agents_ready [\"a1\"]\n"
     "< a1 deploy_request id1 a1@10.0.0.3:2151 false\n"
     "a1 deploy T\n< t configuration deployed id1 a1@10.0.0.3:2151\n"
     "< c deploy_response d [T a1] [T! \"id1\"]\n"
     /* It is given another name, which does not end the peering with the same address. */
     "c stage s id2 b1@10.0.0.3:2151 -\n< t configuration staged id2 b1@10.0.0.3:2151\n"
     "< c stage_configuration_response s [T! \"id2\"]\n"
     "c deploy e\n< a1 agent_standby_request\n< t instance standby a1@10.0.0.3:2151 id\n"
     "a1 down\n< t instance lost a1@10.0.0.3:2151 id\n"
     "a1 back F\n+ 2000\na1 hello b1 F\n< t instance known b1@10.0.0.3:2151 id\n"},
    {"another agent answers",
     DEPLOYED "a3 up\na3 hello\n< t instance known a3@10.0.0.5 id\n"
              "c restart r logger\n< a1 restart_request [\"logger\"]\n"
              "< a2 restart_request [\"logger\"]\n"
              "a3 as a1 restart T/forged\na3 as a2 restart\n"
              "a1 restart T/logger\na2 restart\n< c restart_response r [T a1 logger]\n"},
    {"answers to deployments that come twice",
     KNOWN STAGED "c deploy d\n" WELCOMED SENT "memory\n"
                  "a1 deploy T/logger\na1 deploy T/logger\na2 deploy! T/x\n"
                  "a2 deploy T/worker\n< t configuration deployed " CONFIG "\n"
                  "< c deploy_response d [T a1 logger] [T a2 worker] [T! \"id1\"]\n"},
    {"who has answered a deployment is not missing",
     KNOWN STAGED "c deploy d\n" WELCOMED SENT "memory\n"
                  "a1 deploy T/logger\na1 down\n< t instance lost a1@10.0.0.3 id\n"
                  "+ 10000\n< t timed_out d \"Management::Controller::API::deploy_request\"\n"
                  "< c deploy_response d [T a1 logger] [F! \"request timed out\"]\n"},
    {"an instance that is to be connected to from now on",
     DEPLOYED "c stage s id1 a1@10.0.0.3:2151,a2 logger@a1,worker@a2\n"
              "< t configuration staged id1 a1@10.0.0.3:2151,a2@0.0.0.0 logger@a1,worker@a2\n"
              "< c stage_configuration_response s [T! \"id1\"]\n"
              "c deploy e\n< a1 agent_standby_request\n< a1 agent_welcome_request\n"
              "< t instance standby a1@10.0.0.3 id\n"},
    {"restored nodes in any order",
     "restore id1 a1,a2 worker@a2,logger@a1,m@a1\n"
     "c id v X::y worker,none\n< c get_id_value_response v"
     " [F! none \"unknown cluster node\"] [F! a2 worker \"instance not connected\"]\n"},
    {"an agent behind another peer", "a3 via c\na3 hello\n< t instance stranger a3@0.0.0.0 id\n"},
    {"no address that is one",
     "option names 1\n"
     "a1 up\na1 hello\n< t instance known a1@0.0.0.0 id\n"
     "c stage s id1 a1 -\n< t configuration staged id1 a1@0.0.0.0\n"
     "< c stage_configuration_response s [T! \"id1\"]\n"
     "c deploy d\n< a1 agent_welcome_request\n"
     "a1 welcome T\n< t instance ready a1@0.0.0.0 id\n< t notify_agents_ready [\"a1\"]\n"
     "< a1 deploy_request id1 a1@0.0.0.0 false\n"},
};

START_TEST(as_they_are)
{
    (void)play(scripts[_i].name, scripts[_i].script, 0);
}
END_TEST

START_TEST(without_memory)
{
    size_t bad = 1;

    while (play(scripts[_i].name, scripts[_i].script, bad))
        bad++;
}
END_TEST

/* ----- what the caller is told at once ----- */

/* What take() says of events. */
struct taken {
    leat_zeek_controller *controller;
    int status[32]; /* by kind of event */
};

static void on_taken(void *context, size_t node, leat_session *session, const leat_event *event)
{
    struct taken *taken = (struct taken *)context;

    (void)session;
    if (node == CONTROLLER)
        taken->status[leat_event_kind(event)] = leat_zeek_controller_take(taken->controller, event);
}

/* Publishes an event without arguments, and tells what take() says. */
static int take_event(struct net *net, const char *topic, const char *name)
{
    struct taken *taken = (struct taken *)net->context;
    leat_builder *b;

    taken->status[LEAT_BROKER_DATA] = 99;
    ck_assert_int_eq(leat_builder_new(NULL, &b), LEAT_OK);
    (void)leat_zeek_event_open(b, NULL, name, strlen(name));
    (void)leat_builder_text(b, NULL, "", 0);
    ck_assert_int_eq(leat_zeek_event_close(b), LEAT_OK);
    ck_assert_int_eq(
        leat_broker_publish(net_broker(net, CLIENT), topic, strlen(topic), leat_builder_value(b)),
        LEAT_OK);
    leat_builder_free(b);
    net_run(net);
    return taken->status[LEAT_BROKER_DATA];
}

START_TEST(what_is_taken)
{
    const char *const all = LEAT_ZEEK_CONTROLLER_TOPIC, *const agents =
                                                            LEAT_ZEEK_AGENT_TOPIC_PREFIX;
    struct taken taken = {NULL, {0}};
    struct net net;

    net_init(&net);
    net.event = on_taken;
    net.context = &taken;
    (void)net_add(&net, NULL);
    (void)net_add(&net, NULL);
    ck_assert_int_eq(
        leat_zeek_controller_new(NULL, NULL, net_broker(&net, CONTROLLER), &taken.controller),
        LEAT_OK);
    net_peer(&net, CLIENT, CONTROLLER, 0);
    net_run(&net);
    ck_assert_int_eq(taken.status[LEAT_BROKER_PEER_ADDED], LEAT_MORE);
    ck_assert_int_eq(taken.status[LEAT_BROKER_ENDPOINT_DISCOVERED], LEAT_MORE);
#define C "Management::Controller::API::"
#define A "Management::Agent::API::"
    ck_assert_int_eq(take_event(&net, all, C "get_instances_request"), LEAT_OK);
    ck_assert_int_eq(take_event(&net, all, C "get_instances_response"), LEAT_MORE);
    ck_assert_int_eq(take_event(&net, all, C "notify_agents_ready"), LEAT_MORE);
    ck_assert_int_eq(take_event(&net, all, "X::y"), LEAT_MORE);
    ck_assert_int_eq(take_event(&net, all, A "deploy_response"), LEAT_MORE);
    ck_assert_int_eq(take_event(&net, LEAT_ZEEK_CONTROLLER_TOPIC "s", C "get_instances_request"),
                     LEAT_MORE);
    ck_assert_int_eq(take_event(&net, LEAT_ZEEK_AGENT_TOPIC_PREFIX "/a1", A "deploy_response"),
                     LEAT_OK);
    ck_assert_int_eq(take_event(&net, LEAT_ZEEK_AGENT_TOPIC_PREFIX "/a1", A "deploy_request"),
                     LEAT_MORE);
    ck_assert_int_eq(take_event(&net, agents, A "deploy_response"), LEAT_MORE);
    ck_assert_int_eq(take_event(&net, LEAT_ZEEK_AGENT_TOPIC_PREFIX "s/a1", A "deploy_response"),
                     LEAT_MORE);
    leat_zeek_controller_free(taken.controller);
    net_free(&net);
}
END_TEST

START_TEST(what_options_may_be)
{
    leat_zeek_controller_options options = {.size = 0};
    leat_zeek_controller *controller = NULL;
    struct net net;

    net_init(&net);
    (void)net_add(&net, NULL);
#define NEW leat_zeek_controller_new(NULL, &options, net_broker(&net, 0), &controller)
    ck_assert_int_eq(NEW, LEAT_E_VALUE);
    leat_zeek_controller_options_init(&options, sizeof options);
    ck_assert_uint_eq(options.port, 2150);
    ck_assert_uint_eq(options.auto_assign_broker_ports, 1);
    ck_assert_uint_eq(options.auto_assign_broker_start_port, 2200);
    ck_assert_uint_eq(options.auto_assign_metrics_ports, 1);
    ck_assert_uint_eq(options.auto_assign_metrics_start_port, 9000);
    ck_assert_uint_eq(options.retry_s, 1);
    ck_assert_uint_eq(options.timeout_ms, 10000);
    ck_assert_uint_eq(options.requests, 256);
    ck_assert_uint_eq(options.instances, 4096);
    ck_assert_uint_eq(options.events, 4096);
    options.port = 0;
    ck_assert_int_eq(NEW, LEAT_E_VALUE);
    options.port = 65536;
    ck_assert_int_eq(NEW, LEAT_E_VALUE);
    options.port = 65535;
    options.auto_assign_broker_start_port = 65536;
    ck_assert_int_eq(NEW, LEAT_E_VALUE);
    options.auto_assign_broker_start_port = 1;
    options.auto_assign_metrics_start_port = 0;
    ck_assert_int_eq(NEW, LEAT_E_VALUE);
    options.auto_assign_metrics_start_port = 65535;
    options.topic_prefix = "<$>/local/x";
    ck_assert_int_eq(NEW, LEAT_E_VALUE);
    options.topic_prefix = NULL;
    ck_assert_int_eq(NEW, LEAT_E_VALUE);
    options.topic_prefix = "agents";
    options.topic = "controller";
    ck_assert_int_eq(NEW, LEAT_OK);
    /* Both are subscribed to, and what was refused has left nothing. */
    ck_assert_int_eq(leat_broker_unsubscribe(net_broker(&net, 0), "agents", 6), LEAT_OK);
    ck_assert_int_eq(leat_broker_unsubscribe(net_broker(&net, 0), "controller", 10), LEAT_OK);
    ck_assert_int_eq(leat_broker_unsubscribe(net_broker(&net, 0), LEAT_ZEEK_CONTROLLER_TOPIC,
                                             strlen(LEAT_ZEEK_CONTROLLER_TOPIC)),
                     LEAT_E_STATE);
    ck_assert_uint_eq(leat_zeek_controller_deadline(controller), UINT64_MAX);
    leat_zeek_controller_free(controller);
    leat_zeek_controller_free(NULL);
    net_free(&net);
}
END_TEST

static int ask(leat_zeek_controller *controller, uint32_t kind, const char *json,
               leat_zeek_management_flaw *flaw)
{
    leat_builder *args = t_json(json, strlen(json));
    int status = leat_zeek_controller_request(controller, kind, leat_builder_value(args), flaw);

    leat_builder_free(args);
    return status;
}

static int give_back(leat_zeek_controller *controller, const char *json)
{
    leat_builder *config = t_json(json, strlen(json));
    int status = leat_zeek_controller_restore(controller, leat_builder_value(config));

    leat_builder_free(config);
    return status;
}

START_TEST(mistakes_of_the_caller)
{
    leat_zeek_controller_options options;
    leat_zeek_management_flaw flaw;
    leat_zeek_controller *controller;
    leat_builder *list;
    struct net net;
    char *text;

    net_init(&net);
    (void)net_add(&net, NULL);
    leat_zeek_controller_options_init(&options, sizeof options);
    options.instances = 2;
    ck_assert_int_eq(
        leat_zeek_controller_new(NULL, &options, net_broker(&net, CONTROLLER), &controller),
        LEAT_OK);
    leat_zeek_management_flaw_init(&flaw, sizeof flaw);
    ck_assert_int_eq(ask(controller, LEAT_ZEEK_CONTROLLER_DEPLOY_RESPONSE, "{}", NULL),
                     LEAT_E_VALUE);
    ck_assert_int_eq(ask(controller, LEAT_ZEEK_AGENT_DEPLOY_REQUEST, "{}", NULL), LEAT_E_VALUE);
    ck_assert_int_eq(ask(controller, LEAT_ZEEK_CONTROLLER_NOTIFY_AGENTS_READY, "{}", NULL),
                     LEAT_E_VALUE);
    ck_assert_int_eq(ask(controller, LEAT_ZEEK_CONTROLLER_DEPLOY_REQUEST, "{\"reqid\":1}", &flaw),
                     LEAT_E_VALUE);
    ck_assert_str_eq(flaw.argument, "reqid");
    ck_assert_int_eq(give_back(controller, "{\"id\":1}"), LEAT_E_VALUE);
    ck_assert_int_eq(give_back(controller, "{\"id\":\"c\",\"nodes\":[],\"instances\":"
                                           "[{\"name\":\"\",\"host\":\"1.2.3.4\"}]}"),
                     LEAT_E_VALUE);
    ck_assert_int_eq(give_back(controller, "{\"id\":\"c\",\"nodes\":[],\"instances\":"
                                           "[{\"name\":\"a\",\"host\":\"1.2.3.4\"},"
                                           "{\"name\":\"b\",\"host\":\"1.2.3.4\"},"
                                           "{\"name\":\"c\",\"host\":\"1.2.3.4\"}]}"),
                     LEAT_E_LIMIT);
    ck_assert_int_eq(leat_zeek_controller_restore(controller, NULL), LEAT_OK);
    ck_assert_int_eq(give_back(controller, "{\"id\":\"c\",\"nodes\":[],\"instances\":"
                                           "[{\"name\":\"b\",\"host\":\"1.2.3.4\"},"
                                           "{\"name\":\"a\",\"host\":\"1.2.3.4\","
                                           "\"listen_port\":\"7/tcp\"}]}"),
                     LEAT_OK);
    ck_assert_int_eq(leat_zeek_controller_restore(controller, NULL), LEAT_E_STATE);
    ck_assert_int_eq(leat_builder_new(NULL, &list), LEAT_OK);
    ck_assert_int_eq(leat_zeek_controller_instances(controller, list, NULL), LEAT_OK);
    text = t_json_text(leat_builder_value(list));
    ck_assert_str_eq(text, "[{\"name\":\"a\",\"host\":\"1.2.3.4\",\"listen_port\":\"7/tcp\","
                           "\"known\":false,\"wanted\":true,\"ready\":false},"
                           "{\"name\":\"b\",\"host\":\"1.2.3.4\",\"listen_port\":null,"
                           "\"known\":false,\"wanted\":true,\"ready\":false}]");
    free(text);
    leat_builder_free(list);
    leat_zeek_controller_free(controller);
    net_free(&net);
}
END_TEST

/* What is asked before the first tick waits as long as what is asked behind it. */
START_TEST(before_the_time_is_told)
{
    leat_zeek_controller *controller;
    struct net net;

    net_init(&net);
    (void)net_add(&net, NULL);
    ck_assert_int_eq(
        leat_zeek_controller_new(NULL, NULL, net_broker(&net, CONTROLLER), &controller), LEAT_OK);
    ck_assert_int_eq(ask(controller, LEAT_ZEEK_CONTROLLER_TEST_TIMEOUT_REQUEST,
                         "{\"reqid\":\"t\",\"with_state\":true}", NULL),
                     LEAT_OK);
    leat_zeek_controller_tick(controller, 1000000);
    ck_assert_uint_eq(leat_zeek_controller_deadline(controller), 1010000);
    leat_zeek_controller_tick(controller, 999000);
    ck_assert_int_eq(ask(controller, LEAT_ZEEK_CONTROLLER_TEST_TIMEOUT_REQUEST,
                         "{\"reqid\":\"u\",\"with_state\":true}", NULL),
                     LEAT_OK);
    leat_zeek_controller_tick(controller, 1009999);
    ck_assert_uint_eq(leat_zeek_controller_deadline(controller), 1010000);
    leat_zeek_controller_tick(controller, 1010000);
    ck_assert_uint_eq(leat_zeek_controller_deadline(controller), UINT64_MAX);
    /* It does not run back. */
    leat_zeek_controller_tick(controller, 5);
    ck_assert_int_eq(ask(controller, LEAT_ZEEK_CONTROLLER_TEST_TIMEOUT_REQUEST,
                         "{\"reqid\":\"v\",\"with_state\":true}", NULL),
                     LEAT_OK);
    ck_assert_uint_eq(leat_zeek_controller_deadline(controller), 1020000);
    leat_zeek_controller_free(controller);
    net_free(&net);
}
END_TEST

static void tests(TCase *tc)
{
    const int count = (int)(sizeof scripts / sizeof *scripts);

    tcase_add_loop_test(tc, as_they_are, 0, count);
    tcase_add_loop_test(tc, without_memory, 0, count);
    tcase_add_test(tc, what_is_taken);
    tcase_add_test(tc, what_options_may_be);
    tcase_add_test(tc, mistakes_of_the_caller);
    tcase_add_test(tc, before_the_time_is_told);
}

T_MAIN("zeek/controller", tests)
