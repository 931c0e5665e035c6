/*
 * Clients of the WebSocket protocol: what they say, what they take, and what they end a conversation
 * with. Servers are scripts of octets here.
 */
#include "ws.h"

#include <stdio.h>

/* ----- conversations ----- */

/* What is done with a client: events first, then all that it said, then how it ended. */
static char *converse(const leat_config *config, const struct t_bytes *octets, size_t cut,
                      size_t first, bool eof)
{
    leat_broker_websocket_client_options options;
    leat_session *session;
    struct t_bytes log = t_copy("", 0), said = t_copy("", 0);
    size_t at = 0, length;
    const void *output;
    int status = LEAT_MORE;

    ws_client_options(&options);
    ck_assert_int_eq(leat_broker_websocket_client_new(config, &options, &session), LEAT_OK);
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
    output = leat_send_data(session, &length);
    t_append(&said, output, length);
    ws_tell(&log, "> ", LEAT_FROM_CLIENT, said.data, said.length);
    ws_note(&log, "%s", leat_status_name(status));
    if (status < 0)
        ws_note(&log, " at %u: %s: %s", (unsigned)leat_error_offset(leat_session_error(session)),
                leat_error_text(leat_session_error(session)),
                leat_error_field(leat_session_error(session)));
    leat_session_free(session);
    t_free(said);
    return (char *)log.data;
}

/* Lines of a log that do not matter here. */
#define ASKS       "> request\n"
#define SUBSCRIBES "> text []\n"
#define READY      "ack " WS_ACK "\n"
#define OPENS      "AGREED TEXT<" WS_ACK ">"
#define DATA(n)    "data {\"type\":\"data-message\",\"topic\":\"/t\",\"data\":" #n "}\n"

/* The response has 129 octets, the ack 45; what a case is about begins at 174. */

static const struct {
    const char *name;
    const char *script;
    bool eof;
    const char *log;
} cases[] = {
    /* The upgrade. */
    {"nothing", "", true, ASKS "LEAT_E_END at 0: the stream ended inside a message: "},
    {"agreed", "AGREED", true, ASKS SUBSCRIBES "LEAT_END"},
    {"other letters, lists, more fields",
     "HEX<"
     "485454502f312e3120313031200d0a757067726164653a20612c20576562536f636b65740d0a636f6e6e656374696"
     "f6e3a206b6565702d616c6976652c75706772616465200d0a7365632d776562736f636b65742d6163636570743a73"
     "3370504c4d426954786151396b59477a7a685a52624b2b784f6f3d0d0a783a20790d0a0d0a>",
     true, ASKS SUBSCRIBES "LEAT_END"},
    {"another accept",
     "HEX<"
     "485454502f312e312031303120780d0a557067726164653a20776562736f636b65740d0a436f6e6e656374696f6e3"
     "a20557067726164650d0a5365632d576562536f636b65742d4163636570743a20733370504c4d426954786151396b"
     "59477a7a685a52624b2b784f4f3d0d0a0d0a>",
     true, ASKS "LEAT_E_PROTOCOL at 0: not the answer to our request: Sec-WebSocket-Accept"},
    {"two accepts",
     "HEX<"
     "485454502f312e312031303120780d0a557067726164653a20776562736f636b65740d0a436f6e6e656374696f6e3"
     "a20557067726164650d0a5365632d576562536f636b65742d4163636570743a20733370504c4d426954786151396b"
     "59477a7a685a52624b2b784f6f3d0d0a5365632d576562536f636b65742d4163636570743a20780d0a0d0a>",
     true, ASKS "LEAT_E_PROTOCOL at 0: not the answer to our request: Sec-WebSocket-Accept"},
    {"an extension",
     "HEX<"
     "485454502f312e312031303120780d0a557067726164653a20776562736f636b65740d0a436f6e6e656374696f6e3"
     "a20557067726164650d0a5365632d576562536f636b65742d4163636570743a20733370504c4d426954786151396b"
     "59477a7a685a52624b2b784f6f3d0d0a5365632d576562536f636b65742d457874656e73696f6e733a207065726d6"
     "573736167652d6465666c6174650d0a0d0a>",
     true, ASKS "LEAT_E_PROTOCOL at 0: not the answer to our request: Sec-WebSocket-Extensions"},
    {"a protocol",
     "HEX<"
     "485454502f312e312031303120780d0a557067726164653a20776562736f636b65740d0a436f6e6e656374696f6e3"
     "a20557067726164650d0a5365632d576562536f636b65742d4163636570743a20733370504c4d426954786151396b"
     "59477a7a685a52624b2b784f6f3d0d0a5365632d576562536f636b65742d50726f746f636f6c3a20636861740d0a0"
     "d0a>",
     true, ASKS "LEAT_E_PROTOCOL at 0: not the answer to our request: Sec-WebSocket-Protocol"},
    {"refused", "HEX<485454502f312e3120343033204e6f0d0a0d0a>", true,
     "refused {\"status\":403,\"reason\":\"No\",\"text\":\"\"}\n" ASKS
     "LEAT_E_PROTOCOL at 19: the server refused the upgrade: "},
    {"refused with a text",
     "HEX<485454502f312e3120343030200d0a436f6e74656e742d4c656e6774683a20320d0a0d0a6162> "
     "HEX<6162>",
     true,
     "refused {\"status\":400,\"reason\":\"\",\"text\":\"ab\"}\n" ASKS
     "LEAT_E_PROTOCOL at 38: the server refused the upgrade: "},
    {"refused with a text that ends early",
     "HEX<485454502f312e3120343030200d0a436f6e74656e742d4c656e6774683a20320d0a0d0a61>", true,
     "refused {\"status\":400,\"reason\":\"\",\"text\":\"a\"}\n" ASKS
     "LEAT_E_PROTOCOL at 37: the server refused the upgrade: "},
    {"refused without an empty line, as by Zeek", "HEX<485454502f312e312034303020610d0a>", true,
     "refused {\"status\":400,\"reason\":\"a\",\"text\":\"\"}\n" ASKS
     "LEAT_E_PROTOCOL at 16: the server refused the upgrade: "},
    {"agreed without an empty line", "HEX<485454502f312e312031303120610d0a>", true,
     ASKS "LEAT_E_END at 16: the stream ended inside a message: "},
    {"half a line", "HEX<485454502f312e3120343030>", true,
     ASKS "LEAT_E_END at 12: the stream ended inside a message: "},
    {"only an empty line", "HEX<0d0a>", true, ASKS "LEAT_E_SYNTAX at 0: not HTTP: "},
    {"no HTTP", "HEX<5353482d322e300d0a0d0a>", true, ASKS "LEAT_E_SYNTAX at 0: not HTTP: "},
    {"not an upgrade", "HEX<485454502f312e3120313031200d0a0d0a>", true,
     ASKS "LEAT_E_PROTOCOL at 0: not the answer to our request: Upgrade"},
    {"no Connection",
     "HEX<485454502f312e3120313031200d0a557067726164653a20776562736f636b65740d0a0d0a>", true,
     ASKS "LEAT_E_PROTOCOL at 0: not the answer to our request: Connection"},
    {"no accept",
     "HEX<485454502f312e3120313031200d0a557067726164653a20776562736f636b65740d0a> "
     "HEX<436f6e6e656374696f6e3a20557067726164650d0a0d0a>",
     true, ASKS "LEAT_E_PROTOCOL at 0: not the answer to our request: Sec-WebSocket-Accept"},

    /* Messages. */
    {"ack", OPENS, true, READY ASKS SUBSCRIBES "LEAT_END"},
    {"data", OPENS " TEXT<" WS_DATA(5) ">", true, READY DATA(5) ASKS SUBSCRIBES "LEAT_END"},
    {"data in front of the ack", "AGREED TEXT<" WS_DATA(5) "> TEXT<" WS_ACK ">", true,
     DATA(5) READY ASKS SUBSCRIBES "LEAT_END"},
    {"an error", OPENS " TEXT<{\"type\":\"error\",\"code\":\"c\",\"context\":\"x\"}>", true,
     READY "error {\"type\":\"error\",\"code\":\"c\",\"context\":\"x\"}\n" ASKS SUBSCRIBES
           "LEAT_END"},
    {"an error with data", OPENS " TEXT<{\"type\":\"error\",\"data\":1}>", true,
     READY "error {\"type\":\"error\",\"data\":1}\n" ASKS SUBSCRIBES "LEAT_END"},
    {"data without a type", OPENS " TEXT<{\"topic\":\"/t\",\"data\":1}>", true,
     READY "unknown LEAT_E_PROTOCOL at 176: a message of an unknown type, or out of place\n" ASKS
         SUBSCRIBES "LEAT_END"},
    {"a second ack", OPENS " TEXT<" WS_ACK ">", true,
     READY "unknown LEAT_E_PROTOCOL at 176: a message of an unknown type, or out of place\n" ASKS
         SUBSCRIBES "LEAT_END"},
    {"not JSON", OPENS " TEXT<{> TEXT<" WS_DATA(5) ">", true,
     READY "unknown LEAT_E_SYNTAX at 177: the text ends inside a value\n" DATA(5) ASKS SUBSCRIBES
     "LEAT_END"},
    {"not an object", OPENS " TEXT<[]>", true,
     READY "unknown LEAT_E_SYNTAX at 176: not an object\n" ASKS SUBSCRIBES "LEAT_END"},
    {"an empty text", OPENS " TEXT<>", true,
     READY "unknown LEAT_E_SYNTAX at 176: the text ends inside a value\n" ASKS SUBSCRIBES
           "LEAT_END"},
    {"octets that are not UTF-8, raw controls",
     OPENS " HEX<"
           "81307b2240646174612d74797065223a22737472696e67222c22746f706963223a2274222c2264617461223"
           "a22ff000b227d>",
     true,
     READY "data {\"type\":\"\",\"topic\":\"t\",\"data\":{\"hex\":\"ff000b\"}}\n" ASKS SUBSCRIBES
           "LEAT_END"},
    {"a binary message", OPENS " BINARY<a>", true,
     READY ASKS SUBSCRIBES "> close 1003 A message that is not a text\n"
                           "LEAT_E_PROTOCOL at 174: A message that is not a text: "},

    /* Fragments. */
    {"in two", OPENS " TEXT+<{\"@data-type\":\"count\",\"da> CONT<ta\":5}>", true,
     READY "data {\"type\":\"\",\"topic\":\"\",\"data\":5}\n" ASKS SUBSCRIBES "LEAT_END"},
    {"in many, with control frames between",
     OPENS
     " TEXT+<{\"@data-type\":> PING<a> CONT+<> CONT+<\"count\"> PONG<b> CONT+<,\"data\":5> CONT<}>",
     true,
     READY
     "pong {\"payload\":\"62\"}\ndata {\"type\":\"\",\"topic\":\"\",\"data\":5}\n" ASKS SUBSCRIBES
     "> pong \"61\"\nLEAT_END"},
    {"a continuation of nothing", OPENS " CONT<x>", true,
     READY ASKS SUBSCRIBES
     "> close 1002 Fragmentation: continuation opcode out of sequence\n"
     "LEAT_E_FRAME at 174: Fragmentation: continuation opcode out of sequence: "},
    {"a message inside of fragments", OPENS " TEXT+<x> TEXT<y>", true,
     READY ASKS SUBSCRIBES "> close 1002 Fragmentation: data message out of sequence\n"
                           "LEAT_E_FRAME at 177: Fragmentation: data message out of sequence: "},
    {"the stream ends inside of fragments", OPENS " TEXT+<x>", true,
     READY ASKS SUBSCRIBES "LEAT_E_END at 177: the stream ended inside a message: "},
    {"the stream ends inside of a frame", OPENS " HEX<8105>", true,
     READY ASKS SUBSCRIBES "LEAT_E_END at 176: the stream ended inside a message: "},
    {"sixteen empty fragments",
     OPENS " TEXT+<> HEX<00000000000000000000000000000000>"
           " HEX<00000000000000000000000000000000> CONT<{}>",
     true,
     READY ASKS SUBSCRIBES "> close 1008 Too many empty fragments\n"
                           "LEAT_E_LIMIT at 206: Too many empty fragments: "},
    {"fifteen of them",
     OPENS " TEXT+<> HEX<000000000000000000000000000000> HEX<00>"
           " HEX<00000000000000000000000000> HEX<00> CONT<x>",
     true, READY "unknown LEAT_E_SYNTAX at 176: not a JSON value\n" ASKS SUBSCRIBES "LEAT_END"},

    /* Frames. */
    {"reserved bit 1", OPENS " HEX<c100>", true,
     READY ASKS SUBSCRIBES "> close 1002 Reserved bit used\n"
                           "LEAT_E_FRAME at 174: Reserved bit used: "},
    {"reserved bit 3", OPENS " HEX<9100>", true,
     READY ASKS SUBSCRIBES "> close 1002 Reserved bit used\n"
                           "LEAT_E_FRAME at 174: Reserved bit used: "},
    {"reserved opcode 3", OPENS " HEX<8300>", true,
     READY ASKS SUBSCRIBES "> close 1002 Protocol error\nLEAT_E_FRAME at 174: Protocol error: "},
    {"reserved opcode 7", OPENS " HEX<8700>", true,
     READY ASKS SUBSCRIBES "> close 1002 Protocol error\nLEAT_E_FRAME at 174: Protocol error: "},
    {"reserved opcode 11", OPENS " HEX<8b00>", true,
     READY ASKS SUBSCRIBES "> close 1002 Protocol error\nLEAT_E_FRAME at 174: Protocol error: "},
    {"reserved opcode 15", OPENS " HEX<8f00>", true,
     READY ASKS SUBSCRIBES "> close 1002 Protocol error\nLEAT_E_FRAME at 174: Protocol error: "},
    {"a masked frame", OPENS " HEX<81801122334400>", true,
     READY ASKS SUBSCRIBES "> close 1002 A masked frame\nLEAT_E_FRAME at 174: A masked frame: "},
    {"a ping in pieces", OPENS " HEX<0900>", true,
     READY ASKS SUBSCRIBES "> close 1002 Control message fragmented\n"
                           "LEAT_E_FRAME at 174: Control message fragmented: "},
    {"a ping of 126 octets", OPENS " HEX<897e007e>", true,
     READY ASKS SUBSCRIBES "> close 1002 Control frame with payload length > 125 octets\n"
                           "LEAT_E_FRAME at 174: Control frame with payload length > 125 octets: "},
    {"a short length in two octets", OPENS " HEX<817e007d>", true,
     READY ASKS SUBSCRIBES "> close 1002 A length that is not in its shortest form\n"
                           "LEAT_E_FRAME at 174: A length that is not in its shortest form: "},
    {"a length in eight octets that fits in two", OPENS " HEX<817f000000000000fffe>", true,
     READY ASKS SUBSCRIBES "> close 1002 A length that is not in its shortest form\n"
                           "LEAT_E_FRAME at 174: A length that is not in its shortest form: "},
    {"65535 in eight octets, as Broker writes it", OPENS " HEX<817f000000000000ffff>", true,
     READY ASKS SUBSCRIBES "LEAT_E_END at 184: the stream ended inside a message: "},
    {"a length of 63 bits", OPENS " HEX<817f7fffffffffffffff>", true,
     READY ASKS SUBSCRIBES "> close 1009 A message over the limit\n"
                           "LEAT_E_LIMIT at 174: A message over the limit: "},
    {"a length of 64 bits", OPENS " HEX<817fffffffffffffffff>", true,
     READY ASKS SUBSCRIBES "> close 1009 A message over the limit\n"
                           "LEAT_E_LIMIT at 174: A message over the limit: "},

    /* Pings, in front of the ack too, as Zeek sends them. */
    {"ping", "AGREED PING<abc> TEXT<" WS_ACK "> PING<>", true,
     READY ASKS SUBSCRIBES "> pong \"616263\"\n> pong \"\"\nLEAT_END"},
    {"pong", OPENS " PONG<> PONG<a>", true,
     READY "pong {\"payload\":\"61\"}\n" ASKS SUBSCRIBES "LEAT_END"},

    /* Closes. */
    {"close", OPENS " CLOSE<1000 EOF> TEXT<x>", false,
     READY "close {\"code\":1000,\"reason\":\"EOF\"}\n" ASKS SUBSCRIBES
           "> close 1000 EOF\nLEAT_END"},
    {"close without a code", OPENS " CLOSE<>", false,
     READY "close {\"code\":null,\"reason\":\"\"}\n" ASKS SUBSCRIBES "> close\nLEAT_END"},
    {"close without a reason", OPENS " CLOSE<1001>", false,
     READY "close {\"code\":1001,\"reason\":\"\"}\n" ASKS SUBSCRIBES "> close 1001 \nLEAT_END"},
    {"close of an application", OPENS " CLOSE<4999>", false,
     READY "close {\"code\":4999,\"reason\":\"\"}\n" ASKS SUBSCRIBES "> close 4999 \nLEAT_END"},
    {"close with half a code", OPENS " HEX<880103>", false,
     READY ASKS SUBSCRIBES "> close 1002 Half a close code\n"
                           "LEAT_E_FRAME at 174: Half a close code: "},
#define BAD_CODE(code)                                                                             \
    {                                                                                              \
        "close " #code, OPENS " CLOSE<" #code ">", false,                                          \
            READY ASKS SUBSCRIBES "> close 1002 Invalid close code\n"                              \
                                  "LEAT_E_FRAME at 174: Invalid close code: "                      \
    }
    BAD_CODE(0),
    BAD_CODE(999),
    BAD_CODE(1004),
    BAD_CODE(1005),
    BAD_CODE(1006),
    BAD_CODE(1015),
    BAD_CODE(2999),
    BAD_CODE(5000),
    {"close with a reason that is not UTF-8", OPENS " HEX<880303e8ff>", false,
     READY ASKS SUBSCRIBES "> close 1007 Invalid frame payload data\n"
                           "LEAT_E_SYNTAX at 174: Invalid frame payload data: "},
    {"close in front of the ack", "AGREED CLOSE<1008 x>", false,
     "close {\"code\":1008,\"reason\":\"x\"}\n" ASKS SUBSCRIBES "> close 1008 x\nLEAT_END"},
};

START_TEST(conversation)
{
    struct t_bytes octets = ws_script(cases[_i].script, false);
    char *whole = converse(NULL, &octets, 0, 0, cases[_i].eof), *other;
    size_t cut;

    ck_assert_msg(strcmp(whole, cases[_i].log) == 0, "%s:\n%s", cases[_i].name, whole);
    for (cut = 1; cut <= octets.length; cut++) {
        other = converse(NULL, &octets, cut == 1 ? 1 : 0, cut == 1 ? 0 : cut, cases[_i].eof);
        ck_assert_msg(strcmp(whole, other) == 0, "%s, cut at %u:\n%s", cases[_i].name,
                      (unsigned)cut, other);
        free(other);
    }
    free(whole);
    t_free(octets);
}
END_TEST

/* ----- options ----- */

START_TEST(requests)
{
    static const char *const paths[] = {NULL, "/v1/messages/json?x=1"};
    leat_broker_websocket_client_options options;
    leat_builder *topics = t_json("[\"/a\",\"\",\"\\u00fc\\n\"]", 20);
    leat_session *session;
    struct t_bytes log = t_copy("", 0);
    const char *sent;
    size_t length;
    char expected[512];

    ws_client_options(&options);
    if (paths[_i] != NULL) {
        options.path = paths[_i];
        options.origin = "http://x";
        options.application_name = "a/B_0-.=:*@";
        options.topics = leat_builder_value(topics);
    }
    ck_assert_int_eq(leat_broker_websocket_client_new(NULL, &options, &session), LEAT_OK);
    ck_assert_uint_eq(leat_wants(session), t_wants("read write"));
    sent = leat_send_data(session, &length);
    (void)snprintf(expected, sizeof expected,
                   "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
                   "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " WS_KEY
                   "\r\n%s\r\n",
                   paths[_i] == NULL ? "/v1/messages/json" : paths[_i],
                   paths[_i] == NULL ? ""
                                     : "Origin: http://x\r\nX-Application-Name: a/B_0-.=:*@\r\n");
    ck_assert_uint_eq(length, strlen(expected));
    ck_assert_mem_eq(sent, expected, length);
    ck_assert_int_eq(leat_send_done(session, length), LEAT_OK);
    ck_assert_int_eq(leat_feed(session, WS_AGREED, strlen(WS_AGREED)), LEAT_OK);
    ck_assert_int_eq(ws_draw(&log, session), LEAT_MORE);
    sent = leat_send_data(session, &length);
    ws_tell(&log, "", LEAT_FROM_CLIENT, sent, length);
    ck_assert_str_eq((char *)log.data,
                     paths[_i] == NULL ? "text []\n" : "text [\"/a\",\"\",\"\xc3\xbc\\n\"]\n");
    t_free(log);
    leat_builder_free(topics);
    leat_session_free(session);
}
END_TEST

/* Each of these is refused, and nothing is made. */
START_TEST(bad_options)
{
    leat_broker_websocket_client_options good, options;
    leat_builder *builders[3];
    leat_session *session = NULL;
    size_t i;

    ws_client_options(&good);
    ck_assert_int_eq(leat_broker_websocket_client_new(NULL, NULL, &session), LEAT_E_VALUE);
#define REFUSED(change)                                                                            \
    options = good;                                                                                \
    change;                                                                                        \
    ck_assert_msg(leat_broker_websocket_client_new(NULL, &options, &session) == LEAT_E_VALUE,      \
                  "%s", #change)
    REFUSED(options.size = 0);
    REFUSED(options.host = NULL);
    REFUSED(options.host = "");
    REFUSED(options.host = "a\r\nb: c");
    REFUSED(options.path = NULL);
    REFUSED(options.path = "v1");
    REFUSED(options.path = "/v 1");
    REFUSED(options.path = "/\r\n");
    REFUSED(options.origin = "a\n");
    REFUSED(options.application_name = "bad name");
    REFUSED(options.application_name = "a\xc3\xbc");
    REFUSED(options.key = NULL);
    REFUSED(options.key = "dGhlIHNhbXBsZSBub25jZQ=");
    REFUSED(options.key = "dGhlIHNhbXBsZSBub25jZQ=a");
    REFUSED(options.key = "dGhlIHNhbXBsZSBub25j-Q==");
    REFUSED(options.accept = NULL);
    REFUSED(options.accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOoo");
    REFUSED(options.accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xO=");
    REFUSED(memset(options.seed, 0, sizeof options.seed));
    builders[0] = t_json("{}", 2);
    builders[1] = t_json("[1]", 3);
    ck_assert_int_eq(leat_builder_new(NULL, &builders[2]), LEAT_OK);
    (void)leat_builder_open(builders[2], NULL, LEAT_LIST);
    (void)leat_builder_text(builders[2], NULL, "\xff", 1);
    (void)leat_builder_close(builders[2]);
    for (i = 0; i < 3; i++) {
        REFUSED(options.topics = leat_builder_value(builders[i]));
        leat_builder_free(builders[i]);
    }
    ck_assert_ptr_null(session);
}
END_TEST

/* ----- commands ----- */

static leat_session *ready(const leat_config *config, leat_broker_websocket_client_options *options,
                           const char *script)
{
    struct t_bytes octets = ws_script(script, false), log = t_copy("", 0);
    leat_session *session;
    size_t length;

    ck_assert_int_eq(leat_broker_websocket_client_new(config, options, &session), LEAT_OK);
    leat_tick(session, 1000);
    ck_assert_int_eq(leat_feed(session, octets.data, octets.length), LEAT_OK);
    ck_assert_int_eq(ws_draw(&log, session), LEAT_MORE);
    (void)leat_send_data(session, &length);
    ck_assert_int_eq(leat_send_done(session, length), LEAT_OK);
    t_free(octets);
    t_free(log);
    return session;
}

/* What the client says now, told as ws_tell() does. */
static void says(leat_session *session, const char *expected)
{
    struct t_bytes log = t_copy("", 0);
    size_t length;
    const void *octets = leat_send_data(session, &length);

    ws_tell(&log, "", LEAT_FROM_CLIENT, octets, length);
    ck_assert_str_eq((char *)log.data, expected);
    ck_assert_int_eq(leat_send_done(session, length), LEAT_OK);
    t_free(log);
}

static leat_builder *value(const char *typed)
{
    leat_builder *builder;

    ck_assert_int_eq(leat_builder_new(NULL, &builder), LEAT_OK);
    ck_assert_int_eq(leat_broker_json_read(builder, NULL, typed, strlen(typed)), LEAT_OK);
    return builder;
}

START_TEST(publish)
{
    leat_broker_websocket_client_options options;
    leat_builder *five = value("{\"@data-type\":\"count\",\"data\":5}");
    leat_builder *octets = value("{\"@data-type\":\"string\",\"data\":\"\xff\"}");
    leat_builder *record = t_json("{\"topic\":\"/t\",\"data\":5}", 23);
    leat_builder *bare = t_json("{\"topic\":\"/t\"}", 14);
    char *topic = calloc(1, 65537);
    leat_session *session;
    const leat_value *data = leat_builder_value(five);

    ws_client_options(&options);
    session = ready(NULL, &options, "AGREED");
    ck_assert_int_eq(leat_broker_websocket_publish(session, "/t", 2, data), LEAT_E_STATE);
    leat_session_free(session);

    session = ready(NULL, &options, OPENS);
    ck_assert_int_eq(leat_broker_websocket_publish(session, "/t", 2, data), LEAT_OK);
    ck_assert_int_eq(leat_send(session, "data", leat_builder_value(record)), LEAT_OK);
    says(session, "text " WS_DATA(5) "\ntext " WS_DATA(5) "\n");
    ck_assert_int_eq(leat_send(session, "data", leat_builder_value(bare)), LEAT_E_VALUE);
    ck_assert_int_eq(leat_send(session, "error", leat_builder_value(bare)), LEAT_E_STATE);
    ck_assert_int_eq(leat_broker_websocket_publish(session, "/t", 2, leat_builder_value(octets)),
                     LEAT_E_VALUE);
    ck_assert_int_eq(leat_broker_websocket_publish(session, "/t", 2, leat_builder_value(record)),
                     LEAT_E_VALUE);
    ck_assert_int_eq(leat_broker_websocket_publish(session, "\xff", 1, data), LEAT_E_VALUE);
    ck_assert_int_eq(leat_broker_websocket_publish(session, "<$>/local/x", 11, data), LEAT_E_VALUE);
    memset(topic, 'a', 65536);
    ck_assert_int_eq(leat_broker_websocket_publish(session, topic, 65536, data), LEAT_E_VALUE);
    says(session, "");
    ck_assert_int_eq(leat_broker_websocket_publish(session, topic, 65535, data), LEAT_OK);
    ck_assert_int_eq(leat_broker_websocket_publish(session, "", 0, data), LEAT_OK);
    leat_session_free(session);
    leat_builder_free(five);
    leat_builder_free(octets);
    leat_builder_free(record);
    leat_builder_free(bare);
    free(topic);
}
END_TEST

/* No two frames have the same mask, and none that the seed does not give. */
START_TEST(masks)
{
    leat_broker_websocket_client_options options;
    leat_builder *five = value("{\"@data-type\":\"count\",\"data\":5}");
    struct t_bytes first = {NULL, 0};
    int other, i;

    ws_client_options(&options);
    for (other = 0; other < 2; other++) {
        leat_session *session;
        const uint8_t *sent;
        size_t length;

        options.seed[31] = (uint8_t)(7 + other);
        session = ready(NULL, &options, OPENS);
        for (i = 0; i < 40; i++)
            ck_assert_int_eq(
                leat_broker_websocket_publish(session, "/t", 2, leat_builder_value(five)), LEAT_OK);
        sent = leat_send_data(session, &length);
        ck_assert_uint_eq(length % 40, 0);
        for (i = 1; i < 40; i++)
            ck_assert_int_ne(memcmp(sent, sent + (size_t)i * (length / 40), 6), 0);
        if (other)
            ck_assert_int_ne(memcmp(sent, first.data, length), 0);
        else
            first = t_copy(sent, length);
        leat_session_free(session);
    }
    t_free(first);
    leat_builder_free(five);
}
END_TEST

START_TEST(pings)
{
    leat_broker_websocket_client_options options;
    leat_session *session;
    char payload[126] = {0};

    ws_client_options(&options);
    session = ready(NULL, &options, OPENS);
    ck_assert_int_eq(leat_broker_websocket_ping(session, "a", 1), LEAT_OK);
    says(session, "ping \"61\"\n");
    ck_assert_int_eq(leat_broker_websocket_ping(session, payload, 125), LEAT_OK);
    ck_assert_int_eq(leat_broker_websocket_ping(session, payload, 126), LEAT_E_VALUE);
    ck_assert_int_eq(leat_broker_websocket_ping(session, payload, 0), LEAT_E_VALUE);
    leat_session_free(session);

    ck_assert_int_eq(leat_broker_websocket_client_new(NULL, &options, &session), LEAT_OK);
    ck_assert_int_eq(leat_broker_websocket_ping(session, "a", 1), LEAT_E_STATE);
    ck_assert_int_eq(leat_broker_websocket_close(session, 1000, "", 0), LEAT_E_STATE);
    leat_session_free(session);
}
END_TEST

/* Our goodbye, and what may come behind it. */
static const struct {
    const char *name, *script;
    bool eof;
    int status;
    const char *log; /* and what we still say */
} goodbyes[] = {
    {"answered", "CLOSE<1000 bye>", false, LEAT_END, "close {\"code\":1000,\"reason\":\"bye\"}\n"},
    {"answered behind other things",
     "TEXT<" WS_DATA(1) "> PING<a> PONG<b> TEXT+<x> CONT<y> CLOSE<>", false, LEAT_END,
     "close {\"code\":null,\"reason\":\"\"}\n"},
    {"by the end of the stream", "", true, LEAT_END, ""},
    {"not yet", "TEXT<" WS_DATA(1) ">", false, LEAT_MORE, ""},
    {"with what is no frame", "HEX<f100>", false, LEAT_E_FRAME, ""},
};

START_TEST(goodbye)
{
    leat_broker_websocket_client_options options;
    leat_session *session;
    struct t_bytes octets = ws_script(goodbyes[_i].script, false), log = t_copy("", 0);

    ws_client_options(&options);
    session = ready(NULL, &options, OPENS);
    ck_assert_int_eq(leat_broker_websocket_close(session, 1006, "", 0), LEAT_E_VALUE);
    ck_assert_int_eq(leat_broker_websocket_close(session, 1000, "\xff", 1), LEAT_E_VALUE);
    ck_assert_int_eq(leat_broker_websocket_close(session, 1000, WS_ASKED, 124), LEAT_E_VALUE);
    ck_assert_int_eq(leat_broker_websocket_close(session, 3000, "bye", 3), LEAT_OK);
    ck_assert_int_eq(leat_broker_websocket_close(session, 3000, "bye", 3), LEAT_E_STATE);
    ck_assert_int_eq(leat_broker_websocket_ping(session, "a", 1), LEAT_E_STATE);
    says(session, "close 3000 bye\n");
    ck_assert_uint_eq(leat_deadline(session), 4000);
    ck_assert_int_eq(leat_feed(session, octets.data, octets.length), LEAT_OK);
    if (goodbyes[_i].eof)
        ck_assert_int_eq(leat_recv_eof(session), LEAT_OK);
    ck_assert_int_eq(ws_draw(&log, session), goodbyes[_i].status);
    ck_assert_str_eq((char *)log.data, goodbyes[_i].log);
    says(session, "");
    if (goodbyes[_i].status == LEAT_MORE) {
        leat_tick(session, 3999);
        ck_assert_int_eq(ws_draw(&log, session), LEAT_MORE);
        leat_tick(session, 4000);
        ck_assert_int_eq(ws_draw(&log, session), LEAT_END);
    }
    ck_assert_uint_eq(leat_wants(session), LEAT_WANT_CLOSE);
    ck_assert_uint_eq(leat_deadline(session), UINT64_MAX);
    t_free(octets);
    t_free(log);
    leat_session_free(session);
}
END_TEST

/* ----- time ----- */

START_TEST(no_ack)
{
    static const struct {
        const char *script, *says;
    } silences[] = {
        {"", "request\n"},
        {"AGREED", "request\ntext []\nclose 1008 No acknowledgement came in time\n"},
    };
    leat_broker_websocket_client_options options;
    struct t_bytes octets = ws_script(silences[_i].script, false), log = t_copy("", 0);
    leat_session *session;

    ws_client_options(&options);
    options.ack_ms = 500;
    ck_assert_int_eq(leat_broker_websocket_client_new(NULL, &options, &session), LEAT_OK);
    ck_assert_uint_eq(leat_deadline(session), UINT64_MAX);
    leat_tick(session, 1000);
    ck_assert_uint_eq(leat_deadline(session), 1500);
    ck_assert_int_eq(leat_feed(session, octets.data, octets.length), LEAT_OK);
    ck_assert_int_eq(ws_draw(&log, session), LEAT_MORE);
    leat_tick(session, 1499);
    ck_assert_int_eq(ws_draw(&log, session), LEAT_MORE);
    leat_tick(session, 1500);
    ck_assert_int_eq(ws_draw(&log, session), LEAT_E_TIMEOUT);
    ck_assert_uint_eq(leat_deadline(session), UINT64_MAX);
    says(session, silences[_i].says);
    leat_session_free(session);
    t_free(octets);
    t_free(log);
}
END_TEST

START_TEST(silent_server)
{
    leat_broker_websocket_client_options options;
    struct t_bytes log = t_copy("", 0);
    leat_session *session;

    ws_client_options(&options);
    options.ping_ms = 100;
    options.ack_ms = 0;
    session = ready(NULL, &options, OPENS);
    ck_assert_uint_eq(leat_deadline(session), 1100);
    leat_tick(session, 1050);
    says(session, "");
    /* Any octet shows that it lives. */
    ck_assert_int_eq(leat_feed(session, "\x81", 1), LEAT_OK);
    leat_tick(session, 1100);
    ck_assert_uint_eq(leat_deadline(session), 1200);
    leat_tick(session, 1200);
    says(session, "ping \"\"\n");
    ck_assert_uint_eq(leat_deadline(session), 1300);
    ck_assert_int_eq(leat_feed(session, "\0\x8a\0", 3), LEAT_OK);
    leat_tick(session, 1250);
    ck_assert_int_eq(ws_draw(&log, session), LEAT_MORE);
    ck_assert_uint_eq(leat_deadline(session), 1350);
    leat_tick(session, 1350);
    says(session, "ping \"\"\n");
    leat_tick(session, 1449);
    ck_assert_int_eq(ws_draw(&log, session), LEAT_MORE);
    leat_tick(session, 1450);
    ck_assert_int_eq(ws_draw(&log, session), LEAT_E_TIMEOUT);
    says(session, "close 1011 Ping timeout\n");
    leat_session_free(session);
    t_free(log);
}
END_TEST

/* A process that slept does not blame the server for that. */
START_TEST(late_ping)
{
    leat_broker_websocket_client_options options;
    struct t_bytes log = t_copy("", 0);
    leat_session *session;

    ws_client_options(&options);
    options.ping_ms = 100;
    session = ready(NULL, &options, OPENS);
    leat_tick(session, 1001);
    ck_assert_uint_eq(leat_deadline(session), 1101);
    leat_tick(session, 5000);
    says(session, "ping \"\"\n");
    ck_assert_uint_eq(leat_deadline(session), 5100);
    leat_tick(session, 5099);
    ck_assert_int_eq(ws_draw(&log, session), LEAT_MORE);
    leat_tick(session, 5100);
    ck_assert_int_eq(ws_draw(&log, session), LEAT_E_TIMEOUT);
    leat_session_free(session);
    t_free(log);
}
END_TEST

/* ----- limits and memory ----- */

START_TEST(limits_of_messages)
{
    leat_broker_websocket_client_options options;
    leat_config config;
    leat_limits limits;
    struct t_bytes octets =
        ws_script(_i / 2 ? "TEXT+<0123456789012345678901234567890123456789> CONT<01234>"
                         : "TEXT<012345678901234567890123456789012345678901234>",
                  false);
    struct t_bytes log = t_copy("", 0);
    leat_session *session;

    leat_config_init(&config, sizeof config);
    leat_limits_init(&limits, sizeof limits);
    config.limits = &limits;
    limits.message_bytes = 45 - (uint64_t)(_i % 2); /* the ack has 43 */
    ws_client_options(&options);
    session = ready(&config, &options, OPENS);
    ck_assert_int_eq(leat_feed(session, octets.data, octets.length), LEAT_OK);
    ck_assert_int_eq(ws_draw(&log, session), _i % 2 ? LEAT_E_LIMIT : LEAT_MORE);
    says(session, _i % 2 ? "close 1009 A message over the limit\n" : "");
    leat_session_free(session);
    t_free(octets);
    t_free(log);
}
END_TEST

/* A response of 8 KiB is read, one more octet is not. */
START_TEST(limit_of_the_head)
{
    leat_broker_websocket_client_options options;
    struct t_bytes octets = t_copy(WS_AGREED, strlen(WS_AGREED) - 2), log = t_copy("", 0);
    leat_session *session;
    char *fill = malloc(9000);
    size_t length = 8192 - octets.length - 7 + (size_t)_i;

    memset(fill, 'y', 9000);
    t_append(&octets, "x: ", 3);
    t_append(&octets, fill, length);
    t_append(&octets, "\r\n\r\n", 4);
    ck_assert_uint_eq(octets.length, 8192 + (size_t)_i);
    ws_client_options(&options);
    ck_assert_int_eq(leat_broker_websocket_client_new(NULL, &options, &session), LEAT_OK);
    ck_assert_int_eq(leat_feed(session, octets.data, octets.length), LEAT_OK);
    ck_assert_int_eq(ws_draw(&log, session), _i ? LEAT_E_LIMIT : LEAT_MORE);
    leat_session_free(session);
    free(fill);
    t_free(octets);
    t_free(log);
}
END_TEST

/* A server that pings and does not read is not read either. */
START_TEST(ping_flood)
{
    leat_broker_websocket_client_options options;
    struct t_bytes octets = t_copy("", 0), log = t_copy("", 0);
    char payload[125] = {0};
    leat_session *session;
    size_t length = 0;
    int i, status = LEAT_MORE;

    ws_client_options(&options);
    session = ready(NULL, &options, OPENS);
    for (i = 0; i < 2000; i++)
        ws_frame(&octets, 0x89, NULL, payload, sizeof payload);
    ck_assert_int_eq(leat_feed(session, octets.data, octets.length), LEAT_OK);
    status = ws_draw(&log, session);
    ck_assert_int_eq(status, LEAT_PAUSED);
    ck_assert_uint_eq(leat_wants(session), LEAT_WANT_WRITE);
    (void)leat_send_data(session, &length);
    ck_assert_uint_gt(length, 65536);
    ck_assert_uint_le(length, 65536 + 2 * 131);
    for (i = 0; i < 10 && status == LEAT_PAUSED; i++) {
        (void)leat_send_data(session, &length);
        ck_assert_int_eq(leat_send_done(session, length), LEAT_OK);
        ck_assert_uint_eq(leat_deadline(session), 0);
        status = ws_draw(&log, session);
    }
    ck_assert_int_eq(status, LEAT_MORE);
    leat_session_free(session);
    t_free(octets);
    t_free(log);
}
END_TEST

/* Once warm, nothing is allocated for a message. */
START_TEST(steady_state)
{
    leat_broker_websocket_client_options options;
    leat_config config;
    struct t_counter counter;
    struct t_bytes octets = ws_script("TEXT<" WS_DATA(1) "> TEXT+<{\"@data-type\":> "
                                                         "CONT<\"count\",\"data\":2}> PING<x>",
                                      false);
    leat_builder *five = value("{\"@data-type\":\"count\",\"data\":5}");
    leat_session *session;
    size_t calls = 0, length;
    const leat_event *event;
    int i;

    t_counter_init(&counter);
    leat_config_init(&config, sizeof config);
    config.allocator = &counter.allocator;
    ws_client_options(&options);
    session = ready(&config, &options, OPENS);
    for (i = 0; i < 100; i++) {
        ck_assert_int_eq(leat_feed(session, octets.data, octets.length), LEAT_OK);
        while (leat_next(session, &event) == LEAT_OK)
            ;
        ck_assert_int_eq(leat_broker_websocket_publish(session, "/t", 2, leat_builder_value(five)),
                         LEAT_OK);
        (void)leat_send_data(session, &length);
        ck_assert_int_eq(leat_send_done(session, length), LEAT_OK);
        if (i == 10)
            calls = counter.calls;
    }
    ck_assert_uint_eq(counter.calls, calls);
    leat_session_trim(session);
    ck_assert_uint_le(leat_session_memory(session), 1024);
    ck_assert_uint_eq(leat_session_memory(session), counter.now);
    leat_session_free(session);
    ck_assert_uint_eq(counter.now, 0);
    leat_builder_free(five);
    t_free(octets);
}
END_TEST

static int allocating(const leat_config *config, const void *arg)
{
    leat_broker_websocket_client_options options;
    struct t_bytes octets = ws_script(arg, false);
    leat_builder *five = value("{\"@data-type\":\"count\",\"data\":5}");
    leat_session *session;
    const leat_event *event;
    int status;

    ws_client_options(&options);
    status = leat_broker_websocket_client_new(config, &options, &session);
    if (status == LEAT_OK) {
        status = leat_feed(session, octets.data, octets.length);
        while (status == LEAT_OK && (status = leat_next(session, &event)) == LEAT_OK)
            ;
        if (status == LEAT_MORE)
            status = leat_broker_websocket_publish(session, "/t", 2, leat_builder_value(five));
        if (status == LEAT_OK)
            status = leat_broker_websocket_close(session, 1000, "", 0);
        leat_session_free(session);
    }
    leat_builder_free(five);
    t_free(octets);
    return status;
}

START_TEST(every_allocation)
{
    t_every_alloc(allocating, OPENS " TEXT<" WS_DATA(1) "> PING<a> TEXT+<{\"@data-type\":> "
                                                        "CONT<\"count\",\"data\":2}> PONG<b>");
}
END_TEST

static void tests(TCase *t)
{
    tcase_add_loop_test(t, conversation, 0, (int)(sizeof cases / sizeof *cases));
    tcase_add_loop_test(t, requests, 0, 2);
    tcase_add_test(t, bad_options);
    tcase_add_test(t, publish);
    tcase_add_test(t, masks);
    tcase_add_test(t, pings);
    tcase_add_loop_test(t, goodbye, 0, (int)(sizeof goodbyes / sizeof *goodbyes));
    tcase_add_loop_test(t, no_ack, 0, 2);
    tcase_add_test(t, silent_server);
    tcase_add_test(t, late_ping);
    tcase_add_loop_test(t, limits_of_messages, 0, 4);
    tcase_add_loop_test(t, limit_of_the_head, 0, 2);
    tcase_add_test(t, ping_flood);
    tcase_add_test(t, steady_state);
    tcase_add_test(t, every_allocation);
}

T_MAIN("broker/websocket client", tests)
