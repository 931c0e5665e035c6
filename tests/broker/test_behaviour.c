/*
 * Dialogues of a hand-made peer with a real endpoint of Broker, with ours in its place: what the peer
 * said is fed, and what we say is what Broker said, octet for octet and in the same order, but for the
 * differences that are listed here. What either told its caller stands side by side. Then what Broker's
 * decoders accept and refuse, and what the specification says of dialogues that were not recorded.
 */
#include "lines.h"

#include <leat/broker_endpoint.h>
#include <stdio.h>

#define CONNS 32u

/* What Broker did locally, where the recording says so, and all that we tell, in order. */
static const struct {
    const char *desc;
    const char *effect; /* NULL: the recording does not say */
    const char *told;
} cases[] = {
    {"full handshake, test peer is connector with low id", NULL, "endpoint_discovered; peer_added"},
    {"full handshake, test peer is connector with high id", NULL,
     "endpoint_discovered; peer_added"},
    {"first message: wrong magic", NULL, ""},
    {"first message: versions 2..3", NULL, ""},
    {"first message: versions 0..9", NULL, ""},
    {"first message: same id as listener", NULL, ""},
    {"first message: nil id", NULL, ""},
    {"first message: originator_syn first", NULL, ""},
    {"first message: data first", NULL, ""},
    {"first message: version_select without hello", NULL, ""},
    {"first message: zero length frame", NULL, ""},
    {"first message: probe then hello", NULL, ""},
    {"first message: two hellos", NULL, ""},
    {"first message: drop_conn redundant unpeered", NULL, "drop_conn 39 redundant connection"},
    {"first message: drop_conn unknown code 200", NULL, ""},
    {"first message: unknown type 99", NULL, ""},
    {"version_select with other id than hello, low id", NULL, ""},
    {"early phase 3 data right behind originator_ack in one segment", "delivered",
     "endpoint_discovered; peer_added; data /b/early true; data /b/later true"},
    {"all low-id messages blind in one segment", "peering established and data delivered",
     "endpoint_discovered; peer_added; data /b/blind true"},
    {"connector disappears mid handshake, then same id again", NULL, ""},
    {"two pending, HIGH id (listener is originator)", NULL, "endpoint_discovered; peer_added"},
    {"silent connection for 5 s", NULL, ""},
    {"ping receiver=node", NULL, ""},
    {"ping receiver=nil", NULL, ""},
    {"ping receiver=somebody else", NULL, ""},
    {"ping spoofed sender HIGH", NULL, ""},
    {"ping topic other", NULL, ""},
    {"pong unsolicited", NULL, "pong 616263"},
    {"zero length frame, then data", "frame ignored, data delivered", "data /b/1 1"},
    {"garbage frame, then data", "garbage ignored, data delivered",
     "unknown not an envelope; unknown not an envelope; data /b/2 2"},
    {"hello in phase 3, then data", "hello ignored, data delivered",
     "unknown not an envelope; data /b/3 3"},
    {"data with receiver node", "delivered", "data /b/4 null"},
    {"data with receiver other", "not delivered locally", ""},
    {"data with nil sender", "not delivered to local subscribers of the Broker node", ""},
    {"data with sender = node id", "not delivered to local subscribers", ""},
    {"data with spoofed sender HIGH", "delivered", "data /b/8 null"},
    {"data ttl 0", "delivered", "data /b/9 null"},
    {"data on topic node is not subscribed to", NULL, ""},
    {"data echo: our own subscription /py, sender LOW", NULL, ""},
    {"data echo with sender NIL", NULL, ""},
    {"data echo with sender HIGH", NULL, ""},
    /* Topics that are local to an endpoint are not for its peers: section 6.2. */
    {"spoofed status message", "delivered to local status subscribers", ""},
    {"routing update with wrong sender then right", NULL, "routing_update /q /py"},
    {"second peer joins: HIGH, subscribes /py", NULL, "endpoint_discovered; peer_added"},
    {"LOW sends /py/1 ttl 1: forwarded to HIGH?", NULL, ""},
    {"LOW sends to receiver HIGH on unsubscribed topic", NULL, ""},
    {"LOW sends ping to HIGH", NULL, ""},
    {"LOW sends topic <$> data", NULL, ""},
    {"frame length 0x7fffffff", NULL,
     "peer_lost; endpoint_unreachable; endpoint_discovered; peer_added"},
    {"test peer is the listener with smaller id", "peering established",
     "endpoint_discovered; peer_added; data /b/x \"hi\""},
    {"test peer is the listener with larger id", "peering established",
     "endpoint_discovered; peer_added"},
    {"test peer is the listener without probe, probe sent in phase 3", "peering established",
     "endpoint_discovered; peer_added; unknown not an envelope"},
    {"test peer is the listener drops with redundant_connection although unknown",
     "peering attempt fails (no retry configured)",
     "drop_conn 39 redundant connection; error peer_unavailable"},
    {"test peer is the listener drops with shutting_down", "peering attempt fails",
     "drop_conn 28 shutting down; error peer_unavailable"},
    {"test peer is the drop_conn instead of responder_syn_ack", "peering attempt fails",
     "drop_conn 28 shutting down; error peer_unavailable"},
};

#define CASES (sizeof cases / sizeof *cases)

#define LOW    "11111111111151119111111111111111"
#define HIGH   "22222222222252229222222222222222"
#define NOBODY "00000000000000000000000000000000"
#define MID    "18181818181858189818181818181818"
#define PROBE  "00000005075a45454b"
#define HELLO  "00000017065a45454b" MID "0101"
/* invalid_peering_request */
#define INVALID_ID                                                                                 \
    "00000034095a45454b" MID "1d1d616e20656e64706f696e7420696420746861742063616e6e6f74206265"
#define OTHER_ID                                                                                   \
    "00000036095a45454b" MID "1d1f616e6f7468657220656e64706f696e74206964207468616e206265666f7265"

/* What we say instead of all that Broker said on that connection, and why. */
static const struct {
    const char *desc;
    uint64_t conn;
    const char *said;
    bool over;
    const char *reason;
} differences[] = {
    {"first message: same id as listener", 6, PROBE INVALID_ID, true,
     "section 5.2: our own id is refused at once; Broker says hello to itself"},
    {"first message: nil id", 7, PROBE INVALID_ID, true,
     "section 5.2: the nil id is refused; Broker takes it as the smaller one"},
    {"version_select with other id than hello, low id", 17, PROBE HELLO OTHER_ID, true,
     "section 5.2: hello and version_select have to name the same id"},
    {"data echo with sender NIL", 1, "", false,
     "section 6.3: nobody's data goes nowhere; Broker even gives it back"},
    {"data echo with sender HIGH", 1, "", false,
     "section 6.4: a message is for other peers, whoever it names as its sender"},
    {"LOW sends ping to HIGH", 2, "", false,
     "a ping is between two neighbours, who answer it: it is not forwarded, or its pong would come "
     "from two of them"},
};

#define DIFFERENCES (sizeof differences / sizeof *differences)

struct conn {
    leat_session *session;
    struct t_bytes said;   /* by us, in this case */
    struct t_bytes wanted; /* by Broker */
    bool ended;            /* by Broker */
    bool used;             /* in this case */
    int status;            /* of leat_next() */
};

struct play {
    leat_broker *broker;
    struct conn conns[CONNS];
    struct t_bytes told;
    uint64_t now_ms;
    unsigned cases, same, different, errors;
    size_t octets;
};

static void open_play(struct play *play)
{
    leat_broker_options options;
    struct t_bytes id = t_hex(MID);

    memset(play, 0, sizeof *play);
    leat_broker_options_init(&options, sizeof options);
    memcpy(options.id, id.data, 16);
    options.forwarding = 1; /* as Broker's endpoints have it */
    ck_assert_int_eq(leat_broker_new(NULL, &options, &play->broker), LEAT_OK);
    ck_assert_int_eq(leat_broker_subscribe(play->broker, "/b", 2), LEAT_OK);
    t_free(id);
}

static void close_play(struct play *play)
{
    size_t i;

    for (i = 0; i < CONNS; i++) {
        leat_session_free(play->conns[i].session);
        t_free(play->conns[i].said);
        t_free(play->conns[i].wanted);
    }
    t_free(play->told);
    leat_broker_free(play->broker);
}

/* ----- what is told ----- */

static void write_topics(char *line, size_t size, const leat_value *filter)
{
    const leat_value *topic;
    size_t length;

    for (topic = leat_value_first(filter); topic != NULL; topic = leat_value_next(filter, topic)) {
        const char *text = leat_value_text(topic, &length);

        (void)snprintf(line + strlen(line), size - strlen(line), " %.*s", (int)length, text);
    }
}

static void tell(struct play *play, const leat_event *event)
{
    const leat_value *value = leat_event_value(event);
    char line[256], *data = t_json_text(leat_value_get(value, "data"));
    char *topic = text_of(value, "topic"), *name = text_of(value, "name"), *hex;
    size_t length, used;
    const uint8_t *payload;

    (void)snprintf(line, sizeof line, "%s", leat_event_name(event, NULL));
    used = strlen(line);
    play->errors += leat_event_error(event) != NULL;
    if (leat_event_error(event) != NULL) {
        (void)snprintf(line + used, sizeof line - used, " %s",
                       leat_error_text(leat_event_error(event)));
    } else if (leat_event_kind(event) == LEAT_BROKER_DATA) {
        (void)snprintf(line + used, sizeof line - used, " %s %s", topic, data);
    } else if (leat_event_kind(event) == LEAT_BROKER_ROUTING_UPDATE) {
        write_topics(line, sizeof line, leat_value_get(value, "filter"));
    } else if (leat_event_kind(event) == LEAT_BROKER_ERROR) {
        (void)snprintf(line + used, sizeof line - used, " %s", name);
    } else if (leat_event_kind(event) == LEAT_BROKER_PONG) {
        payload = leat_value_bytes(leat_value_get(value, "payload"), &length);
        hex = t_to_hex(payload, length);
        (void)snprintf(line + used, sizeof line - used, " %s", hex);
        free(hex);
    } else if (leat_event_kind(event) == LEAT_BROKER_DROP_CONN) {
        char *text = text_of(value, "description");

        (void)snprintf(line + used, sizeof line - used, " %u %s",
                       (unsigned)leat_value_u64(leat_value_get(value, "code")), text);
        free(text);
    }
    if (play->told.length > 0)
        t_append(&play->told, "; ", 2);
    t_append(&play->told, line, strlen(line));
    free(data);
    free(topic);
    free(name);
}

static void check_told(struct play *play, const char *want, const char *desc)
{
    t_append(&play->told, "", 1);
    ck_assert_msg(strcmp((const char *)play->told.data, want) == 0, "%s:\n told %s\n want %s", desc,
                  (const char *)play->told.data, want);
    t_free(play->told);
    memset(&play->told, 0, sizeof play->told);
}

/* ----- what is said ----- */

static void drive(struct play *play, struct conn *conn)
{
    const leat_event *event;
    const void *data;
    size_t length;

    while ((conn->status = leat_next(conn->session, &event)) == LEAT_OK)
        tell(play, event);
    data = leat_send_data(conn->session, &length);
    t_append(&conn->said, data, length);
    ck_assert_int_eq(leat_send_done(conn->session, length), LEAT_OK);
}

/* All that have something to say, as leat_broker_ready() names them. */
static void drive_ready(struct play *play)
{
    leat_session *session;

    while (leat_broker_ready(play->broker, &session) == LEAT_OK) {
        size_t i = 0;

        while (i < CONNS && play->conns[i].session != session)
            i++;
        ck_assert_uint_lt(i, CONNS);
        drive(play, &play->conns[i]);
    }
}

static void feed(struct play *play, struct conn *conn, const char *hex)
{
    struct t_bytes octets = t_hex(hex);

    ck_assert_ptr_nonnull(conn->session);
    ck_assert_int_eq(leat_feed(conn->session, octets.data, octets.length), LEAT_OK);
    t_free(octets);
    drive(play, conn);
    drive_ready(play);
}

static bool is_over(const struct conn *conn)
{
    return (leat_wants(conn->session) & LEAT_WANT_CLOSE) != 0;
}

static void hang_up(struct play *play, struct conn *conn)
{
    if (conn->session == NULL)
        return;
    (void)leat_recv_eof(conn->session);
    drive(play, conn);
    ck_assert(is_over(conn));
    leat_session_free(conn->session);
    conn->session = NULL;
    drive_ready(play);
}

static void forget_said(struct conn *conn)
{
    t_free(conn->said);
    memset(&conn->said, 0, sizeof conn->said);
}

/* ----- a case ----- */

static bool is_different(const char *desc)
{
    size_t i;

    for (i = 0; i < DIFFERENCES; i++) {
        if (strcmp(differences[i].desc, desc) == 0)
            return true;
    }
    return false;
}

/* Nobody has said more than Broker by now, but for the probes that cross the peer's first message. */
static void check_not_ahead(const struct play *play, const char *desc)
{
    size_t i;

    for (i = 0; i < CONNS && !is_different(desc); i++)
        ck_assert_msg(play->conns[i].said.length <= play->conns[i].wanted.length ||
                          play->conns[i].wanted.length == 0,
                      "%s: ahead of the recording", desc);
}

static void connect(struct play *play, struct conn *conn, bool by_us, uint64_t number)
{
    leat_session *other;

    ck_assert_ptr_null(conn->session);
    if (by_us) {
        ck_assert_int_eq(
            leat_broker_peer_no_retry(play->broker, "test", (uint32_t)(40000 + number)), LEAT_OK);
        ck_assert_int_eq(leat_broker_connect(play->broker, &conn->session), LEAT_OK);
        ck_assert_int_eq(leat_broker_connect(play->broker, &other), LEAT_MORE);
    } else {
        ck_assert_int_eq(
            leat_broker_accept(play->broker, "test", (uint32_t)(50000 + number), &conn->session),
            LEAT_OK);
    }
}

static void hear(struct conn *conn, const leat_value *step, const char *desc)
{
    char *hex = text_of(step, "hex");
    struct t_bytes octets;

    if (hex == NULL) {
        ck_assert_msg(has_text(step, "event", "eof"), "%s", desc);
        conn->ended = true;
        return;
    }
    octets = t_hex(hex);
    t_append(&conn->wanted, octets.data, octets.length);
    ck_assert_msg(is_different(desc) ||
                      (conn->said.length >= conn->wanted.length &&
                       memcmp(conn->said.data, conn->wanted.data, conn->wanted.length) == 0),
                  "%s: %s not said", desc, hex);
    t_free(octets);
    free(hex);
}

/* The next steps that the peer does on that connection, before it listens: Broker got them at once. */
static const leat_value *say(struct play *play, struct conn *conn, const leat_value *steps,
                             const leat_value *step, const char *desc)
{
    const leat_value *next = leat_value_next(steps, step);
    char *hex = text_of(step, "hex");

    if (!is_different(desc) || !is_over(conn))
        feed(play, conn, hex);
    free(hex);
    return next;
}

static void step_through(struct play *play, const leat_value *steps, const char *desc)
{
    const leat_value *step = leat_value_first(steps);
    bool listening = true;

    while (step != NULL) {
        uint64_t number = leat_value_u64(leat_value_get(step, "conn"));
        struct conn *conn = &play->conns[number];
        bool by_us = has_text(step, "dir", "broker>test");

        ck_assert_uint_lt(number, CONNS);
        conn->used = true;
        if (has_text(step, "event", "connect")) {
            /* This is where the connector disappears. */
            if (number == 22)
                hang_up(play, &play->conns[20]);
            connect(play, conn, by_us, number);
            step = leat_value_next(steps, step);
        } else if (by_us) {
            drive_ready(play);
            hear(conn, step, desc);
            step = leat_value_next(steps, step);
            listening = true;
        } else {
            if (listening)
                check_not_ahead(play, desc);
            step = say(play, conn, steps, step, desc);
            listening = false;
        }
    }
    drive_ready(play);
}

/* What was said on one connection. */
static void compare(struct play *play, struct conn *conn, uint64_t number, const char *desc)
{
    char *want = t_to_hex(conn->wanted.data, conn->wanted.length);
    const char *hex = want, *what = desc;
    bool over = conn->ended;
    size_t i;

    for (i = 0; i < DIFFERENCES; i++) {
        if (strcmp(differences[i].desc, desc) == 0 && differences[i].conn == number) {
            hex = differences[i].said;
            over = differences[i].over;
            what = differences[i].reason;
            play->different++;
            break;
        }
    }
    same_hex(conn->said.data, conn->said.length, hex, what);
    play->same += i == DIFFERENCES;
    play->octets += conn->said.length;
    if (conn->session != NULL)
        ck_assert_msg(is_over(conn) == over, "%s: %s", desc, over ? "not over" : "over");
    free(want);
    t_free(conn->said);
    t_free(conn->wanted);
    memset(&conn->said, 0, sizeof conn->said);
    memset(&conn->wanted, 0, sizeof conn->wanted);
    conn->used = conn->ended = false;
}

static void play_case(struct play *play, const leat_value *line)
{
    char *desc = text_of(line, "desc"), *effect = text_of(line, "local_effect");
    size_t i = 0;

    while (i < CASES && strcmp(cases[i].desc, desc) != 0)
        i++;
    ck_assert_msg(i < CASES, "%s: not in the table", desc);
    ck_assert_msg(cases[i].effect == NULL ? effect == NULL
                                          : effect != NULL && strcmp(cases[i].effect, effect) == 0,
                  "%s: %s", desc, effect);
    step_through(play, leat_value_get(line, "steps"), desc);
    check_told(play, cases[i].told, desc);
    for (i = 0; i < CONNS; i++) {
        if (play->conns[i].used)
            compare(play, &play->conns[i], i, desc);
    }
    play->cases++;
    free(desc);
    free(effect);
}

static void forget_told(struct play *play)
{
    t_free(play->told);
    memset(&play->told, 0, sizeof play->told);
}

/* The cases of one kind; between them the peer hangs up, unless they share connections. */
static void play_cases(struct play *play, const char *phase, bool by_us, bool shared)
{
    struct lines lines;
    size_t i;

    lines_open(&lines, "broker/behaviour.jsonl");
    while (lines_next(&lines)) {
        const leat_value *first = leat_value_first(leat_value_get(lines.line, "steps"));

        if (!has_text(lines.line, "phase", phase) ||
            (!shared && by_us != has_text(first, "dir", "broker>test")))
            continue;
        play_case(play, lines.line);
        for (i = 0; i < CONNS && !shared; i++)
            hang_up(play, &play->conns[i]);
        forget_told(play);
    }
}

START_TEST(connectors)
{
    struct play play;

    open_play(&play);
    play_cases(&play, "handshake", false, false);
    ck_assert_uint_eq(play.cases, 22);
    ck_assert_uint_eq(play.same, 22);
    ck_assert_uint_eq(play.different, 3);
    ck_assert_uint_eq(play.octets, 1131);
    close_play(&play);
}
END_TEST

START_TEST(listeners)
{
    struct play play;

    open_play(&play);
    play_cases(&play, "handshake", true, false);
    ck_assert_uint_eq(play.cases, 6);
    ck_assert_uint_eq(play.same, 6);
    ck_assert_uint_eq(play.different, 0);
    ck_assert_uint_eq(play.octets, 450);
    close_play(&play);
}
END_TEST

static void frame(struct play *play, struct conn *conn, const char *body)
{
    char length[12], *hex = (char *)malloc(strlen(body) + 9);

    ck_assert_ptr_nonnull(hex);
    (void)snprintf(length, sizeof length, "%08x", (unsigned)(strlen(body) / 2));
    memcpy(hex, length, 8);
    memcpy(hex + 8, body, strlen(body) + 1);
    feed(play, conn, hex);
    free(hex);
}

/* A peering with LOW, which subscribes to /py. */
static struct conn *be_peer_of_low(struct play *play)
{
    struct conn *low = &play->conns[1];

    connect(play, low, false, 1);
    frame(play, low, "065a45454b" LOW "0101");
    frame(play, low, "085a45454b" LOW "01");
    frame(play, low, "0a01032f7079");
    frame(play, low, "0c");
    check_told(play, "endpoint_discovered; peer_added", "the handshake");
    same_hex(low->said.data, low->said.length, PROBE HELLO "000000050b01022f62", "the handshake");
    forget_said(low);
    return low;
}

START_TEST(operations)
{
    leat_broker_stats stats = {.size = sizeof stats};
    struct play play;
    struct conn *low;

    open_play(&play);
    low = be_peer_of_low(&play);
    play_cases(&play, "operational", false, true);
    ck_assert_uint_eq(play.cases, 27);
    ck_assert_uint_eq(play.same, 28);
    ck_assert_uint_eq(play.different, 3);
    ck_assert_uint_eq(play.octets, 420);
    /* A forged ping and filter; nobody's and our own data, and what is local to an endpoint. Data that
     * name another sender are taken. */
    ck_assert_int_eq(leat_broker_get_stats(low->session, &stats), LEAT_OK);
    ck_assert_uint_eq(stats.refused, 6);
    ck_assert_uint_eq(stats.strangers, 2);
    close_play(&play);
}
END_TEST

/* Broker waits for ever for a peer that is silent; we do not. */
START_TEST(silence)
{
    struct play play;
    struct conn *conn;

    open_play(&play);
    conn = &play.conns[0];
    connect(&play, conn, _i != 0, 0);
    drive(&play, conn);
    ck_assert_uint_eq(leat_broker_deadline(play.broker), 10000);
    leat_broker_tick(play.broker, 9999);
    drive_ready(&play);
    ck_assert(!is_over(conn));
    leat_broker_tick(play.broker, 10000);
    drive_ready(&play);
    ck_assert(is_over(conn));
    ck_assert_int_eq(conn->status, LEAT_E_TIMEOUT);
    check_told(&play, _i != 0 ? "error peer_unavailable" : "", "silence");
    close_play(&play);
}
END_TEST

/* ----- what Broker's decoders say ----- */

/* What we say to the first message, where Broker's decoder is not all that counts. */
static const struct {
    const char *desc;
    const char *said; /* behind the probe */
    bool over;
    const char *reason;
} firsts[] = {
    {"empty body", "", true, "section 2: an empty frame ends the handshake without a word"},
    {"hello nil sender", INVALID_ID, true, "section 5.2: the nil id is refused"},
    {"hello ok", HELLO, false, "well formed, and in its place"},
    {"hello trailing byte", HELLO, false, "the same"},
    {"hello versions 0..1", HELLO, false, "the same"},
    {"hello versions 0..255", HELLO, false, "the same"},
    {"probe ok", "", false, "nothing is to be said"},
    {"probe trailing", "", false, "the same"},
};

#define FIRSTS (sizeof firsts / sizeof *firsts)

/* drop_conn, as hex digits. */
static void write_drop(char *hex, size_t size, unsigned code, const char *text)
{
    char *words = t_to_hex(text, strlen(text));

    (void)snprintf(hex, size, "%08x095a45454b" MID "%02x%02x%s", (unsigned)(23 + strlen(text)),
                   code, (unsigned)strlen(text), words);
    free(words);
}

/* Each of them as the first message of a peer: what is accepted there is answered, or out of turn. */
START_TEST(first_messages)
{
    struct lines lines;
    struct play play;
    unsigned same = 0, listed = 0;

    open_play(&play);
    lines_open(&lines, "broker/invalid.jsonl");
    while (lines_next(&lines)) {
        char *desc = text_of(lines.line, "desc"), *hex = text_of(lines.line, "hex");
        char *detail = text_of(lines.line, "detail"), want[256] = PROBE;
        struct conn *conn = &play.conns[0];
        size_t i = 0;

        if (has_text(lines.line, "kind", "handshake")) {
            while (i < FIRSTS && strcmp(firsts[i].desc, desc) != 0)
                i++;
            if (i < FIRSTS)
                strcat(want, firsts[i].said);
            else if (has_text(lines.line, "verdict", "reject"))
                write_drop(want + strlen(want), sizeof want - strlen(want),
                           (unsigned)leat_value_u64(leat_value_get(lines.line, "code")), detail);
            same += i == FIRSTS;
            listed += i < FIRSTS;
            connect(&play, conn, false, 0);
            frame(&play, conn, hex);
            same_hex(conn->said.data, conn->said.length, want,
                     i < FIRSTS ? firsts[i].reason : desc);
            ck_assert_msg(is_over(conn) == (i == FIRSTS || firsts[i].over), "%s", desc);
            hang_up(&play, conn);
            forget_said(conn);
        }
        free(desc);
        free(hex);
        free(detail);
    }
    ck_assert_uint_eq(same, 26);
    ck_assert_uint_eq(listed, FIRSTS);
    close_play(&play);
}
END_TEST

/* And with HIGH likewise. */
static struct conn *be_peer_of_high(struct play *play)
{
    struct conn *high = &play->conns[2];

    connect(play, high, false, 2);
    frame(play, high, "065a45454b" HIGH "0101");
    frame(play, high, "0b01032f7079");
    check_told(play, "endpoint_discovered; peer_added", "the handshake");
    forget_said(high);
    return high;
}

#define WHOLE "section 19: a filter is read whole before it is taken, or not at all"

/* Where we do not judge envelopes as Broker's decoder does. */
static const struct {
    const char *desc;
    bool error; /* it is one for us */
    const char *reason;
} envelopes[] = {
    {"routing_update no payload", true, WHOLE},
    {"routing_update count 2, one entry", true, WHOLE},
    {"routing_update count 1, two entries (count is ignored when iterating)", true, WHOLE},
    {"routing_update entry longer than rest", true, WHOLE},
    {"routing_update trailing 80", true, WHOLE},
    {"command put port proto 9 in command decoder", true, "section 9: there is no such protocol"},
};

#define ENVELOPES (sizeof envelopes / sizeof *envelopes)

/* Whatever comes, the peering goes on. */
START_TEST(any_envelopes)
{
    struct lines lines;
    struct play play;
    struct conn *low;
    unsigned same = 0, listed = 0;

    open_play(&play);
    low = be_peer_of_low(&play);
    ck_assert_int_eq(leat_broker_subscribe(play.broker, "", 0), LEAT_OK);
    drive_ready(&play);
    forget_said(low);
    lines_open(&lines, "broker/invalid.jsonl");
    while (lines_next(&lines)) {
        char *desc = text_of(lines.line, "desc"), *hex = text_of(lines.line, "hex");
        bool refused = has_text(lines.line, "verdict", "reject");
        size_t i = 0;

        if (has_text(lines.line, "kind", "envelope") && hex != NULL && hex[0] != '\0') {
            while (i < ENVELOPES && strcmp(envelopes[i].desc, desc) != 0)
                i++;
            same += i == ENVELOPES;
            listed += i < ENVELOPES;
            if (i < ENVELOPES)
                refused = envelopes[i].error;
            frame(&play, low, hex);
            if ((play.errors == 1) != refused)
                printf("%d %s\n", play.errors, desc);
            play.errors = 0;
            forget_said(low);
            frame(&play, low, LOW MID "04001000033c243e");
            same_hex(low->said.data, low->said.length, "00000028" MID LOW "05001000033c243e", desc);
            forget_said(low);
            forget_told(&play);
        }
        free(desc);
        free(hex);
    }
    ck_assert_uint_eq(same, 27);
    ck_assert_uint_eq(listed, ENVELOPES);
    close_play(&play);
}
END_TEST

/* ----- what was not recorded ----- */

/* What is out of turn ends the handshake without a word: section 5.2. */
static const struct {
    const char *desc;
    const char *before[4]; /* messages */
    const char *message;
    const char *told;
} turns[] = {
    {"originator_syn in VSELECT", {"065a45454b" LOW "0101"}, "0a00", ""},
    {"responder_syn_ack in VSELECT", {"065a45454b" LOW "0101"}, "0b00", ""},
    {"originator_ack in VSELECT", {"065a45454b" LOW "0101"}, "0c", ""},
    {"hello in SYN", {"065a45454b" LOW "0101", "085a45454b" LOW "01"}, "065a45454b" LOW "0101", ""},
    {"probe in SYN", {"065a45454b" LOW "0101", "085a45454b" LOW "01"}, "075a45454b", ""},
    {"version_select in SYN",
     {"065a45454b" LOW "0101", "085a45454b" LOW "01"},
     "085a45454b" LOW "01",
     ""},
    {"responder_syn_ack in SYN", {"065a45454b" LOW "0101", "085a45454b" LOW "01"}, "0b00", ""},
    {"originator_ack in SYN", {"065a45454b" LOW "0101", "085a45454b" LOW "01"}, "0c", ""},
    {"drop_conn in SYN",
     {"065a45454b" LOW "0101", "085a45454b" LOW "01"},
     "095a45454b" LOW "1c0178",
     "drop_conn 28 x"},
    {"probe in ACK", {"065a45454b" LOW "0101", "085a45454b" LOW "01", "0a00"}, "075a45454b", ""},
    {"originator_syn in ACK", {"065a45454b" LOW "0101", "085a45454b" LOW "01", "0a00"}, "0a00", ""},
    {"drop_conn in ACK",
     {"065a45454b" LOW "0101", "085a45454b" LOW "01", "0a00"},
     "095a45454b" LOW "1c0178",
     "drop_conn 28 x"},
    {"hello in SYN_ACK", {"065a45454b" HIGH "0101"}, "065a45454b" HIGH "0101", ""},
    {"probe in SYN_ACK", {"065a45454b" HIGH "0101"}, "075a45454b", ""},
    {"version_select in SYN_ACK", {"065a45454b" HIGH "0101"}, "085a45454b" HIGH "01", ""},
    {"originator_syn in SYN_ACK", {"065a45454b" HIGH "0101"}, "0a00", ""},
    {"originator_ack in SYN_ACK", {"065a45454b" HIGH "0101"}, "0c", ""},
    {"drop_conn in SYN_ACK",
     {"065a45454b" HIGH "0101"},
     "095a45454b" HIGH "280178",
     "drop_conn 40 x"},
};

#define TURNS (sizeof turns / sizeof *turns)

START_TEST(out_of_turn)
{
    struct play play;
    struct conn *conn = &play.conns[0];
    size_t i;

    open_play(&play);
    connect(&play, conn, false, 0);
    for (i = 0; i < 4 && turns[_i].before[i] != NULL; i++)
        frame(&play, conn, turns[_i].before[i]);
    ck_assert(!is_over(conn));
    forget_said(conn);
    frame(&play, conn, turns[_i].message);
    ck_assert_msg(is_over(conn), "%s", turns[_i].desc);
    ck_assert_uint_eq(conn->said.length, 0);
    ck_assert_int_eq(conn->status, turns[_i].told[0] == '\0' ? LEAT_E_PROTOCOL : LEAT_END);
    check_told(&play, turns[_i].told, turns[_i].desc);
    close_play(&play);
}
END_TEST

/* Broker forgets what waits for a handshake that fails; with us the next one goes on: section 5.3. */
START_TEST(rival_fails)
{
    static const char *const goes_on = PROBE "00000016085a45454b" MID "01"
                                             "000000050a01022f62";
    struct play play;
    struct conn *conns = play.conns;
    size_t i;

    open_play(&play);
    for (i = 0; i < 3; i++) {
        connect(&play, &conns[i], false, i);
        frame(&play, &conns[i], "065a45454b" HIGH "0101");
        same_hex(conns[i].said.data, conns[i].said.length, i == 0 ? goes_on : PROBE, "paused");
    }
    hang_up(&play, &conns[0]);
    same_hex(conns[1].said.data, conns[1].said.length, goes_on, "the next one");
    same_hex(conns[2].said.data, conns[2].said.length, PROBE, "the last one");
    forget_said(&conns[1]);
    forget_said(&conns[2]);
    frame(&play, &conns[1], "0b00");
    same_hex(conns[1].said.data, conns[1].said.length, "000000010c", "it is up");
    same_hex(conns[2].said.data, conns[2].said.length,
             "0000002b095a45454b" MID "2714726564756e64616e7420636f6e6e656374696f6e", "redundant");
    ck_assert(is_over(&conns[2]));
    check_told(&play, "endpoint_discovered; peer_added", "one peering");
    close_play(&play);
}
END_TEST

/* A probe may come as late as that: it crosses what it was said behind. */
START_TEST(late_probe)
{
    struct play play;
    struct conn *low = &play.conns[1];

    open_play(&play);
    connect(&play, low, false, 1);
    frame(&play, low, "065a45454b" LOW "0101");
    frame(&play, low, "075a45454b");
    frame(&play, low, "085a45454b" LOW "01");
    frame(&play, low, "0a00");
    frame(&play, low, "0c");
    check_told(&play, "endpoint_discovered; peer_added", "a late probe");
    close_play(&play);
}
END_TEST

/* What other subscriptions cover is not told: section 6.5. */
START_TEST(covered)
{
    struct play play;
    struct conn *low;

    open_play(&play);
    low = be_peer_of_low(&play);
    ck_assert_int_eq(leat_broker_subscribe(play.broker, "/b/c", 4), LEAT_OK);
    drive_ready(&play);
    ck_assert_uint_eq(low->said.length, 0);
    ck_assert_int_eq(leat_broker_subscribe(play.broker, "/", 1), LEAT_OK);
    drive_ready(&play);
    same_hex(low->said.data, low->said.length, "0000002b" MID LOW "03001000033c243e01012f",
             "wider");
    close_play(&play);
}
END_TEST

#define BYE      "4259450100000000000010"
#define SAID_BYE "00000033" MID LOW "04001000033c243e" BYE
#define REMOVED  "peer_removed; endpoint_unreachable"

/* Until the pong comes all is as before; three seconds are enough for it: section 6.6. */
START_TEST(goodbye)
{
    struct play play;
    struct conn *low;

    open_play(&play);
    low = be_peer_of_low(&play);
    ck_assert_int_eq(leat_broker_unpeer(play.broker, "test", 50001), LEAT_OK);
    drive_ready(&play);
    same_hex(low->said.data, low->said.length, SAID_BYE, "goodbye");
    forget_said(low);
    frame(&play, low,
          LOW NOBODY "01001000022f62"
                     "00");
    frame(&play, low,
          LOW MID "05001000033c243e"
                  "42594502");
    frame(&play, low, LOW MID "05001000033c243e" BYE "00");
    frame(&play, low,
          LOW MID "04001000033c243e"
                  "6f6b");
    same_hex(low->said.data, low->said.length, "0000002a" MID LOW "05001000033c243e6f6b", "pong");
    check_told(&play, "data /b null; pong 42594502; pong " BYE "00", "no goodbye yet");
    ck_assert(!is_over(low));
    if (_i == 0) {
        frame(&play, low, LOW MID "05001000033c243e" BYE);
    } else if (_i == 1) {
        ck_assert_int_eq(leat_recv_eof(low->session), LEAT_OK);
        drive(&play, low);
    } else {
        leat_broker_tick(play.broker, 2999);
        drive_ready(&play);
        ck_assert(!is_over(low));
        leat_broker_tick(play.broker, 3000);
        drive_ready(&play);
    }
    ck_assert(is_over(low));
    check_told(&play, REMOVED, "goodbye");
    close_play(&play);
}
END_TEST

/* Who unpeers where nobody answered yet hears no more of it: section 5.5. */
START_TEST(no_peering)
{
    struct play play;
    struct conn *conn = &play.conns[0];
    leat_session *session;

    open_play(&play);
    ck_assert_int_eq(leat_broker_peer(play.broker, "test", 40000, 1), LEAT_OK);
    ck_assert_int_eq(leat_broker_connect(play.broker, &conn->session), LEAT_OK);
    drive(&play, conn);
    ck_assert_int_eq(leat_broker_unpeer(play.broker, "test", 40000), LEAT_OK);
    drive_ready(&play);
    ck_assert(is_over(conn));
    check_told(&play, "", "nothing was there");
    leat_broker_tick(play.broker, 5000);
    ck_assert_int_eq(leat_broker_connect(play.broker, &session), LEAT_MORE);
    ck_assert_uint_eq(leat_broker_deadline(play.broker), UINT64_MAX);
    close_play(&play);
}
END_TEST

/* Each peer is told according to where it stands: sections 5.3 and 6.6. */
START_TEST(shutting_down)
{
    static const char *const away = "00000024095a45454b" MID "1c0d7368757474696e6720646f776e";
    struct play play;
    struct conn *low, *other = &play.conns[0], *late = &play.conns[2];

    open_play(&play);
    low = be_peer_of_low(&play);
    connect(&play, other, false, 0);
    frame(&play, other, "065a45454b" HIGH "0101");
    forget_said(other);
    ck_assert_int_eq(leat_broker_shutdown(play.broker), LEAT_OK);
    drive_ready(&play);
    same_hex(low->said.data, low->said.length, SAID_BYE, "a peer");
    same_hex(other->said.data, other->said.length, away, "a handshake");
    ck_assert(is_over(other));
    connect(&play, late, false, 2);
    drive(&play, late);
    forget_said(late);
    frame(&play, late, "065a45454b" HIGH "0101");
    same_hex(late->said.data, late->said.length, away, "one that comes late");
    ck_assert(is_over(late));
    frame(&play, low, LOW MID "05001000033c243e" BYE);
    ck_assert(is_over(low));
    check_told(&play, REMOVED, "one peer");
    ck_assert_int_eq(leat_broker_peer(play.broker, "test", 40000, 1), LEAT_E_STATE);
    close_play(&play);
}
END_TEST

/* Whoever is named as the sender does not get it back, nor does who sent it: section 6.4. */
START_TEST(forged_forward)
{
    struct play play;
    struct conn *low, *high;

    open_play(&play);
    low = be_peer_of_low(&play);
    high = be_peer_of_high(&play);
    frame(&play, low,
          HIGH NOBODY "0100100004"
                      "2f70792f"
                      "00");
    ck_assert_uint_eq(low->said.length + high->said.length, 0);
    frame(&play, low,
          LOW NOBODY "0100010004"
                     "2f70792f"
                     "00");
    ck_assert_uint_eq(low->said.length, 0);
    same_hex(high->said.data, high->said.length,
             "0000002a" MID NOBODY "0100100004"
             "2f70792f"
             "00",
             "in our name");
    check_told(&play, "", "nothing for us");
    close_play(&play);
}
END_TEST

static void tests(TCase *tc)
{
    tcase_add_test(tc, connectors);
    tcase_add_test(tc, listeners);
    tcase_add_test(tc, operations);
    tcase_add_loop_test(tc, silence, 0, 2);
    tcase_add_test(tc, first_messages);
    tcase_add_test(tc, any_envelopes);
    tcase_add_loop_test(tc, out_of_turn, 0, (int)TURNS);
    tcase_add_test(tc, rival_fails);
    tcase_add_test(tc, late_probe);
    tcase_add_test(tc, covered);
    tcase_add_loop_test(tc, goodbye, 0, 3);
    tcase_add_test(tc, no_peering);
    tcase_add_test(tc, shutting_down);
    tcase_add_test(tc, forged_forward);
}

T_MAIN("broker/behaviour", tests)
