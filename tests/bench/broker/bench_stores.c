/*
 * Data stores, a master and a clone of it whose endpoints are joined in memory: writes, the copy that a
 * clone takes when it attaches, and entries that expire, beside what the same takes without a clone
 * or without a store. The best of several rounds; only ratios mean something.
 */
#include "bench.h"
#include "peers.h"
#include "race.h"

#include <leat/broker.h>
#include <leat/broker_store.h>
#include <leat/buffer.h>
#include <stdio.h>
#include <string.h>

#define ROUNDS  15
#define BATCH   100u    /* writes in a row, before others hear of them */
#define KEYS    1000u   /* that are written again and again */
#define ENTRIES 100000u /* of a large store */
#define NAME    "bench"
#define SECOND  INT64_C(1000000000)

struct stores {
    leat_broker *brokers[2];
    struct joint joint;
    leat_broker_store *master;
    leat_broker_store *clone; /* NULL: none */
    leat_builder *key, *value;
    uint64_t now_ms;
    uint64_t written;
    uint64_t others; /* the number of the second endpoint */
};

static void set(leat_builder *b, const char *what, uint64_t number)
{
    char text[48];
    int length = snprintf(text, sizeof text, "%s%08llu", what, (unsigned long long)number);

    leat_builder_clear(b);
    check(leat_builder_text(b, NULL, text, (size_t)length));
}

static void put(struct stores *s, leat_broker_store *store, uint64_t key, int64_t expiry_ns)
{
    set(s->key, "key-", key);
    set(s->value, "the value number ", s->written++);
    check(leat_broker_store_put(store, leat_builder_value(s->key), leat_builder_value(s->value),
                                expiry_ns));
}

/* Takes what a store tells. */
static void listen_to(leat_broker_store *store)
{
    const leat_event *event;

    while (store != NULL && leat_broker_store_next(store, &event) == LEAT_OK) {
        if (leat_event_kind(event) == LEAT_BROKER_STORE_ERROR)
            die("a store has an error");
    }
}

/* Until nobody has anything to say. */
static void settle_all(struct stores *s)
{
    settle(&s->joint);
    listen_to(s->master);
    listen_to(s->clone);
}

static void pass(struct stores *s, uint64_t ms)
{
    s->now_ms += ms;
    leat_broker_tick(s->brokers[0], s->now_ms);
    leat_broker_tick(s->brokers[1], s->now_ms);
    settle_all(s);
}

/* All that such a store tells of its first entries may wait. */
static leat_broker_store_options options(void)
{
    leat_broker_store_options made;

    leat_broker_store_options_init(&made, sizeof made);
    made.event_bytes = (uint64_t)64 << 20;
    return made;
}

static void add_clone(struct stores *s)
{
    const leat_broker_store_options own = options();
    leat_broker_store_stats stats = {.size = sizeof stats};
    unsigned seconds = 0;

    check(leat_broker_store_clone(s->brokers[1], NAME, strlen(NAME), &own, &s->clone));
    do {
        settle_all(s);
        check(leat_broker_store_get_stats(s->clone, &stats));
        if (stats.attached == 0 && seconds++ > 60)
            die("the clone does not attach");
        if (stats.attached == 0)
            pass(s, 1000);
    } while (stats.attached == 0);
}

static void open_stores(struct stores *s, bool with_clone)
{
    const leat_broker_store_options own = options();

    memset(s, 0, sizeof *s);
    check(leat_builder_new(NULL, &s->key));
    check(leat_builder_new(NULL, &s->value));
    s->brokers[0] = open_endpoint(NULL, NULL, 0);
    s->brokers[1] = open_endpoint(NULL, NULL, ++s->others);
    check(leat_broker_store_master(s->brokers[0], NAME, strlen(NAME), &own, &s->master));
    join(s->brokers[0], s->brokers[1], &s->joint);
    if (with_clone)
        add_clone(s);
}

static void close_stores(struct stores *s)
{
    leat_broker_store_free(s->clone);
    leat_broker_store_free(s->master);
    leat_session_free(s->joint.near);
    leat_session_free(s->joint.far);
    leat_broker_free(s->brokers[0]);
    leat_broker_free(s->brokers[1]);
    leat_builder_free(s->key);
    leat_builder_free(s->value);
}

static void fill(struct stores *s, int64_t expiry_ns)
{
    uint64_t i;

    for (i = 0; i < ENTRIES; i++) {
        put(s, s->master, i, expiry_ns);
        if (i % BATCH == 0)
            settle_all(s);
    }
    settle_all(s);
}

/* ----- writes ----- */

static void put_at_master(void *context)
{
    struct stores *s = (struct stores *)context;
    unsigned i;

    for (i = 0; i < BATCH; i++)
        put(s, s->master, s->written % KEYS, LEAT_BROKER_FOR_EVER);
    pass(s, 1);
}

static void put_at_clone(void *context)
{
    struct stores *s = (struct stores *)context;
    unsigned i;

    for (i = 0; i < BATCH; i++)
        put(s, s->clone, s->written % KEYS, LEAT_BROKER_FOR_EVER);
    pass(s, 1);
}

/* The same octets published as data: what messages cost that are no commands of a store. */
static void publish(void *context)
{
    struct stores *s = (struct stores *)context;
    unsigned i;

    for (i = 0; i < BATCH; i++) {
        set(s->key, "key-", s->written % KEYS);
        set(s->value, "the value number ", s->written++);
        check(leat_broker_publish(s->brokers[0], "/bench", 6, leat_builder_value(s->value)));
    }
    pass(s, 1);
}

static void bench_puts(void)
{
    struct stores alone, both, at_clone, none;
    struct runner runners[] = {
        {"put at a master with a clone", put_at_master, &both, 0},
        {"put at that clone", put_at_clone, &at_clone, 0},
        {"put at a master without one", put_at_master, &alone, 0},
        {"published as data", publish, &none, 0},
    };

    open_stores(&alone, false);
    open_stores(&both, true);
    open_stores(&at_clone, true);
    open_stores(&none, false);
    subscribe(none.brokers[1], "/bench");
    settle_all(&none);
    race(runners, sizeof runners / sizeof *runners, ROUNDS, 100);
    (void)printf("  writes, until all have done and told them\n");
    print_race(runners, sizeof runners / sizeof *runners, BATCH, "write");
    if (leat_broker_store_count(both.clone) != KEYS ||
        leat_broker_store_count(at_clone.master) != KEYS)
        die("a store without its entries");
    close_stores(&alone);
    close_stores(&both);
    close_stores(&at_clone);
    close_stores(&none);
}

/* ----- a large store ----- */

struct table {
    leat_builder *builder;
    leat_builder *reader;
    leat_buffer *octets;
};

/* Always one of another endpoint, as a master gives no endpoint many copies in a row. */
static void attach(void *context)
{
    struct stores *s = (struct stores *)context;

    leat_broker_store_free(s->clone);
    leat_session_free(s->joint.near);
    leat_session_free(s->joint.far);
    leat_broker_free(s->brokers[1]);
    s->brokers[1] = open_endpoint(NULL, NULL, ++s->others);
    join(s->brokers[0], s->brokers[1], &s->joint);
    add_clone(s);
    if (leat_broker_store_count(s->clone) != ENTRIES)
        die("a clone without its entries");
}

/* The same entries as one value, written and read. */
static void write_and_read(void *context)
{
    struct table *table = (struct table *)context;
    size_t length;
    const void *octets;

    leat_buffer_clear(table->octets);
    check(leat_broker_write(table->octets, leat_builder_value(table->builder)));
    octets = leat_buffer_data(table->octets, &length);
    leat_builder_clear(table->reader);
    check(leat_broker_read(table->reader, NULL, octets, length));
}

static void make_table(struct table *table, struct stores *s)
{
    uint64_t i;

    check(leat_builder_new(NULL, &table->builder));
    check(leat_builder_new(NULL, &table->reader));
    check(leat_buffer_new(NULL, &table->octets));
    check(leat_builder_open(table->builder, NULL, LEAT_TABLE));
    for (i = 0; i < ENTRIES; i++) {
        set(s->key, "key-", i);
        set(s->value, "the value number ", i);
        check(leat_builder_copy(table->builder, NULL, leat_builder_value(s->key)));
        check(leat_builder_copy(table->builder, NULL, leat_builder_value(s->value)));
    }
    check(leat_builder_close(table->builder));
}

static void bench_attaching(void)
{
    struct stores s;
    struct table table;
    struct runner runners[] = {
        {"a clone attaches", attach, &s, 0},
        {"such a table, written and read", write_and_read, &table, 0},
    };

    open_stores(&s, false);
    make_table(&table, &s);
    fill(&s, LEAT_BROKER_FOR_EVER);
    race(runners, 2, 5, 1);
    (void)printf("  a store of %u entries: %.1f ms; %zu octets of memory each, at a clone %zu\n",
                 ENTRIES, runners[0].best * 1e3, leat_broker_store_memory(s.master) / ENTRIES,
                 leat_broker_store_memory(s.clone) / ENTRIES);
    print_race(runners, 2, ENTRIES, "entry");
    close_stores(&s);
    leat_builder_free(table.builder);
    leat_builder_free(table.reader);
    leat_buffer_free(table.octets);
}

/* Also at the clone, which may have to ask again for what an endpoint's queue has no room for. */
static void wait_until_empty(struct stores *s)
{
    unsigned seconds;

    settle_all(s);
    for (seconds = 0; leat_broker_store_count(s->master) != 0 ||
                      (s->clone != NULL && leat_broker_store_count(s->clone) != 0);
         seconds++) {
        if (seconds > 120)
            die("entries that are still there");
        pass(s, 1000);
    }
}

/* What is done with all entries, from first to last. */
static double expire_all(struct stores *s)
{
    double start;

    fill(s, SECOND);
    start = cpu();
    pass(s, 1500);
    wait_until_empty(s);
    return cpu() - start;
}

static double erase_all(struct stores *s)
{
    double start;
    uint64_t i;

    fill(s, LEAT_BROKER_FOR_EVER);
    start = cpu();
    for (i = 0; i < ENTRIES; i++) {
        set(s->key, "key-", i);
        check(leat_broker_store_erase(s->master, leat_builder_value(s->key)));
        if (i % BATCH == 0)
            settle_all(s);
    }
    wait_until_empty(s);
    return cpu() - start;
}

static void bench_expiring(bool with_clone)
{
    double expired = 1e9, erased = 1e9, took;
    struct stores s;
    int round;

    open_stores(&s, with_clone);
    for (round = 0; round < 5; round++) {
        took = expire_all(&s);
        expired = took < expired ? took : expired;
        took = erase_all(&s);
        erased = took < erased ? took : erased;
    }
    (void)printf("  %u entries expire at once, %s clone: %.1f ms, %.1f ns each; erased one by one "
                 "%.1f ns each: %.2f\n",
                 ENTRIES, with_clone ? "with a" : "no", expired * 1e3, expired / ENTRIES * 1e9,
                 erased / ENTRIES * 1e9, expired / erased);
    close_stores(&s);
}

int main(void)
{
    (void)printf("data stores, without sockets\n");
    bench_puts();
    bench_attaching();
    bench_expiring(false);
    bench_expiring(true);
    return 0;
}
