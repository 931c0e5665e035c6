/* What waits for a link: in the output of its session, or behind that in its outbox. */
#include "endpoint.h"

#include <string.h>

/* So many octets go into the output of a session at once; what is behind them can still be dropped. */
#define OUTPUT_BYTES ((size_t)64 << 10)

uint64_t lt_link_waiting(const struct lt_link *link)
{
    return link->session.out.length - link->session.sent + link->outbox.bytes - link->outbox.taken;
}

void lt_link_sent(leat_session *session)
{
    struct lt_link *link = (struct lt_link *)(void *)session;

    if (link->outbox.count > 0) {
        session->out.limit = SIZE_MAX;
        lt_outbox_pour(&link->outbox, &session->allocator, &session->out, OUTPUT_BYTES);
        if (session->out.status != LEAT_OK) {
            session->out.status = LEAT_OK;
            lt_link_fail(link, LEAT_E_NOMEM, 0, "out of memory", NULL);
        }
    } else if (session->paused) {
        lt_link_ready(link); /* there is room for what it waited with */
    }
}

static size_t unsent(const struct lt_link *link)
{
    return link->session.out.length - link->session.sent;
}

bool lt_link_must_wait(const struct lt_link *link, size_t length)
{
    return link->outbox.count > 0 || unsent(link) > OUTPUT_BYTES ||
           length > OUTPUT_BYTES - unsent(link);
}

/* A message that must wait though nothing waits is too long for the output: that gets its front. */
static bool is_idle(const struct lt_link *link)
{
    return link->outbox.count == 0 && unsent(link) == 0;
}

bool lt_link_reserve(struct lt_link *link, size_t length)
{
    leat_session *session = &link->session;

    if (lt_link_must_wait(link, length)) {
        if (!lt_outbox_reserve(&link->outbox, &session->allocator))
            return false;
        if (!is_idle(link))
            return true;
        length = OUTPUT_BYTES;
    }
    lt_send_begin(session);
    session->out.limit = SIZE_MAX;
    if (session->out.size - session->out.length >= length || lt_writer_grow(&session->out, length))
        return true;
    session->out.status = LEAT_OK;
    return false;
}

/* Whether there is room for one more message, once the endpoint's policy was applied. */
static bool has_room(struct lt_link *link, size_t length, bool control)
{
    const leat_broker *broker = link->broker;
    struct lt_outbox *outbox = &link->outbox;
    uint32_t overflow = control ? LEAT_BROKER_DISCONNECT : broker->options.overflow;

    while (control ? outbox->controls >= LT_CONTROLS_MAX
                   : lt_outbox_droppable(outbox) >= broker->options.queue_messages ||
                         outbox->bytes - outbox->taken + length > broker->limits.queued_bytes) {
        outbox->overflows++;
        if (overflow == LEAT_BROKER_DISCONNECT)
            lt_link_down(link, LEAT_BROKER_PEER_REMOVED, LT_REASON_OVERFLOW);
        if (overflow != LEAT_BROKER_DROP_OLDEST || length > broker->limits.queued_bytes ||
            !lt_outbox_drop_oldest(outbox, &link->session.allocator))
            return false;
    }
    return true;
}

void lt_link_give(struct lt_link *link, const void *octets, size_t length, struct lt_parcel *parcel,
                  bool control)
{
    bool idle = is_idle(link);

    if (!lt_link_must_wait(link, length)) {
        lt_put_bytes(&link->session.out, octets, length);
        link->outbox.sent++;
    } else if (idle || has_room(link, length, control)) {
        lt_outbox_push(&link->outbox, parcel, control);
        if (idle)
            lt_outbox_pour(&link->outbox, &link->session.allocator, &link->session.out,
                           OUTPUT_BYTES);
    } else {
        return;
    }
    lt_link_ready(link);
}

int lt_link_send(struct lt_link *link, const void *octets, size_t length, bool control)
{
    const leat_allocator *allocator = &link->session.allocator;
    struct lt_parcel *parcel = NULL;

    if (lt_link_must_wait(link, length)) {
        parcel = lt_parcel_new(allocator, length);
        if (parcel == NULL)
            return LEAT_E_NOMEM;
        memcpy(parcel->octets, octets, length);
    }
    if (!lt_link_reserve(link, length)) {
        lt_parcel_drop(parcel, allocator);
        return LEAT_E_NOMEM;
    }
    lt_link_give(link, octets, length, parcel, control);
    lt_parcel_drop(parcel, allocator);
    return LEAT_OK;
}
