/*
 * Every recorded native peering, of Broker endpoints and of Zeek processes: each direction decodes
 * completely, and each frame is written again from its event.
 */
#include "lines.h"

#include <leat/broker.h>
#include <stdio.h>

static const char *const folders[] = {"broker/captures", "zeek/events", "zeek/management",
                                      "zeek/websocket"};

#define FOLDERS (sizeof folders / sizeof *folders)

static leat_session *make(const leat_config *config, const void *from)
{
    leat_session *session;

    return leat_broker_codec_new(config, *(const uint32_t *)from, &session) == LEAT_OK ? session
                                                                                       : NULL;
}

/* Decodes the octets of one direction; returns how many frames there were. */
static unsigned decode(const struct t_bytes *octets, uint32_t from, const char *path)
{
    leat_session *reader = make(NULL, &from), *writer = make(NULL, &from);
    const leat_event *event;
    unsigned frames = 0;
    int status;

    ck_assert_int_eq(leat_feed(reader, octets->data, octets->length), LEAT_OK);
    ck_assert_int_eq(leat_recv_eof(reader), LEAT_OK);
    while ((status = leat_next(reader, &event)) == LEAT_OK) {
        const void *raw, *again;
        size_t length, again_length;

        frames++;
        raw = leat_event_raw(event, &length);
        ck_assert_msg(leat_event_error(event) == NULL, "%s at %u: %s", path,
                      (unsigned)leat_event_offset(event), leat_error_text(leat_event_error(event)));
        status = leat_send(writer, leat_event_name(event, NULL), leat_event_value(event));
        ck_assert_msg(status == LEAT_OK, "%s at %u: %s", path, (unsigned)leat_event_offset(event),
                      leat_error_text(leat_session_send_error(writer)));
        again = leat_send_data(writer, &again_length);
        ck_assert_msg(length == again_length && memcmp(raw, again, length) == 0, "%s at %u", path,
                      (unsigned)leat_event_offset(event));
        ck_assert_int_eq(leat_send_done(writer, again_length), LEAT_OK);
    }
    ck_assert_msg(status == LEAT_END, "%s: %s", path, leat_status_name(status));
    leat_session_free(reader);
    leat_session_free(writer);
    return frames;
}

START_TEST(every_recording)
{
    static const struct {
        unsigned files, frames;
    } counts[FOLDERS] = {{16, 381}, {37, 2398}, {23, 1696}, {2, 27}};
    char **names = t_names(folders[_i], ".jsonl"), **name;
    unsigned files = 0, frames = 0;

    for (name = names; *name != NULL; name++, files++) {
        char path[256];
        uint64_t conn, last;

        snprintf(path, sizeof path, "%s/%s", folders[_i], *name);
        last = lines_connections(path);
        for (conn = 1; conn <= last; conn++) {
            struct t_bytes to = t_capture(path, "a>b", conn), back = t_capture(path, "b>a", conn);

            frames += decode(&to, LEAT_FROM_CLIENT, path);
            frames += decode(&back, LEAT_FROM_SERVER, path);
            t_free(to);
            t_free(back);
        }
    }
    t_names_free(names);
    ck_assert_uint_eq(files, counts[_i].files);
    ck_assert_uint_eq(frames, counts[_i].frames);
}
END_TEST

/* However a conversation is cut, it says the same. */
START_TEST(recordings_in_pieces)
{
    static const char *const paths[] = {
        "broker/captures/store-master-clone-low.jsonl",
        "zeek/events/types.jsonl",
        "zeek/events/store-tables.jsonl",
        "zeek/management/native-main.jsonl",
    };
    static const uint32_t from = LEAT_FROM_CLIENT;
    struct t_bytes octets = t_capture(paths[_i], "a>b", 1);

    t_every_split_gives(make, &from, octets.data, octets.length, LEAT_END, 0);
    t_free(octets);
}
END_TEST

static void tests(TCase *t)
{
    tcase_add_loop_test(t, every_recording, 0, (int)FOLDERS);
    tcase_add_loop_test(t, recordings_in_pieces, 0, 4);
}

T_MAIN("broker/recordings", tests)
