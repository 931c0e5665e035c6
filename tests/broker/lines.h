/* What the tests of Broker share: vectors that are files of one JSON object a line, and hex. */
#ifndef T_BROKER_LINES_H
#define T_BROKER_LINES_H

#include "support.h"

struct lines {
    struct t_bytes file;
    size_t at;
    unsigned number;
    leat_builder *builder;
    const leat_value *line;
};

/* lines_open(&lines, path); while (lines_next(&lines)) ... and the last call closes it. */
void lines_open(struct lines *lines, const char *path);
bool lines_next(struct lines *lines);

/* The highest number of a connection in a recording. */
uint64_t lines_connections(const char *path);

/* A text member; NULL if there is none. Yours to free(). */
char *text_of(const leat_value *object, const char *name);
/* Whether a text member is that. */
bool has_text(const leat_value *object, const char *name, const char *text);

/* Asserts that the octets have these hex digits; what tells which case it is. */
void same_hex(const void *octets, size_t length, const char *hex, const char *what);
void same_buffer(const leat_buffer *buffer, const char *hex, const char *what);

#endif
