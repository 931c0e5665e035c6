/*
 * Events from one end of a TCP connection on loopback to the other, in one process and on one core:
 * published, written, read and told. Natively, in the TLS that Broker has by default, and over
 * WebSocket, against msgpack-c on the same sockets and against ZeroMQ. What counts is the work of the
 * whole process, as ZeroMQ has threads; the best of several rounds, and only ratios mean something.
 */
#define _DEFAULT_SOURCE

#include "bench.h"
#include "pack.h"
#include "peers.h"
#include "race.h"
#include "samples.h"
#include "sockets.h"
#ifdef WITH_ZEROMQ
#include "zeromq.h"
#endif

#include <leat/broker_websocket.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ROUNDS 15
#define CHUNK  200u /* events in a row, before the other end reads */
#define CHUNKS 25u
#define TOPIC  "/bench"
#define PORT   9999u

/* The key and its answer that RFC 6455 has as an example. */
#define KEY    "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

enum side { SENDER, RECEIVER };

static SSL_CTX *contexts[2];
static const leat_value *event;

/* A connection, and what came of it. */
struct link {
    leat_broker *brokers[2]; /* of the sender NULL: it is a client over WebSocket */
    struct end ends[2];
    size_t ready; /* ends that are */
    size_t data;
};

/* ----- leat ----- */

static void take(struct link *link, struct end *end)
{
    const leat_event *told;
    int status;

    while ((status = leat_next(end->session, &told)) == LEAT_OK) {
        switch (leat_event_kind(told)) {
        case LEAT_BROKER_DATA:
            link->data++;
            break;
        case LEAT_BROKER_UPGRADE:
            check(leat_broker_websocket_upgrade(end->session, ACCEPT));
            break;
        case LEAT_BROKER_PEER_ADDED:
        case LEAT_BROKER_ACK:
            link->ready++;
            break;
        default:
            break;
        }
    }
    if (status < 0)
        die(leat_error_text(leat_session_error(end->session)));
}

/* Does what can be done now. */
static void turn(struct link *link, struct end *end)
{
    int status;

    read_some(end);
    do {
        do {
            take(link, end);
            status = end->tls == NULL ? LEAT_OK : leat_tls_run(end->tls);
            if (status < 0)
                die(leat_error_text(leat_tls_error(end->tls)));
        } while (status == LEAT_MORE);
    } while (write_some(end));
}

static void publish(struct link *link)
{
    if (link->brokers[SENDER] != NULL)
        check(leat_broker_publish(link->brokers[SENDER], TOPIC, strlen(TOPIC), event));
    else
        check(
            leat_broker_websocket_publish(link->ends[SENDER].session, TOPIC, strlen(TOPIC), event));
}

static void run_link(void *context)
{
    struct link *link = (struct link *)context;
    unsigned chunk, i;

    for (chunk = 0; chunk < CHUNKS; chunk++) {
        link->data = 0;
        for (i = 0; i < CHUNK; i++)
            publish(link);
        while (link->data < CHUNK) {
            turn(link, &link->ends[SENDER]);
            turn(link, &link->ends[RECEIVER]);
        }
    }
}

static void open_sockets(struct end ends[2])
{
    int fds[2], side;

    connect_loopback(fds);
    for (side = SENDER; side <= RECEIVER; side++) {
        ends[side].fd = fds[side];
        unblock(&ends[side]);
    }
}

static void meet(struct link *link)
{
    while (link->ready < 2) {
        turn(link, &link->ends[SENDER]);
        turn(link, &link->ends[RECEIVER]);
    }
}

static void open_receiver(struct link *link)
{
    memset(link, 0, sizeof *link);
    open_sockets(link->ends);
    link->brokers[RECEIVER] = open_endpoint(NULL, NULL, 0);
    subscribe(link->brokers[RECEIVER], TOPIC);
}

static void open_native(struct link *link, bool tls)
{
    struct end *sender = &link->ends[SENDER], *receiver = &link->ends[RECEIVER];

    open_receiver(link);
    link->brokers[SENDER] = open_endpoint(NULL, NULL, 1);
    check(leat_broker_peer_no_retry(link->brokers[SENDER], "127.0.0.1", PORT));
    check(leat_broker_connect(link->brokers[SENDER], &sender->session));
    check(leat_broker_accept(link->brokers[RECEIVER], "127.0.0.1", PORT, &receiver->session));
    if (tls) {
        check(leat_tls_connect(NULL, contexts[SENDER], NULL, sender->session, &sender->tls));
        check(leat_tls_accept(NULL, contexts[RECEIVER], receiver->session, &receiver->tls));
    }
    meet(link);
}

static void open_websocket(struct link *link)
{
    leat_broker_websocket_client_options client;
    leat_broker_websocket_options server;

    open_receiver(link);
    leat_broker_websocket_client_options_init(&client, sizeof client);
    client.host = "127.0.0.1";
    client.key = KEY;
    client.accept = ACCEPT;
    client.seed[0] = 1;
    check(leat_broker_websocket_client_new(NULL, &client, &link->ends[SENDER].session));
    leat_broker_websocket_options_init(&server, sizeof server);
    server.flavour = LEAT_BROKER_WEBSOCKET_BROKER;
    server.id[0] = 2;
    check(leat_broker_websocket_accept(link->brokers[RECEIVER], &server, "127.0.0.1", PORT,
                                       &link->ends[RECEIVER].session));
    meet(link);
}

static void close_link(struct link *link)
{
    int side;

    for (side = SENDER; side <= RECEIVER; side++) {
        (void)close(link->ends[side].fd);
        close_end(&link->ends[side]);
        leat_broker_free(link->brokers[side]);
    }
}

/* ----- msgpack-c ----- */

struct packed {
    struct end ends[2]; /* without sessions */
    msgpack_sbuffer out;
    msgpack_unpacker in;
    msgpack_unpacked message;
};

static void put_message(msgpack_sbuffer *to)
{
    msgpack_packer packer;

    msgpack_packer_init(&packer, to, msgpack_sbuffer_write);
    msgpack_pack_array(&packer, 2);
    msgpack_pack_str(&packer, strlen(TOPIC));
    msgpack_pack_str_body(&packer, TOPIC, strlen(TOPIC));
    pack(&packer, event);
}

static size_t unpack_some(struct packed *packed)
{
    size_t messages = 0;
    ssize_t n;

    if (!msgpack_unpacker_reserve_buffer(&packed->in, (size_t)64 << 10))
        die("msgpack_unpacker_reserve_buffer");
    n = read(packed->ends[RECEIVER].fd, msgpack_unpacker_buffer(&packed->in),
             msgpack_unpacker_buffer_capacity(&packed->in));
    if (n <= 0)
        return 0;
    msgpack_unpacker_buffer_consumed(&packed->in, (size_t)n);
    while (msgpack_unpacker_next(&packed->in, &packed->message) == MSGPACK_UNPACK_SUCCESS)
        messages++;
    return messages;
}

static void run_packed(void *context)
{
    struct packed *packed = (struct packed *)context;
    unsigned chunk, i;

    for (chunk = 0; chunk < CHUNKS; chunk++) {
        size_t data = 0, at = 0;

        packed->out.size = 0;
        for (i = 0; i < CHUNK; i++)
            put_message(&packed->out);
        while (data < CHUNK) {
            ssize_t n =
                at == packed->out.size
                    ? 0
                    : write(packed->ends[SENDER].fd, packed->out.data + at, packed->out.size - at);

            at += n > 0 ? (size_t)n : 0;
            data += unpack_some(packed);
        }
    }
}

static void open_packed(struct packed *packed)
{
    memset(packed, 0, sizeof *packed);
    open_sockets(packed->ends);
    msgpack_sbuffer_init(&packed->out);
    if (!msgpack_unpacker_init(&packed->in, MSGPACK_UNPACKER_INIT_BUFFER_SIZE))
        die("msgpack_unpacker_init");
    msgpack_unpacked_init(&packed->message);
}

static void close_packed(struct packed *packed)
{
    (void)close(packed->ends[SENDER].fd);
    (void)close(packed->ends[RECEIVER].fd);
    msgpack_unpacked_destroy(&packed->message);
    msgpack_unpacker_destroy(&packed->in);
    msgpack_sbuffer_destroy(&packed->out);
}

/* ----- ZeroMQ, with msgpack-c ----- */

#ifdef WITH_ZEROMQ
struct queue {
    struct zeromq *zeromq;
    msgpack_sbuffer out;
    msgpack_unpacked message;
};

static void run_queue(void *context)
{
    struct queue *queue = (struct queue *)context;
    unsigned chunk, i;

    for (chunk = 0; chunk < CHUNKS; chunk++) {
        for (i = 0; i < CHUNK; i++) {
            queue->out.size = 0;
            put_message(&queue->out);
            zeromq_publish(queue->zeromq, queue->out.data, queue->out.size);
        }
        for (i = 0; i < CHUNK; i++) {
            size_t length, at = 0;
            const void *octets = zeromq_next(queue->zeromq, 0, &length);

            if (msgpack_unpack_next(&queue->message, (const char *)octets, length, &at) !=
                MSGPACK_UNPACK_SUCCESS)
                die("msgpack_unpack_next");
        }
    }
}

static void open_queue(struct queue *queue)
{
    queue->zeromq = zeromq_open("tcp://127.0.0.1:*", "", 1);
    msgpack_sbuffer_init(&queue->out);
    msgpack_unpacked_init(&queue->message);
}

static void close_queue(struct queue *queue)
{
    zeromq_close(queue->zeromq);
    msgpack_unpacked_destroy(&queue->message);
    msgpack_sbuffer_destroy(&queue->out);
}
#endif

/* ----- */

static void make_contexts(void)
{
    leat_tls_options options;

    leat_tls_options_init(&options, sizeof options);
    options.anonymous = 1;
    check(leat_tls_client_context(&options, &contexts[SENDER], NULL));
    check(leat_tls_server_context(&options, &contexts[RECEIVER], NULL));
}

static void bench_links(void)
{
    struct link plain, tls, websocket;
    struct packed packed;
#ifdef WITH_ZEROMQ
    struct queue queue;
#endif
    struct runner runners[] = {
        {"native", run_link, &plain, 0},
        {"native in anonymous TLS", run_link, &tls, 0},
        {"WebSocket, in JSON", run_link, &websocket, 0},
        {"msgpack-c", run_packed, &packed, 0},
#ifdef WITH_ZEROMQ
        {"ZeroMQ, msgpack-c", run_queue, &queue, 0},
#endif
    };

    open_native(&plain, false);
    open_native(&tls, true);
    open_websocket(&websocket);
    open_packed(&packed);
#ifdef WITH_ZEROMQ
    open_queue(&queue);
#endif
    race(runners, sizeof runners / sizeof *runners, ROUNDS, 1);
    (void)printf("a connection event of 18 fields over TCP on loopback, %u in a row, both ends\n",
                 CHUNK);
    print_race(runners, sizeof runners / sizeof *runners, CHUNK * CHUNKS, "event");
    close_link(&plain);
    close_link(&tls);
    close_link(&websocket);
    close_packed(&packed);
#ifdef WITH_ZEROMQ
    close_queue(&queue);
#endif
}

int main(void)
{
    leat_builder *builder = sample(build_connection);

    (void)signal(SIGPIPE, SIG_IGN);
    event = leat_builder_value(builder);
    make_contexts();
    bench_links();
    SSL_CTX_free(contexts[SENDER]);
    SSL_CTX_free(contexts[RECEIVER]);
    leat_builder_free(builder);
    return 0;
}
