/*
 * A server and a client in two processes, over TLS 1.3 on loopback TCP and over a pair of sockets:
 * records as fast as the window allows, each decoded fully. And, in turn with that, what the same
 * octets cost without leat: messages of the same size, and eight octets in answer to each, through
 * OpenSSL or plain read() and write(). The best of several rounds; only the ratios mean something.
 */
#define _DEFAULT_SOURCE

#include "bench.h"
#include "certificates.h"
#include "memory.h"
#include "openssl_memory.h"
#include "payloads.h"
#include "sockets.h"

#include <leat/estreamer.h>
#include <leat/openssl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS      5
#define ROUND_BYTES ((size_t)64 << 20)
#define NULL_BYTES  8u

enum side { CLIENT, SERVER };

static SSL_CTX *contexts[2];

/* What is done in a round, and how long it took. */
struct load {
    const struct payload *payload;
    bool tls;
    uint32_t window;
    size_t events;
    size_t messages; /* bundles that they came in, and the octets of these, headers included */
    size_t octets;
};

struct result {
    double seconds;
    double worked; /* by both processes */
};

/* Processes and sockets */

typedef void serve(const struct load *load, int fd);
typedef double receive(struct load *load, int fd); /* seconds from the first record to the last */

static double children(void)
{
    struct rusage usage;

    (void)getrusage(RUSAGE_CHILDREN, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

static struct result run(struct load *load, serve *child_serves, receive *parent_receives)
{
    struct result result = {0, -cpu() - children()};
    int ends[2];
    pid_t child;

    if (load->tls)
        connect_loopback(ends);
    else
        connect_pair(ends);
    child = fork();
    if (child < 0)
        die("fork");
    if (child == 0) {
        (void)close(ends[CLIENT]);
        child_serves(load, ends[SERVER]);
        _exit(0);
    }
    (void)close(ends[SERVER]);
    result.seconds = parent_receives(load, ends[CLIENT]);
    (void)close(ends[CLIENT]);
    if (waitpid(child, NULL, 0) != child)
        die("wait");
    result.worked += cpu() + children();
    return result;
}

/* With leat */

static struct end open_end(const struct load *load, enum side side, int fd)
{
    struct end end = {fd, NULL, NULL, false};

    if (side == CLIENT) {
        check(leat_estreamer_client_new(NULL, NULL, &end.session));
    } else {
        leat_estreamer_server_options options;

        leat_estreamer_server_options_init(&options, sizeof options);
        options.window = load->window;
        check(leat_estreamer_server_new(NULL, &options, &end.session));
    }
    if (load->tls)
        check(side == CLIENT ? leat_tls_connect(NULL, contexts[side], NULL, end.session, &end.tls)
                             : leat_tls_accept(NULL, contexts[side], end.session, &end.tls));
    unblock(&end);
    return end;
}

static void wait_for(const struct end *end)
{
    struct pollfd pollfd = {end->fd, POLLIN, 0};
    size_t length;

    (void)output_of(end, &length);
    if (length > 0)
        pollfd.events |= POLLOUT;
    (void)poll(&pollfd, 1, -1);
}

/* Draws events, and offers records once they are asked for. */
static void draw_server(struct end *end, const struct load *load, bool *asked, size_t *sent)
{
    const struct payload *payload = load->payload;
    const leat_event *event;

    while (leat_next(end->session, &event) == LEAT_OK)
        *asked = *asked || leat_event_kind(event) == LEAT_ESTREAMER_STREAMING_REQUEST;
    for (; *asked && *sent < load->events && leat_estreamer_waiting(end->session) < 512; ++*sent)
        check(leat_estreamer_send_record(
            end->session, payload->type, 1700000000 + (uint32_t)(*sent / 1000),
            payload->octets + payload->header_bytes, payload->length - payload->header_bytes));
}

static void leat_serves(const struct load *load, int fd)
{
    struct end end = open_end(load, SERVER, fd);
    bool asked = false;
    size_t sent = 0;

    while (!end.closed) {
        do {
            do
                draw_server(&end, load, &asked, &sent);
            while (end.tls != NULL && leat_tls_run(end.tls) == LEAT_MORE);
        } while (write_some(&end));
        wait_for(&end);
        read_some(&end);
    }
    close_end(&end);
}

/* Counts records, and bundles with their octets. */
static size_t draw_client(struct end *end, struct load *load)
{
    const leat_event *event;
    size_t events = 0, length;

    while (leat_next(end->session, &event) == LEAT_OK) {
        (void)leat_event_raw(event, &length);
        if (leat_event_kind(event) == LEAT_ESTREAMER_EVENT_DATA)
            events++;
        else if (leat_event_kind(event) == LEAT_ESTREAMER_MESSAGE_BUNDLE)
            load->messages++;
        else
            continue;
        load->octets += length;
    }
    return events;
}

static double leat_receives(struct load *load, int fd)
{
    struct end end = open_end(load, CLIENT, fd);
    double start = 0;
    size_t events = 0;

    load->messages = load->octets = 0;
    while (events < load->events) {
        do {
            do
                events += draw_client(&end, load);
            while (end.tls != NULL && leat_tls_run(end.tls) == LEAT_MORE);
        } while (write_some(&end));
        if (start == 0 && events > 0)
            start = now();
        if (events < load->events) {
            wait_for(&end);
            read_some(&end);
        }
        if (end.closed)
            die("the server left");
    }
    close_end(&end);
    return now() - start;
}

/* Without it */

struct channel {
    int fd;
    SSL *ssl; /* NULL: none */
};

static struct channel open_channel(const struct load *load, enum side side, int fd)
{
    struct channel channel = {fd, NULL};

    if (!load->tls)
        return channel;
    channel.ssl = SSL_new(contexts[side]);
    if (channel.ssl == NULL || SSL_set_fd(channel.ssl, fd) != 1 ||
        (side == CLIENT ? SSL_connect(channel.ssl) : SSL_accept(channel.ssl)) != 1)
        die("handshake");
    return channel;
}

static size_t get(const struct channel *channel, uint8_t *octets, size_t size)
{
    ssize_t n = channel->ssl == NULL ? read(channel->fd, octets, size)
                                     : SSL_read(channel->ssl, octets, (int)size);

    return n < 0 ? 0 : (size_t)n;
}

static void send_all(const struct channel *channel, const uint8_t *octets, size_t length)
{
    while (length > 0) {
        ssize_t n = channel->ssl == NULL ? write(channel->fd, octets, length)
                                         : SSL_write(channel->ssl, octets, (int)length);

        if (n <= 0)
            return;
        octets += n;
        length -= (size_t)n;
    }
}

static uint8_t floor_octets[(size_t)1 << 20];

/* The octets of one message, so that as many messages make what leat sent. */
static size_t message_octets(const struct load *load)
{
    return load->octets / load->messages;
}

static void floor_serves(const struct load *load, int fd)
{
    struct channel channel = open_channel(load, SERVER, fd);
    uint8_t nulls[4096];
    size_t answered = 0, sent, n; /* octets of nulls; messages */

    for (sent = 0; sent < load->messages; sent++) {
        while (sent - answered / NULL_BYTES >= load->window) {
            n = get(&channel, nulls, sizeof nulls);
            if (n == 0)
                die("no answer");
            answered += n;
        }
        send_all(&channel, floor_octets, message_octets(load));
    }
    while (get(&channel, nulls, sizeof nulls) > 0) /* until it closes */
        ;
    SSL_free(channel.ssl);
}

static double floor_receives(struct load *load, int fd)
{
    struct channel channel = open_channel(load, CLIENT, fd);
    size_t octets = message_octets(load), got = 0, answered = 0;
    double start = 0;

    while (got < octets * load->messages) {
        size_t n = get(&channel, floor_octets, (size_t)64 << 10), whole;

        if (n == 0)
            die("the floor");
        if (start == 0)
            start = now();
        got += n;
        whole = got / octets - answered;
        send_all(&channel, floor_octets, whole * NULL_BYTES);
        answered += whole;
    }
    SSL_free(channel.ssl);
    return now() - start;
}

/* Figures */

static void keep_best(struct result *best, struct result result)
{
    best->seconds = result.seconds < best->seconds ? result.seconds : best->seconds;
    best->worked = result.worked < best->worked ? result.worked : best->worked;
}

static void bench(const struct payload *payload, bool tls, uint32_t window)
{
    struct load load = {payload, tls, window, ROUND_BYTES / payload->length, 0, 0};
    struct result leat = {1e9, 1e9}, least = {1e9, 1e9};
    int round;

    for (round = 0; round < ROUNDS; round++) {
        keep_best(&leat, run(&load, leat_serves, leat_receives));
        keep_best(&least, run(&load, floor_serves, floor_receives));
    }
    (void)printf("  %-10s window %u %9.0f events/s %6.0f MiB/s %5.2f x floor; work %6.0f ns an "
                 "event, %5.2f x floor\n",
                 tls ? "TLS 1.3" : "socketpair", window, (double)load.events / leat.seconds,
                 (double)load.octets / leat.seconds / (1 << 20), leat.seconds / least.seconds,
                 leat.worked / (double)load.events * 1e9, leat.worked / least.worked);
}

/* Memory */

static void bench_memory(void)
{
    size_t before = openssl_held;
    struct memory leat = {0, 0}; /* of the sessions and their adapters */
    const leat_allocator allocator = memory_allocator(&leat);
    leat_config config;
    struct end client, server;

    leat_config_init(&config, sizeof config);
    config.allocator = &allocator;
    check(leat_estreamer_client_new(&config, NULL, &client.session));
    check(leat_estreamer_server_new(&config, NULL, &server.session));
    check(leat_tls_connect(&config, contexts[CLIENT], NULL, client.session, &client.tls));
    check(leat_tls_accept(&config, contexts[SERVER], server.session, &server.tls));
    shake_hands(&client, &server);
    leat_session_trim(client.session);
    leat_session_trim(server.session);
    leat_tls_trim(client.tls);
    leat_tls_trim(server.tls);
    (void)printf("octets of memory of a client and a server together, after the requests and "
                 "trimmed:\n  sessions %zu, TLS adapters %zu, OpenSSL %zu\n",
                 leat_session_memory(client.session) + leat_session_memory(server.session),
                 leat.held - leat_session_memory(client.session) -
                     leat_session_memory(server.session),
                 openssl_held - before);
    close_end(&client);
    close_end(&server);
}

/* The tests' certificates can only be made in a test. */
START_TEST(make_contexts)
{
    struct t_identity identity = t_authority("leat");
    struct t_bytes certificate = t_certificate_pem(&identity), key = t_key_pem(&identity, NULL);
    leat_tls_options options;

    leat_tls_options_init(&options, sizeof options);
    options.certificate = options.authorities = certificate.data;
    options.certificate_length = options.authorities_length = certificate.length;
    options.key = key.data;
    options.key_length = key.length;
    check(leat_tls_client_context(&options, &contexts[CLIENT], NULL));
    check(leat_tls_server_context(&options, &contexts[SERVER], NULL));
    ck_assert_int_eq(SSL_CTX_set_min_proto_version(contexts[CLIENT], TLS1_3_VERSION), 1);
    t_free(certificate);
    t_free(key);
    t_identity_free(&identity);
}
END_TEST

static void prepare(void)
{
    Suite *suite = suite_create("bench");
    TCase *cases = tcase_create("bench");
    SRunner *runner = srunner_create(suite);

    suite_add_tcase(suite, cases);
    tcase_add_test(cases, make_contexts);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_SILENT);
    if (srunner_ntests_failed(runner) > 0)
        die("certificates");
    srunner_free(runner);
}

int main(int argc, char **argv)
{
    static const uint32_t windows[] = {1, 8};
    size_t i, j;
    int tls;

    count_openssl();
    (void)signal(SIGPIPE, SIG_IGN); /* who is done closes */
    load_payloads(argc, argv);
    prepare();
    for (i = 0; i < PAYLOADS; i++) {
        (void)printf("%s: events of %zu octets\n", payloads[i].name, payloads[i].length);
        for (tls = 0; tls <= 1; tls++) {
            for (j = 0; j < sizeof windows / sizeof *windows; j++)
                bench(&payloads[i], tls != 0, windows[j]);
        }
    }
    (void)printf(
        "moved by the adapters for an octet of TLS: 1 into a memory BIO, 1 out of it, on each "
        "side; without TLS none\n");
    bench_memory();
    SSL_CTX_free(contexts[CLIENT]);
    SSL_CTX_free(contexts[SERVER]);
    return 0;
}
