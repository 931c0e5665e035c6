/*
 * A reader that cannot overrun and a writer that grows. Nothing else does pointer arithmetic on
 * what peers sent.
 *
 * Both are sticky. A short read latches: it and every later one gives 0, and bad says where the
 * missing octets should have begun. So a parser reads like the diagram of the message and asks
 * once, lt_ok(), at the end.
 */
#ifndef LT_BYTES_H
#define LT_BYTES_H

#include "inside.h"
#include "memory.h"

#include <leat/leat.h>

#include <string.h>

struct lt_reader {
    const uint8_t *at;
    const uint8_t *end;
    const uint8_t *bad; /* NULL while all is well */
};

/* data may be NULL if length is 0; the reader has a place all the same, which it needs to latch. */
static inline struct lt_reader lt_reader(const void *data, size_t length)
{
    const uint8_t *at = data == NULL ? (const uint8_t *)"" : (const uint8_t *)data;
    struct lt_reader in = {at, at + length, NULL};
    return in;
}

static inline bool lt_ok(const struct lt_reader *in)
{
    return in->bad == NULL;
}

static inline size_t lt_left(const struct lt_reader *in)
{
    return (size_t)(in->end - in->at);
}

/* Latches: what begins at the given place is wrong. */
static inline void lt_latch(struct lt_reader *in, const uint8_t *at)
{
    if (in->bad == NULL)
        in->bad = at;
    in->at = in->end;
}

/* The next count octets, or NULL (latched) if there are fewer. */
static inline const uint8_t *lt_take(struct lt_reader *in, size_t count)
{
    const uint8_t *at = in->at;

    if (lt_left(in) < count) {
        lt_latch(in, at);
        return NULL;
    }
    in->at = at + count;
    return at;
}

static inline uint16_t lt_load_u16be(const uint8_t *p)
{
    return (uint16_t)((unsigned)p[0] << 8 | p[1]);
}

static inline uint32_t lt_load_u32be(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t lt_load_u64be(const uint8_t *p)
{
    return (uint64_t)lt_load_u32be(p) << 32 | lt_load_u32be(p + 4);
}

static inline uint32_t lt_load_u32le(const uint8_t *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static inline uint64_t lt_load_u64le(const uint8_t *p)
{
    return (uint64_t)lt_load_u32le(p + 4) << 32 | lt_load_u32le(p);
}

static inline uint8_t lt_u8(struct lt_reader *in)
{
    if (in->at == in->end) {
        lt_latch(in, in->at);
        return 0;
    }
    return *in->at++;
}

static inline uint16_t lt_u16be(struct lt_reader *in)
{
    const uint8_t *p = lt_take(in, 2);
    return p == NULL ? 0 : lt_load_u16be(p);
}

static inline uint32_t lt_u32be(struct lt_reader *in)
{
    const uint8_t *p = lt_take(in, 4);
    return p == NULL ? 0 : lt_load_u32be(p);
}

static inline uint64_t lt_u64be(struct lt_reader *in)
{
    if (lt_left(in) < 8) {
        lt_latch(in, in->at);
        return 0;
    }
    in->at += 8;
    return lt_load_u64be(in->at - 8);
}

/*
 * A reader of a nested structure whose announced length counts already_read octets that stand
 * before the present place. Takes the rest out of the parent; a length too small or too large
 * latches both.
 */
static inline struct lt_reader lt_child(struct lt_reader *in, size_t length, size_t already_read)
{
    const uint8_t *at = in->at;
    struct lt_reader child = {at, at, NULL};

    if (!lt_ok(in) || length < already_read || length - already_read > lt_left(in)) {
        lt_latch(in, at);
        child.bad = in->bad;
        return child;
    }
    child.end = at + (length - already_read);
    in->at = child.end;
    return child;
}

/*
 * A writer. With an allocator it grows up to limit octets; without one it fills the data it was
 * given, and from the first piece on that does not fit it only counts: limit is then where that
 * piece began.
 */
struct lt_writer {
    uint8_t *data;
    size_t length; /* octets written (fixed: asked for, which may be more than size) */
    size_t size;   /* octets that data can hold */
    size_t limit;
    const leat_allocator *allocator; /* NULL: fixed */
    int status;                      /* LEAT_OK, LEAT_E_NOMEM, LEAT_E_LIMIT; sticky */
};

LT_INSIDE struct lt_writer lt_writer(const leat_allocator *allocator, size_t limit);
LT_INSIDE struct lt_writer lt_writer_fixed(void *data, size_t size);
LT_INSIDE void lt_writer_free(struct lt_writer *out);

/* Makes room for count more octets when they do not fit. False: none (or fixed and full). */
LT_INSIDE bool lt_writer_grow(struct lt_writer *out, size_t count);

/* The place of count new octets, or NULL. */
static inline uint8_t *lt_put(struct lt_writer *out, size_t count)
{
    uint8_t *at;

    if (out->status != LEAT_OK || out->size - out->length < count) {
        if (!lt_writer_grow(out, count))
            return NULL;
    }
    at = out->data + out->length;
    out->length += count;
    return at;
}

LT_INSIDE void lt_put_bytes(struct lt_writer *out, const void *data, size_t count);

static inline void lt_put_text(struct lt_writer *out, const char *text)
{
    lt_put_bytes(out, text, strlen(text));
}

static inline void lt_store_u16be(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void lt_store_u32be(uint8_t *p, uint32_t v)
{
    lt_store_u16be(p, (uint16_t)(v >> 16));
    lt_store_u16be(p + 2, (uint16_t)v);
}

static inline void lt_store_u64be(uint8_t *p, uint64_t v)
{
    lt_store_u32be(p, (uint32_t)(v >> 32));
    lt_store_u32be(p + 4, (uint32_t)v);
}

static inline void lt_put_u8(struct lt_writer *out, uint8_t v)
{
    uint8_t *p = lt_put(out, 1);
    if (p != NULL)
        *p = v;
}

static inline void lt_put_u16be(struct lt_writer *out, uint16_t v)
{
    uint8_t *p = lt_put(out, 2);
    if (p != NULL)
        lt_store_u16be(p, v);
}

static inline void lt_put_u32be(struct lt_writer *out, uint32_t v)
{
    uint8_t *p = lt_put(out, 4);
    if (p != NULL)
        lt_store_u32be(p, v);
}

static inline void lt_put_u64be(struct lt_writer *out, uint64_t v)
{
    uint8_t *p = lt_put(out, 8);
    if (p != NULL)
        lt_store_u64be(p, v);
}

/* Back-patching: overwrites 4 octets that were written at the given place. */
static inline void lt_patch_u32be(struct lt_writer *out, size_t at, uint32_t v)
{
    if (out->status == LEAT_OK && at + 4 <= out->length)
        lt_store_u32be(out->data + at, v);
}

#endif
