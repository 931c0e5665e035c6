#include "endpoint.h"
#include "tell.h"

#include <assert.h>
#include <string.h>

static struct lt_link *link_of(leat_session *session)
{
    return (struct lt_link *)(void *)session;
}

/* ----- lists ----- */

/* The hook of a link in one of the broker's lists, which is at this place in it. */
static struct lt_link_hook *hook_of(struct lt_link *link, size_t place)
{
    return (struct lt_link_hook *)(void *)((uint8_t *)link + place);
}

static void append(struct lt_link_ends *list, struct lt_link *link, size_t place)
{
    struct lt_link_hook *hook = hook_of(link, place);

    hook->previous = list->last;
    hook->next = NULL;
    if (list->last != NULL)
        hook_of(list->last, place)->next = link;
    else
        list->first = link;
    list->last = link;
}

static void take_out(struct lt_link_ends *list, struct lt_link *link, size_t place)
{
    struct lt_link_hook *hook = hook_of(link, place);

    if (hook->previous != NULL)
        hook_of(hook->previous, place)->next = hook->next;
    else
        list->first = hook->next;
    if (hook->next != NULL)
        hook_of(hook->next, place)->previous = hook->previous;
    else
        list->last = hook->previous;
}

#define ALL   offsetof(struct lt_link, all)
#define READY offsetof(struct lt_link, ready)

void lt_link_ready(struct lt_link *link)
{
    link->session.need = 0;
    if (link->is_ready || link->broker == NULL)
        return;
    link->is_ready = true;
    append(&link->broker->ready, link, READY);
}

static void unready(struct lt_link *link)
{
    if (link->is_ready)
        take_out(&link->broker->ready, link, READY);
    link->is_ready = false;
}

int leat_broker_ready(leat_broker *broker, leat_session **session)
{
    struct lt_link *link = broker->ready.first;

    if (link == NULL)
        return LEAT_MORE;
    unready(link);
    *session = &link->session;
    return LEAT_OK;
}

/* ----- timers ----- */

static void place_timer(leat_broker *broker, struct lt_link *link, size_t at)
{
    broker->timers[at] = link;
    link->timer_at = (uint32_t)at; /* there are fewer links than that */
}

/* Puts a link where it belongs, between its parent and its children in the heap. */
static void settle(leat_broker *broker, struct lt_link *link, size_t at)
{
    struct lt_link **timers = broker->timers;
    size_t child;

    while (at > 0 && timers[(at - 1) / 2]->due > link->due) {
        place_timer(broker, timers[(at - 1) / 2], at);
        at = (at - 1) / 2;
    }
    while ((child = 2 * at + 1) < broker->timer_count) {
        if (child + 1 < broker->timer_count && timers[child + 1]->due < timers[child]->due)
            child++;
        if (timers[child]->due >= link->due)
            break;
        place_timer(broker, timers[child], at);
        at = child;
    }
    place_timer(broker, link, at);
}

void lt_link_due(struct lt_link *link, uint64_t due)
{
    leat_broker *broker = link->broker;
    uint32_t at = link->timer_at;

    link->due = due;
    if (broker == NULL)
        return;
    if (due != UINT64_MAX) {
        settle(broker, link, at != UINT32_MAX ? at : broker->timer_count++);
    } else if (at != UINT32_MAX) {
        struct lt_link *last = broker->timers[--broker->timer_count];

        link->timer_at = UINT32_MAX;
        if (last != link)
            settle(broker, last, at);
    }
}

void lt_link_tick(leat_session *session)
{
    leat_broker *broker = link_of(session)->broker;

    if (broker != NULL && session->now_ms > broker->now_ms)
        leat_broker_tick(broker, session->now_ms);
}

uint64_t lt_link_deadline(const leat_session *session)
{
    return ((const struct lt_link *)(const void *)session)->due;
}

/* ----- life ----- */

/* A place for the link in each array of the broker, so that nothing can fail later. */
static bool reserve(leat_broker *broker)
{
    size_t wanted = broker->link_count + 1;

    return wanted < UINT32_MAX &&
           lt_grow(&broker->allocator, (void **)&broker->timers, &broker->timers_size, wanted,
                   sizeof *broker->timers) &&
           lt_grow(&broker->allocator, (void **)&broker->holders, &broker->holders_size, wanted,
                   sizeof *broker->holders);
}

int lt_link_new(leat_broker *broker, const struct lt_dialect *dialect,
                const struct lt_link_kind *kind, const char *address, uint32_t port,
                struct lt_link **link)
{
    size_t length = address == NULL ? 0 : strlen(address);
    leat_session *session;
    struct lt_link *made;

    broker->error.code = LEAT_OK;
    if (length == 0 || length > LT_ADDRESS_MAX || port == 0 || port > UINT16_MAX)
        return lt_error(&broker->error, LEAT_E_VALUE, 0, "not an address and a port", NULL);
    if (!reserve(broker) ||
        lt_session_new(dialect, &broker->config, &broker->limits, &session) != LEAT_OK)
        return lt_error(&broker->error, LEAT_E_NOMEM, 0, "out of memory", NULL);
    made = link_of(session);
    made->kind = kind;
    made->timer_at = UINT32_MAX;
    made->due = UINT64_MAX;
    made->port = port;
    made->address = (char *)lt_resize(&session->allocator, NULL, 0, length + 1);
    if (made->address == NULL) {
        leat_session_free(session);
        return lt_error(&broker->error, LEAT_E_NOMEM, 0, "out of memory", NULL);
    }
    memcpy(made->address, address, length + 1);
    made->broker = broker;
    session->now_ms = broker->now_ms;
    append(&broker->all, made, ALL);
    broker->link_count++;
    broker->client_count += lt_is_client(kind);
    *link = made;
    return LEAT_OK;
}

void lt_link_leave(struct lt_link *link)
{
    leat_broker *broker = link->broker;

    lt_link_due(link, UINT64_MAX);
    unready(link);
    take_out(&broker->all, link, ALL);
    broker->link_count--;
    broker->client_count -= lt_is_client(link->kind);
    link->broker = NULL;
    link->session.need = 0;
}

void lt_link_release(leat_session *session)
{
    struct lt_link *link = link_of(session);

    if (link->broker != NULL) {
        lt_link_down(link, LEAT_BROKER_PEER_LOST, LT_REASON_NONE);
        lt_keep_untold(link);
        lt_link_leave(link);
    }
    lt_outbox_free(&link->outbox, &session->allocator);
    lt_topics_free(&link->filter, &session->allocator);
    if (link->address != NULL)
        lt_free(&session->allocator, link->address, strlen(link->address) + 1);
}

void lt_link_trim(leat_session *session)
{
    lt_outbox_trim(&link_of(session)->outbox, &session->allocator);
}

size_t lt_link_memory(const leat_session *session)
{
    const struct lt_link *link = (const struct lt_link *)(const void *)session;

    return strlen(link->address) + 1 + lt_topics_bytes(&link->filter) +
           link->outbox.size * sizeof *link->outbox.items;
}

static void tell(struct lt_link *link, uint32_t kind)
{
    size_t i = 0;

    while (link->telling[i] != 0)
        i++;
    assert(i + 1 < sizeof link->telling);
    link->telling[i] = (uint8_t)kind;
    lt_link_ready(link);
}

void lt_link_up(struct lt_link *link)
{
    link->state = LT_LINK_UP;
    lt_turn_away_paused(link);
    tell(link, LEAT_BROKER_ENDPOINT_DISCOVERED);
    tell(link, LEAT_BROKER_PEER_ADDED);
}

void lt_link_down(struct lt_link *link, uint32_t kind, uint8_t reason)
{
    bool was_up = link->state == LT_LINK_UP || link->state == LT_LINK_LEAVING;
    bool was_paused = link->state == LT_LINK_PAUSED;

    if (link->state == LT_LINK_OVER || link->broker == NULL)
        return;
    if (link->state == LT_LINK_LEAVING)
        kind = LEAT_BROKER_PEER_REMOVED;
    link->state = LT_LINK_OVER;
    link->reason = reason;
    lt_link_due(link, UINT64_MAX);
    lt_outbox_free(&link->outbox, &link->session.allocator);
    if (was_up) {
        tell(link, kind);
        tell(link, LEAT_BROKER_ENDPOINT_UNREACHABLE);
    }
    if (was_paused)
        link->broker->paused_count--;
    if (lt_peering_over(link, was_up, kind))
        tell(link, LEAT_BROKER_ERROR);
    if (link->is_holder)
        lt_release_id(link);
    lt_link_ready(link);
    link->broker->has_news = true;
}

void lt_link_fail(struct lt_link *link, int code, size_t at, const char *what, const char *field)
{
    leat_session *session = &link->session;

    if (link->state == LT_LINK_OVER)
        return;
    (void)lt_error(&session->error, code, session->consumed + at, what, field);
    lt_link_down(link, LEAT_BROKER_PEER_LOST, LT_REASON_NONE);
}

bool lt_link_next(struct lt_link *link, int *status)
{
    leat_session *session = &link->session;
    uint8_t kind = link->telling[0];

    if (kind != 0) {
        *status = lt_tell(&session->tree, &session->event, kind, link);
        if (*status == LEAT_OK)
            memmove(link->telling, link->telling + 1, sizeof link->telling - 1);
        else
            *status = lt_fail(session, LEAT_E_NOMEM, 0, "out of memory", NULL);
        return true;
    }
    if (link->state != LT_LINK_OVER && link->broker != NULL)
        return false;
    if (session->error.code != LEAT_OK) {
        *status = session->status = session->error.code;
        session->need = 0;
    } else {
        *status = lt_end(session);
    }
    return true;
}
