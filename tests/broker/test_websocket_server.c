/*
 * Clients of an endpoint over WebSocket: what a server of each flavour says to them, and what the
 * endpoint makes of what they say. Clients are scripts of octets here.
 */
#include "ws.h"

#include <stdio.h>

#define ZEEK   LEAT_BROKER_WEBSOCKET_ZEEK
#define BROKER LEAT_BROKER_WEBSOCKET_BROKER

static leat_broker *make_broker(const leat_config *config)
{
    leat_broker_options options;
    leat_broker *broker = NULL;

    leat_broker_options_init(&options, sizeof options);
    memset(options.id, 0xb0, sizeof options.id);
    if (leat_broker_new(config, &options, &broker) != LEAT_OK)
        return NULL;
    leat_broker_tick(broker, 1000);
    if (leat_broker_subscribe(broker, "/t", 2) != LEAT_OK) {
        leat_broker_free(broker);
        return NULL;
    }
    return broker;
}

static leat_session *serve(leat_broker *broker, uint32_t flavour)
{
    leat_broker_websocket_options options;
    leat_session *session = NULL;

    ws_server_options(&options, flavour);
    ck_assert_int_eq(leat_broker_websocket_accept(broker, &options, "client", 4711, &session),
                     LEAT_OK);
    return session;
}

/* Takes what the server said. */
static void take(struct t_bytes *log, leat_session *session, uint32_t from)
{
    size_t length;
    const void *octets = leat_send_data(session, &length);

    ws_tell(log, "> ", from, octets, length);
    ck_assert_int_eq(leat_send_done(session, length), LEAT_OK);
}

static void end(struct t_bytes *log, leat_session *session, int status)
{
    ws_note(log, "%s", leat_status_name(status));
    if (status < 0)
        ws_note(log, " at %u: %s: %s", (unsigned)leat_error_offset(leat_session_error(session)),
                leat_error_text(leat_session_error(session)),
                leat_error_field(leat_session_error(session)));
}

/* Events first, then all that was said, then how it ended. */
static char *converse(uint32_t flavour, const struct t_bytes *octets, size_t cut, size_t first,
                      bool eof)
{
    leat_broker *broker = make_broker(NULL);
    leat_session *session = serve(broker, flavour);
    struct t_bytes log = t_copy("", 0);
    size_t at = 0;
    int status = LEAT_MORE;

    while (at < octets->length && status == LEAT_MORE) {
        size_t piece = at == 0 && first > 0 ? first : cut;

        piece = piece == 0 || piece > octets->length - at ? octets->length - at : piece;
        (void)leat_feed(session, octets->data + at, piece);
        at += piece;
        status = ws_draw(&log, session);
    }
    if (eof && status == LEAT_MORE) {
        (void)leat_recv_eof(session);
        status = ws_draw(&log, session);
    }
    take(&log, session, LEAT_FROM_SERVER);
    end(&log, session, status);
    leat_session_free(session);
    leat_broker_free(broker);
    return (char *)log.data;
}

/* Lines of a log. */
#define REQUEST(path, query, origin, name)                                                         \
    "upgrade {\"path\":\"" path "\",\"query\":" query ",\"host\":\"127.0.0.1\",\"origin\":" origin \
    ",\"application_name\":" name ",\"key\":\"" WS_KEY "\"}\n"
#define ASKED REQUEST("/v1/messages/json", "null", "null", "null")
#define ID    "c1c1c1c1-c1c1-c1c1-c1c1-c1c1c1c1c1c1"
#define NODE  "b0b0b0b0-b0b0-b0b0-b0b0-b0b0b0b0b0b0"
#define STATUS(name, network, msg)                                                                 \
    name " {\"endpoint\":{\"id\":\"" ID "\",\"network\":" network ",\"retry_s\":0},\"msg\":\"" msg \
         "\"}\n"
#define NETWORK "{\"address\":\"client\",\"bound_port\":\"4711/tcp\"}"
#define ADDED                                                                                      \
    STATUS("endpoint_discovered", "null", "found a new client in the network")                     \
    STATUS("peer_added", NETWORK, "handshake successful")
#define LOST                                                                                       \
    STATUS("peer_lost", NETWORK, "lost connection to client")                                      \
    STATUS("endpoint_unreachable", "null", "lost the last path")
#define DATA(n) "data {\"sender\":\"" ID "\",\"topic\":\"/t\",\"data\":" #n "}\n"
#define BEGINS  "> response 101\n"
#define PING                                                                                       \
    "> ping \""                                                                                    \
    "6c6561743a3a6865617274626561743a3a30"                                                         \
    "\"\n"
#define ACKS "> text {\"type\":\"ack\",\"endpoint\":\"" NODE "\",\"version\":\"v\"}\n"
#define ZEEK_ACKS                                                                                  \
    "> text {\"type\":\"ack\",\"endpoint\":\"" NODE "-websocket-0\",\"version\":\"v\"}\n"
#define ERROR(text)                                                                                \
    "> text {\"type\":\"error\",\"code\":\"deserialization_failed\",\"context\":\"" text "\"}\n"

/* An event as Zeek has it. */
#define EVENT(topic)                                                                               \
    "{\"type\":\"data-message\",\"topic\":\"" topic "\",\"@data-type\":\"vector\",\"data\":["      \
    "{\"@data-type\":\"count\",\"data\":1},{\"@data-type\":\"count\",\"data\":1},"                 \
    "{\"@data-type\":\"vector\",\"data\":[{\"@data-type\":\"string\",\"data\":\"e\"},"             \
    "{\"@data-type\":\"vector\",\"data\":[]}]}]}"

/* From the request on, up and going. */
#define UP        "ASKED TEXT<[\"/s\"]> "
#define HAS_COME  ASKED ADDED
#define WAS_HEARD BEGINS ACKS

static const struct {
    const char *name;
    uint32_t flavour;
    const char *script;
    bool eof;
    const char *log;
} cases[] = {
    /* Of the first text. */
    {"nothing", BROKER, "", true, "LEAT_END"},
    {"a request", BROKER, "ASKED", true, ASKED BEGINS "LEAT_END"},
    {"a request, Zeek", ZEEK, "ASKED", true, ASKED BEGINS PING "LEAT_END"},
    {"topics", BROKER, "ASKED TEXT<[\"/s\"]>", true, ASKED ADDED LOST BEGINS ACKS "LEAT_END"},
    {"topics, Zeek", ZEEK, "ASKED TEXT<[\"/s\"]>", true,
     ASKED ADDED LOST BEGINS PING ZEEK_ACKS "LEAT_END"},
    {"no topics", BROKER, "ASKED TEXT<[]>", true, ASKED ADDED LOST BEGINS ACKS "LEAT_END"},
    {"an object", BROKER, "ASKED TEXT<{}> TEXT<[]> TEXT<" WS_DATA(1) ">", true,
     ASKED BEGINS "LEAT_END"},
    {"an object, Zeek", ZEEK, "ASKED TEXT<{}> TEXT<[]>", true,
     ASKED BEGINS PING ERROR("subscriptions not an array") "LEAT_END"},
    {"not JSON, Zeek", ZEEK, "ASKED TEXT<[}>", true,
     ASKED BEGINS PING ERROR("subscriptions not an array") "LEAT_END"},
    {"a number, Zeek", ZEEK, "ASKED TEXT<[\"/x\",1]>", true,
     ASKED BEGINS PING ERROR("individual subscription not a string") "LEAT_END"},
    {"a ping first", BROKER, "ASKED PING<a> TEXT<[]>", true,
     ASKED ADDED LOST BEGINS "> pong \"61\"\n" ACKS "LEAT_END"},
    {"a close first", BROKER, "ASKED CLOSE<1000 bye>", false,
     ASKED "close {\"code\":1000,\"reason\":\"bye\"}\n" BEGINS "> close 1000 bye\nLEAT_END"},

    /* Data, as Broker takes it. */
    {"data", BROKER, UP "TEXT<" WS_DATA(1) ">", true, HAS_COME DATA(1) LOST WAS_HEARD "LEAT_END"},
    {"data in fragments", BROKER,
     UP "TEXT+<{\"topic\":\"/t\",> CONT+<> PING<x> CONT<\"@data-type\":\"count\",\"data\":2}>",
     true, HAS_COME DATA(2) LOST WAS_HEARD "> pong \"78\"\nLEAT_END"},
    {"data of another topic", BROKER, UP "TEXT<{\"topic\":\"/u\",\"@data-type\":\"none\"}>", true,
     HAS_COME LOST WAS_HEARD "LEAT_END"},
    {"data of a topic that is local", BROKER,
     UP "HEX<"
        "81ab000000007b22746f706963223a223c243e2f6c6f63616c2f78222c2240646174612d74797065223a226e6f"
        "6e65227d>",
     true, HAS_COME LOST WAS_HEARD "LEAT_END"},
    {"malformed", BROKER, UP "TEXT<How is it going?>", true,
     HAS_COME LOST WAS_HEARD ERROR(
         "input #1 contained malformed JSON -> caf::pec::unexpected_character(1, 1)") "LEAT_END"},
    {"empty", BROKER, UP "TEXT<" WS_DATA(1) "> TEXT<>", true,
     HAS_COME DATA(1) LOST WAS_HEARD ERROR(
         "input #2 contained malformed JSON -> caf::pec::unexpected_eof(1, 1)") "LEAT_END"},
    {"empty, in fragments", BROKER, UP "TEXT+<> CONT<>", true,
     HAS_COME LOST WAS_HEARD ERROR(
         "input #1 contained malformed JSON -> caf::pec::unexpected_eof(1, 1)") "LEAT_END"},
    {"no object", BROKER, UP "TEXT<[]>", true,
     HAS_COME LOST WAS_HEARD ERROR("input #1 expected a JSON object") "LEAT_END"},
    {"no data", BROKER, UP "TEXT<{}>", true,
     HAS_COME LOST WAS_HEARD ERROR("input #1 contained invalid data") "LEAT_END"},
    {"data without a type", BROKER, UP "TEXT<{\"topic\":\"/t\",\"data\":1}> TEXT<{\"data\":1}>",
     true,
     HAS_COME LOST WAS_HEARD ERROR("input #1 contained invalid data")
         ERROR("input #2 contained invalid data") "LEAT_END"},
    {"wrong data", BROKER, UP "TEXT<{\"@data-type\":\"count\",\"data\":-1}>", true,
     HAS_COME LOST WAS_HEARD ERROR("input #1 contained invalid data") "LEAT_END"},
    {"a bad address, which aborts a Zeek", BROKER,
     UP "TEXT<{\"topic\":\"/t\",\"@data-type\":\"address\",\"data\":\"nonsense\"}>", true,
     HAS_COME LOST WAS_HEARD ERROR("input #1 contained invalid data") "LEAT_END"},
    {"an element that is there twice", BROKER,
     UP "TEXT<{\"@data-type\":\"set\",\"data\":[{\"@data-type\":\"count\",\"data\":1},"
        "{\"@data-type\":\"count\",\"data\":1}]}>",
     true,
     HAS_COME LOST WAS_HEARD ERROR(
         "input #1 caused an internal error -> "
         "deserialization_failed(\\\"failed to parse data\\\")") "LEAT_END"},

/* Events, as Zeek takes them. */
#define ZEEK_UP  ASKED ADDED
#define ZEEK_WAS BEGINS PING ZEEK_ACKS
    {"an event", ZEEK, UP "TEXT<" EVENT("/t") ">", true,
     ZEEK_UP "data {\"sender\":\"" ID
             "\",\"topic\":\"/t\",\"data\":[1,1,[\"e\",[]]]}\n" LOST ZEEK_WAS "LEAT_END"},
    {"an empty topic", ZEEK, UP "TEXT<" EVENT("") ">", true, ZEEK_UP LOST ZEEK_WAS "LEAT_END"},
    {"in a binary message", ZEEK, UP "BINARY<" EVENT("") ">", true,
     ZEEK_UP LOST ZEEK_WAS "LEAT_END"},
    {"no topic", ZEEK, UP "TEXT<{\"@data-type\":\"count\",\"data\":1}>", true,
     ZEEK_UP LOST ZEEK_WAS ERROR("no topic in top-level JSON object") "LEAT_END"},
    {"data without a type, Zeek", ZEEK, UP "TEXT<{\"data\":[1,1,[\"e\"]]}>", true,
     ZEEK_UP LOST ZEEK_WAS ERROR("failed to decode JSON object") "LEAT_END"},
    {"no event", ZEEK, UP "TEXT<" WS_DATA(1) ">", true,
     ZEEK_UP LOST ZEEK_WAS ERROR("failed to create Zeek event") "LEAT_END"},
    {"a bad object", ZEEK, UP "TEXT<{> TEXT<[]> TEXT<>", true,
     ZEEK_UP LOST ZEEK_WAS ERROR("failed to decode JSON object")
         ERROR("failed to decode JSON object") ERROR("failed to decode JSON object") "LEAT_END"},

    /* Frames. */
    {"not masked", ZEEK, UP "HEX<8100>", false,
     ZEEK_UP LOST ZEEK_WAS "> close 1002 A frame without a mask\n"
                           "LEAT_E_FRAME at 176: A frame without a mask: "},
    {"a reserved bit", ZEEK, UP "HEX<a18000000000>", false,
     ZEEK_UP LOST ZEEK_WAS
     "> close 1002 Reserved bit used\nLEAT_E_FRAME at 176: Reserved bit used: "},
    {"a reserved opcode", ZEEK, UP "HEX<838000000000>", false,
     ZEEK_UP LOST ZEEK_WAS "> close 1002 Protocol error\nLEAT_E_FRAME at 176: Protocol error: "},
    {"65535 in eight octets", ZEEK, UP "HEX<81ff000000000000ffff00000000>", false,
     ZEEK_UP LOST ZEEK_WAS "> close 1002 A length that is not in its shortest form\n"
                           "LEAT_E_FRAME at 176: A length that is not in its shortest form: "},
    {"a continuation of nothing", BROKER, UP "CONT<x>", false,
     HAS_COME LOST WAS_HEARD
     "> close 1002 Fragmentation: continuation opcode out of sequence\n"
     "LEAT_E_FRAME at 176: Fragmentation: continuation opcode out of sequence: "},
    {"a binary message, Broker", BROKER, UP "BINARY<x>", false,
     HAS_COME LOST WAS_HEARD "> close 1003 A message that is not a text\n"
                             "LEAT_E_PROTOCOL at 176: A message that is not a text: "},
    {"not UTF-8", ZEEK, UP "HEX<818100000000ff>", false,
     ZEEK_UP LOST ZEEK_WAS "> close 1007 Invalid frame payload data\n"
                           "LEAT_E_SYNTAX at 176: Invalid frame payload data: "},
    {"UTF-8 that is cut by a fragment", ZEEK, UP "HEX<018100000000c3> PING<> HEX<808100000000bc>",
     true, ZEEK_UP LOST ZEEK_WAS "> pong \"\"\n" ERROR("failed to decode JSON object") "LEAT_END"},
    {"not UTF-8 over fragments", ZEEK, UP "HEX<018100000000c3> HEX<808100000000c3>", false,
     ZEEK_UP LOST ZEEK_WAS "> close 1007 Invalid frame payload data\n"
                           "LEAT_E_SYNTAX at 183: Invalid frame payload data: "},
    {"the stream ends in a frame", ZEEK, UP "HEX<81>", true,
     ZEEK_UP LOST ZEEK_WAS "LEAT_E_END at 177: the stream ended inside a message: "},
    {"the stream ends in fragments", ZEEK, UP "TEXT+<>", true,
     ZEEK_UP LOST ZEEK_WAS "LEAT_E_END at 182: the stream ended inside a message: "},
    {"pongs", ZEEK, UP "PONG<leat::heartbeat::0> PONG<x>", true,
     ZEEK_UP "pong {\"payload\":\"78\"}\n" LOST ZEEK_WAS "LEAT_END"},

    /* Closes. */
    {"close", BROKER, UP "CLOSE<1000 bye> TEXT<" WS_DATA(1) ">", false,
     HAS_COME "close {\"code\":1000,\"reason\":\"bye\"}\n" LOST WAS_HEARD
              "> close 1000 bye\nLEAT_END"},
    {"close without a code", ZEEK, UP "CLOSE<>", false,
     ZEEK_UP "close {\"code\":null,\"reason\":\"\"}\n" LOST ZEEK_WAS "> close\nLEAT_END"},
    {"close 999", ZEEK, UP "CLOSE<999>", false,
     ZEEK_UP LOST ZEEK_WAS
     "> close 1002 Invalid close code\nLEAT_E_FRAME at 176: Invalid close code: "},
};

START_TEST(conversation)
{
    struct t_bytes octets = ws_script(cases[_i].script, true);
    char *whole = converse(cases[_i].flavour, &octets, 0, 0, cases[_i].eof), *other;
    size_t cut;

    ck_assert_msg(strcmp(whole, cases[_i].log) == 0, "%s:\n%s\n%s", cases[_i].name, whole,
                  cases[_i].log);
    for (cut = 1; cut <= octets.length; cut++) {
        other = converse(cases[_i].flavour, &octets, cut == 1 ? 1 : 0, cut == 1 ? 0 : cut,
                         cases[_i].eof);
        ck_assert_msg(strcmp(whole, other) == 0, "%s, cut at %u:\n%s", cases[_i].name,
                      (unsigned)cut, other);
        free(other);
    }
    free(whole);
    t_free(octets);
}
END_TEST

/* ----- the upgrade ----- */

#define GET     "GET /v1/messages/json HTTP/1.1\r\n"
#define UPGRADE "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define KEY     "Sec-WebSocket-Key: " WS_KEY "\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"

static const struct {
    const char *name;
    const char *request;
    const char *broker; /* the first line and the text of a refusal; NULL: it is taken */
    const char *zeek;   /* the same; in <> what it is closed with at once */
} requests[] = {
    {"all", GET UPGRADE KEY VERSION "\r\n", NULL, NULL},
    {"a query", "GET /v1/messages/json?x HTTP/1.1\r\n" UPGRADE KEY VERSION "\r\n", NULL,
     "<Invalid URI - use /v1/messages/json>"},
    {"another path", "GET /foo HTTP/1.1\r\n" UPGRADE KEY VERSION "\r\n",
     "400 Bad Request|caf::sec::invalid_argument(\"invalid path; try /v1/messages/json\")",
     "<Invalid URI - use /v1/messages/json>"},
    {"a longer path", "GET /v1/messages/json/ HTTP/1.1\r\n" UPGRADE KEY VERSION "\r\n",
     "400 Bad Request|caf::sec::invalid_argument(\"invalid path; try /v1/messages/json\")",
     "<Invalid URI - use /v1/messages/json>"},
    {"no path", "GET v1 HTTP/1.1\r\n" UPGRADE KEY VERSION "\r\n",
     "400 Bad Request|Malformed Request-URI: expected an absolute path.",
     "<Invalid URI - use /v1/messages/json>"},
    {"a good name", GET UPGRADE KEY VERSION "X-Application-Name: zt-test/1.0_a=b:c*d@e\r\n\r\n",
     NULL, NULL},
    {"an empty name", GET UPGRADE KEY VERSION "X-Application-Name: \r\n\r\n", NULL, NULL},
    {"a bad name", GET UPGRADE KEY VERSION "X-Application-Name: bad name\r\n\r\n", NULL,
     "<Invalid X-Application-Name>"},
    {"two names", GET UPGRADE KEY VERSION "X-Application-Name: a\r\nX-Application-Name: a\r\n\r\n",
     NULL, "<Invalid X-Application-Name>"},
    {"POST", "POST /v1/messages/json HTTP/1.1\r\n" UPGRADE KEY VERSION "\r\n",
     "400 Bad Request|Expected a WebSocket handshake.",
     "400 Invalid HTTP method, need GET, got POST|"},
    {"a long method",
     "A234567890123456789012345678901234567890 /v1/messages/json HTTP/1.1\r\n" UPGRADE KEY VERSION
     "\r\n",
     "400 Bad Request|Expected a WebSocket handshake.",
     "400 Invalid HTTP method, need GET, got A2345678901234567890123456789012|"},
    {"small letters", "get /v1/messages/json HTTP/1.1\r\n" UPGRADE KEY VERSION "\r\n",
     "400 Bad Request|Expected a WebSocket handshake.",
     "400 Invalid HTTP method, need GET, got get|"},
    {"HTTP/1.0", "GET /v1/messages/json HTTP/1.0\r\n" UPGRADE KEY VERSION "\r\n", NULL,
     "400 Invalid HTTP version, need HTTP/1.1, got: HTTP/1.0|"},
    {"no key", GET UPGRADE VERSION "\r\n",
     "400 Bad Request|Mandatory field Sec-WebSocket-Key missing or invalid.",
     "400 Missing Sec-WebSocket-Key value|"},
    {"a short key", GET UPGRADE VERSION "Sec-WebSocket-Key: abc\r\n\r\n",
     "400 Bad Request|Mandatory field Sec-WebSocket-Key missing or invalid.",
     "400 Missing Sec-WebSocket-Key value|"},
    {"two keys", GET UPGRADE KEY KEY VERSION "\r\n",
     "400 Bad Request|Mandatory field Sec-WebSocket-Key missing or invalid.",
     "400 Missing Sec-WebSocket-Key value|"},
    {"no Upgrade", GET "Connection: Upgrade\r\n" KEY VERSION "\r\n", NULL,
     "400 Missing Upgrade header|"},
    {"no Connection", GET "Upgrade: websocket\r\n" KEY VERSION "\r\n", NULL,
     "400 Missing Connection header|"},
    {"lists of them",
     GET "upgrade: h2c, WebSocket\r\nCONNECTION: keep-alive, upgrade\r\n" KEY VERSION "\r\n", NULL,
     NULL},
    {"no version", GET UPGRADE KEY "\r\n", NULL, "400 Missing Sec-WebSocket-Version value|"},
    {"another version", GET UPGRADE KEY "Sec-WebSocket-Version: 8\r\n\r\n", NULL,
     "400 Invalid Sec-WebSocket-Version, need 13, got 8|"},
    {"two versions", GET UPGRADE KEY VERSION VERSION "\r\n", NULL,
     "400 Invalid Sec-WebSocket-Version, need 13, got 13|"},
    {"two hosts", GET UPGRADE KEY VERSION "Host: a\r\nHost: b\r\n\r\n",
     "400 Bad Request|Expected a WebSocket handshake.", "400 Error parsing HTTP headers|"},
    {"an empty body", GET UPGRADE KEY VERSION "Content-Length: 0\r\n\r\n", NULL, NULL},
    {"a body", GET UPGRADE KEY VERSION "Content-Length: 1\r\n\r\n",
     "400 Bad Request|Expected a WebSocket handshake.", "400 Error parsing HTTP headers|"},
    {"a body in chunks", GET UPGRADE KEY VERSION "Transfer-Encoding: chunked\r\n\r\n",
     "400 Bad Request|Expected a WebSocket handshake.", "400 Error parsing HTTP headers|"},
    {"extensions and protocols",
     GET UPGRADE KEY VERSION
     "Sec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Protocol: chat\r\n\r\n",
     NULL, NULL},
    {"no HTTP", "hello\r\n\r\n", "400 Bad Request|Expected a WebSocket handshake.",
     "400 Error parsing HTTP headers|"},
    {"a folded line", GET UPGRADE KEY VERSION " x\r\n\r\n",
     "400 Bad Request|Expected a WebSocket handshake.", "400 Error parsing HTTP headers|"},
    {"bare line feeds", "GET /v1/messages/json HTTP/1.1\n",
     "400 Bad Request|Expected a WebSocket handshake.", "400 Error parsing HTTP headers|"},
};

START_TEST(request)
{
    uint32_t flavour;

    for (flavour = BROKER; flavour <= ZEEK; flavour++) {
        const char *text = requests[_i].request;
        const char *expected = flavour == BROKER ? requests[_i].broker : requests[_i].zeek;
        leat_broker *broker = make_broker(NULL);
        leat_session *session = serve(broker, flavour);
        struct t_bytes log = t_copy("", 0);
        char answer[512];
        size_t length;
        const char *sent;
        int status;

        ck_assert_int_eq(leat_feed(session, text, strlen(text)), LEAT_OK);
        status = ws_draw(&log, session);
        sent = leat_send_data(session, &length);
        snprintf(answer, sizeof answer, "%.*s", (int)length, sent == NULL ? "" : sent);
        if (expected == NULL || *expected == '<') {
            ck_assert_msg(status == LEAT_MORE, "%s: %s", requests[_i].name, answer);
            ck_assert_msg(strncmp(answer, "HTTP/1.1 101 Switching Protocols\r\n", 34) == 0,
                          "%s: %s", requests[_i].name, answer);
        }
        if (expected == NULL) {
            ck_assert_int_eq(leat_feed(session, "\x81\x82\0\0\0\0[]", 8), LEAT_OK);
            ck_assert_msg(ws_draw(&log, session) == LEAT_MORE, "%s", requests[_i].name);
            take(&log, session, LEAT_FROM_SERVER);
            ck_assert_msg(strstr((char *)log.data, "\"ack\"") != NULL, "%s", requests[_i].name);
        } else if (*expected == '<') {
            char closing[128];

            take(&log, session, LEAT_FROM_SERVER);
            snprintf(closing, sizeof closing, "> close 1008 %.*s\n", (int)strlen(expected) - 2,
                     expected + 1);
            ck_assert_msg(strstr((char *)log.data, closing) != NULL, "%s:\n%s", requests[_i].name,
                          (char *)log.data);
            ck_assert_int_eq(leat_feed(session, "\x88\x80\0\0\0\0", 6), LEAT_OK);
            ck_assert_int_eq(ws_draw(&log, session), LEAT_END);
        } else {
            const char *body = strchr(expected, '|') + 1;
            char whole[512];

            snprintf(whole, sizeof whole, "HTTP/1.1 %.*s\r\n%sContent-Length: %u\r\n\r\n%s",
                     (int)(body - 1 - expected), expected,
                     flavour == BROKER ? "Content-Type: text/plain\r\n" : "",
                     (unsigned)strlen(body), body);
            ck_assert_str_eq(answer, whole);
            ck_assert_msg(status == LEAT_E_PROTOCOL || status == LEAT_E_SYNTAX, "%s",
                          requests[_i].name);
            ck_assert_uint_eq(leat_wants(session), LEAT_WANT_WRITE | LEAT_WANT_CLOSE);
        }
        t_free(log);
        leat_session_free(session);
        leat_broker_free(broker);
    }
}
END_TEST

/* A head of the most octets is read; one more is too much. */
START_TEST(limit_of_the_head)
{
    uint32_t flavour = _i / 2 ? ZEEK : BROKER;
    size_t most = flavour == ZEEK ? 16384 : 2048;
    leat_broker *broker = make_broker(NULL);
    leat_session *session = serve(broker, flavour);
    struct t_bytes octets = t_copy(WS_ASKED, strlen(WS_ASKED) - 2), log = t_copy("", 0);

    t_append(&octets, "x: ", 3);
    while (octets.length < most - 4 + (size_t)(_i % 2))
        t_append(&octets, "y", 1);
    t_append(&octets, "\r\n\r\n", 4);
    ck_assert_int_eq(leat_feed(session, octets.data, octets.length), LEAT_OK);
    ck_assert_int_eq(ws_draw(&log, session), _i % 2 ? LEAT_E_LIMIT : LEAT_MORE);
    t_free(log);
    log = t_copy("", 0);
    take(&log, session, LEAT_FROM_SERVER);
    ck_assert_int_eq(strncmp((char *)log.data, _i % 2 ? "> response 431\n" : BEGINS, 15), 0);
    t_free(log);
    t_free(octets);
    leat_session_free(session);
    leat_broker_free(broker);
}
END_TEST

/* The caller decides. */
START_TEST(decision)
{
    leat_broker *broker = make_broker(NULL);
    leat_session *session = serve(broker, ZEEK);
    const leat_event *event;
    struct t_bytes log = t_copy("", 0);
    const char *sent;
    size_t length;

    ck_assert_int_eq(leat_broker_websocket_upgrade(session, WS_ACCEPT), LEAT_E_STATE);
    ck_assert_int_eq(leat_broker_websocket_refuse(session, 403, "no"), LEAT_E_STATE);
    ck_assert_int_eq(leat_broker_websocket_ping(session, "a", 1), LEAT_E_STATE);
    ck_assert_int_eq(leat_feed(session, WS_ASKED, strlen(WS_ASKED)), LEAT_OK);
    ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
    ck_assert_uint_eq(leat_event_kind(event), LEAT_BROKER_UPGRADE);
    ck_assert_int_eq(leat_next(session, &event), LEAT_PAUSED);
    ck_assert_uint_eq(leat_wants(session), 0);
    ck_assert_int_eq(leat_broker_websocket_upgrade(session, "short"), LEAT_E_VALUE);
    ck_assert_int_eq(leat_broker_websocket_upgrade(session, WS_KEY "...="), LEAT_E_VALUE);
    ck_assert_int_eq(leat_broker_websocket_refuse(session, 399, "no"), LEAT_E_VALUE);
    ck_assert_int_eq(leat_broker_websocket_refuse(session, 600, "no"), LEAT_E_VALUE);
    ck_assert_int_eq(leat_broker_websocket_refuse(session, 403, "a\r\nb: c"), LEAT_E_VALUE);
    ck_assert_int_eq(leat_broker_websocket_close(session, 1000, "", 0), LEAT_E_STATE);
    sent = leat_send_data(session, &length);
    ck_assert_uint_eq(length, 0);
    ck_assert_int_eq(leat_next(session, &event), LEAT_PAUSED);
    if (_i == 0) {
        static const char refusal[] =
            "HTTP/1.1 403 Not from there\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

        ck_assert_int_eq(leat_broker_websocket_refuse(session, 403, "Not from there"), LEAT_OK);
        ck_assert_int_eq(leat_next(session, &event), LEAT_END);
        sent = leat_send_data(session, &length);
        ck_assert_uint_eq(length, strlen(refusal));
        ck_assert_mem_eq(sent, refusal, length);
    } else if (_i == 1) {
        ck_assert_int_eq(leat_broker_websocket_upgrade(session, WS_ACCEPT), LEAT_OK);
        ck_assert_int_eq(leat_broker_websocket_upgrade(session, WS_ACCEPT), LEAT_E_STATE);
        take(&log, session, LEAT_FROM_SERVER);
        ck_assert_uint_eq(leat_deadline(session), 0); /* there may be octets behind the request */
        ck_assert_int_eq(leat_next(session, &event), LEAT_MORE);
    } else {
        ck_assert_int_eq(leat_recv_eof(session), LEAT_OK);
        ck_assert_int_eq(leat_next(session, &event), LEAT_END);
        ck_assert_int_eq(leat_broker_websocket_upgrade(session, WS_ACCEPT), LEAT_E_STATE);
    }
    t_free(log);
    leat_session_free(session);
    leat_broker_free(broker);
}
END_TEST

START_TEST(bad_options)
{
    leat_broker *broker = make_broker(NULL);
    leat_broker_websocket_options good, options;
    leat_session *session = NULL, *first;

    ws_server_options(&good, ZEEK);
    ck_assert_int_eq(leat_broker_websocket_accept(broker, &good, "a", 1, &first), LEAT_OK);
#define REFUSED(change)                                                                            \
    options = good;                                                                                \
    options.id[0]++;                                                                               \
    change;                                                                                        \
    ck_assert_msg(leat_broker_websocket_accept(broker, &options, "a", 1, &session) ==              \
                      LEAT_E_VALUE,                                                                \
                  "%s", #change)
    REFUSED(options.size = 0);
    REFUSED(options.id[0]--); /* there is one of that id */
    REFUSED(memset(options.id, 0, 16));
    REFUSED(memset(options.id, 0xb0, 16));
    REFUSED(options.flavour = 2);
    REFUSED(options.version = "\xff");
    options = good;
    options.id[0]++;
    ck_assert_int_eq(leat_broker_websocket_accept(broker, &options, "", 1, &session), LEAT_E_VALUE);
    ck_assert_ptr_null(session);
    leat_session_free(first);
    leat_broker_free(broker);
}
END_TEST

/* ----- publishing ----- */

static leat_session *up(leat_broker *broker, uint32_t flavour, uint8_t id, const char *topics)
{
    leat_broker_websocket_options options;
    struct t_bytes octets = t_copy(WS_ASKED, strlen(WS_ASKED)), log = t_copy("", 0);
    leat_session *session;

    ws_server_options(&options, flavour);
    options.id[15] = id;
    ck_assert_int_eq(leat_broker_websocket_accept(broker, &options, "client", id, &session),
                     LEAT_OK);
    ws_frame(&octets, 0x81, "\1\2\3\4", topics, strlen(topics));
    ck_assert_int_eq(leat_feed(session, octets.data, octets.length), LEAT_OK);
    ck_assert_int_eq(ws_draw(&log, session), LEAT_MORE);
    take(&log, session, LEAT_FROM_SERVER);
    t_free(log);
    t_free(octets);
    return session;
}

static void says(leat_session *session, const char *expected)
{
    struct t_bytes log = t_copy("", 0);

    take(&log, session, LEAT_FROM_SERVER);
    ck_assert_str_eq((char *)log.data, expected);
    t_free(log);
}

START_TEST(published)
{
    leat_broker *broker = make_broker(NULL);
    leat_session *a = up(broker, BROKER, 1, "[\"/t\"]"),
                 *b = up(broker, ZEEK, 2, "[\"/t/\",\"/u\"]");
    struct t_bytes octets = t_copy("", 0), log = t_copy("", 0);
    leat_builder *builder = t_json("5", 1), *text;
    leat_session *ready[2];

    /* By the endpoint. */
    ck_assert_int_eq(leat_broker_publish(broker, "/t", 2, leat_builder_value(builder)), LEAT_OK);
    ck_assert_int_eq(leat_broker_publish(broker, "/t/x", 4, leat_builder_value(builder)), LEAT_OK);
    while (leat_broker_ready(broker, &ready[0]) == LEAT_OK)
        ;
    says(a, "> text " WS_DATA(5) "\n> text {\"type\":\"data-message\",\"topic\":\"/t/x\","
                                 "\"@data-type\":\"count\",\"data\":5}\n");
    says(b, "> text "
            "{\"type\":\"data-message\",\"topic\":\"/t/x\",\"@data-type\":\"count\",\"data\":5}\n");

    /* By a client: others get it, and itself does not. */
    ws_frame(&octets, 0x81, "abcd", "{\"topic\":\"/t/y\",\"@data-type\":\"none\"}", 36);
    ck_assert_int_eq(leat_feed(a, octets.data, octets.length), LEAT_OK);
    ck_assert_int_eq(ws_draw(&log, a), LEAT_MORE);
    ck_assert_str_eq((char *)log.data, "data {\"sender\":\"c1c1c1c1-c1c1-c1c1-c1c1-c1c1c1c1c101\","
                                       "\"topic\":\"/t/y\",\"data\":null}\n");
    ck_assert_int_eq(leat_broker_ready(broker, &ready[0]), LEAT_OK);
    ck_assert_ptr_eq(ready[0], b);
    says(a, "");
    says(b, "> text "
            "{\"type\":\"data-message\",\"topic\":\"/t/y\",\"@data-type\":\"none\",\"data\":{}}\n");

    /* What has no JSON form. */
    ck_assert_int_eq(leat_builder_new(NULL, &text), LEAT_OK);
    (void)leat_builder_text(text, NULL, "\xff", 1);
    ck_assert_int_eq(leat_broker_publish(broker, "/u", 2, leat_builder_value(text)), LEAT_OK);
    ck_assert_int_eq(leat_broker_publish(broker, "/u\xff", 3, leat_builder_value(text)), LEAT_OK);
    says(b, "> text {\"type\":\"error\",\"code\":\"broker_error\",\"context\":"
            "\"Could not process remote event on topic '/u'\"}\n"
            "> text {\"type\":\"error\",\"code\":\"broker_error\",\"context\":"
            "\"Could not process remote event on topic ''\"}\n");
    leat_builder_free(text);
    leat_builder_free(builder);
    t_free(octets);
    t_free(log);
    leat_session_free(a);
    leat_session_free(b);
    leat_broker_free(broker);
}
END_TEST

/* Alone, whatever it subscribes to. */
START_TEST(published_to_one)
{
    leat_broker *broker = make_broker(NULL);
    leat_session *a = up(broker, BROKER, 1, "[\"/u\"]"), *b = up(broker, BROKER, 2, "[\"/t\"]");
    leat_builder *builder = t_json("5", 1);

    ck_assert_int_eq(leat_broker_publish_to(broker, leat_broker_peer_id(a), "/t", 2,
                                            leat_builder_value(builder)),
                     LEAT_OK);
    says(a, "> text " WS_DATA(5) "\n");
    says(b, "");
    leat_builder_free(builder);
    leat_session_free(a);
    leat_session_free(b);
    leat_broker_free(broker);
}
END_TEST

/* Whether a peer would send what is on that topic. */
static bool wants(leat_broker *peer, leat_session *far, leat_session *near, const char *topic)
{
    size_t length;

    t_pair(far, near);
    ck_assert_int_eq(leat_broker_publish(peer, topic, strlen(topic), NULL), LEAT_OK);
    (void)leat_send_data(far, &length);
    t_pair(far, near);
    return length > 0;
}

/* Peers hear of a topic as long as one client subscribes to it. */
START_TEST(announced)
{
    leat_broker *broker = make_broker(NULL), *peer;
    leat_session *one = up(broker, ZEEK, 1, "[\"/a\",\"/c\"]"), *two, *far, *near;
    leat_broker_options options;

    leat_broker_options_init(&options, sizeof options);
    memset(options.id, 0x77, sizeof options.id);
    ck_assert_int_eq(leat_broker_new(NULL, &options, &peer), LEAT_OK);
    ck_assert_int_eq(leat_broker_peer_no_retry(peer, "n", 1), LEAT_OK);
    ck_assert_int_eq(leat_broker_connect(peer, &far), LEAT_OK);
    ck_assert_int_eq(leat_broker_accept(broker, "n", 1, &near), LEAT_OK);
    ck_assert(wants(peer, far, near, "/a/x"));
    ck_assert(!wants(peer, far, near, "/b"));
    two = up(broker, ZEEK, 2, "[\"/b\",\"/c\"]");
    ck_assert(wants(peer, far, near, "/a"));
    ck_assert(wants(peer, far, near, "/b"));
    ck_assert(wants(peer, far, near, "/c"));
    leat_session_free(one);
    ck_assert(!wants(peer, far, near, "/a"));
    ck_assert(wants(peer, far, near, "/b"));
    ck_assert(wants(peer, far, near, "/c"));
    leat_session_free(two);
    ck_assert(!wants(peer, far, near, "/b"));
    ck_assert(!wants(peer, far, near, "/c"));
    leat_session_free(far);
    leat_session_free(near);
    leat_broker_free(peer);
    leat_broker_free(broker);
}
END_TEST

/* ----- goodbyes and time ----- */

/* However many topics come or go with a client, peers hear of them once, and not of too many. */
START_TEST(announced_at_once)
{
    leat_broker *broker = make_broker(NULL), *peer;
    leat_session *far, *near, *client, *other;
    leat_broker_options options;
    struct t_bytes octets = ws_script("ASKED TEXT<[\"/more\"]>", true), log = t_copy("", 0);
    leat_broker_stats stats = {.size = sizeof stats};
    struct t_bytes topics = t_copy("[", 1);
    uint64_t sent;
    char topic[16];
    unsigned i;

    leat_broker_options_init(&options, sizeof options);
    memset(options.id, 0x77, sizeof options.id);
    ck_assert_int_eq(leat_broker_new(NULL, &options, &peer), LEAT_OK);
    ck_assert_int_eq(leat_broker_peer_no_retry(peer, "n", 1), LEAT_OK);
    ck_assert_int_eq(leat_broker_connect(peer, &far), LEAT_OK);
    ck_assert_int_eq(leat_broker_accept(broker, "n", 1, &near), LEAT_OK);
    t_pair(far, near);
    ck_assert_int_eq(leat_broker_get_stats(near, &stats), LEAT_OK);
    sent = stats.sent;
    for (i = 0; i < 4095; i++) {
        (void)snprintf(topic, sizeof topic, "\"/a%04u\",", i);
        t_append(&topics, topic, 9);
    }
    topics.data[topics.length - 1] = ']';
    client = up(broker, ZEEK, 1, (char *)topics.data);
    t_pair(far, near);
    ck_assert_int_eq(leat_broker_get_stats(near, &stats), LEAT_OK);
    ck_assert_uint_eq(stats.sent, sent + 1);
    ck_assert(wants(peer, far, near, "/a4094"));
    ck_assert_int_eq(leat_broker_subscribe(broker, "/more", 5), LEAT_E_LIMIT);
    other = serve(broker, ZEEK);
    ck_assert_int_eq(leat_feed(other, octets.data, octets.length), LEAT_OK);
    ck_assert_int_eq(ws_draw(&log, other), LEAT_E_LIMIT);
    leat_session_free(other);
    leat_session_free(client);
    t_pair(far, near);
    ck_assert_int_eq(leat_broker_get_stats(near, &stats), LEAT_OK);
    ck_assert_uint_eq(stats.sent, sent + 2);
    ck_assert(!wants(peer, far, near, "/a4094"));
    t_free(topics);
    t_free(octets);
    t_free(log);
    leat_session_free(far);
    leat_session_free(near);
    leat_broker_free(peer);
    leat_broker_free(broker);
}
END_TEST

START_TEST(shutdown)
{
    uint32_t flavour = _i % 2 ? ZEEK : BROKER;
    leat_broker *broker = make_broker(NULL);
    leat_session *session = up(broker, flavour, 1, "[]"), *young = serve(broker, flavour);
    struct t_bytes log = t_copy("", 0);

    ck_assert_int_eq(leat_broker_shutdown(broker), LEAT_OK);
    says(session, flavour == ZEEK ? "> close 1001 Terminating\n" : "> close 1000 EOF\n");
    says(young, flavour == ZEEK ? "> response 503\n" : "> response 503\n> body\n");
    ck_assert_int_eq(ws_draw(&log, session), LEAT_MORE);
    if (_i < 2) {
        ck_assert_int_eq(leat_feed(session, "\x88\x80\0\0\0\0", 6), LEAT_OK);
    } else {
        leat_broker_tick(broker, 3999);
        ck_assert_int_eq(ws_draw(&log, session), LEAT_MORE);
        leat_broker_tick(broker, 4000);
    }
    ck_assert_int_eq(ws_draw(&log, session), LEAT_END);
    ck_assert_ptr_nonnull(strstr((char *)log.data, "client removed"));
    says(session, "");
    leat_session_free(session);
    leat_session_free(young);
    t_free(log);
    leat_broker_free(broker);
}
END_TEST

START_TEST(own_goodbye)
{
    leat_broker *broker = make_broker(NULL);
    leat_session *session = up(broker, ZEEK, 1, "[]");
    struct t_bytes log = t_copy("", 0);

    ck_assert_int_eq(leat_broker_websocket_ping(session, "p", 1), LEAT_OK);
    ck_assert_int_eq(leat_broker_websocket_close(session, 4000, "enough", 6), LEAT_OK);
    ck_assert_int_eq(leat_broker_websocket_close(session, 4000, "enough", 6), LEAT_E_STATE);
    says(session, "> ping \"70\"\n> close 4000 enough\n");
    ck_assert_int_eq(leat_feed(session, "\x81\x80\0\0\0\0\x88\x80\0\0\0\0", 12), LEAT_OK);
    ck_assert_int_eq(ws_draw(&log, session), LEAT_END);
    says(session, "");
    leat_session_free(session);
    t_free(log);
    leat_broker_free(broker);
}
END_TEST

/* Ten seconds from the connection to the topics, whatever comes. */
START_TEST(slow_client)
{
    static const struct {
        const char *script, *says;
        int status;
    } steps[] = {
        {"", "> response 408\n> body\n", LEAT_E_TIMEOUT},
        {"HEX<474554>", "> response 408\n> body\n", LEAT_E_TIMEOUT},
        {"ASKED", "> response 101\n> close 1008 No subscriptions came in time\n", LEAT_E_TIMEOUT},
        {"ASKED TEXT<{}>", "> response 101\n> close 1008 No subscriptions came in time\n",
         LEAT_E_TIMEOUT},
        {"ASKED TEXT<[]>", "> response 101\n" ACKS, LEAT_MORE},
    };
    leat_broker *broker = make_broker(NULL);
    leat_session *session = serve(broker, BROKER);
    struct t_bytes octets = ws_script(steps[_i].script, true), log = t_copy("", 0);

    ck_assert_int_eq(leat_feed(session, octets.data, octets.length), LEAT_OK);
    ck_assert_int_eq(ws_draw(&log, session), LEAT_MORE);
    leat_broker_tick(broker, 10999);
    ck_assert_int_eq(ws_draw(&log, session), LEAT_MORE);
    leat_broker_tick(broker, 11000);
    ck_assert_int_eq(ws_draw(&log, session), steps[_i].status);
    says(session, steps[_i].says);
    t_free(octets);
    t_free(log);
    leat_session_free(session);
    leat_broker_free(broker);
}
END_TEST

START_TEST(heartbeat)
{
    leat_broker *broker = make_broker(NULL);
    leat_session *session = up(broker, ZEEK, 1, "[]");
    struct t_bytes log = t_copy("", 0);

    ck_assert_uint_eq(leat_deadline(session), 6000);
    ck_assert_uint_eq(leat_broker_deadline(broker), 6000);
    ck_assert_int_eq(leat_feed(session, "\x8a\x80\0\0\0\0", 6), LEAT_OK);
    (void)ws_draw(&log, session);
    leat_broker_tick(broker, 5999);
    says(session, "");
    leat_broker_tick(broker, 6000);
    says(session, "> ping \"6c6561743a3a6865617274626561743a3a31\"\n");
    leat_broker_tick(broker, 10999);
    ck_assert_int_eq(ws_draw(&log, session), LEAT_MORE);
    leat_broker_tick(broker, 11000);
    ck_assert_int_eq(ws_draw(&log, session), LEAT_E_TIMEOUT);
    says(session, "> close 1011 Ping timeout\n");
    leat_session_free(session);
    t_free(log);
    leat_broker_free(broker);
}
END_TEST

/* ----- limits and memory ----- */

START_TEST(limits_of_topics)
{
    leat_broker_options options;
    leat_broker *broker;
    leat_session *session;
    struct t_bytes octets =
        ws_script(_i ? "ASKED TEXT<[\"a\",\"b\",\"c\"]>" : "ASKED TEXT<[\"a\",\"b\"]>", true);
    struct t_bytes log = t_copy("", 0);

    leat_broker_options_init(&options, sizeof options);
    memset(options.id, 0xb0, sizeof options.id);
    options.filter_topics = 2;
    ck_assert_int_eq(leat_broker_new(NULL, &options, &broker), LEAT_OK);
    session = serve(broker, BROKER);
    ck_assert_int_eq(leat_feed(session, octets.data, octets.length), LEAT_OK);
    ck_assert_int_eq(ws_draw(&log, session), _i ? LEAT_E_LIMIT : LEAT_MORE);
    says(session, _i ? "> response 101\n> close 1008 Too many topics\n" : "> response 101\n" ACKS);
    t_free(octets);
    t_free(log);
    leat_session_free(session);
    leat_broker_free(broker);
}
END_TEST

START_TEST(limits_of_messages)
{
    leat_config config;
    leat_limits limits;
    leat_broker *broker;
    leat_session *session;
    struct t_bytes octets = ws_script("TEXT+<0123456789> CONT<0123456789>", true);
    struct t_bytes log = t_copy("", 0);

    leat_config_init(&config, sizeof config);
    leat_limits_init(&limits, sizeof limits);
    config.limits = &limits;
    limits.message_bytes = 20 - (uint64_t)_i;
    broker = make_broker(&config);
    session = up(broker, BROKER, 1, "[]");
    ck_assert_int_eq(leat_feed(session, octets.data, octets.length), LEAT_OK);
    ck_assert_int_eq(ws_draw(&log, session), _i ? LEAT_E_LIMIT : LEAT_MORE);
    if (_i)
        says(session, "> close 1009 A message over the limit\n");
    t_free(octets);
    t_free(log);
    leat_session_free(session);
    leat_broker_free(broker);
}
END_TEST

/* What is answered: pings, between fragments too, and what is no message. */
static const char *const floods[] = {"PING<0123456789>", "CONT+<a> PING<0123456789>", "TEXT<x>"};

/* A client that makes us answer and does not read is not read either. */
START_TEST(flood)
{
    leat_broker *broker = make_broker(NULL);
    leat_session *session = up(broker, BROKER, 1, "[]");
    struct t_bytes log = t_copy("", 0), begun = ws_script(_i == 1 ? "TEXT+<a>" : "", true);
    struct t_bytes octets = ws_script(floods[_i], true);
    size_t length, said = 0;
    int i, status = LEAT_MORE;

    ck_assert_int_eq(leat_feed(session, begun.data, begun.length), LEAT_OK);
    for (i = 0; i < 20000; i++)
        ck_assert_int_eq(leat_feed(session, octets.data, octets.length), LEAT_OK);
    for (i = 0; i < 1000; i++) {
        status = ws_draw(&log, session);
        if (status != LEAT_PAUSED)
            break;
        while (leat_send_data(session, &length) != NULL) {
            ck_assert_int_eq(leat_send_done(session, length), LEAT_OK);
            said += length;
        }
        ck_assert_uint_gt(said, 0);
        ck_assert_uint_lt(said, (size_t)(i + 1) * ((size_t)256 << 10));
        ck_assert_uint_eq(leat_deadline(session), 0);
    }
    ck_assert_int_eq(status, LEAT_MORE);
    ck_assert_int_gt(i, 1);
    leat_session_free(session);
    t_free(begun);
    t_free(octets);
    t_free(log);
    leat_broker_free(broker);
}
END_TEST

/* Our own pings are refused when too many wait, and so is a goodbye; then there is room again. */
START_TEST(too_many_pings)
{
    leat_broker *broker = make_broker(NULL);
    leat_session *session = up(broker, BROKER, 1, "[]");
    struct t_bytes log = t_copy("", 0);
    char payload[125] = {0};
    size_t length;
    int i, status = LEAT_OK;

    for (i = 0; i < 5000 && status == LEAT_OK; i++)
        status = leat_broker_websocket_ping(session, payload, sizeof payload);
    ck_assert_int_eq(status, LEAT_E_LIMIT);
    ck_assert_int_gt(i, 1024);
    ck_assert_int_eq(leat_broker_websocket_close(session, 1000, "", 0), LEAT_E_LIMIT);
    while (leat_send_data(session, &length) != NULL)
        ck_assert_int_eq(leat_send_done(session, length), LEAT_OK);
    ck_assert_int_eq(ws_draw(&log, session), LEAT_MORE);
    ck_assert_int_eq(leat_broker_websocket_ping(session, payload, sizeof payload), LEAT_OK);
    ck_assert_int_eq(leat_broker_websocket_close(session, 1000, "", 0), LEAT_OK);
    leat_session_free(session);
    t_free(log);
    leat_broker_free(broker);
}
END_TEST

/* A length that would wrap around behind a first fragment, where nothing is limited. */
START_TEST(unlimited_message)
{
    leat_config config;
    leat_limits limits;
    leat_broker *broker;
    leat_session *session;
    struct t_bytes log = t_copy("", 0);
    struct t_bytes octets = ws_script("TEXT+<abc> HEX<80ffffffffffffffffff01020304>", true);

    leat_config_init(&config, sizeof config);
    leat_limits_init(&limits, sizeof limits);
    limits.message_bytes = UINT64_MAX;
    config.limits = &limits;
    broker = make_broker(&config);
    session = up(broker, BROKER, 1, "[]");
    ck_assert_int_eq(leat_feed(session, octets.data, octets.length), LEAT_OK);
    ck_assert_int_eq(ws_draw(&log, session), LEAT_E_LIMIT);
    says(session, "> close 1009 A message over the limit\n");
    leat_session_free(session);
    t_free(octets);
    t_free(log);
    leat_broker_free(broker);
}
END_TEST

START_TEST(steady_state)
{
    leat_config config;
    struct t_counter counter;
    struct t_bytes octets = ws_script("TEXT<" WS_DATA(1) "> PING<x>", true);
    leat_broker *broker;
    leat_session *a, *b;
    const leat_event *event;
    size_t calls = 0, length;
    int i;

    t_counter_init(&counter);
    leat_config_init(&config, sizeof config);
    config.allocator = &counter.allocator;
    broker = make_broker(&config);
    a = up(broker, BROKER, 1, "[\"/s\"]");
    b = up(broker, BROKER, 2, "[\"/t\"]");
    for (i = 0; i < 100; i++) {
        ck_assert_int_eq(leat_feed(a, octets.data, octets.length), LEAT_OK);
        while (leat_next(a, &event) == LEAT_OK)
            ;
        (void)leat_send_data(a, &length);
        ck_assert_int_eq(leat_send_done(a, length), LEAT_OK);
        (void)leat_send_data(b, &length);
        ck_assert_uint_gt(length, 0);
        ck_assert_int_eq(leat_send_done(b, length), LEAT_OK);
        if (i == 10)
            calls = counter.calls;
    }
    ck_assert_uint_eq(counter.calls, calls);
    leat_session_trim(a);
    ck_assert_uint_le(leat_session_memory(a), 1024);
    leat_session_free(a);
    leat_session_free(b);
    leat_broker_free(broker);
    ck_assert_uint_eq(counter.now, 0);
    t_free(octets);
}
END_TEST

static int allocating(const leat_config *config, const void *arg)
{
    leat_broker_websocket_options options;
    struct t_bytes octets = ws_script(arg, true);
    leat_broker *broker = make_broker(config);
    leat_session *session;
    const leat_event *event;
    int status = broker == NULL ? LEAT_E_NOMEM : LEAT_OK;

    ws_server_options(&options, ZEEK);
    if (status == LEAT_OK)
        status = leat_broker_websocket_accept(broker, &options, "a", 1, &session);
    if (status == LEAT_OK) {
        status = leat_feed(session, octets.data, octets.length);
        while (status == LEAT_OK && (status = leat_next(session, &event)) == LEAT_OK) {
            if (leat_event_kind(event) == LEAT_BROKER_UPGRADE)
                status = leat_broker_websocket_upgrade(session, WS_ACCEPT);
        }
        if (status == LEAT_MORE)
            status = leat_broker_websocket_ping(session, "a", 1);
        if (status == LEAT_OK)
            status = leat_broker_websocket_close(session, 1000, "", 0);
        leat_session_free(session);
    }
    leat_broker_free(broker);
    t_free(octets);
    return status;
}

START_TEST(every_allocation)
{
    t_every_alloc(allocating, "ASKED TEXT<[\"/a\",\"/b\"]> TEXT<" EVENT("/t") "> PING<a> TEXT+<{> "
                                                                              "CONT<}> PONG<b>");
}
END_TEST

static void tests(TCase *t)
{
    tcase_add_loop_test(t, conversation, 0, (int)(sizeof cases / sizeof *cases));
    tcase_add_loop_test(t, request, 0, (int)(sizeof requests / sizeof *requests));
    tcase_add_loop_test(t, limit_of_the_head, 0, 4);
    tcase_add_loop_test(t, decision, 0, 3);
    tcase_add_test(t, bad_options);
    tcase_add_test(t, published);
    tcase_add_test(t, published_to_one);
    tcase_add_test(t, announced);
    tcase_add_test(t, announced_at_once);
    tcase_add_loop_test(t, shutdown, 0, 4);
    tcase_add_test(t, own_goodbye);
    tcase_add_loop_test(t, slow_client, 0, 5);
    tcase_add_test(t, heartbeat);
    tcase_add_loop_test(t, limits_of_topics, 0, 2);
    tcase_add_loop_test(t, limits_of_messages, 0, 2);
    tcase_add_loop_test(t, flood, 0, (int)(sizeof floods / sizeof *floods));
    tcase_add_test(t, too_many_pings);
    tcase_add_test(t, unlimited_message);
    tcase_add_test(t, steady_state);
    tcase_add_test(t, every_allocation);
}

T_MAIN("broker/websocket server", tests)
