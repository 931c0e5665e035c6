/* leat broker ws --connect: a client of a server of Broker's WebSocket protocol. */
#include "broker_live.h"

#include <leat/broker_websocket.h>
#include <leat/openssl.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_S       10u
#define WAITING_BYTES ((size_t)256 << 10) /* of output, until the input must wait */

struct client {
    struct talk talk; /* comes first: what is live->data of either */
    struct endpoint server;
    bool has_tls;
    char host[sizeof(((struct endpoint *)0)->host) + 8]; /* as in the URL */
    const char *path;                                    /* NULL: the usual one */
    char peer_name[sizeof(((struct endpoint *)0)->host)];
    leat_builder *topics;
    uint64_t ping_ms;
    uint64_t retry_s;
    uint64_t retry_at;
    struct connection *connection; /* NULL: there is none */
    bool acknowledged;             /* by the server, on this connection */
};

/* Without TLS there is nothing that the other options could be for. */
bool websocket_security(struct talk *talk, const struct endpoint *server, bool has_tls,
                        const char *tls, char *name, size_t size)
{
    static const char *const of_tls[] = {"--cert", "--key", "--password-file", "--ca",
                                         "--peer-name"};
    struct security *security = &talk->live.security;
    size_t i;

    for (i = 0; !has_tls && i < sizeof of_tls / sizeof *of_tls; i++) {
        if (option_given(talk->arguments, of_tls[i])) {
            complain("%s needs %s", of_tls[i], tls);
            return false;
        }
    }
    if (!has_tls)
        return true;
    if (!security_open(security, talk->arguments, false, true))
        return false;
    if (security->peer_name == NULL) {
        (void)snprintf(name, size, "%.*s", (int)strcspn(server->host, "%"), server->host);
        security->peer_name = name;
    } else if (strcmp(security->peer_name, "any") == 0) {
        security->peer_name = NULL;
    }
    return true;
}

leat_session *websocket_session(leat_broker_websocket_client_options *options, const char *what)
{
    leat_session *session = NULL;
    uint8_t random[16];
    char key[25], accept[29];
    int status;

    if (!random_octets(random, sizeof random) ||
        !random_octets(options->seed, sizeof options->seed))
        return NULL;
    leat_websocket_key(random, key);
    status = leat_websocket_accept_value(key, strlen(key), accept);
    need_memory(status);
    if (status != LEAT_OK) {
        complain("OpenSSL gives nobody SHA-1, which WebSocket needs");
        return NULL;
    }
    options->key = key;
    options->accept = accept;
    status = leat_broker_websocket_client_new(NULL, options, &session);
    need_memory(status);
    options->key = options->accept = NULL;
    if (status != LEAT_OK)
        complain("%s: not what a request can hold", what);
    return session;
}

/* Makes a session. NULL, with a complaint: an option is wrong, or there is nothing random. */
static leat_session *make_session(const struct client *client)
{
    leat_broker_websocket_client_options options;

    leat_broker_websocket_client_options_init(&options, sizeof options);
    options.host = client->host;
    if (client->path != NULL)
        options.path = client->path;
    options.application_name = option_value(client->talk.arguments, "--name");
    options.topics = leat_builder_value(client->topics);
    options.ping_ms = client->ping_ms;
    return websocket_session(&options, "--connect, --name or --subscribe");
}

/* Connections */

static struct client *client_of(const struct connection *connection)
{
    return connection->live->data;
}

static void open_session(struct connection *connection)
{
    connection->session = make_session(client_of(connection));
    if (connection->session == NULL)
        connection_end(connection, true, "there is no request for it");
}

static void on_event(struct connection *connection, const leat_event *event)
{
    struct client *client = client_of(connection);
    const leat_value *value = leat_event_value(event);

    if (leat_event_kind(event) == LEAT_BROKER_ACK) {
        client->acknowledged = true;
        talk_begin(&client->talk);
    }
    if (leat_event_kind(event) == LEAT_BROKER_DATA && leat_event_error(event) == NULL)
        talk_print(&client->talk, leat_value_get(value, "topic"), NULL,
                   leat_value_get(value, "data"));
    else
        talk_tell(&client->talk, connection, event);
}

static bool on_turn(struct connection *connection)
{
    talk_flush(&client_of(connection)->talk);
    return false;
}

static void on_closed(struct connection *connection)
{
    struct client *client = client_of(connection);
    struct live *live = connection->live;
    char about[REASON_BYTES];

    describe_end(connection, about, sizeof about);
    if (live->stopping)
        live_news(live, "%s", about);
    else
        complain("%s", about);
    client->connection = NULL;
    client->retry_at = live->now + client->retry_s * 1000u;
    if (client->retry_s > 0 || live->stopping)
        return;
    client->talk.failed = client->talk.failed || connection->failed || !client->acknowledged;
    live_stop(live);
}

static const struct role client_role = {
    .dir_in = "server>client",
    .dir_out = "client>server",
    .framed = true,
    .open = open_session,
    .ready = node_ready,
    .event = on_event,
    .turn = on_turn,
    .closed = on_closed,
};

static void on_live_turn(struct live *live)
{
    struct client *client = live->data;

    talk_turn(&client->talk);
    if (client->connection == NULL && !live->stopping) {
        if (live->now >= client->retry_at) {
            client->acknowledged = false;
            client->connection = live_connect(live, &client->server, &client_role, NULL);
        } else if (client->retry_at < live->due) {
            live->due = client->retry_at;
        }
    }
    talk_flush(&client->talk);
}

static void on_stop(struct live *live)
{
    struct client *client = live->data;
    struct connection *connection = client->connection;
    int status = LEAT_E_STATE;

    if (connection == NULL || connection->session == NULL)
        return;
    status = leat_broker_websocket_close(connection->session, 1000, "", 0);
    need_memory(status);
    if (status != LEAT_OK)
        connection_end(connection, false, "stopped");
    connection_wake(connection);
}

/* Lines of the input */

static bool waits(struct talk *talk, bool any)
{
    struct client *client = talk->live.data;
    size_t unsent;

    /* What is said before there is an acknowledgement would be lost. */
    if (client->connection == NULL || !client->acknowledged || client->connection->session == NULL)
        return true;
    (void)leat_send_data(client->connection->session, &unsent);
    return unsent > (any ? 0 : WAITING_BYTES);
}

static void publish(struct talk *talk, const struct letter *letter)
{
    struct client *client = talk->live.data;
    leat_session *session = client->connection->session;

    if (letter->to != NULL) {
        talk_refuse(talk, "a client cannot say for whom a message is", "to");
        return;
    }
    talk_judge(
        talk,
        leat_broker_websocket_publish(session, letter->topic, letter->topic_length, letter->data),
        leat_session_send_error(session));
    connection_wake(client->connection);
}

static void command(struct talk *talk, const leat_value *line)
{
    (void)line;
    talk_refuse(talk, "neither a message nor a command of a client", "");
}

/* Beginning and ending */

/* ws://HOST[:PORT][/PATH], or wss://. False, with a complaint: it is none. */
static bool read_url(struct client *client, const char *url)
{
    const char *host = NULL;
    char authority[sizeof client->host + sizeof ":443"];
    size_t length;
    bool has_port;

    client->has_tls = strncmp(url, "wss://", 6) == 0;
    if (client->has_tls || strncmp(url, "ws://", 5) == 0)
        host = strchr(url, '/') + 2;
    length = host != NULL ? strcspn(host, "/?") : 0;
    if (length == 0 || length >= sizeof client->host || host[length] == '?' ||
        strchr(host, '#') != NULL) {
        complain("--connect %s: not ws://HOST:PORT or wss://HOST:PORT", url);
        return false;
    }
    if (host[length] == '/' && host[length + 1] != '\0')
        client->path = host + length;
    (void)snprintf(client->host, sizeof client->host, "%.*s", (int)length, host);
    has_port = client->host[length - 1] != ']' && strchr(client->host, ':') != NULL;
    (void)snprintf(authority, sizeof authority, "%s%s", client->host,
                   has_port          ? ""
                   : client->has_tls ? ":443"
                                     : ":80");
    return endpoint_read(&client->server, authority, false);
}

static bool read_topics(struct client *client)
{
    const char *topic;
    size_t at = 0;

    (void)leat_builder_open(client->topics, NULL, LEAT_LIST);
    while ((topic = option_next(client->talk.arguments, "--subscribe", &at)) != NULL)
        (void)leat_builder_text(client->topics, NULL, topic, strlen(topic));
    need_memory(leat_builder_close(client->topics));
    return true;
}

static bool begin(struct client *client, const struct arguments *arguments)
{
    struct talk *talk = &client->talk;
    leat_session *trial;

    if (!talk_open(talk, arguments) || !read_url(client, option_value(arguments, "--connect")) ||
        !read_topics(client) ||
        !option_number(arguments, "--retry", 0, UINT32_MAX, &client->retry_s) ||
        !option_seconds(arguments, "--ping", &client->ping_ms) ||
        !websocket_security(talk, &client->server, client->has_tls, "wss://", client->peer_name,
                            sizeof client->peer_name))
        return false;
    trial = make_session(client);
    leat_session_free(trial);
    talk->live.data = client;
    talk->live.turn = on_live_turn;
    talk->live.stop = on_stop;
    talk->publish = publish;
    talk->command = command;
    talk->waits = waits;
    return trial != NULL && live_record(&talk->live, arguments);
}

static int run_client(const struct arguments *arguments)
{
    struct client *client = calloc(1, sizeof *client);
    int code = EXIT_USAGE;

    need_memory(client == NULL ? LEAT_E_NOMEM : LEAT_OK);
    need_memory(leat_builder_new(NULL, &client->topics));
    client->retry_s = RETRY_S;
    if (begin(client, arguments)) {
        live_run(&client->talk.live);
        (void)output_undecodable(&client->talk.output, client->server.host);
        code = client->talk.failed ? EXIT_MALFORMED : EXIT_DONE;
    }
    leat_builder_free(client->topics);
    talk_close(&client->talk);
    free(client);
    return code;
}

int broker_ws(const struct arguments *arguments)
{
    static const char *const of_servers[] = {
        "--peer",   "--peer-listen", "--flavour", "--no-client-tls", "--id",       "--forward",
        "--origin", "--master",      "--clone",   "--queue",         "--overflow", "--no-tls"};
    static const char *const of_clients[] = {"--name", "--peer-name"};
    bool connects = option_given(arguments, "--connect");
    const char *const *others = connects ? of_servers : of_clients;
    size_t count =
        connects ? sizeof of_servers / sizeof *of_servers : sizeof of_clients / sizeof *of_clients;
    size_t i;

    if (connects == option_given(arguments, "--listen")) {
        complain("--connect or --listen, and not both");
        return EXIT_USAGE;
    }
    for (i = 0; i < count; i++) {
        if (option_given(arguments, others[i])) {
            complain("%s and %s exclude each other", connects ? "--connect" : "--listen",
                     others[i]);
            return EXIT_USAGE;
        }
    }
    return connects ? run_client(arguments) : broker_gateway(arguments);
}
