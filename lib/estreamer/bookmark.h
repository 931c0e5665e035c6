/*
 * A client's place in the stream: the second of the last record that it acknowledged, and which
 * records of that second these were, by fingerprint, because a server that is asked to go on from
 * there sends the whole second again. It is the last one and not the latest, as the specification
 * has it: where a server's clock was set back, the latest would pass what is still to come. Source:
 * spec section 14.
 */
#ifndef LT_ESTREAMER_BOOKMARK_H
#define LT_ESTREAMER_BOOKMARK_H

#include "../core/bytes.h"

struct lt_estreamer_bookmark {
    leat_allocator allocator;
    uint32_t second; /* archive timestamp; 0: no record yet */
    uint32_t most;   /* fingerprints that are kept */
    uint64_t *prints;
    size_t count;
    size_t size;
    bool *met; /* resumed ones that came again */
    size_t resumed;
    size_t cursor; /* where the next repeat is likely */
};

/* LEAT_OK, LEAT_E_VALUE (not a bookmark) or LEAT_E_NOMEM. */
int lt_estreamer_bookmark_load(struct lt_estreamer_bookmark *bookmark, const void *data,
                               size_t length);
/* second: where to go on; its own, or an earlier one, of which no fingerprints are known. */
void lt_estreamer_bookmark_save(const struct lt_estreamer_bookmark *bookmark, uint32_t second,
                                struct lt_writer *out);
/* Gives back what is not in use. */
void lt_estreamer_bookmark_trim(struct lt_estreamer_bookmark *bookmark);
void lt_estreamer_bookmark_free(struct lt_estreamer_bookmark *bookmark);
size_t lt_estreamer_bookmark_memory(const struct lt_estreamer_bookmark *bookmark);

/* Of the event data in a message, the record header included. */
uint64_t lt_estreamer_fingerprint(const uint8_t *data, size_t length);

/* Whether a fingerprint is of use, for a record of that second. */
static inline bool lt_estreamer_wants_fingerprint(const struct lt_estreamer_bookmark *bookmark,
                                                  uint32_t second)
{
    return second != bookmark->second ? bookmark->most > 0
                                      : bookmark->resumed > 0 || bookmark->count < bookmark->most;
}

/* Whether the record was acknowledged before; each time that it was counts once. */
bool lt_estreamer_is_known(struct lt_estreamer_bookmark *bookmark, uint32_t second,
                           uint64_t fingerprint);

/* Makes room for the fingerprints of so many records. False: no memory. */
bool lt_estreamer_reserve_fingerprints(struct lt_estreamer_bookmark *bookmark, size_t count);

/* Another second, of which nothing is known yet. */
void lt_estreamer_bookmark_move(struct lt_estreamer_bookmark *bookmark, uint32_t second);

/* A record was acknowledged that was not known; there is room for its fingerprint. */
void lt_estreamer_pass(struct lt_estreamer_bookmark *bookmark, uint32_t second,
                       uint64_t fingerprint);

#endif
