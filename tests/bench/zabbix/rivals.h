/*
 * What a user would use instead: each reads a whole message and adds up five fields of every row.
 */
#ifndef BENCH_RIVALS_H
#define BENCH_RIVALS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The text is followed by RIVAL_PADDING readable octets. Returns the sum; 0: it could not be read.
 */
#define RIVAL_PADDING 64u

uint64_t json_c_sum(const char *text, size_t length);
uint64_t jansson_sum(const char *text, size_t length);
uint64_t simdjson_sum(const char *text, size_t length);

#ifdef __cplusplus
}
#endif

#endif
