/*
 * A Broker endpoint: an id, subscriptions and peers, as every Zeek process has one. Each peer is a
 * session (session.h); the endpoint decides which of them lives, and who gets what.
 *
 *     leat_broker_tick(broker, now_ms);
 *     leat_broker_accept(broker, address, port, &session);      for every connection, and
 *     while (leat_broker_connect(broker, &session) == LEAT_OK)  for every attempt that is due:
 *         open a connection to leat_broker_address(session), leat_broker_port(session)
 *     drive the sessions until they end, then free them
 *     leat_broker_publish(broker, topic, length, data);
 *     while (leat_broker_next(broker, &event) == LEAT_OK)
 *         it belongs to no session
 *     while (leat_broker_ready(broker, &session) == LEAT_OK)
 *         it has something to write or to tell, or is over: drive it
 *     timeout = leat_broker_deadline(broker);
 *
 * What you do with one session may give another one something to write, so look at
 * leat_broker_ready() last; and what leat_send_data() lent you of one ends with the next call on the
 * endpoint or on any of its sessions. Sessions need not be ticked one by one. They may outlive the endpoint;
 * they end then. A connection that could not be made or that broke is leat_recv_eof(), or a session
 * that is freed.
 *
 * What leat_next() gives, in order. Of the kinds of broker.h: DATA that somebody else published and
 * that the endpoint subscribes to; COMMAND likewise, unless a store of the endpoint (broker_store.h)
 * takes it; ROUTING_UPDATE once it is in force; PONG that answers leat_broker_ping(); UNKNOWN, and
 * any of these with an error, for what could not be decoded, and goes no further. All else is done
 * by the session. And what befalls the peering, as Zeek's events of that name tell it:
 *
 * ENDPOINT_DISCOVERED   the handshake is done: "found a new peer in the network", and then
 * PEER_ADDED            "handshake successful"
 * PEER_REMOVED          it is over by us: "removed connection to remote peer", maybe with a reason
 * PEER_LOST             it is over by the peer or the network: "lost connection to remote peer"
 * ENDPOINT_UNREACHABLE  behind either: "lost the last path"
 * ERROR                 "peer_unavailable": an attempt of leat_broker_peer() failed; the next one
 *                       follows if it has a retry time
 *
 * DROP_CONN is told if the peer turned us away with one.
 *
 * A status is a record of endpoint and msg; endpoint is a record of id (LEAT_UUID), network (a record
 * of address, a text, and bound_port; LEAT_NULL if there is none) and retry_s. An error is a record of
 * code, name (both of section 8.2), endpoint (whose id is LEAT_NULL if it is not known) and msg.
 * Behind the last of them comes LEAT_END, or what was wrong with the peer.
 *
 * Zeek's names. Broker::listen is leat_broker_accept(): listening is yours. Broker::peer,
 * peer_no_retry, unpeer, peers, node_id, publish, subscribe, unsubscribe, forward are
 * leat_broker_<name>(); Broker::status is never raised, by Zeek neither.
 *
 * Source: spec sections 5 to 8.
 */
#ifndef LEAT_BROKER_ENDPOINT_H
#define LEAT_BROKER_ENDPOINT_H

#include <leat/broker.h>
#include <leat/builder.h>
#include <leat/leat.h>
#include <leat/session.h>
#include <leat/value.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What happens to a message for a peer that has too many of them waiting. */
#define LEAT_BROKER_DISCONNECT  0u /* the peering ends, without a goodbye */
#define LEAT_BROKER_DROP_NEWEST 1u /* that message is lost */
#define LEAT_BROKER_DROP_OLDEST 2u /* the one that waits longest is lost */

/* Fill it with leat_broker_options_init(), then change what you want. */
typedef struct leat_broker_options {
    uint64_t size;
    uint8_t id[16]; /* must be set, to random octets: a new id for every start */
    uint32_t
        forwarding; /* 0; 1: what comes from a peer is offered to all others, see spec section 6.4 */
    uint32_t overflow; /* LEAT_BROKER_DROP_OLDEST, as Zeek 7.2 and later */
    uint64_t
        queue_messages; /* 8192: most messages that wait for one peer, behind some 64 KiB of output */
    uint64_t filter_topics; /* 4096: most topics in a peer's filter */
    uint64_t handshake_ms;  /* 10 000: for a connection and its handshake together */
    uint64_t bye_ms;        /* 3000: how long a goodbye is waited for */
    uint64_t ping_ms; /* 0: never; else a peer that said nothing for so long is pinged, and lost
                                if it says nothing for as long again */
} leat_broker_options;

LEAT_API void leat_broker_options_init(leat_broker_options *options, size_t size);

typedef struct leat_broker leat_broker;

/*
 * Makes an endpoint; config is also that of its sessions. LEAT_OK, LEAT_E_VALUE (not initialised; an id
 * of zeros; no such overflow), LEAT_E_NOMEM. *broker is yours to free.
 */
LEAT_API int leat_broker_new(const leat_config *config, const leat_broker_options *options,
                             leat_broker **broker);
/* Frees it; what its sessions still have to write is theirs, and they end behind it. NULL is fine. */
LEAT_API void leat_broker_free(leat_broker *broker);

/* Tells the time, like leat_tick(). */
LEAT_API void leat_broker_tick(leat_broker *broker, uint64_t now_ms);

/* When leat_broker_tick() should be called next, and leat_broker_connect(); UINT64_MAX: never. */
LEAT_API uint64_t leat_broker_deadline(const leat_broker *broker);

/* The endpoint's id: 16 octets, valid as long as it. */
LEAT_API const uint8_t *leat_broker_node_id(const leat_broker *broker);

/* ----- peerings ----- */

/**
 * Wants a peering with whoever listens there. Every attempt is a session by leat_broker_connect().
 *
 * address  a name or an IP address; it is not looked at but by unpeer, and named in events.
 * retry_s  seconds from a failed attempt to the next; 0: there is one attempt. A peering that the other
 *          side ends is tried again at once, then after as long.
 *
 * A second one with the same address and port changes the first one's retry time and tries again if no
 * attempt goes on and there is no peering.
 *
 * LEAT_OK, LEAT_E_VALUE (an address that is empty or has more than 255 octets, or port 0),
 * LEAT_E_STATE (shutting down), LEAT_E_NOMEM.
 *
 * Source: spec section 5.5.
 */
LEAT_API int leat_broker_peer(leat_broker *broker, const char *address, uint32_t port,
                              uint64_t retry_s);
/* The same with retry_s 0. */
LEAT_API int leat_broker_peer_no_retry(leat_broker *broker, const char *address, uint32_t port);

/**
 * Ends the peering with that address and port, in order: all that waits is sent, the peer says that it
 * has it, or bye_ms pass. An attempt is broken off, and no other follows.
 *
 * LEAT_OK; LEAT_E_STATE: there is none. Then leat_broker_next() has the error "peer_invalid", as Broker
 * does. LEAT_E_NOMEM.
 *
 * Source: spec section 6.6.
 */
LEAT_API int leat_broker_unpeer(leat_broker *broker, const char *address, uint32_t port);
/* The same for the peer of that id (16 octets). */
LEAT_API int leat_broker_unpeer_id(leat_broker *broker, const uint8_t *id);

/**
 * The session of the next attempt that is due.
 *
 * session  yours to connect to leat_broker_address() and leat_broker_port(), to drive and to free: free
 *          it also if you could not connect.
 *
 * LEAT_OK, LEAT_MORE (nothing to do until the deadline), LEAT_E_NOMEM.
 */
LEAT_API int leat_broker_connect(leat_broker *broker, leat_session **session);

/*
 * The session of a connection that was accepted from that address, which is only named in events and
 * by unpeer. LEAT_OK, LEAT_E_VALUE (as leat_broker_peer()), LEAT_E_NOMEM. While shutting down it turns
 * the peer away.
 */
LEAT_API int leat_broker_accept(leat_broker *broker, const char *address, uint32_t port,
                                leat_session **session);

/*
 * Where a session of an endpoint leads to; "" and 0 for all others. Valid until the next call on the
 * endpoint or one of its sessions.
 */
LEAT_API const char *leat_broker_address(const leat_session *session);
LEAT_API uint32_t leat_broker_port(const leat_session *session);
/* The id of the peer, 16 octets, once it is known; NULL before. */
LEAT_API const uint8_t *leat_broker_peer_id(const leat_session *session);

/*
 * Writes a list of all peers whose id is known into a builder: records of peer (an endpoint as in
 * events), status (a LEAT_ENUM: CONNECTING or PEERED) and is_outbound.
 */
LEAT_API int leat_broker_peers(const leat_broker *broker, leat_builder *builder, const char *name);

/* Ends every peering in order, within bye_ms, every attempt at once, and takes no new ones. */
LEAT_API int leat_broker_shutdown(leat_broker *broker);

/*
 * The next event that belongs to no session: "peer_invalid", and those that a freed session did not
 * tell; 1024 wait at most, others are lost. LEAT_OK, LEAT_MORE: there is none, LEAT_E_NOMEM. Valid until
 * the next call of this.
 */
LEAT_API int leat_broker_next(leat_broker *broker, const leat_event **event);

/*
 * The next session that has something to write or to tell, or that is over, and had not when it was
 * named last; sessions that you just drove yourself may be among them. leat_session_user() leads to
 * your connection. LEAT_OK, LEAT_MORE: no more.
 */
LEAT_API int leat_broker_ready(leat_broker *broker, leat_session **session);

/* ----- messages ----- */

/**
 * Subscribes to all topics that begin with these octets, and tells all peers.
 *
 * LEAT_OK (also if it does already), LEAT_E_VALUE (more than 65535 octets, or what is local to an
 * endpoint: <$>/local/), LEAT_E_LIMIT (peers with our limits would not take the list of all topics:
 * filter_topics, handshake_bytes), LEAT_E_NOMEM.
 *
 * Source: spec section 6.5.
 */
LEAT_API int leat_broker_subscribe(leat_broker *broker, const char *topic, size_t length);
/*
 * Ends exactly that subscription; peers are told. LEAT_OK, LEAT_E_STATE (there is none), LEAT_E_LIMIT
 * (it covers others, which would be too many), LEAT_E_NOMEM.
 */
LEAT_API int leat_broker_unsubscribe(leat_broker *broker, const char *topic, size_t length);
/* Tells peers to send such topics, for others (forwarding) and not for leat_next(). */
LEAT_API int leat_broker_forward(leat_broker *broker, const char *topic, size_t length);

/**
 * Gives a value to all peers that subscribe to the topic. It is encoded once.
 *
 * LEAT_OK (also if there are none), LEAT_E_VALUE (no value of Broker, a topic as in subscribe; see
 * leat_broker_error()), LEAT_E_LIMIT (more than message_bytes), LEAT_E_NOMEM. Unless LEAT_OK nobody
 * gets it.
 *
 * Source: spec section 6.2.
 */
LEAT_API int leat_broker_publish(leat_broker *broker, const char *topic, size_t length,
                                 const leat_value *data);
/* The same to the peer of that id alone, whatever it subscribes to; LEAT_E_STATE: it is no peer. */
LEAT_API int leat_broker_publish_to(leat_broker *broker, const uint8_t *id, const char *topic,
                                    size_t length, const leat_value *data);

/**
 * Sends a ping behind all that waits for the peer; the answer is a PONG with the same payload, and says
 * that the peer has handled what came before it.
 *
 * payload  not one that begins with "BYE", which is a goodbye; nor "leat", as pings of ping_ms have it.
 *
 * LEAT_OK, LEAT_E_STATE (no peer), LEAT_E_VALUE, LEAT_E_LIMIT, LEAT_E_NOMEM.
 */
LEAT_API int leat_broker_ping(leat_session *session, const void *payload, size_t length);

/* What went through a session. */
typedef struct leat_broker_stats {
    uint64_t size;
    uint64_t sent;         /* messages, of all types, given to the peer */
    uint64_t received;     /* from the peer */
    uint64_t queued;       /* that wait now, behind the output of the session */
    uint64_t queued_bytes; /* their octets */
    uint64_t overflows;    /* that were lost because too many waited */
    uint64_t refused;   /* received that were not for us to take: of nobody, of ours, local ones */
    uint64_t strangers; /* received that name another sender than the peer, but were taken */
} leat_broker_stats;

/*
 * Fill size, then ask. LEAT_OK, LEAT_E_STATE (not a session of an endpoint), LEAT_E_VALUE (size was not
 * set).
 */
LEAT_API int leat_broker_get_stats(const leat_session *session, leat_broker_stats *stats);

/* Why the last call was refused; NULL if it was not. */
LEAT_API const leat_error *leat_broker_error(const leat_broker *broker);

/* The octets of memory that the endpoint holds, without its sessions. */
LEAT_API size_t leat_broker_memory(const leat_broker *broker);

#ifdef __cplusplus
}
#endif

#endif
