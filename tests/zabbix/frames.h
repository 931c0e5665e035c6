/*
 * Frames for tests: made by hand and by zlib itself, so that a mistake in the codec cannot hide in
 * them.
 */
#ifndef T_ZABBIX_FRAMES_H
#define T_ZABBIX_FRAMES_H

#include "support.h"

#include <leat/zabbix.h>
#include <zlib.h>

/* arg is a uint32_t: LEAT_FROM_*. */
static inline leat_session *make_codec(const leat_config *config, const void *arg)
{
    const uint32_t *from = (const uint32_t *)arg;
    leat_session *session = NULL;

    (void)leat_zabbix_codec_new(config, from == NULL ? LEAT_FROM_ANY : *from, &session);
    return session;
}

static inline void append_le(struct t_bytes *bytes, uint64_t value, unsigned octets)
{
    while (octets-- > 0) {
        uint8_t octet = (uint8_t)value;

        t_append(bytes, &octet, 1);
        value >>= 8;
    }
}

static inline void append_header(struct t_bytes *bytes, uint8_t flags, uint64_t data_len,
                                 uint64_t reserved)
{
    unsigned width = (flags & LEAT_ZABBIX_LARGE) != 0 ? 8 : 4;

    t_append(bytes, "ZBXD", 4);
    t_append(bytes, &flags, 1);
    append_le(bytes, data_len, width);
    append_le(bytes, reserved, width);
}

static inline struct t_bytes deflated(const void *text, size_t length)
{
    uLongf size = compressBound((uLong)length);
    struct t_bytes body = {NULL, 0};
    uint8_t *data = (uint8_t *)malloc(size);

    ck_assert_ptr_nonnull(data);
    ck_assert_int_eq(compress2(data, &size, (const Bytef *)text, (uLong)length, 6), Z_OK);
    t_append(&body, data, size);
    free(data);
    return body;
}

/* A sound frame of the text, compressed and large as the flags say. */
static inline struct t_bytes frame(uint8_t flags, const void *text, size_t length)
{
    struct t_bytes made = {NULL, 0}, body;

    if ((flags & LEAT_ZABBIX_COMPRESSED) == 0) {
        append_header(&made, flags, length, 0);
        t_append(&made, text, length);
        return made;
    }
    body = deflated(text, length);
    append_header(&made, flags, body.length, length);
    t_append(&made, body.data, body.length);
    t_free(body);
    return made;
}

static inline struct t_bytes frame_text(uint8_t flags, const char *text)
{
    return frame(flags, text, strlen(text));
}

static inline uint64_t load_le(const uint8_t *octets, unsigned count)
{
    uint64_t value = 0;

    while (count-- > 0)
        value = value << 8 | octets[count];
    return value;
}

/* One frame of a stream, taken apart by hand. */
struct taken {
    uint8_t flags;
    uint64_t data_len;
    uint64_t reserved;
    struct t_bytes text; /* inflated */
};

/* The frame at the start; *at moves behind it. */
static inline struct taken take_frame(const uint8_t **at, const uint8_t *end)
{
    struct taken taken;
    unsigned width;
    uLongf size;

    ck_assert_int_ge(end - *at, 13);
    ck_assert_mem_eq(*at, "ZBXD", 4);
    taken.flags = (*at)[4];
    width = (taken.flags & LEAT_ZABBIX_LARGE) != 0 ? 8 : 4;
    ck_assert_int_ge(end - *at, 5 + 2 * (int)width);
    taken.data_len = load_le(*at + 5, width);
    taken.reserved = load_le(*at + 5 + width, width);
    *at += 5 + 2 * width;
    ck_assert_uint_ge((size_t)(end - *at), taken.data_len);
    taken.text = t_copy("", 0);
    if ((taken.flags & LEAT_ZABBIX_COMPRESSED) != 0) {
        uint8_t *text = (uint8_t *)malloc((size_t)taken.reserved + 1);

        ck_assert_ptr_nonnull(text);
        size = (uLongf)taken.reserved;
        ck_assert_int_eq(uncompress(text, &size, *at, (uLong)taken.data_len), Z_OK);
        ck_assert_uint_eq(size, taken.reserved);
        t_append(&taken.text, text, (size_t)size);
        free(text);
    } else {
        t_append(&taken.text, *at, (size_t)taken.data_len);
    }
    *at += taken.data_len;
    return taken;
}

#endif
