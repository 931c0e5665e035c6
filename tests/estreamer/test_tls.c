/*
 * eStreamer from end to end: a client's and a server's session, each behind TLS, with certificates
 * of an authority that both believe.
 */
#include "certificates.h"
#include "live.h"

#include <leat/openssl.h>
#include <openssl/err.h>

#define RECORDS 60u
#define LARGE   20000u /* octets of each tenth record: more than one TLS record has */
#define DAY     (24 * 3600L)

/* One end of it. */
struct side {
    SSL_CTX *context;
    leat_session *session;
    leat_tls *tls;
    uint32_t rounds; /* of records that a server has */
    int status;      /* of leat_next() */
    int tls_status;  /* of leat_tls_run() */
    size_t events;
    size_t records;
    size_t errors; /* error messages of the other side */
};

/* Who both are, and how they talk. */
struct terms {
    int version;
    struct t_subject server, client;
    bool strange_server, strange_client; /* issued by an authority that the other does not know */
    bool bare_client;                    /* it has no certificate */
    const char *peer;                    /* whom the client expects */
    uint32_t held_records;               /* 0: the client does not hold */
    uint32_t window;                     /* 0: the server's default */
    uint32_t rounds;                     /* of RECORDS records; 0: one */
};

static SSL_CTX *make_context(bool server, const struct t_identity *identity,
                             const struct t_identity *authority, int version)
{
    struct t_bytes certificate = {NULL, 0}, key = {NULL, 0};
    struct t_bytes authorities = t_certificate_pem(authority);
    leat_tls_options options;
    SSL_CTX *context;
    const char *reason = "";
    int status;

    leat_tls_options_init(&options, sizeof options);
    if (identity != NULL) {
        certificate = t_certificate_pem(identity);
        key = t_key_pem(identity, NULL);
        options.certificate = certificate.data;
        options.certificate_length = certificate.length;
        options.key = key.data;
        options.key_length = key.length;
    }
    options.authorities = authorities.data;
    options.authorities_length = authorities.length;
    status = server ? leat_tls_server_context(&options, &context, &reason)
                    : leat_tls_client_context(&options, &context, &reason);
    ck_assert_msg(status == LEAT_OK, "%s", reason);
    if (version != 0) {
        ck_assert_int_eq(SSL_CTX_set_min_proto_version(context, version), 1);
        ck_assert_int_eq(SSL_CTX_set_max_proto_version(context, version), 1);
    }
    t_free(certificate);
    t_free(key);
    t_free(authorities);
    return context;
}

static void meet(struct side *client, struct side *server, const struct terms *terms)
{
    struct t_identity authority = t_authority("authority"), stranger = t_authority("stranger");
    struct t_identity of_server =
        t_issue(terms->strange_server ? &stranger : &authority, &terms->server);
    struct t_identity of_client =
        t_issue(terms->strange_client ? &stranger : &authority, &terms->client);
    leat_estreamer_client_options options;
    leat_estreamer_server_options server_options;

    memset(client, 0, sizeof *client);
    memset(server, 0, sizeof *server);
    server->rounds = terms->rounds == 0 ? 1 : terms->rounds;
    client->context =
        make_context(false, terms->bare_client ? NULL : &of_client, &authority, terms->version);
    server->context = make_context(true, &of_server, &authority, 0);
    leat_estreamer_client_options_init(&options, sizeof options);
    if (terms->held_records != 0) {
        options.hold = 1;
        options.held_records = terms->held_records;
    }
    ck_assert_int_eq(leat_estreamer_client_new(NULL, &options, &client->session), LEAT_OK);
    leat_estreamer_server_options_init(&server_options, sizeof server_options);
    if (terms->window != 0)
        server_options.window = terms->window;
    ck_assert_int_eq(leat_estreamer_server_new(NULL, &server_options, &server->session), LEAT_OK);
    ck_assert_int_eq(
        leat_tls_connect(NULL, client->context, terms->peer, client->session, &client->tls),
        LEAT_OK);
    ck_assert_int_eq(leat_tls_accept(NULL, server->context, server->session, &server->tls),
                     LEAT_OK);
    t_identity_free(&authority);
    t_identity_free(&stranger);
    t_identity_free(&of_server);
    t_identity_free(&of_client);
}

static void part(struct side *client, struct side *server)
{
    leat_tls_free(client->tls);
    leat_tls_free(server->tls);
    leat_session_free(client->session);
    leat_session_free(server->session);
    SSL_CTX_free(client->context);
    SSL_CTX_free(server->context);
}

/* The record of that number is so long. */
static size_t length_of(size_t number)
{
    return number % 10 == 9 ? LARGE : 40 + number % 100;
}

static void serve(const struct side *side)
{
    uint8_t *octets = (uint8_t *)calloc(1, LARGE);
    uint32_t i;

    ck_assert_ptr_nonnull(octets);
    for (i = 0; i < RECORDS * side->rounds; i++) {
        octets[0] = (uint8_t)i;
        ck_assert_int_eq(
            leat_estreamer_send_record(side->session, 9999, 1000 + i, octets, length_of(i)),
            LEAT_OK);
    }
    free(octets);
}

static void handle(struct side *side, const leat_event *event)
{
    const leat_value *record = leat_value_get(leat_event_value(event), "record");
    size_t length;
    const uint8_t *octets = leat_value_bytes(record, &length);

    side->events++;
    ck_assert_ptr_null(leat_event_error(event));
    side->errors += leat_event_kind(event) == LEAT_ESTREAMER_ERROR;
    if (leat_event_kind(event) == LEAT_ESTREAMER_STREAMING_REQUEST)
        serve(side);
    if (leat_event_kind(event) != LEAT_ESTREAMER_EVENT_DATA)
        return;
    ck_assert_uint_eq(length, length_of(side->records));
    ck_assert_uint_eq(octets[0], (uint8_t)side->records);
    side->records++;
}

/* The loop that openssl.h shows, without the socket. */
static void run(struct side *side)
{
    const leat_event *event;

    do {
        while ((side->status = leat_next(side->session, &event)) == LEAT_OK)
            handle(side, event);
        side->tls_status = leat_tls_run(side->tls);
    } while (side->tls_status == LEAT_MORE);
    ck_assert_uint_eq(ERR_peek_error(), 0);
}

/* Hands over what one has to send, at most so many octets. */
static size_t carry(struct side *from, struct side *to, size_t most)
{
    size_t length, room;
    const void *data = leat_tls_send_data(from->tls, &length);
    void *space = leat_tls_recv_space(to->tls, &room);

    length = length < most ? length : most;
    length = length < room ? length : room;
    if (length == 0)
        return 0;
    memcpy(space, data, length);
    ck_assert_int_eq(leat_tls_recv_done(to->tls, length), LEAT_OK);
    ck_assert_int_eq(leat_tls_send_done(from->tls, length), LEAT_OK);
    return length;
}

static void talk(struct side *a, struct side *b, size_t piece)
{
    bool more = true;

    while (more) {
        run(a);
        more = carry(a, b, piece) > 0;
        run(b);
        more = carry(b, a, piece) > 0 || more;
    }
}

static const struct {
    int version;
    size_t piece;
} ways[] = {{TLS1_2_VERSION, SIZE_MAX}, {TLS1_2_VERSION, 13},  {TLS1_3_VERSION, SIZE_MAX},
            {TLS1_3_VERSION, 13},       {TLS1_3_VERSION, 999}, {0, SIZE_MAX}};

/* A whole conversation, and its end in order: an error message or none, then close_notify. */
START_TEST(from_end_to_end)
{
    const struct terms terms = {.version = ways[_i / 2].version,
                                .peer = "fmc.example",
                                .server = {.names = "DNS:fmc.example"},
                                .client = {.names = "IP:192.0.2.7"}};
    bool says_why = _i % 2 == 0;
    struct side client, server;

    meet(&client, &server, &terms);
    talk(&client, &server, ways[_i / 2].piece);
    ck_assert_uint_eq(client.records, RECORDS);
    ck_assert_int_eq(client.status, LEAT_MORE);
    ck_assert_int_eq(server.status, LEAT_MORE);
    ck_assert_uint_eq(leat_estreamer_waiting(server.session), 0);
    ck_assert_int_eq(leat_tls_peer_is(server.tls, "192.0.2.7"), 1);
    ck_assert_int_eq(leat_tls_peer_is(server.tls, "192.0.2.8"), 0);
    if (ways[_i / 2].version != 0)
        ck_assert_int_eq(SSL_version(leat_tls_ssl(client.tls)), ways[_i / 2].version);

    ck_assert_int_eq(leat_estreamer_close(client.session, -1, says_why ? "bye" : NULL), LEAT_OK);
    run(&client);
    ck_assert_int_eq(client.status, LEAT_END);
    ck_assert_uint_eq(leat_wants(client.session), LEAT_WANT_CLOSE);
    ck_assert_int_eq(leat_tls_close(client.tls), LEAT_OK);
    talk(&client, &server, ways[_i / 2].piece);
    ck_assert_uint_eq(server.errors, says_why);
    ck_assert_int_eq(server.status, LEAT_END);
    if (!says_why) /* else the session does not want to hear more */
        ck_assert_int_eq(server.tls_status, LEAT_END);
    ck_assert_uint_eq(leat_wants(server.session), LEAT_WANT_CLOSE);
    ck_assert_int_eq(leat_tls_close(server.tls), LEAT_OK);
    talk(&server, &client, ways[_i / 2].piece);
    ck_assert_ptr_null(leat_tls_error(client.tls));
    ck_assert_ptr_null(leat_tls_error(server.tls));
    part(&client, &server);
}
END_TEST

/* Somebody cuts the server's octets: what came is told, but not an end that TLS does not vouch for. */
START_TEST(cut)
{
    const struct terms terms = {.version = _i == 0 ? TLS1_2_VERSION : TLS1_3_VERSION};
    size_t at, seen = 0;
    bool whole = false;

    for (at = 1; !whole; at += at < 3000 ? 331 : 9001) {
        struct side client, server;
        size_t left = at;
        bool more = true;

        meet(&client, &server, &terms);
        while (more && left > 0) {
            size_t count;

            run(&client);
            more = carry(&client, &server, SIZE_MAX) > 0;
            run(&server);
            count = carry(&server, &client, left);
            left -= count;
            more = more || count > 0;
        }
        whole = left > 0;
        run(&client);
        ck_assert_int_eq(leat_tls_recv_eof(client.tls), LEAT_OK);
        run(&client);
        ck_assert_int_eq(client.tls_status, LEAT_E_END);
        ck_assert_int_eq(leat_error_code(leat_tls_error(client.tls)), LEAT_E_END);
        ck_assert_int_eq(client.status, LEAT_MORE);
        ck_assert_uint_ge(client.records, seen);
        seen = client.records;
        part(&client, &server);
    }
    ck_assert_uint_eq(seen, RECORDS);
}
END_TEST

/* A client that holds what it gets makes the server wait, through TLS. */
START_TEST(held)
{
    const struct terms terms = {.version = ways[_i].version, .held_records = 10};
    struct side client, server;
    size_t pauses = 0;

    meet(&client, &server, &terms);
    talk(&client, &server, ways[_i].piece);
    while (client.records < RECORDS) {
        size_t before = client.records;

        ck_assert_int_eq(leat_estreamer_acknowledge(client.session, UINT64_MAX), LEAT_OK);
        talk(&client, &server, ways[_i].piece);
        ck_assert_uint_le(client.records, before + 10);
        pauses += client.status == LEAT_PAUSED;
        ck_assert_msg(client.records > before || client.events < 10, "nothing more comes");
    }
    ck_assert_uint_ge(pauses, 4);
    part(&client, &server);
}
END_TEST

/* A server that has much to say, and may: what does not fit on the wire waits where it is bounded. */
START_TEST(flooded)
{
    const struct terms terms = {.version = ways[_i].version, .window = 10000, .rounds = 10};
    struct side client, server;

    meet(&client, &server, &terms);
    talk(&client, &server, ways[_i].piece < 999 ? 9999 : ways[_i].piece);
    ck_assert_uint_eq(client.records, RECORDS * terms.rounds);
    ck_assert_int_eq(client.status, LEAT_MORE);
    ck_assert_int_eq(server.status, LEAT_MORE);
    part(&client, &server);
}
END_TEST

/* Who is refused, by whom; nothing of what was said reaches the session of who refuses. */
static const struct {
    const char *name;
    struct terms terms;
    bool server_refuses; /* else the client does */
} refusals[] = {
    {"a client without a certificate", {.bare_client = true}, true},
    {"a client of another authority", {.strange_client = true}, true},
    {"a client that has expired", {.client = {.from_s = -2 * DAY, .until_s = -DAY}}, true},
    {"a server of another authority", {.strange_server = true}, false},
    {"a server that has expired", {.server = {.from_s = -2 * DAY, .until_s = -DAY}}, false},
    {"a server of another name",
     {.peer = "fmc.example", .server = {.names = "DNS:other.example"}},
     false},
};

START_TEST(refused)
{
    struct terms terms = refusals[_i / 2].terms;
    struct side client, server, *refusing;

    terms.version = _i % 2 == 0 ? TLS1_2_VERSION : TLS1_3_VERSION;
    meet(&client, &server, &terms);
    talk(&client, &server, SIZE_MAX);
    refusing = refusals[_i / 2].server_refuses ? &server : &client;
    ck_assert_msg(leat_error_code(leat_tls_error(refusing->tls)) == LEAT_E_TLS, "%s",
                  refusals[_i / 2].name);
    ck_assert_str_ne(leat_error_text(leat_tls_error(refusing->tls)), "");
    /* The other one learns it by an alert. */
    ck_assert_int_eq(leat_error_code(leat_tls_error(client.tls)), LEAT_E_TLS);
    ck_assert_int_eq(leat_error_code(leat_tls_error(server.tls)), LEAT_E_TLS);
    ck_assert_uint_eq(client.events, 0);
    ck_assert_uint_eq(server.events, 0);
    ck_assert_int_eq(client.status, LEAT_MORE);
    ck_assert_int_eq(server.status, LEAT_MORE);
    part(&client, &server);
}
END_TEST

static void tests(TCase *cases)
{
    tcase_add_loop_test(cases, from_end_to_end, 0, 2 * (int)(sizeof ways / sizeof *ways));
    tcase_add_loop_test(cases, cut, 0, 2);
    tcase_add_loop_test(cases, held, 0, sizeof ways / sizeof *ways);
    tcase_add_loop_test(cases, flooded, 0, sizeof ways / sizeof *ways);
    tcase_add_loop_test(cases, refused, 0, 2 * (int)(sizeof refusals / sizeof *refusals));
}

T_MAIN("estreamer/tls", tests)
