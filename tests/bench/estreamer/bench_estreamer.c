/*
 * eStreamer records against what they cost at least: a copy of the same bytes. One process, one
 * core, the best of several rounds; only the ratios mean something.
 */
#include "bench.h"
#include "payloads.h"

#include <leat/estreamer.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS       15
#define STREAM_BYTES ((size_t)8 << 20)
#define FEED_BYTES   ((size_t)64 << 10)

/* What is measured: a stream of equal messages. */
struct stream {
    uint8_t *bytes;
    size_t length;
    size_t message_bytes;
    size_t messages;
    uint8_t *copy;
};

/* A digest of everything that was seen, so that no work can be left out. */
static uint64_t sink;

/* Message by message, as a client copies what it keeps. */
static void copy_stream(const struct stream *stream)
{
    size_t at;

    for (at = 0; at < stream->length; at += stream->message_bytes)
        memcpy(stream->copy + at, stream->bytes + at, stream->message_bytes);
    sink += stream->copy[stream->length / 2];
}

static uint64_t visit(const leat_value *record)
{
    const leat_value *field;
    uint64_t sum = 0;
    size_t length;

    for (field = leat_value_first(record); field != NULL; field = leat_value_next(record, field)) {
        switch (leat_value_kind(field)) {
        case LEAT_UINT:
            sum += leat_value_u64(field);
            break;
        case LEAT_BOOL:
            sum += (unsigned)leat_value_bool(field);
            break;
        case LEAT_RECORD:
            sum += visit(field);
            break;
        default:
            sum += (uintptr_t)leat_value_bytes(field, &length) + length;
            break;
        }
    }
    return sum;
}

/* The same through leat_value_cells(). */
static uint64_t visit_cells(const leat_value *record)
{
    leat_cell cells[256];
    size_t count = leat_value_cells(record, cells, sizeof cells / sizeof *cells), i;
    uint64_t sum = 0;

    for (i = 0; i < count; i++)
        sum += cells[i].number + (uintptr_t)cells[i].octets + cells[i].length;
    return sum;
}

typedef void handle(const leat_event *event);

static void ignore_event(const leat_event *event)
{
    sink += (uintptr_t)leat_event_value(event);
}

static void visit_event(const leat_event *event)
{
    sink += visit(leat_event_value(event));
}

static void visit_event_cells(const leat_event *event)
{
    sink += visit_cells(leat_event_value(event));
}

static void print_event(const leat_event *event)
{
    static char text[16384];

    sink += leat_value_json(leat_event_value(event), text, sizeof text);
}

static const struct {
    const char *name;
    handle *handle;
} jobs[] = {
    {"decoded", ignore_event},
    {"decoded, laid open, visited", visit_event_cells},
    {"decoded, visited by getters", visit_event},
    {"decoded, written as JSON", print_event},
};

static void decode_stream(const struct stream *stream, leat_session *session, handle *handle_event)
{
    const leat_event *event;
    size_t at = 0;
    int status = LEAT_MORE;

    while (at < stream->length) {
        size_t length = stream->length - at < FEED_BYTES ? stream->length - at : FEED_BYTES;

        if (leat_feed(session, stream->bytes + at, length) != LEAT_OK)
            die("feed");
        at += length;
        while ((status = leat_next(session, &event)) == LEAT_OK)
            handle_event(event);
    }
    if (status != LEAT_MORE)
        die("decode");
}

/* Seconds of the best round. */
static double best_of(const struct stream *stream, handle *handle_event)
{
    double best = 1e9;
    int round;
    leat_session *session;

    check(leat_estreamer_codec_new(NULL, LEAT_FROM_SERVER, &session));
    for (round = 0; round < ROUNDS; round++) {
        double start = cpu();

        if (handle_event == NULL)
            copy_stream(stream);
        else
            decode_stream(stream, session, handle_event);
        best = cpu() - start < best ? cpu() - start : best;
    }
    leat_session_free(session);
    return best;
}

/* The payload of event data, as messages. */
static struct stream make_stream(const struct payload *payload)
{
    const uint8_t header[] = {
        0, 1, 0, 4, 0, 0, (uint8_t)(payload->length >> 8), (uint8_t)payload->length};
    struct stream stream;
    uint8_t *at;

    stream.message_bytes = sizeof header + payload->length;
    stream.messages = STREAM_BYTES / stream.message_bytes;
    stream.length = stream.messages * stream.message_bytes;
    stream.bytes = (uint8_t *)must(malloc(stream.length));
    stream.copy = (uint8_t *)must(malloc(stream.length));
    for (at = stream.bytes; at < stream.bytes + stream.length; at += stream.message_bytes) {
        memcpy(at, header, sizeof header);
        memcpy(at + sizeof header, payload->octets, payload->length);
    }
    return stream;
}

static void print_row(const char *name, const struct stream *stream, double seconds, double copied)
{
    (void)printf("  %-28s %7.0f ns %7.2f M/s %6.1f x memcpy\n", name,
                 seconds / (double)stream->messages * 1e9,
                 (double)stream->messages / seconds * 1e-6, seconds / copied);
}

int main(int argc, char **argv)
{
    size_t i;

    load_payloads(argc, argv);
    for (i = 0; i < PAYLOADS; i++) {
        struct stream stream = make_stream(&payloads[i]);
        double copied = best_of(&stream, NULL);
        size_t job;

        (void)printf("%s: messages of %zu octets\n", payloads[i].name, stream.message_bytes);
        print_row("memcpy", &stream, copied, copied);
        for (job = 0; job < sizeof jobs / sizeof *jobs; job++)
            print_row(jobs[job].name, &stream, best_of(&stream, jobs[job].handle), copied);
        free(stream.bytes);
        free(stream.copy);
    }
    return sink == 0;
}
