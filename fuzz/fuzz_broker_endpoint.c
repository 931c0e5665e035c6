/*
 * An endpoint with several peers, where all happens that a program may do and a peer may say: one peering
 * for an id, statuses in order, lawful output on every session, and all memory given back.
 */
#include "broker_live.h"

#define SESSIONS 6u

struct endpoint {
    leat_broker *broker;
    struct spoken spoken[SESSIONS];
    struct memory memory;
    uint64_t told, said, now_ms;
};

static const char *const addresses[] = {"one", "two", "three"};

static const char *address_of(unsigned choice)
{
    return addresses[choice % (sizeof addresses / sizeof *addresses)];
}

/* A place where there is no session; NULL: all are taken. */
static struct spoken *place(struct endpoint *endpoint)
{
    size_t i;

    for (i = 0; i < SESSIONS; i++) {
        if (endpoint->spoken[i].session == NULL)
            return &endpoint->spoken[i];
    }
    return NULL;
}

static struct spoken *find(struct endpoint *endpoint, const leat_session *session)
{
    size_t i;

    for (i = 0; i < SESSIONS && endpoint->spoken[i].session != session; i++)
        ;
    must(i < SESSIONS);
    return &endpoint->spoken[i];
}

static void draw_broker(struct endpoint *endpoint)
{
    const leat_event *event;

    while (leat_broker_next(endpoint->broker, &event) == LEAT_OK) {
        must(is_status(leat_event_kind(event)));
        tell_event(&endpoint->told, event);
    }
}

static void end_session(struct endpoint *endpoint, struct spoken *spoken)
{
    end_spoken(spoken);
    if (endpoint->broker != NULL)
        draw_broker(endpoint);
}

static void connect(struct endpoint *endpoint)
{
    struct spoken *spoken;
    leat_session *session;

    while ((spoken = place(endpoint)) != NULL &&
           leat_broker_connect(endpoint->broker, &session) == LEAT_OK) {
        must(leat_broker_port(session) == 9999);
        begin_spoken(spoken, session);
    }
}

static void accept(struct endpoint *endpoint, unsigned how)
{
    struct spoken *spoken = place(endpoint);
    leat_session *session;

    if (spoken != NULL &&
        leat_broker_accept(endpoint->broker, address_of(how), 9999, &session) == LEAT_OK)
        begin_spoken(spoken, session);
}

static void hear(struct endpoint *endpoint, struct spoken *spoken, const struct octets *octets)
{
    if ((leat_wants(spoken->session) & LEAT_WANT_READ) == 0)
        return;
    if (leat_feed(spoken->session, octets->data, octets->length) == LEAT_OK)
        draw_told(spoken, &endpoint->told);
}

static void publish(struct endpoint *endpoint, struct input *input)
{
    static char text[40000];
    unsigned where = take(input), how = take(input);
    const char *topic = topic_of(where);
    leat_builder *builder;
    uint8_t id[16];
    int status;

    must(leat_builder_new(NULL, &builder) == LEAT_OK);
    must(leat_builder_text(builder, NULL, text, how < 128 ? how : (how - 127) * 300u) == LEAT_OK);
    memset(id, id_of(where / 8u), sizeof id);
    status = how % 4u == 0 ? leat_broker_publish_to(endpoint->broker, id, topic, strlen(topic),
                                                    leat_builder_value(builder))
                           : leat_broker_publish(endpoint->broker, topic, strlen(topic),
                                                 leat_builder_value(builder));
    must((status == LEAT_OK) == (leat_broker_error(endpoint->broker) == NULL));
    leat_builder_free(builder);
}

static void subscribe(struct endpoint *endpoint, unsigned how)
{
    static int (*const ways[])(leat_broker *, const char *, size_t) = {
        leat_broker_subscribe, leat_broker_unsubscribe, leat_broker_forward};
    const char *topic = topic_of(how);

    (void)ways[how / 8u % 3u](endpoint->broker, topic, strlen(topic));
}

static void unpeer(struct endpoint *endpoint, unsigned how)
{
    uint8_t id[16];

    memset(id, id_of(how), sizeof id);
    if (how >= 128)
        (void)leat_broker_unpeer_id(endpoint->broker, id);
    else
        (void)leat_broker_unpeer(endpoint->broker, address_of(how), 9999);
    draw_broker(endpoint);
}

static void move_clock(struct endpoint *endpoint, unsigned how)
{
    uint64_t due = leat_broker_deadline(endpoint->broker);

    if (how % 2u == 0 || due == UINT64_MAX)
        endpoint->now_ms += (uint64_t)how * 16u;
    else if (due > endpoint->now_ms)
        endpoint->now_ms = due;
    leat_broker_tick(endpoint->broker, endpoint->now_ms);
    connect(endpoint);
}

/* Drives all that are named; then none is. */
static void drive_ready(struct endpoint *endpoint)
{
    leat_session *session;
    struct spoken *spoken;
    int rounds = 0;

    while (leat_broker_ready(endpoint->broker, &session) == LEAT_OK) {
        must(rounds++ < 1000);
        spoken = find(endpoint, session);
        draw_told(spoken, &endpoint->told);
        while (take_said(spoken, SIZE_MAX, &endpoint->said) > 0)
            ;
        draw_told(spoken, &endpoint->told);
    }
}

/* No two peers have the same id. */
static void check_peers(const struct endpoint *endpoint)
{
    const leat_value *list, *item, *other;
    leat_builder *builder;
    size_t length;

    must(leat_builder_new(NULL, &builder) == LEAT_OK);
    must(leat_broker_peers(endpoint->broker, builder, NULL) == LEAT_OK);
    list = leat_builder_value(builder);
    for (item = leat_value_first(list); item != NULL; item = leat_value_next(list, item)) {
        const leat_value *peer = leat_value_get(item, "peer");
        const char *status = leat_value_text(leat_value_get(item, "status"), &length);

        if (memcmp(status, "PEERED", 6) != 0)
            continue;
        for (other = leat_value_next(list, item); other != NULL;
             other = leat_value_next(list, other)) {
            status = leat_value_text(leat_value_get(other, "status"), &length);
            must(memcmp(status, "PEERED", 6) != 0 ||
                 memcmp(
                     leat_value_bytes(leat_value_get(peer, "id"), &length),
                     leat_value_bytes(leat_value_get(leat_value_get(other, "peer"), "id"), &length),
                     16) != 0);
        }
    }
    leat_builder_free(builder);
}

/* What is asked of one session. */
static void play_session(struct endpoint *endpoint, unsigned what, struct spoken *spoken,
                         struct input *input)
{
    static struct octets octets;

    octets.length = 0;
    switch (what) {
    case 0:
    case 1:
    case 2:
        put_message(&octets, input);
        hear(endpoint, spoken, &octets);
        break;
    case 3:
        put_peer(&octets, take(input), true);
        hear(endpoint, spoken, &octets);
        break;
    case 4:
        (void)take_said(spoken, take_length(input) * 64u, &endpoint->said);
        break;
    case 5:
        (void)leat_recv_eof(spoken->session);
        draw_told(spoken, &endpoint->told);
        break;
    case 6:
        end_session(endpoint, spoken);
        break;
    case 7:
        (void)leat_broker_ping(spoken->session, "ping", take(input) % 5u);
        break;
    default:
        leat_session_trim(spoken->session);
        break;
    }
}

static void play(struct endpoint *endpoint, struct input *input)
{
    unsigned what = take(input), how;
    struct spoken *spoken = &endpoint->spoken[what / 32u % SESSIONS];

    what %= 32u;
    if (what < 20) {
        if (spoken->session != NULL)
            play_session(endpoint, what / 2u, spoken, input);
        return;
    }
    if (what == 20 || what == 21) {
        publish(endpoint, input);
        return;
    }
    how = take(input);
    switch (what) {
    case 22:
        subscribe(endpoint, how);
        break;
    case 23:
        (void)leat_broker_peer(endpoint->broker, address_of(how), 9999, how / 4u % 4u);
        connect(endpoint);
        break;
    case 24:
        unpeer(endpoint, how);
        break;
    case 25:
    case 26:
        move_clock(endpoint, how);
        break;
    case 27:
        if (how == 1)
            (void)leat_broker_shutdown(endpoint->broker);
        break;
    case 28:
    case 29:
        drive_ready(endpoint);
        break;
    default:
        accept(endpoint, how);
        break;
    }
}

static leat_broker *make(struct endpoint *endpoint, unsigned how)
{
    leat_limits limits;
    leat_config config;
    leat_broker_options options;
    leat_broker *broker = NULL;

    leat_limits_init(&limits, sizeof limits);
    limits.message_bytes = 1 << 15;
    limits.queued_bytes = how % 2u == 0 ? 1 << 20 : 1 << 14;
    leat_config_init(&config, sizeof config);
    config.allocator = &endpoint->memory.allocator;
    config.limits = &limits;
    leat_broker_options_init(&options, sizeof options);
    memset(options.id, OUR_ID, sizeof options.id);
    options.forwarding = how / 2u % 2u;
    options.overflow = how / 4u % 3u;
    options.queue_messages = how / 16u % 2u == 0 ? 100 : 2;
    options.filter_topics = how / 32u % 2u == 0 ? 100 : 2;
    options.ping_ms = how / 64u % 2u == 0 ? 0 : 500;
    if (leat_broker_new(&config, &options, &broker) != LEAT_OK)
        return NULL;
    return broker;
}

static uint64_t run(struct input input, struct manner manner)
{
    static struct endpoint endpoint;
    unsigned how = take(&input);
    size_t i;

    memset(&endpoint, 0, sizeof endpoint);
    endpoint.memory.allocator.resize = resize;
    endpoint.memory.allocator.ctx = &endpoint.memory;
    endpoint.memory.good = manner.good;
    endpoint.told = endpoint.said = NOTHING_TOLD;
    endpoint.broker = make(&endpoint, how);
    while (endpoint.broker != NULL && input.left > 0) {
        play(&endpoint, &input);
        check_peers(&endpoint);
    }
    if (how >= 128) {
        leat_broker_free(endpoint.broker);
        endpoint.broker = NULL;
    }
    for (i = 0; i < SESSIONS; i++) {
        struct spoken *spoken = &endpoint.spoken[i];

        if (spoken->session == NULL)
            continue;
        while (take_said(spoken, SIZE_MAX, &endpoint.said) > 0)
            ;
        end_session(&endpoint, spoken);
    }
    leat_broker_free(endpoint.broker);
    must(endpoint.memory.held == 0);
    tell_number(&endpoint.told, endpoint.said);
    return endpoint.told;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_runs(run, data, size, 1);
    return 0;
}
