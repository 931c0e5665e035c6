/*
 * A store from the inside. What masters and clones have in common is in store.c (the public calls,
 * the way to the endpoint), store_command.c (commands as octets and as values) and store_event.c;
 * store_master.c and store_clone.c are the two machines.
 */
#ifndef LT_BROKER_STORE_H
#define LT_BROKER_STORE_H

#include "channel.h"
#include "endpoint.h"
#include "store_entries.h"
#include "store_operate.h"

#include <leat/broker_store.h>

/* Commands, by tag. Those up to CLEAR are actions. */
enum {
    LT_STORE_PUT,
    LT_STORE_PUT_UNIQUE,
    LT_STORE_PUT_UNIQUE_RESULT,
    LT_STORE_ERASE,
    LT_STORE_EXPIRE,
    LT_STORE_ADD,
    LT_STORE_SUBTRACT,
    LT_STORE_CLEAR,
    LT_STORE_ATTACH_WRITER,
    LT_STORE_KEEPALIVE,
    LT_STORE_CUMULATIVE_ACK,
    LT_STORE_NACK,
    LT_STORE_ACK_CLONE,
    LT_STORE_RETRANSMIT_FAILED
};

/* Error codes, spec section 8.2. */
enum {
    LT_STORE_NO_SUCH_MASTER = 8,
    LT_STORE_NO_SUCH_KEY = 9,
    LT_STORE_TYPE_CLASH = 11,
    LT_STORE_INVALID_DATA = 12,
    LT_STORE_BACKEND_FAILURE = 13,
    LT_STORE_STALE_DATA = 14,
    LT_STORE_BROKEN_CLONE = 27
};

/* Ticks that a clone waits for a master that is gone: half of what the master waits for it. */
#define LT_STORE_AWAY (LT_CHANNEL_TIMEOUT / 2)

/* Ticks in which a master that is back must say something: ten times what it takes. */
#define LT_STORE_BACK 50u

/* Nacks in a row that nothing came of: the master no longer knows the clone, or its events. */
#define LT_STORE_NACKS 50u

#define LT_STORE_DEPTH        120u /* of values: a message and a snapshot are around them */
#define LT_STORE_RESULT_BYTES 114u /* of put_unique_result */
#define LT_STORE_LOST_BYTES   1u   /* kept for an event that the producer no longer has */

struct lt_entity {
    uint8_t id[16];
    uint64_t object;
};

/* A command as it was read; fields are those of its tag, in the order of the protocol. */
struct lt_command {
    uint64_t seq;
    struct lt_entity sender;
    struct lt_entity receiver;
    uint64_t tag;
    const leat_value *fields[6];
};

struct lt_octets {
    const uint8_t *data;
    size_t length;
};

/* An action as it is written. */
struct lt_action {
    uint8_t tag;
    struct lt_octets key;
    struct lt_octets value;
    uint8_t init_type;
    bool expires;
    int64_t expiry_ns;
    bool inserted;
    struct lt_entity who;
    uint64_t req_id;
    struct lt_entity publisher;
};

/* What a master knows of a clone and of its writer. */
struct lt_remote {
    struct lt_entity entity;
    bool is_clone;       /* it gets events */
    bool dropped;        /* it goes at the end of the call */
    uint64_t acked;      /* it has all events up to this one */
    uint64_t heard;      /* the tick of its last word */
    uint64_t shown;      /* the tick of the last snapshot ... */
    uint64_t show_after; /* ... and how many ticks the next one has to wait */
    uint64_t resends;    /* events that may be sent again in this tick */
    struct lt_consumer writer;
};

enum lt_clone_state { LT_CLONE_SEEKING, LT_CLONE_ATTACHED, LT_CLONE_OVER };

struct leat_broker_store {
    leat_allocator allocator;
    leat_broker *broker; /* NULL: it was freed */
    leat_broker_store *next;
    leat_broker_store_options options;
    struct lt_entity self;
    uint64_t now_ms; /* when the endpoint went */
    bool is_master;
    char *topics; /* of the master, then of clones */
    size_t name_length;
    size_t master_topic_length;
    size_t clone_topic_length;

    struct lt_entries entries;
    struct lt_producer producer;
    uint64_t tick_ms; /* when the next one is */
    struct lt_early_limit early;

    struct lt_writer octets;  /* key and value of an action */
    struct lt_writer message; /* a command */
    struct lt_tree stored;    /* a value that is there */
    struct lt_tree result;    /* what comes of it */
    struct lt_tree command;   /* one that came early */
    struct leat_error error;
    uint8_t code; /* of the error */

    /* For the caller. */
    struct lt_fifo notes;
    bool notes_lost;
    struct lt_tree tree;
    leat_event event;

    uint64_t resent, refused, dropped, started;

    /* Of a master: by entity. */
    struct lt_remote **remotes;
    size_t remote_count;
    size_t remote_size;
    bool sweep; /* some were dropped */

    /* Of a clone. */
    enum lt_clone_state state;
    struct lt_entity who; /* asks for what is unique, in all its lives */
    struct lt_entity master;
    struct lt_consumer consumer;
    bool met;          /* peers have changed */
    bool announced;    /* somebody is a master */
    bool near;         /* the master is a peer */
    bool away;         /* and was one */
    bool acknowledged; /* the master knows of our writes */
    uint64_t heard;    /* the tick of its last word */
    uint64_t resends;  /* events that may be sent again in this tick */
    uint64_t ticks;    /* since the last nack */
    uint64_t give_up_ms;
};

static inline const char *lt_store_master_topic(const leat_broker_store *store)
{
    return store->topics;
}

static inline const char *lt_store_clone_topic(const leat_broker_store *store)
{
    return store->topics + store->master_topic_length;
}

static inline uint64_t lt_store_now(const leat_broker_store *store)
{
    return store->broker == NULL ? store->now_ms : store->broker->now_ms;
}

/* A writer may have room beyond its limit. */
static inline int lt_store_written(const struct lt_writer *out)
{
    return out->status == LEAT_OK && out->length > out->limit ? LEAT_E_LIMIT : out->status;
}

static inline bool lt_entity_equal(const struct lt_entity *a, const struct lt_entity *b)
{
    return a->object == b->object && memcmp(a->id, b->id, sizeof a->id) == 0;
}

/* ----- store.c ----- */

/* Refuses the caller's call, or a writer's action; code is what the latter is told as. */
int lt_store_refuse(leat_broker_store *store, int status, uint8_t code, const char *what);

/* Posts a command in octets to the other side; id, 16 octets: to that endpoint alone, if it is near. */
void lt_store_post(leat_broker_store *store, const uint8_t *id, const void *octets, size_t length);
bool lt_store_is_near(const leat_broker_store *store, const uint8_t *id);

/* When a time of expiry from now on is over. */
uint64_t lt_store_due(const leat_broker_store *store, bool expires, int64_t expiry_ns);

/* Begins to count ticks, unless it does. */
void lt_store_wake(leat_broker_store *store);

/* ----- commands (store_command.c) ----- */

void lt_command_read(struct lt_command *command, const leat_value *record);

/*
 * Writes a key and a value (NULL: none) into store->octets, and points the action to them. LEAT_OK,
 * LEAT_E_VALUE, LEAT_E_LIMIT, LEAT_E_NOMEM (store->error).
 */
int lt_store_encode(leat_broker_store *store, const leat_value *key, const leat_value *value,
                    struct lt_action *action);

/* The same for the value alone, behind a key that is there. */
int lt_store_encode_value(leat_broker_store *store, const leat_value *value,
                          struct lt_action *action);

/* Reads an action. The operand of additions and subtractions is not encoded. As lt_store_encode(). */
int lt_action_read(leat_broker_store *store, const struct lt_command *command,
                   struct lt_action *action, const leat_value **operand);

/*
 * Writes an action with the next number into store->message. LEAT_OK, LEAT_E_LIMIT (more than a
 * message holds), LEAT_E_NOMEM.
 */
int lt_store_write_action(leat_broker_store *store, const struct lt_action *action,
                          const struct lt_entity *receiver);
/*
 * The same, and makes room for it and for a put_unique_result behind it among the events of the
 * producer. Results as lt_store_encode().
 */
int lt_store_ready_action(leat_broker_store *store, const struct lt_action *action,
                          const struct lt_entity *receiver);
/* Makes the message the next event. */
void lt_store_produce(leat_broker_store *store);

/* Begins a command in store->message. */
void lt_store_begin_command(leat_broker_store *store, uint8_t tag, uint64_t seq,
                            const struct lt_entity *receiver);

/* Sends the message, if there was memory for it. */
void lt_store_send(leat_broker_store *store, const uint8_t *id);

/* Sends a command that consists of one number. */
void lt_store_say(leat_broker_store *store, const uint8_t *id, const struct lt_entity *receiver,
                  uint8_t tag, uint64_t number);

void lt_store_acknowledge(leat_broker_store *store, const struct lt_entity *producer,
                          struct lt_consumer *consumer);
/* nack [0]: asks for a handshake. receiver NULL: whoever is the master. */
void lt_store_say_nack_0(leat_broker_store *store, const struct lt_entity *receiver);

/* Sends what a tick of a consumer asks for to its producer. */
void lt_store_answer(leat_broker_store *store, const struct lt_entity *producer,
                     struct lt_consumer *consumer);

/*
 * Sends events again that a nack asks for, within the budget of this tick. Those that are gone are
 * told to be lost if tell is true.
 */
void lt_store_resend(leat_broker_store *store, const leat_value *seqs, const uint8_t *id,
                     const struct lt_entity *receiver, uint64_t *budget, bool tell);

/* Whether the numbers of a nack ascend; *first is the first one. There must be one. */
bool lt_nack_read(const leat_value *seqs, uint64_t *first);

/* Reads octets of ours as a value. LEAT_OK, LEAT_E_LIMIT, LEAT_E_NOMEM. */
int lt_store_decode(struct lt_tree *tree, const uint8_t *octets, size_t length);

/* Keeps a command that came early. */
void lt_store_keep_early(leat_broker_store *store, struct lt_consumer *consumer, uint64_t seq,
                         const leat_value *envelope);
/* Reads one that was kept; false: it is lost for good. *status is LEAT_OK or LEAT_E_NOMEM. */
bool lt_store_read_early(leat_broker_store *store, const struct lt_early *early,
                         struct lt_command *command, int *status);

/* ----- events (store_event.c) ----- */

/* Tells of a change. old and value may be empty. */
void lt_store_note(leat_broker_store *store, uint32_t kind, const struct lt_entry *entry,
                   const struct lt_octets *value, const struct lt_action *action);
void lt_store_note_result(leat_broker_store *store, bool inserted, uint64_t req_id);
void lt_store_note_entity(leat_broker_store *store, uint32_t kind, const struct lt_entity *entity);
void lt_store_note_error(leat_broker_store *store, uint8_t code, const struct lt_octets *key,
                         const char *what);

/* ----- what both do to the entries (store_apply.c) ----- */

/*
 * Gets ready for lt_store_put(): *value is a copy, *entry the one of the key, or a new one.
 * LEAT_OK, LEAT_E_LIMIT, LEAT_E_NOMEM; then nothing changed.
 */
struct lt_put {
    struct lt_entry *entry;
    uint8_t *value;
    bool is_new;
};
int lt_store_prepare(leat_broker_store *store, const struct lt_action *action, struct lt_put *put);
void lt_store_unprepare(leat_broker_store *store, const struct lt_action *action,
                        const struct lt_put *put);
/* Does it, and tells of it. due_ms: when it expires. */
void lt_store_put(leat_broker_store *store, const struct lt_action *action,
                  const struct lt_put *put, uint64_t due_ms);
/* Takes an entry out and tells of it as kind. */
void lt_store_remove(leat_broker_store *store, struct lt_entry *entry, uint32_t kind,
                     const struct lt_entity *publisher);
/* Takes all out. */
void lt_store_remove_all(leat_broker_store *store, const struct lt_entity *publisher);

/* ----- a master (store_master.c) ----- */

/* Does an action: of the caller (who == NULL), or of a writer. As the public calls answer. */
int lt_master_do(leat_broker_store *store, struct lt_action *action, const leat_value *operand);
void lt_master_take(leat_broker_store *store, const struct lt_command *command,
                    const leat_value *envelope);
void lt_master_tick(leat_broker_store *store);
void lt_master_expire(leat_broker_store *store);
void lt_master_sweep(leat_broker_store *store);

/* ----- a clone (store_clone.c) ----- */

void lt_clone_begin(leat_broker_store *store);
int lt_clone_do(leat_broker_store *store, const struct lt_action *action);
void lt_clone_take(leat_broker_store *store, const struct lt_command *command,
                   const leat_value *envelope);
void lt_clone_meet(leat_broker_store *store);
void lt_clone_tick(leat_broker_store *store);
void lt_clone_give_up(leat_broker_store *store, uint8_t code, const char *what);

#endif
