/*
 * Writes what zabbix_sender would send, to standard output:
 *
 *     send HOST KEY VALUE [KEY VALUE]... | nc server 10051
 */
#include <leat/zabbix.h>
#include <stdio.h>
#include <string.h>

/* One value of the message; a mistake in an argument shows in the status. */
static int send_value(leat_session *session, const char *host, const char *key, const char *value)
{
    leat_zabbix_history row;

    leat_zabbix_history_init(&row, sizeof row);
    row.has = LEAT_ZABBIX_HAS_HOST | LEAT_ZABBIX_HAS_KEY | LEAT_ZABBIX_HAS_VALUE;
    row.host = host;
    row.host_length = strlen(host);
    row.key = key;
    row.key_length = strlen(key);
    row.value = value;
    row.value_length = strlen(value);
    return leat_zabbix_history_write(session, &row);
}

int main(int count, char **words)
{
    leat_session *session;
    const void *data;
    size_t length;
    int status = LEAT_OK;
    int i;

    if (count < 4 || count % 2 != 0) {
        (void)fprintf(stderr, "usage: send HOST KEY VALUE [KEY VALUE]...\n");
        return 2;
    }
    if (leat_zabbix_codec_new(NULL, LEAT_FROM_SERVER, &session) != LEAT_OK)
        return 1;
    (void)leat_zabbix_begin(session);
    (void)leat_zabbix_text(session, "request", "sender data", 11);
    (void)leat_zabbix_section(session, "data");
    for (i = 2; i < count && status == LEAT_OK; i += 2)
        status = send_value(session, words[1], words[i], words[i + 1]);
    if (status == LEAT_OK)
        status = leat_zabbix_end(session);
    data = leat_send_data(session, &length);
    if (status != LEAT_OK)
        (void)fprintf(stderr, "send: %s\n", leat_error_text(leat_session_send_error(session)));
    else if (fwrite(data, 1, length, stdout) != length)
        status = LEAT_E_STATE;
    leat_session_free(session);
    return status == LEAT_OK ? 0 : 1;
}
