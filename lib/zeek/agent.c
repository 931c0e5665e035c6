/*
 * An agent: what it knows of its nodes, the requests that wait, and how they are answered.
 *
 * It has a table of its nodes, by name, those of the last configuration. A request that waits keeps the
 * names of those that it is about, as the table may be another one when it is answered.
 */
#include "../core/sort.h"
#include "../core/text.h"
#include "manage.h"

#include <leat/zeek_agent.h>

#define NEVER    UINT64_MAX
#define NAME_MAX 255u

/* Most malformed events that wait to be told. */
#define MALFORMED_MAX 64u

enum { PENDING, RUNNING, STOPPED, FAILED, CRASHED, UNKNOWN, STATES };

static const char *const states[STATES] = {LEAT_ZEEK_STATE_PENDING, LEAT_ZEEK_STATE_RUNNING,
                                           LEAT_ZEEK_STATE_STOPPED, LEAT_ZEEK_STATE_FAILED,
                                           LEAT_ZEEK_STATE_CRASHED, LEAT_ZEEK_STATE_UNKNOWN};

/* What a request has to do with a node. */
enum part { NONE, OWN, DOWN };

struct node {
    struct lt_zeek_text name; /* both in the table */
    const leat_value *record; /* Management::Node */
    int64_t pid;
    uint8_t state;
    uint8_t told; /* the state that others know of */
    uint8_t part; /* in the request that is looked at */
};

struct table {
    struct lt_zeek_kept *kept; /* id, the configuration's, names and own; NULL: there was none */
    struct node *nodes;
    size_t count;
    size_t size;
    uint64_t request; /* the deployment that it is of; 0: the agent was put on standby since */
};

struct request {
    struct request *next;
    uint64_t number;
    uint64_t due_ms;
    uint32_t kind;
    struct lt_zeek_kept *kept; /* reqid, own and down: names of nodes */
};

struct leat_zeek_agent {
    struct lt_zeek_manage m;
    leat_zeek_agent_options options;
    char *topic;
    size_t topic_length;
    struct lt_zeek_text name; /* at the end of the topic */
    struct table table;
    struct request *first, **end; /* in the order in which they are due */
    uint64_t waiting;
    uint64_t numbers;   /* the last one that was given */
    uint64_t malformed; /* events that wait to be told */
    bool ticked;
    bool owes_hello;
    bool owes_changes;
};

/* ----- making and freeing ----- */

static const leat_zeek_agent_options initial = {
    .controller_address = "127.0.0.1",
    .controller_port = 2150,
    .listen_port = 2151,
    .retry_s = 1,
    .timeout_ms = 5000,
    .requests = 64,
    .nodes = 4096,
    .pid = -1,
    .topic_prefix = LEAT_ZEEK_AGENT_TOPIC_PREFIX,
};

void leat_zeek_agent_options_init(leat_zeek_agent_options *options, size_t size)
{
    lt_options_init(options, size, &initial, sizeof initial);
}

static bool make_topic(leat_zeek_agent *agent)
{
    size_t prefix = strlen(agent->options.topic_prefix);

    agent->name.length = strlen(agent->options.name);
    agent->topic_length = prefix + 1 + agent->name.length;
    agent->topic = (char *)lt_resize(&agent->m.allocator, NULL, 0, agent->topic_length);
    if (agent->topic == NULL)
        return false;
    memcpy(agent->topic, agent->options.topic_prefix, prefix);
    agent->topic[prefix] = '/';
    memcpy(agent->topic + prefix + 1, agent->options.name, agent->name.length);
    agent->name.at = agent->topic + prefix + 1;
    return true;
}

/* Subscribes, and wants the controller; if either cannot be, neither is. */
static int begin(leat_zeek_agent *agent, leat_broker *broker)
{
    const leat_zeek_agent_options *options = &agent->options;
    int status = leat_broker_subscribe(broker, agent->topic, agent->topic_length);

    if (status != LEAT_OK || options->controller_address == NULL)
        return status;
    status = leat_broker_peer(broker, options->controller_address, options->controller_port,
                              options->retry_s);
    if (status != LEAT_OK)
        (void)leat_broker_unsubscribe(broker, agent->topic, agent->topic_length);
    return status;
}

int leat_zeek_agent_new(const leat_config *config, const leat_zeek_agent_options *options,
                        leat_broker *broker, leat_zeek_agent **agent)
{
    leat_allocator allocator = lt_allocator(config);
    leat_zeek_agent_options read = initial;
    leat_zeek_agent *made;
    int status;

    if (!lt_options_read(&read, sizeof read, options) || read.name == NULL || *read.name == '\0' ||
        strlen(read.name) > NAME_MAX || read.topic_prefix == NULL || read.listen_port > UINT16_MAX)
        return LEAT_E_VALUE;
    made = (leat_zeek_agent *)lt_alloc_zero(&allocator, sizeof *made);
    if (made == NULL)
        return LEAT_E_NOMEM;
    made->options = read;
    made->end = &made->first;
    status = lt_zeek_manage_init(&made->m, config, broker);
    if (status == LEAT_OK && !make_topic(made))
        status = LEAT_E_NOMEM;
    if (status == LEAT_OK)
        status = begin(made, broker);
    if (status != LEAT_OK) {
        leat_zeek_agent_free(made);
        return status;
    }
    *agent = made;
    return LEAT_OK;
}

static void free_table(leat_zeek_agent *agent, const struct table *table)
{
    lt_zeek_manage_drop(&agent->m, table->kept);
    lt_free(&agent->m.allocator, table->nodes, table->size * sizeof *table->nodes);
}

/* It is answered, or it cannot come to be one. */
static void free_request(leat_zeek_agent *agent, struct request *request)
{
    lt_zeek_manage_drop(&agent->m, request->kept);
    lt_free(&agent->m.allocator, request, sizeof *request);
}

static void remove_request(leat_zeek_agent *agent, struct request *request)
{
    struct request **at = &agent->first;

    while (*at != request)
        at = &(*at)->next;
    *at = request->next;
    if (*at == NULL)
        agent->end = at;
    agent->waiting--;
    free_request(agent, request);
}

void leat_zeek_agent_free(leat_zeek_agent *agent)
{
    leat_allocator allocator;

    if (agent == NULL)
        return;
    while (agent->first != NULL)
        remove_request(agent, agent->first);
    free_table(agent, &agent->table);
    lt_free(&agent->m.allocator, agent->topic, agent->topic_length);
    lt_zeek_manage_free(&agent->m);
    allocator = agent->m.given;
    lt_free(&allocator, agent, sizeof *agent);
}

size_t leat_zeek_agent_memory(const leat_zeek_agent *agent)
{
    return sizeof *agent + agent->m.held;
}

/* ----- what it says ----- */

/* Publishes m->args. */
static int say(leat_zeek_agent *agent, uint32_t kind)
{
    const leat_value *args;
    int status = lt_zeek_manage_close(&agent->m, &args);

    if (status != LEAT_OK)
        return status;
    return lt_zeek_manage_publish(&agent->m, agent->topic, agent->topic_length, kind, args);
}

static int say_hello(leat_zeek_agent *agent)
{
    leat_builder *b = lt_zeek_manage_open(&agent->m);
    uint8_t id[36];
    struct lt_writer text = lt_writer_fixed(id, sizeof id);
    int status;

    lt_write_uuid(&text, leat_broker_node_id(agent->m.broker));
    lt_zeek_manage_text(b, "instance", agent->name);
    (void)leat_builder_text(b, "id", (const char *)id, sizeof id);
    (void)leat_builder_bool(b, "connecting", agent->options.controller_address != NULL);
    (void)leat_builder_u64(b, "api_version", LEAT_ZEEK_MANAGEMENT_VERSION);
    status = say(agent, LEAT_ZEEK_AGENT_NOTIFY_AGENT_HELLO);
    agent->owes_hello = status == LEAT_E_NOMEM;
    return status;
}

static void put_state(leat_builder *builder, const char *name, const char *state)
{
    (void)leat_builder_enum(builder, name, state, strlen(state));
}

/* Says in which state a node is now, unless that is known. LEAT_OK or LEAT_E_NOMEM. */
static int say_change(leat_zeek_agent *agent, struct node *node)
{
    leat_builder *b;

    if (node->state == node->told)
        return LEAT_OK;
    b = lt_zeek_manage_open(&agent->m);
    lt_zeek_manage_text(b, "instance", agent->name);
    (void)leat_builder_copy(b, "n", node->record);
    put_state(b, "old", states[node->told]);
    put_state(b, "new", states[node->state]);
    if (say(agent, LEAT_ZEEK_AGENT_NOTIFY_CHANGE) == LEAT_E_NOMEM)
        return LEAT_E_NOMEM;
    node->told = node->state;
    return LEAT_OK;
}

static int say_changes(leat_zeek_agent *agent)
{
    int status = LEAT_OK;
    size_t i;

    for (i = 0; i < agent->table.count && status == LEAT_OK; i++)
        status = say_change(agent, &agent->table.nodes[i]);
    agent->owes_changes = status != LEAT_OK;
    return status;
}

int leat_zeek_agent_notify(leat_zeek_agent *agent, uint32_t kind, const char *text, size_t length,
                           const char *node, size_t node_length)
{
    const struct lt_zeek_text about = {node, node_length};
    leat_builder *b = lt_zeek_manage_open(&agent->m);

    if (kind != LEAT_ZEEK_AGENT_NOTIFY_ERROR && kind != LEAT_ZEEK_AGENT_NOTIFY_LOG)
        return LEAT_E_VALUE;
    lt_zeek_manage_text(b, "instance", agent->name);
    (void)leat_builder_text(b, "msg", text, length);
    lt_zeek_manage_text(b, "node", about);
    return say(agent, kind);
}

/* ----- responses ----- */

/* The response to a request has the next kind. */
static int say_response(leat_zeek_agent *agent, uint32_t request_kind)
{
    return say(agent, request_kind + 1);
}

static void add_result(leat_zeek_agent *agent, const char *name, const leat_value *reqid,
                       struct lt_zeek_result *result)
{
    result->reqid = lt_zeek_text_of(reqid);
    result->instance = agent->name;
    lt_zeek_manage_result(agent->m.args, name, result);
}

static leat_builder *open_response(leat_zeek_agent *agent, const leat_value *reqid)
{
    leat_builder *b = lt_zeek_manage_open(&agent->m);

    lt_zeek_manage_text(b, "reqid", lt_zeek_text_of(reqid));
    return b;
}

/* Answers with one Result that is about no node. */
static int respond(leat_zeek_agent *agent, uint32_t kind, const leat_value *reqid,
                   struct lt_zeek_result *result)
{
    static const leat_value nothing = {.kind = LEAT_LIST, .u.cells = 1};
    bool single = kind == LEAT_ZEEK_AGENT_GET_NODES_REQUEST ||
                  kind == LEAT_ZEEK_AGENT_AGENT_WELCOME_REQUEST ||
                  kind == LEAT_ZEEK_AGENT_AGENT_STANDBY_REQUEST;
    leat_builder *b = open_response(agent, reqid);

    /* Without a list controllers could not even read why. */
    if (kind == LEAT_ZEEK_AGENT_GET_NODES_REQUEST && result->data == NULL)
        result->data = &nothing;
    if (!single)
        (void)leat_builder_open(b, "results", LEAT_LIST);
    add_result(agent, single ? "result" : NULL, reqid, result);
    if (!single)
        (void)leat_builder_close(b);
    return say_response(agent, kind);
}

static int refuse(leat_zeek_agent *agent, uint32_t kind, const leat_value *reqid, const char *why)
{
    struct lt_zeek_result result = {.error = lt_zeek_text(why)};

    return respond(agent, kind, reqid, &result);
}

/* Where there is a node in a list of names, by name; NULL: it is not. */
static leat_value *find_name(leat_value *names, struct lt_zeek_text name)
{
    size_t low = 1, high = 1 + (size_t)names->length;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = lt_zeek_text_compare(lt_zeek_text_of(&names[middle]), name);

        if (order == 0)
            return &names[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* Why nodes are not asked for what is wanted of them: before and behind the name. */
static const char *const not_running[] = {"cluster node ", " not in running state"};
static const char *const no_action[] = {"no action for node ", ""};
static const char *const no_restart[] = {"could not restart node ", ""};

static void add_down(leat_zeek_agent *agent, const leat_value *request, const char *const *why)
{
    const leat_value *down = leat_value_get(request, "down"), *name;

    for (name = leat_value_first(down); name != NULL; name = leat_value_next(down, name)) {
        struct lt_zeek_result result = {.node = lt_zeek_text_of(name)};

        result.error = lt_zeek_manage_join(&agent->m, why[0], result.node, why[1]);
        add_result(agent, NULL, leat_value_get(request, "reqid"), &result);
    }
}

/* ----- answers ----- */

/* What became of a node; left in leat_value.reserved of its name. */
enum { NOT_SAID, BAD, GOOD };

/* Reads what the caller says, of a node if listed. */
static bool read_verdict(const leat_value *record, bool listed, struct lt_zeek_result *verdict)
{
    const leat_value *field;

    memset(verdict, 0, sizeof *verdict);
    verdict->success = true;
    if (leat_value_kind(record) != LEAT_RECORD)
        return false;
    for (field = leat_value_first(record); field != NULL; field = leat_value_next(record, field)) {
        struct lt_zeek_text name = {NULL, 0};
        bool is_text = field->kind == LEAT_TEXT, absent = field->kind == LEAT_NULL;

        name.at = leat_value_name(field, &name.length);
        if (lt_zeek_text_equal(name, lt_zeek_text("success")) &&
            (absent || field->kind == LEAT_BOOL))
            verdict->success = absent || leat_value_bool(field);
        else if (lt_zeek_text_equal(name, lt_zeek_text("error")) && (absent || is_text))
            verdict->error = lt_zeek_text_of(field);
        else if (listed && lt_zeek_text_equal(name, lt_zeek_text("node")) && is_text)
            verdict->node = lt_zeek_text_of(field);
        else if (listed && lt_zeek_text_equal(name, lt_zeek_text("data")))
            verdict->data = absent ? NULL : field;
        else
            return false;
    }
    return !listed || verdict->node.at != NULL;
}

/* Adds the Results that the caller gives, one by one. False: not so. */
static bool add_list(leat_zeek_agent *agent, const leat_value *reqid, leat_value *own,
                     const leat_value *answer)
{
    struct lt_zeek_result verdict;
    const leat_value *record;

    for (record = leat_value_first(answer); record != NULL;
         record = leat_value_next(answer, record)) {
        leat_value *name;

        if (!read_verdict(record, true, &verdict))
            return false;
        name = find_name(own, verdict.node);
        if (name == NULL || name->reserved != NOT_SAID)
            return false;
        name->reserved = verdict.success ? GOOD : BAD;
        add_result(agent, NULL, reqid, &verdict);
    }
    return true;
}

/* The names of nodes that a request is about, behind its reqid. */
static leat_value *own_of(struct request *request)
{
    return &request->kept->value[2];
}

/* Answers what is about nodes, each of which gets a Result. */
static int respond_nodes(leat_zeek_agent *agent, struct request *request, const leat_value *answer)
{
    const leat_value *reqid = leat_value_get(request->kept->value, "reqid");
    leat_value *own = own_of(request), *name;
    struct lt_zeek_result verdict = {.success = false};
    bool listed = leat_value_kind(answer) == LEAT_LIST;
    uint8_t all = NOT_SAID;
    leat_builder *b;

    if (!listed && !read_verdict(answer, false, &verdict))
        return LEAT_E_VALUE;
    if (request->kind == LEAT_ZEEK_AGENT_DEPLOY_REQUEST && own->length == 0 &&
        (!listed || answer->length == 0)) {
        verdict.success |= listed;
        return respond(agent, request->kind, reqid, &verdict);
    }
    if (!listed)
        all = verdict.success ? GOOD : BAD;
    for (name = own + 1; name <= own + own->length; name++)
        name->reserved = NOT_SAID;
    b = open_response(agent, reqid);
    (void)leat_builder_open(b, "results", LEAT_LIST);
    add_down(agent, request->kept->value, not_running);
    if (listed && !add_list(agent, reqid, own, answer))
        return LEAT_E_VALUE;
    for (name = own + 1; name <= own + own->length; name++) {
        if (name->reserved != NOT_SAID)
            continue;
        verdict.node = lt_zeek_text_of(name);
        name->reserved = all;
        add_result(agent, NULL, reqid, &verdict);
    }
    (void)leat_builder_close(b);
    return say_response(agent, request->kind);
}

/* What the agent knows, as Management::NodeStatusVec, in m->in. */
static int write_status(leat_zeek_agent *agent, const leat_value **written)
{
    const leat_zeek_agent_options *options = &agent->options;
    leat_builder *b = agent->m.in;
    size_t i;
    int status;

    leat_builder_clear(b);
    (void)leat_builder_open(b, NULL, LEAT_LIST);
    (void)leat_builder_open(b, NULL, LEAT_RECORD);
    lt_zeek_manage_text(b, "node", agent->name);
    put_state(b, "state", states[RUNNING]);
    put_state(b, "mgmt_role", "Management::AGENT");
    if (options->pid >= 0)
        (void)leat_builder_i64(b, "pid", options->pid);
    if (options->controller_address == NULL)
        (void)leat_builder_port(b, "p", options->listen_port, LEAT_PROTOCOL_TCP);
    (void)leat_builder_close(b);
    for (i = 0; i < agent->table.count && agent->table.request != 0; i++) {
        const struct node *node = &agent->table.nodes[i];

        (void)leat_builder_open(b, NULL, LEAT_RECORD);
        lt_zeek_manage_text(b, "node", node->name);
        put_state(b, "state", states[node->state]);
        (void)leat_builder_copy(b, "cluster_role", leat_value_get(node->record, "role"));
        if (node->pid >= 0)
            (void)leat_builder_i64(b, "pid", node->pid);
        (void)leat_builder_copy(b, "p", leat_value_get(node->record, "p"));
        (void)leat_builder_copy(b, "metrics_port", leat_value_get(node->record, "metrics_port"));
        (void)leat_builder_close(b);
    }
    status = leat_builder_close(b);
    *written = leat_builder_value(b);
    return status;
}

/* Answers what is about the agent itself. */
static int respond_self(leat_zeek_agent *agent, struct request *request, const leat_value *answer)
{
    bool status_wanted = request->kind == LEAT_ZEEK_AGENT_GET_NODES_REQUEST;
    struct lt_zeek_result verdict = {.success = true};
    int status = LEAT_OK;

    if (status_wanted && leat_value_kind(answer) == LEAT_LIST)
        verdict.data = answer;
    else if (!read_verdict(answer, false, &verdict))
        return LEAT_E_VALUE;
    else if (status_wanted && verdict.success)
        status = write_status(agent, &verdict.data);
    if (status != LEAT_OK)
        return status;
    return respond(agent, request->kind, &request->kept->value[1], &verdict);
}

int leat_zeek_agent_answer(leat_zeek_agent *agent, uint64_t number, const leat_value *answer)
{
    struct request *request = agent->first;
    size_t i;
    int status;

    while (request != NULL && request->number != number)
        request = request->next;
    if (request == NULL)
        return LEAT_E_STATE;
    switch (request->kind) {
    case LEAT_ZEEK_AGENT_DEPLOY_REQUEST:
    case LEAT_ZEEK_AGENT_NODE_DISPATCH_REQUEST:
    case LEAT_ZEEK_AGENT_RESTART_REQUEST:
        status = respond_nodes(agent, request, answer);
        break;
    default:
        status = respond_self(agent, request, answer);
        break;
    }
    if (status == LEAT_OK && number == agent->table.request) {
        for (i = 0; i < agent->table.count; i++)
            agent->table.nodes[i].state =
                own_of(request)[1 + i].reserved == GOOD ? RUNNING : FAILED;
        (void)say_changes(agent);
    }
    if (status == LEAT_OK)
        remove_request(agent, request);
    lt_zeek_manage_trim(&agent->m);
    return status;
}

int leat_zeek_agent_done(leat_zeek_agent *agent, uint64_t number)
{
    static const leat_value done = {.kind = LEAT_RECORD, .u.cells = 1};

    return leat_zeek_agent_answer(agent, number, &done);
}

/* ----- nodes ----- */

static struct node *find_node(const leat_zeek_agent *agent, struct lt_zeek_text name)
{
    leat_value *names = agent->table.count > 0 ? &agent->table.kept->value[2] : NULL;
    const leat_value *found = names == NULL ? NULL : find_name(names, name);

    return found == NULL ? NULL : &agent->table.nodes[found - names - 1];
}

int leat_zeek_agent_node(leat_zeek_agent *agent, const char *name, size_t length, const char *state,
                         int64_t pid)
{
    const struct lt_zeek_text wanted = {name, length};
    struct node *node = find_node(agent, wanted);
    uint8_t place = 0, before;
    int status;

    if (node == NULL)
        return LEAT_E_STATE;
    while (place < STATES && (state == NULL || strcmp(states[place], state) != 0))
        place++;
    if (place == STATES)
        return LEAT_E_VALUE;
    before = node->state;
    node->state = place;
    status = say_change(agent, node);
    if (status != LEAT_OK)
        node->state = before;
    else if (pid >= 0)
        node->pid = pid;
    lt_zeek_manage_trim(&agent->m);
    return status;
}

/* ----- time ----- */

/* Adds what is known of the nodes when the time is over. */
static void add_known(leat_zeek_agent *agent, struct request *request)
{
    bool deploys = request->kind == LEAT_ZEEK_AGENT_DEPLOY_REQUEST;
    const leat_value *own = own_of(request), *name;

    for (name = leat_value_first(own); name != NULL; name = leat_value_next(own, name)) {
        struct lt_zeek_result result = {.node = lt_zeek_text_of(name)};
        const struct node *node = find_node(agent, result.node);

        result.success = node != NULL && node->state == RUNNING &&
                         (!deploys || request->number == agent->table.request);
        if (!deploys && (node == NULL || node->state == PENDING))
            continue;
        if (!deploys && !result.success)
            result.error =
                lt_zeek_manage_join(&agent->m, no_restart[0], result.node, no_restart[1]);
        add_result(agent, NULL, &request->kept->value[1], &result);
    }
}

static int respond_late(leat_zeek_agent *agent, struct request *request)
{
    static const char why[] = "request timed out";
    const leat_value *reqid = &request->kept->value[1];
    struct lt_zeek_result late = {.error = lt_zeek_text(why)};
    leat_builder *b = open_response(agent, reqid);
    int status;

    (void)leat_builder_open(b, "results", LEAT_LIST);
    if (request->kind == LEAT_ZEEK_AGENT_DEPLOY_REQUEST)
        add_result(agent, NULL, reqid, &late);
    add_known(agent, request);
    if (request->kind == LEAT_ZEEK_AGENT_RESTART_REQUEST)
        add_result(agent, NULL, reqid, &late);
    (void)leat_builder_close(b);
    status = say_response(agent, request->kind);
    return status == LEAT_E_LIMIT ? refuse(agent, request->kind, reqid, why) : status;
}

/* The time of a request is over. LEAT_OK or LEAT_E_NOMEM. */
static int expire(leat_zeek_agent *agent, struct request *request)
{
    const char *name = leat_zeek_management_name(request->kind);
    leat_builder *b = lt_zeek_manage_open(&agent->m);
    struct lt_zeek_kept *note = NULL;
    const leat_value *value;
    int status = LEAT_OK;

    (void)leat_builder_u64(b, "request", request->number);
    (void)leat_builder_text(b, "event", name, strlen(name));
    if (lt_zeek_manage_close(&agent->m, &value) == LEAT_OK)
        note = lt_zeek_manage_note(&agent->m, LEAT_ZEEK_TIMED_OUT, "timed_out", value);
    if (note == NULL)
        return LEAT_E_NOMEM;
    if (request->kind == LEAT_ZEEK_AGENT_DEPLOY_REQUEST ||
        request->kind == LEAT_ZEEK_AGENT_RESTART_REQUEST)
        status = respond_late(agent, request);
    if (status == LEAT_E_NOMEM) {
        lt_zeek_manage_drop(&agent->m, note);
        return status;
    }
    lt_zeek_manage_tell(&agent->m, note);
    remove_request(agent, request);
    return LEAT_OK;
}

void leat_zeek_agent_tick(leat_zeek_agent *agent, uint64_t now_ms)
{
    struct request *request;

    /* What came before the time was told has waited since then. */
    for (request = agent->first; request != NULL && !agent->ticked; request = request->next)
        request->due_ms = lt_later(request->due_ms, now_ms);
    agent->ticked = true;
    agent->m.now_ms = now_ms;
    if (agent->owes_hello)
        (void)say_hello(agent);
    if (agent->owes_changes)
        (void)say_changes(agent);
    while (agent->first != NULL && agent->first->due_ms <= now_ms &&
           expire(agent, agent->first) == LEAT_OK)
        continue;
    lt_zeek_manage_trim(&agent->m);
}

uint64_t leat_zeek_agent_deadline(const leat_zeek_agent *agent)
{
    if (agent->owes_hello || agent->owes_changes || (agent->first != NULL && !agent->ticked))
        return agent->m.now_ms;
    return agent->first == NULL ? NEVER : agent->first->due_ms;
}

/* ----- requests ----- */

/* Whether as many wait as may, be it for an answer or to be told. */
static bool is_full(const leat_zeek_agent *agent)
{
    uint64_t told = agent->m.told_count - agent->malformed;

    /* Each may still be told twice: that it came, and that it has timed out. */
    return agent->waiting >= agent->options.requests ||
           (told + agent->waiting + 3) / 2 > agent->options.requests;
}

static void put_names(leat_builder *builder, const char *name, const struct table *table,
                      enum part part)
{
    size_t i;

    (void)leat_builder_open(builder, name, LEAT_LIST);
    for (i = 0; i < table->count; i++) {
        if (table->nodes[i].part == part)
            lt_zeek_manage_text(builder, NULL, table->nodes[i].name);
    }
    (void)leat_builder_close(builder);
}

/* Keeps what was made in m->args. */
static int keep(leat_zeek_agent *agent, struct lt_zeek_kept **kept)
{
    const leat_value *value;
    int status = lt_zeek_manage_close(&agent->m, &value);

    *kept = status == LEAT_OK ? lt_zeek_manage_keep(&agent->m, value) : NULL;
    return status == LEAT_OK && *kept == NULL ? LEAT_E_NOMEM : status;
}

/* Keeps what the answer to a request needs. */
static int keep_names(leat_zeek_agent *agent, const leat_value *reqid, const struct table *table,
                      struct lt_zeek_kept **kept)
{
    leat_builder *b = open_response(agent, reqid);

    put_names(b, "own", table, OWN);
    put_names(b, "down", table, DOWN);
    return keep(agent, kept);
}

static int make_note(leat_zeek_agent *agent, uint32_t kind, const leat_value *args,
                     const struct table *table, struct lt_zeek_kept **note)
{
    leat_builder *b = lt_zeek_manage_open(&agent->m);
    const leat_value *arg;
    int status;

    (void)leat_builder_u64(b, "request", agent->numbers + 1);
    for (arg = leat_value_first(args); arg != NULL; arg = leat_value_next(args, arg))
        (void)leat_builder_copy(b, NULL, arg);
    if (kind == LEAT_ZEEK_AGENT_DEPLOY_REQUEST)
        (void)leat_builder_copy(b, "own", leat_value_get(table->kept->value, "own"));
    else if (kind == LEAT_ZEEK_AGENT_NODE_DISPATCH_REQUEST ||
             kind == LEAT_ZEEK_AGENT_RESTART_REQUEST)
        put_names(b, "own", table, OWN);
    status = keep(agent, note);
    if (status == LEAT_OK) {
        (*note)->kind = kind;
        (*note)->name = leat_zeek_management_name(kind);
    }
    return status;
}

/* Lets a request wait for the caller's answer. It owns what is kept of it, at a failure, too. */
static int admit(leat_zeek_agent *agent, uint32_t kind, const leat_value *args,
                 const struct table *table, struct lt_zeek_kept *kept)
{
    struct request *request = (struct request *)lt_alloc_zero(&agent->m.allocator, sizeof *request);
    struct lt_zeek_kept *note;
    int status = request == NULL ? LEAT_E_NOMEM : make_note(agent, kind, args, table, &note);

    if (status != LEAT_OK) {
        lt_zeek_manage_drop(&agent->m, kept);
        lt_free(&agent->m.allocator, request, sizeof *request);
        return status;
    }
    request->number = ++agent->numbers;
    request->due_ms = lt_later(agent->m.now_ms, agent->options.timeout_ms);
    request->kind = kind;
    request->kept = kept;
    *agent->end = request;
    agent->end = &request->next;
    agent->waiting++;
    lt_zeek_manage_tell(&agent->m, note);
    return LEAT_OK;
}

/* ----- deployments ----- */

static int by_name(const void *context, const void *a, const void *b)
{
    const struct node *left = (const struct node *)a, *right = (const struct node *)b;
    int order = lt_zeek_text_compare(left->name, right->name);

    (void)context;
    /* Of several with one name the first one counts. */
    return order != 0 ? order : (left->record > right->record) - (left->record < right->record);
}

static bool is_own(const leat_zeek_agent *agent, const leat_value *node)
{
    return lt_zeek_text_equal(lt_zeek_text_of(leat_value_get(node, "instance")), agent->name);
}

static size_t count_own(const leat_zeek_agent *agent, const leat_value *nodes)
{
    const leat_value *node;
    size_t count = 0;

    for (node = leat_value_first(nodes); node != NULL; node = leat_value_next(nodes, node))
        count += is_own(agent, node);
    return count;
}

/* The nodes of a configuration that are the agent's, by name. */
static void collect_own(const leat_zeek_agent *agent, const leat_value *nodes, struct table *table)
{
    const leat_value *record;
    size_t i, count = 0;

    for (record = leat_value_first(nodes); record != NULL;
         record = leat_value_next(nodes, record)) {
        if (is_own(agent, record)) {
            struct node *node = &table->nodes[count++];

            node->name = lt_zeek_text_of(leat_value_get(record, "name"));
            node->record = record;
            node->pid = -1;
            node->part = OWN;
        }
    }
    lt_sort(table->nodes, count, sizeof *table->nodes, by_name, NULL);
    for (i = 0; i < count; i++) {
        if (i == 0 ||
            !lt_zeek_text_equal(table->nodes[i].name, table->nodes[table->count - 1].name))
            table->nodes[table->count++] = table->nodes[i];
    }
}

/* Makes the table of a configuration that has so many nodes of the agent's own. */
static int make_table(leat_zeek_agent *agent, const leat_value *config, size_t count,
                      struct table *table)
{
    leat_builder *b;
    const leat_value *own, *record;
    size_t i;
    int status;

    memset(table, 0, sizeof *table);
    table->size = count;
    if (count > 0) {
        table->nodes =
            (struct node *)lt_alloc_zero(&agent->m.allocator, count * sizeof *table->nodes);
        if (table->nodes == NULL)
            return LEAT_E_NOMEM;
        collect_own(agent, leat_value_get(config, "nodes"), table);
    }
    b = lt_zeek_manage_open(&agent->m);
    lt_zeek_manage_text(b, "id", lt_zeek_text_of(leat_value_get(config, "id")));
    put_names(b, "names", table, OWN);
    (void)leat_builder_open(b, "own", LEAT_LIST);
    for (i = 0; i < table->count; i++)
        (void)leat_builder_copy(b, NULL, table->nodes[i].record);
    (void)leat_builder_close(b);
    status = keep(agent, &table->kept);
    if (status != LEAT_OK)
        return status;
    own = leat_value_get(table->kept->value, "own");
    record = leat_value_first(own);
    for (i = 0; i < table->count; i++, record = leat_value_next(own, record)) {
        table->nodes[i].record = record;
        table->nodes[i].name = lt_zeek_text_of(&table->kept->value[3 + i]);
    }
    return LEAT_OK;
}

static int take_deploy(leat_zeek_agent *agent, const leat_value *args)
{
    static const uint32_t kind = LEAT_ZEEK_AGENT_DEPLOY_REQUEST;
    const leat_value *reqid = leat_value_get(args, "reqid"),
                     *config = leat_value_get(args, "config");
    struct lt_zeek_text id = lt_zeek_text_of(leat_value_get(config, "id"));
    size_t count = count_own(agent, leat_value_get(config, "nodes"));
    struct lt_zeek_result result = {.success = true};
    struct lt_zeek_kept *kept;
    struct table table;
    int status;

    if (!leat_value_bool(leat_value_get(args, "force")) && agent->table.request != 0 &&
        lt_zeek_text_equal(id, lt_zeek_text_of(&agent->table.kept->value[1])))
        return respond(agent, kind, reqid, &result);
    if (is_full(agent))
        return refuse(agent, kind, reqid, "too many requests");
    if (count > agent->options.nodes || count > SIZE_MAX / sizeof *table.nodes)
        return refuse(agent, kind, reqid, "too many nodes");
    /* What is still to be said of the old nodes. */
    status = agent->owes_changes ? say_changes(agent) : LEAT_OK;
    if (status != LEAT_OK)
        return status;
    status = make_table(agent, config, count, &table);
    if (status == LEAT_OK)
        status = keep_names(agent, reqid, &table, &kept);
    if (status == LEAT_OK)
        status = admit(agent, kind, args, &table, kept);
    if (status != LEAT_OK) {
        free_table(agent, &table);
        return status;
    }
    table.request = agent->numbers;
    free_table(agent, &agent->table);
    agent->table = table;
    return LEAT_OK;
}

/* ----- other requests ----- */

/* Says of each node what a request for some of them, or all, has to do with it; true: it is asked of one. */
static bool divide(leat_zeek_agent *agent, const leat_value *nodes, bool dispatch, bool possible)
{
    const leat_value *name;
    bool asked = false;
    size_t i;

    for (i = 0; i < agent->table.count; i++)
        agent->table.nodes[i].part = leat_value_count(nodes) == 0 ? OWN : NONE;
    for (name = leat_value_first(nodes); name != NULL; name = leat_value_next(nodes, name)) {
        struct node *node = find_node(agent, lt_zeek_text_of(name));

        if (node != NULL)
            node->part = OWN;
    }
    for (i = 0; i < agent->table.count; i++) {
        struct node *node = &agent->table.nodes[i];

        if (node->part == OWN && (!possible || (dispatch && node->state != RUNNING)))
            node->part = DOWN;
        asked |= node->part == OWN;
    }
    return asked;
}

/* Answers for nodes that cannot be asked. */
static int respond_down(leat_zeek_agent *agent, uint32_t kind, struct lt_zeek_kept *kept,
                        const char *const *why)
{
    leat_builder *b = open_response(agent, &kept->value[1]);

    (void)leat_builder_open(b, "results", LEAT_LIST);
    add_down(agent, kept->value, why);
    (void)leat_builder_close(b);
    lt_zeek_manage_drop(&agent->m, kept);
    return say_response(agent, kind);
}

/* A request that is about nodes: some are asked, for others it is answered. */
static int take_nodes(leat_zeek_agent *agent, uint32_t kind, const leat_value *args)
{
    bool dispatch = kind == LEAT_ZEEK_AGENT_NODE_DISPATCH_REQUEST;
    bool acts = !dispatch || leat_value_count(leat_value_get(args, "action")) > 0;
    bool asked =
        divide(agent, leat_value_get(args, "nodes"), dispatch, acts && agent->table.request != 0);
    const char *const *why = !dispatch ? no_restart : !acts ? no_action : not_running;
    const leat_value *reqid = leat_value_get(args, "reqid");
    struct lt_zeek_kept *kept;
    size_t i;
    int status;

    if (asked && is_full(agent))
        return refuse(agent, kind, reqid, "too many requests");
    status = keep_names(agent, reqid, &agent->table, &kept);
    if (status != LEAT_OK)
        return status;
    if (!asked)
        return respond_down(agent, kind, kept, why);
    status = admit(agent, kind, args, &agent->table, kept);
    if (status != LEAT_OK || dispatch)
        return status;
    for (i = 0; i < agent->table.count; i++) {
        if (agent->table.nodes[i].part == OWN)
            agent->table.nodes[i].state = PENDING;
    }
    (void)say_changes(agent);
    return LEAT_OK;
}

/* A request that is about the agent. */
static int take_self(leat_zeek_agent *agent, uint32_t kind, const leat_value *args)
{
    static const struct table none = {.kept = NULL};
    const leat_value *reqid = leat_value_get(args, "reqid");
    struct lt_zeek_kept *kept;
    size_t i;
    int status;

    if (is_full(agent))
        return refuse(agent, kind, reqid, "too many requests");
    status = keep_names(agent, reqid, &none, &kept);
    if (status == LEAT_OK)
        status = admit(agent, kind, args, &none, kept);
    if (status != LEAT_OK || kind != LEAT_ZEEK_AGENT_AGENT_STANDBY_REQUEST)
        return status;
    agent->table.request = 0;
    for (i = 0; i < agent->table.count; i++)
        agent->table.nodes[i].state = STOPPED;
    (void)say_changes(agent);
    return LEAT_OK;
}

static int take_request(leat_zeek_agent *agent, uint32_t kind, const leat_value *args)
{
    int status;

    switch (kind) {
    case LEAT_ZEEK_AGENT_DEPLOY_REQUEST:
        status = take_deploy(agent, args);
        break;
    case LEAT_ZEEK_AGENT_NODE_DISPATCH_REQUEST:
    case LEAT_ZEEK_AGENT_RESTART_REQUEST:
        status = take_nodes(agent, kind, args);
        break;
    default:
        status = take_self(agent, kind, args);
        break;
    }
    if (status == LEAT_E_LIMIT)
        status = refuse(agent, kind, leat_value_get(args, "reqid"), "over a limit");
    return status == LEAT_E_NOMEM ? status : LEAT_OK;
}

static int tell_malformed(leat_zeek_agent *agent)
{
    struct lt_zeek_kept *note;

    if (agent->malformed == MALFORMED_MAX)
        return LEAT_OK;
    note = lt_zeek_manage_malformed(&agent->m);
    if (note == NULL)
        return LEAT_E_NOMEM;
    lt_zeek_manage_tell(&agent->m, note);
    agent->malformed++;
    return LEAT_OK;
}

static bool is_request(uint32_t kind)
{
    return kind <= LEAT_ZEEK_AGENT_RESTART_REQUEST && kind % 2 == 1;
}

int leat_zeek_agent_take(leat_zeek_agent *agent, const leat_event *event)
{
    struct lt_zeek_arrival arrival;
    const leat_value *args;
    int status;

    if (leat_event_kind(event) == LEAT_BROKER_PEER_ADDED)
        (void)say_hello(agent);
    if (!lt_zeek_manage_arrives(event, &arrival) || !is_request(arrival.kind) ||
        arrival.topic_length != agent->topic_length ||
        memcmp(arrival.topic, agent->topic, agent->topic_length) != 0)
        return LEAT_MORE;
    status = lt_zeek_manage_read(&agent->m, &arrival, &args);
    if (status == LEAT_OK)
        status = take_request(agent, arrival.kind, args);
    else if (status == LEAT_E_SYNTAX)
        status = tell_malformed(agent);
    lt_zeek_manage_trim(&agent->m);
    return status;
}

int leat_zeek_agent_next(leat_zeek_agent *agent, const leat_event **event)
{
    int status = lt_zeek_manage_next(&agent->m, event);

    if (status == LEAT_OK && leat_event_kind(*event) == LEAT_ZEEK_MALFORMED)
        agent->malformed--;
    return status;
}
