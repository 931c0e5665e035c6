/*
 * A client's place in the stream, and the names that it learnt, in files. Each is replaced as a whole, so that
 * one that is there is always sound; and always in the same order: what was printed, the names, the place.
 * Whenever the program is killed, nothing is lost.
 */
#define _POSIX_C_SOURCE 200809L

#include "estreamer_live.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Between two writes: fsync() is slow, and an older place costs repeats only. Names are many. */
#define SAVE_MS       100u
#define SAVE_NAMES_MS 2000u

/* By the library's own eyes: a bookmark is sound if a client takes it. */
static bool read_mark(struct place *place)
{
    leat_estreamer_client_options options;
    leat_session *session = NULL;
    char *data;
    size_t length = 0;
    int status;

    if (!file_read_if_there(place->path, &data, &length))
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

    if (!file_read_if_there(place->names_path, &data, &length))
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
        place->names_path = file_joined(path, ".metadata");
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
            file_replace(place->names_path, place->names_data);
        }
        if (place->moved)
            file_replace(place->path, place->mark);
    }
    place->moved = place->names_changed = false;
    place->saved_at = now;
    return UINT64_MAX;
}
