/*
 * A proxy's state in a file: a save, and journals behind it. What is in the file was synchronised with the
 * disk; the file is replaced when its journals have grown longer than its save.
 */
#define _POSIX_C_SOURCE 200809L

#include "zabbix_live.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* Journals of that length are never worth a new file. */
#define ADDED_MIN ((uint64_t)1 << 20)

/* Puts a new file, which is a save alone, in the place of the old one. */
static void begin(struct journal *journal, leat_zabbix_proxy *proxy)
{
    size_t length;

    if (journal->descriptor >= 0)
        (void)close(journal->descriptor);
    leat_buffer_clear(journal->buffer);
    need_memory(leat_zabbix_proxy_save(proxy, journal->buffer));
    file_replace(journal->path, journal->buffer);
    journal->descriptor = open(journal->path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (journal->descriptor < 0)
        file_give_up(journal->path);
    (void)leat_buffer_data(journal->buffer, &length);
    journal->saved = length;
    journal->added = 0;
}

static bool restore(const struct journal *journal, leat_zabbix_proxy *proxy)
{
    char *data;
    size_t length = 0;
    size_t used = 0;
    int status;

    if (!file_read_if_there(journal->path, &data, &length))
        return false;
    if (data == NULL)
        return true;
    status = leat_zabbix_proxy_restore(proxy, data, length, &used);
    free(data);
    need_memory(status);
    if (status == LEAT_E_LIMIT)
        complain("%s: it holds more than the buffer may", journal->path);
    else if (status != LEAT_OK)
        complain("%s: not the state of this proxy; to begin anew, remove it", journal->path);
    else if (used < length)
        complain("%s: the last %zu octets were cut, and are passed over", journal->path,
                 length - used);
    return status == LEAT_OK;
}

bool journal_open(struct journal *journal, const char *path, leat_zabbix_proxy *proxy)
{
    journal->path = path;
    journal->descriptor = -1;
    journal->buffer = NULL;
    if (path == NULL)
        return true;
    if (!file_lock(path) || !restore(journal, proxy))
        return false;
    new_buffer(&journal->buffer);
    begin(journal, proxy);
    return true;
}

void journal_write(struct journal *journal, leat_zabbix_proxy *proxy)
{
    const void *data;
    size_t length;

    if (journal->path == NULL)
        return;
    leat_buffer_clear(journal->buffer);
    need_memory(leat_zabbix_proxy_journal(proxy, journal->buffer));
    data = leat_buffer_data(journal->buffer, &length);
    if (length == 0)
        return;
    file_write(journal->path, journal->descriptor, data, length);
    if (fsync(journal->descriptor) != 0)
        file_give_up(journal->path);
    journal->added += length;
    if (journal->added > ADDED_MIN && journal->added > journal->saved)
        begin(journal, proxy);
}

void journal_close(struct journal *journal, leat_zabbix_proxy *proxy)
{
    if (journal->path != NULL && journal->descriptor >= 0) {
        begin(journal, proxy); /* what was acknowledged is in it no longer */
        (void)close(journal->descriptor);
    }
    leat_buffer_free(journal->buffer);
}
