/*
 * The snippets of doc/zabbix.md that need OpenSSL, as they stand there (test_zabbix_guide.py
 * compares), and proof that they do what the guide says.
 */
#include "support.h"

#include <leat/openssl.h>
#include <leat/zabbix_proxy.h>
#include <leat/zabbix_server.h>

/* For both ends; a server may have more than one key. */
static int make_context(int is_server, const char *identity, const char *key, SSL_CTX **context,
                        const char **reason)
{
    const leat_tls_psk psk = {identity, key};
    leat_tls_options options;

    leat_tls_options_init(&options, sizeof options);
    options.psks = &psk;
    options.psk_count = 1;
    return is_server ? leat_tls_server_context(&options, context, reason)
                     : leat_tls_client_context(&options, context, reason);
}

/* What a server does once leat_tls_is_ready(), before it draws the first event. */
static int tell_peer(leat_session *session, const leat_tls *tls, const char *address)
{
    char issuer[1024] = "", subject[1024] = "";
    leat_zabbix_peer peer;

    leat_zabbix_peer_init(&peer, sizeof peer);
    peer.address = address;
    peer.connection = leat_tls_peer_by(tls); /* the numbers are those of LEAT_ZABBIX_PSK, ... */
    peer.psk_identity = leat_tls_psk_identity(tls);
    if (leat_tls_peer_issuer(tls, issuer, sizeof issuer) < sizeof issuer)
        peer.issuer = issuer;
    if (leat_tls_peer_subject(tls, subject, sizeof subject) < sizeof subject)
        peer.subject = subject;
    return leat_zabbix_server_met(session, &peer);
}

#define KEY "00112233445566778899aabbccddeeff"

/* One end of the connection. */
struct side {
    SSL_CTX *context;
    leat_session *session;
    leat_tls *tls;
    bool told;
};

static void make_side(struct side *side, bool is_server, const char *identity)
{
    const char *reason = "";

    ck_assert_msg(make_context(is_server, identity, KEY, &side->context, &reason) == LEAT_OK, "%s",
                  reason);
    ck_assert_int_eq(is_server
                         ? leat_tls_accept(NULL, side->context, side->session, &side->tls)
                         : leat_tls_connect(NULL, side->context, NULL, side->session, &side->tls),
                     LEAT_OK);
}

static void free_side(struct side *side)
{
    leat_tls_free(side->tls);
    leat_session_free(side->session);
    SSL_CTX_free(side->context);
}

/* What from has to send, into to. */
static void carry(struct side *from, struct side *to)
{
    size_t length, room;
    const void *data;

    while ((data = leat_tls_send_data(from->tls, &length)) != NULL && length > 0) {
        void *space = leat_tls_recv_space(to->tls, &room);

        if (room == 0)
            return;
        length = length < room ? length : room;
        memcpy(space, data, length);
        ck_assert_int_eq(leat_tls_recv_done(to->tls, length), LEAT_OK);
        ck_assert_int_eq(leat_tls_send_done(from->tls, length), LEAT_OK);
    }
}

/* Events of that kind in all that the session tells now. */
static size_t turn(struct side *side, bool is_server, uint32_t kind)
{
    const leat_event *event;
    size_t count = 0;
    int status;

    do {
        status = leat_tls_run(side->tls);
        if (is_server && !side->told && leat_tls_is_ready(side->tls)) {
            ck_assert_int_eq(tell_peer(side->session, side->tls, "192.0.2.7"), LEAT_OK);
            side->told = true;
        }
        while (leat_tls_is_ready(side->tls) && leat_next(side->session, &event) == LEAT_OK)
            count += leat_event_kind(event) == kind && leat_event_error(event) == NULL;
    } while (status == LEAT_MORE);
    return count;
}

/* How many changes of its configuration a proxy gets that the server knows by an identity. */
static size_t configure(const char *known_by, const char *identity)
{
    leat_zabbix_server_options server_options;
    leat_zabbix_proxy_options proxy_options;
    leat_zabbix_server_member member;
    struct side client = {0}, served = {0};
    leat_zabbix_server *server;
    leat_zabbix_proxy *proxy;
    leat_builder *tables = t_json("{}", 2);
    size_t changes = 0, turns;

    leat_zabbix_server_options_init(&server_options, sizeof server_options);
    server_options.version = "7.0.22";
    ck_assert_int_eq(leat_zabbix_server_new(NULL, &server_options, &server), LEAT_OK);
    leat_zabbix_server_member_init(&member, sizeof member);
    member.name = "px";
    member.connections = LEAT_ZABBIX_PSK;
    member.psk_identity = known_by;
    ck_assert_int_eq(leat_zabbix_server_add(server, &member), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_tables_load(leat_zabbix_server_tables(server, "px"),
                                             leat_builder_value(tables)),
                     LEAT_OK);
    leat_zabbix_proxy_options_init(&proxy_options, sizeof proxy_options);
    proxy_options.name = "px";
    proxy_options.version = "7.0.22";
    proxy_options.session = "0123456789abcdef0123456789abcdef";
    ck_assert_int_eq(leat_zabbix_proxy_new(NULL, &proxy_options, &proxy), LEAT_OK);
    leat_zabbix_proxy_tick(proxy, 1, 1795292180000000000);
    leat_zabbix_server_tick(server, 1, 1795292180000000000);
    ck_assert_int_eq(leat_zabbix_proxy_connect(proxy, &client.session), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_server_accept(server, NULL, &served.session), LEAT_OK);
    make_side(&client, false, identity);
    make_side(&served, true, identity);
    for (turns = 0; turns < 10; turns++) {
        changes += turn(&client, false, LEAT_ZABBIX_CHANGE);
        carry(&client, &served);
        (void)turn(&served, true, 0);
        carry(&served, &client);
    }
    ck_assert(served.told);
    free_side(&client);
    free_side(&served);
    leat_zabbix_proxy_free(proxy);
    leat_zabbix_server_free(server);
    leat_builder_free(tables);
    return changes;
}

START_TEST(keys)
{
    ck_assert_uint_gt(configure("psk id 1", "psk id 1"), 0);
    ck_assert_uint_eq(configure("psk id 1", "psk id 2"), 0);
}
END_TEST

static void tests(TCase *tc)
{
    tcase_add_test(tc, keys);
}

T_MAIN("zabbix/guide_tls", tests)
