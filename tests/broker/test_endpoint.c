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
     "drop M 20 failed to parse hello", "cut off, or a length beyond what is there", LEAT_E_SYNTAX,
     5},
    {"hex 00000003075a45",
     "rrrrr"
     "rrrrr",
     "drop M 20 failed to parse probe", "cut off, or a length beyond what is there", LEAT_E_SYNTAX,
     5},
    {"hex 00000003085a45",
     "rrrrr"
     "rrrrr",
     "drop M 20 failed to parse version_select", "cut off, or a length beyond what is there",
     LEAT_E_SYNTAX, 5},
    {"hex 00000003095a45",
     "rrrrr"
     "rrrrr",
     "drop M 20 failed to parse drop_conn", "cut off, or a length beyond what is there",
     LEAT_E_SYNTAX, 5},
    {"hex 000000040a010361",
     "rrrrr"
     "rrrrr",
     "drop M 20 failed to parse originator_syn", "cut off, or a length beyond what is there",
     LEAT_E_SYNTAX, 7},
    {"hex 000000020b01",
     "rrrrr"
     "rrrrr",
     "drop M 20 failed to parse responder_syn_ack", "more is announced than octets are left",
     LEAT_E_SYNTAX, 5},
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

static void tests(TCase *tc)
{
    tcase_add_loop_test(tc, handshake, 0, (int)(STATES * MESSAGES));
    tcase_add_loop_test(tc, handshake_ends, 0, (int)STATES * 3);
    tcase_add_loop_test(tc, peers, 0, 2);
    tcase_add_test(tc, comes_back);
    tcase_add_test(tc, both_at_once);
}

T_MAIN("broker/endpoint", tests)
