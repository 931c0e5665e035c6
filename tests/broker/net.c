#include "net.h"

#include <stdio.h>

#define FRAME_MAX_ROUNDS 100000u

void net_init(struct net *net)
{
    memset(net, 0, sizeof *net);
}

void net_id(size_t node, uint8_t id[16])
{
    memset(id, (int)(node % 127 + 1), 16);
    id[0] = (uint8_t)(node + 1);
}

void net_address(const struct net *net, size_t node, char address[24])
{
    if (net->internet)
        (void)snprintf(address, 24, "10.0.%u.%u", (unsigned)(node / 250) % 256,
                       (unsigned)(node % 250) + 1);
    else
        (void)snprintf(address, 24, "n%zu", node);
}

static void start(struct net *net, size_t node, const leat_broker_options *options, uint8_t mark)
{
    leat_broker_options own;

    if (options != NULL)
        own = *options;
    else
        leat_broker_options_init(&own, sizeof own);
    net_id(node, own.id);
    own.id[15] |= mark;
    if (mark != 0)
        own.id[14] = (uint8_t)(own.id[14] + net->nodes[node].lives++);
    ck_assert_int_eq(leat_broker_new(net->config, &own, &net->nodes[node].broker), LEAT_OK);
    leat_broker_tick(net->nodes[node].broker, net->now_ms);
    net->nodes[node].listens = true;
}

size_t net_add(struct net *net, const leat_broker_options *options)
{
    ck_assert_uint_lt(net->count, NET_NODES);
    start(net, net->count, options, 0);
    return net->count++;
}

leat_broker *net_broker(struct net *net, size_t node)
{
    return net->nodes[node].broker;
}

void net_peer(struct net *net, size_t from, size_t to, uint64_t retry_s)
{
    char address[24];

    net_address(net, to, address);
    ck_assert_int_eq(leat_broker_peer(net->nodes[from].broker, address, NET_PORT, retry_s),
                     LEAT_OK);
}

void net_subscribe(struct net *net, size_t node, const char *topic)
{
    ck_assert_int_eq(leat_broker_subscribe(net->nodes[node].broker, topic, strlen(topic)), LEAT_OK);
}

void net_publish(struct net *net, size_t node, const char *topic, const char *text)
{
    leat_builder *builder;

    ck_assert_int_eq(leat_builder_new(NULL, &builder), LEAT_OK);
    ck_assert_int_eq(leat_builder_text(builder, NULL, text, strlen(text)), LEAT_OK);
    ck_assert_int_eq(leat_broker_publish(net->nodes[node].broker, topic, strlen(topic),
                                         leat_builder_value(builder)),
                     LEAT_OK);
    leat_builder_free(builder);
}

/* ----- what is told ----- */

static void add(struct t_bytes *log, const char *text)
{
    if (log->length > 0)
        t_append(log, "; ", 2);
    t_append(log, text, strlen(text));
}

static void note(struct net *net, size_t node, leat_session *session, const leat_event *event)
{
    const leat_value *value = leat_event_value(event), *part;
    const char *topic;
    char line[512], who[40] = "", *text;
    size_t length;

    if (net->event != NULL)
        net->event(net->context, node, session, event);
    net->nodes[node].data += leat_event_kind(event) == LEAT_BROKER_DATA;
    (void)leat_event_raw(event, &length);
    net->nodes[node].data_octets += leat_event_kind(event) == LEAT_BROKER_DATA ? length : 0;
    if (net->quiet)
        return;
    part = leat_value_get(value, "msg");
    if (part == NULL)
        part = leat_value_get(value, "data");
    if (part == NULL)
        part = leat_value_get(value, "filter");
    if (part == NULL)
        part = leat_value_get(value, "payload");
    text = t_json_text(part);
    topic = leat_value_text(leat_value_get(value, "topic"), &length);
    if (leat_value_get(value, "msg") != NULL) {
        const leat_value *id = leat_value_get(leat_value_get(value, "endpoint"), "id");
        size_t octets;
        const uint8_t *at = leat_value_bytes(id, &octets);

        topic = "";
        length = 0;
        if (at != NULL)
            (void)snprintf(who, sizeof who, " n%d%s", at[0] - 1, (at[15] & 0x80) != 0 ? "'" : "");
    }
    (void)snprintf(line, sizeof line, "%s%s%s%.*s %s", leat_event_name(event, NULL), who,
                   length > 0 ? " " : "", (int)length, topic == NULL ? "" : topic,
                   leat_event_error(event) != NULL ? leat_error_text(leat_event_error(event))
                                                   : text);
    add(&net->nodes[node].log, line);
    free(text);
}

char *net_log(struct net *net, size_t node)
{
    struct t_bytes *log = &net->nodes[node].log;
    char *text = malloc(log->length + 1);

    ck_assert_ptr_nonnull(text);
    if (log->length > 0)
        memcpy(text, log->data, log->length);
    text[log->length] = '\0';
    t_free(*log);
    memset(log, 0, sizeof *log);
    return text;
}

void net_told(struct net *net, size_t node, const char *log)
{
    char *text = net_log(net, node);

    ck_assert_str_eq(text, log);
    free(text);
}

/* ----- pipes ----- */

/* Draws all events. True: there were some, or the session is over. */
static bool draw(struct net *net, struct net_pipe *pipe, size_t side)
{
    leat_session *session = pipe->sessions[side];
    const leat_event *event;
    bool some = false;
    int status;

    while ((status = leat_next(session, &event)) == LEAT_OK) {
        some = true;
        note(net, pipe->nodes[side], session, event);
    }
    return some;
}

static void end(struct net_pipe *pipe, size_t side)
{
    if (pipe->sessions[side] != NULL && !pipe->ended[side])
        (void)leat_recv_eof(pipe->sessions[side]);
    pipe->ended[side] = true;
    pipe->idle[side] = false;
}

/* Frees the session of a side that is over, so that the other one sees the end. */
static void finish(struct net_pipe *pipe, size_t side)
{
    leat_session_free(pipe->sessions[side]);
    pipe->sessions[side] = NULL;
    end(pipe, !side);
}

static void deliver(struct net_pipe *pipe, size_t side, const void *data, size_t length)
{
    leat_session *other = pipe->sessions[!side];

    pipe->idle[!side] = false;
    if (other != NULL && (leat_wants(other) & LEAT_WANT_READ) != 0)
        ck_assert_int_eq(leat_feed(other, data, length), LEAT_OK);
}

/* Delivers whole frames, but those that keep does not. */
static void sift(struct net *net, struct net_pipe *pipe, size_t side)
{
    struct t_bytes *passing = &pipe->passing[side];
    size_t at = 0, length;

    while (passing->length - at >= 4) {
        const uint8_t *frame = passing->data + at;

        length = 4 + ((size_t)frame[0] << 24 | (size_t)frame[1] << 16 | (size_t)frame[2] << 8 |
                      frame[3]);
        if (passing->length - at < length)
            break;
        /* Handshake messages have their type where an envelope has a sender. */
        if (length < 4 + 37 || (frame[4] >= 6 && frame[4] <= 12 && frame[4 + 1] == 'Z') ||
            net->keep(net->context, pipe->nodes[side], pipe->nodes[!side], frame + 4, length - 4)) {
            net->frames++;
            deliver(pipe, side, frame, length);
        }
        at += length;
    }
    memmove(passing->data, passing->data + at, passing->length - at);
    passing->length -= at;
}

/* Moves output of one side to the other. True: there was some. */
static bool move(struct net *net, struct net_pipe *pipe, size_t side)
{
    leat_session *from = pipe->sessions[side];
    const void *data;
    size_t length;

    if (from == NULL || pipe->stalled[!side])
        return false;
    data = leat_send_data(from, &length);
    if (net->cut > 0 && length > net->cut)
        length = net->cut;
    if (length == 0)
        return false;
    if (net->keep != NULL && pipe->sessions[!side] != NULL) {
        t_append(&pipe->passing[side], data, length);
        sift(net, pipe, side);
    } else {
        deliver(pipe, side, data, length);
    }
    ck_assert_int_eq(leat_send_done(from, length), LEAT_OK);
    return true;
}

static bool pump(struct net *net, struct net_pipe *pipe)
{
    bool some = false;
    size_t side, length;

    for (side = 0; side < 2; side++) {
        if (!net->named_only || !pipe->idle[side])
            some |= move(net, pipe, side);
        if (pipe->sessions[!side] != NULL && (!net->named_only || !pipe->idle[!side]))
            some |= draw(net, pipe, !side);
    }
    for (side = 0; side < 2; side++) {
        leat_session *session = pipe->sessions[side];

        if (session == NULL || (net->named_only && pipe->idle[side]))
            continue;
        some |= draw(net, pipe, side);
        (void)leat_send_data(session, &length);
        pipe->idle[side] = length == 0;
        if ((leat_wants(session) & LEAT_WANT_CLOSE) != 0 &&
            (length == 0 || pipe->sessions[!side] == NULL || pipe->stalled[!side])) {
            finish(pipe, side);
            some = true;
        }
    }
    return some;
}

/* The node that listens at that address, "n1" or another letter; net->count: nobody. */
static size_t listener(const struct net *net, const char *address)
{
    size_t node = (size_t)strtoul(address + 1, NULL, 10);
    unsigned hundreds, rest;

    if (net->internet)
        node = sscanf(address, "10.0.%u.%u", &hundreds, &rest) == 2 && rest > 0
                   ? (size_t)hundreds * 250 + rest - 1
                   : net->count;

    return node < net->count && net->nodes[node].broker != NULL && net->nodes[node].listens
               ? node
               : net->count;
}

/* Makes connections for the attempts that are due. True: there were some. */
static bool connect(struct net *net, size_t node)
{
    leat_session *session, *other = NULL;
    struct net_pipe *pipe;
    bool some = false;

    while (leat_broker_connect(net->nodes[node].broker, &session) == LEAT_OK) {
        size_t to = listener(net, leat_broker_address(session));
        char address[24];

        some = true;
        pipe = calloc(1, sizeof *pipe);
        ck_assert_ptr_nonnull(pipe);
        pipe->sessions[0] = session;
        pipe->nodes[0] = node;
        pipe->nodes[1] = to;
        net_address(net, node, address);
        if (to < net->count)
            ck_assert_int_eq(leat_broker_accept(net->nodes[to].broker, address, 40000u, &other),
                             LEAT_OK);
        else
            end(pipe, 0);
        pipe->sessions[1] = to < net->count ? other : NULL;
        pipe->next = net->pipes;
        net->pipes = pipe;
    }
    return some;
}

static void drop_pipes(struct net *net)
{
    struct net_pipe **place = &net->pipes, *pipe;

    while ((pipe = *place) != NULL) {
        if (pipe->sessions[0] != NULL || pipe->sessions[1] != NULL) {
            place = &pipe->next;
            continue;
        }
        *place = pipe->next;
        t_free(pipe->passing[0]);
        t_free(pipe->passing[1]);
        free(pipe);
    }
}

static void wake(struct net *net, const leat_session *session)
{
    struct net_pipe *pipe;

    for (pipe = net->pipes; pipe != NULL; pipe = pipe->next) {
        if (pipe->sessions[0] == session)
            pipe->idle[0] = false;
        if (pipe->sessions[1] == session)
            pipe->idle[1] = false;
    }
}

/* True: with named_only, there is more to do. */
static bool draw_brokers(struct net *net)
{
    const leat_event *event;
    leat_session *session;
    bool some = false;
    size_t i;

    for (i = 0; i < net->count; i++) {
        if (net->nodes[i].broker == NULL)
            continue;
        while (leat_broker_next(net->nodes[i].broker, &event) == LEAT_OK)
            note(net, i, NULL, event);
        while (leat_broker_ready(net->nodes[i].broker, &session) == LEAT_OK) {
            if (net->named_only)
                wake(net, session);
            some |= net->named_only;
        }
    }
    return some;
}

void net_run(struct net *net)
{
    bool some = true;
    size_t i, rounds;
    struct net_pipe *pipe;

    for (rounds = 0; some; rounds++) {
        ck_assert_uint_lt(rounds, FRAME_MAX_ROUNDS);
        some = false;
        for (i = 0; i < net->count; i++) {
            if (net->nodes[i].broker != NULL)
                some |= connect(net, i);
        }
        for (pipe = net->pipes; pipe != NULL; pipe = pipe->next)
            some |= pump(net, pipe);
        drop_pipes(net);
        some |= draw_brokers(net);
    }
}

void net_advance(struct net *net, uint64_t ms)
{
    uint64_t until = net->now_ms + ms;
    size_t i;

    net_run(net);
    while (net->now_ms < until) {
        uint64_t due = until;

        for (i = 0; i < net->count; i++) {
            leat_broker *broker = net->nodes[i].broker;

            if (broker != NULL && leat_broker_deadline(broker) < due)
                due = leat_broker_deadline(broker);
        }
        if (net->deadline != NULL && net->deadline(net->context) < due)
            due = net->deadline(net->context);
        net->now_ms = due > net->now_ms ? due : net->now_ms + 1;
        for (i = 0; i < net->count; i++) {
            if (net->nodes[i].broker != NULL)
                leat_broker_tick(net->nodes[i].broker, net->now_ms);
        }
        if (net->tick != NULL)
            net->tick(net->context);
        net_run(net);
    }
}

/* ----- faults ----- */

struct net_pipe *net_pipe(struct net *net, size_t a, size_t b)
{
    struct net_pipe *pipe = net->pipes;

    while (pipe != NULL && !((pipe->nodes[0] == a && pipe->nodes[1] == b) ||
                             (pipe->nodes[0] == b && pipe->nodes[1] == a)))
        pipe = pipe->next;
    return pipe;
}

size_t net_pipes(const struct net *net, size_t a, size_t b)
{
    const struct net_pipe *pipe;
    size_t count = 0;

    for (pipe = net->pipes; pipe != NULL; pipe = pipe->next)
        count += (pipe->nodes[0] == a && pipe->nodes[1] == b) ||
                 (pipe->nodes[0] == b && pipe->nodes[1] == a);
    return count;
}

leat_session *net_session(struct net_pipe *pipe, size_t node)
{
    return pipe->sessions[pipe->nodes[0] == node ? 0 : 1];
}

void net_cut(struct net *net, size_t a, size_t b)
{
    struct net_pipe *pipe;

    for (pipe = net->pipes; pipe != NULL; pipe = pipe->next) {
        if ((pipe->nodes[0] == a && pipe->nodes[1] == b) ||
            (pipe->nodes[0] == b && pipe->nodes[1] == a)) {
            end(pipe, 0);
            end(pipe, 1);
        }
    }
}

void net_kill(struct net *net, size_t node)
{
    struct net_pipe *pipe;
    size_t side;

    leat_broker_free(net->nodes[node].broker);
    net->nodes[node].broker = NULL;
    for (pipe = net->pipes; pipe != NULL; pipe = pipe->next) {
        for (side = 0; side < 2; side++) {
            if (pipe->nodes[side] == node && pipe->sessions[side] != NULL)
                finish(pipe, side);
        }
    }
}

void net_restart(struct net *net, size_t node, const leat_broker_options *options)
{
    ck_assert_ptr_null(net->nodes[node].broker);
    start(net, node, options, 0x80);
}

void net_free(struct net *net)
{
    struct net_pipe *pipe;
    size_t i;

    for (pipe = net->pipes; pipe != NULL; pipe = pipe->next) {
        leat_session_free(pipe->sessions[0]);
        leat_session_free(pipe->sessions[1]);
        pipe->sessions[0] = pipe->sessions[1] = NULL;
    }
    drop_pipes(net);
    for (i = 0; i < net->count; i++) {
        leat_broker_free(net->nodes[i].broker);
        t_free(net->nodes[i].log);
    }
}
