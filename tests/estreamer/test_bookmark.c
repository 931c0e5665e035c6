/*
 * Resuming: a client that is stopped at any point and goes on from its bookmark misses nothing, and
 * knows again what it had acknowledged.
 */
#include "live.h"

#include <stdio.h>

#define TYPE 9999u /* of all records but metadata: unknown, so that any octets will do */

/* What a server has stored: so many records of one second with the same octets. */
struct stored {
    uint32_t second; /* 0: metadata, which is sent to every client */
    uint32_t octets; /* what is in it */
    uint32_t count;
};

static const struct stored store[] = {
    {0, 1, 1},  {0, 2, 1},  {10, 1, 1}, {11, 1, 1}, {11, 2, 1}, {11, 3, 1}, {12, 1, 1},
    {12, 1, 1}, {12, 2, 1}, {12, 1, 2}, {0, 3, 1},  {12, 3, 1}, {13, 7, 3}, {14, 1, 1},
    {0, 4, 1},  {14, 2, 1}, {17, 1, 1}, {17, 2, 1}, {17, 3, 1}, {17, 4, 1}, {17, 5, 1},
    {17, 6, 1}, {17, 7, 1}, {17, 8, 1}, {17, 9, 1}, {17, 9, 1}, {18, 9, 1}, {0, 5, 1},
    {30, 1, 1}, {30, 2, 5}, {31, 2, 1}, {40, 1, 1}, {41, 1, 1}, {42, 1, 1},
};
#define SECONDS 50
#define OCTETS  10

/* How often each record was met: by its second and its octets. */
struct tally {
    unsigned count[SECONDS][OCTETS];
};

/* One life of a client, and of a server for it. */
struct life {
    leat_session *client;
    leat_session *server;
    bool reversed; /* the server sends the records of one second backwards */
    uint64_t offsets[200];
    size_t told; /* records, so far */
    struct tally fresh, repeated;
    uint32_t seconds[200], octets[200];
    bool repeats[200];
};

static void send_stored(leat_session *server, const struct stored *record)
{
    uint8_t octets[4] = {0, 0, 0, (uint8_t)record->octets};
    uint32_t i;

    for (i = 0; i < record->count; i++)
        ck_assert_int_eq(leat_estreamer_send_record(server, record->second == 0 ? 43 : TYPE,
                                                    record->second, octets, sizeof octets),
                         LEAT_OK);
}

/* All that is stored since the client's start. */
static void serve(const struct life *life)
{
    uint32_t start = leat_estreamer_initial_timestamp(life->server);
    size_t count = sizeof store / sizeof *store, i, j;

    for (i = 0; i < count; i = j) {
        for (j = i + 1; j < count && store[j].second == store[i].second;)
            j++;
        if (store[i].second != 0 && store[i].second < start)
            continue;
        if (life->reversed) {
            size_t k;

            for (k = j; k > i; k--)
                send_stored(life->server, &store[k - 1]);
        } else {
            for (; i < j; i++)
                send_stored(life->server, &store[i]);
        }
    }
}

static void draw_server(const struct life *life, bool extended)
{
    const leat_event *event;
    int status;

    while ((status = leat_next(life->server, &event)) == LEAT_OK) {
        uint32_t kind = leat_event_kind(event);

        if (kind ==
            (extended ? LEAT_ESTREAMER_STREAMING_REQUEST : LEAT_ESTREAMER_EVENT_STREAM_REQUEST))
            serve(life);
    }
    ck_assert_int_eq(status, LEAT_MORE);
}

static void note(struct life *life, const leat_event *event)
{
    const leat_value *value = leat_event_value(event);
    uint32_t second = (uint32_t)leat_value_u64(leat_value_get(value, "archive_timestamp"));
    size_t length;
    const uint8_t *octets = leat_value_bytes(leat_value_get(value, "record"), &length);
    bool repeat = leat_estreamer_is_repeat(life->client) != 0;

    ck_assert_uint_eq(length, 4);
    ck_assert_uint_lt(second, SECONDS);
    ck_assert_uint_lt(octets[3], OCTETS);
    ck_assert_uint_lt(life->told, 200);
    (repeat ? &life->repeated : &life->fresh)->count[second][octets[3]]++;
    life->offsets[life->told] = leat_event_offset(event);
    life->seconds[life->told] = second;
    life->octets[life->told] = octets[3];
    life->repeats[life->told++] = repeat;
}

/* How lives go. */
static const struct manner {
    bool extended;
    bool hold;
    bool reversed; /* in the life after */
    uint32_t window;
    size_t lag; /* with hold: how many records the acknowledgements are behind */
} manners[] = {
    {true, true, false, 1000, 0},  {true, true, false, 1000, 1}, {true, true, false, 1000, 4},
    {true, true, true, 1000, 0},   {false, true, false, 3, 0},   {false, true, false, 1000, 2},
    {false, true, true, 1000, 13}, {true, false, false, 1, 0},   {true, false, true, 3, 0},
    {false, false, false, 1, 0},   {false, false, false, 9, 0},
};

/* Lives until stop records were told that are no repeats, or nothing more comes. */
static void live(struct life *life, const struct manner *manner, struct t_bytes bookmark,
                 bool reversed, size_t stop)
{
    leat_estreamer_client_options client;
    leat_estreamer_server_options server;
    const leat_event *event;
    size_t fresh = 0;
    bool more;

    leat_estreamer_client_options_init(&client, sizeof client);
    leat_estreamer_server_options_init(&server, sizeof server);
    client.hold = manner->hold;
    if (!manner->extended)
        client.request_flags &= ~LEAT_ESTREAMER_FLAG_EXTENDED_REQUEST;
    client.bookmark = bookmark.length == 0 ? NULL : bookmark.data;
    client.bookmark_length = bookmark.length;
    server.window = manner->window;
    server.bundle_records = 5;
    memset(life, 0, sizeof *life);
    life->reversed = reversed;
    ck_assert_int_eq(leat_estreamer_client_new(NULL, &client, &life->client), LEAT_OK);
    ck_assert_int_eq(leat_estreamer_server_new(NULL, &server, &life->server), LEAT_OK);
    do {
        more = live_move(life->client, life->server);
        draw_server(life, manner->extended);
        more = live_move(life->server, life->client) || more;
        while (fresh < stop && leat_next(life->client, &event) == LEAT_OK) {
            if (leat_event_kind(event) != LEAT_ESTREAMER_EVENT_DATA) {
                ck_assert_int_eq(leat_estreamer_is_repeat(life->client), 0);
                continue;
            }
            note(life, event);
            fresh += !life->repeats[life->told - 1];
            if (manner->hold && life->told > manner->lag)
                ck_assert_int_eq(leat_estreamer_acknowledge(
                                     life->client, life->offsets[life->told - 1 - manner->lag]),
                                 LEAT_OK);
            more = true;
        }
    } while (more && fresh < stop);
}

static struct t_bytes end_life(struct life *life)
{
    struct t_bytes bookmark;
    leat_buffer *buffer;
    size_t length;
    const void *data;

    ck_assert_int_eq(leat_buffer_new(NULL, &buffer), LEAT_OK);
    ck_assert_int_eq(leat_estreamer_bookmark(life->client, buffer), LEAT_OK);
    data = leat_buffer_data(buffer, &length);
    ck_assert_uint_gt(length, 0);
    bookmark = t_copy(data, length);
    leat_buffer_free(buffer);
    leat_session_free(life->client);
    leat_session_free(life->server);
    return bookmark;
}

/* How many of what is stored were acknowledged by a life that ended after so many fresh records. */
static size_t acknowledged(const struct life *life, const struct manner *manner, bool drained)
{
    if (manner->hold)
        return life->told > manner->lag ? life->told - manner->lag : 0;
    return life->told == 0 || drained ? life->told : life->told - 1;
}

static size_t stored_records(void)
{
    size_t total = 0, i;

    for (i = 0; i < sizeof store / sizeof *store; i++)
        total += store[i].count;
    return total;
}

/* Stops at every point of the stream; the next life gets the rest, and knows what it had. */
START_TEST(stops_anywhere)
{
    const struct manner *manner = &manners[_i];
    size_t total = stored_records(), stop;

    for (stop = 0; stop <= total + 1; stop++) {
        struct t_bytes none = {NULL, 0}, bookmark;
        struct tally known, all;
        struct life first, second;
        uint32_t last = 0, start;
        size_t i, j;

        memset(&known, 0, sizeof known);
        memset(&all, 0, sizeof all);
        live(&first, manner, none, false, stop);
        ck_assert_uint_eq(first.told, stop < total ? stop : total);
        bookmark = end_life(&first);
        for (i = 0; i < acknowledged(&first, manner, stop > total); i++) {
            ck_assert(!first.repeats[i]);
            if (first.seconds[i] > last)
                last = first.seconds[i];
            known.count[first.seconds[i]][first.octets[i]]++;
        }
        for (i = 0; i < sizeof store / sizeof *store; i++)
            all.count[store[i].second][store[i].octets] += store[i].count;

        live(&second, manner, bookmark, manner->reversed, SIZE_MAX);
        start = leat_estreamer_initial_timestamp(second.server);
        t_free(end_life(&second));
        t_free(bookmark);
        ck_assert_uint_eq(start, last);
        for (i = 0; i < SECONDS; i++) {
            for (j = 0; j < OCTETS; j++) {
                unsigned before = i == 0 ? 0 : known.count[i][j];

                ck_assert_msg(second.fresh.count[i][j] == all.count[i][j] - before,
                              "stopped after %zu: of %zu/%zu %u came fresh of %u", stop, i, j,
                              second.fresh.count[i][j], all.count[i][j] - before);
                ck_assert_uint_eq(second.repeated.count[i][j], i == last ? before : 0);
            }
        }
    }
}
END_TEST

/* Stops again and again, each time after so many records that are new: each record counts once. */
START_TEST(stops_often)
{
    static const struct manner manner = {true, true, false, 1000, 0};
    size_t stride;

    for (stride = 1; stride < 20; stride++) {
        struct t_bytes bookmark = {NULL, 0};
        struct tally got;
        struct life life;
        size_t lives = 0, i, j;

        memset(&got, 0, sizeof got);
        do {
            struct t_bytes next;

            live(&life, &manner, bookmark, lives % 2 != 0, stride + 5); /* 5: metadata, each time */
            for (i = 1; i < SECONDS; i++) {
                for (j = 0; j < OCTETS; j++)
                    got.count[i][j] += life.fresh.count[i][j];
            }
            next = end_life(&life);
            t_free(bookmark);
            bookmark = next;
            ck_assert_uint_lt(++lives, 100);
        } while (life.seconds[life.told - 1] != 42);
        t_free(bookmark);
        for (i = 0; i < sizeof store / sizeof *store; i++) {
            if (store[i].second != 0)
                got.count[store[i].second][store[i].octets] -= store[i].count;
        }
        for (i = 1; i < SECONDS; i++) {
            for (j = 0; j < OCTETS; j++)
                ck_assert_uint_eq(got.count[i][j], 0);
        }
    }
}
END_TEST

/* A client that was resumed and saw nothing has the bookmark that it was given. */
START_TEST(bookmarks_stay)
{
    static const struct manner manner = {true, true, false, 1000, 0};
    struct t_bytes none = {NULL, 0}, bookmark, again;
    struct life life;
    size_t stop;

    for (stop = 0; stop < 30; stop++) {
        live(&life, &manner, none, false, stop);
        bookmark = end_life(&life);
        live(&life, &manner, bookmark, false, 0);
        again = end_life(&life);
        ck_assert_uint_eq(again.length, bookmark.length);
        ck_assert_mem_eq(again.data, bookmark.data, again.length);
        t_free(bookmark);
        t_free(again);
    }
}
END_TEST

static int open_with(const void *bookmark, size_t length, leat_session **session)
{
    leat_estreamer_client_options options;

    leat_estreamer_client_options_init(&options, sizeof options);
    options.initial_timestamp = 77;
    options.bookmark = bookmark;
    options.bookmark_length = length;
    return leat_estreamer_client_new(NULL, &options, session);
}

/* Nothing seen: the caller's own start counts. */
START_TEST(nothing_was_seen)
{
    leat_session *session;
    leat_buffer *buffer;
    const void *data;
    size_t length;

    ck_assert_int_eq(leat_buffer_new(NULL, &buffer), LEAT_OK);
    ck_assert_int_eq(open_with(NULL, 0, &session), LEAT_OK);
    live_wrote(session, "0001 0002 00000008 0000004d 48900061");
    ck_assert_int_eq(leat_estreamer_bookmark(session, buffer), LEAT_OK);
    leat_session_free(session);
    data = leat_buffer_data(buffer, &length);
    ck_assert_int_eq(open_with(data, length, &session), LEAT_OK);
    live_wrote(session, "0001 0002 00000008 0000004d 48900061");
    leat_session_free(session);
    leat_buffer_free(buffer);
}
END_TEST

/* Damaged ones are refused; so is whatever else somebody may have stored in that file. */
START_TEST(damaged)
{
    static const struct manner manner = {true, true, false, 1000, 0};
    static const char *const foreign[] = {"", "1718000000", "{\"bookmark\":1718000000}\n"};
    struct t_bytes none = {NULL, 0}, bookmark;
    leat_session *session;
    struct life life;
    size_t i;

    live(&life, &manner, none, false, _i == 0 ? 0 : 20);
    bookmark = end_life(&life);
    ck_assert_int_eq(open_with(bookmark.data, bookmark.length, &session), LEAT_OK);
    leat_session_free(session);
    for (i = 0; i < bookmark.length; i++)
        ck_assert_int_eq(open_with(bookmark.data, i, &session), LEAT_E_VALUE);
    for (i = 0; i < bookmark.length * 8; i++) {
        bookmark.data[i / 8] ^= (uint8_t)(1u << i % 8);
        ck_assert_int_eq(open_with(bookmark.data, bookmark.length, &session), LEAT_E_VALUE);
        bookmark.data[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    for (i = 1; i < 20; i++) {
        t_append(&bookmark, "", 1);
        ck_assert_int_eq(open_with(bookmark.data, bookmark.length, &session), LEAT_E_VALUE);
    }
    for (i = 0; i < sizeof foreign / sizeof *foreign; i++)
        ck_assert_int_eq(open_with(foreign[i], strlen(foreign[i]), &session), LEAT_E_VALUE);
    t_free(bookmark);
}
END_TEST

/* A client of bare records, whose session begins at once. */
static leat_session *bare_client(uint32_t bookmark_records, struct t_bytes bookmark)
{
    leat_estreamer_client_options options;
    leat_session *session;

    leat_estreamer_client_options_init(&options, sizeof options);
    options.request_flags &= ~LEAT_ESTREAMER_FLAG_EXTENDED_REQUEST;
    options.bookmark_records = bookmark_records;
    options.bookmark = bookmark.length == 0 ? NULL : bookmark.data;
    options.bookmark_length = bookmark.length;
    ck_assert_int_eq(leat_estreamer_client_new(NULL, &options, &session), LEAT_OK);
    live_said(session, "event_stream_request");
    return session;
}

/* Hears records 0 to count - 1 of a second; how many are repeats. */
static size_t hear_second(leat_session *session, size_t count)
{
    const leat_event *event;
    size_t repeats = 0, i;

    for (i = 0; i < count; i++) {
        char json[100];

        (void)snprintf(json, sizeof json,
                       "{'record_type':9999,'archive_timestamp':500,'record':'%08x'}", (unsigned)i);
        live_hear(session, "event_data", json);
        ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
        repeats += leat_estreamer_is_repeat(session) != 0;
        ck_assert_int_eq(leat_next(session, &event), LEAT_MORE);
        ck_assert_int_eq(leat_estreamer_is_repeat(session), 0);
    }
    return repeats;
}

static struct t_bytes bookmark_of(leat_session *session)
{
    struct t_bytes bookmark;
    leat_buffer *buffer;
    const void *data;
    size_t length;

    ck_assert_int_eq(leat_buffer_new(NULL, &buffer), LEAT_OK);
    ck_assert_int_eq(leat_estreamer_bookmark(session, buffer), LEAT_OK);
    data = leat_buffer_data(buffer, &length);
    bookmark = t_copy(data, length);
    leat_buffer_free(buffer);
    return bookmark;
}

/* So many of one second are known again; the others come as if they were new. */
static const struct {
    uint32_t most;
    size_t records, repeats;
} limits[] = {{4, 3, 3}, {4, 4, 4}, {4, 5, 4}, {4, 300, 4}, {0, 3, 0}, {4096, 5000, 4096}};

START_TEST(remembers_so_many)
{
    struct t_bytes none = {NULL, 0}, bookmark;
    leat_session *session = bare_client(limits[_i].most, none);

    ck_assert_uint_eq(hear_second(session, limits[_i].records), 0);
    bookmark = bookmark_of(session);
    ck_assert_uint_le(bookmark.length, 8 * limits[_i].repeats + 64);
    leat_session_free(session);
    session = bare_client(limits[_i].most, bookmark);
    ck_assert_uint_eq(hear_second(session, limits[_i].records), limits[_i].repeats);
    ck_assert_uint_eq(hear_second(session, limits[_i].records), 0); /* each but once */
    leat_session_free(session);
    t_free(bookmark);
}
END_TEST

/* Records that differ in one octet, in their length, their type: none is taken for another. */
static void hear_variant(leat_session *session, size_t variant)
{
    struct t_bytes octets = t_copy("", 0);
    leat_builder *builder;

    ck_assert_int_eq(leat_builder_new(NULL, &builder), LEAT_OK);
    leat_builder_open(builder, NULL, LEAT_RECORD);
    leat_builder_u64(builder, "record_type", 30000 + variant % 3);
    leat_builder_u64(builder, "archive_timestamp", 500);
    for (; octets.length < variant / 3 % 70;)
        t_append(&octets, "", 1);
    if (octets.length > 0 && variant >= 210)
        octets.data[variant % octets.length] ^= (uint8_t)(1u << variant % 8);
    leat_builder_bytes(builder, "record", octets.data, octets.length);
    leat_builder_close(builder);
    {
        leat_session *codec;

        ck_assert_int_eq(leat_estreamer_codec_new(NULL, LEAT_FROM_ANY, &codec), LEAT_OK);
        ck_assert_int_eq(leat_send(codec, "event_data", leat_builder_value(builder)), LEAT_OK);
        live_hear_octets(session, live_take(codec));
        leat_session_free(codec);
    }
    leat_builder_free(builder);
    t_free(octets);
}

START_TEST(takes_none_for_another)
{
    struct t_bytes none = {NULL, 0}, bookmark;
    leat_session *session = bare_client(4096, none);
    const leat_event *event;
    size_t i;

    for (i = 0; i < 400; i += 2) {
        hear_variant(session, i);
        ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
        ck_assert_int_eq(leat_next(session, &event), LEAT_MORE);
    }
    bookmark = bookmark_of(session);
    leat_session_free(session);
    session = bare_client(4096, bookmark);
    for (i = 0; i < 400; i++) {
        hear_variant(session, i);
        ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
        ck_assert_msg(leat_estreamer_is_repeat(session) == (i % 2 == 0), "variant %zu", i);
    }
    leat_session_free(session);
    t_free(bookmark);
}
END_TEST

/* Without archive timestamps, and with one that means "now", there is no place to go on from. */
START_TEST(places_that_are_none)
{
    static const char *const seconds[] = {"", "'archive_timestamp':0,",
                                          "'archive_timestamp':4294967295,"};
    struct t_bytes none = {NULL, 0}, bookmark;
    leat_session *session = bare_client(4096, none);
    const leat_event *event;
    char json[100];

    live_hear(session, "event_data", "{'record_type':9999,'archive_timestamp':500,'record':'00'}");
    (void)snprintf(json, sizeof json, "{'record_type':9999,%s'record':'01'}", seconds[_i]);
    live_hear(session, "event_data", json);
    while (leat_next(session, &event) == LEAT_OK)
        continue;
    bookmark = bookmark_of(session);
    leat_session_free(session);
    ck_assert_int_eq(open_with(bookmark.data, bookmark.length, &session), LEAT_OK);
    live_wrote(session, "0001 0002 00000008 000001f4 48900061");
    leat_session_free(session);
    t_free(bookmark);
}
END_TEST

/*
 * Where a server's clock was set back, or records are not in order, the place is the last one that
 * is safe, but no later than what was told and is not.
 */
#define RECORD(second, octets)                                                                     \
    "hear event_data {'record_type':9999,'archive_timestamp':" second ",'record':'" octets "'}\n"
#define DRAW "told event_data/9999 MORE\n"

static const struct {
    const char *script;
    uint32_t initial_timestamp;
    uint32_t start; /* of the next client */
    const char *again;
    const char *repeats; /* which records of those are known, as 0 and 1 */
} places[] = {
    {RECORD("100", "00") DRAW RECORD("200", "01") DRAW RECORD("150", "02") DRAW RECORD("150", "03")
         DRAW "acknowledge all\n",
     0, 150, RECORD("150", "02") RECORD("150", "03") RECORD("150", "04") RECORD("200", "01"),
     "1100"},
    {RECORD("200", "00") DRAW "acknowledge all\n" RECORD("150", "01") DRAW, 0, 150,
     RECORD("200", "00") RECORD("150", "01"), "00"},
    {RECORD("200", "00") DRAW "acknowledge all\n" RECORD("250", "01") DRAW, 0, 200,
     RECORD("200", "00") RECORD("250", "01"), "10"},
    {RECORD("150", "00") DRAW, LEAT_ESTREAMER_NOW, 150, RECORD("150", "00"), "0"},
    {RECORD("150", "00") DRAW, 99, 77, RECORD("150", "00"), "0"},
    {RECORD("500", "00") DRAW
     "acknowledge all\nsend event_stream_request {'initial_timestamp':100}\n",
     0, 100, RECORD("100", "01") RECORD("500", "00"), "00"},
    {RECORD("500", "00") DRAW
     "acknowledge all\nsend event_stream_request {'initial_timestamp':600}\n",
     0, 500, RECORD("500", "00") RECORD("600", "01"), "10"},
};

START_TEST(out_of_order)
{
    leat_estreamer_client_options options;
    struct t_bytes bookmark;
    leat_session *session;
    const leat_event *event;
    const char *repeat;
    char expected[100];

    leat_estreamer_client_options_init(&options, sizeof options);
    options.hold = 1;
    options.initial_timestamp = places[_i].initial_timestamp;
    ck_assert_int_eq(leat_estreamer_client_new(NULL, &options, &session), LEAT_OK);
    live_play(session, places[_i].script);
    bookmark = bookmark_of(session);
    leat_session_free(session);
    ck_assert_int_eq(open_with(bookmark.data, bookmark.length, &session), LEAT_OK);
    (void)snprintf(expected, sizeof expected, "0001 0002 00000008 %08x 48900061",
                   (unsigned)places[_i].start);
    live_wrote(session, expected);
    live_play(session, places[_i].again);
    for (repeat = places[_i].repeats; *repeat != '\0'; repeat++) {
        ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
        ck_assert_int_eq(leat_estreamer_is_repeat(session), *repeat - '0');
    }
    leat_session_free(session);
    t_free(bookmark);
}
END_TEST

/* What is acknowledged after the end counts as well: it is safe. */
START_TEST(acknowledged_after_the_end)
{
    leat_estreamer_client_options options;
    struct t_bytes bookmark;
    leat_session *session;

    leat_estreamer_client_options_init(&options, sizeof options);
    options.hold = 1;
    ck_assert_int_eq(leat_estreamer_client_new(NULL, &options, &session), LEAT_OK);
    live_play(session,
              "said event_stream_request\n"
              "hear event_data {'record_type':9999,'archive_timestamp':500,'record':'00'}\n"
              "hear event_data {'record_type':9999,'archive_timestamp':501,'record':'00'}\n"
              "end\ntold event_data/9999 event_data/9999 END\nacknowledge 1\nsaid\n");
    bookmark = bookmark_of(session);
    leat_session_free(session);
    ck_assert_int_eq(open_with(bookmark.data, bookmark.length, &session), LEAT_OK);
    live_wrote(session, "0001 0002 00000008 000001f4 48900061");
    leat_session_free(session);
    t_free(bookmark);
}
END_TEST

static int scenario(const leat_config *config, const void *arg)
{
    const struct t_bytes *bookmark = (const struct t_bytes *)arg;
    leat_estreamer_client_options options;
    struct t_bytes octets = live_message(
        "event_data", "{'record_type':9999,'archive_timestamp':500,'record':'00000000'}");
    leat_session *session = NULL;
    leat_buffer *buffer = NULL;
    const leat_event *event;
    int status;

    leat_estreamer_client_options_init(&options, sizeof options);
    options.bookmark = bookmark->data;
    options.bookmark_length = bookmark->length;
    status = leat_estreamer_client_new(config, &options, &session);
    if (status == LEAT_OK)
        status = leat_buffer_new(config, &buffer);
    if (status == LEAT_OK)
        status = leat_feed(session, octets.data, octets.length);
    while (status == LEAT_OK)
        status = leat_next(session, &event);
    if (status == LEAT_MORE)
        status = leat_estreamer_bookmark(session, buffer);
    if (session != NULL)
        leat_session_trim(session);
    leat_buffer_free(buffer);
    leat_session_free(session);
    t_free(octets);
    return status;
}

START_TEST(without_memory)
{
    struct t_bytes none = {NULL, 0}, bookmark;
    leat_session *session = bare_client(4096, none);

    (void)hear_second(session, 10);
    bookmark = bookmark_of(session);
    leat_session_free(session);
    t_every_alloc(scenario, &bookmark);
    t_free(bookmark);
}
END_TEST

static void tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, stops_anywhere, 0, sizeof manners / sizeof *manners);
    tcase_add_test(tcase, stops_often);
    tcase_add_test(tcase, bookmarks_stay);
    tcase_add_test(tcase, nothing_was_seen);
    tcase_add_loop_test(tcase, damaged, 0, 2);
    tcase_add_loop_test(tcase, remembers_so_many, 0, sizeof limits / sizeof *limits);
    tcase_add_test(tcase, takes_none_for_another);
    tcase_add_loop_test(tcase, places_that_are_none, 0, 3);
    tcase_add_loop_test(tcase, out_of_order, 0, sizeof places / sizeof *places);
    tcase_add_test(tcase, acknowledged_after_the_end);
    tcase_add_test(tcase, without_memory);
}

T_MAIN("estreamer/bookmark", tests)
