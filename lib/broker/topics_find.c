/* Topics looked up in a set, as each message is. */
#include "topics.h"

#include <string.h>

static const char local[] = "<$>/local/";

bool lt_topic_is_local(const char *topic, size_t length)
{
    return length >= sizeof local - 1 && memcmp(topic, local, sizeof local - 1) == 0;
}

int lt_topic_compare(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t shorter = a_length < b_length ? a_length : b_length;
    int difference = shorter == 0 ? 0 : memcmp(a, b, shorter);

    return difference != 0 ? difference : (a_length > b_length) - (a_length < b_length);
}

size_t lt_topics_before(const struct lt_topics *topics, const char *topic, size_t length, bool same)
{
    size_t low = 0, high = topics->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct lt_topic *it = &topics->topics[middle];
        int difference = lt_topic_compare(lt_topic_text(topics, it), it->length, topic, length);

        if (difference < 0 || (same && difference == 0))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

ptrdiff_t lt_topics_find(const struct lt_topics *topics, const char *topic, size_t length)
{
    size_t place = lt_topics_before(topics, topic, length, false);
    const struct lt_topic *it;

    if (place == topics->count)
        return -1;
    it = &topics->topics[place];
    if (it->length != length ||
        (length > 0 && memcmp(lt_topic_text(topics, it), topic, length) != 0))
        return -1;
    return (ptrdiff_t)place;
}

/*
 * If the last one that does not stand behind the topic is not its beginning, then what is must be
 * among the octets that both have in common.
 */
bool lt_topics_match(const struct lt_topics *topics, const char *topic, size_t length)
{
    for (;;) {
        size_t before = lt_topics_before(topics, topic, length, true), common = 0;
        const struct lt_topic *it;
        const char *text;

        if (before == 0)
            return false;
        it = &topics->topics[before - 1];
        text = lt_topic_text(topics, it);
        while (common < it->length && common < length && text[common] == topic[common])
            common++;
        if (common == it->length)
            return true;
        length = common;
    }
}

/* Whatever stands between a beginning of the topic and the topic has the same beginning. */
bool lt_topics_cover(const struct lt_topics *topics, const char *topic, size_t length)
{
    size_t before = lt_topics_before(topics, topic, length, true);
    const struct lt_topic *it;

    if (before == 0)
        return false;
    it = &topics->topics[before - 1];
    return it->length == 0 ||
           (it->length <= length && memcmp(lt_topic_text(topics, it), topic, it->length) == 0);
}
