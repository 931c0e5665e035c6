/* leat zeek agent: an agent of Zeek's Management framework. */
#define _POSIX_C_SOURCE 200809L

#include "zeek_live.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct agent {
    struct node node; /* comes first: what is live->data is either */
    leat_zeek_agent *agent;
    struct script *script; /* NULL: lines of the input answer */
};

static struct agent *agent_of(struct node *node)
{
    return node->data;
}

static bool on_event(struct node *node, const leat_event *event)
{
    leat_zeek_agent *agent = agent_of(node)->agent;
    int status;

    /* From when on a request waits. */
    leat_zeek_agent_tick(agent, node->talk.live.now);
    status = leat_zeek_agent_take(agent, event);
    need_memory(status);
    return status == LEAT_OK || zeek_is_quiet(node, event);
}

static void tell(struct agent *agent)
{
    const leat_event *event;
    int status;

    while ((status = leat_zeek_agent_next(agent->agent, &event)) == LEAT_OK) {
        talk_tell(&agent->node.talk, NULL, event);
        if (agent->script != NULL)
            script_take(agent->script, agent->agent, event);
    }
    need_memory(status);
}

static void on_turn(struct node *node)
{
    struct agent *agent = agent_of(node);
    struct live *live = &node->talk.live;
    uint64_t due = UINT64_MAX;
    uint64_t own;

    leat_zeek_agent_tick(agent->agent, live->now);
    tell(agent);
    if (agent->script != NULL)
        due = script_turn(agent->script, agent->agent);
    own = leat_zeek_agent_deadline(agent->agent);
    due = own < due ? own : due;
    live->due = due < live->due ? due : live->due;
}

/* Lines of the input */

static void judge(struct talk *talk, int status, const char *state, const char *value)
{
    need_memory(status);
    if (status == LEAT_E_STATE)
        talk_refuse(talk, state, "");
    else if (status == LEAT_E_LIMIT)
        talk_refuse(talk, "more than a message can hold", "");
    else if (status != LEAT_OK)
        talk_refuse(talk, value, "");
}

static void do_answer(struct agent *agent, const leat_value *line)
{
    static const char *const names[] = {"request", "answer", NULL};
    struct talk *talk = &agent->node.talk;
    const leat_value *request = leat_value_get(line, "request");
    const leat_value *answer = leat_value_get(line, "answer");
    uint64_t number = leat_value_u64(request);

    if (!talk_fields(talk, line, names))
        return;
    if (leat_value_kind(request) != LEAT_UINT)
        talk_refuse(talk, "not a number", "request");
    else
        judge(talk,
              answer != NULL ? leat_zeek_agent_answer(agent->agent, number, answer)
                             : leat_zeek_agent_done(agent->agent, number),
              "there is no such request that waits", "not an answer to this request");
}

static void do_node(struct agent *agent, const leat_value *line)
{
    static const char *const names[] = {"node", "state", "pid", NULL};
    struct talk *talk = &agent->node.talk;
    const leat_value *pid = leat_value_get(line, "pid");
    size_t length, state_length;
    const char *node = leat_value_text(leat_value_get(line, "node"), &length);
    const char *text = leat_value_text(leat_value_get(line, "state"), &state_length);
    const char *state = zeek_state(text, state_length);

    if (!talk_fields(talk, line, names))
        return;
    if (state == NULL)
        talk_refuse(talk, "not a state", "state");
    else if (pid != NULL && (leat_value_kind(pid) != LEAT_UINT || leat_value_u64(pid) > INT32_MAX))
        talk_refuse(talk, "not a process id", "pid");
    else
        judge(talk,
              leat_zeek_agent_node(agent->agent, node, length, state,
                                   pid != NULL ? leat_value_i64(pid) : -1),
              "there is no such node", "not a state");
}

static void do_notify(struct agent *agent, const leat_value *line, const char *name, uint32_t kind)
{
    const char *const names[] = {name, "node", NULL};
    struct talk *talk = &agent->node.talk;
    const leat_value *node = leat_value_get(line, "node");
    size_t length, node_length;
    const char *text = leat_value_text(leat_value_get(line, name), &length);
    const char *node_text = leat_value_text(node, &node_length);

    if (!talk_fields(talk, line, names))
        return;
    if (leat_value_kind(leat_value_get(line, name)) != LEAT_TEXT ||
        (node != NULL && leat_value_kind(node) != LEAT_TEXT))
        talk_refuse(talk, "not a text", name);
    else
        judge(talk,
              leat_zeek_agent_notify(agent->agent, kind, text, length,
                                     node != NULL ? node_text : NULL, node_length),
              "", "not what can be said");
}

static bool on_line(struct node *node, const leat_value *line)
{
    struct agent *agent = agent_of(node);

    leat_zeek_agent_tick(agent->agent, node->talk.live.now);
    if (leat_value_get(line, "request") != NULL)
        do_answer(agent, line);
    else if (leat_value_get(line, "notify_error") != NULL)
        do_notify(agent, line, "notify_error", LEAT_ZEEK_AGENT_NOTIFY_ERROR);
    else if (leat_value_get(line, "notify_log") != NULL)
        do_notify(agent, line, "notify_log", LEAT_ZEEK_AGENT_NOTIFY_LOG);
    else if (leat_value_get(line, "node") != NULL)
        do_node(agent, line);
    else
        return false;
    return true;
}

static const struct duty duty = {.event = on_event, .turn = on_turn, .line = on_line};

/* Beginning and ending */

static bool listen_at(struct agent *agent, const char *where, leat_zeek_agent_options *options)
{
    if (where == NULL)
        return true;
    if (!node_accept(&agent->node, where, NULL))
        return false;
    options->listen_port = ntohs(net_port(agent->node.talk.live.listeners[0].descriptor));
    return true;
}

static bool make_agent(struct agent *agent, const leat_zeek_agent_options *options)
{
    int status = leat_zeek_agent_new(NULL, options, agent->node.broker, &agent->agent);

    need_memory(status);
    if (status != LEAT_OK)
        complain("--name or --connect: not what an agent can have");
    return status == LEAT_OK;
}

static bool open_agent(struct agent *agent, const struct arguments *arguments)
{
    const char *connect = option_value(arguments, "--connect");
    const char *listen = option_value(arguments, "--listen");
    const char *nodes = option_value(arguments, "--nodes");
    leat_zeek_agent_options options;
    struct endpoint controller;
    uint64_t port = 0;

    leat_zeek_agent_options_init(&options, sizeof options);
    options.name = option_value(arguments, "--name");
    options.pid = getpid();
    if (!node_open(&agent->node, arguments))
        return false;
    if (options.name == NULL || (connect == NULL && listen == NULL)) {
        complain(options.name == NULL ? "--name is missing"
                                      : "--listen is missing, or a controller to --connect to");
        return false;
    }
    if (!option_number(arguments, "--retry", 1, UINT32_MAX, &options.retry_s) ||
        !option_seconds(arguments, "--timeout", &options.timeout_ms) ||
        (connect != NULL && !endpoint_read(&controller, connect, false)))
        return false;
    if (nodes != NULL && (agent->script = script_open(nodes, &agent->node.talk)) == NULL)
        return false;
    options.controller_address = NULL;
    if (connect != NULL) {
        (void)number_read(controller.port, strlen(controller.port), 10, &port);
        options.controller_address = controller.host;
        options.controller_port = (uint32_t)port;
    }
    return listen_at(agent, listen, &options) && make_agent(agent, &options);
}

int zeek_agent(const struct arguments *arguments)
{
    struct agent *agent = calloc(1, sizeof *agent);
    int code = EXIT_USAGE;

    need_memory(agent == NULL ? LEAT_E_NOMEM : LEAT_OK);
    agent->node.duty = &duty;
    agent->node.data = agent;
    if (open_agent(agent, arguments))
        code = node_run(&agent->node, NULL);
    leat_zeek_agent_free(agent->agent);
    script_close(agent->script);
    node_close(&agent->node);
    free(agent);
    return code;
}
