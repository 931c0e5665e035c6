/*
 * A controller or an agent of ours in the place of a recorded one, in a run of the Management framework:
 * on an endpoint of the same id, it hears on each connection, octet for octet, what that one heard.
 */
#ifndef T_ZEEK_REPLAY_H
#define T_ZEEK_REPLAY_H

#include "said.h"
#include "timeline.h"

#include <leat/broker_endpoint.h>
#include <leat/zeek_agent.h>
#include <leat/zeek_controller.h>

#define AT(file, number) ((file)*IN_FILE + (number))
#define LIVES            3u
#define LINKS            (CONNS + CLIENTS)

/* A process in a run, whose place ours takes. */
struct place {
    const char *run;
    const char *files[FILES];
    const char *websockets;
    const char *agent;   /* its name; NULL: it is the controller */
    size_t conns[LIVES]; /* connections that it had, one for each of its lives */
    unsigned side;       /* of these: 0 who connected, 1 who accepted */
    bool scripted;       /* an agent that has no nodes, and says what it was told to */
    bool waits;          /* an agent that the controller connects to */
    bool unseen;         /* an agent whose nodes' connections were not recorded */
    bool uncompared;     /* a process of a script, which says whatever it was told to */
    const char *log;     /* of these: what ours says and (>) tells */
    const char *fates;   /* what our controller tells of instances */
    const char *counts;
};

/* What was compared, so that a replay that compares nothing shows. */
struct replay_counts {
    unsigned links;      /* connections, WebSockets among them */
    unsigned left_out;   /* connections that ours does not make: there is a peering already */
    unsigned heard;      /* frames of peers, reads of clients */
    unsigned translated; /* frames in which our ids stand for theirs */
    unsigned taken;      /* events that were for our machine */
    unsigned said;       /* messages by ours */
    unsigned same;       /* that were said by theirs, then */
    unsigned early;    /* of these, what Zeek said later, as it is slow to see that time is over */
    unsigned told;     /* events of our machine */
    unsigned answered; /* by our caller */
    unsigned states;   /* nodes that our caller said to be there */
    unsigned unread;   /* messages that are malformed */
};

extern struct replay_counts replay_counts;

struct link {
    leat_session *session;
    leat_session *codec;    /* of a WebSocket: reads what ours says */
    struct t_bytes said;    /* of a peering: the beginning of a frame */
    struct messages theirs; /* that are to be said on it */
};

/* A request that our agent asks its caller to answer. */
struct request {
    uint64_t number; /* 0: it was answered */
    uint32_t kind;
    char *reqid;
    struct t_bytes own; /* the names of nodes, each in quotes */
};

/* Ids of a request of the controller. */
struct pair {
    char theirs[64], ours[64];
};

#define PAIRS    256u
#define REQUESTS 64u
#define NODES    16u

struct replay;

/* Whether a difference is known: something that was said then and ours does not say (-), or the opposite (+). */
typedef bool replay_listed(const struct place *place, char sign, const char *line);

struct replay {
    const struct place *place;
    struct timeline timeline;
    size_t at; /* which moment it is */
    uint64_t now_ms;
    size_t lives; /* that have begun */
    uint8_t id[16];
    leat_broker *broker; /* NULL: nobody is there */
    leat_zeek_controller *controller;
    leat_zeek_agent *agent;
    leat_session *decoder;
    struct link links[LINKS];
    leat_session *due[2]; /* attempts: to the Supervisor, and to any other */
    struct pair pairs[PAIRS];
    size_t pair_count;
    struct request requests[REQUESTS];
    size_t request_count;
    char *restarted[NODES]; /* unseen nodes that were restarted */
    size_t restarted_count;
    leat_builder *deployed; /* the last configuration */
    struct t_bytes log;     /* what ours said and told */
    struct t_bytes fates;   /* what it told of instances */
    replay_listed *is_listed;
};

/* Yours to free. */
struct replay *replay_place(const struct place *place, replay_listed *is_listed);
void replay_free(struct replay *replay);

/* The moment that it is. */
const struct moment *replay_now(const struct replay *replay);
/* The message in a frame; lent until the next one. */
const leat_event *replay_decode(struct replay *replay, const struct t_bytes *frame);
/* Whether it is something that the process said whose place ours has. */
bool replay_is_said(const struct replay *replay, const struct moment *moment);
/* The link that a moment belongs to. */
size_t replay_link_of(const struct moment *moment);

/* ----- comparing (replay_compare.c) ----- */

/* As arguments_read(), and counts what cannot be read. */
leat_builder *replay_arguments(const leat_value *value, uint32_t *kind);
/* Reads what was said on a connection from now on, up to its end. */
void replay_expect(struct replay *replay, struct link *link);
/* Compares what ours says there. */
void replay_say(struct replay *replay, struct link *link, const leat_value *value);
/* Nothing more is said on it. */
void replay_finish(const struct replay *replay, struct link *link);

/* ----- the caller of our agent (replay_caller.c) ----- */

/* What the process tells next of itself (name NULL) or of that node; a builder of it, or NULL. */
leat_builder *caller_status(struct replay *replay, const char *name);
int64_t caller_pid(const leat_builder *status);
/* Our agent asks for something; that has been answered, or never will be; all of that. */
void caller_note(struct replay *replay, const leat_event *event);
void caller_end(struct replay *replay, uint64_t number);
void caller_forget(struct replay *replay);
/* What the process says may be something that our caller has to do. */
void caller_act(struct replay *replay, const leat_value *value);
/* What a node says to the agent may be that it is there. */
void caller_hear(struct replay *replay, const leat_value *value);

#endif
