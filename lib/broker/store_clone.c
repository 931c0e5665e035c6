/* A clone of a store: has a copy, and gives its writes to the master. */
#include "data.h"
#include "store.h"

/* ----- writing ----- */

int lt_clone_do(leat_broker_store *store, const struct lt_action *action)
{
    struct lt_producer *producer = &store->producer;
    int status = lt_store_ready_action(store, action, &store->master);

    if (status != LEAT_OK)
        return status;
    if (lt_fifo_count(&producer->events) >= store->options.buffered ||
        store->message.length > store->options.buffered_bytes ||
        lt_fifo_bytes(&producer->events) > store->options.buffered_bytes - store->message.length)
        return lt_store_refuse(store, LEAT_E_LIMIT, 0, "too many writes are not acknowledged");
    lt_store_produce(store);
    if (store->state != LT_CLONE_ATTACHED)
        return LEAT_OK;
    producer->said = producer->ticks;
    lt_store_send(store, NULL);
    return LEAT_OK;
}

static void say_attach_writer(leat_broker_store *store)
{
    lt_store_begin_command(store, LT_STORE_ATTACH_WRITER, 0, &store->master);
    lt_put_u64be(&store->message, 1);
    lt_put_u16be(&store->message, LT_CHANNEL_HEARTBEAT);
    lt_store_send(store, NULL);
}

/* Sends all writes that there are as the first ones of this life. */
static void say_writes(leat_broker_store *store)
{
    struct lt_producer *producer = &store->producer;
    size_t count = lt_fifo_count(&producer->events), i;

    producer->seq = 1 + (uint64_t)count;
    for (i = 0; i < count; i++) {
        size_t length;
        uint8_t *event = lt_fifo_at(&producer->events, i, &length);

        /* In front of its tag: whose number it is, from whom, to whom. */
        lt_store_begin_command(store, 0, 2 + (uint64_t)i, &store->master);
        if (store->message.status == LEAT_OK)
            memcpy(event, store->message.data, store->message.length - 1);
        lt_store_post(store, NULL, event, length);
        producer->said = producer->ticks;
    }
}

/* ----- attaching ----- */

static bool is_announced(const leat_broker_store *store, const uint8_t *id, bool exact)
{
    return lt_broker_is_announced(store->broker, id, lt_store_master_topic(store),
                                  store->master_topic_length, exact);
}

static void say_nack(leat_broker_store *store)
{
    store->ticks = 0;
    lt_store_say_nack_0(store, NULL);
}

static void seek(leat_broker_store *store)
{
    store->state = LT_CLONE_SEEKING;
    store->started++;
    if (store->announced) {
        lt_store_wake(store);
        say_nack(store);
    }
}

void lt_clone_begin(leat_broker_store *store)
{
    store->announced = is_announced(store, NULL, false);
    seek(store);
}

void lt_clone_give_up(leat_broker_store *store, uint8_t code, const char *what)
{
    store->state = LT_CLONE_OVER;
    lt_consumer_clear(&store->consumer, &store->allocator);
    lt_fifo_free(&store->producer.events, &store->allocator);
    lt_store_note_error(store, code, NULL, what);
}

/* Forgets the master, but not what it has of it, nor what it was to get. */
static void start_over(leat_broker_store *store)
{
    if (!store->away)
        lt_store_note_entity(store, LEAT_BROKER_STORE_DETACHED, &store->master);
    store->away = false;
    store->acknowledged = false;
    lt_consumer_clear(&store->consumer, &store->allocator);
    memset(&store->master, 0, sizeof store->master);
    store->self.object = ++store->broker->objects;
    seek(store);
}

void lt_clone_meet(leat_broker_store *store)
{
    bool before = store->announced;
    bool there;

    store->announced = is_announced(store, NULL, false);
    if (store->state == LT_CLONE_SEEKING && store->announced && !before) {
        lt_store_wake(store);
        say_nack(store);
    }
    if (store->state != LT_CLONE_ATTACHED)
        return;
    there = store->near ? is_announced(store, store->master.id, false) : store->announced;
    if (there && store->away) {
        store->away = false;
        /* If it still knows this clone, it will say so soon. */
        store->heard = store->producer.ticks + LT_STORE_BACK - LT_CHANNEL_TIMEOUT;
        lt_store_note_entity(store, LEAT_BROKER_STORE_ATTACHED, &store->master);
    } else if (!there && is_announced(store, NULL, true)) {
        start_over(store); /* another one is there */
    } else if (!there && !store->away) {
        store->away = true;
        store->heard = store->producer.ticks;
        lt_store_note_entity(store, LEAT_BROKER_STORE_DETACHED, &store->master);
    }
}

/* ----- the copy ----- */

/* Puts what the master has put. LEAT_OK; LEAT_E_NOMEM; else it was no good, which was told. */
static int put(leat_broker_store *store, const struct lt_action *action)
{
    struct lt_put put;
    int status = lt_store_prepare(store, action, &put);

    if (status == LEAT_E_LIMIT)
        lt_clone_give_up(store, LT_STORE_BROKEN_CLONE, "over the limits of the store");
    if (status == LEAT_OK)
        lt_store_put(store, action, &put, LT_NEVER);
    return status;
}

static bool is_there(const leat_broker_store *store, const struct lt_action *action)
{
    const struct lt_entry *entry =
        lt_entries_find(&store->entries, action->key.data, action->key.length);

    return entry != NULL && entry->value_length == action->value.length &&
           memcmp(entry->value, action->value.data, action->value.length) == 0;
}

static int take_entry(leat_broker_store *store, const leat_value *key, const leat_value *value)
{
    struct lt_action action = {.publisher = store->master};
    int status = lt_store_encode(store, key, value, &action);

    if (status == LEAT_OK)
        return is_there(store, &action) ? LEAT_OK : put(store, &action);
    if (status == LEAT_E_NOMEM)
        return status;
    lt_store_note_error(store, store->code, NULL, store->error.text);
    return LEAT_OK;
}

/* Makes the copy what the master shows, and tells the differences. As put(). */
static int take_copy(leat_broker_store *store, const leat_value *state)
{
    const leat_value *key, *value;
    struct lt_entry *entry, *next;
    int status = LEAT_OK;

    for (entry = lt_entries_after(&store->entries, NULL, 0); entry != NULL;
         entry = lt_entry_next(entry))
        entry->stale = true;
    /* What is no longer there goes first, so that both fit. */
    for (key = leat_value_first(state); key != NULL && status == LEAT_OK;
         key = leat_value_next(state, value)) {
        struct lt_action action = {.tag = 0};

        value = leat_value_next(state, key);
        status = lt_store_encode(store, key, NULL, &action);
        entry = status == LEAT_OK
                    ? lt_entries_find(&store->entries, action.key.data, action.key.length)
                    : NULL;
        if (entry != NULL)
            entry->stale = false;
        if (status != LEAT_E_NOMEM)
            status = LEAT_OK; /* what is wrong with it is told below */
    }
    for (entry = lt_entries_after(&store->entries, NULL, 0); entry != NULL && status == LEAT_OK;
         entry = next) {
        next = lt_entry_next(entry);
        if (entry->stale)
            lt_store_remove(store, entry, LEAT_BROKER_STORE_ERASE, &store->master);
    }
    for (key = leat_value_first(state); key != NULL && status == LEAT_OK;
         key = leat_value_next(state, value)) {
        value = leat_value_next(state, key);
        status = take_entry(store, key, value);
    }
    return status;
}

static void take_ack_clone(leat_broker_store *store, const struct lt_command *command)
{
    uint64_t offset = leat_value_u64(command->fields[0]);
    int status;

    if (store->state != LT_CLONE_SEEKING || offset == UINT64_MAX)
        return;
    store->master = command->sender;
    status = take_copy(store, command->fields[2]);
    if (status != LEAT_OK)
        return; /* it has given up, or the next one may find memory */
    store->state = LT_CLONE_ATTACHED;
    store->give_up_ms = LT_NEVER;
    store->near = lt_store_is_near(store, store->master.id);
    store->heard = store->producer.ticks;
    store->resends = LT_CHANNEL_NACKED;
    (void)lt_consumer_handshake(&store->consumer, &store->allocator, offset,
                                leat_value_u64(command->fields[1]));
    lt_store_note_entity(store, LEAT_BROKER_STORE_ATTACHED, &store->master);
    lt_store_say(store, store->master.id, &store->master, LT_STORE_CUMULATIVE_ACK, offset);
    say_attach_writer(store);
    say_writes(store);
}

/* ----- events of the master ----- */

/* False: there was no memory, so it comes again. */
static bool act(leat_broker_store *store, const struct lt_command *command)
{
    const leat_value *operand;
    struct lt_action action;
    struct lt_entry *entry;
    int status = lt_action_read(store, command, &action, &operand);

    if (status == LEAT_E_NOMEM)
        return false;
    if (status != LEAT_OK) {
        lt_store_note_error(store, store->code, &action.key, store->error.text);
        return true;
    }
    switch (action.tag) {
    case LT_STORE_PUT:
        return put(store, &action) != LEAT_E_NOMEM;
    case LT_STORE_ERASE:
    case LT_STORE_EXPIRE:
        entry = lt_entries_find(&store->entries, action.key.data, action.key.length);
        if (entry != NULL)
            lt_store_remove(store, entry,
                            action.tag == LT_STORE_ERASE ? LEAT_BROKER_STORE_ERASE
                                                         : LEAT_BROKER_STORE_EXPIRE,
                            &action.publisher);
        return true;
    case LT_STORE_PUT_UNIQUE_RESULT:
        if (lt_entity_equal(&action.who, &store->who))
            lt_store_note_result(store, action.inserted, action.req_id);
        return true;
    case LT_STORE_CLEAR:
        lt_store_remove_all(store, &action.publisher);
        return true;
    default:
        store->refused++; /* what masters do not say */
        return true;
    }
}

static void drain(leat_broker_store *store)
{
    struct lt_consumer *consumer = &store->consumer;
    const struct lt_early *early;

    while (store->state == LT_CLONE_ATTACHED && (early = lt_consumer_front(consumer)) != NULL) {
        struct lt_command command;
        int status;

        if (!lt_store_read_early(store, early, &command, &status) || !act(store, &command) ||
            store->state != LT_CLONE_ATTACHED)
            break;
        lt_consumer_drop(consumer, &store->allocator);
        lt_consumer_done(consumer);
    }
}

static void take_action(leat_broker_store *store, const struct lt_command *command,
                        const leat_value *envelope)
{
    switch (lt_consumer_event(&store->consumer, command->seq)) {
    case LT_CHANNEL_NOW:
        if (!act(store, command) || store->state != LT_CLONE_ATTACHED)
            break;
        lt_consumer_done(&store->consumer);
        drain(store);
        if (lt_consumer_is_ahead(&store->consumer) && store->state == LT_CLONE_ATTACHED)
            lt_store_acknowledge(store, &store->master, &store->consumer);
        break;
    case LT_CHANNEL_EARLY:
        lt_store_keep_early(store, &store->consumer, command->seq, envelope);
        break;
    case LT_CHANNEL_OLD:
    default:
        break;
    }
}

static void take_nack(leat_broker_store *store, const leat_value *seqs)
{
    uint64_t first;

    if (leat_value_count(seqs) == 0 || !lt_nack_read(seqs, &first)) {
        store->refused++;
    } else if (first == 0 && !store->acknowledged) {
        say_attach_writer(store);
    } else if (first == 0) {
        start_over(store); /* it has forgotten us */
    } else if (first <= store->producer.seq) {
        lt_producer_acknowledged(&store->producer, first - 1);
        lt_store_resend(store, seqs, NULL, &store->master, &store->resends, true);
    }
}

/* ----- commands ----- */

/* What the master says of our own writes, and to nobody else. */
static void take_personal(leat_broker_store *store, const struct lt_command *command)
{
    uint64_t number = leat_value_u64(command->fields[0]);

    switch (command->tag) {
    case LT_STORE_CUMULATIVE_ACK:
        if (number > store->producer.seq)
            break;
        store->acknowledged = true;
        lt_producer_acknowledged(&store->producer, number);
        break;
    case LT_STORE_NACK:
        take_nack(store, command->fields[0]);
        break;
    case LT_STORE_RETRANSMIT_FAILED:
        if (number >= store->consumer.next)
            start_over(store);
        break;
    default:
        break;
    }
}

void lt_clone_take(leat_broker_store *store, const struct lt_command *command,
                   const leat_value *envelope)
{
    bool personal = lt_entity_equal(&command->receiver, &store->self);
    uint64_t first;

    if (store->state == LT_CLONE_SEEKING && command->tag == LT_STORE_ACK_CLONE && personal) {
        take_ack_clone(store, command);
        return;
    }
    if (store->state != LT_CLONE_ATTACHED || !lt_entity_equal(&command->sender, &store->master)) {
        /* The same endpoint has made its master anew, which does not know us. */
        if (store->state == LT_CLONE_ATTACHED && personal && command->tag == LT_STORE_NACK &&
            memcmp(command->sender.id, store->master.id, sizeof store->master.id) == 0 &&
            lt_nack_read(command->fields[0], &first) && first == 0)
            start_over(store);
        else
            store->refused++;
        return;
    }
    store->heard = store->producer.ticks;
    if (command->tag <= LT_STORE_CLEAR)
        take_action(store, command, envelope);
    else if (command->tag == LT_STORE_KEEPALIVE)
        lt_consumer_keepalive(&store->consumer, leat_value_u64(command->fields[0]));
    else if (personal)
        take_personal(store, command);
}

void lt_clone_tick(leat_broker_store *store)
{
    struct lt_producer *producer = &store->producer;
    bool keepalive = lt_producer_tick(producer);
    uint64_t silence = producer->ticks - store->heard;

    store->resends = LT_CHANNEL_NACKED;
    if (store->state == LT_CLONE_SEEKING) {
        if (++store->ticks >= LT_CHANNEL_NACK && store->announced)
            say_nack(store);
        return;
    }
    if (silence > (store->away ? LT_STORE_AWAY : LT_CHANNEL_TIMEOUT) ||
        store->consumer.nacks > LT_STORE_NACKS) {
        start_over(store);
        return;
    }
    if (store->away)
        return;
    lt_store_answer(store, &store->master, &store->consumer);
    if (!keepalive)
        return;
    if (!store->acknowledged)
        say_attach_writer(store);
    lt_store_say(store, NULL, NULL, LT_STORE_KEEPALIVE, producer->seq);
}
