/*
 * What all tests share. Each test program is one file: a table of cases, and main() in one line,
 *
 *     T_MAIN("estreamer/record", tests)
 *
 * where tests(TCase *) adds them.
 */
#ifndef T_SUPPORT_H
#define T_SUPPORT_H

#include <check.h>
#include <leat/buffer.h>
#include <leat/builder.h>
#include <leat/leat.h>
#include <leat/session.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int t_main(const char *name, void (*add)(TCase *));
#define T_MAIN(name, add)                                                                          \
    int main(void)                                                                                 \
    {                                                                                              \
        return t_main(name, add);                                                                  \
    }

/*
 * Octets that a test owns; free them with t_free(). text ends with a NUL that length does not
 * count.
 */
struct t_bytes {
    uint8_t *data;
    size_t length;
};

void t_free(struct t_bytes bytes);
struct t_bytes t_copy(const void *data, size_t length);
void t_append(struct t_bytes *bytes, const void *data, size_t length);
struct t_bytes t_hex(const char *hex); /* white space is skipped; anything else fails the test */
char *t_to_hex(const void *data, size_t length); /* yours to free() */
struct t_bytes t_file(const char *path);         /* below tests/vectors */
bool t_file_exists(const char *path);            /* below tests/vectors */
struct t_bytes t_hex_file(const char *path);     /* below tests/vectors, hex digits */
/*
 * The names in a folder below tests/vectors that end so, sorted; ends with NULL. Free with
 * t_names_free().
 */
char **t_names(const char *folder, const char *ending);
void t_names_free(char **names);

/* Reads JSON text into a builder that the caller frees; a mistake fails the test. */
leat_builder *t_json(const char *text, size_t length);
/* A builder with these limits (0: the default); the caller frees it. */
leat_builder *t_limited(uint64_t depth, uint64_t values);
char *t_json_text(const leat_value *value); /* yours to free() */

/*
 * The octets of one direction of a recorded conversation (dir NULL: all), of one connection
 * (conn 0: all).
 */
struct t_bytes t_capture(const char *path, const char *dir, uint64_t conn);

/* Makes the session under test; config is NULL or asks for an allocator or limits. */
typedef leat_session *t_make(const leat_config *config, const void *arg);

/*
 * Everything a session says to some bytes, as text: a line per event (kind, name, offset, JSON
 * value, raw hex, error), then the last status with its error. Fed in pieces of cut octets (0:
 * at once), then the end of the stream if eof. Yours to free().
 */
char *t_transcript(t_make *make, const void *arg, const leat_config *config, const void *data,
                   size_t length, size_t cut, bool eof);

/*
 * Feeds the bytes at once, octet by octet, and cut in two at each point (at up to 512 points of
 * a long input); all transcripts must be the same. Returns it; yours to free().
 */
char *t_every_split(t_make *make, const void *arg, const void *data, size_t length);

/* The same, and asserts the last status and its offset (offset ignored unless status < 0). */
void t_every_split_gives(t_make *make, const void *arg, const void *data, size_t length, int status,
                         uint64_t offset);

/*
 * Runs the scenario with an allocator that counts, then again failing each allocation in turn.
 * The scenario makes all its objects with the config, frees them, and returns its status:
 * LEAT_OK the first time, LEAT_E_NOMEM each time one failed (LEAT_OK is fine too where it can do
 * without). Nothing may leak.
 */
void t_every_alloc(int (*scenario)(const leat_config *config, const void *arg), const void *arg);

/*
 * A scenario for t_every_alloc: makes a session, feeds it the bytes, draws every event, frees
 * it.
 */
struct t_feed {
    t_make *make;
    const void *arg;
    const void *data;
    size_t length;
};
int t_feed_scenario(const leat_config *config, const void *feed);

/* A counting allocator for tests of memory: config.allocator = &counter.allocator. */
struct t_counter {
    leat_allocator allocator;
    size_t calls; /* that asked for memory */
    size_t now;   /* octets held */
    size_t most;
};
void t_counter_init(struct t_counter *counter);

/*
 * Joins two sessions: moves output of each to the other until neither has any. Events are freed
 * unseen.
 */
void t_pair(leat_session *a, leat_session *b);

/* Of scripts: what leat_deadline() is to say, a number or "never"; and leat_wants(), in words. */
uint64_t t_deadline(const char *word);
uint32_t t_wants(const char *words);

#endif
