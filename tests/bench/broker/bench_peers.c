/*
 * An endpoint with ten thousand peers that say nothing: the memory of each, which is at most 1 KiB,
 * and what the calls of a caller's loop take, which do not depend on how many there are, beside the
 * same with ten peers. Only ratios mean something.
 */
#include "bench.h"
#include "memory.h"
#include "peers.h"
#include "race.h"

#include <leat/broker_websocket.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS  15
#define REPEAT  200u
#define FEW     10u
#define MANY    10000u
#define TOPICS  8u
#define PING_MS 60000u

#define IDLE_BYTES ((size_t)1 << 10)

static const char *const topics[TOPICS] = {
    "zeek/cluster/worker", "zeek/cluster/node/worker-1/", "zeek/control",     "zeek/intel/insert",
    "zeek/supervisor",     "zeek/telemetry/collect",      "zeek/event/bench", "bench/store/clone",
};

struct idle {
    struct memory memory;
    leat_allocator allocator;
    leat_config config;
    leat_broker *broker;
    leat_builder *builder;
    size_t count;
    leat_session **sessions;
    uint64_t now_ms;
};

static void open_idle(struct idle *idle, size_t count)
{
    leat_broker_options options;

    memset(idle, 0, sizeof *idle);
    idle->allocator = memory_allocator(&idle->memory);
    leat_config_init(&idle->config, sizeof idle->config);
    idle->config.allocator = &idle->allocator;
    leat_broker_options_init(&options, sizeof options);
    options.ping_ms = PING_MS;
    idle->broker = open_endpoint(&idle->config, &options, 0);
    idle->sessions = (leat_session **)must(calloc(count, sizeof *idle->sessions));
    idle->count = count;
    check(leat_builder_new(NULL, &idle->builder));
    check(leat_builder_text(idle->builder, NULL, "hello world", 11));
}

static void close_idle(struct idle *idle)
{
    size_t i;

    for (i = 0; i < idle->count; i++)
        leat_session_free(idle->sessions[i]);
    leat_broker_free(idle->broker);
    leat_builder_free(idle->builder);
    free(idle->sessions);
    if (idle->memory.held != 0)
        die("memory was lost");
}

static void rest(struct idle *idle)
{
    leat_session *session;

    while (leat_broker_ready(idle->broker, &session) == LEAT_OK)
        (void)draw(session);
}

static void add_peers(struct idle *idle)
{
    size_t i;

    for (i = 0; i < idle->count; i++) {
        idle->sessions[i] = join_stub(idle->broker, 1 + i, topics, TOPICS);
        leat_session_trim(idle->sessions[i]);
    }
    rest(idle);
}

/* ----- memory ----- */

/* most 0: whatever it is. */
static void print_memory(const char *what, const struct idle *idle, size_t most)
{
    size_t each = idle->memory.held / idle->count;

    (void)printf("  %-44s %5zu octets each, %zu of them the session", what, each,
                 leat_session_memory(idle->sessions[0]));
    if (most > 0)
        (void)printf(" (aim: at most %zu)", most);
    (void)printf("\n");
    if (most > 0 && each > most)
        die("a peer that says nothing holds too much");
}

/* A client of the WebSocket protocol, which the values of RFC 6455 serve as well as any others. */
static void add_client(struct idle *idle, size_t number)
{
    leat_broker_websocket_client_options client;
    leat_broker_websocket_options server;
    leat_builder *list;
    uint64_t id = 2 + number; /* the endpoint's is 1 */
    const leat_event *event;
    struct joint joint;
    size_t i, length;
    const void *octets;

    check(leat_builder_new(NULL, &list));
    check(leat_builder_open(list, NULL, LEAT_LIST));
    for (i = 0; i < TOPICS; i++)
        check(leat_builder_text(list, NULL, topics[i], strlen(topics[i])));
    check(leat_builder_close(list));
    leat_broker_websocket_client_options_init(&client, sizeof client);
    client.host = "127.0.0.1:9997";
    client.key = "dGhlIHNhbXBsZSBub25jZQ==";
    client.accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    client.topics = leat_builder_value(list);
    client.seed[0] = 1;
    check(leat_broker_websocket_client_new(NULL, &client, &joint.far));
    leat_broker_websocket_options_init(&server, sizeof server);
    memcpy(server.id, &id, sizeof id);
    server.ping_ms = UINT64_MAX;
    check(leat_broker_websocket_accept(idle->broker, &server, "127.0.0.1", 9999, &joint.near));
    octets = leat_send_data(joint.far, &length);
    check(leat_feed(joint.near, octets, length));
    check(leat_send_done(joint.far, length));
    check(leat_next(joint.near, &event));
    check(leat_broker_websocket_upgrade(joint.near, client.accept));
    settle(&joint);
    leat_session_free(joint.far);
    leat_builder_free(list);
    idle->sessions[number] = joint.near;
    leat_session_trim(joint.near);
}

static void bench_clients(void)
{
    struct idle idle;
    size_t i;

    open_idle(&idle, MANY);
    for (i = 0; i < MANY; i++)
        add_client(&idle, i);
    rest(&idle);
    print_memory("a client over WebSocket, 8 topics, trimmed", &idle, 0);
    close_idle(&idle);
}

/* ----- a caller's loop ----- */

static void ask_deadline(void *context)
{
    struct idle *idle = (struct idle *)context;

    if (leat_broker_deadline(idle->broker) <= idle->now_ms)
        die("something is due");
}

static void tick(void *context)
{
    struct idle *idle = (struct idle *)context;

    leat_broker_tick(idle->broker, idle->now_ms);
}

static void ask_ready(void *context)
{
    struct idle *idle = (struct idle *)context;
    leat_session *session;

    if (leat_broker_ready(idle->broker, &session) != LEAT_MORE)
        die("somebody is ready");
}

/* One of all speaks, and has an answer to write. */
static void ask_who_is_ready(void *context)
{
    struct idle *idle = (struct idle *)context;
    leat_session *session;

    check(leat_broker_ping(idle->sessions[idle->count / 2], "bench", 5));
    if (leat_broker_ready(idle->broker, &session) != LEAT_OK ||
        session != idle->sessions[idle->count / 2])
        die("somebody else is ready");
    (void)drain(session);
    ask_ready(context);
}

static void publish_to_nobody(void *context)
{
    struct idle *idle = (struct idle *)context;

    check(leat_broker_publish(idle->broker, "zeek/nobody", 11, leat_builder_value(idle->builder)));
}

static void publish_to_one(void *context)
{
    struct idle *idle = (struct idle *)context;
    size_t one = idle->count / 2;

    check(leat_broker_publish_to(idle->broker, leat_broker_peer_id(idle->sessions[one]), "zeek/any",
                                 8, leat_builder_value(idle->builder)));
    (void)drain(idle->sessions[one]);
}

static void bench_calls(void)
{
    static const struct {
        const char *name;
        void (*run)(void *);
    } calls[] = {
        {"leat_broker_deadline()", ask_deadline},
        {"leat_broker_tick()", tick},
        {"leat_broker_ready(), nobody is", ask_ready},
        {"leat_broker_ready(), one is", ask_who_is_ready},
        {"publishing to one by its id", publish_to_one},
        {"publishing to nobody", publish_to_nobody},
    };
    struct idle few, many;
    size_t i;

    open_idle(&few, FEW);
    add_peers(&few);
    open_idle(&many, MANY);
    add_peers(&many);
    print_memory("a native peer, 8 topics, trimmed", &many, IDLE_BYTES);
    bench_clients();
    (void)printf("calls of an endpoint with %u peers, beside %u\n", MANY, FEW);
    for (i = 0; i < sizeof calls / sizeof *calls; i++) {
        struct runner runners[] = {{"few", calls[i].run, &few, 0},
                                   {"many", calls[i].run, &many, 0}};

        race(runners, 2, ROUNDS, REPEAT);
        (void)printf("  %-32s %9.1f ns, %9.1f ns: %.2f\n", calls[i].name, runners[1].best * 1e9,
                     runners[0].best * 1e9, runners[1].best / runners[0].best);
    }
    close_idle(&few);
    close_idle(&many);
}

int main(void)
{
    (void)printf("memory of %u sessions of one endpoint, with its share of that\n", MANY);
    bench_calls();
    return 0;
}
