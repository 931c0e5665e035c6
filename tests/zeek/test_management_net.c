/*
 * Agents and a controller of ours together, in memory: crowds of agents, that connect or are connected
 * to, and what a client asks of them, over a peering of its own or by the controller's caller; agents
 * that die and return, answer late, twice, wrongly or never. Each request is answered once, and nobody
 * is told more than it must be.
 */
#include "net.h"

#include <leat/broker.h>
#include <leat/zeek_agent.h>
#include <leat/zeek_controller.h>
#include <stdio.h>
#include <time.h>

/* Nodes of the net. */
#define CONTROLLER 0u
#define CLIENT     1u
#define FIRST      2u /* of the agents */

#define AGENTS     200u
#define KINDS      128u
#define REPLIES    512u
#define HELD       16u
#define NODES_EACH 2u

/* Until time is over for an agent, for a controller. */
#define AGENT_MS      5000u
#define CONTROLLER_MS 10000u

#define GET_INSTANCES     LEAT_ZEEK_CONTROLLER_GET_INSTANCES_REQUEST
#define STAGE             LEAT_ZEEK_CONTROLLER_STAGE_CONFIGURATION_REQUEST
#define GET_CONFIGURATION LEAT_ZEEK_CONTROLLER_GET_CONFIGURATION_REQUEST
#define DEPLOY            LEAT_ZEEK_CONTROLLER_DEPLOY_REQUEST
#define GET_NODES         LEAT_ZEEK_CONTROLLER_GET_NODES_REQUEST
#define GET_ID_VALUE      LEAT_ZEEK_CONTROLLER_GET_ID_VALUE_REQUEST
#define RESTART           LEAT_ZEEK_CONTROLLER_RESTART_REQUEST
#define TEST_TIMEOUT      LEAT_ZEEK_CONTROLLER_TEST_TIMEOUT_REQUEST

#define WELCOME_REQUEST   LEAT_ZEEK_AGENT_AGENT_WELCOME_REQUEST
#define STANDBY_REQUEST   LEAT_ZEEK_AGENT_AGENT_STANDBY_REQUEST
#define DEPLOY_REQUEST    LEAT_ZEEK_AGENT_DEPLOY_REQUEST
#define GET_NODES_REQUEST LEAT_ZEEK_AGENT_GET_NODES_REQUEST
#define DISPATCH_REQUEST  LEAT_ZEEK_AGENT_NODE_DISPATCH_REQUEST
#define RESTART_REQUEST   LEAT_ZEEK_AGENT_RESTART_REQUEST

/* How an agent's caller treats a request. */
enum habit {
    WILLING,
    REFUSES,
    SILENT, /* the agent says itself that time is over */
    LATE,   /* answers late_ms later */
    TWICE,  /* and so does somebody beside the agent */
    WRONG,  /* somebody beside the agent answers what is in the world's wrong */
    FORGED, /* so does a client, before the agent can */
    DIES    /* its process does, when it is asked */
};

struct held {
    uint64_t request;
    uint64_t due_ms;
    uint32_t kind;
    leat_builder *value; /* NULL: this place is free */
};

struct host {
    leat_zeek_agent *agent; /* NULL: it is down */
    size_t node;
    bool listens;
    unsigned port; /* where it does, as a configuration has it */
    char name[32];
    enum habit habits[KINDS]; /* by the kind of the request */
    unsigned asked[KINDS];    /* requests that came to the caller */
    unsigned came[KINDS];     /* events that came over the net */
    size_t unspecified;       /* hosts of 0.0.0.0 in what it was to deploy */
    struct held held[HELD];
    bool dead; /* it must be killed when the net rests */
};

struct reply {
    char reqid[24];
    uint32_t kind;
    uint64_t at_ms;
    leat_builder *args;
    bool published; /* else told by the controller */
};

struct world {
    struct net net;
    leat_zeek_controller *controller;
    struct host hosts[AGENTS];
    size_t count;
    uint64_t late_ms;
    const char *wrong; /* what stands behind the reqid of a wrong answer: JSON; %s is that reqid */
    struct reply replies[REPLIES];
    size_t reply_count;
    unsigned told[KINDS]; /* by the controller */
    char whats[16][16];   /* what happened to instances, in words, and how often */
    unsigned what_counts[16];
    leat_builder *deployed; /* what the controller said to keep */
    unsigned asked;         /* requests that were made */
    bool local;             /* by the controller's caller, not by the client */
};

static leat_builder *empty(void)
{
    leat_builder *b;

    ck_assert_int_eq(leat_builder_new(NULL, &b), LEAT_OK);
    return b;
}

static void add_text(leat_builder *b, const char *name, const char *text)
{
    (void)leat_builder_text(b, name, text, strlen(text));
}

static void copy_of(char *to, size_t size, const leat_value *text)
{
    size_t length;
    const char *octets = leat_value_text(text, &length);

    (void)snprintf(to, size, "%.*s", (int)length, octets);
}

/* ----- agents ----- */

static void agent_topic(const struct host *host, char topic[64])
{
    (void)snprintf(topic, 64, LEAT_ZEEK_AGENT_TOPIC_PREFIX "/%s", host->name);
}

/* Publishes an event beside the agent; args is JSON. */
static void publish_raw(struct world *w, size_t node, const char *topic, const char *event,
                        const char *args)
{
    leat_builder *list = t_json(args, strlen(args)), *b = empty();
    const leat_value *arg, *all = leat_builder_value(list);

    ck_assert_int_eq(leat_zeek_event_open(b, NULL, event, strlen(event)), LEAT_OK);
    for (arg = leat_value_first(all); arg != NULL; arg = leat_value_next(all, arg))
        (void)leat_builder_copy(b, NULL, arg);
    ck_assert_int_eq(leat_zeek_event_close(b), LEAT_OK);
    ck_assert_int_eq(
        leat_broker_publish(net_broker(&w->net, node), topic, strlen(topic), leat_builder_value(b)),
        LEAT_OK);
    leat_builder_free(list);
    leat_builder_free(b);
}

/* The response to a request of that kind stands behind it. */
static void answer_beside(struct world *w, const struct host *host, size_t node, uint32_t kind,
                          const leat_value *request, const char *format)
{
    char topic[64], reqid[64], args[512];
    const char *mark = strstr(format, "%s");

    agent_topic(host, topic);
    copy_of(reqid, sizeof reqid, leat_value_get(request, "reqid"));
    if (mark != NULL)
        (void)snprintf(args, sizeof args, "%.*s%s%s", (int)(mark - format), format, reqid,
                       mark + 2);
    else
        (void)snprintf(args, sizeof args, "%s", format);
    publish_raw(w, node, topic, leat_zeek_management_name(kind + 1), args);
}

/* What each of own gives, or that it is there again. */
static void answer_nodes(struct host *host, uint64_t request, const leat_value *own)
{
    leat_builder *b = empty();
    const leat_value *node;
    char name[64], data[72];

    (void)leat_builder_open(b, NULL, LEAT_LIST);
    for (node = leat_value_first(own); node != NULL; node = leat_value_next(own, node)) {
        copy_of(name, sizeof name, node);
        (void)snprintf(data, sizeof data, "\"%s\"", name);
        (void)leat_builder_open(b, NULL, LEAT_RECORD);
        (void)leat_builder_copy(b, "node", node);
        add_text(b, "data", data);
        (void)leat_builder_close(b);
    }
    (void)leat_builder_close(b);
    ck_assert_int_eq(leat_zeek_agent_answer(host->agent, request, leat_builder_value(b)), LEAT_OK);
    leat_builder_free(b);
}

static void answer(struct host *host, uint32_t kind, const leat_value *value)
{
    uint64_t request = leat_value_u64(leat_value_get(value, "request"));
    const leat_value *own = leat_value_get(value, "own"), *node;

    if (kind == DISPATCH_REQUEST) {
        answer_nodes(host, request, own);
        return;
    }
    ck_assert_int_eq(leat_zeek_agent_done(host->agent, request), LEAT_OK);
    for (node = leat_value_first(own); kind == RESTART_REQUEST && node != NULL;
         node = leat_value_next(own, node)) {
        size_t length;
        const char *name = leat_value_text(node, &length);

        ck_assert_int_eq(
            leat_zeek_agent_node(host->agent, name, length, LEAT_ZEEK_STATE_RUNNING, 4711),
            LEAT_OK);
    }
}

static void refuse(struct host *host, const leat_value *value)
{
    leat_builder *b = t_json("{\"success\":false,\"error\":\"no\"}", 30);

    ck_assert_int_eq(leat_zeek_agent_answer(host->agent,
                                            leat_value_u64(leat_value_get(value, "request")),
                                            leat_builder_value(b)),
                     LEAT_OK);
    leat_builder_free(b);
}

static void hold(struct world *w, struct host *host, uint32_t kind, const leat_value *value)
{
    struct held *held;
    size_t i = 0;

    while (host->held[i].value != NULL)
        ck_assert_uint_lt(++i, HELD);
    held = &host->held[i];
    held->request = leat_value_u64(leat_value_get(value, "request"));
    held->due_ms = w->net.now_ms + w->late_ms;
    held->kind = kind;
    held->value = empty();
    ck_assert_int_eq(leat_builder_copy(held->value, NULL, value), LEAT_OK);
}

static size_t count_unspecified(const leat_value *config)
{
    const leat_value *instances = leat_value_get(config, "instances"), *it;
    size_t count = 0;

    for (it = leat_value_first(instances); it != NULL; it = leat_value_next(instances, it)) {
        char *text = t_json_text(leat_value_get(it, "host"));

        count += strcmp(text, "\"0.0.0.0\"") == 0;
        free(text);
    }
    return count;
}

static void do_request(struct world *w, struct host *host, uint32_t kind, const leat_value *value)
{
    host->asked[kind]++;
    if (kind == DEPLOY_REQUEST)
        host->unspecified += count_unspecified(leat_value_get(value, "config"));
    switch (host->habits[kind]) {
    case REFUSES:
        refuse(host, value);
        break;
    case SILENT:
        break;
    case LATE:
        hold(w, host, kind, value);
        break;
    case TWICE:
        answer(host, kind, value);
        answer_beside(w, host, host->node, kind, value, w->wrong);
        break;
    case WRONG:
        answer_beside(w, host, host->node, kind, value, w->wrong);
        break;
    case FORGED:
        answer_beside(w, host, CLIENT, kind, value, w->wrong);
        hold(w, host, kind, value);
        break;
    case DIES:
        host->dead = true;
        break;
    default:
        answer(host, kind, value);
    }
}

static void serve(struct world *w, struct host *host)
{
    const leat_event *event;

    while (!host->dead && leat_zeek_agent_next(host->agent, &event) == LEAT_OK) {
        uint32_t kind = leat_event_kind(event);

        ck_assert_uint_lt(kind, KINDS);
        if (leat_value_get(leat_event_value(event), "reqid") != NULL)
            do_request(w, host, kind, leat_event_value(event));
        else
            host->asked[kind]++;
    }
}

static void answer_held(struct world *w, struct host *host)
{
    size_t i;

    for (i = 0; i < HELD; i++) {
        struct held *held = &host->held[i];

        if (held->value == NULL || held->due_ms > w->net.now_ms)
            continue;
        if (w->late_ms < AGENT_MS)
            answer(host, held->kind, leat_builder_value(held->value));
        else /* it has said so itself */
            ck_assert_int_eq(leat_zeek_agent_done(host->agent, held->request), LEAT_E_STATE);
        leat_builder_free(held->value);
        held->value = NULL;
    }
}

/* ----- the controller and the client ----- */

static struct reply *reply_of(struct world *w, const char *reqid, bool published)
{
    struct reply *found = NULL;
    size_t i;

    for (i = 0; i < w->reply_count; i++) {
        if (w->replies[i].published != published || strcmp(w->replies[i].reqid, reqid) != 0)
            continue;
        ck_assert_msg(found == NULL, "%s was answered twice", reqid);
        found = &w->replies[i];
    }
    return found;
}

static bool is_response(uint32_t kind)
{
    return kind >= GET_INSTANCES && kind <= TEST_TIMEOUT + 1 && (kind - GET_INSTANCES) % 2 == 1;
}

static void note_reply(struct world *w, uint32_t kind, const leat_value *args, bool published)
{
    struct reply *reply = &w->replies[w->reply_count];

    ck_assert_uint_lt(w->reply_count, REPLIES);
    w->reply_count++;
    copy_of(reply->reqid, sizeof reply->reqid, leat_value_get(args, "reqid"));
    reply->kind = kind;
    reply->at_ms = w->net.now_ms;
    reply->published = published;
    reply->args = empty();
    ck_assert_int_eq(leat_builder_copy(reply->args, NULL, args), LEAT_OK);
    (void)reply_of(w, reply->reqid, published);
}

static void note_what(struct world *w, const leat_value *what)
{
    char word[16];
    size_t i = 0;

    copy_of(word, sizeof word, what);
    while (w->whats[i][0] != '\0' && strcmp(w->whats[i], word) != 0)
        ck_assert_uint_lt(++i, 16);
    memcpy(w->whats[i], word, sizeof word);
    w->what_counts[i]++;
}

static unsigned what_count(const struct world *w, const char *word)
{
    size_t i;

    for (i = 0; i < 16; i++) {
        if (strcmp(w->whats[i], word) == 0)
            return w->what_counts[i];
    }
    return 0;
}

static void keep_deployed(struct world *w, const leat_value *value)
{
    char what[16];

    copy_of(what, sizeof what, leat_value_get(value, "what"));
    if (strcmp(what, "deployed") != 0)
        return;
    leat_builder_clear(w->deployed);
    ck_assert_int_eq(leat_builder_copy(w->deployed, NULL, leat_value_get(value, "configuration")),
                     LEAT_OK);
}

static void listen_to_controller(struct world *w)
{
    const leat_event *event;

    while (leat_zeek_controller_next(w->controller, &event) == LEAT_OK) {
        uint32_t kind = leat_event_kind(event);

        ck_assert_uint_lt(kind, KINDS);
        w->told[kind]++;
        if (kind == LEAT_ZEEK_INSTANCE)
            note_what(w, leat_value_get(leat_event_value(event), "what"));
        else if (kind == LEAT_ZEEK_CONFIGURATION)
            keep_deployed(w, leat_event_value(event));
        else if (is_response(kind))
            note_reply(w, kind, leat_event_value(event), false);
    }
}

/* The kind of an event of the framework that came; 0: it is none. args: its arguments, or NULL. */
static uint32_t read_event(const leat_event *event, leat_builder *args)
{
    leat_zeek_message message;
    uint32_t kind;

    leat_zeek_message_init(&message, sizeof message);
    if (leat_event_kind(event) != LEAT_BROKER_DATA ||
        leat_zeek_read(leat_value_get(leat_event_value(event), "data"), &message) != LEAT_OK)
        return 0;
    kind = leat_zeek_management_kind(&message);
    if (kind != 0 && args != NULL)
        ck_assert_int_eq(leat_zeek_management_read(args, NULL, &message, NULL), LEAT_OK);
    return kind;
}

static void to_client(struct world *w, const leat_event *event)
{
    leat_builder *args = empty();
    uint32_t kind = read_event(event, args);

    if (is_response(kind))
        note_reply(w, kind, leat_builder_value(args), true);
    leat_builder_free(args);
}

static void on_event(void *context, size_t node, leat_session *session, const leat_event *event)
{
    struct world *w = (struct world *)context;
    struct host *host;

    (void)session;
    if (node == CONTROLLER && w->controller != NULL) {
        ck_assert_int_ge(leat_zeek_controller_take(w->controller, event), LEAT_OK);
        listen_to_controller(w);
    } else if (node == CLIENT) {
        to_client(w, event);
    } else if (node >= FIRST && w->hosts[node - FIRST].agent != NULL) {
        host = &w->hosts[node - FIRST];
        host->came[read_event(event, NULL)]++;
        ck_assert_int_ge(leat_zeek_agent_take(host->agent, event), LEAT_OK);
        serve(w, host);
    }
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t deadline(void *context)
{
    struct world *w = (struct world *)context;
    uint64_t due =
        w->controller == NULL ? UINT64_MAX : leat_zeek_controller_deadline(w->controller);
    size_t i, j;

    for (i = 0; i < w->count; i++) {
        if (w->hosts[i].agent == NULL)
            continue;
        due = earlier(due, leat_zeek_agent_deadline(w->hosts[i].agent));
        for (j = 0; j < HELD; j++) {
            if (w->hosts[i].held[j].value != NULL)
                due = earlier(due, w->hosts[i].held[j].due_ms);
        }
    }
    return due;
}

static void tick(void *context)
{
    struct world *w = (struct world *)context;
    size_t i;

    if (w->controller != NULL) {
        leat_zeek_controller_tick(w->controller, w->net.now_ms);
        listen_to_controller(w);
    }
    for (i = 0; i < w->count; i++) {
        if (w->hosts[i].agent == NULL)
            continue;
        leat_zeek_agent_tick(w->hosts[i].agent, w->net.now_ms);
        serve(w, &w->hosts[i]);
        answer_held(w, &w->hosts[i]);
    }
}

/* ----- the world ----- */

static void start_controller(struct world *w)
{
    leat_zeek_controller_options options;

    leat_zeek_controller_options_init(&options, sizeof options);
    ck_assert_int_eq(
        leat_zeek_controller_new(NULL, &options, net_broker(&w->net, CONTROLLER), &w->controller),
        LEAT_OK);
    leat_zeek_controller_tick(w->controller, w->net.now_ms);
}

static void kill_controller(struct world *w)
{
    leat_zeek_controller_free(w->controller);
    w->controller = NULL;
    net_kill(&w->net, CONTROLLER);
}

static void start_agent(struct world *w, struct host *host)
{
    leat_zeek_agent_options options;
    char address[24];

    leat_zeek_agent_options_init(&options, sizeof options);
    net_address(&w->net, CONTROLLER, address);
    options.name = host->name;
    options.controller_address = host->listens ? NULL : address;
    options.pid = (int64_t)host->node;
    ck_assert_int_eq(
        leat_zeek_agent_new(NULL, &options, net_broker(&w->net, host->node), &host->agent),
        LEAT_OK);
    leat_zeek_agent_tick(host->agent, w->net.now_ms);
}

static void kill_agent(struct world *w, size_t number)
{
    struct host *host = &w->hosts[number];
    size_t i;

    for (i = 0; i < HELD; i++) {
        leat_builder_free(host->held[i].value);
        host->held[i].value = NULL;
    }
    leat_zeek_agent_free(host->agent);
    host->agent = NULL;
    host->dead = false;
    net_kill(&w->net, host->node);
}

static void return_agent(struct world *w, size_t number)
{
    net_restart(&w->net, w->hosts[number].node, NULL);
    start_agent(w, &w->hosts[number]);
}

/* Names of one length, unless a format says otherwise. */
static struct world *world_new(size_t count, bool listens, const char *format)
{
    struct world *w = (struct world *)calloc(1, sizeof *w);
    size_t i;

    ck_assert_ptr_nonnull(w);
    net_init(&w->net);
    w->net.quiet = true;
    w->net.internet = true;
    w->net.named_only = true;
    w->net.event = on_event;
    w->net.deadline = deadline;
    w->net.tick = tick;
    w->net.context = w;
    w->net.now_ms = 1000;
    w->deployed = empty();
    w->count = count;
    (void)net_add(&w->net, NULL);
    start_controller(w);
    (void)net_add(&w->net, NULL);
    net_subscribe(&w->net, CLIENT, LEAT_ZEEK_CONTROLLER_TOPIC);
    net_peer(&w->net, CLIENT, CONTROLLER, 1);
    for (i = 0; i < count; i++) {
        struct host *host = &w->hosts[i];

        host->node = net_add(&w->net, NULL);
        host->listens = listens;
        host->port = 2151;
        if (format == NULL)
            (void)snprintf(host->name, sizeof host->name, "agent-%03u", (unsigned)i);
        else
            (void)snprintf(host->name, sizeof host->name, "%.*s", (int)i + 1, format);
        start_agent(w, host);
    }
    net_advance(&w->net, 100);
    return w;
}

static void world_free(struct world *w)
{
    size_t i;

    for (i = 0; i < w->count; i++) {
        if (w->hosts[i].agent != NULL)
            kill_agent(w, i);
    }
    for (i = 0; i < w->reply_count; i++)
        leat_builder_free(w->replies[i].args);
    leat_zeek_controller_free(w->controller);
    net_free(&w->net);
    leat_builder_free(w->deployed);
    free(w);
}

/* ----- requests ----- */

static void node_name(char name[48], const struct host *host, size_t number)
{
    (void)snprintf(name, 48, "%s-%u", host->name, (unsigned)number);
}

/* Management::Configuration: agents from first to behind, with so many nodes each. */
static void add_configuration(leat_builder *b, const struct world *w, const char *id, size_t first,
                              size_t behind, size_t nodes)
{
    char name[48], port[16];
    size_t i, j;

    (void)leat_builder_open(b, "config", LEAT_RECORD);
    add_text(b, "id", id);
    (void)leat_builder_open(b, "instances", LEAT_LIST);
    for (i = first; i < behind; i++) {
        const struct host *host = &w->hosts[i];

        net_address(&w->net, host->node, name);
        (void)leat_builder_open(b, NULL, LEAT_RECORD);
        add_text(b, "name", host->name);
        add_text(b, "host", host->listens ? name : "0.0.0.0");
        (void)snprintf(port, sizeof port, "%u/tcp", host->port);
        if (host->listens)
            add_text(b, "listen_port", port);
        (void)leat_builder_close(b);
    }
    (void)leat_builder_close(b);
    (void)leat_builder_open(b, "nodes", LEAT_LIST);
    for (i = first; i < behind; i++) {
        for (j = 0; j < nodes; j++) {
            node_name(name, &w->hosts[i], j);
            (void)leat_builder_open(b, NULL, LEAT_RECORD);
            add_text(b, "name", name);
            add_text(b, "instance", w->hosts[i].name);
            add_text(b, "role",
                     i == first && j == 0 ? "Supervisor::MANAGER" : "Supervisor::WORKER");
            add_text(b, "state", LEAT_ZEEK_STATE_RUNNING);
            (void)leat_builder_close(b);
        }
    }
    (void)leat_builder_close(b);
    (void)leat_builder_close(b);
}

/* Sends a request whose arguments, but for the reqid, are open in a builder; gives the reqid. */
static void send_request(struct world *w, uint32_t kind, leat_builder *args, char reqid[24])
{
    leat_zeek_management_flaw flaw;
    leat_builder *b = empty();

    leat_zeek_management_flaw_init(&flaw, sizeof flaw);
    (void)snprintf(reqid, 24, "request-%u", w->asked++);
    add_text(args, "reqid", reqid);
    ck_assert_int_eq(leat_builder_close(args), LEAT_OK);
    if (w->local) {
        ck_assert_int_eq(
            leat_zeek_controller_request(w->controller, kind, leat_builder_value(args), &flaw),
            LEAT_OK);
        listen_to_controller(w);
    } else {
        ck_assert_msg(leat_zeek_management_write(b, NULL, kind, leat_builder_value(args), &flaw) ==
                          LEAT_OK,
                      "%s %s: %s", flaw.record, flaw.field, flaw.what);
        ck_assert_int_eq(
            leat_broker_publish(net_broker(&w->net, CLIENT), LEAT_ZEEK_CONTROLLER_TOPIC,
                                strlen(LEAT_ZEEK_CONTROLLER_TOPIC), leat_builder_value(b)),
            LEAT_OK);
    }
    leat_builder_free(b);
    leat_builder_free(args);
}

static leat_builder *open_args(void)
{
    leat_builder *b = empty();

    ck_assert_int_eq(leat_builder_open(b, NULL, LEAT_RECORD), LEAT_OK);
    return b;
}

/* Kills those that are to die, as they cannot while the net is at work. */
static void run(struct world *w, uint64_t ms)
{
    size_t i;

    net_advance(&w->net, ms);
    for (i = 0; i < w->count; i++) {
        if (w->hosts[i].dead)
            kill_agent(w, i);
    }
    net_run(&w->net);
}

/* How often each error is among the Results, and how many went well: "3 ok, 1 unknown cluster node". */
static char *digest(const leat_value *args)
{
    struct t_bytes text = t_copy("", 0);
    const leat_value *results = leat_value_get(args, "results"), *result;
    char errors[8][64] = {{0}}, line[96], error[64];
    unsigned counts[8] = {0}, well = 0;
    size_t i, j, kinds = 0;

    if (results == NULL)
        results = args; /* one Result behind the reqid, which has no success */
    for (result = leat_value_first(results); result != NULL;
         result = leat_value_next(results, result)) {
        const leat_value *success = leat_value_get(result, "success");

        if (success == NULL)
            continue;
        if (leat_value_bool(success)) {
            well++;
            continue;
        }
        copy_of(error, sizeof error, leat_value_get(result, "error"));
        for (i = 0; i < kinds && strcmp(errors[i], error) < 0; i++)
            ;
        if (i == kinds || strcmp(errors[i], error) != 0) {
            ck_assert_uint_lt(kinds, 8);
            for (j = kinds++; j > i; j--) {
                memcpy(errors[j], errors[j - 1], sizeof errors[j]);
                counts[j] = counts[j - 1];
            }
            memcpy(errors[i], error, sizeof error);
            counts[i] = 0;
        }
        counts[i]++;
    }
    (void)snprintf(line, sizeof line, "%u ok", well);
    t_append(&text, line, strlen(line));
    for (i = 0; i < kinds; i++) {
        (void)snprintf(line, sizeof line, ", %u %s", counts[i], errors[i]);
        t_append(&text, line, strlen(line));
    }
    return (char *)text.data;
}

/* Waits for the response to a request, until it is late. */
static const struct reply *wait_for(struct world *w, const char *reqid, uint64_t within_ms)
{
    uint64_t until = w->net.now_ms + within_ms;

    run(w, 0);
    while (reply_of(w, reqid, false) == NULL && w->net.now_ms < until)
        run(w, 100);
    return reply_of(w, reqid, false);
}

/* What is told may lack what is not set. */
static void same_event(uint32_t kind, const leat_value *a, const leat_value *b)
{
    leat_builder *one = empty(), *other = empty();

    ck_assert_int_eq(leat_zeek_management_write(one, NULL, kind, a, NULL), LEAT_OK);
    ck_assert_int_eq(leat_zeek_management_write(other, NULL, kind, b, NULL), LEAT_OK);
    ck_assert(leat_value_equal(leat_builder_value(one), leat_builder_value(other)));
    leat_builder_free(one);
    leat_builder_free(other);
}

/* That a request was answered just so, and no later. */
static void answered(struct world *w, const char *reqid, uint32_t kind, uint64_t within_ms,
                     const char *expected)
{
    const struct reply *reply = wait_for(w, reqid, within_ms), *published;
    char *text;

    ck_assert_msg(reply != NULL, "%s %s was not answered", leat_zeek_management_name(kind), reqid);
    ck_assert_uint_eq(reply->kind, kind + 1);
    text = digest(leat_builder_value(reply->args));
    ck_assert_str_eq(text, expected);
    free(text);
    published = reply_of(w, reqid, true);
    ck_assert((published == NULL) == w->local);
    if (published != NULL)
        same_event(kind + 1, leat_builder_value(published->args), leat_builder_value(reply->args));
}

/* Asks and waits; args is JSON without the reqid, or NULL. */
static void ask(struct world *w, uint32_t kind, const char *args, uint64_t within_ms,
                const char *expected)
{
    leat_builder *b = open_args(), *given = NULL;
    const leat_value *fields = NULL, *field;
    char reqid[24];

    if (args != NULL) {
        given = t_json(args, strlen(args));
        fields = leat_builder_value(given);
    }
    for (field = leat_value_first(fields); field != NULL; field = leat_value_next(fields, field))
        (void)leat_builder_copy(b, NULL, field);
    send_request(w, kind, b, reqid);
    answered(w, reqid, kind, within_ms, expected);
    leat_builder_free(given);
}

static void stage(struct world *w, const char *id, size_t first, size_t behind, size_t nodes)
{
    leat_builder *b = open_args();
    char reqid[24];

    add_configuration(b, w, id, first, behind, nodes);
    send_request(w, STAGE, b, reqid);
    answered(w, reqid, STAGE, 0, "1 ok");
}

/* So many Results that are well. */
static const char *ok(char text[32], size_t count)
{
    (void)snprintf(text, 32, "%zu ok", count);
    return text;
}

/* Of a deployment: those of the nodes, or of agents that have none or have it already, and the last one. */
static void deploy(struct world *w, size_t results)
{
    char text[32];

    ask(w, DEPLOY, NULL, 3000, ok(text, results + 1));
}

/* The instances that are known, wanted and ready: "3 3 3". */
static void instances(struct world *w, size_t known, size_t wanted, size_t ready)
{
    leat_builder *b = empty();
    const leat_value *list, *it;

    ck_assert_int_eq(leat_zeek_controller_instances(w->controller, b, NULL), LEAT_OK);
    list = leat_builder_value(b);
    for (it = leat_value_first(list); it != NULL; it = leat_value_next(list, it)) {
        known -= (size_t)leat_value_bool(leat_value_get(it, "known"));
        wanted -= (size_t)leat_value_bool(leat_value_get(it, "wanted"));
        ready -= (size_t)leat_value_bool(leat_value_get(it, "ready"));
    }
    ck_assert_uint_eq(known, 0);
    ck_assert_uint_eq(wanted, 0);
    ck_assert_uint_eq(ready, 0);
    leat_builder_free(b);
}

/* The entries of all Results of the reply to the last request. */
static size_t entries(struct world *w)
{
    const leat_value *results, *result;
    char reqid[24];
    size_t count = 0;

    (void)snprintf(reqid, sizeof reqid, "request-%u", w->asked - 1);
    results = leat_value_get(leat_builder_value(reply_of(w, reqid, false)->args), "results");
    for (result = leat_value_first(results); result != NULL;
         result = leat_value_next(results, result))
        count += leat_value_count(leat_value_get(result, "data"));
    return count;
}

/* That the reply to the last request lists all agents, where they are, and where they listen. */
static void same_instances(struct world *w)
{
    const leat_value *list, *it;
    char reqid[24], name[32], address[24], quoted[28], *host;
    size_t i = 0;

    (void)snprintf(reqid, sizeof reqid, "request-%u", w->asked - 1);
    list = leat_value_get(leat_builder_value(reply_of(w, reqid, false)->args), "result");
    list = leat_value_get(list, "data");
    ck_assert_uint_eq(leat_value_count(list), w->count);
    for (it = leat_value_first(list); it != NULL; it = leat_value_next(list, it), i++) {
        copy_of(name, sizeof name, leat_value_get(it, "name"));
        ck_assert_str_eq(name, w->hosts[i].name);
        net_address(&w->net, w->hosts[i].node, address);
        (void)snprintf(quoted, sizeof quoted, "\"%s\"", address);
        host = t_json_text(leat_value_get(it, "host"));
        ck_assert_str_eq(host, quoted);
        free(host);
        ck_assert_uint_eq(leat_value_port(leat_value_get(it, "listen_port")),
                          w->hosts[i].listens ? w->hosts[i].port : 0);
    }
}

/* That each Result of that reply has the name of its node as data. */
static void same_names(struct world *w)
{
    const leat_value *results, *result;
    char reqid[24], node[48], data[48], quoted[52];

    (void)snprintf(reqid, sizeof reqid, "request-%u", w->asked - 1);
    results = leat_value_get(leat_builder_value(reply_of(w, reqid, false)->args), "results");
    for (result = leat_value_first(results); result != NULL;
         result = leat_value_next(results, result)) {
        copy_of(node, sizeof node, leat_value_get(result, "node"));
        copy_of(data, sizeof data, leat_value_get(result, "data"));
        (void)snprintf(quoted, sizeof quoted, "\"%s\"", node);
        ck_assert_str_eq(data, quoted);
    }
}

/* That each of these agents got so many events of that kind, and its caller so many to do. */
static void came(const struct world *w, size_t first, size_t behind, uint32_t kind, unsigned events,
                 unsigned asked)
{
    size_t i;

    for (i = first; i < behind; i++) {
        ck_assert_msg(w->hosts[i].came[kind] == events && w->hosts[i].asked[kind] == asked,
                      "agent %zu: %u, %u of %s", i, w->hosts[i].came[kind], w->hosts[i].asked[kind],
                      leat_zeek_management_name(kind));
    }
}

/* All requests were answered, and told, once; and nothing was malformed. */
static void all_answered(struct world *w)
{
    char reqid[24];
    unsigned i;

    for (i = 0; i < w->asked; i++) {
        (void)snprintf(reqid, sizeof reqid, "request-%u", i);
        ck_assert_ptr_nonnull(reply_of(w, reqid, false));
    }
    ck_assert_uint_eq(w->told[LEAT_ZEEK_MALFORMED], 0);
}

/* ----- crowds ----- */

static const struct {
    const char *name;
    size_t agents;
    bool listens, local;
} crowds[] = {
    {"one that connects", 1, false, false},  {"one that is connected to", 1, true, true},
    {"ten that connect", 10, false, true},   {"ten that are connected to", 10, true, false},
    {"200 that connect", 200, false, false}, {"200 that are connected to", 200, true, true},
};

static struct world *crowd(int i)
{
    struct world *w = world_new(crowds[i].agents, crowds[i].listens, NULL);

    w->local = crowds[i].local;
    return w;
}

/* All that a client can ask for, and what agents hear of it. */
START_TEST(life)
{
    struct world *w = crowd(_i);
    size_t i, count = w->count, known = crowds[_i].listens ? 0 : count;
    char text[64];

    instances(w, known, 0, 0);
    ask(w, GET_NODES, NULL, 100, known > 0 ? ok(text, known) : "0 ok, 1 no instances connected");
    ask(w, DEPLOY, NULL, 100, "0 ok, 1 no configuration available to deploy");
    stage(w, "config-1", 0, count, NODES_EACH);
    came(w, 0, count, WELCOME_REQUEST, 0, 0);
    deploy(w, NODES_EACH * count);
    instances(w, count, count, count);
    came(w, 0, count, WELCOME_REQUEST, 1, 1);
    came(w, 0, count, DEPLOY_REQUEST, 1, 1);
    ck_assert_uint_eq(w->told[LEAT_ZEEK_CONTROLLER_NOTIFY_AGENTS_READY], 1);
    ck_assert_uint_eq(what_count(w, "ready"), count);

    deploy(w, count); /* they have it already */
    came(w, 0, count, DEPLOY_REQUEST, 2, 1);
    ask(w, GET_INSTANCES, NULL, 100, "1 ok");
    same_instances(w);
    ask(w, GET_NODES, NULL, 100, ok(text, count));
    ck_assert_uint_eq(entries(w), (1 + NODES_EACH) * count);
    ask(w, GET_ID_VALUE, "{\"id\":\"x\"}", 100, ok(text, NODES_EACH * count));
    same_names(w);
    ask(w, GET_ID_VALUE, "{\"id\":\"x\",\"nodes\":[\"agent-000-0\"]}", 100, "1 ok");
    ask(w, GET_ID_VALUE, "{\"id\":\"x\",\"nodes\":[\"agent-000-0\",\"y\"]}", 100,
        "1 ok, 1 unknown cluster node");
    came(w, 0, 1, DISPATCH_REQUEST, 3, 3);
    came(w, 1, count, DISPATCH_REQUEST, 3, 1);
    ask(w, GET_ID_VALUE, "{\"id\":\"x\",\"nodes\":[\"y\",\"z\"]}", 100,
        "0 ok, 2 unknown cluster node");
    came(w, 0, 1, DISPATCH_REQUEST, 3, 3);
    ask(w, RESTART, NULL, 100, ok(text, NODES_EACH * count));
    ask(w, RESTART, "{\"nodes\":[\"agent-000-1\"]}", 100, "1 ok");
    came(w, 0, 1, RESTART_REQUEST, 2, 2);
    came(w, 1, count, RESTART_REQUEST, 2, 1);
    ask(w, GET_CONFIGURATION, "{\"deployed\":true}", 100, "1 ok");
    all_answered(w);

    /* Requests of the client; and of each agent its hello, its responses, and states of its nodes. */
    ck_assert_uint_le(w->net.nodes[CONTROLLER].data, 16 + count * (1 + 1 + 2 + 1 + 3 + 2 + 16));
    for (i = 0; i < count; i++)
        ck_assert_uint_le(w->net.nodes[FIRST + i].data, 1 + 2 + 2 + 3 + 2);
    world_free(w);
}
END_TEST

/* Agents leave a configuration, and come back to it. */
START_TEST(dropped_and_added)
{
    struct world *w = crowd(_i);
    size_t count = w->count, half = count / 2;
    char text[64];

    stage(w, "config-1", 0, count, NODES_EACH);
    deploy(w, NODES_EACH * count);
    stage(w, "config-2", 0, half, 1);
    came(w, 0, count, STANDBY_REQUEST, 0, 0);
    deploy(w, half);
    instances(w, count, half, half);
    came(w, 0, half, STANDBY_REQUEST, 0, 0);
    came(w, half, count, STANDBY_REQUEST, 1, 1);
    came(w, 0, half, DEPLOY_REQUEST, 2, 2);
    came(w, half, count, DEPLOY_REQUEST, 1, 1);
    ask(w, GET_NODES, NULL, 100, ok(text, count)); /* also of those in standby */
    came(w, 0, count, WELCOME_REQUEST, 1, 1);

    stage(w, "config-3", 0, count, 1);
    deploy(w, count);
    instances(w, count, count, count);
    came(w, 0, half, WELCOME_REQUEST, 1, 1);
    came(w, half, count, WELCOME_REQUEST, 2, 2);
    came(w, 0, half, DEPLOY_REQUEST, 3, 3);
    came(w, half, count, DEPLOY_REQUEST, 2, 2);

    stage(w, "config-4", 0, 0, 0);
    deploy(w, 0);
    instances(w, count, 0, 0);
    came(w, 0, half, STANDBY_REQUEST, 1, 1);
    came(w, half, count, STANDBY_REQUEST, 2, 2);
    all_answered(w);
    world_free(w);
}
END_TEST

/* ----- agents that die ----- */

enum when { BEFORE, DURING, AFTER };

/* Of three agents with two nodes each, the one in the middle dies when this is asked. */
static const struct {
    const char *name;
    uint32_t kind, asked; /* asked: what it dies of */
    enum when when;
    bool returns;
    uint64_t within_ms;
    const char *expected;
} deaths[] = {
    {"get_nodes without it", GET_NODES, GET_NODES_REQUEST, BEFORE, false, 100,
     "2 ok, 1 instance not connected"},
    {"get_nodes, then", GET_NODES, GET_NODES_REQUEST, DURING, false, 200,
     "2 ok, 1 instance not connected"},
    {"get_nodes, and it returns", GET_NODES, GET_NODES_REQUEST, DURING, true, 200,
     "2 ok, 1 instance not connected"},
    {"get_nodes, afterwards", GET_NODES, GET_NODES_REQUEST, AFTER, true, 100, "3 ok"},
    {"get_id_value without it", GET_ID_VALUE, DISPATCH_REQUEST, BEFORE, false, 100,
     "4 ok, 2 instance not connected"},
    {"get_id_value, then", GET_ID_VALUE, DISPATCH_REQUEST, DURING, false, 200,
     "4 ok, 2 instance not connected"},
    {"get_id_value, and it returns", GET_ID_VALUE, DISPATCH_REQUEST, DURING, true, 200,
     "4 ok, 2 instance not connected"},
    {"get_id_value, afterwards", GET_ID_VALUE, DISPATCH_REQUEST, AFTER, true, 100, "6 ok"},
    {"restart without it", RESTART, RESTART_REQUEST, BEFORE, false, 100,
     "4 ok, 2 instance not connected"},
    {"restart, then", RESTART, RESTART_REQUEST, DURING, false, 200,
     "4 ok, 2 instance not connected"},
    {"restart, and it returns", RESTART, RESTART_REQUEST, DURING, true, 200,
     "4 ok, 2 instance not connected"},
    {"restart, afterwards", RESTART, RESTART_REQUEST, AFTER, true, 100, "6 ok"},
    {"deploy without it", DEPLOY, DEPLOY_REQUEST, BEFORE, false, 10100,
     "0 ok, 1 instance not connected, 1 request timed out"},
    {"deploy until it comes", DEPLOY, DEPLOY_REQUEST, BEFORE, true, 2000, "7 ok"},
    {"deploy, then", DEPLOY, DEPLOY_REQUEST, DURING, false, 10100,
     "4 ok, 1 instance not connected, 1 request timed out"},
    {"deploy, and it returns", DEPLOY, DEPLOY_REQUEST, DURING, true, 2000, "7 ok"},
    {"deploy, afterwards", DEPLOY, DEPLOY_REQUEST, AFTER, true, 100, "7 ok"},
    {"the welcome, then", DEPLOY, WELCOME_REQUEST, DURING, false, 10100,
     "0 ok, 1 instance not connected, 1 request timed out"},
    {"the welcome, and it returns", DEPLOY, WELCOME_REQUEST, DURING, true, 2000, "7 ok"},
};

START_TEST(death)
{
    static const char *const args = "{\"id\":\"x\"}";
    bool welcome = deaths[_i].asked == WELCOME_REQUEST;
    struct world *w = world_new(3, _i % 2 == 0, NULL);
    struct host *victim = &w->hosts[1];
    leat_builder *b = open_args();
    char reqid[24];
    size_t i;

    if (!welcome) {
        stage(w, "config-1", 0, 3, NODES_EACH);
        deploy(w, 6);
    }
    if (deaths[_i].kind == DEPLOY)
        stage(w, "config-2", 0, 3, NODES_EACH);
    if (deaths[_i].when == BEFORE)
        kill_agent(w, 1);
    if (deaths[_i].when == DURING)
        victim->habits[deaths[_i].asked] = DIES;
    run(w, 50);
    if (deaths[_i].kind == GET_ID_VALUE)
        add_text(b, "id", "x");
    send_request(w, deaths[_i].kind, b, reqid);
    run(w, 0);
    ck_assert((victim->agent == NULL) == (deaths[_i].when != AFTER));
    victim->habits[deaths[_i].asked] = WILLING;
    if (deaths[_i].when != AFTER && deaths[_i].returns)
        return_agent(w, 1);
    answered(w, reqid, deaths[_i].kind, deaths[_i].within_ms, deaths[_i].expected);
    if (deaths[_i].when == AFTER)
        kill_agent(w, 1);
    run(w, 50);

    /* All is well when it is back; nobody else has heard of that. */
    for (i = 0; i < KINDS; i++)
        w->hosts[0].came[i] = w->hosts[2].came[i] = 0;
    if (victim->agent == NULL)
        return_agent(w, 1);
    run(w, 3000);
    instances(w, 3, 3, 3);
    for (i = 0; i < KINDS; i++)
        ck_assert_msg((welcome && i == DEPLOY_REQUEST) ||
                          (w->hosts[0].came[i] == 0 && w->hosts[2].came[i] == 0),
                      "kind %zu", i);
    if (welcome && !deaths[_i].returns) /* nothing was deployed */
        deploy(w, 6);
    ask(w, GET_NODES, NULL, 100, "3 ok");
    ask(w, GET_ID_VALUE, args, 100, "6 ok");
    ask(w, RESTART, NULL, 100, "6 ok");
    all_answered(w);
    world_free(w);
}
END_TEST

/* ----- agents that answer as they like ----- */

#define ONCE_MORE "[\"%s\",[[\"x\",true,null,null,null,null]]]"

static const struct {
    const char *name;
    uint32_t kind, asked;
    enum habit habit;
    uint64_t late_ms;
    const char *wrong;
    uint64_t from_ms, within_ms;
    unsigned malformed;
    const char *expected;
} habits[] = {
    {"get_nodes refused", GET_NODES, GET_NODES_REQUEST, REFUSES, 0, NULL, 0, 100, 0, "2 ok, 1 no"},
    {"get_id_value refused", GET_ID_VALUE, DISPATCH_REQUEST, REFUSES, 0, NULL, 0, 100, 0,
     "4 ok, 2 no"},
    {"restart refused", RESTART, RESTART_REQUEST, REFUSES, 0, NULL, 0, 100, 0, "4 ok, 2 no"},
    {"deploy refused", DEPLOY, DEPLOY_REQUEST, REFUSES, 0, NULL, 0, 100, 0, "5 ok, 2 no"},

    {"get_nodes, no answer", GET_NODES, GET_NODES_REQUEST, SILENT, 0, NULL, 10000, 10100, 0,
     "2 ok, 1 request timed out"},
    {"get_id_value, no answer", GET_ID_VALUE, DISPATCH_REQUEST, SILENT, 0, NULL, 10000, 10100, 0,
     "4 ok, 1 request timed out"},
    {"restart, no answer", RESTART, RESTART_REQUEST, SILENT, 0, NULL, 5000, 5100, 0,
     "4 ok, 1 request timed out"},
    {"deploy, no answer", DEPLOY, DEPLOY_REQUEST, SILENT, 0, NULL, 5000, 5100, 0,
     "5 ok, 2 , 1 request timed out"},

    {"get_nodes, late", GET_NODES, GET_NODES_REQUEST, LATE, 4900, NULL, 4900, 5000, 0, "3 ok"},
    {"get_id_value, late", GET_ID_VALUE, DISPATCH_REQUEST, LATE, 4900, NULL, 4900, 5000, 0, "6 ok"},
    {"restart, late", RESTART, RESTART_REQUEST, LATE, 4900, NULL, 4900, 5000, 0, "6 ok"},
    {"deploy, late", DEPLOY, DEPLOY_REQUEST, LATE, 4900, NULL, 4900, 5000, 0, "7 ok"},
    {"get_nodes, too late", GET_NODES, GET_NODES_REQUEST, LATE, 11000, NULL, 10000, 10100, 0,
     "2 ok, 1 request timed out"},
    {"get_id_value, too late", GET_ID_VALUE, DISPATCH_REQUEST, LATE, 11000, NULL, 10000, 10100, 0,
     "4 ok, 1 request timed out"},
    {"restart, too late", RESTART, RESTART_REQUEST, LATE, 6000, NULL, 5000, 5100, 0,
     "4 ok, 1 request timed out"},
    {"deploy, too late", DEPLOY, DEPLOY_REQUEST, LATE, 6000, NULL, 5000, 5100, 0,
     "5 ok, 2 , 1 request timed out"},

    {"get_nodes, twice", GET_NODES, GET_NODES_REQUEST, TWICE, 0,
     "[\"%s\",[\"x\",true,null,[],null,null]]", 0, 100, 0, "3 ok"},
    {"get_id_value, twice", GET_ID_VALUE, DISPATCH_REQUEST, TWICE, 0, ONCE_MORE, 0, 100, 0, "6 ok"},
    {"restart, twice", RESTART, RESTART_REQUEST, TWICE, 0, ONCE_MORE, 0, 100, 0, "6 ok"},
    {"deploy, twice", DEPLOY, DEPLOY_REQUEST, TWICE, 0, ONCE_MORE, 0, 100, 0, "7 ok"},
    {"deploy, and then what is wrong", DEPLOY, DEPLOY_REQUEST, TWICE, 0, "[\"%s\",7]", 0, 100, 1,
     "7 ok"},

    {"get_nodes, no Result", GET_NODES, GET_NODES_REQUEST, WRONG, 0, "[\"%s\",7]", 0, 100, 1,
     "2 ok, 1 malformed response"},
    {"get_nodes, without data", GET_NODES, GET_NODES_REQUEST, WRONG, 0,
     "[\"%s\",[\"x\",true,null,null,null,null]]", 0, 100, 1, "2 ok, 1 malformed response"},
    {"get_nodes, other data", GET_NODES, GET_NODES_REQUEST, WRONG, 0,
     "[\"%s\",[\"x\",true,null,[[\"n\"]],null,null]]", 0, 100, 1, "2 ok, 1 malformed response"},
    {"get_id_value, no list", GET_ID_VALUE, DISPATCH_REQUEST, WRONG, 0, "[\"%s\",\"x\"]", 0, 100, 1,
     "4 ok, 2 malformed response"},
    {"get_id_value, no text", GET_ID_VALUE, DISPATCH_REQUEST, WRONG, 0,
     "[\"%s\",[[\"x\",true,null,7,null,null]]]", 0, 100, 1, "4 ok, 2 malformed response"},
    {"restart, a short Result", RESTART, RESTART_REQUEST, WRONG, 0, "[\"%s\",[[\"x\",true]]]", 0,
     100, 1, "4 ok, 2 malformed response"},
    {"restart, nothing else", RESTART, RESTART_REQUEST, WRONG, 0, "[\"%s\"]", 0, 100, 1,
     "4 ok, 2 malformed response"},
    {"deploy, more", DEPLOY, DEPLOY_REQUEST, WRONG, 0, "[\"%s\",[],[]]", 0, 100, 1,
     "5 ok, 1 malformed response"},
    {"deploy, another type", DEPLOY, DEPLOY_REQUEST, WRONG, 0,
     "[\"%s\",[[\"x\",\"true\",null,null,null,null]]]", 0, 100, 1, "5 ok, 1 malformed response"},
    {"deploy, no Results", DEPLOY, DEPLOY_REQUEST, WRONG, 0, "[\"%s\",[]]", 0, 100, 0, "5 ok"},
    {"get_nodes, of nobody", GET_NODES, GET_NODES_REQUEST, WRONG, 0, "[7,7]", 10000, 10100, 1,
     "2 ok, 1 request timed out"},
    {"restart, another reqid", RESTART, RESTART_REQUEST, WRONG, 0, "[\"x%s\",[]]", 5000, 5100, 0,
     "4 ok, 1 request timed out"},
    {"get_nodes, forged", GET_NODES, GET_NODES_REQUEST, FORGED, 100,
     "[\"%s\",[\"x\",false,null,[],\"forged\",null]]", 100, 200, 0, "3 ok"},
    {"get_id_value, forged", GET_ID_VALUE, DISPATCH_REQUEST, FORGED, 100, "[\"%s\",[]]", 100, 200,
     0, "6 ok"},
    {"restart, forged", RESTART, RESTART_REQUEST, FORGED, 100, "[\"%s\",[]]", 100, 200, 0, "6 ok"},
    {"deploy, forged", DEPLOY, DEPLOY_REQUEST, FORGED, 100, "[\"%s\",[]]", 100, 200, 0, "7 ok"},
    {"restart, no reqid", RESTART, RESTART_REQUEST, WRONG, 0, "[\"\",[]]", 5000, 5100, 0,
     "4 ok, 1 request timed out"},
};

START_TEST(habit)
{
    struct world *w = world_new(3, _i % 2 == 1, NULL);
    leat_builder *b = open_args();
    uint64_t asked_ms;
    char reqid[24];

    w->local = _i % 3 == 0;
    w->late_ms = habits[_i].late_ms;
    w->wrong = habits[_i].wrong;
    stage(w, "config-1", 0, 3, NODES_EACH);
    deploy(w, 6);
    if (habits[_i].kind == DEPLOY)
        stage(w, "config-2", 0, 3, NODES_EACH);
    w->hosts[1].habits[habits[_i].asked] = habits[_i].habit;
    if (habits[_i].kind == GET_ID_VALUE)
        add_text(b, "id", "x");
    asked_ms = w->net.now_ms;
    send_request(w, habits[_i].kind, b, reqid);
    answered(w, reqid, habits[_i].kind, habits[_i].within_ms, habits[_i].expected);
    ck_assert_uint_ge(reply_of(w, reqid, false)->at_ms - asked_ms, habits[_i].from_ms);

    /* Whatever comes later is of no account. */
    run(w, 20000);
    ck_assert_uint_eq(w->told[LEAT_ZEEK_MALFORMED], habits[_i].malformed);
    ck_assert_uint_eq(w->told[LEAT_ZEEK_TIMED_OUT], habits[_i].from_ms == 10000);
    w->hosts[1].habits[habits[_i].asked] = WILLING;
    ask(w, RESTART, NULL, 100, "6 ok");
    stage(w, "config-3", 0, 3, NODES_EACH);
    deploy(w, 6);
    ask(w, GET_NODES, NULL, 100, "3 ok");
    ask(w, GET_ID_VALUE, "{\"id\":\"x\"}", 100, "6 ok");
    world_free(w);
}
END_TEST

/* The connection breaks while an agent is at work; what it says afterwards is of no account. */
static const struct {
    uint32_t kind, asked;
    const char *expected;
} cuts[] = {
    {GET_NODES, GET_NODES_REQUEST, "2 ok, 1 instance not connected"},
    {GET_ID_VALUE, DISPATCH_REQUEST, "4 ok, 2 instance not connected"},
    {RESTART, RESTART_REQUEST, "4 ok, 2 instance not connected"},
    {DEPLOY, DEPLOY_REQUEST, "7 ok"}, /* asked for again, it answers both */
};

START_TEST(cut)
{
    struct world *w = world_new(3, _i / 4 == 1, NULL);
    leat_builder *b = open_args();
    uint32_t asked = cuts[_i % 4].asked;
    char reqid[24];

    w->late_ms = 3000;
    stage(w, "config-1", 0, 3, NODES_EACH);
    deploy(w, 6);
    if (cuts[_i % 4].kind == DEPLOY)
        stage(w, "config-2", 0, 3, NODES_EACH);
    if (cuts[_i % 4].kind == GET_ID_VALUE)
        add_text(b, "id", "x");
    w->hosts[1].habits[asked] = LATE;
    send_request(w, cuts[_i % 4].kind, b, reqid);
    run(w, 100);
    net_cut(&w->net, CONTROLLER, w->hosts[1].node);
    answered(w, reqid, cuts[_i % 4].kind, 5000, cuts[_i % 4].expected);
    run(w, 5000);
    w->hosts[1].habits[asked] = WILLING;
    instances(w, 3, 3, 3);
    came(w, 0, 3, STANDBY_REQUEST, 0, 0);
    ask(w, RESTART, NULL, 100, "6 ok");
    ask(w, GET_ID_VALUE, "{\"id\":\"x\"}", 100, "6 ok");
    all_answered(w);
    world_free(w);
}
END_TEST

/* An agent that does not read for a while gets all at once, and answers in vain. */
START_TEST(stalled)
{
    struct world *w = world_new(3, false, NULL);
    struct net_pipe *pipe = net_pipe(&w->net, CONTROLLER, w->hosts[1].node);
    size_t side = pipe->nodes[0] == w->hosts[1].node ? 0 : 1;
    char reqids[50][24];
    size_t i;

    stage(w, "config-1", 0, 3, NODES_EACH);
    deploy(w, 6);
    pipe->stalled[side] = true;
    for (i = 0; i < 50; i++) {
        send_request(w, GET_NODES, open_args(), reqids[i]);
        run(w, 10);
    }
    for (i = 0; i < 50; i++)
        answered(w, reqids[i], GET_NODES, CONTROLLER_MS, "2 ok, 1 request timed out");
    came(w, 1, 2, GET_NODES_REQUEST, 0, 0);
    pipe->stalled[side] = false;
    pipe->idle[side] = pipe->idle[!side] = false;
    run(w, 100);
    came(w, 1, 2, GET_NODES_REQUEST, 50, 50);
    ask(w, GET_NODES, NULL, 100, "3 ok");
    all_answered(w);
    world_free(w);
}
END_TEST

/* Of three agents that are welcomed, one takes it so. */
static const struct {
    const char *name;
    enum habit habit;
    uint64_t late_ms;
    const char *wrong;
    uint64_t from_ms, within_ms;
    const char *expected;
} welcomes[] = {
    {"refused", REFUSES, 0, NULL, 10000, 10100, "0 ok, 1 instance not ready, 1 request timed out"},
    {"not answered", SILENT, 0, NULL, 10000, 10100,
     "0 ok, 1 instance not ready, 1 request timed out"},
    {"late", LATE, 4900, NULL, 4900, 5000, "7 ok"},
    {"too late", LATE, 6000, NULL, 10000, 10100, "0 ok, 1 instance not ready, 1 request timed out"},
    {"taken twice", TWICE, 0, "[\"%s\",[\"x\",true,null,null,null,null]]", 0, 100, "7 ok"},
    {"taken, then refused", TWICE, 0, "[\"%s\",[\"x\",false,null,null,null,null]]", 0, 100, "7 ok"},
    {"refused by a forger", FORGED, 1000, "[\"%s\",[\"x\",false,null,null,null,null]]", 1000, 1100,
     "7 ok"},
    {"taken by a forger", FORGED, 1000, "[\"%s\",[\"x\",true,null,null,null,null]]", 1000, 1100,
     "7 ok"},
    {"wrong", WRONG, 0, "[\"%s\",7]", 10000, 10100,
     "0 ok, 1 instance not ready, 1 request timed out"},
    {"of another reqid", WRONG, 0, "[\"x%s\",[\"x\",true,null,null,null,null]]", 10000, 10100,
     "0 ok, 1 instance not ready, 1 request timed out"},
};

START_TEST(welcome)
{
    struct world *w = world_new(3, _i % 2 == 0, NULL);
    leat_builder *b = open_args();
    uint64_t asked_ms = w->net.now_ms;
    char reqid[24];

    w->late_ms = welcomes[_i].late_ms;
    w->wrong = welcomes[_i].wrong;
    w->hosts[1].habits[WELCOME_REQUEST] = welcomes[_i].habit;
    stage(w, "config-1", 0, 3, NODES_EACH);
    send_request(w, DEPLOY, b, reqid);
    answered(w, reqid, DEPLOY, welcomes[_i].within_ms, welcomes[_i].expected);
    ck_assert_uint_ge(reply_of(w, reqid, false)->at_ms - asked_ms, welcomes[_i].from_ms);
    run(w, 20000);

    /* It is welcomed again when it says hello again. */
    w->hosts[1].habits[WELCOME_REQUEST] = WILLING;
    kill_agent(w, 1);
    run(w, 50);
    return_agent(w, 1);
    run(w, 3000);
    instances(w, 3, 3, 3);
    stage(w, "config-2", 0, 3, NODES_EACH);
    deploy(w, 6);
    world_free(w);
}
END_TEST

/* One deployment at a time; but a client's goes before one that the controller began by itself. */
START_TEST(one_after_the_other)
{
    struct world *w = world_new(3, false, NULL);
    char first[24], text[80];

    w->late_ms = 2000;
    stage(w, "config-1", 0, 3, NODES_EACH);
    w->hosts[1].habits[DEPLOY_REQUEST] = LATE;
    send_request(w, DEPLOY, open_args(), first);
    run(w, 100);
    (void)snprintf(text, sizeof text, "0 ok, 1 earlier deployment %s still pending", first);
    ask(w, DEPLOY, NULL, 0, text);
    stage(w, "config-2", 0, 3, 1); /* is what the next one deploys */
    answered(w, first, DEPLOY, 2000, "7 ok");
    came(w, 0, 3, DEPLOY_REQUEST, 1, 1);

    kill_agent(w, 2);
    w->hosts[2].habits[DEPLOY_REQUEST] = LATE;
    run(w, 50);
    return_agent(w, 2);
    run(w, 1500);
    came(w, 2, 3, DEPLOY_REQUEST, 2, 2);
    w->hosts[2].habits[DEPLOY_REQUEST] = WILLING;
    w->hosts[1].habits[DEPLOY_REQUEST] = WILLING;
    deploy(w, 3);
    instances(w, 3, 3, 3);
    came(w, 0, 2, DEPLOY_REQUEST, 2, 2);
    came(w, 2, 3, DEPLOY_REQUEST, 3, 3);
    all_answered(w);
    world_free(w);
}
END_TEST

/* A listen_port that changes, that is given, or that is taken away: in one deployment each. */
START_TEST(other_ports)
{
    struct world *w = world_new(3, _i == 1, NULL);

    stage(w, "config-1", 0, 3, 1);
    deploy(w, 3);
    w->hosts[1].port = 2152;
    stage(w, "config-2", 0, 3, 1);
    deploy(w, 3);
    instances(w, 3, 3, 3);
    came(w, 0, 1, STANDBY_REQUEST, 0, 0);
    came(w, 1, 2, STANDBY_REQUEST, _i == 1, _i == 1);
    /* Once over the peering that ends then, and once over the one that follows. */
    came(w, 1, 2, WELCOME_REQUEST, _i == 1 ? 3 : 1, _i == 1 ? 3 : 1);
    came(w, 1, 2, DEPLOY_REQUEST, _i == 1 ? 3 : 2, 2);
    came(w, 0, 1, DEPLOY_REQUEST, 2, 2);

    /* Another process takes the place of the agent, and connects where the first one listened. */
    kill_agent(w, 1);
    run(w, 50);
    w->hosts[1].listens = !w->hosts[1].listens;
    return_agent(w, 1);
    stage(w, "config-3", 0, 3, 1);
    deploy(w, 3);
    instances(w, 3, 3, 3);
    ask(w, GET_NODES, NULL, 100, "3 ok");
    all_answered(w);
    world_free(w);
}
END_TEST

/* Half of a crowd dies of its welcome or of a deployment, and returns. */
START_TEST(half_dies)
{
    struct world *w = world_new(50, _i % 2 == 1, NULL);
    uint32_t dies = _i / 2 == 0 ? WELCOME_REQUEST : DEPLOY_REQUEST;
    char reqid[24];
    size_t i;

    for (i = 0; i < 50; i += 2)
        w->hosts[i].habits[dies] = DIES;
    stage(w, "config-1", 0, 50, NODES_EACH);
    send_request(w, DEPLOY, open_args(), reqid);
    run(w, 1000);
    for (i = 0; i < 50; i += 2) {
        ck_assert_ptr_null(w->hosts[i].agent);
        w->hosts[i].habits[dies] = WILLING;
        return_agent(w, i);
    }
    answered(w, reqid, DEPLOY, 3000, "101 ok");
    instances(w, 50, 50, 50);
    came(w, 1, 2, WELCOME_REQUEST, 1, 1);
    came(w, 1, 2, DEPLOY_REQUEST, 1, 1);
    came(w, 0, 1, WELCOME_REQUEST, 2, 2);
    came(w, 0, 1, DEPLOY_REQUEST, dies == DEPLOY_REQUEST ? 2 : 1, dies == DEPLOY_REQUEST ? 2 : 1);
    all_answered(w);
    world_free(w);
}
END_TEST

/* ----- agents that are not what they should be ----- */

static void say_hello(struct world *w, size_t node, const char *name, const char *id,
                      const char *version)
{
    char topic[64], args[160];

    (void)snprintf(topic, sizeof topic, LEAT_ZEEK_AGENT_TOPIC_PREFIX "/%s", name);
    (void)snprintf(args, sizeof args, "[\"%s\",\"%s\",true,%s]", name, id, version);
    publish_raw(w, node, topic, "Management::Agent::API::notify_agent_hello", args);
    run(w, 0);
}

/* The text of the id of a node. */
static void id_text(const struct world *w, size_t node, char text[40])
{
    const uint8_t *id = leat_broker_node_id(w->net.nodes[node].broker);
    size_t i, at = 0;

    for (i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            text[at++] = '-';
        (void)snprintf(text + at, 3, "%02x", id[i]);
        at += 2;
    }
}

START_TEST(another_version)
{
    struct world *w = world_new(3, false, NULL);
    size_t node = w->hosts[1].node;
    char id[40];

    id_text(w, node, id);
    stage(w, "config-1", 0, 3, NODES_EACH);
    deploy(w, 6);
    instances(w, 3, 3, 3);
    say_hello(w, node, w->hosts[1].name, id, "2");
    ck_assert_uint_eq(what_count(w, "version"), 1);
    ck_assert_uint_eq(w->told[LEAT_ZEEK_MALFORMED], 1);
    w->told[LEAT_ZEEK_MALFORMED] = 0;
    came(w, 1, 2, STANDBY_REQUEST, 1, 1);
    instances(w, 2, 2, 2);
    ask(w, GET_NODES, NULL, 100, "2 ok");
    ask(w, RESTART, NULL, 100, "4 ok, 2 instance not connected");

    /* A correct one makes it known again; the next deployment has it. */
    say_hello(w, node, w->hosts[1].name, id, "1");
    instances(w, 3, 2, 2);
    came(w, 1, 2, WELCOME_REQUEST, 1, 1);
    deploy(w, 6 - 2 * (NODES_EACH - 1)); /* two have it already */
    instances(w, 3, 3, 3);

    /* Of one that is not known, nobody hears. */
    say_hello(w, CLIENT, "agent-009", id, "2");
    instances(w, 3, 3, 3);
    all_answered(w);
    world_free(w);
}
END_TEST

START_TEST(strangers)
{
    struct world *w = world_new(2, false, NULL);
    char id[40], other[40];

    stage(w, "config-1", 0, 2, NODES_EACH);
    deploy(w, 4);
    id_text(w, CLIENT, id);
    id_text(w, w->hosts[0].node, other);
    say_hello(w, CLIENT, "agent-009", "11111111-2222-3333-4444-555555555555", "1");
    ck_assert_uint_eq(what_count(w, "stranger"), 1);
    say_hello(w, CLIENT, "agent-009", "x", "1");
    ck_assert_uint_eq(what_count(w, "stranger"), 2);
    say_hello(w, CLIENT, "agent-000", other, "1"); /* the agent's own id, but of another sender */
    ck_assert_uint_eq(what_count(w, "stranger"), 3);
    say_hello(w, CLIENT, "agent-009", other, "1");
    ck_assert_uint_eq(what_count(w, "stranger"), 4);
    instances(w, 2, 2, 2);
    came(w, 0, 2, WELCOME_REQUEST, 1, 1);
    came(w, 0, 2, STANDBY_REQUEST, 0, 0);
    ask(w, GET_NODES, NULL, 100, "2 ok");
    all_answered(w);
    world_free(w);
}
END_TEST

/* Two agents of one name: the last hello counts, and so does the first answer. */
START_TEST(twins)
{
    struct world *w = world_new(3, _i == 1, NULL);

    kill_agent(w, 2);
    run(w, 50);
    memcpy(w->hosts[2].name, w->hosts[1].name, sizeof w->hosts[2].name);
    return_agent(w, 2);
    stage(w, "config-1", 0, 2, 1);
    if (_i == 0) {
        run(w, 2000);
        deploy(w, 2);
        came(w, 1, 3, DEPLOY_REQUEST, 1, 1);
        ask(w, GET_NODES, NULL, 100, "2 ok");
        ask(w, RESTART, NULL, 100, "2 ok");
        kill_agent(w, 2);
        run(w, 50);
        instances(w, 1, 2, 1);
        kill_agent(w, 1);
        run(w, 50);
        return_agent(w, 1);
        run(w, 2000);
    } else { /* nobody connects to the other one */
        deploy(w, 2);
        came(w, 2, 3, DEPLOY_REQUEST, 0, 0);
    }
    instances(w, 2, 2, 2);
    all_answered(w);
    world_free(w);
}
END_TEST

/* An agent also gets what is for others whose names begin with its own. */
START_TEST(names_that_begin_alike)
{
    struct world *w = world_new(5, _i == 1, "aaaaa");
    size_t i;

    stage(w, "config-1", 0, 5, 1);
    deploy(w, 5);
    for (i = 0; i < 5; i++) {
        ck_assert_uint_eq(w->hosts[i].came[DEPLOY_REQUEST], 5 - i);
        ck_assert_uint_eq(w->hosts[i].asked[DEPLOY_REQUEST], 1);
        ck_assert_uint_eq(w->hosts[i].asked[WELCOME_REQUEST], 1);
    }
    ask(w, GET_NODES, NULL, 100, "5 ok");
    ask(w, GET_ID_VALUE, "{\"id\":\"x\"}", 100, "5 ok");
    ask(w, RESTART, NULL, 100, "5 ok");
    stage(w, "config-2", 1, 5, 1);
    deploy(w, 4);
    for (i = 0; i < 5; i++)
        ck_assert_uint_eq(w->hosts[i].asked[STANDBY_REQUEST], i == 0);
    all_answered(w);
    world_free(w);
}
END_TEST

/* One peer says hello with thousands of names, then it is gone; agents live on. */
START_TEST(many_hellos)
{
    struct world *w = world_new(2, false, NULL);
    clock_t started = clock();
    char id[40], name[24];
    unsigned i;

    stage(w, "config-1", 0, 2, 1);
    deploy(w, 2);
    id_text(w, CLIENT, id);
    for (i = 0; i < 5000; i++) {
        (void)snprintf(name, sizeof name, "x%u", i * 7919 % 5000);
        say_hello(w, CLIENT, name, id, "1");
    }
    instances(w, 4096, 2, 2);
    ck_assert_uint_eq(what_count(w, "limit"), 5000 + 2 - 4096);
    net_cut(&w->net, CLIENT, CONTROLLER);
    run(w, 100);
    instances(w, 2, 2, 2);
    ck_assert_uint_eq(what_count(w, "lost"), 4094);
    w->local = true;
    ask(w, GET_NODES, NULL, 100, "2 ok");
    ck_assert_int_lt((clock() - started) / CLOCKS_PER_SEC, 20);
    world_free(w);
}
END_TEST

/* Clients may ask for more than there is: of thousands of instances, or of nodes. */
START_TEST(much_asked)
{
    struct world *w = world_new(2, false, NULL);
    clock_t started = clock();
    char reqid[24], name[24];
    leat_builder *b = open_args();
    unsigned i;

    stage(w, "config-1", 0, 2, 1);
    deploy(w, 2);
    add_text(b, "id", "x");
    (void)leat_builder_open(b, "nodes", LEAT_LIST);
    for (i = 0; i < 50000; i++) {
        (void)snprintf(name, sizeof name, "x%u", i);
        add_text(b, NULL, name);
    }
    (void)leat_builder_close(b);
    send_request(w, GET_ID_VALUE, b, reqid);
    answered(w, reqid, GET_ID_VALUE, 100, "0 ok, 50000 unknown cluster node");

    b = open_args();
    (void)leat_builder_open(b, "config", LEAT_RECORD);
    add_text(b, "id", "config-2");
    (void)leat_builder_open(b, "instances", LEAT_LIST);
    for (i = 0; i < 4000; i++) {
        (void)snprintf(name, sizeof name, "x%u", i);
        (void)leat_builder_open(b, NULL, LEAT_RECORD);
        add_text(b, "name", name);
        add_text(b, "host", "0.0.0.0");
        (void)leat_builder_close(b);
    }
    (void)leat_builder_close(b);
    (void)leat_builder_open(b, "nodes", LEAT_LIST);
    (void)leat_builder_close(b);
    (void)leat_builder_close(b);
    send_request(w, STAGE, b, reqid);
    answered(w, reqid, STAGE, 100, "1 ok");
    send_request(w, DEPLOY, open_args(), reqid);
    run(w, CONTROLLER_MS + 100);
    ck_assert_ptr_nonnull(reply_of(w, reqid, false));
    instances(w, 2, 4000, 0);
    came(w, 0, 2, STANDBY_REQUEST, 1, 1);
    stage(w, "config-3", 0, 2, 1);
    deploy(w, 2);
    instances(w, 2, 2, 2);
    ck_assert_int_lt((clock() - started) / CLOCKS_PER_SEC, 20);
    all_answered(w);
    world_free(w);
}
END_TEST

/* ----- a controller that is started again ----- */

START_TEST(restored)
{
    struct world *w = world_new(20, _i == 1, NULL);
    char text[32];

    stage(w, "config-1", 0, 20, NODES_EACH);
    deploy(w, 40);
    stage(w, "config-2", 0, 20, 1);
    kill_controller(w);
    run(w, 3000);
    net_restart(&w->net, CONTROLLER, NULL);
    start_controller(w);
    ck_assert_int_eq(leat_zeek_controller_restore(w->controller, leat_builder_value(w->deployed)),
                     LEAT_OK);
    run(w, 3000);
    instances(w, 20, 20, 20);
    came(w, 0, 20, WELCOME_REQUEST, 2, 2);
    came(w, 0, 20, DEPLOY_REQUEST, 2, 1); /* the same one */
    came(w, 0, 20, STANDBY_REQUEST, 0, 0);
    ck_assert_uint_eq(w->told[LEAT_ZEEK_CONTROLLER_DEPLOY_RESPONSE], 1);
    ask(w, GET_CONFIGURATION, "{\"deployed\":true}", 100, "1 ok");
    ask(w, GET_CONFIGURATION, "{\"deployed\":false}", 100,
        "0 ok, 1 no staged configuration available");
    ask(w, GET_ID_VALUE, "{\"id\":\"x\"}", 100, ok(text, 40));
    stage(w, "config-3", 0, 20, 1);
    deploy(w, 20);
    came(w, 0, 20, STANDBY_REQUEST, 0, 0);
    all_answered(w);
    world_free(w);
}
END_TEST

/* Agents die and return, at random, while a client asks; in the end all is well. */
static uint32_t draw(uint32_t *seed, uint32_t below)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % below;
}

static const uint32_t questions[] = {DEPLOY, GET_NODES, GET_ID_VALUE, RESTART, GET_INSTANCES};

START_TEST(flapping)
{
    struct world *w = world_new(12, _i % 2 == 1, NULL);
    uint32_t seed = (uint32_t)_i + 1;
    char reqid[24], id[24];
    unsigned round;
    size_t i;

    stage(w, "config", 0, 12, NODES_EACH);
    deploy(w, 24);
    for (round = 0; round < 80; round++) {
        uint32_t kind = questions[draw(&seed, 5)];
        leat_builder *b = open_args();
        size_t victim = draw(&seed, 12);

        if (kind == GET_ID_VALUE)
            add_text(b, "id", "x");
        (void)snprintf(id, sizeof id, "config-%u", round);
        if (draw(&seed, 4) == 0)
            stage(w, id, draw(&seed, 4), 8 + draw(&seed, 4), draw(&seed, 3));
        send_request(w, kind, b, reqid);
        if (w->hosts[victim].agent == NULL)
            return_agent(w, victim);
        else if (draw(&seed, 2) == 0)
            w->hosts[victim].dead = true;
        run(w, draw(&seed, 400));
    }
    for (i = 0; i < 12; i++) {
        if (w->hosts[i].agent == NULL)
            return_agent(w, i);
    }
    run(w, CONTROLLER_MS + 3000);
    all_answered(w);
    stage(w, "config-last", 0, 12, NODES_EACH);
    deploy(w, 24);
    instances(w, 12, 12, 12);
    ask(w, GET_NODES, NULL, 100, "12 ok");
    all_answered(w);
    world_free(w);
}
END_TEST

/* The configuration that agents get has the addresses of all of them, also of those that come late. */
START_TEST(addresses)
{
    struct world *w = world_new(4, false, NULL);
    char reqid[24];
    size_t i;

    kill_agent(w, 2);
    kill_agent(w, 3);
    run(w, 50);
    stage(w, "config-1", 0, 4, 1);
    send_request(w, DEPLOY, open_args(), reqid);
    run(w, 2000);
    ck_assert_ptr_null(reply_of(w, reqid, false));
    return_agent(w, 2);
    run(w, 2000);
    ck_assert_ptr_null(reply_of(w, reqid, false));
    came(w, 0, 4, DEPLOY_REQUEST, 0, 0);
    return_agent(w, 3);
    answered(w, reqid, DEPLOY, 2000, "5 ok");
    came(w, 0, 4, DEPLOY_REQUEST, 1, 1);
    for (i = 0; i < 4; i++)
        ck_assert_uint_eq(w->hosts[i].unspecified, 0);
    all_answered(w);
    world_free(w);
}
END_TEST

static void tests(TCase *tc)
{
    tcase_add_loop_test(tc, life, 0, sizeof crowds / sizeof *crowds);
    tcase_add_loop_test(tc, dropped_and_added, 0, sizeof crowds / sizeof *crowds);
    tcase_add_loop_test(tc, death, 0, sizeof deaths / sizeof *deaths);
    tcase_add_loop_test(tc, habit, 0, sizeof habits / sizeof *habits);
    tcase_add_loop_test(tc, cut, 0, 8);
    tcase_add_test(tc, stalled);
    tcase_add_loop_test(tc, welcome, 0, sizeof welcomes / sizeof *welcomes);
    tcase_add_test(tc, one_after_the_other);
    tcase_add_loop_test(tc, other_ports, 0, 2);
    tcase_add_loop_test(tc, half_dies, 0, 4);
    tcase_add_test(tc, another_version);
    tcase_add_test(tc, strangers);
    tcase_add_loop_test(tc, twins, 0, 2);
    tcase_add_test(tc, many_hellos);
    tcase_add_test(tc, much_asked);
    tcase_add_loop_test(tc, names_that_begin_alike, 0, 2);
    tcase_add_loop_test(tc, restored, 0, 2);
    tcase_add_loop_test(tc, flapping, 0, 10);
    tcase_add_test(tc, addresses);
}

T_MAIN("zeek/management_net", tests)
