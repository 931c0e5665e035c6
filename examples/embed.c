/* Prints the values that a Zabbix proxy sends: bytes in on standard input, events out. */
#include <leat/zabbix.h>
#include <stdio.h>
#include <unistd.h>

int main(void)
{
    leat_session *session;
    const leat_event *event;
    size_t length;
    int status;

    if (leat_zabbix_codec_new(NULL, LEAT_FROM_PROXY, &session) != LEAT_OK)
        return 1;
    do {
        while ((status = leat_next(session, &event)) == LEAT_OK) {
            const leat_value *row = leat_event_value(event);
            const char *text = leat_value_text(leat_value_get(row, "value"), &length);

            if (leat_event_kind(event) == LEAT_ZABBIX_ROW && length > 0)
                printf("item %llu: %.*s\n",
                       (unsigned long long)leat_zabbix_u64(leat_value_get(row, "itemid")),
                       (int)length, text);
        }
        void *space = leat_recv_space(session, &length);
        ssize_t count = read(STDIN_FILENO, space, length);
        if (count > 0)
            leat_recv_done(session, (size_t)count);
        else
            leat_recv_eof(session);
    } while (status == LEAT_MORE);
    if (status != LEAT_END)
        fprintf(stderr, "%s\n", leat_error_text(leat_session_error(session)));
    leat_session_free(session);
    return status == LEAT_END ? 0 : 1;
}
