/*
 * Stores against a peer that says what it likes: what masters and clones answer to it, whom they listen
 * to, and what they never say.
 */
#include "../../lib/broker/endpoint.h"

#include "net.h"
#include "stores.h"

#include <leat/broker.h>
#include <stdio.h>

/* n0 has the store; n1 and n2 are made by hand: what they hear is written down. */
struct peers {
    struct net net;
    leat_broker_store *store;
    struct t_bytes heard[3];
};

static void put_text(struct t_bytes *to, const char *text)
{
    t_append(to, text, strlen(text));
}

/* "nack 2,3", "ack_clone 1 <...>", "put 5 "k" c1", "cumulative_ack 7": with "!" if it is for all. */
static void hear(void *context, size_t node, leat_session *session, const leat_event *event)
{
    struct peers *p = (struct peers *)context;
    const leat_value *command = leat_value_get(leat_event_value(event), "command"), *field;
    struct t_bytes *to = &p->heard[node];
    const char *name;
    char text[64];
    size_t i = 0, length;

    (void)session;
    if (leat_event_kind(event) != LEAT_BROKER_COMMAND)
        return;
    if (to->length > 0)
        put_text(to, "; ");
    if (leat_value_u64(leat_value_at(leat_value_get(command, "receiver"), 1)) == 0)
        put_text(to, "!");
    name = leat_value_text(leat_value_get(command, "name"), &length);
    t_append(to, name, length);
    if (leat_value_u64(leat_value_get(command, "tag")) <= 7) {
        (void)snprintf(text, sizeof text, " %u",
                       (unsigned)leat_value_u64(leat_value_get(command, "seq")));
        put_text(to, text);
    }
    for (field = leat_value_first(command); field != NULL;
         field = leat_value_next(command, field), i++) {
        char *value;

        name = leat_value_name(field, &length);
        /* Behind the name of the command; who it is from is not told. */
        if (i < 5 || strncmp(name, "publisher", length) == 0 ||
            strncmp(name, "heartbeat_interval", length) == 0 ||
            (strncmp(name, "expiry_ns", length) == 0 && leat_value_kind(field) == LEAT_NULL))
            continue;
        value = st_text(field);
        put_text(to, " ");
        put_text(to, value);
        free(value);
    }
}

static void make(struct peers *p, bool is_master, const leat_broker_store_options *options)
{
    size_t node;

    memset(p, 0, sizeof *p);
    net_init(&p->net);
    p->net.now_ms = 1000;
    p->net.quiet = true;
    p->net.event = hear;
    p->net.context = p;
    for (node = 0; node < 3; node++)
        (void)net_add(&p->net, NULL);
    for (node = 1; node < 3; node++) {
        net_subscribe(&p->net, node, is_master ? "s/<$>/data/clone" : "s/<$>/data/master");
        net_peer(&p->net, node, 0, 0);
    }
    net_advance(&p->net, 10);
    if (is_master)
        ck_assert_int_eq(
            leat_broker_store_master(net_broker(&p->net, 0), "s", 1, options, &p->store), LEAT_OK);
    else
        ck_assert_int_eq(
            leat_broker_store_clone(net_broker(&p->net, 0), "s", 1, options, &p->store), LEAT_OK);
    net_run(&p->net);
}

static void done(struct peers *p)
{
    leat_broker_store_free(p->store);
    net_free(&p->net);
    t_free(p->heard[1]);
    t_free(p->heard[2]);
}

/* What a node heard since last. */
static void heard(struct peers *p, size_t node, const char *text)
{
    t_append(&p->heard[node], "", 1);
    ck_assert_str_eq((const char *)p->heard[node].data, text);
    t_free(p->heard[node]);
    memset(&p->heard[node], 0, sizeof p->heard[node]);
}

/* Whatever it was. */
static void forget(struct peers *p)
{
    size_t node;

    for (node = 1; node < 3; node++) {
        t_free(p->heard[node]);
        memset(&p->heard[node], 0, sizeof p->heard[node]);
    }
}

/*
 * A node says a command: from its object 5 unless "as" names another node, to the store's object 1 if
 * to is 1, else to nobody. rest is JSON.
 */
static void say_as(struct peers *p, size_t node, size_t as, unsigned object, unsigned to,
                   uint64_t seq, const char *name, const char *rest)
{
    struct lt_broker_post post = {.type = 2};
    char text[4096], topic[32];
    leat_builder *value;
    uint8_t id[16];
    bool to_master;

    net_id(0, id);
    to_master =
        lt_broker_is_announced(net_broker(&p->net, node), id, "s/<$>/data/master", 17, true);

    (void)snprintf(topic, sizeof topic, "s/<$>/data/%s", to_master ? "master" : "clone");
    (void)snprintf(
        text, sizeof text,
        "{\"seq\":%llu,\"sender\":[\"%02zx%02zx%02zx%02zx-%02zx%02zx-%02zx%02zx-%02zx%02zx-"
        "%02zx%02zx%02zx%02zx%02zx%02zx\",%u],"
        "\"receiver\":[\"%s\",%u],\"name\":\"%s\"%s%s}",
        (unsigned long long)seq, as + 1, as + 1, as + 1, as + 1, as + 1, as + 1, as + 1, as + 1,
        as + 1, as + 1, as + 1, as + 1, as + 1, as + 1, as + 1, as + 1, object,
        to == 0 ? "00000000-0000-0000-0000-000000000000" : "01010101-0101-0101-0101-010101010101",
        to, name, rest[0] == '\0' ? "" : ",", rest);
    value = t_json(text, strlen(text));
    post.topic = topic;
    post.topic_length = strlen(topic);
    post.value = leat_builder_value(value);
    ck_assert_int_eq(lt_broker_post(net_broker(&p->net, node), &post), LEAT_OK);
    leat_builder_free(value);
    net_run(&p->net);
}

static void say(struct peers *p, size_t node, uint64_t seq, const char *name, const char *rest)
{
    say_as(p, node, node, 5, 1, seq, name, rest);
}

/* Raw octets behind the header of a command, for what the table of commands would not write. */
static void say_octets(struct peers *p, size_t node, uint64_t seq, const char *hex)
{
    struct lt_broker_post post = {.type = 2};
    struct t_bytes rest = t_hex(hex), octets;
    uint8_t header[56] = {0};
    const char *topic = "s/<$>/data/master";

    header[7] = (uint8_t)seq;
    net_id(node, header + 8);
    header[31] = 5;
    net_id(0, header + 32);
    header[55] = 1;
    octets = t_copy(header, sizeof header);
    t_append(&octets, rest.data, rest.length);
    post.topic = topic;
    post.topic_length = strlen(topic);
    post.payload = octets.data;
    post.payload_length = octets.length;
    ck_assert_int_eq(lt_broker_post(net_broker(&p->net, node), &post), LEAT_OK);
    net_run(&p->net);
    t_free(rest);
    t_free(octets);
}

static void show(struct peers *p, size_t node, unsigned to, const char *state);

/* ----- a master ----- */

static void attach(struct peers *p, size_t node)
{
    say_as(p, node, node, 5, 0, 0, "nack", "\"seqs\":[0]");
    say(p, node, 0, "cumulative_ack", "\"seq_arg\":1");
    say(p, node, 0, "attach_writer", "\"offset\":1,\"heartbeat_interval\":5");
}

START_TEST(a_clone_attaches)
{
    struct peers p;

    make(&p, true, NULL);
    (void)st_put(p.store, "\"k\"", "c1", LEAT_BROKER_FOR_EVER);
    attach(&p, 1);
    heard(&p, 1, "ack_clone c1 <\"k\":c1>; cumulative_ack c1");
    heard(&p, 2, "");
    /* Events are for all, whoever caused them. */
    say(&p, 1, 2, "put", "\"key\":1,\"value\":2");
    heard(&p, 1, "!put 2 c1 c2");
    heard(&p, 2, "!put 2 c1 c2");
    say(&p, 1, 3, "put_unique",
        "\"key\":1,\"value\":2,\"who\":[\"02020202-0202-0202-0202-020202020202\",9],\"req_id\":7");
    heard(&p, 1, "!put_unique_result 3 b0 [n,c9] c7");
    forget(&p);
    /* Acknowledgements and keepalives, the latter addressed. */
    net_advance(&p.net, 500);
    heard(&p, 1, "cumulative_ack c3; keepalive c3");
    heard(&p, 2, "");
    st_holds(p.store, "<c1:c2,\"k\":c1>");
    done(&p);
}
END_TEST

/* What is sent again: what is asked for, to who asks, and nothing is ever said to be gone. */
START_TEST(nacks)
{
    struct peers p;

    make(&p, true, NULL);
    attach(&p, 1);
    attach(&p, 2);
    (void)st_put(p.store, "c1", "c1", LEAT_BROKER_FOR_EVER);
    (void)st_put(p.store, "c2", "c1", LEAT_BROKER_FOR_EVER);
    (void)st_put(p.store, "c3", "c1", LEAT_BROKER_FOR_EVER);
    net_run(&p.net);
    forget(&p);
    say(&p, 1, 0, "nack", "\"seqs\":[2,4]");
    heard(&p, 1, "!put 2 c1 c1; !put 4 c3 c1");
    heard(&p, 2, "");
    say(&p, 1, 0, "nack", "\"seqs\":[4,5,18446744073709551615]");
    heard(&p, 1, "!put 4 c3 c1");
    say(&p, 2, 0, "cumulative_ack", "\"seq_arg\":4");
    net_advance(&p.net, 100);
    forget(&p);
    /* Below the first number all is acknowledged, so that is gone; who asks for it hears nothing. */
    say(&p, 1, 0, "nack", "\"seqs\":[2,3]");
    heard(&p, 1, "");
    ck_assert_uint_eq(st_stats(p.store).buffered, 1);
    /* Strangers get nothing. */
    say_as(&p, 1, 1, 6, 1, 0, "nack", "\"seqs\":[4]");
    heard(&p, 1, "");
    done(&p);
}
END_TEST

START_TEST(bad_nacks)
{
    static const char *const bad[] = {
        "0b 02 0000000000000003 0000000000000002", /* descending */
        "0b 02 0000000000000002 0000000000000002", /* twice */
    };
    struct peers p;

    make(&p, true, NULL);
    attach(&p, 1);
    forget(&p);
    say_octets(&p, 1, 0, "0b 00"); /* of nothing: it does nothing */
    say_octets(&p, 1, 0, "0b 02 0000000000000000 0000000000000001");
    ck_assert_uint_eq(st_stats(p.store).attached, 1);
    heard(&p, 1, "");
    (void)st_put(p.store, "c1", "c1", LEAT_BROKER_FOR_EVER);
    (void)st_put(p.store, "c1", "c1", LEAT_BROKER_FOR_EVER);
    net_run(&p.net);
    forget(&p);
    say_octets(&p, 1, 0, bad[_i]);
    ck_assert_uint_eq(st_stats(p.store).attached, 0);
    ck_assert_uint_eq(st_stats(p.store).buffered, 0);
    heard(&p, 1, "");
    /* Nor is its writer heard any more. */
    say(&p, 1, 2, "put", "\"key\":7,\"value\":2");
    st_holds(p.store, "<c1:c1>");
    /* Until it begins anew. */
    net_advance(&p.net, 1000);
    attach(&p, 1);
    say(&p, 1, 2, "put", "\"key\":7,\"value\":2");
    st_holds(p.store, "<c1:c1,c7:c2>");
    done(&p);
}
END_TEST

/* Copies are dear: whoever asks for one again and again waits twice as long each time. */
START_TEST(copies_are_not_for_the_asking)
{
    struct peers p;
    unsigned i, copies = 0;

    make(&p, true, NULL);
    for (i = 0; i < 1000; i++) {
        /* Under one number, or under new ones. */
        say_as(&p, 1, 1, 5 + (_i == 1 ? i : 0), 0, 0, "nack", "\"seqs\":[0]");
        net_advance(&p.net, 10);
        copies += p.heard[1].length > 0 && strstr((char *)p.heard[1].data, "ack_clone") != NULL;
        forget(&p);
    }
    /* At 0, 0.2, 0.6, 1.4, 3, 6.2 seconds, then every 6.4 seconds: ten seconds in all. */
    ck_assert_uint_eq(copies, 6);
    ck_assert_uint_le(st_stats(p.store).attached, 1);
    done(&p);
}
END_TEST

/* Writers: in their order only, and not before they are attached. */
START_TEST(writers_in_order)
{
    struct peers p;

    make(&p, true, NULL);
    say(&p, 1, 2, "put", "\"key\":1,\"value\":1");
    st_holds(p.store, "<>");
    heard(&p, 1, "");
    /* One that was forgotten is told so, with its keepalives. */
    say(&p, 1, 0, "keepalive", "\"seq_arg\":2");
    heard(&p, 1, "nack [c0]");
    say(&p, 1, 0, "attach_writer", "\"offset\":1,\"heartbeat_interval\":5");
    heard(&p, 1, "cumulative_ack c1");
    say(&p, 1, 4, "put", "\"key\":4,\"value\":1");
    say(&p, 1, 3, "put", "\"key\":3,\"value\":1");
    st_holds(p.store, "<>");
    ck_assert_uint_eq(st_stats(p.store).early, 2);
    net_advance(&p.net, 200);
    heard(&p, 1, "nack [c2]");
    say(&p, 1, 2, "put", "\"key\":2,\"value\":1");
    st_holds(p.store, "<c2:c1,c3:c1,c4:c1>");
    ck_assert_uint_eq(st_stats(p.store).early, 0);
    say(&p, 1, 2, "put", "\"key\":9,\"value\":1");
    /* Attaching again changes nothing, whatever it says. */
    say(&p, 1, 0, "attach_writer", "\"offset\":9,\"heartbeat_interval\":1");
    heard(&p, 1, "cumulative_ack c4");
    say(&p, 1, 0, "keepalive", "\"seq_arg\":5");
    net_advance(&p.net, 300);
    heard(&p, 1, "nack [c5]");
    /* What the writer no longer has is skipped, early or in turn. */
    say(&p, 1, 0, "retransmit_failed", "\"seq_arg\":6");
    say(&p, 1, 7, "put", "\"key\":7,\"value\":1");
    say(&p, 1, 0, "retransmit_failed", "\"seq_arg\":5");
    say(&p, 1, 0, "retransmit_failed", "\"seq_arg\":3");
    st_holds(p.store, "<c2:c1,c3:c1,c4:c1,c7:c1>");
    done(&p);
}
END_TEST

/* Silence of 50 seconds ends it, and a word puts that off. */
START_TEST(silence)
{
    struct peers p;
    unsigned i;

    make(&p, true, NULL);
    attach(&p, 1);
    for (i = 0; i < 3; i++) {
        net_advance(&p.net, 49900);
        ck_assert_uint_eq(st_stats(p.store).attached, 1);
        say(&p, 1, 0, "cumulative_ack", "\"seq_arg\":1");
    }
    net_advance(&p.net, 50200);
    ck_assert_uint_eq(st_stats(p.store).attached, 0);
    done(&p);
}
END_TEST

/* Each of these changes nothing; name and rest of a command to a master. */
static const struct {
    const char *what;
    size_t as;
    unsigned to;
    uint64_t seq;
    const char *name;
    const char *rest;
} nonsense[] = {
    {"in another's name", 2, 1, 2, "put", "\"key\":1,\"value\":1"},
    {"in the name of the store", 0, 1, 2, "put", "\"key\":1,\"value\":1"},
    {"for another store", 1, 7, 2, "put", "\"key\":1,\"value\":1"},
    {"an old one", 1, 1, 1, "put", "\"key\":1,\"value\":1"},
    {"no number", 1, 1, 0, "put", "\"key\":1,\"value\":1"},
    {"the last number", 1, 1, UINT64_MAX, "put", "\"key\":1,\"value\":1"},
    {"a copy for a master", 1, 1, 2, "ack_clone", "\"offset\":9"},
    {"an acknowledgement of what is not there", 1, 1, 0, "cumulative_ack", "\"seq_arg\":99"},
    {"a result", 1, 1, 2, "put_unique_result", "\"inserted\":true"},
    {"an expiry", 1, 1, 2, "expire", "\"key\":7"},
    {"erasing what is not there", 1, 1, 2, "erase", "\"key\":1"},
    {"subtracting from what is not there", 1, 1, 2, "subtract", "\"key\":1,\"value\":1"},
    {"adding to what does not fit", 1, 1, 2, "add", "\"key\":7,\"value\":1,\"init_type\":2"},
    {"adding to nothing", 1, 1, 2, "add", "\"key\":1,\"value\":1,\"init_type\":1"},
};

START_TEST(nonsense_for_a_master)
{
    struct peers p;

    make(&p, true, NULL);
    (void)st_put(p.store, "c7", "\"x\"", LEAT_BROKER_FOR_EVER);
    attach(&p, 1);
    attach(&p, 2);
    say_as(&p, 1, nonsense[_i].as, 5, nonsense[_i].to, nonsense[_i].seq, nonsense[_i].name,
           nonsense[_i].rest);
    net_advance(&p.net, 2000);
    st_holds(p.store, "<c7:\"x\">");
    ck_assert_uint_eq(st_stats(p.store).attached, 2);
    done(&p);
}
END_TEST

/* Nobody else attaches in the name of the endpoint itself, or of nobody. */
START_TEST(nobody_is_us)
{
    struct peers p;

    make(&p, true, NULL);
    say_as(&p, 1, 0, 5, 0, 0, "nack", "\"seqs\":[0]");
    say_as(&p, 1, SIZE_MAX, 5, 0, 0, "nack", "\"seqs\":[0]");
    ck_assert_uint_eq(st_stats(p.store).attached, 0);
    ck_assert_uint_eq(st_stats(p.store).refused, 2);
    done(&p);
}
END_TEST

/* So that a producer does not have to keep too much, both sides acknowledge every 32 events. */
START_TEST(acknowledgements_between_ticks)
{
    struct peers p;
    unsigned i;

    make(&p, true, NULL);
    say(&p, 1, 0, "attach_writer", "\"offset\":1,\"heartbeat_interval\":5");
    forget(&p);
    for (i = 2; i < 33; i++)
        say(&p, 1, i, "erase", "\"key\":1");
    heard(&p, 1, "");
    say(&p, 1, 33, "erase", "\"key\":1");
    heard(&p, 1, "cumulative_ack c33");
    done(&p);
    make(&p, false, NULL);
    show(&p, 1, 1, "");
    forget(&p);
    for (i = 2; i < 33; i++)
        say_as(&p, 1, 1, 5, 0, i, "erase", "\"key\":1");
    heard(&p, 1, "");
    say_as(&p, 1, 1, 5, 0, 33, "erase", "\"key\":1");
    heard(&p, 1, "cumulative_ack c33");
    done(&p);
}
END_TEST

/* What is not there yet cannot be acknowledged. */
START_TEST(the_future)
{
    struct peers p;

    make(&p, true, NULL);
    attach(&p, 1);
    say(&p, 1, 0, "cumulative_ack", "\"seq_arg\":9");
    say(&p, 1, 0, "nack", "\"seqs\":[8]");
    (void)st_put(p.store, "c1", "c1", LEAT_BROKER_FOR_EVER);
    net_advance(&p.net, 100);
    forget(&p);
    ck_assert_uint_eq(st_stats(p.store).buffered, 1);
    say(&p, 1, 0, "nack", "\"seqs\":[2]");
    heard(&p, 1, "!put 2 c1 c1");
    done(&p);
}
END_TEST

/* Values that are read but cannot be stored: told, and done with. */
static const struct {
    const char *hex;
    const char *told;
} unsound[] = {
    {"00 04 ffffffffffffffff 00 00 000000000000000000000000000000000000000000000000",
     "error c12 \"invalid_data\" n \"NaN in a key\""},
    {"00 00 07 00000000000000000000000000000000 ff 00 "
     "000000000000000000000000000000000000000000000000",
     "error c12 \"invalid_data\" n \"a prefix of more than 128 bits\""},
    {"05 00 02 0000000000000001 c8 00 000000000000000000000000000000000000000000000000",
     "error c11 \"type_clash\" n \"it does not fit what is there\""},
};

START_TEST(unsound_values)
{
    struct peers p;

    make(&p, true, NULL);
    attach(&p, 1);
    free(st_log(p.store));
    say_octets(&p, 1, 2, unsound[_i].hex);
    st_told(p.store, unsound[_i].told);
    say(&p, 1, 3, "put", "\"key\":1,\"value\":1");
    st_holds(p.store, "<c1:c1>");
    /* Early ones are judged in their turn. */
    say_octets(&p, 1, 5, unsound[_i].hex);
    say(&p, 1, 4, "put", "\"key\":2,\"value\":1");
    say_octets(&p, 1, 5, unsound[_i].hex);
    say(&p, 1, 6, "put", "\"key\":3,\"value\":1");
    st_holds(p.store, "<c1:c1,c2:c1,c3:c1>");
    done(&p);
}
END_TEST

/* A writer may not answer the caller of the master. */
START_TEST(results_of_others)
{
    struct peers p;

    make(&p, true, NULL);
    attach(&p, 1);
    free(st_log(p.store));
    say(&p, 1, 2, "put_unique",
        "\"key\":1,\"value\":2,\"who\":[\"01010101-0101-0101-0101-010101010101\",1],\"req_id\":7");
    st_told(p.store, "insert c1 c2 n4294967295/0");
    done(&p);
}
END_TEST

START_TEST(limit_of_early_commands)
{
    struct peers p;
    leat_broker_store_options options;
    unsigned i;

    leat_broker_store_options_init(&options, sizeof options);
    options.early = 3;
    make(&p, true, &options);
    attach(&p, 1);
    attach(&p, 2);
    for (i = 3; i < 10; i++)
        say(&p, 1, i, "put", "\"key\":1,\"value\":1");
    say(&p, 2, 3, "put", "\"key\":1,\"value\":1");
    ck_assert_uint_eq(st_stats(p.store).early, 3);
    say(&p, 1, 2, "put", "\"key\":2,\"value\":1");
    ck_assert_uint_eq(st_stats(p.store).early, 0);
    say(&p, 2, 3, "put", "\"key\":1,\"value\":1");
    ck_assert_uint_eq(st_stats(p.store).early, 1);
    done(&p);
}
END_TEST

/* ----- a clone ----- */

static void show(struct peers *p, size_t node, unsigned to, const char *state)
{
    char rest[512];

    (void)snprintf(rest, sizeof rest, "\"offset\":1,\"heartbeat_interval\":5%s%s",
                   state[0] == '\0' ? "" : ",\"state\":", state);
    say_as(p, node, node, 5, to, 1, "ack_clone", rest);
}

START_TEST(a_master_answers)
{
    struct peers p;

    make(&p, false, NULL);
    heard(&p, 1, "!nack [c0]");
    net_advance(&p.net, 400);
    heard(&p, 1, "!nack [c0]; !nack [c0]");
    forget(&p);
    /* A copy for another one is none of its business. */
    show(&p, 1, 9, "");
    ck_assert_uint_eq(st_stats(p.store).attached, 0);
    show(&p, 1, 1, "");
    ck_assert_uint_eq(st_stats(p.store).attached, 1);
    heard(&p, 1, "cumulative_ack c1; attach_writer c1");
    heard(&p, 2, "attach_writer c1");
    forget(&p);
    /* Until the master knows of it, each keepalive says so, and so does a nack [0]. */
    net_advance(&p.net, 500);
    heard(&p, 1, "attach_writer c1; !keepalive c1; cumulative_ack c1");
    say(&p, 1, 0, "nack", "\"seqs\":[0]");
    heard(&p, 1, "attach_writer c1");
    say(&p, 1, 0, "cumulative_ack", "\"seq_arg\":1");
    net_advance(&p.net, 500);
    heard(&p, 1, "!keepalive c1; cumulative_ack c1");
    done(&p);
}
END_TEST

START_TEST(writes_that_the_master_lacks)
{
    struct peers p;

    make(&p, false, NULL);
    show(&p, 1, 1, "");
    say(&p, 1, 0, "cumulative_ack", "\"seq_arg\":1");
    forget(&p);
    (void)st_put(p.store, "c1", "c1", LEAT_BROKER_FOR_EVER);
    (void)st_erase(p.store, "c2");
    (void)leat_broker_store_clear(p.store);
    net_run(&p.net);
    heard(&p, 1, "put 2 c1 c1; erase 3 c2; clear 4");
    say(&p, 1, 0, "nack", "\"seqs\":[3]");
    heard(&p, 1, "erase 3 c2");
    ck_assert_uint_eq(st_stats(p.store).buffered, 2);
    /* What it has said to have is gone, and it may know. */
    say(&p, 1, 0, "nack", "\"seqs\":[2,4,9]");
    heard(&p, 1, "retransmit_failed c2; clear 4");
    say(&p, 1, 0, "cumulative_ack", "\"seq_arg\":5");
    ck_assert_uint_eq(st_stats(p.store).buffered, 2);
    say(&p, 1, 0, "cumulative_ack", "\"seq_arg\":4");
    ck_assert_uint_eq(st_stats(p.store).buffered, 0);
    done(&p);
}
END_TEST

/* Only who gave the copy is heard. */
START_TEST(one_master_only)
{
    struct peers p;

    make(&p, false, NULL);
    show(&p, 1, 1, "");
    say_as(&p, 1, 1, 5, 0, 2, "put", "\"key\":1,\"value\":1");
    say_as(&p, 2, 2, 5, 0, 3, "put", "\"key\":2,\"value\":1");
    say_as(&p, 1, 1, 6, 0, 3, "put", "\"key\":3,\"value\":1");
    say_as(&p, 2, 1, 5, 0, 3, "put", "\"key\":4,\"value\":1");
    say_as(&p, 1, 1, 5, 9, 3, "put", "\"key\":5,\"value\":1");
    show(&p, 2, 1, "");
    st_holds(p.store, "<c1:c1>");
    /* Retransmissions come as they came first, or addressed; both count. */
    say_as(&p, 1, 1, 5, 1, 3, "put", "\"key\":6,\"value\":1");
    /* Keepalives for all count, too. */
    say_as(&p, 1, 1, 5, 0, 0, "keepalive", "\"seq_arg\":5");
    forget(&p);
    net_advance(&p.net, 300);
    heard(&p, 1, "nack [c4,c5]");
    st_holds(p.store, "<c1:c1,c6:c1>");
    done(&p);
}
END_TEST

/* Events that are gone for good: it starts over, under another number. */
START_TEST(lost_for_good)
{
    struct peers p;

    make(&p, false, NULL);
    show(&p, 1, 1, "");
    say_as(&p, 1, 1, 5, 0, 2, "put", "\"key\":1,\"value\":1");
    (void)st_put(p.store, "c9", "c9", LEAT_BROKER_FOR_EVER);
    net_run(&p.net);
    forget(&p);
    say(&p, 1, 0, "retransmit_failed", "\"seq_arg\":2"); /* it has that one */
    ck_assert_uint_eq(st_stats(p.store).attached, 1);
    if (_i == 0) {
        say(&p, 1, 0, "retransmit_failed", "\"seq_arg\":3");
    } else if (_i == 2) {
        /* Or the master does not know it any more, */
        say(&p, 1, 0, "cumulative_ack", "\"seq_arg\":1");
        say(&p, 1, 0, "nack", "\"seqs\":[0]");
    } else if (_i == 3) {
        /* or another one is in its place, and not elsewhere. */
        say_as(&p, 2, 2, 5, 1, 0, "nack", "\"seqs\":[0]");
        say_as(&p, 1, 1, 6, 0, 0, "nack", "\"seqs\":[0]");
        say_as(&p, 1, 1, 6, 1, 0, "nack", "\"seqs\":[1]");
        heard(&p, 1, "");
        say_as(&p, 1, 1, 6, 1, 0, "nack", "\"seqs\":[0]");
    } else {
        /* Or nobody answers its nacks. */
        say_as(&p, 1, 1, 5, 0, 9, "put", "\"key\":1,\"value\":1");
        net_advance(&p.net, 10500);
        forget(&p);
        net_advance(&p.net, 200);
    }
    heard(&p, 1, "!nack [c0]");
    ck_assert_uint_eq(st_stats(p.store).started, 2);
    st_holds(p.store, "<c1:c1>");
    forget(&p);
    show(&p, 1, 1, ""); /* for its earlier life */
    ck_assert_uint_eq(st_stats(p.store).attached, 0);
    show(&p, 1, 2, "");
    ck_assert_uint_eq(st_stats(p.store).attached, 1);
    st_holds(p.store, "<>");
    heard(&p, 1, "cumulative_ack c1; attach_writer c1; put 2 c9 c9");
    done(&p);
}
END_TEST

/* What masters do not say to clones. */
START_TEST(nonsense_for_a_clone)
{
    struct peers p;

    make(&p, false, NULL);
    show(&p, 1, 1, "");
    say_as(&p, 1, 1, 5, 0, 2, "put", "\"key\":1,\"value\":1");
    say_as(&p, 1, 1, 5, 0, 3, "add", "\"key\":1,\"value\":1,\"init_type\":2");
    say_as(&p, 1, 1, 5, 0, 4, "subtract", "\"key\":1,\"value\":1");
    say_as(&p, 1, 1, 5, 0, 5, "put_unique", "\"key\":3,\"value\":1");
    say_as(&p, 1, 1, 5, 0, 6, "expire", "\"key\":9");
    say_as(&p, 1, 1, 5, 0, 7, "put_unique_result",
           "\"inserted\":true,\"who\":[\"02020202-0202-0202-0202-020202020202\",1],\"req_id\":7");
    say_as(&p, 1, 1, 5, 1, 0, "nack", "\"seqs\":[99]");
    say_as(&p, 1, 1, 5, 1, 0, "attach_writer", "");
    say_as(&p, 1, 1, 5, 0, 8, "put", "\"key\":2,\"value\":1");
    st_holds(p.store, "<c1:c1,c2:c1>");
    st_told(p.store, "attached n1/5; insert c1 c1 n4294967295/0; insert c2 c1 n4294967295/0");
    done(&p);
}
END_TEST

/* ----- memory ----- */

#define NIL_TEXT "00000000-0000-0000-0000-000000000000"
#define US_TEXT  "01010101-0101-0101-0101-010101010101"
#define PEER     "02020202-0202-0202-0202-020202020202"

/* Commands as a peer says them, in a row; some come early. */
static const char *const to_master[] = {
    "\"seq\":0,\"receiver\":[\"" NIL_TEXT "\",0],\"name\":\"nack\",\"seqs\":[0]",
    "\"name\":\"attach_writer\",\"offset\":1,\"heartbeat_interval\":5",
    "\"seq\":2,\"name\":\"put\",\"key\":1,\"value\":\"text\",\"expiry_ns\":9000000000000",
    "\"seq\":4,\"name\":\"add\",\"key\":2,\"value\":5,\"init_type\":12",
    "\"seq\":3,\"name\":\"put_unique\",\"key\":3,\"value\":[1,2],\"who\":[\"" PEER "\",9],"
    "\"req_id\":7",
    "\"seq\":5,\"name\":\"subtract\",\"key\":3,\"value\":5",
    "\"seq\":6,\"name\":\"put\",\"key\":4,\"value\":4",
    "\"seq\":7,\"name\":\"erase\",\"key\":4",
    "\"seq\":0,\"name\":\"nack\",\"seqs\":[2,3]",
};

static const char *const to_clone[] = {
    "\"seq\":1,\"name\":\"ack_clone\",\"offset\":1,\"heartbeat_interval\":5,\"state\":[]",
    "\"seq\":2,\"name\":\"put\",\"key\":1,\"value\":\"text\"",
    "\"seq\":4,\"name\":\"put\",\"key\":2,\"value\":2",
    "\"seq\":3,\"name\":\"put\",\"key\":3,\"value\":[1,2]",
    "\"seq\":5,\"name\":\"put\",\"key\":3,\"value\":[1]",
    "\"seq\":6,\"name\":\"expire\",\"key\":2",
    "\"seq\":7,\"name\":\"put_unique_result\",\"inserted\":true,\"who\":[\"" US_TEXT
    "\",1],\"req_id\":7",
};

/* Says it to the stores of an endpoint, as its sessions do. */
static void take(leat_broker *broker, bool is_master, const char *command)
{
    const leat_allocator allocator = lt_allocator(NULL);
    struct lt_writer out = lt_writer(&allocator, 65536);
    struct leat_error error;
    struct lt_tree tree;
    leat_builder *builder;
    char text[1024];

    (void)snprintf(text, sizeof text,
                   "{\"sender\":\"" PEER "\",\"topic\":\"s/<$>/data/%s\",\"command\":{"
                   "\"sender\":[\"" PEER "\",5]%s,%s}}",
                   is_master ? "master" : "clone",
                   strstr(command, "receiver") != NULL ? "" : ",\"receiver\":[\"" US_TEXT "\",1]",
                   command);
    builder = t_json(text, strlen(text));
    ck_assert_int_eq(lt_broker_write_message(lt_broker_message(LT_BROKER_COMMAND), &out,
                                             leat_builder_value(builder), &error),
                     LEAT_OK);
    lt_tree_init(&tree, &allocator, 10000);
    ck_assert_int_eq(lt_broker_read_message(lt_broker_message(LT_BROKER_COMMAND),
                                            lt_reader(out.data, out.length), &tree, 128, &error),
                     LEAT_OK);
    ck_assert(lt_stores_take(broker, tree.cells));
    lt_tree_free(&tree);
    lt_writer_free(&out);
    leat_builder_free(builder);
}

/*
 * Everything is said three times, with ticks in between, as a channel does with what nobody
 * acknowledges: whatever failed the first time, all is done in the end, and once.
 */
static int hear_all(const leat_config *config, const void *arg)
{
    bool is_master = *(const bool *)arg;
    const char *const *commands = is_master ? to_master : to_clone;
    size_t count =
        is_master ? sizeof to_master / sizeof *to_master : sizeof to_clone / sizeof *to_clone;
    leat_broker_options options;
    leat_broker_store *store = NULL;
    leat_broker *broker = NULL;
    const leat_event *event;
    int status, times;
    size_t i;

    leat_broker_options_init(&options, sizeof options);
    net_id(0, options.id);
    status = leat_broker_new(config, &options, &broker);
    if (status == LEAT_OK)
        status = is_master ? leat_broker_store_master(broker, "s", 1, NULL, &store)
                           : leat_broker_store_clone(broker, "s", 1, NULL, &store);
    for (times = 0; status == LEAT_OK && times < 3; times++) {
        for (i = 0; i < count; i++)
            take(broker, is_master, commands[i]);
        leat_broker_tick(broker, 100 + 300 * (uint64_t)times);
    }
    if (status == LEAT_OK) {
        char *held = st_dump(store), *expiry = strchr(held, '@');

        /* When it expires depends on when it was done. */
        if (expiry != NULL)
            memmove(expiry, strchr(expiry, ','), strlen(strchr(expiry, ',')) + 1);
        ck_assert_str_eq(held,
                         is_master ? "<c1:\"text\",c2:{c5},c3:[c1]>" : "<c1:\"text\",c3:[c1]>");
        ck_assert((expiry != NULL) == is_master);
        free(held);
        do {
            status = leat_broker_store_next(store, &event);
        } while (status == LEAT_OK);
        status = status == LEAT_MORE ? LEAT_OK : status;
    }
    leat_broker_store_free(store);
    leat_broker_free(broker);
    return status;
}

START_TEST(every_alloc)
{
    const bool is_master = _i == 0;

    t_every_alloc(hear_all, &is_master);
}
END_TEST

static void tests(TCase *t)
{
    tcase_add_test(t, a_clone_attaches);
    tcase_add_test(t, nacks);
    tcase_add_loop_test(t, bad_nacks, 0, 2);
    tcase_add_loop_test(t, copies_are_not_for_the_asking, 0, 2);
    tcase_add_test(t, writers_in_order);
    tcase_add_test(t, silence);
    tcase_add_loop_test(t, nonsense_for_a_master, 0, (int)(sizeof nonsense / sizeof *nonsense));
    tcase_add_test(t, the_future);
    tcase_add_loop_test(t, unsound_values, 0, (int)(sizeof unsound / sizeof *unsound));
    tcase_add_test(t, results_of_others);
    tcase_add_test(t, limit_of_early_commands);
    tcase_add_test(t, a_master_answers);
    tcase_add_test(t, writes_that_the_master_lacks);
    tcase_add_test(t, one_master_only);
    tcase_add_loop_test(t, lost_for_good, 0, 4);
    tcase_add_test(t, nobody_is_us);
    tcase_add_test(t, acknowledgements_between_ticks);
    tcase_add_test(t, nonsense_for_a_clone);
    tcase_add_loop_test(t, every_alloc, 0, 2);
}

T_MAIN("broker/store_peer", tests)
