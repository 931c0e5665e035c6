/* Sets of topics, made of others. */
#include "topics.h"

#include "../core/sort.h"

#include <string.h>

static int compare(const void *context, const void *a, const void *b)
{
    const struct lt_topics *topics = (const struct lt_topics *)context;
    const struct lt_topic *one = (const struct lt_topic *)a, *other = (const struct lt_topic *)b;

    return lt_topic_compare(lt_topic_text(topics, one), one->length, lt_topic_text(topics, other),
                            other->length);
}

void lt_topics_free(struct lt_topics *topics, const leat_allocator *allocator)
{
    lt_free(allocator, topics->topics, topics->count * sizeof *topics->topics);
    lt_free(allocator, topics->text, topics->text_bytes);
    memset(topics, 0, sizeof *topics);
}

size_t lt_topics_bytes(const struct lt_topics *topics)
{
    return topics->count * sizeof *topics->topics + topics->text_bytes;
}

/* Room for so many topics, all of which must be appended, and for their octets. */
static int make(struct lt_topics *topics, const leat_allocator *allocator, size_t count,
                size_t text_bytes)
{
    memset(topics, 0, sizeof *topics);
    if (count > UINT32_MAX || count > SIZE_MAX / sizeof *topics->topics || text_bytes >= UINT32_MAX)
        return LEAT_E_NOMEM;
    if (count == 0)
        return LEAT_OK;
    text_bytes += text_bytes == 0; /* so that the empty topic has a place, too */
    topics->topics =
        (struct lt_topic *)lt_resize(allocator, NULL, 0, count * sizeof *topics->topics);
    if (topics->topics == NULL)
        return LEAT_E_NOMEM;
    topics->text = (char *)lt_resize(allocator, NULL, 0, text_bytes);
    if (topics->text == NULL) {
        lt_free(allocator, topics->topics, count * sizeof *topics->topics);
        return LEAT_E_NOMEM;
    }
    topics->text_bytes = (uint32_t)text_bytes;
    return LEAT_OK;
}

/* Adds behind all others; at is where the text of the next one begins. */
static void append(struct lt_topics *topics, uint32_t *at, const char *text, size_t length)
{
    const struct lt_topic topic = {*at, (uint32_t)length};

    if (length > 0)
        memcpy(topics->text + *at, text, length);
    topics->topics[topics->count++] = topic;
    *at += (uint32_t)length;
}

static void replace(struct lt_topics *topics, const leat_allocator *allocator,
                    const struct lt_topics *by)
{
    lt_topics_free(topics, allocator);
    *topics = *by;
}

int lt_topics_add(struct lt_topics *made, const leat_allocator *allocator,
                  const struct lt_topics *topics, const char *topic, size_t length)
{
    size_t i, place = lt_topics_before(topics, topic, length, false);
    uint32_t at = 0;

    if (make(made, allocator, (size_t)topics->count + 1, topics->text_bytes + length) != LEAT_OK)
        return LEAT_E_NOMEM;
    for (i = 0; i < topics->count; i++) {
        const struct lt_topic *it = &topics->topics[i];

        if (i == place)
            append(made, &at, topic, length);
        append(made, &at, lt_topic_text(topics, it), it->length);
    }
    if (place == topics->count)
        append(made, &at, topic, length);
    return LEAT_OK;
}

int lt_topics_remove(struct lt_topics *made, const leat_allocator *allocator,
                     const struct lt_topics *topics, const char *topic, size_t length)
{
    ptrdiff_t found = lt_topics_find(topics, topic, length);
    uint32_t at = 0;
    size_t i;

    if (found < 0)
        return LEAT_E_STATE;
    if (make(made, allocator, (size_t)topics->count - 1, topics->text_bytes - length) != LEAT_OK)
        return LEAT_E_NOMEM;
    for (i = 0; i < topics->count; i++) {
        const struct lt_topic *it = &topics->topics[i];

        if (i != (size_t)found)
            append(made, &at, lt_topic_text(topics, it), it->length);
    }
    return LEAT_OK;
}

static bool begins_with(const struct lt_topics *topics, const struct lt_topic *topic,
                        const struct lt_topic *prefix)
{
    return prefix->length == 0 || (topic->length >= prefix->length &&
                                   memcmp(lt_topic_text(topics, topic),
                                          lt_topic_text(topics, prefix), prefix->length) == 0);
}

/*
 * Sorts them, and leaves out what another one covers; the text may keep what is no longer used. Unless
 * LEAT_OK they are freed.
 */
static int make_minimal(struct lt_topics *topics, const leat_allocator *allocator)
{
    size_t i, kept = 0;
    struct lt_topic *shrunk;

    lt_sort(topics->topics, topics->count, sizeof *topics->topics, compare, topics);
    for (i = 0; i < topics->count; i++) {
        const struct lt_topic *it = &topics->topics[i];

        if (kept > 0 && begins_with(topics, it, &topics->topics[kept - 1]))
            continue;
        topics->topics[kept++] = *it;
    }
    if (kept == topics->count)
        return LEAT_OK;
    shrunk = (struct lt_topic *)lt_resize(allocator, topics->topics, topics->count * sizeof *shrunk,
                                          kept * sizeof *shrunk);
    if (shrunk == NULL) {
        lt_topics_free(topics, allocator);
        return LEAT_E_NOMEM;
    }
    topics->topics = shrunk;
    topics->count = (uint32_t)kept;
    return LEAT_OK;
}

static bool is_local(const leat_value *text)
{
    return lt_topic_is_local((const char *)text->u.bytes, text->length);
}

int lt_topics_read(struct lt_topics *topics, const leat_allocator *allocator,
                   const leat_value *list)
{
    const leat_value *item;
    struct lt_topics made;
    size_t bytes = 0, count = 0;
    uint32_t at = 0;

    for (item = leat_value_first(list); item != NULL; item = leat_value_next(list, item)) {
        count += !is_local(item);
        bytes += is_local(item) ? 0 : item->length;
    }
    if (make(&made, allocator, count, bytes) != LEAT_OK)
        return LEAT_E_NOMEM;
    for (item = leat_value_first(list); item != NULL; item = leat_value_next(list, item)) {
        if (!is_local(item))
            append(&made, &at, (const char *)item->u.bytes, item->length);
    }
    if (make_minimal(&made, allocator) != LEAT_OK)
        return LEAT_E_NOMEM;
    replace(topics, allocator, &made);
    return LEAT_OK;
}

int lt_topics_join(struct lt_topics *topics, const leat_allocator *allocator,
                   const struct lt_topics *const *sets, size_t count)
{
    struct lt_topics made;
    size_t i, j, entries = 0, bytes = 0;
    uint32_t at = 0;

    for (i = 0; i < count; i++) {
        entries += sets[i]->count;
        bytes += sets[i]->text_bytes;
    }
    if (make(&made, allocator, entries, bytes) != LEAT_OK)
        return LEAT_E_NOMEM;
    for (i = 0; i < count; i++) {
        for (j = 0; j < sets[i]->count; j++) {
            const struct lt_topic *it = &sets[i]->topics[j];

            append(&made, &at, lt_topic_text(sets[i], it), it->length);
        }
    }
    if (make_minimal(&made, allocator) != LEAT_OK)
        return LEAT_E_NOMEM;
    replace(topics, allocator, &made);
    return LEAT_OK;
}

bool lt_topics_same(const struct lt_topics *a, const struct lt_topics *b)
{
    size_t i;

    if (a->count != b->count)
        return false;
    for (i = 0; i < a->count; i++) {
        const struct lt_topic *one = &a->topics[i], *other = &b->topics[i];

        if (lt_topic_compare(lt_topic_text(a, one), one->length, lt_topic_text(b, other),
                             other->length) != 0)
            return false;
    }
    return true;
}

/* Walks two sets in order, one of which is counted. */
struct walk {
    const struct lt_topics *old;
    const uint32_t *counts;
    const struct lt_topics *topics;
    bool more;
    uint32_t i;
    uint32_t j;
};

/* The next topic, and how often it is there afterwards; NULL: there is none. */
static const struct lt_topic *step(struct walk *walk, const char **text, uint32_t *count)
{
    bool has_old = walk->i < walk->old->count, has_new = walk->j < walk->topics->count;
    const struct lt_topic *a = has_old ? &walk->old->topics[walk->i] : NULL;
    const struct lt_topic *b = has_new ? &walk->topics->topics[walk->j] : NULL;
    int order = !has_old ? 1 : !has_new ? -1 : 0;

    if (!has_old && !has_new)
        return NULL;
    if (has_old && has_new)
        order = lt_topic_compare(lt_topic_text(walk->old, a), a->length,
                                 lt_topic_text(walk->topics, b), b->length);
    *count = order <= 0 ? walk->counts[walk->i++] : 0;
    *text = order <= 0 ? lt_topic_text(walk->old, a) : lt_topic_text(walk->topics, b);
    if (order >= 0) {
        walk->j++;
        *count = walk->more ? *count + 1 : *count > 0 ? *count - 1 : 0;
    }
    return order <= 0 ? a : b;
}

int lt_topics_recount(struct lt_topics *made, uint32_t **made_counts,
                      const leat_allocator *allocator, const struct lt_topics *old,
                      const uint32_t *counts, const struct lt_topics *topics, bool more)
{
    const struct walk start = {old, counts, topics, more, 0, 0};
    struct walk walk = start;
    const struct lt_topic *it;
    const char *text = NULL;
    size_t total = 0, bytes = 0;
    uint32_t count = 0, at = 0;

    while ((it = step(&walk, &text, &count)) != NULL) {
        total += count > 0;
        bytes += count > 0 ? it->length : 0;
    }
    *made_counts = NULL;
    if (make(made, allocator, total, bytes) != LEAT_OK)
        return LEAT_E_NOMEM;
    if (total > 0) {
        *made_counts = (uint32_t *)lt_resize(allocator, NULL, 0, total * sizeof **made_counts);
        if (*made_counts == NULL) {
            made->count = (uint32_t)total;
            lt_topics_free(made, allocator);
            return LEAT_E_NOMEM;
        }
    }
    walk = start;
    while ((it = step(&walk, &text, &count)) != NULL) {
        if (count > 0) {
            (*made_counts)[made->count] = count;
            append(made, &at, text, it->length);
        }
    }
    return LEAT_OK;
}
