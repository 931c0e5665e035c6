/*
 * eStreamer records against what they cost at least: a copy of the same bytes. One process, one
 * core, the best of several rounds; only the ratios mean something.
 */
#define _POSIX_C_SOURCE 200809L

#include <leat/estreamer.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS       15
#define STREAM_BYTES ((size_t)8 << 20)
#define FEED_BYTES   ((size_t)64 << 10)

static double now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void die(const char *what)
{
    (void)fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

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
static double best_copy(const struct stream *stream)
{
    double best = 1e9;
    int round;

    for (round = 0; round < ROUNDS; round++) {
        double start = now();

        copy_stream(stream);
        best = now() - start < best ? now() - start : best;
    }
    return best;
}

static double best_decode(const struct stream *stream, handle *handle_event)
{
    double best = 1e9;
    int round;
    leat_session *session;

    if (leat_estreamer_codec_new(NULL, LEAT_FROM_SERVER, &session) != LEAT_OK)
        die("session");
    for (round = 0; round < ROUNDS; round++) {
        double start = now();

        decode_stream(stream, session, handle_event);
        best = now() - start < best ? now() - start : best;
    }
    leat_session_free(session);
    return best;
}

static int hex_digit(int c)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = c == '\0' ? NULL : strchr(digits, c);

    return found == NULL ? -1 : (int)(found - digits);
}

/* The payload of event data from a file of hex digits, as a message. */
static size_t read_message(const char *path, uint8_t *message, size_t size)
{
    FILE *file = fopen(path, "r");
    size_t length = 8;
    int c, high = -1;

    if (file == NULL)
        die(path);
    while ((c = fgetc(file)) != EOF && length < size) {
        int digit = hex_digit(c);

        if (digit < 0)
            continue;
        if (high >= 0)
            message[length++] = (uint8_t)(high << 4 | digit);
        high = high < 0 ? digit : -1;
    }
    (void)fclose(file);
    memset(message, 0, 8);
    message[1] = 1;
    message[3] = 4;
    message[6] = (uint8_t)((length - 8) >> 8);
    message[7] = (uint8_t)(length - 8);
    return length;
}

static struct stream make_stream(const char *path)
{
    uint8_t message[4096];
    struct stream stream;
    size_t i;

    stream.message_bytes = read_message(path, message, sizeof message);
    stream.messages = STREAM_BYTES / stream.message_bytes;
    stream.length = stream.messages * stream.message_bytes;
    stream.bytes = (uint8_t *)malloc(stream.length);
    stream.copy = (uint8_t *)malloc(stream.length);
    if (stream.bytes == NULL || stream.copy == NULL)
        die("out of memory");
    for (i = 0; i < stream.messages; i++)
        memcpy(stream.bytes + i * stream.message_bytes, message, stream.message_bytes);
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
    static const struct {
        const char *name;
        const char *file;
    } records[] = {
        {"intrusion, s2/85", "400_s2-85.hex"},
        {"connection, s1/174", "071_disc-s1-174.hex"},
    };
    const char *vectors = argc > 1 ? argv[1] : getenv("LEAT_VECTORS");
    size_t i;

    for (i = 0; i < sizeof records / sizeof *records; i++) {
        char path[4096];
        struct stream stream;
        double copied;

        (void)snprintf(path, sizeof path, "%s/estreamer/records/%s",
                       vectors == NULL ? "." : vectors, records[i].file);
        stream = make_stream(path);
        copied = best_copy(&stream);
        (void)printf("%s: messages of %zu octets\n", records[i].name, stream.message_bytes);
        print_row("memcpy", &stream, copied, copied);
        print_row("decoded", &stream, best_decode(&stream, ignore_event), copied);
        print_row("decoded, laid open, visited", &stream, best_decode(&stream, visit_event_cells),
                  copied);
        print_row("decoded, visited by getters", &stream, best_decode(&stream, visit_event),
                  copied);
        print_row("decoded, written as JSON", &stream, best_decode(&stream, print_event), copied);
        free(stream.bytes);
        free(stream.copy);
    }
    return sink == 0;
}
