/*
 * Recorded peerings of Broker's endpoints and of Zeek's processes, with an endpoint of ours in the place
 * of each of theirs in turn: the same id, the same subscriptions at the same moments. It hears what that
 * one heard, publishes what it published, unpeers where it did, and has to say what it said, octet for
 * octet, on each of its connections. What it tells is what the other one told.
 *
 * Where we may differ:
 *
 * - The token in a goodbye is ours to choose (section 6.6). It counts peerings, as Broker's does; where
 *   several begin at once, a recording does not show in which order.
 * - Each new topic is a call here, and is told at once. Zeek can add several, and then tell.
 * - There is no store here: commands to stores are left out of what we say, and those to us are events.
 * - A second request for the address of a peer makes no connection: nothing could come of it but
 *   drop_conn (section 5.5). The recorded one is made by another name of the same peer.
 * - An endpoint that takes the address of a redundant connection over (section 5.4) names it in
 *   peer_added already, which is told later than Broker's.
 * - Zeek's scripts see nothing any more when Zeek exits; our caller is told how the peerings end, and
 *   that the last attempt failed, which the end of a process cut off.
 * - Who unpeers while an attempt is due gets none (section 5.5).
 * - Connections in which the one that accepted never said a word have no endpoint on that side.
 */
#include "told.h"

#include <leat/broker_endpoint.h>
#include <stdio.h>

#define BROKER   "broker/captures"
#define ZEEK     "zeek/events"
#define CLOCK_US 50000u /* so far may two recordings of one run be apart */
#define FILTER   64u    /* topics */

/* Recordings that are of one run, and share a clock. */
static const char *const runs[][FILES] = {
    {"forward-a-to-m", "forward-m-to-b"},
    {"forward-off-a-to-m", "forward-off-m-to-b"},
    {"peer-cross-a-to-b", "peer-cross-b-to-a"},
    {"cluster-to-logger", "cluster-to-manager", "cluster-to-proxy-1", "cluster-to-proxy-2"},
    {"native-main", "agent-listen-main", "supervisor-main"},
    {"native-failing", "agent-listen-failing", "supervisor-failing"},
    {"native-reconnect", "agent-listen-reconnect", "supervisor-reconnect"},
    {"agent-listen-controller-connects", "supervisor-controller-connects"},
    {"native-two-agents", "agent-listen-two-agents", "agent2-listen-two-agents",
     "supervisor-two-agents", "supervisor2-two-agents"},
    {"native-real-agent", "native-real-agent-supervisor"},
    {"native-real-controller-agent", "native-real-controller-client"},
    {"native-refusing-agent-agent", "native-refusing-agent-client"},
};

#define RUNS (sizeof runs / sizeof *runs)

/* Broker's recordings: the first octet of the id of each node, a, b, c, and the retry time. */
static const struct {
    const char *name;
    const char *nodes;
    uint64_t retry_s;
} captures[] = {
    {"duplicate-peering-high", "\x22\x11", 0},
    {"duplicate-peering-low", "\x11\x22", 0},
    {"endpoint-shutdown", "\x11\x22", 0},
    {"forwarding-three-nodes", "\x11\x18\x22", 10},
    {"no-forwarding-three-nodes", "\x11\x18\x22", 10},
    {"peer-high-connects-unpeer-by-connector", "\x22\x11", 0},
    {"peer-high-connects-unpeer-by-listener", "\x22\x11", 0},
    {"peer-low-connects-unpeer-by-connector", "\x11\x22", 0},
    {"peer-low-connects-unpeer-by-listener", "\x11\x22", 0},
    {"retry-and-reconnect", "\x11\x22", 1},
    {"simultaneous-cross-peering-1", "\x11\x22", 1},
    {"simultaneous-cross-peering-2", "\x22\x11", 1},
    {"store-master-clone-high", "\x22\x11", 10},
    {"store-master-clone-low", "\x11\x22", 10},
    {"subscriptions-after-peering-high", "\x22\x11", 0},
    {"subscriptions-after-peering-low", "\x11\x22", 0},
};

#define CAPTURES (sizeof captures / sizeof *captures)

/* An endpoint that forwards such topics, between two others, and does not subscribe to them. */
static const struct {
    const char *name;
    uint8_t id; /* its first octet */
    const char *topic;
} forwarders[] = {
    {"forwarding-three-nodes", 0x18, "/x"},
    {"forward-a-to-m", 0x58, "/zt/x"},
    {"forward-off-a-to-m", 0x9b, "/zt/x"},
};

#define FORWARDERS (sizeof forwarders / sizeof *forwarders)

#define AT(file, number) ((file)*IN_FILE + (number))

/* Where a connection ends without a goodbye: a process was killed, or a queue ran over. */
static const struct {
    const char *name;
    size_t conn; /* the first one to end so */
    bool overflow;
} breaks[] = {
    {"native-reconnect", AT(0, 2), false}, {"native-reconnect", AT(1, 3), false},
    {"retry-and-reconnect", 7, false},     {"peer-kill-of-connector", 1, false},
    {"peer-kill-of-listener", 1, false},   {"peer-kill-of-listener-no-retry", 1, false},
    {"overflow-disconnect", 1, true},
};

#define BREAKS (sizeof breaks / sizeof *breaks)

/* Endpoints that took the address of a redundant connection over. */
static const struct {
    const char *name;
    uint8_t id; /* its first octet */
} taken_over[] = {
    {"simultaneous-cross-peering-1", 0x11},
    {"simultaneous-cross-peering-2", 0x11},
    {"peer-cross-a-to-b", 0x5c},
};

#define TAKEN_OVER (sizeof taken_over / sizeof *taken_over)

static size_t find_capture(const char *name)
{
    size_t i = 0;

    while (i < CAPTURES && strcmp(captures[i].name, name) != 0)
        i++;
    ck_assert_msg(i < CAPTURES, "%s is not in the table", name);
    return i;
}

/* ----- an endpoint in its place ----- */

struct link {
    leat_session *session;
    struct t_bytes said;
    size_t heard; /* octets of it that were compared */
    bool by_us;
    uint8_t token[8]; /* in our goodbye, as recorded */
    uint8_t ours[8];  /* and as we said it */
    bool has_token;
};

struct replay {
    const struct recording *recording;
    uint8_t id[16];
    leat_broker *broker;
    leat_session *codec;
    struct link links[CONNS];
    struct statuses told;
    char topics[2048][64]; /* of data */
    size_t topic_count;
    size_t commands, wanted_data, wanted_commands;
    char filter[FILTER][128]; /* what it subscribes to */
    size_t filter_count;
    const char *forwards;
    uint64_t retry_s;
    bool is_zeek;
    bool overflows;
    size_t snapshot;              /* the next one of the view */
    size_t cut;                   /* octets that it hears at once; 0: a frame */
    leat_session *due[FILES];     /* attempts, by the file of who listens */
    const struct step *published; /* last */
    bool *done;                   /* of the steps: it was published with another one */
};

/* Of all replays together, so that one that compares nothing shows. */
struct counts {
    unsigned replays, links, statuses, requests, retries, tokens, left_out, again, breaks, exits,
        taken_over, updates, snapshots;
    size_t frames, octets, data, commands, topics;
};

static struct counts counts;

static bool same_id(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, 16) == 0;
}

/* The side of that connection where the endpoint is: 0 a, 1 b, 2 none. */
static size_t side_of(const struct replay *replay, size_t conn)
{
    const struct ends *ends = &replay->recording->ends[conn];
    size_t side = 0;

    while (side < 2 && !(ends->known[side] && same_id(ends->id[side], replay->id)))
        side++;
    return side;
}

static void start(struct replay *replay)
{
    leat_broker_options options;

    leat_broker_options_init(&options, sizeof options);
    memcpy(options.id, replay->id, 16);
    /* Broker's endpoints forward, Zeek's do if they are told to. */
    options.forwarding =
        !replay->is_zeek || strcmp(replay->recording->names[0], "forward-a-to-m") == 0;
    if (replay->overflows) {
        options.overflow = LEAT_BROKER_DISCONNECT;
        options.queue_messages = 32;
    }
    ck_assert_int_eq(leat_broker_new(NULL, &options, &replay->broker), LEAT_OK);
}

static void note(struct replay *replay, const leat_event *event)
{
    uint32_t kind = leat_event_kind(event);

    ck_assert_ptr_null(leat_event_error(event));
    if (kind == LEAT_BROKER_COMMAND) {
        replay->commands++;
    } else if (kind == LEAT_BROKER_DATA) {
        ck_assert_uint_lt(replay->topic_count, 2048);
        copy_text(replay->topics[replay->topic_count++], 64,
                  leat_value_get(leat_event_value(event), "topic"));
    } else if (kind >= LEAT_BROKER_ENDPOINT_DISCOVERED && kind <= LEAT_BROKER_ERROR) {
        statuses_note(&replay->told, event);
    } else {
        ck_assert(kind == LEAT_BROKER_ROUTING_UPDATE || kind == LEAT_BROKER_DROP_CONN);
    }
}

/* What a session has to tell. */
static void draw(struct replay *replay, struct link *link)
{
    const leat_event *event;
    int status;

    while ((status = leat_next(link->session, &event)) == LEAT_OK)
        note(replay, event);
    ck_assert_msg(status == LEAT_MORE || status == LEAT_END, "%s: %s", replay->recording->names[0],
                  leat_status_name(status));
}

/* And what it has to say. */
static void drive(struct replay *replay, struct link *link)
{
    const void *data;
    size_t length;

    draw(replay, link);
    data = leat_send_data(link->session, &length);
    t_append(&link->said, data, length);
    ck_assert_int_eq(leat_send_done(link->session, length), LEAT_OK);
}

static void drive_all(struct replay *replay)
{
    leat_session *session;
    const leat_event *event;
    size_t i;

    while (leat_broker_ready(replay->broker, &session) == LEAT_OK) {
        for (i = 0; i < CONNS && replay->links[i].session != session; i++)
            ;
        /* An attempt that is not connected yet has time. */
        if (i < CONNS)
            drive(replay, &replay->links[i]);
    }
    while (leat_broker_next(replay->broker, &event) == LEAT_OK)
        note(replay, event);
}

static bool is_over(const struct link *link)
{
    return (leat_wants(link->session) & LEAT_WANT_CLOSE) != 0;
}

/* ----- what it does ----- */

static bool subscribes(const struct replay *replay, const char *topic, size_t length)
{
    size_t i = 0;

    while (i < replay->filter_count &&
           (strlen(replay->filter[i]) > length ||
            memcmp(replay->filter[i], topic, strlen(replay->filter[i])) != 0))
        i++;
    return i < replay->filter_count;
}

static void subscribe(struct replay *replay, const leat_value *filter)
{
    const leat_value *topic;
    size_t length;

    for (topic = leat_value_first(filter); topic != NULL; topic = leat_value_next(filter, topic)) {
        const char *text = leat_value_text(topic, &length);

        if (replay->forwards != NULL && strlen(replay->forwards) == length &&
            memcmp(text, replay->forwards, length) == 0) {
            ck_assert_int_eq(leat_broker_forward(replay->broker, text, length), LEAT_OK);
            continue;
        }
        ck_assert_int_eq(leat_broker_subscribe(replay->broker, text, length), LEAT_OK);
        ck_assert_uint_lt(replay->filter_count, FILTER);
        ck_assert_uint_lt(length, sizeof replay->filter[0]);
        copy_text(replay->filter[replay->filter_count++], sizeof replay->filter[0], topic);
    }
}

/* The message in a frame; lent until the next one. */
static const leat_event *decode(struct replay *replay, const struct t_bytes *frame)
{
    const leat_event *event;

    leat_session_free(replay->codec);
    ck_assert_int_eq(leat_broker_codec_new(NULL, LEAT_FROM_ANY, &replay->codec), LEAT_OK);
    ck_assert_int_eq(leat_feed(replay->codec, frame->data, frame->length), LEAT_OK);
    ck_assert_int_eq(leat_next(replay->codec, &event), LEAT_OK);
    ck_assert_ptr_null(leat_event_error(event));
    return event;
}

static bool is_nobody(const uint8_t *id)
{
    static const uint8_t nobody[16];

    return same_id(id, nobody);
}

static void publish(struct replay *replay, const leat_value *envelope)
{
    const uint8_t *receiver = leat_value_bytes(leat_value_get(envelope, "receiver"), NULL);
    const leat_value *data = leat_value_get(envelope, "data");
    size_t length;
    const char *topic = leat_value_text(leat_value_get(envelope, "topic"), &length);

    if (is_nobody(receiver))
        ck_assert_int_eq(leat_broker_publish(replay->broker, topic, length, data), LEAT_OK);
    else
        ck_assert_int_eq(leat_broker_publish_to(replay->broker, receiver, topic, length, data),
                         LEAT_OK);
}

/* Whether our endpoint says the same to another peer then, as far as relays have one clock. */
static bool is_same_message(const struct replay *replay, const struct step *step,
                            const struct step *other)
{
    return other->what == FRAME && other->conn != step->conn &&
           other->by_a == (side_of(replay, other->conn) == 0) &&
           side_of(replay, other->conn) != 2 && other->us < step->us + CLOCK_US &&
           other->frame.length == step->frame.length &&
           memcmp(other->frame.data, step->frame.data, step->frame.length) == 0;
}

/*
 * Publishes it once for all peers, but first what some other peer got before it: the recordings of two
 * connections may be some milliseconds apart.
 */
static void publish_step(struct replay *replay, const struct step *step)
{
    const struct step *end = replay->recording->steps + replay->recording->count, *same, *before;
    bool *done = replay->done, is_a;

    if (done[step - replay->recording->steps])
        return;
    done[step - replay->recording->steps] = true;
    for (same = step + 1; same < end && same->us < step->us + CLOCK_US; same++) {
        if (!is_same_message(replay, step, same))
            continue;
        done[same - replay->recording->steps] = true;
        is_a = side_of(replay, same->conn) == 0;
        for (before = step + 1; before < same; before++) {
            if (before->conn == same->conn && before->what == FRAME && before->by_a == is_a &&
                leat_event_kind(decode(replay, &before->frame)) == LEAT_BROKER_DATA)
                publish_step(replay, before);
        }
    }
    publish(replay, leat_event_value(decode(replay, &step->frame)));
}

/* As each side can: by the address that it asked for, by the id of who came, or all together. */
static void unpeer(struct replay *replay, struct link *link)
{
    if (strcmp(replay->recording->names[0], "endpoint-shutdown") == 0)
        ck_assert_int_eq(leat_broker_shutdown(replay->broker), LEAT_OK);
    else if (link->by_us)
        ck_assert_int_eq(leat_broker_unpeer(replay->broker, leat_broker_address(link->session),
                                            leat_broker_port(link->session)),
                         LEAT_OK);
    else
        ck_assert_int_eq(leat_broker_unpeer_id(replay->broker, leat_broker_peer_id(link->session)),
                         LEAT_OK);
}

/* What that endpoint must have been told to do, to say this. False: we cannot say it. */
static bool act(struct replay *replay, struct link *link, const struct step *step)
{
    const leat_event *event = decode(replay, &step->frame);
    const leat_value *value = leat_event_value(event);

    switch (leat_event_kind(event)) {
    case LEAT_BROKER_DATA:
        replay->published = step;
        publish_step(replay, step);
        break;
    case LEAT_BROKER_ROUTING_UPDATE:
        subscribe(replay, leat_value_get(value, "filter"));
        break;
    case LEAT_BROKER_PING:
        unpeer(replay, link);
        break;
    case LEAT_BROKER_COMMAND:
        counts.left_out++;
        return false;
    default:
        ck_abort_msg("%s at %u us: no %s", replay->recording->names[0], (unsigned)step->us,
                     leat_event_name(event, NULL));
    }
    drive_all(replay);
    return true;
}

/* ----- what it says ----- */

#define TYPE_AT    (4u + 32u)
#define BYE_AT     (4u + 37u + 3u)
#define TOKEN_AT   (BYE_AT + 3u)
#define BYE_LENGTH (TOKEN_AT + 8u)

static bool is_bye(const uint8_t *frame, size_t length)
{
    return length == BYE_LENGTH && memcmp(frame + BYE_AT - 3, "<$>BYE", 6) == 0;
}

/* Whether it was said next; a goodbye with another token is the same. */
static bool was_said(struct link *link, const struct t_bytes *frame)
{
    const uint8_t *said;

    if (link->said.length - link->heard < frame->length)
        return false;
    said = link->said.data + link->heard;
    if (memcmp(said, frame->data, frame->length) == 0)
        return true;
    if (!is_bye(frame->data, frame->length) || memcmp(said, frame->data, TOKEN_AT) != 0)
        return false;
    memcpy(link->token, frame->data + TOKEN_AT, 8);
    memcpy(link->ours, said + TOKEN_AT, 8);
    link->has_token = true;
    counts.tokens++;
    return true;
}

/* Several new topics are several calls here, with an update each: the last one is the recorded one. */
static bool skip_update(struct link *link, const struct t_bytes *frame)
{
    size_t left = link->said.length - link->heard, length;
    const uint8_t *said;

    if (frame->length < TYPE_AT + 1 || left < TYPE_AT + 1)
        return false;
    said = link->said.data + link->heard;
    length = 4 + ((size_t)said[0] << 24 | (size_t)said[1] << 16 | (size_t)said[2] << 8 | said[3]);
    if (memcmp(said + 4, frame->data + 4, TYPE_AT + 1 - 4) != 0 || said[TYPE_AT] != 3 ||
        left <= length)
        return false;
    link->heard += length;
    counts.updates++;
    return true;
}

static void expect(struct replay *replay, struct link *link, const struct step *step)
{
    drive_all(replay);
    if (link->said.length == link->heard && !act(replay, link, step))
        return;
    while (!was_said(link, &step->frame)) {
        char *got, *want;

        if (skip_update(link, &step->frame))
            continue;
        got = t_to_hex(link->said.data + link->heard, link->said.length - link->heard);
        want = t_to_hex(step->frame.data, step->frame.length);
        ck_abort_msg("%s conn %u at %u us:\n got %s\nwant %s", replay->recording->names[0],
                     (unsigned)step->conn, (unsigned)step->us, got, want);
    }
    link->heard += step->frame.length;
    counts.frames++;
    counts.octets += step->frame.length;
}

/* ----- what it hears ----- */

static void count_wanted(struct replay *replay, const leat_event *event)
{
    const leat_value *value = leat_event_value(event);
    const uint8_t *receiver = leat_value_bytes(leat_value_get(value, "receiver"), NULL);
    size_t length;
    const char *topic = leat_value_text(leat_value_get(value, "topic"), &length);

    if (receiver == NULL || (!is_nobody(receiver) && !same_id(receiver, replay->id)) ||
        !subscribes(replay, topic, length))
        return;
    replay->wanted_data += leat_event_kind(event) == LEAT_BROKER_DATA;
    replay->wanted_commands += leat_event_kind(event) == LEAT_BROKER_COMMAND;
}

static void hear(struct replay *replay, struct link *link, const struct step *step)
{
    struct t_bytes frame = t_copy(step->frame.data, step->frame.length);
    size_t piece = replay->cut > 0 ? replay->cut : frame.length, at;

    ck_assert_ptr_nonnull(link->session);
    ck_assert(!is_over(link));
    count_wanted(replay, decode(replay, &frame));
    if (link->has_token && is_bye(frame.data, frame.length) &&
        memcmp(frame.data + TOKEN_AT, link->token, 8) == 0)
        memcpy(frame.data + TOKEN_AT, link->ours, 8);
    for (at = 0; at < frame.length; at += piece) {
        if (piece > frame.length - at)
            piece = frame.length - at;
        ck_assert_int_eq(leat_feed(link->session, frame.data + at, piece), LEAT_OK);
        drive(replay, link);
    }
    drive_all(replay);
    t_free(frame);
}

/* ----- its connections ----- */

/* Drops it, once all that was said was compared. */
static void drop_link(struct replay *replay, struct link *link)
{
    ck_assert_msg(link->said.length == link->heard, "%s conn %u: %u octets too many",
                  replay->recording->names[0], (unsigned)(link - replay->links),
                  (unsigned)(link->said.length - link->heard));
    leat_session_free(link->session);
    t_free(link->said);
    memset(link, 0, sizeof *link);
}

static void close_link(struct replay *replay, struct link *link)
{
    if (link->session == NULL)
        return;
    drive_all(replay);
    drop_link(replay, link);
    drive_all(replay);
}

/* All attempts that are due, by the file of who listens. */
static void draw_attempts(struct replay *replay)
{
    leat_session *session;

    while (leat_broker_connect(replay->broker, &session) == LEAT_OK) {
        size_t file = leat_broker_port(session) - 1000;

        ck_assert_ptr_null(replay->due[file]);
        replay->due[file] = session;
    }
}

/* An attempt is due, or it is asked for one now. */
static void attempt(struct replay *replay, struct link *link, size_t conn)
{
    uint32_t port = (uint32_t)(1000 + conn / IN_FILE);
    size_t file = port - 1000;

    draw_attempts(replay);
    counts.retries += replay->due[file] != NULL;
    if (replay->due[file] == NULL) {
        counts.requests++;
        ck_assert_int_eq(leat_broker_peer(replay->broker, "127.0.0.1", port, replay->retry_s),
                         LEAT_OK);
        draw_attempts(replay);
    }
    if (replay->due[file] == NULL) {
        counts.again++;
        ck_assert_int_eq(leat_broker_peer(replay->broker, "localhost", port, replay->retry_s),
                         LEAT_OK);
        draw_attempts(replay);
    }
    ck_assert_ptr_nonnull(replay->due[file]);
    link->session = replay->due[file];
    link->by_us = true;
    replay->due[file] = NULL;
}

/* What it subscribes to is told in the handshake: so it does by then. */
static void subscribe_before(struct replay *replay, const struct step *opened, bool by_a)
{
    const struct recording *recording = replay->recording;
    const struct step *step = opened, *end = recording->steps + recording->count;
    const leat_event *event;

    for (; step < end; step++) {
        if (step->conn != opened->conn || step->what != FRAME || step->by_a != by_a)
            continue;
        event = decode(replay, &step->frame);
        if (leat_event_kind(event) == LEAT_BROKER_ORIGINATOR_SYN ||
            leat_event_kind(event) == LEAT_BROKER_RESPONDER_SYN_ACK) {
            subscribe(replay, leat_value_get(leat_event_value(event), "filter"));
            return;
        }
    }
}

static void open_link(struct replay *replay, struct link *link, const struct step *step, bool is_a)
{
    subscribe_before(replay, step, is_a);
    if (is_a)
        attempt(replay, link, step->conn);
    else
        ck_assert_int_eq(leat_broker_accept(replay->broker, "127.0.0.1",
                                            (uint32_t)(50000 + step->conn), &link->session),
                         LEAT_OK);
    counts.links++;
    drive(replay, link);
}

static void end_link(struct replay *replay, struct link *link)
{
    (void)leat_recv_eof(link->session);
    drive(replay, link);
    drive_all(replay);
    ck_assert_msg(is_over(link), "%s conn %u: not over", replay->recording->names[0],
                  (unsigned)(link - replay->links));
}

/* Its process dies; a listener of the same id may come back. */
static void die(struct replay *replay)
{
    size_t i;

    for (i = 0; i < CONNS; i++)
        drop_link(replay, &replay->links[i]);
    leat_broker_free(replay->broker);
    replay->broker = NULL;
}

/* Nobody takes what it publishes, until that is too much. */
static void overflow(struct replay *replay, struct link *link)
{
    const leat_value *value = leat_event_value(decode(replay, &replay->published->frame));
    unsigned i;

    for (i = 0; i < 1000 && !is_over(link); i++) {
        publish(replay, value);
        draw(replay, link);
    }
    ck_assert(is_over(link));
    drive(replay, link);
    link->heard = link->said.length;
}

static void break_link(struct replay *replay, struct link *link, size_t conn)
{
    size_t i = 0;

    while (i < BREAKS &&
           (breaks[i].conn != conn || strcmp(breaks[i].name, replay->recording->names[0]) != 0))
        i++;
    ck_assert_msg(i < BREAKS, "%s file %u conn %u is not over", replay->recording->names[0],
                  (unsigned)(conn / IN_FILE), (unsigned)(conn % IN_FILE));
    counts.breaks++;
    if (breaks[i].overflow)
        overflow(replay, link);
    else
        die(replay);
}

static void take_step(struct replay *replay, const struct step *step)
{
    const struct ends *ends = &replay->recording->ends[step->conn];
    struct link *link = &replay->links[step->conn];
    size_t side = side_of(replay, step->conn);
    bool is_a = side == 0, is_ours = step->by_a == is_a;

    if (side == 2)
        return;
    if (replay->broker == NULL && step->what != OPENED)
        return;
    if (replay->broker == NULL)
        start(replay);
    leat_broker_tick(replay->broker, step->us / 1000);
    drive_all(replay);
    if (step->what == OPENED) {
        open_link(replay, link, step, is_a);
    } else if (step->what == FAILED) {
        attempt(replay, link, step->conn);
        drive(replay, link);
        link->heard = link->said.length;
        end_link(replay, link);
        close_link(replay, link);
    } else if (step->what == CLOSED) {
        close_link(replay, link);
    } else if (step->what == FRAME && is_ours) {
        expect(replay, link, step);
    } else if (step->what == FRAME) {
        hear(replay, link, step);
    } else if (link->session != NULL) {
        if (!is_ours || !ends->known[is_a])
            end_link(replay, link);
        else if (!is_over(link))
            break_link(replay, link, step->conn);
        if (is_ours && replay->broker != NULL)
            close_link(replay, link);
    }
}

/* ----- a replay ----- */
/* Whether we may tell it though the recording does not: the endpoint is gone by then. */
static bool is_afterwards(const struct replay *replay, const struct view *view,
                          const struct status *status)
{
    bool last_attempt = strcmp(status->kind, "peer_unavailable") == 0 &&
                        status == &replay->told.list[replay->told.count - 1];

    return last_attempt || (view->exits && strcmp(status->kind, "endpoint_discovered") != 0 &&
                            strcmp(status->kind, "peer_added") != 0);
}

struct ports {
    unsigned ours[16], theirs[16];
    size_t count;
};

/* The port of theirs that is this one of ours; 0: not known yet. */
static unsigned their_port(const struct ports *ports, unsigned ours)
{
    size_t i = 0;

    while (i < ports->count && ports->ours[i] != ours)
        i++;
    return i < ports->count ? ports->theirs[i] : 0;
}

/* One of our ports is always the same one of theirs. */
static bool same_port(struct ports *ports, unsigned ours, unsigned theirs)
{
    if (ours == 0 || theirs == 0)
        return ours == theirs;
    if (their_port(ports, ours) == 0) {
        ck_assert_uint_lt(ports->count, 16);
        ports->ours[ports->count] = ours;
        ports->theirs[ports->count++] = theirs;
    }
    return their_port(ports, ours) == theirs;
}

/* Whether its address was another one when it was told: see the head of this file. */
static bool is_taken_over(const struct replay *replay, const struct status *status)
{
    size_t i = 0;

    while (i < TAKEN_OVER && (strcmp(taken_over[i].name, replay->recording->names[0]) != 0 ||
                              taken_over[i].id != replay->id[0]))
        i++;
    return i < TAKEN_OVER && strcmp(status->kind, "peer_added") == 0;
}

static void compare_status(const struct replay *replay, const struct status *ours,
                           const struct status *theirs, struct ports *ports)
{
    const char *name = replay->recording->names[0];

    ck_assert_msg(strcmp(ours->kind, theirs->kind) == 0, "%s: %s is not %s of %s", name, ours->kind,
                  theirs->kind, ours->id);
    ck_assert_msg(strcmp(ours->msg, theirs->msg) == 0, "%s: %s", name, ours->msg);
    counts.statuses++;
    if (is_taken_over(replay, ours)) {
        counts.taken_over++;
        return;
    }
    ck_assert_msg(same_port(ports, ours->port, theirs->port), "%s: %s of port %u, not %u", name,
                  ours->kind, ours->port, theirs->port);
    ck_assert_msg(theirs->retry_s < 0 || ours->retry_s == theirs->retry_s, "%s: %s retry %ld", name,
                  ours->kind, ours->retry_s);
}

static void compare_told_of(struct replay *replay, struct view *view, struct ports *ports,
                            const char *id)
{
    const char *name = replay->recording->names[0];
    const struct status *ours, *theirs;

    while ((ours = statuses_next(&replay->told, id, 0)) != NULL) {
        theirs = statuses_next(&view->statuses, id, their_port(ports, ours->port));
        if (theirs != NULL) {
            compare_status(replay, ours, theirs, ports);
        } else {
            ck_assert_msg(is_afterwards(replay, view, ours), "%s: %s too many", name, ours->kind);
            counts.exits++;
        }
    }
    theirs = statuses_next(&view->statuses, id, 0);
    ck_assert_msg(theirs == NULL, "%s: no %s of %s", name, theirs->kind, id);
}

static void compare_told(struct replay *replay, struct view *view)
{
    struct ports ports = {.count = 0};
    size_t i;

    for (i = 0; i < replay->told.count; i++) {
        if (replay->told.list[i].id[0] != '\0')
            compare_told_of(replay, view, &ports, replay->told.list[i].id);
    }
    compare_told_of(replay, view, &ports, "");
    for (i = 0; i < view->statuses.count; i++)
        ck_assert(view->statuses.list[i].used);
}

static void compare_received(const struct replay *replay, const struct view *view)
{
    size_t i;

    ck_assert_uint_eq(replay->topic_count, replay->wanted_data);
    ck_assert_uint_eq(replay->commands, replay->wanted_commands);
    counts.data += replay->topic_count;
    counts.commands += replay->commands;
    if (!view->listed || replay->is_zeek)
        return;
    ck_assert_uint_eq(replay->topic_count, view->topic_count);
    for (i = 0; i < view->topic_count; i++)
        ck_assert_str_eq(replay->topics[i], view->topics[i]);
    counts.topics += view->topic_count;
}

/* Where there is nobody any more: nothing of that is on the wire. */
static void unpeer_again(struct replay *replay, const struct view *view)
{
    size_t i;

    for (i = 0; i < view->statuses.count; i++) {
        if (strcmp(view->statuses.list[i].kind, "peer_invalid") == 0)
            ck_assert_int_eq(leat_broker_unpeer(replay->broker, "127.0.0.1", 1000), LEAT_E_STATE);
    }
    drive_all(replay);
}

static void finish(struct replay *replay, struct view *view)
{
    leat_session *session;
    size_t i;

    if (replay->broker != NULL) {
        ck_assert_msg(leat_broker_connect(replay->broker, &session) == LEAT_MORE,
                      "%s: an attempt too many of %02x%02x", replay->recording->names[0],
                      replay->id[0], replay->id[1]);
        for (i = 0; i < FILES; i++)
            ck_assert_ptr_null(replay->due[i]);
        for (i = 0; i < CONNS; i++)
            close_link(replay, &replay->links[i]);
        unpeer_again(replay, view);
    }
    if (view->listed)
        compare_told(replay, view);
    compare_received(replay, view);
    for (i = 0; i < CONNS; i++)
        t_free(replay->links[i].said);
    leat_broker_free(replay->broker);
    leat_session_free(replay->codec);
    free(replay->done);
    free(replay);
}

/* Who its peers are, whenever the recorded one was asked before that time. */
static void compare_peers(struct replay *replay, const struct view *view, uint64_t us)
{
    const struct snapshot *snapshot = &view->snapshots[replay->snapshot];
    const leat_value *peers, *peer;
    leat_builder *builder;

    if (replay->snapshot == view->snapshot_count || snapshot->us > us)
        return;
    ck_assert_int_eq(leat_builder_new(NULL, &builder), LEAT_OK);
    ck_assert_int_eq(leat_broker_peers(replay->broker, builder, NULL), LEAT_OK);
    peers = leat_builder_value(builder);
    ck_assert_uint_eq(leat_value_count(peers), snapshot->count);
    peer = leat_value_first(peers);
    if (peer != NULL) {
        ck_assert(has_text(leat_value_get(leat_value_get(peer, "peer"), "network"), "address",
                           "127.0.0.1"));
        ck_assert_msg(leat_value_bool(leat_value_get(peer, "is_outbound")) == snapshot->outbound,
                      "%s: %s", replay->recording->names[0], snapshot->outbound ? "out" : "in");
    }
    leat_builder_free(builder);
    counts.snapshots++;
    replay->snapshot++;
    compare_peers(replay, view, us);
}

/* What the recorded one was told, and whether it tried again. */
static void open_view(struct replay *replay, struct view *view)
{
    const struct recording *recording = replay->recording;

    if (replay->is_zeek) {
        view_zeek(view, recording, replay->id);
        replay->retry_s = !view->once;
    } else {
        size_t capture = find_capture(recording->names[0]);
        const char *node = strchr(captures[capture].nodes, replay->id[0]);

        ck_assert_ptr_nonnull(node);
        view_broker(view, recording, (char)('a' + (node - captures[capture].nodes)));
        replay->retry_s = captures[capture].retry_s;
    }
}

/* Takes the place of the endpoint with that id. */
static void replay_as(const struct recording *recording, const uint8_t *id, size_t cut)
{
    struct replay *replay = (struct replay *)calloc(1, sizeof *replay);
    struct view view;
    size_t i;

    ck_assert_ptr_nonnull(replay);
    replay->recording = recording;
    replay->is_zeek = strcmp(recording->folder, BROKER) != 0;
    memcpy(replay->id, id, 16);
    replay->cut = cut;
    replay->done = (bool *)calloc(recording->count, sizeof *replay->done);
    ck_assert_ptr_nonnull(replay->done);
    open_view(replay, &view);
    replay->overflows = strcmp(recording->names[0], "overflow-disconnect") == 0;
    for (i = 0; i < FORWARDERS; i++) {
        if (strcmp(forwarders[i].name, recording->names[0]) == 0 && forwarders[i].id == id[0])
            replay->forwards = forwarders[i].topic;
    }
    start(replay);
    for (i = 0; i < recording->count; i++) {
        compare_peers(replay, &view, recording->steps[i].us);
        take_step(replay, &recording->steps[i]);
    }
    compare_peers(replay, &view, UINT64_MAX);
    finish(replay, &view);
    counts.replays++;
}

/* Once for each endpoint in it. */
static void replay_all(const char *folder, const char *const *names, size_t files, size_t cut)
{
    struct recording recording;
    uint8_t ids[CONNS * 2][16];
    size_t conn, side, count = 0, i;

    recording_open(&recording, folder, names, files);
    for (conn = 0; conn < CONNS; conn++) {
        for (side = 0; side < 2; side++) {
            if (!recording.ends[conn].known[side])
                continue;
            memcpy(ids[count], recording.ends[conn].id[side], 16);
            for (i = 0; !same_id(ids[i], ids[count]); i++)
                ;
            if (i < count)
                continue;
            replay_as(&recording, ids[count++], cut);
        }
    }
    ck_assert_uint_gt(count, 0);
    recording_close(&recording);
}

/* All recordings of a folder; returns how many files there are. */
static unsigned replay_folder(const char *folder, size_t cut)
{
    char **names = t_names(folder, ".jsonl"), **name;
    unsigned files = 0;

    memset(&counts, 0, sizeof counts);
    for (name = names; *name != NULL; name++, files++) {
        const char *one[FILES] = {*name};
        size_t run, file, many = 1;

        (*name)[strlen(*name) - strlen(".jsonl")] = '\0';
        for (run = 0; run < RUNS; run++) {
            for (file = 0; file < FILES && runs[run][file] != NULL; file++) {
                if (strcmp(runs[run][file], *name) != 0)
                    continue;
                memcpy(one, runs[run], sizeof one);
                for (many = 0; file == 0 && many < FILES && one[many] != NULL;)
                    many++;
            }
        }
        if (many > 0)
            replay_all(folder, one, many, cut);
    }
    t_names_free(names);
    return files;
}

static void check_counts(const char *want)
{
    char text[400];

    (void)snprintf(text, sizeof text,
                   "replays %u links %u frames %zu octets %zu statuses %u data %zu topics %zu "
                   "commands %zu left out %u requests %u retries %u again %u tokens %u breaks %u "
                   "exits %u taken over %u updates %u snapshots %u",
                   counts.replays, counts.links, counts.frames, counts.octets, counts.statuses,
                   counts.data, counts.topics, counts.commands, counts.left_out, counts.requests,
                   counts.retries, counts.again, counts.tokens, counts.breaks, counts.exits,
                   counts.taken_over, counts.updates, counts.snapshots);
    ck_assert_str_eq(text, want);
}

START_TEST(of_broker)
{
    ck_assert_uint_eq(replay_folder(BROKER, (size_t)_i), CAPTURES);
    check_counts(
        "replays 34 links 63 frames 261 octets 8239 statuses 185 data 27 topics 27 commands 120 "
        "left out 120 requests 26 retries 15 again 4 tokens 0 breaks 1 exits 6 taken over 2 "
        "updates 0 snapshots 0");
}
END_TEST

START_TEST(of_zeek)
{
    ck_assert_uint_eq(replay_folder(ZEEK, 0), 37);
    check_counts(
        "replays 66 links 94 frames 2166 octets 462648 statuses 297 data 1762 topics 0 commands "
        "232 left out 232 requests 44 retries 19 again 1 tokens 3 breaks 4 exits 59 taken over 1 "
        "updates 0 snapshots 23");
}
END_TEST

START_TEST(of_management)
{
    ck_assert_uint_eq(replay_folder("zeek/management", 0), 23);
    check_counts("replays 68 links 147 frames 1696 octets 356097 statuses 16 data 954 topics 0 "
                 "commands 0 left out 0 requests 60 retries 32 again 1 tokens 6 breaks 2 exits 12 "
                 "taken over 0 updates 8 snapshots 0");
}
END_TEST

START_TEST(of_gateways)
{
    ck_assert_uint_eq(replay_folder("zeek/websocket", 0), 2);
    check_counts(
        "replays 4 links 4 frames 27 octets 1509 statuses 0 data 9 topics 0 commands 0 left out 0 "
        "requests 2 retries 0 again 0 tokens 0 breaks 0 exits 0 taken over 0 updates 0 snapshots "
        "0");
}
END_TEST

/*
 * Nobody listens where a Zeek wants to peer. Up to its unpeer() we tell the same; from then on Broker
 * goes on trying, and we do not (section 5.5).
 */
static const struct {
    const char *name;
    uint64_t retry_s;
    unsigned attempts; /* until it unpeers */
    size_t statuses;   /* in the listing, of which we tell */
    size_t same;
} vain[] = {
    {"peer-unreachable-once", 0, 1, 2, 2},
    {"peer-unreachable-retry", 1, 3, 7, 3},
};

static void attempt_in_vain(struct replay *replay)
{
    leat_session *session;

    ck_assert_int_eq(leat_broker_connect(replay->broker, &session), LEAT_OK);
    replay->links[0].session = session;
    end_link(replay, &replay->links[0]);
    replay->links[0].heard = replay->links[0].said.length;
    close_link(replay, &replay->links[0]);
    ck_assert_int_eq(leat_broker_connect(replay->broker, &session), LEAT_MORE);
}

START_TEST(nobody_listens)
{
    const struct recording none = {.folder = ZEEK, .names = {vain[_i].name}};
    struct replay *replay = (struct replay *)calloc(1, sizeof *replay);
    struct ports ports = {.count = 0};
    leat_session *session;
    struct view view;
    unsigned i;

    ck_assert_ptr_nonnull(replay);
    view_zeek_alone(&view, ZEEK, vain[_i].name);
    ck_assert_uint_eq(view.statuses.count, vain[_i].statuses);
    replay->recording = &none;
    replay->id[0] = 1;
    start(replay);
    ck_assert_int_eq(leat_broker_peer(replay->broker, "127.0.0.1", 1000, vain[_i].retry_s),
                     LEAT_OK);
    for (i = 0; i < vain[_i].attempts; i++) {
        leat_broker_tick(replay->broker, i * 1000u);
        attempt_in_vain(replay);
    }
    ck_assert_int_eq(leat_broker_unpeer(replay->broker, "127.0.0.1", 1000),
                     vain[_i].retry_s == 0 ? LEAT_E_STATE : LEAT_OK);
    drive_all(replay);
    leat_broker_tick(replay->broker, i * 1000u);
    ck_assert_int_eq(leat_broker_connect(replay->broker, &session), LEAT_MORE);
    ck_assert_uint_eq(leat_broker_deadline(replay->broker), UINT64_MAX);
    ck_assert_uint_eq(replay->told.count, vain[_i].same);
    for (i = 0; i < vain[_i].same; i++)
        compare_status(replay, &replay->told.list[i], &view.statuses.list[i], &ports);
    leat_broker_free(replay->broker);
    free(replay);
}
END_TEST

static void tests(TCase *tc)
{
    tcase_add_loop_test(tc, of_broker, 0, 3); /* at once, octet by octet, two by two */
    tcase_add_test(tc, of_zeek);
    tcase_add_test(tc, of_management);
    tcase_add_test(tc, of_gateways);
    tcase_add_loop_test(tc, nobody_listens, 0, 2);
}

T_MAIN("broker/replay_endpoint", tests)
