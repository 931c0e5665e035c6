/* leat zabbix proxy: values of standard input for a server, which gets each of them once. */
#define _POSIX_C_SOURCE 200809L

#include "zabbix_live.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct proxy {
    struct live live;
    struct keys keys;
    struct security connecting;
    struct security accepting;
    struct output output;
    struct journal journal;
    leat_zabbix_proxy *engine;
    struct settings settings;
    bool failed;
    char problem[256]; /* that was complained of last */

    struct input input;
    leat_builder *line;
    leat_builder *text; /* of a value that came as a number */
    uint64_t lines;     /* that were taken */
    uint64_t last_id;
    const char *held; /* a line that waits for room in the buffer; NULL: none */
    size_t held_length;
};

/* One connection of ours, or of somebody who was accepted. */
struct visit {
    leat_session *session; /* until it is that of the connection */
    struct asker asker;
    bool news; /* something that changes what is to be kept */
    bool data; /* values of an agent or a sender are among it */
};

static struct proxy *proxy_of(const struct connection *connection)
{
    return connection->live->data;
}

static void tick(struct proxy *proxy)
{
    leat_zabbix_proxy_tick(proxy->engine, proxy->live.now, clock_ns());
}

static void get_status(const struct proxy *proxy, leat_zabbix_proxy_status *status)
{
    memset(status, 0, sizeof *status);
    status->size = sizeof *status;
    (void)leat_zabbix_proxy_get_status(proxy->engine, status);
}

/* Lines of the input */

enum taken { TAKEN, REFUSED, WAITS };

static enum taken refuse(struct proxy *proxy, const char *problem, const char *field, size_t length)
{
    complain("%s: line %" PRIu64 ": %s%s%.*s", proxy->input.name, proxy->lines + 1, problem,
             length > 0 ? ": " : "", (int)(length < 100 ? length : 100), field);
    proxy->failed = true;
    return REFUSED;
}

/* What the engine said of a line. */
static enum taken judge(struct proxy *proxy, int status)
{
    const leat_error *error = leat_zabbix_proxy_error(proxy->engine);
    leat_zabbix_proxy_status buffer;

    need_memory(status);
    if (status == LEAT_OK)
        return TAKEN;
    get_status(proxy, &buffer);
    /* Even an empty buffer has no room for a row that is over its limits. */
    if (status == LEAT_E_LIMIT && buffer.rows > 0)
        return WAITS;
    return refuse(proxy, leat_error_text(error), leat_error_field(error),
                  strlen(leat_error_field(error)));
}

static const struct {
    const char *name;
    uint64_t bit;
} members[] = {
    {"itemid", LEAT_ZABBIX_HAS_ITEMID},   {"clock", LEAT_ZABBIX_HAS_CLOCK},
    {"ns", LEAT_ZABBIX_HAS_NS},           {"value", LEAT_ZABBIX_HAS_VALUE},
    {"state", LEAT_ZABBIX_HAS_STATE},     {"timestamp", LEAT_ZABBIX_HAS_TIMESTAMP},
    {"source", LEAT_ZABBIX_HAS_SOURCE},   {"severity", LEAT_ZABBIX_HAS_SEVERITY},
    {"eventid", LEAT_ZABBIX_HAS_EVENTID}, {"lastlogsize", LEAT_ZABBIX_HAS_LASTLOGSIZE},
    {"mtime", LEAT_ZABBIX_HAS_MTIME},
};

#define MEMBERS (sizeof members / sizeof *members)

/* A number as the text that it is sent as. False: it is none. */
static bool number_text(struct proxy *proxy, const leat_value *value, leat_zabbix_history *history)
{
    uint32_t kind = leat_value_kind(value);
    char text[64];

    if (kind != LEAT_UINT && kind != LEAT_INT && kind != LEAT_REAL)
        return false;
    leat_builder_clear(proxy->text);
    (void)leat_builder_text(proxy->text, NULL, text, leat_value_json(value, text, sizeof text));
    history->value = leat_value_text(leat_builder_value(proxy->text), &history->value_length);
    need_memory(leat_builder_value(proxy->text) == NULL ? LEAT_E_NOMEM : LEAT_OK);
    history->has |= LEAT_ZABBIX_HAS_VALUE;
    return true;
}

static enum taken take_value(struct proxy *proxy, const leat_value *line)
{
    static const char *const names[] = {"id",          "itemid",    "clock",  "ns",       "value",
                                        "state",       "timestamp", "source", "severity", "eventid",
                                        "lastlogsize", "mtime",     NULL};
    leat_zabbix_history history;
    const char *unknown;
    size_t length, i;
    enum taken taken;

    if (!fields_known(line, names, &unknown, &length))
        return refuse(proxy, "an unknown member", unknown, length);
    leat_zabbix_history_init(&history, sizeof history);
    (void)leat_zabbix_history_read(line, &history);
    for (i = 0; i < MEMBERS; i++) {
        const leat_value *member = leat_value_get(line, members[i].name);

        if (member == NULL || (history.has & members[i].bit) != 0)
            continue;
        if (members[i].bit != LEAT_ZABBIX_HAS_VALUE || !number_text(proxy, member, &history))
            return refuse(proxy, "of the wrong type", members[i].name, strlen(members[i].name));
    }
    history.has &= ~(uint64_t)LEAT_ZABBIX_HAS_ID;
    taken = judge(proxy, leat_zabbix_proxy_history(proxy->engine, &history, &proxy->last_id));
    proxy->live.count += taken == TAKEN;
    return taken;
}

static enum taken take_row(struct proxy *proxy, const leat_value *line)
{
    static const char *const names[] = {"section", "row", NULL};
    const char *unknown;
    size_t length;
    char *section;
    enum taken taken;

    if (!fields_known(line, names, &unknown, &length))
        return refuse(proxy, "an unknown member", unknown, length);
    section = text_copy(line, "section");
    if (section == NULL)
        return refuse(proxy, "of the wrong type", "section", 7);
    taken =
        judge(proxy, leat_zabbix_proxy_row(proxy->engine, section, leat_value_get(line, "row")));
    free(section);
    return taken;
}

static void tell_status(struct proxy *proxy)
{
    leat_builder *built = proxy->text;
    leat_zabbix_proxy_status status;

    tick(proxy);
    get_status(proxy, &status);
    leat_builder_clear(built);
    (void)leat_builder_open(built, NULL, LEAT_RECORD);
    (void)leat_builder_u64(built, "rows", status.rows);
    (void)leat_builder_u64(built, "bytes", status.bytes);
    (void)leat_builder_u64(built, "dropped", status.dropped);
    (void)leat_builder_u64(built, "last_id", status.last_id);
    (void)leat_builder_u64(built, "acknowledged", status.acknowledged);
    (void)leat_builder_u64(built, "delay", status.delay);
    (void)leat_builder_u64(built, "upload", status.upload);
    (void)leat_builder_u64(built, "failures", status.failures);
    (void)leat_builder_u64(built, "revision",
                           leat_zabbix_tables_revision(leat_zabbix_proxy_tables(proxy->engine)));
    need_memory(leat_builder_close(built));
    output_news(&proxy->output, "status", NULL, leat_builder_value(built));
}

static enum taken take_line(struct proxy *proxy, const char *text, size_t length)
{
    const char *problem;
    const leat_value *line = record_read(proxy->line, text, length, &problem);

    if (line == NULL)
        return refuse(proxy, problem, "", 0);
    if (leat_value_get(line, "section") != NULL)
        return take_row(proxy, line);
    if (leat_value_get(line, "itemid") != NULL)
        return take_value(proxy, line);
    if (is_command(line, "reload"))
        leat_zabbix_proxy_reload(proxy->engine);
    else if (is_command(line, "status"))
        tell_status(proxy);
    else if (is_command(line, "stop"))
        live_stop(&proxy->live);
    else
        return refuse(proxy, "neither a value, nor a row, nor a command", "", 0);
    return TAKEN;
}

/* What was taken is safe from now on. */
static void tell_taken(struct proxy *proxy)
{
    leat_builder *built = proxy->text;

    journal_write(&proxy->journal, proxy->engine);
    leat_builder_clear(built);
    (void)leat_builder_open(built, NULL, LEAT_RECORD);
    (void)leat_builder_u64(built, "lines", proxy->lines);
    (void)leat_builder_u64(built, "last_id", proxy->last_id);
    need_memory(leat_builder_close(built));
    output_news(&proxy->output, "taken", NULL, leat_builder_value(built));
    output_flush();
}

/* Takes the lines that are there, as far as the buffer has room. */
static void take_lines(struct proxy *proxy)
{
    uint64_t before = proxy->lines;
    const char *text = proxy->held;
    size_t length = proxy->held_length;

    tick(proxy);
    proxy->held = NULL;
    while (!proxy->live.stopping &&
           (text != NULL || input_whole_line(&proxy->input, &text, &length))) {
        if (take_line(proxy, text, length) == WAITS) {
            proxy->held = text;
            proxy->held_length = length;
            break;
        }
        proxy->lines++;
        text = NULL;
    }
    if (proxy->lines > before)
        tell_taken(proxy);
    proxy->live.input =
        proxy->held != NULL || proxy->input.ended || proxy->live.stopping ? NULL : &proxy->input;
}

static void read_input(struct live *live)
{
    struct proxy *proxy = live->data;

    (void)input_pull(&proxy->input);
    take_lines(proxy);
}

/* Connections */

static struct visit *new_visit(leat_session *session)
{
    struct visit *visit = calloc(1, sizeof *visit);

    need_memory(visit == NULL ? LEAT_E_NOMEM : LEAT_OK);
    visit->session = session;
    return visit;
}

static void open_connecting(struct connection *connection)
{
    struct visit *visit = connection->data;

    connection->session = visit->session;
    connection->security = &proxy_of(connection)->connecting;
    visit->session = NULL;
}

/* Whether the server of a passive proxy is at the other end. */
static bool is_server(const struct connection *connection)
{
    const struct proxy *proxy = proxy_of(connection);
    struct facts facts;

    facts_read(&facts, connection);
    return proxy->settings.options.passive != 0 &&
           settings_are_for(&proxy->settings, connection->peer_address) &&
           facts_suit(&facts, &proxy->keys);
}

static void open_accepted(struct connection *connection)
{
    struct proxy *proxy = proxy_of(connection);

    connection->data = new_visit(NULL);
    if (!connection->is_tls && (proxy->keys.accepts & LEAT_ZABBIX_UNENCRYPTED) == 0) {
        connection_end(connection, true, "unencrypted, which is not accepted");
        return;
    }
    if (connection->is_tls && proxy->accepting.context == NULL) {
        connection_end(connection, true, "TLS, which is not accepted");
        return;
    }
    tick(proxy);
    connection->security = connection->is_tls ? &proxy->accepting : &no_security;
    need_memory(leat_zabbix_proxy_accept(proxy->engine, 0, &connection->session));
    ((struct visit *)connection->data)->asker.began_us = clock_us();
}

static void tell_connection(const struct connection *connection)
{
    char about[128];

    wire_describe(&connection->wire, about, sizeof about);
    live_news(connection->live, "%s: connected (%s)", connection->peer, about);
}

static void on_accepted(struct connection *connection)
{
    tell_connection(connection);
    need_memory(leat_zabbix_proxy_met(connection->session, is_server(connection) ? 1 : 0));
}

static void on_connected(struct connection *connection)
{
    struct facts facts;

    tell_connection(connection);
    facts_read(&facts, connection);
    if (!facts_suit(&facts, &proxy_of(connection)->keys))
        connection_end(connection, true, "the certificate has another issuer or subject");
}

static void on_event(struct connection *connection, const leat_event *event)
{
    struct proxy *proxy = proxy_of(connection);
    struct visit *visit = connection->data;

    print_event(&proxy->output, connection, event, NULL);
    visit->news = true;
    if (leat_event_kind(event) == LEAT_ZABBIX_ACKNOWLEDGED)
        proxy->problem[0] = '\0';
    if (leat_event_kind(event) == LEAT_ZABBIX_AGENT_DATA ||
        leat_event_kind(event) == LEAT_ZABBIX_SENDER_DATA)
        visit->data = true;
    if (connection->role->is_server)
        answer(&visit->asker, connection->session, event, leat_zabbix_proxy_tables(proxy->engine),
               proxy->settings.version);
}

/* Values that were printed are acknowledged behind this: the answer is sent when the turn is over. */
static bool on_turn(struct connection *connection)
{
    struct proxy *proxy = proxy_of(connection);
    struct visit *visit = connection->data;

    if (visit->news) {
        if (visit->data)
            output_keep();
        else
            output_flush();
        journal_write(&proxy->journal, proxy->engine);
        visit->news = visit->data = false;
    }
    return false;
}

/* A server that is away is told of once, not at every try. */
static void on_closed(struct connection *connection)
{
    struct proxy *proxy = proxy_of(connection);
    struct visit *visit = connection->data; /* NULL: nothing was ever said */
    char about[REASON_BYTES];

    describe_end(connection, about, sizeof about);
    if (!connection->failed || (connection->lost && connection->role->is_server)) {
        live_news(&proxy->live, "%s", about);
    } else if (connection->role->is_server) {
        complain("%s", about);
    } else if (strcmp(connection->reason, proxy->problem) != 0) {
        (void)snprintf(proxy->problem, sizeof proxy->problem, "%s", connection->reason);
        complain("%s; it is tried again", about);
    }
    if (visit != NULL)
        leat_session_free(visit->session);
    free(visit);
}

static const struct role connecting_role = {
    .dir_in = "server>proxy",
    .dir_out = "proxy>server",
    .framed = true,
    .open = open_connecting,
    .ready = on_connected,
    .event = on_event,
    .turn = on_turn,
    .closed = on_closed,
};

static const struct role accepting_role = {
    .dir_in = "client>proxy",
    .dir_out = "proxy>client",
    .is_server = true,
    .mixed = true,
    .framed = true,
    .open = open_accepted,
    .ready = on_accepted,
    .event = on_event,
    .turn = on_turn,
    .closed = on_closed,
};

/* Whether an exchange that the proxy began is under way: it may still have something to tell. */
static bool is_asking(const struct live *live)
{
    const struct connection *connection;

    for (connection = live->connections; connection != NULL; connection = connection->next) {
        if (connection->role == &connecting_role)
            return true;
    }
    return false;
}

static void on_live_turn(struct live *live)
{
    struct proxy *proxy = live->data;
    leat_zabbix_proxy_status status;
    leat_session *session;
    int made = LEAT_END;

    if (live->stopping)
        return;
    if (proxy->held != NULL)
        take_lines(proxy);
    get_status(proxy, &status);
    if (proxy->settings.exit_when_empty && proxy->input.ended && proxy->held == NULL &&
        status.rows == 0) {
        if (!is_asking(live))
            live_stop(live);
        return;
    }
    tick(proxy);
    if (proxy->settings.options.passive == 0) {
        while ((made = leat_zabbix_proxy_connect(proxy->engine, &session)) == LEAT_OK)
            live_connect(live, &proxy->settings.server, &connecting_role, new_visit(session));
        need_memory(made);
    }
    live->due = leat_zabbix_proxy_deadline(proxy->engine);
}

/* Beginning and ending */

static bool make_engine(struct proxy *proxy)
{
    leat_zabbix_proxy_options *options = &proxy->settings.options;
    int status;

    /* What a buffer has no room for is no batch either. */
    if (options->batch_rows > options->buffer_rows)
        options->batch_rows = options->buffer_rows;
    if (options->batch_bytes > options->buffer_bytes)
        options->batch_bytes = options->buffer_bytes;
    status = leat_zabbix_proxy_new(NULL, options, &proxy->engine);
    need_memory(status);
    if (status != LEAT_OK)
        complain("--name %s: not the name of a proxy", options->name);
    return status == LEAT_OK;
}

static bool open_input(struct proxy *proxy)
{
    leat_zabbix_proxy_status status;

    get_status(proxy, &status);
    proxy->last_id = status.last_id;
    if (!input_open(&proxy->input, NULL))
        return false;
    proxy->live.input = &proxy->input;
    proxy->live.read = read_input;
    return true;
}

static bool begin(struct proxy *proxy, const struct arguments *arguments)
{
    const char *listen = option_value(arguments, "--listen");
    struct endpoint endpoint;

    return (listen == NULL || (endpoint_read(&endpoint, listen, true) &&
                               live_listen(&proxy->live, &endpoint, &accepting_role))) &&
           journal_open(&proxy->journal, option_value(arguments, "--state"), proxy->engine) &&
           live_record(&proxy->live, arguments) && open_input(proxy);
}

static int end(struct proxy *proxy)
{
    leat_zabbix_proxy_status status;

    get_status(proxy, &status);
    if (status.dropped > 0)
        complain("values that were dropped, as the buffer was full or they were too old: %" PRIu64,
                 status.dropped);
    (void)output_undecodable(&proxy->output, "messages"); /* anybody may send such */
    return proxy->failed || status.dropped > 0 ? EXIT_MALFORMED : EXIT_DONE;
}

static int run(struct proxy *proxy, const struct arguments *arguments)
{
    int code = EXIT_USAGE;

    live_begin(&proxy->live, arguments);
    proxy->live.data = proxy;
    proxy->live.turn = on_live_turn;
    proxy->live.counted = "values";
    tick(proxy);
    if (begin(proxy, arguments)) {
        live_run(&proxy->live);
        code = end(proxy);
    }
    journal_close(&proxy->journal, proxy->engine);
    live_close(&proxy->live);
    free(proxy->input.buffer);
    return code;
}

int zabbix_proxy(const struct arguments *arguments)
{
    struct proxy *proxy = calloc(1, sizeof *proxy);
    int code = EXIT_USAGE;

    need_memory(proxy == NULL ? LEAT_E_NOMEM : LEAT_OK);
    need_memory(leat_builder_new(NULL, &proxy->line));
    need_memory(leat_builder_new(NULL, &proxy->text));
    output_open(&proxy->output);
    if (settings_read(&proxy->settings, arguments) && keys_open(&proxy->keys, arguments)) {
        if (keys_connect(&proxy->keys, proxy->keys.connects, &proxy->keys.psk,
                         &proxy->connecting) &&
            keys_accept(&proxy->keys, proxy->keys.accepts, &proxy->keys.psk,
                        proxy->keys.psk.identity != NULL ? 1 : 0, &proxy->accepting) &&
            make_engine(proxy))
            code = run(proxy, arguments);
        leat_zabbix_proxy_free(proxy->engine);
        security_close(&proxy->connecting);
        security_close(&proxy->accepting);
        keys_close(&proxy->keys);
    }
    output_close(&proxy->output);
    leat_builder_free(proxy->text);
    leat_builder_free(proxy->line);
    free(proxy);
    return code;
}
