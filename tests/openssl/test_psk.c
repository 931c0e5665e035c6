/* Pre-shared keys: who gets in, by what, and what a context takes. */
#include "certificates.h"
#include "ends.h"
#include "support.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdio.h>

#define KEY       "000102030405060708090a0b0c0d0e0f"
#define OTHER_KEY "ff0102030405060708090a0b0c0d0e0f"

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
static const leat_tls_psk psk = {"psk id 1", KEY};
static const leat_tls_psk wrong_key = {"psk id 1", OTHER_KEY};
static const leat_tls_psk stranger = {"psk id 2", KEY};
static const leat_tls_psk zeros = {"psk id 2", "00000000000000000000000000000000"};

/* What both believe where there are certificates. */
static struct t_identity authority, identity;
static struct t_bytes authority_pem, certificate_pem, key_pem;

static void make_certificates(void)
{
    static const struct t_subject subject = {
        .name = "px", .organization = "Example", .rsa_bits = 2048};

    authority = t_authority("authority");
    identity = t_issue(&authority, &subject);
    authority_pem = t_certificate_pem(&authority);
    certificate_pem = t_certificate_pem(&identity);
    key_pem = t_key_pem(&identity, NULL);
}

static void free_certificates(void)
{
    t_free(authority_pem);
    t_free(certificate_pem);
    t_free(key_pem);
    t_identity_free(&authority);
    t_identity_free(&identity);
}

static leat_tls_options keys(const leat_tls_psk *psks, size_t count)
{
    leat_tls_options options;

    leat_tls_options_init(&options, sizeof options);
    options.psks = psks;
    options.psk_count = count;
    return options;
}

/* Certificates, and these keys beside them. */
static leat_tls_options both(const leat_tls_psk *psks, size_t count)
{
    leat_tls_options options = keys(psks, count);

    options.certificate = certificate_pem.data;
    options.certificate_length = certificate_pem.length;
    options.key = key_pem.data;
    options.key_length = key_pem.length;
    options.authorities = authority_pem.data;
    options.authorities_length = authority_pem.length;
    return options;
}

static SSL_CTX *client_context(const leat_tls_options *options, int version)
{
    SSL_CTX *context = NULL;
    const char *reason = "";

    ck_assert_msg(leat_tls_client_context(options, &context, &reason) == LEAT_OK, "%s", reason);
    ck_assert_int_eq(SSL_CTX_set_min_proto_version(context, version), 1);
    ck_assert_int_eq(SSL_CTX_set_max_proto_version(context, version), 1);
    return context;
}

static SSL_CTX *server_context(const leat_tls_options *options)
{
    SSL_CTX *context = NULL;
    const char *reason = "";

    ck_assert_msg(leat_tls_server_context(options, &context, &reason) == LEAT_OK, "%s", reason);
    return context;
}

/* Ends with these contexts, which they own; both have something to say. */
static void open_ends(struct t_end *client, struct t_end *server, SSL_CTX *of_client,
                      SSL_CTX *of_server)
{
    client->context = of_client;
    server->context = of_server;
    t_end_begin(client);
    t_end_begin(server);
    ck_assert_int_eq(leat_tls_connect(NULL, of_client, NULL, client->session, &client->tls),
                     LEAT_OK);
    ck_assert_int_eq(leat_tls_accept(NULL, of_server, server->session, &server->tls), LEAT_OK);
    t_say(client, "hello", 5);
    t_say(server, "welcome", 7);
}

static void join(struct t_end *client, struct t_end *server, SSL_CTX *of_client, SSL_CTX *of_server)
{
    open_ends(client, server, of_client, of_server);
    t_talk(client, server, 1 << 20);
}

static void part(struct t_end *client, struct t_end *server)
{
    t_end_free(client);
    t_end_free(server);
}

static const char *text_of(const struct t_end *end)
{
    return leat_error_text(leat_tls_error(end->tls));
}

/* Both got in by that, and the key that they used has this identity. */
static void assert_talked(const struct t_end *client, const struct t_end *server, uint32_t by,
                          const char *name)
{
    const struct t_end *ends[] = {client, server};
    size_t i;

    for (i = 0; i < 2; i++) {
        const char *used = leat_tls_psk_identity(ends[i]->tls);

        ck_assert_str_eq(text_of(ends[i]), "");
        ck_assert_uint_eq(leat_tls_peer_by(ends[i]->tls), by);
        ck_assert_str_eq(used == NULL ? "(none)" : used, name == NULL ? "(none)" : name);
    }
    ck_assert_uint_eq(client->got.length, 7);
    ck_assert_uint_eq(server->got.length, 5);
}

/* Neither session got anything, and nobody is known. */
static void assert_refused(const struct t_end *client, const struct t_end *server)
{
    ck_assert_int_eq(leat_error_code(leat_tls_error(client->tls)), LEAT_E_TLS);
    ck_assert_int_eq(leat_error_code(leat_tls_error(server->tls)), LEAT_E_TLS);
    ck_assert_uint_eq(client->got.length, 0);
    ck_assert_uint_eq(server->got.length, 0);
    ck_assert_int_eq(leat_tls_is_ready(server->tls), 0);
    ck_assert_uint_eq(leat_tls_peer_by(server->tls), 0);
    ck_assert_ptr_null(leat_tls_psk_identity(server->tls));
    ck_assert_ptr_null(leat_tls_psk_identity(client->tls));
}

/* All that keys allow, in the order of a client. */
static const struct {
    const char *name;
    int version;
} suites[] = {
    {"TLS_AES_128_GCM_SHA256", TLS1_3_VERSION},
    {"TLS_CHACHA20_POLY1305_SHA256", TLS1_3_VERSION},
    {"ECDHE-PSK-AES128-CBC-SHA256", TLS1_2_VERSION},
    {"ECDHE-PSK-AES128-CBC-SHA", TLS1_2_VERSION},
    {"PSK-AES128-GCM-SHA256", TLS1_2_VERSION},
    {"PSK-AES128-CBC-SHA256", TLS1_2_VERSION},
    {"PSK-AES128-CBC-SHA", TLS1_2_VERSION},
};
#define SUITES (sizeof suites / sizeof *suites)

START_TEST(each_suite)
{
    leat_tls_options options = keys(&psk, 1);
    SSL_CTX *context = client_context(&options, suites[_i].version);
    struct t_end client, server;

    if (suites[_i].version == TLS1_2_VERSION)
        ck_assert_int_eq(SSL_CTX_set_cipher_list(context, suites[_i].name), 1);
    else
        ck_assert_int_eq(SSL_CTX_set_ciphersuites(context, suites[_i].name), 1);
    join(&client, &server, context, server_context(&options));
    assert_talked(&client, &server, LEAT_TLS_BY_PSK, "psk id 1");
    ck_assert_str_eq(SSL_get_cipher_name(leat_tls_ssl(server.tls)), suites[_i].name);
    part(&client, &server);
}
END_TEST

static void assert_suites(SSL_CTX *context)
{
    STACK_OF(SSL_CIPHER) *all = SSL_CTX_get_ciphers(context);
    size_t i;

    ck_assert_int_eq(sk_SSL_CIPHER_num(all), (int)SUITES);
    for (i = 0; i < SUITES; i++)
        ck_assert_str_eq(SSL_CIPHER_get_name(sk_SSL_CIPHER_value(all, (int)i)), suites[i].name);
    SSL_CTX_free(context);
}

START_TEST(no_other_suite)
{
    leat_tls_options options = keys(&psk, 1);
    SSL_CTX *context;

    ck_assert_int_eq(leat_tls_client_context(&options, &context, NULL), LEAT_OK);
    assert_suites(context);
    assert_suites(server_context(&options));
}
END_TEST

/* Beside certificates there are theirs, and of keys no others; of TLS 1.3 what both can use. */
START_TEST(suites_beside_certificates)
{
    leat_tls_options options = both(&psk, 1);
    SSL_CTX *context = server_context(&options);
    STACK_OF(SSL_CIPHER) *all = SSL_CTX_get_ciphers(context);
    int i, of_keys = 0, of_1_3 = 0;

    for (i = 0; i < sk_SSL_CIPHER_num(all); i++) {
        const SSL_CIPHER *suite = sk_SSL_CIPHER_value(all, i);
        int auth = SSL_CIPHER_get_auth_nid(suite);

        ck_assert_int_ne(auth, NID_auth_null);
        ck_assert_int_ne(SSL_CIPHER_get_kx_nid(suite), NID_kx_rsa_psk);
        ck_assert_int_ne(SSL_CIPHER_get_kx_nid(suite), NID_kx_dhe_psk);
        of_keys += auth == NID_auth_psk ? 1 : 0;
        of_1_3 += auth == NID_auth_any ? 1 : 0;
    }
    ck_assert_int_eq(of_keys, 5);
    ck_assert_int_eq(of_1_3, 2);
    ck_assert_int_gt(sk_SSL_CIPHER_num(all), 10);
    SSL_CTX_free(context);
}
END_TEST

/* How a server refuses a client. */
struct refusal {
    size_t octets;      /* that it sent */
    uint8_t last[7];    /* of them: the alert, which is not encrypted */
    const char *client; /* says */
    const char *server;
};

static struct refusal refuse(const leat_tls_psk *of_client, const leat_tls_psk *of_server,
                             int version)
{
    leat_tls_options client_options = keys(of_client, 1), server_options = keys(of_server, 1);
    struct refusal refusal = {0};
    struct t_end client, server;
    const uint8_t *data;
    size_t length;

    open_ends(&client, &server, client_context(&client_options, version),
              server_context(&server_options));
    do {
        (void)t_end_run(&client);
        (void)t_carry(&client, &server, SIZE_MAX);
        (void)t_end_run(&server);
        data = (const uint8_t *)leat_tls_send_data(server.tls, &length);
        refusal.octets += length;
        if (length >= sizeof refusal.last)
            memcpy(refusal.last, data + length - sizeof refusal.last, sizeof refusal.last);
        (void)t_carry(&server, &client, SIZE_MAX);
    } while (length > 0);
    assert_refused(&client, &server);
    refusal.client = text_of(&client);
    refusal.server = text_of(&server);
    part(&client, &server);
    return refusal;
}

/* The server says which it is; its client sees one and the same. */
START_TEST(an_unknown_identity_looks_like_a_wrong_key)
{
    struct refusal unknown = refuse(&stranger, &psk, versions[_i]);
    struct refusal wrong = refuse(&wrong_key, &psk, versions[_i]);

    ck_assert_str_eq(unknown.server, "the client names a pre-shared key that is not here");
    ck_assert_str_eq(wrong.server, "the client's pre-shared key is another one");
    (void)refuse(&zeros, &psk, versions[_i]);
    ck_assert_uint_eq(unknown.octets, wrong.octets);
    ck_assert_uint_eq(unknown.last[0], SSL3_RT_ALERT);
    ck_assert_mem_eq(unknown.last, wrong.last, sizeof wrong.last);
    ck_assert_str_eq(unknown.client, wrong.client);
}
END_TEST

/* A server that has a certificate which anybody would believe, and no key. */
START_TEST(a_client_demands_the_key)
{
    leat_tls_options client_options = keys(&psk, 1), server_options = both(NULL, 0);
    struct t_end client, server;

    client_options.insecure = server_options.insecure = (uint32_t)_i % 2;
    join(&client, &server, client_context(&client_options, versions[_i / 2]),
         server_context(&server_options));
    assert_refused(&client, &server);
    ck_assert_int_eq(leat_tls_is_ready(client.tls), 0);
    if (versions[_i / 2] == TLS1_3_VERSION)
        ck_assert_str_eq(text_of(&client), "the server does not use the pre-shared key");
    else
        ck_assert_str_eq(text_of(&server), "no shared cipher");
    part(&client, &server);
}
END_TEST

/* Suites in which nobody proves anything, from somebody who takes them. */
static SSL_CTX *anonymous(const SSL_METHOD *method)
{
    SSL_CTX *context = SSL_CTX_new(method);

    SSL_CTX_set_security_level(context, 0);
    ck_assert_int_eq(SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION), 1);
    ck_assert_int_eq(SSL_CTX_set_cipher_list(context, "aNULL:eNULL"), 1);
    (void)SSL_CTX_set_dh_auto(context, 1);
    return context;
}

START_TEST(nobody_is_anonymous)
{
    leat_tls_options options = keys(&psk, 1), mixed = both(&psk, 1);
    struct t_end client, server;

    options.insecure = mixed.insecure = 1;
    join(&client, &server, anonymous(TLS_client_method()), server_context(&options));
    assert_refused(&client, &server);
    part(&client, &server);
    join(&client, &server, anonymous(TLS_client_method()), server_context(&mixed));
    assert_refused(&client, &server);
    part(&client, &server);
    join(&client, &server, client_context(&options, TLS1_2_VERSION),
         anonymous(TLS_server_method()));
    assert_refused(&client, &server);
    part(&client, &server);
    join(&client, &server, anonymous(TLS_client_method()), anonymous(TLS_server_method()));
    ck_assert_uint_eq(server.got.length, 5); /* they would */
    ck_assert_uint_eq(leat_tls_peer_by(server.tls), 0);
    part(&client, &server);
}
END_TEST

/* One of many: each with a key of its own, and in no order. */
#define MANY 1000u

struct many {
    leat_tls_psk psks[MANY];
    char names[MANY][16];
    char keys[MANY][33];
};

static struct many *make_many(void)
{
    struct many *many = (struct many *)malloc(sizeof *many);
    size_t i;

    ck_assert_ptr_nonnull(many);
    for (i = 0; i < MANY; i++) {
        (void)snprintf(many->names[i], sizeof many->names[i], "px %zu", i * 7919 % MANY);
        (void)snprintf(many->keys[i], sizeof many->keys[i], "%032zx", i);
        many->psks[i] = (leat_tls_psk){many->names[i], many->keys[i]};
    }
    return many;
}

START_TEST(the_client_says_which)
{
    static const size_t some[] = {0, 1, 2, 499, 500, 998, 999};
    struct many *many = make_many();
    leat_tls_options server_options = keys(many->psks, MANY), client_options;
    leat_tls_psk other;
    struct t_end client, server;
    size_t i;

    for (i = 0; i < sizeof some / sizeof *some; i++) {
        client_options = keys(&many->psks[some[i]], 1);
        join(&client, &server, client_context(&client_options, versions[_i]),
             server_context(&server_options));
        assert_talked(&client, &server, LEAT_TLS_BY_PSK, many->names[some[i]]);
        part(&client, &server);
    }

    /* The key of another; and a name that only begins like one, or goes on behind it. */
    other = (leat_tls_psk){many->names[3], many->keys[4]};
    client_options = keys(&other, 1);
    join(&client, &server, client_context(&client_options, versions[_i]),
         server_context(&server_options));
    assert_refused(&client, &server);
    part(&client, &server);
    other = (leat_tls_psk){_i == 0 ? "px" : "px 1234", many->keys[4]};
    client_options = keys(&other, 1);
    join(&client, &server, client_context(&client_options, versions[_i]),
         server_context(&server_options));
    assert_refused(&client, &server);
    ck_assert_str_eq(text_of(&server), "the client names a pre-shared key that is not here");
    part(&client, &server);
    free(many);
}
END_TEST

START_TEST(either_gets_into_a_mixed_server)
{
    leat_tls_options server_options = both(&psk, 1), client_options = keys(&psk, 1);
    struct t_end client, server;
    char subject[64];

    join(&client, &server, client_context(&client_options, versions[_i]),
         server_context(&server_options));
    assert_talked(&client, &server, LEAT_TLS_BY_PSK, "psk id 1");
    ck_assert_uint_eq(leat_tls_peer_subject(server.tls, subject, sizeof subject), 0);
    ck_assert_uint_eq(leat_tls_peer_issuer(client.tls, NULL, 0), 0);
    part(&client, &server);

    client_options = both(NULL, 0);
    join(&client, &server, client_context(&client_options, versions[_i]),
         server_context(&server_options));
    assert_talked(&client, &server, LEAT_TLS_BY_CERTIFICATE, NULL);
    ck_assert_uint_eq(leat_tls_peer_subject(server.tls, subject, sizeof subject), 15);
    ck_assert_str_eq(subject, "CN=px,O=Example");
    part(&client, &server);
}
END_TEST

START_TEST(nobody_else_gets_into_a_mixed_server)
{
    leat_tls_options server_options = both(&psk, 1), client_options = keys(&wrong_key, 1);
    struct t_end client, server;

    join(&client, &server, client_context(&client_options, versions[_i]),
         server_context(&server_options));
    assert_refused(&client, &server);
    part(&client, &server);
    client_options = keys(&stranger, 1);
    join(&client, &server, client_context(&client_options, versions[_i]),
         server_context(&server_options));
    assert_refused(&client, &server);
    part(&client, &server);

    /* Without a certificate, unless the server is told to take anybody's: then nobody is known. */
    client_options = both(NULL, 0);
    client_options.certificate = client_options.key = NULL;
    join(&client, &server, client_context(&client_options, versions[_i]),
         server_context(&server_options));
    ck_assert_str_eq(text_of(&server), "peer did not return a certificate");
    ck_assert_uint_eq(server.got.length, 0);
    part(&client, &server);
    server_options.insecure = 1;
    join(&client, &server, client_context(&client_options, versions[_i]),
         server_context(&server_options));
    ck_assert_uint_eq(server.got.length, 5);
    ck_assert_uint_eq(leat_tls_peer_by(server.tls), 0);
    part(&client, &server);

    /* Which is no way around a key. */
    client_options = keys(&stranger, 1);
    join(&client, &server, client_context(&client_options, versions[_i]),
         server_context(&server_options));
    assert_refused(&client, &server);
    part(&client, &server);
}
END_TEST

/* A client offers a key of its own making under this name. */
static int offer(SSL *ssl, const char *name, const unsigned char **id, size_t *length,
                 SSL_SESSION **session)
{
    static const unsigned char suite[] = {0x13, 0x01}, octets[32] = {0};
    SSL_SESSION *made = SSL_SESSION_new();

    ck_assert_int_eq(SSL_SESSION_set1_master_key(made, octets, sizeof octets), 1);
    ck_assert_int_eq(SSL_SESSION_set_cipher(made, SSL_CIPHER_find(ssl, suite)), 1);
    ck_assert_int_eq(SSL_SESSION_set_protocol_version(made, TLS1_3_VERSION), 1);
    *id = (const unsigned char *)name;
    *length = strlen(name);
    *session = made;
    return 1;
}

/* A ticket of another server, which OpenSSL shows to the callback as if it were an identity. */
static int offer_ticket(SSL *ssl, const EVP_MD *md, const unsigned char **id, size_t *length,
                        SSL_SESSION **session)
{
    (void)md;
    return offer(ssl, "\xff\xfe\x01", id, length, session);
}

static int offer_identity(SSL *ssl, const EVP_MD *md, const unsigned char **id, size_t *length,
                          SSL_SESSION **session)
{
    (void)md;
    return offer(ssl, psk.identity, id, length, session);
}

START_TEST(a_ticket_is_not_an_identity)
{
    leat_tls_options server_options = both(&psk, 1), client_options = both(NULL, 0);
    SSL_CTX *context = client_context(&client_options, TLS1_3_VERSION);
    struct t_end client, server;

    SSL_CTX_set_psk_use_session_callback(context, offer_ticket);
    join(&client, &server, context, server_context(&server_options));
    assert_talked(&client, &server, LEAT_TLS_BY_CERTIFICATE, NULL);
    part(&client, &server);
}
END_TEST

/* A caller who added a suite of another hash: who only named a key did not get in by it. */
START_TEST(a_key_left_aside_is_not_used)
{
    leat_tls_options server_options = both(&psk, 1), client_options = both(NULL, 0);
    SSL_CTX *of_client = client_context(&client_options, TLS1_3_VERSION);
    SSL_CTX *of_server = server_context(&server_options);
    struct t_end client, server;

    SSL_CTX_set_psk_use_session_callback(of_client, offer_identity);
    ck_assert_int_eq(SSL_CTX_set_ciphersuites(of_server, "TLS_AES_256_GCM_SHA384"), 1);
    join(&client, &server, of_client, of_server);
    assert_talked(&client, &server, LEAT_TLS_BY_CERTIFICATE, NULL);
    part(&client, &server);
}
END_TEST

START_TEST(a_name_that_is_no_text_is_refused)
{
    leat_tls_options server_options = keys(&psk, 1), client_options = both(NULL, 0);
    SSL_CTX *context = client_context(&client_options, TLS1_3_VERSION);
    struct t_end client, server;

    SSL_CTX_set_psk_use_session_callback(context, offer_ticket);
    join(&client, &server, context, server_context(&server_options));
    assert_refused(&client, &server);
    part(&client, &server);
}
END_TEST

/* With TLS 1.3 the client begins anew, and names its key again. */
START_TEST(a_client_asked_for_another_group)
{
    leat_tls_options options = keys(&psk, 1);
    SSL_CTX *of_client = client_context(&options, TLS1_3_VERSION);
    SSL_CTX *of_server = server_context(&options);
    char groups[] = "P-256:X25519";
    struct t_end client, server;

    ck_assert_int_eq((int)SSL_CTX_set1_groups_list(of_client, groups), 1);
    ck_assert_int_eq((int)SSL_CTX_set1_groups_list(of_server, strchr(groups, 'X')), 1);
    join(&client, &server, of_client, of_server);
    assert_talked(&client, &server, LEAT_TLS_BY_PSK, "psk id 1");
    part(&client, &server);
}
END_TEST

/* Nothing says whom a key is of, so any name will do. */
START_TEST(the_name_is_only_sent_along)
{
    leat_tls_options options = keys(&psk, 1);
    struct t_end client = {.context = client_context(&options, versions[_i])};
    struct t_end server = {.context = server_context(&options)};
    const char *name;

    t_end_begin(&client);
    t_end_begin(&server);
    ck_assert_int_eq(
        leat_tls_connect(NULL, client.context, "leat.example", client.session, &client.tls),
        LEAT_OK);
    ck_assert_int_eq(leat_tls_accept(NULL, server.context, server.session, &server.tls), LEAT_OK);
    t_say(&client, "hello", 5);
    t_say(&server, "welcome", 7);
    t_talk(&client, &server, 1 << 20);
    assert_talked(&client, &server, LEAT_TLS_BY_PSK, "psk id 1");
    name = SSL_get_servername(leat_tls_ssl(server.tls), TLSEXT_NAMETYPE_host_name);
    ck_assert_str_eq(name == NULL ? "" : name, "leat.example");
    ck_assert_int_eq(leat_tls_peer_is(client.tls, "leat.example"), 0);
    part(&client, &server);
}
END_TEST

START_TEST(nothing_is_resumed)
{
    leat_tls_options options = keys(&psk, 1);
    struct t_end client, server;

    join(&client, &server, client_context(&options, versions[_i]), server_context(&options));
    assert_talked(&client, &server, LEAT_TLS_BY_PSK, "psk id 1");
    ck_assert_int_eq(SSL_SESSION_has_ticket(SSL_get_session(leat_tls_ssl(client.tls))), 0);
    ck_assert_int_eq((int)SSL_CTX_sess_number(server.context), 0);
    part(&client, &server);
}
END_TEST

/* In pieces of one octet; and as long as the handshake lasts, nobody is known. */
START_TEST(octet_by_octet)
{
    bool by_key = _i % 2 == 0;
    leat_tls_options options = by_key ? keys(&psk, 1) : both(NULL, 0);
    struct t_end client, server;

    open_ends(&client, &server, client_context(&options, versions[_i / 2]),
              server_context(&options));
    while (leat_tls_is_ready(server.tls) == 0) {
        ck_assert_uint_eq(leat_tls_peer_by(server.tls), 0);
        ck_assert_ptr_null(leat_tls_psk_identity(server.tls));
        ck_assert_uint_eq(leat_tls_peer_subject(server.tls, NULL, 0), 0);
        if (leat_tls_is_ready(client.tls) == 0) {
            ck_assert_uint_eq(leat_tls_peer_by(client.tls), 0);
            ck_assert_ptr_null(leat_tls_psk_identity(client.tls));
        }
        (void)t_end_run(&client);
        (void)t_carry(&client, &server, 1);
        (void)t_end_run(&server);
        (void)t_carry(&server, &client, 1);
    }
    t_talk(&client, &server, 1);
    assert_talked(&client, &server, by_key ? LEAT_TLS_BY_PSK : LEAT_TLS_BY_CERTIFICATE,
                  by_key ? "psk id 1" : NULL);
    part(&client, &server);
}
END_TEST

/* The stream ends behind so many octets of the client. False: the handshake was over by then. */
static bool cut(int version, size_t octets)
{
    leat_tls_options options = keys(&psk, 1);
    struct t_end client, server;
    size_t moved, left = octets;
    bool ready;

    open_ends(&client, &server, client_context(&options, version), server_context(&options));
    do {
        (void)t_end_run(&client);
        moved = t_carry(&client, &server, left);
        left -= moved;
        (void)t_end_run(&server);
        moved += t_carry(&server, &client, SIZE_MAX);
    } while (moved > 0 && left > 0);
    ready = leat_tls_is_ready(server.tls) == 1;
    if (!ready) {
        ck_assert_int_eq(leat_tls_recv_eof(server.tls), LEAT_OK);
        ck_assert_int_eq(t_end_run(&server), LEAT_E_END);
        ck_assert_str_eq(text_of(&server), "the stream ended inside the handshake");
        ck_assert_uint_eq(leat_tls_peer_by(server.tls), 0);
        ck_assert_uint_eq(server.got.length, 0);
    }
    part(&client, &server);
    return !ready;
}

START_TEST(cut_handshakes)
{
    size_t octets = 0;

    while (cut(versions[_i], octets))
        octets++;
    ck_assert_uint_gt(octets, 100);
}
END_TEST

#define TOO_LONG  "the identity of a pre-shared key has more than 128 characters"
#define TOO_LARGE "the identity of a pre-shared key has more octets than OpenSSL takes"

/* An identity of so many such characters. */
static const struct {
    const char *character;
    size_t count;
    const char *reason;
} names[] = {
    {"a", 0, "a pre-shared key has no identity"},
    {"a", 1, ""},
    {"a", 128, ""},
    {"a", 129, TOO_LONG},
    {"\xc3\xa4", PSK_MAX_IDENTITY_LEN / 2, ""},
    {"\xc3\xa4", 129, TOO_LONG},
    {"\xe2\x82\xac", PSK_MAX_IDENTITY_LEN / 3, ""},
    {"\xe2\x82\xac", PSK_MAX_IDENTITY_LEN / 3 + 1, TOO_LARGE},
    {"\xf0\x9f\x8c\x8a", PSK_MAX_IDENTITY_LEN / 4, ""},
    {"\xf0\x9f\x8c\x8a", PSK_MAX_IDENTITY_LEN / 4 + 1, TOO_LARGE},
    {"\xf0\x9f\x8c\x8a", 129, TOO_LONG},
    {"\xff", 1, "the identity of a pre-shared key is not UTF-8"},
    {"\xc3", 1, "the identity of a pre-shared key is not UTF-8"},
    {"\xed\xa0\x80", 1, "the identity of a pre-shared key is not UTF-8"},
};

START_TEST(identities)
{
    char text[1024] = "";
    leat_tls_psk made = {text, KEY};
    leat_tls_options options = keys(&made, 1);
    struct t_end client, server;
    size_t i;

    for (i = 0; i < names[_i].count; i++)
        (void)strcat(text, names[_i].character);
    ck_assert_str_eq(t_verdict(&options, false), names[_i].reason);
    ck_assert_str_eq(t_verdict(&options, true), names[_i].reason);
    for (i = 0; i < 2 && *names[_i].reason == '\0'; i++) {
        join(&client, &server, client_context(&options, versions[i]), server_context(&options));
        assert_talked(&client, &server, LEAT_TLS_BY_PSK, text);
        part(&client, &server);
    }
}
END_TEST

#define TOO_FEW  "a pre-shared key has fewer than 32 digits"
#define TOO_MANY "a pre-shared key has more than 512 digits"

/* A key of so many digits, with something behind. */
static const struct {
    size_t digits;
    const char *behind;
    const char *reason;
} lengths[] = {
    {0, "", TOO_FEW},
    {0, "\n", TOO_FEW},
    {30, "", TOO_FEW},
    {31, "\n", TOO_FEW},
    {30, "\r\n", TOO_FEW},
    {32, "", ""},
    {32, "\n", ""},
    {32, "\r\n", ""},
    {33, "", "a pre-shared key has an odd number of digits"},
    {32, "\r", "a pre-shared key has an odd number of digits"},
    {32, "\n\n", "a pre-shared key has an odd number of digits"},
    {32, "\r\r\n", "a pre-shared key has an odd number of digits"},
    {32, "zz", "a pre-shared key is not hexadecimal"},
    {32, "0x", "a pre-shared key is not hexadecimal"},
    {34, " \n\n", "a pre-shared key is not hexadecimal"},
    {64, "", ""},
    {510, "", ""},
    {512, "", ""},
    {512, "\r\n", ""},
    {512, "a", TOO_MANY},
    {514, "", TOO_MANY},
};

START_TEST(key_lengths)
{
    char text[1024] = "";
    leat_tls_psk made = {"psk id 1", text}, capitals = {"psk id 1", NULL};
    leat_tls_options options = keys(&made, 1), bare = keys(&capitals, 1);
    struct t_end client, server;
    char upper[1024];
    size_t i;

    for (i = 0; i < lengths[_i].digits; i++)
        text[i] = "0123456789abcdef"[i * 7 % 16];
    (void)strcpy(text + i, lengths[_i].behind);
    ck_assert_str_eq(t_verdict(&options, false), lengths[_i].reason);
    ck_assert_str_eq(t_verdict(&options, true), lengths[_i].reason);

    /* The same without what is behind, in capitals, is the same key. */
    for (i = 0; i < lengths[_i].digits; i++)
        upper[i] = "0123456789ABCDEF"[i * 7 % 16];
    upper[i] = '\0';
    capitals.key = upper;
    for (i = 0; i < 2 && *lengths[_i].reason == '\0'; i++) {
        join(&client, &server, client_context(&options, versions[i]), server_context(&bare));
        assert_talked(&client, &server, LEAT_TLS_BY_PSK, "psk id 1");
        part(&client, &server);
    }
}
END_TEST

START_TEST(options_that_lack_or_contradict)
{
    static const leat_tls_psk two[] = {{"a", KEY}, {"b", KEY}};
    static const leat_tls_psk same[] = {{"a", KEY}, {"b", KEY}, {"a", OTHER_KEY}};
    static const leat_tls_psk shared[] = {{"a", KEY}, {"b", OTHER_KEY}, {"a", KEY "\n"}};
    static const leat_tls_psk longer[] = {{"a", KEY}, {"a", KEY "00"}};
    static const leat_tls_psk parts[] = {{NULL, KEY}, {"a", NULL}};
    leat_tls_options options = keys(two, 2);

    ck_assert_str_eq(t_verdict(&options, true), "");
    ck_assert_str_eq(t_verdict(&options, false), "a client has one pre-shared key");
    options = keys(same, 3);
    ck_assert_str_eq(t_verdict(&options, true),
                     "two different pre-shared keys have the same identity");
    options = keys(shared, 3);
    ck_assert_str_eq(t_verdict(&options, true), "");
    options = keys(longer, 2);
    ck_assert_str_eq(t_verdict(&options, true),
                     "two different pre-shared keys have the same identity");
    options = keys(&parts[0], 1);
    ck_assert_str_eq(t_verdict(&options, true), "a pre-shared key has no identity");
    options = keys(&parts[1], 1);
    ck_assert_str_eq(t_verdict(&options, true), TOO_FEW);
    options = keys(NULL, 1);
    ck_assert_str_eq(t_verdict(&options, true),
                     "there are no pre-shared keys where they should be");

    /* None is not "anybody". */
    options = keys(&psk, 0);
    ck_assert_str_eq(t_verdict(&options, true), "a server needs a key and a certificate");
    ck_assert_str_eq(t_verdict(&options, false), "there is no authority to verify the peer with");

    options = both(&psk, 1);
    ck_assert_str_eq(t_verdict(&options, true), "");
    ck_assert_str_eq(t_verdict(&options, false),
                     "a client has a pre-shared key or certificates, not both");
    options.key = NULL;
    ck_assert_str_eq(t_verdict(&options, true), "there is a certificate, but no key");
    options.certificate = NULL;
    ck_assert_str_eq(t_verdict(&options, true), "a server needs a key and a certificate");
    options = both(&psk, 1);
    options.authorities = NULL;
    ck_assert_str_eq(t_verdict(&options, true), "there is no authority to verify the peer with");

    /* A caller who was compiled before there were keys. */
    options = both(&psk, 1);
    options.size = offsetof(leat_tls_options, psks);
    ck_assert_str_eq(t_verdict(&options, false), "");
}
END_TEST

START_TEST(more_keys_than_memory)
{
    leat_tls_options options = keys(&psk, SIZE_MAX);
    SSL_CTX *context = NULL;
    const char *reason = "";

    ck_assert_int_eq(leat_tls_server_context(&options, &context, &reason), LEAT_E_NOMEM);
    ck_assert_str_eq(reason, "out of memory");
    ck_assert_ptr_null(context);
}
END_TEST

/* Nothing of the options is kept, and a context lasts as long as its connections. */
START_TEST(what_the_caller_may_forget)
{
    char name[] = "psk id 1", key[] = KEY;
    leat_tls_psk made = {name, key};
    leat_tls_options options = keys(&made, 1);
    struct t_end client, server;

    open_ends(&client, &server, client_context(&options, versions[_i]), server_context(&options));
    memset(name, 'x', sizeof name);
    memset(key, 'x', sizeof key);
    SSL_CTX_free(client.context);
    SSL_CTX_free(server.context);
    client.context = server.context = NULL;
    t_talk(&client, &server, 1 << 20);
    assert_talked(&client, &server, LEAT_TLS_BY_PSK, "psk id 1");
    part(&client, &server);
}
END_TEST

/* What certificates say, in the form that Zabbix compares. */
static const struct {
    const char *name;
    const char *organization;
    const char *text;
} subjects[] = {
    {"px", NULL, "CN=px"},
    {"px", "Example", "CN=px,O=Example"},
    {"a,b+c\"d\\e<f>g;h", "Example, Inc.", "CN=a\\,b\\+c\\\"d\\\\e\\<f\\>g\\;h,O=Example\\, Inc."},
    {"#px", " Example ", "CN=\\#px,O=\\ Example\\ "},
    {"pr\xc3\xb6xy", "\xe2\x82\xac", "CN=pr\xc3\xb6xy,O=\xe2\x82\xac"},
    {"a\nb", NULL, "CN=a\\0Ab"},
    {"a=b/c", "x", "CN=a=b/c,O=x"},
};

static void assert_put(size_t (*get)(const leat_tls *, char *, size_t), const leat_tls *tls,
                       const char *whole)
{
    size_t length = strlen(whole), size;
    char text[128];

    ck_assert_uint_eq(get(tls, NULL, 0), length);
    for (size = 1; size < length + 3; size++) {
        memset(text, 'x', sizeof text);
        ck_assert_uint_eq(get(tls, text, size), length);
        ck_assert_uint_eq(strlen(text), size <= length ? size - 1 : length);
        ck_assert_int_eq(strncmp(text, whole, size - 1), 0);
        ck_assert_int_eq(text[size], 'x');
    }
    ck_assert_uint_eq(ERR_peek_error(), 0);
}

START_TEST(issuers_and_subjects)
{
    struct t_subject subject = {.name = subjects[_i].name,
                                .organization = subjects[_i].organization};
    struct t_subject issuer = subject;
    struct t_identity top, below;
    struct t_bytes top_pem, below_pem, below_key;
    leat_tls_options options = both(NULL, 0);
    struct t_end client, server;
    char text[2] = "x";

    issuer.authority = true;
    top = t_issue(NULL, &issuer);
    subject.organization = "below";
    below = t_issue(&top, &subject);
    top_pem = t_certificate_pem(&top);
    below_pem = t_certificate_pem(&below);
    below_key = t_key_pem(&below, NULL);
    options.certificate = below_pem.data;
    options.certificate_length = below_pem.length;
    options.key = below_key.data;
    options.key_length = below_key.length;
    options.authorities = top_pem.data;
    options.authorities_length = top_pem.length;
    open_ends(&client, &server, client_context(&options, TLS1_3_VERSION), server_context(&options));
    ck_assert_uint_eq(leat_tls_peer_issuer(server.tls, text, sizeof text), 0);
    ck_assert_str_eq(text, "");
    t_talk(&client, &server, 1 << 20);
    assert_talked(&client, &server, LEAT_TLS_BY_CERTIFICATE, NULL);
    assert_put(leat_tls_peer_issuer, server.tls, subjects[_i].text);
    assert_put(leat_tls_peer_issuer, client.tls, subjects[_i].text);
    if (strchr(subjects[_i].text, 'O') == NULL) {
        char below_text[128];

        (void)snprintf(below_text, sizeof below_text, "%s,O=below", subjects[_i].text);
        assert_put(leat_tls_peer_subject, server.tls, below_text);
    }
    part(&client, &server);
    t_free(top_pem);
    t_free(below_pem);
    t_free(below_key);
    t_identity_free(&top);
    t_identity_free(&below);
}
END_TEST

/* What Zabbix offers and takes with certificates, whether or not there are keys beside them. */
static const char *const of_certificates[] = {
    "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA256", "ECDHE-RSA-AES128-SHA",
    "AES128-GCM-SHA256",           "AES128-SHA256",           "AES128-SHA",
};

START_TEST(suites_of_certificates)
{
    leat_tls_options client_options = both(NULL, 0), server_options = both(&psk, (size_t)_i % 2);
    const char *suite = of_certificates[_i / 2];
    SSL_CTX *context = client_context(&client_options, TLS1_2_VERSION);
    struct t_end client, server;

    ck_assert_int_eq(SSL_CTX_set_cipher_list(context, suite), 1);
    join(&client, &server, context, server_context(&server_options));
    assert_talked(&client, &server, LEAT_TLS_BY_CERTIFICATE, NULL);
    ck_assert_str_eq(SSL_get_cipher_name(leat_tls_ssl(server.tls)), suite);
    part(&client, &server);
}
END_TEST

START_TEST(first_octets)
{
    unsigned octet;

    for (octet = 0; octet < 256; octet++)
        ck_assert_int_eq(leat_tls_is_first_octet((uint8_t)octet), octet == 0x16);
}
END_TEST

/*
 * OpenSSL's memory, which can be refused. Each block has its size in front, and what the keys were
 * in, which lib/openssl/psk.c asks for, must be zeros when it is given back.
 */
#define FRONT 16u

static struct {
    size_t left;  /* calls until one is refused; SIZE_MAX: none is */
    bool any;     /* any call, not only those for keys */
    size_t asked; /* calls that were not refused */
    size_t taken; /* blocks of the keys that are held */
    size_t freed;
    size_t dirty; /* octets of them that were not wiped */
} memory = {.left = SIZE_MAX};

static bool is_of_keys(const char *file)
{
    static const char name[] = "openssl/psk.c";
    size_t length = file == NULL ? 0 : strlen(file);

    return length >= sizeof name - 1 && strcmp(file + length - (sizeof name - 1), name) == 0;
}

static void *take(size_t bytes, const char *file, int line)
{
    uint8_t *block;

    (void)line;
    if (memory.left != SIZE_MAX && (memory.any || is_of_keys(file)) && memory.left-- == 0)
        return NULL;
    memory.asked++;
    block = (uint8_t *)malloc(FRONT + bytes);
    if (block == NULL)
        return NULL;
    memcpy(block, &bytes, sizeof bytes);
    memory.taken += is_of_keys(file) ? 1 : 0;
    return block + FRONT;
}

static void give_back(void *given, const char *file, int line)
{
    uint8_t *block = (uint8_t *)given;
    size_t bytes, i;

    (void)line;
    if (block == NULL)
        return;
    memcpy(&bytes, block - FRONT, sizeof bytes);
    for (i = 0; i < bytes && is_of_keys(file); i++)
        memory.dirty += block[i] != 0;
    memory.freed += is_of_keys(file) ? 1 : 0;
    free(block - FRONT);
}

static void *take_more(void *given, size_t bytes, const char *file, int line)
{
    void *block = take(bytes, file, line);
    size_t before = 0;

    if (given != NULL)
        memcpy(&before, (uint8_t *)given - FRONT, sizeof before);
    if (block == NULL)
        return NULL;
    if (given != NULL)
        memcpy(block, given, before < bytes ? before : bytes);
    give_back(given, file, line);
    return block;
}

START_TEST(keys_are_wiped)
{
    static const leat_tls_psk wrong[] = {{"a", KEY}, {"b", "no key, but as long as one must be"}};
    leat_tls_options options = keys(&psk, 1);
    SSL_CTX *context = server_context(&options);

    ck_assert_uint_eq(memory.taken, 1);
    ck_assert_uint_eq(memory.freed, 0);
    SSL_CTX_free(context);
    ck_assert_uint_eq(memory.freed, 1);

    /* Those before the one that is refused, too. */
    options = keys(wrong, 2);
    ck_assert_str_eq(t_verdict(&options, true), "a pre-shared key is not hexadecimal");
    ck_assert_uint_eq(memory.taken, 2);
    ck_assert_uint_eq(memory.freed, 2);
    ck_assert_uint_eq(memory.dirty, 0);
}
END_TEST

START_TEST(no_memory_for_keys)
{
    leat_tls_options options = keys(&psk, 1);
    SSL_CTX *context = NULL;
    const char *reason = "";

    memory.left = 0;
    ck_assert_int_eq(leat_tls_server_context(&options, &context, &reason), LEAT_E_NOMEM);
    memory.left = 0;
    ck_assert_int_eq(leat_tls_client_context(&options, &context, NULL), LEAT_E_NOMEM);
    ck_assert_str_eq(reason, "out of memory");
    ck_assert_ptr_null(context);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    memory.left = SIZE_MAX;
    ck_assert_str_eq(t_verdict(&options, true), "");
}
END_TEST

/* Whichever call is refused: there is no context, or it is whole. */
START_TEST(no_memory_for_a_context)
{
    leat_tls_options options = keys(&psk, 1);
    size_t calls, i, refused = 0;

    SSL_CTX_free(server_context(&options)); /* what OpenSSL does once */
    memory.asked = 0;
    SSL_CTX_free(server_context(&options));
    calls = memory.asked;
    memory.any = true;
    for (i = 0; i < calls; i++) {
        SSL_CTX *context = NULL;
        const char *reason = "";
        int status;

        memory.left = i;
        status = leat_tls_server_context(&options, &context, &reason);
        memory.left = SIZE_MAX;
        ck_assert_uint_eq(ERR_peek_error(), 0);
        ck_assert_str_eq(reason, status == LEAT_OK ? "" : "out of memory");
        ck_assert_int_eq(status, context != NULL ? LEAT_OK : LEAT_E_NOMEM);
        refused += status == LEAT_OK ? 0 : 1;
        if (status == LEAT_OK)
            assert_suites(context);
    }
    ck_assert_uint_gt(refused, 10);
    ck_assert_uint_eq(memory.taken, memory.freed);
    ck_assert_uint_eq(memory.dirty, 0);
}
END_TEST

/* Connections of these contexts, in the caller's memory. */
static int talk(const leat_config *config, const void *arg)
{
    SSL_CTX *const *contexts = (SSL_CTX *const *)arg;
    struct t_end client = {0}, server = {0};
    int status;

    t_end_begin(&client);
    t_end_begin(&server);
    status = leat_tls_connect(config, contexts[0], NULL, client.session, &client.tls);
    if (status == LEAT_OK)
        status = leat_tls_accept(config, contexts[1], server.session, &server.tls);
    if (status == LEAT_OK) {
        t_talk(&client, &server, 1 << 20);
        status = leat_tls_is_ready(server.tls) == 1 ? LEAT_OK : LEAT_E_NOMEM;
        ck_assert_uint_eq(leat_tls_peer_by(server.tls), status == LEAT_OK ? LEAT_TLS_BY_PSK : 0);
    }
    part(&client, &server);
    return status;
}

START_TEST(memory_that_runs_out)
{
    leat_tls_options options = keys(&psk, 1);
    SSL_CTX *contexts[] = {client_context(&options, versions[_i]), server_context(&options)};

    t_every_alloc(talk, contexts);
    SSL_CTX_free(contexts[0]);
    SSL_CTX_free(contexts[1]);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof *(table)))

static void tests(TCase *cases)
{
    tcase_add_unchecked_fixture(cases, make_certificates, free_certificates);
    tcase_add_loop_test(cases, each_suite, 0, COUNT(suites));
    tcase_add_test(cases, no_other_suite);
    tcase_add_test(cases, suites_beside_certificates);
    tcase_add_loop_test(cases, an_unknown_identity_looks_like_a_wrong_key, 0, COUNT(versions));
    tcase_add_loop_test(cases, a_client_demands_the_key, 0, 2 * COUNT(versions));
    tcase_add_test(cases, nobody_is_anonymous);
    tcase_add_loop_test(cases, the_client_says_which, 0, COUNT(versions));
    tcase_add_loop_test(cases, either_gets_into_a_mixed_server, 0, COUNT(versions));
    tcase_add_loop_test(cases, nobody_else_gets_into_a_mixed_server, 0, COUNT(versions));
    tcase_add_test(cases, a_ticket_is_not_an_identity);
    tcase_add_test(cases, a_key_left_aside_is_not_used);
    tcase_add_test(cases, a_name_that_is_no_text_is_refused);
    tcase_add_test(cases, a_client_asked_for_another_group);
    tcase_add_loop_test(cases, the_name_is_only_sent_along, 0, COUNT(versions));
    tcase_add_loop_test(cases, nothing_is_resumed, 0, COUNT(versions));
    tcase_add_loop_test(cases, octet_by_octet, 0, 2 * COUNT(versions));
    tcase_add_loop_test(cases, cut_handshakes, 0, COUNT(versions));
    tcase_add_loop_test(cases, identities, 0, COUNT(names));
    tcase_add_loop_test(cases, key_lengths, 0, COUNT(lengths));
    tcase_add_test(cases, options_that_lack_or_contradict);
    tcase_add_test(cases, more_keys_than_memory);
    tcase_add_loop_test(cases, what_the_caller_may_forget, 0, COUNT(versions));
    tcase_add_loop_test(cases, issuers_and_subjects, 0, COUNT(subjects));
    tcase_add_loop_test(cases, suites_of_certificates, 0, 2 * COUNT(of_certificates));
    tcase_add_test(cases, first_octets);
    tcase_add_test(cases, keys_are_wiped);
    tcase_add_test(cases, no_memory_for_keys);
    tcase_add_test(cases, no_memory_for_a_context);
    tcase_add_loop_test(cases, memory_that_runs_out, 0, COUNT(versions));
}

int main(void)
{
    if (CRYPTO_set_mem_functions(take, take_more, give_back) != 1)
        return EXIT_FAILURE;
    return t_main("openssl/psk", tests);
}
