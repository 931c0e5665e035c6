/*
 * Who may talk to a server: what it demands of a proxy, and what it was told of a peer. Source:
 * spec section 4.2.
 */
#ifndef LT_ZABBIX_ACCESS_H
#define LT_ZABBIX_ACCESS_H

#include "../core/memory.h"

#include <leat/zabbix_server.h>

#define LT_ZABBIX_NAME_MAX 128u
/* Room for the reason of a refusal, a name in it. */
#define LT_ZABBIX_REASON 320u

/* Each is NULL or stands in one block of memory. */
struct lt_zabbix_identity {
    char *block;
    size_t bytes;
    const char *psk_identity;
    const char *issuer;
    const char *subject;
};

struct lt_zabbix_peer {
    uint32_t connection;
    bool has_address;
    uint8_t address[16];
    struct lt_zabbix_identity identity;
};

struct lt_zabbix_subnet {
    uint8_t address[16];
    uint32_t prefix; /* in terms of IPv6 */
};

struct lt_zabbix_access {
    uint32_t connections;
    struct lt_zabbix_identity identity;
    struct lt_zabbix_subnet *subnet; /* none: any address */
    size_t subnet_count;
    size_t subnet_size;
};

/* LEAT_OK, LEAT_E_VALUE (not initialised), LEAT_E_NOMEM: then there is nothing to free. */
int lt_zabbix_peer_make(const leat_allocator *allocator, const leat_zabbix_peer *given,
                        struct lt_zabbix_peer *peer);
void lt_zabbix_peer_free(const leat_allocator *allocator, struct lt_zabbix_peer *peer);

/*
 * The same for a proxy's rules; given was initialised. LEAT_E_VALUE: *field is the member that is
 * wrong.
 */
int lt_zabbix_access_make(const leat_allocator *allocator, const leat_zabbix_server_member *given,
                          struct lt_zabbix_access *access, const char **field);
void lt_zabbix_access_free(const leat_allocator *allocator, struct lt_zabbix_access *access);
size_t lt_zabbix_access_memory(const struct lt_zabbix_access *access);

bool lt_zabbix_is_proxy_name(const char *name, size_t length);

/* Writes a reason with a name (of the peer, whatever it is) between two texts. */
void lt_zabbix_reason(char reason[LT_ZABBIX_REASON], const char *before, const char *name,
                      size_t length, const char *after);

/*
 * Why that peer may not talk as the proxy of that name: a constant sentence, and the reason for the
 * peer. NULL: it may.
 */
const char *lt_zabbix_access_denied(const struct lt_zabbix_access *access,
                                    const struct lt_zabbix_peer *peer, const char *name,
                                    char reason[LT_ZABBIX_REASON]);

#endif
