/* zlib as streams, allocating through our hook. */
#ifndef LT_INFLATE_H
#define LT_INFLATE_H

#include "bytes.h"

#define ZLIB_CONST
#include <zlib.h>

/*
 * zlib inflates what stands between the two octets at the start and the checksum at the end of a
 * stream. Those we read ourselves: a seventh of zlib's time goes into the checksum, and ours costs
 * a quarter of that.
 */
struct lt_inflate {
    struct lt_zmemory memory;
    z_stream stream;
    bool open;
    bool done;     /* the stream's end mark was read and its checksum is right */
    uint8_t part;  /* enum part of inflate.c */
    uint8_t edges; /* octets of the start or of the checksum that were read */
    uint32_t edge; /* and their number */
    uint32_t sum;  /* of what was inflated */
};

/* LEAT_OK or LEAT_E_NOMEM. Starts over if it is open, without allocating. */
int lt_inflate_start(struct lt_inflate *state, const leat_allocator *allocator);

/*
 * Inflates from in to out as far as both reach. *in_used and *out_used tell how far.
 *
 * LEAT_OK (state->done tells if the stream is complete), LEAT_E_INFLATE, LEAT_E_NOMEM.
 */
int lt_inflate_run(struct lt_inflate *state, const uint8_t *in, size_t in_length, size_t *in_used,
                   uint8_t *out, size_t out_length, size_t *out_used);

void lt_inflate_free(struct lt_inflate *state);

struct lt_deflate {
    struct lt_zmemory memory;
    z_stream stream;
    bool open;
};

int lt_deflate_start(struct lt_deflate *state, const leat_allocator *allocator);

/* Deflates all of data into out; finish ends the stream. LEAT_OK or out->status. */
int lt_deflate_run(struct lt_deflate *state, const uint8_t *data, size_t length, bool finish,
                   struct lt_writer *out);

void lt_deflate_free(struct lt_deflate *state);

#endif
