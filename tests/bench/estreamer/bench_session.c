/*
 * A server and a client in one process and without a transport: what a conversation costs beside the
 * decoding of its records, what the bookmark and names from metadata add, and the memory of sessions
 * that have nothing to do. One core, the best of several rounds; only the ratios mean something.
 */
#include "bench.h"
#include "counts.h"
#include "payloads.h"

#include <leat/estreamer.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 15
#define EVENTS 20000

enum side { CLIENT, SERVER, NOBODY };

/* Octets that a server said, kept. */
struct stream {
    uint8_t *octets;
    size_t length;
    size_t size;
};

struct pair {
    leat_session *client;
    leat_session *server;
    size_t events; /* that the client was told */
    size_t bundles;
    struct counts *counts; /* of the client and of the server; NULL: not counted */
};

static void keep(struct stream *stream, const void *octets, size_t length)
{
    while (stream->size - stream->length < length) {
        stream->size = stream->size == 0 ? (size_t)1 << 20 : stream->size * 2;
        stream->octets = (uint8_t *)must(realloc(stream->octets, stream->size));
    }
    memcpy(stream->octets + stream->length, octets, length);
    stream->length += length;
}

/* Whose work is being done. */
static void work_for(const struct pair *pair, int side)
{
    counting = pair->counts == NULL || side == NOBODY ? NULL : &pair->counts[side];
}

/* All output of one into the window of the other, as sockets would carry it. */
static void carry(const struct pair *pair, int side, struct stream *kept)
{
    leat_session *from = side == CLIENT ? pair->client : pair->server;
    leat_session *to = side == CLIENT ? pair->server : pair->client;
    size_t length, room;
    const uint8_t *data;

    while ((data = (const uint8_t *)leat_send_data(from, &length)) != NULL) {
        void *space;

        work_for(pair, 1 - side);
        space = leat_recv_space(to, &room);
        work_for(pair, NOBODY);
        if (length > room)
            length = room;
        memcpy(space, data, length);
        if (kept != NULL)
            keep(kept, data, length);
        work_for(pair, 1 - side);
        check(leat_recv_done(to, length));
        work_for(pair, side);
        check(leat_send_done(from, length));
    }
}

static void draw(struct pair *pair)
{
    const leat_event *event;
    int status;

    while ((status = leat_next(pair->client, &event)) == LEAT_OK) {
        pair->events += leat_event_kind(event) == LEAT_ESTREAMER_EVENT_DATA;
        pair->bundles += leat_event_kind(event) == LEAT_ESTREAMER_MESSAGE_BUNDLE;
    }
    if (status != LEAT_MORE)
        die("the client");
}

/* One turn; true if a request for records came. */
static bool turn(struct pair *pair, struct stream *kept)
{
    const leat_event *event;
    bool asked = false;

    carry(pair, CLIENT, NULL);
    work_for(pair, SERVER);
    while (leat_next(pair->server, &event) == LEAT_OK)
        asked = asked || leat_event_kind(event) == LEAT_ESTREAMER_STREAMING_REQUEST;
    carry(pair, SERVER, kept);
    work_for(pair, CLIENT);
    draw(pair);
    work_for(pair, SERVER);
    return asked;
}

static struct pair meet(const leat_config *config)
{
    struct pair pair = {NULL, NULL, 0, 0, NULL};

    check(leat_estreamer_client_new(config, NULL, &pair.client));
    check(leat_estreamer_server_new(config, NULL, &pair.server));
    while (!turn(&pair, NULL))
        ;
    (void)turn(&pair, NULL);
    return pair;
}

static void part(struct pair *pair)
{
    leat_session_free(pair->client);
    leat_session_free(pair->server);
}

/* Sends records until so many were told. per_second of them have the same archive timestamp. */
static void stream_records(struct pair *pair, const struct payload *payload, size_t events,
                           size_t per_second, struct stream *kept)
{
    size_t sent;

    for (sent = pair->events; pair->events < events; (void)turn(pair, kept)) {
        for (; sent < events && leat_estreamer_waiting(pair->server) < 512; sent++)
            check(leat_estreamer_send_record(
                pair->server, payload->type, 1700000000 + (uint32_t)(sent / per_second),
                payload->octets + payload->header_bytes, payload->length - payload->header_bytes));
    }
}

/* Draws a stream: seconds. */
static double draw_stream(const struct stream *stream, leat_session *session)
{
    double start = cpu();
    const leat_event *event;
    size_t at = 0, waiting;

    while (at < stream->length) {
        size_t length = stream->length - at < 65536 ? stream->length - at : 65536;

        check(leat_feed(session, stream->octets + at, length));
        at += length;
        while (leat_next(session, &event) == LEAT_OK)
            ;
        (void)leat_send_data(session, &waiting);
        check(leat_send_done(session, waiting));
    }
    leat_session_free(session);
    return cpu() - start;
}

static leat_session *codec(void)
{
    leat_session *session;

    check(leat_estreamer_codec_new(NULL, LEAT_FROM_SERVER, &session));
    return session;
}

static leat_session *client(uint32_t bookmark_records)
{
    leat_estreamer_client_options options;
    leat_session *session;

    leat_estreamer_client_options_init(&options, sizeof options);
    options.bookmark_records = bookmark_records;
    check(leat_estreamer_client_new(NULL, &options, &session));
    return session;
}

/* A whole conversation: seconds. What the server says is kept in a stream, unless NULL. */
static double talk(const struct payload *payload, size_t per_second, struct stream *kept)
{
    struct pair pair = meet(NULL);
    double start = cpu(), seconds;

    stream_records(&pair, payload, EVENTS, per_second, kept);
    seconds = cpu() - start;
    part(&pair);
    return seconds;
}

/*
 * What each side moves and allocates, once its memory has grown: the server has a record copied into
 * its output, from there into its queue, and back when the client allows it; and what waits moves
 * forward when as much in front of it is gone.
 */
static void count_work(const struct payload *payload)
{
    static const char *const names[] = {"client", "server"};
    struct counts both[] = {{0, 0}, {0, 0}};
    struct pair pair = meet(&counted);
    int side;

    stream_records(&pair, payload, EVENTS, EVENTS, NULL);
    pair.events = pair.bundles = 0;
    pair.counts = both;
    stream_records(&pair, payload, EVENTS, EVENTS, NULL);
    work_for(&pair, NOBODY);
    (void)printf("%s: events of %zu octets, %.0f in a bundle\n", payload->name, payload->length,
                 EVENTS / (double)pair.bundles);
    for (side = CLIENT; side <= SERVER; side++)
        (void)printf("  %s: %.4f allocations an event, %.2f octets moved for an octet of it\n",
                     names[side], (double)both[side].allocations / EVENTS,
                     (double)both[side].moved / EVENTS / (double)payload->length);
    part(&pair);
}

enum job { CODEC, NO_BOOKMARK, ONE_SECOND, SECONDS, BOTH_SIDES, JOBS };

static void bench_conversation(const struct payload *payload)
{
    static const char *const names[] = {"a codec session reads it", "a client, without a bookmark",
                                        "... with one, all events in one second",
                                        "... with one, 100 events a second",
                                        "both sides, with bundles and nulls"};
    struct stream one_second = {NULL, 0, 0}, seconds = {NULL, 0, 0};
    double best[JOBS] = {1e9, 1e9, 1e9, 1e9, 1e9};
    int round, job;

    count_work(payload);
    (void)talk(payload, EVENTS, &one_second);
    (void)talk(payload, 100, &seconds);
    for (round = 0; round < ROUNDS; round++) {
        const double taken[JOBS] = {draw_stream(&one_second, codec()),
                                    draw_stream(&one_second, client(0)),
                                    draw_stream(&one_second, client(4096)),
                                    draw_stream(&seconds, client(4096)), talk(payload, 100, NULL)};

        for (job = 0; job < JOBS; job++)
            best[job] = taken[job] < best[job] ? taken[job] : best[job];
    }
    for (job = 0; job < JOBS; job++)
        (void)printf("  %-44s %7.0f ns %7.2f M/s %6.2f x codec\n", names[job],
                     best[job] / EVENTS * 1e9, EVENTS / best[job] * 1e-6, best[job] / best[CODEC]);
    free(one_second.octets);
    free(seconds.octets);
}

static void print_memory(const char *when, const leat_session *client, const leat_session *server)
{
    (void)printf("  %-44s %7zu client %7zu server\n", when, leat_session_memory(client),
                 leat_session_memory(server));
}

static void bench_memory(void)
{
    struct pair pair = meet(NULL);

    (void)printf("octets of memory, without TLS\n");
    print_memory("after the requests", pair.client, pair.server);
    leat_session_trim(pair.client);
    leat_session_trim(pair.server);
    print_memory("... trimmed", pair.client, pair.server);
    stream_records(&pair, &payloads[0], 10000, 10, NULL);
    print_memory("after 10000 intrusion events", pair.client, pair.server);
    leat_session_trim(pair.client);
    leat_session_trim(pair.server);
    print_memory("... trimmed, 10 events in the last second", pair.client, pair.server);
    part(&pair);
}

int main(int argc, char **argv)
{
    size_t i;

    load_payloads(argc, argv);
    for (i = 0; i < PAYLOADS; i++)
        bench_conversation(&payloads[i]);
    bench_memory();
    return 0;
}
