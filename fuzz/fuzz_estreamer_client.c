/*
 * A client's session, by script: what the server says, in sound messages or not, and what the caller
 * does meanwhile. However the server's octets are cut, the same is told and said; no null is said
 * too early or too late; and a bookmark resumes where it was taken.
 */
#include "estreamer_live.h"

#define MESSAGES 4096

/* A record that was told. */
struct record {
    size_t at; /* in the log */
    size_t length;
    uint64_t offset;
    uint32_t second;
    bool met; /* it is not remembered, or came again */
};

/* The last event of a message that was told. */
struct end {
    uint64_t offset;
    bool empty;
};

struct client {
    struct live live;
    leat_estreamer_client_options options;
    uint64_t message_end; /* of the message that is being told */
    uint64_t last;        /* offset of the last event */
    size_t nulls;         /* that were said */
    size_t null_commands;
    bool waits;     /* its request is for an extended session, and not complete */
    bool asks;      /* the caller has just sent a streaming request */
    bool is_narrow; /* little output may wait */
    size_t owed;    /* of the messages below, so many are safe */
    struct end ends[MESSAGES];
    size_t messages;        /* whole ones */
    size_t events;          /* of any kind */
    struct record *records; /* events with an archive timestamp */
    size_t record_count;
    size_t safe;                /* so many of them are */
    uint32_t second;            /* of the bookmark */
    size_t remembered;          /* records of that second */
    uint32_t initial_timestamp; /* of the last request */
    struct text log;
    bool vague; /* too much for the arrays, or it cannot be seen whether a message ended it */
};

/* The bookmark moves to another second, of which no record is remembered yet. */
static void move_bookmark(struct client *client, uint32_t second)
{
    size_t i;

    client->second = second;
    client->remembered = 0;
    for (i = 0; i < client->record_count; i++)
        client->records[i].met = true;
}

/* What it says. Unless the caller says so, a streaming request is said once for each other one. */
static void listen_to(struct client *client)
{
    const leat_event *event;

    while ((event = next_said(&client->live)) != NULL) {
        must(leat_event_error(event) == NULL);
        switch (leat_event_kind(event)) {
        case LEAT_ESTREAMER_NULL:
            client->nulls++;
            break;
        case LEAT_ESTREAMER_EVENT_STREAM_REQUEST:
            client->initial_timestamp = (uint32_t)leat_value_u64(
                leat_value_get(leat_event_value(event), "initial_timestamp"));
            if (client->initial_timestamp < client->second)
                move_bookmark(client, client->initial_timestamp);
            client->safe = client->record_count; /* they are of the last request */
            client->waits =
                (leat_value_u64(leat_value_get(leat_event_value(event), "request_flags")) &
                 LEAT_ESTREAMER_FLAG_EXTENDED_REQUEST) != 0;
            break;
        case LEAT_ESTREAMER_STREAMING_REQUEST:
            must(client->waits || client->asks);
            client->waits = client->asks = false;
            break;
        default:
            break;
        }
    }
}

/*
 * Every message that is safe was acknowledged, and no other; behind what the caller says is safe,
 * what is empty as far as there is room.
 */
static void check_nulls(const struct client *client)
{
    size_t most = client->owed + client->null_commands;

    must(client->vague || client->nulls == most || (client->is_narrow && client->nulls < most));
}

/* All events up to there are safe. */
static void make_safe(struct client *client, uint64_t offset)
{
    for (; client->safe < client->record_count; client->safe++) {
        struct record *record = &client->records[client->safe];

        if (record->offset > offset)
            break;
        if (record->second != client->second)
            move_bookmark(client, record->second);
        record->met = client->remembered == client->options.bookmark_records;
        client->remembered += !record->met;
    }
}

/* How many messages are owed a null once the event there was given back. */
static size_t count_owed(const struct client *client, uint64_t offset)
{
    size_t owed = client->owed;

    while (owed < client->messages && client->ends[owed].offset <= offset &&
           (client->ends[owed].empty || !client->options.hold))
        owed++;
    return owed;
}

static void log_record(struct client *client, const leat_event *event)
{
    struct record *record = &client->records[client->record_count];
    uint32_t second =
        (uint32_t)leat_value_u64(leat_value_get(leat_event_value(event), "archive_timestamp"));
    size_t length;
    const uint8_t *raw = (const uint8_t *)leat_event_raw(event, &length);

    if (second == 0 || second == LEAT_ESTREAMER_NOW)
        return;
    if (client->record_count == MESSAGES ||
        length > sizeof client->log.octets - client->log.length) {
        client->vague = true;
        return;
    }
    record->at = client->log.length;
    record->length = length - 8;
    record->offset = leat_event_offset(event);
    record->second = second;
    record->met = true;
    memcpy(client->log.octets + record->at, raw + 8, record->length);
    client->log.length += record->length;
    client->record_count++;
}

static uint64_t load(const uint8_t *octets)
{
    return (uint64_t)octets[0] << 24 | (uint64_t)octets[1] << 16 | (uint64_t)octets[2] << 8 |
           octets[3];
}

/* Whether the session ends with this event, which then is owed nothing. */
static bool is_last(struct client *client, const leat_event *event)
{
    int error = leat_error_code(leat_event_error(event));

    if (leat_event_kind(event) == LEAT_ESTREAMER_STREAMING_INFORMATION && error == LEAT_E_SYNTAX)
        client->vague = true;
    return (leat_event_kind(event) == LEAT_ESTREAMER_ERROR && !client->options.endure_errors) ||
           (leat_event_kind(event) == LEAT_ESTREAMER_STREAMING_INFORMATION &&
            error == LEAT_E_PROTOCOL);
}

/* What is acknowledged without the caller's word. */
static bool is_empty(const leat_event *event)
{
    return leat_event_kind(event) == LEAT_ESTREAMER_NULL ||
           leat_event_kind(event) == LEAT_ESTREAMER_STREAMING_INFORMATION;
}

static void note(struct client *client, const leat_event *event)
{
    uint64_t offset = leat_event_offset(event);
    size_t length;
    const uint8_t *raw = (const uint8_t *)leat_event_raw(event, &length);

    tell_event(&client->live.told, event);
    must(leat_estreamer_is_repeat(client->live.session) == 0);
    must(client->events == 0 || offset > client->last);
    client->events++;
    client->last = offset;
    if (offset >= client->message_end)
        client->message_end = offset + 8 + load(raw + 4);
    if (is_last(client, event))
        return;
    if (leat_event_kind(event) == LEAT_ESTREAMER_EVENT_DATA)
        log_record(client, event);
    if (offset + length == client->message_end && client->messages == MESSAGES)
        client->vague = true;
    else if (offset + length == client->message_end)
        client->ends[client->messages++] = (struct end){offset, is_empty(event)};
}

/* Draws all events. The last one is given back when the next is asked for, unless output is full. */
static void draw(struct client *client)
{
    struct live *live = &client->live;
    const leat_event *event;

    do {
        uint64_t last = client->last;
        size_t owed = is_over(live) ? client->owed : count_owed(client, last);

        live->status = leat_next(live->session, &event);
        client->vague = client->vague || live->status == LEAT_E_NOMEM;
        listen_to(client);
        if (live->status != LEAT_PAUSED || client->nulls == owed + client->null_commands) {
            client->owed = owed;
            if (!client->options.hold)
                make_safe(client, last);
        }
        check_nulls(client);
        if (live->status == LEAT_OK)
            note(client, event);
    } while (live->status == LEAT_OK);
    must(live->status != LEAT_PAUSED || (leat_wants(live->session) & LEAT_WANT_READ) == 0);
}

static void hear(struct client *client, const uint8_t *data, size_t size)
{
    size_t piece;

    for (; size > 0 && (piece = feed_piece(&client->live, data, size)) > 0; size -= piece) {
        data += piece;
        draw(client);
    }
}

static void hear_text(struct client *client, const struct text *text)
{
    hear(client, text->octets, text->length);
}

static void acknowledge(struct client *client, struct input *input)
{
    uint64_t offset = UINT64_MAX;
    bool over = is_over(&client->live);
    int status;

    switch (take(input) % 4u) {
    case 0:
        offset = client->last;
        break;
    case 1:
        offset = client->last - take(input) % (client->last + 1);
        break;
    case 2:
        offset = take(input);
        break;
    default:
        break;
    }
    status = leat_estreamer_acknowledge(client->live.session, offset);
    must(status == LEAT_OK || status == LEAT_E_LIMIT || status == LEAT_E_NOMEM);
    tell_number(&client->live.told, (uint64_t)(int64_t)status);
    if (status != LEAT_OK || client->events == 0)
        return;
    offset = offset < client->last ? offset : client->last;
    make_safe(client, offset);
    while (!over && client->owed < client->messages &&
           (client->ends[client->owed].offset <= offset || client->ends[client->owed].empty))
        client->owed++;
}

/* Bookmarks */

static leat_buffer *take_bookmark(leat_session *session, const uint8_t **data, size_t *length)
{
    leat_buffer *buffer;

    must(leat_buffer_new(NULL, &buffer) == LEAT_OK &&
         leat_estreamer_bookmark(session, buffer) == LEAT_OK);
    *data = (const uint8_t *)leat_buffer_data(buffer, length);
    return buffer;
}

static bool is_bookmark(leat_session *session, const uint8_t *data, size_t length)
{
    size_t taken_length;
    const uint8_t *taken;
    leat_buffer *buffer = take_bookmark(session, &taken, &taken_length);
    bool same = taken_length == length && memcmp(taken, data, length) == 0;

    leat_buffer_free(buffer);
    return same;
}

/*
 * The second of the bookmark: no later than any that is not safe, of which nothing is remembered
 * then.
 */
static uint32_t remember(const struct client *client, bool *met)
{
    uint32_t second = client->second;
    size_t i;

    if (second == 0 && client->initial_timestamp == LEAT_ESTREAMER_NOW)
        second = LEAT_ESTREAMER_NOW;
    for (i = client->safe; i < client->record_count; i++) {
        if (client->records[i].second < second)
            second = client->records[i].second;
    }
    for (i = 0; i < client->record_count; i++)
        met[i] = client->records[i].met || second != client->second;
    return second == LEAT_ESTREAMER_NOW ? 0 : second;
}

/* Whether a record with the same octets is remembered; each that is counts once. */
static bool meet(const struct client *client, bool *met, const struct record *again)
{
    size_t i;

    for (i = 0; i < client->record_count; i++) {
        const struct record *record = &client->records[i];

        if (!met[i] && record->length == again->length &&
            memcmp(client->log.octets + record->at, client->log.octets + again->at,
                   record->length) == 0) {
            met[i] = true;
            return true;
        }
    }
    return false;
}

/* The server sends the whole second again, and what is remembered is recognised. */
static bool repeat_second(const struct client *client, bool *met, leat_session *resumed,
                          uint32_t second)
{
    static struct text text;
    const leat_event *event;
    bool all = true;
    size_t i;

    for (i = 0; i < client->record_count; i++) {
        const struct record *record = &client->records[i];
        bool known;

        if (record->second != second)
            continue;
        text.length = 0;
        put(&text, 0x00010004, 4);
        put(&text, (uint32_t)record->length, 4);
        must(leat_feed(resumed, text.octets, 8) == LEAT_OK);
        must(leat_feed(resumed, client->log.octets + record->at, record->length) == LEAT_OK);
        must(leat_next(resumed, &event) == LEAT_OK);
        known = meet(client, met, record);
        all = all && known;
        must(leat_estreamer_is_repeat(resumed) == (int)known);
        must(leat_next(resumed, &event) == LEAT_MORE);
    }
    return all;
}

/* A bookmark loads and says the same again; any change of it is found out. */
static void check_bookmark(const struct client *client, struct input *input)
{
    leat_estreamer_client_options options = client->options;
    bool met[MESSAGES];
    uint32_t second = remember(client, met);
    const uint8_t *data, *output;
    leat_session *resumed;
    size_t length, output_length;
    leat_buffer *bookmark = take_bookmark(client->live.session, &data, &length);
    uint8_t *other = (uint8_t *)malloc(length);

    must(other != NULL);
    options.bookmark = memcpy(other, data, length);
    options.bookmark_length = length;
    options.hold = 0;
    must(leat_estreamer_client_new(NULL, &options, &resumed) == LEAT_OK);
    must(is_bookmark(resumed, data, length));
    output = (const uint8_t *)leat_send_data(resumed, &output_length);
    must(output_length == 16);
    must(client->vague ||
         load(output + 8) == (second != 0 ? second : client->options.initial_timestamp));
    if (!client->vague && second != 0 && repeat_second(client, met, resumed, second))
        must(is_bookmark(resumed, data, length));
    leat_session_free(resumed);
    other[take(input) % length] ^= (uint8_t)(1u << take(input) % 8u);
    must(leat_estreamer_client_new(NULL, &options, &resumed) == LEAT_E_VALUE);
    free(other);
    leat_buffer_free(bookmark);
}

/* Scripts */

static void configure_client(leat_estreamer_client_options *options, struct input *input)
{
    static const uint32_t counts[] = {65536, 1, 2, 5};
    static const leat_estreamer_event_type types[] = {{12, 400}, {4, 21}};
    unsigned how = take(input), counted = take(input);

    leat_estreamer_client_options_init(options, sizeof *options);
    options->hold = how & 1u;
    options->endure_errors = how >> 1 & 1u;
    if ((how & 4u) != 0)
        options->request_flags &= ~LEAT_ESTREAMER_FLAG_EXTENDED_REQUEST;
    if ((how & 8u) != 0)
        options->idle_ms = 1000;
    if ((how & 16u) != 0) {
        options->event_types = types;
        options->event_type_count = sizeof types / sizeof *types;
    }
    options->held_records = counts[counted % 4u];
    options->bookmark_records = counted / 4 % 4u == 0 ? 4096 : counted / 4 % 4u - 1;
    options->initial_timestamp = counted;
}

static void play(struct client *client, struct input *input)
{
    static const uint32_t types[] = {4, 0, 1, 4002, 4, 4002, 7, 6, 2051, 2, 99};
    static const struct command commands[] = {
        {"null", "null"},
        {"event_stream_request", "{\"request_flags\":1073741824}"},
        {"event_stream_request", "{\"initial_timestamp\":7,\"request_flags\":8388673}"},
        {"streaming_request", "{\"services\":[{\"service_type\":6667,\"event_types\":"
                              "[{\"event_version\":9,\"event_code\":12}]}]}"},
        {"host_data_request", "{\"data_type\":1}"},
        {"event_data", "{}"},
        {"nonsense", "{}"},
        {"error", "{\"error_code\":-1,\"text\":\"enough\"}"},
    };
    static struct text text;
    struct live *live = &client->live;
    const char *name;

    text.length = 0;
    switch (take(input) % 12u) {
    case 0:
    case 1:
        put_message(&text, types[take(input) % (sizeof types / sizeof *types)], input);
        hear_text(client, &text);
        break;
    case 2:
        put_octets(&text, input, take_length(input));
        hear_text(client, &text);
        break;
    case 3: /* one service, ours or another one */
        put(&text, 0x00010803, 4);
        put(&text, 16, 4);
        put(&text, 6667 + take(input) / 200u, 4);
        put(&text, 8, 4);
        put(&text, 0, 4);
        put(&text, 0, 4);
        hear_text(client, &text);
        break;
    case 4:
        acknowledge(client, input);
        break;
    case 5:
        if (send_command(live, commands, sizeof commands / sizeof *commands, input, &name) !=
            LEAT_OK)
            break;
        client->null_commands += strcmp(name, "null") == 0;
        client->asks = strcmp(name, "streaming_request") == 0;
        break;
    case 6:
        take_output(live, take_length(input));
        draw(client);
        break;
    case 7:
        pass_time(live, take(input));
        break;
    case 8:
        check_bookmark(client, input);
        break;
    case 9:
        leat_session_trim(live->session);
        break;
    case 10:
        tell_number(&live->told, (uint64_t)(int64_t)leat_estreamer_close(
                                     live->session, -1, take(input) % 2u == 0 ? NULL : "bye"));
        break;
    default:
        if (take(input) % 4u == 0) {
            live->eof = leat_recv_eof(live->session) == LEAT_OK;
            draw(client);
        }
        break;
    }
    listen_to(client);
    check_nulls(client);
    check_live(live);
}

static uint64_t run(struct input input, struct manner manner)
{
    static const size_t queued[] = {1 << 20, 100, 300, 40};
    static struct record records[MESSAGES];
    static struct client client;
    struct settings settings;
    int status;

    client.message_end = client.last = 0;
    client.nulls = client.null_commands = client.owed = client.messages = client.events = 0;
    client.records = records;
    client.record_count = client.log.length = client.safe = client.remembered = 0;
    client.second = 0;
    client.vague = client.waits = client.asks = false;
    start_live(&client.live, manner, LEAT_FROM_CLIENT);
    configure(&client.live, &settings, 1 << 14, queued[take(&input) % 4u], 2000);
    client.is_narrow = settings.limits.queued_bytes < queued[0];
    configure_client(&client.options, &input);
    status = leat_estreamer_client_new(&settings.config, &client.options, &client.live.session);
    must(status == LEAT_OK || (manner.good != ALWAYS && status == LEAT_E_NOMEM));
    if (status != LEAT_OK) {
        client.live.session = NULL;
        return end_live(&client.live);
    }
    listen_to(&client);
    while (input.left > 0)
        play(&client, &input);
    return end_live(&client.live);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_script(run, data, size);
    return 0;
}
