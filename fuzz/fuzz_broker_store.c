/*
 * A master and a clone at two endpoints, frames between them that get lost, writes at both, time, and
 * a third endpoint that says any commands to either. In the end nothing is lost for a minute: a clone
 * that is attached to the master then equals it, and nothing waits.
 *
 * A script: of each step the first octet tells what is done, those behind it with what.
 */
#include "../lib/broker/store.h"

#include "broker.h"
#include "input.h"

#include <leat/broker_store.h>

enum step { WRITE_MASTER, WRITE_CLONE, TICK, LOSE, TO_MASTER, TO_CLONE, CUT, ANEW, STEPS };

struct pair {
    leat_broker *brokers[2]; /* the master's, the clone's */
    leat_broker_store *stores[2];
    leat_session *sessions[2];
    uint64_t now_ms;
    unsigned losing; /* so many frames to come with commands get lost */
};

/* ----- what the two say to each other ----- */

/* Delivers the output of one side frame by frame. */
static bool move(struct pair *p, unsigned from)
{
    leat_session *session = p->sessions[from], *other = p->sessions[!from];
    const leat_event *event;
    size_t length, at = 0, frame;
    const uint8_t *data = (const uint8_t *)leat_send_data(session, &length);
    uint8_t *copy;

    if (length == 0)
        return false;
    copy = (uint8_t *)malloc(length);
    must(copy != NULL);
    memcpy(copy, data, length);
    must(leat_send_done(session, length) == LEAT_OK);
    for (; at < length; at += frame) {
        frame = 4 + lt_load_u32be(copy + at);
        must(frame <= length - at);
        if (p->losing > 0 && frame > 4 + LT_BROKER_TYPE_AT &&
            copy[at + 4 + LT_BROKER_TYPE_AT] == LT_BROKER_COMMAND) {
            p->losing--;
            continue;
        }
        if ((leat_wants(other) & LEAT_WANT_READ) != 0)
            must(leat_feed(other, copy + at, frame) == LEAT_OK);
        while (leat_next(other, &event) == LEAT_OK)
            ;
    }
    free(copy);
    return true;
}

static void talk(struct pair *p)
{
    const leat_event *event;
    bool some = true;

    while (some) {
        some = move(p, 0);
        some |= move(p, 1);
        while (leat_next(p->sessions[0], &event) == LEAT_OK ||
               leat_next(p->sessions[1], &event) == LEAT_OK)
            some = true;
    }
}

static void join(struct pair *p)
{
    leat_session_free(p->sessions[0]);
    leat_session_free(p->sessions[1]);
    must(leat_broker_accept(p->brokers[0], "b", 1, &p->sessions[0]) == LEAT_OK);
    must(leat_broker_peer(p->brokers[1], "a", 1, 0) == LEAT_OK);
    must(leat_broker_connect(p->brokers[1], &p->sessions[1]) == LEAT_OK);
    talk(p);
}

static void pass(struct pair *p, uint64_t ms)
{
    uint64_t until = p->now_ms + ms;
    const leat_event *event;
    unsigned i;

    while (p->now_ms < until) {
        p->now_ms += until - p->now_ms < 100 ? until - p->now_ms : 100;
        for (i = 0; i < 2; i++) {
            leat_broker_tick(p->brokers[i], p->now_ms);
            while (leat_broker_store_next(p->stores[i], &event) == LEAT_OK)
                ;
            while (leat_broker_next(p->brokers[i], &event) == LEAT_OK)
                ;
        }
        talk(p);
    }
}

/* ----- steps ----- */

static void make_store(struct pair *p, unsigned side)
{
    leat_broker_store_options options;

    leat_broker_store_options_init(&options, sizeof options);
    options.entries = 12;
    options.bytes = 600;
    options.clones = 3;
    options.buffered = 16;
    options.buffered_bytes = 4096;
    options.early = 4;
    options.early_bytes = 1000;
    options.event_bytes = 2000;
    options.attach_ms = 0;
    must((side == 0 ? leat_broker_store_master : leat_broker_store_clone)(
             p->brokers[side], "s", 1, &options, &p->stores[side]) == LEAT_OK);
}

static void write_some(struct pair *p, unsigned side, struct input *input)
{
    leat_broker_store *store = p->stores[side];
    unsigned what = take(input), number = take(input);
    leat_value key = {.kind = LEAT_UINT}, value = {.kind = LEAT_UINT};
    int64_t expiry = (what & 0x80) != 0 ? (int64_t)number * 100000000 : LEAT_BROKER_FOR_EVER;

    key.u.u64 = what >> 3 & 7;
    value.u.u64 = number;
    switch (what & 7) {
    case 0:
        (void)leat_broker_store_put(store, &key, &value, expiry);
        break;
    case 1:
        (void)leat_broker_store_put_unique(store, &key, &value, expiry, number);
        break;
    case 2:
        (void)leat_broker_store_erase(store, &key);
        break;
    case 3:
        (void)leat_broker_store_increment(store, &key, &value, expiry);
        break;
    case 4:
        (void)leat_broker_store_decrement(store, &key, &value, expiry);
        break;
    case 5:
        (void)leat_broker_store_push(store, &key, &value, expiry);
        break;
    case 6:
        (void)leat_broker_store_insert_into_set(store, &key, &value, expiry);
        break;
    default:
        (void)leat_broker_store_clear(store);
        break;
    }
    talk(p);
}

/* A command of the third endpoint: what is behind its header, and to whom, is the script's. */
static void say(struct pair *p, unsigned side, struct input *input)
{
    static const uint8_t stranger[16] = {3, 3, 3};
    const leat_allocator allocator = lt_allocator(NULL);
    const struct lt_entity *self = &p->stores[side]->self;
    const char *topic = side == 0 ? "s/<$>/data/master" : "s/<$>/data/clone";
    struct lt_writer out = lt_writer(&allocator, SIZE_MAX);
    unsigned seq = take(input), how = take(input);
    size_t length = take_length(input);
    struct leat_error error;
    struct lt_tree tree;

    lt_put_bytes(&out, stranger, 16);
    lt_put_bytes(&out, self->id, 16);
    lt_put_u8(&out, LT_BROKER_COMMAND);
    lt_put_u16be(&out, 16);
    lt_put_u16be(&out, (uint16_t)strlen(topic));
    lt_put_text(&out, topic);
    lt_put_u64be(&out, seq == 255 ? UINT64_MAX : seq);
    lt_put_bytes(&out, (how & 4) != 0 ? p->brokers[!side]->options.id : stranger, 16);
    lt_put_u64be(&out, 1 + (how & 1));
    if ((how & 2) != 0) {
        lt_put_bytes(&out, self->id, 16);
        lt_put_u64be(&out, self->object);
    } else {
        memset(lt_put(&out, 24), 0, 24);
    }
    lt_put_bytes(&out, input->at, length);
    input->at += length;
    input->left -= length;
    lt_tree_init(&tree, &allocator, 4096);
    if (lt_broker_read_message(lt_broker_message(LT_BROKER_COMMAND),
                               lt_reader(out.data, out.length), &tree, LT_DEPTH_MAX,
                               &error) == LEAT_OK)
        must(lt_stores_take(p->brokers[side], tree.cells));
    lt_tree_free(&tree);
    lt_writer_free(&out);
    talk(p);
}

/* ----- the truth ----- */

static void compare(const struct pair *p)
{
    const leat_broker_store *master = p->stores[0], *clone = p->stores[1];
    const struct lt_entry *a = lt_entries_after(&master->entries, NULL, 0);
    const struct lt_entry *b = lt_entries_after(&clone->entries, NULL, 0);

    if (clone->state != LT_CLONE_ATTACHED || memcmp(clone->master.id, master->self.id, 16) != 0)
        return;
    must(lt_entity_equal(&clone->master, &master->self) && !clone->away);
    must(lt_fifo_count(&clone->producer.events) == 0 && clone->consumer.count == 0);
    for (; a != NULL && b != NULL; a = lt_entry_next(a), b = lt_entry_next(b))
        must(a->key_length == b->key_length && a->value_length == b->value_length &&
             memcmp(a->key, b->key, a->key_length) == 0 &&
             memcmp(a->value, b->value, a->value_length) == 0);
    must(a == NULL && b == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    struct pair p = {.now_ms = 1000};
    leat_broker_options options;
    unsigned i, steps = 0;

    leat_broker_options_init(&options, sizeof options);
    for (i = 0; i < 2; i++) {
        memset(options.id, (int)i + 1, sizeof options.id);
        must(leat_broker_new(NULL, &options, &p.brokers[i]) == LEAT_OK);
        leat_broker_tick(p.brokers[i], p.now_ms);
        make_store(&p, i);
    }
    join(&p);
    while (input.left > 0 && steps++ < 200) {
        switch ((enum step)(take(&input) % STEPS)) {
        case WRITE_MASTER:
            write_some(&p, 0, &input);
            break;
        case WRITE_CLONE:
            write_some(&p, 1, &input);
            break;
        case TICK:
            pass(&p, 20 + 10 * (uint64_t)take(&input));
            break;
        case LOSE:
            p.losing = take(&input) % 16;
            break;
        case TO_MASTER:
            say(&p, 0, &input);
            break;
        case TO_CLONE:
            say(&p, 1, &input);
            break;
        case CUT:
            join(&p);
            break;
        case ANEW:
        case STEPS:
        default:
            i = take(&input) & 1;
            leat_broker_store_free(p.stores[i]);
            make_store(&p, i);
            talk(&p);
            break;
        }
    }
    p.losing = 0;
    pass(&p, 80000);
    compare(&p);
    for (i = 0; i < 2; i++) {
        leat_broker_store_free(p.stores[i]);
        leat_session_free(p.sessions[i]);
        leat_broker_free(p.brokers[i]);
    }
    return 0;
}
