/*
 * A client's place in the stream, and the names that it learnt, in files. Each is replaced as a whole, so that
 * one that is there is always sound; and always in the same order: what was printed, the names, the place.
 * Whenever the program is killed, nothing is lost.
 */
#define _POSIX_C_SOURCE 200809L

#include "estreamer_live.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX ((size_t)256 << 20)

/* Between two writes: fsync() is slow, and an older place costs repeats only. Names are many. */
#define SAVE_MS       100u
#define SAVE_NAMES_MS 2000u

static char *joined(const char *path, const char *end)
{
    size_t size = strlen(path) + strlen(end) + 1;
    char *text = malloc(size);

    need_memory(text == NULL ? LEAT_E_NOMEM : LEAT_OK);
    (void)snprintf(text, size, "%s%s", path, end);
    return text;
}

/* The file's octets, to be freed. False, with a complaint, if it is there but cannot be read. */
static bool read_if_there(const char *path, char **data, size_t *length)
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
    char *folder = joined(slash == NULL ? "." : path, "");
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

static void replace(const char *path, const leat_buffer *buffer)
{
    size_t length;
    const void *data = leat_buffer_data(buffer, &length);
    char *temporary = joined(path, ".tmp");
    int descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

    if (descriptor < 0)
        file_give_up(temporary);
    file_write(temporary, descriptor, data, length);
    if (fsync(descriptor) != 0 || close(descriptor) != 0 || rename(temporary, path) != 0)
        file_give_up(temporary);
    free(temporary);
    file_sync_name(path);
}

/* By the library's own eyes: a bookmark is sound if a client takes it. */
static bool read_mark(struct place *place)
{
    leat_estreamer_client_options options;
    leat_session *session = NULL;
    char *data;
    size_t length = 0;
    int status;

    if (!read_if_there(place->path, &data, &length))
        return false;
    if (data == NULL)
        return true;
    leat_estreamer_client_options_init(&options, sizeof options);
    options.bookmark = data;
    options.bookmark_length = length;
    status = leat_estreamer_client_new(NULL, &options, &session);
    free(data);
    need_memory(status);
    if (status != LEAT_OK) {
        complain("%s: not a bookmark; to begin anew, remove it", place->path);
        return false;
    }
    need_memory(leat_estreamer_bookmark(session, place->mark));
    leat_session_free(session);
    return true;
}

static bool read_names(struct place *place)
{
    char *data;
    size_t length = 0;
    int status;

    if (!read_if_there(place->names_path, &data, &length))
        return false;
    if (data == NULL)
        return true;
    status = leat_estreamer_metadata_load(place->names, data, length);
    free(data);
    need_memory(status);
    if (status != LEAT_OK)
        complain("%s: not names that leat saved; to begin anew, remove it", place->names_path);
    return status == LEAT_OK;
}

bool place_open(struct place *place, const char *path, bool with_names)
{
    bool sound;

    memset(place, 0, sizeof *place);
    if (path != NULL && path[0] == '\0') {
        complain("--bookmark needs the name of a file");
        return false;
    }
    place->path = path;
    need_memory(leat_buffer_new(NULL, &place->mark));
    need_memory(leat_buffer_new(NULL, &place->names_data));
    if (with_names)
        need_memory(leat_estreamer_metadata_new(NULL, 0, &place->names));
    if (path != NULL && with_names)
        place->names_path = joined(path, ".metadata");
    sound = (path == NULL || read_mark(place)) && (place->names_path == NULL || read_names(place));
    if (!sound)
        place_close(place);
    return sound;
}

void place_close(struct place *place)
{
    leat_estreamer_metadata_free(place->names);
    leat_buffer_free(place->names_data);
    leat_buffer_free(place->mark);
    free(place->names_path);
}

void place_comes_after(struct place *place, int descriptor)
{
    struct stat about;

    if (fstat(descriptor, &about) == 0 && S_ISREG(about.st_mode))
        place->outputs[place->output_count++] = descriptor;
}

uint64_t place_save(struct place *place, const leat_session *session, uint64_t now, bool at_once)
{
    uint64_t due = place->saved_at + (place->names_changed ? SAVE_NAMES_MS : SAVE_MS);
    size_t i;

    if (!place->moved && !place->names_changed)
        return UINT64_MAX;
    if (!at_once && (now < due || place->path == NULL))
        return place->path == NULL ? UINT64_MAX : due;
    if (place->moved) {
        leat_buffer_clear(place->mark);
        need_memory(leat_estreamer_bookmark(session, place->mark));
    }
    if (place->path != NULL) {
        for (i = 0; i < place->output_count; i++) {
            if (fsync(place->outputs[i]) != 0)
                file_give_up("what was written");
        }
        if (place->names_path != NULL && place->names_changed) {
            leat_buffer_clear(place->names_data);
            need_memory(leat_estreamer_metadata_save(place->names, place->names_data));
            replace(place->names_path, place->names_data);
        }
        if (place->moved)
            replace(place->path, place->mark);
    }
    place->moved = place->names_changed = false;
    place->saved_at = now;
    return UINT64_MAX;
}
