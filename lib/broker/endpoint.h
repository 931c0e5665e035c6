/*
 * An endpoint from the inside.
 *
 * A link is a session of an endpoint: a native peer, or a client of the WebSocket protocol. It knows
 * the subscriptions of the other side and has a queue of messages for it; the endpoint walks its links
 * to publish. What is alike for both kinds is here, link.c, link_send.c, route.c and announce.c; what a
 * native peer says and hears is in peer.c, who may peer is in peering.c.
 */
#ifndef LT_BROKER_ENDPOINT_H
#define LT_BROKER_ENDPOINT_H

#include "../core/inside.h"
#include "../core/session.h"
#include "message.h"
#include "outbox.h"
#include "topics.h"

#include <leat/broker_endpoint.h>
#include <leat/broker_store.h>

#include <stdbool.h>

#define LT_ADDRESS_MAX 255u /* octets */

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

/* What a native peer does otherwise than a client of the WebSocket protocol. */
struct lt_link_kind {
    /* Writes data as a client gets them: see websocket.h. NULL: it is a native, and gets frames. */
    int (*text)(struct lt_writer *out, const char *topic, size_t length, const leat_value *data,
                struct leat_error *error);
    void (*expire)(struct lt_link *link); /* what was due is; it is due no longer */
    void (*leave)(struct lt_link *link);  /* says goodbye, of one that is up; or ends it at once */
};

static inline bool lt_is_client(const struct lt_link_kind *kind)
{
    return kind->text != NULL;
}

/* Of a peering that is quiet this is most of the memory, so it has no holes. */
struct lt_link {
    leat_session session;
    const struct lt_link_kind *kind;
    leat_broker *broker; /* NULL: it was freed */
    bool known;          /* the id is */
    bool outbound;
    bool is_ready;  /* in the list of the ready */
    bool is_holder; /* of its id: see peering.c */
    bool pinged;    /* since heard_ms */
    bool outdated;  /* what we subscribe to has changed since it was told, in the handshake */
    uint8_t state;  /* enum lt_link_state */
    uint8_t step;   /* of the handshake; for the kind of link to use */
    uint8_t id[16];
    uint8_t telling[5]; /* kinds of status that wait to be told, first things first; 0 ends them */
    uint8_t reason;     /* of PEER_REMOVED: 0, or why */
    uint32_t port;
    uint32_t timer_at; /* in the heap of those that are due; UINT32_MAX: it is not */
    uint32_t goodbye;  /* the number in ours */
    char *address;
    uint64_t retry_s;
    struct lt_peering *peering; /* by leat_broker_peer(); NULL: it came in from outside */
    struct lt_link_hook all, ready;
    struct lt_link *target;  /* the next one that a message is for, while it is posted */
    struct lt_topics filter; /* what the other side subscribes to */
    struct lt_outbox outbox;
    uint64_t due; /* when kind->expire() is to be called; UINT64_MAX: never */
    uint64_t received, refused, strangers;
    uint64_t heard_ms; /* when the other side last said something */
};

struct leat_broker {
    leat_allocator allocator;
    leat_config config; /* of sessions: points to the two below */
    leat_limits limits;
    struct leat_broker_options options;
    uint64_t now_ms;
    bool shutting_down;
    bool resuming;               /* links that were paused */
    bool has_news;               /* for stores, see lt_broker_give_news() */
    struct lt_topics subscribed; /* what leat_next() gives */
    struct lt_topics forwarded;  /* by leat_broker_forward() */
    struct lt_topics attached;   /* by lt_broker_attach() ... */
    uint32_t *attachments;       /* ... and how often */
    size_t attachments_size;
    struct lt_topics announced; /* all three, without those that others cover */
    struct lt_link_ends all, ready;
    struct lt_link **timers;  /* a heap */
    struct lt_link **holders; /* of ids, by id */
    size_t timer_count, holder_count, link_count;
    size_t timers_size, holders_size; /* never less than link_count */
    size_t paused_count;
    size_t client_count;
    uint32_t goodbyes;
    uint64_t attempt_due;   /* not later than the first one that is */
    struct lt_writer frame; /* the message that is posted, by form */
    struct lt_writer text;
    struct lt_writer control;               /* what is said to one link */
    struct lt_untold *untold, **untold_end; /* what freed sessions did not tell */
    bool is_told;                           /* the first of it was, and is lent */
    uint32_t untold_count;
    struct lt_tree tree; /* of what leat_broker_next() lends */
    leat_event event;
    struct lt_peering *peerings;
    struct leat_broker_store *stores;
    uint64_t objects; /* the last number of an object that a store was given */
    struct leat_error error;
};

/* ----- links ----- */

/*
 * Makes a link, with the broker's allocator and limits; dialect->bytes covers a struct lt_link at its
 * front. LEAT_OK, LEAT_E_VALUE (the address), LEAT_E_NOMEM.
 */
LT_INSIDE int lt_link_new(leat_broker *broker, const struct lt_dialect *dialect,
                          const struct lt_link_kind *kind, const char *address, uint32_t port,
                          struct lt_link **link);

/* For dialects: tick, deadline, release, trim, memory, sent. */
LT_INSIDE void lt_link_tick(leat_session *session);
LT_INSIDE uint64_t lt_link_deadline(const leat_session *session);
LT_INSIDE void lt_link_release(leat_session *session);
LT_INSIDE void lt_link_trim(leat_session *session);
LT_INSIDE size_t lt_link_memory(const leat_session *session);
LT_INSIDE void lt_link_sent(leat_session *session);

/*
 * What leat_next() does first: it tells the next thing that is to be told, or ends the session if all
 * of an ended link was told. True: *status is what to answer.
 */
LT_INSIDE bool lt_link_next(struct lt_link *link, int *status);

/* The other side is there: it gets messages from now on; discovered and added are told. */
LT_INSIDE void lt_link_up(struct lt_link *link);

/*
 * It is over: kind, LEAT_BROKER_PEER_REMOVED or _LOST, is told if it was up, with a reason, and
 * leat_next() says LEAT_END behind that. What waits in the session's output is still written; what
 * waits in the outbox is not.
 */
#define LT_REASON_NONE     0u
#define LT_REASON_OVERFLOW 1u
LT_INSIDE void lt_link_down(struct lt_link *link, uint32_t kind, uint8_t reason);

/*
 * The same if the peer is to blame, or memory: it was lost, and leat_next() says this failure behind
 * that. As lt_fail(). Unless it has failed before.
 */
LT_INSIDE void lt_link_fail(struct lt_link *link, int code, size_t at, const char *what,
                            const char *field);

/* Names it in leat_broker_ready(). */
void lt_link_ready(struct lt_link *link);

/* Sets when kind->expire() is to be called; UINT64_MAX: never. */
LT_INSIDE void lt_link_due(struct lt_link *link, uint64_t due);

/* Takes it out of its broker. */
void lt_link_leave(struct lt_link *link);

/*
 * A message for several links: those that cannot write all of it at once share a parcel; room is
 * reserved in each of them before the first one is given it.
 */
bool lt_link_must_wait(const struct lt_link *link, size_t length);
bool lt_link_reserve(struct lt_link *link, size_t length);
void lt_link_give(struct lt_link *link, const void *octets, size_t length, struct lt_parcel *parcel,
                  bool control);

/* Most of what can neither be dropped nor counted: subscriptions, pings and answers to them. */
#define LT_CONTROLS_MAX 1024u

/* A message for this link alone, behind all that waits. LEAT_OK, LEAT_E_NOMEM. */
LT_INSIDE int lt_link_send(struct lt_link *link, const void *octets, size_t length, bool control);

/* So many octets wait for it, in its output or behind that. */
uint64_t lt_link_waiting(const struct lt_link *link);

/* ----- who may peer (peering.c) ----- */

/* The link that has reserved the id, being in its handshake or up; NULL: none. */
LT_INSIDE struct lt_link *lt_holder(const leat_broker *broker, const uint8_t id[16]);
LT_INSIDE void lt_hold_id(struct lt_link *link);
/* Gives it back; what is paused behind it goes on. */
void lt_release_id(struct lt_link *link);
/* It is up: what is paused behind it is redundant. */
void lt_turn_away_paused(struct lt_link *link);
void lt_peerings_free(leat_broker *broker);
size_t lt_peerings_memory(const leat_broker *broker);

/* The link is over. True: it was an attempt of ours that failed, which is to be told. */
bool lt_peering_over(struct lt_link *link, bool was_up, uint32_t kind);

/* A redundant connection: what was wanted is there already. */
void lt_peering_adopt(struct lt_link *redundant, struct lt_link *established);

/* A connection that came in, or an attempt; peer.c. */
int lt_peer_new(leat_broker *broker, bool outbound, const char *address, uint32_t port,
                struct lt_link **link);
/* What was paused goes on: with the handshake, or (redundant) by being turned away. */
void lt_peer_resume(struct lt_link *link, bool redundant);

/* Tells a peer what is announced. */
void lt_peer_say_filter(struct lt_link *link);

/* ----- messages ----- */

/*
 * A message that goes to links, encoded at most once in each form. octets is a whole frame; it is NULL
 * until somebody needs it, then value is encoded. from is who said it: a link, which does not get it
 * back, or NULL: this endpoint.
 */
struct lt_broker_post {
    const struct lt_link *from;
    const uint8_t *sender;   /* with from: whom it names, who does not get it either */
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
 * WebSocket protocol (data only) as kind->text() writes it.
 * LEAT_OK, LEAT_E_VALUE, LEAT_E_LIMIT, LEAT_E_NOMEM (broker->error); unless LEAT_OK nobody gets it.
 */
LT_INSIDE int lt_broker_post(leat_broker *broker, const struct lt_broker_post *post);

/* ----- stores (store.c) ----- */

/* A command that came from a link for this endpoint. True: a store took it. */
bool lt_stores_take(leat_broker *broker, const leat_value *envelope);
/*
 * A peer is there or gone, or its filter has changed. Stores learn it when nothing else is going on,
 * as they may publish.
 */
void lt_stores_meet(leat_broker *broker);
LT_INSIDE void lt_broker_give_news(leat_broker *broker);
void lt_stores_tick(leat_broker *broker);
uint64_t lt_stores_deadline(const leat_broker *broker);
/* The endpoint is freed; stores live on without it until they are. */
void lt_stores_leave(leat_broker *broker);

/*
 * Topics of a store or of a client, which are announced as often as they are attached more than
 * detached. LEAT_OK, LEAT_E_LIMIT (peers would not take so many), LEAT_E_NOMEM.
 */
LT_INSIDE int lt_broker_attach(leat_broker *broker, const struct lt_topics *topics);
LT_INSIDE void lt_broker_detach(leat_broker *broker, const struct lt_topics *topics);

/* Whether something can be published there. LEAT_OK, LEAT_E_VALUE. */
int lt_broker_check_topic(leat_broker *broker, const char *topic, size_t length);

/*
 * For stores: whether a peer subscribes to the topic; exact: names it so in its filter. id, if not
 * NULL: only the peer of that id counts (without a look at its filter if topic is NULL).
 */
bool lt_broker_is_announced(const leat_broker *broker, const uint8_t *id, const char *topic,
                            size_t length, bool exact);

#endif
