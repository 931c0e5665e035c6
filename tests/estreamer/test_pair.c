/*
 * A client and a server that talk to each other: records of every type arrive as they were, and no
 * fault on the way costs more than it must.
 */
#include "live.h"

#include <inttypes.h>
#include <stdio.h>

#define FOLDER "estreamer/records"

/* Records as they were recorded, with the 16-octet header in front. */
struct records {
    struct t_bytes *octets;
    size_t count;
};

static struct records load(void)
{
    char **names = t_names(FOLDER, ".hex");
    struct records records = {NULL, 0};

    for (; names[records.count] != NULL; records.count++)
        continue;
    records.octets = (struct t_bytes *)calloc(records.count, sizeof *records.octets);
    ck_assert_ptr_nonnull(records.octets);
    for (records.count = 0; names[records.count] != NULL; records.count++) {
        char path[200];

        (void)snprintf(path, sizeof path, FOLDER "/%s", names[records.count]);
        records.octets[records.count] = t_hex_file(path);
    }
    t_names_free(names);
    return records;
}

static void unload(struct records *records)
{
    while (records->count > 0)
        t_free(records->octets[--records->count]);
    free(records->octets);
}

static uint32_t load_u32(const uint8_t *octets)
{
    return (uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 | (uint32_t)octets[2] << 8 |
           octets[3];
}

/* The value of an event_data message, as text; and what to do with it in between. */
static char *decode(struct t_bytes record, leat_session *send_to)
{
    struct t_bytes message = t_hex("0001 0004 00000000");
    leat_session *codec;
    const leat_event *event;
    char *text;

    message.data[4] = (uint8_t)(record.length >> 24);
    message.data[5] = (uint8_t)(record.length >> 16);
    message.data[6] = (uint8_t)(record.length >> 8);
    message.data[7] = (uint8_t)record.length;
    t_append(&message, record.data, record.length);
    ck_assert_int_eq(leat_estreamer_codec_new(NULL, LEAT_FROM_SERVER, &codec), LEAT_OK);
    live_hear_octets(codec, message);
    ck_assert_int_eq(leat_next(codec, &event), LEAT_OK);
    ck_assert_ptr_null(leat_event_error(event));
    if (send_to != NULL)
        ck_assert_int_eq(leat_send(send_to, "event_data", leat_event_value(event)), LEAT_OK);
    text = t_json_text(leat_event_value(event));
    leat_session_free(codec);
    return text;
}

struct pair {
    leat_session *client, *server;
    size_t got;
};

static const struct way {
    uint32_t flags;
    uint32_t window;
    bool encoded; /* by leat_estreamer_send_record() */
    uint32_t verbatim;
} ways[] = {
    {UINT32_C(0x48900061), 1, false, 0}, {UINT32_C(0x48900061), 7, true, 0},
    {UINT32_C(0x00900044), 1, true, 0},  {UINT32_C(0x00900044), 7, false, 0},
    {UINT32_C(0x48900061), 2, false, 1},
};

static struct pair make_pair(const struct way *way)
{
    leat_estreamer_client_options client;
    leat_estreamer_server_options server;
    struct pair pair = {NULL, NULL, 0};

    leat_estreamer_client_options_init(&client, sizeof client);
    leat_estreamer_server_options_init(&server, sizeof server);
    client.request_flags = way->flags;
    server.window = way->window;
    server.verbatim = way->verbatim;
    ck_assert_int_eq(leat_estreamer_client_new(NULL, &client, &pair.client), LEAT_OK);
    ck_assert_int_eq(leat_estreamer_server_new(NULL, &server, &pair.server), LEAT_OK);
    t_pair(pair.client, pair.server);
    ck_assert_int_eq(leat_estreamer_is_wanted(pair.server, 400), 1);
    return pair;
}

/* Moves what there is, and compares the records that arrive with those that were sent. */
static bool exchange(struct pair *pair, char *const *expected, size_t count)
{
    const leat_event *event;
    bool more = live_move(pair->server, pair->client);

    while (leat_next(pair->client, &event) == LEAT_OK) {
        ck_assert_ptr_null(leat_event_error(event));
        if (leat_event_kind(event) == LEAT_ESTREAMER_EVENT_DATA) {
            char *text = t_json_text(leat_event_value(event));

            ck_assert_str_eq(text, expected[pair->got++ % count]);
            free(text);
        }
    }
    more = live_move(pair->client, pair->server) || more;
    while (leat_next(pair->server, &event) == LEAT_OK)
        ck_assert_uint_eq(leat_event_kind(event), LEAT_ESTREAMER_NULL);
    return more;
}

START_TEST(records_of_every_type)
{
    struct records records = load();
    struct pair pair = make_pair(&ways[_i]);
    char **expected = (char **)calloc(records.count, sizeof *expected);
    size_t rounds = 20, round, i;

    ck_assert_ptr_nonnull(expected);
    for (i = 0; i < records.count; i++)
        expected[i] = decode(records.octets[i], NULL);
    for (round = 0; round < rounds; round++) {
        for (i = 0; i < records.count; i++) {
            struct t_bytes *record = &records.octets[i];

            if (ways[_i].encoded)
                ck_assert_int_eq(leat_estreamer_send_record(pair.server,
                                                            load_u32(record->data) & 0xffff,
                                                            load_u32(record->data + 8),
                                                            record->data + 16, record->length - 16),
                                 LEAT_OK);
            else
                free(decode(*record, pair.server));
            if (i % 37 == 0)
                (void)exchange(&pair, expected, records.count);
        }
    }
    while (exchange(&pair, expected, records.count))
        continue;
    ck_assert_uint_eq(pair.got, rounds * records.count);
    ck_assert_uint_gt(pair.got, 2500);
    ck_assert_uint_eq(leat_estreamer_waiting(pair.server), 0);
    for (i = 0; i < records.count; i++)
        free(expected[i]);
    free(expected);
    unload(&records);
    leat_session_free(pair.client);
    leat_session_free(pair.server);
}
END_TEST

/* Faults: a server with records to send, a client, and a wire that meddles with whole messages. */
#define RECORDS 6u

struct wire {
    leat_session *client, *server;
    size_t to_client_left, to_server_left; /* octets until the wire is cut */
    size_t drop, repeat, swap; /* the number, from 1, of a message of the server; 0: none */
    struct t_bytes told;       /* the records that the client was told, a line each */
    size_t messages;           /* of the server, so far */
    struct t_bytes late;       /* the message that another overtakes */
    uint64_t records, errors;
    int client_status, server_status;
};

static struct wire make_wire(uint32_t window)
{
    leat_estreamer_server_options options;
    struct wire wire;

    memset(&wire, 0, sizeof wire);
    wire.to_client_left = wire.to_server_left = SIZE_MAX;
    wire.told = t_copy("", 0);
    wire.late = t_copy("", 0);
    leat_estreamer_server_options_init(&options, sizeof options);
    options.window = window;
    options.bundle_records = 2;
    ck_assert_int_eq(leat_estreamer_client_new(NULL, NULL, &wire.client), LEAT_OK);
    ck_assert_int_eq(leat_estreamer_server_new(NULL, &options, &wire.server), LEAT_OK);
    return wire;
}

static void free_wire(struct wire *wire)
{
    leat_session_free(wire->client);
    leat_session_free(wire->server);
    t_free(wire->told);
    t_free(wire->late);
}

static void draw_client(struct wire *wire)
{
    const leat_event *event;

    while ((wire->client_status = leat_next(wire->client, &event)) == LEAT_OK) {
        wire->errors += leat_event_error(event) != NULL;
        if (leat_event_kind(event) == LEAT_ESTREAMER_EVENT_DATA) {
            char *text = t_json_text(leat_event_value(event));

            t_append(&wire->told, text, strlen(text));
            t_append(&wire->told, "\n", 1);
            free(text);
            wire->records++;
        }
    }
}

/* The server's application: records for the first request that it gets. */
static void draw_server(struct wire *wire)
{
    const leat_event *event;
    uint32_t i;

    while ((wire->server_status = leat_next(wire->server, &event)) == LEAT_OK) {
        if (leat_event_kind(event) != LEAT_ESTREAMER_STREAMING_REQUEST)
            continue;
        for (i = 0; i < RECORDS; i++) {
            uint8_t octets[20] = {(uint8_t)i};

            ck_assert_int_eq(
                leat_estreamer_send_record(wire->server, 9999, 1000, octets, sizeof octets),
                LEAT_OK);
        }
    }
}

/* Hands octets over, until the wire is cut; whether it is now. */
static bool deliver(leat_session *to, const void *octets, size_t length, size_t *left)
{
    size_t part = length < *left ? length : *left;

    if (leat_feed(to, octets, part) != LEAT_OK)
        return false; /* it is over: nobody reads any more */
    if (*left == SIZE_MAX)
        return false;
    *left -= part;
    if (*left == 0)
        (void)leat_recv_eof(to);
    return *left == 0;
}

/* One message of the server, meddled with. */
static bool meddle(struct wire *wire, const uint8_t *message, size_t length)
{
    bool cut = false;

    wire->messages++;
    if (wire->messages == wire->drop)
        return false;
    if (wire->messages == wire->swap) {
        t_append(&wire->late, message, length);
        return false;
    }
    cut = deliver(wire->client, message, length, &wire->to_client_left);
    if (wire->messages == wire->repeat)
        cut = deliver(wire->client, message, length, &wire->to_client_left);
    if (wire->late.length > 0) {
        cut = deliver(wire->client, wire->late.data, wire->late.length, &wire->to_client_left);
        wire->late.length = 0;
    }
    return cut;
}

/* Lets them talk until nothing moves, or the wire is cut. */
static void talk(struct wire *wire)
{
    bool more = true, cut = wire->to_client_left == 0 || wire->to_server_left == 0;

    while (more && !cut) {
        struct t_bytes output = live_take(wire->client);
        size_t at;

        more = output.length > 0;
        cut = deliver(wire->server, output.data, output.length, &wire->to_server_left);
        t_free(output);
        draw_server(wire);
        output = live_take(wire->server);
        more = more || output.length > 0;
        for (at = 0; at < output.length && !cut;) {
            size_t length = 8 + load_u32(output.data + at + 4);

            cut = meddle(wire, output.data + at, length);
            at += length;
        }
        t_free(output);
        draw_client(wire);
    }
}

static void check_prefix(const char *whole, const struct wire *wire)
{
    ck_assert_msg(strncmp(whole, (const char *)wire->told.data, wire->told.length) == 0,
                  "told\n%sinstead of\n%s", (const char *)wire->told.data, whole);
}

/* The wire is cut behind each octet of either direction. */
START_TEST(cut_anywhere)
{
    struct wire whole = make_wire(1);
    size_t sent[2], at;

    whole.to_client_left = whole.to_server_left = SIZE_MAX / 2;
    talk(&whole);
    ck_assert_uint_eq(whole.records, RECORDS);
    ck_assert_uint_eq(whole.errors, 0);
    sent[0] = SIZE_MAX / 2 - whole.to_client_left;
    sent[1] = SIZE_MAX / 2 - whole.to_server_left;
    ck_assert_uint_gt(sent[_i], 100);
    for (at = 1; at <= sent[_i]; at++) {
        struct wire wire = make_wire(1);
        int status;

        *(_i == 0 ? &wire.to_client_left : &wire.to_server_left) = at;
        talk(&wire);
        /* Its end was told to one of them; the other finds out when the connection breaks. */
        draw_client(&wire);
        draw_server(&wire);
        status = _i == 0 ? wire.client_status : wire.server_status;
        ck_assert_msg(status == LEAT_END || status == LEAT_E_END, "%s at %zu",
                      leat_status_name(status), at);
        ck_assert_int_eq(_i == 0 ? wire.server_status : wire.client_status, LEAT_MORE);
        check_prefix((const char *)whole.told.data, &wire);
        if (_i == 0)
            ck_assert_int_eq(leat_recv_eof(wire.server), LEAT_OK);
        else
            ck_assert_int_eq(leat_recv_eof(wire.client), LEAT_OK);
        draw_client(&wire);
        draw_server(&wire);
        ck_assert_int_eq(_i == 0 ? wire.server_status : wire.client_status, LEAT_END);
        free_wire(&wire);
    }
    free_wire(&whole);
}
END_TEST

/*
 * Message 1 of the server has the services. Bundles follow: with a window of 1 they have record 0,
 * then 1 and 2, 3 and 4, and 5; with a larger one each has one record.
 */
static const struct {
    const char *name;
    uint32_t window;
    size_t drop, repeat, swap;
    uint64_t records, errors; /* that the client is told */
    size_t waiting;           /* at the server, in the end */
} faults[] = {
    {"none", 1, 0, 0, 0, RECORDS, 0, 0},
    {"the services come twice", 1, 0, 1, 0, RECORDS, 0, 0},
    {"the services are lost", 1, 1, 0, 0, 0, 0, 0},
    {"a bundle comes twice", 1, 0, 3, 0, RECORDS + 2, 1, 0},
    {"while others are on their way", 9, 0, 3, 0, RECORDS + 1, 1, 0},
    {"the last one", 9, 0, 7, 0, RECORDS + 1, 1, 0},
    {"a bundle is lost", 9, 3, 0, 0, RECORDS - 1, 1, 0},
    {"the first one", 9, 2, 0, 0, RECORDS - 1, 1, 0},
    {"the last one, which nobody can notice", 9, 7, 0, 0, RECORDS - 1, 0, 0},
    {"the server waits for its null for ever", 1, 3, 0, 0, 1, 0, 3},
    {"bundles change places", 9, 0, 0, 3, RECORDS, 3, 0},
};

START_TEST(meddled_with)
{
    struct wire wire = make_wire(faults[_i].window);

    wire.drop = faults[_i].drop;
    wire.repeat = faults[_i].repeat;
    wire.swap = faults[_i].swap;
    talk(&wire);
    ck_assert_msg(wire.client_status == LEAT_MORE && wire.server_status == LEAT_MORE, "%s",
                  faults[_i].name);
    ck_assert_msg(wire.records == faults[_i].records, "%s: %" PRIu64 " records", faults[_i].name,
                  wire.records);
    ck_assert_msg(wire.errors == faults[_i].errors, "%s: %" PRIu64 " errors", faults[_i].name,
                  wire.errors);
    ck_assert_uint_eq(leat_estreamer_waiting(wire.server), faults[_i].waiting);
    free_wire(&wire);
}
END_TEST

/* A server of other services: both learn why it ends. */
START_TEST(another_service)
{
    static const uint32_t services[] = {5000};
    leat_estreamer_server_options options;
    struct wire wire = make_wire(1);

    leat_session_free(wire.server);
    leat_estreamer_server_options_init(&options, sizeof options);
    options.services = services;
    options.service_count = 1;
    ck_assert_int_eq(leat_estreamer_server_new(NULL, &options, &wire.server), LEAT_OK);
    talk(&wire);
    ck_assert_int_eq(wire.client_status, LEAT_E_PROTOCOL);
    ck_assert_int_eq(leat_error_code(leat_session_error(wire.client)), LEAT_E_PROTOCOL);
    ck_assert_int_eq(wire.server_status, LEAT_END); /* by the client's error message */
    ck_assert_ptr_null(leat_session_error(wire.server));
    free_wire(&wire);
}
END_TEST

/* A message that is too long for the client: it says so, and both are done. */
START_TEST(too_long)
{
    static const uint8_t octets[1000] = {0};
    struct wire wire = make_wire(9);
    leat_limits limits;
    leat_config config;

    leat_session_free(wire.client);
    leat_limits_init(&limits, sizeof limits);
    leat_config_init(&config, sizeof config);
    limits.message_bytes = 500;
    config.limits = &limits;
    ck_assert_int_eq(leat_estreamer_client_new(&config, NULL, &wire.client), LEAT_OK);
    talk(&wire);
    ck_assert_uint_eq(wire.records, RECORDS);
    ck_assert_int_eq(leat_estreamer_send_record(wire.server, 9999, 1000, octets, 400), LEAT_OK);
    talk(&wire);
    ck_assert_uint_eq(wire.records, RECORDS + 1);
    ck_assert_int_eq(leat_estreamer_send_record(wire.server, 9999, 1000, octets, 600), LEAT_OK);
    ck_assert_int_eq(leat_estreamer_send_record(wire.server, 9999, 1000, octets, 1), LEAT_OK);
    talk(&wire);
    ck_assert_uint_eq(wire.records, RECORDS + 1);
    ck_assert_int_eq(wire.client_status, LEAT_E_LIMIT);
    ck_assert_int_eq(wire.server_status, LEAT_END);
    ck_assert_int_eq(leat_estreamer_send_record(wire.server, 9999, 1000, octets, 1), LEAT_E_STATE);
    free_wire(&wire);
}
END_TEST

/* One side says that it will send no more; what the other has said already still counts. */
START_TEST(half_closed)
{
    struct wire wire = make_wire(9);
    struct t_bytes output;

    talk(&wire);
    ck_assert_int_eq(leat_estreamer_send_record(wire.server, 9999, 1000, "leat", 4), LEAT_OK);
    if (_i == 0) { /* the server: the client's nulls still reach it */
        (void)live_move(wire.server, wire.client);
        ck_assert_int_eq(leat_recv_eof(wire.client), LEAT_OK);
        draw_client(&wire);
        ck_assert_int_eq(wire.client_status, LEAT_END);
        ck_assert_uint_eq(wire.records, RECORDS + 1);
        ck_assert_uint_eq(leat_wants(wire.client), LEAT_WANT_WRITE | LEAT_WANT_CLOSE);
        output = live_take(wire.client);
        ck_assert_uint_eq(live_count(output.data, output.length, "null"), 1);
        ck_assert_int_eq(leat_feed(wire.server, output.data, output.length), LEAT_OK);
        t_free(output);
        draw_server(&wire);
        ck_assert_int_eq(wire.server_status, LEAT_MORE);
    } else { /* the client: what the server had sent still reaches it */
        ck_assert_int_eq(leat_recv_eof(wire.server), LEAT_OK);
        draw_server(&wire);
        ck_assert_int_eq(wire.server_status, LEAT_END);
        ck_assert_uint_eq(leat_wants(wire.server), LEAT_WANT_WRITE | LEAT_WANT_CLOSE);
        ck_assert_int_eq(leat_estreamer_send_record(wire.server, 9999, 1000, "leat", 4),
                         LEAT_E_STATE);
        (void)live_move(wire.server, wire.client);
        draw_client(&wire);
        ck_assert_uint_eq(wire.records, RECORDS + 1);
        ck_assert_int_eq(wire.client_status, LEAT_MORE);
    }
    free_wire(&wire);
}
END_TEST

/* Either side closes in order: the other is told why, then of the end. */
START_TEST(closed)
{
    struct wire wire = make_wire(1);
    leat_session *closing, *other;
    const leat_event *event;

    talk(&wire);
    closing = _i == 0 ? wire.client : wire.server;
    other = _i == 0 ? wire.server : wire.client;
    ck_assert_int_eq(leat_estreamer_close(closing, 19, "No space"), LEAT_OK);
    ck_assert_int_eq(leat_next(closing, &event), LEAT_END);
    ck_assert(live_move(closing, other));
    ck_assert_uint_eq(leat_wants(closing), LEAT_WANT_CLOSE);
    ck_assert_int_eq(leat_next(other, &event), LEAT_OK);
    ck_assert_uint_eq(leat_event_kind(event), LEAT_ESTREAMER_ERROR);
    ck_assert_int_eq(leat_value_i64(leat_value_get(leat_event_value(event), "error_code")), 19);
    ck_assert_int_eq(leat_next(other, &event), LEAT_END);
    ck_assert_uint_eq(leat_wants(other), LEAT_WANT_CLOSE);
    ck_assert_int_eq(leat_recv_eof(other), LEAT_OK);
    ck_assert_int_eq(leat_next(other, &event), LEAT_END);
    free_wire(&wire);
}
END_TEST

/* The client asks for something else in the middle of it. */
START_TEST(another_request)
{
    struct wire wire = make_wire(1);
    static const struct {
        const char *flags;
        int impact; /* is it wanted? */
    } requests[] = {{"9437216", 1}, {"1083179040", 1}, {"1083179008", 1}, {"9437184", 0}};
    size_t i;

    talk(&wire);
    for (i = 0; i < sizeof requests / sizeof *requests; i++) {
        char json[100];

        (void)snprintf(json, sizeof json, "{'initial_timestamp':%zu,'request_flags':%s}", i + 7,
                       requests[i].flags);
        wire.records = 0;
        ck_assert_int_eq(live_send(wire.client, "event_stream_request", json), LEAT_OK);
        talk(&wire);
        ck_assert_int_eq(wire.client_status, LEAT_MORE);
        ck_assert_int_eq(wire.server_status, LEAT_MORE);
        ck_assert_uint_eq(leat_estreamer_initial_timestamp(wire.server), i + 7);
        ck_assert_int_eq(leat_estreamer_is_wanted(wire.server, 9), requests[i].impact);
        ck_assert_int_eq(leat_estreamer_send_record(wire.server, 9999, 2000, "leat", 4), LEAT_OK);
        talk(&wire);
        ck_assert_uint_eq(wire.records, (i == 1 || i == 2 ? RECORDS : 0) + 1);
        ck_assert_uint_eq(wire.errors, 0);
        ck_assert_uint_eq(leat_estreamer_waiting(wire.server), 0);
    }
    free_wire(&wire);
}
END_TEST

/*
 * Walks at random: records, host data, keep-alives and acknowledgements whenever, over wires that
 * hand over as many octets as they like. In the end all has arrived, in order; and the server was
 * never ahead of the window, unless it had to take the client for one that has no nulls for
 * keep-alives.
 */
#define WALK_STEPS    400u
#define WALK_MESSAGES 4000u

struct walk {
    uint32_t random;
    leat_session *client, *server;
    struct t_bytes to_client, to_server; /* on the wire */
    bool is_data[WALK_MESSAGES];         /* the messages of the server: records or host data? */
    size_t messages, nulls;              /* nulls: that the server was told, each for a message */
    uint32_t window;
    bool hold;
    bool slow;               /* the server may take it for one that has nulls for records alone */
    uint32_t sent, got;      /* records */
    uint32_t asked, answers; /* host data */
    uint64_t safe;           /* the offset of the last event that the client was told */
    uint64_t now;
};

static uint32_t pick(struct walk *walk, uint32_t below)
{
    walk->random ^= walk->random << 13;
    walk->random ^= walk->random >> 17;
    walk->random ^= walk->random << 5;
    return walk->random % below;
}

/* Puts on the wire what both have to say, and counts what the server has in flight. */
static void listen(struct walk *walk)
{
    struct t_bytes output = live_take(walk->server);
    size_t at, flying = 0;

    for (at = 0; at < output.length; at += 8 + load_u32(output.data + at + 4)) {
        uint32_t type = load_u32(output.data + at) & 0xffff;

        ck_assert_uint_lt(walk->messages, WALK_MESSAGES);
        walk->is_data[walk->messages++] = type == 4 || type == 6 || type == 4002;
    }
    t_append(&walk->to_client, output.data, output.length);
    t_free(output);
    output = live_take(walk->client);
    t_append(&walk->to_server, output.data, output.length);
    t_free(output);
    ck_assert_uint_le(walk->nulls, walk->messages);
    for (at = walk->nulls; at < walk->messages; at++)
        flying += walk->is_data[at];
    ck_assert_msg(flying <= walk->window || walk->slow, "%zu messages in flight", flying);
}

/* Hands over so many octets from the front of a wire. */
static void hand_over(struct t_bytes *wire, leat_session *to, size_t count)
{
    if (count > wire->length)
        count = wire->length;
    ck_assert_int_eq(leat_feed(to, wire->data, count), LEAT_OK);
    memmove(wire->data, wire->data + count, wire->length - count);
    wire->length -= count;
}

static void client_draws(struct walk *walk, size_t most)
{
    const leat_event *event;

    for (; most > 0 && leat_next(walk->client, &event) == LEAT_OK; most--) {
        ck_assert_ptr_null(leat_event_error(event));
        walk->safe = leat_event_offset(event);
        walk->answers += leat_event_kind(event) == LEAT_ESTREAMER_SINGLE_HOST_DATA;
        if (leat_event_kind(event) == LEAT_ESTREAMER_EVENT_DATA) {
            size_t length;
            const uint8_t *octets =
                leat_value_bytes(leat_value_get(leat_event_value(event), "record"), &length);

            ck_assert_uint_ge(length, 4);
            ck_assert_uint_eq(load_u32(octets), walk->got);
            walk->got++;
        }
    }
}

static void server_draws(struct walk *walk)
{
    const leat_event *event;

    while (leat_next(walk->server, &event) == LEAT_OK) {
        ck_assert_ptr_null(leat_event_error(event));
        walk->nulls += leat_event_kind(event) == LEAT_ESTREAMER_NULL;
        if (leat_event_kind(event) == LEAT_ESTREAMER_HOST_DATA_REQUEST)
            ck_assert_int_eq(
                live_send(walk->server, "single_host_data", "{'block_type':157,'data':'01'}"),
                LEAT_OK);
    }
}

static void serve_one(struct walk *walk)
{
    uint8_t octets[300] = {(uint8_t)(walk->sent >> 24), (uint8_t)(walk->sent >> 16),
                           (uint8_t)(walk->sent >> 8), (uint8_t)walk->sent};

    ck_assert_int_eq(leat_estreamer_send_record(walk->server, 9999, 1000 + walk->sent / 9, octets,
                                                4 + pick(walk, 296)),
                     LEAT_OK);
    walk->sent++;
}

static void take_step(struct walk *walk)
{
    switch (pick(walk, 8)) {
    case 0:
    case 1:
        serve_one(walk);
        break;
    case 2:
        hand_over(&walk->to_client, walk->client, pick(walk, 700));
        break;
    case 3:
        client_draws(walk, pick(walk, 6));
        break;
    case 4:
        if (walk->hold)
            ck_assert_int_eq(
                leat_estreamer_acknowledge(walk->client, walk->safe - pick(walk, 2) * 200),
                LEAT_OK);
        break;
    case 5:
        hand_over(&walk->to_server, walk->server, pick(walk, 40));
        server_draws(walk);
        break;
    case 6:
        walk->now += pick(walk, 500);
        leat_tick(walk->client, walk->now);
        leat_tick(walk->server, walk->now);
        break;
    default:
        if (pick(walk, 10) == 0) {
            ck_assert_int_eq(live_send(walk->client, "host_data_request", "{'data_type':6}"),
                             LEAT_OK);
            walk->asked++;
        }
        break;
    }
    listen(walk);
}

/* All that is on its way arrives, and is safe. */
static void arrive(struct walk *walk)
{
    uint64_t before;

    do {
        before = walk->safe;
        hand_over(&walk->to_client, walk->client, SIZE_MAX);
        client_draws(walk, SIZE_MAX);
        if (walk->hold)
            ck_assert_int_eq(leat_estreamer_acknowledge(walk->client, UINT64_MAX), LEAT_OK);
        listen(walk);
        hand_over(&walk->to_server, walk->server, SIZE_MAX);
        server_draws(walk);
        listen(walk);
    } while (walk->to_client.length > 0 || walk->to_server.length > 0 || walk->safe != before);
}

START_TEST(random_walks)
{
    uint32_t seed;

    for (seed = 1; seed <= 60; seed++) {
        struct walk walk = {.random = seed * UINT32_C(2654435769), .to_client = t_copy("", 0)};
        leat_estreamer_client_options client;
        leat_estreamer_server_options server;
        uint32_t step;

        walk.to_server = t_copy("", 0);
        walk.hold = seed % 2 == 0;
        walk.slow = _i == 1;
        walk.window = 1 + seed % 4;
        leat_estreamer_client_options_init(&client, sizeof client);
        leat_estreamer_server_options_init(&server, sizeof server);
        if (seed % 3 == 0)
            client.request_flags &= ~LEAT_ESTREAMER_FLAG_EXTENDED_REQUEST;
        client.hold = walk.hold;
        client.held_records = 1 + seed % 40;
        server.window = walk.window;
        server.bundle_records = 1 + seed % 5;
        server.keepalive_ms = 1000;
        ck_assert_int_eq(leat_estreamer_client_new(NULL, &client, &walk.client), LEAT_OK);
        ck_assert_int_eq(leat_estreamer_server_new(NULL, &server, &walk.server), LEAT_OK);
        leat_tick(walk.server, 0);
        arrive(&walk);
        if (!walk.slow) { /* nothing is on its way: the client shows that it has a null for all */
            leat_tick(walk.server, walk.now = 1000);
            listen(&walk);
            arrive(&walk);
            ck_assert_uint_gt(walk.nulls, 0);
        }
        for (step = 0; step < WALK_STEPS; step++)
            take_step(&walk);
        arrive(&walk);
        ck_assert_uint_gt(walk.sent, 50);
        ck_assert_uint_eq(walk.got, walk.sent);
        ck_assert_uint_eq(walk.answers, walk.asked);
        ck_assert_uint_eq(walk.nulls, walk.messages);
        ck_assert_uint_eq(leat_estreamer_waiting(walk.server), 0);
        leat_session_free(walk.client);
        leat_session_free(walk.server);
        t_free(walk.to_client);
        t_free(walk.to_server);
    }
}
END_TEST

/*
 * Clients that have nulls for records alone, as the guide asks for: whatever happens, the stream
 * goes on sooner or later. Some have nulls of their own now and then.
 */
START_TEST(terse_clients)
{
    struct walk walk = {.random = 4711 + (uint32_t)_i};
    bool chatty = _i % 2 != 0;
    leat_estreamer_server_options options;
    leat_session *codec;
    const leat_event *event;
    size_t owed = 0, step;

    leat_estreamer_server_options_init(&options, sizeof options);
    options.window = 1 + (uint32_t)_i / 2;
    options.bundle_records = 3;
    options.keepalive_ms = 1000;
    ck_assert_int_eq(leat_estreamer_server_new(NULL, &options, &walk.server), LEAT_OK);
    ck_assert_int_eq(leat_estreamer_codec_new(NULL, LEAT_FROM_SERVER, &codec), LEAT_OK);
    live_hear(walk.server, "event_stream_request", "{'request_flags':1083179008}");
    live_hear(walk.server, "streaming_request",
              "{'services':[{'service_type':6667,"
              "'event_types':[{'event_version':11,'event_code':12}]}]}");
    for (step = 0; step < 30000 && walk.got < 200; step++) {
        leat_tick(walk.server, 1000 * step);
        server_draws(&walk);
        if (step > 0 && walk.sent < 200)
            serve_one(&walk);
        (void)live_move(walk.server, codec);
        while (leat_next(codec, &event) == LEAT_OK) {
            owed += leat_event_kind(event) == LEAT_ESTREAMER_MESSAGE_BUNDLE;
            walk.got += leat_event_kind(event) == LEAT_ESTREAMER_EVENT_DATA;
        }
        if (owed > 0 && pick(&walk, 5) == 0) {
            live_hear(walk.server, "null", NULL);
            owed--;
        }
        if (chatty && pick(&walk, 50) == 0)
            live_hear(walk.server, "null", NULL);
    }
    ck_assert_uint_eq(walk.sent, 200);
    ck_assert_uint_eq(walk.got, 200);
    ck_assert_uint_eq(leat_estreamer_waiting(walk.server), 0);
    leat_session_free(codec);
    leat_session_free(walk.server);
}
END_TEST

static void tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, records_of_every_type, 0, sizeof ways / sizeof *ways);
    tcase_add_loop_test(tcase, cut_anywhere, 0, 2);
    tcase_add_loop_test(tcase, meddled_with, 0, sizeof faults / sizeof *faults);
    tcase_add_test(tcase, another_service);
    tcase_add_test(tcase, too_long);
    tcase_add_loop_test(tcase, half_closed, 0, 2);
    tcase_add_loop_test(tcase, closed, 0, 2);
    tcase_add_test(tcase, another_request);
    tcase_add_loop_test(tcase, random_walks, 0, 2);
    tcase_add_loop_test(tcase, terse_clients, 0, 6);
}

T_MAIN("estreamer/pair", tests)
