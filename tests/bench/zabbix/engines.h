/* A proxy and its server, for benches: one takes values, the other is told of them. */
#ifndef BENCH_ENGINES_H
#define BENCH_ENGINES_H

#include "messages.h"

#include <leat/zabbix_proxy.h>
#include <leat/zabbix_server.h>

enum side { PROXY, SERVER, SIDES };

struct engines {
    leat_zabbix_proxy *proxy;
    leat_zabbix_server *server;
    uint64_t now_ms;
    uint64_t handed;       /* values that the proxy was given */
    uint64_t handed_sum;   /* what is added of them, with the ids that they got */
    uint64_t told;         /* values that the server's caller was told of */
    uint64_t told_sum;     /* and what is added of these */
    uint64_t acknowledged; /* values that the proxy's caller knows to be there */
    double seconds[SIDES]; /* in memory: the work of the sessions of each side */
};

/* The server knows the proxy, by the connections of that sum. batch_rows: of the proxy's options. */
void open_engines(struct engines *e, const leat_config *config, uint32_t connections,
                  uint64_t batch_rows);
void close_engines(struct engines *e);

/* Lets a second pass, so that values may be sent again. */
void pass_second(struct engines *e);

/* Gives the values of a message to the proxy. */
void hand_in(struct engines *e, const struct message *m);

/* The session of a connection that the proxy opens, or that the server accepts, plain. */
bool open_proxy_session(struct engines *e, leat_session **session);
leat_session *open_server_session(struct engines *e);

/* Draws the events that are there. What leat_next() said last. */
int draw(struct engines *e, enum side side, leat_session *session);

/* Does all that is due, in memory. Returns how many exchanges it took. */
size_t run_in_memory(struct engines *e);

/* Fails unless all values that were handed in came through, once. */
void check_engines(const struct engines *e);

#endif
