/* Meshes of endpoints: every message that is delivered is counted, whatever is cut, killed and restarted. */
#include "net.h"

#include <stdio.h>

#define TOPIC "/mesh"

/* A full mesh: each node seeks those with a higher number. */
static void mesh(struct net *net, size_t count, uint64_t retry_s)
{
    size_t i, j;

    net_init(net);
    net->quiet = true;
    for (i = 0; i < count; i++) {
        (void)net_add(net, NULL);
        net_subscribe(net, i, TOPIC);
    }
    for (i = 0; i < count; i++) {
        for (j = i + 1; j < count; j++)
            net_peer(net, i, j, retry_s);
    }
}

static size_t pipes(const struct net *net)
{
    const struct net_pipe *pipe;
    size_t count = 0;

    for (pipe = net->pipes; pipe != NULL; pipe = pipe->next)
        count++;
    return count;
}

/* So many peers that are there. */
static size_t peers(const struct net *net, size_t node)
{
    const leat_value *list, *item;
    leat_builder *builder;
    size_t count = 0, length;

    ck_assert_int_eq(leat_builder_new(NULL, &builder), LEAT_OK);
    ck_assert_int_eq(leat_broker_peers(net->nodes[node].broker, builder, NULL), LEAT_OK);
    list = leat_builder_value(builder);
    for (item = leat_value_first(list); item != NULL; item = leat_value_next(list, item)) {
        const char *status = leat_value_text(leat_value_get(item, "status"), &length);

        ck_assert_msg(length == 6 && memcmp(status, "PEERED", 6) == 0, "%.*s", (int)length, status);
        count++;
    }
    leat_builder_free(builder);
    return count;
}

/* Everybody publishes once; how much was delivered. */
static size_t publish_all(struct net *net)
{
    size_t i, before = 0, after = 0;

    for (i = 0; i < net->count; i++)
        before += net->nodes[i].data;
    for (i = 0; i < net->count; i++)
        net_publish(net, i, TOPIC, "hello");
    net_run(net);
    for (i = 0; i < net->count; i++)
        after += net->nodes[i].data;
    return after - before;
}

static void check_whole(struct net *net)
{
    size_t i;

    for (i = 0; i < net->count; i++)
        ck_assert_uint_eq(peers(net, i), net->count - 1);
    ck_assert_uint_eq(pipes(net), net->count * (net->count - 1) / 2);
    ck_assert_uint_eq(publish_all(net), net->count * (net->count - 1));
    for (i = 0; i < net->count; i++)
        ck_assert_uint_eq(net->nodes[i].data % (net->count - 1), 0);
}

START_TEST(whole)
{
    static const size_t counts[] = {3, 100};
    struct net net;

    mesh(&net, counts[_i], 0);
    net_run(&net);
    check_whole(&net);
    net_free(&net);
}
END_TEST

/* Both ends of every pair seek each other at the same moment. */
START_TEST(sought_from_both_sides)
{
    struct net net;
    size_t i, j;

    mesh(&net, 20, 1);
    for (i = 0; i < 20; i++) {
        for (j = 0; j < i; j++)
            net_peer(&net, i, j, 1);
    }
    net.cut = (size_t)_i * 7;
    net_run(&net);
    check_whole(&net);
    net_advance(&net, 30000);
    check_whole(&net);
    net_free(&net);
}
END_TEST

static uint32_t draw(uint32_t *seed, uint32_t below)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % below;
}

/* Its peerings are its own to seek again. */
static void restart(struct net *net, size_t node)
{
    size_t j;

    net_restart(net, node, NULL);
    net_subscribe(net, node, TOPIC);
    for (j = node + 1; j < net->count; j++)
        net_peer(net, node, j, 1);
}

/* Connections break and processes die at any time; then it is whole again within the retry time. */
static void shake(size_t count, uint32_t seed, bool named_only)
{
    bool down[NET_NODES] = {false};
    struct net net;
    size_t i, a, b;

    mesh(&net, count, 1);
    net.named_only = named_only;
    net.cut = seed % 3 == 0 ? 0 : 50 * (seed % 3);
    net_advance(&net, draw(&seed, 3));
    for (i = 0; i < 300; i++) {
        a = draw(&seed, (uint32_t)count);
        b = draw(&seed, (uint32_t)count);
        switch (draw(&seed, 4)) {
        case 0:
            net_cut(&net, a, b);
            break;
        case 1:
            if (!down[a])
                net_kill(&net, a);
            else
                restart(&net, a);
            down[a] = !down[a];
            break;
        case 2:
            net_advance(&net, draw(&seed, 1500));
            break;
        default:
            if (!down[a])
                net_publish(&net, a, TOPIC, "meanwhile");
            break;
        }
    }
    for (i = 0; i < count; i++) {
        if (down[i])
            restart(&net, i);
    }
    net_advance(&net, 1000);
    for (i = 0; i < count; i++)
        net.nodes[i].data = 0;
    check_whole(&net);
    /* Nothing goes on behind that. */
    net_advance(&net, 10000);
    check_whole(&net);
    net_free(&net);
}

START_TEST(shaken)
{
    shake(12, (uint32_t)_i + 1, false);
}
END_TEST

/* All work is found through leat_broker_ready() and what comes in. */
START_TEST(named_alone)
{
    shake(12, (uint32_t)_i + 100, true);
}
END_TEST

START_TEST(named_alone_large)
{
    struct net net;

    mesh(&net, 40, 1);
    net.named_only = true;
    net_run(&net);
    check_whole(&net);
    net_free(&net);
}
END_TEST

/* One that does not read keeps nothing from anybody else, and gets its own later. */
START_TEST(one_is_stalled)
{
    struct net_pipe *pipe;
    struct net net;
    size_t i;

    mesh(&net, 10, 1);
    net_run(&net);
    for (pipe = net.pipes; pipe != NULL; pipe = pipe->next) {
        pipe->stalled[0] = pipe->nodes[0] == 4;
        pipe->stalled[1] = pipe->nodes[1] == 4;
    }
    for (i = 0; i < 3000; i++)
        net_publish(&net, 0, TOPIC, "so much that it is more than an output of a session holds");
    net_run(&net);
    for (i = 1; i < 10; i++)
        ck_assert_uint_eq(net.nodes[i].data, i == 4 ? 0 : 3000);
    for (pipe = net.pipes; pipe != NULL; pipe = pipe->next)
        pipe->stalled[0] = pipe->stalled[1] = false;
    net_run(&net);
    ck_assert_uint_eq(net.nodes[4].data, 3000);
    net_free(&net);
}
END_TEST

/* All of them shut down: each peering ends once, and in order. */
START_TEST(all_shut_down)
{
    struct net net;
    size_t i;

    mesh(&net, 10, 1);
    net_run(&net);
    for (i = 0; i < 10; i++)
        net_publish(&net, i, TOPIC, "last words");
    for (i = 0; i < 10; i++)
        ck_assert_int_eq(leat_broker_shutdown(net_broker(&net, i)), LEAT_OK);
    net_run(&net);
    for (i = 0; i < 10; i++) {
        ck_assert_uint_eq(net.nodes[i].data, 9);
        ck_assert_uint_eq(peers(&net, i), 0);
        ck_assert_uint_eq(leat_broker_deadline(net_broker(&net, i)), UINT64_MAX);
    }
    ck_assert_ptr_null(net.pipes);
    net_free(&net);
}
END_TEST

static void tests(TCase *tc)
{
    tcase_add_loop_test(tc, whole, 0, 2);
    tcase_add_loop_test(tc, sought_from_both_sides, 0, 3);
    tcase_add_loop_test(tc, shaken, 0, 20);
    tcase_add_loop_test(tc, named_alone, 0, 20);
    tcase_add_test(tc, named_alone_large);
    tcase_add_test(tc, one_is_stalled);
    tcase_add_test(tc, all_shut_down);
}

T_MAIN("broker/mesh", tests)
