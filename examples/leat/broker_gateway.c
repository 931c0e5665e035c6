/* leat broker ws --listen: a server of Broker's WebSocket protocol, whose clients talk to an endpoint and its peers. */
#include "broker_live.h"

#include <leat/broker_websocket.h>
#include <leat/openssl.h>
#include <stdlib.h>
#include <string.h>

static void open_client(struct connection *connection)
{
    struct node *node = connection->live->data;
    leat_broker_websocket_options options;

    leat_broker_websocket_options_init(&options, sizeof options);
    options.flavour = node->flavour;
    options.number = connection->number;
    if (!random_octets(options.id, sizeof options.id)) {
        connection_end(connection, true, "there is no id for it");
        return;
    }
    connection->security = node->clients_plain ? &no_security : &node->accepting;
    leat_broker_tick(node->broker, connection->live->now); /* from when on the client has time */
    node_opened(connection,
                leat_broker_websocket_accept(node->broker, &options, connection->peer_address,
                                             node_port(connection), &connection->session));
}

/* Whether an origin is the host that the client asks for, with TLS or without. */
static bool is_own(const leat_value *upgrade, const char *origin, size_t length)
{
    static const char *const schemes[] = {"http://", "https://"};
    size_t host_length, i;
    const char *host = leat_value_text(leat_value_get(upgrade, "host"), &host_length);

    for (i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        size_t at = strlen(schemes[i]);

        if (length == at + host_length && memcmp(origin, schemes[i], at) == 0 &&
            memcmp(origin + at, host, host_length) == 0)
            return true;
    }
    return false;
}

/* Browsers let any page connect anywhere, and say which one it is; programs mostly say nothing. */
static bool is_welcome(const struct node *node, const leat_event *upgrade)
{
    const struct arguments *arguments = node->talk.arguments;
    const leat_value *value = leat_event_value(upgrade);
    const leat_value *origin = leat_value_get(value, "origin");
    const char *text, *allowed;
    size_t length, at = 0;

    if (leat_value_kind(origin) == LEAT_NULL ||
        (!node->clients_own && !option_given(arguments, "--origin")))
        return true;
    text = leat_value_text(origin, &length);
    while ((allowed = option_next(arguments, "--origin", &at)) != NULL) {
        if (strlen(allowed) == length && memcmp(allowed, text, length) == 0)
            return true;
    }
    return node->clients_own && is_own(value, text, length);
}

static int answer(struct connection *connection, const leat_event *upgrade)
{
    const struct node *node = connection->live->data;

    return is_welcome(node, upgrade)
               ? leat_websocket_upgrade(connection->session, upgrade)
               : leat_broker_websocket_refuse(connection->session, 403, "Forbidden");
}

static void on_event(struct connection *connection, const leat_event *event)
{
    int status = LEAT_OK;

    node_event(connection, event);
    if (leat_event_kind(event) == LEAT_BROKER_UPGRADE)
        status = answer(connection, event);
    need_memory(status);
    if (status != LEAT_OK)
        connection_end(connection, true, "the upgrade to a WebSocket cannot be answered");
}

const struct role websocket_client_role = {
    .dir_in = "client>server",
    .dir_out = "server>client",
    .is_server = true,
    .framed = true,
    .open = open_client,
    .ready = node_ready,
    .event = on_event,
    .turn = node_turn,
    .closed = node_closed,
};

static bool read_flavour(struct node *node, const char *flavour)
{
    node->flavour = LEAT_BROKER_WEBSOCKET_ZEEK;
    if (flavour == NULL || strcmp(flavour, "zeek") == 0)
        return true;
    node->flavour = LEAT_BROKER_WEBSOCKET_BROKER;
    if (strcmp(flavour, "broker") == 0)
        return true;
    complain("--flavour %s: not zeek or broker", flavour);
    return false;
}

static int run(struct node *node, const struct arguments *arguments)
{
    const char *natives = option_value(arguments, "--peer-listen");

    node->clients_plain = option_given(arguments, "--no-client-tls");
    if (!node_open(node, arguments) || !read_flavour(node, option_value(arguments, "--flavour")) ||
        !node_accept(node, option_value(arguments, "--listen"), &websocket_client_role) ||
        (natives != NULL && !node_accept(node, natives, NULL)))
        return EXIT_USAGE;
    return node_run(node, "--peer");
}

int broker_gateway(const struct arguments *arguments)
{
    struct node *node = calloc(1, sizeof *node);
    int code;

    need_memory(node == NULL ? LEAT_E_NOMEM : LEAT_OK);
    code = run(node, arguments);
    node_close(node);
    free(node);
    return code;
}
