#include "peer.h"

#include <leat/estreamer.h>

#define ERROR_CODE (-1) /* which clients should use; servers have no list of codes. Section 6. */

/* Writes an error message. */
static int put_error(leat_session *session, int32_t code, const char *text, size_t length)
{
    size_t start = lt_estreamer_begin(session, LT_ESTREAMER_ERROR_TYPE);

    lt_put_u32be(&session->out, (uint32_t)code);
    lt_put_u16be(&session->out, (uint16_t)length);
    lt_put_bytes(&session->out, text, length);
    return lt_estreamer_finish(session, start);
}

/* Drops what is held back in front of the error message that begins there. */
static void drop_held(leat_session *session, size_t error_message)
{
    struct lt_writer *out = &session->out;
    size_t length = out->length - error_message;

    if (session->hold_back == 0)
        return;
    memmove(out->data + error_message - session->hold_back, out->data + error_message, length);
    out->length -= session->hold_back;
    session->hold_back = 0;
}

void lt_estreamer_make_way(leat_session *session)
{
    struct lt_writer *out = &session->out;

    out->limit =
        session->hold_back > SIZE_MAX - out->limit ? SIZE_MAX : out->limit + session->hold_back;
}

/* Tells the other side why, if there is room to. */
static void complain(leat_session *session, const char *text)
{
    struct leat_error refusal = session->send_error;
    int status;

    lt_send_begin(session);
    lt_estreamer_make_way(session);
    status = put_error(session, ERROR_CODE, text, strlen(text));
    if (status == LEAT_OK && lt_estreamer_has_room(session))
        drop_held(session, session->send_mark);
    (void)lt_send_end(session, status);
    session->send_error = refusal; /* it was not a command of the caller's */
}

int lt_estreamer_peer_next(struct lt_estreamer_peer *peer)
{
    leat_session *session = &peer->codec.session;
    int status;

    if (peer->verdict == LEAT_END)
        return lt_end(session);
    if (peer->verdict < 0)
        return lt_fail_at(session, peer->verdict, peer->offset, peer->reason, peer->field);
    status = lt_estreamer_next(session);
    if (status == LEAT_E_FRAME || status == LEAT_E_LIMIT)
        complain(session, session->error.text);
    return status;
}

void lt_estreamer_offence(struct lt_estreamer_peer *peer, const char *what, const char *field)
{
    leat_session *session = &peer->codec.session;
    leat_event *event = &session->event;

    if (event->error.code == LEAT_OK)
        (void)lt_error(&event->error, LEAT_E_PROTOCOL, event->offset, what, field);
    peer->verdict = LEAT_E_PROTOCOL;
    peer->offset = event->offset;
    peer->reason = what;
    peer->field = field;
    complain(session, what);
}

void lt_estreamer_give_up(struct lt_estreamer_peer *peer, int status, const char *what)
{
    complain(&peer->codec.session, what);
    (void)lt_fail(&peer->codec.session, status, 0, what, NULL);
}

void lt_estreamer_over(leat_session *session, size_t error_message)
{
    drop_held(session, error_message);
    (void)lt_end(session);
}

static bool is_live(const leat_session *session)
{
    return session->dialect == &lt_estreamer_client || session->dialect == &lt_estreamer_server;
}

int leat_estreamer_close(leat_session *session, int32_t error_code, const char *text)
{
    size_t length = text == NULL ? 0 : strlen(text);
    int status = LEAT_OK;

    if (!is_live(session) || lt_estreamer_is_over((const struct lt_estreamer_peer *)session))
        return lt_refuse(session, LEAT_E_STATE, 0, "not a live session", NULL);
    if (length > UINT16_MAX)
        return lt_refuse(session, LEAT_E_VALUE, 0, "longer than 65535 octets", "text");
    lt_send_begin(session);
    lt_estreamer_make_way(session);
    if (text != NULL)
        status = put_error(session, error_code, text, length);
    if (status == LEAT_OK && lt_estreamer_has_room(session))
        lt_estreamer_over(session, session->send_mark);
    return lt_send_end(session, status);
}

bool lt_estreamer_first_tick(struct lt_estreamer_peer *peer)
{
    if (peer->clocked)
        return false;
    peer->clocked = true;
    return true;
}

uint64_t lt_estreamer_due(uint64_t since_ms, uint64_t after_ms)
{
    return after_ms == 0 || after_ms > UINT64_MAX - since_ms ? UINT64_MAX : since_ms + after_ms;
}
