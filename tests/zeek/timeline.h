/*
 * A recorded run of the Management framework in the order of its one clock: the peerings of its
 * processes (recorded.h) and the WebSockets of clients of the controller.
 */
#ifndef T_ZEEK_TIMELINE_H
#define T_ZEEK_TIMELINE_H

#include "recorded.h"

#define PEERINGS   "zeek/management"
#define WEBSOCKETS "websocket/management"
#define CLIENTS    40u

/* Something that was recorded. */
struct moment {
    uint64_t us;
    size_t number;           /* its place, of moments at the same time */
    const struct step *step; /* of a peering; NULL: of a WebSocket, and then */
    size_t client;
    enum what what; /* FRAME: octets of the stream */
    bool by_client;
    struct t_bytes octets;
};

struct timeline {
    struct recording recording;
    struct moment *moments;
    size_t count;
    char names[CLIENTS][80]; /* of the files of WebSockets, one connection each */
    char accepts[CLIENTS][29];
    size_t clients;
};

/*
 * Reads the peerings in these files, and the WebSockets in those whose names begin so (NULL: none).
 * names are kept.
 */
void timeline_open(struct timeline *timeline, const char *const *names, size_t files,
                   const char *websockets);
void timeline_close(struct timeline *timeline);

#endif
