/*
 * An exchange from the inside. The session of an engine is one whose owner reads its events first
 * and writes when it is our turn.
 */
#ifndef LT_ZABBIX_EXCHANGE_H
#define LT_ZABBIX_EXCHANGE_H

#include "codec.h"
#include "version.h"

struct lt_zabbix_exchange;

struct lt_zabbix_owner {
    /*
     * core.event was read, and may have an error by now. LEAT_OK: the caller gets it. LEAT_MORE: it
     * does not. < 0: by lt_fail(). It may refuse the message by lt_zabbix_exchange_refuse().
     */
    int (*event)(struct lt_zabbix_exchange *x);
    /*
     * The caller took the last event: makes another one that did not come from the peer (LEAT_OK,
     * core.event is set), or has none (LEAT_MORE). Called before it is looked at whose turn it is.
     */
    int (*extra)(struct lt_zabbix_exchange *x);
    /*
     * It is our turn to write message x->step of the exchange x->kind; nothing is lent. Writes it,
     * whole, with the public calls (LEAT_OK), or leaves it to the caller (LEAT_MORE).
     */
    int (*turn)(struct lt_zabbix_exchange *x);
    /*
     * The exchange is over: once for every session, at the latest when it is freed. LEAT_END: all
     * its messages were exchanged. Any other status: they were not. The owner forgets the session.
     */
    void (*over)(struct lt_zabbix_exchange *x, int status);
};

struct lt_zabbix_exchange {
    struct lt_zabbix zabbix;             /* zabbix.core is the session */
    const struct lt_zabbix_owner *owner; /* NULL: there is none */
    void *engine;                        /* the owner's; NULL: it is gone */
    struct lt_zabbix_version version;    /* ours */
    uint32_t role;                       /* LEAT_ZABBIX_AS_* */
    bool connects;
    uint32_t kind;  /* of the exchange, LEAT_ZABBIX_* of its request; 0: not known yet */
    uint32_t step;  /* the message that is next: 0 is the request */
    uint32_t steps; /* how many there are */
};

/*
 * The session of an engine. kind is the exchange that is to be begun by turn() (connects), or 0.
 * Options as leat_zabbix_exchange_new() takes them.
 */
int lt_zabbix_exchange_make(const leat_config *config, const leat_zabbix_exchange_options *options,
                            const struct lt_zabbix_owner *owner, void *engine, uint32_t kind,
                            leat_session **session);

/* The exchange, if the session is one; else NULL. */
struct lt_zabbix_exchange *lt_zabbix_exchange(leat_session *session);

/*
 * Refuses the message that core.event holds (or, at the first row of a section, the message that it
 * is in): it gets an error LEAT_E_PROTOCOL with what and field, the peer gets info (or nothing, as
 * the version has it), and the session ends with that error once the event was taken.
 */
void lt_zabbix_exchange_refuse(struct lt_zabbix_exchange *x, const char *info, const char *what,
                               const char *field);

/* Ends it without a word, in order (LEAT_END), once what was written is out. */
void lt_zabbix_exchange_finish(struct lt_zabbix_exchange *x);

#endif
