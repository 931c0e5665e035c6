/* leat estreamer server: serves records to any number of clients, as a Management Center does. */
#include "estreamer_live.h"

#include <stdlib.h>
#include <string.h>

#define WAITING_MAX 1024u /* records that wait for acknowledgements: more are sent when fewer do */
#define QUEUED_MAX  ((size_t)1 << 20) /* and the octets of those */
#define OUTPUT_MAX  ((size_t)256 << 10)
#define IDLE_MS     300000u
#define BURST_NS                                                                                   \
    100000000u /* what a client did not take, it may take later, but no more than that */
#define HOST_ANSWERS_MAX 16u

struct server {
    struct live live;
    struct store store;
    leat_estreamer_server_options options;
    uint64_t rate; /* 0: any */
    bool loop;
    bool once;
};

/* A host data request, and where its answer is. */
struct host_answer {
    uint8_t first[16];
    uint8_t last[16];
    bool single;
    size_t next;
};

struct visitor {
    bool streaming;
    bool passed;      /* the stored records were all served once */
    size_t next;      /* the record to be looked at */
    size_t queued;    /* octets that were handed over since nothing waited */
    uint64_t served;  /* in this pass */
    bool was_served;  /* all of them once, or an answer */
    uint64_t next_ns; /* with a rate: when the next record may be sent */
    struct host_answer answers[HOST_ANSWERS_MAX];
    size_t answer_count;
};

static struct server *server_of(const struct connection *connection)
{
    return connection->live->data;
}

static void open_session(struct connection *connection)
{
    need_memory(
        leat_estreamer_server_new(NULL, &server_of(connection)->options, &connection->session));
    connection->data = calloc(1, sizeof(struct visitor));
    need_memory(connection->data == NULL ? LEAT_E_NOMEM : LEAT_OK);
}

static void on_ready(struct connection *connection)
{
    char about[128];

    wire_describe(&connection->wire, about, sizeof about);
    live_news(connection->live, "%s: connected (%s)", connection->peer, about);
    if (connection->live->security.check_address &&
        !wire_peer_is(&connection->wire, connection->peer_address))
        connection_end(connection, true, "the certificate is not for the client's address");
}

/* Requests */

static void on_host_data_request(struct connection *connection, const leat_value *request)
{
    struct visitor *visitor = connection->data;
    struct host_answer *answer = &visitor->answers[visitor->answer_count];

    if (visitor->answer_count == HOST_ANSWERS_MAX) {
        connection_end(connection, true, "too many host data requests at once");
        return;
    }
    visitor->answer_count++;
    memset(answer, 0, sizeof *answer);
    answer->single = leat_value_u64(leat_value_get(request, "data_type")) % 2 == 0;
    (void)address_octets(leat_value_get(request, "start_ip"), answer->first);
    (void)address_octets(leat_value_get(request, answer->single ? "start_ip" : "end_ip"),
                         answer->last);
}

static void on_event(struct connection *connection, const leat_event *event)
{
    struct visitor *visitor = connection->data;
    const leat_value *value = leat_event_value(event);
    uint64_t flags;
    char text[200];

    if (leat_event_error(event) != NULL) {
        connection_malformed(connection, event);
        return;
    }
    (void)leat_value_json(value, text, sizeof text);
    switch (leat_event_kind(event)) {
    case LEAT_ESTREAMER_EVENT_STREAM_REQUEST:
        live_news(connection->live, "%s: event_stream_request %s", connection->peer, text);
        flags = leat_value_u64(leat_value_get(value, "request_flags"));
        visitor->streaming = (flags & LEAT_ESTREAMER_FLAG_EXTENDED_REQUEST) == 0;
        visitor->next = 0;
        visitor->passed = false;
        break;
    case LEAT_ESTREAMER_STREAMING_REQUEST:
        live_news(connection->live, "%s: streaming_request %s", connection->peer, text);
        visitor->streaming = true;
        visitor->next = 0;
        visitor->passed = false;
        break;
    case LEAT_ESTREAMER_HOST_DATA_REQUEST:
        live_news(connection->live, "%s: host_data_request %s", connection->peer, text);
        on_host_data_request(connection, value);
        break;
    case LEAT_ESTREAMER_ERROR:
        connection_end(connection, true, "error of the client: %s", text);
        break;
    default:
        break;
    }
}

/* Answers */

/* Whether more may wait for the client, who acknowledges as slowly as it likes. */
static bool may_wait(const struct connection *connection)
{
    struct visitor *visitor = connection->data;
    size_t waiting = leat_estreamer_waiting(connection->session);

    if (waiting == 0)
        visitor->queued = 0;
    return waiting < WAITING_MAX && visitor->queued < QUEUED_MAX;
}

static bool has_room(const struct connection *connection)
{
    size_t length;

    (void)leat_send_data(connection->session, &length);
    return length < OUTPUT_MAX && may_wait(connection);
}

/* Whether so many octets were sent. If they can only be sent later, there is no more room; if never, it is the end. */
static bool sent(struct connection *connection, int status, size_t length)
{
    struct visitor *visitor = connection->data;

    need_memory(status);
    if (status == LEAT_OK) {
        visitor->queued += length;
        return true;
    }
    if (status == LEAT_E_LIMIT && leat_estreamer_waiting(connection->session) > 0)
        visitor->queued = QUEUED_MAX;
    else
        connection_fail(connection, leat_session_send_error(connection->session));
    return false;
}

/* The answer to the oldest request, as far as there is room. True: it is complete. */
static bool answer_host_request(struct connection *connection)
{
    const struct store *store = &server_of(connection)->store;
    struct visitor *visitor = connection->data;
    struct host_answer *answer = &visitor->answers[0];
    const char *name = answer->single ? "single_host_data" : "multiple_host_data";

    for (; answer->next < store->host_count; answer->next++) {
        const struct stored_host *host = &store->hosts[answer->next];

        if (!stored_host_is_in(host, answer->first, answer->last))
            continue;
        if (!has_room(connection) ||
            !sent(connection, leat_send(connection->session, name, leat_builder_value(host->value)),
                  host->length))
            return false;
        if (answer->single)
            return true;
    }
    return sent(connection, leat_send(connection->session, name, NULL), 0);
}

static void answer_host_requests(struct connection *connection)
{
    struct visitor *visitor = connection->data;

    while (visitor->answer_count > 0 && answer_host_request(connection)) {
        visitor->was_served = true;
        visitor->answer_count--;
        memmove(visitor->answers, visitor->answers + 1,
                visitor->answer_count * sizeof *visitor->answers);
    }
}

/* What is stored is served from the time on that the client asked for; what a loop adds is news. */
static bool is_due(const struct visitor *visitor, const leat_session *session, bool loop,
                   const struct stored_record *record)
{
    uint32_t start = leat_estreamer_initial_timestamp(session);

    if (!leat_estreamer_is_wanted(session, record->type))
        return false;
    if (record->archive_timestamp == 0 || visitor->passed)
        return true;
    return start == LEAT_ESTREAMER_NOW ? loop : record->archive_timestamp >= start;
}

/* Whether the rate allows another record now. */
static bool may_send(const struct server *server, struct visitor *visitor)
{
    uint64_t now_ns = server->live.now * 1000000;

    if (server->rate == 0)
        return true;
    if (visitor->next_ns + BURST_NS < now_ns)
        visitor->next_ns = now_ns - BURST_NS;
    return visitor->next_ns <= now_ns;
}

/* Records, as far as there is room and the rate allows. */
static void serve(struct connection *connection)
{
    struct server *server = server_of(connection);
    struct visitor *visitor = connection->data;
    leat_session *session = connection->session;

    while (visitor->streaming && has_room(connection)) {
        const struct stored_record *record;

        if (visitor->next == server->store.record_count) {
            /* A pass that served nothing would serve nothing for ever. */
            visitor->streaming = server->loop && visitor->served > 0;
            visitor->was_served = true;
            visitor->next = 0;
            visitor->served = 0;
            visitor->passed = true;
            continue;
        }
        record = &server->store.records[visitor->next];
        if (is_due(visitor, session, server->loop, record)) {
            if (!may_send(server, visitor)) {
                connection->due = visitor->next_ns / 1000000 + 1;
                return;
            }
            if (!sent(connection,
                      leat_estreamer_send_record(session, record->type, record->archive_timestamp,
                                                 record->octets, record->length),
                      record->length))
                return;
            if (server->rate > 0)
                visitor->next_ns += (1000000000u + server->rate - 1) / server->rate;
            visitor->served++;
            server->live.count++;
        }
        visitor->next++;
    }
}

static bool on_turn(struct connection *connection)
{
    struct server *server = server_of(connection);
    struct visitor *visitor = connection->data;
    leat_session *session = connection->session;

    connection->due = UINT64_MAX;
    if ((leat_wants(session) & LEAT_WANT_CLOSE) != 0)
        return false;
    answer_host_requests(connection);
    serve(connection);
    if (server->once && visitor->was_served && !visitor->streaming && visitor->answer_count == 0 &&
        leat_estreamer_waiting(session) == 0) {
        connection_end(connection, false, "all is served");
        live_stop(&server->live);
    }
    /* When the client keeps us waiting, its acknowledgement wakes us; when the rate does, the time. */
    return (visitor->answer_count > 0 || visitor->streaming) && connection->due == UINT64_MAX &&
           may_wait(connection);
}

static void on_closed(struct connection *connection)
{
    const char *told = connection->ready ? connection->reason : "no connection";

    if (connection->failed && !connection->lost)
        complain("%s: %s", connection->peer, connection->reason);
    else
        live_news(connection->live, "%s: %s", connection->peer, told);
    free(connection->data);
}

static const struct role server_role = {
    .dir_in = "client>server",
    .dir_out = "server>client",
    .is_server = true,
    .open = open_session,
    .ready = on_ready,
    .event = on_event,
    .turn = on_turn,
    .closed = on_closed,
};

static int read_store(struct store *store, const struct arguments *arguments)
{
    const char *lines = option_value(arguments, "--records");
    const char *folder = option_value(arguments, "--vectors");
    int code = EXIT_DONE;

    if (lines != NULL)
        code = store_read_lines(store, lines);
    if (code == EXIT_DONE && folder != NULL)
        code = store_read_folder(store, folder);
    store_sort(store);
    if (code == EXIT_DONE && store->record_count == 0 && store->host_count == 0)
        complain("there are no records to be served");
    return code;
}

static bool read_options(struct server *server, struct endpoint *endpoint,
                         const struct arguments *arguments)
{
    const char *listen = option_value(arguments, "--listen");
    uint64_t window = 1;

    leat_estreamer_server_options_init(&server->options, sizeof server->options);
    server->options.idle_ms = IDLE_MS;
    server->loop = option_given(arguments, "--loop");
    server->once = option_given(arguments, "--once");
    if (listen == NULL) {
        complain("--listen is missing");
        return false;
    }
    if (server->loop && server->once) {
        complain("--loop and --once exclude each other");
        return false;
    }
    if (!endpoint_read(endpoint, listen, true) ||
        !option_number(arguments, "--rate", 1, 1000000, &server->rate) ||
        !option_number(arguments, "--window", 1, UINT32_MAX, &window) ||
        !option_seconds(arguments, "--keepalive", &server->options.keepalive_ms) ||
        !option_seconds(arguments, "--idle", &server->options.idle_ms))
        return false;
    server->options.window = (uint32_t)window;
    return true;
}

int estreamer_server(const struct arguments *arguments)
{
    struct server *server = calloc(1, sizeof *server);
    struct endpoint endpoint;
    int code = EXIT_USAGE;

    need_memory(server == NULL ? LEAT_E_NOMEM : LEAT_OK);
    if (read_options(server, &endpoint, arguments) && live_open(&server->live, arguments, true)) {
        server->live.data = server;
        server->live.counted = "records";
        code = read_store(&server->store, arguments);
        if (code == EXIT_DONE && !(live_listen(&server->live, &endpoint, &server_role) &&
                                   live_record(&server->live, arguments)))
            code = EXIT_USAGE;
        if (code == EXIT_DONE)
            live_run(&server->live);
        live_close(&server->live);
        store_free(&server->store);
    }
    free(server);
    return code;
}
