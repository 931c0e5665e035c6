#include "seen.h"

#include <string.h>

void lt_zabbix_seen_free(const leat_allocator *allocator, struct lt_zabbix_seen *seen)
{
    lt_free(allocator, seen->session, seen->size * sizeof *seen->session);
    memset(seen, 0, sizeof *seen);
}

struct lt_zabbix_seen_session *lt_zabbix_seen_find(struct lt_zabbix_seen *seen, const char *token,
                                                   uint64_t now_ms)
{
    size_t i;

    for (i = 0; i < seen->count; i++) {
        struct lt_zabbix_seen_session *session = &seen->session[i];

        if (memcmp(session->token, token, LT_ZABBIX_TOKEN) == 0)
            return session->expires_ms > now_ms ? session : NULL;
    }
    return NULL;
}

/* The place of that token or, if it has none, of the session that may go first; NULL: none. */
static struct lt_zabbix_seen_session *place_of(struct lt_zabbix_seen *seen, const char *token)
{
    struct lt_zabbix_seen_session *oldest = NULL;
    size_t i;

    for (i = 0; i < seen->count; i++) {
        struct lt_zabbix_seen_session *session = &seen->session[i];

        if (memcmp(session->token, token, LT_ZABBIX_TOKEN) == 0)
            return session;
        if (oldest == NULL || session->expires_ms < oldest->expires_ms)
            oldest = session;
    }
    return oldest;
}

struct lt_zabbix_seen_session *lt_zabbix_seen_add(const leat_allocator *allocator,
                                                  struct lt_zabbix_seen *seen, const char *token,
                                                  uint64_t now_ms, uint64_t expires_ms,
                                                  uint64_t limit)
{
    struct lt_zabbix_seen_session *session = lt_zabbix_seen_find(seen, token, now_ms);

    if (session == NULL) {
        session = place_of(seen, token);
        if (session == NULL || (memcmp(session->token, token, LT_ZABBIX_TOKEN) != 0 &&
                                session->expires_ms > now_ms && seen->count < limit)) {
            void *array = seen->session;

            if (!lt_grow(allocator, &array, &seen->size, seen->count + 1, sizeof *seen->session))
                return NULL;
            seen->session = (struct lt_zabbix_seen_session *)array;
            session = &seen->session[seen->count++];
        }
        memset(session, 0, sizeof *session);
        memcpy(session->token, token, LT_ZABBIX_TOKEN);
    }
    session->expires_ms = expires_ms;
    return session;
}
