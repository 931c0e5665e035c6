/*
 * An endpoint from the inside.
 *
 * A link is a session of an endpoint: a native peer, or a client of the WebSocket protocol. It knows
 * the subscriptions of the other side and has a queue of messages for it; the endpoint walks its links
 * to publish. What is alike for both kinds is here, link.c and route.c; what a native peer says and
 * hears is in peer.c, who may peer is in peering.c.
 */
#ifndef LT_BROKER_ENDPOINT_H
#define LT_BROKER_ENDPOINT_H

#include "../core/session.h"
#include "message.h"
#include "outbox.h"
#include "topics.h"

#include <leat/broker_endpoint.h>

#include <stdbool.h>

struct lt_store; /* a master or a clone, see store.h */
struct lt_peering;
struct lt_link;

/* Where a link stands. */
enum lt_link_state {
    LT_LINK_HANDSHAKE,
    LT_LINK_PAUSED, /* another link to the same id is in its handshake: see spec section 5.3 */
    LT_LINK_UP,
    LT_LINK_LEAVING, /* up, and we have said goodbye */
    LT_LINK_OVER
};

/* Sessions in a list; a link is in several. */
struct lt_link_ends {
    struct lt_link *first;
    struct lt_link *last;
};
struct lt_link_hook {
    struct lt_link *previous;
    struct lt_link *next;
};

struct lt_link {
    leat_session session;
    leat_broker *broker; /* NULL: it was freed */
    bool websocket;
    bool known; /* the id is */
    bool outbound;
    bool is_ready; /* in the list of the ready */
    uint8_t state; /* enum lt_link_state */
    uint8_t step;  /* of the handshake; for the kind of link to use */
    uint8_t id[16];
    char *address;
    uint32_t port;
    uint64_t retry_s;
    struct lt_peering *peering; /* by leat_broker_peer(); NULL: it came in from outside */
    struct lt_link_hook all, ready, timer;
    struct lt_topics filter; /* what the other side subscribes to */
    struct lt_outbox outbox;
    uint64_t due;       /* when leat_tick() has something to do; UINT64_MAX: never */
    uint8_t telling[5]; /* kinds of status that wait to be told, first things first; 0 ends them */
    uint8_t reason;     /* of PEER_REMOVED: 0, or why */
    uint64_t received, refused, strangers;
};

struct leat_broker {
    leat_allocator allocator;
    leat_config config; /* of sessions: points to the two below */
    leat_limits limits;
    struct leat_broker_options options;
    uint64_t now_ms;
    bool shutting_down;
    struct lt_topics subscribed; /* what leat_next() gives */
    struct lt_topics forwarded;  /* by leat_broker_forward() */
    struct lt_topics attached;   /* by lt_broker_attach() */
    struct lt_topics announced;  /* all three, without those that others cover */
    struct lt_link_ends all, ready;
    struct lt_peering *peerings;
    struct lt_store *stores;
    leat_builder *builder; /* of values that are told or sent seldom */
    struct leat_error error;
};

/* ----- links ----- */

/*
 * Makes a link, with the broker's allocator and limits; dialect->bytes covers a struct lt_link at its
 * front. LEAT_OK, LEAT_E_VALUE (the address), LEAT_E_NOMEM.
 */
int lt_link_new(leat_broker *broker, const struct lt_dialect *dialect, const char *address,
                uint32_t port, struct lt_link **link);

/* For dialect->release: takes it out of its broker, tells what there is still to tell, frees all. */
void lt_link_release(leat_session *session);
size_t lt_link_memory(const leat_session *session);
void lt_link_trim(leat_session *session);

/* The other side is there: it gets messages from now on; discovered and added are told. */
void lt_link_up(struct lt_link *link);

/*
 * It is over: kind LEAT_BROKER_PEER_REMOVED or _LOST is told if it was up, with a reason
 * (LT_REASON_*), and leat_next() says LEAT_END behind that. What waits in the session's output is
 * still written; what waits in the queue is not.
 */
#define LT_REASON_NONE     0u
#define LT_REASON_OVERFLOW 1u
void lt_link_down(struct lt_link *link, uint32_t kind, uint8_t reason);

/* Puts the next thing that is to be told into session->event; false: there is none. */
bool lt_link_tell(struct lt_link *link);

/* Names it in leat_broker_ready(). */
void lt_link_ready(struct lt_link *link);

/* Sets when its tick is due; UINT64_MAX: never. */
void lt_link_due(struct lt_link *link, uint64_t due);

/* ----- messages ----- */

/*
 * A message that goes to links, encoded at most once in each form. octets is a whole frame; it is NULL
 * until somebody needs it, then value is encoded. from is who said it: a link, which does not get it
 * back, or NULL: this endpoint.
 */
struct lt_broker_post {
    const struct lt_link *from;
    bool forwarding;         /* natives get what is from a link, too */
    const uint8_t *receiver; /* 16 octets; NULL: all that subscribe */
    uint8_t type;            /* LT_BROKER_DATA, LT_BROKER_COMMAND */
    const char *topic;
    size_t topic_length;
    const leat_value *value; /* of the payload: data, or the record of a command */
    const uint8_t *payload;  /* the same as octets, if they are there already */
    size_t payload_length;
};

/*
 * Gives it to the links that it is for: natives as a frame in the broker's name, clients of the
 * WebSocket protocol (data only) as lt_websocket_text() writes it.
 * LEAT_OK, LEAT_E_VALUE, LEAT_E_LIMIT, LEAT_E_NOMEM (broker->error); unless LEAT_OK nobody gets it.
 */
int lt_broker_post(leat_broker *broker, const struct lt_broker_post *post);

/* Appends a message for one link, behind all that waits. As outbox.h says. */
int lt_link_send(struct lt_link *link, const void *octets, size_t length, bool control);

/* For dialect->sent: moves what waits in the queue into the output that was written. */
void lt_link_sent(leat_session *session);

/* ----- stores (store.c) ----- */

/* A command that came from a link for this endpoint. True: a store took it. */
bool lt_stores_take(leat_broker *broker, const leat_value *envelope);
/* A peer is there or gone, or its filter has changed. */
void lt_stores_meet(leat_broker *broker);
void lt_stores_tick(leat_broker *broker);
uint64_t lt_stores_deadline(const leat_broker *broker);
/* The endpoint is freed; stores live on without it until they are. */
void lt_stores_leave(leat_broker *broker);

/*
 * A topic of a store or of a client, which is announced as often as it is attached more than detached.
 * LEAT_OK or LEAT_E_NOMEM.
 */
int lt_broker_attach(leat_broker *broker, const char *topic, size_t length);
void lt_broker_detach(leat_broker *broker, const char *topic, size_t length);

/*
 * For stores: whether a peer subscribes to the topic; exact: names it so in its filter. id, if not
 * NULL: only the peer of that id counts (without a look at its filter if topic is NULL).
 */
bool lt_broker_is_announced(const leat_broker *broker, const uint8_t *id, const char *topic,
                            size_t length, bool exact);

#endif
