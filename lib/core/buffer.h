/* A buffer from the inside, for the encoders of the dialects. */
#ifndef LT_BUFFER_H
#define LT_BUFFER_H

#include "bytes.h"
#include "error.h"

#include <leat/buffer.h>

struct leat_buffer {
    leat_allocator allocator;
    struct lt_writer out;
    struct leat_error error;
};

/*
 * Ends an append that began when out.length was start: status is the encoder's verdict, which
 * has filled error on LEAT_E_VALUE. Takes a failed append back.
 */
int lt_buffer_end(leat_buffer *buffer, size_t start, int status);

#endif
