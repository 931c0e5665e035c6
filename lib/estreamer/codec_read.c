/* Framing: what is received. Source: spec sections 4, 9.4 and 15. */
#include "codec.h"

#include <leat/estreamer.h>

#define BUNDLE_BYTES 8u /* in front of the items */

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
    struct lt_reader body =
        lt_reader(raw + LT_ESTREAMER_HEADER_BYTES, raw_length - LT_ESTREAMER_HEADER_BYTES);
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
    *type =
        word >> LT_ESTREAMER_ITEM_VERSION_SHIFT == LT_ESTREAMER_VERSION ? word & UINT16_MAX : word;
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
    struct lt_reader in =
        lt_reader(raw + LT_ESTREAMER_HEADER_BYTES, raw_length - LT_ESTREAMER_HEADER_BYTES);
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
        status = lt_estreamer_malformed(&reader, raw + LT_ESTREAMER_HEADER_BYTES,
                                        "shorter than a bundle", NULL);
        return deliver(codec, event, &reader, 1u << LEAT_FROM_SERVER, status, 0);
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
    return deliver(codec, event, &reader, 1u << LEAT_FROM_SERVER, status, children);
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
    if (lt_left(&in) < LT_ESTREAMER_HEADER_BYTES)
        return lt_need(session, LT_ESTREAMER_HEADER_BYTES);
    version = lt_u16be(&in);
    type = lt_u16be(&in);
    length = lt_u32be(&in);
    if (version != LT_ESTREAMER_VERSION)
        return lt_fail(session, LEAT_E_FRAME, 0, "not a message of version 1", "version");
    if (length > session->limits.message_bytes)
        return lt_fail(session, LEAT_E_LIMIT, LT_ESTREAMER_LENGTH_OFFSET,
                       "a message over the limit of message_bytes", "message_length");
    if (lt_left(&in) < length) {
        if (!is_cut_bundle(session, type, lt_left(&in)))
            return lt_need(session, LT_ESTREAMER_HEADER_BYTES + (size_t)length);
        session->inside = true; /* so that its end is not taken for the end of a message */
        length = (uint32_t)lt_left(&in);
    }
    if (type == LT_ESTREAMER_MESSAGE_BUNDLE_TYPE)
        return begin_bundle(codec, LT_ESTREAMER_HEADER_BYTES + (size_t)length);
    return read_message(codec, lt_estreamer_message_of_type(type), type,
                        LT_ESTREAMER_HEADER_BYTES + (size_t)length);
}
