/*
 * What agents and controllers of the Management framework have in common: they read events that come,
 * publish others, and keep what is to be told until the caller asks.
 *
 * All memory is counted. Nothing here sends or tells anything unless it can do so wholly, so a machine
 * that makes first what it will tell, then publishes, and then tells, loses nothing without memory:
 *
 *     note = lt_zeek_manage_note(m, kind, name, value);       NULL: it ends here
 *     status = lt_zeek_manage_publish(m, topic, ...);         not LEAT_OK: drop the note, end
 *     lt_zeek_manage_tell(m, note);
 */
#ifndef LT_ZEEK_MANAGE_H
#define LT_ZEEK_MANAGE_H

#include "../core/session.h"

#include <leat/broker_endpoint.h>
#include <leat/zeek_management.h>

#include <stdbool.h>

/* Most octets of a reqid that is answered with what was asked for: each Result repeats it. */
#define LT_ZEEK_REQID_MAX 1024u

/*
 * A value that is kept, with all that it points to, in one block: a configuration, or an event that is
 * to be told; then it has a kind and a name, which is constant.
 */
struct lt_zeek_kept {
    struct lt_zeek_kept *next;
    const char *name;
    size_t bytes; /* of the block */
    uint32_t kind;
    leat_value value[]; /* the root, which has no name, and all below it */
};

struct lt_zeek_manage {
    leat_allocator allocator; /* counts, and asks the caller's */
    leat_allocator given;
    size_t held;
    leat_broker *broker;
    leat_builder *in;               /* the arguments that were read last */
    leat_builder *args;             /* those that are being made */
    leat_builder *out;              /* an event on its way out */
    const struct lt_zeek_kept *of;  /* what that was made of, to be said again; NULL: not so */
    struct lt_writer joined;        /* texts that are made of several */
    leat_zeek_management_flaw flaw; /* of what was read last */
    struct lt_zeek_kept *told, **told_end, *lent;
    uint64_t told_count; /* that wait */
    leat_event event;
    uint64_t now_ms;
};

/* Of zeros, and where it stays. LEAT_OK or LEAT_E_NOMEM; free it in either case. */
int lt_zeek_manage_init(struct lt_zeek_manage *m, const leat_config *config, leat_broker *broker);
void lt_zeek_manage_free(struct lt_zeek_manage *m);
/* Gives back what large events needed; all that was read or made is gone. */
void lt_zeek_manage_trim(struct lt_zeek_manage *m);

/* ----- what is kept ----- */

/* How many octets a value takes with all that it points to. */
uint64_t lt_zeek_manage_bytes(const leat_value *value);
/* NULL: no memory. */
struct lt_zeek_kept *lt_zeek_manage_keep(struct lt_zeek_manage *m, const leat_value *value);
/* NULL is fine. */
void lt_zeek_manage_drop(struct lt_zeek_manage *m, struct lt_zeek_kept *kept);

/* ----- what is told ----- */

/* An event for the caller; name NULL: that of the kind. NULL: no memory. */
struct lt_zeek_kept *lt_zeek_manage_note(struct lt_zeek_manage *m, uint32_t kind, const char *name,
                                         const leat_value *value);
/* MALFORMED, of m->flaw; it is made in m->args. */
struct lt_zeek_kept *lt_zeek_manage_malformed(struct lt_zeek_manage *m);
/* Puts a note behind all that wait. */
void lt_zeek_manage_tell(struct lt_zeek_manage *m, struct lt_zeek_kept *note);
/* leat_zeek_*_next(): LEAT_OK or LEAT_MORE. */
int lt_zeek_manage_next(struct lt_zeek_manage *m, const leat_event **event);

/* ----- what comes ----- */

/* An event of Zeek that came, of the Management framework. */
struct lt_zeek_arrival {
    const char *topic;
    size_t topic_length;
    const uint8_t *sender; /* 16 octets; NULL: not known */
    uint32_t kind;         /* LEAT_ZEEK_* */
    leat_zeek_message message;
};

/* False: it is something else. */
bool lt_zeek_manage_arrives(const leat_event *event, struct lt_zeek_arrival *arrival);
/*
 * Reads its arguments into m->in. LEAT_OK; LEAT_E_SYNTAX: m->flaw says why (of what is over a limit,
 * too); LEAT_E_NOMEM.
 */
int lt_zeek_manage_read(struct lt_zeek_manage *m, const struct lt_zeek_arrival *arrival,
                        const leat_value **args);

/* Whom PEER_ADDED, PEER_REMOVED or PEER_LOST is about. */
struct lt_zeek_peer {
    const uint8_t *id;   /* 16 octets */
    const char *address; /* NULL: not known */
    size_t address_length;
    uint32_t port;
};

/* False: it is none of these. */
bool lt_zeek_manage_peer(const leat_event *event, struct lt_zeek_peer *peer);

/* ----- what is said ----- */

/* Empties m->args and opens the record of arguments in it. */
leat_builder *lt_zeek_manage_open(struct lt_zeek_manage *m);
/* Closes it. LEAT_OK, or the first mistake. */
int lt_zeek_manage_close(struct lt_zeek_manage *m, const leat_value **args);
/*
 * Publishes an event. LEAT_OK, LEAT_E_VALUE (not the arguments of it), LEAT_E_LIMIT, LEAT_E_NOMEM; unless
 * LEAT_OK nobody gets it.
 */
int lt_zeek_manage_publish(struct lt_zeek_manage *m, const char *topic, size_t length,
                           uint32_t kind, const leat_value *args);

/* Empties m->out, for anything. */
leat_builder *lt_zeek_manage_out(struct lt_zeek_manage *m);

struct lt_zeek_text {
    const char *at; /* NULL: none */
    size_t length;
};

/* NULL: none. */
struct lt_zeek_text lt_zeek_text(const char *text);
/* LEAT_TEXT or LEAT_ENUM; else none. */
struct lt_zeek_text lt_zeek_text_of(const leat_value *value);
/* That of a field of a record. */
struct lt_zeek_text lt_zeek_text_in(const leat_value *record, const char *name);
bool lt_zeek_text_equal(struct lt_zeek_text a, struct lt_zeek_text b);
/* Negative, 0 or positive, octet by octet. */
int lt_zeek_text_compare(struct lt_zeek_text a, struct lt_zeek_text b);

/* The place of a name in a list or set of names that are in order; NULL: it is not there. */
leat_value *lt_zeek_find_name(leat_value *names, struct lt_zeek_text name);

/*
 * before, middle and after as one text, valid until the next one is joined. Without memory it is none,
 * and lt_zeek_manage_close() says so.
 */
struct lt_zeek_text lt_zeek_manage_join(struct lt_zeek_manage *m, const char *before,
                                        struct lt_zeek_text middle, const char *after);

/* Publishes the event that m->out still holds once more, with another reqid. As the one before. */
int lt_zeek_manage_again(struct lt_zeek_manage *m, const char *topic, size_t length,
                         struct lt_zeek_text reqid);

/* A Management::Result, with all fields; what is none is not set. */
struct lt_zeek_result {
    struct lt_zeek_text reqid, instance, error, node;
    const leat_value *data;
    bool success;
};

void lt_zeek_manage_result(leat_builder *builder, const char *name,
                           const struct lt_zeek_result *result);
/* A text of a record; LEAT_NULL if it is none. */
void lt_zeek_manage_text(leat_builder *builder, const char *name, struct lt_zeek_text text);

#endif
