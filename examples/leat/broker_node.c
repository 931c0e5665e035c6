/*
 * An endpoint of Broker in the loop: it says whom to connect to, and which of its sessions have something to write
 * because of others.
 */
#include "broker_live.h"

#include <stdlib.h>
#include <string.h>

#define RETRY_S       10u
#define WAITING_BYTES ((uint64_t)1 << 20) /* for a peer, until the input must wait */

/* A connection's session, until TCP is there. */
struct visit {
    leat_session *session;
    bool first;  /* neither failed nor made a peering yet: the input waits for that */
    bool failed; /* as an event tells */
};

static struct node *node_of(const struct connection *connection)
{
    return connection->live->data;
}

/* Options */

static bool read_id(struct node *node, const char *text)
{
    uint8_t *id = node->options.id;

    if (text != NULL) {
        if (id_read(text, strlen(text), id))
            return true;
        complain("--id %s: not a UUID", text);
        return false;
    }
    /* A UUID by its form: version 4, which is random. */
    if (!random_octets(id, sizeof node->options.id))
        return false;
    id[6] = (uint8_t)((id[6] & 0x0fu) | 0x40u);
    id[8] = (uint8_t)((id[8] & 0x3fu) | 0x80u);
    return true;
}

static bool read_overflow(struct node *node, const char *policy)
{
    static const struct {
        const char *name;
        uint32_t policy;
    } policies[] = {{"disconnect", LEAT_BROKER_DISCONNECT},
                    {"drop-newest", LEAT_BROKER_DROP_NEWEST},
                    {"drop-oldest", LEAT_BROKER_DROP_OLDEST}};
    size_t i;

    node->patient = policy != NULL && strcmp(policy, "wait") == 0;
    if (policy == NULL || node->patient)
        return true;
    for (i = 0; i < sizeof policies / sizeof *policies; i++) {
        if (strcmp(policy, policies[i].name) == 0) {
            node->options.overflow = policies[i].policy;
            return true;
        }
    }
    complain("--overflow %s: not wait, disconnect, drop-newest or drop-oldest", policy);
    return false;
}

/* Calls that for each value of an option that may be repeated. False, with a complaint: one is wrong. */
static bool for_each(struct node *node, const char *option,
                     int (*call)(leat_broker *broker, const char *topic, size_t length))
{
    const char *topic;
    size_t at = 0;

    while ((topic = option_next(node->talk.arguments, option, &at)) != NULL) {
        int status = call(node->broker, topic, strlen(topic));

        need_memory(status);
        if (status != LEAT_OK) {
            complain("%s %s: %s", option, topic, leat_error_text(leat_broker_error(node->broker)));
            return false;
        }
    }
    return true;
}

static bool read_options(struct node *node, const struct arguments *arguments)
{
    leat_broker_options *options = &node->options;
    int status;

    leat_broker_options_init(options, sizeof *options);
    options->forwarding = option_given(arguments, "--forward");
    node->retry_s = RETRY_S;
    if (!read_id(node, option_value(arguments, "--id")) ||
        !option_number(arguments, "--retry", 0, UINT32_MAX, &node->retry_s) ||
        !option_number(arguments, "--queue", 1, UINT32_MAX, &options->queue_messages) ||
        !read_overflow(node, option_value(arguments, "--overflow")) ||
        !option_seconds(arguments, "--ping", &options->ping_ms))
        return false;
    status = leat_broker_new(NULL, options, &node->broker);
    need_memory(status);
    if (status != LEAT_OK)
        complain("--id: the id of nobody");
    return status == LEAT_OK;
}

/* Peers */

/* HOST:PORT as the endpoint has it. False, with a complaint: it is none. */
static bool read_peer(struct endpoint *endpoint, const char *text, uint32_t *port)
{
    uint64_t number = 0;

    if (!endpoint_read(endpoint, text, false))
        return false;
    (void)number_read(endpoint->port, strlen(endpoint->port), 10, &number);
    *port = (uint32_t)number;
    return true;
}

/* The port of a client, which stands behind its address. */
uint32_t node_port(const struct connection *connection)
{
    const char *colon = strrchr(connection->peer, ':');
    uint64_t port = 0;

    if (colon != NULL)
        (void)number_read(colon + 1, strlen(colon + 1), 10, &port);
    return (uint32_t)port;
}

/* Connections */

/* It is decided whether there is a peering. */
static void decide(struct node *node, struct visit *visit)
{
    if (visit == NULL || !visit->first)
        return;
    visit->first = false;
    if (--node->undecided == 0 && !node->talk.live.stopping)
        talk_begin(&node->talk);
}

static void open_connecting(struct connection *connection)
{
    struct visit *visit = connection->data;

    connection->session = visit->session;
    visit->session = NULL;
}

void node_opened(struct connection *connection, int status)
{
    need_memory(status);
    if (status == LEAT_OK)
        leat_session_set_user(connection->session, connection);
    else
        connection_end(connection, true, "it comes from nowhere");
}

static void open_accepted(struct connection *connection)
{
    struct node *node = node_of(connection);

    connection->security = &node->accepting;
    leat_broker_tick(node->broker, connection->live->now); /* from when on the peer has time */
    node_opened(connection, leat_broker_accept(node->broker, connection->peer_address,
                                               node_port(connection), &connection->session));
}

void node_ready(struct connection *connection)
{
    char about[128];

    wire_describe(&connection->wire, about, sizeof about);
    live_news(connection->live, "%s: connected (%s)", connection->peer, about);
}

void node_event(struct connection *connection, const leat_event *event)
{
    struct node *node = node_of(connection);
    const leat_value *value = leat_event_value(event);
    struct visit *visit = connection->data;

    if (leat_event_kind(event) == LEAT_BROKER_ERROR && visit != NULL)
        visit->failed = true;
    if (leat_event_kind(event) == LEAT_BROKER_PEER_ADDED)
        decide(node, visit);
    if (node->duty != NULL && node->duty->event(node, event))
        return;
    switch (leat_event_kind(event)) {
    case LEAT_BROKER_DATA:
        if (leat_event_error(event) == NULL) {
            talk_print(&node->talk, leat_value_get(value, "topic"), leat_value_get(value, "sender"),
                       leat_value_get(value, "data"));
            break;
        }
        talk_tell(&node->talk, connection, event);
        break;
    case LEAT_BROKER_ERROR:
    case LEAT_BROKER_PEER_ADDED:
    case LEAT_BROKER_ENDPOINT_DISCOVERED:
    case LEAT_BROKER_ENDPOINT_UNREACHABLE:
    case LEAT_BROKER_PEER_REMOVED:
    case LEAT_BROKER_PEER_LOST:
        talk_tell(&node->talk, NULL, event);
        break;
    default:
        talk_tell(&node->talk, connection, event);
        break;
    }
}

bool node_turn(struct connection *connection)
{
    talk_flush(&node_of(connection)->talk);
    return false;
}

void node_closed(struct connection *connection)
{
    struct node *node = node_of(connection);
    struct visit *visit = connection->data;
    leat_broker_stats stats;
    char about[REASON_BYTES];

    describe_end(connection, about, sizeof about);
    if (!connection->failed || (connection->lost && connection->role->is_server))
        live_news(connection->live, "%s", about);
    else
        complain("%s", about);
    memset(&stats, 0, sizeof stats);
    stats.size = sizeof stats;
    if (connection->session != NULL &&
        leat_broker_get_stats(connection->session, &stats) == LEAT_OK && stats.overflows > 0) {
        node->talk.failed = node->talk.failed || node->talk.exit_when_empty;
        complain("%s: messages that were lost because too many waited: %llu", connection->peer,
                 (unsigned long long)stats.overflows);
    }
    /* Without another try, what is published goes to nobody. */
    if (visit != NULL && visit->first && (connection->failed || visit->failed) &&
        (node->talk.exit_when_empty || node->retry_s == 0))
        node->talk.failed = true;
    decide(node, visit);
    if (visit != NULL)
        leat_session_free(visit->session);
    free(visit);
}

static const struct role connecting_role = {
    .dir_in = "server>client",
    .dir_out = "client>server",
    .framed = true,
    .open = open_connecting,
    .ready = node_ready,
    .event = node_event,
    .turn = node_turn,
    .closed = node_closed,
};

static const struct role accepting_role = {
    .dir_in = "client>server",
    .dir_out = "server>client",
    .is_server = true,
    .framed = true,
    .open = open_accepted,
    .ready = node_ready,
    .event = node_event,
    .turn = node_turn,
    .closed = node_closed,
};

static void connect_to(struct node *node, leat_session *session)
{
    struct visit *visit = calloc(1, sizeof *visit);
    struct endpoint endpoint;

    need_memory(visit == NULL ? LEAT_E_NOMEM : LEAT_OK);
    visit->session = session;
    visit->first = !node->began;
    node->undecided += visit->first ? 1 : 0;
    (void)snprintf(endpoint.host, sizeof endpoint.host, "%s", leat_broker_address(session));
    (void)snprintf(endpoint.port, sizeof endpoint.port, "%u", (unsigned)leat_broker_port(session));
    leat_session_set_user(session,
                          live_connect(&node->talk.live, &endpoint, &connecting_role, visit));
}

/* Lets a session have its turn. One that waits for TCP may be over: by its deadline, or by unpeer. */
static void wake(leat_session *session)
{
    struct connection *connection = leat_session_user(session);
    const leat_event *event;
    int status;

    if (connection->session != NULL) {
        connection_wake(connection);
        return;
    }
    while ((status = leat_next(session, &event)) == LEAT_OK)
        node_event(connection, event);
    need_memory(status);
    if (status < 0)
        connection_end(connection, true, "%s: %s", connection->peer,
                       leat_error_text(leat_session_error(session)));
    else if (status == LEAT_END)
        connection_end(connection, false, "%s: given up", connection->peer);
}

static bool waits(struct talk *talk, bool any)
{
    struct node *node = talk->live.data;
    const struct connection *connection = node->patient || any ? talk->live.connections : NULL;
    leat_broker_stats stats;

    memset(&stats, 0, sizeof stats);
    stats.size = sizeof stats;
    for (; connection != NULL; connection = connection->next) {
        size_t unsent = 0;

        if (connection->session == NULL ||
            leat_broker_get_stats(connection->session, &stats) != LEAT_OK)
            continue;
        if (any)
            (void)leat_send_data(connection->session, &unsent);
        if (stats.queued + unsent > (any ? 0 : node->options.queue_messages / 2) ||
            stats.queued_bytes > WAITING_BYTES)
            return true;
    }
    return false;
}

static void on_live_turn(struct live *live)
{
    struct node *node = live->data;
    const leat_event *event;
    leat_session *session;
    uint64_t due;
    int status;

    leat_broker_tick(node->broker, live->now);
    talk_turn(&node->talk);
    while (leat_broker_next(node->broker, &event) == LEAT_OK) {
        if (node->duty == NULL || !node->duty->event(node, event))
            talk_tell(&node->talk, NULL, event);
    }
    if (node->duty != NULL)
        node->duty->turn(node);
    while ((status = leat_broker_connect(node->broker, &session)) == LEAT_OK)
        connect_to(node, session);
    need_memory(status);
    if (!node->began && node->undecided == 0)
        talk_begin(&node->talk);
    node->began = true;
    stores_turn(node);
    talk_flush(&node->talk);
    while (leat_broker_ready(node->broker, &session) == LEAT_OK)
        wake(session);
    due = leat_broker_deadline(node->broker);
    live->due = due < live->due ? due : live->due;
    /* Without peers, attempts, listeners and input nothing will ever happen. */
    if (!live->stopping && live->connections == NULL && live->listener_count == 0 &&
        talk_is_over(&node->talk) && live->due == UINT64_MAX)
        live_stop(live);
}

static void on_stop(struct live *live)
{
    struct node *node = live->data;

    need_memory(leat_broker_shutdown(node->broker));
}

/* Lines of the input */

static void publish(struct talk *talk, const struct letter *letter)
{
    struct node *node = talk->live.data;
    int status =
        letter->to != NULL
            ? leat_broker_publish_to(node->broker, letter->to, letter->topic, letter->topic_length,
                                     letter->data)
            : leat_broker_publish(node->broker, letter->topic, letter->topic_length, letter->data);

    if (status == LEAT_E_STATE)
        talk_refuse(talk, "not a peer", "to");
    else
        talk_judge(talk, status, leat_broker_error(node->broker));
}

/* The text of a field as HOST:PORT. False, with a complaint: it is none. */
static bool peer_of(struct talk *talk, const leat_value *line, const char *name,
                    struct endpoint *endpoint, uint32_t *port)
{
    char *text = text_copy(line, name);
    bool sound = text != NULL && read_peer(endpoint, text, port);

    free(text);
    if (!sound)
        talk_refuse(talk, "not HOST:PORT", name);
    return sound;
}

static void do_peer(struct talk *talk, const leat_value *line)
{
    static const char *const names[] = {"peer", "retry", NULL};
    struct node *node = talk->live.data;
    const leat_value *retry = leat_value_get(line, "retry");
    struct endpoint endpoint;
    uint32_t port;

    if (retry != NULL && leat_value_kind(retry) != LEAT_UINT)
        talk_refuse(talk, "not a number of seconds", "retry");
    else if (talk_fields(talk, line, names) && peer_of(talk, line, "peer", &endpoint, &port))
        talk_judge(talk,
                   leat_broker_peer(node->broker, endpoint.host, port,
                                    retry != NULL ? leat_value_u64(retry) : node->retry_s),
                   leat_broker_error(node->broker));
}

static void do_unpeer(struct talk *talk, const leat_value *line)
{
    static const char *const names[] = {"unpeer", NULL};
    struct node *node = talk->live.data;
    const char *text;
    size_t length;
    struct endpoint endpoint;
    uint32_t port;
    uint8_t id[16];
    int status;

    if (!talk_fields(talk, line, names))
        return;
    text = leat_value_text(leat_value_get(line, "unpeer"), &length);
    if (id_read(text, length, id))
        status = leat_broker_unpeer_id(node->broker, id);
    else if (peer_of(talk, line, "unpeer", &endpoint, &port))
        status = leat_broker_unpeer(node->broker, endpoint.host, port);
    else
        return;
    need_memory(status);
    if (status != LEAT_OK)
        talk->failed = true; /* why, an event tells */
}

static void do_topic(struct talk *talk, const leat_value *line, const char *name,
                     int (*call)(leat_broker *broker, const char *topic, size_t length))
{
    const char *const names[] = {name, NULL};
    struct node *node = talk->live.data;
    const leat_value *topic = leat_value_get(line, name);
    const char *text;
    size_t length;
    int status;

    if (!talk_fields(talk, line, names))
        return;
    if (leat_value_kind(topic) != LEAT_TEXT) {
        talk_refuse(talk, "not a topic", name);
        return;
    }
    text = leat_value_text(topic, &length);
    status = call(node->broker, text, length);
    if (status == LEAT_E_STATE)
        talk_refuse(talk, "there is no such subscription", "");
    else
        talk_judge(talk, status, leat_broker_error(node->broker));
}

static void do_subscribe(struct talk *talk, const leat_value *line)
{
    do_topic(talk, line, "subscribe", leat_broker_subscribe);
}

static void do_unsubscribe(struct talk *talk, const leat_value *line)
{
    do_topic(talk, line, "unsubscribe", leat_broker_unsubscribe);
}

/* Pings a native peer, or all of them. */
static void do_ping(struct talk *talk, const leat_value *line)
{
    static const char *const names[] = {"ping", "to", NULL};
    const struct connection *connection;
    const char *to, *payload;
    size_t to_length, length;
    uint8_t id[16];
    bool one = leat_value_get(line, "to") != NULL;
    int status = one ? LEAT_E_STATE : LEAT_OK;

    to = leat_value_text(leat_value_get(line, "to"), &to_length);
    payload = leat_value_text(leat_value_get(line, "ping"), &length);
    if (!talk_fields(talk, line, names))
        return;
    if (leat_value_kind(leat_value_get(line, "ping")) != LEAT_TEXT ||
        (one && !id_read(to, to_length, id))) {
        talk_refuse(talk, "not a text and an id", "ping");
        return;
    }
    for (connection = talk->live.connections; connection != NULL; connection = connection->next) {
        const uint8_t *peer =
            connection->session != NULL ? leat_broker_peer_id(connection->session) : NULL;

        if (peer == NULL || (one && memcmp(peer, id, sizeof id) != 0))
            continue;
        status = leat_broker_ping(connection->session, payload, length);
        need_memory(status);
        if (status != LEAT_OK && status != LEAT_E_STATE)
            break;
        if (!one)
            status = LEAT_OK; /* who is no peer yet, or no longer, or a client */
    }
    if (status != LEAT_OK)
        talk_refuse(talk, status == LEAT_E_STATE ? "not a peer" : "cannot be pinged so", "ping");
}

static void do_peers(struct talk *talk, const leat_value *line)
{
    struct node *node = talk->live.data;

    if (!is_command(line, "peers")) {
        talk_refuse(talk, "not a command", "peers");
        return;
    }
    leat_builder_clear(talk->value);
    need_memory(leat_broker_peers(node->broker, talk->value, NULL));
    output_news(&talk->output, "peers", NULL, leat_builder_value(talk->value));
    talk->printed = true;
}

/* What went through each connection. */
static void do_stats(struct talk *talk, const leat_value *line)
{
    const struct connection *connection;
    leat_builder *built = talk->value;

    if (!is_command(line, "stats")) {
        talk_refuse(talk, "not a command", "stats");
        return;
    }
    leat_builder_clear(built);
    (void)leat_builder_open(built, NULL, LEAT_LIST);
    for (connection = talk->live.connections; connection != NULL; connection = connection->next) {
        leat_broker_stats stats;

        memset(&stats, 0, sizeof stats);
        stats.size = sizeof stats;
        if (connection->session == NULL ||
            (leat_wants(connection->session) & LEAT_WANT_CLOSE) != 0 ||
            leat_broker_get_stats(connection->session, &stats) != LEAT_OK)
            continue;
        (void)leat_builder_open(built, NULL, LEAT_RECORD);
        if (leat_broker_peer_id(connection->session) != NULL)
            (void)leat_builder_uuid(built, "id", leat_broker_peer_id(connection->session));
        (void)leat_builder_text(built, "peer", connection->peer, strlen(connection->peer));
        (void)leat_builder_u64(built, "sent", stats.sent);
        (void)leat_builder_u64(built, "received", stats.received);
        (void)leat_builder_u64(built, "queued", stats.queued);
        (void)leat_builder_u64(built, "queued_bytes", stats.queued_bytes);
        (void)leat_builder_u64(built, "overflows", stats.overflows);
        (void)leat_builder_u64(built, "refused", stats.refused);
        (void)leat_builder_u64(built, "strangers", stats.strangers);
        (void)leat_builder_close(built);
    }
    need_memory(leat_builder_close(built));
    output_news(&talk->output, "stats", NULL, leat_builder_value(built));
    talk->printed = true;
}

static void command(struct talk *talk, const leat_value *line)
{
    static const struct {
        const char *name;
        void (*run)(struct talk *talk, const leat_value *line);
    } commands[] = {
        {"peer", do_peer},   {"unpeer", do_unpeer},  {"subscribe", do_subscribe},
        {"ping", do_ping},   {"peers", do_peers},    {"unsubscribe", do_unsubscribe},
        {"stats", do_stats}, {"store", stores_line},
    };
    struct node *node = talk->live.data;
    size_t i;

    leat_broker_tick(node->broker, talk->live.now);
    if (node->duty != NULL && node->duty->line(node, line))
        return;
    for (i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (leat_value_get(line, commands[i].name) != NULL) {
            commands[i].run(talk, line);
            return;
        }
    }
    talk_refuse(talk, "neither a message nor a command", "");
}

/* Beginning and ending */

bool node_open(struct node *node, const struct arguments *arguments)
{
    struct talk *talk = &node->talk;

    if (!talk_open(talk, arguments))
        return false;
    talk->live.data = node;
    talk->live.turn = on_live_turn;
    talk->live.stop = on_stop;
    talk->publish = publish;
    talk->waits = waits;
    talk->command = command;
    if (!read_options(node, arguments))
        return false;
    if (node->patient && node->options.queue_messages / 2 < talk->lines_at_once)
        talk->lines_at_once = (size_t)(node->options.queue_messages / 2 + 1);
    leat_broker_tick(node->broker, talk->live.now);
    return security_open(&talk->live.security, arguments, false, true) &&
           for_each(node, "--subscribe", leat_broker_subscribe) &&
           for_each(node, "--forward", leat_broker_forward) && stores_open(node);
}

bool node_accept(struct node *node, const char *where, const struct role *role)
{
    struct endpoint endpoint;

    if (node->accepting.context == NULL &&
        !security_open(&node->accepting, node->talk.arguments, true, true))
        return false;
    return endpoint_read(&endpoint, where, true) &&
           live_listen(&node->talk.live, &endpoint, role != NULL ? role : &accepting_role);
}

/* Wants the peers of an option. False, with a complaint: one is none. */
static bool want_peers(struct node *node, const char *option)
{
    const char *text;
    size_t at = 0;

    while (option != NULL && (text = option_next(node->talk.arguments, option, &at)) != NULL) {
        struct endpoint endpoint;
        uint32_t port;

        if (!read_peer(&endpoint, text, &port))
            return false;
        need_memory(leat_broker_peer(node->broker, endpoint.host, port, node->retry_s));
    }
    return true;
}

int node_run(struct node *node, const char *connects)
{
    if (!want_peers(node, connects) || !live_record(&node->talk.live, node->talk.arguments))
        return EXIT_USAGE;
    live_run(&node->talk.live);
    (void)output_undecodable(&node->talk.output, "messages"); /* anybody may send such */
    return node->talk.failed ? EXIT_MALFORMED : EXIT_DONE;
}

void node_close(struct node *node)
{
    stores_close(node);
    security_close(&node->accepting);
    leat_broker_free(node->broker);
    talk_close(&node->talk);
}
