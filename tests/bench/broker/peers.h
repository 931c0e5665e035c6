/* Endpoints that are joined in memory, with their handshakes. */
#ifndef BENCH_PEERS_H
#define BENCH_PEERS_H

#include <leat/broker_endpoint.h>
#include <stdbool.h>

/* An endpoint whose id is made of a number; options may be NULL, their id does not count. */
leat_broker *open_endpoint(const leat_config *config, const leat_broker_options *options,
                           uint64_t number);

void subscribe(leat_broker *broker, const char *topic);

/* A connection between two endpoints. */
struct joint {
    leat_session *near; /* that accepted */
    leat_session *far;  /* that connected; NULL: its process was let go */
};

/* The second endpoint peers with the first; all events of that are drawn. */
void join(leat_broker *near, leat_broker *far, struct joint *joint);

/* An endpoint of its own that subscribes to these topics peers with another, and is let go. */
leat_session *join_stub(leat_broker *near, uint64_t number, const char *const *topics,
                        size_t count);

/* Draws all events. Returns how many of them were data. */
size_t draw(leat_session *session);

/* Moves what one has to write to the other, which draws it; how many data that were. */
size_t carry(leat_session *from, leat_session *to, bool *moved);

/* Carries both ways until there is nothing more. */
void settle(struct joint *joint);

/* Takes all that is to be written, as a socket would. Returns how many octets. */
size_t drain(leat_session *session);

#endif
