/*
 * Recorded conversations over WebSocket, replayed: what the clients said then is said to our servers,
 * on an endpoint, and what the servers said to our clients. What ours say is compared with what was
 * said; every difference is listed here with its reason.
 *
 * What our servers say is compared octet by octet, in the order of each connection. What our clients
 * say is compared message by message, as their masks are free, and the order of the fields of a request.
 */
#include "lines.h"
#include "ws.h"

#include <leat/broker_endpoint.h>
#include <stdio.h>

#define CONNECTIONS 64u

/* ----- what is said ----- */

/* A list of texts, and of the octets that say them. */
struct said {
    char **lines;
    struct t_bytes *octets;
    size_t count;
    size_t matched; /* of them were found on the other side, or listed */
};

static void say_as(struct said *said, char *line, struct t_bytes octets)
{
    said->lines = realloc(said->lines, (said->count + 1) * sizeof *said->lines);
    said->octets = realloc(said->octets, (said->count + 1) * sizeof *said->octets);
    said->lines[said->count] = line;
    said->octets[said->count++] = octets;
}

static void say(struct said *said, char *line)
{
    say_as(said, line, t_copy("", 0));
}

static void forget(struct said *said)
{
    size_t i;

    for (i = 0; i < said->count; i++) {
        free(said->lines[i]);
        t_free(said->octets[i]);
    }
    free(said->lines);
    free(said->octets);
    memset(said, 0, sizeof *said);
}

static const char *const opcodes[16] = {
    [0] = "text", [1] = "text", [2] = "binary", [8] = "close", [9] = "ping", [10] = "pong"};

/* Of Zeek's server, or of ours. */
static bool is_heartbeat(const leat_value *payload)
{
    size_t length, before;
    const uint8_t *octets = leat_value_bytes(payload, &length);

    for (before = 0; before + 9 < length; before++) {
        if (memcmp(octets + before, "heartbeat", 9) == 0)
            return true;
    }
    return false;
}

/* What an event of the codec says; NULL: nothing yet. Yours to free(). */
static char *line_of(const leat_event *event)
{
    const leat_value *value = leat_event_value(event), *message, *code, *payload;
    uint64_t opcode;
    size_t length;
    char *text, line[256];
    struct t_bytes log = t_copy("", 0);

    if (leat_event_kind(event) == LEAT_BROKER_RESPONSE) {
        ws_note(&log, "response %u", (unsigned)leat_value_u64(leat_value_get(value, "status")));
        return (char *)log.data;
    }
    if (leat_event_kind(event) != LEAT_BROKER_FRAME) {
        ws_note(&log, "%s", leat_event_name(event, NULL));
        return (char *)log.data;
    }
    if (!leat_value_bool(leat_value_get(value, "fin"))) {
        t_free(log);
        return NULL;
    }
    opcode = leat_value_u64(leat_value_get(value, "opcode"));
    message = leat_value_get(value, "message");
    code = leat_value_get(value, "code");
    payload = leat_value_get(value, "payload");
    ws_note(&log, "%s", opcodes[opcode] == NULL ? "reserved" : opcodes[opcode]);
    if (code != NULL) {
        const char *reason = leat_value_text(leat_value_get(value, "reason"), &length);

        snprintf(line, sizeof line, " %u %.*s", (unsigned)leat_value_u64(code), (int)length,
                 reason);
        ws_note(&log, "%s", line);
    } else if (opcode == 9 && is_heartbeat(payload)) {
        ws_note(&log, " heartbeat");
    } else if (message != NULL || payload != NULL) {
        text = t_json_text(message != NULL ? message : payload);
        ws_note(&log, " ");
        t_append(&log, text, strlen(text));
        free(text);
    }
    return (char *)log.data;
}

/* ----- a connection ----- */

struct connection {
    leat_session *server;
    leat_session *recorded[2]; /* codecs of what was said: by the client, by the server */
    leat_session *ours;        /* of what our server says */
    struct t_bytes octets[2];  /* of the message that is being said, by the server and by ours */
    struct said said;
    bool over;
    char accept[29];
};

/*
 * How many messages have been compared octet by octet, and where ours are others:
 *
 *     server       Zeek names the WebSocket implementation in a field of its heads; we name none
 *     unfinished   its refusals end without the empty line that HTTP wants; ours do not, and say that
 *                  no body follows
 *     bodies       Broker sends the text of a refusal twice, by mistake (section 13.1)
 *     heartbeats   the payload of a ping is free; ours says in front of the number what it is of
 *     reals        both servers write six decimals, and lose what needs more (section 12)
 *     escapes      both write control characters as they are, which is no JSON
 *     fragmented   Zeek cuts messages of more than 32768 octets into frames, where it likes
 *
 * All other octets are the recorded ones.
 */
struct octets {
    unsigned messages, identical, server, unfinished, bodies, heartbeats, reals, escapes,
        fragmented;
};

struct replay {
    const char *path;
    bool zeek;
    uint64_t ping_ms;
    uint64_t now_ms;
    leat_broker *broker;
    struct connection connections[CONNECTIONS];
    struct said published; /* by clients */
    struct said differences;
    struct octets *octets;
    char version[32];
    uint8_t node[16];
};

static void differ(struct replay *replay, uint64_t conn, char sign, const char *line)
{
    struct t_bytes log = t_copy("", 0);
    const char *name = strrchr(replay->path, '/') + 1;

    ws_note(&log, "%.*s %u %c%.120s", (int)(strlen(name) - strlen(".jsonl")), name, (unsigned)conn,
            sign, line);
    say(&replay->differences, (char *)log.data);
}

static leat_session *codec(uint32_t from)
{
    leat_session *session;

    ck_assert_int_eq(leat_broker_websocket_codec_new(NULL, from, &session), LEAT_OK);
    return session;
}

/* Reads texts out of what the server said then. */
static bool between(const struct t_bytes *octets, const char *before, char end, char *text,
                    size_t size)
{
    size_t length = strlen(before), at, i;

    for (at = 0; at + length < octets->length; at++) {
        if (memcmp(octets->data + at, before, length) == 0)
            break;
    }
    if (at + length >= octets->length)
        return false;
    at += length;
    for (i = 0; i + 1 < size && at + i < octets->length && octets->data[at + i] != (uint8_t)end;
         i++)
        text[i] = (char)octets->data[at + i];
    text[i] = '\0';
    return true;
}

/* Adds the octets of a frame, or of a head. */
static void gather(struct t_bytes *octets, const leat_event *event)
{
    size_t length;
    const void *raw = leat_event_raw(event, &length);

    t_append(octets, raw, length);
}

static struct t_bytes taken(struct t_bytes *octets)
{
    struct t_bytes taken = *octets;

    *octets = t_copy("", 0);
    return taken;
}

/* Our server says what it has to say. */
static void take_ours(struct connection *c)
{
    const leat_event *event;
    const void *octets;
    size_t length;
    int status = LEAT_MORE, draws;

    if (c->server == NULL)
        return;
    for (draws = 0; draws < 2; draws++) {
        while ((status = leat_next(c->server, &event)) == LEAT_OK) {
            if (leat_event_kind(event) == LEAT_BROKER_UPGRADE)
                ck_assert_int_eq(leat_broker_websocket_upgrade(c->server, c->accept), LEAT_OK);
        }
    }
    while ((octets = leat_send_data(c->server, &length)) != NULL) {
        ck_assert_int_eq(leat_feed(c->ours, octets, length), LEAT_OK);
        ck_assert_int_eq(leat_send_done(c->server, length), LEAT_OK);
    }
    if (status != LEAT_MORE && status != LEAT_PAUSED)
        (void)leat_recv_eof(c->ours);
    while (leat_next(c->ours, &event) == LEAT_OK) {
        char *line = line_of(event);

        gather(&c->octets[1], event);
        if (line != NULL)
            say_as(&c->said, line, taken(&c->octets[1]));
    }
    if (status != LEAT_MORE && status != LEAT_PAUSED && !c->over) {
        c->over = true;
        say(&c->said, (char *)t_copy("end", 3).data);
    }
}

static void take_all(struct replay *replay)
{
    size_t i;

    for (i = 0; i < CONNECTIONS; i++)
        take_ours(&replay->connections[i]);
}

/* The place of a line in what we said and was not matched yet; count: none. */
static size_t find(const struct connection *c, const char *line)
{
    size_t i;

    for (i = c->said.matched; i < c->said.count && strcmp(c->said.lines[i], line) != 0; i++)
        ;
    return i;
}

static bool was_published(const struct replay *replay, const char *line)
{
    size_t i;

    for (i = 0; i < replay->published.count; i++) {
        if (strcmp(replay->published.lines[i], line) == 0)
            return true;
    }
    return false;
}

static bool same(const struct t_bytes *a, const struct t_bytes *b)
{
    return a->length == b->length && memcmp(a->data, b->data, a->length) == 0;
}

/* Whether the octets there begin so; then it is behind them. */
static bool skip(const char **at, const char *text)
{
    size_t length = strlen(text);

    if (strncmp(*at, text, length) != 0)
        return false;
    *at += length;
    return true;
}

/* What a server says in frames, without their heads, which are as short as can be. */
static struct t_bytes payloads(const struct t_bytes *frames, unsigned *count)
{
    struct t_bytes payloads = t_copy("", 0);
    size_t at = 0;

    for (*count = 0; at < frames->length; (*count)++) {
        size_t length = frames->data[at + 1], more = length == 126 ? 2 : length == 127 ? 8 : 0, i;

        for (i = 0, at += 2, length = more > 0 ? 0 : length; i < more; i++)
            length = length << 8 | frames->data[at++];
        ck_assert(more == 0 || length >= (more == 2 ? 126 : 65535));
        t_append(&payloads, frames->data + at, length);
        at += length;
    }
    ck_assert_uint_eq(at, frames->length);
    return payloads;
}

/* Line by line of both heads; false: there is another difference than those that are counted. */
static bool same_heads(struct octets *counts, const char *then, const char *ours)
{
    bool server = false, refused = strncmp(ours, "HTTP/1.1 400 ", 13) == 0;

    while (*then != '\0' || *ours != '\0') {
        const char *end = strstr(ours, "\r\n");
        size_t length = end == NULL ? 0 : (size_t)(end - ours) + 2;

        if (!server && skip(&then, "Server: ixwebsocket/")) {
            then = strstr(then, "\r\n") + 2;
            server = true;
        } else if (length > 0 && strncmp(then, ours, length) == 0) {
            then += length;
            ours += length;
        } else {
            break;
        }
    }
    counts->server += server;
    if (server && refused && *then == '\0' && strcmp(ours, "Content-Length: 0\r\n\r\n") == 0)
        counts->unfinished++;
    else if (*then != '\0' || *ours != '\0')
        return false;
    return true;
}

/* A number, which is the same with six decimals. */
static bool same_real(const char **then, const char **ours)
{
    static const char of_numbers[] = "+-.0123456789e";
    size_t length = strspn(*then, of_numbers);
    char text[512];
    char *end;
    int wanted = snprintf(text, sizeof text, "%f", strtod(*ours, &end));

    if ((size_t)wanted != length || strncmp(*then, text, length) != 0 ||
        (size_t)(end - *ours) != strspn(*ours, of_numbers))
        return false;
    *then += length;
    *ours = end;
    return true;
}

static bool same_texts(struct octets *counts, const char *then, const char *ours)
{
    static const char real[] = "\"@data-type\":\"real\",\"data\":";

    while (*then == *ours && *then != '\0') {
        if (skip(&then, real)) {
            size_t length = strcspn(then, "}");

            ours += strlen(real);
            if (strncmp(then, ours, length + 1) != 0) {
                if (!same_real(&then, &ours))
                    return false;
                counts->reals++;
            }
        } else {
            then++;
            ours++;
        }
        if (*then == '\x01' && skip(&ours, "\\u0001")) {
            then++;
            counts->escapes++;
        }
    }
    return *then == *ours;
}

static bool same_heartbeats(const char *then, const char *ours)
{
    return skip(&then, "ixwebsocket::heartbeat::") && skip(&ours, "leat::heartbeat::") &&
           strcmp(strstr(then, "::") + 2, ours) == 0;
}

static bool same_frames(struct octets *counts, bool heartbeat, const struct t_bytes *then,
                        const struct t_bytes *ours)
{
    unsigned count_then, count;
    struct t_bytes payload_then = payloads(then, &count_then), payload = payloads(ours, &count);
    const char *text_then = (const char *)payload_then.data, *text = (const char *)payload.data;
    bool known = count == 1 && ours->data[0] == (then->data[0] | 0x80);

    if (count_then > 1) {
        known = known && same(&payload_then, &payload);
        counts->fragmented++;
    } else if (heartbeat) {
        known = known && same_heartbeats(text_then, text);
        counts->heartbeats++;
    } else {
        known = known && strlen(text_then) == payload_then.length &&
                strlen(text) == payload.length && same_texts(counts, text_then, text);
    }
    t_free(payload_then);
    t_free(payload);
    return known;
}

/* The text of a refusal, which was sent twice. */
static bool same_bodies(struct octets *counts, const struct t_bytes *then,
                        const struct t_bytes *ours)
{
    size_t length = ours->length;

    counts->bodies++;
    return then->length == 2 * length && memcmp(then->data, ours->data, length) == 0 &&
           memcmp(then->data + length, ours->data, length) == 0;
}

/* Compares the octets of two messages that say the same. */
static void compare(struct replay *replay, const char *line, const struct t_bytes *then,
                    const struct t_bytes *ours)
{
    struct octets *counts = replay->octets;
    bool known;

    counts->messages++;
    if (same(then, ours)) {
        counts->identical++;
        return;
    }
    if (strcmp(line, "body") == 0)
        known = same_bodies(counts, then, ours);
    else if (strncmp(line, "response ", 9) == 0)
        known = same_heads(counts, (const char *)then->data, (const char *)ours->data);
    else
        known = same_frames(counts, strcmp(line, "ping heartbeat") == 0, then, ours);
    ck_assert_msg(known, "%s: other octets: %s", replay->path, line);
}

/* A server's message, which ours should have said, too. The process behind it published data. */
static void expect(struct replay *replay, uint64_t conn, const char *line,
                   const leat_value *message, const struct t_bytes *octets)
{
    struct connection *c = &replay->connections[conn];
    const leat_value *data = leat_value_get(message, "data");
    size_t at, length, i;
    const char *topic = leat_value_text(leat_value_get(message, "topic"), &length);

    take_all(replay);
    at = find(c, line);
    if (at == c->said.count && data != NULL && !was_published(replay, line)) {
        (void)leat_broker_publish(replay->broker, topic, length, data);
        take_all(replay);
        at = find(c, line);
    }
    if (at == c->said.count && strcmp(line, "close 1001 Terminating") == 0) {
        (void)leat_broker_shutdown(replay->broker);
        take_all(replay);
        at = find(c, line);
    }
    if (at == c->said.count && strncmp(line, "ping", 4) == 0) {
        leat_broker_tick(replay->broker, replay->now_ms + 50);
        take_all(replay);
        at = find(c, line);
    }
    if (at == c->said.count) {
        differ(replay, conn, '-', line);
        return;
    }
    for (i = c->said.matched; i < at; i++)
        differ(replay, conn, '+', c->said.lines[i]);
    c->said.matched = at + 1;
    compare(replay, line, octets, &c->said.octets[at]);
}

static void accept_connection(struct replay *replay, uint64_t conn)
{
    struct connection *c = &replay->connections[conn];
    struct t_bytes back = t_capture(replay->path, "b>a", conn);
    leat_broker_websocket_options options;
    char number[64];

    leat_broker_websocket_options_init(&options, sizeof options);
    options.flavour = replay->zeek ? LEAT_BROKER_WEBSOCKET_ZEEK : LEAT_BROKER_WEBSOCKET_BROKER;
    memset(options.id, 0xcc, 16);
    options.id[15] = (uint8_t)conn;
    options.version = replay->version;
    options.ping_ms = replay->ping_ms;
    if (between(&back, "-websocket-", '"', number, sizeof number))
        options.number = strtoul(number, NULL, 10);
    if (!between(&back, "Sec-WebSocket-Accept: ", '\r', c->accept, sizeof c->accept))
        memcpy(c->accept, WS_ACCEPT, sizeof c->accept);
    ck_assert_int_eq(leat_broker_websocket_accept(replay->broker, &options, "client",
                                                  (uint32_t)conn, &c->server),
                     LEAT_OK);
    c->recorded[0] = codec(LEAT_FROM_CLIENT);
    c->recorded[1] = codec(LEAT_FROM_SERVER);
    c->ours = codec(LEAT_FROM_SERVER);
    c->octets[0] = t_copy("", 0);
    c->octets[1] = t_copy("", 0);
    t_free(back);
}

/* What the clients publish is known, so that nobody else is thought to have said it. */
static void note_published(struct replay *replay, struct connection *c)
{
    const leat_event *event;

    while (leat_next(c->recorded[0], &event) == LEAT_OK) {
        const leat_value *value = leat_event_value(event);
        char *line = line_of(event);

        if (line != NULL && leat_value_get(leat_value_get(value, "message"), "data") != NULL)
            say(&replay->published, line);
        else
            free(line);
    }
}

/* What the server said then, as far as it is there. */
static void expect_all(struct replay *replay, uint64_t conn)
{
    struct connection *c = &replay->connections[conn];
    const leat_event *event;

    while (leat_next(c->recorded[1], &event) == LEAT_OK) {
        char *line = line_of(event);
        struct t_bytes octets;

        gather(&c->octets[0], event);
        if (line == NULL)
            continue;
        octets = taken(&c->octets[0]);
        expect(replay, conn, line, leat_value_get(leat_event_value(event), "message"), &octets);
        t_free(octets);
        free(line);
    }
}

static void take_chunk(struct replay *replay, uint64_t conn, bool by_client,
                       const struct t_bytes *octets)
{
    struct connection *c = &replay->connections[conn];

    if (by_client) {
        (void)leat_feed(c->recorded[0], octets->data, octets->length);
        note_published(replay, c);
        (void)leat_feed(c->server, octets->data, octets->length);
        take_all(replay);
    } else {
        (void)leat_feed(c->recorded[1], octets->data, octets->length);
        expect_all(replay, conn);
    }
}

static void take_end(struct replay *replay, uint64_t conn, bool by_client)
{
    struct connection *c = &replay->connections[conn];

    if (by_client) {
        (void)leat_recv_eof(c->server);
        take_all(replay);
    } else {
        (void)leat_recv_eof(c->recorded[1]);
        expect_all(replay, conn);
    }
}

/* The connection is no more: what we said and nobody else. */
static void close_connection(struct replay *replay, uint64_t conn)
{
    struct connection *c = &replay->connections[conn];
    size_t i;

    if (c->server == NULL)
        return;
    take_all(replay);
    for (i = c->said.matched; i < c->said.count; i++) {
        if (strcmp(c->said.lines[i], "end") != 0)
            differ(replay, conn, '+', c->said.lines[i]);
    }
    leat_session_free(c->server);
    leat_session_free(c->recorded[0]);
    leat_session_free(c->recorded[1]);
    leat_session_free(c->ours);
    t_free(c->octets[0]);
    t_free(c->octets[1]);
    forget(&c->said);
    memset(c, 0, sizeof *c);
}

static void take_line(struct replay *replay, const leat_value *line)
{
    uint64_t conn = leat_value_u64(leat_value_get(line, "conn"));
    const leat_value *hex = leat_value_get(line, "hex");
    bool by_client = has_text(line, "dir", "a>b");
    char *text;

    ck_assert_uint_lt(conn, CONNECTIONS);
    replay->now_ms = 1000 + (uint64_t)(leat_value_f64(leat_value_get(line, "t")) * 1000);
    leat_broker_tick(replay->broker, replay->now_ms);
    if (has_text(line, "event", "open")) {
        accept_connection(replay, conn);
    } else if (hex != NULL) {
        struct t_bytes octets;

        text = text_of(line, "hex");
        octets = t_hex(text);
        take_chunk(replay, conn, by_client, &octets);
        t_free(octets);
        free(text);
    } else if (has_text(line, "event", "eof") || has_text(line, "event", "error")) {
        take_end(replay, conn, by_client);
    } else if (has_text(line, "event", "closed")) {
        close_connection(replay, conn);
    }
}

static void prepare(struct replay *replay, const char *path)
{
    struct t_bytes all = t_capture(path, "b>a", 0);
    leat_broker_options options;
    leat_builder *builder;
    char node[37], interval[8];
    const char *at;

    memset(replay, 0, sizeof *replay);
    replay->path = path;
    replay->zeek = strstr(path, "/cluster-") != NULL || strstr(path, "/management/") != NULL;
    memset(replay->node, 0xb0, 16);
    strcpy(replay->version, "none");
    (void)between(&all, "\"version\":\"", '"', replay->version, sizeof replay->version);
    ck_assert_int_eq(leat_builder_new(NULL, &builder), LEAT_OK);
    if (between(&all, "\"endpoint\":\"", '"', node, sizeof node)) {
        unsigned i, octet;

        for (i = 0, at = node; i < 16; i++, at += 2) {
            at += *at == '-';
            ck_assert_int_eq(sscanf(at, "%2x", &octet), 1);
            replay->node[i] = (uint8_t)octet;
        }
    }
    replay->ping_ms = UINT64_MAX;
    if (replay->zeek && between(&all, "heartbeat::", 's', interval, sizeof interval))
        replay->ping_ms = strtoul(interval, NULL, 10) * 1000;
    leat_broker_options_init(&options, sizeof options);
    memcpy(options.id, replay->node, 16);
    options.handshake_ms = 60000; /* neither server has a limit once it is open */
    ck_assert_int_eq(leat_broker_new(NULL, &options, &replay->broker), LEAT_OK);
    leat_builder_free(builder);
    t_free(all);
}

static void run(struct replay *replay, const char *path, struct octets *octets)
{
    struct lines lines;
    size_t i;

    prepare(replay, path);
    replay->octets = octets;
    lines_open(&lines, path);
    while (lines_next(&lines))
        take_line(replay, lines.line);
    for (i = 0; i < CONNECTIONS; i++)
        close_connection(replay, i);
    leat_broker_free(replay->broker);
    forget(&replay->published);
}

/* ----- servers ----- */

/* Of which recording (the beginning of its name) and connection (0: any) what was said (-), and what is (+). */
static struct {
    const char *name;
    unsigned conn;
    const char *line;
    unsigned found;
} differences[] = {
    /* A close is answered by one, and what is wrong is told by one (section 13.5); Broker just ends. */
    {"ws-", 0, "+close", 0},
    {"broker-", 0, "+close", 0},
    /* A key that is none: what either server answers is not the answer to it (section 13.1). */
    {"ws-errors", 3, "-response 101", 0},
    {"ws-errors", 3, "+response 400", 0},
    {"ws-errors", 3, "+body", 0},
    {"broker-handshake", 5, "-response 101", 0},
    {"broker-handshake", 5, "-text {\"type\":\"ack\"", 0},
    {"broker-handshake", 5, "+response 400", 0},
    {"broker-handshake", 5, "+body", 0},
    {"cluster-handshake", 5, "-response 101", 0},
    {"cluster-handshake", 5, "-ping heartbeat", 0},
    {"cluster-handshake", 5, "-text {\"type\":\"ack\"", 0},
    {"cluster-handshake", 5, "-close 1000", 0},
    {"cluster-handshake", 5, "+response 400", 0},
    /* What is not HTTP is told so; neither server ever did. */
    {"broker-handshake", 23, "+response 400", 0},
    {"broker-handshake", 23, "+body", 0},
    {"cluster-handshake", 23, "+response 400", 0},
    /* Half a request: Zeek waits for 3 s, we as long as for any handshake. */
    {"cluster-handshake", 24, "-response 400", 0},
    /* A bad address is invalid data, and neither ends the client nor the process. */
    {"ws-errors", 16, "-close 1000 EOF", 0},
    {"ws-errors", 16, "+text {\"type\":\"error\"", 0},
    {"broker-bad-address", 1, "-close 1000 EOF", 0},
    {"broker-bad-address", 1, "+text {\"type\":\"error\"", 0},
    {"cluster-bad-address", 1, "+text {\"type\":\"error\"", 0},
    /* Frames without a mask, long pings and texts that are not UTF-8 are not taken (section 13.5). */
    {"broker-frames", 11, "-pong", 0},
    {"broker-frames", 13, "-pong", 0},
    {"cluster-frames", 1, "-pong", 0},
    {"cluster-frames", 1, "+close 1002 A frame without a mask", 0},
    /* Another reason; and half a code is no close without a code. */
    {"cluster-frames", 10, "-close 1002", 0},
    {"cluster-frames", 10, "+close 1002", 0},
    {"cluster-frames", 17, "-close 1002", 0},
    {"cluster-frames", 17, "+close 1002", 0},
    {"cluster-frames", 18, "-close", 0},
    {"cluster-frames", 18, "+close 1002", 0},
    /* What an endpoint keeps to itself is not for clients. */
    {"broker-first-message", 9, "-text {\"type\":\"data-message\",\"topic\":\"<$>/local/", 0},
    /* What has no JSON form is told so: infinities, and octets that are not UTF-8. */
    {"broker-first-message", 9, "-text {\"type\":\"data-message\",\"topic\":\"zeek/logs/", 0},
    {"broker-first-message", 9, "+text {\"type\":\"error\",\"code\":\"broker_error\"", 0},
    {"broker-types", 1, "-text {\"type\":\"data-message\",\"topic\":\"/zt/b/types\"", 0},
    {"broker-types", 1, "+text {\"type\":\"error\",\"code\":\"broker_error\"", 0},
    {"cluster-types", 1, "-text {\"type\":\"data-message\",\"topic\":\"/zt/b/types\"", 0},
    {"cluster-types", 1, "+text {\"type\":\"error\",\"code\":\"broker_error\"", 0},
    /* An endpoint does not know which events a Zeek declares, and how (section 14). */
    {"cluster-messages", 1, "-text {\"type\":\"error\",\"code\":\"deserialization_failed\"", 0},
    {"cluster-types", 1, "-text {\"type\":\"error\",\"code\":\"deserialization_failed\"", 0},
    {"cluster-types", 1, "-text {\"type\":\"error\",\"code\":\"broker_error\"", 0},
    /* An event of format version 2, which Zeek makes one of version 1: peers would refuse it. */
    {"cluster-messages", 1, "+text {\"type\":\"error\",\"code\":\"deserialization_failed\"", 0},
};

#define DIFFERENCES (sizeof differences / sizeof *differences)

static bool is_listed(const char *difference)
{
    size_t i;

    for (i = 0; i < DIFFERENCES; i++) {
        char name[64];
        unsigned conn;
        int used = 0;

        ck_assert_int_eq(sscanf(difference, "%63s %u %n", name, &conn, &used), 2);
        if (strncmp(name, differences[i].name, strlen(differences[i].name)) == 0 &&
            (differences[i].conn == 0 || differences[i].conn == conn) &&
            strncmp(difference + used, differences[i].line, strlen(differences[i].line)) == 0) {
            differences[i].found++;
            return true;
        }
    }
    return false;
}

static const char *const folders[] = {"websocket/broker", "websocket/zeek", "websocket/management"};

static void check_octets(const struct octets *octets, const struct octets *expected)
{
    ck_assert_msg(memcmp(octets, expected, sizeof *octets) == 0,
                  "%u messages, %u identical, %u server, %u unfinished, %u bodies, %u heartbeats, "
                  "%u reals, %u escapes, %u fragmented",
                  octets->messages, octets->identical, octets->server, octets->unfinished,
                  octets->bodies, octets->heartbeats, octets->reals, octets->escapes,
                  octets->fragmented);
}

START_TEST(servers)
{
    static const struct octets expected[] = {{72, 67, 0, 0, 5, 0, 0, 0, 0},
                                             {653, 485, 66, 6, 8, 64, 32, 2, 1},
                                             {313, 176, 63, 0, 0, 74, 0, 0, 0}};
    size_t folder, i;

    for (folder = 0; folder < 3; folder++) {
        char **names = t_names(folders[folder], ".jsonl"), **name;
        struct octets octets;

        memset(&octets, 0, sizeof octets);
        for (name = names; *name != NULL; name++) {
            char path[256];
            struct replay replay;

            snprintf(path, sizeof path, "%s/%s", folders[folder], *name);
            run(&replay, path, &octets);
            for (i = 0; i < replay.differences.count; i++)
                ck_assert_msg(is_listed(replay.differences.lines[i]), "not listed: %s",
                              replay.differences.lines[i]);
            forget(&replay.differences);
        }
        t_names_free(names);
        check_octets(&octets, &expected[folder]);
    }
    for (i = 0; i < DIFFERENCES; i++)
        ck_assert_msg(differences[i].found > 0, "is none: %s %u %s", differences[i].name,
                      differences[i].conn, differences[i].line);
}
END_TEST

/* ----- clients ----- */

/* A client of ours in the place of one that was recorded. */
struct stand_in {
    const char *path;
    leat_session *session;
    leat_session *recorded, *ours, *servers; /* codecs */
    struct said said;                        /* a line is NULL once it was matched */
    unsigned messages;                       /* of the server's, that say something */
    unsigned events;                         /* that our client made of them */
    unsigned compared;
    bool closing;
};

/* What all of a folder's clients said that ours did, too; and what its servers said. */
struct totals {
    unsigned clients, compared, messages;
};

static bool take_options(struct stand_in *s, uint64_t conn)
{
    struct t_bytes to = t_capture(s->path, "a>b", conn), back = t_capture(s->path, "b>a", conn);
    leat_broker_websocket_client_options options;
    leat_session *reader = codec(LEAT_FROM_CLIENT);
    leat_builder *topics = NULL, *request = NULL;
    const leat_event *event;
    char accept[29], *host = NULL, *origin = NULL, *name = NULL, *key = NULL, *path = NULL;
    bool sound;

    (void)leat_feed(reader, to.data, to.length);
    sound = between(&back, "Sec-WebSocket-Accept: ", '\r', accept, sizeof accept);
    while (sound && topics == NULL && leat_next(reader, &event) == LEAT_OK) {
        const leat_value *value = leat_event_value(event),
                         *fields = leat_value_get(value, "fields");
        const leat_value *message = leat_value_get(value, "message");

        if (leat_event_kind(event) == LEAT_BROKER_REQUEST && request == NULL) {
            char *json = t_json_text(value);

            request = t_json(json, strlen(json));
            free(json);
            path = text_of(value, "target");
            host = text_of(fields, "Host");
            origin = text_of(fields, "Origin");
            name = text_of(fields, "X-Application-Name");
            key = text_of(fields, "Sec-WebSocket-Key");
            sound = leat_value_u64(leat_value_get(value, "minor")) == 1 && host != NULL &&
                    leat_value_get(fields, "Upgrade") != NULL &&
                    has_text(fields, "Sec-WebSocket-Version", "13") &&
                    leat_value_count(fields) <= 7;
        } else if (leat_value_kind(message) == LEAT_LIST) {
            ck_assert_int_eq(leat_builder_new(NULL, &topics), LEAT_OK);
            ck_assert_int_eq(leat_builder_copy(topics, NULL, message), LEAT_OK);
        } else if (leat_value_u64(leat_value_get(value, "opcode")) == 1) {
            break; /* it begins with something else, to see what happens */
        }
    }
    ws_client_options(&options);
    options.path = path;
    options.host = host;
    options.origin = origin;
    options.application_name = name;
    options.key = key;
    options.accept = accept;
    options.topics = topics == NULL ? NULL : leat_builder_value(topics);
    sound = sound && topics != NULL &&
            leat_broker_websocket_client_new(NULL, &options, &s->session) == LEAT_OK;
    leat_builder_free(topics);
    leat_builder_free(request);
    free(host);
    free(origin);
    free(name);
    free(key);
    free(path);
    leat_session_free(reader);
    t_free(to);
    t_free(back);
    return sound;
}

/* The request is the same, whatever the order of its fields, but for those that we have none of. */
static char *request_line(const leat_value *request)
{
    static const char *const names[] = {
        "Host",   "Upgrade",           "Connection", "Sec-WebSocket-Version", "Sec-WebSocket-Key",
        "Origin", "X-Application-Name"};
    static const char *const others[] = {"User-Agent", "Sec-WebSocket-Extensions",
                                         "Sec-WebSocket-Protocol", "X-Long"};
    const leat_value *fields = leat_value_get(request, "fields");
    struct t_bytes log = t_copy("request ", 8);
    size_t i, count = 0, length;
    const char *target = leat_value_text(leat_value_get(request, "target"), &length);

    t_append(&log, target, length);
    for (i = 0; i < sizeof names / sizeof *names; i++) {
        const leat_value *field = leat_value_get(fields, names[i]);
        const char *text = leat_value_text(field, &length);

        count += field != NULL;
        ws_note(&log, "|");
        t_append(&log, text, length);
    }
    for (i = 0; i < sizeof others / sizeof *others; i++)
        count += leat_value_get(fields, others[i]) != NULL;
    ck_assert_uint_eq(count, leat_value_count(fields));
    return (char *)log.data;
}

static char *client_line(const leat_event *event)
{
    return leat_event_kind(event) == LEAT_BROKER_REQUEST ? request_line(leat_event_value(event))
                                                         : line_of(event);
}

static void take_said(struct stand_in *s)
{
    const leat_event *event;
    const void *octets;
    size_t length;

    while (leat_next(s->session, &event) == LEAT_OK)
        s->events += leat_event_kind(event) == LEAT_BROKER_DATA ||
                     leat_event_kind(event) == LEAT_BROKER_ACK ||
                     leat_event_kind(event) == LEAT_BROKER_ERROR;
    octets = leat_send_data(s->session, &length);
    (void)leat_feed(s->ours, octets, length);
    (void)leat_send_done(s->session, length);
    while (leat_next(s->ours, &event) == LEAT_OK)
        say(&s->said, client_line(event));
}

/* Does what the recorded client did, if it is to be done. False: nobody should. */
static bool imitate(struct stand_in *s, const leat_value *frame)
{
    const leat_value *message = leat_value_get(frame, "message");
    const leat_value *data = leat_value_get(message, "data");
    uint64_t opcode = leat_value_u64(leat_value_get(frame, "opcode"));
    uint64_t code = leat_value_u64(leat_value_get(frame, "code"));
    size_t length;
    const char *text;

    if (leat_value_get(frame, "key") == NULL || leat_value_u64(leat_value_get(frame, "rsv")) != 0)
        return false;
    if (opcode <= 1 && data != NULL) {
        text = leat_value_text(leat_value_get(message, "topic"), &length);
        return has_text(message, "type", "data-message") &&
               leat_broker_websocket_publish(s->session, text, length, data) == LEAT_OK;
    }
    text = (const char *)leat_value_bytes(leat_value_get(frame, "payload"), &length);
    if (opcode == 9)
        return leat_broker_websocket_ping(s->session, text, length) == LEAT_OK;
    text = leat_value_text(leat_value_get(frame, "reason"), &length);
    if (opcode == 8)
        s->closing = true;
    return opcode == 8 &&
           leat_broker_websocket_close(s->session, (uint32_t)code, text, length) == LEAT_OK;
}

/* The place of what ours said, too; count: it did not. */
static size_t find_said(const struct stand_in *s, const char *line)
{
    size_t i;

    for (i = 0; i < s->said.count; i++) {
        if (s->said.lines[i] != NULL && strcmp(s->said.lines[i], line) == 0)
            break;
    }
    return i;
}

static void match(struct stand_in *s, const leat_event *event)
{
    char *line = client_line(event);
    size_t at;
    bool done;

    if (line == NULL)
        return;
    at = find_said(s, line);
    if (at == s->said.count) {
        done = leat_event_kind(event) == LEAT_BROKER_FRAME && imitate(s, leat_event_value(event));
        take_said(s);
        at = find_said(s, line);
        ck_assert_msg(!done || at < s->said.count, "%s: ours does not say: %s", s->path, line);
    }
    if (at < s->said.count) {
        free(s->said.lines[at]);
        s->said.lines[at] = NULL;
        s->compared++;
    } else {
        ck_assert_msg(strncmp(line, "request", 7) != 0, "%s: ours does not say: %s", s->path, line);
    }
    free(line);
}

static void take_server(struct stand_in *s, const struct t_bytes *octets)
{
    const leat_event *event;

    (void)leat_feed(s->servers, octets->data, octets->length);
    while (leat_next(s->servers, &event) == LEAT_OK)
        s->messages += !s->closing && leat_value_get(leat_event_value(event), "message") != NULL;
    (void)leat_feed(s->session, octets->data, octets->length);
    take_said(s);
}

static void stand_in(const char *path, uint64_t conn, struct totals *totals)
{
    struct stand_in s = {.path = path};
    struct lines lines;
    size_t i;

    if (!take_options(&s, conn))
        return;
    s.recorded = codec(LEAT_FROM_CLIENT);
    s.ours = codec(LEAT_FROM_CLIENT);
    s.servers = codec(LEAT_FROM_SERVER);
    take_said(&s);
    lines_open(&lines, path);
    while (lines_next(&lines)) {
        char *hex = text_of(lines.line, "hex");
        const leat_event *event;
        struct t_bytes octets;

        if (hex == NULL || leat_value_u64(leat_value_get(lines.line, "conn")) != conn) {
            free(hex);
            continue;
        }
        octets = t_hex(hex);
        if (has_text(lines.line, "dir", "b>a"))
            take_server(&s, &octets);
        else
            (void)leat_feed(s.recorded, octets.data, octets.length);
        while (has_text(lines.line, "dir", "a>b") && leat_next(s.recorded, &event) == LEAT_OK)
            match(&s, event);
        t_free(octets);
        free(hex);
    }
    (void)leat_recv_eof(s.session);
    take_said(&s);
    /* Broker answers a ping of 200 octets with a pong of 200, which nobody may send. */
    if (strstr(path, "/broker-frames") != NULL && conn == 11)
        ck_assert_str_eq(leat_error_text(leat_session_error(s.session)),
                         "Control frame with payload length > 125 octets");
    else
        ck_assert_msg(leat_session_error(s.session) == NULL, "%s %u: %s", path, (unsigned)conn,
                      leat_error_text(leat_session_error(s.session)));
    ck_assert_msg(s.events == s.messages, "%s %u: %u of %u", path, (unsigned)conn, s.events,
                  s.messages);
    /* Clients that were made to see what happens answered neither every ping nor a close. */
    for (i = 0; i < s.said.count; i++)
        ck_assert_msg(s.said.lines[i] == NULL || strncmp(s.said.lines[i], "pong", 4) == 0 ||
                          strncmp(s.said.lines[i], "close", 5) == 0 ||
                          strncmp(s.said.lines[i], "text [", 6) == 0,
                      "%s %u: only ours says: %s", path, (unsigned)conn, s.said.lines[i]);
    totals->clients++;
    totals->compared += s.compared;
    totals->messages += s.messages;
    forget(&s.said);
    leat_session_free(s.session);
    leat_session_free(s.recorded);
    leat_session_free(s.ours);
    leat_session_free(s.servers);
}

START_TEST(clients)
{
    static const struct totals expected[] = {{16, 46, 36}, {90, 435, 397}, {63, 273, 176}};
    char **names = t_names(folders[_i], ".jsonl"), **name;
    struct totals totals = {0, 0, 0};

    for (name = names; *name != NULL; name++) {
        char path[256];
        uint64_t conn, last;

        snprintf(path, sizeof path, "%s/%s", folders[_i], *name);
        last = lines_connections(path);
        for (conn = 1; conn <= last; conn++)
            stand_in(path, conn, &totals);
    }
    t_names_free(names);
    ck_assert_msg(memcmp(&totals, &expected[_i], sizeof totals) == 0,
                  "%u clients, %u compared, %u messages", totals.clients, totals.compared,
                  totals.messages);
}
END_TEST

static void tests(TCase *t)
{
    tcase_add_test(t, servers);
    tcase_add_loop_test(t, clients, 0, 3);
}

T_MAIN("broker/websocket replay", tests)
