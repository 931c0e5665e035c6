/* Sessions on sockets that do not block, with TLS in front of them or without. */
#ifndef SOCKETS_H
#define SOCKETS_H

#include <leat/openssl.h>
#include <stdbool.h>

struct end {
    int fd;
    leat_session *session;
    leat_tls *tls; /* NULL: none */
    bool closed;   /* by the other side */
};

/* Two ends that are connected: over TCP on loopback, or a pair. Who connects is the first. */
void connect_loopback(int ends[2]);
void connect_pair(int ends[2]);

/* From now on it does not block. */
void unblock(const struct end *end);

/* Writes what waits. True if something was written, so that there may be room for more. */
bool write_some(struct end *end);

/* Reads what came. */
void read_some(struct end *end);

/* What waits to be written. */
const void *output_of(const struct end *end, size_t *length);

/* Frees the session and its TLS; the socket is the caller's. */
void close_end(struct end *end);

/* Without sockets: carries all that two with TLS have to say, whatever events that makes. */
void shake_hands(struct end *client, struct end *server);

#endif
