#include "endpoint.h"
#include "tell.h"

#include <string.h>

static const leat_limits defaults = LT_BROKER_LIMITS;

static const leat_broker_options initial = {
    .size = sizeof initial,
    .overflow = LEAT_BROKER_DROP_OLDEST,
    .queue_messages = 8192,
    .filter_topics = 4096,
    .handshake_ms = 10000,
    .bye_ms = 3000,
};

void leat_broker_options_init(leat_broker_options *options, size_t size)
{
    lt_options_init(options, size, &initial, sizeof initial);
}

int leat_broker_new(const leat_config *config, const leat_broker_options *options,
                    leat_broker **broker)
{
    static const uint8_t nil[16];
    leat_allocator allocator = lt_allocator(config);
    leat_broker_options read = initial;
    leat_broker *made;

    if (options == NULL || !lt_options_read(&read, sizeof read, options) ||
        memcmp(read.id, nil, sizeof nil) == 0 || read.overflow > LEAT_BROKER_DROP_OLDEST)
        return LEAT_E_VALUE;
    made = (leat_broker *)lt_alloc_zero(&allocator, sizeof *made);
    if (made == NULL)
        return LEAT_E_NOMEM;
    made->allocator = allocator;
    made->limits = lt_limits(config, &defaults);
    if (made->limits.message_bytes > LT_BROKER_FRAME_MAX)
        made->limits.message_bytes = LT_BROKER_FRAME_MAX;
    leat_config_init(&made->config, sizeof made->config);
    made->config.allocator = &made->allocator;
    made->config.limits = &made->limits;
    made->options = read;
    made->attempt_due = UINT64_MAX;
    made->untold_end = &made->untold;
    made->frame = lt_writer(&made->allocator, SIZE_MAX);
    made->text = lt_writer(&made->allocator, SIZE_MAX);
    made->control = lt_writer(&made->allocator, SIZE_MAX);
    lt_tree_init(&made->tree, &made->allocator, made->limits.values);
    *broker = made;
    return LEAT_OK;
}

void leat_broker_free(leat_broker *broker)
{
    leat_allocator allocator;

    if (broker == NULL)
        return;
    allocator = broker->allocator;
    lt_stores_leave(broker);
    lt_peerings_free(broker);
    while (broker->all.first != NULL)
        lt_link_leave(broker->all.first);
    lt_untold_free(broker);
    lt_topics_free(&broker->subscribed, &allocator);
    lt_topics_free(&broker->forwarded, &allocator);
    lt_topics_free(&broker->attached, &allocator);
    lt_free(&allocator, broker->attachments,
            broker->attachments_size * sizeof *broker->attachments);
    lt_topics_free(&broker->announced, &allocator);
    lt_free(&allocator, broker->timers, broker->timers_size * sizeof *broker->timers);
    lt_free(&allocator, broker->holders, broker->holders_size * sizeof *broker->holders);
    lt_writer_free(&broker->frame);
    lt_writer_free(&broker->text);
    lt_writer_free(&broker->control);
    lt_tree_free(&broker->tree);
    lt_free(&allocator, broker, sizeof *broker);
}

void lt_broker_give_news(leat_broker *broker)
{
    if (!broker->has_news)
        return;
    broker->has_news = false;
    lt_stores_meet(broker);
}

/* A link whose time has come has it set anew before it is called, so this ends. */
void leat_broker_tick(leat_broker *broker, uint64_t now_ms)
{
    if (now_ms > broker->now_ms)
        broker->now_ms = now_ms;
    while (broker->timer_count > 0 && broker->timers[0]->due <= broker->now_ms) {
        struct lt_link *link = broker->timers[0];

        lt_link_due(link, UINT64_MAX);
        link->kind->expire(link);
    }
    lt_broker_give_news(broker);
    lt_stores_tick(broker);
}

uint64_t leat_broker_deadline(const leat_broker *broker)
{
    uint64_t due = lt_stores_deadline(broker);

    if (broker->has_news && broker->stores != NULL)
        return 0;
    if (broker->timer_count > 0 && broker->timers[0]->due < due)
        due = broker->timers[0]->due;
    return broker->attempt_due < due ? broker->attempt_due : due;
}

const uint8_t *leat_broker_node_id(const leat_broker *broker)
{
    return broker->options.id;
}

const leat_error *leat_broker_error(const leat_broker *broker)
{
    return broker->error.code == LEAT_OK ? NULL : &broker->error;
}

size_t leat_broker_memory(const leat_broker *broker)
{
    return sizeof *broker + broker->timers_size * sizeof *broker->timers +
           broker->holders_size * sizeof *broker->holders + lt_topics_bytes(&broker->subscribed) +
           lt_topics_bytes(&broker->forwarded) + lt_topics_bytes(&broker->attached) +
           broker->attachments_size * sizeof *broker->attachments +
           lt_topics_bytes(&broker->announced) + broker->frame.size + broker->text.size +
           broker->control.size + broker->tree.size * sizeof(leat_value) +
           lt_peerings_memory(broker) + lt_untold_memory(broker);
}

/* ----- a session of an endpoint ----- */

static const struct lt_link *link_of(const leat_session *session)
{
    return session->dialect->tick == lt_link_tick /* of both kinds of link */
               ? (const struct lt_link *)(const void *)session
               : NULL;
}

const char *leat_broker_address(const leat_session *session)
{
    const struct lt_link *link = link_of(session);

    return link == NULL ? "" : link->address;
}

uint32_t leat_broker_port(const leat_session *session)
{
    const struct lt_link *link = link_of(session);

    return link == NULL ? 0 : link->port;
}

const uint8_t *leat_broker_peer_id(const leat_session *session)
{
    const struct lt_link *link = link_of(session);

    return link == NULL || !link->known ? NULL : link->id;
}

int leat_broker_get_stats(const leat_session *session, leat_broker_stats *stats)
{
    const struct lt_link *link = link_of(session);
    leat_broker_stats told = {.size = sizeof told};

    if (link == NULL)
        return LEAT_E_STATE;
    if (stats->size < sizeof stats->size)
        return LEAT_E_VALUE;
    told.sent = link->outbox.sent;
    told.received = link->received;
    told.queued = link->outbox.count;
    told.queued_bytes = link->outbox.bytes - link->outbox.taken;
    told.overflows = link->outbox.overflows;
    told.refused = link->refused;
    told.strangers = link->strangers;
    lt_options_init(stats, (size_t)stats->size, &told, sizeof told);
    return LEAT_OK;
}
