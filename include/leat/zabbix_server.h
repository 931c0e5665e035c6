/*
 * A Zabbix server, as proxies see it: it knows them, hands them their configuration and tasks, and
 * takes their data, every value once.
 *
 *     leat_zabbix_server_tick(server, now_ms, clock_ns);
 *     leat_zabbix_server_accept(server, &peer, &session);       for every connection, or
 *     leat_zabbix_server_connect(server, &name, &session);      while a passive proxy is due
 *     drive the session (session.h) until it ends, then free it
 *
 * What leat_next() gives: the rows and the message of proxy data, heartbeats, requests for the
 * configuration, all answered by the session itself; and the rows and requests of agents and
 * senders, which you answer (see zabbix.h; a request for active checks with leat_send() or
 * leat_zabbix_refuse()). Sessions may outlive the server; they end then.
 *
 * Values. Rows of "history data" whose id the server had from this session of the proxy are left
 * out. Rows count once the event of their message has come without an error; it is acknowledged when
 * leat_next() is called again, so keep them before that.
 *
 * What did not count comes again: the event of its message has an error if the server is throttled,
 * if another message of the same session was taken meanwhile, or if the version is one that the
 * server does not take. A row has an error if real servers could not use it (it lacks a field, it is
 * in no section or in the second one of a name); the others of its message count all the same.
 *
 * Who may. A proxy that was not added, or that comes from an address, by a connection or with an
 * identity that it was not added with, is refused as real servers do, before any of its rows is
 * shown; it never gets a configuration or a task. For this a message has to say what it is and who
 * sends it before its first row, and of which session it is before its first value, as those of all
 * real proxies do.
 *
 * Source: spec sections 3 to 12.
 */
#ifndef LEAT_ZABBIX_SERVER_H
#define LEAT_ZABBIX_SERVER_H

#include <leat/buffer.h>
#include <leat/leat.h>
#include <leat/session.h>
#include <leat/value.h>
#include <leat/zabbix.h>
#include <leat/zabbix_tables.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LEAT_ZABBIX_UNENCRYPTED 1u
#define LEAT_ZABBIX_PSK         2u
#define LEAT_ZABBIX_CERTIFICATE 4u

/* What the caller's transport knows of a peer. Texts may be NULL: unknown. */
typedef struct leat_zabbix_peer {
    uint64_t size;            /* sizeof(leat_zabbix_peer) */
    const char *address;      /* IPv4 or IPv6, as text */
    uint32_t connection;      /* LEAT_ZABBIX_UNENCRYPTED, _PSK or _CERTIFICATE */
    const char *psk_identity; /* by which it was let in */
    const char *issuer;       /* of its certificate, as openssl.h gives it */
    const char *subject;
} leat_zabbix_peer;

LEAT_API void leat_zabbix_peer_init(leat_zabbix_peer *peer, size_t size);

/*
 * A proxy that may talk to the server. Fill it with leat_zabbix_server_member_init(), then change what you
 * want. All that it points to is copied.
 */
typedef struct leat_zabbix_server_member {
    uint64_t size;
    const char *name;
    uint32_t passive;         /* 0; 1: the server connects to it */
    uint32_t connections;     /* LEAT_ZABBIX_UNENCRYPTED: the sum of those that are allowed */
    const char *psk_identity; /* NULL: any that the transport let in */
    const char *issuer;       /* NULL or "": any */
    const char *subject;      /* NULL or "": any */
    const char *addresses;    /* "10.0.0.1,192.168.0.0/24,2001:db8::1"; NULL or "": any */
    uint32_t compress;        /* 1; before 6.4, auto_compress at first */
} leat_zabbix_server_member;

LEAT_API void leat_zabbix_server_member_init(leat_zabbix_server_member *member, size_t size);

/*
 * Fill it with leat_zabbix_server_options_init(), then change what you want. All that it points to
 * is copied.
 */
typedef struct leat_zabbix_server_options {
    uint64_t size;
    const char *version; /* "7.0.22" */
    uint64_t config_ms;  /* 0: 10 s, before 6.4 an hour; how often passive proxies get it */
    uint64_t data_ms;    /* 1000: how often they are asked for data */
    uint64_t tasks_ms;   /* 1000: how often for tasks, if data are not due */
    uint64_t retry_ms;   /* 5000: a passive proxy that failed is left alone so long */
    uint64_t timeout_ms; /* as in leat_zabbix_exchange_options */
    uint64_t linger_ms;  /* as there */
    uint64_t configuration_bytes; /* 256 MiB: most memory for the tables of one proxy */
    uint64_t sessions;   /* 16: most sessions of one proxy that are remembered, those used last */
    uint64_t session_ms; /* 86 400 000: how long one is remembered that is not used */
    uint64_t tasks;      /* 10 000: most tasks that wait for one proxy */
    uint32_t hold;       /* 0; 1: data are acknowledged by leat_zabbix_server_acknowledge() alone */
} leat_zabbix_server_options;

LEAT_API void leat_zabbix_server_options_init(leat_zabbix_server_options *options, size_t size);

typedef struct leat_zabbix_server leat_zabbix_server;

/* LEAT_OK, LEAT_E_NOMEM, LEAT_E_VALUE (options that were not initialised, a version that is none or
 * below 5.0, no sessions to be remembered). */
LEAT_API int leat_zabbix_server_new(const leat_config *config,
                                    const leat_zabbix_server_options *options,
                                    leat_zabbix_server **server);
LEAT_API void leat_zabbix_server_free(leat_zabbix_server *server);

/* As leat_zabbix_proxy_tick() and leat_zabbix_proxy_deadline(). */
LEAT_API void leat_zabbix_server_tick(leat_zabbix_server *server, uint64_t now_ms,
                                      int64_t clock_ns);
LEAT_API uint64_t leat_zabbix_server_deadline(const leat_zabbix_server *server);

/**
 * Lets a proxy talk to the server, or changes how it may.
 *
 * LEAT_OK, LEAT_E_VALUE (not initialised; a name that is none: 1 to 128 of A-Z a-z 0-9 . _ - and
 * space; addresses that are none; no connection allowed), LEAT_E_LIMIT (configuration_bytes are too
 * few for empty tables), LEAT_E_NOMEM. Unless LEAT_OK nothing changed.
 */
LEAT_API int leat_zabbix_server_add(leat_zabbix_server *server,
                                    const leat_zabbix_server_member *member);

/* Forgets a proxy and all that was for it. LEAT_OK or LEAT_E_STATE (not known). */
LEAT_API int leat_zabbix_server_remove(leat_zabbix_server *server, const char *name);

/*
 * The tables that a proxy is given, empty at first: load its configuration into them
 * (leat_zabbix_tables_load()). NULL: not known. Borrowed; lives as long as the proxy is known.
 */
LEAT_API leat_zabbix_tables *leat_zabbix_server_tables(leat_zabbix_server *server,
                                                       const char *name);

/**
 * Gives a proxy a task, with its next response. One that has expired by then is dropped.
 *
 * task  with the fields of its type; without clock it is dated now, without ttl it does not expire.
 *
 * LEAT_OK; LEAT_E_STATE (not known), LEAT_E_VALUE (a field is missing or of the wrong type, or the
 * type is not one that a server sends), LEAT_E_LIMIT (too many wait), LEAT_E_NOMEM. See
 * leat_zabbix_server_error().
 *
 * Source: spec section 10.
 */
LEAT_API int leat_zabbix_server_task(leat_zabbix_server *server, const char *name,
                                     const leat_value *task);

/*
 * Wants tasks alone from active proxies (1), or data again (0): "upload". Their data fail
 * meanwhile, and passive proxies are not asked for any.
 */
LEAT_API void leat_zabbix_server_throttle(leat_zabbix_server *server, uint32_t on);

/**
 * The session of a connection that was accepted.
 *
 * peer  NULL: not known before the TLS handshake. Tell it by leat_zabbix_server_met() before the
 *       first octet; no proxy may talk before.
 *
 * LEAT_OK, LEAT_E_VALUE (not initialised), LEAT_E_NOMEM.
 */
LEAT_API int leat_zabbix_server_accept(leat_zabbix_server *server, const leat_zabbix_peer *peer,
                                       leat_session **session);

/**
 * The next exchange with a passive proxy, if it is time for one.
 *
 * name     the proxy's, borrowed until it is removed.
 * session  yours to connect to it, drive and free: free it also if you could not connect. Nothing is
 *          sent before leat_zabbix_server_met().
 *
 * LEAT_OK, LEAT_END (nothing to do until the deadline), LEAT_E_NOMEM.
 */
LEAT_API int leat_zabbix_server_connect(leat_zabbix_server *server, const char **name,
                                        leat_session **session);

/*
 * Tells who is at the other end, after the TLS handshake if there is one. LEAT_OK, LEAT_E_VALUE (not
 * initialised), LEAT_E_STATE (not such a session, or told before), LEAT_E_PROTOCOL (it is not the
 * passive proxy that was added: the session is over), LEAT_E_NOMEM.
 */
LEAT_API int leat_zabbix_server_met(leat_session *session, const leat_zabbix_peer *peer);

/*
 * The name of the proxy at the other end, once it is known and may talk; NULL before, when the
 * exchange is over, and for agents and senders. Borrowed until it is removed.
 */
LEAT_API const char *leat_zabbix_server_proxy(const leat_session *session);

/*
 * Says that the data of the message that came last are safe (with hold); the next leat_next() answers
 * them. LEAT_OK, LEAT_E_STATE (nothing waits for it), LEAT_E_NOMEM. leat_zabbix_refuse() makes the
 * proxy send them again.
 */
LEAT_API int leat_zabbix_server_acknowledge(leat_session *session);

/* What is known of a proxy. Fill size, then ask. LEAT_OK or LEAT_E_STATE (not known). */
typedef struct leat_zabbix_member_status {
    uint64_t size;
    uint64_t last_access_ms; /* by leat_zabbix_server_tick(); 0: never */
    uint64_t rows;           /* of data, that were new */
    uint64_t repeated;       /* values that were left out, as the server had them */
    uint64_t delay;          /* the proxy_delay that it told last, in seconds */
    uint64_t tasks;          /* that wait for it */
    uint64_t revision;       /* of the configuration that it has, as it told last */
    uint32_t failures;       /* exchanges that failed, since one succeeded */
    char version[32];        /* "" before the first message */
} leat_zabbix_member_status;

LEAT_API int leat_zabbix_server_get_status(const leat_zabbix_server *server, const char *name,
                                           leat_zabbix_member_status *status);

/**
 * Appends which values the server has (sessions and ids of all proxies), and the tasks that wait, so
 * that a restarted server takes none twice. Tables are not in it.
 *
 * LEAT_OK, LEAT_E_LIMIT, LEAT_E_NOMEM; then nothing was appended.
 */
LEAT_API int leat_zabbix_server_save(const leat_zabbix_server *server, leat_buffer *buffer);

/*
 * Takes what was saved, for the proxies that are known now; the time need not have been told.
 * LEAT_OK, LEAT_E_SYNTAX (not what save writes), LEAT_E_NOMEM; unless LEAT_OK nothing changed.
 */
LEAT_API int leat_zabbix_server_restore(leat_zabbix_server *server, const void *data,
                                        size_t length);

/* Why the last call was refused, the field with it; NULL if it was not. */
LEAT_API const leat_error *leat_zabbix_server_error(const leat_zabbix_server *server);

LEAT_API size_t leat_zabbix_server_memory(const leat_zabbix_server *server);

#ifdef __cplusplus
}
#endif

#endif
