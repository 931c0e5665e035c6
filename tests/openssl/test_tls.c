/* The TLS adapter, with contexts that OpenSSL's own functions made. */
#include "certificates.h"
#include "ends.h"
#include "support.h"

#include "session.h"

#include <leat/openssl.h>
#include <openssl/err.h>

/*
 * Adapters of both ends; the client trusts the server's certificate, or (trusting false)
 * nobody's.
 */
static void join(struct t_end *client, struct t_end *server, int version, bool trusting)
{
    struct t_identity identity = t_authority("leat");
    struct t_end *ends[2] = {client, server};
    int i;

    for (i = 0; i < 2; i++) {
        struct t_end *end = ends[i];
        SSL *ssl;

        end->context = SSL_CTX_new(i == 0 ? TLS_client_method() : TLS_server_method());
        ck_assert_ptr_nonnull(end->context);
        ck_assert_int_eq(SSL_CTX_set_min_proto_version(end->context, version), 1);
        ck_assert_int_eq(SSL_CTX_set_max_proto_version(end->context, version), 1);
        if (i == 0) {
            SSL_CTX_set_verify(end->context, SSL_VERIFY_PEER, NULL);
            if (trusting)
                ck_assert_int_eq(
                    X509_STORE_add_cert(SSL_CTX_get_cert_store(end->context), identity.certificate),
                    1);
        } else {
            ck_assert_int_eq(SSL_CTX_use_certificate(end->context, identity.certificate), 1);
            ck_assert_int_eq(SSL_CTX_use_PrivateKey(end->context, identity.key), 1);
        }
        t_end_begin(end);
        ssl = SSL_new(end->context);
        ck_assert_ptr_nonnull(ssl);
        if (i == 0)
            SSL_set_connect_state(ssl);
        else
            SSL_set_accept_state(ssl);
        ck_assert_int_eq(leat_tls_new(NULL, ssl, end->session, &end->tls), LEAT_OK);
        ck_assert_ptr_eq(leat_tls_ssl(end->tls), ssl);
    }
    t_identity_free(&identity);
}

static const struct {
    int version;
    size_t piece;
} ways[] = {{TLS1_2_VERSION, 1 << 20},
            {TLS1_2_VERSION, 1},
            {TLS1_3_VERSION, 1 << 20},
            {TLS1_3_VERSION, 1},
            {TLS1_3_VERSION, 1000}};

START_TEST(both_ways)
{
    size_t large = ways[_i].piece == 1 ? 20000 : 1000000, i;
    struct t_end client, server;
    uint8_t *text = (uint8_t *)malloc(large);

    ck_assert_ptr_nonnull(text);
    for (i = 0; i < large; i++)
        text[i] = (uint8_t)(i * 31 >> 3);
    join(&client, &server, ways[_i].version, true);
    ck_assert_int_eq(leat_tls_keep(client.tls), LEAT_OK);
    ck_assert_int_eq(leat_tls_is_ready(client.tls), 0);
    t_say(&client, "hello", 5); /* waits for the handshake */
    t_talk(&client, &server, ways[_i].piece);
    ck_assert_int_eq(leat_tls_is_ready(client.tls), 1);
    ck_assert_int_eq(leat_tls_is_ready(server.tls), 1);
    ck_assert_uint_eq(server.got.length, 5);
    ck_assert_mem_eq(server.got.data, "hello", 5);
    t_say(&server, text, large);
    t_talk(&client, &server, ways[_i].piece);
    ck_assert_uint_eq(client.got.length, large);
    ck_assert_mem_eq(client.got.data, text, large);
    ck_assert_uint_eq(client.kept.length, large);
    ck_assert_mem_eq(client.kept.data, text, large);
    ck_assert_uint_eq(server.kept.length, 0); /* it was not asked to */

    /* close_notify is an orderly end for the session behind. */
    t_say(&client, "bye", 3);
    (void)leat_tls_run(client.tls);
    ck_assert_int_eq(leat_tls_close(client.tls), LEAT_OK);
    t_talk(&client, &server, ways[_i].piece);
    ck_assert_uint_eq(server.got.length, 8);
    ck_assert_int_eq(server.status, LEAT_END);
    ck_assert_int_eq(leat_tls_run(server.tls), LEAT_END);
    ck_assert_ptr_null(leat_tls_error(server.tls));
    t_end_free(&client);
    t_end_free(&server);
    free(text);
}
END_TEST

START_TEST(an_end_without_close_notify_is_told)
{
    struct t_end client, server;
    size_t length;

    join(&client, &server, ways[_i].version, true);
    t_say(&client, "hello", 5);
    t_talk(&client, &server, 1 << 20);
    ck_assert_int_eq(leat_tls_recv_eof(server.tls), LEAT_OK);
    ck_assert_ptr_null(leat_tls_recv_space(server.tls, &length));
    ck_assert_int_eq(leat_tls_run(server.tls), LEAT_E_END);
    ck_assert_int_eq(leat_error_code(leat_tls_error(server.tls)), LEAT_E_END);
    ck_assert_int_eq(leat_tls_run(server.tls), LEAT_E_END);
    ck_assert_int_eq(leat_tls_close(server.tls), LEAT_E_END);
    ck_assert_int_eq(server.status, LEAT_MORE); /* the session was not told of an end */
    t_end_free(&client);
    t_end_free(&server);
}
END_TEST

START_TEST(an_end_inside_the_handshake_is_told)
{
    size_t cut, sent;

    /* The client's octets end at each point of the handshake. */
    for (cut = 0;; cut++) {
        struct t_end client, server;

        join(&client, &server, ways[_i].version, true);
        sent = 0;
        while (leat_tls_is_ready(server.tls) == 0 && sent < cut) {
            (void)t_end_run(&client);
            sent += t_carry(&client, &server, cut - sent);
            (void)t_end_run(&server);
            (void)t_carry(&server, &client, SIZE_MAX);
        }
        if (leat_tls_is_ready(server.tls) == 1) {
            ck_assert_uint_gt(cut, 100);
            t_end_free(&client);
            t_end_free(&server);
            break;
        }
        ck_assert_int_eq(leat_tls_recv_eof(server.tls), LEAT_OK);
        ck_assert_int_eq(t_end_run(&server), LEAT_E_END);
        ck_assert_str_eq(leat_error_text(leat_tls_error(server.tls)),
                         "the stream ended inside the handshake");
        ck_assert_uint_eq(leat_error_offset(leat_tls_error(server.tls)), cut);
        t_end_free(&client);
        t_end_free(&server);
    }
}
END_TEST

START_TEST(a_close_inside_the_handshake_is_an_end)
{
    static const uint8_t close_notify[] = {0x15, 0x03, 0x03, 0x00, 0x02, 0x01, 0x00};
    struct t_end client, server;
    size_t room;

    join(&client, &server, ways[_i].version, true);
    ck_assert_int_eq(t_end_run(&client), LEAT_OK);
    memcpy(leat_tls_recv_space(client.tls, &room), close_notify, sizeof close_notify);
    ck_assert_int_eq(leat_tls_recv_done(client.tls, sizeof close_notify), LEAT_OK);
    ck_assert_int_eq(t_end_run(&client), LEAT_E_END);
    ck_assert_int_eq(client.status, LEAT_MORE); /* the session was not told of an end */
    t_end_free(&client);
    t_end_free(&server);
}
END_TEST

START_TEST(an_unknown_certificate_is_refused)
{
    struct t_end client, server;

    join(&client, &server, ways[_i].version, false);
    t_say(&client, "secret", 6);
    t_talk(&client, &server, 1 << 20);
    ck_assert_int_eq(leat_error_code(leat_tls_error(client.tls)), LEAT_E_TLS);
    ck_assert_str_eq(leat_error_text(leat_tls_error(client.tls)),
                     X509_verify_cert_error_string(X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT));
    ck_assert_int_eq(leat_error_code(leat_tls_error(server.tls)), LEAT_E_TLS); /* by the alert */
    ck_assert_uint_eq(server.got.length, 0);
    t_end_free(&client);
    t_end_free(&server);
}
END_TEST

START_TEST(damage_is_found)
{
    struct t_end client, server;
    const void *data;
    uint8_t *space;
    size_t length, room;

    join(&client, &server, ways[_i].version, true);
    t_talk(&client, &server, 1 << 20);
    t_say(&client, "hello", 5);
    (void)leat_tls_run(client.tls);
    data = leat_tls_send_data(client.tls, &length);
    space = (uint8_t *)leat_tls_recv_space(server.tls, &room);
    memcpy(space, data, length);
    space[length - 1] ^= 1;
    ck_assert_int_eq(leat_tls_recv_done(server.tls, length), LEAT_OK);
    ck_assert_int_eq(leat_tls_run(server.tls), LEAT_E_TLS);
    ck_assert_str_ne(leat_error_text(leat_tls_error(server.tls)), "");
    ck_assert_ptr_null(leat_tls_recv_space(server.tls, &room));
    (void)leat_tls_send_data(server.tls, &length);
    ck_assert_uint_gt(length, 0); /* an alert */
    t_end_free(&client);
    t_end_free(&server);
}
END_TEST

START_TEST(output_stays_bounded)
{
    uint8_t text[10000] = {1};
    struct t_end client, server;
    size_t length, sent = 0;

    /*
     * The peer reads nothing: what waits in the session reaches its limit, and little waits
     * here.
     */
    join(&client, &server, TLS1_3_VERSION, true);
    t_talk(&client, &server, 1 << 20);
    for (;;) {
        leat_builder *b;
        int status;

        ck_assert_int_eq(leat_builder_new(NULL, &b), LEAT_OK);
        leat_builder_text(b, NULL, (const char *)text, sizeof text);
        status = leat_send(client.session, "octets", leat_builder_value(b));
        leat_builder_free(b);
        if (status == LEAT_E_LIMIT)
            break;
        ck_assert_int_eq(status, LEAT_OK);
        sent += sizeof text;
        ck_assert_uint_lt(sent, (size_t)20 << 20); /* the limit is 16 MiB */
        ck_assert_int_eq(leat_tls_run(client.tls), LEAT_OK);
        (void)leat_tls_send_data(client.tls, &length);
        ck_assert_uint_lt(length, 100 << 10);
    }
    t_talk(&client, &server, 1 << 20);
    ck_assert_uint_eq(server.got.length, sent);
    t_end_free(&client);
    t_end_free(&server);
}
END_TEST

START_TEST(closing_comes_behind_the_output)
{
    struct t_end client, server;

    join(&client, &server, TLS1_3_VERSION, true);
    ck_assert_int_eq(leat_tls_close(client.tls), LEAT_E_STATE); /* no handshake yet */
    t_talk(&client, &server, 1 << 20);
    t_say(&client, "bye", 3);
    ck_assert_int_eq(leat_tls_close(client.tls), LEAT_OK);
    t_talk(&client, &server, 1 << 20);
    ck_assert_uint_eq(server.got.length, 3);
    ck_assert_int_eq(server.status, LEAT_END);
    t_end_free(&client);
    t_end_free(&server);
}
END_TEST

START_TEST(closed_ends_still_hear)
{
    struct t_end client, server;

    join(&client, &server, ways[_i].version, true);
    t_talk(&client, &server, 1 << 20);
    ck_assert_int_eq(leat_tls_close(client.tls), LEAT_OK);
    t_talk(&client, &server, 1 << 20);
    ck_assert_int_eq(server.status, LEAT_END);

    /* The server has more to say; what the client would answer stays unsaid. */
    t_say(&server, "more", 4);
    (void)t_end_run(&server);
    ck_assert_uint_gt(t_carry(&server, &client, 1 << 20), 0);
    ck_assert_int_eq(leat_tls_close(client.tls), LEAT_OK); /* said already */
    t_talk(&server, &client, 1 << 20);
    ck_assert_uint_eq(client.got.length, 4);
    t_say(&client, "thanks", 6);
    ck_assert_int_eq(t_end_run(&client), LEAT_OK);
    ck_assert_uint_eq(t_carry(&client, &server, 1 << 20), 0);
    ck_assert_int_eq(leat_tls_close(server.tls), LEAT_OK);
    t_talk(&server, &client, 1 << 20);
    ck_assert_int_eq(t_end_run(&client), LEAT_END);
    ck_assert_int_eq(client.status, LEAT_END);
    t_end_free(&client);
    t_end_free(&server);
}
END_TEST

START_TEST(a_paused_session_is_not_flooded)
{
    size_t piece = ways[_i].piece == 1 ? 333 : ways[_i].piece;
    size_t large = 1000000, moved = 0, count, room;
    struct t_end client, server;
    uint8_t *text = (uint8_t *)malloc(large);

    ck_assert_ptr_nonnull(text);
    for (count = 0; count < large; count++)
        text[count] = (uint8_t)(count * 31 >> 3);
    join(&client, &server, ways[_i].version, true);
    t_talk(&client, &server, 1 << 20);
    t_pause(&server, true);
    t_say(&client, text, large);
    do {
        (void)t_end_run(&client);
        count = t_carry(&client, &server, piece);
        (void)t_end_run(&server);
        moved += count;
    } while (count > 0);
    ck_assert_ptr_null(leat_tls_recv_space(server.tls, &room));
    ck_assert_uint_eq(room, 0);
    ck_assert_uint_ge(moved, 64 << 10);
    ck_assert_uint_lt(moved, 96 << 10);
    ck_assert_int_eq(server.status, LEAT_PAUSED);
    ck_assert_uint_eq(server.got.length, 0);
    ck_assert_uint_lt(leat_session_memory(server.session), 64 << 10);

    /* What waits reaches the session without another octet from the peer. */
    t_pause(&server, false);
    ck_assert_uint_gt(server.got.length, 32 << 10);
    t_talk(&client, &server, piece);
    ck_assert_uint_eq(server.got.length, large);
    ck_assert_mem_eq(server.got.data, text, large);

    /* An end behind what waits. */
    t_pause(&server, true);
    t_say(&client, "bye", 3);
    ck_assert_int_eq(leat_tls_close(client.tls), LEAT_OK);
    t_talk(&client, &server, piece);
    ck_assert_int_eq(server.status, LEAT_PAUSED);
    ck_assert_int_eq(leat_tls_recv_eof(server.tls), LEAT_OK);
    ck_assert_int_eq(t_end_run(&server), LEAT_OK);
    t_pause(&server, false);
    ck_assert_uint_eq(server.got.length, large + 3);
    ck_assert_int_eq(server.status, LEAT_END);
    ck_assert_int_eq(t_end_run(&server), LEAT_END);
    t_end_free(&client);
    t_end_free(&server);
    free(text);
}
END_TEST

START_TEST(a_session_that_is_over_gets_no_more)
{
    struct t_end client, server;
    size_t room;

    join(&client, &server, TLS1_3_VERSION, true);
    t_talk(&client, &server, 1 << 20);
    t_say(&client, "hello", 5);
    (void)t_end_run(&client);
    ck_assert_uint_gt(t_carry(&client, &server, 1 << 20), 0);
    (void)lt_fail(server.session, LEAT_E_FRAME, 0, "the test says so", NULL);
    ck_assert_int_eq(t_end_run(&server), LEAT_OK);
    ck_assert_int_eq(server.status, LEAT_E_FRAME);
    ck_assert_ptr_null(leat_tls_recv_space(server.tls, &room));
    t_end_free(&client);
    t_end_free(&server);
}
END_TEST

START_TEST(a_quiet_session_needs_no_window)
{
    struct t_end client, server;

    join(&client, &server, ways[_i].version, true);
    t_talk(&client, &server, 1 << 20);
    t_say(&client, "hello", 5);
    t_talk(&client, &server, 1 << 20);
    ck_assert_uint_gt(leat_session_memory(server.session), 1 << 10);
    leat_session_trim(server.session);
    ck_assert_int_eq(t_end_run(&server), LEAT_OK);
    ck_assert_uint_le(leat_session_memory(server.session), 1 << 10);
    t_end_free(&client);
    t_end_free(&server);
}
END_TEST

/* OpenSSL takes records with those of the handshake before anybody reads them. */
START_TEST(what_is_read_ahead_is_not_forgotten)
{
    struct t_end client, server;

    join(&client, &server, ways[_i].version, true);
    SSL_set_read_ahead(leat_tls_ssl(server.tls), 1);
    t_say(&client, "hello", 5);
    t_talk(&client, &server, 1 << 20);
    ck_assert_uint_eq(server.got.length, 5);
    t_end_free(&client);
    t_end_free(&server);
}
END_TEST

/* TLS 1.3 goes on with its own messages behind the handshake. */
START_TEST(keys_are_changed)
{
    struct t_end client, server;
    size_t i;

    join(&client, &server, TLS1_3_VERSION, true);
    t_talk(&client, &server, 1 << 20);
    ck_assert_int_eq(SSL_SESSION_has_ticket(SSL_get_session(leat_tls_ssl(client.tls))), 1);
    for (i = 0; i < 3; i++) {
        ck_assert_int_eq(SSL_key_update(leat_tls_ssl(client.tls), SSL_KEY_UPDATE_REQUESTED), 1);
        t_say(&client, "hello", 5);
        t_say(&server, "hello", 5);
        (void)t_end_run(&client);
        while (t_carry(&client, &server, ways[_i].piece) > 0) {
            ck_assert_int_eq(t_end_run(&server), LEAT_OK);
            ck_assert_int_eq(leat_tls_is_ready(server.tls), 1);
        }
        t_talk(&server, &client, ways[_i].piece);
        ck_assert_uint_eq(server.got.length, 5 * (i + 1));
        ck_assert_uint_eq(client.got.length, 5 * (i + 1));
    }
    t_end_free(&client);
    t_end_free(&server);
}
END_TEST

/* A peer that wants new keys all the time, and does not read the answers. */
START_TEST(answers_stay_bounded)
{
    struct t_end client, server;
    size_t length, i;

    join(&client, &server, TLS1_3_VERSION, true);
    t_talk(&client, &server, 1 << 20);
    do {
        for (i = 0; i < 100; i++) {
            ck_assert_int_eq(SSL_key_update(leat_tls_ssl(client.tls), SSL_KEY_UPDATE_REQUESTED), 1);
            ck_assert_int_eq(SSL_do_handshake(leat_tls_ssl(client.tls)), 1);
        }
        length = t_carry(&client, &server, SIZE_MAX);
        ck_assert_int_eq(t_end_run(&server), LEAT_OK);
        (void)leat_tls_send_data(server.tls, &i);
        ck_assert_uint_lt(i, 160 << 10);
    } while (length > 0);
    ck_assert_uint_ge(i, 128 << 10);
    ck_assert_ptr_null(leat_tls_recv_space(server.tls, &length));

    /* Once it reads them it is heard again. */
    t_say(&client, "hello", 5);
    t_talk(&server, &client, SIZE_MAX);
    ck_assert_uint_eq(server.got.length, 5);
    t_end_free(&client);
    t_end_free(&server);
}
END_TEST

/* Two that have much to say before they close, and read nothing meanwhile. */
START_TEST(closing_ends_hear_each_other)
{
    size_t large = 1000000;
    uint8_t *text = (uint8_t *)calloc(1, large);
    struct t_end client, server;

    ck_assert_ptr_nonnull(text);
    join(&client, &server, ways[_i].version, true);
    t_talk(&client, &server, 1 << 20);
    t_say(&client, text, large);
    t_say(&server, text, large);
    ck_assert_int_eq(leat_tls_close(client.tls), LEAT_OK);
    ck_assert_int_eq(leat_tls_close(server.tls), LEAT_OK);
    ck_assert_uint_gt(t_carry(&client, &server, 1000), 0);
    ck_assert_uint_gt(t_carry(&server, &client, 1000), 0);
    t_talk(&client, &server, 1 << 20);
    ck_assert_uint_eq(client.got.length, large);
    ck_assert_uint_eq(server.got.length, large);
    ck_assert_int_eq(t_end_run(&client), LEAT_END);
    ck_assert_int_eq(t_end_run(&server), LEAT_END);
    t_end_free(&client);
    t_end_free(&server);
    free(text);
}
END_TEST

START_TEST(a_quiet_connection_can_be_trimmed)
{
    struct t_end client, server;
    struct t_counter counter;
    leat_config config;
    SSL *ssl;
    size_t before, length;

    t_counter_init(&counter);
    leat_config_init(&config, sizeof config);
    config.allocator = &counter.allocator;
    join(&client, &server, TLS1_3_VERSION, true);
    leat_tls_free(client.tls);
    ssl = SSL_new(client.context);
    SSL_set_connect_state(ssl);
    ck_assert_int_eq(leat_tls_new(&config, ssl, client.session, &client.tls), LEAT_OK);
    before = counter.now;
    t_say(&client, "hello", 5);
    t_talk(&client, &server, 1 << 20);
    ck_assert_uint_gt(counter.now, before);
    ck_assert_ptr_nonnull(leat_tls_recv_space(client.tls, &length));
    leat_tls_trim(client.tls); /* not while it is lent */
    ck_assert_uint_gt(counter.now, before);
    ck_assert_int_eq(leat_tls_recv_done(client.tls, 0), LEAT_OK);
    leat_tls_trim(client.tls);
    ck_assert_uint_eq(counter.now, before);
    t_say(&server, "and on", 6);
    t_talk(&client, &server, 1 << 20);
    ck_assert_uint_eq(client.got.length, 6);
    t_end_free(&client);
    t_end_free(&server);
    ck_assert_uint_eq(counter.now, 0);
}
END_TEST

START_TEST(verbs_check_their_caller)
{
    struct t_end client, server;
    size_t length;

    join(&client, &server, TLS1_3_VERSION, true);
    ck_assert_int_eq(leat_tls_recv_done(client.tls, 0), LEAT_E_STATE); /* nothing was lent */
    ck_assert_ptr_nonnull(leat_tls_recv_space(client.tls, &length));
    ck_assert_int_eq(leat_tls_recv_done(client.tls, length + 1), LEAT_E_STATE);
    ck_assert_int_eq(leat_tls_recv_done(client.tls, 0), LEAT_OK);
    ck_assert_int_eq(leat_tls_send_done(client.tls, 1), LEAT_E_STATE);
    leat_tls_free(NULL);
    t_end_free(&client);
    t_end_free(&server);
}
END_TEST

static void tests(TCase *cases)
{
    tcase_add_loop_test(cases, both_ways, 0, sizeof ways / sizeof *ways);
    tcase_add_loop_test(cases, an_end_without_close_notify_is_told, 1, 3);
    tcase_add_loop_test(cases, an_end_inside_the_handshake_is_told, 1, 3);
    tcase_add_loop_test(cases, a_close_inside_the_handshake_is_an_end, 1, 3);
    tcase_add_loop_test(cases, an_unknown_certificate_is_refused, 1, 3);
    tcase_add_loop_test(cases, damage_is_found, 1, 3);
    tcase_add_test(cases, output_stays_bounded);
    tcase_add_test(cases, closing_comes_behind_the_output);
    tcase_add_loop_test(cases, closed_ends_still_hear, 1, 3);
    tcase_add_loop_test(cases, a_paused_session_is_not_flooded, 0, sizeof ways / sizeof *ways);
    tcase_add_test(cases, a_session_that_is_over_gets_no_more);
    tcase_add_loop_test(cases, a_quiet_session_needs_no_window, 1, 3);
    tcase_add_loop_test(cases, what_is_read_ahead_is_not_forgotten, 1, 3);
    tcase_add_loop_test(cases, keys_are_changed, 2, sizeof ways / sizeof *ways);
    tcase_add_test(cases, answers_stay_bounded);
    tcase_add_loop_test(cases, closing_ends_hear_each_other, 1, 3);
    tcase_add_test(cases, a_quiet_connection_can_be_trimmed);
    tcase_add_test(cases, verbs_check_their_caller);
}

T_MAIN("openssl/tls", tests)
