/*
 * An exchange from the inside. The session of an engine is one whose owner reads its events first
 * and writes when it is our turn.
 */
#ifndef LT_ZABBIX_EXCHANGE_H
#define LT_ZABBIX_EXCHANGE_H

#include "codec.h"
#include "rules.h"

struct lt_zabbix_exchange;

struct lt_zabbix_owner {
    /*
     * core.event is a request, as yet without an error: refuses who may not ask, before the version
     * and members other than "host" are looked at. NULL: anybody may.
     */
    void (*may)(struct lt_zabbix_exchange *x);
    /*
     * core.event was read (x->step is the next message, once one is complete), and may have an error
     * by now. LEAT_OK: the caller gets it. LEAT_MORE: it does not. < 0: by lt_fail(). It may refuse
     * the message by lt_zabbix_exchange_refuse().
     */
    int (*event)(struct lt_zabbix_exchange *x);
    /*
     * The caller took the last event: makes another one that did not come from the peer (LEAT_OK,
     * core.event is set), or has none (LEAT_MORE). Called before it is looked at whose turn it is,
     * and as long as the exchange did not fail.
     */
    int (*extra)(struct lt_zabbix_exchange *x);
    /*
     * It is our turn to write message x->step of the exchange x->kind; nothing is lent. Writes it,
     * whole, with the public calls, or refuses or finishes the exchange (LEAT_OK); or leaves it to
     * the caller (LEAT_MORE). < 0: by lt_fail().
     */
    int (*turn)(struct lt_zabbix_exchange *x);
    /*
     * The exchange is over: once for every session, at the latest when it is freed. LEAT_END: all
     * its messages were exchanged. Any other status: they were not. The owner forgets the session.
     */
    void (*over)(struct lt_zabbix_exchange *x, int status);
};

struct lt_zabbix_exchange {
    struct lt_zabbix zabbix;                 /* zabbix.core is the session */
    const struct lt_zabbix_owner *owner;     /* NULL: there is none */
    void *engine;                            /* the owner's; NULL: it is gone */
    struct lt_zabbix_version version;        /* ours */
    const struct lt_zabbix_pattern *pattern; /* NULL: not known yet */
    uint32_t role;                           /* LEAT_ZABBIX_AS_* */
    uint32_t kind; /* of the exchange, LEAT_ZABBIX_* of its request; 0: not known yet */
    uint32_t step; /* the message that is next: 0 is the request */
    bool connects;
    bool auto_compress;    /* what compress of the options said */
    bool came_compressed;  /* the last message that was read */
    bool as_it_came;       /* what is being written gets the form of what was read */
    bool refusing;         /* one side says that the exchange failed */
    bool answered_failure; /* what is being written has a response other than success */
    bool finished;         /* nothing more is to be exchanged */
    bool plain_check;      /* an agent was asked by a plain key */
    bool condemned;        /* the message that is arriving will be refused */
    bool default_limits;   /* of message_bytes and inflated_bytes */
    bool clocked;          /* the time was told */
    bool told;             /* the owner knows that it is over */
    uint32_t named;        /* LT_ZABBIX_NEEDS_* that are in the message being written */
    uint32_t members;      /* how many there are */
    int verdict;        /* what ends the session once the last event was taken; LEAT_OK: nothing */
    const char *reason; /* of a verdict < 0 */
    const char *field;
    uint64_t offset;
    uint64_t since_ms; /* when the wait for the peer began */
    uint64_t timeout_ms;
    uint64_t linger_ms;
    struct lt_writer info; /* for the peer, while condemned */
};

/*
 * The session of an engine: with connects, turn() begins the exchange. Options as
 * leat_zabbix_exchange_new() takes them.
 */
int lt_zabbix_exchange_make(const leat_config *config, const leat_zabbix_exchange_options *options,
                            const struct lt_zabbix_owner *owner, void *engine,
                            leat_session **session);

/* The exchange, if the session is one; else NULL. */
struct lt_zabbix_exchange *lt_zabbix_exchange(leat_session *session);

/* leat_zabbix_text() of a text that ends with a NUL; NULL: nothing is written. */
int lt_zabbix_put_text(leat_session *session, const char *name, const char *text);

/* Whether it is our turn to write. */
bool lt_zabbix_exchange_is_ours(const struct lt_zabbix_exchange *x);

/*
 * Refuses the message that core.event holds or, of a row, the message that it is in, whose rows are
 * not shown from now on: it gets an error LEAT_E_PROTOCOL with what and field, the peer gets info
 * (or nothing, as the version has it), and the session ends with that error once the event was
 * taken. info is copied.
 */
void lt_zabbix_exchange_refuse(struct lt_zabbix_exchange *x, const char *info, const char *what,
                               const char *field);

/* Ends it without a word, in order (LEAT_END), once the last event was taken. */
void lt_zabbix_exchange_finish(struct lt_zabbix_exchange *x);

#endif
