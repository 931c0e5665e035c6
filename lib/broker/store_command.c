#include "data.h"
#include "store.h"

#include <math.h>

/* What stands in an action, in this order; behind it the publisher. */
#define HAS_INSERTED 1u
#define HAS_KEY      2u
#define HAS_VALUE    4u
#define HAS_INIT     8u
#define HAS_EXPIRY   16u
#define HAS_WHO      32u

static const uint8_t contents[LT_STORE_CLEAR + 1] = {
    [LT_STORE_PUT] = HAS_KEY | HAS_VALUE | HAS_EXPIRY,
    [LT_STORE_PUT_UNIQUE] = HAS_KEY | HAS_VALUE | HAS_EXPIRY | HAS_WHO,
    [LT_STORE_PUT_UNIQUE_RESULT] = HAS_INSERTED | HAS_WHO,
    [LT_STORE_ERASE] = HAS_KEY,
    [LT_STORE_EXPIRE] = HAS_KEY,
    [LT_STORE_ADD] = HAS_KEY | HAS_VALUE | HAS_INIT | HAS_EXPIRY,
    [LT_STORE_SUBTRACT] = HAS_KEY | HAS_VALUE | HAS_EXPIRY,
    [LT_STORE_CLEAR] = 0,
};

/* ----- reading ----- */

static void read_entity(struct lt_entity *entity, const leat_value *list)
{
    size_t length;
    const uint8_t *id = leat_value_bytes(leat_value_at(list, 0), &length);

    memset(entity, 0, sizeof *entity);
    if (id != NULL && length == sizeof entity->id)
        memcpy(entity->id, id, sizeof entity->id);
    entity->object = leat_value_u64(leat_value_at(list, 1));
}

void lt_command_read(struct lt_command *command, const leat_value *record)
{
    const leat_value *field = leat_value_first(record);
    size_t i;

    command->seq = leat_value_u64(field);
    field = leat_value_next(record, field);
    read_entity(&command->sender, field);
    field = leat_value_next(record, field);
    read_entity(&command->receiver, field);
    field = leat_value_next(record, field);
    command->tag = leat_value_u64(field);
    field = leat_value_next(record, field); /* its name */
    for (i = 0; i < sizeof command->fields / sizeof *command->fields; i++)
        command->fields[i] = field = leat_value_next(record, field);
}

int lt_action_read(leat_broker_store *store, const struct lt_command *command,
                   struct lt_action *action, const leat_value **operand)
{
    unsigned has = contents[command->tag];
    const leat_value *const *field = command->fields;
    const leat_value *key = NULL, *value = NULL;

    memset(action, 0, sizeof *action);
    action->tag = (uint8_t)command->tag;
    if ((has & HAS_INSERTED) != 0)
        action->inserted = leat_value_bool(*field++) != 0;
    if ((has & HAS_KEY) != 0)
        key = *field++;
    if ((has & HAS_VALUE) != 0)
        value = *field++;
    *operand = value;
    if ((has & HAS_INIT) != 0)
        action->init_type = (uint8_t)leat_value_u64(*field++);
    if ((has & HAS_EXPIRY) != 0) {
        action->expires = leat_value_kind(*field) == LEAT_INT;
        action->expiry_ns = leat_value_i64(*field++);
    }
    if ((has & HAS_WHO) != 0) {
        read_entity(&action->who, *field++);
        action->req_id = leat_value_u64(*field++);
    }
    read_entity(&action->publisher, *field);
    if (key == NULL)
        return LEAT_OK;
    if (action->tag == LT_STORE_ADD || action->tag == LT_STORE_SUBTRACT)
        value = NULL;
    return lt_store_encode(store, key, value, action);
}

bool lt_nack_read(const leat_value *seqs, uint64_t *first)
{
    const leat_value *seq = leat_value_first(seqs);
    uint64_t before;

    if (seq == NULL)
        return false;
    *first = before = leat_value_u64(seq);
    for (seq = leat_value_next(seqs, seq); seq != NULL; seq = leat_value_next(seqs, seq)) {
        if (leat_value_u64(seq) <= before)
            return false;
        before = leat_value_u64(seq);
    }
    return true;
}

/* ----- keys and values ----- */

static bool is_too_deep(const leat_value *value)
{
    const leat_value *ends[LT_STORE_DEPTH];
    size_t depth = 0, i, cells = lt_cells(value);

    for (i = 0; i < cells; i++) {
        while (depth > 0 && value + i == ends[depth - 1])
            depth--;
        if (!lt_is_container(value + i))
            continue;
        if (depth == LT_STORE_DEPTH)
            return true;
        ends[depth++] = value + i + value[i].u.cells;
    }
    return false;
}

/*
 * Keys are the elements of a table when a copy is sent: what has no place in an order is refused, and
 * what is the same as something else is made that.
 */
static int sound_key(leat_broker_store *store, const leat_value **key)
{
    struct lt_tree *copy = &store->result;
    size_t cells = lt_cells(*key), i;

    lt_tree_clear(copy);
    for (i = 0; i < cells; i++) {
        const leat_value *cell = *key + i;

        if (cell->kind != LEAT_REAL)
            continue;
        if (isnan(cell->u.f64))
            return lt_store_refuse(store, LEAT_E_VALUE, LT_STORE_INVALID_DATA, "NaN in a key");
        if (lt_broker_real(cell->u.f64) != 0 || !signbit(cell->u.f64))
            continue;
        if (copy->count == 0) {
            if (lt_tree_reserve(copy, cells) != LEAT_OK)
                return lt_store_refuse(store, LEAT_E_NOMEM, 0, "out of memory");
            memcpy(copy->cells, *key, cells * sizeof **key);
            copy->count = cells;
            *key = copy->cells;
        }
        copy->cells[i].u.f64 = 0;
    }
    return LEAT_OK;
}

/* Appends a key or value to store->octets. */
static int write_octets(leat_broker_store *store, const leat_value *value)
{
    struct leat_error error = {0};
    int status;

    if (value != NULL && is_too_deep(value))
        return lt_store_refuse(store, LEAT_E_VALUE, LT_STORE_INVALID_DATA, "nested too deeply");
    status = lt_broker_write(&store->octets, value, &error);
    if (status == LEAT_OK)
        status = lt_store_written(&store->octets);
    if (status == LEAT_E_VALUE) {
        (void)lt_store_refuse(store, status, LT_STORE_INVALID_DATA, error.text);
        store->error.field = error.field;
        store->error.offset = error.offset;
        return status;
    }
    if (status != LEAT_OK)
        return lt_store_refuse(store, status, LT_STORE_BACKEND_FAILURE,
                               status == LEAT_E_LIMIT ? "more than a message holds"
                                                      : "out of memory");
    return LEAT_OK;
}

int lt_store_encode(leat_broker_store *store, const leat_value *key, const leat_value *value,
                    struct lt_action *action)
{
    int status = LEAT_OK;

    store->octets.length = 0;
    store->octets.status = LEAT_OK;
    if (key != NULL)
        status = sound_key(store, &key);
    if (status == LEAT_OK)
        status = write_octets(store, key);
    if (status != LEAT_OK)
        return status;
    action->key.length = store->octets.length;
    status = value == NULL ? LEAT_OK : lt_store_encode_value(store, value, action);
    action->key.data = store->octets.data;
    return status;
}

int lt_store_encode_value(leat_broker_store *store, const leat_value *value,
                          struct lt_action *action)
{
    int status;

    store->octets.length = action->key.length;
    status = write_octets(store, value);
    action->key.data = store->octets.data;
    action->value.data = store->octets.data + action->key.length;
    action->value.length = store->octets.length - action->key.length;
    return status;
}

int lt_store_decode(struct lt_tree *tree, const uint8_t *octets, size_t length)
{
    struct lt_reader in = lt_reader(octets, length);
    struct leat_error error;

    lt_tree_clear(tree);
    return lt_broker_read(&in, tree, LT_DEPTH_MAX, LT_NO_NAME, &error);
}

/* ----- writing ----- */

static void put_entity(struct lt_writer *out, const struct lt_entity *entity)
{
    lt_put_bytes(out, entity->id, sizeof entity->id);
    lt_put_u64be(out, entity->object);
}

void lt_store_begin_command(leat_broker_store *store, uint8_t tag, uint64_t seq,
                            const struct lt_entity *receiver)
{
    static const struct lt_entity nil;
    struct lt_writer *out = &store->message;

    out->length = 0;
    out->status = LEAT_OK;
    lt_put_u64be(out, seq);
    put_entity(out, &store->self);
    put_entity(out, receiver == NULL ? &nil : receiver);
    lt_put_u8(out, tag);
}

int lt_store_write_action(leat_broker_store *store, const struct lt_action *action,
                          const struct lt_entity *receiver)
{
    unsigned has = contents[action->tag];
    struct lt_writer *out = &store->message;

    lt_store_begin_command(store, action->tag, store->producer.seq + 1, receiver);
    if ((has & HAS_INSERTED) != 0)
        lt_put_u8(out, action->inserted);
    if ((has & HAS_KEY) != 0)
        lt_put_bytes(out, action->key.data, action->key.length);
    if ((has & HAS_VALUE) != 0)
        lt_put_bytes(out, action->value.data, action->value.length);
    if ((has & HAS_INIT) != 0)
        lt_put_u8(out, action->init_type);
    if ((has & HAS_EXPIRY) != 0)
        lt_put_u8(out, action->expires);
    if ((has & HAS_EXPIRY) != 0 && action->expires)
        lt_put_u64be(out, (uint64_t)action->expiry_ns);
    if ((has & HAS_WHO) != 0) {
        put_entity(out, &action->who);
        lt_put_u64be(out, action->req_id);
    }
    put_entity(out, &action->publisher);
    return lt_store_written(out);
}

int lt_store_ready_action(leat_broker_store *store, const struct lt_action *action,
                          const struct lt_entity *receiver)
{
    int status = lt_store_write_action(store, action, receiver);

    if (status == LEAT_OK && !lt_fifo_reserve(&store->producer.events, &store->allocator,
                                              store->message.length + LT_STORE_RESULT_BYTES))
        status = LEAT_E_NOMEM;
    if (status == LEAT_OK)
        return LEAT_OK;
    return lt_store_refuse(store, status, LT_STORE_BACKEND_FAILURE,
                           status == LEAT_E_LIMIT ? "more than a message holds" : "out of memory");
}

void lt_store_produce(leat_broker_store *store)
{
    struct lt_producer *producer = &store->producer;
    const struct lt_writer *out = &store->message;

    memcpy(lt_fifo_push(&producer->events, out->length), out->data, out->length);
    producer->seq++;
}

void lt_store_send(leat_broker_store *store, const uint8_t *id)
{
    if (lt_store_written(&store->message) == LEAT_OK)
        lt_store_post(store, id, store->message.data, store->message.length);
}

void lt_store_say(leat_broker_store *store, const uint8_t *id, const struct lt_entity *receiver,
                  uint8_t tag, uint64_t number)
{
    lt_store_begin_command(store, tag, 0, receiver);
    lt_put_u64be(&store->message, number);
    lt_store_send(store, id);
}

void lt_store_acknowledge(leat_broker_store *store, const struct lt_entity *producer,
                          struct lt_consumer *consumer)
{
    consumer->told = consumer->next;
    lt_store_say(store, producer->id, producer, LT_STORE_CUMULATIVE_ACK, consumer->next - 1);
}

void lt_store_say_nack_0(leat_broker_store *store, const struct lt_entity *receiver)
{
    lt_store_begin_command(store, LT_STORE_NACK, 0, receiver);
    lt_broker_put_varbyte(&store->message, 1);
    lt_put_u64be(&store->message, 0);
    lt_store_send(store, receiver == NULL ? NULL : receiver->id);
}

void lt_store_answer(leat_broker_store *store, const struct lt_entity *producer,
                     struct lt_consumer *consumer)
{
    uint64_t numbers[LT_CHANNEL_NACKED];
    size_t count, i;

    switch (lt_consumer_tick(consumer)) {
    case LT_CHANNEL_ACK:
        lt_store_acknowledge(store, producer, consumer);
        break;
    case LT_CHANNEL_NACKING:
        count = lt_consumer_missing(consumer, numbers);
        lt_store_begin_command(store, LT_STORE_NACK, 0, producer);
        lt_broker_put_varbyte(&store->message, (uint32_t)count);
        for (i = 0; i < count; i++)
            lt_put_u64be(&store->message, numbers[i]);
        lt_store_send(store, producer->id);
        break;
    case LT_CHANNEL_NOTHING:
    default:
        break;
    }
}

void lt_store_resend(leat_broker_store *store, const leat_value *seqs, const uint8_t *id,
                     const struct lt_entity *receiver, uint64_t *budget, bool tell)
{
    const leat_value *seq;

    for (seq = leat_value_first(seqs); seq != NULL && *budget > 0;
         seq = leat_value_next(seqs, seq)) {
        uint64_t number = leat_value_u64(seq);
        size_t length;
        const uint8_t *event = lt_producer_event(&store->producer, number, &length);

        if (number > store->producer.seq)
            break; /* it does not exist yet */
        --*budget;
        if (event != NULL) {
            lt_store_post(store, id, event, length);
            store->resent++;
        } else if (tell) {
            lt_store_say(store, id, receiver, LT_STORE_RETRANSMIT_FAILED, number);
        }
    }
}

/* ----- commands that came early ----- */

void lt_store_keep_early(leat_broker_store *store, struct lt_consumer *consumer, uint64_t seq,
                         const leat_value *envelope)
{
    struct lt_writer *out = &store->message;
    struct leat_error error;

    out->length = 0;
    out->status = LEAT_OK;
    /* What cannot be written comes again, and is judged in its turn. */
    if (lt_broker_write_message(lt_broker_message(LT_BROKER_COMMAND), out, envelope, &error) ==
            LEAT_OK &&
        out->status == LEAT_OK)
        (void)lt_consumer_keep(consumer, &store->allocator, seq, out->data, out->length);
}

bool lt_store_read_early(leat_broker_store *store, const struct lt_early *early,
                         struct lt_command *command, int *status)
{
    struct lt_reader body = lt_reader(early->octets, early->length);
    struct leat_error error;

    *status = LEAT_OK;
    if (early->length == LT_STORE_LOST_BYTES)
        return false;
    lt_tree_clear(&store->command);
    *status = lt_broker_read_message(lt_broker_message(LT_BROKER_COMMAND), body, &store->command,
                                     LT_DEPTH_MAX, &error);
    if (*status != LEAT_OK)
        return false;
    lt_command_read(command, leat_value_get(store->command.cells, "command"));
    return true;
}
