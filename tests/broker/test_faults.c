/* Peers that are slow or dead, memory that is short, and octets that come as they like. */
#include "wire.h"

#include <stdio.h>

#define UP "endpoint_discovered, peer_added"

/* What goes into the output of a session at once, as broker_endpoint.h has it. */
#define OUTPUT_BYTES 65536u

/* ----- back-pressure ----- */

#define TEXT_BYTES  57u
#define FRAME_BYTES (4 + 37 + 2 + 2 + TEXT_BYTES)
#define AT_ONCE     (OUTPUT_BYTES / FRAME_BYTES) /* messages that fill an output */

/* Publishes a text of a number. */
static void publish_number(leat_broker *broker, const char *topic, unsigned number)
{
    leat_builder *builder;
    char text[TEXT_BYTES + 1];

    (void)snprintf(text, sizeof text, "%0*u", (int)TEXT_BYTES, number);
    ck_assert_int_eq(leat_builder_new(NULL, &builder), LEAT_OK);
    ck_assert_int_eq(leat_builder_text(builder, NULL, text, TEXT_BYTES), LEAT_OK);
    ck_assert_int_eq(leat_broker_publish(broker, topic, strlen(topic), leat_builder_value(builder)),
                     LEAT_OK);
    leat_builder_free(builder);
}

/* Takes up to so many octets of output behind those that were taken already. */
static void take(leat_session *session, struct t_bytes *taken, size_t most)
{
    const void *data;
    size_t length;

    while (most > 0 && (data = leat_send_data(session, &length)) != NULL) {
        if (length > most)
            length = most;
        t_append(taken, data, length);
        ck_assert_int_eq(leat_send_done(session, length), LEAT_OK);
        most -= length;
    }
}

/* The numbers in what was taken, as ranges: "1-10 15-20". Other messages are "!". Yours to free(). */
static char *numbers(const struct t_bytes *taken)
{
    struct t_bytes text = t_copy("", 0);
    unsigned first = 0, last = 0;
    size_t at = 0;
    char range[32];

    for (;;) {
        const uint8_t *frame = taken->data + at;
        bool more = at < taken->length, number;
        unsigned now = 0;

        if (more)
            ck_assert_uint_le(at + 4 + frame[3], taken->length);
        number = more && frame[4 + 32] == 1;
        if (number)
            now = (unsigned)strtoul((const char *)frame + FRAME_BYTES - TEXT_BYTES, NULL, 10);
        if ((!number || now != last + 1) && first > 0) {
            (void)snprintf(range, sizeof range, "%s%u-%u", text.length > 0 ? " " : "", first, last);
            t_append(&text, range, strlen(range));
            first = 0;
        }
        if (!more)
            return (char *)text.data;
        if (!number)
            t_append(&text, " !", 2);
        else if (first == 0)
            first = now;
        last = now;
        at += 4u + ((size_t)frame[2] << 8 | frame[3]);
    }
}

static void check_numbers(leat_session *session, struct t_bytes *taken, const char *expected)
{
    char *text;

    take(session, taken, SIZE_MAX);
    text = numbers(taken);
    ck_assert_str_eq(text, expected);
    free(text);
    t_free(*taken);
}

static leat_broker *broker_with(uint32_t overflow, uint64_t messages, uint64_t octets)
{
    leat_broker_options options;
    leat_limits limits;
    leat_config config;

    leat_broker_options_init(&options, sizeof options);
    options.overflow = overflow;
    options.queue_messages = messages;
    leat_limits_init(&limits, sizeof limits);
    limits.queued_bytes = octets;
    leat_config_init(&config, sizeof config);
    config.limits = &limits;
    return wire_broker(&config, &options);
}

/*
 * A queue of ten, by messages or by octets; a peer that reads nothing while a thousand messages come.
 * begun: it has read one output before, so that the first one that waits has partly gone.
 */
static const struct {
    uint32_t overflow;
    bool by_octets;
    bool begun;
} queues[] = {
    {LEAT_BROKER_DROP_OLDEST, false, false}, {LEAT_BROKER_DROP_OLDEST, true, false},
    {LEAT_BROKER_DROP_NEWEST, false, false}, {LEAT_BROKER_DROP_NEWEST, true, false},
    {LEAT_BROKER_DROP_OLDEST, false, true},  {LEAT_BROKER_DROP_OLDEST, true, true},
    {LEAT_BROKER_DROP_NEWEST, false, true},  {LEAT_BROKER_DROP_NEWEST, true, true},
};

#define QUEUE 700u

START_TEST(queue)
{
    bool oldest = queues[_i].overflow == LEAT_BROKER_DROP_OLDEST, begun = queues[_i].begun;
    leat_broker *broker =
        broker_with(queues[_i].overflow, queues[_i].by_octets ? 100000 : QUEUE,
                    queues[_i].by_octets ? QUEUE * FRAME_BYTES + FRAME_BYTES - 1 : 0);
    leat_session *slow = wire_peer(broker, false, 'L', "/a"),
                 *quick = wire_peer(broker, false, 'H', "/a");
    struct t_bytes taken = t_copy("", 0), all = t_copy("", 0);
    leat_broker_stats stats = {.size = sizeof stats}, first = {.size = sizeof first};
    unsigned i, total = 0;
    char expected[64];

    ck_assert_int_eq(leat_broker_get_stats(slow, &first), LEAT_OK);
    if (begun) {
        for (; total < AT_ONCE + QUEUE; total++) {
            publish_number(broker, "/a", total + 1);
            take(quick, &all, SIZE_MAX);
        }
        take(slow, &taken, AT_ONCE * FRAME_BYTES);
        /* What follows has moved up, the last of it only in part. */
        ck_assert_int_eq(leat_broker_get_stats(slow, &stats), LEAT_OK);
        ck_assert_uint_eq(stats.queued, QUEUE - AT_ONCE);
        ck_assert_uint_eq(stats.queued_bytes, QUEUE * FRAME_BYTES - OUTPUT_BYTES);
        ck_assert_uint_eq(stats.sent - first.sent, 2 * AT_ONCE);
    }
    for (i = 0; i < 5000; i++) {
        publish_number(broker, "/a", ++total);
        take(quick, &all, SIZE_MAX);
    }
    /* Those that are sent or begun stay. */
    ck_assert_int_eq(leat_broker_get_stats(slow, &stats), LEAT_OK);
    ck_assert_uint_eq(stats.queued, QUEUE + begun);
    ck_assert_uint_eq(stats.overflows, total - QUEUE - (begun ? 2 * AT_ONCE + 1 : AT_ONCE));
    ck_assert_uint_eq(stats.sent - first.sent + stats.queued + stats.overflows, total);
    (void)snprintf(expected, sizeof expected, "1-%u", total);
    check_numbers(quick, &all, expected);
    if (oldest)
        (void)snprintf(expected, sizeof expected, "1-%u %u-%u", begun ? 2 * AT_ONCE + 1 : AT_ONCE,
                       total - QUEUE + 1, total);
    else
        (void)snprintf(expected, sizeof expected, "1-%u", total - (unsigned)stats.overflows);
    check_numbers(slow, &taken, expected);
    ck_assert_int_eq(leat_broker_get_stats(slow, &stats), LEAT_OK);
    ck_assert_uint_eq(stats.queued, 0);
    ck_assert_uint_eq(stats.queued_bytes, 0);
    /* It is as good as new. */
    publish_number(broker, "/a", 7);
    taken = t_copy("", 0);
    check_numbers(slow, &taken, "7-7");
    leat_session_free(slow);
    leat_session_free(quick);
    leat_broker_free(broker);
}
END_TEST

/* A queue of one keeps the newest or the oldest, even while one is partly sent. */
START_TEST(queue_of_one)
{
    leat_broker *broker =
        broker_with(_i == 0 ? LEAT_BROKER_DROP_OLDEST : LEAT_BROKER_DROP_NEWEST, 1, 0);
    leat_session *session = wire_peer(broker, false, 'L', "/a");
    struct t_bytes taken = t_copy("", 0);
    char expected[64];
    unsigned i;

    for (i = 1; i <= AT_ONCE + 3; i++)
        publish_number(broker, "/a", i);
    if (_i == 0)
        (void)snprintf(expected, sizeof expected, "1-%u %u-%u", AT_ONCE, AT_ONCE + 3, AT_ONCE + 3);
    else
        (void)snprintf(expected, sizeof expected, "1-%u", AT_ONCE + 1);
    check_numbers(session, &taken, expected);
    leat_session_free(session);
    leat_broker_free(broker);
}
END_TEST

/* One that is longer than all that may wait is lost alone, unless nothing waits. */
START_TEST(too_long_to_wait)
{
    leat_broker *broker = broker_with(LEAT_BROKER_DROP_OLDEST, 100, 3 * FRAME_BYTES);
    leat_session *session = wire_peer(broker, false, 'L', "/a");
    leat_broker_stats stats = {.size = sizeof stats};
    struct t_bytes taken = t_copy("", 0);
    leat_builder *builder;
    char text[4 * FRAME_BYTES] = "", expected[64];
    unsigned i;

    ck_assert_int_eq(leat_builder_new(NULL, &builder), LEAT_OK);
    ck_assert_int_eq(leat_builder_text(builder, NULL, text, sizeof text), LEAT_OK);
    ck_assert_int_eq(leat_broker_publish(broker, "/a", 2, leat_builder_value(builder)), LEAT_OK);
    take(session, &taken, SIZE_MAX);
    ck_assert_uint_gt(taken.length, sizeof text);
    t_free(taken);
    taken = t_copy("", 0);
    for (i = 1; i <= AT_ONCE + 2; i++)
        publish_number(broker, "/a", i);
    ck_assert_int_eq(leat_broker_publish(broker, "/a", 2, leat_builder_value(builder)), LEAT_OK);
    ck_assert_int_eq(leat_broker_get_stats(session, &stats), LEAT_OK);
    ck_assert_uint_eq(stats.overflows, 1);
    ck_assert_uint_eq(stats.queued, 2);
    (void)snprintf(expected, sizeof expected, "1-%u", AT_ONCE + 2);
    check_numbers(session, &taken, expected);
    leat_builder_free(builder);
    leat_session_free(session);
    leat_broker_free(broker);
}
END_TEST

/* The peering ends, with what is in the output; it is not sought again, as we have ended it. */
START_TEST(disconnect)
{
    leat_broker *broker = broker_with(LEAT_BROKER_DISCONNECT, 10, 0);
    leat_session *session = wire_peer(broker, true, 'L', "/a"), *other;
    leat_broker_stats stats = {.size = sizeof stats};
    struct t_bytes taken = t_copy("", 0);
    const leat_event *event;
    size_t length;
    char expected[64];
    unsigned i;

    for (i = 1; i <= AT_ONCE + 10; i++)
        publish_number(broker, "/a", i);
    while (leat_broker_ready(broker, &other) == LEAT_OK)
        ;
    wire_tells(session, "");
    publish_number(broker, "/a", i);
    ck_assert_int_eq(leat_broker_ready(broker, &other), LEAT_OK);
    ck_assert_ptr_eq(other, session);
    ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
    ck_assert_uint_eq(leat_event_kind(event), LEAT_BROKER_PEER_REMOVED);
    ck_assert_str_eq(leat_value_text(leat_value_get(leat_event_value(event), "msg"), &length),
                     "removed connection to remote peer (caf::sec::backpressure_overflow)");
    wire_tells(session, "endpoint_unreachable, LEAT_END");
    ck_assert_int_eq(leat_broker_get_stats(session, &stats), LEAT_OK);
    ck_assert_uint_eq(stats.overflows, 1);
    (void)snprintf(expected, sizeof expected, "1-%u", AT_ONCE);
    check_numbers(session, &taken, expected);
    publish_number(broker, "/a", i);
    ck_assert_uint_eq(leat_wants(session), LEAT_WANT_CLOSE);
    ck_assert_int_eq(leat_broker_connect(broker, &other), LEAT_MORE);
    ck_assert_uint_eq(leat_broker_deadline(broker), UINT64_MAX);
    leat_session_free(session);
    leat_broker_free(broker);
}
END_TEST

/* What keeps the peering together is neither dropped nor out of turn, and there is an end to it. */
START_TEST(controls_wait)
{
    leat_broker *broker = broker_with(LEAT_BROKER_DROP_OLDEST, 1, 0);
    leat_session *session = wire_peer(broker, false, 'L', "/a");
    struct t_bytes taken = t_copy("", 0);
    unsigned i;
    char expected[64];

    for (i = 1; i <= AT_ONCE + 1; i++)
        publish_number(broker, "/a", i);
    ck_assert_int_eq(leat_broker_ping(session, "x", 1), LEAT_OK);
    publish_number(broker, "/a", i);
    if (_i == 0) {
        (void)snprintf(expected, sizeof expected, "1-%u ! %u-%u", AT_ONCE, i, i);
        check_numbers(session, &taken, expected);
        wire_tells(session, "");
    } else if (_i == 1) {
        for (i = 1; i < 1024; i++)
            ck_assert_int_eq(leat_broker_ping(session, "x", 1), LEAT_OK);
        ck_assert_int_eq(leat_broker_ping(session, "x", 1), LEAT_E_LIMIT);
        wire_tells(session, "");
        take(session, &taken, SIZE_MAX);
        ck_assert_int_eq(leat_broker_ping(session, "x", 1), LEAT_OK);
        t_free(taken);
    } else {
        leat_broker_stats stats = {.size = sizeof stats};

        /* Of what we subscribe to only the last word counts. */
        for (i = 1; i < 3000; i++) {
            int status = i % 2 != 0 ? leat_broker_subscribe(broker, "/c", 2)
                                    : leat_broker_unsubscribe(broker, "/c", 2);

            ck_assert_int_eq(status, LEAT_OK);
        }
        ck_assert_int_eq(leat_broker_subscribe(broker, "/more", 5), LEAT_OK);
        wire_tells(session, "");
        ck_assert_int_eq(leat_broker_get_stats(session, &stats), LEAT_OK);
        ck_assert_uint_eq(stats.queued, 3);
        take(session, &taken, SIZE_MAX);
        ck_assert_uint_gt(taken.length, 5);
        ck_assert_mem_eq(taken.data + taken.length - 5, "/more", 5);
        t_free(taken);
    }
    leat_session_free(session);
    leat_broker_free(broker);
}
END_TEST

/*
 * One that pings and does not read is no longer listened to, be it many pings or long ones; all is
 * answered once it reads.
 */
static const struct {
    size_t octets;   /* of a ping's payload */
    unsigned paused; /* at which ping */
} floods[] = {
    {0, OUTPUT_BYTES / 44 + 513 + 1},
    {456, OUTPUT_BYTES / 500 + 513 + 1},
    {3956, (1u << 20) / 4000 + 1 + 1},
    {(2u << 20) - 44, 2},
};

START_TEST(ping_flood)
{
    leat_broker *broker = wire_broker(NULL, NULL);
    leat_session *session = wire_peer(broker, false, 'L', "/a");
    struct t_bytes taken = t_copy("", 0), ping = wire("ping L \"\"");
    size_t octets = 44 + floods[_i].octets, i;
    const leat_event *event;
    unsigned sent = 0;
    int status;

    for (i = 0; i < floods[_i].octets; i++)
        t_append(&ping, "x", 1);
    for (i = 0; i < 4; i++)
        ping.data[i] = (uint8_t)((octets - 4) >> 8 * (3 - i));
    do {
        ck_assert_int_eq(leat_feed(session, ping.data, ping.length), LEAT_OK);
        sent++;
        status = leat_next(session, &event);
    } while (status == LEAT_MORE && sent < 100000);
    ck_assert_int_eq(status, LEAT_PAUSED);
    ck_assert_uint_eq(sent, floods[_i].paused);
    ck_assert_uint_eq(leat_wants(session), LEAT_WANT_WRITE);
    ck_assert_uint_lt(leat_session_memory(session), ((size_t)1 << 20) + 8 * octets);
    ck_assert_int_eq(leat_broker_ping(session, "us", 2), LEAT_OK);
    take(session, &taken, SIZE_MAX);
    ck_assert_uint_eq(leat_deadline(session), 0);
    ck_assert_int_eq(leat_next(session, &event), LEAT_MORE);
    take(session, &taken, SIZE_MAX);
    ck_assert_uint_eq(taken.length, sent * octets + 46);
    ck_assert_uint_eq(leat_wants(session), LEAT_WANT_READ);
    /* Long ones are given back with what they took. */
    leat_session_trim(session);
    ck_assert_uint_le(leat_session_memory(session), 1024);
    ck_assert_uint_lt(leat_broker_memory(broker), 16384);
    t_free(taken);
    t_free(ping);
    leat_session_free(session);
    leat_broker_free(broker);
}
END_TEST

/* A loop that asks only the endpoint learns that it goes on; one that is closed waits for no answers. */
START_TEST(ping_flood_ends)
{
    leat_broker *broker = wire_broker(NULL, NULL);
    leat_session *session = wire_peer(broker, false, 'L', "/a"), *ready;
    struct t_bytes taken = t_copy("", 0);
    const leat_event *event;
    int status;

    do {
        wire_feed(session, "ping L x");
        status = leat_next(session, &event);
    } while (status == LEAT_MORE);
    ck_assert_int_eq(status, LEAT_PAUSED);
    while (leat_broker_ready(broker, &ready) == LEAT_OK)
        ;
    if (_i == 0) {
        wire_feed(session, "data L 0 /b x");
        take(session, &taken, SIZE_MAX);
        ck_assert_int_eq(leat_broker_ready(broker, &ready), LEAT_OK);
        ck_assert_ptr_eq(ready, session);
        wire_tells(session, "data \"/b\" \"x\"");
    } else {
        ck_assert_int_eq(leat_recv_eof(session), LEAT_OK);
        wire_tells(session, "peer_lost, endpoint_unreachable, LEAT_END");
    }
    t_free(taken);
    leat_session_free(session);
    leat_broker_free(broker);
}
END_TEST

/* ----- memory ----- */

#define PEERS 100u

/* A hundred peers that do not read have the octets of a large message once. */
START_TEST(shared_octets)
{
    struct t_counter counter;
    leat_config config;
    leat_broker *broker;
    leat_session *peers[PEERS];
    leat_builder *builder;
    size_t before, i;
    char *text = malloc(1 << 20);

    ck_assert_ptr_nonnull(text);
    memset(text, 'x', 1 << 20);
    t_counter_init(&counter);
    leat_config_init(&config, sizeof config);
    config.allocator = &counter.allocator;
    broker = wire_broker(&config, NULL);
    for (i = 0; i < PEERS; i++) {
        struct t_bytes heard = wire("hello H, synack /a");

        heard.data[4 + 5 + 15] = (uint8_t)i; /* an id of its own */
        peers[i] = wire_accept(broker);
        ck_assert_int_eq(leat_feed(peers[i], heard.data, heard.length), LEAT_OK);
        t_free(heard);
        wire_tells(peers[i], UP);
        free(wire_said(peers[i]));
        leat_session_trim(peers[i]);
    }
    ck_assert_int_eq(leat_builder_new(NULL, &builder), LEAT_OK);
    ck_assert_int_eq(leat_builder_text(builder, NULL, text, 1 << 20), LEAT_OK);
    before = counter.now;
    ck_assert_int_eq(leat_broker_publish(broker, "/a", 2, leat_builder_value(builder)), LEAT_OK);
    /* The message, what the endpoint wrote it in, and an output each. */
    ck_assert_uint_lt(counter.now - before, ((size_t)3 << 20) + PEERS * (OUTPUT_BYTES + 1024));
    before = counter.now;
    ck_assert_int_eq(leat_broker_publish(broker, "/a", 2, leat_builder_value(builder)), LEAT_OK);
    ck_assert_uint_lt(counter.now - before, ((size_t)1 << 20) + 1024);
    for (i = 0; i < PEERS; i++) {
        struct t_bytes taken = {NULL, 0};

        if (i == 50) { /* one that is freed before it has read all */
            leat_session_free(peers[i]);
            continue;
        }
        take(peers[i], &taken, SIZE_MAX);
        ck_assert_uint_eq(taken.length, 2 * (4 + 37 + 2 + 1 + 3 + (1u << 20)));
        t_free(taken);
        leat_session_trim(peers[i]);
        ck_assert_uint_le(leat_session_memory(peers[i]), 1024);
    }
    ck_assert_uint_lt(counter.now, before - ((size_t)1 << 20));
    for (i = 0; i < PEERS; i++) {
        if (i != 50)
            leat_session_free(peers[i]);
    }
    leat_broker_free(broker);
    leat_builder_free(builder);
    ck_assert_uint_eq(counter.now, 0);
    free(text);
}
END_TEST

/* A thousand quiet peers with eight topics of 24 octets each; and what is told is what is held. */
START_TEST(idle_memory)
{
    enum { COUNT = 1000 };
    static leat_session *peers[COUNT];
    struct t_counter counter;
    leat_config config;
    leat_broker *broker;
    char script[WIRE_WORD] = "hello H, synack";
    size_t before, held = 0, i;

    for (i = 0; i < 8; i++)
        (void)snprintf(script + strlen(script), sizeof script - strlen(script),
                       " /zeek/cluster/node/%05zu", i);
    t_counter_init(&counter);
    leat_config_init(&config, sizeof config);
    config.allocator = &counter.allocator;
    broker = wire_broker(&config, NULL);
    before = counter.now;
    ck_assert_uint_eq(before, leat_broker_memory(broker));
    for (i = 0; i < COUNT; i++) {
        struct t_bytes heard = wire(script);

        heard.data[4 + 5 + 14] = (uint8_t)(i >> 8);
        heard.data[4 + 5 + 15] = (uint8_t)i;
        peers[i] = wire_accept(broker);
        ck_assert_int_eq(leat_feed(peers[i], heard.data, heard.length), LEAT_OK);
        t_free(heard);
        wire_tells(peers[i], UP);
        free(wire_said(peers[i]));
        leat_session_trim(peers[i]);
        held += leat_session_memory(peers[i]);
    }
    ck_assert_uint_eq(counter.now, leat_broker_memory(broker) + held);
    ck_assert_msg((counter.now - before) / COUNT <= 1024, "%zu octets for an idle peer",
                  (counter.now - before) / COUNT);
    for (i = 0; i < COUNT; i++)
        leat_session_free(peers[i]);
    leat_broker_free(broker);
    ck_assert_uint_eq(counter.now, 0);
}
END_TEST

/* Once it is warm no message costs an allocation: published, received, forwarded, pinged, waiting. */
START_TEST(no_allocation)
{
    struct t_counter counter;
    leat_broker_options options;
    leat_config config;
    leat_broker *broker;
    leat_session *low, *high;
    struct t_bytes heard = wire("data L 0 /b x, data L 0 /h y, ping L z");
    leat_builder *builder = t_json("[1,\"two\",{}]", 12);
    const leat_event *event;
    size_t calls = 0, length;
    int i;

    t_counter_init(&counter);
    leat_config_init(&config, sizeof config);
    config.allocator = &counter.allocator;
    leat_broker_options_init(&options, sizeof options);
    options.forwarding = 1;
    broker = wire_broker(&config, &options);
    low = wire_peer(broker, false, 'L', "/a");
    high = wire_peer(broker, false, 'H', "/h /a");
    leat_builder_clear(builder);
    (void)leat_builder_open(builder, NULL, LEAT_LIST);
    (void)leat_builder_u64(builder, NULL, 1);
    (void)leat_builder_text(builder, NULL, "two", 3);
    ck_assert_int_eq(leat_builder_close(builder), LEAT_OK);
    for (i = 0; i < 3000; i++) {
        size_t now = 0;

        if (i == 1000)
            calls = counter.calls;
        ck_assert_int_eq(leat_broker_publish(broker, "/a", 2, leat_builder_value(builder)),
                         LEAT_OK);
        ck_assert_int_eq(leat_feed(low, heard.data, heard.length), LEAT_OK);
        while (leat_next(low, &event) == LEAT_OK)
            now++;
        ck_assert_uint_eq(now, 1);
        ck_assert_int_eq(leat_broker_ping(high, "x", 1), LEAT_OK);
        while (leat_send_data(low, &length) != NULL)
            ck_assert_int_eq(leat_send_done(low, length), LEAT_OK);
        while (leat_send_data(high, &length) != NULL)
            ck_assert_int_eq(leat_send_done(high, length), LEAT_OK);
    }
    ck_assert_uint_eq(counter.calls, calls);
    t_free(heard);
    leat_builder_free(builder);
    leat_session_free(low);
    leat_session_free(high);
    leat_broker_free(broker);
    ck_assert_uint_eq(counter.now, 0);
}
END_TEST

/* ----- however it is cut ----- */

static leat_broker *made[4096];
static size_t made_count;

static leat_session *make(const leat_config *config, const void *arg)
{
    leat_broker *broker = wire_broker(config, NULL);

    ck_assert_uint_lt(made_count, sizeof made / sizeof *made);
    made[made_count++] = broker;
    return *(const bool *)arg ? wire_attempt(broker, 1) : wire_accept(broker);
}

static const struct {
    bool attempt;
    const char *script;
    int status;
    uint64_t at;
} conversations[] = {
    {false,
     "probe, hello L, select L, syn /a /b, ack, data L 0 /b x, data O 0 /b y, ping L p, update L "
     "/q, hex 0000000163, hex 00000000, pong L p, data L 0 <$>/local/ x, data L 0 /b z",
     LEAT_END, 0},
    {true, "probe, hello H, synack /a, data H M /b x, data H 0 /c y, update H, data H 0 /b z",
     LEAT_END, 0},
    {false, "hello H, synack /a, data H 0 /b x, hex 04000001, data H 0 /b y", LEAT_E_LIMIT, 82},
    {true, "select L, syn, syn", LEAT_E_PROTOCOL, 36},
    {true, "drop H 28 bye", LEAT_END, 0},
};

START_TEST(every_split)
{
    struct t_bytes octets = wire(conversations[_i].script);
    size_t i;

    t_every_split_gives(make, &conversations[_i].attempt, octets.data, octets.length,
                        conversations[_i].status, conversations[_i].at);
    for (i = 0; i < made_count; i++)
        leat_broker_free(made[i]);
    made_count = 0;
    t_free(octets);
}
END_TEST

/* ----- memory that is short ----- */

/* Two endpoints and the pipe between them, where every call may fail. */
struct both {
    leat_broker *brokers[2];
    leat_session *sessions[4]; /* of the first, of the second, ... */
    size_t count;
    int status; /* LEAT_OK, or the first LEAT_E_NOMEM */
};

static bool well(struct both *both, int status)
{
    if (status == LEAT_E_NOMEM)
        both->status = status;
    else
        ck_assert_int_ge(status, LEAT_OK);
    return status >= LEAT_OK;
}

static void start(struct both *both, const leat_config *config, const leat_broker_options *given)
{
    leat_broker_options options = *given;
    size_t i;

    memset(both, 0, sizeof *both);
    for (i = 0; i < 2; i++) {
        memset(options.id, (int)i + 1, sizeof options.id);
        if (!well(both, leat_broker_new(config, &options, &both->brokers[i])))
            return;
        (void)well(both, leat_broker_subscribe(both->brokers[i], i == 0 ? "/zero" : "/one", 4));
        (void)well(both, leat_broker_subscribe(both->brokers[i], "/z/z", 4));
    }
}

/* Connects what is due at that endpoint to the other one. */
static void join(struct both *both, size_t from)
{
    leat_session *session;

    while (both->count < 4 && leat_broker_connect(both->brokers[from], &session) == LEAT_OK) {
        both->sessions[both->count] = session;
        if (!well(both, leat_broker_accept(both->brokers[!from], "from", 1,
                                           &both->sessions[both->count + 1]))) {
            leat_session_free(session);
            return;
        }
        both->count += 2;
    }
}

static bool pass(struct both *both, leat_session *from, leat_session *to)
{
    const leat_event *event;
    const void *data;
    size_t length;
    int status;

    while ((status = leat_next(from, &event)) == LEAT_OK)
        ;
    if (status == LEAT_E_NOMEM)
        both->status = status;
    data = leat_send_data(from, &length);
    if (length == 0)
        return false;
    if ((leat_wants(to) & LEAT_WANT_READ) != 0 && leat_feed(to, data, length) == LEAT_E_NOMEM) {
        both->status = LEAT_E_NOMEM;
        (void)leat_recv_eof(to);
    }
    ck_assert_int_eq(leat_send_done(from, length), LEAT_OK);
    return true;
}

static void run(struct both *both)
{
    bool more = true;
    size_t i;

    while (more) {
        more = false;
        for (i = 0; i < both->count; i++)
            more |= pass(both, both->sessions[i], both->sessions[i ^ 1]);
        for (i = 0; i < both->count; i++) {
            if ((leat_wants(both->sessions[i ^ 1]) & LEAT_WANT_CLOSE) != 0)
                (void)leat_recv_eof(both->sessions[i]);
        }
    }
}

static int finish(struct both *both, bool brokers_first)
{
    const leat_event *event;
    size_t i;

    for (i = 0; brokers_first && i < 2; i++)
        leat_broker_free(both->brokers[i]);
    for (i = 0; i < both->count; i++)
        leat_session_free(both->sessions[i]);
    for (i = 0; !brokers_first && i < 2; i++) {
        int status = LEAT_MORE;

        while (both->brokers[i] != NULL &&
               (status = leat_broker_next(both->brokers[i], &event)) == LEAT_OK)
            ;
        if (status == LEAT_E_NOMEM)
            both->status = status;
        leat_broker_free(both->brokers[i]);
    }
    return both->status;
}

static void say_something(struct both *both, size_t from, const char *topic, size_t octets)
{
    char *text = calloc(1, octets + 1);
    leat_builder *builder;

    ck_assert_ptr_nonnull(text);
    ck_assert_int_eq(leat_builder_new(NULL, &builder), LEAT_OK);
    ck_assert_int_eq(leat_builder_text(builder, NULL, text, octets), LEAT_OK);
    (void)well(both, leat_broker_publish(both->brokers[from], topic, strlen(topic),
                                         leat_builder_value(builder)));
    leat_builder_free(builder);
    free(text);
}

/* What goes on in each scenario. */
enum {
    TALK,   /* both publish, subscribe and ping, and one says goodbye */
    CROSS,  /* both connect to each other */
    WAIT,   /* one does not read, and much waits */
    UNTOLD, /* sessions are freed before they told all, and nobody is unpeered */
    LEFT,   /* the endpoints are freed first */
    SCENARIOS
};

static int scenario(const leat_config *config, const void *arg)
{
    int what = *(const int *)arg;
    leat_broker_options options;
    struct both both;
    int i;

    leat_broker_options_init(&options, sizeof options);
    options.forwarding = what == TALK;
    options.queue_messages = 20;
    options.ping_ms = 1000;
    start(&both, config, &options);
    if (both.brokers[1] == NULL)
        return finish(&both, false);
    (void)well(&both, leat_broker_peer(both.brokers[0], "other", 1, 1));
    if (what == CROSS)
        (void)well(&both, leat_broker_peer(both.brokers[1], "other", 1, 1));
    join(&both, 0);
    join(&both, 1);
    if (what == UNTOLD) {
        const leat_event *event;

        if (both.count > 0) {
            (void)pass(&both, both.sessions[0], both.sessions[1]);
            (void)leat_next(both.sessions[1], &event);
        }
        if (leat_broker_unpeer(both.brokers[1], "nobody", 1) == LEAT_E_NOMEM)
            both.status = LEAT_E_NOMEM;
        return finish(&both, false);
    }
    run(&both);
    (void)well(&both, leat_broker_subscribe(both.brokers[0], "/more", 5));
    run(&both);
    if (what == WAIT) {
        for (i = 0; i < 40; i++)
            say_something(&both, 1, "/zero", 10000);
    } else {
        say_something(&both, 1, "/zero", 100);
        say_something(&both, 0, "/one", 100000);
    }
    if (what == LEFT)
        return finish(&both, true);
    leat_broker_tick(both.brokers[0], 1000);
    run(&both);
    (void)leat_broker_unsubscribe(both.brokers[0], "/more", 5);
    (void)leat_broker_unpeer(both.brokers[0], "other", 1);
    run(&both);
    leat_broker_tick(both.brokers[0], 4000);
    (void)leat_broker_shutdown(both.brokers[1]);
    run(&both);
    return finish(&both, false);
}

START_TEST(every_alloc)
{
    t_every_alloc(scenario, &_i);
}
END_TEST

/* The octets of a status that found no memory are kept for later. */
static void *deny(void *ctx, void *block, size_t old_bytes, size_t new_bytes)
{
    const bool *denies = (const bool *)ctx;

    (void)old_bytes;
    if (new_bytes == 0) {
        free(block);
        return NULL;
    }
    return *denies ? NULL : realloc(block, new_bytes);
}

START_TEST(status_without_memory)
{
    bool denies = false;
    const leat_allocator allocator = {deny, &denies};
    leat_config config;
    leat_broker *broker;
    leat_session *session;
    const leat_event *event;

    leat_config_init(&config, sizeof config);
    config.allocator = &allocator;
    broker = wire_broker(&config, NULL);
    session = wire_peer(broker, false, 'L', "");
    ck_assert_int_eq(leat_recv_eof(session), LEAT_OK);
    leat_session_trim(session);
    denies = true;
    ck_assert_int_eq(leat_next(session, &event), LEAT_E_NOMEM);
    denies = false;
    leat_session_free(session);
    wire_broker_tells(broker, "peer_lost, endpoint_unreachable");
    leat_broker_free(broker);
}
END_TEST

static void tests(TCase *tc)
{
    tcase_add_loop_test(tc, queue, 0, sizeof queues / sizeof *queues);
    tcase_add_loop_test(tc, queue_of_one, 0, 2);
    tcase_add_test(tc, too_long_to_wait);
    tcase_add_test(tc, disconnect);
    tcase_add_loop_test(tc, controls_wait, 0, 3);
    tcase_add_loop_test(tc, ping_flood, 0, sizeof floods / sizeof *floods);
    tcase_add_loop_test(tc, ping_flood_ends, 0, 2);
    tcase_add_test(tc, shared_octets);
    tcase_add_test(tc, idle_memory);
    tcase_add_test(tc, no_allocation);
    tcase_add_loop_test(tc, every_split, 0, sizeof conversations / sizeof *conversations);
    tcase_add_loop_test(tc, every_alloc, 0, SCENARIOS);
    tcase_add_test(tc, status_without_memory);
}

T_MAIN("broker/faults", tests)
