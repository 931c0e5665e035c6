/*
 * Octets or text being written: what a builder is for values, a buffer is for their encodings. The
 * encoders of the dialects append to it.
 */
#ifndef LEAT_BUFFER_H
#define LEAT_BUFFER_H

#include <leat/leat.h>
#include <leat/value.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct leat_buffer leat_buffer;

/* LEAT_OK or LEAT_E_NOMEM. *buffer is yours to free. Of the limits, queued_bytes counts here. */
LEAT_API int leat_buffer_new(const leat_config *config, leat_buffer **buffer);
LEAT_API void leat_buffer_free(leat_buffer *buffer);

/* Empties it, forgets the last error, and keeps the memory. */
LEAT_API void leat_buffer_clear(leat_buffer *buffer);

/* What it holds; valid until the next call on the buffer. NULL with length 0 if it is empty. */
LEAT_API const void *leat_buffer_data(const leat_buffer *buffer, size_t *length);

/* Appends the text of leat_value_json(). LEAT_OK, LEAT_E_LIMIT or LEAT_E_NOMEM: then nothing. */
LEAT_API int leat_buffer_json(leat_buffer *buffer, const leat_value *value);

/* Why the last append was refused; NULL if it was not. */
LEAT_API const leat_error *leat_buffer_error(const leat_buffer *buffer);

#ifdef __cplusplus
}
#endif

#endif
