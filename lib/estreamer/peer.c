#include "peer.h"

#include <assert.h>
#include <leat/estreamer.h>

#define ERROR_CODE    (-1) /* which clients should use; servers have no list of codes. Section 6. */
#define ERROR_BYTES   6u   /* in front of the text */
#define COMPLAINT_MAX 100u

int lt_estreamer_send_aside(leat_session *session, const void *message, size_t length)
{
    struct leat_error refusal = session->send_error;
    int status;

    lt_send_begin(session);
    lt_put_bytes(&session->out, message, length);
    status = lt_send_end(session, LEAT_OK);
    session->send_error = refusal;
    return status;
}

static void put_error(struct lt_writer *out, int32_t code, const char *text, size_t length)
{
    lt_estreamer_put_header(out, LT_ESTREAMER_ERROR_TYPE, ERROR_BYTES + length);
    lt_put_u32be(out, (uint32_t)code);
    lt_put_u16be(out, (uint16_t)length);
    lt_put_bytes(out, text, length);
}

/* Tells the other side why, if there is room to. text is one of ours. */
static void complain(leat_session *session, const char *text)
{
    uint8_t message[LT_ESTREAMER_HEADER_BYTES + ERROR_BYTES + COMPLAINT_MAX];
    struct lt_writer out = lt_writer_fixed(message, sizeof message);

    put_error(&out, ERROR_CODE, text, strlen(text));
    assert(out.length <= sizeof message);
    (void)lt_estreamer_send_aside(session, message, out.length);
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

static bool is_live(const leat_session *session)
{
    return session->dialect == &lt_estreamer_client || session->dialect == &lt_estreamer_server;
}

int leat_estreamer_close(leat_session *session, int32_t error_code, const char *text)
{
    size_t length = text == NULL ? 0 : strlen(text);
    int status;

    if (!is_live(session) || lt_estreamer_is_over((const struct lt_estreamer_peer *)session))
        return lt_refuse(session, LEAT_E_STATE, 0, "not a live session", NULL);
    if (length > UINT16_MAX)
        return lt_refuse(session, LEAT_E_VALUE, 0, "longer than 65535 octets", "text");
    lt_send_begin(session);
    if (text != NULL)
        put_error(&session->out, error_code, text, length);
    status = lt_send_end(session, LEAT_OK);
    if (status == LEAT_OK)
        (void)lt_end(session);
    return status;
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
    return after_ms == 0 ? UINT64_MAX : lt_later(since_ms, after_ms);
}
