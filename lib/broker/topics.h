/*
 * Topics that somebody subscribes to: prefixes, in the order of their octets. A set that is minimal
 * has none that begins with another one.
 */
#ifndef LT_BROKER_TOPICS_H
#define LT_BROKER_TOPICS_H

#include "../core/inside.h"
#include "../core/memory.h"
#include "../core/value.h"

#include <stdbool.h>

struct lt_topic {
    uint32_t at; /* in text */
    uint32_t length;
};

/* Zeroed: empty. */
struct lt_topics {
    struct lt_topic *topics;
    char *text;
    uint32_t count;
    uint32_t text_bytes;
};

/* Whether a topic is one that an endpoint keeps to itself. */
LT_INSIDE bool lt_topic_is_local(const char *topic, size_t length);

static inline const char *lt_topic_text(const struct lt_topics *topics,
                                        const struct lt_topic *topic)
{
    return topics->text + topic->at;
}

/* By octets; what another one begins with stands before that. */
int lt_topic_compare(const char *a, size_t a_length, const char *b, size_t b_length);

/* How many stand before the topic or are it, or (same false) before it alone. */
size_t lt_topics_before(const struct lt_topics *topics, const char *topic, size_t length,
                        bool same);

void lt_topics_free(struct lt_topics *topics, const leat_allocator *allocator);

/* The place of exactly this one, or -1. */
ptrdiff_t lt_topics_find(const struct lt_topics *topics, const char *topic, size_t length);

/* Whether the topic begins with one of them. */
LT_INSIDE bool lt_topics_match(const struct lt_topics *topics, const char *topic, size_t length);
/* The same of a set that is minimal, at less cost. */
bool lt_topics_cover(const struct lt_topics *topics, const char *topic, size_t length);

/*
 * Makes a set of those topics and one more, which may be there already. LEAT_OK or LEAT_E_NOMEM.
 */
int lt_topics_add(struct lt_topics *made, const leat_allocator *allocator,
                  const struct lt_topics *topics, const char *topic, size_t length);
/*
 * Makes one that has it once less. LEAT_OK, LEAT_E_STATE (it is not there), LEAT_E_NOMEM.
 */
int lt_topics_remove(struct lt_topics *made, const leat_allocator *allocator,
                     const struct lt_topics *topics, const char *topic, size_t length);

/*
 * Makes a set that is counted: those of an old one, and each of the topics once more or less; what is
 * not there any more is left out. counts are as many as old has, *made_counts as many as made.
 * LEAT_OK or LEAT_E_NOMEM.
 */
int lt_topics_recount(struct lt_topics *made, uint32_t **made_counts,
                      const leat_allocator *allocator, const struct lt_topics *old,
                      const uint32_t *counts, const struct lt_topics *topics, bool more);

/*
 * Replaces all by a list of texts, as a peer sends it, made minimal, without those that are local to
 * an endpoint, as nobody else gets these. LEAT_OK or LEAT_E_NOMEM.
 */
LT_INSIDE int lt_topics_read(struct lt_topics *topics, const leat_allocator *allocator,
                             const leat_value *list);

/*
 * Replaces all by the minimal set of what the sets contain, which may be this one. LEAT_OK or
 * LEAT_E_NOMEM.
 */
int lt_topics_join(struct lt_topics *topics, const leat_allocator *allocator,
                   const struct lt_topics *const *sets, size_t count);

bool lt_topics_same(const struct lt_topics *a, const struct lt_topics *b);

size_t lt_topics_bytes(const struct lt_topics *topics);

#endif
