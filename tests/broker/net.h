/*
 * Endpoints on one clock, joined by pipes in memory: peers, meshes and stores without a network. What
 * happens is the same on every run.
 */
#ifndef T_BROKER_NET_H
#define T_BROKER_NET_H

#include "../support.h"

#include <leat/broker_endpoint.h>

#define NET_NODES 256u
#define NET_PORT  9999u

struct net_pipe {
    struct net_pipe *next;
    leat_session
        *sessions[2]; /* of the node that connected, of the one that accepted; NULL: freed */
    size_t nodes[2];
    bool stalled[2];           /* this one does not read */
    bool ended[2];             /* this one was told the end of the stream */
    bool idle[2];              /* with named_only: nothing says that this one has work */
    struct t_bytes passing[2]; /* what comes from this one and is not yet a whole frame */
};

struct net_node {
    leat_broker *broker; /* NULL: it is down */
    bool listens;
    uint8_t lives; /* how often it was started again */
    struct t_bytes
        log;     /* a line for all that leat_next() and leat_broker_next() told, see net_log() */
    size_t data; /* DATA events */
    size_t data_octets;
};

struct net {
    struct net_node nodes[NET_NODES];
    size_t count;
    struct net_pipe *pipes;
    uint64_t now_ms;
    size_t cut;    /* octets that pass at once; 0: all */
    size_t frames; /* that were delivered (with keep) */
    bool quiet;    /* nothing is written into logs */
    bool internet; /* nodes have the addresses 10.0.<node / 250>.<node % 250 + 1>, not "n<node>" */
    /* Drives only sessions that leat_broker_ready() names, that got octets, or have some to write. */
    bool named_only;
    const leat_config *config;
    /* Whether a frame of the operational phase arrives; NULL: all do. */
    bool (*keep)(void *context, size_t from, size_t to, const uint8_t *body, size_t length);
    void *context;
    /* Called for every event of a session or (session NULL) of an endpoint. NULL: none. */
    void (*event)(void *context, size_t node, leat_session *session, const leat_event *event);
    /* What stands on top of the endpoints: when it is due, and what it does then. NULL: nothing. */
    uint64_t (*deadline)(void *context);
    void (*tick)(void *context);
};

/* Zeroed; then net_add() for each node. */
void net_init(struct net *net);
void net_free(struct net *net);

/* The id of the node's endpoint: its number plus 1, and 15 octets of the same modulo 127. */
void net_id(size_t node, uint8_t id[16]);

/* Where others find it. */
void net_address(const struct net *net, size_t node, char address[24]);

/* A node that listens, with these options but for the id (NULL: the default). Gives its number. */
size_t net_add(struct net *net, const leat_broker_options *options);

/* Its process dies: no goodbye, all connections break. */
void net_kill(struct net *net, size_t node);
/* And is there again, with another id: the last octet has bit 7 set; later ones differ in the one
 * before it. */
void net_restart(struct net *net, size_t node, const leat_broker_options *options);

leat_broker *net_broker(struct net *net, size_t node);

/* leat_broker_peer() to the address of the node; LEAT_OK or the test fails. */
void net_peer(struct net *net, size_t from, size_t to, uint64_t retry_s);
void net_subscribe(struct net *net, size_t node, const char *topic);
/* Publishes a text. */
void net_publish(struct net *net, size_t node, const char *topic, const char *text);

/* Connections between the two nodes that are not over, and the first of them; NULL: there is none. */
size_t net_pipes(const struct net *net, size_t a, size_t b);
struct net_pipe *net_pipe(struct net *net, size_t a, size_t b);
/* The session of that node in it. */
leat_session *net_session(struct net_pipe *pipe, size_t node);
/* All of them break. */
void net_cut(struct net *net, size_t a, size_t b);

/* Until nothing more happens at this time. */
void net_run(struct net *net);
/* Lets time pass, with all that happens in it. */
void net_advance(struct net *net, uint64_t ms);

/*
 * What a node was told, and forgets it: "peer_added n1 \"handshake successful\"; data /a \"x\"; ...".
 * Yours to free().
 */
char *net_log(struct net *net, size_t node);
/* Asserts it. */
void net_told(struct net *net, size_t node, const char *log);

#endif
