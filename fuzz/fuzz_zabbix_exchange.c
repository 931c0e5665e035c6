/*
 * One exchange, by script: in any role and version the peer says sound messages and others, and the
 * caller whatever the session takes. However the peer's octets are cut, the same is told and said;
 * what is said is sound, in turn, and in the form that belongs to it.
 */
#include "zabbix_live.h"

static const struct {
    const char *name;
    const char *json;
} messages[] = {
    {"response", "{\"response\":\"success\"}"},
    {"response", "{\"response\":\"success\",\"version\":\"6.0.14\"}"},
    {"response", "{\"response\":\"failed\",\"info\":\"no\",\"version\":\"7.0.22\"}"},
    {"response", "{\"redirect\":{\"revision\":1,\"address\":\"a:1\"},\"response\":\"failed\"}"},
    {"proxy data", "{\"request\":\"proxy data\",\"host\":\"px\",\"session\":\"0123456789abcdef"
                   "0123456789abcdef\",\"history "
                   "data\":[{\"id\":1,\"itemid\":2,\"clock\":3,\"ns\":4,\"value\":\"x\"}],"
                   "\"version\":\"6.0.14\",\"clock\":1,\"ns\":2}"},
    {"proxy data", "{\"request\":\"proxy data\",\"host\":\"px\",\"session\":\"0123456789abcdef"
                   "0123456789abcdef\",\"host data\":[{\"hostid\":1,\"active_status\":1}],"
                   "\"version\":\"7.0.22\",\"clock\":1,\"ns\":2}"},
    {"proxy data", "{\"request\":\"proxy data\"}"},
    {"proxy data", "{\"session\":\"0123456789abcdef0123456789abcdef\",\"history data\":[{\"id\":1,"
                   "\"itemid\":2,\"clock\":3,\"ns\":4},{\"id\":2,\"itemid\":2,\"clock\":3,\"ns\":5}"
                   "],\"version\":\"6.0.14\",\"clock\":1,\"ns\":2}"},
    {"proxy tasks", "{\"request\":\"proxy tasks\"}"},
    {"proxy tasks", "{\"tasks\":[{\"type\":6}],\"version\":\"7.0.22\",\"clock\":1,\"ns\":2}"},
    {"proxy config", "{\"request\":\"proxy config\",\"host\":\"px\",\"version\":\"6.0.14\","
                     "\"session\":\"0123456789abcdef0123456789abcdef\",\"config_revision\":0}"},
    {"proxy config", "{\"request\":\"proxy config\",\"host\":\"px\",\"version\":\"7.0.22\","
                     "\"session\":\"0123456789abcdef0123456789abcdef\",\"config_revision\":0}"},
    {"proxy config", "{\"request\":\"proxy config\"}"},
    {"proxy config",
     "{\"request\":\"proxy config\",\"data\":{\"regexps\":{\"fields\":[\"regexpid\"],"
     "\"data\":[[1],[2]]}}}"},
    {"proxy config", "{\"version\":\"7.0.22\",\"session\":\"0123456789abcdef0123456789abcdef\","
                     "\"config_revision\":16}"},
    {"proxy config", "{\"data\":{\"regexps\":{\"fields\":[\"regexpid\",\"name\"],\"data\":[[1,"
                     "\"x\"]]}},\"config_revision\":1}"},
    {"proxy config", "{}"},
    {"proxy heartbeat", "{\"request\":\"proxy heartbeat\",\"host\":\"px\",\"version\":\"6.0.14\"}"},
    {"active checks", "{\"request\":\"active checks\",\"host\":\"za1\",\"version\":\"7.0.22\","
                      "\"session\":\"0123456789abcdef0123456789abcdef\",\"config_revision\":0}"},
    {"agent data",
     "{\"request\":\"agent "
     "data\",\"data\":[{\"itemid\":1,\"id\":1,\"clock\":2,\"ns\":3,\"value\":\"x\"}]}"},
    {"active check heartbeat",
     "{\"request\":\"active check heartbeat\",\"host\":\"za1\",\"heartbeat_freq\":60}"},
    {"sender data",
     "{\"request\":\"sender data\",\"data\":[{\"host\":\"h\",\"key\":\"k\",\"value\":\"x\"}]}"},
    {"passive checks",
     "{\"request\":\"passive checks\",\"data\":[{\"key\":\"agent.ping\",\"timeout\":3}]}"},
    {"passive checks", "{\"version\":\"7.0.22\",\"variant\":1,\"data\":[{\"value\":\"1\"}]}"},
    {"plain", "{\"body\":\"agent.ping\"}"},
    {"plain", "{\"body\":\"ZBX_NOTSUPPORTED\",\"error\":\"no\"}"},
    {"unframed", "{\"body\":\"OK\"}"},
    {"request", "{\"request\":\"nonsense\"}"},
    {"message", "{\"host\":\"px\"}"},
};
#define MESSAGES (sizeof messages / sizeof *messages)

static leat_zabbix_exchange_options options;
static leat_zabbix_redirect redirect; /* of an agent that keeps it over the whole script */

/* Exchanges end in one of two ways if the peer goes on behind their end: it depends on the pieces. */
static void tell_end(struct live *live)
{
    const leat_error *error = leat_session_error(live->session);
    bool behind = leat_error_code(error) == LEAT_E_FRAME &&
                  strcmp(leat_error_text(error), "octets behind the message") == 0;

    if (live->status == LEAT_END || behind)
        return;
    tell_number(&live->told, (uint64_t)(int64_t)live->status);
    tell_error(&live->told, error);
}

/* Whatever is read may be a redirect; it leads to a host and a port, or changes nothing. */
static void follow(struct live *live, const leat_event *event)
{
    leat_zabbix_redirect before = redirect;
    int status = leat_zabbix_redirect_follow(&redirect, leat_event_value(event));

    must(status == LEAT_OK || status == LEAT_END || status == LEAT_E_PROTOCOL);
    must((status == LEAT_OK) == (redirect.followed != 0));
    if (status != LEAT_OK) {
        before.followed = 0;
        must(memcmp(&before, &redirect, sizeof before) == 0);
    }
    must(memchr(redirect.host, 0, sizeof redirect.host) != NULL);
    must(redirect.port >= 1 && redirect.port <= 65535);
    tell_number(&live->told, (uint64_t)(int64_t)status);
    tell_number(&live->told, redirect.port);
}

static void draw(struct live *live)
{
    const leat_event *event;

    while ((live->status = leat_next(live->session, &event)) == LEAT_OK) {
        tell_part(&live->told, live->session, event);
        follow(live, event);
    }
    must((leat_session_error(live->session) != NULL) == (live->status < 0));
    must(live->status != LEAT_END || is_over(live));
}

/* What a proxy says to its server is compressed, except for its revision. */
static void heard(struct live *live, const leat_event *event)
{
    uint32_t flags, exchange = leat_zabbix_exchange(live->session);
    uint64_t data_len, reserved;

    must(live->messages <= 2);
    must(leat_zabbix_header(live->other, &flags, &data_len, &reserved) == LEAT_OK);
    must((flags & LEAT_ZABBIX_LARGE) == 0);
    if (options.role == LEAT_ZABBIX_AS_PROXY && options.connects != 0 &&
        exchange <= LEAT_ZABBIX_PROXY_HEARTBEAT)
        must(flags == (LEAT_ZABBIX_PROTOCOL | LEAT_ZABBIX_COMPRESSED));
    must(leat_event_kind(event) != LEAT_ZABBIX_UNFRAMED || options.connects == 0);
}

static void commanded(struct live *live, int status, size_t before)
{
    size_t after;

    (void)leat_send_data(live->session, &after);
    must(status == LEAT_OK || before == after);
    must(status != LEAT_E_STATE || leat_session_error(live->session) != NULL ||
         leat_session_send_error(live->session) != NULL);
    tell_number(&live->told, (uint64_t)(int64_t)status);
}

static void send_one(struct live *live, struct input *input)
{
    unsigned which = take(input) % MESSAGES;
    const char *json = messages[which].json;
    size_t length = strlen(json), before;
    leat_builder *builder;

    if (take(input) % 4u == 0)
        json = (const char *)take_piece(input, &length);
    must(leat_builder_new(NULL, &builder) == LEAT_OK);
    (void)leat_builder_json(builder, NULL, json, length);
    (void)leat_send_data(live->session, &before);
    commanded(live, leat_send(live->session, messages[which].name, leat_builder_value(builder)),
              before);
    leat_builder_free(builder);
}

static void write_piece(struct live *live, struct input *input)
{
    static const char *const names[] = {"request", "host",     "session",   "config_revision",
                                        "version", "response", "clock",     "ns",
                                        "data",    "tasks",    "host data", "history data"};
    static const char *const texts[] = {"proxy data", "proxy config", "7.0.22", "failed",
                                        "success"};
    leat_session *session = live->session;
    const char *name = names[take(input) % 12u], *text = texts[take(input) % 5u];
    leat_zabbix_history row;
    size_t before;
    int status;

    (void)leat_send_data(session, &before);
    switch (take(input) % 8u) {
    case 0:
        status = leat_zabbix_begin(session);
        break;
    case 1:
        status = leat_zabbix_text(session, name, text, strlen(text));
        break;
    case 2:
        status = leat_zabbix_number(session, name, before);
        break;
    case 3:
        status = leat_zabbix_section(session, name);
        break;
    case 4:
        leat_zabbix_history_init(&row, sizeof row);
        row.has = LEAT_ZABBIX_HAS_ID;
        status = leat_zabbix_history_write(session, &row);
        break;
    case 5:
        status = leat_zabbix_close(session);
        break;
    case 6:
        status = leat_zabbix_abort(session);
        break;
    default:
        status = leat_zabbix_end(session);
        break;
    }
    tell_number(&live->told, (uint64_t)(int64_t)status);
}

/* The peer says something in a frame: one of ours, or what the script says. */
static void hear_one(struct live *live, struct input *input)
{
    static const uint8_t flags[] = {1, 3, 1, 3, 1, 3, 5, 7};
    static uint8_t octets[1 << 14];
    unsigned how = take(input), which = take(input) % (MESSAGES + 8);
    const uint8_t *text;
    size_t length;

    if (which < MESSAGES) {
        text = (const uint8_t *)messages[which].json;
        length = strlen(messages[which].json);
    } else {
        text = take_piece(input, &length);
    }
    length = make_frame(octets, sizeof octets, flags[how % 8u], how / 8u % 16u == 15 ? 1 : 0, text,
                        length);
    hear(live, octets, length, draw);
}

static void play(struct live *live, struct input *input)
{
    const uint8_t *piece;
    size_t length, before;

    switch (take(input) % 10u) {
    case 0:
        piece = take_piece(input, &length);
        hear(live, piece, length, draw);
        break;
    case 1:
    case 2:
    case 3:
        hear_one(live, input);
        break;
    case 4:
    case 5:
        send_one(live, input);
        break;
    case 6:
        write_piece(live, input);
        break;
    case 7:
        (void)leat_send_data(live->session, &before);
        commanded(live, leat_zabbix_refuse(live->session, take(input) % 2u == 0 ? NULL : "no"),
                  before);
        break;
    case 8:
        pass_time(live, take(input));
        break;
    default:
        if (take(input) % 4u == 0)
            live->eof = leat_recv_eof(live->session) == LEAT_OK;
        else
            leat_session_trim(live->session);
        break;
    }
    draw(live);
    listen_to(live, heard);
    take_output(live, take(input));
}

/* No session for most: then a server that is asked. */
static int make(struct live *live, const struct settings *settings, struct input *input)
{
    static const char *const versions[] = {"5.0.33", "5.4.4", "6.0.14", "6.2.9",
                                           "6.4.21", "7.2.9", "7.0.22", "7.4.3"};
    unsigned how = take(input);
    int status;

    leat_zabbix_exchange_options_init(&options, sizeof options);
    options.version = versions[how % 8u];
    options.role = how / 8u % 5u + 1;
    options.exchange = take(input) % 10u;
    options.exchange += options.exchange != 0;
    options.connects = options.exchange != 0;
    how = take(input);
    options.compress = how % 2u;
    options.timeout_ms = how / 2u % 4u == 0 ? 500 : 0;
    options.linger_ms = how / 8u % 4u == 0 ? 0 : 1000;
    status = leat_zabbix_exchange_new(&settings->config, &options, &live->session);
    if (status != LEAT_E_VALUE)
        return status;
    options.role = LEAT_ZABBIX_AS_SERVER;
    options.connects = options.exchange = 0;
    return leat_zabbix_exchange_new(&settings->config, &options, &live->session);
}

static uint64_t run(struct input input, struct manner manner)
{
    static const size_t queued[] = {1 << 16, 1 << 16, 100, 40};
    static struct live live;
    struct settings settings;
    int status;

    leat_zabbix_redirect_init(&redirect, sizeof redirect);
    start_live(&live, &settings, manner, queued[take(&input) % 4u]);
    status = make(&live, &settings, &input);
    must(status == LEAT_OK || (manner.good != ALWAYS && status == LEAT_E_NOMEM));
    if (status != LEAT_OK) {
        live.session = NULL;
        return end_live(&live);
    }
    while (input.left > 0 && !is_over(&live)) {
        play(&live, &input);
        if (!is_over(&live))
            check_session(&live);
    }
    if (is_over(&live)) {
        draw(&live);
        must(live.status == LEAT_END || live.status < 0);
        tell_end(&live);
    }
    return end_live(&live);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_script(run, data, size);
    return 0;
}
