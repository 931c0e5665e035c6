/* Commands that connect, ask, hear the answer, and do so again or end: send and get. */
#include "zabbix_live.h"

#include <string.h>

static void open_session(struct connection *connection)
{
    struct asking *asking = connection->data;

    need_memory(leat_zabbix_exchange_new(NULL, &asking->options, &connection->session));
    connection->security = &asking->security;
}

static void on_ready(struct connection *connection)
{
    struct asking *asking = connection->data;
    struct facts facts;
    char about[128];
    int status;

    wire_describe(&connection->wire, about, sizeof about);
    live_news(&asking->live, "%s: connected (%s)", connection->peer, about);
    facts_read(&facts, connection);
    if (!facts_suit(&facts, &asking->keys)) {
        connection_end(connection, true, "the certificate has another issuer or subject");
        return;
    }
    status = asking->ask(asking, connection->session);
    need_memory(status);
    if (status != LEAT_OK)
        connection_fail(connection, leat_session_send_error(connection->session));
}

static void on_event(struct connection *connection, const leat_event *event)
{
    struct asking *asking = connection->data;

    asking->hear(asking, connection, event);
}

static bool on_turn(struct connection *connection)
{
    (void)connection;
    return false;
}

static void on_closed(struct connection *connection)
{
    struct asking *asking = connection->data;

    asking->busy = false;
    if (asking->answered)
        return;
    if (!connection->failed)
        (void)snprintf(connection->reason, sizeof connection->reason, "no answer");
    describe_end(connection, asking->problem, sizeof asking->problem);
}

static const struct role sender_role = {
    .dir_in = "server>sender",
    .dir_out = "sender>server",
    .framed = true,
    .open = open_session,
    .ready = on_ready,
    .event = on_event,
    .turn = on_turn,
    .closed = on_closed,
};

static const struct role getter_role = {
    .dir_in = "agent>server",
    .dir_out = "server>agent",
    .framed = true,
    .open = open_session,
    .ready = on_ready,
    .event = on_event,
    .turn = on_turn,
    .closed = on_closed,
};

void asking_begin(struct asking *asking)
{
    asking->busy = true;
    asking->answered = false;
    asking->problem[0] = '\0';
    live_connect(&asking->live, &asking->endpoint,
                 asking->options.role == LEAT_ZABBIX_AS_SENDER ? &sender_role : &getter_role,
                 asking);
}

static void on_live_turn(struct live *live)
{
    struct asking *asking = live->data;

    if (asking->busy || live->stopping)
        return;
    asking->next(asking);
    if (!asking->busy)
        live_stop(live);
}

bool asking_open(struct asking *asking, const struct arguments *arguments, uint32_t role,
                 uint32_t exchange, uint64_t timeout_ms)
{
    leat_zabbix_exchange_options *options = &asking->options;

    memset(asking, 0, sizeof *asking);
    leat_zabbix_exchange_options_init(options, sizeof *options);
    options->version = asking->version;
    options->role = role;
    options->connects = 1;
    options->exchange = exchange;
    options->timeout_ms = timeout_ms;
    if (!endpoint_read(&asking->endpoint, arguments->operands[0], false) ||
        !version_read(arguments, asking->version) ||
        !option_seconds(arguments, "--timeout", &options->timeout_ms))
        return false;
    if (options->timeout_ms == 0) {
        complain("--timeout 0: there must be some time for an answer");
        return false;
    }
    if (!keys_open(&asking->keys, arguments))
        return false;
    if (!keys_connect(&asking->keys, asking->keys.connects, &asking->keys.psk, &asking->security)) {
        keys_close(&asking->keys);
        return false;
    }
    live_begin(&asking->live, arguments);
    asking->live.data = asking;
    asking->live.turn = on_live_turn;
    asking->live.counted = "values";
    if (live_record(&asking->live, arguments))
        return true;
    asking_close(asking);
    return false;
}

void asking_run(struct asking *asking)
{
    live_run(&asking->live);
}

void asking_close(struct asking *asking)
{
    live_close(&asking->live);
    security_close(&asking->security);
    keys_close(&asking->keys);
}
