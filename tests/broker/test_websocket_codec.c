/*
 * Recorded conversations over WebSocket, of Broker's and of Zeek's servers: every direction decodes,
 * each message is written again from its event, octet by octet; and frames and heads that no
 * recording has.
 */
#include "lines.h"

#include <leat/broker_websocket.h>
#include <stdio.h>

static leat_session *make(const leat_config *config, const void *from)
{
    leat_session *session;

    return leat_broker_websocket_codec_new(config, *(const uint32_t *)from, &session) == LEAT_OK
               ? session
               : NULL;
}

static const uint32_t client = LEAT_FROM_CLIENT, server = LEAT_FROM_SERVER, any = LEAT_FROM_ANY;

/* ----- recordings ----- */

/* texts that are complete, and those of them that say something; broken: see decode(). */
struct counts {
    unsigned files, events, texts, messages, broken;
};

static void count(struct counts *counts, const leat_event *event)
{
    const leat_value *value = leat_event_value(event);

    counts->events++;
    if (leat_event_kind(event) != LEAT_BROKER_FRAME)
        return;
    counts->texts += leat_value_u64(leat_value_get(value, "opcode")) <= 1 &&
                     leat_value_bool(leat_value_get(value, "fin"));
    counts->messages += leat_value_get(value, "message") != NULL;
}

/* Writes it again: from the event itself, and from its JSON text, as the tool has it. */
static void write_again(const leat_event *event, const char *path)
{
    leat_session *writer = make(NULL, &any);
    char *json = t_json_text(leat_event_value(event));
    leat_builder *builder = t_json(json, strlen(json));
    size_t length, again_length;
    const void *raw = leat_event_raw(event, &length), *again;
    int pass, status;

    for (pass = 0; pass < 2; pass++) {
        status = leat_send(writer, leat_event_name(event, NULL),
                           pass == 0 ? leat_event_value(event) : leat_builder_value(builder));
        ck_assert_msg(status == LEAT_OK, "%s at %u: %s: %s", path,
                      (unsigned)leat_event_offset(event),
                      leat_error_text(leat_session_send_error(writer)), json);
        again = leat_send_data(writer, &again_length);
        ck_assert_msg(length == again_length && memcmp(raw, again, length) == 0, "%s at %u: %s",
                      path, (unsigned)leat_event_offset(event), json);
        ck_assert_int_eq(leat_send_done(writer, again_length), LEAT_OK);
    }
    leat_builder_free(builder);
    free(json);
    leat_session_free(writer);
}

static void decode(const struct t_bytes *octets, const uint32_t *from, const char *path,
                   struct counts *counts)
{
    leat_session *reader = make(NULL, from);
    const leat_event *event;
    int status;

    ck_assert_int_eq(leat_feed(reader, octets->data, octets->length), LEAT_OK);
    ck_assert_int_eq(leat_recv_eof(reader), LEAT_OK);
    while ((status = leat_next(reader, &event)) == LEAT_OK) {
        count(counts, event);
        write_again(event, path);
    }
    /* Of the hand-made clients some said what is not HTTP, or not all of it. */
    counts->broken += status != LEAT_END;
    ck_assert_msg(status == LEAT_END || status == LEAT_E_END || status == LEAT_E_SYNTAX, "%s: %s",
                  path, leat_status_name(status));
    leat_session_free(reader);
}

START_TEST(every_recording)
{
    static const struct {
        const char *folder;
        struct counts counts;
    } recordings[] = {
        {"websocket/broker", {6, 170, 91, 81, 0}},
        {"websocket/zeek", {18, 1344, 765, 745, 2}},
        {"websocket/management", {63, 586, 312, 312, 0}},
    };
    const struct counts *expected = &recordings[_i].counts;
    char **names = t_names(recordings[_i].folder, ".jsonl"), **name;
    struct counts counts = {0};

    for (name = names; *name != NULL; name++, counts.files++) {
        char path[256];
        uint64_t conn, last;

        snprintf(path, sizeof path, "%s/%s", recordings[_i].folder, *name);
        last = lines_connections(path);
        for (conn = 1; conn <= last; conn++) {
            struct t_bytes to = t_capture(path, "a>b", conn), back = t_capture(path, "b>a", conn);

            decode(&to, &client, path, &counts);
            decode(&back, &server, path, &counts);
            t_free(to);
            t_free(back);
        }
    }
    t_names_free(names);
    ck_assert_msg(memcmp(&counts, expected, sizeof counts) == 0,
                  "%u files, %u events, %u texts, %u messages, %u broken", counts.files,
                  counts.events, counts.texts, counts.messages, counts.broken);
}
END_TEST

static const struct {
    const char *path, *dir;
    uint64_t conn;
    const uint32_t *from;
} conversations[] = {
    {"websocket/broker/ws-normal.jsonl", "a>b", 1, &client},
    {"websocket/broker/ws-normal.jsonl", "b>a", 1, &any},
    {"websocket/broker/ws-errors.jsonl", "b>a", 1, &server},
    {"websocket/zeek/cluster-frames.jsonl", "a>b", 1, &any},
    {"websocket/zeek/cluster-frames.jsonl", "b>a", 22, &server},
};

START_TEST(in_pieces)
{
    struct t_bytes octets =
        t_capture(conversations[_i].path, conversations[_i].dir, conversations[_i].conn);

    t_every_split_gives(make, conversations[_i].from, octets.data, octets.length, LEAT_END, 0);
    t_free(octets);
}
END_TEST

START_TEST(every_allocation)
{
    struct t_bytes octets =
        t_capture(conversations[_i].path, conversations[_i].dir, conversations[_i].conn);
    struct t_feed feed = {make, conversations[_i].from, octets.data, octets.length};

    t_every_alloc(t_feed_scenario, &feed);
    t_free(octets);
}
END_TEST

/* ----- what is read ----- */

static const struct {
    const char *name;
    const uint32_t *from;
    const char *hex;
    int status; /* the last one */
    uint64_t at;
    const char *json; /* of the last event; NULL: there is none */
} streams[] = {
    {"nothing", &client, "", LEAT_END, 0, NULL},
    {"unmasked text", &any, "810548656c6c6f", LEAT_END, 0,
     "{\"fin\":true,\"rsv\":0,\"opcode\":1,\"payload\":\"Hello\"}"},
    {"masked text", &any, "818537fa213d7f9f4d5158", LEAT_END, 0,
     "{\"fin\":true,\"rsv\":0,\"opcode\":1,\"key\":\"37fa213d\",\"payload\":\"Hello\"}"},
    {"topics", &client, "81075b222f61222c225d", LEAT_E_END, 10, NULL},
    {"topics", &client, "81065b222f61225d", LEAT_END, 0,
     "{\"fin\":true,\"rsv\":0,\"opcode\":1,\"payload\":\"[\\\"/a\\\"]\",\"message\":[\"/a\"]}"},
    {"text behind topics", &client, "81075b222f61225d5d", LEAT_END, 0,
     "{\"fin\":true,\"rsv\":0,\"opcode\":1,\"payload\":\"[\\\"/a\\\"]]\"}"},
    {"fragments", &server, "01025b2280025d228001", LEAT_E_END, 10, NULL},
    {"fragments", &server, "01025b22890141000080022f5d80025d22", LEAT_END, 0,
     "{\"fin\":true,\"rsv\":0,\"opcode\":0,\"payload\":\"]\\\"\"}"},
    {"the last fragment", &server,
     "01025b2289014100022f61"
     "8002225d",
     LEAT_END, 0,
     "{\"fin\":true,\"rsv\":0,\"opcode\":0,\"payload\":\"\\\"]\",\"message\":[\"/a\"]}"},
    {"a new text inside of fragments", &server,
     "01025b22"
     "81025b5d",
     LEAT_END, 0, "{\"fin\":true,\"rsv\":0,\"opcode\":1,\"payload\":\"[]\",\"message\":[]}"},
    {"fragments of octets", &server,
     "02025b22"
     "8002225d",
     LEAT_END, 0, "{\"fin\":true,\"rsv\":0,\"opcode\":0,\"payload\":\"\\\"]\"}"},
    {"everything reserved", &server, "f300", LEAT_END, 0,
     "{\"fin\":true,\"rsv\":7,\"opcode\":3,\"payload\":\"\"}"},
    {"ping", &server, "8902ff00", LEAT_END, 0,
     "{\"fin\":true,\"rsv\":0,\"opcode\":9,\"payload\":\"ff00\"}"},
    {"close", &server, "880503e8454f46", LEAT_END, 0,
     "{\"fin\":true,\"rsv\":0,\"opcode\":8,\"code\":1000,\"reason\":\"EOF\"}"},
    {"close without a code", &server, "8800", LEAT_END, 0, "{\"fin\":true,\"rsv\":0,\"opcode\":8}"},
    {"close with half a code", &server, "880103", LEAT_END, 0,
     "{\"fin\":true,\"rsv\":0,\"opcode\":8,\"payload\":\"\\u0003\"}"},
    {"long form of a short length", &server, "817e00027b7d", LEAT_END, 0,
     "{\"fin\":true,\"rsv\":0,\"opcode\":1,\"length_octets\":2,\"payload\":\"{}\",\"message\":{}}"},
    {"longer form", &server, "817f00000000000000027b7d", LEAT_END, 0,
     "{\"fin\":true,\"rsv\":0,\"opcode\":1,\"length_octets\":8,\"payload\":\"{}\",\"message\":{}}"},
    {"not UTF-8", &server, "8102ff00", LEAT_END, 0,
     "{\"fin\":true,\"rsv\":0,\"opcode\":1,\"payload\":{\"hex\":\"ff00\"}}"},
    {"a length beyond the limit", &server, "817f0000000004000001", LEAT_E_LIMIT, 0, NULL},
    {"half a frame", &server, "8102ff", LEAT_E_END, 3, NULL},
    {"no HTTP", &client, "474554202f0d0a0d0a", LEAT_E_SYNTAX, 0, NULL},
    {"a response of a client", &client, "485454502f312e3120343030200d0a0d0a", LEAT_E_SYNTAX, 0,
     NULL},
    {"a response", &any, "485454502f312e3120343030200d0a0d0a", LEAT_END, 0,
     "{\"minor\":1,\"status\":400,\"reason\":\"\",\"fields\":{}}"},
    {"a response that is not finished", &server, "485454502f312e31203430300d0a", LEAT_END, 0,
     "{\"minor\":1,\"status\":400,\"reason\":\"\",\"fields\":{},\"unfinished\":true}"},
    {"a response that is not finished at all", &server, "485454502f312e31203430300d", LEAT_E_END,
     13, NULL},
    {"a request that is not finished", &client, "474554202f20485454502f312e310d0a", LEAT_E_END, 16,
     NULL},
    {"a body", &server, "485454502f312e3120343030200d0a0d0a616263", LEAT_END, 0,
     "{\"text\":\"abc\"}"},
    {"a bare line feed", &client, "474554202f20485454502f312e310a", LEAT_E_SYNTAX, 14, NULL},
};

START_TEST(stream)
{
    struct t_bytes octets = t_hex(streams[_i].hex);
    leat_session *reader = make(NULL, streams[_i].from);
    const leat_event *event;
    char *json = NULL;
    int status;

    t_every_split_gives(make, streams[_i].from, octets.data, octets.length, streams[_i].status,
                        streams[_i].at);
    ck_assert_int_eq(leat_feed(reader, octets.data, octets.length), LEAT_OK);
    (void)leat_recv_eof(reader);
    while ((status = leat_next(reader, &event)) == LEAT_OK) {
        free(json);
        json = t_json_text(leat_event_value(event));
        if (leat_event_kind(event) != LEAT_BROKER_RESPONSE)
            write_again(event, streams[_i].name);
    }
    if (streams[_i].json != NULL)
        ck_assert_str_eq(json, streams[_i].json);
    free(json);
    leat_session_free(reader);
    t_free(octets);
}
END_TEST

/* Limits, on both sides of them. */
START_TEST(within_limits)
{
    static const char head[] = "GET / HTTP/1.1\r\nHost: abc\r\n\r\n";
    leat_config config;
    leat_limits limits;
    leat_session *reader;
    const leat_event *event;
    struct t_bytes texts = t_hex("01025b5d"
                                 "80015b");
    int over;

    leat_config_init(&config, sizeof config);
    leat_limits_init(&limits, sizeof limits);
    config.limits = &limits;
    for (over = 0; over < 2; over++) {
        limits.handshake_bytes = sizeof head - 1 - (size_t)over;
        reader = make(&config, &client);
        ck_assert_int_eq(leat_feed(reader, head, sizeof head - 1), LEAT_OK);
        ck_assert_int_eq(leat_next(reader, &event), over ? LEAT_E_LIMIT : LEAT_OK);
        leat_session_free(reader);

        reader = make(&config, &server);
        ck_assert_int_eq(leat_feed(reader, "HTTP/1.1 400\r\n\r\n", 16), LEAT_OK);
        ck_assert_int_eq(leat_next(reader, &event), LEAT_OK);
        ck_assert_int_eq(leat_feed(reader, head, sizeof head - 1), LEAT_OK);
        (void)leat_recv_eof(reader);
        ck_assert_int_eq(leat_next(reader, &event), over ? LEAT_E_LIMIT : LEAT_OK);
        leat_session_free(reader);

        limits.message_bytes = 3 - (uint64_t)over;
        reader = make(&config, &server);
        ck_assert_int_eq(leat_feed(reader, texts.data, texts.length), LEAT_OK);
        ck_assert_int_eq(leat_next(reader, &event), LEAT_OK);
        ck_assert_int_eq(leat_next(reader, &event), over ? LEAT_E_LIMIT : LEAT_OK);
        leat_session_free(reader);
        limits.message_bytes = 0;
    }
    t_free(texts);
}
END_TEST

/* ----- what is written ----- */

static const struct {
    const char *name, *json;
    int status;
    const char *hex; /* or the error */
} sent[] = {
    {"request", "{}", LEAT_OK,
     "474554202f76312f6d657373616765732f6a736f6e20485454502f312e310d0a0d0a"},
    {"request",
     "{\"method\":\"A\",\"target\":\"b\",\"minor\":0,\"fields\":{\"c\":\"d\",\"c\":\"\"}}", LEAT_OK,
     "41206220485454502f312e300d0a633a20640d0a633a200d0a0d0a"},
    {"request", "{\"target\":\"a b\"}", LEAT_E_VALUE, "not HTTP"},
    {"request", "{\"target\":\"a\\r\\nb: c\"}", LEAT_E_VALUE, "control characters in a head"},
    {"request", "{\"method\":\"\"}", LEAT_E_VALUE, "not HTTP"},
    {"request", "{\"method\":1}", LEAT_E_VALUE, "not a text"},
    {"request", "{\"minor\":10}", LEAT_E_VALUE, "not such a number"},
    {"request", "{\"fields\":[]}", LEAT_E_VALUE, "not a record"},
    {"request", "{\"fields\":{\"a b\":\"c\"}}", LEAT_E_VALUE, "not a field of a head"},
    {"request", "{\"fields\":{\"a\":\"b\\nc\"}}", LEAT_E_VALUE, "control characters in a head"},
    {"request", "{\"fields\":{\"a\\r\\nb\":\"c\"}}", LEAT_E_VALUE, "control characters in a head"},
    {"request", "{\"fields\":{\"a\":1}}", LEAT_E_VALUE, "not a text"},
    {"request", "{\"status\":1}", LEAT_E_VALUE, "a field that the message does not have"},
    {"request", "[]", LEAT_E_VALUE, "not a record"},
    {"response", "{}", LEAT_OK, "485454502f312e3120313031200d0a0d0a"},
    {"response", "{\"status\":99}", LEAT_E_VALUE, "not HTTP"},
    {"response", "{\"status\":1000}", LEAT_E_VALUE, "not such a number"},
    {"response", "{\"reason\":\"\\n\"}", LEAT_E_VALUE, "control characters in a head"},
    {"response", "{\"unfinished\":true}", LEAT_OK, "485454502f312e3120313031200d0a"},
    {"body", "{\"text\":\"ab\"}", LEAT_OK, "6162"},
    {"body", "{\"text\":1}", LEAT_E_VALUE, "not a text and not bytes"},
    {"frame", "{}", LEAT_OK, "8100"},
    {"frame", "{\"fin\":false,\"rsv\":2,\"opcode\":9,\"key\":\"01020304\",\"payload\":\"0102ff\"}",
     LEAT_OK, "2983010203040000fc"},
    {"frame", "{\"payload\":\"ab\",\"message\":{}}", LEAT_OK, "81026162"},
    {"frame", "{\"message\":[\"/a\"]}", LEAT_OK, "81065b222f61225d"},
    {"frame", "{\"message\":{\"type\":\"ack\"}}", LEAT_OK, "810e7b2274797065223a2261636b227d"},
    {"frame", "{\"message\":{\"topic\":\"t\",\"data\":5}}", LEAT_OK,
     "81417b2274797065223a22646174612d6d657373616765222c22746f706963223a2274222c224064617461"
     "2d74797065223a22636f756e74222c2264617461223a357d"},
    {"frame", "{\"message\":{\"topic\":\"t\",\"data\":{}}}", LEAT_E_VALUE,
     "a kind of value that Broker does not have"},
    {"frame", "{\"opcode\":8,\"code\":1000,\"reason\":\"x\"}", LEAT_OK, "880303e878"},
    {"frame", "{\"opcode\":8,\"code\":65536}", LEAT_E_VALUE, "not such a number"},
    {"frame", "{\"opcode\":16}", LEAT_E_VALUE, "not such a number"},
    {"frame", "{\"rsv\":8}", LEAT_E_VALUE, "not such a number"},
    {"frame", "{\"key\":\"010203\"}", LEAT_E_VALUE, "not four octets"},
    {"frame", "{\"key\":\"0102030405\"}", LEAT_E_VALUE, "not four octets"},
    {"frame", "{\"length_octets\":3}", LEAT_E_VALUE, "neither 2 nor 8"},
    {"frame", "{\"length_octets\":8}", LEAT_OK, "817f0000000000000000"},
    {"frame", "{\"payload\":true}", LEAT_E_VALUE, "not a text and not bytes"},
    {"frame", "{\"mask\":1}", LEAT_E_VALUE, "a field that the message does not have"},
    {"hello", "{}", LEAT_E_STATE, "no message of that name"},
};

START_TEST(send)
{
    leat_session *writer = make(NULL, &any);
    leat_builder *builder = t_json(sent[_i].json, strlen(sent[_i].json));
    int status = leat_send(writer, sent[_i].name, leat_builder_value(builder));
    const void *octets;
    size_t length;

    ck_assert_msg(status == sent[_i].status, "%s: %s", sent[_i].json,
                  leat_error_text(leat_session_send_error(writer)));
    octets = leat_send_data(writer, &length);
    if (status == LEAT_OK) {
        same_hex(octets, length, sent[_i].hex, sent[_i].json);
    } else {
        ck_assert_str_eq(leat_error_text(leat_session_send_error(writer)), sent[_i].hex);
        ck_assert_uint_eq(length, 0);
    }
    leat_builder_free(builder);
    leat_session_free(writer);
}
END_TEST

START_TEST(sides)
{
    leat_session *session = NULL;

    ck_assert_int_eq(leat_broker_websocket_codec_new(NULL, LEAT_FROM_PROXY, &session),
                     LEAT_E_STATE);
    ck_assert_ptr_null(session);
}
END_TEST

static void tests(TCase *t)
{
    tcase_add_loop_test(t, every_recording, 0, 3);
    tcase_add_loop_test(t, in_pieces, 0, (int)(sizeof conversations / sizeof *conversations));
    tcase_add_loop_test(t, every_allocation, 0,
                        (int)(sizeof conversations / sizeof *conversations));
    tcase_add_loop_test(t, stream, 0, (int)(sizeof streams / sizeof *streams));
    tcase_add_test(t, within_limits);
    tcase_add_loop_test(t, send, 0, (int)(sizeof sent / sizeof *sent));
    tcase_add_test(t, sides);
}

T_MAIN("broker/websocket codec", tests)
