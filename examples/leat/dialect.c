/* The dialects by name, and the sides of a conversation. */
#include "tool.h"

#ifdef WITH_ESTREAMER
#include <leat/estreamer.h>
#else
#define leat_estreamer_codec_new NULL
#endif
#ifdef WITH_ZABBIX
#include <leat/zabbix.h>
#else
#define leat_zabbix_codec_new NULL
#endif
#ifdef WITH_BROKER
#include <leat/broker.h>
#else
#define leat_broker_codec_new NULL
#endif
#if defined(WITH_BROKER) && defined(WITH_OPENSSL)
#include <leat/broker_websocket.h>
#else
#define leat_broker_websocket_codec_new NULL
#endif

#include <string.h>

static const struct dialect dialects[] = {
    {"estreamer", "eStreamer", leat_estreamer_codec_new},
    {"zabbix", "Zabbix", leat_zabbix_codec_new},
    {"broker", "Broker", leat_broker_codec_new},
    {"broker-ws", "Broker", leat_broker_websocket_codec_new},
};

static const struct {
    const char *word;
    uint32_t from;
} sides[] = {
    {"client", LEAT_FROM_CLIENT}, {"server", LEAT_FROM_SERVER}, {"proxy", LEAT_FROM_PROXY},
    {"agent", LEAT_FROM_AGENT},   {"sender", LEAT_FROM_SENDER},
};

const struct dialect *dialect_find(const char *name)
{
    size_t i;

    for (i = 0; i < sizeof dialects / sizeof *dialects; i++) {
        if (strcmp(name, dialects[i].name) != 0)
            continue;
        if (dialects[i].codec_new == NULL) {
            complain("%s: left out of this build", name);
            return NULL;
        }
        return &dialects[i];
    }
    complain("unknown dialect %s: estreamer, zabbix, broker or broker-ws", name);
    return NULL;
}

bool from_read(const char *word, size_t length, uint32_t *from)
{
    size_t i;

    for (i = 0; i < sizeof sides / sizeof *sides; i++) {
        if (strlen(sides[i].word) == length && memcmp(word, sides[i].word, length) == 0) {
            *from = sides[i].from;
            return true;
        }
    }
    return false;
}

leat_session *dialect_open(const struct dialect *dialect, uint32_t from)
{
    leat_session *session = NULL;

    need_memory(dialect->codec_new(NULL, from, &session));
    return session;
}
