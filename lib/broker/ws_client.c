/*
 * A client of the WebSocket protocol, alone.
 *
 *     state      what comes                   does                           then
 *     REQUESTED  101 with the right values    subscribes                     OPEN
 *                another status               tells it                       over
 *     OPEN       ack                          tells it                       READY
 *     OPEN,      data, error                  tells it
 *     READY      close                        tells it, answers it           OVER
 *     CLOSING    close                        tells it                       OVER
 *                data, error                  passes over it
 *     all three  ping                         answers it
 *
 * Everything else is an event with an error, or breaks the framing, which a close says.
 */
#include "../core/text.h"
#include "http.h"
#include "json.h"
#include "websocket.h"

#include <leat/broker_websocket.h>

#define HEAD_MAX   ((size_t)8 << 10)  /* of the response, with the text that tells why not */
#define UNSENT_MAX ((size_t)64 << 10) /* a server has to read before more of its pings are read */

static const leat_limits defaults = {
    .size = sizeof defaults,
    .message_bytes = UINT64_C(64) << 20,
    .values = UINT64_C(4) << 20,
    .depth = LT_DEPTH_MAX,
    .queued_bytes = UINT64_C(64) << 20,
};

static const leat_broker_websocket_client_options initial = {
    .size = sizeof initial,
    .path = LT_WS_PATH,
    .ack_ms = 10000,
    .close_ms = 3000,
};

enum state { REQUESTED, OPEN, READY, CLOSING, OVER };

struct client {
    leat_session session;
    uint8_t state;
    bool clocked;   /* the time was told */
    bool pinged;    /* since the server was heard last */
    bool refused;   /* there is no WebSocket */
    size_t scanned; /* octets of the response */
    size_t head;    /* its length once it is whole */
    char accept[28];
    struct lt_ws_input input;
    struct lt_ws_keys keys;
    struct lt_writer topics; /* what is sent when the server has agreed */
    uint64_t ack_ms, close_ms, ping_ms;
    uint64_t due;   /* of the ack, or of the answer to our close */
    uint64_t heard; /* octets */
    uint64_t since; /* the last of them, or our ping: silence counts from then */
};

static struct client *client_of(leat_session *session)
{
    return (struct client *)(void *)session;
}

/* ----- what is sent aside from commands ----- */

static void begin(struct client *client, struct leat_error *refusal)
{
    *refusal = client->session.send_error;
    lt_send_begin(&client->session);
}

static int end(struct client *client, const struct leat_error *refusal)
{
    int status = lt_send_end(&client->session, LEAT_OK);

    client->session.send_error = *refusal;
    return status;
}

static int send_aside(struct client *client, uint8_t opcode, const void *payload, size_t length)
{
    struct leat_error refusal;

    begin(client, &refusal);
    lt_ws_put(&client->session.out, opcode, payload, length, &client->keys);
    return end(client, &refusal);
}

static void close_aside(struct client *client, uint32_t code, const char *reason, size_t length)
{
    struct leat_error refusal;

    begin(client, &refusal);
    lt_ws_put_close(&client->session.out, code, reason, length, &client->keys);
    (void)end(client, &refusal);
}

/* Ends the session with a failure, and tells the server if there is a WebSocket. */
static int give_up(struct client *client, int status, uint32_t code, const char *what)
{
    if (client->state > REQUESTED && client->state < CLOSING)
        close_aside(client, code, what, strlen(what));
    client->state = OVER;
    return lt_fail(&client->session, status, 0, what, NULL);
}

/* ----- the response ----- */

static int disagree(struct client *client, const char *field)
{
    return lt_fail(&client->session, LEAT_E_PROTOCOL, 0, "not the answer to our request", field);
}

static int check_agreement(struct client *client, const struct lt_http_head *head)
{
    struct lt_http_text value;

    if (!lt_http_lists(head, "Upgrade", "websocket"))
        return disagree(client, "Upgrade");
    if (!lt_http_lists(head, "Connection", "Upgrade"))
        return disagree(client, "Connection");
    if (lt_http_find(head, "Sec-WebSocket-Accept", &value) != 1 ||
        value.length != sizeof client->accept ||
        memcmp(value.at, client->accept, sizeof client->accept) != 0)
        return disagree(client, "Sec-WebSocket-Accept");
    /* Neither was asked for. */
    if (lt_http_find(head, "Sec-WebSocket-Extensions", &value) > 0)
        return disagree(client, "Sec-WebSocket-Extensions");
    if (lt_http_find(head, "Sec-WebSocket-Protocol", &value) > 0)
        return disagree(client, "Sec-WebSocket-Protocol");
    return LEAT_OK;
}

static int subscribe(struct client *client)
{
    int status = send_aside(client, LT_WS_TEXT, client->topics.data, client->topics.length);

    if (status != LEAT_OK)
        return lt_fail(&client->session, status, 0, "no room for what is to be sent", NULL);
    lt_writer_free(&client->topics);
    lt_skip(&client->session, client->head);
    client->session.inside = false;
    client->state = OPEN;
    return LEAT_OK;
}

/* How much of a text comes behind the head, so far as it is worth waiting for. */
static size_t text_length(const struct client *client, const struct lt_http_head *head)
{
    struct lt_http_text value;
    uint64_t length = 0;

    if (lt_http_find(head, "Content-Length", &value) != 1 ||
        !lt_read_u64(value.at, value.length, &length))
        return 0;
    return length < HEAD_MAX - client->head ? (size_t)length : HEAD_MAX - client->head;
}

static int lend_refusal(struct client *client, const struct lt_http_head *head)
{
    leat_session *session = &client->session;
    struct lt_tree *tree = &session->tree;
    const struct lt_reader in = lt_unread(session);
    size_t length = text_length(client, head), record;

    if (lt_left(&in) < client->head + length) {
        if (!session->eof)
            return lt_need(session, client->head + length);
        length = lt_left(&in) - client->head;
    }
    if (lt_tree_reserve(tree, 4) != LEAT_OK)
        return lt_fail(session, LEAT_E_NOMEM, 0, "out of memory", NULL);
    record = lt_tree_open(tree, LEAT_RECORD, LT_NO_NAME);
    lt_tree_u64(tree, LT_NAME("status"), head->status);
    lt_tree_bytes(tree, LEAT_TEXT, LT_NAME("reason"), head->reason.at, head->reason.length);
    lt_tree_bytes(tree, LEAT_TEXT, LT_NAME("text"), in.at + client->head, length);
    lt_tree_close(tree, record, 3);
    lt_event(session, LEAT_BROKER_REFUSED, "refused", in.at, client->head + length,
             session->consumed)
        ->value = tree->cells;
    lt_hold(session, client->head + length);
    client->state = OVER;
    client->refused = true;
    return LEAT_OK;
}

/* LEAT_MORE unless it is all there, or what there is of it. */
static int find_head(struct client *client)
{
    leat_session *session = &client->session;
    const struct lt_reader in = lt_unread(session);
    struct leat_error error;
    int status = lt_http_scan(&client->scanned, in.at, lt_left(&in), HEAD_MAX, &error);

    if (status < 0)
        return lt_fail(session, status, (size_t)error.offset, error.text, NULL);
    /* Zeek ends its refusals without the empty line. */
    if (status == LEAT_MORE && (!session->eof || lt_left(&in) == 0 || in.end[-1] != '\n'))
        return lt_need(session, client->scanned + 1);
    client->head = client->scanned;
    return LEAT_OK;
}

static int next_response(struct client *client)
{
    leat_session *session = &client->session;
    struct lt_http_head head;
    struct leat_error error;
    int status = client->head > 0 ? LEAT_OK : find_head(client);
    const struct lt_reader in = lt_unread(session);

    if (status != LEAT_OK)
        return status;
    if (lt_http_read_response(in.at, client->head, &head, &error) != LEAT_OK)
        return lt_fail(session, error.code, (size_t)error.offset, error.text, NULL);
    if (head.status != 101)
        return lend_refusal(client, &head);
    if (in.at[client->head - 3] != '\n') /* there is no empty line */
        return lt_fail(session, LEAT_E_END, client->head, "the stream ended inside a message",
                       NULL);
    status = check_agreement(client, &head);
    return status == LEAT_OK ? subscribe(client) : status;
}

/* ----- messages ----- */

static int lend_unknown(struct client *client, const struct lt_ws_message *message, int code,
                        uint64_t at, const char *what, const char *field)
{
    leat_session *session = &client->session;
    leat_event *event;

    if (code == LEAT_E_NOMEM)
        return lt_fail(session, code, 0, what, NULL);
    event = lt_event(session, LEAT_BROKER_UNKNOWN, "unknown", message->payload, message->length,
                     message->offset);
    (void)lt_error(&event->error, code, message->offset + at, what, field);
    lt_hold(session, message->octets);
    return LEAT_OK;
}

static int lend_message(struct client *client, const struct lt_ws_message *message)
{
    leat_session *session = &client->session;
    enum lt_broker_json_verdict verdict;
    struct leat_error error;
    const leat_value *value;
    leat_event *event;
    struct lt_http_text type;
    const bool expected = client->state == OPEN;
    int status =
        lt_broker_read_json_message(&session->tree, (size_t)session->limits.depth, LT_NO_NAME,
                                    message->payload, message->length, &verdict, &error);

    if (status != LEAT_OK)
        return lend_unknown(client, message, status, error.offset, error.text, error.field);
    value = session->tree.cells;
    type.at = leat_value_text(leat_value_get(value, "type"), &type.length);
    event = lt_event(session, LEAT_BROKER_DATA, "data", message->payload, message->length,
                     message->offset);
    if (verdict == LT_BROKER_JSON_OTHER) {
        if (lt_http_is(type, "ack") && expected) {
            client->state = READY;
            event->kind = LEAT_BROKER_ACK;
            event->name = "ack";
        } else if (lt_http_is(type, "error")) {
            event->kind = LEAT_BROKER_ERROR;
            event->name = "error";
        } else {
            return lend_unknown(client, message, LEAT_E_PROTOCOL, 0,
                                "a message of an unknown type, or out of place", "type");
        }
        event->name_length = strlen(event->name);
    }
    event->value = value;
    lt_hold(session, message->octets);
    return LEAT_OK;
}

/* LEAT_MORE: it is dealt with. */
static int on_ping(struct client *client, const struct lt_ws_message *message)
{
    size_t waiting;
    int status;

    (void)leat_send_data(&client->session, &waiting);
    if (waiting > UNSENT_MAX)
        return LEAT_PAUSED;
    status = client->state == CLOSING
                 ? LEAT_OK
                 : send_aside(client, LT_WS_PONG, message->payload, message->length);
    return status == LEAT_OK ? LEAT_MORE
                             : give_up(client, status, LT_WS_TROUBLE, "No room for a pong");
}

static int on_message(struct client *client, const struct lt_ws_message *message)
{
    leat_session *session = &client->session;

    switch (message->opcode) {
    case LT_WS_CLOSE:
        if (client->state != CLOSING)
            close_aside(client, message->code, message->reason, message->reason_length);
        client->state = OVER;
        return lt_ws_lend_close(session, message);
    case LT_WS_PING:
        return on_ping(client, message);
    case LT_WS_PONG: /* those of our own pings are empty */
        return message->length == 0 || client->state == CLOSING ? LEAT_MORE
                                                                : lt_ws_lend_pong(session, message);
    case LT_WS_BINARY:
        return give_up(client, LEAT_E_PROTOCOL, LT_WS_DATA, "A message that is not a text");
    default:
        return client->state == CLOSING ? LEAT_MORE : lend_message(client, message);
    }
}

static int next(leat_session *session)
{
    struct client *client = client_of(session);
    struct lt_ws_message message;
    struct lt_ws_fault fault;
    int status = LEAT_MORE;

    if (client->state == OVER)
        return client->refused
                   ? lt_fail(session, LEAT_E_PROTOCOL, 0, "the server refused the upgrade", NULL)
                   : lt_end(session);
    if (client->state == REQUESTED) {
        status = next_response(client);
        if (client->state != OPEN)
            return status;
    }
    for (;;) {
        status = lt_ws_next(session, &client->input, &message, &fault);
        if (status < 0)
            return give_up(client, status, fault.code, fault.what);
        if (status == LEAT_OK)
            status = on_message(client, &message);
        else
            return status;
        if (status != LEAT_MORE)
            return status;
        lt_skip(session, message.octets);
    }
}

/* ----- time ----- */

static uint64_t after(uint64_t since, uint64_t ms)
{
    return ms == 0 ? UINT64_MAX : lt_later(since, ms);
}

static uint64_t ping_due(const struct client *client)
{
    return client->state == READY ? after(client->since, client->ping_ms) : UINT64_MAX;
}

static uint64_t deadline(const leat_session *session)
{
    const struct client *client = (const struct client *)(const void *)session;
    uint64_t due = client->state == READY ? ping_due(client) : client->due;

    return session->status == LEAT_OK && client->state != OVER ? due : UINT64_MAX;
}

static void watch(struct client *client)
{
    const leat_session *session = &client->session;
    uint64_t heard = session->consumed + lt_unread_bytes(session);

    if (heard != client->heard) {
        client->heard = heard;
        client->since = session->now_ms;
        client->pinged = false;
    }
    if (session->now_ms < ping_due(client))
        return;
    if (client->pinged) {
        (void)give_up(client, LEAT_E_TIMEOUT, LT_WS_TROUBLE, "Ping timeout");
    } else {
        client->pinged = true;
        client->since = session->now_ms;
        (void)send_aside(client, LT_WS_PING, NULL, 0);
    }
}

static void tick(leat_session *session)
{
    struct client *client = client_of(session);

    if (session->status != LEAT_OK || client->state == OVER)
        return;
    if (!client->clocked) {
        client->clocked = true;
        client->since = session->now_ms;
        client->due =
            after(session->now_ms, client->state == CLOSING ? client->close_ms : client->ack_ms);
    }
    if (client->state == READY)
        watch(client);
    else if (client->state == CLOSING && session->now_ms >= client->due)
        (void)lt_end(session);
    else if (client->state != CLOSING && session->now_ms >= client->due)
        (void)give_up(client, LEAT_E_TIMEOUT, LT_WS_POLICY, "No acknowledgement came in time");
}

/* ----- commands ----- */

static bool is_open(const struct client *client)
{
    return client->session.status == LEAT_OK && (client->state == OPEN || client->state == READY);
}

int lt_ws_client_ping(leat_session *session, const void *payload, size_t length)
{
    struct client *client = client_of(session);

    if (!is_open(client))
        return lt_refuse(session, LEAT_E_STATE, 0, "the WebSocket is not open", NULL);
    lt_ws_put(&session->out, LT_WS_PING, payload, length, &client->keys);
    return LEAT_OK;
}

int lt_ws_client_close(leat_session *session, uint32_t code, const char *reason, size_t length)
{
    struct client *client = client_of(session);

    if (!is_open(client))
        return lt_refuse(session, LEAT_E_STATE, 0, "the WebSocket is not open", NULL);
    lt_ws_put_close(&session->out, code, reason, length, &client->keys);
    if (session->out.status == LEAT_OK && session->out.length <= session->out.limit) {
        client->state = CLOSING;
        client->due = client->clocked ? after(session->now_ms, client->close_ms) : UINT64_MAX;
    }
    return LEAT_OK;
}

static int publish(leat_session *session, const char *topic, size_t length, const leat_value *data)
{
    static const char local[] = "<$>/local/";
    struct client *client = client_of(session);
    struct leat_error error;
    size_t begun;

    if (session->status != LEAT_OK || client->state != READY)
        return lt_refuse(session, LEAT_E_STATE, 0, "the server has not acknowledged us", NULL);
    if (length > UINT16_MAX)
        return lt_refuse(session, LEAT_E_VALUE, 0, "longer than 65535 octets", "topic");
    if (length >= sizeof local - 1 && memcmp(topic, local, sizeof local - 1) == 0)
        return lt_refuse(session, LEAT_E_VALUE, 0, "a topic that is local to the receiver",
                         "topic");
    begun = lt_ws_begin(&session->out, true);
    if (lt_broker_put_json_message(&session->out, topic, length, data, &error) != LEAT_OK)
        return lt_refuse(session, error.code, (size_t)error.offset, error.text, error.field);
    lt_ws_end(&session->out, begun, LT_WS_TEXT, &client->keys);
    return LEAT_OK;
}

int leat_broker_websocket_publish(leat_session *session, const char *topic, size_t length,
                                  const leat_value *data)
{
    if (session->dialect != &lt_ws_client)
        return lt_refuse(session, LEAT_E_STATE, 0, "not a client of WebSocket", NULL);
    lt_send_begin(session);
    return lt_send_end(session, publish(session, topic, length, data));
}

/* What an event DATA of any session tells. */
static int send(leat_session *session, const char *name, const leat_value *value)
{
    const leat_value *data = leat_value_get(value, "data");
    const leat_value *topic = leat_value_get(value, "topic");
    size_t length;
    const char *text = leat_value_text(topic, &length);

    if (strcmp(name, "data") != 0)
        return lt_refuse(session, LEAT_E_STATE, 0, "no message of that name", NULL);
    if (data == NULL)
        return lt_refuse(session, LEAT_E_VALUE, 0, "missing", "data");
    return publish(session, text, length, data);
}

/* ----- making one ----- */

void leat_broker_websocket_client_options_init(leat_broker_websocket_client_options *options,
                                               size_t size)
{
    lt_options_init(options, size, &initial, sizeof initial);
}

/* A text of the head, NULL if it may be missing. */
static bool is_value(const char *text, bool needed)
{
    return text == NULL ? !needed : lt_http_is_value(text, strlen(text)) && (!needed || *text);
}

static bool is_list_of_topics(const leat_value *topics)
{
    const leat_value *topic;

    if (topics != NULL && topics->kind != LEAT_LIST)
        return false;
    for (topic = leat_value_first(topics); topic != NULL; topic = leat_value_next(topics, topic)) {
        if (topic->length > UINT16_MAX || !leat_value_is_utf8(topic))
            return false;
    }
    return true;
}

static bool are_sound(const leat_broker_websocket_client_options *options)
{
    static const uint8_t none[32] = {0};

    return is_value(options->host, true) && is_value(options->path, true) &&
           *options->path == '/' && is_value(options->origin, false) &&
           (options->application_name == NULL ||
            lt_ws_is_application_name(options->application_name,
                                      strlen(options->application_name))) &&
           options->key != NULL && strlen(options->key) == 24 &&
           lt_ws_is_base64(options->key, 24, 2) && options->accept != NULL &&
           strlen(options->accept) == 28 && lt_ws_is_base64(options->accept, 28, 1) &&
           memcmp(options->seed, none, sizeof none) != 0 && is_list_of_topics(options->topics);
}

static void put_field(struct lt_writer *out, const char *name, const char *value)
{
    if (value != NULL)
        lt_http_put(out, name, value, strlen(value));
}

/* Writes the request. LEAT_E_VALUE: the path is not one. */
static int put_request(leat_session *session, const leat_broker_websocket_client_options *options)
{
    struct lt_writer *out = &session->out;
    struct lt_http_head head;
    struct leat_error error;

    lt_put_text(out, "GET ");
    lt_put_text(out, options->path);
    lt_put_text(out, " HTTP/1.1\r\n");
    put_field(out, "Host", options->host);
    put_field(out, "Upgrade", "websocket");
    put_field(out, "Connection", "Upgrade");
    put_field(out, "Sec-WebSocket-Version", "13");
    put_field(out, "Sec-WebSocket-Key", options->key);
    put_field(out, "Origin", options->origin);
    put_field(out, "X-Application-Name", options->application_name);
    lt_put_text(out, "\r\n");
    return out->status == LEAT_OK &&
                   lt_http_read_request(out->data, out->length, &head, &error) != LEAT_OK
               ? LEAT_E_VALUE
               : LEAT_OK;
}

static int begin_client(struct client *client, const leat_broker_websocket_client_options *options)
{
    leat_session *session = &client->session;
    int status;

    lt_ws_keys_init(&client->keys, options->seed);
    memcpy(client->accept, options->accept, sizeof client->accept);
    client->ack_ms = options->ack_ms;
    client->close_ms = options->close_ms;
    client->ping_ms = options->ping_ms;
    client->due = UINT64_MAX;
    session->inside = true; /* a server owes us a response */
    client->topics = lt_writer(&session->allocator, SIZE_MAX);
    if (options->topics == NULL)
        lt_put_text(&client->topics, "[]");
    else
        lt_json_write(&client->topics, options->topics);
    lt_send_begin(session);
    status = lt_send_end(session, put_request(session, options));
    return status == LEAT_OK ? client->topics.status : status;
}

int leat_broker_websocket_client_new(const leat_config *config,
                                     const leat_broker_websocket_client_options *options,
                                     leat_session **session)
{
    leat_broker_websocket_client_options read = initial;
    leat_session *made;
    int status;

    if (options == NULL || !lt_options_read(&read, sizeof read, options) || !are_sound(&read))
        return LEAT_E_VALUE;
    status = lt_session_new(&lt_ws_client, config, &defaults, &made);
    if (status != LEAT_OK)
        return status;
    status = begin_client(client_of(made), &read);
    if (status == LEAT_OK)
        *session = made;
    else
        leat_session_free(made);
    return status;
}

static void release(leat_session *session)
{
    struct client *client = client_of(session);

    lt_ws_input_free(&client->input, &session->allocator);
    lt_writer_free(&client->topics);
}

static void trim(leat_session *session)
{
    struct client *client = client_of(session);

    if (!client->input.fragmented)
        lt_ws_input_free(&client->input, &session->allocator);
}

static size_t memory(const leat_session *session)
{
    const struct client *client = (const struct client *)(const void *)session;

    return client->input.message.size + client->topics.size;
}

const struct lt_dialect lt_ws_client = {
    .bytes = sizeof(struct client),
    .next = next,
    .send = send,
    .tick = tick,
    .deadline = deadline,
    .release = release,
    .trim = trim,
    .memory = memory,
};
