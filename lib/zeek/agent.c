#include "agent.h"

#include "../core/text.h"

#define NAME_LENGTH_MAX 255u

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
    struct lt_zeek_text prefix = lt_zeek_text(agent->options.topic_prefix);
    struct lt_zeek_text name = lt_zeek_text(agent->options.name);

    agent->topic_length = prefix.length + 1 + name.length;
    agent->topic = (char *)lt_resize(&agent->m.allocator, NULL, 0, agent->topic_length);
    if (agent->topic == NULL)
        return false;
    memcpy(agent->topic, prefix.at, prefix.length);
    agent->topic[prefix.length] = '/';
    agent->name.at = agent->topic + prefix.length + 1;
    agent->name.length = name.length;
    memcpy(agent->topic + prefix.length + 1, name.at, name.length);
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

    if (!lt_options_read(&read, sizeof read, options) || read.name == NULL ||
        strlen(read.name) - 1 >= NAME_LENGTH_MAX || read.topic_prefix == NULL ||
        read.listen_port > UINT16_MAX)
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
    if (status == LEAT_OK)
        *agent = made;
    else
        leat_zeek_agent_free(made);
    return status;
}

void lt_zeek_agent_free_nodes(leat_zeek_agent *agent, struct lt_zeek_nodes *nodes)
{
    lt_zeek_manage_drop(&agent->m, nodes->kept);
    lt_free(&agent->m.allocator, nodes->node, nodes->size * sizeof *nodes->node);
}

struct lt_zeek_request *lt_zeek_agent_waiting(const leat_zeek_agent *agent, uint64_t number)
{
    struct lt_zeek_request *request = agent->first;

    while (request != NULL && request->number != number)
        request = request->next;
    return request;
}

void lt_zeek_agent_remove(leat_zeek_agent *agent, struct lt_zeek_request *request)
{
    struct lt_zeek_request **at = &agent->first;
    struct lt_zeek_kept *other;

    while (*at != request)
        at = &(*at)->next;
    *at = request->next;
    if (*at == NULL)
        agent->end = at;
    agent->waiting--;
    while ((other = request->others) != NULL) {
        request->others = other->next;
        lt_zeek_manage_drop(&agent->m, other);
        agent->waiting--;
    }
    lt_zeek_manage_drop(&agent->m, request->kept);
    lt_free(&agent->m.allocator, request, sizeof *request);
}

void leat_zeek_agent_free(leat_zeek_agent *agent)
{
    leat_allocator allocator;

    if (agent == NULL)
        return;
    while (agent->first != NULL)
        lt_zeek_agent_remove(agent, agent->first);
    lt_zeek_agent_free_nodes(agent, &agent->nodes);
    lt_free(&agent->m.allocator, agent->topic, agent->topic_length);
    lt_zeek_manage_free(&agent->m);
    allocator = agent->m.given;
    lt_free(&allocator, agent, sizeof *agent);
}

size_t leat_zeek_agent_memory(const leat_zeek_agent *agent)
{
    return sizeof *agent + agent->m.held;
}

/* ----- what it says by itself ----- */

int lt_zeek_agent_say(leat_zeek_agent *agent, uint32_t kind)
{
    const leat_value *args;
    int status = lt_zeek_manage_close(&agent->m, &args);

    if (status != LEAT_OK)
        return status;
    return lt_zeek_manage_publish(&agent->m, agent->topic, agent->topic_length, kind, args);
}

/* Opens the arguments of a notification, all of which begin alike. */
static leat_builder *open_notification(leat_zeek_agent *agent)
{
    leat_builder *b = lt_zeek_manage_open(&agent->m);

    lt_zeek_manage_text(b, "instance", agent->name);
    return b;
}

void lt_zeek_agent_say_hello(leat_zeek_agent *agent)
{
    leat_builder *b = open_notification(agent);
    char id[36];
    struct lt_writer text = lt_writer_fixed(id, sizeof id);

    lt_write_uuid(&text, leat_broker_node_id(agent->m.broker));
    (void)leat_builder_text(b, "id", id, sizeof id);
    (void)leat_builder_bool(b, "connecting", agent->options.controller_address != NULL);
    (void)leat_builder_u64(b, "api_version", LEAT_ZEEK_MANAGEMENT_VERSION);
    agent->owes_hello =
        lt_zeek_agent_say(agent, LEAT_ZEEK_AGENT_NOTIFY_AGENT_HELLO) == LEAT_E_NOMEM;
}

int leat_zeek_agent_notify(leat_zeek_agent *agent, uint32_t kind, const char *text, size_t length,
                           const char *node, size_t node_length)
{
    const struct lt_zeek_text about = {node, node_length};
    leat_builder *b = open_notification(agent);
    int status;

    if (kind != LEAT_ZEEK_AGENT_NOTIFY_ERROR && kind != LEAT_ZEEK_AGENT_NOTIFY_LOG)
        return LEAT_E_VALUE;
    (void)leat_builder_text(b, "msg", text, length);
    lt_zeek_manage_text(b, "node", about);
    status = lt_zeek_agent_say(agent, kind);
    lt_zeek_manage_trim(&agent->m);
    return status;
}

/* ----- nodes ----- */

static const char *const states[LT_ZEEK_STATES] = {
    LEAT_ZEEK_STATE_PENDING, LEAT_ZEEK_STATE_RUNNING, LEAT_ZEEK_STATE_STOPPED,
    LEAT_ZEEK_STATE_FAILED,  LEAT_ZEEK_STATE_CRASHED, LEAT_ZEEK_STATE_UNKNOWN};

void lt_zeek_put_state(leat_builder *builder, const char *name, enum lt_zeek_state state)
{
    (void)leat_builder_enum(builder, name, states[state], strlen(states[state]));
}

struct lt_zeek_node *lt_zeek_agent_find(const leat_zeek_agent *agent, struct lt_zeek_text name)
{
    leat_value *names, *found;

    if (agent->nodes.count == 0)
        return NULL;
    names = &agent->nodes.kept->value[LT_ZEEK_NAMES_AT];
    found = lt_zeek_find_name(names, name);
    return found == NULL ? NULL : &agent->nodes.node[found - names - 1];
}

/* LEAT_OK, or LEAT_E_NOMEM: it was not said. */
static int say_change(leat_zeek_agent *agent, struct lt_zeek_node *node)
{
    leat_builder *b;

    if (node->state == node->told)
        return LEAT_OK;
    b = open_notification(agent);
    (void)leat_builder_copy(b, "n", node->record);
    lt_zeek_put_state(b, "old", (enum lt_zeek_state)node->told);
    lt_zeek_put_state(b, "new", (enum lt_zeek_state)node->state);
    if (lt_zeek_agent_say(agent, LEAT_ZEEK_AGENT_NOTIFY_CHANGE) == LEAT_E_NOMEM)
        return LEAT_E_NOMEM;
    node->told = node->state;
    return LEAT_OK;
}

int lt_zeek_agent_say_changes(leat_zeek_agent *agent)
{
    int status = LEAT_OK;
    size_t i;

    for (i = 0; i < agent->nodes.count && status == LEAT_OK; i++)
        status = say_change(agent, &agent->nodes.node[i]);
    agent->owes_changes = status != LEAT_OK;
    return status;
}

int leat_zeek_agent_node(leat_zeek_agent *agent, const char *name, size_t length, const char *state,
                         int64_t pid)
{
    const struct lt_zeek_text wanted = {name, length};
    struct lt_zeek_node *node = lt_zeek_agent_find(agent, wanted);
    uint8_t place = 0, before;
    int status;

    if (node == NULL)
        return LEAT_E_STATE;
    while (place < LT_ZEEK_STATES && strcmp(states[place], state) != 0)
        place++;
    if (place == LT_ZEEK_STATES)
        return LEAT_E_VALUE;
    before = node->state;
    node->state = place;
    status = say_change(agent, node);
    if (status != LEAT_OK)
        node->state = before;
    else if (pid >= 0)
        node->pid = pid;
    return status;
}

/* ----- time ----- */

void leat_zeek_agent_tick(leat_zeek_agent *agent, uint64_t now_ms)
{
    struct lt_zeek_request *request;

    /* What came before the time was told has waited since then. */
    for (request = agent->first; request != NULL && !agent->ticked; request = request->next)
        request->due_ms = lt_later(request->due_ms, now_ms);
    agent->ticked = true;
    agent->m.now_ms = now_ms;
    if (agent->owes_hello)
        lt_zeek_agent_say_hello(agent);
    if (agent->owes_changes)
        (void)lt_zeek_agent_say_changes(agent);
    while (agent->first != NULL && agent->first->due_ms <= now_ms &&
           lt_zeek_agent_expire(agent, agent->first) == LEAT_OK)
        continue;
    lt_zeek_manage_trim(&agent->m);
}

uint64_t leat_zeek_agent_deadline(const leat_zeek_agent *agent)
{
    if (agent->owes_hello || agent->owes_changes || (agent->first != NULL && !agent->ticked))
        return agent->m.now_ms;
    return agent->first == NULL ? UINT64_MAX : agent->first->due_ms;
}
