#include "../core/session.h"
#include "message.h"

#include <leat/broker.h>

static const leat_limits defaults = LT_BROKER_LIMITS;

#define LENGTH_BYTES 4u

enum phase {
    UNDECIDED, /* the next frame tells; with LEAT_FROM_ANY until an envelope must come */
    HANDSHAKE,
    PEERED,
};

struct codec {
    leat_session session;
    uint32_t from;
    enum phase phase;
};

/* Whether the frame is of the handshake; the whole body is there. */
static bool is_handshake(const struct codec *codec, const uint8_t *body, size_t length)
{
    if (codec->phase == HANDSHAKE)
        return true;
    if (codec->phase == PEERED && codec->from != LEAT_FROM_ANY)
        return false;
    if (codec->phase == UNDECIDED && length > codec->session.limits.handshake_bytes)
        return false; /* see check_length() */
    /* What is neither is judged as what was to be expected. */
    return lt_broker_is_handshake(body, length) ||
           (codec->phase == UNDECIDED && !lt_broker_is_envelope(body, length));
}

/* Checks the length of the frame at the start of the unread against the limits. */
static int check_length(struct codec *codec, size_t length)
{
    leat_session *session = &codec->session;
    size_t seen = length < LT_BROKER_ENVELOPE_BYTES ? length : LT_BROKER_ENVELOPE_BYTES;
    const uint8_t *body = session->window + session->start + LENGTH_BYTES;

    if (length == 0)
        return lt_fail(session, LEAT_E_PROTOCOL, 0, "an empty frame in the handshake", "length");
    if (length > LT_BROKER_FRAME_MAX || length > session->limits.message_bytes ||
        (codec->phase == HANDSHAKE && length > session->limits.handshake_bytes))
        return lt_fail(session, LEAT_E_LIMIT, 0, "a frame over the limit", "length");
    if (codec->phase != UNDECIDED || length <= session->limits.handshake_bytes)
        return LEAT_OK;
    /* Too long for the handshake: it is waited for only if it is something else. */
    if (lt_unread_bytes(session) < LENGTH_BYTES + seen)
        return lt_need(session, LENGTH_BYTES + seen);
    if (!lt_broker_is_envelope(body, length))
        return lt_fail(session, LEAT_E_LIMIT, 0, "a frame over the limit", "length");
    return LEAT_OK;
}

/* A frame of the handshake: malformed, it ends the session. */
static int next_handshake(struct codec *codec, struct lt_reader body)
{
    leat_session *session = &codec->session;
    const struct lt_broker_message *message = lt_broker_message(*body.at);
    size_t length = lt_left(&body);
    struct leat_error error = {0};
    leat_event *event;

    if (message == NULL || message->type < LT_BROKER_HELLO)
        return lt_fail(session, LEAT_E_PROTOCOL, LENGTH_BYTES, "unknown type of message", "type");
    if (lt_broker_read_message(message, body, &session->tree, (size_t)session->limits.depth,
                               &error) != LEAT_OK)
        return lt_fail(session, error.code, LENGTH_BYTES + (size_t)error.offset, error.text,
                       error.field);
    if (message->type >= LT_BROKER_RESPONDER_SYN_ACK)
        codec->phase = PEERED;
    else if (codec->phase == UNDECIDED && codec->from != LEAT_FROM_ANY)
        codec->phase = HANDSHAKE;
    event = lt_event(session, message->kind, message->name, body.at - LENGTH_BYTES,
                     LENGTH_BYTES + length, session->consumed);
    event->value = session->tree.cells;
    lt_hold(session, LENGTH_BYTES + length);
    return LEAT_OK;
}

/* An envelope: malformed, it is an event with an error. */
static int next_envelope(struct codec *codec, struct lt_reader body)
{
    leat_session *session = &codec->session;
    const struct lt_broker_message *message = NULL;
    size_t length = lt_left(&body);
    struct leat_error error = {0};
    leat_event *event;

    codec->phase = PEERED;
    if (lt_broker_is_envelope(body.at, length))
        message = lt_broker_message(body.at[LT_BROKER_TYPE_AT]);
    event = lt_event(session, message == NULL ? LEAT_BROKER_UNKNOWN : message->kind,
                     message == NULL ? "unknown" : message->name, body.at - LENGTH_BYTES,
                     LENGTH_BYTES + length, session->consumed);
    if (message == NULL)
        (void)lt_error(&error, LEAT_E_SYNTAX, 0, "not an envelope", NULL);
    else
        (void)lt_broker_read_message(message, body, &session->tree, (size_t)session->limits.depth,
                                     &error);
    if (error.code == LEAT_E_NOMEM)
        return lt_fail(session, LEAT_E_NOMEM, LENGTH_BYTES, "out of memory", NULL);
    if (error.code == LEAT_OK) {
        event->value = session->tree.cells;
    } else {
        error.offset += session->consumed + LENGTH_BYTES;
        event->error = error;
    }
    lt_hold(session, LENGTH_BYTES + length);
    return LEAT_OK;
}

static int next(leat_session *session)
{
    struct codec *codec = (struct codec *)(void *)session;

    for (;;) {
        struct lt_reader in = lt_unread(session);
        size_t length;
        int status;

        if (lt_left(&in) < LENGTH_BYTES)
            return lt_need(session, LENGTH_BYTES);
        length = lt_u32be(&in);
        if (length == 0 && codec->phase == PEERED) {
            lt_skip(session, LENGTH_BYTES);
            continue;
        }
        status = check_length(codec, length);
        if (status != LEAT_OK)
            return status;
        if (lt_left(&in) < length)
            return lt_need(session, LENGTH_BYTES + length);
        in = lt_reader(in.at, length);
        return is_handshake(codec, in.at, length) ? next_handshake(codec, in)
                                                  : next_envelope(codec, in);
    }
}

static int send(leat_session *session, const char *name, const leat_value *value)
{
    const struct lt_broker_message *message = lt_broker_message_named(name);
    struct lt_writer *out = &session->out;
    size_t start = out->length;
    struct leat_error error = {0};
    int status;

    if (message == NULL)
        return lt_refuse(session, LEAT_E_STATE, 0, "no message of that name", NULL);
    lt_put_u32be(out, 0);
    status = lt_broker_write_message(message, out, value, &error);
    if (status != LEAT_OK)
        return lt_refuse(session, status, LENGTH_BYTES + (size_t)error.offset, error.text,
                         error.field);
    if (out->status == LEAT_OK && out->length - start - LENGTH_BYTES > LT_BROKER_FRAME_MAX)
        return lt_refuse(session, LEAT_E_VALUE, 0, "longer than a frame can be", NULL);
    lt_patch_u32be(out, start, (uint32_t)(out->length - start - LENGTH_BYTES));
    return LEAT_OK;
}

static const struct lt_dialect dialect = {
    .bytes = sizeof(struct codec),
    .next = next,
    .send = send,
};

int leat_broker_codec_new(const leat_config *config, uint32_t from, leat_session **session)
{
    int status;

    if (from != LEAT_FROM_ANY && from != LEAT_FROM_CLIENT && from != LEAT_FROM_SERVER)
        return LEAT_E_STATE;
    status = lt_session_new(&dialect, config, &defaults, session);
    if (status == LEAT_OK)
        ((struct codec *)(void *)*session)->from = from;
    return status;
}
