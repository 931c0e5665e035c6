/*
 * The client's side of a conversation. Source: spec sections 7, 8 and 12 to 15.
 *
 *     state       message                  does
 *     waits_info  streaming_information    asks for its events, or gives up: no such service
 *     any         event_data, host data,   tells it; a null once it is safe
 *                 bundle, null, unknown
 *     any         error                    tells it, then ends (or goes on, as deployed clients do)
 */
#include "bookmark.h"
#include "peer.h"

#include "../core/buffer.h"

#include <leat/estreamer.h>

#define EVENT_TYPES_MAX 256u
#define SERVICE_HEADER  16u

/* What is acknowledged once the caller says that the event at that offset is safe. */
struct held {
    uint64_t offset;
    uint64_t fingerprint;
    uint32_t second; /* the archive timestamp of a record for the bookmark; 0: none */
    bool owes;       /* the message is complete, so the server is owed a null */
    bool empty;      /* it has nothing that could be made safe */
};

struct client {
    struct lt_estreamer_peer peer;
    leat_estreamer_event_type *event_types; /* NULL: the newest set */
    size_t event_type_count;
    struct lt_estreamer_bookmark bookmark;
    struct held *held; /* held[first .. first + count) */
    size_t held_size;
    size_t held_first;
    size_t held_count;
    uint64_t idle_ms;
    uint64_t heard_ms;      /* when octets of the server were there that were not before */
    uint64_t heard_octets;  /* of the stream, by then */
    uint32_t request_flags; /* of the last request */
    uint32_t initial_timestamp;
    uint32_t held_records;
    uint32_t sequence_number; /* of the last bundle */
    size_t timestamp_place;   /* where the field stood last time */
    bool waits_info;
    bool hold;
    bool endure_errors;
    bool repeat;
};

/* Requests */

static const leat_estreamer_event_type *set_of(size_t index, size_t *count)
{
    *count = lt_estreamer_event_sets[index].count;
    return lt_estreamer_event_types + lt_estreamer_event_sets[index].at;
}

/* A number in front of a point or the end; false if there is none. */
static bool read_version_part(const char **at, uint32_t *part)
{
    const char *digit = *at;

    for (*part = 0; *digit >= '0' && *digit <= '9' && *part < UINT16_MAX; digit++)
        *part = *part * 10 + (uint32_t)(*digit - '0');
    if (digit == *at || (*digit != '.' && *digit != '\0'))
        return false;
    *at = *digit == '.' ? digit + 1 : digit;
    return true;
}

const leat_estreamer_event_type *leat_estreamer_event_types(const char *release, size_t *count)
{
    uint32_t major = 0, minor = 0;
    size_t i = lt_estreamer_event_set_total;

    *count = 0;
    if (release == NULL || !read_version_part(&release, &major) ||
        (*release != '\0' && !read_version_part(&release, &minor)))
        return NULL;
    while (i-- > 0) {
        const struct lt_estreamer_event_set *set = &lt_estreamer_event_sets[i];

        if (major > set->major || (major == set->major && minor >= set->minor))
            return set_of(i, count);
    }
    return NULL;
}

/* Writes the streaming request. Its length counts all of it, as deployed clients have it. */
static int put_streaming_request(struct client *client)
{
    leat_session *session = &client->peer.codec.session;
    struct lt_writer *out = &session->out;
    size_t start = lt_estreamer_begin(session, LT_ESTREAMER_STREAM_REQUEST_TYPE);
    const leat_estreamer_event_type *types = client->event_types;
    size_t count = client->event_type_count;
    size_t i;

    if (types == NULL)
        types = set_of(lt_estreamer_event_set_total - 1, &count);
    lt_put_u32be(out, LT_ESTREAMER_SERVICE);
    lt_put_u32be(out, SERVICE_HEADER + 4 * (uint32_t)count + 4);
    lt_put_u32be(out, client->request_flags);
    lt_put_u32be(out, client->initial_timestamp);
    for (i = 0; i < count; i++) {
        lt_put_u16be(out, types[i].event_version);
        lt_put_u16be(out, types[i].event_code);
    }
    lt_put_u32be(out, 0);
    return lt_estreamer_finish(session, start);
}

static int put_event_stream_request(struct client *client)
{
    leat_session *session = &client->peer.codec.session;
    size_t start = lt_estreamer_begin(session, LT_ESTREAMER_REQUEST_TYPE);

    lt_put_u32be(&session->out, client->initial_timestamp);
    lt_put_u32be(&session->out, client->request_flags);
    return lt_estreamer_finish(session, start);
}

/* Acknowledging */

/* The first count of what is held is safe. */
static int settle(struct client *client, size_t count)
{
    leat_session *session = &client->peer.codec.session;
    const struct held *held;
    size_t records = 0, owed = 0, i;
    int status;

    if (count == 0)
        return LEAT_OK;
    held = client->held + client->held_first;
    for (i = 0; i < count; i++) {
        owed += held[i].owes;
        records += held[i].second != 0;
    }
    if (lt_estreamer_is_over(&client->peer)) /* nobody is left to tell, but the bookmark moves on */
        owed = 0;
    lt_send_begin(session);
    if (records > 0 && !lt_estreamer_reserve_fingerprints(&client->bookmark, records))
        return lt_send_end(session, lt_refuse(session, LEAT_E_NOMEM, 0, "out of memory", NULL));
    for (i = 0; i < owed; i++)
        lt_estreamer_put_header(&session->out, LT_ESTREAMER_NULL_TYPE, 0);
    status = lt_send_end(session, LEAT_OK);
    if (status != LEAT_OK)
        return status;
    for (i = 0; i < count; i++) {
        if (held[i].second != 0)
            lt_estreamer_pass(&client->bookmark, held[i].second, held[i].fingerprint);
    }
    client->held_first += count;
    client->held_count -= count;
    if (client->held_count == 0)
        client->held_first = 0;
    return LEAT_OK;
}

/* What is empty and has nothing held in front of it, as far as nulls find room. */
static int settle_empty(struct client *client)
{
    const leat_session *session = &client->peer.codec.session;
    const struct held *held = client->held_count == 0 ? NULL : client->held + client->held_first;
    uint64_t room = session->limits.queued_bytes;
    size_t count = 0, unsent;

    (void)leat_send_data(session, &unsent);
    room = room < unsent ? 0 : (room - unsent) / LT_ESTREAMER_HEADER_BYTES;
    while (count < client->held_count && held[count].empty && count < room)
        count++;
    return settle(client, count);
}

/* The last event was given back: settles what need not wait for the caller's word. */
static int settle_drawn(struct client *client)
{
    return client->hold ? settle_empty(client) : settle(client, client->held_count);
}

/* Room for one more; what was settled makes room first. */
static bool reserve_held(struct client *client)
{
    if (client->held_first + client->held_count < client->held_size)
        return true;
    if (client->held_first > client->held_count) {
        memmove(client->held, client->held + client->held_first,
                client->held_count * sizeof *client->held);
        client->held_first = 0;
        return true;
    }
    return lt_grow(&client->peer.codec.session.allocator, (void **)&client->held,
                   &client->held_size, client->held_size + 1, sizeof *client->held);
}

/* Whether all of the message that the event is of was told: not if the stream ended inside it. */
static bool is_complete(const struct client *client)
{
    return client->peer.codec.bundle == 0 && !client->peer.codec.session.inside;
}

static bool is_empty(const leat_event *event)
{
    return event->kind == LEAT_ESTREAMER_NULL ||
           event->kind == LEAT_ESTREAMER_STREAMING_INFORMATION;
}

/*
 * Remembers what the event at hand owes. A record counts for the bookmark if it has an archive
 * timestamp and did not count before. The last second that there is would be no place to go on
 * from: asked for, it means "from now on".
 */
static void hold(struct client *client)
{
    const leat_event *event = &client->peer.codec.session.event;
    struct held *held = &client->held[client->held_first + client->held_count];
    uint32_t second = 0;

    if (event->kind == LEAT_ESTREAMER_EVENT_DATA)
        second = (uint32_t)leat_value_u64(
            leat_value_find(event->value, LT_NAME("archive_timestamp"), &client->timestamp_place));
    if (second == LEAT_ESTREAMER_NOW)
        second = 0;
    held->offset = event->offset;
    held->fingerprint = 0;
    held->owes = is_complete(client);
    held->empty = is_empty(event);
    if (second != 0 && lt_estreamer_wants_fingerprint(&client->bookmark, second)) {
        held->fingerprint = lt_estreamer_fingerprint(event->raw + LT_ESTREAMER_HEADER_BYTES,
                                                     event->raw_length - LT_ESTREAMER_HEADER_BYTES);
        client->repeat = lt_estreamer_is_known(&client->bookmark, second, held->fingerprint);
    }
    held->second = client->repeat ? 0 : second;
    if (held->owes || held->second != 0)
        client->held_count++;
}

int leat_estreamer_acknowledge(leat_session *session, uint64_t offset)
{
    struct client *client = (struct client *)session;
    size_t count = 0;
    int status;

    if (session->dialect != &lt_estreamer_client)
        return lt_refuse(session, LEAT_E_STATE, 0, "not a client's session", NULL);
    session->send_error.code = LEAT_OK;
    while (count < client->held_count && client->held[client->held_first + count].offset <= offset)
        count++;
    status = settle(client, count);
    if (status == LEAT_OK && settle_empty(client) != LEAT_OK) /* the next call tries again */
        session->send_error.code = LEAT_OK;
    return status;
}

/*
 * From when on to resume: no later than what was drawn but is not safe. If nothing was safe yet,
 * that matters only to a client that would otherwise start from "now".
 */
static uint32_t place(const struct client *client)
{
    uint32_t second = client->bookmark.second;
    size_t i;

    if (second == 0 && client->initial_timestamp == LEAT_ESTREAMER_NOW)
        second = LEAT_ESTREAMER_NOW;
    for (i = 0; i < client->held_count; i++) {
        uint32_t held = client->held[client->held_first + i].second;

        if (held != 0 && held < second)
            second = held;
    }
    return second == LEAT_ESTREAMER_NOW ? 0 : second;
}

int leat_estreamer_bookmark(const leat_session *session, leat_buffer *buffer)
{
    const struct client *client = (const struct client *)session;
    size_t start = buffer->out.length;

    if (session->dialect != &lt_estreamer_client)
        return lt_error(&buffer->error, LEAT_E_STATE, 0, "not a client's session", NULL);
    lt_estreamer_bookmark_save(&client->bookmark, place(client), &buffer->out);
    return lt_buffer_end(buffer, start, LEAT_OK);
}

int leat_estreamer_is_repeat(const leat_session *session)
{
    return session->dialect == &lt_estreamer_client && ((const struct client *)session)->repeat;
}

/* Receiving */

static bool offers_service(const leat_value *information)
{
    const leat_value *services = leat_value_get(information, "services");
    const leat_value *service;

    for (service = leat_value_first(services); service != NULL;
         service = leat_value_next(services, service)) {
        if (leat_value_u64(leat_value_get(service, "service_type")) == LT_ESTREAMER_SERVICE)
            return true;
    }
    return false;
}

/* LEAT_OK, or why the streaming request could not be written. */
static int on_streaming_information(struct client *client)
{
    leat_session *session = &client->peer.codec.session;

    if (!client->waits_info)
        return LEAT_OK;
    if (!offers_service(session->event.value)) {
        lt_estreamer_offence(&client->peer, "the server does not offer service 6667",
                             "service_type");
        return LEAT_OK;
    }
    client->waits_info = false;
    lt_send_begin(session);
    return lt_send_end(session, put_streaming_request(client));
}

/* A gap costs nothing but a remark: what is missing will not come again. */
static void on_bundle(struct client *client)
{
    leat_event *event = &client->peer.codec.session.event;
    uint32_t number = (uint32_t)leat_value_u64(leat_value_get(event->value, "sequence_number"));

    if (event->error.code != LEAT_OK)
        return;
    if (number != client->sequence_number + 1)
        (void)lt_error(&event->error, LEAT_E_PROTOCOL, event->offset, "a bundle out of sequence",
                       "sequence_number");
    client->sequence_number = number;
}

static int observe(struct client *client)
{
    switch (client->peer.codec.session.event.kind) {
    case LEAT_ESTREAMER_STREAMING_INFORMATION:
        return on_streaming_information(client);
    case LEAT_ESTREAMER_MESSAGE_BUNDLE:
        on_bundle(client);
        return LEAT_OK;
    case LEAT_ESTREAMER_ERROR:
        if (!client->endure_errors)
            client->peer.verdict = LEAT_END;
        return LEAT_OK;
    default:
        return LEAT_OK;
    }
}

/* The octets of the streaming request. */
static size_t streaming_request_bytes(const struct client *client)
{
    size_t count = client->event_type_count;

    if (client->event_types == NULL)
        (void)set_of(lt_estreamer_event_set_total - 1, &count);
    return LT_ESTREAMER_HEADER_BYTES + SERVICE_HEADER + 4 * count + 4;
}

/* Whether the next event has to wait until output is drained, or held events are safe. */
static bool must_wait(const struct client *client)
{
    const leat_session *session = &client->peer.codec.session;
    size_t unsent;

    if (client->peer.verdict != LEAT_OK)
        return false;
    if (client->held_count >= client->held_records)
        return true;
    (void)leat_send_data(session, &unsent);
    return client->waits_info && unsent > 0 &&
           unsent + streaming_request_bytes(client) > session->limits.queued_bytes;
}

static int draw(struct client *client)
{
    leat_session *session = &client->peer.codec.session;
    int status = settle_drawn(client);

    if (status == LEAT_E_LIMIT)
        return LEAT_PAUSED;
    if (status != LEAT_OK)
        return lt_fail(session, status, 0, "out of memory", NULL);
    if (must_wait(client))
        return LEAT_PAUSED;
    if (!reserve_held(client))
        return lt_fail(session, LEAT_E_NOMEM, 0, "out of memory", NULL);
    status = lt_estreamer_peer_next(&client->peer);
    if (status != LEAT_OK)
        return status;
    status = observe(client);
    if (status != LEAT_OK)
        return lt_fail(session, status, 0, "no room for the streaming request", NULL);
    if (client->peer.verdict == LEAT_OK)
        hold(client);
    return LEAT_OK;
}

static int next(leat_session *session)
{
    struct client *client = (struct client *)session;
    struct leat_error refusal = session->send_error;
    int status;

    client->repeat = false;
    status = draw(client);
    session->send_error = refusal; /* what was sent was no command of the caller's */
    return status;
}

/* Sending */

/*
 * Another request takes the place of the one before it. What was written tells what is asked for,
 * whatever form the caller's value had.
 */
static void change_request(struct client *client, size_t start)
{
    const uint8_t *body = client->peer.codec.session.out.data + start + LT_ESTREAMER_HEADER_BYTES;
    size_t i;

    client->initial_timestamp = lt_load_u32be(body);
    client->request_flags = lt_load_u32be(body + 4);
    client->waits_info = (client->request_flags & LEAT_ESTREAMER_FLAG_EXTENDED_REQUEST) != 0;
    if (client->initial_timestamp < client->bookmark.second)
        lt_estreamer_bookmark_move(&client->bookmark, client->initial_timestamp);
    for (i = 0; i < client->held_count; i++) /* they are of the last request */
        client->held[client->held_first + i].second = 0;
}

static int send(leat_session *session, const char *name, const leat_value *value)
{
    struct client *client = (struct client *)session;
    const struct lt_estreamer_message *message =
        name == NULL ? NULL : lt_estreamer_message_named(name);
    size_t start = session->out.length;
    int status;

    if (lt_estreamer_is_over(&client->peer))
        return lt_refuse(session, LEAT_E_STATE, 0, "the conversation is over", NULL);
    if (message == NULL || (message->senders & 1u << LEAT_FROM_CLIENT) == 0)
        return lt_refuse(session, LEAT_E_STATE, 0, "no message of that name from a client", NULL);
    status = lt_estreamer_write(session, message, value, false);
    if (status != LEAT_OK || !lt_estreamer_has_room(session))
        return status;
    if (message->kind == LEAT_ESTREAMER_EVENT_STREAM_REQUEST)
        change_request(client, start);
    else if (message->kind == LEAT_ESTREAMER_STREAMING_REQUEST)
        client->waits_info = false;
    else if (message->kind == LEAT_ESTREAMER_ERROR)
        (void)lt_end(session);
    return LEAT_OK;
}

/* Time */

static uint64_t idle_due(const struct client *client)
{
    return lt_estreamer_due(client->heard_ms, client->idle_ms);
}

static uint64_t deadline(const leat_session *session)
{
    const struct client *client = (const struct client *)session;

    if (client->idle_ms == 0 || lt_estreamer_is_over(&client->peer))
        return UINT64_MAX;
    return client->peer.clocked ? idle_due(client) : 0;
}

/* While it is the caller who has to say what is safe, it is not the server who is silent. */
static void tick(leat_session *session)
{
    struct client *client = (struct client *)session;
    uint64_t octets = session->consumed + lt_unread_bytes(session);

    if (lt_estreamer_first_tick(&client->peer) || octets != client->heard_octets ||
        client->held_count >= client->held_records) {
        client->heard_ms = session->now_ms;
        client->heard_octets = octets;
    } else if (!lt_estreamer_is_over(&client->peer) &&
               lt_estreamer_is_due(session, idle_due(client))) {
        lt_estreamer_give_up(&client->peer, LEAT_E_TIMEOUT, "the server was silent for too long");
    }
}

/* Life */

static void release(leat_session *session)
{
    struct client *client = (struct client *)session;

    lt_free(&session->allocator, client->event_types,
            client->event_type_count * sizeof *client->event_types);
    lt_free(&session->allocator, client->held, client->held_size * sizeof *client->held);
    lt_estreamer_bookmark_free(&client->bookmark);
}

static void trim(leat_session *session)
{
    struct client *client = (struct client *)session;

    lt_estreamer_bookmark_trim(&client->bookmark);
    if (client->held_count > 0)
        return;
    lt_free(&session->allocator, client->held, client->held_size * sizeof *client->held);
    client->held = NULL;
    client->held_size = 0;
}

static size_t memory(const leat_session *session)
{
    const struct client *client = (const struct client *)session;
    size_t types = client->event_types == NULL ? 0 : client->event_type_count;

    return types * sizeof *client->event_types + client->held_size * sizeof *client->held +
           lt_estreamer_bookmark_memory(&client->bookmark);
}

const struct lt_dialect lt_estreamer_client = {.bytes = sizeof(struct client),
                                               .next = next,
                                               .send = send,
                                               .tick = tick,
                                               .deadline = deadline,
                                               .release = release,
                                               .trim = trim,
                                               .memory = memory};

void leat_estreamer_client_options_init(leat_estreamer_client_options *options, size_t size)
{
    const leat_estreamer_client_options initial = {
        .request_flags = LEAT_ESTREAMER_FLAG_PACKETS | LEAT_ESTREAMER_FLAG_IMPACT_ALERTS |
                         LEAT_ESTREAMER_FLAG_INTRUSION | LEAT_ESTREAMER_FLAG_METADATA |
                         LEAT_ESTREAMER_FLAG_EXTENDED_HEADER | LEAT_ESTREAMER_FLAG_EXTRA_DATA |
                         LEAT_ESTREAMER_FLAG_EXTENDED_REQUEST,
        .initial_timestamp = LEAT_ESTREAMER_OLDEST,
        .bookmark_records = 4096,
        .held_records = 65536,
    };

    lt_options_init(options, size, &initial, sizeof initial);
}

/* No types at all stand for the newest ones; 0, 0 would end the list. */
static bool are_event_types(const leat_estreamer_event_type *types, size_t count)
{
    size_t i;

    if ((types == NULL) != (count == 0) || count > EVENT_TYPES_MAX)
        return false;
    for (i = 0; i < count; i++) {
        if (types[i].event_version == 0 && types[i].event_code == 0)
            return false;
    }
    return true;
}

/* What the options say, into a client that has none yet. */
static int configure(struct client *client, const leat_estreamer_client_options *options)
{
    leat_session *session = &client->peer.codec.session;
    size_t count = options->event_type_count;
    int status = LEAT_OK;

    if (!are_event_types(options->event_types, count) || options->held_records == 0)
        return LEAT_E_VALUE;
    client->bookmark.allocator = session->allocator;
    client->bookmark.most = options->bookmark_records;
    client->request_flags = options->request_flags;
    client->initial_timestamp = options->initial_timestamp;
    client->waits_info = (options->request_flags & LEAT_ESTREAMER_FLAG_EXTENDED_REQUEST) != 0;
    client->hold = options->hold != 0;
    client->held_records = options->held_records;
    client->endure_errors = options->endure_errors != 0;
    client->idle_ms = options->idle_ms;
    if (count > 0) {
        client->event_types = (leat_estreamer_event_type *)lt_resize(
            &session->allocator, NULL, 0, count * sizeof *client->event_types);
        if (client->event_types == NULL)
            return LEAT_E_NOMEM;
        client->event_type_count = count;
        memcpy(client->event_types, options->event_types, count * sizeof *client->event_types);
    }
    if (options->bookmark != NULL)
        status = lt_estreamer_bookmark_load(&client->bookmark, options->bookmark,
                                            options->bookmark_length);
    if (client->bookmark.second != 0)
        client->initial_timestamp = client->bookmark.second;
    return status;
}

int leat_estreamer_client_new(const leat_config *config,
                              const leat_estreamer_client_options *options, leat_session **session)
{
    leat_estreamer_client_options settings;
    leat_session *made;
    int status;

    leat_estreamer_client_options_init(&settings, sizeof settings);
    if (!lt_options_read(&settings, sizeof settings, options))
        return LEAT_E_VALUE;
    status = lt_estreamer_codec_new(&lt_estreamer_client, config, LEAT_FROM_SERVER, &made);
    if (status != LEAT_OK)
        return status;
    status = configure((struct client *)made, &settings);
    if (status == LEAT_OK) {
        lt_send_begin(made);
        status = lt_send_end(made, put_event_stream_request((struct client *)made));
    }
    if (status != LEAT_OK) {
        leat_session_free(made);
        return status;
    }
    *session = made;
    return LEAT_OK;
}
