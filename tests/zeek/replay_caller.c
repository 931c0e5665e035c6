#include "replay.h"

#include <stdio.h>

static struct request *find_request(struct replay *replay, uint32_t kind, const leat_value *args)
{
    char *reqid = copied_text(leat_value_get(args, "reqid"));
    struct request *found = NULL;
    size_t i;

    for (i = 0; i < replay->request_count && found == NULL; i++) {
        if (replay->requests[i].number != 0 && replay->requests[i].kind == kind &&
            strcmp(replay->requests[i].reqid, reqid) == 0)
            found = &replay->requests[i];
    }
    free(reqid);
    return found;
}

/* The names of the nodes in a list of names, or of Management::Node. */
static struct t_bytes names_of(const leat_value *list)
{
    struct t_bytes names = t_copy("", 0);
    const leat_value *node;

    for (node = leat_value_first(list); node != NULL; node = leat_value_next(list, node)) {
        char *name =
            copied_text(leat_value_kind(node) == LEAT_RECORD ? leat_value_get(node, "name") : node);

        add_text(&names, "\"");
        add_text(&names, name);
        add_text(&names, "\"");
        free(name);
    }
    t_append(&names, "", 1);
    return names;
}

static bool has_name(const struct t_bytes *names, const char *name)
{
    char quoted[80];

    (void)snprintf(quoted, sizeof quoted, "\"%s\"", name);
    return strstr((const char *)names->data, quoted) != NULL;
}

void caller_note(struct replay *replay, const leat_event *event)
{
    const leat_value *value = leat_event_value(event);
    struct request *request = &replay->requests[replay->request_count++];

    ck_assert_uint_lt(replay->request_count, REQUESTS);
    request->number = leat_value_u64(leat_value_get(value, "request"));
    ck_assert_uint_ne(request->number, 0);
    request->kind = leat_event_kind(event);
    request->reqid = copied_text(leat_value_get(value, "reqid"));
    request->own = names_of(leat_value_get(value, "own"));
}

void caller_end(struct replay *replay, uint64_t number)
{
    size_t i;

    for (i = 0; i < replay->request_count; i++) {
        if (replay->requests[i].number == number)
            replay->requests[i].number = 0;
    }
}

void caller_forget(struct replay *replay)
{
    size_t i;

    for (i = 0; i < replay->request_count; i++) {
        free(replay->requests[i].reqid);
        t_free(replay->requests[i].own);
    }
    replay->request_count = 0;
    while (replay->restarted_count > 0)
        free(replay->restarted[--replay->restarted_count]);
}

leat_builder *caller_status(struct replay *replay, const char *name)
{
    size_t i;

    for (i = replay->at; i < replay->timeline.count; i++) {
        const struct moment *moment = &replay->timeline.moments[i];
        const leat_value *data, *status;
        leat_builder *builder;
        uint32_t kind;

        if (moment->step == NULL || !replay_is_said(replay, moment))
            continue;
        builder =
            replay_arguments(leat_event_value(replay_decode(replay, &moment->step->frame)), &kind);
        data = leat_value_get(leat_value_get(arguments_of(builder), "result"), "data");
        status = kind == LEAT_ZEEK_AGENT_GET_NODES_RESPONSE ? leat_value_first(data) : NULL;
        while (status != NULL && !(name == NULL ? has_text(status, "node", replay->place->agent)
                                                : has_text(status, "node", name)))
            status = leat_value_next(data, status);
        if (status != NULL) {
            leat_builder *copy;

            ck_assert_int_eq(leat_builder_new(NULL, &copy), LEAT_OK);
            ck_assert_int_eq(leat_builder_copy(copy, NULL, status), LEAT_OK);
            leat_builder_free(builder);
            return copy;
        }
        leat_builder_free(builder);
    }
    return NULL;
}

int64_t caller_pid(const leat_builder *status)
{
    const leat_value *pid = leat_value_get(arguments_of(status), "pid");

    return leat_value_kind(pid) == LEAT_INT || leat_value_kind(pid) == LEAT_UINT
               ? leat_value_i64(pid)
               : -1;
}

/* A node has said hello to the agent. */
static void node_is_up(struct replay *replay, const char *name)
{
    leat_builder *status = caller_status(replay, name);
    int result = leat_zeek_agent_node(replay->agent, name, strlen(name), LEAT_ZEEK_STATE_RUNNING,
                                      caller_pid(status));

    ck_assert_msg(result == LEAT_OK, "%s: %s", name, leat_status_name(result));
    replay_counts.states++;
    leat_builder_free(status);
}

/* How it went for each node that is asked for, as our agent wants to hear it. */
static leat_builder *answer_of(const struct request *request, const leat_value *results)
{
    static const char *const fields[] = {"node", "success", "error", "data"};
    const leat_value *result;
    leat_builder *builder;
    size_t i;

    ck_assert_int_eq(leat_builder_new(NULL, &builder), LEAT_OK);
    (void)leat_builder_open(builder, NULL, LEAT_LIST);
    for (result = leat_value_first(results); result != NULL;
         result = leat_value_next(results, result)) {
        char *name = copied_text(leat_value_get(result, "node"));

        if (name[0] != '\0' && has_name(&request->own, name)) {
            (void)leat_builder_open(builder, NULL, LEAT_RECORD);
            for (i = 0; i < 4; i++) {
                const leat_value *field = leat_value_get(result, fields[i]);

                if (leat_value_kind(field) != LEAT_NULL)
                    (void)leat_builder_copy(builder, fields[i], field);
            }
            (void)leat_builder_close(builder);
        }
        free(name);
    }
    ck_assert_int_eq(leat_builder_close(builder), LEAT_OK);
    return builder;
}

static leat_builder *failure_of(const leat_value *result)
{
    leat_builder *builder;

    ck_assert_int_eq(leat_builder_new(NULL, &builder), LEAT_OK);
    (void)leat_builder_open(builder, NULL, LEAT_RECORD);
    (void)leat_builder_copy(builder, "success", leat_value_get(result, "success"));
    (void)leat_builder_copy(builder, "error", leat_value_get(result, "error"));
    ck_assert_int_eq(leat_builder_close(builder), LEAT_OK);
    return builder;
}

/* Nodes that nobody saw: they are there when they have been deployed, or when the agent says hello next. */
static void note_nodes(struct replay *replay, const struct request *request,
                       const leat_value *results)
{
    const leat_value *result;

    for (result = leat_value_first(results); result != NULL;
         result = leat_value_next(results, result)) {
        char *name = copied_text(leat_value_get(result, "node"));

        if (has_name(&request->own, name) && request->kind == LEAT_ZEEK_AGENT_RESTART_REQUEST) {
            ck_assert_uint_lt(replay->restarted_count, NODES);
            replay->restarted[replay->restarted_count++] = name;
            continue;
        }
        if (has_name(&request->own, name) && request->kind == LEAT_ZEEK_AGENT_DEPLOY_REQUEST)
            node_is_up(replay, name);
        free(name);
    }
}

/* The process answers: so does our caller, if ours waits for it. */
static void answer(struct replay *replay, uint32_t kind, const leat_value *args)
{
    struct request *request = find_request(replay, kind - 1, args);
    const leat_value *result = leat_value_get(args, "result"),
                     *results = leat_value_get(args, "results");
    leat_builder *builder = NULL;
    int status;

    if (request == NULL)
        return;
    if (kind == LEAT_ZEEK_AGENT_GET_NODES_RESPONSE && replay->place->scripted) {
        ck_assert_int_eq(leat_builder_new(NULL, &builder), LEAT_OK);
        (void)leat_builder_copy(builder, NULL, leat_value_get(result, "data"));
    } else if (results != NULL && leat_value_count(results) > 0) {
        builder = answer_of(request, results);
    } else if (result != NULL && !leat_value_bool(leat_value_get(result, "success"))) {
        builder = failure_of(result);
    }
    if (builder != NULL && leat_value_count(arguments_of(builder)) > 0)
        status = leat_zeek_agent_answer(replay->agent, request->number, arguments_of(builder));
    else
        status = leat_zeek_agent_done(replay->agent, request->number);
    ck_assert_msg(status == LEAT_OK, "%s: %s", leat_zeek_management_name(kind),
                  leat_status_name(status));
    request->number = 0;
    replay_counts.answered++;
    leat_builder_free(builder);
    if (replay->place->unseen)
        note_nodes(replay, request, results);
}

static void notify(struct replay *replay, uint32_t kind, const leat_value *args)
{
    size_t length, node_length;
    const char *text = leat_value_text(leat_value_get(args, "msg"), &length);
    const char *node = leat_value_text(leat_value_get(args, "node"), &node_length);

    ck_assert_int_eq(leat_zeek_agent_notify(replay->agent, kind, text, length,
                                            node_length > 0 ? node : NULL, node_length),
                     LEAT_OK);
}

void caller_act(struct replay *replay, const leat_value *value)
{
    uint32_t kind;
    leat_builder *builder = replay_arguments(value, &kind);
    const leat_value *args = arguments_of(builder);

    if (kind == LEAT_ZEEK_AGENT_NOTIFY_ERROR || kind == LEAT_ZEEK_AGENT_NOTIFY_LOG) {
        notify(replay, kind, args);
    } else if (kind == LEAT_ZEEK_AGENT_NOTIFY_AGENT_HELLO) {
        while (replay->restarted_count > 0) {
            char *name = replay->restarted[--replay->restarted_count];

            node_is_up(replay, name);
            free(name);
        }
    } else if (kind < LEAT_ZEEK_AGENT_NOTIFY_AGENT_HELLO && kind > 0) {
        answer(replay, kind, args);
    }
    leat_builder_free(builder);
}

void caller_hear(struct replay *replay, const leat_value *value)
{
    uint32_t kind;
    leat_builder *builder = replay_arguments(value, &kind);
    char *name = copied_text(leat_value_get(arguments_of(builder), "node"));

    leat_builder_free(builder);
    if (kind == LEAT_ZEEK_NODE_NOTIFY_NODE_HELLO)
        node_is_up(replay, name);
    free(name);
}
