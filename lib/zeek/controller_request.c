/* What clients ask a controller for: what it answers by itself, and what it asks agents for. */
#include "controller.h"

#include "controller_config.h"

#include "../broker/endpoint.h"
#include "../core/builder.h"
#include "../core/sort.h"
#include "../core/text.h"

#include <string.h>

/* As many octets as so many messages may have are the Results of all requests, of each as one has. */
#define RESULT_MESSAGES 4u

/* ----- Results ----- */

/* Where the Results of a request end, to go back to. */
struct mark {
    size_t cells;
    uint64_t bytes;
    uint32_t count;
};

static struct mark mark(const struct lt_zeek_request *r)
{
    const struct mark made = {r->results.count, r->result_bytes, r->result_count};

    return made;
}

static int rewind_to(leat_zeek_controller *c, struct lt_zeek_request *r, struct mark mark)
{
    c->result_bytes -= r->result_bytes - mark.bytes;
    r->results.count = mark.cells;
    r->result_bytes = mark.bytes;
    r->result_count = mark.count;
    return LEAT_E_NOMEM;
}

/*
 * Makes text UTF-8 from a cell on, each octet that is not a question mark: JSON has no form for it, and
 * clients by WebSocket would get no response.
 */
static int make_utf8(struct lt_tree *tree, size_t cell)
{
    for (; cell < tree->count; cell++) {
        leat_value *value = &tree->cells[cell];
        uint8_t *octets;
        size_t sound;

        if (leat_value_kind(value) != LEAT_TEXT)
            continue;
        sound = lt_utf8_prefix(value->u.bytes, value->length);
        if (sound == value->length)
            continue;
        octets = (uint8_t *)lt_arena_copy(&tree->arena, value->u.bytes, value->length);
        if (octets == NULL)
            return LEAT_E_NOMEM;
        for (; sound < value->length;
             sound += lt_utf8_prefix(octets + sound, value->length - sound))
            octets[sound] = '?';
        value->u.bytes = octets;
    }
    return LEAT_OK;
}

/* LEAT_OK or LEAT_E_NOMEM, as all that adds Results; then what was added before it is to be taken back. */
static int append(leat_zeek_controller *c, struct lt_zeek_request *r, const leat_value *result)
{
    const uint64_t most = c->m.broker->limits.message_bytes, bytes = lt_zeek_manage_bytes(result);
    const struct mark before = mark(r);
    int status;

    /* The first one may be as large as it is. */
    r->overflowed |= r->result_count > 0 && (r->result_bytes + bytes > most ||
                                             c->result_bytes + bytes > RESULT_MESSAGES * most);
    if (r->overflowed)
        return LEAT_OK;
    r->result_bytes += bytes;
    c->result_bytes += bytes;
    status = lt_tree_copy(&r->results, result, LT_NO_NAME);
    r->result_count++;
    if (status == LEAT_OK)
        return LEAT_OK;
    (void)rewind_to(c, r, before);
    r->overflowed |= status == LEAT_E_LIMIT;
    return status == LEAT_E_LIMIT ? LEAT_OK : LEAT_E_NOMEM;
}

/* One of our own, with the reqid of the request; made in m->args. */
static int add(leat_zeek_controller *c, struct lt_zeek_request *r, struct lt_zeek_result *result)
{
    const leat_value *made;

    if (r->overflowed)
        return LEAT_OK;
    result->reqid = lt_zeek_text_in(r->args->value, "reqid");
    leat_builder_clear(c->m.args);
    lt_zeek_manage_result(c->m.args, NULL, result);
    made = leat_builder_value(c->m.args);
    if (made != NULL)
        return append(c, r, made);
    r->overflowed = leat_error_code(leat_builder_error(c->m.args)) != LEAT_E_NOMEM;
    return r->overflowed ? LEAT_OK : LEAT_E_NOMEM;
}

static int add_data(leat_zeek_controller *c, struct lt_zeek_request *r, const leat_value *data)
{
    struct lt_zeek_result result = {.success = true, .data = data};

    return add(c, r, &result);
}

static int add_error(leat_zeek_controller *c, struct lt_zeek_request *r, const char *error)
{
    struct lt_zeek_result result = {.error = lt_zeek_text(error)};

    return add(c, r, &result);
}

/* ----- nodes of what is deployed ----- */

static int compare_nodes(const void *context, const void *a, const void *b)
{
    (void)context;
    return lt_zeek_text_compare(lt_zeek_text_in(*(const leat_value *const *)a, "name"),
                                lt_zeek_text_in(*(const leat_value *const *)b, "name"));
}

static int compare_places(const void *context, const void *a, const void *b)
{
    int order = lt_zeek_text_compare(lt_zeek_text_in(*(const leat_value *const *)a, "instance"),
                                     lt_zeek_text_in(*(const leat_value *const *)b, "instance"));

    return order != 0 ? order : compare_nodes(context, a, b);
}

/* NULL: there is none. */
static const leat_value *find_node(const leat_zeek_controller *c, struct lt_zeek_text name)
{
    size_t low = 0, high = c->node_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = lt_zeek_text_compare(lt_zeek_text_in(c->nodes[middle], "name"), name);

        if (order == 0)
            return c->nodes[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* The place of the first node of an instance, among those that are in the order of their instances. */
static size_t place_of(const leat_zeek_controller *c, const struct lt_zeek_instance *instance)
{
    size_t low = c->node_count, high = 2 * c->node_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (lt_zeek_text_compare(lt_zeek_text_in(c->nodes[middle], "instance"), instance->name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void lt_zeek_controller_disown(leat_zeek_controller *c)
{
    lt_free(&c->m.allocator, c->nodes, 2 * c->node_count * sizeof *c->nodes);
    lt_zeek_manage_drop(&c->m, c->deployed);
    c->nodes = NULL;
    c->node_count = 0;
    c->deployed = NULL;
}

int lt_zeek_controller_adopt(leat_zeek_controller *c, struct lt_zeek_kept *configuration)
{
    const leat_value *nodes = leat_value_get(configuration->value, "nodes"), *at;
    size_t count = leat_value_count(nodes), i = 0;
    const leat_value **index = NULL;

    if (count > 0) {
        index = (const leat_value **)lt_resize(&c->m.allocator, NULL, 0, 2 * count * sizeof *index);
        if (index == NULL)
            return LEAT_E_NOMEM;
    }
    for (at = leat_value_first(nodes); at != NULL; at = leat_value_next(nodes, at))
        index[i++] = at;
    if (count > 0)
        memcpy(index + count, index, count * sizeof *index);
    lt_sort(index, count, sizeof *index, compare_nodes, NULL);
    lt_sort(index + count, count, sizeof *index, compare_places, NULL);
    lt_zeek_controller_disown(c);
    c->nodes = index;
    c->node_count = count;
    c->deployed = configuration;
    return LEAT_OK;
}

static int fail_node(leat_zeek_controller *c, struct lt_zeek_request *r, const leat_value *node,
                     const char *error)
{
    struct lt_zeek_result result = {.instance = lt_zeek_text_in(node, "instance"),
                                    .node = lt_zeek_text_in(node, "name"),
                                    .error = lt_zeek_text(error)};

    return add(c, r, &result);
}

/* The names of nodes that a request is about, in order; none: all. */
static leat_value *asked_of(const struct lt_zeek_request *r)
{
    const leat_value *nodes = leat_value_get(r->args->value, "nodes");

    return r->args->value + (nodes - r->args->value);
}

/* The failure of all nodes of an instance that a request is about. */
static int fail_nodes(leat_zeek_controller *c, struct lt_zeek_request *r,
                      const struct lt_zeek_instance *instance, const char *error)
{
    leat_value *asked = asked_of(r);
    int status = LEAT_OK;
    size_t i;

    for (i = place_of(c, instance); i < 2 * c->node_count && status == LEAT_OK; i++) {
        const leat_value *node = c->nodes[i];

        if (!lt_zeek_text_equal(lt_zeek_text_in(node, "instance"), instance->name))
            break;
        if (asked->length == 0 || lt_zeek_find_name(asked, lt_zeek_text_in(node, "name")) != NULL)
            status = fail_node(c, r, node, error);
    }
    return status;
}

/* That of a node which cannot be asked, as its instance is not there. */
static int fail_absent(leat_zeek_controller *c, struct lt_zeek_request *r, const leat_value *node)
{
    const struct lt_zeek_instance *instance =
        lt_zeek_instance_find(c, lt_zeek_text_in(node, "instance"));

    if (node == NULL || (instance != NULL && instance->wanted && instance->ready))
        return LEAT_OK;
    return fail_node(c, r, node,
                     instance != NULL && instance->known ? "instance not ready"
                                                         : "instance not connected");
}

/* The same for all nodes that a request is about. */
static int fail_all_absent(leat_zeek_controller *c, struct lt_zeek_request *r)
{
    const leat_value *asked = asked_of(r), *at;
    int status = LEAT_OK;
    size_t i;

    if (asked->length == 0) {
        for (i = 0; i < c->node_count && status == LEAT_OK; i++)
            status = fail_absent(c, r, c->nodes[i]);
    }
    for (at = leat_value_first(asked); at != NULL && status == LEAT_OK;
         at = leat_value_next(asked, at))
        status = fail_absent(c, r, find_node(c, lt_zeek_text_of(at)));
    return status;
}

/* What there is instead of an instance's answer. */
static int add_failure(leat_zeek_controller *c, struct lt_zeek_request *r,
                       const struct lt_zeek_instance *instance, const char *error)
{
    static const leat_value none = {.kind = LEAT_LIST, .u.cells = 1};
    struct lt_zeek_result result = {.instance = instance->name, .error = lt_zeek_text(error)};

    if (r->kind == LEAT_ZEEK_CONTROLLER_GET_NODES_REQUEST)
        result.data = &none;
    else if (r->kind != LEAT_ZEEK_CONTROLLER_DEPLOY_REQUEST)
        return fail_nodes(c, r, instance, error);
    return add(c, r, &result);
}

/* The Results that an instance has answered; args NULL: nothing that could be read. */
static int collect(leat_zeek_controller *c, struct lt_zeek_request *r,
                   const struct lt_zeek_instance *instance, const leat_value *args)
{
    const struct mark before = mark(r);
    const leat_value *results = leat_value_get(args, "results"),
                     *at = leat_value_get(args, "result");
    int status = LEAT_OK;

    if (args == NULL)
        status = add_failure(c, r, instance, "malformed response");
    else if (at != NULL)
        status = append(c, r, at);
    for (at = leat_value_first(results); at != NULL && status == LEAT_OK;
         at = leat_value_next(results, at))
        status = append(c, r, at);
    if (status == LEAT_OK)
        status = make_utf8(&r->results, before.cells);
    return status == LEAT_OK ? LEAT_OK : rewind_to(c, r, before);
}

/* ----- requests ----- */

static void free_request(leat_zeek_controller *c, struct lt_zeek_request *r)
{
    if (r == NULL)
        return;
    c->result_bytes -= r->result_bytes;
    lt_tree_free(&r->results);
    lt_zeek_manage_drop(&c->m, r->args);
    lt_zeek_manage_drop(&c->m, r->note);
    lt_free(&c->m.allocator, r->asks, r->ask_count * sizeof *r->asks);
    lt_free(&c->m.allocator, r, sizeof *r);
}

/* NULL: no memory. */
static struct lt_zeek_request *new_request(leat_zeek_controller *c, uint32_t kind,
                                           const leat_value *args, bool own)
{
    struct lt_zeek_request *r = (struct lt_zeek_request *)lt_alloc_zero(&c->m.allocator, sizeof *r);

    if (r == NULL)
        return NULL;
    lt_tree_init(&r->results, &c->m.allocator, c->m.args->limits.values);
    r->kind = kind;
    r->own = own;
    r->due_ms = lt_later(c->m.now_ms, c->options.timeout_ms);
    r->args = lt_zeek_manage_keep(&c->m, args);
    r->note = lt_zeek_manage_note(&c->m, kind, NULL, args);
    if (r->args == NULL || r->note == NULL || lt_tree_reserve(&r->results, 1) != LEAT_OK) {
        free_request(c, r);
        return NULL;
    }
    (void)lt_tree_open(&r->results, LEAT_LIST, LT_NO_NAME);
    return r;
}

/* Tells that it came. */
static void announce(leat_zeek_controller *c, struct lt_zeek_request *r)
{
    (void)lt_zeek_controller_tell(c, r->note);
    r->note = NULL;
}

static void link_request(leat_zeek_controller *c, struct lt_zeek_request *r)
{
    *c->requests_end = r;
    c->requests_end = &r->next;
    c->request_count++;
}

static void unlink_request(leat_zeek_controller *c, struct lt_zeek_request *r)
{
    struct lt_zeek_request **place = &c->requests;

    while (*place != r)
        place = &(*place)->next;
    *place = r->next;
    if (r->next == NULL)
        c->requests_end = place;
    c->request_count--;
    free_request(c, r);
}

/* Responses with one Result have it by another name. */
static bool has_one_result(uint32_t kind)
{
    return kind == LEAT_ZEEK_CONTROLLER_GET_INSTANCES_REQUEST ||
           kind == LEAT_ZEEK_CONTROLLER_GET_CONFIGURATION_REQUEST ||
           kind == LEAT_ZEEK_CONTROLLER_TEST_TIMEOUT_REQUEST;
}

static int respond(leat_zeek_controller *c, struct lt_zeek_request *r)
{
    const bool one = has_one_result(r->kind);
    leat_builder *b = lt_zeek_manage_open(&c->m);
    const uint32_t kind = r->kind + 1;
    struct lt_zeek_kept *note;
    const leat_value *args;
    int status;

    lt_tree_close(&r->results, 0, r->result_count);
    lt_zeek_manage_text(b, "reqid", lt_zeek_text_in(r->args->value, "reqid"));
    (void)leat_builder_copy(b, one ? "result" : "results",
                            r->results.cells + (one && r->result_count > 0));
    status = lt_zeek_manage_close(&c->m, &args);
    if (status != LEAT_OK)
        return status;
    note = lt_zeek_manage_note(&c->m, kind, NULL, args);
    if (note == NULL)
        return LEAT_E_NOMEM;
    if (!r->own)
        status = lt_zeek_manage_publish(&c->m, c->topic.at, c->topic.length, kind, args);
    if (status == LEAT_OK)
        return lt_zeek_controller_tell(c, note);
    lt_zeek_manage_drop(&c->m, note);
    return status;
}

/* LEAT_OK or LEAT_E_NOMEM. What is too much for a message is replaced by an error. */
static int answer(leat_zeek_controller *c, struct lt_zeek_request *r)
{
    static const struct mark start = {.cells = 1};
    int status;

    if (!r->overflowed) {
        status = respond(c, r);
        if (status == LEAT_OK || status == LEAT_E_NOMEM)
            return status;
        r->overflowed = true;
    }
    (void)rewind_to(c, r, start);
    r->overflowed = false;
    status = add_error(c, r, "response too large");
    if (status == LEAT_OK)
        status = respond(c, r);
    r->overflowed = true;
    return status == LEAT_E_NOMEM ? status : LEAT_OK;
}

static struct lt_zeek_kept *note_configuration(leat_zeek_controller *c, const char *what,
                                               const leat_value *configuration)
{
    leat_builder *b = lt_zeek_manage_open(&c->m);
    const leat_value *value;

    lt_zeek_manage_text(b, "what", lt_zeek_text(what));
    (void)leat_builder_copy(b, "configuration", configuration);
    if (lt_zeek_manage_close(&c->m, &value) != LEAT_OK)
        return NULL;
    return lt_zeek_manage_note(&c->m, LEAT_ZEEK_CONFIGURATION, "configuration", value);
}

/* ----- deploying ----- */

static void end_deployment(leat_zeek_controller *c, bool done)
{
    size_t i;

    lt_zeek_manage_drop(&c->m, c->pending);
    c->pending = NULL;
    c->deployment = NULL;
    c->sending = false;
    for (i = 0; i < c->count; i++) {
        c->instances[i]->part = LT_ZEEK_NO_PART;
        c->instances[i]->deploy = 0;
        c->instances[i]->owes_config &= done;
    }
}

/* All have answered: what was pending is deployed. */
static int complete(leat_zeek_controller *c, struct lt_zeek_request *r)
{
    const struct mark before = mark(r);
    struct lt_zeek_kept *note = NULL;
    int status = add_data(c, r, leat_value_get(c->pending->value, "id"));

    if (status == LEAT_OK) {
        note = note_configuration(c, "deployed", c->pending->value);
        status = note == NULL ? LEAT_E_NOMEM : lt_zeek_controller_adopt(c, c->pending);
    }
    if (status != LEAT_OK) {
        lt_zeek_manage_drop(&c->m, note);
        return rewind_to(c, r, before);
    }
    (void)lt_zeek_controller_tell(c, note);
    c->pending = NULL;
    end_deployment(c, true);
    return LEAT_OK;
}

/* Nothing is waited for any more: answers, and forgets it; or later. */
static void conclude(leat_zeek_controller *c, struct lt_zeek_request *r)
{
    if (!r->concluded)
        r->concluded = r != c->deployment || complete(c, r) == LEAT_OK;
    if (r->concluded && answer(c, r) == LEAT_OK)
        unlink_request(c, r);
    else
        c->owes = true;
}

static void answered(leat_zeek_controller *c, struct lt_zeek_request *r)
{
    r->waiting--;
    if (r->waiting == 0)
        conclude(c, r);
}

/* A copy with the hosts that are known by now; NULL: no memory, or too large. */
static struct lt_zeek_kept *fill(leat_zeek_controller *c, const struct lt_zeek_kept *configuration)
{
    leat_builder_clear(c->m.args);
    if (lt_zeek_configuration_fill(c->m.args, NULL, configuration->value,
                                   lt_zeek_controller_address, c) != LEAT_OK)
        return NULL;
    return lt_zeek_manage_keep(&c->m, leat_builder_value(c->m.args));
}

static void send_to_all(leat_zeek_controller *c, enum lt_zeek_part part)
{
    size_t i;

    for (i = 0; i < c->count; i++) {
        c->instances[i]->part = c->instances[i]->wanted ? part : LT_ZEEK_NO_PART;
        c->instances[i]->owes_config = c->instances[i]->wanted;
    }
    lt_zeek_instances_settle(c);
}

static bool restore(leat_zeek_controller *c)
{
    struct lt_zeek_kept *filled = fill(c, c->deployed);

    if (filled == NULL || lt_zeek_controller_adopt(c, filled) != LEAT_OK) {
        lt_zeek_manage_drop(&c->m, filled);
        return false;
    }
    c->restoring = false;
    send_to_all(c, LT_ZEEK_NO_PART);
    return true;
}

static bool begin_sending(leat_zeek_controller *c)
{
    struct lt_zeek_kept *filled = fill(c, c->pending);

    if (filled == NULL)
        return false;
    lt_zeek_manage_drop(&c->m, c->pending);
    c->pending = filled;
    c->sending = true;
    c->deployment->waiting = c->wanted;
    send_to_all(c, LT_ZEEK_TO_SEND);
    if (c->wanted == 0)
        conclude(c, c->deployment);
    return true;
}

static bool tell_ready(leat_zeek_controller *c)
{
    leat_builder *b = lt_zeek_manage_open(&c->m);
    struct lt_zeek_kept *note = NULL;
    const leat_value *value;
    size_t i;

    (void)leat_builder_open(b, "instances", LEAT_SET);
    for (i = 0; i < c->count; i++) {
        if (c->instances[i]->wanted)
            lt_zeek_manage_text(b, NULL, c->instances[i]->name);
    }
    (void)leat_builder_close(b);
    if (lt_zeek_manage_close(&c->m, &value) == LEAT_OK)
        note = lt_zeek_manage_note(&c->m, LEAT_ZEEK_CONTROLLER_NOTIFY_AGENTS_READY, NULL, value);
    if (lt_zeek_controller_tell(c, note) != LEAT_OK)
        return false;
    c->owes_ready = false;
    return true;
}

void lt_zeek_deployment_go(leat_zeek_controller *c)
{
    if (c->deployment != NULL && c->deployment->waiting == 0)
        conclude(c, c->deployment);
    if (c->ready != c->wanted)
        return;
    if ((c->owes_ready && !tell_ready(c)) || (c->restoring && !restore(c)) ||
        (c->deployment != NULL && !c->sending && !begin_sending(c)))
        c->owes = true;
}

int lt_zeek_deployment_leave(leat_zeek_controller *c, struct lt_zeek_instance *instance,
                             const char *error)
{
    struct lt_zeek_request *r = c->deployment;

    if (r == NULL || !instance->wanted || instance->part == LT_ZEEK_ANSWERED)
        return LEAT_OK;
    if (add_failure(c, r, instance, error) != LEAT_OK)
        return LEAT_E_NOMEM;
    instance->part = LT_ZEEK_ANSWERED;
    if (c->sending)
        r->waiting--;
    return LEAT_OK;
}

/* ----- asking agents ----- */

static uint32_t agent_kind(uint32_t kind)
{
    if (kind == LEAT_ZEEK_CONTROLLER_GET_NODES_REQUEST)
        return LEAT_ZEEK_AGENT_GET_NODES_REQUEST;
    return kind == LEAT_ZEEK_CONTROLLER_RESTART_REQUEST ? LEAT_ZEEK_AGENT_RESTART_REQUEST
                                                        : LEAT_ZEEK_AGENT_NODE_DISPATCH_REQUEST;
}

/* Without memory it is owed; what cannot be sent for another reason never can. */
static void sent(leat_zeek_controller *c, struct lt_zeek_ask *ask, int status)
{
    if (status == LEAT_E_NOMEM)
        c->owes = true;
    else
        ask->number = ++c->numbers;
}

static void send_ask(leat_zeek_controller *c, struct lt_zeek_ask *ask)
{
    const leat_value *given = ask->request->args->value, *at;
    const leat_value *nodes = leat_value_get(given, "nodes");
    const uint32_t kind = agent_kind(ask->request->kind);
    int status = lt_zeek_instance_say_again(c, ask->instance, ask->request->args);
    leat_builder *b;

    if (status != LEAT_MORE) {
        sent(c, ask, status);
        return;
    }
    b = lt_zeek_controller_open(c, c->numbers + 1);
    if (kind == LEAT_ZEEK_AGENT_NODE_DISPATCH_REQUEST) {
        (void)leat_builder_open(b, "action", LEAT_LIST);
        lt_zeek_manage_text(b, NULL, lt_zeek_text("get_id_value"));
        (void)leat_builder_copy(b, NULL, leat_value_get(given, "id"));
        (void)leat_builder_close(b);
        (void)leat_builder_open(b, "nodes", LEAT_SET);
        for (at = leat_value_first(nodes); at != NULL; at = leat_value_next(nodes, at)) {
            if (find_node(c, lt_zeek_text_of(at)) != NULL)
                (void)leat_builder_copy(b, NULL, at);
        }
        (void)leat_builder_close(b);
    } else if (kind == LEAT_ZEEK_AGENT_RESTART_REQUEST) {
        (void)leat_builder_copy(b, "nodes", nodes); /* as Zeek does, those that are unknown, too */
    }
    sent(c, ask, lt_zeek_instance_say(c, ask->instance, kind, ask->request->args));
}

/* No answer is waited for any more. */
static void unhook(struct lt_zeek_ask *ask)
{
    if (ask->place == NULL)
        return;
    *ask->place = ask->next;
    if (ask->next != NULL)
        ask->next->place = ask->place;
    ask->place = NULL;
}

/* The Results that are owed for an ask that failed. */
static void settle_failure(leat_zeek_controller *c, struct lt_zeek_ask *ask)
{
    struct lt_zeek_request *r = ask->request;
    const struct mark before = mark(r);

    if (add_failure(c, r, ask->instance, ask->failed) != LEAT_OK) {
        (void)rewind_to(c, r, before);
        c->owes = true;
        return;
    }
    ask->failed = NULL;
    ask->instance->failures--;
    r->waiting--;
}

void lt_zeek_asks_fail(leat_zeek_controller *c, struct lt_zeek_instance *instance,
                       const char *error)
{
    while (instance->asks != NULL) {
        struct lt_zeek_ask *ask = instance->asks;
        struct lt_zeek_request *r = ask->request;

        unhook(ask);
        ask->failed = error;
        instance->failures++;
        settle_failure(c, ask);
        if (r->waiting == 0)
            conclude(c, r);
    }
}

int lt_zeek_response_take(leat_zeek_controller *c, struct lt_zeek_instance *instance, uint32_t kind,
                          uint64_t number, const leat_value *args)
{
    struct lt_zeek_ask *ask = instance->asks;
    struct lt_zeek_request *r;

    if (kind == LEAT_ZEEK_AGENT_DEPLOY_RESPONSE && number == instance->deploy) {
        r = c->deployment;
        if (collect(c, r, instance, args) != LEAT_OK)
            return LEAT_E_NOMEM;
        instance->deploy = 0;
        instance->part = LT_ZEEK_ANSWERED;
        answered(c, r);
        return LEAT_OK;
    }
    while (ask != NULL && (ask->number != number || agent_kind(ask->request->kind) + 1 != kind))
        ask = ask->next;
    if (ask == NULL)
        return LEAT_OK;
    r = ask->request;
    if (collect(c, r, instance, args) != LEAT_OK)
        return LEAT_E_NOMEM;
    unhook(ask);
    answered(c, r);
    return LEAT_OK;
}

/* ----- what each request does: LEAT_OK; LEAT_MORE: it sees to the rest by itself; LEAT_E_NOMEM ----- */

/* Whether a request that would wait is one too many. */
static const char *too_many(const leat_zeek_controller *c)
{
    return c->request_count >= c->options.requests ? "too many requests" : NULL;
}

static int get_instances(leat_zeek_controller *c, struct lt_zeek_request *r)
{
    leat_builder *b = lt_zeek_manage_out(&c->m);
    size_t i;

    (void)leat_builder_open(b, NULL, LEAT_LIST);
    for (i = 0; i < c->count; i++) {
        if (!c->instances[i]->known)
            continue;
        (void)leat_builder_open(b, NULL, LEAT_RECORD);
        lt_zeek_instance_put(b, c->instances[i]);
        (void)leat_builder_close(b);
    }
    if (leat_builder_close(b) == LEAT_E_NOMEM)
        return LEAT_E_NOMEM;
    r->overflowed = leat_builder_value(b) == NULL;
    return r->overflowed ? LEAT_OK : add_data(c, r, leat_builder_value(b));
}

/* What is wrong with the instances of a configuration, beside what Zeek finds; NULL: nothing. */
static const char *check_instances(const leat_zeek_controller *c, const leat_value *configuration)
{
    const leat_value *instances = leat_value_get(configuration, "instances"), *at;

    if (leat_value_count(instances) > c->options.instances)
        return "too many instances";
    for (at = leat_value_first(instances); at != NULL; at = leat_value_next(instances, at)) {
        if (!lt_zeek_is_instance_name(lt_zeek_text_in(at, "name")))
            return "instance names have 1 to 255 octets";
    }
    return NULL;
}

static int add_errors(leat_zeek_controller *c, struct lt_zeek_request *r, const leat_value *errors)
{
    const leat_value *at;
    int status = LEAT_OK;

    for (at = leat_value_first(errors); at != NULL && status == LEAT_OK;
         at = leat_value_next(errors, at)) {
        struct lt_zeek_result result = {.error = lt_zeek_text_of(at)};

        status = add(c, r, &result);
    }
    return status;
}

/* Takes over what is staged; complete is it with its ports, in m->args. */
static int take_over(leat_zeek_controller *c, struct lt_zeek_request *r)
{
    const leat_value *configuration = leat_value_get(r->args->value, "config");
    struct lt_zeek_kept *complete = lt_zeek_manage_keep(&c->m, leat_builder_value(c->m.args));
    struct lt_zeek_kept *staged = lt_zeek_manage_keep(&c->m, configuration);
    struct lt_zeek_kept *note = note_configuration(c, "staged", configuration);

    if (complete == NULL || staged == NULL || note == NULL ||
        add_data(c, r, leat_value_get(configuration, "id")) != LEAT_OK) {
        lt_zeek_manage_drop(&c->m, complete);
        lt_zeek_manage_drop(&c->m, staged);
        lt_zeek_manage_drop(&c->m, note);
        return LEAT_E_NOMEM;
    }
    lt_zeek_manage_drop(&c->m, c->complete);
    lt_zeek_manage_drop(&c->m, c->staged);
    c->complete = complete;
    c->staged = staged;
    announce(c, r);
    return lt_zeek_controller_tell(c, note);
}

static int stage_configuration(leat_zeek_controller *c, struct lt_zeek_request *r)
{
    const leat_zeek_controller_options *o = &c->options;
    const struct lt_zeek_staging staging = {
        .controller_port = o->port,
        .broker_port = o->auto_assign_broker_ports != 0 ? o->auto_assign_broker_start_port : 0,
        .metrics_port = o->auto_assign_metrics_ports != 0 ? o->auto_assign_metrics_start_port : 0,
        .address = lt_zeek_controller_address,
        .context = c,
    };
    const leat_value *configuration = leat_value_get(r->args->value, "config");
    const char *error = check_instances(c, configuration);
    leat_builder *errors;
    int status;

    if (error != NULL)
        return add_error(c, r, error);
    errors = lt_zeek_manage_out(&c->m);
    leat_builder_clear(c->m.args);
    status = lt_zeek_configuration_stage(&staging, configuration, errors, c->m.args);
    if (status == LEAT_E_NOMEM)
        return status;
    r->overflowed = status != LEAT_OK;
    if (r->overflowed)
        return LEAT_OK;
    if (leat_value_count(leat_builder_value(errors)) > 0)
        return add_errors(c, r, leat_builder_value(errors));
    return take_over(c, r);
}

static int get_configuration(leat_zeek_controller *c, struct lt_zeek_request *r)
{
    bool deployed = leat_value_bool(leat_value_get(r->args->value, "deployed"));
    const struct lt_zeek_kept *configuration = deployed ? c->deployed : c->staged;

    if (configuration != NULL)
        return add_data(c, r, configuration->value);
    return add_error(c, r,
                     deployed ? "no deployed configuration available"
                              : "no staged configuration available");
}

static int deploy(leat_zeek_controller *c, struct lt_zeek_request *r)
{
    const char *error = too_many(c);
    struct lt_zeek_result pending = {.success = false};
    int status;
    size_t i;

    if (c->complete == NULL)
        return add_error(c, r, "no configuration available to deploy");
    if (c->deployment != NULL) {
        (void)lt_zeek_manage_open(&c->m); /* before texts are joined */
        pending.error = lt_zeek_manage_join(&c->m, "earlier deployment ",
                                            lt_zeek_text_in(c->deployment->args->value, "reqid"),
                                            " still pending");
        return pending.error.at == NULL ? LEAT_E_NOMEM : add(c, r, &pending);
    }
    if (error != NULL)
        return add_error(c, r, error);
    c->pending = lt_zeek_manage_keep(&c->m, c->complete->value);
    if (c->pending == NULL)
        return LEAT_E_NOMEM;
    status = lt_zeek_instances_want(c, c->pending->value);
    if (status != LEAT_OK) {
        end_deployment(c, true);
        return status == LEAT_E_LIMIT ? add_error(c, r, "too many instances") : status;
    }
    announce(c, r);
    link_request(c, r);
    r->waiting = 1; /* for all to be ready */
    c->deployment = r;
    c->begun = c->owes_ready = true;
    c->restoring = false;
    for (i = 0; i < c->count; i++)
        c->instances[i]->owes_config = false;
    lt_zeek_instances_settle(c);
    lt_zeek_deployment_go(c);
    return LEAT_MORE;
}

/* Asks all that are known, or that are ready. */
static int ask(leat_zeek_controller *c, struct lt_zeek_request *r, bool ready)
{
    size_t count = ready ? c->ready : c->known, i;

    if (count > 0) {
        r->asks = (struct lt_zeek_ask *)lt_alloc_zero(&c->m.allocator, count * sizeof *r->asks);
        if (r->asks == NULL)
            return LEAT_E_NOMEM;
    }
    r->ask_count = count;
    for (i = 0; i < c->count; i++) {
        struct lt_zeek_instance *instance = c->instances[i];
        struct lt_zeek_ask *made;

        if (ready ? !instance->ready : !instance->known)
            continue;
        made = &r->asks[r->waiting];
        made->request = r;
        made->instance = instance;
        made->next = instance->asks;
        made->place = &instance->asks;
        if (made->next != NULL)
            made->next->place = &made->next;
        instance->asks = made;
        r->waiting++;
    }
    return LEAT_OK;
}

static int get_nodes(leat_zeek_controller *c, struct lt_zeek_request *r)
{
    const char *error = c->known == 0 ? "no instances connected" : too_many(c);
    int status = LEAT_OK;
    size_t i;

    if (error != NULL)
        return add_error(c, r, error);
    for (i = 0; i < c->count && status == LEAT_OK; i++) {
        if (c->instances[i]->wanted && !c->instances[i]->known)
            status = add_failure(c, r, c->instances[i], "instance not connected");
    }
    return status == LEAT_OK ? ask(c, r, false) : status;
}

static int compare_names(const void *context, const void *a, const void *b)
{
    (void)context;
    return lt_zeek_text_compare(lt_zeek_text_of((const leat_value *)a),
                                lt_zeek_text_of((const leat_value *)b));
}

/* What nodes are asked for, through the agents that run them. */
static int ask_nodes(leat_zeek_controller *c, struct lt_zeek_request *r)
{
    leat_value *asked = asked_of(r);
    const leat_value *at;
    const char *error = too_many(c);
    bool any = asked->length == 0;
    int status = LEAT_OK;

    if (error != NULL)
        return add_error(c, r, error);
    lt_sort(asked + 1, asked->length, sizeof *asked, compare_names, NULL);
    for (at = leat_value_first(asked); at != NULL && status == LEAT_OK;
         at = leat_value_next(asked, at)) {
        struct lt_zeek_result unknown = {.error = lt_zeek_text("unknown cluster node"),
                                         .node = lt_zeek_text_of(at)};

        if (find_node(c, unknown.node) != NULL)
            any = true;
        else
            status = add(c, r, &unknown);
    }
    if (status == LEAT_OK && any)
        status = fail_all_absent(c, r);
    return status == LEAT_OK && any ? ask(c, r, true) : status;
}

static int get_id_value(leat_zeek_controller *c, struct lt_zeek_request *r)
{
    return c->wanted == 0 ? add_error(c, r, "no cluster deployed") : ask_nodes(c, r);
}

static int restart(leat_zeek_controller *c, struct lt_zeek_request *r)
{
    if (c->known == 0)
        return add_error(c, r, "no instances connected");
    if (c->deployed == NULL)
        return add_error(c, r, "no active cluster deployment");
    return ask_nodes(c, r);
}

static int test_timeout(leat_zeek_controller *c, struct lt_zeek_request *r)
{
    const char *error = too_many(c);

    if (!leat_value_bool(leat_value_get(r->args->value, "with_state"))) {
        announce(c, r);
        free_request(c, r);
        return LEAT_MORE;
    }
    if (error != NULL)
        return add_error(c, r, error);
    r->waiting = 1; /* for nothing */
    return LEAT_OK;
}

/* ----- from controller.c ----- */

int lt_zeek_request_take(leat_zeek_controller *c, uint32_t kind, const leat_value *args, bool own)
{
    /* In the order of their kinds. */
    static int (*const handlers[])(leat_zeek_controller *, struct lt_zeek_request *) = {
        get_instances, stage_configuration, get_configuration, deploy,
        get_nodes,     get_id_value,        restart,           test_timeout};
    struct lt_zeek_request *r = new_request(c, kind, args, own);
    size_t i;
    int status = LEAT_E_NOMEM;

    if (r != NULL && lt_zeek_text_in(args, "reqid").length > LT_ZEEK_REQID_MAX)
        status = add_error(c, r, "request id too long");
    else if (r != NULL)
        status = handlers[(kind - LEAT_ZEEK_CONTROLLER_GET_INSTANCES_REQUEST) / 2](c, r);
    if (status == LEAT_E_NOMEM)
        free_request(c, r);
    if (status != LEAT_OK)
        return status == LEAT_MORE ? LEAT_OK : status;
    announce(c, r);
    link_request(c, r);
    if (r->waiting == 0) {
        conclude(c, r);
        return LEAT_OK;
    }
    for (i = 0; i < r->ask_count; i++)
        send_ask(c, &r->asks[i]);
    return LEAT_OK;
}

void lt_zeek_requests_work(leat_zeek_controller *c)
{
    struct lt_zeek_request *r, *next;
    size_t i;

    lt_zeek_deployment_go(c);
    for (r = c->requests; r != NULL; r = next) {
        next = r->next;
        for (i = 0; i < r->ask_count; i++) {
            if (r->asks[i].failed != NULL) {
                settle_failure(c, &r->asks[i]);
                lt_zeek_instance_settle(c, r->asks[i].instance);
            } else if (r->asks[i].place != NULL && r->asks[i].number == 0) {
                send_ask(c, &r->asks[i]);
            }
        }
        if (r->waiting == 0)
            conclude(c, r);
    }
}

/* Whose answers a deployment has waited for in vain, for a reason that is known. */
static int add_missing(leat_zeek_controller *c, struct lt_zeek_request *r)
{
    int status = LEAT_OK;
    size_t i;

    for (i = 0; i < c->count && status == LEAT_OK; i++) {
        const struct lt_zeek_instance *instance = c->instances[i];

        if (instance->wanted && !instance->ready && instance->part != LT_ZEEK_ANSWERED)
            status = add_failure(c, r, instance,
                                 instance->known ? "instance not ready" : "instance not connected");
    }
    return status;
}

/* The time is over: adds what says so, and waits for nothing any more. False: no memory. */
static bool time_out(leat_zeek_controller *c, struct lt_zeek_request *r)
{
    const struct mark before = mark(r);
    struct lt_zeek_kept *note = NULL;
    const leat_value *value;
    leat_builder *b;
    size_t i;

    if ((r != c->deployment || add_missing(c, r) == LEAT_OK) &&
        add_error(c, r, "request timed out") == LEAT_OK) {
        b = lt_zeek_manage_open(&c->m);
        lt_zeek_manage_text(b, "reqid", lt_zeek_text_in(r->args->value, "reqid"));
        lt_zeek_manage_text(b, "event", lt_zeek_text(leat_zeek_management_name(r->kind)));
        if (lt_zeek_manage_close(&c->m, &value) == LEAT_OK)
            note = lt_zeek_manage_note(&c->m, LEAT_ZEEK_TIMED_OUT, "timed_out", value);
    }
    if (lt_zeek_controller_tell(c, note) != LEAT_OK) {
        (void)rewind_to(c, r, before);
        return false;
    }
    for (i = 0; i < r->ask_count; i++) {
        unhook(&r->asks[i]);
        if (r->asks[i].failed != NULL) {
            r->asks[i].failed = NULL;
            r->asks[i].instance->failures--;
            lt_zeek_instance_settle(c, r->asks[i].instance);
        }
    }
    if (r == c->deployment)
        end_deployment(c, false);
    r->waiting = 0;
    r->concluded = true;
    return true;
}

void lt_zeek_requests_expire(leat_zeek_controller *c)
{
    struct lt_zeek_request *r, *next;

    for (r = c->requests; r != NULL && r->due_ms <= c->m.now_ms; r = next) {
        next = r->next;
        if (r->concluded)
            continue;
        if (time_out(c, r))
            conclude(c, r);
        else
            c->owes = true;
    }
}

void lt_zeek_requests_free(leat_zeek_controller *c)
{
    while (c->requests != NULL)
        unlink_request(c, c->requests);
    lt_zeek_controller_disown(c);
    lt_zeek_manage_drop(&c->m, c->pending);
    lt_zeek_manage_drop(&c->m, c->staged);
    lt_zeek_manage_drop(&c->m, c->complete);
}
