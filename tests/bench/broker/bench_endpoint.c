/*
 * An endpoint that publishes to many peers, and one that takes what peers send, without sockets: the
 * output of every peer is taken each time. Against copies of the same octets, against a program that
 * encodes for each peer anew, and against ZeroMQ, Zeek's other way to carry events. The best of
 * several rounds; only ratios mean something. Nothing may be allocated once all is warm.
 */
#include "bench.h"
#include "counts.h"
#include "pack.h"
#include "peers.h"
#include "race.h"
#include "samples.h"
#ifdef WITH_ZEROMQ
#include "zeromq.h"
#endif

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS  15
#define PEERS   1000u
#define STALLED 10u
#define FRAMES  1000u
#define TOPIC   "/bench"
#define SMALL   60u /* octets of a frame */
#define LARGE   65536u

#define FRONT_BYTES 41u /* of a frame: what stands in front of the topic */

static struct counts counts;

/* A message for so many peers, and who brings it there. */
struct load {
    leat_builder *builder; /* the value */
    const leat_value *value;
    uint8_t *frame; /* as it is sent */
    size_t length;
    size_t count;
    size_t stalled; /* the first ones of them do not read */
    leat_broker *broker;
    leat_session *peers[PEERS];
    uint8_t *copies[PEERS];
    msgpack_sbuffer packed[PEERS];
#ifdef WITH_ZEROMQ
    struct zeromq *zeromq;
#endif
};

/* ----- publishing ----- */

static void publish(void *context)
{
    struct load *load = (struct load *)context;
    size_t i;

    check(leat_broker_publish(load->broker, TOPIC, strlen(TOPIC), load->value));
    for (i = load->stalled; i < load->count; i++) {
        if (drain(load->peers[i]) != load->length)
            die("other octets than expected");
    }
}

/* As a program would that asks for those who have something to write. */
static void publish_to_ready(void *context)
{
    struct load *load = (struct load *)context;
    leat_session *session;

    check(leat_broker_publish(load->broker, TOPIC, strlen(TOPIC), load->value));
    while (leat_broker_ready(load->broker, &session) == LEAT_OK) {
        if (leat_session_user(session) == NULL)
            (void)drain(session);
    }
}

static void copy(void *context)
{
    struct load *load = (struct load *)context;
    size_t i;

    for (i = 0; i < load->count; i++)
        memcpy(load->copies[i], load->frame, load->length);
}

/* A topic and a value, for each peer anew. */
static void put_message(msgpack_sbuffer *to, const leat_value *value)
{
    msgpack_packer packer;

    msgpack_packer_init(&packer, to, msgpack_sbuffer_write);
    msgpack_pack_array(&packer, 2);
    msgpack_pack_str(&packer, strlen(TOPIC));
    msgpack_pack_str_body(&packer, TOPIC, strlen(TOPIC));
    pack(&packer, value);
}

static void pack_each(void *context)
{
    struct load *load = (struct load *)context;
    size_t i;

    for (i = 0; i < load->count; i++) {
        load->packed[i].size = 0;
        put_message(&load->packed[i], load->value);
    }
}

#ifdef WITH_ZEROMQ
static void by_zeromq(void *context)
{
    struct load *load = (struct load *)context;
    size_t i, length;

    zeromq_publish(load->zeromq, load->frame, load->length);
    for (i = 0; i < load->count; i++) {
        (void)zeromq_next(load->zeromq, i, &length);
        if (length != load->length)
            die("another length");
    }
}
#endif

/* A text, so that a frame has that many octets. */
static void build_text(leat_builder *b, size_t frame_bytes)
{
    static char text[LARGE];
    size_t front = FRONT_BYTES + strlen(TOPIC) + (frame_bytes < 128 ? 2 : 4);

    check(leat_builder_text(b, NULL, text, frame_bytes - front));
}

static void build_small(leat_builder *b)
{
    build_text(b, SMALL);
}

static void build_large(leat_builder *b)
{
    build_text(b, LARGE);
}

static void open_load(struct load *load, size_t count, size_t stalled,
                      void (*build)(leat_builder *))
{
    static const char *const topics[] = {TOPIC};
    const void *frame;
    size_t i;

    memset(load, 0, sizeof *load);
    load->builder = sample(build);
    load->value = leat_builder_value(load->builder);
    load->count = count;
    load->stalled = stalled;
    load->broker = open_endpoint(&counted, NULL, 0);
    for (i = 0; i < count; i++) {
        load->peers[i] = join_stub(load->broker, 1 + i, topics, 1);
        leat_session_set_user(load->peers[i], i < stalled ? load : NULL);
        msgpack_sbuffer_init(&load->packed[i]);
    }
    check(leat_broker_publish(load->broker, TOPIC, strlen(TOPIC), load->value));
    frame = leat_send_data(load->peers[count - 1], &load->length);
    load->frame = (uint8_t *)must(malloc(load->length));
    memcpy(load->frame, frame, load->length);
    for (i = 0; i < count; i++)
        load->copies[i] = (uint8_t *)must(malloc(load->length));
    for (i = stalled; i < count; i++)
        (void)drain(load->peers[i]);
#ifdef WITH_ZEROMQ
    load->zeromq = zeromq_open("inproc://bench", "", count);
#endif
}

static void close_load(struct load *load)
{
    size_t i;

#ifdef WITH_ZEROMQ
    zeromq_close(load->zeromq);
#endif
    for (i = 0; i < load->count; i++) {
        leat_session_free(load->peers[i]);
        msgpack_sbuffer_destroy(&load->packed[i]);
        free(load->copies[i]);
    }
    leat_broker_free(load->broker);
    leat_builder_free(load->builder);
    free(load->frame);
}

/* What waits for those who do not read, once all of it is there that may. */
static void fill_queues(struct load *load)
{
    leat_broker_stats stats = {.size = sizeof stats};

    do {
        publish(load);
        check(leat_broker_get_stats(load->peers[0], &stats));
    } while (stats.overflows == 0);
}

static void print_stalled(const struct load *load)
{
    leat_broker_stats stats = {.size = sizeof stats};

    check(leat_broker_get_stats(load->peers[0], &stats));
    (void)printf("    of each that does not read %llu messages wait, %llu were dropped\n",
                 (unsigned long long)stats.queued, (unsigned long long)stats.overflows);
}

/* What waits is kept once for all, so that such a message may be allocated; nothing else is. */
static void check_allocations(const struct load *load, uint64_t allocations, uint64_t publications)
{
    if (allocations > (load->stalled > 0 ? publications : 0))
        die("something is allocated");
}

static void bench_publishing(size_t count, size_t stalled, void (*build)(leat_builder *),
                             unsigned repeat)
{
    static struct load load;
    struct runner runners[] = {
        {"leat", publish, &load, 0},
        {"leat, who is ready", publish_to_ready, &load, 0},
        {"memcpy of the frame", copy, &load, 0},
        {"msgpack-c, packed for each", pack_each, &load, 0},
#ifdef WITH_ZEROMQ
        {"ZeroMQ, inproc", by_zeromq, &load, 0},
#endif
    };
    uint64_t allocations;

    open_load(&load, count, stalled, build);
    if (stalled > 0)
        fill_queues(&load);
    publish(&load);
    publish_to_ready(&load);
    allocations = counts.allocations;
    race(runners, sizeof runners / sizeof *runners, ROUNDS, repeat);
    allocations = counts.allocations - allocations;
    (void)printf("  %zu octets to %zu %s", load.length, count, count == 1 ? "peer" : "peers");
    if (stalled > 0)
        (void)printf(", %zu of which do not read", stalled);
    (void)printf(": %.1f ns/publication\n", runners[0].best * 1e9);
    print_race(runners, sizeof runners / sizeof *runners, (double)count, "peer");
    if (stalled > 0)
        print_stalled(&load);
    check_allocations(&load, allocations, (uint64_t)2 * ROUNDS * repeat);
    close_load(&load);
}

/* ----- receiving ----- */

/* So many messages of a peer, one behind the other, and those who read them. */
struct stream {
    leat_builder *builder;
    const leat_value *value;
    leat_broker *broker, *other;
    struct joint joint;
    leat_builder *reader;
    leat_buffer *octets; /* of the value alone */
    uint8_t *frames;
    size_t length;
    msgpack_sbuffer packed;
    msgpack_zone zone;
};

static void receive(void *context)
{
    const struct stream *stream = (const struct stream *)context;
    size_t at = 0, data = 0;

    while (at < stream->length) {
        size_t room;
        void *space = leat_recv_space(stream->joint.near, &room);

        room = room < stream->length - at ? room : stream->length - at;
        memcpy(space, stream->frames + at, room);
        check(leat_recv_done(stream->joint.near, room));
        at += room;
        data += draw(stream->joint.near);
    }
    if (data != FRAMES)
        die("other events than expected");
}

static void read_values(void *context)
{
    const struct stream *stream = (const struct stream *)context;
    size_t length, i;
    const void *octets = leat_buffer_data(stream->octets, &length);

    for (i = 0; i < FRAMES; i++) {
        leat_builder_clear(stream->reader);
        check(leat_broker_read(stream->reader, NULL, octets, length));
    }
}

static void msgpack_receives(void *context)
{
    struct stream *stream = (struct stream *)context;
    msgpack_object object;
    size_t at = 0;

    while (at < stream->packed.size) {
        msgpack_zone_clear(&stream->zone);
        if (msgpack_unpack(stream->packed.data, stream->packed.size, &at, &stream->zone, &object) <
            0)
            die("msgpack_unpack");
    }
}

static void pack_stream(struct stream *stream)
{
    size_t i;

    msgpack_sbuffer_init(&stream->packed);
    (void)msgpack_zone_init(&stream->zone, 1 << 16);
    for (i = 0; i < FRAMES; i++)
        put_message(&stream->packed, stream->value);
}

static void open_stream(struct stream *stream, void (*build)(leat_builder *))
{
    const void *frame;
    size_t i, length;

    stream->builder = sample(build);
    stream->value = leat_builder_value(stream->builder);
    stream->broker = open_endpoint(&counted, NULL, 0);
    stream->other = open_endpoint(NULL, NULL, 1);
    subscribe(stream->broker, TOPIC);
    join(stream->broker, stream->other, &stream->joint);
    check(leat_broker_publish(stream->other, TOPIC, strlen(TOPIC), stream->value));
    frame = leat_send_data(stream->joint.far, &length);
    stream->length = FRAMES * length;
    stream->frames = (uint8_t *)must(malloc(stream->length));
    for (i = 0; i < FRAMES; i++)
        memcpy(stream->frames + i * length, frame, length);
    check(leat_builder_new(NULL, &stream->reader));
    check(leat_buffer_new(NULL, &stream->octets));
    check(leat_broker_write(stream->octets, stream->value));
    pack_stream(stream);
}

static void close_stream(struct stream *stream)
{
    leat_session_free(stream->joint.near);
    leat_session_free(stream->joint.far);
    leat_broker_free(stream->broker);
    leat_broker_free(stream->other);
    leat_builder_free(stream->builder);
    leat_builder_free(stream->reader);
    leat_buffer_free(stream->octets);
    msgpack_zone_destroy(&stream->zone);
    msgpack_sbuffer_destroy(&stream->packed);
    free(stream->frames);
}

static void bench_receiving(const char *what, void (*build)(leat_builder *))
{
    struct stream stream;
    struct runner runners[] = {
        {"leat, frames in, events out", receive, &stream, 0},
        {"leat, the values alone", read_values, &stream, 0},
        {"msgpack-c, topic and value", msgpack_receives, &stream, 0},
    };
    uint64_t allocations;

    open_stream(&stream, build);
    receive(&stream);
    receive(&stream);
    allocations = counts.allocations;
    race(runners, sizeof runners / sizeof *runners, ROUNDS, 10);
    (void)printf("  %s, received, frames of %zu octets\n", what, stream.length / FRAMES);
    print_race(runners, sizeof runners / sizeof *runners, FRAMES, "message");
    if (counts.allocations != allocations)
        die("something is allocated");
    close_stream(&stream);
}

int main(void)
{
    counting = &counts;
    (void)printf("an endpoint, without sockets\n");
    bench_publishing(1, 0, build_small, 20000);
    bench_publishing(10, 0, build_small, 5000);
    bench_publishing(PEERS, 0, build_small, 50);
    bench_publishing(PEERS, STALLED, build_small, 50);
    bench_publishing(PEERS, 0, build_connection, 50);
    bench_publishing(1, 0, build_large, 500);
    bench_publishing(10, 0, build_large, 50);
    bench_publishing(PEERS, 0, build_large, 2);
    bench_receiving("an event of 2 values", build_two_fields);
    bench_receiving("a connection event of 18 fields", build_connection);
    return 0;
}
