#include "net.h"

#define FOUND(node)   "endpoint_discovered " node " \"found a new peer in the network\""
#define ADDED(node)   "peer_added " node " \"handshake successful\""
#define REMOVED(node) "peer_removed " node " \"removed connection to remote peer\""
#define LOST(node)    "peer_lost " node " \"lost connection to remote peer\""
#define GONE(node)    "endpoint_unreachable " node " \"lost the last path\""
#define FAILED        "error \"unable to connect to remote peer\""

/* Two nodes that are peers; what they were told is forgotten. */
static void two(struct net *net, uint64_t retry_s)
{
    net_init(net);
    (void)net_add(net, NULL);
    (void)net_add(net, NULL);
    net_peer(net, 0, 1, retry_s);
    net_run(net);
    free(net_log(net, 0));
    free(net_log(net, 1));
}

/* Either of them may have the smaller id, and so be the originator. */
START_TEST(peers)
{
    struct net net;
    size_t from = (size_t)_i, to = !from;

    net_init(&net);
    (void)net_add(&net, NULL);
    (void)net_add(&net, NULL);
    net.cut = 1;
    net_peer(&net, from, to, 0);
    net_run(&net);
    net_told(&net, 0, FOUND("n1") "; " ADDED("n1"));
    net_told(&net, 1, FOUND("n0") "; " ADDED("n0"));
    net_subscribe(&net, 0, "/a");
    net_run(&net);
    net_told(&net, 1, "routing_update <$> [\"/a\"]");
    net_publish(&net, 1, "/a/b", "x");
    net_publish(&net, 1, "/b", "y");
    net_publish(&net, 0, "/a", "to nobody");
    net_run(&net);
    net_told(&net, 0, "data /a/b \"x\"");
    net_told(&net, 1, "");
    ck_assert_int_eq(leat_broker_unpeer(net_broker(&net, from), from == 0 ? "n1" : "n0", NET_PORT),
                     LEAT_OK);
    net_run(&net);
    net_told(&net, from, from == 0 ? REMOVED("n1") "; " GONE("n1") : REMOVED("n0") "; " GONE("n0"));
    net_told(&net, to, from == 0 ? LOST("n0") "; " GONE("n0") : LOST("n1") "; " GONE("n1"));
    ck_assert_uint_eq(net_pipes(&net, 0, 1), 0);
    net_free(&net);
}
END_TEST

START_TEST(comes_back)
{
    struct net net;

    two(&net, 5);
    net_cut(&net, 0, 1);
    net_run(&net);
    net_told(&net, 0, LOST("n1") "; " GONE("n1") "; " FOUND("n1") "; " ADDED("n1"));
    net_kill(&net, 1);
    net_run(&net);
    net_told(&net, 0, LOST("n1") "; " GONE("n1") "; " FAILED);
    net_advance(&net, 4999);
    net_told(&net, 0, "");
    net_advance(&net, 1);
    net_told(&net, 0, FAILED);
    net_restart(&net, 1, NULL);
    net_advance(&net, 5000);
    net_told(&net, 0, FOUND("n1'") "; " ADDED("n1'"));
    net_free(&net);
}
END_TEST

START_TEST(both_at_once)
{
    struct net net;

    net_init(&net);
    (void)net_add(&net, NULL);
    (void)net_add(&net, NULL);
    net_peer(&net, 0, 1, 1);
    net_peer(&net, 1, 0, 1);
    net_run(&net);
    net_told(&net, 0, FOUND("n1") "; " ADDED("n1"));
    net_told(&net, 1, FOUND("n0") "; " ADDED("n0"));
    ck_assert_uint_eq(net_pipes(&net, 0, 1), 1);
    net_advance(&net, 60000);
    net_told(&net, 0, "");
    net_told(&net, 1, "");
    net_free(&net);
}
END_TEST

static void tests(TCase *tc)
{
    tcase_add_loop_test(tc, peers, 0, 2);
    tcase_add_test(tc, comes_back);
    tcase_add_test(tc, both_at_once);
}

T_MAIN("broker/endpoint", tests)
