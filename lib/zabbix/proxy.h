/* A proxy from the inside: its buffer, its sessions, its schedule. */
#ifndef LT_ZABBIX_PROXY_H
#define LT_ZABBIX_PROXY_H

#include "exchange.h"
#include "hosts.h"
#include "queue.h"

#include "../core/builder.h"

#include <leat/zabbix_proxy.h>

/* Sections of proxy data, in the order of the message. The numbers are saved. */
enum lt_zabbix_section {
    LT_ZABBIX_HOST_AVAILABILITY,
    LT_ZABBIX_INTERFACE_AVAILABILITY,
    LT_ZABBIX_HISTORY, /* the numbers of its rows are their ids */
    LT_ZABBIX_DISCOVERY,
    LT_ZABBIX_AUTO_REGISTRATION,
    LT_ZABBIX_HOST_DATA,
    LT_ZABBIX_TASKS
};
#define LT_ZABBIX_SECTIONS 7u
extern const char *const lt_zabbix_section_names[LT_ZABBIX_SECTIONS];

/* What an active proxy begins. */
enum lt_zabbix_job { LT_ZABBIX_JOB_CONFIG, LT_ZABBIX_JOB_DATA, LT_ZABBIX_JOB_HEARTBEAT };
#define LT_ZABBIX_JOBS 3u

struct lt_zabbix_schedule {
    const struct lt_zabbix_link *link; /* the session, while there is one */
    uint64_t due_ms;                   /* when it is the time for another one */
    uint32_t failures;                 /* since one succeeded */
};

#define LT_ZABBIX_ADDRESS 512u

/* A session of the proxy. */
struct lt_zabbix_link {
    leat_zabbix_proxy *proxy;
    struct lt_zabbix_exchange *x;
    struct lt_zabbix_link *next;
    struct lt_zabbix_link **place; /* what points to it */
    uint32_t job;                  /* LT_ZABBIX_JOBS: it was accepted */
    bool is_server;
    bool begun;     /* something was read */
    bool succeeded; /* the last message was read, and said so */

    /* The data that were sent, until they are acknowledged. */
    bool sent;
    bool more;                          /* rows remained */
    uint64_t until[LT_ZABBIX_SECTIONS]; /* numbers behind the last rows */
    uint64_t rows[LT_ZABBIX_SECTIONS];

    /* The configuration. */
    bool learning; /* the tables wait for the rest */
    bool any_rows;
    const char *reason; /* why it cannot be applied; NULL: it can */
    const char *field;

    /* What the caller is told behind the message. */
    bool tells; /* of what was acknowledged */
    bool changes;
    leat_builder *tasks;
    const leat_value *list; /* of the tasks */
    const leat_value *task; /* the next one, or NULL */

    /* Where an agent is sent. */
    bool looked; /* whether it is sent somewhere is known */
    bool redirects;
    uint64_t revision;
    struct lt_writer address; /* at most LT_ZABBIX_ADDRESS octets */
};

struct leat_zabbix_proxy {
    leat_allocator allocator;
    leat_config config; /* for sessions: with our copies of the allocator and the limits */
    leat_limits limits; /* as they were given: 0 is a default */
    leat_zabbix_proxy_options options; /* its texts are ours: */
    char name[129];
    char session[33];
    struct lt_zabbix_version version;
    size_t message_bytes; /* most text of all sections of a message */
    size_t row_bytes;     /* and of a row */

    uint64_t now_ms;
    int64_t clock_ns;
    int64_t epoch_ms; /* clock when now_ms was 0: rows are dated by a clock that never jumps */
    bool clocked;

    struct lt_zabbix_queue queues[LT_ZABBIX_SECTIONS];
    struct lt_zabbix_total total; /* of all of them */
    uint64_t last_id;
    uint64_t acknowledged;
    uint64_t dropped;
    struct lt_writer scratch; /* the text of the row that is being added */
    leat_builder *builder;    /* the row in another form */

    leat_zabbix_tables *tables;
    struct lt_zabbix_hosts hosts;
    bool upload;
    bool more;        /* the last message did not take all rows */
    bool fresh;       /* it can be restored */
    uint64_t rows_ms; /* not before: the next message with rows */
    uint32_t failures;
    struct lt_zabbix_schedule jobs[LT_ZABBIX_JOBS];
    struct lt_zabbix_link *links;
    const struct lt_zabbix_link *uploader; /* one at a time */
    const struct lt_zabbix_link *learner;

    /* What the last save or journal has. */
    bool saved;
    bool tables_changed;
    uint64_t saved_start[LT_ZABBIX_SECTIONS];
    uint64_t saved_next[LT_ZABBIX_SECTIONS];

    struct leat_error error;
};

/* The clock that rows are dated by, in milliseconds since about 1970. */
static inline int64_t lt_zabbix_proxy_now(const leat_zabbix_proxy *proxy)
{
    return proxy->epoch_ms + (int64_t)proxy->now_ms;
}

/* When so much time will have passed; UINT64_MAX: never. */
static inline uint64_t lt_zabbix_proxy_after(const leat_zabbix_proxy *proxy, uint64_t ms)
{
    return lt_later(proxy->now_ms, ms);
}

/* Seconds since then. */
uint64_t lt_zabbix_proxy_age(const leat_zabbix_proxy *proxy, int64_t at_ms);

/* Drops the oldest rows until the limits are kept. False: what may be dropped is not enough. */
bool lt_zabbix_proxy_make_room(leat_zabbix_proxy *proxy, enum lt_zabbix_section section);

/* Drops rows that have been there for too long. */
void lt_zabbix_proxy_expire(leat_zabbix_proxy *proxy);

/*
 * Writes a row in the form of the version to proxy->scratch. LEAT_OK, or why not: proxy->error is
 * set.
 */
int lt_zabbix_proxy_write_row(leat_zabbix_proxy *proxy, enum lt_zabbix_section section,
                              const leat_value *row);

/* Has rows that may be sent now. */
bool lt_zabbix_proxy_has_rows(const leat_zabbix_proxy *proxy);

/* An exchange of the job is over. */
void lt_zabbix_proxy_done(leat_zabbix_proxy *proxy, struct lt_zabbix_link *link);

/* Makes a session. exchange is what it begins, job which of ours that is. */
int lt_zabbix_link_new(leat_zabbix_proxy *proxy, uint32_t exchange, uint32_t job, bool is_server,
                       leat_session **session);

/* The proxy goes: its sessions end. */
void lt_zabbix_links_free(leat_zabbix_proxy *proxy);

#endif
