/* What the harnesses of live Zabbix sessions share beside what all live ones do. */
#ifndef FUZZ_ZABBIX_LIVE_H
#define FUZZ_ZABBIX_LIVE_H

#include "live.h"
#include "zabbix.h"

#include <leat/builder.h>
#include <zlib.h>

/* A piece of the input. */
static inline const uint8_t *take_piece(struct input *input, size_t *length)
{
    const uint8_t *piece;

    *length = take_length(input);
    piece = input->at;
    input->at += *length;
    input->left -= *length;
    return piece;
}

static inline void start_live(struct live *live, struct settings *settings, struct manner manner,
                              size_t queued_bytes)
{
    leat_session *other;

    must(leat_zabbix_codec_new(NULL, LEAT_FROM_ANY, &other) == LEAT_OK);
    begin_live(live, manner, other);
    configure(live, settings, 1 << 16, queued_bytes, 500);
    settings->limits.inflated_bytes = 1 << 16;
    settings->limits.row_bytes = 1 << 12;
}

/* The other reads what has been said, without an error. */
static inline void listen_to(struct live *live, void (*heard)(struct live *, const leat_event *))
{
    const leat_event *event;
    int status;

    show_output(live);
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

/*
 * The next piece of the peer's octets. 0: the session takes no more. Octets that come one by one may
 * be told late, so a piece has two.
 */
static inline size_t feed_piece(struct live *live, const uint8_t *data, size_t size)
{
    size_t cut = live->manner.cut;

    return feed_octets(live, data, size < cut || size - cut == 1 ? size : cut);
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

static inline void check_script(uint64_t (*run)(struct input, struct manner), const uint8_t *data,
                                size_t size)
{
    check_runs(run, data, size, 2);
}

#endif
