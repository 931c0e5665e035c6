/* Strict JSON: what is read, what is refused and where, and that pieces do not matter. */
#include "support.h"

#include "json.h"

static const struct {
    const char *text;
    const char *again; /* how it is written; NULL: the same */
} sound[] = {
    {"null", NULL},
    {"true", NULL},
    {"false", NULL},
    {"0", NULL},
    {"-1", NULL},
    {"12345678", NULL},
    {"123456789012", NULL},
    {"18446744073709551615", NULL},
    {"-9223372036854775808", NULL},
    {"9007199254740993", NULL},
    {"18446744073709551616", "1.8446744073709552e19"},
    {"-9223372036854775809", "-9.223372036854775808e18"},
    {"-0", "-0.0"},
    {"0.5", NULL},
    {"1.25e2", "125.0"},
    {"1E-2", "0.01"},
    {"1e5", "100000.0"},
    {"\"\"", NULL},
    {"\"plain text, longer than a word\"", NULL},
    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\""},
    {"\"\\u0041\\u00e9\\u20ac\\ud83d\\ude00\"", "\"A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
    {"\"\\u0000\\u001F\\u007f\"", "\"\\u0000\\u001f\x7f\""},
    {"\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 and more\"", NULL},
    {"[]", NULL},
    {"{}", NULL},
    {"[[],{},[1,2,[3]],{\"a\":[]}]", NULL},
    {"{\"a\":1,\"a\":2,\"\":3}", NULL},
    {" \t\r\n{ \"a\" : [ 1 , 2 ] , \"b\" : { } } \n", "{\"a\":[1,2],\"b\":{}}"},
    {"{\"tasks\":[1],\"tasks\":[2]}", NULL},
    {"[{\"a\":1,\"b\":2},{\"a\":1,\"c\":2},{\"a\":1,\"b\":2}]", NULL},
};

START_TEST(reads)
{
    leat_builder *builder = t_json(sound[_i].text, strlen(sound[_i].text));
    char *text = t_json_text(leat_builder_value(builder));

    if (strcmp(sound[_i].text, "-9223372036854775809") == 0)
        ck_assert_int_eq(leat_value_kind(leat_builder_value(builder)), LEAT_REAL);
    else
        ck_assert_str_eq(text, sound[_i].again == NULL ? sound[_i].text : sound[_i].again);
    free(text);
    leat_builder_free(builder);
}
END_TEST

static const struct {
    const char *name;
    const char *text;
    uint64_t at;
    int status;
} broken[] = {
    {"nothing", "", 0, LEAT_E_SYNTAX},
    {"white space only", "  \n", 3, LEAT_E_SYNTAX},
    {"two values", "1 2", 2, LEAT_E_SYNTAX},
    {"octet order mark", "\xef\xbb\xbf{}", 0, LEAT_E_SYNTAX},
    {"a word", "nul", 3, LEAT_E_SYNTAX},
    {"another word", "nope", 0, LEAT_E_SYNTAX},
    {"word in capitals", "True", 0, LEAT_E_SYNTAX},
    {"word with a tail", "truex", 4, LEAT_E_SYNTAX},
    {"not a number", "nan", 0, LEAT_E_SYNTAX},
    {"infinity", "-inf", 1, LEAT_E_SYNTAX},
    {"leading zero", "01", 0, LEAT_E_SYNTAX},
    {"leading plus", "+1", 0, LEAT_E_SYNTAX},
    {"leading point", ".5", 0, LEAT_E_SYNTAX},
    {"trailing point", "1.", 2, LEAT_E_SYNTAX},
    {"point without digit", "1.e5", 2, LEAT_E_SYNTAX},
    {"empty exponent", "[1e]", 3, LEAT_E_SYNTAX},
    {"empty exponent with sign", "[1e+]", 4, LEAT_E_SYNTAX},
    {"minus alone", "[-]", 2, LEAT_E_SYNTAX},
    {"hexadecimal", "0x10", 1, LEAT_E_SYNTAX},
    {"number beyond a real", "[1e999]", 1, LEAT_E_LIMIT},
    {"open string", "\"abc", 4, LEAT_E_SYNTAX},
    {"open escape", "\"abc\\", 5, LEAT_E_SYNTAX},
    {"raw newline", "\"ab\ncd\"", 3, LEAT_E_SYNTAX},
    {"unknown escape", "\"ab\\x41\"", 3, LEAT_E_SYNTAX},
    {"vertical tab", "\"\\v\"", 1, LEAT_E_SYNTAX},
    {"short unicode escape", "\"\\u12\"", 1, LEAT_E_SYNTAX},
    {"bad unicode escape", "\"\\u12g4\"", 1, LEAT_E_SYNTAX},
    {"lone high surrogate", "\"a\\ud800\"", 2, LEAT_E_SYNTAX},
    {"high surrogate and text", "\"\\ud800abcdef\"", 1, LEAT_E_SYNTAX},
    {"two high surrogates", "\"\\ud800\\ud800\"", 1, LEAT_E_SYNTAX},
    {"lone low surrogate", "\"\\udc00\"", 1, LEAT_E_SYNTAX},
    {"stray continuation", "\"ab\x80\"", 3, LEAT_E_SYNTAX},
    {"overlong form", "\"\xc0\xaf\"", 1, LEAT_E_SYNTAX},
    {"overlong in three octets", "\"\xe0\x80\xaf\"", 1, LEAT_E_SYNTAX},
    {"surrogate in UTF-8", "\"\xed\xa0\x80\"", 1, LEAT_E_SYNTAX},
    {"beyond unicode", "\"\xf4\x90\x80\x80\"", 1, LEAT_E_SYNTAX},
    {"cut sequence", "\"\xe2\x82\"", 1, LEAT_E_SYNTAX},
    {"latin-1", "\"caf\xe9\"", 4, LEAT_E_SYNTAX},
    {"bad name", "{\"\xff\":1}", 2, LEAT_E_SYNTAX},
    {"open list", "[1,2", 4, LEAT_E_SYNTAX},
    {"list with the wrong end", "[1}", 2, LEAT_E_SYNTAX},
    {"object with the wrong end", "{\"a\":1]", 6, LEAT_E_SYNTAX},
    {"trailing comma", "[1,]", 3, LEAT_E_SYNTAX},
    {"trailing comma in an object", "{\"a\":1,}", 7, LEAT_E_SYNTAX},
    {"leading comma", "[,1]", 1, LEAT_E_SYNTAX},
    {"no comma", "[1 2]", 3, LEAT_E_SYNTAX},
    {"no colon", "{\"a\" 1}", 5, LEAT_E_SYNTAX},
    {"no value", "{\"a\":}", 5, LEAT_E_SYNTAX},
    {"no name", "{1:2}", 1, LEAT_E_SYNTAX},
    {"single quotes", "{'a':1}", 1, LEAT_E_SYNTAX},
    {"a comment", "[1/**/]", 2, LEAT_E_SYNTAX},
    {"a closing bracket", "]", 0, LEAT_E_SYNTAX},
    {"a NUL", "[\x01]", 1, LEAT_E_SYNTAX},
};

START_TEST(refuses)
{
    leat_builder *builder;
    const leat_error *error;

    ck_assert_int_eq(leat_builder_new(NULL, &builder), LEAT_OK);
    ck_assert_int_eq(leat_builder_json(builder, NULL, broken[_i].text, strlen(broken[_i].text)),
                     broken[_i].status);
    error = leat_builder_error(builder);
    ck_assert_int_eq(leat_error_code(error), broken[_i].status);
    ck_assert_msg(leat_error_offset(error) == broken[_i].at, "%s: at %d, not %d (%s)",
                  broken[_i].name, (int)leat_error_offset(error), (int)broken[_i].at,
                  leat_error_text(error));
    ck_assert_ptr_null(leat_builder_value(builder));
    leat_builder_free(builder);
}
END_TEST

/* The status of reading count opening brackets and their closing ones. */
static int nest(leat_builder *builder, size_t count)
{
    struct t_bytes text = t_copy("", 0);
    int status;
    size_t i;

    for (i = 0; i < count; i++)
        t_append(&text, "[", 1);
    for (i = 0; i < count; i++)
        t_append(&text, "]", 1);
    status = leat_builder_json(builder, NULL, (const char *)text.data, text.length);
    leat_builder_free(builder);
    t_free(text);
    return status;
}

START_TEST(depth_limit)
{
    ck_assert_int_eq(nest(t_limited(5, 0), 5), LEAT_OK);
    ck_assert_int_eq(nest(t_limited(5, 0), 6), LEAT_E_LIMIT);
    ck_assert_int_eq(nest(t_limited(0, 0), 128), LEAT_OK);
    ck_assert_int_eq(nest(t_limited(0, 0), 129), LEAT_E_LIMIT);
    ck_assert_int_eq(nest(t_limited(100000, 0), 129), LEAT_E_LIMIT);
    ck_assert_int_eq(nest(t_limited(0, 0), 1000000), LEAT_E_LIMIT);
}
END_TEST

START_TEST(values_limit)
{
    leat_builder *builder = t_limited(0, 4);

    ck_assert_int_eq(leat_builder_json(builder, NULL, "[1,2,3]", 7), LEAT_OK);
    leat_builder_clear(builder);
    ck_assert_int_eq(leat_builder_json(builder, NULL, "[1,2,3,4]", 9), LEAT_E_LIMIT);
    ck_assert_uint_eq(leat_error_offset(leat_builder_error(builder)), 7);
    leat_builder_free(builder);
}
END_TEST

START_TEST(member_name_limit)
{
    struct t_bytes text = t_copy("{\"", 2);
    size_t i;
    leat_builder *builder;

    for (i = 0; i < 65535; i++)
        t_append(&text, "n", 1);
    t_append(&text, "\":1}", 4);
    builder = t_json((const char *)text.data, text.length);
    (void)leat_value_name(leat_value_first(leat_builder_value(builder)), &i);
    ck_assert_uint_eq(i, 65535);
    leat_builder_clear(builder);
    text.length -= 4;
    t_append(&text, "n\":1}", 5);
    ck_assert_int_eq(leat_builder_json(builder, NULL, (const char *)text.data, text.length),
                     LEAT_E_LIMIT);
    leat_builder_free(builder);
    t_free(text);
}
END_TEST

/*
 * Whatever is cut off, reading says "more" and leaves the tree alone; scanning finds the same
 * end.
 */
START_TEST(pieces)
{
    const char *text = sound[_i].text;
    size_t length = strlen(text), cut, used, used_whole;
    struct leat_error error;
    struct lt_tree tree;
    leat_allocator libc = lt_allocator(NULL);
    struct lt_json json = {.tree = &tree, .depth = 128};
    struct lt_json_scan whole = {0};

    lt_tree_init(&tree, &libc, 1000);
    json.last = true;
    ck_assert_int_eq(
        lt_json_read(&json, (const uint8_t *)text, length, LT_NO_NAME, &used_whole, &error),
        LEAT_OK);
    json.last = false;
    for (cut = 0; cut < used_whole; cut++) {
        tree.count = 0;
        ck_assert_msg(lt_json_read(&json, (const uint8_t *)text, cut, LT_NO_NAME, &used, &error) ==
                          LEAT_MORE,
                      "%s cut at %d", text, (int)cut);
        ck_assert_uint_eq(tree.count, 0);
    }
    /* A scalar that ends with the text needs an octet behind it. */
    if (lt_json_scan(&whole, (const uint8_t *)text, length) == LEAT_MORE)
        ck_assert_int_eq(lt_json_scan(&whole, (const uint8_t *)",", 1), LEAT_OK);
    ck_assert_uint_eq(whole.scanned, used_whole);
    for (cut = 0; cut < used_whole; cut++) {
        struct lt_json_scan scan = {0};
        int status = lt_json_scan(&scan, (const uint8_t *)text, cut);

        ck_assert_int_eq(status, LEAT_MORE);
        status = lt_json_scan(&scan, (const uint8_t *)text + cut, length - cut);
        if (status == LEAT_MORE)
            ck_assert_int_eq(lt_json_scan(&scan, (const uint8_t *)" ", 1), LEAT_OK);
        ck_assert_uint_eq(scan.scanned, used_whole);
    }
    lt_tree_free(&tree);
}
END_TEST

/*
 * Rows of one shape, of changing shapes, and with names that differ in one octet: guesses are
 * only guesses.
 */
START_TEST(guesses_are_checked)
{
    static const char *const rows[] = {
        "{\"id\":1,\"itemid\":2,\"clock\":3}",
        "{\"id\":4,\"itemid\":5,\"clock\":6}",
        "{\"id\":4,\"itemie\":5,\"clock\":6}",
        "{\"ie\":4,\"itemid\":5,\"clock\":6}",
        "{\"id\":4}",
        "{\"id\":4,\"itemid\":5,\"clock\":6,\"ns\":7}",
        "{\"id\" :4,\"itemid\":5}",
        "{\"i\\u0064\":4,\"itemid\":5}",
        "{}",
        "{\"itemid\":5,\"id\":4}",
        "{\"id\":{\"id\":4,\"itemid\":5},\"itemid\":[{\"id\":1}]}",
        "{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8,\"i\":9,\"j\":1,\"k\":2,"
        "\"l\":3,"
        "\"m\":4,\"n\":5,\"o\":6,\"p\":7,\"q\":8,\"r\":9,\"s\":1,\"t\":2,\"u\":3,\"v\":4,\"w\":5,"
        "\"x\":6,"
        "\"y\":7,\"z\":8}",
        "{\"a name that is a good deal longer than all of the others, so that the memory for "
        "guesses is "
        "used up at once, and more of it, and more, and more, and more, and more, and more, and "
        "more, "
        "and more, and more, and more, and more, and more, and more, and more, and "
        "more\":1,\"b\":2}",
    };
    size_t count = sizeof rows / sizeof *rows, i, j, used;
    leat_allocator libc = lt_allocator(NULL);
    struct leat_error error;
    struct lt_tree tree;
    struct lt_json json = {.tree = &tree, .depth = 128};

    lt_tree_init(&tree, &libc, 1000);
    for (i = 0; i < count * count * 2; i++) {
        /* Every row after every other one, and after itself. */
        const char *row = rows[i % 2 == 0 ? i / 2 / count : i / 2 % count];
        leat_builder *fresh;

        lt_tree_clear(&tree);
        ck_assert_int_eq(
            lt_json_read(&json, (const uint8_t *)row, strlen(row), LT_NO_NAME, &used, &error),
            LEAT_OK);
        ck_assert_uint_eq(used, strlen(row));
        fresh = t_json(row, strlen(row));
        ck_assert(leat_value_equal(tree.cells, leat_builder_value(fresh)));
        leat_builder_free(fresh);
    }
    for (j = 0; j < strlen(rows[1]); j++) {
        tree.count = 0;
        ck_assert_int_eq(
            lt_json_read(&json, (const uint8_t *)rows[1], j, LT_NO_NAME, &used, &error), LEAT_MORE);
    }
    lt_tree_free(&tree);
}
END_TEST

START_TEST(lenient_reads_what_broker_writes)
{
    static const char text[] = "[nan,inf,-inf,\"a\\v\x01\xff\"]";
    leat_allocator libc = lt_allocator(NULL);
    struct leat_error error;
    struct lt_tree tree;
    struct lt_json json = {.tree = &tree, .depth = 128, .lenient = true};
    const leat_value *value;
    size_t used, length;

    lt_tree_init(&tree, &libc, 1000);
    ck_assert_int_eq(
        lt_json_read(&json, (const uint8_t *)text, sizeof text - 1, LT_NO_NAME, &used, &error),
        LEAT_OK);
    value = tree.cells;
    ck_assert(leat_value_f64(leat_value_at(value, 0)) != leat_value_f64(leat_value_at(value, 0)));
    ck_assert(leat_value_f64(leat_value_at(value, 1)) > 1e308);
    ck_assert(leat_value_f64(leat_value_at(value, 2)) < -1e308);
    ck_assert_mem_eq(leat_value_text(leat_value_at(value, 3), &length), "a\v\x01\xff", 4);
    ck_assert_uint_eq(length, 4);
    lt_tree_free(&tree);
}
END_TEST

START_TEST(any_octets_but_no_controls)
{
    leat_allocator libc = lt_allocator(NULL);
    struct leat_error error;
    struct lt_tree tree;
    struct lt_json json = {.tree = &tree, .depth = 128, .any_octets = true, .last = true};
    size_t used;

    lt_tree_init(&tree, &libc, 1000);
    ck_assert_int_eq(lt_json_read(&json, (const uint8_t *)"\"\xff\"", 3, LT_NO_NAME, &used, &error),
                     LEAT_OK);
    ck_assert_int_eq(leat_value_is_utf8(tree.cells), 0);
    ck_assert_int_eq(lt_json_read(&json, (const uint8_t *)"\"\x01\"", 3, LT_NO_NAME, &used, &error),
                     LEAT_E_SYNTAX);
    ck_assert_uint_eq(error.offset, 1);
    lt_tree_free(&tree);
}
END_TEST

static int read_scenario(const leat_config *config, const void *arg)
{
    static const char text[] = "{\"a\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20],"
                               "\"b\":\"\\u0041\\n\",\"\\u0063\":{}}";
    leat_builder *builder;
    int status = leat_builder_new(config, &builder);

    (void)arg;
    if (status != LEAT_OK)
        return status;
    status = leat_builder_json(builder, NULL, text, sizeof text - 1);
    ck_assert_int_eq(status == LEAT_OK, leat_builder_value(builder) != NULL);
    leat_builder_free(builder);
    return status;
}

START_TEST(every_allocation_may_fail)
{
    t_every_alloc(read_scenario, NULL);
}
END_TEST

/*
 * A row with octets behind it, as rows of a stream have: only then names, widths and ends are
 * guessed.
 */
static int read_in_stream(struct lt_json *json, const char *row, size_t *used,
                          struct leat_error *error)
{
    static char text[1000];

    memset(text, ' ', sizeof text);
    memcpy(text, row, strlen(row));
    lt_tree_clear(json->tree);
    return lt_json_read(json, (const uint8_t *)text, sizeof text, LT_NO_NAME, used, error);
}

/* After any other row, a row is read as if it were the first. */
START_TEST(guesses_change_nothing)
{
    static const char *const rows[] = {
        "{\"id\":1,\"v\":\"abc\",\"n\":7}",
        "{\"id\":12,\"v\":\"abc\",\"n\":7}",
        "{\"id\":1,\"v\":\"abcd\",\"n\":7}",
        "{\"id\":1,\"v\":\"\",\"n\":7}",
        "{\"id\":1234567,\"v\":\"12345678\",\"n\":12345678}",
        "{\"id\":123456789,\"v\":\"123456789\",\"n\":9876543210}",
        "{\"id\":1234567890123456,\"v\":\"1234567890123456\",\"n\":7}",
        "{\"id\":12345678901234567,\"v\":\"12345678901234567\",\"n\":7}",
        "{\"id\":18446744073709551615,\"v\":\"x\",\"n\":18446744073709551616}",
        "{\"id\":0,\"v\":\"0\",\"n\":0}",
        "{\"id\":01,\"v\":\"abc\",\"n\":7}",
        "{\"id\":1,\"v\":\"abc\",\"n\":00}",
        "{\"id\":-1,\"v\":\"abc\",\"n\":7}",
        "{\"id\":1.5,\"v\":\"abc\",\"n\":7e0}",
        "{\"id\":null,\"v\":[\"abc\"],\"n\":{\"id\":1}}",
        "{\"id\":1,\"v\":\"a\\nc\",\"n\":7}",
        "{\"id\":1,\"v\":\"a\\\"\",\"n\":7}",
        "{\"id\":1,\"v\":\"\xc3\xa9\",\"n\":7}",
        "{\"id\":1,\"v\":\"\xff\",\"n\":7}",
        "{\"id\":1,\"v\":\"a\001c\",\"n\":7}",
        "{\"id\":1,\"v\":\"abcdefg\001\",\"n\":7}",
        "{\"id\":1,\"v\":\"a\",\"\":\"\",\"n\":7}",
        "{\"id\":1,\"v\":\"a,\\\",\",\"n\":7}",
        "{\"id\":1 ,\"v\":\"abc\",\"n\":7}",
        "{\"id\":1,\"v\":\"abc\" ,\"n\":7 }",
        "{\"id\":1, \"v\":\"abc\",\"n\":7}",
        "{ \"id\":1,\"v\":\"abc\",\"n\":7}",
        "{\"id\":1,\"v\": \"abc\",\"n\":7}",
        "{\"id\":1,\"v\":\"abc\",\"n\":7]",
        "{\"id\":1,\"v\":\"abc\",\"n\":7;",
        "{\"id\":1,\"v\":\"abc\",\"n\":7,}",
        "{\"id\":1,\"v\":\"abc\"\"n\":7}",
        "{\"id\":1,\"v\":\"abc,\"n\":7}",
        "{\"id\":,\"v\":\"abc\",\"n\":7}",
        "{\"id\":1x,\"v\":\"abc\",\"n\":7}",
        "{\"id\":1:2,\"v\":\"abc\",\"n\":7}",
        "{\"id\":1/2,\"v\":\"abc\",\"n\":7}",
        "{\"id\":1,\"v\":\"abc\",\"m\":7}",
        "{\"id\":1,\"v\":\"abc\"}",
        "{\"id\":1,\"v\":\"abc\",\"n\":7,\"o\":8}",
        "{\"id\":1}",
        "{}",
        "{\"v\":\"abc\",\"id\":1}",
        "{\"id\":1,\"id\":1,\"id\":1}",
        "{\"thirteen oct.\":1,\"fourteen octet\":2,\"x\":3}",
        "{\"id\":1,\"v\":\"63 and its quotes are one octet too long to be guessed a second "
        "t.\",\"n\":7}",
        "{\"id\":1,\"v\":\"62 and its quotes are just short enough to be guessed next "
        "tm\",\"n\":7}",
    };
    size_t count = sizeof rows / sizeof *rows, i, j, used, fresh_used;
    leat_allocator libc = lt_allocator(NULL);
    struct leat_error error, fresh_error;
    struct lt_tree tree, fresh_tree;
    int status;

    lt_tree_init(&tree, &libc, 1000);
    lt_tree_init(&fresh_tree, &libc, 1000);
    for (i = 0; i < count; i++) {
        for (j = 0; j < count; j++) {
            struct lt_json json = {.tree = &tree, .depth = 128};
            struct lt_json fresh = {.tree = &fresh_tree, .depth = 128};

            (void)read_in_stream(&json, rows[i], &used, &error);
            (void)read_in_stream(&json, rows[i], &used, &error); /* now with widths */
            status = read_in_stream(&json, rows[j], &used, &error);
            ck_assert_int_eq(status, read_in_stream(&fresh, rows[j], &fresh_used, &fresh_error));
            if (status == LEAT_OK) {
                ck_assert_uint_eq(used, fresh_used);
                ck_assert(leat_value_equal(tree.cells, fresh_tree.cells));
            } else {
                ck_assert_uint_eq(error.offset, fresh_error.offset);
                ck_assert_str_eq(error.text, fresh_error.text);
            }
        }
    }
    lt_tree_free(&tree);
    lt_tree_free(&fresh_tree);
}
END_TEST

static void tests(TCase *cases)
{
    tcase_add_loop_test(cases, reads, 0, sizeof sound / sizeof *sound);
    tcase_add_loop_test(cases, refuses, 0, sizeof broken / sizeof *broken);
    tcase_add_test(cases, depth_limit);
    tcase_add_test(cases, values_limit);
    tcase_add_test(cases, member_name_limit);
    tcase_add_loop_test(cases, pieces, 0, sizeof sound / sizeof *sound);
    tcase_add_test(cases, guesses_are_checked);
    tcase_add_test(cases, guesses_change_nothing);
    tcase_add_test(cases, lenient_reads_what_broker_writes);
    tcase_add_test(cases, any_octets_but_no_controls);
    tcase_add_test(cases, every_allocation_may_fail);
}

T_MAIN("core/json", tests)
