/* What the files of the program share that are about Zabbix. */
#ifndef LEAT_ZABBIX_LIVE_H
#define LEAT_ZABBIX_LIVE_H

#include "live.h"

#include <leat/zabbix.h>
#include <leat/zabbix_proxy.h>
#include <leat/zabbix_server.h>
#include <leat/zabbix_tables.h>

/* zabbix_tls.c: keys and certificates, and how one connects by them. */

#define PEER_NAME_BYTES 1024

/* A pre-shared key. */
struct psk {
    const char *identity;
    const char *key;
};

struct keys {
    uint32_t connects;  /* LEAT_ZABBIX_UNENCRYPTED, _PSK or _CERTIFICATE: how we do */
    uint32_t accepts;   /* the sum of what others may */
    const char *issuer; /* that a certificate must have; NULL: any */
    const char *subject;
    struct psk psk; /* identity NULL: none */

    /* The files. */
    void *psk_file;
    size_t psk_length;
    void *certificate;
    size_t certificate_length;
    void *key;
    size_t key_length;
    void *authorities;
    size_t authorities_length;
    void *password;
    size_t password_length;
};

/* By the options of the command. False, with a complaint, if they are not complete or not sound. */
bool keys_open(struct keys *keys, const struct arguments *arguments);
void keys_close(struct keys *keys);

/* "unencrypted", "psk" or "cert", as LEAT_ZABBIX_*; 0: none of them. */
uint32_t connection_type(const char *word, size_t length);
const char *connection_word(uint32_t type);

/*
 * What is needed to connect by a type, with that key; or to accept by the sum of types, with these keys. False,
 * with a complaint: it cannot be done. To be closed with security_close().
 */
bool keys_connect(const struct keys *keys, uint32_t type, const struct psk *psk,
                  struct security *security);
bool keys_accept(const struct keys *keys, uint32_t types, const struct psk *psks, size_t count,
                 struct security *security);

/* Who is at the other end, when TLS is there. */
struct facts {
    leat_zabbix_peer peer; /* points to what is below and to the connection */
    char issuer[PEER_NAME_BYTES];
    char subject[PEER_NAME_BYTES];
};

void facts_read(struct facts *facts, const struct connection *connection);
/* Whether the certificate, if the peer was let in by one, has the names that keys demand. */
bool facts_suit(const struct facts *facts, const struct keys *keys);

/* zabbix_common.c: versions, times, and output that is to last. */

#define VERSION_BYTES 32

/* The version of --as-version, with a patch level. False, with a complaint: it is none. */
bool version_read(const struct arguments *arguments, char version[VERSION_BYTES]);

/* Whether a version is at least that one. */
bool version_is_since(const char *text, size_t length, uint64_t major, uint64_t minor);

/* ns since 1970. */
int64_t clock_ns(void);

/* Writes out what was printed, and if it goes to a file, onto the disk: before it is acknowledged. */
void output_keep(void);

/* zabbix_answer.c: what agents and senders are answered. */

struct asker {
    uint64_t rows; /* of values, in the message at hand, */
    uint64_t bad;  /* and those among them that name no item */
    uint64_t began_us;
};

/* Answers the event, if it is a request that the engines leave to us. */
void answer(struct asker *asker, leat_session *session, const leat_event *event,
            leat_zabbix_tables *tables, const char *version);

/* zabbix_settings.c: the options of a proxy. */

#define SUBNETS_MAX 64u

/* Where the server of a passive proxy may come from. */
struct subnet {
    uint8_t octets[16];
    uint64_t prefix; /* in terms of IPv6 */
};

struct settings {
    leat_zabbix_proxy_options options;
    char version[VERSION_BYTES];
    char session[33];
    struct endpoint server; /* of an active one */
    struct subnet subnets[SUBNETS_MAX];
    size_t subnet_count;
    bool exit_when_empty;
};

/* False, with a complaint, if an option is missing or wrong. The settings stay where they are: options point there. */
bool settings_read(struct settings *settings, const struct arguments *arguments);
/* Whether the server may come from that address. */
bool settings_are_for(const struct settings *settings, const char *address);

/* zabbix_journal.c: a proxy's state in a file. */

struct journal {
    const char *path; /* NULL: it is kept in memory only */
    leat_buffer *buffer;
    int descriptor;
    uint64_t saved; /* octets of the file that are a save, */
    uint64_t added; /* and those behind it */
};

/* Restores the proxy, if the file is there. False, with a complaint, if it is not sound. */
bool journal_open(struct journal *journal, const char *path, leat_zabbix_proxy *proxy);
/* What changed is on the disk when this returns. A failure ends the program. */
void journal_write(struct journal *journal, leat_zabbix_proxy *proxy);
void journal_close(struct journal *journal, leat_zabbix_proxy *proxy);

/* zabbix_config.c: the proxies of a server, by options and by a file. */

struct member {
    char *name;
    bool passive;
    bool compress;
    struct endpoint endpoint; /* of a passive one */
    uint32_t types;           /* LEAT_ZABBIX_*: how it may connect, or how we do */
    struct psk psk;           /* the next two */
    char *identity;           /* NULL: it has no key of its own */
    char *key;
    char *issuer; /* NULL: any */
    char *subject;
    char *addresses;
    const leat_value *tables; /* NULL: none */
    struct security security; /* of a passive one */
};

struct members {
    struct member *members;
    size_t count;
    size_t size;
    leat_builder *file;       /* what tables point to */
    const leat_value *tables; /* of hosts that have no proxy; NULL: none */
};

/* False, with a complaint, if an option or the file is not sound. */
bool members_read(struct members *members, const struct arguments *arguments,
                  const struct keys *keys);
void members_free(struct members *members);
/*
 * Loads a configuration; NULL is the smallest that real proxies run with. False, with a complaint: it is not
 * sound.
 */
bool tables_load(leat_zabbix_tables *tables, const leat_value *value, const char *whose);
/* Tells the engine of one. False, with a complaint: it will not have it. */
bool member_add(const struct member *member, const struct keys *keys, leat_zabbix_server *server);
/* What is needed to accept all that are active, and by which types. False, with a complaint: it cannot be done. */
bool members_accept(const struct members *members, const struct keys *keys, uint32_t *types,
                    struct security *security);
const struct member *members_find(const struct members *members, const char *name);

/* zabbix_exchange.c: commands that make one exchange after the other. */

struct asking {
    struct live live;
    struct keys keys;
    struct security security;
    struct endpoint endpoint; /* to be asked next */
    leat_zabbix_exchange_options options;
    char version[VERSION_BYTES];
    bool busy;
    bool answered;              /* by a sound message */
    char problem[REASON_BYTES]; /* why not; "": it was, or was not asked yet */
    void *data;
    /* Writes the request; answers as leat_send() does. */
    int (*ask)(struct asking *asking, leat_session *session);
    void (*hear)(struct asking *asking, const struct connection *connection,
                 const leat_event *event);
    /* Begins the next exchange with asking_begin(), or not: then the command ends. */
    void (*next)(struct asking *asking);
};

/* Reads the options that they share. False, with a complaint, if they are wrong. */
bool asking_open(struct asking *asking, const struct arguments *arguments, uint32_t role,
                 uint32_t exchange, uint64_t timeout_ms);
void asking_run(struct asking *asking);
void asking_begin(struct asking *asking);
void asking_close(struct asking *asking);

#endif
