/* What the harnesses of live eStreamer sessions share beside what all live ones do. */
#ifndef FUZZ_ESTREAMER_LIVE_H
#define FUZZ_ESTREAMER_LIVE_H

#include "estreamer.h"
#include "live.h"

static inline void start_live(struct live *live, struct manner manner, uint32_t from)
{
    leat_session *other;

    must(leat_estreamer_codec_new(NULL, from, &other) == LEAT_OK);
    begin_live(live, manner, other);
}

/* The next message that the session has said, or NULL; until the next call on the session. */
static inline const leat_event *next_said(struct live *live)
{
    const leat_event *event;
    int status;

    show_output(live);
    status = leat_next(live->other, &event);
    must(status == LEAT_MORE || (status == LEAT_OK && !live->ended));
    if (status == LEAT_MORE)
        return NULL;
    live->ended = leat_event_kind(event) == LEAT_ESTREAMER_ERROR;
    return event;
}

/* The next piece of the peer's octets. 0: the session takes no more. */
static inline size_t feed_piece(struct live *live, const uint8_t *data, size_t size)
{
    return feed_octets(live, data, size < live->manner.cut ? size : live->manner.cut);
}

static inline void check_live(struct live *live)
{
    check_session(live);
    tell_error(&live->told, leat_session_send_error(live->session));
}

/* A command with what the script gives: one of ours, or JSON text. */
struct command {
    const char *name;
    const char *json;
};

static inline int send_command(struct live *live, const struct command *commands, size_t count,
                               struct input *input, const char **name)
{
    const struct command *command = &commands[take(input) % count];
    size_t length = strlen(command->json), before, after;
    const char *json = command->json;
    leat_builder *builder;
    int status;

    if (take(input) % 4u == 0) {
        length = take_length(input);
        json = (const char *)input->at;
        input->at += length;
        input->left -= length;
    }
    must(leat_builder_new(NULL, &builder) == LEAT_OK);
    (void)leat_builder_json(builder, NULL, json, length);
    (void)leat_send_data(live->session, &before);
    *name = command->name;
    status = leat_send(live->session, *name, leat_builder_value(builder));
    (void)leat_send_data(live->session, &after);
    must(status == LEAT_OK ? leat_session_send_error(live->session) == NULL
                           : leat_error_code(leat_session_send_error(live->session)) == status &&
                                 before == after);
    leat_builder_free(builder);
    tell_number(&live->told, (uint64_t)(int64_t)status);
    return status;
}

static inline void check_script(uint64_t (*run)(struct input, struct manner), const uint8_t *data,
                                size_t size)
{
    check_runs(run, data, size, 1);
}

#endif
