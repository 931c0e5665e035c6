/*
 * A proxy and a server on sockets, in one process and on one core: what sockets and TLS 1.2 with a
 * pre-shared key add to values that are handed in, sent, told and acknowledged. As in the protocol
 * each message has a connection of its own, with its handshake. The best of several rounds; only
 * ratios mean something.
 */
#define _DEFAULT_SOURCE

#include "bench.h"
#include "engines.h"
#include "memory.h"
#include "openssl_memory.h"
#include "sockets.h"

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#define ROUNDS  15
#define ROWS    10000u
#define WAITING 1000u

static SSL_CTX *contexts[SIDES];

struct transport {
    const char *name;
    void (*connect)(int ends[2]); /* NULL: none, all is in memory */
    bool tls;
};

static const struct transport transports[] = {
    {"in memory", NULL, false},
    {"a pair of sockets", connect_pair, false},
    {"TCP", connect_loopback, false},
    {"TCP, TLS 1.2, pre-shared key", connect_loopback, true},
};
#define TRANSPORTS (sizeof transports / sizeof *transports)

static void make_contexts(void)
{
    static const leat_tls_psk psk = {"bench", "000102030405060708090a0b0c0d0e0f"};
    leat_tls_options options;

    leat_tls_options_init(&options, sizeof options);
    options.psks = &psk;
    options.psk_count = 1;
    check(leat_tls_client_context(&options, &contexts[PROXY], NULL));
    check(leat_tls_server_context(&options, &contexts[SERVER], NULL));
    if (SSL_CTX_set_max_proto_version(contexts[PROXY], TLS1_2_VERSION) != 1)
        die("TLS 1.2");
}

static void open_ends(struct engines *e, const struct transport *transport, leat_session *proxy,
                      struct end ends[SIDES])
{
    int fds[2], side;

    transport->connect(fds);
    for (side = PROXY; side <= SERVER; side++) {
        ends[side] = (struct end){fds[side], NULL, NULL, false};
        unblock(&ends[side]);
    }
    ends[PROXY].session = proxy;
    if (!transport->tls) {
        ends[SERVER].session = open_server_session(e);
        return;
    }
    check(leat_tls_connect(NULL, contexts[PROXY], NULL, proxy, &ends[PROXY].tls));
    check(leat_zabbix_server_accept(e->server, NULL, &ends[SERVER].session));
    check(leat_tls_accept(NULL, contexts[SERVER], ends[SERVER].session, &ends[SERVER].tls));
}

static void meet(const struct end *end)
{
    leat_zabbix_peer peer;

    leat_zabbix_peer_init(&peer, sizeof peer);
    peer.address = "127.0.0.1";
    peer.connection = LEAT_ZABBIX_PSK;
    peer.psk_identity = leat_tls_psk_identity(end->tls);
    check(leat_zabbix_server_met(end->session, &peer));
}

/* Runs the TLS, if there is one. True if the session got something. */
static bool run_tls(enum side side, struct end *end)
{
    bool ready;
    int status;

    if (end->tls == NULL)
        return false;
    ready = leat_tls_is_ready(end->tls) != 0;
    status = leat_tls_run(end->tls);
    if (status < 0)
        die(leat_error_text(leat_tls_error(end->tls)));
    if (side == SERVER && !ready && leat_tls_is_ready(end->tls) != 0)
        meet(end);
    return status == LEAT_MORE;
}

/* Does what can be done now. Returns what leat_next() said last. */
static int turn(struct engines *e, enum side side, struct end *end)
{
    int status;

    do {
        do
            status = draw(e, side, end->session);
        while (run_tls(side, end));
    } while (write_some(end));
    return status;
}

/* The server closes, once all is written. True if it did. */
static bool close_server(struct end *end)
{
    size_t length;

    (void)output_of(end, &length);
    if ((leat_wants(end->session) & LEAT_WANT_CLOSE) == 0 || length > 0)
        return false;
    if (end->tls != NULL)
        check(leat_tls_close(end->tls));
    while (write_some(end))
        ;
    if (shutdown(end->fd, SHUT_WR) != 0)
        die("shutdown");
    return true;
}

static void tell_end(struct end *end)
{
    check(end->tls == NULL ? leat_recv_eof(end->session) : leat_tls_recv_eof(end->tls));
}

static void talk(struct engines *e, struct end ends[SIDES])
{
    bool closed = false, told = false;

    while (turn(e, PROXY, &ends[PROXY]) != LEAT_END) {
        read_some(&ends[SERVER]);
        (void)turn(e, SERVER, &ends[SERVER]);
        closed = closed || close_server(&ends[SERVER]);
        read_some(&ends[PROXY]);
        if (ends[PROXY].closed && !told) {
            told = true;
            tell_end(&ends[PROXY]);
        }
    }
}

static void run_all(struct engines *e, const struct transport *transport)
{
    struct end ends[SIDES];
    leat_session *proxy;

    if (transport->connect == NULL) {
        (void)run_in_memory(e);
        return;
    }
    while (open_proxy_session(e, &proxy)) {
        open_ends(e, transport, proxy, ends);
        talk(e, ends);
        (void)close(ends[PROXY].fd);
        (void)close(ends[SERVER].fd);
        close_end(&ends[PROXY]);
        close_end(&ends[SERVER]);
    }
}

/* Each transport in each round, so that a change of the machine's pace meets all of them. */
static void bench_transports(const struct message *m)
{
    struct engines engines[TRANSPORTS];
    double best[TRANSPORTS];
    size_t i;
    int round;

    for (i = 0; i < TRANSPORTS; i++) {
        open_engines(&engines[i], NULL,
                     transports[i].tls ? LEAT_ZABBIX_PSK : LEAT_ZABBIX_UNENCRYPTED, ROWS);
        run_all(&engines[i], &transports[i]);
        best[i] = 1e9;
    }
    for (round = 0; round < ROUNDS; round++) {
        for (i = 0; i < TRANSPORTS; i++) {
            double start = cpu();

            pass_second(&engines[i]);
            hand_in(&engines[i], m);
            run_all(&engines[i], &transports[i]);
            best[i] = cpu() - start < best[i] ? cpu() - start : best[i];
        }
    }
    (void)printf("values from a proxy to a server, %u in a message, compressed, one core\n", ROWS);
    for (i = 0; i < TRANSPORTS; i++) {
        check_engines(&engines[i]);
        close_engines(&engines[i]);
        (void)printf("  %-32s %7.1f ns/row %7.2f M rows/s %6.2f\n", transports[i].name,
                     best[i] / ROWS * 1e9, ROWS / best[i] * 1e-6, best[i] / best[0]);
    }
}

/* What an acceptor holds whose peer shook hands and says nothing. */
static void bench_waiting(void)
{
    struct memory memory = {0, 0};
    const leat_allocator allocator = memory_allocator(&memory);
    static struct end servers[WAITING];
    size_t openssl = openssl_held, before, sessions = 0, i;
    leat_config config;
    struct engines e;

    leat_config_init(&config, sizeof config);
    config.allocator = &allocator;
    open_engines(&e, &config, LEAT_ZABBIX_PSK, ROWS);
    before = memory.held;
    for (i = 0; i < WAITING; i++) {
        struct end client = {-1, NULL, NULL, false}, *server = &servers[i];

        check(leat_zabbix_codec_new(NULL, LEAT_FROM_SERVER, &client.session));
        check(leat_tls_connect(NULL, contexts[PROXY], NULL, client.session, &client.tls));
        check(leat_zabbix_server_accept(e.server, NULL, &server->session));
        check(leat_tls_accept(&config, contexts[SERVER], server->session, &server->tls));
        shake_hands(&client, server);
        close_end(&client);
        meet(server);
        leat_session_trim(server->session);
        leat_tls_trim(server->tls);
        sessions += leat_session_memory(server->session);
    }
    (void)printf(
        "octets of memory of a session of the server that waits, after the TLS handshake and "
        "trimmed:\n  session %zu, with what the server knows of it and the TLS adapter "
        "%zu, OpenSSL %zu\n",
        sessions / WAITING, (memory.held - before) / WAITING, (openssl_held - openssl) / WAITING);
    for (i = 0; i < WAITING; i++)
        close_end(&servers[i]);
    close_engines(&e);
}

int main(void)
{
    struct message m;

    (void)signal(SIGPIPE, SIG_IGN);
    count_openssl();
    make_contexts();
    make_message(&m, ROWS, false);
    bench_transports(&m);
    free_message(&m);
    bench_waiting();
    SSL_CTX_free(contexts[PROXY]);
    SSL_CTX_free(contexts[SERVER]);
    return 0;
}
