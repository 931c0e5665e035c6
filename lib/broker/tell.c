#include "tell.h"

#include <string.h>

/* What is needed to tell it. */
struct about {
    uint32_t kind;
    bool websocket;
    uint8_t reason;
    const uint8_t *id;   /* NULL: not known */
    const char *address; /* NULL: not known */
    uint32_t port;
    uint64_t retry_s;
};

/* What waits for leat_broker_next(); the address stands behind it. */
struct lt_untold {
    struct lt_untold *next;
    struct about about;
    uint8_t id[16];
    size_t bytes;
};

/* Most that wait there, if the caller does not ask. */
#define UNTOLD_MAX 1024u

#define PEER_INVALID     3u
#define PEER_UNAVAILABLE 4u

static const struct {
    uint32_t kind;
    const char *name;
    const char *of_peer;
    const char *of_client;
} statuses[] = {
    {LEAT_BROKER_ENDPOINT_DISCOVERED, "endpoint_discovered", "found a new peer in the network",
     "found a new client in the network"},
    {LEAT_BROKER_ENDPOINT_UNREACHABLE, "endpoint_unreachable", "lost the last path",
     "lost the last path"},
    {LEAT_BROKER_PEER_ADDED, "peer_added", "handshake successful", "handshake successful"},
    {LEAT_BROKER_PEER_REMOVED, "peer_removed", "removed connection to remote peer",
     "client removed"},
    {LEAT_BROKER_PEER_LOST, "peer_lost", "lost connection to remote peer",
     "lost connection to client"},
};

#define STATUSES (sizeof statuses / sizeof *statuses)

static void add_text(struct lt_tree *tree, const char *name, uint16_t name_length, const char *text)
{
    lt_tree_bytes(tree, LEAT_TEXT, name, name_length, text, strlen(text));
}

/* An endpoint takes so many cells at most. */
#define ENDPOINT_CELLS 7u

static void tell_endpoint(struct lt_tree *tree, const char *name, uint16_t name_length,
                          const uint8_t *id, const char *address, uint32_t port, uint64_t retry_s)
{
    size_t record = lt_tree_open(tree, LEAT_RECORD, name, name_length), network;

    if (id != NULL)
        lt_tree_bytes(tree, LEAT_UUID, LT_NAME("id"), id, 16);
    else
        lt_tree_null(tree, LT_NAME("id"));
    if (address != NULL) {
        leat_value *cell;

        network = lt_tree_open(tree, LEAT_RECORD, LT_NAME("network"));
        add_text(tree, LT_NAME("address"), address);
        cell = lt_tree_push(tree, LEAT_PORT, LT_NAME("bound_port"));
        cell->u.u64 = port | (uint64_t)LEAT_PROTOCOL_TCP << 16;
        cell->length = 0;
        lt_tree_close(tree, network, 2);
    } else {
        lt_tree_null(tree, LT_NAME("network"));
    }
    lt_tree_u64(tree, LT_NAME("retry_s"), retry_s);
    lt_tree_close(tree, record, 3);
}

static void tell_error(struct lt_tree *tree, leat_event *event, const struct about *about)
{
    bool invalid = about->reason == PEER_INVALID;
    size_t record = lt_tree_open(tree, LEAT_RECORD, LT_NO_NAME);

    lt_tree_u64(tree, LT_NAME("code"), invalid ? PEER_INVALID : PEER_UNAVAILABLE);
    add_text(tree, LT_NAME("name"), invalid ? "peer_invalid" : "peer_unavailable");
    tell_endpoint(tree, LT_NAME("endpoint"), about->id, about->address, about->port,
                  about->retry_s);
    add_text(tree, LT_NAME("msg"),
             invalid ? "cannot unpeer from unknown peer" : "unable to connect to remote peer");
    lt_tree_close(tree, record, 4);
    event->name = "error";
}

static void tell_status(struct lt_tree *tree, leat_event *event, const struct about *about)
{
    size_t record = lt_tree_open(tree, LEAT_RECORD, LT_NO_NAME), i;
    bool has_network = about->kind != LEAT_BROKER_ENDPOINT_DISCOVERED &&
                       about->kind != LEAT_BROKER_ENDPOINT_UNREACHABLE;
    const char *text;

    for (i = 0; i < STATUSES - 1 && statuses[i].kind != about->kind; i++)
        ;
    text = about->websocket ? statuses[i].of_client : statuses[i].of_peer;
    if (about->kind == LEAT_BROKER_PEER_REMOVED && about->reason == LT_REASON_OVERFLOW)
        text = about->websocket
                   ? "client removed: caf::sec::backpressure_overflow"
                   : "removed connection to remote peer (caf::sec::backpressure_overflow)";
    tell_endpoint(tree, LT_NAME("endpoint"), about->id, has_network ? about->address : NULL,
                  about->port, about->retry_s);
    add_text(tree, LT_NAME("msg"), text);
    lt_tree_close(tree, record, 2);
    event->name = statuses[i].name;
}

static int tell(struct lt_tree *tree, leat_event *event, const struct about *about)
{
    if (lt_tree_reserve(tree, ENDPOINT_CELLS + 4) != LEAT_OK)
        return LEAT_E_NOMEM;
    memset(event, 0, sizeof *event);
    event->kind = about->kind;
    if (about->kind == LEAT_BROKER_ERROR)
        tell_error(tree, event, about);
    else
        tell_status(tree, event, about);
    event->name_length = strlen(event->name);
    event->value = tree->cells;
    return LEAT_OK;
}

static struct about about_link(uint32_t kind, const struct lt_link *link)
{
    const struct about about = {
        kind,          lt_is_client(link->kind),
        link->reason,  kind != LEAT_BROKER_ERROR && link->known ? link->id : NULL,
        link->address, link->port,
        link->retry_s,
    };

    return about;
}

int lt_tell(struct lt_tree *tree, leat_event *event, uint32_t kind, const struct lt_link *link)
{
    struct about about = about_link(kind, link);
    int status;

    /* The address may be another one before the event is taken back. */
    about.address =
        (const char *)lt_arena_copy(&tree->arena, about.address, strlen(about.address) + 1);
    status = about.address == NULL ? LEAT_E_NOMEM : tell(tree, event, &about);
    event->offset = link->session.consumed;
    return status;
}

static int keep(leat_broker *broker, const struct about *about)
{
    size_t length = about->address == NULL ? 0 : strlen(about->address) + 1;
    struct lt_untold *kept;
    char *address;

    if (broker->untold_count >= UNTOLD_MAX)
        return LEAT_OK;
    kept = (struct lt_untold *)lt_alloc_zero(&broker->allocator, sizeof *kept + length);
    if (kept == NULL)
        return LEAT_E_NOMEM;
    address = (char *)(kept + 1);
    kept->bytes = sizeof *kept + length;
    kept->about = *about;
    if (about->id != NULL) {
        memcpy(kept->id, about->id, sizeof kept->id);
        kept->about.id = kept->id;
    }
    if (about->address != NULL) {
        memcpy(address, about->address, length);
        kept->about.address = address;
    }
    *broker->untold_end = kept;
    broker->untold_end = &kept->next;
    broker->untold_count++;
    return LEAT_OK;
}

void lt_keep_untold(const struct lt_link *link)
{
    size_t i;

    for (i = 0; link->telling[i] != 0; i++) {
        const struct about about = about_link(link->telling[i], link);

        (void)keep(link->broker, &about);
    }
}

int lt_tell_invalid(leat_broker *broker, const char *address, uint32_t port, const uint8_t *id)
{
    const struct about about = {
        LEAT_BROKER_ERROR, false, PEER_INVALID, id, address, port, 0,
    };

    return keep(broker, &about);
}

/* The first of what waits stays until the next call: what is lent points into it. */
static void forget_told(leat_broker *broker)
{
    struct lt_untold *told = broker->untold;

    if (told == NULL || !broker->is_told)
        return;
    broker->untold = told->next;
    if (broker->untold == NULL)
        broker->untold_end = &broker->untold;
    broker->is_told = false;
    broker->untold_count--;
    lt_free(&broker->allocator, told, told->bytes);
}

int leat_broker_next(leat_broker *broker, const leat_event **event)
{
    forget_told(broker);
    if (broker->untold == NULL)
        return LEAT_MORE;
    lt_tree_clear(&broker->tree);
    if (tell(&broker->tree, &broker->event, &broker->untold->about) != LEAT_OK)
        return LEAT_E_NOMEM;
    broker->is_told = true;
    *event = &broker->event;
    return LEAT_OK;
}

size_t lt_untold_memory(const leat_broker *broker)
{
    const struct lt_untold *untold;
    size_t bytes = 0;

    for (untold = broker->untold; untold != NULL; untold = untold->next)
        bytes += untold->bytes;
    return bytes;
}

void lt_untold_free(leat_broker *broker)
{
    while (broker->untold != NULL) {
        broker->is_told = true;
        forget_told(broker);
    }
}
