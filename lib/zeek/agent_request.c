/* What a controller wants of an agent. */
#include "agent.h"

#include "../core/sort.h"

/* Most malformed events that wait to be told. */
#define MALFORMED_MAX 64u

/* ----- what is kept of a request ----- */

/* Whether as many wait as may, be it for an answer or to be told. */
static bool is_full(const leat_zeek_agent *agent)
{
    uint64_t told = agent->m.told_count - agent->malformed;

    /* Each may still be told twice: that it came, and that it has timed out. */
    return agent->waiting >= agent->options.requests ||
           (told + agent->waiting + 3) / 2 > agent->options.requests;
}

/* Those of the nodes; NULL: none. */
static void put_names(leat_builder *builder, const char *name, const struct lt_zeek_nodes *nodes,
                      enum lt_zeek_part part)
{
    size_t i;

    (void)leat_builder_open(builder, name, LEAT_LIST);
    for (i = 0; nodes != NULL && i < nodes->count; i++) {
        if (nodes->node[i].part == part)
            (void)leat_builder_copy(builder, NULL, leat_value_get(nodes->node[i].record, "name"));
    }
    (void)leat_builder_close(builder);
}

/* Keeps what was made in m->args. */
static int keep(leat_zeek_agent *agent, uint32_t kind, struct lt_zeek_kept **kept)
{
    const leat_value *value;
    int status = lt_zeek_manage_close(&agent->m, &value);

    if (status != LEAT_OK)
        return status;
    *kept = lt_zeek_manage_note(&agent->m, kind, NULL, value);
    return *kept == NULL ? LEAT_E_NOMEM : LEAT_OK;
}

/* Keeps what the answer to a request needs. */
static int keep_names(leat_zeek_agent *agent, const leat_value *args,
                      const struct lt_zeek_nodes *nodes, struct lt_zeek_kept **kept)
{
    leat_builder *b = lt_zeek_manage_open(&agent->m);

    (void)leat_builder_copy(b, "reqid", leat_value_get(args, "reqid"));
    put_names(b, "own", nodes, LT_ZEEK_OWN);
    put_names(b, "down", nodes, LT_ZEEK_DOWN);
    return keep(agent, 0, kept);
}

static int make_note(leat_zeek_agent *agent, uint32_t kind, const leat_value *args,
                     const struct lt_zeek_nodes *nodes, struct lt_zeek_kept **note)
{
    leat_builder *b = lt_zeek_manage_open(&agent->m);
    const leat_value *arg;

    (void)leat_builder_u64(b, "request", agent->numbers + 1);
    for (arg = leat_value_first(args); arg != NULL; arg = leat_value_next(args, arg))
        (void)leat_builder_copy(b, NULL, arg);
    if (kind == LEAT_ZEEK_AGENT_DEPLOY_REQUEST)
        (void)leat_builder_copy(b, "own", leat_value_get(nodes->kept->value, "own"));
    else if (nodes != NULL)
        put_names(b, "own", nodes, LT_ZEEK_OWN);
    return keep(agent, kind, note);
}

static void free_request(leat_zeek_agent *agent, struct lt_zeek_request *request)
{
    lt_zeek_manage_drop(&agent->m, request->kept);
    lt_free(&agent->m.allocator, request, sizeof *request);
}

/* Lets a request wait for the caller's answer. */
static int enqueue(leat_zeek_agent *agent, struct lt_zeek_request *request, const leat_value *args,
                   const struct lt_zeek_nodes *nodes)
{
    struct lt_zeek_kept *note;
    int status;

    if (is_full(agent))
        return LEAT_E_STATE;
    status = make_note(agent, request->kind, args, nodes, &note);
    if (status != LEAT_OK)
        return status;
    lt_zeek_manage_tell(&agent->m, note);
    request->number = ++agent->numbers;
    request->due_ms = lt_later(agent->m.now_ms, agent->options.timeout_ms);
    *agent->end = request;
    agent->end = &request->next;
    agent->waiting++;
    return LEAT_OK;
}

/*
 * Takes a request that is for nodes, or (NULL) for the agent itself. down: of them there are only some
 * that cannot be asked, and it is answered at once why. LEAT_E_STATE: too many requests wait.
 */
static int admit(leat_zeek_agent *agent, uint32_t kind, const leat_value *args,
                 const struct lt_zeek_nodes *nodes, const char *const *down)
{
    struct lt_zeek_request *request =
        (struct lt_zeek_request *)lt_alloc_zero(&agent->m.allocator, sizeof *request);
    int status;

    if (request == NULL)
        return LEAT_E_NOMEM;
    request->kind = kind;
    status = keep_names(agent, args, nodes, &request->kept);
    if (status == LEAT_OK && down == NULL)
        status = enqueue(agent, request, args, nodes);
    else if (status == LEAT_OK)
        status = lt_zeek_agent_respond_down(agent, kind, request->kept, down);
    if (status != LEAT_OK || down != NULL)
        free_request(agent, request);
    return status;
}

/* ----- deployments ----- */

static struct lt_zeek_text name_of(const struct lt_zeek_node *node)
{
    return lt_zeek_text_in(node->record, "name");
}

static int by_name(const void *context, const void *a, const void *b)
{
    const struct lt_zeek_node *left = (const struct lt_zeek_node *)a;
    const struct lt_zeek_node *right = (const struct lt_zeek_node *)b;
    int order = lt_zeek_text_compare(name_of(left), name_of(right));

    (void)context;
    /* Of several with one name the first one counts. */
    return order != 0 ? order : (left->record > right->record) - (left->record < right->record);
}

/* Counts those nodes of a configuration that are the agent's, and puts them in a place, if there is. */
static size_t collect(const leat_zeek_agent *agent, const leat_value *nodes,
                      struct lt_zeek_node *place)
{
    const leat_value *record;
    size_t count = 0;

    for (record = leat_value_first(nodes); record != NULL;
         record = leat_value_next(nodes, record)) {
        if (!lt_zeek_text_equal(lt_zeek_text_in(record, "instance"), agent->name))
            continue;
        if (place != NULL) {
            place[count].record = record;
            place[count].pid = -1;
            place[count].part = LT_ZEEK_OWN;
        }
        count++;
    }
    return count;
}

/* Puts nodes in order, each name once. */
static void arrange(struct lt_zeek_nodes *nodes)
{
    size_t i;

    lt_sort(nodes->node, nodes->size, sizeof *nodes->node, by_name, NULL);
    for (i = 0; i < nodes->size; i++) {
        if (i == 0 ||
            !lt_zeek_text_equal(name_of(&nodes->node[i]), name_of(&nodes->node[nodes->count - 1])))
            nodes->node[nodes->count++] = nodes->node[i];
    }
}

/* Keeps the nodes of a configuration that are the agent's, nodes->size of them. */
static int make_nodes(leat_zeek_agent *agent, const leat_value *config, struct lt_zeek_nodes *nodes)
{
    leat_builder *b = lt_zeek_manage_open(&agent->m);
    const leat_value *own, *record;
    size_t i;
    int status;

    if (nodes->size > 0) {
        nodes->node = (struct lt_zeek_node *)lt_alloc_zero(&agent->m.allocator,
                                                           nodes->size * sizeof *nodes->node);
        if (nodes->node == NULL)
            return LEAT_E_NOMEM;
        (void)collect(agent, leat_value_get(config, "nodes"), nodes->node);
        arrange(nodes);
    }
    (void)leat_builder_copy(b, "id", leat_value_get(config, "id"));
    put_names(b, "names", nodes, LT_ZEEK_OWN);
    (void)leat_builder_open(b, "own", LEAT_LIST);
    for (i = 0; i < nodes->count; i++)
        (void)leat_builder_copy(b, NULL, nodes->node[i].record);
    (void)leat_builder_close(b);
    status = keep(agent, 0, &nodes->kept);
    if (status != LEAT_OK)
        return status;
    own = leat_value_get(nodes->kept->value, "own");
    record = leat_value_first(own);
    for (i = 0; i < nodes->count; i++, record = leat_value_next(own, record))
        nodes->node[i].record = record;
    return LEAT_OK;
}

/*
 * Takes a deployment of what the agent has already. If the caller has yet to answer the one that brought
 * it, this one waits beside that, as its nodes may not be up.
 */
static int take_again(leat_zeek_agent *agent, uint32_t kind, const leat_value *reqid)
{
    struct lt_zeek_request *request = lt_zeek_agent_waiting(agent, agent->nodes.request);
    struct lt_zeek_kept *kept;

    if (request == NULL)
        return lt_zeek_agent_respond(agent, kind, reqid, NULL);
    if (is_full(agent))
        return LEAT_E_STATE;
    kept = lt_zeek_manage_keep(&agent->m, reqid);
    if (kept == NULL)
        return LEAT_E_NOMEM;
    kept->next = request->others;
    request->others = kept;
    agent->waiting++;
    return LEAT_OK;
}

static int take_deploy(leat_zeek_agent *agent, uint32_t kind, const leat_value *args)
{
    const leat_value *config = leat_value_get(args, "config");
    struct lt_zeek_nodes nodes = {.size = collect(agent, leat_value_get(config, "nodes"), NULL)};
    int status = LEAT_OK;

    if (!leat_value_bool(leat_value_get(args, "force")) && agent->nodes.request != 0 &&
        lt_zeek_text_equal(lt_zeek_text_in(config, "id"),
                           lt_zeek_text_of(&agent->nodes.kept->value[1])))
        return take_again(agent, kind, leat_value_get(args, "reqid"));
    if (nodes.size > agent->options.nodes || nodes.size > SIZE_MAX / sizeof *nodes.node)
        return LEAT_E_VALUE;
    /* What is still to be said of the old nodes. */
    if (agent->owes_changes)
        status = lt_zeek_agent_say_changes(agent);
    if (status == LEAT_OK)
        status = make_nodes(agent, config, &nodes);
    if (status == LEAT_OK)
        status = admit(agent, kind, args, &nodes, NULL);
    if (status != LEAT_OK) {
        lt_zeek_agent_free_nodes(agent, &nodes);
        return status;
    }
    nodes.request = agent->numbers;
    lt_zeek_agent_free_nodes(agent, &agent->nodes);
    agent->nodes = nodes;
    return LEAT_OK;
}

/* ----- other requests ----- */

/* Says of each node what a request for these, or all, has to do with it. True: one can be asked. */
static bool divide(leat_zeek_agent *agent, const leat_value *meant, bool running, bool possible)
{
    struct lt_zeek_node *node;
    const leat_value *name;
    bool asked = false;
    size_t i;

    for (i = 0; i < agent->nodes.count; i++)
        agent->nodes.node[i].part = leat_value_count(meant) == 0 ? LT_ZEEK_OWN : LT_ZEEK_NOT_MEANT;
    for (name = leat_value_first(meant); name != NULL; name = leat_value_next(meant, name)) {
        node = lt_zeek_agent_find(agent, lt_zeek_text_of(name));
        if (node != NULL)
            node->part = LT_ZEEK_OWN;
    }
    for (i = 0; i < agent->nodes.count; i++) {
        node = &agent->nodes.node[i];
        if (node->part == LT_ZEEK_OWN && (!possible || (running && node->state != LT_ZEEK_RUNNING)))
            node->part = LT_ZEEK_DOWN;
        asked |= node->part == LT_ZEEK_OWN;
    }
    return asked;
}

/* Nodes get another state: those that the request at hand is for, or all. */
static void set_states(leat_zeek_agent *agent, bool all, enum lt_zeek_state state)
{
    size_t i;

    for (i = 0; i < agent->nodes.count; i++) {
        if (all || agent->nodes.node[i].part == LT_ZEEK_OWN)
            agent->nodes.node[i].state = (uint8_t)state;
    }
    (void)lt_zeek_agent_say_changes(agent);
}

/* What is wanted of nodes: an action, or to be restarted. */
static int take_nodes(leat_zeek_agent *agent, uint32_t kind, const leat_value *args)
{
    bool restarts = kind == LEAT_ZEEK_AGENT_RESTART_REQUEST;
    bool acts = restarts || leat_value_count(leat_value_get(args, "action")) > 0;
    bool asked =
        divide(agent, leat_value_get(args, "nodes"), !restarts, acts && agent->nodes.request != 0);
    const char *const *why = acts ? lt_zeek_not_running : lt_zeek_no_action;
    int status;

    if (restarts)
        why = lt_zeek_no_restart;
    status = admit(agent, kind, args, &agent->nodes, asked ? NULL : why);
    if (status == LEAT_OK && asked && restarts)
        set_states(agent, false, LT_ZEEK_PENDING);
    return status;
}

static int take_self(leat_zeek_agent *agent, uint32_t kind, const leat_value *args)
{
    int status = admit(agent, kind, args, NULL, NULL);

    if (status == LEAT_OK && kind == LEAT_ZEEK_AGENT_AGENT_STANDBY_REQUEST) {
        agent->nodes.request = 0;
        set_states(agent, true, LT_ZEEK_STOPPED);
    }
    return status;
}

/* LEAT_OK or LEAT_E_NOMEM; what cannot be said for another reason never can. */
static int refuse(leat_zeek_agent *agent, uint32_t kind, const leat_value *args, const char *why)
{
    int status = lt_zeek_agent_respond(agent, kind, leat_value_get(args, "reqid"), why);

    return status == LEAT_E_NOMEM ? status : LEAT_OK;
}

/* LEAT_OK, or LEAT_E_NOMEM: nothing was done. */
static int take_request(leat_zeek_agent *agent, uint32_t kind, const leat_value *args)
{
    const char *why = "over a limit";
    int status;

    if (lt_zeek_text_in(args, "reqid").length > LT_ZEEK_REQID_MAX)
        return refuse(agent, kind, args, "request id too long");
    switch (kind) {
    case LEAT_ZEEK_AGENT_DEPLOY_REQUEST:
        status = take_deploy(agent, kind, args);
        break;
    case LEAT_ZEEK_AGENT_NODE_DISPATCH_REQUEST:
    case LEAT_ZEEK_AGENT_RESTART_REQUEST:
        status = take_nodes(agent, kind, args);
        break;
    default:
        status = take_self(agent, kind, args);
        break;
    }
    if (status == LEAT_OK || status == LEAT_E_NOMEM)
        return status;
    if (status == LEAT_E_STATE)
        why = "too many requests";
    else if (status == LEAT_E_VALUE)
        why = "too many nodes";
    return refuse(agent, kind, args, why);
}

/* ----- what comes, and what is told ----- */

static int tell_malformed(leat_zeek_agent *agent)
{
    struct lt_zeek_kept *note;

    if (agent->malformed == MALFORMED_MAX)
        return LEAT_OK;
    note = lt_zeek_manage_malformed(&agent->m);
    /* Over a limit it would be so again. */
    if (note == NULL)
        return leat_error_code(leat_builder_error(agent->m.args)) == LEAT_E_LIMIT ? LEAT_OK
                                                                                  : LEAT_E_NOMEM;
    lt_zeek_manage_tell(&agent->m, note);
    agent->malformed++;
    return LEAT_OK;
}

int leat_zeek_agent_take(leat_zeek_agent *agent, const leat_event *event)
{
    struct lt_zeek_arrival arrival;
    const leat_value *args;
    int status;

    if (leat_event_kind(event) == LEAT_BROKER_PEER_ADDED)
        lt_zeek_agent_say_hello(agent);
    /* Requests have odd numbers. */
    if (!lt_zeek_manage_arrives(event, &arrival) ||
        arrival.kind > LEAT_ZEEK_AGENT_RESTART_REQUEST || arrival.kind % 2 == 0 ||
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
