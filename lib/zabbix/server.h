/* A server from the inside: the proxies that it knows, and the sessions that it has. */
#ifndef LT_ZABBIX_SERVER_H
#define LT_ZABBIX_SERVER_H

#include "access.h"
#include "exchange.h"
#include "seen.h"
#include "tasks.h"

#include <leat/zabbix_server.h>

/* What a passive proxy is asked for, by the order in which it is when several are due at once. */
enum lt_zabbix_duty { LT_ZABBIX_CONFIG, LT_ZABBIX_DATA_DUTY, LT_ZABBIX_TASKS, LT_ZABBIX_DUTIES };

struct lt_zabbix_known {
    char name[LT_ZABBIX_NAME_MAX + 1];
    bool passive;
    bool compress; /* before 6.4: auto_compress */
    struct lt_zabbix_access access;
    leat_zabbix_tables *tables;
    struct lt_zabbix_seen seen;
    struct lt_zabbix_tasks tasks;
    struct lt_zabbix_version version; /* number 0: not told yet, or none */
    uint64_t last_access_ms;
    uint64_t rows;
    uint64_t repeated;
    uint64_t delay;
    uint64_t revision;
    uint32_t failures;
    uint32_t unanswered; /* messages that were taken and wait for their answers */
    bool busy;           /* passive: a session is open */
    uint64_t wait_ms;
    uint64_t due_ms[LT_ZABBIX_DUTIES];
};

/* A message of a proxy that is arriving, or waits for its answer. */
struct lt_zabbix_taking;

/* One session, for as long as its exchange is not over. */
struct lt_zabbix_visit {
    struct lt_zabbix_exchange *exchange;
    leat_zabbix_server *server;
    struct lt_zabbix_visit *next;
    struct lt_zabbix_visit *previous;
    struct lt_zabbix_known *known; /* NULL: who it is, is not known yet, or no longer allowed */
    bool met;                      /* who is at the other end was told */
    bool refused;                  /* the other end said that it failed */
    bool more;                     /* it has more data */
    bool reload;                   /* it wants its configuration again */
    struct lt_zabbix_peer peer;
    uint64_t begun_ms;
    struct lt_zabbix_taking *taking; /* NULL: nothing came */
};

struct leat_zabbix_server {
    leat_config config; /* of the sessions and tables */
    leat_allocator allocator;
    leat_limits limits;
    leat_zabbix_server_options options; /* version points to the one below */
    struct lt_zabbix_version version;
    uint64_t now_ms;
    int64_t clock_ns;
    bool ticked; /* the time was told */
    bool throttled;
    struct lt_zabbix_known **known; /* by name */
    size_t known_count;
    size_t known_size;
    size_t turn; /* the passive proxy that is looked at first */
    struct lt_zabbix_visit *visits;
    struct leat_error error;
};

extern const struct lt_zabbix_owner lt_zabbix_serving;

/* The proxy of that name, or NULL. */
struct lt_zabbix_known *lt_zabbix_known_find(const leat_zabbix_server *server, const char *name,
                                             size_t length);

/* The time as tasks tell it: seconds since 1970. */
uint64_t lt_zabbix_server_clock(const leat_zabbix_server *server);

/* Whether a passive proxy may get its configuration, or be asked for data: spec section 5. */
bool lt_zabbix_known_may_configure(const leat_zabbix_server *server,
                                   const struct lt_zabbix_known *known);
bool lt_zabbix_known_may_send(const leat_zabbix_server *server,
                              const struct lt_zabbix_known *known);

/* The exchange with a passive proxy is over: sets when the next one is due. */
void lt_zabbix_schedule(struct lt_zabbix_visit *visit, bool succeeded);

/* The session of a visit is being made, or goes on without the server. */
int lt_zabbix_visit_make(leat_zabbix_server *server, const leat_zabbix_peer *peer,
                         struct lt_zabbix_visit **visit);
void lt_zabbix_visit_free(struct lt_zabbix_visit *visit);
size_t lt_zabbix_visit_memory(const struct lt_zabbix_visit *visit);

/* Checks what leat_zabbix_server_task() got, or what was saved. LEAT_OK, LEAT_E_VALUE. */
int lt_zabbix_server_check_task(const leat_zabbix_server *server, const leat_value *task,
                                const char **what, const char **field);

#endif
