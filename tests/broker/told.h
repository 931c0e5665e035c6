/* What endpoints were told of their peerings: by leat_next(), or as listings of recordings have it. */
#ifndef T_BROKER_TOLD_H
#define T_BROKER_TOLD_H

#include "recorded.h"

struct status {
    char kind[24];
    char id[40];
    unsigned port; /* 0: none */
    long retry_s;  /* -1: not told */
    char msg[80];
    bool used; /* it was compared */
};

struct statuses {
    struct status list[64];
    size_t count;
};

/* A status or an error of ours. */
void statuses_note(struct statuses *statuses, const leat_event *event);

/*
 * The next one of that peer, or (no id) the next failed attempt at that port: the statuses of each peer
 * are in order, those of two may cross. port 0: any.
 */
struct status *statuses_next(struct statuses *statuses, const char *id, unsigned port);

/* Its peers at that time, of which there was one or none. */
struct snapshot {
    uint64_t us;
    size_t count;
    bool outbound;
};

/* What a recording says of one endpoint: its statuses, and the topics of what it received. */
struct view {
    struct statuses statuses;
    struct snapshot snapshots[8];
    size_t snapshot_count;
    char topics[64][64];
    size_t topic_count;
    bool listed; /* there is such a view */
    bool exits;  /* it sees nothing of its own end */
    bool once;   /* it has no retry time */
};

/* README.md's view of one of the nodes, 'a', 'b' or 'c'. */
void view_broker(struct view *view, const struct recording *recording, char node);
/* What the Zeek of that id printed, by the listing beside the recording. */
void view_zeek(struct view *view, const struct recording *recording, const uint8_t *id);
/* And by one that has no recording, since nothing was said. */
void view_zeek_alone(struct view *view, const char *folder, const char *name);

/* The text of a value, cut off if it is too long. */
void copy_text(char *to, size_t size, const leat_value *value);

#endif
