/*
 * A controller among agents and clients that say anything, peers that come and go, and memory that is
 * short for a while. Each request has one response at most, and one once the time is over; what an
 * agent is asked has a reqid of its own; what waits is bounded; whom the controller calls ready is
 * known and wanted.
 *
 * A script: of each step the first octet tells what is done, those behind it with what. What the
 * controller says is heard by a peer that subscribes to all.
 */
#include "../lib/core/session.h"

#include "zeek_live.h"

#include <leat/zeek_controller.h>
#include <stdio.h>

enum step { PEER, LEAVE, HELLO, STAGE, ASK, OWN, ANSWER, RAW, TICK, FAIL, RESTORE, STEPS };

#define STEPS_MAX  120u
#define REQUESTS   3u /* that may wait */
#define INSTANCES  4u
#define EVENTS     24u
#define TIMEOUT_MS 1000u
#define HEARD      256u
#define AGENTS     5u
#define FIRST_ID   0x41

struct asked {
    uint32_t kind;
    bool is_own;
    unsigned responses;
};

/* What the controller has asked an agent. */
struct heard {
    uint32_t kind;
    char topic[40];
    char reqid[48];
};

struct bench {
    leat_broker *brokers[2]; /* the controller's, that of the peer */
    leat_session *sessions[2];
    leat_zeek_controller *controller;
    struct gate gate;
    uint64_t now_ms;
    struct asked asked[STEPS_MAX + 1];
    unsigned count;
    bool is_peer[AGENTS];
    unsigned senders[AGENTS];  /* who has said hello last, by names */
    struct heard heard[HEARD]; /* the latest */
    unsigned heard_count;
};

static const char *const names[AGENTS] = {"a", "b", "c", "d", "e"};
static const char *const nodes[AGENTS] = {"l", "w", "x", "y", "z"};

/* ----- calls of the controller, in which memory may fail ----- */

#define CALL(b, status, call)                                                                      \
    do {                                                                                           \
        gate_enter(&(b)->gate);                                                                    \
        (status) = (call);                                                                         \
    } while (gate_leave(&(b)->gate, status, leat_zeek_controller_memory((b)->controller)))

static void tick(struct bench *b)
{
    unsigned ticks = 0;

    do {
        must(ticks++ < 3);
        gate_enter(&b->gate);
        leat_zeek_controller_tick(b->controller, b->now_ms);
        (void)gate_leave(&b->gate, LEAT_OK, leat_zeek_controller_memory(b->controller));
    } while (leat_zeek_controller_deadline(b->controller) <= b->now_ms);
}

/* ----- what is said and told ----- */

static const char *reqid_of(const leat_value *args, char text[48])
{
    size_t length;
    const char *reqid = leat_value_text(leat_value_get(args, "reqid"), &length);

    must(length < 48);
    memcpy(text, reqid, length);
    text[length] = '\0';
    return text;
}

/* A response to "r07". */
static void count_response(struct bench *b, uint32_t kind, const leat_value *args, bool is_own)
{
    struct asked *asked;
    char reqid[48];
    unsigned number;

    must(sscanf(reqid_of(args, reqid), "r%u", &number) == 1 && number < b->count);
    asked = &b->asked[number];
    must(asked->kind + 1 == kind && asked->is_own == is_own);
    asked->responses++;
    must(asked->responses == 1);
}

/* What an agent is asked: welcomes are repeated, and standbys have no reqid. */
static void count_ask(struct bench *b, uint32_t kind, const leat_value *args, const char *topic,
                      size_t length)
{
    struct heard *heard = &b->heard[b->heard_count % HEARD];
    char reqid[48];
    unsigned i;

    (void)reqid_of(args, reqid);
    must((*reqid == '\0') == (kind == LEAT_ZEEK_AGENT_AGENT_STANDBY_REQUEST));
    must(length < sizeof heard->topic);
    for (i = 0; i < b->heard_count && i < HEARD && *reqid != '\0'; i++)
        must(strcmp(b->heard[i].reqid, reqid) != 0 ||
             (kind == LEAT_ZEEK_AGENT_AGENT_WELCOME_REQUEST && b->heard[i].kind == kind &&
              strncmp(b->heard[i].topic, topic, length) == 0));
    heard->kind = kind;
    memcpy(heard->topic, topic, length);
    heard->topic[length] = '\0';
    memcpy(heard->reqid, reqid, sizeof reqid);
    b->heard_count++;
}

static void hear(struct bench *b, const leat_value *value)
{
    leat_builder *args = builder();
    leat_zeek_message message;
    const char *topic;
    size_t length;
    uint32_t kind;

    topic = leat_value_text(leat_value_get(value, "topic"), &length);
    leat_zeek_message_init(&message, sizeof message);
    must(leat_zeek_read(leat_value_get(value, "data"), &message) == LEAT_OK);
    kind = leat_zeek_management_kind(&message);
    must(leat_zeek_management_read(args, NULL, &message, NULL) == LEAT_OK);
    if (kind >= LEAT_ZEEK_CONTROLLER_GET_INSTANCES_REQUEST)
        count_response(b, kind, leat_builder_value(args), false);
    else
        count_ask(b, kind, leat_builder_value(args), topic, length);
    leat_builder_free(args);
}

/* Nobody is known who is no peer. */
static void check_known(struct bench *b, const leat_value *instance)
{
    const uint8_t *id = leat_value_bytes(leat_value_get(instance, "id"), NULL);
    size_t length;
    const char *what = leat_value_text(leat_value_get(instance, "what"), &length);

    if (length == 5 && memcmp(what, "known", 5) == 0)
        must(id != NULL && *id >= FIRST_ID && b->is_peer[(*id - FIRST_ID) % AGENTS]);
}

static void drain(struct bench *b)
{
    const leat_event *event;
    unsigned count = 0;

    while (leat_zeek_controller_next(b->controller, &event) == LEAT_OK) {
        const leat_value *value = leat_event_value(event);
        uint32_t kind = leat_event_kind(event);
        char reqid[48];
        unsigned number;

        if (kind == LEAT_ZEEK_INSTANCE)
            check_known(b, value);
        must(++count <= EVENTS && value != NULL && leat_event_name(event, NULL) != NULL);
        if (kind < LEAT_ZEEK_CONTROLLER_GET_INSTANCES_REQUEST ||
            kind > LEAT_ZEEK_CONTROLLER_TEST_TIMEOUT_RESPONSE || kind % 2 == 1)
            continue;
        if (sscanf(reqid_of(value, reqid), "r%u", &number) == 1 && number < b->count &&
            b->asked[number].is_own)
            count_response(b, kind, value, true);
    }
}

static void listen(struct bench *b)
{
    const leat_event *event;
    bool some = true;
    unsigned from;

    while (some) {
        some = false;
        for (from = 0; from < 2; from++) {
            size_t length;
            const void *data = leat_send_data(b->sessions[from], &length);

            some |= length > 0;
            if (length > 0)
                must(leat_feed(b->sessions[!from], data, length) == LEAT_OK &&
                     leat_send_done(b->sessions[from], length) == LEAT_OK);
            while (leat_next(b->sessions[!from], &event) == LEAT_OK) {
                if (from == 0 && leat_event_kind(event) == LEAT_BROKER_DATA)
                    hear(b, leat_event_value(event));
            }
        }
    }
}

/* All that is wanted is within its limit, and what is ready is known and wanted. */
static void check_instances(struct bench *b)
{
    leat_builder *list = builder();
    const leat_value *all, *at;

    must(leat_zeek_controller_instances(b->controller, list, NULL) == LEAT_OK);
    all = leat_builder_value(list);
    must(leat_value_count(all) <= INSTANCES);
    for (at = leat_value_first(all); at != NULL; at = leat_value_next(all, at)) {
        bool known = leat_value_bool(leat_value_get(at, "known"));
        bool wanted = leat_value_bool(leat_value_get(at, "wanted"));

        must(known || wanted);
        must(!leat_value_bool(leat_value_get(at, "ready")) || (known && wanted));
    }
    leat_builder_free(list);
}

static void settle(struct bench *b)
{
    tick(b);
    listen(b);
    check_instances(b);
}

/* ----- what comes ----- */

static void give(struct bench *b, uint32_t kind, leat_builder *value)
{
    leat_event event = {.kind = kind, .name = "", .value = leat_builder_value(value)};
    int status;

    must(event.value != NULL);
    CALL(b, status, leat_zeek_controller_take(b->controller, &event));
    must(status == LEAT_OK || status == LEAT_MORE);
    leat_builder_free(value);
    settle(b);
}

static const uint8_t *id_of(unsigned which)
{
    static uint8_t id[16];

    memset(id, FIRST_ID + (int)which, sizeof id);
    return id;
}

static void say_peer(struct bench *b, uint32_t kind, unsigned which)
{
    static const char *const addresses[] = {"10.0.0.1", "::1", "host", "0.0.0.0", "10.0.0.1"};
    leat_builder *out = builder();

    (void)leat_builder_open(out, NULL, LEAT_RECORD);
    (void)leat_builder_open(out, "endpoint", LEAT_RECORD);
    (void)leat_builder_uuid(out, "id", id_of(which));
    (void)leat_builder_open(out, "network", LEAT_RECORD);
    (void)leat_builder_text(out, "address", addresses[which], strlen(addresses[which]));
    (void)leat_builder_port(out, "bound_port", 2151 + which, LEAT_PROTOCOL_TCP);
    (void)leat_builder_close(out);
    (void)leat_builder_close(out);
    (void)leat_builder_close(out);
    give(b, kind, out);
}

/* What that sender publishes; typed or not. */
static void say(struct bench *b, unsigned sender, const char *topic, const leat_value *data)
{
    leat_builder *out = builder();

    (void)leat_builder_open(out, NULL, LEAT_RECORD);
    (void)leat_builder_uuid(out, "sender", id_of(sender));
    (void)leat_builder_text(out, "topic", topic, strlen(topic));
    (void)leat_builder_copy(out, "data", data);
    (void)leat_builder_close(out);
    give(b, LEAT_BROKER_DATA, out);
}

static void say_typed(struct bench *b, unsigned sender, const char *topic, uint32_t kind,
                      leat_builder *args)
{
    leat_builder *event = builder();

    must(leat_builder_close(args) == LEAT_OK);
    must(leat_zeek_management_write(event, NULL, kind, leat_builder_value(args), NULL) == LEAT_OK);
    say(b, sender, topic, leat_builder_value(event));
    leat_builder_free(event);
    leat_builder_free(args);
}

static void own_topic(unsigned which, char topic[40])
{
    (void)snprintf(topic, 40, "%s/%s", LEAT_ZEEK_AGENT_TOPIC_PREFIX, names[which]);
}

static void add_peer(struct bench *b, struct input *input)
{
    unsigned which = take(input) % AGENTS;

    b->is_peer[which] = true;
    say_peer(b, LEAT_BROKER_PEER_ADDED, which);
}

static void lose_peer(struct bench *b, struct input *input)
{
    unsigned which = take(input);

    b->is_peer[which % AGENTS] = false;
    say_peer(b, which < 128 ? LEAT_BROKER_PEER_LOST : LEAT_BROKER_PEER_REMOVED, which % AGENTS);
}

static void hello(struct bench *b, struct input *input)
{
    unsigned who = take(input), how = take(input), sender = who % AGENTS;
    unsigned name = who < 200 ? sender : who % 7 % AGENTS, id = how < 230 ? sender : how % AGENTS;
    leat_builder *args = builder();
    char text[40], topic[40];

    (void)leat_builder_open(args, NULL, LEAT_RECORD);
    (void)leat_builder_text(args, "instance", names[name], who == 255 ? 0 : 1);
    (void)snprintf(text, sizeof text, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-", FIRST_ID + id,
                   FIRST_ID + id, FIRST_ID + id, FIRST_ID + id, FIRST_ID + id, FIRST_ID + id,
                   FIRST_ID + id, FIRST_ID + id, FIRST_ID + id, FIRST_ID + id);
    while (strlen(text) < 36)
        (void)snprintf(text + strlen(text), 3, "%02x", FIRST_ID + id);
    (void)leat_builder_text(args, "id", text, 36);
    (void)leat_builder_bool(args, "connecting", (how & 1) != 0);
    (void)leat_builder_u64(args, "api_version", (how & 30) == 30 ? 2 : 1);
    own_topic(name, topic);
    b->senders[name] = sender;
    say_typed(b, sender, topic, LEAT_ZEEK_AGENT_NOTIFY_AGENT_HELLO, args);
}

/* ----- what clients and the caller ask ----- */

static void put_config(leat_builder *out, const char *name, struct input *input)
{
    unsigned which = take(input), listening = take(input), place = take(input), i;
    const uint8_t hosts[2][4] = {{0, 0, 0, 0}, {10, 0, 0, 1}};

    (void)leat_builder_open(out, name, LEAT_RECORD);
    (void)leat_builder_text(out, "id", &"ABCD"[place & 3], 1);
    (void)leat_builder_open(out, "instances", LEAT_SET);
    for (i = 0; i < AGENTS; i++) {
        if ((which >> i & 1) == 0)
            continue;
        (void)leat_builder_open(out, NULL, LEAT_RECORD);
        (void)leat_builder_text(out, "name", names[i], 1);
        (void)leat_builder_address(out, "host", hosts[listening >> i & 1], 4);
        if ((listening >> i & 1) != 0)
            (void)leat_builder_port(out, "listen_port", 2151 + (place & 1), LEAT_PROTOCOL_TCP);
        (void)leat_builder_close(out);
    }
    (void)leat_builder_close(out);
    (void)leat_builder_open(out, "nodes", LEAT_SET);
    for (i = 0; i < AGENTS; i++) {
        (void)leat_builder_open(out, NULL, LEAT_RECORD);
        (void)leat_builder_text(out, "name", nodes[i], 1);
        (void)leat_builder_text(out, "instance", names[(i + (place >> 4)) % AGENTS], 1);
        (void)leat_builder_enum(out, "role", "Supervisor::WORKER", 18);
        (void)leat_builder_enum(out, "state", "Management::RUNNING", 19);
        (void)leat_builder_close(out);
        if ((which >> (i + 3) & 1) == 0)
            break;
    }
    (void)leat_builder_close(out);
    (void)leat_builder_close(out);
}

static void ask(struct bench *b, struct input *input, bool is_own, uint32_t kind)
{
    static const uint8_t common[] = {23, 23, 23, 23, 25, 25, 27, 27,
                                     29, 29, 31, 21, 17, 19, 19, 31};
    unsigned how = take(input), which = take(input), i;
    struct asked *asked = &b->asked[b->count];
    leat_builder *args = builder();
    char reqid[24];
    int status;

    asked->kind = kind == 0 ? common[how % 16] : kind;
    asked->is_own = is_own;
    (void)snprintf(reqid, sizeof reqid, "r%u", b->count++);
    (void)leat_builder_open(args, NULL, LEAT_RECORD);
    (void)leat_builder_text(args, "reqid", reqid, strlen(reqid));
    if (asked->kind == LEAT_ZEEK_CONTROLLER_STAGE_CONFIGURATION_REQUEST)
        put_config(args, "config", input);
    if (asked->kind == LEAT_ZEEK_CONTROLLER_GET_CONFIGURATION_REQUEST)
        (void)leat_builder_bool(args, "deployed", (how & 16) != 0);
    if (asked->kind == LEAT_ZEEK_CONTROLLER_TEST_TIMEOUT_REQUEST) {
        (void)leat_builder_bool(args, "with_state", (how & 16) != 0);
        asked->responses = (how & 16) == 0; /* none is right, and one would be too many */
    }
    if (asked->kind == LEAT_ZEEK_CONTROLLER_GET_ID_VALUE_REQUEST)
        (void)leat_builder_text(args, "id", "X::y", 4);
    if (asked->kind == LEAT_ZEEK_CONTROLLER_GET_ID_VALUE_REQUEST ||
        asked->kind == LEAT_ZEEK_CONTROLLER_RESTART_REQUEST) {
        (void)leat_builder_open(args, "nodes", LEAT_SET);
        for (i = 0; i < AGENTS; i++) {
            if ((which >> i & 1) != 0)
                (void)leat_builder_text(args, NULL, nodes[i], 1);
        }
        (void)leat_builder_close(args);
    }
    if (!is_own) {
        say_typed(b, AGENTS, LEAT_ZEEK_CONTROLLER_TOPIC, asked->kind, args);
        return;
    }
    must(leat_builder_close(args) == LEAT_OK);
    CALL(b, status,
         leat_zeek_controller_request(b->controller, asked->kind, leat_builder_value(args), NULL));
    must(status == LEAT_OK);
    leat_builder_free(args);
    settle(b);
}

static void stage(struct bench *b, struct input *input)
{
    ask(b, input, false, LEAT_ZEEK_CONTROLLER_STAGE_CONFIGURATION_REQUEST);
}

static void ask_as_client(struct bench *b, struct input *input)
{
    ask(b, input, false, 0);
}

static void ask_as_caller(struct bench *b, struct input *input)
{
    ask(b, input, true, 0);
}

static void restore(struct bench *b, struct input *input)
{
    leat_builder *out = builder();
    int status;

    put_config(out, NULL, input);
    CALL(b, status, leat_zeek_controller_restore(b->controller, leat_builder_value(out)));
    must(status == LEAT_OK || status == LEAT_E_STATE || status == LEAT_E_LIMIT);
    if (status == LEAT_OK)
        must(leat_zeek_controller_restore(b->controller, NULL) == LEAT_E_STATE);
    leat_builder_free(out);
    settle(b);
}

/* ----- what agents answer ----- */

static void put_result(leat_builder *out, const char *name, const struct heard *heard, unsigned how)
{
    (void)leat_builder_open(out, name, LEAT_RECORD);
    (void)leat_builder_text(out, "reqid", heard->reqid, strlen(heard->reqid));
    (void)leat_builder_bool(out, "success", (how & 1) == 0);
    if (heard->kind == LEAT_ZEEK_AGENT_GET_NODES_REQUEST) {
        (void)leat_builder_open(out, "data", LEAT_LIST);
        (void)leat_builder_close(out);
    }
    (void)leat_builder_text(out, "error", "no", (how & 1) * 2);
    (void)leat_builder_close(out);
}

static void answer(struct bench *b, struct input *input)
{
    unsigned back = take(input) % 16, how = take(input), count = how >> 1 & 3;
    const struct heard *heard;
    leat_builder *args;
    unsigned sender;

    if (b->heard_count <= back)
        return;
    heard = &b->heard[(b->heard_count - 1 - back) % HEARD];
    sender = (unsigned)(heard->topic[strlen(heard->topic) - 1] - 'a') % AGENTS;
    sender = (how & 0x18) == 0x18 ? AGENTS - 1 : b->senders[sender];
    args = builder();
    if ((how & 0xe0) == 0xe0) { /* what is no Result */
        const char *name = leat_zeek_management_name(heard->kind + 1);

        (void)leat_zeek_event_open(args, NULL, name, strlen(name));
        (void)leat_builder_text(args, NULL, heard->reqid, strlen(heard->reqid));
        (void)leat_builder_u64(args, NULL, how);
        must(leat_zeek_event_close(args) == LEAT_OK);
        say(b, sender, heard->topic, leat_builder_value(args));
        leat_builder_free(args);
        return;
    }
    (void)leat_builder_open(args, NULL, LEAT_RECORD);
    (void)leat_builder_text(args, "reqid", heard->reqid, strlen(heard->reqid));
    if (heard->kind == LEAT_ZEEK_AGENT_GET_NODES_REQUEST ||
        heard->kind == LEAT_ZEEK_AGENT_AGENT_WELCOME_REQUEST ||
        heard->kind == LEAT_ZEEK_AGENT_AGENT_STANDBY_REQUEST) {
        put_result(args, "result", heard, how);
    } else {
        (void)leat_builder_open(args, "results", LEAT_LIST);
        while (count-- > 0)
            put_result(args, NULL, heard, how + count);
        (void)leat_builder_close(args);
    }
    say_typed(b, sender, heard->topic, heard->kind + 1, args);
}

/* Any event with any arguments; but no request, whose answer could not be told from others. */
static void say_raw(struct bench *b, struct input *input)
{
    const char *name = leat_zeek_management_name(1 + take(input) % 16);
    size_t length = take(input);
    leat_builder *args = builder(), *event = builder();
    leat_zeek_message message;
    char topic[40];

    own_topic(take(input) % AGENTS, topic);
    length = length < input->left ? length : input->left;
    leat_zeek_message_init(&message, sizeof message);
    message.kind = LEAT_ZEEK_EVENT;
    message.name = name;
    message.name_length = strlen(name);
    if (leat_broker_read(args, NULL, input->at, length) == LEAT_OK)
        message.args = leat_builder_value(args);
    input->at += length;
    input->left -= length;
    if (leat_zeek_write(event, NULL, &message) == LEAT_OK)
        say(b, 1, topic, leat_builder_value(event));
    leat_builder_free(args);
    leat_builder_free(event);
}

static void pass(struct bench *b, uint64_t ms)
{
    b->now_ms += ms;
    leat_broker_tick(b->brokers[0], b->now_ms);
    leat_broker_tick(b->brokers[1], b->now_ms);
    settle(b);
}

static void step(struct bench *b, struct input *input)
{
    static void (*const steps[])(struct bench *, struct input *) = {
        [PEER] = add_peer, [LEAVE] = lose_peer,   [HELLO] = hello,
        [STAGE] = stage,   [ASK] = ask_as_client, [OWN] = ask_as_caller,
        [ANSWER] = answer, [RAW] = say_raw,       [RESTORE] = restore};
    enum step what = (enum step)(take(input) % STEPS);

    switch (what) {
    case TICK:
        pass(b, (uint64_t)take(input) * 10);
        break;
    case FAIL:
        b->gate.good = take(input) % 64;
        b->gate.failing = true;
        break;
    case PEER:
    case LEAVE:
    case HELLO:
    case STAGE:
    case ASK:
    case OWN:
    case ANSWER:
    case RAW:
    case RESTORE:
    case STEPS:
    default:
        steps[what](b, input);
        break;
    }
    drain(b);
}

/* ----- a run ----- */

static void begin(struct bench *b)
{
    leat_broker_options options;
    leat_zeek_controller_options own;
    leat_config config, shared;
    leat_allocator counted = {gated_and_counted, &b->gate}, plain = {gated, &b->gate};
    unsigned i;

    memset(b, 0, sizeof *b);
    b->gate.left = ALWAYS;
    b->now_ms = 1000;
    leat_config_init(&config, sizeof config);
    leat_config_init(&shared, sizeof shared);
    config.allocator = &counted;
    shared.allocator = &plain;
    leat_broker_options_init(&options, sizeof options);
    for (i = 0; i < 2; i++) {
        memset(options.id, (int)i + 1, sizeof options.id);
        must(leat_broker_new(&shared, &options, &b->brokers[i]) == LEAT_OK);
        leat_broker_tick(b->brokers[i], b->now_ms);
    }
    must(leat_broker_subscribe(b->brokers[1], "", 0) == LEAT_OK);
    leat_zeek_controller_options_init(&own, sizeof own);
    own.requests = REQUESTS;
    own.instances = INSTANCES;
    own.events = EVENTS;
    own.timeout_ms = TIMEOUT_MS;
    must(leat_zeek_controller_new(&config, &own, b->brokers[0], &b->controller) == LEAT_OK);
    leat_zeek_controller_tick(b->controller, b->now_ms);
    must(leat_broker_accept(b->brokers[0], "10.0.0.9", 1, &b->sessions[0]) == LEAT_OK);
    must(leat_broker_peer(b->brokers[1], "10.0.0.8", 1, 0) == LEAT_OK);
    must(leat_broker_connect(b->brokers[1], &b->sessions[1]) == LEAT_OK);
    listen(b);
}

/* Once the time is over every request has had its response. */
static void finish(struct bench *b)
{
    unsigned i;

    b->gate.failing = false;
    pass(b, TIMEOUT_MS);
    must(leat_zeek_controller_deadline(b->controller) == UINT64_MAX);
    drain(b);
    for (i = 0; i < b->count; i++)
        must(b->asked[i].responses == 1);
    leat_zeek_controller_free(b->controller);
    must(b->gate.held_inside == 0);
    for (i = 0; i < 2; i++) {
        leat_session_free(b->sessions[i]);
        leat_broker_free(b->brokers[i]);
    }
    must(b->gate.held == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    unsigned steps = 0;
    struct bench b;

    begin(&b);
    while (input.left > 0 && steps++ < STEPS_MAX)
        step(&b, &input);
    finish(&b);
    return 0;
}
