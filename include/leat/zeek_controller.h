/*
 * A controller of Zeek's Management framework: it knows the agents that come, takes configurations of
 * clients, deploys them to agents and tells clients what these answer. Clients reach it like any peer
 * that publishes on its topic: over the native protocol, or, as the framework's own client does, over
 * WebSocket (leat_broker_websocket_accept(), flavour ZEEK).
 *
 *     leat_zeek_controller_new(NULL, &options, broker, &controller);
 *     leat_zeek_controller_restore(controller, what was deployed last);
 *     leat_zeek_controller_tick(controller, now_ms);
 *     for every event of the endpoint and of its sessions (broker_endpoint.h):
 *         if (leat_zeek_controller_take(controller, event) == LEAT_MORE)
 *             it is yours
 *     while (leat_zeek_controller_next(controller, &event) == LEAT_OK)
 *         write it down, and keep what was deployed
 *     sleep until leat_zeek_controller_deadline(controller), at most
 *
 * Tick first when you wake up: the time of a request runs from the last tick before it.
 *
 * A response of an agent is believed by its topic, its request id and its sender, which is who has said
 * hello with that name.
 *
 * It answers every request of a client once, at the latest when the time is over, but for
 * test_timeout_request without state, which is there to be left alone. Where Zeek's controller leaves a
 * client waiting, or an agent out, this one does not:
 *
 * - an instance of a configuration whose host or listen_port has changed is put on standby, welcomed and
 *   deployed to in one go; 0.0.0.0 and the address that its agent is seen to have are the same host;
 * - a host of 0.0.0.0 is filled in with the address of the agent when the configuration is sent;
 * - a configuration is sent to agents that come (back) alone, not to all of them again;
 * - an agent that is lost is no longer waited for, unless for its part of a deployment when it returns:
 *   the results tell "instance not connected", as they do of those that were not there when asked,
 *   "instance not ready" of those that have not taken the welcome, and in front of "request timed out"
 *   both of all that a deployment has waited for;
 * - a response that cannot be read counts as one: "malformed response";
 * - what agents say in Results that is not UTF-8 has ? in place of each such octet, as JSON has no form
 *   for it;
 * - a client's deployment takes the place of one that the controller began by itself.
 *
 * Source: management sections 6.1 to 6.4; zeek-notes section 7.
 */
#ifndef LEAT_ZEEK_CONTROLLER_H
#define LEAT_ZEEK_CONTROLLER_H

#include <leat/broker_endpoint.h>
#include <leat/event.h>
#include <leat/leat.h>
#include <leat/value.h>
#include <leat/zeek_management.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Kinds of what leat_zeek_controller_next() tells. A client's request and the response to it, a
 * request of leat_zeek_controller_request() and the response to that, and what agents notify
 * (NOTIFY_CHANGE, NOTIFY_ERROR, NOTIFY_LOG) have the kind and the name of their event
 * (zeek_management.h); the value is a record of the arguments. And besides:
 *
 * NOTIFY_AGENTS_READY  instances, a set of their names: all agents that are wanted are ready
 * INSTANCE       instance, what (see below), host, listen_port (LEAT_NULL: it connects), id (LEAT_UUID,
 *                of its endpoint; LEAT_NULL: not known)
 * CONFIGURATION  what, "staged" or "deployed", and configuration, as it was sent to agents if it was
 *                deployed: keep this for leat_zeek_controller_restore(), before you write what the
 *                sessions have queued, so that no client hears of what is not kept
 * TIMED_OUT      reqid, event (its name): of a client's request, which has been answered so
 * MALFORMED      see zeek_management.h: on the controller's topic, or an agent's; also a hello of another
 *                version of the API
 *
 * what happened to an instance is a text: "known": its agent has said hello; "ready": it has taken the
 * welcome; "standby": it is no longer wanted; "refused": it has refused the welcome; "lost": its peering
 * is over; "version": its hello is of another version of the API; "stranger": its hello names an endpoint
 * that is no peer, or not the one that sent it; "limit": it would be one instance too many.
 */

/* Fill it with leat_zeek_controller_options_init(), then change what you want. All that it points to is
 * copied. */
typedef struct leat_zeek_controller_options {
    uint64_t size;
    uint32_t port; /* 2150: its native port, which no node of a configuration may have */
    uint32_t auto_assign_broker_ports; /* 1: managers, loggers and proxies get ports, from ... */
    uint32_t auto_assign_broker_start_port;  /* 2200 */
    uint32_t auto_assign_metrics_ports;      /* 1: all nodes get metrics ports, from ... */
    uint32_t auto_assign_metrics_start_port; /* 9000 */
    uint64_t retry_s;                        /* 1: of peerings with agents that listen */
    uint64_t timeout_ms;                     /* 10 000: how long a client's request may take */
    uint64_t requests;  /* 256: most that wait; others are refused with "too many requests", and
                           those whose reqid has more than 1024 octets "request id too long" */
    uint64_t instances; /* 4096: most instances that are known or wanted */
    uint64_t events; /* 4096: most that wait for leat_zeek_controller_next(); later ones are lost */
    const char *topic;        /* LEAT_ZEEK_CONTROLLER_TOPIC */
    const char *topic_prefix; /* LEAT_ZEEK_AGENT_TOPIC_PREFIX: of the agents */
} leat_zeek_controller_options;

LEAT_API void leat_zeek_controller_options_init(leat_zeek_controller_options *options, size_t size);

typedef struct leat_zeek_controller leat_zeek_controller;

/*
 * Makes a controller: subscribes to both topics. Make it before the endpoint has peers. LEAT_OK,
 * LEAT_E_VALUE (not initialised; a port of 0 or above 65535; leat_broker_subscribe() refuses),
 * LEAT_E_LIMIT, LEAT_E_NOMEM. *controller is yours to free, before the endpoint.
 */
LEAT_API int leat_zeek_controller_new(const leat_config *config,
                                      const leat_zeek_controller_options *options,
                                      leat_broker *broker, leat_zeek_controller **controller);
/* Frees it. Its subscriptions and peerings stay. NULL is fine. */
LEAT_API void leat_zeek_controller_free(leat_zeek_controller *controller);

/* Tells the time, like leat_tick(), and when to do so next; UINT64_MAX: never. */
LEAT_API void leat_zeek_controller_tick(leat_zeek_controller *controller, uint64_t now_ms);
LEAT_API uint64_t leat_zeek_controller_deadline(const leat_zeek_controller *controller);

/**
 * Looks at an event of the endpoint or of one of its sessions.
 *
 * LEAT_OK: it was for the controller; LEAT_MORE: it is not, or not for the controller alone (a peer
 * that came or went); LEAT_E_NOMEM: nothing was done, give it again.
 */
LEAT_API int leat_zeek_controller_take(leat_zeek_controller *controller, const leat_event *event);

/* The next thing to know. LEAT_OK, LEAT_MORE (nothing), LEAT_E_NOMEM. Valid until the next call of
 * this. */
LEAT_API int leat_zeek_controller_next(leat_zeek_controller *controller, const leat_event **event);

/**
 * Asks the controller as a client does. The response is not published; it comes by
 * leat_zeek_controller_next() alone.
 *
 * kind  LEAT_ZEEK_CONTROLLER_*_REQUEST
 * args  as in leat_zeek_management_write(); the reqid is yours to choose
 * flaw  as there
 *
 * LEAT_OK, LEAT_E_VALUE (another kind; not the arguments of it), LEAT_E_LIMIT, LEAT_E_NOMEM.
 */
LEAT_API int leat_zeek_controller_request(leat_zeek_controller *controller, uint32_t kind,
                                          const leat_value *args, leat_zeek_management_flaw *flaw);

/**
 * Takes a configuration for the deployed one, as a controller does that was restarted: it is deployed
 * again as soon as all its agents are there, which no client hears of.
 *
 * configuration  Management::Configuration by names, as CONFIGURATION had it or as JSON has that (see
 *                leat_zeek_management_write()). NULL: none was.
 *
 * LEAT_OK, LEAT_E_VALUE (none of these), LEAT_E_STATE (there was a deployment already), LEAT_E_LIMIT,
 * LEAT_E_NOMEM.
 */
LEAT_API int leat_zeek_controller_restore(leat_zeek_controller *controller,
                                          const leat_value *configuration);

/*
 * Writes a list of all instances that are known or wanted into a builder: records of name, host,
 * listen_port, known, wanted and ready (bools).
 */
LEAT_API int leat_zeek_controller_instances(const leat_zeek_controller *controller,
                                            leat_builder *builder, const char *name);

/* The octets of memory that it holds. */
LEAT_API size_t leat_zeek_controller_memory(const leat_zeek_controller *controller);

#ifdef __cplusplus
}
#endif

#endif
