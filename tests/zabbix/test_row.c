#include "frames.h"

#include <math.h>

static const struct {
    const char *json;
    uint64_t u64;
    int64_t i64;
    double f64;
} numbers[] = {
    {"0", 0, 0, 0.0},
    {"7", 7, 7, 7.0},
    {"\"7\"", 7, 7, 7.0},
    {"-7", 0, -7, -7.0},
    {"\"-7\"", 0, -7, -7.0},
    {"1.5", 0, 0, 1.5},
    {"\"1.5\"", 0, 0, 1.5},
    {"\"0.000001\"", 0, 0, 1e-6},
    {"\"1e3\"", 0, 0, 1000.0},
    {"18446744073709551615", UINT64_MAX, 0, 18446744073709551615.0},
    {"\"18446744073709551615\"", UINT64_MAX, 0, 18446744073709551615.0},
    {"\"18446744073709551616\"", 0, 0, 18446744073709551616.0},
    {"\"9223372036854775807\"", INT64_MAX, INT64_MAX, 9223372036854775807.0},
    {"\"-9223372036854775808\"", 0, INT64_MIN, -9223372036854775808.0},
    {"\"\"", 0, 0, 0.0},
    {"\" 7\"", 0, 0, 0.0},
    {"\"7 \"", 0, 0, 0.0},
    {"\"7x\"", 0, 0, 0.0},
    {"\"0x7\"", 0, 0, 0.0},
    {"null", 0, 0, 0.0},
    {"true", 0, 0, 0.0},
    {"[7]", 0, 0, 0.0},
    {"{\"a\":7}", 0, 0, 0.0},
};

START_TEST(lenient_numbers)
{
    leat_builder *builder = t_json(numbers[_i].json, strlen(numbers[_i].json));
    const leat_value *value = leat_builder_value(builder);

    ck_assert_uint_eq(leat_zabbix_u64(value), numbers[_i].u64);
    ck_assert_int_eq(leat_zabbix_i64(value), numbers[_i].i64);
    ck_assert(fabs(leat_zabbix_f64(value) - numbers[_i].f64) <= 0.0);
    leat_builder_free(builder);
}
END_TEST

START_TEST(no_value)
{
    ck_assert_uint_eq(leat_zabbix_u64(NULL), 0);
    ck_assert_int_eq(leat_zabbix_i64(NULL), 0);
    ck_assert(fabs(leat_zabbix_f64(NULL)) <= 0.0);
}
END_TEST

static const struct {
    const char *name;
    const char *json;
    uint64_t has;
} rows[] = {
    {"nothing", "{}", 0},
    {"a proxy's value", "{\"id\":1,\"itemid\":2,\"clock\":3,\"ns\":4,\"value\":\"v\"}", 0x20f},
    {"a proxy's log position",
     "{\"id\":1,\"itemid\":2,\"clock\":3,\"ns\":4,\"lastlogsize\":11,\"mtime\":12}", 0xc0f},
    {"every member of a proxy",
     "{\"id\":1,\"itemid\":2,\"clock\":3,\"ns\":4,\"state\":5,\"timestamp\":6,\"source\":\"so\","
     "\"severity\":8,\"eventid\":9,\"value\":\"v\",\"lastlogsize\":11,\"mtime\":12}",
     0xfff},
    {"an agent's order",
     "{\"itemid\":2,\"value\":\"v\",\"state\":5,\"lastlogsize\":11,\"mtime\":12,\"timestamp\":6,"
     "\"source\":"
     "\"so\",\"severity\":8,\"eventid\":9,\"id\":1,\"clock\":3,\"ns\":4}",
     0xfff},
    {"every order backwards",
     "{\"key\":\"ke\",\"host\":\"hos\",\"mtime\":12,\"lastlogsize\":11,\"value\":\"v\",\"eventid\":"
     "9,"
     "\"severity\":8,\"source\":\"so\",\"timestamp\":6,\"state\":5,\"ns\":4,\"clock\":3,\"itemid\":"
     "2,\"id\":1}",
     0x3fff},
    {"numbers as text", "{\"id\":\"1\",\"itemid\":\"2\",\"clock\":\"3\",\"ns\":\"4\"}", 0x00f},
    {"the first of two", "{\"clock\":3,\"clock\":33,\"value\":\"v\",\"value\":\"w\"}", 0x204},
    {"the first of the right type", "{\"clock\":null,\"clock\":3,\"value\":1,\"value\":\"v\"}",
     0x204},
    {"what is no number", "{\"id\":-1,\"itemid\":1.5,\"clock\":\"3x\",\"ns\":true,\"state\":[5]}",
     0},
    {"other members", "{\"x\":1,\"ID\":1,\"i\":1,\"values\":\"v\",\"clocks\":3,\"\":3}", 0},
    {"members inside members", "{\"x\":{\"id\":1},\"itemid\":2,\"y\":[{\"ns\":4}]}", 0x002},
};

START_TEST(reading)
{
    leat_builder *builder = t_json(rows[_i].json, strlen(rows[_i].json));
    leat_zabbix_history h;

    leat_zabbix_history_init(&h, sizeof h);
    h.has = UINT64_MAX;
    ck_assert_int_eq(leat_zabbix_history_read(leat_builder_value(builder), &h), LEAT_OK);
    ck_assert_uint_eq(h.has, rows[_i].has);
#define IS(bit, member, expected)                                                                  \
    ck_assert_uint_eq(h.member, (h.has & LEAT_ZABBIX_HAS_##bit) != 0 ? expected : 0)
    IS(ID, id, 1);
    IS(ITEMID, itemid, 2);
    IS(CLOCK, clock, 3);
    IS(NS, ns, 4);
    IS(STATE, state, 5);
    IS(TIMESTAMP, timestamp, 6);
    IS(SEVERITY, severity, 8);
    IS(EVENTID, eventid, 9);
    IS(LASTLOGSIZE, lastlogsize, 11);
    IS(MTIME, mtime, 12);
    IS(VALUE, value_length, 1);
    IS(SOURCE, source_length, 2);
    IS(HOST, host_length, 3);
    IS(KEY, key_length, 2);
#undef IS
    if (h.value_length > 0)
        ck_assert_mem_eq(h.value, "v", 1);
    if (h.source_length > 0)
        ck_assert_mem_eq(h.source, "so", 2);
    if (h.host_length > 0)
        ck_assert_mem_eq(h.host, "hos", 3);
    if (h.key_length > 0)
        ck_assert_mem_eq(h.key, "ke", 2);
    leat_builder_free(builder);
}
END_TEST

/* What was not there keeps its old number: "has" tells. */
START_TEST(reused)
{
    leat_builder *builder = t_json("{\"id\":5}", 8);
    leat_zabbix_history h;

    leat_zabbix_history_init(&h, sizeof h);
    h.has = LEAT_ZABBIX_HAS_CLOCK;
    ck_assert_int_eq(leat_zabbix_history_read(leat_builder_value(builder), &h), LEAT_OK);
    ck_assert_uint_eq(h.has, LEAT_ZABBIX_HAS_ID);
    ck_assert_uint_eq(h.id, 5);
    leat_builder_free(builder);
}
END_TEST

START_TEST(not_a_row)
{
    leat_builder *builder = t_json("[1]", 3), *row = t_json("{}", 2);
    leat_zabbix_history h;

    leat_zabbix_history_init(&h, sizeof h);
    ck_assert_int_eq(leat_zabbix_history_read(leat_builder_value(builder), &h), LEAT_E_VALUE);
    ck_assert_int_eq(leat_zabbix_history_read(NULL, &h), LEAT_E_VALUE);
    h.size = 8;
    ck_assert_int_eq(leat_zabbix_history_read(leat_builder_value(row), &h), LEAT_E_VALUE);
    leat_builder_free(builder);
    leat_builder_free(row);
}
END_TEST

/* A row that was written is read as it was, and in the order of the one who says it. */
static const struct {
    const char *section;
    const char *text;
} orders[] = {
    {"history data",
     "{\"history "
     "data\":[{\"id\":1,\"itemid\":2,\"clock\":3,\"ns\":4,\"state\":1,\"timestamp\":6,\"source\":"
     "\"so\",\"severity\":8,\"eventid\":9,\"value\":\"v\\n\",\"lastlogsize\":18446744073709551615,"
     "\"mtime\":12,\"host\":\"h\",\"key\":\"k[\\\"\\\"]\"}]}"},
    {"data", "{\"data\":[{\"itemid\":2,\"host\":\"h\",\"key\":\"k[\\\"\\\"]\",\"value\":\"v\\n\","
             "\"state\":1,"
             "\"lastlogsize\":18446744073709551615,\"mtime\":12,\"timestamp\":6,\"source\":\"so\","
             "\"severity\":8,"
             "\"eventid\":9,\"id\":1,\"clock\":3,\"ns\":4}]}"},
};

START_TEST(both_ways)
{
    leat_zabbix_history h, again;
    leat_session *writer = make_codec(NULL, NULL), *reader = make_codec(NULL, NULL);
    const leat_event *event;
    const uint8_t *at;
    struct taken taken;
    size_t length;

    leat_zabbix_history_init(&h, sizeof h);
    h.has = 0x3fff;
    h.id = 1;
    h.itemid = 2;
    h.clock = 3;
    h.ns = 4;
    h.state = 1;
    h.timestamp = 6;
    h.severity = 8;
    h.eventid = 9;
    h.lastlogsize = UINT64_MAX;
    h.mtime = 12;
    h.value = "v\n";
    h.value_length = 2;
    h.source = "so";
    h.source_length = 2;
    h.host = "h";
    h.host_length = 1;
    h.key = "k[\"\"]";
    h.key_length = 5;
    ck_assert_int_eq(leat_zabbix_begin(writer), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_section(writer, orders[_i].section), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_history_write(writer, &h), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_end(writer), LEAT_OK);
    at = (const uint8_t *)leat_send_data(writer, &length);
    ck_assert_int_eq(leat_feed(reader, at, length), LEAT_OK);
    taken = take_frame(&at, at + length);
    ck_assert_str_eq((const char *)taken.text.data, orders[_i].text);
    ck_assert_int_eq(leat_next(reader, &event), LEAT_OK);
    leat_zabbix_history_init(&again, sizeof again);
    ck_assert_int_eq(leat_zabbix_history_read(leat_event_value(event), &again), LEAT_OK);
    ck_assert_uint_eq(again.value_length, 2);
    ck_assert_mem_eq(again.value, "v\n", 2);
    ck_assert_uint_eq(again.key_length, 5);
    ck_assert_mem_eq(again.key, h.key, 5);
    again.value = h.value;
    again.source = h.source;
    again.host = h.host;
    again.key = h.key;
    ck_assert_mem_eq(&again, &h, sizeof h);
    leat_session_free(writer);
    leat_session_free(reader);
    t_free(taken.text);
}
END_TEST

static void tests(TCase *tc)
{
    tcase_add_loop_test(tc, lenient_numbers, 0, sizeof numbers / sizeof *numbers);
    tcase_add_test(tc, no_value);
    tcase_add_loop_test(tc, reading, 0, sizeof rows / sizeof *rows);
    tcase_add_test(tc, reused);
    tcase_add_test(tc, not_a_row);
    tcase_add_loop_test(tc, both_ways, 0, sizeof orders / sizeof *orders);
}

T_MAIN("zabbix/row", tests)
