/*
 * A client of an endpoint over WebSocket, which is a link of it. Source: spec sections 13 and 14.
 *
 *     step     what comes                  does                                then
 *     HEAD     a request                   checks and lends it                 ASKED
 *              anything else               says what is wrong                  over
 *     ASKED    nothing is read until the caller has answered                   FIRST
 *     FIRST    a list of topics            ack; it is up                       READY
 *              another text                BROKER nothing, ZEEK an error       MUTE
 *     MUTE     texts                       nothing, as either server
 *     READY    data                        posts it
 *              another text                an error
 *     CLOSING  a close                                                         over
 *     any of   ping                        answers it
 *     the last close                       answers it                          over
 *     four     broken frames, not UTF-8    closes with a code                  over
 */
#include "../core/text.h"
#include "endpoint.h"
#include "http.h"
#include "json.h"
#include "websocket.h"

#include <leat/broker_websocket.h>

#define BROKER_HEAD_MAX ((size_t)2048) /* octets of a request */
#define ZEEK_HEAD_MAX   ((size_t)16 << 10)
#define ZEEK_PING_MS    5000u
#define HEARTBEAT       "leat::heartbeat::"
#define ECHO_MAX        32u /* octets of what a client sent, in what is said of it */

/* A client that does not read so many answers, to pings or of errors, is not read either. */
#define ANSWERS_MAX (LT_CONTROLS_MAX / 2)

#define OPEN_CELLS 7u /* of an UPGRADE */

static const leat_broker_websocket_options initial = {
    .size = sizeof initial,
    .flavour = LEAT_BROKER_WEBSOCKET_ZEEK,
};

enum step { HEAD, ASKED, FIRST, MUTE, READY, CLOSING };

struct server {
    struct lt_link link; /* its step is ours */
    bool zeek;
    bool wrong_path; /* for which Zeek closes what it opens */
    bool wrong_name;
    bool attached;   /* its topics are announced */
    bool unanswered; /* our last ping is */
    size_t scanned;  /* octets of the request */
    uint64_t inputs; /* texts behind the topics */
    uint64_t ping_ms;
    uint64_t pings;
    uint64_t ping_due;
    uint64_t deadline; /* of the handshake, or of the answer to our close */
    struct lt_ws_input input;
    struct lt_writer ack; /* the frame, until it is sent */
};

static struct server *server_of(struct lt_link *link)
{
    return (struct server *)(void *)link;
}

static struct server *server_in(leat_session *session)
{
    return (struct server *)(void *)session;
}

/* ----- what we say ----- */

static struct lt_writer *begin(struct server *server)
{
    struct lt_writer *out = &server->link.broker->control;

    out->length = 0;
    return out;
}

/* Sends what was begun, behind all that waits. LEAT_OK or LEAT_E_NOMEM. */
static int finish(struct server *server)
{
    struct lt_writer *out = &server->link.broker->control;
    int status = out->status;

    out->status = LEAT_OK;
    return status == LEAT_OK ? lt_link_send(&server->link, out->data, out->length, true)
                             : LEAT_E_NOMEM;
}

static void finish_or_fail(struct server *server)
{
    if (finish(server) != LEAT_OK)
        lt_link_fail(&server->link, LEAT_E_NOMEM, 0, "out of memory", NULL);
}

/*
 * Says the last thing, in front of what waits: of that goes only what has begun, as a frame cannot be
 * left half said.
 */
static void say_last(struct server *server, const struct lt_writer *said)
{
    leat_session *session = &server->link.session;
    struct lt_outbox *outbox = &server->link.outbox;

    while (lt_outbox_drop_oldest(outbox, &session->allocator))
        ;
    lt_send_begin(session);
    session->out.limit = SIZE_MAX;
    lt_outbox_pour(outbox, &session->allocator, &session->out, SIZE_MAX);
    if (outbox->count == 0 && said->status == LEAT_OK)
        lt_put_bytes(&session->out, said->data, said->length);
    session->out.status = LEAT_OK; /* without memory the connection just ends */
}

static void close_last(struct server *server, uint32_t code, const char *reason, size_t length)
{
    struct lt_writer *out = begin(server);

    lt_ws_put_close(out, code, reason, length, NULL);
    say_last(server, out);
    out->status = LEAT_OK;
}

/* Closes because of what the client did. */
static void close_and_fail(struct server *server, int status, uint32_t code, const char *what)
{
    if (server->link.step != CLOSING)
        close_last(server, code, what, strlen(what));
    lt_link_fail(&server->link, status, 0, what, NULL);
}

static void arm(struct server *server)
{
    lt_link_due(&server->link,
                server->deadline < server->ping_due ? server->deadline : server->ping_due);
}

/* Waits for the answer to a close that was sent. */
static void await_close(struct server *server)
{
    const leat_broker *broker = server->link.broker;

    server->link.step = CLOSING;
    if (server->link.state == LT_LINK_UP)
        server->link.state = LT_LINK_LEAVING;
    server->ping_due = UINT64_MAX;
    server->deadline = lt_later(broker->now_ms, broker->options.bye_ms);
    arm(server);
}

static void say_error(struct server *server, const char *context)
{
    lt_ws_put_error(begin(server), "deserialization_failed", context, strlen(context));
    finish_or_fail(server);
}

/* ----- HTTP ----- */

/* Turns the client away. text and more: a constant, and what it sent. */
static void put_refusal(struct server *server, uint32_t status, const char *reason,
                        const char *text, struct lt_http_text more)
{
    struct lt_writer *out = begin(server);

    if (more.length > ECHO_MAX)
        more.length = ECHO_MAX;
    lt_put_text(out, "HTTP/1.1 ");
    lt_write_u64(out, status);
    lt_put_u8(out, ' ');
    lt_put_text(out, server->zeek ? text : reason);
    if (server->zeek)
        lt_put_bytes(out, more.at, more.length);
    lt_put_text(out, server->zeek ? "\r\n" : "\r\nContent-Type: text/plain\r\n");
    lt_put_text(out, "Content-Length: ");
    lt_write_u64(out, server->zeek ? 0 : strlen(text));
    lt_put_text(out, "\r\n\r\n");
    if (!server->zeek)
        lt_put_text(out, text);
    say_last(server, out);
    out->status = LEAT_OK;
}

static const struct lt_http_text nothing = {"", 0};

/* False, for the caller to pass on. */
static bool refuse(struct server *server, const char *text, struct lt_http_text more,
                   const char *what, const char *field)
{
    put_refusal(server, 400, "Bad Request", text, more);
    lt_link_fail(&server->link, LEAT_E_PROTOCOL, 0, what, field);
    return false;
}

/* A head that is none, or has no end. */
static void refuse_head(struct server *server, const struct leat_error *error)
{
    if (error->code == LEAT_E_LIMIT)
        put_refusal(server, 431, "Request Header Fields Too Large", "Header exceeds maximum size.",
                    nothing);
    else
        put_refusal(server, 400, "Bad Request",
                    server->zeek ? "Error parsing HTTP headers" : "Expected a WebSocket handshake.",
                    nothing);
    lt_link_fail(&server->link, error->code, (size_t)error->offset, error->text, NULL);
}

static bool is_key(const struct lt_http_head *head, struct lt_http_text *key)
{
    return lt_http_find(head, "Sec-WebSocket-Key", key) == 1 && key->length == 24 &&
           lt_ws_is_base64(key->at, 24, 2);
}

/* What neither server looks at, but what would make us take something else for frames. */
static bool has_body(const struct lt_http_head *head)
{
    struct lt_http_text value;

    return lt_http_find(head, "Transfer-Encoding", &value) > 0 ||
           lt_http_find(head, "Content-Length", &value) > 1 ||
           (value.length > 0 && !lt_http_is(value, "0"));
}

/* As Broker: it looks neither at the version nor at Upgrade and Connection. */
static bool check_for_broker(struct server *server, const struct lt_http_head *head,
                             struct lt_http_text path)
{
    struct lt_http_text value;

    if (!lt_http_is(head->method, "GET") || has_body(head) ||
        lt_http_find(head, "Host", &value) > 1)
        return refuse(server, "Expected a WebSocket handshake.", nothing,
                      "not a request to upgrade", "method");
    if (*head->target.at != '/')
        return refuse(server, "Malformed Request-URI: expected an absolute path.", nothing,
                      "not a path", "path");
    if (!is_key(head, &value))
        return refuse(server, "Mandatory field Sec-WebSocket-Key missing or invalid.", nothing,
                      "missing or invalid", "Sec-WebSocket-Key");
    if (!lt_http_is(path, LT_WS_PATH))
        return refuse(server, "caf::sec::invalid_argument(\"invalid path; try " LT_WS_PATH "\")",
                      nothing, "not our path", "path");
    return true;
}

/* As Zeek, which opens what has another path or a bad name and then closes it. */
static bool check_for_zeek(struct server *server, const struct lt_http_head *head)
{
    struct lt_http_text value;
    unsigned count;

    if (head->minor == 0)
        return refuse(server, "Invalid HTTP version, need HTTP/1.1, got: HTTP/1.0", nothing,
                      "not HTTP/1.1", "minor");
    if (!lt_http_is(head->method, "GET"))
        return refuse(server, "Invalid HTTP method, need GET, got ", head->method, "not GET",
                      "method");
    if (has_body(head) || lt_http_find(head, "Host", &value) > 1)
        return refuse(server, "Error parsing HTTP headers", nothing, "not a request to upgrade",
                      "method");
    if (!is_key(head, &value))
        return refuse(server, "Missing Sec-WebSocket-Key value", nothing, "missing or invalid",
                      "Sec-WebSocket-Key");
    if (!lt_http_lists(head, "Upgrade", "websocket"))
        return refuse(server, "Missing Upgrade header", nothing, "missing", "Upgrade");
    if (!lt_http_lists(head, "Connection", "Upgrade"))
        return refuse(server, "Missing Connection header", nothing, "missing", "Connection");
    count = lt_http_find(head, "Sec-WebSocket-Version", &value);
    if (count == 0)
        return refuse(server, "Missing Sec-WebSocket-Version value", nothing, "missing",
                      "Sec-WebSocket-Version");
    if (count > 1 || !lt_http_is(value, "13"))
        return refuse(server, "Invalid Sec-WebSocket-Version, need 13, got ", value, "not 13",
                      "Sec-WebSocket-Version");
    server->wrong_path = !lt_http_is(head->target, LT_WS_PATH);
    count = lt_http_find(head, "X-Application-Name", &value);
    server->wrong_name = count > 1 || !lt_ws_is_application_name(value.at, value.length);
    return true;
}

static void add_text(struct lt_tree *tree, const char *name, uint16_t name_length,
                     struct lt_http_text text, bool there)
{
    if (there)
        lt_tree_bytes(tree, LEAT_TEXT, name, name_length, text.at, text.length);
    else
        lt_tree_null(tree, name, name_length);
}

static void add_field(struct lt_tree *tree, const char *name, uint16_t name_length,
                      const struct lt_http_head *head, const char *field)
{
    struct lt_http_text value;
    unsigned count = lt_http_find(head, field, &value);

    add_text(tree, name, name_length, value, count > 0);
}

static bool lend_request(struct server *server, const struct lt_http_head *head,
                         struct lt_http_text path)
{
    leat_session *session = &server->link.session;
    struct lt_tree *tree = &session->tree;
    struct lt_http_text query = {path.at + path.length, head->target.length - path.length};
    bool has_query = query.length > 0;

    if (lt_tree_reserve(tree, OPEN_CELLS) != LEAT_OK) {
        lt_link_fail(&server->link, LEAT_E_NOMEM, 0, "out of memory", NULL);
        return false;
    }
    if (has_query) {
        query.at++;
        query.length--;
    }
    (void)lt_tree_open(tree, LEAT_RECORD, LT_NO_NAME);
    add_text(tree, LT_NAME("path"), path, true);
    add_text(tree, LT_NAME("query"), query, has_query);
    add_field(tree, LT_NAME("host"), head, "Host");
    add_field(tree, LT_NAME("origin"), head, "Origin");
    add_field(tree, LT_NAME("application_name"), head, "X-Application-Name");
    add_field(tree, LT_NAME("key"), head, "Sec-WebSocket-Key");
    lt_tree_close(tree, 0, OPEN_CELLS - 1);
    lt_event(session, LEAT_BROKER_UPGRADE, "upgrade", session->window + session->start,
             server->scanned, session->consumed)
        ->value = tree->cells;
    lt_hold(session, server->scanned);
    server->link.step = ASKED;
    return true;
}

/* The request, if it is there. LEAT_OK: it was looked at; *told: and is an event. */
static int next_request(struct server *server, bool *told)
{
    leat_session *session = &server->link.session;
    const struct lt_reader in = lt_unread(session);
    struct lt_http_head head;
    struct lt_http_text path;
    struct leat_error error;
    const char *query;
    int status = lt_http_scan(&server->scanned, in.at, lt_left(&in),
                              server->zeek ? ZEEK_HEAD_MAX : BROKER_HEAD_MAX, &error);

    if (status == LEAT_MORE)
        return lt_need(session, server->scanned + 1);
    if (status == LEAT_OK)
        status = lt_http_read_request(in.at, server->scanned, &head, &error);
    if (status != LEAT_OK) {
        refuse_head(server, &error);
        return LEAT_OK;
    }
    path = head.target;
    query = (const char *)memchr(path.at, '?', path.length);
    if (query != NULL)
        path.length = (size_t)(query - path.at);
    if (server->zeek ? check_for_zeek(server, &head) : check_for_broker(server, &head, path))
        *told = lend_request(server, &head, path);
    return LEAT_OK;
}

/* ----- the first text ----- */

static void be_over(struct server *server)
{
    if (server->attached && server->link.broker != NULL)
        lt_broker_detach(server->link.broker, &server->link.filter);
    server->attached = false;
}

static void subscribe(struct server *server, const leat_value *topics)
{
    struct lt_link *link = &server->link;
    int status = lt_topics_read(&link->filter, &link->session.allocator, topics);

    /* Peers hear what a client of Zeek's server subscribes to. */
    if (status == LEAT_OK && server->zeek) {
        status = lt_broker_attach(link->broker, &link->filter);
        server->attached = status == LEAT_OK;
    }
    if (status == LEAT_E_LIMIT) {
        close_and_fail(server, LEAT_E_LIMIT, LT_WS_POLICY, "Too many topics");
        return;
    }
    if (status == LEAT_OK)
        status = lt_link_send(link, server->ack.data, server->ack.length, true);
    if (status != LEAT_OK) {
        lt_link_fail(link, LEAT_E_NOMEM, 0, "out of memory", NULL);
        return;
    }
    lt_writer_free(&server->ack);
    link->step = READY;
    server->deadline = UINT64_MAX;
    arm(server);
    lt_link_up(link);
}

static void stay_mute(struct server *server, const char *context)
{
    server->link.step = MUTE;
    if (server->zeek)
        say_error(server, context);
}

static void on_first(struct server *server, const struct lt_ws_message *message)
{
    leat_session *session = &server->link.session;
    struct leat_error error;
    const leat_value *list, *topic;
    int status = lt_broker_read_any_json(&session->tree, (size_t)session->limits.depth, LT_NO_NAME,
                                         message->payload, message->length, &error);

    if (status == LEAT_E_NOMEM) {
        lt_link_fail(&server->link, LEAT_E_NOMEM, 0, "out of memory", NULL);
        return;
    }
    list = session->tree.cells;
    if (status != LEAT_OK || list->kind != LEAT_LIST) {
        stay_mute(server, "subscriptions not an array");
        return;
    }
    for (topic = leat_value_first(list); topic != NULL; topic = leat_value_next(list, topic)) {
        if (topic->kind != LEAT_TEXT) {
            stay_mute(server, "individual subscription not a string");
            return;
        }
        if (topic->length > UINT16_MAX) {
            close_and_fail(server, LEAT_E_LIMIT, LT_WS_POLICY, "A topic that is too long");
            return;
        }
    }
    if (list->length > server->link.broker->options.filter_topics)
        close_and_fail(server, LEAT_E_LIMIT, LT_WS_POLICY, "Too many topics");
    else
        subscribe(server, list);
}

/* ----- data ----- */

/* What Broker says of a text, which it counts. */
static void put_input_error(struct server *server, const char *what, const char *rest)
{
    struct lt_writer *out = begin(server);
    char context[160];
    struct lt_writer text = lt_writer_fixed(context, sizeof context);

    lt_put_text(&text, "input #");
    lt_write_u64(&text, server->inputs);
    lt_put_text(&text, what);
    lt_put_text(&text, rest);
    lt_ws_put_error(out, "deserialization_failed", context, text.length);
    finish_or_fail(server);
}

/* Where JSON is wrong, as Broker tells it: the line and the column. */
static void say_malformed(struct server *server, const struct lt_ws_message *message,
                          const struct leat_error *error)
{
    char place[96];
    struct lt_writer text = lt_writer_fixed(place, sizeof place);
    uint64_t line = 1, column = 1, at;

    for (at = 0; at < error->offset && at < message->length; at++) {
        column = message->payload[at] == '\n' ? 1 : column + 1;
        line += message->payload[at] == '\n';
    }
    lt_put_text(&text, at == message->length ? "caf::pec::unexpected_eof("
                                             : "caf::pec::unexpected_character(");
    lt_write_u64(&text, line);
    lt_put_text(&text, ", ");
    lt_write_u64(&text, column);
    lt_put_bytes(&text, ")", 2);
    put_input_error(server, " contained malformed JSON -> ", place);
}

static void say_undecodable(struct server *server, const struct lt_ws_message *message,
                            enum lt_broker_json_verdict verdict, const struct leat_error *error)
{
    if (server->zeek)
        say_error(server, "failed to decode JSON object");
    else if (verdict == LT_BROKER_JSON_MALFORMED)
        say_malformed(server, message, error);
    else if (verdict == LT_BROKER_JSON_NO_OBJECT)
        put_input_error(server, " expected a JSON object", "");
    else if (verdict == LT_BROKER_JSON_TWICE)
        put_input_error(server, " caused an internal error -> ",
                        "deserialization_failed(\"failed to parse data\")");
    else
        put_input_error(server, " contained invalid data", "");
}

static bool is_one(const leat_value *value)
{
    return value->kind == LEAT_UINT && value->u.u64 == 1;
}

/* A single event, of which Zeek would look for the name. */
static bool is_event(const leat_value *data)
{
    const leat_value *content, *name, *arguments;

    if (data->kind != LEAT_LIST || data->length < 3 || !is_one(leat_value_at(data, 0)) ||
        !is_one(leat_value_at(data, 1)))
        return false;
    content = leat_value_at(data, 2);
    if (content->kind != LEAT_LIST || content->length == 0)
        return false;
    name = leat_value_at(content, 0);
    arguments = leat_value_at(content, 1);
    return name->kind == LEAT_TEXT && name->length > 0 &&
           (arguments == NULL || arguments->kind == LEAT_LIST);
}

static int post(struct server *server, const leat_value *topic, const leat_value *data)
{
    leat_broker *broker = server->link.broker;
    const struct lt_broker_post message = {
        .from = &server->link,
        .sender = server->link.id,
        .forwarding = server->zeek || broker->options.forwarding != 0,
        .type = LT_BROKER_DATA,
        .topic = leat_value_text(topic, NULL),
        .topic_length = topic->length,
        .value = data,
    };

    return lt_broker_post(broker, &message);
}

/* Makes the record of type, topic and data one of sender, topic and data, and lends it. */
static void lend_data(struct server *server, const struct lt_ws_message *message)
{
    leat_session *session = &server->link.session;
    leat_value *sender = session->tree.cells + 1;

    sender->name = "sender";
    sender->name_length = 6;
    sender->kind = LEAT_UUID;
    sender->u.bytes = server->link.id;
    sender->length = 16;
    lt_event(session, LEAT_BROKER_DATA, "data", message->payload, message->length, message->offset)
        ->value = session->tree.cells;
}

/* A message for all that subscribe. True: it is an event. */
static bool on_data(struct server *server, const struct lt_ws_message *message)
{
    leat_session *session = &server->link.session;
    leat_broker *broker = server->link.broker;
    enum lt_broker_json_verdict verdict;
    struct leat_error error;
    const leat_value *topic, *data;
    int status =
        lt_broker_read_json_message(&session->tree, (size_t)session->limits.depth, LT_NO_NAME,
                                    message->payload, message->length, &verdict, &error);

    server->inputs++;
    server->link.received++;
    if (status == LEAT_E_NOMEM) {
        lt_link_fail(&server->link, LEAT_E_NOMEM, 0, "out of memory", NULL);
        return false;
    }
    if (verdict != LT_BROKER_JSON_DATA) {
        say_undecodable(server, message, verdict, &error);
        return false;
    }
    topic = leat_value_get(session->tree.cells, "topic");
    data = leat_value_get(session->tree.cells, "data");
    if (server->zeek && topic->u.bytes == NULL) {
        say_error(server, "no topic in top-level JSON object");
        return false;
    }
    if (lt_topic_is_local(leat_value_text(topic, NULL), topic->length)) {
        server->link.refused++;
        return false;
    }
    if ((server->zeek && !is_event(data)) || topic->length > UINT16_MAX ||
        post(server, topic, data) == LEAT_E_VALUE) {
        if (server->zeek)
            say_error(server, "failed to create Zeek event");
        else
            put_input_error(server, " contained invalid data", "");
        return false;
    }
    if (!lt_topics_match(&broker->subscribed, leat_value_text(topic, NULL), topic->length))
        return false;
    lend_data(server, message);
    return true;
}

/* ----- frames ----- */

static bool is_heartbeat(const struct lt_ws_message *message)
{
    return message->length > strlen(HEARTBEAT) &&
           memcmp(message->payload, HEARTBEAT, strlen(HEARTBEAT)) == 0;
}

/* Puts the next of our own pings. */
static void put_heartbeat(struct server *server, struct lt_writer *out)
{
    char payload[48];
    struct lt_writer text = lt_writer_fixed(payload, sizeof payload);

    lt_put_text(&text, HEARTBEAT);
    lt_write_u64(&text, server->pings++);
    lt_ws_put(out, LT_WS_PING, payload, text.length, NULL);
    server->unanswered = true;
    server->ping_due = lt_later(server->link.broker->now_ms, server->ping_ms);
}

static bool on_close(struct server *server, const struct lt_ws_message *message)
{
    struct lt_link *link = &server->link;

    if (link->step != CLOSING)
        close_last(server, message->code, message->reason, message->reason_length);
    lt_link_down(link, LEAT_BROKER_PEER_LOST, LT_REASON_NONE);
    return lt_ws_lend_close(&link->session, message) == LEAT_OK;
}

static bool on_pong(struct server *server, const struct lt_ws_message *message)
{
    server->unanswered = false;
    return !is_heartbeat(message) && lt_ws_lend_pong(&server->link.session, message) == LEAT_OK;
}

static bool on_text(struct server *server, const struct lt_ws_message *message)
{
    if (lt_utf8_prefix(message->payload, message->length) < message->length) {
        close_and_fail(server, LEAT_E_SYNTAX, LT_WS_ENCODING, "Invalid frame payload data");
        return false;
    }
    if (server->link.step == FIRST) {
        on_first(server, message);
        return false;
    }
    return server->link.step == READY && on_data(server, message);
}

/* True: it is an event. */
static bool on_message(struct server *server, const struct lt_ws_message *message)
{
    if (message->opcode == LT_WS_CLOSE)
        return on_close(server, message);
    if (server->link.step == CLOSING)
        return false;
    switch (message->opcode) {
    case LT_WS_PING:
        lt_ws_put(begin(server), LT_WS_PONG, message->payload, message->length, NULL);
        finish_or_fail(server);
        return false;
    case LT_WS_PONG:
        return on_pong(server, message);
    case LT_WS_BINARY:
        if (!server->zeek) {
            close_and_fail(server, LEAT_E_PROTOCOL, LT_WS_DATA, "A message that is not a text");
            return false;
        }
        return on_text(server, message); /* as Zeek does */
    default:
        return on_text(server, message);
    }
}

/* The next message, if it is there. LEAT_OK: it was looked at; *told: and is an event. */
static int next_message(struct server *server, bool *told)
{
    leat_session *session = &server->link.session;
    struct lt_ws_message message;
    struct lt_ws_fault fault;
    int status;

    if (server->link.outbox.controls > ANSWERS_MAX)
        return LEAT_PAUSED;
    status = lt_ws_next(session, &server->input, &message, &fault);
    if (status == LEAT_MORE)
        return status;
    if (status < 0) {
        close_and_fail(server, status, fault.code, fault.what);
        return LEAT_OK;
    }
    *told = on_message(server, &message);
    if (*told)
        lt_hold(session, message.octets);
    else
        lt_skip(session, message.octets);
    return LEAT_OK;
}

/* ----- the session ----- */

/* The stream has ended. */
static void take_end(struct server *server)
{
    struct lt_link *link = &server->link;

    if (lt_unread_bytes(&link->session) > 0 || server->input.fragmented)
        lt_link_fail(link, LEAT_E_END, lt_unread_bytes(&link->session),
                     "the stream ended inside a message", NULL);
    else
        lt_link_down(link, LEAT_BROKER_PEER_LOST, LT_REASON_NONE);
}

static int next_step(struct server *server, bool *told)
{
    *told = false;
    if (server->link.step == HEAD)
        return next_request(server, told);
    if (server->link.step == ASKED)
        return server->link.session.eof ? LEAT_MORE : LEAT_PAUSED;
    return next_message(server, told);
}

static int next(leat_session *session)
{
    struct server *server = server_in(session);
    struct lt_link *link = &server->link;
    bool told;
    int status;

    for (;;) {
        if (link->broker != NULL)
            lt_broker_give_news(link->broker);
        if (link->state == LT_LINK_OVER)
            be_over(server);
        if (lt_link_next(link, &status))
            return status;
        status = next_step(server, &told);
        if (status == LEAT_OK && told)
            return LEAT_OK;
        if (status == LEAT_PAUSED || (status == LEAT_MORE && !session->eof))
            return status;
        if (status == LEAT_MORE)
            take_end(server);
        lt_tree_clear(&session->tree);
    }
}

static int send(leat_session *session, const char *name, const leat_value *value)
{
    (void)name;
    (void)value;
    return lt_refuse(session, LEAT_E_STATE, 0, "an endpoint speaks for its sessions", NULL);
}

/* Whether frames may be sent to it. */
static bool is_open(const struct server *server)
{
    const struct lt_link *link = &server->link;

    return link->broker != NULL && link->step >= FIRST && link->step < CLOSING &&
           link->state != LT_LINK_OVER;
}

static void leave(struct lt_link *link)
{
    struct server *server = server_of(link);
    const char *reason = server->zeek ? "Terminating" : "EOF";
    uint32_t code = server->zeek ? LT_WS_GOING_AWAY : LT_WS_NORMAL;

    if (link->state != LT_LINK_UP) {
        if (link->step <= ASKED)
            put_refusal(server, 503, "Service Unavailable", "shutting down", nothing);
        else if (is_open(server))
            close_last(server, code, reason, strlen(reason));
        lt_link_down(link, LEAT_BROKER_PEER_REMOVED, LT_REASON_NONE);
        return;
    }
    lt_ws_put_close(begin(server), code, reason, strlen(reason), NULL);
    await_close(server);
    finish_or_fail(server);
}

/* The handshake took too long. */
static void give_up(struct server *server)
{
    static const char what[] = "No subscriptions came in time";

    if (server->link.step <= ASKED) {
        put_refusal(server, server->zeek ? 400 : 408, "Request Timeout",
                    server->zeek ? "Error parsing HTTP headers" : "Request Timeout", nothing);
        lt_link_fail(&server->link, LEAT_E_TIMEOUT, 0, "no request in time", NULL);
    } else {
        close_and_fail(server, LEAT_E_TIMEOUT, LT_WS_POLICY, what);
    }
}

static void expire(struct lt_link *link)
{
    struct server *server = server_of(link);
    uint64_t now_ms = link->broker->now_ms;

    if (link->step == CLOSING) {
        lt_link_down(link, LEAT_BROKER_PEER_REMOVED, LT_REASON_NONE);
    } else if (now_ms >= server->deadline) {
        give_up(server);
    } else if (server->unanswered) {
        close_and_fail(server, LEAT_E_TIMEOUT, LT_WS_TROUBLE, "Ping timeout");
    } else {
        put_heartbeat(server, begin(server));
        arm(server);
        finish_or_fail(server);
    }
}

/* ----- commands ----- */

static int refuse_command(leat_session *session, int status, const char *what, const char *field)
{
    session->send_error.code = LEAT_OK;
    return lt_refuse(session, status, 0, what, field);
}

static void put_agreement(const struct server *server, struct lt_writer *out, const char *accept)
{
    lt_put_text(out, "HTTP/1.1 101 Switching Protocols\r\n");
    if (server->zeek)
        lt_http_put(out, "Sec-WebSocket-Accept", accept, strlen(accept));
    lt_put_text(out, "Upgrade: websocket\r\nConnection: Upgrade\r\n");
    if (!server->zeek)
        lt_http_put(out, "Sec-WebSocket-Accept", accept, strlen(accept));
    lt_put_text(out, "\r\n");
}

/* Zeek's way to turn clients away. */
static void put_dismissal(struct lt_writer *out, const char *code, const char *text)
{
    lt_ws_put_error(out, code, text, strlen(text));
    lt_ws_put_close(out, LT_WS_POLICY, text, strlen(text), NULL);
}

static bool is_asked(const leat_session *session)
{
    const struct server *server = (const struct server *)(const void *)session;

    return session->dialect == &lt_ws_server && server->link.broker != NULL &&
           server->link.step == ASKED && server->link.state == LT_LINK_HANDSHAKE;
}

int leat_broker_websocket_upgrade(leat_session *session, const char *accept)
{
    struct server *server = server_in(session);
    struct lt_writer *out;

    if (!is_asked(session))
        return refuse_command(session, LEAT_E_STATE, "no upgrade was asked for", NULL);
    if (strlen(accept) != 28 || !lt_ws_is_base64(accept, 28, 1))
        return refuse_command(session, LEAT_E_VALUE, "not 28 characters of base64", "accept");
    out = begin(server);
    put_agreement(server, out, accept);
    if (server->ping_ms != UINT64_MAX)
        put_heartbeat(server, out);
    if (server->wrong_path)
        put_dismissal(out, "invalid_uri", "Invalid URI - use " LT_WS_PATH);
    else if (server->wrong_name)
        put_dismissal(out, "invalid_application_name", "Invalid X-Application-Name");
    if (finish(server) != LEAT_OK) {
        server->pings = 0;
        server->unanswered = false;
        server->ping_due = UINT64_MAX;
        return refuse_command(session, LEAT_E_NOMEM, "out of memory", NULL);
    }
    server->link.step = FIRST;
    if (server->wrong_path || server->wrong_name)
        await_close(server);
    else
        arm(server);
    return LEAT_OK;
}

int leat_broker_websocket_refuse(leat_session *session, uint32_t status, const char *text)
{
    struct server *server = server_in(session);
    struct lt_writer *out;

    if (!is_asked(session))
        return refuse_command(session, LEAT_E_STATE, "no upgrade was asked for", NULL);
    if (status < 400 || status > 599)
        return refuse_command(session, LEAT_E_VALUE, "not 400 to 599", "status");
    if (!lt_http_is_value(text, strlen(text)))
        return refuse_command(session, LEAT_E_VALUE, "control characters in a head", "text");
    out = begin(server);
    lt_put_text(out, "HTTP/1.1 ");
    lt_write_u64(out, status);
    lt_put_u8(out, ' ');
    lt_put_text(out, text);
    lt_put_text(out, "\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    if (finish(server) != LEAT_OK)
        return refuse_command(session, LEAT_E_NOMEM, "out of memory", NULL);
    lt_link_down(&server->link, LEAT_BROKER_PEER_REMOVED, LT_REASON_NONE);
    return LEAT_OK;
}

static int out_of_memory(leat_session *session)
{
    return lt_refuse(session, LEAT_E_NOMEM, 0, "out of memory", NULL);
}

/* Whether a command may send a frame; false: *status says why not. */
static bool may_command(struct server *server, int *status)
{
    leat_session *session = &server->link.session;

    if (!is_open(server))
        *status = lt_refuse(session, LEAT_E_STATE, 0, "the WebSocket is not open", NULL);
    else if (server->link.outbox.controls >= LT_CONTROLS_MAX)
        *status = lt_refuse(session, LEAT_E_LIMIT, 0, "too much output waits", NULL);
    else
        *status = LEAT_OK;
    return *status == LEAT_OK;
}

int lt_ws_server_ping(leat_session *session, const void *payload, size_t length)
{
    struct server *server = server_in(session);
    int status;

    if (!may_command(server, &status))
        return status;
    lt_ws_put(begin(server), LT_WS_PING, payload, length, NULL);
    return finish(server) == LEAT_OK ? LEAT_OK : out_of_memory(session);
}

int lt_ws_server_close(leat_session *session, uint32_t code, const char *reason, size_t length)
{
    struct server *server = server_in(session);
    int status;

    if (!may_command(server, &status))
        return status;
    lt_ws_put_close(begin(server), code, reason, length, NULL);
    if (finish(server) != LEAT_OK)
        return out_of_memory(session);
    await_close(server);
    return LEAT_OK;
}

/* ----- making one ----- */

void leat_broker_websocket_options_init(leat_broker_websocket_options *options, size_t size)
{
    lt_options_init(options, size, &initial, sizeof initial);
}

static void release(leat_session *session)
{
    struct server *server = server_in(session);

    be_over(server);
    lt_ws_input_free(&server->input, &session->allocator);
    lt_writer_free(&server->ack);
    lt_link_release(session);
}

static void trim(leat_session *session)
{
    struct server *server = server_in(session);

    if (!server->input.fragmented)
        lt_ws_input_free(&server->input, &session->allocator);
    lt_link_trim(session);
}

static size_t memory(const leat_session *session)
{
    const struct server *server = (const struct server *)(const void *)session;

    return lt_link_memory(session) + server->input.message.size + server->ack.size;
}

const struct lt_dialect lt_ws_server = {
    .bytes = sizeof(struct server),
    .next = next,
    .send = send,
    .tick = lt_link_tick,
    .deadline = lt_link_deadline,
    .sent = lt_link_sent,
    .release = release,
    .trim = trim,
    .memory = memory,
};

static const struct lt_link_kind kind = {
    .text = lt_websocket_text,
    .expire = expire,
    .leave = leave,
};

static void put_ack(struct server *server, const leat_broker_websocket_options *options)
{
    struct lt_writer *out = &server->ack;
    const char *version = options->version == NULL ? leat_version() : options->version;
    size_t begun = lt_ws_begin(out, false);

    lt_put_text(out, "{\"type\":\"ack\",\"endpoint\":\"");
    lt_write_uuid(out, server->link.broker->options.id);
    if (server->zeek) {
        lt_put_text(out, "-websocket-");
        lt_write_u64(out, options->number);
    }
    lt_put_text(out, "\",\"version\":");
    lt_json_write_string(out, (const uint8_t *)version, strlen(version));
    lt_put_u8(out, '}');
    lt_ws_end(out, begun, LT_WS_TEXT, NULL);
}

static bool are_sound(leat_broker *broker, const leat_broker_websocket_options *options)
{
    static const uint8_t nil[16];
    const uint8_t *version = (const uint8_t *)options->version;

    return memcmp(options->id, nil, 16) != 0 && memcmp(options->id, broker->options.id, 16) != 0 &&
           lt_holder(broker, options->id) == NULL &&
           options->flavour <= LEAT_BROKER_WEBSOCKET_ZEEK &&
           (version == NULL ||
            lt_utf8_prefix(version, strlen(options->version)) == strlen(options->version));
}

int leat_broker_websocket_accept(leat_broker *broker, const leat_broker_websocket_options *options,
                                 const char *address, uint32_t port, leat_session **session)
{
    leat_broker_websocket_options read = initial;
    struct server *server;
    struct lt_link *link;
    int status;

    if (options == NULL || !lt_options_read(&read, sizeof read, options) ||
        !are_sound(broker, &read))
        return LEAT_E_VALUE;
    status = lt_link_new(broker, &lt_ws_server, &kind, address, port, &link);
    if (status != LEAT_OK)
        return status;
    server = server_of(link);
    memcpy(link->id, read.id, sizeof link->id);
    link->known = true;
    server->zeek = read.flavour == LEAT_BROKER_WEBSOCKET_ZEEK;
    server->input.from_client = true;
    server->ping_ms = read.ping_ms != 0 ? read.ping_ms : server->zeek ? ZEEK_PING_MS : UINT64_MAX;
    server->ping_due = UINT64_MAX;
    server->deadline = lt_later(broker->now_ms, broker->options.handshake_ms);
    server->ack = lt_writer(&link->session.allocator, SIZE_MAX);
    put_ack(server, &read);
    if (server->ack.status != LEAT_OK) {
        leat_session_free(&link->session);
        return LEAT_E_NOMEM;
    }
    lt_hold_id(link);
    arm(server);
    if (broker->shutting_down)
        leave(link);
    *session = &link->session;
    return LEAT_OK;
}
