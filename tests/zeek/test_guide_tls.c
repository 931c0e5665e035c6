/*
 * The snippet of doc/zeek-management.md that needs OpenSSL, as it stands there (test_zeek_guide.py
 * compares), and proof that it does what the guide says.
 */
#include "support.h"

#include <leat/broker_websocket.h>
#include <leat/openssl.h>
#include <leat/zeek_controller.h>

/* Asks a controller by WebSocket; args is a record of the arguments by their names. */
static int ask(leat_session *session, leat_builder *b, uint32_t kind, const leat_value *args,
               leat_zeek_management_flaw *flaw)
{
    static const char topic[] = LEAT_ZEEK_CONTROLLER_TOPIC;
    int status;

    leat_builder_clear(b);
    status = leat_zeek_management_write(b, NULL, kind, args, flaw);
    if (status == LEAT_OK)
        status =
            leat_broker_websocket_publish(session, topic, sizeof topic - 1, leat_builder_value(b));
    return status;
}

/* ----- proof ----- */

#define TOPICS "[\"" LEAT_ZEEK_CONTROLLER_TOPIC "\"]"

/* A controller and a client of it, joined in memory. */
struct stage {
    leat_broker *broker;
    leat_zeek_controller *controller;
    leat_session *client, *server;
    leat_builder *b;
    uint32_t last; /* kind of event that came to the client */
    char *response;
};

static void open_client(struct stage *stage)
{
    leat_broker_websocket_client_options options;
    leat_broker_websocket_options own;
    static const uint8_t random[16] = {1};
    leat_builder *topics = t_json(TOPICS, sizeof TOPICS - 1);
    char key[25], accept[29];

    leat_broker_websocket_client_options_init(&options, sizeof options);
    leat_websocket_key(random, key);
    ck_assert_int_eq(leat_websocket_accept_value(key, 24, accept), LEAT_OK);
    options.host = "127.0.0.1:2149";
    options.key = key;
    options.accept = accept;
    options.topics = leat_builder_value(topics);
    options.seed[0] = 1;
    ck_assert_int_eq(leat_broker_websocket_client_new(NULL, &options, &stage->client), LEAT_OK);
    leat_broker_websocket_options_init(&own, sizeof own);
    own.id[0] = 2;
    ck_assert_int_eq(
        leat_broker_websocket_accept(stage->broker, &own, "127.0.0.1", 40000, &stage->server),
        LEAT_OK);
    leat_builder_free(topics);
}

static void open_stage(struct stage *stage)
{
    leat_zeek_controller_options options;
    leat_broker_options own;

    memset(stage, 0, sizeof *stage);
    leat_broker_options_init(&own, sizeof own);
    own.id[0] = 1;
    ck_assert_int_eq(leat_broker_new(NULL, &own, &stage->broker), LEAT_OK);
    leat_zeek_controller_options_init(&options, sizeof options);
    ck_assert_int_eq(leat_zeek_controller_new(NULL, &options, stage->broker, &stage->controller),
                     LEAT_OK);
    ck_assert_int_eq(leat_builder_new(NULL, &stage->b), LEAT_OK);
    open_client(stage);
}

static void close_stage(struct stage *stage)
{
    leat_session_free(stage->client);
    leat_session_free(stage->server);
    leat_zeek_controller_free(stage->controller);
    leat_broker_free(stage->broker);
    leat_builder_free(stage->b);
    free(stage->response);
}

static void move(leat_session *from, leat_session *to)
{
    size_t length;
    const void *data = leat_send_data(from, &length);

    ck_assert_int_eq(leat_feed(to, data, length), LEAT_OK);
    ck_assert_int_eq(leat_send_done(from, length), LEAT_OK);
}

/* An event that came to the client. */
static void on_event(struct stage *stage, const leat_event *event)
{
    leat_zeek_message message;

    stage->last = leat_event_kind(event);
    if (stage->last != LEAT_BROKER_DATA)
        return;
    leat_zeek_message_init(&message, sizeof message);
    ck_assert_int_eq(leat_zeek_read(leat_value_get(leat_event_value(event), "data"), &message),
                     LEAT_OK);
    leat_builder_clear(stage->b);
    ck_assert_int_eq(leat_zeek_management_read(stage->b, NULL, &message, NULL), LEAT_OK);
    free(stage->response);
    stage->response = t_json_text(leat_builder_value(stage->b));
    ck_assert_uint_eq(leat_zeek_management_kind(&message), LEAT_ZEEK_CONTROLLER_GET_NODES_RESPONSE);
}

static void run(struct stage *stage)
{
    const leat_event *event;
    size_t round;

    for (round = 0; round < 8; round++) {
        move(stage->client, stage->server);
        while (leat_next(stage->server, &event) == LEAT_OK) {
            if (leat_event_kind(event) == LEAT_BROKER_UPGRADE)
                ck_assert_int_eq(leat_websocket_upgrade(stage->server, event), LEAT_OK);
            else
                ck_assert_int_ge(leat_zeek_controller_take(stage->controller, event), LEAT_OK);
        }
        move(stage->server, stage->client);
        while (leat_next(stage->client, &event) == LEAT_OK)
            on_event(stage, event);
    }
}

START_TEST(a_client)
{
    leat_builder *args = t_json("{\"reqid\":\"1\"}", 13);
    leat_zeek_management_flaw flaw;
    struct stage stage;

    open_stage(&stage);
    run(&stage);
    ck_assert_uint_eq(stage.last, LEAT_BROKER_ACK);
    leat_zeek_management_flaw_init(&flaw, sizeof flaw);
    ck_assert_int_eq(ask(stage.client, stage.b, LEAT_ZEEK_CONTROLLER_GET_NODES_REQUEST,
                         leat_builder_value(args), &flaw),
                     LEAT_OK);
    run(&stage);
    ck_assert_str_eq(stage.response,
                     "{\"reqid\":\"1\",\"results\":[{\"reqid\":\"1\",\"success\":false,"
                     "\"instance\":null,\"data\":null,\"error\":\"no instances connected\","
                     "\"node\":null}]}");
    ck_assert_int_eq(ask(stage.client, stage.b, LEAT_ZEEK_CONTROLLER_GET_ID_VALUE_REQUEST,
                         leat_builder_value(args), &flaw),
                     LEAT_E_VALUE);
    ck_assert_str_eq(flaw.argument, "id");
    leat_builder_free(args);
    close_stage(&stage);
}
END_TEST

static void tests(TCase *tc)
{
    tcase_add_test(tc, a_client);
}

T_MAIN("zeek/guide_tls", tests)
