/* Contexts from the octets of files, and what their connections believe. */
#include "certificates.h"
#include "ends.h"
#include "support.h"

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
#include <openssl/provider.h>
#endif

#define DAY (24 * 3600L)

/* Two authorities that know nothing of each other, and one that has only the name of the first. */
static struct t_identity authority, stranger, namesake;
static struct t_bytes authority_pem, stranger_pem;

static void make_authorities(void)
{
    authority = t_authority("authority");
    stranger = t_authority("stranger");
    namesake = t_authority("authority");
    authority_pem = t_certificate_pem(&authority);
    stranger_pem = t_certificate_pem(&stranger);
}

static void free_authorities(void)
{
    t_free(authority_pem);
    t_free(stranger_pem);
    t_identity_free(&authority);
    t_identity_free(&stranger);
    t_identity_free(&namesake);
}

/* The options of somebody who has PEM files. The octets stay the caller's. */
struct pem {
    struct t_bytes certificate;
    struct t_bytes key;
};

static struct pem pem_of(const struct t_identity *identity)
{
    struct pem pem = {t_certificate_pem(identity), t_key_pem(identity, NULL)};

    return pem;
}

static void free_pem(struct pem pem)
{
    t_free(pem.certificate);
    t_free(pem.key);
}

static leat_tls_options options_of(const struct pem *pem, struct t_bytes authorities)
{
    leat_tls_options options;

    leat_tls_options_init(&options, sizeof options);
    if (pem != NULL) {
        options.certificate = pem->certificate.data;
        options.certificate_length = pem->certificate.length;
        options.key = pem->key.data;
        options.key_length = pem->key.length;
    }
    options.authorities = authorities.data;
    options.authorities_length = authorities.length;
    return options;
}

/* A client and a server with these options, joined; version is the only one that the client has. */
static void join(struct t_end *client, struct t_end *server, const leat_tls_options *of_client,
                 const leat_tls_options *of_server, const char *peer, int version)
{
    const char *reason = "";

    ck_assert_msg(leat_tls_client_context(of_client, &client->context, &reason) == LEAT_OK, "%s",
                  reason);
    ck_assert_msg(leat_tls_server_context(of_server, &server->context, &reason) == LEAT_OK, "%s",
                  reason);
    ck_assert_int_eq(SSL_CTX_set_max_proto_version(client->context, version), 1);
    ck_assert_int_eq(SSL_CTX_set_min_proto_version(client->context, version), 1);
    t_end_begin(client);
    t_end_begin(server);
    ck_assert_int_eq(leat_tls_connect(NULL, client->context, peer, client->session, &client->tls),
                     LEAT_OK);
    ck_assert_int_eq(leat_tls_accept(NULL, server->context, server->session, &server->tls),
                     LEAT_OK);
    t_say(client, "hello", 5);
    t_say(server, "welcome", 7);
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

static void assert_talked(const struct t_end *client, const struct t_end *server)
{
    ck_assert_str_eq(text_of(client), "");
    ck_assert_str_eq(text_of(server), "");
    ck_assert_uint_eq(client->got.length, 7);
    ck_assert_uint_eq(server->got.length, 5);
}

/*
 * What the two make of each other: X509_V_OK, or for what reason the client or the server refuses
 * the other's certificate.
 */
static const struct {
    const char *name;
    const char *peer;
    struct t_subject server;
    struct t_subject client;
    const struct t_identity *issuer_of_server; /* NULL: authority, which both believe */
    const struct t_identity *issuer_of_client;
    int client_says;
    int server_says;
} meetings[] = {
    {.name = "nobody demanded"},
    {.name = "a name", .peer = "leat.example", .server = {.names = "DNS:leat.example"}},
    {.name = "in capitals", .peer = "LEAT.example", .server = {.names = "DNS:leat.example"}},
    {.name = "a dot behind", .peer = "leat.example.", .server = {.names = "DNS:leat.example"}},
    {.name = "one of several", .peer = "b", .server = {.names = "DNS:a,IP:192.0.2.1,DNS:b"}},
    {.name = "in the CN", .peer = "leat.example", .server = {.name = "leat.example"}},
    {.name = "a CN beside names",
     .peer = "leat.example",
     .server = {.name = "leat.example", .names = "DNS:other.example"},
     .client_says = X509_V_ERR_HOSTNAME_MISMATCH},
    {.name = "another name",
     .peer = "leat.example",
     .server = {.names = "DNS:other.example"},
     .client_says = X509_V_ERR_HOSTNAME_MISMATCH},
    {.name = "a name below",
     .peer = "a.leat.example",
     .server = {.names = "DNS:leat.example"},
     .client_says = X509_V_ERR_HOSTNAME_MISMATCH},
    {.name = "a wildcard", .peer = "a.leat.example", .server = {.names = "DNS:*.leat.example"}},
    {.name = "for one label alone",
     .peer = "a.b.leat.example",
     .server = {.names = "DNS:*.leat.example"},
     .client_says = X509_V_ERR_HOSTNAME_MISMATCH},
    {.name = "for a whole label alone",
     .peer = "ab.leat.example",
     .server = {.names = "DNS:a*.leat.example"},
     .client_says = X509_V_ERR_HOSTNAME_MISMATCH},
    {.name = "IPv4", .peer = "192.0.2.1", .server = {.names = "IP:192.0.2.1"}},
    {.name = "IPv4 inside IPv6", .peer = "::ffff:192.0.2.1", .server = {.names = "IP:192.0.2.1"}},
    {.name = "IPv6", .peer = "2001:db8::1", .server = {.names = "IP:2001:db8:0:0:0:0:0:1"}},
    {.name = "another IPv4",
     .peer = "192.0.2.2",
     .server = {.names = "IP:192.0.2.1"},
     .client_says = X509_V_ERR_IP_ADDRESS_MISMATCH},
    {.name = "another IPv6",
     .peer = "2001:db8::2",
     .server = {.names = "IP:2001:db8::1"},
     .client_says = X509_V_ERR_IP_ADDRESS_MISMATCH},
    {.name = "an address as a name",
     .peer = "192.0.2.1",
     .server = {.name = "192.0.2.1", .names = "DNS:192.0.2.1"},
     .client_says = X509_V_ERR_IP_ADDRESS_MISMATCH},
    {.name = "server expired",
     .server = {.from_s = -2 * DAY, .until_s = -DAY},
     .client_says = X509_V_ERR_CERT_HAS_EXPIRED},
    {.name = "server not valid yet",
     .server = {.from_s = DAY, .until_s = 2 * DAY},
     .client_says = X509_V_ERR_CERT_NOT_YET_VALID},
    {.name = "server of another authority",
     .issuer_of_server = &stranger,
     .client_says = X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY},
    {.name = "server of a namesake",
     .issuer_of_server = &namesake,
     .client_says = X509_V_ERR_CERT_SIGNATURE_FAILURE},
    {.name = "each for its own role",
     .server = {.usage = "serverAuth"},
     .client = {.usage = "clientAuth"}},
    {.name = "both for both",
     .server = {.usage = "serverAuth,clientAuth"},
     .client = {.usage = "serverAuth,clientAuth"}},
    {.name = "a client's in place of the server's",
     .server = {.usage = "clientAuth"},
     .client_says = X509_V_ERR_INVALID_PURPOSE},
    {.name = "a server's in place of the client's",
     .client = {.usage = "serverAuth"},
     .server_says = X509_V_ERR_INVALID_PURPOSE},
    {.name = "client expired",
     .client = {.from_s = -2 * DAY, .until_s = -DAY},
     .server_says = X509_V_ERR_CERT_HAS_EXPIRED},
    {.name = "client not valid yet",
     .client = {.from_s = DAY, .until_s = 2 * DAY},
     .server_says = X509_V_ERR_CERT_NOT_YET_VALID},
    {.name = "client of another authority",
     .issuer_of_client = &stranger,
     .server_says = X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY},
    {.name = "client of a namesake",
     .issuer_of_client = &namesake,
     .server_says = X509_V_ERR_CERT_SIGNATURE_FAILURE},
};
static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

static void meet(size_t at, int version)
{
    const struct t_identity *of_server = meetings[at].issuer_of_server;
    const struct t_identity *of_client = meetings[at].issuer_of_client;
    struct t_identity server_identity =
        t_issue(of_server == NULL ? &authority : of_server, &meetings[at].server);
    struct t_identity client_identity =
        t_issue(of_client == NULL ? &authority : of_client, &meetings[at].client);
    struct pem server_pem = pem_of(&server_identity), client_pem = pem_of(&client_identity);
    leat_tls_options server_options = options_of(&server_pem, authority_pem);
    leat_tls_options client_options = options_of(&client_pem, authority_pem);
    struct t_end client, server;

    join(&client, &server, &client_options, &server_options, meetings[at].peer, version);
    if (meetings[at].client_says != X509_V_OK) {
        ck_assert_int_eq(leat_error_code(leat_tls_error(client.tls)), LEAT_E_TLS);
        ck_assert_str_eq(text_of(&client), X509_verify_cert_error_string(meetings[at].client_says));
        ck_assert_int_eq(leat_error_code(leat_tls_error(server.tls)), LEAT_E_TLS); /* an alert */
        ck_assert_uint_eq(server.got.length, 0);
    } else if (meetings[at].server_says != X509_V_OK) {
        ck_assert_int_eq(leat_error_code(leat_tls_error(server.tls)), LEAT_E_TLS);
        ck_assert_str_eq(text_of(&server), X509_verify_cert_error_string(meetings[at].server_says));
        ck_assert_int_eq(leat_error_code(leat_tls_error(client.tls)), LEAT_E_TLS);
        ck_assert_int_eq(leat_tls_is_ready(client.tls), version == TLS1_3_VERSION);
        ck_assert_uint_eq(server.got.length, 0);
        ck_assert_uint_eq(client.got.length, 0);
    } else {
        assert_talked(&client, &server);
        ck_assert_int_eq(SSL_version(leat_tls_ssl(server.tls)), version);
        /* The authority's own certificate is not sent: who does not have it does not believe it. */
        ck_assert_int_eq(sk_X509_num(SSL_get_peer_cert_chain(leat_tls_ssl(client.tls))), 1);
    }
    part(&client, &server);
    free_pem(server_pem);
    free_pem(client_pem);
    t_identity_free(&server_identity);
    t_identity_free(&client_identity);
}

START_TEST(each_believes_only_whom_it_should)
{
    size_t i;

    for (i = 0; i < sizeof versions / sizeof *versions; i++)
        meet((size_t)_i, versions[i]);
}
END_TEST

/* Who they are by default in the tests below. */
struct identities {
    struct t_identity server, client;
    struct pem server_pem, client_pem;
    leat_tls_options server_options, client_options;
};

static void make_identities(struct identities *who)
{
    static const struct t_subject server = {.name = "server", .names = "DNS:leat.example"};
    static const struct t_subject client = {.name = "192.0.2.7"};

    who->server = t_issue(&authority, &server);
    who->client = t_issue(&authority, &client);
    who->server_pem = pem_of(&who->server);
    who->client_pem = pem_of(&who->client);
    who->server_options = options_of(&who->server_pem, authority_pem);
    who->client_options = options_of(&who->client_pem, authority_pem);
}

static void free_identities(struct identities *who)
{
    free_pem(who->server_pem);
    free_pem(who->client_pem);
    t_identity_free(&who->server);
    t_identity_free(&who->client);
}

START_TEST(a_server_demands_a_certificate)
{
    leat_tls_options nobody = options_of(NULL, authority_pem);
    struct identities who;
    struct t_end client, server;

    make_identities(&who);
    join(&client, &server, &nobody, &who.server_options, NULL, versions[_i]);
    ck_assert_int_eq(leat_error_code(leat_tls_error(server.tls)), LEAT_E_TLS);
    ck_assert_str_eq(text_of(&server), "peer did not return a certificate");
    ck_assert_uint_eq(server.got.length, 0);

    /* With TLS 1.3 the client's handshake is over before the server has seen its certificate. */
    ck_assert_int_eq(leat_tls_is_ready(client.tls), versions[_i] == TLS1_3_VERSION);
    ck_assert_int_eq(leat_error_code(leat_tls_error(client.tls)), LEAT_E_TLS);
    ck_assert_str_eq(text_of(&client),
                     versions[_i] == TLS1_3_VERSION
                         ? ERR_reason_error_string(
                               ERR_PACK(ERR_LIB_SSL, 0, SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED))
                         : ERR_reason_error_string(
                               ERR_PACK(ERR_LIB_SSL, 0, SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE)));
    ck_assert_int_eq(client.status, LEAT_MORE); /* the session was not told of an end */
    part(&client, &server);
    free_identities(&who);
}
END_TEST

START_TEST(the_insecure_believe_anyone)
{
    static const struct t_subject expired = {.from_s = -2 * DAY, .until_s = -DAY};
    struct t_identity odd = t_issue(&stranger, &expired);
    struct pem odd_pem = pem_of(&odd);
    struct t_bytes none = {NULL, 0};
    leat_tls_options odd_options = options_of(&odd_pem, none);
    leat_tls_options nobody = options_of(NULL, none);
    struct identities who;
    struct t_end client, server;

    make_identities(&who);
    odd_options.insecure = nobody.insecure = 1;
    join(&client, &server, &who.client_options, &odd_options, NULL, versions[_i]);
    ck_assert_int_eq(leat_error_code(leat_tls_error(client.tls)),
                     LEAT_E_TLS); /* the other is not */
    part(&client, &server);

    who.client_options.insecure = 1;
    join(&client, &server, &who.client_options, &odd_options, "leat.example", versions[_i]);
    assert_talked(&client, &server);
    ck_assert_int_eq(leat_tls_peer_is(client.tls, "leat.example"), 0);
    ck_assert_int_eq(leat_tls_peer_is(server.tls, "192.0.2.7"), 1); /* it asked all the same */
    part(&client, &server);

    join(&client, &server, &nobody, &odd_options, NULL, versions[_i]);
    assert_talked(&client, &server);
    ck_assert_int_eq(leat_tls_peer_is(server.tls, "192.0.2.7"), 0);
    part(&client, &server);
    free_identities(&who);
    free_pem(odd_pem);
    t_identity_free(&odd);
}
END_TEST

START_TEST(a_server_learns_the_name_that_is_meant)
{
    static const struct t_subject server_subject = {
        .names = "DNS:leat.example,IP:192.0.2.1,IP:2001:db8::1"};
    static const char *const peers[] = {"leat.example.", "192.0.2.1", "2001:db8::1", NULL};
    struct identities who;
    struct t_end client, server;
    size_t i;

    make_identities(&who);
    t_identity_free(&who.server);
    free_pem(who.server_pem);
    who.server = t_issue(&authority, &server_subject);
    who.server_pem = pem_of(&who.server);
    who.server_options = options_of(&who.server_pem, authority_pem);
    for (i = 0; i < sizeof peers / sizeof *peers; i++) {
        const char *name;

        join(&client, &server, &who.client_options, &who.server_options, peers[i], versions[_i]);
        assert_talked(&client, &server);
        name = SSL_get_servername(leat_tls_ssl(server.tls), TLSEXT_NAMETYPE_host_name);
        ck_assert_str_eq(name == NULL ? "" : name, i == 0 ? "leat.example" : "");
        part(&client, &server);
    }
    free_identities(&who);
}
END_TEST

START_TEST(clients_are_asked_for_certificates_of_the_authorities)
{
    struct identities who;
    struct t_end client, server;
    const STACK_OF(X509_NAME) * names;
    struct t_bytes both = t_copy(authority_pem.data, authority_pem.length);

    t_append(&both, stranger_pem.data, stranger_pem.length);
    make_identities(&who);
    who.server_options.authorities = both.data;
    who.server_options.authorities_length = both.length;
    join(&client, &server, &who.client_options, &who.server_options, "leat.example", versions[_i]);
    assert_talked(&client, &server);
    names = SSL_get0_peer_CA_list(leat_tls_ssl(client.tls));
    ck_assert_int_eq(sk_X509_NAME_num(names), 2);
    ck_assert_int_eq(
        X509_NAME_cmp(sk_X509_NAME_value(names, 0), X509_get_subject_name(authority.certificate)),
        0);
    ck_assert_int_eq(
        X509_NAME_cmp(sk_X509_NAME_value(names, 1), X509_get_subject_name(stranger.certificate)),
        0);
    part(&client, &server);
    free_identities(&who);
    t_free(both);
}
END_TEST

START_TEST(nothing_is_resumed)
{
    struct identities who;
    struct t_end client, server;
    SSL *ssl;

    make_identities(&who);
    join(&client, &server, &who.client_options, &who.server_options, "leat.example", versions[_i]);
    assert_talked(&client, &server);
    ssl = leat_tls_ssl(client.tls);
    ck_assert_int_eq(SSL_SESSION_is_resumable(SSL_get_session(ssl)), 0);
    ck_assert_ptr_null(SSL_get_current_compression(ssl));
    part(&client, &server);
    free_identities(&who);
}
END_TEST

/* One of them forgets that it should not: the other says no. */
START_TEST(nothing_is_negotiated_again)
{
    struct identities who;
    struct t_end client, server;
    struct t_end *one = _i == 0 ? &client : &server, *other = _i == 0 ? &server : &client;

    make_identities(&who);
    join(&client, &server, &who.client_options, &who.server_options, "leat.example",
         TLS1_2_VERSION);
    assert_talked(&client, &server);
    (void)SSL_clear_options(leat_tls_ssl(one->tls), SSL_OP_NO_RENEGOTIATION);
    ck_assert_int_eq(SSL_renegotiate(leat_tls_ssl(one->tls)), 1);
    t_say(one, "again", 5);
    t_talk(one, other, 1 << 20);
    ck_assert_int_eq((int)SSL_total_renegotiations(leat_tls_ssl(other->tls)), 0);
    part(&client, &server);
    free_identities(&who);
}
END_TEST

START_TEST(old_versions_are_refused)
{
    struct identities who;
    struct t_end client, server;
    const char *reason;

    make_identities(&who);
    ck_assert_int_eq(leat_tls_server_context(&who.server_options, &server.context, &reason),
                     LEAT_OK);
    client.context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(client.context, 0);
    ck_assert_int_eq(SSL_CTX_set_min_proto_version(client.context, TLS1_VERSION), 1);
    ck_assert_int_eq(SSL_CTX_set_max_proto_version(client.context, TLS1_1_VERSION), 1);
    t_end_begin(&client);
    t_end_begin(&server);
    ck_assert_int_eq(leat_tls_connect(NULL, client.context, NULL, client.session, &client.tls),
                     LEAT_OK);
    ck_assert_int_eq(leat_tls_accept(NULL, server.context, server.session, &server.tls), LEAT_OK);
    t_talk(&client, &server, 1 << 20);
    ck_assert_str_eq(text_of(&server), "unsupported protocol");
    part(&client, &server);
    free_identities(&who);
}
END_TEST

/*
 * An authority that was made anew under its old name is tried, and found to be another one; a
 * server that believes anyone goes on. What OpenSSL remembers of that is not held against the
 * record that comes in part with the end of the handshake.
 */
START_TEST(errors_of_a_handshake_that_succeeds_are_forgotten)
{
    static const struct t_subject subject = {.name = "192.0.2.7"};
    struct identities who;
    struct t_end client, server;
    size_t length;

    make_identities(&who);
    t_identity_free(&who.client);
    free_pem(who.client_pem);
    who.client = t_issue(&namesake, &subject);
    who.client_pem = pem_of(&who.client);
    who.client_options = options_of(&who.client_pem, authority_pem);
    who.server_options.insecure = 1;
    ck_assert_int_eq(leat_tls_client_context(&who.client_options, &client.context, NULL), LEAT_OK);
    ck_assert_int_eq(leat_tls_server_context(&who.server_options, &server.context, NULL), LEAT_OK);
    ck_assert_int_eq(SSL_CTX_set_max_proto_version(client.context, versions[_i]), 1);
    t_end_begin(&client);
    t_end_begin(&server);
    ck_assert_int_eq(leat_tls_connect(NULL, client.context, NULL, client.session, &client.tls),
                     LEAT_OK);
    ck_assert_int_eq(leat_tls_accept(NULL, server.context, server.session, &server.tls), LEAT_OK);
    t_say(&client, "hello", 5);
    (void)t_end_run(&client);
    (void)t_carry(&client, &server, 1 << 20);
    (void)t_end_run(&server);
    (void)t_carry(&server, &client, 1 << 20);
    (void)t_end_run(&client);
    (void)leat_tls_send_data(client.tls, &length);
    (void)t_carry(&client, &server, length - (versions[_i] == TLS1_3_VERSION ? 1 : 5));
    ck_assert_int_eq(t_end_run(&server), LEAT_OK);
    ck_assert_int_eq(leat_tls_is_ready(server.tls), versions[_i] == TLS1_3_VERSION);
    t_talk(&client, &server, 1 << 20);
    ck_assert_uint_eq(server.got.length, 5);
    part(&client, &server);
    free_identities(&who);
}
END_TEST

/* Which addresses and names the client's certificate is for, as its server sees it. */
static const struct {
    const char *name;
    const char *names;
    const char *peer;
    int is;
} peers[] = {
    {"192.0.2.7", NULL, "192.0.2.7", 1}, /* as Management Centers write it */
    {"192.0.2.7", NULL, "::ffff:192.0.2.7", 1},
    {"::ffff:192.0.2.7", NULL, "192.0.2.7", 1},
    {"192.0.2.7", NULL, "192.0.2.77", 0},
    {"192.0.2.70", NULL, "192.0.2.7", 0},
    {"2001:DB8:0::7", NULL, "2001:db8::7", 1},
    {"2001:db8::7", NULL, "2001:db8::8", 0},
    {"c000:207::", NULL, "192.0.2.7", 0}, /* the same octets in front */
    {"192.0.2.7", NULL, "c000:207::ffff:c000:207", 0},
    {"collector", "IP:192.0.2.7", "192.0.2.7", 1},
    {"collector", "IP:2001:db8::7", "2001:db8::7", 1},
    {"collector", "IP:192.0.2.7", "192.0.2.8", 0},
    {"192.0.2.8", "IP:192.0.2.7", "192.0.2.8", 0}, /* it says itself what it is for */
    {"192.0.2.8", "DNS:collector.example", "192.0.2.8", 1},
    {"collector.example", NULL, "collector.example", 1},
    {"collector.example", NULL, "Collector.Example.", 1},
    {"other", "DNS:*.leat.example", "collector.leat.example", 1},
    {"other", "DNS:*.leat.example", "leat.example", 0},
    {"other", "DNS:c*.leat.example", "collector.leat.example", 0},
    {"collector.example", NULL, ".example", 0}, /* OpenSSL: any name below */
    {"collector.example", NULL, "", 0},
    {"collector.example", NULL, "collector example", 0},
};

START_TEST(a_peer_is_whom_its_certificate_is_for)
{
    struct t_subject subject = {.name = peers[_i].name, .names = peers[_i].names};
    struct identities who;
    struct t_end client, server;

    make_identities(&who);
    t_identity_free(&who.client);
    free_pem(who.client_pem);
    who.client = t_issue(&authority, &subject);
    who.client_pem = pem_of(&who.client);
    who.client_options = options_of(&who.client_pem, authority_pem);
    join(&client, &server, &who.client_options, &who.server_options, "leat.example",
         TLS1_3_VERSION);
    assert_talked(&client, &server);
    ck_assert_int_eq(leat_tls_peer_is(server.tls, peers[_i].peer), peers[_i].is);
    ck_assert_int_eq(leat_tls_peer_is(client.tls, "leat.example"), 1);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    part(&client, &server);
    free_identities(&who);
}
END_TEST

START_TEST(nobody_is_known_before_the_handshake_is_done)
{
    struct identities who;
    struct t_end client, server;
    size_t octets = 0;

    make_identities(&who);
    client.context = server.context = NULL;
    ck_assert_int_eq(leat_tls_client_context(&who.client_options, &client.context, NULL), LEAT_OK);
    ck_assert_int_eq(leat_tls_server_context(&who.server_options, &server.context, NULL), LEAT_OK);
    ck_assert_int_eq(SSL_CTX_set_max_proto_version(client.context, versions[_i]), 1);
    t_end_begin(&client);
    t_end_begin(&server);
    ck_assert_int_eq(
        leat_tls_connect(NULL, client.context, "leat.example", client.session, &client.tls),
        LEAT_OK);
    ck_assert_int_eq(leat_tls_accept(NULL, server.context, server.session, &server.tls), LEAT_OK);
    while (leat_tls_is_ready(server.tls) == 0) {
        ck_assert_int_eq(leat_tls_peer_is(server.tls, "192.0.2.7"), 0);
        (void)t_end_run(&client);
        octets += t_carry(&client, &server, 1);
        (void)t_end_run(&server);
        (void)t_carry(&server, &client, SIZE_MAX);
    }
    ck_assert_uint_gt(octets, 500);
    ck_assert_int_eq(leat_tls_peer_is(server.tls, "192.0.2.7"), 1);
    part(&client, &server);
    free_identities(&who);
}
END_TEST

static const struct {
    const char *peer;
    int status;
} wanted[] = {
    {"leat", LEAT_OK},
    {"leat.example", LEAT_OK},
    {"leat.example.", LEAT_OK},
    {"_leat-1.example", LEAT_OK},
    {"192.0.2.1", LEAT_OK},
    {"::1", LEAT_OK},
    {"", LEAT_E_VALUE},
    {".", LEAT_E_VALUE},
    {".leat.example", LEAT_E_VALUE},
    {"leat..example", LEAT_E_VALUE},
    {"leat.example..", LEAT_E_VALUE},
    {"*.example", LEAT_E_VALUE},
    {"leat example", LEAT_E_VALUE},
    {"leat.example:8302", LEAT_E_VALUE},
    {"[::1]", LEAT_E_VALUE},
    {"fe80::1%eth0", LEAT_E_VALUE},
    {"l\xc3\xa4t.example", LEAT_E_VALUE},
};

START_TEST(a_peer_is_a_name_or_an_address)
{
    leat_tls_options options = options_of(NULL, authority_pem);
    char label[65], name[256];
    SSL_CTX *context;
    struct t_end end;
    size_t i;

    ck_assert_int_eq(leat_tls_client_context(&options, &context, NULL), LEAT_OK);
    for (i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        end.context = NULL;
        end.tls = NULL;
        t_end_begin(&end);
        ck_assert_msg(leat_tls_connect(NULL, context, wanted[i].peer, end.session, &end.tls) ==
                          wanted[i].status,
                      "\"%s\"", wanted[i].peer);
        t_end_free(&end);
    }

    /* Labels of 63 and 64 octets, names of 253 and 254. */
    memset(label, 'a', 64);
    label[64] = '\0';
    for (i = 0; i < 254; i++)
        name[i] = i % 50 == 49 ? '.' : 'a';
    name[254] = '\0';
    for (i = 0; i < 2; i++) {
        end.context = NULL;
        end.tls = NULL;
        t_end_begin(&end);
        ck_assert_int_eq(leat_tls_connect(NULL, context, label + i, end.session, &end.tls),
                         i == 0 ? LEAT_E_VALUE : LEAT_OK);
        leat_tls_free(end.tls);
        end.tls = NULL;
        ck_assert_int_eq(leat_tls_connect(NULL, context, name + i, end.session, &end.tls),
                         i == 0 ? LEAT_E_VALUE : LEAT_OK);
        t_end_free(&end);
    }
    SSL_CTX_free(context);
}
END_TEST

static leat_tls_options pkcs12_options(struct t_bytes pkcs12, const char *password)
{
    leat_tls_options options;

    leat_tls_options_init(&options, sizeof options);
    options.pkcs12 = pkcs12.data;
    options.pkcs12_length = pkcs12.length;
    options.password = password;
    return options;
}

/* One that is written with a password and read with another. */
static const struct {
    const char *written;
    const char *read;
    const char *reason;
} passwords[] = {
    {"secret", "secret", ""},
    {"secret", "wrong", "the password of the PKCS#12 file is wrong"},
    {"secret", NULL, "the PKCS#12 file needs a password"},
    {"secret", "", "the PKCS#12 file needs a password"},
    {NULL, NULL, ""},
    {NULL, "", ""},
    {"", NULL, ""},
    {"", "", ""},
    {"", "wrong", "the password of the PKCS#12 file is wrong"},
    {"p\xc3\xa4ss", "p\xc3\xa4ss", ""},
};

START_TEST(passwords_of_pkcs12)
{
    struct identities who;
    struct t_bytes pkcs12;
    leat_tls_options options;

    make_identities(&who);
    pkcs12 = t_pkcs12(&who.client, &authority, passwords[_i].written, 0);
    options = pkcs12_options(pkcs12, passwords[_i].read);
    ck_assert_str_eq(t_verdict(&options, false), passwords[_i].reason);
    ck_assert_str_eq(t_verdict(&options, true), passwords[_i].reason);
    t_free(pkcs12);
    free_identities(&who);
}
END_TEST

START_TEST(pkcs12_is_all_that_it_takes)
{
    struct identities who;
    struct t_end client, server;
    struct t_bytes of_client, of_server;
    leat_tls_options client_options, server_options;

    make_identities(&who);
    of_client = t_pkcs12(&who.client, &authority, NULL, 0);
    of_server = t_pkcs12(&who.server, &authority, "secret", 0);
    client_options = pkcs12_options(of_client, NULL);
    server_options = pkcs12_options(of_server, "secret");
    join(&client, &server, &client_options, &server_options, "leat.example", versions[_i]);
    assert_talked(&client, &server);
    ck_assert_int_eq(leat_tls_peer_is(server.tls, "192.0.2.7"), 1);
    part(&client, &server);
    t_free(of_client);
    t_free(of_server);
    free_identities(&who);
}
END_TEST

START_TEST(parts_that_pkcs12_lacks)
{
    struct t_identity half;
    struct identities who;
    struct t_bytes pkcs12;
    leat_tls_options options;

    make_identities(&who);
    pkcs12 = t_pkcs12(&who.client, NULL, NULL, 0);
    options = pkcs12_options(pkcs12, NULL);
    ck_assert_str_eq(t_verdict(&options, false), "there is no authority to verify the peer with");
    options.insecure = 1;
    ck_assert_str_eq(t_verdict(&options, false), "");
    options.insecure = 0;
    options.authorities = authority_pem.data;
    options.authorities_length = authority_pem.length;
    ck_assert_str_eq(t_verdict(&options, false), "");
    t_free(pkcs12);

    half = who.client;
    half.key = NULL;
    pkcs12 = t_pkcs12(&half, &authority, NULL, 0);
    options = pkcs12_options(pkcs12, NULL);
    ck_assert_str_eq(t_verdict(&options, false), "the PKCS#12 file holds no key");
    t_free(pkcs12);

    half = who.client;
    half.certificate = NULL;
    pkcs12 = t_pkcs12(&half, &authority, NULL, 0);
    options = pkcs12_options(pkcs12, NULL);
    ck_assert_str_eq(t_verdict(&options, false),
                     "the PKCS#12 file holds no certificate that its key belongs to");
    t_free(pkcs12);

    /* A certificate that is no authority's is not believed because it lies there. */
    pkcs12 = t_pkcs12(&who.client, &who.server, NULL, 0);
    options = pkcs12_options(pkcs12, NULL);
    ck_assert_str_eq(t_verdict(&options, false), "there is no authority to verify the peer with");
    t_free(pkcs12);
    free_identities(&who);
}
END_TEST

START_TEST(damaged_pkcs12)
{
    struct identities who;
    struct t_bytes pkcs12;
    leat_tls_options options;
    size_t length, at;

    make_identities(&who);
    pkcs12 = t_pkcs12(&who.client, &authority, "secret", NID_pbe_WithSHA1And3_Key_TripleDES_CBC);
    options = pkcs12_options(pkcs12, "secret");
    for (length = 0; length < pkcs12.length; length++) {
        options.pkcs12_length = length;
        ck_assert_str_eq(t_verdict(&options, false), "the PKCS#12 file is malformed");
    }
    options.pkcs12_length = pkcs12.length;
    ck_assert_str_eq(t_verdict(&options, false), "");

    /* An octet that is wrong: in the best case it is in a name that nobody reads. */
    for (at = 0; at < pkcs12.length; at++) {
        pkcs12.data[at] ^= 0x20;
        ck_assert_ptr_nonnull(t_verdict(&options, false));
        pkcs12.data[at] ^= 0x20;
    }
    memset(pkcs12.data, 'x', pkcs12.length);
    ck_assert_str_eq(t_verdict(&options, false), "the PKCS#12 file is malformed");
    t_free(pkcs12);
    free_identities(&who);
}
END_TEST

static bool has_legacy(void)
{
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
    return OSSL_PROVIDER_available(NULL, "legacy") == 1;
#else
    return true;
#endif
}

#define OLD_PKCS12                                                                                 \
    "the PKCS#12 file is encrypted in an old way (RC2, RC4) that OpenSSL leaves to its legacy "    \
    "provider: convert it to PEM with openssl pkcs12 -legacy -nodes -in FILE -out FILE.pem"
#define OLD_KEY                                                                                    \
    "the key is encrypted in an old way that OpenSSL leaves to its legacy provider: convert it "   \
    "with openssl pkey -provider legacy -provider default -in FILE -out NEW"

/* The files in tests/vectors/openssl. */
static const struct {
    const char *file;
    const char *password;
    const char *reason;
    bool old; /* that is the reason unless OpenSSL reads old encryptions */
} files[] = {
    {"openssl/3des.p12", "secret", "", false},
    {"openssl/3des.p12", "wrong", "the password of the PKCS#12 file is wrong", false},
    {"openssl/rc2.p12", "secret", OLD_PKCS12, true},
    {"openssl/rc2.p12", "wrong", "the password of the PKCS#12 file is wrong", false},
    {"openssl/rc2-empty.p12", NULL, OLD_PKCS12, true},
    {"openssl/rc2-empty.p12", "", OLD_PKCS12, true},
    {"openssl/no-mac.p12", "secret", "the PKCS#12 file has no MAC to check its password by", false},
    {"openssl/rc2.key", "secret", OLD_KEY, true},
    {"openssl/rc2.key", NULL, "the key needs a password", false},
    {"openssl/des.key", "secret", OLD_KEY, true},
    {"openssl/des.key", NULL, "the key needs a password", false},
};

START_TEST(old_files)
{
    const char *expected = files[_i].old && has_legacy() ? "" : files[_i].reason;
    struct t_bytes file = t_file(files[_i].file), certificate = t_file("openssl/leat.pem");
    leat_tls_options options = pkcs12_options(file, files[_i].password);

    if (strstr(files[_i].file, ".key") != NULL) {
        struct pem pem = {certificate, file};

        options = options_of(&pem, authority_pem);
        options.password = files[_i].password;
    }
    ck_assert_str_eq(t_verdict(&options, false), expected);
    t_free(file);
    t_free(certificate);
}
END_TEST

START_TEST(parts_that_pem_lacks)
{
    struct t_bytes none = {NULL, 0}, text = t_copy("no PEM\n", 7), pkcs12;
    struct identities who;
    leat_tls_options options;

    make_identities(&who);
    options = who.server_options;
    options.key = NULL;
    ck_assert_str_eq(t_verdict(&options, true), "there is a certificate, but no key");
    options = who.server_options;
    options.certificate = NULL;
    ck_assert_str_eq(t_verdict(&options, true), "there is a key, but no certificate");
    options = options_of(NULL, authority_pem);
    ck_assert_str_eq(t_verdict(&options, true), "a server needs a key and a certificate");
    ck_assert_str_eq(t_verdict(&options, false), "");
    options = options_of(&who.server_pem, none);
    ck_assert_str_eq(t_verdict(&options, true), "there is no authority to verify the peer with");
    options.insecure = 1;
    ck_assert_str_eq(t_verdict(&options, true), "");

    options = who.server_options;
    options.certificate = text.data;
    options.certificate_length = text.length;
    ck_assert_str_eq(t_verdict(&options, true), "there is no certificate in PEM");
    options = who.server_options;
    options.key = text.data;
    options.key_length = text.length;
    ck_assert_str_eq(t_verdict(&options, true), "the key is no private key in PEM");
    options = who.server_options;
    options.authorities = text.data;
    options.authorities_length = text.length;
    ck_assert_str_eq(t_verdict(&options, true), "there is no authority's certificate in PEM");
    options.authorities_length = 0;
    ck_assert_str_eq(t_verdict(&options, true), "there is no authority's certificate in PEM");

    options = who.server_options;
    options.key = who.client_pem.key.data;
    options.key_length = who.client_pem.key.length;
    ck_assert_str_eq(t_verdict(&options, true), "the key does not belong to the certificate");
    pkcs12 = t_pkcs12(&who.server, &authority, NULL, 0);
    options.pkcs12 = pkcs12.data;
    options.pkcs12_length = pkcs12.length;
    ck_assert_str_eq(t_verdict(&options, true),
                     "there is a PKCS#12 file, and a key or a certificate beside it");
    t_free(pkcs12);
    t_free(text);
    free_identities(&who);
}
END_TEST

START_TEST(damaged_pem)
{
    struct identities who;
    leat_tls_options options;
    size_t length;

    make_identities(&who);
    options = who.server_options;
    for (length = 30; length < who.server_pem.certificate.length - 10; length++) {
        options.certificate_length = length;
        ck_assert_str_eq(t_verdict(&options, true), "the certificate is malformed");
    }
    options = who.server_options;
    for (length = 30; length < authority_pem.length - 10; length++) {
        options.authorities_length = length;
        ck_assert_str_eq(t_verdict(&options, true), "an authority's certificate is malformed");
    }
    options = who.server_options;
    for (length = 0; length < who.server_pem.key.length - 10; length++) {
        options.key_length = length;
        ck_assert_str_eq(t_verdict(&options, true), "the key is no private key in PEM");
    }
    free_identities(&who);
}
END_TEST

START_TEST(encrypted_pem)
{
    static const char asks[] = "-----BEGIN CERTIFICATE-----\n"
                               "Proc-Type: 4,ENCRYPTED\n"
                               "DEK-Info: AES-128-CBC,000102030405060708090A0B0C0D0E0F\n"
                               "\n"
                               "AAAAAAAAAAAAAAAAAAAAAA==\n"
                               "-----END CERTIFICATE-----\n";
    char long_password[5000];
    struct identities who;
    struct t_bytes key;
    leat_tls_options options;

    make_identities(&who);
    key = t_key_pem(&who.server, "secret");
    options = who.server_options;
    options.key = key.data;
    options.key_length = key.length;
    options.password = "secret";
    ck_assert_str_eq(t_verdict(&options, true), "");
    options.password = "wrong";
    ck_assert_str_eq(t_verdict(&options, true), "the password of the key is wrong");
    memset(long_password, 'a', sizeof long_password - 1);
    long_password[sizeof long_password - 1] = '\0';
    options.password = long_password;
    ck_assert_str_eq(t_verdict(&options, true), "the password of the key is wrong");
    options.password = NULL; /* and nobody is asked on the terminal */
    ck_assert_str_eq(t_verdict(&options, true), "the key needs a password");
    t_free(key);

    long_password[127] = '\0'; /* as long as Broker takes them */
    key = t_key_pem(&who.server, long_password);
    options.key = key.data;
    options.key_length = key.length;
    options.password = long_password;
    ck_assert_str_eq(t_verdict(&options, true), "");
    options.password = long_password + 1;
    ck_assert_str_eq(t_verdict(&options, true), "the password of the key is wrong");
    t_free(key);

    key = t_key_pem(&who.server, "");
    options.key = key.data;
    options.key_length = key.length;
    options.password = NULL;
    ck_assert_str_eq(t_verdict(&options, true), "the key needs a password");
    options.password = "";
    ck_assert_str_eq(t_verdict(&options, true), "");
    t_free(key);

    options = who.server_options;
    options.authorities = asks;
    options.authorities_length = sizeof asks - 1;
    options.password = "secret";
    ck_assert_str_eq(t_verdict(&options, true), "an authority's certificate is malformed");
    free_identities(&who);
}
END_TEST

/* A root, below it an authority between, which issued the certificates of both. */
START_TEST(chains)
{
    static const struct t_subject middle = {.name = "between", .authority = true};
    static const struct t_subject subject = {.name = "leat.example"};
    struct t_identity between = t_issue(&authority, &middle);
    struct t_identity of_server = t_issue(&between, &subject);
    struct t_identity of_client = t_issue(&between, &subject);
    struct pem server_pem = pem_of(&of_server), client_pem = pem_of(&of_client);
    struct t_bytes between_pem = t_certificate_pem(&between), file;
    leat_tls_options server_options = options_of(&server_pem, authority_pem);
    leat_tls_options client_options = options_of(&client_pem, authority_pem);
    struct t_end client, server;

    /* Without the certificate of the one between the client does not find the way to the root. */
    join(&client, &server, &client_options, &server_options, NULL, versions[_i]);
    ck_assert_str_eq(text_of(&client),
                     X509_verify_cert_error_string(X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY));
    part(&client, &server);

    /* Both files have it behind their certificate, and even the root before it. */
    t_append(&server_pem.certificate, authority_pem.data, authority_pem.length);
    t_append(&server_pem.certificate, between_pem.data, between_pem.length);
    server_options = options_of(&server_pem, authority_pem);
    t_append(&client_pem.certificate, authority_pem.data, authority_pem.length);
    t_append(&client_pem.certificate, between_pem.data, between_pem.length);
    client_options = options_of(&client_pem, authority_pem);
    join(&client, &server, &client_options, &server_options, NULL, versions[_i]);
    assert_talked(&client, &server);
    ck_assert_int_eq(sk_X509_num(SSL_get_peer_cert_chain(leat_tls_ssl(client.tls))), 2);
    part(&client, &server);

    /* The one between is the server's only authority, and in the file not even first. */
    file = t_copy(between_pem.data, between_pem.length);
    t_append(&file, "subject=leat.example\n", 21);
    t_append(&file, server_pem.key.data, server_pem.key.length);
    t_append(&file, server_pem.certificate.data, server_pem.certificate.length);
    server_options = options_of(NULL, between_pem);
    server_options.certificate = server_options.key = file.data;
    server_options.certificate_length = server_options.key_length = file.length;
    join(&client, &server, &client_options, &server_options, NULL, versions[_i]);
    assert_talked(&client, &server);
    ck_assert_int_eq(sk_X509_num(SSL_get_peer_cert_chain(leat_tls_ssl(client.tls))), 2);
    part(&client, &server);

    /* All in one file, as "openssl pkcs12 -nodes" writes it. */
    server_options.authorities = file.data;
    server_options.authorities_length = file.length;
    join(&client, &server, &client_options, &server_options, NULL, versions[_i]);
    assert_talked(&client, &server);
    part(&client, &server);
    t_free(file);

    /* In PKCS#12 it is an authority, although it is not the root. */
    file = t_pkcs12(&of_server, &between, NULL, 0);
    server_options = pkcs12_options(file, NULL);
    join(&client, &server, &client_options, &server_options, NULL, versions[_i]);
    assert_talked(&client, &server);
    ck_assert_int_eq(sk_X509_num(SSL_get_peer_cert_chain(leat_tls_ssl(client.tls))), 2);
    part(&client, &server);
    t_free(file);
    t_free(between_pem);
    free_pem(server_pem);
    free_pem(client_pem);
    t_identity_free(&of_server);
    t_identity_free(&of_client);
    t_identity_free(&between);
}
END_TEST

START_TEST(what_openssl_would_not_use)
{
    static const struct t_subject weak_subject = {.rsa_bits = 512};
    struct t_identity weak = t_issue(&authority, &weak_subject);
    struct pem weak_pem = pem_of(&weak);
    leat_tls_options options = options_of(&weak_pem, authority_pem);

    ck_assert_str_eq(t_verdict(&options, true),
                     "a certificate is too weak for OpenSSL's security level: its key is too "
                     "short, or its signature of an old kind");
    free_pem(weak_pem);
    t_identity_free(&weak);
}
END_TEST

START_TEST(sizes_are_checked)
{
    leat_tls_options options;
    size_t *const lengths[] = {&options.pkcs12_length, &options.certificate_length,
                               &options.key_length, &options.authorities_length};
    struct identities who;
    size_t i;

    make_identities(&who);
    for (i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        options = who.server_options;
        *lengths[i] = (size_t)INT32_MAX + 1;
        ck_assert_str_eq(t_verdict(&options, true), "a file is larger than 2 GiB");
    }

    /* A caller who was compiled before there was insecure. */
    options = options_of(&who.server_pem, (struct t_bytes){NULL, 0});
    options.insecure = 1;
    ck_assert_str_eq(t_verdict(&options, true), "");
    options.size = offsetof(leat_tls_options, insecure);
    ck_assert_str_eq(t_verdict(&options, true), "there is no authority to verify the peer with");
    options.size = 0;
    ck_assert_str_eq(t_verdict(&options, true), "the options were not initialised");
    free_identities(&who);
}
END_TEST

static int open_both(const leat_config *config, const void *arg)
{
    SSL_CTX *const *contexts = (SSL_CTX *const *)arg;
    struct t_end client, server;
    size_t length;
    int status;

    client.context = server.context = NULL;
    client.tls = server.tls = NULL;
    t_end_begin(&client);
    t_end_begin(&server);
    status = leat_tls_connect(config, contexts[0], "leat.example", client.session, &client.tls);
    if (status == LEAT_OK)
        status = leat_tls_accept(config, contexts[1], server.session, &server.tls);
    if (status == LEAT_OK && leat_tls_recv_space(server.tls, &length) == NULL)
        status = leat_tls_run(server.tls);
    t_end_free(&client);
    t_end_free(&server);
    return status;
}

START_TEST(memory_that_runs_out)
{
    struct identities who;
    SSL_CTX *contexts[2];

    make_identities(&who);
    ck_assert_int_eq(leat_tls_client_context(&who.client_options, &contexts[0], NULL), LEAT_OK);
    ck_assert_int_eq(leat_tls_server_context(&who.server_options, &contexts[1], NULL), LEAT_OK);
    t_every_alloc(open_both, contexts);
    SSL_CTX_free(contexts[0]);
    SSL_CTX_free(contexts[1]);
    free_identities(&who);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof *(table)))

static void tests(TCase *cases)
{
    tcase_add_loop_test(cases, errors_of_a_handshake_that_succeeds_are_forgotten, 0, 2);
    tcase_add_unchecked_fixture(cases, make_authorities, free_authorities);
    tcase_add_loop_test(cases, each_believes_only_whom_it_should, 0, COUNT(meetings));
    tcase_add_loop_test(cases, a_server_demands_a_certificate, 0, COUNT(versions));
    tcase_add_loop_test(cases, the_insecure_believe_anyone, 0, COUNT(versions));
    tcase_add_loop_test(cases, a_server_learns_the_name_that_is_meant, 0, COUNT(versions));
    tcase_add_loop_test(cases, clients_are_asked_for_certificates_of_the_authorities, 0,
                        COUNT(versions));
    tcase_add_loop_test(cases, nothing_is_resumed, 0, COUNT(versions));
    tcase_add_loop_test(cases, nothing_is_negotiated_again, 0, 2);
    tcase_add_test(cases, old_versions_are_refused);
    tcase_add_loop_test(cases, a_peer_is_whom_its_certificate_is_for, 0, COUNT(peers));
    tcase_add_test(cases, nobody_is_known_before_the_handshake_is_done);
    tcase_add_test(cases, a_peer_is_a_name_or_an_address);
    tcase_add_loop_test(cases, passwords_of_pkcs12, 0, COUNT(passwords));
    tcase_add_loop_test(cases, pkcs12_is_all_that_it_takes, 0, COUNT(versions));
    tcase_add_test(cases, parts_that_pkcs12_lacks);
    tcase_add_test(cases, damaged_pkcs12);
    tcase_add_loop_test(cases, old_files, 0, COUNT(files));
    tcase_add_test(cases, parts_that_pem_lacks);
    tcase_add_test(cases, damaged_pem);
    tcase_add_test(cases, encrypted_pem);
    tcase_add_loop_test(cases, chains, 0, COUNT(versions));
    tcase_add_test(cases, what_openssl_would_not_use);
    tcase_add_test(cases, sizes_are_checked);
    tcase_add_test(cases, memory_that_runs_out);
}

T_MAIN("openssl/context", tests)
