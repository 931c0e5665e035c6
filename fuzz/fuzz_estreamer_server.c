/*
 * A server's session, by script: what the client says, in sound messages or not, and the records
 * that the caller sends meanwhile. However the client's octets are cut, the same is told and said;
 * what was accepted is said once and in order, no more of it at a time than the client allows, and
 * no null is answered with a null.
 */
#include "estreamer_live.h"

#define MESSAGE_BYTES ((size_t)1 << 12)
#define THINGS        4096
#define ANY_TYPE      UINT32_MAX

/* What was accepted, and is yet to be said. */
struct thing {
    uint32_t kind; /* LEAT_ESTREAMER_* */
    uint32_t type; /* of a record */
    size_t at;     /* in the log */
    size_t length;
    bool exact;   /* its octets are known */
    bool bundled; /* how it is to be said */
};

struct server {
    struct live live;
    leat_estreamer_server_options options;
    struct thing *things;
    size_t accepted;
    size_t said;
    struct text log;
    uint32_t in_flight; /* messages that lack their null */
    uint32_t sequence_number;
    uint32_t items;  /* of the last bundle that was said */
    size_t nulls;    /* that were said */
    size_t offers;   /* of services */
    size_t requests; /* for them */
    size_t singles;  /* requests for the data of one host, which lack their answer */
    bool full;       /* too much for the arrays */
    bool bundles;    /* how records are to be said from now on */
    size_t plain;    /* services and keep-alives that lack their null */
    bool vague;      /* long enough for a client to be taken for one that has no nulls for those */
};

/* As it was given, but for what deployed clients need: an address in the discovery header. */
static void compare(struct server *server, const struct thing *thing, const leat_event *event)
{
    size_t length;
    const uint8_t *raw = (const uint8_t *)leat_event_raw(event, &length), *record;
    const uint8_t *given = server->log.octets + thing->at;
    size_t added;

    must(length >= thing->length);
    record = raw + length - thing->length;
    if (thing->length < 40) {
        must(memcmp(record, given, thing->length) == 0);
        return;
    }
    must(memcmp(record + 40, given + 40, thing->length - 40) == 0);
    added = memcmp(record, given, 40) == 0 ? 0 : 16;
    if (added > 0) {
        static const uint8_t mapped[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

        must(!server->options.verbatim);
        must(memcmp(record + 24, mapped, 12) == 0 && memcmp(record + 36, given + 4, 4) == 0);
        record -= added;
        must(memcmp(record, given, 14) == 0 && memcmp(record + 15, given + 15, 25) == 0);
        must(given[14] == 0 && record[14] == 1);
    }
    must(record - raw == 16 || record - raw == 24);
}

/* The next of the things is said. Octets that the caller gave may be no sound record. */
static void say(struct server *server, const leat_event *event, bool bundled)
{
    const leat_value *value = leat_event_value(event);
    const struct thing *thing = &server->things[server->said];
    int error = leat_error_code(leat_event_error(event));

    if (server->full)
        return;
    must(server->said < server->accepted && thing->kind == leat_event_kind(event));
    must(thing->bundled == bundled);
    must(error == LEAT_OK || thing->kind == LEAT_ESTREAMER_EVENT_DATA);
    server->said++;
    if (thing->kind == LEAT_ESTREAMER_EVENT_DATA && thing->type != ANY_TYPE)
        must(leat_value_u64(leat_value_get(value, "record_type")) == thing->type);
    if (thing->exact)
        compare(server, thing, event);
}

static void say_bundle(struct server *server, const leat_event *event)
{
    const leat_value *value = leat_event_value(event);

    must(leat_value_u64(leat_value_get(value, "connection_id")) == server->options.connection_id);
    must(leat_value_u64(leat_value_get(value, "sequence_number")) == ++server->sequence_number);
    server->items = (uint32_t)leat_value_u64(leat_value_get(value, "items"));
    must(server->items > 0 && server->items <= server->options.bundle_records);
    server->in_flight++;
}

/* Takes in what it says. Gives how many nulls there were. */
static size_t listen_to(struct server *server)
{
    const leat_event *event;
    size_t nulls = 0;

    while ((event = next_said(&server->live)) != NULL) {
        switch (leat_event_kind(event)) {
        case LEAT_ESTREAMER_NULL:
            nulls++;
            break;
        case LEAT_ESTREAMER_MESSAGE_BUNDLE:
            must(leat_event_error(event) == NULL);
            say_bundle(server, event);
            break;
        case LEAT_ESTREAMER_EVENT_DATA:
            say(server, event, server->items > 0);
            if (server->items > 0)
                server->items--;
            else
                server->in_flight++;
            break;
        case LEAT_ESTREAMER_SINGLE_HOST_DATA:
        case LEAT_ESTREAMER_MULTIPLE_HOST_DATA:
            server->in_flight++;
            say(server, event, false);
            break;
        case LEAT_ESTREAMER_STREAMING_INFORMATION:
            must(leat_event_error(event) == NULL);
            server->offers++;
            server->plain++;
            break;
        default:
            must(leat_event_kind(event) == LEAT_ESTREAMER_ERROR);
            break;
        }
    }
    must(server->items == 0);
    must(server->vague || server->in_flight <= server->options.window);
    server->nulls += nulls;
    server->plain += nulls;
    return nulls;
}

static void check_waiting(const struct server *server)
{
    if (!server->full && !is_over(&server->live))
        must(leat_estreamer_waiting(server->live.session) == server->accepted - server->said);
}

/* Nothing waits that the client allows, if there is room. */
static void check_credit(const struct server *server)
{
    size_t unsent;

    (void)leat_send_data(server->live.session, &unsent);
    must(server->live.status != LEAT_PAUSED || unsent > 0);
    must(server->vague || unsent > 0 || leat_estreamer_waiting(server->live.session) == 0 ||
         server->in_flight == server->options.window);
}

/* What the client asks for, if it is sound. */
static void note(struct server *server, const leat_event *event)
{
    const leat_value *value = leat_event_value(event);
    bool sound = leat_event_error(event) == NULL;

    switch (leat_event_kind(event)) {
    case LEAT_ESTREAMER_NULL:
        if (server->plain > 0)
            server->plain--;
        else
            server->in_flight -= server->in_flight > 0;
        break;
    case LEAT_ESTREAMER_EVENT_STREAM_REQUEST:
        server->bundles = server->bundles && !sound;
        server->requests += sound && (leat_value_u64(leat_value_get(value, "request_flags")) &
                                      LEAT_ESTREAMER_FLAG_EXTENDED_REQUEST) != 0;
        break;
    case LEAT_ESTREAMER_STREAMING_REQUEST:
        server->bundles = true;
        break;
    case LEAT_ESTREAMER_HOST_DATA_REQUEST:
        server->singles += sound && leat_value_u64(leat_value_get(value, "data_type")) % 2 == 0;
        break;
    default:
        break;
    }
}

static void draw(struct server *server)
{
    struct live *live = &server->live;
    const leat_event *event;

    while ((live->status = leat_next(live->session, &event)) == LEAT_OK) {
        tell_event(&live->told, event);
        note(server, event);
        must(listen_to(server) == 0);
        must(server->offers == server->requests);
        if (leat_event_kind(event) != LEAT_ESTREAMER_ERROR && leat_event_error(event) == NULL)
            check_waiting(server); /* any other may end the session */
    }
    must(listen_to(server) == 0);
    check_credit(server);
}

static void hear(struct server *server, const uint8_t *data, size_t size)
{
    size_t piece;

    for (; size > 0 && (piece = feed_piece(&server->live, data, size)) > 0; size -= piece) {
        data += piece;
        draw(server);
    }
}

static void hear_text(struct server *server, const struct text *text)
{
    hear(server, text->octets, text->length);
}

/* A request of each kind: for events, for services, for host data. */
static void request(struct server *server, struct input *input)
{
    static const uint32_t flags[] = {0x48900061, 0x00900061, 0x40000000, 0, 0xbfffffff};
    static struct text text;
    unsigned how = take(input);

    text.length = 0;
    switch (how % 4u) {
    case 0:
        put(&text, 0x00010002, 4);
        put(&text, 8, 4);
        put(&text, take(input), 4);
        put(&text, flags[how / 4 % 5u], 4);
        break;
    case 1:
        put(&text, 0x00010801, 4);
        put(&text, 28, 4);
        put(&text, how < 250 ? 6667 : 5000, 4);
        put(&text, 28, 4);
        put(&text, 0x00900061, 4);
        put(&text, take(input), 4);
        put_octets(&text, input, 8);
        put(&text, 0, 4);
        break;
    default:
        put(&text, 0x00010005, 4);
        put(&text, 16, 4);
        put(&text, how / 4 % 4u, 4);
        put(&text, 0, 4);
        put_octets(&text, input, 8);
        break;
    }
    hear_text(server, &text);
}

/* Remembers what was accepted. octets may be NULL: not known. */
static void accept_thing(struct server *server, uint32_t kind, uint32_t type, const uint8_t *octets,
                         size_t length)
{
    struct thing *thing = &server->things[server->accepted];

    if (server->accepted == THINGS || length > sizeof server->log.octets - server->log.length) {
        server->full = true;
        return;
    }
    thing->kind = kind;
    thing->type = type;
    thing->at = server->log.length;
    thing->length = length;
    thing->exact = octets != NULL;
    thing->bundled = kind == LEAT_ESTREAMER_EVENT_DATA && server->bundles;
    if (length > 0)
        memcpy(server->log.octets + thing->at, octets, length);
    server->log.length += length;
    server->accepted++;
}

/* A record as a relay has it: of a known type, or of any. */
static void send_record(struct server *server, struct input *input)
{
    static const uint8_t none = 0;
    unsigned type = take(input), how = take(input);
    uint32_t record_type = (how & 1u) == 0
                               ? leat_estreamer_record_type(type % leat_estreamer_record_count())
                               : type << 6 | how >> 2;
    uint32_t second = (how & 2u) == 0 ? 0 : 0x6553f100 + (how >> 2);
    size_t length = take_length(input);
    const uint8_t *octets = length == 0 ? &none : input->at;
    int status =
        leat_estreamer_send_record(server->live.session, record_type, second, octets, length);

    input->at += length;
    input->left -= length;
    tell_number(&server->live.told, (uint64_t)(int64_t)status);
    tell_number(&server->live.told,
                (unsigned)leat_estreamer_is_wanted(server->live.session, record_type));
    if (status == LEAT_OK)
        accept_thing(server, LEAT_ESTREAMER_EVENT_DATA, record_type, octets, length);
    must(listen_to(server) == 0);
}

static void send_any(struct server *server, struct input *input)
{
    static const struct command commands[] = {
        {"event_data", "{\"record_type\":4,\"archive_timestamp\":1700000000}"},
        {"event_data", "{\"record_type\":400}"},
        {"event_data", "{\"record_type\":71,\"extended_header\":true}"},
        {"event_data", "{\"record_type\":9999,\"record\":\"0123\"}"},
        {"single_host_data", "{}"},
        {"single_host_data", "{\"block_type\":1}"},
        {"multiple_host_data", "{}"},
        {"multiple_host_data", "{\"block_type\":111}"},
        {"null", "null"},
        {"streaming_information", "{}"},
        {"nonsense", "{}"},
        {"error", "{\"error_code\":5,\"text\":\"enough\"}"},
    };
    const char *name;
    int status =
        send_command(&server->live, commands, sizeof commands / sizeof *commands, input, &name);

    if (status != LEAT_OK)
        return;
    must(strcmp(name, "single_host_data") != 0 || server->singles-- > 0);
    if (strcmp(name, "event_data") == 0)
        accept_thing(server, LEAT_ESTREAMER_EVENT_DATA, ANY_TYPE, NULL, 0);
    else if (strcmp(name, "single_host_data") == 0)
        accept_thing(server, LEAT_ESTREAMER_SINGLE_HOST_DATA, 0, NULL, 0);
    else if (strcmp(name, "multiple_host_data") == 0)
        accept_thing(server, LEAT_ESTREAMER_MULTIPLE_HOST_DATA, 0, NULL, 0);
    must(listen_to(server) == (strcmp(name, "null") == 0));
}

static void configure_server(leat_estreamer_server_options *options, struct input *input)
{
    static const uint32_t services[] = {5000, 6667, 7000};
    unsigned how = take(input), bundles = take(input);

    leat_estreamer_server_options_init(options, sizeof *options);
    options->window = 1 + how % 4u;
    options->verbatim = how >> 2 & 1u;
    if ((how & 8u) != 0) {
        options->services = services;
        options->service_count = 1 + how / 16 % 3u;
    }
    options->keepalive_ms = (how & 64u) != 0 ? 1000 : 0;
    if ((how & 128u) != 0)
        options->idle_ms = 2000;
    options->request_ms = 3000;
    options->bundle_records = 1 + bundles % 16u;
    options->bundle_bytes = bundles / 16 * 64;
    options->connection_id = bundles;
}

/* A keep-alive may be due; or it is a standstill, and what was held back goes on. */
static void tick(struct server *server, unsigned how)
{
    size_t unsent;

    (void)leat_send_data(server->live.session, &unsent);
    pass_time(&server->live, how);
    server->vague =
        server->vague || server->live.now_ms >= 30000 ||
        (server->options.idle_ms != 0 && server->live.now_ms >= server->options.idle_ms);
    must(listen_to(server) <= (unsent == 0));
}

/*
 * A client that reads, and goes on saying nulls, gets all that waits, once a message is over that had
 * begun, and what else it has said is answered.
 */
static void finish(struct server *server)
{
    static const uint8_t null[] = {0, 1, 0, 0, 0, 0, 0, 0};
    leat_session *session = server->live.session;
    size_t left = MESSAGE_BYTES / sizeof null + (size_t)server->live.fed / sizeof null +
                  server->accepted + server->nulls + server->offers + 1;

    while (leat_estreamer_waiting(session) > 0 && left-- > 0 &&
           leat_feed(session, null, sizeof null) == LEAT_OK) {
        take_output(&server->live, SIZE_MAX);
        draw(server);
    }
    must(left > 0);
}

static void play(struct server *server, struct input *input)
{
    static const uint32_t types[] = {0, 1, 2, 5, 2049, 4, 4002, 99};
    static struct text text;
    struct live *live = &server->live;

    text.length = 0;
    switch (take(input) % 13u) {
    case 0:
    case 1:
        request(server, input);
        break;
    case 2:
        put_message(&text, types[take(input) % (sizeof types / sizeof *types)], input);
        hear_text(server, &text);
        break;
    case 3:
        put_octets(&text, input, take_length(input));
        hear_text(server, &text);
        break;
    case 4:
    case 5:
        put(&text, 0x00010000, 4);
        put(&text, 0, 4);
        hear_text(server, &text);
        break;
    case 6:
    case 7:
        send_record(server, input);
        break;
    case 8:
        send_any(server, input);
        break;
    case 9:
        take_output(live, take_length(input));
        break;
    case 10:
        tick(server, take(input));
        break;
    case 11:
        leat_session_trim(live->session);
        break;
    default:
        switch (take(input) % 8u) {
        case 0:
            live->eof = leat_recv_eof(live->session) == LEAT_OK;
            draw(server);
            break;
        case 1:
        case 2:
            tell_number(&live->told, (uint64_t)(int64_t)leat_estreamer_close(
                                         live->session, 3, take(input) % 2u == 0 ? NULL : "bye"));
            break;
        default:
            break;
        }
        break;
    }
    must(listen_to(server) == 0);
    check_waiting(server);
    check_live(live);
}

static uint64_t run(struct input input, struct manner manner)
{
    static const size_t queued[] = {1 << 20, 150, 600, 4000};
    static struct thing things[THINGS];
    static struct server server;
    struct settings settings;
    unsigned limits = take(&input);
    int status;

    server.things = things;
    server.accepted = server.said = server.log.length = 0;
    server.in_flight = server.sequence_number = server.items = 0;
    server.nulls = server.offers = server.requests = server.singles = server.plain = 0;
    server.full = server.bundles = server.vague = false;
    start_live(&server.live, manner, LEAT_FROM_SERVER);
    configure(&server.live, &settings, limits / 4 % 2u == 0 ? MESSAGE_BYTES : 200,
              queued[limits % 4u], 2000);
    configure_server(&server.options, &input);
    status = leat_estreamer_server_new(&settings.config, &server.options, &server.live.session);
    must(status == LEAT_OK || (manner.good != ALWAYS && status == LEAT_E_NOMEM));
    if (status != LEAT_OK) {
        server.live.session = NULL;
        return end_live(&server.live);
    }
    while (input.left > 0)
        play(&server, &input);
    if (manner.good == ALWAYS)
        finish(&server);
    return end_live(&server.live);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_script(run, data, size);
    return 0;
}
