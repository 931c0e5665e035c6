/* Stores: what the caller calls, and the way to the endpoint. */
#include "store.h"
#include "data.h"

#include <string.h>

#define NAME_MOST 65000u
/* Octets of memory that a quiet store keeps for its next command, and for its next events. */
#define MESSAGE_KEPT 512u
#define EVENTS_KEPT  4096u

static const leat_broker_store_options initial = {
    .size = sizeof initial,
    .entries = 1000000,
    .bytes = UINT64_C(32) << 20,
    .clones = 4096,
    .buffered = 65536,
    .buffered_bytes = UINT64_C(64) << 20,
    .early = 1024,
    .early_bytes = UINT64_C(16) << 20,
    .event_bytes = UINT64_C(16) << 20,
    .attach_ms = 10000,
};

static const leat_value none = {.kind = LEAT_NULL};

void leat_broker_store_options_init(leat_broker_store_options *options, size_t size)
{
    lt_options_init(options, size, &initial, sizeof initial);
}

int lt_store_refuse(leat_broker_store *store, int status, uint8_t code, const char *what)
{
    store->code = code;
    return lt_error(&store->error, status, 0, what, NULL);
}

/* ----- the way to the endpoint ----- */

bool lt_store_is_near(const leat_broker_store *store, const uint8_t *id)
{
    const struct lt_link *link = lt_holder(store->broker, id);

    return link != NULL && link->state == LT_LINK_UP;
}

void lt_store_post(leat_broker_store *store, const uint8_t *id, const void *octets, size_t length)
{
    const struct lt_broker_post post = {
        /* Who is no peer may be behind one that forwards. */
        .receiver = id != NULL && lt_store_is_near(store, id) ? id : NULL,
        .type = LT_BROKER_COMMAND,
        .topic = store->is_master ? lt_store_clone_topic(store) : lt_store_master_topic(store),
        .topic_length = store->is_master ? store->clone_topic_length : store->master_topic_length,
        .payload = (const uint8_t *)octets,
        .payload_length = length,
    };

    (void)lt_broker_post(store->broker, &post); /* what is lost is sent again */
}

uint64_t lt_store_due(const leat_broker_store *store, bool expires, int64_t expiry_ns)
{
    if (!expires)
        return LT_NEVER;
    return lt_later(lt_store_now(store),
                    expiry_ns <= 0 ? 0 : ((uint64_t)expiry_ns + 999999) / 1000000);
}

void lt_store_wake(leat_broker_store *store)
{
    struct lt_producer *producer = &store->producer;
    uint64_t missed;

    if (store->tick_ms > lt_store_now(store))
        return;
    missed = (lt_store_now(store) - store->tick_ms) / LT_CHANNEL_TICK_MS + 1;
    store->tick_ms = lt_later(store->tick_ms, missed * LT_CHANNEL_TICK_MS);
    producer->ticks += missed;
    producer->said = producer->ticks - (producer->ticks - producer->said) % LT_CHANNEL_HEARTBEAT;
}

/* Whether there is something to do with every tick. */
static bool is_active(const leat_broker_store *store)
{
    if (store->is_master)
        return store->remote_count > 0;
    return store->state == LT_CLONE_ATTACHED ||
           (store->state == LT_CLONE_SEEKING && store->announced);
}

static uint64_t deadline(const leat_broker_store *store)
{
    const struct lt_entry *entry = lt_entries_due(&store->entries);
    uint64_t due = is_active(store) ? store->tick_ms : LT_NEVER;

    if (store->met)
        due = 0;
    if (entry != NULL && entry->due_ms < due)
        due = entry->due_ms;
    return store->give_up_ms < due ? store->give_up_ms : due;
}

static bool is_our_topic(const leat_broker_store *store, const char *topic, size_t length)
{
    size_t own = store->is_master ? store->master_topic_length : store->clone_topic_length;

    return length == own &&
           memcmp(topic,
                  store->is_master ? lt_store_master_topic(store) : lt_store_clone_topic(store),
                  own) == 0;
}

/* Whether a command is for this store, and said by whom it names. */
static bool is_sound(const leat_broker_store *store, const struct lt_command *command,
                     const leat_value *envelope)
{
    static const struct lt_entity nil;
    const uint8_t *hop = leat_value_bytes(leat_value_get(envelope, "sender"), NULL);
    const uint8_t *id = command->sender.id;

    if (memcmp(id, nil.id, sizeof nil.id) == 0 || memcmp(id, store->self.id, 16) == 0)
        return false;
    if (lt_store_is_near(store, id) && (hop == NULL || memcmp(id, hop, 16) != 0))
        return false;
    return lt_entity_equal(&command->receiver, &nil) ||
           lt_entity_equal(&command->receiver, &store->self);
}

static void take(leat_broker_store *store, const leat_value *envelope)
{
    struct lt_command command;

    lt_command_read(&command, leat_value_get(envelope, "command"));
    if (!is_sound(store, &command, envelope)) {
        store->refused++;
    } else if (store->is_master) {
        lt_master_take(store, &command, envelope);
        lt_master_sweep(store);
    } else {
        lt_clone_take(store, &command, envelope);
    }
}

bool lt_stores_take(leat_broker *broker, const leat_value *envelope)
{
    leat_broker_store *store = broker->stores;
    size_t length;
    const char *topic = leat_value_text(leat_value_get(envelope, "topic"), &length);

    while (store != NULL && !is_our_topic(store, topic, length))
        store = store->next;
    if (store != NULL)
        take(store, envelope);
    return store != NULL;
}

/* Not now: it may be a store's own message that a link was too slow for. */
void lt_stores_meet(leat_broker *broker)
{
    leat_broker_store *store;

    for (store = broker->stores; store != NULL; store = store->next)
        store->met = !store->is_master;
}

/* Gives back memory that large values needed. */
static void trim(leat_broker_store *store)
{
    struct lt_writer *out = &store->message;
    uint8_t *data;

    if (lt_fifo_count(&store->producer.events) == 0 &&
        lt_fifo_memory(&store->producer.events) > EVENTS_KEPT)
        lt_fifo_free(&store->producer.events, &store->allocator);
    if (out->size <= MESSAGE_KEPT)
        return;
    data = (uint8_t *)lt_resize(&store->allocator, out->data, out->size, MESSAGE_KEPT);
    if (data == NULL)
        return;
    out->data = data;
    out->size = MESSAGE_KEPT;
    out->length = 0;
}

static void tick(leat_broker_store *store)
{
    if (store->met) {
        store->met = false;
        lt_clone_meet(store);
    }
    if (store->is_master)
        lt_master_expire(store);
    if (store->give_up_ms <= lt_store_now(store)) {
        store->give_up_ms = LT_NEVER;
        if (store->state == LT_CLONE_SEEKING)
            lt_clone_give_up(store, LT_STORE_NO_SUCH_MASTER, "no master was found in time");
    }
    /* One tick at most: whoever slept does not hold it against others. */
    if (is_active(store) && store->tick_ms <= lt_store_now(store)) {
        uint64_t passed = (lt_store_now(store) - store->tick_ms) / LT_CHANNEL_TICK_MS + 1;

        store->tick_ms = lt_later(store->tick_ms, passed * LT_CHANNEL_TICK_MS);
        if (store->is_master)
            lt_master_tick(store);
        else
            lt_clone_tick(store);
        trim(store);
    }
    lt_master_sweep(store);
}

void lt_stores_tick(leat_broker *broker)
{
    leat_broker_store *store;

    for (store = broker->stores; store != NULL; store = store->next) {
        if (deadline(store) <= broker->now_ms)
            tick(store);
    }
}

uint64_t lt_stores_deadline(const leat_broker *broker)
{
    const leat_broker_store *store;
    uint64_t due = LT_NEVER;

    for (store = broker->stores; store != NULL; store = store->next) {
        uint64_t own = deadline(store);

        due = own < due ? own : due;
    }
    return due;
}

void lt_stores_leave(leat_broker *broker)
{
    leat_broker_store *store;

    for (store = broker->stores; store != NULL; store = store->next) {
        store->now_ms = broker->now_ms;
        store->broker = NULL;
    }
    broker->stores = NULL;
}

/* ----- making and freeing ----- */

static int refuse(leat_broker *broker, int status, const char *what, const char *field)
{
    return lt_error(&broker->error, status, 0, what, field);
}

static bool is_name(const char *name, size_t length)
{
    return length > 0 && length <= NAME_MOST && name[length - 1] != '/' &&
           (length < 3 || memcmp(name, "<$>", 3) != 0);
}

static const char master_end[] = "/<$>/data/master";
static const char clone_end[] = "/<$>/data/clone";

/* Both topics, one behind the other. */
static bool make_topics(leat_broker_store *store, const char *name, size_t length)
{
    store->name_length = length;
    store->master_topic_length = length + sizeof master_end - 1;
    store->clone_topic_length = length + sizeof clone_end - 1;
    store->topics = (char *)lt_resize(&store->allocator, NULL, 0,
                                      store->master_topic_length + store->clone_topic_length);
    if (store->topics == NULL)
        return false;
    memcpy(store->topics, name, length);
    memcpy(store->topics + length, master_end, sizeof master_end - 1);
    memcpy(store->topics + store->master_topic_length, name, length);
    memcpy(store->topics + store->master_topic_length + length, clone_end, sizeof clone_end - 1);
    return true;
}

static void init(leat_broker_store *store, leat_broker *broker,
                 const leat_broker_store_options *options, bool is_master)
{
    uint64_t values = broker->limits.values;
    uint64_t most = broker->limits.message_bytes;

    store->options = *options;
    if (store->options.entries > UINT32_MAX)
        store->options.entries = UINT32_MAX;
    store->is_master = is_master;
    store->early.most = options->early;
    store->early.most_bytes = options->early_bytes;
    store->consumer.limit = &store->early;
    lt_producer_init(&store->producer);
    store->tick_ms = lt_later(broker->now_ms, LT_CHANNEL_TICK_MS);
    store->give_up_ms = is_master || options->attach_ms == 0
                            ? LT_NEVER
                            : lt_later(broker->now_ms, options->attach_ms);
    /* What is around a command must fit, too. */
    most -= most < store->master_topic_length + LT_BROKER_ENVELOPE_BYTES
                ? most
                : store->master_topic_length + LT_BROKER_ENVELOPE_BYTES;
    store->octets = lt_writer(&store->allocator, (size_t)most);
    store->message = store->octets;
    lt_tree_init(&store->stored, &store->allocator, values);
    lt_tree_init(&store->result, &store->allocator, values);
    lt_tree_init(&store->command, &store->allocator, values);
    /* An event has three of them, which event_bytes bounds. */
    lt_tree_init(&store->tree, &store->allocator, UINT64_MAX);
}

/* The topic that it listens to, as a set of one, which needs a place for it. */
static struct lt_topics own_topic(const leat_broker_store *store, struct lt_topic *place)
{
    const struct lt_topics topics = {place, store->topics, 1, 0};

    place->at = store->is_master ? 0 : (uint32_t)store->master_topic_length;
    place->length =
        (uint32_t)(store->is_master ? store->master_topic_length : store->clone_topic_length);
    return topics;
}

/* Hangs it on its endpoint. */
static int hang(leat_broker_store *store, leat_broker *broker)
{
    struct lt_topic place;
    const struct lt_topics topic = own_topic(store, &place);
    int status = lt_broker_attach(broker, &topic);

    if (status != LEAT_OK)
        return status;
    if (store->options.object == 0)
        store->options.object = ++broker->objects;
    if (store->options.object > broker->objects)
        broker->objects = store->options.object;
    memcpy(store->self.id, broker->options.id, sizeof store->self.id);
    store->self.object = store->options.object;
    store->who = store->self;
    store->broker = broker;
    store->next = broker->stores;
    broker->stores = store;
    return LEAT_OK;
}

static int make(leat_broker *broker, const char *name, size_t length,
                const leat_broker_store_options *options, bool is_master, leat_broker_store **store)
{
    leat_broker_store_options read = initial;
    leat_broker_store *made, *other;
    int status = LEAT_OK;

    broker->error.code = LEAT_OK;
    if (!lt_options_read(&read, sizeof read, options))
        return refuse(broker, LEAT_E_VALUE, "options that were not initialised", NULL);
    if (!is_name(name, length))
        return refuse(broker, LEAT_E_VALUE, "no name of a store", "name");
    for (other = broker->stores; other != NULL; other = other->next) {
        if (other->name_length == length && memcmp(other->topics, name, length) == 0)
            return refuse(broker, LEAT_E_STATE, "the endpoint has this store already", "name");
    }
    made = (leat_broker_store *)lt_alloc_zero(&broker->allocator, sizeof *made);
    if (made == NULL)
        return refuse(broker, LEAT_E_NOMEM, "out of memory", NULL);
    made->allocator = broker->allocator;
    if (!make_topics(made, name, length))
        status = refuse(broker, LEAT_E_NOMEM, "out of memory", NULL);
    else
        init(made, broker, &read, is_master);
    if (status == LEAT_OK && is_master &&
        lt_broker_is_announced(broker, NULL, lt_store_master_topic(made), made->master_topic_length,
                               true))
        status = refuse(broker, LEAT_E_STATE, "master_exists: a peer has this master", "name");
    /* So that small commands never lack memory. */
    if (status == LEAT_OK &&
        lt_put(&made->message,
               made->message.limit < MESSAGE_KEPT ? made->message.limit : MESSAGE_KEPT) == NULL)
        status = refuse(broker, LEAT_E_NOMEM, "out of memory", NULL);
    if (status == LEAT_OK)
        status = hang(made, broker);
    if (status != LEAT_OK) {
        leat_broker_store_free(made);
        return status;
    }
    if (!is_master)
        lt_clone_begin(made);
    *store = made;
    return LEAT_OK;
}

int leat_broker_store_master(leat_broker *broker, const char *name, size_t length,
                             const leat_broker_store_options *options, leat_broker_store **store)
{
    return make(broker, name, length, options, true, store);
}

int leat_broker_store_clone(leat_broker *broker, const char *name, size_t length,
                            const leat_broker_store_options *options, leat_broker_store **store)
{
    return make(broker, name, length, options, false, store);
}

static void unhang(leat_broker_store *store)
{
    leat_broker_store **at = &store->broker->stores;
    leat_broker *broker = store->broker;
    struct lt_topic place;
    const struct lt_topics topic = own_topic(store, &place);

    while (*at != store)
        at = &(*at)->next;
    *at = store->next;
    lt_broker_detach(broker, &topic);
}

void leat_broker_store_free(leat_broker_store *store)
{
    leat_allocator allocator;
    size_t i;

    if (store == NULL)
        return;
    allocator = store->allocator;
    if (store->broker != NULL)
        unhang(store);
    for (i = 0; i < store->remote_count; i++) {
        lt_consumer_clear(&store->remotes[i]->writer, &allocator);
        lt_free(&allocator, store->remotes[i], sizeof **store->remotes);
    }
    lt_free(&allocator, store->remotes, store->remote_size * sizeof *store->remotes);
    if (store->consumer.limit != NULL)
        lt_consumer_clear(&store->consumer, &allocator);
    lt_entries_free(&store->entries, &allocator);
    lt_fifo_free(&store->producer.events, &allocator);
    lt_fifo_free(&store->notes, &allocator);
    if (store->topics != NULL) {
        lt_writer_free(&store->octets);
        lt_writer_free(&store->message);
        lt_tree_free(&store->stored);
        lt_tree_free(&store->result);
        lt_tree_free(&store->command);
        lt_tree_free(&store->tree);
    }
    lt_free(&allocator, store->topics, store->master_topic_length + store->clone_topic_length);
    lt_free(&allocator, store, sizeof *store);
}

/* ----- writing ----- */

static int act(leat_broker_store *store, struct lt_action *action, const leat_value *key,
               const leat_value *value)
{
    bool operates = action->tag == LT_STORE_ADD || action->tag == LT_STORE_SUBTRACT;
    bool has_value = operates || action->tag <= LT_STORE_PUT_UNIQUE;
    int status = LEAT_OK;

    store->error.code = LEAT_OK;
    if (store->broker == NULL)
        return lt_store_refuse(store, LEAT_E_STATE, 0, "the endpoint was freed");
    if (!store->is_master && store->state == LT_CLONE_OVER)
        return lt_store_refuse(store, LEAT_E_STATE, 0, "the clone has given up");
    if (action->expiry_ns < LEAT_BROKER_FOR_EVER)
        return lt_store_refuse(store, LEAT_E_VALUE, 0, "a negative time of expiry");
    action->expires = action->expiry_ns >= 0;
    action->who = store->who;
    action->publisher = store->self;
    value = value == NULL ? &none : value;
    if (action->tag != LT_STORE_CLEAR)
        status =
            lt_store_encode(store, key == NULL ? &none : key,
                            has_value && !(operates && store->is_master) ? value : NULL, action);
    if (status == LEAT_OK)
        status = store->is_master ? lt_master_do(store, action, value) : lt_clone_do(store, action);
    lt_master_sweep(store);
    return status;
}

int leat_broker_store_put(leat_broker_store *store, const leat_value *key, const leat_value *value,
                          int64_t expiry_ns)
{
    struct lt_action action = {.tag = LT_STORE_PUT, .expiry_ns = expiry_ns};

    return act(store, &action, key, value);
}

int leat_broker_store_put_unique(leat_broker_store *store, const leat_value *key,
                                 const leat_value *value, int64_t expiry_ns, uint64_t req_id)
{
    struct lt_action action = {
        .tag = LT_STORE_PUT_UNIQUE, .expiry_ns = expiry_ns, .req_id = req_id};

    return act(store, &action, key, value);
}

int leat_broker_store_erase(leat_broker_store *store, const leat_value *key)
{
    struct lt_action action = {.tag = LT_STORE_ERASE, .expiry_ns = LEAT_BROKER_FOR_EVER};

    return act(store, &action, key, NULL);
}

int leat_broker_store_clear(leat_broker_store *store)
{
    struct lt_action action = {.tag = LT_STORE_CLEAR, .expiry_ns = LEAT_BROKER_FOR_EVER};

    return act(store, &action, NULL, NULL);
}

int leat_broker_store_add(leat_broker_store *store, const leat_value *key, const leat_value *value,
                          uint32_t init_kind, int64_t expiry_ns)
{
    struct lt_action action = {.tag = LT_STORE_ADD, .expiry_ns = expiry_ns};
    leat_value begun;

    action.init_type =
        init_kind <= LEAT_RECORD ? lt_broker_type_of_kind[init_kind] : LT_BROKER_NO_TYPE;
    store->error.code = LEAT_OK;
    if (lt_store_begin(action.init_type, &begun) != LEAT_OK)
        return lt_store_refuse(store, LEAT_E_VALUE, 0, "nothing can be added to such a value");
    return act(store, &action, key, value);
}

int leat_broker_store_subtract(leat_broker_store *store, const leat_value *key,
                               const leat_value *value, int64_t expiry_ns)
{
    struct lt_action action = {.tag = LT_STORE_SUBTRACT, .expiry_ns = expiry_ns};

    return act(store, &action, key, value);
}

int leat_broker_store_increment(leat_broker_store *store, const leat_value *key,
                                const leat_value *amount, int64_t expiry_ns)
{
    uint32_t kind = leat_value_kind(amount);

    return leat_broker_store_add(store, key, amount, kind == LEAT_TIMESPAN ? LEAT_TIMESTAMP : kind,
                                 expiry_ns);
}

int leat_broker_store_decrement(leat_broker_store *store, const leat_value *key,
                                const leat_value *amount, int64_t expiry_ns)
{
    return leat_broker_store_subtract(store, key, amount, expiry_ns);
}

int leat_broker_store_append(leat_broker_store *store, const leat_value *key, const char *text,
                             size_t length, int64_t expiry_ns)
{
    leat_value value = {.kind = LEAT_TEXT, .length = (uint32_t)length};

    store->error.code = LEAT_OK;
    if (length > UINT32_MAX)
        return lt_store_refuse(store, LEAT_E_LIMIT, 0, "longer than 4 GiB");
    value.u.bytes = (const uint8_t *)text;
    return leat_broker_store_add(store, key, &value, LEAT_TEXT, expiry_ns);
}

int leat_broker_store_insert_into_set(leat_broker_store *store, const leat_value *key,
                                      const leat_value *element, int64_t expiry_ns)
{
    return leat_broker_store_add(store, key, element, LEAT_SET, expiry_ns);
}

/* Both go into a list of two. */
int leat_broker_store_insert_into_table(leat_broker_store *store, const leat_value *key,
                                        const leat_value *index, const leat_value *value,
                                        int64_t expiry_ns)
{
    struct lt_tree *pair = &store->command;
    size_t list;
    int status;

    index = index == NULL ? &none : index;
    value = value == NULL ? &none : value;
    store->error.code = LEAT_OK;
    lt_tree_clear(pair);
    status = lt_tree_reserve(pair, 1 + lt_cells(index) + lt_cells(value));
    if (status != LEAT_OK)
        return lt_store_refuse(store, status, 0,
                               status == LEAT_E_LIMIT ? "too many values" : "out of memory");
    list = lt_tree_open(pair, LEAT_LIST, LT_NO_NAME);
    lt_store_put_child(pair, index);
    lt_store_put_child(pair, value);
    lt_tree_close(pair, list, 2);
    return leat_broker_store_add(store, key, pair->cells, LEAT_TABLE, expiry_ns);
}

int leat_broker_store_remove_from(leat_broker_store *store, const leat_value *key,
                                  const leat_value *index, int64_t expiry_ns)
{
    return leat_broker_store_subtract(store, key, index, expiry_ns);
}

int leat_broker_store_push(leat_broker_store *store, const leat_value *key, const leat_value *value,
                           int64_t expiry_ns)
{
    return leat_broker_store_add(store, key, value, LEAT_LIST, expiry_ns);
}

int leat_broker_store_pop(leat_broker_store *store, const leat_value *key, int64_t expiry_ns)
{
    return leat_broker_store_subtract(store, key, key, expiry_ns);
}

/* ----- reading ----- */

static int find(leat_broker_store *store, const leat_value *key, struct lt_entry **entry)
{
    struct lt_action action = {.tag = 0};
    int status;

    store->error.code = LEAT_OK;
    *entry = NULL;
    status = lt_store_encode(store, key == NULL ? &none : key, NULL, &action);
    if (status == LEAT_OK)
        *entry = lt_entries_find(&store->entries, action.key.data, action.key.length);
    return status;
}

int leat_broker_store_get(leat_broker_store *store, const leat_value *key, leat_builder *builder,
                          const char *name)
{
    struct lt_entry *entry;
    int status = find(store, key, &entry);

    if (status != LEAT_OK)
        return status;
    if (entry == NULL)
        return lt_store_refuse(store, LEAT_E_STATE, 0, "no such key");
    return leat_broker_read(builder, name, entry->value, entry->value_length);
}

int leat_broker_store_exists(leat_broker_store *store, const leat_value *key)
{
    struct lt_entry *entry;
    int status = find(store, key, &entry);

    return status != LEAT_OK ? status : entry != NULL;
}

int leat_broker_store_keys(leat_broker_store *store, leat_builder *builder, const char *name)
{
    const struct lt_entry *entry = lt_entries_after(&store->entries, NULL, 0);
    int status = leat_builder_open(builder, name, LEAT_SET);

    for (; entry != NULL && status == LEAT_OK; entry = lt_entry_next(entry))
        status = leat_broker_read(builder, NULL, entry->key, entry->key_length);
    return status == LEAT_OK ? leat_builder_close(builder) : status;
}

uint64_t leat_broker_store_count(const leat_broker_store *store)
{
    return store->entries.count;
}

static int read_entry(const leat_broker_store *store, const struct lt_entry *entry,
                      leat_builder *builder)
{
    uint64_t left = entry->due_ms > lt_store_now(store) ? entry->due_ms - lt_store_now(store) : 0;

    (void)leat_builder_open(builder, NULL, LEAT_RECORD);
    (void)leat_broker_read(builder, "key", entry->key, entry->key_length);
    (void)leat_broker_read(builder, "value", entry->value, entry->value_length);
    if (entry->due_ms == LT_NEVER)
        (void)leat_builder_null(builder, "expiry_ns");
    else
        (void)leat_builder_i64(builder, "expiry_ns",
                               left > INT64_MAX / 1000000 ? INT64_MAX : (int64_t)left * 1000000);
    return leat_builder_close(builder);
}

int leat_broker_store_after(leat_broker_store *store, const leat_value *key, leat_builder *builder)
{
    struct lt_action action = {.tag = 0};
    const struct lt_entry *entry;
    int status = LEAT_OK;

    store->error.code = LEAT_OK;
    if (key != NULL)
        status = lt_store_encode(store, key, NULL, &action);
    if (status != LEAT_OK)
        return status;
    entry = lt_entries_after(&store->entries, action.key.data, action.key.length);
    leat_builder_clear(builder);
    return entry == NULL ? LEAT_END : read_entry(store, entry, builder);
}

int leat_broker_store_get_stats(const leat_broker_store *store, leat_broker_store_stats *stats)
{
    const struct lt_fifo *events = &store->producer.events;
    leat_broker_store_stats now_are = {
        .size = sizeof now_are,
        .entries = store->entries.count,
        .bytes = store->entries.bytes,
        .attached = !store->is_master && store->state == LT_CLONE_ATTACHED && !store->away,
        .buffered = lt_fifo_count(events),
        .buffered_bytes = lt_fifo_bytes(events),
        .early = store->early.count,
        .resent = store->resent,
        .refused = store->refused,
        .dropped = store->dropped,
        .started = store->started,
        .event_bytes = lt_fifo_bytes(&store->notes),
    };
    size_t i;

    for (i = 0; i < store->remote_count; i++)
        now_are.attached += store->remotes[i]->is_clone;
    if (stats->size < sizeof stats->size)
        return LEAT_E_VALUE;
    lt_options_init(stats, (size_t)stats->size, &now_are, sizeof now_are);
    return LEAT_OK;
}

const leat_error *leat_broker_store_error(const leat_broker_store *store)
{
    return store->error.code == LEAT_OK ? NULL : &store->error;
}

static size_t tree_bytes(const struct lt_tree *tree)
{
    return tree->size * sizeof *tree->cells + lt_arena_bytes(&tree->arena);
}

size_t leat_broker_store_memory(const leat_broker_store *store)
{
    size_t bytes = sizeof *store + store->master_topic_length + store->clone_topic_length +
                   lt_entries_memory(&store->entries) + lt_fifo_memory(&store->producer.events) +
                   lt_fifo_memory(&store->notes) + store->octets.size + store->message.size +
                   tree_bytes(&store->stored) + tree_bytes(&store->result) +
                   tree_bytes(&store->command) + tree_bytes(&store->tree) +
                   store->remote_size * sizeof *store->remotes + (size_t)store->early.bytes +
                   store->consumer.size * sizeof *store->consumer.early;
    size_t i;

    for (i = 0; i < store->remote_count; i++)
        bytes +=
            sizeof *store->remotes[i] + store->remotes[i]->writer.size * sizeof(struct lt_early);
    return bytes;
}
