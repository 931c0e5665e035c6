/* Subscriptions: what this endpoint tells its peers of its own, and what peers told of theirs. */
#include "endpoint.h"

#include <string.h>

static int refuse(leat_broker *broker, int status, const char *what, const char *field)
{
    return lt_error(&broker->error, status, 0, what, field);
}

/* Whether peers that have our limits would take them all. */
static bool is_bearable(const leat_broker *broker, const struct lt_topics *topics)
{
    uint64_t octets = 1 + 5 + (uint64_t)topics->text_bytes; /* type and count */
    uint32_t i;

    for (i = 0; i < topics->count; i++)
        octets += topics->topics[i].length < 0x80 ? 1 : topics->topics[i].length < 0x4000 ? 2 : 3;
    return topics->count <= broker->options.filter_topics &&
           octets <= broker->limits.handshake_bytes;
}

/*
 * Tells all peers what is announced, if that has changed. LEAT_OK, LEAT_E_LIMIT (they would not take
 * it), LEAT_E_NOMEM.
 */
static int announce(leat_broker *broker)
{
    const struct lt_topics *sets[] = {&broker->subscribed, &broker->forwarded, &broker->attached};
    struct lt_topics before = broker->announced;
    struct lt_link *link;
    int status;

    memset(&broker->announced, 0, sizeof broker->announced);
    status = lt_topics_join(&broker->announced, &broker->allocator, sets, 3);
    if (status == LEAT_OK && broker->announced.count >= before.count &&
        !is_bearable(broker, &broker->announced)) {
        lt_topics_free(&broker->announced, &broker->allocator);
        status = LEAT_E_LIMIT;
    }
    if (status != LEAT_OK) {
        broker->announced = before;
        return status;
    }
    if (!lt_topics_same(&before, &broker->announced)) {
        for (link = broker->all.first; link != NULL; link = link->all.next) {
            if (!lt_is_client(link->kind) &&
                (link->state == LT_LINK_UP || link->state == LT_LINK_LEAVING))
                lt_peer_say_filter(link);
            else
                link->outdated = true;
        }
    }
    lt_topics_free(&before, &broker->allocator);
    return LEAT_OK;
}

int lt_broker_check_topic(leat_broker *broker, const char *topic, size_t length)
{
    broker->error.code = LEAT_OK;
    if (length > UINT16_MAX)
        return refuse(broker, LEAT_E_VALUE, "longer than 65535 octets", "topic");
    if (lt_topic_is_local(topic, length))
        return refuse(broker, LEAT_E_VALUE, "a topic that is local to an endpoint", "topic");
    return LEAT_OK;
}

static int no_memory(leat_broker *broker)
{
    return refuse(broker, LEAT_E_NOMEM, "out of memory", NULL);
}

/*
 * One of the broker's sets becomes that one, which is freed if peers cannot be told: what they are told
 * has to fit into a handshake, too.
 */
static int take_over(leat_broker *broker, struct lt_topics *set, const struct lt_topics *made)
{
    struct lt_topics before = *set;
    int status;

    *set = *made;
    status = announce(broker);
    if (status == LEAT_OK) {
        lt_topics_free(&before, &broker->allocator);
        return LEAT_OK;
    }
    lt_topics_free(set, &broker->allocator);
    *set = before;
    return status == LEAT_E_LIMIT ? refuse(broker, LEAT_E_LIMIT, "too many topics", "topic")
                                  : no_memory(broker);
}

static int add(leat_broker *broker, struct lt_topics *set, const char *topic, size_t length)
{
    struct lt_topics made;

    if (lt_topics_add(&made, &broker->allocator, set, topic, length) != LEAT_OK)
        return no_memory(broker);
    return take_over(broker, set, &made);
}

/* LEAT_OK, LEAT_E_STATE (it is not there), LEAT_E_NOMEM. */
static int take_back(leat_broker *broker, struct lt_topics *set, const char *topic, size_t length)
{
    struct lt_topics made;
    int status = lt_topics_remove(&made, &broker->allocator, set, topic, length);

    if (status == LEAT_E_NOMEM)
        return no_memory(broker);
    return status == LEAT_OK ? take_over(broker, set, &made) : status;
}

static int subscribe(leat_broker *broker, struct lt_topics *set, const char *topic, size_t length)
{
    int status = lt_broker_check_topic(broker, topic, length);

    if (status != LEAT_OK || lt_topics_find(set, topic, length) >= 0)
        return status;
    return add(broker, set, topic, length);
}

int leat_broker_subscribe(leat_broker *broker, const char *topic, size_t length)
{
    return subscribe(broker, &broker->subscribed, topic, length);
}

int leat_broker_forward(leat_broker *broker, const char *topic, size_t length)
{
    return subscribe(broker, &broker->forwarded, topic, length);
}

int leat_broker_unsubscribe(leat_broker *broker, const char *topic, size_t length)
{
    int status;

    broker->error.code = LEAT_OK;
    status = take_back(broker, &broker->subscribed, topic, length);
    if (status == LEAT_E_STATE)
        return refuse(broker, LEAT_E_STATE, "no such subscription", "topic");
    return status;
}

/* Many clients subscribe to the same topics, so these are kept once and counted. */
static int attach(leat_broker *broker, const struct lt_topics *topics, bool more)
{
    struct lt_topics made;
    uint32_t *counts;
    size_t size;
    int status = lt_topics_recount(&made, &counts, &broker->allocator, &broker->attached,
                                   broker->attachments, topics, more);

    if (status != LEAT_OK)
        return no_memory(broker);
    size = made.count;
    status = take_over(broker, &broker->attached, &made);
    if (status != LEAT_OK) {
        lt_free(&broker->allocator, counts, size * sizeof *counts);
        return status;
    }
    lt_free(&broker->allocator, broker->attachments,
            broker->attachments_size * sizeof *broker->attachments);
    broker->attachments = counts;
    broker->attachments_size = size;
    return LEAT_OK;
}

int lt_broker_attach(leat_broker *broker, const struct lt_topics *topics)
{
    return attach(broker, topics, true);
}

/* What there is no memory to take back stays announced. */
void lt_broker_detach(leat_broker *broker, const struct lt_topics *topics)
{
    (void)attach(broker, topics, false);
}

bool lt_broker_is_announced(const leat_broker *broker, const uint8_t *id, const char *topic,
                            size_t length, bool exact)
{
    const struct lt_link *link;

    for (link = broker->all.first; link != NULL; link = link->all.next) {
        if (link->state != LT_LINK_UP || lt_is_client(link->kind) ||
            (id != NULL && memcmp(link->id, id, 16) != 0))
            continue;
        if (topic == NULL || (exact ? lt_topics_find(&link->filter, topic, length) >= 0
                                    : lt_topics_match(&link->filter, topic, length)))
            return true;
    }
    return false;
}
