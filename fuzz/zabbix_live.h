/*
 * What the harnesses of live Zabbix sessions share: a session whose memory is counted, and whose
 * output a codec session reads at once.
 */
#ifndef FUZZ_ZABBIX_LIVE_H
#define FUZZ_ZABBIX_LIVE_H

#include "zabbix.h"

#include <leat/builder.h>
#include <stdbool.h>
#include <zlib.h>

static inline void must(bool truth)
{
    if (!truth)
        abort();
}

/* What remains of the input. */
struct input {
    const uint8_t *at;
    size_t left;
};

static inline unsigned take(struct input *input)
{
    if (input->left == 0)
        return 0;
    input->left--;
    return *input->at++;
}

/* A piece of the input. */
static inline const uint8_t *take_piece(struct input *input, size_t *length)
{
    const uint8_t *piece;

    *length = take(input);
    *length = *length << 4 | take(input) % 16u;
    if (*length > input->left)
        *length = input->left;
    piece = input->at;
    input->at += *length;
    input->left -= *length;
    return piece;
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
    size_t messages; /* that were said */
    int status;      /* of leat_next() */
    bool eof;
};

/* The configuration of a session whose limits a fuzzer can reach. */
struct settings {
    leat_config config;
    leat_limits limits;
};

static inline void start_live(struct live *live, struct settings *settings, struct manner manner,
                              uint64_t queued_bytes)
{
    memset(live, 0, sizeof *live);
    live->memory.allocator.resize = resize;
    live->memory.allocator.ctx = &live->memory;
    live->memory.good = manner.good;
    live->manner = manner;
    live->told = live->said = NOTHING_TOLD;
    live->status = LEAT_MORE;
    leat_limits_init(&settings->limits, sizeof settings->limits);
    settings->limits.message_bytes = settings->limits.inflated_bytes = 1 << 16;
    settings->limits.row_bytes = 1 << 12;
    settings->limits.values = 500;
    settings->limits.depth = 12;
    settings->limits.queued_bytes = queued_bytes;
    leat_config_init(&settings->config, sizeof settings->config);
    settings->config.limits = &settings->limits;
    settings->config.allocator = &live->memory.allocator;
    must(leat_zabbix_codec_new(NULL, LEAT_FROM_ANY, &live->other) == LEAT_OK);
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

/* The other reads what has been said, without an error. */
static inline void listen_to(struct live *live, void (*heard)(struct live *, const leat_event *))
{
    const leat_event *event;
    size_t length;
    const uint8_t *data = (const uint8_t *)leat_send_data(live->session, &length);
    uint64_t end = live->taken + length;
    int status;

    must(live->shown <= end);
    if (end > live->shown) {
        data += live->shown - live->taken;
        length = (size_t)(end - live->shown);
        tell(&live->said, data, length);
        must(leat_feed(live->other, data, length) == LEAT_OK);
        live->shown = end;
    }
    while ((status = leat_next(live->other, &event)) == LEAT_OK) {
        must(leat_event_error(event) == NULL);
        if (leat_event_kind(event) == LEAT_ZABBIX_ROW)
            continue;
        live->messages++;
        if (heard != NULL)
            heard(live, event);
    }
    must(status == LEAT_MORE);
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

/*
 * The next piece of the peer's octets, in one of the two ways. 0: the session takes no more. Octets
 * that come one by one may be told late, so a piece has two.
 */
static inline size_t feed_piece(struct live *live, const uint8_t *data, size_t size)
{
    size_t piece =
        size < live->manner.cut || size - live->manner.cut == 1 ? size : live->manner.cut;
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

/* Feeds octets, and draws all events. */
static inline void hear(struct live *live, const uint8_t *data, size_t size,
                        void (*draw)(struct live *))
{
    while (size > 0) {
        size_t piece = feed_piece(live, data, size);

        if (piece == 0)
            break;
        data += piece;
        size -= piece;
        draw(live);
    }
}

/* A frame of some text, compressed and large as the flags say; reserved is off by wrong. */
static inline size_t make_frame(uint8_t *frame, size_t room, unsigned flags, unsigned wrong,
                                const uint8_t *text, size_t length)
{
    unsigned width = (flags & LEAT_ZABBIX_LARGE) != 0 ? 8 : 4, i;
    size_t header = 5 + 2 * (size_t)width;
    uint64_t reserved = (flags & LEAT_ZABBIX_COMPRESSED) != 0 ? length + wrong : wrong;
    uLongf body = (uLongf)(room - header);

    if ((flags & LEAT_ZABBIX_COMPRESSED) != 0) {
        must(compress(frame + header, &body, text, (uLong)length) == Z_OK);
    } else {
        body = (uLongf)length;
        memcpy(frame + header, text, length);
    }
    memcpy(frame, "ZBXD", 4);
    frame[4] = (uint8_t)flags;
    for (i = 0; i < width; i++) {
        frame[5 + i] = (uint8_t)((uint64_t)body >> 8 * i);
        frame[5 + width + i] = (uint8_t)(reserved >> 8 * i);
    }
    return header + body;
}

/*
 * Time passes, or it is just the deadline. Then the deadline is later, so that nobody loops. 0 stands
 * for what leat_next() can do now.
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
static inline void check_live(struct live *live)
{
    must(leat_session_memory(live->session) == live->memory.held);
    must(live->memory.held <= ((size_t)1 << 20) + 4 * live->fed);
    tell_number(&live->told, (uint64_t)(int64_t)live->status);
    tell_number(&live->told, leat_wants(live->session));
    tell_number(&live->told, leat_deadline(live->session));
    tell_error(&live->told, leat_session_error(live->session));
}

/* Both runs of a script tell the same; a third one runs out of memory. */
static inline void check_script(uint64_t (*run)(struct input, struct manner), const uint8_t *data,
                                size_t size)
{
    struct input input = {data, size};
    struct manner whole = {ALWAYS, ALWAYS}, cut = {take(&input) % 64u + 2, ALWAYS};
    struct manner short_of_memory = {cut.cut, take(&input)};

    must(run(input, whole) == run(input, cut));
    if (short_of_memory.good > 0)
        (void)run(input, short_of_memory);
}

#endif
