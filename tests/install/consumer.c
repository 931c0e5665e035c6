/*
 * A program of somebody else, built against leat as it is installed: decodes one message of each
 * dialect.
 */
#include <leat/broker.h>
#include <leat/estreamer.h>
#include <leat/leat.h>
#include <leat/session.h>
#include <leat/zabbix.h>
#include <leat/zeek.h>
#include <stdio.h>
#include <string.h>

static const unsigned char null_message[] = {0, 1, 0, 0, 0, 0, 0, 0};
static const unsigned char heartbeat[] =
    "ZBXD\1\51\0\0\0\0\0\0\0{\"request\":\"proxy heartbeat\",\"host\":\"p1\"}";
static const unsigned char probe[] = {0, 0, 0, 5, 7, 'Z', 'E', 'E', 'K'};

/* 1 if the bytes give one event of that name and the stream ends well. Frees the session. */
static int decodes(leat_session *session, const void *data, size_t length, const char *name)
{
    const leat_event *event;
    int good = leat_feed(session, data, length) == LEAT_OK && leat_recv_eof(session) == LEAT_OK &&
               leat_next(session, &event) == LEAT_OK &&
               strcmp(leat_event_name(event, NULL), name) == 0 &&
               leat_next(session, &event) == LEAT_END;

    printf("%s: %s\n", name, good ? "decoded" : "not decoded");
    leat_session_free(session);
    return good;
}

int main(void)
{
    leat_session *estreamer;
    leat_session *zabbix;
    leat_session *broker;
    int good;

    if (leat_estreamer_codec_new(NULL, LEAT_FROM_SERVER, &estreamer) != LEAT_OK ||
        leat_zabbix_codec_new(NULL, LEAT_FROM_PROXY, &zabbix) != LEAT_OK ||
        leat_broker_codec_new(NULL, LEAT_FROM_SERVER, &broker) != LEAT_OK)
        return 1;
    printf("leat %s\n", leat_version());
    good = decodes(estreamer, null_message, sizeof null_message, "null");
    good &= decodes(zabbix, heartbeat, sizeof heartbeat - 1, "proxy heartbeat");
    good &= decodes(broker, probe, sizeof probe, "probe");
    return good ? 0 : 1;
}
