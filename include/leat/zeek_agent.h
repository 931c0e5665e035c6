/*
 * An agent of Zeek's Management framework: it makes itself known to a controller, takes its requests
 * and answers each of them once. Starting and stopping nodes, whatever they are, is the caller's.
 *
 *     leat_zeek_agent_new(NULL, &options, broker, &agent);
 *     leat_zeek_agent_tick(agent, now_ms);                      first when you wake up
 *     for every event of the endpoint and of its sessions (broker_endpoint.h):
 *         if (leat_zeek_agent_take(agent, event) == LEAT_MORE)
 *             it is yours
 *     while (leat_zeek_agent_next(agent, &event) == LEAT_OK)
 *         remember what it asks for, then, maybe later,
 *         leat_zeek_agent_done(agent, request);
 *     leat_zeek_agent_node(agent, "worker-01", 9, LEAT_ZEEK_STATE_RUNNING, pid);
 *     sleep until leat_zeek_agent_deadline(agent), at most
 *
 * The time of an answer counts from the last tick before its request was taken.
 *
 * It subscribes to its topic, peers with the controller (again every second until it succeeds) or waits
 * to be connected to, and says notify_agent_hello to every peer that comes. A request that is not as
 * the framework has it is not answered, as by Zeek's agents, but told: see MALFORMED.
 *
 * It knows the nodes of the last configuration that are its own. What you need not know of it answers by
 * itself: a deployment of the configuration that it has already, what is asked of nodes that are not its
 * own or cannot be asked, and what you did not answer in time. A configuration that comes again, without
 * force, while you have yet to answer its deployment is answered when and as that one is.
 *
 * Source: management sections 5 and 6.4; zeek-notes section 7.
 */
#ifndef LEAT_ZEEK_AGENT_H
#define LEAT_ZEEK_AGENT_H

#include <leat/broker_endpoint.h>
#include <leat/event.h>
#include <leat/leat.h>
#include <leat/value.h>
#include <leat/zeek_management.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Kinds of what leat_zeek_agent_next() tells. A request that waits for your answer has the kind of its
 * event (zeek_management.h); its value is a record that begins with request, a number which no other
 * request has, and goes on with the arguments:
 *
 * AGENT_WELCOME_REQUEST  reqid: a controller wants this agent
 * AGENT_STANDBY_REQUEST  reqid: it does no longer; stop all nodes. They are STOPPED
 * DEPLOY_REQUEST         reqid, config, force and own, a list of those of its nodes that are this
 *                        agent's, by name, maybe none: stop all others and start these. They are
 *                        PENDING
 * GET_NODES_REQUEST      reqid
 * NODE_DISPATCH_REQUEST  reqid, action, nodes and own, a list of the names of those that are asked
 *                        and running
 * RESTART_REQUEST        reqid, nodes and own, a list of the names of those that are meant. They are
 *                        PENDING
 *
 * and besides:
 *
 * TIMED_OUT  request, event (its name): it was not answered in time; it has been answered with "request
 *            timed out" if it was a deployment or a restart
 * MALFORMED  see zeek_management.h: on the agent's topic. 64 wait at most, others are lost
 */

/* Fill it with leat_zeek_agent_options_init(), then change what you want. All that it points to is
 * copied. */
typedef struct leat_zeek_agent_options {
    uint64_t size;
    const char *name;               /* must be set: 1 to 255 octets, as configurations have it */
    const char *controller_address; /* "127.0.0.1"; NULL: the controller connects to us */
    uint32_t controller_port;       /* 2150 */
    uint32_t listen_port;           /* 2151: told by get_nodes if the controller connects */
    uint64_t retry_s;               /* 1: from a failed attempt to the next */
    uint64_t timeout_ms;            /* 5000: how long an answer may take */
    uint64_t requests; /* 64: most requests that wait for an answer, or to be told; others are
                          refused with "too many requests", as are those whose reqid has more than
                          1024 octets with "request id too long" */
    uint64_t nodes;    /* 4096: most nodes of its own; a configuration with more is refused with
                          "too many nodes" */
    int64_t pid;       /* -1: not told; else the agent's own, for get_nodes */
    const char *topic_prefix; /* LEAT_ZEEK_AGENT_TOPIC_PREFIX */
} leat_zeek_agent_options;

LEAT_API void leat_zeek_agent_options_init(leat_zeek_agent_options *options, size_t size);

typedef struct leat_zeek_agent leat_zeek_agent;

/*
 * Makes an agent: subscribes and wants a peering with the controller. Peers that are there already get
 * no hello, so make it before. LEAT_OK, LEAT_E_VALUE (not initialised; no name, or no prefix; a port
 * above 65535; leat_broker_peer() or leat_broker_subscribe() refuses), LEAT_E_LIMIT, LEAT_E_STATE (as
 * leat_broker_peer()), LEAT_E_NOMEM. *agent is yours to free, before the endpoint.
 */
LEAT_API int leat_zeek_agent_new(const leat_config *config, const leat_zeek_agent_options *options,
                                 leat_broker *broker, leat_zeek_agent **agent);
/* Frees it. Its subscription and the peering stay. NULL is fine. */
LEAT_API void leat_zeek_agent_free(leat_zeek_agent *agent);

/* Tells the time, like leat_tick(), and when to do so next; UINT64_MAX: never. */
LEAT_API void leat_zeek_agent_tick(leat_zeek_agent *agent, uint64_t now_ms);
LEAT_API uint64_t leat_zeek_agent_deadline(const leat_zeek_agent *agent);

/**
 * Looks at an event of the endpoint or of one of its sessions.
 *
 * LEAT_OK: it was for the agent; LEAT_MORE: it is not, or not for the agent alone (a peer that came);
 * LEAT_E_NOMEM: nothing was done, give it again.
 */
LEAT_API int leat_zeek_agent_take(leat_zeek_agent *agent, const leat_event *event);

/* The next thing to do or to know. LEAT_OK, LEAT_MORE (nothing). Valid until the next call of this. */
LEAT_API int leat_zeek_agent_next(leat_zeek_agent *agent, const leat_event **event);

/**
 * Answers a request.
 *
 * answer  A record of success (bool, missing: true) and error (text): so it went for all nodes
 *         concerned. If GET_NODES went well, it tells what the agent knows: itself and its nodes.
 *         A list. GET_NODES: of records of Management::NodeStatus. DEPLOY, NODE_DISPATCH, RESTART: of
 *         records of node, success, error and data: Management::NodeOutputs of a node that failed,
 *         what the action gives as text. Nodes of own that are missing have failed, without a text.
 *
 * What DEPLOY says of nodes also counts as leat_zeek_agent_node(): RUNNING or FAILED, unless there was
 * another deployment since, or a standby.
 *
 * LEAT_OK, LEAT_E_STATE (no such request, or it was answered or has timed out), LEAT_E_VALUE (NULL; not of
 * this form, a node that is not of own or there twice), LEAT_E_LIMIT, LEAT_E_NOMEM. Unless LEAT_OK the
 * request still waits; of a deployment that came again some may be answered then, and none is twice.
 *
 * Source: management section 5.1.
 */
LEAT_API int leat_zeek_agent_answer(leat_zeek_agent *agent, uint64_t request,
                                    const leat_value *answer);
/* Answers that all went well: an empty record. */
LEAT_API int leat_zeek_agent_done(leat_zeek_agent *agent, uint64_t request);

/**
 * Says how one of the agent's nodes is; get_nodes tells it, and node_dispatch goes to RUNNING ones
 * alone. If the state is another one, notify_change is published, as it is whenever the state changes.
 *
 * state  LEAT_ZEEK_STATE_*
 * pid    -1: not known, or as before
 *
 * LEAT_OK, LEAT_E_STATE (no such node in the configuration), LEAT_E_VALUE (no such state), LEAT_E_NOMEM.
 */
LEAT_API int leat_zeek_agent_node(leat_zeek_agent *agent, const char *node, size_t length,
                                  const char *state, int64_t pid);

/**
 * Publishes notify_error (kind LEAT_ZEEK_AGENT_NOTIFY_ERROR) or notify_log (..._NOTIFY_LOG).
 *
 * node  which it is about; NULL: none.
 *
 * LEAT_OK, LEAT_E_VALUE (another kind), LEAT_E_LIMIT, LEAT_E_NOMEM.
 */
LEAT_API int leat_zeek_agent_notify(leat_zeek_agent *agent, uint32_t kind, const char *text,
                                    size_t length, const char *node, size_t node_length);

/* The octets of memory that it holds. */
LEAT_API size_t leat_zeek_agent_memory(const leat_zeek_agent *agent);

#ifdef __cplusplus
}
#endif

#endif
