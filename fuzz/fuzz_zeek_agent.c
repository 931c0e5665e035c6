/*
 * An agent between a controller that says anything and a caller that answers anything, or nothing. No
 * request gets two responses, those for deployments and restarts get one, what waits is bounded, and
 * without memory for a while all is said and told the same.
 *
 * A script: of each step the first octet tells what is done, those behind it with what.
 */
#include "zeek_live.h"

#include <leat/zeek_agent.h>
#include <stdio.h>

enum step { DEPLOY, RESTART, DISPATCH, SELF, RAW, ANSWER, NODE, TICK, DRAIN, FAIL, CUT, STEPS };

#define STEPS_MAX    100u
#define REQUESTS     3u /* that may wait */
#define TIMEOUT_MS   1000u
#define TOPIC        LEAT_ZEEK_AGENT_TOPIC_PREFIX "/a"
#define MOST_WAITING (2u * REQUESTS + 64u)

struct asked {
    uint32_t kind;
    unsigned responses;
};

struct bench {
    leat_broker *brokers[2]; /* the agent's, the controller's */
    leat_session *sessions[2];
    leat_zeek_agent *agent;
    struct gate gate;
    bool fails; /* FAIL counts */
    uint64_t now_ms;
    struct asked asked[STEPS_MAX + 1];
    unsigned count;   /* of them */
    uint64_t numbers; /* the last one that was told */
    uint64_t said, told;
};

static const char *const names[] = {"b", "c", "d", "e", "ee", "f", "g", ""};
static const char *const states[] = {LEAT_ZEEK_STATE_PENDING, LEAT_ZEEK_STATE_RUNNING,
                                     LEAT_ZEEK_STATE_STOPPED, LEAT_ZEEK_STATE_FAILED,
                                     LEAT_ZEEK_STATE_CRASHED, LEAT_ZEEK_STATE_UNKNOWN,
                                     "Management::OTHER",     ""};

/* ----- calls of the agent, in which memory may fail ----- */

#define CALL(b, status, call)                                                                      \
    do {                                                                                           \
        gate_enter(&(b)->gate);                                                                    \
        (status) = (call);                                                                         \
    } while (gate_leave(&(b)->gate, status, leat_zeek_agent_memory((b)->agent)))

static void tick(struct bench *b)
{
    unsigned ticks = 0;

    do {
        must(ticks++ < 3);
        gate_enter(&b->gate);
        leat_zeek_agent_tick(b->agent, b->now_ms);
        (void)gate_leave(&b->gate, LEAT_OK, leat_zeek_agent_memory(b->agent));
    } while (leat_zeek_agent_deadline(b->agent) <= b->now_ms);
}

/* ----- what is said and told ----- */

static bool is_response(uint32_t kind)
{
    return kind <= LEAT_ZEEK_AGENT_RESTART_RESPONSE && kind % 2 == 0;
}

static void check_result(const leat_value *result)
{
    size_t length;
    const char *instance = leat_value_text(leat_value_get(result, "instance"), &length);

    must(length == 1 && *instance == 'a');
}

/* The controller hears it. */
static void hear(struct bench *b, const leat_value *data)
{
    leat_builder *args = builder();
    leat_zeek_message message;
    const leat_value *value, *results, *result;
    uint32_t kind;
    size_t length;
    const char *reqid;
    unsigned which;

    leat_zeek_message_init(&message, sizeof message);
    must(leat_zeek_read(data, &message) == LEAT_OK);
    kind = leat_zeek_management_kind(&message);
    must(is_response(kind) || kind == LEAT_ZEEK_AGENT_NOTIFY_AGENT_HELLO ||
         kind == LEAT_ZEEK_AGENT_NOTIFY_CHANGE);
    must(leat_zeek_management_read(args, NULL, &message, NULL) == LEAT_OK);
    value = leat_builder_value(args);
    tell_number(&b->said, kind);
    tell_value(&b->said, value);
    reqid = leat_value_text(leat_value_get(value, "reqid"), &length);
    if (is_response(kind) && length == 3 && *reqid == 'r') {
        which = (unsigned)(reqid[1] - '0') * 10 + (unsigned)(reqid[2] - '0');
        must(which < b->count && b->asked[which].kind + 1 == kind);
        must(b->asked[which].responses++ == 0);
        results = leat_value_get(value, "results");
        for (result = leat_value_first(results); result != NULL;
             result = leat_value_next(results, result))
            check_result(result);
        if (results == NULL)
            check_result(leat_value_get(value, "result"));
    }
    leat_builder_free(args);
}

static void drain(struct bench *b, unsigned most)
{
    const leat_event *event;
    const leat_value *number;
    unsigned told = 0;

    while (most-- > 0 && leat_zeek_agent_next(b->agent, &event) == LEAT_OK) {
        must(told++ < MOST_WAITING);
        must(leat_event_value(event) != NULL && leat_event_error(event) == NULL);
        tell_event(&b->told, event);
        number = leat_value_get(leat_event_value(event), "request");
        if (leat_event_kind(event) <= LEAT_ZEEK_AGENT_RESTART_REQUEST)
            must(leat_value_u64(number) == ++b->numbers);
        else if (leat_event_kind(event) == LEAT_ZEEK_TIMED_OUT)
            must(leat_value_u64(number) <= b->numbers &&
                 leat_zeek_agent_done(b->agent, leat_value_u64(number)) == LEAT_E_STATE);
        else
            must(leat_event_kind(event) == LEAT_ZEEK_MALFORMED);
    }
}

/* ----- the net ----- */

static bool move(struct bench *b, unsigned from)
{
    leat_session *session = b->sessions[from], *other = b->sessions[!from];
    const leat_event *event;
    size_t length;
    const void *data = leat_send_data(session, &length);
    int status;

    if (length > 0 && (leat_wants(other) & LEAT_WANT_READ) != 0)
        must(leat_feed(other, data, length) == LEAT_OK);
    if (length > 0)
        must(leat_send_done(session, length) == LEAT_OK);
    while (leat_next(other, &event) == LEAT_OK) {
        if (from == 1)
            CALL(b, status, leat_zeek_agent_take(b->agent, event));
        else if (leat_event_kind(event) == LEAT_BROKER_DATA)
            hear(b, leat_value_get(leat_event_value(event), "data"));
    }
    return length > 0;
}

static void talk(struct bench *b)
{
    bool some = true;

    while (some) {
        some = move(b, 0);
        some |= move(b, 1);
        tick(b);
        some |= move(b, 0);
    }
}

static void join(struct bench *b)
{
    leat_session_free(b->sessions[0]);
    leat_session_free(b->sessions[1]);
    must(leat_broker_accept(b->brokers[1], "a", 1, &b->sessions[1]) == LEAT_OK);
    must(leat_broker_peer(b->brokers[0], "c", 1, 0) == LEAT_OK);
    must(leat_broker_connect(b->brokers[0], &b->sessions[0]) == LEAT_OK);
    talk(b);
}

/* ----- steps ----- */

/* Opens the arguments of a request, with a reqid of its own. */
static leat_builder *ask(struct bench *b, uint32_t kind)
{
    leat_builder *args = builder();
    char reqid[8];

    b->asked[b->count].kind = kind;
    (void)snprintf(reqid, sizeof reqid, "r%02u", b->count++);
    (void)leat_builder_open(args, NULL, LEAT_RECORD);
    (void)leat_builder_text(args, "reqid", reqid, 3);
    return args;
}

static void say(struct bench *b, leat_builder *args, uint32_t kind)
{
    leat_builder *event = builder();

    must(leat_builder_close(args) == LEAT_OK);
    must(leat_zeek_management_write(event, NULL, kind, leat_builder_value(args), NULL) == LEAT_OK);
    must(leat_broker_publish(b->brokers[1], TOPIC, strlen(TOPIC), leat_builder_value(event)) ==
         LEAT_OK);
    leat_builder_free(event);
    leat_builder_free(args);
    talk(b);
}

static void put_nodes(leat_builder *out, unsigned which)
{
    unsigned i;

    (void)leat_builder_open(out, "nodes", LEAT_SET);
    for (i = 0; i < 8; i++) {
        if ((which >> i & 1) != 0)
            (void)leat_builder_text(out, NULL, names[i], strlen(names[i]));
    }
    (void)leat_builder_close(out);
}

static void deploy(struct bench *b, struct input *input)
{
    leat_builder *args = ask(b, LEAT_ZEEK_AGENT_DEPLOY_REQUEST);
    unsigned how = take(input), which = take(input), own = take(input), i;

    (void)leat_builder_open(args, "config", LEAT_RECORD);
    (void)leat_builder_text(args, "id", &"ABCD"[how & 3], 1);
    (void)leat_builder_open(args, "instances", LEAT_SET);
    (void)leat_builder_close(args);
    (void)leat_builder_open(args, "nodes", LEAT_SET);
    for (i = 0; i < 8; i++) {
        if ((which >> i & 1) == 0)
            continue;
        (void)leat_builder_open(args, NULL, LEAT_RECORD);
        (void)leat_builder_text(args, "name", names[i], strlen(names[i]));
        (void)leat_builder_text(args, "instance", (own >> i & 1) != 0 ? "a" : "aa",
                                (own >> i & 1) != 0 ? 1 : 2);
        (void)leat_builder_enum(args, "role", "Supervisor::WORKER", 18);
        (void)leat_builder_enum(args, "state", states[1], strlen(states[1]));
        (void)leat_builder_close(args);
    }
    (void)leat_builder_close(args);
    (void)leat_builder_close(args);
    (void)leat_builder_bool(args, "force", (how & 4) != 0);
    say(b, args, LEAT_ZEEK_AGENT_DEPLOY_REQUEST);
}

static void restart(struct bench *b, struct input *input)
{
    leat_builder *args = ask(b, LEAT_ZEEK_AGENT_RESTART_REQUEST);

    put_nodes(args, take(input));
    say(b, args, LEAT_ZEEK_AGENT_RESTART_REQUEST);
}

static void dispatch(struct bench *b, struct input *input)
{
    leat_builder *args = ask(b, LEAT_ZEEK_AGENT_NODE_DISPATCH_REQUEST);
    unsigned actions = take(input) % 3;

    (void)leat_builder_open(args, "action", LEAT_LIST);
    while (actions-- > 0)
        (void)leat_builder_text(args, NULL, "x", 1);
    (void)leat_builder_close(args);
    put_nodes(args, take(input));
    say(b, args, LEAT_ZEEK_AGENT_NODE_DISPATCH_REQUEST);
}

static void about_itself(struct bench *b, struct input *input)
{
    static const uint32_t kinds[] = {
        LEAT_ZEEK_AGENT_GET_NODES_REQUEST, LEAT_ZEEK_AGENT_AGENT_WELCOME_REQUEST,
        LEAT_ZEEK_AGENT_AGENT_STANDBY_REQUEST, LEAT_ZEEK_AGENT_AGENT_STANDBY_REQUEST};
    uint32_t kind = kinds[take(input) % 4];

    say(b, ask(b, kind), kind);
}

/* Any value as an answer, or as the arguments of any event; NULL: the script has none. */
static const leat_value *any_value(leat_builder *out, struct input *input)
{
    size_t length = take(input);
    const uint8_t *at = input->at;

    length = length < input->left ? length : input->left;
    input->at += length;
    input->left -= length;
    return leat_broker_read(out, NULL, at, length) == LEAT_OK ? leat_builder_value(out) : NULL;
}

static void say_raw(struct bench *b, struct input *input)
{
    const char *name = leat_zeek_management_name(1 + take(input) % 47);
    leat_builder *args = builder(), *event = builder();
    leat_zeek_message message;

    leat_zeek_message_init(&message, sizeof message);
    message.kind = LEAT_ZEEK_EVENT;
    message.name = name;
    message.name_length = strlen(name);
    message.args = any_value(args, input);
    if (leat_zeek_write(event, NULL, &message) == LEAT_OK &&
        leat_broker_publish(b->brokers[1], TOPIC, strlen(TOPIC), leat_builder_value(event)) ==
            LEAT_OK)
        talk(b);
    leat_builder_free(args);
    leat_builder_free(event);
}

static void put_answer(leat_builder *out, unsigned how, unsigned which)
{
    unsigned i;

    if ((how & 4) == 0) {
        (void)leat_builder_open(out, NULL, LEAT_RECORD);
        (void)leat_builder_bool(out, "success", (how & 8) != 0);
        if ((how & 16) != 0)
            (void)leat_builder_text(out, "error", "no", 2);
        (void)leat_builder_close(out);
        return;
    }
    (void)leat_builder_open(out, NULL, LEAT_LIST);
    for (i = 0; i < 8; i++) {
        if ((which >> i & 1) == 0)
            continue;
        (void)leat_builder_open(out, NULL, LEAT_RECORD);
        (void)leat_builder_text(out, "node", names[i], strlen(names[i]));
        (void)leat_builder_bool(out, "success", (how & 8) != 0 && i % 2 == 0);
        if ((how & 16) != 0)
            (void)leat_builder_text(out, "data", "7", 1);
        (void)leat_builder_close(out);
    }
    (void)leat_builder_close(out);
}

static void answer(struct bench *b, struct input *input)
{
    unsigned how = take(input), back = take(input) % 8;
    uint64_t number = b->numbers > back ? b->numbers - back : 0;
    leat_builder *out = builder();
    const leat_value *value;
    int status;

    if ((how & 3) == 0) {
        value = any_value(out, input);
    } else {
        put_answer(out, how, take(input));
        value = leat_builder_value(out);
    }
    if ((how & 3) == 1)
        CALL(b, status, leat_zeek_agent_done(b->agent, number));
    else
        CALL(b, status, leat_zeek_agent_answer(b->agent, number, value));
    tell_number(&b->told, (uint64_t)(int64_t)status);
    must(status == LEAT_OK || status == LEAT_E_STATE || status == LEAT_E_VALUE);
    if (status == LEAT_OK)
        must(leat_zeek_agent_done(b->agent, number) == LEAT_E_STATE);
    leat_builder_free(out);
    talk(b);
}

static void set_node(struct bench *b, struct input *input)
{
    unsigned how = take(input);
    const char *name = names[how & 7];
    int status;

    CALL(b, status,
         leat_zeek_agent_node(b->agent, name, strlen(name), states[how >> 3 & 7],
                              (int64_t)(how >> 6) - 1));
    tell_number(&b->told, (uint64_t)(int64_t)status);
    must(status == LEAT_OK || status == LEAT_E_STATE || status == LEAT_E_VALUE);
    talk(b);
}

static void pass(struct bench *b, uint64_t ms)
{
    b->now_ms += ms;
    leat_broker_tick(b->brokers[0], b->now_ms);
    leat_broker_tick(b->brokers[1], b->now_ms);
    tick(b);
    talk(b);
}

static void step(struct bench *b, struct input *input)
{
    static void (*const steps[])(struct bench *, struct input *) = {
        [DEPLOY] = deploy, [RESTART] = restart, [DISPATCH] = dispatch, [SELF] = about_itself,
        [RAW] = say_raw,   [ANSWER] = answer,   [NODE] = set_node};
    enum step what = (enum step)(take(input) % STEPS);

    switch (what) {
    case TICK:
        pass(b, (uint64_t)take(input) * 10);
        break;
    case DRAIN:
        drain(b, 1 + take(input) % 8);
        break;
    case FAIL:
        b->gate.good = take(input) % 64;
        b->gate.failing = b->fails;
        break;
    case CUT:
        join(b);
        break;
    case DEPLOY:
    case RESTART:
    case DISPATCH:
    case SELF:
    case RAW:
    case ANSWER:
    case NODE:
    case STEPS:
    default:
        steps[what](b, input);
        break;
    }
}

/* ----- a run ----- */

static void begin(struct bench *b, bool fails)
{
    leat_broker_options options;
    leat_zeek_agent_options own;
    leat_config config, shared;
    leat_allocator counted = {gated_and_counted, &b->gate}, plain = {gated, &b->gate};
    unsigned i;

    memset(b, 0, sizeof *b);
    b->fails = fails;
    b->gate.left = ALWAYS;
    b->now_ms = 1000;
    b->said = b->told = NOTHING_TOLD;
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
    must(leat_broker_subscribe(b->brokers[1], LEAT_ZEEK_AGENT_TOPIC_PREFIX,
                               strlen(LEAT_ZEEK_AGENT_TOPIC_PREFIX)) == LEAT_OK);
    leat_zeek_agent_options_init(&own, sizeof own);
    own.name = "a";
    own.controller_address = NULL;
    own.requests = REQUESTS;
    own.nodes = 6;
    own.timeout_ms = TIMEOUT_MS;
    must(leat_zeek_agent_new(&config, &own, b->brokers[0], &b->agent) == LEAT_OK);
    leat_zeek_agent_tick(b->agent, b->now_ms);
    join(b);
}

/* Every request has its response, or the caller left it. */
static void finish(struct bench *b)
{
    unsigned i;

    pass(b, TIMEOUT_MS);
    must(leat_zeek_agent_deadline(b->agent) == UINT64_MAX);
    drain(b, MOST_WAITING + 1);
    for (i = 0; i < b->count; i++) {
        if (b->asked[i].kind == LEAT_ZEEK_AGENT_DEPLOY_REQUEST ||
            b->asked[i].kind == LEAT_ZEEK_AGENT_RESTART_REQUEST)
            must(b->asked[i].responses == 1);
    }
    leat_zeek_agent_free(b->agent);
    must(b->gate.held_inside == 0);
    for (i = 0; i < 2; i++) {
        leat_session_free(b->sessions[i]);
        leat_broker_free(b->brokers[i]);
    }
    must(b->gate.held == 0);
}

static uint64_t run(struct input input, bool fails)
{
    static struct bench b;
    unsigned steps = 0;

    begin(&b, fails);
    while (input.left > 0 && steps++ < STEPS_MAX - 1)
        step(&b, &input);
    finish(&b);
    tell_number(&b.told, b.said);
    return b.told;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};

    must(run(input, false) == run(input, true));
    return 0;
}
