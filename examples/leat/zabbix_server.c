/* leat zabbix server: takes what proxies, agents and senders say, and gives proxies their configuration. */
#define _POSIX_C_SOURCE 200809L

#include "zabbix_live.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NAME_BYTES 129

struct server {
    struct live live;
    const struct arguments *arguments;
    struct keys keys;
    struct members members;
    struct security accepting;
    uint32_t accepts; /* the sum of what anybody may */
    struct output output;
    leat_zabbix_server *engine;
    leat_zabbix_tables *tables; /* of hosts that have no proxy */
    leat_zabbix_server_options options;
    char version[VERSION_BYTES];
    const char *state; /* NULL: it is kept in memory only */
    leat_buffer *state_data;
    struct input input;
    leat_builder *line;
    leat_builder *built;
    uint64_t lines;
    bool failed;
};

/* One connection. */
struct visit {
    leat_session *session; /* until it is that of the connection */
    char name[NAME_BYTES]; /* of the passive proxy that we connect to */
    struct asker asker;
    bool barred; /* nothing that it says is heard */
    bool printed;
    bool data;  /* values are among it, */
    bool known; /* or something of a proxy */
};

static struct server *server_of(const struct connection *connection)
{
    return connection->live->data;
}

static void tick(struct server *server)
{
    leat_zabbix_server_tick(server->engine, server->live.now, clock_ns());
}

static void save(struct server *server)
{
    if (server->state == NULL)
        return;
    leat_buffer_clear(server->state_data);
    need_memory(leat_zabbix_server_save(server->engine, server->state_data));
    file_replace(server->state, server->state_data);
}

/* The configuration */

/* Makes an engine that has these proxies. NULL, with a complaint: one is not sound. */
static leat_zabbix_server *make_engine(struct server *server, const struct members *members)
{
    leat_zabbix_server *engine = NULL;
    size_t i;

    need_memory(leat_zabbix_server_new(NULL, &server->options, &engine));
    leat_zabbix_server_tick(engine, server->live.now, clock_ns());
    for (i = 0; i < members->count; i++) {
        if (!member_add(&members->members[i], &server->keys, engine)) {
            leat_zabbix_server_free(engine);
            return NULL;
        }
    }
    return engine;
}

/* Puts what was read in the place of what was there. */
static void take_members(struct server *server, struct members *members)
{
    size_t i;

    for (i = 0; i < server->members.count; i++) {
        const char *name = server->members.members[i].name;

        if (members_find(members, name) == NULL)
            (void)leat_zabbix_server_remove(server->engine, name);
    }
    for (i = 0; i < members->count; i++)
        (void)member_add(&members->members[i], &server->keys, server->engine);
    members_free(&server->members);
    server->members = *members;
}

/* Reads the file again. What is not sound is passed over as a whole: another engine has tried it before. */
static void reload(struct live *live)
{
    struct server *server = live->data;
    struct security accepting = no_security;
    leat_zabbix_server *trial;
    struct members members;
    uint32_t accepts;

    if (!members_read(&members, server->arguments, &server->keys)) {
        server->failed = true;
        return;
    }
    trial = make_engine(server, &members);
    if (trial == NULL || !members_accept(&members, &server->keys, &accepts, &accepting) ||
        !tables_load(server->tables, members.tables, "hosts without a proxy")) {
        leat_zabbix_server_free(trial);
        security_close(&accepting);
        members_free(&members);
        server->failed = true;
        return;
    }
    leat_zabbix_server_free(trial);
    security_close(&server->accepting);
    server->accepting = accepting;
    server->accepts = accepts;
    tick(server);
    take_members(server, &members);
    live_news(live, "the configuration was read again");
}

/* Lines of the input */

static void refuse(struct server *server, const char *problem, const char *field)
{
    complain("%s: line %" PRIu64 ": %s%s%s", server->input.name, server->lines, problem,
             field[0] != '\0' ? ": " : "", field);
    server->failed = true;
}

static void give_task(struct server *server, const leat_value *line)
{
    static const char *const names[] = {"proxy", "task", NULL};
    const leat_error *error;
    const char *unknown;
    size_t length;
    char *name = text_copy(line, "proxy");
    int status;

    if (name == NULL || !fields_known(line, names, &unknown, &length)) {
        refuse(server, "not a proxy and a task", "");
        free(name);
        return;
    }
    status = leat_zabbix_server_task(server->engine, name, leat_value_get(line, "task"));
    free(name);
    need_memory(status);
    error = leat_zabbix_server_error(server->engine);
    if (status != LEAT_OK)
        refuse(server, leat_error_text(error), leat_error_field(error));
}

static void tell_status(struct server *server)
{
    leat_builder *built = server->built;
    size_t i;

    save(server); /* what is told is kept */
    for (i = 0; i < server->members.count; i++) {
        const char *name = server->members.members[i].name;
        leat_zabbix_member_status status;

        memset(&status, 0, sizeof status);
        status.size = sizeof status;
        (void)leat_zabbix_server_get_status(server->engine, name, &status);
        leat_builder_clear(built);
        (void)leat_builder_open(built, NULL, LEAT_RECORD);
        if (status.last_access_ms == 0)
            (void)leat_builder_null(built, "last_access");
        else
            (void)leat_builder_f64(built, "last_access",
                                   (double)(server->live.now - status.last_access_ms) / 1000.0);
        (void)leat_builder_u64(built, "rows", status.rows);
        (void)leat_builder_u64(built, "repeated", status.repeated);
        (void)leat_builder_u64(built, "delay", status.delay);
        (void)leat_builder_u64(built, "tasks", status.tasks);
        (void)leat_builder_u64(built, "revision", status.revision);
        (void)leat_builder_u64(built, "failures", status.failures);
        (void)leat_builder_text(built, "version", status.version, strlen(status.version));
        need_memory(leat_builder_close(built));
        output_news(&server->output, "status", name, leat_builder_value(built));
    }
    output_flush();
}

static void take_line(struct server *server, const char *text, size_t length)
{
    const char *problem;
    const leat_value *line = record_read(server->line, text, length, &problem);
    const leat_value *throttle = leat_value_get(line, "throttle");

    if (line == NULL)
        refuse(server, problem, "");
    else if (leat_value_get(line, "task") != NULL)
        give_task(server, line);
    else if (leat_value_kind(throttle) == LEAT_BOOL && leat_value_count(line) == 1)
        leat_zabbix_server_throttle(server->engine, leat_value_bool(throttle) != 0 ? 1 : 0);
    else if (is_command(line, "reload"))
        reload(&server->live);
    else if (is_command(line, "status"))
        tell_status(server);
    else if (is_command(line, "stop"))
        live_stop(&server->live);
    else
        refuse(server, "not a command", "");
}

static void read_input(struct live *live)
{
    struct server *server = live->data;
    const char *text;
    size_t length;

    (void)input_pull(&server->input);
    tick(server);
    while (!live->stopping && input_whole_line(&server->input, &text, &length)) {
        server->lines++;
        take_line(server, text, length);
    }
    save(server);
    if (server->input.ended)
        live->input = NULL;
}

/* Connections */

static struct visit *new_visit(leat_session *session, const char *name)
{
    struct visit *visit = calloc(1, sizeof *visit);

    need_memory(visit == NULL ? LEAT_E_NOMEM : LEAT_OK);
    visit->session = session;
    (void)snprintf(visit->name, sizeof visit->name, "%s", name);
    visit->asker.began_us = clock_us();
    return visit;
}

static void open_accepted(struct connection *connection)
{
    struct server *server = server_of(connection);

    connection->data = new_visit(NULL, "");
    if (!connection->is_tls && (server->accepts & LEAT_ZABBIX_UNENCRYPTED) == 0) {
        connection_end(connection, true, "unencrypted, which is not accepted");
        return;
    }
    if (connection->is_tls && server->accepting.context == NULL) {
        connection_end(connection, true, "TLS, which is not accepted");
        return;
    }
    tick(server);
    connection->security = connection->is_tls ? &server->accepting : &no_security;
    need_memory(leat_zabbix_server_accept(server->engine, NULL, &connection->session));
}

/* The proxy may have another key by now, or be gone. */
static void open_connecting(struct connection *connection)
{
    struct server *server = server_of(connection);
    struct visit *visit = connection->data;
    const struct member *member = members_find(&server->members, visit->name);

    if (member == NULL || !member->passive) {
        connection_end(connection, false, "the proxy was removed");
        return;
    }
    connection->session = visit->session;
    connection->security = &member->security;
    visit->session = NULL;
}

static void on_ready(struct connection *connection)
{
    const struct server *server = server_of(connection);
    struct visit *visit = connection->data;
    struct facts facts;
    char about[128];

    wire_describe(&connection->wire, about, sizeof about);
    live_news(connection->live, "%s: connected (%s)", connection->peer, about);
    facts_read(&facts, connection);
    need_memory(leat_zabbix_server_met(connection->session, &facts.peer));
    /* What proxies may is the engine's to say, the options say what anybody else may. */
    visit->barred =
        connection->role->is_server && (server->keys.accepts & facts.peer.connection) == 0;
}

static void on_event(struct connection *connection, const leat_event *event)
{
    struct server *server = server_of(connection);
    struct visit *visit = connection->data;
    const char *proxy = leat_zabbix_server_proxy(connection->session);
    uint32_t kind = leat_event_kind(event);

    if (proxy == NULL && visit->barred) {
        connection_end(connection, true, "a kind of connection that is not accepted");
        return;
    }
    print_event(&server->output, connection, event, proxy);
    visit->printed = true;
    if (proxy != NULL && kind == LEAT_ZABBIX_ROW && leat_event_error(event) != NULL)
        server->failed = true; /* it is acknowledged with the others, and lost */
    if (kind == LEAT_ZABBIX_ROW)
        server->live.count++;
    else if (kind != LEAT_ZABBIX_ACTIVE_CHECKS && kind != LEAT_ZABBIX_AGENT_HEARTBEAT)
        visit->data = true;
    if (proxy != NULL)
        visit->known = true;
    else if (connection->role->is_server)
        answer(&visit->asker, connection->session, event, server->tables, server->version);
}

/* What was printed and saved is acknowledged behind this: the answer is sent when the turn is over. */
static bool on_turn(struct connection *connection)
{
    struct server *server = server_of(connection);
    struct visit *visit = connection->data;

    if (visit->data)
        output_keep();
    else if (visit->printed)
        output_flush();
    if (visit->known)
        save(server);
    visit->printed = visit->data = visit->known = false;
    return false;
}

static void on_closed(struct connection *connection)
{
    struct visit *visit = connection->data; /* NULL: nothing was ever said */
    const char *name = visit != NULL ? visit->name : "";
    char about[REASON_BYTES];

    describe_end(connection, about, sizeof about);
    if (!connection->failed || (connection->lost && connection->role->is_server))
        live_news(connection->live, "%s", about);
    else
        complain("%s%s%s", name, name[0] != '\0' ? " at " : "", about);
    if (visit != NULL)
        leat_session_free(visit->session);
    free(visit);
}

static const struct role accepting_role = {
    .dir_in = "client>server",
    .dir_out = "server>client",
    .is_server = true,
    .mixed = true,
    .framed = true,
    .open = open_accepted,
    .ready = on_ready,
    .event = on_event,
    .turn = on_turn,
    .closed = on_closed,
};

static const struct role connecting_role = {
    .dir_in = "proxy>server",
    .dir_out = "server>proxy",
    .framed = true,
    .open = open_connecting,
    .ready = on_ready,
    .event = on_event,
    .turn = on_turn,
    .closed = on_closed,
};

static void on_live_turn(struct live *live)
{
    struct server *server = live->data;
    leat_session *session;
    const char *name;
    int status;

    if (live->stopping)
        return;
    tick(server);
    while ((status = leat_zabbix_server_connect(server->engine, &name, &session)) == LEAT_OK) {
        const struct member *member = members_find(&server->members, name);

        live_connect(live, &member->endpoint, &connecting_role, new_visit(session, name));
    }
    need_memory(status);
    live->due = leat_zabbix_server_deadline(server->engine);
}

/* Beginning and ending */

static bool restore(struct server *server)
{
    char *data;
    size_t length = 0;
    int status;

    if (server->state == NULL)
        return true;
    if (!file_lock(server->state) || !file_read_if_there(server->state, &data, &length))
        return false;
    if (data == NULL)
        return true;
    status = leat_zabbix_server_restore(server->engine, data, length);
    free(data);
    need_memory(status);
    if (status != LEAT_OK)
        complain("%s: not the state of a server; to begin anew, remove it", server->state);
    return status == LEAT_OK;
}

static bool read_options(struct server *server, const struct arguments *arguments)
{
    leat_zabbix_server_options *options = &server->options;

    leat_zabbix_server_options_init(options, sizeof *options);
    options->version = server->version;
    server->arguments = arguments;
    server->state = option_value(arguments, "--state");
    return version_read(arguments, server->version) &&
           option_seconds(arguments, "--config-frequency", &options->config_ms) &&
           option_seconds(arguments, "--data-frequency", &options->data_ms) &&
           keys_open(&server->keys, arguments);
}

/* Everything that the options and the file tell. */
static bool configure(struct server *server)
{
    size_t i;
    bool polls = false;

    if (!members_read(&server->members, server->arguments, &server->keys))
        return false;
    for (i = 0; i < server->members.count; i++)
        polls = polls || server->members.members[i].passive;
    if (!polls && !option_given(server->arguments, "--listen")) {
        complain("--listen is missing, or a proxy to connect to");
        return false;
    }
    server->engine = make_engine(server, &server->members);
    need_memory(leat_zabbix_tables_new(NULL, server->version, 0, &server->tables));
    return server->engine != NULL &&
           tables_load(server->tables, server->members.tables, "hosts without a proxy") &&
           members_accept(&server->members, &server->keys, &server->accepts, &server->accepting) &&
           restore(server);
}

static bool begin(struct server *server)
{
    const char *listen = option_value(server->arguments, "--listen");
    struct endpoint endpoint;

    if ((listen != NULL && !(endpoint_read(&endpoint, listen, true) &&
                             live_listen(&server->live, &endpoint, &accepting_role))) ||
        !live_record(&server->live, server->arguments) || !input_open(&server->input, NULL))
        return false;
    server->live.input = &server->input;
    server->live.read = read_input;
    live_hear_hangups(&server->live, reload);
    if (option_given(server->arguments, "--throttle"))
        leat_zabbix_server_throttle(server->engine, 1);
    return true;
}

static int run(struct server *server)
{
    int code = EXIT_USAGE;

    server->live.data = server;
    server->live.turn = on_live_turn;
    server->live.counted = "rows";
    if (begin(server)) {
        live_run(&server->live);
        save(server);
        (void)output_undecodable(&server->output, "messages"); /* anybody may send such */
        code = server->failed ? EXIT_MALFORMED : EXIT_DONE;
    }
    free(server->input.buffer);
    return code;
}

int zabbix_server(const struct arguments *arguments)
{
    struct server *server = calloc(1, sizeof *server);
    int code = EXIT_USAGE;

    need_memory(server == NULL ? LEAT_E_NOMEM : LEAT_OK);
    need_memory(leat_builder_new(NULL, &server->line));
    need_memory(leat_builder_new(NULL, &server->built));
    new_buffer(&server->state_data);
    output_open(&server->output);
    if (read_options(server, arguments)) {
        live_begin(&server->live, arguments);
        if (configure(server))
            code = run(server);
        live_close(&server->live);
        leat_zabbix_server_free(server->engine);
        leat_zabbix_tables_free(server->tables);
        security_close(&server->accepting);
        members_free(&server->members);
        keys_close(&server->keys);
    }
    output_close(&server->output);
    leat_buffer_free(server->state_data);
    leat_builder_free(server->built);
    leat_builder_free(server->line);
    free(server);
    return code;
}
