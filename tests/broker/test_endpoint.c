#include "net.h"
#include "wire.h"

#include <inttypes.h>
#include <stdio.h>

#define FOUND(node)   "endpoint_discovered " node " \"found a new peer in the network\""
#define ADDED(node)   "peer_added " node " \"handshake successful\""
#define REMOVED(node) "peer_removed " node " \"removed connection to remote peer\""
#define LOST(node)    "peer_lost " node " \"lost connection to remote peer\""
#define GONE(node)    "endpoint_unreachable " node " \"lost the last path\""
#define FAILED        "error \"unable to connect to remote peer\""

/* Two nodes that are peers; what they were told is forgotten. */
static void two(struct net *net, uint64_t retry_s)
{
    net_init(net);
    (void)net_add(net, NULL);
    (void)net_add(net, NULL);
    net_peer(net, 0, 1, retry_s);
    net_run(net);
    free(net_log(net, 0));
    free(net_log(net, 1));
}

/* Either of them may have the smaller id, and so be the originator. */
START_TEST(peers)
{
    struct net net;
    size_t from = (size_t)_i, to = !from;

    net_init(&net);
    (void)net_add(&net, NULL);
    (void)net_add(&net, NULL);
    net.cut = 1;
    net_peer(&net, from, to, 0);
    net_run(&net);
    net_told(&net, 0, FOUND("n1") "; " ADDED("n1"));
    net_told(&net, 1, FOUND("n0") "; " ADDED("n0"));
    net_subscribe(&net, 0, "/a");
    net_run(&net);
    net_told(&net, 1, "routing_update <$> [\"/a\"]");
    net_publish(&net, 1, "/a/b", "x");
    net_publish(&net, 1, "/b", "y");
    net_publish(&net, 0, "/a", "to nobody");
    net_run(&net);
    net_told(&net, 0, "data /a/b \"x\"");
    net_told(&net, 1, "");
    ck_assert_int_eq(leat_broker_unpeer(net_broker(&net, from), from == 0 ? "n1" : "n0", NET_PORT),
                     LEAT_OK);
    net_run(&net);
    net_told(&net, from, from == 0 ? REMOVED("n1") "; " GONE("n1") : REMOVED("n0") "; " GONE("n0"));
    net_told(&net, to, from == 0 ? LOST("n0") "; " GONE("n0") : LOST("n1") "; " GONE("n1"));
    ck_assert_uint_eq(net_pipes(&net, 0, 1), 0);
    net_free(&net);
}
END_TEST

START_TEST(comes_back)
{
    struct net net;

    two(&net, 5);
    net_cut(&net, 0, 1);
    net_run(&net);
    net_told(&net, 0, LOST("n1") "; " GONE("n1") "; " FOUND("n1") "; " ADDED("n1"));
    net_kill(&net, 1);
    net_run(&net);
    net_told(&net, 0, LOST("n1") "; " GONE("n1") "; " FAILED);
    net_advance(&net, 4999);
    net_told(&net, 0, "");
    net_advance(&net, 1);
    net_told(&net, 0, FAILED);
    net_restart(&net, 1, NULL);
    net_advance(&net, 5000);
    net_told(&net, 0, FOUND("n1'") "; " ADDED("n1'"));
    net_free(&net);
}
END_TEST

START_TEST(both_at_once)
{
    struct net net;

    net_init(&net);
    (void)net_add(&net, NULL);
    (void)net_add(&net, NULL);
    net_peer(&net, 0, 1, 1);
    net_peer(&net, 1, 0, 1);
    net_run(&net);
    net_told(&net, 0, FOUND("n1") "; " ADDED("n1"));
    net_told(&net, 1, FOUND("n0") "; " ADDED("n0"));
    ck_assert_uint_eq(net_pipes(&net, 0, 1), 1);
    net_advance(&net, 60000);
    net_told(&net, 0, "");
    net_told(&net, 1, "");
    net_free(&net);
}
END_TEST

/* ----- the handshake ----- */

/*
 * Every state of the handshake and what brings us there: as the side that connected and as the one that
 * accepted. L has a smaller id than we, so that we are the responder; H a larger one.
 */
static const struct {
    const char *name;
    bool attempt;
    char peer; /* whose id is known; 0: nobody's */
    const char *heard;
    const char *said;
} states[] = {
    {"FIRST", true, 0, "", "hello M"},
    {"VSELECT, connector", true, 'L', "probe, hello L", "hello M, hello M"},
    {"SYN, connector", true, 'L', "select L", "hello M"},
    {"SYN_ACK, connector", true, 'H', "hello H", "hello M, select M, syn /b"},
    {"ACK, connector", true, 'L', "select L, syn /a", "hello M, synack /b"},
    {"HELLO", false, 0, "", "probe"},
    {"VSELECT, listener", false, 'L', "hello L", "probe, hello M"},
    {"SYN, listener", false, 'L', "hello L, select L", "probe, hello M"},
    {"SYN_ACK, listener", false, 'H', "hello H", "probe, select M, syn /b"},
    {"ACK, listener", false, 'L', "hello L, select L, syn /a", "probe, hello M, synack /b"},
};

#define STATES (sizeof states / sizeof *states)

#define TURN "a message out of turn"

/*
 * What a message does in each of them, one letter for each: . nothing; h we say hello; o we become
 * originator; s nothing is said but the id is reserved; k we say responder_syn_ack; u up, with
 * originator_ack; U up; x it is over without a word, being out of turn; r it is turned away, with what
 * stands behind; q it is over in silence, for what stands behind; d it is over as the peer wants it.
 */
static const struct {
    const char *message;
    const char *does;
    const char *answer;
    const char *error;
    int status;
    unsigned at; /* in the message */
} messages[] = {
    /*                    FVSTA HVSTA */
    {"probe",
     "..xxx"
     "..xxx",
     NULL, NULL, 0, 0},
    {"hello L",
     "hxxxx"
     "hxxxx",
     NULL, NULL, 0, 0},
    {"hello H",
     "oxxxx"
     "oxxxx",
     NULL, NULL, 0, 0},
    {"select L",
     "ssxxx"
     "xsxxx",
     NULL, NULL, 0, 0},
    {"drop L 39 again",
     "ddddd"
     "ddddd",
     NULL, NULL, 0, 0},
    {"drop L 28 bye",
     "ddddd"
     "ddddd",
     NULL, NULL, 0, 0},
    {"drop L 40 oh",
     "ddddd"
     "ddddd",
     NULL, NULL, 0, 0},
    {"syn /a",
     "xxkxx"
     "xxkxx",
     NULL, NULL, 0, 0},
    {"synack /a",
     "xxxux"
     "xxxux",
     NULL, NULL, 0, 0},
    {"ack",
     "xxxxU"
     "xxxxU",
     NULL, NULL, 0, 0},
    {"hello M",
     "rxxxx"
     "rxxxx",
     "drop M 29 an endpoint id that cannot be", "an endpoint id that cannot be", LEAT_E_PROTOCOL,
     4},
    {"hello 0",
     "rxxxx"
     "rxxxx",
     "drop M 29 an endpoint id that cannot be", "an endpoint id that cannot be", LEAT_E_PROTOCOL,
     4},
    {"select M",
     "rrxxx"
     "xrxxx",
     "drop M 29 an endpoint id that cannot be", "an endpoint id that cannot be", LEAT_E_PROTOCOL,
     4},
    {"select O",
     "srxxx"
     "xrxxx",
     "drop M 29 another endpoint id than before", "another endpoint id than before",
     LEAT_E_PROTOCOL, 4},
    {"hello L 2 3",
     "rrrrr"
     "rrrrr",
     "drop M 2 unsupported versions offered", "unsupported versions offered", LEAT_E_PROTOCOL, 4},
    {"hello L 0 0",
     "rrrrr"
     "rrrrr",
     "drop M 2 unsupported versions offered", "unsupported versions offered", LEAT_E_PROTOCOL, 4},
    {"hello L 0 9",
     "hxxxx"
     "hxxxx",
     NULL, NULL, 0, 0},
    {"select L 2",
     "rrrrr"
     "rrrrr",
     "drop M 2 unsupported version selected", "unsupported version selected", LEAT_E_PROTOCOL, 4},
    {"select L 0",
     "rrrrr"
     "rrrrr",
     "drop M 2 unsupported version selected", "unsupported version selected", LEAT_E_PROTOCOL, 4},
    {"drop L 41 x",
     "rrrrr"
     "rrrrr",
     "drop M 1 x", "an unknown code of error", LEAT_E_PROTOCOL, 4},
    {"data L 0 /b x",
     "rrrrr"
     "rrrrr",
     "drop M 20 invalid message type tag", "invalid message type tag", LEAT_E_PROTOCOL, 4},
    {"hex 0000000101",
     "rrrrr"
     "rrrrr",
     "drop M 20 invalid message type tag", "invalid message type tag", LEAT_E_PROTOCOL, 4},
    {"hex 0000000105",
     "rrrrr"
     "rrrrr",
     "drop M 20 invalid message type tag", "invalid message type tag", LEAT_E_PROTOCOL, 4},
    {"hex 0000000100",
     "rrrrr"
     "rrrrr",
     "drop M 20 invalid message type tag", "invalid message type tag", LEAT_E_PROTOCOL, 4},
    {"hex 000000010d",
     "rrrrr"
     "rrrrr",
     "drop M 20 invalid message type tag", "invalid message type tag", LEAT_E_PROTOCOL, 4},
    {"hex 00000005075a45454c",
     "rrrrr"
     "rrrrr",
     "drop M 38 wrong magic number", "another magic number", LEAT_E_PROTOCOL, 5},
    {"hex 00000003065a45",
     "rrrrr"
     "rrrrr",
     "drop M 20 failed to parse hello_msg", "cut off, or a length beyond what is there",
     LEAT_E_SYNTAX, 5},
    {"hex 00000003075a45",
     "rrrrr"
     "rrrrr",
     "drop M 20 failed to parse probe_msg", "cut off, or a length beyond what is there",
     LEAT_E_SYNTAX, 5},
    {"hex 00000003085a45",
     "rrrrr"
     "rrrrr",
     "drop M 20 failed to parse version_select_msg", "cut off, or a length beyond what is there",
     LEAT_E_SYNTAX, 5},
    {"hex 00000003095a45",
     "rrrrr"
     "rrrrr",
     "drop M 20 failed to parse drop_conn_msg", "cut off, or a length beyond what is there",
     LEAT_E_SYNTAX, 5},
    {"hex 000000040a010361",
     "rrrrr"
     "rrrrr",
     "drop M 20 failed to parse v1::originator_syn_msg",
     "cut off, or a length beyond what is there", LEAT_E_SYNTAX, 7},
    {"hex 000000020b01",
     "rrrrr"
     "rrrrr",
     "drop M 20 failed to parse v1::responder_syn_ack_msg",
     "more is announced than octets are left", LEAT_E_SYNTAX, 5},
    {"hex 00000000",
     "qqqqq"
     "qqqqq",
     NULL, "an empty frame in the handshake", LEAT_E_PROTOCOL, 0},
    {"hex 00010001",
     "qqqqq"
     "qqqqq",
     NULL, "a frame over the limit", LEAT_E_LIMIT, 0},
    {"hex ffffffff",
     "qqqqq"
     "qqqqq",
     NULL, "a frame over the limit", LEAT_E_LIMIT, 0},
};

#define MESSAGES (sizeof messages / sizeof *messages)

/* A session in that state, and how many octets brought it there. */
static leat_session *in_state(leat_broker *broker, size_t state, uint64_t *octets)
{
    leat_session *session = states[state].attempt ? wire_attempt(broker, 5) : wire_accept(broker);
    struct t_bytes heard = wire(states[state].heard);

    ck_assert_int_eq(leat_feed(session, heard.data, heard.length), LEAT_OK);
    *octets = heard.length;
    t_free(heard);
    wire_tells(session, "");
    wire_says(session, states[state].said);
    return session;
}

/* What that message does in that state, as wire_told() would say it. */
static void expect(size_t state, size_t i, uint64_t octets, char *told, size_t size,
                   const char **said)
{
    const char *failed = states[state].attempt ? "error 4, " : "";
    char does = messages[i].does[state];

    *said = "";
    *told = '\0';
    switch (does) {
    case 'h':
        *said = "hello M";
        break;
    case 'o':
        *said = "select M, syn /b";
        break;
    case 'k':
        *said = "synack /b";
        break;
    case 'u':
    case 'U':
        *said = does == 'u' ? "ack" : "";
        (void)snprintf(told, size, "endpoint_discovered, peer_added");
        break;
    case 'x':
        (void)snprintf(told, size, "%sLEAT_E_PROTOCOL at %" PRIu64 ": " TURN, failed, octets + 4);
        break;
    case 'r':
    case 'q':
        *said = does == 'r' ? messages[i].answer : "";
        (void)snprintf(told, size, "%s%s at %" PRIu64 ": %s", failed,
                       leat_status_name(messages[i].status), octets + messages[i].at,
                       messages[i].error);
        break;
    case 'd':
        (void)snprintf(told, size, "drop_conn %.2s, %sLEAT_END", messages[i].message + 7, failed);
        break;
    default:
        break;
    }
}

START_TEST(handshake)
{
    size_t state = (size_t)_i % STATES, i = (size_t)_i / STATES, cut;

    for (cut = 0; cut < 2; cut++) {
        leat_broker *broker = wire_broker(NULL, NULL);
        char expected[WIRE_WORD], *told, *did;
        const char *said;
        leat_session *session;
        uint64_t octets, due = UINT64_MAX;

        session = in_state(broker, state, &octets);
        expect(state, i, octets, expected, sizeof expected, &said);
        told = wire_told_of(session, messages[i].message, cut);
        did = wire_said(session);
        ck_assert_msg(strcmp(told, expected) == 0 && strcmp(did, said) == 0,
                      "%s in %s: said %s, told %s; expected %s, %s", messages[i].message,
                      states[state].name, did, told, said, expected);
        if (strchr("xrqd", messages[i].does[state]) != NULL) {
            ck_assert_uint_eq(leat_wants(session), LEAT_WANT_CLOSE);
            due = states[state].attempt ? 5000 : UINT64_MAX;
        } else {
            ck_assert_uint_eq(leat_wants(session), LEAT_WANT_READ);
            if (strchr("uU", messages[i].does[state]) == NULL)
                due = 10000;
        }
        ck_assert_uint_eq(leat_broker_deadline(broker), due);
        free(told);
        free(did);
        leat_session_free(session);
        wire_broker_tells(broker, strchr("uU", messages[i].does[state]) != NULL
                                      ? "peer_lost, endpoint_unreachable"
                                  : strchr("xrqd", messages[i].does[state]) != NULL ||
                                          !states[state].attempt
                                      ? ""
                                      : "error 4");
        leat_broker_free(broker);
    }
}
END_TEST

/* The stream ends, or time runs out, in every state; an attempt has failed then, and is tried again. */
START_TEST(handshake_ends)
{
    size_t state = (size_t)_i / 3;
    int how = _i % 3;
    leat_broker *broker = wire_broker(NULL, NULL);
    char expected[WIRE_WORD];
    uint64_t octets;
    leat_session *session = in_state(broker, state, &octets), *again;
    const char *failed = states[state].attempt ? "error 4, " : "";

    if (how == 2) {
        leat_broker_tick(broker, 9999);
        wire_tells(session, "");
        ck_assert_uint_eq(leat_deadline(session), 10000);
        leat_tick(session, 10000);
        (void)snprintf(expected, sizeof expected,
                       "%sLEAT_E_TIMEOUT at %" PRIu64 ": no handshake in time", failed, octets);
    } else {
        ck_assert_int_eq(leat_feed(session, "\0\0", (size_t)how * 2), LEAT_OK);
        ck_assert_int_eq(leat_recv_eof(session), LEAT_OK);
        (void)snprintf(expected, sizeof expected,
                       "%sLEAT_E_END at %" PRIu64 ": the stream ended inside a message", failed,
                       octets + 2);
        if (how == 0)
            (void)snprintf(expected, sizeof expected, "%sLEAT_END", failed);
    }
    wire_tells(session, expected);
    wire_says(session, "");
    ck_assert_int_eq(leat_broker_connect(broker, &again), LEAT_MORE);
    ck_assert_uint_eq(leat_broker_deadline(broker), !states[state].attempt ? UINT64_MAX
                                                    : how == 2             ? 15000
                                                                           : 5000);
    leat_session_free(session);
    wire_broker_tells(broker, "");
    leat_broker_free(broker);
}
END_TEST

/* ----- one peering for an id ----- */

#define UP   "endpoint_discovered, peer_added"
#define DOWN "peer_lost, endpoint_unreachable, LEAT_END"
#define BYE  "peer_removed, endpoint_unreachable, LEAT_END"

/* Two connections of H: the second one waits for what becomes of the first. */
static leat_broker *paused(leat_session **first, leat_session **second)
{
    leat_broker *broker = wire_broker(NULL, NULL);

    *first = wire_accept(broker);
    leat_broker_tick(broker, 1000);
    *second = wire_accept(broker);
    wire_feed(*first, "hello H");
    wire_tells(*first, "");
    wire_says(*first, "probe, select M, syn /b");
    wire_feed(*second, "hello H");
    wire_tells(*second, "");
    wire_says(*second, "probe");
    ck_assert_uint_eq(leat_wants(*second), LEAT_WANT_READ);
    return broker;
}

static void free_all(leat_broker *broker, leat_session *first, leat_session *second)
{
    leat_session_free(first);
    leat_session_free(second);
    leat_broker_free(broker);
}

/* Whether leat_broker_ready() names that session. */
static bool is_named(leat_broker *broker, const leat_session *wanted)
{
    leat_session *session;
    bool found = false;

    while (leat_broker_ready(broker, &session) == LEAT_OK)
        found |= session == wanted;
    return found;
}

START_TEST(paused_behind_success)
{
    leat_session *first, *second;
    leat_broker *broker = paused(&first, &second);

    (void)is_named(broker, second);
    wire_feed(first, "synack /a");
    wire_tells(first, UP);
    ck_assert(is_named(broker, second));
    wire_says(second, "drop M 39 redundant connection");
    wire_tells(second, "LEAT_END");
    wire_says(first, "ack");
    free_all(broker, first, second);
}
END_TEST

/* It goes on where it was, and no message is lost that came in the meantime. */
START_TEST(paused_behind_failure)
{
    leat_session *first, *second;
    leat_broker *broker = paused(&first, &second);

    (void)is_named(broker, second);
    wire_feed(second, "synack /a");
    wire_tells(second, "");
    if (_i == 0) {
        wire_feed(first, "ack");
        wire_tells(first, "LEAT_E_PROTOCOL at 31: a message out of turn");
    } else if (_i == 1) {
        ck_assert_int_eq(leat_recv_eof(first), LEAT_OK);
        wire_tells(first, "LEAT_END");
    } else if (_i == 2) {
        leat_broker_tick(broker, 10000);
        wire_tells(first, "LEAT_E_TIMEOUT at 27: no handshake in time");
        ck_assert_uint_eq(leat_broker_deadline(broker), 11000);
    } else if (_i == 3) {
        uint8_t id[16];

        wire_id('H', id);
        ck_assert_int_eq(leat_broker_unpeer_id(broker, id), LEAT_OK);
        wire_tells(first, "LEAT_END");
    } else {
        leat_session_free(first);
        first = NULL;
    }
    ck_assert(is_named(broker, second));
    wire_says(second, "select M, syn /b");
    wire_tells(second, UP);
    wire_says(second, "ack");
    free_all(broker, first, second);
}
END_TEST

/* It has a time of its own, may end by itself, and waits for no more than a handshake may have. */
START_TEST(paused_ends)
{
    leat_session *first, *second;
    leat_broker *broker = paused(&first, &second);
    uint8_t octets[1024] = {0};
    size_t i;

    if (_i == 0) {
        ck_assert_int_eq(leat_recv_eof(second), LEAT_OK);
        wire_tells(second, "LEAT_END");
    } else if (_i == 1) {
        leat_broker_tick(broker, 9999);
        wire_feed(first, "synack");
        wire_tells(first, UP);
        wire_tells(second, "LEAT_END");
        wire_says(second, "drop M 39 redundant connection");
    } else if (_i == 2) {
        for (i = 0; i < 64; i++)
            ck_assert_int_eq(leat_feed(second, octets, sizeof octets), LEAT_OK);
        wire_tells(second, "");
        ck_assert_int_eq(leat_feed(second, octets, 1), LEAT_OK);
        wire_tells(second, "LEAT_E_LIMIT at 27: too much before the answer");
    } else if (_i == 3) {
        ck_assert_int_eq(leat_broker_shutdown(broker), LEAT_OK);
        wire_says(second, "drop M 28 shutting down");
        wire_tells(second, "LEAT_END");
        wire_says(first, "drop M 28 shutting down");
        wire_tells(first, "LEAT_END");
    } else {
        leat_session_free(second);
        second = NULL;
    }
    if (_i != 1 && _i != 3) {
        wire_feed(first, "synack");
        wire_tells(first, UP);
    }
    free_all(broker, first, second);
}
END_TEST

/* Three of them: as each fails the next one goes on, and behind the one that is up none does. */
START_TEST(paused_in_a_row)
{
    leat_session *first, *second, *third;
    leat_broker *broker = paused(&first, &second);

    third = wire_accept(broker);
    wire_feed(third, "hello H");
    wire_tells(third, "");
    wire_says(third, "probe");
    leat_session_free(first);
    wire_says(second, "select M, syn /b");
    wire_says(third, "");
    leat_session_free(second);
    wire_says(third, "select M, syn /b");
    wire_feed(third, "synack");
    wire_tells(third, UP);
    free_all(broker, third, NULL);
}
END_TEST

/* A second connection of an id while the first one is in its handshake or up, or we end. */
static const struct {
    const char *first; /* what the first one hears, NULL: there is none */
    bool shutdown;
    const char *heard;
    const char *said;
} seconds[] = {
    {"hello L, select L", false, "hello L, select L",
     "hello M, drop M 40 detected redundant connection at the responder"},
    {"hello L, select L, syn", false, "hello L, select L",
     "hello M, drop M 40 detected redundant connection at the responder"},
    {"hello L, select L, syn, ack", false, "hello L, select L",
     "hello M, drop M 40 detected redundant connection at the responder"},
    {"hello H, synack", false, "hello H", "drop M 39 redundant connection"},
    {NULL, true, "hello L, select L", "hello M, drop M 28 shutting down"},
    {NULL, true, "hello H", "drop M 28 shutting down"},
};

START_TEST(second_connection)
{
    leat_broker *broker = wire_broker(NULL, NULL);
    leat_session *first = NULL, *second;
    char said[WIRE_WORD];

    if (seconds[_i].first != NULL) {
        first = wire_accept(broker);
        wire_feed(first, seconds[_i].first);
        free(wire_told(first));
    }
    if (seconds[_i].shutdown)
        ck_assert_int_eq(leat_broker_shutdown(broker), LEAT_OK);
    second = wire_accept(broker);
    wire_feed(second, seconds[_i].heard);
    wire_tells(second, "LEAT_END");
    (void)snprintf(said, sizeof said, "probe, %s", seconds[_i].said);
    wire_says(second, said);
    if (first != NULL)
        ck_assert_uint_eq(leat_wants(first) & LEAT_WANT_CLOSE, 0);
    free_all(broker, first, second);
}
END_TEST

static void check_peers(leat_broker *broker, const char *json)
{
    leat_builder *builder;
    char *text;

    ck_assert_int_eq(leat_builder_new(NULL, &builder), LEAT_OK);
    ck_assert_int_eq(leat_broker_peers(broker, builder, NULL), LEAT_OK);
    text = t_json_text(leat_builder_value(builder));
    ck_assert_str_eq(text, json);
    free(text);
    leat_builder_free(builder);
}

#define PEER(id, address, port, retry, status, outbound)                                           \
    "{\"peer\":{\"id\":\"" id "\",\"network\":{\"address\":\"" address "\",\"bound_port\":\"" port \
    "/tcp\"},\"retry_s\":" retry "},\"status\":\"" status "\",\"is_outbound\":" outbound "}"
#define ID_L "11111111-1111-1111-1111-111111111111"
#define ID_H "22222222-2222-2222-2222-222222222222"

/*
 * What connects to a peer that is there already has succeeded; the peering is ours to make again then,
 * unless it was so already.
 */
START_TEST(address_takeover)
{
    bool we_drop = _i % 2 != 0, known = _i / 2 != 0;
    char id = we_drop ? 'H' : 'L';
    leat_broker *broker = wire_broker(NULL, NULL);
    leat_session *first, *second, *other;

    if (known) {
        first = wire_peer(broker, true, id, "");
    } else {
        ck_assert_int_eq(leat_broker_accept(broker, "::1", 40000, &first), LEAT_OK);
        wire_feed(first, id == 'L' ? "hello L, select L, syn, ack" : "hello H, synack");
        wire_tells(first, UP);
    }
    ck_assert_int_eq(leat_broker_peer(broker, "other", 7, 3), LEAT_OK);
    ck_assert_int_eq(leat_broker_connect(broker, &second), LEAT_OK);
    wire_feed(second, we_drop ? "hello H" : "drop L 39 again");
    wire_tells(second, "LEAT_END");
    wire_says(second, we_drop ? "hello M, drop M 39 redundant connection" : "hello M");
    leat_session_free(second);
    wire_broker_tells(broker, "");
    ck_assert_str_eq(leat_broker_address(first), known ? "peer" : "other");
    ck_assert_uint_eq(leat_broker_port(first), known ? 9999 : 7);
    check_peers(broker, known && we_drop ? "[" PEER(ID_H, "peer", "9999", "1", "PEERED", "true") "]"
                        : known          ? "[" PEER(ID_L, "peer", "9999", "1", "PEERED", "true") "]"
                        : we_drop        ? "[" PEER(ID_H, "other", "7", "3", "PEERED", "true") "]"
                                         : "[" PEER(ID_L, "other", "7", "3", "PEERED", "true") "]");
    ck_assert_int_eq(leat_recv_eof(first), LEAT_OK);
    wire_tells(first, DOWN);
    ck_assert_int_eq(leat_broker_connect(broker, &other), LEAT_OK);
    ck_assert_str_eq(leat_broker_address(other), known ? "peer" : "other");
    ck_assert_int_eq(leat_broker_connect(broker, &second), LEAT_MORE);
    free_all(broker, first, other);
}
END_TEST

/* An attempt without a retry time changes nothing, and is over when the peer is there. */
START_TEST(no_takeover)
{
    leat_broker *broker = wire_broker(NULL, NULL);
    leat_session *first = wire_peer(broker, false, 'L', ""), *second, *other;

    ck_assert_int_eq(leat_broker_peer_no_retry(broker, "other", 7), LEAT_OK);
    ck_assert_int_eq(leat_broker_connect(broker, &second), LEAT_OK);
    wire_feed(second, "drop L 39 again");
    wire_tells(second, "LEAT_END");
    ck_assert_str_eq(leat_broker_address(first), "peer");
    ck_assert_int_eq(leat_broker_unpeer(broker, "other", 7), LEAT_E_STATE);
    ck_assert_int_eq(leat_recv_eof(first), LEAT_OK);
    wire_tells(first, DOWN);
    ck_assert_int_eq(leat_broker_connect(broker, &other), LEAT_MORE);
    ck_assert_uint_eq(leat_broker_deadline(broker), UINT64_MAX);
    free_all(broker, first, second);
}
END_TEST

/* A peer that we say goodbye to is none that a new peering could mean: that is tried again. */
START_TEST(peer_again_while_leaving)
{
    bool we_drop = _i != 0;
    leat_broker *broker = wire_broker(NULL, NULL);
    leat_session *first = wire_peer(broker, true, we_drop ? 'H' : 'L', ""), *second, *third;

    ck_assert_int_eq(leat_broker_unpeer(broker, "peer", 9999), LEAT_OK);
    second = wire_attempt(broker, 2);
    wire_feed(second, we_drop ? "hello H" : "drop L 39 again");
    wire_tells(second, "error 4, LEAT_END");
    leat_session_free(second);
    leat_broker_tick(broker, 1999);
    ck_assert_int_eq(leat_broker_connect(broker, &third), LEAT_MORE);
    ck_assert_uint_eq(leat_broker_deadline(broker), 2000);
    leat_broker_tick(broker, 3000);
    wire_tells(first, BYE);
    ck_assert_int_eq(leat_broker_connect(broker, &third), LEAT_OK);
    free_all(broker, first, third);
}
END_TEST

/* ----- attempts ----- */

START_TEST(retries)
{
    leat_broker *broker = wire_broker(NULL, NULL);
    leat_session *session = wire_attempt(broker, 7), *other;
    int i;

    ck_assert_str_eq(leat_broker_address(session), "peer");
    ck_assert_uint_eq(leat_broker_port(session), 9999);
    ck_assert_ptr_null(leat_broker_peer_id(session));
    for (i = 0; i < 3; i++) {
        uint64_t now = 7000 * (uint64_t)i;

        if (i == 1) {
            leat_session_free(session); /* it could not even begin */
            wire_broker_tells(broker, "error 4");
        } else {
            ck_assert_int_eq(leat_recv_eof(session), LEAT_OK);
            wire_tells(session, "error 4, LEAT_END");
            leat_session_free(session);
        }
        ck_assert_uint_eq(leat_broker_deadline(broker), now + 7000);
        leat_broker_tick(broker, now + 6999);
        ck_assert_int_eq(leat_broker_connect(broker, &session), LEAT_MORE);
        leat_broker_tick(broker, now + 7000);
        ck_assert_int_eq(leat_broker_connect(broker, &session), LEAT_OK);
        ck_assert_int_eq(leat_broker_connect(broker, &other), LEAT_MORE);
        wire_says(session, "hello M");
    }
    wire_feed(session, "select L, syn, ack");
    wire_tells(session, UP);
    ck_assert_int_eq(leat_recv_eof(session), LEAT_OK);
    wire_tells(session, DOWN);
    leat_session_free(session);
    ck_assert_int_eq(leat_broker_connect(broker, &session), LEAT_OK);
    leat_session_free(session);
    ck_assert_int_eq(leat_broker_connect(broker, &session), LEAT_MORE);
    ck_assert_uint_eq(leat_broker_deadline(broker), 28000);
    leat_broker_free(broker);
}
END_TEST

START_TEST(one_attempt)
{
    leat_broker *broker = wire_broker(NULL, NULL);
    leat_session *session = wire_attempt(broker, 0);

    ck_assert_int_eq(leat_recv_eof(session), LEAT_OK);
    wire_tells(session, "error 4, LEAT_END");
    ck_assert_uint_eq(leat_broker_deadline(broker), UINT64_MAX);
    leat_broker_tick(broker, UINT64_MAX);
    leat_session_free(session);
    ck_assert_int_eq(leat_broker_connect(broker, &session), LEAT_MORE);
    ck_assert_int_eq(leat_broker_unpeer(broker, "peer", 9999), LEAT_E_STATE);
    leat_broker_free(broker);
}
END_TEST

/* The same again: the retry time is another one, and one that waits is due. */
START_TEST(peer_twice)
{
    leat_broker *broker = wire_broker(NULL, NULL);
    leat_session *session = wire_attempt(broker, 7);

    ck_assert_int_eq(leat_broker_peer(broker, "peer", 9999, 3), LEAT_OK);
    leat_session_free(session);
    ck_assert_int_eq(leat_broker_connect(broker, &session), LEAT_MORE);
    ck_assert_uint_eq(leat_broker_deadline(broker), 3000);
    session = wire_attempt(broker, 5);
    wire_feed(session, "select L, syn, ack");
    wire_tells(session, UP);
    ck_assert_int_eq(leat_broker_peer_no_retry(broker, "peer", 9999), LEAT_OK);
    check_peers(broker, "[" PEER(ID_L, "peer", "9999", "0", "PEERED", "true") "]");
    ck_assert_int_eq(leat_recv_eof(session), LEAT_OK);
    wire_tells(session, DOWN);
    ck_assert_uint_eq(leat_broker_deadline(broker), UINT64_MAX);
    leat_session_free(session);
    leat_broker_free(broker);
}
END_TEST

/* A retry time that is beyond all time is none. */
START_TEST(retry_never)
{
    leat_broker *broker = wire_broker(NULL, NULL);
    leat_session *session;

    leat_broker_tick(broker, 5);
    session = wire_attempt(broker, UINT64_MAX);
    leat_session_free(session);
    ck_assert_int_eq(leat_broker_connect(broker, &session), LEAT_MORE);
    ck_assert_uint_eq(leat_broker_deadline(broker), UINT64_MAX);
    leat_broker_free(broker);
}
END_TEST

/* ----- the end of a peering ----- */

START_TEST(unpeer)
{
    leat_broker *broker = wire_broker(NULL, NULL);
    leat_session *session = wire_peer(broker, true, 'L', "/a"), *other;
    struct t_bytes pong;
    const uint8_t *said;
    uint8_t id[16], token[8];
    size_t length;

    leat_broker_tick(broker, 100);
    if (_i == 0) {
        ck_assert_int_eq(leat_broker_unpeer(broker, "peer", 9999), LEAT_OK);
    } else {
        wire_id('L', id);
        ck_assert_int_eq(leat_broker_unpeer_id(broker, id), LEAT_OK);
    }
    said = (const uint8_t *)leat_send_data(session, &length);
    ck_assert_uint_eq(length, 4 + 40 + 11);
    ck_assert_mem_eq(said + 44, "BYE", 3);
    memcpy(token, said + 47, sizeof token);
    free(wire_said(session));
    /* We go on until the peer has it: twice is once. */
    ck_assert_int_eq(leat_broker_unpeer(broker, "peer", 9999), LEAT_OK);
    wire_says(session, "");
    ck_assert_uint_eq(leat_broker_deadline(broker), 3100);
    wire_feed(session, "data L 0 /b x, ping L BYE, pong L BYE, pong L BYE12345678, pong O BYE");
    wire_tells(session, "data \"/b\" \"x\", pong \"425945\", "
                        "pong \"4259453132333435363738\"");
    wire_says(session, "pong M BYE");
    ck_assert_int_eq(leat_broker_ping(session, "", 0), LEAT_E_STATE);
    pong = wire("pong L BYE12345678");
    memcpy(pong.data + pong.length - sizeof token, token, sizeof token);
    ck_assert_int_eq(leat_feed(session, pong.data, pong.length), LEAT_OK);
    t_free(pong);
    wire_tells(session, BYE);
    ck_assert_int_eq(leat_broker_connect(broker, &other), LEAT_MORE);
    ck_assert_uint_eq(leat_broker_deadline(broker), UINT64_MAX);
    ck_assert_int_eq(leat_broker_unpeer(broker, "peer", 9999), LEAT_E_STATE);
    wire_broker_tells(broker, "error 3");
    leat_session_free(session);
    leat_broker_free(broker);
}
END_TEST

/* A goodbye that is not answered ends in time; one that ends otherwise was still ours. */
START_TEST(unanswered_goodbye)
{
    leat_broker *broker = wire_broker(NULL, NULL);
    leat_session *session = wire_peer(broker, false, 'H', "");

    ck_assert_int_eq(leat_broker_unpeer(broker, "peer", 9999), LEAT_OK);
    if (_i == 0) {
        leat_broker_tick(broker, 2999);
        wire_tells(session, "");
        leat_tick(session, 3000);
        ck_assert(is_named(broker, session));
        wire_tells(session, BYE);
    } else if (_i == 1) {
        ck_assert_int_eq(leat_recv_eof(session), LEAT_OK);
        wire_tells(session, BYE);
    } else if (_i == 2) {
        wire_feed(session, "hex ffffffff");
        wire_tells(session, "peer_removed, endpoint_unreachable, LEAT_E_LIMIT at 33: a frame over "
                            "the limit");
    } else {
        leat_session_free(session);
        session = NULL;
        wire_broker_tells(broker, "peer_removed, endpoint_unreachable");
    }
    leat_session_free(session);
    wire_broker_tells(broker, "");
    leat_broker_free(broker);
}
END_TEST

/* Of an attempt that waits for its time, that goes on, and of a connection that came in. */
START_TEST(unpeer_before)
{
    leat_broker *broker = wire_broker(NULL, NULL);
    leat_session *session = NULL, *other;

    if (_i == 0) {
        session = wire_attempt(broker, 7);
        wire_feed(session, "hello H");
        wire_tells(session, "");
        ck_assert_int_eq(leat_broker_unpeer(broker, "peer", 9999), LEAT_OK);
        wire_tells(session, "LEAT_END");
    } else if (_i == 1) {
        session = wire_attempt(broker, 7);
        ck_assert_int_eq(leat_recv_eof(session), LEAT_OK);
        wire_tells(session, "error 4, LEAT_END");
        ck_assert_int_eq(leat_broker_unpeer(broker, "peer", 9999), LEAT_OK);
    } else {
        ck_assert_int_eq(leat_broker_peer(broker, "peer", 9999, 7), LEAT_OK);
        ck_assert_int_eq(leat_broker_unpeer(broker, "peer", 9999), LEAT_OK);
    }
    leat_broker_tick(broker, 100000);
    ck_assert_int_eq(leat_broker_connect(broker, &other), LEAT_MORE);
    ck_assert_uint_eq(leat_broker_deadline(broker), UINT64_MAX);
    ck_assert_int_eq(leat_broker_unpeer(broker, "peer", 9999), LEAT_E_STATE);
    leat_session_free(session);
    leat_broker_free(broker);
}
END_TEST

/* What is not a peer is an error, with what is known of it. */
START_TEST(unpeer_nobody)
{
    char address[300];
    leat_broker *broker = wire_broker(NULL, NULL);
    leat_session *session = wire_peer(broker, false, 'L', "");
    const leat_event *event;
    uint8_t id[16];
    char *text;

    memset(address, 'a', sizeof address - 1);
    address[sizeof address - 1] = '\0';
    ck_assert_int_eq(leat_broker_unpeer(broker, "peer", 9998), LEAT_E_STATE);
    ck_assert_int_eq(leat_broker_next(broker, &event), LEAT_OK);
    ck_assert_uint_eq(leat_event_kind(event), LEAT_BROKER_ERROR);
    text = t_json_text(leat_event_value(event));
    ck_assert_str_eq(text, "{\"code\":3,\"name\":\"peer_invalid\",\"endpoint\":{\"id\":null,"
                           "\"network\":{\"address\":\"peer\",\"bound_port\":\"9998/tcp\"},"
                           "\"retry_s\":0},\"msg\":\"cannot unpeer from unknown peer\"}");
    free(text);
    wire_id('H', id);
    ck_assert_int_eq(leat_broker_unpeer_id(broker, id), LEAT_E_STATE);
    ck_assert_int_eq(leat_error_code(leat_broker_error(broker)), LEAT_E_STATE);
    ck_assert_int_eq(leat_broker_next(broker, &event), LEAT_OK);
    text = t_json_text(leat_event_value(event));
    ck_assert_str_eq(text, "{\"code\":3,\"name\":\"peer_invalid\",\"endpoint\":{\"id\":\"" ID_H
                           "\",\"network\":null,\"retry_s\":0},"
                           "\"msg\":\"cannot unpeer from unknown peer\"}");
    free(text);
    ck_assert_int_eq(leat_broker_unpeer(broker, address, 1), LEAT_E_STATE);
    ck_assert_int_eq(leat_broker_next(broker, &event), LEAT_OK);
    ck_assert_int_eq(leat_broker_next(broker, &event), LEAT_MORE);
    ck_assert_int_eq(leat_broker_unpeer_id(broker, id), LEAT_E_STATE);
    ck_assert_int_eq(leat_broker_next(broker, &event), LEAT_OK);
    ck_assert_int_eq(leat_broker_next(broker, &event), LEAT_MORE);
    wire_tells(session, "");
    leat_session_free(session);
    leat_broker_free(broker);
}
END_TEST

/* What the events say, word for word. */
START_TEST(what_events_say)
{
    static const char *const events[] = {
        "endpoint_discovered {\"endpoint\":{\"id\":\"" ID_L "\",\"network\":null,\"retry_s\":4},"
        "\"msg\":\"found a new peer in the network\"}",
        "peer_added {\"endpoint\":{\"id\":\"" ID_L "\",\"network\":{\"address\":\"peer\","
        "\"bound_port\":\"9999/tcp\"},\"retry_s\":4},\"msg\":\"handshake successful\"}",
        "peer_lost {\"endpoint\":{\"id\":\"" ID_L "\",\"network\":{\"address\":\"peer\","
        "\"bound_port\":\"9999/tcp\"},\"retry_s\":4},\"msg\":\"lost connection to remote peer\"}",
        "endpoint_unreachable {\"endpoint\":{\"id\":\"" ID_L "\",\"network\":null,\"retry_s\":4},"
        "\"msg\":\"lost the last path\"}",
        "error {\"code\":4,\"name\":\"peer_unavailable\",\"endpoint\":{\"id\":null,"
        "\"network\":{\"address\":\"peer\",\"bound_port\":\"9999/tcp\"},\"retry_s\":4},"
        "\"msg\":\"unable to connect to remote peer\"}",
    };
    leat_broker *broker = wire_broker(NULL, NULL);
    leat_session *session = wire_attempt(broker, 4);
    const leat_event *event;
    uint8_t id[16];
    size_t i;

    wire_feed(session, "select L, syn, ack");
    for (i = 0; i < 5; i++) {
        char whole[WIRE_WORD], *text;

        if (i == 4) {
            leat_session_free(session);
            ck_assert_int_eq(leat_broker_connect(broker, &session), LEAT_OK);
            wire_feed(session, "select L"); /* who it is may be known, and is not told */
            ck_assert_int_eq(leat_recv_eof(session), LEAT_OK);
        }
        ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
        text = t_json_text(leat_event_value(event));
        (void)snprintf(whole, sizeof whole, "%s %s", leat_event_name(event, NULL), text);
        ck_assert_str_eq(whole, events[i]);
        free(text);
        if (i == 1)
            ck_assert_int_eq(leat_recv_eof(session), LEAT_OK);
        if (i < 4) {
            wire_id('L', id);
            ck_assert_mem_eq(leat_broker_peer_id(session), id, 16);
        }
    }
    leat_session_free(session);
    leat_broker_free(broker);
}
END_TEST

/* Both say goodbye at once: each answers the other's, and both have ended it. */
START_TEST(both_unpeer)
{
    struct net net;

    two(&net, 5);
    ck_assert_int_eq(leat_broker_unpeer(net_broker(&net, 0), "n1", NET_PORT), LEAT_OK);
    ck_assert_int_eq(leat_broker_unpeer(net_broker(&net, 1), "n0", 40000), LEAT_OK);
    net_run(&net);
    net_told(&net, 0, REMOVED("n1") "; " GONE("n1"));
    net_told(&net, 1, REMOVED("n0") "; " GONE("n0"));
    net_advance(&net, 60000);
    net_told(&net, 0, "");
    ck_assert_uint_eq(net_pipes(&net, 0, 1), 0);
    net_free(&net);
}
END_TEST

/* What waits is sent before the goodbye. */
START_TEST(unpeer_sends_all)
{
    struct net net;
    struct net_pipe *pipe;
    int i;

    two(&net, 5);
    net_subscribe(&net, 1, "/a");
    net_run(&net);
    pipe = net_pipe(&net, 0, 1);
    pipe->stalled[1] = true;
    for (i = 0; i < 5000; i++)
        net_publish(&net, 0, "/a", "forty octets of text, or some more of it");
    ck_assert_int_eq(leat_broker_unpeer(net_broker(&net, 0), "n1", NET_PORT), LEAT_OK);
    net_run(&net);
    ck_assert_uint_eq(net.nodes[1].data, 0);
    pipe->stalled[1] = false;
    net_run(&net);
    ck_assert_uint_eq(net.nodes[1].data, 5000);
    ck_assert_uint_eq(net_pipes(&net, 0, 1), 0);
    net_free(&net);
}
END_TEST

START_TEST(shutdown_ends_all)
{
    leat_broker *broker = wire_broker(NULL, NULL);
    leat_session *peer = wire_peer(broker, false, 'L', ""), *attempt, *other;
    char *said;

    attempt = wire_attempt(broker, 3);
    ck_assert_int_eq(leat_broker_peer(broker, "later", 9999, 3), LEAT_OK);
    ck_assert_int_eq(leat_broker_shutdown(broker), LEAT_OK);
    ck_assert_int_eq(leat_broker_shutdown(broker), LEAT_OK);
    ck_assert_int_eq(leat_broker_peer(broker, "peer", 9999, 3), LEAT_E_STATE);
    ck_assert_int_eq(leat_broker_connect(broker, &other), LEAT_MORE);
    wire_tells(attempt, "LEAT_END");
    said = wire_said(peer);
    ck_assert_int_eq(strncmp(said, "ping M BYE", 10), 0);
    free(said);
    wire_tells(peer, "");
    ck_assert_uint_eq(leat_broker_deadline(broker), 3000);
    leat_broker_tick(broker, 3000);
    wire_tells(peer, BYE);
    ck_assert_uint_eq(leat_broker_deadline(broker), UINT64_MAX);
    free_all(broker, peer, attempt);
}
END_TEST

/* ----- who is freed first ----- */

/* In every state: nothing leaks, and what it was to tell comes from leat_broker_next(). */
START_TEST(session_freed)
{
    leat_broker *broker = wire_broker(NULL, NULL);
    uint64_t octets;
    leat_session *session;

    if ((size_t)_i < STATES) {
        session = in_state(broker, (size_t)_i, &octets);
        leat_session_free(session);
        wire_broker_tells(broker, states[_i].attempt ? "error 4" : "");
    } else {
        session = wire_accept(broker);
        wire_feed(session, "hello L, select L, syn, ack, data L 0 /b x");
        if ((size_t)_i > STATES) {
            const leat_event *event;

            ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
            leat_session_free(session);
            wire_broker_tells(broker, "peer_added, peer_lost, endpoint_unreachable");
        } else {
            leat_session_free(session); /* it never got to look at that */
            wire_broker_tells(broker, "");
        }
    }
    leat_broker_free(broker);
}
END_TEST

/* A caller who never asks for them does not fill the memory. */
START_TEST(untold_are_limited)
{
    leat_broker *broker = wire_broker(NULL, NULL);
    const leat_event *event;
    leat_session *session;
    size_t i, told = 0;

    ck_assert_int_eq(leat_broker_peer(broker, "peer", 9999, 1), LEAT_OK);
    for (i = 0; i < 1100; i++) {
        leat_broker_tick(broker, i * 1000);
        ck_assert_int_eq(leat_broker_connect(broker, &session), LEAT_OK);
        leat_session_free(session);
    }
    ck_assert_int_eq(leat_broker_unpeer(broker, "nobody", 1), LEAT_E_STATE);
    for (; leat_broker_next(broker, &event) == LEAT_OK; told++)
        ck_assert_uint_eq(leat_event_kind(event), LEAT_BROKER_ERROR);
    ck_assert_uint_eq(told, 1024);
    ck_assert_int_eq(leat_broker_unpeer(broker, "nobody", 1), LEAT_E_STATE);
    wire_broker_tells(broker, "error 3");
    leat_broker_free(broker);
}
END_TEST

/* Whether more comes from the peer or not. */
START_TEST(endpoint_freed)
{
    leat_broker *broker = wire_broker(NULL, NULL);
    leat_session *session;
    uint64_t octets;

    if ((size_t)_i < STATES) {
        session = in_state(broker, (size_t)_i, &octets);
        wire_tells(session, "");
        leat_broker_free(broker);
        if (_i % 2 == 0)
            wire_feed(session, "hello L");
        wire_tells(session, "LEAT_END");
    } else {
        session = wire_peer(broker, true, 'L', "/a");
        wire_feed(session, "ping L x, data L 0 /b x");
        wire_tells(session, "data \"/b\" \"x\"");
        leat_broker_free(broker);
        wire_feed(session, "ping L y, data L 0 /b y");
        wire_tells(session, "LEAT_END");
        wire_says(session, "pong M x");
    }
    leat_tick(session, 100000);
    ck_assert_uint_eq(leat_deadline(session), UINT64_MAX);
    ck_assert_int_eq(leat_broker_ping(session, "", 0), LEAT_E_STATE);
    leat_session_free(session);
}
END_TEST

/* ----- messages ----- */

static int publish(leat_broker *broker, const char *receiver, const char *topic, const char *json)
{
    leat_builder *builder = t_json(json, strlen(json));
    uint8_t id[16];
    int status;

    if (receiver != NULL)
        wire_id(*receiver, id);
    status =
        receiver == NULL
            ? leat_broker_publish(broker, topic, strlen(topic), leat_builder_value(builder))
            : leat_broker_publish_to(broker, id, topic, strlen(topic), leat_builder_value(builder));
    leat_builder_free(builder);
    return status;
}

/* Who gets what: a prefix is one octet by octet, and the empty one is everybody's. */
static const struct {
    const char *filter;
    const char *topic;
    bool matches;
} filters[] = {
    {"/a", "/a", true},      {"/a", "/a/b", true},      {"/a", "/ab", true},
    {"/a", "/", false},      {"/a", "/b", false},       {"/a", "\"\"", false},
    {"\"\"", "/x", true},    {"\"\"", "\"\"", true},    {"", "/a", false},
    {"", "\"\"", false},     {"/b /a", "/a", true},     {"/b /a", "/c", false},
    {"/a /a/b", "/a", true}, {"/a/b /a", "/a/c", true},
};

START_TEST(filter)
{
    leat_broker *broker = wire_broker(NULL, NULL);
    leat_session *session = wire_peer(broker, false, 'L', filters[_i].filter);
    const char *topic = strcmp(filters[_i].topic, "\"\"") == 0 ? "" : filters[_i].topic;
    char said[WIRE_WORD] = "";

    ck_assert_int_eq(publish(broker, NULL, topic, "\"x\""), LEAT_OK);
    if (filters[_i].matches)
        (void)snprintf(said, sizeof said, "data M 0 %s x", filters[_i].topic);
    wire_says(session, said);
    /* What is directed goes whatever the filter is, and to nobody else. */
    ck_assert_int_eq(publish(broker, "L", topic, "\"y\""), LEAT_OK);
    (void)snprintf(said, sizeof said, "data M L %s y", filters[_i].topic);
    wire_says(session, said);
    ck_assert_int_eq(publish(broker, "H", topic, "\"y\""), LEAT_E_STATE);
    wire_says(session, "");
    wire_feed(session, "update L /new");
    wire_tells(session, "routing_update [\"/new\"]");
    ck_assert_int_eq(publish(broker, NULL, topic, "\"x\""), LEAT_OK);
    ck_assert_int_eq(publish(broker, NULL, "/new", "\"x\""), LEAT_OK);
    wire_says(session, "data M 0 /new x");
    leat_session_free(session);
    leat_broker_free(broker);
}
END_TEST

/* What comes in: M subscribes to /b. */
static const struct {
    const char *message;
    const char *told;
    const char *said;
    uint64_t refused, strangers;
} incoming[] = {
    {"data L 0 /b x", "data \"/b\" \"x\"", "", 0, 0},
    {"data L 0 /bc x", "data \"/bc\" \"x\"", "", 0, 0},
    {"data L M /b x", "data \"/b\" \"x\"", "", 0, 0},
    {"data L M /a x", "", "", 0, 0},
    {"data L H /b x", "", "", 0, 0},
    {"data L 0 /a x", "", "", 0, 0},
    {"data L 0 \"\" x", "", "", 0, 0},
    {"data O 0 /b x", "data \"/b\" \"x\"", "", 0, 1},
    {"data 0 0 /b x", "", "", 1, 0},
    {"data M 0 /b x", "", "", 1, 0},
    {"data L 0 <$>/local/data x", "", "", 1, 0},
    {"data O 0 <$>/local/ x", "", "", 1, 0},
    /* The command "clear", on <$>/local/x. */
    {"hex 00000081 11111111111111111111111111111111 00000000000000000000000000000000 02 0010 000b "
     "3c243e2f6c6f63616c2f78 0000000000000001 "
     "11111111111111111111111111111111 0000000000000001 "
     "00000000000000000000000000000000 0000000000000000 07 "
     "11111111111111111111111111111111 0000000000000001",
     "", "", 1, 0},
    {"update L /x /y", "routing_update [\"/x\",\"/y\"]", "", 0, 0},
    {"update L", "routing_update []", "", 0, 0},
    {"update O /x", "", "", 1, 0},
    {"update 0 /x", "", "", 1, 0},
    {"update M /x", "", "", 1, 0},
    {"ping L x", "", "pong M x", 0, 0},
    {"ping L \"\"", "", "pong M \"\"", 0, 0},
    {"ping O x", "", "", 1, 0},
    {"ping 0 x", "", "", 1, 0},
    {"pong L x", "pong \"78\"", "", 0, 0},
    {"pong L leat", "", "", 0, 0},
    {"pong O x", "", "", 1, 0},
    {"pong L BYE12345678", "pong \"4259453132333435363738\"", "", 0, 0},
    /* A goodbye that we have not said. */
    {"hex 00000033 11111111111111111111111111111111 00000000000000000000000000000000 05 0010 0003 "
     "3c243e 425945 0100000000000010",
     "pong \"4259450100000000000010\"", "", 0, 0},
    {"hex 00000000", "", "", 0, 0},
    {"hex 0000000163", "unknown: not an envelope", "", 0, 0},
    {"hello L", "unknown: not an envelope", "", 0, 0},
    {"probe", "unknown: not an envelope", "", 0, 0},
    {"drop L 39 again", "unknown: not an envelope", "", 0, 0},
    {"ack", "unknown: not an envelope", "", 0, 0},
    /* A topic beyond the frame, a type that there is not, and payloads that are wrong. */
    {"hex 00000025 11111111111111111111111111111111 00000000000000000000000000000000 01 0010 0001",
     "unknown: not an envelope", "", 0, 0},
    {"hex 00000025 11111111111111111111111111111111 00000000000000000000000000000000 06 0010 0000",
     "unknown: not an envelope", "", 0, 0},
    {"hex 00000027 11111111111111111111111111111111 00000000000000000000000000000000 01 0010 0002 "
     "2f62",
     "data: nothing is there", "", 0, 0},
    {"hex 00000027 11111111111111111111111111111111 00000000000000000000000000000000 01 0010 0002 "
     "2f61",
     "", "", 0, 0},
    {"hex 00000026 11111111111111111111111111111111 00000000000000000000000000000000 03 0010 0000 "
     "01",
     "routing_update: more is announced than octets are left", "", 0, 0},
    {"hex 00000029 11111111111111111111111111111111 00000000000000000000000000000000 03 0010 0000 "
     "02016103",
     "routing_update: cut off, or a length beyond what is there", "", 0, 0},
};

START_TEST(messages_in)
{
    size_t cut;

    for (cut = 0; cut < 2; cut++) {
        leat_broker *broker = wire_broker(NULL, NULL);
        leat_session *session = wire_peer(broker, cut != 0, 'L', "/a");
        leat_broker_stats stats = {.size = sizeof stats}, before = {.size = sizeof before};
        char *told;

        ck_assert_int_eq(leat_broker_get_stats(session, &before), LEAT_OK);
        told = wire_told_of(session, incoming[_i].message, cut);
        ck_assert_str_eq(told, incoming[_i].told);
        free(told);
        wire_says(session, incoming[_i].said);
        ck_assert_int_eq(leat_broker_get_stats(session, &stats), LEAT_OK);
        ck_assert_uint_eq(stats.refused, incoming[_i].refused);
        ck_assert_uint_eq(stats.strangers, incoming[_i].strangers);
        ck_assert_uint_eq(stats.received - before.received,
                          strcmp(incoming[_i].message, "hex 00000000") != 0);
        ck_assert_uint_eq(leat_wants(session), LEAT_WANT_READ);
        /* A routing update that cannot be read, or is not of the peer, changes nothing. */
        if (strncmp(incoming[_i].told, "routing_update [", 16) != 0) {
            ck_assert_int_eq(publish(broker, NULL, "/a", "\"x\""), LEAT_OK);
            wire_says(session, "data M 0 /a x");
        }
        leat_session_free(session);
        leat_broker_free(broker);
    }
}
END_TEST

START_TEST(subscriptions)
{
    leat_broker *broker = wire_broker(NULL, NULL);
    leat_session *session = wire_peer(broker, false, 'L', "/a");

    ck_assert_int_eq(leat_broker_subscribe(broker, "/b", 2), LEAT_OK);
    wire_says(session, "");
    ck_assert_int_eq(leat_broker_subscribe(broker, "/b/c", 4), LEAT_OK);
    wire_says(session, ""); /* what is covered need not be told */
    ck_assert_int_eq(leat_broker_subscribe(broker, "/a", 2), LEAT_OK);
    wire_says(session, "update M /a /b");
    ck_assert_int_eq(leat_broker_unsubscribe(broker, "/b", 2), LEAT_OK);
    wire_says(session, "update M /a /b/c");
    ck_assert_int_eq(leat_broker_unsubscribe(broker, "/b", 2), LEAT_E_STATE);
    ck_assert_int_eq(leat_error_code(leat_broker_error(broker)), LEAT_E_STATE);
    ck_assert_int_eq(leat_broker_forward(broker, "/f", 2), LEAT_OK);
    wire_says(session, "update M /a /b/c /f");
    ck_assert_int_eq(leat_broker_unsubscribe(broker, "/f", 2), LEAT_E_STATE);
    ck_assert_int_eq(leat_broker_subscribe(broker, NULL, 0), LEAT_OK);
    ck_assert_ptr_null(leat_broker_error(broker));
    wire_says(session, "update M \"\"");
    wire_feed(session, "data L 0 /x 1");
    wire_tells(session, "data \"/x\" \"1\"");
    ck_assert_int_eq(leat_broker_unsubscribe(broker, "", 0), LEAT_OK);
    wire_says(session, "update M /a /b/c /f");
    wire_feed(session, "data L 0 /x 1, data L 0 /f 2, data L 0 /b 3, data L 0 /b/c 4");
    wire_tells(session, "data \"/b/c\" \"4\"");
    leat_session_free(session);
    leat_broker_free(broker);
}
END_TEST

/* What changes while the handshake goes on is told behind it, once the filter was told without it. */
START_TEST(subscribe_in_handshake)
{
    static const struct {
        const char *before, *behind, *said;
    } cases[] = {
        {"hello L", "select L, syn, ack", "synack /b /c"},
        {"hello L, select L", "syn, ack", "synack /b /c"},
        {"hello L, select L, syn", "ack", "update M /b /c"},
        {"hello H", "synack", "ack, update M /b /c"},
    };
    leat_broker *broker = wire_broker(NULL, NULL);
    leat_session *session = wire_accept(broker);

    wire_feed(session, cases[_i].before);
    wire_tells(session, "");
    free(wire_said(session));
    ck_assert_int_eq(leat_broker_subscribe(broker, "/c", 2), LEAT_OK);
    wire_says(session, "");
    wire_feed(session, cases[_i].behind);
    wire_tells(session, UP);
    wire_says(session, cases[_i].said);
    leat_session_free(session);
    leat_broker_free(broker);
}
END_TEST

/* Takes all output; how much that was. */
static size_t take_all(leat_session *session)
{
    size_t length, octets = 0;

    while (leat_send_data(session, &length) != NULL) {
        ck_assert_int_eq(leat_send_done(session, length), LEAT_OK);
        octets += length;
    }
    return octets;
}

/* A filter may change to what would fit into a handshake: a type, a count and a text of 97 octets. */
START_TEST(filter_too_long)
{
    static const char update[] = "update H ";
    leat_config config;
    leat_limits limits;
    leat_broker *broker;
    leat_session *session;
    const leat_event *event;
    char said[128];

    leat_limits_init(&limits, sizeof limits);
    limits.handshake_bytes = 100;
    leat_config_init(&config, sizeof config);
    config.limits = &limits;
    broker = wire_broker(&config, NULL);
    session = wire_peer(broker, false, 'H', "/1");
    memset(said, 't', sizeof said);
    memcpy(said, update, sizeof update - 1);
    said[sizeof update - 1 + 98] = '\0';
    wire_feed(session, said);
    wire_tells(session, "routing_update: too many topics");
    ck_assert_int_eq(publish(broker, NULL, "/1", "\"x\""), LEAT_OK);
    wire_says(session, "data M 0 /1 x");
    said[sizeof update - 1 + 97] = '\0';
    wire_feed(session, said);
    ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
    ck_assert_ptr_null(leat_event_error(event));
    ck_assert_int_eq(publish(broker, NULL, "/1", "\"x\""), LEAT_OK);
    wire_says(session, "");
    leat_session_free(session);
    leat_broker_free(broker);
}
END_TEST

/* What peers are told must fit into a handshake, and be what they take: in octets, and in topics. */
START_TEST(limits_of_announcing)
{
    leat_config config;
    leat_limits limits;
    leat_broker_options options;
    leat_broker *broker;
    leat_session *session;

    leat_limits_init(&limits, sizeof limits);
    limits.handshake_bytes = 100;
    leat_config_init(&config, sizeof config);
    config.limits = &limits;
    leat_broker_options_init(&options, sizeof options);
    options.filter_topics = 4;
    broker = wire_broker(&config, &options);
    session = wire_peer(broker, false, 'L', "");
    if (_i == 0) {
        char topic[92];

        memset(topic, 't', sizeof topic); /* with 6 octets of head, a length, and "/b" and its */
        ck_assert_int_eq(leat_broker_subscribe(broker, topic, 91), LEAT_E_LIMIT);
        ck_assert_str_eq(leat_error_field(leat_broker_error(broker)), "topic");
        ck_assert_int_eq(leat_broker_forward(broker, topic, 91), LEAT_E_LIMIT);
        wire_says(session, "");
        ck_assert_int_eq(leat_broker_subscribe(broker, topic, 90), LEAT_OK);
        ck_assert_uint_eq(take_all(session), 4 + 37 + 3 + 1 + 3 + 91);
    } else {
        ck_assert_int_eq(leat_broker_subscribe(broker, "/c", 2), LEAT_OK);
        ck_assert_int_eq(leat_broker_forward(broker, "/d", 2), LEAT_OK);
        ck_assert_int_eq(leat_broker_subscribe(broker, "/e", 2), LEAT_OK);
        ck_assert_int_eq(leat_broker_subscribe(broker, "/f", 2), LEAT_E_LIMIT);
        ck_assert_int_eq(leat_broker_forward(broker, "/f", 2), LEAT_E_LIMIT);
        ck_assert_int_eq(leat_broker_subscribe(broker, "/", 1), LEAT_OK); /* covers all others */
        ck_assert_int_eq(leat_broker_subscribe(broker, "/f", 2), LEAT_OK);
        ck_assert_int_eq(leat_broker_unsubscribe(broker, "/", 1), LEAT_E_LIMIT);
        ck_assert_int_eq(leat_broker_unsubscribe(broker, "/f", 2), LEAT_OK);
        ck_assert_int_eq(leat_broker_unsubscribe(broker, "/", 1), LEAT_OK);
    }
    leat_session_free(session);
    leat_broker_free(broker);
}
END_TEST

START_TEST(refused_topics)
{
    static char topic[65537];
    leat_broker *broker = wire_broker(NULL, NULL);
    leat_session *session = wire_peer(broker, false, 'L', "\"\"");
    uint8_t id[16];

    wire_id('L', id);
    memset(topic, 't', sizeof topic);
    ck_assert_int_eq(leat_broker_subscribe(broker, topic, 65536), LEAT_E_VALUE);
    ck_assert_str_eq(leat_error_field(leat_broker_error(broker)), "topic");
    ck_assert_int_eq(leat_broker_forward(broker, topic, 65536), LEAT_E_VALUE);
    ck_assert_int_eq(leat_broker_publish(broker, topic, 65536, NULL), LEAT_E_VALUE);
    ck_assert_int_eq(leat_broker_publish_to(broker, id, topic, 65536, NULL), LEAT_E_VALUE);
    ck_assert_int_eq(leat_broker_subscribe(broker, "<$>/local/x", 11), LEAT_E_VALUE);
    ck_assert_int_eq(leat_broker_forward(broker, "<$>/local/", 10), LEAT_E_VALUE);
    ck_assert_int_eq(leat_broker_publish(broker, "<$>/local/", 10, NULL), LEAT_E_VALUE);
    ck_assert_int_eq(leat_broker_publish_to(broker, id, "<$>/local/", 10, NULL), LEAT_E_VALUE);
    wire_says(session, "");
    ck_assert_int_eq(leat_broker_subscribe(broker, "<$>/local", 9), LEAT_OK);
    wire_says(session, "update M /b <$>/local");
    ck_assert_int_eq(leat_broker_subscribe(broker, topic, 65535), LEAT_E_LIMIT);
    wire_says(session, "");
    ck_assert_int_eq(leat_broker_publish(broker, topic, 65535, NULL), LEAT_OK);
    ck_assert_uint_eq(take_all(session), 4 + 37 + 65535 + 1);
    leat_session_free(session);
    leat_broker_free(broker);
}
END_TEST

/* What cannot be written is refused even if nobody would get it, and nobody gets it. */
START_TEST(refused_values)
{
    leat_limits limits;
    leat_config config;
    leat_broker *broker;
    leat_session *session;
    char text[128];

    leat_limits_init(&limits, sizeof limits);
    leat_config_init(&config, sizeof config);
    limits.message_bytes = 100;
    config.limits = &limits;
    broker = wire_broker(&config, NULL);
    ck_assert_int_eq(publish(broker, NULL, "/a", "{\"a\":1}"), LEAT_E_VALUE);
    session = wire_peer(broker, false, 'L', "/a");
    ck_assert_int_eq(publish(broker, NULL, "/a", "{\"a\":1}"), LEAT_E_VALUE);
    ck_assert_int_eq(leat_error_code(leat_broker_error(broker)), LEAT_E_VALUE);
    ck_assert_int_eq(publish(broker, "L", "/a", "{\"a\":1}"), LEAT_E_VALUE);
    wire_says(session, "");
    (void)snprintf(text, sizeof text, "\"%060d\"", 0); /* 37 + 2 + 2 + 59 */
    ck_assert_int_eq(publish(broker, NULL, "/a", text), LEAT_E_LIMIT);
    wire_says(session, "");
    (void)snprintf(text, sizeof text, "\"%059d\"", 0);
    ck_assert_int_eq(publish(broker, NULL, "/a", text), LEAT_OK);
    ck_assert_ptr_null(leat_broker_error(broker));
    free(wire_said(session));
    leat_session_free(session);
    leat_broker_free(broker);
}
END_TEST

START_TEST(pings)
{
    leat_limits limits;
    leat_config config;
    leat_broker *broker;
    leat_session *session, *codec;
    uint8_t payload[101] = {0};
    size_t length;

    leat_limits_init(&limits, sizeof limits);
    leat_config_init(&config, sizeof config);
    limits.message_bytes = 140;
    config.limits = &limits;
    broker = wire_broker(&config, NULL);
    session = wire_accept(broker);
    ck_assert_int_eq(leat_broker_ping(session, "x", 1), LEAT_E_STATE);
    wire_feed(session, "hello L, select L, syn /a, ack");
    wire_tells(session, UP);
    free(wire_said(session));
    ck_assert_int_eq(publish(broker, NULL, "/a", "\"x\""), LEAT_OK);
    ck_assert_int_eq(leat_broker_ping(session, "x", 1), LEAT_OK);
    ck_assert_int_eq(leat_broker_ping(session, NULL, 0), LEAT_OK);
    wire_says(session, "data M 0 /a x, ping M x, ping M \"\"");
    ck_assert_int_eq(leat_broker_ping(session, "BYE", 3), LEAT_E_VALUE);
    ck_assert_int_eq(leat_error_code(leat_session_send_error(session)), LEAT_E_VALUE);
    ck_assert_int_eq(leat_broker_ping(session, "BYES", 4), LEAT_E_VALUE);
    ck_assert_int_eq(leat_broker_ping(session, "leat", 4), LEAT_E_VALUE);
    ck_assert_int_eq(leat_broker_ping(session, payload, 101), LEAT_E_LIMIT);
    wire_says(session, "");
    ck_assert_int_eq(leat_broker_ping(session, payload, 100), LEAT_OK);
    ck_assert_ptr_null(leat_session_send_error(session));
    (void)leat_send_data(session, &length);
    ck_assert_uint_eq(length, 144);
    ck_assert_int_eq(leat_broker_codec_new(NULL, LEAT_FROM_ANY, &codec), LEAT_OK);
    ck_assert_int_eq(leat_broker_ping(codec, "x", 1), LEAT_E_STATE);
    ck_assert_str_eq(leat_broker_address(codec), "");
    ck_assert_uint_eq(leat_broker_port(codec), 0);
    ck_assert_ptr_null(leat_broker_peer_id(codec));
    {
        leat_broker_stats stats = {.size = sizeof stats};

        ck_assert_int_eq(leat_broker_get_stats(codec, &stats), LEAT_E_STATE);
    }
    ck_assert_int_eq(leat_send(session, "ping", NULL), LEAT_E_STATE);
    leat_session_free(codec);
    leat_session_free(session);
    leat_broker_free(broker);
}
END_TEST

/* A peer that says nothing is pinged, and lost if it says nothing then; anything counts as a sign. */
START_TEST(liveness)
{
    leat_broker_options options;
    leat_broker *broker;
    leat_session *session;

    leat_broker_options_init(&options, sizeof options);
    options.ping_ms = 1000;
    broker = wire_broker(NULL, &options);
    session = wire_peer(broker, false, 'L', "");
    ck_assert_uint_eq(leat_broker_deadline(broker), 1000);
    leat_broker_tick(broker, 999);
    wire_says(session, "");
    leat_broker_tick(broker, 1000);
    ck_assert(is_named(broker, session));
    wire_says(session, "ping M leat");
    leat_broker_tick(broker, 1500);
    wire_feed(session, "pong L leat");
    wire_tells(session, "");
    leat_broker_tick(broker, 2000);
    wire_says(session, "");
    ck_assert_uint_eq(leat_broker_deadline(broker), 2500);
    leat_broker_tick(broker, 2400);
    wire_feed(session, "hex 00000000, data L 0 /a x");
    wire_tells(session, "");
    leat_broker_tick(broker, 3399);
    wire_says(session, "");
    leat_broker_tick(broker, 3400);
    wire_says(session, "ping M leat");
    leat_broker_tick(broker, 4399);
    wire_tells(session, "");
    leat_broker_tick(broker, 4400);
    ck_assert(is_named(broker, session));
    wire_tells(session,
               "peer_lost, endpoint_unreachable, LEAT_E_TIMEOUT at 162: the peer is silent");
    leat_session_free(session);
    leat_broker_free(broker);
}
END_TEST

/* ----- forwarding ----- */

static leat_broker *forwarder(void)
{
    leat_broker_options options;
    leat_broker *broker;

    leat_broker_options_init(&options, sizeof options);
    options.forwarding = 1;
    broker = wire_broker(NULL, &options);
    return broker;
}

START_TEST(forwarding)
{
    leat_broker *broker = forwarder();
    leat_session *low = wire_peer(broker, false, 'L', "/"), *high, *other;

    high = wire_peer(broker, false, 'H', "/f");
    other = wire_peer(broker, false, 'O', "/g");
    /* In our name, to whoever wants it but not back; whether we want it or not. */
    wire_feed(low, "data L 0 /f x, data L 0 /b y, data L 0 /g z");
    wire_tells(low, "data \"/b\" \"y\"");
    wire_says(low, "");
    wire_says(high, "data M 0 /f x");
    wire_says(other, "data M 0 /g z");
    /* To one; what is for us goes to nobody. */
    wire_feed(low, "data L H /q x, data L M /f y, data L L /f z");
    wire_tells(low, "");
    wire_says(high, "data M H /q x");
    wire_says(other, "");
    /* Not to whom it names as its sender. */
    wire_feed(low, "data H 0 /f x, data H H /f y");
    wire_tells(low, "");
    wire_says(high, "");
    /* Nobody's, ours, local ones and what cannot be read go no further. */
    wire_feed(low, "data 0 0 /f x, data M 0 /f x, data L 0 <$>/local/f x, hex 00000027 "
                   "11111111111111111111111111111111 00000000000000000000000000000000 01 0010 "
                   "0002 2f66");
    wire_tells(low, "data: nothing is there");
    wire_says(high, "");
    /* Neither do pings, pongs and routing updates. */
    wire_feed(low, "ping L x, pong L x, update L /");
    wire_tells(low, "pong \"78\", routing_update [\"/\"]");
    wire_says(low, "pong M x");
    wire_says(high, "");
    leat_session_free(other);
    free_all(broker, low, high);
}
END_TEST

START_TEST(no_forwarding)
{
    leat_broker *broker = wire_broker(NULL, NULL);
    leat_session *low = wire_peer(broker, false, 'L', "/"),
                 *high = wire_peer(broker, false, 'H', "/");

    wire_feed(low, "data L 0 /b x, data L H /b y");
    wire_tells(low, "data \"/b\" \"x\"");
    wire_says(high, "");
    free_all(broker, low, high);
}
END_TEST

/* Through a chain: each is the last hop for the next. */
START_TEST(chain)
{
    leat_broker_options options;
    struct net net;
    size_t i;

    leat_broker_options_init(&options, sizeof options);
    options.forwarding = 1;
    net_init(&net);
    for (i = 0; i < 4; i++)
        (void)net_add(&net, &options);
    for (i = 0; i < 3; i++) {
        net_peer(&net, i, i + 1, 0);
        ck_assert_int_eq(leat_broker_forward(net_broker(&net, i + 1), "/x", 2), LEAT_OK);
    }
    net_subscribe(&net, 0, "/x");
    net_subscribe(&net, 3, "/x");
    net_run(&net);
    for (i = 0; i < 4; i++)
        free(net_log(&net, i));
    net_publish(&net, 0, "/x", "on");
    net_run(&net);
    net_told(&net, 0, "");
    net_told(&net, 1, "");
    net_told(&net, 2, "");
    net_told(&net, 3, "data /x \"on\"");
    net_free(&net);
}
END_TEST

/* ----- limits and options ----- */

START_TEST(what_options_may_be)
{
    leat_broker_options options, raw;
    leat_broker *broker = NULL;
    static char address[257];
    leat_session *session;

    leat_broker_options_init(&options, sizeof options);
    ck_assert_uint_eq(options.overflow, LEAT_BROKER_DROP_OLDEST);
    ck_assert_uint_eq(options.queue_messages, 8192);
    ck_assert_uint_eq(options.filter_topics, 4096);
    ck_assert_uint_eq(options.handshake_ms, 10000);
    ck_assert_uint_eq(options.bye_ms, 3000);
    ck_assert_uint_eq(options.ping_ms, 0);
    ck_assert_uint_eq(options.forwarding, 0);
    ck_assert_int_eq(leat_broker_new(NULL, &options, &broker), LEAT_E_VALUE);
    ck_assert_int_eq(leat_broker_new(NULL, NULL, &broker), LEAT_E_VALUE);
    memset(&raw, 0, sizeof raw);
    raw.id[0] = 1;
    ck_assert_int_eq(leat_broker_new(NULL, &raw, &broker), LEAT_E_VALUE);
    options.id[15] = 1;
    options.overflow = 3;
    ck_assert_int_eq(leat_broker_new(NULL, &options, &broker), LEAT_E_VALUE);
    options.overflow = LEAT_BROKER_DROP_NEWEST;
    ck_assert_int_eq(leat_broker_new(NULL, &options, &broker), LEAT_OK);
    ck_assert_mem_eq(leat_broker_node_id(broker), options.id, 16);
    memset(address, 'a', 256);
    ck_assert_int_eq(leat_broker_peer(broker, address, 1, 0), LEAT_E_VALUE);
    ck_assert_int_eq(leat_error_code(leat_broker_error(broker)), LEAT_E_VALUE);
    ck_assert_int_eq(leat_broker_peer(broker, "n", 1, 0), LEAT_OK);
    ck_assert_ptr_null(leat_broker_error(broker));
    ck_assert_int_eq(leat_broker_unpeer(broker, "n", 1), LEAT_OK);
    ck_assert_int_eq(leat_broker_accept(broker, address, 1, &session), LEAT_E_VALUE);
    ck_assert_int_eq(leat_error_code(leat_broker_error(broker)), LEAT_E_VALUE);
    address[255] = '\0';
    ck_assert_int_eq(leat_broker_peer(broker, address, 0, 0), LEAT_E_VALUE);
    ck_assert_int_eq(leat_broker_peer(broker, address, 65536, 0), LEAT_E_VALUE);
    ck_assert_int_eq(leat_broker_peer(broker, "", 1, 0), LEAT_E_VALUE);
    ck_assert_int_eq(leat_broker_accept(broker, address, 0, &session), LEAT_E_VALUE);
    ck_assert_int_eq(leat_broker_accept(broker, address, 65536, &session), LEAT_E_VALUE);
    ck_assert_int_eq(leat_broker_accept(broker, "", 1, &session), LEAT_E_VALUE);
    ck_assert_int_eq(leat_broker_connect(broker, &session), LEAT_MORE);
    ck_assert_int_eq(leat_broker_peer(broker, address, 65535, 0), LEAT_OK);
    ck_assert_int_eq(leat_broker_connect(broker, &session), LEAT_OK);
    ck_assert_str_eq(leat_broker_address(session), address);
    leat_session_free(session);
    ck_assert_int_eq(leat_broker_accept(broker, address, 65535, &session), LEAT_OK);
    ck_assert_uint_eq(leat_broker_port(session), 65535);
    ck_assert_ptr_null(leat_broker_error(broker));
    leat_session_free(session);
    leat_broker_free(broker);
    leat_broker_free(NULL);
}
END_TEST

/* Of topics: those of a peer, in the handshake and later, and our own. */
START_TEST(too_many_topics)
{
    leat_broker_options options;
    leat_broker *broker;
    leat_session *session;

    leat_broker_options_init(&options, sizeof options);
    options.filter_topics = 3;
    broker = wire_broker(NULL, &options);
    session = wire_accept(broker);
    wire_feed(session, "hello H, synack /1 /2 /3 /4");
    wire_tells(session, "LEAT_E_LIMIT at 31: too many topics");
    leat_session_free(session);
    session = wire_peer(broker, false, 'H', "/1 /2 /3");
    wire_feed(session, "update H /4 /5 /6 /7");
    wire_tells(session, "routing_update: too many topics");
    ck_assert_int_eq(publish(broker, NULL, "/1", "\"x\""), LEAT_OK);
    ck_assert_int_eq(publish(broker, NULL, "/4", "\"x\""), LEAT_OK);
    wire_says(session, "data M 0 /1 x");
    wire_feed(session, "update H /4 /5 /6");
    wire_tells(session, "routing_update [\"/4\",\"/5\",\"/6\"]");
    ck_assert_int_eq(leat_broker_subscribe(broker, "/c", 2), LEAT_OK);
    ck_assert_int_eq(leat_broker_forward(broker, "/d", 2), LEAT_OK);
    free(wire_said(session));
    ck_assert_int_eq(leat_broker_subscribe(broker, "/e", 2), LEAT_E_LIMIT);
    ck_assert_int_eq(leat_error_code(leat_broker_error(broker)), LEAT_E_LIMIT);
    ck_assert_int_eq(leat_broker_forward(broker, "/e", 2), LEAT_E_LIMIT);
    ck_assert_int_eq(leat_broker_subscribe(broker, "/c", 2), LEAT_OK);
    wire_says(session, "");
    leat_session_free(session);
    leat_broker_free(broker);
}
END_TEST

/* Frames just as long as they may be, and by one octet longer. */
/* Whatever the limits are, a frame is not longer than Broker takes. */
START_TEST(frames_of_broker)
{
    leat_limits limits;
    leat_config config;
    leat_broker *broker;
    leat_session *session;

    leat_limits_init(&limits, sizeof limits);
    leat_config_init(&config, sizeof config);
    limits.message_bytes = UINT64_MAX;
    config.limits = &limits;
    broker = wire_broker(&config, NULL);
    session = wire_peer(broker, false, 'L', "/a");
    ck_assert_int_eq(leat_broker_ping(session, "none", 2147483643 - 39), LEAT_E_LIMIT);
    wire_feed(session, "hex 7ffffffc");
    wire_tells(session,
               "peer_lost, endpoint_unreachable, LEAT_E_LIMIT at 67: a frame over the limit");
    leat_session_free(session);
    leat_broker_free(broker);
}
END_TEST

START_TEST(frame_limits)
{
    leat_limits limits;
    leat_config config;
    leat_broker *broker;
    leat_session *session;

    leat_limits_init(&limits, sizeof limits);
    leat_config_init(&config, sizeof config);
    limits.handshake_bytes = 23;
    limits.message_bytes = 45;
    limits.values = 20;
    limits.depth = 3;
    config.limits = &limits;
    broker = wire_broker(&config, NULL);
    session = wire_accept(broker);
    wire_feed(session, "hello L");
    wire_tells(session, "");
    wire_feed(session, "hex 00000018");
    wire_tells(session, "LEAT_E_LIMIT at 27: a frame over the limit");
    leat_session_free(session);
    session = wire_accept(broker);
    wire_feed(session, "hello L, select L, syn, ack, data L 0 /b 1234");
    wire_tells(session, UP ", data \"/b\" \"1234\"");
    /* Nesting and values beyond the limits are an error of that message alone. */
    wire_feed(session, "hex 0000002d 11111111111111111111111111111111 "
                       "00000000000000000000000000000000 01 0010 0002 2f62 0e01 0e01 0e00, "
                       "hex 0000002c 11111111111111111111111111111111 "
                       "00000000000000000000000000000000 01 0010 0002 2f62 0e02 0e00 00, "
                       "data L 0 /b 1");
    wire_tells(session, "data: nested too deeply, data \"/b\" [[],null], data \"/b\" \"1\"");
    wire_feed(session, "hex 0000002e");
    wire_tells(session, "peer_lost, endpoint_unreachable, LEAT_E_LIMIT at 256: a frame over the "
                        "limit");
    leat_session_free(session);
    leat_broker_free(broker);
}
END_TEST

/* ----- what else there is ----- */

/* A command of a data store is told like data, if no store takes it; and forwarded like it. */
START_TEST(commands)
{
    leat_broker *broker = forwarder();
    leat_session *low = wire_peer(broker, false, 'L', "/"),
                 *high = wire_peer(broker, false, 'H', "/b"), *codec;
    static const char json[] = "{\"sender\":\"" ID_L "\",\"topic\":\"/b\",\"command\":{"
                               "\"name\":\"keepalive\",\"seq_arg\":7}}";
    leat_builder *command = t_json(json, sizeof json - 1);
    const leat_value *told;
    const leat_event *event;
    const uint8_t *data;
    size_t length, passed;

    ck_assert_int_eq(leat_broker_codec_new(NULL, LEAT_FROM_ANY, &codec), LEAT_OK);
    ck_assert_int_eq(leat_send(codec, "command", leat_builder_value(command)), LEAT_OK);
    data = (const uint8_t *)leat_send_data(codec, &length);
    ck_assert_int_eq(leat_feed(low, data, length), LEAT_OK);
    ck_assert_int_eq(leat_next(low, &event), LEAT_OK);
    ck_assert_uint_eq(leat_event_kind(event), LEAT_BROKER_COMMAND);
    told = leat_value_get(leat_event_value(event), "command");
    ck_assert_uint_eq(leat_value_u64(leat_value_get(told, "seq_arg")), 7);
    (void)leat_send_data(high, &passed);
    ck_assert_uint_eq(passed, length);
    /* One that is cut off is an error and goes no further. */
    ck_assert_int_eq(leat_send_done(high, passed), LEAT_OK);
    {
        struct t_bytes cut = t_copy(data, length - 1);

        cut.data[3]--;
        ck_assert_int_eq(leat_feed(low, cut.data, cut.length), LEAT_OK);
        t_free(cut);
    }
    ck_assert_int_eq(leat_next(low, &event), LEAT_OK);
    ck_assert_uint_eq(leat_event_kind(event), LEAT_BROKER_COMMAND);
    ck_assert_int_eq(leat_error_code(leat_event_error(event)), LEAT_E_SYNTAX);
    ck_assert_ptr_null(leat_event_value(event));
    wire_says(high, "");
    leat_session_free(codec);
    leat_builder_free(command);
    free_all(broker, low, high);
}
END_TEST

/* All whose id is known, in the order in which they came. */
START_TEST(list_of_peers)
{
    leat_session *first, *second, *third;
    leat_broker *broker = paused(&first, &second);
    uint8_t id[16];

    third = wire_attempt(broker, 3);
    ck_assert_ptr_null(leat_broker_peer_id(third));
    check_peers(broker, "[" PEER(ID_H, "peer", "9999", "0", "CONNECTING", "false") "," PEER(
                            ID_H, "peer", "9999", "0", "CONNECTING", "false") "]");
    wire_feed(third, "select L");
    wire_tells(third, "");
    wire_id('L', id);
    ck_assert_mem_eq(leat_broker_peer_id(third), id, 16);
    leat_session_free(second);
    check_peers(broker, "[" PEER(ID_H, "peer", "9999", "0", "CONNECTING", "false") "," PEER(
                            ID_L, "peer", "9999", "3", "CONNECTING", "true") "]");
    leat_session_free(first);
    wire_feed(third, "syn, ack");
    wire_tells(third, UP);
    ck_assert_int_eq(leat_broker_unpeer(broker, "peer", 9999), LEAT_OK);
    check_peers(broker, "[" PEER(ID_L, "peer", "9999", "3", "PEERED", "true") "]");
    ck_assert_int_eq(leat_recv_eof(third), LEAT_OK);
    wire_tells(third, BYE);
    check_peers(broker, "[]");
    free_all(broker, third, NULL);
}
END_TEST

/* A session is named once for what it has, and again for more. */
START_TEST(named_once)
{
    leat_broker *broker = wire_broker(NULL, NULL);
    leat_session *session = wire_accept(broker);

    ck_assert(is_named(broker, session));
    ck_assert(!is_named(broker, session));
    wire_feed(session, "hello L, select L, syn /a, ack");
    wire_tells(session, UP);
    ck_assert(is_named(broker, session));
    ck_assert(!is_named(broker, session));
    ck_assert_int_eq(publish(broker, NULL, "/a", "\"x\""), LEAT_OK);
    ck_assert_int_eq(publish(broker, NULL, "/a", "\"x\""), LEAT_OK);
    ck_assert(is_named(broker, session));
    ck_assert_int_eq(publish(broker, NULL, "/b", "\"x\""), LEAT_OK);
    ck_assert(!is_named(broker, session));
    ck_assert_int_eq(publish(broker, NULL, "/a", "\"x\""), LEAT_OK);
    ck_assert(is_named(broker, session));
    ck_assert_int_eq(leat_broker_unpeer(broker, "peer", 9999), LEAT_OK);
    ck_assert(is_named(broker, session));
    leat_broker_tick(broker, 3000);
    ck_assert(is_named(broker, session));
    /* One that is freed is named no more. */
    wire_tells(session, BYE);
    leat_session_free(session);
    session = wire_accept(broker);
    leat_session_free(session);
    ck_assert_int_eq(leat_broker_ready(broker, &session), LEAT_MORE);
    leat_broker_free(broker);
}
END_TEST

START_TEST(other_times)
{
    leat_broker_options options;
    leat_broker *broker;
    leat_session *first, *second;

    leat_broker_options_init(&options, sizeof options);
    options.handshake_ms = 50;
    options.bye_ms = 70;
    broker = wire_broker(NULL, &options);
    leat_broker_tick(broker, 1000);
    leat_broker_tick(broker, 500); /* it never goes back */
    first = wire_peer(broker, false, 'L', "");
    second = wire_accept(broker);
    ck_assert_uint_eq(leat_broker_deadline(broker), 1050);
    ck_assert_int_eq(leat_broker_unpeer(broker, "peer", 9999), LEAT_OK);
    ck_assert_uint_eq(leat_deadline(first), 1070);
    leat_broker_tick(broker, 1049);
    wire_tells(second, "");
    leat_broker_tick(broker, 1050);
    wire_tells(second, "LEAT_E_TIMEOUT at 0: no handshake in time");
    wire_tells(first, "");
    leat_tick(second, 1070);
    wire_tells(first, BYE);
    free_all(broker, first, second);
}
END_TEST

/* A caller that knows less of them is told that. */
START_TEST(fewer_stats)
{
    leat_broker *broker = wire_broker(NULL, NULL);
    leat_session *session = wire_peer(broker, false, 'L', "/a");
    leat_broker_stats stats;

    memset(&stats, 0xff, sizeof stats);
    stats.size = offsetof(leat_broker_stats, queued);
    ck_assert_int_eq(leat_broker_get_stats(session, &stats), LEAT_OK);
    ck_assert_uint_eq(stats.size, offsetof(leat_broker_stats, queued));
    ck_assert_uint_eq(stats.sent, 3); /* probe, hello, responder_syn_ack */
    ck_assert_uint_eq(stats.received,
                      4); /* hello, version_select, originator_syn, originator_ack */
    ck_assert_uint_eq(stats.queued, UINT64_MAX);
    stats.size = 0;
    ck_assert_int_eq(leat_broker_get_stats(session, &stats), LEAT_E_VALUE);
    ck_assert_uint_eq(stats.sent, 3);
    leat_session_free(session);
    leat_broker_free(broker);
}
END_TEST

/* What is paused waits for its own id alone. */
START_TEST(paused_for_different_ids)
{
    leat_broker *broker = wire_broker(NULL, NULL);
    leat_session *sessions[4];
    size_t i;

    for (i = 0; i < 4; i++) {
        sessions[i] = wire_accept(broker);
        wire_feed(sessions[i], i == 0 || i == 3 ? "hello H" : "hello O");
        wire_tells(sessions[i], "");
        free(wire_said(sessions[i]));
    }
    if (_i == 0) {
        leat_session_free(sessions[0]);
        sessions[0] = NULL;
        wire_says(sessions[3], "select M, syn /b");
        wire_feed(sessions[3], "synack");
        wire_tells(sessions[3], UP);
    } else {
        wire_feed(sessions[0], "synack");
        wire_tells(sessions[0], UP);
        wire_says(sessions[3], "drop M 39 redundant connection");
        wire_tells(sessions[3], "LEAT_END");
    }
    wire_says(sessions[2], "");
    wire_tells(sessions[2], "");
    wire_feed(sessions[1], "synack");
    wire_tells(sessions[1], UP);
    wire_says(sessions[2], "drop M 39 redundant connection");
    for (i = 0; i < 4; i++)
        leat_session_free(sessions[i]);
    leat_broker_free(broker);
}
END_TEST

/* Only that one code means that the peer is there already. */
START_TEST(no_takeover_otherwise)
{
    leat_broker *broker = wire_broker(NULL, NULL);
    leat_session *first = wire_peer(broker, false, 'L', ""), *second = wire_attempt(broker, 3);

    wire_feed(second, _i == 0 ? "drop L 28 bye" : "drop L 40 oh");
    wire_tells(second,
               _i == 0 ? "drop_conn 28, error 4, LEAT_END" : "drop_conn 40, error 4, LEAT_END");
    ck_assert_uint_eq(leat_broker_deadline(broker), 3000);
    free_all(broker, first, second);
}
END_TEST

/* Later in the handshake a redundant connection is none: it was us who decided. */
START_TEST(no_takeover_later)
{
    leat_broker *broker = wire_broker(NULL, NULL);
    leat_session *first = wire_peer(broker, false, 'O', ""), *second = wire_attempt(broker, 3);

    wire_feed(second, _i == 0 ? "hello H, drop O 39 again" : "select L, drop O 39 again");
    wire_tells(second, "drop_conn 39, error 4, LEAT_END");
    ck_assert_uint_eq(leat_broker_deadline(broker), 3000);
    free_all(broker, first, second);
}
END_TEST

/* A peering without a retry time gives way to one that has it. */
START_TEST(takeover_of_an_attempt)
{
    leat_broker *broker = wire_broker(NULL, NULL);
    leat_session *first = wire_attempt(broker, 0), *second;

    wire_feed(first, "select L, syn, ack");
    wire_tells(first, UP);
    ck_assert_int_eq(leat_broker_peer(broker, "other", 7, 3), LEAT_OK);
    ck_assert_int_eq(leat_broker_connect(broker, &second), LEAT_OK);
    wire_feed(second, "drop L 39 again");
    wire_tells(second, "LEAT_END");
    ck_assert_int_eq(leat_broker_unpeer(broker, "peer", 9999), LEAT_E_STATE);
    check_peers(broker, "[" PEER(ID_L, "other", "7", "3", "PEERED", "true") "]");
    ck_assert_int_eq(leat_broker_unpeer(broker, "other", 7), LEAT_OK);
    ck_assert_int_eq(leat_recv_eof(first), LEAT_OK);
    wire_tells(first, BYE);
    free_all(broker, first, second);
}
END_TEST

/* While a goodbye waits the peer goes on: it is told what changes, and gets what is published. */
START_TEST(leaving_goes_on)
{
    leat_broker *broker = wire_broker(NULL, NULL);
    leat_session *session = wire_peer(broker, false, 'L', "/a");

    ck_assert_int_eq(leat_broker_unpeer(broker, "peer", 9999), LEAT_OK);
    ck_assert_uint_eq(take_all(session), 4 + 40 + 11);
    ck_assert_int_eq(leat_broker_subscribe(broker, "/c", 2), LEAT_OK);
    ck_assert_int_eq(publish(broker, NULL, "/a", "\"x\""), LEAT_OK);
    ck_assert_int_eq(publish(broker, "L", "/q", "\"y\""), LEAT_OK);
    wire_says(session, "update M /b /c, data M 0 /a x, data M L /q y");
    leat_session_free(session);
    leat_broker_free(broker);
}
END_TEST

/* Refuses the next requests, from one of them on. */
struct refusing {
    leat_allocator allocator;
    size_t good;
};

static void *refuse(void *ctx, void *block, size_t old_bytes, size_t new_bytes)
{
    struct refusing *refusing = (struct refusing *)ctx;

    (void)old_bytes;
    if (new_bytes == 0) {
        free(block);
        return NULL;
    }
    if (refusing->good == 0)
        return NULL;
    refusing->good--;
    return realloc(block, new_bytes);
}

/* However many wait for an id, and cannot go on for want of memory: one after the other ends. */
START_TEST(paused_without_memory)
{
    struct refusing refusing = {{refuse, &refusing}, SIZE_MAX};
    static leat_session *sessions[20000];
    char topic[5000];
    leat_config config;
    leat_broker *broker;
    size_t i;

    leat_config_init(&config, sizeof config);
    config.allocator = &refusing.allocator;
    broker = wire_broker(&config, NULL);
    memset(topic, 'x', sizeof topic);
    ck_assert_int_eq(leat_broker_subscribe(broker, topic, sizeof topic), LEAT_OK);
    for (i = 0; i < 20000; i++) {
        sessions[i] = wire_accept(broker);
        wire_feed(sessions[i], "hello H");
        wire_tells(sessions[i], "");
        leat_session_trim(sessions[i]);
    }
    refusing.good = 0;
    leat_session_free(sessions[0]);
    refusing.good = SIZE_MAX;
    for (i = 1; i < 20000; i++) {
        wire_tells(sessions[i], "LEAT_E_NOMEM at 27: out of memory");
        leat_session_free(sessions[i]);
    }
    leat_broker_free(broker);
}
END_TEST

/* The peer is not lost for a ping that there is no memory for. */
START_TEST(ping_without_memory)
{
    struct refusing refusing = {{refuse, &refusing}, SIZE_MAX};
    char payload[20000] = {0};
    leat_config config;
    leat_broker *broker;
    leat_session *session;
    size_t good;
    int status = LEAT_E_NOMEM;

    leat_config_init(&config, sizeof config);
    config.allocator = &refusing.allocator;
    broker = wire_broker(&config, NULL);
    session = wire_peer(broker, false, 'L', "/a");
    for (good = 0; status == LEAT_E_NOMEM; good++) {
        refusing.good = good;
        status = leat_broker_ping(session, payload, sizeof payload);
        refusing.good = SIZE_MAX;
        ck_assert_int_eq(leat_error_code(leat_session_send_error(session)), status);
        wire_tells(session, "");
        if (status != LEAT_OK)
            wire_says(session, "");
    }
    ck_assert_int_eq(status, LEAT_OK);
    ck_assert_uint_gt(good, 2);
    (void)leat_send_data(session, &good);
    ck_assert_uint_eq(good, 4 + 40 + sizeof payload);
    leat_session_free(session);
    leat_broker_free(broker);
}
END_TEST

/* Unless LEAT_OK a call has changed nothing. */
START_TEST(refused_for_memory)
{
    struct refusing refusing = {{refuse, &refusing}, SIZE_MAX};
    leat_config config;
    leat_broker *broker;
    leat_session *session, *other;
    size_t good;
    int status = LEAT_E_NOMEM;

    leat_config_init(&config, sizeof config);
    config.allocator = &refusing.allocator;
    broker = wire_broker(&config, NULL);
    session = wire_peer(broker, false, 'L', "/a");
    /* There is room for what is said, so that the peer is not lost for that. */
    ck_assert_int_eq(leat_broker_subscribe(broker, "/warm", 5), LEAT_OK);
    ck_assert_int_eq(leat_broker_unsubscribe(broker, "/warm", 5), LEAT_OK);
    free(wire_said(session));
    for (good = 0; status == LEAT_E_NOMEM; good++) {
        refusing.good = good;
        status = leat_broker_subscribe(broker, "/c", 2);
        refusing.good = SIZE_MAX;
        if (status == LEAT_OK)
            break;
        ck_assert_int_eq(leat_error_code(leat_broker_error(broker)), LEAT_E_NOMEM);
        ck_assert_int_eq(leat_broker_unsubscribe(broker, "/c", 2), LEAT_E_STATE);
        wire_says(session, "");
    }
    ck_assert_uint_gt(good, 2);
    wire_says(session, "update M /b /c");
    status = LEAT_E_NOMEM;
    for (good = 0; status == LEAT_E_NOMEM; good++) {
        refusing.good = good;
        status = leat_broker_unsubscribe(broker, "/b", 2);
        refusing.good = SIZE_MAX;
        if (status == LEAT_OK)
            break;
        wire_feed(session, "data L 0 /b x");
        wire_tells(session, "data \"/b\" \"x\"");
        wire_says(session, "");
    }
    ck_assert_uint_gt(good, 2);
    wire_says(session, "update M /c");
    leat_session_trim(session);
    status = LEAT_E_NOMEM;
    for (good = 0; status == LEAT_E_NOMEM; good++) {
        refusing.good = good;
        status = publish(broker, NULL, "/a", "\"x\"");
        refusing.good = SIZE_MAX;
        if (status != LEAT_OK)
            wire_says(session, "");
    }
    wire_says(session, "data M 0 /a x");
    refusing.good = 0;
    ck_assert_int_eq(leat_broker_peer(broker, "more", 1, 1), LEAT_E_NOMEM);
    ck_assert_int_eq(leat_broker_accept(broker, "more", 1, &other), LEAT_E_NOMEM);
    refusing.good = SIZE_MAX;
    ck_assert_int_eq(leat_broker_connect(broker, &other), LEAT_MORE);
    ck_assert_int_eq(leat_broker_peer(broker, "more", 1, 1), LEAT_OK);
    status = LEAT_E_NOMEM;
    for (good = 0; status == LEAT_E_NOMEM; good++) {
        refusing.good = good;
        status = leat_broker_connect(broker, &other);
    }
    ck_assert_int_eq(status, LEAT_OK);
    ck_assert_uint_gt(good, 2);
    wire_says(other, "hello M");
    refusing.good = SIZE_MAX;
    free_all(broker, session, other);
}
END_TEST

static void tests(TCase *tc)
{
    tcase_add_loop_test(tc, paused_for_different_ids, 0, 2);
    tcase_add_loop_test(tc, no_takeover_otherwise, 0, 2);
    tcase_add_loop_test(tc, no_takeover_later, 0, 2);
    tcase_add_test(tc, takeover_of_an_attempt);
    tcase_add_test(tc, leaving_goes_on);
    tcase_add_test(tc, paused_without_memory);
    tcase_add_test(tc, ping_without_memory);
    tcase_add_test(tc, refused_for_memory);
    tcase_add_test(tc, commands);
    tcase_add_test(tc, list_of_peers);
    tcase_add_test(tc, named_once);
    tcase_add_test(tc, other_times);
    tcase_add_test(tc, fewer_stats);
    tcase_add_loop_test(tc, filter, 0, sizeof filters / sizeof *filters);
    tcase_add_loop_test(tc, messages_in, 0, sizeof incoming / sizeof *incoming);
    tcase_add_test(tc, subscriptions);
    tcase_add_loop_test(tc, subscribe_in_handshake, 0, 4);
    tcase_add_test(tc, refused_topics);
    tcase_add_test(tc, filter_too_long);
    tcase_add_loop_test(tc, limits_of_announcing, 0, 2);
    tcase_add_test(tc, refused_values);
    tcase_add_test(tc, pings);
    tcase_add_test(tc, liveness);
    tcase_add_test(tc, forwarding);
    tcase_add_test(tc, no_forwarding);
    tcase_add_test(tc, chain);
    tcase_add_test(tc, what_options_may_be);
    tcase_add_test(tc, too_many_topics);
    tcase_add_test(tc, frames_of_broker);
    tcase_add_test(tc, frame_limits);
    tcase_add_test(tc, paused_behind_success);
    tcase_add_loop_test(tc, paused_behind_failure, 0, 5);
    tcase_add_loop_test(tc, paused_ends, 0, 5);
    tcase_add_test(tc, paused_in_a_row);
    tcase_add_loop_test(tc, second_connection, 0, sizeof seconds / sizeof *seconds);
    tcase_add_loop_test(tc, address_takeover, 0, 4);
    tcase_add_test(tc, no_takeover);
    tcase_add_loop_test(tc, peer_again_while_leaving, 0, 2);
    tcase_add_test(tc, retries);
    tcase_add_test(tc, one_attempt);
    tcase_add_test(tc, peer_twice);
    tcase_add_test(tc, retry_never);
    tcase_add_loop_test(tc, unpeer, 0, 2);
    tcase_add_loop_test(tc, unanswered_goodbye, 0, 4);
    tcase_add_loop_test(tc, unpeer_before, 0, 3);
    tcase_add_test(tc, unpeer_nobody);
    tcase_add_test(tc, what_events_say);
    tcase_add_test(tc, both_unpeer);
    tcase_add_test(tc, unpeer_sends_all);
    tcase_add_test(tc, shutdown_ends_all);
    tcase_add_test(tc, untold_are_limited);
    tcase_add_loop_test(tc, session_freed, 0, (int)STATES + 2);
    tcase_add_loop_test(tc, endpoint_freed, 0, (int)STATES + 1);
    tcase_add_loop_test(tc, handshake, 0, (int)(STATES * MESSAGES));
    tcase_add_loop_test(tc, handshake_ends, 0, (int)STATES * 3);
    tcase_add_loop_test(tc, peers, 0, 2);
    tcase_add_test(tc, comes_back);
    tcase_add_test(tc, both_at_once);
}

T_MAIN("broker/endpoint", tests)
