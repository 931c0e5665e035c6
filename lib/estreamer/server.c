/*
 * The server's side of a conversation. Source: spec sections 7 to 9, 11 to 13.
 *
 *     state           message                 does                            then
 *     START           event_stream_request    subscribes                      STREAMING
 *                     ... with bit 30         offers the services             WAIT_REQUEST
 *                     anything but a null     error                           over
 *     WAIT_REQUEST    streaming_request       subscribes                      STREAMING
 *                     ... without 6667        error                           over
 *     STREAMING       null                    sends what waits
 *     but START       host_data_request       expects the answer
 *                     either request          takes the place of the last     as above
 *     any             error                                                   over
 *
 * What the client has not allowed yet waits in a queue of its own: whole messages, of which the
 * last may be a bundle that is still open for records. What needs no leave goes straight to the
 * output.
 */
#include "peer.h"

#include <leat/estreamer.h>

#define SERVICE_BYTES      16u
#define SERVICES_MAX       16u
#define OFFER_BYTES        (LT_ESTREAMER_HEADER_BYTES + SERVICES_MAX * SERVICE_BYTES)
#define UNSENT_MAX         ((size_t)256 << 10) /* a client has to read before it is read */
#define STANDSTILL_MS      30000u
#define PATIENCE           10u /* how many times as long with a client that is known to answer */
#define DISCOVERY_BYTES    40u /* of a discovery header without an address */
#define DISCOVERY_IPV4     4u  /* where in it ... */
#define DISCOVERY_HAS_IPV6 14u
#define HOST_RANGE         1u /* bit of a data_type */
#define BIT(number)        (UINT32_C(1) << (number))
#define METADATA_BITS      (BIT(1) | BIT(14) | BIT(15) | BIT(20))

enum state { START, WAIT_REQUEST, STREAMING };

struct server {
    struct lt_estreamer_peer peer;
    enum state state;
    uint32_t services[SERVICES_MAX];
    uint32_t service_count;
    uint32_t connection_id;
    uint32_t window;
    uint32_t bundle_records;
    uint32_t bundle_bytes;
    bool verbatim;
    bool bundles;           /* how records are sent */
    uint32_t request_flags; /* of the event stream request */
    uint32_t flags;         /* and with those of the streaming request */
    uint32_t codes[8];      /* bits: the event codes below 256 of the request */
    uint32_t initial_timestamp;
    uint64_t host_singles; /* host data requests without their answer */
    uint64_t host_ranges;
    struct lt_writer queue; /* queue.data[queue_first .. queue.length) waits */
    size_t queue_first;
    size_t waiting;    /* records, and host data, in it */
    size_t open_bytes; /* of the bundle at its end that is open; 0: none */
    uint32_t open_records;
    uint32_t sequence_number; /* of the last bundle */
    uint32_t in_flight;       /* messages with records that lack their null */
    /*
     * Deployed clients have a null for every message, so that those for services and keep-alives
     * (plain messages) allow nothing. The published guide asks for nulls to records alone. Nulls
     * count for plain messages first: a client that has none for them then seems to owe some for
     * good, and shows that by a standstill.
     */
    uint32_t plain_in_flight;
    uint32_t plain_answered; /* nulls that counted for one while records were in flight */
    bool answers_plain;      /* a null came when nothing else could be meant */
    bool is_terse;           /* so they count for records alone */
    uint64_t keepalive_ms;
    uint64_t request_ms;
    uint64_t idle_ms;
    uint64_t heard_octets; /* of the stream, by the last tick */
    uint64_t asked_ms;     /* since when a request is awaited */
    uint64_t sent_ms;      /* when something was sent last ... */
    uint64_t records_ms;   /* ... that had records */
    uint64_t credited_ms;  /* when the first message in flight was sent, or the last null came */
};

/* Flow control */

static bool has_credit(const struct server *server)
{
    return server->in_flight < server->window;
}

static size_t queued(const struct server *server)
{
    return server->queue.length - server->queue_first;
}

/* A message with records is in the output. */
static void count_sent(struct server *server)
{
    uint64_t now_ms = server->peer.codec.session.now_ms;

    if (server->in_flight++ == 0)
        server->credited_ms = now_ms;
    server->sent_ms = server->records_ms = now_ms;
}

/* The first message that waits, and how many records it has. */
static size_t first_waiting(const struct server *server, size_t *records)
{
    struct lt_reader in = lt_reader(server->queue.data + server->queue_first, queued(server));
    struct lt_reader body;
    uint16_t type;

    (void)lt_u16be(&in); /* the version */
    type = lt_u16be(&in);
    body = lt_child(&in, lt_u32be(&in), 0);
    *records = 1;
    if (type == LT_ESTREAMER_MESSAGE_BUNDLE_TYPE) {
        (void)lt_u64be(&body); /* the connection and the number */
        for (*records = 0; lt_left(&body) > 0; ++*records) {
            (void)lt_u32be(&body);
            (void)lt_take(&body, lt_u32be(&body));
        }
    }
    return queued(server) - lt_left(&in);
}

/*
 * Lets go what the client allows: whole messages, each until its null. What finds no room or memory
 * stays, and is tried again.
 */
static void let_go(struct server *server)
{
    while (queued(server) > 0 && has_credit(server)) {
        size_t records;
        size_t length = first_waiting(server, &records);

        if (lt_estreamer_send_aside(&server->peer.codec.session,
                                    server->queue.data + server->queue_first, length) != LEAT_OK)
            return;
        server->queue_first += length;
        server->waiting -= records;
        if (queued(server) == 0)
            server->queue_first = server->queue.length = server->open_bytes = 0;
        count_sent(server);
    }
}

/* A message without records is in the output. */
static void count_plain(struct server *server)
{
    server->sent_ms = server->peer.codec.session.now_ms;
    if (!server->is_terse)
        server->plain_in_flight++;
}

static int send_plain(struct server *server, const void *message, size_t length)
{
    int status = lt_estreamer_send_aside(&server->peer.codec.session, message, length);

    if (status == LEAT_OK)
        count_plain(server);
    return status;
}

static bool may_be_terse(const struct server *server)
{
    return server->in_flight > 0 && server->plain_answered > 0 && !server->is_terse;
}

/* All came to a standstill: its nulls were for records, it seems. */
static void take_for_terse(struct server *server)
{
    server->is_terse = true;
    server->in_flight -=
        server->in_flight < server->plain_answered ? server->in_flight : server->plain_answered;
    server->credited_ms = server->peer.codec.session.now_ms;
    let_go(server);
}

/* A null allows one more message with records; one that nothing was sent for allows nothing. */
static void on_null(struct server *server)
{
    if (server->plain_in_flight > 0 && !server->is_terse) {
        server->plain_in_flight--;
        if (server->in_flight == 0)
            server->answers_plain = true;
        else
            server->plain_answered++;
    } else if (server->in_flight > 0) {
        server->in_flight--;
    } else {
        server->is_terse = false; /* it was only slow */
        server->plain_in_flight = server->plain_answered = 0;
    }
    server->credited_ms = server->peer.codec.session.now_ms;
    let_go(server);
}

/*
 * Inside a command, around what it writes at the end of the output: what waits counts for
 * queued_bytes, too; and what may not be sent yet, from start on, goes into the queue.
 */
static void make_queue_count(struct server *server)
{
    struct lt_writer *out = &server->peer.codec.session.out;

    out->limit -= out->limit < queued(server) ? out->limit : queued(server);
}

static int enqueue(struct server *server, size_t start)
{
    leat_session *session = &server->peer.codec.session;
    struct lt_writer *queue = &server->queue;

    if (server->queue_first > queued(server)) {
        queue->length = queued(server);
        memmove(queue->data, queue->data + server->queue_first, queue->length);
        server->queue_first = 0;
    }
    lt_put_bytes(queue, session->out.data + start, session->out.length - start);
    if (queue->status != LEAT_OK) {
        queue->status = LEAT_OK;
        return lt_refuse(session, LEAT_E_NOMEM, 0, "out of memory", NULL);
    }
    session->out.length = start;
    server->waiting++;
    return LEAT_OK;
}

/* Records */

/*
 * Deployed clients look for the address of a discovery event where it stands if has_ipv6 is set. An
 * IPv4 address is mapped.
 */
static void add_address(struct lt_writer *out, size_t record)
{
    uint8_t *header;

    if (out->status != LEAT_OK || out->length - record < DISCOVERY_BYTES ||
        out->data[record + DISCOVERY_HAS_IPV6] != 0 || lt_put(out, 16) == NULL)
        return;
    header = out->data + record;
    memmove(header + DISCOVERY_BYTES + 16, header + DISCOVERY_BYTES,
            out->length - 16 - record - DISCOVERY_BYTES);
    memset(header + DISCOVERY_BYTES, 0, 10);
    memset(header + DISCOVERY_BYTES + 10, 0xff, 2);
    memcpy(header + DISCOVERY_BYTES + 12, header + DISCOVERY_IPV4, 4);
    header[DISCOVERY_HAS_IPV6] = 1;
}

static bool is_extended(const struct server *server)
{
    return (server->flags & LEAT_ESTREAMER_FLAG_EXTENDED_REQUEST) != 0;
}

/* The header that the client asked for, and no more in its first word than the type. */
static void fit_header(const struct server *server, struct lt_estreamer_record_header *header)
{
    if (server->verbatim)
        return;
    header->word &= LT_ESTREAMER_RECORD_TYPE_MASK;
    header->archived = (server->flags & LEAT_ESTREAMER_FLAG_EXTENDED_HEADER) != 0;
}

/* The record that is written behind its header: makes it fit, and the header know its length. */
static int fit_record(struct server *server, const struct lt_estreamer_record_header *header,
                      size_t record)
{
    leat_session *session = &server->peer.codec.session;
    const struct lt_estreamer_record *known =
        lt_estreamer_record(header->word & LT_ESTREAMER_RECORD_TYPE_MASK);
    size_t length_at = record - (header->archived ? 12 : 4);

    if (!server->verbatim && is_extended(server) && known != NULL && known->discovery)
        add_address(&session->out, record);
    if (session->out.status == LEAT_OK && session->out.length - record > UINT32_MAX)
        return lt_refuse(session, LEAT_E_LIMIT, 0, "a record longer than 4 GiB", "record");
    lt_patch_u32be(&session->out, length_at, (uint32_t)(session->out.length - record));
    return LEAT_OK;
}

/* The octets of a record, or a record to be written. */
struct record_source {
    struct lt_estreamer_record_header header;
    struct lt_estreamer_fields fields; /* unless octets are given */
    const void *octets;
    size_t length;
    bool encoded;
};

static int put_record(struct server *server, const struct record_source *source)
{
    leat_session *session = &server->peer.codec.session;
    struct lt_estreamer_writer writer = lt_estreamer_field_writer(session);
    struct lt_estreamer_fields fields = source->fields;
    size_t record = session->out.length + (source->header.archived ? 16 : 8);
    int status = LEAT_OK;

    if (source->encoded) {
        (void)lt_estreamer_put_record_header(&session->out, &source->header);
        lt_put_bytes(&session->out, source->octets, source->length);
    } else {
        status = lt_estreamer_put_event_data(&writer, &fields, &source->header);
    }
    if (status != LEAT_OK || !lt_estreamer_has_room(session))
        return status;
    return fit_record(server, &source->header, record);
}

/* The record as a bundle of its own, or (opens is false) as an item of one. */
static int put_item(struct server *server, const struct record_source *source, bool opens)
{
    leat_session *session = &server->peer.codec.session;
    size_t bundle = session->out.length;
    size_t item;
    int status;

    if (opens) {
        (void)lt_estreamer_begin(session, LT_ESTREAMER_MESSAGE_BUNDLE_TYPE);
        lt_put_u32be(&session->out, server->connection_id);
        lt_put_u32be(&session->out, server->sequence_number + 1);
    }
    item = lt_estreamer_begin_item(session, LT_ESTREAMER_EVENT_DATA_TYPE);
    status = put_record(server, source);
    if (status == LEAT_OK)
        status = lt_estreamer_finish(session, item);
    return status == LEAT_OK && opens ? lt_estreamer_finish(session, bundle) : status;
}

/* Whether the bundle that is open takes one more record, so far. */
static bool is_open(const struct server *server)
{
    return server->open_bytes > 0 && server->open_bytes < server->bundle_bytes &&
           server->open_records < server->bundle_records;
}

/* A record that waits: in the bundle that is open if it fits, else in a new one. */
static int enqueue_item(struct server *server, const struct record_source *source)
{
    leat_session *session = &server->peer.codec.session;
    size_t start = session->out.length;
    uint64_t most =
        session->limits.message_bytes < UINT32_MAX ? session->limits.message_bytes : UINT32_MAX;
    bool opens = !is_open(server);
    size_t length;
    int status = put_item(server, source, opens);

    if (status == LEAT_OK && !opens &&
        server->open_bytes + (session->out.length - start) - LT_ESTREAMER_HEADER_BYTES > most) {
        session->out.length = start;
        opens = true;
        status = put_item(server, source, opens);
    }
    if (status != LEAT_OK || !lt_estreamer_has_room(session))
        return status;
    length = session->out.length - start;
    status = enqueue(server, start);
    if (status != LEAT_OK)
        return status;
    server->sequence_number += opens;
    server->open_records = opens ? 1 : server->open_records + 1;
    server->open_bytes = opens ? length : server->open_bytes + length;
    lt_patch_u32be(&server->queue, server->queue.length - server->open_bytes + 4,
                   (uint32_t)(server->open_bytes - LT_ESTREAMER_HEADER_BYTES));
    return LEAT_OK;
}

/* A message that is whole, and begins at start. */
static int send_or_enqueue(struct server *server, size_t start)
{
    int status;

    if (!lt_estreamer_has_room(&server->peer.codec.session))
        return LEAT_OK;
    if (queued(server) == 0 && has_credit(server)) {
        count_sent(server);
        return LEAT_OK;
    }
    status = enqueue(server, start);
    if (status == LEAT_OK)
        server->open_bytes = 0;
    return status;
}

static int send_source(struct server *server, struct record_source *source)
{
    leat_session *session = &server->peer.codec.session;
    size_t start = session->out.length;
    int status;

    fit_header(server, &source->header);
    if (server->bundles && (queued(server) > 0 || !has_credit(server)))
        return enqueue_item(server, source);
    if (server->bundles) {
        status = put_item(server, source, true);
        if (status == LEAT_OK && lt_estreamer_has_room(session))
            server->sequence_number++;
    } else {
        (void)lt_estreamer_begin(session, LT_ESTREAMER_EVENT_DATA_TYPE);
        status = put_record(server, source);
        if (status == LEAT_OK)
            status = lt_estreamer_finish(session, start);
    }
    return status == LEAT_OK ? send_or_enqueue(server, start) : status;
}

static int send_event_data(struct server *server, const leat_value *value)
{
    struct lt_estreamer_writer writer = lt_estreamer_field_writer(&server->peer.codec.session);
    struct record_source source = {.encoded = false};
    int status = lt_estreamer_fields(&writer, value, NULL, &source.fields);

    if (status == LEAT_OK)
        status = lt_estreamer_take_record_header(&writer, &source.fields, &source.header);
    return status != LEAT_OK ? status : send_source(server, &source);
}

int leat_estreamer_send_record(leat_session *session, uint32_t record_type,
                               uint32_t archive_timestamp, const void *record, size_t length)
{
    struct server *server = (struct server *)session;
    struct record_source source = {.header = {.word = record_type,
                                              .archived = archive_timestamp != 0,
                                              .archive_timestamp = archive_timestamp},
                                   .octets = record,
                                   .length = length,
                                   .encoded = true};

    if (session->dialect != &lt_estreamer_server || lt_estreamer_is_over(&server->peer) ||
        server->state == START)
        return lt_refuse(session, LEAT_E_STATE, 0, "nobody has asked for records", NULL);
    if (record_type > LT_ESTREAMER_RECORD_TYPE_MASK)
        return lt_refuse(session, LEAT_E_VALUE, 0, "over 65535", "record_type");
    lt_send_begin(session);
    make_queue_count(server);
    return lt_send_end(session, send_source(server, &source));
}

size_t leat_estreamer_waiting(const leat_session *session)
{
    const struct server *server = (const struct server *)session;

    return session->dialect == &lt_estreamer_server && !lt_estreamer_is_over(&server->peer)
               ? server->waiting
               : 0;
}

/* Host data: as many answers as there are requests. Source: spec section 11. */
static int send_host_data(struct server *server, const struct lt_estreamer_message *message,
                          const leat_value *value)
{
    leat_session *session = &server->peer.codec.session;
    bool single = message->kind == LEAT_ESTREAMER_SINGLE_HOST_DATA;
    uint64_t *requests = single ? &server->host_singles : &server->host_ranges;
    size_t start = session->out.length;
    bool last;
    int status;

    if (*requests == 0)
        return lt_refuse(session, LEAT_E_STATE, 0, "no such host data request is open", NULL);
    status = lt_estreamer_write(session, message, value, false);
    if (status != LEAT_OK || !lt_estreamer_has_room(session))
        return status;
    last = single || session->out.length - start == LT_ESTREAMER_HEADER_BYTES;
    status = send_or_enqueue(server, start);
    if (status == LEAT_OK)
        *requests -= last;
    return status;
}

static int send(leat_session *session, const char *name, const leat_value *value)
{
    struct server *server = (struct server *)session;
    const struct lt_estreamer_message *message =
        name == NULL ? NULL : lt_estreamer_message_named(name);
    int status;

    if (lt_estreamer_is_over(&server->peer))
        return lt_refuse(session, LEAT_E_STATE, 0, "the conversation is over", NULL);
    switch (message == NULL ? 0 : message->kind) {
    case LEAT_ESTREAMER_EVENT_DATA:
        if (server->state == START)
            break;
        make_queue_count(server);
        return send_event_data(server, value);
    case LEAT_ESTREAMER_SINGLE_HOST_DATA:
    case LEAT_ESTREAMER_MULTIPLE_HOST_DATA:
        make_queue_count(server);
        return send_host_data(server, message, value);
    case LEAT_ESTREAMER_NULL:
    case LEAT_ESTREAMER_ERROR:
        status = lt_estreamer_write(session, message, value, false);
        if (status != LEAT_OK || !lt_estreamer_has_room(session))
            return status;
        if (message->kind == LEAT_ESTREAMER_ERROR)
            (void)lt_end(session);
        else
            count_plain(server);
        return LEAT_OK;
    default:
        break;
    }
    return lt_refuse(session, LEAT_E_STATE, 0, "not a message that the server may send now", NULL);
}

/* Requests */

/*
 * Which bits of the flags ask for a kind of records, in any version, beside the event code. Source:
 * spec section 7.
 */
static const struct {
    const char *category;
    uint32_t flags;
} legacy_requests[] = {
    {"packet", BIT(0)},
    {"metadata", METADATA_BITS},
    {"intrusion", BIT(2) | BIT(6)},
    {"discovery", BIT(3) | BIT(7) | BIT(10) | BIT(17) | BIT(24) | BIT(25) | BIT(28)},
    {"correlation", BIT(4) | BIT(9) | BIT(13) | BIT(19) | BIT(22) | BIT(29)},
    {"impact", BIT(5)},
    {"connection", BIT(8) | BIT(12) | BIT(18) | BIT(26)},
    {"user", BIT(21)},
    {"extra_data", BIT(27)},
};

static uint32_t legacy_flags(const struct lt_estreamer_record *record)
{
    const char *category = lt_estreamer_names + record->category;
    size_t i;

    for (i = 0; i < sizeof legacy_requests / sizeof *legacy_requests; i++) {
        if (strcmp(legacy_requests[i].category, category) == 0)
            return legacy_requests[i].flags;
    }
    return 0;
}

static bool has_code(const struct server *server, uint32_t code)
{
    return (server->codes[code / 32] >> code % 32 & 1) != 0;
}

/*
 * The flags that count. Deployed clients set the bit for intrusion events in extended requests,
 * too, where codes ask for them.
 */
static uint32_t flags_of(const struct server *server)
{
    return is_extended(server) ? server->flags & ~LEAT_ESTREAMER_FLAG_INTRUSION : server->flags;
}

/* Whether anything but metadata is asked for. */
static bool wants_events(const struct server *server)
{
    size_t i;

    for (i = 0; i < sizeof legacy_requests / sizeof *legacy_requests; i++) {
        if ((flags_of(server) & legacy_requests[i].flags & ~METADATA_BITS) != 0)
            return true;
    }
    for (i = 0; i < sizeof server->codes * 8; i++) {
        if (i != LEAT_ESTREAMER_CODE_METADATA && has_code(server, (uint32_t)i))
            return true;
    }
    return false;
}

int leat_estreamer_is_wanted(const leat_session *session, uint32_t record_type)
{
    const struct server *server = (const struct server *)session;
    const struct lt_estreamer_record *record = lt_estreamer_record(record_type);

    if (session->dialect != &lt_estreamer_server || server->state != STREAMING)
        return 0;
    if (record == NULL)
        return wants_events(server);
    return (flags_of(server) & legacy_flags(record)) != 0 ||
           (record->event_code != 0 && has_code(server, record->event_code));
}

uint32_t leat_estreamer_initial_timestamp(const leat_session *session)
{
    return session->dialect == &lt_estreamer_server
               ? ((const struct server *)session)->initial_timestamp
               : LEAT_ESTREAMER_OLDEST;
}

static int offer_services(struct server *server)
{
    uint8_t message[OFFER_BYTES];
    struct lt_writer out = lt_writer_fixed(message, sizeof message);
    uint32_t i;

    lt_estreamer_put_header(&out, LT_ESTREAMER_STREAMING_INFO_TYPE,
                            (size_t)server->service_count * SERVICE_BYTES);
    for (i = 0; i < server->service_count; i++) {
        lt_put_u32be(&out, server->services[i]);
        lt_put_u32be(&out, SERVICE_BYTES - 8); /* what follows: deployed clients step like that */
        lt_put_u64be(&out, 0);
    }
    return send_plain(server, message, out.length);
}

static int on_event_stream_request(struct server *server)
{
    const leat_value *request = server->peer.codec.session.event.value;

    server->initial_timestamp =
        (uint32_t)leat_value_u64(leat_value_get(request, "initial_timestamp"));
    server->request_flags = (uint32_t)leat_value_u64(leat_value_get(request, "request_flags"));
    server->flags = server->request_flags;
    memset(server->codes, 0, sizeof server->codes);
    server->bundles = false;
    if (!is_extended(server)) {
        server->state = STREAMING;
        return LEAT_OK;
    }
    server->state = WAIT_REQUEST;
    server->asked_ms = server->peer.codec.session.now_ms;
    return offer_services(server);
}

/* One service of a streaming request; there may be several for ours. */
static void subscribe(struct server *server, const leat_value *service)
{
    const leat_value *types = leat_value_get(service, "event_types");
    const leat_value *type;

    server->initial_timestamp =
        (uint32_t)leat_value_u64(leat_value_get(service, "initial_timestamp"));
    server->flags |= (uint32_t)leat_value_u64(leat_value_get(service, "flags"));
    for (type = leat_value_first(types); type != NULL; type = leat_value_next(types, type)) {
        uint64_t code = leat_value_u64(leat_value_get(type, "event_code"));

        if (code / 32 < sizeof server->codes / sizeof *server->codes)
            server->codes[code / 32] |= BIT(code % 32);
    }
    server->state = STREAMING;
    server->bundles = true;
}

/* A malformed one, which has no value, names no service either. */
static void on_streaming_request(struct server *server)
{
    const leat_value *services = leat_value_get(server->peer.codec.session.event.value, "services");
    const leat_value *service;
    bool named = false;

    for (service = leat_value_first(services); service != NULL;
         service = leat_value_next(services, service)) {
        if (leat_value_u64(leat_value_get(service, "service_type")) != LT_ESTREAMER_SERVICE)
            continue;
        if (!named) {
            server->flags = server->request_flags | LEAT_ESTREAMER_FLAG_EXTENDED_REQUEST;
            memset(server->codes, 0, sizeof server->codes);
        }
        named = true;
        subscribe(server, service);
    }
    if (!named)
        lt_estreamer_offence(&server->peer, "not a streaming request for service 6667",
                             "service_type");
}

static void on_host_data_request(struct server *server)
{
    const leat_value *request = server->peer.codec.session.event.value;

    if ((leat_value_u64(leat_value_get(request, "data_type")) & HOST_RANGE) != 0)
        server->host_ranges++;
    else
        server->host_singles++;
}

/* LEAT_OK, or why an answer could not be written. */
static int observe(struct server *server)
{
    const leat_event *event = &server->peer.codec.session.event;
    bool sound = event->error.code == LEAT_OK;

    if (event->kind == LEAT_ESTREAMER_ERROR) {
        server->peer.verdict = LEAT_END;
    } else if (event->kind == LEAT_ESTREAMER_NULL) {
        on_null(server);
    } else if (event->kind == LEAT_ESTREAMER_EVENT_STREAM_REQUEST && sound) {
        return on_event_stream_request(server);
    } else if (server->state == START) {
        lt_estreamer_offence(&server->peer, "the first message is not an event stream request",
                             "message_type");
    } else if (event->kind == LEAT_ESTREAMER_STREAMING_REQUEST) {
        on_streaming_request(server);
    } else if (event->kind == LEAT_ESTREAMER_HOST_DATA_REQUEST && sound) {
        on_host_data_request(server);
    }
    return LEAT_OK;
}

/*
 * Whether the client has to read before it is read: its next message asks for an answer, and much
 * is unsent.
 */
static bool must_wait(const struct server *server)
{
    const leat_session *session = &server->peer.codec.session;
    uint64_t most =
        session->limits.queued_bytes < UNSENT_MAX ? session->limits.queued_bytes : UNSENT_MAX;
    struct lt_reader in = lt_unread(session);
    size_t unsent;

    (void)leat_send_data(session, &unsent);
    (void)lt_u16be(&in); /* the version */
    return unsent > 0 && unsent + OFFER_BYTES > most && lt_u16be(&in) == LT_ESTREAMER_REQUEST_TYPE;
}

static int next(leat_session *session)
{
    struct server *server = (struct server *)session;
    int status;

    if (!lt_estreamer_is_over(&server->peer)) {
        let_go(server);
        if (must_wait(server))
            return LEAT_PAUSED;
    }
    status = lt_estreamer_peer_next(&server->peer);
    if (status != LEAT_OK)
        return status;
    status = observe(server);
    return status == LEAT_OK ? LEAT_OK
                             : lt_fail(session, status, 0, "no room to offer the services", NULL);
}

/* Time */

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t request_due(const struct server *server)
{
    return server->state == STREAMING ? UINT64_MAX
                                      : lt_estreamer_due(server->asked_ms, server->request_ms);
}

static uint64_t null_due(const struct server *server)
{
    return server->in_flight > 0 ? lt_estreamer_due(server->credited_ms, server->idle_ms)
                                 : UINT64_MAX;
}

static uint64_t standstill_due(const struct server *server)
{
    uint64_t after_ms = (uint64_t)STANDSTILL_MS * (server->answers_plain ? PATIENCE : 1);

    return queued(server) > 0 && may_be_terse(server)
               ? lt_estreamer_due(server->records_ms, after_ms)
               : UINT64_MAX;
}

static uint64_t keepalive_due(const struct server *server)
{
    return server->state == START ? UINT64_MAX
                                  : lt_estreamer_due(server->sent_ms, server->keepalive_ms);
}

static uint64_t deadline(const leat_session *session)
{
    const struct server *server = (const struct server *)session;

    if (lt_estreamer_is_over(&server->peer))
        return UINT64_MAX;
    if (!server->peer.clocked)
        return 0;
    return earlier(earlier(request_due(server), keepalive_due(server)),
                   earlier(null_due(server), standstill_due(server)));
}

/*
 * Whether octets are there that were not at the last tick, and were not looked at yet: they may be
 * what is waited for. The next tick knows.
 */
static bool has_news(const struct server *server)
{
    const leat_session *session = &server->peer.codec.session;

    return lt_unread_bytes(session) > 0 &&
           session->consumed + lt_unread_bytes(session) != server->heard_octets;
}

static void keep_alive(struct server *server)
{
    uint8_t message[LT_ESTREAMER_HEADER_BYTES];
    struct lt_writer out = lt_writer_fixed(message, sizeof message);
    size_t unsent;

    lt_estreamer_put_header(&out, LT_ESTREAMER_NULL_TYPE, 0);
    (void)leat_send_data(&server->peer.codec.session, &unsent);
    if (unsent == 0)
        (void)send_plain(server, message, out.length);
    server->sent_ms = server->peer.codec.session.now_ms;
}

static void tick(leat_session *session)
{
    struct server *server = (struct server *)session;

    if (lt_estreamer_first_tick(&server->peer))
        server->asked_ms = server->sent_ms = server->records_ms = server->credited_ms =
            session->now_ms;
    if (lt_estreamer_is_over(&server->peer))
        return;
    let_go(server);
    if (lt_estreamer_is_due(session, standstill_due(server)) ||
        (lt_estreamer_is_due(session, null_due(server)) && may_be_terse(server) &&
         !server->answers_plain))
        take_for_terse(server);
    else if (!has_news(server) && lt_estreamer_is_due(session, request_due(server)))
        lt_estreamer_give_up(&server->peer, LEAT_E_TIMEOUT, "no request came in time");
    else if (!has_news(server) && lt_estreamer_is_due(session, null_due(server)))
        lt_estreamer_give_up(&server->peer, LEAT_E_TIMEOUT, "the client does not acknowledge");
    else if (lt_estreamer_is_due(session, keepalive_due(server)))
        keep_alive(server);
    server->heard_octets = session->consumed + lt_unread_bytes(session);
}

/* Life */

static void free_queue(struct server *server)
{
    lt_writer_free(&server->queue);
    server->queue = lt_writer(&server->peer.codec.session.allocator, SIZE_MAX);
    server->queue_first = 0;
}

static void release(leat_session *session)
{
    lt_writer_free(&((struct server *)session)->queue);
}

static void trim(leat_session *session)
{
    struct server *server = (struct server *)session;

    if (queued(server) == 0 || lt_estreamer_is_over(&server->peer))
        free_queue(server);
}

static size_t memory(const leat_session *session)
{
    return ((const struct server *)session)->queue.size;
}

const struct lt_dialect lt_estreamer_server = {.bytes = sizeof(struct server),
                                               .next = next,
                                               .send = send,
                                               .tick = tick,
                                               .deadline = deadline,
                                               .release = release,
                                               .trim = trim,
                                               .memory = memory};

void leat_estreamer_server_options_init(leat_estreamer_server_options *options, size_t size)
{
    const leat_estreamer_server_options initial = {
        .connection_id = 1,
        .window = 1,
        .bundle_records = 128,
        .bundle_bytes = UINT32_C(64) << 10,
        .keepalive_ms = 30000,
        .request_ms = 60000,
    };

    lt_options_init(options, size, &initial, sizeof initial);
}

int leat_estreamer_server_new(const leat_config *config,
                              const leat_estreamer_server_options *options, leat_session **session)
{
    leat_estreamer_server_options settings;
    struct server *server;
    leat_session *made;
    int status;

    leat_estreamer_server_options_init(&settings, sizeof settings);
    if (!lt_options_read(&settings, sizeof settings, options) || settings.window == 0 ||
        settings.bundle_records == 0 || settings.service_count > SERVICES_MAX ||
        (settings.services == NULL) != (settings.service_count == 0))
        return LEAT_E_VALUE;
    status = lt_estreamer_codec_new(&lt_estreamer_server, config, LEAT_FROM_CLIENT, &made);
    if (status != LEAT_OK)
        return status;
    server = (struct server *)made;
    server->queue = lt_writer(&made->allocator, SIZE_MAX);
    server->services[0] = LT_ESTREAMER_SERVICE;
    server->service_count = 1;
    if (settings.services != NULL) {
        server->service_count = (uint32_t)settings.service_count;
        memcpy(server->services, settings.services,
               settings.service_count * sizeof *settings.services);
    }
    server->connection_id = settings.connection_id;
    server->window = settings.window;
    server->bundle_records = settings.bundle_records;
    server->bundle_bytes = settings.bundle_bytes;
    server->verbatim = settings.verbatim != 0;
    server->keepalive_ms = settings.keepalive_ms;
    server->request_ms = settings.request_ms;
    server->idle_ms = settings.idle_ms;
    *session = made;
    return LEAT_OK;
}
