/* Files that are to last, whenever the program is killed or the machine stops. */
#define _POSIX_C_SOURCE 200809L

#include "live.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whatever was kept can be restored; only what cannot be held in memory is refused. */
#define FILE_MAX (SIZE_MAX / 4)

char *file_joined(const char *path, const char *end)
{
    size_t size = strlen(path) + strlen(end) + 1;
    char *text = malloc(size);

    need_memory(text == NULL ? LEAT_E_NOMEM : LEAT_OK);
    (void)snprintf(text, size, "%s%s", path, end);
    return text;
}

bool file_read_if_there(const char *path, char **data, size_t *length)
{
    struct stat about;

    *data = NULL;
    if (stat(path, &about) != 0 && errno == ENOENT)
        return true;
    *data = input_file(path, FILE_MAX, length);
    return *data != NULL;
}

void file_give_up(const char *path)
{
    complain("%s: %s", path, strerror(errno));
    exit(EXIT_USAGE);
}

void file_write(const char *path, int descriptor, const void *data, size_t length)
{
    const uint8_t *at = data;

    while (length > 0) {
        ssize_t count = write(descriptor, at, length);

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            file_give_up(path);
        at += count;
        length -= (size_t)count;
    }
}

void file_sync_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = file_joined(slash == NULL ? "." : path, "");
    int descriptor;

    if (slash != NULL)
        folder[slash == path ? 1 : slash - path] = '\0';
    descriptor = open(folder, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        file_give_up(folder);
    (void)fsync(descriptor); /* some file systems cannot */
    (void)close(descriptor);
    free(folder);
}

void file_replace(const char *path, const leat_buffer *buffer)
{
    size_t length;
    const void *data = leat_buffer_data(buffer, &length);
    char *temporary = file_joined(path, ".tmp");
    int descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (descriptor < 0)
        file_give_up(temporary);
    file_write(temporary, descriptor, data, length);
    if (fsync(descriptor) != 0 || close(descriptor) != 0 || rename(temporary, path) != 0)
        file_give_up(temporary);
    free(temporary);
    file_sync_name(path);
}

bool file_lock(const char *path)
{
    char *name = file_joined(path, ".lock"); /* the file itself is replaced now and then */
    int descriptor = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    struct flock lock;

    if (descriptor < 0)
        file_give_up(name);
    memset(&lock, 0, sizeof lock);
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    if (fcntl(descriptor, F_SETLK, &lock) == 0) {
        free(name);
        return true; /* the lock lasts as long as the descriptor */
    }
    if (errno == EACCES || errno == EAGAIN)
        complain("%s: another program has it", path);
    else
        complain("%s: %s", name, strerror(errno));
    (void)close(descriptor);
    free(name);
    return false;
}
