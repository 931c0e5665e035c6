/*
 * An agent from the inside: agent.c is what it knows and says by itself, agent_request.c takes what a
 * controller wants, agent_answer.c makes the responses.
 *
 * It has a table of its nodes, by name, those of the last configuration. A request that waits keeps the
 * names of those that it is about, as the table may be another one when it is answered.
 */
#ifndef LT_ZEEK_AGENT_H
#define LT_ZEEK_AGENT_H

#include "manage.h"

#include <leat/zeek_agent.h>

enum lt_zeek_state {
    LT_ZEEK_PENDING,
    LT_ZEEK_RUNNING,
    LT_ZEEK_STOPPED,
    LT_ZEEK_FAILED,
    LT_ZEEK_CRASHED,
    LT_ZEEK_UNKNOWN,
    LT_ZEEK_STATES
};

/* What a request has to do with a node. */
enum lt_zeek_part { LT_ZEEK_NOT_MEANT, LT_ZEEK_OWN, LT_ZEEK_DOWN };

struct lt_zeek_node {
    const leat_value *record; /* Management::Node, in the table */
    int64_t pid;              /* -1: not known */
    uint8_t state;            /* enum lt_zeek_state */
    uint8_t told;             /* the one that others know of */
    uint8_t part;             /* enum lt_zeek_part, in the request that is looked at */
};

struct lt_zeek_nodes {
    struct lt_zeek_kept *kept; /* id, the configuration's, names and own; NULL: there was none */
    struct lt_zeek_node *node; /* by name */
    size_t count;
    size_t size;
    uint64_t request; /* the deployment that they are of; 0: the agent was put on standby since */
};

struct lt_zeek_request {
    struct lt_zeek_request *next;
    uint64_t number;
    uint64_t due_ms;
    uint32_t kind;
    struct lt_zeek_kept *kept;   /* reqid, own and down: names of nodes */
    struct lt_zeek_kept *others; /* reqids of the same deployment, which came since */
    bool answered;               /* all but the others */
};

struct leat_zeek_agent {
    struct lt_zeek_manage m;
    leat_zeek_agent_options options;
    char *topic;
    size_t topic_length;
    struct lt_zeek_text name; /* at the end of the topic */
    struct lt_zeek_nodes nodes;
    struct lt_zeek_request *first, **end; /* in the order in which they are due */
    uint64_t waiting;
    uint64_t numbers;   /* the last one that was given */
    uint64_t malformed; /* events that wait to be told */
    bool ticked;
    bool owes_hello;
    bool owes_changes;

    /* Of the response that is being made. */
    uint32_t kind; /* of the request */
    const leat_value *reqid;
};

/* Where lists of names stand in what is kept. */
#define LT_ZEEK_NAMES_AT 2

struct lt_zeek_node *lt_zeek_agent_find(const leat_zeek_agent *agent, struct lt_zeek_text name);
void lt_zeek_put_state(leat_builder *builder, const char *name, enum lt_zeek_state state);

/* Publishes m->args. As lt_zeek_manage_publish(). */
int lt_zeek_agent_say(leat_zeek_agent *agent, uint32_t kind);
/* Without memory it is owed. */
void lt_zeek_agent_say_hello(leat_zeek_agent *agent);
/* Says in which states nodes are now. LEAT_OK; LEAT_E_NOMEM: the rest is owed. */
int lt_zeek_agent_say_changes(leat_zeek_agent *agent);

/* The request of that number; NULL: none that waits. */
struct lt_zeek_request *lt_zeek_agent_waiting(const leat_zeek_agent *agent, uint64_t number);
/* Forgets a request. */
void lt_zeek_agent_remove(leat_zeek_agent *agent, struct lt_zeek_request *request);
void lt_zeek_agent_free_nodes(leat_zeek_agent *agent, struct lt_zeek_nodes *nodes);

/* ----- agent_answer.c ----- */

/* Answers with one Result that is about no node; error NULL: it went well. */
int lt_zeek_agent_respond(leat_zeek_agent *agent, uint32_t kind, const leat_value *reqid,
                          const char *error);

/* Why nodes are not asked for what is wanted of them: before and behind the name. */
extern const char *const lt_zeek_not_running[2];
extern const char *const lt_zeek_no_action[2];
extern const char *const lt_zeek_no_restart[2];

/* Answers a request of which nothing but nodes that are down is kept. */
int lt_zeek_agent_respond_down(leat_zeek_agent *agent, uint32_t kind,
                               const struct lt_zeek_kept *kept, const char *const *why);

/* The time of a request is over. LEAT_OK, or LEAT_E_NOMEM: not yet. */
int lt_zeek_agent_expire(leat_zeek_agent *agent, struct lt_zeek_request *request);

#endif
