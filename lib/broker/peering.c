/* Who may peer: one link for an id, and the peerings that we want ourselves. */
#include "endpoint.h"
#include "tell.h"

#include <string.h>

/* ----- ids ----- */

/* The place of the id among the holders, or where it belongs; *found: it is there. */
static size_t place_of(const leat_broker *broker, const uint8_t id[16], bool *found)
{
    size_t low = 0, high = broker->holder_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (memcmp(broker->holders[middle]->id, id, 16) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *found = low < broker->holder_count && memcmp(broker->holders[low]->id, id, 16) == 0;
    return low;
}

struct lt_link *lt_holder(const leat_broker *broker, const uint8_t id[16])
{
    bool found;
    size_t place = place_of(broker, id, &found);

    return found ? broker->holders[place] : NULL;
}

void lt_hold_id(struct lt_link *link)
{
    leat_broker *broker = link->broker;
    bool found;
    size_t place = place_of(broker, link->id, &found);

    memmove(broker->holders + place + 1, broker->holders + place,
            (broker->holder_count - place) * sizeof *broker->holders);
    broker->holders[place] = link;
    broker->holder_count++;
    link->is_holder = true;
}

void lt_release_id(struct lt_link *link)
{
    leat_broker *broker = link->broker;
    bool found;
    size_t place = place_of(broker, link->id, &found);
    struct lt_link *other;

    broker->holder_count--;
    memmove(broker->holders + place, broker->holders + place + 1,
            (broker->holder_count - place) * sizeof *broker->holders);
    link->is_holder = false;
    if (broker->paused_count == 0 || broker->resuming)
        return;
    broker->resuming = true; /* one that has no memory to go on gives the id back at once */
    for (other = broker->all.first; other != NULL && lt_holder(broker, link->id) == NULL;
         other = other->all.next) {
        if (other->state == LT_LINK_PAUSED && memcmp(other->id, link->id, 16) == 0)
            lt_peer_resume(other, false);
    }
    broker->resuming = false;
}

void lt_turn_away_paused(struct lt_link *link)
{
    leat_broker *broker = link->broker;
    struct lt_link *other;

    for (other = broker->all.first; other != NULL && broker->paused_count > 0;
         other = other->all.next) {
        if (other->state == LT_LINK_PAUSED && memcmp(other->id, link->id, 16) == 0)
            lt_peer_resume(other, true);
    }
}

/* ----- peerings that we want ----- */

struct lt_peering {
    struct lt_peering *next;
    struct lt_link *link; /* the attempt, or the peer; NULL: an attempt is due */
    uint64_t due;
    uint64_t retry_s;
    uint32_t port;
    char address[LT_ADDRESS_MAX + 1];
};

static struct lt_peering *find_peering(const leat_broker *broker, const char *address,
                                       uint32_t port)
{
    struct lt_peering *peering = broker->peerings;

    while (peering != NULL && (peering->port != port || strcmp(peering->address, address) != 0))
        peering = peering->next;
    return peering;
}

static void schedule(leat_broker *broker, struct lt_peering *peering, uint64_t due)
{
    peering->due = due;
    if (due < broker->attempt_due)
        broker->attempt_due = due;
}

static void forget_peering(leat_broker *broker, struct lt_peering *peering)
{
    struct lt_peering **place = &broker->peerings;

    while (*place != peering)
        place = &(*place)->next;
    *place = peering->next;
    if (peering->link != NULL)
        peering->link->peering = NULL;
    lt_free(&broker->allocator, peering, sizeof *peering);
}

void lt_peerings_free(leat_broker *broker)
{
    while (broker->peerings != NULL)
        forget_peering(broker, broker->peerings);
    broker->attempt_due = UINT64_MAX;
}

size_t lt_peerings_memory(const leat_broker *broker)
{
    const struct lt_peering *peering;
    size_t bytes = 0;

    for (peering = broker->peerings; peering != NULL; peering = peering->next)
        bytes += sizeof *peering;
    return bytes;
}

int leat_broker_peer(leat_broker *broker, const char *address, uint32_t port, uint64_t retry_s)
{
    size_t length = address == NULL ? 0 : strlen(address);
    struct lt_peering *peering, **end = &broker->peerings;

    if (length == 0 || length > LT_ADDRESS_MAX || port == 0 || port > UINT16_MAX)
        return lt_error(&broker->error, LEAT_E_VALUE, 0, "not an address and a port", NULL);
    if (broker->shutting_down)
        return lt_error(&broker->error, LEAT_E_STATE, 0, "shutting down", NULL);
    broker->error.code = LEAT_OK;
    peering = find_peering(broker, address, port);
    if (peering == NULL) {
        peering = (struct lt_peering *)lt_alloc_zero(&broker->allocator, sizeof *peering);
        if (peering == NULL)
            return lt_error(&broker->error, LEAT_E_NOMEM, 0, "out of memory", NULL);
        memcpy(peering->address, address, length + 1);
        peering->port = port;
        while (*end != NULL)
            end = &(*end)->next;
        *end = peering;
    }
    peering->retry_s = retry_s;
    if (peering->link != NULL)
        peering->link->retry_s = retry_s;
    else
        schedule(broker, peering, broker->now_ms);
    return LEAT_OK;
}

int leat_broker_peer_no_retry(leat_broker *broker, const char *address, uint32_t port)
{
    return leat_broker_peer(broker, address, port, 0);
}

int leat_broker_connect(leat_broker *broker, leat_session **session)
{
    struct lt_peering *peering;
    uint64_t next = UINT64_MAX;
    struct lt_link *link;
    int status;

    if (broker->attempt_due > broker->now_ms)
        return LEAT_MORE;
    for (peering = broker->peerings; peering != NULL; peering = peering->next) {
        if (peering->link == NULL && peering->due <= broker->now_ms)
            break;
        if (peering->link == NULL && peering->due < next)
            next = peering->due;
    }
    if (peering == NULL) {
        broker->attempt_due = next;
        return LEAT_MORE;
    }
    status = lt_peer_new(broker, true, peering->address, peering->port, &link);
    if (status != LEAT_OK)
        return status;
    link->retry_s = peering->retry_s;
    link->peering = peering;
    peering->link = link;
    *session = &link->session;
    return LEAT_OK;
}

bool lt_peering_over(struct lt_link *link, bool was_up, uint32_t kind)
{
    leat_broker *broker = link->broker;
    struct lt_peering *peering = link->peering;
    uint64_t wait = was_up                              ? 0
                    : link->retry_s > UINT64_MAX / 1000 ? UINT64_MAX
                                                        : link->retry_s * 1000;

    if (peering == NULL)
        return false;
    link->peering = NULL;
    peering->link = NULL;
    if (peering->retry_s == 0 || (was_up && kind == LEAT_BROKER_PEER_REMOVED))
        forget_peering(broker, peering);
    else
        schedule(broker, peering, lt_later(broker->now_ms, wait));
    return !was_up;
}

/* Takes the address over, too, if there is memory. */
static void readdress(struct lt_link *link, const struct lt_peering *peering)
{
    const leat_allocator *allocator = &link->session.allocator;
    size_t bytes = strlen(peering->address) + 1;
    char *address = (char *)lt_resize(allocator, NULL, 0, bytes);

    link->retry_s = peering->retry_s;
    if (address == NULL)
        return;
    memcpy(address, peering->address, bytes);
    lt_free(allocator, link->address, strlen(link->address) + 1);
    link->address = address;
    link->port = peering->port;
}

void lt_peering_adopt(struct lt_link *redundant, struct lt_link *established)
{
    leat_broker *broker = redundant->broker;
    struct lt_peering *peering = redundant->peering;

    if (peering == NULL)
        return;
    redundant->peering = NULL;
    peering->link = NULL;
    if (peering->retry_s == 0 || established->retry_s != 0) {
        forget_peering(broker, peering);
        return;
    }
    if (established->peering != NULL)
        forget_peering(broker, established->peering);
    established->peering = peering;
    peering->link = established;
    readdress(established, peering);
}

/* ----- ending them ----- */

/* The link with that address, as it is named in events; NULL: none is up. */
static struct lt_link *find_up(const leat_broker *broker, const char *address, uint32_t port)
{
    struct lt_link *link;

    for (link = broker->all.first; link != NULL; link = link->all.next) {
        if ((link->state == LT_LINK_UP || link->state == LT_LINK_LEAVING) && link->port == port &&
            strcmp(link->address, address) == 0)
            break;
    }
    return link;
}

static void unpeer(struct lt_link *link)
{
    leat_broker *broker = link->broker;

    if (link->peering != NULL)
        forget_peering(broker, link->peering);
    if (link->state == LT_LINK_UP)
        link->kind->leave(link);
    else if (link->state != LT_LINK_LEAVING)
        lt_link_down(link, LEAT_BROKER_PEER_REMOVED, LT_REASON_NONE);
}

static int refuse_unpeer(leat_broker *broker, const char *address, uint32_t port, const uint8_t *id)
{
    if (lt_tell_invalid(broker, address, port, id) != LEAT_OK)
        return lt_error(&broker->error, LEAT_E_NOMEM, 0, "out of memory", NULL);
    return lt_error(&broker->error, LEAT_E_STATE, 0, "cannot unpeer from unknown peer", NULL);
}

int leat_broker_unpeer(leat_broker *broker, const char *address, uint32_t port)
{
    struct lt_peering *peering;
    struct lt_link *link;

    broker->error.code = LEAT_OK;
    peering = find_peering(broker, address, port);
    link = peering == NULL ? find_up(broker, address, port) : peering->link;
    if (link != NULL)
        unpeer(link);
    else if (peering != NULL)
        forget_peering(broker, peering);
    else
        return refuse_unpeer(broker, address, port, NULL);
    return LEAT_OK;
}

int leat_broker_unpeer_id(leat_broker *broker, const uint8_t *id)
{
    struct lt_link *link = lt_holder(broker, id);

    broker->error.code = LEAT_OK;
    if (link == NULL)
        return refuse_unpeer(broker, NULL, 0, id);
    unpeer(link);
    return LEAT_OK;
}

int leat_broker_shutdown(leat_broker *broker)
{
    struct lt_link *link;

    broker->shutting_down = true;
    lt_peerings_free(broker);
    for (link = broker->all.first; link != NULL; link = link->all.next) {
        if (link->state != LT_LINK_OVER && link->state != LT_LINK_LEAVING)
            link->kind->leave(link);
    }
    return LEAT_OK;
}

/* ----- looking at them ----- */

static const char *status_of(const struct lt_link *link)
{
    return link->state == LT_LINK_HANDSHAKE || link->state == LT_LINK_PAUSED ? "CONNECTING"
                                                                             : "PEERED";
}

static int write_peer(leat_builder *builder, const struct lt_link *link)
{
    const char *status = status_of(link);

    (void)leat_builder_open(builder, NULL, LEAT_RECORD);
    (void)leat_builder_open(builder, "peer", LEAT_RECORD);
    (void)leat_builder_uuid(builder, "id", link->id);
    (void)leat_builder_open(builder, "network", LEAT_RECORD);
    (void)leat_builder_text(builder, "address", link->address, strlen(link->address));
    (void)leat_builder_port(builder, "bound_port", link->port, LEAT_PROTOCOL_TCP);
    (void)leat_builder_close(builder);
    (void)leat_builder_u64(builder, "retry_s", link->retry_s);
    (void)leat_builder_close(builder);
    (void)leat_builder_enum(builder, "status", status, strlen(status));
    /* One that came in is ours, too, once it has the address of an attempt of ours: section 5.4. */
    (void)leat_builder_bool(builder, "is_outbound", link->outbound || link->peering != NULL);
    return leat_builder_close(builder);
}

int leat_broker_peers(const leat_broker *broker, leat_builder *builder, const char *name)
{
    const struct lt_link *link;
    int status = leat_builder_open(builder, name, LEAT_LIST);

    for (link = broker->all.first; link != NULL && status == LEAT_OK; link = link->all.next) {
        if (link->known && link->state != LT_LINK_OVER)
            status = write_peer(builder, link);
    }
    return status == LEAT_OK ? leat_builder_close(builder) : status;
}
