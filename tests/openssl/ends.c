#include "ends.h"

#include "session.h"

#include <openssl/err.h>

/* The session under test: an event for whatever arrived, unless paused; sends text as it is. */
struct pipe {
    leat_session session;
    bool paused;
};

static int pipe_next(leat_session *session)
{
    struct lt_reader in = lt_unread(session);
    size_t length = lt_left(&in);

    if (((struct pipe *)session)->paused)
        return LEAT_PAUSED;
    if (length == 0)
        return lt_need(session, 1);
    (void)lt_event(session, 1, "octets", in.at, length, session->consumed);
    lt_hold(session, length);
    return LEAT_OK;
}

static int pipe_send(leat_session *session, const char *name, const leat_value *value)
{
    size_t length;
    const char *text = leat_value_text(value, &length);

    (void)name;
    lt_put_bytes(&session->out, text, length);
    return LEAT_OK;
}

static const struct lt_dialect pipe_dialect = {
    .bytes = sizeof(struct pipe), .next = pipe_next, .send = pipe_send};
static const leat_limits defaults = {
    .size = sizeof defaults, .values = 10, .depth = 1, .queued_bytes = 1 << 24};

void t_end_begin(struct t_end *end)
{
    ck_assert_int_eq(lt_session_new(&pipe_dialect, NULL, &defaults, &end->session), LEAT_OK);
    end->got = t_copy("", 0);
    end->kept = t_copy("", 0);
    end->status = LEAT_MORE;
}

void t_end_free(struct t_end *end)
{
    leat_tls_free(end->tls);
    leat_session_free(end->session);
    SSL_CTX_free(end->context);
    t_free(end->got);
    t_free(end->kept);
}

int t_end_run(struct t_end *end)
{
    const leat_event *event;
    const void *data;
    size_t length;
    int status;

    do {
        while ((end->status = leat_next(end->session, &event)) == LEAT_OK) {
            data = leat_event_raw(event, &length);
            t_append(&end->got, data, length);
        }
        status = leat_tls_run(end->tls);
        ck_assert_uint_eq(ERR_peek_error(), 0);
        data = leat_tls_kept(end->tls, &length);
        t_append(&end->kept, data, length);
    } while (status == LEAT_MORE);
    return status;
}

size_t t_carry(struct t_end *from, struct t_end *to, size_t piece)
{
    size_t length, room;
    const void *data = leat_tls_send_data(from->tls, &length);
    void *space = leat_tls_recv_space(to->tls, &room);

    length = length < piece ? length : piece;
    length = length < room ? length : room;
    if (length > 0)
        memcpy(space, data, length);
    if (space != NULL)
        ck_assert_int_eq(leat_tls_recv_done(to->tls, length), LEAT_OK);
    ck_assert_int_eq(leat_tls_send_done(from->tls, length), LEAT_OK);
    return length;
}

static bool turn(struct t_end *from, struct t_end *to, size_t piece)
{
    (void)t_end_run(from);
    return t_carry(from, to, piece) > 0;
}

void t_talk(struct t_end *a, struct t_end *b, size_t piece)
{
    bool more;

    do {
        more = turn(a, b, piece);
        more = turn(b, a, piece) || more;
    } while (more);
}

void t_say(struct t_end *end, const void *text, size_t length)
{
    leat_builder *b;

    ck_assert_int_eq(leat_builder_new(NULL, &b), LEAT_OK);
    leat_builder_text(b, NULL, (const char *)text, length);
    ck_assert_int_eq(leat_send(end->session, "octets", leat_builder_value(b)), LEAT_OK);
    leat_builder_free(b);
}

void t_pause(struct t_end *end, bool paused)
{
    ((struct pipe *)end->session)->paused = paused;
    end->session->need = 0; /* so that it is asked */
    (void)t_end_run(end);
}

const char *t_verdict(const leat_tls_options *options, bool server)
{
    SSL_CTX *context = NULL;
    const char *reason = "";
    int status = server ? leat_tls_server_context(options, &context, &reason)
                        : leat_tls_client_context(options, &context, &reason);

    ck_assert_int_eq(status, *reason == '\0' ? LEAT_OK : LEAT_E_VALUE);
    ck_assert_int_eq(context != NULL, status == LEAT_OK);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    SSL_CTX_free(context);
    return reason;
}
