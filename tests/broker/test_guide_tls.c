/*
 * The snippets of doc/broker.md that need OpenSSL, as they stand there (test_broker_guide.py
 * compares), and proof that they do what the guide says.
 */
#include "certificates.h"
#include "support.h"

#include <leat/broker_endpoint.h>
#include <leat/broker_websocket.h>
#include <leat/openssl.h>
#include <openssl/rand.h>

/* A client of wherever a WebSocket is; topics is a list of texts. */
static int make_client(const char *host, const leat_value *topics, leat_session **session)
{
    leat_broker_websocket_client_options options;
    char key[25], accept[29];
    unsigned char random[16];
    int status;

    leat_broker_websocket_client_options_init(&options, sizeof options);
    if (RAND_bytes(random, sizeof random) != 1 ||
        RAND_bytes(options.seed, sizeof options.seed) != 1)
        return LEAT_E_TLS;
    leat_websocket_key(random, key);
    status = leat_websocket_accept_value(key, 24, accept);
    if (status != LEAT_OK)
        return status;
    options.host = host; /* "zeek.example:9997" */
    options.key = key;
    options.accept = accept;
    options.topics = topics;
    return leat_broker_websocket_client_new(NULL, &options, session);
}

/* What a gateway does with a connection: the client becomes a link of the endpoint. */
static int take_client(leat_broker *broker, const char *address, uint32_t port, uint64_t number,
                       leat_session **session)
{
    leat_broker_websocket_options options;

    leat_broker_websocket_options_init(&options, sizeof options);
    if (RAND_bytes(options.id, sizeof options.id) != 1)
        return LEAT_E_TLS;
    options.number = number; /* the ack names the client by it */
    return leat_broker_websocket_accept(broker, &options, address, port, session);
}

/* And with its request, an UPGRADE: pages of other sites do not get in, programs do. */
static int answer(leat_session *session, const leat_event *upgrade)
{
    static const char ours[] = "https://zeek.example";
    const leat_value *origin = leat_value_get(leat_event_value(upgrade), "origin");
    size_t length;
    const char *text = leat_value_text(origin, &length);

    if (leat_value_kind(origin) != LEAT_NULL &&
        (length != sizeof ours - 1 || memcmp(text, ours, length) != 0))
        return leat_broker_websocket_refuse(session, 403, "Forbidden");
    return leat_websocket_upgrade(session, upgrade);
}

/* TLS as Broker does it by default: nobody proves who he is. */
static int make_anonymous(int is_server, SSL_CTX **context, const char **reason)
{
    leat_tls_options options;

    leat_tls_options_init(&options, sizeof options);
    options.anonymous = 1;
    return is_server ? leat_tls_server_context(&options, context, reason)
                     : leat_tls_client_context(&options, context, reason);
}

/* With certificates, for both ends: each has one, of an authority that the other one believes. */
static int make_context(int is_server, const char *certificate, const char *key,
                        const char *authorities, SSL_CTX **context, const char **reason)
{
    leat_tls_options options;

    leat_tls_options_init(&options, sizeof options);
    options.certificate = certificate; /* the text of ssl_certificate */
    options.certificate_length = strlen(certificate);
    options.key = key; /* of ssl_keyfile; password is ssl_passphrase */
    options.key_length = strlen(key);
    options.authorities = authorities; /* of ssl_cafile */
    options.authorities_length = strlen(authorities);
    return is_server ? leat_tls_server_context(&options, context, reason)
                     : leat_tls_client_context(&options, context, reason);
}

/* ----- proof ----- */

#define REQUEST                                                                                    \
    "GET /v1/messages/json HTTP/1.1\r\nHost: zeek:9997\r\nUpgrade: websocket\r\n"                  \
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"                                         \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

static leat_broker *make_broker(uint8_t id)
{
    leat_broker_options options;
    leat_broker *broker;

    leat_broker_options_init(&options, sizeof options);
    memset(options.id, id, sizeof options.id);
    ck_assert_int_eq(leat_broker_new(NULL, &options, &broker), LEAT_OK);
    ck_assert_int_eq(leat_broker_subscribe(broker, "/", 1), LEAT_OK);
    return broker;
}

/* Draws all events and answers requests. The kind of the last one. */
static uint32_t draw(leat_session *session)
{
    const leat_event *event;
    uint32_t kind = 0;

    while (leat_next(session, &event) == LEAT_OK) {
        kind = leat_event_kind(event);
        if (kind == LEAT_BROKER_UPGRADE)
            ck_assert_int_eq(answer(session, event), LEAT_OK);
    }
    return kind;
}

static void move(leat_session *from, leat_session *to)
{
    size_t length;
    const void *data = leat_send_data(from, &length);

    ck_assert_int_eq(leat_feed(to, data, length), LEAT_OK);
    ck_assert_int_eq(leat_send_done(from, length), LEAT_OK);
}

/* An event of Zeek that goes to the client, and one that comes from it. */
START_TEST(a_client_and_a_gateway)
{
    static const char event[] = "[1,1,[\"ping\",[]]]";
    leat_broker *broker = make_broker(1);
    leat_builder *topics = t_json("[\"/\"]", 5), *data = t_json(event, sizeof event - 1);
    leat_session *client, *server;
    const leat_event *acknowledged;
    size_t length;
    const char *name;

    ck_assert_int_eq(make_client("zeek.example:9997", leat_builder_value(topics), &client),
                     LEAT_OK);
    ck_assert_int_eq(take_client(broker, "192.0.2.1", 40000, 7, &server), LEAT_OK);
    move(client, server);
    (void)draw(server);
    move(server, client);
    (void)draw(client);
    move(client, server);
    ck_assert_uint_eq(draw(server), LEAT_BROKER_PEER_ADDED);
    move(server, client);
    ck_assert_int_eq(leat_next(client, &acknowledged), LEAT_OK);
    ck_assert_uint_eq(leat_event_kind(acknowledged), LEAT_BROKER_ACK);
    name = leat_value_text(leat_value_get(leat_event_value(acknowledged), "endpoint"), &length);
    ck_assert_uint_eq(length, 48);
    ck_assert_int_eq(memcmp(name + 36, "-websocket-7", 12), 0);
    ck_assert_int_eq(leat_broker_websocket_publish(client, "/a", 2, leat_builder_value(data)),
                     LEAT_OK);
    move(client, server);
    ck_assert_uint_eq(draw(server), LEAT_BROKER_DATA);
    ck_assert_int_eq(leat_broker_publish(broker, "/b", 2, leat_builder_value(data)), LEAT_OK);
    move(server, client);
    ck_assert_uint_eq(draw(client), LEAT_BROKER_DATA);
    leat_session_free(client);
    leat_session_free(server);
    leat_builder_free(topics);
    leat_builder_free(data);
    leat_broker_free(broker);
}
END_TEST

static const struct {
    const char *origin;
    const char *answer;
} origins[] = {
    {"", "HTTP/1.1 101 "},
    {"Origin: https://zeek.example\r\n", "HTTP/1.1 101 "},
    {"Origin: https://zeek.example.net\r\n", "HTTP/1.1 403 Forbidden"},
    {"Origin: null\r\n", "HTTP/1.1 403 Forbidden"},
    {"Origin:\r\n", "HTTP/1.1 403 Forbidden"},
};

START_TEST(pages_of_other_sites)
{
    leat_broker *broker = make_broker(1);
    leat_session *server;
    const void *data;
    size_t length;

    ck_assert_int_eq(take_client(broker, "192.0.2.1", 40000, 7, &server), LEAT_OK);
    ck_assert_int_eq(leat_feed(server, REQUEST, sizeof REQUEST - 1), LEAT_OK);
    ck_assert_int_eq(leat_feed(server, origins[_i].origin, strlen(origins[_i].origin)), LEAT_OK);
    ck_assert_int_eq(leat_feed(server, "\r\n", 2), LEAT_OK);
    (void)draw(server);
    data = leat_send_data(server, &length);
    ck_assert_uint_gt(length, strlen(origins[_i].answer));
    ck_assert_int_eq(memcmp(data, origins[_i].answer, strlen(origins[_i].answer)), 0);
    leat_session_free(server);
    leat_broker_free(broker);
}
END_TEST

/* One end of a native peering inside TLS. */
struct side {
    SSL_CTX *context;
    leat_broker *broker;
    leat_session *session;
    leat_tls *tls;
    uint32_t last; /* kind of event */
};

static void make_side(struct side *side, bool is_server, const struct t_identity *authority)
{
    const struct t_subject subject = {.name = is_server ? "server" : "client"};
    const char *reason = "";
    struct t_identity own;
    struct t_bytes certificate, key, authorities;
    int status;

    memset(side, 0, sizeof *side);
    if (authority == NULL) {
        status = make_anonymous(is_server, &side->context, &reason);
    } else {
        own = t_issue(authority, &subject);
        certificate = t_certificate_pem(&own);
        key = t_key_pem(&own, NULL);
        authorities = t_certificate_pem(authority);
        status = make_context(is_server, (const char *)certificate.data, (const char *)key.data,
                              (const char *)authorities.data, &side->context, &reason);
        t_free(certificate);
        t_free(key);
        t_free(authorities);
        t_identity_free(&own);
    }
    ck_assert_msg(status == LEAT_OK, "%s", reason);
    side->broker = make_broker(is_server ? 1 : 2);
    if (is_server) {
        ck_assert_int_eq(leat_broker_accept(side->broker, "peer", 40000, &side->session), LEAT_OK);
        ck_assert_int_eq(leat_tls_accept(NULL, side->context, side->session, &side->tls), LEAT_OK);
    } else {
        ck_assert_int_eq(leat_broker_peer(side->broker, "zeek", 9999, 0), LEAT_OK);
        ck_assert_int_eq(leat_broker_connect(side->broker, &side->session), LEAT_OK);
        ck_assert_int_eq(leat_tls_connect(NULL, side->context, NULL, side->session, &side->tls),
                         LEAT_OK);
    }
}

static void free_side(struct side *side)
{
    leat_tls_free(side->tls);
    leat_session_free(side->session);
    leat_broker_free(side->broker);
    SSL_CTX_free(side->context);
}

/* What from has to send, into to. */
static size_t carry(struct side *from, struct side *to)
{
    const void *data;
    size_t length, room;
    void *space;
    int status;

    do {
        uint32_t kind = draw(from->session);

        from->last = kind != 0 ? kind : from->last;
        status = leat_tls_run(from->tls);
    } while (status == LEAT_MORE);
    ck_assert_int_eq(status, LEAT_OK);
    data = leat_tls_send_data(from->tls, &length);
    space = leat_tls_recv_space(to->tls, &room);
    length = length < room ? length : room;
    if (length > 0)
        memcpy(space, data, length);
    ck_assert_int_eq(leat_tls_recv_done(to->tls, length), LEAT_OK);
    ck_assert_int_eq(leat_tls_send_done(from->tls, length), LEAT_OK);
    return length;
}

/* Anonymously, and with certificates. */
START_TEST(peerings_inside_tls)
{
    struct t_identity authority = t_authority("authority");
    struct side client, server;
    size_t moved;

    make_side(&client, false, _i == 0 ? NULL : &authority);
    make_side(&server, true, _i == 0 ? NULL : &authority);
    do {
        moved = carry(&client, &server);
        moved += carry(&server, &client);
    } while (moved > 0);
    ck_assert_uint_eq(client.last, LEAT_BROKER_PEER_ADDED);
    ck_assert_uint_eq(server.last, LEAT_BROKER_PEER_ADDED);
    ck_assert_uint_eq(leat_tls_peer_by(server.tls), _i == 0 ? 0 : LEAT_TLS_BY_CERTIFICATE);
    free_side(&client);
    free_side(&server);
    t_identity_free(&authority);
}
END_TEST

static void tests(TCase *tc)
{
    tcase_add_test(tc, a_client_and_a_gateway);
    tcase_add_loop_test(tc, pages_of_other_sites, 0, sizeof origins / sizeof *origins);
    tcase_add_loop_test(tc, peerings_inside_tls, 0, 2);
}

T_MAIN("broker/guide_tls", tests)
