/* TLS without authentication, as Broker does it by default: with what, with whom, and nothing else. */
#include "certificates.h"
#include "ends.h"
#include "support.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#define COUNT(table) ((int)(sizeof(table) / sizeof *(table)))
#define WHOLE        ((size_t)1 << 20)

/* A certificate that leads to itself, for whoever believes such. */
static struct t_identity identity;
static struct t_bytes certificate_pem, key_pem;

static void make_certificate(void)
{
    identity = t_authority("leat");
    certificate_pem = t_certificate_pem(&identity);
    key_pem = t_key_pem(&identity, NULL);
}

static void free_certificate(void)
{
    t_free(certificate_pem);
    t_free(key_pem);
    t_identity_free(&identity);
}

static leat_tls_options anonymous(void)
{
    leat_tls_options options;

    leat_tls_options_init(&options, sizeof options);
    options.anonymous = 1;
    return options;
}

static leat_tls_options certified(void)
{
    leat_tls_options options;

    leat_tls_options_init(&options, sizeof options);
    options.certificate = certificate_pem.data;
    options.certificate_length = certificate_pem.length;
    options.key = key_pem.data;
    options.key_length = key_pem.length;
    options.authorities = certificate_pem.data;
    options.authorities_length = certificate_pem.length;
    return options;
}

static SSL_CTX *conwhy(const leat_tls_options *options, bool is_server)
{
    SSL_CTX *context = NULL;
    const char *reason = "";
    int status = is_server ? leat_tls_server_context(options, &context, &reason)
                           : leat_tls_client_context(options, &context, &reason);

    ck_assert_msg(status == LEAT_OK, "%s", reason);
    return context;
}

static SSL_CTX *own(bool is_server)
{
    leat_tls_options options = anonymous();

    return conwhy(&options, is_server);
}

/* Ends with these contexts, which they own. */
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
}

static void part(struct t_end *client, struct t_end *server)
{
    t_end_free(client);
    t_end_free(server);
}

static const char *why(const struct t_end *end)
{
    return leat_error_text(leat_tls_error(end->tls));
}

static void assert_anonymous(const struct t_end *end)
{
    SSL *ssl = leat_tls_ssl(end->tls);

    ck_assert_str_eq(why(end), "");
    ck_assert_int_eq(SSL_version(ssl), TLS1_2_VERSION);
    ck_assert_uint_eq(SSL_CIPHER_get_protocol_id(SSL_get_current_cipher(ssl)), 0xc019);
    ck_assert_uint_eq(leat_tls_peer_by(end->tls), 0);
    ck_assert_int_eq(leat_tls_peer_is(end->tls, "leat.example"), 0);
    ck_assert_uint_eq(leat_tls_peer_subject(end->tls, NULL, 0), 0);
    ck_assert_ptr_null(leat_tls_psk_identity(end->tls));
}

/* The curve of the server's key, which the client has seen. */
static int curve_of(const struct t_end *client)
{
    EVP_PKEY *key = NULL;
    int bits;

    ck_assert_int_eq((int)SSL_get_server_tmp_key(leat_tls_ssl(client->tls), &key), 1);
    ck_assert_int_eq(EVP_PKEY_base_id(key), EVP_PKEY_EC);
    bits = EVP_PKEY_bits(key);
    EVP_PKEY_free(key);
    return bits;
}

static const size_t pieces[] = {WHOLE, 1, 7};

START_TEST(nobody_meets_nobody)
{
    struct t_end client, server;

    open_ends(&client, &server, own(false), own(true));
    t_say(&client, "hello", 5);
    t_say(&server, "welcome", 7);
    t_talk(&client, &server, pieces[_i]);
    assert_anonymous(&client);
    assert_anonymous(&server);
    ck_assert_int_eq(curve_of(&client), 384);
    ck_assert_uint_eq(client.got.length, 7);
    ck_assert_uint_eq(server.got.length, 5);
    ck_assert_int_eq(leat_tls_close(client.tls), LEAT_OK);
    t_talk(&client, &server, pieces[_i]);
    ck_assert_int_eq(server.status, LEAT_END);
    part(&client, &server);
}
END_TEST

/* What a client's first message offers, as its server sees it. */
static int look(SSL *ssl, int *alert, void *arg)
{
    static const uint8_t suites[] = {0xc0, 0x19, 0x00, 0xff}; /* the last one is no suite */
    static const uint8_t groups[] = {0x00, 0x02, 0x00, 0x18};
    const unsigned char *octets;
    size_t length;

    (void)alert;
    *(bool *)arg = true;
    ck_assert_uint_eq(SSL_client_hello_get0_ciphers(ssl, &octets), sizeof suites);
    ck_assert_mem_eq(octets, suites, sizeof suites);
    ck_assert_int_eq(SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_supported_groups, &octets, &length),
                     1);
    ck_assert_uint_eq(length, sizeof groups);
    ck_assert_mem_eq(octets, groups, sizeof groups);
    ck_assert_uint_eq(SSL_client_hello_get0_legacy_version(ssl), TLS1_2_VERSION);
    ck_assert_int_eq(
        SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_supported_versions, &octets, &length), 0);
    return SSL_CLIENT_HELLO_SUCCESS;
}

START_TEST(a_client_offers_one_suite_and_one_curve)
{
    SSL_CTX *of_server = own(true);
    struct t_end client, server;
    bool looked = false;

    SSL_CTX_set_client_hello_cb(of_server, look, &looked);
    open_ends(&client, &server, own(false), of_server);
    t_talk(&client, &server, WHOLE);
    ck_assert(looked);
    assert_anonymous(&client);
    part(&client, &server);
}
END_TEST

/* What another end is willing to do, made with OpenSSL's own functions. */
struct will {
    const char *suites;
    char groups[24];
    int version;
    int newest; /* version; 0: the same */
};

static SSL_CTX *other(const struct will *will, bool is_server)
{
    struct will copy = *will; /* the groups are not const to OpenSSL */
    SSL_CTX *context = SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method());

    ck_assert_ptr_nonnull(context);
    SSL_CTX_set_security_level(context, 0);
    ck_assert_int_eq(SSL_CTX_set_min_proto_version(context, will->version), 1);
    ck_assert_int_eq(
        SSL_CTX_set_max_proto_version(context, will->newest == 0 ? will->version : will->newest),
        1);
    ck_assert_int_eq(SSL_CTX_set_cipher_list(context, will->suites), 1);
    ck_assert_int_eq(SSL_CTX_set1_groups_list(context, copy.groups), 1);
    (void)SSL_CTX_set_dh_auto(context, 1);
    ck_assert_int_eq(SSL_CTX_use_certificate(context, identity.certificate), 1);
    ck_assert_int_eq(SSL_CTX_use_PrivateKey(context, identity.key), 1);
    return context;
}

#define HANDSHAKE_FAILURE 40
#define PROTOCOL_VERSION  70
#define BROKER            "AECDH-AES256-SHA"

static const struct {
    const char *name;
    struct will will;
    int alert; /* 0: they get along */
} others[] = {
    {"as Broker", {BROKER, "P-384", TLS1_2_VERSION, 0}, 0},
    {"TLS 1.3, too", {BROKER, "P-384", TLS1_2_VERSION, TLS1_3_VERSION}, 0},
    {"P-384 last", {BROKER, "X25519:P-256:P-384", TLS1_2_VERSION, 0}, 0},
    {"every suite", {"ALL:COMPLEMENTOFALL", "P-384", TLS1_2_VERSION, 0}, 0},
    {"P-256", {BROKER, "P-256", TLS1_2_VERSION, 0}, HANDSHAKE_FAILURE},
    {"X25519", {BROKER, "X25519", TLS1_2_VERSION, 0}, HANDSHAKE_FAILURE},
    {"P-521", {BROKER, "P-521", TLS1_2_VERSION, 0}, HANDSHAKE_FAILURE},
    {"AES-128", {"AECDH-AES128-SHA", "P-384", TLS1_2_VERSION, 0}, HANDSHAKE_FAILURE},
    {"no encryption", {"AECDH-NULL-SHA", "P-384", TLS1_2_VERSION, 0}, HANDSHAKE_FAILURE},
    {"finite fields", {"ADH-AES256-SHA256", "P-384", TLS1_2_VERSION, 0}, HANDSHAKE_FAILURE},
    {"certificates", {"HIGH:!aNULL:!MD5", "P-384", TLS1_2_VERSION, 0}, HANDSHAKE_FAILURE},
    {"TLS 1.3", {BROKER, "P-384", TLS1_3_VERSION, 0}, PROTOCOL_VERSION},
    {"TLS 1.1", {BROKER, "P-384", TLS1_1_VERSION, 0}, PROTOCOL_VERSION}, /* of clients alone */
};

/* The server says a fatal alert and nothing else, and neither session learns of anything. */
static void assert_refused(struct t_end *client, struct t_end *server, int alert)
{
    const uint8_t *data;
    size_t length;

    (void)t_end_run(client);
    (void)t_carry(client, server, WHOLE);
    (void)t_end_run(server);
    data = (const uint8_t *)leat_tls_send_data(server->tls, &length);
    ck_assert_uint_eq(length, 7);
    ck_assert_uint_eq(data[0], SSL3_RT_ALERT);
    ck_assert_uint_eq(data[5], SSL3_AL_FATAL);
    ck_assert_int_eq(data[6], alert);
    t_talk(server, client, WHOLE);
    ck_assert_int_eq(leat_error_code(leat_tls_error(client->tls)), LEAT_E_TLS);
    ck_assert_int_eq(leat_error_code(leat_tls_error(server->tls)), LEAT_E_TLS);
    ck_assert_int_eq(leat_tls_is_ready(client->tls) | leat_tls_is_ready(server->tls), 0);
    ck_assert_uint_eq(client->got.length + server->got.length, 0);
    ck_assert_int_eq(client->status, LEAT_MORE);
    ck_assert_int_eq(server->status, LEAT_MORE);
}

static void meet(SSL_CTX *of_client, SSL_CTX *of_server, int alert)
{
    struct t_end client, server;

    open_ends(&client, &server, of_client, of_server);
    t_say(&client, "hello", 5);
    t_say(&server, "welcome", 7);
    if (alert == 0) {
        t_talk(&client, &server, WHOLE);
        assert_anonymous(&client);
        assert_anonymous(&server);
        ck_assert_int_eq(curve_of(&client), 384);
        ck_assert_uint_eq(server.got.length, 5);
    } else {
        assert_refused(&client, &server, alert);
    }
    part(&client, &server);
}

START_TEST(others_as_clients)
{
    meet(other(&others[_i].will, false), own(true), others[_i].alert);
}
END_TEST

START_TEST(others_as_servers)
{
    meet(own(false), other(&others[_i].will, true), others[_i].alert);
}
END_TEST

/* Its client is the one that finds out. */
START_TEST(an_old_server_is_refused)
{
    static const struct will old = {BROKER, "P-384", TLS1_1_VERSION, 0};
    struct t_end client, server;

    open_ends(&client, &server, own(false), other(&old, true));
    t_say(&client, "hello", 5);
    t_talk(&client, &server, WHOLE);
    ck_assert_int_eq(leat_error_code(leat_tls_error(client.tls)), LEAT_E_TLS);
    ck_assert_str_eq(why(&client), "unsupported protocol");
    ck_assert_int_eq(leat_error_code(leat_tls_error(server.tls)), LEAT_E_TLS);
    ck_assert_uint_eq(client.got.length + server.got.length, 0);
    part(&client, &server);
}
END_TEST

/* Our own contexts of other kinds do not become anonymous because the other end is, insecure or not. */
START_TEST(who_is_not_anonymous_stays_so)
{
    static const leat_tls_psk psk = {"psk", "000102030405060708090a0b0c0d0e0f"};
    leat_tls_options of_keys, of_certificates = certified();

    leat_tls_options_init(&of_keys, sizeof of_keys);
    of_keys.psks = &psk;
    of_keys.psk_count = 1;
    of_keys.insecure = of_certificates.insecure = (uint32_t)_i;
    meet(conwhy(&of_keys, false), own(true), HANDSHAKE_FAILURE);
    meet(own(false), conwhy(&of_keys, true), HANDSHAKE_FAILURE);
    meet(conwhy(&of_certificates, false), own(true), HANDSHAKE_FAILURE);
    meet(own(false), conwhy(&of_certificates, true), HANDSHAKE_FAILURE);
}
END_TEST

#define BY_CERTIFICATE                                                                             \
    "there is a key, a certificate or an authority, which nobody who is anonymous uses"
#define BY_PSK "there is a pre-shared key, which nobody who is anonymous uses"

START_TEST(nothing_to_be_believed_by)
{
    static const leat_tls_psk psk = {"psk", "000102030405060708090a0b0c0d0e0f"};
    const leat_tls_options all = certified();
    leat_tls_options options = anonymous();

    ck_assert_str_eq(t_verdict(&options, _i == 1), "");
    options.insecure = 1; /* it is, anyway */
    ck_assert_str_eq(t_verdict(&options, _i == 1), "");

    options = all;
    options.anonymous = 1;
    ck_assert_str_eq(t_verdict(&options, _i == 1), BY_CERTIFICATE);
    options = anonymous();
    options.certificate = all.certificate;
    options.certificate_length = all.certificate_length;
    ck_assert_str_eq(t_verdict(&options, _i == 1), BY_CERTIFICATE);
    options = anonymous();
    options.key = all.key;
    options.key_length = all.key_length;
    ck_assert_str_eq(t_verdict(&options, _i == 1), BY_CERTIFICATE);
    options = anonymous();
    options.authorities = all.authorities;
    options.authorities_length = all.authorities_length;
    ck_assert_str_eq(t_verdict(&options, _i == 1), BY_CERTIFICATE);
    options = anonymous();
    options.pkcs12 = "not looked at";
    options.pkcs12_length = 13;
    ck_assert_str_eq(t_verdict(&options, _i == 1), BY_CERTIFICATE);
    options = anonymous();
    options.psks = &psk;
    options.psk_count = 1;
    ck_assert_str_eq(t_verdict(&options, _i == 1), BY_PSK);

    /* A caller who was compiled before there was anonymous has not asked for it. */
    options = anonymous();
    options.size = offsetof(leat_tls_options, anonymous);
    ck_assert_str_eq(t_verdict(&options, _i == 1),
                     _i == 1 ? "a server needs a key and a certificate"
                             : "there is no authority to verify the peer with");
}
END_TEST

/* There is no certificate that could be for it. */
START_TEST(a_name_is_only_sent_along)
{
    struct t_end client, server;

    open_ends(&client, &server, own(false), own(true));
    leat_tls_free(client.tls);
    client.tls = NULL;
    ck_assert_int_eq(leat_tls_connect(NULL, client.context, "no name", client.session, &client.tls),
                     LEAT_E_VALUE);
    ck_assert_int_eq(
        leat_tls_connect(NULL, client.context, "leat.example", client.session, &client.tls),
        LEAT_OK);
    t_talk(&client, &server, WHOLE);
    assert_anonymous(&client);
    ck_assert_str_eq(SSL_get_servername(leat_tls_ssl(server.tls), TLSEXT_NAMETYPE_host_name),
                     "leat.example");
    part(&client, &server);
}
END_TEST

/* One conversation, twice by the same context: there is nothing to resume, nor to negotiate again. */
START_TEST(nothing_is_resumed_nor_negotiated_again)
{
    struct t_end client, server;
    SSL_SESSION *session;

    open_ends(&client, &server, own(false), own(true));
    t_talk(&client, &server, WHOLE);
    session = SSL_get1_session(leat_tls_ssl(client.tls));
    ck_assert_int_eq(SSL_SESSION_has_ticket(session), 0);
    ck_assert_int_eq(SSL_renegotiate(leat_tls_ssl(client.tls)), 0);
    ERR_clear_error();

    leat_tls_free(client.tls);
    leat_tls_free(server.tls);
    ck_assert_int_eq(leat_tls_connect(NULL, client.context, NULL, client.session, &client.tls),
                     LEAT_OK);
    ck_assert_int_eq(leat_tls_accept(NULL, server.context, server.session, &server.tls), LEAT_OK);
    (void)SSL_set_session(leat_tls_ssl(client.tls), session);
    t_talk(&client, &server, WHOLE);
    assert_anonymous(&client);
    ck_assert_int_eq(SSL_session_reused(leat_tls_ssl(client.tls)), 0);
    ck_assert_int_eq(SSL_session_reused(leat_tls_ssl(server.tls)), 0);
    SSL_SESSION_free(session);
    part(&client, &server);
}
END_TEST

#define FRONT 16u /* in front of a block: its size */

/* Fails what OpenSSL asks for, once, and counts what it holds. */
static struct {
    size_t left; /* that succeed before one fails; SIZE_MAX: all */
    size_t asked;
    size_t held; /* octets */
} memory = {.left = SIZE_MAX};

static void *take(size_t bytes, const char *file, int line)
{
    uint8_t *block;

    (void)file;
    (void)line;
    memory.asked++;
    if (memory.left != SIZE_MAX && memory.left-- == 0)
        return NULL;
    block = (uint8_t *)malloc(FRONT + bytes);
    if (block == NULL)
        return NULL;
    memcpy(block, &bytes, sizeof bytes);
    memory.held += bytes;
    return block + FRONT;
}

static size_t bytes_of(const void *given)
{
    size_t bytes = 0;

    if (given != NULL)
        memcpy(&bytes, (const uint8_t *)given - FRONT, sizeof bytes);
    return bytes;
}

static void give_back(void *given, const char *file, int line)
{
    (void)file;
    (void)line;
    memory.held -= bytes_of(given);
    if (given != NULL)
        free((uint8_t *)given - FRONT);
}

static void *take_more(void *given, size_t bytes, const char *file, int line)
{
    void *block = take(bytes, file, line);
    size_t before = bytes_of(given);

    if (block == NULL)
        return NULL;
    if (given != NULL)
        memcpy(block, given, before < bytes ? before : bytes);
    give_back(given, file, line);
    return block;
}

/* What a connection needed while it was busy does not stay with it; what waits, does. */
START_TEST(a_quiet_connection_holds_little)
{
    size_t large = 1000000, held, fresh, length;
    uint8_t *text = (uint8_t *)calloc(1, large);
    struct t_end client, server;

    ck_assert_ptr_nonnull(text);
    open_ends(&client, &server, own(false), own(true));
    fresh = memory.held;
    t_talk(&client, &server, WHOLE);
    leat_tls_trim(client.tls);
    leat_tls_trim(server.tls);
    held = memory.held;
    ck_assert_uint_lt(held - fresh, 32 << 10);

    t_say(&client, text, large);
    t_say(&server, text, large);
    t_talk(&client, &server, WHOLE);
    ck_assert_uint_eq(client.got.length, large);
    ck_assert_uint_gt(memory.held, held + ((size_t)128 << 10));
    leat_tls_trim(client.tls);
    leat_tls_trim(server.tls);
    ck_assert_uint_eq(memory.held, held);

    t_pause(&server, true);
    t_say(&client, text, large);
    (void)t_end_run(&client);
    ck_assert_uint_gt(t_carry(&client, &server, 10000), 0);
    ck_assert_int_eq(t_end_run(&server), LEAT_OK);
    leat_tls_trim(client.tls);
    leat_tls_trim(server.tls);
    (void)leat_tls_send_data(client.tls, &length);
    ck_assert_uint_gt(length, 0);
    t_pause(&server, false);
    t_talk(&client, &server, WHOLE);
    ck_assert_uint_eq(server.got.length, 2 * large);

    /* An end that came already is not forgotten. */
    leat_tls_trim(server.tls);
    ck_assert_int_eq(leat_tls_recv_eof(server.tls), LEAT_OK);
    leat_tls_trim(server.tls);
    ck_assert_int_eq(t_end_run(&server), LEAT_E_END);
    part(&client, &server);
    free(text);
}
END_TEST

/* Nor does it matter when. */
START_TEST(trimmed_at_every_step)
{
    struct t_end client, server;
    size_t moved;

    open_ends(&client, &server, own(false), own(true));
    t_say(&client, "hello", 5);
    t_say(&server, "welcome", 7);
    do {
        (void)t_end_run(&client);
        moved = t_carry(&client, &server, pieces[_i]);
        leat_tls_trim(client.tls);
        leat_tls_trim(server.tls);
        (void)t_end_run(&server);
        moved += t_carry(&server, &client, pieces[_i]);
        leat_tls_trim(client.tls);
        leat_tls_trim(server.tls);
    } while (moved > 0);
    assert_anonymous(&client);
    ck_assert_uint_eq(client.got.length, 7);
    ck_assert_uint_eq(server.got.length, 5);
    part(&client, &server);
}
END_TEST

/* Nor is there any need of memory to give some back. */
START_TEST(no_memory_to_trim_with)
{
    struct t_end client, server;
    size_t i;

    open_ends(&client, &server, own(false), own(true));
    t_talk(&client, &server, WHOLE);
    for (i = 0; i < 4; i++) {
        memory.left = i;
        leat_tls_trim(client.tls);
        memory.left = SIZE_MAX;
        ck_assert_uint_eq(ERR_peek_error(), 0);
        t_say(&client, "hello", 5);
        t_say(&server, "hello", 5);
        t_talk(&client, &server, WHOLE);
        ck_assert_uint_eq(server.got.length, 5 * (i + 1));
        ck_assert_uint_eq(client.got.length, 5 * (i + 1));
    }
    part(&client, &server);
}
END_TEST

/* Whichever call is refused: there is no context, or it is whole. */
START_TEST(no_memory_for_a_context)
{
    leat_tls_options options = anonymous();
    size_t calls, i, refused = 0;

    SSL_CTX_free(own(_i == 1)); /* what OpenSSL does once */
    memory.asked = 0;
    SSL_CTX_free(own(_i == 1));
    calls = memory.asked;
    for (i = 0; i < calls; i++) {
        SSL_CTX *context = NULL;
        const char *reason = "";
        int status;

        memory.left = i;
        status = _i == 1 ? leat_tls_server_context(&options, &context, &reason)
                         : leat_tls_client_context(&options, &context, &reason);
        memory.left = SIZE_MAX;
        ck_assert_uint_eq(ERR_peek_error(), 0);
        ck_assert_str_eq(reason, status == LEAT_OK ? "" : "out of memory");
        ck_assert_int_eq(status, context != NULL ? LEAT_OK : LEAT_E_NOMEM);
        refused += status == LEAT_OK ? 0 : 1;
        if (status == LEAT_OK && _i == 1)
            meet(own(false), context, 0);
        else if (status == LEAT_OK)
            meet(context, own(true), 0);
    }
    ck_assert_uint_gt(refused, 10);
}
END_TEST

static void tests(TCase *cases)
{
    tcase_add_unchecked_fixture(cases, make_certificate, free_certificate);
    tcase_add_loop_test(cases, nobody_meets_nobody, 0, COUNT(pieces));
    tcase_add_test(cases, a_client_offers_one_suite_and_one_curve);
    tcase_add_loop_test(cases, others_as_clients, 0, COUNT(others));
    tcase_add_loop_test(cases, others_as_servers, 0, COUNT(others) - 1);
    tcase_add_test(cases, an_old_server_is_refused);
    tcase_add_loop_test(cases, who_is_not_anonymous_stays_so, 0, 2);
    tcase_add_loop_test(cases, nothing_to_be_believed_by, 0, 2);
    tcase_add_test(cases, a_name_is_only_sent_along);
    tcase_add_test(cases, nothing_is_resumed_nor_negotiated_again);
    tcase_add_test(cases, a_quiet_connection_holds_little);
    tcase_add_loop_test(cases, trimmed_at_every_step, 0, COUNT(pieces));
    tcase_add_test(cases, no_memory_to_trim_with);
    tcase_add_loop_test(cases, no_memory_for_a_context, 0, 2);
}

int main(void)
{
    if (CRYPTO_set_mem_functions(take, take_more, give_back) != 1)
        return EXIT_FAILURE;
    return t_main("openssl/anonymous", tests);
}
