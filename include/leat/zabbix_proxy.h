/*
 * A Zabbix proxy: you hand in what you measured, it sees to it that the server gets it once.
 *
 *     leat_zabbix_proxy_tick(proxy, now_ms, clock_ns);
 *     leat_zabbix_proxy_history(proxy, &value, NULL);           whenever there is one
 *     if (leat_zabbix_proxy_connect(proxy, &session) == LEAT_OK)
 *         connect to the server and drive the session (session.h) until it ends, then free it
 *     sleep until leat_zabbix_proxy_deadline(proxy)
 *
 * A passive proxy gives leat_zabbix_proxy_accept() each connection instead. Either way the sessions
 * belong to the proxy: they take from its buffer, and what the server acknowledges is dropped from
 * it. A session that is freed before its exchange was over, for whatever reason, has failed: its
 * values are sent again. Sessions may outlive the proxy; they end then.
 *
 * What leat_next() gives in such a session: CHANGE for every row of the configuration that is new,
 * different or gone, TASK for every task, ACKNOWLEDGED when values were, all of these only once
 * their message was complete and sound; the messages themselves (PROXY_CONFIG, RESPONSE, ...); and
 * the rows and requests of agents and senders, which you answer (see zabbix.h).
 *
 * Source: spec sections 3, 6 to 12.
 */
#ifndef LEAT_ZABBIX_PROXY_H
#define LEAT_ZABBIX_PROXY_H

#include <leat/buffer.h>
#include <leat/leat.h>
#include <leat/session.h>
#include <leat/value.h>
#include <leat/zabbix.h>
#include <leat/zabbix_tables.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Kinds of events beside those of zabbix.h. */
/*
 * A row of the configuration: the name is its table, the value {"change":"added", "changed" or
 * "removed", "row":{...}}.
 */
#define LEAT_ZABBIX_CHANGE 32u
/*
 * "task": the value is the task. One that has expired or lacks a member is an event with an error:
 * do not run it. Results go into the section "tasks". Tasks of more than 16 MiB in a message end the
 * session (LEAT_E_LIMIT).
 */
#define LEAT_ZABBIX_TASK 33u
/*
 * "acknowledged": {"history data":{"rows":N,"id":ID},"discovery data":{"rows":N},...}: the server
 * has so many rows, the ids of values up to ID.
 */
#define LEAT_ZABBIX_ACKNOWLEDGED 34u

#define LEAT_ZABBIX_REFUSE_NEW  0u /* a full buffer takes no more: LEAT_E_LIMIT */
#define LEAT_ZABBIX_DROP_OLDEST 1u /* a full buffer drops the oldest value for a new one */

/*
 * Fill it with leat_zabbix_proxy_options_init(), then change what you want. All that it points to is
 * copied.
 */
typedef struct leat_zabbix_proxy_options {
    uint64_t size;
    const char *name;    /* as the server knows it */
    const char *version; /* "7.0.22": the dialect, and what the server is told */
    /*
     * 32 lower-case hexadecimal digits, at random: the server tells repeated values by it. A
     * restored proxy keeps its own instead.
     */
    const char *session;
    uint32_t passive;             /* 0; 1: the server connects */
    uint32_t buffer_policy;       /* LEAT_ZABBIX_REFUSE_NEW */
    uint64_t buffer_rows;         /* 1 000 000 rows of all sections */
    uint64_t buffer_bytes;        /* 256 MiB of their text */
    uint64_t buffer_ms;           /* 0: any age; else values this long in the buffer are dropped */
    uint64_t batch_rows;          /* 10 000: most rows of one section in a message */
    uint64_t batch_bytes;         /* 16 MiB: a section of so many octets gets no more rows */
    uint64_t configuration_bytes; /* 256 MiB: most memory for the tables */
    uint64_t config_ms;           /* 0: 10 s, before 6.4 an hour; how often to ask for it */
    uint64_t data_ms;             /* 1000: least time between messages that hold rows */
    uint64_t tasks_ms;            /* 1000: how often to ask for tasks when there are no rows */
    uint64_t heartbeat_ms;        /* 60 000, before 6.4; 0: never */
    uint64_t retry_ms;            /* 1000: after a failure, first; then twice as long, to 60 000 */
    uint64_t timeout_ms;          /* as in leat_zabbix_exchange_options */
    uint64_t linger_ms;           /* as there */
} leat_zabbix_proxy_options;

LEAT_API void leat_zabbix_proxy_options_init(leat_zabbix_proxy_options *options, size_t size);

typedef struct leat_zabbix_proxy leat_zabbix_proxy;

/**
 * Makes a proxy. config counts for its sessions, too.
 *
 * LEAT_OK, LEAT_E_NOMEM, LEAT_E_VALUE (options that were not initialised, a name that no server
 * takes, a version or a session that is none, no room for a batch). A version is at most 31 octets
 * of ASCII.
 */
LEAT_API int leat_zabbix_proxy_new(const leat_config *config,
                                   const leat_zabbix_proxy_options *options,
                                   leat_zabbix_proxy **proxy);
LEAT_API void leat_zabbix_proxy_free(leat_zabbix_proxy *proxy);

/*
 * Tells the time, before anything else: a monotonic clock in milliseconds, and nanoseconds since
 * 1970. Each session needs leat_tick() of its own.
 */
LEAT_API void leat_zabbix_proxy_tick(leat_zabbix_proxy *proxy, uint64_t now_ms, int64_t clock_ns);

/* When leat_zabbix_proxy_connect() has something to do next; UINT64_MAX: nothing is pending. */
LEAT_API uint64_t leat_zabbix_proxy_deadline(const leat_zabbix_proxy *proxy);

/**
 * Puts a value into the buffer.
 *
 * history  itemid is needed. Without a clock it is dated now. Without ns, or with 0, it gets one
 *          that is counted up from 1 on, from value to value: no two values of an item may have the
 *          same time, as the server would lose the later one. id is not looked at.
 * id       set to the number that it got: 1 and up. NULL is fine.
 *
 * LEAT_OK; LEAT_E_VALUE (no itemid, a time out of range, text that is not UTF-8 or holds a zero
 * octet, a member that a proxy does not send, a reason of state 1 or half of a log position that is
 * missing), LEAT_E_LIMIT (the buffer is full, or the row alone over its limit), LEAT_E_NOMEM.
 *
 * Source: spec section 9.
 */
LEAT_API int leat_zabbix_proxy_history(leat_zabbix_proxy *proxy, const leat_zabbix_history *history,
                                       uint64_t *id);

/**
 * Puts a row into another section: "interface availability", "host availability", "discovery data",
 * "auto registration", "host data", "tasks" (results).
 *
 * row  a record with the fields that the proxy's version has there. What changes form with the
 *      version (the port of an auto registration) is brought into it.
 *
 * LEAT_OK; LEAT_E_STATE (no such section in this version), LEAT_E_VALUE (a field that is missing,
 * unknown or of the wrong type), LEAT_E_LIMIT, LEAT_E_NOMEM. See leat_zabbix_proxy_error().
 */
LEAT_API int leat_zabbix_proxy_row(leat_zabbix_proxy *proxy, const char *section,
                                   const leat_value *row);

/**
 * An active proxy's next exchange, if it is time for one.
 *
 * session  yours to connect to the server, drive and free: free it also if you could not connect.
 *          leat_zabbix_exchange() says what it is for.
 *
 * LEAT_OK, LEAT_END (nothing to do until the deadline), LEAT_E_STATE (a passive proxy), LEAT_E_NOMEM.
 */
LEAT_API int leat_zabbix_proxy_connect(leat_zabbix_proxy *proxy, leat_session **session);

/**
 * The session of a connection that was accepted.
 *
 * is_server  1: the peer is our server, by its address and, with TLS, by its certificate or key (see
 *            openssl.h); what is asked of a passive proxy is answered to nobody else. Agents and
 *            senders need not be.
 *
 * An agent whose host belongs to another member of the proxy group is sent there; a sender, by the
 * host of its first row.
 *
 * LEAT_OK or LEAT_E_NOMEM.
 */
LEAT_API int leat_zabbix_proxy_accept(leat_zabbix_proxy *proxy, uint32_t is_server,
                                      leat_session **session);

/**
 * Tells who the peer of an accepted session is, if that is known only after the TLS handshake:
 * overrides is_server.
 *
 * LEAT_OK, LEAT_E_STATE (no session of a proxy that was connected to, or something was read already).
 */
LEAT_API int leat_zabbix_proxy_met(leat_session *session, uint32_t is_server);

/* The configuration as it is: to look rows up in. Borrowed; lives as long as the proxy. */
LEAT_API leat_zabbix_tables *leat_zabbix_proxy_tables(leat_zabbix_proxy *proxy);

/* The next exchange, if the proxy is active, asks for the configuration. */
LEAT_API void leat_zabbix_proxy_reload(leat_zabbix_proxy *proxy);

/* Counts, for monitoring the proxy itself. Fill size, then ask. */
typedef struct leat_zabbix_proxy_status {
    uint64_t size;
    uint64_t rows;         /* in the buffer, of all sections */
    uint64_t bytes;        /* their text */
    uint64_t dropped;      /* rows that were lost to the limits of the buffer */
    uint64_t last_id;      /* of the last value */
    uint64_t acknowledged; /* the server has the values up to this id */
    uint64_t delay;        /* seconds since the oldest value in the buffer was put there */
    uint32_t upload;       /* 1; 0: the server wants tasks alone */
    uint32_t failures;     /* exchanges that failed, since one succeeded */
} leat_zabbix_proxy_status;

LEAT_API int leat_zabbix_proxy_get_status(const leat_zabbix_proxy *proxy,
                                          leat_zabbix_proxy_status *status);

/**
 * Keeping it. Save appends all that the proxy must not forget: its session, the last id, what is in
 * the buffer and not acknowledged, the configuration. Journal appends what changed since the last
 * save or journal, and is short. Restore takes what one save and the journals behind it wrote, in
 * that order, in one piece.
 *
 * So a program that must lose nothing writes a save into a new file, and behind it a journal (and
 * fsync) after every value that it took and before it answers whoever gave it, and after every
 * exchange; and a new file when the journals have grown longer than the save. Octets are checked: a
 * journal that was cut by a crash is ignored from there on, and counts as not written. The first
 * journal of a proxy that was neither saved nor restored is a save. What was appended and could not
 * be kept is missing in the journals behind it: save anew.
 *
 * LEAT_OK, LEAT_E_LIMIT (of the buffer), LEAT_E_NOMEM; then nothing was appended.
 */
LEAT_API int leat_zabbix_proxy_save(leat_zabbix_proxy *proxy, leat_buffer *buffer);
LEAT_API int leat_zabbix_proxy_journal(leat_zabbix_proxy *proxy, leat_buffer *buffer);

/**
 * Restores a fresh proxy, which was told the time.
 *
 * used  set to the octets that were understood; what is behind them was cut, and must be cut off
 *       before a journal is appended.
 *
 * The ids of new values go on behind a gap, so that none is given again that was in use when the
 * last journal was not yet written. The version may be another one than that of the proxy that was
 * saved: rows are brought into its form, and those that it lacks are dropped.
 *
 * LEAT_OK; LEAT_E_SYNTAX (no whole save, or of a proxy of another name), LEAT_E_STATE (not fresh),
 * LEAT_E_LIMIT, LEAT_E_NOMEM: then it is as fresh as before.
 */
LEAT_API int leat_zabbix_proxy_restore(leat_zabbix_proxy *proxy, const void *data, size_t length,
                                       size_t *used);

/* Why the last call was refused, the field with it; NULL if it was not. */
LEAT_API const leat_error *leat_zabbix_proxy_error(const leat_zabbix_proxy *proxy);

/* All that it holds, the sessions themselves apart (leat_session_memory()). */
LEAT_API size_t leat_zabbix_proxy_memory(const leat_zabbix_proxy *proxy);

#ifdef __cplusplus
}
#endif

#endif
