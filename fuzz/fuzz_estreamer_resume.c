/*
 * A client and a server, whose connections break at any point: the client goes on from the last
 * bookmark that it took. Every record comes, in order, and is said to be a repeat if, and only if, it
 * was safe when that bookmark was taken.
 */
#include "estreamer_live.h"

#define RECORDS 256
#define TYPE    9999 /* unknown: its octets are the number of the record */

struct archive {
    uint32_t seconds[RECORDS];
    bool safe[RECORDS]; /* acknowledged */
    bool kept[RECORDS]; /* before the bookmark was taken */
    size_t count;
};

struct pair {
    leat_session *client;
    leat_session *server;
    leat_estreamer_client_options client_options;
    leat_estreamer_server_options server_options;
    leat_buffer *bookmark;
    struct archive archive;
    size_t next_sent; /* of the archive, on this connection */
    size_t next_told;
    size_t first_held;         /* the records that were told and are not safe */
    uint64_t offsets[RECORDS]; /* of the event that told each, on this connection */
    bool asked;
};

static void connect(struct pair *pair)
{
    size_t length;

    pair->client_options.bookmark = leat_buffer_data(pair->bookmark, &length);
    pair->client_options.bookmark_length = length;
    must(leat_estreamer_client_new(NULL, &pair->client_options, &pair->client) == LEAT_OK);
    must(leat_estreamer_server_new(NULL, &pair->server_options, &pair->server) == LEAT_OK);
    memcpy(pair->archive.safe, pair->archive.kept, sizeof pair->archive.safe);
    pair->next_sent = pair->next_told = pair->first_held = 0;
    pair->asked = false;
}

static void disconnect(struct pair *pair)
{
    leat_session_free(pair->client);
    leat_session_free(pair->server);
}

static void take_bookmark(struct pair *pair)
{
    leat_buffer_clear(pair->bookmark);
    must(leat_estreamer_bookmark(pair->client, pair->bookmark) == LEAT_OK);
    memcpy(pair->archive.kept, pair->archive.safe, sizeof pair->archive.kept);
}

/* Moves octets of output; how many. */
static size_t carry(leat_session *from, leat_session *to, size_t most)
{
    size_t length;
    const void *data = leat_send_data(from, &length);

    length = length < most ? length : most;
    if (length > 0)
        must(leat_feed(to, data, length) == LEAT_OK);
    must(leat_send_done(from, length) == LEAT_OK);
    return length;
}

/* The server begins where it is asked to. */
static void serve(struct pair *pair)
{
    const uint32_t wanted =
        (pair->client_options.request_flags & LEAT_ESTREAMER_FLAG_EXTENDED_REQUEST) != 0
            ? LEAT_ESTREAMER_STREAMING_REQUEST
            : LEAT_ESTREAMER_EVENT_STREAM_REQUEST;
    const leat_event *event;
    int status;

    while ((status = leat_next(pair->server, &event)) == LEAT_OK) {
        must(leat_event_error(event) == NULL);
        if (leat_event_kind(event) != wanted)
            continue;
        for (pair->next_sent = 0; pair->next_sent < pair->archive.count; pair->next_sent++) {
            if (pair->archive.seconds[pair->next_sent] >=
                leat_estreamer_initial_timestamp(pair->server))
                break;
        }
        pair->next_told = pair->first_held = pair->next_sent;
        pair->asked = true;
    }
    must(status == LEAT_MORE);
}

static void send_records(struct pair *pair, size_t count)
{
    for (; pair->asked && count > 0 && pair->next_sent < pair->archive.count; count--) {
        size_t i = pair->next_sent++;
        const uint8_t octets[] = {(uint8_t)i, 'r', 'e', 'c'};

        must(leat_estreamer_send_record(pair->server, TYPE, pair->archive.seconds[i], octets,
                                        sizeof octets) == LEAT_OK);
    }
}

static void make_safe(struct pair *pair, size_t end)
{
    for (; pair->first_held < end; pair->first_held++)
        pair->archive.safe[pair->first_held] = true;
}

static void receive(struct pair *pair, const leat_event *event)
{
    const leat_value *value = leat_event_value(event);
    const uint8_t *octets;
    size_t length, i = pair->next_told;

    must(leat_event_error(event) == NULL);
    if (leat_event_kind(event) != LEAT_ESTREAMER_EVENT_DATA) {
        must(leat_estreamer_is_repeat(pair->client) == 0);
        return;
    }
    octets = leat_value_bytes(leat_value_get(value, "record"), &length);
    must(length == 4 && octets[0] == i && i < pair->next_sent);
    must(leat_value_u64(leat_value_get(value, "archive_timestamp")) == pair->archive.seconds[i]);
    must(leat_estreamer_is_repeat(pair->client) == (int)pair->archive.kept[i]);
    pair->offsets[i] = leat_event_offset(event);
    pair->next_told++;
}

/* Draws events, at most so many. What is not held is safe when the next is asked for. */
static int draw(struct pair *pair, size_t most)
{
    const leat_event *event;
    int status = LEAT_OK;

    for (; most > 0 && status == LEAT_OK; most--) {
        status = leat_next(pair->client, &event);
        if (!pair->client_options.hold)
            make_safe(pair, pair->next_told);
        if (status == LEAT_OK)
            receive(pair, event);
    }
    must(status == LEAT_OK || status == LEAT_MORE || status == LEAT_PAUSED);
    return status;
}

/* The first of the records that are held are safe. */
static void acknowledge(struct pair *pair, size_t count)
{
    size_t end =
        pair->next_told - pair->first_held < count ? pair->next_told : pair->first_held + count;

    if (end == 0)
        return;
    must(leat_estreamer_acknowledge(pair->client, pair->offsets[end - 1]) == LEAT_OK);
    make_safe(pair, end);
}

static void play(struct pair *pair, struct input *input)
{
    switch (take(input) % 8u) {
    case 0: /* records come to be: in the same second as the last, or later */
        if (pair->archive.count < RECORDS) {
            size_t i = pair->archive.count++;
            uint32_t last = i == 0 ? 1000 : pair->archive.seconds[i - 1];

            pair->archive.seconds[i] = last + take(input) / 128u;
            pair->archive.safe[i] = pair->archive.kept[i] = false;
        }
        break;
    case 1:
        send_records(pair, take(input));
        break;
    case 2:
        (void)carry(pair->client, pair->server, take(input));
        serve(pair);
        break;
    case 3:
        (void)carry(pair->server, pair->client, take(input));
        break;
    case 4:
        (void)draw(pair, take(input) % 8u);
        break;
    case 5:
        acknowledge(pair, take(input) % 8u);
        break;
    case 6:
        take_bookmark(pair);
        break;
    default:
        disconnect(pair);
        connect(pair);
        break;
    }
}

/* Without any more breaks all that is in the archive comes, and nothing waits. */
static void finish(struct pair *pair)
{
    size_t moved, i;
    int status;

    do {
        moved = carry(pair->client, pair->server, SIZE_MAX);
        serve(pair);
        send_records(pair, RECORDS);
        moved += carry(pair->server, pair->client, SIZE_MAX);
        status = draw(pair, SIZE_MAX);
        must(leat_estreamer_acknowledge(pair->client, UINT64_MAX) == LEAT_OK);
        make_safe(pair, pair->next_told);
    } while (moved > 0 || status == LEAT_PAUSED ||
             (leat_wants(pair->client) & LEAT_WANT_WRITE) != 0);
    must(pair->asked && pair->next_told == pair->archive.count);
    must(leat_estreamer_waiting(pair->server) == 0);
    for (i = 0; i < pair->archive.count; i++)
        must(pair->archive.safe[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t most[] = {65536, 1, 2, 7};
    struct input input = {data, size};
    struct pair pair = {.asked = false};
    unsigned how = take(&input);

    leat_estreamer_client_options_init(&pair.client_options, sizeof pair.client_options);
    leat_estreamer_server_options_init(&pair.server_options, sizeof pair.server_options);
    pair.client_options.hold = how & 1u;
    if ((how & 2u) != 0)
        pair.client_options.request_flags &= ~LEAT_ESTREAMER_FLAG_EXTENDED_REQUEST;
    pair.client_options.held_records = most[how / 4 % 4u];
    pair.server_options.window = 1 + how / 16 % 4u;
    pair.server_options.bundle_records = 1 + how / 64 * 3;
    must(leat_buffer_new(NULL, &pair.bookmark) == LEAT_OK);
    connect(&pair);
    while (input.left > 0)
        play(&pair, &input);
    finish(&pair);
    disconnect(&pair);
    leat_buffer_free(pair.bookmark);
    return 0;
}
