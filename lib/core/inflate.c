#include "inflate.h"

#include <limits.h>

static unsigned int_size(size_t length)
{
    return length > UINT_MAX ? UINT_MAX : (unsigned)length;
}

int lt_inflate_start(struct lt_inflate *state, const leat_allocator *allocator)
{
    state->done = false;
    if (state->open)
        return inflateReset(&state->stream) == Z_OK ? LEAT_OK : LEAT_E_INFLATE;
    memset(&state->stream, 0, sizeof state->stream);
    state->memory.allocator = *allocator;
    state->memory.held = 0;
    state->stream.zalloc = lt_zalloc;
    state->stream.zfree = lt_zfree;
    state->stream.opaque = &state->memory;
    if (inflateInit(&state->stream) != Z_OK)
        return LEAT_E_NOMEM;
    state->open = true;
    return LEAT_OK;
}

int lt_inflate_run(struct lt_inflate *state, const uint8_t *in, size_t in_length, size_t *in_used,
                   uint8_t *out, size_t out_length, size_t *out_used)
{
    z_stream *stream = &state->stream;
    int status;

    *in_used = *out_used = 0;
    if (state->done)
        return LEAT_OK;
    in_length = int_size(in_length);
    out_length = int_size(out_length);
    stream->next_in = in;
    stream->avail_in = (unsigned)in_length;
    stream->next_out = out;
    stream->avail_out = (unsigned)out_length;
    status = inflate(stream, Z_NO_FLUSH);
    *in_used = in_length - stream->avail_in;
    *out_used = out_length - stream->avail_out;
    if (status == Z_STREAM_END)
        state->done = true;
    else if (status == Z_MEM_ERROR)
        return LEAT_E_NOMEM;
    else if (status != Z_OK && status != Z_BUF_ERROR)
        return LEAT_E_INFLATE;
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
    memset(&state->stream, 0, sizeof state->stream);
    state->memory.allocator = *allocator;
    state->memory.held = 0;
    state->stream.zalloc = lt_zalloc;
    state->stream.zfree = lt_zfree;
    state->stream.opaque = &state->memory;
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
            uint8_t *room = lt_put(out, DEFLATE_ROOM);

            if (room == NULL)
                return out->status;
            stream->next_out = room;
            stream->avail_out = DEFLATE_ROOM;
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
