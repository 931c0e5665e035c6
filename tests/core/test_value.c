/* Getters that forgive, walks, look-ups, equality; and the builder that makes what they read. */
#include "support.h"

#include <math.h>

static leat_builder *make(const char *json)
{
    return t_json(json, strlen(json));
}

START_TEST(getters_forgive)
{
    const uint8_t octets[17] = {1};
    leat_builder *b;
    const leat_value *v, *record;
    size_t length = 9;
    int64_t sums = 0;

    ck_assert_uint_eq(leat_value_kind(NULL), LEAT_NULL);
    ck_assert_int_eq(leat_value_bool(NULL), 0);
    ck_assert_uint_eq(leat_value_u64(NULL), 0);
    ck_assert_int_eq(leat_value_i64(NULL), 0);
    ck_assert(leat_value_f64(NULL) == 0);
    ck_assert_str_eq(leat_value_text(NULL, &length), "");
    ck_assert_uint_eq(length, 0);
    ck_assert_str_eq(leat_value_text(NULL, NULL), "");
    ck_assert_ptr_null(leat_value_bytes(NULL, &length));
    ck_assert_ptr_null(leat_value_bytes(NULL, NULL));
    ck_assert_int_eq(leat_value_is_utf8(NULL), 0);
    ck_assert_uint_eq(leat_value_prefix(NULL), 0);
    ck_assert_uint_eq(leat_value_port(NULL), 0);
    ck_assert_uint_eq(leat_value_port_protocol(NULL), 0);
    ck_assert_uint_eq(leat_value_count(NULL), 0);
    ck_assert_ptr_null(leat_value_first(NULL));
    ck_assert_ptr_null(leat_value_next(NULL, NULL));
    ck_assert_ptr_null(leat_value_at(NULL, 0));
    ck_assert_ptr_null(leat_value_get(NULL, "a"));
    ck_assert_ptr_null(leat_value_find(NULL, "a", 1, &length));
    ck_assert_str_eq(leat_value_name(NULL, NULL), "");

    ck_assert_int_eq(leat_builder_new(NULL, &b), LEAT_OK);
    leat_builder_open(b, NULL, LEAT_RECORD);
    leat_builder_null(b, "null");
    leat_builder_bool(b, "bool", 1);
    leat_builder_i64(b, "int", -5);
    leat_builder_u64(b, "uint", UINT64_MAX);
    leat_builder_f64(b, "real", 1.5);
    leat_builder_text(b, "text", "12", 2);
    leat_builder_bytes(b, "bytes", octets, 3);
    leat_builder_address(b, "address", octets, 16);
    leat_builder_subnet(b, "subnet", octets, 64);
    leat_builder_port(b, "port", 80, LEAT_PROTOCOL_TCP);
    leat_builder_mac(b, "mac", octets);
    leat_builder_uuid(b, "uuid", octets);
    leat_builder_timestamp(b, "timestamp", 7);
    leat_builder_timespan(b, "timespan", -7);
    leat_builder_enum(b, "enum", "E", 1);
    leat_builder_open(b, "list", LEAT_LIST);
    leat_builder_close(b);
    leat_builder_close(b);
    record = leat_builder_value(b);
    ck_assert_ptr_nonnull(record);

    /* Every getter on every kind: each answers for its own kinds and 0 for all others. */
    for (v = leat_value_first(record); v != NULL; v = leat_value_next(record, v)) {
        uint32_t kind = leat_value_kind(v);

        ck_assert_int_eq(leat_value_bool(v), kind == LEAT_BOOL);
        ck_assert(leat_value_u64(v) == (kind == LEAT_UINT ? UINT64_MAX : 0));
        sums += leat_value_i64(v);
        ck_assert((leat_value_f64(v) != 0) ==
                  (kind == LEAT_REAL || kind == LEAT_INT || kind == LEAT_UINT));
        (void)leat_value_text(v, &length);
        ck_assert_uint_eq(length, kind == LEAT_TEXT ? 2 : kind == LEAT_ENUM ? 1 : 0);
        ck_assert_int_eq(leat_value_is_utf8(v), kind == LEAT_TEXT || kind == LEAT_ENUM);
        ck_assert_uint_eq(leat_value_prefix(v), kind == LEAT_SUBNET ? 64 : 0);
        ck_assert_uint_eq(leat_value_port(v), kind == LEAT_PORT ? 80 : 0);
        ck_assert_uint_eq(leat_value_port_protocol(v), kind == LEAT_PORT ? LEAT_PROTOCOL_TCP : 0);
        ck_assert_uint_eq(leat_value_count(v), 0);
        ck_assert_ptr_null(leat_value_first(v));
        ck_assert_ptr_null(leat_value_get(v, "null"));
        ck_assert_ptr_null(leat_value_at(v, 0));
    }
    ck_assert_int_eq(sums, -5 + 7 - 7);
    (void)leat_value_bytes(leat_value_get(record, "bytes"), &length);
    ck_assert_uint_eq(length, 3);
    (void)leat_value_bytes(leat_value_get(record, "subnet"), &length);
    ck_assert_uint_eq(length, 16);
    (void)leat_value_bytes(leat_value_get(record, "mac"), &length);
    ck_assert_uint_eq(length, 6);
    ck_assert_ptr_null(leat_value_bytes(leat_value_get(record, "port"), &length));
    leat_builder_free(b);
}
END_TEST

START_TEST(numbers_convert_where_they_fit)
{
    leat_builder *b = make("[9223372036854775807,9223372036854775808,-1,5]");
    const leat_value *list = leat_builder_value(b);

    ck_assert_int_eq(leat_value_i64(leat_value_at(list, 0)), INT64_MAX);
    ck_assert_int_eq(leat_value_i64(leat_value_at(list, 1)), 0);
    ck_assert_uint_eq(leat_value_u64(leat_value_at(list, 1)), UINT64_C(1) << 63);
    ck_assert_uint_eq(leat_value_u64(leat_value_at(list, 2)), 0);
    ck_assert(leat_value_f64(leat_value_at(list, 2)) == -1.0);
    ck_assert(leat_value_f64(leat_value_at(list, 3)) == 5.0);
    leat_builder_free(b);
}
END_TEST

START_TEST(walks_and_looks_up)
{
    leat_builder *b = make("{\"a\":[1,[2,3],{\"a\":4}],\"b\":5,\"a\":6,\"\":7}");
    const leat_value *record = leat_builder_value(b), *list = leat_value_get(record, "a"), *v;
    size_t place = 0, length, seen = 0;

    ck_assert_uint_eq(leat_value_count(record), 4);
    ck_assert_uint_eq(leat_value_count(list), 3);
    for (v = leat_value_first(record); v != NULL; v = leat_value_next(record, v))
        seen++;
    ck_assert_uint_eq(seen, 4);
    ck_assert_uint_eq(leat_value_u64(leat_value_get(record, "b")), 5);
    ck_assert_uint_eq(leat_value_u64(leat_value_get(record, "")), 7);
    ck_assert_ptr_null(leat_value_get(record, "c"));
    ck_assert_ptr_null(leat_value_get(record, "aa"));
    ck_assert_ptr_null(leat_value_get(list, "a"));
    ck_assert_uint_eq(leat_value_u64(leat_value_at(record, 2)), 6); /* the second "a" */
    ck_assert_ptr_null(leat_value_at(record, 4));
    ck_assert_uint_eq(leat_value_u64(leat_value_get(leat_value_at(list, 2), "a")), 4);
    ck_assert_mem_eq(leat_value_name(leat_value_at(record, 1), &length), "b", 1);
    ck_assert_uint_eq(length, 1);
    /* The fourth cell of this record is no field of it, though it has the name. */
    ck_assert_ptr_eq(leat_value_find(record, "b", 1, &place), leat_value_at(record, 1));
    leat_builder_free(b);
}
END_TEST

START_TEST(find_remembers_the_place)
{
    static const char *const rows[] = {
        "{\"id\":1,\"clock\":2}",
        "{\"id\":3,\"clock\":4}",
        "{\"clock\":5}",
        "{\"x\":{\"clock\":1},\"clock\":6}",
        "{\"x\":[{\"clock\":9}],\"y\":0}",
        "{\"clocks\":1,\"clocc\":1,\"clock\":7,\"clock\":8}",
    };
    static const uint64_t expected[] = {2, 4, 5, 6, 0, 7};
    size_t place = 0, i, round;

    for (round = 0; round < 2; round++) {
        for (i = 0; i < sizeof rows / sizeof *rows; i++) {
            leat_builder *b = make(rows[i]);

            ck_assert_uint_eq(
                leat_value_u64(leat_value_find(leat_builder_value(b), "clock", 5, &place)),
                expected[i]);
            leat_builder_free(b);
        }
        place = 4; /* anywhere */
    }
}
END_TEST

START_TEST(tables_alternate)
{
    leat_builder *b;
    const leat_value *table;

    ck_assert_int_eq(leat_builder_new(NULL, &b), LEAT_OK);
    leat_builder_open(b, NULL, LEAT_TABLE);
    leat_builder_u64(b, NULL, 1);
    leat_builder_text(b, NULL, "one", 3);
    leat_builder_text(b, NULL, "two", 3);
    leat_builder_u64(b, NULL, 2);
    leat_builder_text(b, NULL, "", 0);
    leat_builder_open(b, NULL, LEAT_LIST);
    leat_builder_close(b);
    leat_builder_close(b);
    table = leat_builder_value(b);
    ck_assert_uint_eq(leat_value_count(table), 3);
    ck_assert_uint_eq(leat_value_u64(leat_value_at(table, 3)), 2);
    ck_assert_uint_eq(leat_value_kind(leat_value_at(table, 5)), LEAT_LIST);
    ck_assert_ptr_null(leat_value_at(table, 6));
    ck_assert_uint_eq(leat_value_u64(leat_value_get(table, "two")), 2);
    ck_assert_uint_eq(leat_value_kind(leat_value_get(table, "")), LEAT_LIST);
    ck_assert_ptr_null(leat_value_get(table, "one")); /* it is a value, not a key */
    leat_builder_free(b);
}
END_TEST

START_TEST(cells_lay_open)
{
    const uint8_t octets[16] = {1, 2, 3};
    leat_cell cells[12];
    leat_builder *b;
    size_t i;

    ck_assert_int_eq(leat_builder_new(NULL, &b), LEAT_OK);
    leat_builder_open(b, NULL, LEAT_RECORD);
    leat_builder_u64(b, "number", 7);
    leat_builder_open(b, "list", LEAT_LIST);
    leat_builder_i64(b, NULL, -1);
    leat_builder_text(b, NULL, "text", 4);
    leat_builder_null(b, NULL);
    leat_builder_close(b);
    leat_builder_subnet(b, "subnet", octets, 24);
    leat_builder_port(b, "port", 80, LEAT_PROTOCOL_UDP);
    leat_builder_f64(b, "real", 1.0);
    leat_builder_timespan(b, "timespan", -5);
    leat_builder_bool(b, "bool", 1);
    leat_builder_close(b);

    memset(cells, 0xff, sizeof cells);
    ck_assert_uint_eq(leat_value_cells(leat_builder_value(b), cells, 3), 11);
    ck_assert_uint_eq(cells[2].kind, LEAT_LIST);
    ck_assert_uint_eq(cells[3].kind, 0xffff); /* not written to */
    ck_assert_uint_eq(leat_value_cells(leat_builder_value(b), cells, 12), 11);
    ck_assert_uint_eq(cells[11].kind, 0xffff);
    for (i = 0; i < 11; i++) {
        static const uint32_t kinds[] = {LEAT_RECORD, LEAT_UINT,     LEAT_LIST,   LEAT_INT,
                                         LEAT_TEXT,   LEAT_NULL,     LEAT_SUBNET, LEAT_PORT,
                                         LEAT_REAL,   LEAT_TIMESPAN, LEAT_BOOL};
        static const char *const names[] = {NULL,     "number", "list", NULL,       NULL,  NULL,
                                            "subnet", "port",   "real", "timespan", "bool"};

        ck_assert_uint_eq(cells[i].kind, kinds[i]);
        ck_assert_int_eq(cells[i].name == NULL, names[i] == NULL);
        if (names[i] != NULL)
            ck_assert_mem_eq(cells[i].name, names[i], cells[i].name_length);
    }
    ck_assert_uint_eq(cells[0].number, 10);
    ck_assert_uint_eq(cells[0].length, 7);
    ck_assert_uint_eq(cells[1].number, 7);
    ck_assert_uint_eq(cells[2].number, 3);
    ck_assert_uint_eq(cells[2].length, 3);
    ck_assert_uint_eq(cells[3].number, UINT64_MAX);
    ck_assert_uint_eq(cells[4].length, 4);
    ck_assert_mem_eq(cells[4].octets, "text", 4);
    ck_assert_ptr_null(cells[5].octets);
    ck_assert_uint_eq(cells[6].length, 16);
    ck_assert_mem_eq(cells[6].octets, octets, 16);
    ck_assert_uint_eq(cells[6].octets[16], 24);
    ck_assert_uint_eq(cells[7].number, 80 | LEAT_PROTOCOL_UDP << 16);
    ck_assert_uint_eq(cells[8].number, UINT64_C(0x3ff0000000000000));
    ck_assert_uint_eq(cells[9].number, (uint64_t)-5);
    ck_assert_uint_eq(cells[10].number, 1);
    ck_assert_uint_eq(leat_value_cells(NULL, cells, 12), 0);
    leat_builder_free(b);
}
END_TEST

static const struct {
    const char *a, *b;
    int same;
} pairs[] = {
    {"{\"a\":[1,2],\"b\":null}", "{ \"a\" : [1, 2] , \"b\" : null }", 1},
    {"{\"a\":1}", "{\"b\":1}", 0},
    {"{\"a\":1}", "{\"a\":2}", 0},
    {"{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", 0},
    {"[1]", "[1,1]", 0},
    {"[[1],2]", "[[1,2]]", 0},
    {"[]", "{}", 0},
    {"\"a\"", "\"b\"", 0},
    {"\"\"", "\"\"", 1},
    {"1", "1.0", 0},
    {"0.0", "-0.0", 0},
    {"true", "false", 0},
    {"null", "false", 0},
};

START_TEST(equality)
{
    leat_builder *a = make(pairs[_i].a), *b = make(pairs[_i].b);

    ck_assert_int_eq(leat_value_equal(leat_builder_value(a), leat_builder_value(b)),
                     pairs[_i].same);
    ck_assert_int_eq(leat_value_equal(leat_builder_value(b), leat_builder_value(a)),
                     pairs[_i].same);
    ck_assert_int_eq(leat_value_equal(leat_builder_value(a), leat_builder_value(a)), 1);
    ck_assert_int_eq(leat_value_equal(NULL, NULL), 1);
    leat_builder_free(a);
    leat_builder_free(b);
}
END_TEST

START_TEST(equality_of_special_values)
{
    leat_builder *a, *b;
    const uint8_t octets[16] = {0};

    ck_assert_int_eq(leat_builder_new(NULL, &a), LEAT_OK);
    ck_assert_int_eq(leat_builder_new(NULL, &b), LEAT_OK);
    leat_builder_f64(a, NULL, (double)NAN);
    ck_assert_int_eq(leat_value_equal(leat_builder_value(a), leat_builder_value(a)), 1);
    leat_builder_clear(a);
    leat_builder_subnet(a, NULL, octets, 8);
    leat_builder_subnet(b, NULL, octets, 9);
    ck_assert_int_eq(leat_value_equal(leat_builder_value(a), leat_builder_value(b)), 0);
    leat_builder_clear(b);
    leat_builder_subnet(b, NULL, octets, 8);
    ck_assert_int_eq(leat_value_equal(leat_builder_value(a), leat_builder_value(b)), 1);
    leat_builder_free(a);
    leat_builder_free(b);
}
END_TEST

static void tests(TCase *cases)
{
    tcase_add_test(cases, getters_forgive);
    tcase_add_test(cases, numbers_convert_where_they_fit);
    tcase_add_test(cases, walks_and_looks_up);
    tcase_add_test(cases, find_remembers_the_place);
    tcase_add_test(cases, tables_alternate);
    tcase_add_test(cases, cells_lay_open);
    tcase_add_loop_test(cases, equality, 0, sizeof pairs / sizeof *pairs);
    tcase_add_test(cases, equality_of_special_values);
}

T_MAIN("core/value", tests)
