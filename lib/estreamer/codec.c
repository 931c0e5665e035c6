/*
 * Framing, in both directions: the message header, bundles, and nothing that remembers what was
 * said before. Source: spec sections 4, 9.4 and 15.
 */
#include "codec.h"

#include <leat/estreamer.h>

#define MESSAGE_BYTES_MAXIMUM (SIZE_MAX - LT_ESTREAMER_HEADER_BYTES)

void lt_estreamer_put_header(struct lt_writer *out, uint32_t type, size_t length)
{
    lt_put_u16be(out, LT_ESTREAMER_VERSION);
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
    length = session->out.length - start - LT_ESTREAMER_HEADER_BYTES;
    if (length > session->limits.message_bytes || length > UINT32_MAX)
        return lt_refuse(session, LEAT_E_LIMIT, length, "a message over the limit of message_bytes",
                         NULL);
    lt_patch_u32be(&session->out, start + LT_ESTREAMER_LENGTH_OFFSET, (uint32_t)length);
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
    known = item ? type == LT_ESTREAMER_EVENT_DATA_TYPE ||
                       type >> LT_ESTREAMER_ITEM_VERSION_SHIFT == LT_ESTREAMER_VERSION
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
        from == LEAT_FROM_ANY ? 1u << LEAT_FROM_CLIENT | 1u << LEAT_FROM_SERVER : 1u << from;
    *session = made;
    return LEAT_OK;
}

int leat_estreamer_codec_new(const leat_config *config, uint32_t from, leat_session **session)
{
    if (from != LEAT_FROM_ANY && from != LEAT_FROM_CLIENT && from != LEAT_FROM_SERVER)
        return LEAT_E_STATE;
    return lt_estreamer_codec_new(&dialect, config, from, session);
}
