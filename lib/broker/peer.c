/* A native peer: the handshake and the messages of the operational phase. */
#include "data.h"
#include "endpoint.h"

#include <string.h>

#define LENGTH_BYTES 4u
#define TOPIC_AT     37u

/* Codes of drop_conn. */
#define PEER_INCOMPATIBLE 2u
#define UNSPECIFIED       1u
#define INVALID_MESSAGE   20u
#define SHUTTING_DOWN     28u
#define INVALID_PEERING   29u
#define WRONG_MAGIC       38u
#define REDUNDANT         39u
#define LOGIC_ERROR       40u
#define CODE_MAX          40u

/*
 * Answers to pings are held up while so many octets wait for a peer that does not read, or so much of
 * what cannot be dropped: what we have to say ourselves has a place behind that.
 */
#define PONG_BYTES_MAX (UINT64_C(1) << 20)
#define PONGS_MAX      (LT_CONTROLS_MAX / 2)

/* What is said to one peer is short, but for answers to pings that are not. */
#define CONTROL_BYTES_KEPT ((size_t)64 << 10)

#define BYE_BYTES 11u
#define ALIVE     "leat"

static const uint8_t nil[16];
static const char between_peers[] = "<$>";

/* Of what stands between peers, but for the payload. */
#define ENVELOPE_BYTES (TOPIC_AT + sizeof between_peers - 1)

/* The steps of the handshake, as the specification calls them. */
enum step {
    FIRST,
    HELLO,
    VSELECT,
    SYN,
    SYN_ACK,
    ACK,
    DONE,
};

static struct lt_link *link_of(leat_session *session)
{
    return (struct lt_link *)(void *)session;
}

/* ----- what we say ----- */

/* A frame begins, of a message of the handshake. */
static struct lt_writer *begin(struct lt_link *link, uint8_t type)
{
    struct lt_writer *out = &link->broker->control;

    out->length = 0;
    lt_put_u32be(out, 0);
    lt_put_u8(out, type);
    return out;
}

/* LEAT_OK or LEAT_E_NOMEM. */
static int say(struct lt_link *link)
{
    struct lt_writer *out = &link->broker->control;
    int status = out->status;

    lt_patch_u32be(out, 0, (uint32_t)(out->length - LENGTH_BYTES));
    out->status = LEAT_OK;
    if (status == LEAT_OK)
        status = lt_link_send(link, out->data, out->length, true);
    if (out->size > CONTROL_BYTES_KEPT)
        lt_writer_free(out);
    return status;
}

/* Without what is said so the peering cannot go on. */
static void finish(struct lt_link *link)
{
    if (say(link) != LEAT_OK)
        lt_link_fail(link, LEAT_E_NOMEM, 0, "out of memory", NULL);
}

static struct lt_writer *begin_with_magic(struct lt_link *link, uint8_t type, bool with_id)
{
    struct lt_writer *out = begin(link, type);

    lt_put_bytes(out, "ZEEK", 4);
    if (with_id)
        lt_put_bytes(out, link->broker->options.id, 16);
    return out;
}

static void say_hello(struct lt_link *link)
{
    lt_put_u16be(begin_with_magic(link, LT_BROKER_HELLO, true), 0x0101);
    finish(link);
}

static void say_probe(struct lt_link *link)
{
    (void)begin_with_magic(link, LT_BROKER_PROBE, false);
    finish(link);
}

static void say_version_select(struct lt_link *link)
{
    lt_put_u8(begin_with_magic(link, LT_BROKER_VERSION_SELECT, true), 1);
    finish(link);
}

static void say_drop_conn(struct lt_link *link, uint8_t code, const void *text, size_t length)
{
    struct lt_writer *out = begin_with_magic(link, LT_BROKER_DROP_CONN, true);

    lt_put_u8(out, code);
    lt_broker_put_text(out, text, (uint32_t)length);
    finish(link);
}

static void put_filter(struct lt_writer *out, const struct lt_topics *topics)
{
    uint32_t i;

    lt_broker_put_varbyte(out, topics->count);
    for (i = 0; i < topics->count; i++)
        lt_broker_put_text(out, topics->text + topics->topics[i].at, topics->topics[i].length);
}

/* Our filter: in the handshake. */
static void say_filter(struct lt_link *link, uint8_t type)
{
    put_filter(begin(link, type), &link->broker->announced);
    link->outdated = false;
    finish(link);
}

/* An envelope to this peer, of what stands between peers. */
static struct lt_writer *begin_envelope(struct lt_link *link, uint8_t type)
{
    struct lt_writer *out = &link->broker->control;

    out->length = 0;
    lt_put_u32be(out, 0);
    lt_put_bytes(out, link->broker->options.id, 16);
    lt_put_bytes(out, link->id, 16);
    lt_put_u8(out, type);
    lt_put_u16be(out, LT_BROKER_TTL);
    lt_put_u16be(out, sizeof between_peers - 1);
    lt_put_bytes(out, between_peers, sizeof between_peers - 1);
    return out;
}

/* If an older one still waits, this one stands for both. */
void lt_peer_say_filter(struct lt_link *link)
{
    uint32_t waiting = link->outbox.count;

    put_filter(begin_envelope(link, LT_BROKER_ROUTING_UPDATE), &link->broker->announced);
    finish(link);
    if (link->outbox.count > waiting)
        lt_outbox_stand(&link->outbox, &link->session.allocator);
}

static void say_ping(struct lt_link *link, uint8_t type, const void *payload, size_t length)
{
    lt_put_bytes(begin_envelope(link, type), payload, length);
    finish(link);
}

/* The payload of our goodbye: a number that counts peerings, in the form that Broker gives it. */
static void put_bye(const struct lt_link *link, uint8_t payload[BYE_BYTES])
{
    uint64_t token = link->goodbye | UINT64_C(1) << 60;
    size_t i;

    memcpy(payload, "BYE", 3);
    for (i = 0; i < 8; i++)
        payload[3 + i] = (uint8_t)(token >> 8 * i);
}

/* ----- the handshake ----- */

static void drop(struct lt_link *link, uint8_t code, const char *text)
{
    say_drop_conn(link, code, text, strlen(text));
}

/* Turns the peer away for what it said. */
static void refuse(struct lt_link *link, uint8_t code, const char *text, const char *field)
{
    drop(link, code, text);
    lt_link_fail(link, LEAT_E_PROTOCOL, LENGTH_BYTES, text, field);
}

/* A message that has no place here: real peers close without a word, too. */
static void unexpected(struct lt_link *link)
{
    lt_link_fail(link, LEAT_E_PROTOCOL, LENGTH_BYTES, "a message out of turn", "type");
}

/* What was wanted is there already, unless that is about to end: then it is wanted still. */
static void be_redundant(struct lt_link *link, struct lt_link *established)
{
    if (established->state != LT_LINK_LEAVING)
        lt_peering_adopt(link, established);
    lt_link_down(link, LEAT_BROKER_PEER_LOST, LT_REASON_NONE);
}

/* Turns the peer away for what is here. */
static void turn_away(struct lt_link *link, uint8_t code, const char *text)
{
    drop(link, code, text);
    lt_link_down(link, LEAT_BROKER_PEER_LOST, LT_REASON_NONE);
}

static void be_originator(struct lt_link *link)
{
    struct lt_link *holder = lt_holder(link->broker, link->id);

    if (link->broker->shutting_down) {
        turn_away(link, SHUTTING_DOWN, "shutting down");
    } else if (holder != NULL && holder->state == LT_LINK_HANDSHAKE) {
        link->state = LT_LINK_PAUSED;
        link->broker->paused_count++;
    } else if (holder != NULL) {
        drop(link, REDUNDANT, "redundant connection");
        be_redundant(link, holder);
    } else {
        lt_hold_id(link);
        link->step = SYN_ACK;
        say_version_select(link);
        say_filter(link, LT_BROKER_ORIGINATOR_SYN);
    }
}

void lt_peer_resume(struct lt_link *link, bool redundant)
{
    struct lt_link *holder = lt_holder(link->broker, link->id);

    link->broker->paused_count--;
    link->state = LT_LINK_HANDSHAKE;
    if (redundant && holder != NULL) {
        drop(link, REDUNDANT, "redundant connection");
        be_redundant(link, holder);
    } else {
        be_originator(link);
    }
    lt_link_ready(link);
}

/* Takes the id that the peer says it has. False: it cannot be. */
static bool take_id(struct lt_link *link, const leat_value *message)
{
    const leat_value *sender = leat_value_get(message, "sender");
    const uint8_t *id = sender->u.bytes;

    if (memcmp(id, nil, 16) == 0 || memcmp(id, link->broker->options.id, 16) == 0) {
        refuse(link, INVALID_PEERING, "an endpoint id that cannot be", "sender");
        return false;
    }
    if (link->known && memcmp(id, link->id, 16) != 0) {
        refuse(link, INVALID_PEERING, "another endpoint id than before", "sender");
        return false;
    }
    memcpy(link->id, id, 16);
    link->known = true;
    return true;
}

static void on_hello(struct lt_link *link, const leat_value *message)
{
    if (leat_value_u64(leat_value_get(message, "min")) > 1 ||
        leat_value_u64(leat_value_get(message, "max")) < 1) {
        refuse(link, PEER_INCOMPATIBLE, "unsupported versions offered", "min");
        return;
    }
    if (link->step != FIRST && link->step != HELLO) {
        unexpected(link);
        return;
    }
    if (!take_id(link, message))
        return;
    if (memcmp(link->broker->options.id, link->id, 16) < 0) {
        be_originator(link);
    } else {
        say_hello(link);
        link->step = VSELECT;
    }
}

static void on_version_select(struct lt_link *link, const leat_value *message)
{
    if (leat_value_u64(leat_value_get(message, "version")) != 1) {
        refuse(link, PEER_INCOMPATIBLE, "unsupported version selected", "version");
    } else if (link->step != FIRST && link->step != VSELECT) {
        unexpected(link);
    } else if (take_id(link, message)) {
        if (link->broker->shutting_down) {
            turn_away(link, SHUTTING_DOWN, "shutting down");
        } else if (lt_holder(link->broker, link->id) != NULL) {
            turn_away(link, LOGIC_ERROR, "detected redundant connection at the responder");
        } else {
            lt_hold_id(link);
            link->step = SYN;
        }
    }
}

/* True: it is worth telling. */
static bool on_drop_conn(struct lt_link *link, const leat_value *message)
{
    const leat_value *text = leat_value_get(message, "description");
    uint64_t code = leat_value_u64(leat_value_get(message, "code"));
    const uint8_t *id = leat_value_get(message, "sender")->u.bytes;
    struct lt_link *holder = lt_holder(link->broker, id);

    if (code > CODE_MAX) {
        say_drop_conn(link, UNSPECIFIED, text->u.bytes, text->length);
        lt_link_fail(link, LEAT_E_PROTOCOL, LENGTH_BYTES, "an unknown code of error", "code");
        return false;
    }
    if (code == REDUNDANT && link->step <= VSELECT && holder != NULL && holder != link) {
        be_redundant(link, holder);
        return false;
    }
    lt_link_down(link, LEAT_BROKER_PEER_LOST, LT_REASON_NONE);
    return true;
}

static bool take_filter(struct lt_link *link, const leat_value *message)
{
    const leat_value *filter = leat_value_get(message, "filter");

    if (leat_value_count(filter) > link->broker->options.filter_topics) {
        lt_link_fail(link, LEAT_E_LIMIT, LENGTH_BYTES, "too many topics", "filter");
        return false;
    }
    if (lt_topics_read(&link->filter, &link->session.allocator, filter) != LEAT_OK) {
        lt_link_fail(link, LEAT_E_NOMEM, 0, "out of memory", NULL);
        return false;
    }
    return true;
}

static void be_up(struct lt_link *link)
{
    leat_broker *broker = link->broker;

    link->step = DONE;
    link->goodbye = ++broker->goodbyes;
    link->heard_ms = broker->now_ms;
    lt_link_due(link, broker->options.ping_ms == 0
                          ? UINT64_MAX
                          : lt_later(broker->now_ms, broker->options.ping_ms));
    lt_link_up(link);
    if (link->outdated)
        lt_peer_say_filter(link);
    broker->has_news = true;
}

static void on_filter(struct lt_link *link, const leat_value *message, bool answer)
{
    if (link->step != (answer ? SYN_ACK : SYN)) {
        unexpected(link);
    } else if (take_filter(link, message)) {
        if (answer)
            (void)begin(link, LT_BROKER_ORIGINATOR_ACK);
        if (answer)
            finish(link);
        else
            say_filter(link, LT_BROKER_RESPONDER_SYN_ACK);
        if (link->state == LT_LINK_OVER)
            return;
        link->step = ACK;
        if (answer)
            be_up(link);
    }
}

/* Answers what cannot be read, in Broker's words. */
static void on_malformed(struct lt_link *link, const struct lt_broker_message *message,
                         const struct leat_error *error)
{
    char text[48] = "failed to parse ";

    if (error->code == LEAT_E_PROTOCOL) {
        drop(link, WRONG_MAGIC, "wrong magic number");
    } else if (error->code != LEAT_E_NOMEM) {
        strcat(text, message->type < LT_BROKER_ORIGINATOR_SYN ? "" : "v1::");
        strncat(text, message->name, sizeof text - strlen(text) - sizeof "_msg");
        strcat(text, "_msg");
        drop(link, INVALID_MESSAGE, text);
    }
    lt_link_fail(link, error->code, LENGTH_BYTES + (size_t)error->offset, error->text,
                 error->field);
}

/* A message of the handshake. True: it is an event. */
static bool shake_hands(struct lt_link *link, struct lt_reader body)
{
    leat_session *session = &link->session;
    const struct lt_broker_message *message = lt_broker_message(*body.at);
    size_t length = lt_left(&body);
    const leat_value *value;
    struct leat_error error = {0};
    leat_event *event;

    if (message == NULL || message->type < LT_BROKER_HELLO) {
        refuse(link, INVALID_MESSAGE, "invalid message type tag", "type");
        return false;
    }
    if (lt_broker_read_message(message, body, &session->tree, (size_t)session->limits.depth,
                               &error) != LEAT_OK) {
        on_malformed(link, message, &error);
        return false;
    }
    value = session->tree.cells;
    switch (message->type) {
    case LT_BROKER_HELLO:
        on_hello(link, value);
        break;
    case LT_BROKER_PROBE:
        if (link->step > VSELECT)
            unexpected(link);
        break;
    case LT_BROKER_VERSION_SELECT:
        on_version_select(link, value);
        break;
    case LT_BROKER_DROP_CONN:
        if (!on_drop_conn(link, value))
            break;
        event = lt_event(session, message->kind, message->name, body.at - LENGTH_BYTES,
                         LENGTH_BYTES + length, session->consumed);
        event->value = value;
        return true;
    case LT_BROKER_ORIGINATOR_SYN:
    case LT_BROKER_RESPONDER_SYN_ACK:
        on_filter(link, value, message->type == LT_BROKER_RESPONDER_SYN_ACK);
        break;
    default:
        if (link->step == ACK)
            be_up(link);
        else
            unexpected(link);
        break;
    }
    return false;
}

/* ----- the operational phase ----- */

/* An envelope that is there as a whole. */
struct envelope {
    const struct lt_broker_message *message;
    struct lt_reader body;
    const uint8_t *sender;
    bool is_stranger;        /* the sender is not the peer */
    const uint8_t *receiver; /* NULL: all */
    const char *topic;
    size_t topic_length;
    const uint8_t *payload;
    size_t payload_length;
};

static bool is_ours(const struct lt_link *link, const uint8_t *id)
{
    return memcmp(id, link->broker->options.id, 16) == 0;
}

static bool open_envelope(struct envelope *envelope, struct lt_reader body)
{
    const uint8_t *at = body.at;
    size_t length = lt_left(&body);

    if (!lt_broker_is_envelope(at, length))
        return false;
    envelope->message = lt_broker_message(at[LT_BROKER_TYPE_AT]);
    envelope->body = body;
    envelope->sender = at;
    envelope->receiver = memcmp(at + 16, nil, 16) == 0 ? NULL : at + 16;
    envelope->topic = (const char *)at + TOPIC_AT;
    envelope->topic_length = lt_load_u16be(at + TOPIC_AT - 2);
    envelope->payload = at + TOPIC_AT + envelope->topic_length;
    envelope->payload_length = length - TOPIC_AT - envelope->topic_length;
    return true;
}

static leat_event *event_of(struct lt_link *link, const struct lt_broker_message *message,
                            struct lt_reader body)
{
    return lt_event(&link->session, message == NULL ? LEAT_BROKER_UNKNOWN : message->kind,
                    message == NULL ? "unknown" : message->name, body.at - LENGTH_BYTES,
                    LENGTH_BYTES + lt_left(&body), link->session.consumed);
}

/* Decodes it. LEAT_OK; LEAT_E_NOMEM: the session has failed; else it is an event with that error. */
static int decode(struct lt_link *link, const struct envelope *envelope)
{
    leat_session *session = &link->session;
    struct leat_error error = {0};
    leat_event *event = event_of(link, envelope->message, envelope->body);
    int status = lt_broker_read_message(envelope->message, envelope->body, &session->tree,
                                        (size_t)session->limits.depth, &error);

    if (status == LEAT_OK) {
        event->value = session->tree.cells;
    } else if (status == LEAT_E_NOMEM) {
        lt_link_fail(link, LEAT_E_NOMEM, 0, "out of memory", NULL);
    } else {
        error.offset += session->consumed + LENGTH_BYTES;
        event->error = error;
    }
    return status;
}

/* Gives it to others, too, as the endpoint's options say. */
static void pass_on(struct lt_link *link, const struct envelope *envelope)
{
    leat_broker *broker = link->broker;
    const struct lt_broker_post post = {
        .from = link,
        .sender = envelope->sender,
        .forwarding = broker->options.forwarding != 0,
        .receiver = envelope->receiver,
        .type = envelope->message->type,
        .topic = envelope->topic,
        .topic_length = envelope->topic_length,
        .value = leat_value_get(link->session.tree.cells, "data"),
        .payload = envelope->payload,
        .payload_length = envelope->payload_length,
    };

    (void)lt_broker_post(broker, &post); /* whoever it has no memory for misses it */
}

/* Whether it names another peer of ours as the one who sent it. */
static bool is_forged(const struct lt_link *link, const struct envelope *envelope)
{
    const struct lt_link *holder = lt_holder(link->broker, envelope->sender);

    return holder != NULL && holder != link;
}

/* Data or a command. True: it is an event. */
static bool take_message(struct lt_link *link, const struct envelope *envelope)
{
    leat_broker *broker = link->broker;
    bool command = envelope->message->type == LT_BROKER_COMMAND;
    bool for_us = envelope->receiver == NULL || is_ours(link, envelope->receiver);
    bool for_others = broker->options.forwarding != 0 || (!command && broker->client_count > 0);
    bool wanted, for_stores;
    int status;

    if (lt_topic_is_local(envelope->topic, envelope->topic_length)) {
        link->refused++;
        return false;
    }
    link->strangers += envelope->is_stranger;
    wanted =
        for_us && lt_topics_match(&broker->subscribed, envelope->topic, envelope->topic_length);
    for_stores = command && for_us && !is_forged(link, envelope) &&
                 lt_topics_find(&broker->attached, envelope->topic, envelope->topic_length) >= 0;
    if (!wanted && !for_stores && !for_others)
        return false;
    status = decode(link, envelope);
    if (status != LEAT_OK)
        return status != LEAT_E_NOMEM;
    if (for_others)
        pass_on(link, envelope);
    if (for_stores && lt_stores_take(broker, link->session.tree.cells))
        return false;
    return wanted && link->state != LT_LINK_OVER;
}

static bool take_routing_update(struct lt_link *link, const struct envelope *envelope)
{
    leat_session *session = &link->session;
    const leat_value *filter;
    int status;

    status = decode(link, envelope);
    if (status != LEAT_OK)
        return status != LEAT_E_NOMEM;
    filter = leat_value_get(session->tree.cells, "filter");
    /* It would have to fit into a handshake, too. */
    if (leat_value_count(filter) > link->broker->options.filter_topics ||
        envelope->payload_length >= session->limits.handshake_bytes) {
        session->event.value = NULL;
        (void)lt_error(&session->event.error, LEAT_E_LIMIT, session->consumed + LENGTH_BYTES,
                       "too many topics", "filter");
        return true;
    }
    if (!take_filter(link, session->tree.cells))
        return false;
    link->broker->has_news = true;
    return true;
}

static void answer_ping(struct lt_link *link, const struct envelope *envelope)
{
    if (!link->session.eof)
        say_ping(link, LT_BROKER_PONG, envelope->payload, envelope->payload_length);
}

/* Whether it is what we ask whether the peer is still there with. */
static bool is_alive(const void *payload, size_t length)
{
    return length == strlen(ALIVE) && memcmp(payload, ALIVE, length) == 0;
}

/* True: it is an event. */
static bool take_pong(struct lt_link *link, const struct envelope *envelope)
{
    uint8_t bye[BYE_BYTES];

    if (link->state == LT_LINK_LEAVING && envelope->payload_length == BYE_BYTES) {
        put_bye(link, bye);
        if (memcmp(envelope->payload, bye, BYE_BYTES) == 0) {
            lt_link_down(link, LEAT_BROKER_PEER_REMOVED, LT_REASON_NONE);
            return false;
        }
    }
    if (is_alive(envelope->payload, envelope->payload_length))
        return false;
    return decode(link, envelope) != LEAT_E_NOMEM;
}

/* A frame of the operational phase. True: it is an event. */
static bool take_frame(struct lt_link *link, struct lt_reader body)
{
    struct envelope envelope;
    leat_event *event;
    bool is_message;

    link->heard_ms = link->broker->now_ms;
    if (!open_envelope(&envelope, body)) {
        event = event_of(link, NULL, body);
        (void)lt_error(&event->error, LEAT_E_SYNTAX, event->offset + LENGTH_BYTES,
                       "not an envelope", NULL);
        return true;
    }
    envelope.is_stranger = memcmp(envelope.sender, link->id, 16) != 0;
    is_message =
        envelope.message->type == LT_BROKER_DATA || envelope.message->type == LT_BROKER_COMMAND;
    /* Of what stands between peers nobody else may speak. */
    if (memcmp(envelope.sender, nil, 16) == 0 || is_ours(link, envelope.sender) ||
        (envelope.is_stranger && !is_message)) {
        link->refused++;
        return false;
    }
    switch (envelope.message->type) {
    case LT_BROKER_ROUTING_UPDATE:
        return take_routing_update(link, &envelope);
    case LT_BROKER_PING:
        answer_ping(link, &envelope);
        return false;
    case LT_BROKER_PONG:
        return take_pong(link, &envelope);
    default:
        return take_message(link, &envelope);
    }
}

/* ----- the session ----- */

/* The stream has ended. */
static void take_end(struct lt_link *link)
{
    if (lt_unread_bytes(&link->session) > 0)
        lt_link_fail(link, LEAT_E_END, lt_unread_bytes(&link->session),
                     "the stream ended inside a message", NULL);
    else
        lt_link_down(link, LEAT_BROKER_PEER_LOST, LT_REASON_NONE);
}

/* Whether a frame may be so long. */
static bool check_length(struct lt_link *link, size_t length)
{
    const leat_limits *limits = &link->session.limits;

    if (length == 0 && link->step != DONE)
        lt_link_fail(link, LEAT_E_PROTOCOL, 0, "an empty frame in the handshake", "length");
    else if (length > limits->message_bytes ||
             (link->step != DONE && length > limits->handshake_bytes))
        lt_link_fail(link, LEAT_E_LIMIT, 0, "a frame over the limit", "length");
    return link->state != LT_LINK_OVER;
}

/* What waits for an answer of another one may not pile up here. */
static int wait_paused(struct lt_link *link)
{
    if (lt_unread_bytes(&link->session) > link->session.limits.handshake_bytes)
        lt_link_fail(link, LEAT_E_LIMIT, 0, "too much before the answer", NULL);
    return lt_need(&link->session, lt_unread_bytes(&link->session) + 1);
}

static bool is_ping(struct lt_reader body)
{
    return lt_broker_is_envelope(body.at, lt_left(&body)) &&
           body.at[LT_BROKER_TYPE_AT] == LT_BROKER_PING;
}

/* The next frame, if it is there. LEAT_OK: it was looked at; *told: and is an event. */
static int next_frame(struct lt_link *link, bool *told)
{
    leat_session *session = &link->session;
    struct lt_reader in = lt_unread(session);
    size_t length;

    *told = false;
    if (lt_left(&in) < LENGTH_BYTES)
        return lt_need(session, LENGTH_BYTES);
    length = lt_u32be(&in);
    if (!check_length(link, length))
        return LEAT_OK;
    if (lt_left(&in) < length)
        return lt_need(session, LENGTH_BYTES + length);
    in = lt_reader(in.at, length);
    if (link->step == DONE && !session->eof && is_ping(in) &&
        (lt_link_waiting(link) > PONG_BYTES_MAX || link->outbox.controls > PONGS_MAX))
        return LEAT_PAUSED;
    link->received += length > 0;
    if (link->step != DONE)
        *told = shake_hands(link, in);
    else if (length > 0)
        *told = take_frame(link, in);
    if (*told)
        lt_hold(session, LENGTH_BYTES + length);
    else
        lt_skip(session, LENGTH_BYTES + length);
    return LEAT_OK;
}

static int next(leat_session *session)
{
    struct lt_link *link = link_of(session);
    bool told;
    int status;

    for (;;) {
        if (link->broker != NULL)
            lt_broker_give_news(link->broker);
        if (lt_link_next(link, &status))
            return status;
        status = link->state == LT_LINK_PAUSED ? wait_paused(link) : next_frame(link, &told);
        if (status == LEAT_OK && told) {
            lt_broker_give_news(link->broker);
            return LEAT_OK;
        }
        if (status == LEAT_PAUSED ||
            (status == LEAT_MORE && link->state != LT_LINK_OVER && !session->eof))
            return status;
        if (status == LEAT_MORE && link->state != LT_LINK_OVER)
            take_end(link);
        lt_tree_clear(&session->tree);
    }
}

static int send(leat_session *session, const char *name, const leat_value *value)
{
    (void)name;
    (void)value;
    return lt_refuse(session, LEAT_E_STATE, 0, "an endpoint speaks for its sessions", NULL);
}

static void leave(struct lt_link *link)
{
    leat_broker *broker = link->broker;
    uint8_t bye[BYE_BYTES];

    if (link->state != LT_LINK_UP) {
        if (link->state == LT_LINK_HANDSHAKE || link->state == LT_LINK_PAUSED)
            drop(link, SHUTTING_DOWN, "shutting down");
        lt_link_down(link, LEAT_BROKER_PEER_REMOVED, LT_REASON_NONE);
        return;
    }
    link->state = LT_LINK_LEAVING;
    lt_link_due(link, lt_later(broker->now_ms, broker->options.bye_ms));
    put_bye(link, bye);
    say_ping(link, LT_BROKER_PING, bye, sizeof bye);
}

static void expire(struct lt_link *link)
{
    const leat_broker *broker = link->broker;
    uint64_t again = lt_later(link->heard_ms, broker->options.ping_ms);

    if (link->state == LT_LINK_LEAVING) {
        lt_link_down(link, LEAT_BROKER_PEER_REMOVED, LT_REASON_NONE);
    } else if (link->state != LT_LINK_UP) {
        lt_link_fail(link, LEAT_E_TIMEOUT, 0, "no handshake in time", NULL);
    } else if (broker->now_ms < again) {
        link->pinged = false;
        lt_link_due(link, again);
    } else if (link->pinged) {
        lt_link_fail(link, LEAT_E_TIMEOUT, 0, "the peer is silent", NULL);
    } else {
        link->pinged = true;
        lt_link_due(link, lt_later(broker->now_ms, broker->options.ping_ms));
        say_ping(link, LT_BROKER_PING, ALIVE, strlen(ALIVE));
    }
}

static const struct lt_dialect dialect = {
    .bytes = sizeof(struct lt_link),
    .next = next,
    .send = send,
    .tick = lt_link_tick,
    .deadline = lt_link_deadline,
    .sent = lt_link_sent,
    .release = lt_link_release,
    .trim = lt_link_trim,
    .memory = lt_link_memory,
};

static const struct lt_link_kind native = {NULL, expire, leave};

int lt_peer_new(leat_broker *broker, bool outbound, const char *address, uint32_t port,
                struct lt_link **link)
{
    struct lt_link *made;
    int status = lt_link_new(broker, &dialect, &native, address, port, &made);

    if (status != LEAT_OK)
        return status;
    made->outbound = outbound;
    made->step = outbound ? FIRST : HELLO;
    if (outbound)
        say_hello(made);
    else
        say_probe(made);
    if (made->state == LT_LINK_OVER) {
        leat_session_free(&made->session);
        return LEAT_E_NOMEM;
    }
    lt_link_due(made, lt_later(broker->now_ms, broker->options.handshake_ms));
    *link = made;
    return LEAT_OK;
}

int leat_broker_accept(leat_broker *broker, const char *address, uint32_t port,
                       leat_session **session)
{
    struct lt_link *link;
    int status = lt_peer_new(broker, false, address, port, &link);

    if (status == LEAT_OK)
        *session = &link->session;
    return status;
}

int leat_broker_ping(leat_session *session, const void *payload, size_t length)
{
    struct lt_link *link = link_of(session);

    if (session->dialect != &dialect || link->broker == NULL || link->state != LT_LINK_UP)
        return LEAT_E_STATE;
    session->send_error.code = LEAT_OK;
    if (length >= 3 && memcmp(payload, "BYE", 3) == 0)
        return lt_refuse(session, LEAT_E_VALUE, 0, "a goodbye", "payload");
    if (is_alive(payload, length))
        return lt_refuse(session, LEAT_E_VALUE, 0, "a payload of our own", "payload");
    if (length > session->limits.message_bytes ||
        ENVELOPE_BYTES > session->limits.message_bytes - length)
        return lt_refuse(session, LEAT_E_LIMIT, 0, "longer than a message may be", "payload");
    if (link->outbox.controls >= LT_CONTROLS_MAX)
        return lt_refuse(session, LEAT_E_LIMIT, 0, "too many pings wait", NULL);
    lt_put_bytes(begin_envelope(link, LT_BROKER_PING), payload, length);
    return say(link) == LEAT_OK ? LEAT_OK
                                : lt_refuse(session, LEAT_E_NOMEM, 0, "out of memory", NULL);
}
