/*
 * Which values of a proxy were seen: for each of its sessions the highest id, for the sessions that
 * were used last. Source: spec sections 7.4 and 9.4.
 */
#ifndef LT_ZABBIX_SEEN_H
#define LT_ZABBIX_SEEN_H

#include "../core/memory.h"

#define LT_ZABBIX_TOKEN 32u /* octets of a session token */

struct lt_zabbix_seen_session {
    char token[LT_ZABBIX_TOKEN];
    uint64_t id;         /* of the last value that counts */
    uint64_t expires_ms; /* unless it is used before */
    bool configured;     /* it was given a full copy of its configuration by this server ... */
    uint64_t before;     /* ... when it told this revision */
};

struct lt_zabbix_seen {
    struct lt_zabbix_seen_session *session; /* in no order */
    size_t count;
    size_t size;
};

void lt_zabbix_seen_free(const leat_allocator *allocator, struct lt_zabbix_seen *seen);

/* The session of that token, or NULL if there is none that has not expired. */
struct lt_zabbix_seen_session *lt_zabbix_seen_find(struct lt_zabbix_seen *seen, const char *token,
                                                   uint64_t now_ms);

/*
 * The same, but a new one if there is none: in the place of one that has expired or, if there are
 * limit of them, of the one that was used longest ago. It expires at expires_ms. NULL: no memory,
 * which cannot be for a token that was added before.
 */
struct lt_zabbix_seen_session *lt_zabbix_seen_add(const leat_allocator *allocator,
                                                  struct lt_zabbix_seen *seen, const char *token,
                                                  uint64_t now_ms, uint64_t expires_ms,
                                                  uint64_t limit);

#endif
