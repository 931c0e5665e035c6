/* A thousand conversations at once: what they cost, and that none disturbs another. */
#include "live.h"

#define PAIRS  1000u
#define ROUNDS 10u

struct pair {
    leat_session *client;
    leat_session *server;
    uint32_t id;
    uint32_t got;    /* records that the client was told */
    uint32_t served; /* records that were sent */
    uint64_t digest; /* of all that went over the wire */
};

static uint64_t digest(uint64_t state, const void *octets, size_t length)
{
    const uint8_t *at = (const uint8_t *)octets;

    for (; length > 0; at++, length--)
        state = (state ^ *at) * UINT64_C(1099511628211);
    return state;
}

static void make_pair(struct pair *pair, uint32_t id, const leat_config *config)
{
    static const leat_estreamer_event_type types[] = {{17, 71}, {4, 21}};
    leat_estreamer_client_options client;
    leat_estreamer_server_options server;

    leat_estreamer_client_options_init(&client, sizeof client);
    leat_estreamer_server_options_init(&server, sizeof server);
    if (id % 5 == 0) {
        client.event_types = types;
        client.event_type_count = sizeof types / sizeof *types;
    }
    memset(pair, 0, sizeof *pair);
    pair->id = id;
    /* All ways of it: extended or not, held or not, one message in flight or some. */
    if (id % 2 != 0)
        client.request_flags &= ~LEAT_ESTREAMER_FLAG_EXTENDED_REQUEST;
    client.hold = id % 3 == 0;
    client.idle_ms = 60000;
    server.window = 1 + id % 4;
    server.connection_id = id;
    ck_assert_int_eq(leat_estreamer_client_new(config, &client, &pair->client), LEAT_OK);
    ck_assert_int_eq(leat_estreamer_server_new(config, &server, &pair->server), LEAT_OK);
}

static void free_pair(struct pair *pair)
{
    leat_session_free(pair->client);
    leat_session_free(pair->server);
}

static bool carry(struct pair *pair, leat_session *from, leat_session *to)
{
    size_t length;
    const void *data = leat_send_data(from, &length);

    pair->digest = digest(pair->digest, data, length);
    return live_move(from, to);
}

/* Each record says whose it is, and which. */
static void check_record(struct pair *pair, const leat_event *event)
{
    size_t length;
    const uint8_t *octets =
        leat_value_bytes(leat_value_get(leat_event_value(event), "record"), &length);

    ck_assert_uint_eq(length, 200);
    ck_assert_uint_eq((uint32_t)octets[0] << 8 | octets[1], pair->id);
    ck_assert_uint_eq((uint32_t)octets[2] << 8 | octets[3], pair->got);
    pair->got++;
    if (pair->id % 3 == 0)
        ck_assert_int_eq(leat_estreamer_acknowledge(pair->client, leat_event_offset(event)),
                         LEAT_OK);
}

/* One step of a conversation: whatever can be said is, one way and then the other. */
static bool step(struct pair *pair)
{
    const leat_event *event;
    bool more = carry(pair, pair->client, pair->server);

    while (leat_next(pair->server, &event) == LEAT_OK)
        ck_assert_ptr_null(leat_event_error(event));
    more = carry(pair, pair->server, pair->client) || more;
    while (leat_next(pair->client, &event) == LEAT_OK) {
        ck_assert_ptr_null(leat_event_error(event));
        if (leat_event_kind(event) == LEAT_ESTREAMER_EVENT_DATA)
            check_record(pair, event);
    }
    if (pair->id % 3 == 0)
        ck_assert_int_eq(leat_estreamer_acknowledge(pair->client, UINT64_MAX), LEAT_OK);
    return more;
}

static void serve(struct pair *pair, uint32_t count)
{
    for (; count > 0; count--) {
        uint8_t octets[200] = {(uint8_t)(pair->id >> 8), (uint8_t)pair->id,
                               (uint8_t)(pair->served >> 8), (uint8_t)pair->served};

        ck_assert_int_eq(leat_estreamer_send_record(pair->server, 9999, 1000 + pair->served / 4,
                                                    octets, sizeof octets),
                         LEAT_OK);
        pair->served++;
    }
}

/* All pairs take steps in turn, until none has more to say. */
static void talk(struct pair *pairs, uint64_t now)
{
    bool more = true;
    uint32_t i;

    while (more) {
        more = false;
        for (i = 0; i < PAIRS; i++) {
            struct pair *pair = &pairs[i * 7 % PAIRS];

            leat_tick(pair->client, now);
            leat_tick(pair->server, now);
            more = step(pair) || more;
        }
    }
}

/* The octets of all conversations, in one number. */
static uint64_t run(const leat_config *config, struct t_counter *counter)
{
    struct pair *pairs = (struct pair *)calloc(PAIRS, sizeof *pairs);
    uint64_t now = UINT64_C(1) << 40, all = 0;
    size_t calls = 0, held = 0;
    uint32_t i, round;

    ck_assert_ptr_nonnull(pairs);
    for (i = 0; i < PAIRS; i++)
        make_pair(&pairs[i], i, config);
    talk(pairs, now);
    for (round = 0; round < ROUNDS; round++) {
        now += 1000;
        for (i = 0; i < PAIRS; i++)
            serve(&pairs[i], 1 + i % 20);
        talk(pairs, now);
        if (round == ROUNDS / 2)
            calls = counter->calls;
    }
    ck_assert_uint_eq(counter->calls, calls); /* warm: no allocation for any event */

    now += 29000; /* keep-alives, and nothing else */
    talk(pairs, now);
    for (i = 0; i < PAIRS; i++) {
        ck_assert_uint_eq(pairs[i].got, ROUNDS * (1 + i % 20));
        ck_assert_uint_eq(leat_estreamer_waiting(pairs[i].server), 0);
        all = digest(all, &pairs[i].digest, sizeof pairs[i].digest);
    }

    /* A quiet session is small, and says how large it is. */
    for (i = 0; i < PAIRS; i++) {
        leat_session_trim(pairs[i].client);
        leat_session_trim(pairs[i].server);
        ck_assert_uint_le(leat_session_memory(pairs[i].client), 1024);
        ck_assert_uint_le(leat_session_memory(pairs[i].server), 1024);
        held += leat_session_memory(pairs[i].client) + leat_session_memory(pairs[i].server);
    }
    ck_assert_uint_eq(counter->now, held);

    /* And goes on. */
    for (i = 0; i < PAIRS; i++)
        serve(&pairs[i], 3);
    talk(pairs, now);
    for (i = 0; i < PAIRS; i++) {
        ck_assert_uint_eq(pairs[i].got, pairs[i].served);
        free_pair(&pairs[i]);
    }
    free(pairs);
    ck_assert_uint_eq(counter->now, 0);
    return all;
}

START_TEST(a_thousand_sessions)
{
    uint64_t first = 0;
    int i;

    for (i = 0; i < 2; i++) {
        struct t_counter counter;
        leat_config config;
        uint64_t all;

        t_counter_init(&counter);
        leat_config_init(&config, sizeof config);
        config.allocator = &counter.allocator;
        all = run(&config, &counter);
        if (i == 0)
            first = all;
        ck_assert_uint_eq(all, first); /* nothing is left to chance */
    }
}
END_TEST

/* Before anything was said. */
START_TEST(new_sessions_are_small)
{
    struct t_counter counter;
    leat_config config;
    struct pair pair;

    t_counter_init(&counter);
    leat_config_init(&config, sizeof config);
    config.allocator = &counter.allocator;
    make_pair(&pair, 0, &config);
    ck_assert_uint_eq(leat_session_memory(pair.client) + leat_session_memory(pair.server),
                      counter.now);
    ck_assert_uint_le(leat_session_memory(pair.client), 1024);
    ck_assert_uint_le(leat_session_memory(pair.server), 1024);
    free_pair(&pair);
    ck_assert_uint_eq(counter.now, 0);
}
END_TEST

/* A conversation of both sides, with events of every kind, and each allocation that fails. */
static int converse(const leat_config *config, const void *arg)
{
    leat_estreamer_client_options options;
    leat_session *client = NULL, *server = NULL;
    const leat_event *event;
    const void *data;
    size_t length;
    int turn, status;

    (void)arg;
    leat_estreamer_client_options_init(&options, sizeof options);
    options.hold = 1;
    status = leat_estreamer_client_new(config, &options, &client);
    if (status == LEAT_OK)
        status = leat_estreamer_server_new(config, NULL, &server);
    for (turn = 0; status == LEAT_OK && turn < 12; turn++) {
        leat_session *from = turn % 2 == 0 ? client : server;
        leat_session *to = turn % 2 == 0 ? server : client;

        data = leat_send_data(from, &length);
        status = leat_feed(to, data, length);
        if (status == LEAT_OK)
            status = leat_send_done(from, length);
        while (status == LEAT_OK && (status = leat_next(to, &event)) == LEAT_OK) {
            if (to == client)
                status = leat_estreamer_acknowledge(client, leat_event_offset(event));
            else if (leat_event_kind(event) == LEAT_ESTREAMER_HOST_DATA_REQUEST)
                status = live_send(server, "single_host_data", "{'block_type':157,'data':'01'}");
            else if (leat_event_kind(event) == LEAT_ESTREAMER_STREAMING_REQUEST)
                status = leat_estreamer_send_record(server, 9999, 1000, "leat", 4);
            else
                status = LEAT_OK;
            if (status == LEAT_OK && to == server &&
                leat_event_kind(event) == LEAT_ESTREAMER_STREAMING_REQUEST)
                status = live_send(server, "event_data",
                                   "{'record_type':4,'record':{'priority_id':1,'name':'high'}}");
        }
        if (status == LEAT_MORE)
            status = LEAT_OK;
        if (status == LEAT_OK && turn == 3)
            status = live_send(client, "host_data_request", "{'data_type':6}");
    }
    if (status == LEAT_OK)
        status = leat_estreamer_close(client, -1, "bye");
    if (status == LEAT_OK) {
        data = leat_send_data(client, &length);
        status = leat_feed(server, data, length);
        while (status == LEAT_OK)
            status = leat_next(server, &event);
    }
    leat_session_free(client);
    leat_session_free(server);
    ck_assert(status == LEAT_END || status == LEAT_E_NOMEM);
    return status == LEAT_END ? LEAT_OK : status;
}

START_TEST(without_memory)
{
    t_every_alloc(converse, NULL);
}
END_TEST

static void tests(TCase *tcase)
{
    tcase_add_test(tcase, a_thousand_sessions);
    tcase_add_test(tcase, new_sessions_are_small);
    tcase_add_test(tcase, without_memory);
}

T_MAIN("estreamer/many", tests)
