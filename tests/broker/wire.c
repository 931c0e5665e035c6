#include "wire.h"

#include <inttypes.h>
#include <stdio.h>

static const char types[][8] = {"data",  "command", "update", "ping", "pong",   "hello",
                                "probe", "select",  "drop",   "syn",  "synack", "ack"};

#define DATA  1u
#define HELLO 6u
#define SYN   10u
#define ACK   12u
#define TYPES (sizeof types / sizeof *types)

void wire_id(char letter, uint8_t id[16])
{
    static const struct {
        char letter;
        uint8_t octet;
    } ids[] = {{'0', 0}, {'L', 0x11}, {'M', 0x18}, {'H', 0x22}, {'O', 0x33}};
    size_t i;

    for (i = 0; i < sizeof ids / sizeof *ids && ids[i].letter != letter; i++)
        ;
    ck_assert_uint_lt(i, sizeof ids / sizeof *ids);
    memset(id, ids[i].octet, 16);
}

static char letter_of(const uint8_t *id)
{
    return id[0] == 0 ? '0' : id[0] == 0x11 ? 'L' : id[0] == 0x18 ? 'M' : id[0] == 0x22 ? 'H' : 'O';
}

/* ----- writing ----- */

static void put(struct t_bytes *out, uint64_t number, size_t octets)
{
    uint8_t octet;

    while (octets-- > 0) {
        octet = (uint8_t)(number >> 8 * octets);
        t_append(out, &octet, 1);
    }
}

static void put_text(struct t_bytes *out, const char *text)
{
    ck_assert_uint_lt(strlen(text), 128);
    put(out, strlen(text), 1);
    t_append(out, text, strlen(text));
}

/* The next word; what = NULL: it may be missing, then it is "". */
static void word(const char **at, char text[WIRE_WORD])
{
    size_t length;

    *at += strspn(*at, " ");
    length = strcspn(*at, " ,");
    ck_assert_uint_lt(length, WIRE_WORD);
    memcpy(text, *at, length);
    text[length] = '\0';
    *at += length;
    if (strcmp(text, "\"\"") == 0)
        text[0] = '\0';
}

static bool more(const char *at)
{
    return at[0] == ' ';
}

static void put_id(struct t_bytes *out, const char **at)
{
    char text[WIRE_WORD];
    uint8_t id[16];

    word(at, text);
    wire_id(text[0], id);
    t_append(out, id, 16);
}

static void put_number(struct t_bytes *out, const char **at, uint64_t otherwise)
{
    char text[WIRE_WORD];

    if (more(*at)) {
        word(at, text);
        otherwise = strtoull(text, NULL, 10);
    }
    put(out, otherwise, 1);
}

static void put_topics(struct t_bytes *out, const char *at, const char **end)
{
    struct t_bytes topics = t_copy("", 0);
    char text[WIRE_WORD];
    size_t count = 0;

    for (; more(at); count++) {
        word(&at, text);
        put_text(&topics, text);
    }
    put(out, count, 1);
    t_append(out, topics.data, topics.length);
    t_free(topics);
    *end = at;
}

/* The rest of the message, with its spaces. */
static void rest(const char **at, char text[WIRE_WORD])
{
    size_t length;

    *at += more(*at);
    length = strcspn(*at, ",");
    ck_assert_uint_lt(length, WIRE_WORD);
    memcpy(text, *at, length);
    text[length] = '\0';
    *at += length;
    if (strcmp(text, "\"\"") == 0)
        text[0] = '\0';
}

static void put_envelope(struct t_bytes *out, size_t type, const char **at)
{
    char text[WIRE_WORD];

    put_id(out, at);
    if (type == DATA) {
        put_id(out, at);
        word(at, text);
    } else {
        put(out, 0, 8);
        put(out, 0, 8);
        (void)strcpy(text, "<$>");
    }
    put(out, type, 1);
    put(out, 16, 2);
    put(out, strlen(text), 2);
    t_append(out, text, strlen(text));
    if (type == 3) {
        put_topics(out, *at, at);
        return;
    }
    rest(at, text);
    if (type == DATA)
        put(out, 5, 1);
    if (type == DATA)
        put_text(out, text);
    else
        t_append(out, text, strlen(text));
}

static void put_handshake(struct t_bytes *out, size_t type, const char **at)
{
    char text[WIRE_WORD];

    put(out, type, 1);
    if (type < SYN) {
        t_append(out, "ZEEK", 4);
        if (type != HELLO + 1)
            put_id(out, at);
    } else if (type < ACK) {
        put_topics(out, *at, at);
    }
    if (type == HELLO || type == HELLO + 2 || type == HELLO + 3)
        put_number(out, at, 1);
    if (type == HELLO)
        put_number(out, at, 1);
    if (type == HELLO + 3) {
        rest(at, text);
        put_text(out, text);
    }
}

/* One message. */
static void put_message(struct t_bytes *out, const char **at)
{
    struct t_bytes body = t_copy("", 0);
    char text[WIRE_WORD];
    size_t type;

    word(at, text);
    if (strcmp(text, "hex") == 0) {
        rest(at, text);
        t_free(body);
        body = t_hex(text);
        t_append(out, body.data, body.length);
        t_free(body);
        return;
    }
    for (type = 1; type <= TYPES && strcmp(types[type - 1], text) != 0; type++)
        ;
    ck_assert_msg(type <= TYPES, "no message: %s", text);
    if (type < HELLO)
        put_envelope(&body, type, at);
    else
        put_handshake(&body, type, at);
    put(out, body.length, 4);
    t_append(out, body.data, body.length);
    t_free(body);
}

struct t_bytes wire(const char *script)
{
    struct t_bytes out = t_copy("", 0);

    while (*script != '\0') {
        put_message(&out, &script);
        ck_assert_msg(*script == '\0' || *script == ',', "behind a message: %s", script);
        script += strspn(script, ", ");
    }
    return out;
}

void wire_feed(leat_session *session, const char *script)
{
    struct t_bytes octets = wire(script);

    ck_assert_int_eq(leat_feed(session, octets.data, octets.length), LEAT_OK);
    t_free(octets);
}

/* ----- reading ----- */

static void say(struct t_bytes *to, const char *text)
{
    t_append(to, text, strlen(text));
}

static void say_word(struct t_bytes *to, const void *text, size_t length)
{
    say(to, " ");
    if (length == 0)
        say(to, "\"\"");
    t_append(to, text, length);
}

static void say_id(struct t_bytes *to, const uint8_t *id)
{
    char letter = letter_of(id);

    say_word(to, &letter, 1);
}

static void say_number(struct t_bytes *to, unsigned number)
{
    char text[16];

    (void)snprintf(text, sizeof text, "%u", number);
    say_word(to, text, strlen(text));
}

/* Lists of less than 128 texts that are shorter. */
static void say_topics(struct t_bytes *to, const uint8_t *at)
{
    size_t count = *at++;

    for (; count > 0; count--) {
        say_word(to, at + 1, *at);
        at += 1 + *at;
    }
}

static void say_envelope(struct t_bytes *to, const uint8_t *body, size_t length)
{
    size_t type = body[32], topic = (size_t)body[35] << 8 | body[36];
    const uint8_t *payload = body + 37 + topic;

    ck_assert_uint_ge(type, 1);
    ck_assert_uint_lt(type, HELLO);
    ck_assert_uint_eq((size_t)body[33] << 8 | body[34], 16);
    say(to, types[type - 1]);
    say_id(to, body);
    if (type == DATA) {
        say_id(to, body + 16);
        say_word(to, body + 37, topic);
        ck_assert_uint_eq(payload[0], 5);
        say_word(to, payload + 2, payload[1]);
    } else {
        ck_assert(topic == 3 && memcmp(body + 37, "<$>", 3) == 0);
        if (type == 3)
            say_topics(to, payload);
        else
            say_word(to, payload, length - 37 - topic);
    }
}

static void say_handshake(struct t_bytes *to, const uint8_t *body)
{
    size_t type = body[0];

    say(to, types[type - 1]);
    if (type < SYN)
        ck_assert_mem_eq(body + 1, "ZEEK", 4);
    if (type == HELLO)
        ck_assert_mem_eq(body + 21, "\1\1", 2);
    if (type == HELLO + 2)
        ck_assert_uint_eq(body[21], 1);
    if (type < SYN && type != HELLO + 1)
        say_id(to, body + 5);
    if (type == HELLO + 3) {
        say_number(to, body[21]);
        say_word(to, body + 23, body[22]);
    }
    if (type == SYN || type == SYN + 1)
        say_topics(to, body + 1);
}

static char *read_script(const uint8_t *at, size_t length)
{
    struct t_bytes to = t_copy("", 0);

    while (length > 0) {
        size_t body;

        ck_assert_uint_ge(length, 5);
        body = (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
        ck_assert_uint_ge(length, 4 + body);
        if (to.length > 0)
            say(&to, ", ");
        if (at[4] >= HELLO && at[4] <= ACK)
            say_handshake(&to, at + 4);
        else
            say_envelope(&to, at + 4, body);
        at += 4 + body;
        length -= 4 + body;
    }
    return (char *)to.data;
}

char *wire_said(leat_session *session)
{
    struct t_bytes octets = t_copy("", 0);
    const void *data;
    size_t length;
    char *script;

    for (;;) {
        data = leat_send_data(session, &length);
        if (length == 0)
            break;
        t_append(&octets, data, length);
        ck_assert_int_eq(leat_send_done(session, length), LEAT_OK);
    }
    script = read_script(octets.data, octets.length);
    t_free(octets);
    return script;
}

void wire_says(leat_session *session, const char *script)
{
    char *said = wire_said(session);

    ck_assert_str_eq(said, script);
    free(said);
}

/* ----- events ----- */

static void note(struct t_bytes *to, const leat_event *event)
{
    static const char *const members[] = {"topic", "data", "filter", "payload", "code"};
    const leat_value *value = leat_event_value(event);
    size_t i;

    if (to->length > 0)
        say(to, ", ");
    say(to, leat_event_name(event, NULL));
    for (i = 0; i < sizeof members / sizeof *members; i++) {
        const leat_value *member = leat_value_get(value, members[i]);
        char *text = t_json_text(member);

        if (member != NULL && (i > 0 || leat_event_kind(event) < LEAT_BROKER_ROUTING_UPDATE))
            say_word(to, text, strlen(text));
        free(text);
    }
    if (leat_event_error(event) != NULL) {
        say(to, ": ");
        say(to, leat_error_text(leat_event_error(event)));
    }
}

char *wire_told(leat_session *session)
{
    struct t_bytes to = t_copy("", 0);
    const leat_event *event;
    const leat_error *error;
    char text[200];
    int status;

    while ((status = leat_next(session, &event)) == LEAT_OK)
        note(&to, event);
    error = leat_session_error(session);
    if (status != LEAT_MORE && to.length > 0)
        say(&to, ", ");
    if (error != NULL) {
        (void)snprintf(text, sizeof text, "%s at %" PRIu64 ": %s", leat_status_name(status),
                       leat_error_offset(error), leat_error_text(error));
        say(&to, text);
    } else if (status != LEAT_MORE) {
        say(&to, leat_status_name(status));
    }
    return (char *)to.data;
}

void wire_tells(leat_session *session, const char *events)
{
    char *told = wire_told(session);

    ck_assert_str_eq(told, events);
    free(told);
}

void wire_broker_tells(leat_broker *broker, const char *events)
{
    struct t_bytes to = t_copy("", 0);
    const leat_event *event;

    while (leat_broker_next(broker, &event) == LEAT_OK)
        note(&to, event);
    ck_assert_str_eq((const char *)to.data, events);
    t_free(to);
}

char *wire_told_of(leat_session *session, const char *script, size_t cut)
{
    struct t_bytes octets = wire(script), to = t_copy("", 0);
    size_t at = 0;

    while (at < octets.length && (leat_wants(session) & LEAT_WANT_CLOSE) == 0) {
        size_t piece = cut == 0 || cut > octets.length - at ? octets.length - at : cut;
        char *told;

        ck_assert_int_eq(leat_feed(session, octets.data + at, piece), LEAT_OK);
        at += piece;
        told = wire_told(session);
        if (to.length > 0 && *told != '\0')
            say(&to, ", ");
        say(&to, told);
        free(told);
    }
    t_free(octets);
    return (char *)to.data;
}

/* ----- an endpoint ----- */

leat_broker *wire_broker(const leat_config *config, const leat_broker_options *options)
{
    leat_broker_options own;
    leat_broker *broker;

    if (options != NULL)
        own = *options;
    else
        leat_broker_options_init(&own, sizeof own);
    wire_id('M', own.id);
    ck_assert_int_eq(leat_broker_new(config, &own, &broker), LEAT_OK);
    ck_assert_int_eq(leat_broker_subscribe(broker, "/b", 2), LEAT_OK);
    return broker;
}

leat_session *wire_attempt(leat_broker *broker, uint64_t retry_s)
{
    leat_session *session, *other;

    ck_assert_int_eq(leat_broker_peer(broker, "peer", 9999, retry_s), LEAT_OK);
    ck_assert_int_eq(leat_broker_connect(broker, &session), LEAT_OK);
    ck_assert_int_eq(leat_broker_connect(broker, &other), LEAT_MORE);
    return session;
}

leat_session *wire_accept(leat_broker *broker)
{
    leat_session *session;

    ck_assert_int_eq(leat_broker_accept(broker, "peer", 9999, &session), LEAT_OK);
    return session;
}

leat_session *wire_peer(leat_broker *broker, bool attempt, char id, const char *topics)
{
    leat_session *session = attempt ? wire_attempt(broker, 1) : wire_accept(broker);
    char script[WIRE_WORD];

    if (id == 'L')
        (void)snprintf(script, sizeof script, "%sselect L, syn%s%s, ack",
                       attempt ? "" : "hello L, ", *topics == '\0' ? "" : " ", topics);
    else
        (void)snprintf(script, sizeof script, "hello %c, synack%s%s", id,
                       *topics == '\0' ? "" : " ", topics);
    wire_feed(session, script);
    wire_tells(session, "endpoint_discovered, peer_added");
    free(wire_said(session));
    return session;
}
