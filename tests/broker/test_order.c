/* Broker's order of values, and sorting by it. */
#include "../../lib/broker/order.h"

#include "lines.h"
#include "value.h"

#include <leat/broker.h>

/* Values in ascending order: each of them stands before every later one. Typed JSON. */
static const char *const ascending[] = {
#define OF(type, data) "{\"@data-type\":\"" type "\",\"data\":" data "}"
    OF("none", "{}"),
    OF("boolean", "false"),
    OF("boolean", "true"),
    OF("count", "0"),
    OF("count", "255"),
    OF("count", "256"),
    OF("count", "18446744073709551615"),
    OF("integer", "-9223372036854775808"),
    OF("integer", "-1"),
    OF("integer", "0"),
    OF("integer", "9223372036854775807"),
    OF("real", "-inf"),
    OF("real", "-1.5"),
    OF("real", "0.0"),
    OF("real", "1.0e-300"),
    OF("real", "2.0"),
    OF("real", "inf"),
    OF("string", "\"\""),
    OF("string", "\"\\u0000\""),
    OF("string", "\"Z\""),
    OF("string", "\"a\""),
    OF("string", "\"aa\""),
    OF("string", "\"aaaaaaa\""),
    OF("string", "\"aaaaaaaa\""),
    OF("string", "\"aaaaaaaaa\""),
    OF("string", "\"aaaaaaaab\""),
    OF("string", "\"aaaaaaabaaaaaaaa\""),
    OF("string", "\"aaaaaaabaaaaaaaaa\""),
    OF("string", "\"aaaaaaabaaaaaaaaaaaaaaaaaaaaaaaa\""),
    OF("string", "\"aaaaaaabaaaaaaaaaaaaaaaaaaaaaaab\""),
    OF("string", "\"aaaaaaabaaaaaaaab\""),
    OF("string", "\"aaaaaab\""),
    OF("string", "\"aaaab\""),
    OF("string", "\"\xc3\xa4\""),
    OF("address", "\"::1\""),
    OF("address", "\"0.0.0.1\""),
    OF("address", "\"10.0.0.0\""),
    OF("address", "\"2001:db8::\""),
    OF("subnet", "\"::/0\""),
    OF("subnet", "\"9.0.0.0/8\""),
    OF("subnet", "\"10.0.0.0/8\""),
    OF("subnet", "\"10.0.0.0/16\""),
    OF("subnet", "\"2001:db8::/32\""),
    OF("port", "\"79/icmp\""),
    OF("port", "\"80/?\""),
    OF("port", "\"80/tcp\""),
    OF("port", "\"80/udp\""),
    OF("port", "\"256/?\""),
    OF("timestamp", "\"1969-12-31T23:59:59.999999999\""),
    OF("timestamp", "\"1970-01-01T00:00:00.000\""),
    OF("timespan", "\"-1ns\""),
    OF("timespan", "\"0s\""),
    OF("timespan", "\"1h\""),
    OF("enum-value", "\"\""),
    OF("enum-value", "\"A::B\""),
    OF("enum-value", "\"A::C\""),
    OF("set", "[]"),
    OF("set", "[" OF("none", "{}") "]"),
    OF("set", "[" OF("none", "{}") "," OF("count", "1") "]"),
    OF("set", "[" OF("count", "1") "]"),
    OF("set", "[" OF("count", "1") "," OF("count", "3") "]"),
    OF("set", "[" OF("count", "2") "," OF("count", "3") "]"),
    OF("table", "[]"),
#define PAIR(key, value) "{\"key\":" key ",\"value\":" value "}"
#define NONE             OF("none", "{}")
#define ONE              OF("count", "1")
#define TWO              OF("count", "2")
    OF("table", "[" PAIR(ONE, NONE) "]"),
    OF("table", "[" PAIR(ONE, TWO) "]"),
    OF("table", "[" PAIR(ONE, TWO) "," PAIR(TWO, NONE) "]"),
    OF("table", "[" PAIR(TWO, NONE) "]"),
    OF("vector", "[]"),
    OF("vector", "[" OF("vector", "[]") "]"),
    OF("vector", "[" OF("vector", "[]") "," OF("none", "{}") "]"),
    OF("vector", "[" OF("vector", "[" OF("none", "{}") "]") "]"),
    OF("vector", "[" OF("vector", "[" OF("none", "{}") "]") "," OF("none", "{}") "]"),
    OF("vector", "[" OF("vector", "[" OF("vector", "[]") "]") "]"),
};

#define COUNT (sizeof ascending / sizeof *ascending)

static leat_builder *typed(const char *text)
{
    leat_builder *b;

    ck_assert_int_eq(leat_builder_new(NULL, &b), LEAT_OK);
    ck_assert_msg(leat_broker_json_read(b, NULL, text, strlen(text)) == LEAT_OK, "%s: %s", text,
                  leat_error_text(leat_builder_error(b)));
    return b;
}

START_TEST(compare_gives_the_order)
{
    leat_builder *a = typed(ascending[_i]);
    size_t i;

    for (i = 0; i < COUNT; i++) {
        leat_builder *b = typed(ascending[i]);
        int difference = lt_broker_compare(leat_builder_value(a), leat_builder_value(b));

        ck_assert_msg((difference > 0) - (difference < 0) == (_i > (int)i) - (_i < (int)i),
                      "%s against %s: %d", ascending[_i], ascending[i], difference);
        leat_builder_free(b);
    }
    leat_builder_free(a);
}
END_TEST

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 16;
}

/* A set of all the values above, in some order, is put into theirs. */
START_TEST(sort_gives_the_order)
{
    uint32_t seed = (uint32_t)_i;
    size_t order[COUNT], i;
    leat_builder *b;
    leat_buffer *out;
    const leat_value *set, *child;

    for (i = 0; i < COUNT; i++)
        order[i] = i;
    for (i = COUNT - 1; i > 0; i--) {
        size_t other = next_random(&seed) % (i + 1), moved = order[i];

        order[i] = order[other];
        order[other] = moved;
    }
    ck_assert_int_eq(leat_builder_new(NULL, &b), LEAT_OK);
    leat_builder_open(b, NULL, LEAT_SET);
    for (i = 0; i < COUNT; i++)
        leat_broker_json_read(b, NULL, ascending[order[i]], strlen(ascending[order[i]]));
    leat_builder_close(b);
    ck_assert_int_eq(leat_buffer_new(NULL, &out), LEAT_OK);
    ck_assert_int_eq(leat_broker_write(out, leat_builder_value(b)), LEAT_OK);

    leat_builder_clear(b);
    {
        size_t length;
        const void *octets = leat_buffer_data(out, &length);

        ck_assert_int_eq(leat_broker_read(b, NULL, octets, length), LEAT_OK);
    }
    set = leat_builder_value(b);
    ck_assert_uint_eq(leat_value_count(set), COUNT);
    for (i = 0, child = leat_value_first(set); i < COUNT;
         i++, child = leat_value_next(set, child)) {
        leat_builder *want = typed(ascending[i]);

        ck_assert_msg(leat_value_equal(child, leat_builder_value(want)), "%s", ascending[i]);
        leat_builder_free(want);
    }
    leat_buffer_free(out);
    leat_builder_free(b);
}
END_TEST

/* NaN is the same as every real, as it is for Broker: neither stands before the other. */
START_TEST(nan_has_no_place)
{
    static const char *const reals[] = {"nan", "0.0", "-inf", "1.0"};
    leat_builder *nan = typed("{\"@data-type\":\"real\",\"data\":nan}");
    size_t i;

    for (i = 0; i < sizeof reals / sizeof *reals; i++) {
        char text[64] = "{\"@data-type\":\"real\",\"data\":";
        leat_builder *b = typed(strcat(strcat(text, reals[i]), "}"));

        ck_assert_int_eq(lt_broker_compare(leat_builder_value(nan), leat_builder_value(b)), 0);
        ck_assert_int_eq(lt_broker_compare(leat_builder_value(b), leat_builder_value(nan)), 0);
        leat_builder_free(b);
    }
    leat_builder_free(nan);
}
END_TEST

/* Addresses of 4 octets are the same as mapped ones, and host bits do not count. */
START_TEST(spellings_of_one_value_are_the_same)
{
    static const uint8_t mapped[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 1, 2, 3};
    leat_builder *a, *b;

    ck_assert_int_eq(leat_builder_new(NULL, &a), LEAT_OK);
    ck_assert_int_eq(leat_builder_new(NULL, &b), LEAT_OK);
    leat_builder_address(a, NULL, mapped + 12, 4);
    leat_builder_address(b, NULL, mapped, 16);
    ck_assert_int_eq(lt_broker_compare(leat_builder_value(a), leat_builder_value(b)), 0);
    leat_builder_clear(a);
    leat_builder_clear(b);
    leat_builder_subnet(a, NULL, mapped, 96 + 15);
    leat_broker_json_read(b, NULL, "{\"@data-type\":\"subnet\",\"data\":\"10.0.0.0/15\"}", 44);
    ck_assert_int_eq(lt_broker_compare(leat_builder_value(a), leat_builder_value(b)), 0);
    leat_builder_free(a);
    leat_builder_free(b);
}
END_TEST

START_TEST(network_clears_host_bits)
{
    static const struct {
        size_t prefix;
        const char *hex;
    } cases[] = {
        {0, "00000000000000000000000000000000"},   {1, "80000000000000000000000000000000"},
        {7, "fe000000000000000000000000000000"},   {8, "ff000000000000000000000000000000"},
        {65, "ffffffffffffffff8000000000000000"},  {127, "fffffffffffffffffffffffffffffffe"},
        {128, "ffffffffffffffffffffffffffffffff"}, {255, "ffffffffffffffffffffffffffffffff"},
    };
    uint8_t address[16], network[16];
    size_t i;

    memset(address, 0xff, sizeof address);
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        lt_broker_network(address, cases[i].prefix, network);
        same_hex(network, sizeof network, cases[i].hex, "network");
    }
}
END_TEST

static void tests(TCase *t)
{
    tcase_add_loop_test(t, compare_gives_the_order, 0, (int)COUNT);
    tcase_add_loop_test(t, sort_gives_the_order, 0, 50);
    tcase_add_test(t, nan_has_no_place);
    tcase_add_test(t, spellings_of_one_value_are_the_same);
    tcase_add_test(t, network_clears_host_bits);
}

T_MAIN("broker/order", tests)
