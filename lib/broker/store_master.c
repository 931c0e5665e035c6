/* The master of a store: decides, and tells its clones. */
#include "data.h"
#include "store.h"
#include "store_operate.h"

/* Ticks from one copy for a clone to the next: twice as many each time, up to this. */
#define SHOW_AFTER_MOST 64u

static bool is_clone(const struct lt_remote *remote)
{
    return remote->is_clone && !remote->dropped;
}

/* How far all clones are; everything if there are none. */
static uint64_t slowest(const leat_broker_store *store)
{
    uint64_t acked = store->producer.seq;
    size_t i;

    for (i = 0; i < store->remote_count; i++) {
        const struct lt_remote *remote = store->remotes[i];

        if (is_clone(remote) && remote->acked < acked)
            acked = remote->acked;
    }
    return acked;
}

static bool has_clones(const leat_broker_store *store)
{
    size_t i;

    for (i = 0; i < store->remote_count; i++) {
        if (is_clone(store->remotes[i]))
            return true;
    }
    return false;
}

/* ----- those that are attached ----- */

static int compare(const struct lt_entity *a, const struct lt_entity *b)
{
    int difference = memcmp(a->id, b->id, sizeof a->id);

    return difference != 0 ? difference : (a->object > b->object) - (a->object < b->object);
}

/* The place of the first one that is not before the entity. */
static size_t place_of(const leat_broker_store *store, const struct lt_entity *entity)
{
    size_t low = 0, high = store->remote_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare(&store->remotes[middle]->entity, entity) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct lt_remote *find(const leat_broker_store *store, const struct lt_entity *entity)
{
    size_t place = place_of(store, entity);
    struct lt_remote *remote = place < store->remote_count ? store->remotes[place] : NULL;

    return remote != NULL && lt_entity_equal(&remote->entity, entity) && !remote->dropped ? remote
                                                                                          : NULL;
}

static void drop(leat_broker_store *store, struct lt_remote *remote)
{
    if (remote->dropped)
        return;
    remote->dropped = true;
    store->sweep = true;
    if (remote->is_clone)
        lt_store_note_entity(store, LEAT_BROKER_STORE_DETACHED, &remote->entity);
}

void lt_master_sweep(leat_broker_store *store)
{
    size_t i, kept = 0;

    if (!store->sweep)
        return;
    store->sweep = false;
    for (i = 0; i < store->remote_count; i++) {
        struct lt_remote *remote = store->remotes[i];

        if (!remote->dropped) {
            store->remotes[kept++] = remote;
            continue;
        }
        lt_consumer_clear(&remote->writer, &store->allocator);
        lt_free(&store->allocator, remote, sizeof *remote);
    }
    store->remote_count = kept;
    lt_producer_acknowledged(&store->producer, slowest(store));
}

/*
 * Adds one. An endpoint has one clone of a store: an earlier one of it is no more, but the time until
 * the next copy stays, or new numbers would be a way to ask for copies without end.
 */
static struct lt_remote *add(leat_broker_store *store, const struct lt_entity *entity)
{
    struct lt_entity first = *entity;
    struct lt_remote *remote, *earlier = NULL;
    void *remotes = store->remotes;
    size_t place, count = 0, i;

    first.object = 0;
    for (i = place_of(store, &first);
         i < store->remote_count && memcmp(store->remotes[i]->entity.id, entity->id, 16) == 0;
         i++) {
        if (!store->remotes[i]->dropped)
            earlier = store->remotes[i];
    }
    for (i = 0; i < store->remote_count; i++)
        count += !store->remotes[i]->dropped && store->remotes[i] != earlier;
    if (count >= store->options.clones ||
        !lt_grow(&store->allocator, &remotes, &store->remote_size, store->remote_count + 1,
                 sizeof(struct lt_remote *)))
        return NULL;
    store->remotes = (struct lt_remote **)remotes;
    remote = (struct lt_remote *)lt_alloc_zero(&store->allocator, sizeof *remote);
    if (remote == NULL)
        return NULL;
    remote->entity = *entity;
    remote->writer.limit = &store->early;
    remote->shown = store->producer.ticks;
    remote->resends = LT_CHANNEL_NACKED;
    if (earlier != NULL) {
        remote->shown = earlier->shown;
        remote->show_after = earlier->show_after;
        drop(store, earlier);
    }
    place = place_of(store, entity);
    memmove(store->remotes + place + 1, store->remotes + place,
            (store->remote_count - place) * sizeof(struct lt_remote *));
    store->remotes[place] = remote;
    store->remote_count++;
    lt_store_wake(store);
    return remote;
}

/* ----- events for the clones ----- */

/* More waits than may: those that are furthest behind can only be served by another copy. */
static void shed(leat_broker_store *store)
{
    struct lt_producer *producer = &store->producer;

    while (lt_fifo_count(&producer->events) > store->options.buffered ||
           lt_fifo_bytes(&producer->events) > store->options.buffered_bytes) {
        uint64_t acked = slowest(store);
        size_t i;

        for (i = 0; i < store->remote_count; i++) {
            struct lt_remote *remote = store->remotes[i];

            if (!is_clone(remote) || remote->acked != acked)
                continue;
            /* It must not do the same writes again with every copy. */
            if (remote->writer.ready)
                lt_store_acknowledge(store, &remote->entity, &remote->writer);
            drop(store, remote);
            store->dropped++;
        }
        lt_producer_acknowledged(producer, slowest(store));
    }
}

/* Sends what lt_store_write_action() has written. */
static void broadcast(leat_broker_store *store)
{
    if (!has_clones(store))
        return;
    lt_store_produce(store);
    store->producer.said = store->producer.ticks;
    lt_store_send(store, NULL);
    shed(store);
}

/* ----- actions ----- */

/* Stores a value and tells the clones; an addition's expiry counts here alone. */
static int put(leat_broker_store *store, const struct lt_action *action)
{
    struct lt_action told = *action;
    struct lt_put put;
    int status;

    told.tag = LT_STORE_PUT;
    told.expires =
        action->expires && (action->tag == LT_STORE_PUT || action->tag == LT_STORE_PUT_UNIQUE);
    status = lt_store_prepare(store, action, &put);
    if (status != LEAT_OK)
        return status;
    status = lt_store_ready_action(store, &told, NULL);
    if (status != LEAT_OK) {
        lt_store_unprepare(store, action, &put);
        return status;
    }
    lt_store_put(store, action, &put, lt_store_due(store, action->expires, action->expiry_ns));
    broadcast(store);
    return LEAT_OK;
}

/*
 * Whoever asked learns whether it was put: the caller by an event, a clone by an action, for which
 * there is room since lt_store_ready_action().
 */
static void tell_result(leat_broker_store *store, const struct lt_action *action, bool inserted)
{
    struct lt_action result = {.tag = LT_STORE_PUT_UNIQUE_RESULT,
                               .inserted = inserted,
                               .who = action->who,
                               .req_id = action->req_id,
                               .publisher = store->self};

    if (lt_entity_equal(&action->who, &store->self))
        lt_store_note_result(store, inserted, action->req_id);
    else if (lt_store_write_action(store, &result, NULL) == LEAT_OK)
        broadcast(store);
}

static int put_unique(leat_broker_store *store, const struct lt_action *action)
{
    bool there = lt_entries_find(&store->entries, action->key.data, action->key.length) != NULL;
    int status = there ? lt_store_ready_action(store, action, NULL) : put(store, action);

    if (status == LEAT_OK)
        tell_result(store, action, !there);
    return status;
}

/* Additions and subtractions. */
static int operate(leat_broker_store *store, struct lt_action *action, const leat_value *operand)
{
    const struct lt_entry *entry =
        lt_entries_find(&store->entries, action->key.data, action->key.length);
    bool subtract = action->tag == LT_STORE_SUBTRACT;
    const leat_value *stored;
    leat_value begun;
    int status = LEAT_OK;

    if (entry == NULL && subtract)
        return lt_store_refuse(store, LEAT_E_STATE, LT_STORE_NO_SUCH_KEY, "no such key");
    if (entry != NULL) {
        status = lt_store_decode(&store->stored, entry->value, entry->value_length);
        stored = store->stored.cells;
    } else {
        status = lt_store_begin(action->init_type, &begun);
        stored = &begun;
    }
    if (status == LEAT_OK)
        status = lt_store_operate(&store->result, stored, operand, subtract);
    if (status == LEAT_E_VALUE)
        return lt_store_refuse(store, status, LT_STORE_TYPE_CLASH, "it does not fit what is there");
    if (status != LEAT_OK)
        return lt_store_refuse(store, status, LT_STORE_BACKEND_FAILURE,
                               status == LEAT_E_LIMIT ? "too large" : "out of memory");
    status = lt_store_encode_value(store, store->result.cells, action);
    return status == LEAT_OK ? put(store, action) : status;
}

static int erase(leat_broker_store *store, const struct lt_action *action, uint32_t kind)
{
    struct lt_entry *entry = lt_entries_find(&store->entries, action->key.data, action->key.length);
    int status;

    if (entry == NULL)
        return LEAT_OK;
    status = lt_store_ready_action(store, action, NULL);
    if (status != LEAT_OK)
        return status;
    lt_store_remove(store, entry, kind, &action->publisher);
    broadcast(store);
    return LEAT_OK;
}

static int clear(leat_broker_store *store, const struct lt_action *action)
{
    int status = lt_store_ready_action(store, action, NULL);

    if (status != LEAT_OK)
        return status;
    lt_store_remove_all(store, &action->publisher);
    broadcast(store);
    return LEAT_OK;
}

int lt_master_do(leat_broker_store *store, struct lt_action *action, const leat_value *operand)
{
    switch (action->tag) {
    case LT_STORE_PUT:
        return put(store, action);
    case LT_STORE_PUT_UNIQUE:
        return put_unique(store, action);
    case LT_STORE_ADD:
    case LT_STORE_SUBTRACT:
        return operate(store, action, operand);
    case LT_STORE_ERASE:
        return erase(store, action, LEAT_BROKER_STORE_ERASE);
    case LT_STORE_CLEAR:
        return clear(store, action);
    default:
        return LEAT_OK; /* what masters say, and nobody else */
    }
}

void lt_master_expire(leat_broker_store *store)
{
    struct lt_entry *entry;

    while ((entry = lt_entries_due(&store->entries)) != NULL &&
           entry->due_ms <= lt_store_now(store)) {
        const struct lt_action action = {.tag = LT_STORE_EXPIRE,
                                         .key = {entry->key, entry->key_length},
                                         .publisher = store->self};

        if (erase(store, &action, LEAT_BROKER_STORE_EXPIRE) != LEAT_OK)
            break; /* no memory: next time */
    }
}

/* ----- commands ----- */

/* Sends a copy of all that is there. */
static void show(leat_broker_store *store, const struct lt_remote *remote)
{
    struct lt_writer *out = &store->message;
    const struct lt_entry *entry;

    lt_store_begin_command(store, LT_STORE_ACK_CLONE, store->producer.seq, &remote->entity);
    lt_put_u64be(out, store->producer.seq);
    lt_put_u16be(out, LT_CHANNEL_HEARTBEAT);
    lt_broker_put_varbyte(out, (uint32_t)store->entries.count);
    for (entry = lt_entries_after(&store->entries, NULL, 0); entry != NULL;
         entry = lt_entry_next(entry)) {
        lt_put_bytes(out, entry->key, entry->key_length);
        lt_put_bytes(out, entry->value, entry->value_length);
    }
    if (lt_store_written(out) == LEAT_E_LIMIT)
        lt_store_note_error(store, LT_STORE_BACKEND_FAILURE, NULL,
                            "a copy of the store is more than a message holds");
    lt_store_send(store, remote->entity.id);
}

/* nack [0]: a clone wants to attach, or did not get its copy. */
static void attach(leat_broker_store *store, const struct lt_entity *entity)
{
    struct lt_remote *remote = find(store, entity);

    if (remote == NULL)
        remote = add(store, entity);
    if (remote == NULL) {
        store->refused++;
        return;
    }
    remote->heard = store->producer.ticks;
    if (store->producer.ticks - remote->shown < remote->show_after)
        return; /* the last one may still be on its way */
    remote->shown = store->producer.ticks;
    remote->show_after = remote->show_after == 0 ? LT_CHANNEL_NACK : remote->show_after * 2;
    if (remote->show_after > SHOW_AFTER_MOST)
        remote->show_after = SHOW_AFTER_MOST;
    if (!remote->is_clone) {
        remote->is_clone = true;
        remote->acked = store->producer.seq;
        lt_store_note_entity(store, LEAT_BROKER_STORE_ATTACHED, entity);
    }
    show(store, remote);
}

static void take_nack(leat_broker_store *store, struct lt_remote *remote,
                      const struct lt_command *command)
{
    const leat_value *seqs = command->fields[0];
    uint64_t first;

    if (leat_value_count(seqs) == 0) {
        store->refused++;
    } else if (!lt_nack_read(seqs, &first)) {
        store->refused++;
        if (remote != NULL)
            drop(store, remote);
    } else if (first == 0) {
        if (leat_value_count(seqs) == 1)
            attach(store, &command->sender);
    } else if (remote != NULL && remote->is_clone && first <= store->producer.seq) {
        if (first - 1 > remote->acked)
            remote->acked = first - 1;
        lt_store_resend(store, seqs, remote->entity.id, &remote->entity, &remote->resends, false);
    }
}

/* Does what the next action of a writer says. False: there was no memory, so it comes again. */
static bool act(leat_broker_store *store, const struct lt_command *command)
{
    const leat_value *operand;
    struct lt_action action;
    int status = lt_action_read(store, command, &action, &operand);

    /* Results for the caller are none of theirs. */
    if (lt_entity_equal(&action.who, &store->self))
        memset(&action.who, 0, sizeof action.who);
    if (status == LEAT_OK)
        status = lt_master_do(store, &action, operand);
    if (status != LEAT_OK && status != LEAT_E_NOMEM) {
        store->refused++;
        lt_store_note_error(store, store->code, &action.key, store->error.text);
    }
    return status != LEAT_E_NOMEM;
}

static void drain(leat_broker_store *store, struct lt_remote *remote)
{
    struct lt_consumer *writer = &remote->writer;
    const struct lt_early *early;

    while (!remote->dropped && (early = lt_consumer_front(writer)) != NULL) {
        struct lt_command command;
        int status;

        if (lt_store_read_early(store, early, &command, &status) && !act(store, &command))
            status = LEAT_E_NOMEM;
        if (status == LEAT_E_NOMEM)
            break;
        lt_consumer_drop(writer, &store->allocator);
        lt_consumer_done(writer);
    }
}

static void take_action(leat_broker_store *store, struct lt_remote *remote,
                        const struct lt_command *command, const leat_value *envelope)
{
    struct lt_consumer *writer = &remote->writer;

    switch (lt_consumer_event(writer, command->seq)) {
    case LT_CHANNEL_NOW:
        if (!act(store, command))
            break;
        lt_consumer_done(writer);
        drain(store, remote);
        /* If it was dropped for what this one has told, it does not know of this one. */
        if (lt_consumer_is_ahead(writer) || remote->dropped)
            lt_store_acknowledge(store, &remote->entity, writer);
        break;
    case LT_CHANNEL_EARLY:
        lt_store_keep_early(store, writer, command->seq, envelope);
        break;
    case LT_CHANNEL_OLD:
    default:
        break;
    }
}

/* The writer no longer has an event: it is skipped. */
static void take_lost(leat_broker_store *store, struct lt_remote *remote, uint64_t seq)
{
    struct lt_consumer *writer = &remote->writer;

    switch (lt_consumer_event(writer, seq)) {
    case LT_CHANNEL_NOW:
        lt_consumer_done(writer);
        drain(store, remote);
        break;
    case LT_CHANNEL_EARLY:
        (void)lt_consumer_keep(writer, &store->allocator, seq, "", LT_STORE_LOST_BYTES);
        break;
    case LT_CHANNEL_OLD:
    default:
        break;
    }
}

static void attach_writer(leat_broker_store *store, struct lt_remote *remote,
                          const struct lt_command *command)
{
    if (remote == NULL)
        remote = add(store, &command->sender);
    if (remote == NULL) {
        store->refused++;
        return;
    }
    remote->heard = store->producer.ticks;
    (void)lt_consumer_handshake(&remote->writer, &store->allocator,
                                leat_value_u64(command->fields[0]),
                                leat_value_u64(command->fields[1]));
    if (remote->writer.ready)
        lt_store_acknowledge(store, &remote->entity, &remote->writer);
}

void lt_master_take(leat_broker_store *store, const struct lt_command *command,
                    const leat_value *envelope)
{
    struct lt_remote *remote = find(store, &command->sender);
    uint64_t number = leat_value_u64(command->fields[0]);

    if (remote != NULL)
        remote->heard = store->producer.ticks;
    if (command->tag == LT_STORE_NACK) {
        take_nack(store, remote, command);
    } else if (command->tag == LT_STORE_ATTACH_WRITER) {
        attach_writer(store, remote, command);
    } else if (command->tag == LT_STORE_CUMULATIVE_ACK && remote != NULL) {
        if (number > remote->acked && number <= store->producer.seq)
            remote->acked = number;
    } else if (remote == NULL || !remote->writer.ready || command->tag == LT_STORE_ACK_CLONE) {
        store->refused++;
        /* A clone that was forgotten would not notice for long. One of Broker attaches its writer. */
        if (remote == NULL && command->tag == LT_STORE_KEEPALIVE)
            lt_store_say_nack_0(store, &command->sender);
    } else if (command->tag == LT_STORE_KEEPALIVE) {
        lt_consumer_keepalive(&remote->writer, number);
    } else if (command->tag == LT_STORE_RETRANSMIT_FAILED) {
        take_lost(store, remote, number);
    } else {
        take_action(store, remote, command, envelope);
    }
}

void lt_master_tick(leat_broker_store *store)
{
    bool keepalive = lt_producer_tick(&store->producer);
    size_t i;

    for (i = 0; i < store->remote_count; i++) {
        struct lt_remote *remote = store->remotes[i];

        remote->resends = LT_CHANNEL_NACKED;
        if (store->producer.ticks - remote->heard > LT_CHANNEL_TIMEOUT) {
            drop(store, remote);
            continue;
        }
        if (remote->writer.ready)
            lt_store_answer(store, &remote->entity, &remote->writer);
        /* Clones of Broker take only those that are addressed to them. */
        if (keepalive && remote->is_clone)
            lt_store_say(store, remote->entity.id, &remote->entity, LT_STORE_KEEPALIVE,
                         store->producer.seq);
    }
    lt_producer_acknowledged(&store->producer, slowest(store));
}
