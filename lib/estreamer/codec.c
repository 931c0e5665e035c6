/*
 * Framing, in both directions: the message header, bundles, and nothing that remembers what was
 * said before. Source: spec sections 4, 9.4 and 15.
 */
#include "codec.h"

#include <leat/estreamer.h>

#define VERSION               1u
#define MESSAGE_LENGTH_OFFSET 4u
#define ITEM_VERSION_SHIFT    16u
#define BUNDLE_BYTES          8u /* in front of the items */
#define HEADER_BYTES          LT_ESTREAMER_HEADER_BYTES
#define MESSAGE_BYTES_MAXIMUM (SIZE_MAX - HEADER_BYTES)
#define CLIENT                (1u << LEAT_FROM_CLIENT)
#define SERVER                (1u << LEAT_FROM_SERVER)

/* Receiving */

static struct lt_estreamer_reader start_reader(leat_session *session, const uint8_t *start)
{
    struct lt_estreamer_reader reader = {
        &session->tree, start, (size_t)session->limits.depth, {LEAT_OK, 0, NULL, NULL}};

    return reader;
}

/*
 * The message is read: completes its event. children counts the fields of its value, if status is
 * LEAT_OK.
 */
static int deliver(struct lt_estreamer_codec *codec, leat_event *event,
                   struct lt_estreamer_reader *reader, unsigned senders, int status,
                   uint32_t children)
{
    leat_session *session = &codec->session;

    if (status == LEAT_E_NOMEM)
        return lt_fail(session, status, 0, "out of memory", NULL);
    if (status == LEAT_OK && reader->error.code == LEAT_OK && (senders & codec->senders) == 0)
        (void)lt_error(&reader->error, LEAT_E_PROTOCOL, 0, "a message that this side does not send",
                       "message_type");
    if (status == LEAT_OK) {
        lt_tree_close(&session->tree, 0, children);
        event->value = session->tree.cells;
    }
    event->error = reader->error;
    event->error.offset += event->offset;
    return LEAT_OK;
}

/*
 * A message, or an item of a bundle: raw octets at the start of the unread, the header included.
 * message is NULL if the type is unknown.
 */
static int read_message(struct lt_estreamer_codec *codec,
                        const struct lt_estreamer_message *message, uint32_t type,
                        size_t raw_length)
{
    leat_session *session = &codec->session;
    const uint8_t *raw = lt_unread(session).at;
    struct lt_reader body = lt_reader(raw + HEADER_BYTES, raw_length - HEADER_BYTES);
    struct lt_estreamer_reader reader = start_reader(session, raw);
    leat_event *event =
        lt_event(session, message == NULL ? LEAT_ESTREAMER_UNKNOWN : message->kind,
                 message == NULL ? "unknown" : message->name, raw, raw_length, session->consumed);
    uint32_t children = 0;
    size_t root;
    int status = lt_estreamer_open(&reader, raw, LEAT_RECORD, LT_NO_NAME, 0, &root);

    if (status == LEAT_OK)
        status = message == NULL ? lt_estreamer_read_unknown(&reader, type, body, &children)
                                 : message->read(&reader, body, &children);
    lt_hold(session, raw_length);
    return deliver(codec, event, &reader, message == NULL ? codec->senders : message->senders,
                   status, children);
}

/*
 * The type and the length of an item, of which two forms are read: u32 type, or the header of a
 * message.
 */
static bool read_item_header(struct lt_reader *in, uint32_t *type, uint32_t *length)
{
    struct lt_reader header = *in;
    uint32_t word = lt_u32be(&header);

    *length = lt_u32be(&header);
    *type = word >> ITEM_VERSION_SHIFT == VERSION ? word & UINT16_MAX : word;
    (void)lt_take(&header, *length);
    if (!lt_ok(&header))
        return false;
    *in = header;
    return true;
}

/* Bundles are for event data; whatever else they hold is not a message of its own. */
static const struct lt_estreamer_message *item_message(uint32_t type)
{
    return type == LT_ESTREAMER_EVENT_DATA_TYPE ? lt_estreamer_message_of_type(type) : NULL;
}

static int next_item(struct lt_estreamer_codec *codec)
{
    leat_session *session = &codec->session;
    struct lt_reader in = lt_reader(lt_unread(session).at, codec->bundle);
    size_t rest = codec->bundle;
    uint32_t type, length;
    leat_event *event;

    if (read_item_header(&in, &type, &length)) {
        codec->bundle = lt_left(&in);
        return read_message(codec, item_message(type), type, rest - codec->bundle);
    }
    codec->bundle = 0;
    event = lt_event(session, LEAT_ESTREAMER_UNKNOWN, "unknown", lt_unread(session).at, rest,
                     session->consumed);
    (void)lt_error(&event->error, LEAT_E_SYNTAX, session->consumed,
                   "an item does not fit into its bundle", "message_length");
    lt_hold(session, rest);
    return LEAT_OK;
}

static uint32_t count_items(struct lt_reader in)
{
    uint32_t type, length;
    uint32_t items = 0;

    while (lt_left(&in) > 0 && read_item_header(&in, &type, &length))
        items++;
    return items;
}

static int begin_bundle(struct lt_estreamer_codec *codec, size_t raw_length)
{
    leat_session *session = &codec->session;
    const uint8_t *raw = lt_unread(session).at;
    struct lt_reader in = lt_reader(raw + HEADER_BYTES, raw_length - HEADER_BYTES);
    struct lt_estreamer_reader reader = start_reader(session, raw);
    leat_event *event = lt_event(session, LEAT_ESTREAMER_MESSAGE_BUNDLE, "message_bundle", raw,
                                 raw_length, session->consumed);
    uint32_t connection = lt_u32be(&in);
    uint32_t sequence = lt_u32be(&in);
    uint32_t children = 0;
    size_t root;
    int status;

    if (!lt_ok(&in)) {
        lt_hold(session, raw_length);
        status = lt_estreamer_malformed(&reader, raw + HEADER_BYTES, "shorter than a bundle", NULL);
        return deliver(codec, event, &reader, SERVER, status, 0);
    }
    event->raw_length = raw_length - lt_left(&in);
    codec->bundle = lt_left(&in);
    lt_hold(session, event->raw_length);
    status = lt_estreamer_open(&reader, raw, LEAT_RECORD, LT_NO_NAME, 0, &root);
    if (status == LEAT_OK)
        status = lt_estreamer_read_number(&reader, raw, LEAT_UINT, LT_NAME("connection_id"),
                                          connection, &children);
    if (status == LEAT_OK)
        status = lt_estreamer_read_number(&reader, raw, LEAT_UINT, LT_NAME("sequence_number"),
                                          sequence, &children);
    if (status == LEAT_OK)
        status = lt_estreamer_read_number(&reader, raw, LEAT_UINT, LT_NAME("items"),
                                          count_items(in), &children);
    return deliver(codec, event, &reader, SERVER, status, children);
}

/* The stream ended inside a bundle: the items that are whole are told all the same. */
static bool is_cut_bundle(const leat_session *session, uint16_t type, size_t left)
{
    return session->eof && type == LT_ESTREAMER_MESSAGE_BUNDLE_TYPE && left >= BUNDLE_BYTES;
}

int lt_estreamer_next(leat_session *session)
{
    struct lt_estreamer_codec *codec = (struct lt_estreamer_codec *)session;
    struct lt_reader in = lt_unread(session);
    uint16_t version, type;
    uint32_t length;

    if (codec->bundle > 0)
        return next_item(codec);
    if (lt_left(&in) < HEADER_BYTES)
        return lt_need(session, HEADER_BYTES);
    version = lt_u16be(&in);
    type = lt_u16be(&in);
    length = lt_u32be(&in);
    if (version != VERSION)
        return lt_fail(session, LEAT_E_FRAME, 0, "not a message of version 1", "version");
    if (length > session->limits.message_bytes)
        return lt_fail(session, LEAT_E_LIMIT, MESSAGE_LENGTH_OFFSET,
                       "a message over the limit of message_bytes", "message_length");
    if (lt_left(&in) < length) {
        if (!is_cut_bundle(session, type, lt_left(&in)))
            return lt_need(session, HEADER_BYTES + (size_t)length);
        session->inside = true; /* so that its end is not taken for the end of a message */
        length = (uint32_t)lt_left(&in);
    }
    if (type == LT_ESTREAMER_MESSAGE_BUNDLE_TYPE)
        return begin_bundle(codec, HEADER_BYTES + (size_t)length);
    return read_message(codec, lt_estreamer_message_of_type(type), type,
                        HEADER_BYTES + (size_t)length);
}

/* Sending */

void lt_estreamer_put_header(struct lt_writer *out, uint32_t type, size_t length)
{
    lt_put_u16be(out, VERSION);
    lt_put_u16be(out, (uint16_t)type);
    lt_put_u32be(out, (uint32_t)length);
}

size_t lt_estreamer_begin(leat_session *session, uint32_t type)
{
    size_t start = session->out.length;

    lt_estreamer_put_header(&session->out, type, 0);
    return start;
}

size_t lt_estreamer_begin_item(leat_session *session, uint32_t type)
{
    size_t start = session->out.length;

    lt_put_u32be(&session->out, type);
    lt_put_u32be(&session->out, 0);
    return start;
}

int lt_estreamer_finish(leat_session *session, size_t start)
{
    size_t length;

    if (!lt_estreamer_has_room(session))
        return LEAT_OK;
    length = session->out.length - start - HEADER_BYTES;
    if (length > session->limits.message_bytes || length > UINT32_MAX)
        return lt_refuse(session, LEAT_E_LIMIT, length, "a message over the limit of message_bytes",
                         NULL);
    lt_patch_u32be(&session->out, start + MESSAGE_LENGTH_OFFSET, (uint32_t)length);
    return LEAT_OK;
}

struct lt_estreamer_writer lt_estreamer_field_writer(leat_session *session)
{
    struct lt_estreamer_writer writer = {&session->out, session->out.length,
                                         (size_t)session->limits.depth, &session->send_error};

    return writer;
}

int lt_estreamer_write(leat_session *session, const struct lt_estreamer_message *message,
                       const leat_value *value, bool item)
{
    struct lt_estreamer_writer writer = lt_estreamer_field_writer(session);
    struct lt_estreamer_fields fields;
    int status = lt_estreamer_fields(&writer, value, NULL, &fields);
    size_t start;

    if (status != LEAT_OK)
        return status;
    start = item ? lt_estreamer_begin_item(session, message->type)
                 : lt_estreamer_begin(session, message->type);
    status = message->write(&writer, &fields);
    return status != LEAT_OK ? status : lt_estreamer_finish(session, start);
}

/*
 * An unknown message has a type of its own, which must not be one that is known. In a bundle it has
 * 32 bits, but then must not look like the other form of an item.
 */
static int write_unknown(leat_session *session, const leat_value *value, bool item)
{
    struct lt_estreamer_writer writer = lt_estreamer_field_writer(session);
    struct lt_estreamer_fields fields;
    uint64_t type = 0;
    size_t start;
    bool known;
    int status = lt_estreamer_fields(&writer, value, NULL, &fields);

    if (status == LEAT_OK)
        status = lt_estreamer_number(&writer, lt_estreamer_take(&fields, LT_NAME("message_type")),
                                     "message_type", item ? UINT32_MAX : UINT16_MAX, &type);
    if (status != LEAT_OK)
        return status;
    known = item ? type == LT_ESTREAMER_EVENT_DATA_TYPE || type >> ITEM_VERSION_SHIFT == VERSION
                 : type == LT_ESTREAMER_MESSAGE_BUNDLE_TYPE ||
                       lt_estreamer_message_of_type((uint32_t)type) != NULL;
    if (known)
        return lt_estreamer_refuse(&writer, "not the type of an unknown message", "message_type");
    start = item ? lt_estreamer_begin_item(session, (uint32_t)type)
                 : lt_estreamer_begin(session, (uint32_t)type);
    status =
        lt_estreamer_put_octets(&writer, LEAT_BYTES, lt_estreamer_take(&fields, LT_DATA), "data");
    if (status == LEAT_OK)
        status = lt_estreamer_fields_end(&writer, &fields);
    return status != LEAT_OK ? status : lt_estreamer_finish(session, start);
}

/*
 * An item of the bundle that is open, whose octets are held back until the last item is there. What
 * has been written of it is a sound bundle at any time; so when it cannot grow any further, it ends
 * there.
 */
static int send_item(struct lt_estreamer_codec *codec, const char *name, const leat_value *value)
{
    leat_session *session = &codec->session;
    const struct lt_estreamer_message *message = lt_estreamer_message_named(name);
    size_t bundle = session->out.length - session->hold_back;
    int status;

    if (strcmp(name, "unknown") == 0)
        status = write_unknown(session, value, true);
    else if (message != NULL && message->type == LT_ESTREAMER_EVENT_DATA_TYPE)
        status = lt_estreamer_write(session, message, value, true);
    else
        return lt_refuse(session, LEAT_E_STATE, 0, "a bundle is open that lacks items", NULL);
    if (status == LEAT_OK)
        status = lt_estreamer_finish(session, bundle);
    if (status == LEAT_E_LIMIT || (status == LEAT_OK && !lt_estreamer_has_room(session) &&
                                   session->out.status != LEAT_E_NOMEM)) {
        codec->open_items = 0;
        session->send_hold = 0;
        return status;
    }
    if (status == LEAT_OK && lt_estreamer_has_room(session)) {
        codec->open_items--;
        session->hold_back = codec->open_items == 0 ? 0 : session->out.length - bundle;
    }
    return status;
}

static int send_bundle(struct lt_estreamer_codec *codec, const leat_value *value)
{
    leat_session *session = &codec->session;
    const struct lt_estreamer_message *event_data =
        lt_estreamer_message_of_type(LT_ESTREAMER_EVENT_DATA_TYPE);
    struct lt_estreamer_writer writer = lt_estreamer_field_writer(session);
    struct lt_estreamer_fields fields;
    const leat_value *items, *item;
    uint64_t connection = 0, sequence = 0, count = 0;
    size_t start;
    int status = lt_estreamer_fields(&writer, value, NULL, &fields);

    if (status == LEAT_OK)
        status = lt_estreamer_number(&writer, lt_estreamer_take(&fields, LT_NAME("connection_id")),
                                     "connection_id", UINT32_MAX, &connection);
    if (status == LEAT_OK)
        status =
            lt_estreamer_number(&writer, lt_estreamer_take(&fields, LT_NAME("sequence_number")),
                                "sequence_number", UINT32_MAX, &sequence);
    items = lt_estreamer_take(&fields, LT_NAME("items"));
    if (status == LEAT_OK && leat_value_kind(items) != LEAT_LIST)
        status = lt_estreamer_number(&writer, items, "items", UINT32_MAX, &count);
    if (status == LEAT_OK)
        status = lt_estreamer_fields_end(&writer, &fields);
    if (status != LEAT_OK)
        return status;
    start = lt_estreamer_begin(session, LT_ESTREAMER_MESSAGE_BUNDLE_TYPE);
    lt_put_u32be(&session->out, (uint32_t)connection);
    lt_put_u32be(&session->out, (uint32_t)sequence);
    for (item = leat_value_first(items); status == LEAT_OK && item != NULL;
         item = leat_value_next(items, item))
        status = lt_estreamer_write(session, event_data, item, true);
    if (status == LEAT_OK)
        status = lt_estreamer_finish(session, start);
    if (status == LEAT_OK && count > 0 && lt_estreamer_has_room(session)) {
        codec->open_items = (uint32_t)count;
        session->hold_back = session->out.length - start;
    }
    return status;
}

static int send(leat_session *session, const char *name, const leat_value *value)
{
    struct lt_estreamer_codec *codec = (struct lt_estreamer_codec *)session;
    const struct lt_estreamer_message *message;

    if (name == NULL)
        return lt_refuse(session, LEAT_E_STATE, 0, "no name", NULL);
    if (codec->open_items > 0)
        return send_item(codec, name, value);
    if (strcmp(name, "message_bundle") == 0)
        return send_bundle(codec, value);
    if (strcmp(name, "unknown") == 0)
        return write_unknown(session, value, false);
    message = lt_estreamer_message_named(name);
    if (message == NULL)
        return lt_refuse(session, LEAT_E_STATE, 0, "no message of that name", NULL);
    return lt_estreamer_write(session, message, value, false);
}

static const struct lt_dialect dialect = {
    .bytes = sizeof(struct lt_estreamer_codec), .next = lt_estreamer_next, .send = send};

static const leat_limits defaults = {.size = sizeof defaults,
                                     .message_bytes = UINT64_C(16) << 20,
                                     .values = UINT64_C(1) << 20,
                                     .depth = 32,
                                     .queued_bytes = UINT64_C(64) << 20};

int lt_estreamer_codec_new(const struct lt_dialect *of, const leat_config *config, uint32_t from,
                           leat_session **session)
{
    leat_session *made;
    int status = lt_session_new(of, config, &defaults, &made);

    if (status != LEAT_OK)
        return status;
    /* So that no length overflows where size_t has 32 bits. */
    if (made->limits.message_bytes > MESSAGE_BYTES_MAXIMUM)
        made->limits.message_bytes = MESSAGE_BYTES_MAXIMUM;
    ((struct lt_estreamer_codec *)made)->senders =
        from == LEAT_FROM_ANY ? CLIENT | SERVER : 1u << from;
    *session = made;
    return LEAT_OK;
}

int leat_estreamer_codec_new(const leat_config *config, uint32_t from, leat_session **session)
{
    if (from != LEAT_FROM_ANY && from != LEAT_FROM_CLIENT && from != LEAT_FROM_SERVER)
        return LEAT_E_STATE;
    return lt_estreamer_codec_new(&dialect, config, from, session);
}
