/*
 * What a user would use instead: each reads a whole message and adds up five fields of every row, or
 * writes one.
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

/* A row of values. */
struct row {
    uint64_t id;
    uint64_t itemid;
    uint64_t clock;
    uint64_t ns;
    char value[16];
    size_t value_length;
};

/* The members beside the rows. */
#define MESSAGE_REQUEST "proxy data"
#define MESSAGE_HOST    "px-active"
#define MESSAGE_SESSION "f191ec07c16f86e318d2ed4664d321b9"
#define MESSAGE_VERSION "7.0.22"
#define MESSAGE_CLOCK   1795292180u
#define MESSAGE_NS      1u

/* Writes a message of these rows. Returns its length; 0: size is too small. */
size_t json_c_write(const struct row *rows, size_t count, char *text, size_t size);
size_t jansson_write(const struct row *rows, size_t count, char *text, size_t size);

#ifdef __cplusplus
}
#endif

#endif
