/*
 * What a user would read and write the JSON of Broker's WebSocket protocol with. None of them knows
 * Broker's types: a timestamp stays a text.
 */
#ifndef BENCH_RIVALS_H
#define BENCH_RIVALS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The text is followed by RIVAL_PADDING readable octets. */
#define RIVAL_PADDING 64u

/* Reads a text, in place of the one before. Returns how many values it has; 0: it could not be read. */
size_t json_c_read(const char *text, size_t length);
size_t jansson_read(const char *text, size_t length);
size_t simdjson_read(const char *text, size_t length);

/* Writes what was read last. Returns its length; 0: size is too small. */
size_t json_c_write(char *text, size_t size);
size_t jansson_write(char *text, size_t size);

#ifdef __cplusplus
}
#endif

#endif
