/*
 * A controller from the inside: the instances, in controller.c, and what clients ask for, in
 * controller_request.c.
 *
 * Nothing is left half done without memory. An event that cannot be taken is refused before it has
 * changed anything; what follows from it (things to say to agents, Results, responses) is remembered as
 * owed, at the instance or the request that it is about, and done at the next tick.
 */
#ifndef LT_ZEEK_CONTROLLER_H
#define LT_ZEEK_CONTROLLER_H

#include "manage.h"

#include <leat/zeek_controller.h>

#define LT_ZEEK_NAME_MAX 255u

struct lt_zeek_instance;
struct lt_zeek_request;

/* What an instance is asked for a request. */
struct lt_zeek_ask {
    struct lt_zeek_request *request;
    struct lt_zeek_instance *instance;
    struct lt_zeek_ask *next; /* of the same instance */
    struct lt_zeek_ask *
        *place;         /* what points to it there; NULL: an answer is no longer waited for */
    uint64_t number;    /* of its reqid; 0: it is not sent yet */
    const char *failed; /* the error whose Results are owed; NULL: none */
};

/* What waits for answers, or is being answered. */
struct lt_zeek_request {
    struct lt_zeek_request *next;
    struct lt_zeek_kept *args;
    struct lt_zeek_kept *note; /* the same, until it is told */
    struct lt_tree results;    /* the list of Results, without its end */
    uint64_t result_bytes;     /* what these take */
    uint32_t result_count;
    uint32_t kind;
    uint64_t due_ms;
    size_t waiting; /* how many answers are waited for */
    struct lt_zeek_ask *asks;
    size_t ask_count;
    bool own;        /* of the controller's caller: it is not published */
    bool concluded;  /* its last Result is there */
    bool overflowed; /* its Results are too many or too large */
};

/* The part of an instance in the deployment that is being sent. */
enum lt_zeek_part { LT_ZEEK_NO_PART, LT_ZEEK_TO_SEND, LT_ZEEK_SENT, LT_ZEEK_ANSWERED };

/* An instance that is known or wanted, or that something is owed to. */
struct lt_zeek_instance {
    bool known;  /* a peer has said hello with this name */
    bool wanted; /* the configuration that was deployed last names it */
    bool ready;  /* it is both, and has taken the welcome */
    bool named;  /* by the configuration that is being looked at */
    bool owes_standby;
    bool owes_note; /* that it is no longer wanted */
    bool owes_welcome;
    bool owes_config;
    enum lt_zeek_part part;
    uint64_t welcome; /* the number of the welcome that it has not answered; 0: there is none */
    uint64_t deploy;  /* the same of the configuration */
    uint8_t id[16];   /* if it is known, of its endpoint, */
    uint8_t host[16]; /* and as its peering has them, */
    char address[48]; /* that as text; */
    uint32_t port;    /* 0: it connects */
    uint8_t staged_host[16]; /* if it is wanted, as the configuration has them */
    uint32_t staged_port;    /* 0: it connects */
    uint8_t peer_host[16];   /* what the endpoint was told to peer with */
    uint32_t peer_port;      /* 0: nothing */
    size_t failures;         /* asks whose Results are owed */
    struct lt_zeek_ask *asks;
    size_t topic_length;
    struct lt_zeek_text name; /* the end of the topic */
    char topic[];
};

struct lt_zeek_peering {
    uint8_t id[16];
    uint8_t host[16];
    uint32_t port;
};

struct leat_zeek_controller {
    struct lt_zeek_manage m;
    leat_zeek_controller_options options;
    char *topics; /* both, one behind the other */
    struct lt_zeek_text topic, prefix;
    char origin[17];                     /* what reqids of ours begin with */
    uint64_t numbers;                    /* of reqids that were given */
    struct lt_zeek_instance **instances; /* in the order of their names */
    size_t count, size;
    size_t known, wanted, ready;   /* how many of them are */
    struct lt_zeek_peering *peers; /* in the order of their ids */
    size_t peer_count, peer_size;
    struct lt_zeek_kept *staged, *complete, *deployed, *pending;
    const leat_value **nodes; /* of what is deployed, in the order of their names, and again in
                                 that of their instances and names */
    size_t node_count;
    struct lt_zeek_request *requests, **requests_end; /* in the order in which they are due */
    size_t request_count;
    uint64_t result_bytes;              /* what all their Results take */
    struct lt_zeek_request *deployment; /* one of them */
    bool sending;                       /* all were ready: what is pending is as it is sent */
    bool restoring;                     /* what is deployed waits for all to be ready */
    bool begun;                         /* something was deployed or restored */
    bool owes;                          /* something is owed */
    bool owes_ready;                    /* the event that all are ready */
    bool ticked;
};

/* ----- controller.c ----- */

/*
 * Puts a note behind what is told, or drops it if too much waits there. LEAT_OK; LEAT_E_NOMEM: it is NULL.
 */
int lt_zeek_controller_tell(leat_zeek_controller *c, struct lt_zeek_kept *note);

/* NULL: there is none of that name. */
struct lt_zeek_instance *lt_zeek_instance_find(const leat_zeek_controller *c,
                                               struct lt_zeek_text name);
/* Whether it has the length of a name. */
bool lt_zeek_is_instance_name(struct lt_zeek_text name);
/*
 * Makes the wanted instances those of a configuration; what has changed is put on standby. LEAT_OK,
 * LEAT_E_LIMIT, LEAT_E_NOMEM; then nothing has changed.
 */
int lt_zeek_instances_want(leat_zeek_controller *c, const leat_value *configuration);
/* Says to an instance what is owed to it, and forgets it if it is nothing any more. */
void lt_zeek_instance_settle(leat_zeek_controller *c, struct lt_zeek_instance *instance);
void lt_zeek_instances_settle(leat_zeek_controller *c);

/* name, host and listen_port of an instance: as it is known, else as it is wanted. */
void lt_zeek_instance_put(leat_builder *b, const struct lt_zeek_instance *instance);

/* The address of an agent, of its peering: see lt_zeek_address_of. */
const char *lt_zeek_controller_address(const void *context, const char *instance, size_t length);

/* Opens the arguments of a request of ours. */
leat_builder *lt_zeek_controller_open(leat_zeek_controller *c, uint64_t number);
/*
 * Says to an instance what m->args holds. As lt_zeek_manage_publish(). Of what it was made, NULL: of
 * nothing else, is kept in mind, so that it can be said to others without making it again, under the next
 * number; LEAT_MORE: what was said last was made of something else.
 */
int lt_zeek_instance_say(leat_zeek_controller *c, const struct lt_zeek_instance *instance,
                         uint32_t kind, const struct lt_zeek_kept *of);
int lt_zeek_instance_say_again(leat_zeek_controller *c, const struct lt_zeek_instance *instance,
                               const struct lt_zeek_kept *of);

/* ----- controller_request.c ----- */

/* Takes a request of a client, or of the caller (own). LEAT_OK; LEAT_E_NOMEM: nothing has changed. */
int lt_zeek_request_take(leat_zeek_controller *c, uint32_t kind, const leat_value *args, bool own);
/*
 * Takes what an instance answers to that number; args NULL: what cannot be read. LEAT_OK; LEAT_E_NOMEM:
 * nothing has changed.
 */
int lt_zeek_response_take(leat_zeek_controller *c, struct lt_zeek_instance *instance, uint32_t kind,
                          uint64_t number, const leat_value *args);
/* It cannot answer what it was asked. */
void lt_zeek_asks_fail(leat_zeek_controller *c, struct lt_zeek_instance *instance,
                       const char *error);
/*
 * It is about to be no longer wanted, by itself: what is being deployed goes on without it, by
 * lt_zeek_deployment_go(). LEAT_OK; LEAT_E_NOMEM: nothing has changed.
 */
int lt_zeek_deployment_leave(leat_zeek_controller *c, struct lt_zeek_instance *instance,
                             const char *error);
/* Goes on with deploying if all are ready. */
void lt_zeek_deployment_go(leat_zeek_controller *c);
/* Takes a configuration for the deployed one, which is kept then. LEAT_OK or LEAT_E_NOMEM. */
int lt_zeek_controller_adopt(leat_zeek_controller *c, struct lt_zeek_kept *configuration);
/* None is deployed any more. */
void lt_zeek_controller_disown(leat_zeek_controller *c);
/* Does what is owed; then ends what is due. */
void lt_zeek_requests_work(leat_zeek_controller *c);
void lt_zeek_requests_expire(leat_zeek_controller *c);
void lt_zeek_requests_free(leat_zeek_controller *c);

#endif
