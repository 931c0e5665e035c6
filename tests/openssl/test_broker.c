/* Broker's conversations inside TLS, and at an acceptor that takes them with TLS and without. */
#include "ends.h"
#include "lines.h"

#include <leat/broker.h>
#include <leat/broker_endpoint.h>
#include <openssl/err.h>

#define COUNT(table) ((int)(sizeof(table) / sizeof *(table)))
#define WHOLE        ((size_t)1 << 20)

static const uint32_t from[] = {LEAT_FROM_SERVER, LEAT_FROM_CLIENT};

static SSL_CTX *anonymous(bool is_server)
{
    leat_tls_options options;
    SSL_CTX *context = NULL;
    int status;

    leat_tls_options_init(&options, sizeof options);
    options.anonymous = 1;
    status = is_server ? leat_tls_server_context(&options, &context, NULL)
                       : leat_tls_client_context(&options, &context, NULL);
    ck_assert_int_eq(status, LEAT_OK);
    return context;
}

/* A connector's end (0) or a listener's (1), over this session. */
static void put(struct t_end *end, int role, leat_session *session)
{
    t_end_begin(end);
    leat_session_free(end->session);
    end->session = session;
    end->context = anonymous(role == 1);
    ck_assert_int_eq(role == 0 ? leat_tls_connect(NULL, end->context, NULL, end->session, &end->tls)
                               : leat_tls_accept(NULL, end->context, end->session, &end->tls),
                     LEAT_OK);
}

/* The same, over one that reads what the other role says. */
static void begin(struct t_end *end, int role)
{
    leat_session *session;

    ck_assert_int_eq(leat_broker_codec_new(NULL, from[role], &session), LEAT_OK);
    put(end, role, session);
}

/* A chunk of a recording: its sender says again what the reader makes of it. */
static void say_again(leat_session *reader, struct t_end *sender, const leat_value *line)
{
    const leat_event *event;
    char *hex = text_of(line, "hex");
    struct t_bytes octets = t_hex(hex);
    int status;

    free(hex);
    ck_assert_int_eq(leat_feed(reader, octets.data, octets.length), LEAT_OK);
    t_free(octets);
    while ((status = leat_next(reader, &event)) == LEAT_OK)
        ck_assert_int_eq(
            leat_send(sender->session, leat_event_name(event, NULL), leat_event_value(event)),
            LEAT_OK);
    ck_assert_int_eq(status, LEAT_MORE);
}

static const struct {
    const char *path;
    size_t piece;
} recordings[] = {
    {"broker/captures/peer-low-connects-unpeer-by-connector.jsonl", WHOLE},
    {"broker/captures/peer-high-connects-unpeer-by-listener.jsonl", 1},
    {"broker/captures/store-master-clone-low.jsonl", WHOLE},
    {"broker/captures/store-master-clone-high.jsonl", 13},
    {"zeek/events/types.jsonl", 333},
    {"zeek/management/native-main.jsonl", WHOLE},
};

/* Each end reads just what was recorded of the other. */
START_TEST(recordings_inside_tls)
{
    const char *path = recordings[_i].path;
    struct t_bytes to = t_capture(path, "a>b", 1), back = t_capture(path, "b>a", 1);
    struct t_end ends[2] = {{0}, {0}};
    leat_session *readers[2];
    struct lines lines;
    int i;

    for (i = 0; i < 2; i++) {
        begin(&ends[i], i);
        ck_assert_int_eq(leat_broker_codec_new(NULL, from[1 - i], &readers[i]), LEAT_OK);
    }
    lines_open(&lines, path);
    while (lines_next(&lines)) {
        int sender = has_text(lines.line, "dir", "a>b") ? 0 : 1;

        if (leat_value_get(lines.line, "hex") == NULL ||
            leat_value_u64(leat_value_get(lines.line, "conn")) != 1)
            continue;
        say_again(readers[sender], &ends[sender], lines.line);
        t_talk(&ends[0], &ends[1], recordings[_i].piece);
    }
    ck_assert_uint_gt(to.length, 0);
    ck_assert_uint_eq(ends[1].got.length, to.length);
    ck_assert_mem_eq(ends[1].got.data, to.data, to.length);
    ck_assert_uint_gt(back.length, 0);
    ck_assert_uint_eq(ends[0].got.length, back.length);
    ck_assert_mem_eq(ends[0].got.data, back.data, back.length);

    /* Broker closes the connection without a word of TLS: what was whole is told all the same. */
    ck_assert_int_eq(leat_tls_recv_eof(ends[1].tls), LEAT_OK);
    ck_assert_int_eq(t_end_run(&ends[1]), LEAT_E_END);
    ck_assert_int_eq(ends[1].status, LEAT_MORE);
    ck_assert_int_eq(leat_recv_eof(ends[1].session), LEAT_OK);
    ck_assert_int_eq(t_end_run(&ends[1]), LEAT_E_END);
    ck_assert_int_eq(ends[1].status, LEAT_END);
    for (i = 0; i < 2; i++) {
        leat_session_free(readers[i]);
        t_end_free(&ends[i]);
    }
    t_free(to);
    t_free(back);
}
END_TEST

/* Two endpoints, one of which subscribes to /test, and the ends of the connection between them. */
struct pair {
    leat_broker *brokers[2];
    struct t_end ends[2];
};

static void peer(struct pair *pair, const leat_broker_options *given)
{
    leat_session *sessions[2];
    int i;

    memset(pair, 0, sizeof *pair);
    for (i = 0; i < 2; i++) {
        leat_broker_options options = *given;

        memset(options.id, i + 1, sizeof options.id);
        ck_assert_int_eq(leat_broker_new(NULL, &options, &pair->brokers[i]), LEAT_OK);
    }
    ck_assert_int_eq(leat_broker_subscribe(pair->brokers[1], "/test", 5), LEAT_OK);
    ck_assert_int_eq(leat_broker_peer(pair->brokers[0], "zeek", 9999, 0), LEAT_OK);
    ck_assert_int_eq(leat_broker_connect(pair->brokers[0], &sessions[0]), LEAT_OK);
    ck_assert_int_eq(leat_broker_accept(pair->brokers[1], "leat", 12345, &sessions[1]), LEAT_OK);
    for (i = 0; i < 2; i++)
        put(&pair->ends[i], i, sessions[i]);
    t_talk(&pair->ends[0], &pair->ends[1], WHOLE);
    ck_assert_ptr_nonnull(leat_broker_peer_id(sessions[0]));
    ck_assert_ptr_nonnull(leat_broker_peer_id(sessions[1]));
    for (i = 0; i < 2; i++)
        pair->ends[i].got.length = 0;
}

static void part(struct pair *pair)
{
    int i;

    for (i = 0; i < 2; i++) {
        t_end_free(&pair->ends[i]);
        leat_broker_free(pair->brokers[i]);
    }
}

static void publish(struct pair *pair, uint64_t number)
{
    leat_builder *b;

    ck_assert_int_eq(leat_builder_new(NULL, &b), LEAT_OK);
    leat_builder_u64(b, NULL, number);
    ck_assert_int_eq(leat_broker_publish(pair->brokers[0], "/test/x", 7, leat_builder_value(b)),
                     LEAT_OK);
    leat_builder_free(b);
}

#define MESSAGE_BYTES (4 + 37 + 7 + 9u) /* of one with topic /test/x and a count */

START_TEST(endpoints_inside_tls)
{
    leat_broker_options options;
    struct pair pair;

    leat_broker_options_init(&options, sizeof options);
    peer(&pair, &options);
    publish(&pair, 1);
    t_talk(&pair.ends[0], &pair.ends[1], 1);
    ck_assert_uint_eq(pair.ends[1].got.length, MESSAGE_BYTES);

    ck_assert_int_eq(leat_broker_unpeer(pair.brokers[0], "zeek", 9999), LEAT_OK);
    t_talk(&pair.ends[0], &pair.ends[1], WHOLE);
    ck_assert_int_eq(pair.ends[0].status, LEAT_END);

    /* The one that is left sees the end of TCP, as if Broker had closed it. */
    ck_assert_int_eq(leat_tls_recv_eof(pair.ends[1].tls), LEAT_OK);
    ck_assert_int_eq(t_end_run(&pair.ends[1]), LEAT_E_END);
    ck_assert_ptr_nonnull(leat_broker_peer_id(pair.ends[1].session));
    (void)leat_recv_eof(pair.ends[1].session);
    (void)t_end_run(&pair.ends[1]);
    ck_assert_int_eq(pair.ends[1].status, LEAT_END);
    part(&pair);
}
END_TEST

#define MANY 20000u

/*
 * A peer that reads little by little: what was taken into records goes out whole, however much of what
 * waits behind it is lost.
 */
START_TEST(a_slow_peer_gets_whole_messages)
{
    static const uint32_t policies[] = {LEAT_BROKER_DROP_OLDEST, LEAT_BROKER_DROP_NEWEST};
    leat_broker_options options;
    leat_broker_stats stats = {.size = sizeof stats};
    struct pair pair;
    uint64_t last = 0;
    size_t i, waiting;

    leat_broker_options_init(&options, sizeof options);
    options.overflow = policies[_i];
    options.queue_messages = 100;
    peer(&pair, &options);
    for (i = 1; i <= MANY; i++) {
        publish(&pair, i);
        (void)leat_tls_run(pair.ends[0].tls);
        (void)leat_tls_send_data(pair.ends[0].tls, &waiting);
        ck_assert_uint_lt(waiting, 100 << 10);
        if (i % 50 == 0)
            (void)t_carry(&pair.ends[0], &pair.ends[1], 1000 + i % 7);
        (void)t_end_run(&pair.ends[1]);
    }
    t_talk(&pair.ends[0], &pair.ends[1], 1000);
    ck_assert_int_eq(leat_broker_get_stats(pair.ends[0].session, &stats), LEAT_OK);
    ck_assert_uint_gt(stats.overflows, 1000);
    ck_assert_uint_eq(stats.queued, 0);
    ck_assert_uint_eq(pair.ends[1].got.length % MESSAGE_BYTES, 0);
    ck_assert_uint_eq(pair.ends[1].got.length / MESSAGE_BYTES, MANY - stats.overflows);
    for (i = 0; i < pair.ends[1].got.length; i += MESSAGE_BYTES) {
        const uint8_t *number = pair.ends[1].got.data + i + MESSAGE_BYTES - 2;
        uint64_t low = (uint64_t)number[0] << 8 | number[1];

        ck_assert_uint_gt(low, last);
        last = low;
    }
    part(&pair);
}
END_TEST

#define HELLO "00000017 06 5a45454b 11111111111151119111111111111111 01 01"
#define PROBE "00000005 07 5a45454b"
#define GET   "474554202f76312f6d657373616765732f6a736f6e20485454502f312e310d0a"
#define WEB   "485454502f312e3120343030204261642052657175657374 0d0a"

/* What somebody without TLS says first, to an end with TLS. */
static const struct {
    const char *name;
    int role;
    const char *hex;
    const char *error;
} plain[] = {
    {"a connector", 1, HELLO, "wrong version number"},
    {"a browser", 1, GET, "http request"},
    {"a listener", 0, PROBE, "wrong version number"},
    {"a listener, originator at once", 0,
     PROBE "00000016 08 5a45454b 11111111111151119111111111111111 01 00000002 0a00",
     "wrong version number"},
    {"a server of the Web", 0, WEB, "wrong version number"},
    {"silence and an end", 1, "", "the stream ended inside the handshake"},
    {"the same, of a listener", 0, "", "the stream ended inside the handshake"},
};

/* The session hears nothing of it, whether it comes at once or octet by octet. */
static void hear(struct t_end *end, struct t_bytes octets, size_t piece)
{
    size_t at = 0, room;

    while (at < octets.length && t_end_run(end) == LEAT_OK) {
        size_t length = octets.length - at < piece ? octets.length - at : piece;
        void *space = leat_tls_recv_space(end->tls, &room);

        ck_assert_uint_ge(room, length);
        memcpy(space, octets.data + at, length);
        ck_assert_int_eq(leat_tls_recv_done(end->tls, length), LEAT_OK);
        at += length;
    }
    (void)t_end_run(end);
    (void)leat_tls_recv_eof(end->tls);
    ck_assert_int_lt(t_end_run(end), 0);
}

START_TEST(plain_to_tls)
{
    static const size_t pieces[] = {1, 6, WHOLE};
    struct t_bytes octets = t_hex(plain[_i].hex);
    int i;

    for (i = 0; i < COUNT(pieces); i++) {
        struct t_end end = {0};
        const leat_error *error;

        begin(&end, plain[_i].role);
        hear(&end, octets, pieces[i]);
        error = leat_tls_error(end.tls);
        ck_assert_str_eq(leat_error_text(error), plain[_i].error);
        ck_assert_int_eq(leat_error_code(error), octets.length > 0 ? LEAT_E_TLS : LEAT_E_END);
        ck_assert_int_eq(leat_tls_is_ready(end.tls), 0);
        ck_assert_int_eq(end.status, LEAT_MORE);
        t_end_free(&end);
    }
    t_free(octets);
}
END_TEST

/* The other way round: a listener without TLS takes a connector's first record for a huge frame. */
START_TEST(tls_to_plain)
{
    leat_session *session;
    const leat_event *event;
    struct t_end client = {0};
    const void *data;
    size_t length;

    begin(&client, 0);
    ck_assert_int_eq(t_end_run(&client), LEAT_OK);
    data = leat_tls_send_data(client.tls, &length);
    ck_assert_int_eq(leat_broker_codec_new(NULL, LEAT_FROM_CLIENT, &session), LEAT_OK);
    ck_assert_int_eq(leat_feed(session, data, length), LEAT_OK);
    ck_assert_int_eq(leat_next(session, &event), LEAT_E_LIMIT);
    ck_assert_uint_eq(leat_error_offset(leat_session_error(session)), 0);
    leat_session_free(session);
    t_end_free(&client);
}
END_TEST

/* All that an acceptor may get first. */
START_TEST(an_acceptor_of_both_tells_them_apart)
{
    struct t_end client = {0};
    const uint8_t *data;
    size_t length, i;

    begin(&client, 0);
    ck_assert_int_eq(t_end_run(&client), LEAT_OK);
    data = (const uint8_t *)leat_tls_send_data(client.tls, &length);
    ck_assert_int_eq(leat_tls_is_first_octet(data[0]), 1);
    t_end_free(&client);
    for (i = 0; i < sizeof plain / sizeof *plain; i++) {
        struct t_bytes octets = t_hex(plain[i].hex);

        if (octets.length > 0)
            ck_assert_int_eq(leat_tls_is_first_octet(octets.data[0]), 0);
        t_free(octets);
    }
}
END_TEST

static void tests(TCase *cases)
{
    tcase_add_loop_test(cases, recordings_inside_tls, 0, COUNT(recordings));
    tcase_add_test(cases, endpoints_inside_tls);
    tcase_add_loop_test(cases, a_slow_peer_gets_whole_messages, 0, 2);
    tcase_add_loop_test(cases, plain_to_tls, 0, COUNT(plain));
    tcase_add_test(cases, tls_to_plain);
    tcase_add_test(cases, an_acceptor_of_both_tells_them_apart);
}

T_MAIN("openssl/broker", tests)
