/* Broker's JSON protocol with its WebSockets opened in one call, and inside
 * TLS. */
#include "ends.h"

#include <leat/broker_websocket.h>

#define WHOLE ((size_t)1 << 20)
#define REQUEST                                                                                    \
    "GET /v1/messages/json HTTP/1.1\r\nHost: zeek:9997\r\nUpgrade: "                               \
    "websocket\r\n"                                                                                \
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"                                         \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

static leat_broker *make_broker(void)
{
    leat_broker_options options;
    leat_broker *broker;

    leat_broker_options_init(&options, sizeof options);
    memset(options.id, 1, sizeof options.id);
    ck_assert_int_eq(leat_broker_new(NULL, &options, &broker), LEAT_OK);
    return broker;
}

static leat_session *make_server(leat_broker *broker)
{
    leat_broker_websocket_options options;
    leat_session *session;

    leat_broker_websocket_options_init(&options, sizeof options);
    memset(options.id, 2, sizeof options.id);
    ck_assert_int_eq(leat_broker_websocket_accept(broker, &options, "browser", 12345, &session),
                     LEAT_OK);
    return session;
}

static leat_session *make_client(void)
{
    static const uint8_t random[16] = "the sample nonce";
    leat_broker_websocket_client_options options;
    leat_session *session;
    char key[25], accept[29];

    leat_websocket_key(random, key);
    ck_assert_int_eq(leat_websocket_accept_value(key, 24, accept), LEAT_OK);
    leat_broker_websocket_client_options_init(&options, sizeof options);
    options.host = "zeek:9997";
    options.key = key;
    options.accept = accept;
    memset(options.seed, 3, sizeof options.seed);
    ck_assert_int_eq(leat_broker_websocket_client_new(NULL, &options, &session), LEAT_OK);
    return session;
}

START_TEST(a_request_is_answered)
{
    static const char accept[] = "\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
    leat_broker *broker = make_broker();
    leat_session *session = make_server(broker);
    const leat_event *event;
    struct t_bytes answer;
    const void *data;
    size_t length;

    ck_assert_int_eq(leat_websocket_upgrade(session, NULL), LEAT_E_STATE);
    ck_assert_int_eq(leat_feed(session, REQUEST, sizeof REQUEST - 1), LEAT_OK);
    ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
    ck_assert_uint_eq(leat_event_kind(event), LEAT_BROKER_UPGRADE);
    ck_assert_int_eq(leat_websocket_upgrade(session, event), LEAT_OK);
    ck_assert_int_eq(leat_websocket_upgrade(session, event), LEAT_E_STATE);
    data = leat_send_data(session, &length);
    answer = t_copy(data, length);
    t_append(&answer, "", 1);
    ck_assert_ptr_nonnull(strstr((const char *)answer.data, accept));
    t_free(answer);
    leat_session_free(session);
    leat_broker_free(broker);
}
END_TEST

/* A session of something else, and an event of something else. */
START_TEST(nothing_else_is_answered)
{
    leat_broker *broker = make_broker();
    leat_session *server = make_server(broker), *client = make_client();
    const leat_event *event;
    const void *data;
    size_t length;

    ck_assert_int_eq(leat_feed(server, REQUEST, sizeof REQUEST - 1), LEAT_OK);
    ck_assert_int_eq(leat_next(server, &event), LEAT_OK);
    data = leat_send_data(client, &length);
    ck_assert_uint_gt(length, 0);
    ck_assert_int_eq(leat_send_done(client, length), LEAT_OK);
    ck_assert_int_eq(leat_websocket_upgrade(client, event), LEAT_E_STATE);
    ck_assert_int_eq(leat_websocket_upgrade(server, event), LEAT_OK);
    data = leat_send_data(server, &length);
    ck_assert_int_eq(leat_feed(client, data, length), LEAT_OK);
    (void)leat_next(client, &event);
    leat_session_free(client);
    leat_session_free(server);
    leat_broker_free(broker);
}
END_TEST

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

/* A turn of the loop, in which requests are answered. Gives the kind of the
 * last event. */
static uint32_t turn(struct t_end *end)
{
    const leat_event *event;
    uint32_t kind = 0;

    do {
        while ((end->status = leat_next(end->session, &event)) == LEAT_OK) {
            kind = leat_event_kind(event);
            if (kind == LEAT_BROKER_UPGRADE)
                ck_assert_int_eq(leat_websocket_upgrade(end->session, event), LEAT_OK);
        }
    } while (leat_tls_run(end->tls) == LEAT_MORE);
    return kind;
}

/* wss: from the handshake to the ack. */
START_TEST(an_upgrade_inside_tls)
{
    leat_broker *broker = make_broker();
    struct t_end client, server;
    uint32_t kind, last = 0;
    size_t moved;

    t_end_begin(&client);
    t_end_begin(&server);
    leat_session_free(client.session);
    leat_session_free(server.session);
    client.session = make_client();
    server.session = make_server(broker);
    client.context = anonymous(false);
    server.context = anonymous(true);
    ck_assert_int_eq(leat_tls_connect(NULL, client.context, NULL, client.session, &client.tls),
                     LEAT_OK);
    ck_assert_int_eq(leat_tls_accept(NULL, server.context, server.session, &server.tls), LEAT_OK);
    do {
        kind = turn(&client);
        last = kind != 0 ? kind : last;
        moved = t_carry(&client, &server, _i == 0 ? WHOLE : 1);
        (void)turn(&server);
        moved += t_carry(&server, &client, _i == 0 ? WHOLE : 1);
    } while (moved > 0);
    ck_assert_uint_eq(last, LEAT_BROKER_ACK);
    t_end_free(&client);
    t_end_free(&server);
    leat_broker_free(broker);
}
END_TEST

static void tests(TCase *cases)
{
    tcase_add_test(cases, a_request_is_answered);
    tcase_add_test(cases, nothing_else_is_answered);
    tcase_add_loop_test(cases, an_upgrade_inside_tls, 0, 2);
}

T_MAIN("openssl/upgrade", tests)
