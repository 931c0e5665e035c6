/* leat estreamer client: the events of a Management Center, a line each, none of them lost. */
#define _POSIX_C_SOURCE 200809L

#include "estreamer_live.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RETRY_FIRST_MS 1000u
#define PACKET_DATA    2u /* the type of packet records */

struct client {
    struct live live;
    struct endpoint server;
    struct request request;
    struct place place;
    struct output output;
    struct pcap pcap;
    bool with_pcap;
    leat_builder *names; /* of the event at hand */
    bool acknowledges;
    bool once;
    bool connected;   /* or on the way */
    bool heard;       /* the server said something on this connection */
    bool unsafe;      /* events were told that are not acknowledged, */
    bool unmarked;    /* and a record is among them, which the bookmark has not passed */
    bool hosts_done;  /* all that was asked for came */
    bool hosts_asked; /* on this connection */
    bool failed;
    uint64_t repeats;
    uint64_t began_at; /* the connection */
    uint64_t retry_ms; /* until the next try */
    uint64_t retry_max_ms;
    uint64_t retry_at;
};

/* Talking */

static void open_session(struct connection *connection)
{
    struct client *client = connection->data;
    leat_estreamer_client_options options = client->request.options;
    size_t length;
    const void *mark = leat_buffer_data(client->place.mark, &length);

    if (length > 0) {
        options.bookmark = mark;
        options.bookmark_length = length;
    }
    need_memory(leat_estreamer_client_new(NULL, &options, &connection->session));
    client->heard = client->hosts_asked = client->unsafe = client->unmarked = false;
    client->began_at = client->live.now;
}

/* In an extended session the streaming request comes first, as servers expect it next. */
static void ask_for_hosts(struct client *client, leat_session *session)
{
    if (client->request.hosts == NULL || client->hosts_done || client->hosts_asked)
        return;
    client->hosts_asked = true;
    need_memory(leat_send(session, "host_data_request", leat_builder_value(client->request.hosts)));
}

static void on_ready(struct connection *connection)
{
    struct client *client = connection->data;
    char about[128];

    wire_describe(&connection->wire, about, sizeof about);
    live_news(&client->live, "%s: connected (%s)", connection->peer, about);
    if ((client->request.options.request_flags & LEAT_ESTREAMER_FLAG_EXTENDED_REQUEST) == 0)
        ask_for_hosts(client, connection->session);
}

/* Whether names were learnt from the event, and nothing else is to be told of it. */
static bool learn(struct client *client, const leat_event *event)
{
    const leat_value *type = leat_value_get(leat_event_value(event), "record_type");
    const char *category = leat_estreamer_record_category((uint32_t)leat_value_u64(type));

    if (client->place.names == NULL || category == NULL || strcmp(category, "metadata") != 0 ||
        leat_event_error(event) != NULL)
        return false;
    need_memory(leat_estreamer_metadata_learn(client->place.names, event));
    client->place.names_changed = true;
    return true;
}

static void print(struct client *client, const leat_event *event)
{
    const leat_value *names = NULL;

    if (client->place.names != NULL && leat_event_kind(event) == LEAT_ESTREAMER_EVENT_DATA) {
        leat_builder_clear(client->names);
        need_memory(leat_estreamer_metadata_names(client->place.names, client->names, NULL,
                                                  leat_event_value(event)));
        names = leat_builder_value(client->names);
    }
    output_event(&client->output, event, NULL, names);
}

static void on_record(struct client *client, const leat_session *session, const leat_event *event)
{
    const leat_value *value = leat_event_value(event);

    if (leat_estreamer_is_repeat(session)) {
        client->repeats++;
        return;
    }
    client->unmarked = true;
    client->live.count++;
    if (learn(client, event))
        return;
    if (client->with_pcap && leat_event_error(event) == NULL &&
        leat_value_u64(leat_value_get(value, "record_type")) == PACKET_DATA)
        pcap_packet(&client->pcap, leat_value_get(value, "record"));
    print(client, event);
}

static void on_event(struct connection *connection, const leat_event *event)
{
    struct client *client = connection->data;
    const leat_error *error = leat_event_error(event);
    const leat_value *value = leat_event_value(event);
    char text[200];

    client->heard = client->unsafe = true;
    switch (leat_event_kind(event)) {
    case LEAT_ESTREAMER_NULL:
    case LEAT_ESTREAMER_STREAMING_INFORMATION:
    case LEAT_ESTREAMER_MESSAGE_BUNDLE:
        if (error != NULL)
            connection_malformed(connection, event);
        if (leat_event_kind(event) == LEAT_ESTREAMER_STREAMING_INFORMATION &&
            (leat_wants(connection->session) & LEAT_WANT_CLOSE) == 0)
            ask_for_hosts(client, connection->session);
        break;
    case LEAT_ESTREAMER_EVENT_DATA:
        on_record(client, connection->session, event);
        break;
    case LEAT_ESTREAMER_SINGLE_HOST_DATA:
    case LEAT_ESTREAMER_MULTIPLE_HOST_DATA:
        print(client, event);
        if (leat_event_kind(event) == LEAT_ESTREAMER_SINGLE_HOST_DATA ||
            (error == NULL && leat_value_count(value) == 0))
            client->hosts_done = true;
        break;
    case LEAT_ESTREAMER_ERROR:
        print(client, event);
        (void)leat_value_json(value, text, sizeof text);
        connection_end(connection, true, "error of the server: %s", text);
        break;
    default:
        print(client, event);
        break;
    }
}

static uint64_t first_retry(const struct client *client)
{
    return client->retry_max_ms < RETRY_FIRST_MS ? client->retry_max_ms : RETRY_FIRST_MS;
}

/* What was printed is written out, then acknowledged, then the place is kept. */
static bool on_turn(struct connection *connection)
{
    struct client *client = connection->data;
    int status;

    if (client->unsafe) {
        output_flush();
        if (client->acknowledges) {
            status = leat_estreamer_acknowledge(connection->session, UINT64_MAX);
            need_memory(status);
            client->unsafe = status != LEAT_OK; /* there is no room: when the output is written */
            if (status == LEAT_OK && client->unmarked) {
                client->unmarked = false;
                client->place.moved = true;
            }
        }
    }
    connection->due = place_save(&client->place, connection->session, client->live.now, false);
    /* A connection that lasted is worth another one soon. */
    if (client->heard && client->live.now - client->began_at > client->retry_ms)
        client->retry_ms = first_retry(client);
    if (client->hosts_done && !client->request.wants_events)
        connection_end(connection, false, "all hosts are told");
    return false;
}

/* Trying again */

static void on_closed(struct connection *connection)
{
    struct client *client = connection->data;
    struct live *live = &client->live;
    bool ends =
        live->stopping || client->once || (client->hosts_done && !client->request.wants_events);
    const char *stage = connection->ready ? "connection lost" : "no connection";
    char peer[NET_NAME_BYTES + 2] = "";

    client->connected = false;
    if (connection->session != NULL && !client->heard && !connection->failed && !live->stopping) {
        connection->failed = true;
        (void)snprintf(connection->reason, sizeof connection->reason,
                       "closed without a word, as servers do that do not accept the certificate or "
                       "the address");
    }
    if (connection->session != NULL) {
        (void)place_save(&client->place, connection->session, live->now, true);
        (void)snprintf(peer, sizeof peer, "%s: ", connection->peer);
    }
    if (ends) {
        if (connection->failed)
            complain("%s%s: %s", peer, stage, connection->reason);
        else
            live_news(live, "%s%s", peer, connection->reason);
        client->failed = connection->failed && client->once;
        if (!live->stopping)
            live_stop(live);
        return;
    }
    complain("%s%s: %s; next try in %.1f s", peer, stage, connection->reason,
             (double)client->retry_ms / 1000.0);
    client->retry_at = live->now + client->retry_ms;
    client->retry_ms =
        2 * client->retry_ms < client->retry_max_ms ? 2 * client->retry_ms : client->retry_max_ms;
}

static const struct role client_role = {
    .dir_in = "server>client",
    .dir_out = "client>server",
    .open = open_session,
    .ready = on_ready,
    .event = on_event,
    .turn = on_turn,
    .closed = on_closed,
};

static void on_live_turn(struct live *live)
{
    struct client *client = live->data;

    if (client->connected || live->stopping)
        return;
    if (live->now < client->retry_at) {
        live->due = client->retry_at;
        return;
    }
    client->connected = true;
    live_connect(live, &client->server, &client_role, client);
}

/* Beginning and ending */

/* A file whose last line was cut, when the program was killed, gets its end, so that the next line is whole. */
static void mend_output(void)
{
    struct stat about;
    char last = '\n';
    int descriptor;

    if (fstat(STDOUT_FILENO, &about) != 0 || !S_ISREG(about.st_mode) || about.st_size == 0)
        return;
    descriptor = open("/dev/fd/1", O_RDONLY | O_CLOEXEC);
    if (descriptor < 0 || pread(descriptor, &last, 1, about.st_size - 1) != 1)
        last = '\0'; /* an empty line does no harm */
    if (descriptor >= 0)
        (void)close(descriptor);
    if (last != '\n')
        (void)fputc('\n', stdout);
}

static bool read_acks(struct client *client, const char *when)
{
    client->acknowledges = when == NULL || strcmp(when, "flushed") == 0;
    if (client->acknowledges || strcmp(when, "none") == 0)
        return true;
    complain("--acks %s: not flushed or none", when);
    return false;
}

static bool read_options(struct client *client, const struct arguments *arguments)
{
    client->once = option_given(arguments, "--once");
    client->retry_max_ms = 60000;
    if (!endpoint_read(&client->server, arguments->operands[0], false) ||
        !read_acks(client, option_value(arguments, "--acks")) ||
        !option_seconds(arguments, "--retry", &client->retry_max_ms))
        return false;
    if (client->retry_max_ms == 0) {
        complain("--retry 0: there must be some time between two tries");
        return false;
    }
    return request_read(&client->request, arguments);
}

/* Whom the certificate must be for: what we connect to, without the zone of a link-local address. */
static void choose_peer_name(struct client *client, char *host)
{
    const char **name = &client->live.security.peer_name;

    if (*name != NULL && strcmp(*name, "any") == 0) {
        *name = NULL;
    } else if (*name == NULL) {
        host[strcspn(host, "%")] = '\0';
        *name = host;
    }
}

static int run(struct client *client)
{
    static char lines[CHUNK_BYTES]; /* until the program ends */

    client->live.data = client;
    client->live.turn = on_live_turn;
    client->live.counted = "records";
    client->retry_ms = first_retry(client);
    (void)setvbuf(stdout, lines, _IOFBF, sizeof lines); /* it is flushed when it must be */
    output_open(&client->output);
    need_memory(leat_builder_new(NULL, &client->names));
    mend_output();
    live_run(&client->live);
    if (client->repeats > 0)
        live_news(&client->live, "repeats that were left out: %" PRIu64, client->repeats);
    if (output_undecodable(&client->output, client->server.host))
        client->failed = true;
    leat_builder_free(client->names);
    output_close(&client->output);
    return client->failed ? EXIT_MALFORMED : EXIT_DONE;
}

int estreamer_client(const struct arguments *arguments)
{
    const char *bookmark = option_value(arguments, "--bookmark");
    const char *pcap = option_value(arguments, "--pcap");
    struct client *client = calloc(1, sizeof *client);
    char host[sizeof client->server.host];
    int code = EXIT_USAGE;

    need_memory(client == NULL ? LEAT_E_NOMEM : LEAT_OK);
    if (!read_options(client, arguments))
        goto without_request;
    if (!place_open(&client->place, bookmark, option_given(arguments, "--metadata")))
        goto without_place;
    if (!live_open(&client->live, arguments, false))
        goto without_live;
    memcpy(host, client->server.host, sizeof host);
    choose_peer_name(client, host);
    client->with_pcap = pcap != NULL;
    if (pcap == NULL || pcap_open(&client->pcap, pcap)) {
        place_comes_after(&client->place, STDOUT_FILENO);
        if (pcap != NULL)
            place_comes_after(&client->place, client->pcap.descriptor);
        if (live_record(&client->live, arguments))
            code = run(client);
        if (pcap != NULL)
            pcap_close(&client->pcap);
    }
    live_close(&client->live);
without_live:
    place_close(&client->place);
without_place:
    request_free(&client->request);
without_request:
    free(client);
    return code;
}
