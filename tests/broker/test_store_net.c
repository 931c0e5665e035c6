/* Masters and clones at endpoints that are joined: attaching, losing, finding again. */
#include "net.h"
#include "stores.h"

#include <leat/broker.h>
#include <stdio.h>

#define EVER LEAT_BROKER_FOR_EVER

/* A master at n0 and clones at all others, each of which connects to n0. */
struct stores {
    struct net net;
    leat_broker_store *store[4];
    size_t count;
    /* Loss: of each frame that carries a command, with this chance in 256. */
    unsigned loss;
    uint64_t seed;
    bool deaf[4]; /* this one gets no commands at all */
    size_t lost, passed;
    size_t tags[16]; /* commands that passed, by tag */
};

static uint64_t draw(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static bool keep(void *context, size_t from, size_t to, const uint8_t *body, size_t length)
{
    struct stores *s = (struct stores *)context;
    size_t tag;

    (void)from;
    if (length < 37 || body[32] != 2)
        return true;
    if (s->deaf[to] || (draw(&s->seed) & 255) < s->loss) {
        s->lost++;
        return false;
    }
    tag = body[37 + (size_t)body[36] + 56];
    s->passed++;
    s->tags[tag & 15]++;
    return true;
}

static void make(struct stores *s, size_t count)
{
    memset(s, 0, sizeof *s);
    net_init(&s->net);
    s->net.now_ms = 1000;
    s->net.keep = keep;
    s->net.context = s;
    s->net.quiet = true;
    s->seed = 0x9e3779b97f4a7c15u;
    for (; s->count < count; s->count++)
        (void)net_add(&s->net, NULL);
}

static void done(struct stores *s)
{
    size_t i;

    for (i = 0; i < s->count; i++)
        leat_broker_store_free(s->store[i]);
    net_free(&s->net);
}

static leat_broker_store_options defaults(void)
{
    leat_broker_store_options options;

    leat_broker_store_options_init(&options, sizeof options);
    return options;
}

static void master(struct stores *s, size_t node, const leat_broker_store_options *options)
{
    ck_assert_int_eq(
        leat_broker_store_master(net_broker(&s->net, node), "s", 1, options, &s->store[node]),
        LEAT_OK);
}

static void clone(struct stores *s, size_t node, const leat_broker_store_options *options)
{
    ck_assert_int_eq(
        leat_broker_store_clone(net_broker(&s->net, node), "s", 1, options, &s->store[node]),
        LEAT_OK);
}

/* A master and its clones, attached, and nothing to tell. */
static void attached(struct stores *s, size_t count)
{
    size_t i;

    make(s, count);
    master(s, 0, NULL);
    for (i = 1; i < count; i++) {
        net_peer(&s->net, i, 0, 1);
        clone(s, i, NULL);
    }
    net_advance(&s->net, 1000);
    for (i = 0; i < count; i++) {
        ck_assert_uint_eq(st_stats(s->store[i]).attached, i == 0 ? count - 1 : 1);
        free(st_log(s->store[i]));
    }
}

static void all_hold(struct stores *s, const char *table)
{
    size_t i;

    for (i = 0; i < s->count; i++) {
        if (s->store[i] != NULL)
            st_holds(s->store[i], table);
    }
}

/* All hold what the master holds. */
static void converged(struct stores *s)
{
    char *table = st_dump(s->store[0]);

    all_hold(s, table);
    free(table);
}

/* ----- attaching ----- */

START_TEST(a_clone_gets_a_copy)
{
    struct stores s;

    make(&s, 2);
    master(&s, 0, NULL);
    (void)st_put(s.store[0], "\"a\"", "{c1,[c2]}", EVER);
    (void)st_put(s.store[0], "[c1]", "n", EVER);
    free(st_log(s.store[0]));
    net_peer(&s.net, 1, 0, 0);
    net_advance(&s.net, 10);
    clone(&s, 1, NULL);
    net_run(&s.net);
    st_told(s.store[0], "attached n1/1");
    st_told(s.store[1], "insert \"a\" {c1,[c2]} n0/1; insert [c1] n n0/1; attached n0/1");
    all_hold(&s, "<\"a\":{c1,[c2]},[c1]:n>");
    ck_assert_uint_eq(st_stats(s.store[1]).attached, 1);
    ck_assert_uint_eq(st_stats(s.store[0]).attached, 1);
    done(&s);
}
END_TEST

/* Whichever comes first: the peering, the master or the clone. */
START_TEST(in_any_order)
{
    struct stores s;
    int step;

    make(&s, 2);
    for (step = 0; step < 3; step++) {
        int what = (step + _i) % 3;

        if (_i >= 3)
            what = 2 - what;
        if (what == 0)
            net_peer(&s.net, 1, 0, 1);
        else if (what == 1)
            master(&s, 0, NULL);
        else
            clone(&s, 1, NULL);
        net_advance(&s.net, 450);
    }
    ck_assert_uint_eq(st_stats(s.store[1]).attached, 1);
    (void)st_put(s.store[1], "c1", "c1", EVER);
    net_advance(&s.net, 50);
    all_hold(&s, "<c1:c1>");
    done(&s);
}
END_TEST

START_TEST(writes_before_attaching_are_kept)
{
    struct stores s;

    make(&s, 2);
    clone(&s, 1, NULL);
    ck_assert_int_eq(st_put(s.store[1], "c1", "c1", EVER), LEAT_OK);
    ck_assert_int_eq(st_add(s.store[1], "c1", "c4", LEAT_UINT), LEAT_OK);
    ck_assert_int_eq(st_unique(s.store[1], "c1", "c4", 77), LEAT_OK);
    st_holds(s.store[1], "<>");
    ck_assert_uint_eq(st_stats(s.store[1]).buffered, 3);
    net_peer(&s.net, 1, 0, 1);
    master(&s, 0, NULL);
    net_advance(&s.net, 100);
    st_told(s.store[0], "attached n1/1; insert c1 c1 n1/1; update c1 c1 c5 n1/1");
    st_told(s.store[1], "attached n0/1; insert c1 c1 n1/1; update c1 c1 c5 n1/1; "
                        "put_unique_result b0 c77");
    all_hold(&s, "<c1:c5>");
    net_advance(&s.net, 600);
    ck_assert_uint_eq(st_stats(s.store[1]).buffered, 0);
    ck_assert_uint_eq(st_stats(s.store[0]).buffered, 0);
    done(&s);
}
END_TEST

START_TEST(no_such_master)
{
    struct stores s;
    leat_broker_store_options options = defaults();

    make(&s, 2);
    if (_i == 1)
        options.attach_ms = 0;
    if (_i == 2)
        options.attach_ms = 300;
    clone(&s, 1, &options);
    net_peer(&s.net, 1, 0, 1);
    net_advance(&s.net, _i == 2 ? 299 : 9999);
    st_told(s.store[1], "");
    net_advance(&s.net, 1);
    st_told(s.store[1],
            _i == 1 ? "" : "error c8 \"no_such_master\" n \"no master was found in time\"");
    ck_assert_int_eq(st_put(s.store[1], "c1", "c1", EVER), _i == 1 ? LEAT_OK : LEAT_E_STATE);
    master(&s, 0, NULL);
    net_advance(&s.net, 20000);
    ck_assert_uint_eq(st_stats(s.store[1]).attached, _i == 1);
    st_told(s.store[1], _i == 1 ? "attached n0/1; insert c1 c1 n1/1" : "");
    done(&s);
}
END_TEST

START_TEST(a_second_master_is_refused)
{
    struct stores s;
    leat_broker_store *other;

    make(&s, 3);
    master(&s, 0, NULL);
    net_peer(&s.net, 1, 0, 0);
    net_subscribe(&s.net, 2, "");
    net_peer(&s.net, 1, 2, 0);
    net_advance(&s.net, 10);
    ck_assert_int_eq(leat_broker_store_master(net_broker(&s.net, 1), "s", 1, NULL, &other),
                     LEAT_E_STATE);
    ck_assert_str_eq(leat_error_text(leat_broker_error(net_broker(&s.net, 1))),
                     "master_exists: a peer has this master");
    /* Another name may be, also if somebody subscribes to all; and this one, where it is not known. */
    ck_assert_int_eq(leat_broker_store_master(net_broker(&s.net, 1), "t", 1, NULL, &other),
                     LEAT_OK);
    leat_broker_store_free(other);
    ck_assert_int_eq(leat_broker_store_master(net_broker(&s.net, 2), "s", 1, NULL, &other),
                     LEAT_OK);
    leat_broker_store_free(other);
    done(&s);
}
END_TEST

/* ----- in touch ----- */

START_TEST(all_that_clones_can_do)
{
    struct stores s;
    leat_builder *k = st_value("\"c\"");

    attached(&s, 3);
    (void)st_put(s.store[1], "\"a\"", "c1", EVER);
    (void)st_put(s.store[0], "\"m\"", "c2", EVER);
    net_run(&s.net);
    (void)st_add(s.store[2], "\"a\"", "c5", LEAT_UINT);
    (void)st_unique(s.store[1], "\"m\"", "c9", 1);
    (void)st_unique(s.store[1], "\"u\"", "c9", 2);
    (void)st_unique(s.store[0], "\"u\"", "c9", 3);
    (void)leat_broker_store_push(s.store[2], leat_builder_value(k), NULL, EVER);
    net_run(&s.net);
    (void)st_subtract(s.store[1], "\"a\"", "c2");
    (void)st_subtract(s.store[1], "\"nobody\"", "c2");
    (void)st_add(s.store[1], "\"u\"", "i1", LEAT_INT);
    (void)st_add(s.store[1], "\"u\"", "i1", LEAT_BOOL);
    (void)st_erase(s.store[2], "\"m\"");
    (void)st_erase(s.store[2], "\"nobody\"");
    net_run(&s.net);
    all_hold(&s, "<\"a\":c4,\"c\":[n],\"u\":c9>");
    (void)leat_broker_store_clear(s.store[2]);
    net_run(&s.net);
    all_hold(&s, "<>");
    st_told(s.store[1], "insert \"m\" c2 n0/1; insert \"a\" c1 n1/1; insert \"u\" c9 n0/1; "
                        "update \"a\" c1 c6 n2/1; insert \"c\" [n] n2/1; put_unique_result b0 c1; "
                        "put_unique_result b0 c2; erase \"m\" n2/1; update \"a\" c6 c4 n1/1; "
                        "erase \"a\" n2/1; erase \"c\" n2/1; erase \"u\" n2/1");
    leat_builder_free(k);
    done(&s);
}
END_TEST

/* What a master refuses is told there, and changes nothing anywhere. */
START_TEST(refused_writes_are_told_at_the_master)
{
    struct stores s;
    leat_broker_store_options options = defaults();

    make(&s, 2);
    options.entries = 1;
    master(&s, 0, &options);
    net_peer(&s.net, 1, 0, 0);
    clone(&s, 1, NULL);
    net_advance(&s.net, 100);
    (void)st_put(s.store[1], "c1", "c1", EVER);
    net_run(&s.net);
    free(st_log(s.store[0]));
    (void)st_subtract(s.store[1], "c2", "c1");
    (void)st_add(s.store[1], "c1", "i1", LEAT_INT);
    (void)st_put(s.store[1], "c2", "c1", EVER);
    net_run(&s.net);
    st_told(s.store[0], "error c9 \"no_such_key\" c2 \"no such key\"; "
                        "error c11 \"type_clash\" c1 \"it does not fit what is there\"; "
                        "error c13 \"backend_failure\" c2 \"over the limits of the store\"");
    all_hold(&s, "<c1:c1>");
    ck_assert_uint_eq(st_stats(s.store[0]).refused, 3);
    /* They count as done, and what comes behind them is. */
    (void)st_put(s.store[1], "c1", "c2", EVER);
    net_run(&s.net);
    all_hold(&s, "<c1:c2>");
    net_advance(&s.net, 1000);
    ck_assert_uint_eq(st_stats(s.store[1]).buffered, 0);
    done(&s);
}
END_TEST

START_TEST(expiry)
{
    struct stores s;
    leat_builder *k = st_value("c2"), *v = st_value("c1");

    attached(&s, 2);
    (void)st_put(s.store[1], "c1", "c1", 500000000);
    (void)leat_broker_store_add(s.store[1], leat_builder_value(k), leat_builder_value(v), LEAT_UINT,
                                700000000);
    net_run(&s.net);
    st_holds(s.store[0], "<c1:c1@500,c2:c1@700>");
    st_holds(s.store[1], "<c1:c1,c2:c1>");
    st_told(s.store[1], "insert c1 c1 i500000000 n1/1; insert c2 c1 n1/1");
    net_advance(&s.net, 499);
    ck_assert_uint_eq(leat_broker_store_count(s.store[0]), 2);
    net_advance(&s.net, 1);
    st_told(s.store[1], "expire c1 n0/1");
    (void)st_put(s.store[1], "c2", "c2", EVER);
    net_advance(&s.net, 5000);
    all_hold(&s, "<c2:c2>");
    leat_builder_free(k);
    leat_builder_free(v);
    done(&s);
}
END_TEST

/* What it costs to be in touch: five messages a second each way and clone, none without a clone. */
START_TEST(idle_costs_little)
{
    struct stores s;
    size_t before;

    attached(&s, 3);
    before = s.passed;
    net_advance(&s.net, 10000);
    ck_assert_uint_eq(s.passed - before, 2 * (20 + 20 + 20 + 20));
    leat_broker_store_free(s.store[1]);
    leat_broker_store_free(s.store[2]);
    s.store[1] = s.store[2] = NULL;
    net_advance(&s.net, 49000);
    ck_assert_uint_eq(st_stats(s.store[0]).attached, 2);
    net_advance(&s.net, 2000);
    ck_assert_uint_eq(st_stats(s.store[0]).attached, 0);
    before = s.passed;
    ck_assert_uint_eq(leat_broker_deadline(net_broker(&s.net, 0)), UINT64_MAX);
    net_advance(&s.net, 10000);
    ck_assert_uint_eq(s.passed, before);
    done(&s);
}
END_TEST

/* A clone that reaches its master through another endpoint only, which forwards. */
START_TEST(through_a_third)
{
    struct stores s;
    leat_broker_options options;
    size_t i;

    make(&s, 1);
    leat_broker_options_init(&options, sizeof options);
    options.forwarding = 1;
    (void)net_add(&s.net, &options);
    (void)net_add(&s.net, NULL);
    s.count = 3;
    for (i = 0; i < 3; i += 2)
        net_peer(&s.net, i, 1, 1);
    ck_assert_int_eq(leat_broker_forward(net_broker(&s.net, 1), "s/", 2), LEAT_OK);
    master(&s, 0, NULL);
    clone(&s, 2, NULL);
    net_advance(&s.net, 500);
    (void)st_put(s.store[0], "c1", "c1", EVER);
    (void)st_put(s.store[2], "c2", "c1", EVER);
    net_advance(&s.net, 1000);
    all_hold(&s, "<c1:c1,c2:c1>");
    ck_assert_uint_eq(st_stats(s.store[2]).buffered, 0);
    done(&s);
}
END_TEST

/* As deep as values of a store may be: in a copy and in an event. */
START_TEST(deep_values)
{
    struct stores s;
    char deep[256] = "";

    make(&s, 2);
    memset(deep, '[', 120);
    memset(deep + 120, ']', 120);
    master(&s, 0, NULL);
    ck_assert_int_eq(st_put(s.store[0], deep, deep, EVER), LEAT_OK);
    net_peer(&s.net, 1, 0, 1);
    clone(&s, 1, NULL);
    net_advance(&s.net, 500);
    ck_assert_int_eq(st_put(s.store[1], "c1", deep, EVER), LEAT_OK);
    net_advance(&s.net, 500);
    ck_assert_uint_eq(leat_broker_store_count(s.store[1]), 2);
    converged(&s);
    done(&s);
}
END_TEST

/* A copy that no message holds is not sent; the master tells of it. */
START_TEST(copy_and_message)
{
    struct stores s;
    leat_limits limits;
    leat_config config;
    char text[1024] = "\"";
    size_t length, around = 37 + strlen("s/<$>/data/master") + 57 + 8 + 2 + 1;

    leat_limits_init(&limits, sizeof limits);
    limits.message_bytes = 2000;
    leat_config_init(&config, sizeof config);
    config.limits = &limits;
    /* Two texts: their keys, types, lengths and octets fill the message, or are one too many. */
    length = (2000 - around - 2 * (9 + 3)) / 2;
    memset(text + 1, 'x', length);
    text[length + 1] = '"';
    memset(&s, 0, sizeof s);
    make(&s, 0);
    s.net.config = &config;
    for (; s.count < 2; s.count++)
        (void)net_add(&s.net, NULL);
    master(&s, 0, NULL);
    ck_assert_int_eq(st_put(s.store[0], "c1", text, EVER), LEAT_OK);
    if (_i == 1)
        memcpy(text + length + 1, "xx\"", 4); /* an odd octet may have been left */
    ck_assert_int_eq(st_put(s.store[0], "c2", text, EVER), LEAT_OK);
    free(st_log(s.store[0]));
    net_peer(&s.net, 1, 0, 1);
    clone(&s, 1, NULL);
    net_advance(&s.net, 300);
    ck_assert_uint_eq(leat_broker_store_count(s.store[1]), _i == 0 ? 2 : 0);
    if (_i == 1)
        st_told(s.store[0], "attached n1/1; error c13 \"backend_failure\" n "
                            "\"a copy of the store is more than a message holds\"; "
                            "error c13 \"backend_failure\" n "
                            "\"a copy of the store is more than a message holds\"");
    done(&s);
}
END_TEST

/* Whoever did not tick for long does not hold it against others. */
START_TEST(who_slept)
{
    struct stores s;
    size_t i;

    attached(&s, 2);
    s.net.now_ms += 3600000;
    for (i = 0; i < 2; i++)
        leat_broker_tick(net_broker(&s.net, i), s.net.now_ms);
    net_advance(&s.net, 2000);
    (void)st_put(s.store[1], "c1", "c1", EVER);
    net_advance(&s.net, 2000);
    all_hold(&s, "<c1:c1>");
    st_told(s.store[0], "insert c1 c1 n1/1");
    ck_assert_uint_eq(st_stats(s.store[1]).started, 1);
    done(&s);
}
END_TEST

/* ----- loss ----- */

/* Random writes of all, counted: each increment must count once. */
static void write_at_random(struct stores *s, size_t *increments)
{
    leat_broker_store *store = s->store[draw(&s->seed) % s->count];
    char key[16], value[64];
    unsigned k = (unsigned)(draw(&s->seed) % 20);

    (void)snprintf(key, sizeof key, "c%u", k);
    (void)snprintf(value, sizeof value, "[c%u,\"%u\"]", k, (unsigned)(draw(&s->seed) % 1000));
    switch (draw(&s->seed) % 6) {
    case 0:
    case 1:
        ck_assert_int_eq(st_put(store, key, value, EVER), LEAT_OK);
        break;
    case 2:
        ck_assert_int_eq(st_put(store, key, value, (int64_t)(draw(&s->seed) % 3000000000)),
                         LEAT_OK);
        break;
    case 3:
        ck_assert_int_eq(st_erase(store, key), LEAT_OK);
        break;
    case 4:
        ck_assert_int_eq(st_unique(store, key, value, 1), LEAT_OK);
        break;
    default:
        ck_assert_int_eq(st_add(store, "\"sum\"", "c1", LEAT_UINT), LEAT_OK);
        ++*increments;
        break;
    }
}

static void check_sum(struct stores *s, size_t increments)
{
    char *sum = st_get(s->store[0], "\"sum\""), text[32];

    (void)snprintf(text, sizeof text, "c%u", (unsigned)increments);
    ck_assert_str_eq(sum, text);
    free(sum);
}

START_TEST(convergence_under_loss)
{
    static const unsigned losses[] = {0, 13, 64, 128, 160};
    struct stores s;
    size_t increments = 0, i;

    attached(&s, 4);
    s.loss = losses[_i % 5];
    s.seed += (uint64_t)_i * 7919;
    for (i = 0; i < 600; i++) {
        write_at_random(&s, &increments);
        net_advance(&s.net, draw(&s.seed) % 40);
    }
    s.loss /= 2;
    net_advance(&s.net, 30000);
    converged(&s);
    check_sum(&s, increments);
    for (i = 0; i < 4; i++) {
        ck_assert_uint_eq(st_stats(s.store[i]).buffered, 0);
        ck_assert_uint_eq(st_stats(s.store[i]).early, 0);
        ck_assert_uint_eq(st_stats(s.store[i]).refused, 0);
        ck_assert_uint_eq(st_stats(s.store[i]).started, i > 0);
    }
    ck_assert_uint_eq(s.tags[13], 0);
    ck_assert((s.lost > 0) == (s.loss > 0));
    done(&s);
}
END_TEST

/* Attaching needs no luck but that something passes now and then. */
START_TEST(attaching_under_loss)
{
    struct stores s;
    size_t i;

    make(&s, 4);
    s.loss = 128;
    s.seed += (uint64_t)_i;
    master(&s, 0, NULL);
    (void)st_put(s.store[0], "c1", "c1", EVER);
    for (i = 1; i < 4; i++) {
        leat_broker_store_options options = defaults();

        options.attach_ms = 0;
        net_peer(&s.net, i, 0, 1);
        clone(&s, i, &options);
        (void)st_put(s.store[i], i == 1 ? "c2" : i == 2 ? "c3" : "c4", "c1", EVER);
    }
    net_advance(&s.net, 60000);
    all_hold(&s, "<c1:c1,c2:c1,c3:c1,c4:c1>");
    done(&s);
}
END_TEST

/* The last event is lost, and there is no other: a keepalive tells of it. */
START_TEST(the_last_event_is_lost)
{
    struct stores s;

    attached(&s, 2);
    s.deaf[1] = true;
    (void)st_put(s.store[0], "c1", "c1", EVER);
    net_run(&s.net);
    s.deaf[1] = false;
    st_holds(s.store[1], "<>");
    net_advance(&s.net, 1000);
    all_hold(&s, "<c1:c1>");
    ck_assert_uint_eq(st_stats(s.store[0]).resent, 1);
    s.deaf[0] = true;
    (void)st_put(s.store[1], "c1", "c2", EVER);
    net_run(&s.net);
    s.deaf[0] = false;
    net_advance(&s.net, 1000);
    all_hold(&s, "<c1:c2>");
    ck_assert_uint_eq(st_stats(s.store[1]).resent, 1);
    done(&s);
}
END_TEST

/* ----- reconnecting ----- */

/* A short loss of the connection is as if nothing had happened: each write is done once. */
START_TEST(reconnecting)
{
    struct stores s;
    size_t increments = 0, i, round;

    attached(&s, 3);
    for (round = 0; round < 10; round++) {
        for (i = 0; i < 30; i++) {
            write_at_random(&s, &increments);
            if (i == 10)
                net_cut(&s.net, 1 + round % 2, 0);
            net_advance(&s.net, draw(&s.seed) % 40);
        }
    }
    net_advance(&s.net, 5000);
    converged(&s);
    check_sum(&s, increments);
    for (i = 1; i < 3; i++)
        ck_assert_uint_eq(st_stats(s.store[i]).started, 1);
    done(&s);
}
END_TEST

START_TEST(away_for)
{
    static const struct {
        uint64_t ms;
        const char *told;
        unsigned started;
    } cases[] = {
        {20000, "detached n0/1; attached n0/1; insert c2 c2 n0/1; insert c1 c1 n1/1", 1},
        {27000, "detached n0/1; insert c2 c2 n0/1; attached n0/1; insert c1 c1 n1/1", 2},
        {70000, "detached n0/1; insert c2 c2 n0/1; attached n0/1; insert c1 c1 n1/1", 2},
    };
    struct stores s;

    attached(&s, 2);
    s.net.nodes[0].listens = false;
    net_cut(&s.net, 1, 0);
    net_advance(&s.net, 1000);
    ck_assert_uint_eq(st_stats(s.store[1]).attached, 0);
    (void)st_put(s.store[1], "c1", "c1", EVER);
    (void)st_put(s.store[0], "c2", "c2", EVER);
    net_advance(&s.net, cases[_i].ms - 1000);
    s.net.nodes[0].listens = true;
    net_advance(&s.net, 3000);
    all_hold(&s, "<c1:c1,c2:c2>");
    st_told(s.store[1], cases[_i].told);
    ck_assert_uint_eq(st_stats(s.store[1]).started, cases[_i].started);
    ck_assert_uint_eq(st_stats(s.store[1]).buffered, 0);
    ck_assert_uint_eq(st_stats(s.store[0]).attached, 1);
    done(&s);
}
END_TEST

START_TEST(the_master_restarts)
{
    struct stores s;

    attached(&s, 3);
    (void)st_put(s.store[1], "c1", "c1", EVER);
    (void)st_put(s.store[1], "c2", "c1", EVER);
    net_advance(&s.net, 1000);
    leat_broker_store_free(s.store[0]);
    s.store[0] = NULL;
    net_kill(&s.net, 0);
    net_advance(&s.net, 2000);
    st_told(s.store[2], "insert c1 c1 n1/1; insert c2 c1 n1/1; detached n0/1");
    (void)st_put(s.store[1], "c3", "c3", EVER);
    st_holds(s.store[1], "<c1:c1,c2:c1>");
    net_restart(&s.net, 0, NULL);
    master(&s, 0, NULL);
    (void)st_put(s.store[0], "c1", "c7", EVER);
    (void)st_put(s.store[0], "c4", "c7", EVER);
    net_advance(&s.net, 3000);
    all_hold(&s, "<c1:c7,c3:c3,c4:c7>");
    st_told(s.store[2],
            "erase c2 n0'/1; update c1 c1 c7 n0'/1; insert c4 c7 n0'/1; attached n0'/1; "
            "insert c3 c3 n1/1");
    done(&s);
}
END_TEST

/* Another master at the same endpoint, and the same name. */
START_TEST(the_master_is_made_anew)
{
    struct stores s;

    attached(&s, 2);
    (void)st_put(s.store[0], "c1", "c1", EVER);
    net_advance(&s.net, 10);
    leat_broker_store_free(s.store[0]);
    if (_i == 0)
        net_advance(&s.net, 2000);
    master(&s, 0, NULL);
    (void)st_put(s.store[0], "c2", "c1", EVER);
    net_advance(&s.net, 2000);
    all_hold(&s, "<c2:c1>");
    ck_assert_uint_eq(st_stats(s.store[1]).started, 2);
    done(&s);
}
END_TEST

START_TEST(the_clone_restarts)
{
    struct stores s;

    attached(&s, 2);
    (void)st_put(s.store[1], "c1", "c1", EVER);
    net_advance(&s.net, 1000);
    leat_broker_store_free(s.store[1]);
    if (_i == 0) {
        net_kill(&s.net, 1);
        net_restart(&s.net, 1, NULL);
        net_peer(&s.net, 1, 0, 1);
    }
    clone(&s, 1, NULL);
    (void)st_put(s.store[1], "c1", "c2", EVER);
    net_advance(&s.net, 1000);
    all_hold(&s, "<c1:c2>");
    ck_assert_uint_eq(st_stats(s.store[0]).attached, _i == 0 ? 2 : 1);
    net_advance(&s.net, 52000);
    ck_assert_uint_eq(st_stats(s.store[0]).attached, 1);
    done(&s);
}
END_TEST

/* ----- limits ----- */

/* A clone that does not answer is dropped when too much waits for it; it takes a new copy then. */
START_TEST(slow_clones_are_dropped)
{
    struct stores s;
    leat_broker_store_options options = defaults();
    unsigned i;

    make(&s, 3);
    if (_i == 0)
        options.buffered = 50;
    else
        options.buffered_bytes = 5000;
    master(&s, 0, &options);
    for (i = 1; i < 3; i++) {
        net_peer(&s.net, i, 0, 1);
        clone(&s, i, NULL);
    }
    net_advance(&s.net, 1000);
    s.deaf[2] = true;
    for (i = 0; i < 200; i++) {
        char value[16];

        (void)snprintf(value, sizeof value, "c%u", i);
        (void)st_put(s.store[0], "c1", value, EVER);
        net_advance(&s.net, 40);
        ck_assert_uint_le(st_stats(s.store[0]).buffered, 50);
        ck_assert_uint_le(st_stats(s.store[0]).buffered_bytes, 5000);
    }
    ck_assert_uint_eq(st_stats(s.store[0]).dropped, 1);
    ck_assert_uint_eq(st_stats(s.store[0]).attached, 1);
    st_holds(s.store[1], "<c1:c199>");
    st_holds(s.store[2], "<>");
    s.deaf[2] = false;
    net_advance(&s.net, 2000);
    all_hold(&s, "<c1:c199>");
    ck_assert_uint_eq(st_stats(s.store[2]).started, 2);
    ck_assert_uint_eq(s.tags[13], 0);
    done(&s);
}
END_TEST

/* One whose own writes make the master tell more than may wait is dropped, too, but gets on each time. */
START_TEST(clones_that_write_too_much_get_on)
{
    struct stores s;
    leat_broker_store_options options = defaults();
    unsigned i;

    make(&s, 2);
    clone(&s, 1, NULL);
    for (i = 0; i < 12; i++) {
        char key[16];

        (void)snprintf(key, sizeof key, "c%u", i);
        ck_assert_int_eq(st_unique(s.store[1], key, "c1", i), LEAT_OK);
    }
    options.buffered = _i == 0 ? 0 : 7;
    master(&s, 0, &options);
    net_peer(&s.net, 1, 0, 1);
    net_advance(&s.net, 30000);
    ck_assert_uint_gt(st_stats(s.store[0]).dropped, 0);
    ck_assert_uint_eq(st_stats(s.store[1]).attached, 1);
    ck_assert_uint_eq(st_stats(s.store[1]).buffered, 0);
    ck_assert_uint_eq(leat_broker_store_count(s.store[0]), 12);
    ck_assert_uint_eq(leat_broker_store_count(s.store[1]), 12);
    done(&s);
}
END_TEST

/* What it has written before it is dropped is not done again. */
START_TEST(clones_that_are_dropped_write_once)
{
    struct stores s;
    leat_broker_store_options options = defaults();
    unsigned i;

    make(&s, 2);
    options.buffered = 8;
    master(&s, 0, &options);
    net_peer(&s.net, 1, 0, 1);
    clone(&s, 1, NULL);
    net_advance(&s.net, 2000);
    for (i = 0; i < 4; i++)
        ck_assert_int_eq(st_add(s.store[1], "c1", "c1", LEAT_UINT), LEAT_OK);
    net_advance(&s.net, 10);
    st_holds(s.store[0], "<c1:c4>");
    for (i = 0; i < 9; i++)
        ck_assert_int_eq(st_put(s.store[0], "c2", "c2", EVER), LEAT_OK);
    ck_assert_uint_eq(st_stats(s.store[0]).dropped, 1);
    net_advance(&s.net, 5000);
    ck_assert_uint_eq(st_stats(s.store[1]).started, 2);
    all_hold(&s, "<c1:c4,c2:c2>");
    done(&s);
}
END_TEST

START_TEST(clones_refuse_to_buffer_without_end)
{
    struct stores s;
    leat_broker_store_options options = defaults();

    make(&s, 2);
    if (_i == 0)
        options.buffered = 2;
    else
        options.buffered_bytes = 2 * (57 + 9 + 9 + 1 + 24);
    options.attach_ms = 0;
    clone(&s, 1, &options);
    ck_assert_int_eq(st_put(s.store[1], "c1", "c1", EVER), LEAT_OK);
    ck_assert_int_eq(st_put(s.store[1], "c2", "c1", EVER), LEAT_OK);
    ck_assert_int_eq(st_put(s.store[1], "c3", "c1", EVER), LEAT_E_LIMIT);
    ck_assert_int_eq(leat_error_code(leat_broker_store_error(s.store[1])), LEAT_E_LIMIT);
    master(&s, 0, NULL);
    net_peer(&s.net, 1, 0, 1);
    net_advance(&s.net, 2000);
    ck_assert_int_eq(st_put(s.store[1], "c3", "c1", EVER), LEAT_OK);
    net_advance(&s.net, 2000);
    all_hold(&s, "<c1:c1,c2:c1,c3:c1>");
    done(&s);
}
END_TEST

START_TEST(too_many_clones)
{
    struct stores s;
    leat_broker_store_options options = defaults();
    size_t i;

    make(&s, 4);
    options.clones = 2;
    master(&s, 0, &options);
    for (i = 1; i < 4; i++) {
        net_peer(&s.net, i, 0, 1);
        clone(&s, i, NULL);
        net_advance(&s.net, 1000);
        ck_assert_uint_eq(st_stats(s.store[i]).attached, i < 3);
    }
    ck_assert_uint_gt(st_stats(s.store[0]).refused, 0);
    done(&s);
}
END_TEST

/* A copy, or an event, that is over the limits of a clone: it gives up rather than differ. */
START_TEST(broken_clone)
{
    struct stores s;
    leat_broker_store_options options = defaults();

    make(&s, 2);
    master(&s, 0, NULL);
    (void)st_put(s.store[0], "c1", "c1", EVER);
    (void)st_put(s.store[0], "c2", "c1", EVER);
    net_peer(&s.net, 1, 0, 1);
    if (_i < 2)
        options.entries = _i == 0 ? 1 : 2;
    else
        options.bytes = _i == 2 ? 35 : 36;
    clone(&s, 1, &options);
    net_advance(&s.net, 1000);
    ck_assert_uint_eq(st_stats(s.store[1]).attached, (unsigned)_i % 2);
    (void)st_put(s.store[0], "c3", "c1", EVER);
    net_advance(&s.net, 1000);
    ck_assert_uint_eq(st_stats(s.store[1]).attached, 0);
    ck_assert_int_eq(st_put(s.store[1], "c1", "c1", EVER), LEAT_E_STATE);
    st_holds(s.store[1], _i % 2 == 0 ? "<c1:c1>" : "<c1:c1,c2:c1>");
    done(&s);
}
END_TEST

static void tests(TCase *t)
{
    tcase_add_test(t, a_clone_gets_a_copy);
    tcase_add_loop_test(t, in_any_order, 0, 6);
    tcase_add_test(t, writes_before_attaching_are_kept);
    tcase_add_loop_test(t, no_such_master, 0, 3);
    tcase_add_test(t, a_second_master_is_refused);
    tcase_add_test(t, all_that_clones_can_do);
    tcase_add_test(t, refused_writes_are_told_at_the_master);
    tcase_add_test(t, expiry);
    tcase_add_test(t, idle_costs_little);
    tcase_add_test(t, through_a_third);
    tcase_add_test(t, deep_values);
    tcase_add_loop_test(t, copy_and_message, 0, 2);
    tcase_add_test(t, who_slept);
    tcase_add_loop_test(t, convergence_under_loss, 0, 10);
    tcase_add_loop_test(t, attaching_under_loss, 0, 5);
    tcase_add_test(t, the_last_event_is_lost);
    tcase_add_test(t, reconnecting);
    tcase_add_loop_test(t, away_for, 0, 3);
    tcase_add_test(t, the_master_restarts);
    tcase_add_loop_test(t, the_master_is_made_anew, 0, 2);
    tcase_add_loop_test(t, the_clone_restarts, 0, 2);
    tcase_add_loop_test(t, slow_clones_are_dropped, 0, 2);
    tcase_add_loop_test(t, clones_that_write_too_much_get_on, 0, 2);
    tcase_add_test(t, clones_that_are_dropped_write_once);
    tcase_add_loop_test(t, clones_refuse_to_buffer_without_end, 0, 2);
    tcase_add_test(t, too_many_clones);
    tcase_add_loop_test(t, broken_clone, 0, 4);
}

T_MAIN("broker/store_net", tests)
