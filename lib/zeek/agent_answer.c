/* Responses of an agent: as the caller answers, or by itself. */
#include "agent.h"

/* What became of a node of a request, left in leat_value.reserved of its name. */
enum { NOT_SAID, BAD, GOOD };

const char *const lt_zeek_not_running[2] = {"cluster node ", " not in running state"};
const char *const lt_zeek_no_action[2] = {"no action for node ", ""};
const char *const lt_zeek_no_restart[2] = {"could not restart node ", ""};

static const struct lt_zeek_text none;

/* ----- Results ----- */

/* Whether the response has one Result; else it has a list of them. */
static bool is_single(uint32_t kind)
{
    return kind == LEAT_ZEEK_AGENT_GET_NODES_REQUEST ||
           kind == LEAT_ZEEK_AGENT_AGENT_WELCOME_REQUEST ||
           kind == LEAT_ZEEK_AGENT_AGENT_STANDBY_REQUEST;
}

/* Opens the response to a request. */
static void open_response(leat_zeek_agent *agent, uint32_t kind, const leat_value *reqid)
{
    leat_builder *b = lt_zeek_manage_open(&agent->m);

    agent->kind = kind;
    agent->reqid = reqid;
    lt_zeek_manage_text(b, "reqid", lt_zeek_text_of(reqid));
    if (!is_single(kind))
        (void)leat_builder_open(b, "results", LEAT_LIST);
}

static void add_result(leat_zeek_agent *agent, bool success, struct lt_zeek_text error,
                       const leat_value *node, const leat_value *data)
{
    const struct lt_zeek_result result = {.reqid = lt_zeek_text_of(agent->reqid),
                                          .instance = agent->name,
                                          .error = error,
                                          .node = lt_zeek_text_of(node),
                                          .data = data,
                                          .success = success};

    lt_zeek_manage_result(agent->m.args, is_single(agent->kind) ? "result" : NULL, &result);
}

/* Says it: its kind is the one behind that of the request. */
static int close_response(leat_zeek_agent *agent)
{
    if (!is_single(agent->kind))
        (void)leat_builder_close(agent->m.args);
    return lt_zeek_agent_say(agent, agent->kind + 1);
}

/* Answers with one Result that is about no node. */
static int respond(leat_zeek_agent *agent, uint32_t kind, const leat_value *reqid, bool success,
                   struct lt_zeek_text error, const leat_value *data)
{
    static const leat_value nothing = {.kind = LEAT_LIST, .u.cells = 1};

    open_response(agent, kind, reqid);
    /* Without a list controllers could not even read why. */
    add_result(agent, success, error, NULL,
               data == NULL && kind == LEAT_ZEEK_AGENT_GET_NODES_REQUEST ? &nothing : data);
    return close_response(agent);
}

int lt_zeek_agent_respond(leat_zeek_agent *agent, uint32_t kind, const leat_value *reqid,
                          const char *error)
{
    return respond(agent, kind, reqid, error == NULL, lt_zeek_text(error), NULL);
}

/* Why a node failed at what is asked of it. */
static struct lt_zeek_text failure(leat_zeek_agent *agent, const leat_value *name,
                                   const char *const *why)
{
    return lt_zeek_manage_join(&agent->m, why[0], lt_zeek_text_of(name), why[1]);
}

/* Adds the Results of nodes that could not be asked. */
static void add_down(leat_zeek_agent *agent, const struct lt_zeek_kept *kept,
                     const char *const *why)
{
    const leat_value *down = leat_value_get(kept->value, "down"), *name;

    for (name = leat_value_first(down); name != NULL; name = leat_value_next(down, name))
        add_result(agent, false, failure(agent, name, why), name, NULL);
}

int lt_zeek_agent_respond_down(leat_zeek_agent *agent, uint32_t kind,
                               const struct lt_zeek_kept *kept, const char *const *why)
{
    open_response(agent, kind, &kept->value[1]);
    add_down(agent, kept, why);
    return close_response(agent);
}

/* ----- answers of the caller ----- */

struct verdict {
    bool success;
    struct lt_zeek_text error;
    const leat_value *node;
    const leat_value *data;
};

/* Whether a field is missing, LEAT_NULL or of that kind; counts those that are there. */
static bool may_be(const leat_value *field, uint32_t kind, size_t *count)
{
    *count += field != NULL;
    return leat_value_kind(field) == LEAT_NULL || leat_value_kind(field) == kind;
}

/* Reads what the caller says of all nodes, or of one. False: it is not of that form. */
static bool read_verdict(const leat_value *record, bool of_one, struct verdict *verdict)
{
    const leat_value *success = leat_value_get(record, "success");
    const leat_value *error = leat_value_get(record, "error");
    size_t count = 0;

    verdict->success = leat_value_kind(success) == LEAT_NULL || leat_value_bool(success);
    verdict->error = lt_zeek_text_of(error);
    verdict->node = of_one ? leat_value_get(record, "node") : NULL;
    verdict->data = of_one ? leat_value_get(record, "data") : NULL;
    return leat_value_kind(record) == LEAT_RECORD && may_be(success, LEAT_BOOL, &count) &&
           may_be(error, LEAT_TEXT, &count) &&
           of_one == (leat_value_kind(verdict->node) == LEAT_TEXT) &&
           count + of_one + (verdict->data != NULL) == leat_value_count(record);
}

/* The reqid that is to be answered next. */
static const leat_value *reqid_of(const struct lt_zeek_request *request)
{
    return request->answered ? request->others->value : &request->kept->value[1];
}

/* That one is answered. True: it was the last one. */
static bool is_answered(leat_zeek_agent *agent, struct lt_zeek_request *request)
{
    struct lt_zeek_kept *other = request->others;

    if (request->answered) {
        request->others = other->next;
        lt_zeek_manage_drop(&agent->m, other);
        agent->waiting--;
    }
    request->answered = true;
    return request->others == NULL;
}

/* The names of nodes that a request is about. */
static leat_value *own_of(const struct lt_zeek_request *request)
{
    return &request->kept->value[LT_ZEEK_NAMES_AT];
}

/* Adds the Results that the caller gives one by one. False: not so. */
static bool add_list(leat_zeek_agent *agent, leat_value *own, const leat_value *list)
{
    const leat_value *record;
    struct verdict verdict;

    for (record = leat_value_first(list); record != NULL; record = leat_value_next(list, record)) {
        leat_value *name;

        if (!read_verdict(record, true, &verdict))
            return false;
        name = lt_zeek_find_name(own, lt_zeek_text_of(verdict.node));
        if (name == NULL || name->reserved != NOT_SAID)
            return false;
        name->reserved = verdict.success ? GOOD : BAD;
        add_result(agent, verdict.success, verdict.error, name, verdict.data);
    }
    return true;
}

/* Answers what is about nodes: by the list, and for those that are not in it by the verdict. */
static int respond_nodes(leat_zeek_agent *agent, struct lt_zeek_request *request,
                         const struct verdict *verdict, const leat_value *list)
{
    const leat_value *reqid = reqid_of(request);
    leat_value *own = own_of(request), *name, *end = own + 1 + own->length;

    if (request->kind == LEAT_ZEEK_AGENT_DEPLOY_REQUEST && own->length == 0 &&
        leat_value_count(list) == 0)
        return respond(agent, request->kind, reqid, verdict->success || list != NULL,
                       verdict->error, NULL);
    for (name = own + 1; name < end; name++)
        name->reserved = NOT_SAID;
    open_response(agent, request->kind, reqid);
    add_down(agent, request->kept, lt_zeek_not_running);
    if (!add_list(agent, own, list))
        return LEAT_E_VALUE;
    for (name = own + 1; name < end; name++) {
        if (name->reserved != NOT_SAID)
            continue;
        name->reserved = verdict->success ? GOOD : BAD;
        add_result(agent, verdict->success, verdict->error, name, NULL);
    }
    return close_response(agent);
}

/* Opens a Management::NodeStatus. */
static void open_status(leat_builder *b, struct lt_zeek_text name, enum lt_zeek_state state,
                        int64_t pid)
{
    (void)leat_builder_open(b, NULL, LEAT_RECORD);
    lt_zeek_manage_text(b, "node", name);
    lt_zeek_put_state(b, "state", state);
    if (pid >= 0)
        (void)leat_builder_i64(b, "pid", pid);
}

/* What the agent knows, as Management::NodeStatusVec, in m->in. */
static int write_status(leat_zeek_agent *agent, const leat_value **written)
{
    static const char role[] = "Management::AGENT";
    leat_builder *b = agent->m.in;
    size_t i;
    int status;

    leat_builder_clear(b);
    (void)leat_builder_open(b, NULL, LEAT_LIST);
    open_status(b, agent->name, LT_ZEEK_RUNNING, agent->options.pid);
    (void)leat_builder_enum(b, "mgmt_role", role, sizeof role - 1);
    if (agent->options.controller_address == NULL)
        (void)leat_builder_port(b, "p", agent->options.listen_port, LEAT_PROTOCOL_TCP);
    (void)leat_builder_close(b);
    for (i = 0; i < agent->nodes.count && agent->nodes.request != 0; i++) {
        const struct lt_zeek_node *node = &agent->nodes.node[i];
        const leat_value *record = node->record;

        open_status(b, lt_zeek_text_in(record, "name"), (enum lt_zeek_state)node->state, node->pid);
        (void)leat_builder_copy(b, "cluster_role", leat_value_get(record, "role"));
        (void)leat_builder_copy(b, "p", leat_value_get(record, "p"));
        (void)leat_builder_copy(b, "metrics_port", leat_value_get(record, "metrics_port"));
        (void)leat_builder_close(b);
    }
    status = leat_builder_close(b);
    *written = leat_builder_value(b);
    return status;
}

/* Answers what is about the agent itself; list: of its nodes. */
static int respond_self(leat_zeek_agent *agent, struct lt_zeek_request *request,
                        const struct verdict *verdict, const leat_value *list)
{
    bool of_nodes = request->kind == LEAT_ZEEK_AGENT_GET_NODES_REQUEST;
    int status = LEAT_OK;

    if (list != NULL && !of_nodes)
        return LEAT_E_VALUE;
    if (of_nodes && verdict->success)
        status = write_status(agent, &list);
    if (status != LEAT_OK)
        return status;
    return respond(agent, request->kind, reqid_of(request), verdict->success || list != NULL,
                   verdict->error, list);
}

int leat_zeek_agent_answer(leat_zeek_agent *agent, uint64_t number, const leat_value *answer)
{
    const leat_value *list = leat_value_kind(answer) == LEAT_LIST ? answer : NULL;
    struct lt_zeek_request *request = lt_zeek_agent_waiting(agent, number);
    struct verdict verdict = {.success = false};
    size_t i;
    int status;

    if (request == NULL)
        return LEAT_E_STATE;
    if (list == NULL && !read_verdict(answer, false, &verdict))
        return LEAT_E_VALUE;
    do {
        status = (is_single(request->kind) ? respond_self : respond_nodes)(agent, request, &verdict,
                                                                           list);
    } while (status == LEAT_OK && !is_answered(agent, request));
    if (status == LEAT_OK) {
        for (i = 0; i < agent->nodes.count && number == agent->nodes.request; i++)
            agent->nodes.node[i].state =
                own_of(request)[1 + i].reserved == GOOD ? LT_ZEEK_RUNNING : LT_ZEEK_FAILED;
        (void)lt_zeek_agent_say_changes(agent);
        lt_zeek_agent_remove(agent, request);
    }
    lt_zeek_manage_trim(&agent->m);
    return status;
}

int leat_zeek_agent_done(leat_zeek_agent *agent, uint64_t number)
{
    static const leat_value done = {.kind = LEAT_RECORD, .u.cells = 1};

    return leat_zeek_agent_answer(agent, number, &done);
}

/* ----- what was not answered ----- */

/* Adds what is known of a node when the time is over. */
static void add_known(leat_zeek_agent *agent, const struct lt_zeek_request *request,
                      const leat_value *name)
{
    const struct lt_zeek_node *node = lt_zeek_agent_find(agent, lt_zeek_text_of(name));
    bool deploys = request->kind == LEAT_ZEEK_AGENT_DEPLOY_REQUEST;
    bool runs = node != NULL && node->state == LT_ZEEK_RUNNING;

    if (deploys)
        runs &= request->number == agent->nodes.request;
    else if (node == NULL || node->state == LT_ZEEK_PENDING)
        return;
    add_result(agent, runs, deploys || runs ? none : failure(agent, name, lt_zeek_no_restart), name,
               NULL);
}

static int respond_late(leat_zeek_agent *agent, const struct lt_zeek_request *request)
{
    static const char why[] = "request timed out";
    bool deploys = request->kind == LEAT_ZEEK_AGENT_DEPLOY_REQUEST;
    const leat_value *own = own_of(request), *reqid = reqid_of(request), *name;
    int status;

    if (!deploys && request->kind != LEAT_ZEEK_AGENT_RESTART_REQUEST)
        return LEAT_OK;
    open_response(agent, request->kind, reqid);
    if (deploys)
        add_result(agent, false, lt_zeek_text(why), NULL, NULL);
    for (name = leat_value_first(own); name != NULL; name = leat_value_next(own, name))
        add_known(agent, request, name);
    if (!deploys)
        add_result(agent, false, lt_zeek_text(why), NULL, NULL);
    status = close_response(agent);
    /* With all its nodes it was too long. */
    if (status == LEAT_E_LIMIT)
        status = lt_zeek_agent_respond(agent, request->kind, reqid, why);
    return status;
}

int lt_zeek_agent_expire(leat_zeek_agent *agent, struct lt_zeek_request *request)
{
    leat_builder *b = lt_zeek_manage_open(&agent->m);
    struct lt_zeek_kept *note = NULL;
    const leat_value *value;
    int status;

    (void)leat_builder_u64(b, "request", request->number);
    lt_zeek_manage_text(b, "event", lt_zeek_text(leat_zeek_management_name(request->kind)));
    if (lt_zeek_manage_close(&agent->m, &value) == LEAT_OK)
        note = lt_zeek_manage_note(&agent->m, LEAT_ZEEK_TIMED_OUT, "timed_out", value);
    if (note == NULL)
        return LEAT_E_NOMEM;
    do {
        status = respond_late(agent, request);
    } while (status != LEAT_E_NOMEM && !is_answered(agent, request));
    if (status == LEAT_E_NOMEM) {
        lt_zeek_manage_drop(&agent->m, note);
        return LEAT_E_NOMEM;
    }
    lt_zeek_manage_tell(&agent->m, note);
    lt_zeek_agent_remove(agent, request);
    return LEAT_OK;
}
