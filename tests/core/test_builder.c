/* The builder: mistakes stick, memory is reused, copies are deep. */
#include "support.h"

static leat_builder *empty(void)
{
    leat_builder *b;

    ck_assert_int_eq(leat_builder_new(NULL, &b), LEAT_OK);
    return b;
}

static int second_root(leat_builder *b)
{
    leat_builder_u64(b, NULL, 1);
    return leat_builder_u64(b, NULL, 2);
}

static int close_nothing(leat_builder *b)
{
    return leat_builder_close(b);
}

static int nameless_field(leat_builder *b)
{
    leat_builder_open(b, NULL, LEAT_RECORD);
    return leat_builder_u64(b, NULL, 1);
}

static int name_in_a_list(leat_builder *b)
{
    leat_builder_open(b, NULL, LEAT_LIST);
    return leat_builder_u64(b, "a", 1);
}

static int name_at_the_root(leat_builder *b)
{
    return leat_builder_u64(b, "a", 1);
}

static int key_without_value(leat_builder *b)
{
    leat_builder_open(b, NULL, LEAT_TABLE);
    leat_builder_u64(b, NULL, 1);
    return leat_builder_close(b);
}

static int not_a_container(leat_builder *b)
{
    return leat_builder_open(b, NULL, LEAT_TEXT);
}

static int unknown_container(leat_builder *b)
{
    return leat_builder_open(b, NULL, 99);
}

static int port_too_large(leat_builder *b)
{
    return leat_builder_port(b, NULL, 65536, LEAT_PROTOCOL_TCP);
}

static int protocol_too_large(leat_builder *b)
{
    return leat_builder_port(b, NULL, 1, 4);
}

static int address_of_5(leat_builder *b)
{
    return leat_builder_address(b, NULL, "12345", 5);
}

static int prefix_of_129(leat_builder *b)
{
    return leat_builder_subnet(b, NULL, "0123456789abcdef", 129);
}

static int json_after_root(leat_builder *b)
{
    leat_builder_json(b, NULL, "1", 1);
    return leat_builder_json(b, NULL, "1", 1);
}

static int copy_of_itself(leat_builder *b)
{
    leat_builder_json(b, NULL, "[1,2,3,4,5,6,7,8,9,[10]]", 24);
    return leat_builder_copy(b, NULL, leat_builder_value(b));
}

static const struct {
    int (*make)(leat_builder *b);
    int status;
} mistakes[] = {
    {second_root, LEAT_E_STATE},      {close_nothing, LEAT_E_STATE},
    {nameless_field, LEAT_E_STATE},   {name_in_a_list, LEAT_E_STATE},
    {name_at_the_root, LEAT_E_STATE}, {key_without_value, LEAT_E_STATE},
    {not_a_container, LEAT_E_VALUE},  {unknown_container, LEAT_E_VALUE},
    {port_too_large, LEAT_E_VALUE},   {protocol_too_large, LEAT_E_VALUE},
    {address_of_5, LEAT_E_VALUE},     {prefix_of_129, LEAT_E_VALUE},
    {json_after_root, LEAT_E_STATE},  {copy_of_itself, LEAT_E_STATE},
};

START_TEST(mistakes_stick)
{
    leat_builder *b = empty();

    ck_assert_int_eq(mistakes[_i].make(b), mistakes[_i].status);
    ck_assert_int_eq(leat_error_code(leat_builder_error(b)), mistakes[_i].status);
    ck_assert_str_ne(leat_error_text(leat_builder_error(b)), "");
    ck_assert_ptr_null(leat_builder_value(b));
    /* Nothing is taken until the builder is cleared. */
    ck_assert_int_eq(leat_builder_u64(b, NULL, 1), mistakes[_i].status);
    ck_assert_int_eq(leat_builder_open(b, NULL, LEAT_LIST), mistakes[_i].status);
    ck_assert_int_eq(leat_builder_close(b), mistakes[_i].status);
    ck_assert_int_eq(leat_builder_json(b, NULL, "1", 1), mistakes[_i].status);
    ck_assert_int_eq(leat_builder_copy(b, NULL, NULL), mistakes[_i].status);
    ck_assert_int_eq(leat_builder_port(b, NULL, 99999, 9), mistakes[_i].status);
    leat_builder_clear(b);
    ck_assert_ptr_null(leat_builder_error(b));
    ck_assert_int_eq(leat_builder_u64(b, NULL, 1), LEAT_OK);
    ck_assert_uint_eq(leat_value_u64(leat_builder_value(b)), 1);
    leat_builder_free(b);
}
END_TEST

START_TEST(an_open_container_is_no_value)
{
    leat_builder *b = empty();

    ck_assert_ptr_null(leat_builder_value(b));
    leat_builder_open(b, NULL, LEAT_LIST);
    ck_assert_ptr_null(leat_builder_value(b));
    leat_builder_close(b);
    ck_assert_ptr_nonnull(leat_builder_value(b));
    leat_builder_free(b);
}
END_TEST

static const char rich[] = "{\"a\":[1,{\"b\":\"text\",\"c\":[]},null],\"d\":\"\",\"e\":1.5}";

START_TEST(copies_are_deep)
{
    leat_builder *from = t_json(rich, sizeof rich - 1), *to = empty();
    const leat_value *value = leat_builder_value(from);
    char *text;

    leat_builder_open(to, NULL, LEAT_RECORD);
    ck_assert_int_eq(leat_builder_copy(to, "whole", value), LEAT_OK);
    ck_assert_int_eq(leat_builder_copy(to, NULL, leat_value_get(value, "a")), LEAT_OK);
    ck_assert_int_eq(leat_builder_copy(to, "f", leat_value_get(value, "d")), LEAT_OK);
    ck_assert_int_eq(leat_builder_copy(to, "nothing", NULL), LEAT_OK);
    leat_builder_open(to, "list", LEAT_LIST);
    ck_assert_int_eq(leat_builder_copy(to, NULL, leat_value_get(value, "e")), LEAT_OK);
    leat_builder_close(to);
    leat_builder_close(to);
    leat_builder_free(from);
    text = t_json_text(leat_builder_value(to));
    ck_assert_str_eq(text,
                     "{\"whole\":{\"a\":[1,{\"b\":\"text\",\"c\":[]},null],\"d\":\"\",\"e\":1.5},"
                     "\"a\":[1,{\"b\":\"text\",\"c\":[]},null],\"f\":\"\",\"nothing\":null,"
                     "\"list\":[1.5]}");
    free(text);
    leat_builder_free(to);
}
END_TEST

START_TEST(limits_hold_for_all_ways_in)
{
    leat_builder *nested = t_json("[[[]]]", 6), *b;

    b = t_limited(3, 0);
    leat_builder_open(b, NULL, LEAT_LIST);
    leat_builder_open(b, NULL, LEAT_LIST);
    ck_assert_int_eq(leat_builder_open(b, NULL, LEAT_LIST), LEAT_OK);
    ck_assert_int_eq(leat_builder_open(b, NULL, LEAT_LIST), LEAT_E_LIMIT);
    leat_builder_clear(b);
    ck_assert_int_eq(leat_builder_copy(b, NULL, leat_builder_value(nested)), LEAT_OK);
    leat_builder_clear(b);
    leat_builder_open(b, NULL, LEAT_LIST);
    ck_assert_int_eq(leat_builder_copy(b, NULL, leat_builder_value(nested)), LEAT_E_LIMIT);
    leat_builder_clear(b);
    leat_builder_open(b, NULL, LEAT_LIST);
    ck_assert_int_eq(leat_builder_json(b, NULL, "[[]]", 4), LEAT_OK);
    ck_assert_int_eq(leat_builder_json(b, NULL, "[[[]]]", 6), LEAT_E_LIMIT);
    leat_builder_free(b);

    b = t_limited(0, 3);
    ck_assert_int_eq(leat_builder_copy(b, NULL, leat_builder_value(nested)), LEAT_OK);
    leat_builder_clear(b);
    leat_builder_open(b, NULL, LEAT_LIST);
    ck_assert_int_eq(leat_builder_copy(b, NULL, leat_builder_value(nested)), LEAT_E_LIMIT);
    leat_builder_clear(b);
    leat_builder_open(b, NULL, LEAT_LIST);
    leat_builder_u64(b, NULL, 1);
    ck_assert_int_eq(leat_builder_u64(b, NULL, 2), LEAT_OK);
    ck_assert_int_eq(leat_builder_u64(b, NULL, 3), LEAT_E_LIMIT);
    leat_builder_free(b);
    leat_builder_free(nested);
}
END_TEST

START_TEST(a_long_name_is_refused)
{
    char *name = (char *)malloc(65537);
    leat_builder *b = empty();

    ck_assert_ptr_nonnull(name);
    memset(name, 'n', 65536);
    name[65536] = '\0';
    leat_builder_open(b, NULL, LEAT_RECORD);
    ck_assert_int_eq(leat_builder_null(b, name + 1), LEAT_OK);
    ck_assert_int_eq(leat_builder_null(b, name), LEAT_E_LIMIT);
    leat_builder_free(b);
    free(name);
}
END_TEST

static int build_scenario(const leat_config *config, const void *arg)
{
    leat_builder *from = t_json(rich, sizeof rich - 1), *b;
    int status = leat_builder_new(config, &b), i;

    (void)arg;
    if (status == LEAT_OK) {
        leat_builder_open(b, NULL, LEAT_RECORD);
        for (i = 0; i < 40; i++)
            leat_builder_text(b, "name", "some text that takes room in the arena", 38);
        leat_builder_copy(b, "copy", leat_builder_value(from));
        leat_builder_copy(b, NULL, leat_value_get(leat_builder_value(from), "a"));
        leat_builder_close(b);
        status = leat_error_code(leat_builder_error(b));
        ck_assert_int_eq(status == LEAT_OK, leat_builder_value(b) != NULL);
        leat_builder_free(b);
    }
    leat_builder_free(from);
    return status;
}

START_TEST(every_allocation_may_fail)
{
    t_every_alloc(build_scenario, NULL);
}
END_TEST

START_TEST(nothing_is_allocated_once_warm)
{
    struct t_counter counter;
    leat_config config;
    leat_builder *b;
    size_t calls = 0;
    int round;

    t_counter_init(&counter);
    leat_config_init(&config, sizeof config);
    config.allocator = &counter.allocator;
    ck_assert_int_eq(leat_builder_new(&config, &b), LEAT_OK);
    for (round = 0; round < 20; round++) {
        leat_builder_clear(b);
        ck_assert_int_eq(leat_builder_json(b, NULL, rich, sizeof rich - 1), LEAT_OK);
        if (round == 2)
            calls = counter.calls;
    }
    ck_assert_uint_eq(counter.calls, calls);
    leat_builder_free(b);
    ck_assert_uint_eq(counter.now, 0);
}
END_TEST

static void tests(TCase *cases)
{
    tcase_add_loop_test(cases, mistakes_stick, 0, sizeof mistakes / sizeof *mistakes);
    tcase_add_test(cases, an_open_container_is_no_value);
    tcase_add_test(cases, copies_are_deep);
    tcase_add_test(cases, limits_hold_for_all_ways_in);
    tcase_add_test(cases, a_long_name_is_refused);
    tcase_add_test(cases, every_allocation_may_fail);
    tcase_add_test(cases, nothing_is_allocated_once_warm);
}

T_MAIN("core/builder", tests)
