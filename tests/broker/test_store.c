/* A master by itself: what it does to its entries, what it tells, what it refuses. */
#include "net.h"
#include "stores.h"
#include "wire.h"

#include <leat/broker.h>
#include <stdio.h>

static leat_broker *make_broker(const leat_config *config)
{
    leat_broker_options options;
    leat_broker *broker = NULL;

    leat_broker_options_init(&options, sizeof options);
    net_id(0, options.id);
    if (leat_broker_new(config, &options, &broker) != LEAT_OK)
        return NULL;
    leat_broker_tick(broker, 1000);
    return broker;
}

static leat_broker_store *make_master(leat_broker *broker, const leat_broker_store_options *options)
{
    leat_broker_store *store;

    ck_assert_int_eq(leat_broker_store_master(broker, "s", 1, options, &store), LEAT_OK);
    return store;
}

/* ----- additions and subtractions ----- */

#define ADD 0
#define SUB 1

static const struct {
    const char *name;
    int operation;
    const char *stored; /* NULL: nothing */
    const char *operand;
    uint32_t init_kind;
    int status;
    const char *result; /* NULL: as it was */
} operations[] = {
    {"count and count", ADD, "c5", "c7", LEAT_UINT, LEAT_OK, "c12"},
    {"counts wrap", ADD, "c18446744073709551615", "c2", LEAT_UINT, LEAT_OK, "c1"},
    {"counts wrap below", SUB, "c5", "c7", 0, LEAT_OK, "c18446744073709551614"},
    {"count less count", SUB, "c5", "c2", 0, LEAT_OK, "c3"},
    {"integer and integer", ADD, "i-5", "i3", LEAT_INT, LEAT_OK, "i-2"},
    {"integers wrap", ADD, "i9223372036854775807", "i1", LEAT_INT, LEAT_OK,
     "i-9223372036854775808"},
    {"integers wrap below", SUB, "i-9223372036854775808", "i1", 0, LEAT_OK, "i9223372036854775807"},
    {"integer less integer", SUB, "i-5", "i-7", 0, LEAT_OK, "i2"},
    {"real and real", ADD, "r1.5", "r2.25", LEAT_REAL, LEAT_OK, "r3.75"},
    {"real less real", SUB, "r1.5", "r2.25", 0, LEAT_OK, "r-0.75"},
    {"timespan and timespan", ADD, "D5", "D-7", LEAT_TIMESPAN, LEAT_OK, "D-2"},
    {"timespan less timespan", SUB, "D5", "D7", 0, LEAT_OK, "D-2"},
    {"timestamp and timespan", ADD, "T100", "D5", LEAT_TIMESTAMP, LEAT_OK, "T105"},
    {"timestamp less timespan", SUB, "T100", "D5", 0, LEAT_OK, "T95"},
    {"text and text", ADD, "\"ab\"", "\"cd\"", LEAT_TEXT, LEAT_OK, "\"abcd\""},
    {"text and nothing", ADD, "\"ab\"", "\"\"", LEAT_TEXT, LEAT_OK, "\"ab\""},
    {"list and anything", ADD, "[c1,[]]", "[c2]", LEAT_LIST, LEAT_OK, "[c1,[],[c2]]"},
    {"pop", SUB, "[c1,[c2],c3]", "\"x\"", 0, LEAT_OK, "[c1,[c2]]"},
    {"pop of a list in a list", SUB, "[c1,[c2,c3]]", "n", 0, LEAT_OK, "[c1]"},
    {"pop of nothing", SUB, "[]", "n", 0, LEAT_OK, "[]"},
    {"set and a new element", ADD, "{c1,c3}", "c2", LEAT_SET, LEAT_OK, "{c1,c2,c3}"},
    {"set and its element", ADD, "{c1,c3}", "c3", LEAT_SET, LEAT_OK, "{c1,c3}"},
    {"set and a last element", ADD, "{c1}", "\"x\"", LEAT_SET, LEAT_OK, "{c1,\"x\"}"},
    {"set less an element", SUB, "{c1,c2,c3}", "c2", 0, LEAT_OK, "{c1,c3}"},
    {"set less what is not in it", SUB, "{c1}", "i1", 0, LEAT_OK, "{c1}"},
    {"table and a new key", ADD, "<c1:n>", "[\"k\",c2]", LEAT_TABLE, LEAT_OK, "<c1:n,\"k\":c2>"},
    {"table and its key", ADD, "<c1:n,c2:{c7}>", "[c1,[c9]]", LEAT_TABLE, LEAT_OK,
     "<c1:[c9],c2:{c7}>"},
    {"table less a key", SUB, "<c1:n,c2:{c7}>", "c2", 0, LEAT_OK, "<c1:n>"},
    {"table less what is not there", SUB, "<c1:n>", "c2", 0, LEAT_OK, "<c1:n>"},
    /* What begins with nothing. */
    {"count from nothing", ADD, NULL, "c7", LEAT_UINT, LEAT_OK, "c7"},
    {"integer from nothing", ADD, NULL, "i-7", LEAT_INT, LEAT_OK, "i-7"},
    {"real from nothing", ADD, NULL, "r0.5", LEAT_REAL, LEAT_OK, "r0.5"},
    {"text from nothing", ADD, NULL, "\"x\"", LEAT_TEXT, LEAT_OK, "\"x\""},
    {"timestamp from nothing", ADD, NULL, "D5", LEAT_TIMESTAMP, LEAT_OK, "T5"},
    {"timespan from nothing", ADD, NULL, "D5", LEAT_TIMESPAN, LEAT_OK, "D5"},
    {"list from nothing", ADD, NULL, "D5", LEAT_LIST, LEAT_OK, "[D5]"},
    {"set from nothing", ADD, NULL, "[c1]", LEAT_SET, LEAT_OK, "{[c1]}"},
    {"table from nothing", ADD, NULL, "[c1,c2]", LEAT_TABLE, LEAT_OK, "<c1:c2>"},
    {"nothing is left behind", ADD, NULL, "i7", LEAT_UINT, LEAT_E_VALUE, NULL},
    {"nothing is left of a table", ADD, NULL, "[c1]", LEAT_TABLE, LEAT_E_VALUE, NULL},
    {"less than nothing", SUB, NULL, "c7", 0, LEAT_E_STATE, NULL},
    /* What does not fit. */
    {"count and integer", ADD, "c5", "i7", LEAT_UINT, LEAT_E_VALUE, NULL},
    {"integer and count", ADD, "i5", "c7", LEAT_INT, LEAT_E_VALUE, NULL},
    {"real and count", ADD, "r5", "c7", LEAT_REAL, LEAT_E_VALUE, NULL},
    {"timestamp and timestamp", ADD, "T5", "T7", LEAT_TIMESTAMP, LEAT_E_VALUE, NULL},
    {"timespan and timestamp", ADD, "D5", "T7", LEAT_TIMESPAN, LEAT_E_VALUE, NULL},
    {"timestamp less timestamp", SUB, "T5", "T7", 0, LEAT_E_VALUE, NULL},
    {"text and count", ADD, "\"ab\"", "c1", LEAT_TEXT, LEAT_E_VALUE, NULL},
    {"text less text", SUB, "\"ab\"", "\"b\"", 0, LEAT_E_VALUE, NULL},
    {"text and enum", ADD, "\"ab\"", "e\"b\"", LEAT_TEXT, LEAT_E_VALUE, NULL},
    {"table and what is no pair", ADD, "<c1:n>", "c2", LEAT_TABLE, LEAT_E_VALUE, NULL},
    {"table and three", ADD, "<c1:n>", "[c2,c3,c4]", LEAT_TABLE, LEAT_E_VALUE, NULL},
    {"table and a set", ADD, "<c1:n>", "{c2,c3}", LEAT_TABLE, LEAT_E_VALUE, NULL},
    {"NaN into a set", ADD, "{r1}", "rnan", LEAT_SET, LEAT_E_VALUE, NULL},
    {"NaN out of a set", SUB, "{r1}", "rnan", 0, LEAT_E_VALUE, NULL},
    {"NaN as a key", ADD, "<r1:n>", "[[rnan],c1]", LEAT_TABLE, LEAT_E_VALUE, NULL},
    {"NaN into a list", ADD, "[]", "rnan", LEAT_LIST, LEAT_OK, "[rnan]"},
    {"boolean", ADD, "b1", "b1", LEAT_UINT, LEAT_E_VALUE, NULL},
    {"none", ADD, "n", "n", LEAT_UINT, LEAT_E_VALUE, NULL},
    {"address", ADD, "a1.2.3.4", "a1.2.3.4", LEAT_UINT, LEAT_E_VALUE, NULL},
    {"port", SUB, "p80", "p80", 0, LEAT_E_VALUE, NULL},
    {"enum", ADD, "e\"a\"", "e\"b\"", LEAT_TEXT, LEAT_E_VALUE, NULL},
    /* Kinds that nothing can begin with. */
    {"boolean from nothing", ADD, NULL, "b1", LEAT_BOOL, LEAT_E_VALUE, NULL},
    {"enum from nothing", ADD, NULL, "e\"a\"", LEAT_ENUM, LEAT_E_VALUE, NULL},
    {"none from nothing", ADD, NULL, "n", LEAT_NULL, LEAT_E_VALUE, NULL},
    {"record from nothing", ADD, NULL, "c1", LEAT_RECORD, LEAT_E_VALUE, NULL},
    {"bytes from nothing", ADD, NULL, "c1", LEAT_BYTES, LEAT_E_VALUE, NULL},
    {"no kind", ADD, NULL, "c1", 99, LEAT_E_VALUE, NULL},
};

START_TEST(operation)
{
    leat_broker *broker = make_broker(NULL);
    leat_broker_store *store = make_master(broker, NULL);
    const char *stored = operations[_i].stored;
    int status;
    char *is;

    if (stored != NULL)
        ck_assert_int_eq(st_put(store, "\"k\"", stored, LEAT_BROKER_FOR_EVER), LEAT_OK);
    status = operations[_i].operation == ADD
                 ? st_add(store, "\"k\"", operations[_i].operand, operations[_i].init_kind)
                 : st_subtract(store, "\"k\"", operations[_i].operand);
    ck_assert_msg(status == operations[_i].status, "%s: %s", operations[_i].name,
                  leat_status_name(status));
    ck_assert((leat_broker_store_error(store) == NULL) == (status == LEAT_OK));
    is = st_get(store, "\"k\"");
    if (operations[_i].result != NULL)
        ck_assert_str_eq(is, operations[_i].result);
    else if (stored != NULL)
        ck_assert_str_eq(is, stored);
    else
        ck_assert_ptr_null(is);
    ck_assert_uint_eq(leat_broker_store_count(store), is != NULL);
    free(is);
    leat_broker_store_free(store);
    leat_broker_free(broker);
}
END_TEST

/* ----- Zeek's names ----- */

START_TEST(conveniences)
{
    leat_broker *broker = make_broker(NULL);
    leat_broker_store *store = make_master(broker, NULL);
    leat_builder *k = st_value("\"k\""), *five = st_value("c5"), *span = st_value("D5");
    const leat_value *key = leat_builder_value(k), *count = leat_builder_value(five);
    const int64_t ever = LEAT_BROKER_FOR_EVER;

    ck_assert_int_eq(leat_broker_store_increment(store, key, count, ever), LEAT_OK);
    ck_assert_int_eq(leat_broker_store_increment(store, key, count, ever), LEAT_OK);
    st_holds(store, "<\"k\":c10>");
    ck_assert_int_eq(leat_broker_store_decrement(store, key, count, ever), LEAT_OK);
    st_holds(store, "<\"k\":c5>");
    ck_assert_int_eq(leat_broker_store_clear(store), LEAT_OK);
    ck_assert_int_eq(leat_broker_store_increment(store, key, leat_builder_value(span), ever),
                     LEAT_OK);
    st_holds(store, "<\"k\":T5>");
    ck_assert_int_eq(leat_broker_store_erase(store, key), LEAT_OK);
    ck_assert_int_eq(leat_broker_store_append(store, key, "ab", 2, ever), LEAT_OK);
    ck_assert_int_eq(leat_broker_store_append(store, key, "c", 1, ever), LEAT_OK);
    ck_assert_int_eq(leat_broker_store_append(store, key, NULL, 0, ever), LEAT_OK);
    st_holds(store, "<\"k\":\"abc\">");
    ck_assert_int_eq(leat_broker_store_erase(store, key), LEAT_OK);
    ck_assert_int_eq(leat_broker_store_insert_into_set(store, key, count, ever), LEAT_OK);
    ck_assert_int_eq(leat_broker_store_insert_into_set(store, key, NULL, ever), LEAT_OK);
    st_holds(store, "<\"k\":{n,c5}>");
    ck_assert_int_eq(leat_broker_store_remove_from(store, key, count, ever), LEAT_OK);
    st_holds(store, "<\"k\":{n}>");
    ck_assert_int_eq(leat_broker_store_erase(store, key), LEAT_OK);
    ck_assert_int_eq(leat_broker_store_insert_into_table(store, key, count, key, ever), LEAT_OK);
    ck_assert_int_eq(leat_broker_store_insert_into_table(store, key, key, NULL, ever), LEAT_OK);
    st_holds(store, "<\"k\":<c5:\"k\",\"k\":n>>");
    ck_assert_int_eq(leat_broker_store_remove_from(store, key, key, ever), LEAT_OK);
    st_holds(store, "<\"k\":<c5:\"k\">>");
    ck_assert_int_eq(leat_broker_store_erase(store, key), LEAT_OK);
    ck_assert_int_eq(leat_broker_store_push(store, key, count, ever), LEAT_OK);
    ck_assert_int_eq(leat_broker_store_push(store, key, NULL, ever), LEAT_OK);
    st_holds(store, "<\"k\":[c5,n]>");
    ck_assert_int_eq(leat_broker_store_pop(store, key, ever), LEAT_OK);
    st_holds(store, "<\"k\":[c5]>");
    leat_builder_free(k);
    leat_builder_free(five);
    leat_builder_free(span);
    leat_broker_store_free(store);
    leat_broker_free(broker);
}
END_TEST

/* ----- events ----- */

START_TEST(events)
{
    leat_broker *broker = make_broker(NULL);
    leat_broker_store *store = make_master(broker, NULL);

    (void)st_put(store, "\"a\"", "c1", LEAT_BROKER_FOR_EVER);
    (void)st_put(store, "\"a\"", "[c2]", 5000000000);
    (void)st_unique(store, "\"a\"", "c3", 7);
    (void)st_unique(store, "\"b\"", "c4", 8);
    (void)st_add(store, "\"b\"", "c1", LEAT_UINT);
    (void)st_erase(store, "\"nobody\"");
    (void)st_erase(store, "\"b\"");
    st_told(store, "insert \"a\" c1 n0/1; update \"a\" c1 [c2] i5000000000 n0/1; "
                   "put_unique_result b0 c7; insert \"b\" c4 n0/1; put_unique_result b1 c8; "
                   "update \"b\" c4 c5 n0/1; erase \"b\" n0/1");
    leat_broker_tick(broker, 5999);
    st_told(store, "");
    leat_broker_tick(broker, 6000);
    st_told(store, "expire \"a\" n0/1");
    (void)st_put(store, "c2", "n", LEAT_BROKER_FOR_EVER);
    (void)st_put(store, "c1", "n", LEAT_BROKER_FOR_EVER);
    ck_assert_int_eq(leat_broker_store_clear(store), LEAT_OK);
    st_told(store, "insert c2 n n0/1; insert c1 n n0/1; erase c1 n0/1; erase c2 n0/1");
    ck_assert_uint_eq(leat_broker_store_count(store), 0);
    leat_broker_store_free(store);
    leat_broker_free(broker);
}
END_TEST

/* The names of fields, which the text of the others leaves out. */
START_TEST(fields)
{
    leat_broker *broker = make_broker(NULL);
    leat_broker_store *store = make_master(broker, NULL);
    const leat_event *event;
    char *json;

    (void)st_put(store, "\"a\"", "c1", LEAT_BROKER_FOR_EVER);
    (void)st_put(store, "\"a\"", "c2", 9);
    ck_assert_int_eq(leat_broker_store_next(store, &event), LEAT_OK);
    ck_assert_uint_eq(leat_event_kind(event), LEAT_BROKER_STORE_INSERT);
    json = t_json_text(leat_event_value(event));
    ck_assert_str_eq(json, "{\"store\":\"s\",\"key\":\"a\",\"value\":1,\"expiry_ns\":null,"
                           "\"publisher\":[\"01010101-0101-0101-0101-010101010101\",1]}");
    free(json);
    ck_assert_int_eq(leat_broker_store_next(store, &event), LEAT_OK);
    ck_assert_uint_eq(leat_event_kind(event), LEAT_BROKER_STORE_UPDATE);
    /* It is lent until the next call, whatever happens to the store. */
    (void)st_put(store, "\"a\"", "\"a much longer value, so that something has to move\"", 0);
    json = t_json_text(leat_event_value(event));
    ck_assert_str_eq(json, "{\"store\":\"s\",\"key\":\"a\",\"old\":1,\"new\":2,\"expiry_ns\":9,"
                           "\"publisher\":[\"01010101-0101-0101-0101-010101010101\",1]}");
    free(json);
    leat_broker_store_free(store);
    leat_broker_free(broker);
}
END_TEST

/* ----- expiry ----- */

START_TEST(expiry)
{
    leat_broker *broker = make_broker(NULL);
    leat_broker_store *store = make_master(broker, NULL);
    leat_builder *k = st_value("\"c\""), *v = st_value("c1");

    ck_assert_uint_eq(leat_broker_deadline(broker), UINT64_MAX);
    (void)st_put(store, "\"a\"", "c1", 300000000);
    (void)st_put(store, "\"b\"", "c1", 200000001);
    (void)leat_broker_store_add(store, leat_builder_value(k), leat_builder_value(v), LEAT_UINT,
                                100000000);
    (void)st_put(store, "\"d\"", "c1", 0);
    st_holds(store, "<\"a\":c1@300,\"b\":c1@201,\"c\":c1@100,\"d\":c1@0>");
    ck_assert_uint_eq(leat_broker_deadline(broker), 1000);
    leat_broker_tick(broker, 1000);
    ck_assert_uint_eq(leat_broker_deadline(broker), 1100);
    /* A write without a time keeps it for ever, one with another time changes it. */
    (void)st_add(store, "\"c\"", "c1", LEAT_UINT);
    (void)st_subtract(store, "\"a\"", "c1");
    ck_assert_uint_eq(leat_broker_deadline(broker), 1201);
    leat_broker_tick(broker, 1200);
    st_holds(store, "<\"a\":c0,\"b\":c1@1,\"c\":c2>");
    (void)st_put(store, "\"b\"", "c1", 100000000);
    (void)st_put(store, "\"a\"", "c1", 50000000);
    leat_broker_tick(broker, 1201);
    ck_assert_uint_eq(leat_broker_deadline(broker), 1250);
    leat_broker_tick(broker, 9000);
    st_holds(store, "<\"c\":c2>");
    ck_assert_uint_eq(leat_broker_deadline(broker), UINT64_MAX);
    (void)st_put(store, "\"c\"", "c1", INT64_MAX);
    ck_assert_uint_eq(leat_broker_deadline(broker), 9000 + 9223372036855u);
    leat_builder_free(k);
    leat_builder_free(v);
    leat_broker_store_free(store);
    leat_broker_free(broker);
}
END_TEST

/* ----- keys ----- */

START_TEST(keys)
{
    leat_broker *broker = make_broker(NULL);
    leat_broker_store *store = make_master(broker, NULL);
    leat_builder *b, *k = st_value("c7");
    char *text;

    (void)st_put(store, "n", "c1", LEAT_BROKER_FOR_EVER);
    (void)st_put(store, "r-0.0", "c2", LEAT_BROKER_FOR_EVER);
    (void)st_put(store, "r0.0", "c3", LEAT_BROKER_FOR_EVER);
    (void)st_put(store, "{[r-0.0],a1.2.3.4}", "c4", LEAT_BROKER_FOR_EVER);
    (void)st_put(store, "{a1.2.3.4,[r0.0]}", "c5", LEAT_BROKER_FOR_EVER);
    st_holds(store, "<n:c1,r0:c3,{a1.2.3.4,[r0]}:c5>");
    ck_assert_int_eq(st_put(store, "[rnan]", "c1", LEAT_BROKER_FOR_EVER), LEAT_E_VALUE);
    ck_assert_int_eq(st_put(store, "{c1,c1}", "c1", LEAT_BROKER_FOR_EVER), LEAT_E_VALUE);
    ck_assert_int_eq(st_put(store, "c1", "{c1,c1}", LEAT_BROKER_FOR_EVER), LEAT_E_VALUE);
    ck_assert_int_eq(leat_error_code(leat_broker_store_error(store)), LEAT_E_VALUE);
    ck_assert_int_eq(leat_broker_store_exists(store, leat_builder_value(k)), 0);
    ck_assert_int_eq(leat_broker_store_exists(store, NULL), 1);
    ck_assert_int_eq(leat_builder_new(NULL, &b), LEAT_OK);
    ck_assert_int_eq(leat_broker_store_get(store, leat_builder_value(k), b, NULL), LEAT_E_STATE);
    ck_assert_int_eq(leat_broker_store_keys(store, b, NULL), LEAT_OK);
    text = st_text(leat_builder_value(b));
    ck_assert_str_eq(text, "{n,r0,{a1.2.3.4,[r0]}}");
    free(text);
    /* What cannot be a key cannot be looked up either. */
    leat_builder_free(k);
    k = st_value("rnan");
    ck_assert_int_eq(leat_broker_store_exists(store, leat_builder_value(k)), LEAT_E_VALUE);
    ck_assert_int_eq(leat_broker_store_get(store, leat_builder_value(k), b, NULL), LEAT_E_VALUE);
    ck_assert_int_eq(leat_broker_store_after(store, leat_builder_value(k), b), LEAT_E_VALUE);
    leat_builder_free(k);
    leat_builder_free(b);
    leat_broker_store_free(store);
    leat_broker_free(broker);
}
END_TEST

/* A walk goes on whatever happens to the entries. */
START_TEST(walk)
{
    leat_broker *broker = make_broker(NULL);
    leat_broker_store *store = make_master(broker, NULL);
    leat_builder *b;
    uint64_t seen = 0, sum = 0, i;
    int status;

    for (i = 0; i < 1000; i++) {
        char key[32];

        (void)snprintf(key, sizeof key, "c%u", (unsigned)(i * 7919 % 1000));
        ck_assert_int_eq(st_put(store, key, "n", LEAT_BROKER_FOR_EVER), LEAT_OK);
    }
    ck_assert_uint_eq(leat_broker_store_count(store), 1000);
    ck_assert_int_eq(leat_builder_new(NULL, &b), LEAT_OK);
    for (status = leat_broker_store_after(store, NULL, b); status == LEAT_OK;
         status = leat_broker_store_after(store, leat_value_get(leat_builder_value(b), "key"), b)) {
        const leat_value *key = leat_value_get(leat_builder_value(b), "key");

        ck_assert_uint_eq(leat_value_u64(key), seen);
        sum += leat_value_u64(key);
        seen++;
        if (seen % 2 == 0)
            ck_assert_int_eq(leat_broker_store_erase(store, key), LEAT_OK);
    }
    ck_assert_int_eq(status, LEAT_END);
    ck_assert_ptr_null(leat_builder_value(b));
    ck_assert_uint_eq(sum, 499500);
    ck_assert_uint_eq(leat_broker_store_count(store), 500);
    leat_builder_free(b);
    leat_broker_store_free(store);
    leat_broker_free(broker);
}
END_TEST

/* ----- limits ----- */

static leat_broker_store_options small(void)
{
    leat_broker_store_options options;

    leat_broker_store_options_init(&options, sizeof options);
    return options;
}

START_TEST(limit_of_entries)
{
    leat_broker *broker = make_broker(NULL);
    leat_broker_store_options options = small();
    leat_broker_store *store;

    options.entries = 2;
    store = make_master(broker, &options);
    ck_assert_int_eq(st_put(store, "c1", "c1", LEAT_BROKER_FOR_EVER), LEAT_OK);
    ck_assert_int_eq(st_put(store, "c2", "c1", LEAT_BROKER_FOR_EVER), LEAT_OK);
    ck_assert_int_eq(st_put(store, "c3", "c1", LEAT_BROKER_FOR_EVER), LEAT_E_LIMIT);
    ck_assert_int_eq(st_add(store, "c3", "c1", LEAT_UINT), LEAT_E_LIMIT);
    ck_assert_int_eq(st_unique(store, "c3", "c1", 1), LEAT_E_LIMIT);
    ck_assert_int_eq(st_put(store, "c2", "c2", LEAT_BROKER_FOR_EVER), LEAT_OK);
    ck_assert_int_eq(st_erase(store, "c1"), LEAT_OK);
    ck_assert_int_eq(st_put(store, "c3", "c1", LEAT_BROKER_FOR_EVER), LEAT_OK);
    st_holds(store, "<c2:c2,c3:c1>");
    leat_broker_store_free(store);
    leat_broker_free(broker);
}
END_TEST

START_TEST(limit_of_bytes)
{
    leat_broker *broker = make_broker(NULL);
    leat_broker_store_options options = small();
    leat_broker_store *store;

    options.bytes = 9 + 3 + 9 + 4; /* two counts, "x" and "xy" */
    store = make_master(broker, &options);
    ck_assert_int_eq(st_put(store, "c1", "\"x\"", LEAT_BROKER_FOR_EVER), LEAT_OK);
    ck_assert_int_eq(st_put(store, "c2", "\"xyz\"", LEAT_BROKER_FOR_EVER), LEAT_E_LIMIT);
    ck_assert_int_eq(st_put(store, "c2", "\"xy\"", LEAT_BROKER_FOR_EVER), LEAT_OK);
    ck_assert_uint_eq(st_stats(store).bytes, 25);
    ck_assert_int_eq(st_put(store, "c2", "\"xyz\"", LEAT_BROKER_FOR_EVER), LEAT_E_LIMIT);
    ck_assert_int_eq(st_add(store, "c1", "\"x\"", LEAT_TEXT), LEAT_E_LIMIT);
    ck_assert_int_eq(st_put(store, "c1", "\"\"", LEAT_BROKER_FOR_EVER), LEAT_OK);
    ck_assert_int_eq(st_put(store, "c2", "\"xyz\"", LEAT_BROKER_FOR_EVER), LEAT_OK);
    ck_assert_int_eq(st_erase(store, "c1"), LEAT_OK);
    ck_assert_uint_eq(st_stats(store).bytes, 9 + 5);
    leat_broker_store_free(store);
    leat_broker_free(broker);
}
END_TEST

START_TEST(limit_of_a_message)
{
    leat_limits limits;
    leat_config config;
    leat_broker *broker;
    leat_broker_store *store;
    leat_builder *k = st_value("\"k\""), *b;
    char *text = (char *)malloc(4096);
    size_t length, around;

    leat_limits_init(&limits, sizeof limits);
    limits.message_bytes = 2048;
    leat_config_init(&config, sizeof config);
    config.limits = &limits;
    broker = make_broker(&config);
    store = make_master(broker, NULL);
    memset(text, 'x', 4096);
    /* The envelope, the topic of the master, the command, the key, the varbyte of the text. */
    around = 37 + strlen("s/<$>/data/master") + 57 + 3 + 3 + 1 + 24;
    for (length = 2048 - around - 1; length <= 2048 - around + 1; length++) {
        ck_assert_int_eq(leat_builder_new(NULL, &b), LEAT_OK);
        ck_assert_int_eq(leat_builder_text(b, NULL, text, length), LEAT_OK);
        ck_assert_int_eq(leat_broker_store_put(store, leat_builder_value(k), leat_builder_value(b),
                                               LEAT_BROKER_FOR_EVER),
                         length <= 2048 - around ? LEAT_OK : LEAT_E_LIMIT);
        leat_builder_free(b);
    }
    free(text);
    leat_builder_free(k);
    leat_broker_store_free(store);
    leat_broker_free(broker);
}
END_TEST

START_TEST(limit_of_depth)
{
    leat_broker *broker = make_broker(NULL);
    leat_broker_store *store = make_master(broker, NULL);
    unsigned depth;

    for (depth = 119; depth <= 121; depth++) {
        char text[300] = "";

        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        ck_assert_int_eq(st_put(store, "c1", text, LEAT_BROKER_FOR_EVER),
                         depth <= 120 ? LEAT_OK : LEAT_E_VALUE);
        ck_assert_int_eq(st_put(store, text, "c1", LEAT_BROKER_FOR_EVER),
                         depth <= 120 ? LEAT_OK : LEAT_E_VALUE);
        /* A list around it counts. */
        ck_assert_int_eq(st_erase(store, "c2"), LEAT_OK);
        ck_assert_int_eq(st_add(store, "c2", text, LEAT_LIST),
                         depth <= 119 ? LEAT_OK : LEAT_E_VALUE);
    }
    leat_broker_store_free(store);
    leat_broker_free(broker);
}
END_TEST

/* Many values side by side are not deep. */
START_TEST(wide_values)
{
    leat_broker *broker = make_broker(NULL);
    leat_broker_store *store = make_master(broker, NULL);
    char text[1024] = "[";
    size_t i;

    for (i = 0; i < 300; i++)
        memcpy(text + 1 + 3 * i, "[],", 3);
    text[3 * i] = ']';
    ck_assert_int_eq(st_put(store, text, text, LEAT_BROKER_FOR_EVER), LEAT_OK);
    leat_broker_store_free(store);
    leat_broker_free(broker);
}
END_TEST

START_TEST(limit_of_events)
{
    leat_broker *broker = make_broker(NULL);
    leat_broker_store_options options = small();
    leat_broker_store *store;
    uint64_t one;

    store = make_master(broker, NULL);
    (void)st_put(store, "c1", "c1", LEAT_BROKER_FOR_EVER);
    one = st_stats(store).event_bytes;
    ck_assert_uint_gt(one, 18);
    leat_broker_store_free(store);
    options.event_bytes = 2 * one;
    store = make_master(broker, &options);
    (void)st_put(store, "c1", "c1", LEAT_BROKER_FOR_EVER);
    (void)st_put(store, "c2", "c1", LEAT_BROKER_FOR_EVER);
    st_told(store, "insert c1 c1 n0/2; insert c2 c1 n0/2");
    (void)st_put(store, "c3", "c1", LEAT_BROKER_FOR_EVER);
    (void)st_put(store, "c4", "c1", LEAT_BROKER_FOR_EVER);
    (void)st_put(store, "c5", "c1", LEAT_BROKER_FOR_EVER);
    (void)st_put(store, "c6", "c1", LEAT_BROKER_FOR_EVER);
    st_told(store, "error c14 \"stale_data\" n \"events were lost: read the store anew\"; "
                   "insert c6 c1 n0/2");
    ck_assert_uint_eq(leat_broker_store_count(store), 6);
    leat_broker_store_free(store);
    options.event_bytes = 0;
    store = make_master(broker, &options);
    (void)st_put(store, "c1", "c1", LEAT_BROKER_FOR_EVER);
    st_told(store, "");
    leat_broker_store_free(store);
    leat_broker_free(broker);
}
END_TEST

/* ----- making one ----- */

static const struct {
    const char *name;
    size_t length;
    int status;
} names[] = {
    {"s", 1, LEAT_OK},  {"", 0, LEAT_E_VALUE},    {"s/", 2, LEAT_E_VALUE},
    {"/s", 2, LEAT_OK}, {"<$>", 3, LEAT_E_VALUE}, {"<$>/local/x", 11, LEAT_E_VALUE},
    {"<$", 2, LEAT_OK}, {NULL, 65000, LEAT_OK},   {NULL, 65001, LEAT_E_VALUE},
};

START_TEST(name)
{
    leat_broker *broker = make_broker(NULL);
    leat_broker_store *store = NULL, *again = NULL;
    char *text = (char *)malloc(names[_i].length + 1);

    memset(text, 'x', names[_i].length);
    if (names[_i].name != NULL)
        memcpy(text, names[_i].name, names[_i].length);
    ck_assert_int_eq(leat_broker_store_master(broker, text, names[_i].length, NULL, &store),
                     names[_i].status);
    ck_assert((leat_broker_error(broker) == NULL) == (names[_i].status == LEAT_OK));
    if (store != NULL) {
        ck_assert_int_eq(leat_broker_store_clone(broker, text, names[_i].length, NULL, &again),
                         LEAT_E_STATE);
        ck_assert_int_eq(leat_broker_store_master(broker, text, names[_i].length, NULL, &again),
                         LEAT_E_STATE);
        leat_broker_store_free(store);
        ck_assert_int_eq(leat_broker_store_clone(broker, text, names[_i].length, NULL, &again),
                         LEAT_OK);
        ck_assert_int_eq(leat_broker_store_master(broker, text, names[_i].length, NULL, &store),
                         LEAT_E_STATE);
        leat_broker_store_free(again);
    }
    free(text);
    leat_broker_free(broker);
}
END_TEST

/* What a store may hold can be told, also if what it was before is not less. */
START_TEST(large_update)
{
    leat_limits limits;
    leat_config config;
    leat_broker *broker;
    leat_broker_store *store;

    leat_limits_init(&limits, sizeof limits);
    leat_config_init(&config, sizeof config);
    limits.values = 16;
    config.limits = &limits;
    broker = make_broker(&config);
    store = make_master(broker, NULL);
    ck_assert_int_eq(st_put(store, "c1", "[n,n,n,n,n,n,n,n,n,n]", LEAT_BROKER_FOR_EVER), LEAT_OK);
    ck_assert_int_eq(st_put(store, "c1", "[n,n,n,n,n,n,n,n,n,c1]", LEAT_BROKER_FOR_EVER), LEAT_OK);
    ck_assert_int_eq(st_erase(store, "c1"), LEAT_OK);
    st_told(store, "insert c1 [n,n,n,n,n,n,n,n,n,n] n0/1; "
                   "update c1 [n,n,n,n,n,n,n,n,n,n] [n,n,n,n,n,n,n,n,n,c1] n0/1; erase c1 n0/1");
    leat_broker_store_free(store);
    leat_broker_free(broker);
}
END_TEST

/* Stores wait for no time that is over, even where there is none behind it. */
START_TEST(end_of_time)
{
    leat_broker *broker = wire_broker(NULL, NULL);
    leat_session *session = wire_peer(broker, false, 'L', "s/<$>/data/master");
    leat_broker_store *store;

    leat_broker_tick(broker, UINT64_MAX - 250);
    ck_assert_int_eq(leat_broker_store_clone(broker, "s", 1, NULL, &store), LEAT_OK);
    ck_assert_uint_eq(leat_broker_deadline(broker), UINT64_MAX - 150);
    leat_broker_tick(broker, UINT64_MAX - 50);
    ck_assert_uint_eq(leat_broker_deadline(broker), UINT64_MAX);
    leat_broker_tick(broker, UINT64_MAX);
    ck_assert_uint_eq(leat_broker_deadline(broker), UINT64_MAX);
    leat_broker_store_free(store);
    leat_session_free(session);
    leat_broker_free(broker);
}
END_TEST

START_TEST(mistakes)
{
    leat_broker *broker = make_broker(NULL);
    leat_broker_store_options options = {.size = 0};
    leat_broker_store_stats stats = {.size = 0};
    struct {
        leat_broker_store_stats stats;
        uint64_t more;
    } newer;
    leat_broker_store *store;
    leat_builder *b;

    ck_assert_int_eq(leat_broker_store_master(broker, "s", 1, &options, &store), LEAT_E_VALUE);
    store = make_master(broker, NULL);
    ck_assert_int_eq(st_put(store, "c1", "c1", -2), LEAT_E_VALUE);
    ck_assert_int_eq(leat_broker_store_get_stats(store, &stats), LEAT_E_VALUE);
    stats.size = 2 * sizeof stats.size; /* an older caller */
    ck_assert_int_eq(st_put(store, "c1", "c1", LEAT_BROKER_FOR_EVER), LEAT_OK);
    ck_assert_int_eq(leat_broker_store_get_stats(store, &stats), LEAT_OK);
    ck_assert_uint_eq(stats.entries, 1);
    ck_assert_uint_eq(stats.bytes, 0);
    memset(&newer, 0xff, sizeof newer);
    newer.stats.size = sizeof newer;
    ck_assert_int_eq(leat_broker_store_get_stats(store, &newer.stats), LEAT_OK);
    ck_assert_uint_eq(newer.stats.size, sizeof newer);
    ck_assert_uint_eq(newer.more, 0);
    /* Without its endpoint it can be read. */
    leat_broker_free(broker);
    ck_assert_int_eq(st_put(store, "c1", "c2", LEAT_BROKER_FOR_EVER), LEAT_E_STATE);
    ck_assert_int_eq(leat_broker_store_clear(store), LEAT_E_STATE);
    st_holds(store, "<c1:c1>");
    st_told(store, "insert c1 c1 n0/1");
    ck_assert_int_eq(leat_builder_new(NULL, &b), LEAT_OK);
    ck_assert_int_eq(leat_builder_u64(b, "key", 1), LEAT_E_STATE);
    leat_builder_free(b);
    leat_broker_store_free(store);
    leat_broker_store_free(NULL);
}
END_TEST

/* Numbers of stores are never used twice, whoever chose them. */
START_TEST(objects)
{
    leat_broker *broker = make_broker(NULL);
    leat_broker_store_options options = small();
    leat_broker_store *store;

    options.object = 7;
    store = make_master(broker, &options);
    (void)st_put(store, "c1", "c1", LEAT_BROKER_FOR_EVER);
    st_told(store, "insert c1 c1 n0/7");
    leat_broker_store_free(store);
    store = make_master(broker, NULL);
    (void)st_put(store, "c1", "c1", LEAT_BROKER_FOR_EVER);
    st_told(store, "insert c1 c1 n0/8");
    leat_broker_store_free(store);
    leat_broker_free(broker);
}
END_TEST

/* ----- memory ----- */

static int local_life(const leat_config *config, const void *arg)
{
    leat_broker *broker = make_broker(config);
    leat_broker_store *store = NULL;
    const leat_event *event;
    leat_builder *b = NULL;
    int status = LEAT_E_NOMEM;

    (void)arg;
    if (broker == NULL || leat_broker_store_master(broker, "s", 1, NULL, &store) != LEAT_OK)
        goto done;
    if (st_put(store, "\"a\"", "{c1,c2}", 1000000) != LEAT_OK ||
        st_unique(store, "[r-0.0]", "\"x\"", 1) != LEAT_OK ||
        st_add(store, "\"a\"", "c3", LEAT_SET) != LEAT_OK ||
        st_add(store, "\"t\"", "\"text\"", LEAT_TEXT) != LEAT_OK ||
        st_subtract(store, "\"a\"", "c1") != LEAT_OK || st_erase(store, "\"t\"") != LEAT_OK)
        goto done;
    leat_broker_tick(broker, 5000);
    if (leat_builder_new(config, &b) != LEAT_OK ||
        leat_broker_store_keys(store, b, NULL) != LEAT_OK)
        goto done;
    do {
        status = leat_broker_store_next(store, &event);
    } while (status == LEAT_OK);
    status = status == LEAT_MORE ? leat_broker_store_clear(store) : status;
done:
    leat_builder_free(b);
    leat_broker_store_free(store);
    leat_broker_free(broker);
    return status;
}

START_TEST(every_alloc)
{
    t_every_alloc(local_life, NULL);
}
END_TEST

/* Whatever fails, the entries are as before. */
START_TEST(failed_writes_change_nothing)
{
    leat_broker *broker = make_broker(NULL);
    leat_broker_store *store = make_master(broker, NULL);

    (void)st_put(store, "\"a\"", "{c1}", 9000000);
    free(st_log(store));
    ck_assert_int_lt(st_add(store, "\"a\"", "rnan", LEAT_SET), 0);
    ck_assert_int_lt(st_subtract(store, "\"b\"", "c1"), 0);
    ck_assert_int_lt(st_add(store, "\"b\"", "i1", LEAT_UINT), 0);
    ck_assert_int_lt(st_put(store, "\"a\"", "{c1,c1}", LEAT_BROKER_FOR_EVER), 0);
    st_holds(store, "<\"a\":{c1}@9>");
    st_told(store, "");
    leat_broker_store_free(store);
    leat_broker_free(broker);
}
END_TEST

START_TEST(memory)
{
    struct t_counter counter;
    leat_config config;
    leat_broker *broker;
    leat_broker_store_options options = small();
    leat_broker_store *store;
    size_t before, calls, i;

    t_counter_init(&counter);
    leat_config_init(&config, sizeof config);
    config.allocator = &counter.allocator;
    options.event_bytes = 0;
    broker = make_broker(&config);
    before = counter.now - leat_broker_memory(broker);
    store = make_master(broker, &options);
    for (i = 0; i < 300; i++) {
        char key[16];

        (void)snprintf(key, sizeof key, "c%u", (unsigned)i);
        ck_assert_int_eq(st_put(store, key, "{c1,c2,\"abc\"}", i % 2 == 0 ? 9 : -1), LEAT_OK);
    }
    ck_assert_uint_eq(counter.now - before,
                      leat_broker_memory(broker) + leat_broker_store_memory(store));
    leat_broker_tick(broker, 2000);
    ck_assert_uint_eq(leat_broker_store_count(store), 150);
    ck_assert_uint_eq(counter.now - before,
                      leat_broker_memory(broker) + leat_broker_store_memory(store));
    /* A write costs its value, and nothing else once warm. */
    calls = counter.calls;
    for (i = 0; i < 100; i++)
        ck_assert_int_eq(st_add(store, "c1", "c7", LEAT_SET), LEAT_OK);
    ck_assert_uint_le(counter.calls - calls, 108);
    leat_broker_store_free(store);
    leat_broker_free(broker);
    ck_assert_uint_eq(counter.now, 0);
}
END_TEST

static void tests(TCase *t)
{
    tcase_add_loop_test(t, operation, 0, (int)(sizeof operations / sizeof *operations));
    tcase_add_test(t, conveniences);
    tcase_add_test(t, events);
    tcase_add_test(t, fields);
    tcase_add_test(t, expiry);
    tcase_add_test(t, keys);
    tcase_add_test(t, walk);
    tcase_add_test(t, limit_of_entries);
    tcase_add_test(t, limit_of_bytes);
    tcase_add_test(t, limit_of_a_message);
    tcase_add_test(t, limit_of_depth);
    tcase_add_test(t, wide_values);
    tcase_add_test(t, limit_of_events);
    tcase_add_loop_test(t, name, 0, (int)(sizeof names / sizeof *names));
    tcase_add_test(t, end_of_time);
    tcase_add_test(t, large_update);
    tcase_add_test(t, mistakes);
    tcase_add_test(t, objects);
    tcase_add_test(t, every_alloc);
    tcase_add_test(t, failed_writes_change_nothing);
    tcase_add_test(t, memory);
}

T_MAIN("broker/store", tests)
