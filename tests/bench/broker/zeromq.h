/* ZeroMQ, the other way in which Zeek's processes talk: a publisher and subscribers. */
#ifndef BENCH_ZEROMQ_H
#define BENCH_ZEROMQ_H

#include <stddef.h>

struct zeromq;

/* address  tcp:// or inproc://; every subscriber takes all topics that begin so. */
struct zeromq *zeromq_open(const char *address, const char *topic, size_t subscribers);
void zeromq_close(struct zeromq *zeromq);

/* Publishes a message, which begins with its topic. */
void zeromq_publish(struct zeromq *zeromq, const void *octets, size_t length);

/* The next message of a subscriber, lent until the next call; waits for it. */
const void *zeromq_next(struct zeromq *zeromq, size_t subscriber, size_t *length);

#endif
