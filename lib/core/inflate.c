#include "inflate.h"

#include "adler.h"

#include <limits.h>

static unsigned int_size(size_t length)
{
    return length > UINT_MAX ? UINT_MAX : (unsigned)length;
}

/* A fresh stream that allocates through our hook. */
static void prepare(z_stream *stream, struct lt_zmemory *memory, const leat_allocator *allocator)
{
    memset(stream, 0, sizeof *stream);
    memory->allocator = *allocator;
    memory->held = 0;
    stream->zalloc = lt_zalloc;
    stream->zfree = lt_zfree;
    stream->opaque = memory;
}

enum part { START, BODY, CHECKSUM };

int lt_inflate_start(struct lt_inflate *state, const leat_allocator *allocator)
{
    state->done = false;
    state->part = START;
    state->edges = 0;
    state->edge = 0;
    state->sum = LT_ADLER_START;
    if (state->open)
        return inflateReset(&state->stream) == Z_OK ? LEAT_OK : LEAT_E_INFLATE;
    prepare(&state->stream, &state->memory, allocator);
    if (inflateInit2(&state->stream, -MAX_WBITS) != Z_OK)
        return LEAT_E_NOMEM;
    state->open = true;
    return LEAT_OK;
}

/* The next octets of the start or the checksum; true if so many are there. */
static bool read_edge(struct lt_inflate *state, const uint8_t *in, size_t in_length,
                      size_t *in_used, unsigned octets)
{
    while (state->edges < octets && *in_used < in_length) {
        state->edge = state->edge << 8 | in[(*in_used)++];
        state->edges++;
    }
    return state->edges == octets;
}

/* Deflate, a window that we have, no preset dictionary, and the check bits of these. */
static bool is_sound_start(uint32_t start)
{
    return (start >> 8 & 15) == 8 && start >> 12 <= 7 && (start & 0x20) == 0 && start % 31 == 0;
}

static int inflate_body(struct lt_inflate *state, const uint8_t *in, size_t in_length,
                        size_t *in_used, uint8_t *out, size_t out_length, size_t *out_used)
{
    z_stream *stream = &state->stream;
    unsigned in_size = int_size(in_length), out_size = int_size(out_length);
    int status;

    stream->next_in = in;
    stream->avail_in = in_size;
    stream->next_out = out;
    stream->avail_out = out_size;
    status = inflate(stream, Z_NO_FLUSH);
    *in_used += in_size - stream->avail_in;
    *out_used = out_size - stream->avail_out;
    state->sum = lt_adler32(state->sum, out, *out_used);
    if (status == Z_STREAM_END) {
        state->part = CHECKSUM;
        state->edges = 0;
        state->edge = 0;
        return LEAT_OK;
    }
    if (status == Z_MEM_ERROR)
        return LEAT_E_NOMEM;
    return status == Z_OK || status == Z_BUF_ERROR ? LEAT_OK : LEAT_E_INFLATE;
}

int lt_inflate_run(struct lt_inflate *state, const uint8_t *in, size_t in_length, size_t *in_used,
                   uint8_t *out, size_t out_length, size_t *out_used)
{
    int status;

    *in_used = *out_used = 0;
    if (state->done)
        return LEAT_OK;
    if (state->part == START) {
        if (!read_edge(state, in, in_length, in_used, 2))
            return LEAT_OK;
        if (!is_sound_start(state->edge))
            return LEAT_E_INFLATE;
        state->part = BODY;
    }
    if (state->part == BODY) {
        status = inflate_body(state, in + *in_used, in_length - *in_used, in_used, out, out_length,
                              out_used);
        if (status != LEAT_OK || state->part == BODY)
            return status;
    }
    if (read_edge(state, in, in_length, in_used, 4)) {
        if (state->edge != state->sum)
            return LEAT_E_INFLATE;
        state->done = true;
    }
    return LEAT_OK;
}

void lt_inflate_free(struct lt_inflate *state)
{
    if (state->open)
        (void)inflateEnd(&state->stream);
    state->open = false;
}

int lt_deflate_start(struct lt_deflate *state, const leat_allocator *allocator)
{
    if (state->open)
        return deflateReset(&state->stream) == Z_OK ? LEAT_OK : LEAT_E_STATE;
    prepare(&state->stream, &state->memory, allocator);
    if (deflateInit(&state->stream, Z_DEFAULT_COMPRESSION) != Z_OK)
        return LEAT_E_NOMEM;
    state->open = true;
    return LEAT_OK;
}

#define DEFLATE_ROOM 4096u

int lt_deflate_run(struct lt_deflate *state, const uint8_t *data, size_t length, bool finish,
                   struct lt_writer *out)
{
    z_stream *stream = &state->stream;
    bool done = false;

    do {
        unsigned piece = int_size(length);

        stream->next_in = data;
        stream->avail_in = piece;
        data += piece;
        length -= piece;
        do {
            size_t left = out->limit > out->length ? out->limit - out->length : 0;
            size_t size =
                left < DEFLATE_ROOM ? left : DEFLATE_ROOM; /* so that the limit is exact */
            uint8_t *room = lt_put(out, size);

            if (left == 0 && out->status == LEAT_OK)
                out->status = LEAT_E_LIMIT;
            if (room == NULL || out->status != LEAT_OK)
                return out->status;
            stream->next_out = room;
            stream->avail_out = (unsigned)size;
            done = deflate(stream, finish && length == 0 ? Z_FINISH : Z_NO_FLUSH) == Z_STREAM_END;
            out->length -= stream->avail_out;
        } while (!done && stream->avail_out == 0);
    } while (length > 0);
    return LEAT_OK;
}

void lt_deflate_free(struct lt_deflate *state)
{
    if (state->open)
        (void)deflateEnd(&state->stream);
    state->open = false;
}
