/*
 * What the harnesses of live sessions share, whatever the dialect: a session whose memory is counted,
 * and whose output a codec session reads at once.
 */
#ifndef FUZZ_LIVE_H
#define FUZZ_LIVE_H

#include "input.h"
#include "tell.h"

#include <leat/session.h>
#include <stdbool.h>

static inline void must(bool truth)
{
    if (!truth)
        abort();
}

/* Counts, and fails once. */
struct memory {
    leat_allocator allocator;
    size_t held;
    size_t good; /* how many requests it grants before it refuses one */
};

static inline void *resize(void *ctx, void *block, size_t old_bytes, size_t new_bytes)
{
    struct memory *memory = (struct memory *)ctx;
    void *resized;

    if (new_bytes == 0) {
        memory->held -= old_bytes;
        free(block);
        return NULL;
    }
    if (memory->good-- == 0)
        return NULL;
    resized = realloc(block, new_bytes);
    must(resized != NULL);
    memory->held += new_bytes - old_bytes;
    return resized;
}

#define ALWAYS SIZE_MAX

/* What a run of a script is like: how the peer's octets are cut, when memory is short. */
struct manner {
    size_t cut;
    size_t good;
};

struct live {
    leat_session *session;
    leat_session *other; /* reads what the session says */
    struct memory memory;
    struct manner manner;
    uint64_t told; /* events, and what commands answered */
    uint64_t said; /* output */
    uint64_t fed;
    uint64_t taken; /* octets of output */
    uint64_t shown; /* to the other */
    uint64_t now_ms;
    size_t messages; /* that were said, of Zabbix */
    int status;      /* of leat_next() */
    bool eof;
    bool ended; /* the session has said an error message of eStreamer, which is its last */
};

/* The configuration of a session whose limits a fuzzer can reach. */
struct settings {
    leat_config config;
    leat_limits limits;
};

static inline void configure(struct live *live, struct settings *settings, size_t message_bytes,
                             size_t queued_bytes, size_t values)
{
    leat_limits_init(&settings->limits, sizeof settings->limits);
    settings->limits.message_bytes = message_bytes;
    settings->limits.queued_bytes = queued_bytes;
    settings->limits.values = values;
    settings->limits.depth = 12;
    leat_config_init(&settings->config, sizeof settings->config);
    settings->config.limits = &settings->limits;
    settings->config.allocator = &live->memory.allocator;
}

/* Begins; other is a codec session of the dialect. */
static inline void begin_live(struct live *live, struct manner manner, leat_session *other)
{
    memset(live, 0, sizeof *live);
    live->memory.allocator.resize = resize;
    live->memory.allocator.ctx = &live->memory;
    live->memory.good = manner.good;
    live->manner = manner;
    live->told = live->said = NOTHING_TOLD;
    live->status = LEAT_MORE;
    live->other = other;
}

/* What has been said is whole messages, and nothing leaks. */
static inline uint64_t end_live(struct live *live)
{
    const leat_event *event;

    must(leat_recv_eof(live->other) == LEAT_OK && leat_next(live->other, &event) == LEAT_END);
    leat_session_free(live->session);
    leat_session_free(live->other);
    must(live->memory.held == 0);
    tell_number(&live->told, live->said);
    return live->told;
}

/* The other gets what has been said since. */
static inline void show_output(struct live *live)
{
    size_t length;
    const uint8_t *data = (const uint8_t *)leat_send_data(live->session, &length);
    uint64_t end = live->taken + length;

    must(live->shown <= end);
    if (end == live->shown)
        return;
    data += live->shown - live->taken;
    length = (size_t)(end - live->shown);
    tell(&live->said, data, length);
    must(leat_feed(live->other, data, length) == LEAT_OK);
    live->shown = end;
}

/* Takes some of the output, as a socket would; it was shown before. */
static inline void take_output(struct live *live, size_t length)
{
    size_t waiting;

    (void)leat_send_data(live->session, &waiting);
    length = length < waiting ? length : waiting;
    must(leat_send_done(live->session, length) == LEAT_OK);
    must(leat_send_done(live->session, waiting - length + 1) == LEAT_E_STATE);
    live->taken += length;
}

static inline bool is_over(const struct live *live)
{
    return (leat_wants(live->session) & LEAT_WANT_CLOSE) != 0;
}

/* A piece of the peer's octets, in one of the two ways: how much went in. 0: the session takes no more. */
static inline size_t feed_octets(struct live *live, const uint8_t *data, size_t piece)
{
    size_t room;
    void *space;
    int status;

    if (live->eof || is_over(live))
        return 0;
    if (live->manner.cut % 2 == 0) {
        space = leat_recv_space(live->session, &room);
        if (space == NULL)
            return 0;
        piece = piece < room ? piece : room;
        memcpy(space, data, piece);
        must(leat_recv_done(live->session, piece) == LEAT_OK);
    } else {
        status = leat_feed(live->session, data, piece);
        must(status == LEAT_OK || status == LEAT_E_NOMEM);
        if (status == LEAT_E_NOMEM)
            return 0;
    }
    live->fed += piece;
    return piece;
}

/*
 * Time passes, or it is just the deadline. Several things may be due, one with each tick; then the
 * deadline is later, so that nobody loops. 0 stands for what leat_next() can do now.
 */
static inline void pass_time(struct live *live, unsigned how)
{
    uint64_t due = leat_deadline(live->session);
    int ticks = 0;

    if (how % 2 == 0 || due == UINT64_MAX)
        live->now_ms += (uint64_t)how * 16;
    else if (due > live->now_ms)
        live->now_ms = due;
    do {
        must(ticks++ < 4);
        leat_tick(live->session, live->now_ms);
        due = leat_deadline(live->session);
    } while (due != 0 && due <= live->now_ms);
}

/* What holds between any two calls. */
static inline void check_session(struct live *live)
{
    must(leat_session_memory(live->session) == live->memory.held);
    must(live->memory.held <= ((size_t)1 << 20) + 4 * live->fed);
    tell_number(&live->told, (uint64_t)(int64_t)live->status);
    tell_number(&live->told, leat_wants(live->session));
    tell_number(&live->told, leat_deadline(live->session));
    tell_error(&live->told, leat_session_error(live->session));
}

/* Both runs of a script tell the same, cut into least octets or more; a third runs out of memory. */
static inline void check_runs(uint64_t (*run)(struct input, struct manner), const uint8_t *data,
                              size_t size, size_t least)
{
    struct input input = {data, size};
    struct manner whole = {ALWAYS, ALWAYS}, cut = {take(&input) % 64u + least, ALWAYS};
    struct manner short_of_memory = {cut.cut, take(&input)};

    must(run(input, whole) == run(input, cut));
    if (short_of_memory.good > 0)
        (void)run(input, short_of_memory);
}

#endif
