/* What clients and servers of the WebSocket protocol have in common. */
#include "../core/text.h"
#include "websocket.h"

#include <leat/broker_websocket.h>

static bool is_alphanumeric(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool lt_ws_is_base64(const char *text, size_t length, size_t padding)
{
    size_t i;

    for (i = 0; i < length; i++) {
        if (i + padding >= length ? text[i] != '='
                                  : !is_alphanumeric(text[i]) && text[i] != '+' && text[i] != '/')
            return false;
    }
    return true;
}

bool lt_ws_is_application_name(const char *text, size_t length)
{
    size_t i;

    for (i = 0; i < length; i++) {
        if (!is_alphanumeric(text[i]) && (text[i] == '\0' || strchr("/_-.=:*@", text[i]) == NULL))
            return false;
    }
    return true;
}

/* Makes room for a record of so many fields and opens it. */
static bool open_record(leat_session *session, size_t fields)
{
    if (lt_tree_reserve(&session->tree, fields + 1) != LEAT_OK)
        return false;
    (void)lt_tree_open(&session->tree, LEAT_RECORD, LT_NO_NAME);
    lt_tree_close(&session->tree, 0, (uint32_t)fields);
    session->tree.cells[0].u.cells = fields + 1;
    return true;
}

static int lend(leat_session *session, uint32_t kind, const char *name,
                const struct lt_ws_message *message)
{
    leat_event *event =
        lt_event(session, kind, name, message->payload, message->length, message->offset);

    event->value = session->tree.cells;
    lt_hold(session, message->octets);
    return LEAT_OK;
}

int lt_ws_lend_close(leat_session *session, const struct lt_ws_message *message)
{
    if (!open_record(session, 2))
        return lt_fail(session, LEAT_E_NOMEM, 0, "out of memory", NULL);
    if (message->code == LT_WS_NO_CODE)
        lt_tree_null(&session->tree, LT_NAME("code"));
    else
        lt_tree_u64(&session->tree, LT_NAME("code"), message->code);
    lt_tree_bytes(&session->tree, LEAT_TEXT, LT_NAME("reason"), message->reason,
                  message->reason_length);
    return lend(session, LEAT_BROKER_CLOSE, "close", message);
}

int lt_ws_lend_pong(leat_session *session, const struct lt_ws_message *message)
{
    if (!open_record(session, 1))
        return lt_fail(session, LEAT_E_NOMEM, 0, "out of memory", NULL);
    lt_tree_bytes(&session->tree, LEAT_BYTES, LT_NAME("payload"), message->payload,
                  message->length);
    return lend(session, LEAT_BROKER_PONG, "pong", message);
}

static bool is_websocket(const leat_session *session)
{
    return session->dialect == &lt_ws_client || session->dialect == &lt_ws_server;
}

int leat_broker_websocket_ping(leat_session *session, const void *payload, size_t length)
{
    if (!is_websocket(session))
        return lt_refuse(session, LEAT_E_STATE, 0, "not a WebSocket", NULL);
    if (length == 0 || length > LT_WS_CONTROL_MAX)
        return lt_refuse(session, LEAT_E_VALUE, 0, "not 1 to 125 octets", "payload");
    lt_send_begin(session);
    return lt_send_end(session, session->dialect == &lt_ws_client
                                    ? lt_ws_client_ping(session, payload, length)
                                    : lt_ws_server_ping(session, payload, length));
}

int leat_broker_websocket_close(leat_session *session, uint32_t code, const char *reason,
                                size_t length)
{
    if (!is_websocket(session))
        return lt_refuse(session, LEAT_E_STATE, 0, "not a WebSocket", NULL);
    if (!lt_ws_is_code(code))
        return lt_refuse(session, LEAT_E_VALUE, 0, "not a code that may be sent", "code");
    if (length > LT_WS_REASON_MAX || lt_utf8_prefix((const uint8_t *)reason, length) < length)
        return lt_refuse(session, LEAT_E_VALUE, 0, "not UTF-8 of at most 123 octets", "reason");
    lt_send_begin(session);
    return lt_send_end(session, session->dialect == &lt_ws_client
                                    ? lt_ws_client_close(session, code, reason, length)
                                    : lt_ws_server_close(session, code, reason, length));
}
