/* Answers the clients of Broker's JSON protocol. */
#include <leat/broker_websocket.h>
#include <leat/event.h>
#include <leat/openssl.h>

int leat_websocket_upgrade(leat_session *session, const leat_event *event)
{
    char accept[29];
    const char *key;
    size_t length;
    int status;

    if (leat_event_kind(event) != LEAT_BROKER_UPGRADE)
        return LEAT_E_STATE;
    key = leat_value_text(leat_value_get(leat_event_value(event), "key"), &length);
    if (key == NULL)
        return LEAT_E_VALUE;
    status = leat_websocket_accept_value(key, length, accept);
    return status == LEAT_OK ? leat_broker_websocket_upgrade(session, accept) : status;
}
